//! Which signs a number of a field's kind may have beside its digits.

use crate::{
    form::{Field, FieldKind, Filler},
    scores::Sign,
    segment::Lattice,
};

/// The character in a text for what cannot be read.
pub(super) const UNREADABLE: char = '?';

/// A set of signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignSet(u32);

impl SignSet {
    /// No sign.
    pub const NONE: Self = Self(0);

    /// All signs.
    pub const ALL: Self = Self::of(&Sign::ALL);

    /// These signs.
    pub const fn of(signs: &[Sign]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < signs.len() {
            bits |= 1 << signs[i] as u32;
            i += 1;
        }
        Self(bits)
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a sign is one of them.
    pub fn contains(self, sign: Sign) -> bool {
        self.0 & 1 << sign as u32 != 0
    }

    /// Its signs, in the order of [`Sign::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Sign> {
        Sign::ALL.into_iter().filter(move |sign| self.contains(*sign))
    }
}

/// What sets off thousands and decimals.
const SEPARATORS: SignSet = SignSet::of(&[Sign::Point, Sign::Comma, Sign::Apostrophe]);

/// What a negative number has before, behind or around it, and a positive one before it.
const POLARITY: SignSet = SignSet::of(&[Sign::Dash, Sign::Plus, Sign::Opening, Sign::Closing]);

/// What parts the numbers of a date.
const OF_DATE: SignSet = SignSet::of(&[Sign::Point, Sign::Comma, Sign::Slash, Sign::Dash]);

/// The signs that a number of this kind may have. Where they are and what they mean is read from the ink, in `lattice`.
pub(super) fn allowed(field: &Field, lattice: &Lattice) -> SignSet {
    if field.ignores_punctuation {
        return SignSet::ALL;
    }
    let mut signs = match field.kind {
        FieldKind::Amount { decimals, .. } if decimals > 0 => SEPARATORS,
        FieldKind::Date { .. } => OF_DATE,
        FieldKind::Integer
        | FieldKind::Amount { .. }
        | FieldKind::Code
        | FieldKind::Mark { .. }
        | FieldKind::Choice { .. } => SignSet::NONE,
    };
    if field.is_signed {
        signs = signs.with(POLARITY);
    }
    if lattice.signs.ends_in_dash {
        signs = signs.with(SignSet::of(&[Sign::Dash, Sign::Equals]));
    }
    for filler in &field.fillers {
        signs = signs.with(match filler {
            Filler::Cross => SignSet::of(&[Sign::Cross]),
            Filler::Dash => SignSet::of(&[Sign::Dash]),
        });
    }
    signs
}

/// Whether the signs of a text, all of them allowed for its kind, are where such a number has them: what says that it is negative
/// is before its first digit or behind its last one. In a date, every sign may be anywhere.
pub(super) fn fits(field: &Field, text: &str) -> bool {
    if matches!(field.kind, FieldKind::Date { .. }) {
        return true;
    }
    let is_digit = |c: char| c.is_ascii_digit();
    let Some((first, last)) = text.find(is_digit).zip(text.rfind(is_digit)) else { return true };
    !text[first..last].chars().any(|c| Sign::of(c).is_some_and(|sign| POLARITY.contains(sign)))
}

/// A text as a person reads it: signs that stand for many, such as a letter, are `?`.
pub(super) fn as_written(text: &str) -> String {
    let readable = |character: char| match Sign::of(character) {
        Some(Sign::Letter | Sign::Tick) => UNREADABLE,
        _ => character,
    };
    text.chars().map(readable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{form::parse_template, segment::Signs};

    fn field(keys: &str) -> Field {
        let text = format!(
            "name = \"f\"\ntitle = \"t\"\npage = [210, 297]\nlines = [[10, 10, 200, 10], [10, 280, 200, 280], [10, 10, 10, 280]]\n\
             [[field]]\nname = \"a\"\nbox = [20, 20, 60, 9]\n{keys}"
        );
        parse_template(&text).unwrap_or_else(|error| panic!("{error}")).fields.remove(0)
    }

    #[test]
    fn each_kind_has_its_signs() {
        let signs =
            |keys: &str| -> String { allowed(&field(keys), &Lattice::default()).iter().map(Sign::character).collect() };
        assert_eq!(signs("kind = \"integer\"\ndigits = [1, 7]"), "");
        assert_eq!(signs("kind = \"integer\"\ndigits = [1, 7]\nsigned = true"), "-+()");
        assert_eq!(signs("kind = \"amount\"\ndigits = [1, 7]"), ".,'");
        assert_eq!(signs("kind = \"amount\"\ndigits = [1, 7]\ndecimals = 0"), "");
        assert_eq!(signs("kind = \"date\"\norder = \"dmy\""), ".,/-");
        assert_eq!(signs("kind = \"integer\"\ndigits = [1, 7]\nfillers = [\"cross\"]"), "x");
        assert_eq!(signs("kind = \"integer\"\ndigits = [1, 7]\nignore_punctuation = true").len(), Sign::ALL.len());
        let lattice = Lattice { signs: Signs { ends_in_dash: true, ..Signs::default() }, ..Lattice::default() };
        let with_dash = allowed(&field("kind = \"amount\"\ndigits = [1, 7]"), &lattice);
        assert!(with_dash.iter().any(|sign| sign == Sign::Dash));
    }

    #[test]
    fn minus_stands_before_or_behind_the_digits() {
        let signed = field("kind = \"amount\"\ndigits = [1, 7]\nsigned = true");
        for (text, is_number) in [("-12.50", true), ("12.50-", true), ("(1.250)", true), ("3-4", false), ("7+2", false)]
        {
            assert_eq!(fits(&signed, text), is_number, "{text}");
        }
        assert!(fits(&field("kind = \"date\"\norder = \"dmy\""), "1-2-26"));
    }

    #[test]
    fn letters_are_unreadable_and_slashes_are_written() {
        assert_eq!(as_written("5/34"), "5/34");
        assert_eq!(as_written("12AA"), "12??");
    }
}
