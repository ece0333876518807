//! The printed form: lines, marks and words.

use image::{GrayImage, Luma, imageops};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use rand::RngExt;

use super::{Dice, glyphs::tight, sheet::Sheet};
use formread_core::form::{Barcode, FormTemplate, Landmarks, PageLayout, Word};
use formread_raster::{
    error::{Error, Result},
    geometry::Rect,
};

/// Width of printed lines, millimetres: 0.75 point, the common width of a form's rules.
const LINE_WIDTH_MM: f64 = 0.26;
/// Printing ink, 0 to 1.
const PRINT_DARKNESS: f64 = 0.88;
/// Letters at least this tall are printed in bold: headings.
const BOLD_FROM_MM: f64 = 4.2;
/// Width of an average letter with its space, in heights of the capitals: to fill a box with made-up text.
const LETTER_PITCH: f64 = 0.75;

/// Draws everything of `template` that is printed.
///
/// # Errors
/// `Usage` where a barcode cannot say what it is to say: not so of templates that were parsed.
pub(super) fn print_form(sheet: &mut Sheet, template: &FormTemplate, dice: &mut Dice) -> Result<()> {
    for line in template.printed_lines() {
        sheet.rule(line, LINE_WIDTH_MM, PRINT_DARKNESS);
    }
    let PageLayout::Printed(Landmarks { marks, words, .. }) = &template.layout else { return Ok(()) };
    for mark in marks {
        sheet.fill(*mark, PRINT_DARKNESS);
    }
    for word in words {
        print_word(sheet, word, dice);
    }
    for number in &template.numbers {
        print_word(sheet, &Word { bounds: number.bounds, text: number.text.clone() }, dice);
    }
    template.barcodes.iter().try_for_each(|barcode| print_barcode(sheet, barcode, dice))
}

/// Fits the barcode into its box: square modules stay square, bars run across the box's longer side.
fn print_barcode(sheet: &mut Sheet, barcode: &Barcode, dice: &mut Dice) -> Result<()> {
    let Some((_, modules)) = barcode.example(|| dice.random_range(0..10)) else {
        let (symbology, says) = (barcode.symbology.as_str(), &barcode.pattern);
        return Err(Error::usage(format!("no barcode of symbology {symbology} says {says:?}")));
    };
    let Rect { x0, y0, .. } = barcode.bounds;
    let (mut width, mut height) = (barcode.bounds.width(), barcode.bounds.height());
    let is_upright = height > width && !barcode.symbology.is_square();
    let modules = if is_upright { imageops::rotate90(&modules) } else { modules };
    if barcode.symbology.is_square() {
        (width, height) = (width.min(height), width.min(height));
    }
    let side = |mm: f64| (mm * sheet.px_per_mm).round().max(1.0) as u32;
    let (width, height) = (side(width), side(height));
    // a pixel that an edge runs through is darkened in part, as a scanner's is
    let fine = |n: u32, side: u32| n * (4 * side).div_ceil(n);
    let (fine_width, fine_height) = (fine(modules.width(), width), fine(modules.height(), height));
    let fine = imageops::resize(&modules, fine_width, fine_height, imageops::FilterType::Nearest);
    let fitted = imageops::resize(&fine, width, height, imageops::FilterType::Triangle);
    let at = |mm: f64| (mm * sheet.px_per_mm).round() as i64;
    sheet.stamp(&fitted, at(x0), at(y0), PRINT_DARKNESS);
    Ok(())
}

/// Fits the text's ink into its box.
fn print_word(sheet: &mut Sheet, word: &Word, dice: &mut Dice) {
    let Rect { x0, y0, .. } = word.bounds;
    let text = if word.text.is_empty() { made_up(word.bounds, dice) } else { word.text.clone() };
    let weight = if word.bounds.height() >= BOLD_FROM_MM { FontWeight::Bold } else { FontWeight::Regular };
    let Some(ink) = text_ink(&text, weight) else { return };
    let side = |mm: f64| (mm * sheet.px_per_mm).round().max(1.0) as u32;
    let (width, height) = (side(word.bounds.width()), side(word.bounds.height()));
    let fitted = imageops::resize(&ink, width, height, imageops::FilterType::CatmullRom);
    let at = |mm: f64| (mm * sheet.px_per_mm).round() as i64;
    sheet.stamp(&fitted, at(x0), at(y0), PRINT_DARKNESS);
}

/// Letters in words that fill `bounds` as text would.
fn made_up(bounds: Rect, dice: &mut Dice) -> String {
    const LETTERS: &[u8] = b"aaeeeiioourrnnttsslldmpkbgh";
    let n = (bounds.width() / (bounds.height() * LETTER_PITCH)).round().clamp(1.0, 200.0) as usize;
    let mut text = String::new();
    let mut until_space: u32 = dice.random_range(3..9);
    while text.len() < n {
        if until_space == 0 && text.len() + 1 < n {
            text.push(' ');
            until_space = dice.random_range(2..10);
        } else {
            text.push(char::from(LETTERS[dice.random_range(0..LETTERS.len())]));
            until_space = until_space.saturating_sub(1);
        }
    }
    text
}

/// The ink of a line of text, 0 none .. 255 full, tight; `None` where it has none. Characters that the font lacks are
/// left out.
fn text_ink(text: &str, weight: FontWeight) -> Option<GrayImage> {
    const SIZE: RasterHeight = RasterHeight::Size32;
    let pitch = get_raster_width(weight, SIZE) as u32;
    let n_chars = u32::try_from(text.chars().count()).ok()?;
    let mut ink = GrayImage::new(pitch.checked_mul(n_chars)?, SIZE.val() as u32);
    for (c, left) in text.chars().zip((0..).step_by(pitch as usize)) {
        let Some(raster) = get_raster(c, weight, SIZE) else { continue };
        for (y, row) in raster.rows().enumerate() {
            for (x, &level) in row.iter().enumerate() {
                ink.put_pixel(left + x as u32, y as u32, Luma([level]));
            }
        }
    }
    tight(&ink, 1)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::synth::sheet::PAPER;

    #[test]
    fn a_word_fills_its_box_and_no_more() {
        for text in ["TOTAL", ""] {
            let mut sheet = Sheet::new(40.0, 20.0, 10.0);
            let bounds = Rect::from_xywh(10.0, 5.0, 20.0, 4.0);
            print_word(&mut sheet, &Word { bounds, text: text.into() }, &mut Dice::seed_from_u64(3));
            let inked = sheet.pixels.enumerate_pixels().filter(|p| p.2.0[0] < PAPER - 20);
            let (xs, ys): (Vec<u32>, Vec<u32>) = inked.map(|p| (p.0, p.1)).unzip();
            let span = |v: &[u32]| (*v.iter().min().expect("there is ink"), *v.iter().max().expect("there is ink"));
            let ((x0, x1), (y0, y1)) = (span(&xs), span(&ys));
            assert!((100..105).contains(&x0) && (295..300).contains(&x1), "{text}: x from {x0} to {x1}");
            assert!((50..55).contains(&y0) && (85..90).contains(&y1), "{text}: y from {y0} to {y1}");
        }
    }

    #[test]
    fn a_barcode_fills_its_box_or_the_square_in_it() {
        use formread_core::barcode::Symbology;
        for (symbology, [width, height], ink) in [
            (Symbology::Qr, [20.0, 30.0], [200, 200]),
            (Symbology::Code39, [45.0, 8.0], [450, 80]),
            (Symbology::Pdf417, [10.0, 30.0], [100, 300]),
        ] {
            let mut sheet = Sheet::new(60.0, 50.0, 10.0);
            let bounds = Rect::from_xywh(10.0, 5.0, width, height);
            let barcode = Barcode { bounds, symbology, pattern: "A-*".into() };
            print_barcode(&mut sheet, &barcode, &mut Dice::seed_from_u64(3)).expect("it can be said");
            let inked = sheet.pixels.enumerate_pixels().filter(|p| p.2.0[0] < PAPER - 60);
            let (xs, ys): (Vec<u32>, Vec<u32>) = inked.map(|p| (p.0, p.1)).unzip();
            let span = |v: &[u32]| (v.iter().min().copied(), v.iter().max().copied());
            let want = |from: u32, n: u32| (Some(from), Some(from + n - 1));
            assert_eq!((span(&xs), span(&ys)), (want(100, ink[0]), want(50, ink[1])), "{symbology:?}");
        }
        let barcode = Barcode { bounds: Rect::default(), symbology: Symbology::Itf, pattern: "A".into() };
        let refused = print_barcode(&mut Sheet::new(60.0, 50.0, 10.0), &barcode, &mut Dice::seed_from_u64(3));
        assert!(refused.expect_err("it has digits only").to_string().contains("symbology itf says \"A\""));
    }

    #[test]
    fn text_that_the_font_lacks_is_left_out() {
        assert_eq!(text_ink("\u{4e00}", FontWeight::Regular), None);
        assert_eq!(text_ink("", FontWeight::Bold), None);
    }
}
