//! What `formread template check X.toml BLANK` finds.

use formread_core::form::FormTemplate;
use formread_page::{Limits, scans::Scan};
use formread_raster::error::Result;
use formread_tools::template::{CheckParams, CheckReport, Finding, TemplateFile, check, check_scans};

/// What the checks need besides the text.
pub struct Checks {
    /// The template's file, as the user named it.
    pub path: String,
    /// The file with the blank, and the page in it.
    pub blank: Scan,
    /// From 1.
    pub page: u32,
    /// The limits on it.
    pub limits: Limits,
    /// The templates that are known anyway.
    pub known: Vec<FormTemplate>,
}

impl Checks {
    /// The findings about a text, the worst first.
    ///
    /// # Errors
    /// Where the checks cannot be made.
    pub fn run(&self, text: &str) -> Result<Vec<Finding>> {
        let file = match TemplateFile::parse(&self.path, text) {
            Ok(file) => [file],
            Err(finding) => return Ok(vec![*finding]),
        };
        let mut findings = check(&file, &self.known, &CheckParams::default())?;
        let (_, on_blank) = check_scans(&file, std::slice::from_ref(&self.blank), &self.limits);
        // the other pages of the file are other forms
        let place = format!("{} page {}", self.blank.name, self.page);
        findings.extend(on_blank.into_iter().filter(|found| found.scan.as_ref().is_none_or(|scan| *scan == place)));
        Ok(CheckReport { findings, ..CheckReport::default() }.sorted().findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::form::parse_template;
    use formread_tools::{synth::print_blank, template::FindingKind};

    const FORM: &str = "name = \"t\"\ntitle = \"t\"\npage = [120, 150]\nframes = [[10, 10, 100, 130]]\n\
                        lines = [[10, 30, 110, 30], [10, 36, 80, 36], [60, 30, 60, 80]]\n\
                        [[field]]\nname = \"a\"\nkind = \"integer\"\ndigits = [1, 5]\nbox = [65, 90, 40, 10]\n\
                        [[field]]\nname = \"b\"\nkind = \"integer\"\ndigits = [1, 5]\nbox = [15, 115, 40, 10]\n";

    #[test]
    fn findings_are_those_of_the_text_and_of_the_blank() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("blank.png");
        let blank = print_blank(&parse_template(FORM).expect("it is a template"), 200.0, 1).expect("it can be drawn");
        blank.save_with_format(&path, image::ImageFormat::Png).expect("it is writable");
        let blank = Scan { name: "blank.png".to_owned(), path };
        let checks = |page| Checks {
            path: "t.toml".to_owned(),
            blank: blank.clone(),
            page,
            limits: Limits::default(),
            known: Vec::new(),
        };
        let kinds = |text: &str| -> Vec<FindingKind> {
            checks(1).run(text).expect("it can be checked").iter().map(|finding| finding.kind).collect()
        };
        assert_eq!(kinds(FORM), []);
        assert_eq!(kinds(&FORM.replace("\"integer\"", "\"x\"")), [FindingKind::Malformed]);
        // where nothing is printed, the frame is not found
        assert_eq!(kinds(&FORM.replace("[15, 115, 40, 10]", "[15, 60, 40, 10]")), [FindingKind::FrameNotFound]);
        // what is wrong with another page of the file is not about this one
        let [(frames, other_frames), (a, other_a), (b, other_b)] = [
            (
                "frames = [[10, 10, 100, 130]]\nlines = ",
                "lines = [[20, 90, 100, 90], [20, 95, 100, 95], [30, 100, 30, 140]] # ",
            ),
            ("[65, 90, 40, 10]", "[33, 102, 20, 8]"),
            ("[15, 115, 40, 10]", "[70, 125, 20, 8]"),
        ];
        let other = FORM.replace(frames, other_frames).replace(a, other_a).replace(b, other_b);
        assert!(kinds(&other).contains(&FindingKind::NotRegistered));
        assert!(checks(2).run(&other).expect("it can be checked").iter().all(|finding| finding.scan.is_none()));
    }
}
