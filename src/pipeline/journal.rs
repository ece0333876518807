//! What a run has read so far, on disk: one line of JSON per page, in the order in which files were finished. A run that was
//! interrupted is resumed from it. The tables are made from it at the end, because only then all columns are known.
//!
//! It is synced to disk (fsync) at the end of a file, at most every two seconds, and at the end of the run: a power failure
//! costs what was read in the last two seconds, a killed process only the files it was reading. Its owner alone may read
//! it, because it contains every value.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use formread_core::rows::PageRows;
use formread_page::scans::Scan;
use formread_raster::{
    error::{Error, Format, Result},
    fsio::{private_options, sync_folder_of},
    hash::Sha256,
};

/// Minimum time between two syncs: one takes some milliseconds, a page half a second.
const SYNC_INTERVAL: Duration = Duration::from_secs(2);

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileId {
    /// Its name in the tables.
    pub scan: String,
    /// `None` if a later change might not show in it: then the file is read again by a resumed run.
    pub stamp: Option<Stamp>,
    /// Its content; `None` where it could not be opened.
    pub sha256: Option<Sha256>,
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// The identity of the reader of the files below.
    Run { identity: Sha256 },
    /// A page, and the details if it was rejected.
    Page(PageRows, String),
    /// The file is finished; its pages are the lines above, of this number.
    Done(FileId, u32),
    /// The file has the content of a file above, and so its pages.
    Copy(FileId),
}

/// Where the pages of a content are in the journal.
#[derive(Debug, Clone, Copy)]
struct Extent {
    offset: u64,
    bytes: u64,
    pages: u32,
}

/// A file that is finished.
#[derive(Debug, Clone, Copy)]
struct Finished {
    stamp: Option<Stamp>,
    /// Index of its content among the contents; `None` where it could not be opened.
    content: Option<u32>,
}

/// The content of a journal under one identity. It is allocated at full size at the start, so that no small long-lived
/// allocations lie among those of the pages. Some 120 bytes per file, and nothing per page.
#[derive(Debug)]
struct Index<'a> {
    /// The scans of the run.
    scans: &'a [Scan],
    /// Indices of the scans, in the order of their names.
    by_name: Vec<u32>,
    /// One per scan; `None`: not finished.
    files: Vec<Option<Finished>>,
    /// Includes contents of files that are no longer among the scans, so that a renamed file is not read again.
    contents: IndexMap<Sha256, Extent>,
    /// The row of a scan that could not be opened, by the index of the scan.
    unopened: HashMap<u32, Extent>,
}

impl<'a> Index<'a> {
    /// # Errors
    /// `Usage` where two scans have the same name: their rows could not be distinguished.
    fn new(scans: &'a [Scan]) -> Result<Self> {
        let name = |place: u32| scans[place as usize].name.as_str();
        let n_scans = u32::try_from(scans.len()).map_err(|_| Error::usage("too many files"))?;
        let mut by_name: Vec<u32> = (0..n_scans).collect();
        by_name.sort_unstable_by_key(|&place| name(place));
        if let Some(twice) = by_name.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
            return Err(Error::usage(format!("two scans have one name: {}", name(twice[0]))));
        }
        let (files, contents) = (vec![None; scans.len()], IndexMap::with_capacity(scans.len()));
        Ok(Self { scans, by_name, files, contents, unopened: HashMap::new() })
    }

    /// The index of the scan of this name.
    fn place(&self, scan: &str) -> Option<u32> {
        let name = |&place: &u32| self.scans[place as usize].name.as_str();
        self.by_name.binary_search_by(|place| name(place).cmp(scan)).ok().map(|at| self.by_name[at])
    }

    fn get(&self, scan: &str) -> Option<Finished> {
        self.files[self.place(scan)? as usize]
    }

    fn extent(&self, scan: &str) -> Option<Extent> {
        match self.get(scan)?.content {
            Some(content) => self.contents.get_index(content as usize).map(|(_, extent)| *extent),
            None => self.unopened.get(&self.place(scan)?).copied(),
        }
    }

    /// Notes a finished file, whose pages are at `extent`.
    fn done(&mut self, FileId { scan, stamp, sha256 }: &FileId, extent: Extent) {
        let content = sha256.map(|sha256| self.contents.insert_full(sha256, extent).0 as u32);
        let Some(place) = self.place(scan) else { return };
        if content.is_none() {
            self.unopened.insert(place, extent);
        }
        self.files[place as usize] = Some(Finished { stamp: *stamp, content });
    }

    /// Notes a file whose content is here; `false` if it is not.
    fn copy(&mut self, file: &FileId) -> bool {
        let extent = file.sha256.and_then(|sha256| self.contents.get(&sha256)).copied();
        extent.is_some_and(|extent| {
            self.done(file, extent);
            true
        })
    }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal<'a> {
    path: PathBuf,
    writer: BufWriter<File>,
    /// Offset of the next line.
    end: u64,
    /// Offset of the first page of the current file.
    file_start: u64,
    synced: Instant,
    index: Index<'a>,
}

impl<'a> Journal<'a> {
    /// Opens the journal of a run over `scans` at `path`. With `resume`, finished files in it are kept, and those that were
    /// read under this identity count as read.
    ///
    /// # Errors
    /// `Usage` where two scans have one name; where it cannot be read or written.
    pub fn open(path: &Path, identity: Sha256, scans: &'a [Scan], resume: bool) -> Result<Self> {
        let mut known = Recovered { identity: None, index: Index::new(scans)?, end: 0 };
        let here = |error: io::Error| Error::from(error).in_file(path.to_string_lossy());
        let mut options = private_options();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(here)?;
        if resume {
            known.read(&file, identity).map_err(here)?;
        }
        file.set_len(known.end).map_err(here)?;
        file.seek(SeekFrom::Start(known.end)).map_err(here)?;
        sync_folder_of(path).map_err(here)?;
        let (path, writer) = (path.to_owned(), BufWriter::new(file));
        let Recovered { identity: last, index, end } = known;
        let mut journal = Self { path, writer, end, file_start: end, synced: Instant::now(), index };
        if last != Some(identity) {
            journal.write(&Line::Run { identity })?;
            journal.file_start = journal.end;
            journal.sync()?;
        }
        Ok(journal)
    }

    /// Whether the file `scan` is finished and has not changed since.
    pub fn has_file(&self, scan: &str, stamp: Option<Stamp>) -> bool {
        self.index.get(scan).is_some_and(|file| file.stamp.is_some() && file.stamp == stamp)
    }

    /// The contents whose pages are here, each as half of its SHA-256.
    pub fn contents(&self) -> HashSet<u128> {
        let mut contents = HashSet::with_capacity(self.index.files.len());
        contents.extend(self.index.contents.keys().map(Sha256::half));
        contents
    }

    /// Adds a page of the current file; `detail` explains a rejection to a person.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add_page(&mut self, rows: PageRows, detail: String) -> Result<()> {
        self.write(&Line::Page(rows, detail))
    }

    /// SHA-256 of the finished file `scan`; `None` where it could not be opened.
    pub fn sha256(&self, scan: &str) -> Option<Sha256> {
        let content = self.content(scan)?;
        self.index.contents.get_index(content as usize).map(|(sha256, _)| *sha256)
    }

    /// The index of its content, below [`Journal::n_contents`]; files of the same content have the same one.
    pub fn content(&self, scan: &str) -> Option<u32> {
        self.index.get(scan).and_then(|file| file.content)
    }

    /// Number of different contents.
    pub fn n_contents(&self) -> usize {
        self.index.contents.len()
    }

    /// Number of pages of the finished file `scan`.
    pub fn pages(&self, scan: &str) -> u32 {
        self.index.extent(scan).map_or(0, |extent| extent.pages)
    }

    /// Whether the pages of this content are here.
    pub fn has_content(&self, sha256: Sha256) -> bool {
        self.index.contents.contains_key(&sha256)
    }

    /// Ends the current file. A file whose content is here is a copy and has no pages of its own; another one is finished
    /// if `pages` pages were added.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish_file(&mut self, file: FileId, pages: u32) -> Result<()> {
        if self.index.copy(&file) {
            self.write(&Line::Copy(file))?;
        } else {
            let extent = Extent { offset: self.file_start, bytes: self.end - self.file_start, pages };
            self.index.done(&file, extent);
            self.write(&Line::Done(file, pages))?;
        }
        self.end_file()
    }

    /// Calls `visit` with each page of the finished file `scan`, in order, and with the details of a rejection.
    ///
    /// # Errors
    /// Where the journal cannot be read, or `visit` fails.
    pub fn visit(&mut self, scan: &str, mut visit: impl FnMut(PageRows, &str) -> Result<()>) -> Result<()> {
        let Some(Extent { offset, bytes, .. }) = self.index.extent(scan) else { return Ok(()) };
        let here = |error: Error| error.in_file(self.path.to_string_lossy());
        let file = self.writer.get_mut();
        file.seek(SeekFrom::Start(offset)).map_err(|error| here(error.into()))?;
        for line in BufReader::new(file.take(bytes)).lines() {
            match serde_json::from_str(&line.map_err(|error| here(error.into()))?) {
                // A copy has the pages of a file with another name.
                Ok(Line::Page(rows, detail)) => visit(PageRows { scan: scan.to_owned(), ..rows }, &detail)?,
                Ok(_) => return Err(here(Error::format(Format::Journal, "not a page"))),
                Err(error) => return Err(here(Error::format(Format::Journal, error))),
            }
        }
        Ok(())
    }

    /// Syncs what has been written to disk.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn sync(&mut self) -> Result<()> {
        self.synced = Instant::now();
        let synced = self.writer.flush().and_then(|()| self.writer.get_ref().sync_data());
        synced.map_err(|error| self.at(error))
    }

    /// Removes the journal, once its tables are written.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|error| self.at(error))
    }

    fn end_file(&mut self) -> Result<()> {
        self.file_start = self.end;
        self.writer.flush().map_err(|error| self.at(error))?;
        if self.synced.elapsed() >= SYNC_INTERVAL { self.sync() } else { Ok(()) }
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        let mut text = serde_json::to_vec(line).map_err(|error| Error::format(Format::Journal, error))?;
        text.push(b'\n');
        self.writer.write_all(&text).map_err(|error| self.at(error))?;
        self.end += text.len() as u64;
        Ok(())
    }

    fn at(&self, error: io::Error) -> Error {
        Error::from(error).in_file(self.path.to_string_lossy())
    }
}

/// What is found in a journal that is resumed.
#[derive(Debug)]
struct Recovered<'a> {
    /// The identity under which the last files were read.
    identity: Option<Sha256>,
    /// Files that were read under the identity of this run.
    index: Index<'a>,
    /// Offset of the end of the last whole file. What follows is incomplete.
    end: u64,
}

impl Recovered<'_> {
    fn read(&mut self, file: &File, wanted: Sha256) -> io::Result<()> {
        let mut reader = BufReader::new(file);
        let (mut here, mut text, mut pages) = (0u64, Vec::new(), 0u32);
        loop {
            text.clear();
            let n = reader.read_until(b'\n', &mut text)? as u64;
            if text.last() != Some(&b'\n') {
                return Ok(());
            }
            let line_start = here;
            here += n;
            let is_wanted = self.identity == Some(wanted);
            match serde_json::from_slice(&text) {
                Ok(Line::Run { identity }) => self.identity = Some(identity),
                Ok(Line::Page(..)) if self.identity.is_some() => {
                    pages += 1;
                    continue;
                }
                Ok(Line::Done(file, n)) if self.identity.is_some() && n == pages => {
                    if is_wanted {
                        self.index.done(&file, Extent { offset: self.end, bytes: line_start - self.end, pages });
                    }
                }
                Ok(Line::Copy(file)) if self.identity.is_some() => {
                    if is_wanted && !self.index.copy(&file) {
                        return Ok(());
                    }
                }
                _ => return Ok(()),
            }
            (self.end, pages) = (here, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use formread_core::rows::Verdict;
    use formread_raster::hash::sha256;

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
        PageRows { scan: scan.to_owned(), page, form, verdict: Verdict::Rejected, attention, fields: Vec::new() }
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
        let error =
            Journal::open(&dir.path().join("journal"), identity("this"), &twice, false).expect_err("which is it?");
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
        assert!(text.starts_with(&format!("{{\"run\":{{\"identity\":\"{this}\"}}}}\n")), "{text}");
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
}
