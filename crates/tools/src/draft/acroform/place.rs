//! Where the fields of a fillable PDF are printed. Registration and drop-out need the printed lines, and the rectangle of a
//! widget is only near them.

use super::{
    super::fields::{FieldCandidate, Frame, Shape, row_of_cells, touch},
    widgets::{InputKind, Widget},
};
use formread_core::form::{FieldLayout, PrintedSides};
use formread_raster::geometry::{Rect, Segment};

/// Largest distance of the sides of a printed frame from those of its widget, millimetres.
const NEAR_MM: f64 = 2.0;
/// Two frames whose sides differ by no more than this are the same, millimetres.
const SAME_MM: f64 = 1.0;
/// Largest overlap of cells of one row, and largest difference of their tops and bottoms, millimetres.
const LEVEL_MM: f64 = 0.6;
/// Largest width of a cell, in even parts of the comb. Gaps between groups make cells narrower than an even part.
const MAX_CELL_PARTS: f64 = 1.5;
/// Smallest share of a widget's width that has the line to write on below it.
const MIN_UNDERLINED_SHARE: f64 = 0.8;

/// The field of `widget` as printed: in cells, in a frame or on a line. If nothing is printed, it is the rectangle of the
/// widget.
pub(super) fn printed_field(widget: &Widget, frames: &[Frame], lines: &[Segment]) -> FieldCandidate {
    let rect = widget.rect;
    let n_cells = match widget.input {
        InputKind::Comb { n_cells } => Some(n_cells),
        InputKind::Text { max_len } => max_len,
        InputKind::Tick { .. } => None,
    };
    if let Some(row) = n_cells.filter(|n| *n > 1).and_then(|n| printed_cells(rect, n, frames)) {
        return row;
    }
    let line = || extended_to_line(rect, lines).filter(|_| !matches!(widget.input, InputKind::Tick { .. }));
    let (frame, printed) = match nearest_frame(rect, frames) {
        Some(frame) => (frame.rect, frame.printed()),
        None => line().unwrap_or((rect, PrintedSides::NONE)),
    };
    match widget.input {
        InputKind::Comb { n_cells } => {
            let width = frame.width() / n_cells as f64;
            let cell = |i| Rect::from_xywh(frame.x0 + width * i as f64, frame.y0, width, frame.height());
            // the short teeth of a comb are no lines
            let printed = PrintedSides { between: false, ..printed };
            let layout = FieldLayout::Comb { cells: (0..n_cells).map(cell).collect(), printed };
            FieldCandidate { groups: vec![n_cells], ..FieldCandidate::new(Shape::Comb, layout) }
        }
        InputKind::Text { .. } | InputKind::Tick { .. } => {
            let is_tick = matches!(widget.input, InputKind::Tick { .. });
            let shape = match printed {
                _ if is_tick => Shape::Mark,
                PrintedSides { top: false, bottom: true, .. } => Shape::Line,
                _ => Shape::Box,
            };
            FieldCandidate::new(shape, FieldLayout::Box { frame, printed })
        }
    }
}

/// Adds those of `others` that `frames` lacks.
pub(super) fn add_frames(frames: &mut Vec<Frame>, others: impl IntoIterator<Item = Frame>) {
    for other in others {
        if !frames.iter().any(|frame| side_distances(frame.rect, other.rect).iter().all(|d| *d <= SAME_MM)) {
            frames.push(other);
        }
    }
}

/// Distances between the four sides of two rectangles.
fn side_distances(a: Rect, b: Rect) -> [f64; 4] {
    [a.x0 - b.x0, a.y0 - b.y0, a.x1 - b.x1, a.y1 - b.y1].map(f64::abs)
}

/// The frame whose sides are nearest to those of `rect`.
fn nearest_frame(rect: Rect, frames: &[Frame]) -> Option<&Frame> {
    let off = |frame: &Frame| side_distances(frame.rect, rect);
    let is_near = |frame: &&Frame| {
        frame.rect.contains(rect.centre())
            && rect.contains(frame.rect.centre())
            && off(frame).iter().all(|d| *d <= NEAR_MM)
    };
    let total = |frame: &&Frame| off(frame).iter().sum::<f64>();
    frames.iter().filter(is_near).min_by(|a, b| total(a).total_cmp(&total(b)))
}

/// `rect`, extended down to the line printed under it.
fn extended_to_line(rect: Rect, lines: &[Segment]) -> Option<(Rect, PrintedSides)> {
    let is_under = |s: &&Segment| {
        let shared = s.b.x.min(rect.x1) - s.a.x.max(rect.x0);
        let level = s.middle().y;
        s.is_horizontal()
            && (level - rect.y1).abs() <= NEAR_MM
            && level > rect.centre().y
            && shared >= MIN_UNDERLINED_SHARE * rect.width()
    };
    let off = |s: &&Segment| (s.middle().y - rect.y1).abs();
    let line = lines.iter().filter(is_under).min_by(|s, t| off(s).total_cmp(&off(t)))?;
    let frame = Rect { y1: line.middle().y, ..rect };
    Some((frame, PrintedSides { bottom: true, ..PrintedSides::NONE }))
}

/// The row of `n` printed cells in `rect`; `None` if there are more or fewer, or they are in no row.
fn printed_cells(rect: Rect, n: usize, frames: &[Frame]) -> Option<FieldCandidate> {
    let within = rect.inflate(NEAR_MM);
    let is_cell = |frame: &&Frame| {
        frame.rect.corners().iter().all(|corner| within.contains(*corner))
            && frame.rect.width() <= MAX_CELL_PARTS * rect.width() / n as f64
    };
    let mut row: Vec<Frame> = frames.iter().filter(is_cell).copied().collect();
    row.sort_by(|a, b| a.rect.x0.total_cmp(&b.rect.x0));
    let follows = |two: &[Frame]| {
        let (a, b) = (two[0].rect, two[1].rect);
        (a.y0 - b.y0).abs() <= LEVEL_MM && (a.y1 - b.y1).abs() <= LEVEL_MM && b.x0 - a.x1 >= -LEVEL_MM
    };
    if row.len() != n || !row.windows(2).all(follows) {
        return None;
    }
    let groups: Vec<Vec<Frame>> = match row.windows(2).any(|two| touch(&two[0], &two[1])) {
        true => row.chunk_by(touch).map(<[Frame]>::to_vec).collect(),
        false => vec![row],
    };
    Some(row_of_cells(&groups))
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_raster::geometry::Point;

    fn frame(x: f64, width: f64) -> Frame {
        Frame { rect: Rect::from_xywh(x, 20.0, width, 8.0), is_line: [true; 4], is_isolated: true }
    }

    fn widget(input: InputKind, rect: Rect) -> Widget {
        Widget { path: vec!["a".to_owned()], tooltip: None, input, rect, format: None }
    }

    #[test]
    fn comb_takes_printed_cells_or_divides_its_frame() {
        let frames: Vec<Frame> = [10.0, 16.1, 22.0, 32.0, 38.0].into_iter().map(|x| frame(x, 6.0)).collect();
        let rect = Rect::from_edges(9.0, 19.0, 45.0, 29.0);
        for input in [InputKind::Comb { n_cells: 5 }, InputKind::Text { max_len: Some(5) }] {
            let found = printed_field(&widget(input, rect), &frames, &[]);
            assert_eq!((found.shape, &found.groups[..]), (Shape::Comb, &[3, 2][..]));
            let lefts: Vec<f64> = found.layout.cells().iter().map(|cell| cell.x0).collect();
            assert_eq!(lefts, [10.0, 16.05, 22.05, 32.0, 38.0]);
            assert_eq!(found.layout.printed(), PrintedSides::ALL);
        }
        // four cells are not five
        let found = printed_field(&widget(InputKind::Comb { n_cells: 4 }, rect), &frames, &[]);
        assert_eq!((found.layout.cells().len(), found.layout.printed()), (4, PrintedSides::NONE));
        assert_eq!(found.layout.bounds(), rect);
        // one frame with teeth
        let around = [frame(10.0, 35.0)];
        let found = printed_field(&widget(InputKind::Comb { n_cells: 5 }, rect), &around, &[]);
        assert_eq!((found.layout.bounds(), found.layout.cells()[1].x0), (around[0].rect, 17.0));
        assert_eq!(found.layout.printed(), PrintedSides { between: false, ..PrintedSides::ALL });
    }

    #[test]
    fn box_takes_nearest_frame_or_line_below() {
        let frames = [frame(10.0, 30.0), frame(11.5, 30.0), frame(45.0, 30.0)];
        let text = |rect| printed_field(&widget(InputKind::Text { max_len: None }, rect), &frames, &[]);
        let found = text(Rect::from_edges(11.0, 21.0, 41.9, 27.5));
        assert_eq!((found.shape, found.layout.bounds()), (Shape::Box, frames[1].rect));
        let apart = Rect::from_edges(13.0, 22.0, 37.0, 25.0);
        assert_eq!(text(apart).layout, FieldLayout::Box { frame: apart, printed: PrintedSides::NONE });
        let line = Segment::new(Point::new(12.0, 26.0), Point::new(60.0, 26.0));
        let found = printed_field(&widget(InputKind::Text { max_len: None }, apart), &frames, &[line]);
        assert_eq!((found.shape, found.layout.bounds().y1), (Shape::Line, 26.0));
        let found = printed_field(&widget(InputKind::Tick { state: None }, apart), &[], &[line]);
        assert_eq!((found.shape, found.layout.bounds()), (Shape::Mark, apart));
    }
}
