//! A page to draw on, turned upright.

use image::{GrayImage, RgbImage, buffer::ConvertBuffer};

use super::{Colour, draw_ink, draw_line, font::text_ink};
use formread_raster as raster;
use formread_raster::{
    geometry::{Point, Rect, Segment},
    rotate_point_back,
};

/// Sizes of what is drawn on a page, and how pale the page is. Shares are of the page's longer side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CanvasStyle {
    /// How much of the page shows through, 0 (white) to 1 (as it is).
    pub page_strength: f64,
    /// Height of a line of text, as a share.
    pub text_share: f64,
    /// Smallest height of a line of text, pixels.
    pub min_text_px: u32,
    /// Reach of a line to either side of its middle, as a share.
    pub line_share: f64,
    /// Smallest such reach, pixels.
    pub min_line_px: i32,
    /// How much of the page the ground behind a text hides, 0 to 1.
    pub text_cover: f64,
}

impl CanvasStyle {
    /// Height of a line of text on a picture of this size, pixels.
    pub fn text_px(&self, width: u32, height: u32) -> u32 {
        ((self.text_share * f64::from(width.max(height))).round() as u32).max(self.min_text_px)
    }

    fn line_px(&self, width: u32, height: u32) -> i32 {
        ((self.line_share * f64::from(width.max(height))).round() as i32).max(self.min_line_px)
    }
}

/// A page to draw on, turned upright. Points and corners are given in pixels of the page as it was before that.
#[derive(Debug)]
pub(crate) struct PageCanvas {
    pub pixels: RgbImage,
    /// Height of a line of text, pixels.
    pub text_px: u32,
    /// Reach of a line to either side of its middle, pixels.
    pub line_px: i32,
    style: CanvasStyle,
    /// Quarters clockwise that the page was turned back by.
    quarters: u8,
    /// Width and height of the page before that.
    size: [f64; 2],
}

impl PageCanvas {
    /// The page, which lies turned by `quarters` quarters clockwise.
    pub fn new(page: &GrayImage, quarters: u8, style: CanvasStyle) -> Self {
        let mut upright = raster::rotate_back(page, quarters);
        for pixel in upright.pixels_mut() {
            pixel.0[0] = (255.0 - style.page_strength * (255.0 - f64::from(pixel.0[0]))).round() as u8;
        }
        let (width, height) = page.dimensions();
        Self {
            pixels: upright.convert(),
            text_px: style.text_px(width, height),
            line_px: style.line_px(width, height),
            style,
            quarters,
            size: [f64::from(width), f64::from(height)],
        }
    }

    fn upright_point(&self, p: Point) -> Point {
        rotate_point_back(p, self.quarters, self.size)
    }

    /// Bounds on the canvas of four corners on the page.
    pub fn bounds(&self, corners: [Point; 4]) -> Rect {
        Rect::around(corners.map(|p| self.upright_point(p))).unwrap_or_default()
    }

    /// Draws a line that reaches `reach_px` pixels to either side of its middle.
    pub fn line(&mut self, line: Segment, colour: Colour, reach_px: i32) {
        let ends = [line.a, line.b].map(|p| self.upright_point(p));
        draw_line(&mut self.pixels, ends, colour, -reach_px..=reach_px);
    }

    /// Draws the sides between four corners, as [`line`](Self::line) does.
    pub fn outline(&mut self, corners: [Point; 4], colour: Colour, reach_px: i32) {
        for (a, b) in corners.into_iter().zip(corners.into_iter().cycle().skip(1)) {
            self.line(Segment::new(a, b), colour, reach_px);
        }
    }

    /// Writes `text` with its top left corner at `at` on the canvas, moved inside where it would leave the canvas.
    pub fn text(&mut self, at: Point, text: &str, colour: Colour) {
        let Some(ink) = text_ink(text, self.text_px) else { return };
        let start = |at: f64, room: u32, length: u32| at.min(f64::from(room.saturating_sub(length))).max(0.0) as u32;
        let left = start(at.x, self.pixels.width(), ink.width());
        let top = start(at.y, self.pixels.height(), ink.height());
        draw_ink(&mut self.pixels, [left, top], &ink, colour, self.style.text_cover);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{MAGENTA, RED, quarter_turns};
    use formread_raster::geometry::Projection;

    const STYLE: CanvasStyle = CanvasStyle {
        page_strength: 1.0,
        text_share: 0.009,
        min_text_px: 9,
        line_share: 0.001,
        min_line_px: 0,
        text_cover: 0.75,
    };

    #[test]
    fn point_on_turned_page_maps_to_same_pixel_of_upright_canvas() {
        let mut pixels = GrayImage::from_pixel(300, 200, image::Luma([255]));
        pixels.put_pixel(40, 30, image::Luma([0]));
        for turns in 0..4u8 {
            let angle = f64::from(turns) * std::f64::consts::FRAC_PI_2;
            let (s, c) = angle.sin_cos();
            let map = Projection([c, -s, 150.0, s, c, 100.0, 0.0, 0.0, 1.0]);
            assert_eq!(quarter_turns(&map), turns);
            let canvas = PageCanvas::new(&pixels, turns, STYLE);
            let there = canvas.upright_point(Point::new(40.5, 30.5));
            assert_eq!(canvas.pixels.get_pixel(there.x as u32, there.y as u32).0, [0; 3], "{turns} quarters");
        }
    }

    #[test]
    fn text_and_lines_past_edge_are_cut_off() {
        let page = GrayImage::from_pixel(60, 40, image::Luma([255]));
        let mut canvas = PageCanvas::new(&page, 0, STYLE);
        canvas.text(Point::new(50.0, 39.0), "longer than the page is wide", RED);
        canvas.outline(Rect::from_xywh(-20.0, 10.0, 200.0, 100.0).corners(), MAGENTA, 1);
        assert!(canvas.pixels.pixels().any(|p| *p == MAGENTA));
        assert!(canvas.pixels.pixels().any(|p| p[0] > p[2] && *p != MAGENTA));
    }
}
