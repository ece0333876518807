//! The lines of a journal.

use std::{
    fs::File,
    io::{self, Read, Seek},
};

use serde::{Deserialize, Serialize};

use crate::pipeline::stamp::Stamp;
use formread_core::rows::PageRows;
use formread_raster::{hash::Sha256, hash_chain::N_HASH_BYTES};

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
pub enum Line {
    /// The identity of the reader of the files below.
    Run { identity: Sha256 },
    /// A page, and the details if it was rejected.
    Page(PageRows, String),
    /// The file is finished; its pages are the lines above, of this number.
    Done(FileId, u32),
    /// The file has the content of a file above, and so its pages.
    Copy(FileId),
}

/// Begin of the JSON of a journal's first line.
const RUN: &[u8] = b"{\"run\"";

/// Whether a file begins as a journal does, or as one of a version before 0.3; a beginning may be cut off anywhere.
pub fn is_journal(mut file: &File) -> io::Result<bool> {
    let mut start = Vec::new();
    file.take((N_HASH_BYTES + RUN.len()) as u64).read_to_end(&mut start)?;
    file.rewind()?;
    let (hash, json) = start.split_at(start.len().min(N_HASH_BYTES));
    let is_hex = |&byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let has_hash =
        hash.iter().take(N_HASH_BYTES - 1).all(is_hex) && hash.get(N_HASH_BYTES - 1).is_none_or(|&byte| byte == b' ');
    Ok(has_hash && RUN.starts_with(json) || start.starts_with(RUN))
}
