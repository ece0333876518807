//! The kind of a field, and its other keys.

use toml_edit::{Array, Item, Table, Value};

use super::document::{Document, number, set_value};
use crate::keys::FIELD_KEYS;
use formread_core::form::MAX_CELLS;
use formread_raster::error::{Error, Result};

/// Gives a field another kind. Keys that do not belong to it go; a date gets an order, a choice a value for each cell.
pub fn set_kind(document: &mut Document, idx: usize, kind: &str) -> Result<usize> {
    set_value(document.field(idx)?, "kind", Value::from(kind));
    for key in FIELD_KEYS.iter().filter(|key| !key.kinds.contains(&kind)) {
        document.drop_key(idx, key.key)?;
    }
    let field = document.field(idx)?;
    if kind == "date" && !field.contains_key("order") {
        set_value(field, "order", Value::from("dmy"));
    }
    if kind == "choice" && !field.contains_key("values") {
        let values: Array = (1..=n_cells(field)).map(|n| n.to_string()).collect();
        set_value(field, "values", Value::Array(values));
    }
    if kind == "date" && !has_digits_of_date(field.get("digits")) {
        document.drop_key(idx, "digits")?;
    }
    Ok(idx)
}

/// How many cells a field has.
fn n_cells(field: &Table) -> i64 {
    let groups = field.get("comb").and_then(|comb| comb.get("groups")).and_then(Item::as_array);
    let of_comb = groups.map(|groups| groups.iter().filter_map(Value::as_integer).sum());
    let of_cells = || field.get("cells").and_then(Item::as_array).map(|cells| cells.len() as i64);
    of_comb.or_else(of_cells).unwrap_or(0).clamp(0, MAX_CELLS as i64)
}

/// Whether digits are 6 or 8, as a date has them.
fn has_digits_of_date(digits: Option<&Item>) -> bool {
    let is_date = |value: &Value| matches!(value.as_integer(), Some(6 | 8));
    match digits.and_then(Item::as_value) {
        Some(Value::Array(both)) => both.iter().all(is_date),
        Some(value) => is_date(value),
        None => true,
    }
}

/// Gives a key a value, or takes it away.
pub fn set_key(document: &mut Document, idx: usize, key: &str, value: &serde_json::Value) -> Result<usize> {
    if key != "printed" && !FIELD_KEYS.iter().any(|known| known.key == key) {
        return Err(Error::usage(format!("unknown key: {key}")));
    }
    let field = document.field(idx)?;
    match value_of(value) {
        Some(value) => set_value(field, key, value),
        None => {
            field.remove(key);
        }
    }
    Ok(idx)
}

/// A value in TOML; `None` for `null`, and for an object, which no key of a field has.
fn value_of(json: &serde_json::Value) -> Option<Value> {
    match json {
        serde_json::Value::Null | serde_json::Value::Object(_) => None,
        serde_json::Value::Bool(flag) => Some(Value::from(*flag)),
        serde_json::Value::Number(n) => n.as_f64().map(number),
        serde_json::Value::String(text) => Some(Value::from(text.as_str())),
        serde_json::Value::Array(list) => Some(Value::Array(list.iter().filter_map(value_of).collect::<Array>())),
    }
}
