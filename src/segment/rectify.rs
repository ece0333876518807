//! Page -> an upright grey crop at a fixed resolution.

use image::{GrayImage, imageops};

use super::CROP_PX_PER_MM;
use crate::{
    geometry::{Point, Projection, Rect},
    raster::{bicubic, bilinear},
};

/// Most samples a crop pixel takes along each axis of the page: enough for 1,200 dpi, dear beyond.
const MAX_SAMPLES: usize = 6;

/// Longest side of a crop, pixels: wider than any page at [`CROP_PX_PER_MM`]; a template cannot make us take more.
const MAX_SIDE_PX: f64 = 6_000.0;

/// Height to which a whole image is brought, pixels. Hand-written digits fill about half of a strip, so that they come
/// out at 4 to 6 mm by [`CROP_PX_PER_MM`], as they do on forms.
const STRIP_HEIGHT_PX: u32 = 96;

/// Widest strip, in heights.
const MAX_STRIP_ASPECT: f64 = 40.0;

/// Draws `area` (template millimetres) upright at [`CROP_PX_PER_MM`]: [H, W] u8 as on the page, white where the page
/// ends. Page pixel `i` covers `i .. i + 1`. Where the scan is coarser than the crop it is interpolated by cubics, where it is
/// finer it is averaged.
pub(super) fn rectify(page: &GrayImage, page_from_template: &Projection, area: Rect) -> GrayImage {
    let width = (area.width() * CROP_PX_PER_MM).ceil().clamp(1.0, MAX_SIDE_PX) as u32;
    let height = (area.height() * CROP_PX_PER_MM).ceil().clamp(1.0, MAX_SIDE_PX) as u32;
    let page_px_per_px = page_from_template.scale_at(area.centre()) / CROP_PX_PER_MM;
    let n = if page_px_per_px.is_finite() { (page_px_per_px.ceil() as usize).clamp(1, MAX_SAMPLES) } else { 1 };
    // the samples' places along each axis, millimetres, the same in every row and in every column
    let places = |n_px: u32, from: f64| -> Vec<f64> {
        let fraction = |k: usize| (k as f64 + 0.5) / n as f64;
        let place = |px: u32| (0..n).map(move |k| from + (f64::from(px) + fraction(k)) / CROP_PX_PER_MM);
        (0..n_px).flat_map(place).collect()
    };
    let (xs, ys) = (places(width, area.x0), places(height, area.y0));
    let at = |x: f64, y: f64| page_from_template.apply(Point::new(x, y));
    let mut crop = Vec::with_capacity(width as usize * height as usize);
    let mut sums = vec![0.0; width as usize];
    for ys in ys.chunks_exact(n) {
        if let [y] = ys {
            crop.extend(xs.iter().map(|&x| bicubic(page, at(x, *y))));
            continue;
        }
        sums.fill(0.0);
        for &y in ys {
            for (sum, xs) in sums.iter_mut().zip(xs.chunks_exact(n)) {
                xs.iter().for_each(|&x| *sum += bilinear(page, at(x, y)));
            }
        }
        crop.extend(sums.iter().map(|sum| (sum / (n * n) as f64).round() as u8));
    }
    GrayImage::from_raw(width, height, crop).expect("it has a pixel for each place")
}

/// A strip brought to the common height.
pub(super) fn whole_image(page: &GrayImage) -> GrayImage {
    let (width, height) = whole_image_size(page);
    imageops::resize(page, width, height, imageops::FilterType::CatmullRom)
}

/// Width and height, pixels, of the crop of a strip.
pub(super) fn whole_image_size(page: &GrayImage) -> (u32, u32) {
    let (w, h) = page.dimensions();
    let scale = f64::from(STRIP_HEIGHT_PX) / f64::from(h.max(1));
    let width = (f64::from(w) * scale).round().clamp(1.0, MAX_STRIP_ASPECT * f64::from(STRIP_HEIGHT_PX));
    (width as u32, STRIP_HEIGHT_PX)
}

/// All of a picture.
pub(super) fn whole(picture: &GrayImage) -> Rect {
    Rect::from_xywh(0.0, 0.0, f64::from(picture.width()), f64::from(picture.height()))
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    #[test]
    fn a_turned_page_comes_out_upright() {
        // A dark square of 2 mm at (10, 20) mm, on a page of 8 px/mm turned by 5 degrees.
        let map = Projection::rotation(5f64.to_radians()).compose(&Projection::scaling(8.0, 8.0));
        let back = map.inverse().expect("it is regular");
        let square = Rect::from_xywh(10.0, 20.0, 2.0, 2.0);
        let page = GrayImage::from_fn(200, 300, |x, y| {
            let p = back.apply(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
            Luma([if square.contains(p) { 0 } else { 255 }])
        });
        let crop = rectify(&page, &map, square.grown(1.0));
        assert_eq!(crop.dimensions(), (40, 40));
        for (x, y) in [(12, 12), (27, 12), (12, 27), (27, 27), (20, 20)] {
            assert!(crop.get_pixel(x, y)[0] < 60, "({x}, {y}) is inside");
        }
        for (x, y) in [(7, 20), (32, 20), (20, 7), (20, 32)] {
            assert!(crop.get_pixel(x, y)[0] > 200, "({x}, {y}) is outside");
        }
    }

    #[test]
    fn off_the_page_is_white() {
        let page = GrayImage::from_pixel(10, 10, Luma([0]));
        let crop = rectify(&page, &Projection::scaling(10.0, 10.0), Rect::from_xywh(5.0, 5.0, 1.0, 1.0));
        assert!(crop.pixels().all(|p| p[0] == 255));
    }

    #[test]
    fn strips_come_to_one_height_and_never_too_wide() {
        assert_eq!(whole_image(&GrayImage::new(100, 48)).dimensions(), (200, 96));
        assert_eq!(whole_image(&GrayImage::new(100_000, 1)).dimensions(), (3_840, 96));
    }
}
