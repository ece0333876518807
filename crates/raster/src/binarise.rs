//! Local binarisation: the threshold follows the light and the paper, which change over a page.

use image::GrayImage;

use super::sample::is_white;

/// Parameters of [`sauvola`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SauvolaParams {
    /// Half the side of the window, pixels. The window must be wide enough for paper beside the widest stroke.
    pub radius_px: u32,
    /// How much darker than its surroundings ink must be, 0 to 1. A higher value loses faint strokes, a lower one takes
    /// watermarks and shadows for ink.
    pub k: f64,
}

/// Pixels of a row that are passed over together where all are white.
const BLOCK_PX: usize = 32;

/// The sum of the grey values of some pixels, and of their squares.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    grey: u64,
    square: u64,
}

/// Range of the standard deviation of grey values (Sauvola and Pietikäinen, 2000).
const DEVIATION_RANGE: f64 = 128.0;

/// Local binarisation (Sauvola and Pietikäinen, "Adaptive document image binarization", Pattern Recognition 33, 2000):
/// a pixel is ink where it is darker than m (1 + k (s / 128 - 1)), m and s being mean and standard deviation of the
/// window around it. Returns [H, W], 255 ink, 0 paper.
pub fn sauvola(image: &GrayImage, params: SauvolaParams) -> GrayImage {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let radius = params.radius_px as usize;
    let source = image.as_raw();
    let mut mask = GrayImage::new(image.width(), image.height());
    // sums of each column over the rows of the window, which moves down row by row; no window has 66,051 rows
    let (mut greys, mut squares) = (vec![0u32; width], vec![0u32; width]);
    // the sums over all columns before each one, so that those of a window are a difference
    let mut before = vec![Sums::default(); width + 1];
    let row_of = |y: usize| &source[y * width..][..width];
    let square = |v: u8| u32::from(u16::from(v) * u16::from(v));
    let add_row = |greys: &mut [u32], squares: &mut [u32], y: usize| {
        for ((grey, squares), &v) in greys.iter_mut().zip(squares).zip(row_of(y)) {
            *grey += u32::from(v);
            *squares += square(v);
        }
    };
    for y in 0..radius.min(height) {
        add_row(&mut greys, &mut squares, y);
    }
    for y in 0..height {
        if y + radius < height {
            add_row(&mut greys, &mut squares, y + radius);
        }
        if let Some(left) = y.checked_sub(radius + 1) {
            for ((grey, squares), &v) in greys.iter_mut().zip(&mut squares).zip(row_of(left)) {
                *grey -= u32::from(v);
                *squares -= square(v);
            }
        }
        let row = row_of(y);
        // what is white is no ink
        if is_white(row) {
            continue;
        }
        let n_rows = (y + radius).min(height - 1) + 1 - y.saturating_sub(radius);
        let mut total = Sums::default();
        for (before, (grey, square)) in before[1..].iter_mut().zip(greys.iter().zip(&squares)) {
            total = Sums { grey: total.grey + u64::from(*grey), square: total.square + u64::from(*square) };
            *before = total;
        }
        let dark = &mut mask.as_mut()[y * width..][..width];
        for (block, (row, dark)) in row.chunks(BLOCK_PX).zip(dark.chunks_mut(BLOCK_PX)).enumerate() {
            if is_white(row) {
                continue;
            }
            for (x, (&grey, dark)) in (block * BLOCK_PX..).zip(row.iter().zip(dark)) {
                let (from, to) = (x.saturating_sub(radius), (x + radius + 1).min(width));
                let n = n_rows * (to - from);
                let sum = before[to].grey - before[from].grey;
                // s is at most 127.5, so no pixel as light as the mean is ink, and most pixels need no square root
                if u64::from(grey) * n as u64 >= sum {
                    continue;
                }
                let n = n as f64;
                let mean = sum as f64 / n;
                let square = before[to].square - before[from].square;
                let deviation = (square as f64 / n - mean * mean).max(0.0).sqrt();
                let threshold = mean * (1.0 + params.k * (deviation / DEVIATION_RANGE - 1.0));
                if f64::from(grey) < threshold {
                    *dark = 255;
                }
            }
        }
    }
    mask
}

/// Share of the pixels of `mask` that are ink, 0 to 1; 0 where the picture is empty.
pub fn ink_share(mask: &GrayImage) -> f64 {
    let n_ink = mask.as_raw().iter().filter(|&&v| v > 0).count();
    n_ink as f64 / mask.as_raw().len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// A stroke 60 levels below a ground that runs from 90 to 250, beside a watermark 20 below it.
    #[test]
    fn stroke_in_light_and_shade_is_ink_and_watermark_is_not() {
        let ground = |x: u32| 90 + (x * 160 / 400) as u8;
        let image = GrayImage::from_fn(400, 60, |x, y| match y {
            20..24 => Luma([ground(x) - 60]),
            40..50 => Luma([ground(x) - ground(x) / 12]),
            _ => Luma([ground(x)]),
        });
        let mask = sauvola(&image, SauvolaParams { radius_px: 15, k: 0.2 });
        for x in 0..400 {
            assert_eq!(mask.get_pixel(x, 22).0, [255], "the stroke at x {x}");
            assert_eq!(mask.get_pixel(x, 45).0, [0], "the watermark at x {x}");
            assert_eq!(mask.get_pixel(x, 5).0, [0], "the ground at x {x}");
        }
    }

    #[test]
    fn window_larger_than_the_picture_is_clipped() {
        let image = GrayImage::from_raw(3, 1, vec![200, 10, 200]).expect("3 x 1");
        assert_eq!(sauvola(&image, SauvolaParams { radius_px: 50, k: 0.2 }).as_raw(), &vec![0, 255, 0]);
    }
}
