//! The journal of a run -> its tables, and the record of what they came from.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::Ordering,
};

use super::{Event, RunOptions, Summary, journal::Journal, ledger::check_balance, stopped, walk::Scan};
use crate::{
    error::Result,
    reader::Reader,
    sink::{CsvSink, RunRecord, ScanRecord, Sink},
};

/// Makes the tables from the journal, in two passes: the columns must be known before the first row. They take their
/// names when the ledger balances.
pub fn write_tables(
    reader: &Reader,
    scans: &[&Scan],
    options: &RunOptions,
    journal: &mut Journal,
    mut observe: impl FnMut(&Event<'_>),
) -> Result<Summary> {
    let out = &options.out;
    let n_files = scans.len() as u64;
    let go_on = || if options.stop.load(Ordering::Relaxed) { Err(stopped(n_files, n_files)) } else { Ok(()) };
    let mut forms = BTreeMap::new();
    for scan in scans {
        go_on()?;
        journal.visit(&scan.name, |rows, _| {
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
    let mut summary = Summary { n_files, ..Summary::default() };
    let mut scan_records = Vec::with_capacity(scans.len());
    let mut first_of = HashMap::new();
    for scan in scans {
        go_on()?;
        journal.visit(&scan.name, |rows, _| {
            summary.count(&rows);
            sink.write(&rows)
        })?;
        let (name, sha256, pages) = (scan.name.as_str(), journal.sha256(&scan.name), journal.pages(&scan.name).into());
        let first = sha256.map_or(name, |sha256| *first_of.entry(sha256).or_insert(name));
        let copy_of = (first != name).then_some(first);
        if let Some(of) = copy_of {
            observe(&Event::Copy { scan: name, of });
            summary.n_copies += 1;
        }
        summary.n_pages += pages;
        scan_records.push(ScanRecord { scan: name, sha256, pages, copy_of });
    }
    let files = scans.iter().map(|scan| (scan.name.as_str(), journal.pages(&scan.name)));
    check_balance(files, sink.store()?, &summary)?;
    // Before the tables: where OUT.csv stands, what it came from stands beside it.
    summary.record(reader, scan_records).write(out)?;
    sink.finish()?;
    Ok(summary)
}

impl Summary {
    /// What is kept of the run that `reader` read.
    fn record<'a>(&self, reader: &Reader, scans: Vec<ScanRecord<'a>>) -> RunRecord<'a> {
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
