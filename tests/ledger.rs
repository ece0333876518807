//! Every page is accounted for, whatever happens to its file: the library with a stand-in for the net.

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use formread::{
    pipeline::{Event, ExistingOutput, RunOptions, Summary, journal_path, run},
    sink::{fields_path, run_path},
};
use formread_core::{
    assemble::{AcceptParams, AcceptTable},
    form::known_templates,
    normalise::GlyphBatch,
    reader::{Reader, ReaderBuilder},
    recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
    scores::GlyphScores,
};
use formread_page::scans::find_scans;
use formread_raster::error::{ErrorKind, Result};
use image::{GrayImage, ImageFormat, Luma};

/// Says of every glyph a digit that follows from its ink.
struct FakeClassifier;

impl GlyphClassifier for FakeClassifier {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        let score = |glyph: &[f32]| {
            let mut digits = [0.01; 10];
            digits[glyph.iter().sum::<f32>() as usize % 10] = 0.91;
            GlyphScores::of_digit(digits)
        };
        Ok(batch.pixels.chunks(batch.pixels.len() / batch.n_glyphs).map(score).collect())
    }
}

fn reader() -> Reader {
    reader_builder().build().expect("the fake is easily made")
}

fn reader_builder() -> ReaderBuilder {
    let strip = known_templates().expect("they parse").into_iter().filter(|t| t.name == "strip");
    Reader::builder().templates(strip).backend(FnBackend::new("fake", || Ok(GlyphsOnly(FakeClassifier))))
}

/// A folder of scans, and a table to be written beside it.
struct Desk {
    dir: tempfile::TempDir,
}

/// The three files of a run.
type Written = [String; 3];

impl Desk {
    /// With `n` strips, `00.png`, `01.png` ..., no two alike.
    fn new(n: u32) -> Self {
        let desk = Self { dir: tempfile::tempdir().expect("the temporary folder is writable") };
        fs::create_dir(desk.scans()).expect("it is writable");
        (0..n).for_each(|i| desk.draw(&format!("{i:02}.png"), i));
        desk
    }

    fn scans(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("out.csv")
    }

    fn draw(&self, name: &str, i: u32) {
        let is_ink = |x: u32, y: u32| (10 + i / 20..50).contains(&y) && (30..34 + i % 20).contains(&x);
        let strip = GrayImage::from_fn(100, 60, |x, y| Luma([if is_ink(x, y) { 10 } else { 245 }]));
        strip.save_with_format(self.scans().join(name), ImageFormat::Png).expect("it is writable");
    }

    fn options(&self, existing: ExistingOutput) -> RunOptions {
        let jobs = NonZeroUsize::new(2).expect("two are some");
        RunOptions { existing, input: Some(self.scans()), ..RunOptions::new(self.out(), jobs) }
    }

    fn run(&self, reader: &Reader, options: &RunOptions, observe: impl FnMut(&Event<'_>)) -> Result<Summary> {
        run(reader, &find_scans(&self.scans()).expect("it is there"), options, observe)
    }

    /// Runs without a break, and takes the tables away.
    fn unbroken(&self) -> Written {
        self.run(&reader(), &self.options(ExistingOutput::Refuse), |_| {}).expect("it can run");
        self.take()
    }

    /// Runs and is stopped when `n` files are done. Gives the number of pages that were read.
    fn stopped_after(&self, reader: &Reader, n: usize) -> u64 {
        let options = self.options(ExistingOutput::Refuse);
        let (mut n_done, mut n_pages) = (0, 0);
        let observe = |event: &Event<'_>| {
            n_done += usize::from(matches!(event, Event::FileDone));
            n_pages += u64::from(matches!(event, Event::PageDone));
            options.stop.store(n_done >= n, Ordering::Relaxed);
        };
        let error = self.run(reader, &options, observe).expect_err("it was stopped");
        assert!(matches!(error.kind(), ErrorKind::Stopped { done, .. } if *done >= n as u64), "{error}");
        assert!(error.to_string().contains("--resume"), "{error}");
        assert!(!self.out().exists() && journal_path(&self.out()).exists());
        n_pages
    }

    fn take(&self) -> Written {
        [self.out(), fields_path(&self.out()), run_path(&self.out())].map(|path| {
            let text = fs::read_to_string(&path).expect("it was written");
            fs::remove_file(&path).expect("it was written");
            text
        })
    }
}

/// Rows of a table by scan, without the scan.
fn rows(table: &str) -> BTreeMap<String, String> {
    let parted = table.lines().skip(1).filter_map(|line| line.split_once(','));
    parted.map(|(scan, row)| (scan.to_owned(), row.to_owned())).collect()
}

#[test]
fn a_run_that_is_stopped_again_and_again_reads_nothing_twice_and_ends_with_the_same_bytes() {
    let desk = Desk::new(200);
    let want = desk.unbroken();
    let mut n_pages = desk.stopped_after(&reader(), 5);
    assert!(n_pages < 200, "it was stopped before its end");
    let summary = loop {
        let options = desk.options(ExistingOutput::Resume);
        let mut n_now = 0;
        let observe = |event: &Event<'_>| {
            n_now += u64::from(matches!(event, Event::PageDone));
            options.stop.store(n_now >= 7, Ordering::Relaxed);
        };
        let ended = desk.run(&reader(), &options, observe);
        n_pages += n_now;
        match ended {
            Ok(summary) => break summary,
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}"),
        }
    };
    assert_eq!((n_pages, summary.n_pages), (200, 200), "each page is read once");
    assert_eq!(desk.take(), want);
}

#[test]
fn a_ledger_that_does_not_balance_is_a_fault_and_no_table() {
    let desk = Desk::new(20);
    desk.stopped_after(&reader(), 20);
    let journal = journal_path(&desk.out());
    let text = fs::read_to_string(&journal).expect("it was written");
    fs::write(&journal, text.replacen("\"page\":1,", "\"page\":2,", 1)).expect("it is writable");
    let error = desk
        .run(&reader(), &desk.options(ExistingOutput::Resume), |_| {})
        .expect_err("a page is not there")
        .to_string();
    assert!(error.contains("found page 2 of 00.png, expected page 1 of 00.png"), "{error}");
    let written = [desk.out(), fields_path(&desk.out()), run_path(&desk.out())];
    assert!(written.iter().all(|path| !path.exists()), "no table was written");
}

#[test]
fn two_scans_of_one_name_are_refused() {
    let desk = Desk::new(2);
    let mut scans = find_scans(&desk.scans()).expect("it is there");
    scans[1].name = scans[0].name.clone();
    let error = run(&reader(), &scans, &desk.options(ExistingOutput::Refuse), |_| {}).expect_err("which is which?");
    assert!(error.to_string().contains("two scans have one name: 00.png"), "{error}");
}

#[test]
fn files_with_one_content_are_read_once_and_each_has_its_rows() {
    let desk = Desk::new(12);
    for (name, i) in [("00 again.png", 0), ("04 again.png", 4), ("zz.png", 4)] {
        desk.draw(name, i);
    }
    let mut said = Vec::new();
    let observe = |event: &Event<'_>| {
        if let Event::Copy { scan, of } = event {
            said.push(format!("{scan} {of}"));
        }
    };
    let summary = desk.run(&reader(), &desk.options(ExistingOutput::Refuse), observe).expect("it can run");
    assert_eq!((summary.n_pages, summary.n_pages_read, summary.n_copies), (15, 12, 3));
    // a space comes before the dot of the extension
    assert_eq!(said, ["00.png 00 again.png", "04.png 04 again.png", "zz.png 04 again.png"]);
    let want = desk.take();
    let table = rows(&want[0]);
    assert_eq!(table.len(), 15, "{}", want[0]);
    assert_eq!((&table["04 again.png"], &table["zz.png"]), (&table["04.png"], &table["04.png"]));
    assert_eq!(rows(&want[1])["zz.png"], rows(&want[1])["04.png"]);
    let record: serde_json::Value = serde_json::from_str(&want[2]).expect("it is JSON");
    let scans = record["scans"].as_array().expect("they are listed");
    assert_eq!((&scans[14]["copy_of"], &scans[0].get("copy_of")), (&"04 again.png".into(), &None));

    for n in [1, 6, 13] {
        desk.stopped_after(&reader(), n);
        desk.run(&reader(), &desk.options(ExistingOutput::Resume), |_| {}).expect("it can go on");
        assert_eq!(desk.take(), want, "stopped after {n}");
    }
}

#[test]
fn a_resumed_run_reads_anew_what_has_changed_and_only_that() {
    let desk = Desk::new(20);
    desk.stopped_after(&reader(), 4);
    // The content of a file that was read changes, one is moved, one goes and one comes.
    desk.draw("00.png", 50);
    fs::rename(desk.scans().join("01.png"), desk.scans().join("moved.png")).expect("it is there");
    fs::remove_file(desk.scans().join("02.png")).expect("it is there");
    desk.draw("new.png", 51);
    let summary = desk.run(&reader(), &desk.options(ExistingOutput::Resume), |_| {}).expect("it can go on");
    assert!(summary.n_pages_read <= 18, "{} pages: 03.png and what was moved are known", summary.n_pages_read);
    let resumed = desk.take();
    assert_eq!(resumed, desk.unbroken());
}

#[test]
fn resumed_run_with_other_levels_reads_everything_again() {
    let desk = Desk::new(20);
    let lax = || {
        let level = AcceptParams { min_confidence: 0.0, ..AcceptTable::default().otherwise };
        reader().with_acceptance(AcceptTable { otherwise: level, ..AcceptTable::default() })
    };
    desk.stopped_after(&reader(), 20 - 1);
    let summary = desk.run(&lax(), &desk.options(ExistingOutput::Resume), |_| {}).expect("it can go on");
    assert_eq!((summary.n_pages_read, summary.n_accepted), (20, 20), "nothing was read with these levels");
    let resumed = desk.take();
    desk.run(&lax(), &desk.options(ExistingOutput::Refuse), |_| {}).expect("it can run");
    assert_eq!(resumed, desk.take());
    assert_ne!(resumed, desk.unbroken());
}

#[test]
fn resumed_run_of_another_build_reads_everything_again() {
    let desk = Desk::new(8);
    let of_build = |build: &str| reader_builder().build_id(build).build().expect("the fake is easily made");
    desk.stopped_after(&of_build("one"), 8 - 1);
    let summary = desk.run(&of_build("other"), &desk.options(ExistingOutput::Resume), |_| {}).expect("it can run");
    assert_eq!(summary.n_pages_read, 8, "the pages of another build are not mixed in");
    let [table, fields, record] = desk.take();
    let [table_of_one, fields_of_one, record_of_one] = {
        desk.run(&of_build("one"), &desk.options(ExistingOutput::Refuse), |_| {}).expect("it can run");
        desk.take()
    };
    assert_eq!((table, fields), (table_of_one, fields_of_one));
    let identity = |record: &str| -> String {
        let record: serde_json::Value = serde_json::from_str(record).expect("it is JSON");
        record["identity"].as_str().expect("it is text").to_owned()
    };
    assert_ne!(identity(&record), identity(&record_of_one));
    assert_eq!(identity(&record), of_build("other").identity().sha256().to_string());
}

#[test]
fn a_file_that_is_written_to_is_left_for_the_next_run_and_the_ledger_balances() {
    let desk = Desk::new(6);
    let age = |name: &str, s: u64| {
        let file = fs::File::options().append(true).open(desk.scans().join(name)).expect("it is there");
        file.set_modified(SystemTime::now() - Duration::from_secs(s)).expect("it may be aged");
    };
    (0..6).for_each(|i| age(&format!("{i:02}.png"), 7_200));
    age("03.png", 0);
    let hour = RunOptions { settle: Duration::from_secs(3_600), ..desk.options(ExistingOutput::Refuse) };
    let mut left = Vec::new();
    let observe = |event: &Event<'_>| {
        if let Event::Deferred { scan } = event {
            left.push((*scan).to_owned());
        }
    };
    let summary = desk.run(&reader(), &hour, observe).expect("it can run");
    assert_eq!((summary.n_files, summary.n_pages, summary.n_deferred), (5, 5, 1));
    assert_eq!(left, ["03.png"]);
    assert!(!rows(&desk.take()[0]).contains_key("03.png"));
    age("03.png", 7_200);
    assert_eq!(desk.run(&reader(), &hour, |_| {}).expect("it can run").n_deferred, 0);
    assert!(rows(&desk.take()[0]).contains_key("03.png"));
    age("03.png", 0);
    assert_eq!(desk.unbroken()[0].lines().count(), 7, "without a time to settle, a file is read as it is");
}

#[test]
fn a_file_that_goes_is_a_row_and_a_folder_that_goes_ends_the_run() {
    let desk = Desk::new(80);
    let want = desk.unbroken();
    let (here, away) = (desk.scans(), desk.dir.path().join("away"));
    let late = here.join("79.png");
    let mut takes_one = Some(&late);
    let observe = |_: &Event<'_>| {
        if let Some(late) = takes_one.take() {
            fs::rename(late, &away).expect("it is there");
        }
    };
    let summary = desk.run(&reader(), &desk.options(ExistingOutput::Refuse), observe).expect("it can run");
    assert_eq!((summary.n_pages, &summary.rejected), (80, &[("unreadable".to_owned(), 1)].into()));
    fs::rename(&away, &late).expect("it was taken away");
    desk.take();

    for leaves_a_mount_point in [false, true] {
        let mut takes_all = true;
        let observe = |_: &Event<'_>| {
            if std::mem::take(&mut takes_all) {
                fs::rename(&here, &away).expect("it is there");
                if leaves_a_mount_point {
                    fs::create_dir(&here).expect("it is writable");
                }
            }
        };
        let options = desk.options(ExistingOutput::Refuse);
        let error = desk.run(&reader(), &options, observe).expect_err("the folder is gone");
        assert!(error.to_string().contains(here.to_str().expect("it is text")), "{error}");
        assert!(error.to_string().contains("--resume") && !desk.out().exists(), "{error}");
        let _ = fs::remove_dir(&here);
        fs::rename(&away, &here).expect("it was taken away");
        desk.run(&reader(), &desk.options(ExistingOutput::Resume), |_| {}).expect("it can go on");
        assert_eq!(desk.take(), want);
    }
}

#[test]
fn what_could_not_be_read_is_collected_with_its_reasons() {
    let desk = Desk::new(3);
    fs::create_dir(desk.scans().join("deep")).expect("it is writable");
    fs::write(desk.scans().join("deep/bad.png"), "no picture").expect("it is writable");
    let rejects = desk.dir.path().join("rejects");
    let options = |existing| RunOptions { rejects: Some(rejects.clone()), ..desk.options(existing) };
    for _ in 0..2 {
        desk.run(&reader(), &options(ExistingOutput::Refuse), |_| {}).expect("it can run");
        desk.take();
        let found: Vec<_> = walkdir::WalkDir::new(&rejects).sort_by_file_name().into_iter().flatten().collect();
        let files = found.iter().filter(|entry| entry.file_type().is_file());
        let names: Vec<_> = files.map(|entry| entry.path().strip_prefix(&rejects).expect("it is there")).collect();
        assert_eq!(names, [Path::new("deep/bad.png"), Path::new("deep/bad.png.txt")]);
    }
    assert_eq!(fs::read_to_string(rejects.join("deep/bad.png")).expect("it is there"), "no picture");
    let note = fs::read_to_string(rejects.join("deep/bad.png.txt")).expect("it is there");
    assert!(note.starts_with("scan deep/bad.png\nsha256 ") && note.contains("\npage 1: unreadable: "), "{note}");

    let within = RunOptions { rejects: Some(desk.scans().join("to/rejects")), ..desk.options(ExistingOutput::Refuse) };
    let error = desk.run(&reader(), &within, |_| {}).expect_err("the next run would read them");
    assert!(error.to_string().contains("inside the folder of scans") && !desk.scans().join("to").exists(), "{error}");
}

#[cfg(unix)]
#[test]
fn files_of_a_run_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new(3);
    fs::write(desk.scans().join("bad.png"), "no picture").expect("it is writable");
    let [overlay, rejects] = ["overlay", "rejects"].map(|folder| desk.dir.path().join(folder));
    let options = RunOptions {
        overlay: Some(overlay.clone()),
        rejects: Some(rejects.clone()),
        ..desk.options(ExistingOutput::Refuse)
    };
    let journal_mode = std::cell::Cell::new(None);
    let mode = |path: &Path| fs::metadata(path).expect("it was written").permissions().mode() & 0o777;
    let observe = |_: &Event<'_>| journal_mode.set(Some(mode(&journal_path(&desk.out()))));
    desk.run(&reader(), &options, observe).expect("it can run");
    assert_eq!(journal_mode.get(), Some(0o600));
    let out = desk.out();
    let written =
        [out.clone(), fields_path(&out), run_path(&out), overlay.join("00.png.p1.png"), rejects.join("bad.png.txt")];
    for path in written {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[cfg(unix)]
#[test]
fn any_name_is_a_row_of_its_own() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let desk = Desk::new(1);
    let names: [&[u8]; 7] = [
        b"=1+1.png",
        b"%3D1+1.png",
        b"a b,\"c\"\n.png",
        b"\xff.png",
        b"\xfe.png",
        b"-7.png",
        "\u{fffd}.png".as_bytes(),
    ];
    for (i, name) in (1..).zip(names) {
        desk.draw("now.png", i);
        let to = desk.scans().join(OsStr::from_bytes(name));
        fs::rename(desk.scans().join("now.png"), to).expect("the file system takes any name");
    }
    let summary = desk.run(&reader(), &desk.options(ExistingOutput::Refuse), |_| {}).expect("it can run");
    assert_eq!((summary.n_pages, summary.n_rejected(), summary.n_copies), (8, 0, 0));
    let table = desk.take()[0].clone();
    let mut scans: Vec<String> = csv::Reader::from_reader(table.as_bytes())
        .records()
        .map(|row| row.expect("it is a table")[0].to_owned())
        .collect();
    scans.sort();
    let mut want =
        ["%3D1+1.png", "%253D1+1.png", "a b,\"c\"\n.png", "%FF.png", "%FE.png", "%2D7.png", "\u{fffd}.png", "00.png"];
    want.sort_unstable();
    assert_eq!(scans, want);
}
