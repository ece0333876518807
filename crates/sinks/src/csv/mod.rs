//! The tables of a run as CSV, its readings and its record: `OUT.csv`, `OUT.fields.csv`, `OUT.documents.csv`,
//! `OUT.readings.jsonl`, `OUT.run.json`; and the tables of a review.

mod documents;
mod load;
mod readings;
mod restore;
mod run;
mod settled;
mod tables;
mod truth;

use serde::Deserialize;

pub use documents::{DocumentTable, documents_path};
pub use load::{CsvTables, TableFiles};
pub use readings::{ReadingsSink, readings_path};
pub use restore::CsvRestore;
pub use run::{RunRecord, run_path};
pub use settled::{SettledTable, settled_path};
pub use tables::{CsvSink, field_columns, fields_path};
pub use truth::TruthTable;

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
