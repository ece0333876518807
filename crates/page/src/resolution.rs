//! Whether the resolution in a file is plausible, and square pixels.

use image::GrayImage;

/// Resolutions of scanners and fax machines, dpi; a value outside is probably in the wrong unit.
const PLAUSIBLE_DPI: std::ops::RangeInclusive<f64> = 50.0..=1200.0;
/// Defaults of software that does not know the resolution, dpi: of old Macintosh screens and of Windows.
const SCREEN_DPI: [f64; 2] = [72.0, 96.0];
/// Tolerance for them, dpi: stored per metre (PNG, BMP) they become 72.009 and 96.012.
const SCREEN_TOLERANCE_DPI: f64 = 0.5;
/// A3, A4, A5, US Letter, US Legal, inches (ISO 216; ANSI/ASME Y14.1).
const PAPER_INCHES: [[f64; 2]; 5] = [[11.69, 16.54], [8.27, 11.69], [5.83, 8.27], [8.5, 11.0], [8.5, 14.0]];
/// Largest relative difference between the sides of a scan and of a paper.
const PAPER_TOLERANCE: f64 = 0.03;
/// Axes whose resolutions differ by less, relatively, are equal but for rounding.
const SQUARE_TOLERANCE: f64 = 0.01;
/// Largest ratio of the resolutions of both axes: the coarsest fax has 2.08.
const MAX_ASPECT: f64 = 2.2;

/// Checks a resolution in dpi, across and down, of a page of this size. It is plausible between the limits on both axes, but that of
/// screens (72, 96 dpi) only where it makes the page a sheet of a common paper.
pub fn plausible([x_dpi, y_dpi]: [f64; 2], [width, height]: [u32; 2]) -> Option<[f64; 2]> {
    if !PLAUSIBLE_DPI.contains(&x_dpi) || !PLAUSIBLE_DPI.contains(&y_dpi) {
        return None;
    }
    if (x_dpi / y_dpi).max(y_dpi / x_dpi) > MAX_ASPECT {
        return None;
    }
    let is_screen = SCREEN_DPI.iter().any(|dpi| (dpi - x_dpi).abs() < SCREEN_TOLERANCE_DPI);
    let [across, down] = [f64::from(width) / x_dpi, f64::from(height) / y_dpi];
    (!is_screen || is_paper(across.min(down), across.max(down))).then_some([x_dpi, y_dpi])
}

/// The size with square pixels: the axis of the lower resolution is enlarged to that of the higher one. Not changed where they are
/// about equal.
pub fn squared_size([x_dpi, y_dpi]: [f64; 2], [width, height]: [u32; 2]) -> [u32; 2] {
    let enlarge = |pixels: u32, ratio: f64| whole_pixels(f64::from(pixels) * ratio);
    if x_dpi > y_dpi * (1.0 + SQUARE_TOLERANCE) {
        [width, enlarge(height, x_dpi / y_dpi)]
    } else if y_dpi > x_dpi * (1.0 + SQUARE_TOLERANCE) {
        [enlarge(width, y_dpi / x_dpi), height]
    } else {
        [width, height]
    }
}

/// Rounds the side of a page to whole pixels. 0 where it is negative or not a number; `u32::MAX` where it is larger.
#[cfg_attr(
    not(test),
    expect(clippy::cast_possible_truncation, reason = "the value is rounded, and the cast saturates")
)]
pub fn whole_pixels(side: f64) -> u32 {
    side.round() as u32
}

/// Enlarges an image to a size of at least its own by linear interpolation between the centres of its pixels.
pub fn stretch(pixels: GrayImage, [width, height]: [u32; 2]) -> GrayImage {
    let [old_width, old_height] = [pixels.width(), pixels.height()];
    if (old_width, old_height) == (width, height) {
        return pixels;
    }
    let columns: Vec<Between> = between(old_width, width).collect();
    let (mut row, mut enlarged) = (Vec::new(), Vec::with_capacity(width as usize * height as usize));
    let old_row = |y: usize| &pixels.as_raw()[y * old_width as usize..][..old_width as usize];
    for Between { first, second, weight } in between(old_height, height) {
        row.clear();
        row.extend(old_row(first).iter().zip(old_row(second)).map(|(&a, &b)| blend(a, b, weight)));
        if width == old_width {
            enlarged.extend_from_slice(&row);
        } else {
            enlarged.extend(columns.iter().map(|at| blend(row[at.first], row[at.second], at.weight)));
        }
    }
    GrayImage::from_raw(width, height, enlarged).expect("each new row has the new width")
}

/// Two neighbouring old pixels, and the weight of the second in a new one, in 1/256.
struct Between {
    first: usize,
    second: usize,
    weight: u32,
}

/// The neighbours of the centre of each of `new` pixels among `old` pixels that cover the same length.
fn between(old: u32, new: u32) -> impl Iterator<Item = Between> {
    let last = old as usize - 1;
    (0..u64::from(new)).map(move |i| {
        // half an old pixel is 128
        let centre = (2 * i + 1) * u64::from(old) * 128 / u64::from(new);
        let past_first = centre.saturating_sub(128);
        let first = ((past_first >> 8) as usize).min(last);
        Between { first, second: (first + 1).min(last), weight: (past_first & 0xFF) as u32 }
    })
}

fn blend(a: u8, b: u8, weight: u32) -> u8 {
    let sum = u32::from(a) * (256 - weight) + u32::from(b) * weight;
    u8::try_from((sum + 128) >> 8).expect("the weights sum to 256")
}

fn is_paper(short_inches: f64, long_inches: f64) -> bool {
    PAPER_INCHES.iter().any(|[short, long]| {
        (short_inches / short - 1.0).abs() < PAPER_TOLERANCE && (long_inches / long - 1.0).abs() < PAPER_TOLERANCE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolution_that_is_a_default_of_software_is_not_plausible() {
        struct Case {
            dpi: [f64; 2],
            size: [u32; 2],
            is_plausible: bool,
        }
        let cases = [
            Case { dpi: [300.0, 300.0], size: [2550, 3300], is_plausible: true },
            Case { dpi: [204.0, 98.0], size: [1728, 1100], is_plausible: true },
            Case { dpi: [72.0, 72.0], size: [2550, 3300], is_plausible: false },
            Case { dpi: [72.009, 72.009], size: [595, 842], is_plausible: true },
            Case { dpi: [96.012, 96.012], size: [900, 1280], is_plausible: false },
            Case { dpi: [96.0, 96.0], size: [1123, 794], is_plausible: true },
            Case { dpi: [1.0, 1.0], size: [2550, 3300], is_plausible: false },
            Case { dpi: [30_000.0, 30_000.0], size: [2550, 3300], is_plausible: false },
            Case { dpi: [600.0, 150.0], size: [2550, 3300], is_plausible: false },
            Case { dpi: [f64::NAN, 300.0], size: [2550, 3300], is_plausible: false },
        ];
        for Case { dpi, size, is_plausible } in cases {
            assert_eq!(plausible(dpi, size).is_some(), is_plausible, "{dpi:?} {size:?}");
        }
    }

    #[test]
    fn fax_is_enlarged_along_its_coarser_axis() {
        assert_eq!(squared_size([204.0, 98.0], [1728, 1100]), [1728, 2290]);
        assert_eq!(squared_size([150.0, 300.0], [100, 80]), [200, 80]);
        assert_eq!(squared_size([299.99, 300.0], [100, 80]), [100, 80]);
        let page = GrayImage::from_fn(3, 2, |_, y| image::Luma([if y == 0 { 0 } else { 200 }]));
        let enlarged = stretch(page, [3, 4]);
        let column: Vec<u8> = (0..4).map(|y| enlarged.get_pixel(1, y)[0]).collect();
        assert_eq!(column, [0, 50, 150, 200]);
        let row = GrayImage::from_raw(3, 1, vec![0, 100, 0]).expect("three pixels");
        assert_eq!(stretch(row, [6, 1]).into_raw(), [0, 25, 75, 75, 25, 0]);
    }
}
