//! Whether a page is light on dark: film, a photostat, or a file with the wrong polarity.
//!
//! Ink covers less area than the paper around it. So in a window about as large as two lines of writing, the grey values have a
//! long tail towards the ink: the third central moment is negative around dark ink and positive around light ink. Its cube root is
//! in grey levels, so ink counts more than texture, which mostly has no tail anyway. Large dark areas (a table behind the page, the
//! border of a scanner, a printed bar) do not count: inside they have no contrast, and windows cross their edges at every position,
//! so that moments of both signs cancel.

use image::GrayImage;

use formread_raster::reduce;

/// Parameters of the test, in pixels of a picture reduced until its longer side is at most `longer_side_px`.
#[derive(Debug, Clone, Copy)]
struct PolarityParams {
    /// Longer side of the reduced picture, pixels. A higher value takes more time and is more sensitive to texture; with a much
    /// lower one strokes vanish.
    longer_side_px: u32,
    /// Side of a window, pixels: some 9 mm on a whole page. A higher value takes less of the edge of a page for ink; a lower
    /// one less of the inside of a broad stroke.
    window_px: u32,
    /// Least ratio of light ink to dark ink. A higher value leaves weak negatives as they are.
    light_over_dark: f64,
}

/// Chosen on real scans and photographs of forms (set not recorded): there light ink is under 0.2 of dark ink, on their negatives
/// over 5 times.
const PARAMS: PolarityParams = PolarityParams { longer_side_px: 1024, window_px: 32, light_over_dark: 1.25 };

/// Whether the ink on a page is lighter than the ground. A page without ink is not.
pub fn is_light_on_dark(pixels: &GrayImage) -> bool {
    let Moments { light, dark } = ink_moments(&reduce_to(pixels, PARAMS.longer_side_px), PARAMS.window_px);
    light > PARAMS.light_over_dark * dark
}

/// Sums over the windows of a page of the cube roots of their third central moments, grey levels: of the positive ones, and of the
/// absolute values of the negative ones.
#[derive(Debug, Clone, Copy)]
struct Moments {
    light: f64,
    dark: f64,
}

fn ink_moments(pixels: &GrayImage, window_px: u32) -> Moments {
    let (width, height) = pixels.dimensions();
    let [window_width, window_height] = [window_px.min(width), window_px.min(height)].map(|side| side as usize);
    let starts = |size: u32, window: usize| (0..=size as usize - window).step_by(window.div_ceil(2));
    let n = (window_width * window_height) as f64;
    let mut moments = Moments { light: 0.0, dark: 0.0 };
    let mut columns = vec![PowerSums::default(); width as usize];
    for y in starts(height, window_height) {
        // the windows of a row share the sums of each column
        columns.fill(PowerSums::default());
        let rows = pixels.as_raw().chunks_exact(width as usize).skip(y).take(window_height);
        rows.for_each(|row| columns.iter_mut().zip(row).for_each(|(sums, &value)| sums.add(value)));
        for x in starts(width, window_width) {
            let moment = third_central_moment(&columns[x..x + window_width], n).cbrt();
            if moment > 0.0 {
                moments.light += moment;
            } else {
                moments.dark -= moment;
            }
        }
    }
    moments
}

/// Sums of grey values, of their squares and of their cubes, over a column of a window. They fit for up to 259 pixels.
#[derive(Debug, Clone, Copy, Default)]
struct PowerSums {
    first: u32,
    second: u32,
    third: u32,
}

impl PowerSums {
    fn add(&mut self, value: u8) {
        let value = u32::from(value);
        self.first += value;
        self.second += value * value;
        self.third += value * value * value;
    }
}

/// The third central moment of the `n` values in `columns`.
fn third_central_moment(columns: &[PowerSums], n: f64) -> f64 {
    let mean = |power: fn(&PowerSums) -> u32| columns.iter().map(|sums| u64::from(power(sums))).sum::<u64>() as f64 / n;
    let [mean, square, cube] = [mean(|sums| sums.first), mean(|sums| sums.second), mean(|sums| sums.third)];
    cube - 3.0 * mean * square + 2.0 * mean * mean * mean
}

/// Reduces a picture by a whole factor until its longer side is at most `longer_side_px`.
fn reduce_to(pixels: &GrayImage, longer_side_px: u32) -> GrayImage {
    let (width, height) = pixels.dimensions();
    reduce(pixels, width.max(height).div_ceil(longer_side_px).min(width).min(height).max(1))
}

#[cfg(test)]
mod tests {
    use image::{Luma, imageops};
    use imageproc::drawing::{draw_filled_rect_mut, draw_line_segment_mut};
    use imageproc::rect::Rect;

    use super::*;

    const PAPER: u8 = 235;
    const INK: u8 = 30;

    fn fill(page: &mut GrayImage, [x, y]: [i32; 2], [width, height]: [u32; 2], grey: u8) {
        draw_filled_rect_mut(page, Rect::at(x, y).of_size(width, height), Luma([grey]));
    }

    /// Rows of strokes, `pen` pixels broad, in a part of the page.
    fn write(page: &mut GrayImage, [x0, y0]: [u32; 2], [width, height]: [u32; 2], pen: u32, ink: u8) {
        for (row, y) in (y0..y0 + height - 10 * pen).step_by(16 * pen as usize).enumerate() {
            for x in (x0..x0 + width - 8 * pen).step_by(9 * pen as usize + row % 5) {
                for offset in 0..pen {
                    let (left, top) = ((x + offset) as f32, y as f32);
                    let lean = 5.0 * pen as f32;
                    draw_line_segment_mut(page, (left, top), (left + lean, top + 10.0 * pen as f32), Luma([ink]));
                    draw_line_segment_mut(page, (left + lean, top + offset as f32), (left, top + lean), Luma([ink]));
                }
            }
        }
    }

    fn page() -> GrayImage {
        let mut page = GrayImage::from_pixel(850, 1100, Luma([PAPER]));
        write(&mut page, [80, 100], [690, 700], 3, INK);
        page
    }

    #[track_caller]
    fn assert_dark_on_light(mut page: GrayImage, what: &str) {
        assert!(!is_light_on_dark(&page), "{what}");
        imageops::invert(&mut page);
        assert!(is_light_on_dark(&page), "{what}, inverted");
    }

    #[test]
    fn page_of_every_kind_is_light_on_dark_only_inverted() {
        assert_dark_on_light(page(), "a page");

        let mut bars = page();
        for y in [50, 400, 820, 900] {
            fill(&mut bars, [40, y], [770, 60], 0);
        }
        fill(&mut bars, [60, 970], [350, 120], 0);
        write(&mut bars, [80, 975], [300, 100], 3, PAPER);
        assert_dark_on_light(bars, "black bars, white writing in one");

        let mut border = GrayImage::from_pixel(1100, 1300, Luma([5]));
        imageops::replace(&mut border, &page(), 140, 90);
        assert_dark_on_light(border, "a scanner's dark border");

        let mut table = GrayImage::from_fn(1600, 1600, |x, y| Luma([60 + ((x / 7 + y / 90) % 5) as u8 * 6]));
        imageops::replace(&mut table, &page(), 300, 200);
        assert_dark_on_light(table, "a dark table, more of it than of the page");

        let mut faint = GrayImage::from_pixel(850, 1100, Luma([200]));
        write(&mut faint, [80, 100], [500, 60], 2, 150);
        assert_dark_on_light(faint, "a few faint words");

        let mut shaded = page();
        for (x, y, value) in shaded.enumerate_pixels_mut() {
            value[0] = (u32::from(value[0]) * (1100 - y / 2 - x / 4) / 1100) as u8;
        }
        assert_dark_on_light(shaded, "uneven light");

        let mut strip = GrayImage::from_pixel(100, 40, Luma([PAPER]));
        write(&mut strip, [6, 8], [92, 31], 2, INK);
        assert_dark_on_light(strip, "a strip");

        let mut thumb = GrayImage::from_pixel(28, 28, Luma([PAPER]));
        write(&mut thumb, [8, 6], [17, 21], 2, INK);
        assert_dark_on_light(thumb, "a digit");
    }

    #[test]
    fn page_without_ink_is_not_light_on_dark() {
        for size in [[1, 1], [1, 500], [3_000, 2], [400, 300]] {
            for grey in [0, 128, 255] {
                let page = GrayImage::from_pixel(size[0], size[1], Luma([grey]));
                assert!(!is_light_on_dark(&page), "{size:?} of {grey}");
            }
        }
    }
}
