//! The command line: flags and what they mean. Touches no file.

mod review;
mod sinks;
mod synth;
mod template;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use formread::pipeline::DEFAULT_OVERLAY_BYTES;
use formread_page::Limits;

pub use review::{
    ApplyArgs, ContextArg, OfRunArgs, ReviewCommand, ReviewSubcommand, SamplesArgs, ServeArgs, TruthArgs,
};
pub use sinks::{AlsoArgs, DumpArgs, LoadArgs};
pub use synth::{Degrade, Format, SynthArgs};
pub use template::{CheckArgs, EditArgs, ListArgs, NewArgs, ShowArgs, TemplateCommand};

/// Reads handwritten numbers from scanned forms into a table.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_STATUS)]
pub struct Cli {
    /// The command to run
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 every page was read, even if fields need review; 1 finished, but some page could \
                           not be read at all; 2 could not run or could not finish, and no table was written. Progress \
                           and messages go to stderr, data to stdout.";

const RUN_HELP: &str = "An interrupted run keeps what it has read in OUT.csv.partial. With --resume it continues and \
                        writes the same bytes as an uninterrupted run. A changed file is read again; all files are read \
                        again if the program, weights, templates, limits or acceptance levels have changed. The first \
                        Ctrl-C (SIGINT) or SIGTERM finishes the pages in hand, for at most 4 seconds, and exits with \
                        status 2; the second ends the program at once. Before the tables get their names, the run checks that each page of each \
                        file is in OUT.csv exactly once; otherwise it exits with status 2. In the names of scans, bytes \
                        that are not UTF-8 and characters that start a formula in a spreadsheet are percent-encoded: \
                        %3D for =.";

const PAIRED_HELP: &str = "B is better if it reads more fields right than chance explains (McNemar's exact test over fields, \
                           and a sign-flip test over pages, both below 0.05), and accepts no more wrong values. Exit \
                           status: 0 B is better, or with --no-loss loses nothing; 1 it is not proved better, or loses; 2 could not \
                           run.";

const CALIBRATE_HELP: &str = "A field gets a level from its own samples if there are enough of them; otherwise from the \
                              samples of all fields of its form, or of all forms. A pooled level keeps the error budget \
                              for the pooled fields together, not for each of them. A number that was read as blank is \
                              an error; a correct blank is no evidence. Exit status: 0 each field has a level, or must \
                              never be accepted; 2 too few samples or too many errors, and no file was written.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read scans into OUT.csv (one row per page), OUT.fields.csv (one row per field) and OUT.run.json (what the tables came
    /// from); OUT.documents.csv lists documents of several pages, if the templates declare any
    #[command(after_help = format!("{RUN_HELP}\n\n{EXIT_STATUS}"))]
    Run(RunArgs),
    /// Show how one page was read, field by field, as a picture and as text
    #[command(after_help = EXIT_STATUS)]
    Explain(ExplainArgs),
    /// Train the nets on labelled digits, and measure them on held-out writers
    Train(TrainArgs),
    /// Measure accuracy against ground truth
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Find the minimum confidence for each form and field that keeps errors within a budget
    #[command(after_help = CALIBRATE_HELP)]
    Calibrate(CalibrateArgs),
    /// Measure speed: decoding alone, then the whole reading of the same pages
    Bench(BenchArgs),
    /// Settle the fields for review in a page of the browser, which this program serves
    Review(ReviewCommand),
    /// Draft, list, draw, check and edit templates
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Copy the tables of a run to a database or to Parquet files
    #[command(after_help = sinks::LOAD_HELP)]
    Load(LoadArgs),
    /// Write the tables of the last run in a database or in Parquet files as OUT.csv, OUT.fields.csv, OUT.documents.csv and
    /// OUT.run.json
    #[command(after_help = sinks::DUMP_HELP)]
    Dump(DumpArgs),
    /// Draw a form with handwritten digits and degrade it: synthetic scans with their truth
    Synth(SynthArgs),
}

/// Where the scans are.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// A folder (searched recursively, in sorted order, for files with the extension of an image or that begin as one), one
    /// file, or `-` for a list of files on standard input, separated by line ends (or by NUL, if the list contains one)
    pub scans: PathBuf,
}

/// Templates, weights and limits.
#[derive(Debug, Args)]
pub struct ReaderArgs {
    /// Template of a form. Repeat it for several forms; include the forms that its rules refer to and the other pages of its
    /// document [default: all built-in templates; the best fit is used for each page]
    #[arg(long, value_name = "FILE.toml")]
    pub pipeline: Vec<PathBuf>,
    /// Weights of the nets [default: the built-in weights]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    /// Device of the nets. Confidences may differ in the last digit between devices; OUT.run.json records the device
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    pub device: DeviceArg,
    /// Number format of the nets. Confidences may differ in the last digits between formats; OUT.run.json records the format
    #[arg(long, value_enum, default_value_t = PrecisionArg::Auto)]
    pub precision: PrecisionArg,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Device of the nets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceArg {
    /// A GPU if LibTorch was built with CUDA and finds one, otherwise the CPU
    Auto,
    /// The CPU
    Cpu,
    /// The first GPU
    Cuda,
}

/// Number format of the nets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// The fastest format of this machine
    Auto,
    /// 32-bit floating point
    Single,
    /// 16-bit floating point: about twice as fast on CPUs with AVX-512 BF16 or AMX, slower on others
    Bfloat16,
}

/// Limits on scans.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits (a page or file above a limit is rejected as too-large or timed-out)")]
pub struct LimitArgs {
    /// Maximum size of a file, MiB
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().file_bytes >> 20)]
    pub max_file_mib: u64,
    /// Maximum number of pixels of a page, millions
    #[arg(long, value_name = "MEGAPIXELS", default_value_t = Limits::default().page_pixels / 1_000_000)]
    pub max_page_megapixels: u64,
    /// Maximum number of pages of a file
    #[arg(long, value_name = "N", default_value_t = Limits::default().pages)]
    pub max_pages: u32,
    /// Maximum memory to decode a page, MiB. `explain` and `template` decode in their own process, where some decoders do not
    /// keep this limit
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().memory_bytes >> 20)]
    pub max_memory_mib: u64,
    /// Maximum time to decode a page, find its fields and put its values together, seconds. Once three pages of a file are
    /// over it, the rest of the file is not read. `explain` and `template` do not limit the time
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().page_seconds)]
    pub max_page_seconds: u32,
    /// Maximum time for all pages of a file, seconds. The pages that are left then are not read. `explain` and `template` do
    /// not limit the time
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().file_seconds)]
    pub max_file_seconds: u32,
}

/// How a batch is read.
#[derive(Debug, Args)]
pub struct ReadArgs {
    #[command(flatten)]
    pub with: ReaderArgs,
    /// Number of pages that are read at the same time [default: the number of CPU cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}

/// `formread run`
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub scans: ScanArgs,
    /// Table of pages. OUT.fields.csv, OUT.run.json and OUT.documents.csv are written beside it
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    #[command(flatten)]
    pub read: ReadArgs,
    /// Minimum confidence for each form and field, as written by `formread calibrate` [default: 0.97 for every field]
    #[arg(long, value_name = "ACCEPTANCE.toml")]
    pub acceptance: Option<PathBuf>,
    /// Continue an interrupted run into OUT.csv; files that it has read and that have not changed are not read again [default:
    /// refuse to run]
    #[arg(long, conflicts_with = "overwrite")]
    pub resume: bool,
    /// Replace OUT.csv if it exists [default: refuse to run]
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub also: AlsoArgs,
    /// Folder for a picture (PNG) of each page with its fields, cuts and readings; rules across pages are not yet applied
    /// [default: no pictures]
    #[arg(long, value_name = "DIR")]
    pub overlay: Option<PathBuf>,
    /// Maximum size of these pictures, MiB. The pages that are left then have none
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_OVERLAY_BYTES >> 20, requires = "overlay")]
    pub max_overlay_mib: u64,
    /// Folder to collect the files that have an unreadable page, each as a hard link (or a copy), with a .txt file of the
    /// reasons; existing files are not replaced [default: not collected]
    #[arg(long, value_name = "DIR")]
    pub rejects: Option<PathBuf>,
    /// Skip a file that was changed less than this many seconds ago, or while it was read: it may still be written to. It is
    /// in no table and is reported on stderr; the next run reads it. With 0 no file is skipped
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    pub settle: u64,
    /// Print only the error that ends the run [default: progress, rejected pages and a summary on stderr]
    #[arg(long)]
    pub quiet: bool,
}

/// `formread explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// File that contains the page
    pub scan: PathBuf,
    /// Page in the file, from 1. If rules tie pages together, the whole file is read
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: NonZeroU32,
    /// Name of a field to show; repeat it for several fields [default: all fields of the form]
    #[arg(long, value_name = "F")]
    pub field: Vec<String>,
    #[command(flatten)]
    pub with: ReaderArgs,
    /// Minimum confidence for each form and field, as given to the run [default: 0.97 for every field]
    #[arg(long, value_name = "ACCEPTANCE.toml")]
    pub acceptance: Option<PathBuf>,
    /// Picture (PNG) of each field: its position, its cuts, the input of the nets and their scores
    #[arg(long, value_name = "SHEET.png")]
    pub out: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread train`
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Folder of labelled digits: IDX files, folders of images named CLASS/ or WRITER/CLASS/, or .jsonl files of pen tracks;
    /// repeat it for several folders
    #[arg(long, value_name = "DIR", required = true)]
    pub data: Vec<PathBuf>,
    /// File for the weights; their description is written to a .json file beside it
    #[arg(long, value_name = "W.safetensors")]
    pub out: PathBuf,
    /// Number of passes over the digits
    #[arg(long, value_name = "N", default_value = "10")]
    pub epochs: NonZeroUsize,
    /// Digits per step
    #[arg(long, value_name = "N", default_value = "128")]
    pub batch_size: NonZeroUsize,
    /// Maximum learning rate (Adam)
    #[arg(long, value_name = "RATE", default_value_t = 1e-4)]
    pub lr: f64,
    /// Which nets to train; the others are taken from --base
    #[arg(long, value_enum, default_value_t = Nets::All)]
    pub net: Nets,
    /// Train the nets of --base further, in place of untrained ones
    #[arg(long)]
    pub further: bool,
    /// Weights of the nets that are not trained or trained further [default: the built-in weights]
    #[arg(long, value_name = "W.safetensors")]
    pub base: Option<PathBuf>,
    /// Number of epochs of the net that reads strips of digits
    #[arg(long, value_name = "N", default_value = "10")]
    pub strip_epochs: NonZeroUsize,
    /// Strips per epoch; they are composed of the digits anew for each epoch
    #[arg(long, value_name = "N", default_value = "40000")]
    pub strips: NonZeroUsize,
    /// Strips per step
    #[arg(long, value_name = "N", default_value = "32")]
    pub strip_batch_size: NonZeroUsize,
    /// Maximum learning rate for strips (Adam)
    #[arg(long, value_name = "RATE", default_value_t = 1e-3)]
    pub strip_lr: f64,
    /// Seed of all random choices: the same seed gives the same weights on the same machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Share of the writers of a set that is held out to measure accuracy, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub held_out: f64,
    /// Which share of the writers is held out, from 0: several trainings with different turns cover all writers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub held_out_turn: usize,
    /// Number of synthetic writers, whose digits are drawn from strokes and added to the real ones
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub drawn_writers: usize,
    /// Number format of the nets during training
    #[arg(long, value_enum, default_value_t = PrecisionArg::Single)]
    pub precision: PrecisionArg,
    /// Number of nets that are trained at the same time [default: the number of CPU cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Continue from the checkpoint beside OUT, if there is one [default: start again]
    #[arg(long)]
    pub resume: bool,
}

/// The nets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Nets {
    /// All nets
    All,
    /// The two nets for single digits
    Glyphs,
    /// The net for strips of digits
    Strips,
    /// No net: the confidence alone is fitted anew
    None,
}

/// `formread eval`
#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Score the values of fields: all best guesses, and accepted values alone
    Values(EvalValuesArgs),
    /// Score the classification of single digits
    Glyphs(EvalGlyphsArgs),
    /// Compare two runs of the same pages: whether the second reads better, or differs by chance
    #[command(after_help = PAIRED_HELP)]
    Paired(EvalPairedArgs),
}

/// `formread eval paired`
#[derive(Debug, Args)]
pub struct EvalPairedArgs {
    /// Table written by `formread run`, with A.fields.csv beside it
    #[arg(value_name = "A.csv")]
    pub a: PathBuf,
    /// Table of another run of the same pages, with B.fields.csv beside it
    #[arg(value_name = "B.csv")]
    pub b: PathBuf,
    /// Ground truth, as for `formread eval values`
    #[arg(value_name = "TRUTH.csv")]
    pub truth: PathBuf,
    /// Only whether B loses nothing: it reads no fewer fields right, and accepts no more wrong values [default: whether it is better]
    #[arg(long)]
    pub no_loss: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread eval values`
#[derive(Debug, Args)]
pub struct EvalValuesArgs {
    /// Table written by `formread run`, with OUT.fields.csv beside it
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    /// Ground truth: columns scan, page, and one per field. An empty cell is a blank field, ? is not scored, ! is illegible and
    /// must not be accepted
    #[arg(value_name = "TRUTH.csv")]
    pub truth: PathBuf,
    /// Template of a form, for the kinds of its fields; repeat it for several forms [default: the built-in templates, which
    /// are always known]
    #[arg(long, value_name = "FILE.toml")]
    pub pipeline: Vec<PathBuf>,
    /// Kinds of fields: columns scan, page, field, kind, as in the hostile.csv of formread synth. Scores fields by kind; the
    /// others are ordinary [default: no kinds]
    #[arg(long, value_name = "KINDS.csv")]
    pub by: Option<PathBuf>,
    /// Report as one self-contained HTML file [default: no report]
    #[arg(long, value_name = "REPORT.html")]
    pub html: Option<PathBuf>,
    /// The scans of the run (folder, file, or `-` for a list on standard input), to show wrong fields and fields for review in
    /// the report [default: no pictures]
    #[arg(long, value_name = "SCANS", requires = "html")]
    pub scans: Option<PathBuf>,
    /// Maximum number of fields that the report shows, worst first; it states how many are left out
    #[arg(long, value_name = "N", default_value_t = 200, requires = "html")]
    pub crops: usize,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread calibrate`
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Table written by `formread run`, with OUT.fields.csv beside it
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    /// Ground truth, as for `formread eval values`
    #[arg(value_name = "TRUTH.csv")]
    pub truth: PathBuf,
    /// Maximum share of errors among accepted values, 0 to 1: 0.0005 is one in two thousand
    #[arg(long, value_name = "SHARE", required = true)]
    pub max_field_error: f64,
    /// Probability that a level keeps this maximum, 0 to 1
    #[arg(long, value_name = "CHANCE", default_value_t = 0.95)]
    pub certainty: f64,
    /// File for the levels, for `formread run --acceptance`; an existing file is replaced [default: not written]
    #[arg(long = "out", value_name = "ACCEPTANCE.toml")]
    pub levels: Option<PathBuf>,
    /// Weights that OUT.csv was read with. ACCEPTANCE.toml records them, and `run` refuses it with other weights [default: not
    /// recorded]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread eval glyphs`
#[derive(Debug, Args)]
pub struct EvalGlyphsArgs {
    /// Folder of labelled digits: IDX files, folders of images named CLASS/ or WRITER/CLASS/, or .jsonl files of pen tracks
    pub dir: PathBuf,
    /// Weights of the nets [default: the built-in weights]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    /// Picture (PNG) of the misread signs, as the net sees them [default: no picture]
    #[arg(long, value_name = "SHEET.png")]
    pub sheet: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(flatten)]
    pub scans: ScanArgs,
    #[command(flatten)]
    pub read: ReadArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Format of results.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Write one JSON object to stdout [default: a table]
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_and_flag_has_help_with_its_default() {
        fn check(command: &clap::Command, path: &str) {
            assert!(command.get_about().is_some(), "{path} has no help");
            for arg in command.get_arguments() {
                let id = arg.get_id();
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty(), "{path} {id} has no help");
                let states_default = help.contains("[default:") || !arg.get_default_values().is_empty();
                let is_ours = !matches!(id.as_str(), "help" | "version");
                assert!(
                    arg.is_positional() || arg.is_required_set() || states_default || !is_ours,
                    "{path} {id} does not state its default: {help}"
                );
            }
            command.get_subcommands().for_each(|sub| check(sub, &format!("{path} {}", sub.get_name())));
        }
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        check(&command, "formread");
    }

    #[test]
    fn resume_with_overwrite_is_refused() {
        Cli::try_parse_from(["formread", "run", "in", "out.csv", "--resume", "--overwrite"])
            .expect_err("they conflict");
        Cli::try_parse_from(["formread", "run", "in", "out.csv", "--jobs", "0"])
            .expect_err("at least one worker is needed");
    }
}
