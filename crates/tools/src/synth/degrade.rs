//! What happens to a page between the pen and the file. Each function takes a strength, 0 (the very same image) to 1,
//! and draws what it does from the dice.

use image::{DynamicImage, GrayImage, ImageFormat, Luma, codecs::jpeg::JpegEncoder};
use rand::{Rng, RngExt};

use super::Dice;
use formread_raster::{
    error::{Error, Format, Result},
    geometry::{Point, Projection, Rect},
};

/// Widest blur, standard deviation in millimetres: a scanner badly out of focus.
const MAX_BLUR_MM: f64 = 0.16;
/// Strongest noise of a sensor, standard deviation in grey levels.
const MAX_NOISE_LEVELS: f64 = 28.0;
/// Most specks of dust, a square centimetre.
const MAX_SPECKS_CM2: f64 = 6.0;
/// Share of the way to the lightest neighbour that ink thins at most; the whole way would wipe out hairlines.
const MAX_THINNING: f64 = 0.55;
/// Best and worst JPEG quality, 1 to 100.
const JPEG_QUALITY: [f64; 2] = [95.0, 12.0];
/// Most of a page's rows that a fax line loses.
const MAX_LOST_ROWS: f64 = 0.012;
/// Most ink that a fax head leaves out.
const MAX_LOST_INK: f64 = 0.08;
/// How far the sides of a fold move against each other at most, millimetres.
const MAX_FOLD_MM: f64 = 0.6;
/// How much of a page's side a corner moves by at most in a photo.
const MAX_CORNER_SHARE: f64 = 0.10;
/// How much of the light is lost at most in the darkest place.
const MAX_SHADE: f64 = 0.55;
/// Levels of the table behind a photographed page, 0 black .. 255 white.
const TABLE_LEVELS: [f64; 2] = [70.0, 150.0];
/// Scales of a page are drawn from 70 to 140 %.
const SCALES: [f64; 2] = [0.7, 1.4];
/// Largest shift, share of the page's side.
const MAX_SHIFT_SHARE: f64 = 0.25;

/// Spreads or thins all ink, as toner and copiers do.
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

/// A crease across the page: a dark line beside a light one, and one side moved against the other.
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

/// How strongly a page's place on the scanner's glass differs from straight, centred and 100 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Largest turn either way, degrees.
    pub skew_degrees: f64,
    /// 0 to 1: 1 is a quarter of the page.
    pub shift: f64,
    /// 0 to 1: 1 is from 70 to 140 %.
    pub scale: f64,
}

/// Turns, shifts and scales the page. The image grows and shrinks with the scale; what is shifted out is lost. Also
/// gives where a pixel of the image went.
pub fn place(image: GrayImage, placement: Placement, dice: &mut Dice) -> (GrayImage, Projection) {
    let Placement { skew_degrees, shift, scale } = placement;
    if skew_degrees <= 0.0 && shift <= 0.0 && scale <= 0.0 {
        return (image, Projection::IDENTITY);
    }
    let mut either_way = |most: f64| if most > 0.0 { dice.random_range(-most..=most) } else { 0.0 };
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

/// A photo of the page, held askew above a wooden table. Also gives where a pixel of the image went.
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

/// Light that falls from one side, and the soft edge of a shadow.
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

/// Out of focus.
pub fn blur(image: GrayImage, strength: f64, px_per_mm: f64, dice: &mut Dice) -> GrayImage {
    if strength <= 0.0 {
        return image;
    }
    let sigma_px = amount(strength, dice) * MAX_BLUR_MM * px_per_mm;
    imageproc::filter::gaussian_blur_f32(&image, sigma_px as f32)
}

/// A sensor's grain, and specks of dust, dark and light.
pub fn noise(mut image: GrayImage, strength: f64, px_per_mm: f64, dice: &mut Dice) -> GrayImage {
    if strength <= 0.0 {
        return image;
    }
    let amount = amount(strength, dice);
    // four bytes sum to nearly a normal distribution: mean 510, variance 4 * (256^2 - 1) / 12
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

/// A fax: black and white, rows lost (the row above stands in for them, or none does) and ink left out.
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

/// Through a JPEG and back.
///
/// # Errors
/// `Limit` is the codec's: sides over 65,535 pixels.
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

/// Strengths are upper ends: a page gets from half of it to all of it.
fn amount(strength: f64, dice: &mut Dice) -> f64 {
    strength * dice.random_range(0.5..=1.0)
}

/// `image` moved by `map` (pixels to pixels) onto a canvas of `size`, `behind` where it does not reach.
fn warp(image: &GrayImage, map: &Projection, size: (u32, u32), behind: impl Fn(f64, f64) -> u8) -> GrayImage {
    let Some(back) = map.inverse() else { return image.clone() };
    GrayImage::from_fn(size.0, size.1, |x, y| {
        let (x, y) = (f64::from(x), f64::from(y));
        let from = back.apply(Point::new(x + 0.5, y + 0.5));
        Luma([sample(image, from.x - 0.5, from.y - 0.5, |_, _| behind(x, y)).round() as u8])
    })
}

/// Bilinear between the middles of pixels, (0, 0) being the middle of the first; `outside` where there is no pixel.
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
    fn strength_0_leaves_the_image_and_strength_1_does_not() {
        for (name, degrade) in ALL {
            assert_eq!(degrade(page(), 0.0, &mut Dice::seed_from_u64(1)), page(), "{name}");
            let once = degrade(page(), 1.0, &mut Dice::seed_from_u64(1));
            assert_ne!(once, page(), "{name}");
            assert_eq!(degrade(page(), 1.0, &mut Dice::seed_from_u64(1)), once, "{name} differs with the same seed");
        }
    }

    /// A dot is found where the projection that comes with the image says.
    #[test]
    fn the_projection_says_where_a_pixel_went() {
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
