//! What a run has read so far, on the disk: a line of JSON a page, in whatever order the files were finished. A run that
//! was cut off goes on from it, and the tables are made from it at the end, since only then all columns are known.
//!
//! It is stored (fsync) where a file ends, but at most every two seconds, and once more at the end: a power failure costs
//! what was read in the last two seconds, a killed process only the files that it was at.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
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
    fsio::sync_folder_of,
    hash::Sha256,
};

/// Least time between two stores: one costs some milliseconds, a page half a second.
const STORE_EVERY: Duration = Duration::from_secs(2);

/// What a run depends on, besides the scans. Pages read under another one are never mixed into its tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// Version of the program.
    pub version: String,
    /// Fingerprint of the templates and of the parameters with which they are read.
    pub templates: String,
    /// Fingerprint of the weights.
    pub weights: String,
}

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileId {
    /// As the tables name it.
    pub scan: String,
    /// `None`: nothing can be said by which it would be known again.
    pub stamp: Option<Stamp>,
    /// Its content; `None` where it could not be opened.
    pub sha256: Option<Sha256>,
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// What follows was read with this.
    Run(RunIdentity),
    /// A page, and what was met where it could not be read.
    Page(PageRows, String),
    /// All pages of the file stand above, and so many there must be.
    Done(FileId, u32),
    /// The file has the content of one that is done above, and so its pages.
    Copy(FileId),
}

/// Where the pages of a content stand in the journal.
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
    /// Place of its content among the index's; `None` where it could not be opened.
    content: Option<u32>,
}

/// What stands in a journal, of one identity. It has room for every scan from the start: nothing small that lasts is put
/// among what the pages take and leave. Some 120 bytes a file, and nothing a page.
#[derive(Debug)]
struct Index<'a> {
    /// The scans of the run.
    scans: &'a [Scan],
    /// Their places, in the order of their names.
    by_name: Vec<u32>,
    /// One a scan; `None`: not finished.
    files: Vec<Option<Finished>>,
    /// Also those of files that are no longer among the scans: one that was given another name is not read again.
    contents: IndexMap<Sha256, Extent>,
    /// Where the row of a scan stands that could not be opened, by its place.
    unopened: HashMap<u32, Extent>,
}

impl<'a> Index<'a> {
    /// # Errors
    /// `Usage` where two scans have one name: rows of both would be taken for one another's.
    fn new(scans: &'a [Scan]) -> Result<Self> {
        let name = |place: u32| scans[place as usize].name.as_str();
        let n_scans = u32::try_from(scans.len()).map_err(|_| Error::usage("more files than can be counted"))?;
        let mut by_name: Vec<u32> = (0..n_scans).collect();
        by_name.sort_unstable_by_key(|&place| name(place));
        if let Some(twice) = by_name.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
            return Err(Error::usage(format!("two scans have one name: {}", name(twice[0]))));
        }
        let (files, contents) = (vec![None; scans.len()], IndexMap::with_capacity(scans.len()));
        Ok(Self { scans, by_name, files, contents, unopened: HashMap::new() })
    }

    /// Where `scan` stands among the scans.
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

    /// The file is finished, and the pages of its content stand there.
    fn done(&mut self, FileId { scan, stamp, sha256 }: &FileId, extent: Extent) {
        let content = sha256.map(|sha256| self.contents.insert_full(sha256, extent).0 as u32);
        let Some(place) = self.place(scan) else { return };
        if content.is_none() {
            self.unopened.insert(place, extent);
        }
        self.files[place as usize] = Some(Finished { stamp: *stamp, content });
    }

    /// Whether there is the content of which the file is a copy.
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
    /// Where the next line will stand.
    end: u64,
    /// Where the file that is being written began.
    file_start: u64,
    stored: Instant,
    index: Index<'a>,
}

impl<'a> Journal<'a> {
    /// Opens the journal of a run over `scans` at `path`; with `resume`, what stands there of finished files is kept, and
    /// what was read with this identity counts as read.
    ///
    /// # Errors
    /// `Usage` where two scans have one name; where it cannot be read or written.
    pub fn open(path: &Path, identity: &RunIdentity, scans: &'a [Scan], resume: bool) -> Result<Self> {
        let mut known = Recovered { identity: None, index: Index::new(scans)?, end: 0 };
        let here = |error: io::Error| Error::from(error).in_file(path.to_string_lossy());
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(here)?;
        if resume {
            known.read(&file, identity).map_err(here)?;
        }
        file.set_len(known.end).map_err(here)?;
        file.seek(SeekFrom::Start(known.end)).map_err(here)?;
        sync_folder_of(path).map_err(here)?;
        let (path, writer) = (path.to_owned(), BufWriter::new(file));
        let Recovered { identity: last, index, end } = known;
        let mut journal = Self { path, writer, end, file_start: end, stored: Instant::now(), index };
        if last.as_ref() != Some(identity) {
            journal.write(&Line::Run(identity.clone()))?;
            journal.file_start = journal.end;
            journal.sync()?;
        }
        Ok(journal)
    }

    /// Whether the file `scan` stands here as it is now.
    pub fn has_file(&self, scan: &str, stamp: Option<Stamp>) -> bool {
        self.index.get(scan).is_some_and(|file| file.stamp.is_some() && file.stamp == stamp)
    }

    /// The contents whose pages stand here, by half their names.
    pub fn contents(&self) -> HashSet<u128> {
        let mut contents = HashSet::with_capacity(self.index.files.len());
        contents.extend(self.index.contents.keys().map(Sha256::half));
        contents
    }

    /// Adds a page of the file that is being written; `detail` says what was met where it could not be read.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn add_page(&mut self, rows: PageRows, detail: String) -> Result<()> {
        self.write(&Line::Page(rows, detail))
    }

    /// The content of the finished file `scan`; `None` where it could not be opened.
    pub fn sha256(&self, scan: &str) -> Option<Sha256> {
        let content = self.content(scan)?;
        self.index.contents.get_index(content as usize).map(|(sha256, _)| *sha256)
    }

    /// The number of that content, below [`Journal::n_contents`]: the same of files that have the same.
    pub fn content(&self, scan: &str) -> Option<u32> {
        self.index.get(scan).and_then(|file| file.content)
    }

    /// How many contents stand here.
    pub fn n_contents(&self) -> usize {
        self.index.contents.len()
    }

    /// Number of pages that the finished file `scan` was found to have.
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

    /// Calls `visit` with each page of the finished file `scan`, in their order, and with what was met where it could
    /// not be read.
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
                // Copies have the pages of another name.
                Ok(Line::Page(rows, detail)) => visit(PageRows { scan: scan.to_owned(), ..rows }, &detail)?,
                Ok(_) => return Err(here(Error::format(Format::Journal, "not a page"))),
                Err(error) => return Err(here(Error::format(Format::Journal, error))),
            }
        }
        Ok(())
    }

    /// Stores what has been written on the disk.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn sync(&mut self) -> Result<()> {
        self.stored = Instant::now();
        let stored = self.writer.flush().and_then(|()| self.writer.get_ref().sync_data());
        stored.map_err(|error| self.at(error))
    }

    /// Takes the journal away: its tables stand.
    ///
    /// # Errors
    /// Where the folder does not allow it.
    pub fn remove(self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|error| self.at(error))
    }

    fn end_file(&mut self) -> Result<()> {
        self.file_start = self.end;
        self.writer.flush().map_err(|error| self.at(error))?;
        if self.stored.elapsed() >= STORE_EVERY { self.sync() } else { Ok(()) }
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

/// What is found in a journal that is opened again.
#[derive(Debug)]
struct Recovered<'a> {
    /// With which the last files were read.
    identity: Option<RunIdentity>,
    /// Files read with the identity that was asked for.
    index: Index<'a>,
    /// Where the last whole file ends. What follows was cut off.
    end: u64,
}

impl Recovered<'_> {
    fn read(&mut self, file: &File, wanted: &RunIdentity) -> io::Result<()> {
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
            let is_wanted = self.identity.as_ref() == Some(wanted);
            match serde_json::from_slice(&text) {
                Ok(Line::Run(identity)) => self.identity = Some(identity),
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

    fn identity() -> RunIdentity {
        RunIdentity { version: "1".to_owned(), templates: "t".to_owned(), weights: "w".to_owned() }
    }

    static SCANS: LazyLock<Vec<Scan>> = LazyLock::new(|| {
        let names = ["a", "b", "c", "c again", "d"].map(str::to_owned);
        names.map(|name| Scan { path: PathBuf::from(&name), name }).into()
    });

    fn open_with(identity: &RunIdentity, path: &Path, resume: bool) -> Journal<'static> {
        Journal::open(path, identity, &SCANS, resume).expect("the folder is writable")
    }

    fn open(path: &Path, resume: bool) -> Journal<'static> {
        open_with(&identity(), path, resume)
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
    fn wherever_it_is_cut_off_whole_files_are_kept_and_nothing_else() {
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
                assert!(!journal.has_file(scan, stamp(99)), "a file that has changed is looked at again");
                assert_eq!(journal.pages(scan), if is_whole { n } else { 0 });
                assert_eq!(pages(&mut journal, scan).len() as u32, if is_whole { n } else { 0 });
            }
        }
    }

    #[test]
    fn a_resumed_journal_is_added_to() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("journal");
        for (resume, scan) in [(false, "a"), (true, "b")] {
            write_file(&mut open(&path, resume), scan, 2);
        }
        let mut journal = open(&path, true);
        assert_eq!((pages(&mut journal, "a"), pages(&mut journal, "b")), (vec![1, 2], vec![1, 2]));
        journal.finish_file(FileId { stamp: None, ..file("c", 0) }, 0).expect("the disk has room");
        assert!(!journal.has_file("c", None), "a file that could not even be looked at is read again");
    }

    #[test]
    fn a_file_that_was_given_another_name_is_known_by_its_content() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("journal");
        write_file(&mut open(&path, false), "a", 2);
        let renamed = [Scan { name: "e".to_owned(), path: "e".into() }];
        let mut journal = Journal::open(&path, &identity(), &renamed, true).expect("the folder is writable");
        assert!(journal.contents().contains(&sha256(b"a").half()) && !journal.has_file("a", stamp(2)));
        journal.finish_file(FileId { scan: "e".to_owned(), ..file("a", 2) }, 0).expect("its content stands here");
        assert_eq!(pages(&mut journal, "e"), [1, 2]);
    }

    #[test]
    fn two_scans_of_one_name_are_refused() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let twice = ["x/a", "y/a"].map(|path| Scan { name: "a".to_owned(), path: path.into() });
        let error = Journal::open(&dir.path().join("journal"), &identity(), &twice, false).expect_err("which is it?");
        assert!(error.to_string().contains("one name: a"), "{error}");
    }

    #[test]
    fn what_was_read_with_something_else_counts_only_for_that() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("journal");
        write_file(&mut open(&path, false), "a", 1);
        let other = RunIdentity { weights: "v".to_owned(), ..identity() };
        let mut journal = open_with(&other, &path, true);
        assert!(!journal.has_file("a", stamp(1)) && journal.contents().is_empty(), "read with other weights");
        write_file(&mut journal, "a", 2);
        drop(journal);
        for (identity, kept) in [(&identity(), 1), (&other, 2), (&identity(), 1)] {
            let mut journal = open_with(identity, &path, true);
            assert!(journal.has_file("a", stamp(kept)), "nothing that was read is lost");
            assert_eq!(pages(&mut journal, "a").len() as u32, kept);
        }
    }

    #[test]
    fn a_file_of_which_a_page_is_missing_is_not_finished() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("journal");
        write_file(&mut open(&path, false), "a", 3);
        let text = fs::read_to_string(&path).expect("it was written");
        let without: Vec<&str> = text.lines().enumerate().filter(|(i, _)| *i != 2).map(|(_, line)| line).collect();
        fs::write(&path, without.join("\n") + "\n").expect("it is writable");
        assert!(!open(&path, true).has_file("a", stamp(3)));
    }
}
