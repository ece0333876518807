//! Printed lines are removed; strokes that cross them stay whole.
//!
//! Each line is known from the template to within a millimetre. Its true course and thickness are measured, a band of
//! that thickness is wiped along it, and where a stroke enters the band on one side and leaves it on the other, the
//! ink between is kept (after Yu and Jain, A generic system for form dropout, 1996).

use std::ops::Range;

use image::{GrayImage, Luma, imageops};

use crate::geometry::Segment;

/// How far from its expected place a line is looked for, pixels (0.6 mm).
const SEARCH_PX: i32 = 6;

/// Length of the pieces in which a line's course is measured, pixels.
const PIECE_PX: i32 = 24;

/// Darkness from which a pixel may belong to a line: 0.2 of the ground.
const LINE_DARKNESS: u8 = 51;

/// Share of a piece's columns that must be dark in one row for a line to be seen there.
const LEAST_COVERAGE: f64 = 0.5;

/// Share of a line's pieces in which it must be seen; below that it is not there.
const LEAST_SEEN: f64 = 0.25;

/// How far a piece may lie off the straight line through all, pixels: paper bends.
const BEND_PX: f64 = 2.5;

/// Thickest line that is removed, pixels (1.6 mm).
const THICKEST_PX: usize = 16;

/// How far a stroke must stand out of a line to be a stroke and no roughness of print, pixels.
const STAND_OUT_PX: i32 = 3;

/// Wipes `lines` (pixels of the crop) from `darkness` ([H, W] u8, 0 paper .. 255 black).
pub(super) fn drop_lines(darkness: &mut GrayImage, lines: &[Segment]) {
    let (horizontal, vertical): (Vec<Segment>, Vec<Segment>) = lines.iter().partition(|line| line.is_horizontal());
    for line in horizontal {
        drop_horizontal(darkness, line);
    }
    if !vertical.is_empty() {
        let mut turned = transposed(darkness);
        for line in vertical {
            let swap = |p: crate::geometry::Point| crate::geometry::Point::new(p.y, p.x);
            drop_horizontal(&mut turned, Segment::new(swap(line.a), swap(line.b)));
        }
        *darkness = transposed(&turned);
    }
}

fn transposed(image: &GrayImage) -> GrayImage {
    imageops::flip_horizontal(&imageops::rotate90(image))
}

/// Where a line runs: the row of its middle in each column of `columns`, and how far it reaches up and down from it.
struct Course {
    columns: Range<i32>,
    middles: Vec<i32>,
    up: i32,
    down: i32,
}

fn drop_horizontal(darkness: &mut GrayImage, line: Segment) {
    let Some(course) = course(darkness, line) else { return };
    let Course { columns, middles, up, down } = &course;
    let is_dark = |x: i32, y: i32| value(darkness, x, y) >= LINE_DARKNESS;
    let stands_out = |side: i32| -> Vec<Range<i32>> {
        let edge = if side < 0 { *up } else { *down };
        intervals(columns.clone(), |x| {
            let middle = middles[(x - columns.start) as usize];
            (1..=STAND_OUT_PX).all(|k| is_dark(x, middle + side * (edge + 1 + k)))
        })
    };
    let (above, below) = (stands_out(-1), stands_out(1));
    let mut cleaned = darkness.clone();
    for (x, &middle) in columns.clone().zip(middles) {
        wipe(&mut cleaned, x, middle - up - 1..middle + down + 2);
        for (side, edge) in [(-1, *up), (1, *down)] {
            // Print is rough: what stands out of the band by less than a stroke would goes with it.
            let beyond = (0..STAND_OUT_PX).take_while(|k| is_dark(x, middle + side * (edge + 2 + k))).count() as i32;
            if beyond < STAND_OUT_PX {
                for k in 0..beyond {
                    let y = middle + side * (edge + 2 + k);
                    wipe(&mut cleaned, x, y..y + 1);
                }
            }
        }
    }
    let reach = up + down + 2;
    for a in &above {
        for b in &below {
            if a.start - reach <= b.end && b.start - reach <= a.end {
                bridge(darkness, &mut cleaned, &course, a, b);
            }
        }
    }
    *darkness = cleaned;
}

/// Keeps the ink between a stroke's upper part, which meets the line in columns `a`, and its lower part, in `b`.
fn bridge(darkness: &GrayImage, cleaned: &mut GrayImage, course: &Course, a: &Range<i32>, b: &Range<i32>) {
    let (top, bottom) = (-course.up - 1, course.down + 1);
    for row in top..=bottom {
        let t = f64::from(row - top) / f64::from(bottom - top);
        let between = |from: i32, to: i32| (f64::from(from) * (1.0 - t) + f64::from(to) * t).round() as i32;
        for x in between(a.start, b.start)..between(a.end, b.end) {
            let Some(&middle) = course.middles.get((x - course.columns.start) as usize) else { continue };
            let (x, y) = (x as u32, (middle + row) as u32);
            if let (Some(&ink), Some(place)) = (darkness.get_pixel_checked(x, y), cleaned.get_pixel_mut_checked(x, y)) {
                *place = ink;
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

/// The runs of columns for which `holds`.
fn intervals(columns: Range<i32>, holds: impl Fn(i32) -> bool) -> Vec<Range<i32>> {
    let mut found: Vec<Range<i32>> = Vec::new();
    for x in columns {
        if holds(x) {
            match found.last_mut() {
                Some(last) if last.end == x => last.end = x + 1,
                _ => found.push(x..x + 1),
            }
        }
    }
    found
}

/// Measures where the line that is expected at `line` runs; `None` where there is none.
fn course(darkness: &GrayImage, line: Segment) -> Option<Course> {
    let start = (line.a.x.min(line.b.x) as i32 - SEARCH_PX).max(0);
    let end = (line.a.x.max(line.b.x) as i32 + SEARCH_PX).min(darkness.width() as i32);
    if end - start < PIECE_PX {
        return None;
    }
    let slope = (line.b.y - line.a.y) / (line.b.x - line.a.x);
    let expected = |x: f64| line.a.y + slope * (x - line.a.x);
    let pieces = (end - start) / PIECE_PX;
    // (middle column, offset from the expected row) of each piece in which the line is seen.
    let mut seen: Vec<(f64, f64)> = Vec::new();
    for i in 0..pieces {
        let from = start + i * PIECE_PX;
        let middle = f64::from(from) + f64::from(PIECE_PX) / 2.0;
        if let Some(offset) = piece_offset(darkness, from, expected) {
            seen.push((middle, offset));
        }
    }
    if (seen.len() as f64) < (LEAST_SEEN * f64::from(pieces)).max(1.0) {
        return None;
    }
    let (intercept, tilt) = theil_sen(&seen);
    seen.retain(|&(x, offset)| (offset - intercept - tilt * x).abs() <= BEND_PX);
    if (seen.len() as f64) < (LEAST_SEEN * f64::from(pieces)).max(1.0) {
        return None;
    }
    let offset_at = |x: f64| {
        let next = seen.partition_point(|&(at, _)| at < x);
        match (next.checked_sub(1).map(|i| seen[i]), seen.get(next)) {
            (Some((x0, v0)), Some(&(x1, v1))) if x1 - x0 <= 4.0 * f64::from(PIECE_PX) => {
                v0 + (v1 - v0) * (x - x0) / (x1 - x0)
            }
            _ => intercept + tilt * x,
        }
    };
    let row = |x: i32| (expected(f64::from(x) + 0.5) + offset_at(f64::from(x) + 0.5)).floor() as i32;
    let middles: Vec<i32> = (start..end).map(row).collect();
    let (up, down) = reach(darkness, start, &middles)?;
    Some(Course { columns: start..end, middles, up, down })
}

/// How far the line's middle lies from the row expected, in the piece that begins at column `from`.
fn piece_offset(darkness: &GrayImage, from: i32, expected: impl Fn(f64) -> f64) -> Option<f64> {
    let mut dark = [0i32; (2 * SEARCH_PX + 1) as usize];
    for x in from..from + PIECE_PX {
        let row = expected(f64::from(x) + 0.5).floor() as i32;
        for (offset, count) in (-SEARCH_PX..).zip(&mut dark) {
            *count += i32::from(value(darkness, x, row + offset) >= LINE_DARKNESS);
        }
    }
    let most = dark.iter().copied().max()?;
    if f64::from(most) < LEAST_COVERAGE * f64::from(PIECE_PX) {
        return None;
    }
    // Of several lines in reach the one nearest to the expected row.
    let peak = (0..dark.len()).filter(|&i| dark[i] * 5 >= most * 4).min_by_key(|&i| i.abs_diff(SEARCH_PX as usize))?;
    let belongs = |i: &usize| dark[*i] * 2 >= most;
    let first = (0..=peak).rev().take_while(belongs).last()?;
    let last = (peak..dark.len()).take_while(belongs).last()?;
    Some((first + last) as f64 / 2.0 - f64::from(SEARCH_PX))
}

/// Intercept and slope of a straight line through points, of which up to 29 in 100 may be wrong (Sen, 1968).
fn theil_sen(points: &[(f64, f64)]) -> (f64, f64) {
    let mut slopes: Vec<f64> = Vec::new();
    for (i, p) in points.iter().enumerate() {
        slopes.extend(points[i + 1..].iter().map(|q| (q.1 - p.1) / (q.0 - p.0)));
    }
    // Two or three points are too few for a slope.
    let slope = if points.len() < 4 { 0.0 } else { median(&mut slopes) };
    let mut intercepts: Vec<f64> = points.iter().map(|p| p.1 - slope * p.0).collect();
    (median(&mut intercepts), slope)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// How far the line reaches up and down from its middle: the upper quartile over its columns, pixels.
fn reach(darkness: &GrayImage, start: i32, middles: &[i32]) -> Option<(i32, i32)> {
    let run = |x: i32, middle: i32, side: i32| {
        (1..=THICKEST_PX as i32).take_while(|k| value(darkness, x, middle + side * k) >= LINE_DARKNESS).count()
    };
    let (mut ups, mut downs) = (Vec::new(), Vec::new());
    for (x, &middle) in (start..).zip(middles) {
        if value(darkness, x, middle) >= LINE_DARKNESS {
            ups.push(run(x, middle, -1));
            downs.push(run(x, middle, 1));
        }
    }
    let quartile = |runs: &mut Vec<usize>| {
        runs.sort_unstable();
        runs.get(runs.len() * 3 / 4).copied()
    };
    let (up, down) = (quartile(&mut ups)?, quartile(&mut downs)?);
    (up + down < THICKEST_PX).then_some((up as i32, down as i32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;

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
    fn a_stroke_that_crosses_a_line_stays_whole() {
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
    fn a_vertical_line_is_removed_and_a_stroke_beside_it_stays() {
        let mut image = GrayImage::new(100, 100);
        draw(&mut image, (50.0, 0.0), (50.0, 100.0), 1.5);
        draw(&mut image, (60.0, 20.0), (60.0, 80.0), 2.0);
        drop_lines(&mut image, &[Segment::new(Point::new(49.0, 0.0), Point::new(49.0, 100.0))]);
        assert!((0..100).all(|y| (45..56).all(|x| image.get_pixel(x, y)[0] == 0)));
        assert!(image.get_pixel(60, 50)[0] > 0);
    }

    #[test]
    fn nothing_is_wiped_where_there_is_no_line() {
        let mut image = GrayImage::new(200, 100);
        draw(&mut image, (80.0, 20.0), (90.0, 80.0), 2.5);
        let before = image.clone();
        drop_lines(&mut image, &[Segment::new(Point::new(0.0, 60.0), Point::new(200.0, 60.0))]);
        assert_eq!(image, before);
    }
}
