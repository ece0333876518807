//! A field's readings, as they are stored for review: all that the rules need to be solved again.

use serde::{Deserialize, Serialize};

use super::{FieldState, FieldValue, ReviewReason, UnconstrainedReading};

/// What a field reads by itself, before any rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldReadings {
    /// `accepted`, `blank`, or why a person must review it.
    pub state: String,
    /// The best reading in canonical form.
    pub guess: String,
    /// 0 to 1, of the guess.
    pub confidence: f64,
    /// All readings with their probabilities, most likely first.
    pub alternatives: Vec<(String, f64)>,
    /// Quarter turns clockwise that bring the field on the decoded page upright, 0 to 3.
    #[serde(default, skip_serializing_if = "is_upright")]
    pub quarter_turns: u8,
}

fn is_upright(quarter_turns: &u8) -> bool {
    *quarter_turns == 0
}

impl FieldReadings {
    /// The readings of a field.
    pub fn of(value: &FieldValue) -> Self {
        let UnconstrainedReading { state, guess, confidence, .. } = &value.unconstrained;
        let alternatives = value.alternatives.iter().map(|other| (other.text.clone(), other.probability));
        Self {
            state: state.word().into_owned(),
            guess: guess.clone(),
            confidence: *confidence,
            alternatives: alternatives.collect(),
            quarter_turns: value.quarter_turns,
        }
    }
}

impl FieldState {
    /// The state of a [word](FieldState::word).
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "accepted" => Some(Self::Accepted),
            "blank" => Some(Self::Blank),
            reason => ReviewReason::from_word(reason).map(Self::Review),
        }
    }
}

impl ReviewReason {
    /// The reason of a [word](ReviewReason::word).
    fn from_word(word: &str) -> Option<Self> {
        let (word, detail) =
            word.split_once(':').map_or((word, None), |(word, detail)| (word, Some(detail.to_owned())));
        Some(match (word, detail) {
            ("failed-check", Some(check)) => Self::FailedCheck(check),
            ("missing-page", Some(form)) => Self::MissingPage(form),
            ("surplus-page", Some(form)) => Self::SurplusPage(form),
            ("low-confidence", None) => Self::LowConfidence,
            ("illegible", None) => Self::Illegible,
            ("struck-out", None) => Self::StruckOut,
            ("overwritten", None) => Self::Overwritten,
            ("overflow", None) => Self::Overflow,
            ("too-short", None) => Self::TooShort,
            ("off-page", None) => Self::OffPage,
            ("impossible-date", None) => Self::ImpossibleDate,
            ("missing", None) => Self::Missing,
            ("frame-not-found", None) => Self::FrameNotFound,
            ("not-a-number", None) => Self::NotANumber,
            ("unexplained-ink", None) => Self::UnexplainedInk,
            ("stray-ink", None) => Self::StrayInk,
            ("too-faint", None) => Self::TooFaint,
            ("several-marked", None) => Self::SeveralMarked,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_of_each_word_is_the_state_that_has_it() {
        use ReviewReason::{
            FailedCheck, FrameNotFound, Illegible, ImpossibleDate, LowConfidence, Missing, MissingPage, NotANumber,
            OffPage, Overflow, Overwritten, SeveralMarked, StrayInk, StruckOut, SurplusPage, TooFaint, TooShort,
            UnexplainedInk,
        };
        let with_detail = [FailedCheck, MissingPage, SurplusPage].map(|reason| reason("a = b:c".to_owned()));
        let plain = [
            LowConfidence,
            Illegible,
            StruckOut,
            Overwritten,
            Overflow,
            TooShort,
            OffPage,
            ImpossibleDate,
            Missing,
            FrameNotFound,
            NotANumber,
            UnexplainedInk,
            StrayInk,
            TooFaint,
            SeveralMarked,
        ];
        let reasons = with_detail.into_iter().chain(plain).map(FieldState::Review);
        for state in [FieldState::Accepted, FieldState::Blank].into_iter().chain(reasons) {
            assert_eq!(FieldState::from_word(&state.word()), Some(state.clone()), "{state:?}");
        }
        assert_eq!(FieldState::from_word("failed-check"), None);
        assert_eq!(FieldState::from_word("perhaps"), None);
    }
}
