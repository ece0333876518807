//! Digits drawn from strokes in the forms of different countries: the 1 with a long upstroke, the crossed 7, the open 4, the
//! looped 2, the 9 that hangs from its loop. Collections of real digits come from few places, and a net cannot read a form
//! that is missing in them.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::augment::triangular;
use super::canvas::{Canvas, Point};
use formread_core::scores::N_DIGITS;
use formread_tools::dataset::{GlyphSet, Sample};

/// Side of a drawn sample, pixels, and the height of a digit on it.
const SIDE: usize = 96;
const DIGIT_HEIGHT: f32 = 66.0;

/// Samples of each digit per writer.
const SAMPLES_PER_DIGIT: usize = 8;

/// Deviation of a writer's form from its model, and of each sample from the writer's form; shares of the height.
const FORM_SPREAD: f32 = 0.11;
const SAMPLE_SPREAD: f32 = 0.045;

/// Points of the curve between two points of a stroke.
const CURVE_STEPS: usize = 6;

/// A stroke: its points, in shares of the digit's height from the left upper corner. A repeated point is a corner.
pub(super) type Stroke = &'static [Point];

/// One form of a digit.
pub(super) type Allograph = &'static [Stroke];

/// The forms of each digit.
const ALLOGRAPHS: [&[Allograph]; N_DIGITS] = [
    &[
        &[&[(0.35, 0.0), (0.08, 0.25), (0.05, 0.6), (0.3, 1.0), (0.58, 0.7), (0.58, 0.3), (0.35, 0.0)]],
        &[&[(0.42, 0.06), (0.12, 0.2), (0.04, 0.6), (0.28, 1.0), (0.58, 0.75), (0.6, 0.3), (0.35, 0.02), (0.2, 0.1)]],
        &[&[
            (0.5, 0.08),
            (0.15, 0.12),
            (0.03, 0.55),
            (0.28, 1.0),
            (0.58, 0.7),
            (0.52, 0.2),
            (0.3, 0.05),
            (0.45, 0.14),
            (0.75, 0.05),
        ]],
        &[&[
            (0.3, 0.06),
            (0.06, 0.35),
            (0.1, 0.85),
            (0.35, 1.0),
            (0.56, 0.65),
            (0.48, 0.15),
            (0.3, 0.02),
            (0.9, -0.04),
        ]],
        &[&[(-0.2, 0.1), (0.25, 0.04), (0.06, 0.4), (0.14, 0.9), (0.42, 0.96), (0.56, 0.5), (0.4, 0.08), (0.22, 0.08)]],
        &[&[
            (-0.25, 0.42),
            (0.2, 0.4),
            (0.46, 0.1),
            (0.26, 0.0),
            (0.05, 0.4),
            (0.2, 0.98),
            (0.52, 0.8),
            (0.54, 0.3),
            (0.4, 0.12),
            (0.9, 0.3),
        ]],
        &[&[
            (-0.3, 0.2),
            (0.3, 0.3),
            (0.5, 0.05),
            (0.2, 0.02),
            (0.06, 0.5),
            (0.3, 1.0),
            (0.6, 0.6),
            (0.5, 0.15),
            (0.6, 0.2),
            (0.95, 0.14),
        ]],
    ],
    &[
        &[&[(0.3, 0.0), (0.28, 1.0)]],
        &[&[(0.08, 0.25), (0.3, 0.0), (0.3, 0.0), (0.28, 1.0)]],
        &[&[(0.0, 0.5), (0.38, 0.0), (0.38, 0.0), (0.36, 1.0)]],
        &[&[(-0.08, 0.75), (0.4, 0.0), (0.4, 0.0), (0.35, 1.0)]],
        &[&[(0.08, 0.25), (0.3, 0.0), (0.3, 0.0), (0.28, 1.0)], &[(0.02, 1.0), (0.52, 0.98)]],
        &[&[(0.1, 0.06), (0.3, 0.08), (0.32, 0.5), (0.26, 1.0)]],
        &[&[(0.05, 0.2), (0.32, 0.0), (0.32, 0.0), (0.3, 0.85), (0.15, 1.0), (0.0, 0.92)]],
        &[&[(-0.1, 0.6), (0.3, 0.02), (0.3, 0.02), (0.3, 1.0)]],
        &[&[(-0.05, 0.42), (0.2, 0.2), (0.36, 0.0), (0.36, 0.0), (0.22, 1.0)]],
    ],
    &[
        &[&[(0.05, 0.22), (0.25, 0.0), (0.5, 0.15), (0.42, 0.5), (0.05, 1.0), (0.05, 1.0), (0.6, 0.97)]],
        &[&[
            (0.05, 0.2),
            (0.28, 0.0),
            (0.5, 0.2),
            (0.35, 0.65),
            (0.08, 0.98),
            (0.02, 0.85),
            (0.2, 0.82),
            (0.4, 0.97),
            (0.65, 0.92),
        ]],
        &[&[
            (0.2, 0.45),
            (0.03, 0.25),
            (0.2, 0.0),
            (0.5, 0.1),
            (0.5, 0.4),
            (0.1, 0.97),
            (0.05, 0.88),
            (0.22, 0.85),
            (0.45, 0.98),
            (0.68, 0.88),
        ]],
        &[&[(0.05, 0.08), (0.5, 0.02), (0.5, 0.02), (0.05, 1.0), (0.05, 1.0), (0.58, 0.97)]],
        &[&[
            (0.3, 0.36),
            (0.1, 0.3),
            (0.12, 0.05),
            (0.4, 0.0),
            (0.52, 0.25),
            (0.36, 0.65),
            (0.1, 0.95),
            (0.04, 0.8),
            (0.24, 0.78),
            (0.42, 0.95),
            (0.7, 0.84),
        ]],
        &[&[
            (0.45, 0.48),
            (0.12, 0.42),
            (0.08, 0.1),
            (0.4, 0.0),
            (0.52, 0.3),
            (0.3, 0.75),
            (0.06, 0.96),
            (0.08, 0.8),
            (0.3, 0.84),
            (0.6, 1.0),
        ]],
        &[&[
            (0.28, 0.4),
            (0.06, 0.3),
            (0.12, 0.04),
            (0.44, 0.0),
            (0.52, 0.3),
            (0.3, 0.7),
            (0.04, 1.0),
            (0.04, 1.0),
            (0.6, 0.96),
        ]],
    ],
    &[
        &[&[(0.08, 0.1), (0.3, 0.0), (0.5, 0.18), (0.28, 0.45), (0.28, 0.45), (0.55, 0.7), (0.3, 1.0), (0.03, 0.88)]],
        &[&[
            (0.05, 0.02),
            (0.52, 0.02),
            (0.52, 0.02),
            (0.25, 0.4),
            (0.25, 0.4),
            (0.55, 0.65),
            (0.35, 0.98),
            (0.03, 0.9),
        ]],
        &[&[
            (0.08, 0.1),
            (0.3, 0.0),
            (0.5, 0.2),
            (0.3, 0.45),
            (0.2, 0.42),
            (0.3, 0.38),
            (0.55, 0.66),
            (0.38, 0.98),
            (0.02, 0.85),
        ]],
    ],
    &[
        &[&[(0.12, 0.0), (0.05, 0.55), (0.05, 0.55), (0.6, 0.55)], &[(0.48, 0.1), (0.45, 1.0)]],
        &[&[(0.42, 0.0), (0.03, 0.65), (0.03, 0.65), (0.65, 0.62)], &[(0.44, 0.0), (0.42, 1.0)]],
        &[&[(0.08, 0.0), (0.06, 0.35), (0.22, 0.5), (0.46, 0.4), (0.52, 0.05), (0.52, 0.05), (0.42, 1.0)]],
        &[&[(0.22, 0.0), (0.03, 0.6), (0.03, 0.6), (0.55, 0.55)], &[(0.42, 0.35), (0.36, 1.0)]],
        &[&[(0.3, 0.0), (0.02, 0.66), (0.12, 0.72), (0.62, 0.6)], &[(0.4, 0.32), (0.38, 1.0)]],
        &[&[(0.5, 0.04), (0.12, 0.42), (0.1, 0.58), (0.38, 0.5), (0.56, 0.06), (0.56, 0.06), (0.46, 1.0)]],
        &[&[(0.26, 0.0), (0.06, 0.45), (0.2, 0.52), (0.46, 0.28), (0.46, 0.28), (0.34, 1.0)]],
        &[&[(0.36, 0.0), (0.06, 0.62), (0.14, 0.78), (0.58, 0.66)], &[(0.46, 0.46), (0.4, 0.98)]],
        &[&[(0.4, 0.0), (0.02, 0.6), (0.16, 0.72), (0.3, 0.6), (0.56, 0.4), (0.5, 1.0)]],
        &[&[(0.5, 0.0), (0.06, 0.42), (0.06, 0.42), (0.52, 0.46), (0.52, 0.46), (0.5, 0.0), (0.5, 0.0), (0.46, 1.0)]],
        &[&[(0.46, 0.02), (0.02, 0.5), (0.02, 0.5), (0.56, 0.52)], &[(0.46, 0.02), (0.48, 1.0)]],
        &[&[(0.4, 0.0), (0.02, 0.8), (0.08, 0.9), (0.3, 0.84), (0.62, 0.72)]],
    ],
    &[
        &[
            &[(0.1, 0.02), (0.07, 0.42), (0.07, 0.42), (0.3, 0.38), (0.52, 0.65), (0.3, 1.0), (0.02, 0.9)],
            &[(0.1, 0.02), (0.52, 0.0)],
        ],
        &[&[
            (0.55, 0.0),
            (0.12, 0.04),
            (0.12, 0.04),
            (0.08, 0.42),
            (0.08, 0.42),
            (0.3, 0.38),
            (0.55, 0.66),
            (0.28, 1.0),
            (0.02, 0.92),
        ]],
        &[&[(0.52, 0.02), (0.15, 0.08), (0.15, 0.36), (0.45, 0.55), (0.4, 0.9), (0.05, 0.97)]],
        &[
            &[(0.14, 0.1), (0.1, 0.45), (0.1, 0.45), (0.42, 0.5), (0.42, 0.85), (0.02, 0.98)],
            &[(0.14, 0.1), (0.65, -0.04)],
        ],
        &[
            &[(0.35, 0.0), (0.16, 0.45), (0.16, 0.45), (0.36, 0.52), (0.26, 0.86), (0.0, 1.0)],
            &[(0.35, 0.0), (0.8, -0.05)],
        ],
        &[&[(0.62, 0.0), (0.26, 0.04), (0.18, 0.42), (0.18, 0.42), (0.4, 0.5), (0.34, 0.82), (0.02, 0.98)]],
        &[&[(0.02, 0.4), (0.16, 0.46), (0.26, 0.7), (0.16, 1.0), (0.16, 1.0), (0.3, 0.04), (0.3, 0.04), (0.8, 0.0)]],
        &[&[(0.74, 0.0), (0.3, 0.06), (0.3, 0.06), (0.22, 0.9), (0.16, 0.98), (0.0, 0.7)]],
    ],
    &[
        &[&[(0.42, 0.0), (0.12, 0.35), (0.06, 0.75), (0.28, 1.0), (0.5, 0.78), (0.3, 0.55), (0.08, 0.72)]],
        &[&[(0.3, 0.0), (0.06, 0.6), (0.15, 0.97), (0.42, 0.95), (0.45, 0.65), (0.25, 0.55), (0.08, 0.7)]],
        &[&[(0.5, 0.05), (0.2, 0.2), (0.04, 0.6), (0.25, 1.0), (0.55, 0.8), (0.45, 0.48), (0.1, 0.6)]],
    ],
    &[
        &[&[(0.05, 0.03), (0.55, 0.0), (0.55, 0.0), (0.22, 1.0)]],
        &[&[(0.05, 0.03), (0.55, 0.0), (0.55, 0.0), (0.22, 1.0)], &[(0.1, 0.52), (0.56, 0.46)]],
        &[&[(0.05, 0.2), (0.07, 0.03), (0.07, 0.03), (0.55, 0.02), (0.55, 0.02), (0.25, 1.0)]],
        &[
            &[(0.05, 0.2), (0.07, 0.03), (0.07, 0.03), (0.55, 0.02), (0.55, 0.02), (0.25, 1.0)],
            &[(0.08, 0.5), (0.55, 0.5)],
        ],
        &[
            &[(0.0, 0.08), (0.2, 0.0), (0.38, 0.08), (0.58, 0.0), (0.58, 0.0), (0.3, 0.5), (0.22, 1.0)],
            &[(0.08, 0.5), (0.55, 0.46)],
        ],
        &[&[(0.05, 0.1), (0.48, 0.03), (0.48, 0.03), (0.28, 1.0)], &[(0.0, 0.45), (0.66, 0.42)]],
        &[&[(0.16, 0.06), (0.38, 0.0), (0.38, 0.0), (0.26, 1.0)], &[(-0.04, 0.46), (0.66, 0.42)]],
        &[
            &[(0.02, 0.2), (0.1, 0.02), (0.3, 0.08), (0.52, 0.0), (0.52, 0.0), (0.34, 0.45), (0.2, 1.0)],
            &[(0.12, 0.5), (0.6, 0.42)],
        ],
    ],
    &[
        &[&[
            (0.5, 0.15),
            (0.28, 0.0),
            (0.08, 0.2),
            (0.3, 0.47),
            (0.55, 0.75),
            (0.28, 1.0),
            (0.04, 0.78),
            (0.28, 0.48),
            (0.5, 0.15),
        ]],
        &[
            &[(0.3, 0.0), (0.1, 0.22), (0.3, 0.45), (0.5, 0.22), (0.3, 0.0)],
            &[(0.3, 0.45), (0.03, 0.72), (0.3, 1.0), (0.57, 0.72), (0.3, 0.45)],
        ],
        &[&[
            (0.56, 0.05),
            (0.3, 0.45),
            (0.05, 0.8),
            (0.28, 1.0),
            (0.52, 0.78),
            (0.28, 0.45),
            (0.08, 0.15),
            (0.32, 0.0),
        ]],
        &[&[
            (0.5, 0.12),
            (0.26, 0.0),
            (0.08, 0.18),
            (0.24, 0.42),
            (0.5, 0.66),
            (0.3, 1.0),
            (0.06, 0.8),
            (0.3, 0.5),
            (0.6, 0.1),
        ]],
        &[&[(0.0, 0.12), (0.16, 0.12), (0.34, 0.5), (0.48, 0.82), (0.28, 1.0), (0.1, 0.8), (0.32, 0.42), (0.64, 0.04)]],
    ],
    &[
        &[&[(0.5, 0.2), (0.28, 0.0), (0.06, 0.25), (0.25, 0.48), (0.5, 0.25), (0.5, 0.25), (0.48, 1.0)]],
        &[&[
            (0.5, 0.15),
            (0.25, 0.0),
            (0.05, 0.25),
            (0.25, 0.5),
            (0.52, 0.2),
            (0.52, 0.2),
            (0.52, 0.7),
            (0.3, 1.0),
            (0.08, 0.9),
        ]],
        &[&[(0.5, 0.1), (0.2, 0.02), (0.05, 0.28), (0.22, 0.48), (0.5, 0.2), (0.5, 0.2), (0.35, 1.0)]],
        &[&[
            (0.35, 0.47),
            (0.56, 0.28),
            (0.42, 0.02),
            (0.18, 0.03),
            (0.08, 0.26),
            (0.3, 0.48),
            (0.34, 0.62),
            (0.3, 1.0),
        ]],
        &[&[
            (-0.06, 0.42),
            (0.22, 0.5),
            (0.54, 0.28),
            (0.4, 0.02),
            (0.14, 0.08),
            (0.14, 0.34),
            (0.34, 0.55),
            (0.3, 1.0),
        ]],
        &[&[(0.64, 0.1), (0.3, 0.0), (0.08, 0.2), (0.26, 0.44), (0.4, 0.44), (0.36, 0.6), (0.34, 1.0)]],
        &[&[(0.14, 1.0), (0.2, 0.4), (0.3, 0.03), (0.55, 0.1), (0.54, 0.4), (0.18, 0.5)]],
        &[&[(-0.05, 0.56), (0.3, 0.44), (0.5, 0.18), (0.3, 0.0), (0.12, 0.22), (0.14, 0.6), (0.26, 1.0)]],
        &[&[(0.1, 0.98), (0.26, 0.5), (0.4, 0.04), (0.6, 0.1), (0.56, 0.36), (0.24, 0.46)]],
        &[&[
            (0.5, 0.1),
            (0.24, 0.0),
            (0.06, 0.2),
            (0.2, 0.46),
            (0.5, 0.34),
            (0.54, 0.1),
            (0.54, 0.1),
            (0.3, 0.7),
            (0.06, 1.0),
        ]],
    ],
];

/// One writer's form of one digit or sign.
pub(super) struct Form {
    strokes: Vec<Vec<Point>>,
}

/// Draws the digits of `n_writers` invented writers, each with forms of their own.
pub(super) fn draw_digits(n_writers: usize, seed: u64) -> GlyphSet {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut samples = Vec::with_capacity(n_writers * N_DIGITS * SAMPLES_PER_DIGIT);
    for writer in 0..n_writers {
        let pen = rng.random_range(3.2..9.5);
        let stretch = rng.random_range(0.75..1.25);
        for (digit, allographs) in ALLOGRAPHS.iter().enumerate() {
            let form = Form::random(allographs[rng.random_range(0..allographs.len())], stretch, &mut rng);
            for _ in 0..SAMPLES_PER_DIGIT {
                let ink = form.draw(pen, &mut rng).to_ink(255.0);
                samples.push(Sample { ink, is_normalised: false, digit: digit as u8, writer: Some(writer) });
            }
        }
    }
    let writers = (0..n_writers).map(|writer| format!("{writer:04}")).collect();
    GlyphSet { name: "drawn".to_owned(), writers, samples, numbers: Vec::new(), is_tracked: false }
}

impl Form {
    /// A form after a model, `stretch` times as wide.
    pub fn random(allograph: Allograph, stretch: f32, rng: &mut ChaCha8Rng) -> Self {
        let strokes = allograph.iter().map(|stroke| {
            let points = stroke.iter().map(|&(x, y)| (x * stretch, y));
            perturb(points, FORM_SPREAD, rng)
        });
        Self { strokes: strokes.collect() }
    }

    fn draw(&self, pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
        let mut canvas = Canvas::sized(SIDE, SIDE);
        self.draw_on(&mut canvas, DIGIT_HEIGHT, SIDE as f32 / 2.0, pen, rng);
        canvas
    }

    /// Draws a sample of it, `height` pixels high, around `middle` in both directions.
    pub fn draw_on(&self, canvas: &mut Canvas, height: f32, middle: f32, pen: f32, rng: &mut ChaCha8Rng) {
        let pen = pen * rng.random_range(0.9..1.1);
        for stroke in &self.strokes {
            let on_canvas = |(x, y): Point| ((x - 0.3) * height + middle, (y - 0.5) * height + middle);
            let points = perturb(stroke.iter().copied(), SAMPLE_SPREAD, rng);
            let path: Vec<Point> = curve(&points).into_iter().map(on_canvas).collect();
            canvas.stroke(&path, pen, 1.0);
        }
    }
}

/// Moves each point at random; the two points of a corner move together.
fn perturb(points: impl Iterator<Item = Point>, reach: f32, rng: &mut ChaCha8Rng) -> Vec<Point> {
    let mut last: Option<(Point, Point)> = None;
    let move_point = |point: Point| {
        let moved = match last {
            Some((before, moved)) if before == point => moved,
            _ => (point.0 + triangular(rng, reach), point.1 + triangular(rng, reach)),
        };
        last = Some((point, moved));
        moved
    };
    points.map(move_point).collect()
}

/// A smooth curve through `points`; a repeated point is a corner (Catmull and Rom, "A class of local interpolating splines", 1974).
pub(super) fn curve(points: &[Point]) -> Vec<Point> {
    let at = |i: isize| points[i.clamp(0, points.len() as isize - 1) as usize];
    let mut path = Vec::with_capacity(points.len() * CURVE_STEPS);
    for i in 0..points.len() as isize - 1 {
        let [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
        for step in 0..CURVE_STEPS {
            let t = step as f32 / CURVE_STEPS as f32;
            let mix = |a: f32, b: f32, c: f32, d: f32| {
                0.5 * (2.0 * b
                    + (c - a) * t
                    + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
                    + (3.0 * (b - c) + d - a) * t * t * t)
            };
            path.push((mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1)));
        }
    }
    path.extend(points.last());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draw_digits_gives_every_digit_of_every_writer_with_variation() {
        let set = draw_digits(3, 7);
        assert_eq!((set.writers.len(), set.samples.len()), (3, 3 * N_DIGITS * SAMPLES_PER_DIGIT));
        for sample in &set.samples {
            let n_ink = sample.ink.pixels().filter(|pixel| pixel[0] > 127).count();
            assert!((100..4_000).contains(&n_ink), "{}: {n_ink} pixels", sample.digit);
            let on_edge = |x: u32, y: u32| x == 0 || y == 0 || x == SIDE as u32 - 1 || y == SIDE as u32 - 1;
            // except connected zeros, which continue to their neighbours
            let is_whole = sample.ink.enumerate_pixels().all(|(x, y, pixel)| pixel[0] == 0 || !on_edge(x, y));
            assert!(is_whole || sample.digit == 0, "{} touches the edge", sample.digit);
        }
        assert_ne!(set.samples[0].ink, set.samples[1].ink);
        assert_eq!(set.samples[0].ink, draw_digits(3, 7).samples[0].ink);
    }

    #[test]
    fn curve_passes_through_its_points_and_keeps_corners() {
        let points = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 1.0)];
        let path = curve(&points);
        for point in points {
            assert!(path.iter().any(|p| (p.0 - point.0).abs() < 1e-6 && (p.1 - point.1).abs() < 1e-6));
        }
        assert!(path.iter().all(|p| p.1.abs() < 0.1 || p.0 > 0.9), "{path:?}");
    }
}
