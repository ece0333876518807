//! Words in print -> names that the fields of a template may have: `snake_case`, and each only once.

use std::collections::HashSet;

use deunicode::deunicode;

use super::captions::Caption;
use formread_core::form::RESERVED_NAMES;

/// Longest name, characters. A longer one keeps its end, which differs most.
const MAX_LENGTH: usize = 60;
/// Most words of a caption in a name, and most letters.
const MAX_WORDS: usize = 6;
const MAX_CAPTION_LENGTH: usize = 40;
/// Keywords of the rules.
const KEYWORDS: [&str; 3] = ["if", "then", "within"];
/// Words with a point after them that end no sentence.
const SHORT: [&str; 16] =
    ["no", "nr", "etc", "tel", "sch", "apt", "incl", "st", "nos", "approx", "max", "min", "ref", "inst", "e", "g"];
/// A sentence that begins so describes how to compute a value; the one after it names the value.
const HOW: [&str; 7] = ["add", "subtract", "multiply", "divide", "combine", "enter", "if"];
/// What comes before the name of a value in such a sentence.
const WHAT: [&str; 4] = ["this is your ", "these are your ", "this is the ", "this is "];
/// Words that no name ends with.
const WEAK: [&str; 20] = [
    "of", "the", "to", "a", "an", "and", "or", "from", "in", "for", "on", "at", "with", "your", "you", "is", "are",
    "by", "if", "der",
];

/// Letters and digits as words in lower case with single underscores between them. Letters of other scripts are spelled in
/// Latin ones.
pub(super) fn snake_case(text: &str) -> String {
    let text = deunicode(text);
    let mut name = String::new();
    let mut last = ' ';
    for c in text.chars() {
        let is_break = c.is_ascii_uppercase() && last.is_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            if (is_break || !last.is_ascii_alphanumeric()) && !name.is_empty() {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        }
        // it's one word
        if c != '\'' {
            last = c;
        }
    }
    name
}

/// The name that a caption gives; `None` if it has no letter.
pub(super) fn caption_name(caption: &Caption) -> Option<String> {
    let words = snake_case(key_sentence(&without_parentheses(without_item(&caption.text))));
    let mut parts: Vec<&str> = Vec::new();
    for part in words.split('_').filter(|part| !part.is_empty()) {
        let length: usize = parts.iter().map(|part| part.len() + 1).sum();
        if parts.len() == MAX_WORDS || !parts.is_empty() && length + part.len() > MAX_CAPTION_LENGTH {
            break;
        }
        parts.push(part);
    }
    while parts.len() > 1 && parts.last().is_some_and(|last| WEAK.contains(last)) {
        parts.pop();
    }
    let words = parts.join("_");
    let number = caption.number.as_deref().map(snake_case).filter(|number| !number.is_empty());
    match (number, words.bytes().any(|b| b.is_ascii_alphabetic())) {
        (Some(number), true) => Some(valid_name(&format!("line_{number}_{words}"))),
        (Some(number), false) => Some(format!("line_{number}")),
        (None, true) if words.as_bytes()[0].is_ascii_digit() => Some(valid_name(&format!("field_{words}"))),
        (None, true) => Some(valid_name(&words)),
        (None, false) => None,
    }
}

/// The text without the number of an item at its beginning: `3.`, `(3)`, `b)`, `b`.
fn without_item(text: &str) -> &str {
    let is_item = |word: &str| {
        // an article is no item
        if word.len() == 1 && word != "a" {
            return word.bytes().all(|b| b.is_ascii_lowercase());
        }
        let bare = word.trim_matches(|c: char| "().:".contains(c));
        let is_short = bare.len() <= 1 || bare.len() <= 4 && bare.starts_with(|c: char| c.is_ascii_digit());
        bare.len() < word.len() && is_short && bare.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    match text.trim_start().split_once(char::is_whitespace) {
        Some((first, rest)) if is_item(first) => rest,
        _ => text,
    }
}

/// The text without what is in parentheses, unless nothing else is in it.
fn without_parentheses(text: &str) -> String {
    let (mut outside, mut depth) = (String::new(), 0usize);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    if outside.chars().any(char::is_alphanumeric) { outside } else { text.to_owned() }
}

/// The sentence that names the value: the first one, or the one after an instruction how to compute it.
fn key_sentence(text: &str) -> &str {
    let mut sentences = sentences(text);
    let first = sentences.next().unwrap_or(text);
    let is_how = first.split_whitespace().next().is_some_and(|word| HOW.contains(&word.to_lowercase().as_str()));
    let lower = text.to_lowercase();
    let what = WHAT.iter().find_map(|what| lower.find(what).map(|at| at + what.len()));
    match what.filter(|_| is_how && lower.len() == text.len()) {
        Some(at) => self::sentences(&text[at..]).next().unwrap_or(first),
        None => first,
    }
}

/// The sentences of a text: each ends with a point after a word that is no abbreviation, or with a question mark.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let is_end = |word: &str| {
        let bare = word.trim_end_matches('.').to_lowercase();
        word.ends_with('?')
            || word.ends_with('.') && bare.len() > 1 && !bare.contains('.') && !SHORT.contains(&bare.as_str())
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let mut at = 0;
        for word in rest.split_inclusive(char::is_whitespace) {
            at += word.len();
            if is_end(word.trim_end()) {
                break;
            }
        }
        let (sentence, after) = rest.split_at(at);
        rest = after;
        (!sentence.is_empty()).then_some(sentence)
    })
}

/// The name, cut to the longest length, with a prefix if it is a number, a reserved column or a keyword.
pub(super) fn valid_name(name: &str) -> String {
    let name = name[name.len().saturating_sub(MAX_LENGTH)..].trim_matches('_');
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    match name {
        "" => "field".to_owned(),
        _ if is_number || RESERVED_NAMES.contains(&name) || KEYWORDS.contains(&name) => format!("field_{name}"),
        _ => name.to_owned(),
    }
}

/// The names, those numbered from 2 on that came before.
pub(super) fn unique(names: &[String]) -> Vec<String> {
    // a numbered name must not be the own name of another field
    let own: HashSet<&str> = names.iter().map(String::as_str).collect();
    let mut taken: HashSet<String> = HashSet::new();
    let unique = |name: &String| {
        let mut numbered = (2..).map(|n| format!("{name}_{n}")).filter(|name| !own.contains(name.as_str()));
        let is_free = |name: &String| !taken.contains(name);
        let first = Some(name.clone()).filter(is_free).or_else(|| numbered.find(is_free)).unwrap_or_default();
        taken.insert(first.clone());
        first
    };
    names.iter().map(unique).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_become_short_names() {
        let numbered = |number: &str, text: &str| Caption { number: Some(number.to_owned()), text: text.to_owned() };
        for (caption, expected) in [
            (Caption::of("Number of children:".to_owned()), Some("number_of_children")),
            (Caption::of("Gr\u{f6}\u{df}e (cm)".to_owned()), Some("grosse")),
            (Caption::of("3. Persons".to_owned()), Some("persons")),
            (Caption::of("(optional)".to_owned()), Some("optional")),
            (Caption::of("Taxpayer's P.O. box no.".to_owned()), Some("taxpayers_p_o_box_no")),
            (Caption::of("If".to_owned()), Some("field_if")),
            (Caption::of("\u{421}\u{443}\u{43c}\u{43c}\u{430}".to_owned()), Some("summa")),
            (Caption::of("8814".to_owned()), None),
            (Caption::of("2 weeks".to_owned()), Some("field_2_weeks")),
            (numbered("2b", "Taxable interest. Attach Sch. B if required"), Some("line_2b_taxable_interest")),
            (numbered("16", "Add lines 14 and 15. This is your total tax"), Some("line_16_total_tax")),
            (
                numbered("1", "Wages, salaries, tips, etc. Attach Form(s) W-2"),
                Some("line_1_wages_salaries_tips_etc_attach_form"),
            ),
            (numbered("9", ""), Some("line_9")),
        ] {
            assert_eq!(caption_name(&caption).as_deref(), expected, "{caption:?}");
        }
    }

    #[test]
    fn names_in_any_case_become_snake_case() {
        for (text, expected) in [
            ("topmostSubform", "topmost_subform"),
            ("Total-Income", "total_income"),
            ("f1_01", "f1_01"),
            ("IBAN", "iban"),
            ("\u{6f22}", "han"),
            ("", ""),
        ] {
            assert_eq!(snake_case(text), expected);
        }
    }

    #[test]
    fn repeated_names_are_numbered() {
        let names = ["a", "a", "a_2", "a"].map(str::to_owned);
        assert_eq!(unique(&names), ["a", "a_3", "a_2", "a_4"]);
    }

    #[test]
    fn long_name_keeps_its_end() {
        let long = format!("{}_end", "x".repeat(100));
        let name = valid_name(&long);
        assert!(name.len() == MAX_LENGTH && name.ends_with("_end"), "{name}");
    }
}
