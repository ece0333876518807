//! `FINAL.review.csv` beside `FINAL.csv`: one row per field that people read, or that rules settled after their answers.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::tables::Table;
use formread_raster::{error::Result, fsio::Change};

/// Columns of `FINAL.review.csv`.
const COLUMNS: [&str; 10] = ["scan", "page", "form", "field", "machine", "value", "first", "second", "third", "rule"];

/// The path of the table beside `out`: `final.review.csv` beside `final.csv`.
pub fn settled_path(out: &Path) -> PathBuf {
    let mut name = out.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(".review.csv");
    out.with_file_name(name)
}

/// The table in an atomic file.
pub struct SettledTable {
    table: Table,
}

impl SettledTable {
    /// Opens the table beside `out`.
    ///
    /// # Errors
    /// Where `out`'s folder cannot be written to.
    pub fn create(out: &Path) -> Result<Self> {
        let mut table = Table::create(settled_path(out))?;
        table.write(COLUMNS)?;
        Ok(Self { table })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&mut self, row: [&str; COLUMNS.len()]) -> Result<()> {
        self.table.write(row)
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> Result<Change> {
        Ok(Change::Write(self.table.finish()?))
    }
}
