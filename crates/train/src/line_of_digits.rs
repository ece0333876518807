//! A line of signs on one canvas, with the artefacts that the stages before the net leave there.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::triangular;
use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, MIN_INK};
use super::strokes::curved_path;
use formread_core::normalise::Strip;

/// Height of the canvas on which a strip is drawn, and the y of the middle of its digits, pixels.
pub(super) const CANVAS_HEIGHT: usize = 96;
pub(super) const MIDDLE_Y: f32 = CANVAS_HEIGHT as f32 / 2.0;

/// Widest gap between two signs, pixels.
pub(super) const MAX_GAP: f32 = 60.0;

/// Rows above and below a stroke in which its neighbour keeps the gap too, pixels.
const CLEARANCE_ROWS: usize = 3;

/// Smallest distance between the left edges of two signs, pixels: no sign is drawn over the one before.
const MIN_ADVANCE: i32 = 7;

/// Signs side by side on one canvas.
pub(super) struct LineOfDigits {
    pub canvas: Canvas,
    /// The last column with ink of each row, and of the rows near it.
    last_ink: [i32; CANVAS_HEIGHT],
    /// Left edge of the last sign, and right edge of all ink.
    last_left: i32,
    pub right: i32,
}

impl LineOfDigits {
    /// An empty line with room for `n_signs`.
    pub fn new(n_signs: usize) -> Self {
        let width = (n_signs + 1) * (CANVAS_SIDE + MAX_GAP as usize);
        Self {
            canvas: Canvas::sized(width, CANVAS_HEIGHT),
            last_ink: [i32::MIN; CANVAS_HEIGHT],
            last_left: 0,
            right: MAX_GAP as i32,
        }
    }

    /// A line that holds one drawing of [`CANVAS_HEIGHT`] rows.
    pub fn of(canvas: Canvas) -> Option<Self> {
        let [left, _, right, _] = canvas.bounds()?;
        Some(Self { canvas, last_ink: [i32::MIN; CANVAS_HEIGHT], last_left: left as i32, right: right as i32 })
    }

    /// Appends a sign at `gap` pixels from the ink before it, measured in the rows in which both have ink; negative gaps
    /// overlap. `shift` moves it down, pixels.
    pub fn append(&mut self, canvas: &Canvas, gap: f32, shift: f32) {
        let down = ((CANVAS_HEIGHT - CANVAS_SIDE) as f32 / 2.0 + shift).round() as i32;
        let edges: Vec<(usize, i32, i32)> = canvas
            .pixels
            .chunks_exact(canvas.width)
            .enumerate()
            .filter_map(|(v, row)| {
                let first = row.iter().position(|&ink| ink > MIN_INK)?;
                let last = row.iter().rposition(|&ink| ink > MIN_INK)?;
                let y = usize::try_from(v as i32 + down).ok().filter(|&y| y < CANVAS_HEIGHT)?;
                Some((y, first as i32, last as i32))
            })
            .collect();
        let Some(own_left) = edges.iter().map(|&(_, first, _)| first).min() else { return };
        let clear =
            edges.iter().filter(|&&(y, ..)| self.last_ink[y] > i32::MIN).map(|&(y, first, _)| self.last_ink[y] - first);
        // where no row has ink of both, the sign begins at the end of the ink before it
        let x = clear.max().unwrap_or(self.right - own_left) + gap.round() as i32 + 1;
        let x = x.max(self.last_left + MIN_ADVANCE - own_left);
        self.canvas.overlay(canvas, x, down);
        for &(y, _, last) in &edges {
            for near in y.saturating_sub(CLEARANCE_ROWS)..=(y + CLEARANCE_ROWS).min(CANVAS_HEIGHT - 1) {
                self.last_ink[near] = self.last_ink[near].max(x + last);
            }
            self.right = self.right.max(x + last);
        }
        self.last_left = x + own_left;
    }

    /// Connects the ink that ended at column `from` with the last sign by a stroke, near the top or the bottom, as people
    /// connect zeros.
    pub fn connect(&mut self, from: i32, pen: f32, rng: &mut ChaCha8Rng) {
        let height = if rng.random_bool(0.6) { rng.random_range(0.15..0.5) } else { rng.random_range(-0.5..-0.2) };
        let y = MIDDLE_Y - DRAWN_SIDE * height;
        let start = (from as f32 - rng.random_range(3.0..10.0), y + triangular(rng, 6.0));
        let end = (self.last_left as f32 + rng.random_range(3.0..12.0), y + triangular(rng, 6.0));
        self.canvas.stroke(&curved_path(start, end, triangular(rng, 8.0)), pen * 0.9, 1.0);
    }
}

/// Adds what the stages before the net may leave on a strip or erase from it.
pub(super) fn add_artefacts(row: &mut LineOfDigits, pen: f32, rng: &mut ChaCha8Rng) {
    let (left, right) = (MAX_GAP, row.right as f32);
    let (head, foot) = (MIDDLE_Y - DRAWN_SIDE / 2.0, MIDDLE_Y + DRAWN_SIDE / 2.0);
    // where a printed line was removed
    if rng.random_bool(0.08) {
        let (y, half) = (rng.random_range(head..foot), rng.random_range(0.6..2.0));
        row.canvas.wipe(|_, v| (v - y).abs() < half);
    }
    // where the scan was cut off
    if rng.random_bool(0.05) {
        let reach = rng.random_range(0.0..10.0);
        if rng.random_bool(0.6) {
            row.canvas.wipe(|_, v| v > foot - reach);
        } else {
            row.canvas.wipe(|_, v| v < head + reach);
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
            row.canvas.stroke(&[(from, y), (to, y + triangular(rng, 2.0))], thickness, ink);
        }
    }
    // the side of a frame, from the upper edge to the lower one: no 1
    if rng.random_bool(0.06) {
        let reach = rng.random_range(2.0..14.0);
        let x = if rng.random_bool(0.6) { left - reach } else { right + reach };
        let lean = triangular(rng, 2.0);
        let (thickness, ink) = (rng.random_range(0.8..3.0), rng.random_range(0.3..1.0));
        row.canvas.stroke(&[(x + lean, 0.0), (x - lean, CANVAS_HEIGHT as f32)], thickness, ink);
    }
    // stubs of the lines between cells
    if rng.random_bool(0.08) {
        for _ in 0..rng.random_range(1..5) {
            let x = rng.random_range(left - 6.0..right + 6.0);
            let length = rng.random_range(3.0..14.0);
            let y = if rng.random_bool(0.5) { head - 6.0 } else { foot + 6.0 - length };
            row.canvas.stroke(&[(x, y), (x, y + length)], rng.random_range(0.8..2.0), rng.random_range(0.3..1.0));
        }
    }
    // the feet of the line above, the heads of the line below
    if rng.random_bool(0.1) {
        for _ in 0..rng.random_range(1..5) {
            let x = rng.random_range(left..right.max(left + 1.0));
            let y = if rng.random_bool(0.5) { head - 12.0 } else { foot + 12.0 } + triangular(rng, 6.0);
            let end = (x + triangular(rng, 14.0), y + triangular(rng, 6.0));
            row.canvas.stroke(&curved_path((x, y), end, triangular(rng, 4.0)), pen, 1.0);
        }
    }
    // specks
    if rng.random_bool(0.1) {
        for _ in 0..rng.random_range(1..6) {
            let at = (rng.random_range(left - 8.0..right + 8.0), rng.random_range(head - 8.0..foot + 8.0));
            row.canvas.stroke(&[at], rng.random_range(0.8..3.0), rng.random_range(0.3..1.0));
        }
    }
}

/// Adds lines and waves as on cheques, and paper grain.
pub(super) fn add_background_pattern(strip: &mut Strip, rng: &mut ChaCha8Rng) {
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
    fn append_two_bars_keeps_the_gap() {
        let bar = {
            let mut canvas = Canvas::new();
            canvas.stroke(&[(30.0, 14.0), (30.0, 50.0)], 4.0, 1.0);
            canvas
        };
        for gap in [-2, 0, 9] {
            let mut row = LineOfDigits::new(2);
            row.append(&bar, 0.0, 0.0);
            row.append(&bar, gap as f32 + 6.0, 0.0);
            let dark = |x: &usize| row.canvas.pixels[(CANVAS_HEIGHT / 2) * row.canvas.width + x] > MIN_INK;
            let columns: Vec<usize> = (0..row.canvas.width).filter(dark).collect();
            let jump = columns.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert_eq!(jump, Some((gap + 7) as usize), "{columns:?}");
        }
    }
}
