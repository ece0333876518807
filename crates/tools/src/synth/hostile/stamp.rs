//! A rubber stamp.

use image::{GrayImage, Luma, imageops};
use rand::RngExt;

use crate::synth::{Dice, degrade::warp, print::text_ink, sheet::Sheet};
use formread_raster::geometry::{Point, Projection, Rect};
use noto_sans_mono_bitmap::FontWeight;

/// What stamps say.
const TEXTS: [&str; 8] = ["PAID", "RECEIVED", "COPY", "VOID", "CHECKED", "ENTERED", "APPROVED", "FILE"];
/// Range of the darkness of its ink, 0 to 1.
const DARKNESS: std::ops::Range<f64> = 0.3..0.65;
/// Maximum turn in either direction, degrees.
const MAX_TURN_DEGREES: f64 = 25.0;
/// Width of the line of its frame, millimetres.
const FRAME_MM: f64 = 0.7;

/// Draws a stamp with its middle at `centre`, millimetres: a frame with a word, tilted and unevenly inked.
pub(super) fn draw_stamp(sheet: &mut Sheet, centre: Point, dice: &mut Dice) {
    let k = sheet.px_per_mm;
    let is_round = dice.random_bool(0.4);
    let (width, height) = match is_round {
        true => {
            let diameter = dice.random_range(22.0..36.0);
            (diameter, diameter)
        }
        false => (dice.random_range(28.0..55.0), dice.random_range(10.0..20.0)),
    };
    let side = |mm: f64| (mm * k).round().max(4.0) as u32;
    let mut face = GrayImage::new(side(width), side(height));
    let (middle, line) = (Point::new(width * k / 2.0, height * k / 2.0), FRAME_MM * k);
    for (x, y, pixel) in face.enumerate_pixels_mut() {
        let from = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5) - middle;
        // distance from the outer edge of the frame, inwards
        let depth = match is_round {
            true => middle.x - from.norm(),
            false => (middle.x - from.x.abs()).min(middle.y - from.y.abs()),
        };
        let is_inner_ring = is_round && (2.2 * line..3.0 * line).contains(&depth);
        if (0.0..line).contains(&depth) || is_inner_ring {
            *pixel = Luma([255]);
        }
    }
    let text = TEXTS[dice.random_range(0..TEXTS.len())];
    if let Some(letters) = text_ink(text, FontWeight::Bold) {
        let (text_width, text_height) = (0.74 * width * k, if is_round { 0.2 * height * k } else { 0.5 * height * k });
        let size = [text_width, text_height].map(|px| px.round().max(2.0) as u32);
        let letters = imageops::resize(&letters, size[0], size[1], imageops::FilterType::Triangle);
        let corner = middle - Point::new(text_width / 2.0, text_height / 2.0);
        imageops::replace(&mut face, &letters, corner.x as i64, corner.y as i64);
    }
    let waves: [(f64, f64, f64); 4] = std::array::from_fn(|_| {
        (dice.random_range(-1.2..1.2), dice.random_range(-1.2..1.2), dice.random_range(0.0..std::f64::consts::TAU))
    });
    for (x, y, pixel) in face.enumerate_pixels_mut() {
        let (u, v) = (f64::from(x) / k, f64::from(y) / k);
        let uneven: f64 = waves.iter().map(|(a, b, phase)| (a * u + b * v + phase).sin()).sum();
        let grain = dice.random_range(0.75..1.0);
        pixel.0[0] = (f64::from(pixel.0[0]) * (0.78 + 0.14 * uneven).clamp(0.15, 1.0) * grain).round() as u8;
    }
    let turn = Projection::rotation(dice.random_range(-MAX_TURN_DEGREES..MAX_TURN_DEGREES).to_radians());
    let to_middle = turn.compose(&Projection::translation(-middle.x, -middle.y));
    let whole = Rect::from_edges(0.0, 0.0, 2.0 * middle.x, 2.0 * middle.y);
    let Some(turned) = Rect::around(to_middle.apply_rect(whole)) else { return };
    let map = Projection::translation(-turned.x0, -turned.y0).compose(&to_middle);
    let tilted = warp(&face, &map, (turned.width().ceil() as u32, turned.height().ceil() as u32), |_, _| 0);
    let corner = centre * k + Point::new(turned.x0, turned.y0);
    sheet.stamp(&tilted, corner.x.round() as i64, corner.y.round() as i64, dice.random_range(DARKNESS));
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::synth::sheet::PAPER;

    #[test]
    fn stamp_is_grey_and_around_its_middle() {
        for seed in 0..12 {
            let mut sheet = Sheet::new(120.0, 100.0, 6.0);
            draw_stamp(&mut sheet, Point::new(60.0, 50.0), &mut Dice::seed_from_u64(seed));
            let inked: Vec<Point> = sheet
                .pixels
                .enumerate_pixels()
                .filter(|p| p.2.0[0] < PAPER - 25)
                .map(|p| Point::new(f64::from(p.0) / 6.0, f64::from(p.1) / 6.0))
                .collect();
            let bounds = Rect::around(inked).expect("there is ink");
            assert!((bounds.centre() - Point::new(60.0, 50.0)).norm() < 4.0, "{bounds:?}");
            assert!((18.0..60.0).contains(&bounds.width()) && (9.0..45.0).contains(&bounds.height()), "{bounds:?}");
            let darkest = sheet.pixels.pixels().map(|pixel| pixel.0[0]).min();
            assert!(darkest > Some(PAPER / 4), "{darkest:?}");
        }
    }
}
