//! Names of the fields of a PDF -> unique names that the fields of a template may have.

use std::collections::{HashMap, HashSet};

use super::widgets::{InputKind, Widget};
use formread_core::form::RESERVED_NAMES;

/// Longest name, characters. A longer one keeps its end, which differs most.
const MAX_LENGTH: usize = 60;
/// Keywords of the rules.
const KEYWORDS: [&str; 3] = ["if", "then", "within"];

/// A name for each of `widgets`: its own name and those of its parent fields, without the parents that all share, joined by
/// underscores. Buttons of one field get their state as a suffix. Repeated names are numbered.
pub(super) fn field_names(widgets: &[&Widget]) -> Vec<String> {
    let n_common = n_common_parents(widgets);
    let mut n_of_field: HashMap<&[String], usize> = HashMap::new();
    widgets.iter().for_each(|widget| *n_of_field.entry(&widget.path).or_default() += 1);
    let name = |widget: &&Widget| {
        let state = match &widget.input {
            InputKind::Tick { state } if n_of_field[&widget.path[..]] > 1 => state.as_deref(),
            _ => None,
        };
        let parts = widget.path.iter().skip(n_common).map(String::as_str).chain(state);
        valid_name(&parts.map(clean_part).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_"))
    };
    let names: Vec<String> = widgets.iter().map(name).collect();
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

/// Number of outermost parent fields that all of `widgets` share.
fn n_common_parents(widgets: &[&Widget]) -> usize {
    let Some((first, others)) = widgets.split_first() else { return 0 };
    let max = widgets.iter().map(|widget| widget.path.len().saturating_sub(1)).min().unwrap_or(0);
    let is_common = |i: &usize| others.iter().all(|other| other.path[*i] == first.path[*i]);
    (0..max).take_while(is_common).count()
}

/// Letters, digits and single underscores. The index `[0]`, as in `Page1[0]`, is removed.
fn clean_part(part: &str) -> String {
    let part = part.strip_suffix("[0]").unwrap_or(part);
    let words = part.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// The name, cut to the longest length, with a prefix if it is a number, a reserved column or a keyword.
fn valid_name(name: &str) -> String {
    let name = name[name.len().saturating_sub(MAX_LENGTH)..].trim_matches('_');
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    match name {
        "" => "field".to_owned(),
        _ if is_number || RESERVED_NAMES.contains(&name) || KEYWORDS.contains(&name) => format!("field_{name}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use formread_raster::geometry::Rect;

    #[track_caller]
    fn assert_names(given: &[(&str, Option<&str>)], expected: &[&str]) {
        let widget = |(path, state): &(&str, Option<&str>)| Widget {
            path: path.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            input: match state {
                Some(state) => InputKind::Tick { state: Some((*state).to_owned()) },
                None => InputKind::Text { max_len: None },
            },
            rect: Rect::default(),
            format: None,
        };
        let widgets: Vec<Widget> = given.iter().map(widget).collect();
        assert_eq!(field_names(&widgets.iter().collect::<Vec<_>>()), expected);
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
        assert_names(&texts(&["", "", "\u{6f22}"]), &["field", "field_2", "field_3"]);
        assert_names(
            &texts(&["page", "if", "07", "Gr\u{f6}\u{df}e (cm)"]),
            &["field_page", "field_if", "field_07", "Gr_e_cm"],
        );
        assert_names(&[], &[]);
    }

    #[test]
    fn buttons_of_one_field_are_named_by_state() {
        let given =
            [("sex", Some("M")), ("sex", Some("F")), ("paid", Some("Yes")), ("kind", Some("1")), ("kind", Some("1"))];
        assert_names(&given, &["sex_M", "sex_F", "paid", "kind_1", "kind_1_2"]);
    }

    #[test]
    fn long_name_keeps_its_end() {
        let long = format!("{}_end", "x".repeat(100));
        let name = valid_name(&long);
        assert!(name.len() == MAX_LENGTH && name.ends_with("_end"), "{name}");
    }
}
