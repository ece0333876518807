//! `OUT.readings.jsonl` beside `OUT.csv`: the rows of each page, a line of JSON a page, with what each field reads by itself. Review
//! solves the rules again from it.

use std::{
    ffi::OsString,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use formread_core::rows::PageRows;
use formread_raster::{
    error::{Error, Result},
    fsio::{AtomicFile, Change},
};

/// The path of the readings of `out`: `out.readings.jsonl` beside `out.csv`.
pub fn readings_path(out: &Path) -> PathBuf {
    let mut name = out.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(".readings.jsonl");
    out.with_file_name(name)
}

/// The readings in an atomic file.
pub struct ReadingsSink {
    path: PathBuf,
    file: BufWriter<AtomicFile>,
}

impl ReadingsSink {
    /// Opens the file beside `out`.
    ///
    /// # Errors
    /// Where `out`'s folder cannot be written to.
    pub fn create(out: &Path) -> Result<Self> {
        let path = readings_path(out);
        Ok(Self { file: BufWriter::new(AtomicFile::create(path.clone())?), path })
    }

    /// Appends a page.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&mut self, rows: &PageRows) -> Result<()> {
        let written = serde_json::to_writer(&mut self.file, rows).map_err(Into::into);
        let written: std::io::Result<()> = written.and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|error| Error::from(error).in_file(self.path.to_string_lossy()))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> Result<Change> {
        let here = |error: std::io::Error| Error::from(error).in_file(self.path.to_string_lossy());
        Ok(Change::Write(self.file.into_inner().map_err(|error| here(error.into_error()))?))
    }
}
