//! A page that lies on its side is set upright, as its words are.
//!
//! Words run sideways, and their letters stand on a line: below most have ink, above only capitals, figures and
//! ascenders do, while few letters reach below (Caprari, "Algorithm for text page up/down orientation determination",
//! Pattern Recognition Letters 21, 2000, counts the same).

use super::{
    cells::Ink,
    fields::in_px,
    print::{join_letters, marks_and_letters},
    sheet::Sheet,
};
use formread_raster::geometry::Rect;

/// Words that tell: least and greatest height, millimetres, and least length in heights.
const WORD_HEIGHT_MM: std::ops::RangeInclusive<f64> = 1.5..=7.0;
const WORD_PROPORTION: f64 = 2.5;
/// How much more length of words must run up and down than sideways for the page to lie on its side.
const SIDEWAYS_GAIN: f64 = 1.5;
/// Share of a word's height, above and below, that is compared.
const RIM: f64 = 0.25;

/// How many quarters clockwise `sheet` is turned: 1 or 3 where it lies on its side, else 0. A page that stands on its head is
/// left so: what little capitals tell of that would turn round pages that are upright.
pub(super) fn quarters_turned(sheet: &Sheet) -> u8 {
    let ink = Ink::of(sheet);
    let (_, letters) = marks_and_letters(&ink, &[]);
    let on_side: Vec<Rect> = letters.iter().map(|r| Rect::from_edges(r.y0, r.x0, r.y1, r.x1)).collect();
    let [sideways, up_and_down] = [letters, on_side].map(told_by);
    let length = |words: &[Rect]| words.iter().map(|w| w.width()).sum::<f64>();
    let is_on_side = length(&up_and_down) > SIDEWAYS_GAIN * length(&sideways);
    if !is_on_side {
        return 0;
    }
    // of a page that is turned by one quarter clockwise, words stand on a line at their left
    let (mut above, mut below) = (0.0, 0.0);
    for w in up_and_down {
        let rim = RIM * w.height();
        let within = |x0: f64, x1: f64| ink.mm2_within(in_px(Rect::from_edges(x0, w.x0, x1, w.x1), ink.px_per_mm));
        below += within(w.y0, w.y0 + rim);
        above += within(w.y1 - rim, w.y1);
    }
    if above <= below { 1 } else { 3 }
}

/// Words that tell which way up they are.
fn told_by(letters: Vec<Rect>) -> Vec<Rect> {
    let mut words = join_letters(letters);
    words.retain(|w| WORD_HEIGHT_MM.contains(&w.height()) && w.width() >= WORD_PROPORTION * w.height());
    words
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, imageops};

    use super::*;
    use crate::draw::text_ink;
    use formread_raster::geometry::Projection;

    /// Lines of text at 8 px/mm.
    #[test]
    fn a_page_of_text_on_its_side_is_set_upright() {
        let ink = text_ink("The quick brown fox, hidden behind the hill", 32).expect("it has ink");
        let mut upright = GrayImage::from_pixel(1000, 700, image::Luma([250]));
        for line in 0..8 {
            for (x, y, level) in ink.enumerate_pixels() {
                if let Some(pixel) = upright.get_pixel_mut_checked(60 + x, 50 + 80 * line + y) {
                    pixel[0] = pixel[0].saturating_sub(level[0]);
                }
            }
        }
        let turns = [
            upright.clone(),
            imageops::rotate90(&upright),
            imageops::rotate180(&upright),
            imageops::rotate270(&upright),
        ];
        for (quarters, pixels) in (0..).zip(turns) {
            let sheet = Sheet { pixels, px_per_mm: 8.0, page_from_sheet: Projection::IDENTITY };
            assert_eq!(quarters_turned(&sheet), quarters % 2 * quarters, "{quarters} quarters");
            let back = sheet.rotate_back(quarters);
            assert_eq!(back.pixels, upright, "{quarters} quarters");
        }
    }
}
