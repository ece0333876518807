//! Where the words and marks of a template are on a page: boxes that hold ink and have paper around them.
//!
//! Nothing is read. A word holds a placement in both directions, a line only across itself.

use super::{evidence::PageEvidence, print_params::AnchorParams};
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
    let fill = |shift: Point| {
        let middle = centre + shift;
        let inside = Rect::from_edges(middle.x - half.x, middle.y - half.y, middle.x + half.x, middle.y + half.y);
        let ink = evidence.ink_px(inside);
        (ink, 2.0 * ink - evidence.ink_px(inside.inflate(margin_px)))
    };
    let grid = |about: Point, reach_px: f64, step_px: f64| {
        let n = (reach_px / step_px).floor() as i32;
        let at = move |i: i32, j: i32| about + Point::new(f64::from(i) * step_px, f64::from(j) * step_px);
        (-n..=n).flat_map(move |j| (-n..=n).map(move |i| at(i, j)))
    };
    let step_px = (params.step_mm * px_per_mm).max(1.0);
    // of equal ones the nearest
    let score = |shift: Point| fill(shift).1 - 1e-6 * shift.norm();
    let rough = grid(Point::default(), reach_mm * px_per_mm, step_px).max_by(|a, b| score(*a).total_cmp(&score(*b)))?;
    let fine: Vec<(Point, f64)> = grid(rough, step_px, step_px / 4.0).map(|shift| (shift, fill(shift).1)).collect();
    let best = fine.iter().map(|(_, score)| *score).fold(f64::MIN, f64::max);
    // where the box is larger than its ink many shifts are as good: their middle
    let as_good: Vec<Point> = fine
        .iter()
        .filter(|(_, score)| *score >= best - params.tie_share * best.abs())
        .map(|(shift, _)| *shift)
        .collect();
    let shift = as_good.iter().fold(Point::default(), |sum, shift| sum + *shift) * (1.0 / as_good.len().max(1) as f64);
    let (ink, clear) = fill(shift);
    let area = width * height * px_per_mm * px_per_mm;
    (ink >= params.min_ink_share * area && clear >= params.min_clear_share * ink).then_some(shift)
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
