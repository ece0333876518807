//! Where records go: one row schema, whatever the format.

use crate::{assemble::PageRecord, error::Result};

/// A table that takes pages in the order of the input.
pub trait Sink {
    /// Takes one page of `scan` (the path relative to the input, `/` between folders).
    ///
    /// # Errors
    /// Where the record cannot be stored.
    fn write(&mut self, scan: &str, record: &PageRecord) -> Result<()>;

    /// Makes everything written visible under its final name.
    ///
    /// # Errors
    /// Where it cannot be stored.
    fn finish(self: Box<Self>) -> Result<()>;
}
