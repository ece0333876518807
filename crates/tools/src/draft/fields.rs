//! From frames to fields: empty frames make up boxes, combs and tick boxes.
//!
//! All lengths are millimetres on the sheet. An empty frame is to be filled in. Its size and its neighbours in the row
//! decide what shape of field it belongs to.

use super::{
    cells::Cell,
    ink::{Ink, in_mm, in_px},
    letters::{Letter, date_order, letter_in, runs},
};
use formread_core::form::{DateOrder, FieldLayout, MAX_CELLS, PrintedSides};
use formread_raster::geometry::Rect;

/// Largest ink in an empty frame, square millimetres: dust and the grain of the paper.
const MAX_DUST_MM2: f64 = 0.25;
/// The same as a share of its area; the larger of both counts.
const MAX_DUST_SHARE: f64 = 0.004;
/// The same for a digit cell from which writing was removed: many people write the same digit in the same place.
const MAX_REST_SHARE: f64 = 0.035;
/// The same for such a cell that touches an empty one of its size.
const MAX_NEXT_SHARE: f64 = 0.12;
/// A cell for one digit: its width, its height, and width over height.
const DIGIT_WIDTH_MM: std::ops::RangeInclusive<f64> = 2.5..=10.5;
const DIGIT_HEIGHT_MM: std::ops::RangeInclusive<f64> = 3.0..=18.0;
const DIGIT_PROPORTION: std::ops::RangeInclusive<f64> = 0.3..=1.45;
/// Largest difference in width, top and bottom between cells of one field: this share or this length, whichever is more.
const CELL_TOLERANCE: f64 = 0.12;
const CELL_TOLERANCE_MM: f64 = 0.35;
/// Cells closer than this share one line, or have lines side by side.
const TOUCHING_MM: f64 = 0.5;
/// Largest gap between cells of one group, in multiples of the smallest.
const MAX_GAP_RATIO: f64 = 1.6;
/// Largest gap between cells of one group, in widths of a cell.
const MAX_CELL_GAP: f64 = 0.65;
/// Largest gap between groups beyond that between their cells, in widths of a cell.
const MAX_GROUP_GAP: f64 = 1.0;
/// The same with a printed dash or point between the groups.
const MAX_SEPARATED_GAP: f64 = 1.8;
/// Largest height of a dash or a point between groups, as a share of the cells' height.
const MAX_DASH_HEIGHT: f64 = 0.4;
/// Largest ink of a dash or a point, square millimetres.
const MAX_DASH_MM2: f64 = 1.6;
/// Largest mean width of a slash, millimetres.
const MAX_SLASH_MM: f64 = 0.42;
/// Where a line that parts two columns goes on, millimetres above and below the cells.
const RULE_MM: (f64, f64) = (0.35, 0.9);
/// Longest side of a tick box, millimetres.
const MAX_TICK_MM: f64 = 6.5;
/// A frame up to this size is a tick box, whatever its proportions.
const SMALL_TICK_MM: f64 = 4.0;
/// Longer over shorter side of a larger tick box.
const MAX_TICK_PROPORTION: f64 = 1.45;
/// Height of a box for a number.
const BOX_HEIGHT_MM: std::ops::RangeInclusive<f64> = 3.5..=16.0;
const MIN_BOX_WIDTH_MM: f64 = 5.0;
/// Largest width of a box for a number, in heights. Wider ones are for words.
const MAX_BOX_PROPORTION: f64 = 14.0;

/// Height of a frame with a caption at its top.
const CAPTIONED_MM: std::ops::RangeInclusive<f64> = 6.5..=16.0;
/// Smallest room below the caption, millimetres and as a share of the height.
const MIN_ROOM_MM: f64 = 4.0;
const MIN_ROOM_SHARE: f64 = 0.5;

/// What a field looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Cells in a row, each touching the next, in one group or several.
    Comb,
    /// Separate cells in a row.
    Boxes,
    /// One frame to write in freely.
    Box,
    /// A box to be ticked.
    Mark,
    /// A circle or an ellipse to be filled in.
    Bubble,
    /// Circles or ellipses of which one is to be filled in.
    Bubbles,
    /// A line to write on.
    Line,
}

impl Shape {
    /// Whether it is one box to be marked: what it means is printed after it.
    pub fn is_mark(self) -> bool {
        matches!(self, Self::Mark | Self::Bubble)
    }

    /// Whether it has circles or ellipses: they are not the frames of their cells.
    pub fn is_round(self) -> bool {
        matches!(self, Self::Bubble | Self::Bubbles)
    }
}

/// A field without a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldCandidate {
    pub shape: Shape,
    pub layout: FieldLayout,
    /// Number of cells in each group of a comb or of boxes; empty for other shapes.
    pub groups: Vec<usize>,
    /// Letters that are printed in its cells, millimetres.
    pub letters: Vec<Rect>,
    /// The order of a date, where these letters show it.
    pub order: Option<DateOrder>,
    /// What each of its bubbles means; empty for other shapes.
    pub values: Vec<String>,
}

impl FieldCandidate {
    /// A field without cells, letters and neighbours.
    pub fn new(shape: Shape, layout: FieldLayout) -> Self {
        Self { shape, layout, groups: Vec::new(), letters: Vec::new(), order: None, values: Vec::new() }
    }
}

/// A frame, millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub rect: Rect,
    /// Which of its sides are lines: top, right, bottom, left.
    pub is_line: [bool; 4],
    /// As [`Cell::is_isolated`].
    pub is_isolated: bool,
}

impl Frame {
    /// The frame of a cell, whose pixels become millimetres.
    pub fn new(cell: &Cell, px_per_mm: f64) -> Self {
        Self { rect: in_mm(cell.frame, px_per_mm), is_line: cell.is_line, is_isolated: cell.is_isolated }
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
        self.is_isolated
            && (longer <= SMALL_TICK_MM || longer <= MAX_TICK_MM && longer <= MAX_TICK_PROPORTION * shorter)
    }

    fn is_number_box(&self) -> bool {
        let (width, height) = (self.rect.width(), self.rect.height());
        BOX_HEIGHT_MM.contains(&height) && width >= MIN_BOX_WIDTH_MM && width <= MAX_BOX_PROPORTION * height
    }

    /// Whether `other` has the same size and lies in the same row.
    fn matches(&self, other: &Self) -> bool {
        let (a, b) = (self.rect, other.rect);
        let tolerance = |side: f64| (CELL_TOLERANCE * side).max(CELL_TOLERANCE_MM);
        (a.width() - b.width()).abs() <= tolerance(a.width())
            && (a.y0 - b.y0).abs() <= tolerance(a.height())
            && (a.y1 - b.y1).abs() <= tolerance(a.height())
    }
}

/// The fields that empty frames make up, in reading order.
///
/// `was_filled`: whether writing was removed, and traces of it may be left.
pub(super) fn find_fields(cells: &[Cell], ink: &Ink, was_filled: bool) -> Vec<FieldCandidate> {
    let measured = |cell: &Cell| (Frame::new(cell, ink.px_per_mm), cell.ink_mm2);
    let measured: Vec<(Frame, f64)> = cells.iter().map(measured).collect();
    let is_empty = |(frame, ink_mm2): &&(Frame, f64)| {
        let share = if was_filled && frame.is_digit_cell() { MAX_REST_SHARE } else { MAX_DUST_SHARE };
        *ink_mm2 <= MAX_DUST_MM2.max(share * frame.rect.area())
    };
    let mut frames: Vec<Frame> = measured.iter().filter(is_empty).map(|(frame, _)| *frame).collect();
    if was_filled {
        let touches = |a: &Frame, b: &Frame| {
            a.matches(b) && [a.rect.x0 - b.rect.x1, b.rect.x0 - a.rect.x1].iter().any(|gap| gap.abs() <= TOUCHING_MM)
        };
        let is_next = |(frame, ink_mm2): &&(Frame, f64)| {
            let is_empty_too = *ink_mm2 <= MAX_NEXT_SHARE * frame.rect.area();
            frame.is_digit_cell() && is_empty_too && frames.iter().any(|other| touches(frame, other))
        };
        let next: Vec<Frame> =
            measured.iter().filter(|m| !is_empty(m)).filter(is_next).map(|(frame, _)| *frame).collect();
        frames.extend(next);
    }
    let lettered = lettered_rows(measured.iter().filter(|m| !is_empty(m)).map(|(frame, _)| *frame), ink);
    let captioned = measured.iter().filter(|m| !is_empty(m)).filter_map(|(frame, _)| room_below_caption(*frame, ink));
    let captioned: Vec<Frame> = captioned.collect();
    let (mut digits, others): (Vec<Frame>, Vec<Frame>) = frames.into_iter().partition(Frame::is_digit_cell);
    digits.sort_by(|a, b| a.rect.x0.total_cmp(&b.rect.x0));
    let groups = groups(digits, ink);
    let (rows, lone): (Vec<Vec<Frame>>, Vec<Vec<Frame>>) = groups.into_iter().partition(|group| group.len() > 1);
    let (rows, lone) = join_groups(rows, lone, ink);
    let n_cells = |groups: &Vec<Vec<Frame>>| groups.iter().map(Vec::len).sum::<usize>();
    // a longer row is a scale or a calendar
    let rows = rows.into_iter().filter(|groups| n_cells(groups) <= MAX_CELLS);
    let mut found: Vec<FieldCandidate> = rows.map(|groups| row_of_cells(&groups)).collect();
    found.extend(lettered);
    found.extend(others.into_iter().chain(lone.into_iter().flatten()).chain(captioned).filter_map(single_field));
    in_reading_order(&mut found, |found| found.layout.bounds());
    found
}

/// Combs with a letter printed in each cell.
fn lettered_rows(frames: impl Iterator<Item = Frame>, ink: &Ink) -> Vec<FieldCandidate> {
    let cell = |frame: Frame| Some((frame, letter_in(frame.rect, ink)?));
    let mut cells: Vec<(Frame, Letter)> = frames.filter(Frame::is_digit_cell).filter_map(cell).collect();
    cells.sort_by(|a, b| a.0.rect.x0.total_cmp(&b.0.rect.x0));
    let mut rows: Vec<Vec<(Frame, Letter)>> = Vec::new();
    for cell in cells {
        let follows = |row: &&mut Vec<(Frame, Letter)>| {
            let (last, _) = &row[row.len() - 1];
            cell.0.matches(last) && (cell.0.rect.x0 - last.rect.x1).abs() <= TOUCHING_MM
        };
        match rows.iter_mut().find(follows) {
            Some(row) => row.push(cell),
            None => rows.push(vec![cell]),
        }
    }
    let field = |row: Vec<(Frame, Letter)>| {
        let (frames, letters): (Vec<Frame>, Vec<Letter>) = row.into_iter().unzip();
        let runs = runs(&letters)?;
        let order = date_order(&runs, &letters);
        let letters = letters.iter().map(|letter| letter.bounds).collect();
        Some(FieldCandidate { letters, order, ..row_of_cells(&[frames]) })
    };
    rows.into_iter().filter(|row| row.len() <= MAX_CELLS).filter_map(field).collect()
}

/// The room below the caption at the top of a frame; `None` if the frame has no caption or no room.
fn room_below_caption(frame: Frame, ink: &Ink) -> Option<Frame> {
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
    let steps = (0..).map(|i| height - STEP_MM * f64::from(i)).take_while(|free| *free >= MIN_ROOM_SHARE * height);
    let free = steps.skip(1).find(is_clear)?;
    let [_, right, bottom, left] = frame.is_line;
    let rect = Rect::from_edges(x0, y1 - free, x1, y1);
    let room = Frame { rect, is_line: [false, right, bottom, left], is_isolated: false };
    (free >= MIN_ROOM_MM && room.is_number_box()).then_some(room)
}

/// Groups of cells that are close in one row. `digits` and each group are in order from left to right.
fn groups(digits: Vec<Frame>, ink: &Ink) -> Vec<Vec<Frame>> {
    let mut groups: Vec<Vec<Frame>> = Vec::new();
    for frame in digits {
        let follows = |group: &&mut Vec<Frame>| {
            let last = group[group.len() - 1];
            let gap = frame.rect.x0 - last.rect.x1;
            frame.matches(&last)
                && gap >= -TOUCHING_MM
                && gap <= MAX_CELL_GAP * last.rect.width()
                && between(ink, last.rect, frame.rect) == Between::Nothing
        };
        match groups.iter_mut().find(follows) {
            Some(group) => group.push(frame),
            None => groups.push(vec![frame]),
        }
    }
    groups.into_iter().flat_map(split_at_gaps).collect()
}

/// A row with gaps of two widths is two groups or more: it is split at the wider gaps.
fn split_at_gaps(group: Vec<Frame>) -> Vec<Vec<Frame>> {
    let gap = |a: &Frame, b: &Frame| (b.rect.x0 - a.rect.x1).max(0.0);
    let max_gap = MAX_GAP_RATIO * cell_gap(&group).unwrap_or(0.0) + TOUCHING_MM;
    group.chunk_by(|a, b| gap(a, b) <= max_gap).map(<[Frame]>::to_vec).collect()
}

/// The smallest gap between neighbours of a group; `None` for a lone cell.
fn cell_gap(group: &[Frame]) -> Option<f64> {
    group.windows(2).map(|two| (two[1].rect.x0 - two[0].rect.x1).max(0.0)).min_by(f64::total_cmp)
}

/// The groups of each field, and the lone cells that belong to no row. All are in order from left to right.
fn join_groups(rows: Vec<Vec<Frame>>, lone: Vec<Vec<Frame>>, ink: &Ink) -> (Vec<Vec<Vec<Frame>>>, Vec<Vec<Frame>>) {
    let mut all: Vec<Vec<Frame>> = rows.into_iter().chain(lone).collect();
    all.sort_by(|a, b| a[0].rect.x0.total_cmp(&b[0].rect.x0));
    let mut fields: Vec<Vec<Vec<Frame>>> = Vec::new();
    for group in all {
        let continues = |field: &&mut Vec<Vec<Frame>>| {
            let before = &field[field.len() - 1];
            let (last, first) = (before[before.len() - 1], group[0]);
            // what the gap between the groups has more than those within them
            let within = [before, &group].map(|cells| cell_gap(cells)).into_iter().flatten().fold(f64::MAX, f64::min);
            let within = if within == f64::MAX { 0.0 } else { within };
            let gap = first.rect.x0 - last.rect.x1;
            let gap = (gap - within.min(gap)) / last.rect.width();
            let is_row = group.len() > 1 || field.iter().any(|group| group.len() > 1);
            is_row
                && last.matches(&first)
                && gap >= 0.0
                && match between(ink, last.rect, first.rect) {
                    Between::Nothing => gap <= MAX_GROUP_GAP,
                    Between::Separator => gap <= MAX_SEPARATED_GAP,
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
    // a line that goes on above and below parts two columns
    let beyond = [(y0 - RULE_MM.1, y0 - RULE_MM.0), (y0 + height + RULE_MM.0, y0 + height + RULE_MM.1)];
    if spanned >= 1.0 && beyond.into_iter().all(|(from, to)| within(from, to) > 0.0) {
        return Between::Print;
    }
    let is_dash = spanned <= MAX_DASH_HEIGHT && area <= MAX_DASH_MM2;
    let is_slash = area <= MAX_SLASH_MM * height;
    if is_dash || is_slash { Between::Separator } else { Between::Print }
}

/// Whether two neighbouring cells of a row share a line, or have lines side by side.
pub(super) fn touch(left: &Frame, right: &Frame) -> bool {
    right.rect.x0 - left.rect.x1 <= TOUCHING_MM
}

/// A comb or a row of boxes. No group is empty.
pub(super) fn row_of_cells(groups: &[Vec<Frame>]) -> FieldCandidate {
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
        // touching cells share a line: it lies half way between both measurements
        for i in 1..cells.len() {
            if touch(&all[i - 1], &all[i]) {
                let middle = (cells[i].x0 + cells[i - 1].x1) / 2.0;
                (cells[i - 1].x1, cells[i].x0) = (middle, middle);
            }
        }
    }
    let shape = if is_comb { Shape::Comb } else { Shape::Boxes };
    let groups = groups.iter().map(Vec::len).collect();
    FieldCandidate { groups, ..FieldCandidate::new(shape, FieldLayout::Comb { cells, printed }) }
}

/// The field of a lone frame: a tick box or a box for a number.
fn single_field(frame: Frame) -> Option<FieldCandidate> {
    let shape = match () {
        () if frame.is_tick_box() => Shape::Mark,
        () if frame.is_number_box() => Shape::Box,
        () => return None,
    };
    let layout = FieldLayout::Box { frame: frame.rect, printed: frame.printed() };
    Some(FieldCandidate::new(shape, layout))
}

/// Sorts into rows from top to bottom, and each row from left to right. Two items are in one row if the centre of each lies
/// within the height of the other.
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
        super::{find_cells, sheet::Sheet},
        *,
    };
    use formread_raster::geometry::{Point, Projection};

    /// At 10 px/mm: two groups of boxes with a dash between, two tick boxes with letters between, a box with a caption, and a
    /// box full of writing.
    #[test]
    fn rows_tick_boxes_and_captioned_boxes_get_their_shapes() {
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
        let ink = Ink::new(&sheet);
        let found = find_fields(&find_cells(&ink, &Ink::faint(&sheet)), &ink, false);
        let shapes: Vec<(Shape, &[usize])> = found.iter().map(|field| (field.shape, &field.groups[..])).collect();
        let expected: [(Shape, &[usize]); 4] =
            [(Shape::Boxes, &[3, 2]), (Shape::Mark, &[]), (Shape::Mark, &[]), (Shape::Box, &[])];
        assert_eq!(shapes, expected);
        let room = found[3].layout.bounds();
        assert!((32.8..34.0).contains(&room.y0) && (room.y1 - 40.0).abs() < 0.2, "{room:?}");
        assert_eq!(found[3].layout.printed(), PrintedSides { top: false, ..PrintedSides::ALL });
    }
}
