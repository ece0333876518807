//! Draws a field's lattice on its ink.

use image::{RgbImage, imageops};

use super::{CandidateCut, FieldExplanation, MAX_CUTS_SCALE, PICTURE_HEIGHT, SMALL_TEXT};
use crate::draw::{self, Colour, GREEN, GREY, MAGENTA, PALE, below, dark_on_white, draw_line, framed, paper, scaled};
use formread_core::segment::FieldPictures;
use formread_raster::geometry::{Point, Rect};

/// Height of a row of brackets below the ink, pixels. A bracket marks a candidate.
const BRACKET_PX: u32 = 8;
/// Maximum number of rows of candidates that were not chosen; the text lists the others.
const MAX_BRACKET_ROWS: usize = 12;

/// Draws the ink, the nodes, where one digit may end and the next begin, and the candidates between them; at most
/// `max_width` pixels wide.
pub(super) fn draw_cuts(pictures: &FieldPictures, field: &FieldExplanation, max_width: u32) -> RgbImage {
    let area = ink_area(pictures, &field.candidates);
    let [x, y, width, height] = area;
    let ink = imageops::crop_imm(&pictures.cleaned, x, y, width, height).to_image();
    let scale = (f64::from(max_width - 2) / f64::from(width)).min(f64::from(PICTURE_HEIGHT) / f64::from(height));
    let scale = scale.min(MAX_CUTS_SCALE);
    let mut ink = scaled(&dark_on_white(&ink), scale);
    let to_picture = |at: f64| (at - f64::from(x)) * scale;
    let bottom = f64::from(ink.height());
    let nodes = node_positions(field, &pictures.cells);
    for node in nodes.iter().flatten() {
        draw_line(&mut ink, [Point::new(to_picture(*node), 0.0), Point::new(to_picture(*node), bottom)], PALE, 0..=1);
    }
    let ink = framed(&ink, PALE, 1);
    let width = ink.width();
    let numbers = node_numbers(nodes.iter().map(|node| node.map(to_picture)), width);
    let span = |cut: &CandidateCut| {
        cut.bounds.map(|[left, _, w, _]| [to_picture(f64::from(left)), to_picture(f64::from(left + w))])
    };
    let (chosen, others): (Vec<&CandidateCut>, Vec<&CandidateCut>) = field.candidates.iter().partition(|c| c.is_chosen);
    let mut rows = vec![numbers, ink];
    rows.push(draw_brackets(&chosen.into_iter().filter_map(span).collect::<Vec<_>>(), GREEN, width));
    for row in stack_spans(others.into_iter().filter_map(span).collect()).into_iter().take(MAX_BRACKET_ROWS) {
        rows.push(draw_brackets(&row, MAGENTA, width));
    }
    below(rows, 2)
}

/// Draws the numbers of the nodes in a row `width` wide, if there is room. `positions` are in pixels from the left.
fn node_numbers(positions: impl Iterator<Item = Option<f64>>, width: u32) -> RgbImage {
    let mut row = paper(width, SMALL_TEXT);
    let mut free_from = 0;
    for (node, position) in positions.enumerate() {
        let Some(position) = position else { continue };
        let number = draw::text(&node.to_string(), SMALL_TEXT, GREY);
        let half = f64::from(number.width()) / 2.0;
        let left = (position - half).clamp(0.0, f64::from(width.saturating_sub(number.width()))) as u32;
        if left >= free_from {
            imageops::replace(&mut row, &number, i64::from(left), 0);
            free_from = left + number.width() + 4;
        }
    }
    row
}

/// The part of a field's crop that is shown, with all cells and all ink: left, top, width and height, pixels of the crop.
fn ink_area(pictures: &FieldPictures, candidates: &[CandidateCut]) -> [u32; 4] {
    let ink = candidates.iter().filter_map(|cut| cut.bounds).map(|bounds| {
        let [x, y, w, h] = bounds.map(f64::from);
        Rect::from_xywh(x, y, w, h)
    });
    let all = pictures.cells.iter().copied().chain(ink).reduce(Rect::union).unwrap_or_default().inflate(6.0);
    let (width, height) = pictures.cleaned.dimensions();
    let clamp = |edge: f64, max: u32| edge.round().clamp(0.0, f64::from(max)) as u32;
    let [x0, y0] = [clamp(all.x0, width.saturating_sub(1)), clamp(all.y0, height.saturating_sub(1))];
    let [x1, y1] = [clamp(all.x1, width), clamp(all.y1, height)];
    [x0, y0, x1.saturating_sub(x0).max(1), y1.saturating_sub(y0).max(1)]
}

/// Position of each node, pixels from the left edge of the crop. In a comb it is the border between two cells; elsewhere
/// it is half way between the ink that ends at the node and the ink that begins there, or at the edge of the only one of
/// the two. `None` if there is neither.
fn node_positions(field: &FieldExplanation, cells: &[Rect]) -> Vec<Option<f64>> {
    if let ([first, _, ..], [.., last]) = (cells, cells)
        && field.n_nodes == cells.len() + 1
    {
        let between = cells.windows(2).map(|pair| (pair[0].x1 + pair[1].x0) / 2.0);
        return std::iter::once(first.x0).chain(between).chain([last.x1]).map(Some).collect();
    }
    let edge = |node: usize| {
        let inked = field.candidates.iter().filter_map(|cut| Some((cut, cut.bounds?)));
        let ends =
            inked.clone().filter(|(cut, _)| cut.to == node).map(|(_, [x, _, w, _])| f64::from(x + w)).reduce(f64::max);
        let begins = inked.filter(|(cut, _)| cut.from == node).map(|(_, [x, ..])| f64::from(x)).reduce(f64::min);
        match (ends, begins) {
            (Some(ends), Some(begins)) => Some((ends + begins) / 2.0),
            (one, other) => one.or(other),
        }
    };
    (0..field.n_nodes).map(edge).collect()
}

/// Arranges spans in rows without overlaps, short ones first.
fn stack_spans(mut spans: Vec<[f64; 2]>) -> Vec<Vec<[f64; 2]>> {
    spans.sort_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])).then(a[0].total_cmp(&b[0])));
    let mut rows: Vec<Vec<[f64; 2]>> = Vec::new();
    for span in spans {
        let is_free =
            |row: &&mut Vec<[f64; 2]>| row.iter().all(|other| span[1] + 4.0 <= other[0] || other[1] + 4.0 <= span[0]);
        match rows.iter_mut().find(is_free) {
            Some(row) => row.push(span),
            None => rows.push(vec![span]),
        }
    }
    rows
}

/// Draws a row of brackets: for each span a line with a tick at both ends.
fn draw_brackets(spans: &[[f64; 2]], colour: Colour, width: u32) -> RgbImage {
    let mut row = paper(width, BRACKET_PX);
    let bottom = f64::from(BRACKET_PX) - 2.0;
    for [left, right] in spans {
        draw_line(&mut row, [Point::new(*left, bottom), Point::new(*right, bottom)], colour, 0..=1);
        for end in [left, right] {
            draw_line(&mut row, [Point::new(*end, 0.0), Point::new(*end, bottom)], colour, 0..=1);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacked_spans_never_overlap_and_all_are_kept() {
        let spans: Vec<[f64; 2]> =
            (0..20).map(|i| [f64::from(i % 7) * 11.0, f64::from(i % 7) * 11.0 + f64::from(i)]).collect();
        let rows = stack_spans(spans.clone());
        assert_eq!(rows.iter().map(Vec::len).sum::<usize>(), spans.len());
        for row in rows {
            for (i, a) in row.iter().enumerate() {
                assert!(row.iter().skip(i + 1).all(|b| a[1] <= b[0] || b[1] <= a[0]), "{row:?}");
            }
        }
    }
}
