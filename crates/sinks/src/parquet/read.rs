//! Parquet files -> a run.

use std::{collections::HashMap, collections::HashSet, fs::File, path::Path};

use parquet::{
    file::{
        reader::{FileReader, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
    },
    record::{Field, Row, reader::RowIter},
    schema::types::Type,
};

use formread_raster::error::{Error, Format, Result};

use super::{RECORD_KEY, RUN_KEY, SettledField, fault, files};
use crate::{
    join::{Rows, RunTables},
    record::{RecordHead, Scan, hash_of},
    rows::{Run, Sink, Source},
};

const PAGE_COLUMNS: [&str; 6] = ["scan", "page", "form", "verdict", "attention", "sha256"];
const FIELD_COLUMNS: [&str; 13] =
    ["scan", "page", "form", "field", "state", "value", "guess", "confidence", "reason", "x0", "y0", "x1", "y1"];
const DOCUMENT_COLUMNS: [&str; 7] = ["scan", "document", "verdict", "pages", "missing", "surplus", "unread"];

/// The files of a run.
pub struct ParquetSource {
    pages: SerializedFileReader<File>,
    fields: SerializedFileReader<File>,
    documents: Option<SerializedFileReader<File>>,
}

impl ParquetSource {
    /// Opens `out` and the files beside it.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn open(out: &Path) -> Result<Self> {
        let [pages, fields, documents] = files(out);
        let documents = if std::fs::exists(&documents)? { Some(open(&documents)?) } else { None };
        Ok(Self { pages: open(&pages)?, fields: open(&fields)?, documents })
    }

    fn metadata(&self, key: &str) -> Result<&str> {
        let pairs = self.pages.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        let value = pairs.filter(|pair| pair.key == key).find_map(|pair| pair.value.as_deref());
        value.ok_or_else(|| Error::format(Format::Table, "a Parquet file that formread did not make"))
    }
}

impl Source for ParquetSource {
    fn send(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let (key, record) = (hash_of(self.metadata(RUN_KEY)?)?, RecordHead::parse(self.metadata(RECORD_KEY)?)?);
        let schema = self.pages.metadata().file_metadata().schema();
        let columns: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
        let columns = columns.into_iter().skip(PAGE_COLUMNS.len()).collect::<Vec<_>>();
        let mut scans: Vec<Scan> = Vec::new();
        let mut contents = HashSet::new();
        for row in rows(&self.pages, &["scan", "sha256"])? {
            let row = row?;
            let (name, digits) = (&row[0], &row[1]);
            if let Some(scan) = scans.last_mut().filter(|scan| scan.name == *name) {
                scan.pages += 1;
                continue;
            }
            let sha256 = if digits.is_empty() { None } else { Some(hash_of(digits)?) };
            let is_copy = sha256.is_some_and(|sha256| !contents.insert(sha256));
            let position = u32::try_from(scans.len()).map_err(|_| Error::usage("too many scans"))?;
            scans.push(Scan { position, name: name.to_owned(), sha256, pages: 1, is_copy });
        }
        let has_documents = self.documents.is_some();
        sink.begin(&Run { key, record, columns: columns.clone(), forms: Vec::new(), has_documents })?;
        let documents = self.documents.as_ref().map(|reader| rows(reader, &DOCUMENT_COLUMNS)).transpose()?;
        let tables = RunTables {
            columns: &columns,
            pages: rows(&self.pages, &PAGE_COLUMNS[..5])?,
            fields: rows(&self.fields, &FIELD_COLUMNS)?,
            documents,
        };
        tables.send(&scans, sink)
    }
}

fn open(path: &Path) -> Result<SerializedFileReader<File>> {
    let here = |error: Error| error.in_file(path.to_string_lossy());
    let file = File::open(path).map_err(|error| here(error.into()))?;
    SerializedFileReader::new_with_options(file, ReadOptionsBuilder::new().build()).map_err(|error| here(fault(error)))
}

/// The named columns of a file as text, NULL as nothing, in this order.
fn rows<'a>(reader: &'a SerializedFileReader<File>, columns: &[&str]) -> Result<Rows<'a>> {
    let order: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    let texts = selected(reader, columns)?.map(move |row| {
        let row = row.map_err(fault)?;
        let mut cells: HashMap<&str, &Field> =
            row.get_column_iter().map(|(name, field)| (name.as_str(), field)).collect();
        order.iter().map(|column| text(cells.remove(column.as_str()).unwrap_or(&Field::Null))).collect()
    });
    Ok(Box::new(texts))
}

fn selected<'a>(reader: &'a SerializedFileReader<File>, columns: &[&str]) -> Result<RowIter<'a>> {
    let schema = reader.metadata().file_metadata().schema();
    let fields = schema.get_fields().iter().filter(|field| columns.contains(&field.name())).cloned();
    let fields: Vec<_> = fields.collect();
    if fields.len() != columns.len() {
        return Err(Error::format(Format::Table, "a Parquet file with other columns"));
    }
    let projection = Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(fault)?;
    reader.get_row_iter(Some(projection)).map_err(fault)
}

fn text(field: &Field) -> Result<String> {
    match field {
        Field::Null => Ok(String::new()),
        Field::Str(text) => Ok(text.clone()),
        Field::Long(number) => Ok(number.to_string()),
        Field::Decimal(decimal) => {
            let bytes = <[u8; 16]>::try_from(decimal.data()).map_err(|_| other_type())?;
            let decimals = u8::try_from(decimal.scale()).map_err(|_| other_type())?;
            Ok(formread_core::Decimal { units: i128::from_be_bytes(bytes), decimals }.to_string())
        }
        _ => Err(other_type()),
    }
}

fn other_type() -> Error {
    Error::format(Format::Table, "a Parquet file with a column of another type")
}

/// The fields that a person settled, in a table of fields.
///
/// # Errors
/// Where it cannot be read.
pub fn settled_fields(path: &Path) -> Result<HashSet<SettledField>> {
    let reader = open(path)?;
    let mut settled = HashSet::new();
    for row in selected(&reader, &["sha256", "page", "field", "by_person"])? {
        let row: Row = row.map_err(fault)?;
        let mut key: SettledField = Default::default();
        let mut by_person = false;
        for (name, field) in row.get_column_iter() {
            match (name.as_str(), field) {
                ("sha256", Field::Str(text)) => key.0.clone_from(text),
                ("page", Field::Long(page)) => key.1 = *page,
                ("field", Field::Str(text)) => key.2.clone_from(text),
                ("by_person", Field::Bool(value)) => by_person = *value,
                _ => {}
            }
        }
        if by_person {
            settled.insert(key);
        }
    }
    Ok(settled)
}
