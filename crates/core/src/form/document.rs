//! Documents of several pages: a template may be page k of n of a document.

use std::fmt;

use serde::Serialize;

use super::{
    FormTemplate,
    raw::{MAX_DOCUMENT_PAGES, RawDocument, Spanned},
    source::Source,
};
use formread_raster::error::{Error, Format, Result};

/// Which page of a document a form is. All pages of one file with one document name are one document, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentPage {
    /// The document's name, the same on each of its pages: `tax-return-2026`.
    pub name: String,
    /// 1-based page.
    pub page: usize,
    /// Pages of the document, 1 to 100.
    pub of: usize,
    /// 1-based line in the template's text; 0 where it is not known.
    #[serde(skip)]
    pub line: usize,
}

/// For people: `page 2 of 3 of tax-return-2026`.
impl fmt::Display for DocumentPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {} of {} of {}", self.page, self.of, self.name)
    }
}

pub(super) fn parse_document(source: Source<'_>, raw: &Spanned<RawDocument>) -> Result<DocumentPage> {
    let (line, raw) = (source.line_of(raw.span().start), raw.get_ref());
    let name = source.table_name(&raw.name, "name of a document")?;
    let of = source.count(&raw.of, 1..=MAX_DOCUMENT_PAGES, "pages of a document")?;
    let page = source.count(&raw.page, 1..=of, "page of a document")?;
    Ok(DocumentPage { name, page, of, line })
}

/// Checks that the pages of each document among `templates` fit together.
///
/// # Errors
/// `Format`, with template and line, where two templates are the same page, differ in the number of pages, or a page has
/// no template.
pub fn check_documents(templates: &[FormTemplate]) -> Result<()> {
    for (idx, FormTemplate { name, .. }) in templates.iter().enumerate() {
        if let Some(DocumentFault { line, detail, hint }) = document_fault(templates, idx) {
            return Err(Error::format(Format::Template, format!("{name}: {detail}")).at_line(line).with_hint(hint));
        }
    }
    Ok(())
}

/// An inconsistency between the pages of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFault {
    /// 1-based line of the template.
    pub line: usize,
    /// What is inconsistent.
    pub detail: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// How the page at `idx` contradicts the pages before it among `templates`; or, for the first page of a document there, which
/// pages are missing.
pub fn document_fault(templates: &[FormTemplate], idx: usize) -> Option<DocumentFault> {
    let DocumentPage { name, page, of, line } = templates[idx].document.as_ref()?;
    let earlier = || pages_of(&templates[..idx], name);
    let (detail, hint) = if let Some((other, their)) = earlier().find(|(_, their)| their.of != *of) {
        let detail = format!("document {name} has {of} pages here and {} in {other}", their.of);
        (detail, "of is the number of all its pages, the same in each template")
    } else if let Some((other, _)) = earlier().find(|(_, their)| their.page == *page) {
        let detail = format!("page {page} of document {name} is taken by {other}");
        (detail, "give each page one template; another printing of the form is another document")
    } else {
        let is_missing = |page: &usize| pages_of(templates, name).all(|(_, their)| their.page != *page);
        let missing: Vec<String> = (1..=*of).filter(is_missing).map(|page| page.to_string()).collect();
        if earlier().next().is_some() || missing.is_empty() {
            return None;
        }
        let detail = format!("document {name} has {of} pages, and no template for page {}", missing.join(", "));
        (detail, "give that page's template too; pages without a field are not counted")
    };
    Some(DocumentFault { line: *line, detail, hint })
}

/// The templates that are pages of the document called `name`, with their own names.
fn pages_of<'a>(templates: &'a [FormTemplate], name: &'a str) -> impl Iterator<Item = (&'a str, &'a DocumentPage)> {
    let page = move |template: &'a FormTemplate| {
        let document = template.document.as_ref().filter(|document| document.name == name)?;
        Some((template.name.as_str(), document))
    };
    templates.iter().filter_map(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::parse_template;

    const STRIP: &str = "whole_image = true\n[[field]]\nname = \"d\"\nkind = \"code\"\n";

    fn parsed(name: &str, more: &str) -> Result<FormTemplate> {
        parse_template(&format!("name = \"{name}\"\ntitle = \"t\"\n{more}\n{STRIP}"))
    }

    /// Page `page` of `of` of a document called `tax`.
    fn template(name: &str, page: usize, of: usize) -> FormTemplate {
        parsed(name, &format!("document = {{ name = \"tax\", page = {page}, of = {of} }}")).expect("it is well formed")
    }

    #[test]
    fn parse_template_document_is_accepted_or_refused_with_its_line() {
        let document = template("a", 2, 3).document.expect("it has one");
        assert_eq!((document.to_string().as_str(), document.line), ("page 2 of 3 of tax", 3));
        for (declared, part) in [
            ("7", "invalid type"),
            ("{}", "missing: name"),
            ("{ name = \"t\", page = 1 }", "missing: of"),
            ("{ name = \"t\", page = 1, of = 1, at = 2 }", "unknown key: at"),
            ("{ name = \"\", page = 1, of = 1 }", "name of a document: \"\""),
            ("{ name = \"=1\", page = 1, of = 1 }", "name of a document: \"=1\""),
            ("{ name = \"-a\", page = 1, of = 1 }", "no hyphen first"),
            ("{ name = \"t\", page = 0, of = 2 }", "page of a document: 0\nhint: from 1 to 2"),
            ("{ name = \"t\", page = 3, of = 2 }", "page of a document: 3\nhint: from 1 to 2"),
            ("{ name = \"t\", page = -1, of = 2 }", "page of a document: -1"),
            ("{ name = \"t\", page = 1.5, of = 2 }", "invalid type"),
            ("{ name = \"t\", page = 1, of = 0 }", "pages of a document: 0\nhint: from 1 to 100"),
            ("{ name = \"t\", page = 1, of = 101 }", "pages of a document: 101"),
            ("{ name = \"t\", page = 1, of = 9223372036854775807 }", "pages of a document: 92"),
        ] {
            let error = parsed("a", &format!("document = {declared}")).expect_err(declared);
            assert_eq!(error.location().line, Some(3), "{declared}: {error}");
            assert!(error.to_string().contains(part), "{declared}: {error}");
        }
    }

    #[test]
    fn check_documents_inconsistent_pages_are_named() {
        let strip = parsed("strip", "").expect("it is well formed");
        check_documents(&[template("b", 2, 2), strip.clone(), template("a", 1, 2)]).expect("any order will do");
        check_documents(std::slice::from_ref(&strip)).expect("no form is of several pages");
        for (templates, part) in [
            (vec![template("a", 1, 2)], "a: document tax has 2 pages, and no template for page 2\nhint: give "),
            (vec![strip, template("b", 2, 3)], "b: document tax has 3 pages, and no template for page 1, 3\n"),
            (
                vec![template("a", 1, 2), template("b", 2, 3)],
                "b: document tax has 3 pages here and 2 in a\nhint: of is",
            ),
            (
                vec![template("a", 1, 2), template("b", 2, 2), template("c", 3, 3)],
                "c: document tax has 3 pages here and 2 in a\nhint: ",
            ),
            (
                vec![template("a", 1, 2), template("b", 2, 2), template("c", 2, 2)],
                "c: page 2 of document tax is taken by b\nhint: give each page one template",
            ),
        ] {
            let error = check_documents(&templates).expect_err(part);
            assert_eq!(error.location().line, Some(3), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn fingerprint_depends_on_the_page_and_not_on_the_line() {
        let prints = [(1, 2), (2, 2), (2, 3)].map(|(page, of)| template("a", page, of).fingerprint());
        assert!(prints[0] != prints[1] && prints[1] != prints[2], "{prints:?}");
        let lower = parsed("a", "\n\ndocument = { of = 2, page = 1, name = \"tax\" }").expect("it is well formed");
        assert_eq!(lower.fingerprint(), prints[0]);
        let without = parsed("a", "").expect("it is well formed");
        assert_ne!(without.fingerprint(), prints[0]);
    }
}
