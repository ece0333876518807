//! Counts of fields and of right readings.
//!
//! A scored field is one whose truth is a number or blank. A field that is not in the table, because its page was
//! rejected or for another reason, is scored as not read. `?` in the truth means not scored. `!` means illegible: no
//! number is right, and accepting one is an error; the field is not a scored field.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{TruthField, upper_bound};

/// Probability that a bound of a score is true.
pub const SCORE_CERTAINTY: f64 = 0.95;

/// Counts of fields and of right readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Scored fields: truth is a number or blank.
    pub fields: u64,
    /// Scored fields whose best reading, accepted or not, is the truth. A blank field is right if it has no reading.
    pub forced_correct: u64,
    /// Fields accepted as a number, illegible ones included.
    pub accepted: u64,
    /// Accepted fields whose value is not the truth.
    pub accepted_wrong: u64,
    /// Scored fields whose truth is a number.
    pub number_fields: u64,
    /// Number fields whose best reading is that number.
    pub number_correct: u64,
    /// Scored fields whose truth is blank.
    pub blank_fields: u64,
    /// Blank fields with the state `blank`.
    pub blank_correct: u64,
    /// Number fields read as blank: the number is lost, and no person sees it.
    pub number_lost: u64,
    /// Fields whose truth is illegible.
    pub illegible_fields: u64,
    /// Illegible fields that were accepted.
    pub illegible_accepted: u64,
    /// Scored fields that are not in the table.
    pub missing: u64,
}

impl Tally {
    /// The tally of one field, and whether it is right; `None` for the truth `?`.
    pub fn of(field: &TruthField) -> Option<(Self, bool)> {
        if !field.is_scored() {
            return None;
        }
        let (truth, answer) = (field.truth.as_str(), field.answer.as_ref());
        let is_state = |state: &str| answer.is_some_and(|a| a.state == state);
        let is_accepted = is_state("accepted");
        let mut tally = Self { accepted: is_accepted.into(), ..Self::default() };
        if truth == "!" {
            tally.illegible_fields = 1;
            tally.illegible_accepted = is_accepted.into();
            tally.accepted_wrong = is_accepted.into();
            return Some((tally, !is_accepted));
        }
        let is_right = answer.is_some_and(|answer| answer.guess == truth);
        tally.fields = 1;
        tally.forced_correct = is_right.into();
        tally.accepted_wrong = (is_accepted && !is_right).into();
        tally.missing = answer.is_none().into();
        if truth.is_empty() {
            tally.blank_fields = 1;
            tally.blank_correct = is_state("blank").into();
        } else {
            tally.number_fields = 1;
            tally.number_correct = is_right.into();
            tally.number_lost = is_state("blank").into();
        }
        Some((tally, is_right))
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.fields += other.fields;
        self.forced_correct += other.forced_correct;
        self.accepted += other.accepted;
        self.accepted_wrong += other.accepted_wrong;
        self.number_fields += other.number_fields;
        self.number_correct += other.number_correct;
        self.blank_fields += other.blank_fields;
        self.blank_correct += other.blank_correct;
        self.number_lost += other.number_lost;
        self.illegible_fields += other.illegible_fields;
        self.illegible_accepted += other.illegible_accepted;
        self.missing += other.missing;
    }

    /// Share of the scored fields whose best reading is the truth, 0 to 1; 0 without fields.
    pub fn forced_accuracy(&self) -> f64 {
        self.forced_correct as f64 / self.fields.max(1) as f64
    }

    /// Upper bound of the error rate among accepted fields, 0 to 1, at [`SCORE_CERTAINTY`]; 1 without accepted fields.
    pub fn accepted_wrong_bound(&self) -> f64 {
        upper_bound(self.accepted_wrong, self.accepted, SCORE_CERTAINTY)
    }
}

/// A tally as JSON, with its rates.
#[derive(Serialize)]
struct TallyWithRates<'a> {
    #[serde(flatten)]
    tally: &'a Tally,
    /// [`Tally::forced_accuracy`].
    forced_accuracy: f64,
    /// [`Tally::accepted_wrong_bound`].
    accepted_wrong_bound: f64,
}

impl<'a> TallyWithRates<'a> {
    fn of(tally: &'a Tally) -> Self {
        let (forced_accuracy, accepted_wrong_bound) = (tally.forced_accuracy(), tally.accepted_wrong_bound());
        Self { tally, forced_accuracy, accepted_wrong_bound }
    }
}

/// Serialises a tally with its rates.
pub(super) fn serialise_with_rates<S: Serializer>(tally: &Tally, serializer: S) -> Result<S::Ok, S::Error> {
    TallyWithRates::of(tally).serialize(serializer)
}

/// Serialises a map of tallies with their rates.
pub(super) fn serialise_map_with_rates<S: Serializer>(
    tallies: &BTreeMap<String, Tally>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tallies.iter().map(|(name, tally)| (name, TallyWithRates::of(tally))))
}
