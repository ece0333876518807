//! Signs that are no digits, drawn: crosses and dashes as people fill cells with them, and the wrong cuts, scribbles
//! and remains that a reader meets between digits.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::allographs::curve;
use super::augment::{Augmentation, drawn, triangular};
use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, Spot};
use formread_core::normalise::{Glyph, normalise};
use formread_core::scores::GlyphClass;
use formread_tools::dataset::Sample;

/// A cut counts as wrong where it leaves or adds at least this share of the digit's ink.
const CUT_SHARE_MIN: f32 = 0.3;

/// What is left of a cut and is narrower than this against its height could be a whole 1.
const ONE_ASPECT_MAX: f32 = 0.45;

/// Of a digit over another one this share of all ink must be seen beside either: less may be one thick digit.
const HIDDEN_SHARE_MIN: f32 = 0.25;

/// Tries to draw a sample before a scribble is taken in its place.
const TRIES: usize = 6;

/// A sign that is no digit, and which sort it is. Digits for wrong cuts are taken from `samples`.
pub(super) fn negative(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> (Glyph, GlyphClass) {
    for _ in 0..TRIES {
        let (canvas, class) = match rng.random_range(0..100) {
            0..18 => (Some(cross(rng)), GlyphClass::Cross),
            18..33 => (Some(dash(rng)), GlyphClass::Dash),
            33..49 => (part_of_digit(samples, params, rng), GlyphClass::Other),
            49..65 => (two_digits(samples, params, rng), GlyphClass::Other),
            65..77 => (struck_digit(samples, params, rng), GlyphClass::StruckOut),
            77..88 => (overwritten(samples, params, rng), GlyphClass::Overwritten),
            88..93 => (Some(scribble(rng)), GlyphClass::Other),
            93..97 => (Some(frame_piece(rng)), GlyphClass::Other),
            _ => (Some(specks(rng)), GlyphClass::Other),
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

/// A cross as people fill cells with.
pub(super) fn cross(rng: &mut ChaCha8Rng) -> Canvas {
    if rng.random_bool(0.4) { cross_in_one_go(rng) } else { cross_of_two_strokes(rng) }
}

/// One stroke that crosses itself: down one diagonal, round a narrow or a wide loop, down the other.
fn cross_in_one_go(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = around_middle(rng, 3.0);
    let side = if rng.random_bool(0.6) { 1.0 } else { -1.0 };
    // the loop lies at a side, or at the foot or the head
    let is_turned = rng.random_bool(0.45);
    let half_width = DRAWN_SIDE / 2.0 * rng.random_range(0.4..1.0);
    let half_height = DRAWN_SIDE / 2.0 * rng.random_range(0.5..1.0);
    let (loop_size, bulge) = (rng.random_range(0.3..1.0), rng.random_range(0.0..0.5));
    let points = [
        (-1.0, -1.0),
        (0.0, 0.0),
        (loop_size, loop_size),
        (loop_size + bulge, 0.0),
        (loop_size, -loop_size),
        (0.0, 0.0),
        (-1.0, 1.0),
    ];
    let points = points.map(|(x, y): Spot| {
        let (x, y) = (side * x + triangular(rng, 0.25), y + triangular(rng, 0.25));
        let (x, y) = if is_turned { (y, x) } else { (x, y) };
        (middle.0 + x * half_width, middle.1 + y * half_height)
    });
    canvas.stroke(&curve(&points), pen(rng), 1.0);
    canvas
}

/// Two strokes that cross, straight or bent, as long and as steep as hands make them; some with hooks or serifs.
fn cross_of_two_strokes(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let width = pen(rng);
    let middle = around_middle(rng, 3.0);
    let turn = triangular(rng, 0.6);
    // half the angle between the strokes, from narrow to wide
    let half_angle = rng.random_range(0.35..1.1f32);
    for side in [-1.0, 1.0] {
        let angle = std::f32::consts::FRAC_PI_2 + turn + side * half_angle + triangular(rng, 0.2);
        let reach = DRAWN_SIDE / 2.0 * rng.random_range(0.7..1.1);
        let off = triangular(rng, 7.0);
        let (dx, dy) = (angle.cos() * reach, angle.sin() * reach);
        let centre = (middle.0 - angle.sin() * off * 0.5, middle.1 + angle.cos() * off * 0.5);
        let long = rng.random_range(0.75..1.1);
        let (a, b) = ((centre.0 - dx, centre.1 - dy), (centre.0 + dx * long, centre.1 + dy * long));
        let mut path = bent(a, b, triangular(rng, 9.0));
        if rng.random_bool(0.25) {
            let end = path[path.len() - 1];
            path.push((end.0 + triangular(rng, 8.0), end.1 + triangular(rng, 8.0)));
        }
        if rng.random_bool(0.15) {
            let start = path[0];
            path.insert(0, (start.0 + triangular(rng, 8.0), start.1 + triangular(rng, 8.0)));
        }
        canvas.stroke(&path, width * rng.random_range(0.85..1.15), 1.0);
    }
    canvas
}

/// A stroke that lies, straight, wavy or with a hook; sometimes double.
fn dash(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let width = pen(rng);
    let half = rng.random_range(6.0..26.0f32);
    let middle = around_middle(rng, 3.0);
    let tilt = triangular(rng, 0.55);
    let wave = if rng.random_bool(0.4) { triangular(rng, 6.0) } else { 0.0 };
    let phase = rng.random_range(0.0..std::f32::consts::TAU);
    let cycles = rng.random_range(0.4..1.3) * std::f32::consts::TAU;
    let mut path: Vec<Spot> = (0..=12)
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
        let second: Vec<Spot> = path.iter().map(|spot| (spot.0 + 2.0, spot.1 + gap)).collect();
        canvas.stroke(&second, width, 1.0);
    }
    canvas
}

/// A digit of which a slanted cut took a good share, as a wrong split between two digits leaves it.
fn part_of_digit(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let (mut canvas, _) = any_digit(samples, params, rng)?;
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
    let is_like_one = (right - left) < ONE_ASPECT_MAX * (bottom - top);
    (lost > CUT_SHARE_MIN * whole && canvas.mass() > 0.15 * whole && !is_like_one).then_some(canvas)
}

/// Two digits side by side, apart, touching or overlapping; or one and a good share of the next.
fn two_digits(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let ((first, _), (mut second, _)) = (any_digit(samples, params, rng)?, any_digit(samples, params, rng)?);
    if rng.random_bool(0.4) {
        let [left, _, right, _] = second.bounds()?;
        let whole = second.mass();
        let cut = left + rng.random_range(0.3..0.8) * (right - left);
        second.wipe(|x, _| x > cut);
        if second.mass() < CUT_SHARE_MIN * whole {
            return None;
        }
    }
    let [_, top, right, bottom] = first.bounds()?;
    let [next_left, next_top, next_right, next_bottom] = second.bounds()?;
    // both on one canvas: drawn at half their size, then side by side
    let (mut first, mut second) = (halved(&first), halved(&second));
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
    both.lay_over(&first, -back, 0);
    both.lay_over(&second, dx - back, dy);
    Some(both)
}

/// A digit and a line through it, or two, or many.
fn struck_digit(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let (mut canvas, digit) = any_digit(samples, params, rng)?;
    if rng.random_bool(0.35) {
        return struck_out(canvas, rng);
    }
    let [left, top, right, bottom] = canvas.bounds()?;
    let (height, middle) = (bottom - top, (top + bottom) / 2.0);
    // a bar through a 7, or through a 1 that begins with an upstroke, belongs to it; so does a slash through a nought
    let n_lines = if [0, 1, 7].contains(&digit) || rng.random_bool(0.3) { 2 } else { 1 };
    let rise = rng.random_range(-0.25..0.5f32) * height;
    let (first, gap) = (middle + triangular(rng, 0.25) * height, rng.random_range(0.12..0.3) * height);
    let width = pen(rng).min(height / 6.0);
    for i in 0..n_lines {
        let y = first + (i as f32 - (n_lines - 1) as f32 / 2.0) * gap;
        let [before, beyond] = [(); 2].map(|()| rng.random_range(0.08..0.4) * height);
        let wander = triangular(rng, 0.08) * height;
        let (a, b) = ((left - before, y + rise / 2.0), (right + beyond, y - rise / 2.0 + wander));
        let bulge = triangular(rng, 0.1) * height;
        canvas.stroke(&bent(a, b, bulge), width, 1.0);
    }
    Some(canvas)
}

/// A digit and another one over it, as one who has erred mends it. Where one hides the other there is nothing to see.
fn overwritten(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let ((below, was), (above, is)) = (any_digit(samples, params, rng)?, any_digit(samples, params, rng)?);
    if was == is {
        return None;
    }
    let centre = |canvas: &Canvas| canvas.bounds().map(|[left, top, right, bottom]| (left + right, top + bottom));
    let (from, to) = (centre(&above)?, centre(&below)?);
    let [dx, dy] = [to.0 - from.0, to.1 - from.1].map(|off| (off / 2.0 + triangular(rng, 6.0)).round() as i32);
    let mut both = below.clone();
    both.lay_over(&above, dx, dy);
    let more = both.mass() - below.mass().max(above.mass());
    (more > HIDDEN_SHARE_MIN * both.mass()).then_some(both)
}

/// A digit, and strokes over it.
pub(super) fn struck_out(mut canvas: Canvas, rng: &mut ChaCha8Rng) -> Option<Canvas> {
    let [left, top, right, bottom] = canvas.bounds()?;
    let width = pen(rng);
    let n_strokes = rng.random_range(2..6);
    let steep = rng.random_bool(0.4);
    for i in 0..n_strokes {
        let t = (i as f32 + 0.5) / n_strokes as f32 + triangular(rng, 0.2);
        let y = top + t * (bottom - top);
        let rise = if steep { rng.random_range(6.0..20.0) } else { triangular(rng, 8.0) };
        let path = bent(
            (left - rng.random_range(1.0..8.0), y + rise),
            (right + rng.random_range(1.0..8.0), y - rise),
            triangular(rng, 5.0),
        );
        canvas.stroke(&path, width, 1.0);
    }
    Some(canvas)
}

/// A line that goes hither and thither.
pub(super) fn scribble(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let width = pen(rng);
    let mut path = vec![around_middle(rng, 16.0)];
    for _ in 0..rng.random_range(6..16) {
        let last = path[path.len() - 1];
        let next = around_middle(rng, 20.0);
        path.extend(bent(last, next, triangular(rng, 16.0)).into_iter().skip(1));
    }
    canvas.stroke(&path, width, 1.0);
    canvas
}

/// A corner, a tee or a long thin piece of a printed frame, or an arc of something round.
fn frame_piece(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let width = rng.random_range(0.8..3.0);
    let (x, y) = around_middle(rng, 8.0);
    let (long, short) = (rng.random_range(16.0..30.0f32), rng.random_range(6.0..26.0f32));
    let (right, down) = (sign(rng), sign(rng));
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
            // at most 100 degrees: more of it may be half a digit
            let extent = rng.random_range(0.8..1.75f32);
            let at = |i: i32| from + extent * i as f32 / 10.0;
            let path: Vec<Spot> = (0..=10).map(|i| (x + radius * at(i).cos(), y + radius * at(i).sin())).collect();
            canvas.stroke(&path, pen(rng), 1.0);
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
        let (x, y) = around_middle(rng, spread);
        // a comma or a blot: short against its width, so that it is no 1
        let width = rng.random_range(1.5..8.0);
        let tail = if rng.random_bool(0.5) { rng.random_range(0.0..1.2) * width } else { 0.0 };
        canvas.stroke(&[(x, y), (x - tail * 0.5, y + tail)], width, rng.random_range(0.4..1.0));
    }
    canvas
}

/// A path from `a` to `b` that bulges by `bulge` pixels half way: a parabola.
pub(super) fn bent(a: Spot, b: Spot, bulge: f32) -> Vec<Spot> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx.hypot(dy).max(1e-3);
    (0..=8)
        .map(|i| {
            let t = i as f32 / 8.0;
            let off = bulge * 4.0 * t * (1.0 - t) / length;
            (a.0 + t * dx - dy * off, a.1 + t * dy + dx * off)
        })
        .collect()
}

/// Any digit, drawn by any hand, and which it is.
fn any_digit(samples: &[&Sample], params: &Augmentation, rng: &mut ChaCha8Rng) -> Option<(Canvas, u8)> {
    if samples.is_empty() {
        return None;
    }
    let sample = samples[rng.random_range(0..samples.len())];
    Some((drawn(&sample.ink, params, rng)?, sample.digit))
}

/// Half the size, in the middle.
fn halved(canvas: &Canvas) -> Canvas {
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

/// Stroke width, pixels: from a fine pen on a large cell to a felt pen on a small one.
fn pen(rng: &mut ChaCha8Rng) -> f32 {
    rng.random_range(1.4f32.ln()..7.0f32.ln()).exp()
}

fn around_middle(rng: &mut ChaCha8Rng, reach: f32) -> Spot {
    let middle = CANVAS_SIDE as f32 / 2.0;
    (middle + triangular(rng, reach), middle + triangular(rng, reach))
}

fn sign(rng: &mut ChaCha8Rng) -> f32 {
    if rng.random_bool(0.5) { 1.0 } else { -1.0 }
}
