//! Makes a page that was photographed from the side level again, by the vanishing points of its lines.
//!
//! Parallel lines of the paper meet in one point of the picture; the two points of a form's two directions give the tilt of
//! the paper (Hartley and Zisserman, "Multiple View Geometry", 2004, section 2.7). Afterwards it is a flat page except for
//! its proportions, which the fit finds.

use super::{evidence::PageLines, params::LevelParams};
use formread_raster::geometry::{Point, Projection, Rect, Segment};

/// The map after which the page's lines are upright, near its middle neither stretched nor turned by more than an
/// eighth of a circle; `None` where the lines have no two directions.
pub fn level(lines: &PageLines, bounds: Rect, params: &LevelParams) -> Option<Projection> {
    let mut whole: Vec<Segment> = lines.whole.horizontal.iter().chain(&lines.whole.vertical).copied().collect();
    whole.sort_by(|s, t| t.length().total_cmp(&s.length()));
    let (first, second) = main_directions(&whole, params)?;
    let centre = bounds.centre();
    // Coordinates about the centre, the page's size being about 1.
    let size = bounds.width().max(bounds.height()) / 2.0;
    let unit_from_page =
        Projection::scaling(1.0 / size, 1.0 / size).compose(&Projection::translation(-centre.x, -centre.y));
    let family = |degrees: f64| -> Vec<Segment> {
        whole
            .iter()
            .filter(|s| turn_between(angle(**s), degrees) <= params.family_spread_degrees)
            .map(|s| unit_from_page.apply_segment(*s))
            .collect()
    };
    let (first, second) = (vanishing_point(&family(first), params)?, vanishing_point(&family(second), params)?);
    // The family that runs more sideways becomes the horizontal one.
    let sideways = |v: &[f64; 3]| v[0].abs() / v[0].hypot(v[1]).max(f64::MIN_POSITIVE);
    let (across, down) = if sideways(&first) >= sideways(&second) { (first, second) } else { (second, first) };
    let sign = |v: [f64; 3], positive: bool| if positive { v } else { v.map(|x| -x) };
    // Columns of the map back: the images of the axes' far ends and of the origin. Lengths at the centre are kept.
    let across = sign(across, across[0] > 0.0);
    let down = sign(down, down[1] > 0.0);
    let (across_len, down_len) = (across[0].hypot(across[1]), down[0].hypot(down[1]));
    if across_len < 1e-6 || down_len < 1e-6 {
        return None;
    }
    let page_from_level = Projection([
        across[0] / across_len,
        down[0] / down_len,
        0.0,
        across[1] / across_len,
        down[1] / down_len,
        0.0,
        across[2] / across_len,
        down[2] / down_len,
        1.0,
    ]);
    let level_from_unit = page_from_level.inverse()?;
    // Every corner must lie on this side of the horizon.
    let level = level_from_unit.0;
    let is_before_horizon = |p: Point| level[6] * p.x + level[7] * p.y + level[8] > 0.05 * level[8];
    let corners = bounds.corners().map(|p| unit_from_page.apply(p));
    if !(level[8] > 0.0 && corners.into_iter().all(is_before_horizon)) {
        return None;
    }
    let page_from_unit = unit_from_page.inverse()?;
    Some(page_from_unit.compose(&level_from_unit).compose(&unit_from_page))
}

/// Direction of a segment, degrees, 0 to 180.
fn angle(s: Segment) -> f64 {
    let d = s.b - s.a;
    d.y.atan2(d.x).to_degrees().rem_euclid(180.0)
}

/// Angle between two directions, degrees, 0 to 90.
fn turn_between(a: f64, b: f64) -> f64 {
    let turn = (a - b).rem_euclid(180.0);
    turn.min(180.0 - turn)
}

/// The two directions in which most of the length runs, degrees.
fn main_directions(lines: &[Segment], params: &LevelParams) -> Option<(f64, f64)> {
    let weight_near = |degrees: f64| -> f64 {
        lines
            .iter()
            .map(|s| s.length() * (1.0 - turn_between(angle(*s), degrees) / params.family_spread_degrees).max(0.0))
            .sum()
    };
    let candidates = || (0..90).map(|i| 2.0 * f64::from(i));
    let longest_of = |allowed: &dyn Fn(f64) -> bool| {
        candidates()
            .filter(|d| allowed(*d))
            .map(|d| (weight_near(d), d))
            .filter(|(w, _)| *w > 0.0)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, d)| d)
    };
    let first = longest_of(&|_| true)?;
    let [min, max] = params.families_apart_degrees;
    let second = longest_of(&|d| (min..=max).contains(&(d - first).rem_euclid(180.0)))?;
    Some((first, second))
}

/// The line through a segment, homogeneous.
fn line_through(s: Segment) -> [f64; 3] {
    cross([s.a.x, s.a.y, 1.0], [s.b.x, s.b.y, 1.0])
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The point, perhaps at infinity, towards which most of the length of `family` runs: the best of all pairs of the
/// longest lines, then the mean of those that run towards it. Homogeneous, of unit length.
fn vanishing_point(family: &[Segment], params: &LevelParams) -> Option<[f64; 3]> {
    if family.len() < params.min_family_lines {
        return None;
    }
    let tried = &family[..params.max_tried.min(family.len())];
    let max_sine = params.max_miss_degrees.to_radians().sin();
    let runs_towards = |s: &Segment, v: [f64; 3]| {
        let middle = s.middle();
        let towards = Point::new(v[0] - v[2] * middle.x, v[1] - v[2] * middle.y);
        s.direction().cross(towards).abs() <= max_sine * towards.norm()
    };
    let support = |v: [f64; 3]| -> f64 { tried.iter().filter(|s| runs_towards(s, v)).map(|s| s.length()).sum() };
    let mut best: Option<(f64, [f64; 3])> = None;
    for (i, s) in tried.iter().enumerate() {
        for t in &tried[i + 1..] {
            let Some(v) = unit(cross(line_through(*s), line_through(*t))) else { continue };
            let found = support(v);
            if best.is_none_or(|(max, _)| found > max) {
                best = Some((found, v));
            }
        }
    }
    let (_, mut v) = best?;
    // Weighted least squares by inverse iteration: the v that is most nearly on all the lines.
    for _ in 0..5 {
        let mut moments = [[0.0f64; 4]; 3];
        for s in tried.iter().filter(|s| runs_towards(s, v)) {
            let Some(line) = unit(line_through(*s)) else { continue };
            for i in 0..3 {
                for j in 0..3 {
                    moments[i][j] += s.length() * s.length() * line[i] * line[j];
                }
            }
        }
        for i in 0..3 {
            moments[i][i] += 1e-9;
            moments[i][3] = v[i];
        }
        v = unit(formread_raster::geometry::solve_augmented(moments)?)?;
    }
    Some(v)
}

fn unit(v: [f64; 3]) -> Option<[f64; 3]> {
    let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    (length > 1e-12).then(|| v.map(|x| x / length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_raster::LinePieces;

    /// A grid seen from the side is a grid again, its lines upright within a tenth of a degree.
    #[test]
    fn level_tilted_grid_becomes_upright() {
        let tilt = Projection([0.9, 0.12, 60.0, -0.1, 1.0, 80.0, 0.0002, 0.0003, 1.0]);
        let line = |x0: f64, y0: f64, x1: f64, y1: f64| {
            tilt.apply_segment(Segment::new(Point::new(x0, y0), Point::new(x1, y1)))
        };
        let lines = PageLines {
            pieces: LinePieces::default(),
            whole: LinePieces {
                horizontal: (0..8).map(|i| line(0.0, 100.0 * f64::from(i), 600.0, 100.0 * f64::from(i))).collect(),
                vertical: (0..6).map(|i| line(100.0 * f64::from(i), 0.0, 100.0 * f64::from(i), 700.0)).collect(),
            },
        };
        let level = level(&lines, Rect::from_edges(0.0, 0.0, 700.0, 800.0), &LevelParams::default())
            .expect("a grid has two directions");
        for s in &lines.whole.horizontal {
            assert!(turn_between(angle(level.apply_segment(*s)), 0.0) < 0.1, "{s:?}");
        }
        for s in &lines.whole.vertical {
            assert!(turn_between(angle(level.apply_segment(*s)), 90.0) < 0.1, "{s:?}");
        }
    }

    #[test]
    fn level_lines_of_one_direction_is_none() {
        let lines = PageLines {
            pieces: LinePieces::default(),
            whole: LinePieces {
                horizontal: (0..9)
                    .map(|i| Segment::new(Point::new(0.0, f64::from(i)), Point::new(50.0, f64::from(i))))
                    .collect(),
                vertical: Vec::new(),
            },
        };
        assert_eq!(level(&lines, Rect::from_edges(0.0, 0.0, 60.0, 60.0), &LevelParams::default()), None);
    }
}
