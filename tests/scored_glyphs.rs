//! Which candidate digits are scored: those where a clear strip has its digits, and few besides.

use formread_core::{
    assemble::AlignmentParams,
    form::known_templates,
    normalise::{normalise_strip, strip_place},
    scores::{CTC_BLANK, EdgeScores, best_symbols},
    segment::StripBounds,
};
use formread_page::Page;
use formread_tools::synth::{GlyphStock, SynthOptions, synthesise};
use formread_torch::{ConvNet, TorchBackend, Weights};
use image::{GrayImage, imageops};

use crate::util::digits_of_fixtures;

#[test]
fn in_most_fields_of_clean_pages_little_more_is_scored_than_what_is_written() {
    let glyphs = digits_of_fixtures().into_iter().map(|(ink, digit)| (ink, digit, None));
    let glyphs = GlyphStock::new(glyphs).expect("the fixtures have every digit");
    let templates = known_templates().expect("the templates parse");
    let template = templates.into_iter().find(|template| template.name == "nist-hsf").expect("it is built in");
    let backend = TorchBackend::shipped().expect("the shipped weights are valid");
    let reader = formread::Reader::builder().templates([template.clone()]).backend(backend).build();
    let reader = reader.expect("it is a template");
    let options = SynthOptions { blanks: 0.0, touching: 0.0, ..SynthOptions::default() };
    let (mut n_fields, mut n_few) = (0, 0);
    for page in 0..3 {
        let drawn = synthesise(&template, &glyphs, &options, page).expect("the options are in range");
        let mut pages = vec![reader.stages().prepare(1, &Page::upright(drawn.image, Some(options.dpi)))];
        let scored = reader.stages().recognise(&mut pages).expect("the nets do not fail");
        for (field, truth) in scored[0].fields().iter().zip(&drawn.truth) {
            let edges = &field.scores.edges;
            let n_candidates = edges.iter().filter(|edge| **edge != EdgeScores::Empty).count();
            let n_scored = edges.iter().filter(|edge| edge.glyph().is_some()).count();
            assert!((truth.value.len()..=n_candidates).contains(&n_scored), "{}: {n_scored}", truth.value);
            n_fields += 1;
            n_few += usize::from(2 * n_scored <= 3 * truth.value.len() + 3);
        }
    }
    assert!(5 * n_few >= 4 * n_fields, "{n_few} of {n_fields}");
}

/// Height of the digits in a strip, pixels.
const HEIGHT: u32 = 44;

/// Paper between two digits, pixels.
const GAP: u32 = 14;

/// The shipped net names the digits of a strip where `AlignmentParams` expects it.
#[test]
fn strip_net_names_digits_where_they_are_looked_for() {
    let weights = Weights::shipped().expect("the shipped weights are valid");
    let mut net = ConvNet::from_weights(&weights).expect("LibTorch works");
    let mut offsets = Vec::new();
    for number in digits_of_fixtures().chunks_exact(5) {
        let digits: Vec<GrayImage> = number.iter().map(|(ink, _)| as_high_as_others(ink)).collect();
        let width = digits.iter().map(|ink| ink.width() + GAP).sum::<u32>() - GAP;
        let (mut ink, mut x, mut middles) = (GrayImage::new(width, HEIGHT), 0, Vec::new());
        for digit in &digits {
            imageops::replace(&mut ink, digit, i64::from(x), 0);
            middles.push((x + digit.width() / 2) as f32);
            x += digit.width() + GAP;
        }
        let bounds =
            StripBounds { left: 0.0, right: width as f32, middle: HEIGHT as f32 / 2.0, digit_height: HEIGHT as f32 };
        let strip = normalise_strip(&ink, &bounds).expect("there is ink");
        let scores = net.read_strips(&[&strip]).expect("LibTorch works").swap_remove(0);
        let symbols = best_symbols(&scores.views[0]);
        let column = strip_place(&bounds, symbols.len(), 1.0) - strip_place(&bounds, symbols.len(), 0.0);
        let mut named = Vec::new();
        let mut start = 0;
        for run in symbols.chunk_by(|a, b| a == b) {
            if run[0] != CTC_BLANK {
                named.push(strip_place(&bounds, symbols.len(), start as f32 + run.len() as f32 / 2.0));
            }
            start += run.len();
        }
        // a number that the net does not read says nothing
        if named.len() == middles.len() {
            offsets.extend(middles.iter().zip(named).map(|(middle, named)| (middle - named) / column));
        }
    }
    let mean = offsets.iter().sum::<f32>() / offsets.len() as f32;
    let expected = AlignmentParams::default().middle_offset;
    assert!(offsets.len() >= 50, "{} digits are named", offsets.len());
    assert!((mean - expected).abs() < 0.5, "{mean} columns, {expected} expected");
}

/// A digit of `HEIGHT`.
fn as_high_as_others(ink: &GrayImage) -> GrayImage {
    let width = (ink.width() * HEIGHT / ink.height()).max(1);
    imageops::resize(ink, width, HEIGHT, imageops::FilterType::Triangle)
}
