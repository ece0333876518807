//! Checks of a single field's value: required, in a range, one of a list, with the right check digit.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    FieldKind,
    raw::RawField,
    source::{Source, is_made_of},
};
use formread_raster::error::Result;

/// The checks that a field's value must pass, besides being of its kind.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FieldChecks {
    /// It may not be blank.
    pub is_required: bool,
    /// Smallest and largest value, both allowed, in the field's unit.
    pub range: Option<[f64; 2]>,
    /// The only allowed values, in canonical form; empty: any.
    pub allowed: BTreeSet<String>,
    /// How the last digit, or the last two, follow from those before.
    pub check_digit: Option<CheckDigit>,
}

/// How a check digit follows from the digits before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CheckDigit {
    /// Luhn's sum of digits (ISO/IEC 7812-1, annex B): bank cards.
    Luhn,
    /// Weights 1 to 10 from the right, then 1 again; the sum is a multiple of 11. As in ISBN-10, but without its `X`: a code
    /// whose check digit would be 10 is not used.
    Mod11,
    /// The whole number leaves 1 when it is divided by 97 (ISO/IEC 7064, MOD 97-10): the last two digits.
    Mod97,
    /// Verhoeff's products in the dihedral group of the pentagon ("Error detecting decimal codes", 1969).
    Verhoeff,
    /// Damm's quasigroup ("Total anti-symmetrische Quasigruppen", 2004).
    Damm,
}

impl FieldChecks {
    /// The check that a value in canonical form (not blank) fails: a word for the table, `range`, `allowed` or the name of the
    /// check digit.
    pub fn failed_check(&self, value: &str) -> Option<&'static str> {
        let number = || value.parse::<f64>().ok();
        if self.range.is_some_and(|[min, max]| number().is_some_and(|n| n < min || n > max)) {
            return Some("range");
        }
        if !self.allowed.is_empty() && !self.allowed.contains(value) {
            return Some("allowed");
        }
        self.check_digit.filter(|check| !check.is_valid(value)).map(CheckDigit::name)
    }
}

impl CheckDigit {
    const ALL: [Self; 5] = [Self::Luhn, Self::Mod11, Self::Mod97, Self::Verhoeff, Self::Damm];

    /// Its name in templates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Luhn => "luhn",
            Self::Mod11 => "mod11",
            Self::Mod97 => "mod97",
            Self::Verhoeff => "verhoeff",
            Self::Damm => "damm",
        }
    }

    /// Whether a code of ASCII digits with its check digit at the end is valid. A code with another character is not, and
    /// neither is an empty one.
    pub fn is_valid(self, code: &str) -> bool {
        let Some(digits) = code.chars().map(|c| c.to_digit(10)).collect::<Option<Vec<u32>>>() else { return false };
        if digits.is_empty() {
            return false;
        }
        let from_right = || digits.iter().rev().copied().enumerate();
        match self {
            Self::Luhn => {
                let doubled = |d: u32| if d > 4 { 2 * d - 9 } else { 2 * d };
                let sum: u32 = from_right().map(|(i, d)| if i % 2 == 1 { doubled(d) } else { d }).sum();
                sum.is_multiple_of(10)
            }
            Self::Mod11 => {
                let sum: u32 = from_right().map(|(i, d)| (i as u32 % 10 + 1) * d).sum();
                sum.is_multiple_of(11)
            }
            Self::Mod97 => digits.iter().fold(0, |rest, d| (10 * rest + d) % 97) == 1,
            Self::Verhoeff => from_right().fold(0, |sum, (i, d)| pentagon(sum, permuted(i, d))) == 0,
            Self::Damm => digits.iter().fold(0, |row, d| DAMM[row as usize][*d as usize]) == 0,
        }
    }
}

/// Product in the dihedral group of order ten: 0 to 4 are turns, 5 to 9 reflections.
fn pentagon(a: u32, b: u32) -> u32 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b) % 5,
        (false, true) => 5 + (a - b) % 5,
        (false, false) => (5 + a - b) % 5,
    }
}

/// Verhoeff's permutation of the digits, applied as often as the digit's place from the right.
fn permuted(times: usize, digit: u32) -> u32 {
    const ONCE: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // the eighth power of the permutation is the identity
    (0..times % 8).fold(digit, |digit, _| ONCE[digit as usize])
}

/// Damm's totally anti-symmetric quasigroup of order ten.
const DAMM: [[u32; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// The checks that a field of `kind` declares.
pub(super) fn parse_checks(source: Source<'_>, raw: &RawField, kind: &FieldKind) -> Result<FieldChecks> {
    let is_number = matches!(kind, FieldKind::Integer | FieldKind::Amount { .. });
    let mut checks =
        FieldChecks { is_required: raw.required.as_ref().is_some_and(|r| *r.get_ref()), ..FieldChecks::default() };
    if let Some(range) = &raw.range {
        let [min, max] = *range.get_ref();
        if !is_number {
            return Err(source.error(
                range.span(),
                "range in a field that is no number",
                "range belongs to integer and amount",
            ));
        }
        if !min.is_finite() || !max.is_finite() || min > max {
            let detail = format!("range: from {min} to {max}");
            return Err(source.error(range.span(), detail, "give two numbers, the smaller one first"));
        }
        checks.range = Some([min, max]);
    }
    for value in &raw.allowed {
        if !is_made_of(value.get_ref(), |b| b.is_ascii_digit() || matches!(b, b'.' | b'-')) {
            let detail = format!("allowed value: {:?}", value.get_ref());
            return Err(source.error(value.span(), detail, "values as in the table, such as \"12.50\""));
        }
        checks.allowed.insert(value.get_ref().clone());
    }
    if let Some(name) = &raw.check_digit {
        if *kind != FieldKind::Code {
            return Err(source.error(
                name.span(),
                "check digit in a field that is no code",
                "check_digit belongs to code",
            ));
        }
        let check = CheckDigit::ALL.into_iter().find(|check| check.name() == name.get_ref());
        let detail = || format!("unknown check digit: {:?}", name.get_ref());
        let known = "any of \"luhn\", \"mod11\", \"mod97\", \"verhoeff\", \"damm\"";
        checks.check_digit = Some(check.ok_or_else(|| source.error(name.span(), detail(), known))?);
    }
    Ok(checks)
}

#[cfg(test)]
mod tests {
    use super::super::parse_template;
    use super::*;

    #[test]
    fn is_valid_published_codes_pass_and_one_changed_digit_fails() {
        for (check, code) in [
            (CheckDigit::Luhn, "79927398713"),
            (CheckDigit::Luhn, "4111111111111111"),
            (CheckDigit::Mod11, "0306406152"),
            (CheckDigit::Mod97, "3214282912345698765432161182"),
            (CheckDigit::Verhoeff, "2363"),
            (CheckDigit::Damm, "5724"),
        ] {
            assert!(check.is_valid(code), "{check:?} {code}");
            for place in 0..code.len() {
                for digit in "0123456789".chars().filter(|&d| Some(d) != code.chars().nth(place)) {
                    let mut other = code.to_owned();
                    other.replace_range(place..=place, &digit.to_string());
                    assert!(!check.is_valid(&other), "{check:?} {other}");
                }
            }
        }
        for check in CheckDigit::ALL {
            assert!(!check.is_valid("") && !check.is_valid("12x") && !check.is_valid("-1"), "{check:?}");
        }
    }

    #[test]
    fn is_valid_swapped_neighbours_fail_for_all_but_luhn() {
        for check in [CheckDigit::Mod11, CheckDigit::Mod97, CheckDigit::Verhoeff, CheckDigit::Damm] {
            let mut n = 0;
            for code in (10_000..30_000).map(|code: u32| code.to_string()).filter(|code| check.is_valid(code)) {
                for i in 0..4 {
                    let mut swapped = code.clone().into_bytes();
                    swapped.swap(i, i + 1);
                    let swapped = String::from_utf8(swapped).expect("they are digits");
                    assert!(swapped == code || !check.is_valid(&swapped), "{check:?} {code} {swapped}");
                    n += 1;
                }
            }
            assert!(n > 500, "{check:?}: {n}");
        }
    }

    #[test]
    fn parse_template_checks_are_declared_and_errors_name_the_line() {
        let form = |line: &str| {
            let head = "name = \"t\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"f\"\n";
            parse_template(&format!("{head}{line}\n"))
        };
        let checks = |line: &str| form(line).expect(line).fields[0].checks.clone();
        let found = checks("kind = \"amount\"\nrequired = true\nrange = [0.5, 20]\nallowed = [\"12.50\", \"30.00\"]");
        assert!(found.is_required);
        for (value, broken) in
            [("12.50", None), ("13.00", Some("allowed")), ("30.00", Some("range")), ("0.49", Some("range"))]
        {
            assert_eq!(found.failed_check(value), broken, "{value}");
        }
        let found = checks("kind = \"code\"\ncheck_digit = \"damm\"");
        assert_eq!((found.failed_check("5724"), found.failed_check("5727")), (None, Some("damm")));
        for (line, part) in [
            ("kind = \"code\"\nrange = [1, 2]", "range in a field that is no number"),
            ("kind = \"integer\"\nrange = [2, 1]", "range: from 2 to 1"),
            ("kind = \"integer\"\nrange = [nan, 1]", "range: from NaN to 1"),
            ("kind = \"integer\"\nrange = [0, inf]", "range: from 0 to inf"),
            ("kind = \"integer\"\nallowed = [\"x\"]", "allowed value: \"x\""),
            ("kind = \"integer\"\ncheck_digit = \"luhn\"", "check digit in a field that is no code"),
            ("kind = \"code\"\ncheck_digit = \"crc\"", "unknown check digit: \"crc\""),
        ] {
            let error = form(line).expect_err(line);
            assert_eq!(error.location().line, Some(7), "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
