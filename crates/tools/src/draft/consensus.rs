//! Removes the writing: several filled pages of one form -> the blank form. Ink that most pages have is printed; ink that
//! differs from page to page was written.
//!
//! Each page is registered on the first by its lines, as a page is on a template. Because paper bends, it is then shifted
//! piece by piece until its pixels match.

use image::{GrayImage, Luma};
use imageproc::{distance_transform::Norm, morphology::dilate};

use super::{
    ink::{Ink, binarise},
    print::find_print,
    sheet::{Sheet, warp},
};
use formread_core::{
    form::{FormTemplate, PageLayout},
    register::{RegisterParams, identify},
};
use formread_page::Page;
use formread_raster::{
    GreyHistogram, bilinear,
    geometry::{Point, Projection},
    label_components, reduce,
};

/// Share of the pages that must have ink near a printed pixel. Lowering it takes for print what many people write in one
/// place; raising it loses print on bad copies.
const PRINTED_SHARE: f64 = 0.7;
/// Share of the pages that have ink at a certainly printed pixel.
const CERTAIN_SHARE: f64 = 0.9;
/// Share of a printed component that certainly printed pixels make up.
const MIN_CERTAIN_PART: f64 = 0.3;
/// Quantile of the pages' grey levels that the blank gets: below one half, because the same line never has the same pixels
/// on two pages.
const GREY_QUANTILE: f64 = 0.35;
/// Smallest registration score of a page of the same form: below that of reading, because some words are written.
const MIN_SCORE: f64 = 0.5;
/// How far apart the same printed line may lie on two registered pages, millimetres.
const SLACK_MM: f64 = 0.12;
/// Side of the pieces that are shifted separately, millimetres.
const PIECE_MM: f64 = 24.0;
/// Largest shift of a piece, millimetres.
const MAX_SHIFT_MM: f64 = 1.5;
/// Resolution at which pieces are compared, pixels per millimetre.
const COMPARED_PX_PER_MM: f64 = 4.0;
/// Cost of a shift by a millimetre, as a share of the difference without a shift: empty paper stays in place.
const SHIFT_COST: f64 = 0.05;

/// The blank form in the coordinates of the first page, and the number of pages that it was made from.
pub(super) fn remove_writing(first: Sheet, others: &[Page]) -> (Sheet, usize) {
    let registered: Vec<GrayImage> = match others {
        [] => Vec::new(),
        _ => {
            let template = line_template(&first);
            others.iter().filter_map(|page| register_on(&first, page, &template)).collect()
        }
    };
    if registered.is_empty() {
        return (first, 1);
    }
    let mut layers = vec![with_white_paper(&first.pixels)];
    layers.extend(registered.iter().map(with_white_paper));
    let radius_px = (SLACK_MM * first.px_per_mm).round().clamp(1.0, 255.0) as u8;
    let mut n_inked = vec![0usize; first.pixels.as_raw().len()];
    for layer in &layers {
        let inked = dilate(&binarise(layer, first.px_per_mm, 1.0), Norm::LInf, radius_px);
        n_inked.iter_mut().zip(inked.as_raw()).for_each(|(n, level)| *n += usize::from(*level > 0));
    }
    let printed = printed_pixels(&n_inked, first.pixels.dimensions(), layers.len());
    let mut pixels = grey_of_rank(&layers, (GREY_QUANTILE * layers.len() as f64).ceil() as usize);
    for (pixel, is_printed) in pixels.iter_mut().zip(printed) {
        if !is_printed {
            *pixel = 255;
        }
    }
    (Sheet { pixels, ..first }, layers.len())
}

/// Whether each pixel is printed, if `n_inked` of `n_pages` pages have ink there. A printed component is on most pages, and a
/// part of it on nearly all. Writing in one place by many people is on most pages, but no pixel of it on nearly all.
fn printed_pixels(n_inked: &[usize], (width, height): (u32, u32), n_pages: usize) -> Vec<bool> {
    let [min, certain] = [PRINTED_SHARE, CERTAIN_SHARE].map(|share| (share * n_pages as f64).ceil() as usize);
    let levels = n_inked.iter().map(|n| if *n >= min { 255 } else { 0 }).collect();
    let mask = GrayImage::from_raw(width, height, levels).expect("it has the pixels of the sheet");
    let labels = label_components(&mask);
    let n_labels = labels.pixels().map(|p| p[0]).max().unwrap_or(0) as usize;
    let (mut n_all, mut n_certain) = (vec![0usize; n_labels + 1], vec![0usize; n_labels + 1]);
    for (label, n) in labels.as_raw().iter().zip(n_inked) {
        n_all[*label as usize] += 1;
        n_certain[*label as usize] += usize::from(*n >= certain);
    }
    let is_printed = |label: usize| label > 0 && n_certain[label] as f64 >= MIN_CERTAIN_PART * n_all[label] as f64;
    labels.as_raw().iter().map(|label| is_printed(*label as usize)).collect()
}

/// At each pixel, the grey level of rank `rank` (1 is the darkest) among the pictures, which have one size.
fn grey_of_rank(pictures: &[GrayImage], rank: usize) -> GrayImage {
    let mut levels = vec![0u8; pictures.len()];
    let mut picture = GrayImage::new(pictures[0].width(), pictures[0].height());
    for (i, pixel) in picture.iter_mut().enumerate() {
        for (level, picture) in levels.iter_mut().zip(pictures) {
            *level = picture.as_raw()[i];
        }
        levels.sort_unstable();
        *pixel = levels[rank.clamp(1, pictures.len()) - 1];
    }
    picture
}

/// A template without fields: all print of the first page. Some of its words are written and not on the other pages; the fit
/// leaves out what it does not find, and without words nothing would hold lines along their course.
fn line_template(sheet: &Sheet) -> FormTemplate {
    let print = find_print(sheet, &Ink::new(sheet), &[]);
    let landmarks = print.landmarks(sheet, &[]);
    FormTemplate {
        version: None,
        document: None,
        name: "first".to_owned(),
        title: "the first page".to_owned(),
        layout: PageLayout::Printed(landmarks),
        barcodes: Vec::new(),
        numbers: Vec::new(),
        fields: Vec::new(),
        rules: Vec::new(),
        other_fields: Vec::new(),
    }
}

/// `page` in the coordinates of `first`; `None` if it is another form or too bad a copy.
fn register_on(first: &Sheet, page: &Page, template: &FormTemplate) -> Option<GrayImage> {
    let params = RegisterParams { min_score: MIN_SCORE, ..RegisterParams::default() };
    let (_, registration) = identify(page, std::slice::from_ref(template), &params).ok()?;
    let mm_from_sheet = Projection::scaling(1.0 / first.px_per_mm, 1.0 / first.px_per_mm);
    let page_from_sheet = registration.page_from_template.compose(&mm_from_sheet);
    let size = [first.pixels.width(), first.pixels.height()];
    let warped = warp(&page.pixels, &page_from_sheet, size);
    let shifts = Shifts::between(&first.pixels, &warped, first.px_per_mm);
    Some(GrayImage::from_fn(size[0], size[1], |x, y| {
        let shift = shifts.at(f64::from(x), f64::from(y));
        Luma([bilinear(&warped, Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5) + shift).round() as u8])
    }))
}

/// The shift of each piece of one picture against another, pixels.
struct Shifts {
    n_across: usize,
    n_down: usize,
    piece_px: f64,
    /// Row-major, `n_down` x `n_across`.
    shifts: Vec<Point>,
}

impl Shifts {
    fn between(fixed: &GrayImage, moved: &GrayImage, px_per_mm: f64) -> Self {
        let factor = (px_per_mm / COMPARED_PX_PER_MM).round().max(1.0) as u32;
        let [fixed, moved] = [fixed, moved].map(|picture| reduce(&with_white_paper(picture), factor));
        let small_per_mm = px_per_mm / f64::from(factor);
        let (width, height) = fixed.dimensions();
        let piece = ((PIECE_MM * small_per_mm) as u32).max(8);
        let (n_across, n_down) = (width.div_ceil(piece).max(1) as usize, height.div_ceil(piece).max(1) as usize);
        let reach = (MAX_SHIFT_MM * small_per_mm).ceil() as i64;
        let difference = |left: u32, top: u32, [dx, dy]: [i64; 2]| -> f64 {
            let (mut sum, mut n) = (0u64, 0u32);
            for y in top..(top + piece).min(height) {
                for x in left..(left + piece).min(width) {
                    let there = u32::try_from(i64::from(x) + dx).ok().zip(u32::try_from(i64::from(y) + dy).ok());
                    let Some(there) = there.and_then(|(x, y)| moved.get_pixel_checked(x, y)) else { continue };
                    sum += u64::from(there[0].abs_diff(fixed.get_pixel(x, y)[0]));
                    n += 1;
                }
            }
            if n > 0 { sum as f64 / f64::from(n) } else { f64::MAX }
        };
        let mut shifts = Vec::with_capacity(n_across * n_down);
        for top in (0..height).step_by(piece as usize) {
            for left in (0..width).step_by(piece as usize) {
                let still = difference(left, top, [0, 0]);
                let mut best = (still, [0, 0]);
                for shift in (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| [dx, dy])) {
                    let far_mm = (shift[0] as f64).hypot(shift[1] as f64) / small_per_mm;
                    let cost = difference(left, top, shift) + still * SHIFT_COST * far_mm;
                    if cost < best.0 {
                        best = (cost, shift);
                    }
                }
                let [dx, dy] = best.1;
                let min = difference(left, top, best.1);
                let beside = |x: i64, y: i64| difference(left, top, [dx + x, dy + y]);
                let x = dx as f64 + vertex(beside(-1, 0), min, beside(1, 0));
                let y = dy as f64 + vertex(beside(0, -1), min, beside(0, 1));
                shifts.push(Point::new(x, y) * f64::from(factor));
            }
        }
        let piece_px = f64::from(piece * factor);
        Self { n_across, n_down, piece_px, shifts }.median_filtered()
    }

    /// Replaces each shift by the median of it and its neighbours: a piece with more writing than print has a wrong shift.
    fn median_filtered(self) -> Self {
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let around = |row: usize, col: usize| -> Vec<Point> {
            let rows = row.saturating_sub(1)..(row + 2).min(self.n_down);
            let cols = || col.saturating_sub(1)..(col + 2).min(self.n_across);
            rows.flat_map(|r| cols().map(move |c| (r, c))).map(|(r, c)| self.shifts[r * self.n_across + c]).collect()
        };
        let filtered = |row: usize, col: usize| {
            let near = around(row, col);
            Point::new(median(near.iter().map(|p| p.x).collect()), median(near.iter().map(|p| p.y).collect()))
        };
        let shifts = (0..self.n_down).flat_map(|row| (0..self.n_across).map(move |col| (row, col)));
        let shifts = shifts.map(|(row, col)| filtered(row, col)).collect();
        Self { shifts, ..self }
    }

    /// The shift at a pixel: bilinear between the pieces around it.
    fn at(&self, x: f64, y: f64) -> Point {
        let place = |v: f64, n: usize| {
            let v = (v / self.piece_px - 0.5).clamp(0.0, (n - 1) as f64);
            let low = (v as usize).min(n.saturating_sub(2));
            (low, (low + 1).min(n - 1), v - low as f64)
        };
        let ((left, right, fx), (top, bottom, fy)) = (place(x, self.n_across), place(y, self.n_down));
        let shift = |row: usize, col: usize| self.shifts[row * self.n_across + col];
        let upper = shift(top, left) * (1.0 - fx) + shift(top, right) * fx;
        let lower = shift(bottom, left) * (1.0 - fx) + shift(bottom, right) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

/// Place of the minimum, -1/2 to 1/2, of the parabola through three values at -1, 0 and 1 with the smallest in the middle.
fn vertex(before: f64, min: f64, after: f64) -> f64 {
    let bend = before + after - 2.0 * min;
    if bend > 0.0 { ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5) } else { 0.0 }
}

/// The picture with its grey levels scaled so that the paper (a high quantile) is white.
fn with_white_paper(picture: &GrayImage) -> GrayImage {
    let paper = f64::from(GreyHistogram::of(picture.as_raw().iter().copied()).quantile(0.7).max(1));
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        Luma([(f64::from(picture.get_pixel(x, y)[0]) * 255.0 / paper).min(255.0) as u8])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A form of lines; each page is shifted and has its own scribble.
    fn page(n: u32, is_filled: bool) -> Page {
        let (dx, dy) = (3 * n, 2 * n);
        let line = |v: u32, at: &[u32]| at.iter().any(|a| (*a..a + 3).contains(&v));
        let pixels = GrayImage::from_fn(900, 1200, |x, y| {
            let (x, y) = (x.wrapping_sub(dx), y.wrapping_sub(dy));
            let inside = (100..700).contains(&x) && (90..1003).contains(&y);
            let is_line = inside && (line(y, &[90, 250, 300, 610, 1000]) || line(x, &[100, 240, 520, 697]));
            let scribble = (60.0 * (f64::from(x + 37 * n) / (9.0 + f64::from(n))).sin() + 430.0).round() as u32;
            let is_written = is_filled && (260..500).contains(&x) && y.abs_diff(scribble) < 3;
            Luma([if is_line {
                30
            } else if is_written {
                60
            } else {
                245
            }])
        });
        Page::upright(pixels, Some(100.0))
    }

    #[test]
    fn writing_is_removed_and_print_stays() {
        let first = super::super::sheet::rectify(&page(0, true));
        let others: Vec<Page> = (1..5).map(|n| page(n, true)).collect();
        let (sheet, n_pages) = remove_writing(first, &others);
        assert_eq!(n_pages, 5);
        let blank = page(0, false).pixels;
        let differing = sheet.pixels.as_raw().iter().zip(blank.as_raw()).filter(|(a, b)| a.abs_diff(**b) > 60).count();
        assert!(differing < 300, "{differing} pixels differ from the blank");
        assert!(sheet.pixels.get_pixel(400, 251)[0] < 90 && sheet.pixels.get_pixel(521, 800)[0] < 90);
    }

    #[test]
    fn page_of_other_form_is_left_out() {
        let first = super::super::sheet::rectify(&page(0, true));
        let other = Page::upright(GrayImage::from_pixel(900, 1200, Luma([250])), Some(100.0));
        let (sheet, n_pages) = remove_writing(first.clone(), &[other]);
        assert_eq!((n_pages, sheet.pixels), (1, first.pixels));
    }
}
