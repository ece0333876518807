//! Numbers in pencil that is little darker than the paper, on a shipped form with the noise of a scanner.

use formread_core::{
    assemble::{FieldState, FieldValue, PageReading},
    form::FormTemplate,
    reader::Reader,
};
use formread_page::Page;
use formread_tools::synth::{GlyphStock, SynthOptions, SynthPage, synthesise};
use formread_torch::TorchBackend;
use image::{GrayImage, Luma};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::util::digits_of_fixtures;

/// Resolution of the drawn pages.
const DPI: f64 = 200.0;
/// Grey level of the paper.
const PAPER: f64 = 235.0;
/// Pages for each level of pencil.
const N_PAGES: u64 = 6;
/// Standard deviations of the scanner's noise, grey levels.
const NOISE: [f64; 2] = [3.0, 5.0];
/// Confidence from which a blank field is accepted.
const ACCEPTED: f64 = 0.97;

/// What became of the fields of pages with one kind of pencil.
#[derive(Debug, Default)]
struct Outcomes {
    n_written: usize,
    right: usize,
    /// Accepted with another number.
    wrong: usize,
    /// Written fields that are surely blank.
    lost: Vec<String>,
    n_blank: usize,
    /// Blank fields that are not accepted as blank.
    not_blank: usize,
}

/// A page whose print is as usual, and whose writing is `pencil` grey levels darker than the paper at most.
fn in_pencil(filled: &GrayImage, blank: &GrayImage, pencil: f64, noise: f64, seed: u64) -> GrayImage {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    GrayImage::from_fn(filled.width(), filled.height(), |x, y| {
        let [with, without] = [filled, blank].map(|page| f64::from(page.get_pixel(x, y)[0]) / 255.0);
        let written = ((without - with) / without.max(0.05)).clamp(0.0, 1.0);
        // the sum of twelve uniform numbers is nearly normal
        let normal = (0..12).map(|_| rng.random_range(-0.5..0.5)).sum::<f64>();
        let level = without * PAPER - written * pencil + noise * normal;
        Luma([level.round().clamp(0.0, 255.0) as u8])
    })
}

fn read(reader: &Reader, image: GrayImage) -> Vec<FieldValue> {
    let report = reader.stages().read_page(1, &Page::upright(image, Some(DPI))).expect("the net does not fail");
    match report.record.reading {
        PageReading::Read { fields, .. } => fields,
        rejected @ PageReading::Rejected { .. } => panic!("{rejected:?}"),
    }
}

/// The shipped form that is drawn: it has combs and boxes.
fn form() -> FormTemplate {
    let known = formread_core::form::known_templates().expect("the templates parse");
    known.into_iter().find(|form| form.name == "tax-return").expect("it is shipped")
}

/// Pages of the form, filled in and blank.
fn drawn(form: &FormTemplate) -> Vec<[SynthPage; 2]> {
    let digits = digits_of_fixtures().into_iter().map(|(ink, digit)| (ink, digit, None));
    let stock = GlyphStock::new(digits).expect("the stock has every digit");
    let draw = |page_idx: u64, blanks: f64| {
        let options = SynthOptions { dpi: DPI, blanks, touching: 0.0, seed: 3, ..SynthOptions::default() };
        synthesise(form, &stock, &options, page_idx).expect("the options are in range")
    };
    (0..N_PAGES).map(|page_idx| [0.3, 1.0].map(|blanks| draw(page_idx, blanks))).collect()
}

/// Reads the drawn pages as if written in pencil.
fn outcomes(reader: &Reader, drawn: &[[SynthPage; 2]], pencil: f64) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for (page_idx, [filled, blank]) in drawn.iter().enumerate() {
        // every other page is of a noisier scanner
        let noise = NOISE[page_idx % NOISE.len()];
        let fields = read(reader, in_pencil(&filled.image, &blank.image, pencil, noise, page_idx as u64));
        for (value, truth) in fields.into_iter().zip(&filled.truth) {
            let is_accepted = value.state == FieldState::Accepted;
            if truth.value.is_empty() {
                outcomes.n_blank += 1;
                // rules about other fields may send it to review
                outcomes.not_blank += usize::from(value.unconstrained.state != FieldState::Blank);
                outcomes.wrong += usize::from(is_accepted);
                continue;
            }
            outcomes.n_written += 1;
            outcomes.right += usize::from(value.guess == truth.value);
            outcomes.wrong += usize::from(is_accepted && value.guess != truth.value);
            if value.state == FieldState::Blank && value.confidence >= ACCEPTED {
                outcomes.lost.push(format!("{} of page {page_idx}, noise {noise}: {}", truth.name, truth.value));
            }
        }
    }
    outcomes
}

#[test]
fn faint_pencil_is_never_blank_and_is_read_where_it_can_be_seen() {
    let form = form();
    let backend = TorchBackend::shipped().expect("the shipped weights are valid");
    let reader = Reader::builder().templates(vec![form.clone()]).backend(backend).build().expect("there is a template");
    let drawn = drawn(&form);
    let measured = [12.0, 20.0, 30.0, 45.0].map(|pencil| (pencil, outcomes(&reader, &drawn, pencil)));
    for (pencil, of) in &measured {
        println!("pencil {pencil}: {of:?}");
    }
    for (pencil, of) in measured {
        assert!(of.n_written >= 60 && of.n_blank >= 15, "pencil {pencil}: {of:?}");
        assert!(of.lost.is_empty(), "pencil {pencil}: {of:?}");
        assert!(100 * of.wrong <= of.n_written, "pencil {pencil}: {of:?}");
        assert!(20 * of.not_blank <= of.n_blank, "pencil {pencil}: {of:?}");
        if pencil >= 30.0 {
            assert!(10 * of.right >= 9 * of.n_written, "pencil {pencil}: {of:?}");
        }
    }
}
