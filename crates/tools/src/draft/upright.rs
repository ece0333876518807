//! Finds pages that lie on their side, by their words.
//!
//! Words run horizontally, and their letters rest on a line. Most letters have ink at the bottom of the line; at the top only
//! capitals, figures and ascenders have. (Caprari, "Algorithm for text page up/down orientation determination", Pattern
//! Recognition Letters 21, 2000, counts the same.)

use super::{
    ink::{Ink, in_px},
    print::{join_letters, marks_and_letters},
    sheet::Sheet,
};
use formread_raster::geometry::Rect;

/// Height of the words that count, millimetres.
const WORD_HEIGHT_MM: std::ops::RangeInclusive<f64> = 1.5..=7.0;
/// Their smallest length, in heights.
const MIN_WORD_PROPORTION: f64 = 2.5;
/// A page lies on its side if the vertical words are this many times as long as the horizontal ones together.
const SIDEWAYS_RATIO: f64 = 1.5;
/// Share of the height of a word, at the top and at the bottom, that is compared.
const EDGE_SHARE: f64 = 0.25;

/// By how many quarters clockwise `sheet` is turned: 1 or 3 if it lies on its side, else 0. A page that is upside down is left
/// as it is: on a page of capitals the test is too weak, and would turn upright pages over.
pub(super) fn quarters_turned(sheet: &Sheet) -> u8 {
    let ink = Ink::new(sheet);
    let (_, letters) = marks_and_letters(&ink, &[]);
    let on_side: Vec<Rect> = letters.iter().map(|r| Rect::from_edges(r.y0, r.x0, r.y1, r.x1)).collect();
    let [horizontal, vertical] = [letters, on_side].map(countable_words);
    let length = |words: &[Rect]| words.iter().map(|w| w.width()).sum::<f64>();
    let is_on_side = length(&vertical) > SIDEWAYS_RATIO * length(&horizontal);
    if !is_on_side {
        return 0;
    }
    // on a page turned by one quarter clockwise, the line that letters rest on is at the left of a word
    let (mut above, mut below) = (0.0, 0.0);
    for w in vertical {
        let edge = EDGE_SHARE * w.height();
        let within = |x0: f64, x1: f64| ink.mm2_within(in_px(Rect::from_edges(x0, w.x0, x1, w.x1), ink.px_per_mm));
        below += within(w.y0, w.y0 + edge);
        above += within(w.y1 - edge, w.y1);
    }
    if above <= below { 1 } else { 3 }
}

/// The words whose size and length make them count.
fn countable_words(letters: Vec<Rect>) -> Vec<Rect> {
    let mut words = join_letters(letters);
    words.retain(|w| WORD_HEIGHT_MM.contains(&w.height()) && w.width() >= MIN_WORD_PROPORTION * w.height());
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
    fn page_of_text_on_its_side_is_turned_upright() {
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
