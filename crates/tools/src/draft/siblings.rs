//! Small frames that are faint, or of which a side is gone, found by the others of their size: tick boxes of hairlines on
//! a copy.

use super::cells::{Cell, Ink, THICK_SHARE, enclosed, pieces};
use formread_raster::geometry::{Point, Rect, Segment};

/// Longer side of a small frame, millimetres.
const SMALL_MM: f64 = 6.5;
/// Frames of one size differ by no more than this, millimetres.
const ALIKE_MM: f64 = 0.35;
/// How many others of its size a faint frame needs.
const MIN_SIBLINGS: usize = 3;
/// How much shorter or longer than a side the straight piece along it may be, millimetres: corners are no part of it.
const PIECE_MM: [f64; 2] = [0.8, 0.3];
/// Share of a side that is inked, where it is there.
const SIDE_SHARE: f64 = 0.7;
/// Most ink inside its lines, as a share of the area.
const MAX_INSIDE_SHARE: f64 = 0.03;

/// The small frames that `cells`, found in clear ink, lack. `faint`: ink of less contrast, with the clear.
pub(super) fn faint_siblings(cells: &[Cell], faint: &Ink) -> Vec<Cell> {
    let k = faint.px_per_mm;
    let size = |cell: &Cell| [cell.frame.width(), cell.frame.height()];
    let are_alike = |a: [f64; 2], b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= ALIKE_MM * k);
    let is_small = |cell: &&Cell| cell.is_free && size(cell).iter().all(|side| *side <= SMALL_MM * k);
    let small: Vec<[f64; 2]> = cells.iter().filter(is_small).map(size).collect();
    let n_like = |own: [f64; 2]| small.iter().filter(|other| are_alike(own, **other)).count();
    // each size that there is, the most frequent first
    let mut kinds: Vec<(usize, [f64; 2])> = small.iter().map(|own| (n_like(*own), *own)).collect();
    kinds.retain(|(n, _)| *n >= MIN_SIBLINGS);
    kinds.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let mut sizes: Vec<[f64; 2]> = Vec::new();
    for (_, size) in kinds {
        if !sizes.iter().any(|other| are_alike(size, *other)) {
            sizes.push(size);
        }
    }
    if sizes.is_empty() {
        return Vec::new();
    }
    let is_wanted = |cell: &Cell| cell.is_free && sizes.iter().any(|other| are_alike(size(cell), *other));
    let mut found: Vec<Cell> = enclosed(faint).into_iter().filter(is_wanted).collect();
    found.extend(sizes.iter().flat_map(|size| three_sided(faint, *size)));
    let mut added: Vec<Cell> = Vec::new();
    for cell in found {
        let overlaps = |other: &Cell| {
            other.frame.area() < 4.0 * cell.frame.area() && other.frame.intersection(cell.frame).is_some()
        };
        if !cells.iter().chain(&added).any(overlaps) {
            added.push(cell);
        }
    }
    added
}

/// Frames of this width and height, pixels, with both upright sides and at least one of the others.
fn three_sided(ink: &Ink, [width, height]: [f64; 2]) -> Vec<Cell> {
    let k = ink.px_per_mm;
    let reach = ALIKE_MM * k;
    let is_side = |s: &Segment| (height - PIECE_MM[0] * k..=height + PIECE_MM[1] * k).contains(&s.length());
    let mut upright: Vec<Segment> = pieces(ink).vertical.into_iter().filter(is_side).collect();
    upright.sort_by(|s, t| s.middle().x.total_cmp(&t.middle().x));
    let mut found = Vec::new();
    for (i, left) in upright.iter().enumerate() {
        let apart = |right: &Segment| right.middle().x - left.middle().x - width;
        let rights = upright[i + 1..].iter().skip_while(|right| apart(right) < -reach);
        for right in rights.take_while(|right| apart(right) <= reach) {
            if (right.middle().y - left.middle().y).abs() > reach {
                continue;
            }
            // pieces are of pixel centres
            let middle = (left.middle() + right.middle()) * 0.5 + Point::new(0.5, 0.5);
            let (x0, x1) = (left.middle().x + 0.5, right.middle().x + 0.5);
            let level = |expected: f64| {
                let steps = (-reach.ceil() as i64..=reach.ceil() as i64).map(|d| expected + d as f64);
                steps.max_by(|a, b| inked(ink, x0, x1, *a).total_cmp(&inked(ink, x0, x1, *b)))
            };
            let [top, bottom] = [-height / 2.0, height / 2.0].map(|off| level(middle.y + off));
            let (Some(top), Some(bottom)) = (top, bottom) else { continue };
            let [there_top, there_bottom] = [top, bottom].map(|y| inked(ink, x0, x1, y) >= SIDE_SHARE);
            let (y0, y1) = match (there_top, there_bottom) {
                (true, true) => (top, bottom),
                (true, false) => (top, top + height),
                (false, true) => (bottom - height, bottom),
                (false, false) => continue,
            };
            let frame = Rect::from_edges(x0, y0, x1, y1);
            let cell = Cell::around(ink, frame);
            let inside = frame.inflate(-THICK_SHARE / 2.0 * width.min(height) - 1.0);
            if cell.is_free && ink.mm2_within(inside) * k * k <= MAX_INSIDE_SHARE * inside.area() {
                found.push(cell);
            }
        }
    }
    found
}

/// Share of the level place from `x0` to `x1` at `y` that is inked.
fn inked(ink: &Ink, x0: f64, x1: f64, y: f64) -> f64 {
    let place = Rect::from_edges(x0, y - 0.5, x1, y + 0.5);
    ink.mm2_within(place) * ink.px_per_mm.powi(2) / place.area()
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::super::{cells::find_cells, sheet::Sheet};
    use super::*;
    use formread_raster::geometry::Projection;

    /// Five boxes in a column; of the third the top is gone, the fourth is faint.
    #[test]
    fn a_faint_box_and_one_without_its_top_are_found_by_the_others() {
        let boxes: Vec<Rect> = (0..5).map(|i| Rect::from_xywh(100.5, 60.5 + 60.0 * f64::from(i), 22.0, 26.0)).collect();
        let pixels = GrayImage::from_fn(300, 400, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let on = |r: &Rect| r.inflate(1.0).contains(p) && !r.inflate(-1.0).contains(p);
            let is_gone = on(&boxes[2]) && p.y < boxes[2].y0 + 1.5 && (102.0..121.0).contains(&p.x);
            Luma([if !boxes.iter().any(on) || is_gone {
                250
            } else if on(&boxes[3]) {
                234
            } else {
                150
            }])
        });
        let sheet = Sheet { pixels, px_per_mm: 12.0, page_from_sheet: Projection::IDENTITY };
        let cells = find_cells(&Ink::of(&sheet), &Ink::faint(&sheet));
        assert_eq!(cells.len(), 5, "{cells:?}");
        for frame in boxes {
            let near = |cell: &&Cell| (cell.frame.centre() - frame.centre()).norm() < 1.5;
            assert!(cells.iter().any(|cell| near(&cell)), "{frame:?} is not in {cells:?}");
        }
    }
}
