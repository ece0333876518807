//! Reads the fields on a page from the objects of a PDF file.
//!
//! ISO 32000-1, 12.7 (interactive forms) and 12.5 (annotations). A page lists the widgets of its fields. A widget inherits what
//! it lacks from its parent fields.

use std::collections::{HashMap, HashSet};

use hayro::hayro_syntax::object::{self, Array, Dict, MaybeRef, Name, ObjRef, Object};
use hayro::hayro_syntax::page::Page;
use hayro::hayro_syntax::xref::XRef;

use super::scripts::{self, Format, Term};
use formread_core::form::{MAX_CELLS, MAX_FIELDS};
use formread_page::pdf::{Document, filters::unpack, mm_from_user_space};
use formread_raster::{
    error::{ErrorKind, Result, Unit},
    geometry::{Point, Projection, Rect},
};

/// Largest number of annotations of a page, and of calculated fields.
const MAX_ANNOTATIONS: usize = 10_000;
/// Deepest nesting of fields. It also ends a cycle.
const MAX_DEPTH: usize = 32;
/// Bytes of a name or a tooltip that are read.
const MAX_NAME_BYTES: usize = 512;
/// Size of the largest script that is read.
const MAX_SCRIPT_BYTES: usize = 64 << 10;
/// Smallest side of a field, millimetres.
const MIN_SIDE_MM: f64 = 1.0;

/// Annotation flag (table 165): neither on screen nor on paper.
const HIDDEN: u32 = 1 << 1;
/// Field flags (tables 221, 226 and 228).
const READ_ONLY: u32 = 1 << 0;
const PUSH_BUTTON: u32 = 1 << 16;
/// Flags of fields that contain no number: several lines, password, file name, formatted text.
const NO_NUMBER: u32 = 1 << 12 | 1 << 13 | 1 << 20 | 1 << 25;
const COMB: u32 = 1 << 24;

/// A field on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Widget {
    /// Names from the outermost field inwards; there may be none.
    pub path: Vec<String>,
    /// What a viewer shows of it to people.
    pub tooltip: Option<String>,
    pub input: InputKind,
    /// Millimetres, within the page.
    pub rect: Rect,
    /// What it contains, if a script declares it.
    pub format: Option<Format>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InputKind {
    /// Text of at most `max_len` characters.
    Text { max_len: Option<usize> },
    /// Text with a cell for each character.
    Comb { n_cells: usize },
    /// A box to tick; `state` is the value of its field when ticked.
    Tick { state: Option<String> },
}

/// The fields on a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Form {
    /// In the order of the page.
    pub widgets: Vec<Widget>,
    /// In the order of calculation.
    pub sums: Vec<Sum>,
    /// Whether any field has a value.
    pub is_filled: bool,
}

/// A sum that the form calculates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sum {
    /// Full name of the field with the result.
    pub total: String,
    pub terms: Vec<Term>,
}

impl Widget {
    /// The field's name, parts joined by points (12.7.3.2).
    pub fn full_name(&self) -> String {
        self.path.join(".")
    }
}

/// The widgets of `page` that people fill in by handwriting, and the sums.
///
/// Push buttons, choices, signatures, texts of several lines and hidden fields are left out, and read-only fields unless they
/// are calculated: on paper, people write those too.
///
/// # Errors
/// `Limit` if there are too many.
pub(super) fn read_form(document: &Document, page: &Page<'_>) -> Result<Form> {
    let mut objects = Objects { xref: page.xref(), known: HashMap::new() };
    let order = document.catalogue().and_then(|catalogue| catalogue.get::<Dict<'_>>("AcroForm"));
    let order = order.and_then(|form| form.get::<Array<'_>>("CO"));
    let (mut form, mut calculated) = (Form::default(), HashSet::new());
    for field in objects.dicts(order)? {
        let Some(chain) = objects.chain(field) else { continue };
        let total = path(&chain).join(".");
        if let Some(terms) = script(&chain, "C").as_deref().and_then(scripts::parse_sum) {
            form.sums.push(Sum { total: total.clone(), terms });
        }
        calculated.insert(total);
    }

    let mm_from_user = mm_from_user_space(page);
    let shown = rect(page.intersected_crop_box(), &mm_from_user);
    for annotation in objects.dicts(page.raw().get::<Array<'_>>("Annots"))? {
        let is_widget = annotation.get::<Name<'_>>("Subtype").is_some_and(|name| name.as_str() == "Widget");
        let is_hidden = annotation.get::<u32>("F").is_some_and(|flags| flags & HIDDEN != 0);
        if !is_widget || is_hidden {
            continue;
        }
        let Some(chain) = objects.chain(annotation) else { continue };
        form.is_filled = form.is_filled || is_filled(&chain);
        let bounds = chain[0].get::<object::Rect>("Rect").and_then(|r| rect(r, &mm_from_user));
        let bounds = bounds.zip(shown).and_then(|(bounds, shown)| on_page(bounds, shown));
        let (Some(rect), path) = (bounds, path(&chain)) else { continue };
        let Some(input) = input_kind(&chain, calculated.contains(&path.join("."))) else { continue };
        let format = ["F", "K"].into_iter().find_map(|key| scripts::parse_format(&script(&chain, key)?));
        let tooltip = chain.iter().find_map(|dict| dict.get::<object::String<'_>>("TU")).map(|text| string(&text));
        form.widgets.push(Widget { path, tooltip, input, rect, format });
    }
    check_count(MAX_FIELDS, form.widgets.len(), Unit::FieldsPerPage)?;
    Ok(form)
}

fn check_count(limit: usize, actual: usize, unit: Unit) -> Result<()> {
    if actual > limit {
        return Err(ErrorKind::Limit { limit: limit as u64, actual: actual as u64, unit }.into());
    }
    Ok(())
}

/// Reads each dictionary once: a small file may refer to a large one many times.
struct Objects<'a> {
    xref: &'a XRef,
    known: HashMap<ObjRef, Option<Dict<'a>>>,
}

impl<'a> Objects<'a> {
    fn dict(&mut self, reference: ObjRef) -> Option<Dict<'a>> {
        let xref = self.xref;
        self.known.entry(reference).or_insert_with(|| xref.get::<Dict<'a>>(reference.into())).clone()
    }

    /// The dictionaries of a list, without repetitions.
    fn dicts(&mut self, list: Option<Array<'a>>) -> Result<Vec<Dict<'a>>> {
        let items: Vec<MaybeRef<Object<'a>>> =
            list.map(|list| list.raw_iter().take(MAX_ANNOTATIONS + 1).collect()).unwrap_or_default();
        check_count(MAX_ANNOTATIONS, items.len(), Unit::AnnotationsPerPage)?;
        let mut seen = HashSet::new();
        let dict = |item: MaybeRef<Object<'a>>| match item {
            MaybeRef::Ref(reference) => seen.insert(reference).then(|| self.dict(reference)).flatten(),
            MaybeRef::NotRef(object) => object.into_dict(),
        };
        Ok(items.into_iter().filter_map(dict).collect())
    }

    /// A dictionary and its parent fields, innermost first; `None` if they are nested too deep.
    fn chain(&mut self, dict: Dict<'a>) -> Option<Vec<Dict<'a>>> {
        let mut parent = dict.get_ref("Parent");
        let mut chain = vec![dict];
        while let Some(outer) = parent.and_then(|reference| self.dict(reference)) {
            if chain.len() == MAX_DEPTH {
                return None;
            }
            parent = outer.get_ref("Parent");
            chain.push(outer);
        }
        Some(chain)
    }
}

fn path(chain: &[Dict<'_>]) -> Vec<String> {
    let name = |dict: &Dict<'_>| dict.get::<object::String<'_>>("T").map(|bytes| string(&bytes));
    chain.iter().rev().filter_map(name).collect()
}

/// A name or a tooltip.
fn string(bytes: &object::String<'_>) -> String {
    text(&bytes.as_bytes()[..bytes.as_bytes().len().min(MAX_NAME_BYTES)])
}

/// The input of a field; `None` if people fill in nothing, or no number.
fn input_kind(chain: &[Dict<'_>], is_calculated: bool) -> Option<InputKind> {
    let flags = chain.iter().find_map(|dict| dict.get::<u32>("Ff")).unwrap_or(0);
    if flags & READ_ONLY != 0 && !is_calculated {
        return None;
    }
    match chain.iter().find_map(|dict| dict.get::<Name<'_>>("FT"))?.as_str() {
        "Tx" if flags & NO_NUMBER == 0 => {
            let max_len = chain.iter().find_map(|dict| dict.get::<i32>("MaxLen"));
            let max_len = max_len.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
            match max_len {
                Some(n_cells) if flags & COMB != 0 && n_cells <= MAX_CELLS => Some(InputKind::Comb { n_cells }),
                _ => Some(InputKind::Text { max_len }),
            }
        }
        "Btn" if flags & PUSH_BUTTON == 0 => Some(InputKind::Tick { state: state(&chain[0]) }),
        _ => None,
    }
}

/// The state of a pressed button (12.7.4.2.3): the name of its appearance that is not `Off`.
fn state(widget: &Dict<'_>) -> Option<String> {
    let appearances = widget.get::<Dict<'_>>("AP")?.get::<Object<'_>>("N")?;
    let Object::Dict(appearances) = appearances else { return None };
    let names = appearances.keys().filter(|name| name.as_str() != "Off");
    names.map(|name| name.as_str().to_owned()).min()
}

/// Whether a field has a value: a text, or the state of a pressed button.
fn is_filled(chain: &[Dict<'_>]) -> bool {
    match chain.iter().find_map(|dict| dict.get::<Object<'_>>("V")) {
        Some(Object::String(text)) => !text.as_bytes().is_empty(),
        Some(Object::Name(state)) => state.as_str() != "Off",
        Some(Object::Stream(_) | Object::Array(_)) => true,
        _ => false,
    }
}

/// The text of a script among the additional actions of a field (12.6.3).
fn script(chain: &[Dict<'_>], key: &str) -> Option<String> {
    let actions = chain.iter().filter_map(|dict| dict.get::<Dict<'_>>("AA"));
    let action = actions.filter_map(|actions| actions.get::<Dict<'_>>(key)).next()?;
    match action.get::<Object<'_>>("JS")? {
        Object::String(script) if script.as_bytes().len() <= MAX_SCRIPT_BYTES => Some(text(script.as_bytes())),
        Object::Stream(stream) => {
            let unpacked = unpack(&stream, MAX_SCRIPT_BYTES as u64).ok()?;
            let is_text = unpacked.is_whole && unpacked.code.is_none() && unpacked.data.len() <= MAX_SCRIPT_BYTES;
            is_text.then(|| text(&unpacked.data))
        }
        _ => None,
    }
}

/// A text string (7.9.2.2). Of its eight-bit encoding only the Latin-1 part is decoded.
fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, utf16 @ ..] => {
            let units: Vec<u16> = utf16.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        [0xef, 0xbb, 0xbf, utf8 @ ..] => String::from_utf8_lossy(utf8).into_owned(),
        _ => bytes.iter().copied().map(char::from).collect(),
    }
}

fn rect(r: object::Rect, mm_from_user: &Projection) -> Option<Rect> {
    let corners = mm_from_user.apply_rect(Rect::from_edges(r.x0, r.y0, r.x1, r.y1));
    let is_finite = |p: &Point| p.x.is_finite() && p.y.is_finite();
    Rect::around(corners).filter(|_| corners.iter().all(is_finite))
}

/// The part of a rectangle on the page; `None` if its centre is off the page or the part is too small to write in.
fn on_page(r: Rect, page: Rect) -> Option<Rect> {
    let part = r.intersection(page).filter(|_| page.contains(r.centre()))?;
    (part.width() >= MIN_SIDE_MM && part.height() >= MIN_SIDE_MM).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings_are_decoded_in_each_encoding() {
        for (bytes, expected) in [
            (&b"line 1"[..], "line 1"),
            (b"\xe9t\xe9", "\u{e9}t\u{e9}"),
            (b"\xfe\xff\0a\x20\xac", "a\u{20ac}"),
            (b"\xfe\xff\0", ""),
            (b"\xfe\xff\xd8\0", "\u{fffd}"),
            (b"\xef\xbb\xbf\xc3\xa9", "\u{e9}"),
        ] {
            assert_eq!(text(bytes), expected);
        }
    }

    #[test]
    fn field_is_on_page_if_its_centre_is_and_it_is_large_enough() {
        let page = Rect::from_edges(0.0, 0.0, 200.0, 300.0);
        for (r, expected) in [
            ([10.0, 10.0, 30.0, 20.0], Some([10.0, 10.0, 30.0, 20.0])),
            ([-5.0, 10.0, 30.0, 20.0], Some([0.0, 10.0, 30.0, 20.0])),
            ([-35.0, 10.0, 30.0, 20.0], None),
            ([10.0, 10.0, 30.0, 10.5], None),
            ([199.5, 10.0, 200.3, 20.0], None),
        ] {
            let [x0, y0, x1, y1] = r;
            let expected = expected.map(|[x0, y0, x1, y1]| Rect::from_edges(x0, y0, x1, y1));
            assert_eq!(on_page(Rect::from_edges(x0, y0, x1, y1), page), expected, "{r:?}");
        }
    }
}
