//! Generates signs that are no digits: crosses and dashes with which people fill cells, wrong cuts, scribbles and other
//! artefacts between digits.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::{Augmentation, draw_in_random_style, triangular};
use super::canvas::{CANVAS_SIDE, Canvas, Point};
use super::signs::{blot, draw_sign};
use super::strokes::{cross, curved_path, near_middle, random_pen_width};
use formread_core::normalise::{Glyph, normalise};
use formread_core::scores::{GlyphClass, Sign};
use formread_tools::dataset::Sample;

/// A cut is wrong where it removes or adds at least this share of the digit's ink.
const MIN_CUT_SHARE: f32 = 0.3;

/// A remaining part that is narrower than this, as width over height, could be a whole 1.
const MAX_ONE_ASPECT: f32 = 0.45;

/// Of an overwritten digit, at least this share of all ink must be visible beside either digit: less may be one thick digit.
const MIN_VISIBLE_SHARE: f32 = 0.25;

/// The signs that a glyph may be, but for crosses, dashes and letters, which have shares of their own.
const SIGNS: [(GlyphClass, Sign); 13] = [
    (GlyphClass::Slash, Sign::Slash),
    (GlyphClass::Plus, Sign::Plus),
    (GlyphClass::Equals, Sign::Equals),
    (GlyphClass::Tilde, Sign::Tilde),
    (GlyphClass::Less, Sign::Less),
    (GlyphClass::Greater, Sign::Greater),
    (GlyphClass::Parenthesis, Sign::Opening),
    (GlyphClass::Parenthesis, Sign::Closing),
    (GlyphClass::Currency, Sign::Currency),
    (GlyphClass::Percent, Sign::Percent),
    (GlyphClass::Tick, Sign::Tick),
    (GlyphClass::Ditto, Sign::Ditto),
    (GlyphClass::Point, Sign::Point),
];

/// Attempts to draw a sample before a scribble replaces it.
const TRIES: usize = 6;

/// A random sign that is no digit, and its class. Digits for wrong cuts come from `samples`.
pub(super) fn negative(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> (Glyph, GlyphClass) {
    for _ in 0..TRIES {
        let (canvas, class) = match rng.random_range(0..146) {
            0..18 => (Some(cross(rng)), GlyphClass::Cross),
            18..33 => (Some(dash(rng)), GlyphClass::Dash),
            33..49 => (part_of_digit(samples, params, rng), GlyphClass::Other),
            49..65 => (two_digits(samples, params, rng), GlyphClass::Other),
            65..85 => (
                random_digit(samples, params, rng).and_then(|(digit, value)| strike_out(digit, value, rng)),
                GlyphClass::StruckOut,
            ),
            85..104 => (overwritten_digit(samples, params, rng), GlyphClass::Overwritten),
            104..109 => (Some(scribble(rng)), GlyphClass::Other),
            109..113 => (Some(frame_piece(rng)), GlyphClass::Other),
            113..115 => (Some(specks(rng)), GlyphClass::Other),
            115..116 => (Some(blot(rng)), GlyphClass::Other),
            116..122 => (Some(draw_sign(Sign::Letter, random_pen_width(rng), rng)), GlyphClass::Letter),
            _ => {
                let (class, sign) = SIGNS[rng.random_range(0..SIGNS.len())];
                (Some(draw_sign(sign, random_pen_width(rng), rng)), class)
            }
        };
        let Some(mut canvas) = canvas else { continue };
        if rng.random_bool(params.faint) {
            canvas.blur(rng.random_range(0.0..1.0));
        }
        let ink = if rng.random_bool(params.faint) { rng.random_range(90.0..220.0) } else { 255.0 };
        if let Some(glyph) = normalise(&canvas.to_ink(ink)) {
            return (glyph, class);
        }
    }
    let glyph = normalise(&scribble(rng).to_ink(255.0)).expect("a scribble has ink, and it lies on the canvas");
    (glyph, GlyphClass::Other)
}

/// A horizontal stroke, straight, wavy or with a hook; sometimes double.
fn dash(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let width = random_pen_width(rng);
    let half = rng.random_range(6.0..26.0f32);
    let middle = near_middle(rng, 3.0);
    let tilt = triangular(rng, 0.55);
    let wave = if rng.random_bool(0.4) { triangular(rng, 6.0) } else { 0.0 };
    let phase = rng.random_range(0.0..std::f32::consts::TAU);
    let cycles = rng.random_range(0.4..1.3) * std::f32::consts::TAU;
    let mut path: Vec<Point> = (0..=12)
        .map(|i| {
            let t = i as f32 / 6.0 - 1.0;
            (middle.0 + t * half, middle.1 + t * half * tilt + wave * (phase + t * cycles / 2.0).sin())
        })
        .collect();
    if rng.random_bool(0.2) {
        let end = path[path.len() - 1];
        path.push((end.0 + triangular(rng, 5.0), end.1 + triangular(rng, 8.0)));
    }
    canvas.stroke(&path, width, 1.0);
    if rng.random_bool(0.08) {
        let gap = rng.random_range(4.0..9.0);
        let second: Vec<Point> = path.iter().map(|spot| (spot.0 + 2.0, spot.1 + gap)).collect();
        canvas.stroke(&second, width, 1.0);
    }
    canvas
}

/// A digit without a part that a slanted cut removed, as a wrong split between two digits leaves it.
fn part_of_digit(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let (mut canvas, _) = random_digit(samples, params, rng)?;
    let whole = canvas.mass();
    let [left, top, right, bottom] = canvas.bounds()?;
    let across = rng.random_bool(0.85);
    let share = rng.random_range(0.25..0.75);
    let slant = triangular(rng, 0.5);
    let keep_first = rng.random_bool(0.5);
    let (x0, y0) = (left + share * (right - left), top + share * (bottom - top));
    canvas.wipe(|x, y| {
        let beyond = if across { x > x0 + slant * (y - 32.0) } else { y > y0 + slant * (x - 32.0) };
        beyond == keep_first
    });
    let lost = whole - canvas.mass();
    let [left, top, right, bottom] = canvas.bounds()?;
    let is_like_one = (right - left) < MAX_ONE_ASPECT * (bottom - top);
    (lost > MIN_CUT_SHARE * whole && canvas.mass() > 0.15 * whole && !is_like_one).then_some(canvas)
}

/// Two digits side by side, apart, touching or overlapping; or one and a part of the next.
fn two_digits(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let ((first, _), (mut second, _)) = (random_digit(samples, params, rng)?, random_digit(samples, params, rng)?);
    if rng.random_bool(0.4) {
        let [left, _, right, _] = second.bounds()?;
        let whole = second.mass();
        let cut = left + rng.random_range(0.3..0.8) * (right - left);
        second.wipe(|x, _| x > cut);
        if second.mass() < MIN_CUT_SHARE * whole {
            return None;
        }
    }
    let [_, top, right, bottom] = first.bounds()?;
    let [next_left, next_top, next_right, next_bottom] = second.bounds()?;
    // both on one canvas: at half their size, side by side
    let (mut first, mut second) = (half_size(&first), half_size(&second));
    let gap = rng.random_range(-3.0..5.0);
    let dx = ((right - next_left) / 2.0 + gap) as i32;
    let dy = ((top + bottom - next_top - next_bottom) / 4.0 + triangular(rng, 5.0)) as i32;
    if rng.random_bool(0.5) {
        let wider = rng.random_range(0.0..0.8);
        first.grow(wider, true);
        second.grow(wider, true);
    }
    let back = ((next_right - next_left) / 4.0) as i32;
    let mut both = Canvas::new();
    both.overlay(&first, -back, 0);
    both.overlay(&second, dx - back, dy);
    Some(both)
}

/// A digit with one, two or more lines through it. `None` where there is no ink.
pub(super) fn strike_out(mut canvas: Canvas, digit: u8, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    if rng.random_bool(0.35) {
        return scratch_out(canvas, rng);
    }
    let [left, top, right, bottom] = canvas.bounds()?;
    let (height, middle) = (bottom - top, (top + bottom) / 2.0);
    // one bar may belong to a 7 or to a 1 with an upstroke, and a slash to a 0
    let n_lines = if [0, 1, 7].contains(&digit) || rng.random_bool(0.3) { 2 } else { 1 };
    let rise = rng.random_range(-0.25..0.5f32) * height;
    let (first, gap) = (middle + triangular(rng, 0.25) * height, rng.random_range(0.12..0.3) * height);
    let width = random_pen_width(rng).min(height / 6.0);
    for i in 0..n_lines {
        let y = first + (i as f32 - (n_lines - 1) as f32 / 2.0) * gap;
        let [before, beyond] = [(); 2].map(|()| rng.random_range(0.08..0.4) * height);
        let wander = triangular(rng, 0.08) * height;
        let (a, b) = ((left - before, y + rise / 2.0), (right + beyond, y - rise / 2.0 + wander));
        let bulge = triangular(rng, 0.1) * height;
        canvas.stroke(&curved_path(a, b, bulge), width, 1.0);
    }
    Some(canvas)
}

/// A random digit over another one.
fn overwritten_digit(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let ((below, digit_below), (above, digit_above)) =
        (random_digit(samples, params, rng)?, random_digit(samples, params, rng)?);
    if digit_below == digit_above { None } else { overwrite(below, &above, rng) }
}

/// A digit over another one, as a correction. `None` where one hides the other.
pub(super) fn overwrite(mut below: Canvas, above: &Canvas, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let centre = |canvas: &Canvas| canvas.bounds().map(|[left, top, right, bottom]| (left + right, top + bottom));
    let (from, to) = (centre(above)?, centre(&below)?);
    let [dx, dy] = [to.0 - from.0, to.1 - from.1].map(|off| (off / 2.0 + triangular(rng, 6.0)).round() as i32);
    let larger = below.mass().max(above.mass());
    below.overlay(above, dx, dy);
    let more = below.mass() - larger;
    (more > MIN_VISIBLE_SHARE * below.mass()).then_some(below)
}

/// Draws several strokes over a digit.
fn scratch_out(mut canvas: Canvas, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let [left, top, right, bottom] = canvas.bounds()?;
    let width = random_pen_width(rng);
    let n_strokes = rng.random_range(2..6);
    let steep = rng.random_bool(0.4);
    for i in 0..n_strokes {
        let t = (i as f32 + 0.5) / n_strokes as f32 + triangular(rng, 0.2);
        let y = top + t * (bottom - top);
        let rise = if steep { rng.random_range(6.0..20.0) } else { triangular(rng, 8.0) };
        let path = curved_path(
            (left - rng.random_range(1.0..8.0), y + rise),
            (right + rng.random_range(1.0..8.0), y - rise),
            triangular(rng, 5.0),
        );
        canvas.stroke(&path, width, 1.0);
    }
    Some(canvas)
}

/// A random scribble.
pub(super) fn scribble(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let width = random_pen_width(rng);
    let mut path = vec![near_middle(rng, 16.0)];
    for _ in 0..rng.random_range(6..16) {
        let last = path[path.len() - 1];
        let next = near_middle(rng, 20.0);
        path.extend(curved_path(last, next, triangular(rng, 16.0)).into_iter().skip(1));
    }
    canvas.stroke(&path, width, 1.0);
    canvas
}

/// A corner, a T or a long thin piece of a printed frame, or an arc.
fn frame_piece(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let width = rng.random_range(0.8..3.0);
    let (x, y) = near_middle(rng, 8.0);
    let (long, short) = (rng.random_range(16.0..30.0f32), rng.random_range(6.0..26.0f32));
    let (right, down) = (random_sign(rng), random_sign(rng));
    match rng.random_range(0..4) {
        0 => canvas.stroke(&[(x + right * long, y), (x, y), (x, y + down * short)], width, 1.0),
        1 => {
            canvas.stroke(&[(x - long * 0.6, y), (x + long * 0.6, y)], width, 1.0);
            canvas.stroke(&[(x, y), (x, y + down * short)], width, 1.0);
        }
        2 => {
            // two parallel lines of a frame
            let gap = rng.random_range(8.0..24.0);
            canvas.stroke(&[(x - long * 0.6, y), (x + long * 0.6, y)], width, 1.0);
            canvas.stroke(&[(x - long * 0.6, y + gap), (x + long * 0.6, y + gap)], width, 1.0);
        }
        _ => {
            let radius = rng.random_range(8.0..22.0f32);
            let from = rng.random_range(0.0..std::f32::consts::TAU);
            // at most 100 degrees: a longer arc may be half a digit
            let extent = rng.random_range(0.8..1.75f32);
            let at = |i: i32| from + extent * i as f32 / 10.0;
            let path: Vec<Point> = (0..=10).map(|i| (x + radius * at(i).cos(), y + radius * at(i).sin())).collect();
            canvas.stroke(&path, random_pen_width(rng), 1.0);
        }
    }
    canvas
}

/// A dot, a comma, or a handful of specks.
fn specks(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let n = if rng.random_bool(0.5) { 1 } else { rng.random_range(2..12) };
    let spread = if n == 1 { 2.0 } else { 22.0 };
    for _ in 0..n {
        let (x, y) = near_middle(rng, spread);
        // a comma or a blot: short relative to its width, so that it is no 1
        let width = rng.random_range(1.5..8.0);
        let tail = if rng.random_bool(0.5) { rng.random_range(0.0..1.2) * width } else { 0.0 };
        canvas.stroke(&[(x, y), (x - tail * 0.5, y + tail)], width, rng.random_range(0.4..1.0));
    }
    canvas
}

/// A random digit in a random style, and its value.
fn random_digit(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<(Canvas, u8)> {
    if samples.is_empty() {
        return None;
    }
    let sample = samples[rng.random_range(0..samples.len())];
    Some((draw_in_random_style(&sample.ink, params, rng)?, sample.digit))
}

/// The drawing at half its size, in the middle.
fn half_size(canvas: &Canvas) -> Canvas {
    let mut small = Canvas::new();
    let side = CANVAS_SIDE;
    for y in 0..side / 2 {
        for x in 0..side / 2 {
            let i = 2 * y * side + 2 * x;
            let mean =
                (canvas.pixels[i] + canvas.pixels[i + 1] + canvas.pixels[i + side] + canvas.pixels[i + side + 1]) / 4.0;
            small.pixels[(y + side / 4) * side + x + side / 4] = mean;
        }
    }
    small
}

fn random_sign(rng: &mut ChaCha8Rng) -> f32 {
    if rng.random_bool(0.5) { 1.0 } else { -1.0 }
}
