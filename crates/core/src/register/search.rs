//! Where might the template lie? One line of the template on one line of the page, end on end, is a similarity; each is
//! scored by how many of the template's other lines it puts on lines.

use image::{GrayImage, Luma};
use imageproc::{
    distance_transform::{Norm, distance_transform},
    drawing::draw_line_segment_mut,
};

use super::evidence::PageLines;
use crate::form::{FormTemplate, Landmarks};
use formread_raster::geometry::{Point, Projection, Rect, Segment};

/// Distance between the samples along the template's lines, millimetres, unless that makes too many.
const SAMPLE_STEP_MM: f64 = 4.0;
/// Most samples.
const MAX_SAMPLES: usize = 1200;
/// Samples of the quick look that dismisses most placements.
const N_QUICK: usize = 32;
/// Score below which the quick look dismisses a placement.
const QUICK_SCORE: f64 = 0.3;
/// Samples of the second look, and how many placements, the best by it, are held against all samples. Empirically chosen:
/// fewer may lose a placement, more take longer.
const N_SECOND: usize = 160;
const N_SCORED: usize = 500;
/// Cells of the distance maps along the longer side of the page: about a millimetre of A4.
const MAP_CELLS: f64 = 300.0;
/// Distance from a line, in cells, at which a sample counts nothing.
const REACH_CELLS: f64 = 3.0;
/// A page's scale, relative to that at which the template fills it.
const SCALE_RANGE: std::ops::RangeInclusive<f64> = 0.35..=1.8;
/// Least share of the samples that must lie on the page.
const MIN_VISIBLE: f64 = 0.35;
/// Most lines of the template, and of the page, that are laid on each other, longest first.
const MAX_TEMPLATE_LINES: usize = 120;
const MAX_PAGE_LINES: usize = 400;
/// The same of a glance, that only says which forms are worth a search.
const MAX_TEMPLATE_LINES_GLANCE: usize = 30;
const MAX_PAGE_LINES_GLANCE: usize = 100;
/// A scan lies straight where its scale is within this ratio of that at which the template fills the page, and the sine of its
/// lines with the page's sides is not above this (7 degrees), upright or turned by quarters.
const STRAIGHT_SCALE: f64 = 1.12;
const STRAIGHT_SINE: f64 = 0.12;
/// Placements handed on to the fit.
const N_KEPT: usize = 10;

/// A template's lines as registration uses them.
#[derive(Debug, Clone)]
pub struct LineModel {
    /// Printed lines, longest first, millimetres.
    pub lines: Vec<Segment>,
    /// Points along the lines with the unit direction of their line, in an order that spreads them over the page.
    pub samples: Vec<(Point, Point)>,
    /// Boxes in which ink is printed, millimetres: words and marks.
    pub printed: Vec<Rect>,
    /// Page, millimetres.
    pub page: Rect,
}

impl LineModel {
    /// The lines of `template`.
    pub fn new(template: &FormTemplate, landmarks: &Landmarks) -> Self {
        let mut lines = template.printed_lines();
        lines.sort_by(|s, t| t.length().total_cmp(&s.length()));
        let total_mm: f64 = lines.iter().map(|s| s.length()).sum();
        let step_mm = SAMPLE_STEP_MM.max(total_mm / MAX_SAMPLES as f64);
        let mut samples = Vec::new();
        for line in &lines {
            let n = (line.length() / step_mm).ceil().max(1.0) as usize;
            samples.extend((0..n).map(|i| (line.at((i as f64 + 0.5) / n as f64), line.direction())));
        }
        Self {
            samples: spread(samples),
            lines,
            printed: landmarks.words.iter().map(|w| w.bounds).chain(landmarks.marks.iter().copied()).collect(),
            page: landmarks.page,
        }
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
    /// By distance, cells: 1 on a line, 0 from [`REACH_CELLS`] on.
    closeness: [f64; 256],
}

impl DistanceMaps {
    /// Of a page that spans `bounds`.
    pub fn new(lines: &PageLines, bounds: Rect) -> Self {
        let cells_per_px = MAP_CELLS / bounds.width().max(bounds.height()).max(1.0);
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
            closeness: std::array::from_fn(|distance| (1.0 - distance as f64 / REACH_CELLS).max(0.0)),
        }
    }

    /// How close `p` is to a line of the direction, 0 to 1; `None` off the page.
    fn closeness(&self, p: Point, direction: Point) -> Option<f64> {
        let cell = (p - self.origin) * self.cells_per_px;
        let map = if direction.x.abs() >= direction.y.abs() { &self.horizontal } else { &self.vertical };
        if !(cell.x >= 0.0 && cell.y >= 0.0 && cell.x < f64::from(map.width()) && cell.y < f64::from(map.height())) {
            return None;
        }
        let place = cell.y as usize * map.width() as usize + cell.x as usize;
        Some(self.closeness[usize::from(map.as_raw()[place])])
    }

    /// Mean closeness of the samples on the page, lessened by the share that lies beside it; 0 where too few lie on it.
    /// `placement` is affine.
    fn score(&self, placement: &Projection, samples: &[(Point, Point)]) -> f64 {
        let (mut tally, mut n_visible) = (Balance::default(), 0usize);
        let turn = placement.0;
        for &(p, d) in samples {
            let direction = Point::new(turn[0] * d.x + turn[1] * d.y, turn[3] * d.x + turn[4] * d.y);
            if let Some(closeness) = self.closeness(placement.apply(p), direction) {
                tally.expect(d);
                tally.add(d, closeness);
                n_visible += 1;
            }
        }
        let visible = n_visible as f64 / samples.len().max(1) as f64;
        if visible < MIN_VISIBLE { 0.0 } else { tally.mean() * (0.5 + 0.5 * visible) }
    }
}

/// A mean in which the lines along the form and those across it weigh the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct Balance {
    sums: [f64; 2],
    counts: [f64; 2],
}

impl Balance {
    /// Fewest samples for a direction to have a say.
    const MIN_COUNT: f64 = 4.0;

    /// One more sample of a line that runs in `direction` of the template.
    pub fn expect(&mut self, direction: Point) {
        self.counts[Self::family(direction)] += 1.0;
    }

    /// What one of the samples expected is worth.
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

/// Where a template is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere on the page, by its longest lines alone: a sixteenth of the work of [`Reach::Anywhere`].
    Glance,
    /// Straight on the page, as a scanner sees a form, by its longest lines alone.
    StraightGlance,
    /// Straight on the page: some third of the work.
    Straight,
    /// Anywhere on the page, turned by whatever angle.
    Anywhere,
}

impl Reach {
    /// Most lines of the template, and of the page.
    fn most_lines(self) -> [usize; 2] {
        match self {
            Self::Glance | Self::StraightGlance => [MAX_TEMPLATE_LINES_GLANCE, MAX_PAGE_LINES_GLANCE],
            Self::Straight | Self::Anywhere => [MAX_TEMPLATE_LINES, MAX_PAGE_LINES],
        }
    }

    /// Whether `line` of a template may lie `on` one of a page, `filling` being the scale at which the template fills it.
    fn takes(self, line: &Line, on: &Line, filling: f64) -> bool {
        let scale = on.length / line.length / filling;
        let (a, b) = (line.direction, on.direction);
        match self {
            Self::Glance | Self::Anywhere => SCALE_RANGE.contains(&scale),
            Self::StraightGlance | Self::Straight => {
                scale.max(1.0 / scale) <= STRAIGHT_SCALE && a.cross(b).abs().min(a.dot(b).abs()) <= STRAIGHT_SINE
            }
        }
    }
}

/// A line, measured once for all that it is laid on.
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

/// The placements within `reach` (page from template: similarities after stretching the template downwards by one of
/// `stretches`) that put most of the template's lines on lines of the page; best first, no two of them alike. `maps` are
/// those of `lines`.
pub fn search(
    maps: &DistanceMaps,
    lines: &PageLines,
    bounds: Rect,
    model: &LineModel,
    stretches: &[f64],
    reach: Reach,
) -> Vec<Start> {
    if model.samples.is_empty() {
        return Vec::new();
    }
    let filling = bounds.width().max(bounds.height()) / model.page.width().max(model.page.height()).max(1.0);
    // The same number of placements is looked at, however many ways there are to stretch the template.
    let share = 1.0 / (stretches.len().max(1) as f64).sqrt();
    let [most_own, most_of_page] = reach.most_lines();
    let template_lines = longest(&model.lines, (most_own as f64 * share) as usize);
    // A line that was joined too far is still there in pieces.
    let PageLines { pieces, whole } = lines;
    let all = [&whole.horizontal, &whole.vertical, &pieces.horizontal, &pieces.vertical];
    let all: Vec<Segment> = all.into_iter().flatten().copied().collect();
    let page_lines: Vec<Line> =
        longest(&all, (most_of_page as f64 * share) as usize).into_iter().map(Line::new).collect();
    let [quick, second] = [N_QUICK, N_SECOND].map(|n| &model.samples[..n.min(model.samples.len())]);
    let mut found: Vec<Start> = Vec::new();
    for stretch in stretches {
        let stretched = Projection::scaling(1.0, *stretch);
        for line in template_lines.iter().map(|line| Line::new(stretched.apply_segment(*line))) {
            for on in page_lines.iter().filter(|on| reach.takes(&line, on, filling)) {
                let Segment { a, b } = on.segment;
                for on in [on.segment, Segment::new(b, a)] {
                    let placement = similarity(line.segment, on).compose(&stretched);
                    if maps.score(&placement, quick) >= QUICK_SCORE {
                        found.push(Start { score: maps.score(&placement, second), map: placement });
                    }
                }
            }
        }
    }
    let best_first = |found: &mut Vec<Start>| found.sort_by(|a, b| b.score.total_cmp(&a.score));
    best_first(&mut found);
    found.truncate(N_SCORED);
    for start in &mut found {
        start.score = maps.score(&start.map, &model.samples);
    }
    best_first(&mut found);
    let mut kept: Vec<Start> = Vec::new();
    for start in found {
        if !kept.iter().any(|k| are_alike(&k.map, &start.map, model.page, bounds)) {
            kept.push(start);
            if kept.len() == N_KEPT {
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
fn are_alike(a: &Projection, b: &Projection, form: Rect, page: Rect) -> bool {
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
    fn a_line_laid_on_a_line_meets_both_ends() {
        let line = Segment::new(Point::new(10.0, 20.0), Point::new(60.0, 20.0));
        let on = Segment::new(Point::new(500.0, 400.0), Point::new(480.0, 100.0));
        let placed = similarity(line, on).apply_segment(line);
        assert!((placed.a - on.a).norm() < 1e-9 && (placed.b - on.b).norm() < 1e-9, "{placed:?}");
    }

    #[test]
    fn spreading_keeps_every_item_and_reaches_far_soon() {
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

    const PAGE: Rect = Rect::from_edges(0.0, 0.0, PAGE_PX[0] as f64, PAGE_PX[1] as f64);

    fn model_of(form: &FormTemplate) -> LineModel {
        let PageLayout::Printed(landmarks) = &form.layout else { panic!("it is printed") };
        LineModel::new(form, landmarks)
    }

    fn found(form: &FormTemplate, map: &Projection, reach: Reach) -> Vec<Start> {
        let lines = page_lines(&form.printed_lines(), map);
        search(&DistanceMaps::new(&lines, PAGE), &lines, PAGE, &model_of(form), &[1.0], reach)
    }

    #[test]
    fn search_form_turned_by_any_angle_is_found_first() {
        let form = form("x", "");
        for degrees in [0.0, 17.0, 90.0, 200.0] {
            let map = turned(degrees, [5.0, -3.0]);
            let best = found(&form, &map, Reach::Anywhere)[0];
            assert!(best.score > 0.8, "{degrees} degrees: {}", best.score);
            assert!(off_mm(&form, &best.map, &map) < 0.5, "{degrees} degrees");
        }
    }

    #[test]
    fn search_for_straight_forms_passes_over_turned_ones() {
        let form = form("x", "");
        let score =
            |degrees: f64, reach| found(&form, &turned(degrees, [0.0, 0.0]), reach).first().map_or(0.0, |s| s.score);
        for reach in [Reach::Straight, Reach::StraightGlance] {
            assert!(score(3.0, reach) > 0.85 && score(183.0, reach) > 0.85);
            assert!(score(30.0, reach) < 0.5, "{reach:?}");
        }
    }

    #[test]
    fn search_without_lines_finds_nothing() {
        let form = form("x", "");
        let none = PageLines::default();
        let maps = DistanceMaps::new(&none, PAGE);
        assert!(search(&maps, &none, PAGE, &model_of(&form), &[1.0], Reach::Anywhere).is_empty());
        let mut bare = model_of(&form);
        bare.samples.clear();
        let lines = page_lines(&form.printed_lines(), &UPRIGHT);
        assert!(search(&DistanceMaps::new(&lines, PAGE), &lines, PAGE, &bare, &[1.0], Reach::Anywhere).is_empty());
    }

    #[test]
    fn placements_that_search_keeps_differ_and_come_best_first() {
        let found = found(&form("x", ""), &UPRIGHT, Reach::Anywhere);
        assert!(found.len() <= N_KEPT && found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        let form = Rect::from_edges(0.0, 0.0, 100.0, 140.0);
        for (i, a) in found.iter().enumerate() {
            assert!(found[i + 1..].iter().all(|b| !are_alike(&a.map, &b.map, form, PAGE)));
        }
    }

    #[test]
    fn distance_map_counts_a_line_of_its_own_direction_alone() {
        let level = Segment::new(Point::new(50.0, 400.0), Point::new(550.0, 400.0));
        let maps = DistanceMaps::new(&page_lines(&[level], &Projection::IDENTITY), PAGE);
        let (right, down) = (Point::new(1.0, 0.0), Point::new(0.0, 1.0));
        let on_it = maps.closeness(Point::new(300.0, 400.5), right).expect("it is on the page");
        assert!(on_it > 0.6, "{on_it}");
        assert_eq!(maps.closeness(Point::new(300.0, 400.5), down), Some(0.0));
        assert_eq!(maps.closeness(Point::new(300.0, 500.0), right), Some(0.0));
        let beside = maps.closeness(Point::new(300.0, 404.5), right).expect("it is on the page");
        assert!(beside > 0.0 && beside < on_it, "{beside}");
        for off in [Point::new(-1.0, 400.0), Point::new(300.0, 841.0), Point::new(f64::NAN, 400.0)] {
            assert_eq!(maps.closeness(off, right), None);
        }
    }

    #[test]
    fn balance_weighs_both_directions_alike_however_many_lines_they_have() {
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
        assert!(model.samples.iter().all(is_on) && model.samples.len() <= MAX_SAMPLES + model.lines.len());
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
