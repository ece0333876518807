//! Pages through the nets: everything once, then what is ambiguous again, by the ensemble and by test-time augmentation.

use super::{
    convnet::{ConvNet, best_path_probability},
    tta::{N_STRIP_TTA, strip_views},
};
use formread_core::{
    normalise::{GLYPH_SIDE, Glyph, GlyphBatch, STRIP_HEIGHT, Strip, collate},
    recognise::{FieldInput, GlyphClassifier, PageInput, PageScores, Recogniser},
    scores::{FieldScores, GlyphScores, N_DIGITS, StripScores},
};
use formread_raster::error::Result;

/// Strips whose views are in memory at the same time.
const STRIPS_PER_TTA_BATCH: usize = 32;

/// Strips that are read to warm up, and by how much each is wider than the one before, pixels. Most fields are as wide as
/// one of them.
const WARM_UP_STRIPS: usize = 8;
const WARM_UP_STRIP_STEP: usize = 32;

/// A field whose scores are not settled.
struct OpenField<'a, 's> {
    input: FieldInput<'a>,
    scores: &'s mut FieldScores,
}

impl OpenField<'_, '_> {
    fn is_settled(&self) -> bool {
        self.input.is_settled(self.scores)
    }
}

impl Recogniser for ConvNet {
    /// Scores everything once, all pages together. Then refines the strips of fields that are not settled. Then refines the
    /// contested glyphs of fields that their strips do not settle either. Last, adapts the glyphs of each page to its writer.
    fn recognise(&mut self, pages: &[PageInput<'_>]) -> Result<Vec<PageScores>> {
        let mut scores = self.first_pass(pages)?;
        let mut open: Vec<OpenField<'_, '_>> = pages
            .iter()
            .zip(&mut scores)
            .flat_map(|(page, scores)| page.fields().into_iter().zip(scores.fields_mut()))
            .map(|(input, scores)| OpenField { input, scores })
            .filter(|field| !field.is_settled())
            .collect();
        let mut strips: Vec<(&Strip, &mut StripScores)> =
            open.iter_mut().filter_map(|field| Some((field.input.strip()?, &mut field.scores.strip))).collect();
        self.refine_strips(&mut strips)?;
        open.retain(|field| !field.is_settled());
        let (glyphs, mut places): (Vec<&Glyph>, Vec<&mut GlyphScores>) =
            open.iter_mut().flat_map(|field| field.input.contested_glyphs(field.scores)).unzip();
        let mut refined: Vec<GlyphScores> = places.iter().map(|glyph| **glyph).collect();
        self.refine_glyphs(&collate(glyphs), &mut refined)?;
        places.iter_mut().zip(refined).for_each(|(glyph, refined)| **glyph = refined);

        for page in &mut scores {
            let mut adapted: Vec<GlyphScores> = page.glyphs_mut().map(|glyph| *glyph).collect();
            self.adapt_to_writer(&mut adapted);
            page.glyphs_mut().zip(adapted).for_each(|(glyph, adapted)| *glyph = adapted);
        }
        Ok(scores)
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
    /// Scores of all glyphs and strips from one pass of one net each.
    fn first_pass(&mut self, pages: &[PageInput<'_>]) -> Result<Vec<PageScores>> {
        let batch = collate(pages.iter().flat_map(PageInput::glyphs));
        let glyphs = if batch.n_glyphs == 0 { Vec::new() } else { self.classify(&batch)? };
        let strips: Vec<&Strip> = pages.iter().flat_map(PageInput::strips).collect();
        let mut strips = self.read_strips(&strips)?.into_iter();
        let mut glyphs = glyphs.into_iter();
        let scores = pages.iter().map(|page| {
            let (n_glyphs, n_strips) = (page.glyphs().len(), page.strips().count());
            page.scores(glyphs.by_ref().take(n_glyphs), strips.by_ref().take(n_strips))
        });
        scores.collect()
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
