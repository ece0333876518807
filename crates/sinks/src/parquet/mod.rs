//! Parquet: files for data frames. `OUT.parquet` has the rows of `OUT.csv` with a typed column for each field,
//! `OUT.fields.parquet` those of `OUT.fields.csv`, `OUT.documents.parquet` those of `OUT.documents.csv`.

mod read;
mod sink;
mod write;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use formread_raster::error::{Error, Format};

pub use read::ParquetSource;
pub use sink::ParquetSink;

/// Keys of the metadata: the record of the run without its scans, and the SHA-256 of the whole record.
const RECORD_KEY: &str = "formread.record";
const RUN_KEY: &str = "formread.run";
/// Precision and scale of the column of numbers, which holds those of every kind.
const NUMBER: (usize, usize) = (38, 4);
/// Precision and scale of confidences.
const CONFIDENCE: (usize, usize) = (5, 4);

/// A field that a person settled: content, page, name.
type SettledField = (String, i64, String);

/// The files of a run whose table of pages is `out`: pages, fields, documents.
pub fn files(out: &Path) -> [PathBuf; 3] {
    let beside = |suffix: &str| {
        let mut name = out.file_stem().map_or_else(OsString::new, OsString::from);
        name.push(suffix);
        out.with_file_name(name)
    };
    [out.to_owned(), beside(".fields.parquet"), beside(".documents.parquet")]
}

fn fault(error: parquet::errors::ParquetError) -> Error {
    match error {
        parquet::errors::ParquetError::External(inner) => Error::from(std::io::Error::other(inner)),
        error => Error::format(Format::Table, error),
    }
}
