//! Which files a journal has, and where their pages are in it.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::line::FileId;
use crate::pipeline::stamp::Stamp;
use formread_page::scans::Scan;
use formread_raster::{
    error::{Error, Result},
    hash::Sha256,
};

/// Where the pages of a content are in the journal.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// The hash before its first page.
    pub before: Sha256,
    pub offset: u64,
    pub bytes: u64,
    pub pages: u32,
}

/// A file that is finished.
#[derive(Debug, Clone, Copy)]
pub struct Finished {
    pub stamp: Option<Stamp>,
    /// Index of its content among the contents; `None` where it could not be opened.
    pub content: Option<u32>,
}

/// The content of a journal under one identity. It is allocated at full size at the start, so that no small long-lived
/// allocations lie among those of the pages. Some 150 bytes per file, and nothing per page.
#[derive(Debug)]
pub struct Index<'a> {
    /// The scans of the run.
    pub scans: &'a [Scan],
    /// Indices of the scans, in the order of their names.
    pub by_name: Vec<u32>,
    /// One per scan; `None`: not finished.
    pub files: Vec<Option<Finished>>,
    /// Includes contents of files that are no longer among the scans, so that a renamed file is not read again.
    pub contents: IndexMap<Sha256, Extent>,
    /// The row of a scan that could not be opened, by the index of the scan.
    pub unopened: HashMap<u32, Extent>,
}

impl<'a> Index<'a> {
    /// # Errors
    /// `Usage` where two scans have the same name: their rows could not be distinguished.
    pub fn new(scans: &'a [Scan]) -> Result<Self> {
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
    pub fn place(&self, scan: &str) -> Option<u32> {
        let name = |&place: &u32| self.scans[place as usize].name.as_str();
        self.by_name.binary_search_by(|place| name(place).cmp(scan)).ok().map(|at| self.by_name[at])
    }

    pub fn get(&self, scan: &str) -> Option<Finished> {
        self.files[self.place(scan)? as usize]
    }

    pub fn extent(&self, scan: &str) -> Option<Extent> {
        match self.get(scan)?.content {
            Some(content) => self.contents.get_index(content as usize).map(|(_, extent)| *extent),
            None => self.unopened.get(&self.place(scan)?).copied(),
        }
    }

    /// Notes a finished file, whose pages are at `extent`.
    pub fn done(&mut self, FileId { scan, stamp, sha256 }: &FileId, extent: Extent) {
        let content = sha256.map(|sha256| self.contents.insert_full(sha256, extent).0 as u32);
        let Some(place) = self.place(scan) else { return };
        if content.is_none() {
            self.unopened.insert(place, extent);
        }
        self.files[place as usize] = Some(Finished { stamp: *stamp, content });
    }

    /// Notes a file whose content is here; `false` if it is not.
    pub fn copy(&mut self, file: &FileId) -> bool {
        let extent = file.sha256.and_then(|sha256| self.contents.get(&sha256)).copied();
        extent.is_some_and(|extent| {
            self.done(file, extent);
            true
        })
    }
}
