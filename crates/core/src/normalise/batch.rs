//! Glyphs of many fields and pages -> one batch.

use super::{GLYPH_SIDE, Glyph};

/// Glyphs side by side, ready for the net.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GlyphBatch {
    /// [N, 1, 28, 28] f32, contiguous, paper 0 .. ink 1.
    pub pixels: Vec<f32>,
    /// N.
    pub n_glyphs: usize,
}

/// Gathers glyphs into a batch, in their order.
pub fn collate<'a>(glyphs: impl IntoIterator<Item = &'a Glyph>) -> GlyphBatch {
    let mut batch = GlyphBatch::default();
    for glyph in glyphs {
        batch.pixels.extend_from_slice(&glyph[..]);
        batch.n_glyphs += 1;
    }
    debug_assert_eq!(batch.pixels.len(), batch.n_glyphs * GLYPH_SIDE * GLYPH_SIDE);
    batch
}
