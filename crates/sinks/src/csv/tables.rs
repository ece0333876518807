//! The two tables of a run: `OUT.csv`, one row per page, and `OUT.fields.csv`, one row per field.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use csv::{Reader, Terminator, Writer, WriterBuilder};

use super::StoredPage;
use formread_core::{
    form::FormTemplate,
    rows::{FieldRow, PageRows},
};
use formread_raster::error::{Error, Format, Result};
use formread_raster::fsio::{AtomicFile, Change};

/// Columns of `OUT.csv` before those of the fields.
pub(super) const PAGE_COLUMNS: [&str; 5] = ["scan", "page", "form", "verdict", "attention"];
/// Columns of `OUT.fields.csv`.
pub(super) const FIELD_COLUMNS: [&str; 13] =
    ["scan", "page", "form", "field", "state", "value", "guess", "confidence", "reason", "x0", "y0", "x1", "y1"];

/// The path of the table of fields of `out`: `out.fields.csv` beside `out.csv`.
pub fn fields_path(out: &Path) -> PathBuf {
    let mut name = out.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(".fields.csv");
    out.with_file_name(name)
}

/// The columns of fields in `OUT.csv`: the fields of `forms`, in the order of their names, each once.
pub fn field_columns<'a>(forms: impl IntoIterator<Item = &'a FormTemplate>) -> Vec<String> {
    let by_name: BTreeMap<&str, &FormTemplate> = forms.into_iter().map(|form| (form.name.as_str(), form)).collect();
    let mut columns: Vec<String> = Vec::new();
    for field in by_name.values().flat_map(|template| &template.fields) {
        if !columns.contains(&field.name) {
            columns.push(field.name.clone());
        }
    }
    columns
}

/// Both tables, written as atomic files.
#[derive(Debug)]
pub struct CsvSink {
    columns: Vec<String>,
    pages: Table,
    fields: Table,
}

impl CsvSink {
    /// Opens both tables. `columns` are the fields of all forms in the batch, each once.
    ///
    /// # Errors
    /// Where `out`'s folder cannot be written to.
    pub fn create(out: &Path, columns: Vec<String>) -> Result<Self> {
        let mut pages = Table::create(out.to_owned())?;
        let mut fields = Table::create(fields_path(out))?;
        pages.write(PAGE_COLUMNS.into_iter().chain(columns.iter().map(String::as_str)))?;
        fields.write(FIELD_COLUMNS)?;
        Ok(Self { columns, pages, fields })
    }

    /// Appends the rows of one page.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn write(&mut self, rows: &PageRows) -> Result<()> {
        let PageRows { scan, form, attention, .. } = rows;
        let page = rows.page.to_string();
        let value = |column: &String| rows.fields.iter().find(|f| f.field == *column).map_or("", |f| f.value.as_str());
        let head = [scan, page.as_str(), form, rows.verdict.as_str(), attention];
        self.pages.write(head.into_iter().chain(self.columns.iter().map(value)))?;
        for row in &rows.fields {
            let FieldRow { field, state, value, guess, confidence, reason, bounds } = row;
            let [x0, y0, x1, y1] = bounds.map(|edge| edge.to_string());
            let evidence = [scan, page.as_str(), form, field, state, value, guess, confidence, reason];
            self.fields.write(evidence.into_iter().chain([x0.as_str(), &y0, &x1, &y1]))?;
        }
        Ok(())
    }

    /// Flushes everything written, and reads the table of pages back, in its order. The ledger of a run checks it.
    ///
    /// # Errors
    /// Where it cannot be written, or read back.
    pub fn read_back(&mut self) -> Result<impl Iterator<Item = Result<StoredPage>>> {
        self.fields.flush()?;
        self.pages.flush()?;
        let rows = Reader::from_reader(self.pages.reopen()?).into_deserialize();
        Ok(rows.map(|row| row.map_err(|error| Error::format(Format::Table, error))))
    }

    /// Opens both tables as far as they were flushed: of pages, and of fields.
    ///
    /// # Errors
    /// Where they cannot be opened.
    pub fn reopen(&self) -> Result<(File, File)> {
        Ok((self.pages.reopen()?, self.fields.reopen()?))
    }

    /// Ends both tables. The fields come first: where `OUT.csv` exists, both are complete.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn finish(self) -> Result<[Change; 2]> {
        Ok([Change::Write(self.fields.finish()?), Change::Write(self.pages.finish()?)])
    }
}

/// A table in an atomic file.
#[derive(Debug)]
pub(super) struct Table {
    writer: Writer<BufWriter<AtomicFile>>,
}

impl Table {
    pub fn create(path: PathBuf) -> Result<Self> {
        let file = BufWriter::new(AtomicFile::create(path)?);
        Ok(Self { writer: WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(file) })
    }

    pub fn write<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> Result<()> {
        self.writer.write_record(cells).map_err(|error| Error::from(std::io::Error::from(error)))
    }

    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(Error::from)
    }

    /// Opens what has been flushed for reading.
    pub fn reopen(&self) -> Result<File> {
        self.writer.get_ref().get_ref().reopen()
    }

    /// Writes what is left.
    pub fn finish(self) -> Result<AtomicFile> {
        let buffer = self.writer.into_inner().map_err(|error| Error::from(error.into_error()))?;
        buffer.into_inner().map_err(|error| Error::from(error.into_error()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use formread_core::rows::Verdict;
    use formread_raster::fsio::commit_all;

    fn rows(scan: &str, form: &str, fields: &[(&str, &str)]) -> PageRows {
        let field = |&(name, value): &(&str, &str)| FieldRow {
            field: name.to_owned(),
            state: "accepted".to_owned(),
            value: value.to_owned(),
            guess: value.to_owned(),
            confidence: "0.9900".to_owned(),
            reason: String::new(),
            bounds: [1, 2, 3, 4],
        };
        PageRows {
            scan: scan.to_owned(),
            page: 1,
            form: form.to_owned(),
            verdict: Verdict::Accepted,
            attention: String::new(),
            fields: fields.iter().map(field).collect(),
            readings: Vec::new(),
        }
    }

    #[test]
    fn both_tables_have_the_columns_of_the_contract() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let out = dir.path().join("out.csv");
        let columns = ["a", "total"].map(str::to_owned).to_vec();
        let mut sink = CsvSink::create(&out, columns).expect("the folder is there");
        sink.write(&rows("x/1, \"two\".png", "f", &[("total", "-5.00")])).expect("the disk has room");
        sink.write(&rows("y.png", "g", &[("a", "007"), ("total", "1")])).expect("the disk has room");
        let stored: Vec<_> =
            sink.read_back().expect("the disk has room").map(|page| page.expect("it is whole")).collect();
        let words = stored.iter().map(|StoredPage { scan, page, form, verdict, attention }| {
            [scan, page, form, verdict, attention].map(String::as_str)
        });
        let want = [["x/1, \"two\".png", "1", "f", "accepted", ""], ["y.png", "1", "g", "accepted", ""]];
        assert_eq!(words.collect::<Vec<_>>(), want, "what was written is read back before it has its name");
        assert!(!out.exists(), "the final name must not exist before the end");
        commit_all(sink.finish().expect("the disk has room").into()).expect("the disk has room");

        let pages = fs::read_to_string(&out).expect("it was written");
        assert_eq!(
            pages,
            "scan,page,form,verdict,attention,a,total\n\
             \"x/1, \"\"two\"\".png\",1,f,accepted,,,-5.00\n\
             y.png,1,g,accepted,,007,1\n"
        );
        let fields = fs::read_to_string(dir.path().join("out.fields.csv")).expect("it was written");
        assert_eq!(fields.lines().count(), 4);
        assert_eq!(fields.lines().nth(2), Some("y.png,1,g,a,accepted,007,007,0.9900,,1,2,3,4"));
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 2, "nothing else is left behind");
    }

    #[test]
    fn missing_folder_is_in_the_error() {
        let Err(error) = CsvSink::create(Path::new("/nonexistent-folder/out.csv"), Vec::new()) else {
            panic!("there is no such folder");
        };
        assert!(error.to_string().contains("/nonexistent-folder/"), "{error}");
    }
}
