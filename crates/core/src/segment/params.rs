//! The parameters of segmentation: every number that was chosen by measurement, in November 2026.
//!
//! Each has its unit, the pages it was chosen on and what raising it costs. Lengths in pixels are those of the rectified crop
//! (10 pixels a millimetre).
//! "Forms" means the pages of `hsf`, `c1` and `mtc`, and drawn forms; the lab notebook does not say which of them decided.
//! A change of any of them is a change of readings.

use std::ops::RangeInclusive;

/// The parameters in use.
pub(super) const PARAMS: SegmentParams = SegmentParams {
    field: FieldParams {
        min_component_px: 10,
        min_inside_share: 0.5,
        min_digit_height: 0.25,
        remnant_reach_mm: 0.6,
        min_remnant_share: 0.85,
        min_stroke_px: 15.0,
        min_pen_px: 2.5,
        max_stroke_share: 0.95,
        min_letter_share: 0.85,
        print_margin_mm: 0.4,
        point_reach_mm: 0.4,
    },
    stray: StrayParams {
        min_line_px: 15.0,
        max_line_bend_px: 3.0,
        max_line_width_px: 9.0,
        min_line_rows: 0.9,
        max_slope_apart: 0.06,
        line_reach_mm: 1.5,
        min_line_gap: 0.8,
        max_share_elsewhere: 0.3,
        min_on_line: 0.6,
        digit_height: (0.45, 1.6),
        min_cut_height: 0.3,
        min_crossing_share: 0.15,
        max_share_outside: 0.28,
        min_cut_height_after_crossing: 0.1,
        overflow_reach: 1.2,
        max_fill: 0.72,
        max_solid_width: 0.45,
    },
    outside: OutsideParams {
        ink: InkParams { min_contrast: 0.15, strong: 0.5, weak: 0.3, min_dark_px: 12 },
        min_scrap_px: 8,
        print_margin_mm: 1.0,
        margin_mm: 3.0,
        reach: 1.0,
        reach_mm: (3.0, 12.0),
        height: (0.3, 1.6),
        min_height_mm: 2.0,
        min_written_fields: 3,
        min_share_of_writing: 0.55,
        max_aspect: 6.0,
        touching_mm: 0.4,
        next_digit: 0.7,
        min_explained_share: 0.5,
        max_cell: 2.5,
        min_cell_side: 0.8,
        min_letters: 4,
        n_more_letters: 2,
        letter_gap: 1.5,
        min_letter: 0.4,
        base_line: 0.1,
        min_on_base: 0.7,
        max_low_letter: 0.85,
        min_low_letters: 0.4,
        same_place_mm: 0.6,
        max_unlike: 0.25,
        min_side_mm: 1.5,
        min_area_mm2: 0.4,
        min_streak_mm: 25.0,
        max_streak_width_mm: 2.0,
        min_streak_aspect: 3.0,
        hole_margin_mm: 18.0,
    },
    ink: InkParams { min_contrast: 0.15, strong: 0.5, weak: 0.3, min_dark_px: 30 },
    faint: FaintParams {
        ink: InkParams { min_contrast: 0.04, strong: 0.5, weak: 0.35, min_dark_px: 60 },
        min_stroke_height: 0.3,
        max_stroke_width_px: 12.0,
        min_stroke_share: 0.6,
        max_share_around: 0.35,
        smooth_px: 2,
        min_smooth_px: 100,
        min_smooth_stroke_px: 4.5,
        smooth_ink: InkParams { min_contrast: 0.025, strong: 0.5, weak: 0.35, min_dark_px: 60 },
    },
    ground: GroundParams { closing_blocks: 3, min_ground_share: 0.55, noise_deviations: 3.0, max_noise: 0.35 },
    dropout: DropoutParams {
        search_px: 6,
        piece_px: 24,
        min_clean_columns: 3,
        min_darkness: 38,
        min_seen_share: 0.25,
        stroke_darkness: 2.5,
        whole_share: 0.85,
        thickness_quantile: 0.3,
        max_bend_px: 2.5,
        max_thickness_px: 16,
        stroke_excess_px: 3,
        max_lean_px: 12,
        min_surplus_px: 1.0,
        surplus_deviations: 5.0,
        point_px: 3..=9,
    },
    comb: CombParams {
        min_reach: 0.3,
        min_share: 0.25,
        cut_range: 0.25,
        min_extent_px: 12.0,
        min_extent: 0.15,
        max_dirt_share: 0.08,
        min_dirt_gap_px: 10,
    },
    seam: SeamParams { sideways_cost: 0.15, min_ink: 0.3 },
    free: FreeParams {
        max_cut_cost: 5.5,
        span_cost: 5.0,
        cut_spacing: 0.22,
        max_width: 1.4,
        max_gap: 0.35,
        cut_log_prior: -0.5,
        cut_log_prior_per_cost: -0.3,
        gap_log_prior: -0.4,
        width_log_prior: -0.2,
        join_log_prior: -1.5,
        small_log_prior: -1.0,
        min_width_per_cut: 0.3,
        min_whole_height: 0.6,
        max_mark_height: 0.5,
        max_dot_side: 0.3,
        narrow_window_px: 2,
        max_dash_strokes: 2.5,
        min_stack_overlap: 0.7,
        max_stack_width: 1.3,
        max_point_side: 0.2,
        foot_share: 0.35,
        min_dash_aspect: 1.5,
        dot_log_prior: -0.1,
        dash_log_prior: -0.5,
        other_mark_log_prior: -1.5,
    },
    mark: MarkParams {
        inset: 0.2,
        fill_inset: 0.12,
        min_dark_share: 0.025,
        edge: 0.5,
        outside: (0.3, 1.2),
        min_outside_share: 0.04,
        min_outside_px: 8,
        rim: (0.1, 0.25),
        min_faint_side_mm: 2.5,
        max_letter_share: 0.45,
    },
    sign: SignParams {
        min_digit_height: 0.6,
        max_dash_height: 0.42,
        dash_width: 0.18..=1.4,
        min_dash_aspect: 1.6,
        max_dash_wave: 0.2,
        dash_level: 0.22..=0.82,
        max_overlap: 0.1,
        min_arc_height: 0.75,
        min_arc_rows: 0.9,
        max_arc_stroke: 0.3,
        min_pair_bulge: 0.06,
        min_single_bulge: 0.14,
        max_point_sides: (0.4, 0.5),
        min_point_level: 0.55,
        max_point_reach: 0.6,
        min_point_area: 0.8,
        min_point_thickness: 0.8,
        max_point_overlap: 0.3,
    },
};

/// All parameters, by the file that uses them.
pub(super) struct SegmentParams {
    pub field: FieldParams,
    pub stray: StrayParams,
    pub outside: OutsideParams,
    pub ink: InkParams,
    pub faint: FaintParams,
    pub ground: GroundParams,
    pub dropout: DropoutParams,
    pub comb: CombParams,
    pub seam: SeamParams,
    pub free: FreeParams,
    pub mark: MarkParams,
    pub sign: SignParams,
}

/// Which ink belongs to a field. Chosen on forms.
pub(super) struct FieldParams {
    /// Smallest connected component that is ink, pixels: 0.1 mm2. Raising it loses dots and fragments of faint strokes.
    pub min_component_px: usize,
    /// Share of a component's ink that must lie inside the frame. Raising it loses strokes that overshoot the frame.
    pub min_inside_share: f64,
    /// Height of the smallest digit, as a share of its frame's height. Raising it keeps small digits small; lowering it
    /// enlarges a field of dashes alone to the size of digits.
    pub min_digit_height: f32,
    /// How far from a printed line its remnants lie, millimetres. Raising it loses strokes along the frame.
    pub remnant_reach_mm: f64,
    /// Share of a component's ink that must lie that near. Raising it keeps more of the frame as ink.
    pub min_remnant_share: f64,
    /// But a part of this length, pixels, is a stroke where it is as thick as a pen's. Raising it loses short strokes along frames.
    pub min_stroke_px: f64,
    /// Its mean thickness, pixels. Raising it loses thin strokes along the frame; lowering it takes slivers of lines for ink.
    pub min_pen_px: f64,
    /// Its largest length, as a share of the line's. Raising it takes the second of two printed lines for ink.
    pub max_stroke_share: f64,
    /// Share of a component's ink within a letter that is printed in a cell to be that letter. Raising it takes letters for writing.
    pub min_letter_share: f64,
    /// How far printed marks and words reach past their measured bounds, millimetres. Raising it wipes writing beside them.
    pub print_margin_mm: f64,
    /// How far outside of its field the middle of a decimal point on the frame may be, millimetres. Chosen on drawn `us-1040`
    /// returns. Raising it takes points of the row below.
    pub point_reach_mm: f64,
}

/// Ink around a field that is not its number. Chosen on drawn pages with streaks, and numbers beside their boxes, in
/// November 2026; `hsf`, `c1`, `mtc` and drawn decks were checked.
pub(super) struct StrayParams {
    /// A line has ink in at least this many rows, pixels. Raising it takes short lines for a 1.
    pub min_line_px: f32,
    /// A line is straight to within this, pixels. Raising it takes a straight 1 that leaves its field for a line.
    pub max_line_bend_px: f32,
    /// A line is at most this wide, pixels. Raising it does the same.
    pub max_line_width_px: f32,
    /// Share of the rows of a line that must be straight and thin, 0 to 1.
    pub min_line_rows: f32,
    /// Slopes of two pieces of a line differ by at most this, pixels for each pixel.
    pub max_slope_apart: f32,
    /// A line leaves its field by at least this, millimetres. Raising it overlooks lines.
    pub line_reach_mm: f64,
    /// An upright line so far from the rest of a strip, in heights of a digit, is of a rule. Chosen on `wfp`. Lowering it takes 1s.
    pub min_line_gap: f32,
    /// Ink of which at least this share is in another field is of that field, 0 to 1.
    pub max_share_elsewhere: f64,
    /// A digit beside a field has at least this share of its height on the field's line, 0 to 1.
    pub min_on_line: f32,
    /// Its height, in heights of a digit: lowest and highest.
    pub digit_height: (f32, f32),
    /// Lowest height of a digit that the edge of the crop cuts off, likewise. Lowering it takes specks for digits.
    pub min_cut_height: f32,
    /// A digit of which this share is beyond the frame crosses it. Raising it overlooks digits that follow.
    pub min_crossing_share: f32,
    /// Largest share of a digit beyond the side of the frame, 0 to 1: what follows it may be farther away than is seen. Chosen on
    /// drawn numbers that run out of their boxes. Raising it overlooks digits that follow.
    pub max_share_outside: f32,
    /// Behind a digit that crosses the frame: lowest height of ink that the edge of the crop cuts off, in heights of a digit.
    pub min_cut_height_after_crossing: f32,
    /// It continues the number where it is nearer than this, in heights of a digit. Raising it sends more fields to review.
    pub overflow_reach: f32,
    /// Share of its bounds from which ink beside a field is a solid area and no digit, 0 to 1.
    pub max_fill: f32,
    /// A solid area is wider than this, in its height; a 1 is narrower.
    pub max_solid_width: f32,
}

/// Writing beside the fields: around blank ones, and anywhere on a form that declares all its print. Chosen on pages with
/// numbers between their boxes; that ordinary pages have none was checked on `fixtures/scans`, `hsf`, `c1`, `mtc` and drawn
/// decks.
pub(super) struct OutsideParams {
    /// As for other ink, in pixels of a fifth of a millimetre.
    pub ink: InkParams,
    /// Smallest connected component that is seen, pixels of a fifth of a millimetre. Raising it saves time and loses letters.
    pub min_scrap_px: usize,
    /// How far print reaches past its declared bounds, with the bend of the paper, millimetres. Raising it overlooks writing
    /// beside print.
    pub print_margin_mm: f64,
    /// What is seen around the area that is searched, millimetres, to see ink as a whole. Raising it costs time.
    pub margin_mm: f64,
    /// How far above or below its frame ink may belong to a field, in heights of the frame. Raising it sends more to review.
    pub reach: f64,
    /// Bounds of this distance, millimetres.
    pub reach_mm: (f64, f64),
    /// Height of writing: the lowest in heights of the frame, the highest in heights of the frame or of the page's digits. A
    /// wider range takes captions and pictures for writing.
    pub height: (f64, f64),
    /// Lowest height of writing, millimetres. Lowering it takes captions for writing.
    pub min_height_mm: f64,
    /// Number of written fields that it takes to know the height of the page's digits.
    pub min_written_fields: usize,
    /// Lowest height of writing, in heights of digits. Raising it overlooks small notes.
    pub min_share_of_writing: f64,
    /// Largest width of connected ink, in its height. Raising it takes rules for writing.
    pub max_aspect: f64,
    /// Ink this near to a printed side touches it, millimetres: it is no print.
    pub touching_mm: f64,
    /// A digit beside a field continues its number where it is nearer than this, in heights of a digit. Chosen on drawn hostile pages
    /// (seed 31), of 0.7 and 1.2. Raising it takes numbers of other fields.
    pub next_digit: f64,
    /// Ink of which this share is in a free area or in print is explained, 0 to 1.
    pub min_explained_share: f64,
    /// A cell above or below a field is at most this high, in heights of its frame. Raising it takes gaps of tables for cells.
    pub max_cell: f64,
    /// Share of a cell's height that its printed left and right sides cover, 0 to 1.
    pub min_cell_side: f64,
    /// Number of letters from which a line may be text.
    pub min_letters: usize,
    /// Letters of a line, beyond the digits that the field may have, above which it is text.
    pub n_more_letters: usize,
    /// Widest gap between letters of a line, in the height of the ink. Raising it joins words.
    pub letter_gap: f64,
    /// Lowest letter, likewise.
    pub min_letter: f64,
    /// Letters whose feet are within this of each other are on one base line, in the height of the highest.
    pub base_line: f64,
    /// Share of a text's letters on its base line, 0 to 1. Raising it takes text for writing.
    pub min_on_base: f64,
    /// Low letters are at most this high, in the height of the highest: a number has none.
    pub max_low_letter: f64,
    /// Share of a text's letters that are low, 0 to 1. Raising it takes text for writing.
    pub min_low_letters: f64,
    /// What most written fields have at the same height, to within this, is print, millimetres. Raising it takes writing for
    /// print.
    pub same_place_mm: f64,
    /// How much the heights of what is compared may differ, as a share.
    pub max_unlike: f64,
    /// Where all print is declared: ink smaller than this is dust, millimetres. Raising it overlooks small signs.
    pub min_side_mm: f64,
    /// The same as an area, square millimetres.
    pub min_area_mm2: f64,
    /// Where all print is declared: a thin stroke at least this long is a fold or a streak, millimetres.
    pub min_streak_mm: f64,
    /// A thin stroke is at most this wide, millimetres. Such strokes alone beside a field are no writing: raising it takes a 1
    /// or a 7 for a streak.
    pub max_streak_width_mm: f64,
    /// A thin stroke is at least this long, in its width.
    pub min_streak_aspect: f64,
    /// Solid ink this near to the page's edge is a hole in the paper, millimetres. Raising it overlooks blots.
    pub hole_margin_mm: f64,
}

/// Pencil that is so pale that it looks like a watermark: searched for only where there is no other ink. Chosen on drawn
/// pencil of 12 to 45 grey levels, in November 2026.
pub(super) struct FaintParams {
    /// As for other ink.
    pub ink: InkParams,
    /// A stroke is at least this high, in heights of the frame. Lowering it takes texture for writing.
    pub min_stroke_height: f64,
    /// Strokes are at most this wide, pixels; watermarks are wider. Raising it takes watermarks for writing.
    pub max_stroke_width_px: f32,
    /// Strokes are at least this share of the pale ink, 0 to 1. Raising it loses pencil that is broken into specks.
    pub min_stroke_share: f64,
    /// The pale ink around the field is at most this share of that in it. Raising it takes texture for writing.
    pub max_share_around: f64,
    /// Half the side of the square over which noise is averaged in search of strokes that it hides, pixels. Raising it loses
    /// thin strokes.
    pub smooth_px: u32,
    /// A connected component of fewer pixels is noise, after that: 1 mm2. Raising it loses broken strokes.
    pub min_smooth_px: usize,
    /// Strokes are at least this wide, after that, pixels; what noise leaves is full of holes and narrower. Chosen on degraded decks,
    /// whose blank fields have 2 to 4. Raising it loses thin strokes.
    pub min_smooth_stroke_px: f32,
    /// As for other ink, after that.
    pub smooth_ink: InkParams,
}

/// What separates ink from paper. Chosen on forms: watermarks have a contrast of 0.1, a hard pencil on white paper has 0.25.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct InkParams {
    /// Lowest darkness of a pen's strokes against the paper around them, 0 to 1. Raising it loses faint pencil; lowering it
    /// reads watermarks.
    pub min_contrast: f32,
    /// Share of the strokes' darkness at which a pixel is surely ink. Raising it loses thin strokes.
    pub strong: f32,
    /// Share of the strokes' darkness at which a pixel is ink if it is connected to one that surely is. Raising it breaks
    /// pale strokes.
    pub weak: f32,
    /// Number of dark pixels that it takes to measure a pen's darkness: 0.3 mm2, a dash. Raising it loses short strokes,
    /// lowering it reads specks.
    pub min_dark_px: usize,
}

/// How the ground and its noise are measured. Chosen on forms; the bound on noise on `car`.
pub(super) struct GroundParams {
    /// Half the side of the closing's square, blocks of 4 pixels: strokes and lines up to about 2.8 mm wide are ink. Raising
    /// it lets shading through.
    pub closing_blocks: usize,
    /// The ground is nowhere darker than this share of the crop's light ground, so that a solid area of ink is no ground.
    /// Raising it turns deep shadow into ink; lowering it turns a solid area of ink into ground.
    pub min_ground_share: f32,
    /// Standard deviations of the paper's noise by which ink must be darker. Raising it loses faint strokes on rough paper.
    pub noise_deviations: f32,
    /// Noise is never more than this, 0 to 1: from this contrast on it is ink on the noisiest paper. The pattern printed on a
    /// cheque has as wide a spread as noise: without the bound, 4 of 560 amounts of `car`, on hatched ground, were taken for
    /// blank. Raising it loses strokes on patterned paper; lowering it takes printed texture for ink.
    pub max_noise: f32,
}

/// How printed lines are removed. Chosen on forms.
pub(super) struct DropoutParams {
    /// How far from its expected place a line is searched, pixels: 0.6 mm. Raising it finds strokes in place of lines.
    pub search_px: i32,
    /// Length of the pieces in which a line's course is measured, pixels. Raising it follows bent paper less well.
    pub piece_px: i32,
    /// Columns of a piece that must show the line alone. Raising it loses pieces under dense writing.
    pub min_clean_columns: usize,
    /// Darkness from which a pixel may belong to a line, of 255: 0.15 of the ground. Raising it leaves pale lines.
    pub min_darkness: u8,
    /// Share of a line's columns that must show it alone, or it is not there: scanned hairlines are dotted. Raising it
    /// leaves dotted lines as ink.
    pub min_seen_share: f64,
    /// What is this many times as dark as the palest side of a field, where another side should be, and not whole, is a stroke.
    /// Chosen of 2 and 2.5 on `c1` and drawn `us-1040` returns. Raising it takes bare ones for the side of a pale box.
    pub stroke_darkness: f64,
    /// Share of its length from which a line is whole. By design. Raising it leaves lines with gaps.
    pub whole_share: f64,
    /// Quantile of the dark runs across a line that is its thickness: longer runs belong to strokes. Raising it wipes more
    /// of the strokes.
    pub thickness_quantile: f64,
    /// How far a piece may lie off the straight line through all pieces, pixels: paper bends. Raising it follows strokes.
    pub max_bend_px: f64,
    /// Thickest line that is removed, pixels: 1.6 mm. Raising it removes thick strokes and bars that somebody wrote.
    pub max_thickness_px: i32,
    /// How far a stroke must reach out of a line, pixels; less is the print's roughness. Raising it wipes short strokes that
    /// cross a line.
    pub stroke_excess_px: i32,
    /// How far a stroke may run along a line before it leaves it, pixels: 1.2 mm. Raising it keeps pieces of
    /// the line.
    pub max_lean_px: usize,
    /// A column with this much more ink than the line alone is written on, pixels as dark as the line. Chosen, as the next two, on
    /// drawn `us-1040` returns. Raising it loses small points.
    pub min_surplus_px: f64,
    /// The same in standard deviations of the line's own ink. Raising it loses points on rough lines.
    pub surplus_deviations: f64,
    /// Length of such a piece of a line that may be a point, pixels. Raising it leaves pieces of the line.
    pub point_px: RangeInclusive<i32>,
}

/// How ink is given to the cells of a comb. Chosen on forms.
pub(super) struct CombParams {
    /// Share of a cell's width by which ink must reach into it to be more than a stray stroke. Raising it cuts fewer
    /// touching digits, and loses narrow digits near the edge.
    pub min_reach: f64,
    /// Share of a part's ink that must lie in a cell for the part to be cut there. Raising it cuts fewer touching digits: each
    /// goes as a whole to one cell.
    pub min_share: f64,
    /// Share of a cell's width around a boundary in which a cut is searched. Raising it cuts into digits.
    pub cut_range: f64,
    /// Smallest extent of what is written in a cell, pixels: 1.2 mm. The smaller of this and `min_extent` applies. Raising it
    /// turns small digits into blanks.
    pub min_extent_px: f64,
    /// The same as a share of the cell's longer side, with the same cost.
    pub min_extent: f64,
    /// A part with less than this share of the area of the largest one of its cell, and far from it, is dirt. Raising it
    /// loses broken strokes.
    pub max_dirt_share: f64,
    /// Dirt is further than this from the largest part, pixels. Raising it keeps dirt as ink.
    pub min_dirt_gap_px: i32,
}

/// Where a seam goes. Set not recorded.
pub(super) struct SeamParams {
    /// Cost of a step sideways, pixels of full ink: a cut is straight where bending gains nothing. Raising it cuts slanted
    /// digits through their strokes.
    pub sideways_cost: f32,
    /// Share of full ink from which a seam goes through a stroke, 0 to 1. Raising it makes loops look like joints.
    pub min_ink: f32,
}

/// How a box's ink is cut. Lengths are shares of the digits' height, amounts of ink are in stroke widths. Chosen on `car`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FreeParams {
    /// Most expensive cut: the ink it goes through and `span_cost`. Raising it finds more joints and enlarges the lattice.
    pub max_cut_cost: f32,
    /// Cost of a cut from the digits' top to their foot: it opens a loop and is no joint. Raising it cuts fewer loops,
    /// and loses joints of digits that touch twice.
    pub span_cost: f32,
    /// Smallest distance of a cut from the end of its part; two cuts may be half as far apart. Raising it loses narrow digits.
    pub cut_spacing: f32,
    /// Widest digit. Raising it enlarges the lattice.
    pub max_width: f32,
    /// Widest gap inside a digit. Raising it joins neighbours and enlarges the lattice; lowering it loses broken digits.
    pub max_gap: f32,
    /// Log prior of a cut. Raising it prefers cuts.
    pub cut_log_prior: f32,
    /// Log prior for each unit of a cut's cost. Raising it prefers expensive cuts.
    pub cut_log_prior_per_cost: f32,
    /// Log prior of a gap of a tenth of the height inside a digit. Raising it joins broken digits, and neighbours, more
    /// easily.
    pub gap_log_prior: f32,
    /// Log prior of a digit a tenth of the height wider than high. Raising it allows wide digits.
    pub width_log_prior: f32,
    /// Log prior of joining two parts each as high as a digit. Raising it joins neighbours more easily.
    pub join_log_prior: f32,
    /// Log prior of a digit a tenth of the height smaller than `max_mark_height`. Raising it takes specks for digits.
    pub small_log_prior: f32,
    /// Smallest width of a part for each cut in it: half of what a digit is wide. Raising it cuts long chains less often.
    pub min_width_per_cut: f32,
    /// A part at least this high is a whole digit or more. Raising it joins neighbours more easily.
    pub min_whole_height: f32,
    /// A part lower than this may be a dot, a comma or a dash. Raising it lets small digits be skipped.
    pub max_mark_height: f32,
    /// A part no larger than this in both directions is most likely a dot. Raising it skips small digits.
    pub max_dot_side: f32,
    /// Half the width of the narrow windows in which joints are searched, pixels. Raising it misses the joint of two bows.
    pub narrow_window_px: i32,
    /// A part lower than this many stroke widths is a dash and is not cut. Raising it leaves low touching
    /// digits uncut.
    pub max_dash_strokes: f32,
    /// Share of a part's width that must lie over another part for both to be strokes of one digit. Raising it leaves the
    /// strokes of slanted digits apart.
    pub min_stack_overlap: f32,
    /// Widest digit made of strokes above each other. Raising it joins neighbours that overlap.
    pub max_stack_width: f32,
    /// Two parts above each other that are both at most this wide and high are two points and not joined: a colon. Chosen on
    /// numbers drawn with colons. Raising it breaks digits that are in small pieces.
    pub max_point_side: f32,
    /// A small part in this share of the height above the foot may be a dot or a comma, and is not joined. Raising it leaves
    /// low strokes of digits apart.
    pub foot_share: f32,
    /// A low part at least so many times as wide as high is a dash. Raising it takes dashes for other marks.
    pub min_dash_aspect: f32,
    /// Log prior that a dot is no digit. Raising it skips more dots.
    pub dot_log_prior: f32,
    /// Log prior that a dash is no digit. Raising it skips more dashes, and flat 1s.
    pub dash_log_prior: f32,
    /// Log prior that another low part is no digit. Raising it skips small digits.
    pub other_mark_log_prior: f32,
}

/// How a box to be marked is measured. Chosen on the tick boxes of `mtc`.
pub(super) struct MarkParams {
    /// How far inside its printed frame a box is measured, as a share of its shorter side: neither the frame nor the grey
    /// of its edges is a mark. Raising it misses marks at the border.
    pub inset: f64,
    /// The same where the question is whether the box is filled: the middle of a small box is all ink under a thick cross.
    /// Raising it takes thick crosses for a filled box.
    pub fill_inset: f64,
    /// Share of the inside that must be as dark as a pen for there to be ink. Raising it misses small ticks.
    pub min_dark_share: f64,
    /// Share of a stroke's darkness at which it ends: in a small box the grey of its edges would be much. Raising it makes
    /// marks thinner.
    pub edge: f32,
    /// Where ink beside a box counts, from and to this distance from its frame, in sides of the box. A wider range takes
    /// other writing for marks.
    pub outside: (f64, f64),
    /// Share of the area beyond a side that ink must cover, 0 to 1. Raising it overlooks ticks beside a box.
    pub min_outside_share: f32,
    /// Number of dark pixels that it takes at least.
    pub min_outside_px: usize,
    /// The rim, from and to this distance from the frame, in sides of the box.
    pub rim: (f64, f64),
    /// In a box with a shorter side pale strokes are not searched for, millimetres: in a photo, the blur of the frame reaches the
    /// middle of the box. Chosen on `mtc`, whose boxes are 2 mm wide. Raising it takes pale ticks for blanks.
    pub min_faint_side_mm: f64,
    /// Share of a letter printed in a box that ink covers, from which it was filled over, 0 to 1; a bold letter covers 0.4 of its own
    /// bounds. Raising it thins filled boxes; lowering it takes bold letters for marks.
    pub max_letter_share: f32,
}

/// Shape and place of signs, in heights of a digit unless another unit is given. Chosen on drawn amounts (`fixtures/signs`).
pub(super) struct SignParams {
    /// A part at least this high is a digit or part of one. Raising it takes low digits for signs.
    pub min_digit_height: f32,
    /// Largest height of a dash. Chosen on drawn `us-1040` returns, where thick dashes of small amounts are 0.37 high. Raising it takes
    /// low digits for dashes.
    pub max_dash_height: f32,
    /// Width of a dash: smallest and largest. A wider range takes specks and rules for dashes.
    pub dash_width: RangeInclusive<f32>,
    /// Smallest width of a dash, in its own height. Raising it misses short dashes.
    pub min_dash_aspect: f32,
    /// How far the course of a dash that goes up and down may lie from a straight line in the mean, in its own thickness; beyond,
    /// it is a tilde. Chosen on numbers drawn with tildes. Raising it takes tildes for minus signs.
    pub max_dash_wave: f32,
    /// Where a dash's middle lies between the digits' heads (0) and feet (1): lower is an underline, higher an upper stroke. A
    /// wider range takes these for dashes.
    pub dash_level: RangeInclusive<f32>,
    /// How far a sign may reach over the digit beside it. Raising it takes strokes of digits for signs.
    pub max_overlap: f32,
    /// Smallest height of a parenthesis. Raising it misses small ones.
    pub min_arc_height: f32,
    /// Lowest share of a parenthesis' rows that have one run of ink. Raising it misses rough ones.
    pub min_arc_rows: f32,
    /// Largest width of such a run. Raising it takes digits for parentheses.
    pub max_arc_stroke: f32,
    /// Smallest distance of the middle of each parenthesis of a pair from the line between its ends, in its own height: a 1 is
    /// straighter. Raising it misses straight pairs; lowering it takes two 1s for parentheses.
    pub min_pair_bulge: f32,
    /// The same of one parenthesis that has no partner; it makes the field doubtful. Raising it misses half a pair.
    pub min_single_bulge: f32,
    /// Largest width and height of a point or comma. Raising them takes small digits for points.
    pub max_point_sides: (f32, f32),
    /// Smallest depth of a point's head between the digits' heads (0) and feet (1). Raising it misses high points.
    pub min_point_level: f32,
    /// How far behind the last digit a point may be. Raising it takes specks for points.
    pub max_point_reach: f32,
    /// Smallest area of a point, in squares of the strokes' width, in fields whose decimals are implied: there, smaller specks
    /// are more likely dust. Raising it misses small points.
    pub min_point_area: f32,
    /// Thickness of a point that lies on a printed line, in widths of a stroke. Lowering it takes what is left of the line for points.
    pub min_point_thickness: f32,
    /// Share of a point's width that may lie under or over a digit. Raising it takes strokes of digits for points.
    pub max_point_overlap: f32,
}
