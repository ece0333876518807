//! A box to be marked: empty, ticked or crossed, or filled all over, by how much of it ink covers.
//!
//! The bounds are empirical, on boxes that were drawn; no scans of boxes that people marked were at hand, and confidence is
//! not calibrated on such.

use super::{AcceptParams, Alternative, FieldState, ReviewReason, state::Reading};

/// Ink that covers less than this share of the inside is a speck, more is a mark.
const MARKED: f64 = 0.025;
/// How steeply one goes over into the other, for each factor e in the share.
const MARKED_STEEPNESS: f64 = 6.0;
/// Ink that covers more than this share fills the box.
const FILLED: f64 = 0.62;
/// How steeply, for each share of 1.
const FILLED_STEEPNESS: f64 = 30.0;

/// Reads a box of which ink covers `coverage` (0 to 1) of the inside: `1` where it is marked; `0` where it is filled, unless
/// that counts as marked, too; blank where it is empty.
pub(super) fn read(coverage: f32, filled_counts: bool, params: &AcceptParams) -> Reading {
    let share = f64::from(coverage).max(1e-4);
    let written = logistic(MARKED_STEEPNESS * (share / MARKED).ln());
    let filled = logistic(FILLED_STEEPNESS * (share - FILLED));
    let retracted = if filled_counts { 0.0 } else { written * filled };
    let mut readings = [("", 1.0 - written), ("1", written - retracted), ("0", retracted)];
    readings.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (guess, confidence) = readings[0];
    let state = match params.accepts(confidence) {
        false => FieldState::Review(ReviewReason::LowConfidence),
        true if guess.is_empty() => FieldState::Blank,
        true => FieldState::Accepted,
    };
    let alternative = |(text, probability): (&str, f64)| Alternative { text: text.to_owned(), probability };
    let alternatives = readings.into_iter().filter(|(_, probability)| *probability > 0.0).map(alternative).collect();
    Reading { state, guess: guess.to_owned(), alternatives, confidence }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_marked_filled_and_what_lies_between() {
        use FieldState::{Accepted, Blank};
        let doubtful = FieldState::Review(ReviewReason::LowConfidence);
        for (coverage, filled_counts, state, guess) in [
            (0.0, false, Blank, ""),
            (0.01, false, Blank, ""),
            (0.025, false, doubtful.clone(), "1"),
            (0.06, false, Accepted, "1"),
            (0.3, false, Accepted, "1"),
            (0.62, false, doubtful, "0"),
            (0.62, true, Accepted, "1"),
            (0.9, false, Accepted, "0"),
            (1.0, true, Accepted, "1"),
        ] {
            let reading = read(coverage, filled_counts, &AcceptParams::default());
            let is_as_told = reading.guess == guess || reading.confidence < 0.6;
            assert!(reading.state == state && is_as_told, "{coverage}: {reading:?}");
            let sum: f64 = reading.alternatives.iter().map(|alternative| alternative.probability).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{coverage}: {reading:?}");
        }
    }
}
