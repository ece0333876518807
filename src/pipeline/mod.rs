//! The conductor: a folder of scans in, the tables out.
//!
//! ```text
//! walk ─ files in order ─┬─ worker: decode register segment normalise ┐ classify assemble ─┐
//!                        ├─ worker:          ...      pages of a batch ┘                   ├─ in order ─ documents ┐
//!                        └─ worker:                                                       ─┘    tables ─ journal ┘
//! ```
//!
//! What is on the way is bounded: one picture a worker, a batch of glyphs a worker, and a window of finished pages
//! that wait for their turn; where rules tie pages together, also the records of one file. A page that cannot be read
//! is a row and a reason; so is one on which the program itself fails.
//!
//! # What a run can bear
//!
//! It may end at any instant, by its own fault or another's: what it had read of whole files stands in the journal, and a
//! run that resumes it reads the rest and ends with the same bytes. A file is known again by its length and times, or
//! else by its SHA-256; one that has changed is read anew, and so is everything where templates, weights, limits or
//! acceptance levels have. Stored on the disk (fsync) are the journal, every two seconds and before the tables are made,
//! and each table before it takes its name; after that, the folder that the name stands in.
//!
//! Of files with one content the first is read, and the others have its rows under their own names.
//!
//! What grows with the number of files, and never with pages: the list of scans, the index of the journal and the record
//! of the run, together some 0.6 kB a file.

mod batch;
mod catch_panic;
mod completeness;
mod documents;
mod items;
mod journal;
mod ledger;
mod ordered;
mod outcome;
mod output_lock;
mod rejects;
mod stages;
mod tables;
mod throughput;

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    num::NonZeroUsize,
    path::{self, Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use crate::sink::{documents_path, fields_path, run_path};
use formread_core::{
    assemble::{DocumentRecord, PageReading},
    reader::Reader,
    rows::{PageRows, Verdict},
};
use formread_page::{
    decoder_process::{DecoderCommand, DecoderPool},
    scans::Scan,
};
use formread_raster::error::{Error, ErrorKind, Result};

use batch::{BATCH_PAGES, Batch};
use documents::Documents;
use items::{Items, stamp_of};
use journal::{Journal, RunIdentity};
use ordered::{WorkQueue, in_order};
use outcome::Outcome;
use output_lock::OutputLock;
use tables::write_tables;

pub use stages::StageTime;
pub use throughput::{Throughput, measure_throughput};

/// Pages on the way, a worker: its batch, and as many that wait for a slower neighbour.
const WINDOW_PAGES_A_JOB: NonZeroUsize = NonZeroUsize::new(4 * BATCH_PAGES).expect("a batch has pages");

/// What a run is told besides its scans.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// `OUT.csv`; the evidence is written beside it.
    pub out: PathBuf,
    /// What becomes of what stands there.
    pub existing: ExistingOutput,
    /// Number of workers.
    pub jobs: NonZeroUsize,
    /// Folder for a picture of each page with what was found on it, by its own rules alone; `None`: no pictures. Copies
    /// have none.
    pub overlay: Option<PathBuf>,
    /// Folder for the scans of which some page could not be read, and why; `None`: they are not collected.
    pub rejects: Option<PathBuf>,
    /// Folder that all scans stand in, where there is one. Should it be gone, the run ends with a fault, and what it held
    /// is not taken for pages that cannot be read.
    pub input: Option<PathBuf>,
    /// A file that was changed less than this ago, or while it was read, is left out: it may still be written to. Zero:
    /// every file is read as it stands.
    pub settle: Duration,
    /// Set to `true`, by whomever and whenever, it ends the run with [`ErrorKind::Stopped`] as soon as the pages in hand
    /// are finished.
    pub stop: Arc<AtomicBool>,
    /// Starts a process that decodes; each worker has one. `None`: pages are decoded in this process, where nothing holds
    /// a decoder to [`formread_page::Limits::page_seconds`], and one that crashes takes the run with it.
    pub decoder: Option<DecoderCommand>,
}

impl RunOptions {
    /// Into a table that does not stand yet, with as many workers.
    pub fn new(out: PathBuf, jobs: NonZeroUsize) -> Self {
        Self {
            out,
            existing: ExistingOutput::Refuse,
            jobs,
            overlay: None,
            rejects: None,
            input: None,
            settle: Duration::ZERO,
            stop: Arc::default(),
            decoder: None,
        }
    }
}

/// What becomes of tables, or of a cut-off run's journal, that stand where the new ones go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingOutput {
    /// They are left as they are, and the run does not begin.
    Refuse,
    /// A cut-off run is gone on with. Finished tables are left as they are.
    Resume,
    /// They are replaced.
    Overwrite,
}

/// Something a person may want to see.
#[derive(Debug)]
pub enum Event<'a> {
    /// A page is a row without numbers.
    Rejected {
        /// The file, as the table names it.
        scan: &'a str,
        /// 1-based page.
        page: u32,
        /// The word in the table.
        reason: &'a str,
        /// What was met.
        detail: &'a str,
    },
    /// A file may still be written to, and is left out.
    Deferred {
        /// The file, as the tables would name it.
        scan: &'a str,
    },
    /// A file has the content of another one, and so its rows.
    Copy {
        /// The file, as the tables name it.
        scan: &'a str,
        /// The first file with this content.
        of: &'a str,
    },
    /// A document of several pages is not complete, or has pages more than once.
    Document {
        /// The file, as the tables name it.
        scan: &'a str,
        /// Which pages are there.
        document: &'a DocumentRecord,
    },
    /// A page was read or rejected.
    PageDone,
    /// A file is finished.
    FileDone,
}

/// What became of every page of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files in the tables.
    pub n_files: u64,
    /// Files among them that have the content of one before them.
    pub n_copies: u64,
    /// Files that are in no table, since they may still be written to.
    pub n_deferred: u64,
    /// Pages that the files were found to have. Each stands in the table once: accepted, for review, or rejected.
    pub n_pages: u64,
    /// Pages of which every field was accepted or is blank.
    pub n_accepted: u64,
    /// Pages of which some field needs a person.
    pub n_review: u64,
    /// Pages that could not be read, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Documents of several pages, by verdict: `complete`, `surplus` or `incomplete`.
    pub documents: BTreeMap<String, u64>,
    /// Digits in the readings, accepted or not.
    pub n_digits: u64,
    /// Pages that this run read itself; the others are copies, or were read by the run it resumes.
    pub n_pages_read: u64,
}

impl Summary {
    /// Pages that could not be read.
    pub fn n_rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    fn count(&mut self, rows: &PageRows) {
        self.n_digits += rows.n_digits();
        match rows.verdict {
            Verdict::Accepted => self.n_accepted += 1,
            Verdict::Review => self.n_review += 1,
            Verdict::Rejected => *self.rejected.entry(rows.attention.clone()).or_default() += 1,
        }
    }
}

/// Reads `scans` and writes the tables; `observe` is told of everything that happens, on the calling thread.
///
/// # Errors
/// `Usage` where two scans have one name, another run is writing to the same table, or something stands in the way that
/// [`RunOptions::existing`] does not allow to be touched; `Stopped` where the run was told to; `Internal` where the ledger
/// does not balance; otherwise where something cannot be written. What was read until then is kept in the journal, and no
/// table was touched.
pub fn run(reader: &Reader, scans: &[Scan], options: &RunOptions, observe: impl FnMut(&Event<'_>)) -> Result<Summary> {
    let _lock = OutputLock::acquire(&options.out)?;
    let journal_path = journal_path(&options.out);
    refuse_what_stands_there(options, &journal_path)?;
    for folder in [&options.overlay, &options.rejects].into_iter().flatten() {
        make_folder(folder, options.input.as_deref()).map_err(|error| error.in_file(folder.to_string_lossy()))?;
    }
    let identity = RunIdentity {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        templates: reader.templates_fingerprint(),
        weights: reader.weights_fingerprint().to_owned(),
    };
    let mut journal = Journal::open(&journal_path, &identity, scans, options.existing == ExistingOutput::Resume)?;
    let summary = read_and_write(reader, scans, options, &mut journal, observe).map_err(|error| {
        let kept = format!("what was read is kept in {}: go on with --resume", journal_path.display());
        error.with_hint(kept)
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
    let open: Vec<&Scan> = scans.iter().filter(|scan| !journal.holds(&scan.name, stamp_of(&scan.path))).collect();
    (open.len()..scans.len()).for_each(|_| observe(&Event::FileDone));
    let totals = read_scans(reader, &open, options, journal, &mut observe)?;
    journal.store()?;
    let n_open = open.len() - totals.n_files;
    if n_open > 0 {
        return Err(stopped((scans.len() - n_open) as u64, scans.len() as u64));
    }
    let scans: Vec<&Scan> = scans.iter().filter(|scan| !totals.deferred.contains(&scan.name)).collect();
    // Before the tables: where these stand, the run has come to its end.
    if let Some(folder) = &options.rejects {
        rejects::collect(folder, &scans, journal)?;
    }
    let summary = write_tables(reader, &scans, options, journal, &mut observe)?;
    Ok(Summary { n_deferred: totals.deferred.len() as u64, n_pages_read: totals.n_pages, ..summary })
}

fn stopped(done: u64, of: u64) -> Error {
    ErrorKind::Stopped { done, of }.into()
}

/// Makes a folder that is to be written to; not among the scans, where the next run would take for scans what it finds.
fn make_folder(folder: &Path, input: Option<&Path>) -> Result<()> {
    let input = input.and_then(|input| input.canonicalize().ok());
    let folder = path::absolute(folder)?;
    let there = folder.ancestors().find_map(|folder| folder.canonicalize().ok());
    if let (Some(input), Some(there)) = (input, there)
        && there.starts_with(input)
    {
        return Err(Error::usage("this folder lies among the scans").with_hint("choose one outside of them"));
    }
    Ok(fs::create_dir_all(folder)?)
}

/// Where a run keeps what it has read: `out.csv.partial` beside `out.csv`.
pub fn journal_path(out: &Path) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push(".partial");
    PathBuf::from(path)
}

fn refuse_what_stands_there(options: &RunOptions, journal_path: &Path) -> Result<()> {
    let is_begun = journal_path.exists();
    let refuse =
        |path: &Path, hint: &str| Err(Error::usage(format!("already exists: {}\nhint: {hint}", path.display())));
    match options.existing {
        ExistingOutput::Overwrite => return Ok(()),
        ExistingOutput::Resume if is_begun => return Ok(()),
        ExistingOutput::Refuse if is_begun => {
            return refuse(journal_path, "go on with that run with --resume, or begin anew with --overwrite");
        }
        ExistingOutput::Resume | ExistingOutput::Refuse => {}
    }
    let out = &options.out;
    let tables = [out.clone(), fields_path(out), documents_path(out), run_path(out)];
    match tables.iter().find(|path| path.exists()) {
        Some(path) if options.existing == ExistingOutput::Resume => {
            refuse(path, "that run came to its end; read all again with --overwrite, or choose another name")
        }
        Some(path) => refuse(path, "replace it with --overwrite, or choose another name"),
        None => Ok(()),
    }
}

/// What a run read itself.
#[derive(Debug, Default)]
struct SessionTotals {
    n_pages: u64,
    /// Files it is done with.
    n_files: usize,
    /// Files among them that may still be written to.
    deferred: HashSet<String>,
}

/// Reads every page of `scans` into the journal, or as many as are read when it is told to stop.
fn read_scans(
    reader: &Reader,
    scans: &[&Scan],
    options: &RunOptions,
    journal: &mut Journal<'_>,
    observe: &mut impl FnMut(&Event<'_>),
) -> Result<SessionTotals> {
    let mut totals = SessionTotals::default();
    let decoders = DecoderPool::new(reader.limits(), options.decoder.as_ref());
    let items = Items::open(&decoders, scans)?.of_run(options, journal.contents());
    read_in_order(reader, items, options.jobs, options.overlay.as_deref(), &decoders, |outcome| {
        match outcome {
            Outcome::Page { scan, record } => {
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
                return journal.add(rows, detail);
            }
            Outcome::FileEnd { file, pages } => journal.finish_file(file, pages)?,
            Outcome::Copy(file) => journal.copy_file(file)?,
            Outcome::Deferred { scan } => {
                observe(&Event::Deferred { scan: &scan });
                totals.deferred.insert(scan);
            }
        }
        totals.n_files += 1;
        observe(&Event::FileDone);
        Ok(())
    })?;
    Ok(totals)
}

/// Reads every page of `items` on `jobs` workers, which decode with `decoders`; `deliver` gets what became of them in their
/// order.
fn read_in_order<'a>(
    reader: &'a Reader,
    items: Items<'a>,
    jobs: NonZeroUsize,
    overlay: Option<&Path>,
    decoders: &'a DecoderPool<'a>,
    mut deliver: impl FnMut(Outcome<'a>) -> Result<()>,
) -> Result<()> {
    let work = |queue: &WorkQueue<Items<'a>>, hand_in: &dyn Fn(u64, Result<Outcome<'a>>)| {
        while let Some((sequence, item)) = queue.take() {
            let mut batch = Batch::new(reader, overlay, decoders, hand_in);
            batch.add(sequence, item);
            while !batch.is_full() {
                let Some((sequence, item)) = queue.try_take() else { break };
                batch.add(sequence, item);
            }
            batch.finish();
        }
    };
    // while the first process that decodes is started; what fails now fails again, and then a page says so
    let _ = reader.warm_up();
    let mut documents = Documents::new(reader);
    in_order(items, jobs, window(jobs), work, |outcome| documents.take(outcome?, &mut deliver))
}

fn window(jobs: NonZeroUsize) -> NonZeroUsize {
    jobs.saturating_mul(WINDOW_PAGES_A_JOB)
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
        scores::{GlyphScores, Recogniser},
    };
    use formread_raster::hash::sha256;

    /// Says of every glyph a digit that follows from its ink; panics or fails on a batch with a glyph of `bad` digits.
    struct FakeClassifier {
        panics_at: Option<usize>,
    }

    impl Recogniser for FakeClassifier {
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
        let strip = known_templates().expect("they parse").into_iter().filter(|t| t.name == "strip").collect();
        let make = move || -> Result<Box<dyn Recogniser>> { Ok(Box::new(FakeClassifier { panics_at })) };
        Reader::new(strip, "fake".to_owned(), Box::new(make)).expect("the fake is easily made")
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
    fn the_same_bytes_with_any_number_of_workers_and_every_page_accounted_for() {
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
    fn a_page_on_which_the_program_fails_is_a_row_and_a_reason() {
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
    fn wherever_a_run_is_cut_off_it_ends_with_the_same_bytes() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let scans = write_scans(dir.path());
        let reader = reader(None);
        let whole = dir.path().join("whole.csv");
        run(&reader, &scans, &options(&whole, 2, ExistingOutput::Refuse), |_| {}).expect("it can run");
        let want = tables(&whole);

        // A folder in the table's place: everything is read, but the table cannot take its name.
        let out = dir.path().join("out.csv");
        fs::create_dir(&out).expect("it is writable");
        run(&reader, &scans, &options(&out, 2, ExistingOutput::Overwrite), |_| {}).expect_err("a folder is in the way");
        fs::remove_dir(&out).expect("it is empty");
        fs::remove_file(fields_path(&out)).expect("it took its name first");
        fs::remove_file(run_path(&out)).expect("it took its name before that");
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
    fn what_stands_there_is_not_touched_unless_asked() {
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
            let error = run(&reader, &scans, &options(&out, 1, existing), |_| {}).expect_err("it stands already");
            assert!(error.to_string().contains("hint: "), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), "precious");
            fs::remove_file(&path).expect("it is there");
            assert!(fs::read_dir(dir.path()).expect("it is there").count() == 32, "nothing else was written");
        }
    }
}
