//! What there is to do, in order: files, page by page.

use std::{
    collections::HashSet,
    fs::{self, Metadata},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    RunOptions,
    journal::{FileId, Stamp},
    outcome::Outcome,
};
use formread_page::{
    decoder_process::DecoderPool,
    scans::{Scan, read_file},
};
use formread_raster::{
    error::{Error, Result},
    hash::{Sha256, sha256},
};

/// A change this short ago may be followed by another one that leaves the times as they are: file systems count in steps
/// of up to 2 s (FAT).
const CLOCK_STEP: Duration = Duration::from_secs(2);

/// One thing for a worker to do.
pub enum Item<'a> {
    /// A page of a file, 0-based.
    Page { scan: &'a Scan, bytes: Arc<[u8]>, page_idx: usize },
    /// A file of which not even the number of pages is known.
    Faulty { scan: &'a Scan, error: Error },
    /// All pages of the file have been given out, or the one row of a file that has none: `pages` of them.
    FileEnd { file: FileId, pages: u32 },
    /// Nothing to be done: it is known already what became of the file.
    Known(Result<Outcome<'a>>),
}

/// Files in order, page by page. A file is opened when the one before it has been given out.
pub struct Items<'a> {
    /// They count the pages of files.
    decoders: &'a DecoderPool<'a>,
    scans: std::slice::Iter<'a, &'a Scan>,
    open: Option<OpenFile<'a>>,
    policy: Option<RunPolicy<'a>>,
}

/// What a run takes policy of, and a measurement does not.
struct RunPolicy<'a> {
    /// Contents whose pages have been given out, now or before, by half their names: they are read once.
    dispatched: HashSet<u128>,
    /// A file that was changed less than this ago may still be written to.
    settle: Duration,
    input: Option<&'a Path>,
    stop: &'a AtomicBool,
}

struct OpenFile<'a> {
    scan: &'a Scan,
    stamp: Option<Stamp>,
    /// `None`: it could not be read.
    bytes: Option<Arc<[u8]>>,
    sha256: Option<Sha256>,
    n_pages: usize,
    next_idx: usize,
}

impl OpenFile<'_> {
    fn id(&self) -> FileId {
        FileId { scan: self.scan.name.clone(), stamp: self.stamp.filter(Stamp::is_lasting), sha256: self.sha256 }
    }
}

impl<'a> Items<'a> {
    /// Every page of every file; they are counted with `decoders`, of which one is started.
    ///
    /// # Errors
    /// `Io` where it cannot be started.
    pub fn open(decoders: &'a DecoderPool<'a>, scans: &'a [&'a Scan]) -> Result<Self> {
        if !scans.is_empty() {
            decoders.start()?;
        }
        Ok(Self { decoders, scans: scans.iter(), open: None, policy: None })
    }

    /// The same for a run: it ends when it is told to stop, of files with one content it gives out the pages once, and of
    /// those that are `given` already none.
    pub fn of_run(self, options: &'a RunOptions, dispatched: HashSet<u128>) -> Self {
        let RunOptions { settle, input, stop, .. } = options;
        Self { policy: Some(RunPolicy { dispatched, settle: *settle, input: input.as_deref(), stop }), ..self }
    }

    fn is_stopped(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.stop.load(Ordering::Relaxed))
    }

    fn next_file(&mut self) -> Option<Item<'a>> {
        let scan = *self.scans.next()?;
        let settle = self.policy.as_ref().map_or(Duration::ZERO, |policy| policy.settle);
        let stamp = stamp_of(&scan.path);
        let read = read_file(&scan.path, self.decoders.limits());
        // Zero is no time to wait for: then a file is read as it stands.
        let is_written_to =
            !settle.is_zero() && (stamp_of(&scan.path) != stamp || stamp.is_some_and(|s| s.age() < settle));
        if is_written_to {
            return Some(Item::Known(Ok(Outcome::Deferred { scan: scan.name.clone() })));
        }
        let mut file = OpenFile { scan, stamp, bytes: None, sha256: None, n_pages: 0, next_idx: 0 };
        let n_pages = match read {
            Ok(bytes) => {
                file.sha256 = Some(sha256(&bytes));
                if let (Some(policy), Some(sha256)) = (&mut self.policy, file.sha256)
                    && !policy.dispatched.insert(sha256.half())
                {
                    return Some(Item::Known(Ok(Outcome::Copy(file.id()))));
                }
                let n_pages = n_pages(&bytes, self.decoders);
                file.bytes = Some(bytes);
                n_pages
            }
            Err(error) => match self.policy.as_ref().and_then(|policy| policy.input).and_then(gone) {
                Some(gone) => return Some(Item::Known(Err(gone))),
                None => Err(error),
            },
        };
        match n_pages {
            Ok(n_pages) => {
                self.open = Some(OpenFile { n_pages, ..file });
                self.next()
            }
            Err(error) => {
                self.open = Some(file);
                Some(Item::Faulty { scan, error })
            }
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let Some(mut file) = self.open.take() else {
            return if self.is_stopped() { None } else { self.next_file() };
        };
        let page_idx = file.next_idx;
        match &file.bytes {
            Some(_) if page_idx < file.n_pages && self.is_stopped() => None,
            Some(bytes) if page_idx < file.n_pages => {
                let item = Item::Page { scan: file.scan, bytes: Arc::clone(bytes), page_idx };
                file.next_idx += 1;
                self.open = Some(file);
                Some(item)
            }
            _ => {
                let pages = u32::try_from(file.n_pages.max(1)).unwrap_or(u32::MAX);
                Some(Item::FileEnd { file: file.id(), pages })
            }
        }
    }
}

/// Number of pages of a file that has some.
fn n_pages(bytes: &Arc<[u8]>, decoders: &DecoderPool<'_>) -> Result<usize> {
    match decoders.n_pages(bytes)? {
        0 => Err(Error::format("image", "no pages")),
        n => Ok(n),
    }
}

/// Why the folder that all scans stand in is no longer what was listed: a share that is not there is not as many files that
/// cannot be read. `None` where it still holds something.
fn gone(input: &Path) -> Option<Error> {
    let error = match fs::read_dir(input).map(|mut entries| entries.next()) {
        Ok(Some(Ok(_))) => return None,
        Ok(Some(Err(error))) | Err(error) => Error::from(error),
        Ok(None) => Error::usage("the folder of scans is empty, and was not when they were listed"),
    };
    Some(error.in_file(input.to_string_lossy()))
}

/// What tells the file at `path` from another, or from what it was before; `None` where it is not to be had.
pub fn stamp_of(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.map_or(0, ns);
    Some(Stamp { bytes: metadata.len(), modified_ns, changed_ns: changed_ns(&metadata) })
}

#[cfg(unix)]
fn changed_ns(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let [s, ns] = [metadata.ctime(), metadata.ctime_nsec()].map(|part| u64::try_from(part).unwrap_or(0));
    s.saturating_mul(1_000_000_000).saturating_add(ns)
}

#[cfg(not(unix))]
fn changed_ns(_: &Metadata) -> u64 {
    0
}

/// Nanoseconds, up to the year 2554.
fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, ns)
}

impl Stamp {
    /// Time since the last change of the content. A change in what the clock takes for the future counts by how far off
    /// it is, or a file of a scanner with a wrong clock would never settle.
    fn age(&self) -> Duration {
        Duration::from_nanos(now_ns().abs_diff(self.modified_ns))
    }

    /// Whether a change from now on would show in it.
    fn is_lasting(&self) -> bool {
        let last_ns = self.modified_ns.max(self.changed_ns);
        last_ns > 0 && last_ns.saturating_add(ns(CLOCK_STEP)) <= now_ns()
    }
}
