//! The answers of people and the readings of the machine -> what becomes of each field of a document.
//!
//! The machine counts as one reader: a person's value that is among its readings is settled, and so is one with which a sum of the
//! form holds and its other fields are sure; unless it breaks a rule or a check.
//! Otherwise a second person reads the field, and a third where two differ. A settled field is certain, and the rules of the
//! document are solved again; so fields become sure that nobody has looked at. The result depends on the answers alone, not on
//! the order in which fields were answered, so it is the same after an undo and when the journal is read again.

use std::collections::BTreeMap;

use formread_core::{
    assemble::{
        AcceptTable, FieldState, FieldValue, PageReading, PageRecord, ReviewReason, RuleParams, UnconstrainedReading,
        number, reconcile,
    },
    form::{Bounds, FormTemplate, Relation, Rule},
};

use crate::{
    answer::{Answer, Reading},
    params::{MAX_READERS, MIN_AGREEMENT, MIN_FREED},
};

/// A field of a document: index of its page among the document's, and of the field on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Index of the page, from 0.
    pub page: u32,
    /// Index of the field, from 0.
    pub field: u32,
}

/// How rules are solved: as in the run.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The forms.
    pub templates: Vec<FormTemplate>,
    /// When a reading is accepted.
    pub accept: AcceptTable,
    /// How rules are weighed.
    pub params: RuleParams,
}

/// What is known of a field with answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Another person must read it.
    Contested,
    /// Settled.
    Settled {
        /// What it was settled to.
        answer: Answer,
        /// How many people gave this answer; with one, the machine or a sum agrees.
        n_people: usize,
        /// The rule or check that it breaks; empty where none.
        rule: String,
    },
    /// As many people as may be asked have read it, and no two agree.
    Undecided,
}

/// A document after its rules were solved with the answers.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The pages. A field without an answer has its new state and reading.
    pub pages: Vec<PageRecord>,
    /// The fields with answers.
    pub outcomes: BTreeMap<Place, Outcome>,
}

/// Answers to fields of a document, each field's in the order in which they were given.
pub type Readings = BTreeMap<Place, Vec<Reading>>;

/// What rules make of a field that another person must read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contested {
    /// Nothing: neither the person nor the machine is believed. A field that is sure then is sure whatever comes out.
    IsUnknown,
    /// What the machine has read. A field that is sure then may not have to be asked.
    IsAsRead,
}

/// Solves the rules of a document. `pages` are all pages of a file, as the machine read them; `needs_two` says whether a field is
/// settled by no fewer than two people.
pub fn solve(pages: &[PageRecord], readings: &Readings, needs_two: &dyn Fn(Place) -> bool, rules: &Rules) -> Solution {
    // what one person read and rules say of it: no rule yet, a sum that holds with it, or a rule that is broken
    let mut evidence: BTreeMap<Place, Evidence> = BTreeMap::new();
    loop {
        let outcome = |(&place, given): (&Place, &Vec<Reading>)| {
            let value = field_of(pages, place)?;
            let evidence = evidence.get(&place).copied().unwrap_or_default();
            Some((place, decide(given, value, needs_two(place), evidence)?))
        };
        let mut outcomes: BTreeMap<Place, Outcome> = readings.iter().filter_map(outcome).collect();
        let solved = with_outcomes(pages, &outcomes, Contested::IsUnknown, rules);
        let is_new = |place: &Place| !evidence.contains_key(place);
        let mut found = supported(pages, &outcomes, readings, &is_new, rules);
        for (&place, outcome) in &mut outcomes {
            if let (Some(value), Outcome::Settled { n_people, rule, .. }) = (field_of(&solved, place), outcome) {
                *rule = broken_rule(&value.state);
                if *n_people == 1 && !rule.is_empty() {
                    found.push((place, Evidence::Against));
                }
            }
        }
        if found.is_empty() {
            return Solution { pages: solved, outcomes };
        }
        evidence.extend(found);
    }
}

/// The pages of a document after its rules were solved with these outcomes. What the run left for review and nobody has read is sure only
/// from [`MIN_FREED`] on.
pub fn with_outcomes(
    pages: &[PageRecord],
    outcomes: &BTreeMap<Place, Outcome>,
    contested: Contested,
    rules: &Rules,
) -> Vec<PageRecord> {
    let mut solved = pages.to_vec();
    for (&place, outcome) in outcomes {
        let is_kept = *outcome == Outcome::Contested && contested == Contested::IsAsRead;
        if let Some(value) = field_mut(&mut solved, place).filter(|_| !is_kept) {
            value.unconstrained = certain(outcome);
        }
    }
    reconcile(&rules.templates, &mut solved, &rules.accept, &rules.params);
    for (page_idx, page) in (0..).zip(&mut solved) {
        let PageReading::Read { fields, .. } = &mut page.reading else { continue };
        for (field_idx, value) in (0..).zip(fields) {
            let place = Place { page: page_idx, field: field_idx };
            let is_freed = !is_open(value) && field_of(pages, place).is_some_and(is_open);
            if is_freed && value.confidence < MIN_FREED && !outcomes.contains_key(&place) {
                value.state = FieldState::Review(ReviewReason::LowConfidence);
            }
        }
    }
    solved
}

/// What rules say of a value that one person read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Evidence {
    #[default]
    None,
    /// A sum holds with it.
    For,
    /// It breaks a rule.
    Against,
}

/// The contested fields of which a sum of the form holds with what one person read: as good as a second reader. With it all fields of
/// that sum are sure, or one person read them, too.
fn supported(
    pages: &[PageRecord],
    outcomes: &BTreeMap<Place, Outcome>,
    readings: &Readings,
    is_new: &dyn Fn(&Place) -> bool,
    rules: &Rules,
) -> Vec<(Place, Evidence)> {
    let one_reading = |place: &Place| match readings.get(place).map_or(&[][..], Vec::as_slice) {
        [Reading { answer: answer @ Answer::Value(_), .. }] => Some(answer.clone()),
        _ => None,
    };
    let trial = |(place, outcome): (&Place, &Outcome)| {
        let trial = one_reading(place).filter(|_| *outcome == Outcome::Contested);
        (*place, trial.map_or(outcome.clone(), |answer| Outcome::Settled { answer, n_people: 1, rule: String::new() }))
    };
    let tried: BTreeMap<Place, Outcome> = outcomes.iter().map(trial).collect();
    let places: Vec<Place> = tried
        .iter()
        .filter(|(place, outcome)| outcomes.get(place) != Some(outcome) && is_new(place))
        .map(|(place, _)| *place)
        .collect();
    if places.is_empty() {
        return Vec::new();
    }
    let together = with_outcomes(pages, &tried, Contested::IsUnknown, rules);
    let is_confirmed = |place: &Place| {
        sums_of(pages, *place, rules).any(|rule| {
            // what one person read in fields beside this sum may be wrong and break other rules: it is not tried here
            let of_sum = |other: &Place| other.page == place.page && rule.fields().contains(&(other.field as usize));
            let is_apart = |other: &Place| outcomes.get(other) == tried.get(other) || of_sum(other);
            holds(&together, place.page, rule)
                || !tried.keys().all(is_apart) && {
                    let alone = tried.iter().map(|(other, outcome)| {
                        (*other, if of_sum(other) { outcome } else { &outcomes[other] }.clone())
                    });
                    holds(&with_outcomes(pages, &alone.collect(), Contested::IsUnknown, rules), place.page, rule)
                }
        })
    };
    places.into_iter().filter(is_confirmed).map(|place| (place, Evidence::For)).collect()
}

/// The sums of its form that a field is in.
fn sums_of<'a>(pages: &[PageRecord], place: Place, rules: &'a Rules) -> impl Iterator<Item = &'a Rule> + use<'a> {
    let template = match pages.get(place.page as usize).map(|page| &page.reading) {
        Some(PageReading::Read { form, .. }) => rules.templates.iter().find(|template| template.name == *form),
        _ => None,
    };
    let of_form = template.map_or(&[][..], |template| template.rules.as_slice());
    of_form.iter().filter(move |rule| is_sum(rule) && rule.fields().contains(&(place.field as usize)))
}

/// Whether all fields of a rule are sure, and it holds.
fn holds(pages: &[PageRecord], page: u32, rule: &Rule) -> bool {
    let known = |field: usize| {
        let value = field_of(pages, Place { page, field: field as u32 }).filter(|value| !is_open(value));
        value.and_then(|value| number(&value.guess)).map_or(Bounds::ANY, Bounds::exactly)
    };
    rule.holds(&known) == Some(true)
}

/// Whether a rule gives a field when all its others are known.
pub fn is_sum(rule: &Rule) -> bool {
    rule.condition.is_none() && rule.claim.relation == Relation::Equal && rule.fields().len() > 1
}

/// Whether nothing has settled a field.
pub fn is_open(value: &FieldValue) -> bool {
    matches!(value.state, FieldState::Review(_))
}

/// The field at a place; `None` where there is none.
pub fn field_of(pages: &[PageRecord], place: Place) -> Option<&FieldValue> {
    match &pages.get(place.page as usize)?.reading {
        PageReading::Read { fields, .. } => fields.get(place.field as usize),
        PageReading::Rejected { .. } => None,
    }
}

/// The field at a place, to change it; `None` where there is none.
fn field_mut(pages: &mut [PageRecord], place: Place) -> Option<&mut FieldValue> {
    match &mut pages.get_mut(place.page as usize)?.reading {
        PageReading::Read { fields, .. } => fields.get_mut(place.field as usize),
        PageReading::Rejected { .. } => None,
    }
}

fn decide(given: &[Reading], value: &FieldValue, needs_two: bool, evidence: Evidence) -> Option<Outcome> {
    let settled =
        |answer: &Answer, n_people| Outcome::Settled { answer: answer.clone(), n_people, rule: String::new() };
    let n_like = |answer: &Answer| given.iter().filter(|reading| reading.answer == *answer).count();
    let (n, answer) = given.iter().map(|reading| (n_like(&reading.answer), &reading.answer)).max_by_key(|(n, _)| *n)?;
    let is_confirmed = || match evidence {
        Evidence::None => machine_agrees(value, answer),
        Evidence::For => true,
        Evidence::Against => false,
    };
    Some(match given.len() {
        _ if n >= 2 => settled(answer, n),
        1 if !needs_two && is_confirmed() => settled(answer, 1),
        n_given if n_given < MAX_READERS => Outcome::Contested,
        _ => Outcome::Undecided,
    })
}

/// Whether an answer is among the readings of the machine. What the machine takes for no number has the one reading that shows
/// its signs.
fn machine_agrees(value: &FieldValue, answer: &Answer) -> bool {
    let UnconstrainedReading { state, guess, .. } = &value.unconstrained;
    let is_review = matches!(state, FieldState::Review(_));
    let is_unread = matches!(state, FieldState::Review(ReviewReason::Illegible | ReviewReason::OffPage));
    match answer {
        Answer::Value(text) if text == guess => true,
        Answer::Value(_) if *state == FieldState::Review(ReviewReason::NotANumber) => false,
        Answer::Value(text) => {
            value.alternatives.iter().any(|other| other.text == *text && other.probability >= MIN_AGREEMENT)
        }
        Answer::Blank => guess.is_empty() && !is_unread,
        Answer::Illegible => guess.is_empty() && is_review,
    }
}

/// The reading from which rules start for a field with answers. One that is not settled says nothing.
fn certain(outcome: &Outcome) -> UnconstrainedReading {
    let settled =
        |state, guess: &str| UnconstrainedReading { state, guess: guess.to_owned(), confidence: 1.0, is_settled: true };
    match outcome {
        Outcome::Settled { answer: Answer::Value(text), .. } => settled(FieldState::Accepted, text),
        Outcome::Settled { answer: Answer::Blank, .. } => settled(FieldState::Blank, ""),
        Outcome::Settled { answer: Answer::Illegible, .. } | Outcome::Contested | Outcome::Undecided => {
            let state = FieldState::Review(ReviewReason::Illegible);
            UnconstrainedReading { state, guess: String::new(), confidence: 0.0, is_settled: false }
        }
    }
}

/// The rule or check that a settled field breaks.
fn broken_rule(state: &FieldState) -> String {
    match state {
        FieldState::Review(ReviewReason::FailedCheck(rule)) => rule.clone(),
        FieldState::Review(reason @ (ReviewReason::Missing | ReviewReason::ImpossibleDate)) => {
            reason.word().into_owned()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
