//! How many candidate digits are scored: those where a clear strip has its digits, and few besides.

use formread_core::{form::known_templates, scores::EdgeScores};
use formread_page::Page;
use formread_tools::synth::{GlyphStock, SynthOptions, synthesise};
use formread_torch::TorchBackend;

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
