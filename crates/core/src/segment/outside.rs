//! The page's account of ink: what is beside the fields, and neither print, nor a field's, nor in a place free for writing.
//!
//! Around blank fields this is done for every form: who writes above a box means that box. Beside
//! written ones digits are looked for that continue their number. A template need not declare all
//! that is printed, so ink counts there only if it has the size of the page's writing and does not look like print. Where a
//! template declares all its print, the whole page is accounted for.

use image::GrayImage;

use super::{
    CROP_PX_PER_MM, FieldCut, FieldInk, MARGIN_MM, StrayInk, StripBounds, clean, clean::Place, ink, params::PARAMS,
    parts, parts::Part, strip,
};
use crate::{
    form::{FormTemplate, Landmarks, PageLayout},
    register::{FieldRegistration, Registration},
};
use formread_page::Page;
use formread_raster::{
    checkpoint,
    geometry::{Point, Projection, Rect, Segment},
    rectify,
};

/// Resolution at which the surroundings of fields are seen, pixels a millimetre. Fixed by design: strokes are two pixels wide.
const PX_PER_MM: f64 = 5.0;

/// Maximum number of written fields whose surroundings are compared with those of a blank one. Fixed by design: it bounds the
/// time of a page.
const MAX_COMPARED: usize = 8;

/// Finds the writing beside the fields of a page, whose bounds it returns, millimetres of the template. Blank fields that it
/// may belong to get [`StrayInk::Beside`], and fields whose number goes on beside them [`StrayInk::Overflow`]: the crop of a
/// field shows large digits there in pieces. `cuts` are those of [`super::segment`].
pub fn outside_ink(
    page: &Page,
    registration: &Registration,
    template: &FormTemplate,
    cuts: &mut [FieldCut],
) -> Vec<Rect> {
    let PageLayout::Printed(landmarks) = &template.layout else { return Vec::new() };
    let account = Account::new(&page.pixels, template, landmarks, cuts);
    let mut found: Vec<Rect> = Vec::new();
    for field_idx in 0..cuts.len().min(registration.fields.len()) {
        checkpoint();
        let written = cuts[field_idx].strip.as_ref().filter(|_| account.states[field_idx] == State::Written);
        if let (Some(strip), None) = (written, cuts[field_idx].stray)
            && account.continues_outside(field_idx, &registration.fields[field_idx], strip.bounds)
        {
            cuts[field_idx].stray = Some(StrayInk::Overflow);
        }
        if account.states[field_idx] != State::Blank {
            continue;
        }
        let near = account.writing_near(field_idx, registration);
        if !near.is_empty() {
            cuts[field_idx].stray.get_or_insert(StrayInk::Beside);
            found.extend(near);
        }
    }
    if landmarks.print_is_complete {
        for bounds in account.writing_anywhere(registration) {
            for field_idx in account.blanks_within_reach(bounds) {
                cuts[field_idx].stray.get_or_insert(StrayInk::Beside);
            }
            if !found.iter().any(|other| other.intersection(bounds).is_some()) {
                found.push(bounds);
            }
        }
    }
    found
}

/// What is in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Blank,
    Written,
    Mark,
    OffPage,
}

/// A connected component of ink, without print.
struct Scrap {
    /// Millimetres of the template.
    bounds: Rect,
    /// Square millimetres.
    area: f64,
    /// Share of its ink in each of these, 0 to 1: fields other than the one around which it was searched, places that are free
    /// for writing, places with print, and printed lines.
    in_fields: f64,
    in_free: f64,
    in_print: f64,
    on_lines: f64,
    /// Whether the picture's left or right side, or its upper or lower one, cuts it off.
    is_cut: [bool; 2],
}

impl Scrap {
    fn height(&self) -> f64 {
        self.bounds.height()
    }

    /// Whether it is an area all of ink, such as a hole in the paper, and no stroke.
    fn is_solid(&self) -> bool {
        let (width, height) = (self.bounds.width(), self.height());
        self.area >= f64::from(PARAMS.stray.max_fill) * width * height
            && width.max(height) <= width.min(height) / f64::from(PARAMS.stray.max_solid_width)
    }

    fn is_thin(&self) -> bool {
        let (width, height) = (self.bounds.width(), self.height());
        let thinner = width.min(height);
        thinner <= PARAMS.outside.max_streak_width_mm && width.max(height) >= PARAMS.outside.min_streak_aspect * thinner
    }

    fn is_explained(&self) -> bool {
        let params = &PARAMS.outside;
        self.in_fields >= PARAMS.stray.max_share_elsewhere
            || self.in_free >= params.min_explained_share
            || self.in_print >= params.min_explained_share
            || self.on_lines >= PARAMS.field.min_remnant_share
    }
}

/// A page and all that may explain its ink; lengths are millimetres of the template.
struct Account<'a> {
    page: &'a GrayImage,
    template: &'a FormTemplate,
    landmarks: &'a Landmarks,
    frames: Vec<Rect>,
    states: Vec<State>,
    lines: Vec<Segment>,
    /// Height of the page's digits; `None` where too few fields are written.
    writing_height: Option<f64>,
}

impl<'a> Account<'a> {
    fn new(page: &'a GrayImage, template: &'a FormTemplate, landmarks: &'a Landmarks, cuts: &[FieldCut]) -> Self {
        let state = |cut: &FieldCut| match &cut.ink {
            FieldInk::Blank => State::Blank,
            FieldInk::Written(_) => State::Written,
            FieldInk::Marks(_) => State::Mark,
            FieldInk::OffPage => State::OffPage,
        };
        let digit_height = |cut: &FieldCut| {
            cut.strip.as_ref().map(|strip| f64::from(strip.bounds.digit_height) / super::CROP_PX_PER_MM)
        };
        let mut heights: Vec<f64> = cuts.iter().filter_map(digit_height).collect();
        heights.sort_unstable_by(f64::total_cmp);
        let is_known = heights.len() >= PARAMS.outside.min_written_fields;
        Self {
            page,
            template,
            landmarks,
            frames: template.fields.iter().map(|field| field.layout.bounds()).collect(),
            states: cuts.iter().map(state).collect(),
            lines: template.printed_lines(),
            writing_height: heights.get(heights.len() / 2).copied().filter(|_| is_known),
        }
    }

    /// How far from its frame ink may belong to a field.
    fn reach(&self, field_idx: usize) -> f64 {
        let (min, max) = PARAMS.outside.reach_mm;
        (PARAMS.outside.reach * self.frames[field_idx].height()).clamp(min, max)
    }

    /// The ink in `area` that is not print. What lies in the field `own` is not counted as in a field.
    fn scraps(&self, page_from_template: &Projection, area: Rect, own: Option<usize>) -> Vec<Scrap> {
        let params = &PARAMS.outside;
        let Some(area) = area.intersection(self.landmarks.page) else { return Vec::new() };
        let crop = rectify(self.page, page_from_template, area, PX_PER_MM);
        let place = Place { area, px_per_mm: PX_PER_MM };
        let darkness = clean::without_print(&crop, place, self.template, params.print_margin_mm);
        let Some(ink) = ink::find_ink(&darkness, strip::whole(&darkness), &params.ink) else { return Vec::new() };
        let near = |rects: &[Rect], by: f64| -> Vec<Rect> {
            rects.iter().map(|rect| rect.inflate(by)).filter(|rect| rect.intersection(area).is_some()).collect()
        };
        let others = self.frames.iter().enumerate().filter(|(idx, _)| Some(*idx) != own).map(|(_, frame)| *frame);
        let others = near(&others.collect::<Vec<_>>(), 0.0);
        let free = near(&self.landmarks.free, 0.0);
        let print = near(&self.landmarks.print, params.print_margin_mm);
        let lines: Vec<Rect> = self.lines.iter().filter_map(|line| Rect::around([line.a, line.b])).collect();
        let lines = near(&lines, PARAMS.field.remnant_reach_mm);
        let scrap = |part: Part| {
            let at = |x: i32, y: i32| {
                Point::new(area.x0, area.y0) + Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5) * (1.0 / PX_PER_MM)
            };
            let bounds = part.bounds();
            let mm = |px: f64| px / PX_PER_MM;
            let bounds = Rect::from_xywh(
                area.x0 + mm(bounds.x0),
                area.y0 + mm(bounds.y0),
                mm(bounds.width()),
                mm(bounds.height()),
            );
            let share = |rects: &[Rect]| {
                let near: Vec<Rect> =
                    rects.iter().filter(|rect| rect.intersection(bounds).is_some()).copied().collect();
                if near.is_empty() { 0.0 } else { part.share(|x, y| near.iter().any(|rect| rect.contains(at(x, y)))) }
            };
            Scrap {
                bounds,
                area: part.area() as f64 / (PX_PER_MM * PX_PER_MM),
                in_fields: share(&others),
                in_free: share(&free),
                in_print: share(&print),
                on_lines: share(&lines),
                is_cut: [
                    part.x <= 1 || part.right() >= crop.width() as i32 - 1,
                    part.y <= 1 || part.bottom() >= crop.height() as i32 - 1,
                ],
            }
        };
        parts::components(&ink, params.min_scrap_px).into_iter().map(scrap).collect()
    }

    /// The surroundings of a field, in which its neighbours' ink is seen as a whole.
    fn around(&self, field_idx: usize, fit: &FieldRegistration) -> Vec<Scrap> {
        let margin = PARAMS.outside.margin_mm;
        let (frame, reach) = (self.frames[field_idx], self.reach(field_idx) + margin);
        let area = Rect::from_edges(frame.x0 - margin, frame.y0 - reach, frame.x1 + margin, frame.y1 + reach);
        self.scraps(&fit.page_from_template, area, Some(field_idx))
    }

    /// The bounds of the writing above and below a blank field.
    fn writing_near(&self, field_idx: usize, registration: &Registration) -> Vec<Rect> {
        let all = self.around(field_idx, &registration.fields[field_idx]);
        let is_writing = |scrap: &&Scrap| {
            self.has_size_of_writing(scrap, field_idx)
                && !scrap.is_explained()
                && self.is_above_or_below(scrap.bounds, field_idx)
                && !self.is_overshoot(scrap.bounds)
                && !self.is_beyond_a_line(scrap.bounds, field_idx)
                && !self.is_in_a_cell(scrap.bounds, field_idx)
                && (self.landmarks.print_is_complete
                    || self.is_on_a_frame(scrap.bounds, field_idx)
                    || !self.is_in_line_of_print(scrap, &all, field_idx))
        };
        let mut found: Vec<&Scrap> = all.iter().filter(is_writing).collect();
        // a straight stroke by itself is a streak or a fold rather than a 1
        if found.iter().all(|scrap| scrap.is_thin()) {
            found.clear();
        }
        if !found.is_empty() && !self.landmarks.print_is_complete {
            let elsewhere = self.around_written_fields(field_idx, registration);
            found.retain(|scrap| !self.is_repeated(scrap, field_idx, &elsewhere));
        }
        found.into_iter().map(|scrap| scrap.bounds).collect()
    }

    /// Whether the number of a field, whose `digits` are inside, goes on beyond its left or right side.
    fn continues_outside(&self, field_idx: usize, fit: &FieldRegistration, digits: StripBounds) -> bool {
        let (stray, params) = (&PARAMS.stray, &PARAMS.outside);
        let frame = self.frames[field_idx];
        let at = |px: f32| frame.x0 - MARGIN_MM + f64::from(px) / CROP_PX_PER_MM;
        let (left, right) = (at(digits.left), at(digits.right));
        let height = f64::from(digits.digit_height) / CROP_PX_PER_MM;
        let reach = params.next_digit * height;
        let margin = params.print_margin_mm;
        let beyond = |seen: f64| {
            let (top, bottom) = (frame.y0 - margin, frame.y1 + margin);
            let left = Rect::from_edges(frame.x0 - seen, top, frame.x0, bottom);
            [left, Rect::from_edges(frame.x1, top, frame.x1 + seen, bottom)]
        };
        let is_next = |scrap: &Scrap| {
            let bounds = scrap.bounds;
            let gap = (left - bounds.x1).max(bounds.x0 - right);
            let on_line = bounds.y1.min(frame.y1) - bounds.y0.max(frame.y0);
            // the last digit inside, where it overshoots
            let is_own = (frame.x0 - bounds.x1).max(bounds.x0 - frame.x1) < params.touching_mm
                && bounds.width() <= f64::from(stray.max_share_outside) * height;
            // what is as high as the frame is the frame of a cell that the template does not declare
            let highest = (f64::from(stray.digit_height.1) * height).min(frame.height() - params.touching_mm);
            let heights = params.min_share_of_writing * height..=highest;
            !is_own
                && gap <= reach
                && heights.contains(&scrap.height())
                && on_line >= f64::from(stray.min_on_line) * scrap.height()
                && bounds.width() <= params.max_aspect * scrap.height()
                && !(scrap.is_cut[1] || scrap.is_solid() || scrap.is_thin() || scrap.is_explained())
        };
        let scraps = |area: Rect| self.scraps(&fit.page_from_template, area, Some(field_idx));
        // as far as the next digit, and then as far as a line of print goes on behind it
        let [near, far] = [1.0, params.min_letters as f64].map(|n| beyond(reach + n * height));
        let has_room = [left - frame.x0, frame.x1 - right].map(|room| room >= reach);
        (0..2).filter(|&side| !has_room[side] && scraps(near[side]).iter().any(is_next)).any(|side| {
            let all = scraps(far[side]);
            all.iter().any(|scrap| is_next(scrap) && !self.is_in_line_of_print(scrap, &all, field_idx))
        })
    }

    fn has_size_of_writing(&self, scrap: &Scrap, field_idx: usize) -> bool {
        let params = &PARAMS.outside;
        let (min, max) = params.height;
        let frame_height = self.frames[field_idx].height();
        let by_page = self.writing_height.map_or(0.0, |height| params.min_share_of_writing * height);
        let height = scrap.height();
        height >= (min * frame_height).max(params.min_height_mm).max(by_page)
            && height <= max * frame_height.max(self.writing_height.unwrap_or(0.0))
            && scrap.bounds.width() <= params.max_aspect * height
            && !scrap.is_cut[1]
            && !scrap.is_solid()
    }

    fn is_above_or_below(&self, bounds: Rect, field_idx: usize) -> bool {
        let (frame, reach) = (self.frames[field_idx], self.reach(field_idx));
        let middle = bounds.centre().y;
        let shared = bounds.x1.min(frame.x1) - bounds.x0.max(frame.x0);
        let is_near =
            middle < frame.y0 && frame.y0 - middle <= reach || middle > frame.y1 && middle - frame.y1 <= reach;
        is_near && 2.0 * shared >= bounds.width()
    }

    /// Whether it may be a stroke that runs out of a field with writing.
    fn is_overshoot(&self, bounds: Rect) -> bool {
        let reach = PARAMS.field.remnant_reach_mm;
        let written = self.frames.iter().zip(&self.states).filter(|(_, state)| **state == State::Written);
        written.map(|(frame, _)| frame.inflate(reach)).any(|frame| frame.intersection(bounds).is_some())
    }

    /// Whether it touches a printed side of the field, or of a blank one beside it: print keeps away from frames.
    fn is_on_a_frame(&self, bounds: Rect, field_idx: usize) -> bool {
        let touches = |idx: &usize| {
            let printed = self.template.fields[*idx].layout.printed();
            let frame = self.frames[*idx];
            let is_level = bounds.x1 > frame.x0 && bounds.x0 < frame.x1;
            let slack = PARAMS.outside.touching_mm;
            let crosses = |y: f64| bounds.y0 <= y + slack && bounds.y1 >= y - slack;
            is_level && (printed.top && crosses(frame.y0) || printed.bottom && crosses(frame.y1))
        };
        let others = (0..self.frames.len()).filter(|idx| self.states.get(*idx) == Some(&State::Blank));
        touches(&field_idx) || others.into_iter().any(|idx| touches(&idx))
    }

    /// Whether a printed line separates it from the field.
    fn is_beyond_a_line(&self, bounds: Rect, field_idx: usize) -> bool {
        let (frame, middle) = (self.frames[field_idx], bounds.centre());
        let slack = PARAMS.field.remnant_reach_mm;
        let (from, to) = match middle.y < frame.y0 {
            true => (middle.y, frame.y0 - slack),
            false => (frame.y1 + slack, middle.y),
        };
        self.levels_at(middle.x).any(|y| (from..to).contains(&y))
    }

    /// Where printed horizontal lines pass over `x`.
    fn levels_at(&self, x: f64) -> impl Iterator<Item = f64> {
        let lines = self.lines.iter().filter(|line| line.is_horizontal());
        lines.filter(move |line| (line.a.x..=line.b.x).contains(&x)).map(|line| (line.a.y + line.b.y) / 2.0)
    }

    /// Whether it is in a printed cell above or below the field: what is written there belongs to that cell.
    fn is_in_a_cell(&self, bounds: Rect, field_idx: usize) -> bool {
        let (frame, middle) = (self.frames[field_idx], bounds.centre());
        let is_above = middle.y < frame.y0;
        let limit = PARAMS.outside.max_cell * frame.height();
        let (near, far) = match is_above {
            true => (frame.y0, self.levels_at(middle.x).filter(|&y| y < middle.y).fold(f64::NEG_INFINITY, f64::max)),
            false => (frame.y1, self.levels_at(middle.x).filter(|&y| y > middle.y).fold(f64::INFINITY, f64::min)),
        };
        let (top, bottom) = (near.min(far), near.max(far));
        if bottom - top > limit {
            return false;
        }
        let covers = |line: &&Segment| {
            let covered = line.b.y.max(line.a.y).min(bottom) - line.a.y.min(line.b.y).max(top);
            !line.is_horizontal() && covered >= PARAMS.outside.min_cell_side * (bottom - top)
        };
        let xs: Vec<f64> = self.lines.iter().filter(covers).map(|line| (line.a.x + line.b.x) / 2.0).collect();
        let has = |from: f64, to: f64| xs.iter().any(|x| (from..=to).contains(x));
        let (width, slack) = (frame.width(), PARAMS.field.remnant_reach_mm);
        has(frame.x0 - width, middle.x.min(bounds.x0 + slack)) && has(middle.x.max(bounds.x1 - slack), frame.x1 + width)
    }

    /// Whether it is in a line of text: more letters than a number has digits, letters of two heights on one base line, or a
    /// line that goes on beyond the field.
    fn is_in_line_of_print(&self, scrap: &Scrap, all: &[Scrap], field_idx: usize) -> bool {
        let params = &PARAMS.outside;
        let mut row = vec![scrap];
        let mut n_seen = 0;
        while n_seen < row.len() {
            n_seen = row.len();
            let (left, right) = row.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(left, right), scrap| {
                (left.min(scrap.bounds.x0), right.max(scrap.bounds.x1))
            });
            let reach = params.letter_gap * scrap.height();
            let is_next = |other: &&Scrap| {
                let shared = other.bounds.y1.min(scrap.bounds.y1) - other.bounds.y0.max(scrap.bounds.y0);
                2.0 * shared >= other.height().min(scrap.height())
                    && other.height() >= params.min_letter * scrap.height()
                    && other.bounds.x0 - right <= reach
                    && left - other.bounds.x1 <= reach
                    && other.in_fields < PARAMS.stray.max_share_elsewhere
            };
            row = all.iter().filter(is_next).collect();
        }
        let n = row.len();
        let highest = row.iter().map(|scrap| scrap.height()).fold(0.0, f64::max);
        let mut feet: Vec<f64> = row.iter().map(|scrap| scrap.bounds.y1).collect();
        feet.sort_unstable_by(f64::total_cmp);
        let base = feet.get(n / 2).copied().unwrap_or_default();
        let n_on_base = feet.iter().filter(|foot| (*foot - base).abs() <= params.base_line * highest).count();
        let n_low = row.iter().filter(|scrap| scrap.height() <= params.max_low_letter * highest).count();
        let is_aligned = n_on_base as f64 >= params.min_on_base * n as f64;
        let is_text = is_aligned && n_low as f64 >= params.min_low_letters * n as f64;
        let goes_on = row.iter().any(|scrap| scrap.is_cut[0]);
        n > self.template.fields[field_idx].digits.max + params.n_more_letters
            || n >= params.min_letters && (is_text || goes_on)
    }

    /// Of written fields like this one: what is printed around them, by field, as bottom edges from the frame's top, and
    /// heights.
    fn around_written_fields(&self, field_idx: usize, registration: &Registration) -> Vec<Vec<(f64, f64)>> {
        let height = self.frames[field_idx].height();
        let is_alike = |idx: &usize| {
            let other = self.frames[*idx].height();
            self.states.get(*idx) == Some(&State::Written) && (other / height - 1.0).abs() <= PARAMS.outside.max_unlike
        };
        let offsets = |idx: usize| -> Vec<(f64, f64)> {
            let scraps = self.around(idx, &registration.fields[idx]);
            let outside = scraps.into_iter().filter(|scrap| scrap.in_fields < PARAMS.stray.max_share_elsewhere);
            outside.map(|scrap| (scrap.bounds.y1 - self.frames[idx].y0, scrap.height())).collect()
        };
        (0..registration.fields.len().min(self.frames.len())).filter(is_alike).take(MAX_COMPARED).map(offsets).collect()
    }

    /// Whether most written fields have something as high at the same height: then it is print.
    fn is_repeated(&self, scrap: &Scrap, field_idx: usize, elsewhere: &[Vec<(f64, f64)>]) -> bool {
        let params = &PARAMS.outside;
        let offset = scrap.bounds.y1 - self.frames[field_idx].y0;
        let has_it = |around: &&Vec<(f64, f64)>| {
            around.iter().any(|(at, height)| {
                (at - offset).abs() <= params.same_place_mm
                    && (height / scrap.height() - 1.0).abs() <= params.max_unlike
            })
        };
        !elsewhere.is_empty() && 2 * elsewhere.iter().filter(has_it).count() >= elsewhere.len()
    }

    /// The bounds of all writing outside of the fields, on a form that declares all its print.
    fn writing_anywhere(&self, registration: &Registration) -> Vec<Rect> {
        let params = &PARAMS.outside;
        let page = self.landmarks.page;
        let is_writing = |scrap: &Scrap| {
            let bounds = scrap.bounds;
            let (width, height) = (bounds.width(), bounds.height());
            let is_dust = width.max(height) < params.min_side_mm || scrap.area < params.min_area_mm2;
            // a fold, a streak of the scanner, the edge of the paper
            let is_streak =
                width.max(height) >= params.min_streak_mm && width.min(height) <= params.max_streak_width_mm;
            let margin = page.inflate(-params.hole_margin_mm);
            let is_hole = scrap.is_solid() && !margin.contains(bounds.centre());
            let is_of_mark = self.frames.iter().zip(&self.states).any(|(frame, state)| {
                let reach = PARAMS.mark.outside.1 * frame.width().min(frame.height());
                *state == State::Mark && frame.inflate(reach).intersection(bounds).is_some()
            });
            let is_cut = scrap.is_cut.contains(&true);
            let is_explained = scrap.is_explained() || self.is_overshoot(bounds);
            !(is_dust || is_streak || is_hole || is_cut || is_of_mark || is_explained)
        };
        let scraps = self.scraps(&registration.page_from_template, page, None);
        scraps.into_iter().filter(is_writing).map(|scrap| scrap.bounds).collect()
    }

    /// The blank fields that writing at `bounds` may belong to.
    fn blanks_within_reach(&self, bounds: Rect) -> Vec<usize> {
        let is_near = |idx: &usize| {
            let is_blank = self.states.get(*idx) == Some(&State::Blank);
            is_blank && self.frames[*idx].inflate(self.reach(*idx)).contains(bounds.centre())
        };
        (0..self.frames.len()).filter(is_near).collect()
    }
}
