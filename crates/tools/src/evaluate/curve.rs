//! The error-reject curve: the error rate of accepted answers as more of them are accepted.
//!
//! Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on Information Theory 16, 1970.

use serde::Serialize;

use super::{SCORE_CERTAINTY, upper_bound};

/// Shares of accepted answers at which the curve has a point.
const SHARES: [f64; 14] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0];

/// The result of accepting the answers with the highest confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Accepted share of all answers, 0 to 1.
    pub share: f64,
    /// Minimum confidence among the accepted, 0 to 1.
    #[serde(rename = "least_confidence")]
    pub min_confidence: f64,
    /// Number of accepted answers.
    pub accepted: u64,
    /// Number of these that are wrong.
    pub wrong: u64,
    /// `wrong / accepted`.
    pub error: f64,
    /// Upper bound of the error rate, 0 to 1, at [`SCORE_CERTAINTY`]. It is valid for one point chosen in advance, not for
    /// the best of all points.
    pub bound: f64,
}

/// The error-reject curve of `answers`, each a confidence, 0 to 1, and whether it is right. Points go from the most
/// confident answers to all of them. Answers of equal confidence are accepted together.
pub fn error_reject_curve(answers: &[(f64, bool)]) -> Vec<CurvePoint> {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut points, mut accepted, mut wrong) = (Vec::new(), 0, 0);
    for share in SHARES {
        let n_wanted = (share * sorted.len() as f64).ceil() as usize;
        let Some(&(min_confidence, _)) = n_wanted.checked_sub(1).and_then(|idx| sorted.get(idx)) else { continue };
        let next = sorted.partition_point(|(confidence, _)| *confidence >= min_confidence);
        if next == accepted {
            continue;
        }
        wrong += sorted[accepted..next].iter().filter(|(_, is_right)| !is_right).count() as u64;
        accepted = next;
        let n = accepted as u64;
        points.push(CurvePoint {
            share: accepted as f64 / sorted.len() as f64,
            min_confidence,
            accepted: n,
            wrong,
            error: wrong as f64 / n as f64,
            bound: upper_bound(wrong, n, SCORE_CERTAINTY),
        });
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_reject_curve_accepts_the_most_confident_first() {
        // 100 answers; the ten with the lowest confidence are wrong
        let answers: Vec<(f64, bool)> = (0..100).map(|i| (f64::from(i) / 100.0, i >= 10)).collect();
        let curve = error_reject_curve(&answers);
        let found: Vec<(u64, u64)> = curve.iter().map(|point| (point.accepted, point.wrong)).collect();
        assert_eq!(found[..2], [(10, 0), (20, 0)]);
        assert_eq!(found[found.len() - 4..], [(95, 5), (98, 8), (99, 9), (100, 10)]);
        assert_eq!((curve[0].min_confidence, curve[0].share), (0.9, 0.1));
        assert!(curve.iter().all(|point| point.error <= point.bound));
    }

    #[test]
    fn answers_of_equal_confidence_are_accepted_together() {
        let curve = error_reject_curve(&[(1.0, true), (1.0, false), (1.0, true), (0.5, true)]);
        let found: Vec<(u64, u64)> = curve.iter().map(|point| (point.accepted, point.wrong)).collect();
        assert_eq!(found, [(3, 1), (4, 1)]);
        assert_eq!(error_reject_curve(&[]), []);
    }
}
