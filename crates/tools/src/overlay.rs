//! A page with what was found on it drawn on top: that is how a person sees what happened.
//!
//! Each field's settled frame is drawn in the colour of its state, the candidates that were cut from it as thin boxes,
//! and its name, state, reading and confidence beside it: colour never says anything alone.

use std::borrow::Cow;

use image::{RgbImage, buffer::ConvertBuffer};
use imageproc::drawing::draw_line_segment_mut;

use crate::text::line_of_text;
use formread_core::{
    assemble::{FieldState, FieldValue, PageReading, ReviewReason},
    form::FormTemplate,
    reader::{CutPage, PageReport},
    segment::{FieldCut, FieldInk, crop_bounds},
};
use formread_page::Page;
use formread_raster as raster;
use formread_raster::{
    geometry::{Point, Projection, Rect},
    hash::shorten_name,
    rotate_point_back,
};

pub(crate) type Colour = image::Rgb<u8>;

pub(crate) const ACCEPTED: Colour = image::Rgb([0, 130, 60]);
pub(crate) const BLANK: Colour = image::Rgb([60, 90, 200]);
pub(crate) const REVIEW: Colour = image::Rgb([215, 60, 0]);
pub(crate) const CUT: Colour = image::Rgb([200, 0, 200]);

/// Height of a line of words, as a share of the picture's longer side: two of them stand between two rows of fields.
const TEXT_SHARE: f64 = 0.009;
/// Thickness of a field's frame, likewise.
const LINE_SHARE: f64 = 0.001;
/// Longest name of a file, bytes, of file systems in use.
const MOST_NAME_BYTES: usize = 255;
/// How much of the page is covered behind words, 0 to 1.
const TEXT_GROUND: f64 = 0.75;

/// The picture's name in its folder: that of the scan with its page. What would lead out of the folder is written as in
/// an address (`%2F` for `/`), so that no two scans have one name; one that is too long for a file is shortened.
pub fn file_name(scan: &str, page: u32) -> String {
    let escaped = [('%', "%25"), ('/', "%2F"), ('\\', "%5C"), (':', "%3A")];
    let name = escaped.into_iter().fold(scan.to_owned(), |name, (from, to)| name.replace(from, to));
    let end = format!(".p{page}.png");
    shorten_name(name, MOST_NAME_BYTES - end.len()) + &end
}

/// Draws `report` on `page`, turned by quarters so that the form stands upright. `templates` are those of the reader.
///
/// # Panics
/// Where `report` is not by a reader of `templates`.
pub fn draw(page: &Page, report: &PageReport, templates: &[FormTemplate]) -> RgbImage {
    match (&report.record.reading, &report.cut) {
        (PageReading::Read { form, fields, residual_px }, Some(cut)) => {
            let mut canvas = Canvas::new(page, quarter_turns(&cut.registration.page_from_template));
            draw_fields(&mut canvas, page, &templates[cut.template_idx], cut, fields);
            canvas.text(Point::default(), &format!("{form}, residual {residual_px:.2} px"), ACCEPTED);
            canvas.pixels
        }
        (PageReading::Read { form, .. }, None) => {
            let mut canvas = Canvas::new(page, 0);
            canvas.text(Point::default(), form, ACCEPTED);
            canvas.pixels
        }
        (PageReading::Rejected { form, reason, detail }, _) => {
            let form = form.as_deref().unwrap_or("no form");
            let mut canvas = Canvas::new(page, 0);
            canvas.text(Point::default(), &format!("{form}, rejected: {reason}: {detail}"), REVIEW);
            canvas.pixels
        }
    }
}

fn draw_fields(canvas: &mut Canvas, page: &Page, template: &FormTemplate, cut: &CutPage, values: &[FieldValue]) {
    let fields = template.fields.iter().zip(&cut.registration.fields).zip(&cut.cuts).zip(values);
    for (((field, at), cut), value) in fields {
        for bounds in crops(page, template, cut) {
            canvas.quad(at.page_from_template.apply_rect(bounds), CUT, 0);
        }
        let (colour, state) = match &value.state {
            FieldState::Accepted => (ACCEPTED, Cow::Borrowed("accepted")),
            FieldState::Blank => (BLANK, Cow::Borrowed("blank")),
            FieldState::Review(ReviewReason::LowConfidence) => (REVIEW, Cow::Borrowed("review")),
            FieldState::Review(reason) => (REVIEW, reason.word()),
        };
        for &cell in field.layout.cells() {
            canvas.quad(at.page_from_template.apply_rect(cell), colour, canvas.line_px);
        }
        let frame = canvas.place(at.page_from_template.apply_rect(field.layout.bounds()));
        let gap = f64::from(canvas.line_px) + 1.0;
        let above = Point::new(frame.x0, frame.y0 - gap - f64::from(canvas.text_px));
        canvas.text(above, &format!("{}={}", value.name, value.guess), colour);
        canvas.text(Point::new(frame.x0, frame.y1 + gap), &format!("{state} {:.2}", value.confidence), colour);
    }
}

/// The candidates of a field, in the template's unit.
fn crops<'a>(page: &'a Page, template: &'a FormTemplate, cut: &'a FieldCut) -> impl Iterator<Item = Rect> + 'a {
    let edges = match &cut.ink {
        FieldInk::Written(lattice) => lattice.edges.as_slice(),
        FieldInk::Blank | FieldInk::OffPage | FieldInk::Mark(_) => &[],
    };
    edges.iter().filter_map(|edge| edge.crop.as_ref()).map(|crop| crop_bounds(page, template, cut.field_idx, crop))
}

/// How many quarters clockwise the form is turned on the page.
pub(crate) fn quarter_turns(page_from_template: &Projection) -> u8 {
    let across = page_from_template.apply(Point::new(1.0, 0.0)) - page_from_template.apply(Point::default());
    let quarters = across.y.atan2(across.x) / std::f64::consts::FRAC_PI_2;
    quarters.round().rem_euclid(4.0) as u8
}

/// A page to draw on, turned upright; all points are given as they lie on the page before that.
struct Canvas {
    pixels: RgbImage,
    /// Quarters clockwise that the page was turned back by.
    turned_back: u8,
    /// Width and height before that.
    size: [f64; 2],
    text_px: u32,
    line_px: i32,
}

impl Canvas {
    fn new(page: &Page, turned_back: u8) -> Self {
        let upright = raster::rotate_back(&page.pixels, turned_back);
        let size = [page.pixels.width(), page.pixels.height()].map(f64::from);
        let longer = size[0].max(size[1]);
        let text_px = (TEXT_SHARE * longer).round().max(9.0) as u32;
        let line_px = (LINE_SHARE * longer).round() as i32;
        Self { pixels: upright.convert(), turned_back, size, text_px, line_px }
    }

    fn turn(&self, p: Point) -> Point {
        rotate_point_back(p, self.turned_back, self.size)
    }

    /// Bounds on the canvas of four corners on the page.
    fn place(&self, corners: [Point; 4]) -> Rect {
        Rect::around(corners.map(|p| self.turn(p))).unwrap_or_default()
    }

    /// The sides between four corners on the page; `reach_px` pixels are added on either side of each.
    fn quad(&mut self, corners: [Point; 4], colour: Colour, reach_px: i32) {
        let corners = corners.map(|p| self.turn(p));
        for (a, b) in corners.into_iter().zip(corners.into_iter().cycle().skip(1)) {
            let is_flat = (b.x - a.x).abs() > (b.y - a.y).abs();
            for reach in -reach_px..=reach_px {
                let [dx, dy] = if is_flat { [0, reach] } else { [reach, 0] };
                let end = |p: Point| (p.x as f32 + dx as f32, p.y as f32 + dy as f32);
                draw_line_segment_mut(&mut self.pixels, end(a), end(b), colour);
            }
        }
    }

    /// Words whose left top corner is at `at` on the canvas, or as near to it as lets them stand on it whole.
    fn text(&mut self, at: Point, text: &str, colour: Colour) {
        let Some(ink) = line_of_text(text, self.text_px) else { return };
        let [width, height] = [self.pixels.width(), self.pixels.height()];
        let left = at.x.min(f64::from(width.saturating_sub(ink.width()))).max(0.0) as u32;
        let top = at.y.min(f64::from(height.saturating_sub(ink.height()))).max(0.0) as u32;
        for (x, y, ink) in ink.enumerate_pixels() {
            let (x, y) = (left + x, top + y);
            if x >= width || y >= height {
                continue;
            }
            let share = f64::from(ink[0]) / 255.0;
            let pixel = self.pixels.get_pixel_mut(x, y);
            for (value, letter) in pixel.0.iter_mut().zip(colour.0) {
                let ground = f64::from(*value) * (1.0 - TEXT_GROUND) + 255.0 * TEXT_GROUND;
                *value = (ground * (1.0 - share) + f64::from(letter) * share).round() as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;

    #[test]
    fn a_point_on_a_turned_page_is_found_on_the_upright_one() {
        let mut pixels = GrayImage::from_pixel(300, 200, image::Luma([255]));
        pixels.put_pixel(40, 30, image::Luma([0]));
        let page = Page::upright(pixels, None);
        for turns in 0..4u8 {
            let angle = f64::from(turns) * std::f64::consts::FRAC_PI_2;
            let (s, c) = angle.sin_cos();
            let map = Projection([c, -s, 150.0, s, c, 100.0, 0.0, 0.0, 1.0]);
            assert_eq!(quarter_turns(&map), turns);
            let canvas = Canvas::new(&page, turns);
            let there = canvas.turn(Point::new(40.5, 30.5));
            assert_eq!(canvas.pixels.get_pixel(there.x as u32, there.y as u32).0, [0; 3], "{turns} quarters");
        }
    }

    #[test]
    fn names_of_pictures_are_harmless() {
        assert_eq!(file_name("../a/b%2F.tif", 12), "..%2Fa%2Fb%252F.tif.p12.png");
        let long = file_name(&"folder/".repeat(100), 12);
        assert!(long.len() == MOST_NAME_BYTES && long.ends_with("folder%2F.p12.png"), "{long}");
    }

    #[test]
    fn words_and_lines_past_the_edge_are_cut_off() {
        let page = Page::upright(GrayImage::from_pixel(60, 40, image::Luma([255])), None);
        let mut canvas = Canvas::new(&page, 0);
        canvas.text(Point::new(50.0, 39.0), "longer than the page is wide", REVIEW);
        canvas.quad(Rect::from_xywh(-20.0, 10.0, 200.0, 100.0).corners(), CUT, 1);
        assert!(canvas.pixels.pixels().any(|p| *p == CUT));
        assert!(canvas.pixels.pixels().any(|p| p[0] > p[2] && *p != CUT));
    }
}
