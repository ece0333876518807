//! What the workers report.

use super::journal::FileId;
use formread_core::assemble::PageRecord;
use formread_page::scans::Scan;
use formread_raster::hash::Sha256;

/// The result for one item of work.
pub enum Outcome<'a> {
    /// A page of a file with this content; `None` where the file could not be read. Rules across pages have been applied
    /// once it has passed through [`super::across_pages::AcrossPages`].
    Page { scan: &'a Scan, sha256: Option<Sha256>, record: PageRecord },
    /// The end of a file that has `pages` pages. They are 0 for a copy of an earlier file.
    FileEnd { file: FileId, pages: u32 },
    /// A file that may still be written to, and is left for the next run.
    Deferred { scan: String },
}
