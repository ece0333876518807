//! Values of form fields, notes and ink without an appearance of their own, drawn as viewers draw them.
//!
//! ISO 32000-1, 12.5.6 (annotations) and 12.7.3.3 (variable text). hayro draws an annotation only by its appearance stream. So the
//! instructions that viewers would generate are written here, as the content of a page of its own, which hayro then draws.

use std::fmt::Write;

use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::content::{TypedIter, ops::TypedInstruction};
use hayro::hayro_syntax::object::{self, Array, Dict, Name, Object, Stream};
use hayro::hayro_syntax::page::Page;

use super::filters::unpack;
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// Largest number of annotations of a page, and of characters in the values of all.
const MAX_ANNOTATIONS: usize = 10_000;
const MAX_CHARS: usize = 200_000;
/// Deepest nesting of fields. It also ends a cycle.
const MAX_DEPTH: usize = 32;
/// Most bytes of an appearance when decompressed.
const APPEARANCE_BYTES: u64 = 4 << 20;
/// Annotation flags (table 165): not shown.
const HIDDEN: u32 = 1 << 1 | 1 << 5;
/// Flags of text fields (table 228).
const MULTILINE: u32 = 1 << 12;
const PASSWORD: u32 = 1 << 13;
const COMB: u32 = 1 << 24;
/// Size of text whose size is to fit its field: most, and relative to the height of the field.
const MAX_FITTED_SIZE: f64 = 12.0;
const FITTED_SIZE: f64 = 0.7;
/// Room between a field's edge and its text, units.
const PADDING: f64 = 2.0;
/// Height of digits and of a line, relative to the size of text.
const DIGIT_HEIGHT: f64 = 0.72;
const LINE_HEIGHT: f64 = 1.16;
/// Width of a digit and of a narrow sign in Helvetica, relative to the size of text.
const DIGIT_WIDTH: f64 = 0.556;
const NARROW_WIDTH: f64 = 0.278;

/// What is typed or drawn on a page without an appearance, as instructions in the user space of the page. Empty where there is
/// nothing.
///
/// # Errors
/// `Unsupported` where it cannot be drawn, `Limit` where there is too much of it.
pub fn instructions(page: &Page<'_>, form: Option<&Dict<'_>>) -> Result<String> {
    let mut writer = Writer { content: String::new(), n_chars: 0 };
    let annotations = page.raw().get::<Array<'_>>("Annots");
    for (idx, annotation) in annotations.iter().flat_map(|list| list.iter::<Dict<'_>>()).enumerate() {
        if idx == MAX_ANNOTATIONS {
            let (limit, actual) = (MAX_ANNOTATIONS as u64, idx as u64 + 1);
            return Err(ErrorKind::Limit { limit, actual, unit: Unit::AnnotationsPerPage }.into());
        }
        if annotation.get::<u32>("F").unwrap_or(0) & HIDDEN == 0 {
            writer.annotation(&annotation, form)?;
        }
    }
    Ok(writer.content)
}

/// A file with one page that shows `content` and has the size and place of `page`.
pub fn sheet(page: &Page<'_>, content: &str) -> Result<Pdf> {
    let [media, crop] = [page.media_box(), page.intersected_crop_box()]
        .map(|area| format!("[{} {} {} {}]", area.x0, area.y0, area.x1, area.y1));
    let rotation = page.raw().get::<i32>("Rotate").unwrap_or(rotation_degrees(page));
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox {media}/CropBox {crop}/Rotate {rotation}/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
        ),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = String::new();
    for (number, object) in (1..).zip(&objects) {
        let _ = writeln!(offsets, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{number} 0 obj{object}\nendobj\n");
    }
    let at = file.len();
    let n_objects = objects.len() + 1;
    let _ = write!(
        file,
        "xref\n0 {n_objects}\n0000000000 65535 f \n{offsets}trailer<</Size {n_objects}/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n"
    );
    Pdf::new(file.into_bytes()).map_err(|_| Error::internal("the page of typed values cannot be read"))
}

fn rotation_degrees(page: &Page<'_>) -> i32 {
    use hayro::hayro_syntax::page::Rotation;
    match page.rotation() {
        Rotation::None => 0,
        Rotation::Horizontal => 90,
        Rotation::Flipped => 180,
        Rotation::FlippedHorizontal => 270,
    }
}

fn unsupported(detail: &str) -> Error {
    Error::unsupported(Format::Pdf, detail)
}

struct Writer {
    content: String,
    n_chars: usize,
}

impl Writer {
    fn annotation(&mut self, annotation: &Dict<'_>, form: Option<&Dict<'_>>) -> Result<()> {
        // hayro draws an annotation of any layer
        if annotation.contains_key("OC") {
            return Err(unsupported("an annotation in a layer"));
        }
        let kind = annotation.get::<Name<'_>>("Subtype");
        let appearance = annotation.get::<Dict<'_>>("AP").filter(|appearance| appearance.contains_key("N"));
        match kind.as_ref().map_or("", Name::as_str) {
            "Widget" => self.widget(annotation, appearance.as_ref(), form),
            _ if appearance.is_some() => Ok(()),
            "FreeText" => self.free_text(annotation, form),
            "Ink" => self.ink(annotation),
            kind @ ("Line" | "Square" | "Circle" | "Polygon" | "PolyLine" | "Stamp" | "Caret" | "Redact"
            | "Watermark" | "StrikeOut" | "Highlight" | "Underline" | "Squiggly") => {
                Err(unsupported(&format!("an annotation without an appearance: {kind}")))
            }
            // links, notes that open by a click, sound
            _ => Ok(()),
        }
    }

    fn widget(&mut self, widget: &Dict<'_>, appearance: Option<&Dict<'_>>, form: Option<&Dict<'_>>) -> Result<()> {
        let chain = chain(widget).ok_or_else(|| Error::format(Format::Pdf, "form fields are nested too deep"))?;
        let kind = chain.iter().find_map(|field| field.get::<Name<'_>>("FT"));
        match kind.as_ref().map_or("", Name::as_str) {
            "Tx" | "Ch" => {}
            "Btn" => return ticked(&chain, appearance),
            _ => return Ok(()),
        }
        let value = chain.iter().find_map(|field| field.get::<Object<'_>>("V"));
        let text = match value {
            Some(Object::String(value)) => text(value.as_bytes())?,
            None | Some(Object::Null(_)) => return Ok(()),
            Some(_) if appearance.is_some() => return Ok(()),
            Some(_) => return Err(unsupported("a form field whose value is no plain text, without an appearance")),
        };
        // software that fills in forms may leave the appearance of the empty field
        if text.is_empty() || appearance.is_some_and(shows_something) {
            return Ok(());
        }
        let number = |key: &str| chain.iter().find_map(|field| field.get::<u32>(key));
        let turned = widget.get::<Dict<'_>>("MK").and_then(|look| look.get::<i32>("R")).unwrap_or(0);
        if turned != 0 {
            return Err(unsupported("a turned form field without an appearance"));
        }
        let flags = number("Ff").unwrap_or(0);
        if flags & PASSWORD != 0 {
            return Ok(());
        }
        let from_form = || form.and_then(|form| form.get::<object::String<'_>>("DA"));
        let style = chain.iter().find_map(|field| field.get::<object::String<'_>>("DA")).or_else(from_form);
        let style = Style::read(style.as_ref().map_or(&[], |style| style.as_bytes()));
        let area = area(widget)?;
        let from_form = || form.and_then(|form| form.get::<u32>("Q"));
        let alignment = number("Q").or_else(from_form).unwrap_or(0);
        if flags & MULTILINE != 0 {
            return self.lines(&text, &style, area, alignment);
        }
        let height = area.y1 - area.y0;
        let size = style.size.unwrap_or((height * FITTED_SIZE).min(MAX_FITTED_SIZE));
        let y = area.y0 + (height - DIGIT_HEIGHT * size) / 2.0;
        match number("MaxLen").filter(|n_cells| *n_cells > 0 && flags & COMB != 0) {
            Some(n_cells) => {
                let pitch = (area.x1 - area.x0) / f64::from(n_cells);
                for (x, c) in (0..).map(|idx| area.x0 + (f64::from(idx) + 0.5) * pitch).zip(text.chars()) {
                    self.text(&c.to_string(), &style, size, [x - width(c) * size / 2.0, y], area)?;
                }
                Ok(())
            }
            None => {
                let x = aligned(&text, size, area, alignment);
                self.text(&text, &style, size, [x, y], area)
            }
        }
    }

    fn free_text(&mut self, note: &Dict<'_>, form: Option<&Dict<'_>>) -> Result<()> {
        let Some(value) = note.get::<object::String<'_>>("Contents") else { return Ok(()) };
        if note.get::<i32>("Rotate").unwrap_or(0) != 0 {
            return Err(unsupported("a turned note without an appearance"));
        }
        let from_form = || form.and_then(|form| form.get::<object::String<'_>>("DA"));
        let style = note.get::<object::String<'_>>("DA").or_else(from_form);
        let style = Style::read(style.as_ref().map_or(&[], |style| style.as_bytes()));
        self.lines(&text(value.as_bytes())?, &style, area(note)?, note.get::<u32>("Q").unwrap_or(0))
    }

    /// Text in lines from the top.
    fn lines(&mut self, text: &str, style: &Style, area: object::Rect, alignment: u32) -> Result<()> {
        let size = style.size.unwrap_or(MAX_FITTED_SIZE);
        let mut y = area.y1 - PADDING - size * 0.9;
        for line in text.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            if aligned(line, size, area, 0) + line.chars().map(width).sum::<f64>() * size > area.x1 {
                return Err(unsupported("text of several lines without an appearance"));
            }
            self.text(line, style, size, [aligned(line, size, area, alignment), y], area)?;
            y -= size * LINE_HEIGHT;
        }
        Ok(())
    }

    fn text(&mut self, text: &str, style: &Style, size: f64, [x, y]: [f64; 2], area: object::Rect) -> Result<()> {
        self.n_chars += text.chars().count();
        if self.n_chars > MAX_CHARS {
            return Err(unsupported("so much text without an appearance"));
        }
        let mut codes = String::new();
        for c in text.chars() {
            let code = u8::try_from(c).map_err(|_| unsupported("letters without an appearance that are not Latin"))?;
            let _ = write!(codes, "{code:02X}");
        }
        let [width, height] = [area.x1 - area.x0, area.y1 - area.y0];
        let _ = writeln!(
            self.content,
            "q {} {} {width} {height} re W n {} BT /F {size} Tf {x} {y} Td <{codes}> Tj ET Q",
            area.x0, area.y0, style.colour
        );
        Ok(())
    }

    fn ink(&mut self, ink: &Dict<'_>) -> Result<()> {
        let style = ink.get::<Dict<'_>>("BS").and_then(|style| style.get::<f64>("W"));
        let border = || ink.get::<Array<'_>>("Border").and_then(|border| border.iter::<f64>().nth(2));
        let width = style.or_else(border).unwrap_or(1.0);
        let colour =
            ink.get::<Array<'_>>("C").map(|colour| colour.iter::<f64>().collect::<Vec<_>>()).unwrap_or_default();
        let (operator, samples) = match colour.len() {
            1 => ("G", colour),
            3 => ("RG", colour),
            4 => ("K", colour),
            _ => ("G", vec![0.0]),
        };
        let colour: String = samples.iter().map(|sample| format!("{sample} ")).collect();
        let _ = writeln!(self.content, "q 1 J 1 j {width} w {colour}{operator}");
        let strokes = ink.get::<Array<'_>>("InkList");
        for stroke in strokes.iter().flat_map(|strokes| strokes.iter::<Array<'_>>()) {
            let points: Vec<f64> = stroke.iter::<f64>().collect();
            self.n_chars += points.len();
            if self.n_chars > MAX_CHARS {
                return Err(unsupported("so much ink without an appearance"));
            }
            for (idx, point) in points.chunks_exact(2).enumerate() {
                let _ = write!(self.content, "{} {} {} ", point[0], point[1], if idx == 0 { "m" } else { "l" });
            }
            // a point is a stroke of no length
            if let [x, y] | [x, y, _] = points[..] {
                let _ = write!(self.content, "{x} {y} l ");
            }
            self.content.push_str("S\n");
        }
        self.content.push_str("Q\n");
        Ok(())
    }
}

/// Checks that a tick has an appearance.
fn ticked(chain: &[Dict<'_>], appearance: Option<&Dict<'_>>) -> Result<()> {
    let state = chain[0].get::<Name<'_>>("AS");
    let value = || chain.iter().find_map(|field| field.get::<Name<'_>>("V"));
    let is_drawn = match appearance.and_then(|appearance| appearance.get::<Object<'_>>("N")) {
        Some(Object::Dict(states)) => match state {
            Some(state) => state.as_str() == "Off" || states.contains_key(&*state),
            // without a state hayro draws the one of an empty box
            None => value().is_none_or(|value| value.as_str() == "Off" || !states.contains_key(&*value)),
        },
        Some(_) => true,
        None => state.or_else(value).is_none_or(|state| state.as_str() == "Off"),
    };
    if is_drawn { Ok(()) } else { Err(unsupported("a ticked box without an appearance")) }
}

/// An annotation and its parent fields, innermost first; `None` if they are nested too deep.
fn chain<'a>(widget: &Dict<'a>) -> Option<Vec<Dict<'a>>> {
    let mut chain = vec![widget.clone()];
    while let Some(parent) = chain.last()?.get::<Dict<'a>>("Parent") {
        if chain.len() == MAX_DEPTH {
            return None;
        }
        chain.push(parent);
    }
    Some(chain)
}

/// Whether the normal appearance of a text field draws text, pictures or lines within it. An empty one has at most a ground and a
/// border.
fn shows_something(appearance: &Dict<'_>) -> bool {
    let Some(stream) = appearance.get::<Stream<'_>>("N") else { return true };
    let Ok(unpacked) = unpack(&stream, APPEARANCE_BYTES) else { return true };
    let mut instructions = TypedIter::new(&unpacked.data);
    while let Some(instruction) = instructions.next() {
        match instruction {
            TypedInstruction::ShowText(_)
            | TypedInstruction::ShowTexts(_)
            | TypedInstruction::NextLineAndShowText(_)
            | TypedInstruction::ShowTextWithParameters(_)
            | TypedInstruction::XObject(_)
            | TypedInstruction::InlineImage(_) => return true,
            _ => {}
        }
    }
    false
}

fn area(annotation: &Dict<'_>) -> Result<object::Rect> {
    annotation.get::<object::Rect>("Rect").ok_or_else(|| Error::format(Format::Pdf, "an annotation of no size"))
}

/// Where text begins that is aligned left (0), centred (1) or right (2).
fn aligned(text: &str, size: f64, area: object::Rect, alignment: u32) -> f64 {
    let length = text.chars().map(width).sum::<f64>() * size;
    match alignment {
        1 => (area.x0 + area.x1 - length) / 2.0,
        2 => area.x1 - PADDING - length,
        _ => area.x0 + PADDING,
    }
}

/// Width of a character in Helvetica, relative to the size of text; letters count as digits.
fn width(c: char) -> f64 {
    if matches!(c, ' ' | '.' | ',' | ':' | ';' | '/' | '!' | 'i' | 'l' | 'j' | 'I') {
        NARROW_WIDTH
    } else {
        DIGIT_WIDTH
    }
}

/// A text string (ISO 32000-1, 7.9.2.2), without spaces around it.
fn text(bytes: &[u8]) -> Result<String> {
    let text = match bytes {
        [0xFE, 0xFF, utf16 @ ..] => {
            let units = utf16.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        [0xEF, 0xBB, 0xBF, utf8 @ ..] => String::from_utf8_lossy(utf8).into_owned(),
        // PDFDocEncoding differs from Latin-1 in signs that are no part of numbers
        _ => bytes.iter().map(|&byte| char::from(byte)).collect::<String>(),
    };
    if text.len() > MAX_CHARS {
        Err(unsupported("so long a text without an appearance"))
    } else {
        Ok(text.trim().to_owned())
    }
}

/// Size and colour of text.
struct Style {
    /// `None` where it is to fit its field.
    size: Option<f64>,
    /// An instruction that sets the colour.
    colour: String,
}

impl Style {
    /// Reads a default appearance: instructions that set a font, its size and a colour.
    fn read(appearance: &[u8]) -> Self {
        let mut style = Self { size: None, colour: "0 g".to_owned() };
        let appearance = String::from_utf8_lossy(appearance);
        let mut numbers: Vec<f64> = Vec::new();
        for word in appearance.split_ascii_whitespace() {
            if let Ok(number) = word.parse::<f64>() {
                numbers.push(number);
                continue;
            }
            match (word, &numbers[..]) {
                ("Tf", [size]) if *size > 0.0 => style.size = Some(*size),
                ("g", [_]) | ("rg", [_, _, _]) | ("k", [_, _, _, _]) => {
                    style.colour = numbers.iter().map(|number| format!("{number} ")).collect::<String>() + word;
                }
                _ => {}
            }
            numbers.clear();
        }
        style
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Limits, Page as Scan, open};
    use super::*;

    /// A file of one empty page of 200 x 100 units with annotations, and `more` objects from number 10.
    fn file(page: &str, annotations: &[&str], more: &[&str]) -> Vec<u8> {
        let annotations: String = annotations.iter().map(|annotation| format!("<<{annotation}>>")).collect();
        let mut objects = vec![
            (1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</DA(/Helv 0 Tf 0 g)>>/OCProperties<</OCGs[10 0 R]/D<</OFF[10 0 R]>>>>>>".to_owned()),
            (2, "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned()),
            (3, format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]{page}/Annots[{annotations}]>>")),
        ];
        objects.extend((10..).zip(more.iter().map(|object| (*object).to_owned())));
        let mut bytes = b"%PDF-1.4\n".to_vec();
        for (number, object) in objects {
            bytes.extend(format!("{number} 0 obj{object}\nendobj\n").bytes());
        }
        // without a table hayro searches for the objects
        bytes.extend(b"trailer<</Root 1 0 R>>\n%%EOF\n");
        bytes
    }

    fn page(bytes: &[u8]) -> Result<Scan> {
        open(bytes, &Limits::default())?.next().expect("there is a page")
    }

    /// The box of what is dark, in units from the left and top; `None` where the page is empty.
    #[track_caller]
    fn dark_box(bytes: &[u8]) -> Option<[f64; 4]> {
        let page = page(bytes).unwrap_or_else(|error| panic!("{error}"));
        let scale = 72.0 / page.dpi.expect("a drawn page has one");
        let dark = page.pixels.enumerate_pixels().filter(|(_, _, value)| value[0] < 128);
        let points: Vec<[f64; 2]> = dark.map(|(x, y, _)| [x, y].map(|v| f64::from(v) * scale)).collect();
        let edge = |axis: usize, pick: fn(f64, f64) -> f64| points.iter().map(|point| point[axis]).reduce(pick);
        Some([edge(0, f64::min)?, edge(1, f64::min)?, edge(0, f64::max)?, edge(1, f64::max)?])
    }

    #[track_caller]
    fn assert_within(found: Option<[f64; 4]>, [x0, y0, x1, y1]: [f64; 4]) {
        let found = found.expect("something is drawn");
        assert!(found[0] >= x0 && found[1] >= y0 && found[2] <= x1 && found[3] <= y1, "{found:?}");
    }

    const FIELD: &str = "/Type/Annot/Subtype/Widget/FT/Tx/Rect[20 30 120 60]";

    #[test]
    fn typed_values_without_appearance_are_drawn_in_their_fields() {
        let plain = file("", &[&format!("{FIELD}/V(123)")], &[]);
        assert_within(dark_box(&plain), [20.0, 40.0, 60.0, 70.0]);
        let utf16 = file("", &[&format!("{FIELD}/V<FEFF003100320033>")], &[]);
        assert_eq!(page(&plain).expect("it is drawn").pixels, page(&utf16).expect("it is drawn").pixels);
        let right = file("", &[&format!("{FIELD}/V(123)/Q 2/DA(/Helv 16 Tf 1 0 0 rg)")], &[]);
        assert_within(dark_box(&right), [80.0, 40.0, 120.0, 70.0]);
        // five cells of 20 units, a digit in the first and one in the second
        let comb = file("", &[&format!("{FIELD}/V(11)/Ff 16777216/MaxLen 5")], &[]);
        assert_within(dark_box(&comb), [25.0, 40.0, 55.0, 70.0]);
        let inherited = file("", &["/Subtype/Widget/Rect[20 30 120 60]/Parent<</FT/Tx/V(7)>>"], &[]);
        assert_within(dark_box(&inherited), [20.0, 40.0, 40.0, 70.0]);
        let note = file("", &["/Subtype/FreeText/Rect[20 30 120 60]/Contents(12)/DA(/Helv 16 Tf 0 g)"], &[]);
        assert_within(dark_box(&note), [20.0, 40.0, 50.0, 70.0]);
        let ink =
            file("", &["/Subtype/Ink/Rect[20 30 120 60]/InkList[[30 35 30 55][60 40]]/BS<</W 2>>/C[0 0 0.5]"], &[]);
        assert_within(dark_box(&ink), [28.5, 43.5, 61.5, 66.5]);
    }

    #[test]
    fn page_on_its_side_has_its_values_in_place() {
        let turned = file("/Rotate 90", &[&format!("{FIELD}/V(123)")], &[]);
        // 20 units from the left become 20 from the top, 30 from the bottom become 30 from the left
        assert_within(dark_box(&turned), [30.0, 20.0, 60.0, 60.0]);
    }

    #[test]
    fn empty_and_hidden_fields_draw_nothing() {
        let fields = [
            FIELD.to_owned(),
            format!("{FIELD}/V()"),
            format!("{FIELD}/V(123)/F 2"),
            "/Subtype/Widget/FT/Btn/Rect[20 30 40 50]/AS/Off".to_owned(),
            "/Subtype/Widget/FT/Btn/Rect[20 30 40 50]/AS/Off/AP<</N<</Yes 11 0 R>>>>".to_owned(),
            "/Subtype/Link/Rect[20 30 40 50]".to_owned(),
        ];
        for field in fields {
            assert_eq!(dark_box(&file("", &[&field], &[])), None, "{field}");
        }
    }

    #[test]
    fn appearance_wins_unless_it_shows_no_text() {
        let drawn = |content: &str| {
            let look = format!(
                "<</Subtype/Form/BBox[0 0 100 30]/Resources<</Font<</F<</Subtype/Type1/BaseFont/Helvetica>>>>>>/Length {}>>stream\n{content}\nendstream",
                content.len()
            );
            dark_box(&file("", &[&format!("{FIELD}/V(1)/AP<</N 11 0 R>>")], &["<</Type/OCG/Name(a)>>", &look]))
        };
        assert_within(drawn("BT /F 12 Tf 80 10 Td (1) Tj ET"), [100.0, 40.0, 120.0, 70.0]);
        assert_within(drawn("1 g 0 0 100 30 re f"), [20.0, 40.0, 40.0, 70.0]);
    }

    #[test]
    fn what_cannot_be_drawn_is_no_page() {
        let annotations = [
            "/Subtype/Widget/FT/Btn/Rect[20 30 40 50]/AS/Yes",
            "/Subtype/Widget/FT/Btn/Rect[20 30 40 50]/AS/Yes/AP<</N<</On 11 0 R>>>>",
            "/Subtype/Widget/FT/Btn/Rect[20 30 40 50]/V/Yes",
            "/Subtype/Line/Rect[20 30 40 50]/L[20 30 40 50]",
            "/Subtype/Stamp/Rect[20 30 40 50]",
            "/Subtype/FreeText/Rect[20 30 120 60]/Contents<FEFF4E00>",
            "/Subtype/FreeText/Rect[20 30 120 60]/Contents(1)/OC 10 0 R",
        ];
        for annotation in annotations {
            let error = page(&file("", &[annotation], &[])).expect_err(annotation);
            assert!(matches!(error.kind(), ErrorKind::Unsupported { .. }), "{error}");
        }
    }

    #[test]
    fn layer_that_is_off_is_not_seen() {
        for (name, is_seen) in [("off", false), ("none", true)] {
            let content = format!("/OC /{name} BDC 20 30 50 20 re f EMC");
            let more = ["<</Type/OCG/Name(a)>>", &format!("<</Length {}>>stream\n{content}\nendstream", content.len())];
            let bytes = file("/Contents 11 0 R/Resources<</Properties<</off 10 0 R>>>>", &[], &more);
            assert_eq!(dark_box(&bytes).is_some(), is_seen, "{name}");
        }
    }
}
