//! A box to be marked: empty, ticked or crossed, or filled all over, by how much of it ink covers.

use super::params::MarkParams;
use super::{AcceptParams, Alternative, FieldState, ReviewReason, state::Reading};
use crate::segment::MarkInk;

/// Reads a box: `1` where it is marked; `0` where it is filled, unless that counts as marked, too; blank where it is empty.
pub(super) fn read(ink: MarkInk, filled_counts: bool, params: &MarkParams, accept: &AcceptParams) -> Reading {
    let share = f64::from(ink.covered).max(1e-4);
    let written = logistic(params.marked_slope * (share / params.marked_share).ln());
    // a box with a pale stroke is not surely empty
    let written = if f64::from(ink.faint) >= params.marked_share { written.max(0.5) } else { written };
    let fill = f64::from(ink.min_ninth).max(share - params.hasty_fill_allowance);
    let filled = logistic(params.filled_slope * (fill - params.filled_share));
    // what was scribbled over covers all parts of the box alike; a tick or a cross does not. It may be hasty filling as well
    let even = logistic(params.even_slope * (f64::from(ink.min_ninth) / share - params.even_share));
    let retracted = if filled_counts { 0.0 } else { written * filled.max(0.5 * even) };
    let mut readings = [("", 1.0 - written), ("1", written - retracted), ("0", retracted)];
    readings.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (guess, confidence) = readings[0];
    let is_stray = match guess {
        "" => ink.n_inked_sides > 0,
        "1" => usize::from(ink.n_inked_sides) >= params.n_stray_sides,
        _ => ink.n_inked_sides > 0 || f64::from(ink.rim) >= params.max_filled_rim,
    };
    let state = match accept.accepts(confidence) {
        _ if is_stray => FieldState::Review(ReviewReason::StrayInk),
        false => FieldState::Review(ReviewReason::LowConfidence),
        true if guess.is_empty() => FieldState::Blank,
        true => FieldState::Accepted,
    };
    let alternative = |(text, probability): (&str, f64)| Alternative { text: text.to_owned(), probability };
    let alternatives = readings.into_iter().filter(|(_, probability)| *probability > 0.0).map(alternative).collect();
    Reading { state, guess: guess.to_owned(), alternatives, confidence, inputs: None }
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
            // a thick cross in a small box, one scribbled over, a box filled in haste, and one filled with care
            (0.7, 0.1, false, Accepted, "1"),
            (0.3, 0.16, false, doubtful.clone(), "1"),
            (0.5, 0.3, false, doubtful.clone(), "1"),
            (0.5, 0.3, true, Accepted, "1"),
            (0.85, 0.1, false, doubtful.clone(), "1"),
            (0.95, 0.75, false, doubtful, "0"),
            (0.95, 0.75, true, Accepted, "1"),
            (0.95, 0.9, false, Accepted, "0"),
            (1.0, 1.0, true, Accepted, "1"),
        ] {
            let ink = MarkInk { covered, min_ninth, ..MarkInk::default() };
            let pale = MarkInk { faint: covered, ..MarkInk::default() };
            let pale = read(pale, filled_counts, &MarkParams::default(), &AcceptParams::default());
            assert_eq!(pale.state == Blank, covered < 0.05, "{pale:?}");
            let reading = read(ink, filled_counts, &MarkParams::default(), &AcceptParams::default());
            let is_as_told = reading.guess == guess || reading.confidence < 0.6;
            assert!(reading.state == state && is_as_told, "{ink:?}: {reading:?}");
            let sum: f64 = reading.alternatives.iter().map(|alternative| alternative.probability).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{ink:?}: {reading:?}");
        }
    }
}
