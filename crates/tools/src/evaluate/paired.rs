//! Two readings of the same pages, field by field: whether the second one is better, or differs by chance; or whether it is worse.

use std::{collections::HashMap, fmt};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{SCORE_CERTAINTY, Tally, TruthField};

/// A difference that chance alone makes more often than this proves nothing.
const MAX_CHANCE: f64 = 1.0 - SCORE_CERTAINTY;
/// How often the signs of the pages are drawn.
const N_FLIPS: usize = 20_000;
/// Their seed: the same tables give the same result.
const SEED: u64 = 1;

/// What is asked of `b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Whether it is better than `a`: more right than chance explains, by fields and by pages, and no more accepted wrong.
    #[default]
    IsBetter,
    /// Whether it loses nothing: no fewer right, and no more accepted wrong.
    LosesNothing,
}

/// The comparison of a run `a` with a run `b` of the same pages.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Paired {
    /// Fields that count in both.
    pub fields: u64,
    /// Best readings that are right in both.
    pub both_right: u64,
    /// In `a` alone.
    pub only_a_right: u64,
    /// In `b` alone.
    pub only_b_right: u64,
    /// In neither.
    pub both_wrong: u64,
    /// How often chance alone makes a difference at least as large, 0 to 1. McNemar's exact test, two-sided, over fields (McNemar,
    /// "Note on the sampling error of the difference between correlated proportions or percentages", 1947).
    pub chance_by_field: f64,
    /// The same where each page as a whole is better or worse by chance: fields of one writer do not differ independently. A
    /// sign-flip test over pages, two-sided.
    pub chance_by_page: f64,
    /// Accepted and wrong in `a`.
    pub accepted_wrong_a: u64,
    /// Accepted and wrong in `b`.
    pub accepted_wrong_b: u64,
    /// What was asked.
    pub question: Question,
    /// Why the answer is no; empty where it is yes.
    pub objections: Vec<&'static str>,
}

impl Paired {
    /// The answer to the question.
    pub fn is_answer_yes(&self) -> bool {
        self.objections.is_empty()
    }
}

/// Compares the tables of two runs, each joined with the same truth. Fields that are not scored, or illegible, do not count.
pub fn compare(a: &[TruthField], b: &[TruthField], question: Question) -> Paired {
    let key = |field: &TruthField| (field.scan.clone(), field.page.clone(), field.field.clone());
    let of_b: HashMap<_, &TruthField> = b.iter().map(|field| (key(field), field)).collect();
    let mut paired = Paired { question, ..Paired::default() };
    let mut by_page: HashMap<(&str, &str), i64> = HashMap::new();
    for one in a {
        let Some(other) = of_b.get(&key(one)) else { continue };
        let (Some((tally_a, right_a)), Some((tally_b, right_b))) = (Tally::of(one), Tally::of(other)) else { continue };
        paired.accepted_wrong_a += tally_a.accepted_wrong;
        paired.accepted_wrong_b += tally_b.accepted_wrong;
        if one.truth == "!" {
            continue;
        }
        paired.fields += 1;
        *match (right_a, right_b) {
            (true, true) => &mut paired.both_right,
            (true, false) => &mut paired.only_a_right,
            (false, true) => &mut paired.only_b_right,
            (false, false) => &mut paired.both_wrong,
        } += 1;
        *by_page.entry((&one.scan, &one.page)).or_default() += i64::from(right_b) - i64::from(right_a);
    }
    paired.chance_by_field = mcnemar(paired.only_a_right, paired.only_b_right);
    let mut differences: Vec<i64> = by_page.into_values().filter(|difference| *difference != 0).collect();
    differences.sort_unstable();
    paired.chance_by_page = sign_flip(&differences);
    paired.objections = objections(&paired);
    paired
}

fn objections(paired: &Paired) -> Vec<&'static str> {
    let is_better = paired.question == Question::IsBetter;
    let all = [
        (paired.fields == 0, "no field is compared"),
        (!is_better && paired.only_b_right < paired.only_a_right, "it reads fewer fields right"),
        (is_better && paired.only_b_right <= paired.only_a_right, "it reads no more fields right"),
        (is_better && paired.chance_by_field >= MAX_CHANCE, "by fields, chance explains the difference"),
        (is_better && paired.chance_by_page >= MAX_CHANCE, "by pages, chance explains the difference"),
        (paired.accepted_wrong_b > paired.accepted_wrong_a, "it accepts more wrong values"),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, objection)| objection).collect()
}

/// The chance that of `a + b` coins at least as many fall to one side as the larger of the two.
fn mcnemar(a: u64, b: u64) -> f64 {
    let (n, few) = (a + b, a.min(b));
    // logarithms of the binomial coefficients: halves to the power of n vanish
    let mut log_coefficient = 0.0;
    let log_all = n as f64 * 0.5_f64.ln();
    let mut tail = log_all.exp();
    for k in 1..=few {
        log_coefficient += ((n - k + 1) as f64 / k as f64).ln();
        tail += (log_coefficient + log_all).exp();
    }
    (2.0 * tail).min(1.0)
}

/// The chance that the sum of these numbers is as far from 0 if each is as likely to be negative.
fn sign_flip(differences: &[i64]) -> f64 {
    let found = differences.iter().sum::<i64>().abs();
    let mut chance = ChaCha8Rng::seed_from_u64(SEED);
    let is_as_far = |_: &usize| {
        let sum: i64 = differences.iter().map(|&by| if chance.random::<bool>() { by } else { -by }).sum();
        sum.abs() >= found
    };
    let n_as_far = (0..N_FLIPS).filter(is_as_far).count();
    (n_as_far + 1) as f64 / (N_FLIPS + 1) as f64
}

/// For people.
impl fmt::Display for Paired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "fields: {}", self.fields)?;
        writeln!(
            f,
            "right in both: {}; in A alone: {}; in B alone: {}; in neither: {}",
            self.both_right, self.only_a_right, self.only_b_right, self.both_wrong
        )?;
        writeln!(
            f,
            "chance of such a difference: {:.4} by fields, {:.4} by pages",
            self.chance_by_field, self.chance_by_page
        )?;
        writeln!(f, "accepted and wrong: {} in A, {} in B", self.accepted_wrong_a, self.accepted_wrong_b)?;
        let objections = self.objections.join("; ");
        match (self.question, self.is_answer_yes()) {
            (Question::IsBetter, true) => writeln!(f, "B is better"),
            (Question::IsBetter, false) => writeln!(f, "B is not proved better: {objections}"),
            (Question::LosesNothing, true) => writeln!(f, "B loses nothing"),
            (Question::LosesNothing, false) => writeln!(f, "B loses: {objections}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Answer;

    /// A page has ten fields. `wrong` says which fields are read wrong; one of a hundred wrong ones is accepted.
    fn read(n_fields: usize, wrong: impl Fn(usize) -> bool) -> Vec<TruthField> {
        let field = |i: usize| {
            let guess = if wrong(i) { "2" } else { "1" }.to_owned();
            let state = if wrong(i) && !i.is_multiple_of(100) { "review" } else { "accepted" }.to_owned();
            let answer = Answer { state, guess, confidence: 0.9, reason: String::new(), bounds: [0; 4] };
            let [form, truth] = ["f", "1"].map(str::to_owned);
            let (scan, page, field) = (format!("{}.png", i / 10), "1".to_owned(), (i % 10).to_string());
            TruthField { scan, page, form, field, truth, answer: Some(answer) }
        };
        (0..n_fields).map(field).collect()
    }

    #[test]
    fn mcnemar_of_known_tables() {
        for (a, b, chance) in
            [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (0, 6, 0.03125), (1, 9, 0.021484), (5, 18, 0.010622)]
        {
            assert!((mcnemar(a, b) - chance).abs() < 1e-6, "{a} {b}: {}", mcnemar(a, b));
        }
        assert!(mcnemar(2000, 2200) < 0.01 && mcnemar(2000, 2010) > 0.8);
    }

    #[test]
    fn better_on_one_page_alone_is_not_proved() {
        let a = read(1000, |i| i < 10);
        let b = read(1000, |_| false);
        let paired = compare(&a, &b, Question::IsBetter);
        assert_eq!((paired.fields, paired.only_b_right, paired.only_a_right), (1000, 10, 0));
        assert!(paired.chance_by_field < 0.01 && paired.chance_by_page > 0.9);
        assert_eq!(paired.objections, ["by pages, chance explains the difference"]);
    }

    /// How many of `n_pairs` of runs are promoted. Most errors are those of both: 2.5 % of the fields. Each run has errors of its own
    /// besides. Of the fields on which a run errs, `accepted` are such that it accepts them.
    fn n_promoted(n_fields: usize, n_pairs: usize, own: [f64; 2], accepted: f64, seed: u64) -> usize {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let is_promoted = |_: &usize| {
            let mut draw = |share: f64| -> Vec<bool> { (0..n_fields).map(|_| chance.random_bool(share)).collect() };
            let (shared, seems_sure) = (draw(0.025), draw(accepted));
            let runs = own.map(|own| {
                let own = draw(own);
                let mut fields = read(n_fields, |i| shared[i] || own[i]);
                for (field, seems_sure) in fields.iter_mut().zip(&seems_sure) {
                    let answer = field.answer.as_mut().expect("each field was read");
                    let is_accepted = answer.guess == field.truth || *seems_sure;
                    answer.state = if is_accepted { "accepted" } else { "review" }.to_owned();
                }
                fields
            });
            compare(&runs[0], &runs[1], Question::IsBetter).is_answer_yes()
        };
        (0..n_pairs).filter(is_promoted).count()
    }

    #[test]
    fn equal_runs_are_seldom_promoted_and_a_better_one_mostly_is() {
        let equal = n_promoted(5000, 200, [0.003, 0.003], 0.0, 4);
        let better = n_promoted(5000, 200, [0.007, 0.002], 0.0, 5);
        println!("nothing accepted wrong: {equal} of 200 equal pairs promoted, {better} of 200 better by 0.5 %");
        assert!(equal <= 10, "{equal} of 200");
        assert!(better >= 160, "{better} of 200");
    }

    #[test]
    fn equal_runs_that_accept_wrong_values_are_seldom_promoted_and_a_better_one_mostly_is() {
        // of errors, 2 % are accepted: 1 field in 2,000
        let equal = n_promoted(5000, 200, [0.003, 0.003], 0.02, 6);
        let better = n_promoted(5000, 200, [0.007, 0.002], 0.02, 7);
        println!("1 of 2,000 accepted wrong: {equal} of 200 equal pairs promoted, {better} of 200 better by 0.5 %");
        assert!(equal <= 10, "{equal} of 200");
        assert!(better >= 160, "{better} of 200");
    }

    #[test]
    fn run_that_differs_by_chance_loses_nothing_unless_it_has_fewer_right() {
        let (a, b) = (read(1000, |i| i == 3 || i == 5), read(1000, |i| i == 5 || i == 7));
        assert!(compare(&a, &b, Question::LosesNothing).is_answer_yes());
        assert!(!compare(&a, &b, Question::IsBetter).is_answer_yes());
        let worse = read(1000, |i| matches!(i, 5 | 7 | 9));
        assert_eq!(compare(&a, &worse, Question::LosesNothing).objections, ["it reads fewer fields right"]);
        assert_eq!(compare(&[], &[], Question::LosesNothing).objections, ["no field is compared"]);
    }

    #[test]
    fn more_accepted_wrong_is_an_objection() {
        let a = read(1000, |i| i % 7 == 3);
        let b = read(1000, |i| i == 500);
        let paired = compare(&a, &b, Question::IsBetter);
        assert!(paired.chance_by_field < 0.01 && paired.chance_by_page < 0.01);
        assert_eq!((paired.accepted_wrong_a, paired.accepted_wrong_b), (1, 1));
        let b = read(1000, |i| matches!(i, 500 | 600));
        assert_eq!(compare(&a, &b, Question::IsBetter).objections, ["it accepts more wrong values"]);
    }
}
