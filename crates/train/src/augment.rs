//! Augmentation: changes a digit as another writer, pen and scanner would.
//!
//! Slant, rotation, stretch and elastic distortion (Simard, Steinkraus and Platt, "Best practices for convolutional neural
//! networks", ICDAR 2003; here the displacement field is an interpolated coarse grid, which is as smooth
//! as theirs and cheaper), stroke width, and the artefacts that the stages before the net leave in a crop: specks, a piece of
//! the printed frame, a sliver of the neighbour, a gap where a printed line was removed.

use image::GrayImage;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, Point};
use formread_core::normalise::{Glyph, normalise};
use formread_tools::dataset::Sample;

/// Strength of augmentation. Larger values add variety and cost accuracy on clean digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augmentation {
    /// Share of samples that stay unchanged.
    pub untouched: f64,
    /// Largest rotation, degrees; small ones are more frequent.
    pub turn_deg: f32,
    /// Largest slant, horizontal pixels per vertical pixel.
    pub slant: f32,
    /// Largest stretch of one axis relative to the other, natural logarithm.
    pub stretch: f32,
    /// Largest displacement of the elastic distortion, fraction of the digit's longer side.
    pub bend: f32,
    /// Share of samples with thinner or wider strokes.
    pub width: f64,
    /// Share of samples with faint or blurred ink.
    pub faint: f64,
    /// Share of samples with specks or pieces of the frame or of the neighbour.
    pub artefacts: f64,
    /// Share of samples with a gap where a line was removed.
    pub gap: f64,
}

impl Default for Augmentation {
    /// Chosen empirically on held-out writers; the set is not recorded.
    fn default() -> Self {
        Self {
            untouched: 0.2,
            turn_deg: 16.0,
            slant: 0.35,
            stretch: 0.25,
            bend: 0.07,
            width: 0.6,
            faint: 0.3,
            artefacts: 0.15,
            gap: 0.06,
        }
    }
}

/// `sample` changed at random and normalised. `None` where there is no ink.
pub(super) fn augment(sample: &Sample, params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Glyph> {
    if rng.random_bool(params.untouched) {
        return sample.glyph();
    }
    let mut canvas = draw_in_random_style(&sample.ink, params, rng)?;
    if rng.random_bool(params.gap) {
        erase_band(&mut canvas, rng);
    }
    if rng.random_bool(params.artefacts) {
        add_artefacts(&mut canvas, rng);
    }
    let ink = if rng.random_bool(params.faint) { rng.random_range(90.0..220.0) } else { 255.0 };
    normalise(&canvas.to_ink(ink))
}

/// How one writer writes with one pen.
#[derive(Debug, Clone)]
pub(super) struct WriterStyle {
    /// Rotation, radians.
    pub turn: f32,
    /// Slant, horizontal pixels per vertical pixel.
    pub slant: f32,
    /// Stretch of width against height.
    pub stretch: f32,
    /// Size of the digits, as a share of [`DRAWN_SIDE`].
    pub size: f32,
    /// Largest displacement of the elastic distortion, pixels.
    pub bend: f32,
    /// Slope of the strokes' edges, and the share of full ink at which they lie.
    pub steepness: f32,
    pub threshold: f32,
    /// Pixels by which strokes are wider (`true`) or thinner (`false`).
    pub growth: Option<(f32, bool)>,
    /// Amount of blur, where the ink is faint, 0 to 1.
    pub blur: Option<f32>,
}

impl WriterStyle {
    /// A random style.
    pub fn random(params: &Augmentation, rng: &mut ChaCha8Rng) -> Self {
        Self {
            turn: triangular(rng, params.turn_deg).to_radians(),
            slant: triangular(rng, params.slant),
            stretch: (triangular(rng, params.stretch) / 2.0).exp(),
            size: rng.random_range(0.85..1.1),
            bend: triangular(rng, params.bend).abs() * DRAWN_SIDE,
            // MNIST's digits are enlarged here and so blurred; steeper edges are like those of a scan
            steepness: rng.random_range(1.2..2.6),
            threshold: if rng.random_bool(params.width) { rng.random_range(0.3..0.68) } else { 0.5 },
            growth: rng.random_bool(params.width).then(|| (rng.random_range(0.0..0.9), rng.random_bool(0.5))),
            blur: rng.random_bool(params.faint).then(|| rng.random_range(0.0..1.0)),
        }
    }
}

/// Draws ink on a canvas in a random style.
pub(super) fn draw_in_random_style(ink: &GrayImage, params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let style = WriterStyle::random(params, rng);
    draw_as(&style, ink, rng)
}

/// Draws ink in the middle of a canvas in `style`, about [`DRAWN_SIDE`] long.
pub(super) fn draw_as(style: &WriterStyle, ink: &GrayImage, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let mut canvas = warp(ink, style, rng)?;
    for pixel in &mut canvas.pixels {
        *pixel = ((*pixel - style.threshold) * style.steepness + 0.5).clamp(0.0, 1.0);
    }
    if let Some((by, wider)) = style.growth {
        canvas.grow(by, wider);
    }
    if let Some(share) = style.blur {
        canvas.blur(share);
        fade_patches(&mut canvas, rng);
    }
    Some(canvas)
}

/// Nodes of the displacement grid along each side.
const BEND_NODES: usize = 5;

fn warp(ink: &GrayImage, style: &WriterStyle, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let bounds = ink_bounds(ink)?;
    let [left, top, right, bottom] = bounds;
    let (source_x, source_y) = ((left + right) / 2.0, (top + bottom) / 2.0);
    let scale = (right - left).max(bottom - top) / DRAWN_SIDE;

    let (sin, cos) = style.turn.sin_cos();
    let mut bends = [[(0.0f32, 0.0f32); BEND_NODES]; BEND_NODES];
    for node in bends.iter_mut().flatten() {
        *node = (rng.random_range(-1.0..1.0) * style.bend, rng.random_range(-1.0..1.0) * style.bend);
    }

    let middle = CANVAS_SIDE as f32 / 2.0;
    let mut canvas = Canvas::new();
    for (i, pixel) in canvas.pixels.iter_mut().enumerate() {
        let (x, y) = ((i % CANVAS_SIDE) as f32 + 0.5, (i / CANVAS_SIDE) as f32 + 0.5);
        let bend = interpolate(&bends, x, y);
        let (dx, dy) = (x - middle + bend.0, y - middle + bend.1);
        // from canvas back to source: size, turn, slant, stretch
        let (tx, ty) = ((cos * dx + sin * dy) / style.size, (cos * dy - sin * dx) / style.size);
        let (sx, sy) = ((tx + style.slant * ty) / style.stretch, ty * style.stretch);
        *pixel = sample_bilinear(ink, source_x + sx * scale, source_y + sy * scale);
    }
    Some(canvas)
}

/// Bilinear interpolation between the nodes of the grid.
fn interpolate(bends: &[[Point; BEND_NODES]; BEND_NODES], x: f32, y: f32) -> Point {
    let place = |at: f32| {
        let cell = at / CANVAS_SIDE as f32 * (BEND_NODES - 1) as f32;
        let node = (cell as usize).min(BEND_NODES - 2);
        (node, cell - node as f32)
    };
    let ((i, u), (j, v)) = (place(x), place(y));
    let mix = |pick: fn(Point) -> f32| {
        let upper = pick(bends[j][i]) * (1.0 - u) + pick(bends[j][i + 1]) * u;
        let lower = pick(bends[j + 1][i]) * (1.0 - u) + pick(bends[j + 1][i + 1]) * u;
        upper * (1.0 - v) + lower * v
    };
    (mix(|spot| spot.0), mix(|spot| spot.1))
}

/// Bilinear interpolation between pixel centres, 0 to 1; paper (0) outside the image.
fn sample_bilinear(ink: &GrayImage, x: f32, y: f32) -> f32 {
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

/// Fades up to two patches, as where a pen presses less.
fn fade_patches(canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
    for _ in 0..rng.random_range(0..3) {
        let (x, y) = (rng.random_range(12.0..52.0), rng.random_range(12.0..52.0));
        let (radius, loss) = (rng.random_range(4.0..12.0f32), rng.random_range(0.2..0.7f32));
        for (i, pixel) in canvas.pixels.iter_mut().enumerate() {
            let (dx, dy) = ((i % CANVAS_SIDE) as f32 - x, (i / CANVAS_SIDE) as f32 - y);
            *pixel *= 1.0 - loss * (1.0 - dx.hypot(dy) / radius).max(0.0);
        }
    }
}

/// Erases a thin straight band through the digit.
fn erase_band(canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
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

/// Adds what the stages before the net may leave beside a digit, small relative to it.
fn add_artefacts(canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
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

/// A random number between `-reach` and `reach` with a triangular distribution, so that values near 0 are more frequent.
pub(super) fn triangular(rng: &mut ChaCha8Rng, reach: f32) -> f32 {
    (rng.random_range(-0.5..0.5f32) + rng.random_range(-0.5..0.5f32)) * reach
}
