//! Drafts a template from a page of a fillable PDF (AcroForm; ISO 32000-1, 12.7).
//!
//! The file contains the fields, their names, their formats and their sums. The printed frames, and the landmarks for
//! registration, are found as on a scan of the blank form.
//!
//! 1. `widgets` reads the fields of the page; `scripts` parses the generated scripts.
//! 2. `place` finds where each field is printed.
//! 3. `names` turns their names into names that a template may have.

mod names;
mod place;
mod scripts;
mod widgets;
#[cfg(test)]
mod written;

use std::collections::HashSet;

use super::{
    Draft, DraftField, WORDS_REASON, captions_of,
    cells::Cell,
    checked_name,
    fields::{FieldCandidate, Frame, in_reading_order},
    find_cells,
    ink::Ink,
    kinds::{Meaning, meanings},
    print::find_print,
    sheet::Sheet,
    spell, with_other_print,
};
use formread_core::form::{DEFAULT_PIVOT, DecimalPoint, DigitCount, FieldKind, FieldLayout, MAX_BOX_DIGITS};
use formread_page::{
    Limits, catch_panic,
    pdf::{Document, RENDER_DPI, is_pdf, render, text_of},
};
use formread_raster::{
    error::{self, Error, Result},
    geometry::{MM_PER_INCH, Projection},
};
use place::{add_frames, printed_field};
use scripts::Format;
use widgets::{Form, InputKind, Sum, Widget, read_form};

/// Pixels per millimetre of a rendered page.
const PX_PER_MM: f64 = RENDER_DPI / MM_PER_INCH;

/// Drafts the template `name` from the page at `page_idx` (0-based) of a fillable PDF. `None` if the bytes are no PDF, or the
/// page has no field for handwriting.
///
/// - A comb keeps its cells, any other text becomes a box, and a check box or radio button becomes a tick box.
/// - Lines printed within 2 mm of the rectangle of a field are its frame.
/// - A number format makes the field an amount or an integer. A date format makes it a date, if a comb has room for one.
/// - Sums become rules. Names are those of the file, without characters that a column may not have.
/// - Read-only fields that are not calculated, push buttons, choices, signatures and texts of several lines are left out.
///
/// No script is run. The sheet of the draft is the page as a viewer shows it, without typed text, rendered at 300 dpi.
///
/// # Errors
/// `Usage` if `name` is no name of a form; `Format` if the PDF is damaged, has no such page, or the page is too small or too
/// large for a form; `Unsupported` if it is encrypted or cannot be rendered; `Limit` if it exceeds `limits` or has more
/// fields than a template may.
pub fn draft_fillable(bytes: &[u8], page_idx: usize, name: &str, limits: &Limits) -> Result<Option<Draft>> {
    let name = checked_name(name)?;
    if !is_pdf(bytes) {
        return Ok(None);
    }
    let read = catch_panic(error::Format::Pdf, || {
        let document = Document::open(bytes, limits)?;
        let page = document.page(page_idx).ok_or_else(|| Error::format(error::Format::Pdf, "no such page"))?;
        let form = read_form(&document, page)?;
        if form.widgets.is_empty() {
            return Ok(None);
        }
        // a frame may belong to the widget and not to the page; but typed text hides cells: search in both pictures
        let blank = render(page, !form.is_filled, limits)?;
        let filled = if form.is_filled { Some(render(page, true, limits)?) } else { None };
        Ok(Some((form, blank, filled, text_of(page)?)))
    })?;
    let Some((Form { widgets, sums, .. }, blank, filled, text)) = read else { return Ok(None) };

    let sheet = |pixels| Sheet { pixels, px_per_mm: PX_PER_MM, page_from_sheet: Projection::IDENTITY };
    let frames_of = |cells: &[Cell]| cells.iter().map(|cell| Frame::new(cell, PX_PER_MM)).collect::<Vec<_>>();
    let filled_frames =
        filled.map(sheet).map(|filled| frames_of(&find_cells(&Ink::new(&filled), &Ink::faint(&filled))));
    let sheet = sheet(blank);
    let ink = Ink::new(&sheet);
    let cells = find_cells(&ink, &Ink::faint(&sheet));
    let print = find_print(&sheet, &ink, &cells);
    let mut frames = frames_of(&cells);
    add_frames(&mut frames, filled_frames.into_iter().flatten());
    let mut placed: Vec<(Widget, FieldCandidate)> = widgets
        .into_iter()
        .map(|widget| {
            let found = printed_field(&widget, &frames, &print.lines);
            (widget, found)
        })
        .collect();
    in_reading_order(&mut placed, |(_, found)| found.layout.bounds());
    let found: Vec<FieldCandidate> = placed.iter().map(|(_, found)| found.clone()).collect();
    let widgets: Vec<&Widget> = placed.iter().map(|(widget, _)| widget).collect();
    let captions = captions_of(&text.words, &found);
    let names = names::field_names(&widgets, &captions);
    let meanings = meanings(&found, &captions, &ink);
    let (rules, summed) = sum_rules(&sums, &widgets, &names);
    let is_for_words = |i: &usize| meanings[*i].is_words && widgets[*i].format.is_none() && !summed.contains(i);
    let has_numbers = (0..found.len()).any(|i| !is_for_words(&i));
    let (out, kept): (Vec<usize>, Vec<usize>) = (0..found.len()).partition(|i| has_numbers && is_for_words(i));
    let shown: Vec<FieldCandidate> = kept.iter().map(|i| found[*i].clone()).collect();
    let mut landmarks = print.landmarks(&sheet, &shown);
    landmarks.free = out.iter().map(|i| found[*i].layout.bounds()).collect();
    let mut landmarks = with_other_print(landmarks, &ink, &shown);
    spell(&mut landmarks, &text.words);
    let field = |i: &usize| {
        draft_field(widgets[*i], names[*i].clone(), found[*i].clone(), meanings[*i].clone(), summed.contains(i))
    };
    let fields = kept.iter().map(field).collect();
    let left_out = out.iter().map(|i| (field(i), WORDS_REASON.to_owned())).collect();
    let draft = Draft {
        title: format!("{name}, drafted"),
        name,
        document: None,
        landmarks,
        fields,
        writing_lines: Vec::new(),
        left_out,
        flaws: Vec::new(),
        rules,
        has_ocr_names: false,
        n_pages: 1,
        px_per_mm: PX_PER_MM,
        page_from_template: Projection::scaling(PX_PER_MM, PX_PER_MM),
        sheet: sheet.pixels,
    };
    let blank = draft.blank();
    draft.proved(&blank).map(Some)
}

/// The field `name` of `widget`.
fn draft_field(widget: &Widget, name: String, found: FieldCandidate, meaning: Meaning, is_summed: bool) -> DraftField {
    let plain = DraftField::new(name, found, meaning);
    let kind = field_kind(widget, &plain, is_summed);
    let is_date = matches!(kind, FieldKind::Date { .. });
    let digits = match (&widget.input, &plain.layout) {
        (InputKind::Text { max_len: Some(n) }, FieldLayout::Box { .. }) if !is_date => {
            Some(DigitCount { min: 1, max: (*n).min(MAX_BOX_DIGITS) })
        }
        _ if is_date => None,
        _ => plain.digits,
    };
    DraftField { kind, digits, ..plain }
}

fn field_kind(widget: &Widget, field: &DraftField, is_summed: bool) -> FieldKind {
    let is_long_enough = match &field.layout {
        FieldLayout::Comb { cells, .. } => matches!(cells.len(), 6 | 8),
        FieldLayout::Box { .. } => true,
    };
    match widget.format {
        _ if matches!(widget.input, InputKind::Tick { .. }) => field.kind.clone(),
        Some(Format::Number { decimals: 0 }) => FieldKind::Integer,
        Some(Format::Number { decimals }) => FieldKind::Amount { decimals, point: DecimalPoint::default() },
        Some(Format::Date(order)) if is_long_enough => FieldKind::Date { order, pivot: DEFAULT_PIVOT },
        _ if is_summed && field.kind == FieldKind::Code => FieldKind::Integer,
        _ => field.kind.clone(),
    }
}

/// The sums as rules, if all of their fields are on the page; and the indices of the fields in them.
fn sum_rules(sums: &[Sum], widgets: &[&Widget], names: &[String]) -> (Vec<String>, HashSet<usize>) {
    let full_names: Vec<String> = widgets.iter().map(|widget| widget.full_name()).collect();
    let idx_of = |name: &str| full_names.iter().position(|full_name| full_name == name);
    let (mut rules, mut summed) = (Vec::new(), HashSet::new());
    for Sum { total, terms } in sums {
        let parts: Option<Vec<usize>> = terms.iter().map(|term| idx_of(&term.name)).collect();
        let Some((total, parts)) = idx_of(total).zip(parts).filter(|(total, parts)| !parts.contains(total)) else {
            continue;
        };
        let mut rule = format!("{} =", names[total]);
        for (i, (part, term)) in parts.iter().zip(terms).enumerate() {
            rule += match (i, term.is_minus) {
                (0, false) => " ",
                (_, false) => " + ",
                (_, true) => " - ",
            };
            rule += &names[*part];
        }
        rules.push(rule);
        summed.extend(parts);
        summed.insert(total);
    }
    (rules, summed)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::{
        written::{UNITS_PER_MM, Writer, action, fillable, outline, references, widget},
        *,
    };
    use crate::synth::{Degradations, GlyphStock, SynthOptions, synthesise};
    use formread_core::{
        form::{Field, FormTemplate, Landmarks, PageLayout, PrintedSides, Word, known_templates},
        register::{RegisterParams, identify},
    };
    use formread_page::Page;
    use formread_raster::geometry::{Point, Rect, Segment};

    /// Size of the small test pages, millimetres.
    const SMALL: [f64; 2] = [110.0, 80.0];
    const TEXT: &str = "/FT /Tx";

    #[track_caller]
    fn draft_of(bytes: &[u8]) -> Draft {
        let draft = draft_fillable(bytes, 0, "again", &Limits::default()).expect("it can be drawn");
        draft.expect("it has fields")
    }

    fn tax_return() -> FormTemplate {
        let known = known_templates().expect("known templates parse");
        known.into_iter().find(|form| form.name == "tax-return").expect("it is known")
    }

    fn names(draft: &Draft) -> Vec<&str> {
        draft.fields.iter().map(|field| field.name.as_str()).collect()
    }

    /// A small page with these widgets (bounds and dictionary entries), each with a printed frame.
    fn small(writer: &mut Writer, widgets: &[(Rect, String)], more: &str) -> (usize, Vec<usize>) {
        let content: String = widgets.iter().map(|(r, _)| outline(*r, SMALL[1])).collect();
        let numbers: Vec<usize> =
            widgets.iter().map(|(r, entries)| writer.add(widget(*r, SMALL[1], entries))).collect();
        (writer.page(SMALL, &content, &numbers, more), numbers)
    }

    /// Bounds of the `i`th field of a column.
    fn place(i: usize) -> Rect {
        Rect::from_xywh(20.0, 10.0 + 10.0 * i as f64, 30.0, 6.0)
    }

    fn small_file(entries: &[&str]) -> Vec<u8> {
        let mut writer = Writer::new();
        let widgets: Vec<(Rect, String)> =
            entries.iter().enumerate().map(|(i, entries)| (place(i), (*entries).to_owned())).collect();
        let (page, numbers) = small(&mut writer, &widgets, "");
        writer.finish(&[page], &format!("/Fields [{}]", references(&numbers)))
    }

    #[track_caller]
    fn assert_near(found: Rect, expected: Rect, max_mm: f64) {
        for (p, q) in found.corners().into_iter().zip(expected.corners()) {
            assert!((p - q).norm() <= max_mm, "{found:?} is not {expected:?}");
        }
    }

    /// Name, kind, whether it is a comb, number of cells and largest number of digits.
    fn summary(field: &Field) -> (&str, &FieldKind, bool, usize, usize) {
        let is_comb = matches!(field.layout, FieldLayout::Comb { .. });
        (&field.name, &field.kind, is_comb, field.layout.cells().len(), field.digits.max)
    }

    #[test]
    fn tax_return_is_restored_from_its_fillable_pdf() {
        let form = tax_return();
        let draft = draft_of(&fillable(&form));
        let drafted: FormTemplate = draft.template().expect("it is well formed");
        assert_eq!(
            drafted.fields.iter().map(summary).collect::<Vec<_>>(),
            form.fields.iter().map(summary).collect::<Vec<_>>()
        );
        for (found, field) in drafted.fields.iter().zip(&form.fields) {
            assert_eq!(found.layout.printed(), field.layout.printed(), "{}", field.name);
            for (cell, expected) in found.layout.cells().iter().zip(field.layout.cells()) {
                assert_near(*cell, *expected, 0.25);
            }
        }
        let texts = |form: &FormTemplate| form.rules.iter().map(|rule| rule.text.clone()).collect::<Vec<_>>();
        let sums: Vec<String> = texts(&form).into_iter().filter(|rule| !rule.contains("<=")).collect();
        assert_eq!(texts(&drafted), sums);
        let (PageLayout::Printed(found), PageLayout::Printed(printed)) = (&drafted.layout, &form.layout) else {
            panic!("both are printed");
        };
        assert_landmarks(found, printed);
    }

    /// Asserts that all printed lines of sufficient length are found, each alone or as a part of a longer one, and all words of
    /// more than one letter.
    #[track_caller]
    fn assert_landmarks(found: &Landmarks, printed: &Landmarks) {
        assert_near(found.page, printed.page, 0.1);
        for line in printed.lines.iter().filter(|line| line.length() > 9.5) {
            let is_it = |other: &&Segment| {
                let is_on = |p: Point| (p - other.a).cross(other.direction()).abs() <= 0.25;
                let along = |p: Point| (p - other.a).dot(other.direction());
                is_on(line.a) && is_on(line.b) && along(line.a) >= -0.5 && along(line.b) <= other.length() + 0.5
            };
            assert!(found.lines.iter().any(|other| is_it(&other)), "{line:?} is not in {:?}", found.lines);
        }
        for word in printed.words.iter().filter(|word| word.text.len() > 1) {
            let is_it = |other: &Word| other.bounds.intersection(word.bounds).is_some();
            assert!(found.words.iter().any(is_it), "{word:?} is not in {:?}", found.words);
        }
    }

    /// On a scan of the blank form, the fields lie where the draft has them.
    #[test]
    fn scan_of_form_registers_on_draft() {
        let form = tax_return();
        let template = draft_of(&fillable(&form)).template().expect("it is well formed");
        let stock = (0..10).map(|digit| (GrayImage::from_pixel(9, 9, Luma([255])), digit, None));
        let stock = GlyphStock::new(stock).expect("every digit is there");
        let degradations = Degradations { skew_degrees: 1.5, shift: 0.02, blur: 0.2, noise: 0.2, ..Degradations::NONE };
        let options = SynthOptions { dpi: 200.0, blanks: 1.0, fillers: 0.0, degradations, ..SynthOptions::default() };
        let drawn = synthesise(&form, &stock, &options, 1).expect("the options are in range");
        let page = Page::upright(drawn.image, Some(200.0));
        let (_, registration) = identify(&page, std::slice::from_ref(&template), &RegisterParams::default())
            .unwrap_or_else(|failure| panic!("{failure:?}"));
        for ((found, expected), placed) in template.fields.iter().zip(&form.fields).zip(&registration.fields) {
            let corners = |field: &Field| field.layout.cells().iter().flat_map(|c| c.corners()).collect::<Vec<Point>>();
            for (p, q) in corners(found).into_iter().zip(corners(expected)) {
                let off = (placed.locate(p) - drawn.page_from_template.apply(q)).norm();
                assert!(off <= 3.0, "{}: {off} pixels", expected.name);
            }
        }
    }

    #[test]
    fn rotation_crop_and_user_unit_are_applied() {
        let frame = Rect::from_xywh(20.0, 10.0, 30.0, 6.0);
        let [width, height] = SMALL;
        let turned = [
            (0, frame),
            (90, Rect::from_edges(height - frame.y1, frame.x0, height - frame.y0, frame.x1)),
            (180, Rect::from_edges(width - frame.x1, height - frame.y1, width - frame.x0, height - frame.y0)),
            (270, Rect::from_edges(frame.y0, width - frame.x1, frame.y1, width - frame.x0)),
        ];
        let drafted = |more: &str| {
            let mut writer = Writer::new();
            let (page, _) = small(&mut writer, &[(frame, format!("{TEXT} /T (a)"))], more);
            let draft = draft_of(&writer.finish(&[page], ""));
            let [field] = &draft.fields[..] else { panic!("fields: {:?}", draft.fields) };
            (field.layout.bounds(), draft.landmarks.page)
        };
        for (degrees, expected) in turned {
            let (bounds, page) = drafted(&format!("/Rotate {degrees}"));
            assert_near(bounds, expected, 0.2);
            let size = if degrees % 180 == 0 { SMALL } else { [height, width] };
            assert_near(page, Rect::from_xywh(0.0, 0.0, size[0], size[1]), 0.1);
        }
        // 36 units (half an inch) are cropped on the left, 18 at the top; a user unit of 1.25 enlarges everything
        let crop = |unit: f64| {
            let (right, top) = (SMALL[0] * UNITS_PER_MM, SMALL[1] * UNITS_PER_MM - 18.0);
            drafted(&format!("/CropBox [36 0 {right} {top}] /UserUnit {unit}"))
        };
        let cropped = Rect::from_xywh(frame.x0 - 12.7, frame.y0 - 6.35, 30.0, 6.0);
        assert_near(crop(1.0).0, cropped, 0.2);
        let [x, y, w, h] = [cropped.x0, cropped.y0, 30.0, 6.0].map(|mm| mm * 1.25);
        assert_near(crop(1.25).0, Rect::from_xywh(x, y, w, h), 0.2);
    }

    #[test]
    fn nested_and_repeated_names_become_unique_and_entries_are_inherited() {
        let mut writer = Writer::new();
        let root = writer.add("<< /T (form) /FT /Tx /MaxLen 7 >>");
        let outer =
            writer.add(format!("<< /T (income) /Parent {root} 0 R /AA << {} >> >>", action("F", "AFNumber_Format(1)")));
        let twice = writer.add(format!("<< /T (twice) /Parent {root} 0 R >>"));
        let entries = [
            format!("/T (wages) /Parent {outer} 0 R"),
            format!("/T (wages) /Parent {root} 0 R"),
            format!("/Parent {twice} 0 R"),
            format!("/Parent {twice} 0 R"),
            format!("/T <feff007300750063006800e4> /Parent {root} 0 R"),
        ];
        let widgets: Vec<(Rect, String)> = entries.into_iter().enumerate().map(|(i, e)| (place(i), e)).collect();
        let (page, _) = small(&mut writer, &widgets, "");
        let draft = draft_of(&writer.finish(&[page], ""));
        assert_eq!(names(&draft), ["income_wages", "wages", "twice", "twice_2", "sucha"]);
        assert_eq!(draft.fields[0].kind, FieldKind::Amount { decimals: 1, point: DecimalPoint::default() });
        assert_eq!(draft.fields[1].kind, FieldKind::Code);
        assert!(draft.fields.iter().all(|field| field.digits == Some(DigitCount { min: 1, max: 7 })));
    }

    /// The typed text of one field hides its cells; the frame of the other belongs to its widget.
    #[test]
    fn filled_form_is_drafted_like_blank_one() {
        let cells: Vec<Rect> = (0..4).map(|i| Rect::from_xywh(20.0 + 5.0 * f64::from(i), 10.0, 5.0, 6.0)).collect();
        let content: String = cells.iter().map(|cell| outline(*cell, SMALL[1])).collect();
        let mut writer = Writer::new();
        let mut appearance = |[width, height]: [f64; 2], drawing: &str| {
            let [width, height] = [width, height].map(|mm| mm * UNITS_PER_MM);
            let resources = "/Resources << /Font << /F1 3 0 R >> >>";
            writer.add(format!(
                "<< /Subtype /Form /BBox [0 0 {width} {height}] {resources} /Length {} >>\nstream\n{drawing}\nendstream",
                drawing.len()
            ))
        };
        let typed = appearance([20.0, 6.0], "BT /F1 16 Tf 3 3 Td (8) Tj 14 0 Td (8) Tj ET");
        let framed = appearance([30.0, 6.0], "1 w 0.5 0.5 84 16 re S");
        let comb = Rect::from_xywh(20.0, 10.0, 20.0, 6.0);
        let entries = format!("{TEXT} /T (a) /Ff {} /MaxLen 4 /V (88) /AP << /N {typed} 0 R >>", 1 << 24);
        let own = format!("{TEXT} /T (b) /AP << /N {framed} 0 R >>");
        let numbers = [
            writer.add(widget(comb, SMALL[1], &entries)),
            writer.add(widget(Rect::from_xywh(20.0, 30.0, 30.0, 6.0), SMALL[1], &own)),
        ];
        let page = writer.page(SMALL, &content, &numbers, "");
        let draft = draft_of(&writer.finish(&[page], ""));
        let [a, b] = &draft.fields[..] else { panic!("fields: {:?}", draft.fields) };
        assert_eq!((a.layout.cells().len(), a.layout.printed()), (4, PrintedSides::ALL));
        for (cell, expected) in a.layout.cells().iter().zip(&cells) {
            assert_near(*cell, *expected, 0.2);
        }
        assert_eq!(b.layout.printed(), PrintedSides::ALL);
        assert!(draft.landmarks.words.is_empty(), "{:?}", draft.landmarks.words);
    }

    #[test]
    fn check_boxes_and_radio_buttons_become_marks() {
        let mut writer = Writer::new();
        let empty = writer.stream("");
        let states = |on: &str| format!("/AP << /N << /{on} {empty} 0 R /Off {empty} 0 R >> >>");
        let radio = writer.add(format!("<< /T (sex) /FT /Btn /Ff {} >>", 1 << 15));
        let tick = |i: usize| Rect::from_xywh(20.0 + 12.0 * i as f64, 20.0, 4.0, 4.0);
        let widgets = [
            (tick(0), format!("/T (paid) /FT /Btn {}", states("Yes"))),
            (tick(1), format!("/Parent {radio} 0 R {}", states("M"))),
            (tick(2), format!("/Parent {radio} 0 R {}", states("F"))),
            (tick(3), format!("/T (send) /FT /Btn /Ff {}", 1 << 16)),
        ];
        let (page, _) = small(&mut writer, &widgets, "");
        let draft = draft_of(&writer.finish(&[page], ""));
        assert_eq!(names(&draft), ["paid", "sex_m", "sex_f"]);
        for (i, field) in draft.fields.iter().enumerate() {
            assert_eq!(field.kind, FieldKind::Mark { filled_counts: false });
            assert_near(field.layout.bounds(), tick(i), 0.2);
        }
    }

    #[test]
    fn fields_not_for_handwriting_are_left_out() {
        let out = [
            "/T (b) /FT /Tx /Ff 1".to_owned(),
            "/T (c) /FT /Sig".to_owned(),
            "/T (d) /FT /Ch".to_owned(),
            format!("/T (e) /FT /Tx /Ff {}", 1 << 12),
            "/T (f) /FT /Tx /F 2".to_owned(),
        ];
        let given: Vec<&str> = std::iter::once("/T (a) /FT /Tx").chain(out.iter().map(String::as_str)).collect();
        assert_eq!(names(&draft_of(&small_file(&given))), ["a"]);
        let nothing = draft_fillable(&small_file(&given[1..]), 0, "again", &Limits::default());
        assert!(nothing.expect("it is a page").is_none());
    }

    #[test]
    fn fields_of_other_pages_are_left_out_and_sums_across_pages_give_no_rule() {
        let mut writer = Writer::new();
        let sum = |names: &str| action("C", &format!("AFSimple_Calculate(\"SUM\", new Array ({names}));"));
        let first = [
            (place(0), format!("{TEXT} /T (a)")),
            (place(1), format!("{TEXT} /T (b)")),
            (place(2), format!("{TEXT} /T (total) /Ff 1 /AA << {} >>", sum("\"a\", \"b\""))),
            (place(3), format!("{TEXT} /T (grand) /AA << {} >>", sum("\"total\", \"other\""))),
            (place(4), format!("{TEXT} /T (self) /AA << {} >>", sum("\"self\", \"a\""))),
        ];
        let (page, numbers) = small(&mut writer, &first, "");
        let (other, _) = small(&mut writer, &[(place(0), format!("{TEXT} /T (other)"))], "");
        let bytes = writer.finish(&[page, other], &format!("/CO [{}]", references(&numbers[2..])));
        let draft = draft_of(&bytes);
        // the read-only field is kept because it is calculated
        assert_eq!(names(&draft), ["a", "b", "total", "grand", "self"]);
        assert_eq!(draft.rules, ["total = a + b"]);
        let kinds: Vec<&str> = draft.fields.iter().map(|field| field.kind.as_str()).collect();
        assert_eq!(kinds, ["integer", "integer", "integer", "code", "code"]);
        let second = draft_fillable(&bytes, 1, "again", &Limits::default()).expect("it is a page");
        assert_eq!(names(&second.expect("it has a field")), ["other"]);
        let beyond = draft_fillable(&bytes, 2, "again", &Limits::default()).expect_err("there are two");
        assert!(beyond.to_string().contains("no such page"), "{beyond}");
        let named = draft_fillable(&bytes, 0, "A Form", &Limits::default()).expect_err("no such name");
        assert!(named.to_string().contains("name of a form"), "{named}");
    }

    #[test]
    fn cyclic_and_excessive_objects_end_in_error_or_draft() {
        let mut writer = Writer::new();
        let (a, b) = (writer.add(""), writer.add(""));
        writer.set(a, format!("<< /T (a) /FT /Tx /Parent {b} 0 R /Kids [{b} 0 R {a} 0 R] >>"));
        writer.set(b, format!("<< /T (b) /Parent {a} 0 R /Kids [{a} 0 R] >>"));
        let widgets = [
            (place(0), format!("/T (in a circle) /Parent {a} 0 R")),
            (place(1), "/T (well) /FT /Tx /MaxLen 99999999999 /AA 7".to_owned()),
            (place(2), "/T (also) /FT /Tx /Ff 16777216 /MaxLen 2147483647".to_owned()),
            (place(3), format!("/T (again) /FT /Tx /Parent {} 0 R", 999_999)),
        ];
        let (page, _) = small(&mut writer, &widgets, "");
        let draft = draft_of(&writer.finish(&[page], &format!("/Fields [{a} 0 R] /CO [{a} 0 R {b} 0 R 7 null]")));
        assert_eq!(names(&draft), ["well", "also", "again"]);

        for (n, is_kept) in [(1_000, true), (1_001, false), (10_001, false)] {
            let mut writer = Writer::new();
            let numbers: Vec<usize> = (0..n).map(|_| writer.add(widget(place(0), SMALL[1], "/FT /Tx"))).collect();
            let page = writer.page(SMALL, "", &numbers, "");
            let result = draft_fillable(&writer.finish(&[page], ""), 0, "again", &Limits::default());
            assert_eq!(result.is_ok(), is_kept, "{n} fields");
        }
        // a widget that is listed many times is one field
        let mut writer = Writer::new();
        let one = writer.add(widget(place(0), SMALL[1], "/FT /Tx"));
        let page = writer.page(SMALL, "", &[one; 5_000], "");
        assert_eq!(draft_of(&writer.finish(&[page], "")).fields.len(), 1);
    }

    /// Whatever is missing, truncated or of another type, the result is an error or a valid template.
    #[test]
    fn damaged_file_is_error_or_template() {
        let script = action("F", "AFNumber_Format(2, 0);") + &action("C", "AFSimple_Calculate(\"SUM\", \"a, b\")");
        let entries = [
            "/T (a) /FT /Tx /Ff 16777216 /MaxLen 5".to_owned(),
            format!("/T (b) /FT /Tx /AA << {script} >>"),
            "/T (c) /FT /Btn /AP << /N << /On 3 0 R >> >>".to_owned(),
        ];
        let whole = small_file(&entries.each_ref().map(String::as_str));
        assert_eq!(draft_of(&whole).fields.len(), 3);
        let keys = [
            "/Rect",
            "/Subtype",
            "/FT",
            "/T ",
            "/Ff",
            "/MaxLen",
            "/AA",
            "/JS",
            "/S ",
            "/AP",
            "/N ",
            "/Annots",
            "/AcroForm",
            "/Contents",
            "/MediaBox",
            "/Parent",
            "/Kids",
            "/Type",
            "/Font",
            "/Root",
            "/Length",
            "xref",
            "endobj",
            "obj",
            ">>",
            "<<",
            "[",
            "]",
        ];
        let (mut n_drafted, mut n_other) = (0, 0);
        let mut tried = |bytes: &[u8]| match draft_fillable(bytes, 0, "again", &Limits::default()) {
            Ok(Some(draft)) => {
                draft.template().expect("a draft is a valid template");
                n_drafted += 1;
            }
            Ok(None) | Err(_) => n_other += 1,
        };
        for key in keys {
            let at = whole.windows(key.len()).position(|window| window == key.as_bytes()).expect("it is in the file");
            for junk in [b"/Zz", b"999", b"(( ", b"   "] {
                let mut damaged = whole.clone();
                let length = key.len().min(junk.len());
                damaged[at..at + length].copy_from_slice(&junk[..length]);
                tried(&damaged);
            }
        }
        for end in (0..whole.len()).step_by(97) {
            tried(&whole[..end]);
        }
        for (from, to) in [
            ("/Rect [", "/Rect [-1e99 1e99 0 "),
            ("/MediaBox [0 0", "/MediaBox [0 0 1e9 1e9 0"),
            ("/MediaBox [", "/UserUnit 1e30 /MediaBox ["),
        ] {
            let text = String::from_utf8_lossy(&whole).replacen(from, to, 1);
            tried(text.as_bytes());
        }
        assert!(n_drafted > 20 && n_other > 20, "{n_drafted} drafted, {n_other} not");
    }
}
