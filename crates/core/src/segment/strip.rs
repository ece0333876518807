//! A strip (a picture that is one field) -> a grey crop in which its cell has a common height.

use image::{GrayImage, imageops};

use super::{
    cell::{self, Cell},
    strip_params::PARAMS,
};
use formread_raster::geometry::{Point, Rect, Segment};

/// Maximum width of a strip, in heights. A limit against images of extreme shapes.
const MAX_STRIP_ASPECT: f64 = 40.0;

/// A strip, cut around its cell and scaled.
pub(super) struct Strip {
    /// [H, W] u8, 0 black .. 255 white: the cell with a margin, as far as the picture goes.
    pub scanned: GrayImage,
    /// The cell, pixels of `scanned`.
    pub frame: Rect,
    /// The printed rules around the cell, pixels of `scanned`.
    pub rules: Vec<Segment>,
    /// What `scanned` shows, pixels of the picture.
    pub area: Rect,
    /// Whether it is clear which cell of the picture is meant.
    pub is_sure: bool,
}

impl Strip {
    pub fn of(picture: &GrayImage) -> Self {
        let Cell { bounds, rules, is_sure } = cell::find_cell(picture);
        let margin = PARAMS.margin * bounds.height();
        let area = bounds.inflate(margin).intersection(whole(picture)).unwrap_or(bounds);
        // whole pixels
        let (x0, y0) = (area.x0.floor(), area.y0.floor());
        let area = Rect::from_edges(x0, y0, area.x1.ceil().max(x0 + 1.0), area.y1.ceil().max(y0 + 1.0));
        let scale = f64::from(PARAMS.height_px) / bounds.height().max(1.0);
        let height = (area.height() * scale).round().max(1.0);
        let width = (area.width() * scale).round().clamp(1.0, MAX_STRIP_ASPECT * height);
        let cut =
            imageops::crop_imm(picture, area.x0 as u32, area.y0 as u32, area.width() as u32, area.height() as u32);
        let scanned = imageops::resize(&*cut, width as u32, height as u32, imageops::FilterType::CatmullRom);
        let (x_scale, y_scale) = (width / area.width(), height / area.height());
        let point = |p: Point| Point::new((p.x - area.x0) * x_scale, (p.y - area.y0) * y_scale);
        let (a, b) = (point(Point::new(bounds.x0, bounds.y0)), point(Point::new(bounds.x1, bounds.y1)));
        let rules = rules.iter().map(|rule| Segment::new(point(rule.a), point(rule.b))).collect();
        Self { scanned, frame: Rect::from_edges(a.x, a.y, b.x, b.y), rules, area, is_sure }
    }

    /// What is beyond the rules around the cell: other cells, pixels of `scanned`.
    pub fn beyond_rules(&self) -> Vec<Rect> {
        let (all, frame) = (whole(&self.scanned), self.frame);
        let beyond = [
            Rect { x1: frame.x0, ..all },
            Rect { x0: frame.x1, ..all },
            Rect { y1: frame.y0, ..all },
            Rect { y0: frame.y1, ..all },
        ];
        beyond.into_iter().filter(|area| area.area() > 0.0).collect()
    }
}

/// All of a picture.
pub(super) fn whole(picture: &GrayImage) -> Rect {
    Rect::from_xywh(0.0, 0.0, f64::from(picture.width()), f64::from(picture.height()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strip_of_any_size_has_common_height_and_bounded_width() {
        let size = |picture: &GrayImage| Strip::of(picture).scanned.dimensions();
        assert_eq!(size(&GrayImage::new(100, 48)), (200, 96));
        assert_eq!(size(&GrayImage::new(100_000, 1)), (3_840, 96));
    }
}
