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
    let Candidates { readings: candidates, unreadable, has_digits_beside } = candidates(field, lattice, scores, params);
    let has_odd_sign = lattice.signs.is_doubtful;
    let fits = |candidate: &Candidate| match candidate.digits.len() {
        0 => candidate.has_filler,
        n => (field.digits.min..=field.digits.max).contains(&n),
    };
    let Some(best_of_all) = candidates.iter().find(|c| !c.digits.is_empty() || c.has_filler) else {
        return Reading::of_state(FieldState::Review(ReviewReason::Illegible), 0.0);
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
        return judge(
            field,
            &same_length,
            has_odd_sign,
            unreadable,
            params,
            accept,
            Some(Defect { reason, is_sure: true }),
        );
    }
    let is_unreadable = fitting.first().is_some_and(|best| unreadable > best.score);
    let doubt = if is_unreadable {
        let by_strip = if has_digits_beside { ReviewReason::StruckOut } else { ReviewReason::Illegible };
        let reason = any_defect(scores, &params.defect).map_or(by_strip, |doubt| doubt.reason);
        Some(Defect { reason, is_sure: true })
    } else {
        fitting.first().and_then(|best| defect(field, lattice, scores, best, params))
    };
    let beside = fitting.first().and_then(|best| unexplained(field, lattice, scores, best, params));
    match beside {
        Some(Unexplained { defect, as_written }) => {
            let doubt = doubt.filter(|doubt| doubt.is_sure).unwrap_or(defect);
            let reading = judge(field, &fitting, has_odd_sign, unreadable, params, accept, Some(doubt));
            Reading { guess: as_written, ..reading }
        }
        None => judge(field, &fitting, has_odd_sign, unreadable, params, accept, doubt),
    }
}

/// The state of the best of `candidates` (best first, at least one) among them. `unreadable` is the score of the field
/// being unreadable; `has_odd_sign` is whether there is half a sign.
fn judge(
    field: &Field,
    candidates: &[&Candidate],
    has_odd_sign: bool,
    unreadable: f64,
    params: &AssembleParams,
    accept: &AcceptParams,
    doubt: Option<Defect>,
) -> Reading {
    let Some(&best) = candidates.first() else {
        return Reading::of_state(FieldState::Review(ReviewReason::Illegible), 0.0);
    };
    let alternatives = alternatives(field, candidates, unreadable);
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
/// is fitted to. `None` where there is no reading.
pub fn confidence_inputs(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    params: &AssembleParams,
) -> Option<(String, ConfidenceInputs)> {
    let reading = read(field, lattice, scores, params, &AcceptParams::NEVER);
    Some((reading.guess, reading.inputs?))
}

/// The canonical form of a candidate, and whether such a value exists.
fn text(field: &Field, candidate: &Candidate) -> (String, bool) {
    if candidate.digits.is_empty() {
        return (field.fillers_mean.clone().unwrap_or_default(), true);
    }
    let Candidate { digits, is_negative, decimals, .. } = candidate;
    let written = Written { digits, n_decimals: decimals.n, is_negative: *is_negative };
    let canonical = canonical(&field.kind, written);
    (canonical.text, canonical.is_possible)
}

/// The candidates' texts, most likely first, each with its share of the probability of all, and of the field being
/// unreadable.
fn alternatives(field: &Field, candidates: &[&Candidate], unreadable: f64) -> Vec<Alternative> {
    let best_score = candidates.first().map_or(0.0, |candidate| candidate.score);
    let mut found: Vec<Alternative> = Vec::new();
    let mut all = (unreadable - best_score).exp();
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
