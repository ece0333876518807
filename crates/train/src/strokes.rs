//! Strokes that several drawings share: a curved path, a pen, crosses.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::allographs::curve;
use super::augment::triangular;
use super::canvas::{CANVAS_SIDE, Canvas, DRAWN_SIDE, Point};

/// A cross as people draw it to fill a cell.
pub(super) fn cross(rng: &mut ChaCha8Rng) -> Canvas {
    if rng.random_bool(0.4) { cross_in_one_go(rng) } else { cross_of_two_strokes(rng) }
}

/// One stroke that crosses itself: along one diagonal, through a narrow or a wide loop, along the other.
fn cross_in_one_go(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let middle = near_middle(rng, 3.0);
    let side = if rng.random_bool(0.6) { 1.0 } else { -1.0 };
    // the loop is at a side, or at the bottom or the top
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
    let points = points.map(|(x, y): Point| {
        let (x, y) = (side * x + triangular(rng, 0.25), y + triangular(rng, 0.25));
        let (x, y) = if is_turned { (y, x) } else { (x, y) };
        (middle.0 + x * half_width, middle.1 + y * half_height)
    });
    canvas.stroke(&curve(&points), random_pen_width(rng), 1.0);
    canvas
}

/// Two strokes that cross, straight or curved, of any usual length and angle; some with hooks or serifs.
fn cross_of_two_strokes(rng: &mut ChaCha8Rng) -> Canvas {
    let mut canvas = Canvas::new();
    let width = random_pen_width(rng);
    let middle = near_middle(rng, 3.0);
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
        let mut path = curved_path(a, b, triangular(rng, 9.0));
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

/// A parabola from `a` to `b` that deviates from the straight line by `bulge` pixels in the middle.
pub(super) fn curved_path(a: Point, b: Point, bulge: f32) -> Vec<Point> {
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

/// Random stroke width, pixels: from a fine pen in a large cell to a felt pen in a small one.
pub(super) fn random_pen_width(rng: &mut ChaCha8Rng) -> f32 {
    rng.random_range(1.4f32.ln()..7.0f32.ln()).exp()
}

/// A point near the middle of a canvas, at most `reach` pixels from it in each direction.
pub(super) fn near_middle(rng: &mut ChaCha8Rng, reach: f32) -> Point {
    let middle = CANVAS_SIDE as f32 / 2.0;
    (middle + triangular(rng, reach), middle + triangular(rng, reach))
}
