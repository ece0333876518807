//! Whether the documents in a file are complete: which pages of each are present, in any order, which are missing, and which
//! are duplicated.

use std::{collections::BTreeMap, fmt};

use super::{PageReading, PageRecord};
use crate::form::{DocumentPage, FormTemplate};
use formread_raster::error::PageReject;

/// What is known of a page for the completeness of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSummary<'a> {
    /// 1-based page in the file.
    pub page: u32,
    /// The form; `None` where none was found.
    pub form: Option<&'a str>,
    /// Whether it was read.
    pub status: PageStatus,
}

/// Whether a page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStatus {
    /// It was read.
    Read,
    /// It has content that could not be read.
    Unread,
    /// It is empty.
    Blank,
}

impl<'a> PageSummary<'a> {
    /// The summary of `record`.
    pub fn of(record: &'a PageRecord) -> Self {
        let (form, status) = match &record.reading {
            PageReading::Read { form, .. } => (Some(form.as_str()), PageStatus::Read),
            PageReading::Rejected { reason: PageReject::BlankPage, .. } => (None, PageStatus::Blank),
            PageReading::Rejected { form, .. } => (form.as_deref(), PageStatus::Unread),
        };
        Self { page: record.page, form, status }
    }
}

/// Which pages of a document a file contains, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRecord {
    /// Its name in the templates of its pages.
    pub document: String,
    /// One for each page of the document, in order.
    pub pages: Vec<PageCopies>,
    /// 1-based pages of the file that could not be read and whose form is unknown: missing pages may be among them. Empty
    /// where no page is missing.
    pub unknown: Vec<u32>,
}

/// Where a page of a document is: 1-based pages of the file, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageCopies {
    /// Those that were read.
    pub read: Vec<u32>,
    /// Those that were recognised and could not be read.
    pub unread: Vec<u32>,
}

/// The verdict on a document. The words of the `verdict` column of `OUT.documents.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentVerdict {
    /// Each page was read, once.
    Complete,
    /// Each page was read, and some are duplicated.
    Surplus,
    /// Some page is missing, or could not be read.
    Incomplete,
}

impl DocumentVerdict {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Surplus => "surplus",
            Self::Incomplete => "incomplete",
        }
    }
}

impl DocumentRecord {
    /// 1-based pages of the document of which no page of the file was read.
    pub fn missing(&self) -> Vec<usize> {
        self.pages_that(|copies| copies.read.is_empty())
    }

    /// 1-based pages of the document that occur more than once, read or not. Which copy counts is unknown.
    pub fn surplus(&self) -> Vec<usize> {
        self.pages_that(|copies| copies.read.len() + copies.unread.len() > 1)
    }

    /// The verdict on the document.
    pub fn verdict(&self) -> DocumentVerdict {
        match (self.missing().is_empty(), self.surplus().is_empty()) {
            (false, _) => DocumentVerdict::Incomplete,
            (true, false) => DocumentVerdict::Surplus,
            (true, true) => DocumentVerdict::Complete,
        }
    }

    fn pages_that(&self, is_one: impl Fn(&PageCopies) -> bool) -> Vec<usize> {
        (1..).zip(&self.pages).filter(|(_, copies)| is_one(copies)).map(|(page, _)| page).collect()
    }
}

/// For people: `incomplete: of 3 pages missing: 2; not read: page 4 of the file`.
impl fmt::Display for DocumentRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unread: Vec<u32> =
            self.pages.iter().flat_map(|copies| &copies.unread).chain(&self.unknown).copied().collect();
        let parts = [
            (format!("of {} pages missing: ", self.pages.len()), listed(&self.missing(), ", "), ""),
            ("more than once: ".to_owned(), listed(&self.surplus(), ", "), ""),
            ("not read: page ".to_owned(), listed(&unread, ", "), " of the file"),
        ];
        let parts = parts.iter().filter(|(_, listed, _)| !listed.is_empty());
        let parts: Vec<String> = parts.map(|(before, listed, after)| format!("{before}{listed}{after}")).collect();
        match parts.is_empty() {
            true => f.write_str(self.verdict().as_str()),
            false => write!(f, "{}: {}", self.verdict().as_str(), parts.join("; ")),
        }
    }
}

fn listed(items: &[impl ToString], separator: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

/// The documents in a file, by name: those of which some page is known to be among its `pages`.
pub fn documents<'a>(
    templates: &[FormTemplate],
    pages: impl IntoIterator<Item = PageSummary<'a>>,
) -> Vec<DocumentRecord> {
    let mut found: BTreeMap<&str, DocumentRecord> = BTreeMap::new();
    let mut unknown = Vec::new();
    for PageSummary { page: in_file, form, status } in pages {
        let template = form.and_then(|form| templates.iter().find(|template| template.name == form));
        match (template.map(|template| &template.document), status) {
            (None, PageStatus::Unread) => unknown.push(in_file),
            (None | Some(None), _) => {}
            (Some(Some(DocumentPage { name, page, of, .. })), _) => {
                let new = || DocumentRecord {
                    document: name.clone(),
                    pages: vec![PageCopies::default(); *of],
                    unknown: Vec::new(),
                };
                let pages = &mut found.entry(name).or_insert_with(new).pages;
                let Some(copies) = page.checked_sub(1).and_then(|idx| pages.get_mut(idx)) else { continue };
                if status == PageStatus::Read { &mut copies.read } else { &mut copies.unread }.push(in_file);
            }
        }
    }
    let complete = |mut document: DocumentRecord| {
        if document.pages.iter().any(|copies| copies.read.is_empty() && copies.unread.is_empty()) {
            document.unknown.clone_from(&unknown);
        }
        document
    };
    found.into_values().map(complete).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::parse_template;

    /// Two documents of three pages and of one, and a form by itself.
    fn templates() -> Vec<FormTemplate> {
        let template = |(name, document): (&str, &str)| {
            let head = format!("name = \"{name}\"\ntitle = \"t\"\nwhole_image = true\n{document}\n");
            parse_template(&(head + "[[field]]\nname = \"d\"\nkind = \"code\"\n")).expect("it is well formed")
        };
        let forms = [
            ("c", "document = { name = \"tax\", page = 3, of = 3 }"),
            ("a", "document = { name = \"tax\", page = 1, of = 3 }"),
            ("b", "document = { name = \"tax\", page = 2, of = 3 }"),
            ("letter", "document = { name = \"note\", page = 1, of = 1 }"),
            ("alone", ""),
        ];
        forms.map(template).into()
    }

    /// Pages of a file in words: a form, `form!` not read, `!` unknown, `_` blank.
    fn found(pages: &[&'static str]) -> Vec<DocumentRecord> {
        let seen = |(page, word): (u32, &&'static str)| {
            let form = word.trim_matches(['!', '_']);
            let status = match word.chars().last() {
                Some('!') => PageStatus::Unread,
                Some('_') => PageStatus::Blank,
                _ => PageStatus::Read,
            };
            PageSummary { page, form: (!form.is_empty()).then_some(form), status }
        };
        documents(&templates(), (1..).zip(pages).map(seen))
    }

    #[test]
    fn documents_with_pages_in_any_order_name_missing_and_duplicated_pages() {
        for (pages, says) in [
            (&["a", "b", "c"][..], "complete"),
            (&["c", "a", "b"], "complete"),
            (&["c", "alone", "a", "_", "!", "b"], "complete"),
            (&["c", "a"], "incomplete: of 3 pages missing: 2"),
            (&["b"], "incomplete: of 3 pages missing: 1, 3"),
            (&["c", "!", "a", "_", "!"], "incomplete: of 3 pages missing: 2; not read: page 2, 5 of the file"),
            (&["c", "b!", "a", "!"], "incomplete: of 3 pages missing: 2; not read: page 2 of the file"),
            (&["b!"], "incomplete: of 3 pages missing: 1, 2, 3; not read: page 1 of the file"),
            (&["a", "b", "c", "b"], "surplus: more than once: 2"),
            (&["a", "b", "c", "b!"], "surplus: more than once: 2; not read: page 4 of the file"),
            (
                &["a", "b", "a", "b!", "b!"],
                "incomplete: of 3 pages missing: 3; more than once: 1, 2; not read: page 4, 5 of the file",
            ),
        ] {
            let found = found(pages);
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [says], "{pages:?}");
        }
        let pages = &found(&["c", "a", "b", "a"])[0].pages;
        assert_eq!(pages.iter().map(|copies| copies.read.as_slice()).collect::<Vec<_>>(), [&[2, 4][..], &[3], &[1]]);
    }

    #[test]
    fn documents_without_a_known_page_are_absent() {
        for none in [&["alone"][..], &["!", "_"], &[]] {
            assert_eq!(found(none), []);
        }
        let two = found(&["b", "letter", "a", "c"]);
        let shown: Vec<String> = two.iter().map(|record| format!("{}: {record}", record.document)).collect();
        assert_eq!(shown, ["note: complete", "tax: complete"]);
    }
}
