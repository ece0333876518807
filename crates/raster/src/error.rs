//! What can go wrong, whose fault it is, and where it happened.
//!
//! A *fault* is an [`Error`]. A *verdict* on a page or a field (it fits no template, a digit is illegible) is a value,
//! never an error: see [`formread_core::assemble`] and [`PageReject`].

use std::fmt;

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fault, with the place it was met.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    location: Location,
    hint: Option<String>,
}

/// Whose fault it is, and what it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are not what they claim to be.
    #[error("malformed {what}: {detail}")]
    Format {
        /// The kind of thing that was read: `png`, `template`, `weights`.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// Well formed, but of a sort this program does not read.
    #[error("unsupported {what}: {detail}")]
    Unsupported {
        /// The kind of thing that was read.
        what: &'static str,
        /// Which part of it is not supported.
        detail: String,
    },
    /// Larger than the limits allow.
    #[error("over the limit of {limit} {unit}: {actual}")]
    Limit {
        /// The limit in force.
        limit: u64,
        /// What was met.
        actual: u64,
        /// The unit of both.
        unit: &'static str,
    },
    /// It took longer than the limits allow, and was given up.
    #[error("over the limit of {limit_s} seconds")]
    TimedOut {
        /// The limit in force, seconds.
        limit_s: u32,
    },
    /// The caller asked for something that cannot be done.
    #[error("{0}")]
    Usage(String),
    /// The net or its library failed.
    #[error("net: {0}")]
    Net(String),
    /// The program itself failed: a defect.
    #[error("defect of the program, please report it: {0}")]
    Internal(String),
    /// The caller asked a run to stop before its end.
    #[error("stopped: {done} of {of} files are read")]
    Stopped {
        /// Files that are read.
        done: u64,
        /// Files there are.
        of: u64,
    },
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Where a fault was met: as much as is known of file, line, page and field.
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

    /// Bytes that are not what they claim to be.
    pub fn format(what: &'static str, detail: impl fmt::Display) -> Self {
        ErrorKind::Format { what, detail: detail.to_string() }.into()
    }

    /// A sort of input this program does not read.
    pub fn unsupported(what: &'static str, detail: impl fmt::Display) -> Self {
        ErrorKind::Unsupported { what, detail: detail.to_string() }.into()
    }

    /// A request that cannot be met.
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

    /// The same fault, met in `file`.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.0.location.file = Some(file.into());
        self
    }

    /// The same fault, met at a 1-based `line`.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.0.location.line = Some(line);
        self
    }

    /// The same fault, met on a 1-based `page`.
    #[must_use]
    pub fn on_page(mut self, page: u32) -> Self {
        self.0.location.page = Some(page);
        self
    }

    /// The same fault, met in the field called `field`.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.0.location.field = Some(field.into());
        self
    }

    /// The same fault, with what can be done about it.
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

/// `file:line: page N: field NAME: what went wrong`, and on a line of its own what can be done about it.
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
            write!(f, "field {field}: ")?;
        }
        write!(f, "{}", self.0.kind)?;
        match &self.0.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Why a page as a whole was not read. The words of the `attention` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PageReject {
    /// The file could not be opened or decoded.
    Unreadable,
    /// No known template fits.
    UnknownForm,
    /// A template was recognised, but lies on the page too ill to be read.
    PoorRegistration,
    /// There is nothing on the page.
    BlankPage,
    /// Over the limits of bytes, pixels, pages or memory.
    TooLarge,
    /// Over the limit of time.
    TimedOut,
    /// The program itself failed on it: a defect to be reported.
    InternalError,
}

impl PageReject {
    /// The word that stands in the CSV.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::UnknownForm => "unknown-form",
            Self::PoorRegistration => "poor-registration",
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
    fn an_error_says_where() {
        let error = Error::format("template", "unknown key: widht").in_file("a.toml").at_line(7).in_field("total");
        assert_eq!(error.to_string(), "a.toml:7: field total: malformed template: unknown key: widht");
        let error = Error::usage("no").with_hint("ask again");
        assert_eq!(error.to_string(), "no\nhint: ask again");
    }
}
