//! Whole pages: forms turned by any angle, several forms on one picture, and mirrored forms, drawn of the shipped forms.

use formread_core::register::{RegisterParams, identify};
use formread_page::Page;
use formread_raster::{
    error::PageReject,
    geometry::{Projection, Rect},
    rectify,
};
use formread_tools::synth::{Degradations, SynthOptions, SynthPage, print_blank, synthesise};
use image::{GrayImage, Luma, imageops};

use crate::registration::{assert_registered, forms, glyphs};

/// Resolution of the drawn pages.
const DPI: f64 = 150.0;
/// Grey level of the scanner's lid.
const LID: Luma<u8> = Luma([250]);

/// Pages 0 and 1 of each shipped form, filled in.
fn filled() -> Vec<[SynthPage; 2]> {
    let options = SynthOptions { dpi: DPI, degradations: Degradations::NONE, ..SynthOptions::default() };
    let glyphs = glyphs();
    let draw = |template, idx| synthesise(template, &glyphs, &options, idx).expect("the options are in range");
    forms().iter().map(|template| [0, 1].map(|idx| draw(template, idx))).collect()
}

/// A picture turned clockwise by `degrees`, with room for all of it.
fn turned(picture: &GrayImage, degrees: f64) -> (GrayImage, Projection) {
    let bounds = Rect::from_edges(0.0, 0.0, f64::from(picture.width()), f64::from(picture.height()));
    let rotation = Projection::rotation(degrees.to_radians());
    let area = Rect::around(rotation.apply_rect(bounds)).expect("it has corners");
    let map = Projection::translation(-area.x0, -area.y0).compose(&rotation);
    let back = map.inverse().expect("it is a turn");
    (rectify(picture, &back, Rect::from_xywh(0.0, 0.0, area.width(), area.height()), 1.0), map)
}

/// Pictures side by side on a scanner's glass, or one under the other.
fn on_one_picture(parts: &[&GrayImage], downwards: bool) -> GrayImage {
    const GAP_PX: u32 = 20;
    let sides = |of: fn(&GrayImage) -> u32| parts.iter().map(move |part| of(part));
    let (widths, heights) = (sides(GrayImage::width), sides(GrayImage::height));
    let all_gaps = GAP_PX * parts.len() as u32;
    let (width, height) = match downwards {
        true => (widths.max().unwrap_or(0), heights.sum::<u32>() + all_gaps),
        false => (widths.sum::<u32>() + all_gaps, heights.max().unwrap_or(0)),
    };
    let mut picture = GrayImage::from_pixel(width, height, LID);
    let mut at = 0;
    for part in parts {
        let [x, y] = if downwards { [0, at] } else { [at, 0] };
        imageops::replace(&mut picture, *part, x, y);
        at += i64::from(GAP_PX + if downwards { part.height() } else { part.width() });
    }
    picture
}

/// The name of the form that `picture` is identified as, or the reason why not, with its detail.
fn identified(picture: GrayImage) -> Result<String, (PageReject, String)> {
    let forms = forms();
    match identify(&Page::upright(picture, None), &forms, &RegisterParams::default()) {
        Ok((idx, _)) => Ok(forms[idx].name.clone()),
        Err(failure) => Err((failure.reason, failure.detail)),
    }
}

#[track_caller]
fn assert_rejected(picture: GrayImage, reason: PageReject, case: &str) {
    match identified(picture) {
        Err((found, detail)) => assert_eq!(found, reason, "{case}: {detail}"),
        Ok(name) => panic!("{case}: identified as {name}"),
    }
}

#[test]
fn form_turned_by_any_angle_is_registered() {
    let forms = forms();
    for (idx, [drawn, _]) in filled().into_iter().enumerate() {
        for degrees in [8.0, 10.0, 20.0, 30.0, 44.0, 110.0, 224.0, 290.0] {
            let (image, map) = turned(&drawn.image, degrees);
            let mut page = SynthPage { image, ..drawn.clone() };
            page.page_from_template = map.compose(&drawn.page_from_template);
            for field in &mut page.truth {
                field.corners_px = field.corners_px.map(|corner| map.apply(corner));
            }
            assert_registered(&forms, idx, &page, &format!("turned by {degrees} degrees"));
        }
    }
}

#[test]
fn several_forms_on_one_picture_are_rejected() {
    let (forms, filled) = (forms(), filled());
    for (idx, [first, second]) in filled.iter().enumerate() {
        let (name, first, second) = (&forms[idx].name, &first.image, &second.image);
        let blank = print_blank(&forms[idx], DPI, 3).expect("the resolution is in range");
        let other = &filled[(idx + 1) % filled.len()][0].image;
        let upside_down = imageops::rotate180(second);
        let [a_little, the_other_way] = [2.0, -3.0].map(|degrees| turned(second, degrees).0);
        let cases = [
            ("side by side", on_one_picture(&[first, second], false)),
            ("one above the other", on_one_picture(&[first, second], true)),
            ("a filled and a blank one", on_one_picture(&[first, &blank], false)),
            ("a blank and a filled one", on_one_picture(&[&blank, first], true)),
            ("two different ones", on_one_picture(&[first, other], false)),
            ("one upside down", on_one_picture(&[first, &upside_down], false)),
            ("one on its side", on_one_picture(&[first, &imageops::rotate90(second)], true)),
            ("skewed", on_one_picture(&[&a_little, &the_other_way], false)),
            ("four", on_one_picture(&[&on_one_picture(&[first, second], false); 2], true)),
        ];
        for (case, picture) in cases {
            assert_rejected(picture, PageReject::SeveralForms, &format!("{name}, {case}"));
        }
    }
}

#[test]
fn one_form_on_a_picture_with_something_else_is_read() {
    let (forms, filled) = (forms(), filled());
    for (idx, [first, second]) in filled.iter().enumerate() {
        let (name, first, second) = (&forms[idx].name, &first.image, &second.image);
        let (width, height) = first.dimensions();
        let edge = imageops::crop_imm(second, 0, 0, width / 5, height).to_image();
        let foot = imageops::crop_imm(second, 0, height * 4 / 5, width, height / 5).to_image();
        let lid = |level| GrayImage::from_pixel(width / 2, height * 3 / 2, Luma([level]));
        let text = GrayImage::from_fn(width, height, |x, y| {
            let in_line = y % 36 < 18 && (100..width - 100).contains(&x) && (120..height - 100).contains(&y);
            let letter = (x / 9 * 7 + y / 36 * 13) % 5 != 0 && x % 9 < 6 && (x + y) % 4 < 2;
            Luma([if in_line && letter { 30 } else { 245 }])
        });
        let cases = [
            ("a larger flatbed", on_one_picture(&[first, &lid(250)], false)),
            ("a larger flatbed with an open lid", on_one_picture(&[first, &lid(40)], false)),
            ("a neighbour's edge", on_one_picture(&[first, &edge], false)),
            ("a neighbour's foot", on_one_picture(&[&foot, first], true)),
            ("a page of text, as in a booklet", on_one_picture(&[&text, first], false)),
        ];
        for (case, picture) in cases {
            assert_eq!(identified(picture).as_ref(), Ok(name), "{case}");
        }
    }
}

#[test]
fn mirrored_form_is_rejected_as_mirrored() {
    let forms = forms();
    for (idx, [first, second]) in filled().iter().enumerate() {
        let (name, mirrored) = (&forms[idx].name, imageops::flip_horizontal(&first.image));
        let cases = [
            ("left to right", mirrored.clone()),
            ("top to bottom", imageops::flip_vertical(&second.image)),
            ("on its side", imageops::rotate90(&mirrored)),
            ("skewed", turned(&mirrored, 4.0).0),
            ("turned", turned(&mirrored, 20.0).0),
        ];
        for (case, picture) in cases {
            assert_rejected(picture, PageReject::Mirrored, &format!("{name}, {case}"));
        }
    }
}
