//! Where records go: one row schema, whatever the format.

mod csv;
mod documents;
mod run;

use serde::Deserialize;

use formread_core::rows::PageRows;
use formread_raster::error::Result;

pub use csv::{CsvSink, fields_path};
pub use documents::{DocumentTable, documents_path};
pub use run::{RunRecord, ScanRecord, run_path};

/// A table that takes pages in the order of the input.
pub trait Sink {
    /// Takes the rows of one page.
    ///
    /// # Errors
    /// Where they cannot be stored.
    fn write(&mut self, rows: &PageRows) -> Result<()>;

    /// Stores everything written, and gives what then stands in the table, read back: each page in its order. This is
    /// what the ledger of a run is checked by.
    ///
    /// # Errors
    /// Where it cannot be stored, or read back.
    fn store(&mut self) -> Result<Box<dyn Iterator<Item = Result<StoredPage>> + '_>>;

    /// Makes everything stored visible under its final name.
    ///
    /// # Errors
    /// Where it cannot be stored.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// A page as it stands in a table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredPage {
    /// The `scan` column.
    pub scan: String,
    /// The `page` column.
    pub page: String,
    /// The `form` column.
    pub form: String,
    /// The `verdict` column.
    pub verdict: String,
    /// The `attention` column.
    pub attention: String,
}
