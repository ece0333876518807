//! Whether confidence means what it says: the reliability diagram and what it comes to.
//!
//! Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017, section 2: answers are sorted
//! into bins by their confidence; in each, the share of right ones is held against the mean confidence.

use std::fmt;

use serde::Serialize;

/// Bins, all as wide as one another (Guo et al. use as many).
const N_BINS: usize = 15;

/// Mean distance of a normal draw from its mean, in standard deviations: the square root of 2 / pi.
const MEAN_OF_DEVIATION: f64 = 0.797_884_560_802_865_4;

/// Width of the widest bar of the diagram, characters.
const BAR: usize = 40;

/// A reliability diagram.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Reliability {
    /// Answers.
    pub count: usize,
    /// Expected calibration error: mean distance between a bin's share of right answers and its mean confidence, weighted
    /// by its answers; 0 to 1.
    pub expected_calibration_error: f64,
    /// What that error would be in the mean, by chance alone, were every confidence exact: few answers cannot show less. Each
    /// bin's right answers scatter about their mean as a sum of Bernoulli draws, here taken for normal.
    pub error_by_chance: f64,
    /// Answers with a confidence of at least 0.99.
    pub sure: usize,
    /// Of these, wrong.
    pub sure_wrong: usize,
    /// Answers surer than the surest wrong one: what could be accepted without an error.
    pub above_all_wrong: usize,
    /// The bins that hold answers, from unsure to sure.
    pub bins: Vec<ReliabilityBin>,
}

/// Answers of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Least confidence, 0 to 1.
    pub from: f64,
    /// Where the next bin begins.
    pub to: f64,
    /// Answers.
    pub count: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that is right.
    pub accuracy: f64,
}

impl Reliability {
    /// Of answers, each with its confidence, 0 to 1, and whether it is right.
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
        let deviation: f64 = variances.iter().map(|variance: &f64| variance.max(0.0).sqrt() * MEAN_OF_DEVIATION).sum();
        let bin = |(i, &(count, sum, right)): (usize, &(usize, f64, usize))| {
            let edge = |i: usize| i as f64 / N_BINS as f64;
            let (confidence, accuracy) = (sum / count as f64, right as f64 / count as f64);
            (count > 0).then(|| ReliabilityBin { from: edge(i), to: edge(i + 1), count, confidence, accuracy })
        };
        let bins: Vec<ReliabilityBin> = sums.iter().enumerate().filter_map(bin).collect();
        let distance: f64 = bins.iter().map(|bin| bin.count as f64 * (bin.accuracy - bin.confidence).abs()).sum();
        let sure = || answers.iter().filter(|(confidence, _)| *confidence >= 0.99);
        let wrong = || answers.iter().filter(|(_, is_right)| !is_right);
        let surest_wrong = wrong().map(|(confidence, _)| *confidence).fold(f64::NEG_INFINITY, f64::max);
        Self {
            count: answers.len(),
            expected_calibration_error: distance / answers.len().max(1) as f64,
            error_by_chance: deviation / answers.len().max(1) as f64,
            sure: sure().count(),
            sure_wrong: sure().filter(|(_, is_right)| !is_right).count(),
            above_all_wrong: answers.iter().filter(|(confidence, _)| *confidence > surest_wrong).count(),
            bins,
        }
    }
}

/// A table with bars, for people.
impl fmt::Display for Reliability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, expected_calibration_error, error_by_chance, sure, sure_wrong, above_all_wrong, bins } = self;
        let [ece, by_chance] = [expected_calibration_error, error_by_chance].map(|share| 100.0 * share);
        writeln!(f, "expected calibration error: {ece:.2} % of {count}; exact ones would show {by_chance:.2} %")?;
        writeln!(f, "wrong at a confidence of 0.99 and more: {sure_wrong} of {sure}")?;
        writeln!(f, "surer than every wrong one: {above_all_wrong} of {count}")?;
        writeln!(f, "{:>13}  {:>6}  {:>10}  {:>7}", "confidence", "count", "mean", "right")?;
        for ReliabilityBin { from, to, count, confidence, accuracy } in bins {
            let bar = "#".repeat((accuracy * BAR as f64).round() as usize);
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
    fn answers_as_often_right_as_they_claim_have_no_error() {
        let honest: Vec<(f64, bool)> = (0..1000).map(|i| (0.8, i % 5 != 0)).collect();
        let found = Reliability::of(&honest);
        assert!(found.expected_calibration_error < 1e-9, "{found:?}");
        let boastful: Vec<(f64, bool)> = honest.iter().map(|&(_, right)| (0.995, right)).collect();
        let found = Reliability::of(&boastful);
        assert!((found.expected_calibration_error - 0.195).abs() < 1e-9, "{found:?}");
        assert_eq!((found.sure, found.sure_wrong, found.above_all_wrong), (1000, 200, 0));
    }

    #[test]
    fn what_chance_alone_would_show_is_what_draws_show() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let confidences: Vec<f64> = (0..560).map(|i| 1.0 - 0.9 * (f64::from(i) / 560.0).powi(3)).collect();
        let mut sum = 0.0;
        for _ in 0..200 {
            let drawn: Vec<(f64, bool)> = confidences.iter().map(|&p| (p, dice.random_bool(p))).collect();
            sum += Reliability::of(&drawn).expected_calibration_error;
        }
        let drawn: Vec<(f64, bool)> = confidences.iter().map(|&p| (p, true)).collect();
        let told = Reliability::of(&drawn).error_by_chance;
        assert!((sum / 200.0 - told).abs() < 0.05 * told, "{} and {told}", sum / 200.0);
    }

    #[test]
    fn what_is_surer_than_every_wrong_answer_is_counted() {
        let found = Reliability::of(&[(0.5, true), (0.7, false), (0.71, true), (1.0, true)]);
        assert_eq!((found.count, found.above_all_wrong), (4, 2));
        let none = Reliability::of(&[]);
        assert_eq!((none.expected_calibration_error, none.bins.len()), (0.0, 0));
    }
}
