//! The ink of one field: which of it is the field's, and what else is around it.

use image::{GrayImage, Luma};

use super::{
    CROP_PX_PER_MM, Cut, FieldInk, Lattice, StrayInk, StripBounds, StripCrop,
    clean::Cleaned,
    comb, free, ink,
    params::{InkParams, PARAMS},
    parts::{self, Part},
    remnants::{is_remnant, is_stroke_beside, may_hide_bar},
    signs,
    stray::{Surroundings, has_line_apart},
    strip,
    strip_params::PARAMS as STRIP,
};
use crate::form::{Field, FieldLayout};
use formread_raster::geometry::{Point, Rect, Segment};

/// A field cut out of its page, pixels of the crop.
pub(super) struct Cutout {
    /// The crop without what is printed.
    pub cleaned: Cleaned,
    /// The field.
    pub frame: Rect,
    /// The cells of a comb, or the frame as the only one.
    pub cells: Vec<Rect>,
    /// Where lines are printed.
    pub edges: Vec<Segment>,
    /// Letters that are printed in the cells.
    pub letters: Vec<Rect>,
    /// Where ink is no writing, or that of nobody or of other fields.
    pub explained: Vec<Rect>,
    /// Whether it is a strip, which has no printed frame: rules may run along its sides, and a line at its edge may be a 1.
    pub is_strip: bool,
}

impl Cutout {
    /// Whether anything is on the paper that may be a stroke, in the field or around it, however pale. A picture that is one
    /// field is taken of something that is written, and only paper without a trace is blank.
    pub fn has_any_stroke(&self) -> bool {
        let darkness = &ink::smooth(&self.cleaned.darkness, PARAMS.faint.smooth_px);
        let min_height = PARAMS.faint.min_stroke_height * self.frame.height();
        let is_stroke = |part: &Part| f64::from(part.height()) >= min_height && !is_remnant(part, &self.edges);
        ink::find_ink(darkness, strip::whole(darkness), &PARAMS.faint.smooth_ink)
            .is_some_and(|ink| parts::components(&ink, PARAMS.field.min_component_px).iter().any(is_stroke))
    }
}

/// Parts the ink of `cutout` in that of the field and other ink, and cuts the field's.
pub(super) fn cut_writing(field: &Field, cutout: &Cutout) -> (Cut, Option<StrayInk>) {
    let Cutout { cleaned: Cleaned { darkness, dropped, .. }, frame, cells, edges, letters, explained, is_strip } =
        cutout;
    let frame = *frame;
    let share_inside = |part: &Part| {
        let inside = |x: i32, y: i32| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            cells.iter().any(|cell| cell.contains(p))
        };
        part.share(inside)
    };
    let is_inside = |part: &Part| share_inside(part) >= PARAMS.field.min_inside_share;
    let sides: &[Segment] = if *is_strip { &frame.edges() } else { &[] };
    let is_letter = |part: &Part| {
        let inside =
            |letter: &Rect, x: i32, y: i32| letter.contains(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
        letters.iter().any(|letter| part.share(|x, y| inside(letter, x, y)) >= PARAMS.field.min_letter_share)
    };
    let is_writing_part =
        |part: &Part| (!is_remnant(part, edges) || is_stroke_beside(part, dropped)) && !is_letter(part);
    let parts_of = |ink: &ink::Ink| -> (Vec<Part>, Vec<Part>) {
        parts::components(ink, PARAMS.field.min_component_px)
            .into_iter()
            .partition(|part| is_inside(part) && is_writing_part(part) && !is_remnant(part, sides))
    };
    let find = |darkness: &GrayImage, params: &InkParams| {
        let ink = ink::find_ink(darkness, frame, params)?;
        let (own, foreign) = parts_of(&ink);
        Some((ink, own, foreign))
    };
    // pale pencil, where there is nothing else: a few strokes, and less around the field than in it
    let is_stroke = |part: &&Part| {
        f64::from(part.height()) >= PARAMS.faint.min_stroke_height * frame.height()
            && free::stroke_width(std::slice::from_ref(*part)) <= PARAMS.faint.max_stroke_width_px
    };
    let area = |parts: &mut dyn Iterator<Item = &Part>| parts.map(Part::area).sum::<usize>() as f64;
    let is_writing = |own: &[Part], foreign: &[Part]| {
        let all = area(&mut own.iter());
        let strokes = area(&mut own.iter().filter(is_stroke));
        let around = area(&mut foreign.iter().filter(|part| is_writing_part(part)));
        strokes >= PARAMS.faint.min_stroke_share * all && all > 0.0 && around <= PARAMS.faint.max_share_around * all
    };
    let found = find(darkness, &PARAMS.ink);
    let is_empty = found.as_ref().is_none_or(|(_, own, _)| own.is_empty());
    let faint = || find(darkness, &PARAMS.faint.ink).filter(|(_, own, foreign)| is_writing(own, foreign));
    // what is hidden in the noise of the paper
    let is_pale = || {
        let smooth = ink::smooth(darkness, PARAMS.faint.smooth_px);
        find(&smooth, &PARAMS.faint.smooth_ink).is_some_and(|(_, mut own, mut foreign)| {
            let is_speck = |part: &Part| part.area() < PARAMS.faint.min_smooth_px;
            own.retain(|part| !is_speck(part));
            // what is lower than a stroke is small print, whose edges are paler than ink
            foreign.retain(|part| !is_speck(part) && is_stroke(&part));
            // noise that hangs together by chance is full of holes
            let is_solid =
                |part: &&Part| free::stroke_width(std::slice::from_ref(*part)) >= PARAMS.faint.min_smooth_stroke_px;
            let solid = area(&mut own.iter().filter(is_solid).filter(is_stroke));
            solid >= PARAMS.faint.min_stroke_share * area(&mut own.iter()) && is_writing(&own, &foreign)
        })
    };
    let around = Surroundings { frame, size: darkness.dimensions(), others: explained };
    let blank_height = 2.0 * PARAMS.field.min_digit_height * frame.height() as f32;
    let found_faint = is_empty.then(faint).flatten();
    let is_faint = found_faint.is_some();
    let Some((ink, mut own, mut foreign)) = found_faint.or(found) else {
        // what is beside a blank field is measured by itself
        let beside = ink::find_ink(darkness, strip::whole(darkness), &PARAMS.ink).and_then(|ink| {
            let (_, foreign) = parts_of(&ink);
            around.beside(&[], foreign.iter().filter(|part| is_writing_part(part)), blank_height)
        });
        return ((FieldInk::Blank, None), beside.or_else(|| is_pale().then_some(StrayInk::Pale)));
    };
    let digit_height = free::digit_height(&own).unwrap_or(blank_height);
    // what crosses a rule of a strip may be a digit of it
    let is_shared = |part: &Part| {
        let crosses = |x: f64| f64::from(part.x) < x && x < f64::from(part.right());
        let at_side = (crosses(frame.x0) || crosses(frame.x1)) && share_inside(part) >= STRIP.min_shared;
        let is_high = || height_within(part, frame) >= STRIP.min_shared_height * f64::from(digit_height);
        is_writing_part(part) && (at_side || is_high())
    };
    let lines = around.lines(&own, &foreign);
    let has_line = lines.contains(&true);
    if !is_strip {
        let mut is_line = lines.into_iter();
        foreign.extend(own.extract_if(.., |_| is_line.next() == Some(true)));
    }
    let stray = match has_line {
        true => Some(StrayInk::Line),
        // a digit over a letter is not read as both
        false if !own.is_empty() && !letters.is_empty() => Some(StrayInk::OverPrint),
        false if *is_strip && foreign.iter().any(is_shared) => Some(StrayInk::Overflow),
        false if *is_strip && has_line_apart(&own, digit_height) => Some(StrayInk::Line),
        false if *is_strip && may_hide_bar(&own, dropped.iter().chain(edges), digit_height) => Some(StrayInk::Bar),
        false => around.beside(&own, foreign.iter().filter(|part| is_writing_part(part)), digit_height),
    };
    let near = frame.inflate(PARAMS.field.point_reach_mm * CROP_PX_PER_MM);
    let is_on_line =
        |part: &&Part| (is_inside(part) || near.contains(part.bounds().centre())) && !is_writing_part(part);
    let remnants: Vec<&Part> = foreign.iter().filter(is_on_line).collect();
    let points = signs::points_on_lines(&remnants, &own, field, min_digit_height(frame));
    let hides_point = points.len() > 1;
    if let [point] = points[..] {
        own.extend(foreign.extract_if(.., |part| part.bounds() == point));
        own.sort_by_key(|part| part.x);
    }
    let stray = stray.or(hides_point.then_some(StrayInk::Point));
    let cut = part(field, ink.grey, frame, own, foreign, cells);
    // what is faint and cannot be cut is no proof of a blank
    let is_left_pale = matches!(cut.0, FieldInk::Blank) && !has_line && (is_faint || is_pale());
    (cut, stray.or_else(|| is_left_pale.then_some(StrayInk::Pale)))
}

/// How high `part` is within `frame`, pixels, without what is as near to its edges as remnants of printed lines are.
fn height_within(part: &Part, frame: Rect) -> f64 {
    let inner = frame.inflate(-PARAMS.field.remnant_reach_mm * CROP_PX_PER_MM);
    let is_within = |u: u32, v: u32| {
        inner.contains(Point::new(f64::from(part.x + u as i32) + 0.5, f64::from(part.y + v as i32) + 0.5))
    };
    let has_ink = |v: u32| (0..part.ink.width()).any(|u| part.ink.get_pixel(u, v)[0] > 0 && is_within(u, v));
    (0..part.ink.height()).filter(|&v| has_ink(v)).count() as f64
}

/// Height of the smallest digit in `frame`, pixels.
fn min_digit_height(frame: Rect) -> f32 {
    PARAMS.field.min_digit_height * frame.height() as f32
}

/// Cuts the ink of a field. `parts` belong to it, `foreign_parts` do not; `cells` are those of a comb, in pixels of the crop.
fn part(
    field: &Field,
    grey: GrayImage,
    frame: Rect,
    parts: Vec<Part>,
    mut foreign_parts: Vec<Part>,
    cells: &[Rect],
) -> Cut {
    let (parts, taken, signs) = signs::split_signs(parts, field, min_digit_height(frame), frame);
    foreign_parts.extend(taken);
    let strip = strip_crop(grey, frame, &parts, &foreign_parts);
    let lattice = match &field.layout {
        FieldLayout::Comb { .. } => comb::comb_lattice(parts, cells),
        FieldLayout::Box { .. } => free::free_lattice(parts, &PARAMS.free),
    };
    match lattice {
        Some(lattice) => (FieldInk::Written(Lattice { signs, ..lattice }), strip),
        None => (FieldInk::Blank, None),
    }
}

/// All ink of a field as one picture, without its `foreign_parts`. `None` where it has no `parts`.
fn strip_crop(grey: GrayImage, frame: Rect, parts: &[Part], foreign_parts: &[Part]) -> Option<StripCrop> {
    let height = free::digit_height(parts)?.max(min_digit_height(frame));
    let mut middles: Vec<(i32, i32)> = parts.iter().map(|part| (part.height(), part.y + part.bottom())).collect();
    middles.retain(|(own, _)| 2.0 * *own as f32 >= height);
    middles.sort_unstable_by_key(|&(_, middle)| middle);
    let in_frame = frame.y0 as f32 + frame.height() as f32 / 2.0;
    let middle = middles.get(middles.len() / 2).map_or(in_frame, |&(_, twice)| twice as f32 / 2.0);
    let mut ink = grey;
    for part in foreign_parts {
        for (u, v, _) in part.ink.enumerate_pixels().filter(|(_, _, p)| p[0] > 0) {
            erase_3x3(&mut ink, part.x + u as i32, part.y + v as i32);
        }
    }
    // the frame, and what overshoots it
    let mut own = GrayImage::new(ink.width(), ink.height());
    for area in parts.iter().map(Part::bounds).chain([frame]) {
        copy_within(&ink, &mut own, area);
    }
    let left = parts.iter().map(|part| part.x).min()? as f32;
    let right = parts.iter().map(Part::right).max()? as f32;
    Some(StripCrop { ink: own, bounds: StripBounds { left, right, middle, digit_height: height } })
}

/// Copies the pixels of `from` whose middles lie in `area`.
fn copy_within(from: &GrayImage, to: &mut GrayImage, area: Rect) {
    let pixels = |low: f64, high: f64, n: u32| {
        let within = |at: f64| at.clamp(0.0, f64::from(n)) as usize;
        within((low - 0.5).ceil())..within((high - 0.5).floor() + 1.0)
    };
    let (columns, rows) = (pixels(area.x0, area.x1, from.width()), pixels(area.y0, area.y1, from.height()));
    let width = from.width() as usize;
    for row in rows {
        let at = row * width + columns.start..row * width + columns.end.max(columns.start);
        to.as_mut()[at.clone()].copy_from_slice(&from.as_raw()[at]);
    }
}

/// Erases a pixel and its eight neighbours.
fn erase_3x3(ink: &mut GrayImage, x: i32, y: i32) {
    let (w, h) = ink.dimensions();
    let within = |at: i32, n: u32| (at - 1).max(0) as u32..((at + 2).max(0) as u32).min(n);
    for v in within(y, h) {
        for u in within(x, w) {
            ink.put_pixel(u, v, Luma([0]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::tests::{grid, ink, numbers};

    #[test]
    fn strip_of_a_field_is_wiped_of_strangers_and_of_what_is_outside() {
        let rows = ["90000009", "00990000", "00990990", "00990990", "00000000"];
        let all = parts::components(&ink(&rows), 1);
        let (own, foreign_parts): (Vec<Part>, Vec<Part>) = all.into_iter().partition(|part| part.x == 2);
        let frame = Rect::from_edges(1.0, 1.0, 8.0, 5.0);
        let strip = strip_crop(grid(&rows), frame, &own, &foreign_parts).expect("it has ink");
        assert_eq!(numbers(&strip.ink), ["00000000", "00990000", "00990000", "00990000", "00000000"]);
        let StripBounds { left, right, middle, digit_height } = strip.bounds;
        assert_eq!((left, right, middle, digit_height), (2.0, 4.0, 2.5, 3.0));
        assert!(strip_crop(grid(&rows), frame, &[], &foreign_parts).is_none());
    }
}
