//! Lists the known templates in a table.

use std::fmt;

use serde::Serialize;

use formread_core::form::{DocumentPage, FormTemplate};
use formread_raster::hash::Sha256;

/// One template, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TemplateEntry {
    /// Its name, as in the tables.
    pub name: String,
    /// The version that it declares.
    pub version: Option<String>,
    /// SHA-256 of its canonical form, as in OUT.run.json.
    pub fingerprint: Sha256,
    /// One line for a person.
    pub title: String,
    /// The page that it is of a form of several pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentPage>,
    /// Number of fields.
    pub fields: usize,
    /// Number of cells of all fields; a box counts as one.
    pub cells: usize,
    /// Number of rules.
    pub rules: usize,
}

/// Templates in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TemplateList {
    /// One per template.
    pub templates: Vec<TemplateEntry>,
}

impl TemplateList {
    /// The entries of `templates`.
    pub fn new(templates: &[FormTemplate]) -> Self {
        let entry = |template: &FormTemplate| TemplateEntry {
            name: template.name.clone(),
            version: template.version.clone(),
            fingerprint: template.fingerprint(),
            title: template.title.clone(),
            document: template.document.clone(),
            fields: template.fields.len(),
            cells: template.n_cells(),
            rules: template.rules.len(),
        };
        Self { templates: templates.iter().map(entry).collect() }
    }
}

/// A table for people. The page of a document follows the title.
impl fmt::Display for TemplateList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |of: &dyn Fn(&TemplateEntry) -> usize, head: &str| {
            self.templates.iter().map(of).max().unwrap_or(0).max(head.len())
        };
        let version = |entry: &TemplateEntry| entry.version.clone().unwrap_or_else(|| "-".to_owned());
        let names = widest(&|entry| entry.name.chars().count(), "name");
        let versions = widest(&|entry| version(entry).chars().count(), "version");
        writeln!(f, "{:names$}  {:versions$}  fingerprint       fields  cells  rules  title", "name", "version")?;
        for entry in &self.templates {
            let TemplateEntry { name, title, document, fields, cells, rules, .. } = entry;
            let fingerprint = entry.fingerprint.to_string();
            let version = version(entry);
            write!(
                f,
                "{name:names$}  {version:versions$}  {fingerprint:.16}  {fields:>6}  {cells:>5}  {rules:>5}  {title}"
            )?;
            match document {
                Some(document) => writeln!(f, ", {document}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::form::{known_templates, parse_template};

    #[test]
    fn list_has_line_per_template_and_version_leaves_fingerprint() {
        let known = known_templates().expect("they parse");
        let list = TemplateList::new(&known);
        let text = list.to_string();
        assert_eq!(text.lines().count(), 1 + known.len(), "{text}");
        assert!(
            text.lines().any(|line| line.starts_with("strip ") && line.ends_with("1      1      0  A strip of digits")),
            "{text}"
        );

        let strip = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"d\"\nkind = \"code\"\n";
        let page = format!("document = {{ name = \"tax\", page = 2, of = 3 }}\n{strip}");
        let list = TemplateList::new(&[parse_template(&page).expect("it is well formed")]);
        assert!(list.to_string().ends_with("  t, page 2 of 3 of tax\n"), "{list}");
        let document = serde_json::to_value(&list).expect("it is JSON")["templates"][0]["document"].clone();
        assert_eq!(document, serde_json::json!({ "name": "tax", "page": 2, "of": 3 }));

        let [plain, marked] = [strip.to_owned(), format!("version = \"2026-03\"\n{strip}")]
            .map(|text| TemplateList::new(&[parse_template(&text).expect("it is well formed")]).templates.remove(0));
        assert_eq!((plain.version.as_deref(), marked.version.as_deref()), (None, Some("2026-03")));
        assert_eq!(plain.fingerprint, marked.fingerprint);
        for bad in ["", "a\\nb"] {
            let error = parse_template(&format!("version = \"{bad}\"\n{strip}")).expect_err("it is no version");
            assert_eq!(error.location().line, Some(1), "{error}");
        }
    }
}
