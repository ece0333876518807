//! From pages of a form to a draft of its template, for a person to name the fields in.
//!
//! 1. `sheet` lays a page out flat: a scan is turned, a photo is made level by its vanishing points.
//! 2. `upright` sets it upright where it lies on its side.
//! 3. `consensus` takes away what was written, where there are several filled pages and no blank.
//! 4. `cells` finds the frames that lines enclose, `siblings` those of them that are faint.
//! 5. `fields` tells which of them are to be filled in, and joins those that make one field.
//! 6. `print` finds what registration holds on to, and the lines that are to be written on.
//! 7. `text` writes it down.
//!
//! Nothing is known of the form beforehand. Sizes are millimetres on the paper: where the file does not give its
//! resolution, the page is taken for the paper that has its proportions, A4 where none has.
//!
//! A fillable PDF says itself what its fields are: `acroform` reads that, and takes from the steps above where they are
//! printed.

mod acroform;
mod cells;
mod consensus;
mod fields;
mod print;
mod sheet;
mod siblings;
mod text;
mod upright;

use image::GrayImage;

use cells::{Ink, find_cells};
use fields::{Found, find_fields, in_reading_order};
use formread_core::form::{
    DigitCount, FieldKind, FieldLayout, FormTemplate, Landmarks, MAX_FIELDS, parse_template, source::is_form_name,
};
use formread_page::Page;
use formread_raster::{
    error::{Error, Format, Result},
    geometry::Projection,
};
use sheet::{Sheet, lay_flat};

pub use acroform::draft_fillable;
pub use fields::Shape;

/// A template in the making.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The form's name: small letters, digits and hyphens.
    pub name: String,
    /// One line for a person.
    pub title: String,
    /// What registration holds on to beside the frames of the fields, millimetres.
    pub landmarks: Landmarks,
    /// What is proposed to be read, in reading order.
    pub fields: Vec<DraftField>,
    /// Lines to write on, of a form that has cells for its digits: its lines are mostly for words. The template's text has
    /// them as comments. Empty where they are among `fields`.
    pub writing_lines: Vec<DraftField>,
    /// Rules between `fields`, as a template has them; none but from a fillable PDF.
    pub rules: Vec<String>,
    /// How many pages it was made from: those that could be laid on the first one, with it.
    pub n_pages: usize,
    /// The form as it was drafted, without what was written: [H, W] u8, 0 black .. 255 white, level.
    pub sheet: GrayImage,
    /// Pixels of `sheet` a millimetre.
    pub px_per_mm: f64,
    /// Template millimetres to pixels of the first page.
    pub page_from_template: Projection,
}

/// A field that is proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftField {
    /// `field_01` and so on, to be changed; from a fillable PDF what it is called there.
    pub name: String,
    /// What sort of number it holds: a mark for a tick box, a code where nothing tells.
    pub kind: FieldKind,
    /// How many digits it may hold, where that is told.
    pub digits: Option<DigitCount>,
    /// What it looks like.
    pub shape: Shape,
    /// Where its digits stand, millimetres.
    pub layout: FieldLayout,
    /// Cells in each group, of a comb or of boxes in a row, from left to right; empty of others.
    pub groups: Vec<usize>,
}

impl DraftField {
    /// A field of which nothing is known but its looks.
    fn new(name: String, Found { shape, layout, groups }: Found) -> Self {
        let kind = if shape == Shape::Mark { FieldKind::Mark { filled_counts: false } } else { FieldKind::Code };
        Self { name, kind, digits: None, shape, layout, groups }
    }
}

impl Draft {
    /// The template's text, which [`parse_template`] accepts.
    pub fn to_toml(&self) -> String {
        text::text(self)
    }

    /// The template as it is.
    ///
    /// # Errors
    /// `Format` where a name or a field was changed to what no template may have.
    pub fn template(&self) -> Result<FormTemplate> {
        parse_template(&self.to_toml())
    }
}

/// Drafts the template `name` from `pages` of one form: a blank one, or several that are filled in by different hands, the
/// first of which gives the template its place. Pages that are another form, or cannot be laid on the first, are left out.
///
/// # Errors
/// `Usage` where there is no page, or `name` cannot be a form's; `Format` where nothing on the page is to be filled in, or the page is no size for a form.
pub fn draft(pages: &[Page], name: &str) -> Result<Draft> {
    let [first, others @ ..] = pages else {
        return Err(Error::usage("no page to draft a template from\nhint: give a blank page of the form"));
    };
    check_name(name)?;
    let (sheet, n_pages) = consensus::without_writing(upright(lay_flat(first)), others);
    let ink = Ink::of(&sheet);
    let cells = find_cells(&ink, &Ink::faint(&sheet));
    let mut found = find_fields(&cells, &ink, n_pages > 1);
    let print = print::find_print(&sheet, &ink, &cells);
    let mut lines = print.lines_to_write_on(&ink, &cells);
    in_reading_order(&mut lines, |found| found.layout.bounds());
    let has_cells = found.iter().any(|field| matches!(field.shape, Shape::Comb | Shape::Boxes));
    if !has_cells {
        found.append(&mut lines);
        in_reading_order(&mut found, |found| found.layout.bounds());
    }
    if found.is_empty() {
        let hint = "a field is a frame, a row of cells or a line with nothing in it";
        return Err(Error::format(Format::Form, format!("nothing on the page is to be filled in\nhint: {hint}")));
    }
    found.truncate(MAX_FIELDS);
    let landmarks = print.landmarks(&sheet, &found);
    let digits = |n: usize| n.to_string().len().max(2);
    let width = digits(found.len() + lines.len());
    let named = |first: usize, found: Vec<Found>| -> Vec<DraftField> {
        let name = |i: usize| format!("field_{:0width$}", first + i);
        let field = |(i, found)| DraftField::new(name(i), found);
        found.into_iter().enumerate().map(field).collect()
    };
    let n_found = found.len();
    let fields = named(1, found);
    let mm_to_px = Projection::scaling(sheet.px_per_mm, sheet.px_per_mm);
    let draft = Draft {
        name: name.to_owned(),
        title: format!("{name}, drafted"),
        landmarks,
        fields,
        writing_lines: named(n_found + 1, lines),
        rules: Vec::new(),
        n_pages,
        px_per_mm: sheet.px_per_mm,
        page_from_template: sheet.page_from_sheet.compose(&mm_to_px),
        sheet: sheet.pixels,
    };
    // a page may be too narrow to be a form's
    draft.template()?;
    Ok(draft)
}

/// Whether `name` can be a form's.
fn check_name(name: &str) -> Result<()> {
    let hint = "small letters, digits and hyphens, no hyphen first";
    if is_form_name(name) && !name.starts_with('-') {
        Ok(())
    } else {
        Err(Error::usage(format!("name of a form: {name:?}\nhint: {hint}")))
    }
}

/// The sheet set upright where it lies on its side.
fn upright(sheet: Sheet) -> Sheet {
    let quarters = upright::quarters_turned(&sheet);
    sheet.rotate_back(quarters)
}

#[cfg(test)]
mod tests {
    use image::{Luma, imageops};

    use super::*;
    use crate::synth::{Degradations, GlyphStock, SynthOptions, SynthPage, synthesise};
    use formread_core::form::known_templates;

    /// Ten signs: a stroke, further right for each, between two points that make them all of one size.
    fn stock() -> GlyphStock {
        let sign = |digit: u32| {
            let is_ink = |x: u32, y: u32| x / 2 == digit || x.max(y) < 2 || x.min(y) > 17;
            GrayImage::from_fn(20, 20, |x, y| Luma([if is_ink(x, y) { 255 } else { 0 }]))
        };
        GlyphStock::new((0..10).map(|digit| (sign(digit), digit as u8, None))).expect("every digit is there")
    }

    fn form(name: &str) -> FormTemplate {
        let mut known = known_templates().expect("a test says they parse");
        known.remove(known.iter().position(|template| template.name == name).expect("it is known"))
    }

    fn blank(form: &FormTemplate, options: SynthOptions, page_idx: u64) -> SynthPage {
        let options = SynthOptions { blanks: 1.0, fillers: 0.0, ..options };
        synthesise(form, &stock(), &options, page_idx).expect("the options are in range")
    }

    /// Every field of `form` is in `draft`, with its sort of layout and its cells, in place within half a millimetre. Gives
    /// how many more are proposed.
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
    fn a_blank_is_drafted_as_it_was_drawn() {
        let mild = Degradations {
            skew_degrees: 1.5,
            blur: 0.2,
            noise: 0.2,
            jpeg: 0.3,
            uneven_light: 0.2,
            ..Degradations::NONE
        };
        let photo = Degradations { perspective: 0.7, uneven_light: 0.5, ..Degradations::NONE };
        for (name, n_more) in [("tax-return", 0), ("nist-hsf", 2)] {
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
                let draft = draft(&[Page::upright(drawn.image.clone(), dpi)], "again").expect("it has fields");
                // the form has two frames for words that are as large as those for numbers
                assert_eq!(assert_drafted(&form, &draft, &drawn, what), n_more, "{name}, {what}");
            }
        }
    }

    #[test]
    fn filled_pages_give_what_a_blank_gives() {
        let form = form("tax-return");
        let degradations = Degradations { skew_degrees: 1.0, shift: 0.02, noise: 0.1, ..Degradations::NONE };
        let options = SynthOptions { dpi: 150.0, degradations, ..SynthOptions::default() };
        let drawn: Vec<SynthPage> =
            (0..6).map(|i| synthesise(&form, &stock(), &options, i).expect("they are in range")).collect();
        let pages: Vec<Page> = drawn.iter().map(|page| Page::upright(page.image.clone(), Some(150.0))).collect();
        let draft = draft(&pages, "filled").expect("it has fields");
        assert_eq!(draft.n_pages, 6);
        assert_drafted(&form, &draft, &drawn[0], "filled");
    }

    #[test]
    fn what_cannot_be_drafted_says_why() {
        let white = || Page::upright(GrayImage::from_pixel(300, 400, Luma([250])), None);
        for (pages, name, part) in [
            (vec![], "form", "no page to draft"),
            (vec![white()], "A Form", "name of a form: \"A Form\""),
            (vec![white()], "form", "nothing on the page is to be filled in"),
            (vec![Page::upright(GrayImage::new(1, 1), None)], "form", "nothing on the page"),
        ] {
            let error = draft(&pages, name).expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
