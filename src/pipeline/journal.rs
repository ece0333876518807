//! What a run has read so far, on the disk: a line of JSON a page, in whatever order the files were finished. A run that
//! was cut off goes on from it, and the tables are made from it at the end, since only then all columns are known.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions, TryLockError},
    io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    sink::PageRows,
};

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

/// What tells whether a file is the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Length.
    pub bytes: u64,
    /// Time of its last change, nanoseconds since 1970; 0 where it is not known.
    pub modified_ns: u64,
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Run(RunIdentity),
    Page(PageRows),
    /// All pages of the file stand above.
    Done {
        scan: String,
        stamp: Option<Stamp>,
        /// SHA-256 of the file; empty where it could not be opened.
        sha256: String,
    },
}

/// Where a finished file's pages stand in the journal.
#[derive(Debug, Clone)]
struct Extent {
    offset: u64,
    bytes: u64,
    stamp: Option<Stamp>,
    sha256: String,
}

/// An open journal. It is locked: no second run writes to the same tables.
#[derive(Debug)]
pub struct Journal {
    writer: BufWriter<File>,
    /// Where the next line will stand.
    end: u64,
    /// Where the file that is being written began.
    file_start: u64,
    finished: HashMap<String, Extent>,
}

impl Journal {
    /// Opens the journal at `path`; with `resume`, what stands there of finished files is kept.
    ///
    /// # Errors
    /// `Usage` where another run holds it, or where it is to be resumed and was begun with another identity.
    pub fn open(path: &Path, identity: &RunIdentity, resume: bool) -> Result<Self> {
        let here = |error: std::io::Error| Error::from(error).in_file(path.to_string_lossy());
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(here)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::usage(format!("another run is writing to these tables: {}", path.display())));
            }
            Err(TryLockError::Error(error)) => return Err(here(error)),
        }
        let mut finished = HashMap::new();
        let mut end = 0;
        if resume && let Some(begun) = recover(&file, &mut finished, &mut end)? {
            check_same(&begun, identity)?;
        }
        file.set_len(end).map_err(here)?;
        file.seek(SeekFrom::Start(end)).map_err(here)?;
        let mut journal = Self { writer: BufWriter::new(file), end, file_start: end, finished };
        if end == 0 {
            journal.write(&Line::Run(identity.clone()))?;
            journal.writer.flush()?;
            journal.file_start = journal.end;
        }
        Ok(journal)
    }

    /// Whether the file `scan` stands here as it is now.
    pub fn holds(&self, scan: &str, stamp: Option<Stamp>) -> bool {
        self.finished.get(scan).is_some_and(|extent| extent.stamp.is_some() && extent.stamp == stamp)
    }

    /// Adds a page of the file that is being written.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn add(&mut self, rows: PageRows) -> Result<()> {
        self.write(&Line::Page(rows))
    }

    /// SHA-256 of the finished file `scan`, 64 hexadecimal digits; empty where it could not be opened.
    pub fn sha256(&self, scan: &str) -> &str {
        self.finished.get(scan).map_or("", |extent| extent.sha256.as_str())
    }

    /// Ends the file that is being written, of which `sha256` is the name of its content.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn finish_file(&mut self, scan: &str, stamp: Option<Stamp>, sha256: String) -> Result<()> {
        let bytes = self.end - self.file_start;
        let extent = Extent { offset: self.file_start, bytes, stamp, sha256: sha256.clone() };
        self.write(&Line::Done { scan: scan.to_owned(), stamp, sha256 })?;
        self.writer.flush()?;
        self.finished.insert(scan.to_owned(), extent);
        self.file_start = self.end;
        Ok(())
    }

    /// Calls `visit` with each page of the finished file `scan`, in their order.
    ///
    /// # Errors
    /// Where the journal cannot be read, or `visit` fails.
    pub fn visit(&mut self, scan: &str, mut visit: impl FnMut(PageRows) -> Result<()>) -> Result<()> {
        let Some(&Extent { offset, bytes, .. }) = self.finished.get(scan) else { return Ok(()) };
        let file = self.writer.get_mut();
        file.seek(SeekFrom::Start(offset))?;
        for line in BufReader::new(file.take(bytes)).lines() {
            match serde_json::from_str(&line?) {
                Ok(Line::Page(rows)) => visit(rows)?,
                Ok(_) => return Err(Error::format("journal", "not a page")),
                Err(error) => return Err(Error::format("journal", error)),
            }
        }
        Ok(())
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        let mut text = serde_json::to_vec(line).map_err(|error| Error::format("journal", error))?;
        text.push(b'\n');
        self.writer.write_all(&text)?;
        self.end += text.len() as u64;
        Ok(())
    }
}

/// Reads the finished files that stand in `file`; `end` becomes the place after the last of them. What follows it was
/// cut off. `None` where there is not even a whole first line.
fn recover(file: &File, finished: &mut HashMap<String, Extent>, end: &mut u64) -> Result<Option<RunIdentity>> {
    let mut reader = BufReader::new(file);
    let mut identity = None;
    let (mut here, mut text) = (0u64, Vec::new());
    loop {
        text.clear();
        let n = reader.read_until(b'\n', &mut text)? as u64;
        if text.last() != Some(&b'\n') {
            return Ok(identity);
        }
        let page_end = here;
        here += n;
        match serde_json::from_slice(&text) {
            Ok(Line::Run(run)) if identity.is_none() => {
                identity = Some(run);
                *end = here;
            }
            Ok(Line::Page(_)) if identity.is_some() => {}
            Ok(Line::Done { scan, stamp, sha256 }) if identity.is_some() => {
                finished.insert(scan, Extent { offset: *end, bytes: page_end - *end, stamp, sha256 });
                *end = here;
            }
            _ => return Ok(identity),
        }
    }
}

fn check_same(begun: &RunIdentity, now: &RunIdentity) -> Result<()> {
    let RunIdentity { version, templates, weights } = begun;
    let what = match now {
        now if now.version != *version => "version of formread",
        now if now.templates != *templates => "set of templates",
        now if now.weights != *weights => "set of weights",
        _ => return Ok(()),
    };
    Err(Error::usage(format!("the run to be resumed was begun with another {what}\nhint: begin anew with --overwrite")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sink::Verdict;

    fn identity() -> RunIdentity {
        RunIdentity { version: "1".to_owned(), templates: "t".to_owned(), weights: "w".to_owned() }
    }

    fn page(scan: &str, page: u32) -> PageRows {
        let (form, attention) = (String::new(), "unreadable".to_owned());
        PageRows { scan: scan.to_owned(), page, form, verdict: Verdict::Rejected, attention, fields: Vec::new() }
    }

    fn pages(journal: &mut Journal, scan: &str) -> Vec<u32> {
        let mut pages = Vec::new();
        let visit = |rows: PageRows| {
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
        let stamp = |bytes| Some(Stamp { bytes, modified_ns: 5 });
        let mut journal = Journal::open(&path, &identity(), false).expect("the folder is writable");
        let mut ends = Vec::new();
        for (scan, n) in [("a", 2u32), ("b", 1), ("c", 3)] {
            (1..=n).for_each(|p| journal.add(page(scan, p)).expect("the disk has room"));
            journal.finish_file(scan, stamp(u64::from(n)), scan.repeat(3)).expect("the disk has room");
            ends.push(journal.end);
        }
        drop(journal);
        let whole = fs::read(&path).expect("it was written");
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).expect("the folder is writable");
            let mut journal = Journal::open(&path, &identity(), true).expect("it may be resumed");
            for ((scan, n), end) in [("a", 2u32), ("b", 1), ("c", 3)].into_iter().zip(&ends) {
                let is_whole = cut as u64 >= *end;
                assert_eq!(journal.holds(scan, stamp(u64::from(n))), is_whole, "{scan}, cut at {cut}");
                assert_eq!(journal.sha256(scan), if is_whole { scan.repeat(3) } else { String::new() });
                assert!(!journal.holds(scan, stamp(99)), "a file that has changed is read again");
                assert_eq!(pages(&mut journal, scan).len(), if is_whole { n as usize } else { 0 });
            }
        }
    }

    #[test]
    fn a_resumed_journal_is_added_to() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("journal");
        for (resume, scan) in [(false, "a"), (true, "b")] {
            let mut journal = Journal::open(&path, &identity(), resume).expect("it may be opened");
            journal.add(page(scan, 1)).expect("the disk has room");
            journal.add(page(scan, 2)).expect("the disk has room");
            journal.finish_file(scan, None, String::new()).expect("the disk has room");
        }
        let mut journal = Journal::open(&path, &identity(), true).expect("it may be opened");
        assert_eq!((pages(&mut journal, "a"), pages(&mut journal, "b")), (vec![1, 2], vec![1, 2]));
        assert!(!journal.holds("a", None), "a file that could not even be looked at is read again");
    }

    #[test]
    fn another_run_or_other_weights_are_refused() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("journal");
        let journal = Journal::open(&path, &identity(), false).expect("the folder is writable");
        let error = Journal::open(&path, &identity(), true).expect_err("it is locked");
        assert!(error.to_string().contains("another run"), "{error}");
        drop(journal);
        let other = RunIdentity { weights: "v".to_owned(), ..identity() };
        let error = Journal::open(&path, &other, true).expect_err("other weights");
        assert!(error.to_string().contains("weights"), "{error}");
        Journal::open(&path, &other, false).expect("it is begun anew");
    }
}
