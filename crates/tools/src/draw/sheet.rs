//! Pictures composed of pictures and text. Parts never overlap.

use image::{RgbImage, imageops};

use super::{Colour, PAPER, draw_ink, font::text_ink};

/// An empty sheet.
pub(crate) fn paper(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, PAPER)
}

/// One line of text on paper, `height` pixels high.
pub(crate) fn text(text: &str, height: u32, colour: Colour) -> RgbImage {
    let Some(ink) = text_ink(text, height) else { return paper(1, height) };
    let mut line = paper(ink.width(), ink.height());
    draw_ink(&mut line, [0, 0], &ink, colour, 1.0);
    line
}

/// Text in as many lines as keep each within `width`. Lines break at spaces, or within a word that is longer than a line;
/// never at a no-break space.
pub(crate) fn wrapped_text(content: &str, height: u32, width: u32, colour: Colour) -> RgbImage {
    // the width of a single letter is rounded
    let ten_letters = text("0000000000", height, colour).width().max(1);
    let max_letters = (width.saturating_mul(10) / ten_letters).max(1) as usize;
    let mut lines: Vec<String> = Vec::new();
    for word in content.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= max_letters => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let letters: Vec<char> = word.chars().collect();
                lines.extend(letters.chunks(max_letters).map(|chunk| chunk.iter().collect::<String>()));
            }
        }
    }
    let picture = |line: &String| text(&line.replace('\u{a0}', " "), height, colour);
    below(lines.iter().map(picture).collect(), 0)
}

/// One below the other, left edges aligned.
pub(crate) fn below(parts: Vec<RgbImage>, gap: u32) -> RgbImage {
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
pub(crate) fn beside(parts: Vec<RgbImage>, gap: u32) -> RgbImage {
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
pub(crate) fn in_columns(parts: Vec<RgbImage>, n: usize, gap: u32) -> RgbImage {
    let width = parts.iter().map(RgbImage::width).max().unwrap_or(1);
    let parts: Vec<RgbImage> = parts.into_iter().map(|part| padded(part, width)).collect();
    below(parts.chunks(n.max(1)).map(|row| beside(row.to_vec(), gap)).collect(), gap)
}

/// With paper added on the right, up to `width`.
pub(crate) fn padded(part: RgbImage, width: u32) -> RgbImage {
    if part.width() >= width {
        return part;
    }
    let mut all = paper(width, part.height());
    imageops::replace(&mut all, &part, 0, 0);
    all
}

/// With a frame of `thickness` pixels around it.
pub(crate) fn framed(part: &RgbImage, colour: Colour, thickness: u32) -> RgbImage {
    let [width, height] = [part.width() + 2 * thickness, part.height() + 2 * thickness];
    let mut all = RgbImage::from_pixel(width, height, colour);
    imageops::replace(&mut all, part, i64::from(thickness), i64::from(thickness));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::BLACK;

    #[test]
    fn composed_picture_has_room_for_all_parts() {
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
    fn long_text_is_wrapped_at_spaces_and_within_long_words() {
        let one = text("0000", 20, BLACK);
        let wrapped = wrapped_text("0000 0000 00000000000", 20, one.width() + 1, BLACK);
        assert_eq!((wrapped.width(), wrapped.height()), (one.width(), 5 * 20));
    }
}
