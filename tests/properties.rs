//! Random forms, filled in and scanned at random: each written value is read right or needs review.
//!
//! The seed is fixed. A form that fails is reduced to the smallest form that still fails, and printed.

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

/// The kind of a field, without its position.
#[derive(Debug, Clone)]
enum Kind {
    Integer,
    Code,
    Date,
    /// With this number of decimals.
    Amount(usize),
}

#[derive(Debug, Clone)]
struct DrawnField {
    kind: Kind,
    /// Cells of a comb, or maximum number of digits of a box.
    n: usize,
    is_comb: bool,
    /// Width of a cell, or of a box for each of its digits, millimetres.
    pitch: f64,
    /// Millimetres.
    height: f64,
    /// Space on the left, millimetres.
    margin: f64,
}

/// A form of rows of fields.
#[derive(Debug, Clone)]
struct DrawnForm {
    /// From top to bottom: the fields of a row, and the length of the printed line above it, millimetres.
    rows: Vec<(Vec<DrawnField>, f64)>,
    /// Width and height, millimetres.
    page: (f64, f64),
}

impl DrawnForm {
    fn template(&self) -> FormTemplate {
        let (width, height) = self.page;
        let mut lines = vec![format!("[12, 10, {}, 10]", width - 12.0)];
        let mut fields = String::new();
        let mut y = 18.0;
        for (i, (row, line_length)) in self.rows.iter().enumerate() {
            if y + 18.0 > height {
                break;
            }
            lines.push(format!("[14, {y}, {}, {y}]", 14.0 + line_length.min(width - 28.0)));
            y += 4.0;
            let mut x = 14.0;
            for (j, field) in row.iter().enumerate() {
                let n = if matches!(field.kind, Kind::Date) { 8 } else { field.n };
                let field_width = field.pitch * n as f64;
                x += field.margin;
                if x + field_width > width - 12.0 {
                    break;
                }
                let (kind, digits) = match field.kind {
                    Kind::Integer => ("kind = \"integer\"".to_owned(), format!("digits = [1, {n}]")),
                    Kind::Code => ("kind = \"code\"".to_owned(), format!("digits = {n}")),
                    Kind::Date => ("kind = \"date\"\norder = \"dmy\"".to_owned(), String::new()),
                    Kind::Amount(decimals) => {
                        let min_digits = (decimals + 1).min(n);
                        (format!("kind = \"amount\"\ndecimals = {decimals}"), format!("digits = [{min_digits}, {n}]"))
                    }
                };
                let layout = if field.is_comb || matches!(field.kind, Kind::Date) {
                    format!("comb = {{ at = [{x}, {y}], cell = [{}, {}], groups = [{n}] }}", field.pitch, field.height)
                } else {
                    format!("box = [{x}, {y}, {}, {}]", field_width + 4.0, field.height)
                };
                fields += &format!("[[field]]\nname = \"f{i}_{j}\"\n{kind}\n{digits}\n{layout}\n");
                x += field_width + 8.0;
            }
            y += 14.0;
        }
        let text = format!(
            "name = \"random-form\"\ntitle = \"Random form\"\npage = [{width}, {height}]\nlines = [{}]\n{fields}",
            lines.join(", ")
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

/// Options of a page: from no degradation to [`Degradations::MODERATE`].
fn scans() -> impl Strategy<Value = SynthOptions> {
    (any::<u64>(), 0.0..1.0f64, prop_oneof![Just(200.0), Just(300.0)], 0.0..0.4f64).prop_map(
        |(seed, strength, dpi, blanks)| {
            let max = Degradations::MODERATE;
            let degradations = Degradations {
                skew_degrees: strength * max.skew_degrees,
                shift: strength * max.shift,
                scale: strength * max.scale,
                blur: strength * max.blur,
                noise: strength * max.noise,
                stroke_weight: strength * max.stroke_weight,
                jpeg: strength * max.jpeg,
                uneven_light: strength * max.uneven_light,
                ..Degradations::NONE
            };
            SynthOptions { seed, dpi, blanks, degradations, ..SynthOptions::default() }
        },
    )
}

/// Results for the written fields.
#[derive(Debug, Default)]
struct Counts {
    /// Fields that are not blank.
    fields: usize,
    accepted: usize,
}

/// Draws and reads one page of each of `n_forms` random forms. Fails if an accepted or blank field is wrong.
fn read_forms(n_forms: u32) -> Counts {
    let glyphs = digits_of_fixtures().into_iter().map(|(ink, digit)| (ink, digit, None));
    let glyphs = GlyphStock::new(glyphs).expect("the fixtures have every digit");
    let weights = Weights::shipped().expect("the shipped weights are valid");
    let counts = RefCell::new(Counts::default());
    let config = Config { cases: n_forms, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let check_form = |(form, options): (DrawnForm, SynthOptions)| {
        let template = form.template();
        let drawn = synthesise(&template, &glyphs, &options, 0).expect("the options are in range");
        let templates = known_templates().expect("the templates parse").into_iter().chain([template]);
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
        prop_assert_eq!(form, "random-form");
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
    runner.run(&(forms(), scans()), check_form).unwrap_or_else(|error| panic!("{error}"));
    counts.into_inner()
}

#[test]
fn written_value_is_read_right_or_needs_review() {
    let counts = read_forms(12);
    assert!(counts.fields > 80 && counts.accepted * 10 > counts.fields * 8, "{counts:?}");
}

#[test]
#[ignore = "long: make torture"]
fn torture_300_random_forms_have_no_wrong_value() {
    let counts = read_forms(300);
    eprintln!("random forms: {counts:?}, none wrong");
    assert!(counts.accepted * 10 > counts.fields * 8, "{counts:?}");
}
