//! Chooses the hostile writing of a page before anything is written on it.

use rand::RngExt;

use super::{
    HostileKind, HostileKinds,
    row::Start,
    space::{Room, obstacles, room_around},
    texts::{NO_VALUE, Target, hostile_text, overflow_text, own_entry, random_number},
};
use crate::synth::{Dice, values::Entry, writing::Writer};
use formread_core::form::{FieldLayout, FormTemplate, PageLayout};
use formread_raster::geometry::Rect;

/// Width of a digit with its gap, as a share of its height: the mean, and the maximum.
const DIGIT_PITCH: f64 = 0.8;
const MAX_DIGIT_PITCH: f64 = 1.05;
/// Number of digits beyond the frame in a number that runs over it.
const OVERFLOW_DIGITS: std::ops::Range<f64> = 1.6..2.8;
/// Part of the page's margin on which digits that run over a frame may be, millimetres.
const MARGIN_TO_USE_MM: f64 = 3.0;
/// Minimum gap between a frame and writing beside it, and above or below it, millimetres.
const BESIDE_GAP_MM: f64 = 1.2;
const BETWEEN_GAP_MM: f64 = 0.5;
/// Minimum height of digits above or below a frame, millimetres.
const MIN_BETWEEN_MM: f64 = 2.2;
/// Size of a tick beside a mark field, millimetres.
const TICK_MM: f64 = 4.5;

/// A page before hostile writing.
#[derive(Debug, Clone, Copy)]
pub(super) struct FilledPage<'a> {
    pub template: &'a FormTemplate,
    /// One for each field.
    pub entries: &'a [Entry],
    /// The cells of each field, for a box its frame, millimetres.
    pub cells: &'a [&'a [Rect]],
    /// The frame around all cells of each field, millimetres.
    pub frames: &'a [Rect],
    /// The page, millimetres.
    pub bounds: Rect,
}

/// What is written for one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldPlan {
    pub kind: HostileKind,
    pub writing: Writing,
    /// The truth of the field.
    pub truth: String,
}

/// How and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Writing {
    /// A row of characters in the field.
    Text(String),
    /// A row that begins in the field and runs `over` millimetres over the right side of its frame.
    Overflow { text: String, over: f64 },
    /// A row outside the field, with its frame and the height of digits, millimetres.
    Outside { text: String, frame: Rect, start: Start, height: f64 },
    /// The number of the field, with ink over it that stays within `limits`.
    Over { entry: Entry, limits: Rect },
    /// A slash or a long dash.
    Nil,
    /// A tick in this place.
    Tick(Rect),
}

/// The hostile writing of one page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PagePlan {
    /// One for each field.
    pub of_fields: Vec<Option<FieldPlan>>,
    pub of_page: Option<HostileKind>,
}

/// Chooses kinds for a share `share` (0 to 1) of the fields, and one kind for that share of the pages.
pub(super) fn plan_page(
    page: &FilledPage<'_>,
    writer: &Writer<'_>,
    (share, kinds): (f64, HostileKinds),
    dice: &mut Dice,
) -> PagePlan {
    let printed = obstacles(page.template, page.frames);
    let plan_field = |field_idx: usize| {
        if !dice.random_bool(share) {
            return None;
        }
        let room = room_around(page.frames[field_idx], &printed, page.bounds);
        let mut left: Vec<HostileKind> =
            HostileKind::ALL.into_iter().filter(|kind| kinds.contains(*kind) && !kind.is_page_wide()).collect();
        while !left.is_empty() {
            let kind = left.swap_remove(dice.random_range(0..left.len()));
            let plan = plan_kind(kind, page, field_idx, writer, room, dice);
            if plan.is_some() {
                return plan;
            }
        }
        None
    };
    let of_fields = (0..page.frames.len()).map(plan_field).collect();
    let is_printed = matches!(page.template.layout, PageLayout::Printed(_));
    let min_fields = |kind: HostileKind| if kind == HostileKind::VoidLine { 3 } else { 1 };
    let suits = |kind: &HostileKind| {
        kinds.contains(*kind) && kind.is_page_wide() && is_printed && page.frames.len() >= min_fields(*kind)
    };
    let of_page: Vec<HostileKind> = HostileKind::ALL.into_iter().filter(suits).collect();
    let is_hostile = dice.random_bool(share) && !of_page.is_empty();
    PagePlan { of_fields, of_page: is_hostile.then(|| of_page[dice.random_range(0..of_page.len())]) }
}

/// What is written for `kind` in field `field_idx`; `None` where it does not suit the field or has no room.
fn plan_kind(
    kind: HostileKind,
    page: &FilledPage<'_>,
    field_idx: usize,
    writer: &Writer<'_>,
    room: Room,
    dice: &mut Dice,
) -> Option<FieldPlan> {
    use HostileKind as K;
    let (field, frame, cells) = (&page.template.fields[field_idx], page.frames[field_idx], page.cells[field_idx]);
    let is_mark = field.kind.is_marked();
    if is_mark != (kind == K::TickBeside) {
        return None;
    }
    let height = writer.height_in(cells[0]);
    let max_chars = match field.layout {
        FieldLayout::Comb { .. } => cells.len(),
        FieldLayout::Box { .. } => (frame.width() / (DIGIT_PITCH * height)).floor().max(3.0) as usize,
    };
    let entry = &page.entries[field_idx];
    let target = Target { field, entry, max_chars, writes_points: writer.writes_points };
    let refused = |writing: Writing| (writing, NO_VALUE.to_owned());
    let (writing, truth) = match kind {
        K::TickBeside => refused(Writing::Tick(tick_place(frame, room, dice)?)),
        K::Beside => refused(beside(frame, height, room, dice)?),
        K::Between => refused(between(frame, height, room, dice)?),
        K::SlashForNil if field.fillers.is_empty() => refused(Writing::Nil),
        K::StruckOut | K::Scribble | K::Blot | K::Circled => {
            let entry = own_entry(&target, dice)?;
            let reach = |space: f64| (space - 0.4).clamp(-0.4, 3.0);
            let limits = Rect::from_edges(
                frame.x0 - reach(room.left),
                frame.y0 - reach(room.above),
                frame.x1 + reach(room.right),
                frame.y1 + reach(room.below),
            );
            let truth = if kind == K::Circled { entry.value.clone() } else { NO_VALUE.to_owned() };
            (Writing::Over { entry, limits }, truth)
        }
        K::Overflow => {
            let (text, truth) = overflow_text(&target, dice)?;
            let over = match field.layout {
                FieldLayout::Comb { .. } => (text.len().checked_sub(cells.len())?) as f64 * cells[0].width(),
                FieldLayout::Box { .. } => dice.random_range(OVERFLOW_DIGITS) * DIGIT_PITCH * height,
            };
            let is_room = over <= room.right + MARGIN_TO_USE_MM;
            let begins_inside = text.len() as f64 * 0.5 * height > over;
            (is_room && begins_inside).then_some((Writing::Overflow { text, over }, truth))?
        }
        _ => {
            let (text, truth) = hostile_text(kind, &target, dice)?;
            (Writing::Text(text), truth)
        }
    };
    Some(FieldPlan { kind, writing, truth })
}

/// A number on the left or right side of a frame, whichever has room.
fn beside(frame: Rect, height: f64, room: Room, dice: &mut Dice) -> Option<Writing> {
    let height = height * dice.random_range(0.75..1.0);
    let n_digits = |space: f64| ((space - BESIDE_GAP_MM) / (MAX_DIGIT_PITCH * height)).floor().clamp(0.0, 4.0) as usize;
    let (left, right) = (n_digits(room.left), n_digits(room.right));
    let is_left = right == 0 || left > 0 && dice.random_bool(0.5);
    let n_digits = if is_left { left } else { right };
    if n_digits == 0 {
        return None;
    }
    let text = random_number(dice.random_range(1..=n_digits), dice);
    let free = if is_left { room.left } else { room.right } - MAX_DIGIT_PITCH * height * text.len() as f64;
    let gap = dice.random_range(BESIDE_GAP_MM..=free.clamp(BESIDE_GAP_MM, 5.0));
    let start = if is_left { Start::RightAt(frame.x0 - gap) } else { Start::LeftAt(frame.x1 + gap) };
    Some(Writing::Outside { text, frame, start, height })
}

/// A number above or below a frame, whichever has room.
fn between(frame: Rect, height: f64, room: Room, dice: &mut Dice) -> Option<Writing> {
    let fits = |space: f64| space - 2.0 * BETWEEN_GAP_MM >= MIN_BETWEEN_MM;
    let is_above = match (fits(room.above), fits(room.below)) {
        (false, false) => return None,
        (true, true) => dice.random_bool(0.5),
        (above, _) => above,
    };
    let space = if is_above { room.above } else { room.below };
    let height = (height * dice.random_range(0.7..1.0)).min(space - 2.0 * BETWEEN_GAP_MM);
    let gap = dice.random_range(BETWEEN_GAP_MM..=(space - height - BETWEEN_GAP_MM).clamp(BETWEEN_GAP_MM, 2.5));
    let top = if is_above { frame.y0 - gap - height } else { frame.y1 + gap };
    let max_digits = (frame.width() / (MAX_DIGIT_PITCH * height)).floor().clamp(1.0, 4.0) as usize;
    let text = random_number(dice.random_range(1..=max_digits), dice);
    let frame = Rect::from_xywh(frame.x0, top, frame.width(), height);
    Some(Writing::Outside { text, frame, start: Start::Inside, height })
}

/// A place for a tick beside, above or below a mark field.
fn tick_place(frame: Rect, room: Room, dice: &mut Dice) -> Option<Rect> {
    let (size, gap) = (TICK_MM * dice.random_range(0.8..1.2), dice.random_range(0.7..1.6));
    let middle = frame.centre();
    let corners = [
        (room.left, frame.x0 - gap - size, middle.y - size / 2.0),
        (room.right, frame.x1 + gap, middle.y - size / 2.0),
        (room.above, middle.x - size / 2.0, frame.y0 - gap - size),
        (room.below, middle.x - size / 2.0, frame.y1 + gap),
    ];
    let fitting: Vec<_> = corners.into_iter().filter(|(space, _, _)| *space >= gap + size).collect();
    let (_, x, y) = *fitting.get(dice.random_range(0..fitting.len().max(1)))?;
    Some(Rect::from_xywh(x, y, size, size))
}
