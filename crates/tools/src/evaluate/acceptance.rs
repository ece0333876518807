//! The file of acceptance levels, which `calibrate` writes and `run` reads. It is TOML and is checked like a template.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Calibration, FieldCalibration, Level, Pool};
use formread_core::{
    assemble::{AcceptParams, AcceptTable},
    form::{FormTemplate, source::Source},
};
use formread_raster::error::{Error, Format, Result};

/// Maximum size of the file, bytes.
const MAX_TEXT_BYTES: usize = 4 << 20;

/// First lines of the file, comments for its reader.
const HEAD: &str = "# Acceptance levels, written by `formread calibrate`, read by `formread run --acceptance`.\n\
                    # A value with a confidence of least_confidence or more is accepted. At most the share `bound` of\n\
                    # such values is wrong, with the probability `certainty`: `wrong` of `samples` were. `pool` shows\n\
                    # whose samples these are: those of the field, of its form, or of all forms. A field with the pool\n\
                    # \"nothing\" is never accepted. [pooled] is for fields that are not listed.\n\n";

/// Acceptance levels by form and field.
#[derive(Debug, Clone, PartialEq)]
pub struct Acceptance {
    /// Maximum share of errors among accepted values, between 0 and 1.
    pub budget: f64,
    /// Probability that a bound is true, between 0 and 1.
    pub certainty: f64,
    /// Fingerprint of the weights that gave the confidences; `None` if it is not known.
    pub weights: Option<String>,
    /// Level of the fields that are not listed; `None`: they are never accepted.
    pub pooled: Option<Level>,
    /// One entry for each form and field.
    pub fields: Vec<FieldAcceptance>,
}

/// The acceptance level of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldAcceptance {
    /// The form's name.
    pub form: String,
    /// The field's name.
    pub field: String,
    /// The pool of samples that proves the level.
    pub pool: Pool,
    /// The level; `None`: the field is never accepted.
    pub level: Option<Level>,
    /// 1-based line in the file; 0 if it was not read from a file.
    line: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    /// Version of the program that wrote the file, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<String>,
    budget: Spanned<f64>,
    certainty: Spanned<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pooled: Option<Spanned<RawLevel>>,
    #[serde(default, rename = "field")]
    fields: Vec<Spanned<RawField>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLevel {
    #[serde(rename = "least_confidence")]
    min_confidence: Spanned<f64>,
    samples: u64,
    wrong: u64,
    bound: Spanned<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    form: String,
    field: String,
    #[serde(alias = "stands_on")]
    pool: Pool,
    #[serde(default, rename = "least_confidence", skip_serializing_if = "Option::is_none")]
    min_confidence: Option<Spanned<f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    samples: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wrong: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound: Option<Spanned<f64>>,
}

impl Acceptance {
    /// The levels of a calibration, for a reader whose weights have the fingerprint `weights`.
    ///
    /// # Errors
    /// `Usage` if a field has no level: see [`Calibration::refusal`].
    pub fn new(calibration: &Calibration, weights: Option<String>) -> Result<Self> {
        if let Some(refusal) = calibration.refusal() {
            return Err(refusal);
        }
        let Calibration { budget, certainty, pooled, ref fields, .. } = *calibration;
        let entry = |of: &FieldCalibration| FieldAcceptance {
            form: of.form.clone(),
            field: of.field.clone(),
            pool: of.pool.unwrap_or(Pool::Nothing),
            level: of.level,
            line: 0,
        };
        Ok(Self { budget, certainty, weights, pooled, fields: fields.iter().map(entry).collect() })
    }

    /// Parses a file; errors name the line.
    ///
    /// # Errors
    /// `Format` if the text is not such a file, or a number in it is out of range.
    pub fn parse(text: &str) -> Result<Self> {
        let source = Source { what: Format::AcceptanceLevels, text };
        source.at_most(MAX_TEXT_BYTES, text.len(), "bytes")?;
        let raw: RawFile = toml::from_str(text).map_err(|error| source.toml_error(&error))?;
        for (what, share) in [("budget", &raw.budget), ("certainty", &raw.certainty)] {
            if !(*share.get_ref() > 0.0 && *share.get_ref() < 1.0) {
                return Err(source.error(share.span(), format!("{what}: {}", share.get_ref()), "between 0 and 1"));
            }
        }
        let pooled = match &raw.pooled {
            Some(pooled) => Some(pooled.get_ref().check(source, pooled)?),
            None => None,
        };
        let mut names = HashSet::new();
        let mut fields = Vec::with_capacity(raw.fields.len());
        for field in &raw.fields {
            let of = field.get_ref().check(source, field)?;
            if !names.insert((of.form.clone(), of.field.clone())) {
                let detail = format!("field listed twice: {} of {}", of.field, of.form);
                return Err(source.error(field.span(), detail, "remove one of them"));
            }
            fields.push(of);
        }
        let (budget, certainty) = (*raw.budget.get_ref(), *raw.certainty.get_ref());
        Ok(Self { budget, certainty, weights: raw.weights, pooled, fields })
    }

    /// The text of the file.
    ///
    /// # Errors
    /// `Internal` if it cannot be written as TOML, which is a defect.
    pub fn to_toml(&self) -> Result<String> {
        let entry = |of: &FieldAcceptance| {
            Spanned::new(
                0..0,
                RawField {
                    form: of.form.clone(),
                    field: of.field.clone(),
                    pool: of.pool,
                    min_confidence: of.level.map(|level| Spanned::new(0..0, level.min_confidence)),
                    samples: of.level.map(|level| level.samples),
                    wrong: of.level.map(|level| level.wrong),
                    bound: of.level.map(|level| Spanned::new(0..0, level.bound)),
                },
            )
        };
        let raw = RawFile {
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            weights: self.weights.clone(),
            budget: Spanned::new(0..0, self.budget),
            certainty: Spanned::new(0..0, self.certainty),
            pooled: self.pooled.map(|level| Spanned::new(0..0, RawLevel::of(&level))),
            fields: self.fields.iter().map(entry).collect(),
        };
        let text = toml::to_string(&raw).map_err(|error| Error::internal(format!("acceptance levels: {error}")))?;
        Ok(format!("{HEAD}{text}"))
    }

    /// The levels in the form in which a reader with `templates` and the weights of this fingerprint applies them.
    ///
    /// # Errors
    /// `Usage` if the levels belong to other weights, whose confidence has another meaning; `Format` if a level is
    /// listed for a field that its form does not have. Forms without a template are ignored.
    pub fn for_reader(&self, templates: &[FormTemplate], weights: &str) -> Result<AcceptTable> {
        if let Some(of) = self.weights.as_ref().filter(|of| *of != weights) {
            let hint = "read with those weights, or calibrate again with a run of these";
            return Err(
                Error::usage(format!("acceptance levels are for other weights: {of}, not {weights}")).with_hint(hint)
            );
        }
        for of in &self.fields {
            let template = templates.iter().find(|template| template.name == of.form);
            if template.is_some_and(|template| template.fields.iter().all(|field| field.name != of.field)) {
                let detail = format!("no such field in the form {}: {}", of.form, of.field);
                let error = Error::format(Format::AcceptanceLevels, detail);
                return Err(if of.line > 0 { error.at_line(of.line) } else { error });
            }
        }
        let params = |level: Option<Level>| {
            level.map_or(AcceptParams::NEVER, |level| AcceptParams {
                min_confidence: level.min_confidence,
                ..AcceptParams::default()
            })
        };
        let mut by_field: BTreeMap<String, BTreeMap<String, AcceptParams>> = BTreeMap::new();
        for of in &self.fields {
            by_field.entry(of.form.clone()).or_default().insert(of.field.clone(), params(of.level));
        }
        Ok(AcceptTable { otherwise: params(self.pooled), by_field })
    }
}

impl RawLevel {
    fn of(level: &Level) -> Self {
        let Level { min_confidence, samples, wrong, bound } = *level;
        let [min_confidence, bound] = [min_confidence, bound].map(|share| Spanned::new(0..0, share));
        Self { min_confidence, samples, wrong, bound }
    }

    fn check<T>(&self, source: Source<'_>, table: &Spanned<T>) -> Result<Level> {
        for (what, share) in [("least_confidence", &self.min_confidence), ("bound", &self.bound)] {
            if !(0.0..=1.0).contains(share.get_ref()) {
                return Err(source.error(share.span(), format!("{what}: {}", share.get_ref()), "from 0 to 1"));
            }
        }
        let Self { samples, wrong, .. } = *self;
        if wrong > samples {
            let detail = format!("more wrong than samples: {wrong} of {samples}");
            return Err(source.error(table.span(), detail, "samples includes the wrong ones"));
        }
        let (min_confidence, bound) = (*self.min_confidence.get_ref(), *self.bound.get_ref());
        Ok(Level { min_confidence, samples, wrong, bound })
    }
}

impl RawField {
    fn check(&self, source: Source<'_>, table: &Spanned<Self>) -> Result<FieldAcceptance> {
        let level = match (&self.min_confidence, self.samples, self.wrong, &self.bound) {
            (None, None, None, None) => None,
            (Some(min_confidence), Some(samples), Some(wrong), Some(bound)) => {
                let raw = RawLevel { min_confidence: min_confidence.clone(), samples, wrong, bound: bound.clone() };
                Some(raw.check(source, table)?)
            }
            _ => {
                let hint = "give all of least_confidence, samples, wrong and bound, or none";
                return Err(source.error(table.span(), "incomplete level", hint));
            }
        };
        if level.is_none() != (self.pool == Pool::Nothing) {
            let hint = "a field has no level if its pool is \"nothing\", and only then";
            return Err(source.error(table.span(), "pool does not match the level", hint));
        }
        let Self { form, field, pool, .. } = self;
        let (form, field, line) = (form.clone(), field.clone(), source.line_of(table.span().start));
        Ok(FieldAcceptance { form, field, pool: *pool, level, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_core::{
        Reader,
        form::known_templates,
        normalise::GlyphBatch,
        recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
        scores::GlyphScores,
    };

    const VALID: &str = "budget = 0.01\ncertainty = 0.95\n\n[pooled]\nleast_confidence = 0.98\nsamples = 500\n\
                         wrong = 1\nbound = 0.0094\n\n[[field]]\nform = \"strip\"\nfield = \"digits\"\n\
                         pool = \"field\"\nleast_confidence = 0.9\nsamples = 300\nwrong = 0\nbound = 0.0099\n\n\
                         [[field]]\nform = \"g\"\nfield = \"b\"\npool = \"nothing\"\n";

    #[test]
    fn level_file_written_and_parsed_is_unchanged() {
        let acceptance = Acceptance::parse(VALID).unwrap_or_else(|error| panic!("{error}"));
        let again = Acceptance::parse(&acceptance.to_toml().expect("it can be written"));
        let mut again = again.unwrap_or_else(|error| panic!("{error}"));
        for (of, was) in again.fields.iter_mut().zip(&acceptance.fields) {
            of.line = was.line;
        }
        assert_eq!(again, acceptance);
    }

    #[test]
    fn level_file_with_the_former_key_stands_on_is_read() {
        let former = VALID.replace("pool = ", "stands_on = ");
        assert_eq!(Acceptance::parse(&former).expect("it is read"), Acceptance::parse(VALID).expect("it is read"));
    }

    #[test]
    fn unlisted_field_gets_the_pooled_level_or_is_never_accepted() {
        let acceptance = Acceptance::parse(VALID).unwrap_or_else(|error| panic!("{error}"));
        let templates = known_templates().expect("they parse");
        let table = acceptance.for_reader(&templates, "any").expect("it goes with any weights");
        assert_eq!(table.of("strip", "digits").min_confidence, 0.9);
        assert_eq!(table.of("tax-return", "zip").min_confidence, 0.98);
        assert!(!table.of("g", "b").accepts(1.0), "the pool is nothing");
        let unpooled = Acceptance { pooled: None, ..acceptance };
        let table = unpooled.for_reader(&templates, "any").expect("it goes with any weights");
        assert!(!table.of("tax-return", "zip").accepts(1.0));
    }

    #[test]
    fn reader_identity_changes_with_the_levels() {
        struct NoScores;
        impl GlyphClassifier for NoScores {
            fn classify(&mut self, _: &GlyphBatch) -> Result<Vec<GlyphScores>> {
                Ok(Vec::new())
            }
        }
        let fingerprint = |text: Option<&str>| {
            let templates = known_templates().expect("they parse");
            let reader = Reader::builder()
                .templates(templates)
                .backend(FnBackend::new("none", || Ok(GlyphsOnly(NoScores))))
                .build()?;
            let Some(text) = text else { return Ok(reader.identity().sha256()) };
            let levels = Acceptance::parse(text)?.for_reader(reader.templates(), &reader.weights_id())?;
            Ok::<_, Error>(reader.with_acceptance(levels).identity().sha256())
        };
        let moved = VALID.replace("least_confidence = 0.9\n", "least_confidence = 0.91\n");
        let found = [None, Some(VALID), Some(VALID), Some(moved.as_str())]
            .map(|text| fingerprint(text).unwrap_or_else(|error| panic!("{error}")));
        assert!(found[0] != found[1] && found[1] == found[2] && found[2] != found[3], "{found:?}");
    }

    #[test]
    fn levels_for_other_weights_or_unknown_fields_are_rejected() {
        let templates = known_templates().expect("they parse");
        let sound = Acceptance::parse(VALID).unwrap_or_else(|error| panic!("{error}"));
        let bound = Acceptance { weights: Some("abc".to_owned()), ..sound };
        assert!(bound.for_reader(&templates, "abc").is_ok());
        let error = bound.for_reader(&templates, "abd").expect_err("other weights");
        assert!(error.to_string().contains("abc, not abd"), "{error}");
        let typo = Acceptance::parse(&VALID.replace("\"digits\"", "\"digit\"")).expect("the text is sound");
        let error = typo.for_reader(&templates, "any").expect_err("there is no such field");
        assert!(error.to_string().contains("line 10: ") && error.to_string().contains("digit"), "{error}");
    }

    #[test]
    fn malformed_level_file_error_names_the_line() {
        let cases = [
            ("least_confidence = 0.9\n", "least_confidence = 1.5\n", "line 14: ", "least_confidence: 1.5"),
            ("least_confidence = 0.9\n", "least_confidence = nan\n", "line 14: ", "NaN"),
            ("least_confidence = 0.98", "least_confidence = -inf", "line 5: ", "-inf"),
            ("least_confidence = 0.9\n", "", "line 10: ", "incomplete level"),
            ("\"nothing\"", "\"form\"", "line 19: ", "pool does not match"),
            ("wrong = 1\n", "wrong = 501\n", "line 4: ", "501 of 500"),
            ("wrong = 1\n", "wrong = -1\n", "line 7: ", "-1"),
            ("budget = 0.01", "budget = 0", "line 1: ", "budget: 0"),
            ("budget = 0.01", "bugdet = 0.01", "line 1: ", "unknown key: bugdet"),
            ("\"g\"\nfield = \"b\"", "\"strip\"\nfield = \"digits\"", "line 19: ", "listed twice"),
            ("samples = 300", "samples = 300\nsample = 3", "line 16: ", "unknown key: sample"),
            ("budget = 0.01\n", "", "", "missing: budget"),
        ];
        for (from, to, line, message) in cases {
            let text = VALID.replacen(from, to, 1);
            let error = Acceptance::parse(&text).expect_err(message).to_string();
            assert!(error.starts_with(line) && error.contains(message), "{from:?} -> {to:?}: {error}");
        }
    }
}
