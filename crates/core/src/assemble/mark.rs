//! A box to be marked: empty, ticked or crossed, or filled all over, by how much of it ink covers.
//!
//! The bounds lie between what was measured on boxes of 2 mm that people crossed, on scans and photos of a form: 190 empty
//! ones without any ink inside, 138 crossed ones of which ink covered 32 to 71 %, and at most 25 % of the ninth with least
//! ink. Half the resolution and a coarse JPEG bring them to 7 to 77 and to 34 %. Nobody had filled one: those were drawn.
//! How sure a reading is was not calibrated.

use super::{AcceptParams, Alternative, FieldState, ReviewReason, state::Reading};
use crate::segment::MarkInk;

/// Ink that covers less than this share of the inside is a speck or a stroke that strayed in, more is a mark.
const MARKED: f64 = 0.04;
/// How steeply one goes over into the other, for each factor e in the share.
const MARKED_SLOPE: f64 = 6.0;
/// A box is filled where the ninth with least ink has more than this share of it.
const FILLED: f64 = 0.7;
/// How steeply, for each share of 1.
const FILLED_SLOPE: f64 = 25.0;
/// Where ink covers this much more than that, a box may be filled in haste that has a ninth left free.
const HASTY_FILL_ALLOWANCE: f64 = 0.2;

/// Reads a box: `1` where it is marked; `0` where it is filled, unless that counts as marked, too; blank where it is empty.
pub(super) fn read(ink: MarkInk, filled_counts: bool, params: &AcceptParams) -> Reading {
    let share = f64::from(ink.covered).max(1e-4);
    let written = logistic(MARKED_SLOPE * (share / MARKED).ln());
    let fill = f64::from(ink.min_ninth).max(share - HASTY_FILL_ALLOWANCE);
    let filled = logistic(FILLED_SLOPE * (fill - FILLED));
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
        for (covered, min_ninth, filled_counts, state, guess) in [
            (0.0, 0.0, false, Blank, ""),
            (0.02, 0.0, false, Blank, ""),
            (0.04, 0.0, false, doubtful.clone(), "1"),
            (0.08, 0.0, false, Accepted, "1"),
            (0.3, 0.0, false, Accepted, "1"),
            // a thick cross in a small box, a box filled in haste, and one filled with care
            (0.7, 0.3, false, Accepted, "1"),
            (0.85, 0.1, false, doubtful.clone(), "1"),
            (0.95, 0.75, false, doubtful, "0"),
            (0.95, 0.75, true, Accepted, "1"),
            (0.95, 0.9, false, Accepted, "0"),
            (1.0, 1.0, true, Accepted, "1"),
        ] {
            let ink = MarkInk { covered, min_ninth };
            let reading = read(ink, filled_counts, &AcceptParams::default());
            let is_as_told = reading.guess == guess || reading.confidence < 0.6;
            assert!(reading.state == state && is_as_told, "{ink:?}: {reading:?}");
            let sum: f64 = reading.alternatives.iter().map(|alternative| alternative.probability).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{ink:?}: {reading:?}");
        }
    }
}
