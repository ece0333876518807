//! Grey crop -> ink. Shading, paper and watermarks are removed, faint strokes stay.

use image::{GrayImage, Luma};

use super::{
    params::{InkParams, PARAMS},
    strip,
};
use formread_raster::geometry::Rect;
use formread_raster::{Components, Run, find_components, transpose};

/// Side of the blocks in which the ground is measured, pixels. Fixed by design.
const BLOCK_PX: u32 = 4;

/// Pixels of a row that are passed over together where nothing is in them.
const LIT_PX: usize = 32;

/// Whether all pixels have one value.
#[inline]
fn is_all(pixels: &[u8], value: u8) -> bool {
    pixels.iter().fold(0, |off, &pixel| off | (pixel ^ value)) == 0
}

/// Darkness of each pixel against the ground around it: [H, W] u8, 0 as light as the ground or lighter, 255 black.
///
/// The ground is the grey closing of the crop (Serra, 1982) by a square wider than any stroke.
pub(super) fn darkness(grey: &GrayImage) -> GrayImage {
    let (w, h) = grey.dimensions();
    let bw = w.div_ceil(BLOCK_PX);
    let mut blocks = block_lights(grey);
    for grow in [true, false] {
        blocks = extreme(&blocks, PARAMS.ground.closing_blocks, grow);
    }
    let mut lights = [0; 256];
    count(&blocks, &mut lights);
    let light = rank(&lights, blocks.len() * 9 / 10);
    let floor = (light as f32 * PARAMS.ground.min_ground_share).max(1.0);
    let (columns, rows) = (between_centres(w, blocks.width()), between_centres(h, blocks.height()));
    // each row of blocks as wide as the crop
    let row_of_blocks = |blocks: &[u8]| -> Vec<f32> {
        let at = |Between { blocks: pair, share }: &Between| {
            let [left, right] = pair.map(|x| f32::from(blocks[x as usize]));
            left * (1.0 - share) + right * share
        };
        columns.iter().map(at).collect()
    };
    let wide: Vec<Vec<f32>> = blocks.chunks_exact(bw.max(1) as usize).map(row_of_blocks).collect();
    let mut dark = GrayImage::new(w, h);
    let pixels = dark.chunks_exact_mut(w.max(1) as usize).zip(grey.chunks_exact(w.max(1) as usize));
    for ((dark, grey), Between { blocks: pair, share }) in pixels.zip(rows) {
        let [upper, lower] = pair.map(|y| wide[y as usize].chunks(LIT_PX));
        let blocks = dark.chunks_mut(LIT_PX).zip(grey.chunks(LIT_PX)).zip(upper.zip(lower));
        // no ground is lighter than white
        for ((dark, grey), (upper, lower)) in blocks.filter(|((_, grey), _)| !is_all(grey, u8::MAX)) {
            for (((dark, &grey), upper), lower) in dark.iter_mut().zip(grey).zip(upper).zip(lower) {
                let ground = (upper * (1.0 - share) + lower * share).max(floor);
                *dark = ((1.0 - f32::from(grey) / ground) * 255.0).clamp(0.0, 255.0) as u8;
            }
        }
    }
    dark
}

/// The light of each block: the mean of the lighter half of its pixels.
fn block_lights(grey: &GrayImage) -> GrayImage {
    const SIDE: usize = BLOCK_PX as usize;
    let (w, h) = grey.dimensions();
    let mut lights = GrayImage::from_pixel(w.div_ceil(BLOCK_PX), h.div_ceil(BLOCK_PX), Luma([u8::MAX]));
    for by in 0..lights.height() {
        let is_whole_row = (by + 1) * BLOCK_PX <= h;
        let n_whole = if is_whole_row { w as usize / SIDE } else { 0 };
        // whole blocks beside each other; the last ones are some of those before where they are too few by themselves
        let n_groups = if n_whole < N_SORTED { 0 } else { n_whole.div_ceil(N_SORTED) };
        for first_bx in (0..n_groups).map(|group| (group * N_SORTED).min(n_whole - N_SORTED)) {
            let rows: [&[u8]; SIDE] = std::array::from_fn(|y| {
                let start = (by as usize * SIDE + y) * w as usize + first_bx * SIDE;
                &grey.as_raw()[start..start + SIDE * N_SORTED]
            });
            if rows.iter().all(|row| is_all(row, u8::MAX)) {
                continue;
            }
            // their pixels by the place in the block: compared side by side, they are sorted at once
            let mut places = [[0u8; N_SORTED]; SIDE * SIDE];
            for (row, places) in rows.iter().zip(places.chunks_exact_mut(SIDE)) {
                for (block, pixels) in row.as_chunks::<SIDE>().0.iter().enumerate() {
                    places.iter_mut().zip(pixels).for_each(|(place, &pixel)| place[block] = pixel);
                }
            }
            let (first, second) = places.split_at_mut(SIDE * SIDE / 2);
            sort_8(first);
            sort_8(second);
            let start = by as usize * lights.width() as usize + first_bx;
            for (bx, light) in lights.as_mut()[start..][..N_SORTED].iter_mut().enumerate() {
                // the lighter of the darkest of one half and the lightest of the other, and so on, are the lighter half of all
                let lighter = first.iter().zip(second.iter().rev()).map(|(a, b)| u32::from(a[bx].max(b[bx])));
                *light = (lighter.sum::<u32>() / 8) as u8;
            }
        }
        for bx in (if n_groups > 0 { n_whole as u32 } else { 0 })..lights.width() {
            lights.put_pixel(bx, by, Luma([block_light(grey, bx, by)]));
        }
    }
    lights
}

/// Blocks that are sorted at once.
const N_SORTED: usize = 16;

/// Sorts eight lists against each other, place by place (Batcher, "Sorting networks and their applications", 1968).
fn sort_8(lists: &mut [[u8; N_SORTED]]) {
    const NETWORK: [(usize, usize); 19] = [
        (0, 1),
        (2, 3),
        (4, 5),
        (6, 7),
        (0, 2),
        (1, 3),
        (4, 6),
        (5, 7),
        (1, 2),
        (5, 6),
        (0, 4),
        (1, 5),
        (2, 6),
        (3, 7),
        (2, 4),
        (3, 5),
        (1, 2),
        (3, 4),
        (5, 6),
    ];
    for (low, high) in NETWORK {
        let (a, b) = (lists[low], lists[high]);
        lists[low] = std::array::from_fn(|i| a[i].min(b[i]));
        lists[high] = std::array::from_fn(|i| a[i].max(b[i]));
    }
}

/// The light of one block, which may be cut off by the picture's edge.
fn block_light(grey: &GrayImage, bx: u32, by: u32) -> u8 {
    let (w, h) = grey.dimensions();
    let mut values = [0u8; (BLOCK_PX * BLOCK_PX) as usize];
    let mut n = 0;
    for y in by * BLOCK_PX..((by + 1) * BLOCK_PX).min(h) {
        for x in bx * BLOCK_PX..((bx + 1) * BLOCK_PX).min(w) {
            values[n] = grey.get_pixel(x, y)[0];
            n += 1;
        }
    }
    let values = &mut values[..n];
    values.sort_unstable();
    let lighter = &values[n / 2..];
    (lighter.iter().map(|&v| u32::from(v)).sum::<u32>() / lighter.len().max(1) as u32) as u8
}

/// Lightest (`grow`) or darkest value of the square of half side `radius` around each pixel.
fn extreme(image: &GrayImage, radius: usize, grow: bool) -> GrayImage {
    let pick = |a: u8, b: u8| if grow { a.max(b) } else { a.min(b) };
    // of each row the extremes of those around it, then the same of columns
    let down = |image: &GrayImage| {
        let width = image.width().max(1) as usize;
        let rows: Vec<&[u8]> = image.as_raw().chunks_exact(width).collect();
        let mut best = image.clone();
        for (y, best) in best.chunks_exact_mut(width).enumerate() {
            for row in &rows[y.saturating_sub(radius)..(y + radius + 1).min(rows.len())] {
                best.iter_mut().zip(*row).for_each(|(best, &value)| *best = pick(*best, value));
            }
        }
        best
    };
    transpose(&down(&transpose(&down(image))))
}

/// Where a pixel lies between the centres of two blocks, along one axis.
struct Between {
    blocks: [u32; 2],
    /// How far from the first to the second, 0 to 1.
    share: f32,
}

/// One for each of `n_px` pixels along an axis with `n_blocks` blocks.
fn between_centres(n_px: u32, n_blocks: u32) -> Vec<Between> {
    let between = |px: u32| {
        let at = ((px as f32 + 0.5) / BLOCK_PX as f32 - 0.5).clamp(0.0, (n_blocks - 1) as f32);
        let low = at.floor() as u32;
        Between { blocks: [low, (low + 1).min(n_blocks - 1)], share: at - at.floor() }
    };
    (0..n_px).map(between).collect()
}

/// The mean of the square of half side `radius` around each pixel, so that a pale stroke can be distinguished from noise.
pub(super) fn smooth(darkness: &GrayImage, radius: u32) -> GrayImage {
    let along_rows = |image: &GrayImage| {
        let width = image.width() as usize;
        let mut smooth = image.clone();
        for (row, smooth) in image.chunks_exact(width.max(1)).zip(smooth.chunks_exact_mut(width.max(1))) {
            let radius = radius as usize;
            let mut sum: u32 = row.iter().take(radius).map(|&value| u32::from(value)).sum();
            for (x, smooth) in smooth.iter_mut().enumerate() {
                sum += row.get(x + radius).map_or(0, |&value| u32::from(value));
                let (first, end) = (x.saturating_sub(radius), (x + radius + 1).min(width));
                let n = (end - first) as u32;
                *smooth = ((sum + n / 2) / n) as u8;
                sum -= x.checked_sub(radius).map_or(0, |x| u32::from(row[x]));
            }
        }
        smooth
    };
    transpose(&along_rows(&transpose(&along_rows(darkness))))
}

/// Ink, separated from paper.
#[derive(Debug, Clone)]
pub(super) struct Ink {
    /// [H, W] u8, 0 paper .. 255 as dark as the pen's strokes.
    pub grey: GrayImage,
    /// [H, W] u8, 255 where there is ink, else 0.
    pub mask: GrayImage,
}

/// Darkness of the paper.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paper {
    /// The median, 0 to 255.
    level: f32,
    /// Darker than `level` by less than this is noise, 0 to 255.
    noise: f32,
}

impl Paper {
    /// Measured in all of a picture, most of which must be paper.
    pub fn of(darkness: &GrayImage) -> Self {
        Self::of_histogram(&histogram(darkness, strip::whole(darkness)))
    }

    fn of_histogram(histogram: &[usize; 256]) -> Self {
        let n: usize = histogram.iter().sum();
        // These ranks are half a standard deviation of normal noise apart, and even in a crowded field they are paper.
        let spread = 2.0 * (rank(histogram, n * 6 / 10) as f32 - rank(histogram, n * 4 / 10) as f32);
        Self {
            level: rank(histogram, n / 2) as f32,
            noise: (PARAMS.ground.noise_deviations * spread).min(PARAMS.ground.max_noise * 255.0),
        }
    }
}

/// Number of pixels of `area` for each darkness.
fn histogram(darkness: &GrayImage, area: Rect) -> [usize; 256] {
    // pixels whose middles lie within
    let inside = |from: f64, to: f64, n: u32| {
        let [first, end] =
            [(from - 0.5).floor() + 1.0, (to - 0.5).ceil()].map(|px| px.clamp(0.0, f64::from(n)) as usize);
        first..end.max(first)
    };
    let (columns, rows) = (inside(area.x0, area.x1, darkness.width()), inside(area.y0, area.y1, darkness.height()));
    let mut histogram = [0usize; 256];
    for row in darkness.chunks_exact(darkness.width().max(1) as usize).take(rows.end).skip(rows.start) {
        count(&row[columns.clone()], &mut histogram);
    }
    histogram
}

/// Adds the number of `pixels` of each value to `histogram`. Blocks of one value are counted together: most are paper.
fn count(pixels: &[u8], histogram: &mut [usize; 256]) {
    for block in pixels.chunks(LIT_PX) {
        if is_all(block, block[0]) {
            histogram[usize::from(block[0])] += block.len();
        } else {
            block.iter().for_each(|&value| histogram[usize::from(value)] += 1);
        }
    }
}

/// Measures the pen's darkness inside `frame` (pixels of the crop), most of which is paper, and separates ink from paper.
/// `None` where nothing is darker than paper and watermarks.
pub(super) fn find_ink(darkness: &GrayImage, frame: Rect, params: &InkParams) -> Option<Ink> {
    let histogram = histogram(darkness, frame);
    find_ink_of(Paper::of_histogram(&histogram), &histogram, darkness, params)
}

/// The same on paper that was measured elsewhere. Ink is found by hysteresis (Canny, 1986): strong pixels, and weak pixels
/// connected to them.
pub(super) fn find_ink_on(paper: Paper, darkness: &GrayImage, frame: Rect, params: &InkParams) -> Option<Ink> {
    find_ink_of(paper, &histogram(darkness, frame), darkness, params)
}

/// The same; `histogram` is that of the frame.
fn find_ink_of(paper: Paper, histogram: &[usize; 256], darkness: &GrayImage, params: &InkParams) -> Option<Ink> {
    let n: usize = histogram.iter().sum();
    let darkest = rank(histogram, n.checked_sub(params.min_dark_px)?) as f32;
    let least = (params.min_contrast * 255.0).max(paper.noise);
    if darkest - paper.level < least {
        // A crop that is all ink has no paper to measure.
        let bare = Paper { level: 0.0, noise: 0.0 };
        return if paper.level > 127.0 { Some(threshold(darkness, bare, paper.level, params)) } else { None };
    }
    // The strokes' darkness: the median of the pixels that are nearer to the darkest than to the paper.
    let middle = ((paper.level + darkest) / 2.0) as usize;
    let above: usize = histogram[middle..].iter().sum();
    let full = rank(histogram, n - above.div_ceil(2)) as f32;
    Some(threshold(darkness, paper, full, params))
}

/// The value that `rank` pixels of the histogram do not exceed.
fn rank(histogram: &[usize; 256], rank: usize) -> usize {
    let mut seen = 0;
    for (value, count) in histogram.iter().enumerate() {
        seen += count;
        if seen > rank {
            return value;
        }
    }
    255
}

/// Ink of darkness `full` on `paper`.
fn threshold(darkness: &GrayImage, paper: Paper, full: f32, params: &InkParams) -> Ink {
    let span = (full - paper.level).max(1.0);
    let grey = mapped(darkness, |value| ((f32::from(value) - paper.level) / span * 255.0).clamp(0.0, 255.0) as u8);
    let weak = params.weak.max(paper.noise / span).min(params.strong);
    let mask = hysteresis(&grey, (weak * 255.0) as u8, (params.strong * 255.0) as u8);
    Ink { grey, mask }
}

/// 255 where a pixel is at least `strong`, or at least `weak` and connected to such a one.
fn hysteresis(grey: &GrayImage, weak: u8, strong: u8) -> GrayImage {
    let Components { runs, n_components } = find_components(grey, |value| value >= weak);
    let width = grey.width() as usize;
    let pixels = |run: &Run| run.y as usize * width + run.start as usize..run.y as usize * width + run.end as usize;
    let mut is_ink = vec![false; n_components + 1];
    for run in &runs {
        is_ink[run.component as usize] |= grey.as_raw()[pixels(run)].iter().any(|&value| value >= strong);
    }
    let mut mask = GrayImage::new(grey.width(), grey.height());
    for run in runs.iter().filter(|run| is_ink[run.component as usize]) {
        mask.as_mut()[pixels(run)].fill(255);
    }
    mask
}

/// Applies `map` to each pixel.
fn mapped(image: &GrayImage, map: impl Fn(u8) -> u8) -> GrayImage {
    let table: [u8; 256] = std::array::from_fn(|value| map(value as u8));
    let mut mapped = image.clone();
    for block in mapped.chunks_mut(LIT_PX) {
        // most pixels are paper
        if is_all(block, 0) {
            block.fill(table[0]);
        } else {
            block.iter_mut().for_each(|value| *value = table[usize::from(*value)]);
        }
    }
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Rect = Rect::from_edges(0.0, 0.0, 100.0, 80.0);

    /// Paper with shading from left to right and a pale wide band, and a stroke of the given darkness if any.
    fn paper(stroke: Option<f32>) -> GrayImage {
        GrayImage::from_fn(100, 80, |x, y| {
            let ground = 250.0 - 0.6 * x as f32;
            let watermark = if (30..60).contains(&y) { 0.91 } else { 1.0 };
            let ink = if (46..50).contains(&x) && (15..70).contains(&y) { 1.0 - stroke.unwrap_or(0.0) } else { 1.0 };
            Luma([(ground * watermark * ink) as u8])
        })
    }

    #[test]
    fn shading_and_watermark_are_no_ink() {
        assert!(find_ink(&darkness(&paper(None)), FRAME, &PARAMS.ink).is_none());
    }

    #[test]
    fn faint_and_dark_strokes_are_ink_and_only_they() {
        for contrast in [0.25, 0.5, 0.9] {
            let ink = find_ink(&darkness(&paper(Some(contrast))), FRAME, &PARAMS.ink);
            let ink = ink.expect("there is a stroke");
            for (x, y, p) in ink.mask.enumerate_pixels() {
                let inside = (46..50).contains(&x) && (15..70).contains(&y);
                assert_eq!(p[0] > 0, inside, "({x}, {y}) at contrast {contrast}");
            }
        }
    }

    #[test]
    fn lights_of_all_blocks_are_those_of_single_ones() {
        let picture = GrayImage::from_fn(137, 22, |x, y| Luma([(x * 97 + y * 31 + x * y * 13) as u8]));
        let lights = block_lights(&picture);
        assert_eq!(lights.dimensions(), (35, 6));
        assert!(lights.enumerate_pixels().all(|(bx, by, p)| p[0] == block_light(&picture, bx, by)));
    }

    #[test]
    fn smooth_is_the_mean_around_each_pixel() {
        let noisy = GrayImage::from_fn(12, 9, |x, y| Luma([if (x * 7 + y * 5) % 3 == 0 { 90 } else { 0 }]));
        let smooth = smooth(&noisy, 1);
        assert!(smooth.pixels().all(|p| (20..=46).contains(&p[0])), "{smooth:?}");
        let flat = GrayImage::from_pixel(5, 4, Luma([17]));
        assert_eq!(super::smooth(&flat, 3), flat);
    }

    #[test]
    fn crop_that_is_all_ink_is_ink() {
        let black = GrayImage::from_pixel(50, 50, Luma([0]));
        let frame = Rect::from_edges(0.0, 0.0, 50.0, 50.0);
        let ink = find_ink(&darkness(&black), frame, &PARAMS.ink).expect("all is ink");
        assert!(ink.mask.pixels().all(|p| p[0] == 255));
    }
}
