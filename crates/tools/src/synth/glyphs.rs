//! The stock of real digits with which a deck is filled, by writer and class.

use image::{GrayImage, imageops};
use rand::RngExt;

use super::Dice;
use formread_raster::error::{Error, Result};

/// Minimum ink level (0 paper .. 255 ink) that counts for the extent of a digit. It excludes the faint edge of a scaled
/// glyph.
const MIN_EXTENT_LEVEL: u8 = 64;
/// Minimum ink level inside a stroke.
const MIN_STROKE_LEVEL: u8 = 128;
/// Number of random specimens from which the one with the most similar stroke width is taken, so that a page looks
/// written with one pen even if the writers are not known.
const N_CANDIDATES: usize = 6;

/// Real digits by hand. If the writers are not known, all digits form one hand.
#[derive(Debug, Clone)]
pub struct GlyphStock {
    hands: Vec<Hand>,
}

/// The digits of one writer, by class.
#[derive(Debug, Clone, Default)]
pub(super) struct Hand([Vec<Specimen>; 10]);

/// One real digit.
#[derive(Debug, Clone)]
pub(super) struct Specimen {
    /// 0 paper .. 255 ink, cropped to the ink.
    pub ink: GrayImage,
    /// Stroke width, as a share of the digit's height.
    pub stroke: f64,
}

impl GlyphStock {
    /// Builds a stock from glyphs: ink ([H, W] u8, 0 paper .. 255 ink), digit (0 to 9), and writer if known. Writers without
    /// every digit are left out; if none has every digit, all glyphs form one hand.
    ///
    /// # Errors
    /// `Usage` if a digit is missing in the whole stock.
    pub fn new(glyphs: impl IntoIterator<Item = (GrayImage, u8, Option<usize>)>) -> Result<Self> {
        let mut hands: Vec<Hand> = Vec::new();
        let mut everyone = Hand::default();
        for (ink, digit, writer) in glyphs {
            let Some(ink) = crop_to_ink(&ink, MIN_EXTENT_LEVEL) else { continue };
            let class = usize::from(digit);
            if class > 9 {
                return Err(Error::usage(format!("not a digit: {digit}")));
            }
            let specimen = Specimen { stroke: stroke_width(&ink), ink };
            if let Some(writer) = writer {
                hands.resize_with(hands.len().max(writer + 1), Hand::default);
                hands[writer].0[class].push(specimen.clone());
            }
            everyone.0[class].push(specimen);
        }
        hands.retain(Hand::has_every_digit);
        if hands.is_empty() {
            if let Some(missing) = everyone.0.iter().position(Vec::is_empty) {
                let error = Error::usage(format!("no glyph of the digit: {missing}"));
                return Err(error.with_hint("a deck needs every digit from 0 to 9"));
            }
            hands.push(everyone);
        }
        Ok(Self { hands })
    }

    /// Number of hands in the stock.
    pub fn n_hands(&self) -> usize {
        self.hands.len()
    }

    /// A random hand.
    pub(super) fn draw_hand(&self, dice: &mut Dice) -> &Hand {
        &self.hands[dice.random_range(0..self.hands.len())]
    }
}

impl Hand {
    fn has_every_digit(&self) -> bool {
        self.0.iter().all(|class| !class.is_empty())
    }

    /// The stroke width of a random specimen, as a share of the digit's height.
    pub(super) fn draw_stroke(&self, dice: &mut Dice) -> f64 {
        let digit = dice.random_range(0..10);
        self.candidate(digit, dice).stroke
    }

    /// A random specimen of `digit` (0 to 9): of [`N_CANDIDATES`] the one whose stroke width is closest to `stroke`.
    pub(super) fn draw_digit(&self, digit: usize, stroke: f64, dice: &mut Dice) -> &GrayImage {
        let difference = |specimen: &Specimen| (specimen.stroke - stroke).abs();
        let first = self.candidate(digit, dice);
        let others = (1..N_CANDIDATES).map(|_| self.candidate(digit, dice));
        &others.fold(first, |best, other| if difference(other) < difference(best) { other } else { best }).ink
    }

    fn candidate(&self, digit: usize, dice: &mut Dice) -> &Specimen {
        let class = &self.0[digit];
        &class[dice.random_range(0..class.len())]
    }
}

/// Stroke width of `ink`, as a share of its height. The area of a long stroke is its length times its width, and its
/// outline is twice its length.
fn stroke_width(ink: &GrayImage) -> f64 {
    let is_ink = |x: i64, y: i64| {
        let inside = u32::try_from(x).ok().zip(u32::try_from(y).ok());
        inside.and_then(|(x, y)| ink.get_pixel_checked(x, y)).is_some_and(|pixel| pixel.0[0] >= MIN_STROKE_LEVEL)
    };
    let (mut area, mut outline) = (0.0, 0.0);
    for y in 0..i64::from(ink.height()) {
        for x in (0..i64::from(ink.width())).filter(|x| is_ink(*x, y)) {
            area += 1.0;
            let sides = [(1, 0), (-1, 0), (0, 1), (0, -1)];
            outline += sides.iter().filter(|(dx, dy)| !is_ink(x + dx, y + dy)).count() as f64;
        }
    }
    if outline > 0.0 { 2.0 * area / outline / f64::from(ink.height()) } else { 0.0 }
}

/// Crops `ink` to the pixels of at least `level`; `None` if there are none.
pub(super) fn crop_to_ink(ink: &GrayImage, level: u8) -> Option<GrayImage> {
    let mut extent: Option<[u32; 4]> = None;
    for (x, y, pixel) in ink.enumerate_pixels() {
        if pixel.0[0] >= level {
            let [x0, y0, x1, y1] = extent.unwrap_or([x, y, x, y]);
            extent = Some([x0.min(x), y0.min(y), x1.max(x), y1.max(y)]);
        }
    }
    let [x0, y0, x1, y1] = extent?;
    Some(imageops::crop_imm(ink, x0, y0, x1 - x0 + 1, y1 - y0 + 1).to_image())
}

#[cfg(test)]
mod tests {
    use image::Luma;
    use rand::SeedableRng;

    use super::*;

    fn dot(width: u32) -> GrayImage {
        let mut ink = GrayImage::new(20, 20);
        for x in 0..width {
            ink.put_pixel(5 + x, 7, Luma([200]));
        }
        ink
    }

    #[test]
    fn writer_without_every_digit_is_left_out() {
        let whole = (0..10).map(|digit| (dot(3), digit, Some(4)));
        let part = (0..9).map(|digit| (dot(2), digit, Some(0)));
        let stock = GlyphStock::new(whole.chain(part.clone())).expect("one hand has every digit");
        assert_eq!(stock.n_hands(), 1);
        assert_eq!(stock.hands[0].0[9][0].ink.dimensions(), (3, 1));

        let error = GlyphStock::new(part).expect_err("there is no 9");
        assert!(error.to_string().contains("digit: 9"), "{error}");
    }

    #[test]
    fn glyphs_of_unknown_writers_form_one_hand_without_blank_ones() {
        let glyphs = (0..10).flat_map(|digit| [(dot(1), digit, None), (GrayImage::new(5, 5), digit, None)]);
        let stock = GlyphStock::new(glyphs).expect("every digit is there");
        assert_eq!((stock.n_hands(), stock.hands[0].0[3].len()), (1, 1));
        assert!(GlyphStock::new([(dot(1), 11, None)]).is_err());
    }

    #[test]
    fn draw_digit_prefers_specimens_with_a_similar_stroke() {
        let bar = |width: u32| GrayImage::from_pixel(width, 40, Luma([255]));
        let stock = GlyphStock::new((0..10).flat_map(|digit| [2, 4, 8].map(|width| (bar(width), digit, None))));
        let hand = &stock.expect("every digit is there").hands[0];
        let strokes: Vec<f64> = hand.0[0].iter().map(|specimen| specimen.stroke).collect();
        assert!((strokes[0] - 0.05).abs() < 0.01 && (strokes[2] - 0.2).abs() < 0.04, "{strokes:?}");
        let dice = &mut Dice::seed_from_u64(1);
        let n_closest = (0..60).filter(|_| hand.draw_digit(3, strokes[1], dice).width() == 4).count();
        assert!(n_closest > 45, "{n_closest} of 60");
    }
}
