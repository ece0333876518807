//! Damaged files: bytes that are lost, zeroed or overwritten in the middle of the data, in every format. No value may be accepted that
//! differs from that of the whole file.

mod formats;

use std::{collections::BTreeMap, fs, path::Path};

use formread_core::{
    assemble::FieldState,
    form::known_templates,
    reader::Reader,
    record::{Field, Page},
};
use formread_page as page;
use formread_page::Limits;
use formread_raster::error::PageReject;
use formread_torch::{TorchBackend, Weights};
use image::GrayImage;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// The form on the page that is damaged.
const FORM: &str = "tax-return";
/// Formats that store pixels as they are.
const WITHOUT_CODE: [&str; 2] = ["bmp", "tiff"];
/// How many bytes a damage takes.
const LENGTHS: [usize; 6] = [1, 8, 40, 200, 512, 4096];

fn reader() -> Reader {
    formread_torch::set_threads(1);
    let weights = Weights::shipped().expect("the weights are sound");
    let backend = TorchBackend::new(weights, formread_torch::fastest_compute());
    let templates = known_templates().expect("they parse").into_iter().filter(|template| template.name == FORM);
    Reader::builder().templates(templates).backend(backend).build().expect("it has templates and a backend")
}

/// A filled form in the fixtures, in grey.
fn form() -> GrayImage {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scans/office/page-0001.jpg");
    let bytes = fs::read(path).expect("it is a fixture");
    let mut pages = page::open(&bytes, &Limits::default()).expect("it is a picture");
    pages.next().expect("it has a page").expect("it is whole").pixels
}

/// What is booked of each field: its value, or nothing where it is blank.
fn booked(pages: &[Page]) -> BTreeMap<String, String> {
    let fields = pages.iter().flat_map(|page| &page.fields);
    let booked = |field: &Field| match field.value() {
        Some(value) => Some(value.to_string()),
        None => (field.state == FieldState::Blank).then(String::new),
    };
    fields.filter_map(|field| Some((field.name.clone(), booked(field)?))).collect()
}

/// The readings of a whole file: as [`booked`], and the guesses of the fields that need review.
fn readings(pages: &[Page]) -> BTreeMap<String, String> {
    let fields = pages.iter().flat_map(|page| &page.fields);
    let guesses = fields.map(|field| (field.name.clone(), field.guess().unwrap_or_default().to_owned()));
    guesses.chain(booked(pages)).collect()
}

fn damaged(rng: &mut ChaCha8Rng, bytes: &[u8], len: usize) -> Vec<u8> {
    let len = len.min(bytes.len() / 20);
    let at = rng.random_range(bytes.len() / 5..bytes.len() * 4 / 5 - len);
    let mut damaged = bytes.to_vec();
    match rng.random_range(0..3) {
        0 => drop(damaged.drain(at..at + len)),
        1 => damaged[at..at + len].fill(0),
        _ => damaged[at..at + len].iter_mut().for_each(|byte| *byte = rng.random()),
    }
    damaged
}

/// What became of the damaged files of a format.
#[derive(Debug, Default)]
struct Tally {
    n_unreadable: usize,
    n_rejected: usize,
    n_alike: usize,
    /// Damages, and the values that were booked and differ.
    differing: Vec<(usize, Vec<(String, String)>)>,
}

fn tally(reader: &Reader, name: &str, bytes: &[u8], n_damages: usize) -> Tally {
    let whole = reader.read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(booked(&whole).len() > 10, "{name}: the whole file is read");
    let readings = readings(&whole);
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    let mut tally = Tally::default();
    for idx in 0..n_damages {
        // the short ones are the hardest to find
        let damaged = damaged(&mut rng, bytes, LENGTHS[idx % LENGTHS.len()]);
        let Ok(pages) = reader.read(&damaged) else {
            tally.n_unreadable += 1;
            continue;
        };
        let differs = |(field, value): &(String, String)| readings.get(field) != Some(value);
        let differing: Vec<_> = booked(&pages).into_iter().filter(differs).collect();
        match pages.iter().find_map(|page| page.rejection.as_ref()) {
            Some(rejection) if rejection.reason == PageReject::Unreadable => tally.n_unreadable += 1,
            Some(_) => tally.n_rejected += 1,
            None if differing.is_empty() => tally.n_alike += 1,
            None => tally.differing.push((idx, differing)),
        }
    }
    tally
}

/// Damages each format `n_damages` times, prints a line for each, and checks that no value differs.
fn check(n_damages: usize) {
    let (reader, formats) = (reader(), formats::all(&form()));
    let tally_of = |(name, bytes): &(&'static str, Vec<u8>)| (*name, tally(&reader, name, bytes, n_damages));
    let tallies: Vec<_> = formats.par_iter().map(tally_of).collect();
    println!("format           unreadable  rejected otherwise  read alike  a value differs");
    for (name, Tally { n_unreadable, n_rejected, n_alike, differing }) in &tallies {
        println!("{name:15} {n_unreadable:11} {n_rejected:19} {n_alike:11} {:16}", differing.len());
        differing.iter().for_each(|(idx, values)| println!("  damage {idx}: {values:?}"));
    }
    for (name, tally) in &tallies {
        // pixels without a code have nothing that can be checked: a line of other pixels is like one on paper
        let max_differing = if WITHOUT_CODE.contains(name) { n_damages / 25 } else { 0 };
        assert!(tally.differing.len() <= max_differing, "{name}: {:?}", tally.differing);
    }
}

#[test]
fn damage_in_any_format_gives_no_other_value() {
    check(2);
}

#[test]
#[ignore = "long: make torture"]
fn torture_50_damages_of_each_format_give_no_other_value() {
    check(50);
}
