//! Databases: tables filed by content, into which runs are merged, each in one transaction.
//!
//! A page is filed under the SHA-256 of its scan and its number. A run that finds a page there with the same rows leaves it
//! alone, so a repeat changes nothing, and a renamed folder adds names and no numbers. A page with other rows is replaced,
//! unless a person settled a value on it that the new rows do not have from a person.

mod batch;
mod dump;
mod schema;
mod sink;

pub use dump::DatabaseSource;
#[cfg(feature = "postgres")]
pub use schema::POSTGRES;
#[cfg(feature = "sqlite")]
pub use schema::SQLITE;
pub use schema::{Dialect, VERSION};
pub use sink::DatabaseSink;

use std::borrow::Cow;

use formread_raster::error::{Error, Result};

/// A row of text; `None` is NULL. The database converts each cell to the type of its column.
pub type Cells<'a> = [Option<Cow<'a, str>>];

/// An open connection in one transaction. All statements are in the common part of SQL; what differs is in the
/// [`Dialect`]. Dropped before it is committed, it changes nothing.
pub trait Engine {
    /// What differs between databases.
    fn dialect(&self) -> &'static Dialect;

    /// The version of the schema; `None` where there is none yet.
    ///
    /// # Errors
    /// `Usage` where something else is in its place.
    fn schema_version(&mut self) -> Result<Option<String>>;

    /// Makes room for the schema, as one of this version.
    ///
    /// # Errors
    /// Where a privilege is missing.
    fn create_schema(&mut self) -> Result<()>;

    /// Executes statements that return nothing.
    ///
    /// # Errors
    /// Whatever the database fails with.
    fn execute(&mut self, sql: &str) -> Result<()>;

    /// Calls `visit` with each row of a query.
    ///
    /// # Errors
    /// Whatever the database or `visit` fails with.
    fn query(&mut self, sql: &str, visit: &mut dyn FnMut(&Cells<'_>) -> Result<()>) -> Result<()>;

    /// Appends rows, one after the other in `cells`, to the named columns of a table.
    ///
    /// # Errors
    /// Whatever the database fails with.
    fn insert(&mut self, table: &str, columns: &[&str], cells: &Cells<'_>) -> Result<()>;

    /// Ends the transaction: all or nothing.
    ///
    /// # Errors
    /// Whatever the database fails with.
    fn commit(&mut self) -> Result<()>;
}

/// Makes the tables where there are none, and checks that they are of this version and can be written to.
///
/// # Errors
/// `Usage` where the schema has another version or shape; whatever the database fails with.
pub fn ensure_schema(engine: &mut dyn Engine) -> Result<()> {
    match engine.schema_version()? {
        None => {
            engine.create_schema()?;
            let ddl = engine.dialect().tables();
            engine.execute(&ddl)?;
        }
        Some(version) if version == VERSION => {}
        Some(version) => {
            let message = format!("tables of another version: {version}, this program has {VERSION}");
            return Err(
                Error::usage(message).with_hint("load into another database, or use the program that made them")
            );
        }
    }
    let probe = engine.dialect().probe();
    engine.execute(&probe).map_err(|error| {
        error.with_hint(
            "the tables must be as formread made them, and this user must be allowed to write to all of them",
        )
    })
}
