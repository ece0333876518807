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
pub const N_CLASSES: usize = 19;

/// Scores of one glyph.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GlyphScores {
    /// \[10\] softmax over the digits, class i is digit i: which digit it is, if it is one.
    pub digits: [f32; N_DIGITS],
    /// \[19\] softmax over [`GlyphClass`]: whether it is a digit at all, and what else it is.
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
    /// Anything else: part of a digit, two digits, a scribble, a blot, a piece of frame.
    Other = 3,
    /// A digit with one line or more through it.
    StruckOut = 4,
    /// A digit over another one.
    Overwritten = 5,
    /// `/`, leaning more than a digit.
    Slash = 6,
    /// `+`.
    Plus = 7,
    /// `=`.
    Equals = 8,
    /// `~`.
    Tilde = 9,
    /// `<`.
    Less = 10,
    /// `>`.
    Greater = 11,
    /// `(`, `)`, `[` or `]`.
    Parenthesis = 12,
    /// `$` and other currencies.
    Currency = 13,
    /// `%`.
    Percent = 14,
    /// A letter that looks like no digit.
    Letter = 15,
    /// A tick.
    Tick = 16,
    /// `"`: as in the row above.
    Ditto = 17,
    /// A point. Points, commas, apostrophes and upright lines are alike once their size is taken away: strips distinguish
    /// them.
    Point = 18,
}

impl GlyphClass {
    /// The classes that are signs, with the sign of each.
    pub const SIGNS: [(Self, Sign); 15] = [
        (Self::Cross, Sign::Cross),
        (Self::Dash, Sign::Dash),
        (Self::Slash, Sign::Slash),
        (Self::Plus, Sign::Plus),
        (Self::Equals, Sign::Equals),
        (Self::Tilde, Sign::Tilde),
        (Self::Less, Sign::Less),
        (Self::Greater, Sign::Greater),
        (Self::Parenthesis, Sign::Opening),
        (Self::Currency, Sign::Currency),
        (Self::Percent, Sign::Percent),
        (Self::Letter, Sign::Letter),
        (Self::Tick, Sign::Tick),
        (Self::Ditto, Sign::Ditto),
        (Self::Point, Sign::Point),
    ];
}

/// What people write beside digits. The order is that of the symbols from [`FIRST_SIGN`] on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// `.`
    Point,
    /// `,`
    Comma,
    /// `'`
    Apostrophe,
    /// `:`
    Colon,
    /// `/`
    Slash,
    /// `-`, a minus included.
    Dash,
    /// `+`
    Plus,
    /// `=`
    Equals,
    /// `~`
    Tilde,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `(` or `[`
    Opening,
    /// `)` or `]`
    Closing,
    /// `$` and other currencies.
    Currency,
    /// `%`
    Percent,
    /// An X that is no letter of a word.
    Cross,
    /// A letter that looks like no digit.
    Letter,
    /// A tick.
    Tick,
    /// `"`: as in the row above.
    Ditto,
    /// A long line across the writing: a streak, a void line, a bracket.
    Line,
}

/// Signs of [`Sign`].
pub const N_SIGNS: usize = 20;

impl Sign {
    /// All of them, in order.
    pub const ALL: [Self; N_SIGNS] = [
        Self::Point,
        Self::Comma,
        Self::Apostrophe,
        Self::Colon,
        Self::Slash,
        Self::Dash,
        Self::Plus,
        Self::Equals,
        Self::Tilde,
        Self::Less,
        Self::Greater,
        Self::Opening,
        Self::Closing,
        Self::Currency,
        Self::Percent,
        Self::Cross,
        Self::Letter,
        Self::Tick,
        Self::Ditto,
        Self::Line,
    ];

    /// The character for it in a text: one of its own for each sign, ASCII and no digit.
    pub fn character(self) -> char {
        char::from(b".,':/-+=~<>()$%xAv\"|"[self as usize])
    }

    /// The sign of a character; `None` for a digit, and for what is no sign's character.
    pub fn of(character: char) -> Option<Self> {
        Self::ALL.into_iter().find(|sign| sign.character() == character)
    }

    /// Its symbol on a strip.
    pub fn symbol(self) -> usize {
        FIRST_SIGN + self as usize
    }
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

    /// Probability that it is a sign, and no digit or part of one.
    pub fn sign(&self) -> f32 {
        GlyphClass::SIGNS.iter().map(|(class, _)| self.class(*class)).sum()
    }

    /// The sign that it is, if it is one.
    pub fn best_sign(&self) -> Sign {
        let (mut most, mut best) = (0.0, Sign::Dash);
        for (class, sign) in GlyphClass::SIGNS {
            if self.class(class) > most {
                (most, best) = (self.class(class), sign);
            }
        }
        best
    }

    /// Probability that it is of `class`.
    pub fn class(&self, class: GlyphClass) -> f32 {
        self.classes[class as usize]
    }
}

/// Symbols of a strip's columns: no symbol, the ten digits, [`SCRIBBLE`], and the signs.
pub const N_SYMBOLS: usize = FIRST_SIGN + N_SIGNS;

/// The blank of connectionist temporal classification: no symbol ends in the column.
pub const CTC_BLANK: usize = 0;

/// The symbol of digit 0; that of digit `d` is `FIRST_DIGIT + d`.
pub const FIRST_DIGIT: usize = 1;

/// The symbol of unreadable writing: a scribble, a blot, a digit struck out.
pub const SCRIBBLE: usize = 11;

/// The symbol of the first [`Sign`].
pub const FIRST_SIGN: usize = 12;

/// Of each column of a strip, from left to right, \[32\] natural logarithms of the softmax over the symbols.
pub type CtcLogProbs = Vec<[f32; N_SYMBOLS]>;

/// Scores of a strip.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StripScores {
    /// One for the strip itself, then one for each view of test-time augmentation, if it was refined. Empty where the
    /// strip was not read.
    pub views: Vec<CtcLogProbs>,
}

/// The most likely symbol of every column.
pub fn best_symbols(columns: &CtcLogProbs) -> Vec<usize> {
    let best = |column: &[f32; N_SYMBOLS]| {
        (1..N_SYMBOLS).fold(CTC_BLANK, |best, symbol| if column[symbol] > column[best] { symbol } else { best })
    };
    columns.iter().map(best).collect()
}

/// Greedy decoding: the most likely symbol of every column, without repetitions and [`CTC_BLANK`] are left out ("best path decoding",
/// Graves et al., "Connectionist temporal classification", ICML 2006, section 3.2).
pub fn ctc_greedy_decode(columns: &CtcLogProbs) -> Vec<usize> {
    let mut symbols = best_symbols(columns);
    symbols.dedup();
    symbols.retain(|&symbol| symbol != CTC_BLANK);
    symbols
}

/// What is known of an edge of a lattice.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum EdgeScores {
    /// Nothing is written there: paths lead over it at no cost.
    #[default]
    Empty,
    /// Its glyph was not scored: no path leads over it.
    Unscored,
    /// The scores of its glyph.
    Scored(GlyphScores),
}

impl EdgeScores {
    /// The scores of its glyph; `None` where there are none.
    pub fn glyph(self) -> Option<GlyphScores> {
        match self {
            Self::Scored(glyph) => Some(glyph),
            Self::Empty | Self::Unscored => None,
        }
    }
}

/// The scores of one field.
#[derive(Debug, Clone, Default)]
pub struct FieldScores {
    /// One for each edge of its lattice; empty for a field without writing.
    pub edges: Vec<EdgeScores>,
    /// Of its ink as a whole; without views where it was not read.
    pub strip: StripScores,
}

impl FieldScores {
    /// The scores of the glyph of an edge; `None` where there are none.
    pub fn glyph(&self, edge_idx: usize) -> Option<GlyphScores> {
        self.edges.get(edge_idx).and_then(|edge| edge.glyph())
    }

    /// The scores of all glyphs that were scored, in the order of the edges.
    pub fn glyphs_mut(&mut self) -> impl Iterator<Item = &mut GlyphScores> {
        self.edges.iter_mut().filter_map(|edge| match edge {
            EdgeScores::Scored(glyph) => Some(glyph),
            EdgeScores::Empty | EdgeScores::Unscored => None,
        })
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

/// Maximum size of a coefficient of a [`ConfidenceModel`]. Fits are below 1; far above, every reading is sure, or none.
const MAX_COEFFICIENT: f64 = 10.0;

impl ConfidenceModel {
    /// Whether all coefficients are of the size that a fit gives them.
    pub fn is_sound(&self) -> bool {
        let coefficients = [self.intercept, self.share_log_odds, self.lattice_log, self.strip_log];
        coefficients.iter().all(|value| value.abs() <= MAX_COEFFICIENT)
    }
}

impl Default for ConfidenceModel {
    /// For nets that have no model of their own. Fitted to 2,147 fields of writers that were never trained on (real pages,
    /// cheque amounts, drawn decks), read by nets older than the shipped ones.
    fn default() -> Self {
        Self { intercept: 0.45, share_log_odds: 0.53, lattice_log: 0.03, strip_log: 0.17 }
    }
}
