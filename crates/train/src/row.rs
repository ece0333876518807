//! Signs side by side on one sheet, and what else the steps before the net leave there.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::triangular;
use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, INK};
use super::negatives::bent;
use formread_core::normalise::Strip;

/// Rows of the sheet on which a strip is drawn, pixels, and the row half way up its digits.
const SHEET_HEIGHT: usize = 96;
pub(super) const MIDDLE: f32 = SHEET_HEIGHT as f32 / 2.0;

/// Widest gap between two signs, pixels.
pub(super) const GAP_MAX: f32 = 60.0;

/// How far above and below a stroke its neighbour keeps its distance, pixels.
const NEAR_ROWS: usize = 3;

/// Least way from one sign's left edge to the next one's, pixels: nothing is written over what came before.
const ADVANCE_MIN: i32 = 7;

/// Signs set side by side on one sheet.
pub(super) struct Row {
    pub sheet: Canvas,
    /// The last column with ink of each row, and of the rows near it.
    reach: [i32; SHEET_HEIGHT],
    /// Where the last sign began, and where the ink ends.
    last_left: i32,
    pub right: i32,
}

impl Row {
    /// An empty one with room for so many signs.
    pub fn new(n_signs: usize) -> Self {
        let width = (n_signs + 1) * (CANVAS_SIDE + GAP_MAX as usize);
        Self {
            sheet: Canvas::sized(width, SHEET_HEIGHT),
            reach: [i32::MIN; SHEET_HEIGHT],
            last_left: 0,
            right: GAP_MAX as i32,
        }
    }

    /// Puts a sign `gap` pixels from the ink before it, measured along the rows that both have ink in; negative gaps
    /// overlap. `shift` moves it down.
    pub fn put(&mut self, canvas: &Canvas, gap: f32, shift: f32) {
        let down = ((SHEET_HEIGHT - CANVAS_SIDE) as f32 / 2.0 + shift).round() as i32;
        let edges: Vec<(usize, i32, i32)> = canvas
            .pixels
            .chunks_exact(canvas.width)
            .enumerate()
            .filter_map(|(v, row)| {
                let first = row.iter().position(|&ink| ink > INK)?;
                let last = row.iter().rposition(|&ink| ink > INK)?;
                let y = usize::try_from(v as i32 + down).ok().filter(|&y| y < SHEET_HEIGHT)?;
                Some((y, first as i32, last as i32))
            })
            .collect();
        let Some(own_left) = edges.iter().map(|&(_, first, _)| first).min() else { return };
        let clear =
            edges.iter().filter(|&&(y, ..)| self.reach[y] > i32::MIN).map(|&(y, first, _)| self.reach[y] - first);
        // where no row has ink of both, the sign begins where the ink before it ends
        let x = clear.max().unwrap_or(self.right - own_left) + gap.round() as i32 + 1;
        let x = x.max(self.last_left + ADVANCE_MIN - own_left);
        self.sheet.lay_over(canvas, x, down);
        for &(y, _, last) in &edges {
            for near in y.saturating_sub(NEAR_ROWS)..=(y + NEAR_ROWS).min(SHEET_HEIGHT - 1) {
                self.reach[near] = self.reach[near].max(x + last);
            }
            self.right = self.right.max(x + last);
        }
        self.last_left = x + own_left;
    }

    /// A stroke from the ink that ended at column `from` on to the sign that was put last, high up or along the foot, as
    /// hands link noughts.
    pub fn link(&mut self, from: i32, pen: f32, rng: &mut ChaCha8Rng) {
        let height = if rng.random_bool(0.6) { rng.random_range(0.15..0.5) } else { rng.random_range(-0.5..-0.2) };
        let y = MIDDLE - DRAWN_SIDE * height;
        let start = (from as f32 - rng.random_range(3.0..10.0), y + triangular(rng, 6.0));
        let end = (self.last_left as f32 + rng.random_range(3.0..12.0), y + triangular(rng, 6.0));
        self.sheet.stroke(&bent(start, end, triangular(rng, 8.0)), pen * 0.9, 1.0);
    }
}

/// What the steps before the net may leave on a strip, or take from it.
pub(super) fn remains(row: &mut Row, pen: f32, rng: &mut ChaCha8Rng) {
    let (left, right) = (GAP_MAX, row.right as f32);
    let (head, foot) = (MIDDLE - DRAWN_SIDE / 2.0, MIDDLE + DRAWN_SIDE / 2.0);
    // where a printed line was removed
    if rng.random_bool(0.08) {
        let (y, half) = (rng.random_range(head..foot), rng.random_range(0.6..2.0));
        row.sheet.wipe(|_, v| (v - y).abs() < half);
    }
    // where the scan was cut off
    if rng.random_bool(0.05) {
        let reach = rng.random_range(0.0..10.0);
        if rng.random_bool(0.6) {
            row.sheet.wipe(|_, v| v > foot - reach);
        } else {
            row.sheet.wipe(|_, v| v < head + reach);
        }
    }
    // pieces of a line under the digits, or over them, or all of it
    if rng.random_bool(0.16) {
        let y = if rng.random_bool(0.8) { foot } else { head } + triangular(rng, 12.0);
        let (thickness, ink) = (rng.random_range(0.8..3.0), rng.random_range(0.3..1.0));
        let is_whole = rng.random_bool(0.3);
        for _ in 0..if is_whole { 1 } else { rng.random_range(1..4) } {
            let from = if is_whole { left - 10.0 } else { rng.random_range(left - 10.0..right) };
            let length = if is_whole { right - left + 20.0 } else { rng.random_range(5.0..60.0) };
            let to = (from + length).min(right + 10.0);
            row.sheet.stroke(&[(from, y), (to, y + triangular(rng, 2.0))], thickness, ink);
        }
    }
    // the side of a frame, from the upper edge to the lower one: no 1
    if rng.random_bool(0.06) {
        let reach = rng.random_range(2.0..14.0);
        let x = if rng.random_bool(0.6) { left - reach } else { right + reach };
        let lean = triangular(rng, 2.0);
        let (thickness, ink) = (rng.random_range(0.8..3.0), rng.random_range(0.3..1.0));
        row.sheet.stroke(&[(x + lean, 0.0), (x - lean, SHEET_HEIGHT as f32)], thickness, ink);
    }
    // stubs of the lines between cells
    if rng.random_bool(0.08) {
        for _ in 0..rng.random_range(1..5) {
            let x = rng.random_range(left - 6.0..right + 6.0);
            let length = rng.random_range(3.0..14.0);
            let y = if rng.random_bool(0.5) { head - 6.0 } else { foot + 6.0 - length };
            row.sheet.stroke(&[(x, y), (x, y + length)], rng.random_range(0.8..2.0), rng.random_range(0.3..1.0));
        }
    }
    // the feet of the line above, the heads of the line below
    if rng.random_bool(0.1) {
        for _ in 0..rng.random_range(1..5) {
            let x = rng.random_range(left..right.max(left + 1.0));
            let y = if rng.random_bool(0.5) { head - 12.0 } else { foot + 12.0 } + triangular(rng, 6.0);
            let end = (x + triangular(rng, 14.0), y + triangular(rng, 6.0));
            row.sheet.stroke(&bent((x, y), end, triangular(rng, 4.0)), pen, 1.0);
        }
    }
    // specks
    if rng.random_bool(0.1) {
        for _ in 0..rng.random_range(1..6) {
            let at = (rng.random_range(left - 8.0..right + 8.0), rng.random_range(head - 8.0..foot + 8.0));
            row.sheet.stroke(&[at], rng.random_range(0.8..3.0), rng.random_range(0.3..1.0));
        }
    }
}

/// Lines and waves as cheques carry them, and the paper's grain.
pub(super) fn pattern(strip: &mut Strip, rng: &mut ChaCha8Rng) {
    let strength = rng.random_range(0.02..0.4f32);
    let grain = rng.random_range(0.0..0.15f32);
    let mut wave = || {
        let angle = rng.random_range(0.0..std::f32::consts::PI);
        let length = rng.random_range(2.5..9.0f32);
        let (bend, bend_length) = (rng.random_range(0.0..2.5f32), rng.random_range(8.0..40.0f32));
        let phase = rng.random_range(0.0..std::f32::consts::TAU);
        move |x: f32, y: f32| {
            let along =
                x * angle.cos() + y * angle.sin() + bend * ((y * angle.cos() - x * angle.sin()) / bend_length).sin();
            // thin dark lines on a light ground
            ((along * std::f32::consts::TAU / length + phase).cos() - 0.3).max(0.0) / 0.7
        }
    };
    let (first, second) = (wave(), wave());
    let second_share = if rng.random_bool(0.5) { 1.0 } else { 0.0 };
    let width = strip.width;
    for (i, pixel) in strip.pixels.iter_mut().enumerate() {
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        let ground = strength * first(x, y).max(second_share * second(x, y)) + rng.random_range(-1.0..1.0) * grain;
        *pixel = (*pixel + ground * (1.0 - *pixel)).clamp(0.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_keep_the_gap_they_are_told() {
        let bar = {
            let mut canvas = Canvas::new();
            canvas.stroke(&[(30.0, 14.0), (30.0, 50.0)], 4.0, 1.0);
            canvas
        };
        for gap in [-2, 0, 9] {
            let mut row = Row::new(2);
            row.put(&bar, 0.0, 0.0);
            row.put(&bar, gap as f32 + 6.0, 0.0);
            let dark = |x: &usize| row.sheet.pixels[(SHEET_HEIGHT / 2) * row.sheet.width + x] > INK;
            let columns: Vec<usize> = (0..row.sheet.width).filter(dark).collect();
            let jump = columns.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert_eq!(jump, Some((gap + 7) as usize), "{columns:?}");
        }
    }
}
