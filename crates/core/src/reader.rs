//! The front door: a page's bytes in, its record out. Templates and weights are loaded once.
//!
//! [`Reader::read`] does it all. A caller that has many pages parts it at the net, as `pipeline` does:
//! [`Reader::prepare`] page by page, on as many threads as it likes, [`Reader::recognise`] for many pages at once,
//! [`Reader::finish`] page by page, and [`Reader::reconcile`] for all pages of a file, where rules tie them together.

mod identity;
mod number;

use std::{
    collections::HashSet,
    mem,
    sync::{Mutex, PoisonError},
};

use crate::{
    assemble::{
        AcceptTable, DocumentRecord, FieldScores, PageReading, PageRecord, PageSummary, assemble_page, documents,
        edges_within_margin, is_settled, reconcile,
    },
    form::{Field, FormTemplate, check_documents, check_other_fields},
    normalise::{GLYPH_SIDE, Glyph, GlyphBatch, STRIP_HEIGHT, Strip, collate, normalise, normalise_strip},
    register::{
        Families, FieldRegistration, NumberReading, RegisterParams, Registration, RegistrationFailure, find_candidates,
        resolve,
    },
    scores::{Compute, GlyphScores, N_DIGITS, Recogniser, StripScores},
    segment::{FieldCut, FieldInk, LatticeEdge, segment},
};
use formread_page as page;
use formread_page::{Limits, Page};
use formread_raster::{
    error::{Error, ErrorKind, PageReject, Result},
    geometry::Rect,
};

pub use identity::{ReaderIdentity, ReadingOptions, TemplateId};

/// Strips that are read to warm up, and by how much each is wider than the one before, pixels: most fields are as wide as one
/// of them.
const WARM_STRIPS: usize = 8;
const WARM_STRIP_STEP: usize = 32;

/// Makes a recogniser. The reader keeps one for each thread that recognises at the same time.
pub type RecogniserFactory = Box<dyn Fn() -> Result<Box<dyn Recogniser>> + Send + Sync>;

/// Reads pages of the forms it knows. Can be called from many threads.
pub struct Reader {
    templates: Vec<FormTemplate>,
    families: Families,
    limits: Limits,
    register_params: RegisterParams,
    accept: AcceptTable,
    make_recogniser: RecogniserFactory,
    weights_fingerprint: String,
    compute: Compute,
    /// Recognisers that nobody is using: a net is moved between threads, never shared.
    idle: Mutex<Vec<Box<dyn Recogniser>>>,
}

/// A page made ready for the net.
#[derive(Debug)]
pub struct PreparedPage {
    page: u32,
    glyphs: Vec<Glyph>,
    /// One a field, where there is ink.
    strips: Vec<Option<Strip>>,
    state: Prepared,
}

/// What the nets say of a page.
#[derive(Debug, Clone, Default)]
pub struct PageScores {
    /// One a field, in the template's order; none of a page on which no template lies.
    fields: Vec<FieldScores>,
}

#[derive(Debug)]
enum Prepared {
    Rejected(PageReading),
    Cut {
        cut: CutPage,
        /// For each cut, for each edge of its lattice: whether it has a glyph among the page's.
        has_glyph: Vec<Vec<bool>>,
        /// The fields' boxes on the scan as stored, pixels, in the template's order.
        stored_bounds: Vec<Rect>,
    },
}

/// A page that was recognised and cut.
#[derive(Debug)]
pub struct CutPage {
    /// Index into the reader's templates.
    pub template_idx: usize,
    /// How the template lies on the page.
    pub registration: Registration,
    /// The fields' ink, in the template's order.
    pub cuts: Vec<FieldCut>,
}

/// A page's record, and what the nets saw and said: what [`formread_tools::explain`] is made of.
#[derive(Debug)]
pub struct PageExplanation {
    /// As [`Reader::read_page`] gives it.
    pub report: PageReport,
    /// One a field, in the template's order; none where the page was rejected.
    pub fields: Vec<ScoredField>,
}

/// What the nets saw of one field, and what they said of it.
#[derive(Debug)]
pub struct ScoredField {
    /// One an edge of its lattice, `None` where the edge has no ink; empty for a field that is not written.
    pub glyphs: Vec<Option<Glyph>>,
    /// Its ink as a whole; `None` where there is none.
    pub strip: Option<Strip>,
    /// The scores of both.
    pub scores: FieldScores,
}

/// A page's record, and how it came about.
#[derive(Debug)]
pub struct PageReport {
    /// What the page said.
    pub record: PageRecord,
    /// Where it was read; `None` where the page was rejected.
    pub cut: Option<CutPage>,
}

impl Reader {
    /// A reader of `templates` whose glyphs are told apart by what `make_recogniser` makes. `weights_fingerprint` tells
    /// one set of weights from another.
    ///
    /// # Errors
    /// `Usage` where there is no template or two have one name; as [`check_other_fields`] and [`check_documents`]; whatever the
    /// first recogniser fails with.
    pub fn new(
        templates: Vec<FormTemplate>,
        weights_fingerprint: String,
        make_recogniser: RecogniserFactory,
    ) -> Result<Self> {
        if templates.is_empty() {
            return Err(Error::usage("no template is given"));
        }
        let mut names = HashSet::new();
        if let Some(twice) = templates.iter().find(|template| !names.insert(&template.name)) {
            return Err(Error::usage(format!("two templates have one name: {}", twice.name)));
        }
        check_other_fields(&templates)?;
        check_documents(&templates)?;
        let idle = Mutex::new(vec![make_recogniser()?]);
        Ok(Self {
            families: Families::new(&templates),
            templates,
            limits: Limits::default(),
            register_params: RegisterParams::default(),
            accept: AcceptTable::default(),
            make_recogniser,
            weights_fingerprint,
            compute: Compute::default(),
            idle,
        })
    }

    /// The same whose recognisers compute so.
    #[must_use]
    pub fn with_compute(self, compute: Compute) -> Self {
        Self { compute, ..self }
    }

    /// The same with other limits on its input.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same with other acceptance levels: a reading is accepted at or above that of its form and field.
    #[must_use]
    pub fn with_acceptance(self, accept: AcceptTable) -> Self {
        Self { accept, ..self }
    }

    /// The forms it knows.
    pub fn templates(&self) -> &[FormTemplate] {
        &self.templates
    }

    /// The limits on its input.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Tells one set of weights from another.
    pub fn weights_fingerprint(&self) -> &str {
        &self.weights_fingerprint
    }

    /// What it reads with.
    pub fn identity(&self) -> ReaderIdentity {
        ReaderIdentity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            weights: self.weights_fingerprint.clone(),
            templates: self.templates.iter().map(TemplateId::of).collect(),
            options: ReadingOptions {
                nets: self.compute,
                limits: self.limits,
                register: self.register_params,
                accept: self.accept.clone(),
            },
        }
    }

    /// Tells one set of templates and parameters from another: eight hexadecimal digits.
    pub fn templates_fingerprint(&self) -> String {
        let Self { templates, limits, register_params, accept, compute, .. } = self;
        let all = format!("{templates:?} {limits:?} {register_params:?} {accept:?} {compute:?}");
        format!("{:08x}", crc32fast::hash(all.as_bytes()))
    }

    /// Reads every page of a file, and holds them to their rules together. A page that cannot be read is a record that
    /// says why, and so is a file that is no image.
    ///
    /// # Errors
    /// Where the net fails: never because of what is in `bytes`.
    pub fn read(&self, bytes: &[u8]) -> Result<Vec<PageRecord>> {
        let pages = match page::open(bytes, &self.limits) {
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

    /// Whether rules tie pages together: then what a page says is only known with the others of its file.
    pub fn has_cross_page_rules(&self) -> bool {
        self.templates.iter().any(|template| !template.other_fields.is_empty())
    }

    /// Holds all pages of one file, in their order, to the rules across them, as [`reconcile`] does. Each page comes
    /// from [`Reader::read_page`] or [`Reader::finish`], which know of no other one. Where no rule [ties
    /// pages](Reader::has_cross_page_rules) this changes nothing.
    pub fn reconcile(&self, pages: &mut [PageRecord]) {
        reconcile(&self.templates, pages, &self.accept);
    }

    /// The documents of several pages among the pages of one file, by name, and whether they are complete.
    pub fn documents(&self, pages: &[PageRecord]) -> Vec<DocumentRecord> {
        documents(&self.templates, pages.iter().map(PageSummary::of))
    }

    /// Reads one page, the 1-based `number` of its file, as if there were no other one.
    ///
    /// # Errors
    /// Where the net fails.
    pub fn read_page(&self, number: u32, page: &Page) -> Result<PageReport> {
        let prepared = self.prepare(number, page);
        let scores = self.recognise([&prepared])?.pop().unwrap_or_default();
        Ok(self.finish(prepared, scores))
    }

    /// Reads one page as [`Reader::read_page`] does, and keeps what the nets saw and said.
    ///
    /// # Errors
    /// Where the net fails.
    pub fn explain_page(&self, number: u32, page: &Page) -> Result<PageExplanation> {
        let prepared = self.prepare(number, page);
        let scores = self.recognise([&prepared])?.pop().unwrap_or_default();
        let fields = prepared.seen(&scores);
        Ok(PageExplanation { report: self.finish(prepared, scores), fields })
    }

    /// Makes ready what the first page would wait for: the nets choose how to reckon when they first see an input of a size.
    ///
    /// # Errors
    /// Where a net fails.
    pub fn warm_up(&self) -> Result<()> {
        let paper = |width: usize| Strip { pixels: vec![0.0; STRIP_HEIGHT * width], width };
        let strips: Vec<Strip> = (1..=WARM_STRIPS).map(|n| paper(n * WARM_STRIP_STEP)).collect();
        let glyph = GlyphBatch { pixels: vec![0.0; GLYPH_SIDE * GLYPH_SIDE], n_glyphs: 1 };
        self.with_recogniser(|recogniser| {
            // in doubt, so that every net sees it
            recogniser.refine_glyphs(&glyph, &mut [GlyphScores::of_digit([0.1; N_DIGITS])])?;
            recogniser.read_strips(&strips.iter().collect::<Vec<_>>()).map(drop)
        })
    }

    /// Does what comes before the nets: [registers](Reader::register) the page, for which they may be asked for a form's
    /// number, [cuts](Reader::cut) its fields, makes [glyphs](Reader::normalise) of their ink.
    pub fn prepare(&self, number: u32, page: &Page) -> PreparedPage {
        match self.register(page) {
            Ok((template_idx, registration)) => {
                self.normalise(number, page, self.cut(page, template_idx, registration))
            }
            Err(failure) => self.reject(number, failure),
        }
    }

    /// Recognises the form of a page and lays its template on: the template's index, and how it lies. Where templates that may
    /// be the page declare a number, the nets read it.
    ///
    /// # Errors
    /// [`RegistrationFailure`] where no template does.
    pub fn register(&self, page: &Page) -> Result<(usize, Registration), RegistrationFailure> {
        let candidates = find_candidates(page, &self.templates, &self.families, &self.register_params)?;
        let numbers = candidates.numbers_to_read().iter().map(|number| self.read_number(page, number));
        let numbers: Vec<Option<NumberReading>> = numbers.collect::<Result<_>>().map_err(|error| {
            let (reason, detail) = (PageReject::InternalError, error.to_string());
            RegistrationFailure { template_idx: None, reason, detail }
        })?;
        resolve(candidates, &numbers)
    }

    /// Cuts the fields of a page that was [registered](Reader::register).
    pub fn cut(&self, page: &Page, template_idx: usize, registration: Registration) -> CutPage {
        let cuts = segment(page, &registration, &self.templates[template_idx]);
        CutPage { template_idx, registration, cuts }
    }

    /// Makes of the ink of a page that was [cut](Reader::cut) what the nets are to see.
    pub fn normalise(&self, number: u32, page: &Page, cut: CutPage) -> PreparedPage {
        let template = &self.templates[cut.template_idx];
        prepared(number, page, cut, template)
    }

    /// A page on which no template lies.
    fn reject(&self, number: u32, failure: RegistrationFailure) -> PreparedPage {
        let form = failure.template_idx.map(|idx| self.templates[idx].name.clone());
        let reading = PageReading::Rejected { form, reason: failure.reason, detail: failure.detail };
        PreparedPage { page: number, glyphs: Vec::new(), strips: Vec::new(), state: Prepared::Rejected(reading) }
    }

    /// What the nets say of pages, of however many, in their order.
    ///
    /// # Errors
    /// Where a net fails.
    pub fn recognise<'a>(&self, pages: impl IntoIterator<Item = &'a PreparedPage>) -> Result<Vec<PageScores>> {
        let pages: Vec<&PreparedPage> = pages.into_iter().collect();
        self.recognise_of(&self.templates, &pages)
    }

    /// The same of pages that were cut by `templates`.
    fn recognise_of(&self, templates: &[FormTemplate], pages: &[&PreparedPage]) -> Result<Vec<PageScores>> {
        self.with_recogniser(|recogniser| recognise_with(recogniser, templates, pages))
    }

    /// Does `work` with a recogniser that nobody else is using.
    fn with_recogniser<T>(&self, work: impl FnOnce(&mut dyn Recogniser) -> Result<T>) -> Result<T> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let mut recogniser = match taken {
            Some(recogniser) => recogniser,
            None => (self.make_recogniser)()?,
        };
        let done = work(recogniser.as_mut())?;
        idle().push(recogniser);
        Ok(done)
    }

    /// Does what comes after the nets: `scores` is what they say of this page.
    ///
    /// # Panics
    /// Where there are not as many scores as fields.
    pub fn finish(&self, prepared: PreparedPage, scores: PageScores) -> PageReport {
        let page = prepared.page;
        let (cut, stored_bounds) = match prepared.state {
            Prepared::Rejected(reading) => return PageReport { record: PageRecord { page, reading }, cut: None },
            Prepared::Cut { cut, stored_bounds, .. } => (cut, stored_bounds),
        };
        assert_eq!(scores.fields.len(), cut.cuts.len(), "every field has its scores");
        let template = &self.templates[cut.template_idx];
        let mut record = assemble_page(page, template, &cut.registration, &cut.cuts, &scores.fields, &self.accept);
        if let PageReading::Read { fields, .. } = &mut record.reading {
            for (field, bounds) in fields.iter_mut().zip(stored_bounds) {
                field.bounds = bounds;
            }
        }
        PageReport { record, cut: Some(cut) }
    }
}

impl PageScores {
    fn glyphs_mut(&mut self) -> impl Iterator<Item = &mut GlyphScores> {
        self.fields.iter_mut().flat_map(FieldScores::glyphs_mut)
    }
}

impl PreparedPage {
    /// Its scores at one look: `glyphs` gives those of its glyphs, `strips` those of its strips.
    fn scored(
        &self,
        glyphs: &mut impl Iterator<Item = GlyphScores>,
        strips: &mut impl Iterator<Item = StripScores>,
    ) -> PageScores {
        let Prepared::Cut { has_glyph, .. } = &self.state else { return PageScores::default() };
        let scored = |(has_glyph, strip): (&Vec<bool>, &Option<Strip>)| FieldScores {
            edges: has_glyph.iter().map(|&has_glyph| if has_glyph { glyphs.next() } else { None }).collect(),
            strip: strip.as_ref().and_then(|_| strips.next()).unwrap_or_default(),
        };
        PageScores { fields: has_glyph.iter().zip(&self.strips).map(scored).collect() }
    }

    /// The fields that `scores`, those of one look, do not settle.
    fn open_fields<'a>(&'a self, templates: &'a [FormTemplate], scores: &'a mut PageScores) -> Vec<OpenField<'a>> {
        let Prepared::Cut { cut, .. } = &self.state else { return Vec::new() };
        let template = &templates[cut.template_idx];
        let mut glyphs = self.glyphs.iter();
        let fields = cut.cuts.iter().zip(&self.strips).zip(&mut scores.fields);
        let fields = fields.map(|((FieldCut { field_idx, ink, .. }, strip), scores)| OpenField {
            field: &template.fields[*field_idx],
            ink,
            strip: strip.as_ref(),
            glyphs: glyphs.by_ref().take(scores.edges.iter().flatten().count()).collect(),
            scores,
        });
        fields.filter(|field| !field.is_settled()).collect()
    }

    /// What the nets saw of each field, with `scores`, what they said of this page.
    fn seen(&self, scores: &PageScores) -> Vec<ScoredField> {
        let Prepared::Cut { has_glyph, .. } = &self.state else { return Vec::new() };
        let mut glyphs = self.glyphs.iter().cloned();
        let fields = has_glyph.iter().zip(scores.fields.iter().cloned()).zip(&self.strips);
        let seen = |((has_glyph, scores), strip): ((&Vec<bool>, FieldScores), &Option<Strip>)| ScoredField {
            glyphs: has_glyph.iter().map(|&has_glyph| if has_glyph { glyphs.next() } else { None }).collect(),
            strip: strip.clone(),
            scores,
        };
        fields.map(seen).collect()
    }

    /// 1-based page in its file.
    pub fn page(&self) -> u32 {
        self.page
    }

    /// The glyphs that the net is to look at.
    pub fn glyphs(&self) -> &[Glyph] {
        &self.glyphs
    }

    /// The strips that the net is to read: of each field with ink, all of it.
    pub fn strips(&self) -> impl Iterator<Item = &Strip> {
        self.strips.iter().flatten()
    }
}

/// The record of a page that could not even be prepared, because of a fault of its file.
pub fn rejected(page: u32, error: &Error) -> PageRecord {
    let reason = match error.kind() {
        ErrorKind::Limit { .. } => PageReject::TooLarge,
        ErrorKind::TimedOut { .. } => PageReject::TimedOut,
        ErrorKind::Internal(_) | ErrorKind::Net(_) => PageReject::InternalError,
        _ => PageReject::Unreadable,
    };
    let detail = error.kind().to_string();
    PageRecord { page, reading: PageReading::Rejected { form: None, reason, detail } }
}

/// The candidates of a field; none where nothing is written in it.
fn edges(cut: &FieldCut) -> &[LatticeEdge] {
    match &cut.ink {
        FieldInk::Written(lattice) => &lattice.edges,
        FieldInk::Blank | FieldInk::OffPage | FieldInk::Mark(_) => &[],
    }
}

/// What the nets are to see of the ink of a page that was cut by `template`.
fn prepared(number: u32, page: &Page, cut: CutPage, template: &FormTemplate) -> PreparedPage {
    let strip_of = |cut: &FieldCut| cut.strip.as_ref().and_then(|strip| normalise_strip(&strip.ink, &strip.bounds));
    let strips = cut.cuts.iter().map(strip_of).collect();
    let mut glyphs = Vec::new();
    let mut add_glyph = |edge: &LatticeEdge| {
        let glyph = edge.crop.as_ref().and_then(|crop| normalise(&crop.ink));
        let has_glyph = glyph.is_some();
        glyphs.extend(glyph);
        has_glyph
    };
    let has_glyph = cut.cuts.iter().map(|cut| edges(cut).iter().map(&mut add_glyph).collect()).collect();
    let page_bounds = |(field, at): (&Field, &FieldRegistration)| {
        Rect::around(at.page_from_template.apply_rect(field.layout.bounds())).unwrap_or_default()
    };
    let fields = template.fields.iter().zip(&cut.registration.fields);
    let stored_bounds = fields.map(|field| page.stored_bounds(page_bounds(field))).collect();
    PreparedPage { page: number, glyphs, strips, state: Prepared::Cut { cut, has_glyph, stored_bounds } }
}

/// A field that one look at everything does not settle.
struct OpenField<'a> {
    field: &'a Field,
    ink: &'a FieldInk,
    strip: Option<&'a Strip>,
    glyphs: Vec<&'a Glyph>,
    scores: &'a mut FieldScores,
}

impl OpenField<'_> {
    fn is_settled(&self) -> bool {
        is_settled(self.field, self.ink, self.scores)
    }

    /// Its glyphs that have a say in what it says, and where their scores stand.
    fn contested(&mut self) -> impl Iterator<Item = (&Glyph, &mut GlyphScores)> {
        let is_contested = edges_within_margin(self.field, self.ink, self.scores);
        let edges = self.scores.edges.iter_mut().zip(is_contested);
        let edges = edges.filter_map(|(scores, is_contested)| Some((scores.as_mut()?, is_contested)));
        let glyphs = self.glyphs.iter().copied().zip(edges);
        glyphs.filter_map(|(glyph, (scores, is_contested))| is_contested.then_some((glyph, scores)))
    }
}

/// Looks at everything once, all pages together; more closely at the strips of fields that this does not settle; and at
/// those glyphs that have a say in fields which are not settled even then.
fn recognise_with(
    recogniser: &mut dyn Recogniser,
    templates: &[FormTemplate],
    pages: &[&PreparedPage],
) -> Result<Vec<PageScores>> {
    let batch = collate(pages.iter().flat_map(|page| &page.glyphs));
    let glyphs = if batch.n_glyphs == 0 { Vec::new() } else { recogniser.classify(&batch)? };
    let strips: Vec<&Strip> = pages.iter().flat_map(|page| page.strips()).collect();
    let strip_scores = recogniser.read_strips(&strips)?;
    if (glyphs.len(), strip_scores.len()) != (batch.n_glyphs, strips.len()) {
        let (n_glyphs, n_strips) = (batch.n_glyphs, strips.len());
        let of_each =
            format!("{} scores of {n_glyphs} glyphs, {} of {n_strips} strips", glyphs.len(), strip_scores.len());
        return Err(Error::net(of_each));
    }
    let (mut glyphs, mut strip_scores) = (glyphs.into_iter(), strip_scores.into_iter());
    let mut scores: Vec<PageScores> = pages.iter().map(|page| page.scored(&mut glyphs, &mut strip_scores)).collect();

    let mut open: Vec<OpenField<'_>> =
        pages.iter().zip(&mut scores).flat_map(|(page, scores)| page.open_fields(templates, scores)).collect();
    let (strips, mut seen): (Vec<&Strip>, Vec<StripScores>) =
        open.iter_mut().filter_map(|open| Some((open.strip?, mem::take(&mut open.scores.strip)))).unzip();
    recogniser.refine_strips(&strips, &mut seen)?;
    let places = open.iter_mut().filter(|open| open.strip.is_some());
    places.zip(seen).for_each(|(open, seen)| open.scores.strip = seen);
    open.retain(|open| !open.is_settled());
    let (glyphs, mut places): (Vec<&Glyph>, Vec<&mut GlyphScores>) =
        open.iter_mut().flat_map(OpenField::contested).unzip();
    let mut seen: Vec<GlyphScores> = places.iter().map(|glyph| **glyph).collect();
    recogniser.refine_glyphs(&collate(glyphs), &mut seen)?;
    places.iter_mut().zip(seen).for_each(|(glyph, seen)| **glyph = seen);

    for page in &mut scores {
        let mut adapted: Vec<GlyphScores> = page.glyphs_mut().map(|glyph| *glyph).collect();
        recogniser.adapt_to_writer(&mut adapted);
        page.glyphs_mut().zip(adapted).for_each(|(glyph, adapted)| *glyph = adapted);
    }
    Ok(scores)
}

#[cfg(test)]
mod tests;
