//! The ink of a box -> a lattice of candidate digits. Components are cut at every likely joint, and up to five consecutive
//! pieces together may be a digit (over-segmentation: Fujisawa, Nakano and Kurino, 1992).

use super::{
    Lattice, LatticeEdge, LooseInk,
    cut::{Seam, cut, seam},
    params::FreeParams,
    parts::Part,
};

/// Maximum number of consecutive pieces in one digit. Fixed by design: it bounds the lattice.
const MAX_PIECES: usize = 5;

/// Maximum number of pieces in a field. With [`MAX_PIECES`], and one edge for each piece to skip it, a field has at most 384
/// edges.
const MAX_PRIMITIVES: usize = 64;

/// Part of a component, between two cuts, or a component as a whole.
struct Primitive {
    part: Part,
    /// Log prior of the cuts at its left and at its right; 0 at an end that is no cut.
    cut_left: f32,
    cut_right: f32,
    /// Whether it is a component as a whole.
    is_whole: bool,
}

/// The lattice of a box's `parts`. `None` without parts.
pub(super) fn free_lattice(parts: Vec<Part>, params: &FreeParams) -> Option<Lattice> {
    let height = digit_height(&parts)?;
    let stroke = stroke_width(&parts);
    let primitives = primitives(join_stacked(parts, height, params), height, stroke, params);
    let top = digit_top(&primitives, height, params);
    let mut edges = Vec::new();
    for from in 0..primitives.len() {
        if let Some(log_prior) = skip_prior(&primitives[from], height, params) {
            let components = vec![primitives[from].part.component];
            let loose = Some(loose_ink(&primitives[from].part, top, height, stroke));
            edges.push(LatticeEdge { from, to: from + 1, crop: None, log_prior, loose, components });
        }
        for to in from + 1..=(from + MAX_PIECES).min(primitives.len()) {
            let group = &primitives[from..to];
            let Some(log_prior) = group_prior(group, height, params) else { continue };
            let crop = Part::joined(group.iter().map(|p| &p.part)).map(Part::into_crop);
            let loose = beside(group, height, params).map(|part| loose_ink(part, top, height, stroke));
            let components = group.iter().map(|primitive| primitive.part.component).collect();
            edges.push(LatticeEdge { from, to, crop, log_prior, loose, components });
        }
    }
    Some(Lattice { n_nodes: primitives.len() + 1, edges, ..Lattice::default() })
}

/// Where the digits' tops are, pixels: the median of the pieces that are as high as a digit.
fn digit_top(primitives: &[Primitive], height: f32, params: &FreeParams) -> f32 {
    let tall = |p: &&Primitive| p.part.height() as f32 >= params.min_whole_height * height;
    let mut tops: Vec<i32> = primitives.iter().filter(tall).map(|p| p.part.y).collect();
    tops.sort_unstable();
    tops.get(tops.len() / 2).copied().unwrap_or(0) as f32
}

/// The lowest small piece of a group that is beside its other pieces, not above or below them: it may be a point.
fn beside<'p>(group: &'p [Primitive], height: f32, params: &FreeParams) -> Option<&'p Part> {
    let is_beside = |&(i, small): &(usize, &Primitive)| {
        let overlaps = |other: &Primitive| {
            let shared = small.part.right().min(other.part.right()) - small.part.x.max(other.part.x);
            2 * shared >= small.part.width()
        };
        let is_small = |piece: &Primitive| skip_prior(piece, height, params).is_some();
        let mut others =
            group.iter().enumerate().filter(|(j, other)| *j != i && !is_small(other)).map(|(_, other)| other);
        group.len() > 1 && is_small(small) && !others.any(overlaps)
    };
    group.iter().enumerate().filter(is_beside).map(|(_, small)| &small.part).max_by_key(|part| part.bottom())
}

fn loose_ink(part: &Part, top: f32, height: f32, stroke: f32) -> LooseInk {
    LooseInk {
        left: part.x,
        right: part.right(),
        width: part.width() as f32 / height,
        height: part.height() as f32 / height,
        level: ((part.y + part.bottom()) as f32 / 2.0 - top) / height,
        area: part.area() as f32 / (stroke * stroke),
    }
}

/// Height of the digits, pixels: the median of the parts that are at least half as high as the highest one.
pub(super) fn digit_height(parts: &[Part]) -> Option<f32> {
    let highest = parts.iter().map(Part::height).max()?;
    let mut heights: Vec<i32> = parts.iter().map(Part::height).filter(|h| 2 * h >= highest).collect();
    heights.sort_unstable();
    Some(heights[heights.len() / 2] as f32)
}

/// Width of the strokes, pixels: twice the area over the length of the outline, at least 1.
pub(super) fn stroke_width(parts: &[Part]) -> f32 {
    let (mut area, mut outline) = (0usize, 0usize);
    for part in parts {
        let (w, h) = part.ink.dimensions();
        let is_ink = |x: u32, y: u32| x < w && y < h && part.ink.get_pixel(x, y)[0] >= 128;
        for (x, y, _) in part.ink.enumerate_pixels() {
            if is_ink(x, y) {
                area += 1;
                let around = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
                outline += usize::from(around.into_iter().any(|(u, v)| !is_ink(u, v)));
            }
        }
    }
    (2.0 * area as f32 / outline.max(1) as f32).max(1.0)
}

/// Joins parts above each other: strokes of one digit that do not touch. Small parts at the foot stay separate: they may be
/// dots or commas.
fn join_stacked(mut parts: Vec<Part>, height: f32, params: &FreeParams) -> Vec<Part> {
    let belongs = |small: &Part, large: &Part| {
        let overlap = small.right().min(large.right()) - small.x.max(large.x);
        let lies_low = small.y as f32 > large.bottom() as f32 - params.foot_share * height
            && (small.height() as f32) < params.max_mark_height * height;
        // the two points of a colon
        let are_points =
            [small, large].iter().all(|part| (part.height().max(part.width()) as f32) < params.max_point_side * height);
        let joined_width = small.right().max(large.right()) - small.x.min(large.x);
        overlap as f32 >= params.min_stack_overlap * small.width() as f32
            && !lies_low
            && !are_points
            && (joined_width as f32) < params.max_stack_width * height
    };
    parts.sort_by_key(|part| std::cmp::Reverse(part.area()));
    let mut joined: Vec<Part> = Vec::new();
    for part in parts {
        let host = joined.iter_mut().find(|host| belongs(&part, host) || belongs(host, &part));
        match host.map(|host| (Part::joined([&*host, &part]), host)) {
            Some((Some(both), host)) => *host = both,
            _ => joined.push(part),
        }
    }
    joined.truncate(MAX_PRIMITIVES);
    joined
}

/// Cuts every part at its likely joints; from left to right.
fn primitives(parts: Vec<Part>, height: f32, stroke: f32, params: &FreeParams) -> Vec<Primitive> {
    let mut room = MAX_PRIMITIVES.saturating_sub(parts.len());
    let mut primitives = Vec::new();
    for part in parts {
        let mut seams = joints(&part, height, stroke, params);
        seams.truncate(room);
        seams.sort_by_key(Seam::middle);
        room -= seams.len();
        let pieces = cut(&part, &seams);
        if pieces.len() != seams.len() + 1 {
            // A seam ran along the part's edge and cut nothing off: the part stays whole.
            primitives.push(Primitive { part, cut_left: 0.0, cut_right: 0.0, is_whole: true });
            continue;
        }
        let is_whole = seams.is_empty();
        let cost = |i: Option<usize>| {
            i.and_then(|i| seams.get(i)).map_or(0.0, |seam| {
                params.cut_log_prior + params.cut_log_prior_per_cost * cut_cost(seam, height, stroke, params)
            })
        };
        for (i, piece) in pieces.into_iter().enumerate() {
            let (cut_left, cut_right) = (cost(i.checked_sub(1)), cost(Some(i)));
            primitives.push(Primitive { part: piece, cut_left, cut_right, is_whole });
        }
    }
    primitives.sort_by_key(|p| (p.part.x + p.part.right(), p.part.y));
    primitives
}

/// Cost of a cut: the ink it goes through, in stroke widths, and its span.
fn cut_cost(seam: &Seam, height: f32, stroke: f32, params: &FreeParams) -> f32 {
    seam.ink_cut / stroke + params.span_cost * seam.span as f32 / height
}

/// The likeliest joints of a part, cheapest first.
fn joints(part: &Part, height: f32, stroke: f32, params: &FreeParams) -> Vec<Seam> {
    let spacing = ((params.cut_spacing * height) as i32).max(2);
    let is_dash = (part.height() as f32) < params.max_dash_strokes * stroke;
    if is_dash || part.width() < 2 * spacing + 2 {
        return Vec::new();
    }
    let mut found: Vec<Seam> = Vec::new();
    // Wide windows find slanted seams, narrow ones the joint of two bows, beside which a loop is cut open for less ink.
    for window in [(spacing / 2).max(1), params.narrow_window_px] {
        for at in (part.x + spacing..=part.right() - spacing).step_by(window as usize) {
            found.extend(seam(part, at - window..at + window + 1));
        }
    }
    let cost = |seam: &Seam| cut_cost(seam, height, stroke, params);
    found.retain(|seam| cost(seam) <= params.max_cut_cost);
    found.sort_by(|a, b| cost(a).total_cmp(&cost(b)).then(a.middle().cmp(&b.middle())));
    let max_joints = (part.width() as f32 / (params.min_width_per_cut * height)) as usize;
    let mut apart: Vec<Seam> = Vec::new();
    for seam in found {
        let is_apart = |other: &Seam| {
            let sides = seam.columns.iter().zip(&other.columns).map(|(a, b)| a - b);
            let (min, max) = sides.fold((i32::MAX, i32::MIN), |(lo, hi), d| (lo.min(d), hi.max(d)));
            2 * (seam.middle() - other.middle()).abs() >= spacing && (min >= 0 || max <= 0)
        };
        if apart.len() < max_joints && apart.iter().all(is_apart) {
            apart.push(seam);
        }
    }
    apart
}

/// Log prior that a group is one digit, from its geometry; `None` where it cannot be one.
fn group_prior(group: &[Primitive], height: f32, params: &FreeParams) -> Option<f32> {
    let (first, last) = (group.first()?, group.last()?);
    let x0 = group.iter().map(|p| p.part.x).min()?;
    let x1 = group.iter().map(|p| p.part.right()).max()?;
    let width = (x1 - x0) as f32 / height;
    if width > params.max_width && group.len() > 1 {
        return None;
    }
    let mut prior = (first.cut_left + last.cut_right) / 2.0;
    prior += params.width_log_prior * 10.0 * (width - 1.0).max(0.0);
    let y0 = group.iter().map(|p| p.part.y).min()?;
    let y1 = group.iter().map(|p| p.part.bottom()).max()?;
    let size = ((y1 - y0) as f32 / height).max(width);
    prior += params.small_log_prior * 10.0 * (params.max_mark_height - size).max(0.0);
    let mut right = first.part.right();
    for pair in group.windows(2) {
        let gap = (pair[1].part.x - right).max(0) as f32 / height;
        if gap > params.max_gap {
            return None;
        }
        right = right.max(pair[1].part.right());
        if pair[0].part.component != pair[1].part.component {
            let tall = |p: &Primitive| p.part.height() as f32 >= params.min_whole_height * height;
            prior += params.gap_log_prior * 10.0 * gap;
            prior += if tall(&pair[0]) && tall(&pair[1]) { params.join_log_prior } else { 0.0 };
        }
    }
    Some(prior)
}

/// Log prior that a piece is no digit but a dot, a comma or a dash; `None` where it is too large for that.
fn skip_prior(primitive: &Primitive, height: f32, params: &FreeParams) -> Option<f32> {
    let (w, h) = (primitive.part.width() as f32 / height, primitive.part.height() as f32 / height);
    if !primitive.is_whole || h >= params.max_mark_height {
        None
    } else if h.max(w) < params.max_dot_side {
        Some(params.dot_log_prior)
    } else if w > params.min_dash_aspect * h {
        Some(params.dash_log_prior)
    } else {
        Some(params.other_mark_log_prior)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::params::PARAMS;
    use crate::segment::tests::ink as grid_ink;
    use crate::segment::{ink::Ink, parts::components};
    use image::{GrayImage, Luma};

    /// Ink wherever `is_ink`, in a crop of the given size.
    fn parts(width: u32, height: u32, is_ink: impl Fn(f64, f64) -> bool) -> Vec<Part> {
        let pixel = |x: u32, y: u32| Luma([if is_ink(f64::from(x), f64::from(y)) { 255 } else { 0 }]);
        let mask = GrayImage::from_fn(width, height, pixel);
        components(&Ink { grey: mask.clone(), mask }, 4)
    }

    /// A ring of outer radius 25 and width 5.
    fn ring(x: f64, y: f64, cx: f64, cy: f64) -> bool {
        (20.0..25.0).contains(&(x - cx).hypot(y - cy))
    }

    fn spans(lattice: &Lattice) -> Vec<(i32, i32)> {
        lattice.edges.iter().filter_map(|e| e.crop.as_ref()).map(|c| (c.x, c.x + c.ink.width() as i32)).collect()
    }

    #[track_caller]
    fn assert_has(lattice: &Lattice, span: (i32, i32)) {
        let near = |s: &(i32, i32)| (s.0 - span.0).abs() <= 3 && (s.1 - span.1).abs() <= 3;
        assert!(spans(lattice).iter().any(near), "{span:?} is among {:?}", spans(lattice));
    }

    #[test]
    fn touching_digits_are_cut_at_the_joint() {
        // Two zeros that touch at column 80.
        let ink = parts(160, 80, |x, y| ring(x, y, 56.0, 40.0) || ring(x, y, 104.5, 40.0));
        assert_eq!(ink.len(), 1);
        let lattice = free_lattice(ink, &PARAMS.free).expect("there is ink");
        assert_has(&lattice, (31, 80));
        assert_has(&lattice, (80, 130));
    }

    #[test]
    fn broken_digit_is_joined() {
        // A zero with a gap of 3 pixels from top to bottom.
        let ink = parts(100, 80, |x, y| ring(x, y, 50.0, 40.0) && (x - 50.0).abs() > 1.5);
        assert_eq!(ink.len(), 2);
        let lattice = free_lattice(ink, &PARAMS.free).expect("there is ink");
        assert_has(&lattice, (25, 75));
    }

    #[test]
    fn strokes_above_each_other_are_one_piece() {
        let ink = parts(100, 80, |x, y| {
            (30.0..60.0).contains(&x) && ((10.0..15.0).contains(&y) || (20.0..70.0).contains(&y) && x < 55.0)
        });
        let lattice = free_lattice(ink, &PARAMS.free).expect("there is ink");
        assert_has(&lattice, (30, 60));
        assert!(lattice.edges.iter().all(|e| e.crop.as_ref().is_none_or(|c| c.ink.height() == 60)));
    }

    #[test]
    fn dot_may_be_skipped_and_digit_may_not() {
        let ink =
            parts(160, 80, |x, y| ring(x, y, 40.0, 40.0) || (80.0..86.0).contains(&x) && (58.0..64.0).contains(&y));
        let lattice = free_lattice(ink, &PARAMS.free).expect("there is ink");
        let skips: Vec<_> = lattice.edges.iter().filter(|e| e.crop.is_none()).map(|e| (e.from, e.to)).collect();
        assert_eq!(skips, [(lattice.n_nodes - 2, lattice.n_nodes - 1)]);
    }

    #[test]
    fn hostile_ink_gives_a_bounded_lattice() {
        let specks = parts(900, 200, |x, y| x % 6.0 < 3.0 && y % 6.0 < 3.0);
        let comb = parts(3_000, 60, |x, y| y < 4.0 || x % 8.0 < 2.0);
        let solid = parts(300, 200, |_, _| true);
        let dot = parts(1, 1, |_, _| true);
        assert!(dot.is_empty(), "a speck is no part");
        for ink in [specks, comb, solid] {
            let lattice = free_lattice(ink, &PARAMS.free).expect("there is ink");
            assert!(lattice.edges.len() <= 400, "{}", lattice.edges.len());
            let reachable = |node: usize| lattice.edges.iter().any(|e| e.to == node);
            assert!((1..lattice.n_nodes).all(reachable), "every node is reached");
        }
        assert!(free_lattice(Vec::new(), &PARAMS.free).is_none());
    }

    #[test]
    fn height_of_digits_is_not_that_of_dots_and_strays() {
        let part = |height: u32| Part { ink: GrayImage::from_pixel(3, height, Luma([255])), x: 0, y: 0, component: 1 };
        let height = |heights: &[u32]| digit_height(&heights.iter().map(|&h| part(h)).collect::<Vec<_>>());
        assert_eq!(height(&[20, 22, 21, 4, 5, 3, 2]), Some(21.0));
        assert_eq!((height(&[4]), height(&[])), (Some(4.0), None));
    }

    #[test]
    fn width_of_strokes_is_twice_the_area_over_the_outline() {
        let bar = |width: usize| {
            let row = format!("0{}0", "9".repeat(width));
            let rows = vec![row.as_str(); 40];
            components(&grid_ink(&rows), 1)
        };
        for width in [2usize, 4, 6] {
            let found = stroke_width(&bar(width));
            assert!((found - width as f32).abs() < 0.8, "{width}: {found}");
        }
        assert_eq!(stroke_width(&[]), 1.0);
    }

    #[test]
    fn two_digits_apart_are_two_edges_without_a_joined_one() {
        let bar = "99990000000000000000000000000000009999";
        let lattice = free_lattice(components(&grid_ink(&[bar; 24]), 1), &PARAMS.free).expect("there is ink");
        assert_eq!((lattice.n_nodes, spans(&lattice)), (3, vec![(0, 4), (34, 38)]));
        assert!(lattice.edges.iter().all(|edge| edge.log_prior == 0.0), "nothing speaks against them");
    }

    #[test]
    fn joining_two_whole_digits_is_unlikely() {
        let bars = "999900009999";
        let lattice = free_lattice(components(&grid_ink(&[bars; 24]), 1), &PARAMS.free).expect("there is ink");
        let prior =
            |from: usize, to: usize| lattice.edges.iter().find(|e| (e.from, e.to) == (from, to)).map(|e| e.log_prior);
        let (alone, together) = (prior(0, 1).expect("it is there"), prior(0, 2).expect("they are near"));
        assert!(together < alone - 1.0, "{alone} {together}");
    }
}
