//! What becomes of what there is to do.

use super::journal::FileId;
use formread_core::assemble::PageRecord;
use formread_page::scans::Scan;
use formread_raster::error::Error;

/// What became of a page or of a file.
pub enum Outcome<'a> {
    /// A page by itself, before rules tie it to others.
    Page { scan: &'a Scan, record: PageRecord },
    /// A file has come to its end, and had so many pages.
    FileEnd { file: FileId, pages: u32 },
    /// A file with the content of one that came before it.
    Copy(FileId),
    /// A file that may still be written to, and is left for the next run.
    Left { scan: String },
    /// The run cannot go on.
    Fault(Error),
}
