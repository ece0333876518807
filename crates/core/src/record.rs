//! What a reader returns: a [`Page`] with its [`Field`]s, and their [`Value`]s where they were accepted.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    assemble::{FieldState, FieldValue, PageReading, PageRecord, PageStatus, PageSummary},
    form::{FieldKind, FormTemplate},
    rows::Verdict,
};
use formread_raster::{error::PageReject, geometry::Rect};

/// A page that was read, or rejected.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Page {
    /// 1-based in its file.
    pub number: u32,
    /// The name of the template that fits; `None` where none does.
    pub form: Option<String>,
    /// Whether every field was accepted or is blank, the page needs review, or it was rejected.
    pub verdict: Verdict,
    /// Why the page was rejected; `None` where it was read.
    pub rejection: Option<Rejection>,
    /// In the template's order; none of a rejected page.
    pub fields: Vec<Field>,
    /// Whether somebody wrote beside the fields. Such a page needs review, even if no field does.
    pub has_writing_outside: bool,
}

/// Why a page was rejected.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rejection {
    /// The word of the `attention` column of `OUT.csv`.
    #[serde(serialize_with = "reject_word")]
    pub reason: PageReject,
    /// What was measured, for a person.
    pub detail: String,
}

/// A field of a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Field {
    /// Its name in the template.
    pub name: String,
    /// Whether its value was accepted, nothing is written in it, or it needs review, and why.
    pub state: FieldState,
    /// The chance that the guess is right, 0 to 1.
    pub confidence: f64,
    /// Its box on the scan as stored, pixels, origin at the upper left.
    pub bounds: Rect,
    value: Option<Value>,
    guess: Option<String>,
}

/// The value of a field. `Display` gives its canonical form, as in `OUT.csv`, and so does serialisation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A whole number.
    Integer(i128),
    /// A decimal number.
    Amount(Decimal),
    /// A day of the Gregorian calendar.
    Date {
        /// Year.
        year: u16,
        /// Month, 1 to 12.
        month: u8,
        /// Day, 1 to 31.
        day: u8,
    },
    /// Digits that are no number: leading zeros count. Also a number or a text of the template that no other kind can hold.
    Code(String),
    /// Whether a box is marked: `false` where a mark was retracted by filling the box.
    Mark(bool),
}

/// An exact decimal number: `units` divided by 10 to the power of `decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// All digits, with the sign.
    pub units: i128,
    /// How many of them are behind the point.
    pub decimals: u8,
}

impl Page {
    /// Of `record`; `template` is that of its form.
    pub(crate) fn new(record: &PageRecord, template: Option<&FormTemplate>) -> Self {
        let number = record.page;
        match &record.reading {
            PageReading::Rejected { form, reason, detail } => Self {
                number,
                form: form.clone(),
                verdict: Verdict::Rejected,
                rejection: Some(Rejection { reason: *reason, detail: detail.clone() }),
                fields: Vec::new(),
                has_writing_outside: false,
            },
            PageReading::Read { form, fields, has_writing_outside, .. } => {
                let has_writing_outside = *has_writing_outside;
                let kind =
                    |name: &str| template?.fields.iter().find(|field| field.name == name).map(|field| &field.kind);
                let fields: Vec<Field> = fields.iter().map(|field| Field::new(field, kind(&field.name))).collect();
                let needs_review = fields.iter().any(|field| matches!(field.state, FieldState::Review(_)));
                let verdict = if needs_review || has_writing_outside { Verdict::Review } else { Verdict::Accepted };
                Self { number, form: Some(form.clone()), verdict, rejection: None, fields, has_writing_outside }
            }
        }
    }

    /// What it contributes to a document of several pages.
    pub(crate) fn summary(&self) -> PageSummary<'_> {
        let status = match &self.rejection {
            None => PageStatus::Read,
            Some(Rejection { reason: PageReject::BlankPage, .. }) => PageStatus::Blank,
            Some(_) => PageStatus::Unread,
        };
        let form = self.form.as_deref().filter(|_| status != PageStatus::Blank);
        PageSummary { page: self.number, form, status }
    }

    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The value of the field called `name`, if it was accepted.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.field(name)?.value()
    }
}

impl Field {
    fn new(field: &FieldValue, kind: Option<&FieldKind>) -> Self {
        let FieldValue { name, state, guess, confidence, bounds, .. } = field;
        let value = match (state, kind) {
            (FieldState::Accepted, Some(kind)) => Some(Value::parse(kind, guess)),
            (FieldState::Accepted, None) => Some(Value::Code(guess.clone())),
            (FieldState::Blank | FieldState::Review(_), _) => None,
        };
        let guess = (*state != FieldState::Blank && !guess.is_empty()).then(|| guess.clone());
        Self { name: name.clone(), state: state.clone(), confidence: *confidence, bounds: *bounds, value, guess }
    }

    /// The value, if it was accepted. A blank field has none.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// The best reading in canonical form, whether it was accepted or not. It may be wrong: it is for the person who reviews
    /// the field.
    pub fn guess(&self) -> Option<&str> {
        self.guess.as_deref()
    }
}

impl Value {
    /// The value of a text in the canonical form of `kind`.
    fn parse(kind: &FieldKind, text: &str) -> Self {
        let parsed = match kind {
            FieldKind::Integer => Self::integer(text).map(Self::Integer),
            FieldKind::Amount { .. } => Decimal::parse(text).map(Self::Amount),
            FieldKind::Date { .. } => Self::date(text),
            FieldKind::Mark { .. } => match text {
                "1" => Some(Self::Mark(true)),
                "0" => Some(Self::Mark(false)),
                _ => None,
            },
            FieldKind::Code | FieldKind::Choice { .. } => None,
        };
        parsed.unwrap_or_else(|| Self::Code(text.to_owned()))
    }

    /// A whole number: digits, and a `-` before them where it is negative. `None` where it is none, or has more than 38 digits.
    pub fn integer(text: &str) -> Option<i128> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        is_digits(digits).then(|| text.parse().ok())?
    }

    /// A [`Value::Date`] of a text such as `2024-02-29`, whether the calendar has it or not. `None` where it is none.
    pub fn date(text: &str) -> Option<Self> {
        let mut parts =
            text.split('-').zip([4, 2, 2]).map(|(part, n)| (part.len() == n && is_digits(part)).then_some(part));
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        let date = Self::Date { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
        (text.len() == 10).then_some(date)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Decimal {
    /// `None` where `text` is no decimal number, or one of more than 38 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if !is_digits(whole.strip_prefix('-').unwrap_or(whole)) || !(fraction.is_empty() || is_digits(fraction)) {
            return None;
        }
        let units = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { units, decimals: u8::try_from(fraction.len()).ok()? })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = usize::from(self.decimals);
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let sign = if self.units < 0 { "-" } else { "" };
        let point = if decimals > 0 { "." } else { "" };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Amount(amount) => amount.fmt(f),
            Self::Date { year, month, day } => write!(f, "{year:04}-{month:02}-{day:02}"),
            Self::Code(code) => f.write_str(code),
            Self::Mark(is_marked) => u8::from(*is_marked).fmt(f),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn reject_word<S: Serializer>(reason: &PageReject, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assemble::{ReviewReason, UnconstrainedReading},
        form::{DateOrder, DecimalPoint, parse_template},
    };

    #[test]
    fn value_of_a_canonical_text_is_typed_and_shown_as_that_text() {
        let amount = FieldKind::Amount { decimals: 2, point: DecimalPoint::Implied };
        let date = FieldKind::Date { order: DateOrder::DayMonthYear, pivot: 50 };
        let decimal = |units, decimals| Value::Amount(Decimal { units, decimals });
        for (kind, text, value) in [
            (&FieldKind::Integer, "-12", Value::Integer(-12)),
            (&amount, "1234.56", decimal(123_456, 2)),
            (&amount, "-0.05", decimal(-5, 2)),
            (&amount, "0", decimal(0, 0)),
            (&date, "2024-02-29", Value::Date { year: 2024, month: 2, day: 29 }),
            (&FieldKind::Code, "0124", Value::Code("0124".to_owned())),
            (&FieldKind::Mark { filled_counts: false }, "1", Value::Mark(true)),
            (&FieldKind::Mark { filled_counts: false }, "0", Value::Mark(false)),
            (&FieldKind::Integer, "none", Value::Code("none".to_owned())),
        ] {
            assert_eq!(Value::parse(kind, text), value, "{text}");
            assert_eq!(value.to_string(), text);
        }
        let longest = "9".repeat(38);
        assert_eq!(Value::parse(&FieldKind::Integer, &longest).to_string(), longest);
    }

    #[test]
    fn field_that_was_not_accepted_has_a_guess_and_no_value() {
        let text = "name = \"f\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"n\"\nkind = \"integer\"\n";
        let template = parse_template(text).expect("it is well formed");
        let page = |state: FieldState| {
            let guess = if state == FieldState::Blank { String::new() } else { "17".to_owned() };
            let unconstrained =
                UnconstrainedReading { state: state.clone(), guess: guess.clone(), confidence: 0.5, is_settled: false };
            let field = FieldValue {
                name: "n".to_owned(),
                state,
                guess,
                alternatives: Vec::new(),
                unconstrained,
                correction: None,
                confidence: 0.5,
                bounds: Rect::default(),
                quarter_turns: 0,
                residual_px: None,
            };
            let reading = PageReading::Read {
                form: "f".to_owned(),
                fields: vec![field],
                residual_px: 0.0,
                has_writing_outside: false,
            };
            Page::new(&PageRecord { page: 1, reading }, Some(&template))
        };
        let accepted = page(FieldState::Accepted);
        assert_eq!((accepted.value("n"), accepted.verdict), (Some(&Value::Integer(17)), Verdict::Accepted));
        let review = page(FieldState::Review(ReviewReason::LowConfidence));
        assert_eq!((review.value("n"), review.verdict), (None, Verdict::Review));
        assert_eq!(review.field("n").and_then(Field::guess), Some("17"));
        let blank = page(FieldState::Blank);
        assert_eq!((blank.value("n"), blank.field("n").and_then(Field::guess)), (None, None));
        assert_eq!(blank.value("other"), None);
        let json = serde_json::to_value(&review).expect("it is plain data");
        assert_eq!(json["fields"][0]["state"], "low-confidence");
        assert_eq!((json["verdict"].as_str(), json["fields"][0]["value"].as_str()), (Some("review"), None));
    }
}
