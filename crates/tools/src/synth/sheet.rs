//! A sheet of paper on which ink is drawn.

use image::{GrayImage, Luma, imageops};

use formread_raster::geometry::{Point, Rect, Segment};

/// Grey level of paper, 0 black .. 255 white; no paper reflects all light.
pub(super) const PAPER: u8 = 250;

/// A sheet in pixels. Positions are in millimetres from its top left corner.
pub(super) struct Sheet {
    pub pixels: GrayImage,
    pub px_per_mm: f64,
}

impl Sheet {
    /// Empty paper of `width_mm` x `height_mm` millimetres.
    pub fn new(width_mm: f64, height_mm: f64, px_per_mm: f64) -> Self {
        let side = |mm: f64| (mm * px_per_mm).round().max(1.0) as u32;
        Self { pixels: GrayImage::from_pixel(side(width_mm), side(height_mm), Luma([PAPER])), px_per_mm }
    }

    /// Draws the picture of a whole page, stretched to the sheet.
    pub fn lay(&mut self, page: &GrayImage) {
        let (width, height) = self.pixels.dimensions();
        let print = imageops::resize(page, width, height, imageops::FilterType::Triangle);
        self.pixels.iter_mut().zip(print.iter()).for_each(|(pixel, print)| *pixel = (*pixel).min(*print));
    }

    /// Draws a stroke with round ends and edges anti-aliased over one pixel. `darkness` is from 0 to 1.
    pub fn stroke(&mut self, stroke: Segment, width_mm: f64, darkness: f64) {
        let (a, b) = (stroke.a * self.px_per_mm, stroke.b * self.px_per_mm);
        let half = width_mm * self.px_per_mm / 2.0;
        let bounds = Rect::around([a, b]).expect("two points have bounds").inflate(half + 1.0);
        let line = Segment::new(a, b);
        self.for_pixels(bounds, |centre| {
            // a line thinner than a pixel darkens it in part
            (half + 0.5 - line.distance_to(centre)).clamp(0.0, 1.0).min(2.0 * half) * darkness
        });
    }

    /// Draws a printed line. Its flat ends extend by half its width, so that corners close.
    pub fn rule(&mut self, line: Segment, width_mm: f64, darkness: f64) {
        if line.a.x == line.b.x || line.a.y == line.b.y {
            let bounds = Rect::around([line.a, line.b]).expect("two points have bounds");
            self.fill(bounds.inflate(width_mm / 2.0), darkness);
        } else {
            self.stroke(line, width_mm, darkness);
        }
    }

    /// Fills an area; a pixel covered in part is darkened in part.
    pub fn fill(&mut self, area: Rect, darkness: f64) {
        let k = self.px_per_mm;
        let r = Rect::from_edges(area.x0 * k, area.y0 * k, area.x1 * k, area.y1 * k);
        self.for_pixels(r, |centre| {
            let covered = |low: f64, high: f64, c: f64| (high.min(c + 0.5) - low.max(c - 0.5)).max(0.0);
            covered(r.x0, r.x1, centre.x) * covered(r.y0, r.y1, centre.y) * darkness
        });
    }

    /// Draws `ink` (0 none .. 255 full) with its top left corner at pixel (x, y).
    pub fn stamp(&mut self, ink: &GrayImage, x: i64, y: i64, darkness: f64) {
        for (u, v, level) in ink.enumerate_pixels() {
            let (px, py) = (x + i64::from(u), y + i64::from(v));
            if let (Ok(px), Ok(py)) = (u32::try_from(px), u32::try_from(py)) {
                self.darken(px, py, f64::from(level.0[0]) / 255.0 * darkness);
            }
        }
    }

    /// Darkens each pixel that touches `bounds` (in pixels) by `cover` of its centre.
    fn for_pixels(&mut self, bounds: Rect, cover: impl Fn(Point) -> f64) {
        let (width, height) = self.pixels.dimensions();
        let clip = |value: f64, side: u32| value.clamp(0.0, f64::from(side)) as u32;
        for y in clip(bounds.y0.floor(), height)..clip(bounds.y1.ceil(), height) {
            for x in clip(bounds.x0.floor(), width)..clip(bounds.x1.ceil(), width) {
                let darkness = cover(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
                self.darken(x, y, darkness);
            }
        }
    }

    /// Darkens a pixel by a share of the light it still reflects.
    fn darken(&mut self, x: u32, y: u32, darkness: f64) {
        if darkness > 0.0
            && let Some(pixel) = self.pixels.get_pixel_mut_checked(x, y)
        {
            pixel.0[0] = (f64::from(pixel.0[0]) * (1.0 - darkness.min(1.0))).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_has_the_given_width() {
        let mut sheet = Sheet::new(10.0, 10.0, 10.0);
        sheet.rule(Segment::new(Point::new(2.0, 5.0), Point::new(8.0, 5.0)), 0.3, 1.0);
        let column: f64 =
            (0..100).map(|y| 1.0 - f64::from(sheet.pixels.get_pixel(50, y).0[0]) / f64::from(PAPER)).sum();
        assert!((column - 3.0).abs() < 0.05, "{column} pixels of ink");
        assert_eq!(sheet.pixels.get_pixel(10, 50).0[0], PAPER);
    }

    #[test]
    fn ink_off_the_sheet_is_ignored() {
        let mut sheet = Sheet::new(2.0, 2.0, 10.0);
        sheet.stamp(&GrayImage::from_pixel(10, 10, Luma([255])), -5, 15, 1.0);
        sheet.stroke(Segment::new(Point::new(-9.0, -9.0), Point::new(-1.0, -1.0)), 0.5, 1.0);
        assert_eq!(sheet.pixels.pixels().filter(|p| p.0[0] == 0).count(), 25);
    }
}
