//! Lets each field find its own printed frame, because paper bends and copies stretch.

use image::GrayImage;

use super::{FieldRegistration, Registration, fit::Placement, hold::Hold, params::SettleParams};
use crate::form::{Field, FieldLayout, FormTemplate};
use formread_page::Page;
use formread_raster::{
    add_profiles, checkpoint,
    geometry::{Point, Projection, Rect, Segment, solve_augmented},
};

/// Settles every field of `template`, placed on `page` by `placement`.
pub fn settle(page: &Page, template: &FormTemplate, placement: &Placement, params: &SettleParams) -> Registration {
    let map = placement.page_from_template;
    let own_shifts: Vec<Option<Shift>> =
        template.fields.iter().map(|field| own_shift(&page.pixels, &field.layout, &map, params)).collect();
    let centres: Vec<Point> = template.fields.iter().map(|field| field.layout.bounds().centre()).collect();
    let register_field = |(idx, field): (usize, &Field)| {
        let bounds = field.layout.bounds();
        let on_page = is_on_page(&page.pixels, bounds, &map);
        let is_framed = !field.layout.printed_lines().is_empty();
        let shift = match is_small(bounds, params) && is_framed && on_page {
            true => shift_among_neighbours(&centres, &own_shifts, idx, params),
            false => own_shifts[idx],
        };
        let is_loose =
            placement.hold.as_ref().is_some_and(|hold| loose_axes(field, shift.is_some(), hold, params) != [false; 2]);
        FieldRegistration { is_loose, ..field_registration(&map, bounds, on_page, shift) }
    };
    let fields = template.fields.iter().enumerate().map(register_field).collect();
    Registration { page_from_template: map, residual_px: placement.residual_px, support: placement.support, fields }
}

/// Whether nothing holds `field` along the template's x, and along its y: neither its own frame, where that is found, nor the
/// page's print.
pub fn loose_axes(field: &Field, frame_is_found: bool, hold: &Hold, params: &SettleParams) -> [bool; 2] {
    let sides = field.layout.printed_lines();
    let deviation_mm = hold.deviation_mm(field.layout.bounds().centre());
    // the sides that run up and down hold it sideways
    [(false, deviation_mm[0]), (true, deviation_mm[1])].map(|(is_horizontal, mm)| {
        let holds_itself = frame_is_found && sides.iter().any(|side| side.is_horizontal() == is_horizontal);
        !holds_itself && mm > params.max_deviation_mm
    })
}

/// A point of a printed line and the contrast of the page across it.
struct Sample {
    template: Point,
    is_horizontal: bool,
    /// Contrast of a line at each offset, from the largest on one side to the largest on the other, in grey levels.
    contrast: Vec<f64>,
}

/// The shift of a frame from the place that the page's fit gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shift {
    /// To the right, millimetres of the template at the frame's centre, and its slopes along x and y.
    right: [f64; 3],
    /// Downwards, likewise.
    down: [f64; 3],
    /// RMS distance of the frame's lines from where these put them, millimetres.
    rms_mm: f64,
}

/// Whether all of `bounds` is on the page.
fn is_on_page(pixels: &GrayImage, bounds: Rect, map: &Projection) -> bool {
    let (width, height) = (f64::from(pixels.width()), f64::from(pixels.height()));
    map.apply_rect(bounds).into_iter().all(|p| p.x >= 0.0 && p.y >= 0.0 && p.x <= width && p.y <= height)
}

/// Whether a frame is so small that a few strokes of writing outweigh it.
pub(super) fn is_small(bounds: Rect, params: &SettleParams) -> bool {
    bounds.width().max(bounds.height()) < params.reach_mm / params.small_reach_share
}

/// The shift of the small frame `idx`, compared with those of the frames near it: paper bends, but not from one box to the
/// next. Where writing hides it, it takes their shift; where none is near, it counts as found only where it lies as the page
/// does. `centres` are those of the fields, millimetres, and `own_shifts` what each of them has by itself.
fn shift_among_neighbours(
    centres: &[Point],
    own_shifts: &[Option<Shift>],
    idx: usize,
    params: &SettleParams,
) -> Option<Shift> {
    let is_trusted = |shift: &Shift| shift.rms_mm <= params.max_trusted_rms_mm;
    if own_shifts[idx].as_ref().is_some_and(is_trusted) {
        return own_shifts[idx];
    }
    let trusted = |i: usize| own_shifts[i].filter(is_trusted).map(|shift| ((centres[i] - centres[idx]).norm(), shift));
    let is_near = |(distance_mm, _): &(f64, Shift)| *distance_mm <= params.max_neighbour_mm;
    let mut near: Vec<(f64, Shift)> = (0..own_shifts.len()).filter_map(trusted).filter(is_near).collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.truncate(params.max_neighbours);
    if near.is_empty() {
        let is_in_place = |own: &Shift| Point::new(own.right[0], own.down[0]).norm() <= params.max_off_neighbours_mm;
        return own_shifts[idx].filter(is_in_place);
    }
    let median = |of: fn(&Shift) -> f64| {
        let mut values: Vec<f64> = near.iter().map(|(_, shift)| of(shift)).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let common = Point::new(median(|shift| shift.right[0]), median(|shift| shift.down[0]));
    let off = |shift: &Shift| (Point::new(shift.right[0], shift.down[0]) - common).norm();
    let rms_mm = (near.iter().map(|(_, shift)| off(shift).powi(2)).sum::<f64>() / near.len() as f64).sqrt();
    let theirs = Shift { right: [common.x, 0.0, 0.0], down: [common.y, 0.0, 0.0], rms_mm };
    Some(own_shifts[idx].filter(|own| off(own) <= params.max_off_neighbours_mm).unwrap_or(theirs))
}

/// The field's registration where its frame is shifted by `shift`, or was not found (`None`).
fn field_registration(map: &Projection, bounds: Rect, on_page: bool, shift: Option<Shift>) -> FieldRegistration {
    let Some(Shift { right, down, rms_mm }) = shift else {
        return FieldRegistration { page_from_template: *map, residual_px: None, on_page, is_loose: false };
    };
    let centre = bounds.centre();
    // The shift as an affine map of the template.
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
    FieldRegistration {
        page_from_template: map.compose(&settled_from_template),
        residual_px: Some(rms_mm * map.scale_at(centre)),
        on_page,
        is_loose: false,
    }
}

/// The shift of the printed frame of one field; `None` where it has none, or it was not found.
fn own_shift(pixels: &GrayImage, layout: &FieldLayout, map: &Projection, params: &SettleParams) -> Option<Shift> {
    checkpoint();
    let bounds = layout.bounds();
    let px_per_mm = map.scale_at(bounds.centre());
    let lines = layout.printed_lines();
    if lines.is_empty() || !is_on_page(pixels, bounds, map) || !px_per_mm.is_finite() || px_per_mm <= 0.0 {
        return None;
    }
    let step_mm = 0.5 / px_per_mm;
    let sample = |line: &Segment| {
        let side = if line.is_horizontal() { bounds.height() } else { bounds.width() };
        let (along_mm, reach_mm) = match is_small(bounds, params) {
            true => (params.small_step_mm, params.small_reach_share * side),
            false => (params.step_mm, params.reach_mm),
        };
        sample_line(pixels, *line, map, ProfileSamples { along_mm, across_mm: step_mm, reach_mm }, params)
    };
    let by_line: Vec<Vec<Sample>> = lines.iter().map(sample).collect();
    let samples = || by_line.iter().flatten();
    let shift_down = common_shift(samples().filter(|s| s.is_horizontal), step_mm, params);
    let shift_right = common_shift(samples().filter(|s| !s.is_horizontal), step_mm, params);
    let place = |s: &Sample| {
        let common = if s.is_horizontal { shift_down? } else { shift_right? };
        Some((s.template, s.is_horizontal, peak_near(&s.contrast, common, step_mm, params)?))
    };
    let found: Vec<(Point, bool, f64)> = samples().filter_map(place).collect();
    let is_found = |n_found: usize, n: usize, min_share: f64| n_found as f64 >= min_share * n as f64;
    // a side of which nothing is there is the side of another frame
    let is_seen =
        |line: &Vec<Sample>| is_found(line.iter().filter_map(place).count(), line.len(), params.min_side_found);
    if !is_found(found.len(), samples().count(), params.min_found) || !by_line.iter().all(is_seen) {
        return None;
    }
    let of_family = |horizontal: bool| -> Vec<(Point, f64)> {
        found.iter().filter(|f| f.1 == horizontal).map(|f| (f.0, f.2)).collect()
    };
    let centre = bounds.centre();
    let [down, right] = [true, false].map(|horizontal| fit_shift(&of_family(horizontal), centre, params));
    let (down, right) = (down?, right?);
    let at = |model: &[f64; 3], p: Point| model[0] + model[1] * (p.x - centre.x) + model[2] * (p.y - centre.y);
    let mut errors: Vec<f64> =
        found.iter().map(|&(p, horizontal, o)| (o - at(if horizontal { &down } else { &right }, p)).powi(2)).collect();
    // A tenth of the samples may have met handwriting.
    errors.sort_by(f64::total_cmp);
    errors.truncate((errors.len() * 9).div_ceil(10));
    let rms_mm = (errors.iter().sum::<f64>() / errors.len() as f64).sqrt();
    Some(Shift { right, down, rms_mm })
}

/// Where the profiles across a line are sampled, millimetres.
#[derive(Debug, Clone, Copy)]
struct ProfileSamples {
    /// From one point of the line to the next.
    along_mm: f64,
    /// From one offset across it to the next.
    across_mm: f64,
    /// Largest offset to either side.
    reach_mm: f64,
}

/// The contrast across `line` at points along it. The ends are left out, where other lines meet it.
fn sample_line(
    pixels: &GrayImage,
    line: Segment,
    map: &Projection,
    samples: ProfileSamples,
    params: &SettleParams,
) -> Vec<Sample> {
    let ProfileSamples { along_mm, across_mm: step_mm, reach_mm } = samples;
    let &SettleParams { half_average_mm, max_contrast, .. } = params;
    let n = (line.length() / along_mm).floor().max(1.0) as usize;
    let is_horizontal = line.is_horizontal();
    let (along, across) = if is_horizontal {
        (Point::new(1.0, 0.0), Point::new(0.0, 1.0))
    } else {
        (Point::new(0.0, 1.0), Point::new(1.0, 0.0))
    };
    let n_side = (reach_mm / step_mm).ceil() as usize;
    let n_flank = (params.flank_mm / step_mm).round().max(2.0) as usize;
    let mut grey = vec![0.0; 2 * (n_side + n_flank) + 1];
    (0..n)
        .map(|i| {
            let template = line.at((i as f64 + 0.5) / n as f64);
            // Grey across the line, with flanks to either side, averaged over three profiles.
            grey.fill(0.0);
            let reach = across * ((n_side + n_flank) as f64 * step_mm);
            let offsets = [-half_average_mm, 0.0, half_average_mm];
            // over some millimetres every map is as good as affine
            let middles = offsets.map(|offset| template + along * offset);
            let profiles = middles.map(|middle| [middle - reach, middle + reach].map(|p| map.apply(p)));
            add_profiles(pixels, profiles, &mut grey);
            grey.iter_mut().for_each(|grey| *grey /= offsets.len() as f64);
            let contrast = (n_flank..grey.len() - n_flank)
                .map(|k| (grey[k - n_flank].min(grey[k + n_flank]) - grey[k]).clamp(0.0, max_contrast))
                .collect();
            Sample { template, is_horizontal, contrast }
        })
        .collect()
}

/// The offset, millimetres, at which most of the samples show a line; `None` where none is clear.
fn common_shift<'a>(samples: impl Iterator<Item = &'a Sample>, step_mm: f64, params: &SettleParams) -> Option<f64> {
    let mut votes: Vec<f64> = Vec::new();
    let mut n = 0usize;
    for sample in samples {
        votes.resize(sample.contrast.len(), 0.0);
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
            (offset, v * (1.0 - params.shift_cost * offset.abs() / params.reach_mm))
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, v)| *v >= 0.5 * params.min_contrast * n as f64)?;
    Some(best)
}

/// The offset within the slack of `common`, millimetres, at which the sample shows its line; `None` where it shows none.
fn peak_near(contrast: &[f64], common: f64, step_mm: f64, params: &SettleParams) -> Option<f64> {
    let &SettleParams { slack_mm, min_contrast, .. } = params;
    let middle = (contrast.len() / 2) as f64;
    let from = ((common - slack_mm) / step_mm + middle).floor().max(0.0) as usize;
    let to = (((common + slack_mm) / step_mm + middle).ceil() as usize).min(contrast.len().saturating_sub(1));
    // A stroke that runs beside the frame is as dark as it is, but further away.
    let nearness = |k: usize| 1.0 - 0.5 * ((k as f64 - middle) * step_mm - common).abs() / slack_mm;
    let best = (from..=to).max_by(|&i, &j| (contrast[i] * nearness(i)).total_cmp(&(contrast[j] * nearness(j))))?;
    let peak = contrast[best];
    if peak < min_contrast {
        return None;
    }
    // The middle of what is at least half as dark as the peak and belongs to it, weighted by contrast.
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
fn fit_shift(found: &[(Point, f64)], centre: Point, params: &SettleParams) -> Option<[f64; 3]> {
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
            let weight = (1.0 - (error / params.slack_mm).powi(2)).max(0.0).powi(2);
            for i in 0..3 {
                for j in 0..3 {
                    rows[i][j] += weight * terms[i] * terms[j];
                }
                rows[i][3] += weight * terms[i] * offset;
            }
        }
        rows[0][0] += 1e-6;
        // 10 mm is the arm at which a slope's prior is worth its samples.
        rows[1][1] += params.slope_prior * 100.0;
        rows[2][2] += params.slope_prior * 100.0;
        model = solve_augmented(rows)?;
    }
    Some(model)
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::form::PrintedSides;

    fn params() -> SettleParams {
        SettleParams::default()
    }

    fn boxed(frame: Rect) -> FieldLayout {
        FieldLayout::Box { frame, printed: PrintedSides::ALL }
    }

    /// A frame drawn 0.7 mm right of and 0.5 mm below its place, with a thick stroke through it.
    #[test]
    fn own_shift_follows_a_frame_with_a_stroke_through_it() {
        let scale = 10.0;
        let drawn = Rect::from_edges(100.0 + 7.0, 80.0 + 5.0, 400.0 + 7.0, 160.0 + 5.0);
        let pixels = GrayImage::from_fn(600, 300, |x, y| {
            let p = Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
            let on_frame = drawn.inflate(1.5).contains(p) && !drawn.inflate(-1.5).contains(p);
            let on_stroke = (200..212).contains(&x) && (60..190).contains(&y);
            Luma([if on_frame || on_stroke { 40 } else { 235 }])
        });
        let field = boxed(Rect::from_edges(10.0, 8.0, 40.0, 16.0));
        let map = Projection::scaling(scale, scale);
        let settled = field_registration(&map, field.bounds(), true, own_shift(&pixels, &field, &map, &params()));
        let residual_px = settled.residual_px.expect("the frame is there");
        assert!(residual_px < 0.6, "residual {residual_px}");
        for (corner, place) in field.bounds().corners().into_iter().zip(drawn.corners()) {
            let off = settled.locate(corner) - place;
            assert!(off.norm() < 0.8, "{corner:?} is off by {off:?}");
        }
    }

    #[test]
    fn own_shift_without_a_frame_on_the_page_is_none() {
        let blank = GrayImage::from_pixel(600, 300, Luma([240]));
        let map = Projection::scaling(10.0, 10.0);
        for (x0, is_inside) in [(10.0, true), (50.0, false)] {
            let field = boxed(Rect::from_xywh(x0, 8.0, 30.0, 8.0));
            assert_eq!(is_on_page(&blank, field.bounds(), &map), is_inside);
            assert_eq!(own_shift(&blank, &field, &map, &params()), None);
        }
        let bounds = Rect::from_edges(10.0, 8.0, 40.0, 16.0);
        let unsettled = field_registration(&map, bounds, true, None);
        assert_eq!((unsettled.residual_px, unsettled.page_from_template), (None, map));
    }

    #[test]
    fn small_frame_that_is_hidden_takes_its_neighbours_shift() {
        let centres: Vec<Point> = (0..6).map(|i| Point::new(50.0, 20.0 + 4.0 * f64::from(i))).collect();
        let shift = |right: f64, rms_mm: f64| Some(Shift { right: [right, 0.0, 0.0], down: [0.2, 0.0, 0.0], rms_mm });
        // the second was not found, the fourth taken for the strokes in it
        let alone = [shift(0.3, 0.02), None, shift(0.35, 0.05), shift(-0.6, 0.4), shift(0.3, 0.03), shift(0.4, 0.02)];
        for idx in 0..6 {
            let shift = shift_among_neighbours(&centres, &alone, idx, &params()).expect("most were found");
            assert!((0.25..0.45).contains(&shift.right[0]) && shift.rms_mm < 0.2, "{idx}: {shift:?}");
        }
        let trusted = [alone[0], alone[0], alone[2], shift(-0.6, 0.02), alone[4], alone[5]];
        assert_eq!(
            shift_among_neighbours(&centres, &trusted, 3, &params()),
            trusted[3],
            "a trusted frame keeps its own"
        );
        let far: Vec<Point> = centres.iter().map(|p| *p * 20.0).collect();
        assert_eq!(
            shift_among_neighbours(&far, &alone, 3, &params()),
            None,
            "none is near, and it lies off the page's fit"
        );
    }

    /// Contrast across a line, as a sample has it: 60 within a step of `at`, else 0.
    fn contrast(at: f64, step_mm: f64) -> Vec<f64> {
        let n_side = (params().reach_mm / step_mm) as i32;
        (-n_side..=n_side)
            .map(|k| if (f64::from(k) * step_mm - at).abs() <= 1.01 * step_mm { 60.0 } else { 0.0 })
            .collect()
    }

    #[test]
    fn settle_field_on_bent_paper_follows_its_own_frame() {
        let form = crate::register::tests::form("x", "");
        let map = crate::register::tests::UPRIGHT;
        // the first field lies 1 mm lower than the page's fit puts it, the second where it should be
        let bent = Projection::translation(0.0, 1.0);
        let [first, second] = [0, 1].map(|i: usize| form.fields[i].layout.printed_lines());
        let lines: Vec<Segment> = first.into_iter().map(|line| bent.apply_segment(line)).chain(second).collect();
        let page = crate::register::tests::drawn(&lines, &map);
        let placement = Placement {
            page_from_template: map,
            residual_px: 0.3,
            support: 1.0,
            printed: 1.0,
            words: None,
            explained: 1.0,
            hold: None,
            rival_mm: None,
        };
        let registration = settle(&page, &form, &placement, &params());
        for (field, down_mm) in registration.fields.iter().zip([1.0, 0.0]) {
            assert!(field.residual_px.is_some_and(|px| px < 0.5), "{field:?}");
            let corner = Point::new(30.0, 40.0);
            let off = field.locate(corner) - map.apply(corner + Point::new(0.0, down_mm));
            assert!(off.norm() < 1.0, "{down_mm} mm down: {off:?} px off");
        }
        assert_eq!((registration.page_from_template, registration.residual_px), (map, 0.3));
    }

    #[test]
    fn common_shift_of_most_samples_wins_and_flat_contrast_has_none() {
        let step_mm = 0.1;
        let sample = |contrast| Sample { template: Point::default(), is_horizontal: true, contrast };
        let at = |offsets: &[f64]| {
            let samples: Vec<Sample> = offsets.iter().map(|&offset| sample(contrast(offset, step_mm))).collect();
            common_shift(samples.iter(), step_mm, &params())
        };
        let found = at(&[0.7, 0.7, 0.7, -1.5]).expect("a line is there");
        assert!((found - 0.7).abs() < 0.11, "{found}");
        let flat = sample(vec![0.0; 51]);
        assert_eq!(common_shift([&flat].into_iter(), step_mm, &params()), None);
        assert_eq!(common_shift([].into_iter(), step_mm, &params()), None);
    }

    #[test]
    fn peak_beside_the_common_shift_is_a_stroke_and_not_the_line() {
        let step_mm = 0.1;
        let found = peak_near(&contrast(0.5, step_mm), 0.4, step_mm, &params()).expect("it is near");
        assert!((found - 0.5).abs() < 1e-9, "{found}");
        assert_eq!(peak_near(&contrast(2.0, step_mm), 0.4, step_mm, &params()), None, "it is out of reach");
        let faint: Vec<f64> = contrast(0.5, step_mm).iter().map(|c| c / 6.0).collect();
        assert_eq!(peak_near(&faint, 0.4, step_mm, &params()), None, "it is too faint");
        let (near, far) = (contrast(0.4, step_mm), contrast(1.0, step_mm));
        let both: Vec<f64> = near.iter().zip(&far).map(|(a, b)| a.max(*b)).collect();
        let found = peak_near(&both, 0.4, step_mm, &params()).expect("both are in reach");
        assert!((found - 0.4).abs() < 1e-9, "the nearer one: {found}");
    }

    #[test]
    fn fit_shift_with_one_sample_far_off_follows_the_others() {
        let centre = Point::new(20.0, 10.0);
        let mut found: Vec<(Point, f64)> = (0..9).map(|i| (Point::new(5.0 * f64::from(i), 10.0), 0.4)).collect();
        found.push((Point::new(45.0, 10.0), 2.4));
        let [shift, along, across] = fit_shift(&found, centre, &params()).expect("they are no trouble");
        assert!((shift - 0.4).abs() < 0.01 && along.abs() < 0.001 && across.abs() < 0.001, "{shift} {along} {across}");
        assert_eq!(fit_shift(&[], centre, &params()), Some([0.0; 3]));
    }

    #[test]
    fn fit_shift_of_a_slanted_frame_has_a_slope() {
        let centre = Point::new(50.0, 10.0);
        let found: Vec<(Point, f64)> =
            (0..=100).map(|x| (Point::new(f64::from(x), 10.0), 0.2 + 0.005 * (f64::from(x) - 50.0))).collect();
        let [shift, along, _] = fit_shift(&found, centre, &params()).expect("they are no trouble");
        assert!((shift - 0.2).abs() < 0.01 && (along - 0.005).abs() < 0.001, "{shift} {along}");
    }
}
