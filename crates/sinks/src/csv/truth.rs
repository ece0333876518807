//! Ground truth from answers of people: one row per page, in the columns that `formread eval values` reads.

use std::path::Path;

use super::tables::Table;
use formread_raster::error::Result;

/// The table in an atomic file.
pub struct TruthTable {
    columns: Vec<String>,
    table: Table,
}

impl TruthTable {
    /// Opens the table at `path`, with columns for these fields.
    ///
    /// # Errors
    /// Where its folder cannot be written to.
    pub fn create(path: &Path, columns: Vec<String>) -> Result<Self> {
        let mut table = Table::create(path.to_owned())?;
        table.write(["scan", "page"].into_iter().chain(columns.iter().map(String::as_str)))?;
        Ok(Self { columns, table })
    }

    /// Appends the row of a page of `scan`: of each settled field the name, and what is written.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&mut self, scan: &str, page: u32, fields: &[(String, String)]) -> Result<()> {
        let page = page.to_string();
        let of =
            |column: &String| fields.iter().find(|(field, _)| field == column).map_or("?", |(_, text)| text.as_str());
        self.table.write([scan, &page].into_iter().chain(self.columns.iter().map(of)))
    }

    /// Syncs the table to disk and gives it its name.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn finish(self) -> Result<()> {
        self.table.finish()?.commit()
    }
}
