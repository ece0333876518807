//! Pages through the nets: everything once, then what is ambiguous again, strips by test-time augmentation and glyphs by the ensemble.

use super::{
    convnet::{ConvNet, best_path_probability},
    tta::{N_STRIP_TTA, strip_views},
};
use formread_core::{
    normalise::{GLYPH_SIDE, Glyph, GlyphBatch, STRIP_HEIGHT, Strip, collate},
    recognise::{FieldInput, GlyphClassifier, PageInput, PageScores, Recogniser},
    scores::{EdgeScores, FieldScores, GlyphScores, N_DIGITS, StripScores},
};
use formread_raster::error::Result;

/// Strips whose views are in memory at the same time.
const STRIPS_PER_TTA_BATCH: usize = 32;

/// Strips that are read to warm up, and by how much each is wider than the one before, pixels. Most fields are as wide as
/// one of them.
const WARM_UP_STRIPS: usize = 8;
const WARM_UP_STRIP_STEP: usize = 32;

/// A field and what is known of it so far.
struct FieldInWork<'a> {
    input: FieldInput<'a>,
    scores: FieldScores,
}

impl<'a> FieldInWork<'a> {
    fn new(input: FieldInput<'a>) -> Self {
        Self { scores: input.unscored(), input }
    }

    fn is_open(&self) -> bool {
        !self.input.is_settled(&self.scores)
    }
}

/// A glyph, and the place of its scores.
type GlyphToScore<'s> = (Glyph, &'s mut EdgeScores);

impl Recogniser for ConvNet {
    /// Each step takes the fields of all pages that the steps before leave open:
    ///
    /// 1. Reads each strip once.
    /// 2. Scores the glyphs that lie where the strip has its digits; all of them where that is not clear.
    /// 3. Reads the strip in several views.
    /// 4. Scores all other glyphs where those that are scored do not clearly say what the strip says.
    /// 5. Scores the contested glyphs by the ensemble.
    ///
    /// Last, it adapts the glyphs of each page to its writer.
    fn recognise(&mut self, pages: &[PageInput<'_>]) -> Result<Vec<PageScores>> {
        let inputs: Vec<Vec<FieldInput<'_>>> = pages.iter().map(PageInput::fields).collect();
        let n_fields: Vec<usize> = inputs.iter().map(Vec::len).collect();
        let mut fields: Vec<FieldInWork<'_>> = inputs.into_iter().flatten().map(FieldInWork::new).collect();

        self.read_all_strips(&mut fields)?;
        self.score_glyphs(fields.iter_mut().flat_map(|field| field.input.glyphs_by_strip(&mut field.scores)))?;
        let mut open: Vec<&mut FieldInWork<'_>> = fields.iter_mut().filter(|field| field.is_open()).collect();
        self.refine_strips(
            &mut open
                .iter_mut()
                .filter_map(|field| Some((field.input.strip()?, &mut field.scores.strip)))
                .collect::<Vec<_>>(),
        )?;
        open.retain(|field| field.is_open());
        self.score_glyphs(open.iter_mut().flat_map(|field| field.input.disputed_glyphs(&mut field.scores)))?;
        open.retain(|field| field.is_open());
        self.refine_contested(open.iter_mut().flat_map(|field| field.input.contested_glyphs(&mut field.scores)))?;

        let mut scores = fields.into_iter().map(|field| field.scores);
        let of_pages = n_fields.into_iter().map(|n| PageScores::new(scores.by_ref().take(n).collect()));
        let mut of_pages: Vec<PageScores> = of_pages.collect();
        for page in &mut of_pages {
            let mut adapted: Vec<GlyphScores> = page.glyphs_mut().map(|glyph| *glyph).collect();
            self.adapt_to_writer(&mut adapted);
            page.glyphs_mut().zip(adapted).for_each(|(glyph, adapted)| *glyph = adapted);
        }
        Ok(of_pages)
    }

    /// LibTorch chooses kernels when it first gets an input of a size.
    fn warm_up(&mut self) -> Result<()> {
        let paper = |width: usize| Strip { pixels: vec![0.0; STRIP_HEIGHT * width], width };
        let strips: Vec<Strip> = (1..=WARM_UP_STRIPS).map(|n| paper(n * WARM_UP_STRIP_STEP)).collect();
        let glyph = GlyphBatch { pixels: vec![0.0; GLYPH_SIDE * GLYPH_SIDE], n_glyphs: 1 };
        // ambiguous, so that every net gets it
        self.refine_glyphs(&glyph, &mut [GlyphScores::of_digit([0.1; N_DIGITS])])?;
        self.columns(&strips.iter().collect::<Vec<_>>())?;
        Ok(())
    }
}

impl ConvNet {
    /// Reads the strip of each field once.
    fn read_all_strips(&mut self, fields: &mut [FieldInWork<'_>]) -> Result<()> {
        let strips = fields.iter_mut().filter_map(|field| Some((field.input.strip()?, &mut field.scores.strip)));
        let (strips, places): (Vec<&Strip>, Vec<&mut StripScores>) = strips.unzip();
        let read = self.read_strips(&strips)?;
        places.into_iter().zip(read).for_each(|(place, read)| *place = read);
        Ok(())
    }

    /// Scores glyphs by one pass of one net.
    fn score_glyphs<'s>(&mut self, glyphs: impl Iterator<Item = GlyphToScore<'s>>) -> Result<()> {
        let (glyphs, places): (Vec<Glyph>, Vec<&mut EdgeScores>) = glyphs.unzip();
        if !glyphs.is_empty() {
            let scores = self.classify(&collate(&glyphs))?;
            places.into_iter().zip(scores).for_each(|(place, scores)| *place = EdgeScores::Scored(scores));
        }
        Ok(())
    }

    /// Scores the ambiguous ones of scored glyphs again.
    fn refine_contested<'s>(&mut self, glyphs: impl Iterator<Item = GlyphToScore<'s>>) -> Result<()> {
        let (glyphs, places): (Vec<Glyph>, Vec<&mut EdgeScores>) = glyphs.unzip();
        let mut scores: Vec<GlyphScores> = places.iter().filter_map(|place| place.glyph()).collect();
        self.refine_by_ensemble(&collate(&glyphs), &mut scores)?;
        places.into_iter().zip(scores).for_each(|(place, scores)| *place = EdgeScores::Scored(scores));
        Ok(())
    }

    /// Scores of strips from one pass, in their order. The scores of a strip do not depend on the others, to the last bit.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn read_strips(&mut self, strips: &[&Strip]) -> Result<Vec<StripScores>> {
        let columns = self.columns(strips)?.into_iter();
        Ok(columns.map(|columns| StripScores { views: vec![columns] }).collect())
    }

    /// Adds the views of test-time augmentation to the scores of those strips that one pass leaves ambiguous.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn refine_strips(&mut self, strips: &mut [(&Strip, &mut StripScores)]) -> Result<()> {
        let max_ambiguous = self.refinement.max_ambiguous_path_probability;
        let is_ambiguous = |scores: &StripScores| {
            scores.views.first().is_some_and(|columns| best_path_probability(columns) < max_ambiguous)
        };
        let mut ambiguous: Vec<_> = strips.iter_mut().filter(|(_, scores)| is_ambiguous(scores)).collect();
        for ambiguous in ambiguous.chunks_mut(STRIPS_PER_TTA_BATCH) {
            let views: Vec<Strip> = ambiguous.iter().flat_map(|(strip, _)| strip_views(strip)).collect();
            let mut columns = self.columns(&views.iter().collect::<Vec<_>>())?.into_iter();
            for (_, scores) in ambiguous {
                scores.views.extend(columns.by_ref().take(N_STRIP_TTA));
            }
        }
        Ok(())
    }
}
