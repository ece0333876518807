//! What there is to do, in order: files, page by page.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    sync::Arc,
    time::UNIX_EPOCH,
};

use super::{journal::Stamp, walk::Scan};
use crate::{
    error::{Error, ErrorKind, Result},
    page::{self, Limits},
};

/// One thing for a worker to do.
pub enum Item<'a> {
    /// A page of a file, 0-based.
    Page { scan: &'a Scan, bytes: Arc<[u8]>, page_idx: usize },
    /// A file of which not even the number of pages is known.
    Faulty { scan: &'a Scan, error: Error },
    /// All pages of the file have been given out.
    FileEnd { scan: &'a Scan, stamp: Option<Stamp> },
}

/// Files in order, page by page. A file is opened when the one before it has been given out.
pub struct Items<'a> {
    limits: &'a Limits,
    scans: std::slice::Iter<'a, &'a Scan>,
    open: Option<OpenFile<'a>>,
}

struct OpenFile<'a> {
    scan: &'a Scan,
    stamp: Option<Stamp>,
    bytes: Arc<[u8]>,
    n_pages: usize,
    next_idx: usize,
}

impl<'a> Items<'a> {
    pub fn new(limits: &'a Limits, scans: &'a [&'a Scan]) -> Self {
        Self { limits, scans: scans.iter(), open: None }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if let Some(file) = &mut self.open {
            let page_idx = file.next_idx;
            if page_idx < file.n_pages {
                file.next_idx += 1;
                return Some(Item::Page { scan: file.scan, bytes: Arc::clone(&file.bytes), page_idx });
            }
            let item = Item::FileEnd { scan: file.scan, stamp: file.stamp };
            self.open = None;
            return Some(item);
        }
        let scan = self.scans.next()?;
        let stamp = stamp_of(&scan.path);
        let nothing = OpenFile { scan, stamp, bytes: Arc::from([]), n_pages: 0, next_idx: 0 };
        let opened = read_file(&scan.path, self.limits).and_then(|bytes| {
            let n_pages = page::open(&bytes, self.limits)?.len();
            if n_pages == 0 { Err(Error::format("image", "no pages")) } else { Ok((n_pages, bytes)) }
        });
        match opened {
            Ok((n_pages, bytes)) => {
                self.open = Some(OpenFile { n_pages, bytes, ..nothing });
                self.next()
            }
            Err(error) => {
                self.open = Some(nothing);
                Some(Item::Faulty { scan, error })
            }
        }
    }
}

/// What stands in the file at `path`, if that is within the limits.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Arc<[u8]>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Error::usage("not a file"));
    }
    let over = |actual| ErrorKind::Limit { limit: limits.file_bytes, actual, unit: "bytes" };
    if metadata.len() > limits.file_bytes {
        return Err(over(metadata.len()).into());
    }
    // A file may grow while it is read.
    let mut bytes = Vec::new();
    file.take(limits.file_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits.file_bytes {
        return Err(over(bytes.len() as u64).into());
    }
    Ok(bytes.into())
}

/// What tells the file at `path` from another, or from what it was before; `None` where it is not to be had.
pub fn stamp_of(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.and_then(|age| u64::try_from(age.as_nanos()).ok()).unwrap_or(0);
    Some(Stamp { bytes: metadata.len(), modified_ns })
}
