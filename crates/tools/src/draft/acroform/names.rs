//! Names of a PDF's fields -> names that a template's fields may have, each once.

use std::collections::{HashMap, HashSet};

use super::widgets::{Sort, Widget};
use formread_core::form::RESERVED_NAMES;

/// Longest name, characters; of a longer one its end, which tells more.
const MAX_LENGTH: usize = 60;
/// Words of the rules' grammar.
const GRAMMAR: [&str; 3] = ["if", "then", "within"];

/// A name for each of `widgets`: the names of the fields that it lies in, without those that all of them lie in, and its
/// own, joined by underscores. Of several buttons of one field each has its state added. What is still there twice is
/// numbered.
pub(super) fn field_names(widgets: &[&Widget]) -> Vec<String> {
    let n_common = n_common(widgets);
    let mut n_of_field: HashMap<&[String], usize> = HashMap::new();
    widgets.iter().for_each(|widget| *n_of_field.entry(&widget.path).or_default() += 1);
    let name = |widget: &&Widget| {
        let state = match &widget.sort {
            Sort::Tick { state } if n_of_field[&widget.path[..]] > 1 => state.as_deref(),
            _ => None,
        };
        let parts = widget.path.iter().skip(n_common).map(String::as_str).chain(state);
        valid(&parts.map(cleaned).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_"))
    };
    let names: Vec<String> = widgets.iter().map(name).collect();
    // a name that one field has by itself is not given to another
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

/// How many of the outermost fields are the same for all of `widgets`; of each its last name is its own.
fn n_common(widgets: &[&Widget]) -> usize {
    let Some((first, others)) = widgets.split_first() else { return 0 };
    let most = widgets.iter().map(|widget| widget.path.len().saturating_sub(1)).min().unwrap_or(0);
    let is_common = |i: &usize| others.iter().all(|other| other.path[*i] == first.path[*i]);
    (0..most).take_while(is_common).count()
}

/// Letters, digits and single underscores; without the index of a first and mostly only one, as in `Page1[0]`.
fn cleaned(part: &str) -> String {
    let part = part.strip_suffix("[0]").unwrap_or(part);
    let words = part.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// Short enough, and neither a column that every table has nor what a rule takes for something else.
fn valid(name: &str) -> String {
    let name = name[name.len().saturating_sub(MAX_LENGTH)..].trim_matches('_');
    let is_number = name.bytes().all(|b| b.is_ascii_digit());
    match name {
        "" => "field".to_owned(),
        _ if is_number || RESERVED_NAMES.contains(&name) || GRAMMAR.contains(&name) => format!("field_{name}"),
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
            sort: match state {
                Some(state) => Sort::Tick { state: Some((*state).to_owned()) },
                None => Sort::Text { max_len: None },
            },
            rect: Rect::default(),
            format: None,
        };
        let widgets: Vec<Widget> = given.iter().map(widget).collect();
        assert_eq!(field_names(&widgets.iter().collect::<Vec<_>>()), expected);
    }

    #[test]
    fn names_are_what_tells_the_fields_apart() {
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
    fn buttons_of_one_field_have_their_states() {
        let given =
            [("sex", Some("M")), ("sex", Some("F")), ("paid", Some("Yes")), ("kind", Some("1")), ("kind", Some("1"))];
        assert_names(&given, &["sex_M", "sex_F", "paid", "kind_1", "kind_1_2"]);
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        let long = format!("{}_end", "x".repeat(100));
        let name = valid(&long);
        assert!(name.len() == MAX_LENGTH && name.ends_with("_end"), "{name}");
    }
}
