//! Measures calibration: whether a confidence of 0.9 is right 9 times in 10.
//!
//! The reliability diagram and expected calibration error of Guo, Pleiss, Sun and Weinberger, "On calibration of modern
//! neural networks", ICML 2017, section 2: answers are sorted into bins by confidence, and in each bin the share of right
//! answers is compared with the mean confidence.

use std::fmt;

use serde::Serialize;

/// Number of bins of equal width, as in Guo et al.
const N_BINS: usize = 15;

/// Mean absolute deviation of a normal variable, in standard deviations: the square root of 2 / pi.
const MEAN_ABS_DEVIATION: f64 = 0.797_884_560_802_865_4;

/// Maximum width of a bar in the printed diagram, characters.
const MAX_BAR_CHARS: usize = 40;

/// A reliability diagram.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reliability {
    /// Number of answers.
    pub count: usize,
    /// Expected calibration error: mean difference between a bin's share of right answers and its mean confidence, weighted
    /// by its number of answers; 0 to 1.
    pub expected_calibration_error: f64,
    /// Mean of that error if every confidence were exact, by chance alone: with few answers the error cannot be smaller.
    /// The number of right answers in a bin is a sum of Bernoulli variables, approximated by a normal one.
    pub error_by_chance: f64,
    /// Number of answers with a confidence of at least 0.99.
    pub sure: usize,
    /// Number of these that are wrong.
    pub sure_wrong: usize,
    /// Number of answers with a higher confidence than every wrong one: these could be accepted without an error.
    pub above_all_wrong: usize,
    /// The bins with answers, by rising confidence.
    pub bins: Vec<ReliabilityBin>,
}

/// Answers of similar confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Lower edge, confidence from 0 to 1.
    pub from: f64,
    /// Upper edge, confidence from 0 to 1.
    pub to: f64,
    /// Number of answers.
    pub count: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// Share of them that is right.
    pub accuracy: f64,
}

impl Reliability {
    /// Measures `answers`, each a confidence, 0 to 1, and whether it is right.
    pub fn of(answers: &[(f64, bool)]) -> Self {
        let mut sums = [(0usize, 0.0, 0usize); N_BINS];
        let mut variances = [0.0; N_BINS];
        for &(confidence, is_right) in answers {
            let bin = ((confidence * N_BINS as f64) as usize).min(N_BINS - 1);
            let (count, sum, right) = &mut sums[bin];
            *count += 1;
            *sum += confidence;
            *right += usize::from(is_right);
            variances[bin] += confidence * (1.0 - confidence);
        }
        let deviation: f64 = variances.iter().map(|variance: &f64| variance.max(0.0).sqrt() * MEAN_ABS_DEVIATION).sum();
        let bin = |(i, &(count, sum, right)): (usize, &(usize, f64, usize))| {
            let edge = |i: usize| i as f64 / N_BINS as f64;
            let (confidence, accuracy) = (sum / count as f64, right as f64 / count as f64);
            (count > 0).then(|| ReliabilityBin { from: edge(i), to: edge(i + 1), count, confidence, accuracy })
        };
        let bins: Vec<ReliabilityBin> = sums.iter().enumerate().filter_map(bin).collect();
        let difference: f64 = bins.iter().map(|bin| bin.count as f64 * (bin.accuracy - bin.confidence).abs()).sum();
        let sure = || answers.iter().filter(|(confidence, _)| *confidence >= 0.99);
        let wrong = || answers.iter().filter(|(_, is_right)| !is_right);
        let max_wrong = wrong().map(|(confidence, _)| *confidence).fold(f64::NEG_INFINITY, f64::max);
        Self {
            count: answers.len(),
            expected_calibration_error: difference / answers.len().max(1) as f64,
            error_by_chance: deviation / answers.len().max(1) as f64,
            sure: sure().count(),
            sure_wrong: sure().filter(|(_, is_right)| !is_right).count(),
            above_all_wrong: answers.iter().filter(|(confidence, _)| *confidence > max_wrong).count(),
            bins,
        }
    }
}

/// A table with bars, for people.
impl fmt::Display for Reliability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, expected_calibration_error, error_by_chance, sure, sure_wrong, above_all_wrong, bins } = self;
        let [ece, by_chance] = [expected_calibration_error, error_by_chance].map(|share| 100.0 * share);
        writeln!(
            f,
            "expected calibration error: {ece:.2} % of {count} answers; exact confidences would give {by_chance:.2} %"
        )?;
        writeln!(f, "wrong at a confidence of 0.99 or more: {sure_wrong} of {sure}")?;
        writeln!(f, "confidence above every wrong answer: {above_all_wrong} of {count}")?;
        writeln!(f, "{:>13}  {:>6}  {:>10}  {:>7}", "confidence", "count", "mean", "right")?;
        for ReliabilityBin { from, to, count, confidence, accuracy } in bins {
            let bar = "#".repeat((accuracy * MAX_BAR_CHARS as f64).round() as usize);
            writeln!(f, "{from:>5.2} to {to:.2}  {count:>6}  {confidence:>10.4}  {accuracy:>7.4}  {bar}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn calibration_error_is_zero_for_exact_confidence() {
        let exact: Vec<(f64, bool)> = (0..1000).map(|i| (0.8, i % 5 != 0)).collect();
        let found = Reliability::of(&exact);
        assert!(found.expected_calibration_error < 1e-9, "{found:?}");
        let overconfident: Vec<(f64, bool)> = exact.iter().map(|&(_, right)| (0.995, right)).collect();
        let found = Reliability::of(&overconfident);
        assert!((found.expected_calibration_error - 0.195).abs() < 1e-9, "{found:?}");
        assert_eq!((found.sure, found.sure_wrong, found.above_all_wrong), (1000, 200, 0));
    }

    #[test]
    fn error_by_chance_matches_a_simulation() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let confidences: Vec<f64> = (0..560).map(|i| 1.0 - 0.9 * (f64::from(i) / 560.0).powi(3)).collect();
        let mut sum = 0.0;
        for _ in 0..200 {
            let drawn: Vec<(f64, bool)> = confidences.iter().map(|&p| (p, dice.random_bool(p))).collect();
            sum += Reliability::of(&drawn).expected_calibration_error;
        }
        let drawn: Vec<(f64, bool)> = confidences.iter().map(|&p| (p, true)).collect();
        let predicted = Reliability::of(&drawn).error_by_chance;
        assert!((sum / 200.0 - predicted).abs() < 0.05 * predicted, "{} and {predicted}", sum / 200.0);
    }

    #[test]
    fn above_all_wrong_counts_answers_above_the_most_confident_error() {
        let found = Reliability::of(&[(0.5, true), (0.7, false), (0.71, true), (1.0, true)]);
        assert_eq!((found.count, found.above_all_wrong), (4, 2));
        let none = Reliability::of(&[]);
        assert_eq!((none.expected_calibration_error, none.bins.len()), (0.0, 0));
    }
}
