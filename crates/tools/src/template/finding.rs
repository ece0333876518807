//! What is found, how bad it is, where, and what to do about it.

use std::fmt;

use serde::Serialize;

/// How bad a finding is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Pages or values will be lost, or wrong.
    Fault,
    /// Some may be.
    Risk,
    /// It will be read, but less well than it could be.
    Advice,
}

/// What is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The text is no template.
    Malformed,
    /// Two templates have one name.
    SameName,
    /// Pages of a document that do not fit together, or are not all given.
    Document,
    /// A rule names a form or field that is not there.
    UnknownName,
    /// A rule that no values keep, alone or with others.
    Contradiction,
    /// A rule that all values keep.
    NoEffect,
    /// Fields or cells that cover each other.
    Overlap,
    /// A field that leaves the page, or comes near its edge.
    OffPage,
    /// Too small for digits, printed or written, or a barcode's bars, in millimetres or in pixels.
    TooSmall,
    /// Cells of a comb that share their sides.
    AdjoiningCells,
    /// Too few printed lines to register by.
    FewLandmarks,
    /// Printed lines that lie in a line or in a corner, or all run one way.
    LandmarksInLine,
    /// Turned by quarters, it looks like itself.
    Symmetric,
    /// It looks like another form.
    Alike,
    /// Two forms that look alike have barcodes that do not tell them apart.
    SameBarcode,
    /// Of two forms that look alike one has no barcode.
    NoBarcode,
    /// Two forms that look alike have the same number.
    SameNumber,
    /// Of two forms that look alike one has no number.
    NoNumber,
    /// A page that could not be decoded.
    Unreadable,
    /// A page on which the template could not be laid.
    NotRegistered,
    /// A field whose printed frame was not found on a page, or lies off.
    FrameNotFound,
    /// A printed frame that is not removed whole.
    FrameTooDark,
    /// Of drawn pages: values that were accepted and are wrong.
    WrongValues,
    /// Of drawn pages: much that awaits review.
    MuchReview,
}

impl FindingKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::SameName => "same-name",
            Self::Document => "document",
            Self::UnknownName => "unknown-name",
            Self::Contradiction => "contradiction",
            Self::NoEffect => "no-effect",
            Self::Overlap => "overlap",
            Self::OffPage => "off-page",
            Self::TooSmall => "too-small",
            Self::AdjoiningCells => "adjoining-cells",
            Self::FewLandmarks => "few-landmarks",
            Self::LandmarksInLine => "landmarks-in-line",
            Self::Symmetric => "symmetric",
            Self::Alike => "alike",
            Self::SameBarcode => "same-barcode",
            Self::NoBarcode => "no-barcode",
            Self::SameNumber => "same-number",
            Self::NoNumber => "no-number",
            Self::Unreadable => "unreadable",
            Self::NotRegistered => "not-registered",
            Self::FrameNotFound => "frame-not-found",
            Self::FrameTooDark => "frame-too-dark",
            Self::WrongValues => "wrong-values",
            Self::MuchReview => "much-review",
        }
    }
}

/// One thing that will go wrong, or may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub kind: FindingKind,
    /// The template's file, as the caller named it.
    pub file: String,
    /// 1-based line in it, where there is one to change.
    pub line: Option<usize>,
    /// The field, where it is about one.
    pub field: Option<String>,
    /// The scan and its page, where it is about one.
    pub scan: Option<String>,
    /// What was found, with its numbers.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// Of the template in `file` as a whole.
    pub fn new(severity: Severity, kind: FindingKind, file: &str, detail: impl Into<String>) -> Self {
        let (file, detail, remedy) = (file.to_owned(), detail.into(), String::new());
        Self { severity, kind, file, line: None, field: None, scan: None, detail, remedy }
    }

    /// The same at a 1-based line.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same of one field.
    #[must_use]
    pub fn in_field(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// The same on one scan.
    #[must_use]
    pub fn on_scan(self, scan: &str) -> Self {
        Self { scan: Some(scan.to_owned()), ..self }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fault => "fault",
            Self::Risk => "risk",
            Self::Advice => "advice",
        })
    }
}

/// `form.toml:7: fault: overlap: field total: ...`, and on a line of its own the remedy.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}: {}: ", self.severity, self.kind.as_str())?;
        if let Some(scan) = &self.scan {
            write!(f, "{scan}: ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "field {field}: ")?;
        }
        write!(f, "{}", self.detail)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "\nhint: {}", self.remedy) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_it_is_and_what_to_do() {
        let finding = Finding::new(Severity::Fault, FindingKind::Overlap, "a.toml", "covers b");
        assert_eq!(finding.to_string(), "a.toml: fault: overlap: covers b");
        let finding = finding.at_line(7).in_field("a").on_scan("s.tif page 2").with_remedy("move it");
        assert_eq!(finding.to_string(), "a.toml:7: fault: overlap: s.tif page 2: field a: covers b\nhint: move it");
    }

    #[test]
    fn the_words_are_those_of_the_json() {
        for kind in [FindingKind::Malformed, FindingKind::LandmarksInLine, FindingKind::FrameTooDark] {
            assert_eq!(serde_json::to_value(kind).expect("it is a word"), kind.as_str());
        }
        assert!(Severity::Fault < Severity::Risk && Severity::Risk < Severity::Advice, "worst first");
    }
}
