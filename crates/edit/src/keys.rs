//! The keys of a field besides its name, kind and place: to which kinds each belongs, and how the page asks for it.

use serde::Serialize;

const NUMBERS: &[&str] = &["integer", "amount"];
const WRITTEN: &[&str] = &["integer", "amount", "code", "date"];
const SINGLE: &[&str] = &["integer", "amount", "code", "date", "mark"];
const ALL: &[&str] = &["integer", "amount", "code", "date", "mark", "choice"];

/// A key of a field.
#[derive(Debug, Serialize)]
pub struct FieldKey {
    /// As in the text.
    pub key: &'static str,
    /// The kinds that take it.
    pub kinds: &'static [&'static str],
    /// How the page asks for it.
    pub input: Input,
    /// The words that it may have.
    pub words: &'static [&'static str],
}

/// How the page asks for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// A tick box.
    Flag,
    /// One of some words.
    Word,
    /// Any of some words.
    Words,
    /// A whole number.
    Count,
    /// One number, or two: the smallest and the largest.
    Span,
    /// Text.
    Text,
    /// Texts, with spaces between them.
    Texts,
}

/// All of them, in the order of the page.
pub const FIELD_KEYS: [FieldKey; 15] = [
    key("digits", WRITTEN, Input::Span, &[]),
    key("decimals", &["amount"], Input::Count, &[]),
    key("point", &["amount"], Input::Word, &["implied", "printed", "written"]),
    key("order", &["date"], Input::Word, &["dmy", "mdy", "ymd"]),
    key("pivot", &["date"], Input::Count, &[]),
    key("filled", &["mark", "choice"], Input::Word, &["retracted", "marked"]),
    key("values", &["choice"], Input::Texts, &[]),
    key("signed", NUMBERS, Input::Flag, &[]),
    key("required", ALL, Input::Flag, &[]),
    key("range", NUMBERS, Input::Span, &[]),
    key("check_digit", &["code"], Input::Word, &["luhn", "mod11", "mod97", "verhoeff", "damm"]),
    key("fillers", WRITTEN, Input::Words, &["cross", "dash"]),
    key("fillers_mean", WRITTEN, Input::Text, &[]),
    key("allowed", SINGLE, Input::Texts, &[]),
    key("ignore_punctuation", WRITTEN, Input::Flag, &[]),
];

/// The sides of a field's frame; a key of every field with a place.
pub const SIDES: [&str; 5] = ["top", "right", "bottom", "left", "between"];

const fn key(
    key: &'static str,
    kinds: &'static [&'static str],
    input: Input,
    words: &'static [&'static str],
) -> FieldKey {
    FieldKey { key, kinds, input, words }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use formread_core::form::{parse_template, template_schema};

    #[test]
    fn keys_and_their_words_are_those_of_the_schema() {
        let field = &template_schema()["definitions"]["RawField"]["properties"];
        let known: BTreeSet<&str> = field.as_object().expect("it has keys").keys().map(String::as_str).collect();
        let own = FIELD_KEYS.iter().map(|key| key.key);
        let own: BTreeSet<&str> = own.chain(["name", "kind", "box", "comb", "cells", "printed"]).collect();
        assert_eq!(known, own);
        for key in FIELD_KEYS.iter().filter(|key| !key.words.is_empty()) {
            let of = &field[key.key];
            let words = if key.input == Input::Words { &of["items"]["enum"] } else { &of["enum"] };
            assert_eq!(*words, serde_json::json!(key.words), "{}", key.key);
        }
        assert_eq!(field["printed"]["items"]["enum"], serde_json::json!(SIDES));
    }

    #[test]
    fn key_belongs_to_the_kinds_that_the_parser_takes_it_with() {
        let values = |key: &str| match key {
            "digits" => "6",
            "decimals" | "pivot" => "2",
            "point" => "\"implied\"",
            "order" => "\"dmy\"",
            "filled" => "\"marked\"",
            "range" => "[0, 9]",
            "check_digit" => "\"luhn\"",
            "fillers" => "[\"cross\"]",
            "fillers_mean" => "\"0\"\nfillers = [\"cross\"]",
            "allowed" => "[\"1\"]",
            "values" => "[\"A\", \"B\"]",
            _ => "true",
        };
        for FieldKey { key, kinds, .. } in &FIELD_KEYS {
            for kind in ALL {
                let needed = match *kind {
                    "date" if *key != "order" => "order = \"dmy\"\n",
                    "choice" if *key != "values" => "values = [\"A\", \"B\"]\n",
                    _ => "",
                };
                let place = if *kind == "choice" {
                    "comb = { at = [10, 10], cell = [4, 4], groups = [2], pitch = 8 }"
                } else {
                    "box = [10, 10, 40, 8]"
                };
                let text = format!(
                    "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"f\"\nkind = \"{kind}\"\n\
                     {place}\n{needed}{key} = {}\n",
                    values(key)
                );
                let is_taken = parse_template(&text).is_ok();
                // it has no meaning in a mark or a choice, and is not refused there
                let is_harmless = *key == "ignore_punctuation" && matches!(*kind, "mark" | "choice");
                assert_eq!(is_taken, kinds.contains(kind) || is_harmless, "{text}");
            }
        }
    }
}
