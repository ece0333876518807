//! A template to be checked, with the lines of its file.

use super::finding::{Finding, FindingKind, Severity};
use formread_core::form::{FormTemplate, TemplateLines, parse_template};
use formread_raster::error::Error;

/// A template, and the line in its file of each part.
#[derive(Debug, Clone)]
pub struct TemplateFile {
    /// The path, as the caller names it.
    pub path: String,
    /// The parsed template.
    pub template: FormTemplate,
    /// Line numbers of its parts.
    pub lines: TemplateLines,
}

impl TemplateFile {
    /// Parses the `text` of the file `path`.
    ///
    /// # Errors
    /// A [`Finding`] with line and field if it is no valid template. Only the first error is reported.
    pub fn parse(path: &str, text: &str) -> Result<Self, Box<Finding>> {
        let malformed = |error: Error| {
            let (detail, remedy) = split_hint(&error);
            let finding = Finding::new(Severity::Fault, FindingKind::Malformed, path, detail).with_remedy(remedy);
            let location = error.location();
            Box::new(Finding { line: location.line, field: location.field.clone(), ..finding })
        };
        let template = parse_template(text).map_err(malformed)?;
        let lines = TemplateLines::parse(text).map_err(malformed)?;
        Ok(Self { path: path.to_owned(), template, lines })
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

    /// A finding at `line`, or at the name of the template if that is unknown.
    fn at_line(
        &self,
        line: Option<&usize>,
        severity: Severity,
        kind: FindingKind,
        detail: impl Into<String>,
    ) -> Finding {
        Finding::new(severity, kind, &self.path, detail).at_line(*line.unwrap_or(&self.lines.name))
    }
}

/// The message of an error, and its hint.
pub(super) fn split_hint(error: &Error) -> (String, String) {
    (error.kind().to_string(), error.hint().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_template_is_finding_with_line_and_field() {
        let head = "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"a\"\nkind = \"integer\"\n";
        let good = TemplateFile::parse("t.toml", &format!("{head}box = [5, 5, 40, 8]\n")).expect("it is a template");
        assert_eq!((good.lines.name, good.lines.fields), (1, vec![4]));
        let off =
            TemplateFile::parse("t.toml", &format!("{head}box = [5, 5, 400, 8]\n")).expect_err("it leaves the page");
        assert_eq!((off.kind, off.line, off.field.as_deref()), (FindingKind::Malformed, Some(7), Some("a")));
        assert!(off.detail.contains("box off the page") && off.remedy.contains("the page is 100.0 x 100.0"), "{off}");
    }
}
