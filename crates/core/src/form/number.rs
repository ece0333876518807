//! A form's number, printed in plain digits, that distinguishes it from others.

use serde::Serialize;

use super::{
    raw::{RawNumber, Spanned},
    source::{Source, UnitConverter},
};
use formread_raster::{error::Result, geometry::Rect};

/// Longest text of a number.
const MAX_TEXT_BYTES: usize = 24;
/// Allowed number of digits: one digit alone is too easily misread.
const N_DIGITS: std::ops::RangeInclusive<usize> = 2..=12;
/// What may be printed between digits.
const SEPARATORS: [char; 3] = ['-', '.', ' '];

/// A number that every page of the form has at the same place, in print.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Number {
    /// Its ink, from the first digit to the last, millimetres.
    pub bounds: Rect,
    /// Its text: digits, and hyphens, points and spaces between them.
    pub text: String,
}

impl Number {
    /// The digits alone, which are compared with what was read.
    pub fn digits(&self) -> String {
        self.text.chars().filter(char::is_ascii_digit).collect()
    }
}

pub(super) fn parse_number(source: Source<'_>, units: &UnitConverter, raw: &Spanned<RawNumber>) -> Result<Number> {
    let (span, raw) = (raw.span(), raw.get_ref());
    let at = source.required(&raw.at, span.clone(), "at of a number", "at = [20.0, 10.0, 15.0, 4.0]")?;
    let bounds = units.rect(source, at, "number")?;
    let placed = source.required(&raw.says, span, "says of a number", "says = \"1040\"")?;
    let text = placed.get_ref();
    let number = Number { bounds, text: text.clone() };
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let is_number = text.len() <= MAX_TEXT_BYTES
        && text.chars().all(|c| c.is_ascii_digit() || SEPARATORS.contains(&c))
        && is_digit(text.chars().next())
        && is_digit(text.chars().last())
        && N_DIGITS.contains(&number.digits().len());
    if !is_number {
        let (min, max) = (N_DIGITS.start(), N_DIGITS.end());
        let hint = format!("{min} to {max} digits, with hyphens, points or spaces between them where they are printed");
        return Err(source.error(placed.span(), format!("says: {text:?}"), &hint));
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use crate::form::{FormTemplate, parse_template};

    const FORM: &str = "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"f\"\nkind = \"integer\"\n\
                        box = [5, 5, 40, 8]\n";
    const NUMBER: &str = "[[number]]\nat = [60, 5, 19, 4]\nsays = \"730-2\"\n";

    #[test]
    fn parse_template_with_a_number_gives_millimetres_and_another_fingerprint() {
        let without = parse_template(FORM).expect("it is well formed");
        assert!(without.numbers.is_empty());
        let text = format!("unit = {{ dpi = 254 }}\n{}", format!("{FORM}{NUMBER}").replace("100", "990"));
        let with = parse_template(&text).expect("it is well formed");
        let [number] = &with.numbers[..] else { panic!("it has one") };
        assert!((number.bounds.x0 - 6.0).abs() < 1e-9 && (number.bounds.width() - 1.9).abs() < 1e-9, "{number:?}");
        assert_eq!(number.digits(), "7302");
        assert_ne!(with.fingerprint(), FormTemplate { numbers: Vec::new(), ..with.clone() }.fingerprint());
    }

    #[test]
    fn parse_template_malformed_number_is_an_error_with_line_and_value() {
        for (from, to, line, part) in [
            ("at = [60, 5, 19, 4]\n", "", 8, "missing: at of a number"),
            ("[60, 5, 19, 4]", "[60, 5, 99, 4]", 9, "number off the page"),
            ("says = \"730-2\"\n", "", 8, "missing: says of a number"),
            ("730-2", "", 10, "says: \"\""),
            ("730-2", "7", 10, "says: \"7\""),
            ("730-2", "730-", 10, "says: \"730-\""),
            ("730-2", "-730", 10, "says: \"-730\""),
            ("730-2", "730*2", 10, "says: \"730*2\""),
            ("730-2", "1234567890123", 10, "says: \"1234567890123\""),
            ("says", "say", 10, "unknown key: say"),
        ] {
            let text = format!("{FORM}{}", NUMBER.replacen(from, to, 1));
            let error = parse_template(&text).expect_err(to);
            assert_eq!((error.location().line, error.location().field.as_deref()), (Some(line), None), "{to}: {error}");
            assert!(error.to_string().contains(part), "{to}: {error}");
        }
        let many = format!("{FORM}{}", NUMBER.repeat(9));
        assert!(parse_template(&many).expect_err("nine").to_string().contains("too many numbers: 9"));
        let whole = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"d\"\nkind = \"code\"\n";
        assert!(parse_template(&format!("{whole}{NUMBER}")).is_err());
    }
}
