//! Which of two templates that both lie on a page is it? Only what one of them has and the other has not decides.

use super::{evidence::PageEvidence, params::DiscriminateParams, pitch::word_pieces, search::LineModel};
use formread_raster::geometry::{Point, Projection, Rect, Segment};

/// What one template has and another has not, in millimetres of the one that has it.
#[derive(Debug, Clone, Default)]
pub struct Distinct {
    /// Points on its lines, with the direction of the line.
    samples: Vec<(Point, Point)>,
    /// Pieces of its words and marks.
    pieces: Vec<Rect>,
}

impl Distinct {
    /// What `own` has and `other` has not, where `other_from_own` lays the one on the other.
    pub fn of(own: &LineModel, other: &LineModel, other_from_own: &Projection, params: &DiscriminateParams) -> Self {
        let is_own_line = |&&(p, direction): &&(Point, Point)| {
            let (in_other, turned) = (other_from_own.apply(p), turn(other_from_own, p, direction));
            !other.lines.iter().any(|line| passes(*line, in_other, turned, params))
        };
        let is_own_piece = |piece: &Rect| {
            let Some(in_other) = Rect::around(other_from_own.apply_rect(*piece)) else { return false };
            !other.printed.iter().any(|word| word.inflate(params.distinct_mm).intersection(in_other).is_some())
        };
        let pieces = own.printed.iter().flat_map(|word| word_pieces(*word, params.word_step_mm));
        Self {
            samples: own.samples.iter().filter(is_own_line).copied().collect(),
            pieces: pieces.filter(is_own_piece).collect(),
        }
    }

    /// How much of it is printed on the page on which `map` lays its template, and how much of it lies there.
    fn count(&self, evidence: &PageEvidence, map: &Projection, params: &DiscriminateParams) -> [usize; 2] {
        let bounds = evidence.page_bounds();
        let visible: Vec<&(Point, Point)> =
            self.samples.iter().filter(|(p, _)| bounds.contains(map.apply(*p))).collect();
        let is_printed = |(p, direction): &&&(Point, Point)| is_on_line(evidence, map, *p, *direction, params);
        let shares = self.pieces.iter().filter_map(|piece| {
            let centre = map.apply(piece.centre());
            let inner = map.apply_rect(*piece).map(|p| centre + (p - centre) * 0.9);
            Rect::around(inner).and_then(|bounds| evidence.ink_share_within(bounds))
        });
        let shares: Vec<f64> = shares.collect();
        let n_inked = shares.iter().filter(|share| **share > params.min_printed_ink_share).count();
        [visible.iter().filter(is_printed).count() + n_inked, visible.len() + shares.len()]
    }
}

/// What only one of two templates has, and where that one lies.
#[derive(Clone, Copy)]
pub struct PlacedDistinct<'a> {
    /// What only this one has.
    pub distinct: &'a Distinct,
    /// Page pixels from template millimetres.
    pub map: &'a Projection,
}

/// Which of two templates a page is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// The first.
    First,
    /// The second.
    Second,
    /// They differ in nothing that is visible, or the page does not decide.
    Neither,
}

/// Which of the two templates the page is of, by what only one of them has. A line or word that only one has speaks for
/// that one where it is printed, and for the other one where it is not.
pub fn discriminate(
    evidence: &PageEvidence,
    first: PlacedDistinct<'_>,
    second: PlacedDistinct<'_>,
    params: &DiscriminateParams,
) -> Preference {
    let [[first_found, first_visible], [second_found, second_visible]] =
        [first, second].map(|PlacedDistinct { distinct, map }| distinct.count(evidence, map, params));
    let n_visible = first_visible + second_visible;
    if n_visible < params.min_differences {
        return Preference::Neither;
    }
    let n_for_first = first_found + (second_visible - second_found);
    // from -1, all for the second, to 1, all for the first
    let margin = 2.0 * n_for_first as f64 / n_visible as f64 - 1.0;
    match margin {
        margin if margin >= params.min_margin => Preference::First,
        margin if margin <= -params.min_margin => Preference::Second,
        _ => Preference::Neither,
    }
}

/// The unit vector `direction` at `p` as `map` turns it.
fn turn(map: &Projection, p: Point, direction: Point) -> Point {
    let [a, b, c, d] = map.jacobian(p);
    let to = Point::new(a * direction.x + b * direction.y, c * direction.x + d * direction.y);
    to * (1.0 / to.norm().max(f64::MIN_POSITIVE))
}

/// Whether a template's line runs through `p` in `direction`, near enough to be the same.
fn passes(line: Segment, p: Point, direction: Point, params: &DiscriminateParams) -> bool {
    let (along, distinct_mm) = (line.direction(), params.distinct_mm);
    let t = (p - line.a).dot(along);
    along.cross(direction).abs() < params.max_sine
        && along.cross(p - line.a).abs() < distinct_mm
        && (-distinct_mm..=line.length() + distinct_mm).contains(&t)
}

/// Whether the page has a line where the template has one at `p`.
pub(super) fn is_on_line(
    evidence: &PageEvidence,
    map: &Projection,
    p: Point,
    direction: Point,
    params: &DiscriminateParams,
) -> bool {
    let (on_page, direction) = (map.apply(p), turn(map, p, direction));
    let px_per_mm = map.scale_at(p);
    let (reach, overhang) = (params.found_mm * px_per_mm, params.overhang_mm * px_per_mm);
    let family = &evidence.bands[usize::from(direction.x.abs() < direction.y.abs())];
    family.near(on_page, reach, overhang + reach).any(|piece| {
        let t = (on_page - piece.start).dot(piece.along);
        piece.along.cross(direction).abs() < params.max_sine
            && piece.along.cross(on_page - piece.start).abs() <= reach
            && (-overhang..=piece.length + overhang).contains(&t)
    })
}
