//! Proposes placements of a template. One line of the template laid on one line of the page, end on end, gives a similarity;
//! each is scored by how many of the template's other lines it puts on lines.

use std::sync::OnceLock;

use image::{GrayImage, Luma};
use imageproc::{
    distance_transform::{Norm, distance_transform},
    drawing::draw_line_segment_mut,
};

use super::{
    evidence::PageLines,
    params::SearchParams,
    pitch::{Pitch, Repeated, find_pitches},
    print_params::PitchParams,
};
use crate::form::{FormTemplate, Landmarks};
use formread_raster::{
    checkpoint,
    geometry::{Point, Projection, Rect, Segment},
};

/// A template's lines as registration uses them.
#[derive(Debug, Clone)]
pub struct LineModel {
    /// Printed lines, longest first, millimetres.
    pub lines: Vec<Segment>,
    /// Points along the lines with the unit direction of their line, in an order that spreads them over the page.
    pub samples: Vec<(Point, Point)>,
    /// Boxes in which ink is printed, millimetres: words and marks.
    pub printed: Vec<Rect>,
    /// Those of them that are large enough to be found by themselves, spread over the page.
    pub anchors: Vec<Rect>,
    /// Other areas with print.
    pub other_print: Vec<Rect>,
    /// Where the form repeats itself, found when it is first asked for: of many forms few are.
    pitches: OnceLock<Vec<Pitch>>,
    /// Page, millimetres.
    pub page: Rect,
}

impl LineModel {
    /// The lines of `template`.
    pub fn new(template: &FormTemplate, landmarks: &Landmarks, params: &SearchParams) -> Self {
        let mut lines = template.printed_lines();
        lines.sort_by(|s, t| t.length().total_cmp(&s.length()));
        let total_mm: f64 = lines.iter().map(|s| s.length()).sum();
        let step_mm = params.sample_step_mm.max(total_mm / params.max_samples as f64);
        let mut samples = Vec::new();
        for line in &lines {
            let n = (line.length() / step_mm).ceil().max(1.0) as usize;
            samples.extend((0..n).map(|i| (line.at((i as f64 + 0.5) / n as f64), line.direction())));
        }
        let printed: Vec<Rect> =
            landmarks.words.iter().map(|w| w.bounds).chain(landmarks.marks.iter().copied()).collect();
        let [min_width, min_height] = params.min_anchor_mm;
        let is_anchor = |r: &&Rect| r.width() >= min_width && r.height() >= min_height;
        let mut anchors = spread(printed.iter().filter(is_anchor).copied().collect());
        anchors.truncate(params.max_anchors);
        Self {
            pitches: OnceLock::new(),
            samples: spread(samples),
            lines,
            printed,
            anchors,
            other_print: landmarks.print.clone(),
            page: landmarks.page,
        }
    }

    /// The form as large as a sheet of its shape that spans `bounds`, turned about its middle by `tilt`, radians clockwise; `None`
    /// where that has another shape.
    pub fn filling(&self, bounds: Rect, tilt: f64, params: &SearchParams) -> Option<Projection> {
        let [along, across] = [bounds.width() / self.page.width(), bounds.height() / self.page.height()];
        let scale = (along * across).sqrt();
        let ratio = along.max(across) / along.min(across);
        let (form, sheet) = (self.page.centre(), bounds.centre());
        let about_form = Projection::scaling(scale, scale).compose(&Projection::translation(-form.x, -form.y));
        let map = Projection::translation(sheet.x, sheet.y).compose(&Projection::rotation(tilt)).compose(&about_form);
        (ratio <= params.max_sheet_stretch).then_some(map)
    }

    /// Where the form repeats itself.
    pub fn pitches(&self) -> &[Pitch] {
        let Self { lines, samples, printed: words, other_print, .. } = self;
        self.pitches
            .get_or_init(|| find_pitches(Repeated { lines, samples, words, other_print }, &PitchParams::default()))
    }
}

/// Reorders `items` so that any first few of them are spread over the whole list (golden ratio stepping).
fn spread<T: Copy>(items: Vec<T>) -> Vec<T> {
    let n = items.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| {
        let key = |k: usize| (k as f64 * 0.618_033_988_749_895).fract();
        key(i).total_cmp(&key(j))
    });
    // `order` visits the list in jumps; reading it in turn gives a scattered sequence.
    order.into_iter().map(|i| items[i]).collect()
}

/// A placement from which a fit may start.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// How well the template's lines lie on lines of the page at first sight, 0 to 1.
    pub score: f64,
    /// Page from template.
    pub map: Projection,
}

/// How far each place of the page is from the nearest line of each direction.
pub struct DistanceMaps {
    horizontal: GrayImage,
    vertical: GrayImage,
    origin: Point,
    cells_per_px: f64,
    /// By distance, cells: 1 on a line, 0 from [`SearchParams::line_reach_cells`] on.
    closeness: [f64; 256],
    /// [`SearchParams::min_visible`].
    min_visible: f64,
}

impl DistanceMaps {
    /// The maps of a page that spans `bounds`.
    pub fn new(lines: &PageLines, bounds: Rect, params: &SearchParams) -> Self {
        let cells_per_px = params.n_map_cells / bounds.width().max(bounds.height()).max(1.0);
        let origin = Point::new(bounds.x0, bounds.y0);
        let side = |px: f64| ((px * cells_per_px).ceil() as u32).max(1);
        let map = |lines: &[Segment]| {
            let mut drawn = GrayImage::new(side(bounds.width()), side(bounds.height()));
            for line in lines {
                let [a, b] = [line.a, line.b].map(|p| (p - origin) * cells_per_px);
                draw_line_segment_mut(&mut drawn, (a.x as f32, a.y as f32), (b.x as f32, b.y as f32), Luma([255]));
            }
            distance_transform(&drawn, Norm::L1)
        };
        Self {
            horizontal: map(&lines.pieces.horizontal),
            vertical: map(&lines.pieces.vertical),
            origin,
            cells_per_px,
            closeness: std::array::from_fn(|distance| (1.0 - distance as f64 / params.line_reach_cells).max(0.0)),
            min_visible: params.min_visible,
        }
    }

    /// How close the place `cell` of `map` is to a line, 0 to 1; `None` off the page.
    fn closeness(&self, map: &GrayImage, cell: Point) -> Option<f64> {
        if !(cell.x >= 0.0 && cell.y >= 0.0 && cell.x < f64::from(map.width()) && cell.y < f64::from(map.height())) {
            return None;
        }
        // a cast to 32 bits is fast, and no map is larger
        let place = cell.y as i32 as usize * map.width() as usize + cell.x as i32 as usize;
        Some(self.closeness[usize::from(map.as_raw()[place])])
    }

    /// Mean closeness of the samples on the page, reduced by the share that lies off it; 0 where too few lie on it.
    /// `placement` is affine.
    fn score(&self, placement: &Projection, samples: &Samples) -> f64 {
        let (mut tally, mut n_visible) = (Balance::default(), 0usize);
        let [xx, xy, x0, yx, yy, y0, ..] = placement.0.map(|of_page| of_page * self.cells_per_px);
        let (x0, y0) = (x0 - self.origin.x * self.cells_per_px, y0 - self.origin.y * self.cells_per_px);
        for (family, points) in samples.families.iter().enumerate() {
            let (mut sum, mut n) = (0.0, 0usize);
            for (d, points) in points {
                let is_level = (xx * d.x + xy * d.y).abs() >= (yx * d.x + yy * d.y).abs();
                let map = if is_level { &self.horizontal } else { &self.vertical };
                for p in points {
                    let cell = Point::new(xx * p.x + xy * p.y + x0, yx * p.x + yy * p.y + y0);
                    if let Some(closeness) = self.closeness(map, cell) {
                        sum += closeness;
                        n += 1;
                    }
                }
            }
            tally.sums[family] = sum;
            tally.counts[family] = n as f64;
            n_visible += n;
        }
        let visible = n_visible as f64 / samples.n.max(1) as f64;
        if visible < self.min_visible { 0.0 } else { tally.mean() * (0.5 + 0.5 * visible) }
    }
}

/// Samples of lines, as they are scored: most lines of a form run the same way.
struct Samples {
    /// Those of the lines along the form, and of those across it: points in order, those with one direction together.
    families: [Vec<(Point, Vec<Point>)>; 2],
    n: usize,
}

impl Samples {
    fn new(samples: &[(Point, Point)]) -> Self {
        let mut families = [Vec::new(), Vec::new()];
        for &(point, direction) in samples {
            let family: &mut Vec<(Point, Vec<Point>)> = &mut families[Balance::family(direction)];
            match family.last_mut() {
                Some((same, points)) if *same == direction => points.push(point),
                _ => family.push((direction, vec![point])),
            }
        }
        Self { families, n: samples.len() }
    }
}

/// A mean in which the lines along the form and those across it weigh the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct Balance {
    sums: [f64; 2],
    counts: [f64; 2],
}

impl Balance {
    /// Fewest samples for a direction to count.
    const MIN_COUNT: f64 = 4.0;

    /// One more sample of a line that runs in `direction` of the template.
    pub fn expect(&mut self, direction: Point) {
        self.counts[Self::family(direction)] += 1.0;
    }

    /// The value of one of the samples expected.
    pub fn add(&mut self, direction: Point, value: f64) {
        self.sums[Self::family(direction)] += value;
    }

    /// The mean of the two directions' means; 0 of no samples.
    pub fn mean(&self) -> f64 {
        let [a, b] = [0, 1].map(|i| self.sums[i] / self.counts[i].max(1.0));
        match self.counts.map(|n| n >= Self::MIN_COUNT) {
            [true, true] => (a + b) / 2.0,
            [false, true] => b,
            _ => a,
        }
    }

    fn family(direction: Point) -> usize {
        usize::from(direction.x.abs() < direction.y.abs())
    }
}

/// Where a template is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Anywhere on the page, by its longest lines alone: a sixteenth of the work of [`Scope::AllPoses`].
    CoarseAllPoses,
    /// Upright on the page, as a scanner sees a form, by its longest lines alone.
    CoarseUpright,
    /// Upright on the page: about a third of the work.
    Upright,
    /// Anywhere on the page, turned by any angle.
    AllPoses,
}

impl Scope {
    /// Largest number of lines of the template, and of the page.
    fn max_lines(self, params: &SearchParams) -> [usize; 2] {
        match self {
            Self::CoarseAllPoses | Self::CoarseUpright => {
                [params.max_template_lines_coarse, params.max_page_lines_coarse]
            }
            Self::Upright | Self::AllPoses => [params.max_template_lines, params.max_page_lines],
        }
    }

    /// Whether `line` of a template may lie `on` one of a page, `filling` being the scale at which the template fills it.
    fn allows(self, line: &Line, on: &Line, filling: f64, params: &SearchParams) -> bool {
        let scale = on.length / line.length / filling;
        let (a, b) = (line.direction, on.direction);
        match self {
            Self::CoarseAllPoses | Self::AllPoses => {
                let [min, max] = params.scale_range;
                (min..=max).contains(&scale)
            }
            Self::CoarseUpright | Self::Upright => {
                scale.max(1.0 / scale) <= params.max_upright_scale_ratio
                    && a.cross(b).abs().min(a.dot(b).abs()) <= params.max_upright_sine
            }
        }
    }
}

/// A line with its length and direction, which are used often.
struct Line {
    segment: Segment,
    length: f64,
    direction: Point,
}

impl Line {
    fn new(segment: Segment) -> Self {
        Self { segment, length: segment.length(), direction: segment.direction() }
    }
}

/// The placements within `scope` that put most of the template's lines on lines of the page, best first, no two of them
/// similar. They are similarities, page from template, after the template is stretched downwards by one of `stretches`.
/// `maps` are those of `lines`.
pub fn search(
    maps: &DistanceMaps,
    lines: &PageLines,
    bounds: Rect,
    model: &LineModel,
    stretches: &[f64],
    scope: Scope,
    params: &SearchParams,
) -> Vec<Start> {
    if model.samples.is_empty() {
        return Vec::new();
    }
    let filling = bounds.width().max(bounds.height()) / model.page.width().max(model.page.height()).max(1.0);
    // The same number of placements is tried, however many ways there are to stretch the template.
    let share = 1.0 / (stretches.len().max(1) as f64).sqrt();
    let [max_own, max_of_page] = scope.max_lines(params);
    let template_lines = longest(&model.lines, (max_own as f64 * share) as usize);
    // A line that was joined too far is still there in pieces.
    let PageLines { pieces, whole } = lines;
    let all = [&whole.horizontal, &whole.vertical, &pieces.horizontal, &pieces.vertical];
    let all: Vec<Segment> = all.into_iter().flatten().copied().collect();
    let page_lines: Vec<Line> =
        longest(&all, (max_of_page as f64 * share) as usize).into_iter().map(Line::new).collect();
    let [quick, ranking, all_samples] = [params.n_quick_samples, params.n_ranking_samples, model.samples.len()]
        .map(|n| Samples::new(&model.samples[..n.min(model.samples.len())]));
    let min_quick_score = params.min_quick_score;
    let mut found: Vec<Start> = Vec::new();
    for stretch in stretches {
        let stretched = Projection::scaling(1.0, *stretch);
        for line in template_lines.iter().map(|line| Line::new(stretched.apply_segment(*line))) {
            checkpoint();
            for on in page_lines.iter().filter(|on| scope.allows(&line, on, filling, params)) {
                let Segment { a, b } = on.segment;
                for on in [on.segment, Segment::new(b, a)] {
                    let placement = similarity(line.segment, on);
                    let placement = if *stretch == 1.0 { placement } else { placement.compose(&stretched) };
                    if maps.score(&placement, &quick) >= min_quick_score {
                        found.push(Start { score: maps.score(&placement, &ranking), map: placement });
                    }
                }
            }
        }
    }
    let best_first = |found: &mut Vec<Start>| found.sort_by(|a, b| b.score.total_cmp(&a.score));
    best_first(&mut found);
    found.truncate(params.max_scored);
    for start in &mut found {
        start.score = maps.score(&start.map, &all_samples);
    }
    best_first(&mut found);
    let mut kept: Vec<Start> = Vec::new();
    for start in found {
        if !kept.iter().any(|k| are_similar(&k.map, &start.map, model.page, bounds)) {
            kept.push(start);
            if kept.len() == params.max_kept {
                break;
            }
        }
    }
    kept
}

/// The longest level and the longest upright lines, `n` in all, each once.
fn longest(lines: &[Segment], n: usize) -> Vec<Segment> {
    let mut sorted = lines.to_vec();
    sorted.sort_by(|s, t| t.length().total_cmp(&s.length()));
    sorted.dedup();
    let (level, upright): (Vec<Segment>, Vec<Segment>) = sorted.into_iter().partition(|s| s.is_horizontal());
    let n_level = (n / 2).max(n.saturating_sub(upright.len()));
    let mut kept: Vec<Segment> = level.into_iter().take(n_level).collect();
    kept.extend(upright.into_iter().take(n - kept.len()));
    kept
}

/// The similarity that lays `line` on `on`, end on end.
fn similarity(line: Segment, on: Segment) -> Projection {
    let (from, to) = (line.b - line.a, on.b - on.a);
    let squared = from.dot(from);
    let (cos, sin) = (from.dot(to) / squared, from.cross(to) / squared);
    let turned = Point::new(cos * line.a.x - sin * line.a.y, sin * line.a.x + cos * line.a.y);
    let shift = on.a - turned;
    Projection([cos, -sin, shift.x, sin, cos, shift.y, 0.0, 0.0, 1.0])
}

/// Whether two placements put the form's corners within a fiftieth of the page of each other.
fn are_similar(a: &Projection, b: &Projection, form: Rect, page: Rect) -> bool {
    let near = page.width().max(page.height()) / 50.0;
    a.apply_rect(form).into_iter().zip(b.apply_rect(form)).all(|(p, q)| (p - q).norm() < near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        form::PageLayout,
        register::tests::{PAGE_PX, UPRIGHT, form, off_mm, turned},
    };
    use formread_raster::LinePieces;

    #[test]
    fn similarity_maps_both_ends() {
        let line = Segment::new(Point::new(10.0, 20.0), Point::new(60.0, 20.0));
        let on = Segment::new(Point::new(500.0, 400.0), Point::new(480.0, 100.0));
        let placed = similarity(line, on).apply_segment(line);
        assert!((placed.a - on.a).norm() < 1e-9 && (placed.b - on.b).norm() < 1e-9, "{placed:?}");
    }

    #[test]
    fn spread_keeps_every_item_and_reaches_far_early() {
        let scattered = spread((0..1000).collect());
        let (min, max) = scattered[..32].iter().fold((1000, 0), |(lo, hi), &v| (v.min(lo), v.max(hi)));
        assert!(min < 100 && max > 900, "the first 32 span {min} to {max}");
        let mut sorted = scattered;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<i32>>());
    }

    /// The lines of a form, as a page has them on which it lies by `map`.
    fn page_lines(lines: &[Segment], map: &Projection) -> PageLines {
        let mut pieces = LinePieces::default();
        for line in lines {
            let line = map.apply_segment(*line);
            let (family, in_order) = match line.is_horizontal() {
                true => (&mut pieces.horizontal, line.a.x <= line.b.x),
                false => (&mut pieces.vertical, line.a.y <= line.b.y),
            };
            family.push(if in_order { line } else { Segment::new(line.b, line.a) });
        }
        PageLines { whole: pieces.clone(), pieces }
    }

    /// As [`SearchParams::default`].
    static PARAMS: std::sync::LazyLock<SearchParams> = std::sync::LazyLock::new(SearchParams::default);

    const PAGE: Rect = Rect::from_edges(0.0, 0.0, PAGE_PX[0] as f64, PAGE_PX[1] as f64);

    fn model_of(form: &FormTemplate) -> LineModel {
        let PageLayout::Printed(landmarks) = &form.layout else { panic!("it is printed") };
        LineModel::new(form, landmarks, &PARAMS)
    }

    fn found(form: &FormTemplate, map: &Projection, scope: Scope) -> Vec<Start> {
        let lines = page_lines(&form.printed_lines(), map);
        search(&DistanceMaps::new(&lines, PAGE, &PARAMS), &lines, PAGE, &model_of(form), &[1.0], scope, &PARAMS)
    }

    #[test]
    fn search_form_turned_by_any_angle_is_found_first() {
        let form = form("x", "");
        for degrees in [0.0, 17.0, 90.0, 200.0] {
            let map = turned(degrees, [5.0, -3.0]);
            let best = found(&form, &map, Scope::AllPoses)[0];
            assert!(best.score > 0.8, "{degrees} degrees: {}", best.score);
            assert!(off_mm(&form, &best.map, &map) < 0.5, "{degrees} degrees");
        }
    }

    #[test]
    fn search_upright_passes_over_turned_forms() {
        let form = form("x", "");
        let score =
            |degrees: f64, scope| found(&form, &turned(degrees, [0.0, 0.0]), scope).first().map_or(0.0, |s| s.score);
        for scope in [Scope::Upright, Scope::CoarseUpright] {
            assert!(score(3.0, scope) > 0.85 && score(183.0, scope) > 0.85);
            assert!(score(30.0, scope) < 0.5, "{scope:?}");
        }
    }

    #[test]
    fn search_without_lines_finds_nothing() {
        let form = form("x", "");
        let none = PageLines::default();
        let maps = DistanceMaps::new(&none, PAGE, &PARAMS);
        assert!(search(&maps, &none, PAGE, &model_of(&form), &[1.0], Scope::AllPoses, &PARAMS).is_empty());
        let mut bare = model_of(&form);
        bare.samples.clear();
        let lines = page_lines(&form.printed_lines(), &UPRIGHT);
        assert!(
            search(&DistanceMaps::new(&lines, PAGE, &PARAMS), &lines, PAGE, &bare, &[1.0], Scope::AllPoses, &PARAMS)
                .is_empty()
        );
    }

    #[test]
    fn placements_that_search_keeps_differ_and_come_best_first() {
        let found = found(&form("x", ""), &UPRIGHT, Scope::AllPoses);
        assert!(found.len() <= PARAMS.max_kept && found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let form = Rect::from_edges(0.0, 0.0, 100.0, 140.0);
        for (i, a) in found.iter().enumerate() {
            assert!(found[i + 1..].iter().all(|b| !are_similar(&a.map, &b.map, form, PAGE)));
        }
    }

    #[test]
    fn distance_map_counts_a_line_of_its_own_direction_alone() {
        let level = Segment::new(Point::new(50.0, 400.0), Point::new(550.0, 400.0));
        let maps = DistanceMaps::new(&page_lines(&[level], &Projection::IDENTITY), PAGE, &PARAMS);
        let (level, upright) = (&maps.horizontal, &maps.vertical);
        let closeness = |p: Point, map: &GrayImage| maps.closeness(map, (p - maps.origin) * maps.cells_per_px);
        let on_it = closeness(Point::new(300.0, 400.5), level).expect("it is on the page");
        assert!(on_it > 0.6, "{on_it}");
        assert_eq!(closeness(Point::new(300.0, 400.5), upright), Some(0.0));
        assert_eq!(closeness(Point::new(300.0, 500.0), level), Some(0.0));
        let beside = closeness(Point::new(300.0, 404.5), level).expect("it is on the page");
        assert!(beside > 0.0 && beside < on_it, "{beside}");
        for off in [Point::new(-1.0, 400.0), Point::new(300.0, 841.0), Point::new(f64::NAN, 400.0)] {
            assert_eq!(closeness(off, level), None);
        }
    }

    #[test]
    fn balance_weighs_both_directions_the_same() {
        let (right, down) = (Point::new(1.0, 0.0), Point::new(0.0, 1.0));
        let mut balance = Balance::default();
        let mut add = |direction, n, value| {
            for _ in 0..n {
                balance.expect(direction);
                balance.add(direction, value);
            }
            balance.mean()
        };
        assert_eq!(add(right, 100, 1.0), 1.0);
        assert_eq!(add(down, 3, 0.0), 1.0, "three samples are too few to count");
        assert_eq!(add(down, 1, 0.0), 0.5);
        assert_eq!(Balance::default().mean(), 0.0);
    }

    #[test]
    fn line_model_samples_lie_on_the_printed_lines() {
        let form = form("x", "");
        let model = model_of(&form);
        assert!(model.lines.windows(2).all(|pair| pair[0].length() >= pair[1].length()), "longest first");
        let is_on = |(p, direction): &(Point, Point)| {
            model.lines.iter().any(|line| {
                let t = (*p - line.a).dot(line.direction());
                line.direction().cross(*p - line.a).abs() < 1e-9
                    && (0.0..=line.length()).contains(&t)
                    && line.direction().cross(*direction).abs() < 1e-9
            })
        };
        assert!(model.samples.iter().all(is_on) && model.samples.len() <= PARAMS.max_samples + model.lines.len());
    }

    #[test]
    fn longest_of_many_level_lines_leave_room_for_upright_ones() {
        let level = (0..20)
            .map(|i| Segment::new(Point::new(0.0, f64::from(i)), Point::new(100.0 + f64::from(i), f64::from(i))));
        let upright = (0..3).map(|i| Segment::new(Point::new(f64::from(i), 0.0), Point::new(f64::from(i), 10.0)));
        let lines: Vec<Segment> = level.chain(upright).collect();
        let n_upright = |n: usize| longest(&lines, n).iter().filter(|line| !line.is_horizontal()).count();
        assert_eq!([longest(&lines, 10).len(), n_upright(10), n_upright(4)], [10, 3, 2]);
        assert_eq!(longest(&lines, 10)[0].length(), 119.0);
        assert_eq!(longest(&[lines[0], lines[0]], 4).len(), 1, "each line once");
    }
}
