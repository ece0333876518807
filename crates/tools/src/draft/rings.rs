//! Circles and ellipses to be filled in, as answer sheets have them: inside one is a piece of paper with a round edge.
//!
//! A lone ring may be a letter or a part of a drawing. So a ring counts only if another one of its size lies in its row or column.

use std::ops::RangeInclusive;

use image::Luma;
use imageproc::{
    definitions::Image,
    distance_transform::Norm,
    morphology::dilate,
    region_labelling::{Connectivity, connected_components},
};

use super::{
    cells::is_clear_around,
    fields::{FieldCandidate, Shape, in_reading_order},
    ink::{Ink, in_mm, in_px, label_bounds},
    letters::letter_in,
};
use formread_core::form::{FieldLayout, MAX_CELLS, PrintedSides};
use formread_raster::{
    geometry::{Point, Rect},
    label_components,
};

/// Height and width of a ring, millimetres, and the larger over the smaller. Letters of small print are smaller.
const HEIGHT_MM: RangeInclusive<f64> = 2.3..=7.0;
const WIDTH_MM: RangeInclusive<f64> = 2.3..=10.0;
const MAX_PROPORTION: f64 = 2.6;
/// How far its edge may lie off an ellipse, millimetres and pixels: the larger counts.
const MAX_OFF_MM: f64 = 0.16;
const MAX_OFF_PX: f64 = 1.3;
/// Share of its edge that must be so near.
const MIN_ON_EDGE: f64 = 0.85;
/// Thickest outline, as a share of the smaller side, or in millimetres.
const MAX_LINE_SHARE: f64 = 0.16;
const MAX_LINE_MM: f64 = 0.5;
/// Width and height of the box within a ring that its outline does not touch, as a share of the ring's.
const INSIDE_SHARE: f64 = 0.6;
/// What a letter is looked for in is larger by this, millimetres: so much is left out at its edges.
const LETTER_MARGIN_MM: f64 = 0.35;
/// Largest ink in an empty ring, as a share of its area: dust.
const MAX_DUST_SHARE: f64 = 0.01;
/// A letter of the same word lies no farther than this from a ring that is a letter, and its upper and lower edge differ by at most this,
/// in heights of the ring.
const LETTER_GAP: f64 = 0.5;
const LETTER_OFF: f64 = 0.12;
/// Rings of one size differ by no more than this, millimetres, and lie in one row or column to within this share of their height.
const SAME_MM: f64 = 0.4;
const IN_ROW: f64 = 0.3;
/// Largest gap between rings of a row that belong together, in widths of a ring and in millimetres.
const MAX_GAP: f64 = 4.0;
const MAX_GAP_MM: f64 = 14.0;

/// A ring, millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ring {
    /// The middle of its outline.
    frame: Rect,
    /// The letter that is printed in it.
    letter: Option<Rect>,
}

/// The rings of a sheet that are to be filled in, in reading order: those that follow each other in a row are one field. `faint`:
/// all ink, down to a lower contrast.
pub(super) fn find_rings(ink: &Ink, faint: &Ink) -> Vec<FieldCandidate> {
    let mut rings = rings_in(ink);
    for ring in rings_in(faint) {
        if !rings.iter().any(|other| other.frame.intersection(ring.frame).is_some()) {
            rings.push(ring);
        }
    }
    let is_kin = |a: &Ring, b: &Ring| {
        let (r, s) = (a.frame, b.frame);
        let is_level = (r.centre().y - s.centre().y).abs() <= IN_ROW * r.height();
        let is_above = (r.centre().x - s.centre().x).abs() <= IN_ROW * r.width();
        r != s
            && (r.width() - s.width()).abs() <= SAME_MM
            && (r.height() - s.height()).abs() <= SAME_MM
            && (is_level || is_above)
    };
    let others = shapes_of_letters(ink, &rings);
    let is_letter = |ring: &Ring| others.iter().any(|other| is_next_letter(ring.frame, *other));
    rings.retain(|ring| !is_letter(ring));
    let kept: Vec<Ring> = rings.iter().filter(|ring| rings.iter().any(|other| is_kin(ring, other))).copied().collect();
    let is_choice = |row: &Vec<Ring>| (2..=MAX_CELLS).contains(&row.len());
    let fields = |row: Vec<Ring>| if is_choice(&row) { vec![choice(&row)] } else { row.iter().map(lone).collect() };
    rows(kept).into_iter().flat_map(fields).collect()
}

/// The bounds of what is as large as a ring and is none, millimetres.
fn shapes_of_letters(ink: &Ink, rings: &[Ring]) -> Vec<Rect> {
    let bounds = |[x0, y0, x1, y1]: [u32; 4]| {
        let r = Rect::from_edges(f64::from(x0), f64::from(y0), f64::from(x1) + 1.0, f64::from(y1) + 1.0);
        in_mm(r, ink.px_per_mm)
    };
    let shapes = label_bounds(&label_components(&ink.mask)).into_iter().flatten().map(bounds);
    let is_ring = |r: &Rect| rings.iter().any(|ring| ring.frame.contains(r.centre()));
    shapes.filter(|r| HEIGHT_MM.contains(&r.height()) && !is_ring(r)).collect()
}

/// Whether `other` is the letter before or after a ring that is a letter as well: as high, on the same line, and close.
fn is_next_letter(ring: Rect, other: Rect) -> bool {
    let height = ring.height();
    let gap = (other.x0 - ring.x1).max(ring.x0 - other.x1);
    let is_level =
        (other.y0 - ring.y0).abs() <= LETTER_OFF * height && (other.y1 - ring.y1).abs() <= LETTER_OFF * height;
    is_level && other.width() <= 2.0 * height && (0.0..=LETTER_GAP * height).contains(&gap)
}

/// The box of a ring. What is filled in is measured a fifth of the shorter side within it; there the outline of a long ellipse
/// must not be, so the box is shorter.
fn cell(ring: &Ring) -> Rect {
    let [width, height] = [ring.frame.width(), ring.frame.height()];
    let fifth = (1.0 - INSIDE_SHARE) * width.min(height);
    let [width, height] = [width, height].map(|side| INSIDE_SHARE * side + fifth);
    let Point { x, y } = ring.frame.centre();
    Rect::from_edges(x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0)
}

/// The field of a ring that is alone in its row.
fn lone(ring: &Ring) -> FieldCandidate {
    let layout = FieldLayout::Box { frame: cell(ring), printed: PrintedSides::NONE };
    FieldCandidate { letters: ring.letter.into_iter().collect(), ..FieldCandidate::new(Shape::Bubble, layout) }
}

/// The field of a row of rings, with their numbers as values.
fn choice(row: &[Ring]) -> FieldCandidate {
    let layout = FieldLayout::Comb { cells: row.iter().map(cell).collect(), printed: PrintedSides::NONE };
    FieldCandidate {
        groups: vec![row.len()],
        letters: row.iter().filter_map(|ring| ring.letter).collect(),
        values: (1..=row.len()).map(|n| n.to_string()).collect(),
        ..FieldCandidate::new(Shape::Bubbles, layout)
    }
}

/// Rows of rings of one size with even gaps, in reading order.
fn rows(mut rings: Vec<Ring>) -> Vec<Vec<Ring>> {
    rings.sort_by(|a, b| a.frame.x0.total_cmp(&b.frame.x0));
    let mut rows: Vec<Vec<Ring>> = Vec::new();
    for ring in rings {
        let follows = |row: &&mut Vec<Ring>| {
            let last = row[row.len() - 1].frame;
            let gap = ring.frame.x0 - last.x1;
            let before = row.len().checked_sub(2).map(|i| last.x0 - row[i].frame.x1);
            (ring.frame.centre().y - last.centre().y).abs() <= IN_ROW * last.height()
                && (ring.frame.width() - last.width()).abs() <= SAME_MM
                && (0.0..=(MAX_GAP * last.width()).min(MAX_GAP_MM)).contains(&gap)
                && before.is_none_or(|before| gap <= 2.0 * before + SAME_MM)
        };
        match rows.iter_mut().find(follows) {
            Some(row) => row.push(ring),
            None => rows.push(vec![ring]),
        }
    }
    in_reading_order(&mut rows, |row| row.iter().map(|ring| ring.frame).reduce(Rect::union).unwrap_or_default());
    rows
}

fn rings_in(ink: &Ink) -> Vec<Ring> {
    if ink.mask.len() < 2 {
        // imageproc cannot label a picture of a single pixel
        return Vec::new();
    }
    // the outline of a pale ring is broken: it is made thicker by a pixel on either side
    let mut paper = dilate(&ink.mask, Norm::LInf, 1);
    image::imageops::invert(&mut paper);
    let labels = connected_components(&paper, Connectivity::Four, Luma([0]));
    let bounds = label_bounds(&labels);
    let ring = |(label, bounds): (usize, &Option<[u32; 4]>)| ring_around(ink, label as u32, (*bounds)?, &labels);
    let mut rings: Vec<Ring> = bounds.iter().enumerate().filter_map(ring).collect();
    rings.retain(|ring| HEIGHT_MM.contains(&ring.frame.height()) && WIDTH_MM.contains(&ring.frame.width()));
    rings
}

/// The ring around the piece of paper `label` with these bounds (left, top, right, bottom, inclusive).
fn ring_around(ink: &Ink, label: u32, [x0, y0, x1, y1]: [u32; 4], labels: &Image<Luma<u32>>) -> Option<Ring> {
    let k = ink.px_per_mm;
    let (width, height) = (f64::from(x1 - x0) + 1.0, f64::from(y1 - y0) + 1.0);
    // the paper is narrower than its ring
    let is_sized = |px: f64, range: &RangeInclusive<f64>| (0.5 * range.start()..=*range.end()).contains(&(px / k));
    if !is_sized(width, &WIDTH_MM)
        || !is_sized(height, &HEIGHT_MM)
        || width.max(height) > MAX_PROPORTION * width.min(height)
    {
        return None;
    }
    let is_own = |x: u32, y: u32| labels.get_pixel(x, y)[0] == label;
    let centre = Point::new(f64::from(x0) + width / 2.0, f64::from(y0) + height / 2.0);
    let max_off = (MAX_OFF_MM * k).max(MAX_OFF_PX);
    // how far a point lies off the ellipse in these bounds, to the first order
    let off = |p: Point| {
        let at = Point::new((p.x - centre.x) / (width / 2.0), (p.y - centre.y) / (height / 2.0));
        let gradient = Point::new(at.x / (width / 2.0), at.y / (height / 2.0)).norm();
        (at.dot(at) - 1.0).abs() / (2.0 * gradient).max(f64::MIN_POSITIVE)
    };
    let ends = |y: u32| Some([(x0..=x1).find(|x| is_own(*x, y))?, (x0..=x1).rev().find(|x| is_own(*x, y))? + 1]);
    let edge = (y0..=y1)
        .flat_map(|y| ends(y).into_iter().flatten().map(move |x| Point::new(f64::from(x), f64::from(y) + 0.5)));
    let n_on = edge.filter(|p| off(*p) <= max_off).count() as f64;
    // a box has its corners, a ring has not: at a tenth of the height from the top a ring is 0.6 times as wide as in the middle
    let near_top = y0 + (0.1 * height) as u32;
    let near_bottom = y1 - (0.1 * height) as u32;
    let width_at = |y: u32| ends(y).map_or(0.0, |[from, to]| f64::from(to - from));
    let is_round = [near_top, near_bottom].into_iter().all(|y| width_at(y) <= 0.85 * width);
    if n_on < MIN_ON_EDGE * 2.0 * height || !is_round {
        return None;
    }
    // the outline, in the middle of its sides
    let max_run = (MAX_LINE_SHARE * width.min(height)).max(MAX_LINE_MM * k).ceil() as i64 + 2;
    let (cx, cy) = (centre.x as i64, centre.y as i64);
    let outwards = |x: i64, y: i64, step: [i64; 2]| {
        // past the pixel by which the ink was made thicker
        let [dx, dy] = step;
        let first = (1..=3).find(|i| ink.run_length(x + i * dx, y + i * dy, step, 1) > 0)?;
        let run = ink.run_length(x + first * dx, y + first * dy, step, max_run);
        (run < max_run).then_some(first as f64 + run as f64 / 2.0 - 1.0)
    };
    let left = f64::from(x0) - outwards(i64::from(x0), cy, [-1, 0])?;
    let right = f64::from(x1) + 1.0 + outwards(i64::from(x1), cy, [1, 0])?;
    let top = f64::from(y0) - outwards(cx, i64::from(y0), [0, -1])?;
    let bottom = f64::from(y1) + 1.0 + outwards(cx, i64::from(y1), [0, 1])?;
    let frame = Rect::from_edges(left, top, right, bottom);
    if !is_clear_around(ink, frame) {
        return None;
    }
    let frame = in_mm(frame, k);
    let [half_width, half_height] = [frame.width(), frame.height()].map(|side| INSIDE_SHARE / 2.0 * side);
    let Point { x, y } = frame.centre();
    let inside = Rect::from_edges(x - half_width, y - half_height, x + half_width, y + half_height);
    let is_empty = ink.mm2_within(in_px(inside, k)) <= MAX_DUST_SHARE * frame.area();
    let letter = if is_empty { None } else { Some(letter_in(inside.inflate(LETTER_MARGIN_MM), ink)?.bounds) };
    Some(Ring { frame, letter })
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::{super::sheet::Sheet, *};
    use formread_raster::geometry::Projection;

    /// At 10 px/mm: two rows of four ellipses, one of which has a letter, a row of boxes with round corners, and a lone ring.
    #[test]
    fn rows_of_ellipses_are_found_and_boxes_and_lone_rings_are_not() {
        let rings: Vec<Rect> = [10.0, 20.0]
            .into_iter()
            .flat_map(|y| [10.0, 18.0, 26.0, 34.0].map(|x| Rect::from_xywh(x, y, 5.0, 3.2)))
            .chain([Rect::from_xywh(70.0, 30.0, 4.0, 4.0)])
            .collect();
        let boxes = [10.0, 18.0, 26.0].map(|x| Rect::from_xywh(x, 30.0, 4.0, 4.0));
        let letter = Rect::from_xywh(20.0, 10.9, 0.4, 1.4);
        let on_ring = |r: &Rect, p: Point| {
            let (a, b) = (r.width() / 2.0, r.height() / 2.0);
            let at = Point::new((p.x - r.centre().x) / a, (p.y - r.centre().y) / b);
            (at.dot(at) - 1.0).abs() / (2.0 * Point::new(at.x / a, at.y / b).norm()).max(1e-9) < 0.15
        };
        let on_box = |r: &Rect, p: Point| r.inflate(0.15).contains(p) && !r.inflate(-0.15).contains(p);
        let pixels = GrayImage::from_fn(900, 450, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5) * 0.1;
            let is_ink =
                rings.iter().any(|r| on_ring(r, p)) || boxes.iter().any(|r| on_box(r, p)) || letter.contains(p);
            Luma([if is_ink { 40 } else { 245 }])
        });
        let sheet = Sheet { pixels, px_per_mm: 10.0, page_from_sheet: Projection::IDENTITY };
        let found = find_rings(&Ink::new(&sheet), &Ink::faint(&sheet));
        let values: Vec<String> = found.iter().map(|field| field.values.join(" ")).collect();
        assert_eq!(values, ["1 2 3 4", "1 2 3 4"], "{found:?}");
        for (cell, ring) in found.iter().flat_map(|field| field.layout.cells()).zip(&rings) {
            let off = cell.centre() - ring.centre();
            assert!(off.norm() < 0.1 && (cell.height() - 3.2).abs() < 0.15, "{cell:?}");
        }
        assert_eq!(found.iter().map(|field| field.letters.len()).collect::<Vec<_>>(), [1, 0]);
    }
}
