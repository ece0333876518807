//! What the page draws of a text.

use serde::Serialize;

use formread_core::form::{FieldLayout, PageLayout, TemplateLines, parse_template};
use formread_raster::{
    error::{Error, Result},
    geometry::{MM_PER_INCH, Rect},
};

/// A template as the page draws it; lengths are in its unit.
#[derive(Debug, Serialize)]
pub struct View {
    /// Width and height.
    page: [f64; 2],
    /// The length that an arrow key moves a field by: a tenth of a millimetre, or a pixel.
    step: f64,
    unit: &'static str,
    fields: Vec<FieldView>,
    rules: Vec<String>,
    /// Printed lines, both ends of each.
    lines: Vec<[f64; 4]>,
    /// Words and marks: left, top, width, height.
    print: Vec<[f64; 4]>,
}

/// A field.
#[derive(Debug, Serialize)]
struct FieldView {
    name: String,
    kind: &'static str,
    cells: Vec<[f64; 4]>,
    bounds: [f64; 4],
    is_box: bool,
    /// Line of its table in the text, from 1.
    line: usize,
    /// Its keys as they are written.
    keys: serde_json::Value,
}

/// The view of a text.
///
/// # Errors
/// `Format`, with the line, where the text is not a template; `Usage` where the template has no places.
pub fn view(text: &str) -> Result<View> {
    let template = parse_template(text)?;
    let lines = TemplateLines::parse(text)?;
    let raw: toml::Table = toml::from_str(text).map_err(|error| Error::internal(error.message()))?;
    let PageLayout::Printed(landmarks) = &template.layout else {
        let error = Error::usage("the whole image is the one field of this template: it has no places");
        return Err(error.with_hint("change it with a text editor"));
    };
    let dpi = raw.get("unit").and_then(|unit| unit.get("dpi"));
    let dpi = dpi.and_then(|dpi| dpi.as_float().or_else(|| dpi.as_integer().map(|whole| whole as f64)));
    let per_mm = dpi.map_or(1.0, |dpi| dpi / MM_PER_INCH);
    let length = |mm: f64| (mm * per_mm * 1e4).round() / 1e4;
    let place = |r: Rect| [r.x0, r.y0, r.width(), r.height()].map(length);
    let tables = raw.get("field").and_then(toml::Value::as_array);
    let keys = |idx: usize| {
        let table = tables.and_then(|tables| tables.get(idx));
        serde_json::to_value(table).map_err(|error| Error::internal(error.to_string()))
    };
    let field = |(idx, line): (usize, usize)| {
        let field = &template.fields[idx];
        Ok(FieldView {
            name: field.name.clone(),
            kind: field.kind.as_str(),
            cells: field.layout.cells().iter().copied().map(place).collect(),
            bounds: place(field.layout.bounds()),
            is_box: matches!(field.layout, FieldLayout::Box { .. }),
            line,
            keys: keys(idx)?,
        })
    };
    let places = template.fields.iter().enumerate().map(|(idx, _)| (idx, lines.fields.get(idx).copied().unwrap_or(1)));
    Ok(View {
        page: [landmarks.page.width(), landmarks.page.height()].map(length),
        step: if dpi.is_some() { 1.0 } else { 0.1 },
        unit: if dpi.is_some() { "px" } else { "mm" },
        fields: places.map(field).collect::<Result<_>>()?,
        rules: template.rules.iter().map(|rule| rule.text.clone()).collect(),
        lines: landmarks.lines.iter().map(|line| [line.a.x, line.a.y, line.b.x, line.b.y].map(length)).collect(),
        print: template.printed_boxes().into_iter().map(place).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn view_is_in_the_unit_of_the_text_with_its_lines() {
        let text = "name = \"t\"\ntitle = \"t\"\nunit = { dpi = 300 }\npage = [1000, 2000]\nrules = [\"a <= 9\"]\n\
                    lines = [[10, 20, 900, 20]]\nmarks = [[5, 5, 50, 50]]\n\n[[field]]\nname = \"a\"\nkind = \"integer\"\n\
                    comb = { at = [100.5, 200], cell = [60, 80], groups = [2] }\n";
        let view = view(text).expect("it is a template");
        let json = serde_json::to_value(&view).expect("it is JSON");
        assert_eq!(json["page"], serde_json::json!([1000.0, 2000.0]));
        assert_eq!(json["lines"], serde_json::json!([[10.0, 20.0, 900.0, 20.0]]));
        assert_eq!(json["print"], serde_json::json!([[5.0, 5.0, 50.0, 50.0]]));
        assert_eq!((&json["step"], &json["unit"]), (&serde_json::json!(1.0), &serde_json::json!("px")));
        let field = &json["fields"][0];
        assert_eq!(field["cells"], serde_json::json!([[100.5, 200.0, 60.0, 80.0], [160.5, 200.0, 60.0, 80.0]]));
        assert_eq!(field["bounds"], serde_json::json!([100.5, 200.0, 120.0, 80.0]));
        assert_eq!((&field["line"], &field["is_box"]), (&serde_json::json!(9), &serde_json::json!(false)));
        assert_eq!(field["keys"]["comb"]["groups"], serde_json::json!([2]));
    }

    #[test]
    fn text_that_is_not_a_template_has_no_view_but_a_line() {
        let error = view("name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"a\"\nkind = \"x\"\n");
        assert_eq!(error.expect_err("there is no such kind").location().line, Some(6));
        let whole = view("name = \"t\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\nkind = \"code\"\n");
        assert!(whole.expect_err("it has no places").to_string().contains("no places"));
    }
}
