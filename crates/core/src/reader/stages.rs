//! The steps of reading a page, for callers that time them, batch them or show what happens between them.

use super::{Reader, rejected};
use crate::{
    assemble::{
        DocumentRecord, PageReading, PageRecord, PageSummary, assemble_page, documents as documents_of, reconcile,
    },
    form::{Field, FormTemplate},
    normalise::normalise_strip,
    recognise::{CutPage, PageScores, Prepared, PreparedPage, ScoredField, ScoredPage},
    register::{FieldRegistration, NumberReading, Registration, RegistrationFailure, find_candidates, resolve},
    segment::{FieldCut, outside_ink, segment},
};
use formread_page as page;
use formread_page::Page;
use formread_raster::{
    error::{Error, PageReject, Result},
    geometry::Rect,
};

/// The steps of reading a page: [`register`](Stages::register), [`cut`](Stages::cut), [`normalise`](Stages::normalise),
/// [`recognise`](Stages::recognise), [`finish`](Stages::finish), and [`reconcile`](Stages::reconcile) for the pages of a file.
#[derive(Clone, Copy)]
pub struct Stages<'a> {
    reader: &'a Reader,
}

/// A page's record, and how it was read.
#[derive(Debug)]
pub struct PageReport {
    /// The values of the page.
    pub record: PageRecord,
    /// Where they were read; `None` where the page was rejected.
    pub cut: Option<CutPage>,
}

/// A page's record, with the input and the scores of each field: what an explanation is made of.
#[derive(Debug)]
pub struct PageExplanation {
    /// As [`Stages::read_page`] returns it.
    pub report: PageReport,
    /// One for each field, in the template's order; none where the page was rejected.
    pub fields: Vec<ScoredField>,
}

impl<'a> Stages<'a> {
    /// Those of `reader`.
    pub(super) fn new(reader: &'a Reader) -> Self {
        Self { reader }
    }

    /// Reads every page of a file, and applies the rules across them. A page that cannot be read is a record with the
    /// reason, and so is a file that is no image.
    ///
    /// # Errors
    /// Where the backend fails; never because of the content of `bytes`.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<PageRecord>> {
        let pages = match page::open(bytes, &self.reader.limits) {
            Ok(pages) => pages,
            Err(error) => return Ok(vec![rejected(1, &error)]),
        };
        let read = |(number, page)| match page {
            Ok(page) => self.read_page(number, &page).map(|report| report.record),
            Err(error) => Ok(rejected(number, &error)),
        };
        let mut records: Vec<PageRecord> = (1..).zip(pages).map(read).collect::<Result<_>>()?;
        self.reconcile(&mut records);
        Ok(records)
    }

    /// Reads one page, the 1-based `number` of its file, as if its file had no other page.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn read_page(&self, number: u32, page: &Page) -> Result<PageReport> {
        Ok(self.finish(self.scored(number, page)?))
    }

    /// Reads one page as [`Stages::read_page`] does, and keeps the input and the scores of each field.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn explain_page(&self, number: u32, page: &Page) -> Result<PageExplanation> {
        let scored = self.scored(number, page)?;
        let fields = scored.fields();
        Ok(PageExplanation { report: self.finish(scored), fields })
    }

    fn scored(&self, number: u32, page: &Page) -> Result<ScoredPage> {
        let mut prepared = vec![self.prepare(number, page)];
        self.recognise(&mut prepared)?.pop().ok_or_else(|| Error::net("a page has no scores"))
    }

    /// Does what comes before recognition: [registers](Stages::register) the page, [cuts](Stages::cut) its fields, and
    /// [normalises](Stages::normalise) their ink.
    pub fn prepare(&self, number: u32, page: &Page) -> PreparedPage {
        match self.register(page) {
            Ok((template_idx, registration)) => {
                self.normalise(number, page, self.cut(page, template_idx, registration))
            }
            Err(failure) => self.reject(number, failure),
        }
    }

    /// Recognises the form of a page and places its template on it: the template's index, and its registration. Where
    /// templates that fit declare a printed number, the backend reads it.
    ///
    /// # Errors
    /// [`RegistrationFailure`] where no template fits.
    pub fn register(&self, page: &Page) -> Result<(usize, Registration), RegistrationFailure> {
        let Reader { templates, families, register_params, .. } = self.reader;
        let candidates = find_candidates(page, templates, families, register_params)?;
        let numbers = candidates.numbers_to_read().iter().map(|number| self.read_number(page, number));
        let numbers: Vec<Option<NumberReading>> = numbers
            .collect::<Result<_>>()
            .map_err(|error| RegistrationFailure::new(None, PageReject::InternalError, error.to_string()))?;
        resolve(candidates, &numbers)
    }

    /// Cuts the fields of a page that was [registered](Stages::register).
    pub fn cut(&self, page: &Page, template_idx: usize, registration: Registration) -> CutPage {
        let template = &self.reader.templates[template_idx];
        let mut cuts = segment(page, &registration, template);
        let outside = outside_ink(page, &registration, template, &mut cuts);
        CutPage { template_idx, registration, cuts, outside }
    }

    /// Makes strips of the ink of a page that was [cut](Stages::cut). `number` is 1-based in its file.
    pub fn normalise(&self, number: u32, page: &Page, cut: CutPage) -> PreparedPage {
        let template = &self.reader.templates[cut.template_idx];
        normalise_page(number, page, cut, template)
    }

    /// A page that no template fits.
    fn reject(&self, number: u32, failure: RegistrationFailure) -> PreparedPage {
        let form = failure.template_idx.map(|idx| self.reader.templates[idx].name.clone());
        let reading = PageReading::Rejected { form, reason: failure.reason, detail: failure.detail };
        PreparedPage { page: number, strips: Vec::new(), state: Prepared::Rejected(reading) }
    }

    /// Scores pages together, in their order. It takes them out of `pages`; where it fails, they stay there, so that the
    /// caller can try each by itself.
    ///
    /// # Errors
    /// Where the backend fails.
    pub fn recognise(&self, pages: &mut Vec<PreparedPage>) -> Result<Vec<ScoredPage>> {
        let scores = self.score(&self.reader.templates, pages)?;
        Ok(pages.drain(..).zip(scores).map(|(prepared, scores)| ScoredPage { prepared, scores }).collect())
    }

    /// The scores of pages that were cut by `templates`.
    pub(super) fn score(&self, templates: &[FormTemplate], pages: &[PreparedPage]) -> Result<Vec<PageScores>> {
        let inputs: Vec<_> = pages.iter().map(|page| page.input(templates, &self.reader.assemble_params)).collect();
        let scores = self.reader.with_recogniser(|recogniser| recogniser.recognise(&inputs))?;
        if scores.len() != pages.len() {
            return Err(Error::net(format_args!("scores of {} pages, not of {}", scores.len(), pages.len())));
        }
        // of each field as many as it has edges
        let found = |scores: &PageScores| scores.fields().iter().map(|field| field.edges.len()).collect::<Vec<_>>();
        match pages.iter().zip(&scores).find(|(page, scores)| found(scores) != page.n_edges()) {
            None => Ok(scores),
            Some((page, scores)) => {
                let message = format_args!("scores of {:?} edges, not of {:?}", found(scores), page.n_edges());
                Err(Error::net(message))
            }
        }
    }

    /// Makes values of the scores of a page.
    pub fn finish(&self, scored: ScoredPage) -> PageReport {
        let ScoredPage { prepared, scores } = scored;
        let page = prepared.page;
        let (cut, stored_bounds) = match prepared.state {
            Prepared::Rejected(reading) => return PageReport { record: PageRecord { page, reading }, cut: None },
            Prepared::Cut { cut, stored_bounds, .. } => (cut, stored_bounds),
        };
        let Reader { templates, assemble_params, accept, .. } = self.reader;
        let template = &templates[cut.template_idx];
        let mut record =
            assemble_page(page, template, &cut.registration, &cut.cuts, scores.fields(), assemble_params, accept);
        if let PageReading::Read { fields, has_writing_outside, .. } = &mut record.reading {
            *has_writing_outside |= !cut.outside.is_empty();
            for (field, bounds) in fields.iter_mut().zip(stored_bounds) {
                field.bounds = bounds;
            }
        }
        PageReport { record, cut: Some(cut) }
    }

    /// Applies the rules across the pages of one file, in their order, as [`reconcile`] does. Each page comes from
    /// [`Stages::read_page`] or [`Stages::finish`], which read it alone. Without [rules across
    /// pages](Reader::has_cross_page_rules) this changes nothing.
    pub fn reconcile(&self, pages: &mut [PageRecord]) {
        reconcile(&self.reader.templates, pages, &self.reader.accept, &self.reader.assemble_params.rules);
    }

    /// The documents of several pages among the pages of one file, by name, and whether they are complete.
    pub fn documents(&self, pages: &[PageRecord]) -> Vec<DocumentRecord> {
        documents_of(&self.reader.templates, pages.iter().map(PageSummary::of))
    }

    /// The reader they belong to.
    pub(super) fn reader(&self) -> &'a Reader {
        self.reader
    }
}

/// The strips of a page that was cut by `template`.
pub(super) fn normalise_page(number: u32, page: &Page, cut: CutPage, template: &FormTemplate) -> PreparedPage {
    let strip_of = |cut: &FieldCut| cut.strip.as_ref().and_then(|strip| normalise_strip(&strip.ink, &strip.bounds));
    let strips = cut.cuts.iter().map(strip_of).collect();
    let page_bounds = |(field, at): (&Field, &FieldRegistration)| {
        Rect::around(at.page_from_template.apply_rect(field.layout.bounds())).unwrap_or_default()
    };
    let fields = template.fields.iter().zip(&cut.registration.fields);
    let stored_bounds = fields.map(|field| page.stored_bounds(page_bounds(field))).collect();
    PreparedPage { page: number, strips, state: Prepared::Cut { cut, stored_bounds } }
}
