//! The tables of a run as CSV, and its record: `OUT.csv`, `OUT.fields.csv`, `OUT.documents.csv`, `OUT.run.json`.

mod documents;
mod load;
mod restore;
mod run;
mod tables;

use serde::Deserialize;

pub use documents::{DocumentTable, documents_path};
pub use load::{CsvTables, TableFiles};
pub use restore::CsvRestore;
pub use run::{RunRecord, run_path};
pub use tables::{CsvSink, fields_path};

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
