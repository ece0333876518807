//! What error and how much review to expect of a form: pages of it are drawn, filled in, worn out and read.

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

/// Share of accepted values that may be wrong before it is a fault.
const FAULTY_ERROR: f64 = 0.01;
/// Share of a field's values that may await review before it is a risk.
const MUCH_REVIEW: f64 = 0.25;
/// Fewest values of a field of which its share is worth saying.
const MIN_VALUES: u64 = 8;

/// How a form is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulateOptions {
    /// Pages to draw.
    pub n_pages: u64,
    /// How they are drawn and degraded.
    pub synth: SynthOptions,
}

/// What to expect of one field, in numbers of drawn pages.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FieldForecast {
    /// The field's name.
    pub name: String,
    /// Counts.
    #[serde(flatten)]
    pub tally: Tally,
    /// Those that await review, among them all of pages that were rejected.
    pub review: u64,
    /// Share of `tally.fields` that awaits review, 0 to 1.
    pub review_share: f64,
    /// Share of the accepted values that are wrong, 0 to 1.
    pub error_share: f64,
    /// Upper bound of that share, 95 % sure.
    pub error_bound: f64,
}

/// What to expect of one form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// The template's name.
    pub form: String,
    /// Pages drawn.
    pub pages: u64,
    /// Pages of them that were rejected, by reason; taken for another form: `other-form`.
    pub rejected: BTreeMap<String, u64>,
    /// All fields together.
    pub total: FieldForecast,
    /// Field by field, in the template's order.
    pub fields: Vec<FieldForecast>,
}

/// Draws pages of `candidate`, filled in with `glyphs`, and reads them with `reader`, which must know the template.
/// `on_page` is called once for each page done, from any worker.
///
/// # Errors
/// `Usage` where an option is out of its range or no values keep the rules; `Net` where a net fails.
pub fn simulate(
    candidate: &TemplateFile,
    reader: &Reader,
    glyphs: &GlyphStock,
    options: &SimulateOptions,
    on_page: impl Fn() + Sync,
) -> Result<(Forecast, Vec<Finding>)> {
    let template = &candidate.template;
    if !reader.templates().iter().any(|known| known.name == template.name) {
        return Err(Error::usage(format!("the reader does not know the form: {}", template.name)));
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
        fields.push(forecast.rated());
    }
    for reason in pages.into_iter().filter_map(|(_, rejected)| rejected) {
        *rejected.entry(reason).or_default() += 1;
    }
    let forecast =
        Forecast { form: template.name.clone(), pages: options.n_pages, rejected, total: total.rated(), fields };
    let findings = findings(candidate, &forecast);
    Ok((forecast, findings))
}

impl FieldForecast {
    fn add(&mut self, of: &TruthField) {
        let Some((tally, _)) = Tally::of(of) else { return };
        self.tally.add(&tally);
        self.review += u64::from(of.answer.as_ref().is_none_or(|answer| answer.state == "review"));
    }

    fn rated(self) -> Self {
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

fn findings(candidate: &TemplateFile, forecast: &Forecast) -> Vec<Finding> {
    let mut findings = Vec::new();
    let n_rejected: u64 = forecast.rejected.values().sum();
    if n_rejected > 0 {
        let reasons: Vec<String> = forecast.rejected.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        let detail = format!("of {} drawn pages {n_rejected} are not read: {}", forecast.pages, reasons.join(", "));
        let finding = candidate.of_landmarks(Severity::Fault, FindingKind::NotRegistered, detail);
        findings.push(finding.with_remedy("more printed lines, and lines that no other form has"));
    }
    for (idx, FieldForecast { tally, review, review_share, error_share, .. }) in forecast.fields.iter().enumerate() {
        let Tally { fields, accepted, accepted_wrong, number_lost, .. } = *tally;
        if accepted_wrong + number_lost > 0 {
            let is_faulty = *error_share > FAULTY_ERROR && accepted_wrong + number_lost > 1;
            let severity = if is_faulty { Severity::Fault } else { Severity::Risk };
            let lost =
                if number_lost > 0 { format!(", and {number_lost} were taken for blank") } else { String::new() };
            let detail = format!("of {accepted} accepted values {accepted_wrong} are wrong{lost}");
            let finding = candidate.of_field(idx, severity, FindingKind::WrongValues, detail);
            findings.push(
                finding
                    .with_remedy("a rule, range or check digit that finds them; separate boxes; `formread calibrate`"),
            );
        }
        if fields >= MIN_VALUES && *review_share > MUCH_REVIEW {
            let detail = format!("of {fields} values {review} await review, {:.0} %", 100.0 * review_share);
            let finding = candidate.of_field(idx, Severity::Risk, FindingKind::MuchReview, detail);
            findings.push(
                finding.with_remedy("larger or separate boxes, the number of digits, a rule that ties it to others"),
            );
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
        writeln!(f, "at most: upper bound of wrong among accepted, 95 % sure")
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

    /// Takes every glyph for the same digit, and is sure of it.
    struct Always(usize);

    impl GlyphClassifier for Always {
        fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
            let mut digits = [0.0; 10];
            digits[self.0] = 1.0;
            Ok(vec![GlyphScores::of_digit(digits); batch.n_glyphs])
        }
    }

    #[test]
    fn what_a_reader_gets_wrong_is_foretold_field_by_field() {
        let text =
            "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"d\"\nkind = \"code\"\ndigits = 1\n";
        let candidate = TemplateFile::parse("s.toml", text).expect("it is a template");
        let template = parse_template(text).expect("it is well formed");
        let reader = Reader::builder()
            .templates(vec![template])
            .backend(FnBackend::new("one", || Ok(GlyphsOnly(Always(1)))))
            .build()
            .expect("it is one");
        let synth = SynthOptions { blanks: 0.0, ..SynthOptions::default() };
        let options = SimulateOptions { n_pages: 30, synth };
        let simulated = || simulate(&candidate, &reader, &bars(), &options, || ()).expect("the options are good");
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
        assert!(simulate(&other, &reader, &bars(), &options, || ()).is_err(), "the reader does not know it");
    }
}
