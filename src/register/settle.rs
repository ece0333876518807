//! Each field settles on its own printed frame, because paper bends and copies stretch.

use image::GrayImage;

use super::{FieldRegistration, Registration, fit::Placement};
use crate::{
    form::{Field, FormTemplate},
    geometry::{Point, Projection, Segment, solve_augmented},
    page::Page,
};

/// How far a frame may lie from where the page's fit puts it, millimetres. Neighbouring lines must be further away.
const REACH_MM: f64 = 2.5;
/// How far a part of the frame may lie from the frame's common shift, millimetres.
const SLACK_MM: f64 = 0.8;
/// Distance between samples along a frame's lines, millimetres.
const STEP_MM: f64 = 1.0;
/// Half the length over which a sample is averaged along its line, millimetres.
const HALF_TAP_MM: f64 = 0.4;
/// A printed line has lighter paper on both sides at this distance from its middle, millimetres.
const FLANK_MM: f64 = 0.6;
/// Grey levels, of 255, by which a line is darker than its flanks.
const MIN_CONTRAST: f64 = 12.0;
/// Contrast beyond which a sample counts no more, so that thick handwriting does not outweigh a thin frame.
const MAX_CONTRAST: f64 = 60.0;
/// Least share of the samples that must find the frame.
const MIN_FOUND: f64 = 0.4;
/// What a shift of the whole reach costs, as a share of the votes.
const SHIFT_COST: f64 = 0.3;
/// Weight that keeps a frame's slopes at the page's, in samples.
const SLOPE_PRIOR: f64 = 4.0;

/// Settles every field of `template`, placed on `page` by `placement`.
pub fn settle(page: &Page, template: &FormTemplate, placement: &Placement) -> Registration {
    let map = placement.page_from_template;
    let fields = template.fields.iter().map(|field| settle_field(&page.pixels, field, &map)).collect();
    Registration { page_from_template: map, residual_px: placement.residual_px, support: placement.support, fields }
}

/// A point of a printed line and how dark the page is across it.
struct Sample {
    template: Point,
    is_horizontal: bool,
    /// Contrast of a line at each offset, from `-REACH_MM` in steps of `step_mm`, in grey levels.
    contrast: Vec<f64>,
}

fn settle_field(pixels: &GrayImage, field: &Field, map: &Projection) -> FieldRegistration {
    let bounds = field.layout.bounds();
    let on_page = map
        .apply_rect(bounds)
        .into_iter()
        .all(|p| p.x >= 0.0 && p.y >= 0.0 && p.x <= f64::from(pixels.width()) && p.y <= f64::from(pixels.height()));
    let unsettled = FieldRegistration { page_from_template: *map, residual_px: None, on_page };
    let px_per_mm = map.scale_at(bounds.centre());
    let lines = field.layout.printed_lines();
    if lines.is_empty() || !on_page || !px_per_mm.is_finite() || px_per_mm <= 0.0 {
        return unsettled;
    }
    let step_mm = 0.5 / px_per_mm;
    let samples: Vec<Sample> = lines.iter().flat_map(|line| sample_line(pixels, *line, map, step_mm)).collect();
    let shift_down = common_shift(samples.iter().filter(|s| s.is_horizontal), step_mm);
    let shift_right = common_shift(samples.iter().filter(|s| !s.is_horizontal), step_mm);
    let found: Vec<(Point, bool, f64)> = samples
        .iter()
        .filter_map(|s| {
            let common = if s.is_horizontal { shift_down? } else { shift_right? };
            Some((s.template, s.is_horizontal, peak_near(&s.contrast, common, step_mm)?))
        })
        .collect();
    if (found.len() as f64) < MIN_FOUND * samples.len() as f64 {
        return unsettled;
    }
    let of_family = |horizontal: bool| -> Vec<(Point, f64)> {
        found.iter().filter(|f| f.1 == horizontal).map(|f| (f.0, f.2)).collect()
    };
    let centre = bounds.centre();
    let (Some(down), Some(right)) = (fit_shift(&of_family(true), centre), fit_shift(&of_family(false), centre)) else {
        return unsettled;
    };
    // The line's shift across itself, millimetres of the template, as an affine map of the template.
    let settled_from_template = Projection([
        1.0 + right[1],
        right[2],
        right[0] - right[1] * centre.x - right[2] * centre.y,
        down[1],
        1.0 + down[2],
        down[0] - down[1] * centre.x - down[2] * centre.y,
        0.0,
        0.0,
        1.0,
    ]);
    let at = |model: &[f64; 3], p: Point| model[0] + model[1] * (p.x - centre.x) + model[2] * (p.y - centre.y);
    let mut errors: Vec<f64> =
        found.iter().map(|&(p, horizontal, o)| (o - at(if horizontal { &down } else { &right }, p)).powi(2)).collect();
    // A tenth of the samples may have met handwriting.
    errors.sort_by(f64::total_cmp);
    errors.truncate((errors.len() * 9).div_ceil(10));
    let rms_mm = (errors.iter().sum::<f64>() / errors.len() as f64).sqrt();
    FieldRegistration {
        page_from_template: map.compose(&settled_from_template),
        residual_px: Some(rms_mm * px_per_mm),
        on_page,
    }
}

/// The contrast across `line` at points along it, the ends left out where other lines meet it.
fn sample_line(pixels: &GrayImage, line: Segment, map: &Projection, step_mm: f64) -> Vec<Sample> {
    let n = (line.length() / STEP_MM).floor().max(1.0) as usize;
    let is_horizontal = line.is_horizontal();
    let (along, across) = if is_horizontal {
        (Point::new(1.0, 0.0), Point::new(0.0, 1.0))
    } else {
        (Point::new(0.0, 1.0), Point::new(1.0, 0.0))
    };
    let n_side = (REACH_MM / step_mm).ceil() as usize;
    let n_flank = (FLANK_MM / step_mm).round().max(2.0) as usize;
    (0..n)
        .map(|i| {
            let template = line.at((i as f64 + 0.5) / n as f64);
            // Grey across the line, with flanks to either side, averaged over a few taps along it.
            let grey: Vec<f64> = (0..2 * (n_side + n_flank) + 1)
                .map(|k| {
                    let offset = (k as f64 - (n_side + n_flank) as f64) * step_mm;
                    let taps = [-HALF_TAP_MM, 0.0, HALF_TAP_MM];
                    taps.iter()
                        .map(|t| grey_at(pixels, map.apply(template + across * offset + along * *t)))
                        .sum::<f64>()
                        / taps.len() as f64
                })
                .collect();
            let contrast = (n_flank..grey.len() - n_flank)
                .map(|k| (grey[k - n_flank].min(grey[k + n_flank]) - grey[k]).clamp(0.0, MAX_CONTRAST))
                .collect();
            Sample { template, is_horizontal, contrast }
        })
        .collect()
}

/// Bilinear grey value, pixel i covering i to i + 1; white beside the page.
fn grey_at(pixels: &GrayImage, p: Point) -> f64 {
    let p = p - Point::new(0.5, 0.5);
    let (x, y) = (p.x.floor(), p.y.floor());
    let (fx, fy) = (p.x - x, p.y - y);
    let at = |x: f64, y: f64| {
        let on = x >= 0.0 && y >= 0.0 && x < f64::from(pixels.width()) && y < f64::from(pixels.height());
        if on { f64::from(pixels.get_pixel(x as u32, y as u32).0[0]) } else { 255.0 }
    };
    (1.0 - fy) * ((1.0 - fx) * at(x, y) + fx * at(x + 1.0, y))
        + fy * ((1.0 - fx) * at(x, y + 1.0) + fx * at(x + 1.0, y + 1.0))
}

/// The offset, millimetres, at which most of the samples see a line; `None` where none stands out.
fn common_shift<'a>(samples: impl Iterator<Item = &'a Sample>, step_mm: f64) -> Option<f64> {
    let mut votes: Vec<f64> = Vec::new();
    let mut n = 0usize;
    for sample in samples {
        votes.resize(sample.contrast.len(), 0.0);
        // A line a little off its place still votes: the widest contrast within the slack's third.
        for (vote, contrast) in votes.iter_mut().zip(&sample.contrast) {
            *vote += contrast;
        }
        n += 1;
    }
    let middle = (votes.len() / 2) as f64;
    let (best, _) = votes
        .iter()
        .enumerate()
        .map(|(k, v)| {
            let offset = (k as f64 - middle) * step_mm;
            (offset, v * (1.0 - SHIFT_COST * offset.abs() / REACH_MM))
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, v)| *v >= 0.5 * MIN_CONTRAST * n as f64)?;
    Some(best)
}

/// Where, within the slack of `common`, the sample sees its line; `None` where it sees none. Millimetres.
fn peak_near(contrast: &[f64], common: f64, step_mm: f64) -> Option<f64> {
    let middle = (contrast.len() / 2) as f64;
    let from = ((common - SLACK_MM) / step_mm + middle).floor().max(0.0) as usize;
    let to = (((common + SLACK_MM) / step_mm + middle).ceil() as usize).min(contrast.len().saturating_sub(1));
    // A stroke that runs beside the frame is as dark as it is, but further away.
    let nearness = |k: usize| 1.0 - 0.5 * ((k as f64 - middle) * step_mm - common).abs() / SLACK_MM;
    let best = (from..=to).max_by(|&i, &j| (contrast[i] * nearness(i)).total_cmp(&(contrast[j] * nearness(j))))?;
    let peak = contrast[best];
    if peak < MIN_CONTRAST {
        return None;
    }
    // The middle of what is at least half as dark as the peak and belongs to it, weighed by contrast.
    let is_dark = |k: &usize| contrast[*k] >= 0.5 * peak;
    let left = (from..=best).rev().take_while(is_dark).last().unwrap_or(best);
    let right = (best..=to).take_while(is_dark).last().unwrap_or(best);
    let (mut weight, mut sum) = (0.0, 0.0);
    for (k, c) in contrast.iter().enumerate().take(right + 1).skip(left) {
        weight += c;
        sum += c * (k as f64 - middle) * step_mm;
    }
    Some(sum / weight)
}

/// Shift and its slopes along x and y about `centre`, by least squares with Tukey's weights; no shift of no samples.
fn fit_shift(found: &[(Point, f64)], centre: Point) -> Option<[f64; 3]> {
    let mut model = [0.0; 3];
    if found.is_empty() {
        return Some(model);
    }
    let mut offsets: Vec<f64> = found.iter().map(|f| f.1).collect();
    offsets.sort_by(f64::total_cmp);
    model[0] = offsets[offsets.len() / 2];
    for _ in 0..5 {
        let mut rows = [[0.0; 4]; 3];
        for &(p, offset) in found {
            let terms = [1.0, p.x - centre.x, p.y - centre.y];
            let error = offset - terms.iter().zip(&model).map(|(t, m)| t * m).sum::<f64>();
            let weight = (1.0 - (error / SLACK_MM).powi(2)).max(0.0).powi(2);
            for i in 0..3 {
                for j in 0..3 {
                    rows[i][j] += weight * terms[i] * terms[j];
                }
                rows[i][3] += weight * terms[i] * offset;
            }
        }
        rows[0][0] += 1e-6;
        // 10 mm is the arm at which a slope's prior is worth its samples.
        rows[1][1] += SLOPE_PRIOR * 100.0;
        rows[2][2] += SLOPE_PRIOR * 100.0;
        model = solve_augmented(rows)?;
    }
    Some(model)
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::{
        form::{DigitCount, FieldKind, FieldLayout, PrintedSides},
        geometry::Rect,
    };

    fn boxed(frame: Rect) -> Field {
        Field {
            name: "total".to_owned(),
            kind: FieldKind::Integer,
            layout: FieldLayout::Box { frame, printed: PrintedSides::ALL },
            digits: DigitCount { min: 1, max: 5 },
            fillers: Vec::new(),
            fillers_mean: None,
            is_signed: false,
            checks: Default::default(),
        }
    }

    /// A frame drawn 0.7 mm right of and 0.5 mm below its place, with a thick stroke through it.
    #[test]
    fn a_field_finds_its_frame() {
        let scale = 10.0;
        let drawn = Rect::from_edges(100.0 + 7.0, 80.0 + 5.0, 400.0 + 7.0, 160.0 + 5.0);
        let pixels = GrayImage::from_fn(600, 300, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let on_frame = drawn.grown(1.5).contains(p) && !drawn.grown(-1.5).contains(p);
            let on_stroke = (200..212).contains(&x) && (60..190).contains(&y);
            Luma([if on_frame || on_stroke { 40 } else { 235 }])
        });
        let field = boxed(Rect::from_edges(10.0, 8.0, 40.0, 16.0));
        let settled = settle_field(&pixels, &field, &Projection::scaling(scale, scale));
        let residual_px = settled.residual_px.expect("the frame is there");
        assert!(residual_px < 0.6, "residual {residual_px}");
        for (corner, place) in field.layout.bounds().corners().into_iter().zip(drawn.corners()) {
            let off = settled.locate(corner) - place;
            assert!(off.norm() < 0.8, "{corner:?} is off by {off:?}");
        }
    }

    #[test]
    fn a_field_without_its_frame_keeps_the_page_s_fit() {
        let blank = GrayImage::from_pixel(600, 300, Luma([240]));
        let map = Projection::scaling(10.0, 10.0);
        let settled = settle_field(&blank, &boxed(Rect::from_edges(10.0, 8.0, 40.0, 16.0)), &map);
        assert_eq!((settled.residual_px, settled.page_from_template), (None, map));
        assert!(settled.on_page);
        assert!(!settle_field(&blank, &boxed(Rect::from_edges(50.0, 8.0, 70.0, 16.0)), &map).on_page);
    }
}
