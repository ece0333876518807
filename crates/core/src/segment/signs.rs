//! Signs of a number that are no digits: a minus or parentheses, a dash in place of the decimals, points.
//!
//! Signs are recognised by their shape and by their place beside the digits. They are removed before the ink is cut into
//! digits: a net that knows only digits reads a parenthesis as a 1.

use image::GrayImage;

use formread_raster::geometry::Rect;

use super::{
    free::{digit_height, stroke_width},
    params::PARAMS,
    parts::Part,
};
use crate::form::{DecimalPoint, Field, FieldKind, FieldLayout};

/// Ink this near to the upper and the lower side of a frame, pixels, goes on beyond it.
const CUT_PX: f64 = 3.0;

/// The signs beside a number's digits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signs {
    /// A minus before the digits or behind a whole number, or parentheses around them. Searched only where the field may be
    /// negative.
    pub is_negative: bool,
    /// A dash behind the digits in place of zero decimals: `12,-`. Searched only in amounts with decimals.
    pub ends_in_dash: bool,
    /// Middles of the points and commas among the digits of an amount in a box, pixels of the crop, from left to right.
    pub points: Vec<i32>,
    /// A sign is incomplete or ambiguous: one parenthesis without the other, a second minus, a dash behind that may be a minus.
    pub is_doubtful: bool,
}

/// Where the digits are, pixels of the crop.
struct Row {
    left: i32,
    right: i32,
    top: f32,
    height: f32,
}

impl Row {
    /// `None` where nothing is as high as `min_height` pixels.
    fn of(parts: &[Part], min_height: f32) -> Option<Self> {
        let height = digit_height(parts).filter(|height| *height >= min_height)?;
        let tall: Vec<&Part> =
            parts.iter().filter(|part| part.height() as f32 >= PARAMS.sign.min_digit_height * height).collect();
        let mut tops: Vec<i32> = tall.iter().map(|part| part.y).collect();
        tops.sort_unstable();
        let left = tall.iter().map(|part| part.x).min()?;
        let right = tall.iter().map(|part| part.right()).max()?;
        Some(Self { left, right, top: *tops.get(tops.len() / 2)? as f32, height })
    }

    /// 0 at the digits' tops, 1 at their bottoms.
    fn level(&self, y: f32) -> f32 {
        (y - self.top) / self.height
    }

    fn is_before(&self, part: &Part) -> bool {
        part.right() as f32 <= self.left as f32 + PARAMS.sign.max_overlap * self.height
    }

    fn is_behind(&self, part: &Part) -> bool {
        part.x as f32 >= self.right as f32 - PARAMS.sign.max_overlap * self.height
    }

    fn is_dash(&self, part: &Part) -> bool {
        let (width, height) = (part.width() as f32, part.height() as f32);
        let middle = (part.y + part.bottom()) as f32 / 2.0;
        height <= PARAMS.sign.max_dash_height * self.height
            && PARAMS.sign.dash_width.contains(&(width / self.height))
            && width >= PARAMS.sign.min_dash_aspect * height
            && PARAMS.sign.dash_level.contains(&self.level(middle))
            && wave(part) <= PARAMS.sign.max_dash_wave
    }

    fn is_point(&self, part: &Part, parts: &[Part]) -> bool {
        let (width, height) = (part.width() as f32 / self.height, part.height() as f32 / self.height);
        let covered = |other: &Part| part.right().min(other.right()) - part.x.max(other.x);
        let middle = (part.x + part.right()) as f32 / 2.0;
        let reach = self.left as f32..self.right as f32 + PARAMS.sign.max_point_reach * self.height;
        width <= PARAMS.sign.max_point_sides.0
            && height <= PARAMS.sign.max_point_sides.1
            && reach.contains(&middle)
            && self.level(part.y as f32) >= PARAMS.sign.min_point_level
            && !parts.iter().any(|other| {
                other.height() as f32 >= PARAMS.sign.min_digit_height * self.height
                    && covered(other) as f32 > PARAMS.sign.max_point_overlap * part.width() as f32
            })
    }

    /// How far a single stroke bulges to the right (to the left where negative), in its own height. `None` where the part is
    /// no single stroke.
    fn bulge(&self, part: &Part) -> Option<f32> {
        if (part.height() as f32) < PARAMS.sign.min_arc_height * self.height {
            return None;
        }
        let runs: Vec<Option<f32>> = (0..part.ink.height()).map(|y| only_run(&part.ink, y)).collect();
        let max_width = PARAMS.sign.max_arc_stroke * self.height;
        let single = |run: &Option<f32>| run.is_some_and(|width| width <= max_width);
        if (runs.iter().filter(|run| single(run)).count() as f32) < PARAMS.sign.min_arc_rows * runs.len() as f32 {
            return None;
        }
        let third = (runs.len() / 3).max(1);
        let end = (runs.len() / 8).max(1);
        let mean = |rows: std::ops::Range<usize>| {
            let (mut sum, mut n) = (0.0, 0.0f32);
            for x in rows.filter_map(|y| middle_of_row(&part.ink, y as u32)) {
                (sum, n) = (sum + x, n + 1.0);
            }
            (n > 0.0).then(|| sum / n)
        };
        let (head, foot) = (mean(0..end)?, mean(runs.len() - end..runs.len())?);
        let waist = mean(third..(runs.len() - third).max(third + 1))?;
        Some((waist - (head + foot) / 2.0) / part.height() as f32)
    }
}

/// Bends of a stroke from which on it goes up and down, as a tilde does: an arc has two.
const MIN_BENDS: usize = 3;

/// How far the course of a flat stroke that goes up and down lies from a straight line, root mean square, in its own thickness;
/// 0 for a stroke that is straight or an arc.
fn wave(part: &Part) -> f32 {
    let middle = |x: u32| {
        let rows = (0..part.ink.height()).filter(|&y| part.ink.get_pixel(x, y)[0] >= 128);
        let (sum, n) = rows.fold((0u32, 0u32), |(sum, n), y| (sum + y, n + 1));
        (n > 0).then(|| (x as f32, sum as f32 / n as f32))
    };
    let course: Vec<(f32, f32)> = (0..part.ink.width()).filter_map(middle).collect();
    let n = course.len() as f32;
    let mean = |value: &dyn Fn(&(f32, f32)) -> f32| course.iter().map(value).sum::<f32>() / n.max(1.0);
    let (mean_x, mean_y) = (mean(&|spot| spot.0), mean(&|spot| spot.1));
    let spread = mean(&|spot| (spot.0 - mean_x).powi(2)).max(f32::MIN_POSITIVE);
    let slope = mean(&|spot| (spot.0 - mean_x) * (spot.1 - mean_y)) / spread;
    let off = |spot: &(f32, f32)| spot.1 - mean_y - slope * (spot.0 - mean_x);
    let rms = mean(&|spot| off(spot).powi(2)).sqrt();
    // which side the course is on, where it is clear
    let mut sides: Vec<bool> =
        course.iter().map(off).filter(|off| off.abs() > rms / 2.0).map(|off| off > 0.0).collect();
    sides.dedup();
    let thickness = part.area() as f32 / n.max(1.0);
    if sides.len() > MIN_BENDS { rms / thickness.max(1.0) } else { 0.0 }
}

/// Width of the one run of ink in a row; `None` where there is none, or more.
fn only_run(ink: &GrayImage, y: u32) -> Option<f32> {
    let is_ink = |x: u32| ink.get_pixel(x, y)[0] >= 128;
    let n_ink = (0..ink.width()).filter(|&x| is_ink(x)).count();
    let n_starts = (0..ink.width()).filter(|&x| is_ink(x) && (x == 0 || !is_ink(x - 1))).count();
    (n_starts == 1).then_some(n_ink as f32)
}

fn middle_of_row(ink: &GrayImage, y: u32) -> Option<f32> {
    let columns = (0..ink.width()).filter(|&x| ink.get_pixel(x, y)[0] >= 128);
    let (sum, n) = columns.fold((0u32, 0u32), |(sum, n), x| (sum + x, n + 1));
    (n > 0).then(|| sum as f32 / n as f32)
}

/// Splits the signs of `field` from its `parts`. Returns the parts that are left, the parts of signs, and the signs.
/// `min_height` is the least height of a digit, pixels; `frame` is the field's place in the crop.
pub(super) fn split_signs(
    parts: Vec<Part>,
    field: &Field,
    min_height: f32,
    frame: Rect,
) -> (Vec<Part>, Vec<Part>, Signs) {
    let (n_decimals, point) = match field.kind {
        FieldKind::Amount { decimals, point } => (decimals, point),
        _ => (0, DecimalPoint::default()),
    };
    let mut signs = Signs::default();
    let mut kept = parts;
    let mut taken = Vec::new();
    if field.is_signed {
        parentheses(&mut kept, &mut taken, &mut signs, min_height, frame);
    }
    if n_decimals == 0 && !field.is_signed {
        return (kept, taken, signs);
    }
    let Some(row) = Row::of(&kept, min_height) else { return (kept, taken, signs) };
    if field.is_signed {
        let n_minus = take(&mut kept, &mut taken, |part| row.is_before(part) && row.is_dash(part));
        // a minus behind a whole number is written so on purpose; behind an amount it may replace the decimals
        let n_behind = match n_decimals {
            0 => take(&mut kept, &mut taken, |part| row.is_behind(part) && row.is_dash(part)),
            _ => 0,
        };
        signs.is_doubtful |= n_minus + n_behind > 1 || n_minus + n_behind == 1 && signs.is_negative;
        signs.is_negative |= n_minus + n_behind > 0;
    }
    if n_decimals > 0 {
        if matches!(field.layout, FieldLayout::Box { .. }) {
            // where no point is expected, a speck finer than the strokes is more likely dust
            let is_expected = point != DecimalPoint::Implied;
            let min_area = if is_expected { 0.0 } else { PARAMS.sign.min_point_area * stroke_width(&kept).powi(2) };
            let points = kept.iter().filter(|part| row.is_point(part, &kept) && part.area() as f32 >= min_area);
            signs.points = points.map(|part| (part.x + part.right()) / 2).collect();
            signs.points.sort_unstable();
        }
        let has_comma = signs.points.last().is_some_and(|&x| x >= row.right);
        // digits behind the point are decimals: a dash after them does not stand for any, and is a minus if it is allowed
        let has_decimals = !signs.points.is_empty() && !has_comma;
        if has_decimals && field.is_signed {
            let n_behind = take(&mut kept, &mut taken, |part| row.is_behind(part) && row.is_dash(part));
            signs.is_doubtful |= n_behind > 1 || n_behind == 1 && signs.is_negative;
            signs.is_negative |= n_behind > 0;
        } else if !has_decimals && (has_comma || point != DecimalPoint::Implied) {
            signs.ends_in_dash = take(&mut kept, &mut taken, |part| row.is_behind(part) && row.is_dash(part)) > 0;
        }
        // without a comma it may be a minus behind the number; cells leave no room for one
        let is_alone = !has_comma && point != DecimalPoint::Printed;
        signs.is_doubtful |= signs.ends_in_dash && field.is_signed && is_alone;
    }
    (kept, taken, signs)
}

/// Which of `remnants`, ink that lies along printed lines, may be the decimal point of an amount that has none among its `parts`:
/// they are where a point would be, and as thick as the strokes. Without its point the amount would be a hundred times as large.
pub(super) fn points_on_lines(remnants: &[&Part], parts: &[Part], field: &Field, min_height: f32) -> Vec<Rect> {
    let FieldKind::Amount { decimals: 1.., point: DecimalPoint::Written } = field.kind else { return Vec::new() };
    let Some(row) = Row::of(parts, min_height) else { return Vec::new() };
    if parts.iter().any(|part| row.is_point(part, parts)) {
        return Vec::new();
    }
    let min_side = PARAMS.sign.min_point_thickness * stroke_width(parts);
    let is_point = |part: &&&Part| {
        (part.width().min(part.height()) as f32) >= min_side && part.right() < row.right && row.is_point(part, parts)
    };
    remnants.iter().filter(is_point).map(|part| part.bounds()).collect()
}

/// Moves a pair of parentheses from `parts` to `taken`.
fn parentheses(parts: &mut Vec<Part>, taken: &mut Vec<Part>, signs: &mut Signs, min_height: f32, frame: Rect) {
    let Some(row) = Row::of(parts, min_height) else { return };
    let tall = || parts.iter().filter(|part| part.height() as f32 >= PARAMS.sign.min_digit_height * row.height);
    let (Some(first), Some(last)) = (tall().min_by_key(|part| part.x), tall().max_by_key(|part| part.right())) else {
        return;
    };
    let opens = row.bulge(first).map_or(0.0, |bulge| -bulge);
    let closes = row.bulge(last).unwrap_or(0.0);
    if tall().count() > 2 && opens.min(closes) >= PARAMS.sign.min_pair_bulge {
        let (open, close) = (first.bounds(), last.bounds());
        // two arcs that begin and end at the frame are what it leaves of a ring around the number
        let is_cut = |part: Rect| part.y0 <= frame.y0 + CUT_PX && part.y1 >= frame.y1 - CUT_PX;
        signs.is_doubtful |= is_cut(open) || is_cut(close);
        take(parts, taken, |part| [open, close].contains(&part.bounds()));
        signs.is_negative = true;
    } else {
        signs.is_doubtful = opens.max(closes) >= PARAMS.sign.min_single_bulge;
    }
}

/// Moves the parts that `is_taken` selects from `parts` to `taken`, and returns their number.
fn take(parts: &mut Vec<Part>, taken: &mut Vec<Part>, is_taken: impl Fn(&Part) -> bool) -> usize {
    let before = taken.len();
    taken.extend(parts.extract_if(.., |part| is_taken(part)));
    taken.len() - before
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::segment::tests::ink as grid_ink;
    use crate::{
        form::parse_template,
        segment::{ink::Ink, parts::components},
    };

    fn amount(keys: &str) -> Field {
        let head = "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"f\"\nbox = [10, 10, 60, 9]\n";
        let form = parse_template(&format!("{head}kind = \"amount\"\n{keys}")).expect("it is well formed");
        form.fields.into_iter().next().expect("it has one")
    }

    /// What a sketch says: `0` a ring, `1` an upright stroke, `(` and `)` arcs, `-` a dash, `_` a low one, `.` a point.
    fn signs(sketch: &str, keys: &str) -> (Vec<i32>, Signs) {
        const PITCH: f64 = 40.0;
        let marks: Vec<(f64, char)> = sketch.chars().enumerate().map(|(i, c)| (20.0 + PITCH * i as f64, c)).collect();
        let is_ink = |x: f64, y: f64| {
            marks.iter().any(|&(middle, mark)| {
                let (dx, dy) = (x - middle, y - 40.0);
                let arc = |side: f64| dy.abs() < 28.0 && (dx + side * (6.0 - 12.0 * (dy / 28.0).powi(2))).abs() < 2.5;
                match mark {
                    '0' => (20.0..25.0).contains(&dx.hypot(dy)),
                    '1' => dx.abs() < 2.5 && dy.abs() < 26.0,
                    '(' => arc(1.0),
                    ')' => arc(-1.0),
                    '-' => dx.abs() < 12.0 && dy.abs() < 2.5,
                    '_' => dx.abs() < 12.0 && (dy - 25.0).abs() < 2.5,
                    '.' => dx.hypot(dy - 23.0) < 3.0,
                    _ => false,
                }
            })
        };
        let width = (PITCH * marks.len() as f64) as u32;
        let mask =
            GrayImage::from_fn(width, 80, |x, y| Luma([if is_ink(f64::from(x), f64::from(y)) { 255 } else { 0 }]));
        let parts = components(&Ink { grey: mask.clone(), mask }, 4);
        let frame = Rect::from_xywh(-100.0, -100.0, 1_000.0, 1_000.0);
        let (kept, taken, signs) = split_signs(parts, &amount(keys), 20.0, frame);
        assert_eq!(kept.len() + taken.len(), marks.iter().filter(|(_, mark)| *mark != ' ').count(), "{sketch}");
        (taken.iter().map(|part| part.x / PITCH as i32).collect(), signs)
    }

    #[test]
    fn minus_and_parentheses_of_signed_field_are_taken() {
        let negative = Signs { is_negative: true, ..Signs::default() };
        assert_eq!(signs("-010", "signed = true"), (vec![0], negative.clone()));
        assert_eq!(signs("(010)", "signed = true"), (vec![0, 4], negative));
        for sketch in ["-010", "(010)", "010"] {
            assert_eq!(signs(sketch, ""), (vec![], Signs::default()), "{sketch}");
        }
        for sketch in ["010", "101", "_010", "0-10"] {
            assert_eq!(signs(sketch, "signed = true"), (vec![], Signs::default()), "{sketch}");
        }
    }

    #[test]
    fn incomplete_sign_is_doubtful() {
        for sketch in ["(010", "010)", "--010", "-(010)"] {
            assert!(signs(sketch, "signed = true").1.is_doubtful, "{sketch}");
        }
        assert!(signs("010-", "signed = true\npoint = \"written\"").1.is_doubtful);
    }

    #[test]
    fn dash_behind_and_points_are_found() {
        let (taken, found) = signs("010.-", "");
        assert_eq!((taken, found.ends_in_dash, found.points.len(), found.is_doubtful), (vec![4], true, 1, false));
        let (taken, found) = signs("0.110.10", "");
        assert_eq!((taken, found.ends_in_dash), (vec![], false));
        assert_eq!(found.points.iter().map(|x| x / 40).collect::<Vec<_>>(), [1, 5]);
        assert_eq!(signs("0.110-", "decimals = 0").1, Signs::default());
        assert!(signs("010-", "point = \"written\"").1.ends_in_dash && !signs("010-", "").1.ends_in_dash);
    }

    #[test]
    fn signs_without_a_digit_are_none() {
        for sketch in ["-", "--", ".", "(", ""] {
            assert!(!signs(sketch, "signed = true").1.is_negative, "{sketch}");
        }
    }

    const OPENING: [&str; 9] =
        ["000990", "009900", "099000", "990000", "990000", "990000", "099000", "009900", "000990"];

    fn bulge(rows: &[&str]) -> Option<f32> {
        let part = components(&grid_ink(rows), 1).into_iter().next().expect("it has ink");
        Row { left: 0, right: 40, top: 0.0, height: 9.0 }.bulge(&part)
    }

    #[test]
    fn parenthesis_bulges_to_its_side_and_an_upright_stroke_does_not() {
        let opening = bulge(&OPENING).expect("it is one stroke");
        let mirrored: Vec<String> = OPENING.iter().map(|row| row.chars().rev().collect()).collect();
        let closing = bulge(&mirrored.iter().map(String::as_str).collect::<Vec<_>>()).expect("it is one stroke");
        assert!((opening + 1.0 / 3.0).abs() < 0.01 && (opening + closing).abs() < 1e-6, "{opening} {closing}");
        assert_eq!(bulge(&["00990"; 9]), Some(0.0));
    }

    #[test]
    fn shape_with_two_strokes_a_row_or_too_low_has_no_bulge() {
        assert_eq!(bulge(&["9009", "9009", "9009", "9009", "9999", "9009", "9009", "9009", "9009"]), None);
        assert_eq!(bulge(&OPENING[..5]), None, "it is too low for a parenthesis");
        assert_eq!(bulge(&["99999"; 9]), None, "it is too wide for a stroke");
    }

    #[test]
    fn stroke_that_goes_up_and_down_is_a_wave_and_an_arc_is_none() {
        let stroke = |course: &dyn Fn(f32) -> f32| {
            let is_ink = |x: u32, y: u32| (y as f32 - course(x as f32 / 30.0)).abs() < 2.0;
            let ink = GrayImage::from_fn(30, 20, |x, y| Luma([if is_ink(x, y) { 255 } else { 0 }]));
            wave(&Part { ink, x: 0, y: 0, component: 1 })
        };
        let turn = std::f32::consts::TAU;
        assert!(stroke(&|t| 10.0 - 4.0 * (t * turn).sin()) > 0.3);
        assert!(stroke(&|t| 12.0 - 4.0 * t - 3.0 * (t * turn).sin()) > 0.2);
        assert_eq!(stroke(&|_| 10.0), 0.0);
        assert!(stroke(&|t| 5.0 + 8.0 * t) < 0.1);
        assert_eq!(stroke(&|t| 4.0 + 30.0 * (t - 0.5).powi(2)), 0.0);
    }

    #[test]
    fn point_is_at_the_foot_of_the_digits_and_dash_in_their_middle() {
        let row = Row { left: 0, right: 40, top: 0.0, height: 20.0 };
        let part = |x: i32, y: i32, width: u32, height: u32| Part {
            ink: GrayImage::from_pixel(width, height, Luma([255])),
            x,
            y,
            component: 1,
        };
        assert!(row.is_point(&part(18, 16, 3, 3), &[]) && !row.is_point(&part(18, 4, 3, 3), &[]), "a point is low");
        assert!(!row.is_point(&part(70, 16, 3, 3), &[]), "it is too far behind");
        assert!(!row.is_point(&part(18, 16, 3, 3), &[part(16, 0, 8, 20)]), "it is under a digit");
        assert!(row.is_dash(&part(-12, 9, 10, 2)) && !row.is_dash(&part(-12, 19, 10, 2)), "an underline is no dash");
        assert!(!row.is_dash(&part(-12, 9, 3, 3)) && !row.is_dash(&part(-40, 9, 35, 2)), "too short, too long");
        assert!(row.is_before(&part(-12, 9, 10, 2)) && !row.is_before(&part(5, 9, 10, 2)));
        assert!(row.is_behind(&part(41, 9, 10, 2)) && !row.is_behind(&part(5, 9, 10, 2)));
    }

    #[test]
    fn point_on_a_printed_line_is_seen_and_remnants_of_the_line_are_not() {
        let part = |x: i32, y: i32, width: u32, height: u32| Part {
            ink: GrayImage::from_pixel(width, height, Luma([255])),
            x,
            y,
            component: 1,
        };
        // strokes of four pixels
        let digits = [part(0, 0, 4, 40), part(20, 0, 4, 40), part(60, 0, 4, 40), part(80, 0, 4, 40)];
        let written = amount("decimals = 2\npoint = \"written\"");
        let hides = |remnants: &[Part], field: &Field, digits: &[Part]| {
            !points_on_lines(&remnants.iter().collect::<Vec<_>>(), digits, field, 20.0).is_empty()
        };
        let point = [part(40, 34, 5, 5)];
        assert!(hides(&point, &written, &digits));
        assert!(!hides(&point, &amount("decimals = 2\npoint = \"implied\""), &digits), "none is written there");
        assert!(!hides(&[part(36, 37, 14, 2)], &written, &digits), "a sliver of the line");
        assert!(!hides(&[part(60, 40, 5, 5)], &written, &digits), "it is under a digit");
        assert!(!hides(&[part(92, 34, 5, 5)], &written, &digits), "no decimals follow");
        let with_point: Vec<Part> = digits.iter().cloned().chain([part(40, 30, 5, 5)]).collect();
        assert!(!hides(&point, &written, &with_point), "another point is seen");
    }
}
