//! Forms by chance, filled in and scanned by chance: what was written comes back, or awaits review.
//!
//! The chance is the same at every run. A form that fails is made smaller until it no longer does, and shown.

use std::cell::RefCell;

use formread_core::{
    assemble::{FieldState, PageReading},
    form::{FormTemplate, known_templates, parse_template},
};
use formread_page::Page;
use formread_tools::synth::{Degradations, GlyphStock, SynthOptions, synthesise};
use formread_torch::{TorchBackend, Weights};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

use crate::util::digits_of_fixtures;

/// What a field is, beside where it lies.
#[derive(Debug, Clone)]
enum Kind {
    Integer,
    Code,
    Date,
    /// Of so many decimals.
    Amount(usize),
}

#[derive(Debug, Clone)]
struct DrawnField {
    kind: Kind,
    /// Cells of a comb, or most digits of a box.
    n: usize,
    is_comb: bool,
    /// Of a cell, or of the box by its digits, millimetres.
    pitch: f64,
    height: f64,
    /// What lies left of it, millimetres.
    margin: f64,
}

/// Rows from top to bottom: what stands in them, and how far a rule above them reaches, millimetres.
#[derive(Debug, Clone)]
struct DrawnForm {
    rows: Vec<(Vec<DrawnField>, f64)>,
    page: (f64, f64),
}

impl DrawnForm {
    fn template(&self) -> FormTemplate {
        let (width, height) = self.page;
        let mut rules = vec![format!("[12, 10, {}, 10]", width - 12.0)];
        let mut fields = String::new();
        let mut y = 18.0;
        for (i, (row, reach)) in self.rows.iter().enumerate() {
            if y + 18.0 > height {
                break;
            }
            rules.push(format!("[14, {y}, {}, {y}]", 14.0 + reach.min(width - 28.0)));
            y += 4.0;
            let mut x = 14.0;
            for (j, field) in row.iter().enumerate() {
                let n = if matches!(field.kind, Kind::Date) { 8 } else { field.n };
                let wide = field.pitch * n as f64;
                x += field.margin;
                if x + wide > width - 12.0 {
                    break;
                }
                let (kind, digits) = match field.kind {
                    Kind::Integer => ("kind = \"integer\"".to_owned(), format!("digits = [1, {n}]")),
                    Kind::Code => ("kind = \"code\"".to_owned(), format!("digits = {n}")),
                    Kind::Date => ("kind = \"date\"\norder = \"dmy\"".to_owned(), String::new()),
                    Kind::Amount(decimals) => {
                        let least = (decimals + 1).min(n);
                        (format!("kind = \"amount\"\ndecimals = {decimals}"), format!("digits = [{least}, {n}]"))
                    }
                };
                let place = if field.is_comb || matches!(field.kind, Kind::Date) {
                    format!("comb = {{ at = [{x}, {y}], cell = [{}, {}], groups = [{n}] }}", field.pitch, field.height)
                } else {
                    format!("box = [{x}, {y}, {}, {}]", wide + 4.0, field.height)
                };
                fields += &format!("[[field]]\nname = \"f{i}_{j}\"\n{kind}\n{digits}\n{place}\n");
                x += wide + 8.0;
            }
            y += 14.0;
        }
        let text = format!(
            "name = \"by-chance\"\ntitle = \"By chance\"\npage = [{width}, {height}]\nlines = [{}]\n{fields}",
            rules.join(", ")
        );
        parse_template(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

fn forms() -> impl Strategy<Value = DrawnForm> {
    let kind = prop_oneof![Just(Kind::Integer), Just(Kind::Code), Just(Kind::Date), (0..3usize).prop_map(Kind::Amount)];
    let field = (kind, 3..9usize, any::<bool>(), 5.0..7.5f64, 7.0..11.0f64, 0.0..25.0f64)
        .prop_map(|(kind, n, is_comb, pitch, height, margin)| DrawnField { kind, n, is_comb, pitch, height, margin });
    let rows = vec((vec(field, 1..4), 20.0..180.0f64), 4..14);
    let page = prop_oneof![Just((210.0, 297.0)), Just((215.9, 279.4)), Just((148.0, 210.0)), Just((297.0, 210.0))];
    (rows, page).prop_map(|(rows, page)| DrawnForm { rows, page })
}

/// How a page is written and scanned: from as drawn to what an office scanner does in a hurry.
fn scans() -> impl Strategy<Value = SynthOptions> {
    (any::<u64>(), 0.0..1.0f64, prop_oneof![Just(200.0), Just(300.0)], 0.0..0.4f64).prop_map(
        |(seed, wear, dpi, blanks)| {
            let most = Degradations::MODERATE;
            let degradations = Degradations {
                skew_degrees: wear * most.skew_degrees,
                shift: wear * most.shift,
                scale: wear * most.scale,
                blur: wear * most.blur,
                noise: wear * most.noise,
                stroke_weight: wear * most.stroke_weight,
                jpeg: wear * most.jpeg,
                uneven_light: wear * most.uneven_light,
                ..Degradations::NONE
            };
            SynthOptions { seed, dpi, blanks, degradations, ..SynthOptions::default() }
        },
    )
}

/// What became of what was written.
#[derive(Debug, Default)]
struct Counts {
    fields: usize,
    accepted: usize,
}

/// `n_forms` forms, one page of each; gives what became of their fields.
fn read_forms(n_forms: u32) -> Counts {
    let glyphs = digits_of_fixtures().into_iter().map(|(ink, digit)| (ink, digit, None));
    let glyphs = GlyphStock::new(glyphs).expect("there is one of each");
    let weights = Weights::shipped().expect("they are sound");
    let counts = RefCell::new(Counts::default());
    let config = Config { cases: n_forms, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let comes_back = |(form, options): (DrawnForm, SynthOptions)| {
        let template = form.template();
        let drawn = synthesise(&template, &glyphs, &options, 0).expect("the options are in range");
        let templates = known_templates().expect("they parse").into_iter().chain([template]);
        let reader = formread::Reader::builder()
            .templates(templates)
            .backend(TorchBackend::new(weights.clone(), formread_core::scores::Compute::default()))
            .build()
            .expect("there are templates");
        let record =
            reader.stages().read_page(1, &Page::upright(drawn.image, Some(options.dpi))).expect("the net works").record;
        let PageReading::Read { form, fields, .. } = record.reading else {
            return Err(TestCaseError::fail(format!("{:?}", record.reading)));
        };
        prop_assert_eq!(form, "by-chance");
        let mut counts = counts.borrow_mut();
        for (field, truth) in fields.iter().zip(&drawn.truth) {
            match field.state {
                FieldState::Accepted => prop_assert_eq!(&field.guess, &truth.value, "field {}", field.name),
                FieldState::Blank => prop_assert_eq!("", &truth.value, "field {}", field.name),
                FieldState::Review(_) => {}
            }
            counts.fields += usize::from(!truth.value.is_empty());
            counts.accepted += usize::from(field.state == FieldState::Accepted);
        }
        Ok(())
    };
    runner.run(&(forms(), scans()), comes_back).unwrap_or_else(|error| panic!("{error}"));
    counts.into_inner()
}

#[test]
fn what_was_written_comes_back_or_awaits_review() {
    let counts = read_forms(12);
    assert!(counts.fields > 80 && counts.accepted * 10 > counts.fields * 8, "{counts:?}");
}

#[test]
#[ignore = "long: make torture"]
fn torture_by_300_forms() {
    let counts = read_forms(300);
    eprintln!("forms by chance: {counts:?}, none wrong");
    assert!(counts.accepted * 10 > counts.fields * 8, "{counts:?}");
}
