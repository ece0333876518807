//! Pictures and points turned by quarters.

use image::{GrayImage, imageops};

use crate::geometry::Point;

/// `pixels` turned back by `quarters` clockwise: what lay turned by so many stands upright.
pub fn turned_back(pixels: &GrayImage, quarters: u8) -> GrayImage {
    match quarters % 4 {
        1 => imageops::rotate270(pixels),
        2 => imageops::rotate180(pixels),
        3 => imageops::rotate90(pixels),
        _ => pixels.clone(),
    }
}

/// Where a point of a picture comes to lie that is turned back by `quarters` clockwise. `size`: the picture's width and
/// height before, pixels.
pub fn turned_point(p: Point, quarters: u8, size: [f64; 2]) -> Point {
    let [width, height] = size;
    match quarters % 4 {
        1 => Point::new(p.y, width - p.x),
        2 => Point::new(width - p.x, height - p.y),
        3 => Point::new(height - p.y, p.x),
        _ => p,
    }
}
