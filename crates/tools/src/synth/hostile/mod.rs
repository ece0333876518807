//! Hostile writing: what people write on forms besides the expected digits, and what else leaves ink on a scan.
//!
//! The choice and the strokes come from random numbers of their own, so that everything else on a page is drawn as without
//! hostile writing. Digits are by the writer of the page; signs and letters are pen strokes of the same width, slant and
//! darkness.
//!
//! The truth of a field that has hostile writing in it or beside it is `!`, unless what is written is a value of its kind.
//! Ink over the page changes no truth: a blank field that it crosses is still blank, and a number is still that number.
//! Where it may void or hide a number, under a line, a word or a strong glare, the truth of the number is `?`.

mod ink;
mod kinds;
mod pen;
mod plan;
mod row;
mod scan;
mod signs;
mod space;
mod stamp;
mod stray;
mod texts;

use image::GrayImage;
use rand::SeedableRng;

use super::{Dice, FieldTruth, sheet::Sheet, values::Entry, writing::Writer};
use formread_core::form::{FieldKind, FieldLayout, FormTemplate};
use formread_raster::geometry::{Projection, Rect};

pub use kinds::{HostileKind, HostileKinds};

use plan::{FieldPlan, FilledPage, PagePlan, Writing};
use scan::Touch;

/// Seed added to that of a deck, for random numbers of its own.
const SEED_OFFSET: u64 = 0x6873_7464;
/// Minimum change of a pixel that counts as ink, grey levels.
const MIN_INK_LEVELS: u8 = 25;
/// Minimum area of ink in a field that counts as touched, square millimetres.
const MIN_TOUCH_MM2: f64 = 0.2;
/// Width along the frame of a field where ink does not count as in it, millimetres.
const FRAME_MM: f64 = 0.3;

/// Hostile writing on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostileMark {
    /// The field that has it or is touched by it; `None` for ink over the page, which has a mark for each field that it touches
    /// besides. A field with hostile writing of its own has one mark, for that.
    pub field: Option<String>,
    /// What it is.
    pub kind: HostileKind,
}

/// Draws the hostile writing of one page.
pub(super) struct Hostility<'a> {
    page: FilledPage<'a>,
    plan: PagePlan,
    dice: Dice,
    marks: Vec<HostileMark>,
}

impl<'a> Hostility<'a> {
    /// Chooses the writing of page `page_idx` of the deck with this seed, which has hostile writing on a share `share` (0 to 1)
    /// of its fields and of its pages. `cells` and `frames` are those of each field, millimetres.
    pub fn new(
        (template, bounds): (&'a FormTemplate, Rect),
        entries: &'a [Entry],
        (cells, frames): (&'a [&'a [Rect]], &'a [Rect]),
        writer: &Writer<'_>,
        (share, kinds): (f64, HostileKinds),
        (seed, page_idx): (u64, u64),
    ) -> Self {
        let mut dice = Dice::seed_from_u64(seed.wrapping_add(SEED_OFFSET));
        dice.set_stream(page_idx);
        let page = FilledPage { template, entries, cells, frames, bounds };
        let plan = plan::plan_page(&page, writer, (share, kinds), &mut dice);
        Self { page, plan, dice, marks: Vec::new() }
    }

    /// Whether hostile writing takes the place of the number of a field.
    pub fn takes(&self, field_idx: usize) -> bool {
        self.plan.of_fields[field_idx].is_some()
    }

    /// Writes on the sheet, after all other fields are filled in, and changes the truth.
    pub fn write(&mut self, sheet: &mut Sheet, writer: &Writer<'_>, touching: f64, truth: &mut [FieldTruth]) {
        let plans = std::mem::take(&mut self.plan.of_fields);
        for (field_idx, plan) in plans.iter().enumerate() {
            let Some(plan) = plan else { continue };
            let before = sheet.pixels.clone();
            self.write_field(sheet, writer, touching, field_idx, plan);
            let field = &mut truth[field_idx];
            field.value.clone_from(&plan.truth);
            field.written.clear();
            field.ink_mm.clear();
            self.mark(Some(field_idx), plan.kind);
            for other in self.inked_fields(&before, sheet) {
                if plans[other].is_none() {
                    self.mark(Some(other), plan.kind);
                }
            }
        }
        self.plan.of_fields = plans;
        let Some(kind) = self.plan.of_page.filter(|kind| !is_of_scan(*kind)) else { return };
        let before = sheet.pixels.clone();
        let printed = space::obstacles(self.page.template, self.page.frames);
        stray::draw_stray(kind, sheet, writer, [self.page.frames, &printed], self.page.bounds, &mut self.dice);
        self.mark(None, kind);
        let hides = matches!(kind, HostileKind::VoidLine | HostileKind::Word);
        for field_idx in self.inked_fields(&before, sheet) {
            self.touch(field_idx, kind, hides, &mut truth[field_idx]);
        }
    }

    /// Adds faults of the scanner to the scan, on which `image_from_page` places the millimetres of the page.
    pub fn spoil_scan(
        &mut self,
        image: &mut GrayImage,
        image_from_page: &Projection,
        px_per_mm: f64,
        truth: &mut [FieldTruth],
    ) {
        let Some(kind) = self.plan.of_page.filter(|kind| is_of_scan(*kind)) else { return };
        let place = |frame: &Rect| Rect::around(image_from_page.apply_rect(*frame)).unwrap_or_default();
        let places: Vec<Rect> = self.page.frames.iter().map(place).collect();
        let touched = match kind {
            HostileKind::Streak => scan::draw_streak(image, &places, px_per_mm, &mut self.dice),
            _ => scan::draw_glare(image, &places, px_per_mm, &mut self.dice),
        };
        self.mark(None, kind);
        for Touch { field_idx, hides } in touched {
            self.touch(field_idx, kind, hides, &mut truth[field_idx]);
        }
    }

    /// What was drawn.
    pub fn into_marks(self) -> Vec<HostileMark> {
        self.marks
    }

    /// Marks a field that ink over the page touches, unless it has hostile writing of its own.
    fn touch(&mut self, field_idx: usize, kind: HostileKind, hides: bool, truth: &mut FieldTruth) {
        if !self.takes(field_idx) {
            self.mark(Some(field_idx), kind);
        }
        if hides {
            hide_number(truth);
        }
    }

    fn mark(&mut self, field_idx: Option<usize>, kind: HostileKind) {
        let field = field_idx.map(|idx| self.page.template.fields[idx].name.clone());
        self.marks.push(HostileMark { field, kind });
    }

    fn write_field(
        &mut self,
        sheet: &mut Sheet,
        writer: &Writer<'_>,
        touching: f64,
        field_idx: usize,
        plan: &FieldPlan,
    ) {
        let FilledPage { template, cells, frames, .. } = self.page;
        let (field, cells, frame, dice) =
            (&template.fields[field_idx], cells[field_idx], frames[field_idx], &mut self.dice);
        let height = writer.height_in(cells[0]);
        match &plan.writing {
            Writing::Text(text) | Writing::Overflow { text, .. }
                if matches!(field.layout, FieldLayout::Comb { .. }) =>
            {
                let n_free = cells.len().saturating_sub(text.chars().count());
                let first = if field.kind == FieldKind::Code { 0 } else { n_free };
                let beyond = |i: u32| {
                    let last = cells[cells.len() - 1];
                    Rect::from_xywh(last.x0 + f64::from(i) * last.width(), last.y0, last.width(), last.height())
                };
                let cells: Vec<Rect> = cells[first..].iter().copied().chain((1..=4).map(beyond)).collect();
                row::write_cells(writer, sheet, text, &cells, dice);
            }
            Writing::Text(text) => {
                row::write_row(writer, sheet, text, (frame, row::Start::Inside, height), dice);
            }
            Writing::Overflow { text, over } => {
                row::write_row(writer, sheet, text, (frame, row::Start::RightAt(frame.x1 + over), height), dice);
            }
            Writing::Outside { text, frame, start, height } => {
                row::write_row(writer, sheet, text, (*frame, *start, *height), dice);
            }
            Writing::Over { entry, limits } => {
                let digits = writer.write(sheet, field, cells, entry, touching, dice);
                ink::draw_over(plan.kind, sheet, row::pen_of(writer, height), &digits, *limits, dice);
            }
            Writing::Nil => ink::draw_nil(sheet, row::pen_of(writer, height), frame, height, dice),
            Writing::Tick(place) => ink::draw_tick(sheet, row::pen_of(writer, place.height()), *place, dice),
        }
    }

    /// The fields in which the sheet has more ink than `before`.
    fn inked_fields(&self, before: &GrayImage, sheet: &Sheet) -> Vec<usize> {
        let k = sheet.px_per_mm;
        let min_pixels = (MIN_TOUCH_MM2 * k * k).max(2.0);
        let is_inked = |frame: &Rect| {
            let inner = frame.inflate(-FRAME_MM);
            let clip = |mm: f64, side: u32| (mm * k).round().clamp(0.0, f64::from(side)) as u32;
            let (width, height) = before.dimensions();
            let rows = clip(inner.y0, height)..clip(inner.y1, height);
            let columns = clip(inner.x0, width)..clip(inner.x1, width);
            let pixels = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
            let change = |(x, y): (u32, u32)| before.get_pixel(x, y).0[0].abs_diff(sheet.pixels.get_pixel(x, y).0[0]);
            pixels.filter(|at| change(*at) >= MIN_INK_LEVELS).count() as f64 >= min_pixels
        };
        (0..self.page.frames.len()).filter(|idx| is_inked(&self.page.frames[*idx])).collect()
    }
}

/// Whether a kind belongs to the scanner and not to the paper.
fn is_of_scan(kind: HostileKind) -> bool {
    matches!(kind, HostileKind::Streak | HostileKind::Glare)
}

/// A number that may be void or hidden is not scored. A blank field is still blank.
fn hide_number(field: &mut FieldTruth) {
    if !field.value.is_empty() && field.value != texts::NO_VALUE {
        field.value = "?".to_owned();
    }
}

#[cfg(test)]
mod tests;
