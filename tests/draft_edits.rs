//! What a person must change in a draft before its table is right, on a form of 30 fields in three columns.

use formread_core::form::{FieldKind, FieldLayout, parse_template};
use formread_page::{
    Page,
    pdf::{PageText, TextWord},
};
use formread_raster::geometry::Rect;
use formread_tools::{
    draft::{Draft, DraftField, Ocr, Words, draft},
    synth::print_blank,
};

const WIDTH: f64 = 210.0;
const HEIGHT: f64 = 297.0;
const LEFT: [f64; 3] = [14.0, 78.0, 142.0];
const TOP: f64 = 44.0;
const PITCH: f64 = 24.0;
/// A field lies where it was drawn if its corners are this near, millimetres.
const MAX_OFFSET_MM: f64 = 1.0;

/// A field of the form: its caption, its kind, and how it is laid out.
struct Drawn(&'static str, &'static str, Place);

/// Where its number is written.
#[derive(Clone, Copy)]
enum Place {
    /// A box of this width below its caption.
    Box(f64),
    /// Cells in groups below the caption.
    Comb(&'static [usize]),
    /// A box to tick before its words.
    Tick,
}

use Place::{Box as Free, Comb, Tick};

/// From top to bottom, column by column.
const COLUMNS: [[Drawn; 10]; 3] = [
    [
        Drawn("Customer number", "code", Comb(&[8])),
        Drawn("Postcode", "code", Comb(&[5])),
        Drawn("Date of birth (DD/MM/YYYY)", "date", Comb(&[2, 2, 4])),
        Drawn("Telephone", "code", Free(46.0)),
        Drawn("Number of persons", "integer", Comb(&[2])),
        Drawn("Children under 18", "integer", Comb(&[2])),
        Drawn("Living area in m2", "integer", Free(24.0)),
        Drawn("Year of construction", "integer", Comb(&[4])),
        Drawn("Owner", "mark", Tick),
        Drawn("Tenant", "mark", Tick),
    ],
    [
        Drawn("Rent per month", "amount", Free(34.0)),
        Drawn("Heating costs", "amount", Free(34.0)),
        Drawn("Electricity", "amount", Free(34.0)),
        Drawn("Water", "amount", Free(34.0)),
        Drawn("Insurance", "amount", Free(34.0)),
        Drawn("Total amount", "amount", Free(34.0)),
        Drawn("Gross income", "amount", Free(34.0)),
        Drawn("Tax paid", "amount", Free(34.0)),
        Drawn("Married", "mark", Tick),
        Drawn("Single", "mark", Tick),
    ],
    [
        Drawn("Meter number", "code", Comb(&[7])),
        Drawn("Reading, old", "integer", Comb(&[6])),
        Drawn("Reading, new", "integer", Comb(&[6])),
        Drawn("Consumption in kWh", "integer", Free(30.0)),
        Drawn("Days", "integer", Comb(&[3])),
        Drawn("Date of reading (DD MM YY)", "date", Comb(&[2, 2, 2])),
        Drawn("Account number", "code", Free(50.0)),
        Drawn("Bank code", "code", Comb(&[8])),
        Drawn("Direct debit", "mark", Tick),
        Drawn("Copy by post", "mark", Tick),
    ],
];

/// The fields where they are drawn: name, kind, caption and the text of the layout; and the captions' places.
fn form() -> (String, Vec<(&'static str, Rect)>) {
    let (mut fields, mut captions) = (String::new(), Vec::new());
    for (x, column) in LEFT.into_iter().zip(&COLUMNS) {
        for (row, Drawn(caption, kind, place)) in (0..).zip(column) {
            let y = TOP + PITCH * f64::from(row);
            let width = 1.9 * caption.len() as f64;
            let (layout, at) = match place {
                Free(width_mm) => (
                    format!("box = [{x}, {}, {width_mm}, 8]\ndigits = [1, 9]", y + 4.5),
                    Rect::from_xywh(x, y, width, 2.6),
                ),
                Comb(groups) => {
                    let gap = if groups.len() > 1 { ", gap = 2" } else { "" };
                    let at = format!("at = [{x}, {}], cell = [5.5, 7.5], groups = {groups:?}{gap}", y + 4.5);
                    (format!("comb = {{ {at} }}"), Rect::from_xywh(x, y, width, 2.6))
                }
                Tick => (format!("box = [{x}, {y}, 4, 4]"), Rect::from_xywh(x + 6.0, y + 0.7, width, 2.6)),
            };
            let order = if *kind == "date" { "order = \"dmy\"\n" } else { "" };
            fields += &format!("[[field]]\nname = \"f{}\"\nkind = \"{kind}\"\n{order}{layout}\n", captions.len());
            captions.push((*caption, at));
        }
    }
    let words: Vec<String> = captions
        .iter()
        .map(|(text, at)| {
            format!("{{ at = [{}, {}, {}, {}], text = {text:?} }}", at.x0, at.y0, at.width(), at.height())
        })
        .collect();
    let heading = "{ at = [14, 14, 90, 6], text = \"Statement of use\" }";
    let text = format!(
        "name = \"use\"\ntitle = \"Statement of use\"\npage = [{WIDTH}, {HEIGHT}]\nlines = [[14, 24, 196, 24], [14, 288, 196, 288]]\n\
         words = [{heading}, {}]\n{fields}",
        words.join(", ")
    );
    (text, captions)
}

/// The words of captions, as a PDF has them.
fn text_of(captions: &[(&str, Rect)]) -> PageText {
    let words = captions.iter().flat_map(|(text, at)| {
        let pitch = at.width() / text.len() as f64;
        let mut from = 0;
        text.split(' ').map(move |word| {
            let x0 = at.x0 + pitch * from as f64;
            from += word.len() + 1;
            TextWord {
                text: word.to_owned(),
                bounds: Rect::from_xywh(x0, at.y0, pitch * word.len() as f64, at.height()),
            }
        })
    });
    PageText { size: [WIDTH, HEIGHT], words: words.collect() }
}

/// What a person must change: in words, and whether it takes a number, such as a place on paper.
fn edits(draft: &Draft, names_count: bool) -> Vec<(String, bool)> {
    let (text, captions) = form();
    let form = parse_template(&text).expect("it is well formed");
    let corners = |layout: &FieldLayout| layout.cells().iter().flat_map(|cell| cell.corners()).collect::<Vec<_>>();
    let is_it = |layout: &FieldLayout, drafted: &DraftField| {
        let (drawn, found) = (corners(layout), corners(&drafted.layout));
        drawn.len() == found.len() && drawn.iter().zip(found).all(|(p, q)| (*p - q).norm() <= MAX_OFFSET_MM)
    };
    let mut edits = Vec::new();
    for (field, (caption, _)) in form.fields.iter().zip(&captions) {
        let Some(drafted) = draft.fields.iter().find(|drafted| is_it(&field.layout, drafted)) else {
            edits.push((format!("{caption}: draw it"), true));
            continue;
        };
        let is_kind = match (&field.kind, &drafted.kind) {
            // whether the point is written is a question of the form's use
            (FieldKind::Amount { decimals: a, .. }, FieldKind::Amount { decimals: b, .. }) => a == b,
            (FieldKind::Date { order: a, .. }, FieldKind::Date { order: b, .. }) => a == b,
            (a, b) => a.as_str() == b.as_str(),
        };
        if !is_kind {
            edits.push((format!("{caption}: {} and not {}", field.kind.as_str(), drafted.kind.as_str()), false));
        }
        let first_word = caption.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(caption);
        if names_count && !drafted.name.starts_with(&first_word.to_lowercase()) {
            edits.push((format!("{caption}: its name is {}", drafted.name), false));
        }
    }
    for drafted in &draft.fields {
        if !form.fields.iter().any(|field| is_it(&field.layout, drafted)) {
            edits.push((format!("{}: delete it", drafted.name), false));
        }
    }
    edits
}

/// The form, its blank as a scan at 300 dpi, and the places of its captions.
fn scanned() -> (Page, Vec<(&'static str, Rect)>) {
    let (text, captions) = form();
    let form = parse_template(&text).expect("it is well formed");
    assert_eq!(form.fields.len(), 30);
    (Page::upright(print_blank(&form, 300.0, 1).expect("the resolution is in range"), Some(300.0)), captions)
}

/// Fails if the draft of the form needs more than five edits, or a number. `names_count`: a name that a person must change is
/// an edit.
fn assert_few_edits(drafted: &Draft, names_count: bool) {
    let needed = edits(drafted, names_count);
    println!("{needed:#?}");
    assert!(drafted.holds() && needed.len() <= 5 && needed.iter().all(|(_, is_number)| !is_number), "{needed:#?}");
}

#[test]
fn form_of_30_fields_in_three_columns_needs_few_edits_and_no_number() {
    let (blank, captions) = scanned();
    // a PDF with its text
    let text = text_of(&captions);
    assert_few_edits(&draft(std::slice::from_ref(&blank), Words::Text(&text), "use").expect("it has fields"), true);
    // a scan whose words nobody reads: a person names the fields, from the picture
    let unread = draft(&[blank], Words::Unknown, "use").expect("it has fields");
    let needed = edits(&unread, false);
    println!("without text: {needed:#?}");
    assert!(unread.holds() && needed.iter().all(|(_, is_number)| !is_number), "{needed:#?}");
}

#[test]
#[ignore = "needs Tesseract: make test-ocr"]
fn scan_of_that_form_needs_few_edits_where_tesseract_reads_it() {
    let ocr = Ocr::with_languages("eng").expect("it is installed");
    assert_few_edits(&draft(&[scanned().0], Words::Ocr(&ocr), "use").expect("it has fields"), true);
}
