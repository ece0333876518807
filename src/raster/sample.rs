//! Grey between pixels.

use image::GrayImage;

use crate::geometry::Point;

/// Grey of paper beyond the picture's edge.
const BEYOND: f64 = 255.0;

/// Bilinear grey at `p`, 0 to 255, pixel i covering i to i + 1; white beside the picture, and where `p` is not finite.
pub fn bilinear(picture: &GrayImage, p: Point) -> f64 {
    let (x, y) = (p.x - 0.5, p.y - 0.5);
    let (width, height) = picture.dimensions();
    // most points lie well inside, where no edge has to be thought of
    if x >= 0.0 && y >= 0.0 && x < f64::from(width) - 1.0 && y < f64::from(height) - 1.0 {
        // the fastest way to a whole number: they are not negative, and less than a side
        let (left, top) = (x as i32, y as i32);
        let start = top as usize * width as usize + left as usize;
        let upper = &picture.as_raw()[start..start + 2];
        let lower = &picture.as_raw()[start + width as usize..][..2];
        let grey = [upper[0], upper[1], lower[0], lower[1]].map(f64::from);
        return between(grey, x - f64::from(left), y - f64::from(top));
    }
    let Some((left, top, fx, fy)) = corner(p) else { return BEYOND };
    let at = |dx: i64, dy: i64| grey(picture, left + dx, top + dy);
    between([at(0, 0), at(1, 0), at(0, 1), at(1, 1)], fx, fy)
}

/// Bicubic grey at `p`, 0 to 255, likewise: the Catmull-Rom cubic (Keys, "Cubic convolution interpolation for digital image
/// processing", 1981).
pub fn bicubic(picture: &GrayImage, p: Point) -> u8 {
    let Some((left, top, fx, fy)) = corner(p) else { return BEYOND as u8 };
    let (wx, wy) = (cubic_weights(fx), cubic_weights(fy));
    let (width, height) = picture.dimensions();
    let mut sum = 0.0;
    // most points lie well inside, where no edge has to be thought of
    if left >= 1 && top >= 1 && left + 2 < i64::from(width) && top + 2 < i64::from(height) {
        let start = (top as usize - 1) * width as usize + left as usize - 1;
        for (j, wy) in wy.into_iter().enumerate() {
            let row = &picture.as_raw()[start + j * width as usize..][..4];
            sum += wy * row.iter().zip(wx).map(|(&grey, wx)| wx * f64::from(grey)).sum::<f64>();
        }
        return sum.round().clamp(0.0, 255.0) as u8;
    }
    for (j, wy) in (-1..).zip(wy) {
        for (i, wx) in (-1..).zip(wx) {
            sum += wx * wy * grey(picture, left + i, top + j);
        }
    }
    sum.round().clamp(0.0, 255.0) as u8
}

/// The grey between four pixels, left above, right above, left below, right below.
fn between(grey: [f64; 4], fx: f64, fy: f64) -> f64 {
    let upper = grey[0] * (1.0 - fx) + grey[1] * fx;
    let lower = grey[2] * (1.0 - fx) + grey[3] * fx;
    upper * (1.0 - fy) + lower * fy
}

/// Grey of pixel `(x, y)`, white beside the picture.
fn grey(picture: &GrayImage, x: i64, y: i64) -> f64 {
    match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) => picture.get_pixel_checked(x, y).map_or(BEYOND, |p| f64::from(p[0])),
        _ => BEYOND,
    }
}

/// The pixel whose centre lies left above `p`, and how far `p` lies from that centre. `None` where `p` is not finite.
fn corner(p: Point) -> Option<(i64, i64, f64, f64)> {
    let (x, y) = (p.x - 0.5, p.y - 0.5);
    if !(x.abs() < 1e9 && y.abs() < 1e9) {
        return None;
    }
    Some((x.floor() as i64, y.floor() as i64, x - x.floor(), y - y.floor()))
}

/// Weights of the pixels at -1, 0, 1, 2 for a point at `t` between 0 and 1.
fn cubic_weights(t: f64) -> [f64; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [0.5 * (-t3 + 2.0 * t2 - t), 0.5 * (3.0 * t3 - 5.0 * t2 + 2.0), 0.5 * (-3.0 * t3 + 4.0 * t2 + t), 0.5 * (t3 - t2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_pixels_grey_runs_straight_and_beside_them_it_is_white() {
        let picture = GrayImage::from_raw(2, 2, vec![0, 100, 200, 40]).expect("2 x 2");
        for (x, y, expected) in [
            (0.5, 0.5, 0.0),
            (1.0, 0.5, 50.0),
            (0.5, 1.0, 100.0),
            (1.0, 1.0, 85.0),
            (1.5, 1.5, 40.0),
            (2.0, 1.5, 147.5),
            (-5.0, 1.0, 255.0),
            (f64::NAN, 1.0, 255.0),
            (f64::INFINITY, 1.0, 255.0),
        ] {
            assert_eq!(bilinear(&picture, Point::new(x, y)), expected, "({x}, {y})");
        }
        assert_eq!(bicubic(&picture, Point::new(0.5, 1.5)), 200);
        assert_eq!(bicubic(&picture, Point::new(f64::NAN, 1.5)), 255);
    }
}
