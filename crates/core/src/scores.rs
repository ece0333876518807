//! Scores: what recognisers return, as plain numbers.

use serde::{Deserialize, Serialize};

/// Device and precision of the nets. Two of them differ in the last digits of a confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Compute {
    /// Device.
    pub device: NetDevice,
    /// Precision.
    pub precision: Precision,
}

/// The device of the nets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NetDevice {
    /// The processor.
    #[default]
    Cpu,
    /// The first graphics card, by a CUDA build of LibTorch.
    Cuda,
}

/// The precision of the nets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    Single,
    /// The upper 16 of them, "bfloat16" (Kalamkar et al., "A study of bfloat16 for deep learning training", 2019): half
    /// the time on processors with AVX-512 BF16, many times as much on others.
    Bfloat16,
}

impl Precision {
    /// The fastest on this processor.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512bf16") {
            return Self::Bfloat16;
        }
        Self::Single
    }
}

/// Digits.
pub const N_DIGITS: usize = 10;

/// Classes of [`GlyphClass`].
pub const N_CLASSES: usize = 6;

/// Scores of one glyph.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GlyphScores {
    /// \[10\] softmax over the digits, class i is digit i: which digit it is, if it is one.
    pub digits: [f32; N_DIGITS],
    /// \[6\] softmax over [`GlyphClass`]: whether it is a digit at all.
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
    /// A digit with one line or more through it.
    StruckOut = 4,
    /// A digit over another one.
    Overwritten = 5,
}

impl GlyphScores {
    /// Of what is a digit for sure: `digits` as in [`GlyphScores::digits`].
    pub fn of_digit(digits: [f32; N_DIGITS]) -> Self {
        let mut classes = [0.0; N_CLASSES];
        classes[GlyphClass::Digit as usize] = 1.0;
        Self { digits, classes }
    }

    /// Probability that it is a digit and that digit is `digit` (0 to 9).
    pub fn digit(&self, digit: usize) -> f32 {
        self.digits[digit] * self.class(GlyphClass::Digit)
    }

    /// The most likely digit, and its probability given that the glyph is a digit.
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

/// Symbols of a strip's columns: no symbol, the ten digits, and [`SCRIBBLE`].
pub const N_SYMBOLS: usize = 12;

/// The blank of connectionist temporal classification: no symbol ends in the column.
pub const CTC_BLANK: usize = 0;

/// The symbol of digit 0; that of digit `d` is `FIRST_DIGIT + d`.
pub const FIRST_DIGIT: usize = 1;

/// The symbol of unreadable writing that is no punctuation: a scribble, a digit struck out.
pub const SCRIBBLE: usize = 11;

/// Of each column of a strip, from left to right, \[12\] natural logarithms of the softmax over the symbols.
pub type CtcLogProbs = Vec<[f32; N_SYMBOLS]>;

/// Scores of a strip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StripScores {
    /// One for the strip itself, then one for each view of test-time augmentation, if it was refined. Empty where the
    /// strip was not read.
    pub views: Vec<CtcLogProbs>,
}

/// Greedy decoding: the most likely symbol of every column, without repetitions and [`CTC_BLANK`] are left out ("best path decoding",
/// Graves et al., "Connectionist temporal classification", ICML 2006, section 3.2).
pub fn ctc_greedy_decode(columns: &CtcLogProbs) -> Vec<usize> {
    let best = |column: &[f32; N_SYMBOLS]| {
        (1..N_SYMBOLS).fold(0, |best, symbol| if column[symbol] > column[best] { symbol } else { best })
    };
    let mut symbols: Vec<usize> = columns.iter().map(best).collect();
    symbols.dedup();
    symbols.retain(|&symbol| symbol != CTC_BLANK);
    symbols
}

/// The scores of one field.
#[derive(Debug, Clone, Default)]
pub struct FieldScores {
    /// One for each edge of its lattice, `None` where the edge has no ink; empty for a field without writing.
    pub edges: Vec<Option<GlyphScores>>,
    /// Of its ink as a whole; without views where it was not read.
    pub strip: StripScores,
}

impl FieldScores {
    /// The scores of its glyphs, in the order of the edges.
    pub fn glyphs_mut(&mut self) -> impl Iterator<Item = &mut GlyphScores> {
        self.edges.iter_mut().flatten()
    }
}

/// Coefficients of a logistic regression of "the reading is right" on three inputs: log odds of the reading's share, and the
/// natural logarithms of its probability by the lattice and by the strip. They belong to the weights of the nets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceModel {
    /// Intercept.
    pub intercept: f64,
    /// Slope on the log odds of the share.
    pub share_log_odds: f64,
    /// Slope on the lattice's logarithm. With both in the share it adds little: it keeps the confidence low for signs that
    /// are no digits.
    pub lattice_log: f64,
    /// Slope on the strip's logarithm.
    pub strip_log: f64,
}

impl ConfidenceModel {
    /// Whether all coefficients are finite.
    pub fn is_sound(&self) -> bool {
        [self.intercept, self.share_log_odds, self.lattice_log, self.strip_log].iter().all(|value| value.is_finite())
    }
}

impl Default for ConfidenceModel {
    /// For nets that have no model of their own. Fitted to 2,147 fields of writers that were never trained on (real pages,
    /// cheque amounts, drawn decks), read by nets older than the shipped ones.
    fn default() -> Self {
        Self { intercept: 0.45, share_log_odds: 0.53, lattice_log: 0.03, strip_log: 0.17 }
    }
}
