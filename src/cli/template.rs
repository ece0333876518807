//! The command line of `formread template`.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use clap::{Args, Subcommand};

use super::{Degrade, LimitArgs, OutputArgs};

const SHOW_HELP: &str = "Exit status: 0 the template was drawn, on the scan if one is given; 1 it does not fit the scan, and \
                         the picture shows why; 2 could not run.";

const CHECK_HELP: &str = "A finding is a fault (pages or values will be lost or wrong), a risk (some may be) or advice (it \
                          could be read better), with file, line, field and a remedy; the worst first. Templates are \
                          compared with each other and with the built-in ones. Exit status: 0 no findings; 1 there are \
                          findings; 2 could not run.";

const NEW_HELP: &str = "Fields are proposed in reading order. The words printed beside them, those of a PDF with text or those \
                        that Tesseract reads where it is installed, name them and decide the kind: a count, an amount, a code; \
                        fields for words become comments. Without words a row of up to four cells is an integer, a longer one \
                        and a box a code, a tick box a mark. Review names and kinds in the file, then run `formread template \
                        check` on it with some scans. A fillable PDF contains the names of its fields, their kinds and sums. \
                        From several filled pages, print is what most of them have in common: use about six pages by different \
                        writers, the cleanest one first, because it defines the positions. The draft is laid on its own blank, \
                        and on copies of it that are turned, lighter, darker, coarser, and seen from the side; what does not \
                        hold is printed. The pages of a PDF with something to fill in are drafted as one document, each with a \
                        template of its own. Exit status: 0 the templates and their pictures were written, and each lies on its \
                        own blank; 1 they were written, but one may not be used as it is; 2 they were not.";

const EDIT_HELP: &str = "The first line of stdout is the address to open. The page shows the blank with the fields of the template on \
                         it, the findings of `formread template check`, and the text of the file. Keys and mouse do the same; \
                         press ? for the keys. X.toml changes when you save, as a whole, and not if another program has \
                         changed it meanwhile. Nothing leaves this machine. Exit status: 0 stopped by Ctrl-C (SIGINT) or \
                         SIGTERM; 2 could not run.";

/// `formread template`
#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// Draft a template from a blank form or from several filled ones: scans, photos or a PDF
    #[command(after_help = NEW_HELP)]
    New(NewArgs),
    /// List the built-in templates and the given ones: name, version, fingerprint, numbers of fields, cells and rules, title, and
    /// page of a document
    List(ListArgs),
    /// Draw a template, blank or placed on a scan, with its fields numbered and named
    #[command(after_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Find problems of templates: in their files, on scans, and in simulated pages
    #[command(after_help = CHECK_HELP)]
    Check(CheckArgs),
    /// Edit a template in a page of the browser, which this program serves
    #[command(after_help = EDIT_HELP)]
    Edit(EditArgs),
    /// Print the JSON schema of template files, for editors
    Schema,
}

/// `formread template list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Templates to list as well; one with the name of a built-in template replaces it
    #[arg(value_name = "X.toml")]
    pub templates: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread template new`
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The blank form, or several filled ones: files or folders
    #[arg(value_name = "BLANK", required = true)]
    pub pages: Vec<PathBuf>,
    /// File for the template; a picture of the form with its fields numbered and named goes to the same name with .png added.
    /// If several pages have something to fill in, they are the pages of a document, and go to X-1.toml, X-2.toml and so on
    #[arg(long, value_name = "X.toml")]
    pub out: PathBuf,
    /// Name of the form: letters, digits and hyphens [default: the name of the file]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Draft only this page of each file, from 1 [default: all pages of the first file, each with the same page of the others]
    #[arg(long, value_name = "N")]
    pub page: Option<NonZeroU32>,
    /// Languages of the printed words, as Tesseract names them: eng, deu+eng; or off, and the words of a scan are not read [default:
    /// eng, if Tesseract is installed]
    #[arg(long, value_name = "LANGUAGES")]
    pub ocr: Option<String>,
    /// Replace the template and its picture if they exist [default: refuse to run]
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
    /// Scan to place it on [default: none; the template is drawn blank]
    pub scan: Option<PathBuf>,
    /// Page in the file of the scan, from 1
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: NonZeroU32,
    /// Picture (PNG) with cells and landmarks in colour, and residuals as numbers
    #[arg(long, value_name = "PNG")]
    pub out: PathBuf,
    /// Resolution of a blank drawing, dots per inch, 50 to 1200
    #[arg(long, value_name = "DPI", default_value_t = 150.0)]
    pub dpi: f64,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// `formread template check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Templates (files that end in .toml), and optionally scans of their forms: a folder, one file, or `-` for a list on
    /// standard input
    #[arg(value_name = "X.toml|SCANS", required = true)]
    pub paths: Vec<PathBuf>,
    /// Resolution of future scans and of simulated pages, dots per inch, 50 to 1200
    #[arg(long, value_name = "DPI", default_value_t = 300.0)]
    pub dpi: f64,
    /// Draw this many pages of each form, read them, and report the rates of error and review to expect [default: none]
    #[arg(long, value_name = "N", requires = "glyphs")]
    pub simulate: Option<u64>,
    /// Folder of digits to write with: IDX files (the test set is used), or folders of images named CLASS/ or WRITER/CLASS/
    /// [default: none; no page is simulated]
    #[arg(long, value_name = "DIR", requires = "simulate")]
    pub glyphs: Option<PathBuf>,
    /// Seed of all random choices: the same seed gives the same pages
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Degradation of the simulated pages: none, moderate (a fast document feeder), or hard (folded paper photographed on a
    /// table)
    #[arg(long, value_enum, default_value_t = Degrade::Moderate)]
    pub degrade: Degrade,
    /// Weights of the nets that read the simulated pages [default: the built-in weights]
    #[arg(long, value_name = "W.safetensors")]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub limits: LimitArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `formread template edit`
#[derive(Debug, Args)]
pub struct EditArgs {
    /// Template of a form
    #[arg(value_name = "X.toml")]
    pub template: PathBuf,
    /// The blank form: a scan, a photo or a PDF
    #[arg(value_name = "BLANK")]
    pub blank: PathBuf,
    /// Page in the file of the blank form, from 1
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: NonZeroU32,
    /// Address of this machine to listen on; port 0 is any that is free
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub limits: LimitArgs,
}
