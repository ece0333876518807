//! Draws the values of a page: values as people write them, which keep the rules of the form, and their digits.
//!
//! - Integers are counts, small ones more often than large ones, up to the field's width or the end of its `range`. In a
//!   `range` that starts far from zero, such as that of a year, all numbers are about as likely.
//! - Amounts of one page are of one magnitude, which differs between pages. Some are round, some have no cents.
//! - Dates are recent. Codes are random digits, with their check digits.
//!
//! A deck measures how well digits are recognised, so it needs all ten of them often: codes and amounts bring them.

use rand::RngExt;

use super::{
    Dice,
    choices::{Conditional, choose_marks, conditionals},
};
use formread_core::form::{
    Bounds, Comparison, DateOrder, DecimalPoint, Field, FieldKind, FieldLayout, FormTemplate, Relation, Sum,
};
use formread_raster::error::{Error, Result};

/// Maximum number of draws before the rules of a form are taken for contradictory.
const MAX_DRAWS: usize = 400;
/// Factor on the maximum value of a field each time it makes the form break a rule.
const CEILING_FACTOR: f64 = 0.7;
/// Maximum number of draws before the checks of a field are taken for impossible; 1 of 97 codes has the right check digits.
const MAX_CHECKED_DRAWS: usize = 3_000;
/// Maximum rounding error of a sum, in units of a field's last digit.
const MAX_ROUNDING: f64 = 0.51;
/// Share of retracted marks.
const RETRACTED_SHARE: f64 = 0.1;
/// Share of negative numbers in fields that allow them.
const NEGATIVE_SHARE: f64 = 0.3;
/// Ratio of the largest to the smallest amount on a page.
const AMOUNT_SPREAD: f64 = 100.0;
/// Share of amounts that are round: two digits, then zeros.
const ROUND_SHARE: f64 = 0.15;
/// Share of the other amounts whose decimals are zero.
const WHOLE_SHARE: f64 = 0.35;
/// Years of the dates that are drawn.
const YEARS: std::ops::RangeInclusive<u32> = 2025..=2026;
/// Maximum number of digits of a number in sums; doubles are exact up to here.
const MAX_NUMBER_DIGITS: usize = 15;

/// The value written in one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Canonical form; empty if the field is blank.
    pub value: String,
    /// The digits as written, from left to right; empty if the field is blank.
    pub digits: String,
    /// Whether its decimals are zero and not written.
    pub is_whole: bool,
}

/// Draws a value for each field of `template`. A share `blanks` (0 to 1) of the fields is left blank; a total is blank only
/// if all its terms are. Rules that name other forms are ignored.
///
/// # Errors
/// `Usage` if no values are found that keep the rules.
pub fn draw_values(template: &FormTemplate, blanks: f64, dice: &mut Dice) -> Result<Vec<Entry>> {
    let fields = &template.fields;
    let (definitions, conditionals) = (definitions(template), conditionals(template));
    let mut ceilings: Vec<f64> = fields.iter().map(|field| largest(field, field.digits.max)).collect();
    let mut broken = String::new();
    for _ in 0..MAX_DRAWS {
        let wealth = AMOUNT_SPREAD.powf(-dice.random_range(0.0..1.0));
        let mut numbers: Vec<Option<f64>> = Vec::with_capacity(fields.len());
        let mut texts = Vec::with_capacity(fields.len());
        for (field, ceiling) in fields.iter().zip(&ceilings) {
            let is_blank = dice.random_bool(blanks) && !field.checks.is_required;
            let share = if matches!(field.kind, FieldKind::Amount { .. }) { wealth } else { 1.0 };
            let entry = draw_checked(field, share * ceiling, dice)?;
            texts.push(if is_blank { Entry::default() } else { entry });
            numbers.push(texts.last().and_then(|entry| entry.value.parse().ok()));
        }
        for (idx, value) in choose_marks(template, &numbers, dice) {
            texts[idx] = value.map_or_else(Entry::default, |value| plain(value.to_owned(), value.to_owned()));
            numbers[idx] = value.and_then(|value| value.parse().ok());
        }
        match complete_numbers(template, &definitions, &conditionals, &mut numbers) {
            Ok(()) => {
                for (i, definition) in definitions.iter().enumerate() {
                    let is_conditional = conditionals.iter().any(|conditional| conditional.total == i);
                    match definition {
                        Some(definition) if fields[i].kind == FieldKind::Code => {
                            texts[i] = texts[definition.terms[0].1].clone();
                        }
                        None if !is_conditional => {}
                        _ => texts[i] = numbers[i].map_or(Entry::default(), |number| number_entry(&fields[i], number)),
                    }
                }
                return Ok(texts);
            }
            Err(BrokenRule { rule, too_large }) => {
                broken = rule;
                too_large.into_iter().for_each(|leaf| ceilings[leaf] *= CEILING_FACTOR);
            }
        }
    }
    Err(Error::usage(format!("no values found that keep the rule: {broken}"))
        .with_hint("does it contradict another rule?"))
}

/// A rule that the drawn numbers break, and the fields to draw smaller.
struct BrokenRule {
    rule: String,
    too_large: Vec<usize>,
}

/// For each field that a rule derives from others, the sum of drawn fields that defines it.
fn definitions(template: &FormTemplate) -> Vec<Option<Sum>> {
    let mut definitions: Vec<Option<Sum>> = vec![None; template.fields.len()];
    for rule in template.own_rules() {
        let (Relation::Equal, [(factor, total)]) = (rule.claim.relation, &rule.claim.left.terms[..]) else { continue };
        let is_number = |i: usize| matches!(template.fields[i].kind, FieldKind::Integer | FieldKind::Amount { .. });
        let sum = expand_sum(&rule.claim.right, &definitions);
        let is_circular = sum.terms.iter().any(|(_, field)| field == total)
            || definitions.iter().flatten().any(|d| d.terms.iter().any(|(_, field)| field == total));
        let is_definition = *factor == 1.0 && rule.claim.left.constant == 0.0 && rule.condition.is_none();
        let can_derive = is_number(*total) || is_copy(*total, &sum, &template.fields);
        if is_definition && !is_circular && can_derive && definitions[*total].is_none() {
            definitions[*total] = Some(sum);
        }
    }
    definitions
}

/// Whether the field `idx` is a code that repeats another code.
fn is_copy(idx: usize, sum: &Sum, fields: &[Field]) -> bool {
    let (field, [(factor, leaf)]) = (&fields[idx], &sum.terms[..]) else { return false };
    let other = &fields[*leaf];
    let is_same = (&field.kind, field.digits, &field.checks) == (&other.kind, other.digits, &other.checks);
    field.kind == FieldKind::Code && *factor == 1.0 && sum.constant == 0.0 && is_same
}

/// `sum` with every derived field replaced by its definition.
fn expand_sum(sum: &Sum, definitions: &[Option<Sum>]) -> Sum {
    let mut whole = Sum { terms: Vec::new(), constant: sum.constant };
    for &(factor, field) in &sum.terms {
        match &definitions[field] {
            Some(definition) => {
                whole.constant += factor * definition.constant;
                whole.terms.extend(definition.terms.iter().map(|(inner, leaf)| (factor * inner, *leaf)));
            }
            None => whole.terms.push((factor, field)),
        }
    }
    whole
}

/// Fills in the derived fields and checks all rules. A blank field counts as zero in a sum.
fn complete_numbers(
    template: &FormTemplate,
    definitions: &[Option<Sum>],
    conditionals: &[Conditional<'_>],
    numbers: &mut [Option<f64>],
) -> std::result::Result<(), BrokenRule> {
    conditionals.iter().for_each(|conditional| numbers[conditional.total] = None);
    // sums may depend on what another one has under its condition
    for _ in 0..=conditionals.len() {
        let before = numbers.to_vec();
        for (i, definition) in definitions.iter().enumerate() {
            let Some(sum) = definition else { continue };
            numbers[i] = match sum.terms.iter().all(|(_, leaf)| numbers[*leaf].is_none()) {
                true => None,
                false if template.fields[i].kind == FieldKind::Code => numbers[sum.terms[0].1],
                false => Some(derived_number(template, i, sum, numbers)),
            };
        }
        for conditional in conditionals {
            if conditional.applies(numbers) {
                numbers[conditional.total] =
                    Some(derived_number(template, conditional.total, conditional.sum, numbers));
            }
        }
        if *numbers == before[..] {
            break;
        }
    }
    let derived = definitions.iter().enumerate().filter_map(|(i, sum)| Some((i, sum.as_ref()?)));
    let derived = derived.chain(conditionals.iter().map(|conditional| (conditional.total, conditional.sum)));
    for (i, sum) in derived.filter(|(i, _)| template.fields[*i].kind != FieldKind::Code) {
        let (field, Some(total)) = (&template.fields[i], numbers[i]) else { continue };
        let wanted_sign = if total < 0.0 { -1.0 } else { 1.0 };
        let sum = expand_sum(sum, definitions);
        let too_large =
            sum.terms.iter().filter(|(factor, _)| factor * wanted_sign > 0.0).map(|(_, leaf)| *leaf).collect();
        let n_digits = number_entry(field, total).digits.len();
        let room = field.digits.min..=field.digits.max - usize::from(total < 0.0 && needs_cell_for_sign(field));
        let is_refused = field.checks.failed_check(&number_entry(field, total).value).is_some();
        if total < 0.0 && !field.is_signed || !room.contains(&n_digits) || is_refused {
            return Err(BrokenRule { rule: format!("{} fits its field", field.name), too_large });
        }
    }
    for rule in template.own_rules() {
        let number = |field: usize| numbers[field].unwrap_or(0.0);
        let bounds = |field: usize| Bounds::exactly(number(field));
        let fields = rule.fields();
        if fields.iter().all(|field| numbers[*field].is_none()) {
            continue;
        }
        let finest = fields.iter().map(|field| unit_of(&template.fields[*field])).fold(1.0, f64::min);
        let Comparison { left, right, tolerance, .. } = &rule.claim;
        let rounded = Comparison { tolerance: tolerance.max(MAX_ROUNDING * finest), ..rule.claim.clone() };
        let is_rounded = rule.claim.relation == Relation::Equal && rounded.holds(&bounds) == Some(true);
        if !is_rounded && rule.holds(&bounds) == Some(false) {
            let excess =
                left.value(|i| Some(number(i))).unwrap_or(0.0) - right.value(|i| Some(number(i))).unwrap_or(0.0);
            let sides = [(1.0, left), (-1.0, right)];
            let leaves = sides.iter().flat_map(|(side, sum)| {
                expand_sum(sum, definitions).terms.into_iter().map(move |(factor, leaf)| (side * factor, leaf))
            });
            let too_large = leaves.filter(|(factor, _)| factor * excess > 0.0).map(|(_, leaf)| leaf).collect();
            return Err(BrokenRule { rule: rule.text.clone(), too_large });
        }
    }
    Ok(())
}

/// The value of `sum` in units of the field that it derives.
fn derived_number(template: &FormTemplate, total: usize, sum: &Sum, numbers: &[Option<f64>]) -> f64 {
    let unit = unit_of(&template.fields[total]);
    (sum.value(|leaf| Some(numbers[leaf].unwrap_or(0.0))).unwrap_or(0.0) / unit).round() * unit
}

/// The value of one unit in the last digit of a field.
fn unit_of(field: &Field) -> f64 {
    10.0_f64.powi(-(decimals_of(field) as i32))
}

/// The largest number of `n_digits` digits.
fn largest(field: &Field, n_digits: usize) -> f64 {
    (10.0_f64.powi(n_digits as i32) - 1.0) * unit_of(field)
}

/// An entry that passes the field's own checks. A number is at most `ceiling`, if its checks allow that.
fn draw_checked(field: &Field, ceiling: f64, dice: &mut Dice) -> Result<Entry> {
    if !field.checks.allowed.is_empty() {
        let drawn = dice.random_range(0..field.checks.allowed.len());
        let allowed = field.checks.allowed.iter().nth(drawn).expect("it is below their number");
        return Ok(entry_of(field, allowed));
    }
    for _ in 0..MAX_CHECKED_DRAWS {
        let entry = draw_entry(field, ceiling, dice);
        if field.checks.failed_check(&entry.value).is_none() {
            return Ok(entry);
        }
    }
    Err(Error::usage(format!("no value found that passes the checks of the field: {}", field.name)))
}

/// A number of at most `ceiling` apart from its sign, if the field's digits and range allow that.
fn draw_number(field: &Field, ceiling: f64, dice: &mut Dice) -> f64 {
    let [min, max] = field.checks.range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    let n_beside_sign = field.digits.max - usize::from(needs_cell_for_sign(field));
    let may_be_negative = field.is_signed && min < 0.0 && n_beside_sign >= min_digits(field);
    let is_negative = may_be_negative && (max < 0.0 || dice.random_bool(NEGATIVE_SHARE));
    let (low, high, n_digits, sign) =
        if is_negative { (-max, -min, n_beside_sign, -1.0) } else { (min, max, field.digits.max, 1.0) };
    let high = high.min(ceiling).min(largest(field, n_digits.min(MAX_NUMBER_DIGITS)));
    let (unit, decimals) = (unit_of(field), decimals_of(field));
    let is_amount = matches!(field.kind, FieldKind::Amount { .. });
    let of_magnitude = if is_amount { high / AMOUNT_SPREAD } else { 0.0 };
    let of_min_digits = match field.digits.min {
        min if min > min_digits(field) => 10.0_f64.powi(min as i32 - 1) * unit,
        _ => 0.0,
    };
    let low = low.max(of_magnitude).max(of_min_digits);
    let count = draw_count((low / unit).round(), (high / unit).round(), dice);
    let n_zeros = match is_amount {
        true if dice.random_bool(ROUND_SHARE) => usize::MAX,
        true if dice.random_bool(WHOLE_SHARE) => decimals,
        _ => 0,
    };
    // the first two digits stay
    let n_zeros = n_zeros.min(format!("{count:.0}").len().saturating_sub(2));
    let rounding = 10.0_f64.powi(n_zeros as i32);
    sign * (count / rounding).floor() * rounding * unit
}

/// A whole number from `low` to `high`; `low` if there is none. Its logarithm is uniform, as in numbers that people write
/// (F. Benford, "The law of anomalous numbers", 1938).
fn draw_count(low: f64, high: f64, dice: &mut Dice) -> f64 {
    if low >= high {
        return low;
    }
    (dice.random_range((low + 1.0).ln()..(high + 2.0).ln()).exp() - 1.0).floor().clamp(low, high)
}

/// The entry of a value in canonical form.
fn entry_of(field: &Field, value: &str) -> Entry {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    match (&field.kind, value.parse()) {
        (FieldKind::Integer | FieldKind::Amount { .. }, Ok(number)) => number_entry(field, number),
        (FieldKind::Date { order, .. }, _) if digits.len() == 8 => {
            let (year, day) = (&digits[if field.digits.max >= 8 { 0 } else { 2 }..4], &digits[6..]);
            plain(value.to_owned(), in_order(*order, year, &digits[4..6], day))
        }
        _ => plain(value.to_owned(), digits),
    }
}

fn in_order(order: DateOrder, year: &str, month: &str, day: &str) -> String {
    match order {
        DateOrder::DayMonthYear => [day, month, year].concat(),
        DateOrder::MonthDayYear => [month, day, year].concat(),
        DateOrder::YearMonthDay => [year, month, day].concat(),
    }
}

fn draw_entry(field: &Field, ceiling: f64, dice: &mut Dice) -> Entry {
    match &field.kind {
        FieldKind::Date { order, pivot } => draw_date(field, *order, *pivot, dice),
        // a tick, or a tick retracted by filling the box
        FieldKind::Mark { filled_counts } => {
            let value = if !filled_counts && dice.random_bool(RETRACTED_SHARE) { "0" } else { "1" };
            plain(value.to_owned(), value.to_owned())
        }
        FieldKind::Choice { values, .. } => plain(values[dice.random_range(0..values.len())].clone(), "1".to_owned()),
        FieldKind::Code => {
            let max = format!("{ceiling:.0}").len().clamp(field.digits.min, field.digits.max);
            let n_digits = dice.random_range(field.digits.min..=max);
            let digits: String = (0..n_digits).map(|_| char::from(b'0' + dice.random_range(0..10u8))).collect();
            plain(digits.clone(), digits)
        }
        FieldKind::Integer | FieldKind::Amount { .. } => number_entry(field, draw_number(field, ceiling, dice)),
    }
}

pub(super) fn plain(value: String, digits: String) -> Entry {
    Entry { value, digits, is_whole: false }
}

/// Whether decimals that are zero need not be written.
fn may_be_whole(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Amount { decimals: 1.., point: DecimalPoint::Printed | DecimalPoint::Written })
}

/// Whether a minus needs a cell of its own.
fn needs_cell_for_sign(field: &Field) -> bool {
    matches!(field.layout, FieldLayout::Comb { .. })
}

fn number_entry(field: &Field, number: f64) -> Entry {
    let scaled = (number.abs() / unit_of(field)).round();
    let digits = format!("{scaled:0>width$.0}", width = min_digits(field));
    entry_of_digits(field, &digits, number < 0.0)
}

/// Minimum number of digits of a written number: all decimals, and one before the point if there is room.
pub(super) fn min_digits(field: &Field) -> usize {
    (decimals_of(field) + 1).min(field.digits.max)
}

/// The entry of a number with these digits, decimals included.
pub(super) fn entry_of_digits(field: &Field, digits: &str, is_negative: bool) -> Entry {
    let canonical = canonical_number(field, digits);
    let has_sign = is_negative && digits.bytes().any(|digit| digit != b'0');
    let value = if has_sign { format!("-{canonical}") } else { canonical };
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals_of(field)));
    let is_whole = may_be_whole(field) && !whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    Entry { value, digits: if is_whole { whole } else { digits }.to_owned(), is_whole }
}

pub(super) fn decimals_of(field: &Field) -> usize {
    match field.kind {
        FieldKind::Amount { decimals, .. } => decimals,
        _ => 0,
    }
}

fn canonical_number(field: &Field, digits: &str) -> String {
    let decimals = decimals_of(field);
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, part) = padded.split_at(padded.len() - decimals);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if decimals == 0 { whole.to_owned() } else { format!("{whole}.{part}") }
}

fn draw_date(field: &Field, order: DateOrder, pivot: u32, dice: &mut Dice) -> Entry {
    let (drawn, month) = (dice.random_range(YEARS), dice.random_range(1..=12u32));
    let last_day = match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let day = dice.random_range(1..=last_day);
    let (year, written) = if field.digits.max >= 8 {
        (drawn, format!("{drawn:04}"))
    } else {
        let short = drawn % 100;
        (if short < pivot { 2000 + short } else { 1900 + short }, format!("{short:02}"))
    };
    let digits = in_order(order, &written, &format!("{month:02}"), &format!("{day:02}"));
    plain(format!("{year:04}-{month:02}-{day:02}"), digits)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use formread_core::form::{known_templates, parse_template};

    #[test]
    fn drawn_values_keep_the_rules_of_every_known_form() {
        for template in known_templates().expect("a test says they parse") {
            let mut n_blank = 0;
            for seed in 0..100 {
                let entries =
                    draw_values(&template, 0.1, &mut Dice::seed_from_u64(seed)).expect("its rules can be kept");
                n_blank += entries.iter().filter(|entry| entry.value.is_empty()).count();
                for (field, entry) in template.fields.iter().zip(&entries) {
                    assert_eq!(entry.value.is_empty(), entry.digits.is_empty());
                    let (n, count) = (entry.digits.len(), field.digits);
                    assert!(n == 0 || (count.min..=count.max).contains(&n), "{}: {entry:?}", field.name);
                }
                let number = |i: usize| Bounds::exactly(entries[i].value.parse().unwrap_or(0.0));
                for rule in &template.rules {
                    assert_eq!(rule.holds(&number), Some(true), "{}: {entries:?}", rule.text);
                }
            }
            let share = n_blank as f64 / (100 * template.fields.len()) as f64;
            assert!((0.02..0.3).contains(&share), "{}: {share} blank", template.name);
        }
    }

    #[test]
    fn drawn_values_are_natural_and_use_all_digits() {
        let known = known_templates().expect("a test says they parse");
        let template = known.iter().find(|form| form.name == "tax-return").expect("it is known");
        let pages: Vec<Vec<Entry>> = (0..200)
            .map(|seed| draw_values(template, 0.0, &mut Dice::seed_from_u64(seed)).expect("its rules can be kept"))
            .collect();
        let of = |name: &str| {
            let idx = template.fields.iter().position(|field| field.name == name).expect("it is a field");
            pages.iter().map(move |page| page[idx].value.as_str())
        };
        let share = |values: &mut dyn Iterator<Item = bool>| {
            let values: Vec<bool> = values.collect();
            values.iter().filter(|is_so| **is_so).count() as f64 / values.len() as f64
        };
        for year in ["2018", "2021", "2025"] {
            assert!((0.05..0.25).contains(&share(&mut of("tax_year").map(|value| value == year))), "{year}");
        }
        assert!(share(&mut of("dependents").map(|value| value.len() == 1)) > 0.6);
        let wages: Vec<f64> = of("line01_wages").map(|value| value.parse().expect("it is a number")).collect();
        assert!((0.2..0.7).contains(&share(&mut wages.iter().map(|wage| wage.fract() == 0.0))));
        assert!(share(&mut wages.iter().map(|wage| (1e3..1e5).contains(wage))) > 0.5);
        let mut counts = [0.0; 10];
        for digit in pages.iter().flatten().flat_map(|entry| entry.digits.bytes()) {
            counts[usize::from(digit - b'0')] += 1.0;
        }
        let all: f64 = counts.iter().sum();
        assert!(counts.iter().all(|count| (0.06..0.25).contains(&(count / all))), "{counts:?} of {all}");
    }

    #[test]
    fn canonical_number_has_no_leading_zeros_and_a_point() {
        struct Case(&'static str, &'static str, &'static str);
        let head = "name = \"t\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"f\"\n";
        for Case(kind, digits, value) in [
            Case("kind = \"integer\"", "0042", "42"),
            Case("kind = \"integer\"", "0", "0"),
            Case("kind = \"amount\"", "1234", "12.34"),
            Case("kind = \"amount\"", "005", "0.05"),
            Case("kind = \"amount\"\ndecimals = 0", "70", "70"),
        ] {
            let template = parse_template(&format!("{head}{kind}")).expect("it is well formed");
            assert_eq!(canonical_number(&template.fields[0], digits), value);
        }
    }

    #[test]
    fn drawn_value_passes_the_checks_of_its_field() {
        let form = |kind: &str, keys: &str| {
            let head =
                "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"f\"\nbox = [10, 10, 50, 10]\n";
            parse_template(&format!("{head}kind = \"{kind}\"\n{keys}")).expect("it is well formed")
        };
        for (kind, keys) in [
            ("integer", "range = [2019, 2031]"),
            ("integer", "range = [-3, 12]\nsigned = true"),
            ("amount", "range = [0.5, 3]\nrequired = true"),
            ("code", "allowed = [\"04\", \"017\"]"),
            ("amount", "allowed = [\"12.50\", \"3.00\"]"),
            ("date", "order = \"dmy\"\nallowed = [\"2019-04-17\"]"),
            ("code", "check_digit = \"mod97\"\ndigits = 9"),
            ("code", "check_digit = \"mod11\"\ndigits = [5, 10]"),
        ] {
            let template = form(kind, keys);
            for seed in 0..20 {
                let entries = draw_values(&template, 0.3, &mut Dice::seed_from_u64(seed)).expect(keys);
                let (field, entry) = (&template.fields[0], &entries[0]);
                assert!(!entry.value.is_empty() || !field.checks.is_required, "{keys}");
                assert!(
                    entry.value.is_empty() || field.checks.failed_check(&entry.value).is_none(),
                    "{keys}: {entry:?}"
                );
            }
        }
        let template = form("code", "digits = 1\ncheck_digit = \"mod97\"");
        let error = draw_values(&template, 0.0, &mut Dice::seed_from_u64(1)).err();
        assert!(error.is_none_or(|error| error.to_string().contains("checks of the field: f")));
    }

    #[test]
    fn contradictory_rules_are_an_error() {
        let text = "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\nrules = [\"a > 20\", \"a < 10\"]\n[[field]]\n\
                    name = \"a\"\nkind = \"integer\"\nbox = [10, 10, 50, 10]\n";
        let template = parse_template(text).expect("it is well formed");
        let error = draw_values(&template, 0.0, &mut Dice::seed_from_u64(1)).expect_err("no number is both");
        assert!(error.to_string().contains("keep the rule: a "), "{error}");
    }
}
