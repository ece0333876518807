//! Changes of a template's text. Each takes a text and gives one; comments and order stay, and so does what it is not about.
//!
//! | change | module |
//! |---|---|
//! | add, delete, move in the order, rename | `fields` |
//! | the place of a field: move, resize, cells, split, merge | `place` |
//! | kind and keys | `kinds` |
//! | rules | `rules` |

mod document;
mod fields;
mod kinds;
mod layout;
mod place;
mod rules;
#[cfg(test)]
mod tests;

use serde::Deserialize;

use document::Document;
use formread_core::form::parse_template;
use formread_raster::error::Result;

/// A change that the page asks for. Fields and rules are named by their index. Lengths are in the template's unit.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Change {
    /// A new box, after a field in the order.
    Add { bounds: [f64; 4], after: usize },
    /// A field's left, top, width and height.
    Place { field: usize, bounds: [f64; 4] },
    /// The cells in each group of a comb; none makes it a box.
    Cells { field: usize, groups: Vec<usize> },
    /// Removes a field.
    Delete { field: usize },
    /// Moves a field to another place in the order.
    Order { field: usize, to: usize },
    /// Gives a field another name, in the rules as well.
    Rename { field: usize, name: String },
    /// Gives a field another kind, and takes what that kind has no use for.
    Kind { field: usize, kind: String },
    /// Gives a key of a field a value; `null` takes the key away.
    Set { field: usize, key: String, value: serde_json::Value },
    /// Makes two fields of one: after so many cells, or so far from the left side of a box. Default in the middle.
    Split { field: usize, at: Option<f64> },
    /// Makes one field of two. It keeps the first one's name and keys.
    Merge { field: usize, with: usize },
    /// A new rule, after the others.
    AddRule { text: String },
    /// Gives a rule another text.
    SetRule { rule: usize, text: String },
    /// Removes a rule.
    DeleteRule { rule: usize },
}

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The text after the change.
    pub text: String,
    /// The field that it is about, in the new order.
    pub field: Option<usize>,
    /// The keys and values that had to go, as they were written.
    pub dropped: Vec<String>,
}

/// Makes a change.
///
/// # Errors
/// Where the text is not a template, the change is not possible, or what it gives is not a template.
pub fn apply(text: &str, change: &Change) -> Result<Changed> {
    parse_template(text)?;
    let mut document = Document::parse(text)?;
    let field = match change {
        Change::Add { bounds, after } => Some(place::add(&mut document, *bounds, *after)?),
        Change::Place { field, bounds } => Some(place::set_bounds(&mut document, *field, *bounds)?),
        Change::Cells { field, groups } => Some(place::set_cells(&mut document, *field, groups)?),
        Change::Delete { field } => fields::delete(&mut document, *field)?,
        Change::Order { field, to } => Some(fields::reorder(&mut document, *field, *to)?),
        Change::Rename { field, name } => Some(fields::rename(&mut document, *field, name)?),
        Change::Kind { field, kind } => Some(kinds::set_kind(&mut document, *field, kind)?),
        Change::Set { field, key, value } => Some(kinds::set_key(&mut document, *field, key, value)?),
        Change::Split { field, at } => Some(place::split(&mut document, *field, *at)?),
        Change::Merge { field, with } => Some(place::merge(&mut document, *field, *with)?),
        Change::AddRule { text } => rules::add(&mut document, text)?,
        Change::SetRule { rule, text } => rules::set(&mut document, *rule, text)?,
        Change::DeleteRule { rule } => rules::delete(&mut document, *rule)?,
    };
    let (text, dropped) = document.finish();
    parse_template(&text)?;
    Ok(Changed { text, field, dropped })
}
