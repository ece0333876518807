//! Digits as written -> the canonical form of their kind.

use crate::form::{DateOrder, FieldKind};

/// A field's digits in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canonical {
    /// The text of the table.
    pub text: String,
    /// Whether the value exists: 31 February does not.
    pub is_possible: bool,
}

/// The parts of a written number.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written<'a> {
    /// ASCII digits, at least one.
    pub digits: &'a str,
    /// How many of them are behind the decimal point; `None`: as many as the field has decimals.
    pub n_decimals: Option<usize>,
    /// Whether it has a minus.
    pub is_negative: bool,
}

/// The canonical form of a written number: an integer without leading zeros, an amount with its decimals behind a point, a
/// code with every digit, a date by ISO 8601.
pub(super) fn canonical(kind: &FieldKind, written: Written<'_>) -> Canonical {
    let digits = written.digits;
    let possible = |text: String| Canonical { text, is_possible: true };
    match kind {
        FieldKind::Code | FieldKind::Mark { .. } | FieldKind::Choice { .. } => possible(digits.to_owned()),
        FieldKind::Integer => possible(number(written, 0)),
        FieldKind::Amount { decimals, .. } => possible(number(written, *decimals)),
        FieldKind::Date { order, pivot } => date(*order, *pivot, digits),
    }
}

/// Zero has no sign.
fn number(written: Written<'_>, decimals: usize) -> String {
    let Written { digits, n_decimals, is_negative } = written;
    let n_behind = n_decimals.unwrap_or(decimals).min(decimals);
    let padded = format!("{digits:0>width$}{:0>n$}", "", width = n_behind + 1, n = decimals - n_behind);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    let sign = if is_negative && padded.bytes().any(|digit| digit != b'0') { "-" } else { "" };
    let point = if decimals > 0 { "." } else { "" };
    format!("{sign}{}{point}{fraction}", without_leading_zeros(whole))
}

fn without_leading_zeros(digits: &str) -> &str {
    let stripped = digits.trim_start_matches('0');
    if stripped.is_empty() { "0" } else { stripped }
}

/// A date by ISO 8601. One of another length than 6 or 8 digits stays as written and is not possible.
fn date(order: DateOrder, pivot: u32, digits: &str) -> Canonical {
    let year_digits = match digits.len() {
        6 => 2,
        8 => 4,
        _ => return Canonical { text: digits.to_owned(), is_possible: false },
    };
    let (day, month, year) = match order {
        DateOrder::DayMonthYear => (&digits[0..2], &digits[2..4], &digits[4..]),
        DateOrder::MonthDayYear => (&digits[2..4], &digits[0..2], &digits[4..]),
        DateOrder::YearMonthDay => {
            (&digits[year_digits + 2..], &digits[year_digits..year_digits + 2], &digits[..year_digits])
        }
    };
    let number = |text: &str| text.bytes().fold(0u32, |n, b| 10 * n + u32::from(b.wrapping_sub(b'0')));
    let year = match (number(year), year_digits) {
        (year, 2) if year < pivot => 2000 + year,
        (year, 2) => 1900 + year,
        (year, _) => year,
    };
    let (day, month) = (number(day), number(month));
    Canonical { text: format!("{year:04}-{month:02}-{day:02}"), is_possible: (1..=days_in(month, year)).contains(&day) }
}

/// Whether a text in the canonical form of dates is one that the calendar has.
pub(super) fn is_date(text: &str) -> bool {
    let mut parts = text.split('-').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten(), parts.next()) {
        (Some(year), Some(month), Some(day), None) => (1..=days_in(month, year)).contains(&day),
        _ => false,
    }
}

/// Days of a month in the Gregorian calendar; 0 for a month that does not exist.
fn days_in(month: u32, year: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::DecimalPoint;

    fn digits(digits: &str) -> Written<'_> {
        Written { digits, ..Written::default() }
    }

    #[test]
    fn canonical_forms() {
        struct Case<'a>(FieldKind, Written<'a>, &'static str);
        let amount = |decimals| FieldKind::Amount { decimals, point: DecimalPoint::Implied };
        let behind = |text, n| Written { n_decimals: Some(n), ..digits(text) };
        let negative = |text| Written { is_negative: true, ..digits(text) };
        for Case(kind, written, text) in [
            Case(FieldKind::Integer, digits("012"), "12"),
            Case(FieldKind::Integer, digits("000"), "0"),
            Case(FieldKind::Integer, digits("7"), "7"),
            Case(FieldKind::Integer, negative("012"), "-12"),
            Case(FieldKind::Integer, negative("0"), "0"),
            Case(FieldKind::Code, digits("0124"), "0124"),
            Case(amount(2), digits("123456"), "1234.56"),
            Case(amount(2), digits("5"), "0.05"),
            Case(amount(2), digits("0005"), "0.05"),
            Case(amount(2), digits("00"), "0.00"),
            Case(amount(3), digits("12"), "0.012"),
            Case(amount(0), digits("0450"), "450"),
            Case(amount(2), behind("12", 0), "12.00"),
            Case(amount(2), behind("125", 1), "12.50"),
            Case(amount(2), behind("0", 0), "0.00"),
            Case(amount(2), behind("50", 2), "0.50"),
            Case(amount(0), behind("12", 2), "12"),
            Case(amount(2), negative("150"), "-1.50"),
            Case(amount(2), negative("000"), "0.00"),
            Case(amount(2), Written { is_negative: true, ..behind("012", 0) }, "-12.00"),
        ] {
            assert_eq!(
                canonical(&kind, written),
                Canonical { text: text.to_owned(), is_possible: true },
                "{written:?}"
            );
        }
    }

    #[test]
    fn dates() {
        use DateOrder::{DayMonthYear, MonthDayYear, YearMonthDay};
        for (order, written, text, is_possible) in [
            (DayMonthYear, "31122026", "2026-12-31", true),
            (MonthDayYear, "12312026", "2026-12-31", true),
            (YearMonthDay, "20261231", "2026-12-31", true),
            (YearMonthDay, "261231", "2026-12-31", true),
            (DayMonthYear, "010149", "2049-01-01", true),
            (DayMonthYear, "010150", "1950-01-01", true),
            (DayMonthYear, "29022024", "2024-02-29", true),
            (DayMonthYear, "29022023", "2023-02-29", false),
            (DayMonthYear, "29021900", "1900-02-29", false),
            (DayMonthYear, "31042020", "2020-04-31", false),
            (DayMonthYear, "00012020", "2020-01-00", false),
            (MonthDayYear, "13012020", "2020-13-01", false),
            (DayMonthYear, "0101202", "0101202", false),
        ] {
            let found = canonical(&FieldKind::Date { order, pivot: 50 }, digits(written));
            assert_eq!(found, Canonical { text: text.to_owned(), is_possible }, "{written}");
            assert_eq!(is_date(text), is_possible, "{text}");
        }
    }
}
