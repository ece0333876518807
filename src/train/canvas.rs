//! A small sheet to draw on: where training samples are made before they are normalised.

use image::{GrayImage, Luma};

/// Side of the sheet, pixels.
pub(super) const CANVAS_SIDE: usize = 64;

/// Longer side of a digit on it, pixels: twice a normalised glyph's.
pub(super) const DRAWN_SIDE: f32 = 40.0;

/// [64, 64] f32 row-major, paper 0 .. ink 1.
#[derive(Clone)]
pub(super) struct Canvas(pub Vec<f32>);

/// A place on the sheet, pixels from the left top corner.
pub(super) type Spot = (f32, f32);

impl Canvas {
    /// Paper.
    pub fn new() -> Self {
        Self(vec![0.0; CANVAS_SIDE * CANVAS_SIDE])
    }

    /// A stroke along `path`, `width` pixels wide, with edges anti-aliased over one pixel. Where ink is already, the
    /// darker counts.
    pub fn stroke(&mut self, path: &[Spot], width: f32, ink: f32) {
        for pair in path.windows(2) {
            self.line(pair[0], pair[1], width, ink);
        }
        if let [spot] = path {
            self.line(*spot, *spot, width, ink);
        }
    }

    fn line(&mut self, a: Spot, b: Spot, width: f32, ink: f32) {
        let reach = width / 2.0 + 1.0;
        let range = |low: f32, high: f32| {
            let last = (CANVAS_SIDE - 1) as f32;
            ((low - reach).floor().clamp(0.0, last) as usize)..=((high + reach).ceil().clamp(0.0, last) as usize)
        };
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length_squared = dx * dx + dy * dy;
        for y in range(a.1.min(b.1), a.1.max(b.1)) {
            for x in range(a.0.min(b.0), a.0.max(b.0)) {
                let (px, py) = (x as f32 + 0.5 - a.0, y as f32 + 0.5 - a.1);
                let along =
                    if length_squared > 0.0 { ((px * dx + py * dy) / length_squared).clamp(0.0, 1.0) } else { 0.0 };
                let distance = (px - along * dx).hypot(py - along * dy);
                let cover = (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0) * width.min(1.0);
                let pixel = &mut self.0[y * CANVAS_SIDE + x];
                *pixel = pixel.max(cover * ink);
            }
        }
    }

    /// The darker of both, pixel by pixel; `other` is moved by (dx, dy) whole pixels.
    pub fn lay_over(&mut self, other: &Self, dx: i32, dy: i32) {
        let side = CANVAS_SIDE as i32;
        for y in 0..side {
            for x in 0..side {
                let (u, v) = (x - dx, y - dy);
                if (0..side).contains(&u) && (0..side).contains(&v) {
                    let from = other.0[(v * side + u) as usize];
                    let pixel = &mut self.0[(y * side + x) as usize];
                    *pixel = pixel.max(from);
                }
            }
        }
    }

    /// Left, top, right and bottom of what has more than a third of full ink, pixels; right and bottom exclusive.
    pub fn bounds(&self) -> Option<[f32; 4]> {
        let mut bounds: Option<[f32; 4]> = None;
        for (i, _) in self.0.iter().enumerate().filter(|(_, v)| **v > 0.33) {
            let (x, y) = ((i % CANVAS_SIDE) as f32, (i / CANVAS_SIDE) as f32);
            let b = bounds.get_or_insert([x, y, x, y]);
            *b = [b[0].min(x), b[1].min(y), b[2].max(x + 1.0), b[3].max(y + 1.0)];
        }
        bounds
    }

    /// All ink together, in pixels of full ink.
    pub fn mass(&self) -> f32 {
        self.0.iter().sum()
    }

    /// Wipes everything of which `wiped(x, y)` is true, pixel centres.
    pub fn wipe(&mut self, wiped: impl Fn(f32, f32) -> bool) {
        for (i, pixel) in self.0.iter_mut().enumerate() {
            if wiped((i % CANVAS_SIDE) as f32 + 0.5, (i / CANVAS_SIDE) as f32 + 0.5) {
                *pixel = 0.0;
            }
        }
    }

    /// Grey dilation (`darkest` of the four neighbours) or erosion (lightest), mixed in by `share`: strokes grow or
    /// shrink by that many pixels on each side.
    pub fn grow(&mut self, share: f32, darkest: bool) {
        let before = self.0.clone();
        let side = CANVAS_SIDE;
        for y in 1..side - 1 {
            for x in 1..side - 1 {
                let i = y * side + x;
                let around = [before[i - 1], before[i + 1], before[i - side], before[i + side]];
                let pick = if darkest { f32::max } else { f32::min };
                let extreme = around.into_iter().fold(before[i], pick);
                self.0[i] = before[i] + share * (extreme - before[i]);
            }
        }
    }

    /// Each pixel's average with its neighbours, (1, 2, 1) / 4 both ways, mixed in by `share`.
    pub fn blur(&mut self, share: f32) {
        let side = CANVAS_SIDE;
        let mut across = self.0.clone();
        for y in 0..side {
            for x in 1..side - 1 {
                let i = y * side + x;
                across[i] = (self.0[i - 1] + 2.0 * self.0[i] + self.0[i + 1]) / 4.0;
            }
        }
        for y in 1..side - 1 {
            for x in 0..side {
                let i = y * side + x;
                let mean = (across[i - side] + 2.0 * across[i] + across[i + side]) / 4.0;
                self.0[i] += share * (mean - self.0[i]);
            }
        }
    }

    /// As [`crate::normalise::normalise`] takes it, with `ink` as the grey value of full ink.
    pub fn to_ink(&self, ink: f32) -> GrayImage {
        let side = CANVAS_SIDE as u32;
        GrayImage::from_fn(side, side, |x, y| {
            Luma([(self.0[(y * side + x) as usize].clamp(0.0, 1.0) * ink).round() as u8])
        })
    }
}
