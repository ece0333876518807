//! What the bubbles of a row mean: the letter or word that is printed in each, above it or after it, where a PDF contains its text.
//!
//! Where all bubbles of a row have the same letter, and the rows below have other ones, as in a grid for a number, the columns are the
//! fields.

use super::fields::{FieldCandidate, Shape, in_reading_order};
use formread_core::form::{FieldLayout, PrintedSides};
use formread_page::pdf::TextWord;
use formread_raster::geometry::Rect;

/// Longest word that is a value, bytes.
const MAX_VALUE_BYTES: usize = 20;
/// Farthest word above a bubble and after it, millimetres.
const MAX_ABOVE_MM: f64 = 6.0;
const MAX_AFTER_MM: f64 = 3.5;
/// Bubbles of rows whose middles differ by less are in one column, millimetres.
const SAME_MM: f64 = 0.8;
/// Largest distance of two rows of one grid, in heights of a bubble.
const MAX_ROW_PITCH: f64 = 4.0;

/// The fields with the values of their bubbles, in reading order, and which of the `words` are values.
pub(super) fn with_values(found: Vec<FieldCandidate>, words: &[TextWord]) -> (Vec<FieldCandidate>, Vec<bool>) {
    let mut is_value = vec![false; words.len()];
    let (rows, others): (Vec<FieldCandidate>, Vec<FieldCandidate>) =
        found.into_iter().partition(|field| field.shape == Shape::Bubbles);
    let mut named: Vec<FieldCandidate> = Vec::new();
    for grid in grids(rows) {
        let inside: Vec<Option<Vec<usize>>> = grid.iter().map(|row| each(row, |cell| word_in(cell, words))).collect();
        let texts = |idxs: &[usize]| idxs.iter().map(|idx| words[*idx].text.clone()).collect::<Vec<_>>();
        let same = |idxs: &Vec<usize>| texts(idxs).windows(2).all(|pair| pair[0] == pair[1]);
        let of_rows: Option<Vec<String>> = inside
            .iter()
            .map(|idxs| idxs.as_ref().filter(|idxs| same(idxs)).map(|idxs| texts(idxs).swap_remove(0)))
            .collect();
        if let Some(values) = of_rows.filter(|values| values.len() > 1 && are_distinct(values)) {
            inside.iter().flatten().flatten().for_each(|idx| is_value[*idx] = true);
            named.extend(columns(&grid, &values));
            continue;
        }
        let mut above: Option<Vec<String>> = None;
        for (mut row, inside) in grid.into_iter().zip(inside) {
            let kinds = [
                inside,
                each(&row, |cell| word_above(cell, words)),
                each(&row, |cell| word_after(cell, row.layout.cells(), words)),
            ];
            let own = kinds.into_iter().flatten().find(|idxs| are_distinct(&texts(idxs)));
            if let Some(idxs) = own {
                idxs.iter().for_each(|idx| is_value[*idx] = true);
                above = Some(texts(&idxs));
            }
            if let Some(values) = &above {
                row.values.clone_from(values);
            }
            named.push(row);
        }
    }
    let mut all: Vec<FieldCandidate> = others.into_iter().chain(named).collect();
    in_reading_order(&mut all, |field| field.layout.bounds());
    (all, is_value)
}

/// Rows of bubbles in the same columns, from top to bottom, as grids.
fn grids(mut rows: Vec<FieldCandidate>) -> Vec<Vec<FieldCandidate>> {
    rows.sort_by(|a, b| a.layout.bounds().y0.total_cmp(&b.layout.bounds().y0));
    let mut grids: Vec<Vec<FieldCandidate>> = Vec::new();
    for row in rows {
        let continues = |grid: &&mut Vec<FieldCandidate>| {
            let (above, cells) = (grid[grid.len() - 1].layout.cells(), row.layout.cells());
            let pitch = cells[0].centre().y - above[0].centre().y;
            above.len() == cells.len()
                && pitch <= MAX_ROW_PITCH * cells[0].height()
                && above.iter().zip(cells).all(|(a, b)| (a.centre().x - b.centre().x).abs() <= SAME_MM)
        };
        match grids.iter_mut().find(continues) {
            Some(grid) => grid.push(row),
            None => grids.push(vec![row]),
        }
    }
    grids
}

/// The columns of a grid as fields; `values` are those of its rows.
fn columns(grid: &[FieldCandidate], values: &[String]) -> Vec<FieldCandidate> {
    let column = |idx: usize| {
        let cells: Vec<Rect> = grid.iter().map(|row| row.layout.cells()[idx]).collect();
        let is_in = |letter: &&Rect| cells.iter().any(|cell| cell.contains(letter.centre()));
        FieldCandidate {
            letters: grid.iter().flat_map(|row| &row.letters).filter(is_in).copied().collect(),
            values: values.to_vec(),
            ..FieldCandidate::new(Shape::Bubbles, FieldLayout::Comb { cells, printed: PrintedSides::NONE })
        }
    };
    (0..grid[0].layout.cells().len()).map(column).collect()
}

/// A word for each bubble of a row; `None` if one has none.
fn each(row: &FieldCandidate, word: impl Fn(Rect) -> Option<usize>) -> Option<Vec<usize>> {
    row.layout.cells().iter().map(|cell| word(*cell)).collect()
}

fn are_distinct(values: &[String]) -> bool {
    let mut sorted: Vec<String> = values.iter().map(|value| value.to_ascii_lowercase()).collect();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

/// The words that may be values, with their numbers.
fn candidates(words: &[TextWord]) -> impl Iterator<Item = (usize, &TextWord)> {
    let is_value = |word: &TextWord| {
        !word.text.is_empty()
            && word.text.len() <= MAX_VALUE_BYTES
            && word.text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    words.iter().enumerate().filter(move |(_, word)| is_value(word))
}

fn word_in(cell: Rect, words: &[TextWord]) -> Option<usize> {
    candidates(words).find(|(_, word)| cell.contains(word.bounds.centre())).map(|(idx, _)| idx)
}

/// The nearest word above a bubble that is no wider than the way to the next bubble.
fn word_above(cell: Rect, words: &[TextWord]) -> Option<usize> {
    let gap = |word: &TextWord| cell.y0 - word.bounds.y1;
    candidates(words)
        .filter(|(_, word)| (word.bounds.centre().x - cell.centre().x).abs() <= cell.width() / 2.0)
        .filter(|(_, word)| (-0.5..=MAX_ABOVE_MM).contains(&gap(word)))
        .min_by(|a, b| gap(a.1).total_cmp(&gap(b.1)))
        .map(|(idx, _)| idx)
}

/// The word after a bubble of a row with these `cells`, if it is the only one before the next bubble.
fn word_after(cell: Rect, cells: &[Rect], words: &[TextWord]) -> Option<usize> {
    let next = cells.iter().map(|other| other.x0).filter(|x0| *x0 > cell.x1).fold(f64::INFINITY, f64::min);
    let is_level = |word: &TextWord| (word.bounds.y0..=word.bounds.y1).contains(&cell.centre().y);
    let mut after = words.iter().enumerate().filter(|(_, word)| {
        let x = word.bounds.x0;
        is_level(word) && x >= cell.x1 && x < next.min(cell.x1 + 8.0 * MAX_AFTER_MM)
    });
    let (idx, word) = after.next()?;
    let is_alone = after.next().is_none() && word.bounds.x0 - cell.x1 <= MAX_AFTER_MM;
    (is_alone && candidates(words).any(|(other, _)| other == idx)).then_some(idx)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(xs: &[f64], y: f64) -> FieldCandidate {
        let cells = xs.iter().map(|x| Rect::from_xywh(*x, y, 4.0, 3.0)).collect();
        let values = (1..=xs.len()).map(|n| n.to_string()).collect();
        let layout = FieldLayout::Comb { cells, printed: PrintedSides::NONE };
        FieldCandidate { values, ..FieldCandidate::new(Shape::Bubbles, layout) }
    }

    fn word(text: &str, x: f64, y: f64) -> TextWord {
        TextWord { text: text.to_owned(), bounds: Rect::from_xywh(x, y, 1.4 * text.len() as f64, 2.0) }
    }

    fn values(found: &[FieldCandidate]) -> Vec<String> {
        found.iter().map(|field| field.values.join(" ")).collect()
    }

    #[test]
    fn letters_above_the_first_row_are_the_values_of_all_rows_and_no_captions() {
        let rows = [10.0, 16.0, 22.0].map(|y| row(&[20.0, 30.0, 40.0], y)).to_vec();
        let words: Vec<TextWord> =
            vec![word("A", 21.3, 6.0), word("B", 31.3, 6.0), word("C", 41.3, 6.0), word("17", 12.0, 10.5)];
        let (found, is_value) = with_values(rows, &words);
        assert_eq!(values(&found), ["A B C"; 3]);
        assert_eq!(is_value, [true, true, true, false]);
    }

    #[test]
    fn words_after_bubbles_are_values_and_those_of_two_words_are_not() {
        let words = [word("Yes", 25.0, 10.5), word("No", 45.0, 10.5)];
        assert_eq!(values(&with_values(vec![row(&[20.0, 40.0], 10.0)], &words).0), ["Yes No"]);
        let words = [word("Yes", 25.0, 10.5), word("No", 45.0, 10.5), word("idea", 50.0, 10.5)];
        assert_eq!(values(&with_values(vec![row(&[20.0, 40.0], 10.0)], &words).0), ["1 2"]);
    }

    #[test]
    fn grid_with_a_digit_in_each_bubble_has_a_field_a_column() {
        let rows: Vec<FieldCandidate> = (0..4).map(|i| row(&[20.0, 30.0], 10.0 + 5.0 * f64::from(i))).collect();
        let digit = |i: i32, x: f64| word(&i.to_string(), x, 10.5 + 5.0 * f64::from(i));
        let words: Vec<TextWord> = (0..4).flat_map(|i| [digit(i, 21.3), digit(i, 31.3)]).collect();
        let (found, is_value) = with_values(rows, &words);
        assert_eq!(values(&found), ["0 1 2 3", "0 1 2 3"]);
        assert!(is_value.iter().all(|is| *is));
        assert!(found.iter().all(|field| field.layout.cells().windows(2).all(|pair| pair[0].y0 < pair[1].y0)));
    }

    #[test]
    fn rows_without_words_keep_their_numbers() {
        assert_eq!(values(&with_values(vec![row(&[20.0, 30.0, 40.0], 10.0)], &[]).0), ["1 2 3"]);
    }
}
