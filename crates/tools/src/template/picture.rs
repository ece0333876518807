//! Pictures of a template for a person: blank, or registered on a scan.
//!
//! Landmarks are thin lines. Fields are thick outlines with number and name, so that no meaning depends on colour alone.

use image::{RgbImage, imageops};

use crate::{
    draw::{BLACK, BLUE, CanvasStyle, Colour, GREEN, OCHRE, PAPER, PageCanvas, RED, draw_ink, quarter_turns, text_ink},
    synth::print_blank,
};
use formread_core::{
    form::{Field, FormTemplate, PageLayout},
    register::{FieldRegistration, RegisterParams, Registration, RegistrationFailure, identify},
};
use formread_page as page;
use formread_page::{Limits, Page};
use formread_raster::{
    error::{Error, Result},
    geometry::{Projection, Rect, Segment},
};

/// The page is pale, so that what is drawn on it is easy to see.
pub(super) const STYLE: CanvasStyle = CanvasStyle {
    page_strength: 0.55,
    text_share: 0.0095,
    min_text_px: 14,
    line_share: 0.0008,
    min_line_px: 1,
    text_cover: 1.0,
};
/// A pixel with a channel below this (of 255) has print, writing or drawing.
const MAX_INKED_LEVEL: u8 = 190;
/// Seed of the words that the template has no text for.
const SEED: u64 = 1;

/// A picture of a template.
#[derive(Debug, Clone)]
pub struct TemplatePicture {
    /// The picture with its caption and legend.
    pub picture: RgbImage,
    /// The text above the picture, for callers that print it.
    pub caption: Vec<String>,
    /// Whether the template was registered; always true for a blank form.
    pub is_placed: bool,
}

/// Draws `template` as a blank form at `dpi` dots per inch.
///
/// # Errors
/// `Usage` if the resolution is out of the range of `synth`.
pub fn show_blank(template: &FormTemplate, dpi: f64) -> Result<TemplatePicture> {
    let blank = print_blank(template, dpi, SEED)?;
    let bounds = template.bounds();
    let scale = [f64::from(blank.width()) / bounds.width(), f64::from(blank.height()) / bounds.height()];
    let map = Projection::scaling(scale[0], scale[1]);
    let fields = vec![FieldPlace { map, is_found: true, residual: None }; template.fields.len()];
    let mut caption = vec![summary_line(template)];
    caption.push(format!("{:.1} x {:.1} mm, drawn at {dpi} dpi", bounds.width(), bounds.height()));
    if template.layout == PageLayout::WholeImage {
        caption[1] = "the whole image is one field".to_owned();
    }
    Ok(draw_template(PageCanvas::new(&blank, 0, STYLE), template, map, &fields, caption, true))
}

/// Draws `template` registered on the 1-based page `number` of the file `bytes`.
///
/// # Errors
/// `Usage` if the file has no such page; any error of decoding.
pub fn show_on_scan(template: &FormTemplate, bytes: &[u8], number: u32, limits: &Limits) -> Result<TemplatePicture> {
    let mut pages = page::open(bytes, limits)?;
    let n_pages = pages.len();
    let page_idx = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match page_idx.and_then(|idx| pages.nth(idx)) {
        Some(page) => Ok(show_on_page(template, &page?)),
        None => Err(Error::usage(format!("no such page: {number}")).with_hint(format!("the file has {n_pages}"))),
    }
}

/// Draws `template` registered on `page`, turned upright. If it does not fit, the picture shows where it comes nearest, and the
/// caption the reason.
pub fn show_on_page(template: &FormTemplate, page: &Page) -> TemplatePicture {
    match identify(page, std::slice::from_ref(template), &RegisterParams::default()) {
        Ok((_, registration)) => draw_registered(template, page, &registration),
        Err(RegistrationFailure { reason, detail, nearest, .. }) => {
            let mut caption = vec![summary_line(template), format!("not registered: {reason}: {detail}")];
            let Some(map) = nearest.map(|nearest| nearest.page_from_template) else {
                let picture = with_caption(PageCanvas::new(&page.pixels, 0, STYLE).pixels, &caption, &[]);
                return TemplatePicture { picture, caption, is_placed: false };
            };
            caption.push("drawn where it comes nearest".to_owned());
            let fields = vec![FieldPlace { map, is_found: false, residual: None }; template.fields.len()];
            let canvas = PageCanvas::new(&page.pixels, quarter_turns(&map), STYLE);
            draw_template(canvas, template, map, &fields, caption, false)
        }
    }
}

fn draw_registered(template: &FormTemplate, page: &Page, registration: &Registration) -> TemplatePicture {
    let map = registration.page_from_template;
    let px_per_mm = map.scale_at(template.centre());
    let place = |(field, at): (&Field, &FieldRegistration)| FieldPlace {
        map: at.page_from_template,
        is_found: field.layout.printed_lines().is_empty() || at.residual_px.is_some(),
        residual: Some(match (at.on_page, at.residual_px) {
            (false, _) => "off the page".to_owned(),
            (true, Some(px)) => format!("{px:.2} px"),
            (true, None) => "frame not found".to_owned(),
        }),
    };
    let fields: Vec<FieldPlace> = template.fields.iter().zip(&registration.fields).map(place).collect();
    let n_found = registration.fields.iter().filter(|at| at.residual_px.is_some()).count();
    let n_framed = template.fields.iter().filter(|field| !field.layout.printed_lines().is_empty()).count();
    let caption = vec![
        summary_line(template),
        format!(
            "residual {:.2} px = {:.3} mm at {px_per_mm:.2} px/mm, support {:.2}, frames found {n_found} of {n_framed}",
            registration.residual_px,
            registration.residual_px / px_per_mm.max(f64::MIN_POSITIVE),
            registration.support
        ),
    ];
    draw_template(PageCanvas::new(&page.pixels, quarter_turns(&map), STYLE), template, map, &fields, caption, true)
}

fn summary_line(template: &FormTemplate) -> String {
    let FormTemplate { name, title, version, document, fields, rules, .. } = template;
    let version = version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let document = document.as_ref().map(|document| format!(", {document}")).unwrap_or_default();
    format!(
        "{name}{version}: {title}{document}; {} fields, {} cells, {} rules",
        fields.len(),
        template.n_cells(),
        rules.len()
    )
}

/// Where a field is drawn, and what is known of its frame.
#[derive(Debug, Clone)]
struct FieldPlace {
    /// Page pixels from template millimetres.
    map: Projection,
    is_found: bool,
    residual: Option<String>,
}

fn draw_template(
    mut canvas: PageCanvas,
    template: &FormTemplate,
    map: Projection,
    fields: &[FieldPlace],
    caption: Vec<String>,
    is_placed: bool,
) -> TemplatePicture {
    if let PageLayout::Printed(landmarks) = &template.layout {
        for word in &landmarks.words {
            canvas.outline(map.apply_rect(word.bounds), OCHRE, canvas.line_px / 3);
        }
        for line in &landmarks.lines {
            canvas.line(map.apply_segment(*line), BLUE, canvas.line_px / 2);
        }
        for mark in &landmarks.marks {
            canvas.outline(map.apply_rect(*mark), BLUE, canvas.line_px / 2);
            let [a, b, c, d] = map.apply_rect(*mark);
            canvas.line(Segment::new(a, c), BLUE, 0);
            canvas.line(Segment::new(b, d), BLUE, 0);
        }
    }
    let imprints = template.barcodes.iter().map(|barcode| barcode.bounds);
    for imprint in imprints.chain(template.numbers.iter().map(|number| number.bounds)) {
        canvas.outline(map.apply_rect(imprint), BLUE, canvas.line_px / 2);
    }
    let colour_of = |idx: usize, place: &FieldPlace| {
        let is_framed = !template.fields[idx].layout.printed_lines().is_empty();
        if place.is_found && is_framed { GREEN } else { RED }
    };
    let mut frames = Vec::new();
    for (idx, (field, place)) in template.fields.iter().zip(fields).enumerate() {
        for cell in field.layout.cells() {
            canvas.outline(place.map.apply_rect(*cell), colour_of(idx, place), canvas.line_px);
        }
        frames.push(canvas.bounds(place.map.apply_rect(field.layout.bounds())));
    }
    let words = template.printed_boxes().into_iter().map(|r| canvas.bounds(map.apply_rect(r)));
    let mut taken: Vec<Rect> = frames.iter().copied().chain(words).collect();
    for (idx, (field, place)) in template.fields.iter().zip(fields).enumerate() {
        let residual = place.residual.as_ref().map(|residual| format!(" {residual}")).unwrap_or_default();
        let number = format!("{}", idx + 1);
        let texts = [format!("{number} {}{residual}", field.name), format!("{number} {}", field.name), number];
        draw_label(&mut canvas, frames[idx], &mut taken, &texts, colour_of(idx, place));
    }
    let legend = [
        ("thick: cells of fields with a printed frame, number and name", GREEN),
        ("thick: fields without one, or whose frame was not found", RED),
        ("thin: printed lines; crossed: marks", BLUE),
        ("thin boxes: printed words", OCHRE),
    ];
    TemplatePicture { picture: with_caption(canvas.pixels, &caption, &legend), caption, is_placed }
}

/// The picture with a caption above it and a legend below.
fn with_caption(picture: RgbImage, caption: &[String], legend: &[(&str, Colour)]) -> RgbImage {
    let text_px = STYLE.text_px(picture.width(), picture.height());
    let row = text_px + text_px / 4;
    let rows = |n: usize| u32::try_from(n).unwrap_or(0) * row + row / 2;
    let (above, below) = (rows(caption.len()), rows(legend.len()));
    let mut all = RgbImage::from_pixel(picture.width(), above + picture.height() + below, PAPER);
    imageops::replace(&mut all, &picture, 0, i64::from(above));
    let left = row / 2;
    let mut y = row / 4;
    for line in caption {
        write(&mut all, left, y, line, text_px, BLACK);
        y += row;
    }
    y = above + picture.height() + row / 4;
    for (line, colour) in legend {
        write(&mut all, left, y, line, text_px, *colour);
        y += row;
    }
    all
}

/// Text on white ground; what leaves the picture is cut off.
fn write(picture: &mut RgbImage, left: u32, top: u32, text: &str, text_px: u32, colour: Colour) {
    let Some(ink) = text_ink(text, text_px) else { return };
    draw_ink(picture, [left, top], &ink, colour, STYLE.text_cover);
}

/// Share of inked pixels under `r`, in twentieths.
fn inked_twentieths(picture: &RgbImage, r: Rect) -> u32 {
    let (xs, ys) = (r.x0 as u32..r.x1 as u32, r.y0 as u32..r.y1 as u32);
    let n_all = (xs.len() * ys.len()).max(1);
    let is_drawn = |&(x, y): &(u32, u32)| {
        picture.get_pixel_checked(x, y).is_some_and(|pixel| pixel.0.iter().any(|value| *value < MAX_INKED_LEVEL))
    };
    let n_drawn = ys.flat_map(|y| xs.clone().map(move |x| (x, y))).filter(is_drawn).count();
    (20 * n_drawn / n_all) as u32
}

/// Writes the first of `texts` (longest first) that has room above, below, right or left of `frame`, clear of everything in
/// `taken`, where it hides the least of the page. If none has, it writes the last one inside the frame.
fn draw_label(canvas: &mut PageCanvas, frame: Rect, taken: &mut Vec<Rect>, texts: &[String], colour: Colour) {
    let [width, height] = [canvas.pixels.width(), canvas.pixels.height()].map(f64::from);
    let gap = f64::from(canvas.line_px) + 1.0;
    for (i, text) in texts.iter().enumerate() {
        let Some(ink) = text_ink(text, canvas.text_px) else { continue };
        let (w, h) = (f64::from(ink.width()), f64::from(ink.height()));
        let middle = frame.centre().y - h / 2.0;
        let places = [
            (frame.x0, frame.y0 - gap - h),
            (frame.x0, frame.y1 + gap),
            (frame.x1 - w, frame.y0 - gap - h),
            (frame.x1 - w, frame.y1 + gap),
            (frame.x1 + gap, middle),
            (frame.x0 - gap - w, middle),
        ];
        let inside = |(x, y): (f64, f64)| Rect::from_xywh(x.min(width - w).max(0.0), y.min(height - h).max(0.0), w, h);
        let is_free = |r: &Rect| !taken.iter().any(|other| other.intersection(*r).is_some());
        let free = places.map(inside).into_iter().filter(is_free);
        let is_last = i + 1 == texts.len();
        let within = is_last.then(|| inside((frame.x0 + gap, middle)));
        if let Some(at) = free.min_by_key(|r| inked_twentieths(&canvas.pixels, *r)).or(within) {
            taken.push(at);
            write(&mut canvas.pixels, at.x0 as u32, at.y0 as u32, text, canvas.text_px, colour);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;
    use formread_core::form::known_templates;

    fn has(picture: &RgbImage, colour: Colour) -> bool {
        picture.pixels().any(|pixel| *pixel == colour)
    }

    #[test]
    fn known_template_is_drawn_blank_and_on_scan_upside_down() {
        for template in known_templates().expect("they parse") {
            let blank = show_blank(&template, 100.0).expect("the resolution is in range");
            // the form is paler than the text of the caption
            let has_words = blank.picture.pixels().any(|pixel| pixel.0.iter().all(|value| *value < 80));
            assert!(blank.is_placed && has_words, "{}", template.name);
            let is_printed = template.layout != PageLayout::WholeImage;
            assert_eq!(has(&blank.picture, GREEN), is_printed, "{}", template.name);
            assert_eq!(has(&blank.picture, BLUE), is_printed, "{}", template.name);
            if is_printed {
                let image = imageops::rotate180(&print_blank(&template, 150.0, 2).expect("it is in range"));
                let on = show_on_page(&template, &Page::upright(image, None));
                assert!(on.is_placed && on.caption[1].starts_with("residual 0."), "{:?}", on.caption);
                assert!(has(&on.picture, GREEN), "{}", template.name);
            }
        }
    }

    #[test]
    fn page_of_other_form_gives_reason_in_caption() {
        let template = known_templates().expect("they parse").remove(0);
        let page = Page::upright(GrayImage::from_pixel(600, 800, image::Luma([250])), None);
        let shown = show_on_page(&template, &page);
        assert!(!shown.is_placed && shown.caption[1].starts_with("not registered: blank-page"), "{:?}", shown.caption);
        assert!(!has(&shown.picture, GREEN));
    }

    #[test]
    fn page_that_does_not_fit_shows_where_the_template_comes_nearest() {
        let template = known_templates().expect("they parse").remove(0);
        let mut image = print_blank(&template, 150.0, 2).expect("it is in range");
        let (width, height) = image.dimensions();
        // half of the form is covered
        let cover = GrayImage::from_pixel(width, height / 2, image::Luma([250]));
        imageops::replace(&mut image, &cover, 0, 0);
        let shown = show_on_page(&template, &Page::upright(image, None));
        assert!(!shown.is_placed && shown.caption[1].starts_with("not registered: "), "{:?}", shown.caption);
        assert_eq!(shown.caption[2], "drawn where it comes nearest");
        assert!(has(&shown.picture, RED) && has(&shown.picture, BLUE) && !has(&shown.picture, GREEN));
    }

    #[test]
    fn labels_do_not_overlap() {
        let mut canvas = PageCanvas::new(&GrayImage::from_pixel(800, 600, image::Luma([255])), 0, STYLE);
        let frame = Rect::from_xywh(300.0, 300.0, 100.0, 30.0);
        let mut taken = vec![frame];
        for _ in 0..4 {
            draw_label(&mut canvas, frame, &mut taken, &["name".to_owned()], GREEN);
        }
        for (i, a) in taken.iter().enumerate() {
            assert!(taken[..i].iter().all(|b| a.intersection(*b).is_none()), "{taken:?}");
        }
    }
}
