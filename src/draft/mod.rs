//! From pages of a form to a draft of its template, for a person to name the fields in.
//!
//! 1. `sheet` lays a page out flat: a scan is turned, a photo is made level by its vanishing points.
//! 2. `consensus` takes away what was written, where there are several filled pages and no blank.
//! 3. `cells` finds the frames that lines enclose, `siblings` those of them that are faint.
//! 4. `fields` tells which of them are to be filled in, and joins those that make one field.
//! 5. `print` finds what registration holds on to, and the lines that are to be written on.
//! 6. `text` writes it down.
//!
//! Nothing is known of the form beforehand. Sizes are millimetres on the paper: where the file does not give its
//! resolution, the page is taken for the paper that has its proportions, A4 where none has.

mod cells;
mod consensus;
mod fields;
mod print;
mod sheet;
mod siblings;
mod text;

use image::GrayImage;

use crate::{
    error::{Error, Result},
    form::{FieldLayout, FormTemplate, Landmarks, parse_template},
    geometry::Projection,
    page::Page,
};
use cells::{Ink, find_cells};
use fields::{Found, find_fields, in_reading_order};
use sheet::lay_flat;

pub use fields::Shape;

/// A template in the making.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The form's name: small letters, digits and hyphens.
    pub name: String,
    /// One line for a person.
    pub title: String,
    /// What registration holds on to beside the frames of the fields, millimetres.
    pub landmarks: Landmarks,
    /// What is proposed to be read, in reading order.
    pub fields: Vec<DraftField>,
    /// Lines to write on, of a form that has cells for its digits: its lines are mostly for words. The template's text has
    /// them as comments. Empty where they are among `fields`.
    pub set_aside: Vec<DraftField>,
    /// How many pages it was made from: those that could be laid on the first one, with it.
    pub n_pages: usize,
    /// The form as it was drafted, without what was written: [H, W] u8, 0 black .. 255 white, level.
    pub sheet: GrayImage,
    /// Pixels of `sheet` a millimetre.
    pub px_per_mm: f64,
    /// Template millimetres to pixels of the first page.
    pub page_from_template: Projection,
}

/// A field that is proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftField {
    /// `field_01` and so on, to be changed.
    pub name: String,
    /// What it looks like.
    pub shape: Shape,
    /// Where its digits stand, millimetres.
    pub layout: FieldLayout,
    /// Cells in each group, of a comb or of boxes in a row, from left to right; empty of others.
    pub groups: Vec<usize>,
}

impl Draft {
    /// The template's text, which [`parse_template`] accepts.
    pub fn to_toml(&self) -> String {
        text::text(self)
    }

    /// The template as it is.
    ///
    /// # Errors
    /// `Format` where a name or a field was changed to what no template may have.
    pub fn template(&self) -> Result<FormTemplate> {
        parse_template(&self.to_toml())
    }
}

/// Drafts the template `name` from `pages` of one form: a blank one, or several that are filled in by different hands, the
/// first of which gives the template its place. Pages that are another form, or cannot be laid on the first, are left out.
///
/// # Errors
/// `Usage` where there is no page, or `name` cannot be a form's; `Format` where nothing on the page is to be filled in.
pub fn draft(pages: &[Page], name: &str) -> Result<Draft> {
    let [first, others @ ..] = pages else {
        return Err(Error::usage("no page to draft a template from\nhint: give a blank page of the form"));
    };
    if name.is_empty()
        || name.starts_with('-')
        || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(Error::usage(format!(
            "name of a form: {name:?}\nhint: small letters, digits and hyphens, no hyphen first"
        )));
    }
    let (sheet, n_pages) = consensus::without_writing(lay_flat(first), others);
    let ink = Ink::of(&sheet);
    let cells = find_cells(&ink, &Ink::faint(&sheet));
    let mut found = find_fields(&cells, &ink, n_pages > 1);
    let print = print::find_print(&sheet, &ink, &cells);
    let mut lines = print.lines_to_write_on(&ink, &cells);
    in_reading_order(&mut lines, |found| found.layout.bounds());
    let has_cells = found.iter().any(|field| matches!(field.shape, Shape::Comb | Shape::Boxes));
    if !has_cells {
        found.append(&mut lines);
        in_reading_order(&mut found, |found| found.layout.bounds());
    }
    if found.is_empty() {
        let hint = "a field is a frame, a row of cells or a line with nothing in it";
        return Err(Error::format("form", format!("nothing on the page is to be filled in\nhint: {hint}")));
    }
    let landmarks = print.landmarks(&sheet, &found);
    let digits = |n: usize| n.to_string().len().max(2);
    let width = digits(found.len() + lines.len());
    let named = |first: usize, found: Vec<Found>| -> Vec<DraftField> {
        let name = |i: usize| format!("field_{:0width$}", first + i);
        let field = |(i, Found { shape, layout, groups })| DraftField { name: name(i), shape, layout, groups };
        found.into_iter().enumerate().map(field).collect()
    };
    let n_found = found.len();
    let fields = named(1, found);
    let mm_to_px = Projection::scaling(sheet.px_per_mm, sheet.px_per_mm);
    Ok(Draft {
        name: name.to_owned(),
        title: format!("{name}, drafted"),
        landmarks,
        fields,
        set_aside: named(n_found + 1, lines),
        n_pages,
        px_per_mm: sheet.px_per_mm,
        page_from_template: sheet.page_from_sheet.compose(&mm_to_px),
        sheet: sheet.pixels,
    })
}
