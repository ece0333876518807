//! What there is to do, in order: files, page by page.

use std::{fs, path::Path, sync::Arc, time::UNIX_EPOCH};

use super::{
    apart::{Decoder, DecoderCommand},
    journal::Stamp,
    walk::Scan,
};
use crate::{
    error::{Error, Result},
    page::Limits,
    sink::read_bounded,
};

/// One thing for a worker to do.
pub enum Item<'a> {
    /// A page of a file, 0-based.
    Page { scan: &'a Scan, bytes: Arc<[u8]>, page_idx: usize },
    /// A file of which not even the number of pages is known.
    Faulty { scan: &'a Scan, error: Error },
    /// All pages of the file have been given out. `bytes`: what stands in it, where it could be read.
    FileEnd { scan: &'a Scan, stamp: Option<Stamp>, bytes: Option<Arc<[u8]>> },
}

/// Files in order, page by page. A file is opened when the one before it has been given out.
pub struct Items<'a> {
    limits: &'a Limits,
    /// Counts the pages of files.
    decoder: Decoder<'a>,
    scans: std::slice::Iter<'a, &'a Scan>,
    open: Option<OpenFile<'a>>,
}

struct OpenFile<'a> {
    scan: &'a Scan,
    stamp: Option<Stamp>,
    /// `None`: it could not be read.
    bytes: Option<Arc<[u8]>>,
    n_pages: usize,
    next_idx: usize,
}

impl<'a> Items<'a> {
    /// Files whose pages are counted with `decoder`, which is started.
    ///
    /// # Errors
    /// `Io` where it cannot be started.
    pub fn open(limits: &'a Limits, decoder: Option<&'a DecoderCommand>, scans: &'a [&'a Scan]) -> Result<Self> {
        let mut decoder = Decoder::new(limits, decoder);
        if !scans.is_empty() {
            decoder.start()?;
        }
        Ok(Self { limits, decoder, scans: scans.iter(), open: None })
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        if let Some(mut file) = self.open.take() {
            let page_idx = file.next_idx;
            return Some(match &file.bytes {
                Some(bytes) if page_idx < file.n_pages => {
                    let item = Item::Page { scan: file.scan, bytes: Arc::clone(bytes), page_idx };
                    file.next_idx += 1;
                    self.open = Some(file);
                    item
                }
                _ => Item::FileEnd { scan: file.scan, stamp: file.stamp, bytes: file.bytes },
            });
        }
        let scan = self.scans.next()?;
        let stamp = stamp_of(&scan.path);
        let (bytes, n_pages) = match read_file(&scan.path, self.limits) {
            Ok(bytes) => (Some(bytes.clone()), n_pages(&bytes, &mut self.decoder)),
            Err(error) => (None, Err(error)),
        };
        let file = OpenFile { scan, stamp, bytes, n_pages: 0, next_idx: 0 };
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

/// Number of pages of a file that has some.
fn n_pages(bytes: &Arc<[u8]>, decoder: &mut Decoder<'_>) -> Result<usize> {
    match decoder.n_pages(bytes)? {
        0 => Err(Error::format("image", "no pages")),
        n => Ok(n),
    }
}

/// What stands in the file at `path`, if that is within the limits.
///
/// # Errors
/// `Usage` where it is a folder or a device, `Limit` where it is too large, `Io` where it cannot be read.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Arc<[u8]>> {
    // before it is opened: a pipe that nobody writes to would be waited for
    if !fs::metadata(path)?.is_file() {
        return Err(Error::usage("not a file"));
    }
    Ok(read_bounded(path, limits.file_bytes)?.into())
}

/// What tells the file at `path` from another, or from what it was before; `None` where it is not to be had.
pub fn stamp_of(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified_ns = modified.and_then(|age| u64::try_from(age.as_nanos()).ok()).unwrap_or(0);
    Some(Stamp { bytes: metadata.len(), modified_ns })
}
