//! The ink of a whole field -> a strip 32 pixels high, with digits 22 pixels high.

use image::{GrayImage, imageops};

use crate::segment::StripBounds;

/// Height of a normalised strip, pixels.
pub const STRIP_HEIGHT: usize = 32;

/// Height of a strip's digits, pixels. Strokes that overshoot have room above and below.
pub const STRIP_DIGIT_HEIGHT: usize = 22;

/// Paper to the left and to the right of the ink, pixels.
const MARGIN: usize = 6;

/// Maximum width of a strip, pixels: about 90 digits side by side. Wider ink is squeezed.
pub const STRIP_WIDTH_MAX: usize = 2_048;

/// A strip's width is a multiple of this, pixels: the width of one column of the net's output.
const COLUMN: usize = 4;

/// A normalised strip.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// [32, W] f32 row-major, paper 0 .. ink 1.
    pub pixels: Vec<f32>,
    /// W, a multiple of 4.
    pub width: usize,
}

/// Scales `ink` ([H, W] u8, 0 paper .. 255 ink) so that digits as high as `bounds` states become 22 pixels high, and cuts 32
/// pixels around their middle. `None` where the bounds are empty.
pub fn normalise_strip(ink: &GrayImage, bounds: &StripBounds) -> Option<Strip> {
    let StripBounds { left, right, middle, digit_height } = *bounds;
    if !(right - left >= 1.0 && digit_height >= 1.0) || ink.width() == 0 || ink.height() == 0 {
        return None;
    }
    let scale = STRIP_DIGIT_HEIGHT as f32 / digit_height;
    let wanted = (((right - left) * scale) as usize).max(1) + 2 * MARGIN;
    let width = wanted.next_multiple_of(COLUMN).min(STRIP_WIDTH_MAX);
    let across = (right - left) / (width - 2 * MARGIN) as f32;
    // the piece of the crop that the strip shows, extended by paper where the crop ends
    let (x0, x1) = (left - MARGIN as f32 * across, right + MARGIN as f32 * across);
    let half = STRIP_HEIGHT as f32 / scale / 2.0;
    let (x, y) = (x0.round() as i64, (middle - half).round() as i64);
    let columns = ((x1 - x0).round() as u32).max(1);
    let rows = ((2.0 * half).round() as u32).max(1);
    let mut piece = GrayImage::new(columns, rows);
    imageops::replace(&mut piece, ink, -x, -y);
    let small = imageops::resize(&piece, width as u32, STRIP_HEIGHT as u32, imageops::FilterType::Triangle);
    Some(Strip { pixels: small.as_raw().iter().map(|&v| f32::from(v) / 255.0).collect(), width })
}

/// Where a place on a strip lies in the crop that it was [made of](normalise_strip): x of the place `column` on a strip of `n_columns` columns,
/// in pixels of the crop.
pub fn strip_place(bounds: &StripBounds, n_columns: usize, column: f32) -> f32 {
    let inner = (n_columns * COLUMN).saturating_sub(2 * MARGIN).max(1) as f32;
    let across = (bounds.right - bounds.left) / inner;
    bounds.left + (column * COLUMN as f32 - MARGIN as f32) * across
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// Rows and columns with more than half of full ink: first and last.
    fn extent(strip: &Strip) -> ([usize; 2], [usize; 2]) {
        let dark = || strip.pixels.iter().enumerate().filter(|(_, v)| **v > 0.5).map(|(i, _)| i);
        let rows = dark().map(|i| i / strip.width);
        let columns = dark().map(|i| i % strip.width);
        let ends = |all: Vec<usize>| [all.iter().copied().min().unwrap_or(0), all.iter().copied().max().unwrap_or(0)];
        (ends(rows.collect()), ends(columns.collect()))
    }

    #[test]
    fn digits_of_any_size_have_one_height_in_the_middle() {
        for height in [11u32, 22, 50, 200] {
            let (top, left, width) = (height / 3, 7, 4 * height);
            let is_ink = |x: u32, y: u32| (left..left + width).contains(&x) && (top..top + height).contains(&y);
            let ink =
                GrayImage::from_fn(left + width + 3, 2 * height, |x, y| Luma([if is_ink(x, y) { 255 } else { 0 }]));
            let bounds = StripBounds {
                left: left as f32,
                right: (left + width) as f32,
                middle: top as f32 + height as f32 / 2.0,
                digit_height: height as f32,
            };
            let strip = normalise_strip(&ink, &bounds).expect("there is ink");
            assert_eq!((strip.width, strip.pixels.len()), (100, 100 * STRIP_HEIGHT), "{height}");
            let ([top, bottom], [left, right]) = extent(&strip);
            assert!(top.abs_diff(5) <= 1 && bottom.abs_diff(26) <= 1, "{height}: {top} to {bottom}");
            assert!(left.abs_diff(6) <= 1 && right.abs_diff(93) <= 1, "{height}: {left} to {right}");
        }
    }

    #[test]
    fn empty_and_endless_strips_are_handled() {
        let ink = GrayImage::from_pixel(40, 20, Luma([255]));
        let bounds = StripBounds { left: 0.0, right: 40.0, middle: 10.0, digit_height: 20.0 };
        for broken in [
            StripBounds { right: 0.0, ..bounds },
            StripBounds { right: f32::NAN, ..bounds },
            StripBounds { digit_height: 0.0, ..bounds },
        ] {
            assert_eq!(normalise_strip(&ink, &broken), None);
        }
        // a hair as high as the strip: far less than a pixel wide once it is scaled
        let hair = StripBounds { right: 1.0, digit_height: 400.0, ..bounds };
        assert_eq!(normalise_strip(&ink, &hair).map(|strip| strip.width), Some(16));
        let thread = GrayImage::from_pixel(6_000, 2, Luma([255]));
        let wide = StripBounds { left: 0.0, right: 6_000.0, middle: 1.0, digit_height: 2.0 };
        assert_eq!(normalise_strip(&thread, &wide).map(|strip| strip.width), Some(STRIP_WIDTH_MAX));
    }
}
