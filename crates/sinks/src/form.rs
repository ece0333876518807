//! Forms as tables: a typed column for each field, by the kind that the template declares.

use chrono::{Datelike, NaiveDate};

use formread_core::{
    Decimal, Value,
    form::{Field, FieldKind, FormTemplate},
};

/// Most digits of a number in 64 bits, of which every one fits.
const MAX_I64_DIGITS: usize = 18;
/// Most digits of a column that is counted in 64 bits: those of a box, and its decimals.
const MAX_UNITS_DIGITS: usize = 24;
/// Most digits of a decimal number in 128 bits.
pub const MAX_DECIMAL_DIGITS: usize = 38;
/// 1970-01-01, in days of the common era.
const EPOCH_DAYS: i32 = 719_163;

/// A form, and its fields in the order of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The template's name.
    pub name: String,
    /// In the order of the template.
    pub fields: Vec<FormField>,
}

/// A field as a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    /// The column's name.
    pub name: String,
    /// The kind's word in templates.
    pub kind: &'static str,
    /// What the column holds.
    pub column: ColumnType,
}

/// The type of a column of accepted values. It follows from the template alone, never from a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// A whole number of at most this many digits.
    Integer {
        /// Most digits.
        digits: usize,
    },
    /// A decimal number.
    Amount {
        /// Most digits, with the decimals.
        digits: usize,
        /// How many of them are behind the point.
        decimals: usize,
    },
    /// Digits that are no number, and whatever no other type can hold.
    Text,
    /// A day.
    Date,
    /// Whether a box is marked.
    Mark,
}

/// A value in the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// A whole number; of an amount, its number of units of the last decimal.
    Number(i128),
    /// Days since 1970-01-01.
    Date(i32),
    /// A mark.
    Mark(bool),
    /// Only its text.
    Text,
}

impl Form {
    /// The columns of `template`.
    pub fn new(template: &FormTemplate) -> Self {
        Self { name: template.name.clone(), fields: template.fields.iter().map(FormField::new).collect() }
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&FormField> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl FormField {
    fn new(field: &Field) -> Self {
        let column = ColumnType::of(&field.kind, field.digits.max);
        // what fillers mean may be a text that the kind cannot hold
        let holds = |text: &String| column.typed(text).is_some();
        let column = if field.fillers_mean.as_ref().is_none_or(holds) { column } else { ColumnType::Text };
        Self { name: field.name.clone(), kind: field.kind.as_str(), column }
    }
}

impl ColumnType {
    fn of(kind: &FieldKind, max_digits: usize) -> Self {
        match kind {
            FieldKind::Integer if max_digits <= MAX_DECIMAL_DIGITS => Self::Integer { digits: max_digits },
            // a number without a written point gets its decimals in addition
            FieldKind::Amount { decimals, .. } if max_digits + decimals <= MAX_DECIMAL_DIGITS => {
                Self::Amount { digits: max_digits + decimals, decimals: *decimals }
            }
            FieldKind::Date { .. } => Self::Date,
            FieldKind::Mark { .. } => Self::Mark,
            FieldKind::Integer | FieldKind::Amount { .. } | FieldKind::Code | FieldKind::Choice { .. } => Self::Text,
        }
    }

    /// Whether 64 bits hold its numbers, counted in units of the last decimal.
    pub fn fits_i64(self) -> bool {
        matches!(self, Self::Integer { digits } | Self::Amount { digits, .. } if digits <= MAX_I64_DIGITS)
    }

    /// Whether a database without decimal numbers counts it in units of the last decimal. A value that does not fit in 64 bits is
    /// refused there: a box has room for 20 digits, but nobody writes so many.
    pub fn has_units(self) -> bool {
        matches!(self, Self::Integer { digits } | Self::Amount { digits, .. } if digits <= MAX_UNITS_DIGITS)
    }

    /// A type that holds the values of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        match (self, other) {
            (Self::Integer { digits: a }, Self::Integer { digits: b }) => Self::Integer { digits: a.max(b) },
            (Self::Amount { digits: a, decimals: n }, Self::Amount { digits: b, decimals: m }) => {
                let digits = (a - n).max(b - m) + n.max(m);
                if digits > MAX_DECIMAL_DIGITS { Self::Text } else { Self::Amount { digits, decimals: n.max(m) } }
            }
            (one, other) if one == other => one,
            _ => Self::Text,
        }
    }

    /// The value of a canonical text in this type; `None` where the type cannot hold it.
    pub fn typed(self, text: &str) -> Option<Typed> {
        let within = |number: i128, digits: usize| {
            let bound = 10u128.checked_pow(u32::try_from(digits).ok()?)?;
            (number.unsigned_abs() < bound).then_some(Typed::Number(number))
        };
        match self {
            Self::Integer { digits } => within(Value::integer(text)?, digits),
            Self::Amount { digits, decimals } => {
                let Decimal { units, decimals: n } = Decimal::parse(text)?;
                let missing = decimals.checked_sub(n.into())?;
                within(units.checked_mul(10i128.checked_pow(u32::try_from(missing).ok()?)?)?, digits)
            }
            Self::Date => {
                let Value::Date { year, month, day } = Value::date(text)? else { return None };
                let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())?;
                Some(Typed::Date(date.num_days_from_ce() - EPOCH_DAYS))
            }
            Self::Mark => match text {
                "1" => Some(Typed::Mark(true)),
                "0" => Some(Typed::Mark(false)),
                _ => None,
            },
            Self::Text => Some(Typed::Text),
        }
    }
}

/// The columns of fields that a table of these forms has: each name once.
pub fn columns(forms: &[Form]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for field in forms.iter().flat_map(|form| &form.fields) {
        if !columns.contains(&field.name) {
            columns.push(field.name.clone());
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMOUNT: ColumnType = ColumnType::Amount { digits: 6, decimals: 2 };

    #[test]
    fn text_of_a_kind_is_typed_and_any_other_is_refused() {
        for (column, text, typed) in [
            (ColumnType::Integer { digits: 3 }, "-120", Some(Typed::Number(-120))),
            (ColumnType::Integer { digits: 3 }, "1200", None),
            (ColumnType::Integer { digits: 3 }, "12a", None),
            (ColumnType::Integer { digits: 3 }, "+12", None),
            (ColumnType::Integer { digits: 38 }, &"9".repeat(38), Some(Typed::Number(10i128.pow(38) - 1))),
            (AMOUNT, "1234.56", Some(Typed::Number(123_456))),
            (AMOUNT, "-0.05", Some(Typed::Number(-5))),
            (AMOUNT, "0", Some(Typed::Number(0))),
            (AMOUNT, "12345.00", None),
            (AMOUNT, "1.234", None),
            (AMOUNT, "1e2", None),
            (AMOUNT, ".", None),
            (AMOUNT, "1.-2", None),
            (ColumnType::Date, "1970-01-02", Some(Typed::Date(1))),
            (ColumnType::Date, "0000-02-29", Some(Typed::Date(-719_469))),
            (ColumnType::Date, "2023-02-29", None),
            (ColumnType::Date, "2023-2-2", None),
            (ColumnType::Mark, "1", Some(Typed::Mark(true))),
            (ColumnType::Mark, "x", None),
            (ColumnType::Text, "007", Some(Typed::Text)),
        ] {
            assert_eq!(column.typed(text), typed, "{column:?} {text}");
        }
    }

    #[test]
    fn column_of_two_forms_holds_the_values_of_both() {
        let wide = ColumnType::Amount { digits: 7, decimals: 3 };
        assert_eq!(AMOUNT.union(wide), ColumnType::Amount { digits: 7, decimals: 3 });
        assert_eq!(AMOUNT.union(ColumnType::Text), ColumnType::Text);
        assert_eq!(AMOUNT.union(ColumnType::Integer { digits: 3 }), ColumnType::Text);
        assert_eq!(ColumnType::Date.union(ColumnType::Date), ColumnType::Date);
    }
}
