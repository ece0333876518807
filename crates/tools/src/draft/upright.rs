//! Finds pages that lie on their side or upside down, by their words.
//!
//! Words run horizontally, and their letters rest on a line. In a word of small letters more of them rise above the others (b, d, f,
//! h, k, l, t, and the capital at its beginning) than reach below the line (g, j, p, q, y). (Caprari, "Algorithm for text page
//! up/down orientation determination", Pattern Recognition Letters 21, 2000, compares the same two.)

use std::ops::RangeInclusive;

use super::{ink::Ink, print::marks_and_letters, sheet::Sheet};
use formread_raster::geometry::Rect;

/// Height of the words that count, millimetres.
const WORD_HEIGHT_MM: RangeInclusive<f64> = 1.5..=7.0;
/// Their smallest length, in heights.
const MIN_WORD_PROPORTION: f64 = 2.5;
/// A page lies on its side if the vertical words are this many times as long as the horizontal ones together.
const SIDEWAYS_RATIO: f64 = 1.5;
/// A letter rises above the others, or reaches below them, by this share of the middle height of the letters.
const PROTRUSION: RangeInclusive<f64> = 0.15..=0.8;
/// The lower edges, or the upper ones, of this share of a word's letters are on one line, to within this share of their height.
const MIN_ON_LINE: f64 = 0.5;
const ON_LINE: f64 = 0.12;
/// Fewest letters of a word that counts.
const MIN_LETTERS: usize = 4;
/// An upright page is turned over only if letters below the line are this many more than those above, this many times as many, and
/// this share of all letters: a page of capitals has a Q at most.
const MIN_MORE: usize = 6;
const MIN_TIMES: f64 = 1.8;
const MIN_SHARE: f64 = 0.1;

/// By how many quarters clockwise `sheet` is turned, 0 to 3.
pub(super) fn quarters_turned(sheet: &Sheet) -> u8 {
    let ink = Ink::new(sheet);
    let (_, letters) = marks_and_letters(&ink, &[]);
    // as seen with the page turned by one quarter back, mirrored: the mirror changes neither rows nor lengths
    let on_side: Vec<Rect> = letters.iter().map(|r| Rect::from_edges(r.y0, r.x0, r.y1, r.x1)).collect();
    let [horizontal, vertical] = [letters, on_side].map(countable_words);
    let length = |words: &[Vec<Rect>]| words.iter().filter_map(|word| bounds(word)).map(|b| b.width()).sum::<f64>();
    if length(&vertical) > SIDEWAYS_RATIO * length(&horizontal) {
        // on a page turned by one quarter clockwise, the line that letters rest on is at their left, which is above here
        let [above, below, _] = protruding(&vertical);
        return if below >= above { 1 } else { 3 };
    }
    let [above, below, n_letters] = protruding(&horizontal);
    let is_over =
        below >= above + MIN_MORE && below as f64 >= (MIN_TIMES * above as f64).max(MIN_SHARE * n_letters as f64);
    if is_over { 2 } else { 0 }
}

/// The letters of each word whose size and length make it count.
fn countable_words(mut letters: Vec<Rect>) -> Vec<Vec<Rect>> {
    letters.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let mut words: Vec<Vec<Rect>> = Vec::new();
    for letter in letters {
        let follows = |word: &&mut Vec<Rect>| {
            let last = word[word.len() - 1];
            let shared = last.y1.min(letter.y1) - last.y0.max(letter.y0);
            let height = last.height().max(letter.height());
            letter.x0 - last.x1 <= height && shared >= 0.5 * last.height().min(letter.height())
        };
        match words.iter_mut().rev().find(follows) {
            Some(word) => word.push(letter),
            None => words.push(vec![letter]),
        }
    }
    words.retain(|word| {
        bounds(word)
            .is_some_and(|b| WORD_HEIGHT_MM.contains(&b.height()) && b.width() >= MIN_WORD_PROPORTION * b.height())
    });
    words
}

fn bounds(word: &[Rect]) -> Option<Rect> {
    word.iter().copied().reduce(Rect::union)
}

/// Number of letters that rise above the others of their word, of those that reach below them, and of all letters.
fn protruding(words: &[Vec<Rect>]) -> [usize; 3] {
    let (mut above, mut below, mut n_letters) = (0, 0, 0);
    for word in words {
        // dots of letters and full stops aside
        let height = median(word.iter().map(|letter| letter.height())).unwrap_or(0.0);
        let letters: Vec<&Rect> = word.iter().filter(|letter| letter.height() >= 0.6 * height).collect();
        if letters.len() < MIN_LETTERS {
            continue;
        }
        let of_letters = |side: fn(&&Rect) -> f64| median(letters.iter().map(side)).unwrap_or(0.0);
        let [height, top, bottom] = [|r: &&Rect| r.height(), |r: &&Rect| r.y0, |r: &&Rect| r.y1].map(of_letters);
        let n_on = |edge: fn(&&Rect) -> f64, line: f64| {
            letters.iter().filter(|letter| (edge(letter) - line).abs() <= ON_LINE * height).count()
        };
        let n_min = (MIN_ON_LINE * letters.len() as f64).ceil() as usize;
        if n_on(|r| r.y0, top) < n_min || n_on(|r| r.y1, bottom) < n_min {
            continue;
        }
        n_letters += letters.len();
        above += letters.iter().filter(|letter| PROTRUSION.contains(&((top - letter.y0) / height))).count();
        below += letters.iter().filter(|letter| PROTRUSION.contains(&((letter.y1 - bottom) / height))).count();
    }
    [above, below, n_letters]
}

/// The upper one of two middle values; `None` of none.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, imageops};

    use super::*;
    use crate::draw::text_ink;
    use formread_raster::geometry::Projection;

    /// Lines of `text` at 8 px/mm.
    fn page_of(text: &str) -> GrayImage {
        let ink = text_ink(text, 32).expect("it has ink");
        let mut upright = GrayImage::from_pixel(1000, 700, image::Luma([250]));
        for line in 0..8 {
            for (x, y, level) in ink.enumerate_pixels() {
                if let Some(pixel) = upright.get_pixel_mut_checked(60 + x, 50 + 80 * line + y) {
                    pixel[0] = pixel[0].saturating_sub(level[0]);
                }
            }
        }
        upright
    }

    fn sheet(pixels: GrayImage) -> Sheet {
        Sheet { pixels, px_per_mm: 8.0, page_from_sheet: Projection::IDENTITY }
    }

    #[test]
    fn page_of_text_is_turned_upright_from_any_side() {
        let upright = page_of("The quick brown fox, hidden behind the hill");
        let turns = [
            upright.clone(),
            imageops::rotate90(&upright),
            imageops::rotate180(&upright),
            imageops::rotate270(&upright),
        ];
        for (quarters, pixels) in (0..).zip(turns) {
            let sheet = sheet(pixels);
            assert_eq!(quarters_turned(&sheet), quarters, "{quarters} quarters");
            let back = sheet.rotate_back(quarters);
            assert_eq!(back.pixels, upright, "{quarters} quarters");
        }
    }

    #[test]
    fn page_of_capitals_is_left_as_it_is() {
        let upright = page_of("THE QUICK BROWN FOX HIDDEN BEHIND A HILL");
        assert_eq!(quarters_turned(&sheet(upright.clone())), 0);
        assert_eq!(quarters_turned(&sheet(imageops::rotate180(&upright))), 0);
    }
}
