//! Samples, and the pools that they are put in where a field has too few of its own.
//!
//! A sample is a field that the level alone accepts or holds back, accepted, blank, or in review for low confidence, and
//! in which there is something to lose: a number stands on the paper, or one was read. A number taken for blank is wrong
//! like a misread one, since nobody is asked; so is whatever is made of an illegible field. A blank field that is read
//! as blank proves nothing and is no sample: many blanks do not make errors rare. What awaits review for another reason
//! is never accepted, whatever the level.
//!
//! The samples count as independent. Fields of one writer are less so: a deck of many writers proves more than its
//! number says, one of few writers less.

use serde::{Deserialize, Serialize};

use super::{Answer, Budget, FieldCalibration, Level, Sample, TruthField, budget::count};

/// Whose samples a level stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// The field's own: the budget is kept in this field.
    Field,
    /// Those of all fields of its form: the budget is kept in all of them together, perhaps not in each.
    Form,
    /// Those of all fields of all forms, likewise.
    All,
    /// None: there is a level for others, but the field's own samples speak against it. Nothing in it is accepted.
    Nothing,
}

/// What the table has of one field.
#[derive(Default)]
pub(super) struct Rows {
    pub samples: Vec<Sample>,
    /// Confidence of each that the level alone accepts or holds back.
    open: Vec<f64>,
    n: u64,
}

impl Rows {
    /// Takes up a row of the table.
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

    fn calibrated(&self, form: &str, field: &str, pool: Option<Pool>, level: Option<Level>) -> FieldCalibration {
        let least = level.map_or(f64::INFINITY, |level| level.min_confidence);
        let (wrong, accepted) = count(&self.samples, least);
        FieldCalibration {
            form: form.to_owned(),
            field: field.to_owned(),
            pool,
            level,
            samples: self.samples.len() as u64,
            accepted,
            wrong,
            rows: self.n,
            review: self.n - self.open.iter().filter(|confidence| **confidence >= least).count() as u64,
        }
    }
}

/// A field, and the level that it has so far.
pub(super) struct Settled<'a> {
    form: &'a str,
    field: &'a str,
    rows: &'a Rows,
    pool: Option<Pool>,
    level: Option<Level>,
}

impl<'a> Settled<'a> {
    /// With the level of its own samples, where they carry one.
    pub fn new(form: &'a str, field: &'a str, rows: &'a Rows, budget: &Budget) -> Self {
        let level = budget.find_level(&rows.samples);
        Self { form, field, rows, pool: level.map(|_| Pool::Field), level }
    }

    /// What became of it.
    pub fn finish(self) -> FieldCalibration {
        self.rows.calibrated(self.form, self.field, self.pool, self.level)
    }
}

/// Gives those of `fields` that have no level yet that of `samples`, the samples of all of them, and returns it. At this
/// level the budget is kept in two ways: if all fields had it, since that is what speaks for the thin ones; and in all
/// that is in fact accepted, since those with a level of their own may have used up what others leave over.
pub(super) fn settle(fields: &mut [Settled<'_>], pool: Pool, budget: &Budget, samples: &[Sample]) -> Option<Level> {
    let is_open = |of: &Settled<'_>| of.level.is_none();
    let has_open = fields.iter().any(is_open);
    let level = budget.find_level_where(samples, |level| {
        let accepted = fields.iter().map(|of| {
            let least = of.level.map_or(level, |own| own.min_confidence);
            count(&of.rows.samples, least)
        });
        let (wrong, n) = accepted.fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        !has_open || budget.is_kept(wrong, n)
    })?;
    for of in fields.iter_mut().filter(|of| is_open(of)) {
        let (wrong, n) = count(&of.rows.samples, level.min_confidence);
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

    /// A field of the truth, and what the table says of it.
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
    fn a_sample_is_what_the_level_decides_and_something_stands_in() {
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
            rows.add(&row, row.answer.as_ref().expect("it has one"));
            let is_wrong = rows.samples.first().map(|sample| sample.is_wrong);
            assert_eq!((is_wrong, rows.open.len()), (sample, usize::from(is_open)), "{row:?}");
        }
    }
}
