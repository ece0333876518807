//! Degrades a page as paper, scanners and file formats do. Each function takes a strength from 0 (no change) to 1, and
//! draws the details from a random number generator.
//!
//! The limits are the values at strength 1. No record shows on which set they were chosen.

use image::{DynamicImage, GrayImage, ImageFormat, Luma, codecs::jpeg::JpegEncoder};
use rand::{Rng, RngExt};

use super::Dice;
use formread_raster::{
    error::{Error, Format, Result},
    geometry::{Point, Projection, Rect},
};

/// Maximum standard deviation of the blur, millimetres: a scanner far out of focus.
const MAX_BLUR_MM: f64 = 0.16;
/// Maximum standard deviation of sensor noise, grey levels.
const MAX_NOISE_LEVELS: f64 = 28.0;
/// Maximum number of dust specks per square centimetre.
const MAX_SPECKS_CM2: f64 = 6.0;
/// Maximum thinning of ink, as a share of the difference to the lightest neighbour; 1 would erase hairlines.
const MAX_THINNING: f64 = 0.55;
/// Best and worst JPEG quality, 1 to 100.
const JPEG_QUALITY: [f64; 2] = [95.0, 12.0];
/// Maximum share of rows lost on a fax line.
const MAX_LOST_ROWS: f64 = 0.012;
/// Maximum share of ink lost by a fax head.
const MAX_LOST_INK: f64 = 0.08;
/// Maximum displacement of the two sides of a fold, millimetres.
const MAX_FOLD_MM: f64 = 0.6;
/// Maximum displacement of a corner in a photo, as a share of the page's side.
const MAX_CORNER_SHARE: f64 = 0.10;
/// Maximum share of light lost in the darkest place.
const MAX_SHADE: f64 = 0.55;
/// Range of grey levels of the table under a photographed page, 0 black .. 255 white.
const TABLE_LEVELS: [f64; 2] = [70.0, 150.0];
/// Range of scales of a page.
const SCALES: [f64; 2] = [0.7, 1.4];
/// Maximum shift, as a share of the page's side.
const MAX_SHIFT_SHARE: f64 = 0.25;

/// Thickens or thins all ink, as toner and copiers do.
pub fn stroke_weight(image: GrayImage, strength: f64, dice: &mut Dice) -> GrayImage {
    if strength <= 0.0 {
        return image;
    }
    let amount = amount(strength, dice);
    let is_spread = dice.random_bool(0.5);
    let share = if is_spread { amount } else { amount * MAX_THINNING };
    let (w, h) = image.dimensions();
    let mut out = image.clone();
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let around = (y.saturating_sub(1)..(y + 2).min(h))
            .flat_map(|v| (x.saturating_sub(1)..(x + 2).min(w)).map(move |u| (u, v)))
            .map(|(u, v)| image.get_pixel(u, v).0[0]);
        let end = if is_spread { around.min() } else { around.max() }.unwrap_or(pixel.0[0]);
        let (from, to) = (f64::from(pixel.0[0]), f64::from(end));
        pixel.0[0] = (from + (to - from) * share).round() as u8;
    }
    out
}

/// Draws a crease across the page: a dark and a light line, and a displacement of one side.
pub fn fold(image: GrayImage, strength: f64, px_per_mm: f64, dice: &mut Dice) -> GrayImage {
    if strength <= 0.0 {
        return image;
    }
    let amount = amount(strength, dice);
    let is_level = dice.random_bool(0.7);
    let (w, h) = image.dimensions();
    let side = f64::from(if is_level { h } else { w });
    let crease = side * dice.random_range(0.3..0.7);
    let slope = dice.random_range(-0.02..0.02);
    let jump = amount * MAX_FOLD_MM * px_per_mm * dice.random_range(-1.0..1.0);
    let turn = amount * 0.004 * dice.random_range(-1.0..1.0);
    let mut out = image.clone();
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let (across, along) = if is_level { (f64::from(y), f64::from(x)) } else { (f64::from(x), f64::from(y)) };
        let beyond = across - crease - slope * along;
        if beyond > 0.0 {
            let (from_across, from_along) = (across + jump, along + turn * beyond);
            let at = if is_level { (from_along, from_across) } else { (from_across, from_along) };
            pixel.0[0] = sample(&image, at.0, at.1, |_, _| super::sheet::PAPER).round() as u8;
        }
        let distance_mm = beyond / px_per_mm;
        let dark = 0.45 * amount * (-(distance_mm / 0.2).powi(2)).exp();
        let light = 0.25 * amount * (-((distance_mm - 0.6) / 0.3).powi(2)).exp();
        let level = f64::from(pixel.0[0]);
        pixel.0[0] = (level * (1.0 - dark) + (255.0 - level) * light).round() as u8;
    }
    out
}

/// Limits for the rotation, shift and scale of a page on the scanner's glass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Maximum rotation in either direction, degrees.
    pub skew_degrees: f64,
    /// 0 to 1: 1 is a quarter of the page.
    pub shift: f64,
    /// 0 to 1: 1 is from 70 to 140 %.
    pub scale: f64,
}

/// Rotates, shifts and scales the page. The image grows and shrinks with the scale; parts shifted out are lost. Returns
/// the image and the projection that maps pixels of the old image to pixels of the new one.
pub fn place(image: GrayImage, placement: Placement, dice: &mut Dice) -> (GrayImage, Projection) {
    let Placement { skew_degrees, shift, scale } = placement;
    if skew_degrees <= 0.0 && shift <= 0.0 && scale <= 0.0 {
        return (image, Projection::IDENTITY);
    }
    let mut either_way = |max: f64| if max > 0.0 { dice.random_range(-max..=max) } else { 0.0 };
    let angle = either_way(skew_degrees).to_radians();
    let (dx, dy) = (either_way(shift * MAX_SHIFT_SHARE), either_way(shift * MAX_SHIFT_SHARE));
    let factor = match scale * either_way(1.0) {
        smaller if smaller < 0.0 => SCALES[0].powf(-smaller),
        larger => SCALES[1].powf(larger),
    };
    let (w, h) = (f64::from(image.width()), f64::from(image.height()));
    let size = [w, h].map(|side| (side * factor).round().max(1.0));
    let to_middle = Projection::translation(-w / 2.0, -h / 2.0);
    let turned = Projection::rotation(angle).compose(&to_middle);
    let scaled = Projection::scaling(factor, factor).compose(&turned);
    let map = Projection::translation(size[0] * (0.5 + dx), size[1] * (0.5 + dy)).compose(&scaled);
    let out = warp(&image, &map, (size[0] as u32, size[1] as u32), |_, _| super::sheet::PAPER);
    (out, map)
}

/// Photographs the page at an angle on a wooden table. Returns the image and the projection that maps pixels of the old
/// image to pixels of the new one.
pub fn perspective(image: GrayImage, strength: f64, dice: &mut Dice) -> (GrayImage, Projection) {
    if strength <= 0.0 {
        return (image, Projection::IDENTITY);
    }
    let (w, h) = image.dimensions();
    let page = Rect::from_xywh(0.0, 0.0, f64::from(w), f64::from(h));
    let inner = Rect::from_edges(0.04 * page.x1, 0.04 * page.y1, 0.96 * page.x1, 0.96 * page.y1);
    let middle = page.centre();
    let corners = inner.corners().map(|corner| {
        let inwards =
            |toward: f64, dice: &mut Dice| toward * 2.0 * MAX_CORNER_SHARE * strength * dice.random_range(0.0..1.0);
        let to_middle = middle - corner;
        corner + Point::new(inwards(to_middle.x, dice), inwards(to_middle.y, dice))
    });
    let Some(map) = Projection::from_quads(page.corners(), corners) else { return (image, Projection::IDENTITY) };
    let [dark, light] = TABLE_LEVELS;
    let (base, grain, lean) =
        (dice.random_range(dark..light), dice.random_range(0.02..0.06), dice.random_range(-0.3..0.3));
    let waves: [f64; 3] = std::array::from_fn(|_| dice.random_range(0.0..std::f64::consts::TAU));
    let table = move |x: f64, y: f64| {
        let across = (y + lean * x) * grain;
        let rings = (across + 1.5 * (x * 0.004 + waves[0]).sin()).sin() + 0.5 * (across * 3.1 + waves[1]).sin();
        let fibre = (x * 0.9 + across * 40.0 + waves[2]).sin();
        (base + 14.0 * rings + 4.0 * fibre).clamp(0.0, 255.0) as u8
    };
    let out = warp(&image, &map, (w, h), table);
    (out, map)
}

/// Darkens the page with light from one side and the soft edge of a shadow.
pub fn uneven_light(mut image: GrayImage, strength: f64, dice: &mut Dice) -> GrayImage {
    if strength <= 0.0 {
        return image;
    }
    let depth = amount(strength, dice) * MAX_SHADE;
    let (sin, cos) = dice.random_range(0.0..std::f64::consts::TAU).sin_cos();
    let edge = dice.random_range(-0.3..0.3);
    let (shadow_sin, shadow_cos) = dice.random_range(0.0..std::f64::consts::TAU).sin_cos();
    let (w, h) = (f64::from(image.width()), f64::from(image.height()));
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let (u, v) = (f64::from(x) / w - 0.5, f64::from(y) / h - 0.5);
        let slope = 0.5 + (u * cos + v * sin) / std::f64::consts::SQRT_2;
        let shadow = 1.0 / (1.0 + (-(u * shadow_cos + v * shadow_sin - edge) / 0.04).exp());
        let light = 1.0 - depth * (0.6 * slope + 0.4 * shadow);
        pixel.0[0] = (f64::from(pixel.0[0]) * light).round() as u8;
    }
    image
}

/// Blurs the page as a scanner out of focus does.
pub fn blur(image: GrayImage, strength: f64, px_per_mm: f64, dice: &mut Dice) -> GrayImage {
    if strength <= 0.0 {
        return image;
    }
    let sigma_px = amount(strength, dice) * MAX_BLUR_MM * px_per_mm;
    imageproc::filter::gaussian_blur_f32(&image, sigma_px as f32)
}

/// Adds sensor noise and specks of dust, dark and light.
pub fn noise(mut image: GrayImage, strength: f64, px_per_mm: f64, dice: &mut Dice) -> GrayImage {
    if strength <= 0.0 {
        return image;
    }
    let amount = amount(strength, dice);
    // the sum of four bytes is nearly normal: mean 510, variance 4 * (256^2 - 1) / 12
    let per_level = amount * MAX_NOISE_LEVELS / (4.0_f64 * 65_535.0 / 12.0).sqrt();
    for pixel in image.pixels_mut() {
        let sum: u32 = dice.next_u32().to_le_bytes().iter().map(|b| u32::from(*b)).sum();
        let level = f64::from(pixel.0[0]) + (f64::from(sum) - 510.0) * per_level;
        pixel.0[0] = level.clamp(0.0, 255.0).round() as u8;
    }
    let (w, h) = image.dimensions();
    let area_cm2 = f64::from(w) * f64::from(h) / (px_per_mm * 10.0).powi(2);
    for _ in 0..(area_cm2 * MAX_SPECKS_CM2 * amount) as usize {
        let (cx, cy) = (dice.random_range(0..w), dice.random_range(0..h));
        let radius = (dice.random_range(0.03..0.12) * px_per_mm).max(0.5);
        let level = if dice.random_bool(0.7) { dice.random_range(20..120) } else { 255 };
        let reach = radius.ceil() as u32;
        for y in cy.saturating_sub(reach)..(cy + reach + 1).min(h) {
            for x in cx.saturating_sub(reach)..(cx + reach + 1).min(w) {
                if (f64::from(x) - f64::from(cx)).hypot(f64::from(y) - f64::from(cy)) <= radius {
                    image.put_pixel(x, y, Luma([level]));
                }
            }
        }
    }
    image
}

/// Sends the page by fax: makes it black and white, loses some ink, and loses rows, which repeat the row above or are
/// white.
pub fn fax(mut image: GrayImage, strength: f64, dice: &mut Dice) -> GrayImage {
    if strength <= 0.0 {
        return image;
    }
    let amount = amount(strength, dice);
    let lost_ink = amount * MAX_LOST_INK;
    for pixel in image.pixels_mut() {
        let is_ink = pixel.0[0] < 160 && !dice.random_bool(lost_ink);
        pixel.0[0] = if is_ink { 0 } else { 255 };
    }
    let (w, h) = image.dimensions();
    for y in 1..h {
        if dice.random_bool(amount * MAX_LOST_ROWS) {
            let is_repeated = dice.random_bool(0.7);
            for x in 0..w {
                let above = if is_repeated { *image.get_pixel(x, y - 1) } else { Luma([255]) };
                image.put_pixel(x, y, above);
            }
        }
    }
    image
}

/// Encodes the page as JPEG and decodes it.
///
/// # Errors
/// `Unsupported` or `Format` if the codec refuses the image, as it does with sides over 65,535 pixels.
pub fn jpeg(image: GrayImage, strength: f64, dice: &mut Dice) -> Result<GrayImage> {
    if strength <= 0.0 {
        return Ok(image);
    }
    let [best, worst] = JPEG_QUALITY;
    let quality = best + (worst - best) * amount(strength, dice);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality.round() as u8)
        .encode_image(&image)
        .map_err(|error| Error::unsupported(Format::Jpeg, error))?;
    let decoded: DynamicImage = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg)
        .map_err(|error| Error::format(Format::Jpeg, error))?;
    Ok(decoded.into_luma8())
}

/// The strength for one page: from half of `strength` to all of it.
fn amount(strength: f64, dice: &mut Dice) -> f64 {
    strength * dice.random_range(0.5..=1.0)
}

/// Maps `image` by `map` (pixels to pixels) onto a canvas of `size`; `behind` gives the pixels outside the image.
pub(super) fn warp(
    image: &GrayImage,
    map: &Projection,
    size: (u32, u32),
    behind: impl Fn(f64, f64) -> u8,
) -> GrayImage {
    let Some(back) = map.inverse() else { return image.clone() };
    GrayImage::from_fn(size.0, size.1, |x, y| {
        let (x, y) = (f64::from(x), f64::from(y));
        let from = back.apply(Point::new(x + 0.5, y + 0.5));
        Luma([sample(image, from.x - 0.5, from.y - 0.5, |_, _| behind(x, y)).round() as u8])
    })
}

/// Interpolates between pixel centres (bilinear; (0, 0) is the centre of the first pixel); `outside` gives pixels outside.
fn sample(image: &GrayImage, x: f64, y: f64, outside: impl Fn(i64, i64) -> u8) -> f64 {
    let (left, top) = (x.floor(), y.floor());
    let (u, v) = (x - left, y - top);
    let level = |dx: i64, dy: i64| {
        let (px, py) = (left as i64 + dx, top as i64 + dy);
        let inside = u32::try_from(px).ok().zip(u32::try_from(py).ok());
        let pixel = inside.and_then(|(px, py)| image.get_pixel_checked(px, py));
        f64::from(pixel.map_or_else(|| outside(px, py), |pixel| pixel.0[0]))
    };
    let upper = level(0, 0) * (1.0 - u) + level(1, 0) * u;
    let lower = level(0, 1) * (1.0 - u) + level(1, 1) * u;
    upper * (1.0 - v) + lower * v
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn page() -> GrayImage {
        GrayImage::from_fn(120, 160, |x, y| Luma([if x % 20 < 3 || y % 30 < 2 { 30 } else { 250 }]))
    }

    type Degradation = fn(GrayImage, f64, &mut Dice) -> GrayImage;

    const ALL: [(&str, Degradation); 9] = [
        ("stroke_weight", stroke_weight),
        ("fold", |image, strength, dice| fold(image, strength, 8.0, dice)),
        ("place", |image, s, dice| place(image, Placement { skew_degrees: 10.0 * s, shift: s, scale: s }, dice).0),
        ("perspective", |image, strength, dice| perspective(image, strength, dice).0),
        ("uneven_light", uneven_light),
        ("blur", |image, strength, dice| blur(image, strength, 8.0, dice)),
        ("noise", |image, strength, dice| noise(image, strength, 8.0, dice)),
        ("fax", fax),
        ("jpeg", |image, strength, dice| jpeg(image, strength, dice).expect("it is small")),
    ];

    #[test]
    fn degradation_changes_the_image_at_strength_1_but_not_at_0() {
        for (name, degrade) in ALL {
            assert_eq!(degrade(page(), 0.0, &mut Dice::seed_from_u64(1)), page(), "{name}");
            let once = degrade(page(), 1.0, &mut Dice::seed_from_u64(1));
            assert_ne!(once, page(), "{name}");
            assert_eq!(degrade(page(), 1.0, &mut Dice::seed_from_u64(1)), once, "{name} differs with the same seed");
        }
    }

    #[test]
    fn returned_projection_maps_a_dot_to_its_new_position() {
        let mut image = GrayImage::from_pixel(120, 160, Luma([250]));
        for (x, y) in [(80, 60), (81, 60), (80, 61), (81, 61)] {
            image.put_pixel(x, y, Luma([0]));
        }
        for seed in 0..20 {
            let dice = &mut Dice::seed_from_u64(seed);
            let placement = Placement { skew_degrees: 5.0, shift: 0.3, scale: 1.0 };
            for (out, map) in [place(image.clone(), placement, dice), perspective(image.clone(), 0.8, dice)] {
                let expected = map.apply(Point::new(81.0, 61.0));
                let near = out.enumerate_pixels().map(|(x, y, p)| {
                    let middle = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                    let close = (middle - expected).norm() < 5.0;
                    (middle, if close { 250.0 - f64::from(p.0[0].min(250)) } else { 0.0 })
                });
                let (sum, weight) = near.fold((Point::default(), 0.0), |(s, w), (p, dark)| (s + p * dark, w + dark));
                let found = sum * (1.0 / weight);
                assert!((found - expected).norm() < 0.3, "{found:?} is not {expected:?}");
            }
        }
    }
}
