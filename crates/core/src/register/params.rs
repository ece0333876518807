//! The parameters of registration: every number that was chosen by measurement, in November 2026.
//!
//! The doc of each one states what it is, what raising it costs, and the set it was chosen on where that was recorded. They
//! are part of a run's identity, which is why they serialise.

use serde::Serialize;

use super::print_params::{AnchorParams, PitchParams};

/// When a page is taken for a form, and when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RegisterParams {
    /// Lowest score (template's lines found, words and marks inked, page's lines explained; 0 to 1) at which a page is taken
    /// for a form. Chosen on 101 real and degraded pages of three forms, which scored 0.86 and more on their own template,
    /// and 72 trials of such pages on another form's template, which scored 0.59 and less. Raising it rejects worse pages;
    /// lowering it takes other forms for this one.
    pub min_score: f64,
    /// Score from which a flat fit is taken without a trial in perspective. Chosen on the same pages. Raising it costs time
    /// alone.
    pub sure_score: f64,
    /// Share of a form's words and marks that is inked, 0 to 1, below which its words may lead elsewhere than its lines. Half of
    /// them, not chosen on a set. Raising it costs time alone.
    pub min_printed: f64,
    /// Largest residual of the page's fit, millimetres. Chosen on the same pages. Raising it reads paper that is bent more,
    /// less surely.
    pub max_residual_mm: f64,
    /// Lowest share of the fields with printed frames whose frames must be found, with or without the tick boxes: pale copies lose
    /// these. Chosen on the same pages. Raising it rejects pale copies.
    pub min_fields_settled: f64,
    /// A page with a smaller share of ink than this is blank. Chosen on the same pages. Raising it rejects pale pages.
    pub min_ink_share: f64,
    /// A template is a rival of the best one only where its coarse score is at least this share of the best one's. On drawn
    /// and real pages other forms come to 0.4 to 0.55. Raising it saves time and may lose the right template.
    pub min_rival_share: f64,
    /// Number of families that are all searched for in full; of more, only this many with the best coarse scores are. Set not
    /// recorded. Raising it costs time alone.
    pub max_searched_families: usize,
    /// Score of an upright placement from which no other pose is searched. On ten drawn scans the right form came to 0.9 and
    /// more, another one to 0.54 and less. Raising it costs time alone.
    pub sure_upright_score: f64,
    /// Placements whose scores differ by less than this fit about equally well; then the page's details decide. Set not
    /// recorded. Raising it costs time, and rejects more pages as ambiguous.
    pub near_score_margin: f64,
    /// A page is mirrored where its mirror image scores higher than the page itself by this. Raising it reads mirrored pages of
    /// forms that look like their mirror image. The mirror images of 24 drawn pages scored 0.67 to 0.87 as they were and 0.98 and
    /// more mirrored; pages that were not mirrored scored lower mirrored than as they were.
    pub min_mirror_margin: f64,
    /// The lines and the ink of a page.
    pub evidence: EvidenceParams,
    /// Pages in perspective.
    pub level: LevelParams,
    /// Pages that are turned by any angle.
    pub turn: TurnParams,
    /// Several forms on one picture.
    pub several: SeveralParams,
    /// Templates that differ little.
    pub families: FamilyParams,
    /// The search for placements.
    pub search: SearchParams,
    /// The refinement of a placement.
    pub fit: FitParams,
    /// The choice between two templates that both fit.
    pub discriminate: DiscriminateParams,
    /// Barcodes and printed numbers.
    pub imprints: ImprintParams,
    /// Placements one pitch of the form further.
    pub pitch: PitchParams,
    /// The fields' own frames.
    pub settle: SettleParams,
}

impl Default for RegisterParams {
    fn default() -> Self {
        Self {
            min_score: 0.72,
            sure_score: 0.9,
            min_printed: 0.5,
            max_residual_mm: 1.0,
            min_fields_settled: 0.5,
            min_ink_share: 0.0005,
            min_rival_share: 0.6,
            max_searched_families: 8,
            sure_upright_score: 0.8,
            near_score_margin: 0.05,
            min_mirror_margin: 0.1,
            evidence: EvidenceParams::default(),
            level: LevelParams::default(),
            turn: TurnParams::default(),
            several: SeveralParams::default(),
            families: FamilyParams::default(),
            search: SearchParams::default(),
            fit: FitParams::default(),
            discriminate: DiscriminateParams::default(),
            imprints: ImprintParams::default(),
            pitch: PitchParams::default(),
            settle: SettleParams::default(),
        }
    }
}

/// How the lines and the ink of a page are measured. Lengths are shares of the page's longer side. The sets on which these
/// values were chosen are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EvidenceParams {
    /// Largest longer side of the picture on which a page is measured, pixels: at about 200 dpi a page's thinnest printed line
    /// is one pixel. Raising it costs time.
    pub max_measured_side_px: f64,
    /// Half the window of the binarisation: 4 mm of A4. Raising it follows uneven ground less well.
    pub window_share: f64,
    /// `k` of Sauvola's threshold: how much darker than its surroundings ink is. Raising it loses pale ink.
    pub sauvola_k: f64,
    /// The same of a second measurement, of a page on which no form is sure: the lines of the form may be pale. Raising it loses
    /// pale forms, lowering it takes the grain of the paper for ink.
    pub pale_sauvola_k: f64,
    /// Thickest printed line: 2 mm of A4. Raising it takes bars and writing for lines.
    pub max_thickness_share: f64,
    /// Shortest piece of a line that is kept: 2.5 mm of A4. Shorter ones are mostly letters. Raising it loses the sides of
    /// small boxes.
    pub min_length_share: f64,
    /// Longest gap in a line that is closed: 3 mm of A4. Raising it joins lines that are apart.
    pub max_gap_share: f64,
    /// Largest distance of a run's middle from its straight piece, pixels of the measured picture. Raising it follows curves.
    pub max_deviation_px: f64,
    /// Largest factor by which a page grows when it is made level. More means that the horizon is near, and the map is
    /// useless. Raising it searches such pages in vain.
    pub max_growth: f64,
}

impl EvidenceParams {
    /// Those of the second measurement.
    pub fn pale(self) -> Self {
        Self { sauvola_k: self.pale_sauvola_k, ..self }
    }
}

impl Default for EvidenceParams {
    fn default() -> Self {
        Self {
            max_measured_side_px: 2200.0,
            window_share: 1.0 / 80.0,
            sauvola_k: 0.2,
            pale_sauvola_k: 0.06,
            max_thickness_share: 1.0 / 150.0,
            min_length_share: 1.0 / 120.0,
            max_gap_share: 1.0 / 100.0,
            max_deviation_px: 1.2,
            max_growth: 4.0,
        }
    }
}

/// How a page in perspective is made level. The sets on which these values were chosen are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LevelParams {
    /// Largest angle between a line and the main direction of its family, degrees. Raising it levels steeper pages, and mixes
    /// in slanted lines.
    pub family_spread_degrees: f64,
    /// Angles between the two families of a form, degrees: lowest and highest. A wider range levels steeper pages, and takes
    /// slanted lines for a family.
    pub families_apart_degrees: [f64; 2],
    /// A line whose direction misses the vanishing point by at most this, degrees, runs towards it. Raising it is less exact.
    pub max_miss_degrees: f64,
    /// Number of lines, the longest ones, among which pairs are tried. Time grows with its cube.
    pub max_tried: usize,
    /// Fewest lines of a family. Raising it leaves forms with few lines as they are.
    pub min_family_lines: usize,
}

impl Default for LevelParams {
    fn default() -> Self {
        Self {
            family_spread_degrees: 15.0,
            families_apart_degrees: [60.0, 120.0],
            max_miss_degrees: 1.0,
            max_tried: 60,
            min_family_lines: 4,
        }
    }
}

/// When a page is turned upright before it is measured. Chosen on 60 drawn pages of the shipped forms and of a form of boxes,
/// turned by 8 to 290 degrees, and on the scans and photos of two sets of real forms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TurnParams {
    /// Score below which a page that lies askew is tried turned upright. Askew, the form of boxes came to 0.72 to 0.75, with its
    /// sides badly found; an upright photo of another one had 0.86. Raising it costs time alone.
    pub max_score: f64,
    /// Smallest angle between the page's lines and its sides, degrees. Smaller ones are searched for on the page as it is.
    /// Raising it saves time, and loses pages that are turned by less.
    pub min_degrees: f64,
    /// Largest angle between a line and the common direction, degrees. Raising it mixes in slanted lines.
    pub spread_degrees: f64,
    /// Lowest share of the lines, each weighed by the square of its length, in the common direction or across it. Raising it
    /// leaves pages with much writing as they are.
    pub min_share: f64,
}

impl Default for TurnParams {
    fn default() -> Self {
        Self { max_score: 0.85, min_degrees: 6.0, spread_degrees: 2.0, min_share: 0.4 }
    }
}

/// When there are several forms on one picture. Chosen on 120 drawn pictures of the shipped forms and of a form of boxes: with
/// a second form, with the edge of one, with text, or with nothing beside the form; and on the pages of three sets of real forms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SeveralParams {
    /// Around all that is printed on the form that was found, millimetres: what lies there belongs to it. Raising it loses
    /// what is printed at the edge of another form.
    pub margin_mm: f64,
    /// Length of the page's lines beside the form, as a share of that of the template with the shortest lines, from which
    /// another form is searched for. Pages with one form had 0.2 and less, two whole forms 0.5 and more. Raising it saves time,
    /// and loses forms that are partly covered.
    pub min_lines_beside: f64,
    /// Lowest share of the other form's lines that lies on the picture. Raising it takes cut-off forms for the edge of a
    /// neighbouring page.
    pub min_visible: f64,
}

impl Default for SeveralParams {
    fn default() -> Self {
        Self { margin_mm: 4.0, min_lines_beside: 0.3, min_visible: 0.6 }
    }
}

/// When templates are of one family.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FamilyParams {
    /// Lowest share of each template's lines that the other one has, where they lie, for both to be of one family. Chosen on
    /// the known forms, which share 0.5 and less by chance, and on a form with a box moved or added, which shares 0.85 and
    /// more with the one before. Raising it makes more families, and costs time.
    pub min_shared_lines: f64,
    /// Lines this near to each other are shared, millimetres; `discriminate` compares lines that are further apart. Set not
    /// recorded. Raising it makes families of templates that differ more.
    pub shared_mm: f64,
    /// Largest difference of the sides of two pages, as a share of them, for their templates to be of one family. Set not
    /// recorded. Raising it puts forms of other paper sizes into one family.
    pub max_page_difference: f64,
}

impl Default for FamilyParams {
    fn default() -> Self {
        Self { min_shared_lines: 0.75, shared_mm: 1.2, max_page_difference: 0.02 }
    }
}

/// How placements are searched for. The sets on which these values were chosen are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SearchParams {
    /// Distance between the samples along the template's lines, millimetres, unless that makes too many. Raising it saves time
    /// and sees less.
    pub sample_step_mm: f64,
    /// Largest number of samples of a template. Raising it costs time.
    pub max_samples: usize,
    /// Samples by which most placements are dismissed. Raising it costs time.
    pub n_quick_samples: usize,
    /// Score of these samples below which a placement is dismissed, 0 to 1. Raising it saves time and may lose placements.
    pub min_quick_score: f64,
    /// Samples by which the placements left are ranked. Raising it costs time, lowering it may lose a placement.
    pub n_ranking_samples: usize,
    /// Placements, the best by that rank, that are scored with all samples. Raising it costs time, lowering it may lose a
    /// placement.
    pub max_scored: usize,
    /// Cells of the distance maps along the longer side of the page: about a millimetre of A4. Raising it costs time.
    pub n_map_cells: f64,
    /// Distance from a line, in cells, from which a sample counts nothing. Raising it finds bent pages, and lines by chance.
    pub line_reach_cells: f64,
    /// Scale of the page, relative to that at which the template fills it: lowest and highest. A wider range costs time.
    pub scale_range: [f64; 2],
    /// Lowest share of the samples that must lie on the page. Raising it loses pages that are cut off.
    pub min_visible: f64,
    /// Lines of the template that are tried on lines of the page, longest first. Raising it costs time.
    pub max_template_lines: usize,
    /// Lines of the page on which they are tried, longest first. Raising it costs time.
    pub max_page_lines: usize,
    /// `max_template_lines` of a coarse search, which only ranks the forms. Raising it costs time.
    pub max_template_lines_coarse: usize,
    /// `max_page_lines` of a coarse search. Raising it costs time.
    pub max_page_lines_coarse: usize,
    /// A form is upright where its scale is within this ratio of that at which the template fills the page. Raising it costs
    /// time.
    pub max_upright_scale_ratio: f64,
    /// And where the sine of the angle between its lines and the page's sides, or these turned by quarters, is at most this:
    /// 7 degrees. Raising it costs time.
    pub max_upright_sine: f64,
    /// Largest ratio of a sheet's sides to those of a form for which the form may fill it: scanners cut a few millimetres off. By
    /// design. Raising it costs time.
    pub max_sheet_stretch: f64,
    /// Placements that are handed on to the fit. Raising it costs time.
    pub max_kept: usize,
    /// Smallest width and height of a word or mark that is located by itself, millimetres. Raising it leaves fewer of them.
    pub min_anchor_mm: [f64; 2],
    /// Most words and marks that are located. Raising it costs time.
    pub max_anchors: usize,
    /// Ratios of height to width that are tried on a page made level, which keeps the foreshortening of its tilt, along or
    /// across. More of them cost time.
    pub foreshortenings: [f64; 9],
}

impl Default for SearchParams {
    fn default() -> Self {
        Self {
            sample_step_mm: 4.0,
            max_samples: 1200,
            n_quick_samples: 32,
            min_quick_score: 0.3,
            n_ranking_samples: 160,
            max_scored: 500,
            n_map_cells: 300.0,
            line_reach_cells: 3.0,
            scale_range: [0.35, 1.8],
            min_visible: 0.35,
            max_template_lines: 120,
            max_page_lines: 400,
            max_template_lines_coarse: 30,
            max_page_lines_coarse: 100,
            max_upright_scale_ratio: 1.12,
            max_upright_sine: 0.12,
            max_sheet_stretch: 1.06,
            max_kept: 10,
            min_anchor_mm: [2.0, 1.2],
            max_anchors: 60,
            foreshortenings: [1.0, 0.93, 1.07, 0.87, 1.15, 0.81, 1.23, 0.76, 1.32],
        }
    }
}

/// How a placement is refined and scored. The sets on which these values were chosen are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FitParams {
    /// Reach of the search for a sample's line, millimetres, iteration by iteration, of the rough refinement. A larger reach
    /// starts from further off, and meets the wrong lines.
    pub rough_reaches_mm: [f64; 5],
    /// The same of the affine fit, with the same cost.
    pub affine_reaches_mm: [f64; 5],
    /// The same of the projective fit, with the same cost.
    pub projective_reaches_mm: [f64; 12],
    /// A sample within this distance of a line has found it, millimetres. Raising it finds lines of bent paper, and by chance.
    pub found_mm: f64,
    /// Largest sine of the angle between a sample's line and the page's: 8 degrees. Raising it finds lines of bent paper, and
    /// by chance.
    pub max_sine: f64,
    /// A piece of a line counts this far past its ends, millimetres. Raising it bridges longer gaps, and finds lines by
    /// chance.
    pub overhang_mm: f64,
    /// Displacements to the right and down, millimetres, at which lines are found by chance only. They are irregular, so that
    /// no table's pitch fits them. More of them cost time.
    pub chance_shifts_mm: [(f64, f64); 8],
    /// A projective fit is preferred where its support is higher than the affine one's by this. Raising it prefers flat pages.
    pub min_projective_support_gain: f64,
    /// Or where its support is lower by no more than this. Raising it prefers pages in perspective.
    pub max_projective_support_loss: f64,
    /// And its residual is below this share of the affine one's. Raising it prefers pages in perspective.
    pub max_projective_residual_ratio: f64,
    /// Fewest samples on lines for a fit. Raising it loses pages with few lines.
    pub min_pairs: usize,
    /// Share of ink within a word's or mark's box above which it is there. Raising it misses pale print.
    pub min_printed_ink_share: f64,
    /// How words and marks take part in the fit.
    pub anchor: AnchorParams,
    /// Words and marks of the rough refinement. Raising it costs time.
    pub n_rough_anchors: usize,
    /// Standard deviation of the place of a sample on a line, millimetres, from which that of a field is estimated. Raising it
    /// sends more fields to review whose place little holds.
    pub landmark_mm: f64,
    /// Weight in the score of words and marks that are inked; what these two leave of 1 is that of the template's lines.
    /// Raising it trusts the lines less.
    pub printed_weight: f64,
    /// Weight in the score of the page's lines that the template explains. Raising it rejects pages with other lines on them.
    pub explained_weight: f64,
    /// Starts that are refined to the end, of those that were roughly refined. Raising it costs time.
    pub max_refined: usize,
    /// Samples of the rough refinement. Raising it costs time.
    pub n_rough_samples: usize,
    /// A line of the page at least this long, millimetres, is printed. Raising it explains less of a page of short lines.
    pub min_printed_line_mm: f64,
    /// A line of the page within this distance of one of the template's is that line, millimetres. Raising it takes other
    /// forms' lines for this one's.
    pub explained_mm: f64,
    /// What a flat page may do to a form: a scanner's rollers may slip. Wider bounds accept absurd fits.
    pub flat: Distortion,
    /// What a page in perspective may do to it: it is foreshortened. Wider bounds accept absurd fits.
    pub tilted: Distortion,
}

/// Bounds of how a page may distort a form. Wider ones accept absurd fits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Distortion {
    /// Largest ratio of the scales along and across.
    pub max_stretch: f64,
    /// Smallest sine of the angle between the form's axes.
    pub min_axes_sine: f64,
}

impl Default for FitParams {
    fn default() -> Self {
        Self {
            rough_reaches_mm: [6.0, 5.0, 4.0, 3.0, 3.0],
            affine_reaches_mm: [4.0, 3.0, 2.5, 2.0, 1.5],
            projective_reaches_mm: [4.0, 3.0, 3.0, 2.5, 2.0, 2.0, 1.5, 1.5, 1.5, 1.0, 1.0, 1.0],
            found_mm: 1.0,
            max_sine: 0.14,
            overhang_mm: 1.5,
            chance_shifts_mm: [
                (3.1, 4.7),
                (-6.3, 2.6),
                (4.3, -7.9),
                (-2.7, -3.7),
                (8.6, 3.4),
                (-4.9, 6.8),
                (7.3, -5.3),
                (-8.1, -6.1),
            ],
            min_projective_support_gain: 0.05,
            max_projective_support_loss: 0.02,
            max_projective_residual_ratio: 0.8,
            min_pairs: 12,
            min_printed_ink_share: 0.04,
            anchor: AnchorParams::default(),
            n_rough_anchors: 20,
            landmark_mm: 0.25,
            printed_weight: 0.2,
            explained_weight: 0.2,
            max_refined: 2,
            n_rough_samples: 240,
            min_printed_line_mm: 15.0,
            explained_mm: 1.5,
            flat: Distortion { max_stretch: 1.08, min_axes_sine: 0.998 },
            tilted: Distortion { max_stretch: 1.8, min_axes_sine: 0.75 },
        }
    }
}

/// How two templates that both fit a page are discriminated. The sets on which these values were chosen are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DiscriminateParams {
    /// A line of one template further than this from all of the other's belongs to it alone, millimetres. Raising it leaves
    /// fewer differences.
    pub distinct_mm: f64,
    /// A line of the page within this of where a template has one is that line, millimetres: paper bends by less, and it is
    /// half of `distinct_mm`. Raising it takes one template's lines for the other's.
    pub found_mm: f64,
    /// Largest sine of the angle between the two: 8 degrees. Raising it takes crossing lines for one.
    pub max_sine: f64,
    /// A piece of a line counts this far past its ends, millimetres. Raising it bridges longer gaps, and takes a neighbour for
    /// the line.
    pub overhang_mm: f64,
    /// Words are compared in pieces of this length, millimetres: a gap between two of them is shorter. Raising it leaves fewer
    /// differences.
    pub word_step_mm: f64,
    /// Share of ink in a piece of a word above which something is printed there. Raising it misses pale print.
    pub min_printed_ink_share: f64,
    /// Fewest differences visible on the page for a preference. Raising it rejects more pages as ambiguous.
    pub min_differences: usize,
    /// Lowest margin of the differences in favour of one template over those against it, as a share of all, 0 to 1: printing
    /// and dust mislead in a tenth of them. Raising it rejects more pages as ambiguous.
    pub min_margin: f64,
}

impl Default for DiscriminateParams {
    fn default() -> Self {
        Self {
            distinct_mm: 1.2,
            found_mm: 0.6,
            max_sine: 0.14,
            overhang_mm: 1.0,
            word_step_mm: 6.0,
            min_printed_ink_share: 0.03,
            min_differences: 4,
            min_margin: 0.3,
        }
    }
}

/// How barcodes and printed numbers are read, and when they decide between templates.
///
/// Of 2,400 drawn numbers of four digits in six typefaces, of 9 and 18 points, at 150 and 300 dpi, 2,245 were read with a
/// confidence of 0.9 or more and none of these wrong; of the five that were misread the surest had 0.55. The two levels of
/// confidence were chosen on these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ImprintParams {
    /// White around a barcode, and how far bent paper may move it, millimetres. Set not recorded. Raising it meets what is
    /// printed beside it.
    pub barcode_margin_mm: f64,
    /// Resolution at which a barcode is cut out, pixels a millimetre. Set not recorded. Raising it costs time.
    pub barcode_px_per_mm: f64,
    /// White around a printed number, and how far bent paper may move it, millimetres. Set not recorded. Raising it reads ink
    /// beside the number as more digits.
    pub number_margin_mm: f64,
    /// Confidence, 0 to 1, from which a number matches the templates that declare it. Raising it reads fewer bad pages;
    /// lowering it takes a number of another form for one that is declared.
    pub match_confidence: f64,
    /// Confidence from which a number conflicts with the templates that declare another one of as many digits. Raising it
    /// takes more pages of other forms; lowering it rejects pages whose number was misread.
    pub conflict_confidence: f64,
}

impl Default for ImprintParams {
    fn default() -> Self {
        Self {
            barcode_margin_mm: 3.0,
            barcode_px_per_mm: 12.0,
            number_margin_mm: 1.0,
            match_confidence: 0.7,
            conflict_confidence: 0.9,
        }
    }
}

/// How a field's own printed frame is found. The sets on which these values were chosen are not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SettleParams {
    /// How far a frame may lie from where the page's fit puts it, millimetres. Neighbouring lines must be further away.
    /// Raising it follows paper that is bent more, and meets the wrong lines.
    pub reach_mm: f64,
    /// The same of a small frame, as a share of its side: further away one of its lines is taken for the opposite one. A frame
    /// is small whose sides are shorter than twice `reach_mm`. Raising it takes one side for the other.
    pub small_reach_share: f64,
    /// How far a part of the frame may lie from the frame's common shift, millimetres. Raising it takes strokes for lines.
    pub slack_mm: f64,
    /// Largest RMS distance of a small frame's lines from their fit, millimetres, at which the frame is taken as it was found.
    /// Raising it trusts frames with writing through them.
    pub max_trusted_rms_mm: f64,
    /// Trusted frames, the nearest ones, with which another small frame is compared. Raising it compares with frames where the
    /// paper bends otherwise.
    pub max_neighbours: usize,
    /// Largest distance of these, millimetres. Raising it compares with frames where the paper bends otherwise.
    pub max_neighbour_mm: f64,
    /// Distance from the neighbours' shift, millimetres, beyond which something else was taken for the frame. Raising it
    /// follows strokes; lowering it loses the bend of the paper.
    pub max_off_neighbours_mm: f64,
    /// Distance between samples along a frame's lines, millimetres. Raising it saves time and sees less.
    pub step_mm: f64,
    /// The same of a small frame, with the same cost.
    pub small_step_mm: f64,
    /// Half the length over which a sample is averaged along its line, millimetres. Raising it blurs slanted lines.
    pub half_average_mm: f64,
    /// Distance from a printed line's middle at which there is lighter paper on both sides, millimetres. Raising it finds
    /// thicker lines, and meets what is printed beside thin ones.
    pub flank_mm: f64,
    /// Grey levels, of 255, by which a line is darker than its flanks. Raising it loses pale lines.
    pub min_contrast: f64,
    /// Contrast beyond which a sample counts no more, grey levels, so that thick handwriting does not outweigh a thin frame.
    /// Raising it follows strokes.
    pub max_contrast: f64,
    /// Lowest share of the samples that must find the frame. Raising it loses frames with writing on them.
    pub min_found: f64,
    /// Lowest share of the samples of each side that must find it: a frame of which a side is not there is another one. Raising
    /// it loses frames with a side under writing.
    pub min_side_found: f64,
    /// Largest standard deviation of a field's place, millimetres, in a direction in which it has no frame of its own. Raising it
    /// reads fields whose place little holds.
    pub max_deviation_mm: f64,
    /// What a shift of the whole reach costs, as a share of the votes. Raising it prefers the page's fit.
    pub shift_cost: f64,
    /// Weight that keeps a frame's slopes at the page's, in samples. Raising it prefers the page's fit.
    pub slope_prior: f64,
}

impl Default for SettleParams {
    fn default() -> Self {
        Self {
            reach_mm: 2.5,
            small_reach_share: 0.5,
            slack_mm: 0.8,
            max_trusted_rms_mm: 0.1,
            max_neighbours: 4,
            max_neighbour_mm: 60.0,
            max_off_neighbours_mm: 0.3,
            step_mm: 1.0,
            small_step_mm: 0.4,
            half_average_mm: 0.4,
            flank_mm: 0.6,
            min_contrast: 12.0,
            max_contrast: 60.0,
            min_found: 0.4,
            min_side_found: 0.15,
            max_deviation_mm: 1.0,
            shift_cost: 0.3,
            slope_prior: 4.0,
        }
    }
}
