//! Acceptance levels for every form and field, from a finished run and its truth.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{
    Budget, Level, Pool, Sample, TruthField,
    pools::{Rows, Settled, settle},
};
use formread_raster::error::{Error, Result};

/// Acceptance levels of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Most errors among accepted values, as a share.
    pub budget: f64,
    /// How sure each bound is, as a chance, for itself.
    pub certainty: f64,
    /// Samples that carry the budget if none of them is wrong.
    pub samples_needed: u64,
    /// Samples of all fields.
    pub samples: u64,
    /// The level of all fields together, for those that are not listed; `None` where it cannot be proved.
    pub pooled: Option<Level>,
    /// One a form and field, forms by name, fields in the order of the truth.
    pub fields: Vec<FieldCalibration>,
}

/// The level of one field, and what it does to the field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldCalibration {
    /// The form's name.
    pub form: String,
    /// The field's name.
    pub field: String,
    /// What the level stands on; `None` where no pool carries one.
    #[serde(rename = "stands_on")]
    pub pool: Option<Pool>,
    /// The level, with samples, wrong ones and bound of what it stands on.
    pub level: Option<Level>,
    /// The field's own samples.
    pub samples: u64,
    /// Of these, at or above the level.
    pub accepted: u64,
    /// Of these, wrong.
    pub wrong: u64,
    /// Fields in the table, with and without a sample.
    pub rows: u64,
    /// Of these, what a person would have to look at.
    pub review: u64,
}

/// The levels at which `fields`, a run beside its truth, prove that `budget` is kept: of each field by its own samples; or
/// else by those of its form; or else by all.
///
/// A sample is a field that the level alone accepts or holds back, and in which a number stands or was read. A number
/// taken for blank is wrong; a blank read as blank proves nothing and is no sample. What awaits review for another reason
/// than low confidence is never accepted. Samples count as independent: a deck of few writers proves less than its number
/// says.
///
/// # Errors
/// `Usage` where the run has none of the truth's fields.
pub fn calibrate(fields: &[TruthField], budget: &Budget) -> Result<Calibration> {
    let mut by_form: BTreeMap<&str, Vec<(&str, Rows)>> = BTreeMap::new();
    for of in fields {
        let Some(answer) = &of.answer else { continue };
        let form = by_form.entry(&of.form).or_default();
        let idx = form.iter().position(|(field, _)| *field == of.field).unwrap_or_else(|| {
            form.push((&of.field, Rows::default()));
            form.len() - 1
        });
        form[idx].1.add(of, answer);
    }
    if by_form.is_empty() {
        let hint = "scan and page must be written in both as the table has them";
        return Err(Error::usage(format!("the table has no field of the truth\nhint: {hint}")));
    }
    let pool = |rows: &[(&str, Rows)]| -> Vec<Sample> {
        rows.iter().flat_map(|(_, rows)| rows.samples.iter().copied()).collect()
    };
    let mut settled: Vec<Settled> = Vec::new();
    for (form, of_form) in &by_form {
        let new = settled.len();
        settled.extend(of_form.iter().map(|(field, rows)| Settled::new(form, field, rows, budget)));
        settle(&mut settled[new..], Pool::Form, budget, &pool(of_form));
    }
    let all: Vec<Sample> = by_form.values().flat_map(|rows| pool(rows)).collect();
    let pooled = settle(&mut settled, Pool::All, budget, &all);
    Ok(Calibration {
        budget: budget.max_error,
        certainty: budget.certainty,
        samples_needed: budget.samples_needed(0),
        samples: all.len() as u64,
        pooled,
        fields: settled.into_iter().map(Settled::finish).collect(),
    })
}

impl Calibration {
    /// Why there are no levels, for a person; `None` where every field has one or, by its own samples, must have none.
    pub fn refusal(&self) -> Option<String> {
        let open = self.fields.iter().filter(|field| field.pool.is_none()).count();
        let Self { budget, certainty, samples_needed, samples, fields, .. } = self;
        let (n, certainty) = (fields.len(), 100.0 * certainty);
        (open > 0).then(|| {
            format!(
                "no level is sure, by {certainty} %, to keep errors among accepted values below {budget}, for {open} of \
                 {n} fields: {samples} samples in all\nhint: {samples_needed} samples without an error are needed, \
                 more if some are wrong; or allow more errors"
            )
        })
    }
}

/// A table for people.
impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { budget, certainty, samples_needed, samples, pooled, fields } = self;
        let certainty = 100.0 * certainty;
        writeln!(
            f,
            "errors among accepted values below {budget}, {certainty} % sure: {samples_needed} samples needed"
        )?;
        let width = |name: fn(&FieldCalibration) -> &String| fields.iter().map(|of| name(of).chars().count()).max();
        let (form_width, field_width) = (width(|of| &of.form).unwrap_or(0).max(4), width(|of| &of.field).unwrap_or(0));
        let field_width = field_width.max(5);
        write!(f, "{:form_width$}  {:field_width$}  {:>6}  {:>8}", "form", "field", "level", "accepted")?;
        writeln!(f, "  {:>5}  {:>11}  {:9}  {:>13}  {:>8}", "wrong", "review", "pool", "wrong in it", "at most")?;
        let mut sums = [0; 4];
        for FieldCalibration { form, field, pool, level, accepted, wrong, rows, review, .. } in fields {
            let pool = match pool {
                Some(Pool::Field) => "field",
                Some(Pool::Form) => "form",
                Some(Pool::All) => "all",
                Some(Pool::Nothing) => "no: wrong",
                None => "no: few",
            };
            let least = level.map_or("never".to_owned(), |level| level.min_confidence.to_string());
            write!(f, "{form:form_width$}  {field:field_width$}  {least:>6}  {accepted:>8}  {wrong:>5}  ")?;
            write!(f, "{:>11}  {pool:9}", format!("{review}/{rows}"))?;
            if let Some(Level { samples, wrong, bound, .. }) = level {
                write!(f, "  {:>13}  {bound:>8.6}", format!("{wrong}/{samples}"))?;
            }
            writeln!(f)?;
            for (sum, n) in sums.iter_mut().zip([accepted, wrong, review, rows]) {
                *sum += n;
            }
        }
        let [accepted, wrong, review, rows] = sums;
        writeln!(
            f,
            "all: {accepted} of {samples} samples accepted, {wrong} of them wrong; {review} of {rows} to review"
        )?;
        match pooled {
            Some(Level { min_confidence, samples, wrong, bound }) => {
                writeln!(
                    f,
                    "fields that are not listed: {min_confidence}, {wrong} of {samples} wrong, at most {bound:.6}"
                )
            }
            None => writeln!(f, "fields that are not listed: never accepted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::evaluate::pools::tests::row;

    const BUDGET: Budget = Budget { max_error: 0.01, certainty: 0.95 };

    fn right(form: &str, field: &str, n: usize) -> Vec<TruthField> {
        vec![row(form, field, "7", "accepted", "7", 0.99995, ""); n]
    }

    fn wrong(form: &str, field: &str, n: usize) -> Vec<TruthField> {
        vec![row(form, field, "7", "accepted", "1", 0.99995, ""); n]
    }

    fn found(rows: &[Vec<TruthField>]) -> Calibration {
        calibrate(&rows.concat(), &BUDGET).expect("there are fields")
    }

    #[test]
    fn thin_fields_stand_on_their_form_and_thin_forms_on_all() {
        let c = found(&[right("f", "a", 400), right("f", "b", 20), right("g", "a", 30), right("g", "c", 5)]);
        let pools: Vec<_> = c.fields.iter().map(|of| of.pool).collect();
        assert_eq!(pools, [Some(Pool::Field), Some(Pool::Form), Some(Pool::All), Some(Pool::All)]);
        assert_eq!(c.fields[1].level.map(|level| level.samples), Some(420));
        assert_eq!(c.fields[1].accepted, 20);
        assert_eq!((c.pooled.map(|level| level.samples), c.refusal()), (Some(455), None));
    }

    #[test]
    fn what_nothing_carries_is_refused_with_the_number_that_would() {
        let c = found(&[right("f", "a", 100), right("f", "b", 98)]);
        assert_eq!(c.pooled, None);
        let said = c.refusal().expect("198 are too few");
        assert!(said.contains("198 samples in all") && said.contains("299 samples without an error"), "{said}");
        assert!(c.to_string().contains("never"), "{c}");
        let nothing = [TruthField { answer: None, ..row("f", "a", "7", "accepted", "7", 1.0, "") }];
        assert!(calibrate(&nothing, &BUDGET).is_err());
    }

    #[test]
    fn a_pool_does_not_cover_a_field_that_its_own_samples_speak_against() {
        let c = found(&[right("f", "a", 2_000), right("f", "b", 18), wrong("f", "b", 2)]);
        assert_eq!((c.fields[1].pool, c.fields[1].level), (Some(Pool::Nothing), None));
        assert_eq!((c.fields[1].accepted, c.fields[1].review, c.refusal()), (0, 20, None));
        let c = found(&[right("f", "a", 2_000), right("f", "b", 19), row_wrong_below()]);
        assert_eq!(c.fields[1].pool, Some(Pool::Form), "a wrong one below every level says nothing");
    }

    fn row_wrong_below() -> Vec<TruthField> {
        vec![row("f", "b", "7", "review", "1", 0.3, "low-confidence"); 5]
    }

    #[test]
    fn what_is_accepted_of_a_second_deck_keeps_the_budget_in_95_of_100_resamplings() {
        // eight fields of two forms, from rich and honest to thin and bold
        let draw = |rng: &mut ChaCha8Rng, n: usize| -> Vec<TruthField> {
            let mut deck = Vec::with_capacity(8 * n);
            for (i, form) in ["f", "f", "f", "f", "g", "g", "g", "g"].into_iter().enumerate() {
                for _ in 0..n >> (i % 4) {
                    let confidence = 1.0 - rng.random::<f64>().powi(3) * 0.5;
                    let boldness = 0.5 + 0.25 * i as f64;
                    let is_wrong = rng.random::<f64>() < boldness * (1.0 - confidence);
                    let guess = if is_wrong { "1" } else { "7" };
                    deck.push(row(form, &format!("n{i}"), "7", "accepted", guess, confidence, ""));
                }
            }
            deck
        };
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let second = draw(&mut rng, 20_000);
        let (mut given, mut broken) = (0, 0);
        for _ in 0..100 {
            let c = calibrate(&draw(&mut rng, 1_500), &BUDGET).expect("there are fields");
            let levels: BTreeMap<_, _> =
                c.fields.iter().map(|of| (of.field.clone(), of.level.map(|level| level.min_confidence))).collect();
            given += usize::from(levels.values().any(Option::is_some));
            let passed = second.iter().filter(|of| {
                let confidence = of.answer.as_ref().map_or(0.0, |answer| answer.confidence);
                levels[&of.field].is_some_and(|level| confidence >= level)
            });
            let (mut n, mut n_wrong) = (0, 0);
            for of in passed {
                n += 1;
                n_wrong += usize::from(of.answer.as_ref().is_some_and(|answer| answer.guess != of.truth));
            }
            broken += usize::from(n_wrong as f64 > BUDGET.max_error * f64::from(n));
        }
        assert!(given >= 95 && broken <= 5, "{given} given, {broken} broken");
    }
}
