//! Where tables go: a word of the command line.

use std::{fmt, path::PathBuf};

use formread_core::form::FormTemplate;
use formread_raster::error::{Error, Result};

use crate::{
    form::Form,
    identifiers,
    rows::{Sink, Source},
};

/// A place for the tables of runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Destination {
    /// A database of a PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(Box<crate::postgres::Server>),
    /// An SQLite file.
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    /// A Parquet file of pages, and those beside it.
    #[cfg(feature = "parquet")]
    Parquet(PathBuf),
}

/// What may happen to what is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Permissions {
    /// A file that holds one run may be replaced by another.
    pub overwrite: bool,
    /// A value that a person settled may be replaced.
    pub overwrite_settled: bool,
}

impl Destination {
    /// Reads a destination: a URL `postgres://…`, or the name of a file that ends in `.sqlite` or `.parquet`. `variables` are the
    /// environment variables of the process, which may set how to connect to a server.
    ///
    /// # Errors
    /// `Usage` where it is none of these, or was left out of this build.
    pub fn parse(text: &str, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let is_url = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        let path = PathBuf::from(text);
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        // without a feature, its word is known all the same
        let feature = match extension.as_str() {
            _ if is_url => "postgres",
            "sqlite" | "sqlite3" | "db" => "sqlite",
            "parquet" => "parquet",
            _ => {
                let hint = "a file that ends in .sqlite or .parquet, or postgres://host/database";
                return Err(Error::usage("no place for tables").in_file(text).with_hint(hint));
            }
        };
        let _ = &variables;
        match feature {
            #[cfg(feature = "postgres")]
            "postgres" => {
                let environment = crate::postgres::Environment::new(variables);
                Ok(Self::Postgres(Box::new(crate::postgres::Server::new(text, &environment)?)))
            }
            #[cfg(feature = "sqlite")]
            "sqlite" => Ok(Self::Sqlite(path)),
            #[cfg(feature = "parquet")]
            "parquet" => Ok(Self::Parquet(path)),
            _ => {
                let hint = format!("build it with: cargo build --release --features {feature}");
                Err(Error::usage(format!("this program was built without {feature}")).with_hint(hint))
            }
        }
    }

    /// The files that it consists of, if it is one.
    pub fn files(&self) -> Vec<PathBuf> {
        match *self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Vec::new(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => vec![path.clone()],
            #[cfg(feature = "parquet")]
            Self::Parquet(ref path) => crate::parquet::files(path).to_vec(),
        }
    }

    /// Whether a run replaces what is there as a whole, as it replaces `OUT.csv`.
    pub fn holds_one_run(&self) -> bool {
        match *self {
            #[cfg(feature = "parquet")]
            Self::Parquet(_) => true,
            #[cfg(any(feature = "postgres", feature = "sqlite"))]
            _ => false,
        }
    }

    /// Whether it is on a server, whose transaction ends before files take their names.
    pub fn is_server(&self) -> bool {
        match *self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => true,
            #[cfg(any(feature = "parquet", feature = "sqlite"))]
            _ => false,
        }
    }

    /// Checks that tables of these forms can be written to it, and leaves it as it is. A run calls it before the first page.
    ///
    /// # Errors
    /// As [`Sink::begin`].
    pub fn check(&self, templates: &[FormTemplate]) -> Result<()> {
        identifiers::check(&templates.iter().map(Form::new).collect::<Vec<_>>())?;
        match *self {
            #[cfg(feature = "postgres")]
            Self::Postgres(ref server) => {
                crate::database::ensure_schema(&mut crate::postgres::Postgres::write(server)?)
                    .map_err(|error| error.in_file(server.name()))
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) if path.exists() => {
                crate::database::ensure_schema(&mut crate::sqlite::Sqlite::write(path)?)
            }
            #[cfg(any(feature = "parquet", feature = "sqlite"))]
            _ => self.files().into_iter().try_for_each(|path| {
                // that it can be made is enough
                let hint = "the folder must be there, and this user must be allowed to write to it";
                formread_raster::fsio::AtomicFile::create(path).map(drop).map_err(|error| error.with_hint(hint))
            }),
        }
    }

    /// Opens it for a run.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn sink(&self, permissions: Permissions) -> Result<Box<dyn Sink>> {
        let Permissions { overwrite, overwrite_settled } = permissions;
        let _ = (overwrite, overwrite_settled);
        match *self {
            #[cfg(feature = "postgres")]
            Self::Postgres(ref server) => {
                let mut postgres = crate::postgres::Postgres::write(server)?;
                postgres.lock()?;
                Ok(Box::new(crate::database::DatabaseSink::new(postgres, overwrite_settled)))
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => {
                let sqlite = crate::sqlite::Sqlite::write(path)?;
                Ok(Box::new(crate::database::DatabaseSink::new(sqlite, overwrite_settled)))
            }
            #[cfg(feature = "parquet")]
            Self::Parquet(ref path) => {
                Ok(Box::new(crate::parquet::ParquetSink::new(path, overwrite, overwrite_settled)?))
            }
        }
    }

    /// Opens it to read the last run from it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn source(&self) -> Result<Box<dyn Source>> {
        match *self {
            #[cfg(feature = "postgres")]
            Self::Postgres(ref server) => {
                Ok(Box::new(crate::database::DatabaseSource::new(crate::postgres::Postgres::read(server)?)))
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => {
                Ok(Box::new(crate::database::DatabaseSource::new(crate::sqlite::Sqlite::read(path)?)))
            }
            #[cfg(feature = "parquet")]
            Self::Parquet(ref path) => Ok(Box::new(crate::parquet::ParquetSource::open(path)?)),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            #[cfg(feature = "postgres")]
            Self::Postgres(ref server) => f.write_str(server.name()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => path.display().fmt(f),
            #[cfg(feature = "parquet")]
            Self::Parquet(ref path) => path.display().fmt(f),
        }
    }
}
