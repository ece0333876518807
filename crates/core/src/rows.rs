//! One row schema for every table: a page, and its fields.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use formread_raster::{error::PageReject, geometry::Rect};

use crate::assemble::{
    Alternative, FieldReadings, FieldState, FieldValue, PageReading, PageRecord, UnconstrainedReading,
};

/// The word of the `attention` column for a page on which somebody wrote beside the fields. No field can have this name.
pub const WRITING_OUTSIDE: &str = "writing-outside";

/// The verdict on a page. The words of the `verdict` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every field was accepted or is properly blank, and nothing is written beside the fields.
    Accepted,
    /// Some field needs a person, or what is written beside the fields.
    Review,
    /// The page as a whole could not be read.
    Rejected,
}

impl Verdict {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Review => "review",
            Self::Rejected => "rejected",
        }
    }
}

/// One page as every sink writes it: a row of the table, and a row of evidence for each field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageRows {
    /// Path relative to the input, `/` between folders.
    pub scan: String,
    /// 1-based page in the file.
    pub page: u32,
    /// The template's name; empty where none fits.
    pub form: String,
    /// The verdict on the page.
    pub verdict: Verdict,
    /// The fields that need review, then [`WRITING_OUTSIDE`] where somebody wrote beside the fields, joined by `;`; or the
    /// reason why the page was rejected.
    pub attention: String,
    /// In the template's order.
    pub fields: Vec<FieldRow>,
    /// What each field reads by itself, in the same order: from this, review solves the rules again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<FieldReadings>,
}

/// One field as every sink writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldRow {
    /// The field's name.
    pub field: String,
    /// `accepted`, `blank` or `review`.
    pub state: String,
    /// The accepted value in canonical form; empty otherwise.
    pub value: String,
    /// The best reading, accepted or not; empty for blank.
    pub guess: String,
    /// 0 to 1, as it is written: four decimals.
    pub confidence: String,
    /// Why a person must review it; empty otherwise.
    pub reason: String,
    /// Left, top, right and bottom edge on the scan as stored, whole pixels.
    pub bounds: [i64; 4],
}

impl PageRows {
    /// The rows of `record`, a page of `scan`.
    pub fn new(scan: &str, record: &PageRecord) -> Self {
        let (form, verdict, attention, fields): (_, _, _, &[FieldValue]) = match &record.reading {
            PageReading::Rejected { form, reason, .. } => {
                (form.clone().unwrap_or_default(), Verdict::Rejected, reason.to_string(), &[])
            }
            PageReading::Read { form, fields, has_writing_outside, .. } => {
                let is_open = |field: &&FieldValue| matches!(field.state, FieldState::Review(_));
                let open = fields.iter().filter(is_open).map(|field| field.name.as_str());
                let open: Vec<&str> = open.chain(has_writing_outside.then_some(WRITING_OUTSIDE)).collect();
                let verdict = if open.is_empty() { Verdict::Accepted } else { Verdict::Review };
                (form.clone(), verdict, open.join(";"), fields)
            }
        };
        let readings = fields.iter().map(FieldReadings::of).collect();
        let fields = fields.iter().map(FieldRow::new).collect();
        Self { scan: scan.to_owned(), page: record.page, form, verdict, attention, fields, readings }
    }

    /// The record of the page: as it was, except that the details of a rejection and how well the template fits are not known.
    /// `None` where a word is none of this program's, or the fields are not those of the readings.
    pub fn record(&self) -> Option<PageRecord> {
        let reading = match self.verdict {
            Verdict::Rejected => PageReading::Rejected {
                form: Some(self.form.clone()).filter(|form| !form.is_empty()),
                reason: PageReject::from_word(&self.attention)?,
                detail: String::new(),
            },
            Verdict::Accepted | Verdict::Review => {
                if self.fields.len() != self.readings.len() {
                    return None;
                }
                let fields = self.fields.iter().zip(&self.readings).map(|(row, readings)| row.value(readings));
                PageReading::Read {
                    form: self.form.clone(),
                    fields: fields.collect::<Option<_>>()?,
                    residual_px: 0.0,
                    has_writing_outside: self.attention.split(';').any(|word| word == WRITING_OUTSIDE),
                }
            }
        };
        Some(PageRecord { page: self.page, reading })
    }

    /// What in these rows contradicts something else in them, or is no value at all. `None` of what [`PageRows::new`] gives.
    pub fn contradiction(&self) -> Option<&'static str> {
        if self.page == 0 || self.scan.is_empty() {
            return Some("no page of a scan");
        }
        if let Some(why) = self.fields.iter().find_map(FieldRow::contradiction) {
            return Some(why);
        }
        let open = self.fields.iter().filter(|field| field.state == "review").map(|field| field.field.as_str());
        let holds = match self.verdict {
            Verdict::Accepted => open.count() == 0 && self.attention.is_empty() && !self.form.is_empty(),
            Verdict::Review => {
                let outside = self.attention.split(';').filter(|part| *part == WRITING_OUTSIDE);
                let expected: Vec<&str> = open.chain(outside).collect();
                !expected.is_empty() && self.attention == expected.join(";") && !self.form.is_empty()
            }
            Verdict::Rejected => {
                let is_word = self.attention.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
                is_word && self.fields.is_empty() && self.attention.starts_with(|c: char| c.is_ascii_lowercase())
            }
        };
        (!holds).then_some("the verdict does not follow from the fields")
    }

    /// Sets the verdict and what needs review from the fields of a page that was read, and from whether somebody wrote beside them.
    pub fn set_writing_outside(&mut self, has_writing_outside: bool) {
        let open = self.fields.iter().filter(|field| field.state == "review").map(|field| field.field.as_str());
        let open: Vec<&str> = open.chain(has_writing_outside.then_some(WRITING_OUTSIDE)).collect();
        self.verdict = if open.is_empty() { Verdict::Accepted } else { Verdict::Review };
        self.attention = open.join(";");
    }

    /// Number of digits in the readings, accepted or not.
    pub fn n_digits(&self) -> u64 {
        let digits = |field: &FieldRow| field.guess.bytes().filter(u8::is_ascii_digit).count() as u64;
        self.fields.iter().map(digits).sum()
    }
}

impl FieldRow {
    fn contradiction(&self) -> Option<&'static str> {
        let Self { state, value, guess, confidence, reason, .. } = self;
        let is_canonical = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
                && text.bytes().any(|byte| byte.is_ascii_digit())
        };
        let holds = match state.as_str() {
            "accepted" => is_canonical(value) && value == guess && reason.is_empty(),
            "blank" => value.is_empty() && guess.is_empty() && reason.is_empty(),
            "review" => value.is_empty() && !reason.is_empty(),
            _ => false,
        };
        if !holds {
            return Some("the value does not follow from the state");
        }
        let is_share = confidence.parse::<f64>().is_ok_and(|share| (0.0..=1.0).contains(&share));
        (!is_share || self.field.is_empty()).then_some("the confidence is none")
    }

    fn new(field: &FieldValue) -> Self {
        let (state, value, reason) = match &field.state {
            FieldState::Accepted => ("accepted", field.guess.as_str(), Cow::Borrowed("")),
            FieldState::Blank => ("blank", "", Cow::Borrowed("")),
            FieldState::Review(reason) => ("review", "", reason.word()),
        };
        let guess = if field.state == FieldState::Blank { "" } else { field.guess.as_str() };
        let bounds = field.bounds;
        Self {
            field: field.name.clone(),
            state: state.to_owned(),
            value: value.to_owned(),
            guess: guess.to_owned(),
            confidence: format!("{:.4}", field.confidence.clamp(0.0, 1.0)),
            reason: reason.into_owned(),
            bounds: [bounds.x0, bounds.y0, bounds.x1, bounds.y1].map(|edge| edge.round() as i64),
        }
    }

    /// The value of a field with these readings. `None` where a word or number is none of this program's.
    fn value(&self, readings: &FieldReadings) -> Option<FieldValue> {
        let alternative =
            |(text, probability): &(String, f64)| Alternative { text: text.clone(), probability: *probability };
        let word = if self.state == "review" { &self.reason } else { &self.state };
        let [x0, y0, x1, y1] = self.bounds.map(|edge| edge as f64);
        let unconstrained = UnconstrainedReading {
            state: FieldState::from_word(&readings.state)?,
            guess: readings.guess.clone(),
            confidence: readings.confidence,
            is_settled: false,
        };
        Some(FieldValue {
            name: self.field.clone(),
            state: FieldState::from_word(word)?,
            guess: self.guess.clone(),
            alternatives: readings.alternatives.iter().map(alternative).collect(),
            unconstrained,
            correction: None,
            confidence: self.confidence.parse().ok()?,
            bounds: Rect::from_edges(x0, y0, x1, y1),
            quarter_turns: readings.quarter_turns,
            residual_px: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::ReviewReason;

    fn field(name: &str, guess: &str, state: FieldState) -> FieldValue {
        let (state_alone, guess_alone) = (state.clone(), guess.to_owned());
        let unconstrained =
            UnconstrainedReading { state: state_alone, guess: guess_alone, confidence: 0.98765, is_settled: false };
        FieldValue {
            name: name.to_owned(),
            state,
            guess: guess.to_owned(),
            unconstrained,
            alternatives: Vec::new(),
            correction: None,
            confidence: 0.98765,
            bounds: Rect::from_edges(1.4, 2.6, 30.5, -4.2),
            quarter_turns: 0,
            residual_px: None,
        }
    }

    fn read(fields: Vec<FieldValue>) -> PageRecord {
        PageRecord { page: 3, reading: read_page(fields, false) }
    }

    #[test]
    fn guess_of_a_field_under_review_is_no_value() {
        let rows = PageRows::new(
            "a/b.png",
            &read(vec![
                field("sure", "12.50", FieldState::Accepted),
                field("open", "77", FieldState::Review(ReviewReason::LowConfidence)),
                field("none", "", FieldState::Blank),
                field("far", "", FieldState::Review(ReviewReason::OffPage)),
            ]),
        );
        assert_eq!((rows.verdict, rows.attention.as_str()), (Verdict::Review, "open;far"));
        let values: Vec<_> = rows.fields.iter().map(|f| (f.value.as_str(), f.guess.as_str())).collect();
        assert_eq!(values, [("12.50", "12.50"), ("", "77"), ("", ""), ("", "")]);
        assert_eq!(rows.fields[0].bounds, [1, 3, 31, -4]);
        assert_eq!(rows.fields[0].confidence, "0.9877");
        assert_eq!(rows.n_digits(), 6);
    }

    #[test]
    fn record_of_rows_is_the_record_that_they_were_made_of() {
        let reject = |reason| PageReading::Rejected { form: None, reason, detail: String::new() };
        let mut sure = field("sure", "12.50", FieldState::Accepted);
        sure.bounds = Rect::from_edges(1.0, 2.0, 30.0, 40.0);
        sure.confidence = 0.9877;
        sure.unconstrained.confidence = 0.1 + 0.2;
        sure.alternatives = vec![Alternative { text: "12.50".to_owned(), probability: 1.0 / 3.0 }];
        let open =
            FieldValue { state: FieldState::Review(ReviewReason::FailedCheck("a = b".to_owned())), ..sure.clone() };
        for reading in [
            reject(PageReject::BlankPage),
            PageReading::Read {
                form: "f".to_owned(),
                fields: vec![sure, open],
                residual_px: 0.0,
                has_writing_outside: true,
            },
        ] {
            let record = PageRecord { page: 3, reading };
            let text = serde_json::to_string(&PageRows::new("a", &record)).expect("it is plain data");
            let rows: PageRows = serde_json::from_str(&text).expect("it was written so");
            assert_eq!(rows.record(), Some(record));
        }
    }

    fn read_page(fields: Vec<FieldValue>, has_writing_outside: bool) -> PageReading {
        PageReading::Read { form: "f".to_owned(), fields, residual_px: 0.4, has_writing_outside }
    }

    #[test]
    fn page_with_writing_outside_is_for_review() {
        let open = || field("open", "77", FieldState::Review(ReviewReason::LowConfidence));
        for (fields, attention) in
            [(vec![field("none", "", FieldState::Blank)], "writing-outside"), (vec![open()], "open;writing-outside")]
        {
            let rows = PageRows::new("a", &PageRecord { page: 1, reading: read_page(fields, true) });
            assert_eq!((rows.verdict, rows.attention.as_str()), (Verdict::Review, attention));
        }
    }

    #[test]
    fn rows_that_contradict_themselves_are_found_out() {
        let sound = PageRows::new(
            "a.png",
            &read(vec![
                field("sure", "12.50", FieldState::Accepted),
                field("open", "5/34", FieldState::Review(ReviewReason::NotANumber)),
                field("none", "", FieldState::Blank),
            ]),
        );
        assert_eq!(sound.contradiction(), None);
        type Forge = fn(&mut PageRows);
        let forged: [(&str, Forge); 10] = [
            ("a value that is not the guess", |rows| rows.fields[0].value = "13.50".to_owned()),
            ("a formula", |rows| {
                rows.fields[0].value = "=1+2".to_owned();
                rows.fields[0].guess = "=1+2".to_owned();
            }),
            ("a value under review", |rows| rows.fields[1].value = "534".to_owned()),
            ("a value of a blank", |rows| rows.fields[2].value = "1".to_owned()),
            ("an unknown state", |rows| rows.fields[2].state = "sure".to_owned()),
            ("a confidence above 1", |rows| rows.fields[0].confidence = "7".to_owned()),
            ("accepted with an open field", |rows| rows.verdict = Verdict::Accepted),
            ("an open field without attention", |rows| rows.attention = "sure".to_owned()),
            ("a formula for a reason", |rows| {
                (rows.verdict, rows.attention) = (Verdict::Rejected, "=unreadable".to_owned());
                rows.fields.clear();
            }),
            ("page 0", |rows| rows.page = 0),
        ];
        for (what, forge) in forged {
            let mut rows = sound.clone();
            forge(&mut rows);
            assert!(rows.contradiction().is_some(), "{what}");
        }
    }

    #[test]
    fn page_without_open_fields_is_accepted_and_rejected_page_has_a_reason() {
        let rows = PageRows::new("a", &read(vec![field("none", "", FieldState::Blank)]));
        assert_eq!((rows.verdict, rows.attention.as_str()), (Verdict::Accepted, ""));
        let reading =
            PageReading::Rejected { form: None, reason: PageReject::UnknownForm, detail: "fits none".to_owned() };
        let rows = PageRows::new("a", &PageRecord { page: 1, reading });
        assert_eq!((rows.form.as_str(), rows.attention.as_str()), ("", "unknown-form"));
    }
}
