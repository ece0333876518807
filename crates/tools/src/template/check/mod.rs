//! Static checks: everything that can be found without a page. A template is compared with what reads well, with itself
//! and with the other templates.

mod imprints;
mod layout;
mod rules;
mod stability;

use rayon::prelude::*;

use super::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
    params::CheckParams,
};
use formread_core::{
    form::{DocumentFault, FormTemplate, document_fault},
    register::{Families, RegisterParams},
};
use formread_raster::error::{Error, Result};

/// Valid resolutions, dots per inch.
const DPI_RANGE: std::ops::RangeInclusive<f64> = 50.0..=1_200.0;

/// Checks `files`, also against each other and against the `known` templates. A file replaces the known template of its name.
/// Findings are in the order of the files, the worst of each file first.
///
/// # Errors
/// `Usage` if the resolution is out of range.
pub fn check(files: &[TemplateFile], known: &[FormTemplate], params: &CheckParams) -> Result<Vec<Finding>> {
    if !DPI_RANGE.contains(&params.dpi) {
        let (low, high) = (DPI_RANGE.start(), DPI_RANGE.end());
        return Err(Error::usage(format!("dpi: {}\nhint: from {low} to {high}", params.dpi)));
    }
    let is_given = |name: &str| files.iter().any(|file| file.template.name == name);
    let known = known.iter().filter(|template| !is_given(&template.name));
    let all: Vec<FormTemplate> = known.chain(files.iter().map(|file| &file.template)).cloned().collect();
    let n_known = all.len() - files.len();
    let families = Families::new(&all, &RegisterParams::default());
    let of = |(idx, file): (usize, &TemplateFile)| -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        findings.extend(same_name(&files[..idx], file));
        findings.extend(document_fault(&all, n_known + idx).map(|fault| document_finding(file, fault)));
        findings.extend(rules::unknown_names(file, &all));
        findings.extend(rules::contradictions(file));
        findings.extend(layout::overlaps(file));
        findings.extend(layout::off_page(file));
        findings.extend(layout::too_small(file, params));
        findings.extend(layout::adjoining_cells(file));
        findings.extend(imprints::too_small(file, params));
        findings.extend(imprints::alike(file, &all, &families));
        findings.extend(stability::few_landmarks(file));
        findings.extend(stability::symmetric(file));
        findings.extend(stability::alike(file, &all)?);
        findings.sort_by_key(|finding| (finding.severity, finding.line));
        Ok(findings)
    };
    let found: Vec<Vec<Finding>> = files.par_iter().enumerate().map(of).collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn same_name(before: &[TemplateFile], file: &TemplateFile) -> Option<Finding> {
    let name = &file.template.name;
    let other = before.iter().find(|other| other.template.name == *name)?;
    let detail = format!("{} has the same name: {name}", other.path);
    let finding = file.finding(Severity::Fault, FindingKind::SameName, detail);
    Some(finding.with_remedy("rename one of them: a run does not accept both"))
}

fn document_finding(file: &TemplateFile, DocumentFault { line, detail, hint }: DocumentFault) -> Finding {
    file.finding(Severity::Fault, FindingKind::Document, detail).at_line(line).with_remedy(hint)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use formread_core::form::known_templates;

    /// A form with a heading, a frame and a few lines, and `more`.
    pub(crate) fn template_file(path: &str, name: &str, more: &str) -> TemplateFile {
        let head = format!("name = \"{name}\"\ntitle = \"t\"\npage = [210, 297]\n");
        let lines = "frames = [[15, 15, 180, 260]]\nlines = [[15, 40, 195, 40], [15, 47, 195, 47], [15, 60, 195, 60], [70, 40, 70, 90]]\n";
        let field = "[[field]]\nname = \"a\"\nkind = \"integer\"\ndigits = [1, 6]\nbox = [80, 140, 50, 10]\n";
        TemplateFile::parse(path, &format!("{head}{lines}{field}{more}")).unwrap_or_else(|finding| panic!("{finding}"))
    }

    #[test]
    fn good_form_has_no_finding() {
        let known = known_templates().expect("they parse");
        let found =
            check(&[template_file("a.toml", "a", "")], &known, &CheckParams::default()).expect("it can be drawn");
        assert_eq!(found, []);
    }

    #[test]
    fn same_form_twice_is_alike_and_same_name_twice_is_fault() {
        let two = [template_file("a.toml", "a", ""), template_file("b.toml", "b", "")];
        let found = check(&two, &[], &CheckParams::default()).expect("they can be drawn");
        assert!(!found.is_empty() && found.iter().all(|finding| finding.kind == FindingKind::Alike), "{found:#?}");
        let two = [template_file("a.toml", "a", ""), template_file("b.toml", "a", "")];
        let found = check(&two, &[], &CheckParams::default()).expect("they can be drawn");
        let kinds: Vec<_> = found.iter().map(|finding| (finding.kind, finding.file.as_str())).collect();
        assert_eq!(kinds, [(FindingKind::SameName, "b.toml")]);
    }

    #[test]
    fn pages_of_document_are_checked_against_each_other() {
        let page = |path: &str, name: &str, page: usize, of: usize| {
            let text = format!(
                "name = \"{name}\"\ntitle = \"t\"\nwhole_image = true\ndocument = {{ name = \"tax\", page = {page}, of = {of} }}\n\
                 [[field]]\nname = \"a\"\nkind = \"integer\"\ndigits = [1, 6]\n"
            );
            TemplateFile::parse(path, &text).unwrap_or_else(|finding| panic!("{finding}"))
        };
        let known = [page("known.toml", "k", 1, 3).template];
        let found = |files: &[TemplateFile], known: &[FormTemplate]| -> Vec<String> {
            let found = check(files, known, &CheckParams::default()).expect("the resolution is good");
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
                "d.toml:4: fault: document: page 2 of document tax is taken by b",
                "e.toml:4: fault: document: document tax has 4 pages here and 3 in k",
            ]
        );
    }

    #[test]
    fn worst_findings_come_first() {
        let more = "[[field]]\nname = \"b\"\nkind = \"code\"\ncomb = { at = [150, 140], cell = [6, 8], groups = [3] }\n\
                    [[field]]\nname = \"c\"\nkind = \"integer\"\ndigits = [1, 6]\nbox = [80, 142, 50, 10]\n";
        let found =
            check(&[template_file("a.toml", "a", more)], &[], &CheckParams::default()).expect("it can be drawn");
        let kinds: Vec<_> = found.iter().map(|finding| (finding.severity, finding.kind)).collect();
        assert_eq!(kinds, [(Severity::Fault, FindingKind::Overlap), (Severity::Advice, FindingKind::AdjoiningCells)]);
        let error = check(&[], &[], &CheckParams { dpi: 5.0 }).expect_err("5 dpi is out of range");
        assert!(error.to_string().contains("hint: from 50 to 1200"), "{error}");
    }
}
