//! What people write into one field: digits, signs beside and between them, and fillers.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::triangular;
use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE};
use super::sign_forms::draw_form;
use super::strokes::{cross, curved_path};
use formread_core::scores::{N_DIGITS, Sign};

/// Largest number of digits in a strip, and of other signs.
pub(super) const MAX_DIGITS: usize = 10;
pub(super) const MAX_OTHER_SIGNS: usize = 10;

/// What is written at one place of a strip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Written {
    Digit(usize),
    StruckOut(usize),
    /// The second digit over the first.
    Overwritten(usize, usize),
    Scribble,
    /// A filled spot as large as a digit.
    Blot,
    Sign(Sign),
    /// A dash as long as several digits.
    LongDash,
    /// A dash with lines through it, which closes amounts on cheques.
    Hash,
    /// The I of a Roman number: a letter, whatever it looks like.
    RomanOne,
}

/// Most digits of a field that holds nothing but ones.
const MAX_ONES: usize = 4;

/// Shares of fields by what they hold, of 100.
const CODE: u32 = 62;
const SIGNED: u32 = 8;
const RELATION: u32 = 8;
const SEPARATED: u32 = 10;
const UNIT: u32 = 6;

/// What is written in a random field from left to right: amounts, counts or codes, with punctuation and fillers; and numbers of
/// kinds that a field of digits must not have. With `is_wide` there is room for fillers behind them.
pub(super) fn random_signs(is_wide: bool, rng: &mut ChaCha8Rng) -> Vec<Written> {
    let mut signs = Vec::with_capacity(MAX_DIGITS + MAX_OTHER_SIGNS);
    match rng.random_range(0..100) {
        0..CODE => usual_number(is_wide, &mut signs, rng),
        n if n < CODE + SIGNED => {
            // a minus or plus before, a minus behind, or parentheses around
            let way = rng.random_range(0..10);
            let before = [Sign::Dash, Sign::Dash, Sign::Dash, Sign::Plus, Sign::Opening][way % 5];
            if way < 7 {
                signs.push(Written::Sign(before));
            }
            amount(&mut signs, rng);
            if way >= 7 {
                signs.push(Written::Sign(Sign::Dash));
            } else if before == Sign::Opening {
                signs.push(Written::Sign(Sign::Closing));
            }
        }
        n if n < CODE + SIGNED + RELATION => {
            let relation = [
                Sign::Tilde,
                Sign::Greater,
                Sign::Less,
                Sign::Equals,
                Sign::Cross,
                Sign::Ditto,
                Sign::Tick,
                Sign::Plus,
            ];
            signs.push(Written::Sign(random_of(&relation, rng)));
            if rng.random_bool(0.85) {
                let n_digits = rng.random_range(1..5);
                digits(n_digits, &mut signs, rng);
            }
        }
        n if n < CODE + SIGNED + RELATION + SEPARATED => {
            // a fraction, a range, a time, a date, groups
            let separators =
                [Sign::Slash, Sign::Slash, Sign::Dash, Sign::Colon, Sign::Plus, Sign::Line, Sign::Apostrophe];
            let separator = random_of(&separators, rng);
            let (n_groups, n_digits) = (rng.random_range(2..4), rng.random_range(1..3));
            for group in 0..n_groups {
                if group > 0 {
                    signs.push(Written::Sign(separator));
                }
                let n_digits = n_digits + usize::from(rng.random_bool(0.3));
                digits(n_digits, &mut signs, rng);
            }
        }
        n if n < CODE + SIGNED + RELATION + SEPARATED + UNIT => {
            // a unit, a currency, a letter behind or before; a word or a Roman number alone
            match rng.random_range(0..8) {
                0 => signs.push(Written::Sign(Sign::Currency)),
                1 => {
                    let numeral: &[Written] = random_of(&ROMAN, rng);
                    signs.extend(numeral);
                }
                2 => signs.extend(std::iter::repeat_n(Written::Sign(Sign::Letter), rng.random_range(2..6))),
                _ => {}
            }
            if rng.random_bool(0.85) {
                let n_digits = rng.random_range(1..5);
                digits(n_digits, &mut signs, rng);
            }
            match rng.random_range(0..4) {
                0 => signs.push(Written::Sign(Sign::Percent)),
                1 => signs.push(Written::Sign(Sign::Currency)),
                2 => signs.extend(std::iter::repeat_n(Written::Sign(Sign::Letter), rng.random_range(1..4))),
                _ => signs.push(Written::Sign(Sign::Letter)),
            }
        }
        _ => {
            // no number at all
            let alone = [
                Sign::Slash,
                Sign::Dash,
                Sign::Ditto,
                Sign::Tick,
                Sign::Cross,
                Sign::Line,
                Sign::Letter,
                Sign::Point,
                Sign::Percent,
                Sign::Equals,
                Sign::Tilde,
            ];
            let sign = random_of(&alone, rng);
            let is_repeated = matches!(sign, Sign::Slash | Sign::Dash | Sign::Letter | Sign::Cross | Sign::Point);
            let n = if is_repeated { rng.random_range(1..4) } else { 1 };
            signs.extend(std::iter::repeat_n(Written::Sign(sign), n));
        }
    }
    if rng.random_bool(0.012) && !signs.is_empty() {
        let place = rng.random_range(0..=signs.len());
        let extra = [Written::Sign(Sign::Line), Written::Blot, Written::Sign(Sign::Slash)][rng.random_range(0..3)];
        signs.insert(place, extra);
    }
    if signs.is_empty() {
        signs.push([Written::Scribble, Written::Sign(Sign::Cross), Written::LongDash][rng.random_range(0..3)]);
    }
    signs
}

/// Roman numbers that no other sign is part of.
const ROMAN: [&[Written]; 4] = [
    &[Written::RomanOne, Written::Sign(Sign::Cross)],
    &[Written::RomanOne, Written::Sign(Sign::Letter)],
    &[Written::Sign(Sign::Cross), Written::RomanOne],
    &[Written::Sign(Sign::Cross), Written::RomanOne, Written::RomanOne],
];

fn random_of<T: Copy>(from: &[T], rng: &mut ChaCha8Rng) -> T {
    from[rng.random_range(0..from.len())]
}

/// `n` digits, some of them struck out.
fn digits(n: usize, signs: &mut Vec<Written>, rng: &mut ChaCha8Rng) {
    signs.extend((0..n).map(|_| Written::Digit(rng.random_range(0..N_DIGITS))));
}

/// A few digits, with decimals behind a point or a comma or without.
fn amount(signs: &mut Vec<Written>, rng: &mut ChaCha8Rng) {
    let n_digits = rng.random_range(1..6);
    digits(n_digits, signs, rng);
    if rng.random_bool(0.5) {
        signs.push(Written::Sign(if rng.random_bool(0.6) { Sign::Point } else { Sign::Comma }));
        digits(2, signs, rng);
    }
}

/// A number as fields of digits have it: with thousands or decimals set off, with what closes an amount, with fillers.
fn usual_number(is_wide: bool, signs: &mut Vec<Written>, rng: &mut ChaCha8Rng) {
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
    // side by side they look like lines
    if n_digits <= MAX_ONES && rng.random_bool(0.05) {
        digits.fill(1);
    }
    let separator = random_of(&[Sign::Point, Sign::Comma, Sign::Apostrophe, Sign::Point], rng);
    let (has_thousands, has_decimals) = (rng.random_bool(0.25), rng.random_bool(0.15));
    if rng.random_bool(0.06) {
        signs.extend(std::iter::repeat_n(Written::Sign(Sign::Cross), rng.random_range(1..4)));
    } else if rng.random_bool(0.06) {
        let before = [Sign::Dash, Sign::Equals, Sign::Currency].map(Written::Sign);
        signs.push(random_of(&[before[0], before[1], before[2], before[2], Written::LongDash], rng));
    }
    for (i, &digit) in digits.iter().enumerate() {
        let left = n_digits - i;
        if i > 0 && (has_thousands && left.is_multiple_of(3) || has_decimals && left == 2) {
            signs.push(Written::Sign(separator));
        }
        signs.push(match rng.random_range(0..1000) {
            0..8 => Written::StruckOut(digit),
            8..14 => Written::Overwritten(digit, (digit + rng.random_range(1..N_DIGITS)) % N_DIGITS),
            14..18 => Written::Scribble,
            _ => Written::Digit(digit),
        });
    }
    match rng.random_range(0..100) {
        0..5 => signs.push(Written::Sign(Sign::Point)),
        5..7 => signs.push(Written::Sign(Sign::Comma)),
        7..12 => signs.extend([Sign::Point, Sign::Dash].map(Written::Sign)),
        12..17 => signs.push(Written::Sign(Sign::Dash)),
        17..21 => signs.push(Written::Sign(Sign::Equals)),
        21..25 => signs.push(Written::LongDash),
        25..27 => signs.extend([Sign::Comma, Sign::Dash, Sign::Dash].map(Written::Sign)),
        27..28 => signs.push(Written::Sign(Sign::Colon)),
        28..30 => signs.push(Written::Hash),
        30..33 if is_wide => {
            signs.extend(std::iter::repeat_n(Written::Sign(Sign::Cross), rng.random_range(1..3)));
        }
        33..35 => signs.push(Written::Scribble),
        _ => {}
    }
}

/// Draws a sign on a canvas whose middle is the middle of the digits.
pub(super) fn draw_sign(sign: Sign, pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
    if let Some(drawn) = draw_form(sign, pen, rng) {
        return drawn;
    }
    let mut canvas = Canvas::new();
    let middle = CANVAS_SIDE as f32 / 2.0;
    let foot = middle + DRAWN_SIDE / 2.0 + triangular(rng, 5.0);
    let dot = pen * rng.random_range(0.9..1.9);
    let tail = |canvas: &mut Canvas, y: f32, rng: &mut ChaCha8Rng| {
        let (dx, dy) = (rng.random_range(0.0..6.0), rng.random_range(4.0..11.0));
        canvas.stroke(&curved_path((middle, y), (middle - dx, y + dy), triangular(rng, 3.0)), pen, 1.0);
    };
    match sign {
        Sign::Point => canvas.stroke(&[(middle, foot), (middle + triangular(rng, 3.0), foot)], dot, 1.0),
        Sign::Comma => tail(&mut canvas, foot - 3.0, rng),
        Sign::Apostrophe => tail(&mut canvas, middle - DRAWN_SIDE / 2.0 - 2.0, rng),
        Sign::Colon => {
            for y in [foot, middle - rng.random_range(-4.0..8.0)] {
                canvas.stroke(&[(middle + triangular(rng, 2.0), y)], dot, 1.0);
            }
        }
        Sign::Dash => {
            let (y, half) = (middle + triangular(rng, 14.0), rng.random_range(3.0..12.0));
            dash(&mut canvas, y, half, pen, rng);
        }
        Sign::Equals => {
            let (y, half, apart) =
                (middle + triangular(rng, 14.0), rng.random_range(4.0..13.0), rng.random_range(3.0..7.0) + pen / 2.0);
            dash(&mut canvas, y - apart, half, pen, rng);
            dash(&mut canvas, y + apart, half, pen, rng);
        }
        Sign::Line => {
            // higher than any digit: over the whole canvas, or a bracket of one and a half lines
            let reach = if rng.random_bool(0.6) { middle } else { rng.random_range(0.75..0.9) * DRAWN_SIDE };
            let lean = triangular(rng, 8.0);
            let width = if rng.random_bool(0.5) { pen } else { rng.random_range(1.0..5.0) };
            let path = [(middle + lean, middle - reach), (middle - lean, middle + reach)];
            canvas.stroke(&path, width, rng.random_range(0.4..1.0));
        }
        _ => return cross(rng),
    }
    canvas
}

fn dash(canvas: &mut Canvas, y: f32, half: f32, pen: f32, rng: &mut ChaCha8Rng) {
    let middle = CANVAS_SIDE as f32 / 2.0;
    let steepness = if half < 7.0 { 0.8 } else { 0.3 };
    let (rise, bulge) = (triangular(rng, steepness) * half, triangular(rng, 4.0));
    canvas.stroke(&curved_path((middle - half, y + rise), (middle + half, y - rise), bulge), pen, 1.0);
}

/// A dash as long as several digits.
pub(super) fn long_dash(pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let (y, half) = (CANVAS_SIDE as f32 / 2.0 + triangular(rng, 14.0), rng.random_range(12.0..30.0));
    dash(&mut canvas, y, half, pen, rng);
    canvas
}

/// One dash or two, with two lines through.
pub(super) fn hash(pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = CANVAS_SIDE as f32 / 2.0;
    let (y, half) = (middle + triangular(rng, 10.0), rng.random_range(12.0..24.0));
    dash(&mut canvas, y, half, pen, rng);
    if rng.random_bool(0.5) {
        dash(&mut canvas, y + rng.random_range(5.0..9.0), half, pen, rng);
    }
    let (reach, lean) = (rng.random_range(6.0..13.0), rng.random_range(1.0..7.0));
    for x in [middle - 3.0, middle + 4.0] {
        let y = y + triangular(rng, 4.0);
        canvas.stroke(&[(x + lean, y - reach), (x - lean, y + reach)], pen * 0.9, 1.0);
    }
    canvas
}

/// The 1 that is a bare straight stroke.
pub(super) fn bare_one(pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = CANVAS_SIDE as f32 / 2.0;
    let (half, lean) = (DRAWN_SIDE / 2.0 * rng.random_range(0.7..1.1), triangular(rng, 14.0));
    canvas.stroke(&[(middle + lean, middle - half), (middle - lean, middle + half)], pen, 1.0);
    canvas
}

/// A bar of about the height of a digit, with serifs or without.
pub(super) fn roman_one(pen: f32, rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = CANVAS_SIDE as f32 / 2.0;
    let (half, lean) = (DRAWN_SIDE / 2.0 * rng.random_range(0.85..1.1), triangular(rng, 6.0));
    canvas.stroke(&[(middle + lean, middle - half), (middle - lean, middle + half)], pen, 1.0);
    if rng.random_bool(0.5) {
        let serif = rng.random_range(3.0..8.0);
        for (x, y) in [(middle + lean, middle - half), (middle - lean, middle + half)] {
            canvas.stroke(&[(x - serif, y), (x + serif, y + triangular(rng, 2.0))], pen, 1.0);
        }
    }
    canvas
}

/// A filled spot.
pub(super) fn blot(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = CANVAS_SIDE as f32 / 2.0;
    for _ in 0..rng.random_range(1..5) {
        let (x, y) = (middle + triangular(rng, 16.0), middle + triangular(rng, 16.0));
        let to = (x + triangular(rng, 12.0), y + triangular(rng, 12.0));
        canvas.stroke(&[(x, y), to], rng.random_range(12.0..26.0), 1.0);
    }
    canvas
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn random_signs_hold_every_sign_and_mostly_digits() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let fields: Vec<Vec<Written>> = (0..3_000).map(|i| random_signs(i % 2 == 0, &mut rng)).collect();
        for sign in Sign::ALL {
            let n = fields.iter().flatten().filter(|written| **written == Written::Sign(sign)).count();
            assert!(n >= 10, "{sign:?}: {n}");
        }
        let only_digits = |field: &&Vec<Written>| field.iter().all(|sign| matches!(sign, Written::Digit(_)));
        let n_plain = fields.iter().filter(only_digits).count();
        assert!(n_plain > 600, "{n_plain} of 3,000 are plain numbers");
        assert!(fields.iter().all(|field| !field.is_empty()));
    }

    #[test]
    fn every_sign_is_drawn() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for sign in Sign::ALL {
            assert!(draw_sign(sign, 3.0, &mut rng).mass() > 4.0, "{sign:?}");
        }
        for canvas in [
            long_dash(3.0, &mut rng),
            hash(3.0, &mut rng),
            roman_one(3.0, &mut rng),
            bare_one(3.0, &mut rng),
            blot(&mut rng),
        ] {
            assert!(canvas.mass() > 40.0);
        }
    }
}
