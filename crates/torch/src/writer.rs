//! Writer adaptation: one page has one writer, and its clear digits show how this writer forms them.
//!
//! The scores of a digit are a point in a space of ten dimensions, the logarithms of the softmax. The mean of a writer's 1s
//! differs from that of all writers' 1s, and an unclear digit is compared with both (style context of single
//! writers: Sarkar and Nagy, "Style consistent classification of isogenous patterns", IEEE PAMI 27, 2005; here with one
//! variance for all, and the writer's mean drawn towards that of all writers where few digits are clear).

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::params::WriterParams;
use formread_core::scores::{GlyphClass, GlyphScores, N_DIGITS};

/// Maximum size of a mean, and variances, that logarithms of scores can have: a score is at least 1e-38.
const MAX_MEAN: f32 = 100.0;
const VARIANCES: RangeInclusive<f32> = f32::EPSILON..=10_000.0;

/// Lower bound of a probability that keeps its logarithm finite.
const MIN_PROBABILITY: f32 = 1e-9;

/// The digits of all writers: the prior of writer adaptation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StyleModel {
    /// Mean point of each digit.
    #[serde(alias = "places")]
    pub class_means: [[f32; N_DIGITS]; N_DIGITS],
    /// Mean squared distance of a digit from its writer's mean, along one dimension.
    pub variance: f32,
}

/// A glyph's point: the logarithms of its softmax, about their mean.
fn place(scores: &GlyphScores) -> [f32; N_DIGITS] {
    let logs = scores.digits.map(|p| p.max(MIN_PROBABILITY).ln());
    let mean = logs.iter().sum::<f32>() / N_DIGITS as f32;
    logs.map(|log| log - mean)
}

fn distance(a: &[f32; N_DIGITS], b: &[f32; N_DIGITS]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// A running mean of points.
#[derive(Clone, Copy)]
struct Mean {
    sum: [f32; N_DIGITS],
    count: f32,
}

impl Mean {
    const NONE: Self = Self { sum: [0.0; N_DIGITS], count: 0.0 };

    fn add(&mut self, place: &[f32; N_DIGITS]) {
        self.sum.iter_mut().zip(place).for_each(|(sum, value)| *sum += value);
        self.count += 1.0;
    }

    /// Drawn towards `prior`, which counts as `weight` points.
    fn with(&self, prior: &[f32; N_DIGITS], weight: f32) -> [f32; N_DIGITS] {
        std::array::from_fn(|i| (self.sum[i] + weight * prior[i]) / (self.count + weight))
    }
}

impl StyleModel {
    /// Of labelled glyphs, writer by writer. `None` where there is not one of each digit.
    pub fn fit(writers: &[Vec<(GlyphScores, u8)>]) -> Option<Self> {
        let mut means = [Mean::NONE; N_DIGITS];
        for (scores, digit) in writers.iter().flatten() {
            means[usize::from(*digit)].add(&place(scores));
        }
        if means.iter().any(|mean| mean.count == 0.0) {
            return None;
        }
        let class_means = means.map(|mean| mean.with(&[0.0; N_DIGITS], 0.0));
        let (mut sum, mut count) = (0.0, 0.0f32);
        for writer in writers {
            let mut own = [Mean::NONE; N_DIGITS];
            for (scores, digit) in writer {
                own[usize::from(*digit)].add(&place(scores));
            }
            for (scores, digit) in writer {
                let digit = usize::from(*digit);
                sum += distance(&place(scores), &own[digit].with(&class_means[digit], 0.0)) / N_DIGITS as f32;
                count += 1.0;
            }
        }
        Some(Self { class_means, variance: (sum / count.max(1.0)).max(f32::EPSILON) })
    }

    /// Whether its numbers are of the size that logarithms of scores give them.
    pub fn is_sound(&self) -> bool {
        self.class_means.as_flattened().iter().all(|mean| mean.abs() <= MAX_MEAN) && VARIANCES.contains(&self.variance)
    }

    /// Adapts the unclear glyphs among `scores`, all of one writer, by the clear ones.
    pub fn adapt_to_writer(&self, scores: &mut [GlyphScores], params: &WriterParams) {
        let &WriterParams { min_clear_probability, prior_count, weight, max_log_change } = params;
        let mut clear = [Mean::NONE; N_DIGITS];
        for own in scores.iter() {
            let (digit, _) = own.best_digit();
            if own.digit(digit) >= min_clear_probability {
                clear[digit].add(&place(own));
            }
        }
        let centres: [_; N_DIGITS] =
            std::array::from_fn(|digit| clear[digit].with(&self.class_means[digit], prior_count));
        for own in scores.iter_mut() {
            if own.best_digit().1 >= min_clear_probability || own.class(GlyphClass::Digit) < 0.5 {
                continue;
            }
            let place = place(own);
            let gain = |digit: usize| {
                let nearer = distance(&place, &self.class_means[digit]) - distance(&place, &centres[digit]);
                (weight * nearer / (2.0 * self.variance)).clamp(-max_log_change, max_log_change).exp()
            };
            let raised: [f32; N_DIGITS] = std::array::from_fn(|digit| own.digits[digit] * gain(digit));
            let all: f32 = raised.iter().sum();
            own.digits = raised.map(|value| value / all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores that are split between two digits.
    fn between(a: usize, b: usize, share: f32) -> GlyphScores {
        let mut digits = [1e-4; N_DIGITS];
        digits[a] = share;
        digits[b] = 1.0 - share - 8e-4;
        GlyphScores::of_digit(digits)
    }

    #[test]
    fn unclear_one_of_a_writer_whose_ones_look_like_sevens_is_a_one() {
        // all others write a 1 that is nothing like a 7
        let plain = |digit: usize| between(digit, (digit + 1) % 10, 0.999);
        let others: Vec<_> = (0..40).map(|i| (plain(i % 10), (i % 10) as u8)).collect();
        let centres = StyleModel::fit(&[others]).expect("there is one of each");
        let mut page: Vec<GlyphScores> = (0..8).map(|_| between(1, 7, 0.985)).collect();
        page.extend((0..8).map(|_| plain(7)));
        let unclear = between(1, 7, 0.45);
        page.push(unclear);
        let clear = page[0];
        centres.adapt_to_writer(&mut page, &WriterParams::default());
        assert!(page[16].digits[1] > 0.5, "{:?}", page[16]);
        assert!((page[16].digits.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(page[0], clear);
        // alone it stays what it was
        let mut alone = [unclear];
        centres.adapt_to_writer(&mut alone, &WriterParams::default());
        assert!((alone[0].digits[1] - unclear.digits[1]).abs() < 1e-5);
    }

    #[test]
    fn style_model_without_one_of_each_digit_is_none() {
        assert_eq!(StyleModel::fit(&[vec![(between(1, 7, 0.9), 1)]]), None);
        assert_eq!(StyleModel::fit(&[]), None);
    }
}
