//! Forecasts errors and review for a form: draws pages, fills them in, degrades them and reads them.

use std::{collections::BTreeMap, fmt};

use rayon::prelude::*;
use serde::Serialize;

use super::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
};
use crate::{
    evaluate::{Answer, Tally, TruthField},
    synth::{GlyphStock, SynthOptions, SynthPage, synthesise},
};
use formread_core::{assemble::PageReading, reader::Reader, rows::PageRows};
use formread_page::Page;
use formread_raster::error::{Error, Result};

/// Share of wrong accepted values above which it is a fault.
const MAX_ERROR_SHARE: f64 = 0.01;
/// Share of values in review above which it is a risk.
const MAX_REVIEW_SHARE: f64 = 0.25;
/// Smallest number of values for a finding about review.
const MIN_VALUES: u64 = 8;

/// Options of a simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulateOptions {
    /// Number of pages to draw.
    pub n_pages: u64,
    /// How they are drawn and degraded.
    pub synth: SynthOptions,
}

/// The forecast for one field, counted on drawn pages.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FieldForecast {
    /// The field's name.
    pub name: String,
    /// Counts.
    #[serde(flatten)]
    pub tally: Tally,
    /// Number of values in review, with all values of rejected pages.
    pub review: u64,
    /// Share of `tally.fields` in review, 0 to 1.
    pub review_share: f64,
    /// Share of wrong values among the accepted, 0 to 1.
    pub error_share: f64,
    /// Upper bound of that share at 95 % confidence.
    pub error_bound: f64,
}

/// The forecast for one form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// The template's name.
    pub form: String,
    /// Number of pages drawn.
    pub pages: u64,
    /// Number of rejected pages by reason; `other-form` for pages taken for another form.
    pub rejected: BTreeMap<String, u64>,
    /// All fields together.
    pub total: FieldForecast,
    /// Per field, in the order of the template.
    pub fields: Vec<FieldForecast>,
}

/// Draws pages of `file`, filled in with `glyphs`, and reads them with `reader`, which must have the template. Calls
/// `on_page` after each page, from any thread.
///
/// # Errors
/// `Usage` if an option is out of range or no values satisfy the rules; `Net` if a net fails.
pub fn simulate(
    file: &TemplateFile,
    reader: &Reader,
    glyphs: &GlyphStock,
    options: &SimulateOptions,
    on_page: impl Fn() + Sync,
) -> Result<(Forecast, Vec<Finding>)> {
    let template = &file.template;
    if !reader.templates().iter().any(|known| known.name == template.name) {
        return Err(Error::usage(format!("the reader has no template of this form: {}", template.name)));
    }
    let read = |page_idx: u64| -> Result<(Vec<TruthField>, Option<String>)> {
        let SynthPage { image, truth, .. } = synthesise(template, glyphs, &options.synth, page_idx)?;
        let page = Page::upright(image, Some(options.synth.dpi));
        let record = reader.stages().read_page(1, &page)?.record;
        let rejected = match &record.reading {
            PageReading::Rejected { reason, .. } => Some(reason.as_str().to_owned()),
            PageReading::Read { form, .. } if *form != template.name => Some("other-form".to_owned()),
            PageReading::Read { .. } => None,
        };
        let rows = if rejected.is_none() { PageRows::new("", &record).fields } else { Vec::new() };
        let answer = |name: &str| {
            rows.iter().find(|row| row.field == name).map(|row| Answer {
                state: row.state.clone(),
                guess: row.guess.clone(),
                confidence: row.confidence.parse().unwrap_or(0.0),
                reason: row.reason.clone(),
                bounds: row.bounds,
            })
        };
        let fields = truth.into_iter().map(|truth| TruthField {
            scan: page_idx.to_string(),
            page: "1".to_owned(),
            form: template.name.clone(),
            answer: answer(&truth.name),
            field: truth.name,
            truth: truth.value,
        });
        let fields = fields.collect();
        on_page();
        Ok((fields, rejected))
    };
    let pages: Vec<(Vec<TruthField>, Option<String>)> =
        (0..options.n_pages).into_par_iter().map(read).collect::<Result<_>>()?;
    let mut rejected = BTreeMap::new();
    let mut fields: Vec<FieldForecast> = Vec::new();
    let mut total = FieldForecast { name: "all fields".to_owned(), ..FieldForecast::default() };
    for (idx, field) in template.fields.iter().enumerate() {
        let mut forecast = FieldForecast { name: field.name.clone(), ..FieldForecast::default() };
        for of in pages.iter().filter_map(|(fields, _)| fields.get(idx)) {
            forecast.add(of);
            total.add(of);
        }
        fields.push(forecast.with_shares());
    }
    for reason in pages.into_iter().filter_map(|(_, rejected)| rejected) {
        *rejected.entry(reason).or_default() += 1;
    }
    let forecast =
        Forecast { form: template.name.clone(), pages: options.n_pages, rejected, total: total.with_shares(), fields };
    let findings = findings(file, &forecast);
    Ok((forecast, findings))
}

impl FieldForecast {
    fn add(&mut self, of: &TruthField) {
        let Some((tally, _)) = Tally::of(of) else { return };
        self.tally.add(&tally);
        self.review += u64::from(of.answer.as_ref().is_none_or(|answer| answer.state == "review"));
    }

    fn with_shares(self) -> Self {
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let Tally { fields, illegible_fields, accepted, accepted_wrong, .. } = self.tally;
        Self {
            review_share: share(self.review, fields + illegible_fields),
            error_share: share(accepted_wrong, accepted),
            error_bound: self.tally.accepted_wrong_bound(),
            ..self
        }
    }
}

fn findings(file: &TemplateFile, forecast: &Forecast) -> Vec<Finding> {
    let mut findings = Vec::new();
    let n_rejected: u64 = forecast.rejected.values().sum();
    if n_rejected > 0 {
        let reasons: Vec<String> = forecast.rejected.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        let detail = format!("{n_rejected} of {} drawn pages are rejected: {}", forecast.pages, reasons.join(", "));
        let finding = file.of_landmarks(Severity::Fault, FindingKind::NotRegistered, detail);
        findings.push(finding.with_remedy("add printed lines, and lines that no other form has"));
    }
    for (idx, FieldForecast { tally, review, review_share, error_share, .. }) in forecast.fields.iter().enumerate() {
        let Tally { fields, accepted, accepted_wrong, number_lost, .. } = *tally;
        if accepted_wrong + number_lost > 0 {
            let is_faulty = *error_share > MAX_ERROR_SHARE && accepted_wrong + number_lost > 1;
            let severity = if is_faulty { Severity::Fault } else { Severity::Risk };
            let lost = if number_lost > 0 {
                format!(", and {number_lost} numbers were taken for blank")
            } else {
                String::new()
            };
            let detail = format!("{accepted_wrong} of {accepted} accepted values are wrong{lost}");
            let finding = file.of_field(idx, severity, FindingKind::WrongValues, detail);
            findings.push(
                finding.with_remedy(
                    "add a rule, a range or a check digit; use separate boxes; or run `formread calibrate`",
                ),
            );
        }
        if fields >= MIN_VALUES && *review_share > MAX_REVIEW_SHARE {
            let detail = format!("{review} of {fields} values need review: {:.0} %", 100.0 * review_share);
            let finding = file.of_field(idx, Severity::Risk, FindingKind::MuchReview, detail);
            findings.push(finding.with_remedy(
                "use larger or separate boxes, declare the number of digits, or add a rule with other fields",
            ));
        }
    }
    findings
}

/// A table for people.
impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.fields.iter().map(|field| field.name.chars().count());
        let width = names.max().unwrap_or(0).max(self.total.name.len());
        write!(f, "{}, {} pages drawn and read", self.form, self.pages)?;
        for (reason, n) in &self.rejected {
            write!(f, "; {n} {reason}")?;
        }
        writeln!(
            f,
            "\n{:width$}  {:>14}  {:>16}  {:>8}  {:>16}",
            "", "forced right", "accepted wrong", "at most", "review"
        )?;
        for field in self.fields.iter().chain([&self.total]) {
            let FieldForecast { name, tally, review, review_share, error_bound, .. } = field;
            let forced = format!("{}/{}", tally.forced_correct, tally.fields);
            let wrong = format!("{}/{}", tally.accepted_wrong, tally.accepted);
            let review = format!("{review} {:5.1} %", 100.0 * review_share);
            writeln!(f, "{name:width$}  {forced:>14}  {wrong:>16}  {:>6.2} %  {review:>16}", 100.0 * error_bound)?;
        }
        writeln!(f, "at most: upper bound of wrong among accepted values, at 95 % confidence")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::tests::bars;
    use formread_core::{
        form::parse_template,
        normalise::GlyphBatch,
        recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
        scores::GlyphScores,
    };

    /// Classifies every glyph as the same digit with probability 1.
    struct Always(usize);

    impl GlyphClassifier for Always {
        fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
            let mut digits = [0.0; 10];
            digits[self.0] = 1.0;
            Ok(vec![GlyphScores::of_digit(digits); batch.n_glyphs])
        }
    }

    #[test]
    fn forecast_counts_wrong_values_per_field() {
        let text =
            "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"d\"\nkind = \"code\"\ndigits = 1\n";
        let file = TemplateFile::parse("s.toml", text).expect("it is a template");
        let template = parse_template(text).expect("it is well formed");
        let reader = Reader::builder()
            .templates(vec![template])
            .backend(FnBackend::new("one", || Ok(GlyphsOnly(Always(1)))))
            .build()
            .expect("it is one");
        let synth = SynthOptions { blanks: 0.0, ..SynthOptions::default() };
        let options = SimulateOptions { n_pages: 30, synth };
        let simulated = || simulate(&file, &reader, &bars(), &options, || ()).expect("the options are good");
        let (forecast, findings) = simulated();
        assert_eq!(simulated().0, forecast, "the same seed gives the same");
        let field = &forecast.fields[0];
        assert_eq!((field.tally.fields, forecast.total.tally), (30, field.tally));
        let n_ones = field.tally.forced_correct;
        assert!(n_ones < 15, "{forecast}");
        assert_eq!(
            field.tally.fields - field.tally.accepted - field.tally.blank_correct,
            field.review + field.tally.number_lost
        );
        assert!(!findings.is_empty(), "{forecast}");
        assert!(forecast.to_string().contains("all fields"), "{forecast}");

        let other = TemplateFile::parse("o.toml", &text.replace("\"s\"", "\"o\"")).expect("it is a template");
        assert!(simulate(&other, &reader, &bars(), &options, || ()).is_err(), "the reader lacks the template");
    }
}
