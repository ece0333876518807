//! Which fields there are, in which order, and what they are called.

use toml_edit::{Item, Value};

use super::{
    document::{Document, set_value},
    rules,
};
use formread_raster::error::{Error, Result};

/// Removes a field that no rule names. Returns the one that takes its place.
pub fn delete(document: &mut Document, idx: usize) -> Result<Option<usize>> {
    check_unnamed(document, idx)?;
    document.remove_field(idx)?;
    let n_left = document.fields()?.len();
    if n_left == 0 {
        return Err(Error::usage("it is the last field").with_hint("a template has a field; draw another one first"));
    }
    Ok(Some(idx.min(n_left - 1)))
}

/// Refuses where a rule names the field: the rule would then name nothing.
pub fn check_unnamed(document: &mut Document, idx: usize) -> Result<()> {
    let name = document.name(idx)?;
    match rules::naming(document, &name) {
        Some(rule) => {
            Err(Error::usage(format!("{name} is in the rule {rule:?}")).with_hint("change or delete the rule first"))
        }
        None => Ok(()),
    }
}

/// Moves a field in the order, with the comment before it.
pub fn reorder(document: &mut Document, idx: usize, to: usize) -> Result<usize> {
    document.field(idx)?;
    let fields = document.fields()?;
    let to = to.min(fields.len() - 1);
    let positions: Vec<Option<isize>> = fields.iter().map(toml_edit::Table::position).collect();
    let table = fields.remove(idx);
    fields.insert(to, table);
    for (field, position) in fields.iter_mut().zip(positions) {
        field.set_position(position);
    }
    Ok(to)
}

/// Gives a field another name, in the rules as well.
pub fn rename(document: &mut Document, idx: usize, name: &str) -> Result<usize> {
    let before = document.name(idx)?;
    let is_taken = document
        .fields()?
        .iter()
        .enumerate()
        .any(|(other, field)| other != idx && field.get("name").and_then(Item::as_str) == Some(name));
    if is_taken {
        return Err(Error::usage(format!("another field has this name: {name}")));
    }
    set_value(document.field(idx)?, "name", Value::from(name));
    rules::rename(document, &before, name);
    Ok(idx)
}

/// A name that no field has: `base`, or `base` with a number behind it.
pub fn free_name(document: &mut Document, base: &str) -> Result<String> {
    let fields = document.fields()?;
    let is_taken = |name: &str| fields.iter().any(|field| field.get("name").and_then(Item::as_str) == Some(name));
    let numbered = (2..).map(|n: u64| format!("{base}_{n}"));
    let name = [base.to_owned()].into_iter().chain(numbered).find(|name| !is_taken(name));
    Ok(name.unwrap_or_default())
}
