//! Drafts the pages of files. The pages of one file that have something to fill in are the pages of a document.

use std::sync::Arc;

use super::{Draft, Ocr, Words, checked_name, draft_fillable, draft_page};
use formread_core::{
    form::{DocumentPage, FormTemplate, MAX_DOCUMENT_PAGES},
    register::{RegisterParams, identify},
};
use formread_page::{self as page, Limits, Page, pdf::page_text};
use formread_raster::error::{Error, Result};

/// A file by its name, and its bytes.
pub type NamedFile = (String, Arc<[u8]>);

/// Files with a blank form, or with the same form filled in by different people.
#[derive(Debug)]
pub struct FormFiles<'a> {
    files: &'a [NamedFile],
    page_idxs: Vec<usize>,
    limits: Limits,
}

/// What the pages of the files gave.
#[derive(Debug)]
pub struct Drafts {
    /// At least one, in the order of the pages.
    pub pages: Vec<PageDraft>,
    /// Pages without a draft, 1-based, and why.
    pub left_out: Vec<(usize, String)>,
}

/// The draft of a page.
#[derive(Debug)]
pub struct PageDraft {
    /// 1-based page in the files.
    pub page: usize,
    /// That page of the first file.
    pub blank: Page,
    /// Number of pages it was drafted from, with those that could not be used.
    pub n_pages: usize,
    /// If other pages are drafted as well, it is a page of a document.
    pub draft: Draft,
}

impl<'a> FormFiles<'a> {
    /// Page `page` (1-based) of each file; `None`: each page of the first file, with the same page of the other ones.
    ///
    /// # Errors
    /// `Usage` if there is no file; `Format`, `Unsupported` or `Limit` if the first cannot be opened.
    pub fn open(files: &'a [NamedFile], page: Option<usize>, limits: Limits) -> Result<Self> {
        let Some((name, bytes)) = files.first() else {
            return Err(Error::usage("no page to draft a template from").with_hint("give a blank page of the form"));
        };
        let n_pages =
            || page::open(bytes, &limits).map(|pages| pages.len()).map_err(|error| error.in_file(name.clone()));
        let page_idxs = match page {
            Some(page) => vec![page.saturating_sub(1)],
            None => (0..n_pages()?.min(MAX_DOCUMENT_PAGES)).collect(),
        };
        Ok(Self { files, page_idxs, limits })
    }

    /// Number of pages to draft.
    pub fn n_pages(&self) -> usize {
        self.page_idxs.len()
    }

    /// Drafts them. If more than one page has something to fill in, they are the pages of the document `name`, and the form of the
    /// first one is `name-1`. A page that shows the form of an earlier one is left out. `ocr` reads the words of a page without text.
    ///
    /// # Errors
    /// As [`draft_fillable`] and [`super::draft`]; the first page that cannot be decoded is an error, too.
    pub fn draft(&self, name: &str, ocr: Option<&Ocr>) -> Result<Drafts> {
        let name = checked_name(name)?;
        let mut drafts = Drafts { pages: Vec::new(), left_out: Vec::new() };
        let mut known: Vec<FormTemplate> = Vec::new();
        for page_idx in &self.page_idxs {
            let pages = self.pages(*page_idx)?;
            let page = page_idx + 1;
            let same = identify(&pages[0], &known, &RegisterParams::default()).ok();
            if let Some((idx, _)) = same.filter(|_| !known.is_empty()) {
                let reason = format!("it shows the same form as page {}", drafts.pages[idx].page);
                drafts.left_out.push((page, reason));
                continue;
            }
            match self.draft_page(&pages, *page_idx, &name, ocr)? {
                Some(draft) => {
                    known.push(draft.template()?);
                    let n_pages = pages.len();
                    let blank = pages.into_iter().next().expect("there is a first file");
                    drafts.pages.push(PageDraft { page, blank, n_pages, draft });
                }
                None => drafts.left_out.push((page, "it has nothing to fill in".to_owned())),
            }
        }
        match drafts.pages.len() {
            0 => return Err(super::nothing_to_fill_in()),
            1 => {}
            of => drafts.pages.iter_mut().zip(1..).for_each(|(drafted, page)| drafted.draft.set_page(page, of)),
        }
        Ok(drafts)
    }

    /// The page of the files that have it; the first file must.
    fn pages(&self, page_idx: usize) -> Result<Vec<Page>> {
        let mut pages = Vec::new();
        for (i, (name, bytes)) in self.files.iter().enumerate() {
            let page = page::open(bytes, &self.limits).and_then(|mut pages| pages.nth(page_idx).transpose());
            match page.map_err(|error| error.in_file(name.clone()))? {
                Some(page) => pages.push(page),
                None if i > 0 && self.page_idxs.len() > 1 => {}
                None => return Err(Error::usage(format!("no page {}", page_idx + 1)).in_file(name.clone())),
            }
        }
        Ok(pages)
    }

    fn draft_page(&self, pages: &[Page], page_idx: usize, name: &str, ocr: Option<&Ocr>) -> Result<Option<Draft>> {
        let unread = ocr.map_or(Words::Unknown, Words::Ocr);
        // what text recognition made of writing is no caption, and a form that was filled in has no fields
        let [(file, bytes)] = self.files else { return draft_page(pages, unread, name) };
        let in_file = |error: Error| error.in_file(file.clone());
        if let Some(draft) = draft_fillable(bytes, page_idx, name, &self.limits).map_err(in_file)? {
            return Ok(Some(draft));
        }
        let text = page_text(bytes, page_idx, &self.limits).map_err(in_file)?;
        let text = text.as_ref().filter(|text| !text.words.is_empty());
        draft_page(pages, text.map_or(unread, Words::Text), name)
    }
}

impl Draft {
    /// Makes it page `page` of `of` of the document with its name.
    fn set_page(&mut self, page: usize, of: usize) {
        let name = std::mem::take(&mut self.name);
        self.title = format!("{name}, page {page} of {of}, drafted");
        self.name = format!("{name}-{page}");
        self.document = Some(DocumentPage { name, page, of, line: 0 });
    }
}
