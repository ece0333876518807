//! Ink -> glyph -> batch. One normaliser serves training and reading.

mod batch;
mod glyph;

pub use batch::{GlyphBatch, collate};
pub use glyph::{GLYPH_SIDE, Glyph, INK_SIDE, MASS_CENTRE, normalise};
