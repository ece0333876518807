//! What a recogniser gets and what it returns, and the traits that backends implement.
//!
//! A [`Recogniser`] gets whole pages and returns the scores of every field. How it gets them is its own business: one net or
//! an ensemble, one view or many. [`FieldInput`] lets it spend its time on the fields and glyphs that need it.

use crate::{
    assemble::{AssembleParams, PageReading, edges_by_strip, edges_within_margin, is_disputed, is_settled},
    form::{Field, FormTemplate},
    normalise::{Glyph, GlyphBatch, Strip, collate, normalise},
    register::Registration,
    scores::{Compute, ConfidenceModel, EdgeScores, FieldScores, GlyphScores, StripScores},
    segment::{FieldCut, FieldInk, LatticeEdge},
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
    /// The scores of `pages`, in their order. The scores of a page do not depend on which
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
        let score = |page: &PageInput<'_>| {
            let fields = page.fields();
            let mut scores: Vec<FieldScores> = fields.iter().map(FieldInput::unscored).collect();
            let glyphs = fields.iter().zip(&mut scores).flat_map(|(field, scores)| field.unscored_glyphs(scores));
            let (glyphs, places): (Vec<Glyph>, Vec<&mut EdgeScores>) = glyphs.unzip();
            let found = if glyphs.is_empty() { Vec::new() } else { self.0.classify(&collate(&glyphs))? };
            if found.len() != glyphs.len() {
                return Err(Error::net(format_args!("{} scores of {} glyphs", found.len(), glyphs.len())));
            }
            places.into_iter().zip(found).for_each(|(place, found)| *place = EdgeScores::Scored(found));
            Ok(PageScores { fields: scores })
        };
        pages.iter().map(score).collect()
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

    /// Number of glyphs that may have to be classified: those of all candidate digits.
    pub fn n_glyphs(&self) -> usize {
        let Prepared::Cut { cut, .. } = &self.state else { return 0 };
        cut.cuts.iter().flat_map(|cut| edges(&cut.ink)).filter(|edge| edge.crop.is_some()).count()
    }

    /// Of each field, in the template's order, the number of its edges.
    pub(crate) fn n_edges(&self) -> Vec<usize> {
        let Prepared::Cut { cut, .. } = &self.state else { return Vec::new() };
        cut.cuts.iter().map(|cut| edges(&cut.ink).len()).collect()
    }

    /// The page as a recogniser gets it. `templates` are those by which it was cut.
    pub(crate) fn input<'a>(&'a self, templates: &'a [FormTemplate], params: &'a AssembleParams) -> PageInput<'a> {
        PageInput { page: self, templates, params }
    }
}

/// The candidates of a field; none where nothing is written in it.
fn edges(ink: &FieldInk) -> &[LatticeEdge] {
    match ink {
        FieldInk::Written(lattice) => &lattice.edges,
        FieldInk::Blank | FieldInk::OffPage | FieldInk::Marks(_) => &[],
    }
}

/// The scores of a page.
#[derive(Debug, Clone, Default)]
pub struct PageScores {
    /// One for each field, in the template's order; empty for a page that no template fits.
    fields: Vec<FieldScores>,
}

impl PageScores {
    /// Of the scores of its fields, in the template's order.
    pub fn new(fields: Vec<FieldScores>) -> Self {
        Self { fields }
    }

    /// One for each field, in the template's order; empty for a page that no template fits.
    pub fn fields(&self) -> &[FieldScores] {
        &self.fields
    }

    /// The scores of all glyphs that were scored, field by field.
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
    /// The fields, in the template's order; none of a page that no template fits.
    pub fn fields(&self) -> Vec<FieldInput<'a>> {
        let Prepared::Cut { cut, .. } = &self.page.state else { return Vec::new() };
        let Some(template) = self.templates.get(cut.template_idx) else { return Vec::new() };
        let inputs = cut.cuts.iter().zip(&self.page.strips).filter_map(|(cut, strip)| {
            let field = template.fields.get(cut.field_idx)?;
            Some(FieldInput { field, cut, strip: strip.as_ref(), params: self.params })
        });
        inputs.collect()
    }
}

/// A field as a recogniser gets it. A recogniser begins with its scores [before any](FieldInput::unscored), reads its
/// [strip](FieldInput::strip), and scores glyphs until the field [is settled](FieldInput::is_settled).
#[derive(Debug, Clone, Copy)]
pub struct FieldInput<'a> {
    field: &'a Field,
    cut: &'a FieldCut,
    strip: Option<&'a Strip>,
    params: &'a AssembleParams,
}

impl<'a> FieldInput<'a> {
    /// The whole ink of the field; `None` where it has none.
    pub fn strip(&self) -> Option<&'a Strip> {
        self.strip
    }

    /// The scores of the field before anything is scored.
    pub fn unscored(&self) -> FieldScores {
        let of_edge = |edge: &LatticeEdge| match edge.crop {
            Some(_) => EdgeScores::Unscored,
            None => EdgeScores::Empty,
        };
        FieldScores { edges: edges(&self.cut.ink).iter().map(of_edge).collect(), strip: StripScores::default() }
    }

    /// Whether `scores` are so clear that better ones would not change the reading.
    pub fn is_settled(&self, scores: &FieldScores) -> bool {
        checkpoint();
        is_settled(self.field, &self.cut.ink, scores, self.params)
    }

    /// Of the glyphs that are not scored yet those that strip and cuts together find likely, with the places of their scores. All of
    /// them where the strip was not read, or is not clear.
    pub fn glyphs_by_strip<'s>(&self, scores: &'s mut FieldScores) -> Vec<(Glyph, &'s mut EdgeScores)> {
        let chosen = edges_by_strip(&self.cut.ink, self.cut.strip.as_ref(), &scores.strip, &self.params.alignment);
        self.glyphs(scores, |idx, edge| {
            *edge == EdgeScores::Unscored && chosen.as_ref().is_none_or(|chosen| chosen.get(idx) == Some(&true))
        })
    }

    /// All glyphs that are not scored yet where those that are scored do not clearly say what the strip says, with the places of their
    /// scores.
    pub fn disputed_glyphs<'s>(&self, scores: &'s mut FieldScores) -> Vec<(Glyph, &'s mut EdgeScores)> {
        if is_disputed(self.field, &self.cut.ink, scores, self.params) {
            self.unscored_glyphs(scores)
        } else {
            Vec::new()
        }
    }

    /// All glyphs that are not scored yet, with the places of their scores.
    pub fn unscored_glyphs<'s>(&self, scores: &'s mut FieldScores) -> Vec<(Glyph, &'s mut EdgeScores)> {
        self.glyphs(scores, |_, edge| *edge == EdgeScores::Unscored)
    }

    /// The scored glyphs that can change the reading, with the places of their scores: those on a path through the lattice
    /// whose score is near that of the best path.
    pub fn contested_glyphs<'s>(&self, scores: &'s mut FieldScores) -> Vec<(Glyph, &'s mut EdgeScores)> {
        let is_contested = edges_within_margin(self.field, &self.cut.ink, scores, self.params);
        self.glyphs(scores, |idx, edge| edge.glyph().is_some() && is_contested.get(idx) == Some(&true))
    }

    /// The glyphs of the edges that `is_wanted` selects. An edge without ink that is left of it is empty.
    fn glyphs<'s>(
        &self,
        scores: &'s mut FieldScores,
        is_wanted: impl Fn(usize, &EdgeScores) -> bool,
    ) -> Vec<(Glyph, &'s mut EdgeScores)> {
        let places = scores.edges.iter_mut().zip(edges(&self.cut.ink)).enumerate();
        let wanted = places.filter(|(idx, (place, _))| is_wanted(*idx, place));
        let glyphs = wanted.filter_map(|(_, (place, edge))| match glyph_of(edge) {
            Some(glyph) => Some((glyph, place)),
            None => {
                *place = EdgeScores::Empty;
                None
            }
        });
        glyphs.collect()
    }
}

/// The glyph of a candidate digit; `None` where it has no ink.
fn glyph_of(edge: &LatticeEdge) -> Option<Glyph> {
    checkpoint();
    edge.crop.as_ref().and_then(|crop| normalise(&crop.ink))
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
        let Prepared::Cut { cut, .. } = &self.prepared.state else { return Vec::new() };
        let fields = cut.cuts.iter().zip(&self.scores.fields).zip(&self.prepared.strips);
        let field = |((cut, scores), strip): ((&FieldCut, &FieldScores), &Option<Strip>)| ScoredField {
            glyphs: edges(&cut.ink).iter().map(glyph_of).collect(),
            strip: strip.clone(),
            scores: scores.clone(),
        };
        fields.map(field).collect()
    }
}
