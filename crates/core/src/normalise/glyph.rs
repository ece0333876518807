//! Ink of any size -> 28 x 28, the way MNIST was made.
//!
//! LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of the
//! IEEE 86(11), 1998, section III.A: a digit keeps its aspect, is scaled to fit 20 x 20 with anti-aliasing, and is
//! moved by whole pixels until its centre of mass is at the centre of 28 x 28. MNIST was cut from bilevel scans. Our scans
//! are grey and may show pencil, so the contrast is stretched to that of bilevel ink.
//!
//! The constants of the format are here; the sidecar of the weights repeats the sizes, and other weights are refused.
//! What was chosen by measurement is in `params`.

use image::GrayImage;

use super::params::PARAMS;

/// Side of a normalised glyph, pixels.
pub const GLYPH_SIDE: usize = 28;

/// Longer side of the ink in a normalised glyph, pixels (LeCun et al., 1998).
pub const INK_SIDE: usize = 20;

/// A normalised digit: [28, 28] f32 row-major, paper 0 .. ink 1.
pub type Glyph = Box<[f32; GLYPH_SIDE * GLYPH_SIDE]>;

/// Where the centre of mass is put, pixels from the glyph's edge: the middle of pixel 14, counted from 0. In all of MNIST's
/// test set it is between 14.0 and 15.0, which is what "the centre of 28 x 28" means there.
pub const MASS_CENTRE: f64 = 14.5;

/// Scales `ink` ([H, W] u8, 0 paper .. 255 ink) to a [`Glyph`]. `None` where there is no ink.
pub fn normalise(ink: &GrayImage) -> Option<Glyph> {
    let full = full_ink(ink)?;
    let (width, height) = (ink.width() as usize, ink.height() as usize);
    let stretched: Vec<f32> = ink
        .as_raw()
        .iter()
        .map(|&v| f32::from(v) / full)
        .map(|v| if v < PARAMS.min_ink { 0.0 } else { v.min(1.0) })
        .collect();

    let frame = InkBox::of(&stretched, width, height)?;
    let scale = INK_SIDE as f64 / frame.width.max(frame.height) as f64;
    let across = Resampling::new(frame.left, frame.width, width, scale);
    let down = Resampling::new(frame.top, frame.height, height, scale);
    let mut small = resample(&stretched, width, &across, &down);
    strengthen(&mut small);
    Some(centre(&small, across.len(), down.len()))
}

/// The grey value that counts as full ink; `None` where there is none.
fn full_ink(ink: &GrayImage) -> Option<f32> {
    let mut counts = [0usize; 256];
    for &v in ink.as_raw() {
        counts[usize::from(v)] += 1;
    }
    let darkest = (1..256).rev().find(|&v| counts[v] > 0)?;
    let faintest = darkest.div_ceil(2);
    let total: usize = counts[faintest..=darkest].iter().sum();
    let rank = (total as f64 * PARAMS.full_ink_quantile) as usize;
    let mut seen = 0;
    let full = (faintest..=darkest).find(|&v| {
        seen += counts[v];
        seen > rank
    });
    Some(full.unwrap_or(darkest) as f32)
}

/// Bounding box of the ink, pixels.
struct InkBox {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl InkBox {
    fn of(ink: &[f32], width: usize, height: usize) -> Option<Self> {
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        for y in 0..height {
            for x in 0..width {
                if ink[y * width + x] >= PARAMS.min_box_ink {
                    (left, right) = (left.min(x), right.max(x));
                    (top, bottom) = (top.min(y), bottom.max(y));
                }
            }
        }
        (left != usize::MAX).then(|| Self { left, top, width: right - left + 1, height: bottom - top + 1 })
    }
}

/// For each target pixel of one axis, the source pixels under it and their weights, which sum to 1.
///
/// When reducing, that is the average over the target pixel's area; when enlarging, the average over the area of one source
/// pixel, which is linear interpolation.
struct Resampling(Vec<Vec<(usize, f32)>>);

impl Resampling {
    /// For `extent` source pixels from `start` on, of `available` pixels, at `scale` target pixels for each source pixel.
    fn new(start: usize, extent: usize, available: usize, scale: f64) -> Self {
        let scaled = extent as f64 * scale;
        // 19.9999999 is 20
        let n_target = ((scaled - 1e-6).ceil() as usize).clamp(1, INK_SIDE);
        let margin = (n_target as f64 - scaled) / 2.0;
        let half_window = 0.5 * (1.0 / scale).max(1.0);
        let weights = |target: usize| {
            let middle = start as f64 + (target as f64 + 0.5 - margin) / scale;
            let (from, to) = (middle - half_window, middle + half_window);
            let first = from.floor().max(0.0) as usize;
            let last = (to.ceil().max(0.0) as usize).min(available);
            (first..last)
                .map(|source| {
                    let overlap = to.min(source as f64 + 1.0) - from.max(source as f64);
                    (source, (overlap.max(0.0) / (to - from)) as f32)
                })
                .collect()
        };
        Self((0..n_target).map(weights).collect())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// [H, W] -> [down.len(), across.len()], one axis after the other.
fn resample(pixels: &[f32], width: usize, across: &Resampling, down: &Resampling) -> Vec<f32> {
    let height = pixels.len() / width;
    let mut narrow = vec![0.0; height * across.len()];
    for (source_row, target_row) in pixels.chunks_exact(width).zip(narrow.chunks_exact_mut(across.len())) {
        for (target, weights) in target_row.iter_mut().zip(&across.0) {
            *target = weights.iter().map(|&(x, weight)| source_row[x] * weight).sum();
        }
    }
    let mut small = vec![0.0; down.len() * across.len()];
    for (target_row, weights) in small.chunks_exact_mut(across.len()).zip(&down.0) {
        for &(y, weight) in weights {
            let source_row = &narrow[y * across.len()..(y + 1) * across.len()];
            for (target, value) in target_row.iter_mut().zip(source_row) {
                *target += value * weight;
            }
        }
    }
    small
}

/// Raises the darkest pixels to 1.
fn strengthen(pixels: &mut [f32]) {
    let mut darkest = pixels.to_vec();
    darkest.sort_unstable_by(|a, b| b.total_cmp(a));
    let peak = darkest[(PARAMS.n_peak_pixels - 1).min(darkest.len() / 4)];
    let gain = if peak > 0.0 { (1.0 / peak).clamp(1.0, PARAMS.max_peak_gain) } else { 1.0 };
    for v in pixels {
        *v = (*v * gain).min(1.0);
    }
}

/// [height, width] with both at most 20 -> [28, 28], moved by whole pixels so that the centre of mass is nearest to the
/// centre. A lopsided shape that would leave the glyph is moved as far as there is room.
fn centre(pixels: &[f32], width: usize, height: usize) -> Glyph {
    let (mut mass, mut moment_x, mut moment_y) = (0.0f64, 0.0, 0.0);
    for (i, &v) in pixels.iter().enumerate() {
        mass += f64::from(v);
        moment_x += f64::from(v) * ((i % width) as f64 + 0.5);
        moment_y += f64::from(v) * ((i / width) as f64 + 0.5);
    }
    let offset = |moment: f64, extent: usize| {
        let wanted = if mass > 0.0 { MASS_CENTRE - moment / mass } else { MASS_CENTRE - extent as f64 / 2.0 };
        wanted.round().clamp(0.0, (GLYPH_SIDE - extent) as f64) as usize
    };
    let (left, top) = (offset(moment_x, width), offset(moment_y, height));
    let mut glyph: Glyph = Box::new([0.0; GLYPH_SIDE * GLYPH_SIDE]);
    for (y, row) in pixels.chunks_exact(width).enumerate() {
        let start = (top + y) * GLYPH_SIDE + left;
        glyph[start..start + width].copy_from_slice(row);
    }
    glyph
}

#[cfg(test)]
mod tests {
    use image::Luma;
    use image::imageops::{FilterType, resize};

    use super::*;

    fn rectangle(width: u32, height: u32, ink: u8) -> GrayImage {
        GrayImage::from_fn(width + 10, height + 14, |x, y| {
            let inside = (4..4 + width).contains(&x) && (9..9 + height).contains(&y);
            Luma([if inside { ink } else { 0 }])
        })
    }

    /// Left, top, right and bottom of everything above 0.1, inclusive; and the centre of mass.
    fn extent(glyph: &Glyph) -> ([usize; 4], [f64; 2]) {
        let mut bounds = [usize::MAX, usize::MAX, 0, 0];
        let (mut mass, mut x_moment, mut y_moment) = (0.0, 0.0, 0.0);
        for (i, &v) in glyph.iter().enumerate() {
            let (x, y) = (i % GLYPH_SIDE, i / GLYPH_SIDE);
            if v > 0.1 {
                bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
            }
            mass += f64::from(v);
            x_moment += f64::from(v) * (x as f64 + 0.5);
            y_moment += f64::from(v) * (y as f64 + 0.5);
        }
        (bounds, [x_moment / mass, y_moment / mass])
    }

    #[test]
    fn ink_of_any_size_fits_twenty_and_is_centred() {
        struct Case {
            size: (u32, u32),
            expect: (usize, usize),
        }
        let cases = [
            Case { size: (30, 60), expect: (10, 20) },
            Case { size: (60, 30), expect: (20, 10) },
            Case { size: (200, 200), expect: (20, 20) },
            Case { size: (10, 10), expect: (20, 20) },
            Case { size: (1, 1), expect: (20, 20) },
            Case { size: (2, 80), expect: (1, 20) },
            Case { size: (90, 3), expect: (20, 1) },
            Case { size: (21, 20), expect: (20, 20) },
        ];
        for Case { size, expect } in cases {
            for ink in [255, 90] {
                let glyph = normalise(&rectangle(size.0, size.1, ink)).expect("there is ink");
                let ([left, top, right, bottom], centre) = extent(&glyph);
                assert_eq!((right - left + 1, bottom - top + 1), expect, "{size:?}");
                assert!(centre.iter().all(|c| (c - MASS_CENTRE).abs() <= 0.5 + 1e-6), "{size:?}: {centre:?}");
                let peak = glyph.iter().copied().fold(0.0, f32::max);
                assert!(peak > 0.99, "{size:?} of ink {ink}: {peak}");
            }
        }
    }

    #[test]
    fn paper_without_ink_has_no_glyph() {
        assert_eq!(normalise(&GrayImage::new(40, 50)), None);
        assert_eq!(normalise(&GrayImage::new(0, 0)), None);
    }

    #[test]
    fn lopsided_shape_stays_whole() {
        // a heavy ball with a long tail
        let shape = GrayImage::from_fn(80, 20, |x, y| Luma([if x < 12 || y == 10 { 255 } else { 0 }]));
        let glyph = normalise(&shape).expect("there is ink");
        let ([left, _, right, _], _) = extent(&glyph);
        assert_eq!(right - left + 1, 20);
    }

    #[test]
    fn normalised_glyph_is_stable_when_enlarged_and_normalised_again() {
        // a ring with a tail, anti-aliased
        let drawn = GrayImage::from_fn(100, 150, |x, y| {
            let (dx, dy) = (f64::from(x) - 50.0, f64::from(y) - 45.0);
            let ring = (dx.hypot(dy) - 35.0).abs() < 7.0;
            let tail = (f64::from(x) - 80.0).abs() < 7.0 && (40..145).contains(&y);
            Luma([if ring || tail { 255 } else { 0 }])
        });
        let once = normalise(&drawn).expect("there is ink");
        let as_image = GrayImage::from_fn(28, 28, |x, y| Luma([(once[(y * 28 + x) as usize] * 255.0) as u8]));
        let again = normalise(&resize(&as_image, 112, 112, FilterType::Nearest)).expect("there is ink");
        let difference = once.iter().zip(again.iter()).map(|(a, b)| (a - b).abs()).sum::<f32>() / 784.0;
        assert!(difference < 0.01, "{difference}");
    }
}
