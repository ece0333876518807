//! Whole pages with hostile writing.

use image::GrayImage;

use super::*;
use crate::synth::{Degradations, SynthOptions, SynthPage, synthesise, tests::bars, tests::template};
use formread_core::form::parse_template;

/// Boxes and combs with free space around them, and two tick boxes.
fn form() -> FormTemplate {
    let mut text =
        "name = \"f\"\ntitle = \"t\"\npage = [150, 200]\nwords = [{ at = [20, 10, 40, 5], text = \"FORM\" }]\n"
            .to_owned();
    for i in 0..9 {
        let (y, kind) = (30 + 16 * i, if i % 3 == 2 { "code" } else { "integer" });
        let layout = match i % 2 {
            0 => format!("box = [60, {y}, 60, 9]\ndigits = [1, 7]"),
            _ => format!("comb = {{ at = [60, {y}], cell = [6, 8], groups = [7] }}"),
        };
        text += &format!("[[field]]\nname = \"n{i}\"\nkind = \"{kind}\"\n{layout}\n");
    }
    for i in 0..2 {
        text += &format!("[[field]]\nname = \"m{i}\"\nkind = \"mark\"\nbox = [{}, 180, 4, 4]\n", 20 + 15 * i);
    }
    parse_template(&text).expect("it is well formed")
}

fn options(hostile: f64, kinds: &[HostileKind]) -> SynthOptions {
    let hostile_kinds = kinds.iter().copied().collect();
    SynthOptions { dpi: 100.0, hostile, hostile_kinds, ..SynthOptions::default() }
}

fn draw(form: &FormTemplate, options: &SynthOptions, page_idx: u64) -> SynthPage {
    synthesise(form, &bars(), options, page_idx).expect("the options are good")
}

/// Whether the pages differ within `area`, pixels.
fn differs(a: &GrayImage, b: &GrayImage, area: Rect) -> bool {
    let pixels = a.enumerate_pixels().zip(b.pixels()).filter(|((.., a), b)| a.0[0].abs_diff(b.0[0]) > 20);
    let inside =
        |x: u32, y: u32| area.contains(formread_raster::geometry::Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
    pixels.filter(|((x, y, _), _)| inside(*x, *y)).count() > 3
}

fn field_px(truth: &FieldTruth) -> Rect {
    Rect::around(truth.corners_px).expect("it has corners")
}

#[test]
fn page_without_hostile_writing_is_the_same_as_before() {
    for form in [form(), template("tax-return"), template("strip")] {
        let plain = SynthOptions { dpi: 75.0, degradations: Degradations::MODERATE, ..SynthOptions::default() };
        let rare = SynthOptions { hostile: 0.02, ..plain };
        let mut n_untouched = 0;
        for page_idx in 0..12 {
            let (before, after) = (draw(&form, &plain, page_idx), draw(&form, &rare, page_idx));
            assert!(before.hostile.is_empty());
            if after.hostile.is_empty() {
                assert!(before.image == after.image && before.truth == after.truth, "{} {page_idx}", form.name);
                n_untouched += 1;
            }
        }
        assert!(n_untouched > 3, "{}: {n_untouched} of 12", form.name);
    }
}

#[test]
fn each_kind_of_field_changes_the_page_at_its_field_and_not_at_others() {
    let form = form();
    for kind in HostileKind::ALL.into_iter().filter(|kind| !kind.is_page_wide()) {
        let (mut n_fields, mut n_values) = (0, 0);
        for page_idx in 0..4 {
            let plain = draw(&form, &options(0.0, &HostileKind::ALL), page_idx);
            let page = draw(&form, &options(1.0, &[kind]), page_idx);
            for (before, after) in plain.truth.iter().zip(&page.truth) {
                let is_marked = page.hostile.iter().any(|mark| mark.field.as_ref() == Some(&after.name));
                assert!(page.hostile.iter().all(|mark| mark.kind == kind));
                if !is_marked {
                    assert_eq!(before, after, "{kind:?}");
                    assert!(
                        !differs(&plain.image, &page.image, field_px(after).inflate(-2.0)),
                        "{kind:?} {}",
                        after.name
                    );
                    continue;
                }
                n_fields += 1;
                n_values += usize::from(after.value != "!");
                // a field's own number is gone, or ink has come
                let around = field_px(after).inflate(40.0);
                assert!(differs(&plain.image, &page.image, around), "{kind:?} {}", after.name);
            }
        }
        assert!(n_fields >= 4, "{kind:?} is drawn {n_fields} times");
        // the ring leaves numbers as they are, and one that runs over may have as many digits as the field allows
        match kind {
            HostileKind::Circled => assert_eq!(n_values, n_fields),
            HostileKind::Overflow => assert!((1..n_fields).contains(&n_values), "{n_values} of {n_fields}"),
            _ => assert_eq!(n_values, 0, "{kind:?}"),
        }
    }
}

#[test]
fn writing_beside_a_field_leaves_it_blank() {
    let form = form();
    let blank = draw(&form, &SynthOptions { blanks: 1.0, ..options(0.0, &HostileKind::ALL) }, 0);
    for kind in [HostileKind::Beside, HostileKind::Between, HostileKind::TickBeside] {
        for page_idx in 0..6 {
            let page = draw(&form, &SynthOptions { blanks: 1.0, ..options(1.0, &[kind]) }, page_idx);
            let mut n_written = 0;
            for truth in page.truth.iter().filter(|truth| truth.value == "!") {
                assert!(!differs(&blank.image, &page.image, field_px(truth).inflate(-1.0)), "{kind:?} {}", truth.name);
                n_written += 1;
            }
            assert!(n_written > 0, "{kind:?}");
            assert_ne!(blank.image, page.image);
        }
    }
}

#[test]
fn overflow_goes_over_the_right_side_by_more_than_a_digit() {
    let form = form();
    let blank = draw(&form, &SynthOptions { blanks: 1.0, ..options(0.0, &HostileKind::ALL) }, 0);
    let page = draw(&form, &SynthOptions { blanks: 1.0, ..options(1.0, &[HostileKind::Overflow]) }, 0);
    for mark in &page.hostile {
        let truth = page.truth.iter().find(|truth| Some(&truth.name) == mark.field.as_ref()).expect("it is a field");
        let field = field_px(truth);
        let beyond = Rect::from_edges(field.x1 + 1.3 * 4.0 * 100.0 / 25.4 * 0.6, field.y0, field.x1 + 80.0, field.y1);
        assert!(differs(&blank.image, &page.image, beyond), "{}", truth.name);
        assert!(differs(&blank.image, &page.image, field.inflate(-2.0)), "{} begins in its field", truth.name);
    }
    assert!(page.hostile.len() > 4);
}

#[test]
fn ink_over_the_page_keeps_numbers_and_blanks_or_leaves_numbers_unscored() {
    let form = form();
    for kind in HostileKind::ALL.into_iter().filter(|kind| kind.is_page_wide()) {
        let (mut n_touched, mut n_unscored) = (0, 0);
        for page_idx in 0..10 {
            let plain = SynthOptions { blanks: 0.4, ..options(0.0, &HostileKind::ALL) };
            let (before, after) = (
                draw(&form, &plain, page_idx),
                draw(
                    &form,
                    &SynthOptions { hostile: 1.0, hostile_kinds: [kind].into_iter().collect(), ..plain },
                    page_idx,
                ),
            );
            assert_eq!(after.hostile[0], HostileMark { field: None, kind });
            assert_ne!(before.image, after.image, "{kind:?}");
            for (was, is) in before.truth.iter().zip(&after.truth) {
                let is_touched = after.hostile.iter().any(|mark| mark.field.as_ref() == Some(&is.name));
                n_touched += usize::from(is_touched);
                n_unscored += usize::from(is.value == "?");
                assert!(is.value == was.value || is_touched && is.value == "?" && !was.value.is_empty(), "{kind:?}");
                assert_eq!(is.written, was.written);
            }
        }
        assert!(n_touched >= 4, "{kind:?} touched {n_touched} fields");
        let may_hide = matches!(kind, HostileKind::VoidLine | HostileKind::Word | HostileKind::Glare);
        assert_eq!(n_unscored > 0, may_hide, "{kind:?}: {n_unscored}");
    }
}

#[test]
fn hostile_page_with_the_same_seed_and_number_is_the_same() {
    let form = form();
    let options = SynthOptions { degradations: Degradations::HARD, ..options(0.6, &HostileKind::ALL) };
    let (once, again) = (draw(&form, &options, 3), draw(&form, &options, 3));
    assert!(once.image == again.image && once.truth == again.truth && once.hostile == again.hostile);
    assert_ne!(draw(&form, &options, 4).hostile, once.hostile);
    assert_ne!(draw(&form, &SynthOptions { seed: 2, ..options }, 3).hostile, once.hostile);
}
