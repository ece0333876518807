//! The turn of a page whose lines are far from level and plumb.

use super::{evidence::PageLines, params::TurnParams};
use formread_raster::geometry::Segment;

/// Width of a class of directions, degrees.
const CLASS_DEGREES: f64 = 1.0;

/// The turn, radians clockwise, after which most of the page's lines are level or plumb: at most an eighth of a circle either
/// way. `None` where they are nearly so as they are, or have no two common directions at a right angle.
pub fn upright_turn(lines: &PageLines, params: &TurnParams) -> Option<f64> {
    tilt(lines, params).filter(|tilt| tilt.abs() >= params.min_degrees.to_radians()).map(|tilt| -tilt)
}

/// How far most of the page's lines are from level and plumb, radians clockwise: at most an eighth of a circle either way. `None`
/// where they have no two common directions at a right angle.
pub fn tilt(lines: &PageLines, params: &TurnParams) -> Option<f64> {
    let whole: Vec<(f64, f64)> = lines.whole.horizontal.iter().chain(&lines.whole.vertical).map(direction).collect();
    let total: f64 = whole.iter().map(|(_, weight)| weight).sum();
    let near =
        |degrees: f64| whole.iter().filter(move |(own, _)| difference(*own, degrees).abs() <= params.spread_degrees);
    let weight_near = |degrees: f64| near(degrees).map(|(_, weight)| weight).sum::<f64>();
    let classes = (0..(90.0 / CLASS_DEGREES) as u32).map(|class| f64::from(class) * CLASS_DEGREES);
    let (most, mode) = classes.map(|degrees| (weight_near(degrees), degrees)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    if total <= 0.0 || most < params.min_share * total {
        return None;
    }
    let offset: f64 = near(mode).map(|(own, weight)| weight * difference(*own, mode)).sum::<f64>() / most;
    Some(difference(mode + offset, 0.0).to_radians())
}

/// The direction of a line, degrees modulo 90, and its weight. Long lines are exact and printed, so they weigh more.
fn direction(line: &Segment) -> (f64, f64) {
    let along = line.direction();
    (along.y.atan2(along.x).to_degrees().rem_euclid(90.0), line.length().powi(2))
}

/// How far the direction `a` is from `b`, degrees, both modulo 90: -45 to 45.
fn difference(a: f64, b: f64) -> f64 {
    (a - b + 45.0).rem_euclid(90.0) - 45.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_raster::{
        LinePieces,
        geometry::{Point, Projection},
    };

    /// Lines of a form of 600 x 800, turned by some degrees, and some strokes in other directions.
    fn turned(degrees: f64, n_strokes: u32) -> PageLines {
        let turn = Projection::rotation(degrees.to_radians());
        let line = |x0: f64, y0: f64, x1: f64, y1: f64| {
            turn.apply_segment(Segment::new(Point::new(x0, y0), Point::new(x1, y1)))
        };
        let level = (0..8).map(|i| line(0.0, 100.0 * f64::from(i), 600.0, 100.0 * f64::from(i)));
        let plumb = (0..4).map(|i| line(150.0 * f64::from(i), 0.0, 150.0 * f64::from(i), 300.0));
        let strokes = (0..n_strokes).map(|i| line(0.0, 0.0, 60.0 * f64::from(i).cos(), 60.0 * f64::from(i).sin()));
        let (horizontal, vertical) = level.chain(plumb).chain(strokes).partition(|line| line.is_horizontal());
        PageLines { pieces: LinePieces::default(), whole: LinePieces { horizontal, vertical } }
    }

    #[test]
    fn upright_turn_takes_back_any_turn() {
        for degrees in [-44.0, -20.0, -9.5, 10.0, 30.0, 44.9, 60.0, 110.0, 200.0, 285.3] {
            let turn = upright_turn(&turned(degrees, 40), &TurnParams::default()).expect("it is turned").to_degrees();
            assert!(difference(degrees + turn, 0.0).abs() < 0.3, "{degrees}: {turn}");
            assert!(turn.abs() <= 45.0);
        }
    }

    #[test]
    fn tilt_of_a_nearly_upright_page_is_how_far_it_is_turned() {
        for degrees in [0.0, 1.6, -4.0] {
            let tilt = tilt(&turned(degrees, 40), &TurnParams::default()).expect("most lines agree").to_degrees();
            assert!((tilt - degrees).abs() < 0.3, "{degrees}: {tilt}");
        }
    }

    #[test]
    fn upright_turn_of_an_upright_page_is_none() {
        for degrees in [0.0, -4.0, 5.0, 90.0, 177.0] {
            assert_eq!(upright_turn(&turned(degrees, 40), &TurnParams::default()), None, "{degrees}");
        }
    }

    #[test]
    fn upright_turn_of_lines_in_all_directions_is_none() {
        let all = |n: u32| {
            let line = |i: u32| Segment::new(Point::default(), Point::new(f64::from(i).cos(), f64::from(i).sin()));
            let (horizontal, vertical) = (0..n).map(line).partition(|line| line.is_horizontal());
            PageLines { pieces: LinePieces::default(), whole: LinePieces { horizontal, vertical } }
        };
        for n in [0, 300] {
            assert_eq!(upright_turn(&all(n), &TurnParams::default()), None);
        }
    }
}
