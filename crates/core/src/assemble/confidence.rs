//! How confident a reading is: one number from what the lattice and the strip return.

use crate::scores::ConfidenceModel;

/// What supports a reading. The inputs of [`ConfidenceModel`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceInputs {
    /// Its share of the probability of all readings of the field, 0 to 1.
    pub share: f64,
    /// Natural logarithm of the probability, by the lattice, that exactly these symbols are written.
    pub lattice_log: f64,
    /// The same by the strip; `None` where it was not read.
    pub strip_log: Option<f64>,
}

/// Log odds of the share are limited to plus and minus this: a share of 1 has infinite ones.
const MAX_LOG_ODDS: f64 = 12.0;
/// Lower limit of both logarithms.
const MIN_LOG: f64 = -12.0;

impl ConfidenceInputs {
    /// What the slopes of the model multiply, in its order: log odds of the share, logarithm by the lattice, by the strip.
    pub fn features(&self) -> [f64; 3] {
        let log_odds = (self.share / (1.0 - self.share)).ln().clamp(-MAX_LOG_ODDS, MAX_LOG_ODDS);
        let [lattice_log, strip_log] =
            [self.lattice_log, self.strip_log.unwrap_or(0.0)].map(|log| log.clamp(MIN_LOG, 0.0));
        [log_odds, lattice_log, strip_log]
    }

    /// The chance that the reading is right, 0 to 1 (Platt, "Probabilistic outputs for support vector machines", 1999, with
    /// three inputs).
    pub fn confidence(&self, model: &ConfidenceModel) -> f64 {
        let [log_odds, lattice_log, strip_log] = self.features();
        let sum = model.intercept
            + model.share_log_odds * log_odds
            + model.lattice_log * lattice_log
            + model.strip_log * strip_log;
        1.0 / (1.0 + (-sum).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_rises_with_each_input() {
        let confidence = |inputs: ConfidenceInputs| inputs.confidence(&ConfidenceModel::default());
        let doubtful = ConfidenceInputs { share: 0.6, lattice_log: -2.0, strip_log: Some(-2.0) };
        let better = [
            ConfidenceInputs { share: 0.9, ..doubtful },
            ConfidenceInputs { lattice_log: -0.1, ..doubtful },
            ConfidenceInputs { strip_log: Some(-0.1), ..doubtful },
        ];
        for inputs in better {
            assert!(confidence(inputs) > confidence(doubtful), "{inputs:?}");
        }
        let sure = confidence(ConfidenceInputs { share: 1.0, lattice_log: 0.0, strip_log: Some(0.0) });
        assert!(sure > 0.99 && sure <= 1.0);
        let infinite = Some(f64::NEG_INFINITY);
        let none = ConfidenceInputs { share: 0.0, lattice_log: f64::NEG_INFINITY, strip_log: infinite };
        assert!(confidence(none) < 0.01);
    }
}
