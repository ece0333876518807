//! Blank forms drawn at random: every field is drafted where it was drawn, and nothing else is; and the drafts read filled pages.

mod form;

use std::{env, path::Path};

use formread_core::form::{Field, FieldLayout};
use formread_page::Page;
use formread_tools::draft::{Draft, DraftField, Words, draft};
#[cfg(feature = "torch")]
use image::GrayImage;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[cfg(feature = "torch")]
use formread_tools::synth::Degradations;

use form::{Blank, scanned};

/// A field is found if its corners are this near to where they were drawn, millimetres.
const MAX_OFFSET_MM: f64 = 1.5;

/// How dark the palest frames and lines are, as pale or coloured ink is. Where lines alone hold a form, a scan must not lose them.
const PALEST: f64 = 0.25;
#[cfg(feature = "torch")]
const PALEST_ALONE: f64 = 0.4;

/// How a blank is printed and scanned: 150 to 400 dpi, from black down to the palest.
struct Scan {
    dpi: f64,
    darkness: [f64; 2],
    blur: f32,
    seed: u64,
}

impl Scan {
    fn draw(palest: f64, rng: &mut ChaCha8Rng) -> Self {
        let frames = rng.random_range(palest..1.0);
        let words = if rng.random_bool(0.5) { frames } else { rng.random_range(frames..=1.0) };
        let dpi = rng.random_range(150.0f64..400.0).round();
        Self { dpi, darkness: [frames, words], blur: rng.random_range(0.3..0.8), seed: rng.random() }
    }

    fn page(&self, blank: &Blank, rng: &mut ChaCha8Rng) -> Page {
        let print = blank.print(self.dpi, self.darkness, self.seed);
        Page::upright(scanned(&print, self.blur, rng), Some(self.dpi))
    }
}

fn is_same(drawn: &Field, drafted: &FieldLayout) -> bool {
    let is_comb = |layout: &FieldLayout| layout.cells().len() > 1;
    if drawn.name.starts_with("line") {
        let (drawn, found) = (drawn.layout.bounds(), drafted.bounds());
        let off = [drawn.x0 - found.x0, drawn.x1 - found.x1, drawn.y1 - found.y1];
        return drafted.cells().len() == 1 && off.iter().all(|mm| mm.abs() <= MAX_OFFSET_MM);
    }
    let corners = |layout: &FieldLayout| layout.cells().iter().flat_map(|cell| cell.corners()).collect::<Vec<_>>();
    let (drawn_at, found) = (corners(&drawn.layout), corners(drafted));
    is_comb(&drawn.layout) == is_comb(drafted)
        && drawn_at.len() == found.len()
        && drawn_at.iter().zip(found).all(|(p, q)| (*p - q).norm() <= MAX_OFFSET_MM)
}

/// What drafting some forms gave.
#[derive(Debug, Default, Clone, Copy)]
struct Drafted {
    drawn: usize,
    found: usize,
    wrong: usize,
    /// Drafts that do not hold on their own blank.
    unsound: usize,
}

/// A form, its blank as it was scanned, and its draft.
struct Case {
    blank: Blank,
    scan: Scan,
    page: Page,
    draft: Draft,
}

impl Case {
    fn new(seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let blank = Blank::draw(rng);
        let scan = Scan::draw(PALEST, rng);
        Self::of(blank, scan, rng)
    }

    fn of(blank: Blank, scan: Scan, rng: &mut ChaCha8Rng) -> Self {
        let page = scan.page(&blank, rng);
        let draft = draft(std::slice::from_ref(&page), Words::Unknown, "draft").expect("it has fields");
        Self { blank, scan, page, draft }
    }

    fn is_drawn(&self, drafted: &DraftField) -> bool {
        self.blank.form.fields.iter().any(|field| is_same(field, &drafted.layout))
    }

    /// Adds to the counts; describes what is not as it was drawn, and [saves](Self::save) the blank.
    fn count(&self, seed: u64, all: &mut Drafted) {
        let Self { blank, scan, page, draft } = self;
        let fields = &blank.form.fields;
        let is_found = |field: &&Field| draft.fields.iter().any(|drafted| is_same(field, &drafted.layout));
        let missed: Vec<&Field> = fields.iter().filter(|field| !is_found(field)).collect();
        let wrong: Vec<&DraftField> = draft.fields.iter().filter(|drafted| !self.is_drawn(drafted)).collect();
        all.drawn += fields.len();
        all.found += fields.len() - missed.len();
        all.wrong += wrong.len();
        all.unsound += usize::from(!draft.holds());
        if missed.is_empty() && wrong.is_empty() && draft.holds() {
            return;
        }
        let Scan { dpi, darkness: [frames, words], .. } = scan;
        println!(
            "form {seed}, {dpi} dpi, {frames:.2} and {words:.2} dark: {} of {} missed, {} wrong, {:?}",
            missed.len(),
            fields.len(),
            wrong.len(),
            draft.flaws.iter().filter(|flaw| flaw.is_fatal()).collect::<Vec<_>>()
        );
        let place = |layout: &FieldLayout| {
            let r = layout.bounds();
            format!("{} cells {:.1} {:.1} {:.1}x{:.1}", layout.cells().len(), r.x0, r.y0, r.width(), r.height())
        };
        missed.iter().take(6).for_each(|field| println!("  missed {} {}", field.name, place(&field.layout)));
        wrong.iter().take(6).for_each(|drafted| println!("  wrong {:?} {}", drafted.shape, place(&drafted.layout)));
        self.save(&seed.to_string(), page);
    }

    /// Saves a page and the draft where the variable `DRAWN_BLANKS` names a folder.
    fn save(&self, name: &str, page: &Page) {
        let Ok(folder) = env::var("DRAWN_BLANKS") else { return };
        let file = Path::new(&folder).join(format!("{name}.png"));
        page.pixels.save(&file).expect("the folder is writable");
        std::fs::write(file.with_extension("toml"), self.draft.to_toml()).expect("the folder is writable");
    }
}

/// A number from the environment.
fn from_env(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn fields_of_drawn_blanks_are_drafted_where_they_are() {
    let mut all = Drafted::default();
    (1..=6).for_each(|seed| Case::new(seed).count(seed, &mut all));
    assert!(all.found * 100 >= all.drawn * 97 && all.wrong * 100 <= all.drawn * 2 && all.unsound == 0, "{all:?}");
}

/// `N_BLANKS` forms from seed `FIRST_BLANK`, or 300 from 1000. With the nets, three filled pages of each are read by its draft.
#[test]
#[ignore = "long: make torture"]
fn torture_fields_of_300_drawn_blanks_are_drafted_where_they_are() {
    let (first, n) = (from_env("FIRST_BLANK", 1000), from_env("N_BLANKS", 300));
    let mut all = Drafted::default();
    #[cfg(feature = "torch")]
    let mut read = reading::Read::default();
    for seed in first..first + n {
        let case = Case::new(seed);
        case.count(seed, &mut all);
        #[cfg(feature = "torch")]
        read.count(&case, seed, from_env("N_PAGES", 3), &Degradations::MODERATE, |image| image);
        if (seed - first + 1) % 25 == 0 {
            println!("{} forms so far: {all:?}", seed - first + 1);
            #[cfg(feature = "torch")]
            println!("{read:?}");
        }
    }
    println!("{n} forms: {all:?}");
    assert!(all.found * 100 >= all.drawn * 97 && all.wrong * 100 <= all.drawn * 2 && all.unsound == 0, "{all:?}");
    #[cfg(feature = "torch")]
    assert!((read.wrong + read.lost) * 1000 <= read.accepted && read.rejected * 100 <= read.pages, "{read:?}");
}

/// Three forms of lines, 24 pages of each, turned by up to 2 degrees, sheared and stretched by up to 2 %: no first digit is cut off, and no
/// line slides along itself to another one.
#[cfg(feature = "torch")]
#[test]
#[ignore = "long: make torture"]
fn torture_distorted_forms_of_lines_have_no_wrong_value() {
    use form::LineStyle::{AtTheMargin, Below, SideBySide};

    let (first, n_pages) = (from_env("FIRST_BLANK", 1), from_env("N_PAGES", 24));
    let (mut all, mut read) = (Drafted::default(), reading::Read::default());
    for (seed, style) in (first..).zip([Below, SideBySide, AtTheMargin]) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let case = Case::of(Blank::of_lines(style, rng), Scan::draw(PALEST_ALONE, rng), rng);
        case.count(seed, &mut all);
        let scanner = Degradations { skew_degrees: 0.0, shift: 0.0, scale: 0.0, ..Degradations::MODERATE };
        read.count(&case, seed, n_pages, &scanner, |image| distorted(&image, rng));
        println!("{style:?}: {all:?} {read:?}");
    }
    assert!(all.found == all.drawn && all.wrong == 0 && all.unsound == 0, "{all:?}");
    assert!(read.wrong * 1000 <= read.accepted && read.lost == 0, "{read:?}");
}

/// The page about its middle turned by up to 2 degrees, sheared by up to 2 %, and stretched by up to 2 % in each direction.
#[cfg(feature = "torch")]
fn distorted(page: &GrayImage, rng: &mut ChaCha8Rng) -> GrayImage {
    use imageproc::geometric_transformations::{Border, Interpolation, Projection, warp};

    let [turn, shear, x, y] = [2f32.to_radians(), 0.02, 0.02, 0.02].map(|most| rng.random_range(-most..most));
    let (dx, dy) = (page.width() as f32 / 2.0, page.height() as f32 / 2.0);
    let skewed =
        Projection::from_matrix([1.0 + x, shear, 0.0, 0.0, 1.0 + y, 0.0, 0.0, 0.0, 1.0]).expect("it is invertible");
    let back = Projection::translate(dx, dy) * Projection::rotate(turn) * skewed * Projection::translate(-dx, -dy);
    warp(page, back, Interpolation::Bilinear, Border::Constant(image::Luma([250])))
}

/// Filled pages, read by the drafts as they are.
#[cfg(feature = "torch")]
mod reading {
    use std::path::Path;

    use formread_core::{
        assemble::{FieldState, PageReading},
        form::parse_template,
    };
    use formread_page::Page;
    use formread_tools::synth::{Degradations, GlyphStock, SynthOptions, read_glyphs, synthesise_document};
    use formread_torch::TorchBackend;
    use image::GrayImage;

    use super::Case;
    use crate::util::digits_of_fixtures;

    /// What became of the fields of filled pages.
    #[derive(Debug, Default)]
    pub struct Read {
        pub pages: usize,
        pub rejected: usize,
        fields: usize,
        pub accepted: usize,
        blank: usize,
        /// Accepted with another value.
        pub wrong: usize,
        /// Blank although something is written.
        pub lost: usize,
    }

    /// MNIST's test digits, where they are, or those of the fixtures.
    fn glyphs() -> GlyphStock {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".mnist");
        if folder.exists() {
            return read_glyphs(&folder).expect("the folder has MNIST");
        }
        let digits = digits_of_fixtures().into_iter().map(|(ink, digit)| (ink, digit, None));
        GlyphStock::new(digits).expect("the fixtures have every digit")
    }

    impl Read {
        /// Reads `n_pages` filled pages of a form, each changed by `change`. The fields that are as they were drawn are filled in.
        pub fn count(
            &mut self,
            case: &Case,
            seed: u64,
            n_pages: u64,
            degradations: &Degradations,
            mut change: impl FnMut(GrayImage) -> GrayImage,
        ) {
            let template = parse_template(&case.draft.to_toml()).expect("it is a template");
            let mut filled = template.clone();
            filled.fields.retain(|field| {
                case.draft.fields.iter().any(|drafted| drafted.name == field.name && case.is_drawn(drafted))
            });
            if n_pages == 0 || filled.fields.is_empty() {
                return;
            }
            let backend = TorchBackend::shipped().expect("the shipped weights are valid");
            let reader = formread::Reader::builder().templates([template]).backend(backend).build();
            let reader = reader.expect("there is a template");
            let print = case.blank.print(300.0, case.scan.darkness, case.scan.seed);
            let options =
                SynthOptions { seed, dpi: 200.0, blanks: 0.3, degradations: *degradations, ..SynthOptions::default() };
            for page_idx in 0..n_pages {
                let pages = synthesise_document(
                    std::slice::from_ref(&filled),
                    std::slice::from_ref(&print),
                    &glyphs(),
                    &options,
                    page_idx,
                );
                let drawn = pages.expect("the options are in range").pop().expect("there is a page");
                let page = Page::upright(change(drawn.image), Some(options.dpi));
                case.save(&format!("{seed}-{page_idx}"), &page);
                let record = reader.stages().read_page(1, &page).expect("the nets work").record;
                self.pages += 1;
                let PageReading::Read { fields, .. } = record.reading else {
                    println!("form {seed}, page {page_idx}: {:?}", record.reading);
                    self.rejected += 1;
                    continue;
                };
                for field in &fields {
                    let truth = drawn.truth.iter().find(|truth| truth.name == field.name);
                    let truth = truth.map_or("", |truth| truth.value.as_str());
                    self.fields += 1;
                    let is_known = truth != "?";
                    match field.state {
                        FieldState::Accepted => {
                            self.accepted += 1;
                            self.wrong += usize::from(is_known && field.guess != truth);
                        }
                        FieldState::Blank => {
                            self.blank += 1;
                            self.lost += usize::from(is_known && !truth.is_empty());
                        }
                        FieldState::Review(_) => continue,
                    }
                    if is_known && field.guess != truth {
                        println!("form {seed}, page {page_idx}, {}: {truth:?} read as {:?}", field.name, field.guess);
                    }
                }
            }
        }
    }
}
