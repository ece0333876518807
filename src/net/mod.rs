//! The only room that says `tch::`. Behind the seam, a convnet; in front of it, plain numbers.

#[cfg(feature = "torch")]
mod convnet;
#[cfg(feature = "torch")]
mod weights;

use crate::{error::Result, normalise::GlyphBatch};

#[cfg(feature = "torch")]
pub use convnet::ConvNet;
#[cfg(feature = "torch")]
pub use weights::Weights;

/// Scores of one glyph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlyphScores {
    /// [10] softmax over the digits, class i is digit i: which digit it is, if it is one.
    pub digits: [f32; 10],
    /// [4] softmax over [`GlyphClass`]: whether it is a digit at all.
    pub classes: [f32; 4],
}

/// What a glyph may be. The order is that of [`GlyphScores::classes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlyphClass {
    /// One whole digit.
    Digit = 0,
    /// An `X` that fills a cell.
    Cross = 1,
    /// A dash that fills a cell.
    Dash = 2,
    /// Anything else: part of a digit, two digits, a scribble, a dot, a piece of frame.
    Other = 3,
}

impl GlyphScores {
    /// Probability that it is a digit and that digit is `digit` (0 to 9).
    pub fn digit(&self, digit: usize) -> f32 {
        self.digits[digit] * self.class(GlyphClass::Digit)
    }

    /// Probability that it is of `class`.
    pub fn class(&self, class: GlyphClass) -> f32 {
        self.classes[class as usize]
    }
}

/// Says which digit each glyph is. The seam behind which the net stands.
pub trait GlyphClassifier: Send {
    /// Scores for each glyph, in the order of the batch. What a glyph's scores are does not depend on what else is in
    /// the batch, to the last bit.
    ///
    /// # Errors
    /// Where the net's library fails.
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>>;
}
