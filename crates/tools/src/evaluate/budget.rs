//! Bounds on error rates, and the acceptance level that keeps errors within a budget.
//!
//! The bound is that of Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
//! binomial", Biometrika 26, 1934: exact, one-sided.
//!
//! Choosing the lowest of many levels by the samples that also prove it would favour a level that passes by chance. The
//! levels are therefore a fixed, coarse list. They are tested in a fixed order, from strict to lax, and the first failure
//! ends the test: fixed sequence testing, as in Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then Test", 2021,
//! section 3. A level that breaks the budget is returned only if the first such level of the list passes, and the
//! probability of that is at most `1 - certainty`.

use serde::Serialize;
use statrs::function::beta::checked_beta_reg;

use formread_raster::error::{Error, Result};

/// Acceptance levels that are tested, from strict to lax, with the four decimals of a written confidence. They are dense
/// near 1, where most confidences are. The set they were chosen on is not recorded. More levels find a lower one, but
/// each is one more chance to stop early.
pub const LEVELS: [f64; 17] =
    [0.9999, 0.9998, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.985, 0.98, 0.97, 0.96, 0.95, 0.93, 0.9, 0.85, 0.7, 0.5];

/// Expected error rate of a value before any error is known, as a multiple of `1 - confidence`. It allows for a confidence
/// that is too high. Set not recorded. Raising it starts the test at a stricter level.
const EXPECTED_ERROR_FACTOR: f64 = 2.0;

/// The test starts at the strictest level whose expected probability of passing is at least this share of the highest one
/// of all levels. Set not recorded. Raising it starts the test at a laxer level.
const MIN_PASS_SHARE: f64 = 0.95;

/// A limit on errors, and how certain it must be that it is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Maximum share of errors among accepted values, above 0 and below 1.
    pub max_error: f64,
    /// Probability that the limit is kept, above 0 and below 1.
    pub certainty: f64,
}

/// A value that could be accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Confidence of the reader, 0 to 1.
    pub confidence: f64,
    /// Whether accepting it would be an error.
    pub is_wrong: bool,
}

/// An acceptance level and the samples that prove it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Level {
    /// Minimum confidence of an accepted value, 0 to 1.
    #[serde(rename = "least_confidence")]
    pub min_confidence: f64,
    /// Number of samples at or above it.
    pub samples: u64,
    /// Number of these that are wrong.
    pub wrong: u64,
    /// Upper bound of the error rate among them, 0 to 1.
    pub bound: f64,
}

impl Budget {
    /// A checked budget.
    ///
    /// # Errors
    /// `Usage` if one of them is not between 0 and 1.
    pub fn new(max_error: f64, certainty: f64) -> Result<Self> {
        for (what, share) in [("budget of errors", max_error), ("certainty", certainty)] {
            if !(share > 0.0 && share < 1.0) {
                return Err(Error::usage(format!("{what} is not between 0 and 1: {share}")));
            }
        }
        Ok(Self { max_error, certainty })
    }

    /// Whether `wrong` errors among `samples` prove an error rate within the budget.
    pub fn is_kept(&self, wrong: u64, samples: u64) -> bool {
        chance_of_more(wrong, samples, self.max_error) >= self.certainty
    }

    /// Whether `wrong` errors among `samples` prove, with the same certainty, an error rate above the budget.
    pub fn is_broken(&self, wrong: u64, samples: u64) -> bool {
        wrong > 0 && chance_of_more(wrong - 1, samples, self.max_error) <= 1.0 - self.certainty
    }

    /// Minimum number of samples that prove the budget if `wrong` of them are wrong. Without errors it is
    /// `ln(1 - certainty) / ln(1 - max_error)`.
    pub fn samples_needed(&self, wrong: u64) -> u64 {
        let without_error = ((1.0 - self.certainty).ln() / (-self.max_error).ln_1p()).ceil().max(1.0) as u64;
        let (mut too_few, mut enough) = (wrong, without_error.max(wrong + 1));
        while !self.is_kept(wrong, enough) {
            too_few = enough;
            enough = enough.saturating_mul(2);
        }
        while enough - too_few > 1 {
            let middle = too_few + (enough - too_few) / 2;
            if self.is_kept(wrong, middle) {
                enough = middle;
            } else {
                too_few = middle;
            }
        }
        enough
    }

    /// The lowest of [`LEVELS`] at which `samples` prove that the budget is kept; `None` if there is none.
    pub fn find_level(&self, samples: &[Sample]) -> Option<Level> {
        self.find_level_where(samples, |_| true)
    }

    /// As [`Budget::find_level`], for levels that also pass the test `passes`.
    pub(super) fn find_level_where(&self, samples: &[Sample], passes: impl Fn(f64) -> bool) -> Option<Level> {
        LEVELS
            .into_iter()
            .skip(self.first_level(samples)?)
            .map(|level| (level, count_accepted(samples, level)))
            .take_while(|(level, (wrong, n))| self.is_kept(*wrong, *n) && passes(*level))
            .last()
            .map(|(min_confidence, (wrong, samples))| {
                let bound = upper_bound(wrong, samples, self.certainty);
                Level { min_confidence, samples, wrong, bound }
            })
    }

    /// Index into [`LEVELS`] of the first level to test; `None` if no level accepts enough samples. The strictest levels
    /// accept so few samples that one error fails them. The choice uses confidences only: if it used the errors, the
    /// bound would no longer hold.
    fn first_level(&self, samples: &[Sample]) -> Option<usize> {
        let needed = self.samples_needed(0);
        let pass_chances = LEVELS.map(|level| {
            let passed = samples.iter().filter(|sample| sample.confidence >= level);
            let (n, doubt) = passed.fold((0, 0.0), |(n, sum), sample| (n + 1, sum + 1.0 - sample.confidence));
            let expected = (EXPECTED_ERROR_FACTOR * doubt / n.max(1) as f64).min(1.0);
            if n < needed { 0.0 } else { 1.0 - chance_of_more(self.max_wrong(n), n, expected) }
        });
        let best = pass_chances.into_iter().fold(0.0, f64::max);
        (best > 0.0).then(|| pass_chances.into_iter().position(|chance| chance >= MIN_PASS_SHARE * best))?
    }

    /// Maximum number of errors among `samples` with which the budget is kept. Requires that it is kept without errors.
    fn max_wrong(&self, samples: u64) -> u64 {
        let (mut kept, mut broken) = (0, samples);
        while broken - kept > 1 {
            let middle = kept + (broken - kept) / 2;
            if self.is_kept(middle, samples) {
                kept = middle;
            } else {
                broken = middle;
            }
        }
        kept
    }
}

/// Numbers of wrong and of all `samples` at or above a level.
pub fn count_accepted(samples: &[Sample], min_confidence: f64) -> (u64, u64) {
    let passed = || samples.iter().filter(|sample| sample.confidence >= min_confidence);
    (passed().filter(|sample| sample.is_wrong).count() as u64, passed().count() as u64)
}

/// Upper bound, 0 to 1, of an error rate, given `wrong` errors among `samples`. The true rate is below it with a probability
/// of at least `certainty`, 0 to 1. Clopper and Pearson, 1934, one-sided. 1 without samples.
///
/// # Panics
/// If `wrong` is larger than `samples`.
pub fn upper_bound(wrong: u64, samples: u64, certainty: f64) -> f64 {
    assert!(wrong <= samples, "{wrong} wrong of {samples}");
    if wrong == samples {
        return 1.0;
    }
    let (mut low, mut high) = (wrong as f64 / samples as f64, 1.0);
    // bisects until no float lies between
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return high;
        }
        if chance_of_more(wrong, samples, middle) >= certainty {
            high = middle;
        } else {
            low = middle;
        }
    }
}

/// Probability that more than `wrong` of `samples` are wrong at an error rate of `rate`, 0 to 1:
/// the incomplete beta function `I_rate(wrong + 1, samples - wrong)`.
fn chance_of_more(wrong: u64, samples: u64, rate: f64) -> f64 {
    if wrong >= samples {
        return 0.0;
    }
    checked_beta_reg(wrong as f64 + 1.0, (samples - wrong) as f64, rate)
        .expect("both shapes are at least 1, and a rate is from 0 to 1")
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const BUDGET: Budget = Budget { max_error: 0.01, certainty: 0.95 };
    /// Number of decks drawn in a simulation.
    const DECKS: usize = 400;
    /// Number of samples in a deck on which a level is found.
    const FIRST_DECK: usize = 2_500;
    /// Number of samples in the second deck, enough for its error rate to be close to the true one.
    const SECOND_DECK: usize = 200_000;

    #[track_caller]
    fn assert_close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-6 * wanted, "{found}, not {wanted}");
    }

    /// Probability of at most `wrong` errors among `n`, summed term by term.
    fn binomial_cdf(wrong: u64, n: u64, rate: f64) -> f64 {
        let (mut term, mut sum) = ((n as f64 * (-rate).ln_1p()).exp(), 0.0);
        for k in 0..=wrong {
            sum += term;
            term *= (n - k) as f64 / (k + 1) as f64 * rate / (1.0 - rate);
        }
        sum
    }

    #[test]
    fn upper_bound_matches_clopper_and_pearson() {
        // without an error there is a closed form; with some, the bound is where the binomial leaves 5 %
        for n in [1, 59, 1_385, 5_990, 200_000] {
            assert_close(upper_bound(0, n, 0.95), 1.0 - 0.05f64.powf(1.0 / n as f64));
        }
        for (wrong, n) in [(1, 10), (3, 634), (11, 1_577), (40, 100_000), (9, 10)] {
            assert_close(binomial_cdf(wrong, n, upper_bound(wrong, n, 0.95)), 0.05);
        }
        assert_eq!((upper_bound(0, 0, 0.95), upper_bound(7, 7, 0.95)), (1.0, 1.0));
    }

    #[test]
    fn samples_needed_is_the_smallest_number_that_proves_the_budget() {
        let strict = Budget { max_error: 0.0005, certainty: 0.95 };
        assert_eq!((BUDGET.samples_needed(0), strict.samples_needed(0)), (299, 5_990));
        for wrong in [0, 1, 4] {
            let n = strict.samples_needed(wrong);
            assert!(strict.is_kept(wrong, n) && !strict.is_kept(wrong, n - 1), "{wrong} of {n}");
        }
        assert!(BUDGET.is_broken(2, 10) && !BUDGET.is_broken(1, 60) && !BUDGET.is_broken(0, 10));
    }

    #[test]
    fn max_wrong_is_the_largest_number_that_keeps_the_budget() {
        for n in [299, 1_000, 5_000] {
            let wrong = BUDGET.max_wrong(n);
            assert!(BUDGET.is_kept(wrong, n) && !BUDGET.is_kept(wrong + 1, n), "{wrong} of {n}");
        }
    }

    #[test]
    fn budget_out_of_range_is_rejected() {
        for (max_error, certainty) in [(0.0, 0.95), (1.0, 0.95), (f64::NAN, 0.95), (0.01, 1.0), (0.01, -0.1)] {
            Budget::new(max_error, certainty).expect_err("not between 0 and 1");
        }
    }

    #[test]
    fn find_level_stops_at_the_first_level_that_fails() {
        let sample = |confidence, is_wrong| Sample { confidence, is_wrong };
        let mut samples = vec![sample(0.9999, false); 1_000];
        samples.extend(vec![sample(0.986, true); 30]);
        samples.extend(vec![sample(0.6, false); 100_000]);
        let level = BUDGET.find_level(&samples).expect("a thousand samples without an error prove it");
        assert_eq!((level.min_confidence, level.samples, level.wrong), (0.99, 1_000, 0));
        assert!(level.bound < BUDGET.max_error);
        assert_eq!(BUDGET.find_level(&samples[..298]), None, "one sample too few");
        assert!(BUDGET.find_level(&samples[..299]).is_some());
    }

    /// A value with a random confidence, wrong with the probability `risk(confidence)`.
    fn draw(rng: &mut ChaCha8Rng, risk: fn(f64) -> f64) -> Sample {
        let confidence = 1.0 - rng.random::<f64>().powi(3) * 0.5;
        Sample { confidence, is_wrong: rng.random::<f64>() < risk(confidence) }
    }

    /// Number of the [`DECKS`] decks for which `find` returns a level, and number of these levels that break the budget on
    /// a second deck.
    fn simulate(risk: fn(f64) -> f64, find: impl Fn(&[Sample]) -> Option<f64>) -> (usize, usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(20_211_003);
        let second: Vec<Sample> = (0..SECOND_DECK).map(|_| draw(&mut rng, risk)).collect();
        let (mut given, mut broken) = (0, 0);
        for _ in 0..DECKS {
            let first: Vec<Sample> = (0..FIRST_DECK).map(|_| draw(&mut rng, risk)).collect();
            if let Some(level) = find(&first) {
                let (wrong, n) = count_accepted(&second, level);
                given += 1;
                broken += usize::from(wrong as f64 > BUDGET.max_error * n as f64);
            }
        }
        (given, broken)
    }

    #[test]
    fn level_keeps_the_budget_on_a_second_deck_in_95_of_100_resamplings() {
        let fixed = |samples: &[Sample]| BUDGET.find_level(samples).map(|level| level.min_confidence);
        // exact confidence, half the true error rate, and no information with an error rate just above the budget
        let risks: [fn(f64) -> f64; 3] = [|c| 1.0 - c, |c| 2.0 * (1.0 - c), |_| 0.0103];
        let mut n_given = Vec::new();
        for risk in risks {
            let (given, broken) = simulate(risk, fixed);
            assert!(broken * 20 <= DECKS, "{broken} of {DECKS} broke the budget, {given} gave a level");
            n_given.push(given);
        }
        assert!(n_given[0] > DECKS * 9 / 10, "exact confidence gets a level: {n_given:?}");
        assert!(n_given[1] > DECKS / 2, "overconfident values mostly do: {n_given:?}");
    }

    #[test]
    fn lowest_passing_level_of_many_breaks_the_budget_too_often() {
        // the error that fixed sequence testing avoids: any level of many whose own bound is within the budget
        let lowest_passing = |samples: &[Sample]| {
            let levels = (0..500).map(|i| 0.5 + 0.001 * f64::from(i));
            levels.into_iter().find(|level| {
                let (wrong, n) = count_accepted(samples, *level);
                BUDGET.is_kept(wrong, n)
            })
        };
        let (_, broken) = simulate(|_| 0.0103, lowest_passing);
        assert!(broken * 20 > DECKS, "{broken} of {DECKS}");
    }
}
