//! The eight orientations in which a file can store a page.

use image::{GrayImage, imageops};

/// How the stored pixels become a page: mirrored left to right, then turned clockwise. The eight cases of EXIF and TIFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orientation {
    /// Mirrored left to right before turning.
    pub mirrored: bool,
    /// Quarter turns clockwise, 0 to 3.
    pub quarter_turns: u8,
}

impl Orientation {
    /// From the value of tag 274 (TIFF 6.0, section 8; EXIF 2.3, 4.6.4); `None` where it is not 1 to 8.
    pub fn from_exif(code: u64) -> Option<Self> {
        let (mirrored, quarter_turns) = match code {
            1 => (false, 0),
            2 => (true, 0),
            3 => (false, 2),
            4 => (true, 2),
            5 => (true, 3),
            6 => (false, 1),
            7 => (true, 1),
            8 => (false, 3),
            _ => return None,
        };
        Some(Self { mirrored, quarter_turns })
    }

    /// Whether the stored rows are columns on the page.
    pub fn swaps_axes(self) -> bool {
        self.quarter_turns % 2 == 1
    }

    /// Turns a stored image upright.
    pub(super) fn apply(self, mut pixels: GrayImage) -> GrayImage {
        if self.mirrored {
            imageops::flip_horizontal_in_place(&mut pixels);
        }
        match self.quarter_turns % 4 {
            1 => imageops::rotate90(&pixels),
            2 => {
                imageops::rotate180_in_place(&mut pixels);
                pixels
            }
            3 => imageops::rotate270(&pixels),
            _ => pixels,
        }
    }

    /// Maps the point `[x, y]` of an upright image of `[width, height]` to the stored image.
    pub(super) fn undo(self, [x, y]: [f64; 2], [width, height]: [f64; 2]) -> [f64; 2] {
        let ([x, y], width) = match self.quarter_turns % 4 {
            1 => ([y, width - x], height),
            2 => ([width - x, height - y], width),
            3 => ([height - y, x], height),
            _ => ([x, y], width),
        };
        [if self.mirrored { width - x } else { x }, y]
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, metadata};

    use super::*;

    #[test]
    fn orientation_of_every_code_agrees_with_the_image_crate() {
        let stored = GrayImage::from_fn(4, 3, |x, y| image::Luma([(16 * y + x) as u8]));
        for code in 1..=8u8 {
            let mut expected = DynamicImage::ImageLuma8(stored.clone());
            expected.apply_orientation(metadata::Orientation::from_exif(code).expect("1 to 8 are valid"));
            let turned = Orientation::from_exif(code.into()).expect("1 to 8 are valid").apply(stored.clone());
            assert_eq!(turned, expected.into_luma8(), "code {code}");
        }
        assert_eq!(Orientation::from_exif(0), None);
        assert_eq!(Orientation::from_exif(9), None);
    }
}
