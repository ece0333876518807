//! `OUT.documents.csv` beside `OUT.csv`, if a template is a page of a document of several pages: one row per document and file,
//! with the pages that are there, are missing, or are there more than once.

use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
};

use super::tables::Table;
use crate::rows::DocumentRow;
use formread_core::assemble::{DocumentRecord, PageCopies};
use formread_raster::{error::Result, fsio::Change};

/// Columns of `OUT.documents.csv`.
pub(super) const DOCUMENT_COLUMNS: [&str; 7] = ["scan", "document", "verdict", "pages", "missing", "surplus", "unread"];

/// The path of the table of documents of `out`: `out.documents.csv` beside `out.csv`.
pub fn documents_path(out: &Path) -> PathBuf {
    let mut name = out.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(".documents.csv");
    out.with_file_name(name)
}

/// The table in an atomic file; none if no form has several pages.
#[derive(Debug)]
pub struct DocumentTable {
    path: PathBuf,
    table: Option<Table>,
}

impl DocumentTable {
    /// Opens the table beside `out`, where it `is_wanted`.
    ///
    /// # Errors
    /// Where `out`'s folder cannot be written to.
    pub fn create(out: &Path, is_wanted: bool) -> Result<Self> {
        let path = documents_path(out);
        let mut table = is_wanted.then(|| Table::create(path.clone())).transpose()?;
        if let Some(table) = &mut table {
            table.write(DOCUMENT_COLUMNS)?;
        }
        Ok(Self { path, table })
    }

    /// Takes a document that `scan` has.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn write(&mut self, scan: &str, document: &DocumentRecord) -> Result<()> {
        let places = |of: fn(&PageCopies) -> &[u32]| -> Vec<String> {
            let numbered = (1..).zip(&document.pages);
            numbered.flat_map(|(page, copies)| of(copies).iter().map(move |at: &u32| format!("{page}={at}"))).collect()
        };
        let pages = places(|copies| &copies.read).join(";");
        let unknown = document.unknown.iter().map(|at| format!("?={at}"));
        let unread = places(|copies| &copies.unread).into_iter().chain(unknown).collect::<Vec<_>>().join(";");
        let numbers = |pages: Vec<usize>| pages.iter().map(usize::to_string).collect::<Vec<_>>().join(";");
        let (missing, surplus) = (numbers(document.missing()), numbers(document.surplus()));
        let verdict = document.verdict().as_str().to_owned();
        let cells = [document.document.clone(), verdict, pages, missing, surplus, unread];
        self.write_row(scan, &DocumentRow { cells })
    }

    /// Takes a row of `scan`.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn write_row(&mut self, scan: &str, row: &DocumentRow) -> Result<()> {
        let Some(table) = &mut self.table else { return Ok(()) };
        table.write([scan].into_iter().chain(row.cells.iter().map(String::as_str)))
    }

    /// Flushes the table and opens it for reading; `None` where there is none.
    ///
    /// # Errors
    /// Where it cannot be written or opened.
    pub fn reopen(&mut self) -> Result<Option<File>> {
        let Some(table) = &mut self.table else { return Ok(None) };
        table.flush()?;
        table.reopen().map(Some)
    }

    /// Ends the table. If there is none, that of an earlier run is removed, so that it is not mistaken for one of this run.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> Result<Change> {
        match self.table {
            Some(table) => Ok(Change::Write(table.finish()?)),
            None => Ok(Change::Remove(self.path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use formread_raster::fsio::commit_all;

    #[test]
    fn each_document_is_a_row_and_an_unwanted_table_is_removed() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let out = dir.path().join("out.csv");
        let copies = |read: &[u32], unread: &[u32]| PageCopies { read: read.to_vec(), unread: unread.to_vec() };
        let record = |pages: Vec<PageCopies>, unknown: &[u32]| DocumentRecord {
            document: "tax".to_owned(),
            pages,
            unknown: unknown.to_vec(),
        };
        let mut table = DocumentTable::create(&out, true).expect("the folder is there");
        for (scan, document) in [
            ("a, b.tif", record(vec![copies(&[3], &[]), copies(&[1], &[])], &[])),
            ("c.tif", record(vec![copies(&[4, 6], &[]), copies(&[], &[2]), copies(&[], &[])], &[1, 5])),
        ] {
            table.write(scan, &document).expect("the disk has room");
        }
        assert!(!documents_path(&out).exists(), "the final name must not exist before the end");
        commit_all(vec![table.finish().expect("the disk has room")]).expect("the disk has room");
        let text = fs::read_to_string(dir.path().join("out.documents.csv")).expect("it was written");
        assert_eq!(
            text,
            "scan,document,verdict,pages,missing,surplus,unread\n\
             \"a, b.tif\",tax,complete,1=3;2=1,,,\n\
             c.tif,tax,incomplete,1=4;1=6,2;3,1,2=2;?=1;?=5\n"
        );
        for _ in 0..2 {
            let removal = DocumentTable::create(&out, false).and_then(DocumentTable::finish);
            commit_all(vec![removal.expect("there is nothing to write")]).expect("the folder is writable");
            assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0, "the old one is gone");
        }
    }
}
