//! The command line of `formread review`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{AlsoArgs, LimitArgs, OutputArgs};

const REVIEW_HELP: &str = "The first line of stdout is the address to open. Each field is keyed blind: the page does not show what \
                           the program has read. A value that the program has read as well, and that breaks no rule, is \
                           settled; otherwise a second person reads the field, and a third where two differ. After each \
                           answer the rules of the document are solved again, and fields that are then sure are not asked. \
                           Answers are kept in OUT.review.jsonl; the review can be stopped and started again. Exit status: \
                           0 stopped by Ctrl-C (SIGINT) or SIGTERM; 2 could not run.";

const APPLY_HELP: &str = "FINAL.csv and FINAL.fields.csv have the columns of OUT.csv and OUT.fields.csv. A field that people \
                          settled is accepted or blank, and its confidence is empty. FINAL.review.csv has a row for each \
                          field that people read, or that rules settled after their answers. The same answers give the \
                          same bytes. Exit status: 0 the tables were written; 2 they were not.";

const SAMPLES_HELP: &str = "DIR has a folder for each page with a picture of each digit that people settled, so that no page is on \
                            both sides of a split; samples.csv with the scan, page, field and value of each picture; \
                            left-out.csv with the settled fields that could not be cut, and why; held-out.csv, the truth of the \
                            files that are held out, and held-out.list, their names, for a comparison with `formread eval \
                            paired`. Exit status: 0 the folder was written; 2 it was not.";

/// `formread review`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = REVIEW_HELP)]
pub struct ReviewCommand {
    /// What to do with the answers [default: serve the page]
    #[command(subcommand)]
    pub command: Option<ReviewSubcommand>,
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// What can be done with answers.
#[derive(Debug, Subcommand)]
pub enum ReviewSubcommand {
    /// Print how far the review is, and what its audit has found
    Status(OfRunArgs),
    /// Write the final tables
    #[command(after_help = APPLY_HELP)]
    Apply(ApplyArgs),
    /// Write what people settled as ground truth, for `formread eval values` and `formread calibrate`
    Truth(TruthArgs),
    /// Cut training data for `formread train` from what people settled
    #[command(after_help = SAMPLES_HELP)]
    Samples(SamplesArgs),
}

/// The run that is reviewed.
#[derive(Debug, Args)]
pub struct OfRunArgs {
    /// Table of pages, as `formread run` wrote it, with OUT.run.json and OUT.readings.jsonl beside it
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    /// Template of a form, as it was given to the run; repeat it for several forms [default: the built-in templates, which are
    /// always known]
    #[arg(long, value_name = "FILE.toml")]
    pub pipeline: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread review OUT.csv`: what is required is there where there is no subcommand.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Table of pages, as `formread run` wrote it, with OUT.run.json and OUT.readings.jsonl beside it
    #[arg(value_name = "OUT.csv", required = true)]
    pub out: Option<PathBuf>,
    /// The scans of the run: the folder, file, or `-` for a list on standard input that was given to it
    #[arg(long, value_name = "SCANS", required = true)]
    pub scans: Option<PathBuf>,
    /// Template of a form, as it was given to the run; repeat it for several forms [default: the built-in templates, which are
    /// always known]
    #[arg(long, value_name = "FILE.toml")]
    pub pipeline: Vec<PathBuf>,
    /// Address and port to listen on; port 0 is any that is free. Beyond this machine it needs --reviewers and --proxy
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Name of the person who reviews [default: the name of the user]
    #[arg(long, value_name = "NAME", conflicts_with = "reviewers")]
    pub who: Option<String>,
    /// File of people who review together: a line a person, with a name, a space and the SHA-256 of a token (`printf %s TOKEN |
    /// sha256sum`). Each opens the address with # and the token behind it [default: one person]
    #[arg(long, value_name = "FILE")]
    pub reviewers: Option<PathBuf>,
    /// Origin of a proxy that encrypts and through which people reach the page, such as https://review.example.org [default:
    /// none; the page is for this machine]
    #[arg(long, value_name = "ORIGIN", requires = "reviewers")]
    pub proxy: Option<String>,
    /// Number of accepted fields, drawn at random, that are asked like the others. Only they show how many of the accepted fields
    /// are wrong
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub audit: u32,
    /// Fields that two people must read, by name or form.name; * and ? stand for any characters. Repeat it for several patterns
    /// [default: none]
    #[arg(long, value_name = "GLOB")]
    pub two_person: Vec<String>,
    /// Percentage of the fields for review that a second person reads in any case, where there are several people
    #[arg(long, value_name = "PERCENT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub second_looks: u32,
    /// Groups of like digits: up to 23 digits of different fields that the program reads as the same one are on one screen, and the odd ones
    /// are struck. The pages are read again for it. Off, because in simulations it settles more wrong values than keys do, unless
    /// people overlook fewer than one odd digit in 400; `formread review status` prints how many they overlook
    #[arg(long)]
    pub groups: bool,
    /// Weights of the nets that find the digits of groups: those of the run [default: the built-in weights]
    #[arg(long, value_name = "W.safetensors", requires = "groups")]
    pub model: Option<PathBuf>,
    /// How much of a page may be seen besides the field that is asked
    #[arg(long, value_enum, default_value_t = ContextArg::None)]
    pub context: ContextArg,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// How much of a page may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ContextArg {
    /// Nothing else
    None,
    /// A strip of the page
    Strip,
    /// The page
    Page,
}

/// `formread review apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub of: OfRunArgs,
    /// Table of pages to write; FINAL.fields.csv and FINAL.review.csv are written beside it
    #[arg(long = "out", value_name = "FINAL.csv")]
    pub table: PathBuf,
    /// Replace FINAL.csv, and Parquet files of --also, if they exist [default: refuse to run]
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub also: AlsoArgs,
}

/// `formread review truth`
#[derive(Debug, Args)]
pub struct TruthArgs {
    #[command(flatten)]
    pub of: OfRunArgs,
    /// Table to write: columns scan, page, and one per field; ? for what nobody settled
    #[arg(long = "out", value_name = "TRUTH.csv")]
    pub table: PathBuf,
    /// Only the fields of the audit: only they are fit for `formread calibrate`, since fields for review are the doubtful ones
    /// [default: all fields that people settled]
    #[arg(long)]
    pub audited_only: bool,
    /// Replace TRUTH.csv if it exists [default: refuse to run]
    #[arg(long)]
    pub overwrite: bool,
}

/// `formread review samples`
#[derive(Debug, Args)]
pub struct SamplesArgs {
    #[command(flatten)]
    pub of: OfRunArgs,
    /// The scans of the run: the folder, file, or `-` for a list on standard input that was given to it
    #[arg(long, value_name = "SCANS")]
    pub scans: PathBuf,
    /// Folder to write, for `formread train --data DIR`
    #[arg(long = "out", value_name = "DIR")]
    pub folder: PathBuf,
    /// Share of the files that are held out: no digit is cut from them. Which they are depends on their content alone, so that it is
    /// the same each time, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub held_out: f64,
    /// Weights of the nets that find where digits are cut apart [default: the built-in weights]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    /// Replace DIR if it has samples already [default: refuse to run]
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub limits: LimitArgs,
}
