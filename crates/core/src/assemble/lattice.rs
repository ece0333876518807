//! The best paths through a lattice: k-best Viterbi over nodes and counts of digits (Huang and Chiang, Better k-best
//! parsing, 2005, in its simplest form).

use super::params::LatticeParams;
use crate::{
    form::{Field, FieldLayout, Filler},
    scores::{EdgeScores, GlyphClass},
    segment::{Lattice, LatticeEdge},
};

/// Most digits on a path; longer ones are no numbers. [`Path`] has room for this many.
const MAX_DIGITS: usize = 32;

/// Lower bound of a probability that keeps its logarithm finite.
const MIN_PROBABILITY: f32 = 1e-6;

/// The symbol on one edge of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A digit, 0 to 9.
    Digit(u8),
    /// A filler that the template declares.
    Filler,
    /// A glyph that the net takes for neither digit nor filler, where the template declares fillers: a filler of an unknown
    /// form, or something struck out.
    UnknownFiller,
    /// Nothing: an empty cell, or ink that is skipped.
    Nothing,
}

/// A path from the lattice's first node to its last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// From left to right, one for each edge.
    symbols: Vec<Symbol>,
    /// Its digits, four bits each, the last one lowest: of two paths with as many digits, whether they are equal.
    text: u128,
    /// Whether there is a filler, known or not.
    pub has_filler: bool,
    /// Logarithm of how good it is: of every edge the log probability of its symbol, weighted by the pieces it covers so
    /// that long and short paths compare, and its prior.
    pub score: f32,
    /// Product of the symbols' probabilities.
    pub probability: f32,
}

impl Path {
    /// At the lattice's first node.
    const EMPTY: Self = Self { symbols: Vec::new(), text: 0, has_filler: false, score: 0.0, probability: 1.0 };

    /// The digits, as text.
    pub fn digits(&self) -> String {
        let digit = |symbol: &Symbol| if let Symbol::Digit(d) = symbol { Some(char::from(b'0' + d)) } else { None };
        self.symbols.iter().filter_map(digit).collect()
    }

    /// Whether there is an unknown filler.
    pub fn has_unknown_filler(&self) -> bool {
        self.symbols.contains(&Symbol::UnknownFiller)
    }

    /// Whether there is an empty cell or a filler between two digits.
    pub fn has_inner_gap(&self) -> bool {
        let is_digit = |s: &Symbol| matches!(s, Symbol::Digit(_));
        let first = self.symbols.iter().position(is_digit).unwrap_or(0);
        let last = self.symbols.iter().rposition(is_digit).unwrap_or(0);
        self.symbols.get(first..last).is_some_and(|inner| !inner.iter().all(is_digit))
    }
}

/// The best paths, best first, at most `k_best` of every number of digits. `scores` has one entry an edge; where
/// one is missing, nothing is written. Empty where no path leads through.
pub(super) fn best_paths(field: &Field, lattice: &Lattice, scores: &[EdgeScores], params: &LatticeParams) -> Vec<Path> {
    let Some(last) = lattice.n_nodes.checked_sub(1) else { return Vec::new() };
    // [node][digits so far]
    let mut beams: Vec<Vec<Vec<Path>>> = vec![vec![Vec::new(); MAX_DIGITS + 1]; lattice.n_nodes];
    beams[0][0].push(Path::EMPTY);
    for i in in_order(lattice) {
        let edge = &lattice.edges[i];
        let readings = readings(field, edge, scores.get(i).copied().unwrap_or_default(), params);
        // an edge leads on, and all that reach a node come before those that leave it
        let (before, behind) = beams.split_at_mut(edge.to);
        for (n, paths) in before[edge.from].iter().enumerate() {
            for path in paths {
                for reading in &readings {
                    let n_then = n + usize::from(matches!(reading.symbol, Symbol::Digit(_)));
                    if let Some(beam) = behind[0].get_mut(n_then) {
                        keep(beam, path, reading, params.k_best);
                    }
                }
            }
        }
    }
    let mut paths: Vec<Path> = beams.swap_remove(last).into_iter().flatten().collect();
    for path in &mut paths {
        path.score += filler_prior(path, params);
    }
    paths.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.digits().cmp(&b.digits())));
    paths
}

/// Of each edge, whether a path leads over it that is worse than the best one by `margin` at most, in log score. `scores` as
/// for [`best_paths`].
pub(super) fn likely_edges(
    field: &Field,
    lattice: &Lattice,
    scores: &[EdgeScores],
    margin: f32,
    params: &LatticeParams,
) -> Vec<bool> {
    let gain = |i: usize| {
        let readings = readings(field, &lattice.edges[i], scores.get(i).copied().unwrap_or_default(), params);
        readings.iter().map(|reading| reading.weighted_log + reading.log_prior).fold(f32::NEG_INFINITY, f32::max)
    };
    edges_within(lattice, gain, margin)
}

/// Of each edge, whether a path leads over it that is worse than the best one by `margin` at most. The score of a path is the sum of the
/// `gain` of its edges; no path leads over an edge whose gain is minus infinity. All false where no path leads through.
pub(super) fn edges_within(lattice: &Lattice, gain: impl Fn(usize) -> f32, margin: f32) -> Vec<bool> {
    let steps: Vec<(usize, f32)> = in_order(lattice).into_iter().map(|i| (i, gain(i))).collect();
    // of the best way to each node, and of the best way on from it
    let (mut to_node, mut from_node) =
        (vec![f32::NEG_INFINITY; lattice.n_nodes], vec![f32::NEG_INFINITY; lattice.n_nodes]);
    let mut likely = vec![false; lattice.edges.len()];
    let (Some(first), Some(last)) = (to_node.first_mut(), from_node.last_mut()) else { return likely };
    (*first, *last) = (0.0, 0.0);
    for &(i, gain) in &steps {
        let LatticeEdge { from, to, .. } = lattice.edges[i];
        to_node[to] = to_node[to].max(to_node[from] + gain);
    }
    for &(i, gain) in steps.iter().rev() {
        let LatticeEdge { from, to, .. } = lattice.edges[i];
        from_node[from] = from_node[from].max(gain + from_node[to]);
    }
    let least = from_node[0] - margin;
    for (i, gain) in steps {
        let LatticeEdge { from, to, .. } = lattice.edges[i];
        let of_path = to_node[from] + gain + from_node[to];
        likely[i] = of_path > f32::NEG_INFINITY && of_path >= least;
    }
    likely
}

/// One edge of a path, and its symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub edge_idx: usize,
    pub symbol: Symbol,
}

/// The best path whose digits are `digits` and has fillers or none, from left to right. `None` where there is no such path. `scores`
/// as for [`best_paths`].
pub(super) fn path_of(
    field: &Field,
    lattice: &Lattice,
    scores: &[EdgeScores],
    digits: &str,
    has_filler: bool,
    params: &LatticeParams,
) -> Option<Vec<Step>> {
    let last = lattice.n_nodes.checked_sub(1)?;
    let digits: Vec<Symbol> = digits.bytes().map(|digit| Symbol::Digit(digit.saturating_sub(b'0'))).collect();
    // [node][digits so far][whether there was a filler]: the path's score, and its steps
    type Best = Option<(f32, Vec<Step>)>;
    let mut best: Vec<Vec<[Best; 2]>> = vec![vec![[None, None]; digits.len() + 1]; lattice.n_nodes];
    best[0][0][0] = Some((0.0, Vec::new()));
    for edge_idx in in_order(lattice) {
        let edge = &lattice.edges[edge_idx];
        for reading in readings(field, edge, scores.get(edge_idx).copied().unwrap_or_default(), params) {
            let (symbol, gain) = (reading.symbol, reading.weighted_log + reading.log_prior);
            for (n, had_filler) in (0..=digits.len()).flat_map(|n| [(n, false), (n, true)]) {
                let Some((score, steps)) = &best[edge.from][n][usize::from(had_filler)] else { continue };
                let is_digit = matches!(symbol, Symbol::Digit(_));
                if is_digit && digits.get(n) != Some(&symbol) {
                    continue;
                }
                let (score, steps) = (score + gain, [steps.as_slice(), &[Step { edge_idx, symbol }]].concat());
                let there =
                    &mut best[edge.to][n + usize::from(is_digit)][usize::from(had_filler || is_filler(&symbol))];
                if there.as_ref().is_none_or(|(other, _)| score > *other) {
                    *there = Some((score, steps));
                }
            }
        }
    }
    best[last][digits.len()][usize::from(has_filler)].take().map(|(_, steps)| steps)
}

/// Indices of the edges, those that leave a node after all that reach it; without those that lead back or out of the lattice.
fn in_order(lattice: &Lattice) -> Vec<usize> {
    let leads_on = |&i: &usize| lattice.edges[i].from < lattice.edges[i].to && lattice.edges[i].to < lattice.n_nodes;
    let mut order: Vec<usize> = (0..lattice.edges.len()).filter(leads_on).collect();
    order.sort_by_key(|&i| (lattice.edges[i].from, lattice.edges[i].to));
    order
}

fn is_filler(symbol: &Symbol) -> bool {
    matches!(symbol, Symbol::Filler | Symbol::UnknownFiller)
}

/// Log prior of the fillers' positions.
fn filler_prior(path: &Path, params: &LatticeParams) -> f32 {
    let is_digit = |s: &Symbol| matches!(s, Symbol::Digit(_));
    let Some(first) = path.symbols.iter().position(is_digit) else { return 0.0 };
    let last = path.symbols.iter().rposition(is_digit).unwrap_or(first);
    let fillers = |symbols: &[Symbol]| symbols.iter().filter(|s| is_filler(s)).count() as f32;
    params.inner_filler_log * fillers(&path.symbols[first..last])
        + params.trailing_filler_log * fillers(&path.symbols[last..])
}

/// A possible reading of an edge.
struct EdgeReading {
    symbol: Symbol,
    probability: f32,
    /// Logarithm of the probability, weighted by the pieces that the edge covers.
    weighted_log: f32,
    log_prior: f32,
}

/// The possible readings of an edge.
fn readings(field: &Field, edge: &LatticeEdge, scores: EdgeScores, params: &LatticeParams) -> Vec<EdgeReading> {
    let weight = (edge.to - edge.from) as f32;
    let reading = |symbol: Symbol, probability: f32| EdgeReading {
        symbol,
        probability,
        weighted_log: weight * probability.max(MIN_PROBABILITY).ln(),
        log_prior: edge.log_prior,
    };
    let scores = match scores {
        EdgeScores::Scored(scores) if edge.crop.is_some() => scores,
        EdgeScores::Unscored => return Vec::new(),
        EdgeScores::Scored(_) | EdgeScores::Empty => return vec![reading(Symbol::Nothing, 1.0)],
    };
    let mut digits: [usize; 10] = std::array::from_fn(|digit| digit);
    digits.sort_by(|&a, &b| scores.digit(b).total_cmp(&scores.digit(a)).then(a.cmp(&b)));
    let mut readings: Vec<EdgeReading> = digits[..params.digits_per_edge.min(digits.len())]
        .iter()
        .map(|&d| reading(Symbol::Digit(d as u8), scores.digit(d)))
        .collect();
    for filler in &field.fillers {
        let class = match filler {
            Filler::Cross => GlyphClass::Cross,
            Filler::Dash => GlyphClass::Dash,
        };
        readings.push(reading(Symbol::Filler, scores.class(class)));
    }
    if !field.fillers.is_empty() {
        readings.push(reading(Symbol::UnknownFiller, params.unknown_filler_prior * scores.class(GlyphClass::Other)));
    }
    if matches!(field.layout, FieldLayout::Box { .. }) {
        let no_digit = reading(Symbol::Nothing, scores.sign());
        readings.push(EdgeReading { log_prior: edge.log_prior + params.large_punctuation_log, ..no_digit });
    }
    readings
}

/// Adds `path`, extended by `reading`, to a beam of the best, best first; of paths with the same digits only the best stays.
fn keep(beam: &mut Vec<Path>, path: &Path, reading: &EdgeReading, k_best: usize) {
    let score = path.score + reading.weighted_log + reading.log_prior;
    if beam.len() >= k_best && beam.last().is_none_or(|worst| worst.score >= score) {
        return;
    }
    let (text, has_filler) = match reading.symbol {
        Symbol::Digit(digit) => (path.text << 4 | u128::from(digit), path.has_filler),
        symbol => (path.text, path.has_filler || is_filler(&symbol)),
    };
    if let Some(same) = beam.iter().position(|p| p.has_filler == has_filler && p.text == text) {
        if beam[same].score >= score {
            return;
        }
        beam.remove(same);
    }
    let mut symbols = Vec::with_capacity(path.symbols.len() + 1);
    symbols.extend_from_slice(&path.symbols);
    symbols.push(reading.symbol);
    let at = beam.partition_point(|p| p.score >= score);
    beam.truncate(k_best.saturating_sub(1));
    let probability = path.probability * reading.probability;
    beam.insert(at, Path { symbols, text, has_filler, score, probability });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::tests::{edge, empty, field, glyph};

    #[test]
    fn best_paths_of_one_piece_or_two_follow_the_scores() {
        // Pieces a and b; b is sure to be a 7, a is poor alone, both together are a good 4.
        let edges = vec![edge(0, 1), edge(0, 2), edge(1, 2)];
        let lattice = Lattice { n_nodes: 3, edges, ..Lattice::default() };
        let scores = [glyph(1, 0.3), glyph(4, 0.95), glyph(7, 0.9)].map(EdgeScores::Scored);
        let paths = best_paths(&field(1, 9), &lattice, &scores, &LatticeParams::default());
        assert_eq!(paths[0].digits(), "4");
        assert_eq!(paths.iter().find(|p| p.digits().len() == 2).map(Path::digits).as_deref(), Some("17"));
    }

    #[test]
    fn likely_edges_excludes_paths_far_worse_than_the_best() {
        let edges = vec![edge(0, 1), edge(0, 2), edge(1, 2)];
        let lattice = Lattice { n_nodes: 3, edges, ..Lattice::default() };
        let likely = |whole: f32, margin: f32| {
            let scores = [glyph(1, 0.9), glyph(4, whole), glyph(7, 0.9)].map(EdgeScores::Scored);
            likely_edges(&field(1, 9), &lattice, &scores, margin, &LatticeParams::default())
        };
        assert_eq!(likely(0.9, 2.0), [true; 3], "two pieces of 0.9 are as likely as both together");
        assert_eq!(likely(0.12, 2.0), [true, false, true]);
        assert_eq!(likely(0.12, 9.0), [true; 3]);
        assert!(likely_edges(&field(1, 9), &Lattice::default(), &[], 1.0, &LatticeParams::default()).is_empty());
    }

    #[test]
    fn path_of_a_text_lists_its_edges() {
        let edges = vec![edge(0, 1), edge(0, 2), edge(1, 2)];
        let lattice = Lattice { n_nodes: 3, edges, ..Lattice::default() };
        let scores = [glyph(1, 0.3), glyph(4, 0.95), glyph(7, 0.9)].map(EdgeScores::Scored);
        let path = |digits, has_filler| {
            let steps = path_of(&field(1, 9), &lattice, &scores, digits, has_filler, &LatticeParams::default())?;
            Some(steps.iter().map(|step| step.edge_idx).collect::<Vec<usize>>())
        };
        assert_eq!((path("4", false), path("17", false)), (Some(vec![1]), Some(vec![0, 2])));
        assert_eq!((path("4", true), path("444", false)), (None, None));
        assert_eq!(path_of(&field(1, 9), &Lattice::default(), &[], "1", false, &LatticeParams::default()), None);
    }

    #[test]
    fn best_paths_are_sorted_and_distinct() {
        let lattice = Lattice { n_nodes: 3, edges: vec![edge(0, 1), edge(1, 2)], ..Lattice::default() };
        let paths = best_paths(
            &field(1, 9),
            &lattice,
            &[glyph(1, 0.8), glyph(2, 0.7)].map(EdgeScores::Scored),
            &LatticeParams::default(),
        );
        assert!(paths.windows(2).all(|w| w[0].score >= w[1].score));
        let mut texts: Vec<_> = paths.iter().map(|p| (p.digits(), p.has_filler)).collect();
        let n = texts.len();
        texts.sort();
        texts.dedup();
        assert!(n > 2 && texts.len() == n, "{n}");
    }

    #[test]
    fn best_paths_of_a_disconnected_lattice_are_none() {
        for lattice in [
            Lattice::default(),
            Lattice { n_nodes: 3, edges: vec![edge(0, 1)], ..Lattice::default() },
            Lattice { n_nodes: 2, edges: vec![edge(1, 0), edge(0, 7)], ..Lattice::default() },
        ] {
            let scores = vec![EdgeScores::Scored(glyph(1, 0.9)); lattice.edges.len()];
            assert!(best_paths(&field(1, 9), &lattice, &scores, &LatticeParams::default()).is_empty());
        }
    }

    #[test]
    fn best_paths_of_a_long_lattice_have_bounded_length() {
        let n = 200;
        let edges = (0..n).map(|i| edge(i, i + 1)).chain((0..n).map(|i| empty(i, i + 1))).collect();
        let scores: Vec<_> =
            (0..n).map(|i| EdgeScores::Scored(glyph(i % 10, 0.9))).chain((0..n).map(|_| EdgeScores::Empty)).collect();
        let paths = best_paths(
            &field(1, 9),
            &Lattice { n_nodes: n + 1, edges, ..Lattice::default() },
            &scores,
            &LatticeParams::default(),
        );
        assert!(!paths.is_empty() && paths.iter().all(|p| p.digits().len() <= MAX_DIGITS));
    }
}
