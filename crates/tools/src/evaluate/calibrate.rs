//! Finds acceptance levels for every form and field from a finished run and its truth.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{
    Budget, Level, Pool, Sample, TruthField,
    pools::{FieldLevel, Rows, assign_level},
};
use formread_raster::error::{Error, Result};

/// Acceptance levels of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Maximum share of errors among accepted values.
    pub budget: f64,
    /// Probability that a bound is true, for each bound by itself.
    pub certainty: f64,
    /// Number of samples that prove the budget if none of them is wrong.
    pub samples_needed: u64,
    /// Number of samples of all fields.
    pub samples: u64,
    /// The level of all fields together, for fields that are not listed; `None` if the samples prove none.
    pub pooled: Option<Level>,
    /// One entry for each form and field, forms by name, fields in the order of the truth.
    pub fields: Vec<FieldCalibration>,
}

/// The level of one field, and its effect on the field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldCalibration {
    /// The form's name.
    pub form: String,
    /// The field's name.
    pub field: String,
    /// The pool that proves the level; `None` if no pool proves one.
    #[serde(rename = "stands_on")]
    pub pool: Option<Pool>,
    /// The level, with the samples, errors and bound of that pool.
    pub level: Option<Level>,
    /// Number of the field's own samples.
    pub samples: u64,
    /// Number of these at or above the level.
    pub accepted: u64,
    /// Number of these that are wrong.
    pub wrong: u64,
    /// Number of rows in the table, samples or not.
    pub rows: u64,
    /// Number of these that a person would have to review.
    pub review: u64,
}

/// Finds the levels at which `fields`, a run joined with its truth, prove that `budget` is kept. A field uses its own
/// samples if they prove a level, else those of its form, else those of all forms.
///
/// A sample is a field that only the level accepts or holds back, and in which a number is written or was read. A number
/// read as blank is wrong; a blank read as blank proves nothing and is not a sample. A field in review for another reason
/// than low confidence is never accepted. Samples are treated as independent: a deck of few writers proves less than its
/// number of samples suggests.
///
/// # Errors
/// `Usage` if the run has no field of the truth.
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
        let hint = "write scan and page in the truth as they are in the table";
        return Err(Error::usage("no field of the truth is in the table").with_hint(hint));
    }
    let pool = |rows: &[(&str, Rows)]| -> Vec<Sample> {
        rows.iter().flat_map(|(_, rows)| rows.samples.iter().copied()).collect()
    };
    let mut levels: Vec<FieldLevel> = Vec::new();
    for (form, of_form) in &by_form {
        let new = levels.len();
        levels.extend(of_form.iter().map(|(field, rows)| FieldLevel::new(form, field, rows, budget)));
        assign_level(&mut levels[new..], Pool::Form, budget, &pool(of_form));
    }
    let all: Vec<Sample> = by_form.values().flat_map(|rows| pool(rows)).collect();
    let pooled = assign_level(&mut levels, Pool::All, budget, &all);
    Ok(Calibration {
        budget: budget.max_error,
        certainty: budget.certainty,
        samples_needed: budget.samples_needed(0),
        samples: all.len() as u64,
        pooled,
        fields: levels.into_iter().map(FieldLevel::finish).collect(),
    })
}

impl Calibration {
    /// The error if fields are without a level; `None` if every field has one or, by its own samples, must have
    /// none.
    pub fn refusal(&self) -> Option<Error> {
        let open = self.fields.iter().filter(|field| field.pool.is_none()).count();
        let Self { budget, certainty, samples_needed, samples, fields, .. } = self;
        let (n, certainty) = (fields.len(), 100.0 * certainty);
        (open > 0).then(|| {
            let hint = format!(
                "{samples_needed} samples without an error are needed, and more with errors; or allow more errors"
            );
            Error::usage(format!(
                "no level keeps the share of errors among accepted values below {budget} with {certainty} % certainty, \
                 for {open} of {n} fields: {samples} samples in all"
            ))
            .with_hint(hint)
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
            "errors among accepted values below {budget}, {certainty} % certain: needs {samples_needed} samples without an error"
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
                Some(Pool::Nothing) => "none: errors",
                None => "none: few",
            };
            let shown_level = level.map_or("never".to_owned(), |level| level.min_confidence.to_string());
            write!(f, "{form:form_width$}  {field:field_width$}  {shown_level:>6}  {accepted:>8}  {wrong:>5}  ")?;
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
            "all fields: {accepted} of {samples} samples accepted, {wrong} of these wrong; {review} of {rows} for review"
        )?;
        match pooled {
            Some(Level { min_confidence, samples, wrong, bound }) => {
                writeln!(
                    f,
                    "fields that are not listed: level {min_confidence}, {wrong} of {samples} wrong, at most {bound:.6}"
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

    fn right_rows(form: &str, field: &str, n: usize) -> Vec<TruthField> {
        vec![row(form, field, "7", "accepted", "7", 0.99995, ""); n]
    }

    fn wrong_rows(form: &str, field: &str, n: usize) -> Vec<TruthField> {
        vec![row(form, field, "7", "accepted", "1", 0.99995, ""); n]
    }

    fn calibrated(rows: &[Vec<TruthField>]) -> Calibration {
        calibrate(&rows.concat(), &BUDGET).expect("there are fields")
    }

    #[test]
    fn field_with_few_samples_uses_its_form_and_form_with_few_uses_all() {
        let c = calibrated(&[
            right_rows("f", "a", 400),
            right_rows("f", "b", 20),
            right_rows("g", "a", 30),
            right_rows("g", "c", 5),
        ]);
        let pools: Vec<_> = c.fields.iter().map(|of| of.pool).collect();
        assert_eq!(pools, [Some(Pool::Field), Some(Pool::Form), Some(Pool::All), Some(Pool::All)]);
        assert_eq!(c.fields[1].level.map(|level| level.samples), Some(420));
        assert_eq!(c.fields[1].accepted, 20);
        assert_eq!((c.pooled.map(|level| level.samples), c.refusal().is_none()), (Some(455), true));
    }

    #[test]
    fn too_few_samples_are_refused_with_the_number_needed() {
        let c = calibrated(&[right_rows("f", "a", 100), right_rows("f", "b", 98)]);
        assert_eq!(c.pooled, None);
        let message = c.refusal().expect("198 are too few").to_string();
        assert!(
            message.contains("198 samples in all") && message.contains("299 samples without an error"),
            "{message}"
        );
        assert!(c.to_string().contains("never"), "{c}");
        let nothing = [TruthField { answer: None, ..row("f", "a", "7", "accepted", "7", 1.0, "") }];
        assert!(calibrate(&nothing, &BUDGET).is_err());
    }

    #[test]
    fn field_whose_own_samples_break_the_budget_gets_no_pooled_level() {
        let c = calibrated(&[right_rows("f", "a", 2_000), right_rows("f", "b", 18), wrong_rows("f", "b", 2)]);
        assert_eq!((c.fields[1].pool, c.fields[1].level), (Some(Pool::Nothing), None));
        assert_eq!((c.fields[1].accepted, c.fields[1].review, c.refusal().is_none()), (0, 20, true));
        let c = calibrated(&[right_rows("f", "a", 2_000), right_rows("f", "b", 19), wrong_rows_below_every_level()]);
        assert_eq!(c.fields[1].pool, Some(Pool::Form), "an error below every level does not count");
    }

    fn wrong_rows_below_every_level() -> Vec<TruthField> {
        vec![row("f", "b", "7", "review", "1", 0.3, "low-confidence"); 5]
    }

    #[test]
    fn calibrated_levels_keep_the_budget_on_a_second_deck_in_95_of_100_resamplings() {
        // eight fields of two forms, from many samples and low error rates to few samples and overconfidence
        let draw = |rng: &mut ChaCha8Rng, n: usize| -> Vec<TruthField> {
            let mut deck = Vec::with_capacity(8 * n);
            for (i, form) in ["f", "f", "f", "f", "g", "g", "g", "g"].into_iter().enumerate() {
                for _ in 0..n >> (i % 4) {
                    let confidence = 1.0 - rng.random::<f64>().powi(3) * 0.5;
                    let overconfidence = 0.5 + 0.25 * i as f64;
                    let is_wrong = rng.random::<f64>() < overconfidence * (1.0 - confidence);
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
