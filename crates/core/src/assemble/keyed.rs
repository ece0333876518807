//! What a person keys -> the canonical form of a field's kind.

use std::fmt;

use super::canonical::{Written, canonical};
use crate::form::{DecimalPoint, Field, FieldKind};

/// Most characters that are looked at.
const MAX_KEYED: usize = 64;

/// Why a keyed text is no value of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyedFault {
    /// It has no digit.
    NoDigit,
    /// It has a character that a value of this kind does not have.
    Character,
    /// It has more digits behind the point than the field has decimals.
    TooManyDecimals,
    /// It has more than 64 characters.
    TooLong,
    /// A date has 6 or 8 digits, or three numbers.
    NoDate,
    /// A mark is 1 or 0.
    NoMark,
    /// A choice is one of its values.
    NoChoice,
}

impl KeyedFault {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoDigit => "no-digit",
            Self::Character => "character",
            Self::TooManyDecimals => "too-many-decimals",
            Self::TooLong => "too-long",
            Self::NoDate => "no-date",
            Self::NoMark => "no-mark",
            Self::NoChoice => "no-choice",
        }
    }
}

impl fmt::Display for KeyedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The value in canonical form that a person keyed for `field` as it is written on the paper: digits, with `-` before a negative
/// number, `.` or `,` before decimals, any of `.`, `,`, `/`, `-` and a space between the numbers of a date, and of a choice one of
/// its values, in small letters or capitals. Whether the value
/// passes the checks of its field is not looked at: what is on the paper is keyed.
///
/// # Errors
/// Why it is no value of the field's kind.
pub fn keyed_value(field: &Field, keyed: &str) -> Result<String, KeyedFault> {
    let keyed = keyed.trim();
    if keyed.len() > MAX_KEYED {
        return Err(KeyedFault::TooLong);
    }
    if let FieldKind::Choice { values, .. } = &field.kind {
        let value = values.iter().find(|value| value.eq_ignore_ascii_case(keyed));
        return value.cloned().ok_or(KeyedFault::NoChoice);
    }
    if !keyed.bytes().any(|b| b.is_ascii_digit()) {
        return Err(if keyed.is_empty() { KeyedFault::NoDigit } else { KeyedFault::Character });
    }
    let (number, is_negative) = match keyed.strip_prefix('-') {
        Some(number) if field.is_signed => (number, true),
        _ => (keyed, false),
    };
    let only_digits = |text: &str| match text.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(()),
        false => Err(KeyedFault::Character),
    };
    let text_of = |digits: &str, n_decimals| canonical(&field.kind, Written { digits, n_decimals, is_negative }).text;
    match field.kind {
        FieldKind::Mark { .. } if !matches!(number, "0" | "1") => Err(KeyedFault::NoMark),
        FieldKind::Integer | FieldKind::Code | FieldKind::Mark { .. } | FieldKind::Choice { .. } => {
            only_digits(number)?;
            Ok(text_of(number, None))
        }
        FieldKind::Amount { decimals, point } => {
            let (whole, behind) = match number.rsplit_once(['.', ',']) {
                Some((whole, behind)) => (whole, Some(behind)),
                None => (number, None),
            };
            only_digits(whole)?;
            only_digits(behind.unwrap_or_default())?;
            let n_behind = behind
                .map_or_else(|| if point == DecimalPoint::Written { 0 } else { decimals.min(number.len()) }, str::len);
            if n_behind > decimals {
                return Err(KeyedFault::TooManyDecimals);
            }
            let n_decimals = (behind.is_some() || point == DecimalPoint::Written).then_some(n_behind);
            Ok(text_of(&format!("{whole}{}", behind.unwrap_or_default()), n_decimals))
        }
        FieldKind::Date { .. } => Ok(text_of(&date_digits(number)?, None)),
    }
}

/// The digits of a date, 6 or 8 of them. Its numbers may be apart; then days and months may lack their zero.
fn date_digits(keyed: &str) -> Result<String, KeyedFault> {
    let parts: Vec<&str> = keyed.split(['.', ',', '/', '-', ' ']).filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| !part.bytes().all(|b| b.is_ascii_digit())) {
        return Err(KeyedFault::Character);
    }
    let digits = match parts.as_slice() {
        [digits] => (*digits).to_owned(),
        [_, _, _] => parts.iter().map(|part| format!("{part:0>2}")).collect(),
        _ => return Err(KeyedFault::NoDate),
    };
    if matches!(digits.len(), 6 | 8) { Ok(digits) } else { Err(KeyedFault::NoDate) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::parse_template;

    fn field(keys: &str) -> Field {
        let text = format!("name = \"f\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\n{keys}\n");
        parse_template(&text).unwrap_or_else(|error| panic!("{error}")).fields.remove(0)
    }

    #[test]
    fn keyed_choice_is_one_of_its_values_in_small_letters_or_capitals() {
        let text = "name = \"f\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"a\"\nkind = \"choice\"\n\
                    values = [\"A\", \"10\"]\ncells = [[5, 5, 4, 4], [15, 5, 4, 4]]\n";
        let field = parse_template(text).expect("it is well formed").fields.remove(0);
        for (keyed, value) in
            [(" a", Ok("A")), ("10", Ok("10")), ("1", Err(KeyedFault::NoChoice)), ("", Err(KeyedFault::NoChoice))]
        {
            assert_eq!(keyed_value(&field, keyed), value.map(str::to_owned), "{keyed}");
        }
    }

    #[test]
    fn keyed_text_becomes_the_canonical_form_of_its_kind() {
        use KeyedFault::{Character, NoDate, NoDigit, TooLong, TooManyDecimals};
        let integer = "kind = \"integer\"";
        let signed = "kind = \"integer\"\nsigned = true";
        let amount = "kind = \"amount\"";
        let written = "kind = \"amount\"\npoint = \"written\"";
        let date = "kind = \"date\"\norder = \"dmy\"";
        for (kind, keyed, value) in [
            (integer, " 012", Ok("12")),
            (integer, "0", Ok("0")),
            (integer, "", Err(NoDigit)),
            (integer, "-5", Err(Character)),
            (integer, "5/34", Err(Character)),
            (integer, "1.000", Err(Character)),
            (integer, "x", Err(Character)),
            (integer, &"1".repeat(65), Err(TooLong)),
            (signed, "-05", Ok("-5")),
            (signed, "5-", Err(Character)),
            ("kind = \"code\"", "0124", Ok("0124")),
            (amount, "123456", Ok("1234.56")),
            (amount, "1234,56", Ok("1234.56")),
            (amount, "1234.5", Ok("1234.50")),
            (amount, "1234.", Ok("1234.00")),
            (amount, "5", Ok("0.05")),
            (amount, "1.234,56", Err(Character)),
            (amount, "1.234", Err(TooManyDecimals)),
            (written, "1234", Ok("1234.00")),
            (written, ".5", Ok("0.50")),
            (date, "31122026", Ok("2026-12-31")),
            (date, "1.2.26", Ok("2026-02-01")),
            (date, "01/02 2026", Ok("2026-02-01")),
            (date, "31.2.2020", Ok("2020-02-31")),
            (date, "3122026", Err(NoDate)),
            (date, "1.2", Err(NoDate)),
        ] {
            assert_eq!(keyed_value(&field(kind), keyed), value.map(str::to_owned), "{kind} {keyed}");
        }
    }

    #[test]
    fn mark_is_one_or_zero() {
        let text = "name = \"f\"\ntitle = \"t\"\npage = [210, 297]\nlines = [[10, 10, 200, 10], [10, 280, 200, 280]]\n\
                    [[field]]\nname = \"a\"\nkind = \"mark\"\nbox = [20, 20, 5, 5]\n";
        let mark = parse_template(text).unwrap_or_else(|error| panic!("{error}")).fields.remove(0);
        assert_eq!(keyed_value(&mark, "1"), Ok("1".to_owned()));
        assert_eq!(keyed_value(&mark, "2"), Err(KeyedFault::NoMark));
    }
}
