//! A strip (an image that is one field) -> a grey crop of a common height.

use image::{GrayImage, imageops};

use super::params::PARAMS;
use formread_raster::geometry::Rect;

/// Maximum width of a strip, in heights. A limit against images of extreme shapes.
const MAX_STRIP_ASPECT: f64 = 40.0;

/// A strip, scaled to the common height.
pub(super) fn whole_image(page: &GrayImage) -> GrayImage {
    let (width, height) = whole_image_size(page);
    imageops::resize(page, width, height, imageops::FilterType::CatmullRom)
}

/// Width and height, pixels, of the crop of a strip.
pub(super) fn whole_image_size(page: &GrayImage) -> (u32, u32) {
    let (w, h) = page.dimensions();
    let scale = f64::from(PARAMS.strip.height_px) / f64::from(h.max(1));
    let width = (f64::from(w) * scale).round().clamp(1.0, MAX_STRIP_ASPECT * f64::from(PARAMS.strip.height_px));
    (width as u32, PARAMS.strip.height_px)
}

/// All of a picture.
pub(super) fn whole(picture: &GrayImage) -> Rect {
    Rect::from_xywh(0.0, 0.0, f64::from(picture.width()), f64::from(picture.height()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strip_of_any_size_has_common_height_and_bounded_width() {
        assert_eq!(whole_image(&GrayImage::new(100, 48)).dimensions(), (200, 96));
        assert_eq!(whole_image(&GrayImage::new(100_000, 1)).dimensions(), (3_840, 96));
    }
}
