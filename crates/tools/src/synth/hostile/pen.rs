//! A pen: smooth strokes whose width varies a little.

use image::{GrayImage, Luma};
use rand::RngExt;

use crate::synth::{Dice, sheet::Sheet};
use formread_raster::geometry::{Point, Rect, Segment};

/// Length of the straight pieces of a smooth stroke, millimetres.
const PIECE_MM: f64 = 0.25;
/// Maximum number of straight pieces between two points of a stroke.
const MAX_PIECES: f64 = 400.0;
/// Change of the width along a stroke, as a share of the width.
const WIDTH_CHANGE: f64 = 0.14;
/// Width at both ends of a stroke, as a share of the width.
const END_WIDTH: f64 = 0.8;
/// Length over which a stroke gets its full width, millimetres.
const END_MM: f64 = 0.5;
/// Range of the width of a dot, as a share of the width of a stroke.
const DOT_WIDTHS: std::ops::Range<f64> = 1.2..1.9;
/// Deviation of a straight line drawn by hand, as a share of its length.
const TREMOR: f64 = 0.008;
/// Distance of the points of a straight line drawn by hand, millimetres.
const TREMOR_MM: f64 = 12.0;

/// A pen with its ink.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pen {
    /// Width of a stroke, millimetres.
    pub width_mm: f64,
    /// Darkness of the ink, 0 to 1.
    pub darkness: f64,
}

impl Pen {
    /// Draws smooth strokes through the points of `paths`, in millimetres. A path of one point is a dot; a point given twice is
    /// a corner. Strokes of one call do not darken each other where they cross.
    pub fn draw(self, sheet: &mut Sheet, paths: &[Vec<Point>], dice: &mut Dice) {
        let lines: Vec<Vec<Point>> = paths.iter().map(|path| smooth(path)).collect();
        let Some(mut mask) = Mask::new(sheet, lines.iter().flatten().copied(), self.width_mm) else { return };
        for line in &lines {
            let length: f64 = line.windows(2).map(|pair| (pair[1] - pair[0]).norm()).sum();
            let (phase, wave) = (dice.random_range(0.0..std::f64::consts::TAU), dice.random_range(0.6..1.6));
            let width_at = |along: f64| {
                let end = (along.min(length - along) / END_MM).clamp(0.0, 1.0);
                let change = 1.0 + WIDTH_CHANGE * (phase + wave * along).sin();
                self.width_mm * change * (END_WIDTH + (1.0 - END_WIDTH) * end)
            };
            if let [dot] = line[..] {
                mask.add_piece(dot, dot, dice.random_range(DOT_WIDTHS) * self.width_mm);
            }
            let mut along = 0.0;
            for pair in line.windows(2) {
                mask.add_piece(pair[0], pair[1], width_at(along));
                along += (pair[1] - pair[0]).norm();
            }
        }
        sheet.stamp(&mask.cover, mask.x, mask.y, self.darkness);
    }

    /// Fills the shape inside `outline`, a closed line of points in millimetres.
    pub fn fill(self, sheet: &mut Sheet, outline: &[Point]) {
        let Some(mut mask) = Mask::new(sheet, outline.iter().copied(), self.width_mm) else { return };
        let inside = outline.to_vec();
        mask.add(mask.bounds_mm(), |point, px_mm| {
            let edges = inside.iter().zip(inside.iter().cycle().skip(1));
            let (mut is_inside, mut distance) = (false, f64::MAX);
            for (a, b) in edges {
                distance = distance.min(Segment::new(*a, *b).distance_to(point));
                let crosses = (a.y > point.y) != (b.y > point.y);
                if crosses && point.x < a.x + (point.y - a.y) / (b.y - a.y) * (b.x - a.x) {
                    is_inside = !is_inside;
                }
            }
            let beyond = if is_inside { -distance } else { distance };
            0.5 - beyond / px_mm
        });
        sheet.stamp(&mask.cover, mask.x, mask.y, self.darkness);
    }
}

/// A line from `a` to `b` that is straight as far as a hand can draw it.
pub(super) fn hand_line(a: Point, b: Point, dice: &mut Dice) -> Vec<Point> {
    let along = b - a;
    let length = along.norm();
    let n = (length / TREMOR_MM).ceil().clamp(2.0, 40.0) as u32;
    let reach = TREMOR * length.min(4.0 * TREMOR_MM);
    let across = if length > 0.0 { Point::new(-along.y, along.x) * (1.0 / length) } else { Point::default() };
    (0..=n)
        .map(|i| {
            let shift = if i == 0 || i == n { 0.0 } else { dice.random_range(-1.0..1.0) * reach };
            a + along * (f64::from(i) / f64::from(n)) + across * shift
        })
        .collect()
}

/// A ring around the ellipse in `bounds`, drawn by hand: the ends overlap and do not quite meet.
pub(super) fn hand_ring(bounds: Rect, dice: &mut Dice) -> Vec<Point> {
    const N_POINTS: u32 = 14;
    let (centre, a, b) = (bounds.centre(), bounds.width() / 2.0, bounds.height() / 2.0);
    let start = dice.random_range(-2.6..-0.6);
    let sweep = std::f64::consts::TAU + dice.random_range(0.05..0.7);
    let (drift, squash) = (dice.random_range(-0.08..0.08), dice.random_range(-0.05..0.05));
    let turn = if dice.random_bool(0.7) { -1.0 } else { 1.0 };
    (0..=N_POINTS)
        .map(|i| {
            let t = f64::from(i) / f64::from(N_POINTS);
            let angle = start + turn * sweep * t;
            let radius = 1.0 + drift * (t - 0.5) + squash * (2.0 * angle).sin() + dice.random_range(-0.02..0.02);
            centre + Point::new(a * radius * angle.cos(), b * radius * angle.sin())
        })
        .collect()
}

/// The points of a smooth curve through `path` (E. Catmull and R. Rom, "A class of local interpolating splines", 1974).
fn smooth(path: &[Point]) -> Vec<Point> {
    let mut line: Vec<Point> = path.first().copied().into_iter().collect();
    for (i, pair) in path.windows(2).enumerate() {
        let (a, b) = (pair[0], pair[1]);
        let length = (b - a).norm();
        if length == 0.0 {
            continue;
        }
        let before = i.checked_sub(1).map_or(a, |i| path[i]);
        let after = path.get(i + 2).copied().unwrap_or(b);
        let (leave, arrive) = ((b - before) * 0.5, (after - a) * 0.5);
        let n = (length / PIECE_MM).ceil().clamp(1.0, MAX_PIECES) as u32;
        for step in 1..=n {
            let t = f64::from(step) / f64::from(n);
            let (t2, t3) = (t * t, t * t * t);
            line.push(
                a * (2.0 * t3 - 3.0 * t2 + 1.0)
                    + leave * (t3 - 2.0 * t2 + t)
                    + b * (3.0 * t2 - 2.0 * t3)
                    + arrive * (t3 - t2),
            );
        }
    }
    line
}

/// How far each pixel of a part of a sheet is covered with ink, 0 to 255.
struct Mask {
    cover: GrayImage,
    /// Left and top pixel on the sheet.
    x: i64,
    y: i64,
    px_per_mm: f64,
}

impl Mask {
    /// The part of `sheet` around `points` in millimetres, with a margin; `None` if that is off the sheet.
    fn new(sheet: &Sheet, points: impl Iterator<Item = Point>, margin_mm: f64) -> Option<Self> {
        let k = sheet.px_per_mm;
        let (width, height) = sheet.pixels.dimensions();
        let on_sheet = Rect::from_edges(0.0, 0.0, f64::from(width) / k, f64::from(height) / k);
        let area = Rect::around(points)?.inflate(margin_mm + 2.0 / k).intersection(on_sheet)?;
        let (x, y) = ((area.x0 * k).floor(), (area.y0 * k).floor());
        let side = |low: f64, high: f64| ((high * k).ceil() - low).max(1.0) as u32;
        Some(Self { cover: GrayImage::new(side(x, area.x1), side(y, area.y1)), x: x as i64, y: y as i64, px_per_mm: k })
    }

    fn bounds_mm(&self) -> Rect {
        let mm = |px: f64| px / self.px_per_mm;
        let (x, y) = (mm(self.x as f64), mm(self.y as f64));
        Rect::from_xywh(x, y, mm(f64::from(self.cover.width())), mm(f64::from(self.cover.height())))
    }

    fn add_piece(&mut self, a: Point, b: Point, width_mm: f64) {
        let Some(bounds) = Rect::around([a, b]) else { return };
        let half = width_mm / 2.0;
        self.add(bounds.inflate(half + 1.0 / self.px_per_mm), |point, px_mm| {
            // a line thinner than a pixel covers it in part
            let cover = 0.5 + (half - Segment::new(a, b).distance_to(point)) / px_mm;
            cover.min(width_mm / px_mm)
        });
    }

    /// Covers each pixel in `area_mm` by at least `cover`, which gets its centre and its side in millimetres.
    fn add(&mut self, area_mm: Rect, cover: impl Fn(Point, f64) -> f64) {
        let k = self.px_per_mm;
        let clip = |mm: f64, origin: i64, side: u32| (mm * k - origin as f64).clamp(0.0, f64::from(side));
        let (width, height) = self.cover.dimensions();
        let columns = clip(area_mm.x0, self.x, width).floor() as u32..clip(area_mm.x1, self.x, width).ceil() as u32;
        let rows = clip(area_mm.y0, self.y, height).floor() as u32..clip(area_mm.y1, self.y, height).ceil() as u32;
        for y in rows {
            for x in columns.clone() {
                let centre =
                    Point::new((self.x as f64 + f64::from(x) + 0.5) / k, (self.y as f64 + f64::from(y) + 0.5) / k);
                let level = (cover(centre, 1.0 / k).clamp(0.0, 1.0) * 255.0).round() as u8;
                let pixel = self.cover.get_pixel_mut(x, y);
                *pixel = Luma([pixel.0[0].max(level)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::synth::sheet::PAPER;

    fn ink_at(sheet: &Sheet, x: f64, y: f64) -> bool {
        sheet.pixels.get_pixel((x * sheet.px_per_mm) as u32, (y * sheet.px_per_mm) as u32).0[0] < PAPER / 2
    }

    #[test]
    fn stroke_goes_through_its_points_and_is_as_dark_where_it_crosses_itself() {
        let (mut sheet, dice) = (Sheet::new(20.0, 20.0, 10.0), &mut Dice::seed_from_u64(2));
        let pen = Pen { width_mm: 0.5, darkness: 0.6 };
        let at = |x: f64, y: f64| Point::new(x, y);
        pen.draw(&mut sheet, &[vec![at(2.0, 2.0), at(18.0, 18.0)], vec![at(18.0, 2.0), at(2.0, 18.0)]], dice);
        for (x, y) in [(5.0, 5.0), (10.0, 10.0), (5.0, 15.0)] {
            assert!(ink_at(&sheet, x, y), "at {x}, {y}");
        }
        assert!(!ink_at(&sheet, 10.0, 4.0));
        let darkest = sheet.pixels.pixels().map(|pixel| pixel.0[0]).min();
        assert_eq!(darkest, Some((f64::from(PAPER) * 0.4).round() as u8));
    }

    #[test]
    fn smooth_line_passes_all_points_and_has_corners_where_one_is_given_twice() {
        let at = |x: f64, y: f64| Point::new(x, y);
        let path = [at(0.0, 0.0), at(5.0, 5.0), at(5.0, 5.0), at(10.0, 0.0)];
        let line = smooth(&path);
        assert!(path.iter().all(|point| line.iter().any(|on| (*on - *point).norm() < 1e-9)));
        let lowest = line.iter().map(|point| point.y).fold(0.0, f64::max);
        assert!((lowest - 5.0).abs() < 1e-9, "the corner is at {lowest}");
        let round = smooth(&[at(0.0, 0.0), at(5.0, 5.0), at(10.0, 5.0), at(15.0, 0.0)]);
        assert!(round.iter().any(|point| point.y > 5.3), "it is round");
    }

    #[test]
    fn filled_outline_has_ink_inside_only() {
        let mut sheet = Sheet::new(20.0, 20.0, 10.0);
        let square = [Point::new(5.0, 5.0), Point::new(15.0, 5.0), Point::new(15.0, 15.0), Point::new(5.0, 15.0)];
        Pen { width_mm: 0.3, darkness: 1.0 }.fill(&mut sheet, &square);
        assert!(ink_at(&sheet, 10.0, 10.0) && ink_at(&sheet, 5.2, 14.8));
        assert!(!ink_at(&sheet, 4.5, 10.0) && !ink_at(&sheet, 16.0, 16.0));
    }

    #[test]
    fn ink_off_the_sheet_is_ignored() {
        let (mut sheet, dice) = (Sheet::new(2.0, 2.0, 10.0), &mut Dice::seed_from_u64(2));
        let blank = sheet.pixels.clone();
        let pen = Pen { width_mm: 0.5, darkness: 1.0 };
        pen.draw(&mut sheet, &[vec![Point::new(-9.0, -9.0), Point::new(-5.0, 90.0)], Vec::new()], dice);
        assert_eq!(sheet.pixels, blank);
        pen.draw(&mut sheet, &[hand_line(Point::new(-9.0, 1.0), Point::new(900.0, 1.0), dice)], dice);
        assert_ne!(sheet.pixels, blank);
    }

    #[test]
    fn ring_goes_all_around_its_bounds() {
        let bounds = Rect::from_xywh(10.0, 10.0, 30.0, 12.0);
        for seed in 0..20 {
            let ring = hand_ring(bounds, &mut Dice::seed_from_u64(seed));
            let around = Rect::around(ring.iter().copied()).expect("it has points");
            assert!((around.width() - 30.0).abs() < 5.0 && (around.height() - 12.0).abs() < 3.0, "{around:?}");
            let inner = Rect::from_xywh(16.0, 12.5, 18.0, 7.0);
            assert!(ring.iter().all(|point| !inner.contains(*point)), "{ring:?}");
        }
    }
}
