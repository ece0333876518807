//! A line of text as ink.

use image::{GrayImage, Luma, imageops};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// Size of the stored letters; other sizes are scaled from it.
const HEIGHT: RasterHeight = RasterHeight::Size32;

/// One line of `text`, [H, W] u8, 0 nothing .. 255 ink. `height_px` is the height of the line, a little more than a letter's.
/// A letter that the font lacks is drawn as a question mark. `None` for an empty text or no height.
pub(crate) fn text_ink(text: &str, height_px: u32) -> Option<GrayImage> {
    let letter_width = get_raster_width(FontWeight::Regular, HEIGHT);
    let n_letters = u32::try_from(text.chars().count()).ok()?;
    let width = n_letters.checked_mul(u32::try_from(letter_width).ok()?)?;
    if width == 0 || height_px == 0 {
        return None;
    }
    let height = u32::try_from(HEIGHT.val()).ok()?;
    let mut line = GrayImage::new(width, height);
    for (i, letter) in text.chars().enumerate() {
        let raster =
            get_raster(letter, FontWeight::Regular, HEIGHT).or_else(|| get_raster('?', FontWeight::Regular, HEIGHT))?;
        for (y, row) in (0..).zip(raster.rows()) {
            for (x, &ink) in (i * letter_width..).zip(row) {
                line.put_pixel(x as u32, y, Luma([ink]));
            }
        }
    }
    let scaled_width = (f64::from(width) * f64::from(height_px) / f64::from(height)).round().max(1.0) as u32;
    Some(imageops::resize(&line, scaled_width, height_px, imageops::FilterType::Triangle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ink_has_given_height_and_width_of_its_letters() {
        let one = text_ink("7", 40).expect("there is text");
        let four = text_ink("7 \u{4e2d}1", 40).expect("there is text");
        assert_eq!((one.height(), four.height()), (40, 40));
        assert!(four.width().abs_diff(4 * one.width()) <= 4, "{} and {}", one.width(), four.width());
        assert!(one.pixels().any(|p| p[0] > 200) && one.pixels().any(|p| p[0] == 0));
        assert_eq!(text_ink("", 40), None);
        assert_eq!(text_ink("7", 0), None);
    }
}
