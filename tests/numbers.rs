//! Forms that differ in their printed number alone: a page must find its own, one of another form must not be taken for it,
//! and one whose number is gone is what geometry says.

use std::time::{Duration, Instant};

use formread_core::{assemble::PageReading, form::FormTemplate, reader::Reader};
use formread_page::Page;
use formread_raster::error::PageReject;
use formread_tools::synth::Degradations;
use formread_torch::{TorchBackend, Weights};
use image::GrayImage;
use rayon::prelude::*;

use crate::barcodes::{MILD, draw, form, paint};

/// Where the number stands: digits 5 mm high.
const AT: [f64; 4] = [150.0, 15.0, 17.0, 5.0];

fn numbered(name: &str, says: &str) -> FormTemplate {
    form(name, &format!("[[number]]\nat = {AT:?}\nsays = {says:?}\n"))
}

fn reader(templates: &[FormTemplate]) -> Reader {
    let weights = Weights::shipped().expect("they are sound");
    Reader::builder()
        .templates(templates.to_vec())
        .backend(TorchBackend::new(weights, formread_core::scores::Compute::default()))
        .build()
        .expect("no two have one name")
}

/// The form that is found, or why none is.
fn found(reader: &Reader, image: &GrayImage) -> Result<String, String> {
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
fn forms_that_differ_in_their_number_alone_are_told_apart() {
    let skewed = Degradations { skew_degrees: 10.0, ..Degradations::NONE };
    for [one, two, third] in [["1040", "1041", "1047"], ["730-2", "730-5", "730-8"]] {
        let (templates, third) = ([numbered("one", one), numbered("two", two)], numbered("third", third));
        let reader = reader(&templates);
        for (page, degradations) in (1..).zip([Degradations::NONE, MILD, skewed, Degradations::MODERATE]) {
            for own in &templates {
                let image = draw(own, degradations, page).image;
                assert_eq!(found(&reader, &image).as_ref(), Ok(&own.name), "{one} on page {page}");
            }
            found(&reader, &draw(&third, degradations, page).image).expect_err("it is neither");
        }
    }
}

#[test]
fn the_form_of_last_year_is_not_read_as_that_of_this_year() {
    let [this, last] = [numbered("this", "2026"), numbered("last", "2025")];
    let image = draw(&last, MILD, 3).image;
    let told = "number: \"2025\", expected: \"2026\" (this)";
    assert_eq!(found(&reader(std::slice::from_ref(&this)), &image), Err(told.to_owned()));
    // a template that declares none takes it: nothing else differs
    assert_eq!(found(&reader(&[form("any", "")]), &image).as_deref(), Ok("any"));
}

#[test]
fn a_number_that_cannot_be_read_leaves_it_to_geometry() {
    let templates = [numbered("one", "1040"), numbered("two", "1041")];
    let area = templates[0].numbers[0].bounds.inflate(1.0);
    let (both, alone) = (reader(&templates), reader(&templates[..1]));
    for (page, grey) in (1..).zip([|_, _| 250, |_, _| 20, |x: u32, y: u32| (x * x * 31 + y * y * 17 + x * y * 7) as u8])
    {
        let mut drawn = draw(&templates[0], MILD, page);
        paint(&mut drawn, area, grey);
        let told = found(&both, &drawn.image).expect_err("nothing tells them apart");
        assert!(
            told.starts_with("fits two templates alike: ") && told.contains("one") && told.contains("two"),
            "{told}"
        );
        assert_eq!(found(&alone, &drawn.image).as_deref(), Ok("one"), "it may be that");
    }
}

#[test]
fn a_number_of_which_part_is_declared_denies_nothing() {
    // two of its four digits stand outside of what the template declares
    let [x, y, width, height] = AT;
    let half = form("half", &format!("[[number]]\nat = [{x}, {y}, {}, {height}]\nsays = \"1040\"\n", width / 2.0));
    let image = draw(&numbered("whole", "1040"), Degradations::NONE, 2).image;
    assert_eq!(found(&reader(&[half]), &image).as_deref(), Ok("half"));
}

/// What became of pages of one preset.
#[derive(Debug, Default)]
struct Outcome {
    read: usize,
    /// Pages of a third form, refused by what was read.
    refused: usize,
    wrong: Vec<String>,
    /// With a template that has a number, and with one that has none.
    time: [Duration; 2],
}

/// Takes some minutes: `make torture`.
#[test]
#[ignore = "long: make torture"]
fn torture_by_numbers() {
    const N_PAGES: u64 = 40;
    let [one, two, third] = [("one", "1040"), ("two", "1041"), ("third", "1047")].map(|(n, says)| numbered(n, says));
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
        let mut of = Outcome::default();
        let drawn =
            |page: u64| [&templates[page as usize % 2], &third].map(|form| draw(form, degradations, page).image);
        let pages: Vec<[GrayImage; 2]> = (0..N_PAGES).into_par_iter().map(drawn).collect();
        for (page, [image, other]) in (0..).zip(&pages) {
            let own: usize = page % 2;
            for (time, reader) in of.time.iter_mut().zip([&alone[own], &bare]) {
                let start = Instant::now();
                let alone = found(reader, image);
                *time += start.elapsed();
                of.wrong.extend(alone.err().filter(|told| told.starts_with("number")));
            }
            match found(&both, image) {
                Ok(name) if name == templates[own].name => of.read += 1,
                Ok(name) => of.wrong.push(format!("page {page}: {name}")),
                Err(told) if told.starts_with("number") => of.wrong.push(told),
                Err(_) => {}
            }
            match found(&both, other) {
                Ok(name) => of.wrong.push(format!("page {page} of another form: {name}")),
                Err(told) => of.refused += usize::from(told.contains("\"1047\"")),
            }
        }
        let [with, without] = of.time.map(|time| 1e3 * time.as_secs_f64() / N_PAGES as f64);
        let (read, refused) = (of.read, of.refused);
        println!(
            "{preset:8} of {N_PAGES}: {read} read, {refused} refused, {} wrong; {with:.0} ms for {without:.0}",
            of.wrong.len()
        );
        wrong.extend(of.wrong);
    }
    assert_eq!(wrong, [""; 0]);
}
