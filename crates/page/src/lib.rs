//! Decoding of scans: the bytes of a file become pages, upright in grey, with the resolution where it is known.
//!
//! [`open`] recognises the format by the first bytes of a file and returns a reader that decodes one page at a time.

#![cfg_attr(not(test), warn(clippy::cast_possible_truncation))]

mod damage;
mod decode;
pub mod decoder_process;
mod fax;
mod grey;
mod ifd;
mod jpeg;
mod jpeg2000;
mod kind;
mod limits;
mod orientation;
pub mod pdf;
mod polarity;
mod resolution;
pub mod scans;
mod single;
mod source;
mod stored;
mod tiff;
mod unpack;

use image::GrayImage;

use formread_raster::geometry::{Point, Rect};

pub use decode::{Pages, catch_panic, open};
pub use kind::has_scan_extension;
pub use limits::{Deadline, Limits};
pub use orientation::Orientation;
pub use polarity::is_light_on_dark;

/// One page of a file.
#[derive(Debug, Clone)]
pub struct Page {
    /// [H, W] u8, 0 black .. 255 white; turned by the orientation in the file, dark ink on light ground, square pixels.
    pub pixels: GrayImage,
    /// Pixels per inch, where the file gives it and it is plausible.
    pub dpi: Option<f64>,
    /// How the pixels as stored in the file became `pixels`.
    pub orientation: Orientation,
    /// Width and height of the pixels as stored. They differ from those of `pixels` where the page is stored on its side, and
    /// where its pixels are not square (a fax may have half as many rows per inch as columns).
    pub stored_size: [u32; 2],
}

impl Page {
    /// A page whose stored pixels are upright and square.
    pub fn upright(pixels: GrayImage, dpi: Option<f64>) -> Self {
        let stored_size = [pixels.width(), pixels.height()];
        Self { pixels, dpi, orientation: Orientation::default(), stored_size }
    }

    /// Maps a point of `pixels` to the scan as stored. Coordinates are continuous in both: the pixel in column i covers
    /// i to i + 1.
    pub fn stored_from_page(&self, p: Point) -> Point {
        let [width, height] = [self.pixels.width(), self.pixels.height()].map(f64::from);
        let [x, y] = self.orientation.undo([p.x, p.y], [width, height]);
        let [squared_width, squared_height] =
            if self.orientation.swaps_axes() { [height, width] } else { [width, height] };
        let [stored_width, stored_height] = self.stored_size.map(f64::from);
        Point::new(x * stored_width / squared_width, y * stored_height / squared_height)
    }

    /// Maps a box of `pixels` to the scan as stored. Coordinates as in [`Page::stored_from_page`].
    pub fn stored_bounds(&self, r: Rect) -> Rect {
        let a = self.stored_from_page(Point::new(r.x0, r.y0));
        let b = self.stored_from_page(Point::new(r.x1, r.y1));
        Rect::from_edges(a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y))
    }

    /// Maps a box of the scan as stored to `pixels`: the inverse of [`Page::stored_bounds`].
    pub fn page_bounds(&self, stored: Rect) -> Rect {
        let [width, height] = [self.pixels.width(), self.pixels.height()].map(f64::from);
        let origin = self.stored_from_page(Point::default());
        let [right, down] = [Point::new(width, 0.0), Point::new(0.0, height)].map(|p| self.stored_from_page(p));
        // each axis of the page is parallel to one of the scan, so a projection gives its coordinate
        let along = |p: Point, end: Point, side: f64| {
            let axis = [end.x - origin.x, end.y - origin.y];
            let length = axis[0] * axis[0] + axis[1] * axis[1];
            if length > 0.0 { side * ((p.x - origin.x) * axis[0] + (p.y - origin.y) * axis[1]) / length } else { 0.0 }
        };
        let page = |p: Point| Point::new(along(p, right, width), along(p, down, height));
        let (a, b) = (page(Point::new(stored.x0, stored.y0)), page(Point::new(stored.x1, stored.y1)));
        Rect::from_edges(a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_bounds_of_every_orientation_give_the_stored_pixel() {
        let stored = GrayImage::from_fn(5, 3, |x, y| image::Luma([(16 * y + x) as u8]));
        for code in 1..=8 {
            let orientation = Orientation::from_exif(code).expect("1 to 8 are the codes there are");
            let page = Page {
                pixels: orientation.apply(stored.clone()),
                dpi: None,
                orientation,
                stored_size: [stored.width(), stored.height()],
            };
            for (x, y, value) in page.pixels.enumerate_pixels() {
                let pixel = Rect::from_xywh(f64::from(x), f64::from(y), 1.0, 1.0);
                let there = page.stored_bounds(pixel);
                let back = page.page_bounds(there);
                let off = [back.x0 - pixel.x0, back.y0 - pixel.y0, back.x1 - pixel.x1, back.y1 - pixel.y1];
                assert!(off.iter().all(|off| off.abs() < 1e-9), "orientation {code}: {back:?}, not {pixel:?}");
                assert_eq!((there.width(), there.height()), (1.0, 1.0), "orientation {code}");
                assert_eq!(stored.get_pixel(there.x0 as u32, there.y0 as u32), value, "orientation {code}");
            }
        }
    }

    #[test]
    fn stored_point_of_a_squared_page_is_in_the_stored_rows() {
        // 204 x 102 dpi, stored on its side: squaring doubles the rows, turning makes them columns
        let page = Page {
            pixels: GrayImage::new(200, 120),
            dpi: Some(204.0),
            orientation: Orientation { mirrored: false, quarter_turns: 1 },
            stored_size: [120, 100],
        };
        // the first stored row is the rightmost column of the page
        assert_eq!(page.stored_from_page(Point::new(200.0, 0.0)), Point::new(0.0, 0.0));
        assert_eq!(page.stored_from_page(Point::new(190.0, 30.0)), Point::new(30.0, 5.0));
        let all = page.stored_bounds(Rect::from_xywh(0.0, 0.0, 200.0, 120.0));
        assert_eq!(all, Rect::from_xywh(0.0, 0.0, 120.0, 100.0));
        let back = page.page_bounds(Rect::from_xywh(0.0, 0.0, 30.0, 5.0));
        assert_eq!((back.x0, back.x1.round(), back.y1.round()), (190.0, 200.0, 30.0));
    }
}
