//! Frames that lines enclose: inside one is a connected piece of paper with four straight sides.

use std::ops::Range;

use image::{GrayImage, Luma, imageops};
use imageproc::{
    drawing::draw_line_segment_mut,
    region_labelling::{Connectivity, connected_components},
};

use super::{
    ink::{Ink, label_bounds},
    teeth::missing_sides,
};
use formread_raster::{
    LineParams, LinePieces, find_line_pieces,
    geometry::{Point, Rect},
};

/// Thickest printed line, millimetres; anything thicker is a solid area.
const MAX_LINE_MM: f64 = 1.3;
/// The same of a frame with a side that is thicker, as a share of that. Chosen on a drawn form.
const NEARLY_SOLID_SHARE: f64 = 0.7;
/// Shortest straight piece that can be the side of a frame, millimetres, and in pixels where these are coarse.
const MIN_PIECE_MM: f64 = 1.0;
const MIN_PIECE_PX: f64 = 7.0;
/// How far each straight piece is extended past its ends, millimetres: lines break, and do not meet at corners.
const REACH_MM: f64 = 0.4;
/// How far the middle of a run of ink may lie off its straight piece, pixels.
const DEVIATION_PX: f64 = 1.2;
/// Longest gap between the dashes of a broken line, millimetres: narrower than any frame.
const MAX_DASH_GAP_MM: f64 = 0.9;
/// Widest dash of a broken line, millimetres.
const MAX_DASH_WIDTH_MM: f64 = 0.8;
/// Smallest side of a frame, millimetres: a small tick box.
const MIN_SIDE_MM: f64 = 1.3;
/// Share of a frame's side along which the paper inside ends in a straight line.
const STRAIGHT_SHARE: f64 = 0.85;
/// How far that line may deviate, millimetres, and in addition as a share of the side: paper bends.
const MAX_DEVIATION_MM: f64 = 0.25;
const MAX_SLOPE: f64 = 0.006;
/// Longer side of a small frame, millimetres.
const SMALL_MM: f64 = 6.5;
/// Share of the rim of a small frame's inside that is one piece of paper: the inside of a letter has round corners.
const MIN_SQUARE_SHARE: f64 = 0.9;
/// Width of that rim, as a share of the frame's shorter side.
const RIM_SHARE: f64 = 0.15;
/// How far from its corners the paper of a small frame begins, as a share of its side: the inside of a letter is round there.
const CORNER_SHARE: f64 = 0.1;
/// Thickest line of a small frame, as a share of its inside, or in millimetres: the strokes of a letter are thicker.
pub(super) const MAX_LINE_SHARE: f64 = 0.22;
const MAX_SMALL_LINE_MM: f64 = 0.7;
/// An isolated frame has ink at no more than this many of the eight places where its sides would continue past its
/// corners.
const MAX_INKED_ENDS: usize = 2;
/// Where those places begin and end, millimetres past the corner.
const ENDS_MM: [f64; 2] = [0.45, 0.85];
/// And no nearer than this, pixels: a line is up to three pixels wide, and placed to a pixel.
const MIN_END_PX: f64 = 2.3;
/// An isolated frame has no letter on both sides. The strips left and right of it begin and end this far away, millimetres.
const BESIDE_MM: [f64; 2] = [0.35, 0.8];
/// And from no nearer than this, pixels.
const MIN_BESIDE_PX: f64 = 3.0;
/// Largest share of ink in those strips.
const MAX_BESIDE_SHARE: f64 = 0.1;
/// Share of a side that has ink, from which it is printed.
const MIN_PRINTED_SHARE: f64 = 0.25;
/// Ink this near to a side of a frame belongs to the side, millimetres.
const MARGIN_MM: f64 = 0.35;

/// A frame: a rectangle with four sides and no line through it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// Middles of its lines, pixels of the sheet; the edge of the area for a side that is a solid area.
    pub frame: Rect,
    /// Whether its top, right, bottom and left side, in this order, is a line: not the edge of a solid area, and not open.
    pub is_line: [bool; 4],
    /// Ink inside, square millimetres.
    pub ink_mm2: f64,
    /// Whether its sides end at its corners and it is no letter of a word.
    pub is_isolated: bool,
    /// Whether there is also nothing on either side of it.
    pub is_apart: bool,
}

/// The frames that lines of `ink` enclose, in no order.
pub(super) fn enclosed_cells(ink: &Ink) -> Vec<Cell> {
    let k = ink.px_per_mm;
    if ink.mask.len() < 2 {
        // imageproc cannot label a picture of a single pixel
        return Vec::new();
    }
    let mut paper = with_gaps_closed(ink);
    imageops::invert(&mut paper);
    let labels = connected_components(&paper, Connectivity::Four, Luma([0]));
    let bounds = label_bounds(&labels);
    let min_px = MIN_SIDE_MM * k;
    let is_large = |[x0, y0, x1, y1]: &[u32; 4]| {
        let (width, height) = (f64::from(x1 - x0 + 1), f64::from(y1 - y0 + 1));
        let is_page = width > 0.98 * f64::from(paper.width()) || height > 0.98 * f64::from(paper.height());
        width >= min_px && height >= min_px && !is_page
    };
    let piece = |(label, bounds): (usize, &Option<[u32; 4]>)| {
        bounds
            .filter(is_large)
            .and_then(|bounds| cell_of_piece(ink, label as u32, bounds, &|x, y| labels.get_pixel(x, y)[0]))
    };
    bounds.iter().enumerate().filter_map(piece).collect()
}

/// Straight pieces of lines, in pixel centres.
pub(super) fn line_pieces(ink: &Ink) -> LinePieces {
    let k = ink.px_per_mm;
    find_line_pieces(
        &ink.mask,
        LineParams {
            max_thickness_px: (MAX_LINE_MM * k).ceil() as u32,
            min_length_px: (MIN_PIECE_MM * k).max(MIN_PIECE_PX),
            max_deviation_px: DEVIATION_PX,
        },
    )
}

/// The ink with short gaps closed in lines and at the corners of frames, and with the sides that open combs lack.
fn with_gaps_closed(ink: &Ink) -> GrayImage {
    let pieces = line_pieces(ink);
    let missing = missing_sides(&pieces, ink.px_per_mm);
    let LinePieces { horizontal, vertical } = pieces;
    let mut barrier = with_dashes_joined(ink);
    for side in missing {
        let [a, b] = [side.a, side.b].map(|p| (p.x.round() as f32, p.y.round() as f32));
        draw_line_segment_mut(&mut barrier, a, b, Luma([255]));
    }
    for piece in horizontal.into_iter().chain(vertical) {
        let reach = piece.direction() * (REACH_MM * ink.px_per_mm).max(1.0);
        let [a, b] = [piece.a - reach, piece.b + reach].map(|p| (p.x.round() as f32, p.y.round() as f32));
        draw_line_segment_mut(&mut barrier, a, b, Luma([255]));
    }
    barrier
}

/// The ink with gaps filled along rows and along columns: the sides of a frame in pale ink are dashes on a black and white copy.
/// Dashes may lie a pixel off each other. What runs across, such as the side of the next frame, is no dash.
fn with_dashes_joined(ink: &Ink) -> GrayImage {
    let [max_gap, max_width] = [MAX_DASH_GAP_MM, MAX_DASH_WIDTH_MM].map(|mm| (mm * ink.px_per_mm).round() as usize);
    let mut closed = ink.mask.clone();
    for is_row in [true, false] {
        let dashes = without_long_runs(&ink.mask, !is_row, max_width.max(2));
        let is_ink = |x: u32, y: u32| dashes.get_pixel_checked(x, y).is_some_and(|v| v[0] > 0);
        let (n_lines, n_along) = if is_row { (ink.mask.height(), ink.mask.width()) } else { ink.mask.dimensions() };
        for line in 0..n_lines {
            let place = |along: u32, line: u32| if is_row { (along, line) } else { (line, along) };
            let is_inked = |along: u32| {
                (line.saturating_sub(1)..=line + 1).map(|line| place(along, line)).any(|(x, y)| is_ink(x, y))
            };
            gaps_between_dashes((0..n_along).map(is_inked), max_gap, |gap| {
                // one of the two dashes is on this very line
                let ends = [gap.start.saturating_sub(1), gap.end];
                if ends.into_iter().map(|along| place(along as u32, line)).any(|(x, y)| is_ink(x, y)) {
                    for (x, y) in gap.map(|along| place(along as u32, line)) {
                        closed.put_pixel(x, y, Luma([255]));
                    }
                }
            });
        }
    }
    closed
}

/// The ink without its runs of more than `max` pixels along rows, or along columns.
fn without_long_runs(mask: &GrayImage, is_row: bool, max: usize) -> GrayImage {
    let mut short = mask.clone();
    let (n_lines, n_along) = if is_row { (mask.height(), mask.width()) } else { mask.dimensions() };
    for line in 0..n_lines {
        let place = |along: usize| if is_row { (along as u32, line) } else { (line, along as u32) };
        let mut run = 0usize;
        for along in 0..=n_along as usize {
            let is_ink = along < n_along as usize && {
                let (x, y) = place(along);
                mask.get_pixel(x, y)[0] > 0
            };
            if is_ink {
                run += 1;
                continue;
            }
            if run > max {
                for (x, y) in (along - run..along).map(place) {
                    short.put_pixel(x, y, Luma([0]));
                }
            }
            run = 0;
        }
    }
    short
}

/// Calls `fill` for each gap between two dashes of a row of pixels.
fn gaps_between_dashes(row: impl Iterator<Item = bool>, max_gap: usize, mut fill: impl FnMut(Range<usize>)) {
    // length of the dash before the gap, and of the gap
    let (mut before, mut gap) = (0usize, 0usize);
    let mut dash = 0usize;
    let is_dashed = |dash: usize, gap: usize| gap > 0 && gap <= max_gap && 2 * gap <= 3 * dash;
    for (i, is_ink) in row.chain([false]).enumerate() {
        if is_ink {
            dash += 1;
            continue;
        }
        if dash > 0 {
            if before > 0 && is_dashed(before.max(dash), gap) {
                fill(i - dash - gap..i - dash);
            }
            (before, gap, dash) = (dash, 0, 0);
        }
        gap += 1;
    }
}

/// The frame around the piece of paper `label` with these bounds (left, top, right, bottom, inclusive). `None` if a side
/// is not straight.
fn cell_of_piece(
    ink: &Ink,
    label: u32,
    [x0, y0, x1, y1]: [u32; 4],
    label_at: &dyn Fn(u32, u32) -> u32,
) -> Option<Cell> {
    let k = ink.px_per_mm;
    let is_own = |x: u32, y: u32| label_at(x, y) == label;
    let side = |sites: Vec<Option<u32>>| Side::new(sites, k);
    let left = side((y0..=y1).map(|y| (x0..=x1).find(|&x| is_own(x, y))).collect())?;
    let right = side((y0..=y1).map(|y| (x0..=x1).rev().find(|&x| is_own(x, y))).collect())?;
    let top = side((x0..=x1).map(|x| (y0..=y1).find(|&y| is_own(x, y))).collect())?;
    let bottom = side((x0..=x1).map(|x| (y0..=y1).rev().find(|&y| is_own(x, y))).collect())?;
    let max_run = (MAX_LINE_MM * k).ceil() as i64 + 1;
    // 0 where there is no line
    let thickness = |side: &Side, start: u32, [dx, dy]: [i64; 2]| {
        let mut runs: Vec<i64> = side
            .straight()
            .map(|(i, at)| {
                let (along, across) = (i64::from(start) + i as i64, i64::from(at));
                let (x, y) = if dx == 0 { (along, across + dy) } else { (across + dx, along) };
                ink.run_length(x, y, [dx, dy], max_run)
            })
            .collect();
        let n_all = runs.len() as f64;
        runs.retain(|run| *run > 0);
        runs.sort_unstable();
        if (runs.len() as f64) < MIN_PRINTED_SHARE * n_all {
            return 0;
        }
        // writing that crosses the side makes a run longer: a low quantile is the line itself
        runs.get(runs.len() * 2 / 5).copied().unwrap_or(1)
    };
    let sides = [
        (thickness(&top, x0, [0, -1]), top.median, -1.0),
        (thickness(&right, y0, [1, 0]), right.median + 1.0, 1.0),
        (thickness(&bottom, x0, [0, 1]), bottom.median + 1.0, 1.0),
        (thickness(&left, y0, [-1, 0]), left.median, -1.0),
    ];
    // sides about as thick as a solid one are solid, too
    let is_solid = sides.iter().any(|(run, _, _)| *run >= max_run);
    let solid_run = if is_solid { (NEARLY_SOLID_SHARE * max_run as f64) as i64 } else { max_run };
    let is_line = sides.map(|(run, _, _)| (1..solid_run).contains(&run));
    let [top, right, bottom, left] =
        sides.map(|(run, edge, outwards)| if run < solid_run { edge + outwards * run as f64 / 2.0 } else { edge });
    if !(left < right && top < bottom) {
        return None;
    }
    let frame = Rect::from_edges(left, top, right, bottom);
    let inside = Rect::from_edges(sides[3].1, sides[0].1, sides[1].1, sides[2].1);
    if inside.width().max(inside.height()) <= SMALL_MM * k {
        // along its sides: what is printed in the middle does not matter, and neither do notches of the lines
        let rim = inside.inflate(-(RIM_SHARE * inside.width().min(inside.height())).max(1.0));
        let on_rim = (y0..=y1).flat_map(|y| (x0..=x1).map(move |x| (x, y))).filter(|(x, y)| {
            let p = Point::new(f64::from(*x) + 0.5, f64::from(*y) + 0.5);
            inside.contains(p) && !rim.contains(p)
        });
        let (n_rim, n_own) = on_rim.fold((0u32, 0u32), |(n, own), (x, y)| (n + 1, own + u32::from(is_own(x, y))));
        let thickest = sides.iter().map(|(run, _, _)| *run).max().unwrap_or(0) as f64;
        let in_corner = (CORNER_SHARE * inside.width().min(inside.height())).ceil() as u32;
        let (columns, rows) = ([x0 + in_corner, x1 - in_corner], [y0 + in_corner, y1 - in_corner]);
        let mut corners = columns.into_iter().flat_map(|x| rows.map(|y| (x, y)));
        let is_square = f64::from(n_own) >= MIN_SQUARE_SHARE * f64::from(n_rim) && corners.all(|(x, y)| is_own(x, y));
        let max_thickness = (MAX_LINE_SHARE * inside.width().min(inside.height())).max(MAX_SMALL_LINE_MM * k).max(2.0);
        if !is_square || thickest > max_thickness {
            return None;
        }
    }
    let ink_mm2 = ink.mm2_within(inside.inflate(-MARGIN_MM * k));
    let [is_isolated, is_apart] = isolation(ink, frame);
    Some(Cell { frame, is_line, ink_mm2, is_isolated, is_apart })
}

impl Cell {
    /// A cell with `frame`, all of whose sides are lines.
    pub fn with_frame(ink: &Ink, frame: Rect) -> Self {
        let ink_mm2 = ink.mm2_within(frame.inflate(-MARGIN_MM * ink.px_per_mm));
        let [is_isolated, is_apart] = isolation(ink, frame);
        Self { frame, is_line: [true; 4], ink_mm2, is_isolated, is_apart }
    }
}

/// Whether the sides of `frame` end at its corners, and it is no letter of a word; and whether there is nothing on either side.
fn isolation(ink: &Ink, frame: Rect) -> [bool; 2] {
    let [near, far] = ENDS_MM.map(|mm| mm * ink.px_per_mm);
    let half = (0.15 * ink.px_per_mm).max(1.0);
    let beyond = |[dx, dy]: [f64; 2], corner: Point| {
        let [a, b] = [(near - half).max(MIN_END_PX), far + half].map(|reach| corner + Point::new(dx, dy) * reach);
        let across = Point::new(dy, dx) * half;
        let place = Rect::around([a - across, b + across]).expect("two points have bounds");
        ink.mm2_within(place) * ink.px_per_mm.powi(2) >= 0.5 * (far - near)
    };
    let [lt, rt, rb, lb] = frame.corners();
    let (up, right, down, left) = ([0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]);
    let n_inked =
        |ends: &[([f64; 2], Point)]| ends.iter().filter(|(towards, corner)| beyond(*towards, *corner)).count();
    let n_above_and_below = n_inked(&[(up, lt), (up, rt), (down, rb), (down, lb)]);
    let [n_left, n_right] = [[(left, lt), (left, lb)], [(right, rt), (right, rb)]].map(|ends| n_inked(&ends));
    let [near, far] = beside_px(ink);
    let strips = [(frame.x0 - far, frame.x0 - near), (frame.x1 + near, frame.x1 + far)];
    let strips = strips.map(|(x0, x1)| Rect::from_edges(x0, frame.y0, x1, frame.y1));
    // a word may begin or end close to its box; a letter has its like on both sides, or a stroke that goes on
    let (is_isolated, is_apart) = match strips.map(|strip| is_clear_strip(ink, strip)) {
        [true, true] => {
            let is_apart = n_above_and_below + n_left + n_right <= MAX_INKED_ENDS;
            (is_apart, is_apart)
        }
        [true, false] => (n_above_and_below + n_left == 0, false),
        [false, true] => (n_above_and_below + n_right == 0, false),
        [false, false] => (false, false),
    };
    [is_isolated, is_apart]
}

/// From where to where beside a frame there is no ink, pixels. A frame's line is up to three pixels wide, and placed to a pixel.
fn beside_px(ink: &Ink) -> [f64; 2] {
    let [near, far] = BESIDE_MM.map(|mm| mm * ink.px_per_mm);
    [near.max(MIN_BESIDE_PX), far.max(MIN_BESIDE_PX + 1.0)]
}

/// Whether there is no ink above and below `frame`.
pub(super) fn is_clear_above_and_below(ink: &Ink, frame: Rect) -> bool {
    let [near, far] = beside_px(ink);
    let strips = [(frame.y0 - far, frame.y0 - near), (frame.y1 + near, frame.y1 + far)];
    let mut strips = strips.into_iter().map(|(y0, y1)| Rect::from_edges(frame.x0, y0, frame.x1, y1));
    strips.all(|strip| is_clear_strip(ink, strip))
}

/// Whether there is no ink on any side of `frame`.
pub(super) fn is_clear_around(ink: &Ink, frame: Rect) -> bool {
    let [near, far] = beside_px(ink);
    let strips = [(frame.x0 - far, frame.x0 - near), (frame.x1 + near, frame.x1 + far)];
    let mut strips = strips.into_iter().map(|(x0, x1)| Rect::from_edges(x0, frame.y0, x1, frame.y1));
    is_clear_above_and_below(ink, frame) && strips.all(|strip| is_clear_strip(ink, strip))
}

fn is_clear_strip(ink: &Ink, strip: Rect) -> bool {
    ink.mm2_within(strip) * ink.px_per_mm.powi(2) < MAX_BESIDE_SHARE * strip.area()
}

/// One side of a frame: where the paper inside ends, pixel by pixel along the side.
struct Side {
    sites: Vec<Option<u32>>,
    median: f64,
    tolerance: f64,
}

impl Side {
    /// `None` if the paper does not end in a straight line.
    fn new(sites: Vec<Option<u32>>, px_per_mm: f64) -> Option<Self> {
        let mut sorted: Vec<u32> = sites.iter().flatten().copied().collect();
        sorted.sort_unstable();
        let median = f64::from(*sorted.get(sorted.len() / 2)?);
        let tolerance = (MAX_DEVIATION_MM * px_per_mm).max(1.0) + MAX_SLOPE * sites.len() as f64;
        let side = Self { sites, median, tolerance };
        let is_straight = side.straight().count() as f64 >= STRAIGHT_SHARE * side.sites.len() as f64;
        is_straight.then_some(side)
    }

    /// The sites on the line: index along the side, and where the paper ends.
    fn straight(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let on_line = |at: u32| (f64::from(at) - self.median).abs() <= self.tolerance;
        self.sites.iter().enumerate().filter_map(|(i, site)| site.map(|at| (i, at))).filter(move |(_, at)| on_line(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sheet::Sheet, *};
    use formread_raster::geometry::Projection;

    fn sheet(pixels: GrayImage, px_per_mm: f64) -> Sheet {
        Sheet { pixels, px_per_mm, page_from_sheet: Projection::IDENTITY }
    }

    /// Frames of lines 3 px thick at 10 px/mm; one has a gap in a side, one a corner that does not close.
    #[test]
    fn broken_frames_are_found_where_they_were_drawn() {
        let frames = [
            Rect::from_xywh(100.5, 100.5, 60.0, 80.0),
            Rect::from_xywh(160.5, 100.5, 60.0, 80.0),
            Rect::from_xywh(300.5, 110.5, 20.0, 20.0),
            Rect::from_xywh(400.5, 100.5, 300.0, 70.0),
        ];
        let pixels = GrayImage::from_fn(800, 300, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let on = |r: &Rect| r.inflate(1.5).contains(p) && !r.inflate(-1.5).contains(p);
            let is_gap = (500..505).contains(&x) && y < 110 || (398..403).contains(&x) && (95..104).contains(&y);
            Luma([if frames.iter().any(on) && !is_gap { 40 } else { 245 }])
        });
        let ink = Ink::new(&sheet(pixels, 10.0));
        let cells = enclosed_cells(&ink);
        assert_eq!(cells.len(), frames.len(), "{cells:?}");
        for frame in frames {
            let near = |cell: &&Cell| (cell.frame.centre() - frame.centre()).norm() < 3.0;
            let cell = cells.iter().find(near).unwrap_or_else(|| panic!("{frame:?} is not in {cells:?}"));
            for (p, q) in cell.frame.corners().into_iter().zip(frame.corners()) {
                assert!((p - q).norm() <= 1.0, "{cell:?} is not {frame:?}");
            }
            assert_eq!((cell.is_line, cell.ink_mm2), ([true; 4], 0.0));
        }
    }

    /// A tick box whose sides are dashes, beside a word, at 8 px/mm; a frame close to it stays apart.
    #[test]
    fn broken_tick_box_beside_a_word_is_isolated() {
        let tick = Rect::from_xywh(100.0, 100.0, 32.0, 32.0);
        let table = Rect::from_xywh(60.0, 88.0, 200.0, 56.0);
        let letters = [140, 146, 152, 158].map(|x| Rect::from_xywh(f64::from(x), 104.0, 2.0, 24.0));
        let on = |r: &Rect, p: Point, half: f64| r.inflate(half).contains(p) && !r.inflate(-half).contains(p);
        let pixels = GrayImage::from_fn(300, 240, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            // the corners are whole
            let is_dash = (x + y + 2) % 8 < 5;
            let is_ink = on(&tick, p, 1.0) && is_dash || on(&table, p, 1.0) || letters.iter().any(|r| r.contains(p));
            Luma([if is_ink { 30 } else { 250 }])
        });
        let cells = enclosed_cells(&Ink::new(&sheet(pixels, 8.0)));
        let found: Vec<&Cell> =
            cells.iter().filter(|cell| (cell.frame.centre() - tick.centre()).norm() < 2.0).collect();
        assert!(matches!(found[..], [cell] if cell.is_isolated && cell.is_line == [true; 4]), "{cells:?}");
        assert!((found[0].frame.width() - 32.0).abs() <= 2.0, "{found:?}");
    }

    #[test]
    fn white_box_in_a_pale_grey_area_has_no_lines() {
        let (area, hole) = (Rect::from_xywh(60.0, 60.0, 1080.0, 500.0), Rect::from_xywh(200.0, 130.0, 360.0, 100.0));
        let pixels = GrayImage::from_fn(1200, 640, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            Luma([if area.contains(p) && !hole.contains(p) { 185 } else { 250 }])
        });
        let sheet = sheet(pixels, 11.4);
        for ink in [Ink::new(&sheet), Ink::faint(&sheet)] {
            let cells = enclosed_cells(&ink);
            let found = cells.iter().find(|cell| (cell.frame.centre() - hole.centre()).norm() < 3.0);
            assert_eq!(found.map(|cell| cell.is_line), Some([false; 4]), "{cells:?}");
        }
    }

    #[test]
    fn frame_about_as_thick_as_a_solid_area_has_no_line_on_any_side() {
        let hole = Rect::from_xywh(200.0, 130.0, 360.0, 100.0);
        // 1.5 mm, and 1.3 on the left
        let outer = Rect::from_edges(hole.x0 - 15.0, hole.y0 - 18.0, hole.x1 + 18.0, hole.y1 + 18.0);
        let pixels = GrayImage::from_fn(900, 400, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            Luma([if outer.contains(p) && !hole.contains(p) { 120 } else { 250 }])
        });
        let cells = enclosed_cells(&Ink::new(&sheet(pixels, 11.8)));
        let found = cells.iter().find(|cell| (cell.frame.centre() - hole.centre()).norm() < 3.0);
        assert_eq!(found.map(|cell| cell.is_line), Some([false; 4]), "{cells:?}");
    }

    #[test]
    fn ring_and_open_frame_are_no_cells_and_bar_is_no_line() {
        let pixels = GrayImage::from_fn(800, 200, |x, y| {
            let ring = (f64::from(x) - 100.0).hypot(f64::from(y) - 100.0);
            let cell = Rect::from_xywh(500.0, 60.0, 80.0, 60.0);
            let open = Rect::from_xywh(250.0, 60.0, 80.0, 60.0);
            let p = Point::new(f64::from(x), f64::from(y));
            let on = |r: &Rect| r.inflate(1.5).contains(p) && !r.inflate(-1.5).contains(p);
            let is_bar = (400..500).contains(&x) && (59..122).contains(&y);
            let is_ink = (38.0..42.0).contains(&ring) || on(&cell) || on(&open) && y > 70 || is_bar;
            Luma([if is_ink { 20 } else { 240 }])
        });
        let ink = Ink::new(&sheet(pixels, 10.0));
        let cells = enclosed_cells(&ink);
        assert_eq!(cells.len(), 1, "{cells:?}");
        assert_eq!(cells[0].is_line, [true, true, true, false]);
    }
}
