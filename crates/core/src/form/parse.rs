//! Parses the TOML text of a template into a checked template, in millimetres.

use std::{
    collections::HashSet,
    ops::{Range, RangeInclusive},
};

use super::{
    DigitCount, Field, FieldKind, FieldLayout, Filler, FormTemplate, Landmarks, PageLayout, PrintedSides, Rule, Word,
    barcode::parse_barcode,
    checks::parse_checks,
    document::parse_document,
    kind::{field_kind, is_signed},
    number::parse_number,
    other_fields::field_idx,
    raw::{Placed, RawComb, RawDigits, RawField, RawTemplate, RawUnit, Spanned},
    source::{Source, UnitConverter, is_field_name, is_made_of, reversed},
};
use formread_raster::{
    error::{Error, Format, Result},
    geometry::{MM_PER_INCH, Rect},
};

/// Largest template text, bytes.
const MAX_TEXT_BYTES: usize = 4 << 20;
/// Largest number of fields of a form: some tens fill a page.
pub const MAX_FIELDS: usize = 1_000;
/// Largest number of each of lines, frames, marks, words and rules.
const MAX_LANDMARKS: usize = 20_000;
/// Largest number of barcodes of a form, and of printed numbers. Usual are one, or one for the form and one for the page.
const MAX_IMPRINTS: usize = 8;
/// Largest number of cells of a comb.
pub const MAX_CELLS: usize = 64;
/// Largest number of digits in a box: those of a 64-bit integer.
pub const MAX_BOX_DIGITS: usize = 20;
/// Sides of a page, millimetres: from a stamp to a little more than A0.
const PAGE_SIDE_MM: RangeInclusive<f64> = 10.0..=2_000.0;
/// Resolutions in which a template may be measured.
const UNIT_DPI: RangeInclusive<f64> = 10.0..=4_800.0;
/// Longest version.
const MAX_VERSION_BYTES: usize = 64;
/// Names of the columns that every table has; no field may have one of them.
pub const RESERVED_NAMES: [&str; 5] = ["scan", "page", "form", "verdict", "attention"];

/// Parses a template. Errors name line and field.
///
/// # Errors
/// `Format` where the text is not a template.
pub fn parse_template(text: &str) -> Result<FormTemplate> {
    let source = Source { what: Format::Template, text };
    if text.len() > MAX_TEXT_BYTES {
        return Err(Error::format(Format::Template, format!("more than {MAX_TEXT_BYTES} bytes: {}", text.len())));
    }
    let raw: RawTemplate = toml::from_str(text).map_err(|error| source.toml_error(&error))?;

    let name = source.required(&raw.name, 0..0, "name", "name = \"tax-return\"")?;
    let name = source.table_name(name, "name")?;
    let title = source.required(&raw.title, 0..0, "title", "title = \"one line for a person\"")?.get_ref().clone();
    let document = raw.document.as_ref().map(|document| parse_document(source, document)).transpose()?;

    let (layout, units) = page_layout(source, &raw)?;
    let is_whole_image = layout == PageLayout::WholeImage;
    source.at_most(MAX_IMPRINTS, raw.barcodes.len(), "barcodes")?;
    let barcodes = raw.barcodes.iter().map(|raw| parse_barcode(source, &units, raw)).collect::<Result<_>>()?;
    source.at_most(MAX_IMPRINTS, raw.numbers.len(), "numbers")?;
    let numbers = raw.numbers.iter().map(|raw| parse_number(source, &units, raw)).collect::<Result<_>>()?;
    source.at_most(MAX_FIELDS, raw.fields.len(), "fields")?;
    let mut names = HashSet::new();
    let mut fields = Vec::with_capacity(raw.fields.len());
    for raw_field in &raw.fields {
        let field = parse_field(source, &units, is_whole_image, raw_field).map_err(|error| {
            match raw_field.get_ref().name.as_ref().filter(|name| is_field_name(name.get_ref())) {
                Some(name) => error.in_field(name.get_ref().clone()),
                None => error,
            }
        })?;
        if !names.insert(field.name.clone()) {
            let span = raw_field.get_ref().name.as_ref().map_or(raw_field.span(), Spanned::span);
            return Err(source
                .error(span, format!("name taken by a field above: {}", field.name), "each field needs its own")
                .in_field(field.name));
        }
        fields.push(field);
    }
    if fields.is_empty() {
        return Err(source.error(0..0, "no field", "add a [[field]] for each number on the form"));
    }
    if is_whole_image && fields.len() > 1 {
        let detail = format!("fields where the whole image is one: {}", fields.len());
        return Err(source.error(raw.fields[1].span(), detail, "leave one [[field]]"));
    }

    let mut other_fields = Vec::new();
    let mut rules = Vec::with_capacity(raw.rules.len());
    for rule in &raw.rules {
        let parsed =
            Rule::parse(rule.get_ref(), |name| field_idx(name, &fields, &mut other_fields)).map_err(|why| {
                let detail = format!("rule: {:?}: {why}", rule.get_ref());
                source.error(
                    rule.span(),
                    detail,
                    "a rule reads: total = part_a + part_b - 0.5 * part_c, or: if a > 0 then b > 0",
                )
            })?;
        if let Some(idx) = parsed.fields().into_iter().find(|idx| fields.get(*idx).is_some_and(Field::is_choice)) {
            let detail = format!("rule: {:?}: a choice is no number: {}", rule.get_ref(), fields[idx].name);
            return Err(source.error(rule.span(), detail, "rules are between numbers and marks"));
        }
        rules.push(Rule { line: source.line_of(rule.span().start), ..parsed });
    }
    let version = raw.version.as_ref().map(|version| parse_version(source, version)).transpose()?;
    Ok(FormTemplate { name, title, version, document, layout, barcodes, numbers, fields, rules, other_fields })
}

/// Checks that the version is one line that a table can show.
fn parse_version(source: Source<'_>, version: &Spanned<String>) -> Result<String> {
    let text = version.get_ref();
    if text.is_empty() || text.len() > MAX_VERSION_BYTES || text.chars().any(char::is_control) {
        let hint = format!("one line, 1 to {MAX_VERSION_BYTES} bytes, such as \"2026-03\"");
        return Err(source.error(version.span(), format!("version: {text:?}"), &hint));
    }
    Ok(text.clone())
}

fn page_layout(source: Source<'_>, raw: &RawTemplate) -> Result<(PageLayout, UnitConverter)> {
    let ruler_of = |page| Ok::<_, Error>(UnitConverter { mm_per_unit: mm_per_unit(source, &raw.unit)?, page });
    if raw.whole_image.as_ref().is_some_and(|whole| *whole.get_ref()) {
        let n_areas = raw.print.len() + raw.free.len() + usize::from(raw.print_is_complete.is_some());
        let n_printed = [raw.lines.len(), raw.frames.len(), raw.marks.len(), raw.words.len(), n_areas];
        let n_imprints = raw.barcodes.len() + raw.numbers.len();
        let n_landmarks: usize = n_printed.into_iter().sum::<usize>() + n_imprints;
        if n_landmarks > 0 || raw.page.is_some() {
            let span = raw.whole_image.as_ref().map_or(0..0, Spanned::span);
            let hint = "leave out page, lines, frames, marks, words, print, free, barcodes and numbers, or whole_image";
            return Err(source.error(span, "landmarks where there is nothing to register", hint));
        }
        return Ok((PageLayout::WholeImage, ruler_of(Rect::default())?));
    }

    let page = source.required(&raw.page, 0..0, "page", "page = [210.0, 297.0]")?;
    let unit = mm_per_unit(source, &raw.unit)?;
    let [width, height] = page.get_ref().map(|side| side * unit);
    if !PAGE_SIDE_MM.contains(&width) || !PAGE_SIDE_MM.contains(&height) {
        let hint = format!("from {} to {} mm a side", PAGE_SIDE_MM.start(), PAGE_SIDE_MM.end());
        return Err(source.error(page.span(), format!("page of {width} x {height} mm"), &hint));
    }
    let units = ruler_of(Rect::from_xywh(0.0, 0.0, width, height))?;

    for (n, what) in [
        (raw.lines.len(), "lines"),
        (raw.frames.len(), "frames"),
        (raw.marks.len(), "marks"),
        (raw.words.len(), "words"),
        (raw.print.len(), "print"),
        (raw.free.len(), "free"),
        (raw.rules.len(), "rules"),
    ] {
        source.at_most(MAX_LANDMARKS, n, what)?;
    }
    let mut landmarks = Landmarks { page: units.page, ..Landmarks::default() };
    for line in &raw.lines {
        landmarks.lines.push(units.line(source, line)?);
    }
    for frame in &raw.frames {
        let [top, right, bottom, left] = units.rect(source, frame, "frame")?.edges();
        landmarks.lines.extend([top, right, reversed(bottom), reversed(left)]);
    }
    for mark in &raw.marks {
        landmarks.marks.push(units.rect(source, mark, "mark")?);
    }
    for word in &raw.words {
        let bounds = units.rect(source, &word.get_ref().at, "word")?;
        landmarks.words.push(Word { bounds, text: word.get_ref().text.clone() });
    }
    for area in &raw.print {
        landmarks.print.push(units.rect(source, area, "print")?);
    }
    for area in &raw.free {
        landmarks.free.push(units.rect(source, area, "free area")?);
    }
    landmarks.print_is_complete = raw.print_is_complete.as_ref().is_some_and(|complete| *complete.get_ref());
    Ok((PageLayout::Printed(landmarks), units))
}

fn mm_per_unit(source: Source<'_>, unit: &Placed<RawUnit>) -> Result<f64> {
    let Some(unit) = unit else { return Ok(1.0) };
    let (detail, hint) = match unit.get_ref() {
        RawUnit::Name(name) if name == "mm" => return Ok(1.0),
        RawUnit::Name(name) => (format!("unknown unit: {name:?}"), "unit = \"mm\" or unit = { dpi = 300 }".to_owned()),
        RawUnit::Pixels(pixels) if UNIT_DPI.contains(&pixels.dpi) => return Ok(MM_PER_INCH / pixels.dpi),
        RawUnit::Pixels(pixels) => {
            (format!("dpi: {}", pixels.dpi), format!("from {} to {}", UNIT_DPI.start(), UNIT_DPI.end()))
        }
    };
    Err(source.error(unit.span(), detail, &hint))
}

fn parse_field(
    source: Source<'_>,
    units: &UnitConverter,
    is_whole_image: bool,
    raw: &Spanned<RawField>,
) -> Result<Field> {
    let (span, raw) = (raw.span(), raw.get_ref());
    let name = source.required(&raw.name, span.clone(), "name of a field", "name = \"total\"")?;
    if !is_field_name(name.get_ref()) {
        let detail = format!("field name: {:?}", name.get_ref());
        let better: String = name.get_ref().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let hint = format!("letters, digits and underscores, because rules subtract with a hyphen: {better}");
        return Err(source.error(name.span(), detail, &hint));
    }
    if RESERVED_NAMES.contains(&name.get_ref().as_str()) {
        let detail = format!("name of a column that every table has: {}", name.get_ref());
        return Err(source.error(name.span(), detail, "give the field another name"));
    }

    let kind = field_kind(source, raw, span.clone())?;
    let layout = field_layout(source, units, is_whole_image, raw, &kind, span.clone())?;
    let digits = digit_count(source, raw, &kind, &layout, span)?;
    let fillers = raw.fillers.iter().map(|filler| parse_filler(source, filler)).collect::<Result<Vec<_>>>()?;
    let fillers_mean = match &raw.fillers_mean {
        Some(meaning) if fillers.is_empty() => {
            return Err(source.error(meaning.span(), "fillers_mean without fillers", "fillers = [\"cross\"]"));
        }
        Some(meaning) if !is_made_of(meaning.get_ref(), |b| b.is_ascii_digit() || matches!(b, b'.' | b'-')) => {
            let detail = format!("fillers_mean: {:?}", meaning.get_ref());
            return Err(source.error(meaning.span(), detail, "a number, such as \"0\""));
        }
        meaning => meaning.as_ref().map(|meaning| meaning.get_ref().clone()),
    };
    let is_signed = is_signed(source, raw, &kind, &fillers)?;
    let checks = parse_checks(source, raw, &kind)?;
    Ok(Field {
        name: name.get_ref().clone(),
        kind,
        layout,
        digits,
        fillers,
        fillers_mean,
        is_signed,
        ignores_punctuation: raw.ignore_punctuation.unwrap_or(false),
        checks,
    })
}

fn field_layout(
    source: Source<'_>,
    units: &UnitConverter,
    is_whole_image: bool,
    raw: &RawField,
    kind: &FieldKind,
    span: Range<usize>,
) -> Result<FieldLayout> {
    let n_layouts =
        usize::from(raw.comb.is_some()) + usize::from(raw.cells.is_some()) + usize::from(raw.frame.is_some());
    if is_whole_image {
        if n_layouts > 0 || raw.printed.is_some() {
            return Err(source.error(span, "a place in a field that is the whole image", "leave out box and printed"));
        }
        return Ok(FieldLayout::Box { frame: Rect::from_xywh(0.0, 0.0, 1.0, 1.0), printed: PrintedSides::NONE });
    }
    if n_layouts != 1 {
        let detail = format!("places given: {n_layouts}");
        return Err(source.error(span, detail, "give one of comb, cells or box"));
    }
    let printed = printed_sides(source, &raw.printed)?;
    if let Some(frame) = &raw.frame {
        return Ok(FieldLayout::Box { frame: units.rect(source, frame, "box")?, printed });
    }
    if let Some(comb) = &raw.comb {
        return Ok(FieldLayout::Comb { cells: comb_cells(source, units, comb)?, printed });
    }

    let placed = raw.cells.as_ref().expect("one of three is there and it is neither of the other two");
    if !(1..=MAX_CELLS).contains(&placed.get_ref().len()) {
        let detail = format!("cells: {}", placed.get_ref().len());
        return Err(source.error(placed.span(), detail, &format!("from 1 to {MAX_CELLS}")));
    }
    let mut cells: Vec<Rect> = Vec::new();
    for quad in placed.get_ref() {
        let cell = units.rect(source, quad, "cell")?;
        let is_row = !kind.is_marked();
        if is_row && cells.last().is_some_and(|before| before.centre().x >= cell.centre().x) {
            let detail = format!("cell left of the one before it: {:?}", quad.get_ref());
            return Err(source.error(quad.span(), detail, "give the cells from left to right"));
        }
        cells.push(cell);
    }
    Ok(FieldLayout::Comb { cells, printed })
}

fn comb_cells(source: Source<'_>, units: &UnitConverter, comb: &Spanned<RawComb>) -> Result<Vec<Rect>> {
    let raw = comb.get_ref();
    let (groups, [x0, y0], [width, height]) = (raw.groups.get_ref(), *raw.at.get_ref(), *raw.cell.get_ref());
    let n_cells = groups.iter().try_fold(0_i64, |sum, n| sum.checked_add(*n)).unwrap_or(i64::MAX);
    if groups.iter().any(|n| *n < 1) || usize::try_from(n_cells).map_or(true, |n| !(1..=MAX_CELLS).contains(&n)) {
        let hint = format!("at least 1 cell a group, at most {MAX_CELLS} in all");
        return Err(source.error(raw.groups.span(), format!("cells in groups: {groups:?}"), &hint));
    }
    let pitch = raw.pitch.as_ref().map_or(width, |pitch| *pitch.get_ref());
    if let Some(placed) = raw.pitch.as_ref().filter(|_| !(pitch.is_finite() && pitch >= width)) {
        return Err(source.error(placed.span(), format!("pitch: {pitch}"), "at least the width of a cell"));
    }
    let gap = raw.gap.as_ref().map_or(0.0, |gap| *gap.get_ref());
    if let Some(placed) = raw.gap.as_ref().filter(|_| !(gap.is_finite() && gap >= 0.0)) {
        return Err(source.error(placed.span(), format!("gap: {gap}"), "0 or more"));
    }

    let mut cells = Vec::new();
    let mut x = x0;
    for n in groups {
        for _ in 0..*n {
            cells.push(units.checked_rect(source, comb.span(), [x, y0, width, height], "comb")?);
            x += pitch;
        }
        x += gap;
    }
    Ok(cells)
}

fn printed_sides(source: Source<'_>, raw: &Placed<Vec<Spanned<String>>>) -> Result<PrintedSides> {
    let Some(sides) = raw else { return Ok(PrintedSides::ALL) };
    let mut printed = PrintedSides::NONE;
    for side in sides.get_ref() {
        match side.get_ref().as_str() {
            "top" => printed.top = true,
            "right" => printed.right = true,
            "bottom" => printed.bottom = true,
            "left" => printed.left = true,
            "between" => printed.between = true,
            other => {
                let hint = "any of \"top\", \"right\", \"bottom\", \"left\", \"between\"";
                return Err(source.error(side.span(), format!("unknown side: {other:?}"), hint));
            }
        }
    }
    Ok(printed)
}

fn parse_filler(source: Source<'_>, raw: &Spanned<String>) -> Result<Filler> {
    match raw.get_ref().as_str() {
        "cross" => Ok(Filler::Cross),
        "dash" => Ok(Filler::Dash),
        other => Err(source.error(raw.span(), format!("unknown filler: {other:?}"), "any of \"cross\", \"dash\"")),
    }
}

fn digit_count(
    source: Source<'_>,
    raw: &RawField,
    kind: &FieldKind,
    layout: &FieldLayout,
    span: Range<usize>,
) -> Result<DigitCount> {
    let max_digits = match layout {
        _ if kind.is_marked() => 1,
        FieldLayout::Comb { cells, .. } => cells.len(),
        FieldLayout::Box { .. } => MAX_BOX_DIGITS,
    };
    let is_comb = matches!(layout, FieldLayout::Comb { .. });
    let (span, count) = match &raw.digits {
        Some(placed) => {
            let (min, max) = match *placed.get_ref() {
                RawDigits::Exactly(n) => (n, n),
                RawDigits::Between([min, max]) => (min, max),
            };
            let both = usize::try_from(min).ok().zip(usize::try_from(max).ok());
            match both.filter(|&(min, max)| 1 <= min && min <= max && max <= max_digits) {
                Some((min, max)) => (placed.span(), DigitCount { min, max }),
                None => {
                    let detail = format!("digits: from {min} to {max}");
                    let hint = format!("from 1 to {max_digits}, the smaller one first");
                    return Err(source.error(placed.span(), detail, &hint));
                }
            }
        }
        None => match kind {
            FieldKind::Code if is_comb => (span, DigitCount { min: max_digits, max: max_digits }),
            FieldKind::Date { .. } if is_comb => (span, DigitCount { min: max_digits, max: max_digits }),
            FieldKind::Date { .. } => (span, DigitCount { min: 6, max: 8 }),
            _ => (span, DigitCount { min: 1, max: max_digits }),
        },
    };
    if matches!(kind, FieldKind::Date { .. }) && ![count.min, count.max].iter().all(|n| [6, 8].contains(n)) {
        let detail = format!("digits of a date: from {} to {}", count.min, count.max);
        return Err(source.error(
            span,
            detail,
            "6 or 8, or [6, 8]: two for day and month each, two or four for the year",
        ));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{DateOrder, DecimalPoint};

    const SMALL: &str = r#"
name = "small"
title = "A form for tests"
unit = { dpi = 254 }
page = [1000, 2000]
lines = [[900, 100, 100.0, 100]]
frames = [[50, 50, 100, 200]]
marks = [[10, 10, 50, 50]]
words = [{ at = [100, 60, 200, 30], text = "TOTAL" }, { at = [400, 60, 200, 30] }]
rules = ["total <= 2 * ssn"]

[[field]]
name = "ssn"
kind = "code"
comb = { at = [100, 200], cell = [50, 70], groups = [3, 2], gap = 30 }

[[field]]
name = "total"
kind = "amount"
box = [100, 400, 300, 80]
printed = ["bottom"]
digits = [1, 7]
fillers = ["cross", "dash"]
fillers_mean = "0"

[[field]]
name = "day"
kind = "date"
order = "dmy"
cells = [[100, 600, 50, 70], [160, 600, 50, 70], [220, 600, 50, 70],
         [280, 600, 50, 70], [340, 600, 50, 70], [400, 600, 50, 70]]
"#;

    #[test]
    fn parse_template_gives_millimetres() {
        let form = parse_template(SMALL).expect("it is well formed");
        assert_eq!((form.name.as_str(), form.title.as_str()), ("small", "A form for tests"));
        let PageLayout::Printed(landmarks) = &form.layout else { panic!("it has landmarks") };
        let page = landmarks.page;
        assert!((page.x1 - 100.0).abs() < 1e-9 && (page.y1 - 200.0).abs() < 1e-9, "{page:?}");
        assert_eq!(landmarks.lines.len(), 1 + 4);
        assert!(landmarks.lines.iter().all(|l| l.a.x <= l.b.x && l.a.y <= l.b.y), "{:?}", landmarks.lines);
        assert_eq!((landmarks.words[0].text.as_str(), landmarks.words[1].text.as_str()), ("TOTAL", ""));

        let [ssn, total, day] = &form.fields[..] else { panic!("it has three fields") };
        let lefts: Vec<f64> = ssn.layout.cells().iter().map(|cell| cell.x0.round()).collect();
        assert_eq!(lefts, [10.0, 15.0, 20.0, 28.0, 33.0]);
        assert_eq!(ssn.digits, DigitCount { min: 5, max: 5 });
        assert_eq!(total.kind, FieldKind::Amount { decimals: 2, point: DecimalPoint::Implied });
        assert_eq!(total.layout.printed(), PrintedSides { bottom: true, ..PrintedSides::NONE });
        assert_eq!((total.fillers.len(), total.fillers_mean.as_deref()), (2, Some("0")));
        assert_eq!(day.kind, FieldKind::Date { order: DateOrder::DayMonthYear, pivot: 50 });
        assert_eq!(form.rules[0].claim.right.terms, [(2.0, 0)]);
    }

    #[test]
    fn a_whole_image_is_one_field() {
        let text = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"d\"\nkind = \"code\"\n";
        let form = parse_template(text).expect("it is well formed");
        assert_eq!(form.layout, PageLayout::WholeImage);
        assert_eq!(form.fields[0].layout.bounds(), Rect::from_xywh(0.0, 0.0, 1.0, 1.0));
    }

    #[test]
    fn an_error_names_line_field_and_value() {
        /// In [`SMALL`], what is replaced by what; then the line, the field and a part of the message.
        struct Case(&'static str, &'static str, usize, Option<&'static str>, &'static str);
        for Case(from, to, line, field, part) in [
            Case("name = \"small\"", "name = \"sm all\"", 2, None, "name: \"sm all\""),
            Case("name = \"small\"", "name = \"-small\"", 2, None, "name: \"-small\""),
            Case("name = \"small\"", "", 1, None, "missing: name"),
            Case("title =", "titel =", 3, None, "unknown key: titel"),
            Case("{ dpi = 254 }", "\"inch\"", 4, None, "unknown unit: \"inch\""),
            Case("{ dpi = 254 }", "{ dpi = 0 }", 4, None, "dpi: 0"),
            Case("{ dpi = 254 }", "7", 4, None, "unit must be"),
            Case("[1000, 2000]", "[1000]", 5, None, "length 1"),
            Case("[1000, 2000]", "[1000, -2000]", 5, None, "page of"),
            Case("[1000, 2000]", "[nan, 2000]", 5, None, "page of"),
            Case("page = [1000, 2000]", "", 1, None, "missing: page"),
            Case("[900, 100, 100.0, 100]", "[900, 100, 900, 100]", 6, None, "line without length"),
            Case("[900, 100, 100.0, 100]", "[900, 100, inf, 100]", 6, None, "line without length"),
            Case("[50, 50, 100, 200]", "[50, 50, 100, -1]", 7, None, "frame without area"),
            Case("[10, 10, 50, 50]", "[10, 10, nan, 50]", 8, None, "mark that is not finite"),
            Case("at = [400, 60, 200, 30]", "at = [900, 60, 200, 30]", 9, None, "word off the page: [900.0"),
            Case("2 * ssn", "2 * sum", 10, None, "unknown field: sum"),
            Case("name = \"ssn\"", "name = \"s-n\"", 13, None, "field name: \"s-n\""),
            Case("name = \"ssn\"", "name = \"scan\"", 13, Some("scan"), "every table has: scan"),
            Case("name = \"ssn\"\n", "", 12, None, "missing: name of a field"),
            Case("\"code\"", "\"cod\"", 14, Some("ssn"), "unknown kind: \"cod\""),
            Case("\"code\"", "3", 14, Some("ssn"), "invalid type"),
            Case("kind = \"code\"\n", "", 12, Some("ssn"), "missing: kind"),
            Case("cell = [50, 70]", "cel = [50, 70]", 15, Some("ssn"), "unknown key: cel"),
            Case("cell = [50, 70]", "cell = [0, 70]", 15, Some("ssn"), "comb without area"),
            Case("[3, 2]", "[]", 15, Some("ssn"), "cells in groups: []"),
            Case("[3, 2]", "[3, 0]", 15, Some("ssn"), "cells in groups: [3, 0]"),
            Case("[3, 2]", "[9223372036854775807, 2]", 15, Some("ssn"), "cells in groups"),
            Case("[3, 2]", "[30]", 15, Some("ssn"), "comb off the page"),
            Case("gap = 30", "gap = -1", 15, Some("ssn"), "gap: -1"),
            Case("gap = 30", "pitch = 49", 15, Some("ssn"), "pitch: 49"),
            Case("groups = [3, 2], gap = 30 }", "gap = 30 }", 15, Some("ssn"), "missing: groups"),
            Case("name = \"total\"", "name = \"ssn\"", 18, Some("ssn"), "taken by a field above: ssn"),
            Case("kind = \"amount\"", "kind = \"amount\"\ndecimals = 9", 20, Some("total"), "decimals: 9"),
            Case("kind = \"amount\"", "kind = \"amount\"\norder = \"dmy\"", 20, Some("total"), "order in a field"),
            Case("kind = \"amount\"", "kind = \"amount\"\npoint = \"odd\"", 20, Some("total"), "unknown point"),
            Case("kind = \"amount\"", "kind = \"amount\"\npoint = \"printed\"", 20, Some("total"), "printed in a box"),
            Case("kind = \"amount\"", "kind = \"amount\"\nsigned = true", 20, Some("total"), "dashes fill"),
            Case("kind = \"code\"", "kind = \"code\"\nsigned = true", 15, Some("ssn"), "signed in a field of kind"),
            Case("kind = \"code\"", "kind = \"code\"\npoint = \"implied\"", 15, Some("ssn"), "point in a field"),
            Case("box = [100, 400, 300, 80]", "", 17, Some("total"), "places given: 0"),
            Case("box =", "cells = [[1, 1, 9, 9]]\nbox =", 17, Some("total"), "places given: 2"),
            Case("[100, 400, 300, 80]", "[100, 400, 3000, 80]", 20, Some("total"), "box off the page"),
            Case("\"bottom\"", "\"below\"", 21, Some("total"), "unknown side: \"below\""),
            Case("[1, 7]", "[7, 1]", 22, Some("total"), "digits: from 7 to 1"),
            Case("[1, 7]", "21", 22, Some("total"), "digits: from 21 to 21"),
            Case("[1, 7]", "[1, 2, 3]", 22, Some("total"), "digits must be"),
            Case("\"dash\"", "\"dot\"", 23, Some("total"), "unknown filler: \"dot\""),
            Case("fillers_mean = \"0\"", "fillers_mean = \"nil\"", 24, Some("total"), "fillers_mean: \"nil\""),
            Case("fillers = [\"cross\", \"dash\"]", "", 24, Some("total"), "fillers_mean without fillers"),
            Case("\"dmy\"", "\"myd\"", 29, Some("day"), "unknown order: \"myd\""),
            Case("order = \"dmy\"", "", 28, Some("day"), "missing: order"),
            Case("[160, 600, 50, 70]", "[90, 600, 50, 70]", 30, Some("day"), "cell left of the one before it"),
            Case(", [400, 600, 50, 70]", "", 26, Some("day"), "digits of a date: from 5 to 5"),
            Case("\n[[field]]\nname = \"day\"", "\n[[field]\nname = \"day\"", 26, Some("day"), ""),
        ] {
            let text = SMALL.replacen(from, to, 1);
            assert_ne!(text, SMALL, "{from} is in the text");
            let error = parse_template(&text).expect_err(to);
            let location = (error.location().line, error.location().field.as_deref());
            assert_eq!(location, (Some(line), field), "{to}: {error}");
            assert!(error.to_string().contains(part), "{to}: {error}");
        }
    }

    #[test]
    fn name_of_form_may_have_capitals_and_underscores() {
        for name in ["Small_Form", "small-form", "SMALL_FORM"] {
            let text = SMALL.replacen("name = \"small\"", &format!("name = \"{name}\""), 1);
            assert_eq!(parse_template(&text).expect("it is a name").name, "small-form");
        }
    }

    #[test]
    fn parse_template_without_a_field_is_an_error() {
        let head = &SMALL[..SMALL.find("rules").expect("it has rules")];
        assert!(parse_template(head).expect_err("no field").to_string().contains("no field"));
    }

    /// Texts with parts cut out, put in or doubled give a template or an error.
    #[test]
    fn parse_template_hostile_text_is_an_error_and_never_a_panic() {
        let junk = ["[[[[", "\"", "9e999", "-", "\u{0}", "{", "= 1", "[[field]]", "\u{1f600}", "name", "nan", ""];
        let ends: Vec<usize> = SMALL.char_indices().map(|(i, _)| i).step_by(5).collect();
        let mut n_errors = 0;
        for (i, &cut) in ends.iter().enumerate() {
            let middle = ends[(i * 7 + 3) % ends.len()].max(cut);
            for text in [
                SMALL[..cut].to_owned(),
                format!("{}{}{}", &SMALL[..cut], junk[i % junk.len()], &SMALL[cut..]),
                format!("{}{}", &SMALL[..cut], &SMALL[middle..]),
                format!("{}{}", &SMALL[..middle], &SMALL[cut..]),
            ] {
                n_errors += usize::from(parse_template(&text).is_err());
            }
        }
        assert!(n_errors > ends.len(), "only {n_errors} of {} damaged texts were refused", 4 * ends.len());
        let deep = format!("lines = {}", "[".repeat(100_000));
        assert!(parse_template(&deep).is_err());
    }
}
