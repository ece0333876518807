//! Finds strokes that run along a dashed line: the ink there goes on through the gaps between the dashes.

use std::ops::Range;

use super::dash_params::PARAMS;

/// A stroke that meets a dashed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StrokeOnDashes {
    /// Its columns of the line, with the dashes at its ends.
    pub columns: Range<usize>,
    /// Whether it runs along the line, through a gap; otherwise it crosses a dash.
    pub is_along: bool,
}

/// The strokes on a line. `masses` is the ink of the line in each column, any unit. None where the line is not dashed: a stroke along
/// a whole line cannot be distinguished from it.
pub(super) fn strokes_on(masses: &[f64]) -> Vec<StrokeOnDashes> {
    let Some(ink) = dashed_ink(masses) else { return Vec::new() };
    let dashes = runs(masses, (ink.gap + ink.dash) / 2.0);
    let length = |dash: &Range<usize>| dash.end - dash.start;
    let mut lengths: Vec<usize> = dashes.iter().map(length).collect();
    let mut pitches: Vec<usize> = dashes.windows(2).map(|pair| pair[1].start - pair[0].start).collect();
    let (Some(dash), Some(pitch)) = (median(&mut lengths), median(&mut pitches)) else { return Vec::new() };
    let is_regular = |of: &&usize| of.abs_diff(pitch) as f64 <= (PARAMS.max_pitch_deviation * pitch as f64).max(1.0);
    let n_regular = pitches.iter().filter(is_regular).count();
    let is_even = n_regular as f64 >= PARAMS.min_even * pitches.len() as f64;
    if n_regular < PARAMS.min_dashes || !is_even || !PARAMS.pitch_px.contains(&pitch) {
        return Vec::new();
    }
    // a stroke goes on through a gap to the next dash, or is darker than a dash
    let is_along = |run: &Range<usize>| length(run) > dash.max(pitch.saturating_sub(dash)) + pitch;
    let is_darker = |run: &Range<usize>| masses[run.clone()].iter().any(|mass| *mass >= PARAMS.min_darker * ink.dash);
    let stroke = |columns: Range<usize>| StrokeOnDashes { is_along: is_along(&columns), columns };
    dashes.into_iter().filter(|run| is_along(run) || is_darker(run)).map(stroke).collect()
}

/// The ink of a column of a dashed line.
struct DashedInk {
    gap: f64,
    dash: f64,
}

/// The ink of gaps and dashes; `None` where there are no gaps.
fn dashed_ink(masses: &[f64]) -> Option<DashedInk> {
    let mut sorted = masses.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied();
    let (gap, dash) = (at(PARAMS.gap_quantile)?, at(1.0 - PARAMS.gap_quantile)?);
    (gap <= PARAMS.max_gap_ink * dash).then_some(DashedInk { gap, dash })
}

/// The runs of columns with at least this much ink.
fn runs(masses: &[f64], level: f64) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (i, _) in masses.iter().enumerate().filter(|(_, mass)| **mass >= level) {
        match found.last_mut() {
            Some(last) if last.end == i => last.end = i + 1,
            _ => found.push(i..i + 1),
        }
    }
    found
}

fn median(values: &mut [usize]) -> Option<usize> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dashes of three columns with gaps of two, with ink of 120 and 50.
    fn dashed() -> Vec<f64> {
        [50.0, 120.0, 125.0, 118.0, 55.0].repeat(8)
    }

    fn strokes(masses: &[f64]) -> Vec<(Range<usize>, bool)> {
        strokes_on(masses).into_iter().map(|stroke| (stroke.columns, stroke.is_along)).collect()
    }

    #[test]
    fn dashes_alone_are_no_stroke() {
        assert_eq!(strokes(&dashed()), []);
    }

    #[test]
    fn stroke_through_gaps_is_found_with_the_dashes_at_its_ends() {
        let mut masses = dashed();
        masses[14..21].fill(130.0);
        assert_eq!(strokes(&masses), [(11..24, true)]);
    }

    #[test]
    fn stroke_across_a_dash_is_darker_than_the_dash() {
        let mut masses = dashed();
        masses[17] = 180.0;
        assert_eq!(strokes(&masses), [(16..19, false)]);
    }

    #[test]
    fn solid_line_and_a_broken_one_have_no_strokes() {
        let mut masses = vec![200.0; 40];
        masses[10..30].fill(230.0);
        assert_eq!(strokes(&masses), []);
        masses.fill(200.0);
        for gap in [3..5, 9..20, 22..23, 31..35] {
            masses[gap].fill(20.0);
        }
        assert_eq!(strokes(&masses), []);
    }
}
