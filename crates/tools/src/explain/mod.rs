//! A field's life, for a person who must decide what is written: where it lay, what was cut from it, what the nets saw
//! and said, how that was weighed, and what became of it.
//!
//! [`explain`] collects plain data; [`sheet::draw`] puts it on a picture, [`std::fmt::Display`] into lines of text, and
//! serde into JSON, without the pictures.

mod cuts;
mod field;
pub mod sheet;
mod text;

use serde::Serialize;

use crate::draw::quarter_turns;
use formread_core::{
    assemble::{PageReading, PageRecord},
    form::FormTemplate,
    reader::{CutPage, PageExplanation, Reader, ReaderIdentity, TemplateId, rejected},
    rows::{PageRows, Verdict},
};
use formread_page as page;
use formread_page::Page;
use formread_raster::{
    error::{Error, Result},
    geometry::{Point, Rect},
    hash::sha256,
};

pub use crate::draw::View;
pub use field::{CandidateCut, FieldExplanation, FieldImages, StripExplanation, StripText};

/// Height of a line of small text on the sheet, pixels.
const SMALL_TEXT: u32 = 18;
/// Largest height of a picture of a field on the sheet, pixels.
const PICTURE_HEIGHT: u32 = 240;
/// Largest factor by which a field's ink is enlarged in the picture of its cuts.
const MAX_CUTS_SCALE: f64 = 4.0;
/// Most pixels of the page's picture, width and height.
const PAGE_VIEW_PX: [u32; 2] = [440, 600];

/// A page and what became of it.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// What the page is traced to.
    #[serde(flatten)]
    pub trace: Trace,
    /// What became of the page, as in OUT.csv.
    pub verdict: Verdict,
    /// The fields a person must look at, joined by `;`, or the reason why the page was rejected, as in OUT.csv.
    pub attention: String,
    /// What was met where the page was rejected; empty otherwise.
    pub detail: String,
    /// Root mean square distance of the form's landmarks from its fit, pixels; `None` where the page was rejected.
    pub residual_px: Option<f64>,
    /// In the template's order, those that were asked for.
    pub fields: Vec<FieldExplanation>,
    /// The page, upright and small, with the outline of each of `fields`; `None` where it has no pixels.
    #[serde(skip)]
    pub view: Option<View>,
}

/// What a page's cells are traced to: with the same of these, the same is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The file, as the caller names it.
    pub scan: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits; empty where they are not to be had.
    pub sha256: String,
    /// 1-based page in the file.
    pub page: u32,
    /// The template that fits; `None` where none does.
    pub form: Option<TemplateId>,
    /// Fingerprint of the weights.
    pub weights: String,
    /// Version of formread.
    pub version: String,
}

/// Reads the 1-based page `number` of the file `bytes`, which is called `scan`, and tells how. `fields` are the names of
/// the fields to be told of; none: all of them. The whole page is read in any case, as `formread run` reads it, and where
/// rules tie pages together all of the file.
///
/// # Errors
/// `Usage` where the file has no such page or the form no such field; `Net` where a net fails. A page that cannot be read
/// is an explanation that says why.
pub fn explain(reader: &Reader, scan: &str, bytes: &[u8], number: u32, fields: &[String]) -> Result<Explanation> {
    let identity = reader.identity();
    let trace = Trace { sha256: sha256(bytes).to_string(), ..trace_of_nothing(reader, scan, number) };
    let mut pages = match page::open(bytes, reader.limits()) {
        Ok(pages) => pages,
        Err(error) => return Ok(told(trace, &rejected(number, &error), None)),
    };
    let n_pages = pages.len();
    let page_idx = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match page_idx.and_then(|idx| pages.nth(idx)) {
        None => Err(Error::usage(format!("no such page: {number}\nhint: the file has {n_pages}"))),
        Some(Err(error)) => Ok(told(trace, &rejected(number, &error), None)),
        Some(Ok(page)) => {
            let PageExplanation { mut report, fields: seen } = reader.stages().explain_page(number, &page)?;
            if reader.has_cross_page_rules() {
                let in_document = reader.stages().read(bytes)?.into_iter().find(|record| record.page == number);
                report.record = in_document.unwrap_or(report.record);
            }
            let form_idx = |form: &str| reader.templates().iter().position(|template| template.name == form);
            let form = match &report.record.reading {
                PageReading::Read { form, .. } => form_idx(form),
                PageReading::Rejected { form, .. } => form.as_deref().and_then(form_idx),
            };
            let form = form.and_then(|idx| identity.templates.get(idx).cloned());
            let trace = Trace { form, ..trace };
            let PageReading::Read { fields: values, .. } = &report.record.reading else {
                return Ok(told(trace, &report.record, view_of(&page, None, 0)));
            };
            let Some(cut) = &report.cut else { return Ok(told(trace, &report.record, view_of(&page, None, 0))) };
            let template = &reader.templates()[cut.template_idx];
            check_names(template, fields)?;
            let quarters = quarter_turns(&cut.registration.page_from_template);
            let rows = PageRows::new(scan, &report.record).fields;
            let all = values.iter().zip(rows).zip(&seen).enumerate();
            let told_of = all.filter(|(_, ((value, _), _))| fields.is_empty() || fields.contains(&value.name));
            let fields: Vec<FieldExplanation> = told_of
                .map(|(idx, ((value, row), seen))| {
                    let rules =
                        reader.templates().iter().flat_map(|other| other.rules_naming(&template.name, &value.name));
                    let rules = rules.map(|rule| rule.text.clone()).collect();
                    let place = field::FieldPlace {
                        page: &page,
                        template,
                        cut,
                        idx,
                        quarters,
                        params: reader.assemble_params(),
                        rules,
                    };
                    field::explain(place, value, row, seen)
                })
                .collect();
            let view = view_of(&page, Some((template, cut, &fields)), quarters);
            Ok(Explanation { fields, ..told(trace, &report.record, view) })
        }
    }
}

/// What there is to say of a file whose bytes are not to be had, because of `error`.
pub fn explain_unreadable(reader: &Reader, scan: &str, number: u32, error: &Error) -> Explanation {
    told(trace_of_nothing(reader, scan, number), &rejected(number, error), None)
}

/// The trace of a page of which nothing was read yet.
fn trace_of_nothing(reader: &Reader, scan: &str, page: u32) -> Trace {
    let ReaderIdentity { weights, version, .. } = reader.identity();
    Trace { scan: scan.to_owned(), sha256: String::new(), page, form: None, weights, version }
}

/// What there is to say of a page without its fields.
fn told(trace: Trace, record: &PageRecord, view: Option<View>) -> Explanation {
    let (detail, residual_px) = match &record.reading {
        PageReading::Read { residual_px, .. } => (String::new(), Some(*residual_px)),
        PageReading::Rejected { detail, .. } => (detail.clone(), None),
    };
    let PageRows { verdict, attention, .. } = PageRows::new(&trace.scan, record);
    Explanation { trace, verdict, attention, detail, residual_px, fields: Vec::new(), view }
}

fn check_names(template: &FormTemplate, fields: &[String]) -> Result<()> {
    let names: Vec<&str> = template.fields.iter().map(|field| field.name.as_str()).collect();
    match fields.iter().find(|field| !names.contains(&field.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let (form, names) = (&template.name, names.join(", "));
            Err(Error::usage(format!("no such field on {form}: {unknown}\nhint: its fields are {names}")))
        }
    }
}

/// All of the page, with the outlines of the fields that are told of.
fn view_of(
    page: &Page,
    fields: Option<(&FormTemplate, &CutPage, &Vec<FieldExplanation>)>,
    quarters: u8,
) -> Option<View> {
    let outline = |(template, cut, fields): (&FormTemplate, &CutPage, &Vec<FieldExplanation>)| -> Vec<[Point; 4]> {
        let all = template.fields.iter().zip(&cut.registration.fields);
        let told_of = all.filter(|(field, _)| fields.iter().any(|told| told.name == field.name));
        told_of.map(|(field, at)| at.page_from_template.apply_rect(field.layout.bounds())).collect()
    };
    let outlines = fields.map(outline).unwrap_or_default();
    let [width, height] = [page.pixels.width(), page.pixels.height()].map(f64::from);
    let all = Rect::from_xywh(0.0, 0.0, width, height);
    View::new(&page.pixels, all, quarters, PAGE_VIEW_PX, outlines)
}

#[cfg(test)]
pub(crate) mod tests {
    use image::{GrayImage, ImageFormat, Luma};

    use super::*;
    use formread_core::{
        form::known_templates,
        normalise::GlyphBatch,
        recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
        scores::GlyphScores,
    };

    /// Takes everything for a 1.
    struct Ones;

    impl GlyphClassifier for Ones {
        fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
            let mut digits = [0.001; 10];
            digits[1] = 0.991;
            Ok(vec![GlyphScores { digits, classes: [0.995, 0.001, 0.001, 0.001, 0.001, 0.001] }; batch.n_glyphs])
        }
    }

    fn reader(form: &str) -> Reader {
        let templates = known_templates().expect("they parse").into_iter().filter(|t| t.name == form);
        Reader::builder()
            .templates(templates)
            .backend(FnBackend::new("fake", || Ok(GlyphsOnly(Ones))))
            .build()
            .expect("the fake is easily made")
    }

    fn png(picture: &GrayImage) -> Vec<u8> {
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).expect("memory does not run out");
        png.into_inner()
    }

    /// Two upright strokes.
    fn two_ones() -> Vec<u8> {
        let is_ink = |x: u32, y: u32| ((40..46).contains(&x) || (80..86).contains(&x)) && (12..52).contains(&y);
        png(&GrayImage::from_fn(120, 64, |x, y| Luma([if is_ink(x, y) { 20 } else { 250 }])))
    }

    pub(crate) fn explained_strip() -> Explanation {
        explain(&reader("strip"), "two.png", &two_ones(), 1, &[]).expect("the fake does not fail")
    }

    #[test]
    fn it_says_what_reading_says_and_what_it_comes_from() {
        let told = explained_strip();
        let record = &reader("strip").stages().read(&two_ones()).expect("the fake does not fail")[0];
        let rows = PageRows::new("two.png", record);
        assert_eq!((told.verdict, &told.attention), (rows.verdict, &rows.attention));
        let field = &told.fields[0];
        assert_eq!(
            (&field.guess, &field.state, field.bounds),
            (&rows.fields[0].guess, &rows.fields[0].state, [0, 0, 120, 64])
        );
        assert_eq!(field.guess, "11");
        assert_eq!(told.trace.sha256, sha256(&two_ones()).to_string());
        assert_eq!(told.trace.form.as_ref().map(|form| form.name.as_str()), Some("strip"));

        let chosen: Vec<_> =
            field.candidates.iter().filter(|cut| cut.is_chosen).map(|cut| (cut.from, cut.to)).collect();
        assert_eq!(chosen, [(0, 1), (1, 2)]);
        let [first, second] =
            [0, 1].map(|at| field.candidates.iter().filter(|cut| cut.is_chosen).nth(at).and_then(|cut| cut.bounds));
        let (first, second) = (first.expect("it has ink"), second.expect("it has ink"));
        // the strip is brought from 64 to 96 rows
        assert!(first[0].abs_diff(60) <= 2 && second[0].abs_diff(120) <= 2, "{first:?} {second:?}");
    }

    #[test]
    fn the_fields_asked_for_alone_and_unknown_ones_are_named() {
        let ask = |fields: &[&str], page| {
            let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
            explain(&reader("strip"), "two.png", &two_ones(), page, &fields)
        };
        assert_eq!(ask(&["digits"], 1).expect("there is one").fields.len(), 1);
        let error = ask(&["digits", "total"], 1).expect_err("there is none").to_string();
        assert!(error.contains("strip: total") && error.contains("hint: its fields are digits"), "{error}");
        for page in [0, 2] {
            let error = ask(&[], page).expect_err("there is one page").to_string();
            assert!(error.contains("hint: the file has 1"), "{error}");
        }
    }

    #[test]
    fn a_page_that_cannot_be_read_says_why() {
        let white = png(&GrayImage::from_pixel(400, 500, Luma([255])));
        for (bytes, reason, has_view) in [(b"no picture".to_vec(), "unreadable", false), (white, "blank-page", true)] {
            let told = explain(&reader("c1-2019"), "x", &bytes, 1, &["votes".to_owned()]).expect("it is a verdict");
            assert_eq!((told.verdict, told.attention.as_str()), (Verdict::Rejected, reason));
            assert!(!told.detail.is_empty() && told.fields.is_empty() && told.view.is_some() == has_view);
            assert!(told.to_string().contains(&format!("rejected: {reason}: ")), "{told}");
        }
    }
}
