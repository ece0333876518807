//! `OUT.run.json` beside `OUT.csv`: what the tables came from. It leads from every cell back to its scan, template,
//! weights and program.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

use formread_core::reader::ReaderIdentity;
use formread_raster::{
    error::{Error, Result},
    fsio::AtomicFile,
    hash::Sha256,
};

/// What a run read, what it read it with, and the counts. It contains no time and no name of a machine: the same input, model
/// and templates give the same bytes, for any number of workers, and whether the run was resumed or not.
///
/// `I` yields the records of the files one by one, since all of them together may not fit in memory.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(bound(serialize = "I: Clone + IntoIterator, I::Item: Serialize"))]
pub struct RunRecord<I> {
    /// SHA-256 of the program's build, the weights, the templates and the options: equal identities read alike.
    pub identity: Sha256,
    /// The same in detail.
    #[serde(flatten)]
    pub reader: ReaderIdentity,
    /// Files.
    pub files: u64,
    /// Pages; each is accepted, for review, or rejected.
    pub pages: u64,
    /// Pages whose fields are all accepted or blank.
    pub accepted: u64,
    /// Pages with a field that needs a person.
    pub review: u64,
    /// Pages that could not be read, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Documents of several pages, by the verdict in `OUT.documents.csv`; omitted if there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<String, u64>,
    /// One [`crate::ScanRecord`] per file, in the order of the tables.
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

/// The path of the record of `out`: `out.run.json` beside `out.csv`.
pub fn run_path(out: &Path) -> PathBuf {
    let mut name = out.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(".run.json");
    out.with_file_name(name)
}

impl<I: Clone + IntoIterator<Item: Serialize>> RunRecord<I> {
    /// Writes it beside `out`. The file has its name once it is committed.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub fn write(&self, out: &Path) -> Result<AtomicFile> {
        let path = run_path(out);
        let here = |error: std::io::Error| Error::from(error).in_file(path.to_string_lossy());
        let mut file = BufWriter::new(AtomicFile::create(path.clone())?);
        serde_json::to_writer_pretty(&mut file, self).map_err(|error| here(error.into()))?;
        file.write_all(b"\n").map_err(here)?;
        file.into_inner().map_err(|error| here(error.into_error()))
    }
}
