//! Where the digits of a known value were cut: for samples of them.

use super::{
    FieldScores,
    lattice::{Step, Symbol, path_of},
    params::AssembleParams,
    readings::candidates,
    state::text,
};
use crate::{form::Field, segment::Lattice};

/// A digit of a value, and what was cut around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutDigit {
    /// 0 to 9.
    pub digit: u8,
    /// Index of an edge of the lattice.
    pub edge_idx: usize,
}

/// The digits of `value`, in canonical form, as they are written in a field, from left to right: those of the best path of the
/// best reading that has this value. `None` where no reading has it, or none was cut apart.
pub fn cut_value(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    value: &str,
    params: &AssembleParams,
) -> Option<Vec<CutDigit>> {
    let readings = candidates(field, lattice, scores, params).readings;
    let mut with_value = readings.iter().filter(|reading| text(field, reading).0 == value);
    with_value.find_map(|reading| {
        let steps = path_of(field, lattice, &scores.edges, &reading.digits, reading.has_filler, &params.lattice)?;
        let digit = |step: Step| match step.symbol {
            Symbol::Digit(digit) => Some(CutDigit { digit, edge_idx: step.edge_idx }),
            _ => None,
        };
        Some(steps.into_iter().filter_map(digit).collect::<Vec<_>>()).filter(|digits| !digits.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::tests::{edge, field, glyph};
    use crate::scores::EdgeScores;

    #[test]
    fn value_is_cut_by_the_path_that_has_it() {
        // two cells, or all ink as one digit
        let lattice = Lattice { n_nodes: 3, edges: vec![edge(0, 1), edge(1, 2), edge(0, 2)], ..Lattice::default() };
        let edges = [glyph(1, 0.9), glyph(4, 0.9), glyph(8, 0.8)].map(EdgeScores::Scored).to_vec();
        let scores = FieldScores { edges, ..FieldScores::default() };
        let cut = |value: &str| {
            let digits = cut_value(&field(1, 2), &lattice, &scores, value, &AssembleParams::default())?;
            Some(digits.iter().map(|cut| (cut.digit, cut.edge_idx)).collect::<Vec<_>>())
        };
        assert_eq!(cut("14"), Some(vec![(1, 0), (4, 1)]));
        assert_eq!(cut("8"), Some(vec![(8, 2)]));
        assert_eq!(cut("123"), None, "there are no three digits");
    }
}
