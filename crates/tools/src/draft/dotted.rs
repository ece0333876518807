//! Rows of dots or short dashes, and broken lines: lines to write on that are no lines, and the leaders from a word to its box.

use super::ink::{Ink, in_mm, label_bounds};
use formread_raster::{geometry::Rect, label_components};

/// Largest height of a dot or a dash, and largest width of a dash, millimetres.
const MAX_HEIGHT_MM: f64 = 0.8;
const MAX_WIDTH_MM: f64 = 4.0;
/// Smallest side of a dot, millimetres.
const MIN_SIDE_MM: f64 = 0.12;
/// Largest gap between two of a row, millimetres.
const MAX_GAP_MM: f64 = 2.2;
/// How far the middles of neighbours may lie off each other, millimetres, and in pixels where these are coarse.
const MAX_STEP_MM: f64 = 0.15;
const MAX_STEP_PX: f64 = 1.1;
/// The pitch of neighbours differs from the middle one of the row by at most this, as a share and in millimetres, for this share of them.
const EVEN_SHARE: f64 = 0.25;
const EVEN_MM: f64 = 0.2;
const MIN_EVEN: f64 = 0.8;
/// Fewest dots or dashes, and shortest row, millimetres.
const MIN_DOTS: usize = 6;
const MIN_LENGTH_MM: f64 = 8.0;

/// The rows of dots or dashes, and lines that are broken into pieces, millimetres, from top to bottom.
pub(super) fn dotted_rows(ink: &Ink) -> Vec<Rect> {
    let k = ink.px_per_mm;
    let bounds = |[x0, y0, x1, y1]: [u32; 4]| {
        in_mm(Rect::from_edges(f64::from(x0), f64::from(y0), f64::from(x1) + 1.0, f64::from(y1) + 1.0), k)
    };
    let is_low = |r: &Rect| r.height() <= MAX_HEIGHT_MM && r.width().max(r.height()) >= MIN_SIDE_MM;
    let is_dash = |r: &Rect| r.width() > MAX_HEIGHT_MM && r.width() > 2.0 * r.height();
    let mut low: Vec<Rect> =
        label_bounds(&label_components(&ink.mask)).into_iter().flatten().map(bounds).filter(is_low).collect();
    low.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let max_step = MAX_STEP_MM.max(MAX_STEP_PX / k);
    let is_dot = |r: &Rect| r.width() <= MAX_HEIGHT_MM || r.width() <= MAX_WIDTH_MM && is_dash(r);
    let dots: Vec<Rect> = low.iter().copied().filter(is_dot).collect();
    let pieces: Vec<Rect> = low.iter().copied().filter(is_dash).collect();
    joined(rows(&dots, max_step), &pieces, max_step)
}

/// `rows` with what follows each other at their level, and lines that are broken: where a scan is coarse, some dashes touch. `pieces` are
/// dashes and pieces of lines in order of their left edges.
fn joined(mut rows: Vec<Rect>, pieces: &[Rect], max_step: f64) -> Vec<Rect> {
    let mut runs: Vec<Vec<Rect>> = Vec::new();
    for piece in pieces {
        let follows = |run: &&mut Vec<Rect>| {
            let last = run[run.len() - 1];
            (piece.centre().y - last.centre().y).abs() <= max_step && piece.x0 - last.x1 <= MAX_GAP_MM
        };
        match runs.iter_mut().rev().find(follows) {
            Some(run) => run.push(*piece),
            None => runs.push(vec![*piece]),
        }
    }
    for run in runs {
        let is_broken_line = run.len() > 1 && run.iter().any(|piece| piece.width() > MAX_WIDTH_MM);
        let Some(whole) = run.into_iter().reduce(Rect::union) else { continue };
        let is_of = |row: &Rect| row.inflate(max_step).intersection(whole).is_some();
        let of: Vec<Rect> = rows.extract_if(.., |row| is_of(row)).collect();
        if !of.is_empty() || is_broken_line && whole.width() >= MIN_LENGTH_MM {
            rows.push(of.into_iter().fold(whole, Rect::union));
        }
    }
    rows.sort_by(|a, b| a.y0.total_cmp(&b.y0).then(a.x0.total_cmp(&b.x0)));
    rows
}

/// Even rows of `dots`, which are in order of their left edges.
fn rows(dots: &[Rect], max_step: f64) -> Vec<Rect> {
    let mut rows: Vec<Vec<Rect>> = Vec::new();
    // rows that nothing can follow any more are set aside
    let mut ended: Vec<Vec<Rect>> = Vec::new();
    for dot in dots {
        let (open, done): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row: &Vec<Rect>| dot.x0 - row[row.len() - 1].x1 <= MAX_GAP_MM);
        ended.extend(done);
        rows = open;
        let follows = |row: &&mut Vec<Rect>| {
            let last = row[row.len() - 1];
            (dot.centre().y - last.centre().y).abs() <= max_step
                && dot.x0 >= last.x1 - 0.01
                && dot.width() <= 2.0 * last.width() + EVEN_MM
                && last.width() <= 2.0 * dot.width() + EVEN_MM
        };
        match rows.iter_mut().find(follows) {
            Some(row) => row.push(*dot),
            None => rows.push(vec![*dot]),
        }
    }
    ended.extend(rows);
    let mut found: Vec<Rect> =
        ended.into_iter().filter(|row| is_even(row)).filter_map(|row| row.into_iter().reduce(Rect::union)).collect();
    found.retain(|row| row.width() >= MIN_LENGTH_MM);
    found
}

fn is_even(row: &[Rect]) -> bool {
    if row.len() < MIN_DOTS {
        return false;
    }
    let pitches: Vec<f64> = row.windows(2).map(|two| two[1].x0 - two[0].x0).collect();
    let mut sorted = pitches.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];
    let is_near = |pitch: &&f64| (**pitch - middle).abs() <= (EVEN_SHARE * middle).max(EVEN_MM);
    pitches.iter().filter(is_near).count() as f64 >= MIN_EVEN * pitches.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_dots_are_a_row_and_dots_of_letters_are_none() {
        let dot = |x: f64, y: f64| Rect::from_xywh(x, y, 0.4, 0.4);
        let even: Vec<Rect> = (0..30).map(|i| dot(10.0 + 1.2 * f64::from(i), 20.0)).collect();
        let [row] = rows(&even, 0.15)[..] else { panic!("it is one row") };
        assert!((row.x0 - 10.0).abs() < 1e-9 && (row.x1 - 45.2).abs() < 1e-9 && row.y0 == 20.0, "{row:?}");

        let uneven = [0.0, 1.0, 3.1, 3.6, 5.8, 6.4, 8.5, 9.2, 11.3].map(|x| dot(10.0 + x, 20.0));
        assert_eq!(rows(&uneven, 0.15), []);
        let few: Vec<Rect> = even[..5].to_vec();
        assert_eq!(rows(&few, 0.15), []);
    }

    #[test]
    fn dashes_that_touch_in_places_are_one_row() {
        let piece = |x: f64, width: f64| Rect::from_xywh(x, 20.0, width, 0.4);
        // dashes of 2 mm, of which some touch
        let (touching, even) = (piece(10.0, 6.2), [16.4, 18.5, 20.6, 22.7, 24.8, 26.9, 29.0].map(|x| piece(x, 2.0)));
        let pieces: Vec<Rect> = [touching].into_iter().chain(even).collect();
        let row = |pieces: &[Rect]| joined(rows(&even, 0.15), pieces, 0.15);
        let [found] = row(&pieces)[..] else { panic!("it is one row") };
        assert!((found.x0 - 10.0).abs() < 1e-9 && (found.x1 - 31.0).abs() < 1e-9, "{found:?}");
        // without an even row, a long piece and a short one
        let [found] = joined(Vec::new(), &[touching, piece(16.4, 2.0)], 0.15)[..] else {
            panic!("it is a broken line")
        };
        assert!((found.width() - 8.4).abs() < 1e-9, "{found:?}");
        assert_eq!(joined(Vec::new(), &[piece(10.0, 60.0)], 0.15), [], "a whole line");
        assert_eq!(joined(Vec::new(), &[piece(10.0, 2.0), piece(12.4, 2.0)], 0.15), [], "two dashes");
    }
}
