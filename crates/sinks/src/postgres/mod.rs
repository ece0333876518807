//! PostgreSQL: a schema of its own in a database of a server.

mod connect;
mod copy;
mod passwords;
mod service;

use std::io::{BufRead, Write};

use postgres::{Client, error::SqlState};

use formread_raster::error::{Error, Result};

use crate::database::{Cells, Dialect, Engine, POSTGRES};

pub use connect::{Environment, Server};

/// The schema.
const SCHEMA: &str = "formread";
/// The advisory lock that a load holds until its end, so that loads come one after the other: `formread` as a number.
const LOCK: i64 = 0x666f_726d_7265_6164;

/// A connection, in one transaction.
pub struct Postgres {
    client: Client,
    name: String,
}

impl Postgres {
    /// Connects to `server` for writing.
    ///
    /// # Errors
    /// Where that fails.
    pub fn write(server: &Server) -> Result<Self> {
        Self::connect(server, "BEGIN")
    }

    /// Connects to `server` for reading: everything is as it was at one instant.
    ///
    /// # Errors
    /// Where that fails.
    pub fn read(server: &Server) -> Result<Self> {
        Self::connect(server, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    fn connect(server: &Server, begin: &str) -> Result<Self> {
        let name = server.name().to_owned();
        let client = server.connect()?;
        let mut postgres = Self { client, name };
        // the encoding and format of texts must not depend on the server
        postgres.execute(&format!(
            "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET DateStyle = 'ISO'; \
             SET client_min_messages = warning; SET search_path = {SCHEMA}"
        ))?;
        postgres.execute(begin)?;
        Ok(postgres)
    }

    /// Waits until no other load writes to these tables.
    ///
    /// # Errors
    /// Where the connection fails.
    pub fn lock(&mut self) -> Result<()> {
        self.execute(&format!("SET LOCAL lock_timeout = '10min'; SELECT pg_advisory_xact_lock({LOCK})"))
    }

    /// Whether a query has a row.
    fn exists(&mut self, from: &str) -> Result<bool> {
        let mut is_there = false;
        self.query(&format!("SELECT 1 {from} LIMIT 1"), &mut |_| {
            is_there = true;
            Ok(())
        })?;
        Ok(is_there)
    }

    fn here(&self, error: &postgres::Error) -> Error {
        fault(error).in_file(&self.name)
    }

    fn io(&self, error: &std::io::Error) -> Error {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<postgres::Error>()) {
            Some(error) => self.here(error),
            None => Error::from(std::io::Error::other(error.to_string())).in_file(&self.name),
        }
    }
}

/// What PostgreSQL reports, in one line.
pub(super) fn fault(error: &postgres::Error) -> Error {
    let mut message = match error.as_db_error() {
        Some(error) => error.message().to_owned(),
        None => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
            format!("{error}{}", cause.filter(|cause| !error.to_string().ends_with(cause)).unwrap_or_default())
        }
    };
    message = message.replace('\n', " ");
    let hint = match error.code() {
        None => "the connection was lost: run it again, which changes nothing that is there",
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            "an owner of the database can run: CREATE SCHEMA formread AUTHORIZATION user"
        }
        Some(code) if *code == SqlState::DISK_FULL => "nothing was changed: make room on the server, and run it again",
        Some(code) if [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN].contains(code) => {
            "the server was stopped: run it again, which changes nothing that is there"
        }
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => "another load is in progress: wait for it, or stop it",
        Some(code) if *code == SqlState::DEPENDENT_OBJECTS_STILL_EXIST => {
            "the form has other fields now: drop the views that were made from its view, and make them again"
        }
        _ => return Error::from(std::io::Error::other(message)),
    };
    Error::from(std::io::Error::other(message)).with_hint(hint)
}

impl Engine for Postgres {
    fn dialect(&self) -> &'static Dialect {
        &POSTGRES
    }

    fn schema_version(&mut self) -> Result<Option<String>> {
        if !self.exists(&format!(
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{SCHEMA}'"
        ))? {
            return Ok(None);
        }
        let mut version = None;
        self.query(&format!("SELECT version FROM {SCHEMA}.format"), &mut |cells| {
            version = cells[0].as_deref().map(str::to_owned);
            Ok(())
        })
        .map_err(|error| error.with_hint("the schema formread must be one that formread made, or empty"))?;
        Ok(Some(version.unwrap_or_default()))
    }

    fn create_schema(&mut self) -> Result<()> {
        // `IF NOT EXISTS` needs the privilege to make one, even where there is one
        if self.exists(&format!("FROM pg_namespace WHERE nspname = '{SCHEMA}'"))? {
            return Ok(());
        }
        self.execute(&format!("CREATE SCHEMA {SCHEMA}"))
    }

    fn execute(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(|error| self.here(&error))
    }

    fn query(&mut self, sql: &str, visit: &mut dyn FnMut(&Cells<'_>) -> Result<()>) -> Result<()> {
        let name = &self.name;
        let copied = self.client.copy_out(&format!("COPY ({sql}) TO STDOUT"));
        let mut reader = copied.map_err(|error| fault(&error).in_file(name))?;
        let mut row = String::new();
        loop {
            row.clear();
            let read = reader.read_line(&mut row);
            match read {
                Ok(0) => return Ok(()),
                Ok(_) => visit(&copy::decode(row.trim_end_matches('\n'))?)?,
                Err(error) => {
                    drop(reader);
                    return Err(self.io(&error));
                }
            }
        }
    }

    fn insert(&mut self, table: &str, columns: &[&str], cells: &Cells<'_>) -> Result<()> {
        if cells.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(16 * cells.len());
        copy::encode(cells, columns.len(), &mut bytes);
        let name = &self.name;
        let here = |error: postgres::Error| fault(&error).in_file(name);
        let sql = format!("COPY {table} ({}) FROM STDIN", columns.join(", "));
        let mut writer = self.client.copy_in(&sql).map_err(here)?;
        let written = writer.write_all(&bytes);
        if let Err(error) = written {
            drop(writer);
            return Err(self.io(&error));
        }
        writer.finish().map_err(here)?;
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.execute("COMMIT")
    }
}
