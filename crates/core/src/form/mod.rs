//! Templates: a form's printed landmarks and its fields, in millimetres from the page's left top corner.

mod barcode;
mod checks;
mod document;
mod kind;
mod known;
mod lines;
mod number;
mod other_fields;
mod overlap;
mod parse;
mod raw;
mod rules;
mod schema;
pub mod source;

use serde::Serialize;

use formread_raster::{
    geometry::{Point, Rect, Segment},
    hash::{Sha256, sha256},
};

pub use barcode::Barcode;
pub use checks::{CheckDigit, FieldChecks};
pub use document::{DocumentFault, document_fault};
pub use document::{DocumentPage, check_documents};
pub use kind::DEFAULT_PIVOT;
pub use known::known_templates;
pub use lines::TemplateLines;
pub use number::Number;
pub use other_fields::{OtherField, check_other_fields};
pub use parse::parse_template;
pub use parse::{MAX_BOX_DIGITS, MAX_CELLS, MAX_FIELDS, RESERVED_NAMES};
pub use raw::MAX_DOCUMENT_PAGES;
pub use rules::{Bounds, Comparison, Relation, Rule, Sum};
pub use schema::template_schema;

/// A form, as it is printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormTemplate {
    /// Unique among the known templates: `c1-2019`.
    pub name: String,
    /// One line for a person.
    pub title: String,
    /// Which printing of the form or which state of its template this is, for people. It changes no reading, so it is not part
    /// of the canonical form.
    #[serde(skip)]
    pub version: Option<String>,
    /// Which page of a form of several pages it is; `None` for a form by itself.
    pub document: Option<DocumentPage>,
    /// How the template is laid on a page.
    pub layout: PageLayout,
    /// Barcodes that distinguish it from forms with the same layout.
    pub barcodes: Vec<Barcode>,
    /// Numbers in plain digits that do the same.
    pub numbers: Vec<Number>,
    /// Fields in the order of the table's columns.
    pub fields: Vec<Field>,
    /// Rules between fields. Reading chooses and checks values by them; `synth` draws values that satisfy those between fields of
    /// this form alone.
    pub rules: Vec<Rule>,
    /// The fields of other forms that rules name, each once.
    pub other_fields: Vec<OtherField>,
}

/// How a template is laid on a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum PageLayout {
    /// A printed form that is registered by its landmarks.
    Printed(Landmarks),
    /// The image as a whole is the one field; there is nothing to register. The field's layout is a box without printed sides
    /// whose frame is the unit square: the image's sides are the unit.
    WholeImage,
}

/// Everything printed, and where people may write, in millimetres. What was added later is left out of the canonical form
/// where it is empty, so that fingerprints stay.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Landmarks {
    /// Page width and height.
    pub page: Rect,
    /// Printed lines, from left to right or from top to bottom: with the sides of frames that are not fields.
    /// The printed frames of fields are not repeated here; [`FormTemplate::printed_lines`] adds them.
    pub lines: Vec<Segment>,
    /// Solid printed areas: registration marks and bars.
    pub marks: Vec<Rect>,
    /// Printed words.
    pub words: Vec<Word>,
    /// Other areas with print, such as captions and logos. Registration does not use them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub print: Vec<Rect>,
    /// Whether all that is printed is declared: any other ink on the page is then writing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub print_is_complete: bool,
    /// Areas in which anything may be written: for a signature, a stamp, the office's use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub free: Vec<Rect>,
}

/// A printed word or a line of words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Word {
    /// Its ink's bounding box, millimetres.
    pub bounds: Rect,
    /// Its text: drawn by `synth`, never read by registration. Empty where it does not matter.
    pub text: String,
}

/// One number to be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Column name, unique in the template.
    pub name: String,
    /// The kind of its number.
    pub kind: FieldKind,
    /// Where its digits are written.
    pub layout: FieldLayout,
    /// How many digits it may hold. For a comb the cells set the upper bound.
    pub digits: DigitCount,
    /// Characters, not digits, that fill unused cells.
    pub fillers: Vec<Filler>,
    /// The value of a field with fillers alone; `None`: it is blank.
    pub fillers_mean: Option<String>,
    /// Whether its number may be negative: a minus before it, or parentheses around it.
    pub is_signed: bool,
    /// Whether points, dashes and other small signs beside and among its digits are ignored. Otherwise a number with one that
    /// its kind does not allow is not accepted.
    pub ignores_punctuation: bool,
    /// The checks that its value must pass.
    pub checks: FieldChecks,
}

/// The kind of number in a field. It decides the canonical form of the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum FieldKind {
    /// A whole number, without leading zeros.
    Integer,
    /// Money or a measure, of which the last `decimals` digits are after the point.
    Amount {
        /// Digits after the decimal point, 0 to 4.
        decimals: usize,
        /// How the place of that point is known.
        point: DecimalPoint,
    },
    /// A code, with every digit it was written with.
    Code,
    /// A date of day, month and year digits in the order given.
    Date {
        /// Order of the parts; the year has the digits that are left over (2 or 4).
        order: DateOrder,
        /// A two-digit year below this is 20xx, from this value up 19xx.
        pivot: u32,
    },
    /// A box to be ticked or crossed: `1` where it is marked, blank where nothing is written.
    Mark {
        /// Whether a box that is filled all over counts as marked. Otherwise its mark was retracted: `0`.
        filled_counts: bool,
    },
    /// Boxes of which one is to be marked, such as the row of bubbles of an answer. The value is the name of that box.
    Choice {
        /// The name of each box, in the order of the cells.
        values: Vec<String>,
        /// As of a mark, for each box.
        filled_counts: bool,
    },
}

impl FieldKind {
    /// Its word in templates.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Amount { .. } => "amount",
            Self::Code => "code",
            Self::Date { .. } => "date",
            Self::Mark { .. } => "mark",
            Self::Choice { .. } => "choice",
        }
    }

    /// Whether its boxes are to be marked: then no digits are read.
    pub fn is_marked(&self) -> bool {
        matches!(self, Self::Mark { .. } | Self::Choice { .. })
    }

    /// Whether a box that is filled all over counts as marked.
    pub fn filled_counts(&self) -> bool {
        matches!(self, Self::Mark { filled_counts: true } | Self::Choice { filled_counts: true, .. })
    }
}

/// How the place of an amount's decimal point is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum DecimalPoint {
    /// By the number of decimals: they are always written, with a point or without one.
    #[default]
    Implied,
    /// By the comb: the last cells are those of the decimals, whatever they contain; an empty one counts as zero.
    Printed,
    /// By the writer's last point or comma with as many digits after it as there are decimals; a number without one is whole.
    Written,
}

/// Order of the parts of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DateOrder {
    /// 31 12 2026
    DayMonthYear,
    /// 12 31 2026
    MonthDayYear,
    /// 2026 12 31
    YearMonthDay,
}

/// Where a field's digits are written, in millimetres.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum FieldLayout {
    /// One cell a digit, in a row; every cell is a printed frame, shared with its neighbour where they touch.
    Comb {
        /// The cells from left to right. Coordinates are of the middles of the printed lines; one writes inside them.
        cells: Vec<Rect>,
        /// Which sides of the cells are printed.
        printed: PrintedSides,
    },
    /// One frame in which digits are written freely.
    Box {
        /// The frame. Coordinates are of the middles of the printed lines.
        frame: Rect,
        /// Which sides of the frame are printed.
        printed: PrintedSides,
    },
}

/// Which sides of a frame are printed. Registration settles on these, and segmentation removes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PrintedSides {
    /// Upper side.
    pub top: bool,
    /// Right side.
    pub right: bool,
    /// Lower side: a line to write on is a frame of which only this is printed.
    pub bottom: bool,
    /// Left side.
    pub left: bool,
    /// Between the cells of a comb.
    pub between: bool,
}

impl PrintedSides {
    /// All of them.
    pub const ALL: Self = Self { top: true, right: true, bottom: true, left: true, between: true };
    /// None of them.
    pub const NONE: Self = Self { top: false, right: false, bottom: false, left: false, between: false };
}

/// How many digits a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DigitCount {
    /// Fewest digits of a field that is not blank; at least 1.
    pub min: usize,
    /// Largest number of digits.
    pub max: usize,
}

/// A character, not a digit, that fills an unused cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Filler {
    /// `X`
    Cross,
    /// `-`
    Dash,
}

impl FieldLayout {
    /// The frame around all cells.
    pub fn bounds(&self) -> Rect {
        match self {
            Self::Comb { cells, .. } => {
                cells.iter().copied().reduce(Rect::union).expect("a parsed comb has at least one cell")
            }
            Self::Box { frame, .. } => *frame,
        }
    }

    /// The cells of a comb, or the frame as the one cell.
    pub fn cells(&self) -> &[Rect] {
        match self {
            Self::Comb { cells, .. } => cells,
            Self::Box { frame, .. } => std::slice::from_ref(frame),
        }
    }

    /// Which sides are printed.
    pub fn printed(&self) -> PrintedSides {
        match self {
            Self::Comb { printed, .. } | Self::Box { printed, .. } => *printed,
        }
    }

    /// The printed lines: horizontals run from left to right, verticals from top to bottom. A line that two cells share
    /// is given once.
    pub fn printed_lines(&self) -> Vec<Segment> {
        let (printed, cells) = (self.printed(), self.cells());
        let mut lines: Vec<Segment> = Vec::new();
        for (i, cell) in cells.iter().enumerate() {
            let [lt, rt, rb, lb] = cell.corners();
            let (first, last) = (i == 0, i + 1 == cells.len());
            let left = if first { printed.left } else { printed.between };
            let right = if last { printed.right } else { printed.between };
            let sides = [(printed.top, lt, rt), (printed.bottom, lb, rb), (left, lt, lb), (right, rt, rb)];
            for (is_printed, a, b) in sides {
                if is_printed {
                    push_line(&mut lines, Segment::new(a, b));
                }
            }
        }
        lines
    }
}

/// Adds `line`, joined to a line that it continues; a line that is there already is not added.
fn push_line(lines: &mut Vec<Segment>, line: Segment) {
    const SAME_MM: f64 = 0.05;
    let near = |p: Point, q: Point| (p - q).norm() < SAME_MM;
    if lines.iter().any(|l| near(l.a, line.a) && near(l.b, line.b)) {
        return;
    }
    let continued =
        lines.iter_mut().find(|l| near(l.b, line.a) && l.is_horizontal() == line.is_horizontal() && l.length() > 0.0);
    match continued {
        Some(l) => l.b = line.b,
        None => lines.push(line),
    }
}

impl Field {
    /// Whether it is a choice: its value is a name, not a number.
    pub fn is_choice(&self) -> bool {
        matches!(self.kind, FieldKind::Choice { .. })
    }

    /// The bounds of its number where it was not read.
    pub fn bounds(&self) -> Bounds {
        if self.is_signed { Bounds::ANY } else { Bounds::NOT_NEGATIVE }
    }
}

impl FormTemplate {
    /// The page, millimetres; of a template that takes the whole image, the unit in which its field is given.
    pub fn bounds(&self) -> Rect {
        match &self.layout {
            PageLayout::Printed(landmarks) => landmarks.page,
            PageLayout::WholeImage => Rect::from_edges(0.0, 0.0, 1.0, 1.0),
        }
    }

    /// SHA-256 of the template in canonical form: JSON with every value that it declares, by name, in millimetres. It does not
    /// depend on the file's layout or comments, nor on its `version`, from which nothing is read.
    pub fn fingerprint(&self) -> Sha256 {
        sha256(&serde_json::to_vec(self).expect("a template has no map, so JSON can express it"))
    }

    /// How many cells its fields have; a box is one.
    pub fn n_cells(&self) -> usize {
        self.fields.iter().map(|field| field.layout.cells().len()).sum()
    }

    /// The middle of the page, millimetres.
    pub fn centre(&self) -> Point {
        self.bounds().centre()
    }

    /// Every printed line of the form, its rules and its fields' frames, in millimetres.
    pub fn printed_lines(&self) -> Vec<Segment> {
        let mut lines = match &self.layout {
            PageLayout::Printed(landmarks) => landmarks.lines.clone(),
            PageLayout::WholeImage => Vec::new(),
        };
        for field in &self.fields {
            lines.extend(field.layout.printed_lines());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = \"t\"\ntitle = \"t\"\n";
    const BODY: &str = "page = [100, 100]\nlines = [[10, 20, 90, 20]]\nrules = [\"f >= 1\"]\n\
                        [[field]]\nname = \"f\"\nkind = \"integer\"\nbox = [5, 5, 40, 8]\n";

    fn fingerprint(text: &str) -> Sha256 {
        parse_template(text).expect("it is well formed").fingerprint()
    }

    #[test]
    fn fingerprint_of_other_text_and_version_is_the_same() {
        let plain = fingerprint(&format!("{HEAD}{BODY}"));
        for text in [
            format!("# a comment\n\n{HEAD}\n\n{BODY}"),
            format!("{HEAD}version = \"2026-03\"\n{BODY}"),
            format!("title = \"t\"\nname = \"t\"\nunit = \"mm\"\n{BODY}"),
        ] {
            assert_eq!(fingerprint(&text), plain, "{text}");
        }
    }

    #[test]
    fn fingerprint_of_any_other_value_differs() {
        let text = format!("{HEAD}{BODY}");
        let mut earlier = vec![fingerprint(&text)];
        for (from, to) in [
            ("name = \"t\"", "name = \"u\""),
            ("title = \"t\"", "title = \"u\""),
            ("[10, 20, 90, 20]", "[10, 20, 90, 20.000000001]"),
            ("rules =", "print = [[50, 50, 9, 4]]\nrules ="),
            ("rules =", "print_is_complete = true\nrules ="),
            ("rules =", "free = [[50, 50, 9, 4]]\nrules ="),
            ("f >= 1", "f >= 2"),
            ("f >= 1", "f  >= 1"),
            ("\"integer\"", "\"code\""),
            ("\"integer\"", "\"integer\"\nsigned = true"),
            ("\"integer\"", "\"integer\"\nrequired = true"),
            ("\"integer\"", "\"integer\"\ndigits = 3"),
            ("\"integer\"", "\"integer\"\nprinted = [\"bottom\"]"),
            ("[[field]]", "[[number]]\nat = [60, 5, 19, 4]\nsays = \"1040\"\n[[field]]"),
        ] {
            let other = fingerprint(&text.replacen(from, to, 1));
            assert!(!earlier.contains(&other), "{to}");
            earlier.push(other);
        }
    }
}
