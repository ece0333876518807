//! A template drawn for a person: as it is printed, or laid on a scan, fields numbered and named, landmarks beside them.
//!
//! Landmarks are thin lines without words; fields are thick ones with number and name: colour never says anything alone.

use image::{GrayImage, RgbImage, buffer::ConvertBuffer, imageops};
use imageproc::drawing::draw_line_segment_mut;

use crate::{
    overlay::{Colour, quarter_turns},
    synth::print_blank,
    text::line_of_text,
};
use formread_core::{
    form::{Field, FormTemplate, PageLayout},
    register::{FieldRegistration, RegisterParams, Registration, RegistrationFailure, identify},
};
use formread_page as page;
use formread_page::{Limits, Page};
use formread_raster as raster;
use formread_raster::{
    error::{Error, Result},
    geometry::{Point, Projection, Rect, Segment},
    rotate_point_back,
};

/// Printed lines, marks, barcodes and numbers.
const LANDMARK: Colour = image::Rgb([0, 105, 225]);
/// Printed words.
const WORD: Colour = image::Rgb([170, 110, 0]);
/// Cells of fields whose frame is printed and, on a scan, was found.
const CELL: Colour = image::Rgb([0, 130, 60]);
/// Cells of fields without a printed frame, or whose frame was not found on the scan.
const LOOSE: Colour = image::Rgb([215, 60, 0]);
const BLACK: Colour = image::Rgb([20, 20, 20]);
const PAPER: Colour = image::Rgb([255, 255, 255]);

/// How much of the page shows through, 0 to 1: what is drawn on it must be seen before it.
const PAGE_STRENGTH: f64 = 0.55;
/// Below this, of 255, something is printed, written or drawn.
const DRAWN: u8 = 190;
/// Height of a line of words, as a share of the picture's longer side, and the least, pixels.
const TEXT_SHARE: f64 = 0.0095;
const MIN_TEXT_PX: u32 = 14;
/// Thickness of a field's outline, as a share of the picture's longer side.
const LINE_SHARE: f64 = 0.0008;
/// Seed of the words that a template does not spell out.
const SEED: u64 = 1;

/// A picture, and whether the template lies on what it shows.
#[derive(Debug, Clone)]
pub struct TemplatePicture {
    /// For a person.
    pub picture: RgbImage,
    /// What stands above it, for those who do not look at the picture.
    pub caption: Vec<String>,
    /// Whether the template was laid on; always so on a blank.
    pub is_placed: bool,
}

/// `template` as it is printed, at `dpi` dots per inch.
///
/// # Errors
/// `Usage` where the resolution is out of the range of `synth`.
pub fn show_blank(template: &FormTemplate, dpi: f64) -> Result<TemplatePicture> {
    let blank = print_blank(template, dpi, SEED)?;
    let bounds = template.bounds();
    let scale = [f64::from(blank.width()) / bounds.width(), f64::from(blank.height()) / bounds.height()];
    let map = Projection::scaling(scale[0], scale[1]);
    let fields = vec![FieldPlace { map, is_found: true, residual: None }; template.fields.len()];
    let mut caption = vec![title(template)];
    caption.push(format!("{:.1} x {:.1} mm, drawn at {dpi} dpi", bounds.width(), bounds.height()));
    if template.layout == PageLayout::WholeImage {
        caption[1] = "the whole picture is the one field".to_owned();
    }
    Ok(drawn(Canvas::new(&blank, 0), template, map, &fields, caption, true))
}

/// `template` laid on the 1-based page `number` of the file `bytes`.
///
/// # Errors
/// `Usage` where the file has no such page; as decoding fails.
pub fn show_on_scan(template: &FormTemplate, bytes: &[u8], number: u32, limits: &Limits) -> Result<TemplatePicture> {
    let mut pages = page::open(bytes, limits)?;
    let n_pages = pages.len();
    let page_idx = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match page_idx.and_then(|idx| pages.nth(idx)) {
        Some(page) => Ok(show_on_page(template, &page?)),
        None => Err(Error::usage(format!("no such page: {number}\nhint: the file has {n_pages}"))),
    }
}

/// `template` laid on `page`, turned by quarters so that it stands upright. Where it does not fit, the page and why.
pub fn show_on_page(template: &FormTemplate, page: &Page) -> TemplatePicture {
    match identify(page, std::slice::from_ref(template), &RegisterParams::default()) {
        Ok((_, registration)) => laid_on(template, page, &registration),
        Err(RegistrationFailure { reason, detail, .. }) => {
            let caption = vec![title(template), format!("not laid on: {reason}: {detail}")];
            TemplatePicture {
                picture: with_caption(Canvas::new(&page.pixels, 0).pixels, &caption, &[]),
                caption,
                is_placed: false,
            }
        }
    }
}

fn laid_on(template: &FormTemplate, page: &Page, registration: &Registration) -> TemplatePicture {
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
        title(template),
        format!(
            "residual {:.2} px = {:.3} mm at {px_per_mm:.2} px/mm, support {:.2}, frames found {n_found} of {n_framed}",
            registration.residual_px,
            registration.residual_px / px_per_mm.max(f64::MIN_POSITIVE),
            registration.support
        ),
    ];
    drawn(Canvas::new(&page.pixels, quarter_turns(&map)), template, map, &fields, caption, true)
}

fn title(template: &FormTemplate) -> String {
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

/// Where a field is drawn.
#[derive(Debug, Clone)]
struct FieldPlace {
    /// Page pixels from template millimetres.
    map: Projection,
    is_found: bool,
    residual: Option<String>,
}

fn drawn(
    mut canvas: Canvas,
    template: &FormTemplate,
    map: Projection,
    fields: &[FieldPlace],
    caption: Vec<String>,
    is_placed: bool,
) -> TemplatePicture {
    if let PageLayout::Printed(landmarks) = &template.layout {
        for word in &landmarks.words {
            canvas.quad(map.apply_rect(word.bounds), WORD, canvas.line_px / 3);
        }
        for line in &landmarks.lines {
            canvas.line(map.apply_segment(*line), LANDMARK, canvas.line_px / 2);
        }
        for mark in &landmarks.marks {
            canvas.quad(map.apply_rect(*mark), LANDMARK, canvas.line_px / 2);
            let [a, b, c, d] = map.apply_rect(*mark);
            canvas.line(Segment::new(a, c), LANDMARK, 0);
            canvas.line(Segment::new(b, d), LANDMARK, 0);
        }
    }
    let imprints = template.barcodes.iter().map(|barcode| barcode.bounds);
    for imprint in imprints.chain(template.numbers.iter().map(|number| number.bounds)) {
        canvas.quad(map.apply_rect(imprint), LANDMARK, canvas.line_px / 2);
    }
    let colour_of = |idx: usize, place: &FieldPlace| {
        let is_framed = !template.fields[idx].layout.printed_lines().is_empty();
        if place.is_found && is_framed { CELL } else { LOOSE }
    };
    let mut frames = Vec::new();
    for (idx, (field, place)) in template.fields.iter().zip(fields).enumerate() {
        for cell in field.layout.cells() {
            canvas.quad(place.map.apply_rect(*cell), colour_of(idx, place), canvas.line_px);
        }
        frames.push(canvas.bounds(place.map.apply_rect(field.layout.bounds())));
    }
    let words = template.printed_boxes().into_iter().map(|r| canvas.bounds(map.apply_rect(r)));
    let mut taken: Vec<Rect> = frames.iter().copied().chain(words).collect();
    for (idx, (field, place)) in template.fields.iter().zip(fields).enumerate() {
        let residual = place.residual.as_ref().map(|residual| format!(" {residual}")).unwrap_or_default();
        let number = format!("{}", idx + 1);
        let texts = [format!("{number} {}{residual}", field.name), format!("{number} {}", field.name), number];
        canvas.label(frames[idx], &mut taken, &texts, colour_of(idx, place));
    }
    let legend = [
        ("thick: cells of fields with a printed frame, number and name", CELL),
        ("thick: fields without one, or whose frame was not found", LOOSE),
        ("thin: printed lines; crossed: marks", LANDMARK),
        ("thin boxes: printed words", WORD),
    ];
    TemplatePicture { picture: with_caption(canvas.pixels, &caption, &legend), caption, is_placed }
}

/// A picture with words above it and a legend below.
fn with_caption(picture: RgbImage, caption: &[String], legend: &[(&str, Colour)]) -> RgbImage {
    let text_px = text_height(picture.width(), picture.height());
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

fn text_height(width: u32, height: u32) -> u32 {
    ((TEXT_SHARE * f64::from(width.max(height))).round() as u32).max(MIN_TEXT_PX)
}

/// Words on white ground; what leaves the picture is cut off.
fn write(picture: &mut RgbImage, left: u32, top: u32, text: &str, text_px: u32, colour: Colour) {
    let Some(ink) = line_of_text(text, text_px) else { return };
    for (x, y, level) in ink.enumerate_pixels() {
        if let Some(pixel) = picture.get_pixel_mut_checked(left + x, top + y) {
            let share = f64::from(level[0]) / 255.0;
            pixel.0 = colour.0.map(|value| (255.0 * (1.0 - share) + f64::from(value) * share).round() as u8);
        }
    }
}

/// A page to draw on, turned upright and made pale; points are given as they lie on the page before that.
struct Canvas {
    pixels: RgbImage,
    turned_back: u8,
    /// Width and height of the page.
    size: [f64; 2],
    text_px: u32,
    line_px: i32,
}

impl Canvas {
    fn new(page: &GrayImage, turned_back: u8) -> Self {
        let mut upright = raster::rotate_back(page, turned_back);
        for pixel in upright.pixels_mut() {
            pixel.0[0] = (255.0 - PAGE_STRENGTH * (255.0 - f64::from(pixel.0[0]))).round() as u8;
        }
        let (width, height) = page.dimensions();
        let line_px = ((LINE_SHARE * f64::from(width.max(height))).round() as i32).max(1);
        let size = [f64::from(width), f64::from(height)];
        Self { pixels: upright.convert(), turned_back, size, text_px: text_height(width, height), line_px }
    }

    fn turn(&self, p: Point) -> Point {
        rotate_point_back(p, self.turned_back, self.size)
    }

    fn bounds(&self, corners: [Point; 4]) -> Rect {
        Rect::around(corners.map(|p| self.turn(p))).unwrap_or_default()
    }

    /// A line, `reach_px` pixels thick on either side.
    fn line(&mut self, line: Segment, colour: Colour, reach_px: i32) {
        let (a, b) = (self.turn(line.a), self.turn(line.b));
        let is_flat = (b.x - a.x).abs() > (b.y - a.y).abs();
        for reach in -reach_px..=reach_px {
            let [dx, dy] = if is_flat { [0, reach] } else { [reach, 0] };
            let end = |p: Point| (p.x as f32 + dx as f32, p.y as f32 + dy as f32);
            draw_line_segment_mut(&mut self.pixels, end(a), end(b), colour);
        }
    }

    fn quad(&mut self, corners: [Point; 4], colour: Colour, reach_px: i32) {
        for (a, b) in corners.into_iter().zip(corners.into_iter().cycle().skip(1)) {
            self.line(Segment::new(a, b), colour, reach_px);
        }
    }

    /// How much of what is drawn lies under `r`, in twentieths of it.
    fn hidden_by(&self, r: Rect) -> u32 {
        let (xs, ys) = (r.x0 as u32..r.x1 as u32, r.y0 as u32..r.y1 as u32);
        let n_all = (xs.len() * ys.len()).max(1);
        let is_drawn = |&(x, y): &(u32, u32)| {
            self.pixels.get_pixel_checked(x, y).is_some_and(|pixel| pixel.0.iter().any(|value| *value < DRAWN))
        };
        let n_drawn = ys.flat_map(|y| xs.clone().map(move |x| (x, y))).filter(is_drawn).count();
        (20 * n_drawn / n_all) as u32
    }

    /// The first of `texts`, longest first, for which there is room beside `frame`: above, below, right or left of it, where
    /// nothing of `taken` stands and it hides least of the page; where there is none, the last one within the frame.
    fn label(&mut self, frame: Rect, taken: &mut Vec<Rect>, texts: &[String], colour: Colour) {
        let [width, height] = [self.pixels.width(), self.pixels.height()].map(f64::from);
        let gap = f64::from(self.line_px) + 1.0;
        for (i, text) in texts.iter().enumerate() {
            let Some(ink) = line_of_text(text, self.text_px) else { continue };
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
            let inside =
                |(x, y): (f64, f64)| Rect::from_xywh(x.min(width - w).max(0.0), y.min(height - h).max(0.0), w, h);
            let is_free = |r: &Rect| !taken.iter().any(|other| other.intersection(*r).is_some());
            let free = places.map(inside).into_iter().filter(is_free);
            let is_last = i + 1 == texts.len();
            let within = is_last.then(|| inside((frame.x0 + gap, middle)));
            if let Some(at) = free.min_by_key(|r| self.hidden_by(*r)).or(within) {
                taken.push(at);
                write(&mut self.pixels, at.x0 as u32, at.y0 as u32, text, self.text_px, colour);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::form::known_templates;

    fn has(picture: &RgbImage, colour: Colour) -> bool {
        picture.pixels().any(|pixel| *pixel == colour)
    }

    #[test]
    fn every_known_template_can_be_shown_blank_and_on_itself_upside_down() {
        for template in known_templates().expect("they parse") {
            let blank = show_blank(&template, 100.0).expect("the resolution is in range");
            // the form itself is paler than any word of ours
            let has_words = blank.picture.pixels().any(|pixel| pixel.0.iter().all(|value| *value < 80));
            assert!(blank.is_placed && has_words, "{}", template.name);
            let is_printed = template.layout != PageLayout::WholeImage;
            assert_eq!(has(&blank.picture, CELL), is_printed, "{}", template.name);
            assert_eq!(has(&blank.picture, LANDMARK), is_printed, "{}", template.name);
            if is_printed {
                let image = imageops::rotate180(&print_blank(&template, 150.0, 2).expect("it is in range"));
                let on = show_on_page(&template, &Page::upright(image, None));
                assert!(on.is_placed && on.caption[1].starts_with("residual 0."), "{:?}", on.caption);
                assert!(has(&on.picture, CELL), "{}", template.name);
            }
        }
    }

    #[test]
    fn a_page_that_it_does_not_fit_says_why() {
        let template = known_templates().expect("they parse").remove(0);
        let page = Page::upright(GrayImage::from_pixel(600, 800, image::Luma([250])), None);
        let shown = show_on_page(&template, &page);
        assert!(!shown.is_placed && shown.caption[1].starts_with("not laid on: blank-page"), "{:?}", shown.caption);
        assert!(!has(&shown.picture, CELL));
    }

    #[test]
    fn words_keep_out_of_each_others_way() {
        let mut canvas = Canvas::new(&GrayImage::from_pixel(800, 600, image::Luma([255])), 0);
        let frame = Rect::from_xywh(300.0, 300.0, 100.0, 30.0);
        let mut taken = vec![frame];
        for _ in 0..4 {
            canvas.label(frame, &mut taken, &["name".to_owned()], CELL);
        }
        for (i, a) in taken.iter().enumerate() {
            assert!(taken[..i].iter().all(|b| a.intersection(*b).is_none()), "{taken:?}");
        }
    }
}
