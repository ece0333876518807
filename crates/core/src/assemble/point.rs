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
use formread_raster::geometry::Rect;

/// Digits between two points or commas that part thousands.
const N_THOUSANDS: usize = 3;

/// Cells that are further apart than this share of a cell are not of one group. Fixed by design: those of a group touch.
const MIN_GAP: f64 = 0.1;

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
        // print that sets the decimals off says where they are
        (DecimalPoint::Implied, FieldLayout::Comb { cells, .. })
            if signs.points.is_empty() && sets_off_last(cells, decimals) =>
        {
            let first = cells.len() - decimals;
            let is_full = steps().is_none_or(|steps| in_cells(&steps, first, decimals).n == Some(decimals));
            Decimals { n: None, is_sure: is_full }
        }
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

/// Whether there is a gap before the last `n` of a comb's cells.
fn sets_off_last(cells: &[Rect], n: usize) -> bool {
    let gap_before = |idx: usize| Some(cells.get(idx)?.x0 - cells.get(idx.checked_sub(1)?)?.x1);
    let gap = cells.len().checked_sub(n).and_then(gap_before);
    gap.is_some_and(|gap| gap > MIN_GAP * cells[0].width())
}

/// Digits right of a point at `x`, pixels of the crop.
fn n_right_of(steps: &[Step], lattice: &Lattice, x: i32) -> usize {
    let middle = |step: &Step| {
        let crop = lattice.edges[step.edge_idx].crop.as_ref().filter(|_| matches!(step.symbol, Symbol::Digit(_)))?;
        Some(crop.x + crop.ink.width() as i32 / 2)
    };
    steps.iter().filter_map(middle).filter(|&middle| middle > x).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assemble::tests::{edge, empty, field, glyph},
        form::PrintedSides,
        scores::EdgeScores,
    };

    /// Whether the decimals of what is written in these cells, `_` for an empty one, are sure. The last two cells are `gap`
    /// millimetres from the others.
    fn is_sure(cells: &str, gap: f64) -> bool {
        let n = cells.len();
        let place = |idx: usize| Rect::from_xywh(5.0 * idx as f64 + if idx + 2 < n { 0.0 } else { gap }, 0.0, 5.0, 8.0);
        let field = Field {
            kind: FieldKind::Amount { decimals: 2, point: DecimalPoint::Implied },
            layout: FieldLayout::Comb { cells: (0..n).map(place).collect(), printed: PrintedSides::ALL },
            ..field(1, n)
        };
        let written = cells.chars().map(|cell| cell.to_digit(10));
        let edges = written.clone().enumerate().map(|(i, digit)| digit.map_or(empty(i, i + 1), |_| edge(i, i + 1)));
        let scores =
            written.map(|digit| digit.map_or(EdgeScores::Empty, |d| EdgeScores::Scored(glyph(d as usize, 0.99))));
        let lattice = Lattice { n_nodes: n + 1, edges: edges.collect(), ..Lattice::default() };
        let scores = FieldScores { edges: scores.collect(), ..FieldScores::default() };
        let digits = cells.replace('_', "");
        decimals(&field, &lattice, &scores, &digits, false, &LatticeParams::default()).is_sure
    }

    #[test]
    fn empty_cells_for_decimals_are_doubtful_where_a_gap_sets_them_off() {
        for (cells, gap, expected) in [
            ("_72500", 3.0, true),
            ("725__", 3.0, false),
            ("7250_", 3.0, false),
            ("725__", 0.0, true),
            ("___50", 3.0, true),
        ] {
            assert_eq!(is_sure(cells, gap), expected, "{cells}, {gap}");
        }
    }
}
