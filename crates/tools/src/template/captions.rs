//! The captions of drafted fields whose words are not known, as pictures beside the form: a person names the fields from them.

use image::{GrayImage, RgbImage};

use super::picture::STYLE;
use crate::draw::{BLACK, below, beside, padded, scaled, text};

/// Height of a caption and widest one, in heights of the text.
const HEIGHT: f64 = 1.8;
const MAX_WIDTH: f64 = 26.0;

/// `picture` with the names of fields and their captions at its right.
pub fn with_captions(picture: RgbImage, captions: &[(String, GrayImage)]) -> RgbImage {
    if captions.is_empty() {
        return picture;
    }
    let text_px = STYLE.text_px(picture.width(), picture.height());
    let [height, max_width] = [HEIGHT, MAX_WIDTH].map(|share| share * f64::from(text_px));
    let names: Vec<RgbImage> = captions.iter().map(|(name, _)| text(name, text_px, BLACK)).collect();
    let name_width = names.iter().map(RgbImage::width).max().unwrap_or(1);
    let row = |(name, (_, caption)): (RgbImage, &(String, GrayImage))| {
        let [w, h] = [caption.width(), caption.height()].map(|side| f64::from(side.max(1)));
        beside(vec![padded(name, name_width), scaled(caption, (height / h).min(max_width / w))], text_px)
    };
    let rows: Vec<RgbImage> = names.into_iter().zip(captions).map(row).collect();
    let gap = text_px / 2;
    let n_rows = (picture.height() / (height as u32 + gap).max(1)).max(1) as usize;
    let columns = rows.chunks(n_rows).map(|column| below(column.to_vec(), gap));
    beside([picture].into_iter().chain(columns).collect(), 2 * text_px)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::PAPER;

    #[test]
    fn captions_are_at_the_right_in_columns_as_high_as_the_form() {
        let picture = RgbImage::from_pixel(400, 300, PAPER);
        let caption = ("7 field_07".to_owned(), GrayImage::from_pixel(90, 30, image::Luma([0])));
        let one = with_captions(picture.clone(), std::slice::from_ref(&caption));
        let many = with_captions(picture.clone(), &vec![caption; 40]);
        assert_eq!((one.height(), many.height()), (300, 300));
        assert!(one.width() > 400 && many.width() > one.width(), "{} {}", one.width(), many.width());
        assert!(one.enumerate_pixels().any(|(x, _, pixel)| x >= 400 && pixel.0 == [0; 3]), "the caption is there");
        assert_eq!(with_captions(picture.clone(), &[]), picture);
    }
}
