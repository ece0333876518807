//! SQLite: one file, which needs nothing installed.

use std::{borrow::Cow, fs, io, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, types::ValueRef};

use formread_raster::{
    error::{Error, Result},
    fsio::private_options,
};

use crate::database::{Cells, Dialect, Engine, SQLITE};

/// Marks a file as one of these: `frd1`.
const APPLICATION_ID: i64 = 0x6672_6431;
/// How long to wait for another program that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Pages of the file that are kept in memory, KiB.
const CACHE_KIB: i64 = 32 << 10;

/// A file, open in a transaction.
pub struct Sqlite {
    connection: Connection,
    name: String,
}

impl Sqlite {
    /// Opens the file at `path` for writing, and makes it where there is none.
    ///
    /// # Errors
    /// Where it cannot be written to, or is no database.
    pub fn write(path: &Path) -> Result<Self> {
        let name = path.to_string_lossy().into_owned();
        // made here, so that its owner alone can read it
        match private_options().write(true).create_new(true).open(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::from(error).in_file(name)),
            _ => {}
        }
        Self::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, "BEGIN IMMEDIATE")
    }

    /// Opens the file at `path` for reading.
    ///
    /// # Errors
    /// Where it cannot be read, or is no database.
    pub fn read(path: &Path) -> Result<Self> {
        // a file that a run left in the middle must be mended before it can be read
        Self::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, "BEGIN")
            .or_else(|_| Self::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, "BEGIN"))
    }

    fn open(path: &Path, flags: OpenFlags, begin: &str) -> Result<Self> {
        let name = path.to_string_lossy().into_owned();
        let here = |error: rusqlite::Error| fault(&error).in_file(&name);
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        // a symbolic link in the way to the folder is followed, one in the place of the file is not
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(folder).map_err(|error| Error::from(error).in_file(&name))?;
        let connection = Connection::open_with_flags(folder.join(path.file_name().unwrap_or_default()), flags);
        let connection = connection.map_err(here)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(here)?;
        let pragmas = format!(
            "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{CACHE_KIB}; \
             PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; {begin};"
        );
        connection.execute_batch(&pragmas).map_err(here)?;
        Ok(Self { connection, name })
    }

    fn number(&self, sql: &str) -> Result<i64> {
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| self.here(&error))
    }

    fn here(&self, error: &rusqlite::Error) -> Error {
        fault(error).in_file(&self.name)
    }
}

fn fault(error: &rusqlite::Error) -> Error {
    use rusqlite::ErrorCode::{DatabaseBusy, DiskFull, NotADatabase, PermissionDenied, ReadOnly};

    let hint = match error.sqlite_error_code() {
        Some(DatabaseBusy) => "another program writes to it: wait for it, or close it",
        Some(DiskFull) => "nothing was changed: make room, and run it again",
        Some(NotADatabase) => "name a file that formread made, or one that is not there yet",
        Some(ReadOnly | PermissionDenied) => "this user must be allowed to write to the file and to its folder",
        _ => return Error::from(io::Error::other(error.to_string())),
    };
    Error::from(io::Error::other(error.to_string())).with_hint(hint)
}

impl Engine for Sqlite {
    fn dialect(&self) -> &'static Dialect {
        &SQLITE
    }

    fn schema_version(&mut self) -> Result<Option<String>> {
        if self.number("SELECT count(*) FROM sqlite_schema")? == 0 {
            return Ok(None);
        }
        if self.number("PRAGMA application_id")? != APPLICATION_ID {
            let error = Error::usage("a database of another program").in_file(&self.name);
            return Err(error.with_hint("name a file that formread made, or one that is not there yet"));
        }
        let version = self.connection.query_row("SELECT version FROM format", [], |row| row.get(0));
        version.map(Some).map_err(|error| self.here(&error))
    }

    fn create_schema(&mut self) -> Result<()> {
        self.execute(&format!("PRAGMA application_id = {APPLICATION_ID}"))
    }

    fn execute(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|error| self.here(&error))
    }

    fn query(&mut self, sql: &str, visit: &mut dyn FnMut(&Cells<'_>) -> Result<()>) -> Result<()> {
        let mut statement = self.connection.prepare(sql).map_err(|error| self.here(&error))?;
        let n_columns = statement.column_count();
        let mut rows = statement.query([]).map_err(|error| self.here(&error))?;
        while let Some(row) = rows.next().map_err(|error| self.here(&error))? {
            let mut cells: Vec<Option<Cow<'_, str>>> = Vec::with_capacity(n_columns);
            for column in 0..n_columns {
                cells.push(match row.get_ref(column).map_err(|error| self.here(&error))? {
                    ValueRef::Null => None,
                    ValueRef::Integer(number) => Some(number.to_string().into()),
                    ValueRef::Text(text) => Some(String::from_utf8_lossy(text)),
                    ValueRef::Real(_) | ValueRef::Blob(_) => {
                        return Err(Error::usage("a column of another type").in_file(&self.name));
                    }
                });
            }
            visit(&cells)?;
        }
        Ok(())
    }

    fn insert(&mut self, table: &str, columns: &[&str], cells: &Cells<'_>) -> Result<()> {
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {table} ({}) VALUES ({places})", columns.join(", "));
        let here = |error: rusqlite::Error| fault(&error).in_file(&self.name);
        let mut statement = self.connection.prepare(&sql).map_err(here)?;
        for row in cells.chunks(columns.len()) {
            for (place, cell) in (1..).zip(row) {
                statement.raw_bind_parameter(place, cell.as_deref()).map_err(here)?;
            }
            statement.raw_execute().map_err(here)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.execute("COMMIT")
    }
}
