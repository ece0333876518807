//! Grey at any point of a picture: interpolated between pixels, or averaged over several.

use image::GrayImage;

use crate::geometry::{Point, Rect};

/// Grey outside of the picture: paper.
const BEYOND: f64 = 255.0;

/// Bilinear grey at `p`, 0 to 255, pixel i covering i to i + 1; white outside of the picture, and where `p` is not finite.
#[inline]
pub fn bilinear(picture: &GrayImage, p: Point) -> f64 {
    let (x, y) = (p.x - 0.5, p.y - 0.5);
    let (width, height) = picture.dimensions();
    // most points lie inside, where no pixel has to be checked
    if x >= 0.0 && y >= 0.0 && x < f64::from(width) - 1.0 && y < f64::from(height) - 1.0 {
        // a cast is the fastest floor: both are at least 0 and less than a side
        let (left, top) = (x as i32, y as i32);
        let start = top as usize * width as usize + left as usize;
        let upper = &picture.as_raw()[start..start + 2];
        let lower = &picture.as_raw()[start + width as usize..][..2];
        let grey = [upper[0], upper[1], lower[0], lower[1]].map(f64::from);
        return between(grey, x - f64::from(left), y - f64::from(top));
    }
    let Some((left, top, fx, fy)) = corner(p) else { return BEYOND };
    let at = |dx: i32, dy: i32| grey(picture, left + dx, top + dy);
    between([at(0, 0), at(1, 0), at(0, 1), at(1, 1)], fx, fy)
}

/// Points of a profile that are one grey together where all pixels around them are white.
const PROFILE_PIECE: usize = 12;

/// Most pixels that are searched for ink before a piece of a profile is taken.
const MAX_PAPER_PX: usize = 192;

/// Whether all pixels around the points of `bounds` lie in the picture and are white.
fn sees_only_paper(picture: &GrayImage, bounds: Rect) -> bool {
    let (x0, y0, x1, y1) = (bounds.x0 - 0.5, bounds.y0 - 0.5, bounds.x1 - 0.5, bounds.y1 - 0.5);
    let (width, height) = picture.dimensions();
    if !(x0 >= 0.0 && y0 >= 0.0 && x1 < f64::from(width) - 1.0 && y1 < f64::from(height) - 1.0) {
        return false;
    }
    let (columns, rows) = (x0 as usize..x1 as usize + 2, y0 as usize..y1 as usize + 2);
    columns.len() * rows.len() <= MAX_PAPER_PX
        && rows.into_iter().all(|y| is_white(&picture.as_raw()[y * width as usize..][columns.clone()]))
}

/// Adds the [`bilinear`] grey along straight lines that run side by side to `sums`: the first at the start of each, the last at its
/// end, the others evenly between.
pub fn add_profiles<const N: usize>(picture: &GrayImage, lines: [[Point; 2]; N], sums: &mut [f64]) {
    let steps = lines.map(|[from, to]| (to - from) * (1.0 / (sums.len().max(2) - 1) as f64));
    let at = |line: usize, i: usize| lines[line][0] + steps[line] * i as f64;
    for (piece, sums) in sums.chunks_mut(PROFILE_PIECE).enumerate() {
        let (first, last) = (piece * PROFILE_PIECE, piece * PROFILE_PIECE + sums.len() - 1);
        // most of a page is paper, and in black and white it is all white
        let ends = (0..N).flat_map(|line| [at(line, first), at(line, last)]);
        if Rect::around(ends).is_some_and(|bounds| sees_only_paper(picture, bounds)) {
            sums.iter_mut().for_each(|sum| *sum += N as f64 * f64::from(u8::MAX));
            continue;
        }
        for line in 0..N {
            for (i, sum) in (first..).zip(&mut *sums) {
                *sum += bilinear(picture, at(line, i));
            }
        }
    }
}

/// Takes samples of a picture at a given spacing: each is the sum of the pixels around its point, weighted by a separable kernel.
///
/// Where samples are closer than pixels, the kernel is the Catmull-Rom cubic (Keys, "Cubic convolution interpolation for digital image
/// processing", 1981); where they are farther apart, it is the mean of several bilinear values spread evenly over the spacing.
pub struct Sampler {
    across: Kernel,
    down: Kernel,
}

impl Sampler {
    /// For samples `spacing` pixels apart, across the picture and down.
    pub fn new(spacing: [f64; 2]) -> Self {
        let [across, down] = spacing.map(Kernel::for_spacing);
        Self { across, down }
    }

    /// Grey along a straight line, 0 to 255, into `row`: the first at `from`, the next `step` further, and so on. Pixel i covers i
    /// to i + 1; it is white outside of the picture, and where a point is not finite.
    pub fn row(&self, picture: &GrayImage, from: Point, step: Point, row: &mut [u8]) {
        let point = |i: usize| from + step * i as f64;
        if row.is_empty() {
            return;
        }
        // most rows lie inside, where no pixel has to be checked
        if !(self.is_inside(picture, from) && self.is_inside(picture, point(row.len() - 1))) {
            row.iter_mut().enumerate().for_each(|(i, grey)| *grey = self.grey(picture, point(i)));
            return;
        }
        let (mut x, mut y) = (to_fixed(from.x - 0.5), to_fixed(from.y - 0.5));
        let (dx, dy) = (to_fixed(step.x), to_fixed(step.y));
        let n_steps = row.len() as i64 - 1;
        if self.sees_only_paper(picture, [x, x + n_steps * dx], [y, y + n_steps * dy]) {
            row.fill(u8::MAX);
            return;
        }
        let width = picture.width() as usize;
        let pixels = picture.as_raw();
        for grey in row {
            let (wx, wy) = (self.across.weights_at(x), self.down.weights_at(y));
            let left = (x >> FIXED_BITS) as i32 + self.across.first;
            let top = (y >> FIXED_BITS) as i32 + self.down.first;
            let start = top as usize * width + left as usize;
            *grey = match (wx, wy) {
                ([wx], [wy]) => weighted_square(&pixels[start..], width, wx, wy),
                _ => (weighted_sum(&pixels[start..], width, wx, wy) + 0.5) as u8,
            };
            (x, y) = (x + dx, y + dy);
        }
    }

    /// Whether all pixels with a weight for samples within `bounds` (pixels of the picture) are white, or lie outside of it.
    pub fn is_paper(&self, picture: &GrayImage, bounds: Rect) -> bool {
        let size = [picture.width(), picture.height()].map(f64::from);
        // with a pixel more on each side, for the rounding of coordinates
        let span = |[from, to]: [f64; 2], kernel: &Kernel, size: f64| {
            let reach = f64::from(kernel.first - 2);
            let end = f64::from(kernel.first + 4 * kernel.n_fours as i32 + 2);
            (from + reach).clamp(0.0, size) as usize..(to + end).clamp(0.0, size) as usize
        };
        let columns = span([bounds.x0, bounds.x1], &self.across, size[0]);
        let rows = span([bounds.y0, bounds.y1], &self.down, size[1]);
        let width = picture.width() as usize;
        let is_finite = [bounds.x0, bounds.y0, bounds.x1, bounds.y1].iter().all(|at| at.is_finite());
        is_finite && rows.into_iter().all(|y| is_white(&picture.as_raw()[y * width..][..width][columns.clone()]))
    }

    /// Whether all pixels around these ends of a row are white: most of a page is paper, and in black and white it is all white.
    fn sees_only_paper(&self, picture: &GrayImage, x: [i64; 2], y: [i64; 2]) -> bool {
        let span = |[a, b]: [i64; 2], kernel: &Kernel| {
            let first = (a.min(b) >> FIXED_BITS) as i32 + kernel.first;
            let end = (a.max(b) >> FIXED_BITS) as i32 + kernel.first + 4 * kernel.n_fours as i32;
            first as usize..end as usize
        };
        let (columns, rows) = (span(x, &self.across), span(y, &self.down));
        if rows.len() > MAX_PAPER_ROWS {
            return false;
        }
        let width = picture.width() as usize;
        rows.into_iter().all(|y| is_white(&picture.as_raw()[y * width..][columns.clone()]))
    }

    /// Whether all pixels with a weight for a sample at `p` lie in the picture, and one more on each side.
    fn is_inside(&self, picture: &GrayImage, p: Point) -> bool {
        let Some((left, top, ..)) = corner(p) else { return false };
        let within = |at: i32, kernel: &Kernel, size: u32| {
            at + kernel.first >= 1 && (at + kernel.first) as usize + 4 * kernel.n_fours < size as usize
        };
        within(left, &self.across, picture.width()) && within(top, &self.down, picture.height())
    }

    /// Grey at `p`, 0 to 255, pixel i covering i to i + 1; white outside of the picture, and where `p` is not finite.
    #[inline]
    pub fn grey(&self, picture: &GrayImage, p: Point) -> u8 {
        let Some((left, top, fx, fy)) = corner(p) else { return BEYOND as u8 };
        let (wx, wy) = (self.across.weights(fx), self.down.weights(fy));
        let (left, top) = (left + self.across.first, top + self.down.first);
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        // most points lie inside, where no pixel has to be checked
        let is_inside =
            left >= 0 && top >= 0 && left as usize + 4 * wx.len() <= width && top as usize + 4 * wy.len() <= height;
        let sum = if is_inside {
            weighted_sum(&picture.as_raw()[top as usize * width + left as usize..], width, wx, wy)
        } else {
            let at_row = |(j, wy): (i32, &f32)| {
                let at = |(i, wx): (i32, &f32)| wx * grey(picture, left + i, top + j) as f32;
                wy * (0..).zip(wx.as_flattened()).map(at).sum::<f32>()
            };
            (0..).zip(wy.as_flattened()).map(at_row).sum()
        };
        (sum + 0.5) as u8
    }
}

/// Whether all pixels are white.
#[inline]
pub(crate) fn is_white(pixels: &[u8]) -> bool {
    pixels.iter().fold(u8::MAX, |all, &pixel| all & pixel) == u8::MAX
}

/// Grey of a square of four by four `pixels`, in rows of `width`. Near most strokes of a page in black and white it is all white or
/// all black.
#[inline]
fn weighted_square(pixels: &[u8], width: usize, wx: &[f32; 4], wy: &[f32; 4]) -> u8 {
    let mut square = [[0u8; 4]; 4];
    for (y, row) in square.iter_mut().enumerate() {
        row.copy_from_slice(&pixels[y * width..][..4]);
    }
    let [a, b, c, d] = square.map(u32::from_ne_bytes);
    if a & b & c & d == u32::MAX {
        return u8::MAX;
    }
    if a | b | c | d == 0 {
        return 0;
    }
    let mut columns = [0.0f32; 4];
    for (row, wy) in square.iter().zip(wy) {
        columns = std::array::from_fn(|x| columns[x] + wy * f32::from(row[x]));
    }
    let sum = columns.iter().zip(wx).map(|(column, wx)| column * wx).sum::<f32>();
    (sum + 0.5) as u8
}

/// Weighted sum of a block of `pixels`, in rows of `width`: the weight of a pixel is that of its column times that of its row.
#[inline]
fn weighted_sum(pixels: &[u8], width: usize, wx: &[[f32; 4]], wy: &[[f32; 4]]) -> f32 {
    let mut sum = 0.0;
    for (i, wx) in wx.iter().enumerate() {
        // four columns at a time, so that the compiler computes them together
        let mut columns = [0.0f32; 4];
        for (j, wy) in wy.iter().enumerate() {
            for (k, wy) in wy.iter().enumerate() {
                let start = (4 * j + k) * width + 4 * i;
                let row = &pixels[start..start + 4];
                columns = std::array::from_fn(|l| columns[l] + wy * f32::from(row[l]));
            }
        }
        sum += columns.iter().zip(wx).map(|(column, wx)| column * wx).sum::<f32>();
    }
    sum
}

/// Weights of pixels along one axis, tabulated by the place of the point between two pixel centres.
struct Kernel {
    /// The first pixel with a weight, relative to the pixel left of the point.
    first: i32,
    /// Groups of four pixels with a weight.
    n_fours: usize,
    /// [`N_PHASES`, `n_fours`, 4]
    weights: Vec<[f32; 4]>,
}

/// Places between two pixel centres that are tabulated: no point moves by more than 1/512 of a pixel.
const N_PHASES: usize = 256;

/// Bits behind the point of a coordinate in fixed point: over the longest row, rounding moves no point by a place.
const FIXED_BITS: u32 = 32;
const FIXED_ONE: f64 = (1u64 << FIXED_BITS) as f64;

/// Most rows of pixels that are searched for ink before a row of samples is taken: more take as long as the samples.
const MAX_PAPER_ROWS: usize = 8;

/// A coordinate in fixed point, rounded to the nearest.
fn to_fixed(x: f64) -> i64 {
    (x * FIXED_ONE + 0.5f64.copysign(x)) as i64
}

/// Largest spacing of the kernel, pixels: enough for crops of 254 dpi from scans of 1,200 dpi. A higher value takes more time.
const MAX_SPACING: f64 = 6.0;

impl Kernel {
    fn for_spacing(spacing: f64) -> Self {
        if spacing > 1.0 { Self::mean(spacing.min(MAX_SPACING)) } else { Self::tabulated(2.0, catmull_rom) }
    }

    /// The mean of bilinear values at most a pixel apart, spread evenly over `spacing` pixels.
    fn mean(spacing: f64) -> Self {
        let n = spacing.ceil();
        let tent = |x: f64| (1.0 - x.abs()).max(0.0);
        let offsets: Vec<f64> = (0..n as usize).map(|i| ((i as f64 + 0.5) / n - 0.5) * spacing).collect();
        let reach = 1.0 + offsets.last().copied().unwrap_or(0.0);
        Self::tabulated(reach, |x| offsets.iter().map(|offset| tent(x - offset)).sum::<f64>() / n)
    }

    /// Tabulates `value`, the weight of a pixel by its distance from the point; it is 0 beyond `reach`.
    fn tabulated(reach: f64, value: impl Fn(f64) -> f64) -> Self {
        let reach = reach.ceil() as i32;
        let (first, n_fours) = (1 - reach, (2 * reach as usize).div_ceil(4));
        let mut values = vec![0.0; 4 * n_fours];
        let mut weights = Vec::with_capacity(N_PHASES * n_fours);
        for phase in 0..N_PHASES {
            let at = (phase as f64 + 0.5) / N_PHASES as f64;
            values.iter_mut().zip(first..).for_each(|(weight, tap)| *weight = value(f64::from(tap) - at));
            let sum: f64 = values.iter().sum();
            weights.extend(values.as_chunks().0.iter().map(|four: &[f64; 4]| four.map(|weight| (weight / sum) as f32)));
        }
        Self { first, n_fours, weights }
    }

    /// The weights for a point at `x`, in fixed point: of its fraction, the bits that tell the places apart.
    #[inline]
    fn weights_at(&self, x: i64) -> &[[f32; 4]] {
        let phase = (x >> (FIXED_BITS - N_PHASES.ilog2())) as usize % N_PHASES;
        &self.weights[phase * self.n_fours..][..self.n_fours]
    }

    /// The weights for a point that lies `fraction` (0 to 1) to the right of a pixel centre.
    #[inline]
    fn weights(&self, fraction: f64) -> &[[f32; 4]] {
        let phase = usize::from((fraction * N_PHASES as f64) as u8);
        &self.weights[phase * self.n_fours..][..self.n_fours]
    }
}

/// The weight of a pixel at distance `x`, pixels.
fn catmull_rom(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

/// Interpolates between four pixels: left above, right above, left below, right below.
#[inline]
fn between(grey: [f64; 4], fx: f64, fy: f64) -> f64 {
    let upper = grey[0] * (1.0 - fx) + grey[1] * fx;
    let lower = grey[2] * (1.0 - fx) + grey[3] * fx;
    upper * (1.0 - fy) + lower * fy
}

/// Grey of pixel `(x, y)`, white outside of the picture.
#[inline]
fn grey(picture: &GrayImage, x: i32, y: i32) -> f64 {
    match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) => picture.get_pixel_checked(x, y).map_or(BEYOND, |p| f64::from(p[0])),
        _ => BEYOND,
    }
}

/// The pixel whose centre is left above `p`, and the distance of `p` from it. `None` where `p` is not finite.
#[inline]
fn corner(p: Point) -> Option<(i32, i32, f64, f64)> {
    let (x, y) = (p.x - 0.5, p.y - 0.5);
    if !(x.abs() < 1e9 && y.abs() < 1e9) {
        return None;
    }
    let (left, top) = (floor(x), floor(y));
    Some((left, top, x - f64::from(left), y - f64::from(top)))
}

/// `f64::floor` without the function call that it is on processors without SSE4.1.
#[inline]
fn floor(x: f64) -> i32 {
    let towards_zero = x as i32;
    towards_zero - i32::from(f64::from(towards_zero) > x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bilinear_between_pixels_is_linear_and_outside_white() {
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
    }

    #[test]
    fn profiles_over_paper_and_ink_are_sums_of_bilinear_grey() {
        let picture =
            GrayImage::from_fn(300, 200, |x, y| image::Luma([if (90..94).contains(&y) && x > 140 { 0 } else { 255 }]));
        let lines = [-4.7, 0.0, 4.7].map(|x| [Point::new(150.0 + x, 20.3), Point::new(151.0 + x, 190.0)]);
        let mut sums = vec![0.0; 341];
        add_profiles(&picture, lines, &mut sums);
        for (i, sum) in sums.iter().enumerate() {
            let at = |[from, to]: [Point; 2]| from + (to - from) * (1.0 / 340.0) * i as f64;
            let expected: f64 = lines.iter().map(|line| bilinear(&picture, at(*line))).sum();
            assert!((sum - expected).abs() < 1e-9, "{i}: {sum} is not {expected}");
        }
        assert!(sums.contains(&765.0) && sums.contains(&0.0));
    }

    #[test]
    fn samples_of_a_plane_at_every_spacing_lie_on_it() {
        let picture = GrayImage::from_fn(40, 40, |x, y| image::Luma([(3 * x + 2 * y) as u8]));
        for spacing in [0.5, 1.0, 1.2, 2.5, 4.7, 9.0] {
            let sampler = Sampler::new([spacing, 0.8 * spacing]);
            for (x, y) in [(20.5, 20.5), (19.9, 18.0), (22.25, 17.75)] {
                let expected = 3.0 * (x - 0.5) + 2.0 * (y - 0.5);
                let grey = f64::from(sampler.grey(&picture, Point::new(x, y)));
                assert!((grey - expected).abs() <= 0.51, "{grey} at ({x}, {y}), {spacing} apart");
            }
            assert_eq!(sampler.grey(&picture, Point::new(f64::NAN, 1.5)), 255);
            assert_eq!(sampler.grey(&picture, Point::new(-20.0, 1.5)), 255);
        }
    }

    #[test]
    fn row_of_white_paper_is_white_and_one_with_ink_is_sampled() {
        for spacing in [0.5, 1.2, 2.5] {
            let sampler = Sampler::new([spacing; 2]);
            let (from, step) = (Point::new(20.3, 30.4), Point::new(spacing, 0.1));
            let row_of = |picture: &GrayImage| -> [u8; 8] {
                let mut row = [0; 8];
                sampler.row(picture, from, step, &mut row);
                row
            };
            let paper = GrayImage::from_pixel(64, 64, image::Luma([255]));
            assert_eq!(row_of(&paper), [255; 8], "{spacing}");
            for (x, y) in (15..45).flat_map(|x| (25..36).map(move |y| (x, y))) {
                let mut speck = paper.clone();
                speck.put_pixel(x, y, image::Luma([0]));
                let expected: [u8; 8] = std::array::from_fn(|i| sampler.grey(&speck, from + step * i as f64));
                let off = row_of(&speck).iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
                assert!(off <= Some(2), "a speck at ({x}, {y}), {spacing}: off by {off:?}");
            }
        }
    }

    #[test]
    fn sample_at_wide_spacing_is_the_mean_of_its_pixels() {
        // every fourth column is black
        let picture = GrayImage::from_fn(64, 64, |x, _| image::Luma([if x % 4 == 0 { 0 } else { 240 }]));
        let grey = |spacing: f64, x: f64| Sampler::new([spacing; 2]).grey(&picture, Point::new(x, 32.0));
        for x in [30.0, 31.3, 32.5, 33.7] {
            assert_eq!(grey(4.0, x), 180, "{x}");
        }
        assert_eq!((grey(0.5, 32.5), grey(0.5, 34.5)), (0, 240));
    }
}
