//! The CSV tables of a run as a sink: they are dumped into it.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use formread_core::rows::PageRows;
use formread_raster::{
    error::{Error, Result},
    fsio::{AtomicFile, Change},
};

use super::{CsvSink, DocumentTable, run_path};
use crate::{
    record::{RecordHead, Scan},
    rows::{Committed, Counts, DocumentRow, Run, Sink},
};

/// Writes the tables of a run, and its record, as CSV.
#[derive(Debug)]
pub struct CsvRestore {
    out: PathBuf,
    files: Option<Files>,
    scans: Vec<Scan>,
    counts: Counts,
}

#[derive(Debug)]
struct Files {
    tables: CsvSink,
    documents: DocumentTable,
    head: RecordHead,
    record: AtomicFile,
}

impl CsvRestore {
    /// Writes to `out` and the files beside it.
    pub fn new(out: &Path) -> Self {
        Self { out: out.to_owned(), files: None, scans: Vec::new(), counts: Counts::default() }
    }

    fn files(&mut self) -> Result<&mut Files> {
        self.files.as_mut().ok_or_else(|| Error::internal("rows before the run"))
    }
}

impl Sink for CsvRestore {
    fn begin(&mut self, run: &Run) -> Result<()> {
        self.files = Some(Files {
            tables: CsvSink::create(&self.out, run.columns.clone())?,
            documents: DocumentTable::create(&self.out, run.has_documents)?,
            head: run.record.clone(),
            record: AtomicFile::create(run_path(&self.out))?,
        });
        Ok(())
    }

    fn scan(&mut self, scan: &Scan) -> Result<()> {
        self.scans.push(scan.clone());
        Ok(())
    }

    fn page(&mut self, rows: &PageRows) -> Result<()> {
        self.counts.n_new += 1;
        self.files()?.tables.write(rows)
    }

    fn document(&mut self, document: &DocumentRow) -> Result<()> {
        let scan = self.scans.last().map(|scan| scan.name.clone()).unwrap_or_default();
        self.files()?.documents.write_row(&scan, document)
    }

    fn prepare(&mut self) -> Result<()> {
        let scans = std::mem::take(&mut self.scans);
        let files = self.files()?;
        let text = files.head.with_scans(&scans)?;
        files.record.write_all(text.as_bytes())?;
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<Committed> {
        let Files { tables, documents, record, .. } =
            self.files.ok_or_else(|| Error::internal("nothing was written"))?;
        let mut files = vec![Change::Write(record), documents.finish()?];
        files.extend(tables.finish()?);
        Ok(Committed { counts: self.counts, files })
    }
}
