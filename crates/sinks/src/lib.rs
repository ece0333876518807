//! The tables of a run: as CSV, in SQLite, in PostgreSQL and as Parquet.
//!
//! ```text
//! OUT.csv ─┐                    ┌─ SQLite, PostgreSQL
//! database ├─ Source ── Sink ───┼─ Parquet
//! Parquet ─┘                    └─ OUT.csv
//! ```
//!
//! A [`Source`] sends a run to a [`Sink`], page by page. At the end of a run, once its ledger balances, the CSV tables are
//! read back and sent to every other sink: so each has what `OUT.csv` has. `formread load` does the same with tables that
//! have their names already, `formread dump` the reverse.
//!
//! [`Sink::prepare`] stores everything where nobody sees it, [`Sink::commit`] makes it visible at once. Nothing is
//! committed before everything is prepared.

// a build without some of the places leaves parts without a user
#![cfg_attr(
    not(all(feature = "postgres", feature = "sqlite", feature = "parquet")),
    allow(dead_code, unused_imports, unused_variables)
)]

mod csv;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database;
mod destination;
mod form;
mod identifiers;
mod join;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;

pub use csv::{
    CsvRestore, CsvSink, CsvTables, DocumentTable, ReadingsSink, RunRecord, SettledTable, StoredPage, TableFiles,
    TruthTable, documents_path, field_columns, fields_path, readings_path, run_path, settled_path,
};
pub use destination::{Destination, Permissions};
pub use record::{Scan, ScanRecord};
pub use rows::{Committed, Counts, DocumentRow, Run, Sink, Source};
pub use store::{Stored, store};
