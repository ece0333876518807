//! A small canvas on which training samples are drawn before they are normalised.

use image::{GrayImage, Luma};

/// Default side of the canvas, pixels.
pub(super) const CANVAS_SIDE: usize = 64;

/// Longer side of a digit on it, pixels: twice a normalised glyph's.
pub(super) const DRAWN_SIDE: f32 = 40.0;

/// A grey image, 64 x 64 by default.
#[derive(Clone)]
pub(super) struct Canvas {
    /// [H, W] f32 row-major, paper 0 .. ink 1.
    pub pixels: Vec<f32>,
    /// W.
    pub width: usize,
}

/// Pixels with more than this share of full ink count as ink.
pub(super) const MIN_INK: f32 = 0.33;

/// A point on the canvas: x and y in pixels from the left top corner.
pub(super) type Point = (f32, f32);

impl Canvas {
    /// An empty canvas, 64 x 64.
    pub fn new() -> Self {
        Self::sized(CANVAS_SIDE, CANVAS_SIDE)
    }

    /// An empty canvas of another size.
    pub fn sized(width: usize, height: usize) -> Self {
        Self { pixels: vec![0.0; width * height], width }
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    /// Draws a stroke along `path`, `width` pixels wide, with edges anti-aliased over one pixel. The darker value wins.
    pub fn stroke(&mut self, path: &[Point], width: f32, ink: f32) {
        for pair in path.windows(2) {
            self.line(pair[0], pair[1], width, ink);
        }
        if let [spot] = path {
            self.line(*spot, *spot, width, ink);
        }
    }

    fn line(&mut self, a: Point, b: Point, width: f32, ink: f32) {
        let reach = width / 2.0 + 1.0;
        let range = |low: f32, high: f32, side: usize| {
            let last = (side - 1) as f32;
            ((low - reach).floor().clamp(0.0, last) as usize)..=((high + reach).ceil().clamp(0.0, last) as usize)
        };
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length_squared = dx * dx + dy * dy;
        for y in range(a.1.min(b.1), a.1.max(b.1), self.height()) {
            for x in range(a.0.min(b.0), a.0.max(b.0), self.width) {
                let (px, py) = (x as f32 + 0.5 - a.0, y as f32 + 0.5 - a.1);
                let along =
                    if length_squared > 0.0 { ((px * dx + py * dy) / length_squared).clamp(0.0, 1.0) } else { 0.0 };
                let distance = (px - along * dx).hypot(py - along * dy);
                let cover = (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0) * width.min(1.0);
                let pixel = &mut self.pixels[y * self.width + x];
                *pixel = pixel.max(cover * ink);
            }
        }
    }

    /// Takes the darker value of both, pixel by pixel. `other` is moved by (dx, dy) pixels.
    pub fn overlay(&mut self, other: &Self, dx: i32, dy: i32) {
        let (width, height) = (self.width as i32, self.height() as i32);
        for (v, row) in other.pixels.chunks_exact(other.width).enumerate() {
            let y = v as i32 + dy;
            for (u, &ink) in row.iter().enumerate() {
                let x = u as i32 + dx;
                if (0..width).contains(&x) && (0..height).contains(&y) {
                    let pixel = &mut self.pixels[(y * width + x) as usize];
                    *pixel = pixel.max(ink);
                }
            }
        }
    }

    /// Left, top, right and bottom of the ink (above [`MIN_INK`]), pixels; right and bottom exclusive.
    pub fn bounds(&self) -> Option<[f32; 4]> {
        let mut bounds: Option<[f32; 4]> = None;
        for (i, _) in self.pixels.iter().enumerate().filter(|(_, v)| **v > MIN_INK) {
            let (x, y) = ((i % self.width) as f32, (i / self.width) as f32);
            let b = bounds.get_or_insert([x, y, x, y]);
            *b = [b[0].min(x), b[1].min(y), b[2].max(x + 1.0), b[3].max(y + 1.0)];
        }
        bounds
    }

    /// Sum of the ink, in pixels of full ink.
    pub fn mass(&self) -> f32 {
        self.pixels.iter().sum()
    }

    /// Erases every pixel whose centre fulfils `is_erased(x, y)`.
    pub fn wipe(&mut self, is_erased: impl Fn(f32, f32) -> bool) {
        let width = self.width;
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            if is_erased((i % width) as f32 + 0.5, (i / width) as f32 + 0.5) {
                *pixel = 0.0;
            }
        }
    }

    /// Grey dilation (`darkest` of the four neighbours) or erosion (lightest), mixed in by `share`: strokes grow or
    /// shrink by that many pixels on each side.
    pub fn grow(&mut self, share: f32, darkest: bool) {
        let before = self.pixels.clone();
        let (width, height) = (self.width, self.height());
        for y in 1..height - 1 {
            for x in 1..width - 1 {
                let i = y * width + x;
                let around = [before[i - 1], before[i + 1], before[i - width], before[i + width]];
                let pick = if darkest { f32::max } else { f32::min };
                let extreme = around.into_iter().fold(before[i], pick);
                self.pixels[i] = before[i] + share * (extreme - before[i]);
            }
        }
    }

    /// Blurs with the kernel (1, 2, 1) / 4 in both directions, mixed in by `share`.
    pub fn blur(&mut self, share: f32) {
        let (width, height) = (self.width, self.height());
        let before = &self.pixels;
        let mut across = before.clone();
        for y in 0..height {
            for x in 1..width - 1 {
                let i = y * width + x;
                across[i] = (before[i - 1] + 2.0 * before[i] + before[i + 1]) / 4.0;
            }
        }
        for y in 1..height - 1 {
            for x in 0..width {
                let i = y * width + x;
                let mean = (across[i - width] + 2.0 * across[i] + across[i + width]) / 4.0;
                self.pixels[i] += share * (mean - self.pixels[i]);
            }
        }
    }

    /// The image for [`formread_core::normalise::normalise`]; `ink` is the grey value of full ink.
    pub fn to_ink(&self, ink: f32) -> GrayImage {
        let (width, height) = (self.width as u32, self.height() as u32);
        GrayImage::from_fn(width, height, |x, y| {
            Luma([(self.pixels[(y * width + x) as usize].clamp(0.0, 1.0) * ink).round() as u8])
        })
    }
}
