//! Draws test decks: prints a template, fills it with real digits, and degrades the page as paper and scanners do.
//!
//! [`synthesise`] draws one page, [`synthesise_document`] the pages of a document, and [`write_deck`] saves many pages with
//! their truth. A page depends only on the template, the glyphs, the options and its number, not on other pages or on the
//! number of workers.

mod choices;
mod deck;
pub mod degrade;
mod document;
mod encode;
mod glyphs;
mod hostile;
mod options;
mod print;
mod sheet;
mod values;
mod writing;

use image::{GrayImage, imageops};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::{degrade::Placement, hostile::Hostility, sheet::Sheet, writing::Writer};
use formread_core::form::{FormTemplate, PageLayout};
use formread_raster::{
    error::Result,
    geometry::{MM_PER_INCH, Point, Projection, Rect},
};

pub use deck::{DeckOptions, read_glyphs, write_deck};
pub use document::synthesise_document;
pub use encode::{ScanFormat, encode_scan};
pub use glyphs::GlyphStock;
pub use hostile::{HostileKind, HostileKinds, HostileMark};
pub use options::{Degradations, SynthOptions};
pub use values::{Entry, draw_values};

/// The random number generator. Its stream is the same on every platform.
type Dice = ChaCha8Rng;

/// Height of a strip, a field that is the whole image, millimetres.
const STRIP_HEIGHT_MM: f64 = 12.0;
/// Width of a strip for each digit, and once more for its margins, millimetres.
const STRIP_PITCH_MM: f64 = 6.0;
/// Number of digits that fit on an empty strip.
const N_STRIP_DIGITS: f64 = 12.0;
/// Maximum part cut off at each side of a field that still counts as on the page, as a share of its height.
const MAX_CUT_OFF: f64 = 0.15;

/// One page of a deck.
#[derive(Debug, Clone)]
pub struct SynthPage {
    /// [H, W] u8, 0 black .. 255 white.
    pub image: GrayImage,
    /// One entry for each field, in the order of the template.
    pub truth: Vec<FieldTruth>,
    /// Maps template millimetres to pixels of `image`, whose first pixel spans 0 to 1. A fold moves part of the page by
    /// up to 0.6 mm from there.
    pub page_from_template: Projection,
    /// Hostile writing, in the order in which it was drawn.
    pub hostile: Vec<HostileMark>,
}

/// What is written in one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldTruth {
    /// The field's name.
    pub name: String,
    /// Canonical form; empty: blank; `!`: off the page, or hostile writing that is no value; `?`: off the page in part, or a
    /// number that may be void or hidden.
    pub value: String,
    /// The digits as they are written, from left to right; empty where hostile writing takes their place.
    pub written: String,
    /// Bounds of each digit's ink before any degradation, template millimetres.
    pub ink_mm: Vec<Rect>,
    /// Corners of the field's bounds on the image, pixels, clockwise from the one that is left and top on the form.
    pub corners_px: [Point; 4],
}

/// Draws, fills in and degrades page `page_idx` (from 0) of a deck. Rules that name other forms are ignored.
///
/// # Errors
/// `Usage` if an option is out of range, or no values keep the rules of the form.
pub fn synthesise(
    template: &FormTemplate,
    glyphs: &GlyphStock,
    options: &SynthOptions,
    page_idx: u64,
) -> Result<SynthPage> {
    let mut pages = synthesise_document(std::slice::from_ref(template), &[], glyphs, options, page_idx)?;
    Ok(pages.pop().expect("a document has as many pages as templates"))
}

/// Prints a form, writes `entries` into its fields, and degrades the page, each with its own random numbers. `print` is the form's
/// own print; without it, what the template declares is printed.
fn draw_page(
    (template, print): (&FormTemplate, Option<&GrayImage>),
    entries: &[Entry],
    writer: &Writer<'_>,
    options: &SynthOptions,
    page_idx: u64,
    [paper, content, wear]: [&mut Dice; 3],
) -> Result<SynthPage> {
    let px_per_mm = options.dpi / MM_PER_INCH;
    let bounds = match &template.layout {
        PageLayout::Printed(landmarks) => landmarks.page,
        PageLayout::WholeImage => {
            let n_digits = entries.iter().map(|entry| entry.digits.len()).max().unwrap_or(0).max(1);
            Rect::from_xywh(0.0, 0.0, STRIP_PITCH_MM * (n_digits as f64 + 1.0), STRIP_HEIGHT_MM)
        }
    };
    let mut sheet = Sheet::new(bounds.width(), bounds.height(), px_per_mm);
    match print {
        Some(print) => sheet.lay(print),
        None => print::print_form(&mut sheet, template, paper)?,
    }

    let whole = [bounds];
    let is_whole_image = template.layout == PageLayout::WholeImage;
    let cells: Vec<&[Rect]> =
        template.fields.iter().map(|field| if is_whole_image { &whole[..] } else { field.layout.cells() }).collect();
    let frame = |cells: &&[Rect]| cells.iter().copied().reduce(Rect::union).unwrap_or(bounds);
    let frames: Vec<Rect> = cells.iter().map(frame).collect();
    let mut hostility = (options.hostile > 0.0).then(|| {
        let (of_deck, of_page) = ((options.hostile, options.hostile_kinds), (options.seed, page_idx));
        Hostility::new((template, bounds), entries, (&cells, &frames), writer, of_deck, of_page)
    });

    let mut truth = Vec::with_capacity(entries.len());
    // a number that hostile writing takes the place of is written off the sheet, so that all others are the same as without
    let mut scrap = Sheet::new(0.0, 0.0, px_per_mm);
    for (idx, (field, entry)) in template.fields.iter().zip(entries).enumerate() {
        let is_taken = hostility.as_ref().is_some_and(|hostility| hostility.takes(idx));
        let sheet = if is_taken { &mut scrap } else { &mut sheet };
        let ink_mm = writer.write(sheet, field, cells[idx], entry, options.touching, content);
        truth.push(FieldTruth {
            name: field.name.clone(),
            value: entry.value.clone(),
            written: entry.digits.clone(),
            ink_mm,
            corners_px: frames[idx].corners(),
        });
    }
    if let Some(hostility) = &mut hostility {
        hostility.write(&mut sheet, writer, options.touching, &mut truth);
    }

    let spoil = |image: &mut GrayImage, image_from_sheet: &Projection| {
        if let Some(hostility) = &mut hostility {
            let image_from_page = image_from_sheet.compose(&Projection::scaling(px_per_mm, px_per_mm));
            hostility.spoil_scan(image, &image_from_page, px_per_mm, &mut truth);
        }
    };
    let (image, image_from_sheet) = degrade_page(sheet.pixels, options, px_per_mm, spoil, wear)?;
    let hostile = hostility.map(Hostility::into_marks).unwrap_or_default();
    let page_from_template = image_from_sheet.compose(&Projection::scaling(px_per_mm, px_per_mm));
    for field in &mut truth {
        let [lt, _, rb, _] = field.corners_px;
        let on_form = Rect::from_edges(lt.x, lt.y, rb.x, rb.y);
        let needed = on_form.inflate(-MAX_CUT_OFF * on_form.height());
        field.corners_px = page_from_template.apply_rect(on_form);
        let (width, height) = (f64::from(image.width()), f64::from(image.height()));
        let area = Rect::from_edges(0.0, 0.0, width, height);
        let is_on_page = |p: &Point| area.contains(*p);
        if !page_from_template.apply_rect(needed).iter().all(is_on_page) {
            let is_centre_on_page = is_on_page(&page_from_template.apply(on_form.centre()));
            field.value = if is_centre_on_page { "?" } else { "!" }.to_owned();
        }
    }
    Ok(SynthPage { image, truth, page_from_template, hostile })
}

/// Draws the blank form, with all that is printed, at `dpi` dots per inch, 50 to 1200. `seed` selects the words that the
/// template leaves open. For a template that is the whole image, it draws an empty strip.
///
/// # Errors
/// `Usage` if the resolution is out of range.
pub fn print_blank(template: &FormTemplate, dpi: f64, seed: u64) -> Result<GrayImage> {
    SynthOptions { dpi, ..SynthOptions::default() }.check()?;
    let bounds = match &template.layout {
        PageLayout::Printed(landmarks) => landmarks.page,
        PageLayout::WholeImage => Rect::from_xywh(0.0, 0.0, STRIP_PITCH_MM * N_STRIP_DIGITS, STRIP_HEIGHT_MM),
    };
    let mut sheet = Sheet::new(bounds.width(), bounds.height(), dpi / MM_PER_INCH);
    print::print_form(&mut sheet, template, &mut Dice::seed_from_u64(seed))?;
    Ok(sheet.pixels)
}

/// Degrades a sheet in the natural order: toner, fold, placement on the scanner or photo, optics, sensor, fax line, file.
/// `spoil` gets the placed page before the optics, with the projection from pixels of the sheet to those of the page. Returns the image and the projection that maps pixels of the sheet to pixels of the image.
fn degrade_page(
    sheet: GrayImage,
    options: &SynthOptions,
    px_per_mm: f64,
    spoil: impl FnOnce(&mut GrayImage, &Projection),
    dice: &mut Dice,
) -> Result<(GrayImage, Projection)> {
    let d = &options.degradations;
    let image = degrade::stroke_weight(sheet, d.stroke_weight, dice);
    let image = degrade::fold(image, d.fold, px_per_mm, dice);
    let placement = Placement { skew_degrees: d.skew_degrees, shift: d.shift, scale: d.scale };
    let (image, placed) = degrade::place(image, placement, dice);
    let (image, seen) = degrade::perspective(image, d.perspective, dice);
    let mut image = degrade::uneven_light(image, d.uneven_light, dice);
    spoil(&mut image, &seen.compose(&placed));
    let image = degrade::blur(image, d.blur, px_per_mm, dice);
    let image = degrade::noise(image, d.noise, px_per_mm, dice);
    let image = degrade::fax(image, d.fax, dice);
    let n_turns = if dice.random_bool(options.turned) { dice.random_range(1..=3) } else { 0 };
    let (image, turned) = rotate_quarters(image, n_turns);
    let image = degrade::jpeg(image, d.jpeg, dice)?;
    Ok((image, turned.compose(&seen).compose(&placed)))
}

/// Rotates an image clockwise by `n_turns` quarters. Returns it with the projection from old to new pixels.
fn rotate_quarters(image: GrayImage, n_turns: u8) -> (GrayImage, Projection) {
    let (w, h) = (f64::from(image.width()), f64::from(image.height()));
    match n_turns % 4 {
        0 => (image, Projection::IDENTITY),
        1 => (imageops::rotate90(&image), Projection([0.0, -1.0, h, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0])),
        2 => (imageops::rotate180(&image), Projection([-1.0, 0.0, w, 0.0, -1.0, h, 0.0, 0.0, 1.0])),
        _ => (imageops::rotate270(&image), Projection([0.0, 1.0, 0.0, -1.0, 0.0, w, 0.0, 0.0, 1.0])),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use image::Luma;

    use super::*;
    use formread_core::form::known_templates;

    /// Ten glyphs that differ only in width, which is enough for drawing.
    pub(crate) fn bars() -> GlyphStock {
        let glyphs = (0..10).map(|digit| (GrayImage::from_pixel(3 + digit, 20, Luma([255])), digit as u8, None));
        GlyphStock::new(glyphs).expect("every digit is there")
    }

    pub(crate) fn template(name: &str) -> FormTemplate {
        let mut known = known_templates().expect("a test says they parse");
        known.remove(known.iter().position(|template| template.name == name).expect("it is known"))
    }

    fn small() -> SynthOptions {
        SynthOptions { dpi: 75.0, ..SynthOptions::default() }
    }

    #[test]
    fn page_with_the_same_seed_and_number_is_the_same() {
        let form = template("tax-return");
        let options = SynthOptions { degradations: Degradations::HARD, turned: 0.5, ..small() };
        let draw = |options: &SynthOptions, page_idx| {
            let page = synthesise(&form, &bars(), options, page_idx).expect("the options are good");
            (page.image, page.truth)
        };
        assert_eq!(draw(&options, 3), draw(&options, 3));
        assert_ne!(draw(&options, 3).1, draw(&options, 4).1);
        assert_ne!(draw(&SynthOptions { seed: 2, ..options }, 3).1, draw(&options, 3).1);
        let values = |options| draw(options, 3).1.into_iter().map(|field| field.written).collect::<Vec<_>>();
        assert_eq!(values(&options), values(&small()), "degradation changed what is written");
    }

    #[test]
    fn drawn_digits_lie_inside_their_field_in_order() {
        for name in ["tax-return", "strip"] {
            let form = template(name);
            let options = SynthOptions { touching: 0.5, points: 0.5, ..small() };
            for page_idx in 0..6 {
                let page = synthesise(&form, &bars(), &options, page_idx).expect("the options are good");
                for (field, truth) in form.fields.iter().zip(&page.truth) {
                    assert_eq!(truth.ink_mm.len(), truth.written.len());
                    let bounds = match form.layout {
                        PageLayout::WholeImage => Rect::from_xywh(0.0, 0.0, 1e3, STRIP_HEIGHT_MM),
                        PageLayout::Printed(_) => field.layout.bounds(),
                    };
                    for ink in &truth.ink_mm {
                        let inside = ink.corners().into_iter().all(|corner| bounds.inflate(1e-6).contains(corner));
                        assert!(inside, "{name}: {}: {ink:?} is not in {bounds:?}", field.name);
                    }
                    let in_order = truth.ink_mm.windows(2).all(|two| two[0].centre().x < two[1].centre().x);
                    assert!(in_order, "{name}: {}: {:?}", field.name, truth.ink_mm);
                }
            }
        }
    }

    #[test]
    fn truth_of_a_field_shifted_off_the_page_is_an_exclamation_mark() {
        let form = template("tax-return");
        let degradations = Degradations { shift: 1.0, ..Degradations::NONE };
        let options = SynthOptions { degradations, blanks: 0.0, ..small() };
        let mut n_off = 0;
        for page_idx in 0..8 {
            let page = synthesise(&form, &bars(), &options, page_idx).expect("the options are good");
            let (w, h) = (f64::from(page.image.width()), f64::from(page.image.height()));
            for field in page.truth {
                let centre = (field.corners_px[0] + field.corners_px[2]) * 0.5;
                let is_seen = Rect::from_edges(0.0, 0.0, w, h).contains(centre);
                assert_eq!(field.value == "!", !is_seen, "{}: {} at {centre:?}", field.name, field.value);
                n_off += usize::from(!is_seen);
            }
        }
        assert!(n_off > 0, "no page was shifted far");
    }

    #[test]
    fn rotate_quarters_returns_the_projection_of_each_pixel() {
        let image = GrayImage::from_fn(5, 7, |x, y| Luma([(x + 10 * y) as u8]));
        for n_turns in 0..4 {
            let (turned, map) = rotate_quarters(image.clone(), n_turns);
            let to = map.apply(Point::new(1.5, 2.5));
            assert_eq!(turned.get_pixel(to.x as u32, to.y as u32).0[0], 21, "{n_turns} turns");
        }
    }
}
