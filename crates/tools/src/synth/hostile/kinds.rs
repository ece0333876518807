//! The kinds of hostile writing.

/// A kind of hostile writing: what people write on forms besides the expected digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostileKind {
    /// A minus before a number: `-150`.
    Minus,
    /// A minus behind a number: `159-`.
    TrailingMinus,
    /// A point or comma in a whole number: `12.50`.
    Point,
    /// A point or comma before the digits: `,59`.
    LeadingPoint,
    /// Two numbers with a slash: `5/34`.
    Slash,
    /// Two numbers with a dash: `7-8`.
    DashBetween,
    /// Two numbers with a colon: `10:30`.
    Colon,
    /// Two numbers with a wide gap: `12 15`.
    Space,
    /// A sign of comparison before a number: `~480`, `>100`, `<5`, `=984`.
    Relation,
    /// A cross before a number: `x4`.
    CrossBefore,
    /// A Roman numeral: `IX`.
    Roman,
    /// A number in parentheses: `(150)`.
    Parentheses,
    /// A number with a currency sign before it or a percent sign behind it: `$12`, `12%`.
    CurrencyPercent,
    /// Letters, alone or behind a number: `12kg`, `abc`.
    Letters,
    /// Ditto marks.
    Ditto,
    /// A slash or a long dash for "nothing".
    SlashForNil,
    /// A number struck out by one or two lines.
    StruckOut,
    /// A number scribbled over.
    Scribble,
    /// A blot of ink over a digit.
    Blot,
    /// A number that runs over the right side of the frame.
    Overflow,
    /// A number with a ring around it.
    Circled,
    /// A number beside a blank field.
    Beside,
    /// A number above or below a blank field.
    Between,
    /// A tick beside a blank mark field.
    TickBeside,
    /// A straight line of pen through several fields.
    VoidLine,
    /// A thin vertical line, as a dirty scanner leaves it.
    Streak,
    /// A large ring of pen.
    Ring,
    /// A word in free space, or running into a field.
    Word,
    /// A rubber stamp.
    Stamp,
    /// A bright or dark area without edges.
    Glare,
}

impl HostileKind {
    /// Every kind: those of one field first, then those of the page.
    pub const ALL: [Self; 30] = [
        Self::Minus,
        Self::TrailingMinus,
        Self::Point,
        Self::LeadingPoint,
        Self::Slash,
        Self::DashBetween,
        Self::Colon,
        Self::Space,
        Self::Relation,
        Self::CrossBefore,
        Self::Roman,
        Self::Parentheses,
        Self::CurrencyPercent,
        Self::Letters,
        Self::Ditto,
        Self::SlashForNil,
        Self::StruckOut,
        Self::Scribble,
        Self::Blot,
        Self::Overflow,
        Self::Circled,
        Self::Beside,
        Self::Between,
        Self::TickBeside,
        Self::VoidLine,
        Self::Streak,
        Self::Ring,
        Self::Word,
        Self::Stamp,
        Self::Glare,
    ];

    /// Its name in options and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minus => "minus",
            Self::TrailingMinus => "trailing-minus",
            Self::Point => "point",
            Self::LeadingPoint => "leading-point",
            Self::Slash => "slash",
            Self::DashBetween => "dash-between",
            Self::Colon => "colon",
            Self::Space => "space",
            Self::Relation => "relation",
            Self::CrossBefore => "cross-before",
            Self::Roman => "roman",
            Self::Parentheses => "parentheses",
            Self::CurrencyPercent => "currency-percent",
            Self::Letters => "letters",
            Self::Ditto => "ditto",
            Self::SlashForNil => "slash-for-nil",
            Self::StruckOut => "struck-out",
            Self::Scribble => "scribble",
            Self::Blot => "blot",
            Self::Overflow => "overflow",
            Self::Circled => "circled",
            Self::Beside => "beside",
            Self::Between => "between",
            Self::TickBeside => "tick-beside",
            Self::VoidLine => "void-line",
            Self::Streak => "streak",
            Self::Ring => "ring",
            Self::Word => "word",
            Self::Stamp => "stamp",
            Self::Glare => "glare",
        }
    }

    /// The kind with the name `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it is drawn over the page. The others are drawn in or beside one field.
    pub fn is_page_wide(self) -> bool {
        self >= Self::VoidLine
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostileKinds(u32);

impl HostileKinds {
    /// Every kind.
    pub const ALL: Self = Self((1 << HostileKind::ALL.len()) - 1);

    /// Whether `kind` is in the set.
    pub fn contains(self, kind: HostileKind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Whether the set has no kind.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<HostileKind> for HostileKinds {
    fn from_iter<I: IntoIterator<Item = HostileKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |set, kind| set | 1 << kind as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_in_the_full_set() {
        for kind in HostileKind::ALL {
            assert_eq!(HostileKind::from_name(kind.as_str()), Some(kind));
            assert!(HostileKinds::ALL.contains(kind));
        }
        assert_eq!(HostileKind::from_name("smudge"), None);
        assert_eq!(HostileKinds::from_iter(HostileKind::ALL), HostileKinds::ALL);
        let two = HostileKinds::from_iter([HostileKind::Blot, HostileKind::Glare]);
        let found: Vec<_> = HostileKind::ALL.into_iter().filter(|kind| two.contains(*kind)).collect();
        assert_eq!(found, [HostileKind::Blot, HostileKind::Glare]);
        assert!(HostileKinds::from_iter([]).is_empty() && !two.is_empty());
    }
}
