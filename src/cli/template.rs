//! The command line of `formread template`.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Subcommand};

use super::{Degrade, LimitArgs, OutputArgs};

/// Exit status of `formread template show`.
const SHOW_STATUS: &str = "Exit status: 0 the template is drawn, on the scan where one is given; 1 it does not fit the scan, \
                           and the picture says why; 2 it could not run.";

/// Exit status of `formread template check`.
const CHECK_STATUS: &str = "A finding is a fault (pages or values will be lost or wrong), a risk (some may be) or advice \
                            (it could be read better), with file, line, field and what to do; the worst first. Templates \
                            are held to themselves, to each other and to those known to the program. Exit status: 0 \
                            nothing was found; 1 there are findings; 2 it could not run.";

/// What `formread template new` leaves to a person.
const NEW_HELP: &str = "Every field is proposed as a code, tick boxes as marks, in reading order: give them their names and \
                        kinds in the file, and hold it to scans with `formread template check`. A fillable PDF says \
                        itself what its fields are called, what they hold and which are sums. From filled pages what \
                        most of them have is taken for print: it takes some six, by different hands, and the first should \
                        be a fair copy, for it gives the template its place. Exit status: 0 the template and its picture \
                        stand; 2 they do not.";

/// `formread template`
#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// Drafts a template from a blank form, or from several filled ones: a scan, a photo or a PDF
    #[command(after_help = NEW_HELP)]
    New(NewArgs),
    /// Every template known to the program, and those given: name, version, fingerprint, numbers of fields, cells and rules,
    /// title, and which page of a document it is
    List(ListArgs),
    /// Draws a template as it is printed, or laid on a scan, with its fields numbered and named
    #[command(after_help = SHOW_STATUS)]
    Show(ShowArgs),
    /// Finds what will go wrong with templates, by themselves, on scans and in drawn decks
    #[command(after_help = CHECK_STATUS)]
    Check(CheckArgs),
    /// The JSON schema of a template's TOML, for editors
    Schema,
}

/// `formread template list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Templates to be listed as well; of two with one name the one given here
    #[arg(value_name = "X.toml")]
    pub templates: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread template new`
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The blank form, or several filled ones: files, or a folder of them
    #[arg(value_name = "BLANK", required = true)]
    pub pages: Vec<PathBuf>,
    /// Where the template goes; beside it, with .png added, a picture of the first page with the fields numbered and named
    #[arg(long, value_name = "X.toml")]
    pub out: PathBuf,
    /// Name of the form: small letters, digits and hyphens [default: the template's file name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The page in each file, from 1
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: NonZeroU32,
    /// Replace the template and its picture where they stand already [default: refuse to]
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// `formread template show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Template of a form
    #[arg(value_name = "X.toml")]
    pub template: PathBuf,
    /// Scan to lay it on [default: none, it is drawn as it is printed]
    pub scan: Option<PathBuf>,
    /// The page in the scan's file, from 1
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: NonZeroU32,
    /// Picture (PNG): cells and landmarks in colours, residuals written in
    #[arg(long, value_name = "PNG")]
    pub out: PathBuf,
    /// Resolution at which it is drawn without a scan, dots per inch, 50 to 1200
    #[arg(long, value_name = "DPI", default_value_t = 150.0)]
    pub dpi: f64,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// `formread template check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Templates, each a file that ends in .toml; and at the end, where there are any, scans of their forms: a folder, one
    /// file, or `-` for a list on standard input
    #[arg(value_name = "X.toml|SCANS", required = true)]
    pub paths: Vec<PathBuf>,
    /// Resolution of the scans to come, and of the pages that are drawn, dots per inch, 50 to 1200
    #[arg(long, value_name = "DPI", default_value_t = 300.0)]
    pub dpi: f64,
    /// Draw this many pages of each form, read them, and say what error and review to expect [default: none]
    #[arg(long, value_name = "N", requires = "glyphs")]
    pub simulate: Option<u64>,
    /// Digits to write with: folder with IDX files (the test half is taken), or with folders of images: CLASS/ or
    /// WRITER/CLASS/ [default: none, and nothing is drawn]
    #[arg(long, value_name = "DIR", requires = "simulate")]
    pub glyphs: Option<PathBuf>,
    /// Seed of everything that is drawn: the same seed gives the same deck
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How the drawn pages are degraded: moderate is a scanner fed in a hurry, hard folded paper photographed on a table
    #[arg(long, value_enum, default_value_t = Degrade::Moderate)]
    pub degrade: Degrade,
    /// Weights of the net that reads the drawn pages [default: those carried by the program]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}
