//! Where a form repeats itself: by which shifts most of its lines fall on its own lines, and what is printed once only.
//!
//! Evenly spaced rows fit one row further down nearly as well. Only print that is not repeated discriminates the two.

use std::collections::BTreeMap;

use super::print_params::PitchParams;
use formread_raster::geometry::{Point, Rect, Segment};

/// A shift by which most lines of a form fall on lines of the same form.
#[derive(Debug, Clone)]
pub struct Pitch {
    /// To the right and down, millimetres.
    pub shift: Point,
    /// What has no like in the form one shift before it: the first row.
    pub first: Unrepeated,
    /// What has no like one shift after it: the last row.
    pub last: Unrepeated,
}

/// Print that is not repeated at a pitch, millimetres.
#[derive(Debug, Clone, Default)]
pub struct Unrepeated {
    /// Points on lines, with the direction of the line.
    pub samples: Vec<(Point, Point)>,
    /// Pieces of words and marks.
    pub words: Vec<Rect>,
}

impl Unrepeated {
    /// Number of its pieces.
    pub fn len(&self) -> usize {
        self.samples.len() + self.words.len()
    }
}

/// What repeats itself, millimetres.
#[derive(Debug, Clone, Copy)]
pub struct Repeated<'a> {
    /// Longest first.
    pub lines: &'a [Segment],
    /// Points on them, with the direction of the line.
    pub samples: &'a [(Point, Point)],
    /// Words and marks.
    pub words: &'a [Rect],
    /// Other print, such as lines that a scan may lose: what falls on it is not unlike it.
    pub other_print: &'a [Rect],
}

/// The pitches of a form with this print. Those that repeat most come first.
pub fn find_pitches(of: Repeated<'_>, params: &PitchParams) -> Vec<Pitch> {
    let Repeated { lines, samples, words, other_print } = of;
    let lines = &lines[..params.max_lines.min(lines.len())];
    let total_mm: f64 = lines.iter().map(|line| line.length()).sum();
    // length that repeats, and the sum of its shifts, by shift in millimetres
    let mut repeats: BTreeMap<(i32, i32), (f64, Point)> = BTreeMap::new();
    for (i, a) in lines.iter().enumerate() {
        for b in &lines[i + 1..] {
            let is_like = a.is_horizontal() == b.is_horizontal() && (a.length() - b.length()).abs() <= params.same_mm;
            let shift = b.middle() - a.middle();
            if !is_like || shift.norm() < params.min_mm {
                continue;
            }
            let is_forward = shift.y > params.same_mm || shift.y.abs() <= params.same_mm && shift.x > 0.0;
            let shift = if is_forward { shift } else { shift * -1.0 };
            let (mm, sum) = repeats.entry((shift.x.round() as i32, shift.y.round() as i32)).or_default();
            *mm += a.length();
            *sum = *sum + shift * a.length();
        }
    }
    let mut shifts: Vec<(f64, Point)> = repeats.into_values().map(|(mm, sum)| (mm, sum * (1.0 / mm))).collect();
    shifts.retain(|(mm, _)| *mm >= params.min_repeated_share * total_mm);
    shifts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut kept: Vec<Point> = Vec::new();
    for (_, shift) in shifts {
        if kept.len() < params.max_pitches && kept.iter().all(|other| (*other - shift).norm() > params.distinct_mm) {
            kept.push(shift);
        }
    }
    let pieces: Vec<Rect> = words.iter().flat_map(|word| word_pieces(*word, params.word_step_mm)).collect();
    let has_line = |(p, direction): (Point, Point)| {
        lines.iter().any(|line| passes(*line, p, direction, params))
            || other_print.iter().any(|area| area.inflate(params.distinct_mm).contains(p))
    };
    let has_word = |piece: Rect| {
        let near = piece.inflate(params.distinct_mm);
        words.iter().chain(other_print).any(|word| word.intersection(near).is_some())
    };
    let unrepeated = |shift: Point| Unrepeated {
        samples: samples.iter().filter(|&&(p, direction)| !has_line((p + shift, direction))).copied().collect(),
        words: pieces.iter().filter(|piece| !has_word(moved(**piece, shift))).copied().collect(),
    };
    let pitch = |shift: Point| Pitch { shift, first: unrepeated(shift * -1.0), last: unrepeated(shift) };
    kept.into_iter().map(pitch).collect()
}

/// `r` moved by `shift`.
pub fn moved(r: Rect, shift: Point) -> Rect {
    Rect::from_xywh(r.x0 + shift.x, r.y0 + shift.y, r.width(), r.height())
}

/// A word or mark in pieces along it.
pub fn word_pieces(word: Rect, step_mm: f64) -> impl Iterator<Item = Rect> {
    let n = (word.width() / step_mm).floor().max(1.0);
    let step = word.width() / n;
    (0..n as usize).map(move |i| Rect::from_xywh(word.x0 + i as f64 * step, word.y0, step, word.height()))
}

/// Whether `line` runs through `p` in `direction`, near enough to be the same.
fn passes(line: Segment, p: Point, direction: Point, params: &PitchParams) -> bool {
    let (along, distinct_mm) = (line.direction(), params.distinct_mm);
    let t = (p - line.a).dot(along);
    along.cross(direction).abs() < 0.1
        && along.cross(p - line.a).abs() < distinct_mm
        && (-distinct_mm..=line.length() + distinct_mm).contains(&t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(y: f64) -> Vec<Segment> {
        let level = |y: f64| Segment::new(Point::new(40.0, y), Point::new(90.0, y));
        let plumb = |x: f64| Segment::new(Point::new(x, y), Point::new(x, y + 6.0));
        [level(y), level(y + 6.0)].into_iter().chain((0..11).map(|i| plumb(40.0 + 5.0 * f64::from(i)))).collect()
    }

    fn samples(lines: &[Segment]) -> Vec<(Point, Point)> {
        lines.iter().flat_map(|line| [0.25, 0.75].map(|t| (line.at(t), line.direction()))).collect()
    }

    fn found(lines: &[Segment], words: &[Rect], other_print: &[Rect]) -> Vec<Pitch> {
        let samples = samples(lines);
        find_pitches(Repeated { lines, samples: &samples, words, other_print }, &PitchParams::default())
    }

    #[test]
    fn row_of_pale_lines_is_a_row() {
        let lines: Vec<Segment> = (1..6).flat_map(|i| row(20.0 + 10.0 * f64::from(i))).collect();
        let n_first = |other_print: &[Rect]| {
            let pitches = found(&lines, &[], other_print);
            let one = pitches.iter().find(|pitch| (pitch.shift - Point::new(0.0, 10.0)).norm() < 0.1);
            one.map(|pitch| pitch.first.samples.len())
        };
        assert!(n_first(&[]).is_some_and(|n| n > 0));
        assert_eq!(n_first(&[Rect::from_edges(40.0, 20.0, 90.0, 26.0)]), Some(0), "its lines are pale, but printed");
    }

    #[test]
    fn rows_repeat_at_their_pitch_and_the_outer_ones_do_not() {
        let lines: Vec<Segment> = (0..6).flat_map(|i| row(20.0 + 10.0 * f64::from(i))).collect();
        let title = Rect::from_xywh(10.0, 5.0, 36.0, 5.0);
        let labels = (0..6).map(|i| Rect::from_xywh(10.0, 21.0 + 10.0 * f64::from(i), 12.0, 4.0));
        let words: Vec<Rect> = [title].into_iter().chain(labels).collect();
        let pitches = found(&lines, &words, &[]);
        let down = |mm: f64| pitches.iter().find(|pitch| (pitch.shift - Point::new(0.0, mm)).norm() < 0.1);
        for mm in [10.0, 20.0, 30.0] {
            let Pitch { first, last, .. } = down(mm).unwrap_or_else(|| panic!("{mm} mm is not in {pitches:?}"));
            assert!(first.samples.iter().all(|(p, _)| p.y <= 20.0 + mm) && !first.samples.is_empty());
            assert!(last.samples.iter().all(|(p, _)| p.y >= 76.0 - mm) && !last.samples.is_empty());
            assert!(first.words.iter().any(|word| word.y0 < 10.0), "the title is there once");
        }
        assert!(down(7.0).is_none());
    }

    #[test]
    fn lines_of_different_lengths_have_no_pitch() {
        let line = |i: u32| {
            let y = 10.0 * f64::from(i);
            Segment::new(Point::new(20.0, y), Point::new(60.0 + 9.0 * f64::from(i), y))
        };
        let lines: Vec<Segment> = (1..9).map(line).collect();
        assert!(found(&lines, &[], &[]).is_empty());
        assert!(found(&[], &[], &[]).is_empty());
    }
}
