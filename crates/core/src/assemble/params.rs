//! The parameters of assembly: every number that was chosen by measurement, in November 2026.
//!
//! `Default` gives the values of this version. They are part of a reader's identity: another value is another reader.

use serde::Serialize;

use crate::scores::ConfidenceModel;

/// How scores become values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AssembleParams {
    /// From what the nets returned to the chance that a reading is right. It belongs to the weights and is stored with them.
    pub confidence: ConfidenceModel,
    /// The search for paths through a lattice.
    pub lattice: LatticeParams,
    /// The search for texts in a strip.
    pub ctc: CtcParams,
    /// How both are combined.
    pub combination: CombinationParams,
    /// Struck-out and overwritten digits.
    pub defect: DefectParams,
    /// What a reading leaves unexplained.
    pub unexplained: UnexplainedParams,
    /// Boxes to be marked.
    pub mark: MarkParams,
    /// Rules between fields.
    pub rules: RuleParams,
    /// Which glyphs are scored first.
    pub alignment: AlignmentParams,
    /// Which fields and glyphs a recogniser refines.
    pub refine: RefineParams,
    /// The confidence is multiplied by this where ink has no explanation: a gap between two digits of a comb, an unknown
    /// filler, half a sign, a decimal point in the wrong place. Chosen empirically, set not recorded. Raising it accepts
    /// more of such fields.
    pub unexplained_factor: f64,
    /// A field has the wrong number of digits where the best reading of another length is better by this much, log score.
    /// Chosen empirically, set not recorded. Raising it forces
    /// worse readings into the expected length.
    pub length_margin_log: f64,
}

impl Default for AssembleParams {
    fn default() -> Self {
        Self {
            confidence: ConfidenceModel::default(),
            lattice: LatticeParams::default(),
            ctc: CtcParams::default(),
            combination: CombinationParams::default(),
            defect: DefectParams::default(),
            unexplained: UnexplainedParams::default(),
            mark: MarkParams::default(),
            rules: RuleParams::default(),
            alignment: AlignmentParams::default(),
            refine: RefineParams::default(),
            unexplained_factor: 0.3,
            length_margin_log: 3.0,
        }
    }
}

/// The search for paths through a lattice. Priors are natural logarithms; chosen empirically, set not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatticeParams {
    /// Paths kept for every node and number of digits. Raising it costs time.
    pub k_best: usize,
    /// Digits tried for an edge, the most likely first, at most 10. Raising it costs time.
    pub digits_per_edge: usize,
    /// Log prior of a filler to the right of a digit. Raising it reads digits at the end as fillers; lowering it reads fewer
    /// fillers there.
    pub trailing_filler_log: f32,
    /// Log prior of a filler between two digits. Raising it reads digits as fillers; lowering it reads fewer fillers there.
    pub inner_filler_log: f32,
    /// Where a template declares fillers: the share of glyphs of [`crate::scores::GlyphClass::Other`] that are fillers of a
    /// form the nets do not know. The rest are struck out or scribbled. Chosen on the `c1` set: three crosses of one
    /// writer. Raising it reads more scribbles and struck-out digits as fillers.
    pub unknown_filler_prior: f32,
    /// Log prior of ink in a box that is as large as a digit but is punctuation: a dash or a flourish behind an amount.
    /// Raising it skips more ink.
    pub large_punctuation_log: f32,
}

impl Default for LatticeParams {
    fn default() -> Self {
        Self {
            k_best: 6,
            digits_per_edge: 3,
            trailing_filler_log: -1.0,
            inner_filler_log: -4.0,
            unknown_filler_prior: 0.1,
            large_punctuation_log: -2.0,
        }
    }
}

/// The search for texts in a strip. Chosen empirically, set not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CtcParams {
    /// Prefixes kept from column to column. Raising it costs time.
    pub beam: usize,
    /// Symbols of a lower probability in a column are not followed: exp(-9). Raising it loses texts; lowering it costs time.
    pub min_symbol_probability: f64,
    /// Lower bound of the log probability of a text in one view, so that one view alone does not exclude a text.
    /// Raising it lets a text pass that a view excludes.
    pub min_view_log: f64,
}

impl Default for CtcParams {
    fn default() -> Self {
        Self { beam: 24, min_symbol_probability: 1.234e-4, min_view_log: -40.0 }
    }
}

/// Which glyphs are scored: those that a clear strip and the cuts together find likely, and all where the strip is not clear.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AlignmentParams {
    /// A strip is clear where each column that is beside no digit has at least this probability of the blank, 0 to 1. By design. Raising
    /// it scores more glyphs.
    pub min_blank: f32,
    /// Ones that it must have where it has nothing else: of fewer, all glyphs are scored, so that two strokes can be seen as ditto marks
    /// together. By design. Raising it scores more glyphs.
    pub min_ones: usize,
    /// From the column where the strip net names a digit to the digit's middle, columns of the strip. It belongs to the shipped weights: a
    /// test fails where other weights name digits elsewhere. Measured on 3,763 digits of drawn tax returns and forms of free digits:
    /// 1.28 in the mean, with a standard deviation of 0.45. Raising it looks for digits further to the right; where it is wrong, narrow
    /// digits are scored last.
    pub middle_offset: f32,
    /// A path through the lattice is likely where the log prior of its cuts is within this of the likeliest path. Chosen of 1, 2 and 4 by
    /// the number of glyphs on drawn forms of free digits; readings were compared with 1 and 2. Raising it scores more glyphs.
    pub margin_log: f32,
    /// All glyphs of an open field are scored where the best path through those by the strip has other digits than the strip, or is less
    /// likely than this, 0 to 1. Chosen of 0, 0.5, 0.8 and 0.9 on a fixture, a fax, and by the number of glyphs on drawn returns and
    /// forms of free digits. Raising it scores more glyphs.
    pub min_path_probability: f32,
}

impl Default for AlignmentParams {
    fn default() -> Self {
        Self { min_blank: 0.9, min_ones: 3, middle_offset: 1.25, margin_log: 1.0, min_path_probability: 0.8 }
    }
}

/// How the log probabilities of lattice and strip add up to the score of a reading. The strip's weight is 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CombinationParams {
    /// Weight of the lattice in a comb, whose printed cells show where a digit ends. Chosen empirically, set not recorded.
    /// Raising it trusts the printed cells more.
    pub lattice_weight_comb: f64,
    /// Weight of the lattice in a box, where cuts mislead it more often than the strip is misled. Chosen on the cheque
    /// amounts of the `car` set: 463 of 560 are read right with 0.3, 465 with 0.7. Raising it trusts the cuts more, and a
    /// wrong cut misleads more often.
    pub lattice_weight_box: f64,
    /// Lower bound of what the lattice contributes, log probability: it does not consider every text. Chosen on `car`, where
    /// all from -9 to -3 are within 2 of 560 of the best. Raising it lets the lattice reject less; lowering it lets the
    /// lattice exclude what the strip reads.
    pub min_lattice_log: f64,
    /// Lower bound of what the strip contributes, log probability. Set not recorded. Raising it lets the strip reject less;
    /// lowering it lets the strip exclude what the lattice reads.
    pub min_strip_log: f64,
}

impl Default for CombinationParams {
    fn default() -> Self {
        Self { lattice_weight_comb: 1.0, lattice_weight_box: 0.7, min_lattice_log: -5.0, min_strip_log: -18.0 }
    }
}

/// When a digit counts as struck out or overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DefectParams {
    /// From this probability on, 0 to 1, a defect is the reason of a field that is not accepted. Set not recorded. Raising it
    /// gives other reasons.
    pub min_probability: f32,
    /// From this probability on, 0 to 1, it also blocks a reading that would be accepted. Chosen on 65 drawn fields with
    /// defects, of which 0.75 and 0.78 let the same 8 pass and 0.82 one more, and on `mtc`, where 0.75 blocks two right readings
    /// and 0.78 one. Raising it lets more struck-out digits pass; lowering it blocks more right readings.
    pub blocking_probability: f32,
    /// The largest disc of ink in a blot is at least this wide, in the height or width of the blot, whichever is larger. Of 60,000
    /// digits of MNIST five have so wide a disc; a stroke is 0.15 wide. Chosen on drawn blots, which have 0.6 and more, and on the
    /// digits of `wfp`, `car` and `cobecore`. Raising it takes more blots for a 0 or an 8.
    pub min_blot_diameter: f64,
}

impl Default for DefectParams {
    fn default() -> Self {
        Self { min_probability: 0.5, blocking_probability: 0.78, min_blot_diameter: 0.55 }
    }
}

/// When ink beside the digits of a box is more than dust, and when it is a slash or a space between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct UnexplainedParams {
    /// Ink of a smaller area is dust, squares of the stroke width. Raising it overlooks fine points.
    pub min_area: f32,
    /// Two points of a smaller area are no colon, squares of the stroke width. Lowering it takes pairs of specks for colons.
    pub min_colon_area: f32,
    /// Areas of the two points of a colon: the larger one is at most this many times the smaller one.
    pub max_colon_ratio: f32,
    /// Distance of their middles, in heights of a digit: smallest and largest.
    pub colon_span: (f32, f32),
    /// Ink whose middle is higher or lower is no sign: 0 at the digits' tops, 1 at their feet. A wider range takes remnants of
    /// printed lines for signs.
    pub min_level: f32,
    /// The same below.
    pub max_level: f32,
    /// A dash whose middle is higher is the bar of a 5 or a 7.
    pub min_dash_level: f32,
    /// A point that is joined with a digit is at least this low. Lowering it takes pieces of broken digits for points.
    pub min_joined_level: f32,
    /// A point that is higher is an apostrophe.
    pub max_apostrophe_level: f32,
    /// A dash is at least this wide, in its own height.
    pub min_dash_aspect: f32,
    /// A point is at most this wide and high, in heights of a digit.
    pub max_point_side: f32,
    /// A slash is at least this high, in the median height of the other digits. Raising it takes more slashes for a 1.
    pub min_slash_height: f32,
    /// From this height on, likewise, it is a slash even if another 1 of the field leans as much.
    pub min_lone_slash_height: f32,
    /// A slash leans at least this much, pixels sideways for each pixel up. Raising it takes more slashes for a 1.
    pub min_slash_lean: f32,
    /// A slash leans at least this much more than the mean of the other digits. Raising it takes more slashes for a 1.
    pub min_slash_lean_more: f32,
    /// A slash is straight to within this share of its height.
    pub max_slash_bend: f32,
    /// Each row of a slash is at most this wide, in its height.
    pub max_slash_width: f32,
    /// A gap between two numbers is at least this wide, in heights of a digit. Raising it joins more numbers.
    pub min_gap: f32,
    /// It is at least this many times as wide as the next widest gap and `gap_offset` together. Raising it joins more numbers.
    pub min_gap_ratio: f32,
    /// Added to the next widest gap, in heights of a digit.
    pub gap_offset: f32,
    /// The one gap of two digits is two numbers' from this width on, in heights of a digit. Raising it joins more numbers.
    pub min_lone_gap: f32,
    /// The same as `min_gap` before the decimals of an amount with a written point, where none is seen. Chosen, as the next, on drawn
    /// `us-1040` returns. Lowering it takes the gaps of
    /// whole amounts for lost points.
    pub min_point_gap: f32,
    /// The same as `min_gap_ratio` there.
    pub min_point_gap_ratio: f32,
    /// From this probability on, 0 to 1, two strokes that are read as 11 are ditto marks. Raising it takes more of them for
    /// 11; lowering it sends more fields with 11 to review.
    pub min_ditto: f32,
    /// Ditto marks are at most this high, in the height of the box. Raising it sends more fields with 11 to review.
    pub max_ditto_height: f32,
}

impl Default for UnexplainedParams {
    fn default() -> Self {
        Self {
            min_area: 0.6,
            min_colon_area: 0.15,
            max_colon_ratio: 2.5,
            colon_span: (0.2, 0.8),
            min_level: 0.05,
            max_level: 1.3,
            min_dash_level: 0.2,
            min_joined_level: 0.75,
            max_apostrophe_level: 0.3,
            min_dash_aspect: 1.5,
            max_point_side: 0.45,
            min_slash_height: 1.12,
            min_lone_slash_height: 1.2,
            min_slash_lean: 0.22,
            min_slash_lean_more: 0.08,
            max_slash_bend: 0.06,
            max_slash_width: 0.3,
            min_gap: 0.6,
            min_gap_ratio: 2.0,
            gap_offset: 0.1,
            min_lone_gap: 1.2,
            min_point_gap: 0.35,
            min_point_gap_ratio: 1.5,
            min_ditto: 0.5,
            max_ditto_height: 0.45,
        }
    }
}

/// When a box is marked, and when it is filled, by the share of its inside that ink covers.
///
/// The bounds lie between what was measured on the `mtc` set, boxes of 2 mm that people crossed, on scans and photos of a
/// form: 190 empty ones without any ink inside, and 138 crossed ones of which ink covers 32 to 71 %, and at most 25 % of
/// the ninth with least ink. Half the resolution and a coarse JPEG bring them to 7 to 77 % and to 34 %. Nobody had filled
/// one: filled boxes were drawn. The confidence was not calibrated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MarkParams {
    /// Less coverage is a speck or a stray stroke, more is a mark. Raising it misses small and thin marks; lowering it
    /// takes specks for marks.
    pub marked_share: f64,
    /// Slope of the confidence of a mark, for each factor e in the coverage. Raising it is surer near `marked_share`.
    pub marked_slope: f64,
    /// A box is filled where the ninth with least ink has more coverage than this. Raising it reads a filled box as a mark.
    pub filled_share: f64,
    /// Slope of the confidence of a filled box, for a coverage of 1. Raising it is surer near `filled_share`.
    pub filled_slope: f64,
    /// The darkness of the ninth of a box with the least ink, as a share of what covers the box, from which a mark may have been
    /// scribbled over: drawn crosses have 0.15 and less, thick ones in boxes of 2.4 mm up to 0.4, scribbles 0.5 and more. Raising it accepts more scribbles as marks.
    pub even_share: f64,
    /// Slope of the confidence for that share. Raising it is surer near `even_share`.
    pub even_slope: f64,
    /// A box filled in haste may have an empty ninth if the whole is covered by this much more than `filled_share`. Raising
    /// it reads such boxes as marks.
    pub hasty_fill_allowance: f64,
    /// A marked box with ink beyond this many of its sides may have been taken back: a ring around it, a line through it.
    /// Raising it accepts more of them.
    pub n_stray_sides: usize,
    /// A filled box with this share of ink just outside of its frame may be a thick cross. Raising it takes more crosses for
    /// filled boxes.
    pub max_filled_rim: f64,
}

impl Default for MarkParams {
    fn default() -> Self {
        Self {
            marked_share: 0.04,
            marked_slope: 6.0,
            filled_share: 0.7,
            filled_slope: 25.0,
            even_share: 0.46,
            even_slope: 60.0,
            hasty_fill_allowance: 0.2,
            n_stray_sides: 2,
            max_filled_rim: 0.15,
        }
    }
}

/// How rules choose among readings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RuleParams {
    /// Share of the rules that a writer breaks. Of the 24 sums on the tally sheets of the `c1` set one does not hold, and one
    /// is undecided. Raising it lets rules change less.
    pub broken_share: f64,
    /// Chance that a wrong value satisfies an equality: a wrong digit is one of some tens that are as likely. An estimate, not
    /// measured. Raising it makes a sum that holds count for less.
    pub chance_of_equality: f64,
    /// Chance that a wrong value satisfies an inequality, which has two outcomes. An estimate, not measured. Raising it
    /// makes an inequality that holds count for less.
    pub chance_of_order: f64,
    /// Chance that a wrong value passes the check of its own field: of the ten values of a check digit nine are wrong. An
    /// estimate, not measured. Raising it makes a check digit count for less.
    pub chance_of_check: f64,
    /// Share of the wrong best readings whose right reading is not among the alternatives. Set not recorded. Raising it
    /// lets rules change less.
    pub unlisted_share: f64,
    /// Share of the wrong readings, of the least confident, that are no writing at all: specks, folds, a stroke from the
    /// field above. It falls with the confidence, in proportion. Chosen on drawn tax returns, where it leaves 47 fields for
    /// review in place of 83. Raising it takes doubtful ink for dirt.
    pub nothing_share: f64,
    /// Exponent of the alternatives' shares where they divide what the best reading leaves: the shares are too confident. It
    /// is the slope of the log odds in the confidence model. Raising it makes the lesser alternatives less likely.
    pub share_exponent: f64,
    /// Combinations that are less likely than the best one by this much, natural logarithm, are not tried. Set not recorded.
    /// Raising it costs time.
    pub search_margin_log: f64,
    /// Readings tried for each group of fields that rules connect. Past it no rule changes a reading or raises a confidence:
    /// rules only check the best readings. Set not recorded. Raising it costs time.
    pub max_tried: usize,
}

impl Default for RuleParams {
    fn default() -> Self {
        Self {
            broken_share: 0.05,
            chance_of_equality: 1.0 / 40.0,
            chance_of_order: 0.5,
            chance_of_check: 0.1,
            unlisted_share: 0.15,
            nothing_share: 0.3,
            share_exponent: 0.53,
            search_margin_log: 9.0,
            max_tried: 20_000,
        }
    }
}

/// Which fields and glyphs a recogniser refines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RefineParams {
    /// A field accepted at this confidence is settled. Chosen of 0.98 and 0.995 on `hsf`, `c1`, `mtc`, `wfp` and drawn decks,
    /// where it keeps what is right and wrong. Raising it refines more fields and costs time.
    pub settled_confidence: f64,
    /// A glyph is contested where it lies on a path that is worse than the best one by at most this, log score. Chosen by
    /// trial, set not recorded. Raising it refines more glyphs and costs time.
    pub margin_log: f32,
}

impl Default for RefineParams {
    fn default() -> Self {
        Self { settled_confidence: 0.98, margin_log: 5.0 }
    }
}
