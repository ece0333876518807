//! How words, marks and repeated rows take part in registration: parameters that were chosen by measurement.

use serde::Serialize;

/// How words and marks are located on a page. Chosen on drawn forms of lines, in November 2026.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AnchorParams {
    /// Paper around a word, millimetres. Raising it meets what is printed beside it.
    pub margin_mm: f64,
    /// Distance between the places that are tried first, millimetres. Raising it saves time and may miss a short word.
    pub step_mm: f64,
    /// Places whose scores differ by this share are equally good. Raising it is less exact.
    pub tie_share: f64,
    /// Lowest share of ink within the bounds. Raising it misses pale print.
    pub min_ink_share: f64,
    /// Ink within the bounds less ink around it, as a share of the former. Raising it loses words close to other print.
    pub min_clear_share: f64,
    /// Fewest words and marks that take part in the score of a page whose lines are too pale for it. Set not recorded. Raising it
    /// rejects pale pages with few words.
    pub min_deciding: usize,
    /// Standard deviation of the place of a word, in those of a sample on a line. Raising it trusts words less.
    pub deviation: f64,
}

impl Default for AnchorParams {
    fn default() -> Self {
        Self {
            margin_mm: 1.0,
            step_mm: 0.5,
            tie_share: 0.02,
            min_ink_share: 0.04,
            min_clear_share: 0.5,
            min_deciding: 10,
            deviation: 4.0,
        }
    }
}

/// When a form repeats itself, and when its print discriminates a placement from the next one. Chosen on drawn forms of evenly
/// spaced rows, in November 2026.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PitchParams {
    /// Lines that are compared, longest first. Time grows with its square.
    pub max_lines: usize,
    /// Largest difference between lengths of the same line, millimetres. Raising it finds pitches where there are none.
    pub same_mm: f64,
    /// Shortest pitch, millimetres. Raising it misses close rows.
    pub min_mm: f64,
    /// Lowest share of the length of all lines that repeats at a pitch. Raising it misses forms that repeat in part.
    pub min_repeated_share: f64,
    /// Most pitches of a form. Raising it costs time.
    pub max_pitches: usize,
    /// What is further than this from the print one pitch further is not repeated, millimetres. Raising it leaves less that
    /// discriminates.
    pub distinct_mm: f64,
    /// Words are compared in pieces of this length, millimetres. Raising it gives long words less weight.
    pub word_step_mm: f64,
    /// Lowest margin of the unrepeated print found for a placement over that for the next one, as a share of both. Raising it
    /// rejects more pages.
    pub min_margin: f64,
    /// Share of what only a placement explains from which it counts as found whole. The blank of `mtc`, the page for which this
    /// bound was made, has 0.84; no other set was asked. Raising it rejects more pages.
    pub whole_share: f64,
    /// Lowest margin of a placement that is found whole. That page has 0.22. Raising it rejects more pages.
    pub min_margin_of_whole: f64,
    /// And in pieces. Raising it does the same.
    pub min_found: usize,
}

impl Default for PitchParams {
    fn default() -> Self {
        Self {
            max_lines: 400,
            same_mm: 0.6,
            min_mm: 3.0,
            min_repeated_share: 0.35,
            max_pitches: 8,
            distinct_mm: 1.2,
            word_step_mm: 6.0,
            min_margin: 0.3,
            whole_share: 0.75,
            min_margin_of_whole: 0.15,
            min_found: 3,
        }
    }
}
