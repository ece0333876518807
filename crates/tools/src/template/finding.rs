//! Findings: what was found, how severe it is, where, and what to do about it.

use std::fmt;

use serde::Serialize;

/// How severe a finding is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Pages or values will be lost or wrong.
    Fault,
    /// Pages or values may be lost or wrong.
    Risk,
    /// The form is read, but less well than it could be.
    Advice,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The file is no valid template.
    Malformed,
    /// Two templates have the same name.
    SameName,
    /// Pages of a document are missing or contradict each other.
    Document,
    /// A rule names an unknown form or field.
    UnknownName,
    /// No values satisfy a rule, alone or together with others.
    Contradiction,
    /// All values satisfy a rule, or its condition never holds.
    NoEffect,
    /// Fields or cells overlap.
    Overlap,
    /// A field leaves the page or is near its edge.
    OffPage,
    /// A cell, a number or a barcode is too small, in millimetres or in pixels.
    TooSmall,
    /// Cells of a comb share their sides.
    AdjoiningCells,
    /// Too few printed lines for registration.
    FewLandmarks,
    /// All printed lines lie in one line or corner, or run in one direction.
    LandmarksInLine,
    /// The form looks the same when it is turned.
    Symmetric,
    /// The form looks like another one.
    Alike,
    /// Two forms that look alike have the same barcode.
    SameBarcode,
    /// Of two forms that look alike, one has no barcode.
    NoBarcode,
    /// Two forms that look alike have the same printed number.
    SameNumber,
    /// Of two forms that look alike, one has no number.
    NoNumber,
    /// A page could not be decoded.
    Unreadable,
    /// The template could not be registered on a page.
    NotRegistered,
    /// The printed frame of a field was not found on a page.
    FrameNotFound,
    /// A printed frame is not removed completely.
    FrameTooDark,
    /// On drawn pages, accepted values are wrong.
    WrongValues,
    /// On drawn pages, many values need review.
    MuchReview,
}

impl FindingKind {
    /// The word in messages and in JSON.
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

/// Something that will or may go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How severe it is.
    pub severity: Severity,
    /// What was found.
    pub kind: FindingKind,
    /// File of the template, as the caller named it.
    pub file: String,
    /// 1-based line in the file, if there is one to change.
    pub line: Option<usize>,
    /// The field, if it concerns one.
    pub field: Option<String>,
    /// The scan and its page, if it concerns one.
    pub scan: Option<String>,
    /// Details with numbers.
    pub detail: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// About the template in `file` as a whole.
    pub fn new(severity: Severity, kind: FindingKind, file: &str, detail: impl Into<String>) -> Self {
        let (file, detail, remedy) = (file.to_owned(), detail.into(), String::new());
        Self { severity, kind, file, line: None, field: None, scan: None, detail, remedy }
    }

    /// The same at a 1-based line.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same about one field.
    #[must_use]
    pub fn in_field(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    /// The same on one scan.
    #[must_use]
    pub fn on_scan(self, scan: &str) -> Self {
        Self { scan: Some(scan.to_owned()), ..self }
    }

    /// The same with a remedy.
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
    fn finding_displays_place_detail_and_hint() {
        let finding = Finding::new(Severity::Fault, FindingKind::Overlap, "a.toml", "covers b");
        assert_eq!(finding.to_string(), "a.toml: fault: overlap: covers b");
        let finding = finding.at_line(7).in_field("a").on_scan("s.tif page 2").with_remedy("move it");
        assert_eq!(finding.to_string(), "a.toml:7: fault: overlap: s.tif page 2: field a: covers b\nhint: move it");
    }

    #[test]
    fn kind_words_equal_json() {
        for kind in [FindingKind::Malformed, FindingKind::LandmarksInLine, FindingKind::FrameTooDark] {
            assert_eq!(serde_json::to_value(kind).expect("it is a word"), kind.as_str());
        }
        assert!(Severity::Fault < Severity::Risk && Severity::Risk < Severity::Advice, "worst first");
    }
}
