//! A template that is looked at, with the text it came from.

use super::finding::{Finding, FindingKind, Severity};
use formread_core::form::{FormTemplate, TemplateLines, parse_template};
use formread_raster::error::Error;

/// A template and where its parts stand in its file.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    /// The file, as the caller names it.
    pub file: String,
    /// What it says.
    pub template: FormTemplate,
    /// Where it says it.
    pub lines: TemplateLines,
}

impl TemplateFile {
    /// Parses the `text` of `file`.
    ///
    /// # Errors
    /// A [`Finding`] with line and field where it is no template; what follows in the text is not looked at.
    pub fn parse(file: &str, text: &str) -> Result<Self, Box<Finding>> {
        let malformed = |error: Error| {
            let (detail, remedy) = parted(&error);
            let finding = Finding::new(Severity::Fault, FindingKind::Malformed, file, detail).with_remedy(remedy);
            let location = error.location();
            Box::new(Finding { line: location.line, field: location.field.clone(), ..finding })
        };
        let template = parse_template(text).map_err(malformed)?;
        let lines = TemplateLines::parse(text).map_err(malformed)?;
        Ok(Self { file: file.to_owned(), template, lines })
    }

    /// A finding about the template as a whole, at its name.
    pub(super) fn finding(&self, severity: Severity, kind: FindingKind, detail: impl Into<String>) -> Finding {
        self.at_line(Some(&self.lines.name), severity, kind, detail)
    }

    /// A finding about its landmarks.
    pub(super) fn of_landmarks(&self, severity: Severity, kind: FindingKind, detail: impl Into<String>) -> Finding {
        self.at_line(Some(&self.lines.landmarks), severity, kind, detail)
    }

    /// A finding about the barcode `idx`.
    pub(super) fn of_barcode(
        &self,
        idx: usize,
        severity: Severity,
        kind: FindingKind,
        detail: impl Into<String>,
    ) -> Finding {
        self.at_line(self.lines.barcodes.get(idx), severity, kind, detail)
    }

    /// A finding about the printed number `idx`.
    pub(super) fn of_number(
        &self,
        idx: usize,
        severity: Severity,
        kind: FindingKind,
        detail: impl Into<String>,
    ) -> Finding {
        self.at_line(self.lines.numbers.get(idx), severity, kind, detail)
    }

    /// A finding about the field `idx`.
    pub(super) fn of_field(
        &self,
        idx: usize,
        severity: Severity,
        kind: FindingKind,
        detail: impl Into<String>,
    ) -> Finding {
        let name = self.template.fields.get(idx).map_or("", |field| field.name.as_str());
        self.at_line(self.lines.fields.get(idx), severity, kind, detail).in_field(name)
    }

    /// A finding at `line`; where that is not known, at the template's name.
    fn at_line(
        &self,
        line: Option<&usize>,
        severity: Severity,
        kind: FindingKind,
        detail: impl Into<String>,
    ) -> Finding {
        Finding::new(severity, kind, &self.file, detail).at_line(*line.unwrap_or(&self.lines.name))
    }
}

/// What an error says, and its hint.
pub(super) fn parted(error: &Error) -> (String, String) {
    let said = error.kind().to_string();
    match said.split_once("\nhint: ") {
        Some((detail, hint)) => (detail.to_owned(), hint.to_owned()),
        None => (said, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_template_is_a_finding_with_its_place() {
        let head = "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"a\"\nkind = \"integer\"\n";
        let good = TemplateFile::parse("t.toml", &format!("{head}box = [5, 5, 40, 8]\n")).expect("it is a template");
        assert_eq!((good.lines.name, good.lines.fields), (1, vec![4]));
        let off =
            TemplateFile::parse("t.toml", &format!("{head}box = [5, 5, 400, 8]\n")).expect_err("it leaves the page");
        assert_eq!((off.kind, off.line, off.field.as_deref()), (FindingKind::Malformed, Some(7), Some("a")));
        assert!(off.detail.contains("box off the page") && off.remedy.contains("the page is 100.0 x 100.0"), "{off}");
    }
}
