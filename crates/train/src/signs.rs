//! What people write into one field: digits, and the points, dashes and fillers that stand among them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::triangular;
use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, Spot};
use super::negatives::bent;
use formread_core::scores::N_DIGITS;

/// Most digits in a strip, and most other signs.
pub(super) const DIGITS_MAX: usize = 10;
const OTHERS_MAX: usize = 8;

/// What stands on a strip.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    Digit(usize),
    StruckOut(usize),
    Scribble,
    Cross,
    Point(Point),
}

/// Signs that are neither digits nor fillers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Point {
    Dot,
    Comma,
    Apostrophe,
    Colon,
    Dash,
    LongDash,
    Equals,
    /// A dash struck through, as amounts on cheques are closed with.
    Hash,
    Dollar,
    Euro,
}

/// What is written, from left to right: amounts, counts, codes, with what people put round and between the digits.
/// `is_wide` says that there is room for fillers behind them.
pub(super) fn signs(is_wide: bool, rng: &mut ChaCha8Rng) -> Vec<Sign> {
    let n_digits = match rng.random_range(0..100) {
        0..3 => 0,
        3..12 => 1,
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
    if rng.random_bool(0.09) {
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
        45..47 => signs.push(Sign::Point(Point::Hash)),
        40..43 if is_wide => {
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
pub(super) fn drawn_point(point: Point, pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = CANVAS_SIDE as f32 / 2.0;
    let foot = middle + DRAWN_SIDE / 2.0 + triangular(rng, 5.0);
    let dot = pen * rng.random_range(0.9..1.9);
    let dash = |canvas: &mut Canvas, y: f32, half: f32, rng: &mut ChaCha8Rng| {
        let steepness = if half < 7.0 { 0.8 } else { 0.3 };
        let (rise, bulge) = (triangular(rng, steepness) * half, triangular(rng, 4.0));
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
        Point::Hash => {
            let (y, half) = (middle + triangular(rng, 10.0), rng.random_range(12.0..24.0));
            dash(&mut canvas, y, half, rng);
            if rng.random_bool(0.5) {
                dash(&mut canvas, y + rng.random_range(5.0..9.0), half, rng);
            }
            let (reach, lean) = (rng.random_range(6.0..13.0), rng.random_range(1.0..7.0));
            for x in [middle - 3.0, middle + 4.0] {
                let y = y + triangular(rng, 4.0);
                canvas.stroke(&[(x + lean, y - reach), (x - lean, y + reach)], pen * 0.9, 1.0);
            }
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
