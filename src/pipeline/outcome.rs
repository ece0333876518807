//! What the workers report.

use super::journal::FileId;
use formread_core::assemble::PageRecord;
use formread_page::scans::Scan;

/// The result for one item of work.
pub enum Outcome<'a> {
    /// A page. Rules across pages have been applied to it once it has passed through [`super::documents::Documents`].
    Page { scan: &'a Scan, record: PageRecord },
    /// The end of a file that has `pages` pages.
    FileEnd { file: FileId, pages: u32 },
    /// A file with the content of an earlier one.
    Copy(FileId),
    /// A file that may still be written to, and is left for the next run.
    Deferred { scan: String },
}
