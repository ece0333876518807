//! Defects of a reading: digits that are struck out, overwritten or blots.

use std::f64::consts::PI;

use image::{GrayImage, Luma};
use imageproc::distance_transform::euclidean_squared_distance_transform;

use super::{
    FieldScores, ReviewReason,
    lattice::{Symbol, path_of},
    params::{AssembleParams, DefectParams},
    readings::Candidate,
};
use crate::{
    form::Field,
    scores::{GlyphClass, GlyphScores},
    segment::Lattice,
};

/// A defect of a reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Defect {
    /// Why a person must review it.
    pub reason: ReviewReason,
    /// Whether it blocks a reading that would be accepted. If not, it only gives the reason where the reading is not
    /// accepted.
    pub is_sure: bool,
}

/// Whether a digit of a reading is spoilt. `None` where none is, or where its digits were not cut apart.
pub(super) fn defect(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    candidate: &Candidate,
    params: &AssembleParams,
) -> Option<Defect> {
    let steps = path_of(field, lattice, &scores.edges, &candidate.digits, candidate.has_filler, &params.lattice)?;
    let digits = || steps.iter().filter(|step| matches!(step.symbol, Symbol::Digit(_))).map(|step| step.edge_idx);
    let mut inks = digits().filter_map(|edge| lattice.edges[edge].crop.as_ref().map(|crop| &crop.ink));
    if inks.any(|ink| is_blot(ink, &params.defect)) {
        return Some(Defect { reason: ReviewReason::UnexplainedInk, is_sure: true });
    }
    worst_defect(digits().filter_map(|edge| scores.glyph(edge)), &params.defect)
}

/// Whether the largest disc of ink is so wide, beside the height and width of the digit, that no digit is left to be seen.
fn is_blot(ink: &GrayImage, params: &DefectParams) -> bool {
    let min_diameter = params.min_blot_diameter * f64::from(ink.width().max(ink.height()));
    // most digits have less ink than such a disc
    let n_ink = ink.pixels().filter(|pixel| pixel[0] >= 128).count();
    if (n_ink as f64) < PI / 4.0 * min_diameter.powi(2) {
        return false;
    }
    // paper around the digit ends its strokes, too
    let paper = GrayImage::from_fn(ink.width() + 2, ink.height() + 2, |x, y| {
        let is_ink = x > 0 && y > 0 && ink.get_pixel_checked(x - 1, y - 1).is_some_and(|pixel| pixel[0] >= 128);
        Luma([u8::from(!is_ink) * u8::MAX])
    });
    let to_paper = euclidean_squared_distance_transform(&paper);
    let radius = to_paper.pixels().map(|pixel| pixel[0]).fold(0.0, f64::max).sqrt();
    // from the middle of a pixel to the middle of the nearest one of paper
    2.0 * radius - 1.0 >= min_diameter
}

/// The same for all glyphs of a field that cannot be read.
pub(super) fn any_defect(scores: &FieldScores, params: &DefectParams) -> Option<Defect> {
    worst_defect(scores.edges.iter().filter_map(|edge| edge.glyph()), params)
}

fn worst_defect(glyphs: impl Iterator<Item = GlyphScores>, params: &DefectParams) -> Option<Defect> {
    let (mut either, mut struck_out, mut overwritten) = (0.0f32, 0.0f32, 0.0f32);
    for glyph in glyphs {
        let by_way = [GlyphClass::StruckOut, GlyphClass::Overwritten].map(|class| glyph.class(class));
        either = either.max(by_way[0] + by_way[1]);
        struck_out = struck_out.max(by_way[0]);
        overwritten = overwritten.max(by_way[1]);
    }
    let reason = if overwritten > struck_out { ReviewReason::Overwritten } else { ReviewReason::StruckOut };
    (either >= params.min_probability).then_some(Defect { reason, is_sure: either >= params.blocking_probability })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assemble::{
            readings::candidates,
            tests::{edge, field, glyph},
        },
        scores::{EdgeScores, N_CLASSES},
    };

    /// Two cells, the second of which is of `class` with `probability`, and else a digit.
    fn found(class: GlyphClass, probability: f32) -> Option<Defect> {
        let lattice = Lattice { n_nodes: 3, edges: vec![edge(0, 1), edge(1, 2)], ..Lattice::default() };
        let mut second = glyph(4, 0.99);
        second.classes = [0.0; N_CLASSES];
        second.classes[GlyphClass::Digit as usize] = 1.0 - probability;
        second.classes[class as usize] = probability;
        let scores =
            FieldScores { edges: [glyph(1, 0.99), second].map(EdgeScores::Scored).to_vec(), ..FieldScores::default() };
        let field = field(2, 2);
        let best = candidates(&field, &lattice, &scores, &AssembleParams::default()).readings.swap_remove(0);
        assert_eq!(best.digits, "14");
        defect(&field, &lattice, &scores, &best, &AssembleParams::default())
    }

    #[test]
    fn struck_out_or_overwritten_digit_blocks_where_it_is_sure() {
        for (class, reason) in
            [(GlyphClass::StruckOut, ReviewReason::StruckOut), (GlyphClass::Overwritten, ReviewReason::Overwritten)]
        {
            assert_eq!(found(class, 0.9), Some(Defect { reason: reason.clone(), is_sure: true }));
            assert_eq!(found(class, 0.6), Some(Defect { reason, is_sure: false }));
            assert_eq!(found(class, 0.4), None);
        }
        assert_eq!(found(GlyphClass::Other, 0.9), None, "that is for others to say");
    }

    #[test]
    fn digit_without_a_hole_or_a_bay_is_a_blot() {
        let disc = |thickness: f32| {
            GrayImage::from_fn(40, 44, |x, y| {
                let distance = ((x as f32 - 19.5) / 20.0).hypot((y as f32 - 21.5) / 22.0);
                Luma([if distance <= 1.0 && distance >= 1.0 - thickness { 255 } else { 0 }])
            })
        };
        let rhombus = |x: u32, y: u32| (x as f32 - 19.5).abs() + (y as f32 - 19.5).abs() <= 20.0;
        let params = DefectParams::default();
        assert!(is_blot(&disc(1.0), &params));
        assert!(is_blot(&GrayImage::from_fn(40, 40, |x, y| Luma([255 * u8::from(rhombus(x, y))])), &params));
        assert!(!is_blot(&disc(0.35), &params), "a zero by a thick pen");
        assert!(!is_blot(&GrayImage::from_pixel(9, 40, Luma([255])), &params), "a one");
        assert!(!is_blot(&GrayImage::new(4, 4), &params));
    }
}
