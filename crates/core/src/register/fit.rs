//! Refines a placement that is about right to an exact one, by iterated closest lines.
//!
//! As iterated closest points (Besl and McKay, 1992) with the distance from point to line (Chen and Medioni, 1992):
//! each sample of the template's lines finds the nearest piece of a line of its own direction on the page; the map that
//! brings all of them onto their lines is found by least squares with Tukey's weights. This is repeated with a smaller reach.
//!
//! Words and marks take part with less weight, since they are found less exactly: they hold a form of lines along its lines.

use super::{
    anchors,
    bands::Piece,
    evidence::PageEvidence,
    hold::Hold,
    params::FitParams,
    search::{Balance, LineModel},
};
use formread_raster::{
    checkpoint,
    geometry::{Point, Projection, Rect, solve_augmented},
};

/// A template laid on a page, before its fields settle.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Template millimetres to page pixels.
    pub page_from_template: Projection,
    /// RMS distance of the samples found from their lines, pixels.
    pub residual_px: f64,
    /// Share of the samples on the page that found a line, each counted by how near it is, less what a template
    /// displaced at random finds: 1 is all of them exactly, 0 is chance.
    pub support: f64,
    /// Share of the words and marks on the page that are inked, 0 to 1; 1 of none.
    pub printed: f64,
    /// Share of them that are where this puts them, each with paper around it, less what is found a few millimetres off, 0 to 1.
    /// `None` where lines suffice, so that it was not measured, or where fewer than [`AnchorParams::min_deciding`] are on the page.
    ///
    /// [`AnchorParams::min_deciding`]: super::print_params::AnchorParams::min_deciding
    pub words: Option<f64>,
    /// Share of the length of the page's long lines, where the form lies, that the template has too, 0 to 1.
    pub explained: f64,
    /// How firmly all of this holds it; `None` where that was not measured.
    pub hold: Option<Hold>,
    /// A shift of the form, millimetres, after which it fits the page as well.
    pub rival_mm: Option<Point>,
}

impl Placement {
    /// The same on the page as it is, where `evidence` was measured on the page turned.
    pub fn on_page(self, evidence: &PageEvidence) -> Self {
        match evidence.page_from_turned() {
            Some(page_from_turned) => {
                Self { page_from_template: page_from_turned.compose(&self.page_from_template), ..self }
            }
            None => self,
        }
    }

    /// Score by which placements of one or several templates are compared, 0 to 1: by lines, or, where that is higher, by lines and
    /// words alike.
    pub fn score(&self, params: &FitParams) -> f64 {
        let &FitParams { printed_weight, explained_weight, .. } = params;
        let support = self.words.map_or(self.support, |words| f64::midpoint(self.support, words).max(self.support));
        (1.0 - printed_weight - explained_weight) * support
            + printed_weight * self.printed
            + explained_weight * self.explained
    }
}

/// A sample (place and direction, millimetres) and the line it lies on: the line's point and unit normal, page pixels.
pub(super) struct Pair {
    template: Point,
    direction: Point,
    on: Point,
    normal: Point,
    /// How much less exact it is than a sample of a line.
    deviation: f64,
}

/// The best of `starts`, refined; `None` where none can be, or only by an absurd distortion.
pub fn refine(
    evidence: &PageEvidence,
    model: &LineModel,
    starts: Vec<Projection>,
    params: &FitParams,
) -> Option<Placement> {
    let rough_samples = &model.samples[..params.n_rough_samples.min(model.samples.len())];
    let rough_anchors = &model.anchors[..params.n_rough_anchors.min(model.anchors.len())];
    let mut rough: Vec<(f64, Projection)> = starts
        .into_iter()
        .filter_map(|mut map| {
            for reach_mm in params.rough_reaches_mm {
                let found = find_pairs(evidence, rough_samples, &map, reach_mm, params);
                let anchored = find_anchors(evidence, rough_anchors, &map, reach_mm, params);
                map = solve(&found, &anchored, &map, model, Freedom::Affine, params.min_pairs)?;
            }
            let anchored = find_anchors(evidence, rough_anchors, &map, params.found_mm, params).len() as f64 / 2.0;
            let anchored = params.printed_weight * anchored / rough_anchors.len().max(1) as f64;
            Some((closeness(evidence, rough_samples, &map, params) + anchored, map))
        })
        .collect();
    rough.sort_by(|a, b| b.0.total_cmp(&a.0));
    rough.truncate(params.max_refined);
    rough
        .into_iter()
        .filter_map(|(anchored, start)| Some((anchored, refine_one(evidence, model, start, params)?)))
        .max_by(|(a, p), (b, q)| (a + p.score(params)).total_cmp(&(b + q.score(params))))
        .map(|(_, placement)| placement)
}

fn refine_one(evidence: &PageEvidence, model: &LineModel, start: Projection, params: &FitParams) -> Option<Placement> {
    let fit = |map: &Projection, reach_mm: f64, freedom: Freedom| {
        let found = find_pairs(evidence, &model.samples, map, reach_mm, params);
        let anchored = find_anchors(evidence, &model.anchors, map, reach_mm, params);
        solve(&found, &anchored, map, model, freedom, params.min_pairs)
    };
    let mut affine = start;
    for reach_mm in params.affine_reaches_mm {
        affine = fit(&affine, reach_mm, Freedom::Affine)?;
    }
    let mut projective = affine;
    for reach_mm in params.projective_reaches_mm {
        projective = fit(&projective, reach_mm, Freedom::Projective)?;
    }
    let flat = assess(evidence, model, affine, params);
    let tilted = assess(evidence, model, projective, params);
    let is_tilted = tilted.support > flat.support + params.min_projective_support_gain
        || tilted.support > flat.support - params.max_projective_support_loss
            && tilted.residual_px < params.max_projective_residual_ratio * flat.residual_px;
    let best = if is_tilted { tilted } else { flat };
    let hold = hold(evidence, model, &best.page_from_template, params);
    is_plausible(&best.page_from_template, model, params).then_some(Placement { hold, ..best })
}

/// Whether the map keeps the form's face up and its shape within the limits, at each corner.
fn is_plausible(map: &Projection, model: &LineModel, params: &FitParams) -> bool {
    let limits = if map.is_affine() { params.flat } else { params.tilted };
    let centre_scale = map.scale_at(model.page.centre());
    model.page.corners().into_iter().chain([model.page.centre()]).all(|p| {
        let [a, b, c, d] = map.jacobian(p);
        let (along, across) = (a.hypot(c), b.hypot(d));
        let determinant = a * d - b * c;
        let scale = determinant.abs().sqrt();
        determinant > 0.0
            && along < limits.max_stretch * across
            && across < limits.max_stretch * along
            && determinant > limits.min_axes_sine * along * across
            && (0.4..2.5).contains(&(scale / centre_scale))
    })
}

/// How near the samples on the page are to lines: 1 on them, 0 from [`FitParams::found_mm`] on. The lines that run along the
/// form and those that run across it count the same, however many there are: both are needed to fix its place.
fn closeness(evidence: &PageEvidence, samples: &[(Point, Point)], map: &Projection, params: &FitParams) -> f64 {
    let mut tally = Balance::default();
    for (p, direction) in samples {
        if evidence.is_on_page(map.apply(*p)) {
            tally.expect(*direction);
        }
    }
    for pair in find_pairs(evidence, samples, map, params.found_mm, params) {
        let off = distance(&pair, map) / (params.found_mm * map.scale_at(pair.template));
        tally.add(pair.direction, 1.0 - off.powi(2).min(1.0));
    }
    tally.mean()
}

/// The placement by `map`, with its residual and all that its score is made of.
fn assess(evidence: &PageEvidence, model: &LineModel, map: Projection, params: &FitParams) -> Placement {
    let found = find_pairs(evidence, &model.samples, &map, params.found_mm, params);
    let squared: f64 = found.iter().map(|pair| distance(pair, &map).powi(2)).sum();
    let chance_samples = &model.samples[..params.n_rough_samples.min(model.samples.len())];
    let chance: f64 = params
        .chance_shifts_mm
        .iter()
        .map(|(dx, dy)| closeness(evidence, chance_samples, &map.compose(&Projection::translation(*dx, *dy)), params))
        .sum::<f64>()
        / params.chance_shifts_mm.len() as f64;
    let support = (closeness(evidence, &model.samples, &map, params) - chance) / (1.0 - chance).max(f64::MIN_POSITIVE);
    let (mut n_printed, mut n_inked) = (0, 0);
    for bounds in &model.printed {
        // The box that lies inside the turned box, so that neighbours do not count.
        let quad = map.apply_rect(*bounds);
        let centre = quad.iter().fold(Point::default(), |sum, &p| sum + p * 0.25);
        let inner = quad.map(|p| centre + (p - centre) * 0.9);
        let inked = Rect::around(inner).and_then(|b| evidence.ink_share_within(b));
        n_printed += usize::from(inked.is_some());
        n_inked += usize::from(inked.is_some_and(|share| share > params.min_printed_ink_share));
    }
    Placement {
        page_from_template: map,
        residual_px: (squared / found.len().max(1) as f64).sqrt(),
        support: support.max(0.0),
        explained: explained_share(evidence, model, &map, params),
        printed: if n_printed == 0 { 1.0 } else { n_inked as f64 / n_printed as f64 },
        words: None,
        hold: None,
        rival_mm: None,
    }
}

/// Share of the length of the page's long lines within the form's bounds that lie along lines of the template.
fn explained_share(evidence: &PageEvidence, model: &LineModel, map: &Projection, params: &FitParams) -> f64 {
    let near_mm = params.explained_mm;
    let Some(template_from_page) = map.inverse() else { return 0.0 };
    let Some(bounds) = Rect::around(model.lines.iter().flat_map(|s| [s.a, s.b])) else { return 0.0 };
    let (mut explained_mm, mut total_mm) = (0.0, 0.0);
    let whole = &evidence.lines.whole;
    for line in whole.horizontal.iter().chain(&whole.vertical) {
        let line = template_from_page.apply_segment(*line);
        if line.length() < params.min_printed_line_mm || !bounds.contains(line.middle()) {
            continue;
        }
        total_mm += line.length();
        if model.other_print.iter().any(|area| area.inflate(near_mm).contains(line.middle())) {
            explained_mm += line.length();
            continue;
        }
        let n = (line.length() / 4.0).ceil();
        let along = line.direction();
        let is_near = |p: Point| {
            model.lines.iter().any(|own| {
                let direction = own.direction();
                let t = (p - own.a).dot(direction);
                direction.cross(along).abs() < params.max_sine
                    && direction.cross(p - own.a).abs() < near_mm
                    && (-near_mm..=own.length() + near_mm).contains(&t)
            })
        };
        let n_near = (0..n as usize).filter(|i| is_near(line.at((*i as f64 + 0.5) / n))).count();
        explained_mm += line.length() * n_near as f64 / n;
    }
    if total_mm > 0.0 { explained_mm / total_mm } else { 0.0 }
}

/// Signed distance of a sample from its line, pixels.
fn distance(pair: &Pair, map: &Projection) -> f64 {
    pair.normal.dot(map.apply(pair.template) - pair.on)
}

/// Each sample that finds a line of its direction within reach, with that line.
fn find_pairs(
    evidence: &PageEvidence,
    samples: &[(Point, Point)],
    map: &Projection,
    reach_mm: f64,
    params: &FitParams,
) -> Vec<Pair> {
    checkpoint();
    let &FitParams { max_sine, overhang_mm, .. } = params;
    let mut pairs = Vec::with_capacity(samples.len());
    // of most maps it is the same everywhere, and most lines run in one of two directions
    let affine = map.is_affine().then(|| map.jacobian(Point::default()));
    let mut before: [Option<(Point, (Point, f64))>; 2] = [None; 2];
    for &(template, own_direction) in samples {
        let place = map.apply(template);
        if !evidence.is_on_page(place) {
            continue;
        }
        let before = &mut before[usize::from(own_direction.x.abs() < own_direction.y.abs())];
        let (direction, px_per_mm) = match before.filter(|(same, _)| affine.is_some() && *same == own_direction) {
            Some((_, on_page)) => on_page,
            None => on_page(affine.unwrap_or_else(|| map.jacobian(template)), own_direction),
        };
        *before = Some((own_direction, (direction, px_per_mm)));
        if !px_per_mm.is_finite() {
            continue;
        }
        let family = &evidence.bands[usize::from(direction.x.abs() < direction.y.abs())];
        let (reach_px, overhang_px) = (reach_mm * px_per_mm, overhang_mm * px_per_mm);
        let mut nearest: Option<(f64, &Piece)> = None;
        // off the piece by the reach, a place may be as far beyond its end
        for piece in family.near(place, reach_px, overhang_px + reach_px) {
            let Piece { start, along, length } = *piece;
            let off_px = along.cross(place - start).abs();
            let t = (place - start).dot(along);
            let fits = along.cross(direction).abs() < max_sine
                && off_px <= reach_px
                && (-overhang_px..=length + overhang_px).contains(&t);
            if fits && nearest.is_none_or(|(nearest_px, _)| off_px < nearest_px) {
                nearest = Some((off_px, piece));
            }
        }
        if let Some((_, &Piece { start, along, .. })) = nearest {
            let normal = Point::new(-along.y, along.x);
            pairs.push(Pair { template, direction: own_direction, on: start, normal, deviation: 1.0 });
        }
    }
    pairs
}

/// A direction of the template on the page, a unit vector, and pixels of the page per millimetre, by the `jacobian` of the map there.
fn on_page([a, b, c, d]: [f64; 4], direction: Point) -> (Point, f64) {
    let direction = Point::new(a * direction.x + b * direction.y, c * direction.x + d * direction.y);
    (direction * (1.0 / direction.norm().max(f64::MIN_POSITIVE)), (a * d - b * c).abs().sqrt())
}

/// The words and marks that are found within reach, each held in both directions of the page.
pub(super) fn find_anchors(
    evidence: &PageEvidence,
    anchors: &[Rect],
    map: &Projection,
    reach_mm: f64,
    params: &FitParams,
) -> Vec<Pair> {
    let held = |bounds: &Rect| {
        let shift = anchors::locate(evidence, *bounds, map, reach_mm, &params.anchor)?;
        let template = bounds.centre();
        let on = map.apply(template) + shift;
        let pair = |direction: Point, normal: Point| Pair {
            template,
            direction,
            on,
            normal,
            deviation: params.anchor.deviation,
        };
        let (right, down) = (Point::new(1.0, 0.0), Point::new(0.0, 1.0));
        Some([pair(down, right), pair(right, down)])
    };
    anchors.iter().filter_map(held).flatten().collect()
}

/// How firmly the print of a form holds it where all of it is found.
pub fn ideal_hold(model: &LineModel, params: &FitParams) -> Option<Hold> {
    let (right, down) = (Point::new(1.0, 0.0), Point::new(0.0, 1.0));
    let pair = |template: Point, direction: Point, deviation: f64| {
        let normal = Point::new(-direction.y, direction.x);
        Pair { template, direction, on: template, normal, deviation }
    };
    let found: Vec<Pair> = model.samples.iter().map(|&(p, direction)| pair(p, direction, 1.0)).collect();
    let located = |r: &Rect| [right, down].map(|direction| pair(r.centre(), direction, params.anchor.deviation));
    let anchored: Vec<Pair> = model.anchors.iter().flat_map(located).collect();
    hold_of(&found, &anchored, &Projection::IDENTITY, model, params)
}

/// How firmly the print that is found at `map` holds it there.
fn hold(evidence: &PageEvidence, model: &LineModel, map: &Projection, params: &FitParams) -> Option<Hold> {
    let found = find_pairs(evidence, &model.samples, map, params.found_mm, params);
    let anchored = find_anchors(evidence, &model.anchors, map, params.found_mm, params);
    hold_of(&found, &anchored, map, model, params)
}

fn hold_of(found: &[Pair], anchored: &[Pair], map: &Projection, model: &LineModel, params: &FitParams) -> Option<Hold> {
    let unit_from_template = unit_from_template(model);
    let current = map.compose(&unit_from_template.inverse()?);
    let equations = normal_equations(found, anchored, map, &current, &unit_from_template);
    let mut affine: [[f64; 6]; 6] = std::array::from_fn(|i| std::array::from_fn(|j| equations[i][j]));
    // so that what nothing holds is far off, and not infinitely far
    (0..6).for_each(|i| affine[i][i] += 1e-6);
    Hold::new(*map, unit_from_template, &affine, params.landmark_mm)
}

/// How much a fit may bend the template.
#[derive(Clone, Copy, PartialEq)]
enum Freedom {
    Affine,
    Projective,
}

/// The template's page scaled to about 1, so that the unknowns of a fit are of similar size.
fn unit_from_template(model: &LineModel) -> Projection {
    let (centre, side) = (model.page.centre(), model.page.width().max(model.page.height()) / 2.0);
    Projection::scaling(1.0 / side, 1.0 / side).compose(&Projection::translation(-centre.x, -centre.y))
}

/// The map that brings the samples onto their lines and the anchors onto their ink, by weighted least squares from `map`; `None`
/// of fewer samples than `min_pairs`.
fn solve(
    pairs: &[Pair],
    anchors: &[Pair],
    map: &Projection,
    model: &LineModel,
    freedom: Freedom,
    min_pairs: usize,
) -> Option<Projection> {
    if pairs.len() < min_pairs {
        return None;
    }
    let unit_from_template = unit_from_template(model);
    let current = map.compose(&unit_from_template.inverse()?);
    let current = Projection(current.0.map(|v| v / current.0[8]));
    let mut normal_equations = normal_equations(pairs, anchors, map, &current, &unit_from_template);
    // What the lines leave undetermined keeps its value.
    let centre = model.page.centre();
    for (i, equation) in normal_equations.iter_mut().enumerate() {
        equation[i] += 1e-3 * if i < 6 { 1.0 } else { (model.page.width() * map.scale_at(centre)).powi(2) * 1e-2 };
    }
    let mut change = [0.0; 9];
    match freedom {
        Freedom::Affine => {
            let six: [[f64; 7]; 6] =
                std::array::from_fn(|i| std::array::from_fn(|j| normal_equations[i][if j < 6 { j } else { 8 }]));
            change[..6].copy_from_slice(&solve_augmented(six)?);
        }
        Freedom::Projective => change[..8].copy_from_slice(&solve_augmented(normal_equations)?),
    }
    let moved = Projection(std::array::from_fn(|i| current.0[i] + change[i]));
    let moved = moved.compose(&unit_from_template);
    moved.0.iter().all(|v| v.is_finite()).then_some(moved)
}

/// Weight of the condition that a page is scaled alike in both directions and not sheared, in samples of a line: it decides
/// where nothing else does.
const SHAPE_WEIGHT: f64 = 0.05;

/// Rows of a linear problem in the change of the eight free numbers of the map `current`, which is `map` in unit coordinates.
fn normal_equations(
    pairs: &[Pair],
    anchors: &[Pair],
    map: &Projection,
    current: &Projection,
    unit_from_template: &Projection,
) -> [[f64; 9]; 8] {
    let mut equations = [[0.0f64; 9]; 8];
    let mut add = |weight: f64, row: [f64; 8], off: f64| {
        for i in 0..8 {
            for j in 0..8 {
                equations[i][j] += weight * row[i] * row[j];
            }
            equations[i][8] -= weight * row[i] * off;
        }
    };
    for pairs in [pairs, anchors] {
        let distances: Vec<f64> = pairs.iter().map(|pair| distance(pair, map)).collect();
        let mut sizes: Vec<f64> = distances.iter().map(|d| d.abs()).collect();
        let middle = sizes.len() / 2;
        let median = if sizes.is_empty() { 0.0 } else { *sizes.select_nth_unstable_by(middle, f64::total_cmp).1 };
        // Tukey's biweight at 4.685 robust standard deviations (Beaton and Tukey, 1974), never narrower than a pixel.
        let cut_px = 4.685 * (1.4826 * median).max(0.5);
        for (pair, d) in pairs.iter().zip(&distances) {
            let weight = (1.0 - (d / cut_px).powi(2)).max(0.0).powi(2) / pair.deviation.powi(2);
            if weight == 0.0 {
                continue;
            }
            let p = unit_from_template.apply(pair.template);
            let w = current.0[6] * p.x + current.0[7] * p.y + 1.0;
            let q = current.apply(p);
            let n = pair.normal;
            let along = n.dot(q);
            let row = [
                n.x * p.x / w,
                n.x * p.y / w,
                n.x / w,
                n.y * p.x / w,
                n.y * p.y / w,
                n.y / w,
                -along * p.x / w,
                -along * p.y / w,
            ];
            add(weight, row, *d);
        }
    }
    let [a, b, _, c, d, ..] = current.0;
    add(SHAPE_WEIGHT, [1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0], a - d);
    add(SHAPE_WEIGHT, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], b + c);
    equations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        form::{FormTemplate, PageLayout},
        register::params::{EvidenceParams, SearchParams},
        register::tests::{PX_PER_MM, UPRIGHT, drawn, form, off_mm, other_form, turned},
    };

    fn params() -> FitParams {
        FitParams::default()
    }

    fn model_of(form: &FormTemplate) -> LineModel {
        let PageLayout::Printed(landmarks) = &form.layout else { panic!("it is printed") };
        LineModel::new(form, landmarks, &SearchParams::default())
    }

    /// `map` after the form was moved by millimetres and turned by degrees.
    fn moved(map: &Projection, [right, down]: [f64; 2], degrees: f64) -> Projection {
        let turn = Projection::rotation(degrees.to_radians()).about(Point::new(50.0, 70.0));
        map.compose(&Projection::translation(right, down)).compose(&turn)
    }

    #[test]
    fn refine_from_a_start_that_is_a_little_off_finds_the_form() {
        let form = form("x", "");
        let map = turned(2.0, [7.0, -4.0]);
        let evidence = PageEvidence::measure(&drawn(&form.printed_lines(), &map), &EvidenceParams::default());
        for (shift, degrees) in [([0.0, 0.0], 0.0), ([1.5, -1.0], 0.5), ([-2.0, 2.0], -1.0)] {
            let start = moved(&map, shift, degrees);
            let found = refine(&evidence, &model_of(&form), vec![start], &params()).expect("it is near");
            let off = off_mm(&form, &found.page_from_template, &map);
            assert!(off < 0.15, "{shift:?} mm, {degrees} degrees: {off:.2} mm off");
            assert!(found.residual_px < 0.5 && found.support > 0.9 && found.explained > 0.95, "{found:?}");
            assert!(found.page_from_template.is_affine(), "a flat page is not taken for one in perspective");
        }
    }

    #[test]
    fn refine_of_several_starts_keeps_the_best() {
        let form = form("x", "");
        let evidence = PageEvidence::measure(&drawn(&form.printed_lines(), &UPRIGHT), &EvidenceParams::default());
        let starts =
            vec![moved(&UPRIGHT, [30.0, 20.0], 15.0), moved(&UPRIGHT, [0.5, 0.5], 0.0), turned(90.0, [0.0, 0.0])];
        let found = refine(&evidence, &model_of(&form), starts, &params()).expect("one is near");
        assert!(off_mm(&form, &found.page_from_template, &UPRIGHT) < 0.15);
        assert!(refine(&evidence, &model_of(&form), Vec::new(), &params()).is_none());
    }

    #[test]
    fn refine_without_lines_on_the_page_is_none() {
        let evidence = PageEvidence::measure(&drawn(&[], &UPRIGHT), &EvidenceParams::default());
        assert!(refine(&evidence, &model_of(&form("x", "")), vec![UPRIGHT], &params()).is_none());
    }

    #[test]
    fn score_of_another_form_is_far_below_that_of_its_own() {
        let (own, other) = (form("x", ""), other_form());
        let evidence = PageEvidence::measure(&drawn(&own.printed_lines(), &UPRIGHT), &EvidenceParams::default());
        let of = |form: &FormTemplate| assess(&evidence, &model_of(form), UPRIGHT, &params());
        assert!(
            of(&own).score(&params()) > 0.95 && of(&other).score(&params()) < 0.5,
            "{:?} {:?}",
            of(&own),
            of(&other)
        );
        assert!(of(&own).explained > 0.95 && of(&other).explained < 0.3);
    }

    #[test]
    fn score_of_all_that_can_be_found_is_one() {
        let all = Placement {
            page_from_template: UPRIGHT,
            residual_px: 0.0,
            support: 1.0,
            printed: 1.0,
            words: None,
            explained: 1.0,
            hold: None,
            rival_mm: None,
        };
        assert!((all.score(&params()) - 1.0).abs() < 1e-12);
        let none = Placement { support: 0.0, printed: 0.0, explained: 0.0, ..all.clone() };
        assert_eq!(none.score(&params()), 0.0);
        let pale = |words: Option<f64>| Placement { support: 0.4, words, ..all.clone() }.score(&params());
        assert!(pale(Some(1.0)) > pale(None), "words stand in for pale lines");
        assert_eq!(pale(Some(0.1)), pale(None), "and never against those that are found");
    }

    #[test]
    fn words_that_are_missing_lower_the_score() {
        let form = form("x", "");
        let evidence = PageEvidence::measure(&drawn(&form.printed_lines(), &UPRIGHT), &EvidenceParams::default());
        let with = |printed: Vec<Rect>| {
            let mut model = model_of(&form);
            model.printed = printed;
            assess(&evidence, &model, UPRIGHT, &params()).printed
        };
        let (inked, free) = (Rect::from_edges(10.0, 19.0, 40.0, 25.0), Rect::from_edges(60.0, 95.0, 90.0, 99.0));
        assert_eq!([with(vec![]), with(vec![inked]), with(vec![inked, free]), with(vec![free])], [1.0, 1.0, 0.5, 0.0]);
        let off_page = Rect::from_edges(-20.0, 30.0, -10.0, 34.0);
        assert_eq!(with(vec![inked, off_page]), 1.0, "what is off the page does not count");
    }

    #[test]
    fn map_that_mirrors_or_stretches_a_form_is_not_plausible() {
        let model = model_of(&form("x", ""));
        let stretched =
            |x: f64, y: f64| is_plausible(&Projection::scaling(x * PX_PER_MM, y * PX_PER_MM), &model, &params());
        assert!(stretched(1.0, 1.0) && stretched(1.05, 1.0) && stretched(1.0, 1.05));
        assert!(!stretched(1.2, 1.0) && !stretched(1.0, 1.2) && !stretched(-1.0, 1.0));
        let sheared = Projection([PX_PER_MM, 0.3 * PX_PER_MM, 0.0, 0.0, PX_PER_MM, 0.0, 0.0, 0.0, 1.0]);
        assert!(!is_plausible(&sheared, &model, &params()));
    }

    #[test]
    fn solve_with_too_few_samples_on_lines_is_none() {
        let form = form("x", "");
        let evidence = PageEvidence::measure(&drawn(&form.printed_lines(), &UPRIGHT), &EvidenceParams::default());
        let model = model_of(&form);
        let few = find_pairs(&evidence, &model.samples[..params().min_pairs - 1], &UPRIGHT, 2.0, &params());
        assert!(solve(&few, &[], &UPRIGHT, &model, Freedom::Affine, params().min_pairs).is_none());
        let all = find_pairs(&evidence, &model.samples, &UPRIGHT, 2.0, &params());
        assert!(solve(&all, &[], &UPRIGHT, &model, Freedom::Affine, params().min_pairs).is_some());
    }
}
