//! Every page is accounted for, whatever happens to its file. The library runs with a fake classifier in place of the nets.

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
    sink::{fields_path, readings_path, run_path},
};
use formread_core::{
    assemble::{AcceptParams, AcceptTable},
    reader::Reader,
};
use formread_page::scans::find_scans;
use formread_raster::error::{ErrorKind, Result};
use image::{GrayImage, ImageFormat, Luma};

use crate::fake::fake_reader;

fn reader() -> Reader {
    fake_reader().build().expect("the reader can be built")
}

/// A temporary folder with scans in `in`, and the tables of a run over them.
struct RunFolder {
    dir: tempfile::TempDir,
}

/// The contents of the three files that a run writes.
type OutputFiles = [String; 4];

impl RunFolder {
    /// Creates a folder with `n` different strips: `00.png`, `01.png`, ...
    fn new(n: u32) -> Self {
        let run_folder = Self { dir: tempfile::tempdir().expect("the temporary folder is writable") };
        fs::create_dir(run_folder.scans()).expect("it is writable");
        (0..n).for_each(|i| run_folder.draw(&format!("{i:02}.png"), i));
        run_folder
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
        let jobs = NonZeroUsize::new(2).expect("it is not zero");
        RunOptions { existing, input: Some(self.scans()), ..RunOptions::new(self.out(), jobs) }
    }

    fn run(&self, reader: &Reader, options: &RunOptions, observe: impl FnMut(&Event<'_>)) -> Result<Summary> {
        run(reader, &find_scans(&self.scans()).expect("it exists"), options, observe)
    }

    /// Runs without an interruption, and removes the tables. Returns their contents.
    fn run_uninterrupted(&self) -> OutputFiles {
        self.run(&reader(), &self.options(ExistingOutput::Refuse), |_| {}).expect("it can run");
        self.take_output()
    }

    /// Starts a run and stops it when `n` files are done. Returns the number of pages that were read.
    fn run_and_stop_after(&self, reader: &Reader, n: usize) -> u64 {
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

    /// Removes the output files. Returns their contents.
    fn take_output(&self) -> OutputFiles {
        [self.out(), fields_path(&self.out()), run_path(&self.out()), readings_path(&self.out())].map(|path| {
            let text = fs::read_to_string(&path).expect("it was written");
            fs::remove_file(&path).expect("it was written");
            text
        })
    }
}

/// Rows of a table by scan, without the scan.
fn rows(table: &str) -> BTreeMap<String, String> {
    let rows = table.lines().skip(1).filter_map(|line| line.split_once(','));
    rows.map(|(scan, row)| (scan.to_owned(), row.to_owned())).collect()
}

#[test]
fn run_stopped_many_times_reads_each_page_once_and_writes_the_same_bytes() {
    let run_folder = RunFolder::new(200);
    let want = run_folder.run_uninterrupted();
    let mut n_pages = run_folder.run_and_stop_after(&reader(), 5);
    assert!(n_pages < 200, "the run was stopped before its end");
    let summary = loop {
        let options = run_folder.options(ExistingOutput::Resume);
        let mut n_now = 0;
        let observe = |event: &Event<'_>| {
            n_now += u64::from(matches!(event, Event::PageDone));
            options.stop.store(n_now >= 7, Ordering::Relaxed);
        };
        let result = run_folder.run(&reader(), &options, observe);
        n_pages += n_now;
        match result {
            Ok(summary) => break summary,
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Stopped { .. }), "{error}"),
        }
    };
    assert_eq!((n_pages, summary.n_pages), (200, 200), "each page is read once");
    assert_eq!(run_folder.take_output(), want);
}

#[test]
fn edited_journal_is_named_and_its_files_are_read_anew() {
    let run_folder = RunFolder::new(20);
    let want = run_folder.run_uninterrupted();
    run_folder.run_and_stop_after(&reader(), 20);
    let journal = journal_path(&run_folder.out());
    let text = fs::read_to_string(&journal).expect("it was written");
    fs::write(&journal, text.replacen("\"page\":1,", "\"page\":2,", 1)).expect("it is writable");
    let mut faults = Vec::new();
    let observe = |event: &Event<'_>| {
        if let Event::JournalFault { line, .. } = event {
            faults.push(*line);
        }
    };
    let summary =
        run_folder.run(&reader(), &run_folder.options(ExistingOutput::Resume), observe).expect("it can be resumed");
    assert_eq!((faults, summary.n_pages_read), (vec![2], 20));
    assert_eq!(run_folder.take_output(), want);
}

#[test]
fn two_scans_with_one_name_are_refused() {
    let run_folder = RunFolder::new(2);
    let mut scans = find_scans(&run_folder.scans()).expect("it exists");
    scans[1].name = scans[0].name.clone();
    let error = run(&reader(), &scans, &run_folder.options(ExistingOutput::Refuse), |_| {})
        .expect_err("the names are not unique");
    assert!(error.to_string().contains("two scans have one name: 00.png"), "{error}");
}

#[test]
fn identical_files_are_read_once_and_each_has_its_rows() {
    let run_folder = RunFolder::new(12);
    for (name, i) in [("00 again.png", 0), ("04 again.png", 4), ("zz.png", 4)] {
        run_folder.draw(name, i);
    }
    let mut copies = Vec::new();
    let observe = |event: &Event<'_>| {
        if let Event::Copy { scan, of } = event {
            copies.push(format!("{scan} {of}"));
        }
    };
    let summary = run_folder.run(&reader(), &run_folder.options(ExistingOutput::Refuse), observe).expect("it can run");
    assert_eq!((summary.n_pages, summary.n_pages_read, summary.n_copies), (15, 12, 3));
    // A space sorts before the dot of the extension.
    assert_eq!(copies, ["00.png 00 again.png", "04.png 04 again.png", "zz.png 04 again.png"]);
    let want = run_folder.take_output();
    let table = rows(&want[0]);
    assert_eq!(table.len(), 15, "{}", want[0]);
    assert_eq!((&table["04 again.png"], &table["zz.png"]), (&table["04.png"], &table["04.png"]));
    assert_eq!(rows(&want[1])["zz.png"], rows(&want[1])["04.png"]);
    let record: serde_json::Value = serde_json::from_str(&want[2]).expect("it is JSON");
    let scans = record["scans"].as_array().expect("the record lists the scans");
    assert_eq!((&scans[14]["copy_of"], &scans[0].get("copy_of")), (&"04 again.png".into(), &None));

    for n in [1, 6, 13] {
        run_folder.run_and_stop_after(&reader(), n);
        run_folder.run(&reader(), &run_folder.options(ExistingOutput::Resume), |_| {}).expect("it can be resumed");
        assert_eq!(run_folder.take_output(), want, "stopped after {n}");
    }
}

#[test]
fn resumed_run_reads_only_changed_files_again() {
    let run_folder = RunFolder::new(20);
    run_folder.run_and_stop_after(&reader(), 4);
    // One file that was read is changed, one is moved, one is removed, and one is added.
    run_folder.draw("00.png", 50);
    fs::rename(run_folder.scans().join("01.png"), run_folder.scans().join("moved.png")).expect("it exists");
    fs::remove_file(run_folder.scans().join("02.png")).expect("it exists");
    run_folder.draw("new.png", 51);
    let summary =
        run_folder.run(&reader(), &run_folder.options(ExistingOutput::Resume), |_| {}).expect("it can be resumed");
    assert!(summary.n_pages_read <= 18, "{} pages: 03.png and the moved file are not read again", summary.n_pages_read);
    let resumed = run_folder.take_output();
    assert_eq!(resumed, run_folder.run_uninterrupted());
}

#[test]
fn resumed_run_with_other_levels_reads_everything_again() {
    let run_folder = RunFolder::new(20);
    let lax = || {
        let level = AcceptParams { min_confidence: 0.0, ..AcceptTable::default().otherwise };
        reader().with_acceptance(AcceptTable { otherwise: level, ..AcceptTable::default() })
    };
    run_folder.run_and_stop_after(&reader(), 20 - 1);
    let summary =
        run_folder.run(&lax(), &run_folder.options(ExistingOutput::Resume), |_| {}).expect("it can be resumed");
    assert_eq!(summary.n_pages_read, 20, "no page was read with these levels before");
    assert!(summary.n_accepted >= 15, "{summary:?}");
    let resumed = run_folder.take_output();
    run_folder.run(&lax(), &run_folder.options(ExistingOutput::Refuse), |_| {}).expect("it can run");
    assert_eq!(resumed, run_folder.take_output());
    assert_ne!(resumed, run_folder.run_uninterrupted());
}

#[test]
fn resumed_run_of_another_build_reads_everything_again() {
    let run_folder = RunFolder::new(8);
    let of_build = |build: &str| fake_reader().build_id(build).build().expect("the reader can be built");
    run_folder.run_and_stop_after(&of_build("one"), 8 - 1);
    let summary =
        run_folder.run(&of_build("other"), &run_folder.options(ExistingOutput::Resume), |_| {}).expect("it can run");
    assert_eq!(summary.n_pages_read, 8, "no page of the other build is kept");
    let [table, fields, record, readings] = run_folder.take_output();
    let [table_of_one, fields_of_one, record_of_one, readings_of_one] = {
        run_folder.run(&of_build("one"), &run_folder.options(ExistingOutput::Refuse), |_| {}).expect("it can run");
        run_folder.take_output()
    };
    assert_eq!((table, fields, readings), (table_of_one, fields_of_one, readings_of_one));
    let identity = |record: &str| -> String {
        let record: serde_json::Value = serde_json::from_str(record).expect("it is JSON");
        record["identity"].as_str().expect("it is text").to_owned()
    };
    assert_ne!(identity(&record), identity(&record_of_one));
    assert_eq!(identity(&record), of_build("other").identity().sha256().to_string());
}

#[test]
fn file_still_being_written_is_deferred_and_the_ledger_balances() {
    let run_folder = RunFolder::new(6);
    let set_age = |name: &str, seconds: u64| {
        let file = fs::File::options().append(true).open(run_folder.scans().join(name)).expect("it exists");
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).expect("its time can be set");
    };
    (0..6).for_each(|i| set_age(&format!("{i:02}.png"), 7_200));
    set_age("03.png", 0);
    let options = RunOptions { settle: Duration::from_secs(3_600), ..run_folder.options(ExistingOutput::Refuse) };
    let mut deferred = Vec::new();
    let observe = |event: &Event<'_>| {
        if let Event::Deferred { scan } = event {
            deferred.push((*scan).to_owned());
        }
    };
    let summary = run_folder.run(&reader(), &options, observe).expect("it can run");
    assert_eq!((summary.n_files, summary.n_pages, summary.n_deferred), (5, 5, 1));
    assert_eq!(deferred, ["03.png"]);
    assert!(!rows(&run_folder.take_output()[0]).contains_key("03.png"));
    set_age("03.png", 7_200);
    assert_eq!(run_folder.run(&reader(), &options, |_| {}).expect("it can run").n_deferred, 0);
    assert!(rows(&run_folder.take_output()[0]).contains_key("03.png"));
    set_age("03.png", 0);
    assert_eq!(run_folder.run_uninterrupted()[0].lines().count(), 7, "without a settling time, a new file is read");
}

#[test]
fn removed_file_is_rejected_and_removed_folder_ends_the_run() {
    let run_folder = RunFolder::new(80);
    let want = run_folder.run_uninterrupted();
    let (here, away) = (run_folder.scans(), run_folder.dir.path().join("away"));
    let last = here.join("79.png");
    let mut to_remove = Some(&last);
    let observe = |_: &Event<'_>| {
        if let Some(last) = to_remove.take() {
            fs::rename(last, &away).expect("it exists");
        }
    };
    let summary = run_folder.run(&reader(), &run_folder.options(ExistingOutput::Refuse), observe).expect("it can run");
    assert_eq!((summary.n_pages, &summary.rejected), (80, &[("unreadable".to_owned(), 1)].into()));
    fs::rename(&away, &last).expect("it was moved away");
    run_folder.take_output();

    for keeps_mount_point in [false, true] {
        let mut is_first = true;
        let observe = |_: &Event<'_>| {
            if std::mem::take(&mut is_first) {
                fs::rename(&here, &away).expect("it exists");
                if keeps_mount_point {
                    fs::create_dir(&here).expect("it is writable");
                }
            }
        };
        let options = run_folder.options(ExistingOutput::Refuse);
        let error = run_folder.run(&reader(), &options, observe).expect_err("the folder is gone");
        assert!(error.to_string().contains(here.to_str().expect("it is text")), "{error}");
        assert!(error.to_string().contains("--resume") && !run_folder.out().exists(), "{error}");
        let _ = fs::remove_dir(&here);
        fs::rename(&away, &here).expect("it was moved away");
        run_folder.run(&reader(), &run_folder.options(ExistingOutput::Resume), |_| {}).expect("it can be resumed");
        assert_eq!(run_folder.take_output(), want);
    }
}

#[test]
fn unreadable_files_are_collected_with_their_reasons() {
    let run_folder = RunFolder::new(3);
    fs::create_dir(run_folder.scans().join("deep")).expect("it is writable");
    fs::write(run_folder.scans().join("deep/bad.png"), "no picture").expect("it is writable");
    let rejects = run_folder.dir.path().join("rejects");
    let options = |existing| RunOptions { rejects: Some(rejects.clone()), ..run_folder.options(existing) };
    for _ in 0..2 {
        run_folder.run(&reader(), &options(ExistingOutput::Refuse), |_| {}).expect("it can run");
        run_folder.take_output();
        let found: Vec<_> = walkdir::WalkDir::new(&rejects).sort_by_file_name().into_iter().flatten().collect();
        let files = found.iter().filter(|entry| entry.file_type().is_file());
        let names: Vec<_> = files.map(|entry| entry.path().strip_prefix(&rejects).expect("it exists")).collect();
        assert_eq!(names, [Path::new("deep/bad.png"), Path::new("deep/bad.png.txt")]);
    }
    assert_eq!(fs::read_to_string(rejects.join("deep/bad.png")).expect("it exists"), "no picture");
    let note = fs::read_to_string(rejects.join("deep/bad.png.txt")).expect("it exists");
    assert!(note.starts_with("scan deep/bad.png\nsha256 ") && note.contains("\npage 1: unreadable: "), "{note}");

    let options = RunOptions {
        rejects: Some(run_folder.scans().join("to/rejects")),
        ..run_folder.options(ExistingOutput::Refuse)
    };
    let error = run_folder.run(&reader(), &options, |_| {}).expect_err("the next run would read the rejects");
    assert!(
        error.to_string().contains("inside the folder of scans") && !run_folder.scans().join("to").exists(),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn output_files_are_readable_only_by_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let run_folder = RunFolder::new(3);
    fs::write(run_folder.scans().join("bad.png"), "no picture").expect("it is writable");
    let [overlay, rejects] = ["overlay", "rejects"].map(|folder| run_folder.dir.path().join(folder));
    let options = RunOptions {
        overlay: Some(overlay.clone()),
        rejects: Some(rejects.clone()),
        ..run_folder.options(ExistingOutput::Refuse)
    };
    let journal_mode = std::cell::Cell::new(None);
    let mode = |path: &Path| fs::metadata(path).expect("it was written").permissions().mode() & 0o777;
    let observe = |_: &Event<'_>| journal_mode.set(Some(mode(&journal_path(&run_folder.out()))));
    run_folder.run(&reader(), &options, observe).expect("it can run");
    assert_eq!(journal_mode.get(), Some(0o600));
    let out = run_folder.out();
    let written = [
        out.clone(),
        fields_path(&out),
        readings_path(&out),
        run_path(&out),
        overlay.join("00.png.p1.png"),
        rejects.join("bad.png.txt"),
    ];
    for path in written {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[cfg(unix)]
#[test]
fn unusual_file_name_has_a_row_of_its_own() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let run_folder = RunFolder::new(1);
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
        run_folder.draw("now.png", i);
        let to = run_folder.scans().join(OsStr::from_bytes(name));
        fs::rename(run_folder.scans().join("now.png"), to).expect("the file system takes any name");
    }
    let summary = run_folder.run(&reader(), &run_folder.options(ExistingOutput::Refuse), |_| {}).expect("it can run");
    assert_eq!((summary.n_pages, summary.n_rejected(), summary.n_copies), (8, 0, 0));
    let table = run_folder.take_output()[0].clone();
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
