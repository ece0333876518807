//! Reads a folder of scans into tables.
//!
//! ```text
//! walk ─ files in order ─┬─ worker: read decode register segment normalise ┐ recognise assemble ─┐
//!                        ├─ worker:               ...      pages of a batch ┘                    ├─ in order ─ documents ┐
//!                        └─ worker:                                                             ─┘    tables ─ journal ┘
//! ```
//!
//! Memory is bounded: one picture per worker, one open file per worker, one batch of glyphs per worker, and a window of
//! finished pages that wait for an earlier one; where rules tie pages together, also the records of one file. A page that
//! cannot be read is a row with a reason, and so is a page on which the program itself fails.
//!
//! # Interruptions
//!
//! A run may end at any instant. The whole files that it has read are in the journal; a run that resumes it reads the rest and
//! writes the same bytes. A file is recognised by its length and times, or else by its SHA-256. A changed file is read
//! again, and so is every file if the [identity](formread_core::reader::ReaderIdentity) of the reader has changed: program,
//! weights, templates or options. The journal is synced to disk every two seconds and before the tables are made; each
//! table is synced before it gets its name, and its folder after that.
//!
//! Of files with the same content the first is read; the others get its rows under their own names.
//!
//! Memory grows with the number of files, by some 0.6 kB each (the list of scans, the index of the journal, the record of
//! the run), and not with the number of pages.

mod across_pages;
mod batch;
mod catch_panic;
mod documents;
mod file_time;
mod files;
mod journal;
mod ledger;
mod options;
mod ordered;
mod outcome;
mod output_lock;
mod outputs;
mod pictures;
mod rejects;
mod stages;
mod stamp;
mod summary;
mod tables;
mod throughput;

use std::{
    collections::HashSet,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use formread_core::{
    assemble::PageReading,
    reader::Reader,
    rows::{PageRows, Verdict},
};
use formread_page::{decoder_process::DecoderPool, scans::Scan};
use formread_raster::{
    error::{Error, ErrorKind, Result},
    fsio::remove_leftovers,
};
use formread_sinks::{Destination, documents_path, fields_path, readings_path, run_path};

use across_pages::AcrossPages;
use batch::{Batch, MAX_BATCH_PAGES};
use catch_panic::catch_panic;
use files::Files;
use journal::{Journal, JournalFault};
use ordered::{Ticket, WorkQueue, in_order};
use outcome::Outcome;
use pictures::Pictures;
use stamp::Stamp;
use tables::write_tables;

pub use catch_panic::report_panics_by_scan;
pub use options::{DEFAULT_OVERLAY_BYTES, ExistingOutput, RunOptions};
pub use output_lock::OutputLock;
pub use stages::StageTime;
pub use summary::{Event, Summary};
pub use throughput::{Throughput, measure_throughput};

/// Finished pages per worker that may wait for an earlier one: about what a worker reads while a decoder runs into its
/// time limit. A page takes some 20 kB.
const WINDOW_PAGES_PER_JOB: NonZeroUsize = NonZeroUsize::new(32 * MAX_BATCH_PAGES).expect("a batch has pages");

/// Reads `scans` and writes the tables. `observe` is called with every event, on the calling thread.
///
/// # Errors
/// `Usage` where two scans have the same name, an output is no file or is one of the inputs, another run is writing to the same
/// table, or output exists that [`RunOptions::existing`] does not allow to be changed; `Stopped` where [`RunOptions::stop`] was set; `Internal` where the
/// ledger does not balance; `Io` where something cannot be written. What was read until then is in the journal, and no
/// table was changed.
pub fn run(
    reader: &Reader,
    scans: &[Scan],
    options: &RunOptions,
    mut observe: impl FnMut(&Event<'_>),
) -> Result<Summary> {
    outputs::check(options, scans)?;
    options.also.iter().try_for_each(|also| also.check(reader.templates()))?;
    let one_run: Vec<PathBuf> =
        options.also.iter().filter(|also| also.holds_one_run()).flat_map(Destination::files).collect();
    let locked = [options.out.clone()].into_iter().chain(one_run.iter().cloned());
    let _locks = locked.map(|path| OutputLock::acquire(&path)).collect::<Result<Vec<_>>>()?;
    let journal_path = journal_path(&options.out);
    check_existing_output(options, &one_run, &journal_path)?;
    for table in tables_of(&options.out).iter().chain(&one_run) {
        remove_leftovers(table)?;
    }
    for folder in [&options.overlay, &options.rejects].into_iter().flatten() {
        fs::create_dir_all(folder).map_err(|error| Error::from(error).in_file(folder.to_string_lossy()))?;
    }
    let mut journal =
        Journal::open(&journal_path, reader.identity().sha256(), scans, options.existing == ExistingOutput::Resume)?;
    if let Some(JournalFault { line, why }) = journal.fault() {
        observe(&Event::JournalFault { line: *line, why });
    }
    let summary = read_and_write(reader, scans, options, &mut journal, observe).map_err(|error| {
        let kept = format!("what was read is kept in {}: resume the run with --resume", journal_path.display());
        let hint = error.hint().map_or_else(|| kept.clone(), |hint| format!("{hint}; {kept}"));
        error.with_hint(hint)
    })?;
    journal.remove()?;
    Ok(summary)
}

fn read_and_write(
    reader: &Reader,
    scans: &[Scan],
    options: &RunOptions,
    journal: &mut Journal<'_>,
    mut observe: impl FnMut(&Event<'_>),
) -> Result<Summary> {
    let unread: Vec<&Scan> = scans.iter().filter(|scan| !journal.has_file(&scan.name, Stamp::of(&scan.path))).collect();
    (unread.len()..scans.len()).for_each(|_| observe(&Event::FileDone));
    let totals = read_scans(reader, &unread, options, journal, &mut observe)?;
    journal.sync()?;
    let n_unread = unread.len() - totals.n_files;
    if n_unread > 0 {
        return Err(stopped(scans.len() - n_unread, scans.len()));
    }
    let scans: Vec<&Scan> = scans.iter().filter(|scan| !totals.deferred.contains(&scan.name)).collect();
    // Before the tables: a run is finished when these exist.
    if let Some(folder) = &options.rejects {
        rejects::collect(folder, &scans, options.input.as_deref(), journal)?;
    }
    let summary = write_tables(reader, &scans, options, journal, &mut observe)?;
    Ok(Summary { n_deferred: totals.deferred.len() as u64, n_pages_read: totals.n_pages, ..summary })
}

fn stopped(n_done: usize, n_files: usize) -> Error {
    ErrorKind::Stopped { done: n_done as u64, of: n_files as u64 }.into()
}

/// Where a run keeps what it has read: `out.csv.partial` beside `out.csv`.
pub fn journal_path(out: &Path) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push(".partial");
    PathBuf::from(path)
}

/// The tables at and beside `out`, and the record of the run.
fn tables_of(out: &Path) -> [PathBuf; 5] {
    [out.to_owned(), fields_path(out), documents_path(out), readings_path(out), run_path(out)]
}

/// Checks that nothing is replaced unless [`RunOptions::existing`] allows it.
fn check_existing_output(options: &RunOptions, one_run: &[PathBuf], journal_path: &Path) -> Result<()> {
    let has_journal = journal_path.exists();
    let refuse =
        |path: &Path, hint: &str| Err(Error::usage(format!("already exists: {}", path.display())).with_hint(hint));
    match options.existing {
        ExistingOutput::Overwrite => return Ok(()),
        ExistingOutput::Resume if has_journal => return Ok(()),
        ExistingOutput::Refuse if has_journal => {
            return refuse(journal_path, "resume that run with --resume, or start again with --overwrite");
        }
        ExistingOutput::Resume | ExistingOutput::Refuse => {}
    }
    let tables = tables_of(&options.out);
    // the same scans give the same readings again: alone they hold nothing that would be lost
    let kept = tables.iter().filter(|path| **path != readings_path(&options.out));
    match kept.chain(one_run).find(|path| path.exists()) {
        Some(path) if options.existing == ExistingOutput::Resume => {
            refuse(path, "that run is finished; read all files again with --overwrite, or choose another name")
        }
        Some(path) => refuse(path, "replace it with --overwrite, or choose another name"),
        None => Ok(()),
    }
}

/// What this run has read, without what it found in the journal.
#[derive(Debug, Default)]
struct SessionTotals {
    n_pages: u64,
    /// Files that need no more work.
    n_files: usize,
    /// Names of the files among them that may still be written to.
    deferred: HashSet<String>,
}

/// Reads every page of `scans` into the journal, or until the run is stopped.
fn read_scans(
    reader: &Reader,
    scans: &[&Scan],
    options: &RunOptions,
    journal: &mut Journal<'_>,
    observe: &mut impl FnMut(&Event<'_>),
) -> Result<SessionTotals> {
    let mut totals = SessionTotals::default();
    let decoders = DecoderPool::new(reader.limits(), options.decoder.as_ref());
    let files = Files::new(&decoders, scans)?.of_run(options, journal.contents());
    let pictures = options.overlay.as_deref().map(|folder| Pictures::new(folder, options.overlay_bytes));
    read_in_order(reader, &files, options.jobs, pictures.as_ref(), &decoders, |outcome| {
        match outcome {
            Outcome::Page { sha256: Some(sha256), .. } if journal.has_content(sha256) => return Ok(()),
            Outcome::Page { scan, record, .. } => {
                let rows = PageRows::new(&scan.name, &record);
                let detail = match record.reading {
                    PageReading::Rejected { detail, .. } => detail,
                    PageReading::Read { .. } => String::new(),
                };
                if rows.verdict == Verdict::Rejected {
                    let PageRows { scan, page, attention: reason, .. } = &rows;
                    observe(&Event::Rejected { scan, page: *page, reason, detail: &detail });
                }
                observe(&Event::PageDone);
                totals.n_pages += 1;
                return journal.add_page(rows, detail);
            }
            Outcome::FileEnd { file, pages } => journal.finish_file(file, pages)?,
            Outcome::Deferred { scan } => {
                observe(&Event::Deferred { scan: &scan });
                totals.deferred.insert(scan);
            }
        }
        totals.n_files += 1;
        observe(&Event::FileDone);
        Ok(())
    })?;
    match pictures.map_or(0, |pictures| pictures.n_left_out()) {
        0 => {}
        n => observe(&Event::PicturesLeftOut { n, max_bytes: options.overlay_bytes }),
    }
    Ok(totals)
}

/// Reads every page of `files` on `jobs` workers, which decode with `decoders`; `deliver` gets the outcomes in the order of
/// the files.
fn read_in_order<'a>(
    reader: &'a Reader,
    files: &Files<'a>,
    jobs: NonZeroUsize,
    pictures: Option<&Pictures>,
    decoders: &'a DecoderPool<'a>,
    mut deliver: impl FnMut(Outcome<'a>) -> Result<()>,
) -> Result<()> {
    let work = |queue: &WorkQueue<'_, Files<'a>>, hand_in: &dyn Fn(Ticket, Result<Outcome<'a>>)| {
        while let Some((ticket, item)) = queue.take() {
            let mut batch = Batch::new(reader, pictures, decoders, hand_in);
            batch.add(ticket, item);
            while !batch.is_full() {
                let Some((ticket, item)) = queue.try_take() else { break };
                batch.add(ticket, item);
            }
            batch.finish();
        }
    };
    let mut across_pages = AcrossPages::new(reader);
    thread::scope(|scope| {
        // While the first pages are decoded and registered. If it fails, it fails again on a page, and then the page has the
        // reason. If there is no room for a thread, the first page does it.
        let _ = thread::Builder::new().spawn_scoped(scope, || catch_panic(|| reader.warm_up()));
        in_order(files, jobs, window(jobs), work, |outcome| across_pages.take(outcome?, &mut deliver))
    })
}

fn window(jobs: NonZeroUsize) -> NonZeroUsize {
    jobs.saturating_mul(WINDOW_PAGES_PER_JOB)
}

#[cfg(test)]
mod tests {
    use formread_page::scans::find_scans;
    use std::collections::HashMap;

    use image::{GrayImage, ImageFormat, Luma};

    use super::*;
    use formread_core::{
        form::known_templates,
        normalise::GlyphBatch,
        recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
        scores::GlyphScores,
    };
    use formread_raster::hash::sha256;

    /// Says of every glyph a digit that follows from its ink; panics or fails on a batch with a glyph of `bad` digits.
    struct FakeClassifier {
        panics_at: Option<usize>,
    }

    impl GlyphClassifier for FakeClassifier {
        fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
            let glyphs = batch.pixels.chunks(batch.pixels.len() / batch.n_glyphs);
            let score = |glyph: &[f32]| {
                let digit = glyph.iter().sum::<f32>() as usize % 10;
                assert_ne!(Some(digit), self.panics_at, "the fake falls over");
                let mut digits = [0.01; 10];
                digits[digit] = 0.91;
                GlyphScores::of_digit(digits)
            };
            Ok(glyphs.map(score).collect())
        }
    }

    fn reader(panics_at: Option<usize>) -> Reader {
        let strip = known_templates().expect("they parse").into_iter().filter(|t| t.name == "strip");
        let make = move || Ok(GlyphsOnly(FakeClassifier { panics_at }));
        Reader::builder()
            .templates(strip)
            .backend(FnBackend::new("fake", make))
            .build()
            .expect("the fake is easily made")
    }

    /// Thirty strips, each with its own ink, and among them files that cannot be read.
    fn write_scans(folder: &Path) -> Vec<Scan> {
        for i in 0..30u32 {
            let is_ink = |x: u32, y: u32| (10 + i / 9..50).contains(&y) && (30..34 + i % 9).contains(&x);
            let strip = GrayImage::from_fn(100, 60, |x, y| Luma([if is_ink(x, y) { 10 } else { 245 }]));
            strip.save_with_format(folder.join(format!("{i:02}.png")), ImageFormat::Png).expect("it is writable");
        }
        fs::write(folder.join("05a.png"), b"no picture").expect("it is writable");
        fs::write(folder.join("17a.tif"), b"").expect("it is writable");
        let mut scans = find_scans(folder).expect("it is there");
        scans.push(Scan { name: "gone.png".to_owned(), path: folder.join("gone.png") });
        scans
    }

    fn options(out: &Path, jobs: usize, existing: ExistingOutput) -> RunOptions {
        let jobs = NonZeroUsize::new(jobs).expect("the tests ask for some");
        RunOptions { existing, ..RunOptions::new(out.to_owned(), jobs) }
    }

    fn tables(out: &Path) -> (String, String, String) {
        let read = |path: &Path| fs::read_to_string(path).expect("it was written");
        (read(out), read(&fields_path(out)), read(&run_path(out)))
    }

    #[test]
    fn output_is_the_same_for_any_number_of_workers() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let scans = write_scans(dir.path());
        let mut all = Vec::new();
        for jobs in [1, 4] {
            let out = dir.path().join(format!("{jobs}.csv"));
            let mut events = 0;
            let options = options(&out, jobs, ExistingOutput::Refuse);
            let summary = run(&reader(None), &scans, &options, |_| events += 1).expect("it can run");
            assert_eq!((summary.n_files, summary.n_pages, summary.n_rejected()), (33, 33, 3));
            assert_eq!(summary.n_accepted + summary.n_review + summary.n_rejected(), summary.n_pages);
            assert_eq!(events, 33 + 33 + 3, "a page, a file, and the three that were rejected");
            all.push(tables(&out));
        }
        assert_eq!(all[0], all[1]);
        let scans_in_table: Vec<&str> = all[0].0.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert_eq!(scans_in_table, scans.iter().map(|scan| scan.name.as_str()).collect::<Vec<_>>());
        assert!(all[0].0.contains("05a.png,1,,rejected,unreadable,\n"), "{}", all[0].0);

        let record: serde_json::Value = serde_json::from_str(&all[0].2).expect("it is JSON");
        assert_eq!((&record["pages"], &record["rejected"]["unreadable"]), (&33.into(), &3.into()), "{record}");
        assert_eq!(record["templates"][0]["name"], "strip");
        assert_eq!(record["options"]["accept"]["otherwise"]["min_confidence"], 0.97);
        assert_eq!(record["scans"][6]["scan"], "05a.png");
        assert_eq!(
            record["scans"][6]["sha256"],
            sha256(b"no picture").to_string(),
            "a file that is no picture has its name too"
        );
        assert_eq!(record["scans"][32]["sha256"], "", "what is not there has none");
    }

    #[test]
    fn page_with_a_panic_is_a_row_with_a_reason() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let scans = write_scans(dir.path());
        let whole = dir.path().join("whole.csv");
        run(&reader(None), &scans, &options(&whole, 2, ExistingOutput::Refuse), |_| {}).expect("it can run");
        let guess_of = |fields: &str| -> HashMap<String, String> {
            let rows = fields.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
            rows.map(|row| (row[0].clone(), row[6].clone())).collect()
        };
        let want = guess_of(&tables(&whole).1);
        let bad: usize = want["00.png"].parse().expect("the fake says one digit");

        let out = dir.path().join("out.csv");
        let summary =
            run(&reader(Some(bad)), &scans, &options(&out, 2, ExistingOutput::Refuse), |_| {}).expect("it can run");
        let n_bad = want.values().filter(|guess| **guess == bad.to_string()).count() as u64;
        assert!(n_bad >= 1);
        assert_eq!(summary.rejected.get("internal-error"), Some(&n_bad));
        let got = guess_of(&tables(&out).1);
        assert!(want.iter().all(|(scan, guess)| *guess == bad.to_string() || got.get(scan) == Some(guess)));
    }

    #[test]
    fn interrupted_run_is_resumed_to_the_same_bytes() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let scans = write_scans(dir.path());
        let reader = reader(None);
        let whole = dir.path().join("whole.csv");
        run(&reader, &scans, &options(&whole, 2, ExistingOutput::Refuse), |_| {}).expect("it can run");
        let want = tables(&whole);

        // A folder gets the table's name during the run: everything is read, but the table cannot take its name.
        let out = dir.path().join("out.csv");
        run(&reader, &scans, &options(&out, 2, ExistingOutput::Overwrite), |_| drop(fs::create_dir(&out)))
            .expect_err("a folder is in the way");
        fs::remove_dir(&out).expect("it is empty");
        assert!(!fields_path(&out).exists() && !run_path(&out).exists(), "all tables take their names, or none");
        let journal = fs::read(journal_path(&out)).expect("what was read is kept");
        for cut in (0..=journal.len()).step_by(journal.len() / 17) {
            fs::write(journal_path(&out), &journal[..cut]).expect("it is writable");
            let summary =
                run(&reader, &scans, &options(&out, 2, ExistingOutput::Resume), |_| {}).expect("it can go on");
            assert_eq!(tables(&out), want, "cut at {cut}");
            assert!(cut < journal.len() || summary.n_pages_read == 1, "only the file that is not there is looked for");
            assert!(!journal_path(&out).exists());
            fs::remove_file(&out).and_then(|()| fs::remove_file(fields_path(&out))).expect("they were written");
        }
    }

    #[test]
    fn existing_output_is_not_changed_without_permission() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let scans = write_scans(dir.path());
        let (reader, out) = (reader(None), dir.path().join("out.csv"));
        for (path, existing) in [
            (out.clone(), ExistingOutput::Refuse),
            (out.clone(), ExistingOutput::Resume),
            (fields_path(&out), ExistingOutput::Refuse),
            (documents_path(&out), ExistingOutput::Refuse),
            (run_path(&out), ExistingOutput::Refuse),
            (journal_path(&out), ExistingOutput::Refuse),
        ] {
            fs::write(&path, "precious").expect("it is writable");
            let error = run(&reader, &scans, &options(&out, 1, existing), |_| {}).expect_err("it exists");
            assert!(error.to_string().contains("hint: "), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), "precious");
            fs::remove_file(&path).expect("it is there");
            assert!(fs::read_dir(dir.path()).expect("it is there").count() == 32, "nothing else was written");
        }
    }
}
