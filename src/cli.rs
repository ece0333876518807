//! The command line: flags and what they mean. Touches no file.

mod template;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use formread_page::Limits;

pub use template::{CheckArgs, ListArgs, NewArgs, ShowArgs, TemplateCommand};

/// Reads hand-filled numbers from scanned forms into a table that can be booked.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_STATUS)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 every page was read, whatever awaits review; 1 the batch came to its end but \
                           some page could not be read at all; 2 it could not run, or not come to its end, and no \
                           table was written. Progress and messages go to stderr, data to stdout.";

const RUN_HELP: &str = "A run that is stopped, cut off or killed at any instant keeps what it has read in OUT.csv.partial, \
                        and --resume goes on from there to the same bytes; a file whose content has changed is read \
                        anew, and so is everything when templates, weights, limits or acceptance levels have. The first \
                        Ctrl-C (SIGINT) or SIGTERM finishes the pages in hand and stops with status 2, the second one \
                        kills. Before the tables take their names the ledger is checked: each page of each file must \
                        stand in OUT.csv once; where one does not, the status is 2. In the names of scans, bytes that \
                        are not UTF-8 and what a spreadsheet would take for the start of a formula are written as in an \
                        address: %3D for =.";

const CALIBRATE_STATUS: &str = "A field stands on its own samples where these prove a level; or else on those of all \
                                fields of its form, or else of all forms: then the budget is kept in all of them \
                                together, perhaps not in each. A number taken for blank is an error; a blank read as \
                                blank proves nothing. Exit status: 0 every field has a level, or must have none; 2 there \
                                are too few samples or too many errors for that, and no file was written.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Reads scans into OUT.csv, a row a page, with OUT.fields.csv beside it, a row a field, and OUT.run.json, what both came
    /// from; where templates are pages of documents, OUT.documents.csv says which are complete
    #[command(after_help = format!("{RUN_HELP}\n\n{EXIT_STATUS}"))]
    Run(RunArgs),
    /// Shows how one page was read, field by field, on a sheet and in text: for a person who must decide what is written
    #[command(after_help = EXIT_STATUS)]
    Explain(ExplainArgs),
    /// Trains the net on labelled digits and measures it on writers held out
    Train(TrainArgs),
    /// Measures against ground truth
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Finds, of each form and field, the least confidence at which errors stay within a budget
    #[command(after_help = CALIBRATE_STATUS)]
    Calibrate(CalibrateArgs),
    /// Measures speed: decoding alone, then the whole reading of the same pages
    Bench(BenchArgs),
    /// Lists, draws and checks templates
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Draws a template as printed forms, fills them with real digits and degrades them: scans with their truth
    Synth(SynthArgs),
}

/// Where the scans are.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// A folder (walked in sorted order), one file, or `-` for a list of files on standard input, one a line (or, where there is a
    /// NUL in it, one a NUL)
    pub scans: PathBuf,
}

/// What scans are read with.
#[derive(Debug, Args)]
pub struct ReaderArgs {
    /// Template of a form; may be given several times, with the forms that its rules name and the other pages of its document
    /// [default: every template known
    /// to the program; the one that fits a page best wins]
    #[arg(long, value_name = "FILE.toml")]
    pub pipeline: Vec<PathBuf>,
    /// Weights of the net [default: those carried by the program]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    /// Where the nets reckon; auto takes a graphics card where a CUDA build of LibTorch has one to use. Readings may differ
    /// from one to the other in the last digit of a confidence; OUT.run.json says which it was
    #[arg(long, value_enum, default_value_t = DeviceArg::Auto)]
    pub device: DeviceArg,
    /// In which numbers the nets reckon; auto takes bfloat16 on a processor that knows it (AVX-512 BF16), where it halves their
    /// time. Readings may differ in the last digits of a confidence; OUT.run.json says which it was
    #[arg(long, value_enum, default_value_t = PrecisionArg::Auto)]
    pub precision: PrecisionArg,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Where the nets reckon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceArg {
    /// A graphics card where there is one, else the processor
    Auto,
    /// The processor
    Cpu,
    /// The first graphics card
    Cuda,
}

/// Number formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// What is fastest on this machine
    Auto,
    /// 32 bits
    Single,
    /// 16 bits: faster on processors that know bfloat16 (AMX, AVX-512 BF16), slower on others
    Bfloat16,
}

/// How much a scan may take.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits (what is over one is a row and a reason: too-large or timed-out)")]
pub struct LimitArgs {
    /// Largest file, MiB
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().file_bytes >> 20)]
    pub max_file_mib: u64,
    /// Most pixels a page, millions
    #[arg(long, value_name = "MEGAPIXELS", default_value_t = Limits::default().page_pixels / 1_000_000)]
    pub max_page_megapixels: u64,
    /// Most pages a file
    #[arg(long, value_name = "N", default_value_t = Limits::default().pages)]
    pub max_pages: u32,
    /// Most memory that the decoding of one page may take, MiB; `explain` only tells the decoders that can be told
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().memory_bytes >> 20)]
    pub max_memory_mib: u64,
    /// Most time that the decoding of one page may take, seconds; `explain` waits as long as it takes
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().page_seconds)]
    pub max_page_seconds: u32,
}

/// How scans are read.
#[derive(Debug, Args)]
pub struct ReadArgs {
    #[command(flatten)]
    pub with: ReaderArgs,
    /// Pages that are worked on at the same time [default: the number of processor cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
}

/// `formread run`
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub scans: ScanArgs,
    /// Table of pages; the evidence goes to OUT.fields.csv beside it, what both came from to OUT.run.json, and documents of
    /// several pages to OUT.documents.csv
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    #[command(flatten)]
    pub read: ReadArgs,
    /// Acceptance levels by form and field, as `formread calibrate` writes them [default: 0.97 for every field]
    #[arg(long, value_name = "ACCEPTANCE.toml")]
    pub acceptance: Option<PathBuf>,
    /// Go on with a run into OUT.csv that was cut off; what it has read, and has not changed since, is not read again
    /// [default: refuse to]
    #[arg(long, conflicts_with = "overwrite")]
    pub resume: bool,
    /// Replace OUT.csv where it stands already [default: refuse to]
    #[arg(long)]
    pub overwrite: bool,
    /// Folder for a picture (PNG) of each page with the fields, cuts and readings drawn on it, by its own rules
    /// alone [default: no pictures]
    #[arg(long, value_name = "DIR")]
    pub overlay: Option<PathBuf>,
    /// Folder where each file with a page that could not be read gets a second name (a hard link; a copy where there can
    /// be none) and beside it a .txt with the reasons; nothing there is replaced [default: they are not collected]
    #[arg(long, value_name = "DIR")]
    pub rejects: Option<PathBuf>,
    /// Leave out a file that was changed less than this many seconds ago, or while it was read: it may still be written
    /// to. It stands in no table, is named on stderr, and is there for the next run. 0 reads every file as it stands
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    pub settle: u64,
    /// Say nothing but what stops the run [default: progress, rejected pages and a summary on stderr]
    #[arg(long)]
    pub quiet: bool,
}

/// `formread explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// File with the page
    pub scan: PathBuf,
    /// The page in the file, from 1; where rules tie pages together, the others are read, too
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: NonZeroU32,
    /// Name of a field to be shown; may be given several times [default: every field of the form]
    #[arg(long, value_name = "F")]
    pub field: Vec<String>,
    #[command(flatten)]
    pub with: ReaderArgs,
    /// Acceptance levels of the run that is explained [default: 0.97 for every field]
    #[arg(long, value_name = "ACCEPTANCE.toml")]
    pub acceptance: Option<PathBuf>,
    /// Picture (PNG) of where each field lay, what was cut from it, and what the nets saw and said
    #[arg(long, value_name = "SHEET.png")]
    pub out: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread train`
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Folder with IDX files, or with folders of images: CLASS/ or WRITER/CLASS/; may be given several times
    #[arg(long, value_name = "DIR", required = true)]
    pub data: Vec<PathBuf>,
    /// Where the weights go; what they are goes to a .json beside them
    #[arg(long, value_name = "W.safetensors")]
    pub out: PathBuf,
    /// Times that every digit is seen
    #[arg(long, value_name = "N", default_value = "10")]
    pub epochs: NonZeroUsize,
    /// Digits a step
    #[arg(long, value_name = "N", default_value = "128")]
    pub batch_size: NonZeroUsize,
    /// Learning rate of Adam, at its highest
    #[arg(long, value_name = "RATE", default_value_t = 1e-4)]
    pub lr: f64,
    /// Which nets to train; the other ones are taken from --base
    #[arg(long, value_enum, default_value_t = Nets::All)]
    pub net: Nets,
    /// Weights of the nets that are not trained [default: those carried by the program]
    #[arg(long, value_name = "W.safetensors")]
    pub base: Option<PathBuf>,
    /// Epochs of the net that reads whole strips of digits
    #[arg(long, value_name = "N", default_value = "10")]
    pub strip_epochs: NonZeroUsize,
    /// Strips an epoch, drawn from the digits, each time others
    #[arg(long, value_name = "N", default_value = "40000")]
    pub strips: NonZeroUsize,
    /// Strips a step
    #[arg(long, value_name = "N", default_value = "32")]
    pub strip_batch_size: NonZeroUsize,
    /// Learning rate of Adam for strips, at its highest
    #[arg(long, value_name = "RATE", default_value_t = 1e-3)]
    pub strip_lr: f64,
    /// Seed of everything that is drawn: the same seed gives the same weights on the same machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Share of the writers of a set that are held out to measure on, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub held_out: f64,
    /// Which writers: each turn, from 0, holds out the next ones, so that several trainings can cover all of them
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub held_out_turn: usize,
    /// Made-up writers whose digits are drawn from strokes and trained on beside the real ones
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub drawn_writers: usize,
    /// In which the nets reckon while they learn
    #[arg(long, value_enum, default_value_t = PrecisionArg::Single)]
    pub precision: PrecisionArg,
    /// Nets that learn side by side [default: one for each core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Go on from the checkpoint beside OUT, where there is one [default: begin anew]
    #[arg(long)]
    pub resume: bool,
}

/// The nets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Nets {
    /// All
    All,
    /// The two of single digits
    Glyphs,
    /// That of whole strips of digits
    Strips,
}

/// `formread eval`
#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Field by field, forced and accepted
    Values(EvalValuesArgs),
    /// Single digits
    Glyphs(EvalGlyphsArgs),
}

/// `formread eval values`
#[derive(Debug, Args)]
pub struct EvalValuesArgs {
    /// Table that `formread run` wrote, with its OUT.fields.csv beside it
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    /// Truth: columns scan, page and the fields by name. An empty cell is a blank field, ? is not scored, ! is illegible
    /// and must not be accepted
    #[arg(value_name = "TRUTH.csv")]
    pub truth: PathBuf,
    /// Template of a form, to know the kinds of its fields; may be given several times [default: those known to the
    /// program, which are known in any case]
    #[arg(long, value_name = "FILE.toml")]
    pub pipeline: Vec<PathBuf>,
    /// Report for a person, one HTML file that needs no other and no network [default: none]
    #[arg(long, value_name = "REPORT.html")]
    pub html: Option<PathBuf>,
    /// What was read: folder, file, or `-` for the list on standard input; shows in the report what is wrong or awaits
    /// review, cut from the scan [default: no pictures]
    #[arg(long, value_name = "SCANS", requires = "html")]
    pub scans: Option<PathBuf>,
    /// Most fields that the report shows one by one, the worst first; it says how many it leaves out
    #[arg(long, value_name = "N", default_value_t = 200, requires = "html")]
    pub crops: usize,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread calibrate`
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Table that `formread run` wrote, with its OUT.fields.csv beside it
    #[arg(value_name = "OUT.csv")]
    pub out: PathBuf,
    /// Truth: as `formread eval values` has it
    #[arg(value_name = "TRUTH.csv")]
    pub truth: PathBuf,
    /// Most errors among accepted values, as a share between 0 and 1: 0.0005 is one in two thousand
    #[arg(long, value_name = "SHARE", required = true)]
    pub max_field_error: f64,
    /// How sure each level is to keep to that, as a chance between 0 and 1
    #[arg(long, value_name = "CHANCE", default_value_t = 0.95)]
    pub certainty: f64,
    /// Where the levels go, for `formread run --acceptance`; what stands there is replaced [default: nowhere]
    #[arg(long = "out", value_name = "ACCEPTANCE.toml")]
    pub levels: Option<PathBuf>,
    /// Weights that OUT.csv was read with: they are named in ACCEPTANCE.toml, and `run` refuses it with others
    /// [default: none are named]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread eval glyphs`
#[derive(Debug, Args)]
pub struct EvalGlyphsArgs {
    /// Folder with IDX files, or with folders of images: CLASS/ or WRITER/CLASS/
    pub dir: PathBuf,
    /// Weights of the net [default: those carried by the program]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    /// Picture (PNG) of the signs that were not read right, as the net saw them [default: none]
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

/// `formread synth`
#[derive(Debug, Args)]
pub struct SynthArgs {
    /// Template of the form; given several times, the pages of a document, one after the other: their values keep the rules
    /// across pages
    #[arg(long, value_name = "FILE.toml", required = true)]
    pub pipeline: Vec<PathBuf>,
    /// Digits to write with: folder with IDX files (the test half is taken), or with folders of images: CLASS/ or
    /// WRITER/CLASS/
    #[arg(long, value_name = "DIR")]
    pub glyphs: PathBuf,
    /// Number of pages; where they are those of documents, a multiple of the pages of one
    #[arg(long, value_name = "N")]
    pub pages: u64,
    /// Folder for the scans and their truth.csv
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Format of the files; tif-bilevel is black and white, CCITT group 4
    #[arg(long, value_enum, default_value_t = Format::Png)]
    pub format: Format,
    /// Pages a file; more than one in tif alone [default: 1, or the pages of a document]
    #[arg(long, value_name = "N")]
    pub pages_per_file: Option<u64>,
    /// Seed of everything that is drawn: the same seed gives the same deck
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Resolution, dots per inch, 50 to 1200
    #[arg(long, value_name = "DPI", default_value_t = 300.0)]
    pub dpi: f64,
    /// Share of the fields left blank, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub blanks: f64,
    /// Share of the writers who fill unused cells, where the template declares a filler, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    pub fillers: f64,
    /// Share of neighbouring digits in a box that touch, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub touching: f64,
    /// Share of the writers who write the decimal point of an amount in a box, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub points: f64,
    /// Share of the pages that lie on their side or upside down, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub turned: f64,
    #[command(flatten)]
    pub degradations: DegradationArgs,
}

/// What paper and scanner do to the pages of a deck.
#[derive(Debug, Args)]
#[command(next_help_heading = "Degradations (each an upper end: what one page gets is drawn below it)")]
pub struct DegradationArgs {
    /// All of them at once: none as drawn, moderate a scanner fed in a hurry, hard folded paper photographed on a table.
    /// Those below change one of them
    #[arg(long, value_enum, default_value_t = Degrade::None)]
    pub degrade: Degrade,
    /// Largest turn either way, degrees, 0 to 45 [default: as --degrade]
    #[arg(long, value_name = "DEGREES")]
    pub skew: Option<f64>,
    /// Strength 0 to 1: 1 shifts the page by up to a quarter of its sides [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub shift: Option<f64>,
    /// Strength 0 to 1: 1 scales the page to between 70 and 140 % [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub scale: Option<f64>,
    /// Strength 0 to 1: 1 blurs by 0.16 mm [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub blur: Option<f64>,
    /// Strength 0 to 1: 1 is noise of 28 grey levels, and dust [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub noise: Option<f64>,
    /// Strength 0 to 1: 1 makes ink two pixels wider or one thinner [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub stroke_weight: Option<f64>,
    /// Strength 0 to 1: 1 is a JPEG of quality 12 [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub jpeg: Option<f64>,
    /// Strength 0 to 1: 1 is black and white, with 1.2 % of the rows and 8 % of the ink lost [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub fax: Option<f64>,
    /// Strength 0 to 1: 1 is a dark crease, its sides up to 0.6 mm apart [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub fold: Option<f64>,
    /// Strength 0 to 1: 1 moves each corner by up to a tenth of the page's sides [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub perspective: Option<f64>,
    /// Strength 0 to 1: 1 takes up to 55 % of the light [default: as --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub uneven_light: Option<f64>,
}

/// Formats of scans.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Format {
    Tif,
    TifBilevel,
    Png,
    Jpg,
    Bmp,
    Webp,
}

/// How hard a deck is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Degrade {
    None,
    Moderate,
    Hard,
}

/// In which form results are written.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Write one JSON object on stdout [default: a table for people]
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_and_every_flag_has_help_that_says_the_default() {
        fn check(command: &clap::Command, path: &str) {
            assert!(command.get_about().is_some(), "{path} has no help");
            for arg in command.get_arguments() {
                let id = arg.get_id();
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty(), "{path} {id} has no help");
                let says_default = help.contains("[default:") || !arg.get_default_values().is_empty();
                let is_ours = !matches!(id.as_str(), "help" | "version");
                assert!(
                    arg.is_positional() || arg.is_required_set() || says_default || !is_ours,
                    "{path} {id} does not say its default: {help}"
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
    fn resume_and_overwrite_exclude_each_other() {
        Cli::try_parse_from(["formread", "run", "in", "out.csv", "--resume", "--overwrite"]).expect_err("not both");
        Cli::try_parse_from(["formread", "run", "in", "out.csv", "--jobs", "0"]).expect_err("somebody must work");
    }
}
