//! An upright grey crop of an area of a picture.

use image::GrayImage;

use super::Sampler;
use crate::geometry::{Point, Projection, Rect};

/// Longest side of a crop, pixels: longer than any page at the resolution of crops. It bounds the memory that a template can ask for.
const MAX_SIDE_PX: f64 = 6_000.0;

/// Samples `area` (in millimetres) as an upright crop of `px_per_mm`, each side at most 6,000 pixels: [H, W] u8 as in the picture, white
/// outside of it. Pixel `i` covers `i .. i + 1`. Where the picture is coarser than the crop it is interpolated by cubics, where it
/// is finer it is averaged.
pub fn rectify(picture: &GrayImage, picture_from_area: &Projection, area: Rect, px_per_mm: f64) -> GrayImage {
    let width = (area.width() * px_per_mm).ceil().clamp(1.0, MAX_SIDE_PX) as u32;
    let height = (area.height() * px_per_mm).ceil().clamp(1.0, MAX_SIDE_PX) as u32;
    let [xx, xy, yx, yy] = picture_from_area.jacobian(area.centre());
    let sampler = Sampler::new([xx.hypot(xy) / px_per_mm, yx.hypot(yy) / px_per_mm]);
    let places =
        |n_px: u32, from: f64| (0..n_px).map(move |px| from + (f64::from(px) + 0.5) / px_per_mm).collect::<Vec<f64>>();
    let xs = places(width, area.x0);
    let mut crop = Vec::with_capacity(width as usize * height as usize);
    for y in places(height, area.y0) {
        crop.extend(xs.iter().map(|&x| sampler.grey(picture, picture_from_area.apply(Point::new(x, y)))));
    }
    GrayImage::from_raw(width, height, crop).expect("it has a pixel for each place")
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    #[test]
    fn crop_of_a_rotated_page_is_upright() {
        // A dark square of 2 mm at (10, 20) mm, on a page of 8 px/mm turned by 5 degrees.
        let map = Projection::rotation(5f64.to_radians()).compose(&Projection::scaling(8.0, 8.0));
        let back = map.inverse().expect("it is regular");
        let square = Rect::from_xywh(10.0, 20.0, 2.0, 2.0);
        let page = GrayImage::from_fn(200, 300, |x, y| {
            let p = back.apply(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
            Luma([if square.contains(p) { 0 } else { 255 }])
        });
        let crop = rectify(&page, &map, square.inflate(1.0), 10.0);
        assert_eq!(crop.dimensions(), (40, 40));
        for (x, y) in [(12, 12), (27, 12), (12, 27), (27, 27), (20, 20)] {
            assert!(crop.get_pixel(x, y)[0] < 60, "({x}, {y}) is inside");
        }
        for (x, y) in [(7, 20), (32, 20), (20, 7), (20, 32)] {
            assert!(crop.get_pixel(x, y)[0] > 200, "({x}, {y}) is outside");
        }
    }

    #[test]
    fn crop_outside_of_the_page_is_white() {
        let page = GrayImage::from_pixel(10, 10, Luma([0]));
        let crop = rectify(&page, &Projection::scaling(10.0, 10.0), Rect::from_xywh(5.0, 5.0, 1.0, 1.0), 10.0);
        assert!(crop.pixels().all(|p| p[0] == 255));
    }
}
