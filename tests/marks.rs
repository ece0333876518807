//! Mark boxes on a drawn form: empty, ticked, crossed or filled, single and in groups of which at most one may be marked.

use formread_core::{
    assemble::{FieldState, FieldValue, PageReading, ReviewReason},
    form::{FormTemplate, parse_template},
    normalise::GlyphBatch,
    reader::Reader,
    recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
    scores::{GlyphScores, N_CLASSES},
};
use formread_page::Page;
use formread_raster::error::Result;
use formread_tools::synth::{Degradations, GlyphStock, SynthOptions, SynthPage, synthesise};
use image::{GrayImage, Luma};

/// Replaces the nets. There are no digits on these pages.
struct NoNet;

impl GlyphClassifier for NoNet {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        Ok(vec![GlyphScores { digits: [0.1; 10], classes: [0.2; N_CLASSES] }; batch.n_glyphs])
    }
}

/// A ballot with four groups of three boxes, and a column of boxes that may all be marked.
fn ballot() -> FormTemplate {
    let mut text = "name = \"ballot\"\ntitle = \"Ballot for tests\"\npage = [120, 160]\n\
        lines = [[8, 30, 112, 30], [8, 33, 112, 33], [8, 140, 90, 140], [20, 150, 112, 150], [30, 8, 30, 26]]\n\
        frames = [[60, 8, 50, 14], [8, 8, 15, 10]]\n"
        .to_owned();
    let rules = (0..4).map(|group| format!("\"g{group}a + g{group}b + g{group}c <= 1\""));
    text += &format!("rules = [{}]\n", rules.collect::<Vec<_>>().join(", "));
    let mut add = |name: String, x: u32, y: u32, filled: &str| {
        text +=
            &format!("[[field]]\nname = \"{name}\"\nkind = \"mark\"\nbox = [{x}, {y}, 5, 5]\nfilled = \"{filled}\"\n");
    };
    for group in 0..4 {
        for (i, letter) in ["a", "b", "c"].into_iter().enumerate() {
            add(format!("g{group}{letter}"), 20 + 20 * i as u32, 45 + 22 * group, "retracted");
        }
        add(format!("any{group}"), 95, 45 + 22 * group, "marked");
    }
    parse_template(&text).expect("the template is well formed")
}

/// No digit is drawn, but a stock must have every digit.
fn stock() -> GlyphStock {
    let ink = GrayImage::from_fn(20, 28, |x, _| Luma([if (8..12).contains(&x) { 255 } else { 0 }]));
    GlyphStock::new((0..10).map(|digit| (ink.clone(), digit, None))).expect("the stock has every digit")
}

fn reader(template: &FormTemplate) -> Reader {
    let make = || Ok(GlyphsOnly(NoNet));
    Reader::builder()
        .templates(vec![template.clone()])
        .backend(FnBackend::new("none", make))
        .build()
        .expect("there is a template")
}

fn fields(reader: &Reader, page: SynthPage, dpi: f64) -> Vec<FieldValue> {
    let report = reader.stages().read_page(1, &Page::upright(page.image, Some(dpi))).expect("the net does not fail");
    match report.record.reading {
        PageReading::Read { fields, .. } => fields,
        rejected @ PageReading::Rejected { .. } => panic!("{rejected:?}"),
    }
}

/// Reads drawn pages of `template`, as they are and degraded: a field that needs no review is what was drawn, and few need it.
fn assert_settled_fields_are_right(template: &FormTemplate, blanks: f64, seed: u64) {
    let (reader, stock) = (reader(template), stock());
    let (mut n, mut n_settled) = (0, 0);
    for degradations in [Degradations::NONE, Degradations::MODERATE] {
        let options = SynthOptions { degradations, blanks, seed, ..SynthOptions::default() };
        for page_idx in 0..6 {
            let page = synthesise(template, &stock, &options, page_idx).expect("its rules can be kept");
            let truth = page.truth.clone();
            for (field, truth) in fields(&reader, page, options.dpi).into_iter().zip(truth) {
                n += 1;
                if !matches!(field.state, FieldState::Review(_)) {
                    n_settled += 1;
                    assert_eq!(field.guess, truth.value, "page {page_idx} {field:?}");
                }
            }
        }
    }
    assert!(n_settled as f64 > 0.9 * f64::from(n), "{n_settled} of {n} need no review");
}

#[test]
fn marks_with_skew_noise_and_blur_are_read() {
    assert_settled_fields_are_right(&ballot(), 0.7, 5);
}

#[test]
fn two_marks_where_one_is_allowed_need_review() {
    let mut template = ballot();
    template.rules.clear();
    let options = SynthOptions { blanks: 0.2, seed: 9, ..SynthOptions::default() };
    let strict = ballot();
    let (reader, mut n) = (reader(&strict), 0);
    for page_idx in 0..3 {
        let page = synthesise(&template, &stock(), &options, page_idx).expect("there is no rule to keep");
        let truth = page.truth.clone();
        let read = fields(&reader, page, options.dpi);
        for group in 0..4 {
            let group_fields: Vec<usize> =
                (0..strict.fields.len()).filter(|&i| strict.fields[i].name.starts_with(&format!("g{group}"))).collect();
            let n_marked = group_fields.iter().filter(|&&i| truth[i].value == "1").count();
            let failed = |i: &usize| matches!(read[*i].state, FieldState::Review(ReviewReason::FailedCheck(_)));
            if n_marked > 1 {
                // All boxes of the group, or, where one mark is faint, that box.
                n += usize::from(group_fields.iter().all(failed));
                let n_accepted = group_fields.iter().filter(|&&i| read[i].state == FieldState::Accepted);
                let n_accepted = n_accepted.filter(|&&i| read[i].guess == "1").count();
                assert!(n_accepted < n_marked, "page {page_idx}, group {group}");
            } else {
                assert!(!group_fields.iter().any(failed), "page {page_idx}, group {group}");
            }
        }
    }
    assert!(n >= 3, "{n} groups have two marks");
}

/// An answer sheet: questions with four circles beside each other, and two columns with a circle for each digit.
fn answers(kind: &str) -> FormTemplate {
    let mut text = "name = \"answers\"\ntitle = \"Answers for tests\"\npage = [120, 160]\n\
        lines = [[8, 30, 112, 30], [8, 33, 112, 33], [8, 140, 90, 140], [20, 150, 112, 150], [30, 8, 30, 26]]\n\
        frames = [[60, 8, 50, 14], [8, 8, 15, 10]]\n"
        .to_owned();
    let mut add = |name: &str, boxes: &[(f64, f64, String)]| {
        let quad = |x: f64, y: f64| format!("[{x}, {y}, 4, 4]");
        if kind == "choice" {
            let values: Vec<&str> = boxes.iter().map(|(.., value)| value.as_str()).collect();
            let cells: Vec<String> = boxes.iter().map(|(x, y, _)| quad(*x, *y)).collect();
            text += &format!("[[field]]\nname = \"{name}\"\nkind = \"choice\"\nvalues = {values:?}\n");
            text += &format!("filled = \"marked\"\nprinted = []\ncells = [{}]\n", cells.join(", "));
        } else {
            for (x, y, value) in boxes {
                let place = quad(*x, *y);
                text += &format!("[[field]]\nname = \"{name}_{value}\"\nkind = \"mark\"\nbox = {place}\n");
                text += "filled = \"marked\"\nprinted = []\n";
            }
        }
    };
    for question in 0..8 {
        let y = 45.0 + 8.0 * f64::from(question);
        let boxes: Vec<(f64, f64, String)> = ["A", "B", "C", "D"]
            .iter()
            .zip(0..)
            .map(|(v, i)| (20.0 + 8.0 * f64::from(i), y, (*v).to_owned()))
            .collect();
        add(&format!("question_{question}"), &boxes);
    }
    for column in 0..2 {
        let x = 80.0 + 9.0 * f64::from(column);
        let boxes: Vec<(f64, f64, String)> =
            (0..10).map(|digit| (x, 45.0 + 6.5 * f64::from(digit), digit.to_string())).collect();
        add(&format!("digit_{column}"), &boxes);
    }
    parse_template(&text).expect("the template is well formed")
}

#[test]
fn choices_with_skew_noise_and_blur_are_the_marked_value() {
    assert_settled_fields_are_right(&answers("choice"), 0.2, 7);
}

#[test]
fn choice_with_two_marked_boxes_is_for_review_as_such() {
    let (drawn, read_as) = (answers("mark"), answers("choice"));
    let options = SynthOptions { blanks: 0.6, seed: 3, ..SynthOptions::default() };
    let (reader, mut n) = (reader(&read_as), 0);
    for page_idx in 0..4 {
        let page = synthesise(&drawn, &stock(), &options, page_idx).expect("there is no rule to keep");
        let truth = page.truth.clone();
        for field in fields(&reader, page, options.dpi) {
            let marked: Vec<&str> = truth
                .iter()
                .filter(|truth| truth.value == "1")
                .filter_map(|truth| truth.name.strip_prefix(&format!("{}_", field.name)))
                .collect();
            match (marked.as_slice(), field.state) {
                ([], state) => assert_ne!(state, FieldState::Accepted, "{}", field.name),
                ([one], FieldState::Accepted) => assert_eq!(field.guess, *one),
                ([_], FieldState::Review(_)) => {}
                (_, FieldState::Review(reason)) => n += usize::from(reason == ReviewReason::SeveralMarked),
                (marked, state) => panic!("page {page_idx} {}: {marked:?} is {state:?}", field.name),
            }
        }
    }
    assert!(n >= 12, "{n} have two marks or more");
}
