//! Removes printed lines and keeps the strokes that cross them.
//!
//! The template gives each line to within a millimetre. Its true course and thickness are measured, and a band of that
//! thickness is erased along it. Where a stroke enters the band on one side and leaves it on the other, the ink between is
//! kept (after Yu and Jain, "A generic system for form dropout", 1996). A short piece of the line that has more ink than the line
//! alone is a point, and is kept.

use std::ops::Range;

use image::{GrayImage, Luma};

use super::{
    dashes::{self, StrokeOnDashes},
    params::PARAMS,
    robust::{median, theil_sen},
};
use formread_raster::{
    geometry::{Point, Segment},
    transpose,
};

/// A line that is printed on the crop of a field.
pub(super) struct PrintedLine {
    /// Pixels of the crop.
    pub at: Segment,
    pub part: Part,
}

/// What a printed line is to the field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A side of it or of one of its cells: all of these have the same ink.
    Side,
    /// Print beside it.
    Beside,
    /// A line within it, which is often dashed: strokes are kept that run along the dashes.
    Separator,
}

/// What was erased, pixels of the crop.
#[derive(Default)]
pub(super) struct Dropped {
    /// The lines that were there.
    pub lines: Vec<Segment>,
    /// The middles of strokes that run along a dashed line: what is left of them may be damaged.
    pub along_dashes: Vec<Point>,
    /// The middles of strokes that lie where a side of the field should be, and were left.
    pub in_place_of_lines: Vec<Point>,
}

/// The sides of a field that were found so far.
struct FoundSides {
    /// Level of the palest one; 255 of none.
    palest: u8,
    n: usize,
}

/// Erases `lines` (pixels of the crop) from `darkness` ([H, W] u8, 0 paper .. 255 black). Returns those that were there.
pub(super) fn drop_lines(darkness: &mut GrayImage, lines: &[Segment]) -> Vec<Segment> {
    drop_parts(darkness, lines.iter().map(|&at| PrintedLine { at, part: Part::Beside }).collect()).lines
}

/// The same for the lines on the crop of a field.
pub(super) fn drop_parts(darkness: &mut GrayImage, lines: Vec<PrintedLine>) -> Dropped {
    let (horizontal, vertical): (Vec<PrintedLine>, Vec<PrintedLine>) =
        lines.into_iter().partition(|line| line.at.is_horizontal());
    let mut sides = FoundSides { palest: u8::MAX, n: 0 };
    let mut dropped = drop_horizontal(darkness, horizontal, &mut sides, |line| line);
    if !vertical.is_empty() {
        let swap = |p: Point| Point::new(p.y, p.x);
        let mut turned = transpose(darkness);
        let swapped = |line: Segment| Segment::new(swap(line.a), swap(line.b));
        let upright = drop_horizontal(&mut turned, vertical, &mut sides, swapped);
        dropped.lines.extend(upright.lines);
        dropped.along_dashes.extend(upright.along_dashes.into_iter().map(swap));
        dropped.in_place_of_lines.extend(upright.in_place_of_lines.into_iter().map(swap));
        *darkness = transpose(&turned);
    }
    dropped
}

/// Erases those of `lines` that are there and returns them; `turned` maps them to sideways lines of the picture. All are measured
/// before one is erased: a line is often given twice, and without it the feet of digits would be taken for it. What is not as long as the
/// side of the field where it lies is a stroke if it is much darker than the palest of the `sides`, or upright and the only one of them.
fn drop_horizontal(
    darkness: &mut GrayImage,
    lines: Vec<PrintedLine>,
    sides: &mut FoundSides,
    turned: impl Fn(Segment) -> Segment,
) -> Dropped {
    let mut dropped = Dropped::default();
    if lines.is_empty() {
        return dropped;
    }
    let before = darkness.clone();
    let courses = lines.into_iter().filter_map(|line| Some((course(&before, turned(line.at))?, line)));
    let courses: Vec<(Course, PrintedLine)> = courses.collect();
    for (course, _) in courses.iter().filter(|(_, line)| line.part == Part::Side) {
        *sides = FoundSides { palest: sides.palest.min(course.dark), n: sides.n + 1 };
    }
    for (course, PrintedLine { at, part }) in courses {
        let is_dark = f64::from(course.dark) >= PARAMS.dropout.stroke_darkness * f64::from(sides.palest);
        let is_alone = sides.n == 1 && !at.is_horizontal();
        if part == Part::Side
            && (is_dark || is_alone)
            && course.inked_share(&before, turned(at)) < PARAMS.dropout.whole_share
        {
            dropped.in_place_of_lines.push(course.middle_of(0..course.tops.len()));
            continue;
        }
        let strokes = if part == Part::Separator { dashes::strokes_on(&course.masses(&before)) } else { Vec::new() };
        erase(&before, darkness, &course, &strokes);
        dropped.along_dashes.extend(
            strokes.iter().filter(|stroke| stroke.is_along).map(|stroke| course.middle_of(stroke.columns.clone())),
        );
        dropped.lines.push(at);
    }
    dropped
}

/// Where a line runs: its first row in each column of `columns`, and its thickness.
struct Course {
    columns: Range<i32>,
    tops: Vec<i32>,
    thickness: i32,
    /// Darkness from which a pixel there is line or stroke.
    dark: u8,
}

impl Course {
    /// The row `k` (from 1) above (`side` -1) or below (1) the band: the band is the line with a grey edge on each side.
    fn row(&self, top: i32, side: i32, k: i32) -> i32 {
        if side < 0 { top - 1 - k } else { top + self.thickness + k }
    }

    /// How far the ink reaches out of the band on one side in each column, at most `stroke_excess_px`.
    fn excess(&self, picture: &GrayImage, side: i32) -> Vec<i32> {
        let is_dark = |x: i32, y: i32| value(picture, x, y) >= self.dark;
        let of = |(x, &top)| {
            (1..=PARAMS.dropout.stroke_excess_px).take_while(|&k| is_dark(x, self.row(top, side, k))).count() as i32
        };
        self.columns.clone().zip(&self.tops).map(of).collect()
    }

    /// Whether a stroke that reaches the line from above in columns `a` may be the one that leaves it below in columns `b`.
    fn meets(&self, a: &Range<i32>, b: &Range<i32>) -> bool {
        let reach = self.thickness + 2;
        a.start - reach <= b.end && b.start - reach <= a.end
    }

    /// The darkness of the line in each column, summed.
    fn masses(&self, picture: &GrayImage) -> Vec<f64> {
        let mass = |(x, &top): (i32, &i32)| (top..top + self.thickness).map(|y| f64::from(value(picture, x, y))).sum();
        self.columns.clone().zip(&self.tops).map(mass).collect()
    }

    /// The middle of a stroke along the line, which spans these of its columns.
    fn middle_of(&self, columns: Range<usize>) -> Point {
        let at = (columns.start + columns.end) / 2;
        Point::new(f64::from(self.columns.start) + at as f64, f64::from(self.tops[at]))
    }

    /// Share of the columns from end to end of `line` in which it is seen, 0 to 1.
    fn inked_share(&self, picture: &GrayImage, line: Segment) -> f64 {
        let [from, to] = [line.a.x.min(line.b.x), line.a.x.max(line.b.x)].map(|x| x as i32 - self.columns.start);
        let own = from.max(0) as usize..to.clamp(0, self.tops.len() as i32) as usize;
        own.clone().filter(|&i| self.is_inked(picture, i)).count() as f64 / own.len().max(1) as f64
    }

    /// Whether the line is seen in its column `i`.
    fn is_inked(&self, picture: &GrayImage, i: usize) -> bool {
        let (x, top) = (self.columns.start + i as i32, self.tops[i]);
        (top..top + self.thickness).any(|y| value(picture, x, y) >= self.dark)
    }
}

/// Erases from `darkness` the line of this `course`, but for the strokes on its dashes; `before` is the picture with all lines.
fn erase(before: &GrayImage, darkness: &mut GrayImage, course: &Course, on_dashes: &[StrokeOnDashes]) {
    let Course { columns, tops, thickness, .. } = course;
    let excesses = [-1, 1].map(|side| course.excess(before, side));
    let [above, below] = [0, 1].map(|side: usize| {
        intervals(columns.clone(), |x| excesses[side][(x - columns.start) as usize] == PARAMS.dropout.stroke_excess_px)
    });
    let strokes: Vec<Range<i32>> = above.iter().chain(&below).cloned().collect();
    let is_point = point_columns(before, course, &excesses, &strokes);
    let mut is_stroke = vec![false; tops.len()];
    on_dashes.iter().for_each(|stroke| is_stroke[stroke.columns.clone()].fill(true));
    for (i, (x, &top)) in columns.clone().zip(tops).enumerate().filter(|(i, _)| !is_point[*i] && !is_stroke[*i]) {
        wipe(darkness, x, top - 1..top + thickness + 1);
        for (side, excess) in [-1, 1].into_iter().zip(&excesses) {
            if excess[i] < PARAMS.dropout.stroke_excess_px && !continues_stroke(excess, i) {
                for y in (1..=excess[i] + 1).map(|k| course.row(top, side, k)) {
                    wipe(darkness, x, y..y + 1);
                }
            }
        }
    }
    for a in &above {
        for b in below.iter().filter(|b| course.meets(a, b)) {
            bridge(before, darkness, course, a, b);
        }
    }
}

/// Which columns are left as they are: those of a point that lies on the line. `strokes` reach the line at full width.
fn point_columns(before: &GrayImage, course: &Course, excesses: &[Vec<i32>; 2], strokes: &[Range<i32>]) -> Vec<bool> {
    let start = course.columns.start;
    let is_written = written_columns(before, course, excesses);
    let mut is_point = vec![false; is_written.len()];
    for run in intervals(course.columns.clone(), |x| is_written[(x - start) as usize]) {
        let has_stroke = strokes.iter().any(|stroke| stroke.start <= run.end && run.start <= stroke.end);
        let is_short = PARAMS.dropout.point_px.contains(&(run.end - run.start));
        is_point[(run.start - start) as usize..(run.end - start) as usize].fill(is_short && !has_stroke);
    }
    is_point
}

/// Which columns have more ink than the line alone, whose ink is measured along it.
fn written_columns(before: &GrayImage, course: &Course, excesses: &[Vec<i32>; 2]) -> Vec<bool> {
    let Course { tops, thickness, dark, .. } = course;
    // the ink of a column that hangs together with the line
    let mass = |(i, x): (usize, i32)| -> f64 {
        let rows = tops[i] - 1 - excesses[0][i]..tops[i] + thickness + 1 + excesses[1][i];
        rows.map(|y| f64::from(value(before, x, y))).sum()
    };
    let masses: Vec<f64> = course.columns.clone().enumerate().map(mass).collect();
    let is_clean = |i: &usize| excesses[0][*i] + excesses[1][*i] == 0 && course.is_inked(before, *i);
    let mut alone: Vec<f64> = (0..masses.len()).filter(is_clean).map(|i| masses[i]).collect();
    let own = median(&mut alone);
    // of normal noise the median distance from the median is 0.67 standard deviations
    let noise = 1.48 * median(&mut alone.iter().map(|mass| (mass - own).abs()).collect::<Vec<_>>());
    let full = 2.0 * f64::from(*dark);
    let min = (PARAMS.dropout.min_surplus_px * full).max(PARAMS.dropout.surplus_deviations * noise);
    masses.iter().map(|mass| mass - own >= min).collect()
}

/// Whether the little that reaches out in column `i` is a stroke that runs along the line and leaves it nearby. If not, it
/// is the print's roughness.
fn continues_stroke(excess: &[i32], i: usize) -> bool {
    let leaves = |columns: &mut dyn Iterator<Item = usize>| {
        columns
            .take(PARAMS.dropout.max_lean_px)
            .take_while(|&j| excess[j] > 0)
            .any(|j| excess[j] == PARAMS.dropout.stroke_excess_px)
    };
    leaves(&mut (i..excess.len())) || leaves(&mut (0..=i).rev())
}

/// Keeps the ink between a stroke's upper part, which reaches the line in columns `a`, and its lower part, in columns `b`.
fn bridge(before: &GrayImage, cleaned: &mut GrayImage, course: &Course, a: &Range<i32>, b: &Range<i32>) {
    let (first, last) = (-1, course.thickness);
    for row in first..=last {
        let t = f64::from(row - first) / f64::from(last - first);
        let between = |from: i32, to: i32| (f64::from(from) * (1.0 - t) + f64::from(to) * t).round() as i32;
        for x in between(a.start, b.start)..between(a.end, b.end) {
            let Some(&top) = course.tops.get((x - course.columns.start) as usize) else { continue };
            let ink = value(before, x, top + row);
            if let Some(place) = cleaned.get_pixel_mut_checked(x as u32, (top + row) as u32) {
                *place = Luma([ink]);
            }
        }
    }
}

fn value(image: &GrayImage, x: i32, y: i32) -> u8 {
    match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) => image.get_pixel_checked(x, y).map_or(0, |p| p[0]),
        _ => 0,
    }
}

fn wipe(image: &mut GrayImage, x: i32, rows: Range<i32>) {
    for y in rows {
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && let Some(pixel) = image.get_pixel_mut_checked(x, y)
        {
            *pixel = Luma([0]);
        }
    }
}

/// The runs of columns that fulfil `is_in`.
fn intervals(columns: Range<i32>, is_in: impl Fn(i32) -> bool) -> Vec<Range<i32>> {
    let mut found: Vec<Range<i32>> = Vec::new();
    for x in columns {
        if is_in(x) {
            match found.last_mut() {
                Some(last) if last.end == x => last.end = x + 1,
                _ => found.push(x..x + 1),
            }
        }
    }
    found
}

/// Measures the course of the line expected at `line`; `None` where there is none.
fn course(darkness: &GrayImage, line: Segment) -> Option<Course> {
    let start = (line.a.x.min(line.b.x) as i32 - PARAMS.dropout.search_px).max(0);
    let end = (line.a.x.max(line.b.x) as i32 + PARAMS.dropout.search_px).min(darkness.width() as i32);
    let slope = (line.b.y - line.a.y) / (line.b.x - line.a.x);
    let expected = |x: f64| line.a.y + slope * (x - line.a.x);
    let rows: Vec<i32> = (start..end).map(|x| floor(expected(f64::from(x) + 0.5))).collect();
    let darkest = darkest_near(darkness, start, &rows);
    let dark = dark_level(&darkest)?;
    let columns = (start..end).zip(rows.iter().zip(&darkest)).filter(|(_, (_, darkest))| **darkest >= dark);
    let runs: Vec<(i32, Range<i32>)> =
        columns.filter_map(|(x, (row, _))| Some((x, nearest_run(darkness, x, *row, dark)?))).collect();
    let mut lengths: Vec<i32> = runs.iter().map(|(_, run)| run.end - run.start).collect();
    let rank = (lengths.len() as f64 * PARAMS.dropout.thickness_quantile) as usize;
    if rank >= lengths.len() {
        return None;
    }
    let thickness = *lengths.select_nth_unstable(rank).1;
    let clean: Vec<&(i32, Range<i32>)> =
        runs.iter().filter(|(_, run)| (run.end - run.start - thickness).abs() <= 1).collect();
    if thickness > PARAMS.dropout.max_thickness_px
        || (clean.len() as f64) < PARAMS.dropout.min_seen_share * f64::from(end - start)
    {
        return None;
    }
    // (middle column, offset from the expected row) of each piece that shows the line.
    let mut pieces: Vec<(f64, f64)> = Vec::new();
    let mut rest = clean.as_slice();
    for from in (start..end).step_by(PARAMS.dropout.piece_px as usize) {
        let (here, after) = rest.split_at(rest.partition_point(|(x, _)| *x < from + PARAMS.dropout.piece_px));
        rest = after;
        let mut offsets: Vec<f64> =
            here.iter().map(|(x, run)| f64::from(run.start + run.end) / 2.0 - expected(f64::from(*x) + 0.5)).collect();
        if offsets.len() >= PARAMS.dropout.min_clean_columns {
            pieces.push((f64::from(from) + f64::from(PARAMS.dropout.piece_px) / 2.0, median(&mut offsets)));
        }
    }
    let (intercept, tilt) = theil_sen(&pieces);
    pieces.retain(|&(x, offset)| (offset - intercept - tilt * x).abs() <= PARAMS.dropout.max_bend_px);
    let offset_at = |x: f64| {
        let next = pieces.partition_point(|&(at, _)| at < x);
        match (next.checked_sub(1).map(|i| pieces[i]), pieces.get(next)) {
            (Some((x0, v0)), Some(&(x1, v1))) if x1 - x0 <= 4.0 * f64::from(PARAMS.dropout.piece_px) => {
                v0 + (v1 - v0) * (x - x0) / (x1 - x0)
            }
            _ => intercept + tilt * x,
        }
    };
    let top = |x: i32| {
        let middle = f64::from(x) + 0.5;
        (expected(middle) + offset_at(middle) - f64::from(thickness) / 2.0).round() as i32
    };
    let tops = (start..end).map(top).collect();
    Some(Course { columns: start..end, tops, thickness, dark })
}

/// The darkest pixel of each column from `start` on, within reach of the row where the line is expected.
fn darkest_near(darkness: &GrayImage, start: i32, rows: &[i32]) -> Vec<u8> {
    let width = darkness.width() as usize;
    let mut darkest = vec![0; rows.len()];
    let mut first = 0;
    // columns with the same row are compared together
    for same in rows.chunk_by(|a, b| a == b) {
        let columns = first..first + same.len();
        first = columns.end;
        let reach = PARAMS.dropout.search_px;
        for y in same[0].saturating_sub(reach).max(0)..=same[0].saturating_add(reach).min(darkness.height() as i32 - 1)
        {
            let row = &darkness.as_raw()[y as usize * width + start as usize..][columns.clone()];
            darkest[columns.clone()].iter_mut().zip(row).for_each(|(darkest, &value)| *darkest = value.max(*darkest));
        }
    }
    darkest
}

/// Half the darkness of the line in most of its columns, of which the darkest pixels are given; `None` where nothing there is dark.
fn dark_level(darkest: &[u8]) -> Option<u8> {
    let mut levels: Vec<u8> = darkest.iter().copied().filter(|&level| level >= PARAMS.dropout.min_darkness).collect();
    if levels.is_empty() {
        return None;
    }
    let middle = levels.len() / 2;
    let (_, level, _) = levels.select_nth_unstable(middle);
    Some((*level / 2).max(PARAMS.dropout.min_darkness / 2))
}

/// `f64::floor` without the function call that it is on processors without SSE4.1.
fn floor(x: f64) -> i32 {
    let towards_zero = x as i32;
    towards_zero.saturating_sub(i32::from(f64::from(towards_zero) > x))
}

/// The dark run of column `x` nearest to the row where the line is expected.
fn nearest_run(darkness: &GrayImage, x: i32, row: i32, dark: u8) -> Option<Range<i32>> {
    let is_dark = |y: &i32| value(darkness, x, *y) >= dark;
    let met = (0..=PARAMS.dropout.search_px).flat_map(|k| [row + k, row - k]).find(is_dark)?;
    let longest = 2 * PARAMS.dropout.max_thickness_px;
    let up = (1..=longest).map(|k| met - k).take_while(is_dark).count() as i32;
    let down = (1..=longest).map(|k| met + k).take_while(is_dark).count() as i32;
    Some(met - up..met + down + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::tests::{grid, numbers};

    fn draw(image: &mut GrayImage, from: (f64, f64), to: (f64, f64), half_width: f64) {
        let line = Segment::new(Point::new(from.0, from.1), Point::new(to.0, to.1));
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let t = ((p - line.a).dot(line.direction()) / line.length()).clamp(0.0, 1.0);
            if (p - line.at(t)).norm() <= half_width {
                *pixel = Luma([220]);
            }
        }
    }

    fn row_ink(image: &GrayImage, y: u32) -> usize {
        (0..image.width()).filter(|&x| image.get_pixel(x, y)[0] > 0).count()
    }

    #[test]
    fn stroke_across_a_line_stays_whole() {
        let mut image = GrayImage::new(200, 100);
        // The line is expected level at row 60; it lies 3 px lower and is tilted.
        draw(&mut image, (0.0, 62.0), (200.0, 64.0), 2.0);
        draw(&mut image, (80.0, 20.0), (110.0, 90.0), 2.5);
        drop_lines(&mut image, &[Segment::new(Point::new(0.0, 60.0), Point::new(200.0, 60.0))]);
        for y in 22..88 {
            let n = row_ink(&image, y);
            assert!((4..=9).contains(&n), "row {y} keeps the stroke and nothing else: {n}");
        }
    }

    #[test]
    fn vertical_line_is_removed_and_stroke_beside_it_stays() {
        let mut image = GrayImage::new(100, 100);
        draw(&mut image, (50.0, 0.0), (50.0, 100.0), 1.5);
        draw(&mut image, (60.0, 20.0), (60.0, 80.0), 2.0);
        drop_lines(&mut image, &[Segment::new(Point::new(49.0, 0.0), Point::new(49.0, 100.0))]);
        assert!((0..100).all(|y| (45..56).all(|x| image.get_pixel(x, y)[0] == 0)));
        assert!(image.get_pixel(60, 50)[0] > 0);
    }

    #[test]
    fn bare_one_where_the_pale_side_of_a_box_should_be_stays() {
        let pale = |x: u32, y: u32| {
            let (is_side, is_high) = (x.abs_diff(20) < 2 || x.abs_diff(120) < 2, (10..90).contains(&y));
            let (is_edge, is_wide) = (y.abs_diff(10) < 2 || y.abs_diff(90) < 2, (20..120).contains(&x));
            is_side && is_high || is_edge && is_wide
        };
        let mut image = GrayImage::from_fn(140, 100, |x, y| Luma([if pale(x, y) { 70 } else { 0 }]));
        draw(&mut image, (26.0, 18.0), (26.0, 78.0), 2.0);
        let corners = [(26.0, 10.0), (120.0, 10.0), (120.0, 90.0), (26.0, 90.0)].map(|(x, y)| Point::new(x, y));
        let sides: Vec<Segment> = (0..4).map(|i| Segment::new(corners[i], corners[(i + 1) % 4])).collect();
        let of_field = |part: Part| sides.iter().map(|&at| PrintedLine { at, part }).collect();
        let beside = drop_parts(&mut image.clone(), of_field(Part::Beside));
        assert_eq!((beside.lines.len(), beside.in_place_of_lines.len()), (4, 0), "print beside may be of any darkness");
        let dropped = drop_parts(&mut image, of_field(Part::Side));
        assert_eq!((dropped.lines.len(), dropped.in_place_of_lines.len()), (3, 1));
        assert!((20..76).all(|y| image.get_pixel(26, y)[0] == 220), "the digit is left");
        // as dark as the other sides it is the side
        image.pixels_mut().for_each(|pixel| pixel[0] = if pixel[0] == 220 { 70 } else { 0 });
        for side in &sides[..3] {
            draw(&mut image, (side.a.x, side.a.y), (side.b.x, side.b.y), 2.0);
        }
        image.pixels_mut().for_each(|pixel| pixel[0] = pixel[0].min(70));
        assert_eq!(drop_parts(&mut image, of_field(Part::Side)).lines.len(), 4);
    }

    #[test]
    fn bare_one_where_the_only_side_of_a_box_should_be_stays() {
        let mut image = GrayImage::new(140, 100);
        draw(&mut image, (26.0, 30.0), (26.0, 78.0), 2.0);
        let side = |height: f64| Segment::new(Point::new(24.0, 10.0), Point::new(24.0, 10.0 + height));
        let of_field = |at: Segment| vec![PrintedLine { at, part: Part::Side }];
        let dropped = drop_parts(&mut image.clone(), of_field(side(80.0)));
        assert_eq!((dropped.lines.len(), dropped.in_place_of_lines.len()), (0, 1));
        draw(&mut image, (26.0, 8.0), (26.0, 92.0), 2.0);
        assert_eq!(drop_parts(&mut image, of_field(side(80.0))).lines.len(), 1, "it is as long as the side");
    }

    #[test]
    fn stroke_along_a_line_keeps_what_reaches_out() {
        let mut image = GrayImage::new(200, 100);
        draw(&mut image, (0.0, 60.0), (200.0, 60.0), 1.5);
        // A shallow V whose lowest part touches the line.
        draw(&mut image, (80.0, 40.0), (100.0, 57.5), 2.5);
        draw(&mut image, (100.0, 57.5), (120.0, 40.0), 2.5);
        drop_lines(&mut image, &[Segment::new(Point::new(0.0, 60.0), Point::new(200.0, 60.0))]);
        assert!((90..110).all(|x| (0..60).any(|y| image.get_pixel(x, y)[0] > 0)), "the V is still joined");
        assert!((62..100).all(|y| row_ink(&image, y) == 0));
    }

    #[test]
    fn line_given_twice_takes_nothing_from_what_is_written_above_it() {
        let mut image = GrayImage::new(200, 100);
        for from in [30.0, 80.0, 130.0] {
            // the foot of a 2
            draw(&mut image, (from, 54.0), (from + 24.0, 54.0), 2.0);
        }
        let written = image.clone();
        draw(&mut image, (0.0, 60.0), (200.0, 60.0), 1.5);
        drop_lines(&mut image, &[60.0, 58.5, 61.0].map(|y| level(&written, y)));
        assert_eq!(image, written);
    }

    #[test]
    fn point_on_a_line_is_left_and_roughness_of_the_line_is_not() {
        let mut image = GrayImage::new(200, 100);
        draw(&mut image, (0.0, 60.0), (200.0, 60.0), 1.5);
        draw(&mut image, (100.0, 59.0), (100.1, 59.0), 3.0);
        image.put_pixel(40, 57, Luma([220]));
        let line = level(&image, 60.0);
        drop_lines(&mut image, &[line]);
        let left: Vec<u32> = image.enumerate_pixels().filter(|(.., p)| p[0] > 0).map(|(x, ..)| x).collect();
        assert!(left.len() >= 20 && left.iter().all(|x| (96..104).contains(x)), "{left:?}");
    }

    #[test]
    fn strokes_without_a_line_stay_unchanged() {
        let mut image = GrayImage::new(200, 100);
        draw(&mut image, (80.0, 20.0), (90.0, 80.0), 2.5);
        let before = image.clone();
        drop_lines(&mut image, &[Segment::new(Point::new(0.0, 60.0), Point::new(200.0, 60.0))]);
        assert_eq!(image, before);
    }

    /// A level line from the left end of a grid to its right end, at this height.
    fn level(grid: &GrayImage, y: f64) -> Segment {
        Segment::new(Point::new(0.0, y), Point::new(f64::from(grid.width()), y))
    }

    #[test]
    fn upright_stroke_across_a_line_is_kept_to_the_pixel() {
        let stroke = "000000000000888000000000000000";
        let mut rows = vec![stroke; 14];
        let whole = rows.clone();
        (rows[7], rows[8]) = ("777777777777888777777777777777", "777777777777888777777777777777");
        let mut picture = grid(&rows);
        let line = level(&picture, 8.0);
        drop_lines(&mut picture, &[line]);
        assert_eq!(numbers(&picture), whole);
    }

    #[test]
    fn dotted_line_is_wiped_and_one_with_too_few_dots_is_not() {
        let paper = "000000000000000000000000000000";
        let with = |row: &'static str| {
            let mut rows = [paper; 14];
            rows[7] = row;
            let mut picture = grid(&rows);
            let line = level(&picture, 7.5);
            drop_lines(&mut picture, &[line]);
            numbers(&picture)[7].clone()
        };
        assert_eq!(with("700700700700700700700700700700"), paper);
        let few = "700000000000070000000000007000";
        assert_eq!(with(few), few);
    }

    #[test]
    fn line_out_of_reach_stays() {
        let mut rows = ["000000000000000000000000000000"; 20];
        rows[2] = "777777777777777777777777777777";
        let mut picture = grid(&rows);
        let line = level(&picture, 15.0);
        drop_lines(&mut picture, &[line]);
        assert_eq!(numbers(&picture), rows);
    }

    #[test]
    fn bar_thicker_than_any_line_stays() {
        let thick = PARAMS.dropout.max_thickness_px as u32 + 2;
        let bar = GrayImage::from_fn(60, 60, |_, y| Luma([if (20..20 + thick).contains(&y) { 200 } else { 0 }]));
        let mut picture = bar.clone();
        drop_lines(&mut picture, &[level(&bar, 20.0 + f64::from(thick) / 2.0)]);
        assert_eq!(picture, bar);
    }

    #[test]
    fn line_that_bends_is_wiped_along_its_course() {
        // 4 pixels up and down over 200: more than its thickness
        let height = |x: f64| 40.0 + 2.0 * (x / 32.0).sin();
        let mut picture = GrayImage::from_fn(200, 80, |x, y| {
            let off = f64::from(y) + 0.5 - height(f64::from(x) + 0.5);
            Luma([if off.abs() < 1.5 { 180 } else { 0 }])
        });
        let line = level(&picture, 40.0);
        drop_lines(&mut picture, &[line]);
        let n_left = picture.pixels().filter(|pixel| pixel[0] > 0).count();
        assert!(n_left <= 6, "{n_left} of some 600 pixels are left");
    }
}
