//! Where the decimal point of an amount is.

use super::{
    FieldScores,
    lattice::{Step, Symbol, path_of},
    params::LatticeParams,
};
use crate::{
    form::{DecimalPoint, Field, FieldKind, FieldLayout},
    segment::Lattice,
};

/// Digits between two points or commas that part thousands.
const N_THOUSANDS: usize = 3;

/// How many digits are behind the decimal point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimals {
    /// `None`: as many as the field has decimals.
    pub n: Option<usize>,
    /// Whether the ink agrees.
    pub is_sure: bool,
}

impl Decimals {
    /// As many as the field has decimals.
    pub const IMPLIED: Self = Self { n: None, is_sure: true };
}

/// How many of the `digits` of a reading, with fillers or without, are behind the decimal point, according to the ink.
pub(super) fn decimals(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    digits: &str,
    has_filler: bool,
    params: &LatticeParams,
) -> Decimals {
    let sure = |n: Option<usize>| Decimals { n, is_sure: true };
    let FieldKind::Amount { decimals, point } = field.kind else { return Decimals::IMPLIED };
    if decimals == 0 || digits.is_empty() {
        return Decimals::IMPLIED;
    }
    let steps = || path_of(field, lattice, &scores.edges, digits, has_filler, params);
    let signs = &lattice.signs;
    match (point, &field.layout) {
        (DecimalPoint::Printed, FieldLayout::Comb { cells, .. }) => match steps() {
            Some(steps) => in_cells(&steps, cells.len().saturating_sub(decimals), decimals),
            None => Decimals { n: None, is_sure: false },
        },
        _ if signs.ends_in_dash => Decimals { n: Some(0), is_sure: point == DecimalPoint::Written },
        (DecimalPoint::Written, _) if signs.points.is_empty() => sure(Some(0)),
        (DecimalPoint::Implied, _) if signs.points.is_empty() => Decimals::IMPLIED,
        _ => {
            let n_behind = steps().and_then(|steps| Some(n_right_of(&steps, lattice, *signs.points.last()?)));
            match n_behind {
                Some(n) if n == decimals => sure(Some(n)),
                // where decimals are always written, a point behind the number is dust
                Some(0) if point == DecimalPoint::Implied => Decimals::IMPLIED,
                // a thousands separator without decimals
                Some(0 | N_THOUSANDS) if point == DecimalPoint::Written => sure(Some(0)),
                Some(n) if n < decimals && point == DecimalPoint::Written => Decimals { n: Some(n), is_sure: false },
                _ => Decimals { n: None, is_sure: false },
            }
        }
    }
}

/// For a comb whose decimals are in the cells from `first` on.
fn in_cells(steps: &[Step], first: usize, decimals: usize) -> Decimals {
    let is_digit = |step: &&Step| matches!(step.symbol, Symbol::Digit(_));
    let n = steps.iter().skip(first).filter(is_digit).count();
    let leads = steps.get(first).is_some_and(|step| matches!(step.symbol, Symbol::Digit(_)));
    // all, none, or those at the left
    Decimals { n: Some(n), is_sure: n == 0 || n == decimals || leads }
}

/// Digits right of a point at `x`, pixels of the crop.
fn n_right_of(steps: &[Step], lattice: &Lattice, x: i32) -> usize {
    let middle = |step: &Step| {
        let crop = lattice.edges[step.edge_idx].crop.as_ref().filter(|_| matches!(step.symbol, Symbol::Digit(_)))?;
        Some(crop.x + crop.ink.width() as i32 / 2)
    };
    steps.iter().filter_map(middle).filter(|&middle| middle > x).count()
}
