//! The command line of `formread synth`.

use std::path::PathBuf;

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use formread_tools::synth::HostileKind;

/// `formread synth`
#[derive(Debug, Args)]
pub struct SynthArgs {
    /// Template of the form. Repeat it for the pages of a document, in order: their values keep the rules across pages
    #[arg(long, value_name = "FILE.toml", required = true)]
    pub pipeline: Vec<PathBuf>,
    /// Folder of digits to write with: IDX files (the test set is used), or folders of images named CLASS/ or WRITER/CLASS/
    #[arg(long, value_name = "DIR")]
    pub glyphs: PathBuf,
    /// Blank form to write on: a PDF or scans, cut at the edges of the paper, with a page for each template, in the same order.
    /// Repeat it for several files [default: what the templates declare is printed]
    #[arg(long, value_name = "BLANK")]
    pub print: Vec<PathBuf>,
    /// Number of pages; for documents, a multiple of the pages of one document
    #[arg(long, value_name = "N")]
    pub pages: u64,
    /// Folder for the scans and their truth.csv, and hostile.csv with --hostile
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Format of the files; tif-bilevel is black and white with CCITT group 4 compression
    #[arg(long, value_enum, default_value_t = Format::Png)]
    pub format: Format,
    /// Pages per file; more than 1 needs a tif format [default: 1, or the pages of a document]
    #[arg(long, value_name = "N")]
    pub pages_per_file: Option<u64>,
    /// Seed of all random choices: the same seed gives the same pages
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Resolution, dots per inch, 50 to 1200
    #[arg(long, value_name = "DPI", default_value_t = 300.0)]
    pub dpi: f64,
    /// Share of the fields that are left blank, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub blanks: f64,
    /// Share of the writers who fill unused cells, if the template declares a filler, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    pub fillers: f64,
    /// Share of neighbouring digits in a box that touch each other, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub touching: f64,
    /// Share of the writers who write the decimal point of an amount in a box, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub points: f64,
    /// Share of the pages that are rotated by 90, 180 or 270 degrees, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub turned: f64,
    /// Share of the fields that get hostile writing, and of the pages that get hostile ink, 0 to 1. The kinds are in
    /// hostile.csv: scan, page, field, kind
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub hostile: f64,
    /// Kinds of hostile writing, separated by commas [default: all]
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = hostile_kinds(), requires = "hostile")]
    pub hostile_kinds: Vec<HostileKind>,
    #[command(flatten)]
    pub degradations: DegradationArgs,
}

/// Parses the name of a kind of hostile writing.
fn hostile_kinds() -> impl TypedValueParser<Value = HostileKind> {
    let names = PossibleValuesParser::new(HostileKind::ALL.map(HostileKind::as_str));
    names.try_map(|name| HostileKind::from_name(&name).ok_or("unknown kind"))
}

/// Degradations by paper and scanner.
#[derive(Debug, Args)]
#[command(next_help_heading = "Degradations (each value is a maximum; the amount is random for each page)")]
pub struct DegradationArgs {
    /// Preset of all degradations: none, moderate (a fast document feeder), or hard (folded paper photographed on a table). The
    /// options below change one of them
    #[arg(long, value_enum, default_value_t = Degrade::None)]
    pub degrade: Degrade,
    /// Maximum rotation in either direction, degrees, 0 to 45 [default: set by --degrade]
    #[arg(long, value_name = "DEGREES")]
    pub skew: Option<f64>,
    /// Strength, 0 to 1: 1 shifts the page by up to a quarter of its size [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub shift: Option<f64>,
    /// Strength, 0 to 1: 1 scales the page to 70 % to 140 % [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub scale: Option<f64>,
    /// Strength, 0 to 1: 1 is a blur of 0.16 mm [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub blur: Option<f64>,
    /// Strength, 0 to 1: 1 is noise of 28 grey levels, with dust [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub noise: Option<f64>,
    /// Strength, 0 to 1: 1 makes strokes up to two pixels wider or one pixel thinner [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub stroke_weight: Option<f64>,
    /// Strength, 0 to 1: 1 is JPEG quality 12 [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub jpeg: Option<f64>,
    /// Strength, 0 to 1: 1 is black and white, with 1.2 % of the rows and 8 % of the ink missing [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub fax: Option<f64>,
    /// Strength, 0 to 1: 1 is a dark crease whose sides are displaced by up to 0.6 mm [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub fold: Option<f64>,
    /// Strength, 0 to 1: 1 moves each corner by up to a tenth of the page size [default: set by --degrade]
    #[arg(long, value_name = "STRENGTH")]
    pub perspective: Option<f64>,
    /// Strength, 0 to 1: 1 darkens a side by up to 55 % [default: set by --degrade]
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

/// Presets of degradations.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Degrade {
    None,
    Moderate,
    Hard,
}
