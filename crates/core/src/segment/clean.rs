//! The crop of a field, and the same crop without what is printed.

use image::{GrayImage, Luma};

use super::{
    CROP_PX_PER_MM, MARGIN_MM,
    dropout::{self, Dropped, Part, PrintedLine},
    ink, mark,
    params::PARAMS,
    strip::{self, Strip},
    strip_params::PARAMS as STRIP,
};
use crate::{
    form::{Field, FormTemplate, PageLayout},
    register::{FieldRegistration, Registration},
};
use formread_page::Page;
use formread_raster::{
    find_line_pieces,
    geometry::{Point, Rect, Segment},
    join_pieces, rectify,
};

/// A field as scanned and as cleaned, both [H, W] u8 of the same size at [`CROP_PX_PER_MM`]. Candidates are in these pixels.
#[derive(Debug, Clone)]
pub struct FieldPictures {
    /// As scanned, upright, with a margin around the field: 0 black .. 255 white.
    pub scanned: GrayImage,
    /// Its darkness against the ground, without printed lines, marks and words; of boxes to be marked, their insides alone:
    /// 0 paper .. 255 black.
    pub cleaned: GrayImage,
    /// Where people write, pixels: the cells of a comb, or the frame as the only cell.
    pub cells: Vec<Rect>,
}

/// The pictures of the field `field_idx` before it is cut. `None` where the field is not wholly on the page.
pub fn field_pictures(
    page: &Page,
    registration: &Registration,
    template: &FormTemplate,
    field_idx: usize,
) -> Option<FieldPictures> {
    let field = template.fields.get(field_idx)?;
    if let PageLayout::WholeImage = template.layout {
        let strip = Strip::of(&page.pixels);
        let cleaned = cleaned_strip(&strip).darkness;
        return Some(FieldPictures { cleaned, scanned: strip.scanned, cells: vec![strip.frame] });
    }
    let fit = registration.fields.get(field_idx).filter(|fit| fit.on_page)?;
    let scanned = crop(&page.pixels, fit, field);
    let place = Place::of(field);
    let cells: Vec<Rect> = field.layout.cells().iter().map(|&cell| place.rect(cell)).collect();
    let cleaned = if field.kind.is_marked() {
        let insides: Vec<Rect> = cells.iter().map(|cell| mark::inside(*cell)).collect();
        let mut darkness = ink::darkness(&scanned);
        let all = strip::whole(&darkness);
        wipe(&mut darkness, all, &insides);
        darkness
    } else {
        cleaned(&scanned, field, template).darkness
    };
    Some(FieldPictures { cleaned, scanned, cells })
}

/// Template millimetres to pixels of a crop.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// What the crop shows, millimetres.
    pub area: Rect,
    /// Its resolution, pixels a millimetre.
    pub px_per_mm: f64,
}

impl Place {
    pub fn of(field: &Field) -> Self {
        Self { area: field.layout.bounds().inflate(MARGIN_MM), px_per_mm: CROP_PX_PER_MM }
    }

    pub fn point(self, p: Point) -> Point {
        (p - Point::new(self.area.x0, self.area.y0)) * self.px_per_mm
    }

    pub fn rect(self, r: Rect) -> Rect {
        let (a, b) = (self.point(Point::new(r.x0, r.y0)), self.point(Point::new(r.x1, r.y1)));
        Rect::from_edges(a.x, a.y, b.x, b.y)
    }
}

/// A crop without what is printed on it.
pub(super) struct Cleaned {
    /// [H, W] u8, 0 paper .. 255 black.
    pub darkness: GrayImage,
    /// The printed lines near it, pixels of the crop.
    pub lines: Vec<Segment>,
    /// Those of them that were there, and were removed.
    pub dropped: Vec<Segment>,
    /// The middles of strokes that run along dashed separators.
    pub along_dashes: Vec<Point>,
    /// The middles of strokes that lie where a side of the field should be.
    pub in_place_of_lines: Vec<Point>,
}

/// A field of a printed form with its margin: [H, W] u8, grey as on the page.
pub(super) fn crop(page: &GrayImage, fit: &FieldRegistration, field: &Field) -> GrayImage {
    rectify(page, &fit.page_from_template, Place::of(field).area, CROP_PX_PER_MM)
}

/// Removes what is printed: marks, lines, and words outside the frame. Words inside the frame may be written over and stay.
pub(super) fn cleaned(crop: &GrayImage, field: &Field, template: &FormTemplate) -> Cleaned {
    let place = Place::of(field);
    let mut darkness = ink::darkness(crop);
    let frame = place.rect(field.layout.bounds());
    let near = |r: &Rect| r.intersection(place.area).is_some();
    let printed = |r: Rect| r.inflate(PARAMS.field.print_margin_mm);
    if let PageLayout::Printed(landmarks) = &template.layout {
        for mark in landmarks.marks.iter().copied().map(printed).filter(near) {
            wipe(&mut darkness, place.rect(mark), &[]);
        }
    }
    let crosses = |line: &Segment| {
        let around = Rect::around([line.a, line.b]).map(|r| r.inflate(PARAMS.field.print_margin_mm));
        around.is_some_and(|r| near(&r))
    };
    let lines: Vec<Segment> = template.printed_lines().into_iter().filter(crosses).collect();
    let own: Vec<Segment> = field.layout.printed_lines();
    let inside = field.layout.bounds().inflate(-PARAMS.field.print_margin_mm);
    let is_separator = |line: &Segment| inside.contains(nearest(line, inside.centre()));
    let on_crop = |line: Segment| Segment::new(place.point(line.a), place.point(line.b));
    let part = |line: &Segment| match line {
        line if own.contains(line) => Part::Side,
        line if is_separator(line) => Part::Separator,
        _ => Part::Beside,
    };
    let parts = lines.iter().map(|line| PrintedLine { at: on_crop(*line), part: part(line) }).collect();
    let Dropped { lines: dropped, along_dashes, in_place_of_lines } = dropout::drop_parts(&mut darkness, parts);
    if let PageLayout::Printed(landmarks) = &template.layout {
        for word in landmarks.words.iter().map(|word| printed(word.bounds)).filter(near) {
            wipe(&mut darkness, place.rect(word), &[frame]);
        }
    }
    let lines = lines.into_iter().map(on_crop).collect();
    Cleaned { darkness, lines, dropped, along_dashes, in_place_of_lines }
}

/// `darkness`, that of the crop of a field, without the other print that the template declares around the field.
pub(super) fn without_other_print(mut darkness: GrayImage, field: &Field, template: &FormTemplate) -> GrayImage {
    let place = Place::of(field);
    let frame = place.rect(field.layout.bounds());
    if let PageLayout::Printed(landmarks) = &template.layout {
        for area in landmarks.print.iter().filter(|area| area.intersection(place.area).is_some()) {
            wipe(&mut darkness, place.rect(area.inflate(PARAMS.field.print_margin_mm)), &[frame]);
        }
    }
    darkness
}

/// The darkness of a box without the letters that are printed in it, which show what it means. Where a mark covers a letter, it stays.
pub(super) fn without_letters(mut darkness: GrayImage, letters: &[Rect]) -> GrayImage {
    let ink = ink::find_ink(&darkness, strip::whole(&darkness), &PARAMS.ink);
    let covered = |letter: &Rect| ink.as_ref().map_or(0.0, |ink| mark::mean(&ink.mask, *letter));
    for letter in letters.iter().filter(|letter| covered(letter) <= PARAMS.mark.max_letter_share) {
        wipe(&mut darkness, *letter, &[]);
    }
    darkness
}

/// The darkness of a crop of any part of a form, without all that the template declares as print: [H, W] u8, 0 paper .. 255
/// black. Print reaches `margin_mm` past its bounds.
pub(super) fn without_print(crop: &GrayImage, place: Place, template: &FormTemplate, margin_mm: f64) -> GrayImage {
    let mut darkness = ink::darkness(crop);
    let near = |r: &Rect| r.intersection(place.area).is_some();
    let lines = template
        .printed_lines()
        .into_iter()
        .filter(|line| Rect::around([line.a, line.b]).is_some_and(|bounds| near(&bounds.inflate(margin_mm))));
    let lines: Vec<Segment> = lines.map(|line| Segment::new(place.point(line.a), place.point(line.b))).collect();
    dropout::drop_lines(&mut darkness, &lines);
    let imprints = template.barcodes.iter().map(|barcode| barcode.bounds);
    let imprints = imprints.chain(template.numbers.iter().map(|number| number.bounds));
    for print in template.printed_boxes().into_iter().chain(imprints).map(|r| r.inflate(margin_mm)).filter(near) {
        wipe(&mut darkness, place.rect(print), &[]);
    }
    darkness
}

/// A strip without the rules around its cell and the lines ruled across it.
pub(super) fn cleaned_strip(strip: &Strip) -> Cleaned {
    let mut darkness = ink::darkness(&strip.scanned);
    let mut dropped = dropout::drop_lines(&mut darkness, &strip.rules);
    if let Some(ink) = ink::find_ink(&darkness, strip.frame, &PARAMS.ink) {
        dropped.extend(dropout::drop_lines(&mut darkness, &rules(&ink.mask)));
    }
    Cleaned { darkness, lines: strip.rules.clone(), dropped, along_dashes: Vec::new(), in_place_of_lines: Vec::new() }
}

/// The point of a line that is nearest to `p`.
fn nearest(line: &Segment, p: Point) -> Point {
    let along = line.direction();
    line.a + along * (p - line.a).dot(along).clamp(0.0, line.length())
}

/// The lines ruled across a strip.
fn rules(mask: &GrayImage) -> Vec<Segment> {
    let width = f64::from(mask.width());
    let pieces = find_line_pieces(mask, STRIP.rule);
    let lines = join_pieces(&pieces.horizontal, f64::from(mask.height()) / 2.0, STRIP.rule.max_deviation_px);
    lines
        .into_iter()
        .filter(|line| line.length() >= (STRIP.min_rule_share * width).max(f64::from(mask.height())))
        .collect()
}

/// Erases what is inside `bounds` and outside of all `frames`.
fn wipe(darkness: &mut GrayImage, bounds: Rect, frames: &[Rect]) {
    // pixels whose middles may lie within
    let within = |from: f64, to: f64, n: u32| (from - 1.0).max(0.0) as u32..((to + 1.0).max(0.0) as u32).min(n);
    for y in within(bounds.y0, bounds.y1, darkness.height()) {
        for x in within(bounds.x0, bounds.x1, darkness.width()) {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            if bounds.contains(p) && !frames.iter().any(|frame| frame.contains(p)) {
                darkness.put_pixel(x, y, Luma([0]));
            }
        }
    }
}
