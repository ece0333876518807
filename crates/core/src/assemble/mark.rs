//! Boxes to be marked, by how much of each ink covers: empty, ticked or crossed, or filled all over. A choice has several, of which
//! one is to be marked.

use super::params::MarkParams;
use super::{AcceptParams, Alternative, FieldState, ReviewReason, state::Reading};
use crate::{form::FieldKind, segment::MarkInk};

/// Reads the boxes of a field of this `kind`: of a mark one, of a choice one for each value.
pub(super) fn read(kind: &FieldKind, boxes: &[MarkInk], params: &MarkParams, accept: &AcceptParams) -> Reading {
    let boxes: Vec<MarkedBox> = boxes.iter().map(|ink| MarkedBox::new(*ink, kind.filled_counts(), params)).collect();
    match (kind, boxes.as_slice()) {
        (FieldKind::Choice { values, .. }, boxes) => read_choice(values, boxes, accept),
        (_, [one, ..]) => read_mark(one, accept),
        (_, []) => Reading::of_state(FieldState::Review(ReviewReason::OffPage), 0.0),
    }
}

/// What a box is, with probability.
#[derive(Debug, Clone, Copy)]
struct MarkedBox {
    empty: f64,
    marked: f64,
    /// Marked, and the mark taken back by filling the box.
    retracted: f64,
    /// Whether ink around it belongs to something else: where it is empty, marked, and retracted.
    is_stray: [bool; 3],
}

impl MarkedBox {
    fn new(ink: MarkInk, filled_counts: bool, params: &MarkParams) -> Self {
        let share = f64::from(ink.covered).max(1e-4);
        let written = logistic(params.marked_slope * (share / params.marked_share).ln());
        // a box with a pale stroke is not surely empty
        let written = if f64::from(ink.faint) >= params.marked_share { written.max(0.5) } else { written };
        let fill = f64::from(ink.min_ninth).max(share - params.hasty_fill_allowance);
        let filled = logistic(params.filled_slope * (fill - params.filled_share));
        // what was scribbled over covers all parts of the box alike; a tick or a cross does not. It may be hasty filling as well
        let even = logistic(params.even_slope * (f64::from(ink.min_ninth) / share - params.even_share));
        let retracted = if filled_counts { 0.0 } else { written * filled.max(0.5 * even) };
        let is_inked_beside = ink.n_inked_sides > 0;
        let is_ringed = usize::from(ink.n_inked_sides) >= params.n_stray_sides;
        let is_spilt = is_inked_beside || f64::from(ink.rim) >= params.max_filled_rim;
        Self {
            empty: 1.0 - written,
            marked: written - retracted,
            retracted,
            is_stray: [is_inked_beside, is_ringed, is_spilt],
        }
    }
}

/// Reads a box: `1` where it is marked; `0` where it is filled, unless that counts as marked, too; blank where it is empty.
fn read_mark(of: &MarkedBox, accept: &AcceptParams) -> Reading {
    let mut readings = [("", of.empty, 0), ("1", of.marked, 1), ("0", of.retracted, 2)];
    readings.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (guess, confidence, idx) = readings[0];
    let reason = of.is_stray[idx].then_some(ReviewReason::StrayInk);
    reading(guess, confidence, &readings.map(|(text, probability, _)| (text, probability)), reason, accept)
}

/// Reads a choice: the value whose box is the only marked one; blank where all are empty.
fn read_choice(values: &[String], boxes: &[MarkedBox], accept: &AcceptParams) -> Reading {
    let others = |idx: usize| boxes.iter().enumerate().filter(move |(other, _)| *other != idx);
    let alone = |idx: usize| boxes[idx].marked * others(idx).map(|(_, of)| 1.0 - of.marked).product::<f64>();
    let mut readings: Vec<(&str, f64)> =
        values.iter().enumerate().map(|(i, value)| (value.as_str(), alone(i))).collect();
    let blank = boxes.iter().map(|of| of.empty).product();
    let best = boxes.iter().enumerate().max_by(|a, b| a.1.marked.total_cmp(&b.1.marked)).map_or(0, |(i, _)| i);
    let n_marked = boxes.iter().filter(|of| of.marked >= 0.5).count();
    let is_retracted = boxes.iter().any(|of| of.retracted >= 0.5);
    readings.push(("", blank));
    let (guess, confidence, reason) = match n_marked {
        0 if is_retracted => (values[best].as_str(), alone(best), Some(ReviewReason::StruckOut)),
        0 | 1 if blank >= alone(best) => ("", blank, None),
        0 | 1 => (values[best].as_str(), alone(best), None),
        _ => (values[best].as_str(), alone(best), Some(ReviewReason::SeveralMarked)),
    };
    // what is beside an empty box may be the end of a mark in the next one
    let is_stray = |(i, of): (usize, &MarkedBox)| {
        let as_empty = if guess.is_empty() { of.is_stray[0] } else { of.is_stray[1] };
        match values[i] == guess {
            true => of.is_stray[1],
            false if of.retracted >= 0.5 => of.is_stray[2],
            false => as_empty,
        }
    };
    let stray = boxes.iter().enumerate().any(is_stray).then_some(ReviewReason::StrayInk);
    readings.sort_by(|a, b| b.1.total_cmp(&a.1));
    reading(guess, confidence, &readings, reason.or(stray), accept)
}

/// A reading with its alternatives; `reason` is why it is for review whatever its confidence.
fn reading(
    guess: &str,
    confidence: f64,
    readings: &[(&str, f64)],
    reason: Option<ReviewReason>,
    accept: &AcceptParams,
) -> Reading {
    let state = match (reason, accept.accepts(confidence)) {
        (Some(reason), _) => FieldState::Review(reason),
        (None, false) => FieldState::Review(ReviewReason::LowConfidence),
        (None, true) if guess.is_empty() => FieldState::Blank,
        (None, true) => FieldState::Accepted,
    };
    let alternative =
        |(text, probability): &(&str, f64)| Alternative { text: (*text).to_owned(), probability: *probability };
    let alternatives = readings.iter().filter(|(_, probability)| *probability > 0.0).map(alternative).collect();
    Reading { state, guess: guess.to_owned(), alternatives, confidence, inputs: None }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(ink: MarkInk, filled_counts: bool) -> Reading {
        read(&FieldKind::Mark { filled_counts }, &[ink], &MarkParams::default(), &AcceptParams::default())
    }

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
            let pale = read_one(MarkInk { faint: covered, ..MarkInk::default() }, filled_counts);
            assert_eq!(pale.state == Blank, covered < 0.05, "{pale:?}");
            let reading = read_one(ink, filled_counts);
            let is_as_expected = reading.guess == guess || reading.confidence < 0.6;
            assert!(reading.state == state && is_as_expected, "{ink:?}: {reading:?}");
            let sum: f64 = reading.alternatives.iter().map(|alternative| alternative.probability).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{ink:?}: {reading:?}");
        }
    }

    #[test]
    fn choice_is_the_only_marked_box() {
        use FieldState::{Accepted, Blank, Review};
        let full = MarkInk { covered: 1.0, min_ninth: 1.0, ..MarkInk::default() };
        let half = MarkInk { covered: 0.038, ..MarkInk::default() };
        let (tick, empty) = (MarkInk { covered: 0.3, ..MarkInk::default() }, MarkInk::default());
        let ring = |n_inked_sides, of| MarkInk { n_inked_sides, ..of };
        for (filled_counts, boxes, state, guess) in [
            (true, [empty, empty, empty], Blank, ""),
            (true, [empty, full, empty], Accepted, "B"),
            (false, [empty, empty, tick], Accepted, "C"),
            (true, [full, full, empty], Review(ReviewReason::SeveralMarked), ""),
            // a mark half erased, alone and beside another one
            (true, [empty, half, empty], Review(ReviewReason::LowConfidence), ""),
            (true, [full, half, empty], Review(ReviewReason::LowConfidence), "A"),
            // taken back by filling the box
            (false, [full, tick, empty], Accepted, "B"),
            (false, [full, empty, empty], Review(ReviewReason::StruckOut), ""),
            // the end of a tick beside the next box; a ring around a box; writing beside an empty row
            (false, [ring(1, empty), tick, empty], Accepted, "B"),
            (false, [ring(4, empty), tick, empty], Review(ReviewReason::StrayInk), "B"),
            (false, [ring(1, empty), empty, empty], Review(ReviewReason::StrayInk), ""),
        ] {
            let values = ["A", "B", "C"].map(str::to_owned).to_vec();
            let kind = FieldKind::Choice { values, filled_counts };
            let reading = read(&kind, &boxes, &MarkParams::default(), &AcceptParams::default());
            assert_eq!(reading.state, state, "{boxes:?}: {reading:?}");
            let is_open = guess.is_empty() && matches!(state, Review(_));
            assert!(is_open || reading.guess == guess, "{boxes:?}: {reading:?}");
        }
    }
}
