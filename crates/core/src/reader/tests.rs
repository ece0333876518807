//! The reader with a recogniser of a few lines, on strips with two upright strokes.

use std::{mem, sync::Arc};

use image::{GrayImage, ImageFormat, Luma};

use formread_page::Page;

use super::*;
use crate::{
    assemble::{FieldState, FieldValue},
    form::parse_template,
    recognise::{FieldInput, FnBackend, PageInput, PageScores},
    scores::{EdgeScores, GlyphScores, N_DIGITS},
};

/// The methods that were called, with the number of glyphs.
type Calls = Arc<Mutex<Vec<(&'static str, usize)>>>;

/// Takes every glyph for a 1, with the probability that the test sets.
#[derive(Clone, Default)]
struct Fake {
    /// Probability after the first pass, and after refinement.
    first_pass: f32,
    refined: f32,
    /// The digit that a page's writing is adapted to.
    adapted: Option<usize>,
    /// Scores that are left out.
    n_lost: usize,
    calls: Calls,
}

fn scores(digit: usize, probability: f32) -> GlyphScores {
    let mut digits = [(1.0 - probability) / 9.0; N_DIGITS];
    digits[digit] = probability;
    GlyphScores::of_digit(digits)
}

impl Fake {
    fn call(&self, name: &'static str, n_glyphs: usize) {
        self.calls.lock().expect("nobody panics").push((name, n_glyphs));
    }
}

/// Scores every glyph, then those again that are contested on fields that are not settled; adapts the page last.
impl Recogniser for Fake {
    fn recognise(&mut self, pages: &[PageInput<'_>]) -> Result<Vec<PageScores>> {
        let (mut n_classified, mut n_refined) = (0, 0);
        let mut score_field = |field: &FieldInput<'_>| {
            let mut scored = field.unscored();
            for (_, edge) in field.unscored_glyphs(&mut scored) {
                *edge = EdgeScores::Scored(scores(1, self.first_pass));
                n_classified += 1;
            }
            if !field.is_settled(&scored) {
                for (_, edge) in field.contested_glyphs(&mut scored) {
                    *edge = EdgeScores::Scored(scores(1, self.refined));
                    n_refined += 1;
                }
            }
            scored.edges.truncate(scored.edges.len() - self.n_lost.min(scored.edges.len()));
            scored
        };
        let fields: Vec<Vec<FieldInput<'_>>> = pages.iter().map(PageInput::fields).collect();
        let of_page = |fields: &Vec<FieldInput<'_>>| PageScores::new(fields.iter().map(&mut score_field).collect());
        let mut scored: Vec<PageScores> = fields.iter().map(of_page).collect();
        if let Some(digit) = self.adapted {
            scored.iter_mut().flat_map(PageScores::glyphs_mut).for_each(|glyph| *glyph = scores(digit, 0.9999));
        }
        self.call("classify", n_classified);
        self.call("refine", n_refined);
        Ok(scored)
    }
}

fn template(name: &str) -> FormTemplate {
    let text =
        format!("name = \"{name}\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\nkind = \"integer\"\n");
    parse_template(&text).expect("it is well formed")
}

fn reader(fake: &Fake) -> Reader {
    let fake = fake.clone();
    let backend = FnBackend::new("fake", move || Ok(fake.clone()));
    Reader::builder().templates([template("strip")]).backend(backend).build().expect("it has a template")
}

/// A strip with an upright stroke at each of these columns.
fn strip(strokes: &[u32]) -> Page {
    let is_ink = |x: u32, y: u32| (12..52).contains(&y) && strokes.iter().any(|left| (*left..left + 6).contains(&x));
    Page::upright(GrayImage::from_fn(160, 64, |x, y| Luma([if is_ink(x, y) { 20 } else { 250 }])), None)
}

fn value(report: PageReport) -> FieldValue {
    match report.record.reading {
        PageReading::Read { fields, .. } => fields.into_iter().next().expect("it has one field"),
        rejected @ PageReading::Rejected { .. } => panic!("{rejected:?}"),
    }
}

fn calls(fake: &Fake) -> Vec<(&'static str, usize)> {
    mem::take(&mut *fake.calls.lock().expect("nobody panics"))
}

#[test]
fn reader_without_templates_or_with_two_of_one_name_is_refused() {
    let make = |templates: Vec<FormTemplate>| {
        let backend = FnBackend::new("fake", || Ok(Fake::default()));
        Reader::builder().templates(templates).backend(backend).build().map(drop)
    };
    for templates in [vec![], vec![template("a"), template("a")]] {
        let error = make(templates).expect_err("it cannot read");
        assert!(matches!(error.kind(), ErrorKind::Usage(_)), "{error}");
    }
    make(vec![template("a")]).expect("one is enough");
    let error = Reader::builder().templates([template("a")]).build().map(drop).expect_err("it has no backend");
    assert!(matches!(error.kind(), ErrorKind::Usage(_)), "{error}");
}

#[test]
fn reader_whose_first_recogniser_fails_is_not_made() {
    let backend = FnBackend::new("fake", || Err::<Fake, _>(Error::net("no weights")));
    Reader::builder().templates([template("a")]).backend(backend).build().map(drop).expect_err("it has no recogniser");
}

#[test]
fn read_bytes_that_are_no_picture_is_one_rejected_page() {
    let records = reader(&Fake::default()).stages().read(b"no picture").expect("that is no fault of the reader");
    let [PageRecord { page: 1, reading: PageReading::Rejected { form: None, reason, .. } }] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(*reason, PageReject::Unreadable);
}

#[test]
fn read_bytes_of_a_picture_is_the_record_of_its_page() {
    let fake = Fake { first_pass: 0.9999, ..Fake::default() };
    let mut png = std::io::Cursor::new(Vec::new());
    strip(&[40, 80]).pixels.write_to(&mut png, ImageFormat::Png).expect("there is memory");
    let reader = reader(&fake);
    let records = reader.stages().read(png.get_ref()).expect("the fake does not fail");
    assert_eq!(records, [reader.stages().read_page(1, &strip(&[40, 80])).expect("the fake does not fail").record]);
}

#[test]
fn read_page_on_which_no_form_lies_is_rejected_without_a_look() {
    let text = "name = \"p\"\ntitle = \"t\"\npage = [100, 140]\nlines = [[10, 20, 90, 20]]\n\
                [[field]]\nname = \"a\"\nkind = \"integer\"\nbox = [20, 40, 50, 9]\n";
    let fake = Fake::default();
    let recogniser = fake.clone();
    let printed = parse_template(text).expect("it is well formed");
    let backend = FnBackend::new("fake", move || Ok(recogniser.clone()));
    let reader = Reader::builder().templates([printed]).backend(backend).build().expect("it has a template");
    let blank = Page::upright(GrayImage::from_pixel(400, 560, Luma([245])), None);
    let report = reader.stages().read_page(3, &blank).expect("the fake does not fail");
    let PageRecord { page: 3, reading: PageReading::Rejected { form: None, reason, .. } } = report.record else {
        panic!("{:?}", report.record);
    };
    assert_eq!((reason, report.cut.is_none()), (PageReject::BlankPage, true));
    assert!(calls(&fake).iter().all(|(_, n_glyphs)| *n_glyphs == 0), "there is no glyph to look at");
}

#[test]
fn read_page_settled_after_the_first_pass_is_not_refined() {
    let fake = Fake { first_pass: 0.9999, refined: 0.2, ..Fake::default() };
    let value = value(reader(&fake).stages().read_page(1, &strip(&[40, 80])).expect("the fake does not fail"));
    assert_eq!((value.guess.as_str(), value.state), ("11", FieldState::Accepted));
    let looks: Vec<_> = calls(&fake).into_iter().filter(|(_, n_glyphs)| *n_glyphs > 0).collect();
    assert!(matches!(looks[..], [("classify", 2..)]), "{looks:?}");
}

#[test]
fn read_page_in_doubt_is_read_by_refinement() {
    let fake = Fake { first_pass: 0.5, refined: 0.9999, ..Fake::default() };
    let value = value(reader(&fake).stages().read_page(1, &strip(&[40, 80])).expect("the fake does not fail"));
    assert_eq!((value.guess.as_str(), value.state), ("11", FieldState::Accepted));
    assert!(calls(&fake).iter().any(|(name, n_glyphs)| *name == "refine" && *n_glyphs >= 2));
}

#[test]
fn read_page_that_stays_in_doubt_is_for_review() {
    let fake = Fake { first_pass: 0.5, refined: 0.5, ..Fake::default() };
    let value = value(reader(&fake).stages().read_page(1, &strip(&[40, 80])).expect("the fake does not fail"));
    assert!(matches!(value.state, FieldState::Review(_)) && value.guess == "11", "{value:?}");
}

#[test]
fn read_page_without_ink_is_blank_without_a_look() {
    let fake = Fake::default();
    let value = value(reader(&fake).stages().read_page(1, &strip(&[])).expect("the fake does not fail"));
    assert_eq!((value.guess.as_str(), value.state), ("", FieldState::Blank));
    assert!(calls(&fake).iter().all(|(_, n_glyphs)| *n_glyphs == 0));
}

#[test]
fn scores_adapted_to_the_writer_are_what_is_read() {
    let fake = Fake { first_pass: 0.9999, adapted: Some(7), ..Fake::default() };
    let value = value(reader(&fake).stages().read_page(1, &strip(&[40, 80])).expect("the fake does not fail"));
    assert_eq!(value.guess, "77");
}

#[test]
fn pages_recognised_together_are_read_as_each_by_itself() {
    let reader = reader(&Fake { first_pass: 0.9, refined: 0.99, ..Fake::default() });
    let pages = [strip(&[40]), strip(&[]), strip(&[20, 60, 110])];
    let mut prepared: Vec<PreparedPage> = pages.iter().map(|page| reader.stages().prepare(1, page)).collect();
    let scored = reader.stages().recognise(&mut prepared).expect("the fake does not fail");
    assert!(prepared.is_empty());
    let together = scored.into_iter().map(|page| reader.stages().finish(page).record);
    let alone = pages.iter().map(|page| reader.stages().read_page(1, page).expect("the fake does not fail").record);
    assert_eq!(together.collect::<Vec<_>>(), alone.collect::<Vec<_>>());
    assert!(reader.stages().recognise(&mut Vec::new()).expect("there is nothing to do").is_empty());
}

#[test]
fn recogniser_that_leaves_scores_out_is_a_fault() {
    let fake = Fake { first_pass: 0.9999, n_lost: 1, ..Fake::default() };
    let error = reader(&fake).stages().read_page(1, &strip(&[40, 80])).map(drop).expect_err("a score is missing");
    assert!(matches!(error.kind(), ErrorKind::Net(_)), "{error}");
}

#[test]
fn recogniser_is_made_once_for_pages_in_turn() {
    let n_made = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&n_made);
    let make = move || {
        *counted.lock().expect("nobody panics") += 1;
        Ok(Fake { first_pass: 0.9999, ..Fake::default() })
    };
    let backend = FnBackend::new("fake", make);
    let reader = Reader::builder().templates([template("strip")]).backend(backend).build().expect("it has a template");
    for page in 1..4 {
        reader.stages().read_page(page, &strip(&[40])).expect("the fake does not fail");
    }
    assert_eq!(*n_made.lock().expect("nobody panics"), 1);
}
