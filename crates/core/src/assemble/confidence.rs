//! How sure a reading is: one number out of what both ways of reading say.

/// What speaks for a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence {
    /// Its share of the probability of all readings of the field, 0 to 1.
    pub share: f64,
    /// Natural logarithm of how likely it is by the lattice that just these symbols are written.
    pub by_lattice: f64,
    /// The same by the strip read as a whole; `None` where it was not read.
    pub by_strip: Option<f64>,
}

/// Intercept and slopes of a logistic regression of "the reading is right" on the log odds of the share and on both
/// logarithms, fitted to 2,147 fields of writers that were never trained on: real pages, cheque amounts, drawn decks. With
/// both ways in the share, the lattice's own logarithm adds next to nothing; what is left of it keeps signs that are no
/// digits from being sure.
const INTERCEPT: f64 = 0.45;
const OF_SHARE: f64 = 0.53;
const OF_LATTICE: f64 = 0.03;
const OF_STRIP: f64 = 0.17;

/// Log odds and logarithms count up to here.
const MOST_ODDS: f64 = 12.0;
const LEAST_LOG: f64 = -12.0;

impl Evidence {
    /// How likely the reading is right, 0 to 1 (Platt, "Probabilistic outputs for support vector machines", 1999, with
    /// three inputs).
    pub fn confidence(&self) -> f64 {
        let odds = (self.share / (1.0 - self.share)).ln().clamp(-MOST_ODDS, MOST_ODDS);
        let by_lattice = self.by_lattice.clamp(LEAST_LOG, 0.0);
        let by_strip = self.by_strip.unwrap_or(0.0).clamp(LEAST_LOG, 0.0);
        let sum = INTERCEPT + OF_SHARE * odds + OF_LATTICE * by_lattice + OF_STRIP * by_strip;
        1.0 / (1.0 + (-sum).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_rises_with_all_that_speaks_for_a_reading() {
        let doubtful = Evidence { share: 0.6, by_lattice: -2.0, by_strip: Some(-2.0) };
        let better = [
            Evidence { share: 0.9, ..doubtful },
            Evidence { by_lattice: -0.1, ..doubtful },
            Evidence { by_strip: Some(-0.1), ..doubtful },
        ];
        for evidence in better {
            assert!(evidence.confidence() > doubtful.confidence(), "{evidence:?}");
        }
        let sure = Evidence { share: 1.0, by_lattice: 0.0, by_strip: Some(0.0) };
        assert!(sure.confidence() > 0.99 && sure.confidence() <= 1.0);
        let none = Evidence { share: 0.0, by_lattice: f64::NEG_INFINITY, by_strip: Some(f64::NEG_INFINITY) };
        assert!(none.confidence() < 0.01);
    }
}
