//! Bounds on error rates, and the acceptance level that keeps errors within a budget.
//!
//! The bound is that of Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
//! binomial", Biometrika 26, 1934: exact, one-sided.
//!
//! To pick the most lenient of many levels by the same samples that prove it would be to pick luck. The levels are
//! therefore a fixed, coarse list, tested in a fixed order, from strict to lax, and the first that fails ends the test:
//! fixed sequence testing, as in Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then Test", 2021, section 3. Before a
//! wrong level can be given out, the first wrong one of the list must pass, and it does so with a chance of at most
//! `1 - certainty`.

use serde::Serialize;
use statrs::function::beta::checked_beta_reg;

use formread_raster::error::{Error, Result};

/// Acceptance levels that are tested, from strict to lax. As confidence is written, with four decimals.
pub const LEVELS: [f64; 17] =
    [0.9999, 0.9998, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.985, 0.98, 0.97, 0.96, 0.95, 0.93, 0.9, 0.85, 0.7, 0.5];

/// Before errors are looked at, each value is expected to be wrong so many times as often as its confidence says.
const EXPECTED_ERROR_FACTOR: f64 = 2.0;

/// The test begins at the strictest level whose expected chance to pass is at least this share of the best one's.
const MIN_CHANCE_SHARE: f64 = 0.95;

/// What is allowed, and how sure one wants to be of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Most errors among accepted values, as a share, above 0 and below 1.
    pub max_error: f64,
    /// How sure, as a chance, above 0 and below 1.
    pub certainty: f64,
}

/// A value that could be accepted: how sure the reader was, and whether it was wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// 0 to 1.
    pub confidence: f64,
    /// Whether to accept it would have been an error.
    pub is_wrong: bool,
}

/// An acceptance level, and what speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Level {
    /// Least confidence of what is accepted, 0 to 1.
    #[serde(rename = "least_confidence")]
    pub min_confidence: f64,
    /// Samples at or above it.
    pub samples: u64,
    /// Of these, wrong.
    pub wrong: u64,
    /// Upper bound of the error rate among them, 0 to 1.
    pub bound: f64,
}

impl Budget {
    /// A checked budget.
    ///
    /// # Errors
    /// `Usage` where one of them is not between 0 and 1.
    pub fn new(max_error: f64, certainty: f64) -> Result<Self> {
        for (what, share) in [("budget of errors", max_error), ("certainty", certainty)] {
            if !(share > 0.0 && share < 1.0) {
                return Err(Error::usage(format!("a {what} that is not between 0 and 1: {share}")));
            }
        }
        Ok(Self { max_error, certainty })
    }

    /// Whether so many wrong ones among so many samples prove an error rate below the budget.
    pub fn is_kept(&self, wrong: u64, samples: u64) -> bool {
        chance_of_more(wrong, samples, self.max_error) >= self.certainty
    }

    /// Whether so many wrong ones among so many samples prove an error rate above the budget, as surely.
    pub fn is_broken(&self, wrong: u64, samples: u64) -> bool {
        wrong > 0 && chance_of_more(wrong - 1, samples, self.max_error) <= 1.0 - self.certainty
    }

    /// Fewest samples of which `wrong` may be wrong for the budget to be kept: for none,
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

    /// The most lenient of [`LEVELS`] at which `samples` prove that the budget is kept; `None` where they prove it of
    /// none.
    pub fn find_level(&self, samples: &[Sample]) -> Option<Level> {
        self.find_level_where(samples, |_| true)
    }

    /// The same, where a level passes only if it also `passes` another test.
    pub(super) fn find_level_where(&self, samples: &[Sample], passes: impl Fn(f64) -> bool) -> Option<Level> {
        LEVELS
            .into_iter()
            .skip(self.first_level(samples)?)
            .map(|level| (level, count(samples, level)))
            .take_while(|(level, (wrong, n))| self.is_kept(*wrong, *n) && passes(*level))
            .last()
            .map(|(min_confidence, (wrong, samples))| {
                let bound = upper_bound(wrong, samples, self.certainty);
                Level { min_confidence, samples, wrong, bound }
            })
    }

    /// Where in [`LEVELS`] to begin; `None` where none accepts enough samples. Of the strictest levels too little is
    /// accepted, so that a single error decides. Only confidences are looked at, never errors: what is seen of those
    /// must not choose the test.
    fn first_level(&self, samples: &[Sample]) -> Option<usize> {
        let needed = self.samples_needed(0);
        let chance_to_pass = LEVELS.map(|level| {
            let passed = samples.iter().filter(|sample| sample.confidence >= level);
            let (n, doubt) = passed.fold((0, 0.0), |(n, sum), sample| (n + 1, sum + 1.0 - sample.confidence));
            let expected = (EXPECTED_ERROR_FACTOR * doubt / n.max(1) as f64).min(1.0);
            if n < needed { 0.0 } else { 1.0 - chance_of_more(self.max_wrong(n), n, expected) }
        });
        let best = chance_to_pass.into_iter().fold(0.0, f64::max);
        (best > 0.0).then(|| chance_to_pass.into_iter().position(|chance| chance >= MIN_CHANCE_SHARE * best))?
    }

    /// How many of so many samples may be wrong for the budget to be kept, if it is kept without an error.
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

/// How many of `samples` are wrong, and how many there are, at or above a level.
pub fn count(samples: &[Sample], min_confidence: f64) -> (u64, u64) {
    let passed = || samples.iter().filter(|sample| sample.confidence >= min_confidence);
    (passed().filter(|sample| sample.is_wrong).count() as u64, passed().count() as u64)
}

/// Upper bound, 0 to 1, of an error rate of which `wrong` among `samples` were met: the true one is below with a chance of
/// at least `certainty`, 0 to 1. Clopper and Pearson, 1934, one-sided. 1 of nothing.
///
/// # Panics
/// Where more are wrong than there are.
pub fn upper_bound(wrong: u64, samples: u64, certainty: f64) -> f64 {
    assert!(wrong <= samples, "{wrong} wrong of {samples}");
    if wrong == samples {
        return 1.0;
    }
    let (mut low, mut high) = (wrong as f64 / samples as f64, 1.0);
    // Halved until there is no number between.
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

/// The chance that more than `wrong` of `samples` are wrong where the error rate is `rate`, 0 to 1:
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
    /// Decks that are drawn in a simulation.
    const DECKS: usize = 400;
    /// Samples of a deck that levels are found on.
    const FIRST_DECK: usize = 2_500;
    /// Samples of the second deck, so many that its error rate is the true one.
    const SECOND_DECK: usize = 200_000;

    #[track_caller]
    fn assert_close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-6 * wanted, "{found}, not {wanted}");
    }

    /// The chance of at most `wrong` of `n`, summed term by term.
    fn binomial_cdf(wrong: u64, n: u64, rate: f64) -> f64 {
        let (mut term, mut sum) = ((n as f64 * (-rate).ln_1p()).exp(), 0.0);
        for k in 0..=wrong {
            sum += term;
            term *= (n - k) as f64 / (k + 1) as f64 * rate / (1.0 - rate);
        }
        sum
    }

    #[test]
    fn the_bound_is_that_of_clopper_and_pearson() {
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
    fn so_many_samples_are_needed_and_not_one_less() {
        let strict = Budget { max_error: 0.0005, certainty: 0.95 };
        assert_eq!((BUDGET.samples_needed(0), strict.samples_needed(0)), (299, 5_990));
        for wrong in [0, 1, 4] {
            let n = strict.samples_needed(wrong);
            assert!(strict.is_kept(wrong, n) && !strict.is_kept(wrong, n - 1), "{wrong} of {n}");
        }
        assert!(BUDGET.is_broken(2, 10) && !BUDGET.is_broken(1, 60) && !BUDGET.is_broken(0, 10));
    }

    #[test]
    fn as_many_may_be_wrong_and_not_one_more() {
        for n in [299, 1_000, 5_000] {
            let wrong = BUDGET.max_wrong(n);
            assert!(BUDGET.is_kept(wrong, n) && !BUDGET.is_kept(wrong + 1, n), "{wrong} of {n}");
        }
    }

    #[test]
    fn a_budget_out_of_range_is_refused() {
        for (max_error, certainty) in [(0.0, 0.95), (1.0, 0.95), (f64::NAN, 0.95), (0.01, 1.0), (0.01, -0.1)] {
            Budget::new(max_error, certainty).expect_err("not between 0 and 1");
        }
    }

    #[test]
    fn the_test_ends_with_the_first_level_that_fails() {
        let sample = |confidence, is_wrong| Sample { confidence, is_wrong };
        let mut samples = vec![sample(0.9999, false); 1_000];
        samples.extend(vec![sample(0.986, true); 30]);
        samples.extend(vec![sample(0.6, false); 100_000]);
        let level = BUDGET.find_level(&samples).expect("a thousand without an error carry it");
        assert_eq!((level.min_confidence, level.samples, level.wrong), (0.99, 1_000, 0));
        assert!(level.bound < BUDGET.max_error);
        assert_eq!(BUDGET.find_level(&samples[..298]), None, "one less than the samples needed");
        assert!(BUDGET.find_level(&samples[..299]).is_some());
    }

    /// A value whose confidence is drawn and whose chance to be wrong is what `risk` makes of it.
    fn draw(rng: &mut ChaCha8Rng, risk: fn(f64) -> f64) -> Sample {
        let confidence = 1.0 - rng.random::<f64>().powi(3) * 0.5;
        Sample { confidence, is_wrong: rng.random::<f64>() < risk(confidence) }
    }

    /// How many of [`DECKS`] decks give a level, by `find`, and how many of these levels break the budget on a second
    /// deck.
    fn simulate(risk: fn(f64) -> f64, find: impl Fn(&[Sample]) -> Option<f64>) -> (usize, usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(20_211_003);
        let second: Vec<Sample> = (0..SECOND_DECK).map(|_| draw(&mut rng, risk)).collect();
        let (mut given, mut broken) = (0, 0);
        for _ in 0..DECKS {
            let first: Vec<Sample> = (0..FIRST_DECK).map(|_| draw(&mut rng, risk)).collect();
            if let Some(level) = find(&first) {
                let (wrong, n) = count(&second, level);
                given += 1;
                broken += usize::from(wrong as f64 > BUDGET.max_error * n as f64);
            }
        }
        (given, broken)
    }

    #[test]
    fn levels_hold_on_a_second_deck_in_95_of_100_resamplings() {
        let fixed = |samples: &[Sample]| BUDGET.find_level(samples).map(|level| level.min_confidence);
        // confidence as honest as can be, twice too bold, and worth nothing at all with the error just above the budget
        let risks: [fn(f64) -> f64; 3] = [|c| 1.0 - c, |c| 2.0 * (1.0 - c), |_| 0.0103];
        let mut n_given = Vec::new();
        for risk in risks {
            let (given, broken) = simulate(risk, fixed);
            assert!(broken * 20 <= DECKS, "{broken} of {DECKS} broke the budget, {given} gave a level");
            n_given.push(given);
        }
        assert!(n_given[0] > DECKS * 9 / 10, "a good reader is given a level: {n_given:?}");
        assert!(n_given[1] > DECKS / 2, "a bold one mostly: {n_given:?}");
    }

    #[test]
    fn to_pick_the_luckiest_level_would_not_hold() {
        // what the fixed sequence is there for: any level out of many whose own bound is within the budget
        let luckiest = |samples: &[Sample]| {
            let levels = (0..500).map(|i| 0.5 + 0.001 * f64::from(i));
            levels.into_iter().find(|level| {
                let (wrong, n) = count(samples, *level);
                BUDGET.is_kept(wrong, n)
            })
        };
        let (_, broken) = simulate(|_| 0.0103, luckiest);
        assert!(broken * 20 > DECKS, "{broken} of {DECKS}");
    }
}
