//! The files that a run writes: two tables, the table of documents, and the record of the run.

mod csv;
mod documents;
mod run;

use serde::Deserialize;

pub use csv::{CsvSink, fields_path};
pub use documents::{DocumentTable, documents_path};
pub use run::{RunRecord, ScanRecord, run_path};

/// A page as a table contains it.
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
