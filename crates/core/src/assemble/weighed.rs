//! The readings of a field with the probability from each source: for an explanation.

use serde::Serialize;

use super::{
    FieldScores,
    grammar::SignSet,
    lattice::path_of,
    params::{AssembleParams, CtcParams},
    readings::candidates,
    symbols::StripReading,
};
use crate::{form::Field, scores::StripScores, segment::Lattice};

/// One reading of a field, with its probability by the lattice and by the strip.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeighedReading {
    /// ASCII digits; empty where there are only fillers.
    pub digits: String,
    /// Whether there are fillers beside them.
    pub has_filler: bool,
    /// Probability by the cuts and their glyphs that just these symbols are written, 0 to 1; 0 where no cuts give them.
    pub by_cuts: f64,
    /// The same by the strip; `None` where it was not read.
    pub by_strip: Option<f64>,
    /// The best path with these digits: edges of the lattice, from left to right; empty where there is none.
    pub edges: Vec<usize>,
}

/// The field's `max` best readings, best first by both ways together.
pub fn weighed_readings(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    params: &AssembleParams,
    max: usize,
) -> Vec<WeighedReading> {
    let readings = candidates(field, lattice, scores, params).readings;
    let weighed = readings.into_iter().take(max).map(|candidate| WeighedReading {
        by_cuts: candidate.lattice_log.exp(),
        by_strip: candidate.strip_log.map(f64::exp),
        edges: path_of(field, lattice, &scores.edges, &candidate.digits, candidate.has_filler, &params.lattice)
            .map(|steps| steps.iter().map(|step| step.edge_idx).collect())
            .unwrap_or_default(),
        digits: candidate.digits,
        has_filler: candidate.has_filler,
    });
    weighed.collect()
}

/// The likely texts of a strip, in digits, signs, and `?` for what cannot be read, most likely first, with probabilities, 0 to 1:
/// the mean of the logarithms over all its views. At most `max`; none of a strip that was not read.
pub fn strip_texts(scores: &StripScores, params: &CtcParams, max: usize) -> Vec<(String, f64)> {
    let strip = StripReading::new(scores, SignSet::NONE, params);
    let texts = strip.best_texts().into_iter().take(max);
    texts.map(|found| (found.text.clone(), strip.log_probability(&found.text).exp())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{
        symbols::tests::saying,
        tests::{edge, field, glyph},
    };
    use crate::scores::EdgeScores;

    #[test]
    fn weighed_readings_have_both_probabilities() {
        let lattice = Lattice { n_nodes: 2, edges: vec![edge(0, 1)], ..Lattice::default() };
        let scores = FieldScores { edges: vec![EdgeScores::Scored(glyph(1, 0.9))], strip: saying("_7_", 0.9) };
        let readings = weighed_readings(&field(1, 3), &lattice, &scores, &AssembleParams::default(), 8);
        let of = |digits: &str| readings.iter().find(|reading| reading.digits == digits).expect("it is weighed");
        let (by_cuts, by_strip) = (of("1"), of("7"));
        assert!(by_cuts.by_cuts > 0.8 && by_cuts.by_strip.is_some_and(|p| p < 0.1), "{by_cuts:?}");
        assert!(by_strip.by_cuts < 0.1 && by_strip.by_strip.is_some_and(|p| p > 0.7), "{by_strip:?}");
        assert_eq!(by_cuts.edges, [0]);
        assert_eq!(strip_texts(&scores.strip, &CtcParams::default(), 1)[0].0, "7");
        assert!(strip_texts(&StripScores::default(), &CtcParams::default(), 3).is_empty());
    }
}
