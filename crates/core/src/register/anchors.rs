//! Where the words and marks of a template are on a page: boxes that hold ink and have paper around them.
//!
//! Nothing is read. A word holds a placement in both directions, a line only across itself.

use super::{
    evidence::{InkOfRows, PageEvidence},
    print_params::AnchorParams,
};
use formread_raster::geometry::{Point, Projection, Rect};

/// How far the ink of the word or mark with these `bounds` (millimetres) lies from where `map` puts it, pixels of the page.
/// `None` where within `reach_mm` there is no ink with paper around it that fills the box.
pub fn locate(
    evidence: &PageEvidence,
    bounds: Rect,
    map: &Projection,
    reach_mm: f64,
    params: &AnchorParams,
) -> Option<Point> {
    let centre = map.apply(bounds.centre());
    let px_per_mm = map.scale_at(bounds.centre());
    if !evidence.is_on_page(centre) || !px_per_mm.is_finite() {
        return None;
    }
    let [a, _, c, _] = map.jacobian(bounds.centre());
    let is_across = a.abs() >= c.abs();
    let (width, height) = if is_across { (bounds.width(), bounds.height()) } else { (bounds.height(), bounds.width()) };
    let half = Point::new(width, height) * (px_per_mm / 2.0);
    let margin_px = params.margin_mm * px_per_mm;
    let column = |x: f64| Edges::new(centre.x + x, half.x, margin_px, |x| evidence.mask_column(x));
    let row = |y: f64| Edges::new(centre.y + y, half.y, margin_px, |y| evidence.mask_row(y));
    let on_rows = |row: &Edges| InkBetween {
        inside: evidence.ink_between_rows(row.inside),
        with_margin: evidence.ink_between_rows(row.with_margin),
    };
    // the columns and rows of a square grid of shifts about a shift
    let grid = |about: Point, reach_px: f64, step_px: f64| {
        let n = (reach_px / step_px).floor() as i32;
        let along = |from: f64| (-n..=n).map(move |i| from + f64::from(i) * step_px);
        let columns: Vec<(f64, Edges)> = along(about.x).map(|x| (x, column(x))).collect();
        let rows: Vec<(f64, Edges)> = along(about.y).map(|y| (y, row(y))).collect();
        (columns, rows)
    };
    let step_px = (params.step_mm * px_per_mm).max(1.0);
    let (columns, rows) = grid(Point::default(), reach_mm * px_per_mm, step_px);
    let (mut most_clear, mut rough): (i64, Option<(f64, Point)>) = (i64::MIN, None);
    for (y, row) in &rows {
        let ink = on_rows(row);
        for (x, column) in &columns {
            // most have less ink, and no distance makes up for that
            let inside = ink.inside.sum(column.inside);
            if inside < most_clear {
                continue;
            }
            let clear = ink.clear(inside, column);
            if clear < most_clear {
                continue;
            }
            // of equal ones the nearest
            let shift = Point::new(*x, *y);
            let score = evidence.ink_px(clear) - 1e-6 * shift.norm();
            if rough.is_none_or(|(best, _)| score >= best) {
                (most_clear, rough) = (clear, Some((score, shift)));
            }
        }
    }
    let (_, rough) = rough?;
    let (columns, rows) = grid(rough, step_px, step_px / 4.0);
    let mut fine: Vec<(Point, f64)> = Vec::with_capacity(columns.len() * rows.len());
    for (y, row) in &rows {
        let ink = on_rows(row);
        let clear = |column: &Edges| evidence.ink_px(ink.clear(ink.inside.sum(column.inside), column));
        fine.extend(columns.iter().map(|(x, column)| (Point::new(*x, *y), clear(column))));
    }
    let best = fine.iter().map(|(_, clear)| *clear).fold(f64::MIN, f64::max);
    // where the box is larger than its ink many shifts are as good: their middle
    let as_good = fine.iter().filter(|(_, clear)| *clear >= best - params.tie_share * best.abs());
    let (sum, n) = as_good.fold((Point::default(), 0usize), |(sum, n), (shift, _)| (sum + *shift, n + 1));
    let shift = sum * (1.0 / n.max(1) as f64);
    let (on_rows, column) = (on_rows(&row(shift.y)), column(shift.x));
    let inside = on_rows.inside.sum(column.inside);
    let [ink, clear] = [inside, on_rows.clear(inside, &column)].map(|sum| evidence.ink_px(sum));
    let area = width * height * px_per_mm * px_per_mm;
    (ink >= params.min_ink_share * area && clear >= params.min_clear_share * ink).then_some(shift)
}

/// Ink between the upper and the lower edge of a box, as it is and with its margin.
struct InkBetween<'a> {
    inside: InkOfRows<'a>,
    with_margin: InkOfRows<'a>,
}

impl InkBetween<'_> {
    /// The ink within a box, `inside`, less the ink around it.
    #[inline]
    fn clear(&self, inside: i64, columns: &Edges) -> i64 {
        2 * inside - self.with_margin.sum(columns.with_margin)
    }
}

/// Where a box begins and ends on the mask in one direction, as it is and with its margin.
struct Edges {
    inside: [u32; 2],
    with_margin: [u32; 2],
}

impl Edges {
    fn new(middle: f64, half: f64, margin: f64, on_mask: impl Fn(f64) -> u32) -> Self {
        let [from, to] = [middle - half, middle + half];
        Self { inside: [from, to].map(&on_mask), with_margin: [from - margin, to + margin].map(&on_mask) }
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;
    use crate::register::params::EvidenceParams;
    use formread_page::Page;

    #[test]
    fn word_is_located_where_its_ink_is() {
        let map = Projection::scaling(6.0, 6.0);
        let word = Rect::from_xywh(20.0, 30.0, 18.0, 4.0);
        for shift in [Point::new(0.0, 0.0), Point::new(11.0, -5.0), Point::new(-20.0, 8.0)] {
            // strokes of letters, 6 px apart
            let pixels = GrayImage::from_fn(600, 400, |x, y| {
                let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5) - shift;
                let is_inside = word.contains(p * (1.0 / 6.0));
                Luma([if is_inside && (p.x - 120.0).rem_euclid(6.0) < 2.0 { 30 } else { 245 }])
            });
            let evidence = PageEvidence::measure(&Page::upright(pixels, None), &EvidenceParams::default());
            let found = locate(&evidence, word, &map, 6.0, &AnchorParams::default()).expect("the word is there");
            assert!((found - shift).norm() < 3.5, "{shift:?}: {found:?}");
            let elsewhere = Rect::from_xywh(60.0, 10.0, 18.0, 4.0);
            assert_eq!(locate(&evidence, elsewhere, &map, 3.0, &AnchorParams::default()), None);
        }
    }
}
