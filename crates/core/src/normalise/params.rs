//! The parameters of the normaliser: every number that was chosen by measurement, in November 2026.
//!
//! They were chosen on MNIST, whose glyphs must come out as they are, and on `digits-ch`. They belong to the weights: nets
//! that were trained with others read worse. Constants of the format (28 and 20 pixels, the centre of mass, the size of a
//! strip) are beside the code.

/// The parameters in use.
pub(super) const PARAMS: GlyphParams =
    GlyphParams { min_box_ink: 0.25, min_ink: 0.06, full_ink_quantile: 0.6, n_peak_pixels: 8, max_peak_gain: 2.5 };

/// How the ink of a glyph is measured and stretched. Chosen on MNIST and `digits-ch`.
pub(super) struct GlyphParams {
    /// Share of full ink, 0 to 1, from which a pixel counts for the bounding box; less is the blur around a stroke. Half
    /// would be the edge of an ideal blurred stroke, but a thin pencil stroke is fainter. Raising it cuts off thin ends.
    pub min_box_ink: f32,
    /// Share of full ink, 0 to 1, below which a pixel is the paper's texture and is erased. Raising it loses faint strokes.
    pub min_ink: f32,
    /// Full ink is this quantile of all pixels with at least half of the darkest one's ink: above the median, since strokes
    /// are dark within and pale at their edges; below the maximum, since one speck must not set the scale. Raising it makes
    /// glyphs paler.
    pub full_ink_quantile: f64,
    /// Number of darkest pixels that are raised to 1: about the length of the shortest stroke. Raising it makes glyphs darker.
    pub n_peak_pixels: usize,
    /// Maximum gain for thin strokes, which reducing has made paler. Raising it makes texture as dark as ink.
    pub max_peak_gain: f32,
}
