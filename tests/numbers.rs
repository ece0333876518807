//! Forms that differ only in their printed number.
//!
//! A page is identified as its own form, and a page of another form is rejected. Where the number cannot be read, geometry
//! decides.

use std::time::{Duration, Instant};

use formread_core::{assemble::PageReading, form::FormTemplate, reader::Reader};
use formread_page::Page;
use formread_raster::error::PageReject;
use formread_tools::synth::Degradations;
use formread_torch::{TorchBackend, Weights};
use image::GrayImage;
use rayon::prelude::*;

use crate::barcodes::{MILD, draw, form, paint};

/// Area of the number, millimetres: left, top, width, height. The digits are 5 mm high.
const NUMBER_AREA: [f64; 4] = [150.0, 15.0, 17.0, 5.0];

/// A form with this printed number.
fn numbered_form(name: &str, number: &str) -> FormTemplate {
    form(name, &format!("[[number]]\nat = {NUMBER_AREA:?}\nsays = {number:?}\n"))
}

fn reader(templates: &[FormTemplate]) -> Reader {
    let weights = Weights::shipped().expect("the shipped weights are valid");
    Reader::builder()
        .templates(templates.to_vec())
        .backend(TorchBackend::new(weights, formread_core::scores::Compute::default()))
        .build()
        .expect("the names of the templates differ")
}

/// The name of the form that a page is identified as, or why it is rejected.
fn identify_form(reader: &Reader, image: &GrayImage) -> Result<String, String> {
    let report = reader.stages().read_page(1, &Page::upright(image.clone(), None)).expect("the net does not fail");
    match report.record.reading {
        PageReading::Read { form, .. } => Ok(form),
        PageReading::Rejected { reason, detail, .. } => {
            assert_eq!(reason, PageReject::UnknownForm, "{detail}");
            Err(detail)
        }
    }
}

#[test]
fn forms_that_differ_only_in_their_number_are_distinguished() {
    let skewed = Degradations { skew_degrees: 10.0, ..Degradations::NONE };
    for [one, two, third] in [["1040", "1041", "1047"], ["730-2", "730-5", "730-8"]] {
        let (templates, third) =
            ([numbered_form("one", one), numbered_form("two", two)], numbered_form("third", third));
        let reader = reader(&templates);
        for (page, degradations) in (1..).zip([Degradations::NONE, MILD, skewed, Degradations::MODERATE]) {
            for own in &templates {
                let image = draw(own, degradations, page).image;
                assert_eq!(identify_form(&reader, &image).as_ref(), Ok(&own.name), "{one} on page {page}");
            }
            identify_form(&reader, &draw(&third, degradations, page).image).expect_err("it is neither form");
        }
    }
}

#[test]
fn form_of_last_year_is_not_read_as_form_of_this_year() {
    let [this, last] = [numbered_form("this", "2026"), numbered_form("last", "2025")];
    let image = draw(&last, MILD, 3).image;
    let detail = "number: \"2025\", expected: \"2026\" (this)";
    assert_eq!(identify_form(&reader(std::slice::from_ref(&this)), &image), Err(detail.to_owned()));
    // A template without a number accepts the page: nothing else differs.
    assert_eq!(identify_form(&reader(&[form("any", "")]), &image).as_deref(), Ok("any"));
}

#[test]
fn unreadable_number_leaves_the_choice_to_geometry() {
    let templates = [numbered_form("one", "1040"), numbered_form("two", "1041")];
    let area = templates[0].numbers[0].bounds.inflate(1.0);
    let (both, alone) = (reader(&templates), reader(&templates[..1]));
    for (page, grey) in (1..).zip([|_, _| 250, |_, _| 20, |x: u32, y: u32| (x * x * 31 + y * y * 17 + x * y * 7) as u8])
    {
        let mut drawn = draw(&templates[0], MILD, page);
        paint(&mut drawn, area, grey);
        let detail = identify_form(&both, &drawn.image).expect_err("nothing distinguishes the forms");
        assert!(
            detail.starts_with("fits two templates alike: ") && detail.contains("one") && detail.contains("two"),
            "{detail}"
        );
        assert_eq!(identify_form(&alone, &drawn.image).as_deref(), Ok("one"), "the only template fits");
    }
}

#[test]
fn number_with_digits_outside_the_declared_area_rejects_no_page() {
    // Two of the four digits are outside the area that the template declares.
    let [x, y, width, height] = NUMBER_AREA;
    let half = form("half", &format!("[[number]]\nat = [{x}, {y}, {}, {height}]\nsays = \"1040\"\n", width / 2.0));
    let image = draw(&numbered_form("whole", "1040"), Degradations::NONE, 2).image;
    assert_eq!(identify_form(&reader(&[half]), &image).as_deref(), Ok("half"));
}

/// Results for the pages of one preset.
#[derive(Debug, Default)]
struct Outcome {
    /// Pages identified as their own form.
    read: usize,
    /// Pages of a third form, rejected because of their number.
    refused: usize,
    /// Pages identified as another form, or rejected because of a misread number.
    wrong: Vec<String>,
    /// Time with a template that has a number, and with one that has none.
    time: [Duration; 2],
}

/// Takes some minutes.
#[test]
#[ignore = "long: make torture"]
fn torture_printed_numbers_identify_no_wrong_form() {
    const N_PAGES: u64 = 40;
    let [one, two, third] =
        [("one", "1040"), ("two", "1041"), ("third", "1047")].map(|(name, number)| numbered_form(name, number));
    let templates = [one, two];
    let both = reader(&templates);
    let alone = templates.each_ref().map(|template| reader(std::slice::from_ref(template)));
    let bare = reader(&[form("bare", "")]);
    let mut wrong = Vec::new();
    for (preset, degradations) in [
        ("plain", Degradations::NONE),
        ("mild", MILD),
        ("moderate", Degradations::MODERATE),
        ("hard", Degradations::HARD),
    ] {
        let mut outcome = Outcome::default();
        let draw_both =
            |page: u64| [&templates[page as usize % 2], &third].map(|form| draw(form, degradations, page).image);
        let pages: Vec<[GrayImage; 2]> = (0..N_PAGES).into_par_iter().map(draw_both).collect();
        for (page, [image, other]) in (0..).zip(&pages) {
            let own: usize = page % 2;
            for (time, reader) in outcome.time.iter_mut().zip([&alone[own], &bare]) {
                let start = Instant::now();
                let result = identify_form(reader, image);
                *time += start.elapsed();
                outcome.wrong.extend(result.err().filter(|detail| detail.starts_with("number")));
            }
            match identify_form(&both, image) {
                Ok(name) if name == templates[own].name => outcome.read += 1,
                Ok(name) => outcome.wrong.push(format!("page {page}: {name}")),
                Err(detail) if detail.starts_with("number") => outcome.wrong.push(detail),
                Err(_) => {}
            }
            match identify_form(&both, other) {
                Ok(name) => outcome.wrong.push(format!("page {page} of another form: {name}")),
                Err(detail) => outcome.refused += usize::from(detail.contains("\"1047\"")),
            }
        }
        let [with, without] = outcome.time.map(|time| 1e3 * time.as_secs_f64() / N_PAGES as f64);
        let (read, refused) = (outcome.read, outcome.refused);
        println!(
            "{preset:8} of {N_PAGES}: {read} read, {refused} refused, {} wrong; {with:.0} ms for {without:.0}",
            outcome.wrong.len()
        );
        wrong.extend(outcome.wrong);
    }
    assert_eq!(wrong, [""; 0]);
}
