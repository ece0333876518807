//! Explains how a field was read, for a person who must decide what is written: its position, the candidates cut from it,
//! the input and output of the nets, the readings with their probabilities, and the verdict.
//!
//! [`explain`] collects plain data. [`sheet::draw`] draws it as a picture, [`std::fmt::Display`] writes it as text, and
//! serde writes it as JSON without pictures.

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
    hash::{Sha256, sha256},
};

pub use crate::draw::View;
pub use field::{CandidateCut, FieldExplanation, FieldImages, StripExplanation, StripText};

/// Height of a line of small text on the sheet, pixels.
const SMALL_TEXT: u32 = 18;
/// Maximum height of a picture of a field on the sheet, pixels.
const PICTURE_HEIGHT: u32 = 240;
/// Maximum factor by which a field's ink is enlarged in the picture of its cuts.
const MAX_CUTS_SCALE: f64 = 4.0;
/// Maximum width and height of the page's picture, pixels.
const MAX_PAGE_VIEW_PX: [u32; 2] = [440, 600];

/// A page, its verdict, and how its fields were read.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// Origin of the reading.
    #[serde(flatten)]
    pub trace: Trace,
    /// Verdict on the page, as in OUT.csv.
    pub verdict: Verdict,
    /// The fields a person must look at, joined by `;`, or the reason why the page was rejected, as in OUT.csv.
    pub attention: String,
    /// Details of a rejection; empty if the page was not rejected.
    pub detail: String,
    /// Root mean square distance between the form's landmarks and its fit, pixels; `None` if the page was rejected.
    pub residual_px: Option<f64>,
    /// The requested fields, in the order of the template.
    pub fields: Vec<FieldExplanation>,
    /// The page, upright and scaled down, with the outlines of `fields`; `None` if it has no pixels.
    #[serde(skip)]
    pub view: Option<View>,
}

/// Origin of a reading: file, page, template, weights and program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The file, as the caller names it.
    pub scan: String,
    /// SHA-256 of the program's build, the weights, the templates and the options, as in OUT.run.json.
    pub identity: Sha256,
    /// SHA-256 of its bytes, 64 hexadecimal digits; empty if the file cannot be read.
    pub sha256: String,
    /// 1-based page in the file.
    pub page: u32,
    /// The template that fits; `None` if none does.
    pub form: Option<TemplateId>,
    /// Fingerprint of the weights.
    pub weights: String,
    /// Version of formread.
    pub version: String,
}

/// Reads page `number`, 1-based, of the file `bytes` with the name `scan`, and explains how it was read. `fields` are the
/// names of the fields to explain; empty: all fields. The whole page is read as `formread run` reads it, and the whole file
/// if rules connect pages.
///
/// # Errors
/// `Usage` if the file has no such page or the form no such field; `Net` if a net fails. A page that cannot be read gives
/// an explanation with the reason.
pub fn explain(reader: &Reader, scan: &str, bytes: &[u8], number: u32, fields: &[String]) -> Result<Explanation> {
    let identity = reader.identity();
    let trace = Trace { sha256: sha256(bytes).to_string(), ..trace_without_form(reader, scan, number) };
    let mut pages = match page::open(bytes, reader.limits()) {
        Ok(pages) => pages,
        Err(error) => return Ok(page_only(trace, &rejected(number, &error), None)),
    };
    let n_pages = pages.len();
    let page_idx = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match page_idx.and_then(|idx| pages.nth(idx)) {
        None => Err(Error::usage(format!("no such page: {number}")).with_hint(format!("the file has {n_pages}"))),
        Some(Err(error)) => Ok(page_only(trace, &rejected(number, &error), None)),
        Some(Ok(page)) => {
            let PageExplanation { mut report, fields: scored } = reader.stages().explain_page(number, &page)?;
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
                return Ok(page_only(trace, &report.record, view_of(&page, None, 0)));
            };
            let Some(cut) = &report.cut else { return Ok(page_only(trace, &report.record, view_of(&page, None, 0))) };
            let template = &reader.templates()[cut.template_idx];
            check_names(template, fields)?;
            let quarters = quarter_turns(&cut.registration.page_from_template);
            let rows = PageRows::new(scan, &report.record).fields;
            let all = values.iter().zip(rows).zip(&scored).enumerate();
            let requested = all.filter(|(_, ((value, _), _))| fields.is_empty() || fields.contains(&value.name));
            let fields: Vec<FieldExplanation> = requested
                .map(|(idx, ((value, row), scored))| {
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
                    field::explain(place, value, row, scored)
                })
                .collect();
            let view = view_of(&page, Some((template, cut, &fields)), quarters);
            Ok(Explanation { fields, ..page_only(trace, &report.record, view) })
        }
    }
}

/// The explanation for a file that cannot be read because of `error`.
pub fn explain_unreadable(reader: &Reader, scan: &str, number: u32, error: &Error) -> Explanation {
    page_only(trace_without_form(reader, scan, number), &rejected(number, error), None)
}

/// The trace of a page before it is read.
fn trace_without_form(reader: &Reader, scan: &str, page: u32) -> Trace {
    let reader = reader.identity();
    let identity = reader.sha256();
    let ReaderIdentity { weights, version, .. } = reader;
    Trace { scan: scan.to_owned(), identity, sha256: String::new(), page, form: None, weights, version }
}

/// The explanation of a page without its fields.
fn page_only(trace: Trace, record: &PageRecord, view: Option<View>) -> Explanation {
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
            Err(Error::usage(format!("no such field on {form}: {unknown}"))
                .with_hint(format!("its fields are {names}")))
        }
    }
}

/// The whole page, with the outlines of the explained fields.
fn view_of(
    page: &Page,
    fields: Option<(&FormTemplate, &CutPage, &Vec<FieldExplanation>)>,
    quarters: u8,
) -> Option<View> {
    let outline = |(template, cut, fields): (&FormTemplate, &CutPage, &Vec<FieldExplanation>)| -> Vec<[Point; 4]> {
        let all = template.fields.iter().zip(&cut.registration.fields);
        let explained = all.filter(|(field, _)| fields.iter().any(|of| of.name == field.name));
        explained.map(|(field, at)| at.page_from_template.apply_rect(field.layout.bounds())).collect()
    };
    let outlines = fields.map(outline).unwrap_or_default();
    let [width, height] = [page.pixels.width(), page.pixels.height()].map(f64::from);
    let all = Rect::from_xywh(0.0, 0.0, width, height);
    View::new(&page.pixels, all, quarters, MAX_PAGE_VIEW_PX, outlines)
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

    /// Classifies every glyph as the digit 1.
    struct AlwaysOne;

    impl GlyphClassifier for AlwaysOne {
        fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
            let mut digits = [0.001; 10];
            digits[1] = 0.991;
            Ok(vec![GlyphScores::of_digit(digits); batch.n_glyphs])
        }
    }

    fn reader(form: &str) -> Reader {
        let templates = known_templates().expect("they parse").into_iter().filter(|t| t.name == form);
        Reader::builder()
            .templates(templates)
            .backend(FnBackend::new("fake", || Ok(GlyphsOnly(AlwaysOne))))
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
    fn explanation_matches_the_reading_and_has_its_origin() {
        let explanation = explained_strip();
        let record = &reader("strip").stages().read(&two_ones()).expect("the fake does not fail")[0];
        let rows = PageRows::new("two.png", record);
        assert_eq!((explanation.verdict, &explanation.attention), (rows.verdict, &rows.attention));
        let field = &explanation.fields[0];
        assert_eq!(
            (&field.guess, &field.state, field.bounds),
            (&rows.fields[0].guess, &rows.fields[0].state, [0, 0, 120, 64])
        );
        assert_eq!(field.guess, "11");
        assert_eq!(explanation.trace.sha256, sha256(&two_ones()).to_string());
        assert_eq!(explanation.trace.form.as_ref().map(|form| form.name.as_str()), Some("strip"));

        let chosen: Vec<_> =
            field.candidates.iter().filter(|cut| cut.is_chosen).map(|cut| (cut.from, cut.to)).collect();
        assert_eq!(chosen, [(0, 1), (1, 2)]);
        let [first, second] =
            [0, 1].map(|at| field.candidates.iter().filter(|cut| cut.is_chosen).nth(at).and_then(|cut| cut.bounds));
        let (first, second) = (first.expect("it has ink"), second.expect("it has ink"));
        // the strip is scaled from 64 to 96 rows
        assert!(first[0].abs_diff(60) <= 2 && second[0].abs_diff(120) <= 2, "{first:?} {second:?}");
    }

    #[test]
    fn explain_returns_only_requested_fields_and_rejects_unknown_ones() {
        let explain_strip = |fields: &[&str], page| {
            let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
            explain(&reader("strip"), "two.png", &two_ones(), page, &fields)
        };
        assert_eq!(explain_strip(&["digits"], 1).expect("there is one").fields.len(), 1);
        let error = explain_strip(&["digits", "total"], 1).expect_err("there is none").to_string();
        assert!(error.contains("strip: total") && error.contains("hint: its fields are digits"), "{error}");
        for page in [0, 2] {
            let error = explain_strip(&[], page).expect_err("there is one page").to_string();
            assert!(error.contains("hint: the file has 1"), "{error}");
        }
    }

    #[test]
    fn explanation_of_an_unreadable_page_has_the_reason() {
        let white = png(&GrayImage::from_pixel(400, 500, Luma([255])));
        for (bytes, reason, has_view) in [(b"no picture".to_vec(), "unreadable", false), (white, "blank-page", true)] {
            let explanation =
                explain(&reader("c1-2019"), "x", &bytes, 1, &["votes".to_owned()]).expect("it is a verdict");
            assert_eq!((explanation.verdict, explanation.attention.as_str()), (Verdict::Rejected, reason));
            assert!(
                !explanation.detail.is_empty()
                    && explanation.fields.is_empty()
                    && explanation.view.is_some() == has_view
            );
            assert!(explanation.to_string().contains(&format!("rejected: {reason}: ")), "{explanation}");
        }
    }
}
