//! Journal -> tables, and the record of the run.

use std::{collections::BTreeMap, io, sync::atomic::Ordering};

use super::{
    Event, ExistingOutput, RunOptions, Summary, documents::Documents, journal::Journal, ledger::check_balance, stopped,
};
use formread_core::reader::Reader;
use formread_page::scans::Scan;
use formread_raster::{
    error::Result,
    fsio::{Change, commit_all},
};
use formread_sinks::{
    CsvSink, CsvTables, DocumentTable, Permissions, ReadingsSink, RunRecord, ScanRecord, Stored, TableFiles,
    field_columns, store,
};

/// Makes the tables from the journal, in two passes, because the columns must be known before the first row. After the ledger
/// was checked, they are sent to the other places for them; then all files get their names, or none.
pub fn write_tables(
    reader: &Reader,
    scans: &[&Scan],
    options: &RunOptions,
    journal: &mut Journal<'_>,
    mut observe: impl FnMut(&Event<'_>),
) -> Result<Summary> {
    let out = &options.out;
    let n_files = scans.len();
    let check_stop = || if options.stop.load(Ordering::Relaxed) { Err(stopped(n_files, n_files)) } else { Ok(()) };
    let mut forms = BTreeMap::new();
    for scan in scans {
        check_stop()?;
        journal.visit(&scan.name, |rows, _| {
            if let Some(template) = reader.templates().iter().find(|template| template.name == rows.form) {
                forms.insert(rows.form, template);
            }
            Ok(())
        })?;
    }
    let mut sink = CsvSink::create(out, field_columns(forms.into_values()))?;
    let mut readings = ReadingsSink::create(out)?;
    let has_documents = reader.templates().iter().any(|template| template.document.is_some());
    let mut documents = Documents::new(reader.templates(), DocumentTable::create(out, has_documents)?);
    let mut summary = Summary { n_files: n_files as u64, ..Summary::default() };
    // For each content, the index of the first scan that has it.
    let mut first_of: Vec<Option<u32>> = vec![None; journal.n_contents()];
    for (place, Scan { name, .. }) in (0..).zip(scans) {
        check_stop()?;
        journal.visit(name, |rows, _| {
            summary.count(&rows);
            readings.write(&rows)?;
            sink.write(&rows)
        })?;
        summary.n_pages += u64::from(journal.pages(name));
        let first = journal.content(name).map(|content| *first_of[content as usize].get_or_insert(place));
        if let Some(first) = first.filter(|&first| first != place) {
            observe(&Event::Copy { scan: name, of: &scans[first as usize].name });
            summary.n_copies += 1;
        }
    }
    let files = scans.iter().map(|scan| (scan.name.as_str(), journal.pages(&scan.name)));
    check_balance(files, sink.read_back()?, &summary, |number, page| documents.take(number, page, &mut observe))?;
    let (mut document_table, counted) = documents.end(&mut observe)?;
    summary.documents = counted;
    let records = scans.iter().map(|Scan { name: scan, .. }| {
        let first = journal.content(scan).and_then(|content| first_of[content as usize]);
        let copy_of = first.map(|first| scans[first as usize].name.as_str()).filter(|first| first != scan);
        ScanRecord { scan, sha256: journal.sha256(scan), pages: journal.pages(scan).into(), copy_of }
    });
    let record = summary.record(reader, records).write(out)?;
    let mut changes = Vec::new();
    if !options.also.is_empty() {
        let (pages, fields) = sink.reopen()?;
        let record = io::read_to_string(record.reopen()?)?;
        let files = TableFiles { pages, fields, documents: document_table.reopen()?, record };
        let mut tables = CsvTables::new(files, reader.templates())?;
        let overwrite = options.existing != ExistingOutput::Refuse;
        let permissions = Permissions { overwrite, overwrite_settled: options.overwrite_settled };
        let Stored { counts, files } = store(&mut tables, &options.also, permissions)?;
        for (to, counts) in counts {
            observe(&Event::Stored { to: &to.to_string(), counts: &counts });
        }
        changes = files;
    }
    // OUT.csv comes last: where it exists, so do the others.
    changes.extend([Change::Write(record), readings.finish()?, document_table.finish()?]);
    changes.extend(sink.finish()?);
    commit_all(changes)?;
    Ok(summary)
}

impl Summary {
    /// The record of a run of `reader`.
    fn record<I>(&self, reader: &Reader, scans: I) -> RunRecord<I> {
        let identity = reader.identity();
        RunRecord {
            identity: identity.sha256(),
            reader: identity,
            files: self.n_files,
            pages: self.n_pages,
            accepted: self.n_accepted,
            review: self.n_review,
            rejected: self.rejected.clone(),
            documents: self.documents.clone(),
            scans,
        }
    }
}
