//! CSV tables and the record of their run -> any sink. The tables must agree with each other: what is loaded is what a dump
//! writes again.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, ErrorKind, Seek},
    path::Path,
};

use csv::{Reader, StringRecord, StringRecordsIntoIter};

use formread_core::form::FormTemplate;
use formread_raster::{
    error::{Error, Format, Result},
    fsio::read_text_bounded,
};

use super::{
    documents::{DOCUMENT_COLUMNS, documents_path},
    fields_path, run_path,
    tables::{FIELD_COLUMNS, PAGE_COLUMNS},
};
use crate::{
    form::{Form, columns},
    join::{Rows, RunTables},
    record::Record,
    rows::{Run, Sink, Source},
};

/// Largest record of a run, bytes: some millions of scans.
const MAX_RECORD_BYTES: u64 = 1 << 30;

/// The files of a run, open for reading.
#[derive(Debug)]
pub struct TableFiles {
    /// `OUT.csv`.
    pub pages: File,
    /// `OUT.fields.csv`.
    pub fields: File,
    /// `OUT.documents.csv`, where there is one.
    pub documents: Option<File>,
    /// The text of `OUT.run.json`.
    pub record: String,
}

impl TableFiles {
    /// Opens the tables beside `out`. `record` is the record of the run.
    ///
    /// # Errors
    /// Where one of them cannot be read. Only the table of documents may be absent.
    pub fn open(out: &Path, record: Option<&Path>) -> Result<Self> {
        let open = |path: &Path| File::open(path).map_err(|error| Error::from(error).in_file(path.to_string_lossy()));
        let documents = match File::open(documents_path(out)) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::from(error).in_file(documents_path(out).to_string_lossy())),
        };
        let record = record.map_or_else(|| run_path(out), Path::to_owned);
        let text = read_text_bounded(&record, MAX_RECORD_BYTES);
        let text = text.map_err(|error| error.in_file(record.to_string_lossy()))?;
        Ok(Self { pages: open(out)?, fields: open(&fields_path(out))?, documents, record: text })
    }
}

/// The tables of a run, and the forms in them.
#[derive(Debug)]
pub struct CsvTables {
    files: TableFiles,
    record: Record,
    forms: Vec<Form>,
}

impl CsvTables {
    /// Reads the record and the names of forms. `templates` are those that the run had.
    ///
    /// # Errors
    /// `Format` where the record is malformed, or a table has other columns than its forms; `Usage` where a form has no
    /// template here, or another one than the run had.
    pub fn new(files: TableFiles, templates: &[FormTemplate]) -> Result<Self> {
        let record = Record::parse(&files.record)?;
        let mut tables = Self { files, record, forms: Vec::new() };
        let mut names = BTreeSet::new();
        let (header, rows) = records(&tables.files.pages)?;
        for row in rows {
            let row = row.map_err(|error| Error::format(Format::PageTable, error))?;
            let form = row.get(2).unwrap_or_default();
            if !form.is_empty() && !names.contains(form) {
                names.insert(form.to_owned());
            }
        }
        for name in names {
            tables.forms.push(tables.form(&name, templates)?);
        }
        let expected = PAGE_COLUMNS.into_iter().map(str::to_owned).chain(columns(&tables.forms));
        if !header.iter().eq(expected) {
            return Err(Error::format(Format::PageTable, "its columns are not those of its forms"));
        }
        Ok(tables)
    }

    fn form(&self, name: &str, templates: &[FormTemplate]) -> Result<Form> {
        let hint = "name the templates of the run with --pipeline";
        let template = templates.iter().find(|template| template.name == name);
        let template = template.ok_or_else(|| Error::usage(format!("no template: {name}")).with_hint(hint))?;
        let fingerprint = template.fingerprint().to_string();
        match self.record.templates.get(name) {
            Some(recorded) if *recorded == fingerprint => Ok(Form::new(template)),
            Some(_) => Err(Error::usage(format!("the run had another template: {name}")).with_hint(hint)),
            None => Err(Error::format(Format::RunRecord, format!("no template: {name}"))),
        }
    }
}

impl Source for CsvTables {
    fn send(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let columns = columns(&self.forms);
        sink.begin(&Run {
            key: self.record.key,
            record: self.record.head.clone(),
            columns: columns.clone(),
            forms: self.forms.clone(),
            has_documents: self.files.documents.is_some(),
        })?;
        let rows = |file: &File, kind: Format, expected: Option<&[&str]>| -> Result<Rows> {
            let (header, rows) = records(file)?;
            if expected.is_some_and(|expected| header.iter().ne(expected.iter().copied())) {
                return Err(Error::format(kind, "it has other columns"));
            }
            Ok(Box::new(rows.map(move |row| row.map_err(|error| Error::format(kind, error)))))
        };
        let TableFiles { pages, fields, documents, .. } = &self.files;
        let documents = documents.as_ref();
        let tables = RunTables {
            columns: &columns,
            pages: rows(pages, Format::PageTable, None)?,
            fields: rows(fields, Format::FieldTable, Some(&FIELD_COLUMNS))?,
            documents: documents.map(|file| rows(file, Format::DocumentTable, Some(&DOCUMENT_COLUMNS))).transpose()?,
        };
        tables.send(&self.record.scans, sink)
    }
}

/// The header and the rows of a table, from its start.
fn records(file: &File) -> Result<(StringRecord, StringRecordsIntoIter<BufReader<File>>)> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    let mut reader = Reader::from_reader(BufReader::new(file));
    let header = reader.headers().map_err(|error| Error::format(Format::Table, error))?.clone();
    Ok((header, reader.into_records()))
}
