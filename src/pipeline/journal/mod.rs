//! What a run has read so far, on disk: one line of JSON per page, in the order in which files were finished. A run that was
//! interrupted is resumed from it. The tables are made from it at the end, because only then all columns are known.
//!
//! Before each line is the SHA-256 of itself and of the hash before it, so that no line can be changed, left out, moved or
//! repeated without a change of every hash after it. A line must also make sense: see [`PageRows::contradiction`]. From the
//! first line on that does not, nothing is kept: those files are read anew. This finds damage and edits, but not somebody who
//! computes the hashes again: who can write to the journal can also write to the tables.
//!
//! It is synced to disk (fsync) at the end of a file, at most every two seconds, and at the end of the run: a power failure
//! costs what was read in the last two seconds, a killed process only the files it was reading. Its owner alone may read
//! it, because it contains every value.

mod index;
mod line;
mod recovery;

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::stamp::Stamp;
use formread_core::rows::PageRows;
use formread_page::scans::Scan;
use formread_raster::{
    error::{Error, Format, Result},
    fsio::{private_options, sync_folder_of},
    hash::Sha256,
    hash_chain::{checked, first_hash, hash_of},
};

use index::{Extent, Index};
use line::{Line, is_journal};
use recovery::Recovered;

pub use line::FileId;
pub use recovery::JournalFault;

/// Minimum time between two syncs: one takes some milliseconds, a page half a second.
const SYNC_INTERVAL: Duration = Duration::from_secs(2);

/// An open journal.
#[derive(Debug)]
pub struct Journal<'a> {
    path: PathBuf,
    writer: BufWriter<File>,
    /// Offset of the next line.
    end: u64,
    /// The hash of the last line.
    hash: Sha256,
    /// Offset of the first page of the current file, and the hash before it.
    file_start: (u64, Sha256),
    synced: Instant,
    index: Index<'a>,
    /// What was found wrong with it when it was opened.
    fault: Option<JournalFault>,
}

impl<'a> Journal<'a> {
    /// Opens the journal of a run over `scans` at `path`. With `resume`, finished files in it are kept, and those that were
    /// read under this identity count as read.
    ///
    /// # Errors
    /// `Usage` where two scans have one name; where it cannot be read or written.
    pub fn open(path: &Path, identity: Sha256, scans: &'a [Scan], resume: bool) -> Result<Self> {
        let mut known =
            Recovered { identity: None, index: Index::new(scans)?, end: 0, hash: first_hash(), fault: None };
        let here = |error: io::Error| Error::from(error).in_file(path.to_string_lossy());
        let mut options = private_options();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(here)?;
        if !is_journal(&file).map_err(here)? {
            let message = format!("not the journal of a run: {}", path.display());
            return Err(Error::usage(message).with_hint("choose another name for the table"));
        }
        if resume {
            known.read(&file, identity).map_err(here)?;
        }
        file.set_len(known.end).map_err(here)?;
        file.seek(SeekFrom::Start(known.end)).map_err(here)?;
        sync_folder_of(path).map_err(here)?;
        let (path, writer) = (path.to_owned(), BufWriter::new(file));
        let Recovered { identity: last, index, end, hash, fault } = known;
        let file_start = (end, hash);
        let mut journal = Self { path, writer, end, hash, file_start, synced: Instant::now(), index, fault };
        if last != Some(identity) {
            journal.write(&Line::Run { identity })?;
            journal.file_start = (journal.end, journal.hash);
            journal.sync()?;
        }
        Ok(journal)
    }

    /// The first line that did not hold when the journal was opened. A last line that was cut off is none: a killed run leaves
    /// it.
    pub fn fault(&self) -> Option<&JournalFault> {
        self.fault.as_ref()
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
            let (offset, before) = self.file_start;
            let extent = Extent { before, offset, bytes: self.end - offset, pages };
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
        let Some(Extent { mut before, offset, bytes, .. }) = self.index.extent(scan) else { return Ok(()) };
        let here = |error: Error| error.in_file(self.path.to_string_lossy());
        let file = self.writer.get_mut();
        file.seek(SeekFrom::Start(offset)).map_err(|error| here(error.into()))?;
        for line in BufReader::new(file.take(bytes)).split(b'\n') {
            let line = line.map_err(|error| here(error.into()))?;
            let changed = || here(Error::format(Format::Journal, "changed since it was written"));
            let (json, hash) = checked(&line, before).ok_or_else(changed)?;
            before = hash;
            match serde_json::from_slice(json) {
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
        self.file_start = (self.end, self.hash);
        self.writer.flush().map_err(|error| self.at(error))?;
        if self.synced.elapsed() >= SYNC_INTERVAL { self.sync() } else { Ok(()) }
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        let json = serde_json::to_vec(line).map_err(|error| Error::format(Format::Journal, error))?;
        self.hash = hash_of(self.hash, &json);
        let text = [format!("{} ", self.hash).as_bytes(), &json, b"\n"].concat();
        self.writer.write_all(&text).map_err(|error| self.at(error))?;
        self.end += text.len() as u64;
        Ok(())
    }

    fn at(&self, error: io::Error) -> Error {
        Error::from(error).in_file(self.path.to_string_lossy())
    }
}

#[cfg(test)]
mod tests;
