//! Combs with a letter printed in each cell, to show what is written there: D D M M Y Y Y Y.
//!
//! Nothing is read. The letters come in runs of the same letter, which no table of numbers has.

use image::{GrayImage, Luma, imageops};
use imageproc::region_labelling::{Connectivity, connected_components};

use super::ink::{Ink, in_mm, in_px};
use formread_core::form::DateOrder;
use formread_raster::geometry::Rect;

/// Largest share of a cell that a letter covers with ink.
const MAX_INK_SHARE: f64 = 0.3;
/// Largest and smallest height of a letter, as a share of the cell's.
const HEIGHT_SHARE: std::ops::RangeInclusive<f64> = 0.15..=0.75;
/// Ink this near to a side of a frame belongs to the side, millimetres.
const MARGIN_MM: f64 = 0.35;
/// Side of the picture in which letters are compared, pixels.
const SIDE_PX: u32 = 16;
/// Largest difference between pictures of the same letter, of 1.
const MAX_DIFFERENCE: f64 = 0.16;
/// Largest difference between heights and widths of the same letter, as a share.
const MAX_SIZE_DIFFERENCE: f64 = 0.2;

/// A letter in a cell.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// Millimetres.
    pub bounds: Rect,
    picture: GrayImage,
}

/// The letter that is printed in the middle of a cell; `None` of one with other print.
pub(super) fn letter_in(frame: Rect, ink: &Ink) -> Option<Letter> {
    let k = ink.px_per_mm;
    let inside = in_px(frame.inflate(-MARGIN_MM), k);
    let clip = |v: f64, n: u32| v.round().clamp(0.0, f64::from(n)) as u32;
    let (width, height) = ink.mask.dimensions();
    let (x0, x1, y0, y1) =
        (clip(inside.x0, width), clip(inside.x1, width), clip(inside.y0, height), clip(inside.y1, height));
    let inked: Vec<(u32, u32)> = (y0..y1)
        .flat_map(|y| (x0..x1).map(move |x| (x, y)))
        .filter(|(x, y)| ink.mask.get_pixel(*x, *y)[0] > 0)
        .collect();
    let left = inked.iter().map(|p| p.0).min()?;
    let right = inked.iter().map(|p| p.0).max()? + 1;
    let top = inked.iter().map(|p| p.1).min()?;
    let bottom = inked.iter().map(|p| p.1).max()? + 1;
    let bounds = Rect::from_edges(f64::from(left), f64::from(top), f64::from(right), f64::from(bottom));
    let bounds = in_mm(bounds, k);
    let share = inked.len() as f64 / (k * k) / frame.area();
    let is_inside = left > x0 && right < x1 && top > y0 && bottom < y1;
    let is_letter = is_inside && share <= MAX_INK_SHARE && HEIGHT_SHARE.contains(&(bounds.height() / frame.height()));
    let cut = imageops::crop_imm(&ink.mask, left, top, right - left, bottom - top).to_image();
    let picture = imageops::resize(&cut, SIDE_PX, SIDE_PX, imageops::FilterType::Triangle);
    is_letter.then_some(Letter { bounds, picture })
}

impl Letter {
    fn is_like(&self, other: &Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() <= MAX_SIZE_DIFFERENCE * a.max(b);
        let differences =
            self.picture.as_raw().iter().zip(other.picture.as_raw()).map(|(a, b)| f64::from(a.abs_diff(*b)));
        near(self.bounds.height(), other.bounds.height())
            && near(self.bounds.width(), other.bounds.width())
            && differences.sum::<f64>() / 255.0 <= MAX_DIFFERENCE * f64::from(SIDE_PX * SIDE_PX)
    }

    /// Whether it encloses paper, as a D does and an M and a Y do not.
    fn has_hole(&self) -> bool {
        let padded = GrayImage::from_fn(SIDE_PX + 2, SIDE_PX + 2, |x, y| {
            let is_within = (1..=SIDE_PX).contains(&x) && (1..=SIDE_PX).contains(&y);
            Luma([if is_within && self.picture.get_pixel(x - 1, y - 1)[0] >= 128 { 0 } else { 255 }])
        });
        let paper = connected_components(&padded, Connectivity::Four, Luma([0]));
        paper.pixels().any(|label| label[0] > 1)
    }
}

/// Lengths of the runs of like letters; `None` where a letter is not followed or preceded by its like.
pub(super) fn runs(letters: &[Letter]) -> Option<Vec<usize>> {
    let runs: Vec<usize> = letters.chunk_by(Letter::is_like).map(<[Letter]>::len).collect();
    (letters.len() >= 4 && runs.iter().all(|n| *n >= 2)).then_some(runs)
}

/// The order of a date with these runs of letters, if it is sure.
pub(super) fn date_order(runs: &[usize], letters: &[Letter]) -> Option<DateOrder> {
    let first_of = |run: usize| &letters[runs[..run].iter().sum::<usize>()];
    match runs {
        [2, 2, 2 | 4] if first_of(0).has_hole() && !first_of(1).has_hole() => Some(DateOrder::DayMonthYear),
        [2, 2, 2 | 4] if !first_of(0).has_hole() && first_of(1).has_hole() => Some(DateOrder::MonthDayYear),
        [4, 2, 2] if !first_of(1).has_hole() && first_of(2).has_hole() => Some(DateOrder::YearMonthDay),
        _ => None,
    }
}
