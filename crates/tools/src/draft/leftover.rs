//! Print that is neither a frame, nor a line, a mark or a word: leaders, logos, small signs. The template declares it, so that any
//! other ink on a page is writing.

use image::{GrayImage, Luma};

use super::{
    fields::FieldCandidate,
    ink::{Ink, in_mm, in_px, label_bounds},
};
use formread_core::form::Landmarks;
use formread_raster::{
    geometry::{Rect, Segment},
    label_components,
};

/// How far print that is declared reaches past its bounds, and a line past its middle, millimetres.
const MARGIN_MM: f64 = 0.3;
const LINE_MARGIN_MM: f64 = 0.5;
/// Smaller pieces of ink are dust, millimetres; where there are very many, the paper is grained.
const MIN_SIDE_MM: f64 = 0.25;
const MIN_GRAINED_MM: f64 = 0.6;
const MAX_PIECES: usize = 2_000;
/// Pieces this near to each other are one area, millimetres, if that is not mostly paper.
const NEAR_MM: f64 = 1.0;
const MAX_GROWTH: f64 = 2.0;
const MIN_AREA_MM2: f64 = 3.0;
/// Largest number of areas, the largest first.
const MAX_AREAS: usize = 500;

/// The areas of a sheet with print that neither `fields` nor `landmarks` declare, millimetres.
pub(super) fn other_print(ink: &Ink, fields: &[FieldCandidate], landmarks: &Landmarks) -> Vec<Rect> {
    let k = ink.px_per_mm;
    let mut left = ink.mask.clone();
    let sides = fields.iter().flat_map(|field| field.layout.printed_lines());
    let lines = sides.chain(landmarks.lines.iter().copied());
    let along = |line: Segment| Rect::around([line.a, line.b]).map(|r| r.inflate(LINE_MARGIN_MM));
    let boxes = landmarks.words.iter().map(|word| word.bounds).chain(landmarks.marks.iter().copied());
    let boxes = boxes.map(|r| r.inflate(MARGIN_MM)).chain(landmarks.print.iter().copied());
    lines.filter_map(along).chain(boxes).for_each(|r| erase(&mut left, in_px(r, k)));
    let pieces = label_bounds(&label_components(&left));
    let bounds = |[x0, y0, x1, y1]: [u32; 4]| {
        in_mm(Rect::from_edges(f64::from(x0), f64::from(y0), f64::from(x1) + 1.0, f64::from(y1) + 1.0), k)
    };
    // the outline of a bubble is around its field
    let can_have_print = |field: &&FieldCandidate| !field.shape.is_round();
    let is_in_field =
        |r: &Rect| fields.iter().filter(can_have_print).any(|field| field.layout.bounds().contains(r.centre()));
    let mut areas: Vec<Rect> = pieces.into_iter().flatten().map(bounds).filter(|r| !is_in_field(r)).collect();
    let is_larger = |min: f64| move |r: &Rect| r.width().max(r.height()) >= min;
    areas.retain(is_larger(MIN_SIDE_MM));
    if areas.len() > MAX_PIECES {
        areas.retain(is_larger(MIN_GRAINED_MM));
        areas.truncate(MAX_PIECES);
    }
    let mut areas = joined(areas);
    areas.sort_by(|a, b| b.area().total_cmp(&a.area()));
    areas.truncate(MAX_AREAS);
    areas.sort_by(|a, b| a.y0.total_cmp(&b.y0).then(a.x0.total_cmp(&b.x0)));
    areas.into_iter().filter_map(|r| r.inflate(MARGIN_MM).intersection(landmarks.page)).collect()
}

/// Joins what is near.
fn joined(mut areas: Vec<Rect>) -> Vec<Rect> {
    loop {
        let mut next: Vec<Rect> = Vec::new();
        let n_before = areas.len();
        for area in areas {
            let near = area.inflate(NEAR_MM);
            let joins = |other: &&mut Rect| {
                near.intersection(**other).is_some()
                    && other.union(area).area() <= MAX_GROWTH * (other.area() + area.area()) + MIN_AREA_MM2
            };
            match next.iter_mut().rev().find(joins) {
                Some(other) => *other = other.union(area),
                None => next.push(area),
            }
        }
        if next.len() == n_before {
            return next;
        }
        areas = next;
    }
}

fn erase(mask: &mut GrayImage, r: Rect) {
    let clip = |v: f64, n: u32| v.round().clamp(0.0, f64::from(n)) as u32;
    let (width, height) = mask.dimensions();
    for y in clip(r.y0, height)..clip(r.y1, height) {
        for x in clip(r.x0, width)..clip(r.x1, width) {
            mask.put_pixel(x, y, Luma([0]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_of_a_leader_are_one_area_and_columns_apart_are_two() {
        let dots = |y: f64| (0..20).map(move |i| Rect::from_xywh(10.0 + 0.8 * f64::from(i), y, 0.4, 0.3));
        let areas = joined(dots(10.0).chain(dots(20.0)).collect());
        assert_eq!(areas.len(), 2, "{areas:?}");
        assert!(areas.iter().all(|r| (r.width() - 15.6).abs() < 1e-9));
    }
}
