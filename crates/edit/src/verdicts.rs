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
