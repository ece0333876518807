//! The command line of `formread load` and `formread dump`, and of `run --also`.

use std::path::PathBuf;

use clap::Args;

pub const LOAD_HELP: &str = "Pages are filed by the SHA-256 of their scan, so a repeat changes nothing, and a renamed file \
                             adds a name and no numbers. The tables of a database change in one transaction. Nothing is \
                             loaded if the tables contradict each other, or a value is not of its field's kind. The \
                             password of a server comes from PGPASSFILE, ~/.pgpass, a service or PGPASSWORD, never from \
                             the command line. Exit status: 0 everything is there; 2 it is not, and nothing was changed.";

pub const DUMP_HELP: &str = "The files have the bytes of those that were loaded last, unless other values of the same scans \
                             were loaded before and stayed because a person settled them. Exit status: 0 they were \
                             written; 2 they were not.";

/// Other places for the tables of a run.
#[derive(Debug, Args)]
pub struct AlsoArgs {
    /// Write the tables to another place as well: a file that ends in .sqlite or .parquet, or a PostgreSQL database,
    /// postgres://USER@HOST/DATABASE. Repeat it for several places [default: none]
    #[arg(long, value_name = "DEST")]
    pub also: Vec<String>,
    /// Replace values in DEST that a person settled by those of the run [default: such a page stays as it is, and is reported on
    /// stderr; Parquet files with such values are not replaced]
    #[arg(long, requires = "also")]
    pub overwrite_settled: bool,
}

/// `formread load`
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Table written by `formread run`, with the others beside it
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    /// Place for the tables: a file that ends in .sqlite or .parquet, or a PostgreSQL database,
    /// postgres://USER@HOST/DATABASE. Repeat it for several places
    #[arg(long, value_name = "DEST", required = true)]
    pub to: Vec<String>,
    /// Record of the run that the tables came from [default: OUT.run.json]
    #[arg(long, value_name = "OUT.run.json")]
    pub record: Option<PathBuf>,
    /// Template of a form in the tables, as the run had it; repeat it for several forms [default: the built-in templates, which
    /// are always known]
    #[arg(long, value_name = "FILE.toml")]
    pub pipeline: Vec<PathBuf>,
    /// Replace Parquet files that have another content [default: refuse]
    #[arg(long)]
    pub overwrite: bool,
    /// Replace values in DEST that a person settled by those of a machine [default: such a page stays as it is, and is reported on
    /// stderr; Parquet files with such values are not replaced]
    #[arg(long)]
    pub overwrite_settled: bool,
}

/// `formread dump`
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// Where tables were loaded to: a file that ends in .sqlite or .parquet, or a PostgreSQL database,
    /// postgres://USER@HOST/DATABASE
    #[arg(value_name = "DEST")]
    pub from: String,
    /// Table of pages; the others are written beside it
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    /// Replace the tables if they exist [default: refuse]
    #[arg(long)]
    pub overwrite: bool,
}
