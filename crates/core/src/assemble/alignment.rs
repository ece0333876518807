//! Where a strip has its digits: the glyphs that are scored, and whether they say what the strip says.

use super::{
    lattice::{Path, best_paths, edges_within},
    params::{AlignmentParams, AssembleParams},
    symbols::character,
};
use crate::{
    form::Field,
    normalise::strip_place,
    scores::{
        CTC_BLANK, CtcLogProbs, FIRST_DIGIT, FieldScores, SCRIBBLE, StripScores, best_symbols, ctc_greedy_decode,
    },
    segment::{FieldInk, InkCrop, StripCrop},
};

/// Of each edge of a lattice, whether it lies on a likely path by its cuts alone, among those paths that have one digit of the strip on
/// each edge. `None` where the strip was not read, where it is not clear how many digits it has, where it has anything but
/// digits, and where no path has one digit on each edge: then each edge may matter.
pub fn edges_by_strip(
    ink: &FieldInk,
    strip: Option<&StripCrop>,
    scores: &StripScores,
    params: &AlignmentParams,
) -> Option<Vec<bool>> {
    let (FieldInk::Written(lattice), Some(strip), [columns]) = (ink, strip, scores.views.as_slice()) else {
        return None;
    };
    let places = digit_places(columns, params)?;
    let middles: Vec<f32> = places.iter().map(|&place| strip_place(&strip.bounds, columns.len(), place)).collect();
    let n_digits = |crop: &InkCrop| {
        let (left, right) = (crop.x as f32, (crop.x + crop.ink.width() as i32) as f32);
        middles.iter().filter(|middle| (left..right).contains(middle)).count()
    };
    let log_prior = |edge_idx: usize| {
        let edge = &lattice.edges[edge_idx];
        let is_one_digit_or_none = edge.crop.as_ref().is_none_or(|crop| n_digits(crop) == 1);
        if is_one_digit_or_none { edge.log_prior } else { f32::NEG_INFINITY }
    };
    let likely = edges_within(lattice, log_prior, params.margin_log);
    likely.contains(&true).then_some(likely)
}

/// Whether another cut may be the right one: the best path through the glyphs that are scored has other digits than the first view of
/// the strip, or is unlikely, or there is none. True where one of both was not read.
pub fn is_disputed(field: &Field, ink: &FieldInk, scores: &FieldScores, params: &AssembleParams) -> bool {
    let (FieldInk::Written(lattice), Some(columns)) = (ink, scores.strip.views.first()) else { return true };
    let digits: String = ctc_greedy_decode(columns).into_iter().map(character).filter(char::is_ascii_digit).collect();
    let paths = best_paths(field, lattice, &scores.edges, &params.lattice);
    let agrees = |path: &Path| path.probability >= params.alignment.min_path_probability && path.digits() == digits;
    !paths.first().is_some_and(agrees)
}

/// The middles of a strip's digits on its most likely path, in columns. `None` where there are none, or only a few ones, or anything
/// else, or where there may be more of them.
fn digit_places(columns: &CtcLogProbs, params: &AlignmentParams) -> Option<Vec<f32>> {
    let symbols = best_symbols(columns);
    let is_digit = |symbol: &usize| (FIRST_DIGIT..SCRIBBLE).contains(symbol);
    let is_clear = |i: usize| {
        let is_beside_digit = symbols[i.saturating_sub(1)..(i + 2).min(symbols.len())].iter().any(is_digit);
        is_beside_digit || columns[i][CTC_BLANK].exp() >= params.min_blank
    };
    if !(0..symbols.len()).all(|i| is_digit(&symbols[i]) || symbols[i] == CTC_BLANK && is_clear(i)) {
        return None;
    }
    let mut start = 0;
    let mut places = Vec::new();
    for run in symbols.chunk_by(|a, b| a == b) {
        if is_digit(&run[0]) {
            places.push(start as f32 + run.len() as f32 / 2.0 + params.middle_offset);
        }
        start += run.len();
    }
    let has_other_than_ones = symbols.iter().any(|symbol| is_digit(symbol) && *symbol != FIRST_DIGIT + 1);
    (has_other_than_ones || places.len() >= params.min_ones).then_some(places)
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;
    use crate::{
        assemble::{
            symbols::tests::saying,
            tests::{edge, field, glyph},
        },
        scores::EdgeScores,
        segment::{Lattice, LatticeEdge, StripBounds},
    };

    /// Pieces 20 pixels wide, side by side; edges of one piece and of two, the latter with a log prior by the piece before the joint.
    fn ink(n_pieces: usize, joined: impl Fn(usize) -> f32) -> FieldInk {
        let of = |from: usize, to: usize, log_prior: f32| {
            let crop = InkCrop { ink: GrayImage::new(20 * (to - from) as u32, 22), x: 20 * from as i32, y: 0 };
            LatticeEdge { crop: Some(crop), log_prior, ..edge(from, to) }
        };
        let singles = (0..n_pieces).map(|i| of(i, i + 1, 0.0));
        let pairs = (1..n_pieces).map(|i| of(i - 1, i + 1, joined(i - 1)));
        let mut edges: Vec<LatticeEdge> = singles.chain(pairs).collect();
        edges.sort_by_key(|edge| (edge.from, edge.to));
        FieldInk::Written(Lattice { n_nodes: n_pieces + 1, edges, ..Lattice::default() })
    }

    /// The spans of the chosen edges, where the strip of 80 pixels says this in 23 columns of 4 pixels, the first and the last one and a half
    /// of which are its margin.
    fn chosen(ink: &FieldInk, columns: &str, probability: f32) -> Option<Vec<(usize, usize)>> {
        let bounds = StripBounds { left: 0.0, right: 80.0, middle: 11.0, digit_height: 22.0 };
        let strip = StripCrop { ink: GrayImage::new(80, 22), bounds };
        let scores = saying(columns, probability);
        let chosen = edges_by_strip(ink, Some(&strip), &scores, &AlignmentParams::default())?;
        let FieldInk::Written(Lattice { edges, .. }) = ink else { return None };
        Some(edges.iter().zip(chosen).filter(|(_, is_chosen)| *is_chosen).map(|(e, _)| (e.from, e.to)).collect())
    }

    #[test]
    fn edges_with_one_digit_of_the_strip_are_chosen() {
        let all_joints = |_| 0.0;
        let one_each = chosen(&ink(4, all_joints), "__3____4____5____6_____", 0.999);
        assert_eq!(one_each, Some(vec![(0, 1), (1, 2), (2, 3), (3, 4)]));
        // the second piece has no digit, so it belongs to the first one or to the third one
        let three = chosen(&ink(4, all_joints), "__3_________5____6_____", 0.999);
        assert_eq!(three, Some(vec![(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)]));
    }

    #[test]
    fn narrow_digit_is_chosen_though_the_strip_names_it_before_its_ink() {
        // from 32 to 38 pixels, named at 28
        let piece = |(i, (left, right)): (usize, (i32, i32))| {
            let crop = InkCrop { ink: GrayImage::new((right - left) as u32, 22), x: left, y: 0 };
            LatticeEdge { crop: Some(crop), ..edge(i, i + 1) }
        };
        let edges = [(0, 20), (32, 38), (60, 80)].into_iter().enumerate().map(piece).collect();
        let ink = FieldInk::Written(Lattice { n_nodes: 4, edges, ..Lattice::default() });
        let three = chosen(&ink, "__3_____1_______6______", 0.999);
        assert_eq!(three, Some(vec![(0, 1), (1, 2), (2, 3)]));
    }

    #[test]
    fn two_digits_are_enough_where_one_of_them_is_no_one() {
        let two = chosen(&ink(4, |_| 0.0), "_____1_________6_______", 0.999);
        assert_eq!(two, Some(vec![(0, 2), (2, 4)]));
    }

    #[test]
    fn edges_of_unlikely_cuts_are_not_chosen() {
        let unlikely_first = |from: usize| if from == 0 { -3.0 } else { 0.0 };
        let three = chosen(&ink(4, unlikely_first), "__3_________5____6_____", 0.999);
        assert_eq!(three, Some(vec![(0, 1), (1, 3), (3, 4)]));
    }

    #[test]
    fn strip_that_is_not_clear_chooses_nothing() {
        let ink = ink(4, |_| 0.0);
        for (columns, why) in [
            ("__3____4____?____6_____", "a scribble"),
            ("__3____4____.____6_____", "a point"),
            ("__1_________________1__", "two ones may be ditto marks"),
            ("_______________________", "none"),
        ] {
            assert_eq!(chosen(&ink, columns, 0.999), None, "{why}");
        }
        assert_eq!(chosen(&ink, "__3____4____5____6_____", 0.8), None, "there may be more");
        // the first piece has two of them
        assert_eq!(chosen(&ink, "_3_4_______5____6______", 0.999), None, "no path");
        let unread = edges_by_strip(&ink, None, &StripScores::default(), &AlignmentParams::default());
        assert_eq!(unread, None);
    }

    /// Whether a strip that says 3456 disputes glyphs of these digits and of this probability.
    fn is_disputed_by_3456(digits: [usize; 4], probability: f32) -> bool {
        let ink = ink(4, |_| 0.0);
        let FieldInk::Written(Lattice { edges, .. }) = &ink else { panic!("it is written") };
        let of_edge = |edge: &LatticeEdge| match edge.to - edge.from {
            1 => EdgeScores::Scored(glyph(digits[edge.from], probability)),
            _ => EdgeScores::Unscored,
        };
        let strip = saying("__3____4____5____6_____", 0.999);
        let scores = FieldScores { edges: edges.iter().map(of_edge).collect(), strip };
        is_disputed(&field(1, 10), &ink, &scores, &AssembleParams::default())
    }

    #[test]
    fn glyphs_that_clearly_say_what_the_strip_says_are_not_disputed() {
        assert!(!is_disputed_by_3456([3, 4, 5, 6], 0.99));
        assert!(is_disputed_by_3456([3, 4, 5, 8], 0.99), "another digit");
        assert!(is_disputed_by_3456([3, 4, 5, 6], 0.9), "0.66 together");
        let unread = FieldScores::default();
        assert!(is_disputed(&field(1, 10), &ink(4, |_| 0.0), &unread, &AssembleParams::default()));
    }
}
