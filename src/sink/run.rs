//! `OUT.run.json` beside `OUT.csv`: what the tables came from. With it every cell can be led back to its pixels, its
//! template, the weights and the program.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

use formread_core::reader::ReaderIdentity;
use formread_raster::fsio::AtomicFile;
use formread_raster::{
    error::{Error, Result},
    hash::Sha256,
};

/// What a run read, with what, and what became of it. It holds no clock and no names of machines: the same input, model
/// and templates give the same bytes, whatever the number of workers, and whether the run was gone on with or not.
///
/// `I` gives the files: there may be too many of them to have their records in memory at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(bound(serialize = "I: Clone + IntoIterator, I::Item: Serialize"))]
pub struct RunRecord<I> {
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
    /// Documents of several pages, by the verdict in `OUT.documents.csv`; left out where there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<String, u64>,
    /// A [`ScanRecord`] a file, in the order of the tables.
    #[serde(serialize_with = "one_by_one")]
    pub scans: I,
}

fn one_by_one<I, S>(items: &I, serializer: S) -> Result<S::Ok, S::Error>
where
    I: Clone + IntoIterator<Item: Serialize>,
    S: Serializer,
{
    serializer.collect_seq(items.clone())
}

/// One file of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScanRecord<'a> {
    /// As the tables name it.
    pub scan: &'a str,
    /// SHA-256 of what was read, 64 hexadecimal digits; empty where the file could not even be opened.
    #[serde(serialize_with = "or_empty")]
    pub sha256: Option<Sha256>,
    /// Rows that it has in `OUT.csv`, at least 1.
    pub pages: u64,
    /// The first file with the same content, where this is not the first: its rows are copies of that one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<&'a str>,
}

fn or_empty<S: Serializer>(sha256: &Option<Sha256>, serializer: S) -> Result<S::Ok, S::Error> {
    match sha256 {
        Some(sha256) => sha256.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}

/// Where the record of `out` stands: `out.run.json` beside `out.csv`.
pub fn run_path(out: &Path) -> PathBuf {
    let mut name = out.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(".run.json");
    out.with_file_name(name)
}

impl<I: Clone + IntoIterator<Item: Serialize>> RunRecord<I> {
    /// Writes it beside `out`.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn write(&self, out: &Path) -> Result<()> {
        let path = run_path(out);
        let here = |error: std::io::Error| Error::from(error).in_file(path.to_string_lossy());
        let mut file = BufWriter::new(AtomicFile::create(path.clone())?);
        serde_json::to_writer_pretty(&mut file, self).map_err(|error| here(error.into()))?;
        file.write_all(b"\n").map_err(here)?;
        file.into_inner().map_err(|error| here(error.into_error()))?.commit()
    }
}
