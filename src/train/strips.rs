//! Strips of digits, as one hand writes them into one field: real digits set side by side, apart, touching or
//! overlapping, with the points, dashes and fillers that stand among them, what is left of ruled lines, and the paper's
//! pattern. All is drawn from (seed, epoch, place), so neither threads nor resuming change what comes out.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::{Augmentation, Hand, drawn_by, triangular};
use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, INK, Spot};
use super::dataset::{GlyphSet, Sample};
use super::negatives::{bent, cross, scribble, struck_out};
use crate::net::{FIRST_DIGIT, N_DIGITS, SCRIBBLE};
use crate::normalise::{STRIP_HEIGHT, Strip, StripBounds, normalise_strip};

/// Rows of the sheet on which a strip is drawn, pixels, and the row half way up its digits.
const SHEET_HEIGHT: usize = 96;
const MIDDLE: f32 = SHEET_HEIGHT as f32 / 2.0;

/// Most digits in a strip, and most other signs.
const DIGITS_MAX: usize = 10;
const OTHERS_MAX: usize = 8;

/// Widest gap between two signs, pixels.
const GAP_MAX: f32 = 60.0;

/// How far above and below a stroke its neighbour keeps its distance, pixels.
const NEAR_ROWS: usize = 3;

/// Least way from one sign's left edge to the next one's, pixels: nothing is written over what came before.
const ADVANCE_MIN: i32 = 7;

/// Where nothing guides the hand, as cells do, it slants more: by this factor.
const FREE_SLANT: f32 = 1.6;

/// Tries to draw a strip before a blank one is taken in its place.
const TRIES: usize = 4;

/// A strip and what is written on it.
#[derive(Debug, Clone)]
pub(super) struct LabelledStrip {
    pub strip: Strip,
    /// Symbols of [`crate::net::StripScores`], from left to right.
    pub symbols: Vec<i64>,
}

/// Digits of one writer, or of many where they are not told apart.
struct Writer<'a> {
    digits: [Vec<&'a Sample>; N_DIGITS],
}

/// Draws strips.
pub(super) struct StripMaker<'a> {
    /// Of each set its writers, and how often it is drawn from: the square root of its size, so that a large set brings
    /// its variety and does not drown the others.
    sets: Vec<(Vec<Writer<'a>>, f64)>,
    augmentation: Augmentation,
}

/// What stands on a strip.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Digit(usize),
    StruckOut(usize),
    Scribble,
    Cross,
    Point(Point),
}

/// Signs that are neither digits nor fillers.
#[derive(Debug, Clone, Copy)]
enum Point {
    Dot,
    Comma,
    Apostrophe,
    Colon,
    Dash,
    LongDash,
    Equals,
    Dollar,
    Euro,
}

impl<'a> StripMaker<'a> {
    /// Strips of the digits of `sets`.
    pub fn new(sets: &'a [GlyphSet], augmentation: Augmentation) -> Self {
        let writers = |set: &'a GlyphSet| {
            let mut writers: Vec<Writer<'a>> =
                (0..set.writers.len().max(1)).map(|_| Writer { digits: Default::default() }).collect();
            for sample in &set.samples {
                writers[sample.writer.unwrap_or(0)].digits[usize::from(sample.digit)].push(sample);
            }
            writers.retain(|writer| writer.digits.iter().any(|samples| !samples.is_empty()));
            writers
        };
        let weighted = |set: &'a GlyphSet| (writers(set), (set.samples.len() as f64).sqrt());
        let sets = sets.iter().map(weighted).filter(|(writers, _)| !writers.is_empty()).collect();
        Self { sets, augmentation }
    }

    /// Draws a strip; one without ink where there are no digits to draw with.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> LabelledStrip {
        let drawn = (0..TRIES).find_map(|_| self.try_draw(rng));
        drawn.unwrap_or_else(|| {
            let strip = Strip { pixels: vec![0.0; STRIP_HEIGHT * STRIP_HEIGHT], width: STRIP_HEIGHT };
            LabelledStrip { strip, symbols: Vec::new() }
        })
    }

    fn try_draw(&self, rng: &mut ChaCha8Rng) -> Option<LabelledStrip> {
        let writer = pick(self.any_set(rng)?, rng)?;
        let mut hand = Hand::any(&self.augmentation, rng);
        hand.slant *= FREE_SLANT;
        let style = Style::any(rng);
        let signs = signs(&style, rng);
        let mut row = Row::new(signs.len());
        let (mut symbols, mut heights) = (Vec::new(), Vec::new());
        let mut last_digit = None;
        for (i, sign) in signs.iter().enumerate() {
            let mut link = false;
            let canvas = match *sign {
                Sign::Digit(digit) => {
                    let size = if heights.is_empty() { style.first_size } else { 1.0 };
                    let canvas = digit_of(writer, digit, &hand, size, &style, rng)?;
                    link = style.links_noughts && digit == 0 && last_digit == Some(0) || rng.random_bool(0.02);
                    let [_, top, _, bottom] = canvas.bounds()?;
                    heights.push(bottom - top);
                    symbols.push((FIRST_DIGIT + digit) as i64);
                    last_digit = Some(digit);
                    canvas
                }
                Sign::StruckOut(digit) => {
                    symbols.push(SCRIBBLE as i64);
                    struck_out(digit_of(writer, digit, &hand, 1.0, &style, rng)?, rng)?
                }
                Sign::Scribble => {
                    symbols.push(SCRIBBLE as i64);
                    scribble(rng)
                }
                Sign::Cross => cross(rng),
                Sign::Point(point) => drawn_point(point, style.pen, rng),
            };
            let gap = if i == 0 { 0.0 } else { style.gap(rng) };
            let shift = triangular(rng, style.wobble);
            let before = row.right;
            row.put(&canvas, gap, shift);
            if link && i > 0 {
                row.link(before, style.pen, rng);
            }
        }
        remains(&mut row, &style, rng);
        let strip = self.seen(&row, &mut heights, &style, rng)?;
        Some(LabelledStrip { strip, symbols })
    }

    fn any_set(&self, rng: &mut ChaCha8Rng) -> Option<&[Writer<'a>]> {
        let all: f64 = self.sets.iter().map(|(_, weight)| weight).sum();
        let mut at = rng.random::<f64>() * all;
        let chosen = self.sets.iter().find(|(_, weight)| {
            at -= weight;
            at < 0.0
        });
        chosen.or(self.sets.last()).map(|(writers, _)| writers.as_slice())
    }

    /// The row as the steps before the net would hand it on.
    fn seen(&self, row: &Row, heights: &mut [f32], style: &Style, rng: &mut ChaCha8Rng) -> Option<Strip> {
        let [left, _, right, _] = row.sheet.bounds()?;
        heights.sort_unstable_by(f32::total_cmp);
        let height = heights.get(heights.len() / 2).copied().unwrap_or(DRAWN_SIDE);
        let bounds = StripBounds {
            left,
            right,
            middle: MIDDLE + triangular(rng, 6.0),
            digit_height: height * rng.random_range(0.85..1.2),
        };
        let mut strip = normalise_strip(&row.sheet.to_ink(255.0), &bounds)?;
        for pixel in &mut strip.pixels {
            *pixel = (*pixel * style.darkness).min(1.0);
        }
        if style.has_pattern {
            pattern(&mut strip, rng);
        }
        Some(strip)
    }
}

fn pick<'v, T>(from: &'v [T], rng: &mut ChaCha8Rng) -> Option<&'v T> {
    if from.is_empty() { None } else { from.get(rng.random_range(0..from.len())) }
}

fn digit_of(
    writer: &Writer<'_>,
    digit: usize,
    hand: &Hand,
    size: f32,
    style: &Style,
    rng: &mut ChaCha8Rng,
) -> Option<Canvas> {
    let sample = pick(&writer.digits[digit], rng)?;
    let small = if digit == 0 { style.nought_size } else { 1.0 };
    let hand = Hand {
        turn: hand.turn + triangular(rng, 0.08),
        slant: hand.slant + triangular(rng, 0.12),
        stretch: hand.stretch * triangular(rng, 0.12).exp(),
        size: hand.size * size * small * triangular(rng, 0.2).exp(),
        ..hand.clone()
    };
    drawn_by(&hand, &sample.ink, rng)
}

/// How one writer fills one field.
struct Style {
    /// Mean gap between signs and its spread, pixels.
    gap_mean: f32,
    gap_spread: f32,
    /// How far signs stand above or below their line, pixels.
    wobble: f32,
    /// Width of the pen, pixels.
    pen: f32,
    /// Size of a nought, and of the first digit, against the other digits.
    nought_size: f32,
    first_size: f32,
    /// Whether noughts hang together.
    links_noughts: bool,
    /// What full ink comes to.
    darkness: f32,
    /// Whether the paper's pattern is seen.
    has_pattern: bool,
}

impl Style {
    fn any(rng: &mut ChaCha8Rng) -> Self {
        let (gap_mean, gap_spread) = match rng.random_range(0..100) {
            0..25 => (-1.0, 2.5),
            25..60 => (3.0, 4.0),
            60..82 => (8.0, 5.0),
            _ => (rng.random_range(12.0..45.0), 8.0),
        };
        Self {
            gap_mean,
            gap_spread,
            wobble: rng.random_range(2.0..9.0),
            pen: rng.random_range(2.0..6.0),
            nought_size: if rng.random_bool(0.2) { rng.random_range(0.5..0.85) } else { 1.0 },
            first_size: if rng.random_bool(0.15) { rng.random_range(1.1..1.5) } else { 1.0 },
            links_noughts: rng.random_bool(0.15),
            darkness: rng.random_range(0.75..1.35),
            has_pattern: rng.random_bool(0.5),
        }
    }

    fn gap(&self, rng: &mut ChaCha8Rng) -> f32 {
        let odd = if rng.random_bool(0.06) { rng.random_range(4.0..25.0) } else { 0.0 };
        (self.gap_mean + triangular(rng, 2.0 * self.gap_spread) + odd).min(GAP_MAX)
    }
}

/// What is written, from left to right: amounts, counts, codes, with what people put round and between the digits.
fn signs(style: &Style, rng: &mut ChaCha8Rng) -> Vec<Sign> {
    let n_digits = match rng.random_range(0..100) {
        0..2 => 0,
        2..12 => 1,
        12..26 => 2,
        26..42 => 3,
        42..60 => 4,
        60..78 => 5,
        78..90 => 6,
        90..95 => 7,
        _ => rng.random_range(8..=DIGITS_MAX),
    };
    let mut digits: Vec<usize> = (0..n_digits).map(|_| rng.random_range(0..N_DIGITS)).collect();
    // round amounts and repeated digits are commoner than chance
    if rng.random_bool(0.25) {
        let n_noughts = rng.random_range(0..=3.min(n_digits));
        digits[n_digits - n_noughts..].fill(0);
    }
    for i in 1..n_digits {
        if rng.random_bool(0.08) {
            digits[i] = digits[i - 1];
        }
    }
    let separator = [Point::Dot, Point::Comma, Point::Apostrophe, Point::Dot][rng.random_range(0..4)];
    let (has_thousands, has_stray) = (rng.random_bool(0.35), rng.random_bool(0.06));
    let mut signs = Vec::with_capacity(DIGITS_MAX + OTHERS_MAX);
    if rng.random_bool(0.06) {
        signs.extend(std::iter::repeat_n(Sign::Cross, rng.random_range(1..4)));
    } else if rng.random_bool(0.08) {
        signs.push(Sign::Point(
            [Point::Dash, Point::Equals, Point::Dollar, Point::Euro, Point::LongDash][rng.random_range(0..5)],
        ));
    }
    for (i, &digit) in digits.iter().enumerate() {
        let left = n_digits - i;
        if i > 0 && ((has_thousands && left.is_multiple_of(3)) || (has_stray && rng.random_bool(0.3))) {
            signs.push(Sign::Point(separator));
        }
        signs.push(match rng.random_range(0..1000) {
            0..6 => Sign::StruckOut(digit),
            6..10 => Sign::Scribble,
            _ => Sign::Digit(digit),
        });
    }
    match rng.random_range(0..100) {
        0..8 => signs.push(Sign::Point(Point::Dot)),
        8..11 => signs.push(Sign::Point(Point::Comma)),
        11..17 => signs.extend([Point::Dot, Point::Dash].map(Sign::Point)),
        17..24 => signs.push(Sign::Point(Point::Dash)),
        24..30 => signs.push(Sign::Point(Point::Equals)),
        30..35 => signs.push(Sign::Point(Point::LongDash)),
        35..38 => signs.extend([Point::Comma, Point::Dash, Point::Dash].map(Sign::Point)),
        38..40 => signs.push(Sign::Point(Point::Colon)),
        40..43 if style.gap_mean > 4.0 => {
            signs.extend(std::iter::repeat_n(Sign::Cross, rng.random_range(1..3)));
        }
        43..45 => signs.push(Sign::Scribble),
        _ => {}
    }
    if signs.is_empty() {
        signs.push([Sign::Scribble, Sign::Cross, Sign::Point(Point::LongDash)][rng.random_range(0..3)]);
    }
    signs
}

/// A point or a dash at its place, on a canvas of its own whose middle is that of the digits.
fn drawn_point(point: Point, pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = CANVAS_SIDE as f32 / 2.0;
    let foot = middle + DRAWN_SIDE / 2.0 + triangular(rng, 5.0);
    let dot = pen * rng.random_range(0.9..1.9);
    let dash = |canvas: &mut Canvas, y: f32, half: f32, rng: &mut ChaCha8Rng| {
        let (rise, bulge) = (triangular(rng, 0.3) * half, triangular(rng, 4.0));
        canvas.stroke(&bent((middle - half, y + rise), (middle + half, y - rise), bulge), pen, 1.0);
    };
    let tail = |canvas: &mut Canvas, y: f32, rng: &mut ChaCha8Rng| {
        let (dx, dy) = (rng.random_range(0.0..6.0), rng.random_range(4.0..11.0));
        canvas.stroke(&bent((middle, y), (middle - dx, y + dy), triangular(rng, 3.0)), pen, 1.0);
    };
    match point {
        Point::Dot => canvas.stroke(&[(middle, foot), (middle + triangular(rng, 3.0), foot)], dot, 1.0),
        Point::Comma => tail(&mut canvas, foot - 3.0, rng),
        Point::Apostrophe => tail(&mut canvas, middle - DRAWN_SIDE / 2.0 - 2.0, rng),
        Point::Colon => {
            for y in [foot, middle - rng.random_range(0.0..8.0)] {
                canvas.stroke(&[(middle, y)], dot, 1.0);
            }
        }
        Point::Dash => {
            let (y, half) = (middle + triangular(rng, 14.0), rng.random_range(3.0..12.0));
            dash(&mut canvas, y, half, rng);
        }
        Point::LongDash => {
            let (y, half) = (middle + triangular(rng, 14.0), rng.random_range(12.0..30.0));
            dash(&mut canvas, y, half, rng);
        }
        Point::Equals => {
            let (y, half, apart) =
                (middle + triangular(rng, 14.0), rng.random_range(4.0..13.0), rng.random_range(3.0..7.0) + pen / 2.0);
            dash(&mut canvas, y - apart, half, rng);
            dash(&mut canvas, y + apart, half, rng);
        }
        Point::Dollar => {
            let (reach, width) = (DRAWN_SIDE / 2.0, rng.random_range(7.0..11.0));
            let bow: Vec<Spot> = (0..=16)
                .map(|i| {
                    let t = i as f32 / 16.0;
                    let angle = 0.6 + t * (std::f32::consts::TAU - 1.2);
                    (
                        middle + width * angle.cos() * if t < 0.5 { 1.0 } else { -1.0 },
                        middle + reach * (2.0 * t - 1.0) * 0.8,
                    )
                })
                .collect();
            canvas.stroke(&bow, pen, 1.0);
            for x in [middle, middle + 4.0].into_iter().take(rng.random_range(1..3)) {
                let lean = triangular(rng, 4.0);
                canvas.stroke(&[(x + lean, middle - reach - 3.0), (x - lean, middle + reach + 3.0)], pen * 0.8, 1.0);
            }
        }
        Point::Euro => {
            let radius = rng.random_range(13.0..19.0f32);
            let arc: Vec<Spot> = (0..=14)
                .map(|i| {
                    let angle = 0.7 + i as f32 / 14.0 * (std::f32::consts::TAU - 1.4);
                    (middle + radius * 0.8 * angle.cos(), middle + radius * angle.sin())
                })
                .collect();
            canvas.stroke(&arc, pen, 1.0);
            for y in [middle - 3.5, middle + 3.5] {
                canvas.stroke(&[(middle - radius, y), (middle + radius * 0.4, y - 0.5)], pen * 0.8, 1.0);
            }
        }
    }
    canvas
}

/// Signs set side by side on one sheet.
struct Row {
    sheet: Canvas,
    /// The last column with ink of each row, and of the rows near it.
    reach: [i32; SHEET_HEIGHT],
    /// Where the last sign began, and where the ink ends.
    last_left: i32,
    right: i32,
}

impl Row {
    fn new(n_signs: usize) -> Self {
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
    fn put(&mut self, canvas: &Canvas, gap: f32, shift: f32) {
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

    /// A stroke from the ink that ended at column `from` on to the sign that was put last, high up as hands link noughts.
    fn link(&mut self, from: i32, pen: f32, rng: &mut ChaCha8Rng) {
        let y = MIDDLE - DRAWN_SIDE * rng.random_range(0.15..0.5);
        let start = (from as f32 - rng.random_range(3.0..10.0), y + triangular(rng, 6.0));
        let end = (self.last_left as f32 + rng.random_range(3.0..12.0), y + triangular(rng, 6.0));
        self.sheet.stroke(&bent(start, end, triangular(rng, 8.0)), pen * 0.9, 1.0);
    }
}

/// What the steps before the net may leave on a strip, or take from it.
fn remains(row: &mut Row, style: &Style, rng: &mut ChaCha8Rng) {
    let (left, right) = (GAP_MAX, row.right as f32);
    let (head, foot) = (MIDDLE - DRAWN_SIDE / 2.0, MIDDLE + DRAWN_SIDE / 2.0);
    // where a printed line was removed
    if rng.random_bool(0.08) {
        let (y, half) = (rng.random_range(head..foot), rng.random_range(0.6..2.0));
        row.sheet.wipe(|_, v| (v - y).abs() < half);
    }
    // pieces of a line under the digits, or over them
    if rng.random_bool(0.1) {
        let y = if rng.random_bool(0.8) { foot } else { head } + triangular(rng, 12.0);
        let (thickness, ink) = (rng.random_range(0.8..2.5), rng.random_range(0.3..1.0));
        for _ in 0..rng.random_range(1..4) {
            let from = rng.random_range(left - 10.0..right);
            let to = (from + rng.random_range(5.0..60.0)).min(right + 10.0);
            row.sheet.stroke(&[(from, y), (to, y + triangular(rng, 2.0))], thickness, ink);
        }
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
            row.sheet.stroke(&bent((x, y), end, triangular(rng, 4.0)), style.pen, 1.0);
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
fn pattern(strip: &mut Strip, rng: &mut ChaCha8Rng) {
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
    use image::{GrayImage, Luma};
    use rand::SeedableRng;

    use super::*;

    /// Rings of ten sizes that stand for digits, by one writer.
    fn rings() -> GlyphSet {
        let sample = |digit: u8| {
            let radius = 20.0 + f64::from(digit);
            let ink = GrayImage::from_fn(64, 64, |x, y| {
                let distance = (f64::from(x) - 32.0).hypot(f64::from(y) - 32.0);
                Luma([if (distance - radius).abs() < 3.0 { 255 } else { 0 }])
            });
            Sample { ink, is_normalised: false, digit, writer: Some(0) }
        };
        GlyphSet { name: "rings".to_owned(), writers: vec!["w".to_owned()], samples: (0..10).map(sample).collect() }
    }

    #[test]
    fn strips_have_ink_and_say_what_is_written() {
        let sets = [rings()];
        let maker = StripMaker::new(&sets, Augmentation::default());
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let strips: Vec<LabelledStrip> = (0..200).map(|_| maker.draw(&mut rng)).collect();
        for LabelledStrip { strip, symbols } in &strips {
            assert_eq!(strip.pixels.len(), STRIP_HEIGHT * strip.width);
            assert!(strip.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
            assert!(symbols.iter().all(|&s| (FIRST_DIGIT as i64..=SCRIBBLE as i64).contains(&s)));
            assert!(symbols.len() <= DIGITS_MAX + 1);
            // CTC needs a column a symbol, and one more between two that are the same
            assert!(strip.width / 4 > symbols.len(), "{} columns for {symbols:?}", strip.width / 4);
        }
        let seen = |symbol: usize| strips.iter().any(|strip| strip.symbols.contains(&(symbol as i64)));
        assert!((FIRST_DIGIT..=SCRIBBLE).all(seen));
        let inked = strips.iter().filter(|strip| strip.strip.pixels.iter().any(|&v| v > 0.6)).count();
        assert!(inked > 190, "{inked} of 200 have ink");
    }

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

    #[test]
    fn without_digits_a_strip_is_blank() {
        let maker = StripMaker::new(&[], Augmentation::default());
        let drawn = maker.draw(&mut ChaCha8Rng::seed_from_u64(1));
        assert!(drawn.symbols.is_empty() && drawn.strip.pixels.iter().all(|&v| v == 0.0));
    }
}
