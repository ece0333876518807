//! The signs that people write into one field: digits, punctuation, dashes and fillers.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::triangular;
use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, Point};
use super::negatives::curved_path;
use formread_core::scores::N_DIGITS;

/// Largest number of digits in a strip, and of other signs.
pub(super) const MAX_DIGITS: usize = 10;
const MAX_OTHER_SIGNS: usize = 8;

/// A sign on a strip.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    Digit(usize),
    StruckOut(usize),
    Scribble,
    Cross,
    Punctuation(Punctuation),
}

/// Signs that are neither digits nor fillers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Punctuation {
    Dot,
    Comma,
    Apostrophe,
    Colon,
    Dash,
    LongDash,
    Equals,
    /// A dash with lines through it, which closes amounts on cheques.
    Hash,
    Dollar,
    Euro,
}

/// The signs of a random field from left to right: amounts, counts or codes, with punctuation and fillers. With `is_wide`
/// there is room for fillers behind them.
pub(super) fn random_signs(is_wide: bool, rng: &mut ChaCha8Rng) -> Vec<Sign> {
    let n_digits = match rng.random_range(0..100) {
        0..3 => 0,
        3..12 => 1,
        12..26 => 2,
        26..42 => 3,
        42..60 => 4,
        60..78 => 5,
        78..90 => 6,
        90..95 => 7,
        _ => rng.random_range(8..=MAX_DIGITS),
    };
    let mut digits: Vec<usize> = (0..n_digits).map(|_| rng.random_range(0..N_DIGITS)).collect();
    // round amounts and repeated digits are more frequent than chance
    if rng.random_bool(0.25) {
        let n_zeros = rng.random_range(0..=3.min(n_digits));
        digits[n_digits - n_zeros..].fill(0);
    }
    for i in 1..n_digits {
        if rng.random_bool(0.08) {
            digits[i] = digits[i - 1];
        }
    }
    let separator =
        [Punctuation::Dot, Punctuation::Comma, Punctuation::Apostrophe, Punctuation::Dot][rng.random_range(0..4)];
    let (has_thousands, has_stray) = (rng.random_bool(0.35), rng.random_bool(0.06));
    let mut signs = Vec::with_capacity(MAX_DIGITS + MAX_OTHER_SIGNS);
    if rng.random_bool(0.09) {
        signs.extend(std::iter::repeat_n(Sign::Cross, rng.random_range(1..4)));
    } else if rng.random_bool(0.08) {
        signs.push(Sign::Punctuation(
            [Punctuation::Dash, Punctuation::Equals, Punctuation::Dollar, Punctuation::Euro, Punctuation::LongDash]
                [rng.random_range(0..5)],
        ));
    }
    for (i, &digit) in digits.iter().enumerate() {
        let left = n_digits - i;
        if i > 0 && ((has_thousands && left.is_multiple_of(3)) || (has_stray && rng.random_bool(0.3))) {
            signs.push(Sign::Punctuation(separator));
        }
        signs.push(match rng.random_range(0..1000) {
            0..6 => Sign::StruckOut(digit),
            6..10 => Sign::Scribble,
            _ => Sign::Digit(digit),
        });
    }
    match rng.random_range(0..100) {
        0..8 => signs.push(Sign::Punctuation(Punctuation::Dot)),
        8..11 => signs.push(Sign::Punctuation(Punctuation::Comma)),
        11..17 => signs.extend([Punctuation::Dot, Punctuation::Dash].map(Sign::Punctuation)),
        17..24 => signs.push(Sign::Punctuation(Punctuation::Dash)),
        24..30 => signs.push(Sign::Punctuation(Punctuation::Equals)),
        30..35 => signs.push(Sign::Punctuation(Punctuation::LongDash)),
        35..38 => signs.extend([Punctuation::Comma, Punctuation::Dash, Punctuation::Dash].map(Sign::Punctuation)),
        38..40 => signs.push(Sign::Punctuation(Punctuation::Colon)),
        45..47 => signs.push(Sign::Punctuation(Punctuation::Hash)),
        40..43 if is_wide => {
            signs.extend(std::iter::repeat_n(Sign::Cross, rng.random_range(1..3)));
        }
        43..45 => signs.push(Sign::Scribble),
        _ => {}
    }
    if signs.is_empty() {
        signs.push([Sign::Scribble, Sign::Cross, Sign::Punctuation(Punctuation::LongDash)][rng.random_range(0..3)]);
    }
    signs
}

/// Draws punctuation on a canvas whose middle is the middle of the digits.
pub(super) fn draw_punctuation(point: Punctuation, pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = CANVAS_SIDE as f32 / 2.0;
    let foot = middle + DRAWN_SIDE / 2.0 + triangular(rng, 5.0);
    let dot = pen * rng.random_range(0.9..1.9);
    let dash = |canvas: &mut Canvas, y: f32, half: f32, rng: &mut ChaCha8Rng| {
        let steepness = if half < 7.0 { 0.8 } else { 0.3 };
        let (rise, bulge) = (triangular(rng, steepness) * half, triangular(rng, 4.0));
        canvas.stroke(&curved_path((middle - half, y + rise), (middle + half, y - rise), bulge), pen, 1.0);
    };
    let tail = |canvas: &mut Canvas, y: f32, rng: &mut ChaCha8Rng| {
        let (dx, dy) = (rng.random_range(0.0..6.0), rng.random_range(4.0..11.0));
        canvas.stroke(&curved_path((middle, y), (middle - dx, y + dy), triangular(rng, 3.0)), pen, 1.0);
    };
    match point {
        Punctuation::Dot => canvas.stroke(&[(middle, foot), (middle + triangular(rng, 3.0), foot)], dot, 1.0),
        Punctuation::Comma => tail(&mut canvas, foot - 3.0, rng),
        Punctuation::Apostrophe => tail(&mut canvas, middle - DRAWN_SIDE / 2.0 - 2.0, rng),
        Punctuation::Colon => {
            for y in [foot, middle - rng.random_range(0.0..8.0)] {
                canvas.stroke(&[(middle, y)], dot, 1.0);
            }
        }
        Punctuation::Dash => {
            let (y, half) = (middle + triangular(rng, 14.0), rng.random_range(3.0..12.0));
            dash(&mut canvas, y, half, rng);
        }
        Punctuation::LongDash => {
            let (y, half) = (middle + triangular(rng, 14.0), rng.random_range(12.0..30.0));
            dash(&mut canvas, y, half, rng);
        }
        Punctuation::Equals => {
            let (y, half, apart) =
                (middle + triangular(rng, 14.0), rng.random_range(4.0..13.0), rng.random_range(3.0..7.0) + pen / 2.0);
            dash(&mut canvas, y - apart, half, rng);
            dash(&mut canvas, y + apart, half, rng);
        }
        Punctuation::Hash => {
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
        Punctuation::Dollar => {
            let (reach, width) = (DRAWN_SIDE / 2.0, rng.random_range(7.0..11.0));
            let bow: Vec<Point> = (0..=16)
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
        Punctuation::Euro => {
            let radius = rng.random_range(13.0..19.0f32);
            let arc: Vec<Point> = (0..=14)
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
