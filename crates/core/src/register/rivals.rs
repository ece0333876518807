//! Two templates that both lie on a page: which one is it? Only what one has and the other has not can tell.

use super::{evidence::PageEvidence, search::LineModel};
use formread_raster::geometry::{Point, Projection, Rect, Segment};

/// A line of one template further than this from all of the other's is its own, millimetres.
const OWN_MM: f64 = 1.2;
/// A line of the page within this of where a template has one is that one, millimetres: paper bends by less, and it is
/// half of [`OWN_MM`].
const FOUND_MM: f64 = 0.6;
/// Sine of the largest angle between the two: 8 degrees.
const MAX_SINE: f64 = 0.14;
/// A piece of a line serves so far past its ends, millimetres.
const OVERHANG_MM: f64 = 1.0;
/// Words are looked at in pieces of this length, millimetres: a gap between two of them is shorter.
const WORD_STEP_MM: f64 = 6.0;
/// Share of ink in a piece of a word from which something is printed there.
const PRINTED_INK_SHARE: f64 = 0.03;
/// Fewest differences that can be seen on the page for it to be told which it is.
const MIN_SEEN: usize = 4;
/// How clearly they must speak for one of the two: of all that can be seen, so much more for it than against it, 0 to 1.
/// Where a line differs and is there it speaks for one, where it is not for the other; printing and dust err in a tenth.
const CLEAR: f64 = 0.3;

/// A template and where it lies.
#[derive(Clone, Copy)]
pub struct Laid<'a> {
    /// Its lines, words and marks.
    pub model: &'a LineModel,
    /// Page pixels from template millimetres.
    pub map: &'a Projection,
}

/// Which of two templates a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first.
    First,
    /// The second.
    Second,
    /// They differ in nothing that can be seen, or the page speaks for neither.
    Neither,
}

/// Which of the two the page is, by what only one of them has.
pub fn which(evidence: &PageEvidence, first: Laid<'_>, second: Laid<'_>) -> Which {
    let (a_found, a_seen) = own_found(evidence, first, second);
    let (b_found, b_seen) = own_found(evidence, second, first);
    let n_seen = a_seen + b_seen;
    if n_seen < MIN_SEEN {
        return Which::Neither;
    }
    let for_first = a_found + (b_seen - b_found);
    let clearness = 2.0 * for_first as f64 / n_seen as f64 - 1.0;
    match clearness {
        c if c >= CLEAR => Which::First,
        c if c <= -CLEAR => Which::Second,
        _ => Which::Neither,
    }
}

/// Of the places where `own` has a line or a word and `other` has none: how many are printed on the page, and how many
/// lie on it.
fn own_found(evidence: &PageEvidence, own: Laid<'_>, other: Laid<'_>) -> (usize, usize) {
    let Some(other_from_page) = other.map.inverse() else { return (0, 0) };
    let other_from_own = other_from_page.compose(own.map);
    let bounds = evidence.page_bounds();
    let (mut n_found, mut n_seen) = (0, 0);
    for &(p, direction) in &own.model.samples {
        let [place, there] = [own.map.apply(p), other_from_own.apply(p)];
        let turned = turned(&other_from_own, p, direction);
        if bounds.contains(place) && !other.model.lines.iter().any(|line| passes(*line, there, turned)) {
            n_seen += 1;
            n_found += usize::from(is_on_line(evidence, own.map, p, direction));
        }
    }
    for piece in own.model.printed.iter().flat_map(|word| pieces(*word)) {
        let Some(there) = Rect::around(other_from_own.apply_rect(piece)) else { continue };
        if other.model.printed.iter().any(|word| word.inflate(OWN_MM).intersection(there).is_some()) {
            continue;
        }
        let centre = own.map.apply(piece.centre());
        let inner = own.map.apply_rect(piece).map(|p| centre + (p - centre) * 0.9);
        let share = Rect::around(inner).and_then(|bounds| evidence.ink_share_within(bounds));
        n_seen += usize::from(share.is_some());
        n_found += usize::from(share.is_some_and(|share| share > PRINTED_INK_SHARE));
    }
    (n_found, n_seen)
}

/// A word or mark in pieces along it.
fn pieces(word: Rect) -> impl Iterator<Item = Rect> {
    let n = (word.width() / WORD_STEP_MM).floor().max(1.0);
    let step = word.width() / n;
    (0..n as usize).map(move |i| Rect::from_xywh(word.x0 + i as f64 * step, word.y0, step, word.height()))
}

/// A unit vector at `p` as `map` turns it.
fn turned(map: &Projection, p: Point, direction: Point) -> Point {
    let [a, b, c, d] = map.jacobian(p);
    let to = Point::new(a * direction.x + b * direction.y, c * direction.x + d * direction.y);
    to * (1.0 / to.norm().max(f64::MIN_POSITIVE))
}

/// Whether a template's line runs through `p` in `direction`, near enough to be the same.
fn passes(line: Segment, p: Point, direction: Point) -> bool {
    let along = line.direction();
    let t = (p - line.a).dot(along);
    along.cross(direction).abs() < MAX_SINE
        && along.cross(p - line.a).abs() < OWN_MM
        && (-OWN_MM..=line.length() + OWN_MM).contains(&t)
}

/// Whether the page has a line where the template has one at `p`.
fn is_on_line(evidence: &PageEvidence, map: &Projection, p: Point, direction: Point) -> bool {
    let (place, direction) = (map.apply(p), turned(map, p, direction));
    let px_per_mm = map.scale_at(p);
    let (reach, overhang) = (FOUND_MM * px_per_mm, OVERHANG_MM * px_per_mm);
    let family = &evidence.bands[usize::from(direction.x.abs() < direction.y.abs())];
    family.near(place, reach).any(|piece| {
        let t = (place - piece.start).dot(piece.along);
        piece.along.cross(direction).abs() < MAX_SINE
            && piece.along.cross(place - piece.start).abs() <= reach
            && (-overhang..=piece.length + overhang).contains(&t)
    })
}
