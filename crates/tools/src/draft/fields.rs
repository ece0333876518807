//! Frames that are to be filled in, and what they make together: a box, a comb, a tick box.
//!
//! All lengths are millimetres on the sheet. A frame is to be filled in where nothing is printed in it; what sort of
//! field it is, its size and its neighbours in the row tell.

use super::cells::{Cell, Ink};
use formread_core::form::{FieldLayout, MAX_CELLS, PrintedSides};
use formread_raster::geometry::Rect;

/// Most ink in a frame that is empty, square millimetres and as a share of its area: dust and the grain of the paper.
const MAX_DUST_MM2: f64 = 0.25;
const MAX_DUST_SHARE: f64 = 0.004;
/// And of the area of a cell for one digit, where writing was taken away: many write the same digit in the same place.
const MAX_REST_SHARE: f64 = 0.035;
/// The same of a cell that touches an empty one of its size.
const MAX_NEXT_SHARE: f64 = 0.12;
/// A cell for one digit: its width and height, and width a height.
const DIGIT_WIDTH_MM: std::ops::RangeInclusive<f64> = 2.5..=10.5;
const DIGIT_HEIGHT_MM: std::ops::RangeInclusive<f64> = 3.0..=18.0;
const DIGIT_PROPORTION: std::ops::RangeInclusive<f64> = 0.3..=1.45;
/// Cells of one field differ in width and height, and in where they stand, by no more than this share, or by this much.
const CELL_TOLERANCE: f64 = 0.12;
const CELL_TOLERANCE_MM: f64 = 0.35;
/// Cells closer than this share one line, or stand line at line.
const TOUCHING_MM: f64 = 0.5;
/// Gaps between cells of one group are at most so many times the least of them.
const GAP_SPREAD: f64 = 1.6;
/// Widest gap between cells of one group, between groups, and between groups that a printed dash or point parts, all in
/// widths of a cell.
const CELL_GAP: f64 = 0.65;
const GROUP_GAP: f64 = 1.0;
const PARTED_GAP: f64 = 1.8;
/// A dash or a point between groups is lower than this share of the cells' height and has less ink than this, square
/// millimetres; a slash is as thin as a stroke of so many millimetres.
const DASH_HEIGHT: f64 = 0.4;
const DASH_MM2: f64 = 1.6;
const SLASH_MM: f64 = 0.42;
/// A tick box: longest side, and of one so small that it is nothing else; longest side over the shorter one.
const TICK_SIDE_MM: f64 = 6.5;
const SMALL_TICK_MM: f64 = 4.0;
const TICK_PROPORTION: f64 = 1.45;
/// A box for a number: least and greatest height, least width.
const BOX_HEIGHT_MM: std::ops::RangeInclusive<f64> = 3.5..=16.0;
const BOX_WIDTH_MM: f64 = 5.0;
/// Width of a box for a number, in its heights: sixteen digits, each 0.6 as wide as the box is high. Words need more.
const BOX_PROPORTION: f64 = 10.0;

/// A frame with words at its top: its height; the least room below them, and as a share of the height.
const CAPTIONED_MM: std::ops::RangeInclusive<f64> = 6.5..=16.0;
const MIN_ROOM_MM: f64 = 4.0;
const ROOM_SHARE: f64 = 0.5;

/// What a field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Cells in a row, each touching the next, in one group or several.
    Comb,
    /// Cells in a row, apart from each other.
    Boxes,
    /// One frame to write in freely.
    Box,
    /// A box to be ticked.
    Mark,
    /// A line to write on.
    Line,
}

/// A field that is found, before it has a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub shape: Shape,
    pub layout: FieldLayout,
    /// Cells in each group, of a comb or of boxes; empty of others.
    pub groups: Vec<usize>,
}

/// A frame, millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub rect: Rect,
    /// Which of its sides are lines: top, right, bottom, left.
    pub is_line: [bool; 4],
    /// As [`Cell::is_free`].
    pub is_free: bool,
}

impl Frame {
    /// A cell as it was found, its pixels in millimetres.
    pub fn of(cell: &Cell, px_per_mm: f64) -> Self {
        Self { rect: in_mm(cell.frame, px_per_mm), is_line: cell.is_line, is_free: cell.is_free }
    }

    pub fn printed(&self) -> PrintedSides {
        let [top, right, bottom, left] = self.is_line;
        PrintedSides { top, right, bottom, left, between: true }
    }

    fn is_digit_cell(&self) -> bool {
        let (width, height) = (self.rect.width(), self.rect.height());
        DIGIT_WIDTH_MM.contains(&width)
            && DIGIT_HEIGHT_MM.contains(&height)
            && DIGIT_PROPORTION.contains(&(width / height))
    }

    fn is_tick_box(&self) -> bool {
        let (width, height) = (self.rect.width(), self.rect.height());
        let (longer, shorter) = (width.max(height), width.min(height));
        self.is_free && (longer <= SMALL_TICK_MM || longer <= TICK_SIDE_MM && longer <= TICK_PROPORTION * shorter)
    }

    fn is_number_box(&self) -> bool {
        let (width, height) = (self.rect.width(), self.rect.height());
        BOX_HEIGHT_MM.contains(&height) && width >= BOX_WIDTH_MM && width <= BOX_PROPORTION * height
    }

    /// Whether `other` is of the same size, in the same row.
    fn is_like(&self, other: &Self) -> bool {
        let (a, b) = (self.rect, other.rect);
        let tolerance = |side: f64| (CELL_TOLERANCE * side).max(CELL_TOLERANCE_MM);
        (a.width() - b.width()).abs() <= tolerance(a.width())
            && (a.y0 - b.y0).abs() <= tolerance(a.height())
            && (a.y1 - b.y1).abs() <= tolerance(a.height())
    }
}

/// The fields that empty frames make, in reading order.
///
/// `was_filled`: whether writing was taken away, of which something may be left.
pub(super) fn find_fields(cells: &[Cell], ink: &Ink, was_filled: bool) -> Vec<Found> {
    let measured = |cell: &Cell| (Frame::of(cell, ink.px_per_mm), cell.ink_mm2);
    let measured: Vec<(Frame, f64)> = cells.iter().map(measured).collect();
    let is_empty = |(frame, ink_mm2): &&(Frame, f64)| {
        let share = if was_filled && frame.is_digit_cell() { MAX_REST_SHARE } else { MAX_DUST_SHARE };
        *ink_mm2 <= MAX_DUST_MM2.max(share * frame.rect.area())
    };
    let mut frames: Vec<Frame> = measured.iter().filter(is_empty).map(|(frame, _)| *frame).collect();
    if was_filled {
        let touches = |a: &Frame, b: &Frame| {
            a.is_like(b) && [a.rect.x0 - b.rect.x1, b.rect.x0 - a.rect.x1].iter().any(|gap| gap.abs() <= TOUCHING_MM)
        };
        let is_next = |(frame, ink_mm2): &&(Frame, f64)| {
            let is_empty_too = *ink_mm2 <= MAX_NEXT_SHARE * frame.rect.area();
            frame.is_digit_cell() && is_empty_too && frames.iter().any(|other| touches(frame, other))
        };
        let next: Vec<Frame> =
            measured.iter().filter(|m| !is_empty(m)).filter(is_next).map(|(frame, _)| *frame).collect();
        frames.extend(next);
    }
    let captioned = measured.iter().filter(|m| !is_empty(m)).filter_map(|(frame, _)| under_caption(*frame, ink));
    let captioned: Vec<Frame> = captioned.collect();
    let (mut digits, others): (Vec<Frame>, Vec<Frame>) = frames.into_iter().partition(Frame::is_digit_cell);
    digits.sort_by(|a, b| a.rect.x0.total_cmp(&b.rect.x0));
    let groups = groups(digits, ink);
    let (rows, lone): (Vec<Vec<Frame>>, Vec<Vec<Frame>>) = groups.into_iter().partition(|group| group.len() > 1);
    let (rows, lone) = joined(rows, lone, ink);
    let n_cells = |groups: &Vec<Vec<Frame>>| groups.iter().map(Vec::len).sum::<usize>();
    // longer rows are scales or calendars
    let rows = rows.into_iter().filter(|groups| n_cells(groups) <= MAX_CELLS);
    let mut found: Vec<Found> = rows.map(|groups| row_of_cells(&groups)).collect();
    found.extend(others.into_iter().chain(lone.into_iter().flatten()).chain(captioned).filter_map(single));
    in_reading_order(&mut found, |found| found.layout.bounds());
    found
}

/// The room below the words that stand at the top of a frame and say what is to be written in it.
fn under_caption(frame: Frame, ink: &Ink) -> Option<Frame> {
    const STEP_MM: f64 = 0.25;
    const MARGIN_MM: f64 = 0.5;
    let Rect { x0, x1, y1, .. } = frame.rect;
    let height = frame.rect.height();
    if !CAPTIONED_MM.contains(&height) {
        return None;
    }
    let is_clear = |free: &f64| {
        let room = Rect::from_edges(x0 + MARGIN_MM, y1 - free, x1 - MARGIN_MM, y1 - MARGIN_MM);
        ink.mm2_within(in_px(room, ink.px_per_mm)) <= MAX_DUST_MM2
    };
    let steps = (0..).map(|i| height - STEP_MM * f64::from(i)).take_while(|free| *free >= ROOM_SHARE * height);
    let free = steps.skip(1).find(is_clear)?;
    let [_, right, bottom, left] = frame.is_line;
    let rect = Rect::from_edges(x0, y1 - free, x1, y1);
    let room = Frame { rect, is_line: [false, right, bottom, left], is_free: false };
    (free >= MIN_ROOM_MM && room.is_number_box()).then_some(room)
}

/// Pixels of the sheet to millimetres.
pub(super) fn in_mm(r: Rect, px_per_mm: f64) -> Rect {
    Rect::from_edges(r.x0 / px_per_mm, r.y0 / px_per_mm, r.x1 / px_per_mm, r.y1 / px_per_mm)
}

/// Millimetres to pixels of the sheet.
pub(super) fn in_px(r: Rect, px_per_mm: f64) -> Rect {
    Rect::from_edges(r.x0 * px_per_mm, r.y0 * px_per_mm, r.x1 * px_per_mm, r.y1 * px_per_mm)
}

/// Cells that stand close in one row, from left to right. `digits` from left to right.
fn groups(digits: Vec<Frame>, ink: &Ink) -> Vec<Vec<Frame>> {
    let mut groups: Vec<Vec<Frame>> = Vec::new();
    for frame in digits {
        let follows = |group: &&mut Vec<Frame>| {
            let last = group[group.len() - 1];
            let gap = frame.rect.x0 - last.rect.x1;
            frame.is_like(&last)
                && gap >= -TOUCHING_MM
                && gap <= CELL_GAP * last.rect.width()
                && between(ink, last.rect, frame.rect) == Between::Nothing
        };
        match groups.iter_mut().find(follows) {
            Some(group) => group.push(frame),
            None => groups.push(vec![frame]),
        }
    }
    groups.into_iter().flat_map(parted_by_gaps).collect()
}

/// A row whose gaps are of two sorts is two groups or more: it is parted at the wider ones.
fn parted_by_gaps(group: Vec<Frame>) -> Vec<Vec<Frame>> {
    let gap = |a: &Frame, b: &Frame| (b.rect.x0 - a.rect.x1).max(0.0);
    let least = group.windows(2).map(|two| gap(&two[0], &two[1])).fold(f64::MAX, f64::min);
    let widest = GAP_SPREAD * least + TOUCHING_MM;
    group.chunk_by(|a, b| gap(a, b) <= widest).map(<[Frame]>::to_vec).collect()
}

/// Groups that belong to one field, each field's from left to right, and the lone cells that belong to none. `rows` and
/// `lone` from left to right.
fn joined(rows: Vec<Vec<Frame>>, lone: Vec<Vec<Frame>>, ink: &Ink) -> (Vec<Vec<Vec<Frame>>>, Vec<Vec<Frame>>) {
    let mut all: Vec<Vec<Frame>> = rows.into_iter().chain(lone).collect();
    all.sort_by(|a, b| a[0].rect.x0.total_cmp(&b[0].rect.x0));
    let mut fields: Vec<Vec<Vec<Frame>>> = Vec::new();
    for group in all {
        let continues = |field: &&mut Vec<Vec<Frame>>| {
            let before = &field[field.len() - 1];
            let (last, first) = (before[before.len() - 1], group[0]);
            let gap = (first.rect.x0 - last.rect.x1) / last.rect.width();
            let is_row = group.len() > 1 || field.iter().any(|group| group.len() > 1);
            is_row
                && last.is_like(&first)
                && gap >= 0.0
                && match between(ink, last.rect, first.rect) {
                    Between::Nothing => gap <= GROUP_GAP,
                    Between::Separator => gap <= PARTED_GAP,
                    Between::Print => false,
                }
        };
        match fields.iter_mut().find(continues) {
            Some(field) => field.push(group),
            None => fields.push(vec![group]),
        }
    }
    let is_lone = |field: &Vec<Vec<Frame>>| field.iter().map(Vec::len).sum::<usize>() == 1;
    let (lone, rows): (Vec<_>, Vec<_>) = fields.into_iter().partition(is_lone);
    (rows, lone.into_iter().flatten().collect())
}

/// What is printed between two cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    Nothing,
    /// A dash, a point, a slash.
    Separator,
    Print,
}

fn between(ink: &Ink, left: Rect, right: Rect) -> Between {
    const BANDS: u32 = 20;
    const MARGIN_MM: f64 = 0.3;
    const SPECK_MM2: f64 = 0.05;
    let (x0, x1) = (left.x1 + MARGIN_MM, right.x0 - MARGIN_MM);
    let (y0, height) = (left.y0.max(right.y0), left.height().min(right.height()));
    let within = |y0: f64, y1: f64| ink.mm2_within(in_px(Rect::from_edges(x0, y0, x1, y1), ink.px_per_mm));
    if x1 <= x0 {
        return Between::Nothing;
    }
    let area = within(y0, y0 + height);
    if area <= SPECK_MM2 {
        return Between::Nothing;
    }
    let at = |band: u32| y0 + height * f64::from(band) / f64::from(BANDS);
    let inked: Vec<u32> = (0..BANDS).filter(|&band| within(at(band), at(band + 1)) > 0.0).collect();
    let spanned = match (inked.first(), inked.last()) {
        (Some(first), Some(last)) => f64::from(last + 1 - first) / f64::from(BANDS),
        _ => 0.0,
    };
    let is_dash = spanned <= DASH_HEIGHT && area <= DASH_MM2;
    let is_slash = area <= SLASH_MM * height;
    if is_dash || is_slash { Between::Separator } else { Between::Print }
}

/// Whether two cells of a row, from left to right, share a line, or stand line at line.
pub(super) fn touch(left: &Frame, right: &Frame) -> bool {
    right.rect.x0 - left.rect.x1 <= TOUCHING_MM
}

/// A comb, or boxes, of these groups of cells, each of one cell or more.
pub(super) fn row_of_cells(groups: &[Vec<Frame>]) -> Found {
    let all: Vec<Frame> = groups.iter().flatten().copied().collect();
    let is_comb = groups.iter().all(|group| group.windows(2).all(|two| touch(&two[0], &two[1])));
    let (first, last) = (all[0], all[all.len() - 1]);
    let printed = PrintedSides {
        top: all.iter().all(|frame| frame.is_line[0]),
        right: last.is_line[1],
        bottom: all.iter().all(|frame| frame.is_line[2]),
        left: first.is_line[3],
        between: all.windows(2).all(|two| two[0].is_line[1] && two[1].is_line[3]),
    };
    let mut cells: Vec<Rect> = all.iter().map(|frame| frame.rect).collect();
    if is_comb {
        // touching cells share a line: that between them is where both say
        for i in 1..cells.len() {
            if touch(&all[i - 1], &all[i]) {
                let middle = (cells[i].x0 + cells[i - 1].x1) / 2.0;
                (cells[i - 1].x1, cells[i].x0) = (middle, middle);
            }
        }
    }
    Found {
        shape: if is_comb { Shape::Comb } else { Shape::Boxes },
        layout: FieldLayout::Comb { cells, printed },
        groups: groups.iter().map(Vec::len).collect(),
    }
}

/// A lone frame: a tick box, a box for a number, or nothing to be read.
fn single(frame: Frame) -> Option<Found> {
    let shape = match () {
        () if frame.is_tick_box() => Shape::Mark,
        () if frame.is_number_box() => Shape::Box,
        () => return None,
    };
    let layout = FieldLayout::Box { frame: frame.rect, printed: frame.printed() };
    Some(Found { shape, layout, groups: Vec::new() })
}

/// Sorts into rows from top to bottom, each from left to right. Things are in one row whose middles lie within both.
pub(super) fn in_reading_order<T>(items: &mut Vec<T>, bounds: impl Fn(&T) -> Rect) {
    items.sort_by(|a, b| bounds(a).centre().y.total_cmp(&bounds(b).centre().y));
    let mut rows: Vec<Vec<T>> = Vec::new();
    for item in items.drain(..) {
        let own = bounds(&item);
        let within = |row: &Vec<T>| {
            let first = bounds(&row[0]);
            let off = (own.centre().y - first.centre().y).abs();
            off <= 0.5 * own.height().min(first.height())
        };
        match rows.last_mut().filter(|row| within(row)) {
            Some(row) => row.push(item),
            None => rows.push(vec![item]),
        }
    }
    for mut row in rows {
        row.sort_by(|a, b| bounds(a).x0.total_cmp(&bounds(b).x0));
        items.extend(row);
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::{
        super::{cells::find_cells, sheet::Sheet},
        *,
    };
    use formread_raster::geometry::{Point, Projection};

    /// At 10 px/mm: two groups of boxes with a dash between, two tick boxes with letters between, a box with a caption, and a
    /// box that is written full.
    #[test]
    fn rows_tick_boxes_and_captions_are_told_apart() {
        let row = [10.0, 15.0, 20.0, 28.0, 33.0].map(|x| Rect::from_xywh(x, 10.0, 4.0, 5.0));
        let ticks = [60.0, 70.0].map(|x| Rect::from_xywh(x, 11.0, 4.0, 4.0));
        let captioned = Rect::from_xywh(10.0, 30.0, 40.0, 10.0);
        let full = Rect::from_xywh(60.0, 30.0, 30.0, 8.0);
        let frames: Vec<Rect> = row.into_iter().chain(ticks).chain([captioned, full]).collect();
        let solid = [
            Rect::from_xywh(25.2, 12.3, 1.6, 0.4),
            Rect::from_xywh(65.5, 11.5, 1.0, 3.0),
            Rect::from_xywh(67.5, 11.5, 1.0, 3.0),
            Rect::from_xywh(12.0, 31.0, 20.0, 2.0),
            Rect::from_xywh(62.0, 32.0, 20.0, 4.0),
        ];
        let pixels = GrayImage::from_fn(1000, 600, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5) * 0.1;
            let on = |r: &Rect| r.inflate(0.15).contains(p) && !r.inflate(-0.15).contains(p);
            Luma([if frames.iter().any(on) || solid.iter().any(|r| r.contains(p)) { 40 } else { 245 }])
        });
        let sheet = Sheet { pixels, px_per_mm: 10.0, page_from_sheet: Projection::IDENTITY };
        let ink = Ink::of(&sheet);
        let found = find_fields(&find_cells(&ink, &Ink::faint(&sheet)), &ink, false);
        let told: Vec<(Shape, &[usize])> = found.iter().map(|field| (field.shape, &field.groups[..])).collect();
        let expected: [(Shape, &[usize]); 4] =
            [(Shape::Boxes, &[3, 2]), (Shape::Mark, &[]), (Shape::Mark, &[]), (Shape::Box, &[])];
        assert_eq!(told, expected);
        let room = found[3].layout.bounds();
        assert!((32.8..34.0).contains(&room.y0) && (room.y1 - 40.0).abs() < 0.2, "{room:?}");
        assert_eq!(found[3].layout.printed(), PrintedSides { top: false, ..PrintedSides::ALL });
    }
}
