//! Sixty templates, five families of twelve that differ little: a page must find its own, or be told to be unknown.

use std::time::{Duration, Instant};

use formread_core::{
    form::{FormTemplate, PageLayout, known_templates, parse_template},
    register::{Families, RegisterParams, identify, identify_among},
};
use formread_page::Page;
use formread_raster::error::PageReject;
use formread_tools::synth::{Degradations, SynthOptions, synthesise};

use rayon::prelude::*;

use crate::registration::glyphs;

const N_FAMILIES: usize = 5;
const N_KIN: usize = 12;
const DPI: f64 = 150.0;

/// Number `kin` of a family: 0 as it is, 1 to 4 with a box moved, 5 to 8 with one more field, 9 to 11 under another
/// heading. Families differ in all that is printed.
fn form(family: usize, kin: usize) -> FormTemplate {
    let (rows, pitch) = ([6, 8, 5, 9, 7][family], [30.0, 24.0, 38.0, 21.0, 27.0][family]);
    let (left, label) = ([120.0, 30.0, 100.0, 140.0, 60.0][family], [25.0, 110.0, 20.0, 30.0, 130.0][family]);
    let heading = match kin {
        9 => [20.0, 14.0, 150.0, 7.0],
        10 => [110.0, 14.0, 80.0, 7.0],
        11 => [20.0, 14.0, 40.0, 7.0],
        _ => [20.0, 14.0, 80.0, 7.0],
    };
    let top = |row: usize| 45.0 + pitch * row as f64;
    let mut words = format!("{{ at = {heading:?} }}");
    let mut lines = format!("[15, 28, 195, 28], [15, {0}, 195, {0}]", 275 + family);
    let mut fields = String::new();
    let mut box_at = |x: f64, y: f64, n: usize| {
        fields +=
            &format!("[[field]]\nname = \"f{n}\"\nkind = \"integer\"\ndigits = [1, 6]\nbox = [{x}, {y}, 45, 9]\n");
    };
    for row in 0..rows {
        let y = top(row);
        words += &format!(", {{ at = [{label}, {y}, {}, 3.5] }}", 20 + 5 * ((row + family) % 4));
        lines += &format!(", [{label}, {0}, {1}, {0}]", y + 12.0, label + 55.0);
        let (dx, dy) = match kin {
            1 if row == 1 => (6.0, 0.0),
            2 if row == 1 => (-6.0, 0.0),
            3 if row == 3 => (0.0, 5.0),
            4 if row == 4 => (5.0, -4.0),
            _ => (0.0, 0.0),
        };
        box_at(left + dx, y + dy, row);
    }
    match kin {
        5 => box_at(label, top(0) + 14.0, 90),
        6 => box_at(label, top(2) + 14.0, 90),
        7 => box_at(label + 5.0, 264.0, 90),
        8 => box_at(left, 264.0, 90),
        _ => {}
    }
    let upright = 12.0 + 2.0 * family as f64;
    lines += &format!(", [{upright}, 28, {upright}, 275], [198, 28, 198, {}]", 120 + 30 * family);
    let text = format!(
        "name = \"family-{family}-{kin}\"\ntitle = \"t\"\npage = [210, 297]\nlines = [{lines}]\nwords = [{words}]\n{fields}"
    );
    parse_template(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn sixty() -> Vec<FormTemplate> {
    (0..N_FAMILIES).flat_map(|family| (0..N_KIN).map(move |kin| form(family, kin))).collect()
}

/// What became of pages: how many found their own template, and another one; why the others were refused; how long it took.
#[derive(Debug, Default)]
struct Outcome {
    right: usize,
    wrong: Vec<String>,
    refused: Vec<String>,
    time: Duration,
}

impl Outcome {
    /// Draws page `page` of `form` and holds it against `templates`.
    fn add(&mut self, form: &FormTemplate, page: u64, (templates, families): (&[FormTemplate], &Families)) {
        let options = SynthOptions { dpi: DPI, degradations: Degradations::MODERATE, ..SynthOptions::default() };
        let drawn = synthesise(form, &glyphs(), &options, page).expect("the options are in range");
        let page = Page::upright(drawn.image, None);
        let start = Instant::now();
        let found = identify_among(&page, templates, families, &RegisterParams::default());
        self.time += start.elapsed();
        match found {
            Ok((found, _)) if templates[found].name == form.name => self.right += 1,
            Ok((found, _)) => self.wrong.push(format!("{} for {}", templates[found].name, form.name)),
            Err(failure) => self.refused.push(format!("{}: {}", form.name, failure.detail)),
        }
    }

    fn join(&mut self, other: Self) {
        self.right += other.right;
        self.wrong.extend(other.wrong);
        self.refused.extend(other.refused);
        self.time += other.time;
    }

    fn n_pages(&self) -> usize {
        self.right + self.wrong.len() + self.refused.len()
    }

    fn ms_a_page(&self) -> f64 {
        1e3 * self.time.as_secs_f64() / self.n_pages() as f64
    }
}

#[test]
fn a_page_finds_its_own_template_among_sixty() {
    let all = sixty();
    let families = Families::new(&all);
    let mut outcome = Outcome::default();
    // one page of every fifth form: all kinds of differences, all families
    for (idx, form) in all.iter().enumerate().step_by(5) {
        outcome.add(form, idx as u64, (&all, &families));
    }
    let Outcome { right, wrong, refused, .. } = outcome;
    assert_eq!((right, wrong, refused), (12, vec![], vec![]));
}

/// There are nine families here, of which the eight likeliest are searched for.
#[test]
fn a_page_finds_its_own_template_among_more_families_than_are_searched_for() {
    let known = known_templates().expect("they parse").into_iter().filter(|form| form.layout != PageLayout::WholeImage);
    let all: Vec<FormTemplate> = known.chain((0..N_FAMILIES).map(|family| form(family, 0))).collect();
    let families = Families::new(&all);
    let mut outcome = Outcome::default();
    for (idx, form) in all.iter().enumerate() {
        outcome.add(form, idx as u64, (&all, &families));
    }
    let Outcome { right, wrong, refused, .. } = outcome;
    assert_eq!((right, wrong, refused), (9, vec![], vec![]));
}

#[test]
fn a_page_that_two_templates_fit_alike_is_unknown_and_both_are_named() {
    let mut templates = vec![form(0, 0), form(1, 0), form(0, 0), form(0, 5)];
    templates[2].name = "twin".to_owned();
    let options = SynthOptions { dpi: DPI, ..SynthOptions::default() };
    let draw = |form: &FormTemplate| {
        let drawn = synthesise(form, &glyphs(), &options, 1).expect("the options are in range");
        identify(&Page::upright(drawn.image, None), &templates, &RegisterParams::default())
    };
    let failure = draw(&templates[0]).expect_err("there are two of it");
    assert_eq!((failure.reason, failure.template_idx), (PageReject::UnknownForm, None));
    assert_eq!(failure.detail, "fits two templates alike: family-0-0 and twin");
    for idx in [1, 3] {
        assert_eq!(draw(&templates[idx]).map(|(found, _)| found).ok(), Some(idx));
    }
}

/// Takes some minutes: `make torture`. The pages that are held against
/// five templates stand between the others, so that both meet the same load of the machine.
#[test]
#[ignore = "long: make torture"]
fn torture_by_sixty_templates() {
    let all = sixty();
    let five: Vec<FormTemplate> = (0..N_FAMILIES).map(|family| form(family, 0)).collect();
    let [all_families, five_families] = [&all, &five].map(|templates| Families::new(templates));
    let pages: Vec<(u64, usize)> = (0..10).flat_map(|page| (0..all.len()).map(move |idx| (page, idx))).collect();
    let on_page = |[mut few, mut many]: [Outcome; 2], &(page, idx): &(u64, usize)| {
        many.add(&all[idx], 100 * idx as u64 + page, (&all, &all_families));
        if idx % 4 == 0 {
            few.add(&five[idx / N_KIN], 100 * idx as u64 + page, (&five, &five_families));
        }
        [few, many]
    };
    let outcomes: Vec<[Outcome; 2]> = pages.par_iter().fold(Default::default, on_page).collect();
    let [mut few, mut many] = [Outcome::default(), Outcome::default()];
    for [of_few, of_many] in outcomes {
        few.join(of_few);
        many.join(of_many);
    }
    for (of, n) in [(&few, five.len()), (&many, all.len())] {
        let Outcome { right, wrong, refused, .. } = of;
        let (n_pages, ms) = (of.n_pages(), of.ms_a_page());
        println!("{n} templates: {right} of {n_pages} right, {ms:.1} ms a page; wrong {wrong:?}; refused {refused:?}");
    }
    let ratio = many.ms_a_page() / few.ms_a_page();
    println!("with {} templates a page takes {ratio:.2} times what it takes with {}", all.len(), five.len());
    assert!(many.wrong.is_empty() && many.right as f64 >= 0.999 * many.n_pages() as f64);
    assert!(ratio <= 1.3, "{ratio:.2}");
}
