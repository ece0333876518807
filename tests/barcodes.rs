//! Forms that differ in their barcode alone: a page must find its own, one of another form must be refused, and one whose
//! barcode is gone is what geometry says.

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

/// A page as an office scanner gives it.
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

/// A symbology, where it stands, and what it says of the form number 1: a barcode of common size.
const PRINTED: [(&str, [f64; 4], &str); 7] = [
    ("qr", [160.0, 15.0, 14.0, 14.0], "TAX-2026/1"),
    ("data-matrix", [160.0, 15.0, 8.0, 8.0], "TAX-2026/1"),
    ("aztec", [160.0, 15.0, 10.0, 10.0], "TAX-2026/1"),
    ("pdf417", [140.0, 15.0, 45.0, 10.0], "TAX-2026/1"),
    ("code-128", [140.0, 15.0, 40.0, 9.0], "TAX-2026/1"),
    ("code-39", [140.0, 15.0, 50.0, 9.0], "TAX-2026/1"),
    ("itf", [140.0, 15.0, 30.0, 9.0], "20260001"),
];

/// A form with `more` besides its boxes, lines and heading.
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

fn barcode(symbology: &str, at: [f64; 4], says: &str) -> String {
    format!("[[barcode]]\nat = {at:?}\nsymbology = {symbology:?}\nsays = {says:?}\n")
}

/// The forms of one printing, numbers 1 and 2, and one of another, number 7.
fn family((symbology, at, says): (&str, [f64; 4], &str)) -> [FormTemplate; 3] {
    let numbered = |n: u32| {
        let says = format!("{}{n}", &says[..says.len() - 1]);
        form(&format!("form-{n}"), &barcode(symbology, at, &says))
    };
    [numbered(1), numbered(2), numbered(7)]
}

pub fn draw(form: &FormTemplate, degradations: Degradations, page: u64) -> SynthPage {
    let options = SynthOptions { dpi: DPI, degradations, ..SynthOptions::default() };
    synthesise(form, &glyphs(), &options, page).expect("the options are in range")
}

fn found(image: GrayImage, templates: &[FormTemplate]) -> Result<String, RegistrationFailure> {
    let found = identify(&Page::upright(image, None), templates, &RegisterParams::default());
    found.map(|(idx, _)| templates[idx].name.clone())
}

/// Paints what lies within `area` (millimetres) of a drawn page as `grey` says of each pixel.
pub fn paint(drawn: &mut SynthPage, area: Rect, grey: impl Fn(u32, u32) -> u8) {
    let back = drawn.page_from_template.inverse().expect("it is regular");
    for (x, y, pixel) in drawn.image.enumerate_pixels_mut() {
        if area.contains(back.apply(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5))) {
            *pixel = Luma([grey(x, y)]);
        }
    }
}

#[test]
fn forms_that_differ_in_their_barcode_alone_are_told_apart() {
    let skewed = Degradations { skew_degrees: 10.0, ..Degradations::NONE };
    let photographed = Degradations { perspective: 0.6, uneven_light: 0.5, ..Degradations::NONE };
    for printed in PRINTED {
        let [one, two, seven] = family(printed);
        let templates = [one, two];
        let is_common = ["qr", "code-128"].contains(&printed.0);
        let degradations = [Degradations::MODERATE, MILD, skewed, photographed];
        for (page, degradations) in (1..).zip(degradations).take(if is_common { 4 } else { 1 }) {
            for own in &templates {
                let name = found(draw(own, degradations, page).image, &templates);
                assert_eq!(name.as_ref(), Ok(&own.name), "{} on page {page}", printed.0);
            }
            let failure = found(draw(&seven, degradations, page).image, &templates).expect_err("it is neither");
            assert_eq!((failure.reason, failure.template_idx), (PageReject::UnknownForm, None));
            assert!(failure.detail.contains("7\", expected: "), "{} on page {page}: {}", printed.0, failure.detail);
        }
    }
}

#[test]
fn bars_may_run_up_the_page() {
    for (symbology, at) in [("code-128", [184.0, 60.0, 9.0, 40.0]), ("pdf417", [184.0, 60.0, 10.0, 45.0])] {
        let [one, two, _] = family((symbology, at, "TAX-2026/1"));
        let image = draw(&two, MILD, 5).image;
        assert_eq!(found(image, &[one, two]).as_deref(), Ok("form-2"), "{symbology}");
    }
}

#[test]
fn the_form_of_last_year_is_not_read_as_that_of_this_year() {
    let [this, last, _] = family(PRINTED[0]);
    let image = draw(&last, Degradations::MODERATE, 3).image;
    let failure = found(image.clone(), std::slice::from_ref(&this)).expect_err("it is another");
    assert_eq!(failure.detail, "barcode: \"TAX-2026/2\", expected: \"TAX-2026/1\" (form-1)");
    // a template that declares none takes it: nothing else differs
    assert_eq!(found(image, &[form("any", "")]).as_deref(), Ok("any"));
}

#[test]
fn a_barcode_that_cannot_be_read_leaves_it_to_geometry() {
    let [one, two, _] = family(PRINTED[0]);
    let moved = "[[field]]\nname = \"g\"\nkind = \"integer\"\nbox = [20, 235, 50, 9]\n";
    let three = form("form-3", &(barcode(PRINTED[0].0, PRINTED[0].1, "TAX-2026/3") + moved));
    let area = one.barcodes[0].bounds.inflate(1.0);
    let templates = [one, two, three];
    for (page, grey) in (1..).zip([|_, _| 250, |_, _| 20, |x: u32, y: u32| (x * x * 31 + y * y * 17 + x * y * 7) as u8])
    {
        let covered = |idx: usize| {
            let mut drawn = draw(&templates[idx], MILD, page);
            paint(&mut drawn, area, grey);
            drawn.image
        };
        let failure = found(covered(0), &templates).expect_err("nothing tells the first two apart");
        assert_eq!(failure.detail, "fits two templates alike: form-1 and form-2");
        assert_eq!(found(covered(2), &templates).as_deref(), Ok("form-3"), "it has a box more");
        assert_eq!(found(covered(0), &templates[..1]).as_deref(), Ok("form-1"), "it may be that");
    }
}

#[test]
fn a_barcode_says_more_than_a_box() {
    let [one, two, _] = family(PRINTED[0]);
    let moved = "[[field]]\nname = \"g\"\nkind = \"integer\"\nbox = [20, 235, 50, 9]\n";
    let three = form("form-3", &(barcode(PRINTED[0].0, PRINTED[0].1, "TAX-2026/3") + moved));
    // drawn with the box of the third and the number of the first
    let mixed = form("mixed", &(barcode(PRINTED[0].0, PRINTED[0].1, "TAX-2026/1") + moved));
    let templates = [three, two, one];
    assert_eq!(found(draw(&mixed, MILD, 4).image, &templates).as_deref(), Ok("form-1"));
}

#[test]
fn a_serial_number_behind_that_of_the_form_does_no_harm() {
    let at = PRINTED[4].1;
    let templates = ["A-*", "B-*"].map(|says| form(&says[..1].to_lowercase(), &barcode("code-128", at, says)));
    for page in 1..4 {
        for own in &templates {
            assert_eq!(found(draw(own, MILD, page).image, &templates).as_ref(), Ok(&own.name));
        }
    }
}

#[test]
fn places_without_a_barcode_do_no_harm() {
    for (at, symbology) in [
        ([0.0, 0.0, 210.0, 297.0], "qr"),
        ([209.5, 296.5, 1.0, 1.0], "data-matrix"),
        ([-0.9, -0.9, 0.4, 0.4], "aztec"),
        ([15.0, 150.0, 180.0, 0.01], "code-128"),
        ([15.0, 60.0, 0.01, 200.0], "code-39"),
        ([0.0, 0.0, 210.0, 297.0], "pdf417"),
        ([80.0, 60.0, 80.0, 200.0], "itf"),
    ] {
        let says = if symbology == "itf" { "1234" } else { "X1" };
        let template = form("form-1", &barcode(symbology, at, says));
        let image = draw(&form("form-1", ""), Degradations::HARD, 2).image;
        assert_eq!(found(image, &[template]).as_deref(), Ok("form-1"), "{symbology} at {at:?}");
    }
}

/// What became of pages with one sort of barcode.
#[derive(Debug, Default)]
struct Outcome {
    /// Pages of a form that was given: found; of another form: refused by its name.
    read: usize,
    refused: usize,
    /// Taken for another form, or refused by a name that is not theirs.
    wrong: Vec<String>,
    /// With a template that has a barcode, and with one that has none.
    time: [Duration; 2],
}

impl Outcome {
    fn add(mut self, page: u64, printed: (&str, [f64; 4], &str), degradations: Degradations) -> Self {
        let [one, two, seven] = family(printed);
        let templates = [one, two];
        let own = &templates[page as usize % 2];
        let image = draw(own, degradations, page).image;
        let alone = Page::upright(image.clone(), None);
        for (time, template) in self.time.iter_mut().zip([own, &form("bare", "")]) {
            let start = Instant::now();
            let found = identify(&alone, std::slice::from_ref(template), &RegisterParams::default());
            *time += start.elapsed();
            self.wrong.extend(found.err().map(|failure| failure.detail));
        }
        match found(image, &templates) {
            Ok(name) if name == own.name => self.read += 1,
            Ok(name) => self.wrong.push(format!("page {page}: {name}")),
            Err(failure) if failure.detail.starts_with("barcode") => self.wrong.push(failure.detail),
            Err(_) => {}
        }
        match found(draw(&seven, degradations, page).image, &templates) {
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

/// Takes some minutes: `make torture`.
#[test]
#[ignore = "long: make torture"]
fn torture_by_barcodes() {
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
        for printed in PRINTED {
            let pages = (0..N_PAGES).into_par_iter();
            let of = pages.fold(Outcome::default, |outcome, page| outcome.add(page, printed, degradations));
            let of = of.reduce(Outcome::default, Outcome::join);
            let [with, without] = of.time.map(|time| 1e3 * time.as_secs_f64() / N_PAGES as f64);
            let (symbology, read, refused) = (printed.0, of.read, of.refused);
            println!(
                "{preset:8} {symbology:11} of {N_PAGES}: {read} read, {refused} refused; {with:.0} ms for {without:.0}"
            );
            wrong.extend(of.wrong);
        }
    }
    assert_eq!(wrong, [""; 0]);
}
