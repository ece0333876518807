//! What a run must never do, whatever is in its way: change a file that is no output of it, believe a journal that was edited, or
//! wait for a page without end. The library runs with a fake classifier in place of the nets.

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use formread::{
    pipeline::{Event, ExistingOutput, RunOptions, journal_path, run},
    sink::{documents_path, fields_path, readings_path, run_path},
};
use formread_core::reader::Reader;
use formread_page::{
    Limits,
    scans::{Scan, find_scans, listed_scans},
};
use formread_raster::hash::{Sha256, sha256};
use image::{GrayImage, ImageFormat, Luma};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use crate::fake::fake_reader;

fn reader(limits: Limits) -> Reader {
    fake_reader().limits(limits).build().expect("the reader can be built")
}

fn write_strip(path: &Path, i: u32) {
    let is_ink = |x: u32, y: u32| (10 + i / 20..50).contains(&y) && (30..34 + i % 20).contains(&x);
    let strip = GrayImage::from_fn(100, 60, |x, y| Luma([if is_ink(x, y) { 10 } else { 245 }]));
    strip.save_with_format(path, ImageFormat::Png).expect("it is writable");
}

/// What is at a path: the kind, the mode, and the content or where a link leads.
type Found = (&'static str, u32, Option<Sha256>);

/// All that is below `root`.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, Found> {
    let entries = walkdir::WalkDir::new(root).min_depth(1).into_iter();
    entries
        .map(|entry| {
            let entry = entry.expect("it can be listed");
            let path = entry.path().to_owned();
            let mode = entry.metadata().expect("it is there").permissions().mode();
            let found = match entry.file_type() {
                kind if kind.is_symlink() => {
                    let to = fs::read_link(&path).expect("it is a link");
                    ("link", mode, Some(sha256(to.as_os_str().as_encoded_bytes())))
                }
                kind if kind.is_dir() => ("folder", mode, None),
                _ => ("file", mode, Some(sha256(&fs::read(&path).expect("it can be read")))),
            };
            (path, found)
        })
        .collect()
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A folder in which anything may be in the way of a run.
struct Tree {
    dir: tempfile::TempDir,
    rng: ChaCha8Rng,
}

/// Names of scans: some escape from folders, some are those of outputs, some of notes of rejects.
const NAMES: [&str; 12] = [
    "a.png",
    "b.png",
    "sub/c.png",
    "sub/..d.png",
    "=1+1.png",
    "a\nb.png",
    "a.png.txt",
    "out.csv",
    "a.png.p1.png",
    "-x.png",
    "x.2.png",
    "deep/er/y.tif",
];
/// Names of tables.
const OUTS: [&str; 10] = [
    "out.csv",
    "tables/out.csv",
    "tables/a",
    "Cargo",
    "in/new.csv",
    "in/out.csv",
    "in/a.png",
    "in/sub/c.png",
    "private/secret",
    "form.toml",
];
/// Folders for pictures and rejects.
const FOLDERS: [&str; 10] =
    ["pictures", "rejects", "new/folder", "pictures/../pictures", "tables", "private", "led", "in", "in/sub", "."];

impl Tree {
    fn new(seed: u64) -> Self {
        let mut tree = Self {
            dir: tempfile::tempdir().expect("the temporary folder is writable"),
            rng: ChaCha8Rng::seed_from_u64(seed),
        };
        for folder in ["in/sub", "in/deep/er", "private", "tables", "pictures", "rejects"] {
            fs::create_dir_all(tree.path(folder)).expect("it is writable");
        }
        fs::write(tree.path("private/secret"), "of somebody").expect("it is writable");
        fs::write(tree.path("form.toml"), "name = \"a template\"").expect("it is writable");
        write_strip(&tree.path("private/scan.png"), 7);
        for (i, name) in (0..).zip(NAMES) {
            match tree.rng.random_range(0..6) {
                0 => {}
                1 => fs::write(tree.path("in").join(name), "no picture").expect("it is writable"),
                2 => tree.link("private/scan.png", &format!("in/{name}")),
                3 => tree.link("private/secret", &format!("in/{name}")),
                _ => write_strip(&tree.path("in").join(name), i),
            }
        }
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A hard link or a symbolic one, where nothing is in the way.
    fn link(&mut self, to: &str, name: &str) {
        let (to, name) = (self.path(to), self.path(name));
        // it fails where something is there
        let _ = if self.rng.random() { fs::hard_link(to, name) } else { symlink(to, name) };
    }

    /// Puts files and links where a run into `out` would write.
    fn plant(&mut self, out: &str) {
        let out_path = self.path(out);
        let places = [
            with(&out_path, ".lock"),
            with(&out_path, ".partial"),
            with(&out_path, ".new"),
            out_path.clone(),
            fields_path(&out_path),
            readings_path(&out_path),
            run_path(&out_path),
            documents_path(&out_path),
        ];
        let root = self.dir.path().to_owned();
        for place in places {
            let name = place.strip_prefix(&root).expect("it is in the tree").to_string_lossy().into_owned();
            match self.rng.random_range(0..40) {
                0 => self.link("private/secret", &name),
                1 => self.link("private/scan.png", &name),
                2 => self.link("in/b.png", &name),
                3 if !place.exists() => fs::write(&place, "[[package]]\n").expect("it is writable"),
                4 if !place.exists() => fs::write(&place, "").expect("it is writable"),
                5 => drop(fs::create_dir(&place)),
                _ => {}
            }
        }
        match self.rng.random_range(0..6) {
            0 => self.link("private", "led"),
            1 => self.link("private", "rejects/sub"),
            2 => self.link("private/secret", "rejects/b.png"),
            3 => self.link("private/secret", "pictures/b.png.p1.png"),
            4 => self.link("private/secret", "rejects/b.png.txt"),
            _ => {}
        }
    }

    fn options(&mut self, out: &str) -> (RunOptions, Vec<Scan>) {
        let rng = &mut self.rng;
        let existing = [ExistingOutput::Refuse, ExistingOutput::Resume, ExistingOutput::Overwrite];
        let mut options = RunOptions::new(self.dir.path().join(out), NonZeroUsize::MIN);
        options.existing = *existing.choose(rng).expect("there are some");
        options.inputs = vec![self.dir.path().join("form.toml")];
        let mut folder = || rng.random_bool(0.4).then(|| FOLDERS.choose(rng).expect("there are some"));
        let (overlay, rejects) = (folder(), folder());
        options.overlay = overlay.map(|name| self.path(name));
        options.rejects = rejects.map(|name| self.path(name));
        let scans = if self.rng.random() {
            options.input = Some(self.path("in"));
            find_scans(&self.path("in"))
        } else {
            Ok(listed_scans(NAMES.map(|name| self.path("in").join(name))))
        };
        (options, scans.expect("it can be listed"))
    }
}

/// Whether a run with these options may change what was at `path`.
fn is_output(path: &Path, before: &Found, options: &RunOptions) -> bool {
    let out = &options.out;
    let is_table = [out.clone(), fields_path(out), readings_path(out), run_path(out), documents_path(out)]
        .iter()
        .any(|table| table == path);
    let is_empty_file = before.0 == "file" && before.2 == Some(sha256(b""));
    let is_own = [with(out, ".lock"), with(out, ".partial")].iter().any(|own| own == path) && is_empty_file;
    let folder = options.overlay.as_ref().and_then(|folder| folder.canonicalize().ok());
    let is_picture = folder.is_some() && path.parent().and_then(|parent| parent.canonicalize().ok()) == folder;
    // a table and a picture are renamed into their place: a link there is replaced, never what it leads to
    is_own
        || before.0 == "file" && is_table && options.existing != ExistingOutput::Refuse
        || is_picture && path.to_string_lossy().contains(".p1.png")
}

/// Runs with random names, links, options and states of folders. Checks that nothing but outputs has changed.
fn fuzz_outputs(n_runs: u64, seed: u64) {
    let reader = reader(Limits::default());
    let (mut n_done, mut n_refused) = (0, 0);
    for i in 0..n_runs {
        let mut tree = Tree::new(seed + i);
        let out = *OUTS.choose(&mut tree.rng).expect("there are some");
        tree.plant(out);
        let (options, scans) = tree.options(out);
        let n_events = if tree.rng.random_bool(0.3) { tree.rng.random_range(0..40) } else { usize::MAX };
        let before = snapshot(tree.dir.path());
        let mut n = 0;
        let observe = |_: &Event<'_>| {
            n += 1;
            options.stop.store(n > n_events, Ordering::Relaxed);
        };
        match run(&reader, &scans, &options, observe) {
            Ok(_) => n_done += 1,
            Err(_) => n_refused += 1,
        }
        let after = snapshot(tree.dir.path());
        for (path, found) in &before {
            let is_same = after.get(path).is_some_and(|now| now == found);
            assert!(
                is_same || is_output(path, found, &options),
                "run {i} of seed {seed}: {}: {found:?} became {:?}: {options:?}",
                path.display(),
                after.get(path)
            );
        }
        let new = after.iter().filter(|(path, _)| !before.contains_key(*path));
        let secret = sha256(b"of somebody");
        let has_secret =
            |(path, found): (&PathBuf, &Found)| path.starts_with(tree.path("in")) && found.2 == Some(secret);
        // a second name of it among the scans makes it one of them
        let is_scan = before.iter().any(has_secret);
        for (path, (kind, mode, content)) in new {
            assert!(
                *kind != "file"
                    || mode & 0o077 == 0
                    || before.values().any(|(_, of, same)| of == mode && same == content),
                "run {i} of seed {seed}: {} can be read by others",
                path.display()
            );
            assert!(
                is_scan || *content != Some(secret),
                "run {i} of seed {seed}: {} has a secret: {options:?}",
                path.display()
            );
        }
    }
    eprintln!(
        "{n_runs} runs in trees made by chance: {n_done} finished, {n_refused} refused or stopped; only outputs changed"
    );
    assert!(n_done * 10 >= n_runs && n_refused * 10 >= n_runs, "{n_done} finished, {n_refused} refused or stopped");
}

#[test]
fn run_in_any_tree_changes_its_outputs_alone() {
    fuzz_outputs(300, 1);
}

#[test]
#[ignore = "long: make torture"]
fn torture_10000_runs_in_any_tree_change_their_outputs_alone() {
    fuzz_outputs(10_000, 1_000);
}

/// Edits a journal: bytes, lines or their order.
fn edit(text: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = rng.random_range(0..lines.len());
    let other = rng.random_range(0..lines.len());
    let at = rng.random_range(0..text.len());
    match rng.random_range(0..9) {
        0 => text[at] ^= 1 << rng.random_range(0..8),
        1 => text[at] = rng.random(),
        2 => text.truncate(at),
        3 => drop(text.drain(at..(at + rng.random_range(1..200)).min(text.len()))),
        // a digit for another, as somebody would who wants another number
        4 => {
            if let Some(digit) = text[at..].iter_mut().find(|byte| byte.is_ascii_digit()) {
                *digit = rng.random_range(b'0'..=b'9');
            }
        }
        kind => {
            match kind {
                5 => drop(lines.remove(line)),
                6 => lines.swap(line, other),
                7 => lines.insert(other, lines[line].clone()),
                _ => lines[line] = lines[other].clone(),
            }
            *text = lines.concat();
        }
    }
}

/// Resumes a run from edited journals. Checks that each gives the tables of an unbroken run, or an error.
fn edit_and_resume(n_edits: u32, seed: u64) {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let (scans, out) = (dir.path().join("in"), dir.path().join("out.csv"));
    fs::create_dir(&scans).expect("it is writable");
    (0..8).for_each(|i| write_strip(&scans.join(format!("{i}.png")), 20 * i));
    fs::copy(scans.join("3.png"), scans.join("3 again.png")).expect("it is writable");
    fs::write(scans.join("none.png"), "no picture").expect("it is writable");
    let (reader, scans) = (reader(Limits::default()), find_scans(&scans).expect("it is there"));
    let options = |existing| RunOptions { existing, ..RunOptions::new(out.clone(), NonZeroUsize::MIN) };
    let take = || {
        [out.clone(), fields_path(&out), readings_path(&out), run_path(&out)].map(|path| {
            let bytes = fs::read(&path).expect("it was written");
            fs::remove_file(&path).expect("it was written");
            bytes
        })
    };
    run(&reader, &scans, &options(ExistingOutput::Refuse), |_| {}).expect("it can run");
    let want = take();
    // stopped after the last file: all is in the journal
    let mut n_files = 0;
    let stopped = options(ExistingOutput::Refuse);
    let observe = |event: &Event<'_>| {
        n_files += usize::from(matches!(event, Event::FileDone));
        stopped.stop.store(n_files == scans.len(), Ordering::Relaxed);
    };
    run(&reader, &scans, &stopped, observe).expect_err("it was stopped");
    let journal = fs::read(journal_path(&out)).expect("it was written");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut n_named, mut n_refused) = (0, 0);
    for i in 0..n_edits {
        let mut edited = journal.clone();
        edit(&mut edited, &mut rng);
        fs::write(journal_path(&out), &edited).expect("it is writable");
        let mut is_named = false;
        let observe = |event: &Event<'_>| is_named |= matches!(event, Event::JournalFault { .. });
        match run(&reader, &scans, &options(ExistingOutput::Resume), observe) {
            Ok(_) => assert!(take() == want, "edit {i} of seed {seed} changed the tables"),
            Err(error) => {
                n_refused += 1;
                assert!(error.to_string().contains("not the journal of a run"), "edit {i} of seed {seed}: {error}");
                assert!(!out.exists(), "edit {i} of seed {seed}: a table without a run");
            }
        }
        n_named += u32::from(is_named);
    }
    eprintln!("{n_edits} edits of a journal: {n_named} were named, {n_refused} refused; no table differs");
    assert!(n_named * 2 > n_edits, "{n_named} of {n_edits} were named");
}

#[test]
fn edited_journal_gives_the_tables_of_an_unbroken_run_or_an_error() {
    edit_and_resume(100, 1);
}

#[test]
#[ignore = "long: make torture"]
fn torture_1000_edited_journals_give_the_tables_of_an_unbroken_run_or_an_error() {
    edit_and_resume(1_000, 2);
}

#[test]
fn table_that_cannot_get_its_name_leaves_the_tables_of_before() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let (scans, out) = (dir.path().join("in"), dir.path().join("out.csv"));
    fs::create_dir(&scans).expect("it is writable");
    write_strip(&scans.join("a.png"), 1);
    let scans = find_scans(&scans).expect("it is there");
    let options = RunOptions { existing: ExistingOutput::Overwrite, ..RunOptions::new(out.clone(), NonZeroUsize::MIN) };
    for table in [out.clone(), fields_path(&out), readings_path(&out), run_path(&out)] {
        fs::write(&table, "of the run before").expect("it is writable");
    }
    // while it reads, a folder takes the place of the table that is renamed last
    let observe = |event: &Event<'_>| {
        if matches!(event, Event::FileDone) {
            fs::remove_file(&out).expect("it is there");
            fs::create_dir(&out).expect("it is writable");
        }
    };
    let error = run(&reader(Limits::default()), &scans, &options, observe).expect_err("it is a folder").to_string();
    assert!(error.contains("out.csv"), "{error}");
    for table in [fields_path(&out), readings_path(&out), run_path(&out)] {
        assert_eq!(fs::read_to_string(&table).expect("it is there"), "of the run before", "{}", table.display());
    }
    let hidden = fs::read_dir(dir.path()).expect("it is there").flatten();
    let hidden: Vec<_> =
        hidden.map(|entry| entry.file_name()).filter(|name| name.as_encoded_bytes()[0] == b'.').collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn page_without_time_is_timed_out_and_the_run_goes_on() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    fs::create_dir(dir.path().join("in")).expect("it is writable");
    (0..3).for_each(|i| write_strip(&dir.path().join(format!("in/{i}.png")), i));
    let scans = find_scans(&dir.path().join("in")).expect("it is there");
    // pages are decoded in this process, without a limit: the first checkpoint afterwards ends them
    for limits in [Limits { page_seconds: 0, ..Limits::default() }, Limits { file_seconds: 0, ..Limits::default() }] {
        let options = RunOptions {
            existing: ExistingOutput::Overwrite,
            ..RunOptions::new(dir.path().join("out.csv"), NonZeroUsize::MIN)
        };
        let summary = run(&reader(limits), &scans, &options, |_| {}).expect("no page ends a run");
        assert_eq!(summary.rejected, [("timed-out".to_owned(), 3)].into(), "{limits:?}");
    }
}
