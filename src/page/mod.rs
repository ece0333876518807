//! What the scanner gave: one page's pixels, upright in grey, and what is known of its resolution.

mod decode;
mod limits;

use image::GrayImage;

pub use decode::{decode, is_image_name};
pub use limits::Limits;

/// One page of a file.
#[derive(Debug, Clone)]
pub struct Page {
    /// [H, W] u8, 0 black .. 255 white; turned as the file's orientation says, dark ink on light ground.
    pub pixels: GrayImage,
    /// Pixels per inch, where the file gives it and it is believable.
    pub dpi: Option<f64>,
    /// How the pixels as stored in the file became `pixels`.
    pub orientation: Orientation,
}

/// How a page's pixels were turned from the way the file stores them: first mirrored left to right, then turned
/// clockwise. The eight cases of EXIF and TIFF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orientation {
    /// Mirrored left to right before turning.
    pub mirrored: bool,
    /// Quarter turns clockwise, 0 to 3.
    pub quarter_turns: u8,
}
