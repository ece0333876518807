//! What a recogniser gets and what it returns, and the traits that backends implement.
//!
//! A [`Recogniser`] gets whole pages and returns the scores of every field. How it gets them is its own business: one net or
//! an ensemble, one view or many. [`FieldInput::is_settled`] and [`FieldInput::contested_glyphs`] let it spend its time on
//! the fields and glyphs that need it.

use crate::{
    assemble::{AssembleParams, PageReading, edges_within_margin, is_settled},
    form::{Field, FormTemplate},
    normalise::{Glyph, GlyphBatch, Strip, collate},
    register::Registration,
    scores::{Compute, ConfidenceModel, FieldScores, GlyphScores, StripScores},
    segment::{FieldCut, FieldInk},
};
use formread_raster::{
    checkpoint,
    error::{Error, Result},
    geometry::Rect,
};

/// Makes recognisers, and knows what they compute with. A reader asks it for one recogniser per thread.
pub trait Backend: Send + Sync {
    /// Identifies the weights and everything stored with them that changes a reading: a SHA-256, or the name of a stand-in.
    fn id(&self) -> String;

    /// The device and the precision of its recognisers.
    fn compute(&self) -> Compute {
        Compute::default()
    }

    /// How confidences follow from its scores.
    fn confidence(&self) -> ConfidenceModel {
        ConfidenceModel::default()
    }

    /// Makes a recogniser.
    ///
    /// # Errors
    /// Where the device does not exist or the library of the nets fails.
    fn recogniser(&self) -> Result<Box<dyn Recogniser>>;
}

/// Scores the ink of pages. It belongs to one thread at a time.
pub trait Recogniser: Send {
    /// The scores of `pages`, in their order; [`PageInput::scores`] makes them. The scores of a page do not depend on which
    /// pages are scored with it, to the last bit.
    ///
    /// # Errors
    /// Where the library of the nets fails.
    fn recognise(&mut self, pages: &[PageInput<'_>]) -> Result<Vec<PageScores>>;

    /// Does once what the first page would otherwise wait for, such as the choice of kernels.
    ///
    /// # Errors
    /// Where the library of the nets fails.
    fn warm_up(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Scores single glyphs. A simple stand-in for the nets needs only [`GlyphClassifier::classify`]; [`GlyphsOnly`] makes a
/// [`Recogniser`] of it.
pub trait GlyphClassifier: Send {
    /// Scores of each glyph, in the order of the batch, from one pass of one net. The scores of a glyph do not depend on the
    /// rest of the batch, to the last bit.
    ///
    /// # Errors
    /// Where the library of the nets fails.
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>>;

    /// Replaces the scores of ambiguous glyphs of `batch` by better ones, at a higher cost. `scores` has one entry for each
    /// glyph. Without an implementation they stay as they are.
    ///
    /// # Errors
    /// Where the library of the nets fails.
    fn refine_glyphs(&mut self, batch: &GlyphBatch, scores: &mut [GlyphScores]) -> Result<()> {
        let _ = (batch, scores);
        Ok(())
    }

    /// Adapts the scores of one writer's glyphs to how this writer forms the digits. Without an implementation they stay as
    /// they are.
    fn adapt_to_writer(&self, scores: &mut [GlyphScores]) {
        let _ = scores;
    }
}

/// A recogniser that classifies each glyph once and reads no strips.
#[derive(Debug, Clone, Copy, Default)]
pub struct GlyphsOnly<C>(pub C);

impl<C: GlyphClassifier> Recogniser for GlyphsOnly<C> {
    fn recognise(&mut self, pages: &[PageInput<'_>]) -> Result<Vec<PageScores>> {
        let batch = collate(pages.iter().flat_map(PageInput::glyphs));
        let scores = if batch.n_glyphs == 0 { Vec::new() } else { self.0.classify(&batch)? };
        if scores.len() != batch.n_glyphs {
            return Err(Error::net(format_args!("{} scores of {} glyphs", scores.len(), batch.n_glyphs)));
        }
        let mut scores = scores.into_iter();
        pages.iter().map(|page| page.scores(scores.by_ref().take(page.glyphs().len()), [])).collect()
    }
}

/// A backend of a name and a function that makes recognisers: for stand-ins and tests.
#[derive(Debug, Clone)]
pub struct FnBackend<F> {
    id: String,
    make: F,
}

impl<F, R> FnBackend<F>
where
    F: Fn() -> Result<R> + Send + Sync,
    R: Recogniser + 'static,
{
    /// A backend that is identified by `id` and calls `make` for each recogniser.
    pub fn new(id: impl Into<String>, make: F) -> Self {
        Self { id: id.into(), make }
    }
}

impl<F, R> Backend for FnBackend<F>
where
    F: Fn() -> Result<R> + Send + Sync,
    R: Recogniser + 'static,
{
    fn id(&self) -> String {
        self.id.clone()
    }

    fn recogniser(&self) -> Result<Box<dyn Recogniser>> {
        Ok(Box::new((self.make)()?))
    }
}

/// A page that is ready for a recogniser.
#[derive(Debug)]
pub struct PreparedPage {
    pub(crate) page: u32,
    pub(crate) glyphs: Vec<Glyph>,
    /// One for each field, where there is ink.
    pub(crate) strips: Vec<Option<Strip>>,
    pub(crate) state: Prepared,
}

/// Whether a page has fields to recognise.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// No template fits.
    Rejected(PageReading),
    /// Its fields were cut.
    Cut {
        cut: CutPage,
        /// For each cut, for each edge of its lattice: whether it has a glyph among the page's.
        has_glyph: Vec<Vec<bool>>,
        /// The fields' boxes on the scan as stored, pixels, in the template's order.
        stored_bounds: Vec<Rect>,
    },
}

/// A page that was recognised as a form and cut into fields.
#[derive(Debug)]
pub struct CutPage {
    /// Index into the reader's templates.
    pub template_idx: usize,
    /// How the template lies on the page.
    pub registration: Registration,
    /// The fields' ink, in the template's order.
    pub cuts: Vec<FieldCut>,
    /// Bounds of the writing beside the fields, millimetres of the template.
    pub outside: Vec<Rect>,
}

impl PreparedPage {
    /// 1-based page in its file.
    pub fn page(&self) -> u32 {
        self.page
    }

    /// The glyphs to classify.
    pub fn glyphs(&self) -> &[Glyph] {
        &self.glyphs
    }

    /// The strips to read: the whole ink of each field that has ink.
    pub fn strips(&self) -> impl Iterator<Item = &Strip> {
        self.strips.iter().flatten()
    }

    /// The page as a recogniser gets it. `templates` are those by which it was cut.
    pub(crate) fn input<'a>(&'a self, templates: &'a [FormTemplate], params: &'a AssembleParams) -> PageInput<'a> {
        PageInput { page: self, templates, params }
    }
}

/// The scores of a page.
#[derive(Debug, Clone, Default)]
pub struct PageScores {
    /// One for each field, in the template's order; empty for a page that no template fits.
    fields: Vec<FieldScores>,
}

impl PageScores {
    /// One for each field, in the template's order; empty for a page that no template fits.
    pub fn fields(&self) -> &[FieldScores] {
        &self.fields
    }

    /// As [`PageScores::fields`], to be changed.
    pub fn fields_mut(&mut self) -> &mut [FieldScores] {
        &mut self.fields
    }

    /// The scores of all glyphs, in the order of [`PageInput::glyphs`].
    pub fn glyphs_mut(&mut self) -> impl Iterator<Item = &mut GlyphScores> {
        self.fields.iter_mut().flat_map(FieldScores::glyphs_mut)
    }
}

/// A page as a recogniser gets it.
#[derive(Debug, Clone, Copy)]
pub struct PageInput<'a> {
    page: &'a PreparedPage,
    templates: &'a [FormTemplate],
    params: &'a AssembleParams,
}

impl<'a> PageInput<'a> {
    /// The glyphs to classify, field by field.
    pub fn glyphs(&self) -> &'a [Glyph] {
        &self.page.glyphs
    }

    /// The strips to read: the whole ink of each field that has ink, in the template's order.
    pub fn strips(&self) -> impl Iterator<Item = &'a Strip> {
        self.page.strips.iter().flatten()
    }

    /// The fields, in the template's order; none of a page that no template fits.
    pub fn fields(&self) -> Vec<FieldInput<'a>> {
        let Prepared::Cut { cut, has_glyph, .. } = &self.page.state else { return Vec::new() };
        let Some(template) = self.templates.get(cut.template_idx) else { return Vec::new() };
        let mut first_glyph = 0;
        let fields = cut.cuts.iter().zip(&self.page.strips).zip(has_glyph);
        let inputs = fields.filter_map(|((FieldCut { field_idx, ink, .. }, strip), has_glyph)| {
            let n_glyphs = has_glyph.iter().filter(|has_glyph| **has_glyph).count();
            let glyphs = &self.page.glyphs[first_glyph..first_glyph + n_glyphs];
            first_glyph += n_glyphs;
            let field = template.fields.get(*field_idx)?;
            Some(FieldInput { field, ink, glyphs, strip: strip.as_ref(), params: self.params })
        });
        inputs.collect()
    }

    /// The scores of the page: `glyphs` are those of [`PageInput::glyphs`], `strips` those of [`PageInput::strips`] or none
    /// at all.
    ///
    /// # Errors
    /// `Net` where the number of scores is another one.
    pub fn scores(
        &self,
        glyphs: impl IntoIterator<Item = GlyphScores>,
        strips: impl IntoIterator<Item = StripScores>,
    ) -> Result<PageScores> {
        let (glyphs, strips): (Vec<_>, Vec<_>) = (glyphs.into_iter().collect(), strips.into_iter().collect());
        let (n_glyphs, n_strips) = (self.page.glyphs.len(), self.page.strips().count());
        if glyphs.len() != n_glyphs || ![0, n_strips].contains(&strips.len()) {
            let found = (glyphs.len(), strips.len());
            let message = format_args!("{} scores of {n_glyphs} glyphs, {} of {n_strips} strips", found.0, found.1);
            return Err(Error::net(message));
        }
        let Prepared::Cut { has_glyph, .. } = &self.page.state else { return Ok(PageScores::default()) };
        let (mut glyphs, mut strips) = (glyphs.into_iter(), strips.into_iter());
        let field = |(has_glyph, strip): (&Vec<bool>, &Option<Strip>)| FieldScores {
            edges: has_glyph.iter().map(|&has_glyph| if has_glyph { glyphs.next() } else { None }).collect(),
            strip: strip.as_ref().and_then(|_| strips.next()).unwrap_or_default(),
        };
        Ok(PageScores { fields: has_glyph.iter().zip(&self.page.strips).map(field).collect() })
    }
}

/// A field as a recogniser gets it.
#[derive(Debug, Clone, Copy)]
pub struct FieldInput<'a> {
    field: &'a Field,
    ink: &'a FieldInk,
    glyphs: &'a [Glyph],
    strip: Option<&'a Strip>,
    params: &'a AssembleParams,
}

impl<'a> FieldInput<'a> {
    /// The whole ink of the field; `None` where it has none.
    pub fn strip(&self) -> Option<&'a Strip> {
        self.strip
    }

    /// Whether `scores` are so clear that refining them would not change the reading.
    pub fn is_settled(&self, scores: &FieldScores) -> bool {
        checkpoint();
        is_settled(self.field, self.ink, scores, self.params)
    }

    /// The glyphs that can change the reading, with their scores: those on a path through the lattice whose score is near
    /// that of the best path.
    pub fn contested_glyphs<'s>(&self, scores: &'s mut FieldScores) -> Vec<(&'a Glyph, &'s mut GlyphScores)> {
        let is_contested = edges_within_margin(self.field, self.ink, scores, self.params);
        let edges = scores.edges.iter_mut().zip(is_contested);
        let edges = edges.filter_map(|(scores, is_contested)| Some((scores.as_mut()?, is_contested)));
        let glyphs = self.glyphs.iter().zip(edges);
        glyphs.filter_map(|(glyph, (scores, is_contested))| is_contested.then_some((glyph, scores))).collect()
    }
}

/// A page and its scores: what [`Stages::recognise`](crate::reader::Stages::recognise) returns and [`Stages::finish`](crate::reader::Stages::finish) takes.
#[derive(Debug)]
pub struct ScoredPage {
    pub(crate) prepared: PreparedPage,
    pub(crate) scores: PageScores,
}

/// The input and the scores of one field.
#[derive(Debug)]
pub struct ScoredField {
    /// One for each edge of its lattice, `None` where the edge has no ink; empty for a field without writing.
    pub glyphs: Vec<Option<Glyph>>,
    /// Its ink as a whole; `None` where there is none.
    pub strip: Option<Strip>,
    /// The scores of both.
    pub scores: FieldScores,
}

impl ScoredPage {
    /// 1-based page in its file.
    pub fn page(&self) -> u32 {
        self.prepared.page
    }

    /// Input and scores of each field, in the template's order; none of a page that no template fits.
    pub fn fields(&self) -> Vec<ScoredField> {
        let Prepared::Cut { has_glyph, .. } = &self.prepared.state else { return Vec::new() };
        let mut glyphs = self.prepared.glyphs.iter().cloned();
        let fields = has_glyph.iter().zip(&self.scores.fields).zip(&self.prepared.strips);
        let field = |((has_glyph, scores), strip): ((&Vec<bool>, &FieldScores), &Option<Strip>)| ScoredField {
            glyphs: has_glyph.iter().map(|&has_glyph| if has_glyph { glyphs.next() } else { None }).collect(),
            strip: strip.clone(),
            scores: scores.clone(),
        };
        fields.map(field).collect()
    }
}
