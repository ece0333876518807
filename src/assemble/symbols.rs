//! A strip's columns -> the texts that they may say.

use std::collections::{BTreeMap, BTreeSet};

use crate::net::{Columns, FIRST_DIGIT, NO_SYMBOL, SCRIBBLE, StripScores};

/// Beginnings of texts that are followed from column to column.
const BEAM: usize = 24;

/// Symbols less likely than this in a column are not followed, natural logarithm.
const LEAST_LOG: f32 = -9.0;

/// The least that one view can say of a text, natural logarithm: it alone does not rule it out.
const LEAST_OF_VIEW: f64 = -40.0;

/// Stands in a text for what cannot be read.
pub(super) const UNREADABLE: char = '?';

/// What a strip may say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StripText {
    /// ASCII digits and [`UNREADABLE`].
    pub text: String,
    /// Natural logarithm of its probability, over all ways to spread it over the columns.
    pub log_probability: f64,
}

/// Log probabilities of all ways to a text, by what the last column says.
#[derive(Clone, Copy)]
struct Ways {
    /// Its last symbol.
    symbol: f64,
    /// No symbol.
    none: f64,
}

impl Ways {
    const NONE: Self = Self { symbol: f64::NEG_INFINITY, none: f64::NEG_INFINITY };

    fn all(self) -> f64 {
        log_sum(self.symbol, self.none)
    }
}

/// The likeliest texts by all views together, likeliest first. None of a strip without columns.
pub(super) fn best_texts(scores: &StripScores) -> Vec<StripText> {
    let [view] = scores.views.as_slice() else {
        let found: BTreeSet<String> = scores.views.iter().flat_map(best_of_view).map(|found| found.text).collect();
        let weigh = |text: String| StripText { log_probability: log_probability(scores, &text), text };
        return sorted(found.into_iter().map(weigh).collect());
    };
    best_of_view(view)
}

fn sorted(mut texts: Vec<StripText>) -> Vec<StripText> {
    texts.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability).then_with(|| a.text.cmp(&b.text)));
    texts
}

/// The likeliest texts by one view, likeliest first: prefix search of a beam (Graves, "Sequence transduction with recurrent
/// neural networks", 2012; Hannun et al., "First-pass large vocabulary continuous speech recognition", 2014).
fn best_of_view(columns: &Columns) -> Vec<StripText> {
    if columns.is_empty() {
        return Vec::new();
    }
    let mut beam: BTreeMap<String, Ways> = BTreeMap::from([(String::new(), Ways { none: 0.0, ..Ways::NONE })]);
    for column in columns {
        let mut next: BTreeMap<String, Ways> = BTreeMap::new();
        let mut add = |text: String, ways: Ways| {
            let sum = next.entry(text).or_insert(Ways::NONE);
            *sum = Ways { symbol: log_sum(sum.symbol, ways.symbol), none: log_sum(sum.none, ways.none) };
        };
        for (text, ways) in &beam {
            let last = text.chars().next_back();
            add(text.clone(), Ways { none: ways.all() + f64::from(column[NO_SYMBOL]), ..Ways::NONE });
            let likely = column.iter().enumerate().skip(FIRST_DIGIT).filter(|(_, log)| **log >= LEAST_LOG);
            for (symbol, &log) in likely {
                let (log, sign) = (f64::from(log), sign(symbol));
                let is_same = last == Some(sign);
                if is_same {
                    add(text.clone(), Ways { symbol: ways.symbol + log, ..Ways::NONE });
                }
                // the same symbol twice needs a column between that says none
                let before = if is_same { ways.none } else { ways.all() };
                if before > f64::NEG_INFINITY {
                    add(format!("{text}{sign}"), Ways { symbol: before + log, ..Ways::NONE });
                }
            }
        }
        let mut ranked: Vec<(String, Ways)> = next.into_iter().collect();
        ranked.sort_by(|a, b| b.1.all().total_cmp(&a.1.all()).then_with(|| a.0.cmp(&b.0)));
        ranked.truncate(BEAM);
        beam = ranked.into_iter().collect();
    }
    let text = |(text, ways): (String, Ways)| StripText { text, log_probability: ways.all() };
    sorted(beam.into_iter().map(text).collect())
}

/// Natural logarithm of the probability of one text of ASCII digits and [`UNREADABLE`], over all ways to spread it over the
/// columns: the mean of what the views say. Minus infinity of no view.
pub(super) fn log_probability(scores: &StripScores, text: &str) -> f64 {
    let symbols: Vec<usize> = text.bytes().map(symbol).collect();
    let by_view = scores.views.iter().map(|columns| log_probability_of(columns, &symbols).max(LEAST_OF_VIEW));
    let n_views = scores.views.len();
    let sum: f64 = by_view.sum();
    if n_views == 0 { f64::NEG_INFINITY } else { sum / n_views as f64 }
}

/// The forward variables of Graves et al., "Connectionist temporal classification", ICML 2006, section 4.1.
fn log_probability_of(columns: &Columns, symbols: &[usize]) -> f64 {
    // none, first symbol, none, second symbol, ..., none
    let state_symbol = |state: usize| if state.is_multiple_of(2) { NO_SYMBOL } else { symbols[state / 2] };
    let n_states = 2 * symbols.len() + 1;
    let mut forward = vec![f64::NEG_INFINITY; n_states];
    for (i, column) in columns.iter().enumerate() {
        let before = forward.clone();
        for state in 0..n_states {
            let mut ways = if i == 0 { if state < 2 { 0.0 } else { f64::NEG_INFINITY } } else { before[state] };
            if i > 0 && state >= 1 {
                ways = log_sum(ways, before[state - 1]);
            }
            if i > 0 && state >= 2 && state % 2 == 1 && state_symbol(state) != state_symbol(state - 2) {
                ways = log_sum(ways, before[state - 2]);
            }
            forward[state] = ways + f64::from(column[state_symbol(state)]);
        }
    }
    let last_symbol = if n_states >= 2 { forward[n_states - 2] } else { f64::NEG_INFINITY };
    log_sum(forward[n_states - 1], last_symbol)
}

fn symbol(sign: u8) -> usize {
    if sign == UNREADABLE as u8 { SCRIBBLE } else { FIRST_DIGIT + usize::from(sign.saturating_sub(b'0')).min(9) }
}

fn sign(symbol: usize) -> char {
    if symbol == SCRIBBLE { UNREADABLE } else { char::from(b'0' + (symbol - FIRST_DIGIT) as u8) }
}

/// ln(exp(a) + exp(b)).
pub(super) fn log_sum(a: f64, b: f64) -> f64 {
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::net::N_SYMBOLS;

    /// Columns that say, one after the other, a symbol of the text with `probability`; `_` says none.
    pub(in crate::assemble) fn saying(text: &str, probability: f32) -> StripScores {
        let column = |sign: char| {
            let symbol = match sign {
                '_' => NO_SYMBOL,
                '?' => SCRIBBLE,
                digit => FIRST_DIGIT + digit as usize - '0' as usize,
            };
            let mut column = [((1.0 - probability) / (N_SYMBOLS - 1) as f32).ln(); N_SYMBOLS];
            column[symbol] = probability.ln();
            column
        };
        StripScores { views: vec![text.chars().map(column).collect()] }
    }

    #[test]
    fn repeated_columns_are_one_digit_and_a_gap_parts_two() {
        for (columns, text) in [("_11_2__", "12"), ("1_1", "11"), ("____", ""), ("_3?_", "3?"), ("0_0_00_", "000")] {
            let texts = best_texts(&saying(columns, 0.9));
            assert_eq!(texts[0].text, text, "{columns}");
            assert!(texts.windows(2).all(|pair| pair[0].log_probability >= pair[1].log_probability));
        }
        assert!(best_texts(&StripScores::default()).is_empty());
    }

    #[test]
    fn the_beam_and_the_forward_sum_agree() {
        let scores = saying("_1_27_", 0.8);
        for found in best_texts(&scores).iter().filter(|found| !found.text.contains('?')).take(5) {
            let sum = log_probability(&scores, &found.text);
            assert!((sum - found.log_probability).abs() < 0.05, "{found:?}: {sum}");
        }
    }

    #[test]
    fn views_that_do_not_agree_are_weighed_against_each_other() {
        let (sure, unsure) = (saying("_1_7_", 0.95), saying("_1_1_", 0.6));
        let both = StripScores { views: [sure.views, unsure.views].concat() };
        let texts = best_texts(&both);
        assert_eq!((texts[0].text.as_str(), texts[1].text.as_str()), ("17", "11"));
        for found in &texts {
            assert_eq!(found.log_probability, log_probability(&both, &found.text));
        }
    }

    #[test]
    fn all_texts_together_are_certain() {
        let scores = saying("_4_", 0.9);
        let mut sum = 0.0;
        for found in best_texts(&scores) {
            sum += found.log_probability.exp();
        }
        assert!(sum > 0.8 && sum <= 1.0 + 1e-6, "{sum}");
    }

    #[test]
    fn a_text_longer_than_its_columns_is_impossible() {
        assert_eq!(log_probability(&saying("12", 0.9), "123"), LEAST_OF_VIEW);
        assert_eq!(log_probability(&saying("11", 0.9), "11"), LEAST_OF_VIEW);
        assert_eq!(log_probability(&StripScores::default(), "1"), f64::NEG_INFINITY);
    }
}
