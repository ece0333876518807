//! Tick boxes of hairlines, as they look on a copy: faint, or with a side missing. They are found because clear boxes of the
//! same size are on the sheet.

use super::{
    cells::{Cell, MAX_LINE_SHARE, is_clear_above_and_below, line_pieces},
    ink::Ink,
};
use formread_raster::geometry::{Point, Rect, Segment};

/// Longest side of a small frame, millimetres.
const SMALL_MM: f64 = 6.5;
/// Frames of one size differ by no more than this, millimetres.
const SAME_SIZE_MM: f64 = 0.35;
/// Number of clear frames of the same size that a faint frame needs.
const MIN_SAME_SIZE: usize = 3;
/// How much shorter or longer than a side the straight piece along it may be, millimetres: it lacks the corners.
const PIECE_TOLERANCE_MM: [f64; 2] = [0.8, 0.3];
/// Smallest share of ink along a side that is there.
const MIN_SIDE_SHARE: f64 = 0.7;
/// Smallest share of ink along each side of a broken box, and along all of them.
const MIN_BROKEN_SHARE: f64 = 0.3;
const MEAN_BROKEN_SHARE: f64 = 0.5;
/// Places whose shares of ink, added over the sides, differ by this are equally good.
const TIE_SHARE: f64 = 0.05;
/// Width of its lines, as a share of its shorter side.
const BROKEN_INSET: f64 = 0.2;
/// Largest share of ink inside the lines.
const MAX_INSIDE_SHARE: f64 = 0.03;

/// The small frames that are missing from `cells`, which were found in clear ink. `faint`: all ink, down to a lower contrast;
/// `enclosed`: the frames in it.
pub(super) fn find_faint_boxes(cells: &[Cell], faint: &Ink, enclosed: &[Cell]) -> Vec<Cell> {
    let k = faint.px_per_mm;
    let same_size = |a: [f64; 2], b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= SAME_SIZE_MM * k);
    let is_small = |cell: &&Cell| cell.is_isolated && size(cell).iter().all(|side| *side <= SMALL_MM * k);
    let small: Vec<[f64; 2]> = cells.iter().filter(is_small).map(size).collect();
    let n_same_size = |own: [f64; 2]| small.iter().filter(|other| same_size(own, **other)).count();
    // every size, the most frequent first
    let mut kinds: Vec<(usize, [f64; 2])> = small.iter().map(|own| (n_same_size(*own), *own)).collect();
    kinds.retain(|(n, _)| *n >= MIN_SAME_SIZE);
    kinds.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let mut sizes: Vec<[f64; 2]> = Vec::new();
    for (_, size) in kinds {
        if !sizes.iter().any(|other| same_size(size, *other)) {
            sizes.push(size);
        }
    }
    if sizes.is_empty() {
        return Vec::new();
    }
    let is_wanted = |cell: &Cell| cell.is_apart && sizes.iter().any(|other| same_size(size(cell), *other));
    let mut found: Vec<Cell> = enclosed.iter().copied().filter(|cell| is_wanted(cell)).collect();
    found.extend(sizes.iter().flat_map(|size| three_sided(faint, *size)));
    for size in sizes.iter() {
        let like: Vec<Rect> = cells
            .iter()
            .chain(&found)
            .filter(|cell| cell.is_isolated && same_size(self::size(cell), *size))
            .map(|cell| cell.frame)
            .collect();
        found.extend(in_rows_and_columns(faint, &like, *size));
    }
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

fn size(cell: &Cell) -> [f64; 2] {
    [cell.frame.width(), cell.frame.height()]
}

/// Frames of this width and height (pixels) in the rows and columns of frames `like` them, with enough of each side: on a black
/// and white copy the sides of pale boxes are broken.
fn in_rows_and_columns(ink: &Ink, like: &[Rect], [width, height]: [f64; 2]) -> Vec<Cell> {
    let k = ink.px_per_mm;
    let distinct = |values: Vec<f64>| {
        let mut distinct: Vec<f64> = Vec::new();
        for value in values {
            if distinct.iter().all(|other| (other - value).abs() > SAME_SIZE_MM * k) {
                distinct.push(value);
            }
        }
        distinct
    };
    let columns = with_next(distinct(like.iter().map(|frame| frame.centre().x).collect()));
    let rows = with_next(distinct(like.iter().map(|frame| frame.centre().y).collect()));
    let reach = (SAME_SIZE_MM * k).ceil() as i32;
    let mut found = Vec::new();
    for (x, y) in rows.iter().flat_map(|y| columns.iter().map(move |x| (*x, *y))) {
        let at = |shift: Point| Rect::from_xywh(x - width / 2.0 + shift.x, y - height / 2.0 + shift.y, width, height);
        let shares = |frame: Rect| frame.edges().map(|side| share_along(ink, side));
        let total = |frame: Rect| shares(frame).iter().sum::<f64>();
        let shifts = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| [dx, dy]));
        let scored: Vec<(Point, f64)> = shifts
            .map(|[dx, dy]| Point::new(f64::from(dx), f64::from(dy)))
            .map(|shift| (shift, total(at(shift))))
            .collect();
        // its lines are wider than a pixel: of equally good places the middle
        let best = scored.iter().map(|(_, total)| *total).fold(f64::MIN, f64::max);
        let as_good = scored.iter().filter(|(_, total)| *total >= best - TIE_SHARE);
        let sum = as_good.clone().fold(Point::default(), |sum, (shift, _)| sum + *shift);
        let frame = at(sum * (1.0 / as_good.count() as f64));
        let inside = frame.inflate(-BROKEN_INSET * width.min(height));
        let is_clear = ink.mm2_within(inside) * k * k <= MAX_INSIDE_SHARE * inside.area();
        let is_outlined =
            shares(frame).iter().all(|share| *share >= MIN_BROKEN_SHARE) && total(frame) >= 4.0 * MEAN_BROKEN_SHARE;
        let cell = Cell::with_frame(ink, frame);
        if is_clear && is_outlined && cell.is_isolated && is_clear_above_and_below(ink, frame) {
            found.push(cell);
        }
    }
    found
}

/// The places of rows or columns, with those half way between them and one further at both ends, where they are evenly spaced:
/// no box of such a row may have been found.
fn with_next(mut places: Vec<f64>) -> Vec<f64> {
    places.sort_by(f64::total_cmp);
    let steps: Vec<f64> = places.windows(2).map(|two| two[1] - two[0]).collect();
    let Some(step) = steps.iter().copied().min_by(f64::total_cmp) else { return places };
    let between: Vec<f64> = places.windows(2).map(|two| (two[0] + two[1]) / 2.0).collect();
    let ends = [places[0] - step, places[places.len() - 1] + step];
    places.extend(between.into_iter().chain(ends));
    places
}

/// Share of the pixels of a line, level or plumb, that have ink on them or beside them.
fn share_along(ink: &Ink, line: Segment) -> f64 {
    let n = line.length().ceil().max(1.0) as usize;
    let normal = Point::new(-line.direction().y, line.direction().x);
    let is_inked = |i: &usize| {
        let p = line.at((*i as f64 + 0.5) / n as f64);
        [-1.0, 0.0, 1.0].into_iter().map(|off| p + normal * off).any(|q| {
            q.x >= 0.0 && q.y >= 0.0 && ink.mask.get_pixel_checked(q.x as u32, q.y as u32).is_some_and(|v| v[0] > 0)
        })
    };
    (0..n).filter(is_inked).count() as f64 / n as f64
}

/// Frames of this width and height (pixels) with both vertical sides and at least one of the others.
fn three_sided(ink: &Ink, [width, height]: [f64; 2]) -> Vec<Cell> {
    let k = ink.px_per_mm;
    let reach = SAME_SIZE_MM * k;
    let is_side =
        |s: &Segment| (height - PIECE_TOLERANCE_MM[0] * k..=height + PIECE_TOLERANCE_MM[1] * k).contains(&s.length());
    let mut upright: Vec<Segment> = line_pieces(ink).vertical.into_iter().filter(is_side).collect();
    upright.sort_by(|s, t| s.middle().x.total_cmp(&t.middle().x));
    let mut found = Vec::new();
    for (i, left) in upright.iter().enumerate() {
        let apart = |right: &Segment| right.middle().x - left.middle().x - width;
        let rights = upright[i + 1..].iter().skip_while(|right| apart(right) < -reach);
        for right in rights.take_while(|right| apart(right) <= reach) {
            if (right.middle().y - left.middle().y).abs() > reach {
                continue;
            }
            // line pieces are in pixel centres
            let middle = (left.middle() + right.middle()) * 0.5 + Point::new(0.5, 0.5);
            let (x0, x1) = (left.middle().x + 0.5, right.middle().x + 0.5);
            let level = |expected: f64| {
                let steps = (-reach.ceil() as i64..=reach.ceil() as i64).map(|d| expected + d as f64);
                steps.max_by(|a, b| ink_share(ink, x0, x1, *a).total_cmp(&ink_share(ink, x0, x1, *b)))
            };
            let [top, bottom] = [-height / 2.0, height / 2.0].map(|off| level(middle.y + off));
            let (Some(top), Some(bottom)) = (top, bottom) else { continue };
            let [has_top, has_bottom] = [top, bottom].map(|y| ink_share(ink, x0, x1, y) >= MIN_SIDE_SHARE);
            let (y0, y1) = match (has_top, has_bottom) {
                (true, true) => (top, bottom),
                (true, false) => (top, top + height),
                (false, true) => (bottom - height, bottom),
                (false, false) => continue,
            };
            let frame = Rect::from_edges(x0, y0, x1, y1);
            let cell = Cell::with_frame(ink, frame);
            let inside = frame.inflate(-MAX_LINE_SHARE / 2.0 * width.min(height) - 1.0);
            if cell.is_apart
                && is_clear_above_and_below(ink, frame)
                && ink.mm2_within(inside) * k * k <= MAX_INSIDE_SHARE * inside.area()
            {
                found.push(cell);
            }
        }
    }
    found
}

/// Share of ink on the horizontal line at `y` from `x0` to `x1`.
fn ink_share(ink: &Ink, x0: f64, x1: f64, y: f64) -> f64 {
    let place = Rect::from_edges(x0, y - 0.5, x1, y + 0.5);
    ink.mm2_within(place) * ink.px_per_mm.powi(2) / place.area()
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::{
        super::{find_cells, sheet::Sheet},
        *,
    };
    use formread_raster::geometry::Projection;

    /// Five boxes in a column; the third lacks its top, the fourth is faint.
    #[test]
    fn faint_box_and_box_without_top_are_found_by_size() {
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
        let cells = find_cells(&Ink::new(&sheet), &Ink::faint(&sheet));
        assert_eq!(cells.len(), 5, "{cells:?}");
        for frame in boxes {
            let near = |cell: &&Cell| (cell.frame.centre() - frame.centre()).norm() < 1.5;
            assert!(cells.iter().any(|cell| near(&cell)), "{frame:?} is not in {cells:?}");
        }
    }
}
