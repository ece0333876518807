//! The state of a field: accepted, blank, or in need of review, and why.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Alternative, FieldScores, FieldState, ReviewReason,
    canonical::{Written, canonical},
    confidence::ConfidenceInputs,
    defect::{Defect, any_defect, defect},
    params::AssembleParams,
    readings::{Candidate, Candidates, candidates},
    symbols::log_sum,
    unexplained::{Unexplained, unexplained},
};
use crate::{
    form::{Field, FieldLayout},
    segment::Lattice,
};

/// When a reading is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AcceptParams {
    /// The acceptance level: a reading is accepted from this confidence on, 0 to 1. Raising it sends more fields to review and
    /// accepts fewer wrong ones.
    pub min_confidence: f64,
    /// The same for a reading that a rule put in the place of a more likely one. It is higher, because such a reading is a
    /// correction of the writer's ink.
    pub min_confidence_corrected: f64,
}

impl AcceptParams {
    /// Nothing is accepted.
    pub const NEVER: Self = Self { min_confidence: f64::INFINITY, min_confidence_corrected: f64::INFINITY };

    /// Whether a reading of this confidence, 0 to 1, is accepted. It is rounded to four decimals first, as
    /// in the table, so that both can be compared.
    pub fn accepts(&self, confidence: f64) -> bool {
        (confidence * 1e4).round() / 1e4 >= self.min_confidence
    }
}

/// When a reading is accepted, by form and field.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AcceptTable {
    /// For fields that are not listed.
    pub otherwise: AcceptParams,
    /// By the name of the form, then of the field.
    pub by_field: BTreeMap<String, BTreeMap<String, AcceptParams>>,
}

impl AcceptTable {
    /// When a reading of `field` on `form` is accepted.
    pub fn of(&self, form: &str, field: &str) -> AcceptParams {
        let listed = self.by_field.get(form).and_then(|fields| fields.get(field));
        listed.copied().unwrap_or(self.otherwise)
    }
}

impl Default for AcceptParams {
    /// 0.97: of 1,577 fields above it, of writers never trained on, 11 were wrong, three of these by a mistake in the truth.
    fn default() -> Self {
        Self { min_confidence: 0.97, min_confidence_corrected: 0.99 }
    }
}

/// Readings that are listed.
const N_ALTERNATIVES: usize = 8;

/// The reading of a field's ink.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub state: FieldState,
    pub guess: String,
    pub alternatives: Vec<Alternative>,
    pub confidence: f64,
    /// What `confidence` was computed from; `None` where there is no candidate, and of a mark.
    pub inputs: Option<ConfidenceInputs>,
}

impl Reading {
    pub fn of_state(state: FieldState, confidence: f64) -> Self {
        Self { state, guess: String::new(), alternatives: Vec::new(), confidence, inputs: None }
    }
}

/// Reads a field with writing.
pub(super) fn read(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    params: &AssembleParams,
    accept: &AcceptParams,
) -> Reading {
    let Candidates { readings: candidates, unreadable, has_digits_beside, not_a_number, as_written } =
        candidates(field, lattice, scores, params);
    // what is not among the readings takes from their shares
    let others = log_sum(unreadable, not_a_number);
    let has_odd_sign = lattice.signs.is_doubtful;
    let fits = |candidate: &Candidate| match candidate.digits.len() {
        0 => candidate.has_filler,
        n => (field.digits.min..=field.digits.max).contains(&n),
    };
    let Some(best_of_all) = candidates.iter().find(|c| !c.digits.is_empty() || c.has_filler) else {
        let reason = if as_written.is_empty() { ReviewReason::Illegible } else { ReviewReason::NotANumber };
        return Reading { guess: as_written, ..Reading::of_state(FieldState::Review(reason), 0.0) };
    };
    let fitting: Vec<&Candidate> = candidates.iter().filter(|candidate| fits(candidate)).collect();
    let wrong_length = match fitting.first() {
        Some(best) => best_of_all.score - best.score > params.length_margin_log,
        None => true,
    };
    if wrong_length {
        let n_digits = best_of_all.digits.len();
        let reason = if n_digits > field.digits.max { ReviewReason::Overflow } else { ReviewReason::TooShort };
        let same_length: Vec<&Candidate> = candidates.iter().filter(|c| c.digits.len() == n_digits).collect();
        let (reason, as_written) = match not_a_number > best_of_all.score {
            true => (ReviewReason::NotANumber, Some(as_written)),
            false => (reason, None),
        };
        let doubt = Some(Defect { reason, is_sure: true });
        let reading = judge(field, &same_length, has_odd_sign, others, params, accept, doubt);
        return Reading { guess: as_written.unwrap_or(reading.guess), ..reading };
    }
    let is_unreadable = fitting.first().is_some_and(|best| unreadable > best.score);
    let doubt = if is_unreadable {
        let by_strip = if has_digits_beside { ReviewReason::StruckOut } else { ReviewReason::Illegible };
        let reason = any_defect(scores, &params.defect).map_or(by_strip, |doubt| doubt.reason);
        Some(Defect { reason, is_sure: true })
    } else {
        fitting.first().and_then(|best| defect(field, lattice, scores, best, params))
    };
    let by_ink = fitting.first().and_then(|best| unexplained(field, lattice, scores, best, params));
    let is_sign = fitting.first().is_some_and(|best| not_a_number > best.score);
    // a text of the strip that is less likely than the reading is no guess
    let beside = match by_ink {
        Some(by_ink) if is_sign => Some(Unexplained { as_written, ..by_ink }),
        None if is_sign => {
            Some(Unexplained { defect: Defect { reason: ReviewReason::NotANumber, is_sure: true }, as_written })
        }
        by_ink => by_ink,
    };
    match beside {
        Some(Unexplained { defect, as_written }) => {
            // a digit that is struck out says more than a sign without a name
            let doubt = doubt.map_or(defect, |doubt| Defect { is_sure: true, ..doubt });
            let reading = judge(field, &fitting, has_odd_sign, others, params, accept, Some(doubt));
            Reading { guess: as_written, ..reading }
        }
        None => judge(field, &fitting, has_odd_sign, others, params, accept, doubt),
    }
}

/// The state of the best of `candidates` (best first, at least one) among them. `others` is the score of the field
/// being unreadable or no number; `has_odd_sign` is whether there is half a sign.
fn judge(
    field: &Field,
    candidates: &[&Candidate],
    has_odd_sign: bool,
    others: f64,
    params: &AssembleParams,
    accept: &AcceptParams,
    doubt: Option<Defect>,
) -> Reading {
    let Some(&best) = candidates.first() else {
        return Reading::of_state(FieldState::Review(ReviewReason::Illegible), 0.0);
    };
    let alternatives = alternatives(field, candidates, others);
    let share = alternatives.first().map_or(0.0, |a| a.probability);
    let inputs = ConfidenceInputs { share, lattice_log: best.lattice_log, strip_log: best.strip_log };
    let mut confidence = inputs.confidence(&params.confidence);
    let has_gap = best.has_inner_gap && matches!(field.layout, FieldLayout::Comb { .. });
    if has_gap || best.has_unknown_filler || has_odd_sign || !best.decimals.is_sure {
        confidence *= params.unexplained_factor;
    }
    let (guess, is_possible) = text(field, best);
    let is_sure = accept.accepts(confidence);
    let state = match doubt {
        Some(Defect { reason, is_sure: true }) => FieldState::Review(reason),
        _ if !is_possible => FieldState::Review(ReviewReason::ImpossibleDate),
        doubt if !is_sure => FieldState::Review(doubt.map_or(ReviewReason::LowConfidence, |doubt| doubt.reason)),
        _ if guess.is_empty() => FieldState::Blank,
        _ => FieldState::Accepted,
    };
    Reading { state, guess, alternatives, confidence, inputs: Some(inputs) }
}

/// The best reading of a field in canonical form, before any rule, and the inputs of its confidence: what a confidence model
/// is fitted to. `None` where there is no reading, or one that needs review whatever its confidence.
pub fn confidence_inputs(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    params: &AssembleParams,
) -> Option<(String, ConfidenceInputs)> {
    let reading = read(field, lattice, scores, params, &AcceptParams::NEVER);
    // a reading that is not accepted whatever its confidence says nothing about confidence
    let is_open = reading.state == FieldState::Review(ReviewReason::LowConfidence);
    Some((reading.guess, reading.inputs?)).filter(|_| is_open)
}

/// The canonical form of a candidate, and whether such a value exists.
pub(super) fn text(field: &Field, candidate: &Candidate) -> (String, bool) {
    if candidate.digits.is_empty() {
        return (field.fillers_mean.clone().unwrap_or_default(), true);
    }
    let Candidate { digits, is_negative, decimals, .. } = candidate;
    let written = Written { digits, n_decimals: decimals.n, is_negative: *is_negative };
    let canonical = canonical(&field.kind, written);
    (canonical.text, canonical.is_possible)
}

/// The candidates' texts, most likely first, each with its share of the probability of all, and of the field being
/// unreadable or no number.
fn alternatives(field: &Field, candidates: &[&Candidate], others: f64) -> Vec<Alternative> {
    let best_score = candidates.first().map_or(0.0, |candidate| candidate.score);
    let mut found: Vec<Alternative> = Vec::new();
    let mut all = (others - best_score).exp();
    for candidate in candidates {
        let weight = (candidate.score - best_score).exp();
        all += weight;
        let (text, _) = text(field, candidate);
        match found.iter_mut().find(|a| a.text == text) {
            Some(same) => same.probability += weight,
            None => found.push(Alternative { text, probability: weight }),
        }
    }
    // The best candidate's text stays at the head, though others may together outweigh it.
    if let Some((_, rest)) = found.split_first_mut() {
        rest.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    }
    for alternative in &mut found {
        alternative.probability /= all;
    }
    found.truncate(N_ALTERNATIVES);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{
        symbols::tests::saying,
        tests::{edge, field, glyph},
    };
    use crate::scores::{EdgeScores, Sign};

    /// Three digits of a lattice that reads 514, with this text on the strip.
    fn read_strip(columns: &str, probability: f32) -> Reading {
        let lattice = Lattice { n_nodes: 4, edges: (0..3).map(|i| edge(i, i + 1)).collect(), ..Lattice::default() };
        let edges = [5, 1, 4].map(|digit| EdgeScores::Scored(glyph(digit, 0.999)));
        let scores = FieldScores { edges: edges.to_vec(), strip: saying(columns, probability) };
        read(&field(1, 6), &lattice, &scores, &AssembleParams::default(), &AcceptParams::default())
    }

    #[test]
    fn sign_on_the_strip_is_no_number_and_is_written_in_the_guess() {
        assert_eq!(read_strip("_5_1_4_", 0.999).state, FieldState::Accepted);
        for (columns, guess) in [("_5_/_4_", "5/4"), ("-_5_1_4_", "-514"), ("_5_1_4A", "514?"), ("_5_._1_4_", "5.14")] {
            let reading = read_strip(columns, 0.99);
            assert_eq!(reading.state, FieldState::Review(ReviewReason::NotANumber), "{columns}");
            assert_eq!(reading.guess, guess);
        }
    }

    #[test]
    fn sign_that_is_less_likely_than_the_digit_takes_from_its_confidence() {
        let mut scores = saying("_5_1_4_", 0.999);
        let column = &mut scores.views[0][3];
        let [one, slash] = [2, Sign::Slash.symbol()];
        (column[one], column[slash]) = (0.7f32.ln(), 0.3f32.ln());
        let lattice = Lattice { n_nodes: 4, edges: (0..3).map(|i| edge(i, i + 1)).collect(), ..Lattice::default() };
        let edges = [5, 1, 4].map(|digit| EdgeScores::Scored(glyph(digit, 0.999))).to_vec();
        let scores = FieldScores { edges, strip: scores };
        let doubtful = read(&field(1, 6), &lattice, &scores, &AssembleParams::default(), &AcceptParams::default());
        assert_eq!(doubtful.guess, "514");
        assert!(doubtful.confidence < 0.97, "{}", doubtful.confidence);
    }
}
