//! Everything that can be found without a page: templates held to what reads well, to themselves and to each other.

use std::fmt;

use rayon::prelude::*;
use serde::Serialize;

use super::{
    candidate::Candidate,
    finding::{Finding, FindingKind, Severity},
    hold, imprints, layout, rules,
    scans::ScanFit,
    simulate::Forecast,
};
use formread_core::{
    form::{DocumentFault, FormTemplate, document_fault},
    register::Families,
};
use formread_raster::error::{Error, Result};

/// Resolutions that can be asked for, dots per inch.
const DPI_RANGE: std::ops::RangeInclusive<f64> = 50.0..=1_200.0;

/// What templates are held to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckParams {
    /// Resolution of the scans to come, dots per inch, 50 to 1200. Default 300.
    pub dpi: f64,
}

impl Default for CheckParams {
    fn default() -> Self {
        Self { dpi: 300.0 }
    }
}

/// All that a check found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Survey {
    /// Worst first, then in the order of the templates and their lines.
    pub findings: Vec<Finding>,
    /// One a page of the scans, in their order; none where there were no scans.
    pub pages: Vec<ScanFit>,
    /// One a template that was simulated.
    pub forecasts: Vec<Forecast>,
}

impl Survey {
    /// Puts the worst findings first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.findings.sort_by_key(|finding| finding.severity);
        self
    }
}

/// Holds `candidates` to what is known of forms that read well, and to each other and the `known` templates (of two with
/// one name the candidate counts). Findings in the order of the candidates, each one's worst first.
///
/// # Errors
/// `Usage` where the resolution is out of its range.
pub fn check(candidates: &[Candidate], known: &[FormTemplate], params: &CheckParams) -> Result<Vec<Finding>> {
    if !DPI_RANGE.contains(&params.dpi) {
        let (low, high) = (DPI_RANGE.start(), DPI_RANGE.end());
        return Err(Error::usage(format!("dpi: {}\nhint: from {low} to {high}", params.dpi)));
    }
    let is_given = |name: &str| candidates.iter().any(|candidate| candidate.template.name == name);
    let known = known.iter().filter(|template| !is_given(&template.name));
    let all: Vec<FormTemplate> = known.chain(candidates.iter().map(|candidate| &candidate.template)).cloned().collect();
    let n_known = all.len() - candidates.len();
    let families = Families::new(&all);
    let of = |(idx, candidate): (usize, &Candidate)| -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        findings.extend(same_name(&candidates[..idx], candidate));
        findings.extend(document_fault(&all, n_known + idx).map(|fault| of_document(candidate, fault)));
        findings.extend(rules::unknown_names(candidate, &all));
        findings.extend(rules::contradictions(candidate));
        findings.extend(layout::overlaps(candidate));
        findings.extend(layout::off_page(candidate));
        findings.extend(layout::too_small(candidate, params));
        findings.extend(layout::adjoining_cells(candidate));
        findings.extend(imprints::too_small(candidate, params));
        findings.extend(imprints::alike(candidate, &all, &families));
        findings.extend(hold::few_landmarks(candidate));
        findings.extend(hold::symmetric(candidate));
        findings.extend(hold::alike(candidate, &all)?);
        findings.sort_by_key(|finding| (finding.severity, finding.line));
        Ok(findings)
    };
    let found: Vec<Vec<Finding>> = candidates.par_iter().enumerate().map(of).collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn same_name(before: &[Candidate], candidate: &Candidate) -> Option<Finding> {
    let name = &candidate.template.name;
    let twin = before.iter().find(|other| other.template.name == *name)?;
    let detail = format!("{} has the same name: {name}", twin.file);
    let finding = candidate.finding(Severity::Fault, FindingKind::SameName, detail);
    Some(finding.with_remedy("a run refuses them together: give one of them another name"))
}

fn of_document(candidate: &Candidate, DocumentFault { line, detail, hint }: DocumentFault) -> Finding {
    candidate.finding(Severity::Fault, FindingKind::Document, detail).at_line(line).with_remedy(hint)
}

/// For people: findings with their remedies, then pages, then forecasts.
impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        if !self.pages.is_empty() {
            let width = self.pages.iter().map(|page| page.place().chars().count()).max().unwrap_or(0);
            writeln!(f, "\n{:width$}  {:>14}  {:>7}  {:>9}  form", "page", "residual", "support", "frames")?;
            for page in &self.pages {
                page.write_row(f, width)?;
            }
        }
        for forecast in &self.forecasts {
            write!(f, "\n{forecast}")?;
        }
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let [faults, risks, advice] = [Severity::Fault, Severity::Risk, Severity::Advice].map(count);
        if !(self.findings.is_empty() && self.pages.is_empty() && self.forecasts.is_empty()) {
            writeln!(f)?;
        }
        writeln!(f, "{faults} faults, {risks} risks, {advice} pieces of advice")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use formread_core::form::known_templates;

    /// A form with a heading, a frame and a few lines, and `more`.
    pub(crate) fn candidate(file: &str, name: &str, more: &str) -> Candidate {
        let head = format!("name = \"{name}\"\ntitle = \"t\"\npage = [210, 297]\n");
        let lines = "frames = [[15, 15, 180, 260]]\nlines = [[15, 40, 195, 40], [15, 47, 195, 47], [15, 60, 195, 60], [70, 40, 70, 90]]\n";
        let field = "[[field]]\nname = \"a\"\nkind = \"integer\"\ndigits = [1, 6]\nbox = [80, 140, 50, 10]\n";
        Candidate::parse(file, &format!("{head}{lines}{field}{more}")).unwrap_or_else(|finding| panic!("{finding}"))
    }

    #[test]
    fn a_good_form_has_no_finding() {
        let known = known_templates().expect("they parse");
        let found = check(&[candidate("a.toml", "a", "")], &known, &CheckParams::default()).expect("it can be drawn");
        assert_eq!(found, []);
        let told = Survey { findings: found, ..Survey::default() }.to_string();
        assert_eq!(told, "0 faults, 0 risks, 0 pieces of advice\n");
    }

    #[test]
    fn two_of_one_form_are_alike_and_two_of_one_name_are_refused() {
        let two = [candidate("a.toml", "a", ""), candidate("b.toml", "b", "")];
        let found = check(&two, &[], &CheckParams::default()).expect("they can be drawn");
        assert!(!found.is_empty() && found.iter().all(|finding| finding.kind == FindingKind::Alike), "{found:#?}");
        let two = [candidate("a.toml", "a", ""), candidate("b.toml", "a", "")];
        let found = check(&two, &[], &CheckParams::default()).expect("they can be drawn");
        let kinds: Vec<_> = found.iter().map(|finding| (finding.kind, finding.file.as_str())).collect();
        assert_eq!(kinds, [(FindingKind::SameName, "b.toml")]);
    }

    #[test]
    fn pages_of_a_document_are_held_to_each_other() {
        let page = |file: &str, name: &str, page: usize, of: usize| {
            let text = format!(
                "name = \"{name}\"\ntitle = \"t\"\nwhole_image = true\ndocument = {{ name = \"tax\", page = {page}, of = {of} }}\n\
                 [[field]]\nname = \"a\"\nkind = \"integer\"\ndigits = [1, 6]\n"
            );
            Candidate::parse(file, &text).unwrap_or_else(|finding| panic!("{finding}"))
        };
        let known = [page("known.toml", "k", 1, 3).template];
        let found = |candidates: &[Candidate], known: &[FormTemplate]| -> Vec<String> {
            let found = check(candidates, known, &CheckParams::default()).expect("the resolution is good");
            let of_documents = found.iter().filter(|finding| finding.kind == FindingKind::Document);
            of_documents.map(|finding| finding.to_string().lines().next().unwrap_or_default().to_owned()).collect()
        };
        let [two, three] = [page("b.toml", "b", 2, 3), page("c.toml", "c", 3, 3)];
        assert_eq!(found(&[three.clone(), two.clone()], &known), [""; 0]);
        let one_is_missing = "c.toml:4: fault: document: document tax has 3 pages, and no template for page 1";
        assert_eq!(found(&[three.clone(), two.clone()], &[]), [one_is_missing]);
        assert_eq!(
            found(&[three, two, page("d.toml", "d", 2, 3), page("e.toml", "e", 4, 4)], &known),
            [
                "d.toml:4: fault: document: page 2 of document tax is b already",
                "e.toml:4: fault: document: document tax has 4 pages here and 3 in k",
            ]
        );
    }

    #[test]
    fn the_worst_stand_first() {
        let more = "[[field]]\nname = \"b\"\nkind = \"code\"\ncomb = { at = [150, 140], cell = [6, 8], groups = [3] }\n\
                    [[field]]\nname = \"c\"\nkind = \"integer\"\ndigits = [1, 6]\nbox = [80, 142, 50, 10]\n";
        let found = check(&[candidate("a.toml", "a", more)], &[], &CheckParams::default()).expect("it can be drawn");
        let kinds: Vec<_> = found.iter().map(|finding| (finding.severity, finding.kind)).collect();
        assert_eq!(kinds, [(Severity::Fault, FindingKind::Overlap), (Severity::Advice, FindingKind::AdjoiningCells)]);
        let error = check(&[], &[], &CheckParams { dpi: 5.0 }).expect_err("nobody scans so");
        assert!(error.to_string().contains("hint: from 50 to 1200"), "{error}");
    }
}
