//! Samples of a field, and pools of samples for fields that have too few of their own.
//!
//! A sample is a field that meets two conditions. Only the level decides whether it is accepted: it is accepted, blank, or
//! in review for low confidence. And it can be wrong: a number is written, or one was read. A number read as blank is an
//! error, since no person looks at it. Any reading of an illegible field is an error. A blank field read as blank proves
//! nothing and is not a sample: many blanks would make errors look rare. A field in review for another reason is never
//! accepted, at any level.
//!
//! The samples are treated as independent. Fields of one writer are not: a deck of few writers proves less than its
//! number of samples suggests.

use serde::{Deserialize, Serialize};

use super::{Answer, Budget, FieldCalibration, Level, Sample, TruthField, budget::count_accepted};

/// The samples that prove a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// Those of the field: the budget is kept in this field.
    Field,
    /// Those of all fields of its form: the budget is kept in all of them together, perhaps not in each.
    Form,
    /// Those of all fields of all forms, likewise.
    All,
    /// None: others have a level, but at that level the field's own samples prove an error rate above the budget. The field
    /// is never accepted.
    Nothing,
}

/// The rows of one field in the table.
#[derive(Default)]
pub(super) struct Rows {
    pub samples: Vec<Sample>,
    /// Confidence of each row that only the level accepts or holds back.
    open: Vec<f64>,
    n: u64,
}

impl Rows {
    /// Adds a row of the table.
    pub fn add(&mut self, of: &TruthField, answer: &Answer) {
        self.n += 1;
        let is_open = match answer.state.as_str() {
            "accepted" | "blank" => true,
            "review" => answer.reason == "low-confidence",
            _ => false,
        };
        if !is_open {
            return;
        }
        let Answer { confidence, .. } = *answer;
        self.open.push(confidence);
        let value = if answer.state == "blank" { "" } else { &answer.guess };
        if of.is_scored() && !(of.truth.is_empty() && value.is_empty()) {
            self.samples.push(Sample { confidence, is_wrong: of.truth != value });
        }
    }

    fn calibration(&self, form: &str, field: &str, pool: Option<Pool>, level: Option<Level>) -> FieldCalibration {
        let min_confidence = level.map_or(f64::INFINITY, |level| level.min_confidence);
        let (wrong, accepted) = count_accepted(&self.samples, min_confidence);
        FieldCalibration {
            form: form.to_owned(),
            field: field.to_owned(),
            pool,
            level,
            samples: self.samples.len() as u64,
            accepted,
            wrong,
            rows: self.n,
            review: self.n - self.open.iter().filter(|confidence| **confidence >= min_confidence).count() as u64,
        }
    }
}

/// A field and the level found for it so far.
pub(super) struct FieldLevel<'a> {
    form: &'a str,
    field: &'a str,
    rows: &'a Rows,
    pool: Option<Pool>,
    level: Option<Level>,
}

impl<'a> FieldLevel<'a> {
    /// A field with the level that its own samples prove, if they prove one.
    pub fn new(form: &'a str, field: &'a str, rows: &'a Rows, budget: &Budget) -> Self {
        let level = budget.find_level(&rows.samples);
        Self { form, field, rows, pool: level.map(|_| Pool::Field), level }
    }

    /// The result for the field.
    pub fn finish(self) -> FieldCalibration {
        self.rows.calibration(self.form, self.field, self.pool, self.level)
    }
}

/// Finds the level that `samples`, those of all `fields`, prove; gives it to the fields without a level, and returns it.
/// At this level the budget is kept in two sums: if all fields had the level, which is the proof for fields with few
/// samples; and over all values that are in fact accepted, since fields with a lower level of their own add errors.
pub(super) fn assign_level(
    fields: &mut [FieldLevel<'_>],
    pool: Pool,
    budget: &Budget,
    samples: &[Sample],
) -> Option<Level> {
    let is_open = |of: &FieldLevel<'_>| of.level.is_none();
    let has_open = fields.iter().any(is_open);
    let level = budget.find_level_where(samples, |level| {
        let accepted = fields.iter().map(|of| {
            let min_confidence = of.level.map_or(level, |own| own.min_confidence);
            count_accepted(&of.rows.samples, min_confidence)
        });
        let (wrong, n) = accepted.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        !has_open || budget.is_kept(wrong, n)
    })?;
    for of in fields.iter_mut().filter(|of| is_open(of)) {
        let (wrong, n) = count_accepted(&of.rows.samples, level.min_confidence);
        if budget.is_broken(wrong, n) {
            of.pool = Some(Pool::Nothing);
        } else {
            (of.pool, of.level) = (Some(pool), Some(level));
        }
    }
    Some(level)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A field of the truth with its row of the table.
    pub fn row(
        form: &str,
        field: &str,
        truth: &str,
        state: &str,
        guess: &str,
        confidence: f64,
        reason: &str,
    ) -> TruthField {
        let [scan, page, form, field, truth] = ["x.png", "1", form, field, truth].map(str::to_owned);
        let [state, guess, reason] = [state, guess, reason].map(str::to_owned);
        let answer = Some(Answer { state, guess, confidence, reason, bounds: [0; 4] });
        TruthField { scan, page, form, field, truth, answer }
    }

    #[test]
    fn field_is_a_sample_only_if_the_level_decides_and_it_can_be_wrong() {
        struct Case {
            row: TruthField,
            sample: Option<bool>,
            is_open: bool,
        }
        let case = |truth, state, guess, reason, sample, is_open| Case {
            row: row("f", "a", truth, state, guess, 0.9, reason),
            sample,
            is_open,
        };
        let low = "low-confidence";
        for Case { row, sample, is_open } in [
            case("7", "accepted", "7", "", Some(false), true),
            case("7", "accepted", "1", "", Some(true), true),
            case("7", "review", "1", low, Some(true), true),
            case("7", "review", "7", "overflow", None, false),
            case("7", "blank", "", "", Some(true), true),
            case("", "blank", "", "", None, true),
            case("", "accepted", "1", "", Some(true), true),
            case("", "review", "", low, None, true),
            case("!", "accepted", "1", "", Some(true), true),
            case("!", "blank", "", "", Some(true), true),
            case("?", "accepted", "1", "", None, true),
        ] {
            let mut rows = Rows::default();
            rows.add(&row, row.answer.as_ref().expect("it has an answer"));
            let is_wrong = rows.samples.first().map(|sample| sample.is_wrong);
            assert_eq!((is_wrong, rows.open.len()), (sample, usize::from(is_open)), "{row:?}");
        }
    }
}
