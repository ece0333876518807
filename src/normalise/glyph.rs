//! Ink of any size -> 28 x 28, the way MNIST was made.

use image::GrayImage;

/// Side of a normalised glyph, pixels.
pub const GLYPH_SIDE: usize = 28;

/// A normalised digit: [28, 28] f32 row-major, paper 0 .. ink 1.
pub type Glyph = Box<[f32; GLYPH_SIDE * GLYPH_SIDE]>;

/// Scales `ink` ([H, W] u8, 0 paper .. 255 ink) to a [`Glyph`]. `None` where there is no ink.
pub fn normalise(ink: &GrayImage) -> Option<Glyph> {
    let _ = ink;
    None
}
