//! `OUT.run.json` beside `OUT.csv`: what the tables came from. With it every cell can be led back to its pixels, its
//! template, the weights and the program.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::write_beside;
use crate::{
    error::{Error, Result},
    reader::ReaderIdentity,
};

/// What a run read, with what, and what became of it. It holds no clock and no names of machines: the same input, model
/// and templates give the same bytes, whatever the number of workers, and whether the run was gone on with or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRecord {
    /// What it was read with.
    #[serde(flatten)]
    pub reader: ReaderIdentity,
    /// Files.
    pub files: u64,
    /// Pages: each one accepted, for review, or rejected.
    pub pages: u64,
    /// Pages of which every field was accepted or is blank.
    pub accepted: u64,
    /// Pages of which some field needs a person.
    pub review: u64,
    /// Pages that could not be read, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// The files in the order of the tables.
    pub scans: Vec<ScanRecord>,
}

/// One file of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScanRecord {
    /// As the tables name it.
    pub scan: String,
    /// SHA-256 of what was read, 64 hexadecimal digits; empty where the file could not even be opened.
    pub sha256: String,
    /// Rows that it has in `OUT.csv`, at least 1.
    pub pages: u64,
}

/// Where the record of `out` stands: `out.run.json` beside `out.csv`.
pub fn run_path(out: &Path) -> PathBuf {
    let mut name = out.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(".run.json");
    out.with_file_name(name)
}

impl RunRecord {
    /// Writes it beside `out`.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn write(&self, out: &Path) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| Error::format("record of a run", error))?;
        text.push(b'\n');
        write_beside(&run_path(out), &text)
    }
}
