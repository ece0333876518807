//! Files -> items of work: each file is read, hashed and its pages are counted by the worker that opens it.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    RunOptions, catch_panic::catch_panic, file_time::FileTime, journal::FileId, ordered::Source, outcome::Outcome,
    stamp::Stamp,
};
use formread_page::{
    decoder_process::DecoderPool,
    scans::{Scan, read_file},
};
use formread_raster::{
    error::{Error, Format, Result},
    hash::{Sha256, sha256},
};

/// A file whose pages are read.
pub struct OpenFile<'a> {
    pub scan: &'a Scan,
    pub bytes: Arc<[u8]>,
    pub sha256: Sha256,
    pub time: FileTime,
}

/// One thing for a worker to do.
pub enum Item<'a> {
    /// A page of a file, `page_idx` from 0.
    Page { file: Arc<OpenFile<'a>>, page_idx: usize },
    /// A file whose pages cannot be counted.
    Faulty { scan: &'a Scan, sha256: Option<Sha256>, error: Error },
    /// Nothing: the outcome is known.
    Known(Result<Outcome<'a>>),
}

/// The scans, as a source of items. A file's last item is the end of that file.
pub struct Files<'a> {
    /// Count the pages of files.
    decoders: &'a DecoderPool<'a>,
    scans: &'a [&'a Scan],
    policy: Option<RunPolicy<'a>>,
}

/// What a run takes care of, and a measurement of speed does not.
struct RunPolicy<'a> {
    /// For each content, by half its SHA-256, the first file known to have it; `None` where the journal has its pages.
    first_file: Mutex<HashMap<u128, Option<usize>>>,
    /// A file that was changed less than this ago may still be written to.
    settle: Duration,
    input: Option<&'a Path>,
    stop: &'a AtomicBool,
}

impl<'a> Files<'a> {
    /// Every page of every file. `decoders` count the pages; one of them is started.
    ///
    /// # Errors
    /// `Io` where it cannot be started.
    pub fn new(decoders: &'a DecoderPool<'a>, scans: &'a [&'a Scan]) -> Result<Self> {
        if !scans.is_empty() {
            decoders.start()?;
        }
        Ok(Self { decoders, scans, policy: None })
    }

    /// The files of a run: it ends when `options.stop` is set, and the pages of one content are read once, or not at all
    /// if it is among the `known` ones.
    pub fn of_run(self, options: &'a RunOptions, known: HashSet<u128>) -> Self {
        let RunOptions { settle, input, stop, .. } = options;
        let first_file = Mutex::new(known.into_iter().map(|content| (content, None)).collect());
        Self { policy: Some(RunPolicy { first_file, settle: *settle, input: input.as_deref(), stop }), ..self }
    }

    /// Opens a file without regard to others of the same content.
    fn opened(&self, idx: usize) -> Vec<Item<'a>> {
        let scan = self.scans[idx];
        let settle = self.policy.as_ref().map_or(Duration::ZERO, |policy| policy.settle);
        let stamp = Stamp::of(&scan.path);
        let is_reliable = stamp.is_some_and(|stamp| stamp.is_reliable());
        let read = read_file(&scan.path, self.decoders.limits());
        // Without a time to settle, a file is read as it is.
        let is_recent = || Stamp::of(&scan.path) != stamp || stamp.is_some_and(|stamp| stamp.age() < settle);
        if !settle.is_zero() && is_recent() {
            return vec![Item::Known(Ok(Outcome::Deferred { scan: scan.name.clone() }))];
        }
        let sha256 = read.as_ref().ok().map(|bytes| sha256(bytes));
        let end = |pages: usize| {
            let file = FileId { scan: scan.name.clone(), stamp: stamp.filter(|_| is_reliable), sha256 };
            Item::Known(Ok(Outcome::FileEnd { file, pages: u32::try_from(pages).unwrap_or(u32::MAX) }))
        };
        let counted = match (read, sha256) {
            (Ok(bytes), Some(sha256)) => {
                if self.policy.as_ref().is_some_and(|policy| policy.is_copy(idx, sha256)) {
                    return vec![end(0)];
                }
                n_pages(&bytes, self.decoders).map(|n_pages| (bytes, sha256, n_pages))
            }
            (Ok(_), None) => Err(Error::internal("a file without a hash")),
            (Err(error), _) => match self.policy.as_ref().and_then(|policy| policy.input).and_then(missing) {
                Some(missing) => return vec![Item::Known(Err(missing))],
                None => Err(error),
            },
        };
        match counted {
            Ok((bytes, sha256, n_pages)) => {
                let file = Arc::new(OpenFile { scan, bytes, sha256, time: FileTime::default() });
                let page = |page_idx| Item::Page { file: Arc::clone(&file), page_idx };
                (0..n_pages).map(page).chain([end(n_pages)]).collect()
            }
            Err(error) => vec![Item::Faulty { scan, sha256, error }, end(1)],
        }
    }
}

impl<'a> Source for Files<'a> {
    type Item = Item<'a>;

    fn n_groups(&self) -> usize {
        self.scans.len()
    }

    fn open(&self, idx: usize) -> Vec<Item<'a>> {
        catch_panic(|| Ok(self.opened(idx))).unwrap_or_else(|error| {
            let scan = self.scans[idx];
            let file = FileId { scan: scan.name.clone(), stamp: None, sha256: None };
            let end = Item::Known(Ok(Outcome::FileEnd { file, pages: 1 }));
            vec![Item::Faulty { scan, sha256: None, error }, end]
        })
    }

    fn is_stopped(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.stop.load(Ordering::Relaxed))
    }
}

impl RunPolicy<'_> {
    /// Whether the pages of this content are in the journal, or are read for a file before `idx`. Files are opened side by
    /// side, so a later file may be first to be known: then both are read, and the journal keeps the pages of the earlier.
    fn is_copy(&self, idx: usize, sha256: Sha256) -> bool {
        let mut first_file = self.first_file.lock().unwrap_or_else(PoisonError::into_inner);
        let first = first_file.entry(sha256.half()).or_insert(Some(idx));
        let is_copy = first.is_none_or(|first| first < idx);
        if !is_copy {
            *first = Some(idx);
        }
        is_copy
    }
}

/// Number of pages of a file that has at least one.
fn n_pages(bytes: &Arc<[u8]>, decoders: &DecoderPool<'_>) -> Result<usize> {
    match decoders.n_pages(bytes, &decoders.limits().page_deadline())? {
        0 => Err(Error::format(Format::Image, "no pages")),
        n => Ok(n),
    }
}

/// The error where the folder of scans is missing or empty: a network share that went away must not become thousands of
/// unreadable files. `None` where the folder still has entries.
fn missing(input: &Path) -> Option<Error> {
    let error = match fs::read_dir(input).map(|mut entries| entries.next()) {
        Ok(Some(Ok(_))) => return None,
        Ok(Some(Err(error))) | Err(error) => Error::from(error),
        Ok(None) => Error::from(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "the folder of scans is empty now, but had files when they were listed",
        )),
    };
    Some(error.in_file(input.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_a_copy_only_of_an_earlier_file_or_of_the_journal() {
        let stop = AtomicBool::new(false);
        let known = sha256(b"in the journal");
        let first_file = Mutex::new([(known.half(), None)].into());
        let policy = RunPolicy { first_file, settle: Duration::ZERO, input: None, stop: &stop };
        let new = sha256(b"new");
        assert!(policy.is_copy(0, known));
        assert!(!policy.is_copy(5, new), "the first one known is read");
        assert!(policy.is_copy(6, new));
        assert!(!policy.is_copy(3, new), "an earlier file must not wait for a later one");
        assert!(policy.is_copy(4, new));
    }
}
