//! The ink of a sheet: which pixels are dark enough, and how much of it lies where.

use image::{GrayImage, Luma};
use imageproc::{
    definitions::Image,
    integral_image::{integral_image, sum_image_pixels},
};

use super::sheet::Sheet;
use formread_raster::{GreyHistogram, Labels, SauvolaParams, geometry::Rect, label_components, sauvola};

/// Half the side of the window of the local threshold, millimetres: it contains paper beside a wide stroke.
const WINDOW_MM: f64 = 3.5;
/// Sauvola's k on clean paper: the hairline of a tick box is ink, a watermark is not. Raising it loses faint print.
const MIN_SAUVOLA_K: f64 = 0.1;
/// Sauvola's k on grained paper, in standard deviations of the grain.
const GRAIN_DEVIATIONS: f64 = 5.0;
/// Largest k: beyond it faint print is lost.
const MAX_SAUVOLA_K: f64 = 0.25;
/// k for faint ink, as a share of the usual one.
const FAINT_SHARE: f64 = 0.4;
/// How far the edge of a line is blurred, and how far a solid area reaches at least beyond its edge, millimetres.
const EDGE_MM: f64 = 0.25;
const AREA_MM: f64 = 0.5;
/// Ink that is smaller than this both ways is dust, millimetres.
const SPECK_MM: f64 = 0.45;

/// The ink of a sheet.
#[derive(Debug, Clone)]
pub(super) struct Ink {
    /// [H, W] u8, 255 ink, 0 paper.
    pub mask: GrayImage,
    /// The sheet, [H, W] u8, 0 black .. 255 white.
    pixels: GrayImage,
    /// Number of ink pixels above and left of each pixel, without specks: [H + 1, W + 1].
    sums: Image<Luma<u32>>,
    pub px_per_mm: f64,
}

impl Ink {
    /// The ink of `sheet`.
    pub fn new(sheet: &Sheet) -> Self {
        Self::from_mask(binarise(&sheet.pixels, sheet.px_per_mm, 1.0), sheet)
    }

    /// The ink of `sheet` at a lower contrast: it also has what is ink only where ink is expected.
    pub fn faint(sheet: &Sheet) -> Self {
        Self::from_mask(binarise(&sheet.pixels, sheet.px_per_mm, FAINT_SHARE), sheet)
    }

    fn from_mask(mask: GrayImage, Sheet { pixels, px_per_mm, .. }: &Sheet) -> Self {
        let px_per_mm = *px_per_mm;
        let labels = label_components(&mask);
        let bounds = label_bounds(&labels);
        let is_speck = |[x0, y0, x1, y1]: [u32; 4]| f64::from((x1 - x0).max(y1 - y0) + 1) < SPECK_MM * px_per_mm;
        let counts: Vec<bool> =
            bounds.into_iter().map(|bounds| bounds.is_some_and(|bounds| !is_speck(bounds))).collect();
        let counted = labels.pixels().map(|label| u8::from(label[0] > 0 && counts[label[0] as usize])).collect();
        let counted = GrayImage::from_raw(mask.width(), mask.height(), counted).expect("a label for each pixel");
        let sums = integral_image(&counted);
        Self { mask, pixels: pixels.clone(), sums, px_per_mm }
    }

    /// Ink within `r` (pixels), in square millimetres, without specks.
    pub fn mm2_within(&self, r: Rect) -> f64 {
        let clip = |v: f64, side: u32| v.round().clamp(0.0, f64::from(side)) as u32;
        let (width, height) = self.mask.dimensions();
        let ([x0, x1], [y0, y1]) = ([r.x0, r.x1].map(|v| clip(v, width)), [r.y0, r.y1].map(|v| clip(v, height)));
        if x0 >= x1 || y0 >= y1 {
            return 0.0;
        }
        let [n] = sum_image_pixels(&self.sums, x0, y0, x1 - 1, y1 - 1);
        f64::from(n) / self.px_per_mm.powi(2)
    }

    /// Length of the run of ink pixels from `(x, y)`, beside paper, in steps of `(dx, dy)`, at most `max`: as long as that where the run is
    /// the edge of a solid area. Of a pale one only the edge is ink.
    pub fn run_length(&self, x: i64, y: i64, [dx, dy]: [i64; 2], max: i64) -> i64 {
        let level = |picture: &GrayImage, i: i64| {
            let at = u32::try_from(x + i * dx).ok().zip(u32::try_from(y + i * dy).ok());
            at.and_then(|(x, y)| picture.get_pixel_checked(x, y)).map(|p| p[0])
        };
        let run = (0..max).take_while(|&i| level(&self.mask, i).is_some_and(|v| v > 0)).count() as i64;
        let [edge_px, area_px] = [EDGE_MM, AREA_MM].map(|mm| (mm * self.px_per_mm).ceil() as i64);
        let (Some(paper), Some(darkest)) =
            (level(&self.pixels, -edge_px), (0..run).filter_map(|i| level(&self.pixels, i)).min())
        else {
            return run;
        };
        let is_dark =
            |i| level(&self.pixels, i).is_some_and(|v| u16::from(v) * 2 < u16::from(paper) + u16::from(darkest));
        if (run..run + area_px).all(is_dark) { max } else { run }
    }
}

/// Pixels of the sheet to millimetres.
pub(super) fn in_mm(r: Rect, px_per_mm: f64) -> Rect {
    Rect::from_edges(r.x0 / px_per_mm, r.y0 / px_per_mm, r.x1 / px_per_mm, r.y1 / px_per_mm)
}

/// Millimetres to pixels of the sheet.
pub(super) fn in_px(r: Rect, px_per_mm: f64) -> Rect {
    Rect::from_edges(r.x0 * px_per_mm, r.y0 * px_per_mm, r.x1 * px_per_mm, r.y1 * px_per_mm)
}

/// Local threshold of a picture (0 black .. 255 white) after Sauvola: 255 ink, 0 paper. `share` scales k, and with it the
/// contrast that ink needs.
pub(super) fn binarise(pixels: &GrayImage, px_per_mm: f64, share: f64) -> GrayImage {
    let radius_px = (WINDOW_MM * px_per_mm).ceil() as u32;
    let k = (GRAIN_DEVIATIONS * grain_deviation(pixels) / 255.0).clamp(MIN_SAUVOLA_K, MAX_SAUVOLA_K) * share;
    sauvola(pixels, SauvolaParams { radius_px, k })
}

/// Left, top, right and bottom (inclusive) of each component; `None` for 0 and for labels without a pixel.
pub(super) fn label_bounds(labels: &Labels) -> Vec<Option<[u32; 4]>> {
    let n_labels = labels.pixels().map(|p| p[0]).max().unwrap_or(0) as usize;
    let mut bounds: Vec<Option<[u32; 4]>> = vec![None; n_labels + 1];
    for (x, y, label) in labels.enumerate_pixels().filter(|p| p.2[0] > 0) {
        let around = &mut bounds[label[0] as usize];
        *around = Some(around.map_or([x, y, x, y], |[x0, y0, x1, y1]| [x0.min(x), y0.min(y), x1.max(x), y1.max(y)]));
    }
    bounds
}

/// Standard deviation of the paper's grain, grey levels: a robust estimate from the median of the absolute differences of
/// neighbouring pixels.
fn grain_deviation(pixels: &GrayImage) -> f64 {
    let rows = pixels.as_raw().chunks_exact(pixels.width().max(1) as usize).step_by(3);
    let differences = GreyHistogram::of(rows.flat_map(|row| row.windows(2).map(|two| two[0].abs_diff(two[1]))));
    // 1.4826: from a median of absolute values to a deviation; a difference of two values has sqrt(2) times the deviation
    f64::from(differences.quantile(0.5)) * 1.4826 / std::f64::consts::SQRT_2
}
