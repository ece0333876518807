//! Pages of a table -> documents of several pages, complete or not.

use std::{collections::BTreeMap, mem};

use super::Event;
use formread_core::{
    assemble::{DocumentVerdict, PageStatus, PageSummary, documents},
    form::FormTemplate,
    rows::Verdict,
};
use formread_raster::error::{PageReject, Result};
use formread_sinks::{DocumentTable, StoredPage};

/// Writes the documents of each file, as the table of pages is read back, so that both tables agree. It keeps the pages of
/// one file.
pub struct Documents<'a> {
    templates: &'a [FormTemplate],
    table: DocumentTable,
    pages: Vec<(u32, StoredPage)>,
    /// Documents by verdict.
    counted: BTreeMap<String, u64>,
}

impl<'a> Documents<'a> {
    pub fn new(templates: &'a [FormTemplate], table: DocumentTable) -> Self {
        Self { templates, table, pages: Vec::new(), counted: BTreeMap::new() }
    }

    /// Takes the next page of the table, the 1-based `number` of its file. `observe` is called with each document that is not
    /// complete.
    ///
    /// # Errors
    /// Where a document cannot be stored.
    pub fn take(&mut self, number: u32, page: StoredPage, observe: &mut impl FnMut(&Event<'_>)) -> Result<()> {
        if self.pages.first().is_some_and(|(_, first)| first.scan != page.scan) {
            self.end_file(observe)?;
        }
        self.pages.push((number, page));
        Ok(())
    }

    /// Takes the end of the table. Returns the table of documents and their counts by verdict.
    ///
    /// # Errors
    /// Where a document cannot be stored.
    pub fn end(mut self, observe: &mut impl FnMut(&Event<'_>)) -> Result<(DocumentTable, BTreeMap<String, u64>)> {
        self.end_file(observe)?;
        Ok((self.table, self.counted))
    }

    fn end_file(&mut self, observe: &mut impl FnMut(&Event<'_>)) -> Result<()> {
        let pages = mem::take(&mut self.pages);
        let Some((_, StoredPage { scan, .. })) = pages.first() else { return Ok(()) };
        for document in documents(self.templates, pages.iter().map(|(number, page)| summary_of(*number, page))) {
            let verdict = document.verdict();
            if verdict != DocumentVerdict::Complete {
                observe(&Event::Document { scan, document: &document });
            }
            *self.counted.entry(verdict.as_str().to_owned()).or_default() += 1;
            self.table.write(scan, &document)?;
        }
        Ok(())
    }
}

/// The summary of the 1-based page `number` of a file, from its row in the table.
fn summary_of(number: u32, page: &StoredPage) -> PageSummary<'_> {
    let status = match page.verdict == Verdict::Rejected.as_str() {
        false => PageStatus::Read,
        true if page.attention == PageReject::BlankPage.as_str() => PageStatus::Blank,
        true => PageStatus::Unread,
    };
    PageSummary { page: number, form: Some(page.form.as_str()).filter(|form| !form.is_empty()), status }
}
