//! Quarter turns of pictures and points, and transposition.

use image::{GrayImage, imageops};

use crate::geometry::Point;

/// Undoes `quarters` clockwise quarter turns of `pixels`.
pub fn rotate_back(pixels: &GrayImage, quarters: u8) -> GrayImage {
    match quarters % 4 {
        1 => imageops::rotate270(pixels),
        2 => imageops::rotate180(pixels),
        3 => imageops::rotate90(pixels),
        _ => pixels.clone(),
    }
}

/// Side of the blocks in which a picture is transposed, pixels: small enough for the cache by rows and by columns.
const SQUARE_PX: usize = 32;

/// Exchanges the axes: [H, W] -> [W, H].
pub fn transpose(pixels: &GrayImage) -> GrayImage {
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let mut turned = GrayImage::new(pixels.height(), pixels.width());
    let (source, target) = (pixels.as_raw(), &mut *turned);
    for top in (0..height).step_by(SQUARE_PX) {
        for left in (0..width).step_by(SQUARE_PX) {
            for x in left..(left + SQUARE_PX).min(width) {
                for y in top..(top + SQUARE_PX).min(height) {
                    target[x * height + y] = source[y * width + x];
                }
            }
        }
    }
    turned
}

/// Maps a point of a picture to its place after [`rotate_back`] by `quarters`. `size`: the picture's width and height before,
/// pixels.
pub fn rotate_point_back(p: Point, quarters: u8, size: [f64; 2]) -> Point {
    let [width, height] = size;
    match quarters % 4 {
        1 => Point::new(p.y, width - p.x),
        2 => Point::new(width - p.x, height - p.y),
        3 => Point::new(height - p.y, p.x),
        _ => p,
    }
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    #[test]
    fn transpose_of_picture_exchanges_the_axes() {
        let picture = GrayImage::from_fn(70, 41, |x, y| Luma([(3 * x + 7 * y) as u8]));
        let turned = transpose(&picture);
        assert_eq!(turned.dimensions(), (41, 70));
        assert!(turned.enumerate_pixels().all(|(x, y, pixel)| pixel == picture.get_pixel(y, x)));
        assert_eq!(transpose(&GrayImage::new(0, 3)).dimensions(), (3, 0));
    }
}
