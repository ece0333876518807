//! When a printed line is dashed, and what along it is a stroke: parameters that were chosen by measurement.

/// The parameters in use.
pub(super) const PARAMS: DashParams =
    DashParams { gap_quantile: 0.2, max_gap_ink: 0.75, min_dashes: 4, max_pitch_deviation: 0.35, min_darker: 1.25 };

/// When a printed line is dashed, and which ink along it belongs to a stroke. Chosen on drawn `us-1040` returns.
pub(super) struct DashParams {
    /// Share of the columns of a line that surely are gaps, and that surely are dashes. Raising it misses lines of long dashes.
    pub gap_quantile: f64,
    /// Largest ink of a gap, as a share of that of a dash. Raising it takes rough lines for dashed ones, and leaves pieces of them.
    pub max_gap_ink: f64,
    /// Smallest number of dashes at an even pitch. Raising it takes short dashed lines for solid ones.
    pub min_dashes: usize,
    /// How far a pitch may be from the median, as a share of it. Raising it takes broken lines for dashed ones.
    pub max_pitch_deviation: f64,
    /// Ink of a stroke that crosses a dash, as a multiple of the dash's. Raising it erases short pieces of strokes; lowering it leaves
    /// dark dashes.
    pub min_darker: f64,
}
