//! Ink in and around a field that is not its number: lines through the form, and digits that run out of the frame.

use super::{CROP_PX_PER_MM, params::PARAMS, parts::Part};
use formread_raster::geometry::{Point, Rect};

/// Ink that makes a field doubtful, whatever its reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrayInk {
    /// A straight line that leaves the field: a streak of the scanner, a line through rows.
    Line,
    /// Writing over letters that are printed in the cells.
    OverPrint,
    /// Digits outside of the frame that continue those inside.
    Overflow,
    /// Something as large as a digit beside a field in which nothing is written.
    Beside,
    /// What is written in a cell of a strip, where the cell beside it may be the one that is meant.
    OtherCell,
    /// More than one thing on a printed line that may be the decimal point.
    Point,
    /// A digit of a strip whose head is on a rule that was removed: a bar of it may be gone with the rule.
    Bar,
    /// A stroke runs along a dashed line, or lies where a line should be: what is left of it may be damaged.
    OnLine,
    /// Strokes in the field that are hardly darker than the paper: it is not blank, and cannot be read.
    Pale,
}

/// A line far from a number is this many times as far as the number's parts are from each other, at least. Fixed by design: digits are
/// spaced evenly.
const MIN_GAP_RATIO: f32 = 2.0;

/// The ink of a field and around it.
pub(super) struct Surroundings<'a> {
    /// Where people write, pixels of the crop.
    pub frame: Rect,
    /// Width and height of the crop, pixels.
    pub size: (u32, u32),
    /// Frames of other fields, and areas of print or free for writing, pixels of the crop.
    pub others: &'a [Rect],
}

/// A straight, thin stroke: x = `x0` + `slope` * y.
struct Line {
    x0: f32,
    slope: f32,
}

impl Line {
    /// `None` where the part is not straight, thin, high and steep.
    fn of(part: &Part) -> Option<Self> {
        let rows: Vec<(f32, f32, f32)> = (0..part.ink.height())
            .filter_map(|v| {
                let is_ink = |&u: &u32| part.ink.get_pixel(u, v)[0] >= 128;
                let (first, last) = ((0..part.ink.width()).find(is_ink)?, (0..part.ink.width()).rfind(is_ink)?);
                let middle = part.x as f32 + (first + last + 1) as f32 / 2.0;
                Some(((part.y + v as i32) as f32, middle, (last - first + 1) as f32))
            })
            .collect();
        let n = rows.len() as f32;
        if n < PARAMS.stray.min_line_px {
            return None;
        }
        let (mean_y, mean_x) = (rows.iter().map(|r| r.0).sum::<f32>() / n, rows.iter().map(|r| r.1).sum::<f32>() / n);
        let yy: f32 = rows.iter().map(|r| (r.0 - mean_y).powi(2)).sum();
        let slope = rows.iter().map(|r| (r.0 - mean_y) * (r.1 - mean_x)).sum::<f32>() / yy.max(1.0);
        let line = Self { x0: mean_x - slope * mean_y, slope };
        let is_on = |r: &&(f32, f32, f32)| {
            (r.1 - line.at(r.0)).abs() <= PARAMS.stray.max_line_bend_px && r.2 <= PARAMS.stray.max_line_width_px
        };
        (rows.iter().filter(is_on).count() as f32 >= PARAMS.stray.min_line_rows * n).then_some(line)
    }

    fn at(&self, y: f32) -> f32 {
        self.x0 + self.slope * y
    }

    /// Whether `other`, a part, continues this line.
    fn is_continued_by(&self, other: &Part) -> bool {
        let (top, bottom) = (other.y as f32, other.bottom() as f32);
        [top, bottom].into_iter().all(|y| {
            let x = self.at(y);
            x >= other.x as f32 - PARAMS.stray.max_line_bend_px
                && x <= other.right() as f32 + PARAMS.stray.max_line_bend_px
        })
    }
}

/// Whether the first or the last of a strip's parts is an upright line far from all others, which are nearer to each other: a piece
/// of a printed rule.
pub(super) fn has_line_apart(parts: &[Part], digit_height: f32) -> bool {
    let mut row: Vec<&Part> = parts.iter().collect();
    row.sort_by_key(|part| part.x);
    let mut end = i32::MIN;
    let gap_before = |part: &&Part| {
        let gap = part.x.saturating_sub(end);
        end = end.max(part.right());
        gap as f32
    };
    let gaps: Vec<f32> = row.iter().map(gap_before).skip(1).collect();
    let ends = [(row.first(), gaps.split_first()), (row.last(), gaps.split_last())];
    ends.into_iter().any(|(line, gaps)| {
        let (Some(line), Some((gap, others))) = (line, gaps) else { return false };
        let widest = others.iter().copied().fold(0.0, f32::max);
        *gap >= (PARAMS.stray.min_line_gap * digit_height).max(MIN_GAP_RATIO * widest)
            && Line::of(line).is_some_and(|line| line.slope.abs() <= PARAMS.stray.max_slope_apart)
    })
}

impl Surroundings<'_> {
    fn is_elsewhere(&self, part: &Part) -> bool {
        let within = |x: i32, y: i32| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            self.others.iter().any(|other| other.contains(p))
        };
        part.share(within) >= PARAMS.stray.max_share_elsewhere
    }

    /// Which of its `own` parts are lines that leave the field.
    pub fn lines(&self, own: &[Part], foreign: &[Part]) -> Vec<bool> {
        let reach = PARAMS.stray.line_reach_mm * CROP_PX_PER_MM;
        let (top, bottom) = (self.frame.y0 - reach, self.frame.y1 + reach);
        let leaves = |part: &Part| {
            let (own_top, own_bottom) = (f64::from(part.y), f64::from(part.bottom()));
            own_top <= top.max(1.0) || own_bottom >= bottom.min(f64::from(self.size.1) - 1.0)
        };
        let outside: Vec<Part> = foreign.iter().filter(|part| !self.is_elsewhere(part)).cloned().collect();
        let is_stray = |part: &Part| {
            let Some(line) = Line::of(part) else { return false };
            let continues = |other: &Part| {
                leaves(other)
                    && Line::of(other).is_some_and(|l| (l.slope - line.slope).abs() <= PARAMS.stray.max_slope_apart)
                    && line.is_continued_by(other)
            };
            leaves(part) && !self.is_elsewhere(part) || outside.iter().any(continues)
        };
        own.iter().map(is_stray).collect()
    }

    /// Share of a part's width that is beyond the left or the right side of the frame, 0 to 1.
    fn share_outside(&self, part: &Part) -> f32 {
        let (left, right) = (part.x as f32, part.right() as f32);
        let outside = (self.frame.x0 as f32 - left).max(right - self.frame.x1 as f32);
        (outside / (right - left).max(1.0)).clamp(0.0, 1.0)
    }

    /// Whether so much of a digit of the field is outside of the frame that more may follow, or it goes on beyond what is seen.
    fn leaves_sideways(&self, part: &Part) -> bool {
        let (first, end) = (0, self.size.0 as i32);
        let goes_on =
            part.x <= first && self.frame.x0 > 1.0 || part.right() >= end && self.frame.x1 < f64::from(end) - 1.0;
        goes_on || self.share_outside(part) > PARAMS.stray.max_share_outside
    }

    /// Ink outside of the frame that is as large as a digit and on the field's line, or `None`. `foreign` without remnants of
    /// print.
    pub fn beside<'p>(
        &self,
        own: &[Part],
        foreign: impl Iterator<Item = &'p Part>,
        digit_height: f32,
    ) -> Option<StrayInk> {
        let (frame_top, frame_bottom) = (self.frame.y0 as i32, self.frame.y1 as i32);
        let min_height = PARAMS.stray.digit_height.0 * digit_height;
        let mut tall = own.iter().filter(|part| part.height() as f32 >= min_height);
        if tall.clone().any(|part| self.leaves_sideways(part)) {
            return Some(StrayInk::Overflow);
        }
        let crosses = tall.any(|part| self.share_outside(part) >= PARAMS.stray.min_crossing_share);
        let is_digit = |part: &&Part| {
            let on_line = part.bottom().min(frame_bottom) - part.y.max(frame_top);
            let height = part.height() as f32;
            // the dark ground beyond the edge of the paper is solid
            let is_solid = part.area() as f32 >= PARAMS.stray.max_fill * (part.width() * part.height()) as f32
                && part.width() as f32 > PARAMS.stray.max_solid_width * height;
            // of a digit at the edge of the crop only a part is seen
            let is_cut = part.x <= 1 || part.right() >= self.size.0 as i32 - 1;
            let (min_height, max_height) = PARAMS.stray.digit_height;
            let min_height = match (is_cut, crosses) {
                (true, true) => PARAMS.stray.min_cut_height_after_crossing,
                (true, false) => PARAMS.stray.min_cut_height,
                (false, _) => min_height,
            };
            on_line as f32 >= PARAMS.stray.min_on_line * height
                && height >= min_height * digit_height
                && height <= max_height * digit_height
                && part.width() as f32 <= 4.0 * digit_height
                && !is_solid
                && !self.is_elsewhere(part)
        };
        let mut beside = foreign.filter(is_digit).peekable();
        beside.peek()?;
        if own.is_empty() {
            return Some(StrayInk::Beside);
        }
        let reach = (PARAMS.stray.overflow_reach * digit_height) as i32;
        let is_next =
            |part: &Part| own.iter().any(|own| part.x - own.right() <= reach && own.x - part.right() <= reach);
        beside.any(is_next).then_some(StrayInk::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;
    use crate::segment::{ink::Ink, parts::components};

    const FRAME: Rect = Rect::from_edges(30.0, 30.0, 230.0, 110.0);

    fn parts(is_ink: impl Fn(i32, i32) -> bool) -> Vec<Part> {
        let mask = GrayImage::from_fn(260, 140, |x, y| Luma([if is_ink(x as i32, y as i32) { 255 } else { 0 }]));
        components(&Ink { grey: mask.clone(), mask }, 10)
    }

    fn around(others: &[Rect]) -> Surroundings<'_> {
        Surroundings { frame: FRAME, size: (260, 140), others }
    }

    #[test]
    fn line_through_the_field_is_taken_and_a_one_is_not() {
        let bar = |top: i32, bottom: i32| parts(move |x, y| (100..104).contains(&x) && (top..bottom).contains(&y));
        for (top, bottom, is_line) in [(0, 140, true), (0, 80, true), (40, 100, false), (22, 112, false)] {
            assert_eq!(around(&[]).lines(&bar(top, bottom), &[]), [is_line], "{top} to {bottom}");
        }
        // cut in two by the frame
        assert_eq!(around(&[]).lines(&bar(33, 107), &bar(0, 28)), [true]);
        // the digit of the row above
        let above = [Rect::from_edges(30.0, -60.0, 230.0, 29.0)];
        assert_eq!(around(&above).lines(&bar(40, 107), &bar(0, 28)), [false]);
    }

    #[test]
    fn digits_beside_the_frame_overflow_or_are_stray() {
        let block = |x0: i32| parts(move |x, y| (x0..x0 + 20).contains(&x) && (45..95).contains(&y));
        let solid = parts(|x, y| (232..260).contains(&x) && (45..95).contains(&y));
        let find = |own: &[Part], foreign: &[Part], others: &[Rect]| around(others).beside(own, foreign.iter(), 50.0);
        assert_eq!(find(&block(222), &[], &[]), Some(StrayInk::Overflow), "most of it is outside");
        let sliver = parts(|x, y| (257..260).contains(&x) && (60..68).contains(&y));
        assert_eq!(find(&block(214), &sliver, &[]), Some(StrayInk::Overflow), "a digit crosses, and more follows");
        assert_eq!(find(&block(200), &sliver, &[]), None);
        assert_eq!(find(&block(214), &[], &[]), None, "the last digit overshoots");
        assert_eq!(find(&block(200), &block(234), &[]), Some(StrayInk::Overflow));
        assert_eq!(find(&block(60), &block(234), &[]), None, "it is far from the number");
        assert_eq!(find(&[], &block(234), &[]), Some(StrayInk::Beside));
        let next = [Rect::from_edges(231.0, 30.0, 260.0, 110.0)];
        assert_eq!(find(&[], &block(234), &next), None, "it is in the next field");
        assert_eq!(find(&block(200), &solid, &[]), None, "it is the ground beyond the paper");
        let speck = parts(|x, y| (234..240).contains(&x) && (60..66).contains(&y));
        assert_eq!(find(&[], &speck, &[]), None);
    }

    #[test]
    fn upright_line_far_from_the_number_is_of_a_rule() {
        let with_line = |gap: i32, slant: i32| {
            parts(move |x, y| {
                let line = 120 + gap + slant * (y - 40) / 60;
                (100..120).contains(&x) && (40..90).contains(&y)
                    || (line..line + 4).contains(&x) && (40..100).contains(&y)
            })
        };
        for (gap, slant, expected) in [(60, 0, true), (20, 0, false), (60, 20, false)] {
            assert_eq!(has_line_apart(&with_line(gap, slant), 50.0), expected, "{gap}, {slant}");
        }
        let ones = |n: i32| parts(move |x, y| x < 60 * n && (30..34).contains(&(x % 60)) && (40..90).contains(&y));
        assert!(!has_line_apart(&ones(1), 50.0) && !has_line_apart(&ones(3), 50.0), "a 1 alone, and a wide 111");
    }
}
