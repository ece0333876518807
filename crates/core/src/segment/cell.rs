//! The cell of a picture that is one field: what is between the printed rules around the picture's middle.
//!
//! A picture that somebody cut from a page often shows the rules of its cell, and what is written in the cells around it. A rule
//! is a line that is darker than what is on both sides of it, all the way through the picture. Directions and places are
//! tried in turn, as in the transform of Hough (Duda and Hart, "Use of the Hough transformation to detect lines and curves
//! in pictures", Communications of the ACM 15, 1972).

use image::GrayImage;

use super::strip_params::{PARAMS, RuleParams};
use formread_raster::{
    checkpoint,
    geometry::{Point, Rect, Segment},
    reduce, transpose,
};

/// The cell that a picture is of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// Where people write, pixels of the picture.
    pub bounds: Rect,
    /// The rules around it, from edge to edge of the picture, pixels of the picture.
    pub rules: Vec<Segment>,
    /// Whether it is clear that this cell is meant. Otherwise a rule is near the middle, or the middle is far at one side of the
    /// cell.
    pub is_sure: bool,
}

/// Finds the cell around the middle of `picture` ([H, W] u8, 0 black .. 255 white). Without rules it is all of the picture.
pub(super) fn find_cell(picture: &GrayImage) -> Cell {
    let params = &PARAMS.rules;
    let (width, height) = picture.dimensions();
    let factor = width.max(height).div_ceil(params.max_side_px).max(1);
    let reduced = reduce(picture, factor);
    let thickness = params.max_thickness * f64::from(reduced.width().min(reduced.height()));
    let turned = transpose(&reduced);
    let lying = find_rules(&turned, thickness, params);
    let upright = find_rules(&reduced, thickness, params);
    // a stroke of a digit ends in the picture, a rule does not
    let upright: Vec<Rule> = upright
        .into_iter()
        .filter(|rule| rule.covered >= params.min_covered && rule.reaches_edges(&reduced, &lying, params))
        .collect();
    let (lying, is_sure_lying) = around_middle(&lying, &turned, params);
    let (upright, is_sure_upright) = around_middle(&upright, &reduced, params);
    let size = [f64::from(width), f64::from(height)];
    let back = |at: f64| at * f64::from(factor);
    let edge = |rule: Option<&Rule>, default: f64| rule.map_or(default, |rule| back(rule.middle));
    let bounds = Rect::from_edges(
        edge(upright[0].as_ref(), 0.0),
        edge(lying[0].as_ref(), 0.0),
        edge(upright[1].as_ref(), size[0]),
        edge(lying[1].as_ref(), size[1]),
    );
    let across = |rule: &Rule, length: f64| {
        [back(rule.middle) - rule.slope * length / 2.0, back(rule.middle) + rule.slope * length / 2.0]
    };
    let lying = lying.iter().flatten().map(|rule| {
        let [from, to] = across(rule, size[0]);
        Segment::new(Point::new(0.0, from), Point::new(size[0], to))
    });
    let upright = upright.iter().flatten().map(|rule| {
        let [from, to] = across(rule, size[1]);
        Segment::new(Point::new(from, 0.0), Point::new(to, size[1]))
    });
    // a fold or a stroke that is taken for a side of the cell leaves digits beyond it
    let place = (size[0] / 2.0 - bounds.x0) / bounds.width().max(1.0);
    let is_central = place.min(1.0 - place) >= params.min_place;
    let is_sure = is_sure_lying && is_sure_upright && is_central;
    Cell { bounds, rules: lying.chain(upright).collect(), is_sure }
}

/// A line through a picture from top to bottom, pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rule {
    /// Where it is half way down.
    middle: f64,
    /// How far to the right it goes in a row.
    slope: f64,
    /// Share of its rows that are darker than what is beside it, 0 to 1.
    covered: f64,
    /// First and last row that is.
    rows: [u32; 2],
}

impl Rule {
    /// Whether it goes on to the upper and to the lower edge of `picture`, or to one of the rules `across`. At the side of the
    /// picture, where a digit has no room, it may be the side of a box, which ends before the edge.
    fn reaches_edges(&self, picture: &GrayImage, across: &[Rule], params: &RuleParams) -> bool {
        let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
        let reach = (params.max_gap * height).max(1.0);
        let meets = |row: f64| {
            let x = self.middle + self.slope * (row - height / 2.0) - f64::from(picture.width()) / 2.0;
            across.iter().any(|rule| (rule.middle + rule.slope * x - row).abs() <= reach + 1.0)
        };
        let [first, last] = self.rows.map(f64::from);
        let is_at_side = self.middle.min(width - self.middle) <= params.side * height;
        let gap = if is_at_side { params.max_gap_at_side * height } else { reach };
        (first <= gap || meets(first)) && (height - 1.0 - last <= gap || meets(last))
    }
}

/// The upright rules of `picture`, the most certain first. Those that are broken into dashes are among them.
fn find_rules(picture: &GrayImage, thickness: f64, params: &RuleParams) -> Vec<Rule> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let depths = depths(picture, thickness);
    let is_dark = dark(&depths, params);
    let mut found: Vec<(f64, Rule)> = Vec::new();
    for step in -params.n_slopes..=params.n_slopes {
        checkpoint();
        let slope = f64::from(step) * params.slope_step;
        let shifts: Vec<i64> = (0..height).map(|y| (slope * (y as f64 - height as f64 / 2.0)).round() as i64).collect();
        for middle in 0..width {
            let rows: Vec<(u32, usize)> = shifts
                .iter()
                .zip(0u32..)
                .filter_map(|(shift, y)| {
                    let x = usize::try_from(middle as i64 + shift).ok().filter(|&x| x < width)?;
                    Some((y, y as usize * width + x))
                })
                .collect();
            found.extend(
                rule_on(&rows, height, &is_dark, &depths, params)
                    .map(|(score, covered, rows)| (score, Rule { middle: middle as f64 + 0.5, slope, covered, rows })),
            );
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut rules: Vec<Rule> = Vec::new();
    for (_, rule) in found {
        if rules.iter().all(|other| (other.middle - rule.middle).abs() > 2.0 * thickness + 1.0) {
            rules.push(rule);
        }
    }
    rules
}

/// Whether the pixels of `rows` (row, index) are a rule: its score, share and rows. `None` where they are none.
fn rule_on(
    rows: &[(u32, usize)],
    height: usize,
    is_dark: &[bool],
    depths: &[f32],
    params: &RuleParams,
) -> Option<(f64, f64, [u32; 2])> {
    if (rows.len() as f64) < params.min_rows * height as f64 {
        return None;
    }
    let share =
        |rows: &[(u32, usize)]| rows.iter().filter(|(_, i)| is_dark[*i]).count() as f64 / rows.len().max(1) as f64;
    let covered = share(rows);
    if covered < params.min_dashed {
        return None;
    }
    let pieces = rows.chunks(rows.len().div_ceil(params.n_pieces));
    let n_empty = pieces.filter(|piece| share(piece) < params.min_piece).count();
    if covered < params.min_covered && n_empty > params.max_empty {
        return None;
    }
    let mut dark = rows.iter().filter(|(_, i)| is_dark[*i]).map(|(y, _)| *y);
    let first = dark.next()?;
    let last = dark.next_back().unwrap_or(first);
    let depth = rows.iter().map(|(_, i)| f64::from(depths[*i])).sum::<f64>() / rows.len() as f64;
    // of rules as well covered, the darkest
    let score = covered * rows.len() as f64 / height as f64 + 1e-3 * depth;
    Some((score, covered, [first, last]))
}

/// How much darker each pixel is than the lighter of what is beside it on its left and right: [H * W], grey levels.
fn depths(picture: &GrayImage, thickness: f64) -> Vec<f32> {
    let beside = thickness.ceil() as usize + 1;
    let width = picture.width().max(1) as usize;
    let mut depths = Vec::with_capacity(picture.as_raw().len());
    for row in picture.as_raw().chunks_exact(width) {
        let of = |x: usize| {
            let left = x.checked_sub(beside).map(|x| row[x]);
            let right = row.get(x + beside).copied();
            // beyond the edge nothing is known
            let ground = left.into_iter().chain(right).min().unwrap_or(row[x]);
            f32::from(ground) - f32::from(row[x])
        };
        depths.extend((0..width).map(of));
    }
    depths
}

/// Which of `depths` are more than the paper's texture.
fn dark(depths: &[f32], params: &RuleParams) -> Vec<bool> {
    let median = |mut values: Vec<f32>| {
        let middle = values.len() / 2;
        if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f32::total_cmp).1 }
    };
    let middle = median(depths.to_vec());
    let texture = 1.4826 * median(depths.iter().map(|depth| (depth - middle).abs()).collect());
    let least = (params.texture_deviations * texture).max(params.min_depth);
    depths.iter().map(|&depth| depth > least).collect()
}

/// The upright rules on the left and on the right of the cell around the middle of `picture`, and whether it is clear which cell
/// that is: no rule is near the middle.
fn around_middle(rules: &[Rule], picture: &GrayImage, params: &RuleParams) -> ([Option<Rule>; 2], bool) {
    let width = f64::from(picture.width());
    let off = |rule: &&Rule| (rule.middle - width / 2.0).abs();
    let nearest = |is_before: bool| {
        let side = rules.iter().filter(|rule| (rule.middle < width / 2.0) == is_before);
        side.min_by(|a, b| off(a).total_cmp(&off(b))).copied()
    };
    let is_sure = rules.iter().all(|rule| off(&rule) > params.near_middle * width);
    ([nearest(true), nearest(false)], is_sure)
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// A picture on whose paper `is_ink` is drawn.
    fn picture(width: u32, height: u32, is_ink: impl Fn(i32, i32) -> bool) -> GrayImage {
        GrayImage::from_fn(width, height, |x, y| {
            let paper = 200 + (x * 7 + y * 5) % 3;
            Luma([if is_ink(x as i32, y as i32) { 90 } else { paper as u8 }])
        })
    }

    /// A digit of strokes: a ring with a stem.
    fn digit(x: i32, y: i32, left: i32, top: i32) -> bool {
        let (u, v) = (x - left, y - top);
        let in_ring = (0..20).contains(&u) && (0..20).contains(&v) && !((4..16).contains(&u) && (4..16).contains(&v));
        in_ring || (16..20).contains(&u) && (0..44).contains(&v)
    }

    #[test]
    fn without_rules_the_cell_is_the_picture() {
        let cell = find_cell(&picture(180, 90, |x, y| digit(x, y, 40, 20) || digit(x, y, 80, 20)));
        assert_eq!((cell.bounds, cell.rules.len(), cell.is_sure), (Rect::from_xywh(0.0, 0.0, 180.0, 90.0), 0, true));
    }

    #[test]
    fn cell_is_between_the_rules_around_the_middle() {
        // upright rules that lean, a rule of dashes above and a whole one below, and the digits of the next cells
        let on_rule = |x: i32, y: i32| {
            let lean = y / 40;
            (x - 30 - lean).abs() <= 1 || (x - 200 - lean).abs() <= 1 || y == 40 && x % 8 < 5 || (y - 130).abs() <= 1
        };
        let cell = find_cell(&picture(260, 160, |x, y| {
            on_rule(x, y) || [60, 100, 140, 220].iter().any(|&left| digit(x, y, left, 70) || digit(x, y, left, -20))
        }));
        let Rect { x0, y0, x1, y1 } = cell.bounds;
        let near = |a: f64, b: f64| (a - b).abs() <= 3.0;
        assert!(near(x0, 32.0) && near(x1, 202.0) && near(y0, 40.0) && near(y1, 130.0), "{:?}", cell.bounds);
        assert_eq!((cell.rules.len(), cell.is_sure), (4, true));
    }

    #[test]
    fn rule_near_the_middle_leaves_the_cell_open() {
        let cell = find_cell(&picture(200, 100, |x, y| y == 47 || digit(x, y, 60, -4) || digit(x, y, 120, 54)));
        assert!(!cell.is_sure, "{cell:?}");
    }

    #[test]
    fn fold_between_two_digits_leaves_the_cell_open() {
        let cell =
            find_cell(&picture(240, 120, |x, y| (x - 70).abs() <= 1 || digit(x, y, 30, 40) || digit(x, y, 100, 40)));
        assert!((cell.bounds.x0 - 70.0).abs() <= 2.0 && !cell.is_sure, "{cell:?}");
    }

    #[test]
    fn upright_stroke_of_a_one_is_no_rule() {
        for (top, bottom) in [(12, 82), (8, 78), (20, 90)] {
            let one = |x: i32, y: i32| (60..64).contains(&x) && (top..bottom).contains(&y);
            let cell = find_cell(&picture(180, 90, |x, y| one(x, y) || digit(x, y, 100, 20)));
            assert_eq!(cell.rules.len(), 0, "from {top} to {bottom}");
        }
    }

    #[test]
    fn side_of_a_box_at_the_side_of_the_picture_is_a_rule() {
        let side = |x: i32, y: i32| (172..174).contains(&x) && (6..90).contains(&y);
        let cell = find_cell(&picture(180, 90, |x, y| side(x, y) || digit(x, y, 60, 20)));
        assert!((cell.bounds.x1 - 173.0).abs() <= 2.0, "{:?}", cell.bounds);
    }
}
