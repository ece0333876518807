//! Page -> cuts: the ink of each field, without its printed frame, cut into candidate digits.
//!
//! A field becomes a [`Lattice`]. A node is a place where one digit may end and the next may begin; nodes are ordered from
//! left to right. An edge is the ink between two nodes: a candidate digit. The lattice of a comb is a chain with one edge
//! for each cell. The lattice of a box has an edge for every likely way to join broken strokes and to split touching ones.
//! The net scores every edge, and [`crate::assemble`] takes the best path.
//!
//! The thresholds of all files are in `params.rs`.

mod cell;
mod clean;
mod comb;
mod cut;
mod dash_params;
mod dashes;
mod dropout;
mod free;
mod ink;
mod mark;
mod outside;
mod params;
mod parts;
mod remnants;
mod robust;
mod signs;
mod stray;
mod strip;
mod strip_params;
mod writing;

use image::GrayImage;

use clean::Place;
use params::PARAMS;
use strip::Strip;
use writing::{Cutout, cut_writing};

pub use clean::{FieldPictures, field_pictures};
pub use outside::outside_ink;
pub use signs::Signs;
pub use stray::StrayInk;

use crate::{
    form::{Field, FormTemplate, Landmarks, PageLayout},
    register::{FieldRegistration, Registration},
};
use formread_page::Page;
use formread_raster::{checkpoint, geometry::Rect};

/// One field, cut from the page.
#[derive(Debug, Clone)]
pub struct FieldCut {
    /// Index into the template's fields.
    pub field_idx: usize,
    /// What is written in it.
    pub ink: FieldInk,
    /// All its ink in one piece; `None` where nothing is written.
    pub strip: Option<StripCrop>,
    /// Ink in it or around it that is not its number.
    pub stray: Option<StrayInk>,
}

/// The ink of a whole field.
#[derive(Debug, Clone)]
pub struct StripCrop {
    /// [H, W] u8, 0 paper .. 255 ink: the field's rectified crop without its frame and without foreign ink. Grey that is
    /// paler than ink is kept.
    pub ink: GrayImage,
    /// Where the digits are in it.
    pub bounds: StripBounds,
}

/// Where a strip's digits are, pixels of its crop; right and bottom exclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StripBounds {
    /// Left edge of the first ink.
    pub left: f32,
    /// Right edge of the last ink.
    pub right: f32,
    /// Half way between the digits' tops and bottoms.
    pub middle: f32,
    /// Height of a digit.
    pub digit_height: f32,
}

/// What is written in a field.
#[derive(Debug, Clone)]
pub enum FieldInk {
    /// Nothing was written.
    Blank,
    /// Part of the field, or all of it, is not on the page.
    OffPage,
    /// Something was written.
    Written(Lattice),
    /// The ink in each box to be marked: of a choice one a cell, of a mark one.
    Marks(Vec<MarkInk>),
}

/// How much of the inside of a box to be marked ink covers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MarkInk {
    /// Share of the inside, 0 to 1.
    pub covered: f32,
    /// Divide the inside into nine parts, three by three: the darkness of the part with the least ink, against the pen's
    /// strokes, 0 to 1. A cross leaves some part free, however thick it is; a filled box leaves none.
    pub min_ninth: f32,
    /// Number of sides, 0 to 4, beyond which there is ink near the box: one has a tick beside it, four a ring around it.
    pub n_inked_sides: u8,
    /// Share of the inside that strokes paler than ink cover, 0 to 1. 0 where there is ink, and where what is pale is the
    /// paper's texture.
    pub faint: f32,
    /// Share of the rim just outside of the frame that ink covers, 0 to 1. A box that is filled with care has little there.
    pub rim: f32,
}

/// The ways to cut a field's ink into digits.
#[derive(Debug, Clone, Default)]
pub struct Lattice {
    /// Number of nodes; a path goes from node 0 to node `n_nodes - 1`.
    pub n_nodes: usize,
    /// Candidates, by `from`, then `to`.
    pub edges: Vec<LatticeEdge>,
    /// Signs beside the digits.
    pub signs: Signs,
}

/// The ink between two nodes.
#[derive(Debug, Clone)]
pub struct LatticeEdge {
    /// Node where it begins.
    pub from: usize,
    /// Node where it ends, greater than `from`.
    pub to: usize,
    /// `None`: nothing is written between the nodes (an empty cell).
    pub crop: Option<InkCrop>,
    /// Log prior of this cut from its geometry alone (width, gap, ink cut through), 0 where there is no choice.
    pub log_prior: f32,
    /// Small ink that may be a sign of its own: what a path over this edge leaves out, or joins with the digit beside it.
    pub loose: Option<LooseInk>,
    /// The connected components, by number, that its ink belongs to.
    pub components: Vec<usize>,
}

/// Ink among the digits of a field that may be no digit, such as a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LooseInk {
    /// Left edge in the field's crop, pixels.
    pub left: i32,
    /// One past the right edge, likewise.
    pub right: i32,
    /// Width, in heights of a digit.
    pub width: f32,
    /// Height, in heights of a digit.
    pub height: f32,
    /// Its middle: 0 at the tops of the digits, 1 at their feet.
    pub level: f32,
    /// Its area, in squares of the stroke width.
    pub area: f32,
}

/// The ink of one candidate digit.
#[derive(Debug, Clone)]
pub struct InkCrop {
    /// [H, W] u8, 0 paper .. 255 full ink, tight around the ink, frame and neighbours removed. Grey edges are kept.
    pub ink: GrayImage,
    /// Left edge in the field's rectified crop, pixels of [`CROP_PX_PER_MM`].
    pub x: i32,
    /// Top edge, likewise.
    pub y: i32,
}

/// Resolution of the rectified crops in which fields are cut, whatever the scan's: 254 dpi.
pub const CROP_PX_PER_MM: f64 = 10.0;

/// Margin around a field's crop, millimetres, so that strokes that overshoot the frame stay whole. Fixed by design.
const MARGIN_MM: f64 = 3.0;

/// Cuts every field from the page, in the template's order. A field without a registration is off the page.
pub fn segment(page: &Page, registration: &Registration, template: &FormTemplate) -> Vec<FieldCut> {
    let cut = |(field_idx, field): (usize, &Field)| {
        checkpoint();
        let ((ink, strip), stray) = match &template.layout {
            PageLayout::WholeImage => cut_whole_image(&page.pixels, field),
            PageLayout::Printed(_) => match registration.fields.get(field_idx) {
                Some(fit) if fit.on_page => cut_field(&page.pixels, fit, field, template),
                _ => ((FieldInk::OffPage, None), None),
            },
        };
        FieldCut { field_idx, ink, strip, stray }
    };
    template.fields.iter().enumerate().map(cut).collect()
}

/// Where `crop`, a candidate of the field `field_idx`, is on the form, in the template's unit. The field's registration maps
/// it to the page.
pub fn crop_bounds(page: &Page, template: &FormTemplate, field_idx: usize, crop: &InkCrop) -> Rect {
    let frame = template.fields[field_idx].layout.bounds();
    let ((left, top), (x_scale, y_scale)) = match template.layout {
        PageLayout::Printed(_) => {
            let area = frame.inflate(MARGIN_MM);
            ((area.x0, area.y0), (1.0 / CROP_PX_PER_MM, 1.0 / CROP_PX_PER_MM))
        }
        PageLayout::WholeImage => {
            let (page_width, page_height) = page.pixels.dimensions();
            let unit = (frame.width() / f64::from(page_width), frame.height() / f64::from(page_height));
            let Strip { area, scanned, .. } = Strip::of(&page.pixels);
            let scale = (area.width() / f64::from(scanned.width()), area.height() / f64::from(scanned.height()));
            ((frame.x0 + area.x0 * unit.0, frame.y0 + area.y0 * unit.1), (scale.0 * unit.0, scale.1 * unit.1))
        }
    };
    let (width, height) = (f64::from(crop.ink.width()), f64::from(crop.ink.height()));
    let (x, y) = (left + f64::from(crop.x) * x_scale, top + f64::from(crop.y) * y_scale);
    Rect::from_xywh(x, y, width * x_scale, height * y_scale)
}

/// A field's ink: cut into candidates, and as a whole.
type Cut = (FieldInk, Option<StripCrop>);

/// A field of a printed form.
fn cut_field(
    page: &GrayImage,
    fit: &FieldRegistration,
    field: &Field,
    template: &FormTemplate,
) -> (Cut, Option<StrayInk>) {
    let place = Place::of(field);
    let frame = place.rect(field.layout.bounds());
    let crop = clean::crop(page, fit, field);
    let others: Vec<Rect> = template
        .fields
        .iter()
        .filter(|other| other.name != field.name)
        .map(|other| place.rect(other.layout.bounds()))
        .collect();
    let cells: Vec<Rect> = field.layout.cells().iter().map(|&cell| place.rect(cell)).collect();
    if field.kind.is_marked() {
        let around = clean::without_other_print(clean::cleaned(&crop, field, template).darkness, field, template);
        let letters = printed_in_cells(template, &cells, place);
        let darkness = clean::without_letters(ink::darkness(&crop), &letters);
        let paper = ink::Paper::of(&darkness);
        let measured = |cell: &Rect| {
            let others: Vec<Rect> = others.iter().chain(&cells).filter(|other| *other != cell).copied().collect();
            mark::mark_ink(&darkness, *cell, &mark::Around { darkness: &around, paper, others: &others })
        };
        return ((FieldInk::Marks(cells.iter().map(measured).collect()), None), None);
    }
    let explained = match &template.layout {
        PageLayout::Printed(Landmarks { print, free, .. }) => {
            let areas = print.iter().chain(free).map(|&area| place.rect(area));
            areas.chain(others.iter().copied()).collect()
        }
        PageLayout::WholeImage => Vec::new(),
    };
    let letters = if cells.len() > 1 { printed_in_cells(template, &cells, place) } else { Vec::new() };
    let cleaned = clean::cleaned(&crop, field, template);
    let edges = cells.iter().flat_map(|cell| cell.edges()).chain(cleaned.lines.iter().copied()).collect();
    let is_along_dashes = cleaned.along_dashes.iter().any(|at| frame.contains(*at));
    let around = frame.inflate(f64::from(PARAMS.dropout.search_px));
    let is_in_place_of_side = cleaned.in_place_of_lines.iter().any(|at| around.contains(*at));
    let cutout = Cutout { cleaned, frame, cells, edges, letters, explained, is_strip: false };
    let (cut, stray) = cut_writing(field, &cutout);
    let is_written = matches!(cut.0, FieldInk::Written(_));
    // what is left of the digits without that stroke may be nothing
    let is_on_line = is_in_place_of_side || is_along_dashes && is_written;
    (cut, stray.or(is_on_line.then_some(StrayInk::OnLine)))
}

/// A strip: the cell around the middle of the image is the field.
fn cut_whole_image(page: &GrayImage, field: &Field) -> (Cut, Option<StrayInk>) {
    let strip = Strip::of(page);
    let explained = strip.beyond_rules();
    let cleaned = clean::cleaned_strip(&strip);
    let cells = vec![strip.frame];
    let (frame, edges) = (strip.frame, cleaned.lines.clone());
    let cutout = Cutout { cleaned, frame, cells, edges, letters: Vec::new(), explained, is_strip: true };
    let (cut, stray) = cut_writing(field, &cutout);
    let stray = stray.or_else(|| match cut.0 {
        FieldInk::Blank => cutout.has_any_stroke().then_some(StrayInk::Pale),
        _ => (!strip.is_sure).then_some(StrayInk::OtherCell),
    });
    (cut, stray)
}

/// The words that are printed within cells, to show what is written there or what a mark means, with a margin: pixels of the crop.
fn printed_in_cells(template: &FormTemplate, cells: &[Rect], place: Place) -> Vec<Rect> {
    let PageLayout::Printed(Landmarks { words, .. }) = &template.layout else { return Vec::new() };
    let is_in_cell = |word: &Rect| cells.iter().any(|cell| cell.union(*word) == *cell);
    let words = words.iter().map(|word| place.rect(word.bounds)).filter(is_in_cell);
    words.map(|word| word.inflate(PARAMS.field.print_margin_mm * CROP_PX_PER_MM)).collect()
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::form::parse_template;
    use formread_raster::geometry::{Point, Projection, Segment};

    /// A picture in numbers: a digit is a ninth of full ink for each unit, and a row is a line.
    pub(super) fn grid(rows: &[&str]) -> GrayImage {
        let level = |x: u32, y: u32| (rows[y as usize].as_bytes()[x as usize] - b'0') * 28;
        GrayImage::from_fn(rows[0].len() as u32, rows.len() as u32, |x, y| Luma([level(x, y)]))
    }

    /// The numbers of a picture: the way back from [`grid`].
    pub(super) fn numbers(picture: &GrayImage) -> Vec<String> {
        let row = |row: &[u8]| row.iter().map(|level| char::from(b'0' + level / 28)).collect();
        picture.as_raw().chunks_exact(picture.width() as usize).map(row).collect()
    }

    /// The ink of [`grid`]: half of full ink and more is surely ink.
    pub(super) fn ink(rows: &[&str]) -> ink::Ink {
        let grey = grid(rows);
        let mask = GrayImage::from_fn(grey.width(), grey.height(), |x, y| {
            Luma([if grey.get_pixel(x, y)[0] >= 128 { 255 } else { 0 }])
        });
        ink::Ink { grey, mask }
    }

    #[test]
    fn letter_in_a_box_is_no_mark_and_stays_where_it_is_filled_over() {
        let frame = Rect::from_edges(30.0, 30.0, 48.0, 48.0);
        let letter = Rect::from_edges(35.0, 34.0, 43.0, 44.0);
        let is_letter = |x: f64, y: f64| {
            (36.0..38.0).contains(&x) && (35.0..43.0).contains(&y)
                || (40.0..42.0).contains(&x) && (35.0..43.0).contains(&y)
        };
        let crop = |is_ink: &dyn Fn(f64, f64) -> bool| {
            GrayImage::from_fn(78, 78, |x, y| {
                Luma([if is_ink(f64::from(x) + 0.5, f64::from(y) + 0.5) { 150 } else { 4 }])
            })
        };
        let covered = |is_ink: &dyn Fn(f64, f64) -> bool| {
            let darkness = clean::without_letters(crop(is_ink), &[letter]);
            mark::mark_ink(
                &darkness,
                frame,
                &mark::Around { darkness: &darkness, paper: ink::Paper::of(&darkness), others: &[] },
            )
            .covered
        };
        assert_eq!(covered(&is_letter), 0.0);
        assert_eq!(covered(&|x, y| is_letter(x, y) || frame.contains(Point::new(x, y))), 1.0);
        let crossed = covered(&|x, y| is_letter(x, y) || frame.contains(Point::new(x, y)) && (x - y).abs() < 2.0);
        assert!(crossed > 0.1, "{crossed}");
    }

    /// Pixels a millimetre of the pages that are drawn here.
    const PX_PER_MM: f64 = 8.0;
    /// Half the thickness of a line or stroke, millimetres.
    const HALF_STROKE_MM: f64 = 0.2;

    fn form() -> FormTemplate {
        let text = "name = \"x\"\ntitle = \"t\"\npage = [80, 60]\n\
            [[field]]\nname = \"box\"\nkind = \"integer\"\nbox = [10, 10, 40, 9]\n\
            [[field]]\nname = \"comb\"\nkind = \"integer\"\ncomb = { at = [10, 26], cell = [6, 8], groups = [4] }\n\
            [[field]]\nname = \"mark\"\nkind = \"mark\"\nbox = [10, 42, 4, 4]\n";
        parse_template(text).expect("it is well formed")
    }

    /// The form with strokes written on it (millimetres), cut; no field's place differs from the page's.
    fn cut(strokes: &[[f64; 4]]) -> (Page, Vec<FieldCut>) {
        let form = form();
        let strokes = strokes.iter().map(|&[x0, y0, x1, y1]| Segment::new(Point::new(x0, y0), Point::new(x1, y1)));
        let lines: Vec<Segment> = form.printed_lines().into_iter().chain(strokes).collect();
        let pixels = GrayImage::from_fn((80.0 * PX_PER_MM) as u32, (60.0 * PX_PER_MM) as u32, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5) * (1.0 / PX_PER_MM);
            let distance = |line: &Segment| {
                let along = line.direction();
                (p - line.a - along * (p - line.a).dot(along).clamp(0.0, line.length())).norm()
            };
            let nearest = lines.iter().map(distance).fold(f64::INFINITY, f64::min);
            let ink = ((HALF_STROKE_MM - nearest) * PX_PER_MM + 0.5).clamp(0.0, 1.0);
            Luma([(240.0 - 210.0 * ink) as u8])
        });
        let page = Page::upright(pixels, None);
        let cuts = segment(&page, &registered(true), &form);
        (page, cuts)
    }

    /// A strip of 240 x 136 pixels with a rule below that has a blot, a ring, and a slanting stroke that ends `gap` pixels above
    /// the rule or runs into the blot.
    fn cut_strip(gap: i32) -> Option<StrayInk> {
        let text = "name = \"x\"\ntitle = \"t\"\nwhole_image = true\n\
            [[field]]\nname = \"n\"\nkind = \"integer\"\n";
        let form = parse_template(text).expect("it is well formed");
        let picture = GrayImage::from_fn(240, 136, |x, y| {
            let (x, y) = (x as i32, y as i32);
            let from_middle = f64::from((x - 70).pow(2) + (y - 65).pow(2)).sqrt();
            let is_stroke = (60..118 - gap).contains(&y) && (x - (190 - (y - 65) / 3)).abs() <= 3;
            let is_blot = (123..136).contains(&y) && (160..205).contains(&x);
            let is_ink = (118..123).contains(&y) || is_blot || (22.0..28.0).contains(&from_middle) || is_stroke;
            Luma([if is_ink { 70 } else { 210 + ((x * 7 + y * 5) % 3) as u8 }])
        });
        cut_whole_image(&picture, &form.fields[0]).1
    }

    #[test]
    fn digit_that_hangs_together_with_the_rule_of_a_strip_is_not_lost() {
        assert_eq!(cut_strip(14), None);
        assert_eq!(cut_strip(0), Some(StrayInk::Overflow));
    }

    fn registered(on_page: bool) -> Registration {
        let map = Projection::scaling(PX_PER_MM, PX_PER_MM);
        let fit = FieldRegistration { page_from_template: map, residual_px: Some(0.1), on_page, is_loose: false };
        Registration { page_from_template: map, residual_px: 0.1, support: 1.0, fields: vec![fit; 3] }
    }

    #[test]
    fn segment_fields_without_writing_are_blank() {
        let (_, cuts) = cut(&[]);
        assert!(matches!(cuts[0].ink, FieldInk::Blank) && cuts[0].strip.is_none(), "{:?}", cuts[0].ink);
        assert!(matches!(cuts[1].ink, FieldInk::Blank) && cuts[1].strip.is_none(), "{:?}", cuts[1].ink);
        let FieldInk::Marks(boxes) = &cuts[2].ink else { panic!("{:?}", cuts[2].ink) };
        let [mark] = boxes[..] else { panic!("{boxes:?}") };
        assert_eq!((mark.covered, cuts[2].strip.is_none()), (0.0, true));
        assert_eq!(cuts.iter().map(|cut| cut.field_idx).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn segment_strokes_in_a_box_lie_where_they_were_written() {
        let (page, cuts) = cut(&[[20.0, 12.0, 20.0, 17.0], [26.0, 12.0, 26.0, 17.0]]);
        let FieldInk::Written(lattice) = &cuts[0].ink else { panic!("{:?}", cuts[0].ink) };
        let crops: Vec<&InkCrop> = lattice.edges.iter().filter_map(|edge| edge.crop.as_ref()).collect();
        for x in [20.0, 26.0] {
            let wanted = Rect::from_edges(x, 12.0, x, 17.0).inflate(HALF_STROKE_MM);
            let off = |crop: &&InkCrop| {
                let found = crop_bounds(&page, &form(), 0, crop);
                let corners = found.corners().into_iter().zip(wanted.corners());
                corners.map(|(found, wanted)| (found - wanted).norm()).fold(0.0, f64::max)
            };
            let nearest = crops.iter().map(off).fold(f64::INFINITY, f64::min);
            assert!(nearest < 0.35, "{x}: {nearest} mm off");
        }
        let bounds = cuts[0].strip.as_ref().expect("it is written").bounds;
        // from 3 mm left of the field, 10 pixels a millimetre
        assert!((bounds.left - 128.0).abs() < 3.0 && (bounds.right - 192.0).abs() < 3.0, "{bounds:?}");
        assert!((bounds.digit_height - 54.0).abs() < 4.0 && (bounds.middle - 75.0).abs() < 3.0, "{bounds:?}");
    }

    #[test]
    fn segment_stroke_in_one_cell_of_a_comb_leaves_the_others_empty() {
        let (_, cuts) = cut(&[[25.0, 27.5, 25.0, 32.5]]);
        let FieldInk::Written(lattice) = &cuts[1].ink else { panic!("{:?}", cuts[1].ink) };
        let is_written: Vec<bool> = lattice.edges.iter().map(|edge| edge.crop.is_some()).collect();
        assert_eq!((lattice.n_nodes, is_written), (5, vec![false, false, true, false]));
    }

    #[test]
    fn segment_cross_in_a_box_to_be_marked_covers_part_of_it() {
        let (_, cuts) = cut(&[[10.7, 42.7, 13.3, 45.3], [10.7, 45.3, 13.3, 42.7]]);
        let FieldInk::Marks(boxes) = &cuts[2].ink else { panic!("{:?}", cuts[2].ink) };
        let [mark] = boxes[..] else { panic!("{boxes:?}") };
        assert!((0.1..0.6).contains(&mark.covered) && mark.min_ninth < 0.3, "{mark:?}");
    }

    #[test]
    fn segment_field_that_is_off_the_page_is_not_cut() {
        let (page, _) = cut(&[]);
        for registration in [registered(false), Registration { fields: Vec::new(), ..registered(true) }] {
            let cuts = segment(&page, &registration, &form());
            assert!(cuts.iter().all(|cut| matches!(cut.ink, FieldInk::OffPage) && cut.strip.is_none()));
        }
        assert!(field_pictures(&page, &registered(false), &form(), 0).is_none());
        let seen = field_pictures(&page, &registered(true), &form(), 1).expect("it is on the page");
        assert_eq!((seen.cells.len(), seen.scanned.dimensions()), (4, seen.cleaned.dimensions()));
    }
}
