//! Drafts a template from pages of a form. A person then names the fields.
//!
//! 1. `sheet` rectifies a page: it deskews a scan, and levels a photo by its vanishing points.
//! 2. `upright` turns a page that lies on its side.
//! 3. `consensus` removes the writing, from several filled pages.
//! 4. `ink` binarises the sheet.
//! 5. `cells` finds the frames that lines enclose; `teeth` closes open combs, and `faint_boxes` adds faint tick boxes.
//! 6. `fields` selects the frames to be filled in, and joins those that make up one field; `letters` sees what is printed in
//!    the cells of a date.
//!    Rows of tally `grids` are no fields. `rings` are circles to be filled in.
//! 7. `print` finds the landmarks for registration, and the lines to write on, which may be `dotted`.
//! 8. `captions` finds the words beside each field, those of a PDF with text or what `ocr` reads; `names` makes names of them, and
//!    `kinds` says what is written there.
//! 9. `proof` lays the draft on its own blank and on copies of it: what fails is left out.
//! 10. `text` writes the template.
//!
//! Nothing is known about the form beforehand. Sizes are millimetres on paper. Without a resolution in the file, the paper
//! is the one with the page's proportions, or A4.
//!
//! A fillable PDF contains its fields: `acroform` reads them, and uses the steps above to find where they are printed.

mod acroform;
mod captions;
mod cells;
mod choices;
mod consensus;
mod dotted;
mod faint_boxes;
mod fields;
mod files;
mod grids;
mod ink;
mod kinds;
mod leftover;
mod letters;
mod names;
mod ocr;
mod print;
mod proof;
mod rings;
mod sheet;
mod teeth;
mod text;
mod upright;

use image::{GrayImage, imageops};

use captions::{Caption, Place, find_captions};
use cells::{Cell, enclosed_cells};
use faint_boxes::find_faint_boxes;
use fields::{FieldCandidate, find_fields, in_reading_order};
use formread_core::form::{
    DigitCount, DocumentPage, FieldKind, FieldLayout, FormTemplate, Landmarks, MAX_FIELDS, parse_template,
    source::form_name,
};
use formread_page::{
    Page,
    pdf::{PageText, TextWord},
};
use formread_raster::{
    error::{Error, Format, Result},
    geometry::{MM_PER_INCH, Projection, Rect},
};
use grids::tally_grids;
use ink::{Ink, in_px};
use kinds::{Meaning, meanings};
use proof::prove;
use rings::find_rings;
use sheet::{Sheet, rectify};

pub use acroform::draft_fillable;
pub use fields::Shape;
pub use files::{Drafts, FormFiles, NamedFile, PageDraft};
pub use ocr::Ocr;
pub use proof::{BlankCopy, Fault, Flaw};

/// A drafted template.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The form's name: lower-case letters, digits and hyphens.
    pub name: String,
    /// One line for a person.
    pub title: String,
    /// Which page of a document it is; `None` if it is a form by itself.
    pub document: Option<DocumentPage>,
    /// Landmarks for registration besides the frames of the fields, millimetres.
    pub landmarks: Landmarks,
    /// The proposed fields, in reading order.
    pub fields: Vec<DraftField>,
    /// Lines to write on, if the form has cells for digits: then most of its lines are for words, and the template contains
    /// them as comments. Empty if the lines are among `fields`.
    pub writing_lines: Vec<DraftField>,
    /// What looks like a field and is none, each with the reason.
    pub left_out: Vec<(DraftField, String)>,
    /// What does not hold of the draft on its own blank and on copies of it.
    pub flaws: Vec<Flaw>,
    /// Rules between `fields`, in the syntax of a template. Only a fillable PDF gives any.
    pub rules: Vec<String>,
    /// Whether text recognition read the words that name its fields.
    pub has_ocr_names: bool,
    /// Number of pages used: the first one, and those that were registered on it.
    pub n_pages: usize,
    /// The rectified form without writing: [H, W] u8, 0 black .. 255 white.
    pub sheet: GrayImage,
    /// Pixels of `sheet` per millimetre.
    pub px_per_mm: f64,
    /// Template millimetres to pixels of the first page.
    pub page_from_template: Projection,
}

/// Where the words printed on a blank are known from.
#[derive(Debug, Clone, Copy)]
pub enum Words<'a> {
    /// They are not known: a person names the fields.
    Unknown,
    /// The text of the first page.
    Text(&'a PageText),
    /// Text recognition reads them.
    Ocr(&'a Ocr),
}

/// A proposed field.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftField {
    /// Its caption in `snake_case`, or its name in a fillable PDF; `field_01` and so on if there is neither, for a person to
    /// change.
    pub name: String,
    /// Kind of number: a mark for a tick box, a code if unknown.
    pub kind: FieldKind,
    /// What a person must decide, one line.
    pub note: Option<&'static str>,
    /// Number of digits, if known.
    pub digits: Option<DigitCount>,
    /// What it looks like.
    pub shape: Shape,
    /// Where its digits are written, millimetres.
    pub layout: FieldLayout,
    /// Number of cells in each group of a comb or a row of boxes, from left to right; empty for other shapes.
    pub groups: Vec<usize>,
    /// Where its caption is printed, millimetres, if its words are not known.
    pub caption: Option<Rect>,
}

impl DraftField {
    fn new(name: String, found: FieldCandidate, meaning: Meaning) -> Self {
        let FieldCandidate { shape, layout, groups, .. } = found;
        let Meaning { kind, digits, note, .. } = meaning;
        Self { name, kind, note, digits, shape, layout, groups, caption: None }
    }
}

impl Draft {
    /// The text of the template. [`parse_template`] accepts it.
    pub fn to_toml(&self) -> String {
        text::template_text(self)
    }

    /// The form without writing, as a page, with the map from the template to it.
    fn blank(&self) -> (Page, Projection) {
        let page = Page::upright(self.sheet.clone(), Some(self.px_per_mm * MM_PER_INCH));
        (page, Projection::scaling(self.px_per_mm, self.px_per_mm))
    }

    /// The draft with what does not hold of it on its blank, a page with the map from the template to it. Fields that are not blank there, or that
    /// lie elsewhere, are left out.
    ///
    /// # Errors
    /// `Format` if the page is too narrow for a form.
    fn proved(mut self, blank: &(Page, Projection)) -> Result<Self> {
        self.flaws = prove(&self, &self.template()?, blank);
        if self.flaws.iter().any(|flaw| matches!(flaw.fault, Fault::Outside(_))) {
            // what a copy makes of the print would be taken for writing
            self.landmarks.print_is_complete = false;
            self.flaws = prove(&self, &self.template()?, blank);
        }
        let mut reasons: Vec<Option<String>> = vec![None; self.fields.len()];
        for flaw in self.flaws.iter().filter(|flaw| flaw.copy == BlankCopy::Own) {
            let reason = match flaw.fault {
                Fault::Displaced { .. } => "it is laid elsewhere on its own blank",
                // where writing was removed, traces of it are left
                Fault::Written(_) if self.n_pages == 1 => "it is not blank on its own blank",
                _ => continue,
            };
            flaw.field_idxs().iter().for_each(|idx| reasons[*idx] = Some(reason.to_owned()));
        }
        let n_left_out = reasons.iter().flatten().count();
        if n_left_out == 0 || 2 * n_left_out > self.fields.len() {
            return Ok(self);
        }
        let mut kept = Vec::new();
        for (field, reason) in std::mem::take(&mut self.fields).into_iter().zip(reasons) {
            match reason {
                Some(reason) => self.left_out.push((field, reason)),
                None => kept.push(field),
            }
        }
        self.fields = kept;
        // a rule without one of its fields is none
        let is_field = |name: &str| self.fields.iter().any(|field| field.name == name);
        let words = |rule: &str| {
            rule.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned).collect::<Vec<_>>()
        };
        let is_name = |word: &String| word.starts_with(|c: char| c.is_ascii_alphabetic());
        self.rules.retain(|rule| words(rule).iter().filter(|word| is_name(word)).all(|name| is_field(name)));
        self.flaws = prove(&self, &self.template()?, blank);
        Ok(self)
    }

    /// The number and name of each field whose caption's words are not known, and the picture of its caption.
    pub fn caption_pictures(&self) -> Vec<(String, GrayImage)> {
        let picture = |r: Rect| {
            let r = in_px(r.inflate(CAPTION_MARGIN_MM), self.px_per_mm);
            let [x0, y0] = [r.x0, r.y0].map(|px| px.max(0.0) as u32);
            let [width, height] = [r.width(), r.height()].map(|px| px.ceil().max(1.0) as u32);
            imageops::crop_imm(&self.sheet, x0, y0, width, height).to_image()
        };
        let fields = self.fields.iter().enumerate();
        fields.filter_map(|(i, field)| Some((format!("{} {}", i + 1, field.name), picture(field.caption?)))).collect()
    }

    /// Whether it may be used: it lies on its own blank, and every field is where it was drafted.
    pub fn holds(&self) -> bool {
        !self.flaws.iter().any(Flaw::is_fatal)
    }

    /// The template.
    ///
    /// # Errors
    /// `Format` if a caller changed a name or a field to one that a template may not have.
    pub fn template(&self) -> Result<FormTemplate> {
        parse_template(&self.to_toml())
    }
}

/// Drafts the template `name` from `pages` of one form: a blank one, or several filled in by different people. The template
/// has the coordinates of the first. Pages that cannot be registered on the first are left out. The `words` name the fields.
///
/// # Errors
/// `Usage` without a page, or if `name` is no name of a form; `Format` if the page has nothing to fill in, or is too small
/// or too large for a form; `Usage`, `TimedOut` or `Io` if text recognition fails.
pub fn draft(pages: &[Page], words: Words<'_>, name: &str) -> Result<Draft> {
    draft_page(pages, words, &checked_name(name)?)?.ok_or_else(nothing_to_fill_in)
}

/// As [`draft`]; `None` if the page has nothing to fill in. `name` is that of the form.
fn draft_page(pages: &[Page], words: Words<'_>, name: &str) -> Result<Option<Draft>> {
    let [first, others @ ..] = pages else {
        return Err(Error::usage("no page to draft a template from").with_hint("give a blank page of the form"));
    };
    let (sheet, n_pages) = consensus::remove_writing(upright(rectify(first)), others);
    let ink = Ink::new(&sheet);
    let cells = find_cells(&ink, &Ink::faint(&sheet));
    let mut found = find_fields(&cells, &ink, n_pages > 1);
    let rings = find_rings(&ink, &Ink::faint(&sheet));
    // a pale ring may look like a box as well
    let is_ring = |found: &FieldCandidate| {
        let at = found.layout.bounds();
        found.shape == Shape::Mark && rings.iter().flat_map(|ring| ring.layout.cells()).any(|c| c.contains(at.centre()))
    };
    found.retain(|found| !is_ring(found));
    let outlines = rings.iter().flat_map(|rings| rings.layout.cells());
    let outlines = outlines.map(|cell| Cell::with_frame(&ink, in_px(*cell, sheet.px_per_mm)));
    let frames: Vec<Cell> = cells.iter().copied().chain(outlines).collect();
    let print = print::find_print(&sheet, &ink, &frames);
    found.extend(rings);
    in_reading_order(&mut found, |found| found.layout.bounds());
    let mut is_grid = tally_grids(&found, &print.words).into_iter();
    let (grids, mut found): (Vec<FieldCandidate>, Vec<FieldCandidate>) =
        found.into_iter().partition(|_| is_grid.next().unwrap_or(false));
    let mut lines = print.writing_lines(&ink, &frames);
    in_reading_order(&mut lines, |found| found.layout.bounds());
    let has_cells = found.iter().any(|field| matches!(field.shape, Shape::Comb | Shape::Boxes));
    if !has_cells {
        found.append(&mut lines);
        in_reading_order(&mut found, |found| found.layout.bounds());
    }
    if found.is_empty() {
        return Ok(None);
    }
    found.truncate(MAX_FIELDS);
    let mm_to_px = Projection::scaling(sheet.px_per_mm, sheet.px_per_mm);
    let page_from_template = sheet.page_from_sheet.compose(&mm_to_px);
    let text = match words {
        Words::Text(text) => words_on(first, text, &page_from_template),
        Words::Ocr(ocr) => ocr.words(&sheet, &print.lines_of_form(&found))?,
        Words::Unknown => Vec::new(),
    };
    let is_known = matches!(words, Words::Text(_));
    // a person must say the values of a choice: one misread would be booked for another
    let (found, is_value) = choices::with_values(found, if is_known { &text } else { &[] });
    let n_found = found.len();
    let all: Vec<FieldCandidate> = found.into_iter().chain(lines.iter().cloned()).chain(grids).collect();
    let mut is_value = is_value.into_iter();
    let caption_words: Vec<TextWord> = text.iter().filter(|_| !is_value.next().unwrap_or(false)).cloned().collect();
    let captions = captions_of(&caption_words, &all);
    let mut printed = if is_known { vec![None; all.len()] } else { caption_places(&print.words, &all) };
    printed.iter_mut().zip(&captions).filter(|(_, caption)| caption.is_some()).for_each(|(place, _)| *place = None);
    let meanings = meanings(&all, &captions, &ink);
    let width = all.len().to_string().len().max(2);
    let name_of = |(i, caption): (usize, &Option<Caption>)| {
        caption.as_ref().and_then(names::caption_name).unwrap_or_else(|| format!("field_{:0width$}", i + 1))
    };
    let names = names::unique(&captions.iter().enumerate().map(name_of).collect::<Vec<_>>());
    let is_for_words = |i: usize| i < n_found && meanings[i].is_words;
    // a page for words alone is of no use
    let has_numbers = (0..n_found).any(|i| !is_for_words(i));
    // what was read may be misread: a person decides
    let is_left_out = |i: usize| is_for_words(i) && has_numbers && is_known;
    let kept: Vec<FieldCandidate> = (0..n_found).filter(|i| !is_left_out(*i)).map(|i| all[i].clone()).collect();
    let mut landmarks = print.landmarks(&sheet, &kept);
    landmarks.free = (0..n_found).filter(|i| is_left_out(*i)).map(|i| all[i].layout.bounds()).collect();
    let mut landmarks = with_other_print(landmarks, &ink, &kept);
    spell(&mut landmarks, &text);
    let (mut fields, mut writing_lines, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for (i, ((found, name), meaning)) in all.iter().cloned().zip(names).zip(meanings.iter().cloned()).enumerate() {
        let note = meaning.note.or_else(|| (is_for_words(i) && !is_left_out(i)).then_some(WORDS_NOTE));
        let field = DraftField { caption: printed[i], note, ..DraftField::new(name, found, meaning) };
        match i {
            _ if is_left_out(i) => left_out.push((field, WORDS_REASON.to_owned())),
            _ if i < n_found => fields.push(field),
            _ if i < n_found + lines.len() => writing_lines.push(field),
            _ => left_out.push((field, GRID_REASON.to_owned())),
        }
    }
    let draft = Draft {
        title: format!("{name}, drafted"),
        name: name.to_owned(),
        document: None,
        landmarks,
        fields,
        writing_lines,
        left_out,
        flaws: Vec::new(),
        rules: Vec::new(),
        has_ocr_names: matches!(words, Words::Ocr(_)) && captions.iter().any(Option::is_some),
        n_pages,
        px_per_mm: sheet.px_per_mm,
        page_from_template,
        sheet: sheet.pixels,
    };
    let blank = if n_pages == 1 { (first.clone(), draft.page_from_template) } else { draft.blank() };
    draft.proved(&blank).map(Some)
}

fn nothing_to_fill_in() -> Error {
    let hint = "a field is an empty frame, a row of empty cells, or a line to write on";
    Error::format(Format::Form, "the page has nothing to fill in").with_hint(hint)
}

/// `landmarks` with the print that they lack: then all print is declared.
fn with_other_print(mut landmarks: Landmarks, ink: &Ink, found: &[FieldCandidate]) -> Landmarks {
    let areas = leftover::other_print(ink, found, &landmarks);
    landmarks.print.extend(areas);
    landmarks.print_is_complete = true;
    landmarks
}

/// The words of the first page, in millimetres of the template.
fn words_on(page: &Page, text: &PageText, page_from_template: &Projection) -> Vec<TextWord> {
    let [width, height] = text.size.map(|side| side.max(f64::MIN_POSITIVE));
    let px_from_mm =
        Projection::scaling(f64::from(page.pixels.width()) / width, f64::from(page.pixels.height()) / height);
    let Some(template_from_page) = page_from_template.inverse() else { return Vec::new() };
    let map = template_from_page.compose(&px_from_mm);
    let word = |word: &TextWord| {
        let bounds = Rect::around(map.apply_rect(word.bounds))?;
        Some(TextWord { text: word.text.clone(), bounds })
    };
    text.words.iter().filter_map(word).collect()
}

/// Gives each printed word its text, where it is known.
fn spell(landmarks: &mut Landmarks, words: &[TextWord]) {
    for printed in &mut landmarks.words {
        let within = words.iter().filter(|word| printed.bounds.contains(word.bounds.centre()));
        printed.text = within.map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    }
}

/// The captions of `found` among the `words` of their sheet.
fn captions_of(words: &[TextWord], found: &[FieldCandidate]) -> Vec<Option<Caption>> {
    let place = |found: &FieldCandidate| Place { bounds: found.layout.bounds(), shape: found.shape };
    find_captions(words, &found.iter().map(place).collect::<Vec<_>>())
}

/// Where the captions of `found` are among the words that are `printed`, whatever they say.
fn caption_places(printed: &[Rect], found: &[FieldCandidate]) -> Vec<Option<Rect>> {
    let word = |(i, bounds): (usize, &Rect)| TextWord { text: format!("w{i}"), bounds: *bounds };
    let words: Vec<TextWord> = printed.iter().enumerate().map(word).collect();
    let place = |word: &str| printed.get(word.strip_prefix('w')?.parse::<usize>().ok()?).copied();
    let captions = captions_of(&words, found).into_iter();
    captions.map(|caption| caption?.text.split(' ').filter_map(place).reduce(Rect::union)).collect()
}

/// What a person decides of a field with such a caption that is not left out.
const WORDS_NOTE: &str = "its caption looks like that of words: delete it if they are written there";
/// Why a field for words is left out.
const WORDS_REASON: &str = "its caption is that of words; anything may be written there";

/// White around the picture of a caption, millimetres.
const CAPTION_MARGIN_MM: f64 = 0.6;

/// Smallest width and height of a white box in a grey area, millimetres.
const MIN_HOLE_MM: [f64; 2] = [8.0, 3.5];

/// Why the cells of a grid are no fields.
const GRID_REASON: &str = "a row of a grid without names: for tally strokes";

/// The name of a form as tables have it.
fn checked_name(name: &str) -> Result<String> {
    form_name(name).ok_or_else(|| {
        let hint = "letters, digits and hyphens, no hyphen first; --name gives the form another name than its file";
        Error::usage(format!("name of a form: {name:?}")).with_hint(hint)
    })
}

/// The frames on a sheet, in no order: those that lines of clear ink enclose, and faint tick boxes.
fn find_cells(ink: &Ink, faint: &Ink) -> Vec<Cell> {
    let mut cells = enclosed_cells(ink);
    let enclosed = enclosed_cells(faint);
    cells.extend(find_faint_boxes(&cells, faint, &enclosed));
    // white boxes in a pale grey area
    let [width, height] = MIN_HOLE_MM.map(|mm| mm * faint.px_per_mm);
    let is_hole = |cell: &Cell| {
        let is_large = cell.frame.width() >= width && cell.frame.height() >= height;
        is_large && cell.is_line == [false; 4] && cell.ink_mm2 == 0.0
    };
    let is_new = |hole: &Cell| cells.iter().all(|cell| cell.frame.intersection(hole.frame).is_none());
    let holes: Vec<Cell> = enclosed.into_iter().filter(|cell| is_hole(cell) && is_new(cell)).collect();
    cells.extend(holes);
    cells
}

/// The sheet, turned if it lies on its side.
fn upright(sheet: Sheet) -> Sheet {
    let quarters = upright::quarters_turned(&sheet);
    sheet.rotate_back(quarters)
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::synth::{Degradations, GlyphStock, SynthOptions, SynthPage, synthesise};
    use formread_core::form::known_templates;

    /// Ten signs of each of twelve writers: a stroke at a place of its own for each digit and at a slant of its own for each
    /// writer, between two dots that give all signs one size.
    fn stock() -> GlyphStock {
        let sign = |digit: u32, slant: u32| {
            let is_ink = |x: u32, y: u32| (x + y * slant / 6) % 20 / 2 == digit || x.max(y) < 2 || x.min(y) > 17;
            GrayImage::from_fn(20, 20, |x, y| Luma([if is_ink(x, y) { 255 } else { 0 }]))
        };
        let signs = (0..12)
            .flat_map(|writer| (0..10).map(move |digit| (sign(digit, writer), digit as u8, Some(writer as usize))));
        GlyphStock::new(signs).expect("every digit is there")
    }

    fn form(name: &str) -> FormTemplate {
        let mut known = known_templates().expect("known templates parse");
        known.remove(known.iter().position(|template| template.name == name).expect("it is known"))
    }

    fn blank(form: &FormTemplate, options: SynthOptions, page_idx: u64) -> SynthPage {
        let options = SynthOptions { blanks: 1.0, fillers: 0.0, ..options };
        synthesise(form, &stock(), &options, page_idx).expect("the options are in range")
    }

    /// Asserts that every field of `form` is in `draft`, with its layout and cells, within half a millimetre. Returns how many
    /// more fields are proposed.
    #[track_caller]
    fn assert_drafted(form: &FormTemplate, draft: &Draft, drawn: &SynthPage, what: &str) -> usize {
        let form_from_page = drawn.page_from_template.inverse().expect("it is regular");
        let form_from_draft = form_from_page.compose(&draft.page_from_template);
        let drafted = draft.template().expect("it is well formed");
        assert_eq!(drafted.fields.len(), draft.fields.len(), "{what}");
        for field in &form.fields {
            let expected = field.layout.cells();
            let is_it = |found: &&DraftField| {
                let cells = found.layout.cells();
                let corners = cells.iter().flat_map(|c| form_from_draft.apply_rect(*c));
                let is_comb = |layout: &FieldLayout| matches!(layout, FieldLayout::Comb { .. });
                cells.len() == expected.len()
                    && is_comb(&found.layout) == is_comb(&field.layout)
                    && corners.zip(expected.iter().flat_map(|c| c.corners())).all(|(p, q)| (p - q).norm() < 0.5)
            };
            assert!(
                draft.fields.iter().any(|found| is_it(&found)),
                "{}, {what}: {} is not found",
                form.name,
                field.name
            );
        }
        draft.fields.len() - form.fields.len()
    }

    #[test]
    fn blank_page_gives_all_fields_in_place() {
        let mild = Degradations {
            skew_degrees: 1.5,
            blur: 0.2,
            noise: 0.2,
            jpeg: 0.3,
            uneven_light: 0.2,
            ..Degradations::NONE
        };
        let photo = Degradations { perspective: 0.7, uneven_light: 0.5, ..Degradations::NONE };
        for (name, n_more) in [("tax-return", 0), ("nist-hsf", 3)] {
            let form = form(name);
            for (what, degradations, is_on_side, dpi) in [
                ("mild", mild, false, Some(200.0)),
                ("a photo", photo, false, None),
                ("on its side", mild, true, Some(200.0)),
            ] {
                let options = SynthOptions { dpi: 200.0, degradations, ..SynthOptions::default() };
                let mut drawn = blank(&form, options, 0);
                if is_on_side {
                    let height = f64::from(drawn.image.height());
                    let turned = Projection([0.0, -1.0, height, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
                    drawn.page_from_template = turned.compose(&drawn.page_from_template);
                    drawn.image = imageops::rotate90(&drawn.image);
                }
                let draft =
                    draft(&[Page::upright(drawn.image.clone(), dpi)], Words::Unknown, "again").expect("it has fields");
                assert!(draft.holds(), "{name}, {what}: {:?}", draft.flaws);
                // three frames for words on the form are as large as those for numbers
                assert_eq!(assert_drafted(&form, &draft, &drawn, what), n_more, "{name}, {what}");
            }
        }
    }

    #[test]
    fn filled_pages_give_fields_of_blank_page() {
        let form = form("tax-return");
        let degradations = Degradations { skew_degrees: 1.0, shift: 0.02, noise: 0.1, ..Degradations::NONE };
        let options = SynthOptions { dpi: 150.0, degradations, ..SynthOptions::default() };
        let drawn: Vec<SynthPage> =
            (0..6).map(|i| synthesise(&form, &stock(), &options, i).expect("they are in range")).collect();
        let pages: Vec<Page> = drawn.iter().map(|page| Page::upright(page.image.clone(), Some(150.0))).collect();
        let draft = draft(&pages, Words::Unknown, "filled").expect("it has fields");
        assert_eq!(draft.n_pages, 6);
        assert!(draft.holds(), "{:?}", draft.flaws);
        assert_drafted(&form, &draft, &drawn[0], "filled");
    }

    #[test]
    fn page_without_fields_or_bad_name_is_error() {
        let white = || Page::upright(GrayImage::from_pixel(300, 400, Luma([250])), None);
        for (pages, name, part) in [
            (vec![], "form", "no page to draft"),
            (vec![white()], "A Form", "name of a form: \"A Form\""),
            (vec![white()], "form", "the page has nothing to fill in"),
            (vec![Page::upright(GrayImage::new(1, 1), None)], "form", "the page has nothing"),
        ] {
            let error = draft(&pages, Words::Unknown, name).expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
