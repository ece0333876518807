//! Frames that lines enclose: what they hold is a connected piece of paper with four straight sides.

use image::{GrayImage, Luma, imageops};
use imageproc::{
    definitions::Image,
    drawing::draw_line_segment_mut,
    integral_image::{integral_image, sum_image_pixels},
    region_labelling::{Connectivity, connected_components},
};

use super::{sheet::Sheet, siblings::faint_siblings};
use formread_raster::{
    GreyHistogram, Labels, LineParams, LinePieces, SauvolaParams, find_line_pieces,
    geometry::{Point, Rect},
    label_components, sauvola,
};

/// Half the window in which ink is told from paper, millimetres: wide enough to hold paper beside a wide stroke.
const WINDOW_MM: f64 = 3.5;
/// How much darker than its surroundings ink is on clean paper, as Sauvola has it: the hairline of a tick box is ink, a
/// watermark is not.
const MIN_SAUVOLA_K: f64 = 0.1;
/// On grained paper, deviations of the grain.
const GRAIN_DEVIATIONS: f64 = 5.0;
/// But never more than this: beyond it faint print is lost.
const MAX_SAUVOLA_K: f64 = 0.25;
/// Faint ink has this share of that contrast.
const FAINT_SHARE: f64 = 0.4;
/// Ink that is smaller than this both ways is dust, millimetres.
const SPECK_MM: f64 = 0.45;
/// Thickest printed line, millimetres; what is thicker is a solid area.
const MAX_LINE_MM: f64 = 1.3;
/// Shortest straight piece that can be the side of a frame, millimetres, and in pixels where these are coarse.
const MIN_PIECE_MM: f64 = 1.0;
const MIN_PIECE_PX: f64 = 7.0;
/// How far each straight piece is drawn out past its ends, millimetres: lines break, and miss each other at corners.
const REACH_MM: f64 = 0.4;
/// How far a run's middle may lie off its straight piece, pixels.
const DEVIATION_PX: f64 = 1.2;
/// Least side of a frame, millimetres: the smallest tick box.
const MIN_SIDE_MM: f64 = 1.3;
/// Share of a frame's side along which the paper inside ends in a straight line.
const STRAIGHT_SHARE: f64 = 0.85;
/// How far it may deviate from that, millimetres, and as a share of the side: paper bends.
const STRAIGHT_MM: f64 = 0.25;
const SLOPE: f64 = 0.006;
/// Share of a small frame's inside, of this longer side in millimetres, that is one piece of paper: the inside of a
/// letter has round corners.
const SQUARE_SHARE: f64 = 0.92;
const SMALL_MM: f64 = 6.5;
/// A small frame's lines are thinner than this share of its inside: a letter's strokes are thicker.
pub(super) const THICK_SHARE: f64 = 0.22;
/// A frame stands free where no more than so many of the eight places at which its sides would go on are inked. They lie
/// from so far to so far past its corners, millimetres.
const MAX_INKED_ENDS: usize = 2;
const ENDS_MM: [f64; 2] = [0.45, 0.85];
/// Nor is another letter beside it: in a strip from so far to so far left and right of it, millimetres, less than this
/// share is ink.
const BESIDE_MM: [f64; 2] = [0.35, 0.8];
const BESIDE_SHARE: f64 = 0.1;
/// What lies this near to a frame's side is the side's, millimetres.
const MARGIN_MM: f64 = 0.35;

/// The ink of a sheet.
#[derive(Debug, Clone)]
pub(super) struct Ink {
    /// [H, W] u8, 255 ink, 0 paper.
    pub mask: GrayImage,
    /// How many pixels above and left of each are ink, but for specks: [H + 1, W + 1].
    sums: Image<Luma<u32>>,
    pub px_per_mm: f64,
}

/// A frame: a rectangle with four sides that no line parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell {
    /// Middles of its lines, pixels of the sheet; where a side is the edge of a solid area, that edge.
    pub frame: Rect,
    /// Whether its top, right, bottom and left side is a line, in this order: not the edge of a solid area.
    pub is_line: [bool; 4],
    /// Ink inside, square millimetres.
    pub ink_mm2: f64,
    /// Whether it stands for itself: its sides do not go on past its corners, and it is no letter of a word.
    pub is_free: bool,
}

impl Ink {
    /// The ink of `sheet`.
    pub fn of(sheet: &Sheet) -> Self {
        Self::of_mask(binarised(&sheet.pixels, sheet.px_per_mm, 1.0), sheet.px_per_mm)
    }

    /// With what is so faint that it is ink only where ink is expected.
    pub fn faint(sheet: &Sheet) -> Self {
        Self::of_mask(binarised(&sheet.pixels, sheet.px_per_mm, FAINT_SHARE), sheet.px_per_mm)
    }

    fn of_mask(mask: GrayImage, px_per_mm: f64) -> Self {
        let labels = label_components(&mask);
        let bounds = bounds_of(&labels);
        let is_speck = |[x0, y0, x1, y1]: [u32; 4]| f64::from((x1 - x0).max(y1 - y0) + 1) < SPECK_MM * px_per_mm;
        let counts: Vec<bool> =
            bounds.into_iter().map(|bounds| bounds.is_some_and(|bounds| !is_speck(bounds))).collect();
        let counted = labels.pixels().map(|label| u8::from(label[0] > 0 && counts[label[0] as usize])).collect();
        let counted = GrayImage::from_raw(mask.width(), mask.height(), counted).expect("a label for each pixel");
        let sums = integral_image(&counted);
        Self { mask, sums, px_per_mm }
    }

    /// Ink within `r`, square millimetres, but for specks.
    pub fn mm2_within(&self, r: Rect) -> f64 {
        let clip = |v: f64, side: u32| v.round().clamp(0.0, f64::from(side)) as u32;
        let (width, height) = self.mask.dimensions();
        let ([x0, x1], [y0, y1]) = ([r.x0, r.x1].map(|v| clip(v, width)), [r.y0, r.y1].map(|v| clip(v, height)));
        if x0 >= x1 || y0 >= y1 {
            return 0.0;
        }
        let [n] = sum_image_pixels(&self.sums, x0, y0, x1 - 1, y1 - 1);
        f64::from(n) / self.px_per_mm.powi(2)
    }

    /// Number of ink pixels in a row from `(x, y)` on, going by `(dx, dy)`, at most `most`.
    fn run(&self, x: i64, y: i64, [dx, dy]: [i64; 2], most: i64) -> i64 {
        let is_ink = |i: &i64| {
            let at = u32::try_from(x + i * dx).ok().zip(u32::try_from(y + i * dy).ok());
            at.and_then(|(x, y)| self.mask.get_pixel_checked(x, y)).is_some_and(|p| p[0] > 0)
        };
        (0..most).take_while(is_ink).count() as i64
    }
}

/// 255 where a picture, 0 black .. 255 white, is ink of `share` of the usual contrast, or more; else 0.
pub(super) fn binarised(pixels: &GrayImage, px_per_mm: f64, share: f64) -> GrayImage {
    let radius_px = (WINDOW_MM * px_per_mm).ceil() as u32;
    let k = (GRAIN_DEVIATIONS * grain(pixels) / 255.0).clamp(MIN_SAUVOLA_K, MAX_SAUVOLA_K) * share;
    sauvola(pixels, SauvolaParams { radius_px, k })
}

/// Left, top, right and bottom, all within, of each component; `None` of 0 and of numbers that no pixel has.
fn bounds_of(labels: &Labels) -> Vec<Option<[u32; 4]>> {
    let n_labels = labels.pixels().map(|p| p[0]).max().unwrap_or(0) as usize;
    let mut bounds: Vec<Option<[u32; 4]>> = vec![None; n_labels + 1];
    for (x, y, label) in labels.enumerate_pixels().filter(|p| p.2[0] > 0) {
        let around = &mut bounds[label[0] as usize];
        *around = Some(around.map_or([x, y, x, y], |[x0, y0, x1, y1]| [x0.min(x), y0.min(y), x1.max(x), y1.max(y)]));
    }
    bounds
}

/// Deviation of the paper's grain, grey levels: of the differences between neighbouring pixels, by their median.
fn grain(pixels: &GrayImage) -> f64 {
    let rows = pixels.as_raw().chunks_exact(pixels.width().max(1) as usize).step_by(3);
    let differences = GreyHistogram::of(rows.flat_map(|row| row.windows(2).map(|two| two[0].abs_diff(two[1]))));
    // 1.4826: of a median of absolute values to a deviation; the difference of two has the root of two times that of one
    f64::from(differences.quantile(0.5)) * 1.4826 / std::f64::consts::SQRT_2
}

/// The frames on a sheet, in no order. Small ones that are faint are found by the others of their size.
pub(super) fn find_cells(ink: &Ink, faint: &Ink) -> Vec<Cell> {
    let mut cells = enclosed(ink);
    let faint = faint_siblings(&cells, faint);
    cells.extend(faint);
    cells
}

/// The frames that `ink` encloses.
pub(super) fn enclosed(ink: &Ink) -> Vec<Cell> {
    let k = ink.px_per_mm;
    if ink.mask.len() < 2 {
        // imageproc has no room for the label of a picture's only pixel.
        return Vec::new();
    }
    let mut paper = mended(ink);
    imageops::invert(&mut paper);
    let labels = connected_components(&paper, Connectivity::Four, Luma([0]));
    let bounds = bounds_of(&labels);
    let least_px = MIN_SIDE_MM * k;
    let is_large = |[x0, y0, x1, y1]: &[u32; 4]| {
        let (width, height) = (f64::from(x1 - x0 + 1), f64::from(y1 - y0 + 1));
        let is_page = width > 0.98 * f64::from(paper.width()) || height > 0.98 * f64::from(paper.height());
        width >= least_px && height >= least_px && !is_page
    };
    let piece = |(label, bounds): (usize, &Option<[u32; 4]>)| {
        bounds.filter(is_large).and_then(|bounds| cell(ink, label as u32, bounds, &|x, y| labels.get_pixel(x, y)[0]))
    };
    bounds.iter().enumerate().filter_map(piece).collect()
}

/// Straight pieces of lines, pixel centres.
pub(super) fn pieces(ink: &Ink) -> LinePieces {
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

/// The ink with short breaks in its lines and at the corners of its frames closed.
fn mended(ink: &Ink) -> GrayImage {
    let LinePieces { horizontal, vertical } = pieces(ink);
    let mut barrier = ink.mask.clone();
    for piece in horizontal.into_iter().chain(vertical) {
        let reach = piece.direction() * (REACH_MM * ink.px_per_mm).max(1.0);
        let [a, b] = [piece.a - reach, piece.b + reach].map(|p| (p.x.round() as f32, p.y.round() as f32));
        draw_line_segment_mut(&mut barrier, a, b, Luma([255]));
    }
    barrier
}

/// The frame of the piece of paper `label` with these bounds (left, top, right, bottom, the last ones within), if its
/// sides are straight.
fn cell(ink: &Ink, label: u32, [x0, y0, x1, y1]: [u32; 4], label_at: &dyn Fn(u32, u32) -> u32) -> Option<Cell> {
    let k = ink.px_per_mm;
    let is_own = |x: u32, y: u32| label_at(x, y) == label;
    let side = |sites: Vec<Option<u32>>| Side::through(sites, k);
    let left = side((y0..=y1).map(|y| (x0..=x1).find(|&x| is_own(x, y))).collect())?;
    let right = side((y0..=y1).map(|y| (x0..=x1).rev().find(|&x| is_own(x, y))).collect())?;
    let top = side((x0..=x1).map(|x| (y0..=y1).find(|&y| is_own(x, y))).collect())?;
    let bottom = side((x0..=x1).map(|x| (y0..=y1).rev().find(|&y| is_own(x, y))).collect())?;
    let most = (MAX_LINE_MM * k).ceil() as i64 + 1;
    let thickness = |side: &Side, start: u32, [dx, dy]: [i64; 2]| {
        let mut runs: Vec<i64> = side
            .straight()
            .map(|(i, at)| {
                let (along, across) = (i64::from(start) + i as i64, i64::from(at));
                let (x, y) = if dx == 0 { (along, across + dy) } else { (across + dx, along) };
                ink.run(x, y, [dx, dy], most)
            })
            .filter(|run| *run > 0)
            .collect();
        runs.sort_unstable();
        // where writing crosses a side it is longer: a low quantile is the line's own
        runs.get(runs.len() * 2 / 5).copied().unwrap_or(1)
    };
    let sides = [
        (thickness(&top, x0, [0, -1]), top.median, -1.0),
        (thickness(&right, y0, [1, 0]), right.median + 1.0, 1.0),
        (thickness(&bottom, x0, [0, 1]), bottom.median + 1.0, 1.0),
        (thickness(&left, y0, [-1, 0]), left.median, -1.0),
    ];
    let is_line = sides.map(|(run, _, _)| run < most);
    let [top, right, bottom, left] =
        sides.map(|(run, edge, outwards)| if run < most { edge + outwards * run as f64 / 2.0 } else { edge });
    if !(left < right && top < bottom) {
        return None;
    }
    let frame = Rect::from_edges(left, top, right, bottom);
    let inside = Rect::from_edges(sides[3].1, sides[0].1, sides[1].1, sides[2].1);
    if inside.width().max(inside.height()) <= SMALL_MM * k {
        let n_own = (y0..=y1).flat_map(|y| (x0..=x1).map(move |x| (x, y))).filter(|(x, y)| is_own(*x, *y)).count();
        let thickest = sides.iter().map(|(run, _, _)| *run).max().unwrap_or(0) as f64;
        let is_square = n_own as f64 >= SQUARE_SHARE * inside.area();
        if !is_square || thickest > (THICK_SHARE * inside.width().min(inside.height())).max(2.0) {
            return None;
        }
    }
    let ink_mm2 = ink.mm2_within(inside.inflate(-MARGIN_MM * k));
    Some(Cell { frame, is_line, ink_mm2, is_free: stands_free(ink, frame) })
}

impl Cell {
    /// A frame of lines that is known to be there.
    pub fn around(ink: &Ink, frame: Rect) -> Self {
        let ink_mm2 = ink.mm2_within(frame.inflate(-MARGIN_MM * ink.px_per_mm));
        Self { frame, is_line: [true; 4], ink_mm2, is_free: stands_free(ink, frame) }
    }
}

/// Whether the sides of `frame` end at its corners, and no letter stands close.
fn stands_free(ink: &Ink, frame: Rect) -> bool {
    let [near, far] = ENDS_MM.map(|mm| mm * ink.px_per_mm);
    let half = (0.15 * ink.px_per_mm).max(1.0);
    let beyond = |[dx, dy]: [f64; 2], corner: Point| {
        let [a, b] = [near, far].map(|reach| corner + Point::new(dx * reach, dy * reach));
        let place = Rect::around([a, b]).expect("two points have bounds");
        let place = Rect::from_edges(place.x0 - half, place.y0 - half, place.x1 + half, place.y1 + half);
        ink.mm2_within(place) * ink.px_per_mm.powi(2) >= 0.5 * (far - near)
    };
    let [lt, rt, rb, lb] = frame.corners();
    let (up, right, down, left) = ([0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]);
    let ends = [(up, lt), (left, lt), (up, rt), (right, rt), (down, rb), (right, rb), (down, lb), (left, lb)];
    let n_inked = ends.into_iter().filter(|(towards, corner)| beyond(*towards, *corner)).count();
    let [near, far] = BESIDE_MM.map(|mm| mm * ink.px_per_mm);
    let strips = [(frame.x0 - far, frame.x0 - near), (frame.x1 + near, frame.x1 + far)];
    let mut strips = strips.into_iter().map(|(x0, x1)| Rect::from_edges(x0, frame.y0, x1, frame.y1));
    let is_clear = |strip: Rect| ink.mm2_within(strip) * ink.px_per_mm.powi(2) < BESIDE_SHARE * strip.area();
    n_inked <= MAX_INKED_ENDS && strips.all(is_clear)
}

/// Where the paper inside a frame ends, site by site along one of its sides.
struct Side {
    sites: Vec<Option<u32>>,
    median: f64,
    tolerance: f64,
}

impl Side {
    /// `None` where the paper does not end in a straight line.
    fn through(sites: Vec<Option<u32>>, px_per_mm: f64) -> Option<Self> {
        let mut sorted: Vec<u32> = sites.iter().flatten().copied().collect();
        sorted.sort_unstable();
        let median = f64::from(*sorted.get(sorted.len() / 2)?);
        let tolerance = (STRAIGHT_MM * px_per_mm).max(1.0) + SLOPE * sites.len() as f64;
        let side = Self { sites, median, tolerance };
        let is_straight = side.straight().count() as f64 >= STRAIGHT_SHARE * side.sites.len() as f64;
        is_straight.then_some(side)
    }

    /// Sites that lie on the line, each with its place along the side.
    fn straight(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        let on_line = |at: u32| (f64::from(at) - self.median).abs() <= self.tolerance;
        self.sites.iter().enumerate().filter_map(|(i, site)| site.map(|at| (i, at))).filter(move |(_, at)| on_line(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_raster::geometry::Projection;

    fn sheet(pixels: GrayImage, px_per_mm: f64) -> Sheet {
        Sheet { pixels, px_per_mm, page_from_sheet: Projection::IDENTITY }
    }

    /// Frames of lines 3 px thick at 10 px/mm; one has a gap in a side, one a corner that does not close.
    #[test]
    fn frames_are_found_where_they_were_drawn_though_they_are_broken() {
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
        let ink = Ink::of(&sheet(pixels, 10.0));
        let cells = find_cells(&ink, &ink);
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

    #[test]
    fn a_ring_and_an_open_frame_are_none_and_a_bar_is_no_line() {
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
        let ink = Ink::of(&sheet(pixels, 10.0));
        let cells = find_cells(&ink, &ink);
        assert_eq!(cells.len(), 1, "{cells:?}");
        assert_eq!(cells[0].is_line, [true, true, true, false]);
    }
}
