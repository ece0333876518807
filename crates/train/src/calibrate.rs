//! Temperature scaling of the digit head's probabilities.

use formread_core::scores::N_DIGITS;

/// The grid of temperatures: 0.3 to 3.3 in steps of 5 %.
const MIN_TEMPERATURE: f64 = 0.3;
const TEMPERATURE_RATIO: f64 = 1.05;
const N_TEMPERATURES: i32 = 50;

/// The temperature with the smallest negative log likelihood of `labels` (0 to 9) under softmax(logits / temperature)
/// (Guo et al., "On calibration of modern neural networks", ICML 2017); 1 where there is nothing to fit.
pub(super) fn fit_temperature(logits: &[[f32; N_DIGITS]], labels: &[u8]) -> f32 {
    if logits.is_empty() {
        return 1.0;
    }
    let mut best = (f64::INFINITY, 1.0);
    for i in 0..N_TEMPERATURES {
        let temperature = MIN_TEMPERATURE * TEMPERATURE_RATIO.powi(i);
        let loss: f64 =
            logits.iter().zip(labels).map(|(row, &label)| negative_log_likelihood(row, label, temperature)).sum();
        if loss < best.0 {
            best = (loss, temperature);
        }
    }
    best.1 as f32
}

/// -log softmax(logits / temperature) at `label`.
fn negative_log_likelihood(logits: &[f32; N_DIGITS], label: u8, temperature: f64) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit - largest) / temperature).exp()).sum();
    sum.ln() - f64::from(logits[usize::from(label)] - largest) / temperature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_temperature_overconfident_net_is_softened_and_underconfident_sharpened() {
        // right in 9 of 10 cases, with logits that imply far more, or less
        for (gap, softer) in [(12.0, true), (1.0, false)] {
            let mut row = [0.0; N_DIGITS];
            row[3] = gap;
            let labels: Vec<u8> = (0..100).map(|i| if i % 10 == 0 { 4 } else { 3 }).collect();
            let temperature = fit_temperature(&vec![row; 100], &labels);
            assert_eq!(temperature > 1.0, softer, "{temperature}");
        }
    }
}
