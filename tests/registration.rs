//! Forms drawn by `synth` and ill-treated: the right template must lie on each field, or the page must be refused.

use formread_core::{
    form::{FormTemplate, PageLayout, known_templates},
    register::{RegisterParams, identify},
};
use formread_page::Page;
use formread_raster::{
    error::PageReject,
    geometry::{Point, Rect},
};
use formread_tools::synth::{Degradations, GlyphStock, SynthOptions, SynthPage, synthesise};
use image::{GrayImage, Luma, imageops};

/// How far a field's corner may lie from where it was drawn, millimetres: a fifth of a stroke's height.
const TOLERANCE_MM: f64 = 0.5;
/// Degradations of strength 1 are stronger than what is asked of registration here.
const DPI: f64 = 150.0;

/// Digits of straight strokes, as a pocket calculator shows them: what is written does not matter here.
pub fn glyphs() -> GlyphStock {
    const STROKES: [[u32; 4]; 7] =
        [[8, 4, 12, 3], [17, 4, 3, 10], [17, 14, 3, 10], [8, 21, 12, 3], [8, 14, 3, 10], [8, 4, 3, 10], [8, 12, 12, 3]];
    const LIT: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];
    let sign = |digit: u8| {
        let lit = |(i, _): &(usize, &[u32; 4])| LIT[usize::from(digit)] >> i & 1 == 1;
        let ink = GrayImage::from_fn(28, 28, |x, y| {
            let on = |[left, top, w, h]: &[u32; 4]| (*left..left + w).contains(&x) && (*top..top + h).contains(&y);
            Luma([if STROKES.iter().enumerate().filter(lit).any(|(_, stroke)| on(stroke)) { 255 } else { 0 }])
        });
        (ink, digit, None)
    };
    GlyphStock::new((0..10).map(sign)).expect("there is one of each")
}

fn forms() -> Vec<FormTemplate> {
    let known = known_templates().expect("they parse");
    known.into_iter().filter(|template| template.layout != PageLayout::WholeImage).collect()
}

fn options(degradations: Degradations) -> SynthOptions {
    SynthOptions { dpi: DPI, degradations, ..SynthOptions::default() }
}

/// Registers a drawn page among all forms; the largest distance of a corner of a field that lies on the page from where
/// it was drawn, millimetres.
#[track_caller]
fn assert_registered(forms: &[FormTemplate], idx: usize, drawn: &SynthPage, what: &str) {
    let name = &forms[idx].name;
    let page = Page::upright(drawn.image.clone(), None);
    let (found, registration) = identify(&page, forms, &RegisterParams::default())
        .unwrap_or_else(|failure| panic!("{name}, {what}: {}: {}", failure.reason, failure.detail));
    assert_eq!(&forms[found].name, name, "{what}");
    let px_per_mm = drawn.page_from_template.scale_at(forms[idx].centre());
    let mut n_checked = 0;
    for ((field, fit), truth) in forms[idx].fields.iter().zip(&registration.fields).zip(&drawn.truth) {
        if !fit.on_page || matches!(truth.value.as_str(), "!" | "?") {
            continue;
        }
        for (corner, place) in field.layout.bounds().corners().into_iter().zip(truth.corners_px) {
            let off_mm = (fit.locate(corner) - place).norm() / px_per_mm;
            assert!(off_mm < TOLERANCE_MM, "{name}, {what}: field {} lies {off_mm:.2} mm off", field.name);
        }
        n_checked += 1;
    }
    assert!(n_checked > 0, "{name}, {what}: no field is on the page");
}

/// Each form, drawn with these degradations and then treated by `treat`.
fn each_form(what: &str, degradations: Degradations, turned: f64, treat: impl Fn(&mut GrayImage)) {
    let (forms, glyphs) = (forms(), glyphs());
    let options = SynthOptions { turned, ..options(degradations) };
    for (idx, template) in forms.iter().enumerate() {
        for page_idx in 0..2 {
            let mut drawn = synthesise(template, &glyphs, &options, page_idx).expect("the options are in range");
            treat(&mut drawn.image);
            assert_registered(&forms, idx, &drawn, &format!("{what}, page {page_idx}"));
        }
    }
}

#[test]
fn as_drawn() {
    each_form("as drawn", Degradations::NONE, 0.0, |_| ());
}

#[test]
fn turned_by_quarters_and_upside_down() {
    each_form("turned", Degradations::NONE, 1.0, |_| ());
}

#[test]
fn skewed_by_ten_degrees() {
    each_form("skewed", Degradations { skew_degrees: 10.0, ..Degradations::NONE }, 0.0, |_| ());
}

#[test]
fn shifted_by_a_quarter_and_cut_off() {
    each_form("shifted", Degradations { shift: 1.0, ..Degradations::NONE }, 0.0, |_| ());
}

#[test]
fn scaled_from_70_to_140_percent() {
    each_form("scaled", Degradations { scale: 1.0, ..Degradations::NONE }, 0.0, |_| ());
}

#[test]
fn in_perspective_on_a_table_in_uneven_light() {
    let tilted = Degradations { perspective: 0.7, uneven_light: 0.5, ..Degradations::NONE };
    each_form("in perspective", tilted, 0.0, |_| ());
}

#[test]
fn noisy_blurred_and_compressed() {
    each_form("noisy", Degradations { noise: 0.7, blur: 0.5, jpeg: 0.7, ..Degradations::NONE }, 0.0, |_| ());
}

#[test]
fn with_a_missing_corner() {
    each_form("a corner is missing", Degradations::NONE, 0.0, |image| {
        let (width, height) = image.dimensions();
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            if f64::from(x) / f64::from(width) * 3.0 + f64::from(y) / f64::from(height) * 4.0 < 1.0 {
                *pixel = Luma([0]);
            }
        }
    });
}

/// Pepper and salt, a hundredth of the page each, and a light pattern under everything.
#[test]
fn speckled_and_watermarked() {
    each_form("speckled", Degradations::NONE, 0.0, |image| {
        let mut state = 12_345u32;
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let ring = ((f64::from(x % 240) - 120.0).hypot(f64::from(y % 240) - 120.0) / 20.0).fract() < 0.5;
            let paper = if ring { 0.9 } else { 1.0 };
            pixel[0] = match state >> 16 & 0x7f {
                0 => 0,
                1 => 255,
                _ => (f64::from(pixel[0]) * paper) as u8,
            };
        }
    });
}

/// Wavy lines of handwriting all over the page.
#[test]
fn filled_in_everywhere() {
    each_form("filled in everywhere", Degradations::NONE, 0.0, |image| {
        let (width, height) = image.dimensions();
        for line in 0..height / 45 {
            for step in 0..width * 4 {
                let t = f64::from(step) / 4.0;
                let x = t + 6.0 * (t / 7.0).sin();
                let y = 30.0 + 45.0 * f64::from(line) + 9.0 * (t / 5.0).sin() + 4.0 * (t / 31.0).sin();
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    if let Some(pixel) = image.get_pixel_mut_checked(x as u32 + dx, y as u32 + dy) {
                        *pixel = Luma([40]);
                    }
                }
            }
        }
    });
}

/// The lower half lies 0.8 mm beside the upper one, across a dark crease.
#[test]
fn folded() {
    let (forms, glyphs) = (forms(), glyphs());
    for (idx, template) in forms.iter().enumerate() {
        let mut drawn = synthesise(template, &glyphs, &options(Degradations::NONE), 0).expect("they are in range");
        let (width, height) = drawn.image.dimensions();
        let (crease, shift_px) = (height / 3, (0.8 * DPI / 25.4) as u32);
        let flat = drawn.image.clone();
        drawn.image = GrayImage::from_fn(width, height, |x, y| match y {
            y if y < crease => *flat.get_pixel(x, y),
            y if y < crease + 3 => Luma([110]),
            y => *flat.get_pixel(x.saturating_sub(shift_px), y),
        });
        for truth in &mut drawn.truth {
            let bounds = Rect::around(truth.corners_px).expect("it has corners");
            if bounds.y1 >= f64::from(crease) && bounds.y0 <= f64::from(crease + 3) {
                truth.value = "?".to_owned();
            } else if bounds.y0 > f64::from(crease) {
                truth.corners_px = truth.corners_px.map(|p| p + Point::new(f64::from(shift_px), 0.0));
            }
        }
        assert_registered(&forms, idx, &drawn, "folded");
    }
}

#[track_caller]
fn refusal(image: GrayImage) -> PageReject {
    let page = Page::upright(image, None);
    match identify(&page, &forms(), &RegisterParams::default()) {
        Err(failure) => failure.reason,
        Ok((idx, registration)) => {
            panic!("taken for {}, support {:.2}", forms()[idx].name, registration.support)
        }
    }
}

#[test]
fn an_empty_page_is_blank() {
    assert_eq!(refusal(GrayImage::from_pixel(1240, 1754, Luma([250]))), PageReject::BlankPage);
}

#[test]
fn noise_text_and_tables_are_no_form() {
    let mut state = 99u32;
    let mut dice = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let noise = GrayImage::from_fn(1240, 1754, |_, _| Luma([(dice() & 0xff) as u8]));
    assert_eq!(refusal(noise), PageReject::UnknownForm);

    let text = GrayImage::from_fn(1240, 1754, |x, y| {
        let in_line = y % 36 < 18 && (100..1140).contains(&x) && (120..1650).contains(&y);
        let letter = (x / 9 * 7 + y / 36 * 13) % 5 != 0 && x % 9 < 6 && (x + y) % 4 < 2;
        Luma([if in_line && letter { 30 } else { 245 }])
    });
    assert_eq!(refusal(text), PageReject::UnknownForm);

    let table = GrayImage::from_fn(1240, 1754, |x, y| {
        let inside = (100..1143).contains(&x) && (150..1593).contains(&y);
        let on_line = (x - 100.min(x)) % 80 < 3 || (y - 150.min(y)) % 40 < 3;
        Luma([if inside && on_line { 30 } else { 245 }])
    });
    assert_eq!(refusal(table), PageReject::UnknownForm);
}

/// A form that is not among those known, though another of our forms is.
#[test]
fn another_form_is_unknown() {
    let (forms, glyphs) = (forms(), glyphs());
    for (idx, template) in forms.iter().enumerate() {
        let drawn = synthesise(template, &glyphs, &options(Degradations::NONE), 0).expect("they are in range");
        let others: Vec<FormTemplate> =
            forms.iter().enumerate().filter(|(i, _)| *i != idx).map(|(_, form)| form.clone()).collect();
        let page = Page::upright(drawn.image, None);
        let taken = identify(&page, &others, &RegisterParams::default());
        let reason = taken.map(|(i, _)| others[i].name.clone()).map_err(|failure| failure.reason);
        assert_eq!(reason, Err(PageReject::UnknownForm), "a page of {}", template.name);
    }
}

/// A page that is turned, stored upside down: nothing above depends on which way up the form's own drawing is.
#[test]
fn a_mirrored_form_is_unknown() {
    let template = forms().into_iter().find(|form| form.name == "tax-return").expect("it is known");
    let drawn = synthesise(&template, &glyphs(), &options(Degradations::NONE), 0).expect("they are in range");
    assert_eq!(refusal(imageops::flip_horizontal(&drawn.image)), PageReject::UnknownForm);
}
