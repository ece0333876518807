//! The text of a PDF page, word by word, with its place. It names the fields of a form; no number is ever taken from it.

use hayro::hayro_interpret::font::GlyphRun;
use hayro::hayro_interpret::hayro_cmap::BfString;
use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache,
    InterpreterSettings, SoftMask, interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{BezPath, Point, Rect as Bounds};

use super::{Document, content, is_pdf, units_per_inch};
use crate::{Limits, catch_panic};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};
use formread_raster::geometry::{MM_PER_INCH, Rect};

/// Most letters of a page. A page of small print has some 10,000.
const MAX_LETTERS: usize = 200_000;
/// Units of a glyph's space per em (ISO 32000-1, 9.2.4).
const EM: f64 = 1000.0;
/// From the foot to the head of a capital letter, in ems.
const CAP_HEIGHT: f64 = 0.72;
/// Width of a letter that the font does not give, in ems.
const USUAL_ADVANCE: f64 = 0.5;
/// Farthest from the end of one letter to the next one of a word, along the line and across it, in ems.
const MAX_GAP: f64 = 0.22;
const MAX_RISE: f64 = 0.3;
/// Largest slope of a line of text that is level.
const MAX_SLOPE: f64 = 0.1;

/// The text of a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageText {
    /// Width and height of the page as it is shown, millimetres.
    pub size: [f64; 2],
    /// Its words, in the order in which they are drawn.
    pub words: Vec<TextWord>,
}

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub struct TextWord {
    /// Without spaces, not empty.
    pub text: String,
    /// From the page's left top corner, millimetres: from the foot of its letters to the head of a capital, without what
    /// hangs below the line.
    pub bounds: Rect,
}

/// The text of the page at `page_idx` (0-based) of a PDF, without text that is not level. Invisible text, which text
/// recognition adds to a scan, is part of it. `None` if the bytes are no PDF.
///
/// # Errors
/// `Format` if the PDF is damaged or has no such page, `Limit` if it exceeds `limits` or has too many letters,
/// `Unsupported` if it is encrypted.
pub fn page_text(bytes: &[u8], page_idx: usize, limits: &Limits) -> Result<Option<PageText>> {
    if !is_pdf(bytes) {
        return Ok(None);
    }
    catch_panic(Format::Pdf, || {
        let document = Document::open(bytes, limits)?;
        let page = document.page(page_idx).ok_or_else(|| Error::format(Format::Pdf, "no such page"))?;
        text_of(page).map(Some)
    })
}

/// The text of an open page.
///
/// # Errors
/// `Format` if a part of it is missing, `Limit` if it has too many letters.
pub fn text_of(page: &Page<'_>) -> Result<PageText> {
    content::check(page)?;
    let (width, height) = page.render_dimensions();
    let [width, height] = [width, height].map(f64::from);
    let transform = page.initial_transform(true).to_kurbo();
    let mut letters = Letters { found: Vec::new(), is_full: false };
    let cache = InterpreterCache::new();
    let whole = Bounds::new(0.0, 0.0, width, height);
    let mut context = Context::new(transform, whole, &cache, page.xref(), InterpreterSettings::default());
    interpret_page(page, &mut context, &mut letters);
    if letters.is_full {
        let (limit, actual) = (MAX_LETTERS as u64, MAX_LETTERS as u64 + 1);
        return Err(ErrorKind::Limit { limit, actual, unit: Unit::LettersPerPage }.into());
    }
    let mm_per_unit = MM_PER_INCH / units_per_inch(page);
    let mut words = words(letters.found);
    for TextWord { bounds, .. } in &mut words {
        *bounds = Rect::from_edges(
            bounds.x0 * mm_per_unit,
            bounds.y0 * mm_per_unit,
            bounds.x1 * mm_per_unit,
            bounds.y1 * mm_per_unit,
        );
    }
    Ok(PageText { size: [width * mm_per_unit, height * mm_per_unit], words })
}

/// A letter, or several that one glyph shows, in units of the page.
#[derive(Debug, Clone, PartialEq)]
struct Letter {
    text: String,
    /// Where it begins and ends on its line.
    from: Point,
    to: Point,
    /// An em.
    size: f64,
}

/// Joins letters to words.
fn words(letters: Vec<Letter>) -> Vec<TextWord> {
    let mut words: Vec<TextWord> = Vec::new();
    let mut last: Option<Letter> = None;
    for letter in letters {
        let text: String = letter.text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        if text.is_empty() {
            last = None;
            continue;
        }
        let Letter { from, to, size, .. } = letter;
        let bounds = Rect::from_edges(from.x.min(to.x), from.y - CAP_HEIGHT * size, from.x.max(to.x), from.y);
        let follows = |last: &Letter| {
            let gap = from.x - last.to.x;
            gap.abs() <= MAX_GAP * size && (from.y - last.to.y).abs() <= MAX_RISE * size
        };
        match words.last_mut().filter(|_| last.as_ref().is_some_and(follows)) {
            Some(word) => {
                word.text.push_str(&text);
                word.bounds = word.bounds.union(bounds);
            }
            None => words.push(TextWord { text, bounds }),
        }
        last = Some(letter);
    }
    words
}

/// Collects the letters that are drawn.
struct Letters {
    found: Vec<Letter>,
    is_full: bool,
}

impl<'a> Device<'a> for Letters {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        for glyph in run.glyphs() {
            let text = match glyph.as_unicode() {
                Some(BfString::Char(letter)) => letter.to_string(),
                Some(BfString::String(letters)) => letters,
                None => continue,
            };
            if self.found.len() == MAX_LETTERS {
                self.is_full = true;
                return;
            }
            let page_from_glyph = props.transform * glyph.transform();
            let advance = match &**glyph {
                hayro::hayro_interpret::font::Glyph::Outline(outline) => outline.advance_width(),
                hayro::hayro_interpret::font::Glyph::Type3(drawn) => drawn.advance_width(),
            };
            let advance = advance.map_or(USUAL_ADVANCE * EM, f64::from);
            let at = |x: f64, y: f64| page_from_glyph * Point::new(x, y);
            let (from, to, head) = (at(0.0, 0.0), at(advance, 0.0), at(0.0, EM));
            let size = (head - from).hypot();
            let along = to - from;
            let is_level = along.x >= 0.0 && along.y.abs() <= MAX_SLOPE * along.x.max(f64::MIN_POSITIVE);
            if is_level && [from.x, from.y, to.x, size].iter().all(|v| v.is_finite()) {
                self.found.push(Letter { text, from, to, size });
            }
        }
    }

    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_clip_rect(&mut self, _: &Bounds) {}

    fn pop_clip(&mut self) {}

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}

    fn pop_transparency_group(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str, x: f64, y: f64) -> Letter {
        Letter { text: text.to_owned(), from: Point::new(x, y), to: Point::new(x + 5.0, y), size: 10.0 }
    }

    #[test]
    fn letters_join_to_words_at_spaces_gaps_and_lines() {
        let letters = vec![
            letter("T", 0.0, 50.0),
            letter("ax", 5.0, 50.0),
            letter(" ", 10.0, 50.0),
            letter("d", 15.0, 50.0),
            letter("u", 25.0, 50.0),
            letter("e", 30.0, 70.0),
        ];
        let found = words(letters);
        assert_eq!(found.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["Tax", "d", "u", "e"]);
        assert_eq!(found[0].bounds, Rect::from_edges(0.0, 42.8, 10.0, 50.0));
    }
}
