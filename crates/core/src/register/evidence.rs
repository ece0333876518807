//! The lines and the ink of a page, measured once for all templates.

use image::{GrayImage, Luma, imageops};
use imageproc::definitions::Image;

use super::{bands::Bands, params::EvidenceParams};
use formread_page::Page;
use formread_raster::{
    LineParams, LinePieces, SauvolaParams, find_line_pieces,
    geometry::{Point, Projection, Rect, Segment},
    ink_share, join_pieces, rectify, reduce, sauvola,
};

/// Lines and ink of a page, as it is or after a turn ([`PageEvidence::measure_turned`]).
#[derive(Debug, Clone)]
pub struct PageEvidence {
    /// Lines in pixels of the page, or of the turned page; pixel i covers i to i + 1, here and everywhere in registration.
    pub lines: PageLines,
    /// The straight pieces by where they lie: those that run sideways, those that run up and down.
    pub bands: [Bands; 2],
    /// 255 ink, 0 paper; `factor` times smaller than the page.
    mask: GrayImage,
    /// Ink above and left of each pixel of the mask.
    sums: Image<Luma<u32>>,
    factor: u32,
    width: f64,
    height: f64,
    /// `None` where the page was measured as it is.
    turn: Option<Turn>,
}

/// How a page lies that was turned before it was measured.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// By how much, clockwise.
    radians: f64,
    /// Pixels of the turned page to those of the page.
    page_from_turned: Projection,
    /// The page as it is, pixels.
    page: Rect,
}

/// Ink between two rows of a mask.
pub(super) struct InkOfRows<'a> {
    /// Ink left of each column, in all rows above the first one.
    above: &'a [u32],
    /// The same above the second one.
    upto: &'a [u32],
}

impl InkOfRows<'_> {
    /// The sum of the mask between two columns, the second one left out.
    #[inline]
    pub fn sum(&self, [x0, x1]: [u32; 2]) -> i64 {
        if x0 >= x1 {
            return 0;
        }
        let (x0, x1) = (x0 as usize, x1 as usize);
        i64::from(self.upto[x1] + self.above[x0] - self.upto[x0] - self.above[x1])
    }
}

/// The lines of a page, as they were found and with their gaps closed.
#[derive(Debug, Clone, Default)]
pub struct PageLines {
    /// Straight pieces, exact where they lie.
    pub pieces: LinePieces,
    /// Pieces joined over gaps: from end to end where nothing hides an end.
    pub whole: LinePieces,
}

impl PageEvidence {
    /// Measures `page`.
    pub fn measure(page: &Page, params: &EvidenceParams) -> Self {
        let size = [page.pixels.width(), page.pixels.height()].map(f64::from);
        let (reduced, factor) = reduced(page, params);
        Self::of_picture(&reduced, factor, size, longer_side(&reduced), params)
    }

    /// Measures `page` after a turn by `radians`, clockwise, on a sheet that has room for all of it. Slanted thin lines are
    /// stairs of pixels: the corners of boxes join them to their neighbours, and short ones are lost.
    pub fn measure_turned(page: &Page, radians: f64, params: &EvidenceParams) -> Self {
        let (reduced, factor) = reduced(page, params);
        let bounds = Rect::from_edges(0.0, 0.0, f64::from(reduced.width()), f64::from(reduced.height()));
        let rotation = Projection::rotation(radians);
        let area = Rect::around(rotation.apply_rect(bounds)).unwrap_or(bounds);
        let reduced_from_turned = Projection::rotation(-radians).compose(&Projection::translation(area.x0, area.y0));
        let sheet = Rect::from_xywh(0.0, 0.0, area.width(), area.height());
        let turned = rectify(&reduced, &reduced_from_turned, sheet, 1.0);
        let scale = f64::from(factor);
        let page_from_turned = Projection::scaling(scale, scale)
            .compose(&reduced_from_turned)
            .compose(&Projection::scaling(1.0 / scale, 1.0 / scale));
        let size = [turned.width(), turned.height()].map(|side| f64::from(side) * scale);
        let page = Rect::from_edges(0.0, 0.0, f64::from(page.pixels.width()), f64::from(page.pixels.height()));
        let measured = Self::of_picture(&turned, factor, size, longer_side(&reduced), params);
        Self { turn: Some(Turn { radians, page_from_turned, page }), ..measured }
    }

    /// Measures a picture that was reduced by `factor` from `size`, its width and height. The lengths in `params` are shares
    /// of `side`, pixels of the picture.
    fn of_picture(
        picture: &GrayImage,
        factor: u32,
        [width, height]: [f64; 2],
        side: f64,
        params: &EvidenceParams,
    ) -> Self {
        let radius_px = (side * params.window_share).ceil() as u32;
        let mask = sauvola(picture, SauvolaParams { radius_px, k: params.sauvola_k });
        let pieces = find_line_pieces(
            &mask,
            LineParams {
                max_thickness_px: (side * params.max_thickness_share).ceil() as u32,
                min_length_px: side * params.min_length_share,
                max_deviation_px: params.max_deviation_px,
            },
        );
        let scale = f64::from(factor);
        let page_from_reduced = |p: Point| Point::new((p.x + 0.5) * scale, (p.y + 0.5) * scale);
        let enlarged = |lines: Vec<Segment>| -> Vec<Segment> {
            lines.into_iter().map(|s| Segment::new(page_from_reduced(s.a), page_from_reduced(s.b))).collect()
        };
        let pieces = LinePieces { horizontal: enlarged(pieces.horizontal), vertical: enlarged(pieces.vertical) };
        Self::of_pieces(pieces, mask, factor, [width, height], params)
    }

    fn of_pieces(
        pieces: LinePieces,
        mask: GrayImage,
        factor: u32,
        [width, height]: [f64; 2],
        params: &EvidenceParams,
    ) -> Self {
        let lines = PageLines::new(pieces, width.max(height), f64::from(factor), params);
        let bands = [Bands::new(&lines.pieces.horizontal, true), Bands::new(&lines.pieces.vertical, false)];
        let sums = integral(&mask);
        Self { lines, bands, mask, sums, factor, width, height, turn: None }
    }

    /// What is left of it without the lines and the ink where `is_taken`.
    pub(super) fn without(&self, is_taken: impl Fn(Point) -> bool, params: &EvidenceParams) -> Self {
        let left = |pieces: &[Segment]| pieces.iter().filter(|piece| !is_taken(piece.middle())).copied().collect();
        let PageLines { pieces, .. } = &self.lines;
        let pieces = LinePieces { horizontal: left(&pieces.horizontal), vertical: left(&pieces.vertical) };
        let scale = f64::from(self.factor);
        let mut mask = self.mask.clone();
        for (x, y, ink) in mask.enumerate_pixels_mut() {
            if ink[0] > 0 && is_taken(Point::new((f64::from(x) + 0.5) * scale, (f64::from(y) + 0.5) * scale)) {
                ink[0] = 0;
            }
        }
        let left = Self::of_pieces(pieces, mask, self.factor, [self.width, self.height], params);
        Self { turn: self.turn, ..left }
    }

    /// The evidence of the page's mirror image, left for right. It is not on the page: its maps are those of the mirror image.
    pub(super) fn mirrored(&self, params: &EvidenceParams) -> Self {
        let mirror = |p: Point| Point::new(self.width - p.x, p.y);
        let PageLines { pieces, .. } = &self.lines;
        let horizontal = pieces.horizontal.iter().map(|s| Segment::new(mirror(s.b), mirror(s.a))).collect();
        let vertical = pieces.vertical.iter().map(|s| Segment::new(mirror(s.a), mirror(s.b))).collect();
        let mask = imageops::flip_horizontal(&self.mask);
        Self::of_pieces(LinePieces { horizontal, vertical }, mask, self.factor, [self.width, self.height], params)
    }

    /// Pixels of the page from those of this evidence; `None` where they are the same.
    pub(super) fn page_from_turned(&self) -> Option<&Projection> {
        self.turn.as_ref().map(|turn| &turn.page_from_turned)
    }

    /// By how much the page was turned before it was measured, radians clockwise.
    pub(super) fn turn_radians(&self) -> f64 {
        self.turn.as_ref().map_or(0.0, |turn| turn.radians)
    }

    /// Whether `p` is on the page.
    pub(super) fn is_on_page(&self, p: Point) -> bool {
        self.page_bounds().contains(p)
            && self.turn.as_ref().is_none_or(|turn| turn.page.contains(turn.page_from_turned.apply(p)))
    }

    /// The page from corner to corner, pixels; of a turned page, the sheet around it.
    pub fn page_bounds(&self) -> Rect {
        Rect::from_edges(0.0, 0.0, self.width, self.height)
    }

    /// The ink (255) as it was measured, and how many page pixels one of its pixels spans.
    pub fn mask(&self) -> (&GrayImage, f64) {
        (&self.mask, f64::from(self.factor))
    }

    /// Share of the page that is ink, 0 to 1.
    pub fn ink_share(&self) -> f64 {
        ink_share(&self.mask)
    }

    /// Share of ink within a rectangle of the page, 0 to 1; `None` where it is not wholly on the page.
    pub fn ink_share_within(&self, bounds: Rect) -> Option<f64> {
        let scale = f64::from(self.factor);
        if bounds.x0 < 0.0 || bounds.y0 < 0.0 || bounds.x1 >= self.width || bounds.y1 >= self.height {
            return None;
        }
        if self.turn.is_some() && !bounds.corners().into_iter().all(|corner| self.is_on_page(corner)) {
            return None;
        }
        let x1 = ((bounds.x1 / scale) as u32).min(self.mask.width().checked_sub(1)?);
        let y1 = ((bounds.y1 / scale) as u32).min(self.mask.height().checked_sub(1)?);
        let (x0, y0) = (((bounds.x0 / scale) as u32).min(x1), ((bounds.y0 / scale) as u32).min(y1));
        let sum = self.sum_within([x0, x1 + 1], [y0, y1 + 1]);
        Some(f64::from(sum) / 255.0 / f64::from(x1 + 1 - x0) / f64::from(y1 + 1 - y0))
    }

    /// The column of the mask that begins nearest to `x`, pixels of the page.
    pub(super) fn mask_column(&self, x: f64) -> u32 {
        clip(x / f64::from(self.factor), self.mask.width())
    }

    /// The row of the mask that begins nearest to `y`, pixels of the page.
    pub(super) fn mask_row(&self, y: f64) -> u32 {
        clip(y / f64::from(self.factor), self.mask.height())
    }

    /// Ink between two rows of the mask, the second one left out.
    pub(super) fn ink_between_rows(&self, [y0, y1]: [u32; 2]) -> InkOfRows<'_> {
        let width = self.sums.width() as usize;
        let upto = |y: u32| &self.sums.as_raw()[y as usize * width..][..width];
        InkOfRows { above: upto(y0), upto: upto(y1.max(y0)) }
    }

    /// A sum of the mask as ink, pixels of the page.
    pub(super) fn ink_px(&self, sum: i64) -> f64 {
        let scale = f64::from(self.factor);
        sum as f64 / 255.0 * scale * scale
    }

    /// The sum of the mask between two columns and two rows, the second ones left out.
    fn sum_within(&self, [x0, x1]: [u32; 2], [y0, y1]: [u32; 2]) -> u32 {
        let width = self.sums.width() as usize;
        let upto = |x: u32, y: u32| self.sums.as_raw()[y as usize * width + x as usize];
        upto(x1, y1) + upto(x0, y0) - upto(x0, y1) - upto(x1, y0)
    }

    /// The lines as they lie after `level_from_page`, with the bounds of the page there. `None` where part of the page
    /// would lie at infinity.
    pub(super) fn warped(&self, level_from_page: &Projection, params: &EvidenceParams) -> Option<(PageLines, Rect)> {
        let corners = level_from_page.apply_rect(self.page_bounds());
        let bounds = Rect::around(corners)?;
        let side = self.width.max(self.height);
        let growth = bounds.width().max(bounds.height()) / side;
        if growth.is_nan() || growth >= params.max_growth {
            return None;
        }
        let mut moved = LinePieces::default();
        for &piece in self.lines.pieces.horizontal.iter().chain(&self.lines.pieces.vertical) {
            let piece = level_from_page.apply_segment(piece);
            let family = if piece.is_horizontal() { &mut moved.horizontal } else { &mut moved.vertical };
            let in_order = if piece.is_horizontal() { piece.a.x <= piece.b.x } else { piece.a.y <= piece.b.y };
            family.push(if in_order { piece } else { Segment::new(piece.b, piece.a) });
        }
        Some((PageLines::new(moved, side, f64::from(self.factor), params), bounds))
    }
}

impl PageLines {
    /// `side_px` is the page's longer side; `scale` is the number of page pixels that one pixel of the measured picture spans.
    fn new(pieces: LinePieces, side_px: f64, scale: f64, params: &EvidenceParams) -> Self {
        let (gap_px, offset_px) = (side_px * params.max_gap_share, 2.0 * scale);
        let whole = LinePieces {
            horizontal: join_pieces(&pieces.horizontal, gap_px, offset_px),
            vertical: join_pieces(&pieces.vertical, gap_px, offset_px),
        };
        Self { pieces, whole }
    }
}

/// The sum of all pixels above and left of each pixel of `mask`, and of each corner at its lower and right edge.
fn integral(mask: &GrayImage) -> Image<Luma<u32>> {
    let width = mask.width() as usize;
    let mut sums = Image::new(mask.width() + 1, mask.height() + 1);
    let rows = mask.as_raw().chunks_exact(width.max(1));
    for (y, row) in rows.enumerate() {
        let (above, below) = sums.as_mut().split_at_mut((y + 1) * (width + 1));
        let above = &above[y * (width + 1)..];
        let mut sum = 0;
        for ((below, above), &ink) in below[1..=width].iter_mut().zip(&above[1..]).zip(row) {
            sum += u32::from(ink);
            *below = above + sum;
        }
    }
    sums
}

/// The page as it is measured, and how many of its pixels one of that picture spans.
fn reduced(page: &Page, params: &EvidenceParams) -> (GrayImage, u32) {
    let (width, height) = (f64::from(page.pixels.width()), f64::from(page.pixels.height()));
    let factor = (width.max(height) / params.max_measured_side_px).ceil().max(1.0) as u32;
    (reduce(&page.pixels, factor), factor)
}

fn longer_side(picture: &GrayImage) -> f64 {
    f64::from(picture.width().max(picture.height()))
}

/// The whole number that is nearest to `v`, from 0 to `side`.
fn clip(v: f64, side: u32) -> u32 {
    let v = v.clamp(0.0, f64::from(side));
    // `f64::round` is a function call on processors without SSE4.1
    let below = v as u32;
    below + u32::from(v - f64::from(below) >= 0.5)
}
