//! Bytes -> pages.

use super::{Limits, Page};
use crate::error::{Error, Result};

/// Whether a file of this name is taken for a scan when a folder is walked.
pub fn is_image_name(name: &str) -> bool {
    let _ = name;
    false
}

/// The pages of one file, in its order. A page that cannot be decoded is an `Err` in its place; the file as a whole
/// fails where nothing can be said about its pages.
///
/// # Errors
/// `Format`, `Unsupported` or `Limit`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Vec<Result<Page>>> {
    let _ = (bytes, limits);
    Err(Error::unsupported("image", "nothing yet"))
}
