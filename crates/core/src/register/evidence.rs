//! The lines and the ink of a page, measured once for all templates.

use image::GrayImage;

use super::{bands::Bands, params::EvidenceParams};
use formread_page::Page;
use formread_raster::{
    LineParams, LinePieces, SauvolaParams, find_line_pieces,
    geometry::{Point, Projection, Rect, Segment},
    ink_share, join_pieces, reduce, sauvola,
};

/// Lines and ink of a page.
#[derive(Debug, Clone)]
pub struct PageEvidence {
    /// Lines in page pixels; pixel i covers i to i + 1, here and everywhere in registration.
    pub lines: PageLines,
    /// The straight pieces by where they lie: those that run sideways, those that run up and down.
    pub bands: [Bands; 2],
    /// 255 ink, 0 paper; `factor` times smaller than the page.
    mask: GrayImage,
    factor: u32,
    width: f64,
    height: f64,
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
        let (width, height) = (f64::from(page.pixels.width()), f64::from(page.pixels.height()));
        let factor = (width.max(height) / params.max_measured_side_px).ceil().max(1.0) as u32;
        let reduced = reduce(&page.pixels, factor);
        let side = f64::from(reduced.width().max(reduced.height()));
        let radius_px = (side * params.window_share).ceil() as u32;
        let mask = sauvola(&reduced, SauvolaParams { radius_px, k: params.sauvola_k });
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
        let lines = PageLines::new(pieces, width.max(height), scale, params);
        let bands = [Bands::new(&lines.pieces.horizontal, true), Bands::new(&lines.pieces.vertical, false)];
        Self { lines, bands, mask, factor, width, height }
    }

    /// The page from corner to corner, pixels.
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
        let (x0, y0) = ((bounds.x0 / scale) as u32, (bounds.y0 / scale) as u32);
        let x1 = ((bounds.x1 / scale) as u32).min(self.mask.width().checked_sub(1)?);
        let y1 = ((bounds.y1 / scale) as u32).min(self.mask.height().checked_sub(1)?);
        let columns = x0 as usize..x1 as usize + 1;
        let rows = self.mask.as_raw().chunks_exact(self.mask.width() as usize);
        let rows = rows.take(y1 as usize + 1).skip(y0 as usize);
        let n_ink: usize = rows.filter_map(|row| row.get(columns.clone())).flatten().filter(|&&v| v > 0).count();
        Some(
            n_ink as f64
                / (f64::from(x1 + 1).max(f64::from(x0 + 1)) - f64::from(x0))
                / (f64::from(y1 + 1) - f64::from(y0)).max(1.0),
        )
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
