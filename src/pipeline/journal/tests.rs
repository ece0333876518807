//! Journals that are cut off, resumed and forged.

use std::sync::LazyLock;

use super::*;
use formread_core::rows::Verdict;
use formread_raster::hash::sha256;
use formread_raster::hash_chain::N_HASH_BYTES;

/// The identity of a build.
fn identity(build: &str) -> Sha256 {
    sha256(build.as_bytes())
}

static SCANS: LazyLock<Vec<Scan>> = LazyLock::new(|| {
    let names = ["a", "b", "c", "c again", "d"].map(str::to_owned);
    names.map(|name| Scan { path: PathBuf::from(&name), name }).into()
});

fn open_with(identity: Sha256, path: &Path, resume: bool) -> Journal<'static> {
    Journal::open(path, identity, &SCANS, resume).expect("the folder is writable")
}

fn open(path: &Path, resume: bool) -> Journal<'static> {
    open_with(identity("this"), path, resume)
}

fn page(scan: &str, page: u32) -> PageRows {
    let (form, attention) = (String::new(), "unreadable".to_owned());
    PageRows {
        scan: scan.to_owned(),
        page,
        form,
        verdict: Verdict::Rejected,
        attention,
        fields: Vec::new(),
        readings: Vec::new(),
    }
}

fn stamp(bytes: u32) -> Option<Stamp> {
    Some(Stamp { bytes: bytes.into(), modified_ns: 5, changed_ns: 6 })
}

/// A file of `n` pages whose content is its name.
fn file(scan: &str, n: u32) -> FileId {
    FileId { scan: scan.to_owned(), stamp: stamp(n), sha256: Some(sha256(scan.as_bytes())) }
}

fn write_file(journal: &mut Journal, scan: &str, pages: u32) {
    (1..=pages).for_each(|p| journal.add_page(page(scan, p), format!("met on {p}")).expect("the disk has room"));
    journal.finish_file(file(scan, pages), pages).expect("the disk has room");
}

/// The pages of `scan`, each named as it must be.
fn pages(journal: &mut Journal, scan: &str) -> Vec<u32> {
    let mut pages = Vec::new();
    let visit = |rows: PageRows, detail: &str| {
        assert_eq!((rows.scan.as_str(), detail), (scan, format!("met on {}", rows.page).as_str()));
        pages.push(rows.page);
        Ok(())
    };
    journal.visit(scan, visit).expect("the journal is whole");
    pages
}

#[test]
fn journal_cut_off_anywhere_keeps_whole_files_only() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let path = dir.path().join("journal");
    let mut journal = open(&path, false);
    let mut ends = Vec::new();
    for (scan, n) in [("a", 2), ("b", 1), ("c", 3)] {
        write_file(&mut journal, scan, n);
        ends.push((scan, n, journal.end));
    }
    let copy = FileId { scan: "c again".to_owned(), ..file("c", 3) };
    journal.finish_file(copy, 0).expect("the disk has room");
    ends.push(("c again", 3, journal.end));
    drop(journal);
    let whole = fs::read(&path).expect("it was written");
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).expect("the folder is writable");
        let mut journal = open(&path, true);
        for &(scan, n, end) in &ends {
            let is_whole = cut as u64 >= end;
            assert_eq!(journal.has_file(scan, stamp(n)), is_whole, "{scan}, cut at {cut}");
            assert_eq!(journal.sha256(scan), is_whole.then(|| sha256(&scan.as_bytes()[..1])));
            assert!(!journal.has_file(scan, stamp(99)), "a changed file is read again");
            assert_eq!(journal.pages(scan), if is_whole { n } else { 0 });
            assert_eq!(pages(&mut journal, scan).len() as u32, if is_whole { n } else { 0 });
        }
    }
}

#[test]
fn resumed_journal_is_appended_to() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let path = dir.path().join("journal");
    for (resume, scan) in [(false, "a"), (true, "b")] {
        write_file(&mut open(&path, resume), scan, 2);
    }
    let mut journal = open(&path, true);
    assert_eq!((pages(&mut journal, "a"), pages(&mut journal, "b")), (vec![1, 2], vec![1, 2]));
    journal.finish_file(FileId { stamp: None, ..file("c", 0) }, 0).expect("the disk has room");
    assert!(!journal.has_file("c", None), "a file without a stamp is read again");
}

#[test]
fn renamed_file_is_recognised_by_its_content() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let path = dir.path().join("journal");
    write_file(&mut open(&path, false), "a", 2);
    let renamed = [Scan { name: "e".to_owned(), path: "e".into() }];
    let mut journal = Journal::open(&path, identity("this"), &renamed, true).expect("the folder is writable");
    assert!(journal.contents().contains(&sha256(b"a").half()) && !journal.has_file("a", stamp(2)));
    journal.finish_file(FileId { scan: "e".to_owned(), ..file("a", 2) }, 0).expect("its content is here");
    assert_eq!(pages(&mut journal, "e"), [1, 2]);
}

#[test]
fn two_scans_with_one_name_are_refused() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let twice = ["x/a", "y/a"].map(|path| Scan { name: "a".to_owned(), path: path.into() });
    let error = Journal::open(&dir.path().join("journal"), identity("this"), &twice, false).expect_err("which is it?");
    assert!(error.to_string().contains("one name: a"), "{error}");
}

#[test]
fn pages_of_another_build_are_not_resumed_and_not_lost() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let path = dir.path().join("journal");
    write_file(&mut open(&path, false), "a", 1);
    let (this, rebuilt) = (identity("this"), identity("rebuilt"));
    let mut journal = open_with(rebuilt, &path, true);
    assert!(!journal.has_file("a", stamp(1)) && journal.contents().is_empty(), "read by another build");
    write_file(&mut journal, "a", 2);
    drop(journal);
    for (identity, kept) in [(this, 1), (rebuilt, 2), (this, 1)] {
        let mut journal = open_with(identity, &path, true);
        assert!(journal.has_file("a", stamp(kept)), "each build has its own pages");
        assert_eq!(pages(&mut journal, "a").len() as u32, kept);
    }
    let text = fs::read_to_string(&path).expect("it was written");
    let first = text.lines().next().and_then(|line| line.get(N_HASH_BYTES..));
    assert_eq!(first, Some(format!("{{\"run\":{{\"identity\":\"{this}\"}}}}").as_str()));
}

#[cfg(unix)]
#[test]
fn journal_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let path = dir.path().join("journal");
    drop(open(&path, false));
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn file_with_a_missing_page_is_not_finished() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let path = dir.path().join("journal");
    write_file(&mut open(&path, false), "a", 3);
    let text = fs::read_to_string(&path).expect("it was written");
    let without: Vec<&str> = text.lines().enumerate().filter(|(i, _)| *i != 2).map(|(_, line)| line).collect();
    fs::write(&path, without.join("\n") + "\n").expect("it is writable");
    assert!(!open(&path, true).has_file("a", stamp(3)));
}

/// Writes lines of JSON as a journal with right hashes.
fn forge(path: &Path, lines: &[String]) {
    let mut hash = first_hash();
    let mut text = String::new();
    for line in lines {
        hash = hash_of(hash, line.as_bytes());
        text += &format!("{hash} {line}\n");
    }
    fs::write(path, text).expect("it is writable");
}

#[test]
fn line_that_was_changed_moved_removed_or_repeated_ends_what_is_kept() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let path = dir.path().join("journal");
    let mut journal = open(&path, false);
    for (scan, n) in [("a", 2), ("b", 1), ("c", 1), ("d", 1)] {
        write_file(&mut journal, scan, n);
    }
    drop(journal);
    let whole = fs::read_to_string(&path).expect("it was written");
    let lines: Vec<&str> = whole.lines().collect();
    let edit = |edited: Vec<&str>| {
        fs::write(&path, edited.join("\n") + "\n").expect("it is writable");
        let journal = open(&path, true);
        let kept = ["a", "b", "c", "d"].map(|scan| journal.sha256(scan).is_some());
        (kept, journal.fault().map(|fault| fault.line))
    };
    assert_eq!(edit(lines.clone()), ([true; 4], None));
    let changed = lines[6].replace("met on 1", "met on 7");
    let mut edited = lines.clone();
    edited[6] = &changed;
    assert_eq!(edit(edited), ([true, true, false, false], Some(7)));
    let mut edited = lines.clone();
    edited.swap(4, 6);
    assert_eq!(edit(edited).0, [true, false, false, false]);
    let mut edited = lines.clone();
    edited.drain(4..6);
    assert_eq!(edit(edited).0, [true, false, false, false]);
    let mut edited = lines.clone();
    edited.splice(6..6, lines[4..6].to_vec());
    assert_eq!(edit(edited).0, [true, true, false, false]);
}

#[test]
fn line_without_sense_is_dropped_though_its_hash_is_right() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let path = dir.path().join("journal");
    let json = |line: &Line| serde_json::to_string(line).expect("it is text");
    let run = json(&Line::Run { identity: identity("this") });
    let at = |n: u32| json(&Line::Page(page("a", n), format!("met on {n}")));
    let done = |n: u32| json(&Line::Done(file("a", 1), n));
    let of_b = json(&Line::Page(page("b", 2), "met on 2".to_owned()));
    let accepted = at(1).replace("rejected", "accepted");
    let cases = [
        (vec![run.clone(), at(1), done(1)], true),
        (vec![run.clone(), at(2), done(1)], false),
        (vec![run.clone(), at(1), at(1), done(2)], false),
        (vec![run.clone(), done(0)], false),
        (vec![run.clone(), at(1), of_b, done(2)], false),
        (vec![run.clone(), accepted, done(1)], false),
    ];
    for (lines, is_kept) in cases {
        forge(&path, &lines);
        let journal = open(&path, true);
        assert_eq!(journal.sha256("a").is_some(), is_kept, "{lines:?}");
        assert_eq!(journal.fault().is_none(), is_kept, "{lines:?}");
    }
    // nothing says what read it
    forge(&path, &[at(1), done(1)]);
    let error = Journal::open(&path, identity("this"), &SCANS, true).expect_err("it is no journal").to_string();
    assert!(error.contains("not the journal of a run"), "{error}");
}
