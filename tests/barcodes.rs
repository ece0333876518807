//! Forms that differ only in their barcode.
//!
//! A page is identified as its own form, and a page of another form is rejected. Where the barcode cannot be read, geometry
//! decides.

use std::time::{Duration, Instant};

use formread_core::{
    form::{FormTemplate, parse_template},
    register::{RegisterParams, RegistrationFailure, identify},
};
use formread_page::Page;
use formread_raster::{
    error::PageReject,
    geometry::{Point, Rect},
};
use formread_tools::synth::{Degradations, SynthOptions, SynthPage, synthesise};
use image::{GrayImage, Luma};
use rayon::prelude::*;

use crate::registration::glyphs;

const DPI: f64 = 200.0;

/// Degradations of a page from an office scanner.
pub const MILD: Degradations = Degradations {
    skew_degrees: 1.0,
    shift: 0.02,
    scale: 0.03,
    blur: 0.15,
    noise: 0.1,
    stroke_weight: 0.1,
    jpeg: 0.2,
    uneven_light: 0.1,
    ..Degradations::NONE
};

/// A symbology, the area of the barcode in millimetres, and its text on form number 1.
type Barcode = (&'static str, [f64; 4], &'static str);

/// Barcodes of common sizes.
const BARCODES: [Barcode; 7] = [
    ("qr", [160.0, 15.0, 14.0, 14.0], "TAX-2026/1"),
    ("data-matrix", [160.0, 15.0, 8.0, 8.0], "TAX-2026/1"),
    ("aztec", [160.0, 15.0, 10.0, 10.0], "TAX-2026/1"),
    ("pdf417", [140.0, 15.0, 45.0, 10.0], "TAX-2026/1"),
    ("code-128", [140.0, 15.0, 40.0, 9.0], "TAX-2026/1"),
    ("code-39", [140.0, 15.0, 50.0, 9.0], "TAX-2026/1"),
    ("itf", [140.0, 15.0, 30.0, 9.0], "20260001"),
];

/// A form with boxes, lines, a heading and `more`.
pub fn form(name: &str, more: &str) -> FormTemplate {
    let head = "title = \"t\"\npage = [210, 297]\nwords = [{ at = [20, 17, 80, 7] }]\n\
                lines = [[15, 40, 195, 40], [15, 47, 195, 47], [15, 270, 195, 270], [70, 40, 70, 60], [12, 40, 12, 270]]\n";
    let field = |n: usize| {
        let (x, y) = (80 + 12 * (n % 3), 65 + 33 * n);
        format!("[[field]]\nname = \"f{n}\"\nkind = \"integer\"\ndigits = [1, 6]\nbox = [{x}, {y}, 50, 9]\n")
    };
    let fields: String = (0..6).map(field).collect();
    let text = format!("name = \"{name}\"\n{head}{more}{fields}");
    parse_template(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The entry of a barcode in a template.
fn barcode(symbology: &str, at: [f64; 4], text: &str) -> String {
    format!("[[barcode]]\nat = {at:?}\nsymbology = {symbology:?}\nsays = {text:?}\n")
}

/// Forms that differ only in the last digit of their barcode: numbers 1, 2 and 7.
fn family((symbology, at, text): Barcode) -> [FormTemplate; 3] {
    let numbered = |n: u32| {
        let text = format!("{}{n}", &text[..text.len() - 1]);
        form(&format!("form-{n}"), &barcode(symbology, at, &text))
    };
    [numbered(1), numbered(2), numbered(7)]
}

pub fn draw(form: &FormTemplate, degradations: Degradations, page: u64) -> SynthPage {
    let options = SynthOptions { dpi: DPI, degradations, ..SynthOptions::default() };
    synthesise(form, &glyphs(), &options, page).expect("the options are in range")
}

/// The name of the form that a page is identified as, or why it is rejected.
fn identify_form(image: GrayImage, templates: &[FormTemplate]) -> Result<String, RegistrationFailure> {
    let result = identify(&Page::upright(image, None), templates, &RegisterParams::default());
    result.map(|(idx, _)| templates[idx].name.clone())
}

/// Paints the pixels within `area` (millimetres) of a drawn page with the values of `grey`.
pub fn paint(drawn: &mut SynthPage, area: Rect, grey: impl Fn(u32, u32) -> u8) {
    let template_from_page = drawn.page_from_template.inverse().expect("it is regular");
    for (x, y, pixel) in drawn.image.enumerate_pixels_mut() {
        if area.contains(template_from_page.apply(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5))) {
            *pixel = Luma([grey(x, y)]);
        }
    }
}

#[test]
fn forms_that_differ_only_in_their_barcode_are_distinguished() {
    let skewed = Degradations { skew_degrees: 10.0, ..Degradations::NONE };
    let photographed = Degradations { perspective: 0.6, uneven_light: 0.5, ..Degradations::NONE };
    for barcode in BARCODES {
        let [one, two, seven] = family(barcode);
        let templates = [one, two];
        let is_common = ["qr", "code-128"].contains(&barcode.0);
        let degradations = [Degradations::MODERATE, MILD, skewed, photographed];
        for (page, degradations) in (1..).zip(degradations).take(if is_common { 4 } else { 1 }) {
            for own in &templates {
                let name = identify_form(draw(own, degradations, page).image, &templates);
                assert_eq!(name.as_ref(), Ok(&own.name), "{} on page {page}", barcode.0);
            }
            let failure =
                identify_form(draw(&seven, degradations, page).image, &templates).expect_err("it is neither form");
            assert_eq!((failure.reason, failure.template_idx), (PageReject::UnknownForm, None));
            assert!(failure.detail.contains("7\", expected: "), "{} on page {page}: {}", barcode.0, failure.detail);
        }
    }
}

#[test]
fn barcode_that_runs_up_the_page_is_read() {
    for (symbology, at) in [("code-128", [184.0, 60.0, 9.0, 40.0]), ("pdf417", [184.0, 60.0, 10.0, 45.0])] {
        let [one, two, _] = family((symbology, at, "TAX-2026/1"));
        let image = draw(&two, MILD, 5).image;
        assert_eq!(identify_form(image, &[one, two]).as_deref(), Ok("form-2"), "{symbology}");
    }
}

#[test]
fn form_of_last_year_is_not_read_as_form_of_this_year() {
    let [this, last, _] = family(BARCODES[0]);
    let image = draw(&last, Degradations::MODERATE, 3).image;
    let failure = identify_form(image.clone(), std::slice::from_ref(&this)).expect_err("it is another form");
    assert_eq!(failure.detail, "barcode: \"TAX-2026/2\", expected: \"TAX-2026/1\" (form-1)");
    // A template without a barcode accepts the page: nothing else differs.
    assert_eq!(identify_form(image, &[form("any", "")]).as_deref(), Ok("any"));
}

#[test]
fn unreadable_barcode_leaves_the_choice_to_geometry() {
    let [one, two, _] = family(BARCODES[0]);
    let extra_box = "[[field]]\nname = \"g\"\nkind = \"integer\"\nbox = [20, 235, 50, 9]\n";
    let three = form("form-3", &(barcode(BARCODES[0].0, BARCODES[0].1, "TAX-2026/3") + extra_box));
    let area = one.barcodes[0].bounds.inflate(1.0);
    let templates = [one, two, three];
    for (page, grey) in (1..).zip([|_, _| 250, |_, _| 20, |x: u32, y: u32| (x * x * 31 + y * y * 17 + x * y * 7) as u8])
    {
        let draw_covered = |idx: usize| {
            let mut drawn = draw(&templates[idx], MILD, page);
            paint(&mut drawn, area, grey);
            drawn.image
        };
        let failure = identify_form(draw_covered(0), &templates).expect_err("nothing distinguishes the first two");
        assert_eq!(failure.detail, "fits two templates alike: form-1 and form-2");
        assert_eq!(identify_form(draw_covered(2), &templates).as_deref(), Ok("form-3"), "it has one more box");
        assert_eq!(identify_form(draw_covered(0), &templates[..1]).as_deref(), Ok("form-1"), "the only template fits");
    }
}

#[test]
fn barcode_that_contradicts_a_box_decides() {
    let [one, two, _] = family(BARCODES[0]);
    let extra_box = "[[field]]\nname = \"g\"\nkind = \"integer\"\nbox = [20, 235, 50, 9]\n";
    let three = form("form-3", &(barcode(BARCODES[0].0, BARCODES[0].1, "TAX-2026/3") + extra_box));
    // This form has the extra box of the third form and the barcode of the first.
    let mixed = form("mixed", &(barcode(BARCODES[0].0, BARCODES[0].1, "TAX-2026/1") + extra_box));
    let templates = [three, two, one];
    assert_eq!(identify_form(draw(&mixed, MILD, 4).image, &templates).as_deref(), Ok("form-1"));
}

#[test]
fn serial_number_after_the_number_of_the_form_is_ignored() {
    let at = BARCODES[4].1;
    let templates = ["A-*", "B-*"].map(|text| form(&text[..1].to_lowercase(), &barcode("code-128", at, text)));
    for page in 1..4 {
        for own in &templates {
            assert_eq!(identify_form(draw(own, MILD, page).image, &templates).as_ref(), Ok(&own.name));
        }
    }
}

#[test]
fn area_without_a_barcode_is_ignored() {
    for (at, symbology) in [
        ([0.0, 0.0, 210.0, 297.0], "qr"),
        ([209.5, 296.5, 1.0, 1.0], "data-matrix"),
        ([-0.9, -0.9, 0.4, 0.4], "aztec"),
        ([15.0, 150.0, 180.0, 0.01], "code-128"),
        ([15.0, 60.0, 0.01, 200.0], "code-39"),
        ([0.0, 0.0, 210.0, 297.0], "pdf417"),
        ([80.0, 60.0, 80.0, 200.0], "itf"),
    ] {
        let text = if symbology == "itf" { "1234" } else { "X1" };
        let template = form("form-1", &barcode(symbology, at, text));
        let image = draw(&form("form-1", ""), Degradations::HARD, 2).image;
        assert_eq!(identify_form(image, &[template]).as_deref(), Ok("form-1"), "{symbology} at {at:?}");
    }
}

/// Results for the pages with one barcode.
#[derive(Debug, Default)]
struct Outcome {
    /// Pages identified as their own form.
    read: usize,
    /// Pages of a third form, rejected because of their barcode.
    refused: usize,
    /// Pages identified as another form, or rejected because of a misread barcode.
    wrong: Vec<String>,
    /// Time with a template that has a barcode, and with one that has none.
    time: [Duration; 2],
}

impl Outcome {
    fn add(mut self, page: u64, barcode: Barcode, degradations: Degradations) -> Self {
        let [one, two, seven] = family(barcode);
        let templates = [one, two];
        let own = &templates[page as usize % 2];
        let image = draw(own, degradations, page).image;
        let alone = Page::upright(image.clone(), None);
        for (time, template) in self.time.iter_mut().zip([own, &form("bare", "")]) {
            let start = Instant::now();
            let result = identify(&alone, std::slice::from_ref(template), &RegisterParams::default());
            *time += start.elapsed();
            self.wrong.extend(result.err().map(|failure| failure.detail));
        }
        match identify_form(image, &templates) {
            Ok(name) if name == own.name => self.read += 1,
            Ok(name) => self.wrong.push(format!("page {page}: {name}")),
            Err(failure) if failure.detail.starts_with("barcode") => self.wrong.push(failure.detail),
            Err(_) => {}
        }
        match identify_form(draw(&seven, degradations, page).image, &templates) {
            Err(failure) if failure.detail.contains("7\", expected") => self.refused += 1,
            Err(failure) if failure.detail.starts_with("barcode") => self.wrong.push(failure.detail),
            Err(_) => {}
            Ok(name) => self.wrong.push(format!("page {page} of another form: {name}")),
        }
        self
    }

    fn join(mut self, other: Self) -> Self {
        self.read += other.read;
        self.refused += other.refused;
        self.wrong.extend(other.wrong);
        self.time = [self.time[0] + other.time[0], self.time[1] + other.time[1]];
        self
    }
}

/// Takes some minutes.
#[test]
#[ignore = "long: make torture"]
fn torture_barcodes_identify_no_wrong_form() {
    const N_PAGES: u64 = 40;
    let fax = Degradations { fax: 0.5, skew_degrees: 1.0, ..Degradations::NONE };
    let presets = [
        ("plain", Degradations::NONE),
        ("mild", MILD),
        ("moderate", Degradations::MODERATE),
        ("hard", Degradations::HARD),
        ("fax", fax),
    ];
    let mut wrong = Vec::new();
    for (preset, degradations) in presets {
        for barcode in BARCODES {
            let pages = (0..N_PAGES).into_par_iter();
            let outcome = pages.fold(Outcome::default, |outcome, page| outcome.add(page, barcode, degradations));
            let outcome = outcome.reduce(Outcome::default, Outcome::join);
            let [with, without] = outcome.time.map(|time| 1e3 * time.as_secs_f64() / N_PAGES as f64);
            let (symbology, read, refused) = (barcode.0, outcome.read, outcome.refused);
            println!(
                "{preset:8} {symbology:11} of {N_PAGES}: {read} read, {refused} refused; {with:.0} ms for {without:.0}"
            );
            wrong.extend(outcome.wrong);
        }
    }
    assert_eq!(wrong, [""; 0]);
}
