//! Documents of several pages: templates that are page k of n, drawn, put together in any order, and held to be complete.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use formread::{
    pipeline::{Event, ExistingOutput, RunOptions, Summary, journal_path, run},
    sink::{documents_path, fields_path, run_path},
};
use formread_core::{
    form::{DocumentPage, FormTemplate},
    reader::Reader,
};
use formread_page::scans::find_scans;
use formread_raster::error::Result;
use image::{GrayImage, Luma};

use crate::documents::{RULE, cover, form, forms, page, reader_of, schedule, tiff};

/// Cover, schedule and annex, the three pages of a tax return; and a note, which is a form by itself.
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

/// Of no form: a disc.
fn foreign() -> GrayImage {
    let is_ink = |x: u32, y: u32| x.abs_diff(350).pow(2) + y.abs_diff(470).pow(2) < 150_u32.pow(2);
    GrayImage::from_fn(709, 945, |x, y| Luma([if is_ink(x, y) { 30 } else { 250 }]))
}

fn blank() -> GrayImage {
    GrayImage::from_pixel(700, 900, Luma([255]))
}

/// 10 + 25 = 35.
fn write_scans(folder: &Path) {
    let whole = || tiff(&[annex(), cover("10", "35"), schedule("8", "25")]);
    for (name, bytes) in [
        ("01-any-order.tif", whole()),
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
        ("11-copy.tif", whole()),
    ] {
        fs::write(folder.join(name), bytes).expect("it is writable");
    }
}

/// A folder of scans, and tables to be written beside it.
struct Desk {
    dir: tempfile::TempDir,
}

/// The four files of a run.
type Written = [String; 4];

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("the temporary folder is writable") };
        fs::create_dir(desk.scans()).expect("it is writable");
        desk
    }

    fn scans(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out.csv")
    }

    fn files(&self) -> [PathBuf; 4] {
        let out = self.out();
        [documents_path(&out), fields_path(&out), run_path(&out), out]
    }

    fn run(&self, reader: &Reader, jobs: usize, existing: ExistingOutput, said: &mut Vec<String>) -> Result<Summary> {
        let jobs = NonZeroUsize::new(jobs).expect("the tests ask for some");
        let options = RunOptions { existing, ..RunOptions::new(self.out(), jobs) };
        run(reader, &find_scans(&self.scans()).expect("it is there"), &options, |event| {
            if let Event::Document { scan, document } = event {
                said.push(format!("{scan}: {}: {document}", document.document));
            }
        })
    }

    fn read(&self) -> Written {
        self.files().map(|path| fs::read_to_string(path).expect("it was written"))
    }

    fn take(&self) -> Written {
        let written = self.read();
        self.files().iter().for_each(|path| fs::remove_file(path).expect("it was written"));
        written
    }
}

#[test]
fn pages_of_a_file_are_put_together_and_what_is_missing_or_surplus_is_named() {
    let desk = Desk::new();
    write_scans(&desk.scans());
    let mut said = Vec::new();
    let summary = desk.run(&reader(), 2, ExistingOutput::Refuse, &mut said).expect("it can run");
    let counted = |words: &[(&str, u64)]| words.iter().map(|(word, n)| ((*word).to_owned(), *n)).collect();
    assert_eq!(summary.documents, counted(&[("complete", 4), ("incomplete", 3), ("surplus", 2)]));
    let [documents, fields, record, pages] = desk.read();
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
        said,
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

    // what crosses to a page that is not there, or twice and not the same, is not booked; all else is
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
fn the_same_bytes_with_any_number_of_workers_and_wherever_a_run_is_cut_off() {
    let desk = Desk::new();
    write_scans(&desk.scans());
    let (reader, said) = (reader(), &mut Vec::new());
    desk.run(&reader, 1, ExistingOutput::Refuse, said).expect("it can run");
    let want = desk.take();
    desk.run(&reader, 4, ExistingOutput::Refuse, said).expect("it can run");
    assert_eq!(desk.take(), want);

    // a folder in the table's place: everything is read, but the table cannot take its name
    fs::create_dir(desk.out()).expect("it is writable");
    desk.run(&reader, 2, ExistingOutput::Overwrite, said).expect_err("a folder is in the way");
    fs::remove_dir(desk.out()).expect("it is empty");
    let journal = fs::read(journal_path(&desk.out())).expect("what was read is kept");
    for part in (0..=6).rev() {
        // first with the tables that took their names before the run was cut off
        fs::write(journal_path(&desk.out()), &journal[..journal.len() * part / 6]).expect("it is writable");
        desk.run(&reader, 2, ExistingOutput::Resume, said).expect("it can go on");
        assert_eq!(desk.take(), want, "cut at {part}/6");
    }
}

#[test]
fn a_table_of_documents_is_not_left_to_a_run_without_any() {
    let desk = Desk::new();
    fs::write(desk.scans().join("a.tif"), tiff(&[cover("10", "35"), schedule("8", "25")])).expect("it is writable");
    desk.run(&reader(), 1, ExistingOutput::Refuse, &mut Vec::new()).expect("it can run");
    let [documents, ..] = desk.read();
    assert!(documents.ends_with("a.tif,tax-2026,incomplete,1=1;2=2,3,,\n"), "{documents}");
    let (plain, said) = (reader_of(forms()), &mut Vec::new());
    let summary = desk.run(&plain, 1, ExistingOutput::Overwrite, said).expect("it can run");
    assert!(summary.documents.is_empty() && said.is_empty());
    let [documents, others @ ..] = desk.files();
    assert!(!documents.exists() && others.iter().all(|path| path.exists()));
    let record = fs::read_to_string(run_path(&desk.out())).expect("it was written");
    assert!(!record.contains("\"documents\""), "{record}");
}

#[test]
fn a_reader_says_which_documents_a_file_has() {
    let reader = reader();
    let records = reader.stages().read(&tiff(&[schedule("8", "25"), note(), annex()])).expect("the net does not fail");
    let documents: Vec<String> = reader.stages().documents(&records).iter().map(ToString::to_string).collect();
    assert_eq!(documents, ["incomplete: of 3 pages missing: 1"]);
    assert_eq!(reader.stages().documents(&records)[0].pages[1].read, [1]);
}
