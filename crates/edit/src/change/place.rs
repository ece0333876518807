//! Where fields are: drawn, moved, split, merged.

use toml_edit::{Item, Table, Value};

use super::{
    document::Document,
    fields::{check_unnamed, free_name},
    layout::{Layout, Rounding},
};
use formread_core::form::MAX_CELLS;
use formread_raster::error::{Error, Result};

/// Adds a box after a field in the order.
pub fn add(document: &mut Document, bounds: [f64; 4], after: usize) -> Result<usize> {
    let rounding = Rounding::of(document.root());
    let idx = (after + 1).min(document.fields()?.len());
    let name = free_name(document, "new_field")?;
    let mut table = Table::new();
    table.insert("name", Item::Value(Value::from(name)));
    table.insert("kind", Item::Value(Value::from("integer")));
    Layout::Box(bounds).write(&mut table, rounding);
    table.decor_mut().set_prefix("\n");
    document.insert_field(idx, table)?;
    Ok(idx)
}

/// Gives a field other bounds.
pub fn set_bounds(document: &mut Document, idx: usize, bounds: [f64; 4]) -> Result<usize> {
    let rounding = Rounding::of(document.root());
    let field = document.field(idx)?;
    Layout::read(field)?.with_bounds(bounds).write(field, rounding);
    Ok(idx)
}

/// Gives a field other cells.
pub fn set_cells(document: &mut Document, idx: usize, groups: &[usize]) -> Result<usize> {
    let n_cells = groups.iter().fold(0, |sum: usize, n| sum.saturating_add(*n));
    if n_cells > MAX_CELLS {
        return Err(Error::usage(format!("cells: {n_cells}")).with_hint(format!("at most {MAX_CELLS}")));
    }
    let layout = Layout::read(document.field(idx)?)?.with_groups(groups);
    write(document, idx, &layout)?;
    Ok(idx)
}

/// Makes two fields of one.
pub fn split(document: &mut Document, idx: usize, at: Option<f64>) -> Result<usize> {
    let (left, right) = Layout::read(document.field(idx)?)?.split(at)?;
    let name = document.name(idx)?;
    let name = free_name(document, &name)?;
    let mut second = document.field(idx)?.clone();
    strip_comments(&mut second);
    second.insert("name", Item::Value(Value::from(name)));
    document.insert_field(idx + 1, second)?;
    write(document, idx, &left)?;
    write(document, idx + 1, &right)?;
    Ok(idx)
}

/// Makes one field of two.
pub fn merge(document: &mut Document, idx: usize, with: usize) -> Result<usize> {
    let rounding = Rounding::of(document.root());
    let [own, other] = [idx, with].map(|idx| document.field(idx).and_then(|field| Layout::read(field)));
    let layout = own?.join(&other?, rounding)?;
    check_unnamed(document, with)?;
    document.remove_field(with)?;
    let idx = if with < idx { idx - 1 } else { idx };
    write(document, idx, &layout)?;
    Ok(idx)
}

/// Writes a place; a number of digits that it has no room for goes.
fn write(document: &mut Document, idx: usize, layout: &Layout) -> Result<()> {
    let rounding = Rounding::of(document.root());
    let field = document.field(idx)?;
    layout.write(field, rounding);
    let most = match field.get("digits").and_then(Item::as_value) {
        Some(Value::Array(both)) => both.iter().filter_map(Value::as_integer).max(),
        digits => digits.and_then(Value::as_integer),
    };
    let n_cells = layout.cells().len();
    let is_box = matches!(layout, Layout::Box(_));
    if !is_box && most.is_some_and(|most| usize::try_from(most).is_ok_and(|most| most > n_cells)) {
        document.drop_key(idx, "digits")?;
    }
    Ok(())
}

/// A copy of a field is not what its comments are about.
fn strip_comments(table: &mut Table) {
    table.decor_mut().set_prefix("\n");
    table.decor_mut().set_suffix("");
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        if let Some(mut key) = table.key_mut(&key) {
            key.leaf_decor_mut().clear();
        }
        if let Some(value) = table.get_mut(&key).and_then(Item::as_value_mut) {
            value.decor_mut().clear();
        }
    }
}
