//! A draft as the text of a template, for a person to review.

use std::fmt::Write;

use super::{Draft, DraftField};
use formread_core::form::{
    DateOrder, DecimalPoint, DigitCount, DocumentPage, FieldKind, FieldLayout, Landmarks, PrintedSides, Word,
};
use formread_raster::geometry::Rect;

/// Cells whose edges agree with an even comb within this are written as one, millimetres.
const EVEN_MM: f64 = 0.2;

/// The text of the template.
pub(super) fn template_text(draft: &Draft) -> String {
    let Landmarks { page, lines, marks, words, print: landmarks_print, .. } = &draft.landmarks;
    let mut text = String::new();
    line(
        &mut text,
        format_args!("# Drafted from {} of the form. Review the names and kinds of the fields.", pages(draft.n_pages)),
    );
    line(&mut text, format_args!("name = {}", quoted(&draft.name)));
    line(&mut text, format_args!("title = {}", quoted(&draft.title)));
    if let Some(DocumentPage { name, page, of, .. }) = &draft.document {
        line(&mut text, format_args!("document = {{ name = {}, page = {page}, of = {of} }}", quoted(name)));
    }
    line(&mut text, format_args!("unit = \"mm\""));
    line(&mut text, format_args!("page = [{}, {}]", mm(page.width()), mm(page.height())));
    list(&mut text, "lines", lines.iter().map(|s| numbers(&[s.a.x, s.a.y, s.b.x, s.b.y])));
    list(&mut text, "marks", marks.iter().map(|r| quad(*r)));
    list(&mut text, "words", words.iter().map(word));
    list(&mut text, "print", landmarks_print.iter().map(|r| quad(*r)));
    list(&mut text, "free", draft.landmarks.free.iter().map(|r| quad(*r)));
    if draft.landmarks.print_is_complete {
        line(&mut text, format_args!("print_is_complete = true"));
    }
    list(&mut text, "rules", draft.rules.iter().map(|rule| quoted(rule)));
    for field in &draft.fields {
        text.push('\n');
        text.push_str(&table(field));
    }
    if !draft.writing_lines.is_empty() {
        text.push_str("\n# Lines to write on. On a form with cells for digits, most of them are for words.\n");
        draft.writing_lines.iter().for_each(|field| comment(&mut text, field));
    }
    let mut reason = "";
    for (field, because) in &draft.left_out {
        if *because != reason {
            line(&mut text, format_args!("\n# Not taken: {because}."));
            reason = because;
        }
        comment(&mut text, field);
    }
    text
}

/// A field as a comment.
fn comment(text: &mut String, field: &DraftField) {
    text.push_str("#\n");
    table(field).lines().for_each(|row| line(text, format_args!("# {row}")));
}

fn line(text: &mut String, row: std::fmt::Arguments<'_>) {
    text.write_fmt(row).expect("writing to a string does not fail");
    text.push('\n');
}

fn pages(n: usize) -> String {
    if n == 1 { "a page".to_owned() } else { format!("{n} filled pages") }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Millimetres to a hundredth, without trailing zeros.
fn mm(value: f64) -> String {
    let rounded = format!("{value:.2}");
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

fn numbers(values: &[f64]) -> String {
    format!("[{}]", values.iter().map(|v| mm(*v)).collect::<Vec<_>>().join(", "))
}

fn quad(r: Rect) -> String {
    numbers(&[r.x0, r.y0, r.width(), r.height()])
}

fn list(text: &mut String, key: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() {
        return;
    }
    line(text, format_args!("{key} = ["));
    rows.iter().for_each(|row| line(text, format_args!("    {row},")));
    line(text, format_args!("]"));
}

fn table(field: &DraftField) -> String {
    let mut text = String::new();
    line(&mut text, format_args!("[[field]]"));
    if let Some(note) = field.note {
        line(&mut text, format_args!("# {note}"));
    }
    line(&mut text, format_args!("name = {}", quoted(&field.name)));
    line(&mut text, format_args!("kind = \"{}\"", field.kind.as_str()));
    match &field.kind {
        FieldKind::Amount { decimals, point } => {
            line(&mut text, format_args!("decimals = {decimals}"));
            if *point != DecimalPoint::default() {
                line(&mut text, format_args!("point = \"{}\"", point_name(*point)));
            }
        }
        FieldKind::Date { order, .. } => line(&mut text, format_args!("order = \"{}\"", order_name(*order))),
        FieldKind::Choice { values, .. } => {
            let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            line(&mut text, format_args!("values = [{}]", values.join(", ")));
        }
        FieldKind::Integer | FieldKind::Code | FieldKind::Mark { .. } => {}
    }
    if field.kind.filled_counts() {
        line(&mut text, format_args!("filled = \"marked\""));
    }
    match &field.layout {
        FieldLayout::Box { frame, .. } => line(&mut text, format_args!("box = {}", quad(*frame))),
        FieldLayout::Comb { cells, .. } => match comb(cells, &field.groups) {
            Some(comb) => line(&mut text, format_args!("comb = {comb}")),
            None => {
                let cells: Vec<String> = cells.iter().map(|cell| quad(*cell)).collect();
                line(&mut text, format_args!("cells = [{}]", cells.join(", ")));
            }
        },
    }
    if let Some(printed) = printed(field.layout.printed()) {
        line(&mut text, format_args!("printed = {printed}"));
    }
    if let Some(DigitCount { min, max }) = field.digits {
        line(&mut text, format_args!("digits = [{min}, {max}]"));
    }
    text
}

fn word(word: &Word) -> String {
    let text = if word.text.is_empty() { String::new() } else { format!(", text = {}", quoted(&word.text)) };
    format!("{{ at = {}{text} }}", quad(word.bounds))
}

fn point_name(point: DecimalPoint) -> &'static str {
    match point {
        DecimalPoint::Implied => "implied",
        DecimalPoint::Printed => "printed",
        DecimalPoint::Written => "written",
    }
}

fn order_name(order: DateOrder) -> &'static str {
    match order {
        DateOrder::DayMonthYear => "dmy",
        DateOrder::MonthDayYear => "mdy",
        DateOrder::YearMonthDay => "ymd",
    }
}

/// The printed sides; `None` if all are.
fn printed(printed: PrintedSides) -> Option<String> {
    let PrintedSides { top, right, bottom, left, between } = printed;
    let sides = [(top, "top"), (right, "right"), (bottom, "bottom"), (left, "left"), (between, "between")];
    let named: Vec<String> = sides.iter().filter(|side| side.0).map(|side| quoted(side.1)).collect();
    (named.len() < sides.len()).then(|| format!("[{}]", named.join(", ")))
}

/// Cells as one comb; `None` if their pitch or their gaps are uneven.
fn comb(cells: &[Rect], groups: &[usize]) -> Option<String> {
    let n = cells.len() as f64;
    let mean = |of: fn(&Rect) -> f64| cells.iter().map(of).sum::<f64>() / n;
    let (y0, height) = (mean(|c| c.y0), mean(|c| c.height()));
    // least squares over all cells: left edge = x0 + pitch * cell + gap * group
    let group_of: Vec<f64> = groups.iter().enumerate().flat_map(|(g, n)| std::iter::repeat_n(g as f64, *n)).collect();
    let mut equations = [[0.0; 4]; 3];
    for (i, cell) in cells.iter().enumerate() {
        let row = [1.0, i as f64, group_of[i], cell.x0];
        for a in 0..3 {
            for b in 0..4 {
                equations[a][b] += row[a] * row[b];
            }
        }
    }
    if groups.len() < 2 {
        equations[2] = [0.0, 0.0, 1.0, 0.0];
    }
    if groups.len() == cells.len() {
        return None;
    }
    let [x0, pitch, gap] = formread_raster::geometry::solve_augmented(equations)?;
    let width = mean(|c| c.width()).min(pitch);
    let is_touching = pitch - width <= EVEN_MM;
    let width = if is_touching { pitch } else { width };
    let place = |i: usize| Rect::from_xywh(x0 + pitch * i as f64 + gap * group_of[i], y0, width, height);
    let is_even = cells.iter().enumerate().all(|(i, cell)| {
        let even = place(i);
        [cell.x0 - even.x0, cell.y0 - even.y0, cell.x1 - even.x1, cell.y1 - even.y1].iter().all(|d| d.abs() <= EVEN_MM)
    });
    if !is_even || gap < 0.0 {
        return None;
    }
    let mut comb = format!("{{ at = {}, cell = {}", numbers(&[x0, y0]), numbers(&[width, height]));
    let counts: Vec<String> = groups.iter().map(usize::to_string).collect();
    comb += &format!(", groups = [{}]", counts.join(", "));
    if !is_touching {
        comb += &format!(", pitch = {}", mm(pitch));
    }
    if groups.len() > 1 {
        comb += &format!(", gap = {}", mm(gap));
    }
    Some(comb + " }")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_cells_become_comb_and_uneven_cells_do_not() {
        let row = |lefts: &[f64]| lefts.iter().map(|x| Rect::from_xywh(*x, 20.0, 6.0, 8.0)).collect::<Vec<_>>();
        let even = row(&[10.0, 16.05, 22.0, 32.0, 38.0]);
        assert_eq!(
            comb(&even, &[3, 2]).as_deref(),
            Some("{ at = [10.02, 20], cell = [6, 8], groups = [3, 2], gap = 3.98 }")
        );
        assert_eq!(
            comb(&row(&[10.0, 17.0, 24.0]), &[3]).as_deref(),
            Some("{ at = [10, 20], cell = [6, 8], groups = [3], pitch = 7 }")
        );
        assert_eq!(comb(&row(&[10.0, 17.0, 25.0]), &[3]), None);
        assert_eq!(comb(&row(&[10.0, 18.0]), &[1, 1]), None);
    }

    #[test]
    fn numbers_are_written_without_trailing_zeros() {
        assert_eq!(numbers(&[1.0, 2.5, 3.456, -0.001, 100.0]), "[1, 2.5, 3.46, 0, 100]");
    }
}
