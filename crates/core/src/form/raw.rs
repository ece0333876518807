//! The keys of a template's TOML with the place of every value, before they are checked. The JSON schema for editors is made
//! from these types, so it matches what the program reads.

use std::{borrow::Cow, ops::Range};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

/// An optional value with its place in the text. It is checked later.
pub(super) type Placed<T> = Option<Spanned<T>>;

/// Four numbers: a rectangle's left, top, width and height, or a line's two ends.
pub(super) type Quad = Spanned<[f64; 4]>;

/// Largest number of pages of a document.
pub const MAX_DOCUMENT_PAGES: usize = 100;

/// The words that a key may have. `parse_template` accepts each of them and no other; a test checks this.
pub(super) const KINDS: [&str; 6] = ["integer", "amount", "code", "date", "mark", "choice"];
const POINTS: [&str; 3] = ["implied", "printed", "written"];
const ORDERS: [&str; 3] = ["dmy", "mdy", "ymd"];
const FILLED: [&str; 2] = ["retracted", "marked"];
const SIDES: [&str; 5] = ["top", "right", "bottom", "left", "between"];
const FILLERS: [&str; 2] = ["cross", "dash"];
const SYMBOLOGIES: [&str; 7] = ["qr", "data-matrix", "aztec", "pdf417", "code-128", "code-39", "itf"];
const CHECK_DIGITS: [&str; 5] = ["luhn", "mod11", "mod97", "verhoeff", "damm"];

/// A value with its place in the text. Its schema is that of the value.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Spanned<T>(toml::Spanned<T>);

impl<T> Spanned<T> {
    pub fn get_ref(&self) -> &T {
        self.0.get_ref()
    }

    /// Bytes of the text.
    pub fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// A form, as it is printed: its landmarks, and a `[[field]]` for each number on it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "formread template", extend("required" = ["name", "title", "field"]))]
pub(super) struct RawTemplate {
    /// The form's name in the tables, unique among the templates: letters, digits and hyphens, no hyphen first. Capitals and
    /// underscores become small letters and hyphens.
    #[schemars(extend("pattern" = "^[A-Za-z0-9][A-Za-z0-9_-]*$"))]
    pub name: Placed<String>,
    /// One line for a person.
    pub title: Placed<String>,
    /// Which printing of the form or which state of this file it is, for people: \"2026-03\". Nothing is read from it.
    pub version: Placed<String>,
    /// Which page it is of a form of several pages. Default none: it is a form by itself.
    pub document: Placed<RawDocument>,
    /// The unit of all coordinates. Default \"mm\".
    pub unit: Placed<RawUnit>,
    /// Width and height of the page.
    pub page: Placed<[f64; 2]>,
    /// Whether the picture as a whole is the one field, and nothing is printed on it. Default false.
    pub whole_image: Placed<bool>,
    /// Printed lines, [x0, y0, x1, y1] each, except the frames of fields. Default none.
    #[serde(default)]
    pub lines: Vec<Quad>,
    /// Printed frames that are not fields, [left, top, width, height] each. Default none.
    #[serde(default)]
    pub frames: Vec<Quad>,
    /// Solid printed areas, [left, top, width, height] each. Default none.
    #[serde(default)]
    pub marks: Vec<Quad>,
    /// Printed words. Default none.
    #[serde(default)]
    pub words: Vec<Spanned<RawWord>>,
    /// Areas with other print, such as captions and logos, [left, top, width, height] each. Default none.
    #[serde(default)]
    pub print: Vec<Quad>,
    /// Whether all that is printed is declared: any other ink then sends the page to review. Default false.
    pub print_is_complete: Placed<bool>,
    /// Areas for anything, such as a signature or a stamp, [left, top, width, height] each. Default none.
    #[serde(default)]
    pub free: Vec<Quad>,
    /// Barcodes that distinguish the form from others with the same layout. Default none.
    #[serde(default, rename = "barcode")]
    pub barcodes: Vec<Spanned<RawBarcode>>,
    /// Numbers in plain digits that distinguish the form from others with the same layout. Default none.
    #[serde(default, rename = "number")]
    pub numbers: Vec<Spanned<RawNumber>>,
    /// Rules that a correctly filled form satisfies: \"total = part_a + part_b\", \"if a > 0 then b > 0\". Default none.
    #[serde(default)]
    pub rules: Vec<Spanned<String>>,
    /// The numbers on the form, in the order of the table's columns.
    #[serde(default, rename = "field")]
    #[schemars(length(min = 1))]
    pub fields: Vec<Spanned<RawField>>,
}

/// A page of a form of several pages: { name = \"tax-return-2026\", page = 2, of = 3 }.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDocument {
    /// The document's name in the tables, the same on each of its pages: as a form's.
    #[schemars(extend("pattern" = "^[A-Za-z0-9][A-Za-z0-9_-]*$"))]
    pub name: Spanned<String>,
    /// The page, from 1. Pages without a field are not counted.
    #[schemars(extend("minimum" = 1, "maximum" = MAX_DOCUMENT_PAGES))]
    pub page: Spanned<i64>,
    /// How many pages there are, 1 to 100.
    #[schemars(extend("minimum" = 1, "maximum" = MAX_DOCUMENT_PAGES))]
    pub of: Spanned<i64>,
}

/// \"mm\", or { dpi = 300 } for pixels of that resolution.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "unit must be \"mm\" or { dpi = 300 }")]
pub(super) enum RawUnit {
    Name(#[schemars(extend("enum" = ["mm"]))] String),
    Pixels(RawPixels),
}

/// Pixels of a resolution.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPixels {
    /// Dots per inch, 10 to 4800.
    #[schemars(range(min = 10.0, max = 4800.0))]
    pub dpi: f64,
}

/// A printed word or a line of words.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWord {
    /// Its ink: [left, top, width, height].
    pub at: Quad,
    /// Its text; drawn by synth, never read. Default none.
    #[serde(default)]
    pub text: String,
}

/// A printed barcode, the same on every page of the form except for the part that a * matches.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["at", "symbology", "says"]))]
pub(super) struct RawBarcode {
    /// Its ink, without the white around it: [left, top, width, height].
    pub at: Option<Quad>,
    /// Its symbology.
    #[schemars(extend("enum" = SYMBOLOGIES))]
    pub symbology: Placed<String>,
    /// Its text. A * matches any characters or none, such as a number that differs from page to page.
    #[schemars(extend("minLength" = 1, "maxLength" = 80))]
    pub says: Placed<String>,
}

/// A form's number in plain digits, the same on every page of the form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["at", "says"]))]
pub(super) struct RawNumber {
    /// Its ink, from the first digit to the last: [left, top, width, height].
    pub at: Option<Quad>,
    /// Its text: 2 to 12 digits. Hyphens, points and spaces between them are drawn by synth, never read.
    #[schemars(extend("pattern" = "^[0-9][0-9. -]*[0-9]$", "maxLength" = 24))]
    pub says: Placed<String>,
}

/// One number to be read.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["name", "kind"]))]
pub(super) struct RawField {
    /// Column of the table, unique in the template: letters, digits and underscores.
    #[schemars(extend("pattern" = "^[A-Za-z0-9_]+$"))]
    pub name: Placed<String>,
    /// The kind of its number.
    #[schemars(extend("enum" = KINDS))]
    pub kind: Placed<String>,
    /// Of an amount: digits after the decimal point, 0 to 4. Default 2.
    #[schemars(extend("minimum" = 0, "maximum" = 4))]
    pub decimals: Placed<i64>,
    /// Of an amount: how the place of the decimal point is known. Default \"implied\": they are always written.
    #[schemars(extend("enum" = POINTS))]
    pub point: Placed<String>,
    /// Of an integer or amount: whether it may be negative. Default false.
    pub signed: Placed<bool>,
    /// Whether points, dashes and other small signs beside and among the digits are ignored, as in `12,-` or `03-1234`.
    /// Otherwise a number with a sign that its kind does not allow awaits review. Default false.
    pub ignore_punctuation: Option<bool>,
    /// Of a date: the order of day, month and year.
    #[schemars(extend("enum" = ORDERS))]
    pub order: Placed<String>,
    /// Of a date: two-digit years from this value up are 19xx, below it 20xx; 0 to 100. Default 50.
    #[schemars(extend("minimum" = 0, "maximum" = 100))]
    pub pivot: Placed<i64>,
    /// Of a mark or a choice: what a box that is filled all over means. Default \"retracted\".
    #[schemars(extend("enum" = FILLED))]
    pub filled: Placed<String>,
    /// Of a choice: what each of its cells means, in their order: [\"A\", \"B\", \"C\"]. Letters and digits.
    #[schemars(extend("items" = { "type": "string", "pattern": "^[A-Za-z0-9]+$" }, "minItems" = 2, "maxItems" = 64))]
    pub values: Placed<Vec<Spanned<String>>>,
    /// Its place: cells of one size in a row. One of comb, cells and box.
    pub comb: Placed<RawComb>,
    /// Its place: cells from left to right, of a choice in any order, [left, top, width, height] each. One of comb, cells and box.
    #[schemars(extend("minItems" = 1, "maxItems" = 64))]
    pub cells: Placed<Vec<Quad>>,
    /// Its place: a box in which it is written freely, [left, top, width, height]. One of comb, cells and box.
    #[serde(rename = "box")]
    pub frame: Option<Quad>,
    /// Which sides of its frame are printed. Default all.
    #[schemars(extend("items" = { "type": "string", "enum": SIDES }))]
    pub printed: Placed<Vec<Spanned<String>>>,
    /// How many digits it has: a number, or [min, max]. Default by kind and cells.
    pub digits: Placed<RawDigits>,
    /// Characters, not digits, that fill unused cells. Default none.
    #[serde(default)]
    #[schemars(extend("items" = { "type": "string", "enum": FILLERS }))]
    pub fillers: Vec<Spanned<String>>,
    /// The value of a field with fillers alone, such as \"0\". Default: it is blank.
    #[schemars(extend("pattern" = "^[0-9.-]+$"))]
    pub fillers_mean: Placed<String>,
    /// Whether it may not be blank. Default false.
    pub required: Placed<bool>,
    /// Of an integer or amount: smallest and largest value. Default any.
    pub range: Placed<[f64; 2]>,
    /// The only allowed values, as in the table. Default any.
    #[serde(default)]
    #[schemars(extend("items" = { "type": "string", "pattern": "^[0-9.-]+$" }))]
    pub allowed: Vec<Spanned<String>>,
    /// Of a code: how its check digit follows from the others. Default none.
    #[schemars(extend("enum" = CHECK_DIGITS))]
    pub check_digit: Placed<String>,
}

/// Cells of one size in a row.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawComb {
    /// Left top corner of the first cell.
    pub at: Spanned<[f64; 2]>,
    /// Width and height of a cell.
    pub cell: Spanned<[f64; 2]>,
    /// Cells in each group, from left to right: [3, 2, 4].
    pub groups: Spanned<Vec<i64>>,
    /// From one cell's left side to the next one's. Default the cell's width: the cells touch.
    pub pitch: Placed<f64>,
    /// Added between groups. Default 0.
    pub gap: Placed<f64>,
}

/// A number of digits, or the smallest and the largest.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "digits must be a number or [min, max]")]
pub(super) enum RawDigits {
    Exactly(i64),
    Between([i64; 2]),
}
