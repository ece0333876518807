//! Combs that are open: without a line above or below their teeth, or with a last cell that nothing closes.

use formread_raster::{
    LinePieces,
    geometry::{Point, Segment},
    join_pieces,
};

/// Height of a comb, and distance between its teeth, millimetres.
const TOOTH_MM: std::ops::RangeInclusive<f64> = 2.8..=18.0;
const PITCH_MM: std::ops::RangeInclusive<f64> = 2.5..=10.5;
/// How far the ends of teeth may lie off a line, millimetres.
const REACH_MM: f64 = 0.7;
/// A line this near to a missing side is that side, millimetres.
const NEAR_MM: f64 = 1.2;
/// Largest difference between the pitches of one comb, as a share.
const PITCH_TOLERANCE: f64 = 0.2;
/// Fewest teeth of a comb without a line above or below, and of one whose last cell is open.
const MIN_TEETH: usize = 4;
/// Largest gap in a line, millimetres, and how far its pieces may lie off each other, pixels.
const MAX_GAP_MM: f64 = 0.6;
const MAX_OFFSET_PX: f64 = 2.0;

/// The lines that would close the open combs among these pieces of lines, pixel centres.
pub(super) fn missing_sides(pieces: &LinePieces, px_per_mm: f64) -> Vec<Segment> {
    let join = |pieces: &[Segment]| join_pieces(pieces, MAX_GAP_MM * px_per_mm, MAX_OFFSET_PX);
    let (level, upright) = (join(&pieces.horizontal), join(&pieces.vertical));
    let is_tooth = |line: &&Segment| TOOTH_MM.contains(&(line.length() / px_per_mm));
    let teeth: Vec<Segment> = upright.iter().filter(is_tooth).copied().collect();
    let mut missing = Vec::new();
    for line in level.iter().filter(|line| line.length() >= PITCH_MM.start() * px_per_mm) {
        for is_below in [true, false] {
            let rows = rows_on(line, &teeth, is_below, px_per_mm);
            let ends = rows.into_iter().map(|row| far_ends(&row, is_below));
            missing.extend(ends.filter(|side| !is_printed(side, &level, px_per_mm)));
        }
    }
    for top in &level {
        for bottom in &level {
            let ends = open_ends(top, bottom, &teeth, px_per_mm);
            missing.extend(ends.into_iter().filter(|side| !is_printed(side, &upright, px_per_mm)));
        }
    }
    missing
}

/// Whether most of `side` is there already.
fn is_printed(side: &Segment, lines: &[Segment], px_per_mm: f64) -> bool {
    let reach = NEAR_MM * px_per_mm;
    let (direction, length) = (side.direction(), side.length());
    let covered: f64 = lines
        .iter()
        .filter(|line| (line.middle() - side.a).cross(direction).abs() <= reach)
        .map(|line| {
            let [from, to] = [line.a, line.b].map(|p| (p - side.a).dot(direction).clamp(0.0, length));
            (to - from).abs()
        })
        .sum();
    covered >= 0.3 * length
}

/// The teeth that end on `line`, which is below or above them: row by row of evenly spaced teeth of one height.
fn rows_on(line: &Segment, teeth: &[Segment], is_below: bool, px_per_mm: f64) -> Vec<Vec<Segment>> {
    let reach = REACH_MM * px_per_mm;
    let near = |tooth: &Segment| if is_below { tooth.b } else { tooth.a };
    let far = |tooth: &Segment| if is_below { tooth.a } else { tooth.b };
    let is_on = |tooth: &&Segment| {
        let p = near(tooth);
        (line.a.x - reach..=line.b.x + reach).contains(&p.x) && (p.y - height_at(line, p.x)).abs() <= reach
    };
    let mut on: Vec<Segment> = teeth.iter().filter(is_on).copied().collect();
    on.sort_by(|s, t| s.a.x.total_cmp(&t.a.x));
    let follows = |s: &Segment, t: &Segment| {
        PITCH_MM.contains(&((t.a.x - s.a.x) / px_per_mm)) && (far(s).y - far(t).y).abs() <= reach
    };
    let rows = on.chunk_by(follows).filter(|row| row.len() >= MIN_TEETH);
    rows.filter(|row| is_even(row)).map(<[Segment]>::to_vec).collect()
}

/// Whether teeth, from left to right, are evenly spaced.
fn is_even(row: &[Segment]) -> bool {
    let pitches: Vec<f64> = row.windows(2).map(|two| two[1].a.x - two[0].a.x).collect();
    let mean = pitches.iter().sum::<f64>() / pitches.len().max(1) as f64;
    pitches.iter().all(|pitch| (pitch - mean).abs() <= PITCH_TOLERANCE * mean)
}

/// The line through the ends of a row of teeth that are not on their line.
fn far_ends(row: &[Segment], is_below: bool) -> Segment {
    let far = |tooth: &Segment| if is_below { tooth.a } else { tooth.b };
    Segment::new(far(&row[0]), far(&row[row.len() - 1]))
}

/// Where two lines above each other go on for one cell past their last teeth, to the left or to the right, the line that closes
/// the cell.
fn open_ends(top: &Segment, bottom: &Segment, teeth: &[Segment], px_per_mm: f64) -> Vec<Segment> {
    let reach = REACH_MM * px_per_mm;
    if !TOOTH_MM.contains(&((bottom.middle().y - top.middle().y) / px_per_mm)) {
        return Vec::new();
    }
    let joins = |tooth: &&Segment| {
        let within = |line: &Segment| (line.a.x - reach..=line.b.x + reach).contains(&tooth.a.x);
        within(top)
            && within(bottom)
            && (tooth.a.y - height_at(top, tooth.a.x)).abs() <= reach
            && (tooth.b.y - height_at(bottom, tooth.b.x)).abs() <= reach
    };
    let mut row: Vec<Segment> = teeth.iter().filter(joins).copied().collect();
    row.sort_by(|s, t| s.a.x.total_cmp(&t.a.x));
    if row.len() < MIN_TEETH || !is_even(&row) {
        return Vec::new();
    }
    let (first, last) = (row[0], row[row.len() - 1]);
    let pitch = (last.a.x - first.a.x) / (row.len() - 1) as f64;
    let closing = |ends: [f64; 2], tooth: &Segment| {
        let x = (ends[0] + ends[1]) / 2.0;
        let is_cell = ((x - tooth.a.x).abs() - pitch).abs() <= PITCH_TOLERANCE * pitch;
        ((ends[0] - ends[1]).abs() <= reach && is_cell)
            .then(|| Segment::new(Point::new(x, height_at(top, x)), Point::new(x, height_at(bottom, x))))
    };
    let right = closing([top.b.x, bottom.b.x], &last);
    let left = closing([top.a.x, bottom.a.x], &first);
    left.into_iter().chain(right).collect()
}

/// The height of a level line at `x`.
fn height_at(line: &Segment, x: f64) -> f64 {
    let slope = (line.b.y - line.a.y) / (line.b.x - line.a.x).max(1.0);
    line.a.y + slope * (x - line.a.x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(x0: f64, y0: f64, x1: f64, y1: f64) -> Segment {
        Segment::new(Point::new(x0, y0), Point::new(x1, y1))
    }

    #[test]
    fn comb_without_a_line_above_or_with_an_open_cell_is_closed() {
        // 10 pixels a millimetre: seven teeth 5 mm apart and 6 mm high on a line
        let teeth: Vec<Segment> =
            (0..7).map(|i| 100.0 + 50.0 * f64::from(i)).map(|x| segment(x, 40.0, x, 100.0)).collect();
        let bottom = segment(100.0, 100.0, 400.0, 100.0);
        let pieces = LinePieces { horizontal: vec![bottom], vertical: teeth.clone() };
        assert_eq!(missing_sides(&pieces, 10.0), [segment(100.0, 40.0, 400.0, 40.0)]);

        let longer = [40.0, 100.0].map(|y| segment(100.0, y, 450.0, y));
        let pieces = LinePieces { horizontal: longer.to_vec(), vertical: teeth.clone() };
        assert!(missing_sides(&pieces, 10.0).contains(&segment(450.0, 40.0, 450.0, 100.0)));

        let pieces =
            LinePieces { horizontal: vec![bottom, segment(100.0, 36.0, 400.0, 36.0)], vertical: teeth.clone() };
        assert!(missing_sides(&pieces, 10.0).is_empty(), "it has a line above");

        let few = LinePieces { horizontal: vec![bottom], vertical: teeth[..3].to_vec() };
        assert!(missing_sides(&few, 10.0).is_empty(), "three strokes on a line are no comb");
    }
}
