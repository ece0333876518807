//! Ink -> glyph -> batch, and the ink of a whole field -> strip. One normaliser serves training and reading.

mod batch;
mod glyph;
mod params;
mod strip;

pub use batch::{GlyphBatch, collate};
pub use glyph::{GLYPH_SIDE, Glyph, INK_SIDE, MASS_CENTRE, normalise};
pub use strip::{STRIP_DIGIT_HEIGHT, STRIP_HEIGHT, STRIP_WIDTH_MAX, Strip, normalise_strip, strip_place};
