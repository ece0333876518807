//! Draws numbers from the tracks of a pen: as large as other strips, with another pen, slant and turn each time.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::triangular;
use super::canvas::{Canvas, DRAWN_SIDE, Point};
use super::line_of_digits::{CANVAS_HEIGHT, LineOfDigits, MAX_GAP, MIDDLE_Y};
use formread_tools::dataset::Track;

/// Longest number against its height. A longer one is a track that was cut badly.
const MAX_ASPECT: f32 = 16.0;

/// Largest change of a number's slant, horizontal pixels per vertical pixel; of its turn, radians; of its width, natural logarithm.
const SLANT: f32 = 0.4;
const TURN: f32 = 0.06;
const STRETCH: f32 = 0.3;

/// Draws a number, and returns the line with the height of its digits, pixels. `None` for tracks that are no line of digits.
pub(super) fn draw_number(track: &Track, pen: f32, rng: &mut ChaCha8Rng) -> Option<(LineOfDigits, f32)> {
    let [left, top, right, bottom] = track.bounds()?;
    let (width, height) = (right - left, bottom - top);
    if height <= 0.0 || width > MAX_ASPECT * height || width < 0.1 * height {
        return None;
    }
    // digits are a little lower than the whole line, which wanders
    let n_signs = track.label.len() as f32;
    let height_px = DRAWN_SIDE * rng.random_range(0.9..1.2) * (1.0 + 0.04 * n_signs.min(8.0));
    let scale = height_px / height;
    let (slant, turn) = (triangular(rng, SLANT), triangular(rng, TURN));
    let stretch = triangular(rng, STRETCH).exp();
    let (middle_x, middle_y) = ((left + right) / 2.0, (top + bottom) / 2.0);
    let width_px = width * scale * stretch + height_px;
    let mut canvas = Canvas::sized((width_px + 2.0 * MAX_GAP) as usize, CANVAS_HEIGHT);
    let canvas_middle = canvas.width as f32 / 2.0;
    let place = |&(x, y): &Point| {
        let (x, y) = ((x - middle_x) * scale * stretch, (y - middle_y) * scale);
        let x = x - slant * y;
        (canvas_middle + x - turn * y, MIDDLE_Y + y + turn * x)
    };
    for stroke in &track.strokes {
        let path: Vec<Point> = stroke.iter().map(place).collect();
        canvas.stroke(&path, pen * rng.random_range(0.9..1.1), 1.0);
    }
    Some((LineOfDigits::of(canvas)?, height_px * 0.9))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn numbers_are_drawn_whole_and_tracks_that_are_no_line_are_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let track = |strokes: Vec<Vec<Point>>| Track { label: "11".to_owned(), strokes, writer: None };
        let two_bars = track(vec![vec![(0.0, 0.0), (0.0, 900.0)], vec![(700.0, 0.0), (700.0, 900.0)]]);
        for _ in 0..20 {
            let (row, height) = draw_number(&two_bars, 3.0, &mut rng).expect("it is a line");
            let [left, top, right, bottom] = row.canvas.bounds().expect("it has ink");
            assert!((30.0..64.0).contains(&height) && bottom - top > 0.8 * height, "{height} px, {top} to {bottom}");
            assert!(left > 2.0 && right < row.canvas.width as f32 - 2.0);
        }
        assert!(draw_number(&track(vec![vec![(0.0, 0.0), (900.0, 1.0)]]), 3.0, &mut rng).is_none());
        assert!(draw_number(&track(Vec::new()), 3.0, &mut rng).is_none());
    }
}
