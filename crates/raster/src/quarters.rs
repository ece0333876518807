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

/// Side of the blocks in which a picture is transposed, pixels: a row of a block is a number of 64 bits.
const SQUARE_PX: usize = 8;

/// Exchanges the axes: [H, W] -> [W, H].
pub fn transpose(pixels: &GrayImage) -> GrayImage {
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let mut turned = GrayImage::new(pixels.height(), pixels.width());
    let (source, target) = (pixels.as_raw(), &mut *turned);
    let (whole_width, whole_height) = (width - width % SQUARE_PX, height - height % SQUARE_PX);
    for top in (0..whole_height).step_by(SQUARE_PX) {
        for left in (0..whole_width).step_by(SQUARE_PX) {
            let rows: [u64; SQUARE_PX] = std::array::from_fn(|y| {
                let row = &source[(top + y) * width + left..][..SQUARE_PX];
                row.iter().rev().fold(0, |row, &pixel| row << 8 | u64::from(pixel))
            });
            // most squares have no ink
            if rows.iter().fold(0, |any, row| any | row) == 0 {
                continue;
            }
            for (x, column) in transpose_square(rows).into_iter().enumerate() {
                target[(left + x) * height + top..][..SQUARE_PX].copy_from_slice(&column.to_le_bytes());
            }
        }
    }
    let mut copy = |x: usize, y: usize| target[x * height + y] = source[y * width + x];
    (whole_width..width).for_each(|x| (0..height).for_each(|y| copy(x, y)));
    (0..whole_width).for_each(|x| (whole_height..height).for_each(|y| copy(x, y)));
    turned
}

/// Exchanges rows and columns of a block; the first pixel of a row is its lowest byte. Quarters of the block are exchanged, then
/// quarters of these, and so on (Warren, "Hacker's Delight", 2002, section 7-3).
fn transpose_square(mut rows: [u64; SQUARE_PX]) -> [u64; SQUARE_PX] {
    for (side, low) in [(4, 0x0000_0000_ffff_ffff), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)] {
        let bits = 8 * side;
        for y in (0..SQUARE_PX).filter(|y| y & side == 0) {
            let exchanged = (rows[y] >> bits ^ rows[y + side]) & low;
            rows[y] ^= exchanged << bits;
            rows[y + side] ^= exchanged;
        }
    }
    rows
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
