//! Tally grids: rows of cells on top of each other that nothing names. They are for strokes, and no fields.

use super::fields::{FieldCandidate, Shape};
use formread_raster::geometry::Rect;

/// Fewest rows of a grid, and fewest cells of a row.
const MIN_ROWS: usize = 3;
const MIN_CELLS: usize = 4;
/// Largest distance between the edges of rows that touch, millimetres.
const TOUCHING_MM: f64 = 0.6;
/// Farthest that the name of a row lies beside it, millimetres.
const NAME_MM: f64 = 40.0;

/// For each of `found` whether it is a row of a tally grid.
pub(super) fn tally_grids(found: &[FieldCandidate], words: &[Rect]) -> Vec<bool> {
    let bounds: Vec<Rect> = found.iter().map(|field| field.layout.bounds()).collect();
    let is_row = |i: usize| found[i].shape == Shape::Comb && found[i].layout.cells().len() >= MIN_CELLS;
    let is_under = |a: &Rect, b: &Rect| {
        (b.y0 - a.y1).abs() <= TOUCHING_MM && (a.x0 - b.x0).abs() <= TOUCHING_MM && (a.x1 - b.x1).abs() <= TOUCHING_MM
    };
    let has_name = |row: &Rect| {
        words.iter().any(|word| {
            let is_level = word.centre().y > row.y0 && word.centre().y < row.y1;
            is_level
                && (word.x1 <= row.x0 && row.x0 - word.x1 <= NAME_MM
                    || word.x0 >= row.x1 && word.x0 - row.x1 <= NAME_MM)
        })
    };
    let mut is_grid = vec![false; found.len()];
    for first in (0..found.len()).filter(|i| is_row(*i)) {
        let mut grid = vec![first];
        while let Some(next) =
            (0..found.len()).find(|i| is_row(*i) && is_under(&bounds[grid[grid.len() - 1]], &bounds[*i]))
        {
            grid.push(next);
        }
        let n_named = grid.iter().filter(|row| has_name(&bounds[**row])).count();
        if grid.len() >= MIN_ROWS && 2 * n_named < grid.len() {
            grid.into_iter().for_each(|row| is_grid[row] = true);
        }
    }
    is_grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::form::{FieldLayout, PrintedSides};

    fn row(y: f64) -> FieldCandidate {
        let cells = (0..12).map(|i| Rect::from_xywh(40.0 + 4.0 * f64::from(i), y, 4.0, 5.0)).collect();
        let layout = FieldLayout::Comb { cells, printed: PrintedSides::ALL };
        FieldCandidate { groups: vec![12], ..FieldCandidate::new(Shape::Comb, layout) }
    }

    #[test]
    fn rows_without_names_are_a_grid_and_named_ones_are_a_table() {
        let rows: Vec<FieldCandidate> = (0..5).map(|i| row(20.0 + 5.0 * f64::from(i))).collect();
        let one = [Rect::from_xywh(20.0, 31.0, 6.0, 3.0)];
        assert_eq!(tally_grids(&rows, &one), [true; 5]);
        let names: Vec<Rect> = (0..5).map(|i| Rect::from_xywh(20.0, 21.0 + 5.0 * f64::from(i), 6.0, 3.0)).collect();
        assert_eq!(tally_grids(&rows, &names), [false; 5]);
        let apart: Vec<FieldCandidate> = (0..5).map(|i| row(20.0 + 9.0 * f64::from(i))).collect();
        assert_eq!(tally_grids(&apart, &[]), [false; 5]);
    }
}
