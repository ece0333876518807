//! Prints the form: lines, marks, words and barcodes.

use image::{GrayImage, Luma, imageops};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use rand::RngExt;

use super::{Dice, glyphs::crop_to_ink, sheet::Sheet};
use formread_core::form::{Barcode, FormTemplate, Landmarks, PageLayout, Word};
use formread_raster::{
    error::{Error, Result},
    geometry::Rect,
};

/// Width of printed lines, millimetres: 0.75 point, common on forms.
const LINE_WIDTH_MM: f64 = 0.26;
/// Darkness of printing ink, 0 to 1.
const PRINT_DARKNESS: f64 = 0.88;
/// Minimum height of letters printed in bold, as in headings, millimetres.
const MIN_BOLD_MM: f64 = 4.2;
/// Mean width of a letter with its space, as a share of the capital height, for filling a box with random text.
const LETTER_PITCH: f64 = 0.75;

/// Draws the printed parts of `template`.
///
/// # Errors
/// `Usage` if a barcode cannot encode its text, which cannot happen with a parsed template.
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

/// Draws a barcode that fits its box. Square modules stay square; bars run across the longer side of the box.
fn print_barcode(sheet: &mut Sheet, barcode: &Barcode, dice: &mut Dice) -> Result<()> {
    let Some((_, modules)) = barcode.example(|| dice.random_range(0..10)) else {
        let (symbology, text) = (barcode.symbology.as_str(), &barcode.pattern);
        return Err(Error::usage(format!("a barcode of symbology {symbology} cannot encode {text:?}")));
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
    // oversample, so that an edge darkens a pixel in part, as in a scanner
    let fine = |n: u32, side: u32| n * (4 * side).div_ceil(n);
    let (fine_width, fine_height) = (fine(modules.width(), width), fine(modules.height(), height));
    let fine = imageops::resize(&modules, fine_width, fine_height, imageops::FilterType::Nearest);
    let fitted = imageops::resize(&fine, width, height, imageops::FilterType::Triangle);
    let at = |mm: f64| (mm * sheet.px_per_mm).round() as i64;
    sheet.stamp(&fitted, at(x0), at(y0), PRINT_DARKNESS);
    Ok(())
}

/// Draws a word that fills its box.
fn print_word(sheet: &mut Sheet, word: &Word, dice: &mut Dice) {
    let Rect { x0, y0, .. } = word.bounds;
    let text = if word.text.is_empty() { random_text(word.bounds, dice) } else { word.text.clone() };
    let weight = if word.bounds.height() >= MIN_BOLD_MM { FontWeight::Bold } else { FontWeight::Regular };
    let Some(ink) = text_ink(&text, weight) else { return };
    let side = |mm: f64| (mm * sheet.px_per_mm).round().max(1.0) as u32;
    let (width, height) = (side(word.bounds.width()), side(word.bounds.height()));
    let fitted = imageops::resize(&ink, width, height, imageops::FilterType::CatmullRom);
    let at = |mm: f64| (mm * sheet.px_per_mm).round() as i64;
    sheet.stamp(&fitted, at(x0), at(y0), PRINT_DARKNESS);
}

/// Random letters in words that fill `bounds`.
fn random_text(bounds: Rect, dice: &mut Dice) -> String {
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

/// The ink of a line of text, 0 none .. 255 full, cropped to the ink; `None` if there is none. Characters that are not in the
/// font are left out.
pub(super) fn text_ink(text: &str, weight: FontWeight) -> Option<GrayImage> {
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
    crop_to_ink(&ink, 1)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::synth::sheet::PAPER;

    #[test]
    fn printed_word_fills_exactly_its_box() {
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
    fn printed_barcode_fills_its_box_or_the_square_in_it() {
        use formread_core::barcode::Symbology;
        for (symbology, [width, height], ink) in [
            (Symbology::Qr, [20.0, 30.0], [200, 200]),
            (Symbology::Code39, [45.0, 8.0], [450, 80]),
            (Symbology::Pdf417, [10.0, 30.0], [100, 300]),
        ] {
            let mut sheet = Sheet::new(60.0, 50.0, 10.0);
            let bounds = Rect::from_xywh(10.0, 5.0, width, height);
            let barcode = Barcode { bounds, symbology, pattern: "A-*".into() };
            print_barcode(&mut sheet, &barcode, &mut Dice::seed_from_u64(3)).expect("it can be encoded");
            let inked = sheet.pixels.enumerate_pixels().filter(|p| p.2.0[0] < PAPER - 60);
            let (xs, ys): (Vec<u32>, Vec<u32>) = inked.map(|p| (p.0, p.1)).unzip();
            let span = |v: &[u32]| (v.iter().min().copied(), v.iter().max().copied());
            let want = |from: u32, n: u32| (Some(from), Some(from + n - 1));
            assert_eq!((span(&xs), span(&ys)), (want(100, ink[0]), want(50, ink[1])), "{symbology:?}");
        }
        let barcode = Barcode { bounds: Rect::default(), symbology: Symbology::Itf, pattern: "A".into() };
        let refused = print_barcode(&mut Sheet::new(60.0, 50.0, 10.0), &barcode, &mut Dice::seed_from_u64(3));
        assert!(refused.expect_err("it has digits only").to_string().contains("symbology itf cannot encode \"A\""));
    }

    #[test]
    fn text_ink_leaves_out_characters_not_in_the_font() {
        assert_eq!(text_ink("\u{4e00}", FontWeight::Regular), None);
        assert_eq!(text_ink("", FontWeight::Bold), None);
    }
}
