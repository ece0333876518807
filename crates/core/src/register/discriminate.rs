//! Which of two templates that both lie on a page is it? Only what one of them has and the other has not decides.

use super::{evidence::PageEvidence, params::DiscriminateParams, pitch::word_pieces, search::LineModel};
use formread_raster::geometry::{Point, Projection, Rect, Segment};

/// A template and where it lies.
#[derive(Clone, Copy)]
pub struct PlacedTemplate<'a> {
    /// Its lines, words and marks.
    pub model: &'a LineModel,
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
    first: PlacedTemplate<'_>,
    second: PlacedTemplate<'_>,
    params: &DiscriminateParams,
) -> Preference {
    let (first_found, first_visible) = count_distinct(evidence, first, second, params);
    let (second_found, second_visible) = count_distinct(evidence, second, first, params);
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

/// Of the places where `own` has a line or a word and `other` has none: how many are printed on the page, and how many
/// lie on it.
fn count_distinct(
    evidence: &PageEvidence,
    own: PlacedTemplate<'_>,
    other: PlacedTemplate<'_>,
    params: &DiscriminateParams,
) -> (usize, usize) {
    let Some(other_from_page) = other.map.inverse() else { return (0, 0) };
    let other_from_own = other_from_page.compose(own.map);
    let bounds = evidence.page_bounds();
    let (mut n_found, mut n_visible) = (0, 0);
    for &(p, direction) in &own.model.samples {
        let [on_page, in_other] = [own.map.apply(p), other_from_own.apply(p)];
        let turned = turn(&other_from_own, p, direction);
        if bounds.contains(on_page) && !other.model.lines.iter().any(|line| passes(*line, in_other, turned, params)) {
            n_visible += 1;
            n_found += usize::from(is_on_line(evidence, own.map, p, direction, params));
        }
    }
    for piece in own.model.printed.iter().flat_map(|word| word_pieces(*word, params.word_step_mm)) {
        let Some(in_other) = Rect::around(other_from_own.apply_rect(piece)) else { continue };
        let is_shared = |word: &Rect| word.inflate(params.distinct_mm).intersection(in_other).is_some();
        if other.model.printed.iter().any(is_shared) {
            continue;
        }
        let centre = own.map.apply(piece.centre());
        let inner = own.map.apply_rect(piece).map(|p| centre + (p - centre) * 0.9);
        let share = Rect::around(inner).and_then(|bounds| evidence.ink_share_within(bounds));
        n_visible += usize::from(share.is_some());
        n_found += usize::from(share.is_some_and(|share| share > params.min_printed_ink_share));
    }
    (n_found, n_visible)
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
