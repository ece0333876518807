//! What hostile writing in a field says, and the truth of such a field.

use rand::RngExt;

use super::HostileKind;
use crate::synth::{
    Dice,
    values::{Entry, decimals_of, entry_of_digits, min_digits, plain},
};
use formread_core::form::{DecimalPoint, Field, FieldKind, FieldLayout, Filler};

/// The truth of a field that must not be accepted, whatever the guess, nor as blank.
pub(super) const NO_VALUE: &str = "!";
/// Maximum number of digits of a number drawn for a field that has none.
const MAX_NEW_DIGITS: usize = 4;
/// Words and units, with the letters that have shapes; none that alone looks like a digit.
const UNITS: [&str; 9] = ["kg", "cm", "m", "h", "km", "fr", "st", "d", "ca"];
const WORDS: [&str; 10] = ["nil", "none", "abc", "no", "void", "see", "ok", "na", "tbc", "zero"];
const ROMAN: [&str; 9] = ["IX", "IV", "VII", "VI", "XII", "VIII", "XI", "XIV", "V"];

/// A field in which somebody writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub field: &'a Field,
    /// What the field would have without hostile writing.
    pub entry: &'a Entry,
    /// Maximum number of characters that fit in it.
    pub max_chars: usize,
    /// Whether the writer writes points in amounts.
    pub writes_points: bool,
}

impl Target<'_> {
    fn is_box(&self) -> bool {
        matches!(self.field.layout, FieldLayout::Box { .. })
    }

    fn is_number(&self) -> bool {
        matches!(self.field.kind, FieldKind::Integer | FieldKind::Amount { .. })
    }

    fn has_filler(&self, filler: Filler) -> bool {
        self.field.fillers.contains(&filler)
    }

    /// Whether `kind` is hostile in this field, whatever its room.
    fn suits(&self, kind: HostileKind) -> bool {
        use HostileKind as K;
        let is_integer = self.field.kind == FieldKind::Integer;
        let is_code = self.field.kind == FieldKind::Code;
        let has_signs = !self.field.ignores_punctuation;
        let (dash, cross) = (self.has_filler(Filler::Dash), self.has_filler(Filler::Cross));
        match kind {
            K::Minus | K::DashBetween => self.is_number() && has_signs && !dash,
            // a sign in the cells of the decimals is a dash in their place
            K::TrailingMinus | K::Parentheses if !self.is_box() && !is_integer => false,
            K::TrailingMinus => self.is_number() && has_signs && !dash,
            K::Parentheses | K::Colon | K::CurrencyPercent => self.is_number() && has_signs,
            K::Point => is_integer && self.is_box() && has_signs,
            K::LeadingPoint => self.is_number() && self.is_box() && has_signs,
            K::Slash | K::Relation | K::Letters => (self.is_number() || is_code) && has_signs,
            K::CrossBefore | K::Roman => (self.is_number() || is_code) && !cross,
            K::Space => is_integer,
            K::Ditto => has_signs,
            _ => false,
        }
    }

    /// Digits of a number for this field that leave room for `n_signs` characters: its own, or new ones if it is blank or
    /// zero or has no room.
    fn digits(&self, n_signs: usize, dice: &mut Dice) -> Option<String> {
        let max = self.max_chars.checked_sub(n_signs)?.min(self.field.digits.max);
        let own: String = match self.is_number() {
            true => self.entry.value.chars().filter(char::is_ascii_digit).collect(),
            false => self.entry.digits.clone(),
        };
        if own.len() <= max && own.bytes().any(|digit| digit != b'0') {
            return Some(own);
        }
        let low = if self.is_number() { min_digits(self.field) } else { 1 }.max(self.field.digits.min);
        let high = max.min(MAX_NEW_DIGITS + decimals_of(self.field));
        (low <= high).then(|| random_number(dice.random_range(low..=high), dice))
    }

    /// `digits` as people write them in this field, with a decimal point where they write one.
    fn spell(&self, digits: &str, dice: &mut Dice) -> String {
        let FieldKind::Amount { decimals: decimals @ 1.., point } = self.field.kind else { return digits.to_owned() };
        let has_point = self.is_box() && (point == DecimalPoint::Written || self.writes_points);
        if !has_point || digits.len() < decimals {
            return digits.to_owned();
        }
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        format!("{whole}{}{fraction}", point_sign(dice))
    }

    fn value(&self, digits: &str, is_negative: bool) -> String {
        entry_of_digits(self.field, digits, is_negative).value
    }
}

/// The number of a field that is written over: its own, or a new one if it is blank. `None` for a blank date or mark.
pub(super) fn own_entry(target: &Target<'_>, dice: &mut Dice) -> Option<Entry> {
    if !target.entry.digits.is_empty() {
        return Some(target.entry.clone());
    }
    match target.field.kind {
        FieldKind::Date { .. } | FieldKind::Mark { .. } | FieldKind::Choice { .. } => None,
        FieldKind::Code => target.digits(0, dice).map(|digits| plain(digits.clone(), digits)),
        _ => target.digits(0, dice).map(|digits| entry_of_digits(target.field, &digits, false)),
    }
}

/// A number that runs over the right side of the frame, and its truth: its value if the field allows that many digits.
pub(super) fn overflow_text(target: &Target<'_>, dice: &mut Dice) -> Option<(String, String)> {
    let max = target.field.digits.max;
    if !(target.is_number() || target.field.kind == FieldKind::Code) || max < 2 {
        return None;
    }
    let n_digits = match &target.field.layout {
        FieldLayout::Comb { .. } => max + dice.random_range(2..=3),
        FieldLayout::Box { .. } if dice.random_bool(0.5) => max + dice.random_range(1..=2),
        FieldLayout::Box { .. } => dice.random_range(max.min(3).max(min_digits(target.field))..=max),
    };
    let digits = random_number(n_digits, dice);
    let is_legal = (target.field.digits.min..=max).contains(&n_digits);
    let truth = match target.field.kind {
        _ if !is_legal => NO_VALUE.to_owned(),
        FieldKind::Code => digits.clone(),
        _ => target.value(&digits, false),
    };
    Some((target.spell(&digits, dice), truth))
}

/// What somebody writes for `kind` in `target`, and the truth of the field then; `None` where the kind does not suit it.
pub(super) fn hostile_text(kind: HostileKind, target: &Target<'_>, dice: &mut Dice) -> Option<(String, String)> {
    use HostileKind as K;
    if !target.suits(kind) {
        return None;
    }
    let field = target.field;
    let refused = |text: String| Some((text, NO_VALUE.to_owned()));
    let negative = |text: String, digits: &str| {
        Some((text, if field.is_signed { target.value(digits, true) } else { NO_VALUE.to_owned() }))
    };
    let (text, truth) = match kind {
        K::Minus | K::TrailingMinus | K::Parentheses => {
            let digits = target.digits(if kind == K::Parentheses { 2 } else { 1 }, dice)?;
            let spelt = target.spell(&digits, dice);
            let text = match kind {
                K::Minus => format!("-{spelt}"),
                K::TrailingMinus => format!("{spelt}-"),
                _ => format!("({spelt})"),
            };
            negative(text, &digits)
        }
        K::Point => {
            let fraction = match dice.random_range(0..3) {
                0 => "5".to_owned(),
                1 => "50".to_owned(),
                _ => random_digits(dice.random_range(1..=2), dice),
            };
            refused(format!("{}{}{fraction}", random_number(dice.random_range(1..=3), dice), point_sign(dice)))
        }
        K::LeadingPoint => {
            let (decimals, is_amount) = (decimals_of(field), decimals_of(field) > 0);
            let fraction = random_number(if is_amount { decimals } else { 2 }, dice);
            let truth = if is_amount { target.value(&format!("0{fraction}"), false) } else { NO_VALUE.to_owned() };
            Some((format!("{}{fraction}", point_sign(dice)), truth))
        }
        K::Slash | K::DashBetween | K::Space => {
            let sign = match kind {
                K::Slash => '/',
                K::DashBetween => '-',
                _ => ' ',
            };
            // three digits behind a space would be thousands
            let max = if target.max_chars < 5 { 1 } else { 2 };
            let mut number = || random_number(dice.random_range(1..=max), dice);
            refused(format!("{}{sign}{}", number(), number()))
        }
        K::Colon => refused(format!("{}:{:02}", dice.random_range(1..24), 5 * dice.random_range(0..12))),
        K::Relation => {
            let digits = target.digits(1, dice)?;
            let sign = ["~", ">", "<", "="][dice.random_range(0..4)];
            refused(format!("{sign}{}", target.spell(&digits, dice)))
        }
        K::CrossBefore => {
            let cross = if dice.random_bool(0.7) { 'x' } else { 'X' };
            refused(format!("{cross}{}", random_number(dice.random_range(1..=2), dice)))
        }
        K::Roman => refused(ROMAN[dice.random_range(0..ROMAN.len())].to_owned()),
        K::CurrencyPercent => {
            let digits = target.digits(1, dice)?;
            let spelt = target.spell(&digits, dice);
            match dice.random_range(0..3) {
                0 => refused(format!("{spelt}%")),
                currency => {
                    let text = format!("{}{spelt}", if currency == 1 { '$' } else { '€' });
                    let is_amount = matches!(field.kind, FieldKind::Amount { .. });
                    Some((text, if is_amount { target.value(&digits, false) } else { NO_VALUE.to_owned() }))
                }
            }
        }
        K::Letters if dice.random_bool(0.5) => {
            let unit = UNITS[dice.random_range(0..UNITS.len())];
            refused(format!("{}{unit}", random_number(dice.random_range(1..=3), dice)))
        }
        K::Letters => refused(WORDS[dice.random_range(0..WORDS.len())].to_owned()),
        K::Ditto if target.is_box() => refused(["\"", "\"", "-\"-", "\"\""][dice.random_range(0..4)].to_owned()),
        K::Ditto => refused("\"".repeat(if dice.random_bool(0.6) { 1 } else { target.max_chars })),
        _ => None,
    }?;
    (text.chars().count() <= target.max_chars).then_some((text, truth))
}

fn point_sign(dice: &mut Dice) -> char {
    if dice.random_bool(0.5) { '.' } else { ',' }
}

fn random_digits(n_digits: usize, dice: &mut Dice) -> String {
    (0..n_digits).map(|_| char::from(b'0' + dice.random_range(0..10u8))).collect()
}

/// `n_digits` random digits, of which the first is not zero.
pub(super) fn random_number(n_digits: usize, dice: &mut Dice) -> String {
    let first = char::from(b'1' + dice.random_range(0..9u8));
    std::iter::once(first).chain(random_digits(n_digits.saturating_sub(1), dice).chars()).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use formread_core::form::parse_template;

    fn field(keys: &str) -> Field {
        let text = format!("name = \"f\"\ntitle = \"t\"\npage = [100, 80]\n[[field]]\nname = \"a\"\n{keys}\n");
        parse_template(&text).expect("it is well formed").fields.remove(0)
    }

    const COUNT: &str = "kind = \"integer\"\ndigits = [1, 7]\nbox = [10, 10, 64, 9]";
    const SIGNED: &str = "kind = \"integer\"\nsigned = true\ndigits = [1, 7]\nbox = [10, 10, 64, 9]";
    const AMOUNT: &str = "kind = \"amount\"\npoint = \"written\"\ndigits = [1, 7]\nbox = [10, 10, 64, 9]";
    const CELLS: &str = "kind = \"integer\"\nfillers = [\"cross\", \"dash\"]\n\
                         comb = { at = [10, 10], cell = [6, 8], groups = [3] }";

    #[test]
    fn text_and_truth_follow_the_kind_of_the_field() {
        use HostileKind as K;
        struct Case {
            field: &'static str,
            kind: HostileKind,
            /// Texts that may be written, with the truth; `#` is any digit.
            expected: &'static [(&'static str, &'static str)],
        }
        let cases = [
            Case { field: COUNT, kind: K::Minus, expected: &[("-150", "!")] },
            Case { field: SIGNED, kind: K::Minus, expected: &[("-150", "-150")] },
            Case { field: AMOUNT, kind: K::Minus, expected: &[("-1.50", "!"), ("-1,50", "!")] },
            Case { field: CELLS, kind: K::Minus, expected: &[] },
            Case { field: COUNT, kind: K::TrailingMinus, expected: &[("150-", "!")] },
            Case { field: SIGNED, kind: K::TrailingMinus, expected: &[("150-", "-150")] },
            Case { field: COUNT, kind: K::Parentheses, expected: &[("(150)", "!")] },
            Case { field: SIGNED, kind: K::Parentheses, expected: &[("(150)", "-150")] },
            Case { field: AMOUNT, kind: K::Point, expected: &[] },
            Case { field: COUNT, kind: K::LeadingPoint, expected: &[(",##", "!"), (".##", "!")] },
            Case {
                field: COUNT,
                kind: K::Slash,
                expected: &[("#/#", "!"), ("#/##", "!"), ("##/#", "!"), ("##/##", "!")],
            },
            Case { field: CELLS, kind: K::Slash, expected: &[("#/#", "!")] },
            Case { field: COUNT, kind: K::Colon, expected: &[("#:##", "!"), ("##:##", "!")] },
            Case { field: CELLS, kind: K::Colon, expected: &[] },
            Case { field: CELLS, kind: K::Space, expected: &[("# #", "!")] },
            Case {
                field: COUNT,
                kind: K::Relation,
                expected: &[("~150", "!"), (">150", "!"), ("<150", "!"), ("=150", "!")],
            },
            Case { field: CELLS, kind: K::CrossBefore, expected: &[] },
            Case {
                field: AMOUNT,
                kind: K::CurrencyPercent,
                expected: &[
                    ("$1.50", "1.50"),
                    ("$1,50", "1.50"),
                    ("€1.50", "1.50"),
                    ("€1,50", "1.50"),
                    ("1.50%", "!"),
                    ("1,50%", "!"),
                ],
            },
            Case { field: COUNT, kind: K::CurrencyPercent, expected: &[("$150", "!"), ("€150", "!"), ("150%", "!")] },
            Case { field: COUNT, kind: K::Blot, expected: &[] },
        ];
        for Case { field: keys, kind, expected } in cases {
            let field = field(keys);
            let entry = entry_of_digits(&field, "150", false);
            let max_chars = if keys == CELLS { 3 } else { 11 };
            let target = Target { field: &field, entry: &entry, max_chars, writes_points: false };
            for seed in 0..40 {
                let dice = &mut Dice::seed_from_u64(seed);
                let Some((text, truth)) = hostile_text(kind, &target, dice) else {
                    assert!(expected.is_empty() || keys == CELLS, "{kind:?} in {keys}");
                    continue;
                };
                let masked: String = text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
                let is_expected = expected.iter().any(|(t, v)| (*t == text || *t == masked) && *v == truth);
                assert!(is_expected, "{kind:?} in {keys}: {text} {truth}");
            }
        }
    }

    #[test]
    fn leading_point_of_an_amount_is_its_decimals() {
        let field = field(AMOUNT);
        let target = Target { field: &field, entry: &Entry::default(), max_chars: 11, writes_points: false };
        let dice = &mut Dice::seed_from_u64(1);
        let (text, truth) = hostile_text(HostileKind::LeadingPoint, &target, dice).expect("it suits");
        assert_eq!(truth, format!("0.{}", &text[1..]));
    }

    #[test]
    fn overflow_has_its_value_if_the_field_allows_its_digits() {
        let (count, cells) = (field(COUNT), field(CELLS));
        let entry = Entry::default();
        let mut n_legal = 0;
        for seed in 0..60 {
            let dice = &mut Dice::seed_from_u64(seed);
            let target = Target { field: &count, entry: &entry, max_chars: 11, writes_points: false };
            let (text, truth) = overflow_text(&target, dice).expect("it suits");
            let is_legal = text.len() <= 7;
            assert_eq!(truth, if is_legal { text } else { "!".to_owned() });
            n_legal += usize::from(is_legal);
            let (text, truth) = overflow_text(&Target { field: &cells, ..target }, dice).expect("it suits");
            assert!(truth == "!" && (5..=6).contains(&text.len()), "{text}");
        }
        assert!((15..45).contains(&n_legal), "{n_legal} of 60");
    }

    #[test]
    fn blank_field_gets_a_number_to_write_over_but_a_blank_date_does_not() {
        let dice = &mut Dice::seed_from_u64(1);
        let entry = Entry::default();
        let date = field("kind = \"date\"\norder = \"dmy\"\ncomb = { at = [10, 10], cell = [6, 8], groups = [8] }");
        for (field, is_given) in [(field(COUNT), true), (field(CELLS), true), (date, false)] {
            let target = Target { field: &field, entry: &entry, max_chars: 9, writes_points: false };
            assert_eq!(own_entry(&target, dice).is_some_and(|own| !own.value.is_empty()), is_given);
        }
    }
}
