//! A part of a page, upright and scaled for a person, with outlines.

use image::{GrayImage, RgbImage, buffer::ConvertBuffer, imageops};

use super::{Colour, draw_line};
use formread_raster::{
    geometry::{Point, Rect},
    rotate_back, rotate_point_back,
};

/// Largest factor by which the page's pixels are enlarged.
const MAX_SCALE: f64 = 3.0;
/// A corner that lies at most so many pixels past the view's edge is drawn on the edge.
const EDGE_REACH_PX: f64 = 4.0;

/// A part of a page.
#[derive(Debug, Clone)]
pub struct View {
    /// [H, W] u8, 0 black .. 255 white.
    pub pixels: GrayImage,
    /// What is to be outlined, corner by corner, pixels of the view; may lie partly outside.
    pub outlines: Vec<[Point; 4]>,
}

impl View {
    /// The part of `page` in `area`, turned back by `quarters` clockwise, at most `max_size` pixels wide and high.
    /// `outlines` and `area` are in pixels of the page. `None` if the area does not meet the page.
    pub(crate) fn new(
        page: &GrayImage,
        area: Rect,
        quarters: u8,
        max_size: [u32; 2],
        outlines: Vec<[Point; 4]>,
    ) -> Option<Self> {
        let (width, height) = page.dimensions();
        let area = area.intersection(Rect::from_xywh(0.0, 0.0, f64::from(width), f64::from(height)))?;
        let [x, y] = [area.x0, area.y0].map(|edge| edge.floor() as u32);
        let (right, bottom) = ((area.x1.ceil() as u32).min(width), (area.y1.ceil() as u32).min(height));
        let part = imageops::crop_imm(page, x, y, right - x, bottom - y).to_image();
        let size = [part.width(), part.height()].map(f64::from);
        let upright = rotate_back(&part, quarters);
        let (across, down) = (f64::from(upright.width()), f64::from(upright.height()));
        let scale = (f64::from(max_size[0]) / across).min(f64::from(max_size[1]) / down).min(MAX_SCALE);
        let side = |length: f64| (length * scale).round().max(1.0) as u32;
        let filter = if scale < 1.0 { imageops::FilterType::Triangle } else { imageops::FilterType::CatmullRom };
        let pixels = imageops::resize(&upright, side(across), side(down), filter);
        let origin = Point::new(f64::from(x), f64::from(y));
        let place = |p: Point| rotate_point_back(p - origin, quarters, size) * scale;
        Some(Self { pixels, outlines: outlines.into_iter().map(|corners| corners.map(place)).collect() })
    }

    /// The view with its outlines drawn in `colour`.
    pub(crate) fn outlined(&self, colour: Colour) -> RgbImage {
        let mut picture: RgbImage = self.pixels.convert();
        for corners in &self.outlines {
            let corners = corners.map(|p| moved_onto_edge(p, picture.dimensions()));
            for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
                draw_line(&mut picture, [*a, *b], colour, 0..=1);
            }
        }
        picture
    }
}

/// A point that lies on the edge or just past it, moved to where a line is visible.
fn moved_onto_edge(p: Point, (width, height): (u32, u32)) -> Point {
    let near = |at: f64, length: u32| {
        let last = f64::from(length) - 2.0;
        if at > last && at < last + EDGE_REACH_PX {
            last
        } else if at < 0.0 && at > -EDGE_REACH_PX {
            0.0
        } else {
            at
        }
    };
    Point::new(near(p.x, width), near(p.y, height))
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    #[test]
    fn outline_lies_on_outlined_ink_for_each_quarter_turn() {
        let mark = Rect::from_xywh(60.0, 40.0, 20.0, 10.0);
        let page = GrayImage::from_fn(200, 300, |x, y| {
            Luma([if mark.contains(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5)) { 0 } else { 255 }])
        });
        for quarters in 0..4 {
            let view =
                View::new(&page, mark.inflate(30.0), quarters, [400, 90], vec![mark.corners()]).expect("it is there");
            assert!(view.pixels.width() <= 400 && view.pixels.height() <= 90);
            let outline = Rect::around(view.outlines[0]).expect("it has corners");
            let dark = view.pixels.enumerate_pixels().filter(|(_, _, p)| p[0] < 128);
            let ink = Rect::around(dark.map(|(x, y, _)| Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5)));
            let ink = ink.expect("the mark is dark").inflate(0.5);
            for (got, want) in [(ink.x0, outline.x0), (ink.y0, outline.y0), (ink.x1, outline.x1), (ink.y1, outline.y1)]
            {
                assert!((got - want).abs() <= 1.0, "{quarters} quarters: {ink:?} {outline:?}");
            }
        }
        assert!(View::new(&page, Rect::from_xywh(300.0, 0.0, 9.0, 9.0), 0, [9, 9], Vec::new()).is_none());
    }
}
