//! Registration of drawn forms that are turned, cut off, noisy or photographed, and of pages of no known form.
//!
//! The right template must fit each field, or the page must be rejected.

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
use image::{GrayImage, Luma};

/// Maximum distance of a field's corner from where it was drawn, millimetres: a fifth of a stroke's height.
const MAX_OFFSET_MM: f64 = 0.5;
/// Resolution of the drawn pages.
const DPI: f64 = 150.0;

/// Seven-segment digits, as a pocket calculator shows them. These tests do not read the digits.
pub fn glyphs() -> GlyphStock {
    const STROKES: [[u32; 4]; 7] =
        [[8, 4, 12, 3], [17, 4, 3, 10], [17, 14, 3, 10], [8, 21, 12, 3], [8, 14, 3, 10], [8, 4, 3, 10], [8, 12, 12, 3]];
    const SEGMENTS: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];
    let glyph = |digit: u8| {
        let is_lit = |(i, _): &(usize, &[u32; 4])| SEGMENTS[usize::from(digit)] >> i & 1 == 1;
        let ink = GrayImage::from_fn(28, 28, |x, y| {
            let contains =
                |[left, top, w, h]: &[u32; 4]| (*left..left + w).contains(&x) && (*top..top + h).contains(&y);
            Luma([if STROKES.iter().enumerate().filter(is_lit).any(|(_, stroke)| contains(stroke)) { 255 } else { 0 }])
        });
        (ink, digit, None)
    };
    GlyphStock::new((0..10).map(glyph)).expect("the stock has every digit")
}

/// The shipped forms.
pub fn forms() -> Vec<FormTemplate> {
    let known = known_templates().expect("the templates parse");
    known.into_iter().filter(|template| template.layout != PageLayout::WholeImage).collect()
}

fn options(degradations: Degradations) -> SynthOptions {
    SynthOptions { dpi: DPI, degradations, ..SynthOptions::default() }
}

/// Checks that a drawn page is identified as `forms[idx]`, and that each field on the page is where it was drawn.
#[track_caller]
pub fn assert_registered(forms: &[FormTemplate], idx: usize, drawn: &SynthPage, case: &str) {
    let name = &forms[idx].name;
    let page = Page::upright(drawn.image.clone(), None);
    let (template_idx, registration) = identify(&page, forms, &RegisterParams::default())
        .unwrap_or_else(|failure| panic!("{name}, {case}: {}: {}", failure.reason, failure.detail));
    assert_eq!(&forms[template_idx].name, name, "{case}");
    let px_per_mm = drawn.page_from_template.scale_at(forms[idx].centre());
    let mut n_checked = 0;
    for ((field, fit), truth) in forms[idx].fields.iter().zip(&registration.fields).zip(&drawn.truth) {
        if !fit.on_page || matches!(truth.value.as_str(), "!" | "?") {
            continue;
        }
        for (corner, drawn_at) in field.layout.bounds().corners().into_iter().zip(truth.corners_px) {
            let offset_mm = (fit.locate(corner) - drawn_at).norm() / px_per_mm;
            assert!(offset_mm < MAX_OFFSET_MM, "{name}, {case}: field {} is off by {offset_mm:.2} mm", field.name);
        }
        n_checked += 1;
    }
    assert!(n_checked > 0, "{name}, {case}: no field is on the page");
}

/// Draws two pages of each form with these degradations, changes them with `damage`, and checks that they are registered.
///
/// `turned` is the share of pages that are turned by a quarter or a half.
fn assert_each_form_registered(case: &str, degradations: Degradations, turned: f64, damage: impl Fn(&mut GrayImage)) {
    let (forms, glyphs) = (forms(), glyphs());
    let options = SynthOptions { turned, ..options(degradations) };
    for (idx, template) in forms.iter().enumerate() {
        for page_idx in 0..2 {
            let mut drawn = synthesise(template, &glyphs, &options, page_idx).expect("the options are in range");
            damage(&mut drawn.image);
            assert_registered(&forms, idx, &drawn, &format!("{case}, page {page_idx}"));
        }
    }
}

#[test]
fn form_as_drawn_is_registered() {
    assert_each_form_registered("as drawn", Degradations::NONE, 0.0, |_| ());
}

#[test]
fn form_turned_by_quarters_or_upside_down_is_registered() {
    assert_each_form_registered("turned", Degradations::NONE, 1.0, |_| ());
}

#[test]
fn form_skewed_by_ten_degrees_is_registered() {
    assert_each_form_registered("skewed", Degradations { skew_degrees: 10.0, ..Degradations::NONE }, 0.0, |_| ());
}

#[test]
fn form_shifted_by_a_quarter_and_cut_off_is_registered() {
    assert_each_form_registered("shifted", Degradations { shift: 1.0, ..Degradations::NONE }, 0.0, |_| ());
}

#[test]
fn form_scaled_from_70_to_140_percent_is_registered() {
    assert_each_form_registered("scaled", Degradations { scale: 1.0, ..Degradations::NONE }, 0.0, |_| ());
}

#[test]
fn form_in_perspective_and_uneven_light_is_registered() {
    let tilted = Degradations { perspective: 0.7, uneven_light: 0.5, ..Degradations::NONE };
    assert_each_form_registered("in perspective", tilted, 0.0, |_| ());
}

#[test]
fn form_with_noise_blur_and_compression_is_registered() {
    assert_each_form_registered(
        "noisy",
        Degradations { noise: 0.7, blur: 0.5, jpeg: 0.7, ..Degradations::NONE },
        0.0,
        |_| (),
    );
}

#[test]
fn form_with_a_missing_corner_is_registered() {
    assert_each_form_registered("a corner is missing", Degradations::NONE, 0.0, |image| {
        let (width, height) = image.dimensions();
        for (x, y, pixel) in image.enumerate_pixels_mut() {
            if f64::from(x) / f64::from(width) * 3.0 + f64::from(y) / f64::from(height) * 4.0 < 1.0 {
                *pixel = Luma([0]);
            }
        }
    });
}

/// Salt and pepper noise, a hundredth of the page each, and a light pattern behind everything.
#[test]
fn form_with_speckles_and_a_watermark_is_registered() {
    assert_each_form_registered("speckled", Degradations::NONE, 0.0, |image| {
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
fn form_with_writing_everywhere_is_registered() {
    assert_each_form_registered("with writing everywhere", Degradations::NONE, 0.0, |image| {
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

/// Below a dark crease, the page is shifted by 0.8 mm to the right.
#[test]
fn form_with_a_fold_is_registered() {
    let (forms, glyphs) = (forms(), glyphs());
    for (idx, template) in forms.iter().enumerate() {
        let mut drawn =
            synthesise(template, &glyphs, &options(Degradations::NONE), 0).expect("the options are in range");
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

/// The reason for which no form is identified.
#[track_caller]
fn reject_reason(image: GrayImage) -> PageReject {
    let page = Page::upright(image, None);
    match identify(&page, &forms(), &RegisterParams::default()) {
        Err(failure) => failure.reason,
        Ok((idx, registration)) => {
            panic!("identified as {}, support {:.2}", forms()[idx].name, registration.support)
        }
    }
}

#[test]
fn empty_page_is_rejected_as_blank() {
    assert_eq!(reject_reason(GrayImage::from_pixel(1240, 1754, Luma([250]))), PageReject::BlankPage);
}

#[test]
fn page_of_noise_text_or_a_table_is_unknown() {
    let mut state = 99u32;
    let mut random = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let noise = GrayImage::from_fn(1240, 1754, |_, _| Luma([(random() & 0xff) as u8]));
    assert_eq!(reject_reason(noise), PageReject::UnknownForm);

    let text = GrayImage::from_fn(1240, 1754, |x, y| {
        let in_line = y % 36 < 18 && (100..1140).contains(&x) && (120..1650).contains(&y);
        let letter = (x / 9 * 7 + y / 36 * 13) % 5 != 0 && x % 9 < 6 && (x + y) % 4 < 2;
        Luma([if in_line && letter { 30 } else { 245 }])
    });
    assert_eq!(reject_reason(text), PageReject::UnknownForm);

    let table = GrayImage::from_fn(1240, 1754, |x, y| {
        let inside = (100..1143).contains(&x) && (150..1593).contains(&y);
        let on_line = (x - 100.min(x)) % 80 < 3 || (y - 150.min(y)) % 40 < 3;
        Luma([if inside && on_line { 30 } else { 245 }])
    });
    assert_eq!(reject_reason(table), PageReject::UnknownForm);
}

/// Each form is compared with the templates of all other forms.
#[test]
fn form_without_a_template_is_unknown() {
    let (forms, glyphs) = (forms(), glyphs());
    for (idx, template) in forms.iter().enumerate() {
        let drawn = synthesise(template, &glyphs, &options(Degradations::NONE), 0).expect("the options are in range");
        let others: Vec<FormTemplate> =
            forms.iter().enumerate().filter(|(i, _)| *i != idx).map(|(_, form)| form.clone()).collect();
        let page = Page::upright(drawn.image, None);
        let result = identify(&page, &others, &RegisterParams::default());
        let reason = result.map(|(i, _)| others[i].name.clone()).map_err(|failure| failure.reason);
        assert_eq!(reason, Err(PageReject::UnknownForm), "page of {}", template.name);
    }
}
