//! The drawing kit: colours, lines, printed text, scaled pictures, and sheets composed of them.
//!
//! | module | draws |
//! |---|---|
//! | `font` | a line of text as ink |
//! | `canvas` | lines and text on a picture of a page |
//! | `view` | a part of a page, upright and scaled |
//! | `sheet` | pictures beside and below each other |

mod canvas;
mod font;
mod sheet;
mod view;

use image::{GrayImage, ImageBuffer, Pixel, RgbImage, buffer::ConvertBuffer, imageops};
use imageproc::drawing::draw_line_segment_mut;

use formread_raster::geometry::{Point, Projection};

pub(crate) use canvas::{CanvasStyle, PageCanvas};
pub(crate) use font::text_ink;
pub(crate) use sheet::{below, beside, framed, in_columns, padded, paper, text, wrapped_text};
pub use view::View;

/// 8 bits each of red, green and blue.
pub(crate) type Colour = image::Rgb<u8>;

/// Accepted fields, and fields whose printed frame was found.
pub(crate) const GREEN: Colour = image::Rgb([0, 130, 60]);
/// Fields for review, and fields without a frame.
pub(crate) const RED: Colour = image::Rgb([215, 60, 0]);
/// Blank fields.
pub(crate) const VIOLET_BLUE: Colour = image::Rgb([60, 90, 200]);
/// Candidate cuts.
pub(crate) const MAGENTA: Colour = image::Rgb([200, 0, 200]);
/// Printed lines, marks, barcodes and numbers.
pub(crate) const BLUE: Colour = image::Rgb([0, 105, 225]);
/// Printed words.
pub(crate) const OCHRE: Colour = image::Rgb([170, 110, 0]);
/// Text.
pub(crate) const BLACK: Colour = image::Rgb([20, 20, 20]);
/// Captions.
pub(crate) const GREY: Colour = image::Rgb([110, 110, 110]);
/// Frames of pictures.
pub(crate) const PALE: Colour = image::Rgb([205, 205, 205]);
/// The ground of a sheet.
pub(crate) const PAPER: Colour = image::Rgb([255, 255, 255]);

/// Draws a line of `offsets.len()` pixels thickness: a copy of it at each offset across its direction.
pub(crate) fn draw_line(
    picture: &mut RgbImage,
    [a, b]: [Point; 2],
    colour: Colour,
    offsets: std::ops::RangeInclusive<i32>,
) {
    let is_flat = (b.x - a.x).abs() > (b.y - a.y).abs();
    for offset in offsets {
        let [dx, dy] = if is_flat { [0, offset] } else { [offset, 0] };
        let end = |p: Point| (p.x as f32 + dx as f32, p.y as f32 + dy as f32);
        draw_line_segment_mut(picture, end(a), end(b), colour);
    }
}

/// Writes the ink of a text with its top left corner at (`left`, `top`). What leaves the picture is cut off.
///
/// `ink`: [H, W] u8, 0 nothing .. 255 ink. `cover`: how much of the picture the white ground behind the text hides, 0 to 1.
pub(crate) fn draw_ink(picture: &mut RgbImage, [left, top]: [u32; 2], ink: &GrayImage, colour: Colour, cover: f64) {
    for (x, y, level) in ink.enumerate_pixels() {
        let Some(pixel) = picture.get_pixel_mut_checked(left + x, top + y) else { continue };
        let share = f64::from(level[0]) / 255.0;
        for (value, letter) in pixel.0.iter_mut().zip(colour.0) {
            let ground = f64::from(*value) * (1.0 - cover) + 255.0 * cover;
            *value = (ground * (1.0 - share) + f64::from(letter) * share).round() as u8;
        }
    }
}

/// A grey picture `scale` times as large: whole factors keep sharp pixels, others are smooth.
pub(crate) fn scaled(grey: &GrayImage, scale: f64) -> RgbImage {
    let side = |length: u32| (f64::from(length) * scale).round().max(1.0) as u32;
    let filter = match scale {
        s if s < 1.0 => imageops::FilterType::Triangle,
        s if s.fract() == 0.0 => imageops::FilterType::Nearest,
        _ => imageops::FilterType::CatmullRom,
    };
    imageops::resize(grey, side(grey.width()), side(grey.height()), filter).convert()
}

/// A picture reduced to fit into `max_width` x `max_height`; unchanged if it fits already.
pub(crate) fn fitted<P: Pixel<Subpixel = u8> + 'static>(
    picture: ImageBuffer<P, Vec<u8>>,
    [max_width, max_height]: [u32; 2],
) -> ImageBuffer<P, Vec<u8>> {
    let scale = |max: u32, length: u32| f64::from(max) / f64::from(length.max(1));
    let scale = scale(max_width, picture.width()).min(scale(max_height, picture.height()));
    if scale >= 1.0 {
        return picture;
    }
    let side = |length: u32| (f64::from(length) * scale).floor().max(1.0) as u32;
    imageops::resize(&picture, side(picture.width()), side(picture.height()), imageops::FilterType::Triangle)
}

/// Ink ([H, W] u8, 0 paper .. 255 ink) as dark on white.
pub(crate) fn dark_on_white(ink: &GrayImage) -> GrayImage {
    GrayImage::from_fn(ink.width(), ink.height(), |x, y| image::Luma([255 - ink.get_pixel(x, y)[0]]))
}

/// How many quarters clockwise a form is turned on its page.
pub(crate) fn quarter_turns(page_from_template: &Projection) -> u8 {
    let across = page_from_template.apply(Point::new(1.0, 0.0)) - page_from_template.apply(Point::default());
    let quarters = across.y.atan2(across.x) / std::f64::consts::FRAC_PI_2;
    quarters.round().rem_euclid(4.0) as u8
}
