//! A digit as another hand, pen and scanner would have made it.
//!
//! Slant, turn, stretch and elastic bending (Simard, Steinkraus and Platt, "Best practices for convolutional neural
//! networks", ICDAR 2003; here the field of displacements is a coarse grid, interpolated, which is as smooth as
//! theirs and cheaper), stroke width, and what is left on a crop by the steps before the net: specks, a piece of the
//! printed frame, a sliver of the neighbour, a gap where a printed line was removed.

use image::GrayImage;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, Spot};
use formread_core::normalise::{Glyph, normalise};
use formread_tools::dataset::Sample;

/// How strongly samples are changed. What is larger teaches more variety and costs closeness to clean digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augmentation {
    /// Share of samples that are left as they are.
    pub untouched: f64,
    /// Largest turn, degrees; small turns are likelier.
    pub turn_deg: f32,
    /// Largest slant, pixels sideways a pixel up.
    pub slant: f32,
    /// Largest stretch of one axis against the other, as a natural logarithm.
    pub stretch: f32,
    /// Largest bend, fraction of the digit's longer side.
    pub bend: f32,
    /// Share of samples with strokes made thinner or wider.
    pub width: f64,
    /// Share of samples with faint or blurred ink.
    pub faint: f64,
    /// Share of samples with remains of the frame, the neighbour or specks.
    pub remains: f64,
    /// Share of samples with a gap where a line was removed.
    pub gap: f64,
}

impl Default for Augmentation {
    /// Empirically chosen on held-out writers.
    fn default() -> Self {
        Self {
            untouched: 0.2,
            turn_deg: 16.0,
            slant: 0.35,
            stretch: 0.25,
            bend: 0.07,
            width: 0.6,
            faint: 0.3,
            remains: 0.15,
            gap: 0.06,
        }
    }
}

/// `sample` changed as `rng` has it, normalised. `None` where there is no ink.
pub(super) fn augmented(sample: &Sample, params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Glyph> {
    if rng.random_bool(params.untouched) {
        return sample.glyph();
    }
    let mut canvas = drawn(&sample.ink, params, rng)?;
    if rng.random_bool(params.gap) {
        gap(&mut canvas, rng);
    }
    if rng.random_bool(params.remains) {
        remains(&mut canvas, rng);
    }
    let ink = if rng.random_bool(params.faint) { rng.random_range(90.0..220.0) } else { 255.0 };
    normalise(&canvas.to_ink(ink))
}

/// How one hand writes with one pen.
#[derive(Debug, Clone)]
pub(super) struct Hand {
    /// Turn, radians.
    pub turn: f32,
    /// Pixels sideways a pixel up.
    pub slant: f32,
    /// Width against height.
    pub stretch: f32,
    /// Size of the digits, as a share of [`DRAWN_SIDE`].
    pub size: f32,
    /// How far the paper bends, pixels.
    pub bend: f32,
    /// How steep the strokes' edges are, and at what share of full ink they lie.
    pub steepness: f32,
    pub threshold: f32,
    /// Pixels by which strokes are wider (`true`) or thinner.
    pub growth: Option<(f32, bool)>,
    /// How blurred the ink is, where it is faint.
    pub blur: Option<f32>,
}

impl Hand {
    /// Any hand.
    pub fn any(params: &Augmentation, rng: &mut ChaCha8Rng) -> Self {
        Self {
            turn: triangular(rng, params.turn_deg).to_radians(),
            slant: triangular(rng, params.slant),
            stretch: (triangular(rng, params.stretch) / 2.0).exp(),
            size: rng.random_range(0.85..1.1),
            bend: triangular(rng, params.bend).abs() * DRAWN_SIDE,
            // MNIST's digits are enlarged here, and so are blurred: a steeper edge is what a scan would have
            steepness: rng.random_range(1.2..2.6),
            threshold: if rng.random_bool(params.width) { rng.random_range(0.3..0.68) } else { 0.5 },
            growth: rng.random_bool(params.width).then(|| (rng.random_range(0.0..0.9), rng.random_bool(0.5))),
            blur: rng.random_bool(params.faint).then(|| rng.random_range(0.0..1.0)),
        }
    }
}

/// Ink on a canvas as any hand would have written it.
pub(super) fn drawn(ink: &GrayImage, params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let hand = Hand::any(params, rng);
    drawn_by(&hand, ink, rng)
}

/// Ink on a canvas, about in its middle and about [`DRAWN_SIDE`] long, as `hand` would have written it.
pub(super) fn drawn_by(hand: &Hand, ink: &GrayImage, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let mut canvas = warped(ink, hand, rng)?;
    for pixel in &mut canvas.pixels {
        *pixel = ((*pixel - hand.threshold) * hand.steepness + 0.5).clamp(0.0, 1.0);
    }
    if let Some((by, wider)) = hand.growth {
        canvas.grow(by, wider);
    }
    if let Some(share) = hand.blur {
        canvas.blur(share);
        patchy(&mut canvas, rng);
    }
    Some(canvas)
}

/// Nodes of the grid of displacements, along each side.
const BEND_NODES: usize = 5;

fn warped(ink: &GrayImage, hand: &Hand, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let bounds = ink_bounds(ink)?;
    let [left, top, right, bottom] = bounds;
    let (source_x, source_y) = ((left + right) / 2.0, (top + bottom) / 2.0);
    let scale = (right - left).max(bottom - top) / DRAWN_SIDE;

    let (sin, cos) = hand.turn.sin_cos();
    let mut bends = [[(0.0f32, 0.0f32); BEND_NODES]; BEND_NODES];
    for node in bends.iter_mut().flatten() {
        *node = (rng.random_range(-1.0..1.0) * hand.bend, rng.random_range(-1.0..1.0) * hand.bend);
    }

    let middle = CANVAS_SIDE as f32 / 2.0;
    let mut canvas = Canvas::new();
    for (i, pixel) in canvas.pixels.iter_mut().enumerate() {
        let (x, y) = ((i % CANVAS_SIDE) as f32 + 0.5, (i / CANVAS_SIDE) as f32 + 0.5);
        let bend = interpolated(&bends, x, y);
        let (dx, dy) = (x - middle + bend.0, y - middle + bend.1);
        // from canvas back to source: size, turn, slant, stretch
        let (tx, ty) = ((cos * dx + sin * dy) / hand.size, (cos * dy - sin * dx) / hand.size);
        let (sx, sy) = ((tx + hand.slant * ty) / hand.stretch, ty * hand.stretch);
        *pixel = sampled(ink, source_x + sx * scale, source_y + sy * scale);
    }
    Some(canvas)
}

/// Bilinear between the nodes of the grid.
fn interpolated(bends: &[[Spot; BEND_NODES]; BEND_NODES], x: f32, y: f32) -> Spot {
    let place = |at: f32| {
        let cell = at / CANVAS_SIDE as f32 * (BEND_NODES - 1) as f32;
        let node = (cell as usize).min(BEND_NODES - 2);
        (node, cell - node as f32)
    };
    let ((i, u), (j, v)) = (place(x), place(y));
    let mix = |pick: fn(Spot) -> f32| {
        let upper = pick(bends[j][i]) * (1.0 - u) + pick(bends[j][i + 1]) * u;
        let lower = pick(bends[j + 1][i]) * (1.0 - u) + pick(bends[j + 1][i + 1]) * u;
        upper * (1.0 - v) + lower * v
    };
    (mix(|spot| spot.0), mix(|spot| spot.1))
}

/// Bilinear between pixel centres, 0 to 1; paper beyond the edge.
fn sampled(ink: &GrayImage, x: f32, y: f32) -> f32 {
    let (width, height) = (ink.width() as i32, ink.height() as i32);
    let (x, y) = (x - 0.5, y - 0.5);
    if x < -1.0 || y < -1.0 || x > width as f32 || y > height as f32 {
        return 0.0;
    }
    let (i, j) = (x.floor() as i32, y.floor() as i32);
    let (u, v) = (x - i as f32, y - j as f32);
    let at = |i: i32, j: i32| {
        let inside = (0..width).contains(&i) && (0..height).contains(&j);
        if inside { f32::from(ink.as_raw()[(j * width + i) as usize]) } else { 0.0 }
    };
    let upper = at(i, j) * (1.0 - u) + at(i + 1, j) * u;
    let lower = at(i, j + 1) * (1.0 - u) + at(i + 1, j + 1) * u;
    (upper * (1.0 - v) + lower * v) / 255.0
}

fn ink_bounds(ink: &GrayImage) -> Option<[f32; 4]> {
    let mut bounds: Option<[f32; 4]> = None;
    for (x, y, _) in ink.enumerate_pixels().filter(|(_, _, v)| v[0] > 64) {
        let (x, y) = (x as f32, y as f32);
        let b = bounds.get_or_insert([x, y, x, y]);
        *b = [b[0].min(x), b[1].min(y), b[2].max(x + 1.0), b[3].max(y + 1.0)];
    }
    bounds
}

/// A patch or two of paler ink: a pen that fails, a hand that presses less.
fn patchy(canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
    for _ in 0..rng.random_range(0..3) {
        let (x, y) = (rng.random_range(12.0..52.0), rng.random_range(12.0..52.0));
        let (radius, loss) = (rng.random_range(4.0..12.0f32), rng.random_range(0.2..0.7f32));
        for (i, pixel) in canvas.pixels.iter_mut().enumerate() {
            let (dx, dy) = ((i % CANVAS_SIDE) as f32 - x, (i / CANVAS_SIDE) as f32 - y);
            *pixel *= 1.0 - loss * (1.0 - dx.hypot(dy) / radius).max(0.0);
        }
    }
}

/// A thin straight band wiped through the digit.
fn gap(canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
    let Some([left, top, right, bottom]) = canvas.bounds() else { return };
    let half = rng.random_range(0.5..1.6);
    if rng.random_bool(0.6) {
        let at = rng.random_range(top..bottom.max(top + 1.0));
        canvas.wipe(|_, y| (y - at).abs() < half);
    } else {
        let at = rng.random_range(left..right.max(left + 1.0));
        canvas.wipe(|x, _| (x - at).abs() < half);
    }
}

/// What the steps before the net may leave beside a digit, small against it.
fn remains(canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
    let Some([left, top, right, bottom]) = canvas.bounds() else { return };
    let height = bottom - top;
    match rng.random_range(0..10) {
        // specks
        0..4 => {
            for _ in 0..rng.random_range(1..4) {
                let at = (rng.random_range(left - 5.0..right + 5.0), rng.random_range(top - 4.0..bottom + 4.0));
                canvas.stroke(&[at], rng.random_range(0.8..2.6), rng.random_range(0.3..1.0));
            }
        }
        // a piece of a line of the frame, close by or crossing
        4..8 => {
            let thickness = rng.random_range(0.6..2.0);
            let ink = rng.random_range(0.4..1.0);
            let length = rng.random_range(0.15..0.5) * DRAWN_SIDE;
            let tilt = rng.random_range(-1.0..1.0);
            if rng.random_bool(0.6) {
                let y = if rng.random_bool(0.75) { bottom } else { top } + rng.random_range(-3.0..2.0);
                let x = rng.random_range(left - 4.0..right.max(left - 3.0));
                canvas.stroke(&[(x, y), (x + length, y + tilt)], thickness, ink);
            } else {
                let x = if rng.random_bool(0.5) { left } else { right } + rng.random_range(-3.0..3.0);
                let y = rng.random_range(top..bottom.max(top + 1.0));
                canvas.stroke(&[(x, y), (x + tilt, (y + length * 0.6).min(bottom + 3.0))], thickness, ink);
            }
        }
        // a sliver of the neighbour
        _ => {
            let side = if rng.random_bool(0.5) { left - 3.0 } else { right + 3.0 };
            let y = top + rng.random_range(0.0..0.8) * height;
            let end = y + rng.random_range(0.05..0.3) * height;
            let bulge = rng.random_range(-2.0..2.0);
            let path = [(side, y), (side + bulge, (y + end) / 2.0), (side, end)];
            canvas.stroke(&path, rng.random_range(1.0..3.5), rng.random_range(0.5..1.0));
        }
    }
}

/// Between `-reach` and `reach`, likelier near 0.
pub(super) fn triangular(rng: &mut ChaCha8Rng, reach: f32) -> f32 {
    (rng.random_range(-0.5..0.5f32) + rng.random_range(-0.5..0.5f32)) * reach
}
