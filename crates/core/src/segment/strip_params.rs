//! How strips, images that are one field, are cut from their surroundings: parameters that were chosen by measurement.

use formread_raster::LineParams;

/// The parameters in use.
pub(super) const PARAMS: StripParams = StripParams {
    height_px: 96,
    rule: LineParams { max_thickness_px: 12, min_length_px: 16.0, max_deviation_px: 2.0 },
    min_rule_share: 0.5,
    margin: 0.5,
    min_shared: 0.2,
    min_shared_height: 0.5,
    max_bar_gap_px: 7,
    rules: RuleParams {
        max_side_px: 512,
        max_thickness: 0.05,
        n_slopes: 8,
        slope_step: 0.0087,
        min_depth: 3.0,
        texture_deviations: 1.5,
        min_rows: 0.5,
        min_covered: 0.72,
        min_dashed: 0.42,
        n_pieces: 10,
        min_piece: 0.25,
        max_empty: 1,
        max_gap: 0.02,
        side: 0.15,
        max_gap_at_side: 0.12,
        near_middle: 0.07,
        min_place: 0.3,
    },
};

/// How a strip, a picture that is one field, is cut, scaled and cleaned. Chosen on `car`, and on one half of `wfp` and `cobecore`.
pub(super) struct StripParams {
    /// Height to which it is scaled, pixels. Handwritten digits fill about half of a strip, so they are 4 to 6 mm high, as on
    /// forms. Raising it makes digits larger than those of forms, for which the lengths here were chosen.
    pub height_px: u32,
    /// Pieces of the lines that are ruled across it: as thick as a thick stroke at most. Raising the thickness removes bars
    /// that somebody wrote; raising the length leaves broken rules as ink.
    pub rule: LineParams,
    /// Share of its width from which a straight line is a rule and no stroke. Raising it leaves short rules as ink.
    pub min_rule_share: f64,
    /// How much of the picture around the cell is looked at for digits that leave it, in heights of the cell.
    pub margin: f64,
    /// Ink that crosses a rule at a side of the cell, and of which this share is in the cell, may be a digit of it.
    pub min_shared: f64,
    /// The same where ink crosses any rule and is so high within the cell, in heights of a digit. Raising it loses digits that
    /// hang together with a rule. Chosen on `wfp`.
    pub min_shared_height: f64,
    /// A digit whose head is so near to the middle of a rule that was removed, pixels, may have a bar that lies on the rule. Raising
    /// it sends more right readings to review. Chosen on `wfp` and `car`.
    pub max_bar_gap_px: i32,
    /// The rules around the cell.
    pub rules: RuleParams,
}

/// When a line through a picture is a printed rule. Lengths are shares of the picture's height, or its width for rules that
/// lie. Chosen on one half of `wfp` and `cobecore`, and on `car`.
pub(super) struct RuleParams {
    /// Longest side of the picture in which rules are sought, pixels. Fixed by design, for time.
    pub max_side_px: u32,
    /// Thickness, in the shorter side of the picture.
    pub max_thickness: f64,
    /// Slopes that are tried on each side of upright. More find rules of pictures that are turned more, and strokes.
    pub n_slopes: i32,
    /// Between two slopes.
    pub slope_step: f64,
    /// Grey levels by which a rule is darker than what is beside it, at least. Raising it loses pale rules.
    pub min_depth: f32,
    /// The same, in standard deviations of the paper's texture.
    pub texture_deviations: f32,
    /// Share of the picture's height through which a rule goes. Raising it loses those that leave the picture at a side.
    pub min_rows: f64,
    /// Share of its rows that are dark. Raising it loses pale rules, lowering it takes strokes.
    pub min_covered: f64,
    /// The same of a rule of dashes or dots.
    pub min_dashed: f64,
    /// Number of pieces of a rule of dashes, all of which must have some.
    pub n_pieces: usize,
    /// Share of a piece that is dark.
    pub min_piece: f64,
    /// Number of pieces without dashes, at most.
    pub max_empty: usize,
    /// How far from the picture's edge an upright rule may end.
    pub max_gap: f64,
    /// How near to the picture's side no digit has room.
    pub side: f64,
    /// How far from the picture's edge an upright rule there may end.
    pub max_gap_at_side: f64,
    /// A rule that is so near to the middle, as a share of the picture, may be on either side of the cell.
    pub near_middle: f64,
    /// How far the middle of the picture is from both sides of the cell, as a share of the cell's width, at least. Raising it
    /// sends more pictures to review that were cut with their cell at one side. Chosen on `wfp`, `cobecore` and `car`, where 0.3 to 0.4 make little difference.
    pub min_place: f64,
}
