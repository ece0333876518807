//! Draws a page with its reading on top, for people who check how a page was read.
//!
//! The frame of each field has the colour of its state, and thin boxes show the candidates cut from it. Name, state, reading
//! and confidence are written beside it, so that colour is never the only sign.

use std::borrow::Cow;

use image::RgbImage;

use crate::draw::{CanvasStyle, GREEN, MAGENTA, PageCanvas, RED, VIOLET_BLUE, quarter_turns};
use formread_core::{
    assemble::{FieldState, FieldValue, PageReading, ReviewReason},
    form::FormTemplate,
    reader::{CutPage, PageReport},
    segment::{FieldCut, FieldInk, crop_bounds},
};
use formread_page::Page;
use formread_raster::{
    geometry::{Point, Rect},
    hash::shorten_name,
};

/// Style of the drawing. The text is so small that two lines fit between two rows of fields.
const STYLE: CanvasStyle = CanvasStyle {
    page_strength: 1.0,
    text_share: 0.009,
    min_text_px: 9,
    line_share: 0.001,
    min_line_px: 0,
    text_cover: 0.75,
};
/// Maximum length of a file name on common file systems, bytes.
const MAX_NAME_BYTES: usize = 255;

/// The file name of a picture: the name of the scan with its page. Characters that could lead out of the folder are
/// percent-encoded (`%2F` for `/`), so that two scans never have the same name. A name that is too long for the file
/// system is shortened, as [`shorten_name`] does.
pub fn file_name(scan: &str, page: u32) -> String {
    let escaped = [('%', "%25"), ('/', "%2F"), ('\\', "%5C"), (':', "%3A")];
    let name = escaped.into_iter().fold(scan.to_owned(), |name, (from, to)| name.replace(from, to));
    let end = format!(".p{page}.png");
    shorten_name(name, MAX_NAME_BYTES - end.len()) + &end
}

/// Draws `report` on `page`, turned by quarters so that the form is upright. `templates` are those of the reader.
///
/// # Panics
/// If `report` is not by a reader with `templates`.
pub fn draw(page: &Page, report: &PageReport, templates: &[FormTemplate]) -> RgbImage {
    match (&report.record.reading, &report.cut) {
        (PageReading::Read { form, fields, residual_px, .. }, Some(cut)) => {
            let mut canvas = PageCanvas::new(&page.pixels, quarter_turns(&cut.registration.page_from_template), STYLE);
            draw_fields(&mut canvas, page, &templates[cut.template_idx], cut, fields);
            for &bounds in &cut.outside {
                canvas.outline(cut.registration.page_from_template.apply_rect(bounds), RED, 1);
            }
            canvas.text(Point::default(), &format!("{form}, residual {residual_px:.2} px"), GREEN);
            canvas.pixels
        }
        (PageReading::Read { form, .. }, None) => {
            let mut canvas = PageCanvas::new(&page.pixels, 0, STYLE);
            canvas.text(Point::default(), form, GREEN);
            canvas.pixels
        }
        (PageReading::Rejected { form, reason, detail }, _) => {
            let form = form.as_deref().unwrap_or("no form");
            let mut canvas = PageCanvas::new(&page.pixels, 0, STYLE);
            canvas.text(Point::default(), &format!("{form}, rejected: {reason}: {detail}"), RED);
            canvas.pixels
        }
    }
}

fn draw_fields(canvas: &mut PageCanvas, page: &Page, template: &FormTemplate, cut: &CutPage, values: &[FieldValue]) {
    let fields = template.fields.iter().zip(&cut.registration.fields).zip(&cut.cuts).zip(values);
    for (((field, at), cut), value) in fields {
        for bounds in candidate_bounds(page, template, cut) {
            canvas.outline(at.page_from_template.apply_rect(bounds), MAGENTA, 0);
        }
        let (colour, state) = match &value.state {
            FieldState::Accepted => (GREEN, Cow::Borrowed("accepted")),
            FieldState::Blank => (VIOLET_BLUE, Cow::Borrowed("blank")),
            FieldState::Review(ReviewReason::LowConfidence) => (RED, Cow::Borrowed("review")),
            FieldState::Review(reason) => (RED, reason.word()),
        };
        for &cell in field.layout.cells() {
            canvas.outline(at.page_from_template.apply_rect(cell), colour, canvas.line_px);
        }
        let frame = canvas.bounds(at.page_from_template.apply_rect(field.layout.bounds()));
        let gap = f64::from(canvas.line_px) + 1.0;
        let above = Point::new(frame.x0, frame.y0 - gap - f64::from(canvas.text_px));
        canvas.text(above, &format!("{}={}", value.name, value.guess), colour);
        canvas.text(Point::new(frame.x0, frame.y1 + gap), &format!("{state} {:.2}", value.confidence), colour);
    }
}

/// Bounds of the candidates of a field, in the template's unit.
fn candidate_bounds<'a>(
    page: &'a Page,
    template: &'a FormTemplate,
    cut: &'a FieldCut,
) -> impl Iterator<Item = Rect> + 'a {
    let edges = match &cut.ink {
        FieldInk::Written(lattice) => lattice.edges.as_slice(),
        FieldInk::Blank | FieldInk::OffPage | FieldInk::Marks(_) => &[],
    };
    edges.iter().filter_map(|edge| edge.crop.as_ref()).map(|crop| crop_bounds(page, template, cut.field_idx, crop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_name_is_escaped_and_of_limited_length() {
        assert_eq!(file_name("../a/b%2F.tif", 12), "..%2Fa%2Fb%252F.tif.p12.png");
        let long = file_name(&"folder/".repeat(100), 12);
        assert!(long.len() == MAX_NAME_BYTES && long.ends_with("folder%2F.p12.png"), "{long}");
    }
}
