//! When a printed line is dashed, and what along it is a stroke: parameters that were chosen by measurement.

use std::ops::RangeInclusive;

/// The parameters in use.
pub(super) const PARAMS: DashParams = DashParams {
    gap_quantile: 0.2,
    max_gap_ink: 0.65,
    min_dashes: 4,
    pitch_px: 4..=15,
    max_pitch_deviation: 0.35,
    min_even: 0.6,
    min_darker: 1.25,
};

/// When a printed line is dashed, and which ink along it belongs to a stroke. Chosen on drawn `us-1040` returns; `c1` showed which
/// solid lines must not be taken for dashed ones.
pub(super) struct DashParams {
    /// Share of the columns of a line that surely are gaps, and that surely are dashes. Raising it misses lines of long dashes.
    pub gap_quantile: f64,
    /// Largest ink of a gap, as a share of that of a dash. Raising it takes rough lines for dashed ones, and leaves pieces of them.
    pub max_gap_ink: f64,
    /// Smallest number of even pitches. Raising it takes short dashed lines for solid ones.
    pub min_dashes: usize,
    /// From one dash to the next, pixels: 0.4 to 1.5 mm. A wider range takes broken lines for dashed ones.
    pub pitch_px: RangeInclusive<usize>,
    /// How far an even pitch may be from the median, as a share of it. Raising it takes broken lines for dashed ones.
    pub max_pitch_deviation: f64,
    /// Share of the pitches that must be even. Raising it takes dashed lines with strokes along them for solid ones.
    pub min_even: f64,
    /// Ink of a stroke that crosses a dash, as a multiple of the dash's. Raising it erases short pieces of strokes; lowering it leaves
    /// dark dashes.
    pub min_darker: f64,
}
