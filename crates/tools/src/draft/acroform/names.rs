//! Names of the fields of a PDF.

use std::collections::HashMap;

use super::{
    super::{
        captions::Caption,
        names::{caption_name, snake_case, unique, valid_name},
    },
    widgets::{InputKind, Widget},
};

/// Words that editors of forms put into the names of fields: they name nothing.
const EMPTY_WORDS: [&str; 20] = [
    "text",
    "field",
    "fill",
    "check",
    "checkbox",
    "box",
    "button",
    "radio",
    "group",
    "undefined",
    "untitled",
    "topmost",
    "subform",
    "form",
    "page",
    "numeric",
    "textfield",
    "pg",
    "input",
    "feld",
];
/// A word of fewer letters names nothing.
const MIN_LETTERS: usize = 3;

/// A name for each of `widgets`, unique, the first of these that it has:
///
/// 1. its tooltip, which is written for people;
/// 2. its own name, if there is a word in it, with those of its parent fields, without the parents that all share;
/// 3. its caption;
/// 4. its own name all the same.
///
/// Buttons of one field get their state as a suffix. Repeated names are numbered.
pub(super) fn field_names(widgets: &[&Widget], captions: &[Option<Caption>]) -> Vec<String> {
    let n_common = n_common_parents(widgets);
    let mut n_of_field: HashMap<&[String], usize> = HashMap::new();
    widgets.iter().for_each(|widget| *n_of_field.entry(&widget.path).or_default() += 1);
    let name = |(widget, caption): (&&Widget, &Option<Caption>)| {
        let state = match &widget.input {
            InputKind::Tick { state } if n_of_field[&widget.path[..]] > 1 => state.as_deref(),
            _ => None,
        };
        let parts = widget.path.iter().skip(n_common).map(String::as_str).chain(state);
        let parts = parts.map(clean_part).filter(|part| !part.is_empty());
        let own = || valid_name(&parts.collect::<Vec<_>>().join("_"));
        let tooltip = widget.tooltip.clone().map(Caption::of);
        let has_word = widget.path.last().is_some_and(|part| names_something(part));
        let caption = caption.as_ref().filter(|_| !has_word);
        tooltip.as_ref().and_then(caption_name).or_else(|| caption.and_then(caption_name)).unwrap_or_else(own)
    };
    unique(&widgets.iter().zip(captions).map(name).collect::<Vec<_>>())
}

/// Whether there is a word in a name, besides those of editors.
fn names_something(part: &str) -> bool {
    let name = clean_part(part);
    let letters = |word: &str| word.trim_matches(|c: char| c.is_ascii_digit()).to_owned();
    let mut words = name.split('_').map(letters);
    words.any(|word| word.len() >= MIN_LETTERS && !EMPTY_WORDS.contains(&word.as_str()))
}

/// Number of outermost parent fields that all of `widgets` share.
fn n_common_parents(widgets: &[&Widget]) -> usize {
    let Some((first, others)) = widgets.split_first() else { return 0 };
    let max = widgets.iter().map(|widget| widget.path.len().saturating_sub(1)).min().unwrap_or(0);
    let is_common = |i: &usize| others.iter().all(|other| other.path[*i] == first.path[*i]);
    (0..max).take_while(is_common).count()
}

/// A part of a name. The index `[0]`, as in `Page1[0]`, is removed.
fn clean_part(part: &str) -> String {
    snake_case(part.strip_suffix("[0]").unwrap_or(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_raster::geometry::Rect;

    fn widget(path: &str, state: Option<&str>) -> Widget {
        Widget {
            path: path.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            tooltip: None,
            input: match state {
                Some(state) => InputKind::Tick { state: Some(state.to_owned()) },
                None => InputKind::Text { max_len: None },
            },
            rect: Rect::default(),
            format: None,
        }
    }

    #[track_caller]
    fn assert_names(given: &[(&str, Option<&str>)], expected: &[&str]) {
        let widgets: Vec<Widget> = given.iter().map(|(path, state)| widget(path, *state)).collect();
        let captions = vec![None; widgets.len()];
        assert_eq!(field_names(&widgets.iter().collect::<Vec<_>>(), &captions), expected);
    }

    #[test]
    fn names_keep_the_parts_that_differ_and_are_unique() {
        let texts = |paths: &[&'static str]| paths.iter().map(|path| (*path, None)).collect::<Vec<_>>();
        assert_names(
            &texts(&["f.income.wages", "f.income.interest", "f.tax"]),
            &["income_wages", "income_interest", "tax"],
        );
        assert_names(&texts(&["top[0].Page1[0].f1_01[0]", "top[0].Page1[0].f1_02[1]"]), &["f1_01", "f1_02_1"]);
        assert_names(&texts(&["only.one"]), &["one"]);
        assert_names(&texts(&["a.b", "a.b", "a.b_2"]), &["b", "b_3", "b_2"]);
        assert_names(&texts(&["", "", "\u{6f22}"]), &["field", "field_2", "han"]);
        assert_names(
            &texts(&["page", "if", "07", "Gr\u{f6}\u{df}e (cm)"]),
            &["field_page", "field_if", "field_07", "grosse_cm"],
        );
        assert_names(&[], &[]);
    }

    #[test]
    fn buttons_of_one_field_are_named_by_state() {
        let given =
            [("sex", Some("M")), ("sex", Some("F")), ("paid", Some("Yes")), ("kind", Some("1")), ("kind", Some("1"))];
        assert_names(&given, &["sex_m", "sex_f", "paid", "kind_1", "kind_1_2"]);
    }

    #[test]
    fn tooltip_comes_before_a_name_and_a_caption_before_a_name_without_words() {
        let named = |path: &str, tooltip: Option<&str>| {
            let widget = Widget { tooltip: tooltip.map(str::to_owned), ..widget(path, None) };
            field_names(&[&widget], &[Some(Caption::of("Wages paid".to_owned()))]).remove(0)
        };
        assert_eq!(named("f1_01", Some("Line 1. Wages")), "line_1_wages");
        assert_eq!(named("f1_01", None), "wages_paid");
        assert_eq!(named("topmostSubform[0].Page1[0].f1_01[0]", None), "wages_paid");
        assert_eq!(named("Text Field 12", None), "wages_paid");
        assert_eq!(named("salary", None), "salary");
    }
}
