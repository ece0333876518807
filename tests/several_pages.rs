//! Documents whose templates are page k of n. Pages are drawn and stored in any order; a document is complete or not.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use formread::{
    pipeline::{Event, ExistingOutput, RunOptions, Summary, journal_path, run},
    sink::{documents_path, fields_path, readings_path, run_path},
};
use formread_core::{
    form::{DocumentPage, FormTemplate},
    reader::Reader,
};
use formread_page::scans::find_scans;
use formread_raster::error::Result;
use image::{GrayImage, Luma};

use crate::documents::{RULE, cover, form, forms, page, reader_of, schedule, tiff};

/// Cover, schedule and annex are the three pages of a tax return. The note is a form of its own.
fn tax_forms() -> Vec<FormTemplate> {
    let mut forms = forms();
    forms.push(form(
        "tax-annex",
        "[8, 20, 60, 20], [60, 130, 112, 130], [60, 8, 60, 70]",
        "",
        [("rooms", 30), ("rent", 100)],
    ));
    for (page, form) in (1..).zip(&mut forms) {
        form.document = Some(DocumentPage { name: "tax-2026".to_owned(), page, of: 3, line: 0 });
    }
    forms.push(form(
        "note",
        "[20, 8, 20, 120], [30, 90, 112, 90], [30, 95, 112, 95]",
        "",
        [("day", 20), ("hour", 130)],
    ));
    forms
}

fn reader() -> Reader {
    reader_of(tax_forms())
}

fn annex() -> GrayImage {
    page(&tax_forms()[2], ["3", "8"])
}

fn note() -> GrayImage {
    page(&tax_forms()[3], ["6", "9"])
}

/// A page of no known form: a disc.
fn foreign() -> GrayImage {
    let is_ink = |x: u32, y: u32| x.abs_diff(350).pow(2) + y.abs_diff(470).pow(2) < 150_u32.pow(2);
    GrayImage::from_fn(709, 945, |x, y| Luma([if is_ink(x, y) { 30 } else { 250 }]))
}

fn blank() -> GrayImage {
    GrayImage::from_pixel(700, 900, Luma([255]))
}

/// Writes documents that are complete, incomplete or have surplus pages. On most of them the rule holds: 10 + 25 = 35.
fn write_scans(folder: &Path) {
    let complete = || tiff(&[annex(), cover("10", "35"), schedule("8", "25")]);
    for (name, bytes) in [
        ("01-any-order.tif", complete()),
        ("02-missing.tif", tiff(&[cover("10", "35"), annex()])),
        ("03-twice-the-same.tif", tiff(&[cover("10", "35"), schedule("8", "25"), annex(), schedule("8", "25")])),
        (
            "04-twice-and-not-the-same.tif",
            tiff(&[schedule("8", "25"), cover("10", "35"), schedule("8", "26"), annex()]),
        ),
        ("05-not-read.tif", tiff(&[cover("10", "35"), foreign(), annex()])),
        ("06-others-between.tif", tiff(&[blank(), annex(), note(), schedule("8", "25"), foreign(), cover("10", "35")])),
        ("07-none.tif", tiff(&[note(), foreign()])),
        ("08-no-picture.tif", b"no picture".to_vec()),
        ("09-the-rest.tif", tiff(&[schedule("8", "25")])),
        ("10-wrong.tif", tiff(&[foreign(), schedule("8", "25"), cover("10", "36"), annex()])),
        ("11-copy.tif", complete()),
    ] {
        fs::write(folder.join(name), bytes).expect("it is writable");
    }
}

/// A temporary folder with scans in `in`, and the tables of a run over them.
struct RunFolder {
    dir: tempfile::TempDir,
}

/// The contents of the four files that a run writes.
type OutputFiles = [String; 5];

impl RunFolder {
    fn new() -> Self {
        let run_folder = Self { dir: tempfile::tempdir().expect("the temporary folder is writable") };
        fs::create_dir(run_folder.scans()).expect("it is writable");
        run_folder
    }

    fn scans(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out.csv")
    }

    fn files(&self) -> [PathBuf; 5] {
        let out = self.out();
        [documents_path(&out), fields_path(&out), readings_path(&out), run_path(&out), out]
    }

    /// Runs with `jobs` workers. Adds the documents that the run reports to `reports`.
    fn run(
        &self,
        reader: &Reader,
        jobs: usize,
        existing: ExistingOutput,
        reports: &mut Vec<String>,
    ) -> Result<Summary> {
        let jobs = NonZeroUsize::new(jobs).expect("it is not zero");
        let options = RunOptions { existing, ..RunOptions::new(self.out(), jobs) };
        run(reader, &find_scans(&self.scans()).expect("the folder exists"), &options, |event| {
            if let Event::Document { scan, document } = event {
                reports.push(format!("{scan}: {}: {document}", document.document));
            }
        })
    }

    fn read_output(&self) -> OutputFiles {
        self.files().map(|path| fs::read_to_string(path).expect("it was written"))
    }

    /// Removes the output files. Returns their contents.
    fn take_output(&self) -> OutputFiles {
        let written = self.read_output();
        self.files().iter().for_each(|path| fs::remove_file(path).expect("it was written"));
        written
    }
}

#[test]
fn documents_of_a_file_name_their_missing_and_surplus_pages() {
    let run_folder = RunFolder::new();
    write_scans(&run_folder.scans());
    let mut reports = Vec::new();
    let summary = run_folder.run(&reader(), 2, ExistingOutput::Refuse, &mut reports).expect("it can run");
    let counts = |words: &[(&str, u64)]| words.iter().map(|(word, n)| ((*word).to_owned(), *n)).collect();
    assert_eq!(summary.documents, counts(&[("complete", 4), ("incomplete", 3), ("surplus", 2)]));
    let [documents, fields, _, record, pages] = run_folder.read_output();
    assert_eq!(
        documents,
        "scan,document,verdict,pages,missing,surplus,unread\n\
         01-any-order.tif,tax-2026,complete,1=2;2=3;3=1,,,\n\
         02-missing.tif,tax-2026,incomplete,1=1;3=2,2,,\n\
         03-twice-the-same.tif,tax-2026,surplus,1=1;2=2;2=4;3=3,,2,\n\
         04-twice-and-not-the-same.tif,tax-2026,surplus,1=2;2=1;2=3;3=4,,2,\n\
         05-not-read.tif,tax-2026,incomplete,1=1;3=3,2,,?=2\n\
         06-others-between.tif,tax-2026,complete,1=6;2=4;3=2,,,\n\
         09-the-rest.tif,tax-2026,incomplete,2=1,1;3,,\n\
         10-wrong.tif,tax-2026,complete,1=3;2=2;3=4,,,\n\
         11-copy.tif,tax-2026,complete,1=2;2=3;3=1,,,\n"
    );
    assert_eq!(
        reports,
        [
            "02-missing.tif: tax-2026: incomplete: of 3 pages missing: 2",
            "03-twice-the-same.tif: tax-2026: surplus: more than once: 2",
            "04-twice-and-not-the-same.tif: tax-2026: surplus: more than once: 2",
            "05-not-read.tif: tax-2026: incomplete: of 3 pages missing: 2; not read: page 2 of the file",
            "09-the-rest.tif: tax-2026: incomplete: of 3 pages missing: 1, 3",
        ]
    );
    let record: serde_json::Value = serde_json::from_str(&record).expect("it is JSON");
    assert_eq!(record["documents"], serde_json::json!({ "complete": 4, "incomplete": 3, "surplus": 2 }));

    // A field needs review where its rule fails, or names a page that is missing or present twice with different values.
    let review: Vec<&str> = pages.lines().filter(|line| line.contains(",review,")).collect();
    assert_eq!(
        review,
        [
            "02-missing.tif,1,tax-return,review,own;sum,,,,,,,,",
            "04-twice-and-not-the-same.tif,1,tax-schedule,review,total,,,,,,,8,",
            "04-twice-and-not-the-same.tif,2,tax-return,review,own;sum,,,,,,,,",
            "04-twice-and-not-the-same.tif,3,tax-schedule,review,total,,,,,,,8,",
            "05-not-read.tif,1,tax-return,review,own;sum,,,,,,,,",
            "09-the-rest.tif,1,tax-schedule,review,total,,,,,,,8,",
            "10-wrong.tif,2,tax-schedule,review,total,,,,,,,8,",
            "10-wrong.tif,3,tax-return,review,own;sum,,,,,,,,",
        ]
    );
    let reasons = |scan: &str| -> Vec<String> {
        let rows = fields.lines().filter(|line| line.starts_with(scan) && line.contains(",review,"));
        rows.map(|line| line.split(',').nth(8).unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(reasons("02"), ["missing-page:tax-schedule"; 2]);
    assert_eq!(reasons("04"), ["surplus-page:tax-schedule"; 4]);
    assert_eq!(reasons("05"), ["missing-page:tax-schedule"; 2]);
    assert_eq!(reasons("09"), ["missing-page:tax-return"]);
    assert_eq!(
        reasons("10"),
        [format!("failed-check:{RULE}"), format!("failed-check:{RULE}"), format!("failed-check:{RULE}")]
    );
}

#[test]
fn output_is_the_same_for_any_number_of_workers_and_any_interruption() {
    let run_folder = RunFolder::new();
    write_scans(&run_folder.scans());
    let (reader, reports) = (reader(), &mut Vec::new());
    run_folder.run(&reader, 1, ExistingOutput::Refuse, reports).expect("it can run");
    let want = run_folder.take_output();
    run_folder.run(&reader, 4, ExistingOutput::Refuse, reports).expect("it can run");
    assert_eq!(run_folder.take_output(), want);

    // A folder gets the name of the table during the run: everything is read, but the table cannot be renamed.
    let (out, two) = (run_folder.out(), NonZeroUsize::new(2).expect("it is not zero"));
    let scans = find_scans(&run_folder.scans()).expect("the folder exists");
    run(&reader, &scans, &RunOptions::new(out.clone(), two), |_| drop(fs::create_dir(&out)))
        .expect_err("the name is that of a folder");
    fs::remove_dir(run_folder.out()).expect("it is empty");
    let journal = fs::read(journal_path(&run_folder.out())).expect("the journal is kept");
    for part in (0..=6).rev() {
        // In the first round the other tables of the interrupted run still exist.
        fs::write(journal_path(&run_folder.out()), &journal[..journal.len() * part / 6]).expect("it is writable");
        run_folder.run(&reader, 2, ExistingOutput::Resume, reports).expect("it can be resumed");
        assert_eq!(run_folder.take_output(), want, "cut at {part}/6");
    }
}

#[test]
fn documents_table_is_removed_by_a_run_without_documents() {
    let run_folder = RunFolder::new();
    fs::write(run_folder.scans().join("a.tif"), tiff(&[cover("10", "35"), schedule("8", "25")]))
        .expect("it is writable");
    run_folder.run(&reader(), 1, ExistingOutput::Refuse, &mut Vec::new()).expect("it can run");
    let [documents, ..] = run_folder.read_output();
    assert!(documents.ends_with("a.tif,tax-2026,incomplete,1=1;2=2,3,,\n"), "{documents}");
    let (plain, reports) = (reader_of(forms()), &mut Vec::new());
    let summary = run_folder.run(&plain, 1, ExistingOutput::Overwrite, reports).expect("it can run");
    assert!(summary.documents.is_empty() && reports.is_empty());
    let [documents, others @ ..] = run_folder.files();
    assert!(!documents.exists() && others.iter().all(|path| path.exists()));
    let record = fs::read_to_string(run_path(&run_folder.out())).expect("it was written");
    assert!(!record.contains("\"documents\""), "{record}");
}

#[test]
fn reader_returns_the_documents_of_a_file() {
    let reader = reader();
    let records = reader.stages().read(&tiff(&[schedule("8", "25"), note(), annex()])).expect("the net does not fail");
    let documents: Vec<String> = reader.stages().documents(&records).iter().map(ToString::to_string).collect();
    assert_eq!(documents, ["incomplete: of 3 pages missing: 1"]);
    assert_eq!(reader.stages().documents(&records)[0].pages[1].read, [1]);
}
