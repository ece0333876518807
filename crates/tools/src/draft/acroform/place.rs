//! Where a field of a fillable PDF is printed: registration and drop-out hold on to what is on paper, and a widget's
//! rectangle is there only about.

use super::{
    super::fields::{Found, Frame, Shape, row_of_cells, touch},
    widgets::{Sort, Widget},
};
use formread_core::form::{FieldLayout, PrintedSides};
use formread_raster::geometry::{Rect, Segment};

/// How far the sides of a printed frame may lie from those of the widget over it, millimetres.
const NEAR_MM: f64 = 2.0;
/// The sides of a frame that was found twice differ by no more than this, millimetres.
const SAME_MM: f64 = 1.0;
/// Cells of a row cover each other by no more than this, and their tops and bottoms differ by no more, millimetres.
const LEVEL_MM: f64 = 0.6;
/// A cell is narrower than so many even parts of the comb: gaps between groups take from all.
const WIDEST_CELL: f64 = 1.5;
/// Share of a widget's width along which a line to write on lies under it.
const UNDERLINED_SHARE: f64 = 0.8;

/// The field of `widget` as it is printed: in the cells that were found, in a frame, on a line; where nothing of it is
/// printed, in the widget's own rectangle.
pub(super) fn printed_field(widget: &Widget, frames: &[Frame], lines: &[Segment]) -> Found {
    let rect = widget.rect;
    let n_cells = match widget.sort {
        Sort::Comb { n_cells } => Some(n_cells),
        Sort::Text { max_len } => max_len,
        Sort::Tick { .. } => None,
    };
    if let Some(row) = n_cells.filter(|n| *n > 1).and_then(|n| printed_cells(rect, n, frames)) {
        return row;
    }
    let line = || underlined(rect, lines).filter(|_| !matches!(widget.sort, Sort::Tick { .. }));
    let (frame, printed) = match nearest(rect, frames) {
        Some(frame) => (frame.rect, frame.printed()),
        None => line().unwrap_or((rect, PrintedSides::NONE)),
    };
    match widget.sort {
        Sort::Comb { n_cells } => {
            let width = frame.width() / n_cells as f64;
            let cell = |i| Rect::from_xywh(frame.x0 + width * i as f64, frame.y0, width, frame.height());
            // short teeth are no lines
            let printed = PrintedSides { between: false, ..printed };
            let layout = FieldLayout::Comb { cells: (0..n_cells).map(cell).collect(), printed };
            Found { shape: Shape::Comb, layout, groups: vec![n_cells] }
        }
        Sort::Text { .. } | Sort::Tick { .. } => {
            let is_tick = matches!(widget.sort, Sort::Tick { .. });
            let shape = match printed {
                _ if is_tick => Shape::Mark,
                PrintedSides { top: false, bottom: true, .. } => Shape::Line,
                _ => Shape::Box,
            };
            Found { shape, layout: FieldLayout::Box { frame, printed }, groups: Vec::new() }
        }
    }
}

/// Adds those of `others` that are none of `frames`.
pub(super) fn add_frames(frames: &mut Vec<Frame>, others: impl IntoIterator<Item = Frame>) {
    for other in others {
        if !frames.iter().any(|frame| sides_off(frame.rect, other.rect).iter().all(|d| *d <= SAME_MM)) {
            frames.push(other);
        }
    }
}

/// How far the four sides of a rectangle lie from those of another.
fn sides_off(a: Rect, b: Rect) -> [f64; 4] {
    [a.x0 - b.x0, a.y0 - b.y0, a.x1 - b.x1, a.y1 - b.y1].map(f64::abs)
}

/// The frame that coincides with `rect` best.
fn nearest(rect: Rect, frames: &[Frame]) -> Option<&Frame> {
    let off = |frame: &Frame| sides_off(frame.rect, rect);
    let is_near = |frame: &&Frame| {
        frame.rect.contains(rect.centre())
            && rect.contains(frame.rect.centre())
            && off(frame).iter().all(|d| *d <= NEAR_MM)
    };
    let total = |frame: &&Frame| off(frame).iter().sum::<f64>();
    frames.iter().filter(is_near).min_by(|a, b| total(a).total_cmp(&total(b)))
}

/// `rect` down to the line that it stands on.
fn underlined(rect: Rect, lines: &[Segment]) -> Option<(Rect, PrintedSides)> {
    let is_under = |s: &&Segment| {
        let shared = s.b.x.min(rect.x1) - s.a.x.max(rect.x0);
        let level = s.middle().y;
        s.is_horizontal()
            && (level - rect.y1).abs() <= NEAR_MM
            && level > rect.centre().y
            && shared >= UNDERLINED_SHARE * rect.width()
    };
    let off = |s: &&Segment| (s.middle().y - rect.y1).abs();
    let line = lines.iter().filter(is_under).min_by(|s, t| off(s).total_cmp(&off(t)))?;
    let frame = Rect { y1: line.middle().y, ..rect };
    Some((frame, PrintedSides { bottom: true, ..PrintedSides::NONE }))
}

/// The `n` printed cells in `rect`, if there are so many, in one row.
fn printed_cells(rect: Rect, n: usize, frames: &[Frame]) -> Option<Found> {
    let within = rect.inflate(NEAR_MM);
    let is_cell = |frame: &&Frame| {
        frame.rect.corners().iter().all(|corner| within.contains(*corner))
            && frame.rect.width() <= WIDEST_CELL * rect.width() / n as f64
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
        Frame { rect: Rect::from_xywh(x, 20.0, width, 8.0), is_line: [true; 4], is_free: true }
    }

    fn widget(sort: Sort, rect: Rect) -> Widget {
        Widget { path: vec!["a".to_owned()], sort, rect, format: None }
    }

    #[test]
    fn a_comb_takes_the_cells_as_they_are_printed_or_parts_its_frame() {
        let frames: Vec<Frame> = [10.0, 16.1, 22.0, 32.0, 38.0].into_iter().map(|x| frame(x, 6.0)).collect();
        let rect = Rect::from_edges(9.0, 19.0, 45.0, 29.0);
        for sort in [Sort::Comb { n_cells: 5 }, Sort::Text { max_len: Some(5) }] {
            let found = printed_field(&widget(sort, rect), &frames, &[]);
            assert_eq!((found.shape, &found.groups[..]), (Shape::Comb, &[3, 2][..]));
            let lefts: Vec<f64> = found.layout.cells().iter().map(|cell| cell.x0).collect();
            assert_eq!(lefts, [10.0, 16.05, 22.05, 32.0, 38.0]);
            assert_eq!(found.layout.printed(), PrintedSides::ALL);
        }
        // four cells are not five
        let found = printed_field(&widget(Sort::Comb { n_cells: 4 }, rect), &frames, &[]);
        assert_eq!((found.layout.cells().len(), found.layout.printed()), (4, PrintedSides::NONE));
        assert_eq!(found.layout.bounds(), rect);
        // one frame with teeth
        let around = [frame(10.0, 35.0)];
        let found = printed_field(&widget(Sort::Comb { n_cells: 5 }, rect), &around, &[]);
        assert_eq!((found.layout.bounds(), found.layout.cells()[1].x0), (around[0].rect, 17.0));
        assert_eq!(found.layout.printed(), PrintedSides { between: false, ..PrintedSides::ALL });
    }

    #[test]
    fn a_box_takes_the_nearest_frame_or_the_line_under_it() {
        let frames = [frame(10.0, 30.0), frame(11.5, 30.0), frame(45.0, 30.0)];
        let text = |rect| printed_field(&widget(Sort::Text { max_len: None }, rect), &frames, &[]);
        let found = text(Rect::from_edges(11.0, 21.0, 41.9, 27.5));
        assert_eq!((found.shape, found.layout.bounds()), (Shape::Box, frames[1].rect));
        let apart = Rect::from_edges(13.0, 22.0, 37.0, 25.0);
        assert_eq!(text(apart).layout, FieldLayout::Box { frame: apart, printed: PrintedSides::NONE });
        let line = Segment::new(Point::new(12.0, 26.0), Point::new(60.0, 26.0));
        let found = printed_field(&widget(Sort::Text { max_len: None }, apart), &frames, &[line]);
        assert_eq!((found.shape, found.layout.bounds().y1), (Shape::Line, 26.0));
        let found = printed_field(&widget(Sort::Tick { state: None }, apart), &[], &[line]);
        assert_eq!((found.shape, found.layout.bounds()), (Shape::Mark, apart));
    }
}
