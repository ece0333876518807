//! The best paths through a lattice: k-best Viterbi over nodes and counts of digits (Huang and Chiang, Better k-best
//! parsing, 2005, in its simplest form).

use crate::{
    form::{Field, FieldLayout, Filler},
    net::{GlyphClass, GlyphScores},
    segment::{Lattice, LatticeEdge},
};

/// Readings kept for every node and count of digits.
const K_BEST: usize = 6;

/// Digits tried for an edge: the likeliest ones.
const DIGITS_TRIED: usize = 3;

/// Most digits on a path, whatever the field says: what is longer is no number.
const MAX_DIGITS: usize = 32;

/// Least probability, lest a logarithm be infinite.
const LEAST_PROBABILITY: f32 = 1e-6;

/// Log prior of a filler to the right of a digit, and of one between two digits.
const TRAILING_FILLER: f32 = -1.0;
const INNER_FILLER: f32 = -4.0;

/// Share of what is no digit, and no filler to the net, that is one all the same where fillers are usual. The rest is struck
/// out or scribbled.
const ODD_FILLERS: f32 = 0.1;

/// Log prior of ink in a box being punctuation though it is as large as a digit: a dash or a flourish behind an amount.
const LARGE_PUNCTUATION: f32 = -2.0;

/// What stands on one edge of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A digit, 0 to 9.
    Digit(u8),
    /// A filler that the template declares.
    Filler,
    /// What is no digit and no filler to the net, where fillers are usual: one of an unusual hand, or something struck out.
    OddFiller,
    /// Nothing: an empty cell, or ink that is skipped.
    Nothing,
}

/// A path from the lattice's first node to its last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    /// From left to right, one an edge.
    pub symbols: Vec<Symbol>,
    /// Logarithm of how good it is: of every edge the log probability of its symbol, weighted by the pieces it covers so
    /// that long and short paths compare, and its prior.
    pub score: f32,
    /// Product of the symbols' probabilities.
    pub probability: f32,
}

impl Path {
    /// The digits, as text.
    pub fn digits(&self) -> String {
        let digit = |symbol: &Symbol| if let Symbol::Digit(d) = symbol { Some(char::from(b'0' + d)) } else { None };
        self.symbols.iter().filter_map(digit).collect()
    }

    /// Whether there is a filler, odd or not.
    pub fn has_filler(&self) -> bool {
        self.symbols.iter().any(is_filler)
    }

    /// Whether there is an odd filler.
    pub fn has_odd_filler(&self) -> bool {
        self.symbols.contains(&Symbol::OddFiller)
    }

    /// Whether an empty cell or a filler stands between two digits.
    pub fn has_inner_gap(&self) -> bool {
        let is_digit = |s: &Symbol| matches!(s, Symbol::Digit(_));
        let first = self.symbols.iter().position(is_digit).unwrap_or(0);
        let last = self.symbols.iter().rposition(is_digit).unwrap_or(0);
        self.symbols.get(first..last).is_some_and(|inner| !inner.iter().all(is_digit))
    }
}

/// The best paths, best first, at most [`K_BEST`] of every count of digits. `scores` has one entry an edge, `None`
/// where nothing is written there; missing entries count as such. Empty where no path leads through.
pub(super) fn best_paths(field: &Field, lattice: &Lattice, scores: &[Option<GlyphScores>]) -> Vec<Path> {
    let Some(last) = lattice.n_nodes.checked_sub(1) else { return Vec::new() };
    // [node][digits so far]
    let mut beams: Vec<Vec<Vec<Path>>> = vec![vec![Vec::new(); MAX_DIGITS + 1]; lattice.n_nodes];
    beams[0][0].push(Path { symbols: Vec::new(), score: 0.0, probability: 1.0 });
    for i in in_order(lattice) {
        let edge = &lattice.edges[i];
        let readings = readings(field, edge, scores.get(i).copied().flatten());
        for n in 0..=MAX_DIGITS {
            // What is longer than the beam cannot leave this node any more: its edges come in order.
            let paths = beams[edge.from][n].clone();
            for path in &paths {
                for &(symbol, probability, prior) in &readings {
                    let n_then = n + usize::from(matches!(symbol, Symbol::Digit(_)));
                    if n_then <= MAX_DIGITS {
                        keep(&mut beams[edge.to][n_then], extended(path, edge, symbol, probability, prior));
                    }
                }
            }
        }
    }
    let mut paths: Vec<Path> = beams.swap_remove(last).into_iter().flatten().collect();
    for path in &mut paths {
        path.score += filler_prior(path);
    }
    paths.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.digits().cmp(&b.digits())));
    paths
}

/// One edge of a path, and what stands on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub edge_idx: usize,
    pub symbol: Symbol,
}

/// The best path that says `digits` and has fillers or none, from left to right. `None` where there is no such path. `scores`
/// as for [`best_paths`].
pub(super) fn path_of(
    field: &Field,
    lattice: &Lattice,
    scores: &[Option<GlyphScores>],
    digits: &str,
    has_filler: bool,
) -> Option<Vec<Step>> {
    let last = lattice.n_nodes.checked_sub(1)?;
    let digits: Vec<Symbol> = digits.bytes().map(|digit| Symbol::Digit(digit.saturating_sub(b'0'))).collect();
    // [node][digits so far][whether there was a filler]: the path's score, and its steps
    type Best = Option<(f32, Vec<Step>)>;
    let mut best: Vec<Vec<[Best; 2]>> = vec![vec![[None, None]; digits.len() + 1]; lattice.n_nodes];
    best[0][0][0] = Some((0.0, Vec::new()));
    for edge_idx in in_order(lattice) {
        let edge = &lattice.edges[edge_idx];
        for (symbol, probability, prior) in readings(field, edge, scores.get(edge_idx).copied().flatten()) {
            let weight = (edge.to - edge.from) as f32;
            let gain = weight * probability.max(LEAST_PROBABILITY).ln() + prior;
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
    matches!(symbol, Symbol::Filler | Symbol::OddFiller)
}

/// Log prior of where the fillers stand.
fn filler_prior(path: &Path) -> f32 {
    let is_digit = |s: &Symbol| matches!(s, Symbol::Digit(_));
    let Some(first) = path.symbols.iter().position(is_digit) else { return 0.0 };
    let last = path.symbols.iter().rposition(is_digit).unwrap_or(first);
    let fillers = |symbols: &[Symbol]| symbols.iter().filter(|s| is_filler(s)).count() as f32;
    INNER_FILLER * fillers(&path.symbols[first..last]) + TRAILING_FILLER * fillers(&path.symbols[last..])
}

/// What an edge may be: symbol, probability, log prior.
fn readings(field: &Field, edge: &LatticeEdge, scores: Option<GlyphScores>) -> Vec<(Symbol, f32, f32)> {
    let (Some(scores), true) = (scores, edge.crop.is_some()) else {
        return vec![(Symbol::Nothing, 1.0, edge.log_prior)];
    };
    let mut digits: Vec<usize> = (0..10).collect();
    digits.sort_by(|&a, &b| scores.digit(b).total_cmp(&scores.digit(a)).then(a.cmp(&b)));
    let mut readings: Vec<(Symbol, f32, f32)> =
        digits[..DIGITS_TRIED].iter().map(|&d| (Symbol::Digit(d as u8), scores.digit(d), edge.log_prior)).collect();
    for filler in &field.fillers {
        let class = match filler {
            Filler::Cross => GlyphClass::Cross,
            Filler::Dash => GlyphClass::Dash,
        };
        readings.push((Symbol::Filler, scores.class(class), edge.log_prior));
    }
    if !field.fillers.is_empty() {
        readings.push((Symbol::OddFiller, ODD_FILLERS * scores.class(GlyphClass::Other), edge.log_prior));
    }
    if matches!(field.layout, FieldLayout::Box { .. }) {
        let no_digit = scores.class(GlyphClass::Dash) + scores.class(GlyphClass::Cross);
        readings.push((Symbol::Nothing, no_digit, edge.log_prior + LARGE_PUNCTUATION));
    }
    readings
}

fn extended(path: &Path, edge: &LatticeEdge, symbol: Symbol, probability: f32, prior: f32) -> Path {
    let weight = (edge.to - edge.from) as f32;
    let mut symbols = Vec::with_capacity(path.symbols.len() + 1);
    symbols.extend_from_slice(&path.symbols);
    symbols.push(symbol);
    Path {
        symbols,
        score: path.score + weight * probability.max(LEAST_PROBABILITY).ln() + prior,
        probability: path.probability * probability,
    }
}

/// Adds `path` to a beam of the best, best first; of paths with the same digits only the best stays.
fn keep(beam: &mut Vec<Path>, path: Path) {
    let (digits, has_filler) = (path.digits(), path.has_filler());
    if let Some(same) = beam.iter().position(|p| p.has_filler() == has_filler && p.digits() == digits) {
        if beam[same].score >= path.score {
            return;
        }
        beam.remove(same);
    }
    let at = beam.partition_point(|p| p.score >= path.score);
    beam.insert(at, path);
    beam.truncate(K_BEST);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::tests::{edge, empty, field, glyph};

    #[test]
    fn one_piece_or_two_is_decided_by_the_scores() {
        // Pieces a and b; b is sure to be a 7, a is poor alone, both together are a good 4.
        let edges = vec![edge(0, 1), edge(0, 2), edge(1, 2)];
        let lattice = Lattice { n_nodes: 3, edges, ..Lattice::default() };
        let scores = [glyph(1, 0.3), glyph(4, 0.95), glyph(7, 0.9)].map(Some);
        let paths = best_paths(&field(1, 9), &lattice, &scores);
        assert_eq!(paths[0].digits(), "4");
        assert_eq!(paths.iter().find(|p| p.digits().len() == 2).map(Path::digits).as_deref(), Some("17"));
    }

    #[test]
    fn the_path_of_a_text_is_told_by_its_edges() {
        let edges = vec![edge(0, 1), edge(0, 2), edge(1, 2)];
        let lattice = Lattice { n_nodes: 3, edges, ..Lattice::default() };
        let scores = [glyph(1, 0.3), glyph(4, 0.95), glyph(7, 0.9)].map(Some);
        let path = |digits, has_filler| {
            let steps = path_of(&field(1, 9), &lattice, &scores, digits, has_filler)?;
            Some(steps.iter().map(|step| step.edge_idx).collect::<Vec<usize>>())
        };
        assert_eq!((path("4", false), path("17", false)), (Some(vec![1]), Some(vec![0, 2])));
        assert_eq!((path("4", true), path("444", false)), (None, None));
        assert_eq!(path_of(&field(1, 9), &Lattice::default(), &[], "1", false), None);
    }

    #[test]
    fn paths_come_best_first_and_no_text_twice() {
        let lattice = Lattice { n_nodes: 3, edges: vec![edge(0, 1), edge(1, 2)], ..Lattice::default() };
        let paths = best_paths(&field(1, 9), &lattice, &[Some(glyph(1, 0.8)), Some(glyph(2, 0.7))]);
        assert!(paths.windows(2).all(|w| w[0].score >= w[1].score));
        let mut texts: Vec<_> = paths.iter().map(|p| (p.digits(), p.has_filler())).collect();
        let n = texts.len();
        texts.sort();
        texts.dedup();
        assert!(n > 2 && texts.len() == n, "{n}");
    }

    #[test]
    fn a_lattice_that_leads_nowhere_has_no_path() {
        for lattice in [
            Lattice::default(),
            Lattice { n_nodes: 3, edges: vec![edge(0, 1)], ..Lattice::default() },
            Lattice { n_nodes: 2, edges: vec![edge(1, 0), edge(0, 7)], ..Lattice::default() },
        ] {
            let scores = vec![Some(glyph(1, 0.9)); lattice.edges.len()];
            assert!(best_paths(&field(1, 9), &lattice, &scores).is_empty());
        }
    }

    #[test]
    fn a_long_lattice_ends() {
        let n = 200;
        let edges = (0..n).map(|i| edge(i, i + 1)).chain((0..n).map(|i| empty(i, i + 1))).collect();
        let scores: Vec<_> = (0..n).map(|i| Some(glyph(i % 10, 0.9))).chain((0..n).map(|_| None)).collect();
        let paths = best_paths(&field(1, 9), &Lattice { n_nodes: n + 1, edges, ..Lattice::default() }, &scores);
        assert!(!paths.is_empty() && paths.iter().all(|p| p.digits().len() <= MAX_DIGITS));
    }
}
