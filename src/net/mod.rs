//! The only room that says `tch::`. Behind the seam, a convnet; in front of it, plain numbers.

#[cfg(feature = "torch")]
mod adam;
pub mod architecture;
#[cfg(feature = "torch")]
mod convnet;
#[cfg(feature = "torch")]
mod learner;
#[cfg(feature = "torch")]
mod loss;
pub mod weights;

use crate::{error::Result, normalise::GlyphBatch};

#[cfg(feature = "torch")]
pub use convnet::{CHUNK, ConvNet, set_threads};
#[cfg(feature = "torch")]
pub use learner::Learner;
#[cfg(feature = "torch")]
pub use loss::NO_DIGIT;
pub use weights::Weights;

/// Digits.
pub const N_DIGITS: usize = 10;

/// Classes of [`GlyphClass`].
pub const N_CLASSES: usize = 4;

/// Scores of one glyph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlyphScores {
    /// `[10]` softmax over the digits, class i is digit i: which digit it is, if it is one.
    pub digits: [f32; N_DIGITS],
    /// `[4]` softmax over [`GlyphClass`]: whether it is a digit at all.
    pub classes: [f32; N_CLASSES],
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

    /// The likeliest digit, and how likely it is if this is a digit at all.
    pub fn best_digit(&self) -> (usize, f32) {
        let mut best = (0, self.digits[0]);
        for (digit, &probability) in self.digits.iter().enumerate() {
            if probability > best.1 {
                best = (digit, probability);
            }
        }
        best
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

#[cfg(feature = "torch")]
impl From<tch::TchError> for crate::error::Error {
    fn from(source: tch::TchError) -> Self {
        Self::net(source)
    }
}
