//! Digits as written -> the canonical form of their kind.

use crate::form::{DateOrder, FieldKind};

/// A field's digits in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canonical {
    /// What stands in the table.
    pub text: String,
    /// Whether there is such a value: there is no 31st of February.
    pub is_possible: bool,
}

/// The canonical form of `digits` (ASCII digits as written, at least one): an integer without leading zeros, an amount
/// with its decimals behind a point, a code with every digit, a date by ISO 8601.
pub(super) fn canonical(kind: &FieldKind, digits: &str) -> Canonical {
    let possible = |text: String| Canonical { text, is_possible: true };
    match kind {
        FieldKind::Integer => possible(without_leading_zeros(digits).to_owned()),
        FieldKind::Code | FieldKind::Mark { .. } => possible(digits.to_owned()),
        FieldKind::Amount { decimals: 0 } => possible(without_leading_zeros(digits).to_owned()),
        FieldKind::Amount { decimals } => {
            let padded = format!("{digits:0>width$}", width = decimals + 1);
            let (whole, fraction) = padded.split_at(padded.len() - decimals);
            possible(format!("{}.{fraction}", without_leading_zeros(whole)))
        }
        FieldKind::Date { order, pivot } => date(*order, *pivot, digits),
    }
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

/// Days of a month in the Gregorian calendar; 0 of a month that there is not.
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

    #[test]
    fn canonical_forms() {
        struct Case {
            kind: FieldKind,
            digits: &'static str,
            text: &'static str,
        }
        let amount = |decimals| FieldKind::Amount { decimals };
        let case = |kind, digits, text| Case { kind, digits, text };
        for Case { kind, digits, text } in [
            case(FieldKind::Integer, "012", "12"),
            case(FieldKind::Integer, "000", "0"),
            case(FieldKind::Integer, "7", "7"),
            case(FieldKind::Code, "0124", "0124"),
            case(amount(2), "123456", "1234.56"),
            case(amount(2), "5", "0.05"),
            case(amount(2), "0005", "0.05"),
            case(amount(2), "00", "0.00"),
            case(amount(3), "12", "0.012"),
            case(amount(0), "0450", "450"),
        ] {
            assert_eq!(canonical(&kind, digits), Canonical { text: text.to_owned(), is_possible: true }, "{digits}");
        }
    }

    #[test]
    fn dates() {
        use DateOrder::{DayMonthYear, MonthDayYear, YearMonthDay};
        for (order, digits, text, is_possible) in [
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
            let found = canonical(&FieldKind::Date { order, pivot: 50 }, digits);
            assert_eq!(found, Canonical { text: text.to_owned(), is_possible }, "{digits}");
            assert_eq!(is_date(text), is_possible, "{text}");
        }
    }
}
