//! Digits that their writer struck out or wrote another one over: what stands there is not what the net would read.

use super::{
    FieldScores, ReviewReason,
    lattice::{Symbol, path_of},
    readings::Candidate,
};
use crate::{
    form::Field,
    net::{GlyphClass, GlyphScores},
    segment::Lattice,
};

/// A digit is taken for spoilt where the nets are at least so sure of it.
const SPOILT_MIN: f32 = 0.5;

/// So sure they must be to hold back a reading that would be accepted. Empirically chosen: noughts whose writer went round
/// twice come to 0.7.
const REFUSED_MIN: f32 = 0.75;

/// That a digit is struck out or overwritten.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spoilt {
    /// Which of both.
    pub reason: ReviewReason,
    /// Whether it is sure enough to hold back what else would be accepted.
    pub is_sure: bool,
}

/// Whether a digit of a reading is spoilt. `None` where none is, or where its digits were not cut apart.
pub(super) fn spoilt(field: &Field, lattice: &Lattice, scores: &FieldScores, candidate: &Candidate) -> Option<Spoilt> {
    let steps = path_of(field, lattice, &scores.edges, &candidate.digits, candidate.has_filler)?;
    let digits = steps.iter().filter(|step| matches!(step.symbol, Symbol::Digit(_)));
    most_spoilt(digits.filter_map(|step| scores.edges.get(step.edge_idx).copied().flatten()))
}

/// The same of whatever was cut from a field of which nothing can be read.
pub(super) fn spoilt_anywhere(scores: &FieldScores) -> Option<Spoilt> {
    most_spoilt(scores.edges.iter().copied().flatten())
}

fn most_spoilt(glyphs: impl Iterator<Item = GlyphScores>) -> Option<Spoilt> {
    let (mut either, mut struck_out, mut overwritten) = (0.0f32, 0.0f32, 0.0f32);
    for glyph in glyphs {
        let by_way = [GlyphClass::StruckOut, GlyphClass::Overwritten].map(|class| glyph.class(class));
        either = either.max(by_way[0] + by_way[1]);
        struck_out = struck_out.max(by_way[0]);
        overwritten = overwritten.max(by_way[1]);
    }
    let reason = if overwritten > struck_out { ReviewReason::Overwritten } else { ReviewReason::StruckOut };
    (either >= SPOILT_MIN).then_some(Spoilt { reason, is_sure: either >= REFUSED_MIN })
}
