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
    // ink within the box at a shift, and that ink less the ink around it
    let fill = |ink: &InkBetween<'_>, columns: &Edges| {
        let inside = ink.inside.px(columns.inside);
        (inside, 2.0 * inside - ink.with_margin.px(columns.with_margin))
    };
    let on_rows = |row: &Edges| InkBetween {
        inside: evidence.ink_between_rows(row.inside),
        with_margin: evidence.ink_between_rows(row.with_margin),
    };
    // all shifts of a square grid about a shift, with their clear ink; row by row
    let grid = |about: Point, reach_px: f64, step_px: f64, visit: &mut dyn FnMut(Point, f64)| {
        let n = (reach_px / step_px).floor() as i32;
        let along = |from: f64, i: i32| from + f64::from(i) * step_px;
        let columns: Vec<_> = (-n..=n).map(|i| along(about.x, i)).map(|x| (x, column(x))).collect();
        for y in (-n..=n).map(|j| along(about.y, j)) {
            let ink = on_rows(&row(y));
            columns.iter().for_each(|(x, column)| visit(Point::new(*x, y), fill(&ink, column).1));
        }
    };
    let step_px = (params.step_mm * px_per_mm).max(1.0);
    // of equal ones the nearest
    let mut rough: Option<(f64, Point)> = None;
    grid(Point::default(), reach_mm * px_per_mm, step_px, &mut |shift, clear| {
        // most have less ink, and no distance makes up for that
        if rough.is_none_or(|(best, _)| clear >= best) {
            let score = clear - 1e-6 * shift.norm();
            if rough.is_none_or(|(best, _)| score >= best) {
                rough = Some((score, shift));
            }
        }
    });
    let (_, rough) = rough?;
    let mut fine: Vec<(Point, f64)> = Vec::with_capacity(MAX_FINE_SHIFTS);
    grid(rough, step_px, step_px / 4.0, &mut |shift, clear| fine.push((shift, clear)));
    let best = fine.iter().map(|(_, clear)| *clear).fold(f64::MIN, f64::max);
    // where the box is larger than its ink many shifts are as good: their middle
    let as_good = fine.iter().filter(|(_, clear)| *clear >= best - params.tie_share * best.abs());
    let (sum, n) = as_good.fold((Point::default(), 0usize), |(sum, n), (shift, _)| (sum + *shift, n + 1));
    let shift = sum * (1.0 / n.max(1) as f64);
    let (ink, clear) = fill(&on_rows(&row(shift.y)), &column(shift.x));
    let area = width * height * px_per_mm * px_per_mm;
    (ink >= params.min_ink_share * area && clear >= params.min_clear_share * ink).then_some(shift)
}

/// Shifts of the fine grid, nine by nine.
const MAX_FINE_SHIFTS: usize = 81;

/// Ink between the upper and the lower edge of a box, as it is and with its margin.
struct InkBetween<'a> {
    inside: InkOfRows<'a>,
    with_margin: InkOfRows<'a>,
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
