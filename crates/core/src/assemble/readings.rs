//! The candidate readings of a field, from the lattice and from the strip, each scored by both.
//!
//! The lattice cuts the ink into glyphs and takes the best paths through the [`Lattice`]. The strip reads the ink as a whole,
//! column by column. They err on different fields: a wrong cut does not mislead the strip, an unusual gap not the lattice.

use std::collections::BTreeMap;

use super::{
    FieldScores,
    grammar::{self, SignSet, UNREADABLE, allowed},
    lattice::{Path, best_paths},
    params::{AssembleParams, CombinationParams},
    point::{Decimals, decimals},
    symbols::{StripReading, log_sum},
};
use crate::{
    form::{Field, FieldLayout},
    scores::Sign,
    segment::Lattice,
};

/// One reading of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// ASCII digits; empty where there are only fillers.
    pub digits: String,
    /// Whether there are fillers beside them.
    pub has_filler: bool,
    /// Whether there is an empty cell or a filler between two digits.
    pub has_inner_gap: bool,
    /// Whether a filler is of an unknown form.
    pub has_unknown_filler: bool,
    /// Whether it has a minus.
    pub is_negative: bool,
    /// Where its decimal point is.
    pub decimals: Decimals,
    /// Log score from lattice and strip together.
    pub score: f64,
    /// Natural logarithms of how likely it is by each way that these symbols, and nothing else, are written.
    pub lattice_log: f64,
    /// `None` where the ink was not read as a whole.
    pub strip_log: Option<f64>,
}

/// The candidate readings of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidates {
    /// Best first.
    pub readings: Vec<Candidate>,
    /// Log score of the field being unreadable: a scribble, a digit struck out.
    pub unreadable: f64,
    /// Whether the most likely text with an unreadable part also has digits.
    pub has_digits_beside: bool,
    /// Log score of there being signs that no number of the field's kind has.
    pub not_a_number: f64,
    /// The most likely text with such a sign, from left to right; empty where there is none.
    pub as_written: String,
}

/// The candidate readings of a field.
pub(super) fn candidates(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    params: &AssembleParams,
) -> Candidates {
    let CombinationParams { lattice_weight_comb, lattice_weight_box, min_lattice_log, min_strip_log } =
        params.combination;
    let lattice_weight = match field.layout {
        FieldLayout::Comb { .. } => lattice_weight_comb,
        FieldLayout::Box { .. } => lattice_weight_box,
    };
    let paths = best_paths(field, lattice, &scores.edges, &params.lattice);
    let has_strip = !scores.strip.views.is_empty();
    let all = paths.iter().fold(f64::NEG_INFINITY, |sum, path| log_sum(sum, f64::from(path.score)));
    // by digits and whether there are fillers: the best path, and the log share of all paths to them
    let mut found: BTreeMap<(String, bool), (Option<&Path>, f64)> = BTreeMap::new();
    for path in &paths {
        let entry = found.entry((path.digits(), path.has_filler)).or_insert((None, f64::NEG_INFINITY));
        entry.0.get_or_insert(path);
        entry.1 = log_sum(entry.1, f64::from(path.score) - all);
    }
    let mut unreadable = f64::NEG_INFINITY;
    let (mut not_a_number, mut as_written) = (f64::NEG_INFINITY, String::new());
    let mut has_digits_beside = None;
    let silent = allowed(field, lattice);
    let strip = StripReading::new(&scores.strip, silent, &params.ctc);
    for read in strip.best_texts() {
        if read.text.contains(UNREADABLE) {
            unreadable = log_sum(unreadable, read.log_probability);
            has_digits_beside.get_or_insert(read.text.chars().any(|sign| sign != UNREADABLE));
        } else if read.text.chars().any(|character| Sign::of(character).is_some()) {
            not_a_number = log_sum(not_a_number, read.log_probability);
            if as_written.is_empty() {
                as_written = grammar::as_written(&read.text);
            }
        } else if !found.keys().any(|(digits, _)| *digits == read.text) {
            found.insert((read.text, false), (None, min_lattice_log));
        }
    }
    // where signs say nothing, a text with all of them shows whether they are where they may be
    if silent != SignSet::ALL && strip.has_silent() {
        let written = StripReading::new(&scores.strip, SignSet::NONE, &params.ctc);
        for read in written.best_texts() {
            let is_allowed = |c: char| Sign::of(c).is_none_or(|sign| silent.contains(sign));
            if read.text.chars().all(is_allowed) && !grammar::fits(field, &read.text) {
                not_a_number = log_sum(not_a_number, read.log_probability);
                if as_written.is_empty() {
                    as_written = grammar::as_written(&read.text);
                }
            }
        }
    }
    let candidate = |((digits, has_filler), (path, share)): ((String, bool), (Option<&Path>, f64))| {
        let strip_log = has_strip.then(|| strip.log_probability(&digits));
        let score = match strip_log {
            Some(strip_log) => lattice_weight * share.max(min_lattice_log) + strip_log.max(min_strip_log),
            None => share,
        };
        let has_inner_gap = path.is_some_and(Path::has_inner_gap);
        let has_unknown_filler = path.is_some_and(Path::has_unknown_filler);
        let lattice_log = path.map_or(f64::NEG_INFINITY, |path| f64::from(path.probability).ln());
        Candidate {
            decimals: decimals(field, lattice, scores, &digits, has_filler, &params.lattice),
            digits,
            has_filler,
            has_inner_gap,
            has_unknown_filler,
            is_negative: lattice.signs.is_negative,
            score,
            lattice_log,
            strip_log,
        }
    };
    let mut readings: Vec<Candidate> = found.into_iter().map(candidate).collect();
    readings.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.digits.cmp(&b.digits)));
    // no path through the lattice has these texts
    let by_lattice = lattice_weight * min_lattice_log;
    Candidates {
        readings,
        unreadable: by_lattice + unreadable,
        has_digits_beside: has_digits_beside.unwrap_or(false),
        not_a_number: by_lattice + not_a_number,
        as_written,
    }
}
