//! CTC prefix search: from the columns of a strip to its likely texts.

use std::collections::BTreeSet;

use super::{
    grammar::{SignSet, UNREADABLE},
    params::CtcParams,
};
use crate::scores::{CTC_BLANK, FIRST_DIGIT, FIRST_SIGN, N_SYMBOLS, SCRIBBLE, Sign, StripScores};

/// A possible text of a strip.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StripText {
    /// ASCII digits, characters of [`Sign`] and [`UNREADABLE`].
    pub text: String,
    /// Natural logarithm of its probability, over all ways to spread it over the columns.
    pub log_probability: f64,
}

/// Lower bound of a divisor: a column may exclude every text.
const MIN_SUM: f64 = 1e-300;

/// From this probability in a column on, a sign may be there.
const MIN_SILENT: f64 = 0.02;

/// Smaller sums of probabilities are scaled to 1, so that they do not underflow.
const RESCALE_BELOW: f64 = 1e-100;

/// The views of a strip as probabilities, to be searched for many texts.
#[derive(Debug, Clone)]
pub(super) struct StripReading {
    /// Of each view, of each column, the probabilities of the symbols.
    views: Vec<Vec<[f64; N_SYMBOLS]>>,
    /// The largest probability of a sign that says nothing.
    silent: f64,
    params: CtcParams,
}

/// Probability of all alignments of a prefix, by the symbol of the last column (Hannun et al., 2014).
#[derive(Debug, Clone, Copy, Default)]
struct PrefixScore {
    /// Its last symbol.
    symbol: f64,
    /// The blank.
    none: f64,
}

impl PrefixScore {
    fn total(self) -> f64 {
        self.symbol + self.none
    }
}

/// A prefix of a text: another prefix and one more symbol.
#[derive(Clone, Copy)]
struct Prefix {
    /// Index of the prefix that it extends.
    from: usize,
    /// [`CTC_BLANK`]: it is the empty one.
    last: usize,
    /// Indices of its extensions, by symbol.
    next: [Option<usize>; N_SYMBOLS],
}

/// All prefixes found so far: a tree whose root is empty.
struct PrefixTree(Vec<Prefix>);

impl PrefixTree {
    const EMPTY: usize = 0;

    fn new() -> Self {
        Self(vec![Prefix { from: Self::EMPTY, last: CTC_BLANK, next: [None; N_SYMBOLS] }])
    }

    /// The extension of `from` by `symbol`.
    fn with(&mut self, from: usize, symbol: usize) -> usize {
        let n = self.0.len();
        let found = *self.0[from].next[symbol].get_or_insert(n);
        if found == n {
            self.0.push(Prefix { from, last: symbol, next: [None; N_SYMBOLS] });
        }
        found
    }

    fn text(&self, mut at: usize) -> String {
        let mut signs = Vec::new();
        while at != Self::EMPTY {
            signs.push(character(self.0[at].last));
            at = self.0[at].from;
        }
        signs.iter().rev().collect()
    }
}

impl StripReading {
    /// Of the scores of a strip. Signs of `silent` say nothing in its texts: they count as the blank.
    pub fn new(scores: &StripScores, silent: SignSet, params: &CtcParams) -> Self {
        let mut largest = 0.0f64;
        let mut of_column = |column: &[f32; N_SYMBOLS]| {
            let mut column = column.map(|log| f64::from(log).exp());
            for sign in silent.iter() {
                let probability = std::mem::take(&mut column[sign.symbol()]);
                column[CTC_BLANK] += probability;
                largest = largest.max(probability);
            }
            column
        };
        let views = scores.views.iter().map(|columns| columns.iter().map(&mut of_column).collect()).collect();
        Self { views, silent: largest, params: *params }
    }

    /// Whether there may be a sign that says nothing.
    pub fn has_silent(&self) -> bool {
        self.silent >= MIN_SILENT
    }

    /// The most likely texts by all views together, most likely first. None of a strip without columns.
    pub fn best_texts(&self) -> Vec<StripText> {
        let [view] = self.views.as_slice() else {
            let found: BTreeSet<String> =
                self.views.iter().flat_map(|view| best_of_view(view, &self.params)).map(|found| found.text).collect();
            let weigh = |text: String| StripText { log_probability: self.log_probability(&text), text };
            return sorted(found.into_iter().map(weigh).collect());
        };
        best_of_view(view, &self.params)
    }

    /// Natural logarithm of the probability of one text of ASCII digits, characters of [`Sign`] and [`UNREADABLE`], over all
    /// ways to spread it over the columns: the mean over the views. Minus infinity without views.
    pub fn log_probability(&self, text: &str) -> f64 {
        let symbols: Vec<usize> = text.bytes().map(symbol).collect();
        let by_view =
            self.views.iter().map(|columns| log_probability_of(columns, &symbols).max(self.params.min_view_log));
        let n_views = self.views.len();
        let sum: f64 = by_view.sum();
        if n_views == 0 { f64::NEG_INFINITY } else { sum / n_views as f64 }
    }
}

fn sorted(mut texts: Vec<StripText>) -> Vec<StripText> {
    texts.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability).then_with(|| a.text.cmp(&b.text)));
    texts
}

/// The most likely texts by one view, most likely first: prefix search of a beam (Graves, "Sequence transduction with recurrent
/// neural networks", 2012; Hannun et al., "First-pass large vocabulary continuous speech recognition", 2014). Probabilities
/// are divided by their sum at every column, so that they do not underflow (Rabiner, "A tutorial on hidden Markov models", 1989,
/// section V.A).
fn best_of_view(columns: &[[f64; N_SYMBOLS]], params: &CtcParams) -> Vec<StripText> {
    if columns.is_empty() {
        return Vec::new();
    }
    let mut prefixes = PrefixTree::new();
    let mut beam = vec![(PrefixTree::EMPTY, PrefixScore { none: 1.0, symbol: 0.0 })];
    let mut log_scale = 0.0;
    // index of a prefix in `next`
    let mut places: Vec<Option<usize>> = Vec::new();
    for column in columns {
        // most columns are blank for certain: they add no prefix and keep the order of those that are there
        if column[FIRST_DIGIT..].iter().all(|probability| *probability < params.min_symbol_probability) {
            beam.iter_mut().for_each(|(_, score)| {
                *score = PrefixScore { none: score.total() * column[CTC_BLANK], symbol: 0.0 };
            });
            log_scale += normalised(&mut beam);
            continue;
        }
        let mut next: Vec<(usize, PrefixScore)> = Vec::with_capacity(beam.len() * N_SYMBOLS);
        let mut add = |n_prefixes: usize, prefix: usize, score: PrefixScore| {
            places.resize(n_prefixes.max(places.len()), None);
            let place = *places[prefix].get_or_insert(next.len());
            match next.get_mut(place) {
                Some((_, sum)) => *sum = PrefixScore { symbol: sum.symbol + score.symbol, none: sum.none + score.none },
                None => next.push((prefix, score)),
            }
        };
        for &(prefix, score) in &beam {
            let last = prefixes.0[prefix].last;
            add(prefixes.0.len(), prefix, PrefixScore { none: score.total() * column[CTC_BLANK], symbol: 0.0 });
            for (symbol, &probability) in column.iter().enumerate().skip(FIRST_DIGIT) {
                if probability < params.min_symbol_probability {
                    continue;
                }
                let is_same = last == symbol;
                if is_same {
                    add(prefixes.0.len(), prefix, PrefixScore { symbol: score.symbol * probability, none: 0.0 });
                }
                // a repeated symbol needs a blank column between
                let before = if is_same { score.none } else { score.total() };
                if before > 0.0 {
                    let longer = prefixes.with(prefix, symbol);
                    add(prefixes.0.len(), longer, PrefixScore { symbol: before * probability, none: 0.0 });
                }
            }
        }
        next.iter().for_each(|(prefix, _)| places[*prefix] = None);
        next.sort_by(|a, b| b.1.total().total_cmp(&a.1.total()).then(a.0.cmp(&b.0)));
        next.truncate(params.beam);
        log_scale += normalised(&mut next);
        beam = next;
    }
    let text = |&(prefix, score): &(usize, PrefixScore)| StripText {
        text: prefixes.text(prefix),
        log_probability: log_scale + score.total().ln(),
    };
    sorted(beam.iter().map(text).collect())
}

/// Divides the scores by their sum, and gives its natural logarithm.
fn normalised(beam: &mut [(usize, PrefixScore)]) -> f64 {
    let sum = beam.iter().map(|(_, score)| score.total()).sum::<f64>().max(MIN_SUM);
    beam.iter_mut().for_each(|(_, score)| *score = PrefixScore { symbol: score.symbol / sum, none: score.none / sum });
    sum.ln()
}

/// The forward variables of Graves et al., "Connectionist temporal classification", ICML 2006, section 4.1, divided by their
/// sum where they become small.
fn log_probability_of(columns: &[[f64; N_SYMBOLS]], symbols: &[usize]) -> f64 {
    let Some(first) = columns.first() else { return f64::NEG_INFINITY };
    let n = symbols.len();
    // probability of all alignments of the first k symbols that end with the last of them, or with a blank
    let (mut said, mut none) = (vec![0.0; n], vec![0.0; n + 1]);
    // a repeated symbol needs a blank column between
    let is_other: Vec<bool> = (0..n).map(|k| k > 0 && symbols[k] != symbols[k - 1]).collect();
    none[0] = first[CTC_BLANK];
    if let (Some(said), Some(&symbol)) = (said.first_mut(), symbols.first()) {
        *said = first[symbol];
    }
    let mut log_scale = 0.0;
    for (i, column) in columns.iter().enumerate().skip(1) {
        let mut sum = 0.0;
        // from the last on that so many columns can reach, so that the ways before are still those of the column before
        for k in (0..=n.min(i)).rev() {
            let before = if k > 0 { said[k - 1] } else { 0.0 };
            if k < n {
                let skipping = if is_other[k] { before } else { 0.0 };
                said[k] = (said[k] + none[k] + skipping) * column[symbols[k]];
                sum += said[k];
            }
            none[k] = (none[k] + before) * column[CTC_BLANK];
            sum += none[k];
        }
        if sum < RESCALE_BELOW {
            let sum = sum.max(MIN_SUM);
            said.iter_mut().chain(&mut none).for_each(|ways| *ways /= sum);
            log_scale += sum.ln();
        }
    }
    log_scale + (none[n] + said.last().copied().unwrap_or(0.0)).ln()
}

fn symbol(character: u8) -> usize {
    match Sign::of(char::from(character)) {
        Some(sign) => sign.symbol(),
        None if character == UNREADABLE as u8 => SCRIBBLE,
        None => FIRST_DIGIT + usize::from(character.saturating_sub(b'0')).min(9),
    }
}

/// The character of a symbol of a strip that is not the blank: an ASCII digit, that of a [`Sign`], or [`UNREADABLE`].
pub(super) fn character(symbol: usize) -> char {
    match symbol.checked_sub(FIRST_SIGN).and_then(|sign| Sign::ALL.get(sign)) {
        Some(sign) => sign.character(),
        None if symbol == SCRIBBLE => UNREADABLE,
        None => char::from(b'0' + (symbol - FIRST_DIGIT) as u8),
    }
}

/// ln(exp(a) + exp(b)).
pub(super) fn log_sum(a: f64, b: f64) -> f64 {
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Columns with the symbols of a text, each with `probability`; `_` is the blank.
    pub(in crate::assemble) fn saying(text: &str, probability: f32) -> StripScores {
        let column = |sign: char| {
            let symbol = if sign == '_' { CTC_BLANK } else { symbol(sign as u8) };
            let mut column = [((1.0 - probability) / (N_SYMBOLS - 1) as f32).ln(); N_SYMBOLS];
            column[symbol] = probability.ln();
            column
        };
        StripScores { views: vec![text.chars().map(column).collect()] }
    }

    #[test]
    fn repeated_columns_are_one_digit_and_a_blank_separates_two() {
        for (columns, text) in [("_11_2__", "12"), ("1_1", "11"), ("____", ""), ("_3?_", "3?"), ("0_0_00_", "000")] {
            let texts = StripReading::new(&saying(columns, 0.9), SignSet::NONE, &CtcParams::default()).best_texts();
            assert_eq!(texts[0].text, text, "{columns}");
            assert!(texts.windows(2).all(|pair| pair[0].log_probability >= pair[1].log_probability));
        }
        assert!(
            StripReading::new(&StripScores::default(), SignSet::NONE, &CtcParams::default()).best_texts().is_empty()
        );
    }

    #[test]
    fn signs_are_part_of_a_text_unless_they_are_silent() {
        let scores = saying("_5_/_3_4_", 0.9);
        let read = |silent: SignSet| StripReading::new(&scores, silent, &CtcParams::default());
        assert_eq!(read(SignSet::NONE).best_texts()[0].text, "5/34");
        let silent = read(SignSet::of(&[Sign::Slash]));
        assert_eq!(silent.best_texts()[0].text, "534");
        assert!(silent.log_probability("534") > read(SignSet::NONE).log_probability("534") + 2.0);
        let between_equals = saying("_5_._5_", 0.9);
        let silent = StripReading::new(&between_equals, SignSet::of(&[Sign::Point]), &CtcParams::default());
        assert_eq!(silent.best_texts()[0].text, "55");
    }

    #[test]
    fn beam_search_and_forward_sum_agree() {
        let strip = StripReading::new(&saying("_1_27_", 0.8), SignSet::NONE, &CtcParams::default());
        for found in strip.best_texts().iter().filter(|found| !found.text.contains('?')).take(5) {
            let sum = strip.log_probability(&found.text);
            assert!((sum - found.log_probability).abs() < 0.05, "{found:?}: {sum}");
        }
    }

    #[test]
    fn texts_of_two_views_have_their_mean_log_probability() {
        let (sure, unsure) = (saying("_1_7_", 0.95), saying("_1_1_", 0.6));
        let both = StripScores { views: [sure.views, unsure.views].concat() };
        let both = StripReading::new(&both, SignSet::NONE, &CtcParams::default());
        let texts = both.best_texts();
        assert_eq!((texts[0].text.as_str(), texts[1].text.as_str()), ("17", "11"));
        for found in &texts {
            assert_eq!(found.log_probability, both.log_probability(&found.text));
        }
    }

    #[test]
    fn probabilities_of_all_texts_sum_to_one() {
        let strip = StripReading::new(&saying("_4_", 0.95), SignSet::NONE, &CtcParams::default());
        let mut sum = 0.0;
        for found in strip.best_texts() {
            sum += found.log_probability.exp();
        }
        assert!(sum > 0.8 && sum <= 1.0 + 1e-6, "{sum}");
    }

    #[test]
    fn text_longer_than_its_columns_has_the_minimum() {
        assert_eq!(
            StripReading::new(&saying("12", 0.9), SignSet::NONE, &CtcParams::default()).log_probability("123"),
            CtcParams::default().min_view_log
        );
        assert_eq!(
            StripReading::new(&saying("11", 0.9), SignSet::NONE, &CtcParams::default()).log_probability("11"),
            CtcParams::default().min_view_log
        );
        assert_eq!(
            StripReading::new(&StripScores::default(), SignSet::NONE, &CtcParams::default()).log_probability("1"),
            f64::NEG_INFINITY
        );
    }
}
