//! Faults of the scanner: streaks of a dirty glass, and glare.

use image::GrayImage;
use rand::RngExt;

use crate::synth::Dice;
use formread_raster::geometry::{Point, Rect};

/// Range of the width of a streak, millimetres.
const STREAK_MM: std::ops::Range<f64> = 0.08..0.5;
/// Share of the streaks that run through a field on purpose; the others are anywhere.
const AIMED_SHARE: f64 = 0.7;
/// Minimum length of a streak in a field that counts as touched, millimetres.
const MIN_TOUCH_MM: f64 = 0.8;
/// Range of the radius of a glare, millimetres.
const GLARE_MM: std::ops::Range<f64> = 12.0..45.0;
/// Range of the strength of a glare in its middle, 0 to 1.
const GLARE_STRENGTHS: std::ops::Range<f64> = 0.35..0.9;
/// Minimum strength of a glare in a field that counts as touched.
const MIN_GLARE: f64 = 0.1;
/// Minimum strength from which a number in a glare may be unreadable.
const BLINDING_GLARE: f64 = 0.6;

/// A field that a fault touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touch {
    /// Index of the field.
    pub field_idx: usize,
    /// Whether a number in it may be unreadable now.
    pub hides: bool,
}

/// Draws a vertical line over part or all of `image`, whole or broken. `fields` are the places of the fields on it, pixels.
pub(super) fn draw_streak(image: &mut GrayImage, fields: &[Rect], px_per_mm: f64, dice: &mut Dice) -> Vec<Touch> {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let half = (dice.random_range(STREAK_MM) * px_per_mm / 2.0).max(0.4);
    let darkness = if dice.random_bool(0.5) { dice.random_range(0.25..0.6) } else { dice.random_range(0.7..0.97) };
    let aim = &fields[dice.random_range(0..fields.len())];
    let x = match dice.random_bool(AIMED_SHARE) {
        true => aim.x0 + dice.random_range(0.02..0.98) * aim.width(),
        false => dice.random_range(0.02..0.98) * width,
    };
    let (from, to) = match dice.random_range(0..3) {
        0 => (0.0, height),
        1 => (0.0, aim.y1 + dice.random_range(0.0..0.4) * height),
        _ => (aim.y0 - dice.random_range(0.0..0.4) * height, height),
    };
    let mut runs: Vec<(f64, f64)> = Vec::new();
    if dice.random_bool(0.5) {
        runs.push((from.max(0.0), to.min(height)));
    } else {
        let mut y = from.max(0.0);
        while y < to.min(height) {
            let run = dice.random_range(2.0..25.0) * px_per_mm;
            runs.push((y, (y + run).min(to).min(height)));
            y += run + dice.random_range(1.0..18.0) * px_per_mm;
        }
    }
    for (from, to) in &runs {
        for y in from.floor() as u32..(to.ceil() as u32).min(image.height()) {
            let change = 1.0 + 0.1 * (f64::from(y) / (3.0 * px_per_mm)).sin();
            for column in (x - half).floor().max(0.0) as u32..((x + half).ceil() as u32).min(image.width()) {
                let left = f64::from(column);
                let cover = ((x + half).min(left + 1.0) - (x - half).max(left)).clamp(0.0, 1.0);
                let pixel = &mut image.get_pixel_mut(column, y).0[0];
                *pixel = (f64::from(*pixel) * (1.0 - (darkness * change).min(1.0) * cover)).round() as u8;
            }
        }
    }
    let is_touched = |field: &Rect| {
        let part = |(from, to): &(f64, f64)| to.min(field.y1) - from.max(field.y0);
        (field.x0..field.x1).contains(&x) && runs.iter().any(|run| part(run) >= MIN_TOUCH_MM * px_per_mm)
    };
    let touched = fields.iter().enumerate().filter(|(_, field)| is_touched(field));
    touched.map(|(field_idx, _)| Touch { field_idx, hides: false }).collect()
}

/// Brightens or darkens an area of `image` that has no edges. `fields` are the places of the fields on it, pixels.
pub(super) fn draw_glare(image: &mut GrayImage, fields: &[Rect], px_per_mm: f64, dice: &mut Dice) -> Vec<Touch> {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let aim = fields[dice.random_range(0..fields.len())].centre();
    let mut shift = |side: f64| dice.random_range(-0.1..0.1) * side;
    let centre = aim + Point::new(shift(width), shift(height));
    let (rx, ry) = (dice.random_range(GLARE_MM) * px_per_mm, dice.random_range(GLARE_MM) * px_per_mm);
    let strength = dice.random_range(GLARE_STRENGTHS);
    let is_bright = dice.random_bool(0.6);
    let strength_at = |point: Point| {
        let from = point - centre;
        strength * (-((from.x / rx).powi(2) + (from.y / ry).powi(2)) * 1.5).exp()
    };
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let strength = strength_at(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
        let level = f64::from(pixel.0[0]);
        let lit = if is_bright { level + (255.0 - level) * strength } else { level * (1.0 - strength) };
        pixel.0[0] = lit.round() as u8;
    }
    let strongest = |field: &Rect| {
        let nearest = Point::new(centre.x.clamp(field.x0, field.x1), centre.y.clamp(field.y0, field.y1));
        strength_at(nearest)
    };
    let touched = fields.iter().enumerate().filter(|(_, field)| strongest(field) >= MIN_GLARE);
    touched.map(|(field_idx, field)| Touch { field_idx, hides: strongest(field) >= BLINDING_GLARE }).collect()
}

#[cfg(test)]
mod tests {
    use image::Luma;
    use rand::SeedableRng;

    use super::*;

    fn fields() -> Vec<Rect> {
        (0..4).map(|i| Rect::from_xywh(100.0, 100.0 + 120.0 * f64::from(i), 300.0, 60.0)).collect()
    }

    /// Whether `image` differs from paper in `field`.
    fn is_changed(image: &GrayImage, field: &Rect) -> bool {
        let inside = |x: u32, y: u32| field.inflate(-3.0).contains(Point::new(f64::from(x), f64::from(y)));
        image.enumerate_pixels().any(|(x, y, pixel)| pixel.0[0].abs_diff(120) > 8 && inside(x, y))
    }

    #[test]
    fn streak_is_a_thin_vertical_line_in_exactly_the_touched_fields() {
        let mut n_touched = 0;
        for seed in 0..40 {
            let mut image = GrayImage::from_pixel(600, 700, Luma([120]));
            let touched = draw_streak(&mut image, &fields(), 8.0, &mut Dice::seed_from_u64(seed));
            let xs: Vec<u32> = image.enumerate_pixels().filter(|p| p.2.0[0] < 112).map(|p| p.0).collect();
            let (left, right) = (xs.iter().min().expect("there is ink"), xs.iter().max().expect("there is ink"));
            assert!(right - left < 6, "from {left} to {right}");
            for (field_idx, field) in fields().iter().enumerate() {
                let is_touched = touched.contains(&Touch { field_idx, hides: false });
                // a run that ends a little inside a field does not touch it
                assert!(!is_touched || is_changed(&image, field), "seed {seed}: {touched:?}");
            }
            n_touched += usize::from(!touched.is_empty());
        }
        assert!(n_touched > 20, "{n_touched} of 40");
    }

    #[test]
    fn glare_has_no_edges_and_changes_the_touched_fields() {
        for seed in 0..20 {
            let mut image = GrayImage::from_pixel(600, 700, Luma([120]));
            let touched = draw_glare(&mut image, &fields(), 8.0, &mut Dice::seed_from_u64(seed));
            assert!(!touched.is_empty(), "seed {seed}");
            assert!(touched.iter().all(|touch| is_changed(&image, &fields()[touch.field_idx])), "seed {seed}");
            let level = |x: u32, y: u32| image.get_pixel(x, y).0[0];
            let steps = (0..599).flat_map(|x| (0..700).map(move |y| (x, y)));
            let highest = steps.map(|(x, y)| level(x, y).abs_diff(level(x + 1, y))).max();
            assert!(highest < Some(5), "a step of {highest:?} levels");
        }
    }
}
