//! The journal of a run -> its tables, and the record of what they came from.

use std::{collections::BTreeMap, path::Path};

use super::{Summary, journal::Journal, walk::Scan};
use crate::{
    error::{Error, ErrorKind, Result},
    reader::Reader,
    sink::{CsvSink, RunRecord, ScanRecord, Sink},
};

/// Makes the tables from the journal, in two passes: the columns must be known before the first row. Every file must
/// have its rows, or there are no tables.
pub fn write_tables(reader: &Reader, scans: &[Scan], out: &Path, journal: &mut Journal) -> Result<Summary> {
    let mut forms = BTreeMap::new();
    for scan in scans {
        journal.visit(&scan.name, |rows| {
            if let Some(template) = reader.templates().iter().find(|template| template.name == rows.form) {
                forms.insert(rows.form, template);
            }
            Ok(())
        })?;
    }
    let mut columns: Vec<String> = Vec::new();
    for field in forms.values().flat_map(|template| &template.fields) {
        if !columns.contains(&field.name) {
            columns.push(field.name.clone());
        }
    }
    let mut sink: Box<dyn Sink> = Box::new(CsvSink::create(out, columns)?);
    let mut summary = Summary { n_files: scans.len() as u64, ..Summary::default() };
    let mut scan_records = Vec::with_capacity(scans.len());
    for scan in scans {
        let n_before = summary.n_pages;
        journal.visit(&scan.name, |rows| {
            summary.count(&rows);
            sink.write(&rows)
        })?;
        if summary.n_pages == n_before {
            return Err(Error::from(ErrorKind::Internal("a file without a row".to_owned())).in_file(&scan.name));
        }
        let (sha256, pages) = (journal.sha256(&scan.name).to_owned(), summary.n_pages - n_before);
        scan_records.push(ScanRecord { scan: scan.name.clone(), sha256, pages });
    }
    // Before the tables: where OUT.csv stands, what it came from stands beside it.
    summary.record(reader, scan_records).write(out)?;
    sink.finish()?;
    Ok(summary)
}

impl Summary {
    /// What is kept of the run that `reader` read.
    fn record(&self, reader: &Reader, scans: Vec<ScanRecord>) -> RunRecord {
        RunRecord {
            reader: reader.identity(),
            files: self.n_files,
            pages: self.n_pages,
            accepted: self.n_accepted,
            review: self.n_review,
            rejected: self.rejected.clone(),
            scans,
        }
    }
}
