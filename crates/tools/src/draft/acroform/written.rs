//! Writes fillable PDF files for tests.

use formread_core::form::{DateOrder, Field, FieldKind, FieldLayout, FormTemplate, Landmarks, PageLayout, Rule};
use formread_raster::geometry::{MM_PER_INCH, Rect};

/// Units of user space a millimetre.
pub const UNITS_PER_MM: f64 = 72.0 / MM_PER_INCH;
/// Width of printed lines, millimetres.
const LINE_MM: f64 = 0.35;

/// The objects of a file. The first three are its catalogue, its list of pages and its font.
pub struct Writer {
    objects: Vec<String>,
}

impl Writer {
    pub fn new() -> Self {
        let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";
        Self { objects: vec![String::new(), String::new(), font.to_owned()] }
    }

    /// Adds an object and gives its number.
    pub fn add(&mut self, object: impl Into<String>) -> usize {
        self.objects.push(object.into());
        self.objects.len()
    }

    pub fn stream(&mut self, content: &str) -> usize {
        self.add(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()))
    }

    /// Replaces the object with this number.
    pub fn set(&mut self, number: usize, object: impl Into<String>) {
        self.objects[number - 1] = object.into();
    }

    /// A page of this size in millimetres; `more` goes into its dictionary.
    pub fn page(&mut self, [width, height]: [f64; 2], content: &str, annotations: &[usize], more: &str) -> usize {
        let content = self.stream(content);
        let [width, height] = [width, height].map(|mm| mm * UNITS_PER_MM);
        let annotations = references(annotations);
        self.add(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.4} {height:.4}] /Contents {content} 0 R \
             /Resources << /Font << /F1 3 0 R >> >> /Annots [{annotations}] {more} >>"
        ))
    }

    /// The file with these pages; `form` is the content of its AcroForm dictionary.
    pub fn finish(mut self, pages: &[usize], form: &str) -> Vec<u8> {
        self.set(1, format!("<< /Type /Catalog /Pages 2 0 R /AcroForm << {form} >> >>"));
        self.set(2, format!("<< /Type /Pages /Kids [{}] /Count {} >>", references(pages), pages.len()));
        let mut file = b"%PDF-1.7\n".to_vec();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.objects.len() + 1);
        for (idx, object) in self.objects.iter().enumerate() {
            table += &format!("{:010} 00000 n \n", file.len());
            file.extend(format!("{} 0 obj\n{object}\nendobj\n", idx + 1).bytes());
        }
        let (start, size) = (file.len(), self.objects.len() + 1);
        file.extend(format!("{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").bytes());
        file
    }
}

pub fn references(numbers: &[usize]) -> String {
    numbers.iter().map(|number| format!("{number} 0 R")).collect::<Vec<_>>().join(" ")
}

/// A widget on a page of this height; `r` in millimetres from the left top corner.
pub fn widget(r: Rect, page_height: f64, more: &str) -> String {
    let [x0, y0, x1, y1] = [r.x0, page_height - r.y1, r.x1, page_height - r.y0].map(|mm| mm * UNITS_PER_MM);
    format!("<< /Type /Annot /Subtype /Widget /F 4 /Rect [{x0:.3} {y0:.3} {x1:.3} {y1:.3}] {more} >>")
}

/// A field's action of this key.
pub fn action(key: &str, script: &str) -> String {
    let script = script.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
    format!("/{key} << /S /JavaScript /JS ({script}) >>")
}

/// Instructions that stroke the outline of `r`.
pub fn outline(r: Rect, page_height: f64) -> String {
    let [x, y, w, h] = [r.x0, page_height - r.y1, r.width(), r.height()].map(|mm| mm * UNITS_PER_MM);
    format!("{:.3} w {x:.3} {y:.3} {w:.3} {h:.3} re S\n", LINE_MM * UNITS_PER_MM)
}

/// The print of a form: its lines, marks and words, and the frames of its fields.
pub fn print(form: &FormTemplate) -> String {
    let PageLayout::Printed(Landmarks { page, marks, words, .. }) = &form.layout else { return String::new() };
    let (mut content, k) = (format!("{:.3} w\n", LINE_MM * UNITS_PER_MM), UNITS_PER_MM);
    let up = |y: f64| (page.y1 - y) * k;
    for s in form.printed_lines() {
        content += &format!("{:.3} {:.3} m {:.3} {:.3} l S\n", s.a.x * k, up(s.a.y), s.b.x * k, up(s.b.y));
    }
    for mark in marks {
        content +=
            &format!("{:.3} {:.3} {:.3} {:.3} re f\n", mark.x0 * k, up(mark.y1), mark.width() * k, mark.height() * k);
    }
    for word in words {
        // a letter is 0.6 as wide as the font size
        let size = word.bounds.width() / word.text.chars().count() as f64 / 0.6;
        let (x, baseline) = (word.bounds.x0 * k, up(word.bounds.y0 + 0.8 * size));
        content += &format!("BT /F1 {:.3} Tf {x:.3} {baseline:.3} Td ({}) Tj ET\n", size * k, word.text);
    }
    content
}

/// The form as a fillable PDF: a widget for each field, with the scripts that an editor writes for its kind and for sums.
pub fn fillable(form: &FormTemplate) -> Vec<u8> {
    let PageLayout::Printed(Landmarks { page, .. }) = &form.layout else { return Vec::new() };
    let mut writer = Writer::new();
    let (mut widgets, mut order) = (Vec::new(), Vec::new());
    for (idx, field) in form.fields.iter().enumerate() {
        let calculated = form.rules.iter().find_map(|rule| calculation(form, rule, idx));
        let entries = entries(field, calculated.as_deref());
        widgets.push(writer.add(widget(field.layout.bounds(), page.height(), &entries)));
        if calculated.is_some() {
            order.push(widgets[idx]);
        }
    }
    let only = writer.page([page.width(), page.height()], &print(form), &widgets, "");
    writer.finish(&[only], &format!("/Fields [{}] /CO [{}]", references(&widgets), references(&order)))
}

fn entries(field: &Field, calculated: Option<&str>) -> String {
    let name = format!("/T ({})", field.name);
    if field.kind.is_marked() {
        return format!("{name} /FT /Btn");
    }
    let format = match field.kind {
        FieldKind::Integer => Some("AFNumber_Format(0, 1, 0, 0, \"\", true);".to_owned()),
        FieldKind::Amount { decimals, .. } => Some(format!("AFNumber_Format({decimals}, 0, 0, 0, \"\", true);")),
        FieldKind::Date { order, .. } => {
            let pattern = match order {
                DateOrder::DayMonthYear => "ddmmyyyy",
                DateOrder::MonthDayYear => "mmddyyyy",
                DateOrder::YearMonthDay => "yyyymmdd",
            };
            Some(format!("AFDate_FormatEx(\"{pattern}\");"))
        }
        FieldKind::Code | FieldKind::Mark { .. } | FieldKind::Choice { .. } => None,
    };
    let actions = format.map(|script| action("F", &script)).into_iter().chain(calculated.map(|c| action("C", c)));
    let actions = actions.collect::<String>();
    let (flags, max_len) = match &field.layout {
        FieldLayout::Comb { cells, .. } => (1 << 24, cells.len()),
        FieldLayout::Box { .. } => (0, field.digits.max),
    };
    format!("{name} /FT /Tx /Ff {flags} /MaxLen {max_len} /AA << {actions} >>")
}

/// The script that calculates the field at `idx` by `rule`, if that is a sum.
fn calculation(form: &FormTemplate, rule: &Rule, idx: usize) -> Option<String> {
    let total = form.fields[idx].name.as_str();
    let terms = rule.text.strip_prefix(total)?.trim_start().strip_prefix('=')?;
    if terms.contains('-') {
        return Some(format!("/** BVCALC {terms} EVCALC **/ event.value = 0;"));
    }
    let names: Vec<String> = terms.split('+').map(|name| format!("\"{}\"", name.trim())).collect();
    Some(format!("AFSimple_Calculate(\"SUM\", new Array ({}));", names.join(", ")))
}
