//! A field's lattice drawn on its ink.

use image::{RgbImage, imageops};

use super::{CandidateCut, FieldExplanation, MAX_CUTS_SCALE, PICTURE_HEIGHT, SMALL_TEXT};
use crate::draw::{self, Colour, GREEN, GREY, MAGENTA, PALE, below, dark_on_white, draw_line, framed, paper, scaled};
use formread_core::segment::FieldPictures;
use formread_raster::geometry::{Point, Rect};

/// Height of a row of candidates below the ink, and of the row of those that were chosen.
const BRACKET: u32 = 8;
/// Most such rows: what does not fit is in the text.
const MAX_BRACKETS: usize = 12;

/// The ink with the places where one digit may end and the next begin, and the candidates between them; at most `most`
/// pixels wide.
pub(super) fn draw_cuts(pictures: &FieldPictures, field: &FieldExplanation, most: u32) -> RgbImage {
    let area = ink_area(pictures, &field.candidates);
    let [x, y, width, height] = area;
    let ink = imageops::crop_imm(&pictures.cleaned, x, y, width, height).to_image();
    let scale = (f64::from(most - 2) / f64::from(width)).min(f64::from(PICTURE_HEIGHT) / f64::from(height));
    let scale = scale.min(MAX_CUTS_SCALE);
    let mut ink = scaled(&dark_on_white(&ink), scale);
    let across = |at: f64| (at - f64::from(x)) * scale;
    let bottom = f64::from(ink.height());
    let nodes = node_places(field, &pictures.cells);
    for node in nodes.iter().flatten() {
        draw_line(&mut ink, [Point::new(across(*node), 0.0), Point::new(across(*node), bottom)], PALE, 0..=1);
    }
    let ink = framed(&ink, PALE, 1);
    let width = ink.width();
    let numbers = node_numbers(nodes.iter().map(|node| node.map(across)), width);
    let span =
        |cut: &CandidateCut| cut.bounds.map(|[left, _, w, _]| [across(f64::from(left)), across(f64::from(left + w))]);
    let (chosen, others): (Vec<&CandidateCut>, Vec<&CandidateCut>) = field.candidates.iter().partition(|c| c.is_chosen);
    let mut rows = vec![numbers, ink];
    rows.push(brackets(&chosen.into_iter().filter_map(span).collect::<Vec<_>>(), GREEN, width));
    for row in stacked(others.into_iter().filter_map(span).collect()).into_iter().take(MAX_BRACKETS) {
        rows.push(brackets(&row, MAGENTA, width));
    }
    below(rows, 2)
}

/// The numbers of the nodes above them, where there is room: `places` are pixels of a row `width` wide.
fn node_numbers(places: impl Iterator<Item = Option<f64>>, width: u32) -> RgbImage {
    let mut row = paper(width, SMALL_TEXT);
    let mut free_from = 0;
    for (node, place) in places.enumerate() {
        let Some(place) = place else { continue };
        let number = draw::text(&node.to_string(), SMALL_TEXT, GREY);
        let half = f64::from(number.width()) / 2.0;
        let left = (place - half).clamp(0.0, f64::from(width.saturating_sub(number.width()))) as u32;
        if left >= free_from {
            imageops::replace(&mut row, &number, i64::from(left), 0);
            free_from = left + number.width() + 4;
        }
    }
    row
}

/// What is shown of a field's ink: left, top, width and height, pixels of the crop. All of what one writes in, and all ink.
fn ink_area(pictures: &FieldPictures, candidates: &[CandidateCut]) -> [u32; 4] {
    let ink = candidates.iter().filter_map(|cut| cut.bounds).map(|bounds| {
        let [x, y, w, h] = bounds.map(f64::from);
        Rect::from_xywh(x, y, w, h)
    });
    let all = pictures.cells.iter().copied().chain(ink).reduce(Rect::union).unwrap_or_default().inflate(6.0);
    let (width, height) = pictures.cleaned.dimensions();
    let clamp = |edge: f64, most: u32| edge.round().clamp(0.0, f64::from(most)) as u32;
    let [x0, y0] = [clamp(all.x0, width.saturating_sub(1)), clamp(all.y0, height.saturating_sub(1))];
    let [x1, y1] = [clamp(all.x1, width), clamp(all.y1, height)];
    [x0, y0, x1.saturating_sub(x0).max(1), y1.saturating_sub(y0).max(1)]
}

/// Where each node lies across the crop: in a comb where one cell ends and the next begins; elsewhere half way between what ends there and what begins there, or next to the one of
/// them that has ink. `None` where neither has.
fn node_places(field: &FieldExplanation, cells: &[Rect]) -> Vec<Option<f64>> {
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

/// Puts spans into rows in which none overlaps another, short ones first.
fn stacked(mut spans: Vec<[f64; 2]>) -> Vec<Vec<[f64; 2]>> {
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

/// A row of candidates: a line from end to end of each, and ticks.
fn brackets(spans: &[[f64; 2]], colour: Colour, width: u32) -> RgbImage {
    let mut row = paper(width, BRACKET);
    let foot = f64::from(BRACKET) - 2.0;
    for [left, right] in spans {
        draw_line(&mut row, [Point::new(*left, foot), Point::new(*right, foot)], colour, 0..=1);
        for end in [left, right] {
            draw_line(&mut row, [Point::new(*end, 0.0), Point::new(*end, foot)], colour, 0..=1);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_in_a_row_never_overlap_and_none_is_lost() {
        let spans: Vec<[f64; 2]> =
            (0..20).map(|i| [f64::from(i % 7) * 11.0, f64::from(i % 7) * 11.0 + f64::from(i)]).collect();
        let rows = stacked(spans.clone());
        assert_eq!(rows.iter().map(Vec::len).sum::<usize>(), spans.len());
        for row in rows {
            for (i, a) in row.iter().enumerate() {
                assert!(row.iter().skip(i + 1).all(|b| a[1] <= b[0] || b[1] <= a[0]), "{row:?}");
            }
        }
    }
}
