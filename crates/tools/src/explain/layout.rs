//! Pictures out of pictures: beside each other, below each other, with words. What is laid out never overlaps.

use image::{GrayImage, RgbImage, buffer::ConvertBuffer, imageops};
use imageproc::drawing::draw_line_segment_mut;

use crate::{overlay::Colour, text::line_of_text};
use formread_raster::geometry::Point;

pub(super) const PAPER: Colour = image::Rgb([255, 255, 255]);
pub(super) const BLACK: Colour = image::Rgb([20, 20, 20]);
pub(super) const GREY: Colour = image::Rgb([110, 110, 110]);
pub(super) const PALE: Colour = image::Rgb([205, 205, 205]);

/// Height of a line of small words, pixels.
pub(super) const SMALL: u32 = 18;
/// Most height of a picture of a field, pixels.
pub(super) const PICTURE_HEIGHT: u32 = 240;
/// The most by which a field's ink is enlarged in the cuts.
pub(super) const CUTS_SCALE: f64 = 4.0;

/// Nothing but paper.
pub(super) fn paper(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, PAPER)
}

/// One line of words on paper, `height` pixels high.
pub(super) fn words(text: &str, height: u32, colour: Colour) -> RgbImage {
    let Some(ink) = line_of_text(text, height) else { return paper(1, height) };
    RgbImage::from_fn(ink.width(), ink.height(), |x, y| {
        let share = f64::from(ink.get_pixel(x, y)[0]) / 255.0;
        image::Rgb(colour.0.map(|value| (255.0 * (1.0 - share) + f64::from(value) * share).round() as u8))
    })
}

/// Words in as many lines as it takes for none to be wider than `width`; broken at spaces,
/// or where there are none. A no-break space is a space at which nothing is broken.
pub(super) fn wrapped(text: &str, height: u32, width: u32, colour: Colour) -> RgbImage {
    // of one letter alone the width is rounded
    let ten_letters = words("0000000000", height, colour).width().max(1);
    let most = (width.saturating_mul(10) / ten_letters).max(1) as usize;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let letters: Vec<char> = word.chars().collect();
                lines.extend(letters.chunks(most).map(|chunk| chunk.iter().collect::<String>()));
            }
        }
    }
    let drawn = |line: &String| words(&line.replace('\u{a0}', " "), height, colour);
    below(lines.iter().map(drawn).collect(), 0)
}

/// One below the other, left edges aligned.
pub(super) fn below(parts: Vec<RgbImage>, gap: u32) -> RgbImage {
    let width = parts.iter().map(RgbImage::width).max().unwrap_or(1);
    let gaps = gap * (parts.len().saturating_sub(1)) as u32;
    let height = parts.iter().map(RgbImage::height).sum::<u32>() + gaps;
    let mut all = paper(width, height.max(1));
    let mut top = 0;
    for part in &parts {
        imageops::replace(&mut all, part, 0, i64::from(top));
        top += part.height() + gap;
    }
    all
}

/// One beside the other, upper edges aligned.
pub(super) fn beside(parts: Vec<RgbImage>, gap: u32) -> RgbImage {
    let height = parts.iter().map(RgbImage::height).max().unwrap_or(1);
    let gaps = gap * (parts.len().saturating_sub(1)) as u32;
    let width = parts.iter().map(RgbImage::width).sum::<u32>() + gaps;
    let mut all = paper(width.max(1), height);
    let mut left = 0;
    for part in &parts {
        imageops::replace(&mut all, part, i64::from(left), 0);
        left += part.width() + gap;
    }
    all
}

/// In rows of `n` columns, each as wide as the widest part.
pub(super) fn in_columns(parts: Vec<RgbImage>, n: usize, gap: u32) -> RgbImage {
    let width = parts.iter().map(RgbImage::width).max().unwrap_or(1);
    let parts: Vec<RgbImage> = parts.into_iter().map(|part| wide(part, width)).collect();
    below(parts.chunks(n.max(1)).map(|row| beside(row.to_vec(), gap)).collect(), gap)
}

/// With paper to its right until it is `width` wide.
pub(super) fn wide(part: RgbImage, width: u32) -> RgbImage {
    if part.width() >= width {
        return part;
    }
    let mut all = paper(width, part.height());
    imageops::replace(&mut all, &part, 0, 0);
    all
}

/// A grey picture `scale` times as large: enlarged to sharp pixels by whole numbers, else smoothly.
pub(super) fn scaled(grey: &GrayImage, scale: f64) -> RgbImage {
    let side = |length: u32| (f64::from(length) * scale).round().max(1.0) as u32;
    let filter = match scale {
        s if s < 1.0 => imageops::FilterType::Triangle,
        s if s.fract() == 0.0 => imageops::FilterType::Nearest,
        _ => imageops::FilterType::CatmullRom,
    };
    imageops::resize(grey, side(grey.width()), side(grey.height()), filter).convert()
}

/// Dark where `ink` ([H, W] u8, 0 paper .. 255 ink) is.
pub(super) fn dark_on_white(ink: &GrayImage) -> GrayImage {
    GrayImage::from_fn(ink.width(), ink.height(), |x, y| image::Luma([255 - ink.get_pixel(x, y)[0]]))
}

/// With a frame of `thickness` pixels round it.
pub(super) fn framed(part: &RgbImage, colour: Colour, thickness: u32) -> RgbImage {
    let [width, height] = [part.width() + 2 * thickness, part.height() + 2 * thickness];
    let mut all = RgbImage::from_pixel(width, height, colour);
    imageops::replace(&mut all, part, i64::from(thickness), i64::from(thickness));
    all
}

/// A line two pixels thick.
pub(super) fn line(picture: &mut RgbImage, a: Point, b: Point, colour: Colour) {
    let is_flat = (b.x - a.x).abs() > (b.y - a.y).abs();
    for reach in 0..2u8 {
        let [dx, dy] = if is_flat { [0.0, f32::from(reach)] } else { [f32::from(reach), 0.0] };
        let end = |p: Point| (p.x as f32 + dx, p.y as f32 + dy);
        draw_line_segment_mut(picture, end(a), end(b), colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_laid_out_has_room_for_all_of_it() {
        let part = |width, height| RgbImage::from_pixel(width, height, BLACK);
        let n_black = |picture: &RgbImage| picture.pixels().filter(|p| **p == BLACK).count();
        let parts = || vec![part(10, 4), part(3, 9), part(6, 2)];
        for (picture, size) in
            [(below(parts(), 5), (10, 25)), (beside(parts(), 5), (29, 9)), (in_columns(parts(), 2, 1), (21, 12))]
        {
            assert_eq!(picture.dimensions(), size);
            assert_eq!(n_black(&picture), 40 + 27 + 12);
        }
        assert_eq!(below(Vec::new(), 5).dimensions(), (1, 1));
    }

    #[test]
    fn long_texts_are_broken() {
        let one = words("0000", 20, BLACK);
        let text = wrapped("0000 0000 00000000000", 20, one.width() + 1, BLACK);
        assert_eq!((text.width(), text.height()), (one.width(), 5 * 20));
    }
}
