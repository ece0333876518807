//! Sixty templates in five families of twelve that differ little: a page is identified as its own form, or is unknown.

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
const N_VARIANTS: usize = 12;
const DPI: f64 = 150.0;

/// Variant `variant` of a family: 0 is the original, 1 to 4 have a box moved, 5 to 8 have one more field, 9 to 11 have another
/// heading. Families differ in everything that is printed.
fn form(family: usize, variant: usize) -> FormTemplate {
    let (rows, pitch) = ([6, 8, 5, 9, 7][family], [30.0, 24.0, 38.0, 21.0, 27.0][family]);
    let (left, label) = ([120.0, 30.0, 100.0, 140.0, 60.0][family], [25.0, 110.0, 20.0, 30.0, 130.0][family]);
    let heading = match variant {
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
        let (dx, dy) = match variant {
            1 if row == 1 => (6.0, 0.0),
            2 if row == 1 => (-6.0, 0.0),
            3 if row == 3 => (0.0, 5.0),
            4 if row == 4 => (5.0, -4.0),
            _ => (0.0, 0.0),
        };
        box_at(left + dx, y + dy, row);
    }
    match variant {
        5 => box_at(label, top(0) + 14.0, 90),
        6 => box_at(label, top(2) + 14.0, 90),
        7 => box_at(label + 5.0, 264.0, 90),
        8 => box_at(left, 264.0, 90),
        _ => {}
    }
    let line_x = 12.0 + 2.0 * family as f64;
    lines += &format!(", [{line_x}, 28, {line_x}, 275], [198, 28, 198, {}]", 120 + 30 * family);
    let text = format!(
        "name = \"family-{family}-{variant}\"\ntitle = \"t\"\npage = [210, 297]\nlines = [{lines}]\nwords = [{words}]\n{fields}"
    );
    parse_template(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn sixty() -> Vec<FormTemplate> {
    (0..N_FAMILIES).flat_map(|family| (0..N_VARIANTS).map(move |variant| form(family, variant))).collect()
}

/// Results for some pages.
#[derive(Debug, Default)]
struct Outcome {
    /// Pages identified as their own form.
    right: usize,
    /// Pages identified as another form.
    wrong: Vec<String>,
    /// Why the other pages were rejected.
    refused: Vec<String>,
    /// Time of identification, summed.
    time: Duration,
}

impl Outcome {
    /// Draws page `page` of `form` and identifies it among `templates`.
    fn add(&mut self, form: &FormTemplate, page: u64, (templates, families): (&[FormTemplate], &Families)) {
        let options = SynthOptions { dpi: DPI, degradations: Degradations::MODERATE, ..SynthOptions::default() };
        let drawn = synthesise(form, &glyphs(), &options, page).expect("the options are in range");
        let page = Page::upright(drawn.image, None);
        let start = Instant::now();
        let result = identify_among(&page, templates, families, &RegisterParams::default());
        self.time += start.elapsed();
        match result {
            Ok((idx, _)) if templates[idx].name == form.name => self.right += 1,
            Ok((idx, _)) => self.wrong.push(format!("{} for {}", templates[idx].name, form.name)),
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

    fn ms_per_page(&self) -> f64 {
        1e3 * self.time.as_secs_f64() / self.n_pages() as f64
    }
}

#[test]
fn page_among_sixty_templates_is_identified_as_its_own() {
    let all = sixty();
    let families = Families::new(&all, &RegisterParams::default());
    let mut outcome = Outcome::default();
    // One page of every fifth form covers all families and all kinds of variants.
    for (idx, form) in all.iter().enumerate().step_by(5) {
        outcome.add(form, idx as u64, (&all, &families));
    }
    let Outcome { right, wrong, refused, .. } = outcome;
    assert_eq!((right, wrong, refused), (12, vec![], vec![]));
}

/// There are nine families. The search tries only the eight likeliest.
#[test]
fn page_among_more_families_than_are_searched_is_identified_as_its_own() {
    let known = known_templates()
        .expect("the templates parse")
        .into_iter()
        .filter(|form| form.layout != PageLayout::WholeImage);
    let all: Vec<FormTemplate> = known.chain((0..N_FAMILIES).map(|family| form(family, 0))).collect();
    let families = Families::new(&all, &RegisterParams::default());
    let mut outcome = Outcome::default();
    for (idx, form) in all.iter().enumerate() {
        outcome.add(form, idx as u64, (&all, &families));
    }
    let Outcome { right, wrong, refused, .. } = outcome;
    assert_eq!((right, wrong, refused), (9, vec![], vec![]));
}

#[test]
fn page_that_two_templates_fit_equally_is_unknown_and_both_are_named() {
    let mut templates = vec![form(0, 0), form(1, 0), form(0, 0), form(0, 5)];
    templates[2].name = "second-copy".to_owned();
    let options = SynthOptions { dpi: DPI, ..SynthOptions::default() };
    let identify_drawn = |form: &FormTemplate| {
        let drawn = synthesise(form, &glyphs(), &options, 1).expect("the options are in range");
        identify(&Page::upright(drawn.image, None), &templates, &RegisterParams::default())
    };
    let failure = identify_drawn(&templates[0]).expect_err("two templates are identical");
    assert_eq!((failure.reason, failure.template_idx), (PageReject::UnknownForm, None));
    assert_eq!(failure.detail, "fits two templates alike: family-0-0 and second-copy");
    for idx in [1, 3] {
        assert_eq!(identify_drawn(&templates[idx]).map(|(found_idx, _)| found_idx).ok(), Some(idx));
    }
}

/// Takes some minutes. Pages compared with five templates alternate with pages compared with sixty, so that the load of the
/// machine is the same for both.
#[test]
#[ignore = "long: make torture"]
fn torture_sixty_templates_identify_no_wrong_form() {
    let all = sixty();
    let five: Vec<FormTemplate> = (0..N_FAMILIES).map(|family| form(family, 0)).collect();
    let [all_families, five_families] =
        [&all, &five].map(|templates| Families::new(templates, &RegisterParams::default()));
    let pages: Vec<(u64, usize)> = (0..10).flat_map(|page| (0..all.len()).map(move |idx| (page, idx))).collect();
    let identify_page = |[mut few, mut many]: [Outcome; 2], &(page, idx): &(u64, usize)| {
        many.add(&all[idx], 100 * idx as u64 + page, (&all, &all_families));
        if idx % 4 == 0 {
            few.add(&five[idx / N_VARIANTS], 100 * idx as u64 + page, (&five, &five_families));
        }
        [few, many]
    };
    let outcomes: Vec<[Outcome; 2]> = pages.par_iter().fold(Default::default, identify_page).collect();
    let [mut few, mut many] = [Outcome::default(), Outcome::default()];
    for [page_of_few, page_of_many] in outcomes {
        few.join(page_of_few);
        many.join(page_of_many);
    }
    for (outcome, n) in [(&few, five.len()), (&many, all.len())] {
        let Outcome { right, wrong, refused, .. } = outcome;
        let (n_pages, ms) = (outcome.n_pages(), outcome.ms_per_page());
        println!("{n} templates: {right} of {n_pages} right, {ms:.1} ms a page; wrong {wrong:?}; refused {refused:?}");
    }
    let ratio = many.ms_per_page() / few.ms_per_page();
    println!("with {} templates a page takes {ratio:.2} times what it takes with {}", all.len(), five.len());
    assert!(many.wrong.is_empty() && many.right as f64 >= 0.999 * many.n_pages() as f64);
    assert!(ratio <= 1.3, "{ratio:.2}");
}
