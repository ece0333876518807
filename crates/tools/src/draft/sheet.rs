//! Rectifies a page and finds its size in millimetres: a scan is deskewed; a photo is levelled by the vanishing points of its
//! lines, and cropped at the edges of the paper.

use image::{GrayImage, Luma};
use imageproc::contrast::{ThresholdType, otsu_level, threshold};

use formread_core::register;
use formread_core::register::{EvidenceParams, LevelParams, PageEvidence};
use formread_page::Page;
use formread_raster::{
    Sampler,
    geometry::{MM_PER_INCH, Point, Projection, Rect, Segment},
    label_components, reduce, rotate_back,
};

/// Paper sizes, millimetres, shorter side first: A4, US Letter, US Legal.
const PAPERS_MM: [[f64; 2]; 3] = [[210.0, 297.0], [215.9, 279.4], [215.9, 355.6]];
/// Largest deviation from the proportions of a paper size, as a natural logarithm.
const PROPORTION_TOLERANCE: f64 = 0.05;
/// Longer side of a page, millimetres, for which the file's resolution is trusted: cameras write any number.
const PLAUSIBLE_SIDE_MM: std::ops::RangeInclusive<f64> = 60.0..=450.0;
/// Finest resolution of a sheet, pixels per millimetre: 305 dpi, at which the hairline of a tick box is one pixel.
const MAX_PX_PER_MM: f64 = 12.0;
/// Lines further than this from horizontal or vertical are ignored, degrees.
const MAX_SKEW_DEGREES: f64 = 20.0;
/// A smaller skew is not corrected, radians: one pixel on the longest side at 300 dpi.
const MIN_SKEW: f64 = 0.000_25;
/// Mean angle off horizontal and vertical, degrees, from which a page may be a photo from the side.
const TILTED_DEGREES: f64 = 0.15;
/// Levelling by vanishing points must reduce that angle below this share.
const MAX_ANGLE_LEFT: f64 = 0.5;
/// Focal length of a telephone camera, as a share of the picture's longer side: 27 mm on film of 36 mm. Used if the picture
/// does not give one.
const USUAL_FOCAL_LENGTH: f64 = 0.75;
/// Plausible focal lengths, as such shares.
const FOCAL_LENGTHS: std::ops::RangeInclusive<f64> = 0.5..=2.5;
/// Longer side of the reduced picture in which the paper is searched, pixels.
const PAPER_PICTURE_PX: u32 = 400;
/// Smallest share of the picture that the paper covers.
const MIN_PAPER_SHARE: f64 = 0.25;
/// A larger light area is the whole picture: the edges of the paper are not visible.
const MAX_PAPER_SHARE: f64 = 0.94;

/// A rectified page.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// [H, W] u8, 0 black .. 255 white: the paper from edge to edge, its lines horizontal and vertical.
    pub pixels: GrayImage,
    pub px_per_mm: f64,
    /// Pixels of the page from pixels of the sheet.
    pub page_from_sheet: Projection,
}

impl Sheet {
    /// Bounds of the paper, pixels.
    pub fn bounds(&self) -> Rect {
        Rect::from_edges(0.0, 0.0, f64::from(self.pixels.width()), f64::from(self.pixels.height()))
    }

    /// Turned back by `quarters` clockwise.
    pub fn rotate_back(self, quarters: u8) -> Self {
        let (width, height) = (self.bounds().width(), self.bounds().height());
        let from_turned = match quarters % 4 {
            1 => Projection([0.0, -1.0, width, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
            2 => Projection([-1.0, 0.0, width, 0.0, -1.0, height, 0.0, 0.0, 1.0]),
            3 => Projection([0.0, 1.0, 0.0, -1.0, 0.0, height, 0.0, 0.0, 1.0]),
            _ => return self,
        };
        let page_from_sheet = self.page_from_sheet.compose(&from_turned);
        Self { pixels: rotate_back(&self.pixels, quarters), page_from_sheet, ..self }
    }
}

/// Rectifies `page`.
pub(super) fn rectify(page: &Page) -> Sheet {
    let evidence = PageEvidence::measure(page, &EvidenceParams::default());
    let bounds = evidence.page_bounds();
    let whole = &evidence.lines.whole;
    let lines: Vec<Segment> = whole.horizontal.iter().chain(&whole.vertical).copied().collect();
    let turn = skew(&lines);
    let turned =
        if turn.abs() < MIN_SKEW { Projection::IDENTITY } else { Projection::rotation(-turn).about(bounds.centre()) };
    let off = mean_angle_off_axes(&lines, &turned);
    let tilted =
        (off > TILTED_DEGREES).then(|| register::level_from_page(&evidence, &LevelParams::default())).flatten();
    let tilted = tilted.filter(|level| mean_angle_off_axes(&lines, level) < MAX_ANGLE_LEFT * off);
    let tilted = tilted.and_then(|level| Some(restore_proportions(&level, bounds)?.compose(&level)));
    let is_tilted = tilted.is_some();
    let mut level_from_page = tilted.unwrap_or(turned);

    let visible = Rect::around(level_from_page.apply_rect(bounds)).unwrap_or(bounds);
    let on_paper = |paper: &Rect| {
        let moved: Vec<Segment> = lines.iter().map(|s| level_from_page.apply_segment(*s)).collect();
        let total: f64 = moved.iter().map(|s| s.length()).sum();
        let inside = moved.iter().filter(|s| paper.contains(s.a) && paper.contains(s.b));
        inside.map(|s| s.length()).sum::<f64>() >= 0.8 * total
    };
    let paper = find_paper(&page.pixels, &level_from_page).filter(on_paper);
    let mut paper = match paper {
        Some(paper) => paper,
        None if is_tilted => visible,
        None => bounds_about_centre(bounds, turned),
    };
    let proportion = paper.height().max(paper.width()) / paper.height().min(paper.width()).max(1.0);
    let known = PAPERS_MM.into_iter().min_by(|a, b| {
        let off = |p: &[f64; 2]| (p[1] / p[0] / proportion).ln().abs();
        off(a).total_cmp(&off(b))
    });
    let known = known.filter(|p| (p[1] / p[0] / proportion).ln().abs() <= PROPORTION_TOLERANCE);
    let longer_px = paper.width().max(paper.height());
    let trusted = page.dpi.filter(|dpi| !is_tilted && PLAUSIBLE_SIDE_MM.contains(&(longer_px / dpi * MM_PER_INCH)));
    let px_per_mm = match (trusted, known) {
        (Some(dpi), _) => dpi / MM_PER_INCH,
        (None, Some([_, longer_mm])) => longer_px / longer_mm,
        (None, None) => longer_px / PAPERS_MM[0][1],
    };
    if let (true, Some([shorter_mm, longer_mm])) = (is_tilted, known) {
        // the proportions of the paper are more exact than those of the camera
        let upright = paper.height() >= paper.width();
        let [width_mm, height_mm] = if upright { [shorter_mm, longer_mm] } else { [longer_mm, shorter_mm] };
        let stretch = Projection::scaling(width_mm * px_per_mm / paper.width(), height_mm * px_per_mm / paper.height());
        level_from_page = stretch.compose(&level_from_page);
        paper = Rect::around(stretch.apply_rect(paper)).unwrap_or(paper);
    }
    let scale = (MAX_PX_PER_MM / px_per_mm).min(1.0);
    let sheet_from_level = Projection::scaling(scale, scale).compose(&Projection::translation(-paper.x0, -paper.y0));
    let page_from_sheet = sheet_from_level.compose(&level_from_page).inverse().unwrap_or(Projection::IDENTITY);
    let size = [paper.width() * scale, paper.height() * scale].map(|side| side.round().max(1.0) as u32);
    let pixels = warp(&page.pixels, &page_from_sheet, size);
    Sheet { pixels, px_per_mm: px_per_mm * scale, page_from_sheet }
}

/// The picture of `size` (width, height) whose points `source_from_target` maps to points of `source`.
pub(super) fn warp(source: &GrayImage, source_from_target: &Projection, size: [u32; 2]) -> GrayImage {
    let [width, height] = size;
    if *source_from_target == Projection::IDENTITY && source.dimensions() == (width, height) {
        return source.clone();
    }
    let middle = Point::new(f64::from(width) / 2.0, f64::from(height) / 2.0);
    let factor = (source_from_target.scale_at(middle).floor() as u32).max(1);
    let reduced = reduce(source, factor);
    let shrunk = Projection::scaling(1.0 / f64::from(factor), 1.0 / f64::from(factor)).compose(source_from_target);
    let sampler = Sampler::new([1.0; 2]);
    GrayImage::from_fn(width, height, |x, y| {
        Luma([sampler.grey(&reduced, shrunk.apply(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5)))])
    })
}

/// Bounds of the same size about the turned centre: the corners that turning adds contain nothing of the form.
fn bounds_about_centre(bounds: Rect, turned: Projection) -> Rect {
    let centre = turned.apply(bounds.centre());
    Rect::from_xywh(centre.x - bounds.width() / 2.0, centre.y - bounds.height() / 2.0, bounds.width(), bounds.height())
}

/// Clockwise angle of a line from horizontal or vertical, whichever is nearer, radians.
fn turn_of(s: Segment) -> f64 {
    let angle = (s.b.y - s.a.y).atan2(s.b.x - s.a.x);
    angle - (angle / std::f64::consts::FRAC_PI_2).round() * std::f64::consts::FRAC_PI_2
}

/// The clockwise skew of a page: the median angle, weighted by length, of lines that are nearly horizontal or vertical.
fn skew(lines: &[Segment]) -> f64 {
    let mut turns: Vec<(f64, f64)> = lines.iter().map(|s| (turn_of(*s), s.length())).collect();
    turns.retain(|(turn, _)| turn.abs() < MAX_SKEW_DEGREES.to_radians());
    turns.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = turns.iter().map(|turn| turn.1).sum::<f64>() / 2.0;
    let mut passed = 0.0;
    let median = turns.iter().find(|(_, length)| {
        passed += length;
        passed >= half
    });
    median.map_or(0.0, |(turn, _)| *turn)
}

/// Mean angle off horizontal and vertical after `map`, weighted by length, degrees. Each angle counts as at most two degrees:
/// a line further off does not belong to the form.
fn mean_angle_off_axes(lines: &[Segment], map: &Projection) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for line in lines {
        sum += line.length() * turn_of(map.apply_segment(*line)).to_degrees().abs().min(2.0);
        total += line.length();
    }
    if total > 0.0 { sum / total } else { 0.0 }
}

/// The stretch about the centre that restores the proportions of a page levelled by `level`. It assumes a camera with square
/// pixels whose axis goes through the centre (Zhang and He, "Whiteboard scanning and image enhancement", Digital Signal
/// Processing 17, 2007). `None` if `level` is singular.
fn restore_proportions(level: &Projection, bounds: Rect) -> Option<Projection> {
    let centre = bounds.centre();
    let to_centre = Projection::translation(-centre.x, -centre.y);
    let page_from_level = to_centre.compose(&level.inverse()?).compose(&Projection::translation(centre.x, centre.y)).0;
    let [across, down] = [0, 1].map(|col| [0, 3, 6].map(|row| page_from_level[row + col]));
    let side = bounds.width().max(bounds.height());
    // both directions are at right angles on the paper: that gives the focal length, if both have a vanishing point
    let squared = -(across[0] * down[0] + across[1] * down[1]) / (across[2] * down[2]);
    let measured = squared.sqrt() / side;
    let focal_px = side * if FOCAL_LENGTHS.contains(&measured) { measured } else { USUAL_FOCAL_LENGTH };
    let length = |v: [f64; 3]| (v[0] / focal_px).hypot(v[1] / focal_px).hypot(v[2]);
    Some(Projection::scaling(1.0, length(down) / length(across)).about(centre))
}

/// The edges of the paper after `level_from_page`: those of the largest light area. `None` if its edges are not in the picture.
fn find_paper(pixels: &GrayImage, level_from_page: &Projection) -> Option<Rect> {
    let factor = pixels.width().max(pixels.height()).div_ceil(PAPER_PICTURE_PX);
    let small = reduce(pixels, factor);
    let light = threshold(&small, otsu_level(&small), ThresholdType::Binary);
    let labels = label_components(&light);
    let n_labels = labels.pixels().map(|p| p[0]).max()? as usize;
    let mut counts = vec![0usize; n_labels + 1];
    labels.pixels().filter(|p| p[0] > 0).for_each(|p| counts[p[0] as usize] += 1);
    let largest = (1..=n_labels).max_by_key(|&label| counts[label])? as u32;
    let (width, height) = small.dimensions();
    let (mut spans_of_rows, mut spans_of_columns) = (vec![None; height as usize], vec![None; width as usize]);
    let widen =
        |span: &mut Option<(u32, u32)>, at: u32| *span = Some(span.map_or((at, at), |(a, b)| (a.min(at), b.max(at))));
    for (x, y, _) in labels.enumerate_pixels().filter(|p| p.2[0] == largest) {
        widen(&mut spans_of_rows[y as usize], x);
        widen(&mut spans_of_columns[x as usize], y);
    }
    let covered: u32 = spans_of_rows.iter().flatten().map(|(a, b)| b - a + 1).sum();
    let share = f64::from(covered) / f64::from(width * height);
    if !(MIN_PAPER_SHARE..MAX_PAPER_SHARE).contains(&share) {
        return None;
    }
    let at = |x: f64, y: f64| level_from_page.apply(Point::new(x * f64::from(factor), y * f64::from(factor)));
    let [mut left, mut right, mut top, mut bottom] = [const { Vec::new() }; 4];
    for (y, span) in (0..).zip(&spans_of_rows) {
        if let Some((a, b)) = span {
            left.push(at(f64::from(*a), f64::from(y) + 0.5).x);
            right.push(at(f64::from(b + 1), f64::from(y) + 0.5).x);
        }
    }
    for (x, span) in (0..).zip(&spans_of_columns) {
        if let Some((a, b)) = span {
            top.push(at(f64::from(x) + 0.5, f64::from(*a)).y);
            bottom.push(at(f64::from(x) + 0.5, f64::from(b + 1)).y);
        }
    }
    let [x0, x1, y0, y1] = [left, right, top, bottom].map(|mut v: Vec<f64>| {
        v.sort_by(f64::total_cmp);
        v.get(v.len() / 2).copied()
    });
    let paper = Rect::from_edges(x0?, y0?, x1?, y1?);
    (paper.width() > 0.0 && paper.height() > 0.0).then_some(paper)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sheet of A4 with a grid of lines, as a camera sees it.
    #[test]
    fn photographed_sheet_is_rectified_with_proportions_of_paper() {
        let quad =
            [Point::new(120.0, 100.0), Point::new(900.0, 150.0), Point::new(960.0, 1290.0), Point::new(60.0, 1240.0)];
        let page_from_mm = Projection::from_quads(Rect::from_xywh(0.0, 0.0, 210.0, 297.0).corners(), quad)
            .expect("no three corners are in a line");
        let mm_from_page = page_from_mm.inverse().expect("it is regular");
        let paper = Rect::from_xywh(0.0, 0.0, 210.0, 297.0);
        let is_line = |p: Point| {
            let near = |v: f64, step: f64| (v / step - (v / step).round()).abs() * step < 0.3;
            Rect::from_xywh(20.0, 20.0, 160.0, 240.0).inflate(0.3).contains(p)
                && (near(p.x - 20.0, 40.0) || near(p.y - 20.0, 40.0))
        };
        let pixels = GrayImage::from_fn(1050, 1400, |x, y| {
            let p = mm_from_page.apply(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
            Luma([if !paper.contains(p) {
                60
            } else if is_line(p) {
                30
            } else {
                235
            }])
        });
        let sheet = rectify(&Page::upright(pixels, Some(72.0)));
        let mm = |x: f64, y: f64| mm_from_page.apply(sheet.page_from_sheet.apply(Point::new(x, y) * sheet.px_per_mm));
        for (x, y) in [(20.0, 20.0), (180.0, 20.0), (180.0, 260.0), (20.0, 260.0), (100.0, 140.0)] {
            let off = mm(x, y) - Point::new(x, y);
            assert!(off.norm() < 1.5, "({x}, {y}) lies {off:?} off");
        }
    }

    #[test]
    fn level_scan_is_unchanged() {
        let pixels = GrayImage::from_fn(850, 1100, |x, y| {
            let inside = (100..750).contains(&x) && (100..1000).contains(&y);
            Luma([if inside && (x % 100 < 2 || y % 100 < 2) { 20 } else { 250 }])
        });
        let sheet = rectify(&Page::upright(pixels.clone(), Some(100.0)));
        assert_eq!(sheet.page_from_sheet, Projection::IDENTITY);
        assert_eq!((sheet.pixels, sheet.px_per_mm), (pixels, 100.0 / MM_PER_INCH));
    }
}
