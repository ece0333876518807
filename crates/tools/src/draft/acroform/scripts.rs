//! Parses the few scripts that form editors generate. No script is ever run.
//!
//! The script of a field (ISO 32000-1, 12.6.4.16) may be any JavaScript. For formats and sums, editors generate the same calls
//! of built-in functions, or a comment with the formula of their dialogue. A script that is one such call and nothing else
//! is understood; any other is ignored.

use formread_core::form::DateOrder;

/// Largest number of decimals of an amount.
const MAX_DECIMALS: f64 = 4.0;
/// The patterns that `AFDate_Format` refers to by number.
const DATE_PATTERNS: [&str; 14] = [
    "m/d",
    "m/d/yy",
    "mm/dd/yy",
    "mm/yy",
    "d-mmm",
    "d-mmm-yy",
    "dd-mmm-yy",
    "yy-mm-dd",
    "mmm-yy",
    "mmmm-yy",
    "mmm d, yyyy",
    "mmmm d, yyyy",
    "m/d/yy h:MM tt",
    "m/d/yy HH:MM",
];

/// What a field contains, from its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A number with this many digits after the point, 0 to 4.
    Number { decimals: usize },
    /// A date in digits.
    Date(DateOrder),
}

/// A field in a sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// Its full name, parts joined by points.
    pub name: String,
    /// Whether it is subtracted.
    pub is_minus: bool,
}

/// The format that a script for formatting or keystrokes declares.
pub(super) fn parse_format(script: &str) -> Option<Format> {
    let Call { name, args } = Call::parse(script)?;
    match (name, &args[..]) {
        ("AFNumber_Format" | "AFNumber_Keystroke", [Arg::Number(n), ..]) => {
            let is_count = n.fract() == 0.0 && (0.0..=MAX_DECIMALS).contains(n);
            is_count.then_some(Format::Number { decimals: *n as usize })
        }
        ("AFDate_FormatEx" | "AFDate_KeystrokeEx", [Arg::Text(pattern), ..]) => date_order(pattern).map(Format::Date),
        ("AFDate_Format" | "AFDate_Keystroke", [Arg::Number(n), ..]) => {
            let pattern = DATE_PATTERNS.iter().enumerate().find(|(idx, _)| *idx as f64 == *n)?.1;
            date_order(pattern).map(Format::Date)
        }
        _ => None,
    }
}

/// The terms of the sum that a calculation script computes; `None` if it does anything else.
pub(super) fn parse_sum(script: &str) -> Option<Vec<Term>> {
    if let Some(terms) = parse_dialogue_sum(script) {
        return Some(terms);
    }
    let Call { name: "AFSimple_Calculate", args } = Call::parse(script)? else { return None };
    let names = match &args[..] {
        [Arg::Text(function), Arg::List(names)] if function == "SUM" => names.clone(),
        [Arg::Text(function), Arg::Text(names)] if function == "SUM" => {
            names.split(',').map(|name| name.trim().to_owned()).collect()
        }
        _ => return None,
    };
    (!names.is_empty()).then(|| names.into_iter().map(|name| Term { name, is_minus: false }).collect())
}

/// The order of day, month and year; `None` unless the pattern has all three, in digits, and nothing else.
fn date_order(pattern: &str) -> Option<DateOrder> {
    let runs = pattern.as_bytes().chunk_by(|a, b| a == b).filter(|run| run[0].is_ascii_alphabetic());
    match runs.collect::<Vec<_>>()[..] {
        [b"d" | b"dd", b"m" | b"mm", b"yy" | b"yyyy"] => Some(DateOrder::DayMonthYear),
        [b"m" | b"mm", b"d" | b"dd", b"yy" | b"yyyy"] => Some(DateOrder::MonthDayYear),
        [b"yy" | b"yyyy", b"m" | b"mm", b"d" | b"dd"] => Some(DateOrder::YearMonthDay),
        _ => None,
    }
}

/// Parses `/** BVCALC total - part\ one EVCALC **/`, the formula of an editor's dialogue.
fn parse_dialogue_sum(script: &str) -> Option<Vec<Term>> {
    let notation = script.trim_start().strip_prefix("/**")?.trim_start().strip_prefix("BVCALC")?;
    let mut chars = notation.split_once("EVCALC")?.0.trim().chars();
    let mut terms = vec![Term { name: String::new(), is_minus: false }];
    let mut is_ended = false;
    while let Some(c) = chars.next() {
        let term = terms.last_mut()?;
        match c {
            '+' | '-' if term.name.is_empty() => return None,
            '+' | '-' => {
                terms.push(Term { name: String::new(), is_minus: c == '-' });
                is_ended = false;
            }
            '*' | '/' | '(' | ')' => return None,
            _ if c.is_whitespace() => is_ended = !term.name.is_empty(),
            _ if is_ended => return None,
            '\\' => term.name.push(chars.next()?),
            _ => term.name.push(c),
        }
    }
    let is_field = |term: &Term| !term.name.is_empty() && term.name.parse::<f64>().is_err();
    terms.iter().all(is_field).then_some(terms)
}

/// A script that calls one function.
struct Call<'a> {
    name: &'a str,
    args: Vec<Arg>,
}

enum Arg {
    Number(f64),
    Text(String),
    /// An array of texts.
    List(Vec<String>),
    /// `true` and the like.
    Word,
}

impl<'a> Call<'a> {
    /// `None` if the script is anything else.
    fn parse(script: &'a str) -> Option<Self> {
        let mut rest = Rest(script);
        let name = rest.word()?;
        if !rest.skip("(") {
            return None;
        }
        let args = rest.separated(")", Rest::arg)?;
        while rest.skip(";") {}
        rest.0.trim().is_empty().then_some(Self { name, args })
    }
}

/// The unparsed rest of a script.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    /// Skips `sign` if it is next; returns whether it was.
    fn skip(&mut self, sign: &str) -> bool {
        let rest = self.0.trim_start().strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn word(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let is_word = rest.starts_with(|c: char| c.is_ascii_alphabetic());
        self.0 = if is_word { &rest[length..] } else { rest };
        is_word.then(|| &rest[..length])
    }

    /// Items separated by commas, up to and including `end`.
    fn separated<T>(&mut self, end: &str, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        while !self.skip(end) {
            if !items.is_empty() && !self.skip(",") {
                return None;
            }
            items.push(item(self)?);
        }
        Some(items)
    }

    fn arg(&mut self) -> Option<Arg> {
        let rest = self.0.trim_start();
        if rest.starts_with(['"', '\'']) {
            return self.text().map(Arg::Text);
        }
        if self.skip("[") {
            return self.separated("]", Self::text).map(Arg::List);
        }
        match self.word() {
            Some("new") => (self.word()? == "Array" && self.skip("("))
                .then(|| self.separated(")", Self::text))
                .flatten()
                .map(Arg::List),
            Some(_) => Some(Arg::Word),
            None => {
                let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(rest.len());
                self.0 = &rest[length..];
                rest[..length].parse().ok().map(Arg::Number)
            }
        }
    }

    /// A text in single or double quotes.
    fn text(&mut self) -> Option<String> {
        let rest = self.0.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let mut text = String::new();
        let mut chars = rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.push(chars.next()?.1),
                _ if c == quote => {
                    self.0 = &rest[at + 2..];
                    return Some(text);
                }
                _ => text.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_format_calls_give_format_and_others_none() {
        let date = |order| Some(Format::Date(order));
        for (script, expected) in [
            ("AFNumber_Format(2, 0, 0, 0, \"\", true);", Some(Format::Number { decimals: 2 })),
            ("\n AFNumber_Keystroke( 0 ,1,'x)',true,[\"a\"] )", Some(Format::Number { decimals: 0 })),
            ("AFNumber_Format(9, 0, 0, 0, \"\", true);", None),
            ("AFNumber_Format(-1)", None),
            ("AFNumber_Format(1.5)", None),
            ("AFNumber_Format(2); event.value *= 100;", None),
            ("AFNumber_Format(2", None),
            ("AFNumber_Format()", None),
            ("if (x) AFNumber_Format(2)", None),
            ("AFPercent_Format(2, 0)", None),
            ("AFDate_FormatEx(\"mm/dd/yyyy\");", date(DateOrder::MonthDayYear)),
            ("AFDate_FormatEx(\"ddmmyy\");", date(DateOrder::DayMonthYear)),
            ("AFDate_KeystrokeEx('yyyy-mm-dd')", date(DateOrder::YearMonthDay)),
            ("AFDate_FormatEx(\"dd mmm yyyy\")", None),
            ("AFDate_FormatEx(\"mm/yyyy\")", None),
            ("AFDate_FormatEx(\"mm/dd/yyyy HH:MM\")", None),
            ("AFDate_Format(2)", date(DateOrder::MonthDayYear)),
            ("AFDate_Format(7)", date(DateOrder::YearMonthDay)),
            ("AFDate_Format(99)", None),
            ("", None),
        ] {
            assert_eq!(parse_format(script), expected, "{script}");
        }
    }

    #[test]
    fn sums_are_parsed_and_other_calculations_are_not() {
        let terms = |script: &str| {
            let signed = |term: Term| format!("{}{}", if term.is_minus { '-' } else { '+' }, term.name);
            parse_sum(script).map(|terms| terms.into_iter().map(signed).collect::<Vec<_>>().join(" "))
        };
        for (script, expected) in [
            ("AFSimple_Calculate(\"SUM\", new Array (\"a\", \"b.c\"));", Some("+a +b.c")),
            ("AFSimple_Calculate('SUM', ['it\\'s', \"\\\"\"])", Some("+it's +\"")),
            ("AFSimple_Calculate(\"SUM\", \"a , b\");", Some("+a +b")),
            ("AFSimple_Calculate(\"PRD\", new Array(\"a\", \"b\"));", None),
            ("AFSimple_Calculate(\"SUM\", new Array());", None),
            ("AFSimple_Calculate(\"SUM\", new Object(\"a\"));", None),
            ("AFSimple_Calculate(\"SUM\", new Array(\"a\" \"b\"));", None),
            ("AFSimple_Calculate(\"SUM\", new Array(\"a\", \"b\")); event.value = 2 * event.value;", None),
            ("/** BVCALC a - b\\ c+ d.e EVCALC **/ event.value = 1;", Some("+a -b c +d.e")),
            ("/** BVCALC a * b EVCALC **/", None),
            ("/** BVCALC a + 5 EVCALC **/", None),
            ("/** BVCALC a b EVCALC **/", None),
            ("/** BVCALC a + EVCALC **/", None),
            ("/** BVCALC - a EVCALC **/", None),
            ("/** BVCALC a\\", None),
        ] {
            assert_eq!(terms(script).as_deref(), expected, "{script}");
        }
    }
}
