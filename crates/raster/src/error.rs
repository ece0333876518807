//! Errors: what went wrong, whose fault it is, and where it happened.
//!
//! A *fault* is an [`Error`]. A *verdict* on a page or a field (it fits no template, a digit is illegible) is a value,
//! never an error: see [`PageReject`] for pages; the core crate has those of fields.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::printable;

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fault, with the location where it was found.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    location: Location,
    hint: Option<String>,
}

/// What went wrong. The variant shows whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is not valid in its format.
    #[error("malformed {what}: {detail}")]
    Format {
        /// What was read.
        what: Format,
        /// What is wrong with it.
        detail: String,
    },
    /// The input is valid, but uses a feature that this program does not read.
    #[error("unsupported {what}: {detail}")]
    Unsupported {
        /// What was read.
        what: Format,
        /// The feature that is not supported.
        detail: String,
    },
    /// The input is larger than the limits allow.
    #[error("over the limit of {limit} {unit}: {actual}")]
    Limit {
        /// The limit in force.
        limit: u64,
        /// The size of the input.
        actual: u64,
        /// The unit of both.
        unit: Unit,
    },
    /// The work took longer than the limits allow, and was stopped.
    #[error("{0}")]
    TimedOut(String),
    /// The program that decodes ended before it answered.
    #[error("the decoder {0}")]
    DecoderEnded(String),
    /// The caller requested something that cannot be done.
    #[error("{0}")]
    Usage(String),
    /// The net or its library failed.
    #[error("net: {0}")]
    Net(String),
    /// The program itself failed: a defect.
    #[error("defect of the program, please report it: {0}")]
    Internal(String),
    /// The caller stopped a run before its end.
    #[error("stopped: {done} of {of} files are read")]
    Stopped {
        /// Files that are read.
        done: u64,
        /// Files in the run.
        of: u64,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The kind of input that an error is about. Shown in messages by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Format {
    /// A scan in BMP.
    Bmp,
    /// A scan in GIF.
    Gif,
    /// A scan whose format is not known.
    Image,
    /// A scan in JPEG.
    Jpeg,
    /// A scan in JPEG 2000.
    Jpeg2000,
    /// A scan or a form in PDF.
    Pdf,
    /// A scan in PNG.
    Png,
    /// A scan in TIFF.
    Tiff,
    /// A scan in WebP.
    WebP,
    /// A template of a form.
    Template,
    /// A printed form from which a template is drafted.
    Form,
    /// Weights of the nets.
    Weights,
    /// The sidecar of a file of weights.
    Sidecar,
    /// A checkpoint of training.
    Checkpoint,
    /// An IDX file of labelled digits.
    Idx,
    /// A file of pen tracks.
    Tracks,
    /// Any text file.
    Text,
    /// Any table.
    Table,
    /// The table of pages that a run writes.
    PageTable,
    /// The table of fields that a run writes.
    FieldTable,
    /// The table of documents that a run writes.
    DocumentTable,
    /// The record of a run.
    RunRecord,
    /// The journal of a run.
    Journal,
    /// The readings of a run.
    Readings,
    /// The journal of a review.
    ReviewJournal,
    /// A file of reviewers.
    Reviewers,
    /// Ground truth.
    Truth,
    /// A file of acceptance levels.
    AcceptanceLevels,
}

impl Format {
    /// The name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bmp => "bmp",
            Self::Gif => "gif",
            Self::Image => "image",
            Self::Jpeg => "jpeg",
            Self::Jpeg2000 => "jpeg 2000",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Tiff => "tiff",
            Self::WebP => "webp",
            Self::Template => "template",
            Self::Form => "form",
            Self::Weights => "weights",
            Self::Sidecar => "sidecar of weights",
            Self::Checkpoint => "checkpoint",
            Self::Idx => "idx",
            Self::Tracks => "pen tracks",
            Self::Text => "text",
            Self::Table => "table",
            Self::PageTable => "table of pages",
            Self::FieldTable => "table of fields",
            Self::DocumentTable => "table of documents",
            Self::RunRecord => "record of a run",
            Self::Journal => "journal",
            Self::Readings => "readings",
            Self::ReviewJournal => "journal of a review",
            Self::Reviewers => "list of reviewers",
            Self::Truth => "truth",
            Self::AcceptanceLevels => "acceptance levels",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The unit of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Bytes of memory that decoding would take.
    BytesOfMemory,
    /// Bytes of memory that a decoder process has; the error gives the request that failed.
    BytesOfMemoryRequested,
    /// Bytes of a compressed stream after decompression.
    BytesUnpacked,
    /// Pages of a file.
    Pages,
    /// Pixels of a page.
    PixelsPerPage,
    /// Form fields of a page.
    FieldsPerPage,
    /// Annotations of a page.
    AnnotationsPerPage,
    /// Letters of the text of a page of a PDF.
    LettersPerPage,
}

impl Unit {
    /// The name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::BytesOfMemory => "bytes of memory",
            Self::BytesOfMemoryRequested => "bytes of memory, asked for more",
            Self::BytesUnpacked => "bytes unpacked",
            Self::Pages => "pages",
            Self::PixelsPerPage => "pixels a page",
            Self::FieldsPerPage => "fields a page",
            Self::AnnotationsPerPage => "annotations a page",
            Self::LettersPerPage => "letters a page",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a fault was found: file, line, page and field, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// File, as the caller named it.
    pub file: Option<String>,
    /// 1-based line in that file.
    pub line: Option<usize>,
    /// 1-based page in that file.
    pub page: Option<u32>,
    /// Name of the field.
    pub field: Option<String>,
}

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where it went wrong.
    pub fn location(&self) -> &Location {
        &self.0.location
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Input that is not valid in its format.
    pub fn format(what: Format, detail: impl fmt::Display) -> Self {
        ErrorKind::Format { what, detail: detail.to_string() }.into()
    }

    /// Input that uses a feature this program does not read.
    pub fn unsupported(what: Format, detail: impl fmt::Display) -> Self {
        ErrorKind::Unsupported { what, detail: detail.to_string() }.into()
    }

    /// Work that took longer than the limits allow.
    pub fn timed_out(message: impl fmt::Display) -> Self {
        ErrorKind::TimedOut(message.to_string()).into()
    }

    /// A request that cannot be carried out.
    pub fn usage(message: impl fmt::Display) -> Self {
        ErrorKind::Usage(message.to_string()).into()
    }

    /// A failure of the net or its library.
    pub fn net(message: impl fmt::Display) -> Self {
        ErrorKind::Net(message.to_string()).into()
    }

    /// A defect of the program.
    pub fn internal(message: impl fmt::Display) -> Self {
        ErrorKind::Internal(message.to_string()).into()
    }

    /// The same fault, located in `file`, whose name is shown as [`printable()`] text.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.0.location.file = Some(printable(&file.into()).into_owned());
        self
    }

    /// The same fault, located at a 1-based `line`.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.0.location.line = Some(line);
        self
    }

    /// The same fault, located on a 1-based `page`.
    #[must_use]
    pub fn on_page(mut self, page: u32) -> Self {
        self.0.location.page = Some(page);
        self
    }

    /// The same fault, located in the field called `field`.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.0.location.field = Some(field.into());
        self
    }

    /// The same fault, with a hint on what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, location: Location::default(), hint: None }))
    }
}

impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Self {
        ErrorKind::Io(source).into()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0.kind)
    }
}

/// `file:line: page N: field NAME: what went wrong`, then the hint on a line of its own.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Location { file, line, page, field } = &self.0.location;
        match (file, line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        if let Some(page) = page {
            write!(f, "page {page}: ")?;
        }
        if let Some(field) = field {
            write!(f, "field {}: ", printable(field))?;
        }
        write!(f, "{}", printable(&self.0.kind.to_string()))?;
        match &self.0.hint {
            Some(hint) => write!(f, "\nhint: {}", printable(hint)),
            None => Ok(()),
        }
    }
}

/// Why a page as a whole was not read: the values of the `attention` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PageReject {
    /// The file could not be opened or decoded, or its data is damaged.
    Unreadable,
    /// The file is in a format, or uses a feature of its format, that is not read.
    UnsupportedFormat,
    /// No known template fits.
    UnknownForm,
    /// A template was recognised, but its fit to the page is too poor for reading.
    PoorRegistration,
    /// More than one form is on the page.
    SeveralForms,
    /// The page is the mirror image of a form, as through its back.
    Mirrored,
    /// The page is empty.
    BlankPage,
    /// The file or page is over a limit of bytes, pixels, pages or memory.
    TooLarge,
    /// It took longer than the limit, or its file did.
    TimedOut,
    /// The program itself failed on the page: a defect to be reported.
    InternalError,
}

impl PageReject {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Unreadable,
        Self::UnsupportedFormat,
        Self::UnknownForm,
        Self::PoorRegistration,
        Self::SeveralForms,
        Self::Mirrored,
        Self::BlankPage,
        Self::TooLarge,
        Self::TimedOut,
        Self::InternalError,
    ];

    /// The reason of a word in the CSV.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The word in the CSV.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::UnsupportedFormat => "unsupported-format",
            Self::UnknownForm => "unknown-form",
            Self::PoorRegistration => "poor-registration",
            Self::SeveralForms => "several-forms",
            Self::Mirrored => "mirrored",
            Self::BlankPage => "blank-page",
            Self::TooLarge => "too-large",
            Self::TimedOut => "timed-out",
            Self::InternalError => "internal-error",
        }
    }
}

impl fmt::Display for PageReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_with_location_and_hint_shows_both() {
        let error =
            Error::format(Format::Template, "unknown key: widht").in_file("a.toml").at_line(7).in_field("total");
        assert_eq!(error.to_string(), "a.toml:7: field total: malformed template: unknown key: widht");
        let error = Error::usage("no").with_hint("ask again");
        assert_eq!(error.to_string(), "no\nhint: ask again");
    }
}
