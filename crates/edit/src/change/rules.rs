//! The rules of a template.

use toml_edit::{Array, Item, Value};

use super::document::Document;
use formread_raster::error::{Error, Result};

fn list(document: &mut Document) -> Option<&mut Array> {
    document.root().get_mut("rules").and_then(Item::as_array_mut)
}

fn rule_at(document: &mut Document, idx: usize) -> Result<&mut Array> {
    list(document).filter(|rules| idx < rules.len()).ok_or_else(|| Error::usage("no such rule"))
}

/// Adds a rule after the others, laid out as the last one is.
pub fn add(document: &mut Document, text: &str) -> Result<Option<usize>> {
    let Some(rules) = list(document) else {
        let rules = Array::from_iter([text]);
        document.root().insert("rules", Item::Value(Value::Array(rules)));
        return Ok(None);
    };
    let decor =
        |text: Option<&toml_edit::RawString>| text.and_then(|text| text.as_str()).unwrap_or_default().to_owned();
    let mut rule = Value::from(text);
    let (n, has_comma) = (rules.len(), rules.trailing_comma());
    if let Some(last) = n.checked_sub(1).and_then(|last| rules.get(last)) {
        let prefix = decor(last.decor().prefix());
        // a comment above the last rule is about that one
        let indent = prefix.rsplit_once('\n').map(|(_, indent)| format!("\n{indent}"));
        let gap = if n == 1 || !prefix.is_empty() { " " } else { "" };
        let gap = indent.unwrap_or_else(|| gap.to_owned());
        // a comment behind the last rule stays there; the line end before the bracket comes behind the new one
        let behind = if has_comma { decor(Some(rules.trailing())) } else { decor(rules_suffix(rules, n - 1)) };
        let (comment, end) = match behind.rfind('\n').filter(|_| behind.contains('#')) {
            Some(line_end) => behind.split_at(line_end),
            None => ("", behind.as_str()),
        };
        rule.decor_mut().set_prefix(format!("{comment}{gap}"));
        if has_comma {
            rules.set_trailing(end);
        } else {
            rule.decor_mut().set_suffix(end);
            if let Some(last) = rules.get_mut(n - 1) {
                last.decor_mut().set_suffix("");
            }
        }
    }
    rules.push_formatted(rule);
    Ok(None)
}

fn rules_suffix(rules: &Array, idx: usize) -> Option<&toml_edit::RawString> {
    rules.get(idx).and_then(|rule| rule.decor().suffix())
}

/// Gives a rule another text.
pub fn set(document: &mut Document, idx: usize, text: &str) -> Result<Option<usize>> {
    rule_at(document, idx)?.replace(idx, text);
    Ok(None)
}

/// Removes a rule.
pub fn delete(document: &mut Document, idx: usize) -> Result<Option<usize>> {
    let rules = rule_at(document, idx)?;
    rules.remove(idx);
    if rules.is_empty() {
        document.root().remove("rules");
    }
    Ok(None)
}

/// A rule that names a field.
pub fn naming(document: &mut Document, name: &str) -> Option<String> {
    let rules = list(document)?;
    rules.iter().filter_map(Value::as_str).find(|rule| renamed(rule, name, "") != *rule).map(str::to_owned)
}

/// Gives a field another name in all rules.
pub fn rename(document: &mut Document, before: &str, after: &str) {
    let Some(rules) = list(document) else { return };
    for idx in 0..rules.len() {
        let text = rules.get(idx).and_then(Value::as_str).map(|rule| (rule.to_owned(), renamed(rule, before, after)));
        if let Some((_, new)) = text.filter(|(old, new)| old != new) {
            rules.replace(idx, new);
        }
    }
}

/// A rule in which a field has another name. The fields of other forms, `form.field`, keep theirs.
fn renamed(rule: &str, before: &str, after: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let run = |text: &str, is_part: &dyn Fn(char) -> bool| text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (mut rest, mut out) = (rule, String::new());
    while let Some(first) = rest.chars().next() {
        let form = run(rest, &|c| is_name(c) || c == '-');
        let is_elsewhere = is_name(first) && rest[form..].starts_with('.');
        let length = match first {
            _ if is_elsewhere => form + 1 + run(&rest[form + 1..], &is_name),
            _ if is_name(first) => run(rest, &is_name),
            _ => first.len_utf8(),
        };
        let part = &rest[..length];
        out.push_str(if part == before { after } else { part });
        rest = &rest[length..];
    }
    out
}
