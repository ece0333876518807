//! What is written in a field beside the digits of a reading, and whether a number of its kind may have it.
//!
//! A reading explains the ink of its digits, of its minus and of its point. What is left is dust below a stated size, a sign
//! that the template ignores, or a reason why the field is not accepted: `12.50` in a field of whole numbers is not 1250.

use image::GrayImage;

use super::{
    FieldScores, ReviewReason,
    defect::Defect,
    grammar::as_written,
    lattice::{Step, Symbol, path_of},
    params::{AssembleParams, UnexplainedParams},
    readings::Candidate,
};
use crate::{
    form::{DecimalPoint, Field, FieldKind, FieldLayout},
    scores::{EdgeScores, GlyphClass, Sign},
    segment::{CROP_PX_PER_MM, InkCrop, Lattice, LatticeEdge, LooseInk},
};

/// What a reading leaves unexplained.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unexplained {
    /// Why a person must review the field.
    pub defect: Defect,
    /// The reading with its signs, as written from left to right; `?` for a sign without a name.
    pub as_written: String,
}

/// A sign of a reading, and where its middle is, pixels of the crop.
struct Placed {
    x: i32,
    sign: char,
}

/// What `candidate` leaves unexplained of a box's ink. `None` where it explains everything, and in a comb, whose cells leave
/// no room for other signs.
pub(super) fn unexplained(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    candidate: &Candidate,
    params: &AssembleParams,
) -> Option<Unexplained> {
    if field.ignores_punctuation || !matches!(field.layout, FieldLayout::Box { .. }) || candidate.digits.is_empty() {
        return None;
    }
    let path = path_of(field, lattice, &scores.edges, &candidate.digits, candidate.has_filler, &params.lattice);
    let Some(steps) = path else {
        // the digits were not cut apart: what is left out on the way through the lattice is not known
        let mut loose = lattice.edges.iter().filter(|edge| edge.crop.is_none()).filter_map(|edge| edge.loose);
        let is_any = loose.any(|ink| !is_allowed(field, lattice, &ink, &[], &params.unexplained));
        let as_written = candidate.digits.clone();
        return is_any.then(|| unexplained_ink(ReviewReason::UnexplainedInk, as_written));
    };
    let digits: Vec<(&InkCrop, u8)> = steps
        .iter()
        .filter_map(|step| match (step.symbol, &lattice.edges[step.edge_idx].crop) {
            (Symbol::Digit(digit), Some(crop)) => Some((crop, digit)),
            _ => None,
        })
        .collect();
    if is_ditto(field, lattice, scores, &steps, &params.unexplained) {
        return Some(unexplained_ink(ReviewReason::NotANumber, Sign::Ditto.character().to_string()));
    }
    let is_digit = |step: &&Step| matches!(step.symbol, Symbol::Digit(_));
    let of_digits: Vec<usize> = steps
        .iter()
        .filter(is_digit)
        .flat_map(|step| lattice.edges[step.edge_idx].components.iter().copied())
        .collect();
    let mut placed: Vec<Placed> =
        digits.iter().map(|(crop, digit)| Placed { x: middle(crop), sign: char::from(b'0' + digit) }).collect();
    let (mut has_sign, mut has_ink) = (false, false);
    for Step { edge_idx, symbol } in &steps {
        let LatticeEdge { crop, loose, components, .. } = &lattice.edges[*edge_idx];
        match (symbol, crop, loose) {
            // a stroke that was cut off a digit is no sign
            (Symbol::Nothing, Some(crop), _)
                if !components.iter().any(|c| of_digits.contains(c))
                    && !is_part_of_digit(crop.x, right(crop), &digits) =>
            {
                let glyph = scores.glyph(*edge_idx);
                let sign = glyph.map_or('?', |glyph| glyph.best_sign().character());
                placed.push(Placed { x: middle(crop), sign });
                has_sign = true;
            }
            (Symbol::Digit(_), Some(_), Some(ink))
                if is_joined_point(field, ink, &digits, &params.unexplained)
                    && !is_allowed(field, lattice, ink, &[], &params.unexplained) =>
            {
                placed.push(Placed { x: (ink.left + ink.right) / 2, sign: '.' });
                has_sign = true;
            }
            (_, None, Some(ink)) if !is_allowed(field, lattice, ink, &digits, &params.unexplained) => {
                let sign = name(ink, &params.unexplained);
                placed.push(Placed { x: (ink.left + ink.right) / 2, sign });
                has_sign |= sign != '?';
                has_ink = true;
            }
            _ => {}
        }
    }
    for colon in colons(field, lattice, &steps, &digits, &params.unexplained) {
        // its points may have been placed one by one
        placed.retain(|placed| placed.sign.is_ascii_digit() || !(colon.left..=colon.right).contains(&placed.x));
        placed.push(Placed { x: (colon.left + colon.right) / 2, sign: ':' });
        has_sign = true;
    }
    for i in slashes(&digits, &params.unexplained) {
        placed[i].sign = '/';
        has_sign = true;
    }
    if let Some(x) = wide_gap(field, lattice, &digits, &params.unexplained) {
        placed.push(Placed { x, sign: ' ' });
        has_sign = true;
    }
    if !has_sign && !has_ink {
        return None;
    }
    placed.sort_by_key(|placed| placed.x);
    let reason = if has_sign { ReviewReason::NotANumber } else { ReviewReason::UnexplainedInk };
    let text: String = placed.iter().map(|placed| placed.sign).collect();
    Some(unexplained_ink(reason, as_written(&text)))
}

fn unexplained_ink(reason: ReviewReason, as_written: String) -> Unexplained {
    Unexplained { defect: Defect { reason, is_sure: true }, as_written }
}

/// Whether a reading is 11, and its two strokes are low in their box and together look like ditto marks.
fn is_ditto(
    field: &Field,
    lattice: &Lattice,
    scores: &FieldScores,
    steps: &[Step],
    params: &UnexplainedParams,
) -> bool {
    let mut digits = steps.iter().filter(|step| matches!(step.symbol, Symbol::Digit(_)));
    let (Some(first), Some(second), None) = (digits.next(), digits.next(), digits.next()) else { return false };
    if first.symbol != Symbol::Digit(1) || second.symbol != Symbol::Digit(1) {
        return false;
    }
    let max_height = f64::from(params.max_ditto_height) * field.layout.bounds().height() * CROP_PX_PER_MM;
    let is_high = |step: &Step| {
        let crop = lattice.edges[step.edge_idx].crop.as_ref();
        crop.is_some_and(|crop| f64::from(crop.ink.height()) > max_height)
    };
    if is_high(first) || is_high(second) {
        return false;
    }
    let (from, to) = (lattice.edges[first.edge_idx].from, lattice.edges[second.edge_idx].to);
    let spans = |(edge, _): &(&LatticeEdge, &EdgeScores)| edge.from == from && edge.to == to;
    let together = lattice.edges.iter().zip(&scores.edges).find(spans);
    together
        .and_then(|(_, scores)| scores.glyph())
        .is_some_and(|glyph| glyph.class(GlyphClass::Ditto) >= params.min_ditto)
}

fn middle(crop: &InkCrop) -> i32 {
    crop.x + crop.ink.width() as i32 / 2
}

fn right(crop: &InkCrop) -> i32 {
    crop.x + crop.ink.width() as i32
}

/// Whether ink from `left` to `right` is above or below a digit for the most part: a stroke of it that was cut off.
fn is_part_of_digit(left: i32, right_edge: i32, digits: &[(&InkCrop, u8)]) -> bool {
    digits.iter().any(|(crop, _)| 2 * (right_edge.min(right(crop)) - left.max(crop.x)) >= right_edge - left)
}

/// Whether a number of this kind may have `ink` beside its `digits`, or it is too small to matter.
fn is_allowed(
    field: &Field,
    lattice: &Lattice,
    ink: &LooseInk,
    digits: &[(&InkCrop, u8)],
    params: &UnexplainedParams,
) -> bool {
    let is_dust = ink.area < params.min_area;
    // above or below the line of digits: a remnant of a printed line, or the bar of a 5 or a 7
    let is_off_line = !(params.min_level..=params.max_level).contains(&ink.level)
        || is_flat(ink, params) && ink.level < params.min_dash_level;
    let is_amount = matches!(field.kind, FieldKind::Amount { decimals, .. } if decimals > 0);
    let is_behind = digits.last().is_some_and(|(last, _)| ink.left >= right(last));
    let is_known_point =
        lattice.signs.points.contains(&((ink.left + ink.right) / 2)) || is_behind && is_point(ink, params);
    let is_separator = matches!(field.kind, FieldKind::Date { .. });
    is_dust
        || is_off_line
        || is_amount && is_known_point
        || is_separator
        || is_part_of_digit(ink.left, ink.right, digits)
}

/// The colons among the ink that a path leaves out or joins with a digit: two points of one size, one above the other, between
/// digits. Together they are a sign even where each by itself is as small as dust. A date and an amount may have them.
fn colons(
    field: &Field,
    lattice: &Lattice,
    steps: &[Step],
    digits: &[(&InkCrop, u8)],
    params: &UnexplainedParams,
) -> Vec<LooseInk> {
    if matches!(field.kind, FieldKind::Date { .. } | FieldKind::Amount { .. }) {
        return Vec::new();
    }
    let is_small = |ink: &LooseInk| is_point(ink, params) && ink.area >= params.min_colon_area;
    let upper: Vec<LooseInk> = lattice
        .edges
        .iter()
        .filter(|edge| edge.crop.is_none())
        .filter_map(|edge| edge.loose)
        .filter(is_small)
        .collect();
    let is_above = |a: &LooseInk, b: &LooseInk| {
        let shared = a.right.min(b.right) - a.left.max(b.left);
        2 * shared >= (a.right - a.left).min(b.right - b.left)
            && a.area.max(b.area) <= params.max_colon_ratio * a.area.min(b.area)
            && (params.colon_span.0..=params.colon_span.1).contains(&(b.level - a.level))
    };
    let is_between = |ink: &LooseInk| {
        let middle_of_ink = (ink.left + ink.right) / 2;
        let n_left = digits.iter().filter(|(crop, _)| middle(crop) < middle_of_ink).count();
        n_left > 0 && n_left < digits.len()
    };
    let colon = |step: &Step| {
        let edge = &lattice.edges[step.edge_idx];
        let lower = edge.loose.filter(is_small).filter(is_between)?;
        // loose ink that a path joins with a digit is beside its strokes
        if edge.crop.is_none() && is_part_of_digit(lower.left, lower.right, digits) {
            return None;
        }
        let upper = upper.iter().find(|upper| is_above(upper, &lower))?;
        Some(LooseInk { left: lower.left.min(upper.left), right: lower.right.max(upper.right), ..lower })
    };
    steps.iter().filter_map(colon).collect()
}

/// Whether `ink`, which a path joins with the digit beside it, is a point: at the foot of the digits. Of an amount only before
/// its first digit: the other points are known.
fn is_joined_point(field: &Field, ink: &LooseInk, digits: &[(&InkCrop, u8)], params: &UnexplainedParams) -> bool {
    let is_amount = matches!(field.kind, FieldKind::Amount { decimals, .. } if decimals > 0);
    let is_first = digits.first().is_some_and(|(first, _)| ink.left <= first.x);
    is_point(ink, params) && ink.level >= params.min_joined_level && (is_first || !is_amount)
}

/// Whether `ink` is small and not flat.
fn is_point(ink: &LooseInk, params: &UnexplainedParams) -> bool {
    ink.width.max(ink.height) <= params.max_point_side && !is_flat(ink, params)
}

fn is_flat(ink: &LooseInk, params: &UnexplainedParams) -> bool {
    ink.width >= params.min_dash_aspect * ink.height
}

/// The sign that `ink` looks like.
fn name(ink: &LooseInk, params: &UnexplainedParams) -> char {
    match (is_flat(ink, params), is_point(ink, params)) {
        (true, _) => '-',
        (_, true) if ink.level < params.max_apostrophe_level => '\'',
        (_, true) => '.',
        _ => '?',
    }
}

/// Indices of the strokes read as 1 that are slashes: straight, higher than the digits and leaning more than they do.
fn slashes(digits: &[(&InkCrop, u8)], params: &UnexplainedParams) -> Vec<usize> {
    let is_slash = |&i: &usize| {
        let (crop, digit) = digits[i];
        let others = || digits.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, (crop, _))| *crop);
        let mut heights: Vec<u32> = others().map(|crop| crop.ink.height()).collect();
        heights.sort_unstable();
        let Some(&height) = heights.get(heights.len() / 2) else { return false };
        let leans: Vec<f32> = others().filter_map(|crop| lean(&crop.ink)).collect();
        let mean = leans.iter().sum::<f32>() / leans.len().max(1) as f32;
        let Some(own) = lean(&crop.ink) else { return false };
        let is_inside = i > 0 && i + 1 < digits.len();
        let is_very_high = crop.ink.height() as f32 >= params.min_lone_slash_height * height as f32;
        let ones = digits.iter().enumerate().filter(|(j, (_, other))| *j != i && *other == 1);
        let is_alone = is_very_high
            || !ones.filter_map(|(_, (crop, _))| lean(&crop.ink)).any(|other| own - other < params.min_slash_lean_more);
        let is_high = crop.ink.height() as f32 >= params.min_slash_height * height as f32;
        let leans_more = own >= params.min_slash_lean && own - mean >= params.min_slash_lean_more;
        matches!(digit, 1 | 7) && is_straight(&crop.ink, own, params) && leans_more && is_high && is_inside && is_alone
    };
    (0..digits.len()).filter(is_slash).collect()
}

/// How far ink leans to the right: pixels sideways for each pixel up, by its second moments. `None` without ink or height.
fn lean(ink: &GrayImage) -> Option<f32> {
    let (mut n, mut sum_x, mut sum_y) = (0.0f32, 0.0, 0.0);
    let inked = || ink.enumerate_pixels().filter(|(.., p)| p[0] >= 128).map(|(x, y, _)| (x as f32, y as f32));
    for (x, y) in inked() {
        (n, sum_x, sum_y) = (n + 1.0, sum_x + x, sum_y + y);
    }
    let (mean_x, mean_y) = (sum_x / n.max(1.0), sum_y / n.max(1.0));
    let (mut xy, mut yy) = (0.0f32, 0.0);
    for (x, y) in inked() {
        (xy, yy) = (xy + (x - mean_x) * (y - mean_y), yy + (y - mean_y) * (y - mean_y));
    }
    (yy > 0.0).then(|| -xy / yy)
}

/// Whether ink is one straight stroke of this lean.
fn is_straight(ink: &GrayImage, lean: f32, params: &UnexplainedParams) -> bool {
    let height = ink.height() as f32;
    let (mut off, mut n, mut mean) = (0.0f32, 0.0f32, 0.0f32);
    let middles: Vec<(f32, f32, f32)> = (0..ink.height())
        .filter_map(|y| {
            let first = (0..ink.width()).find(|&x| ink.get_pixel(x, y)[0] >= 128)?;
            let last = (0..ink.width()).rfind(|&x| ink.get_pixel(x, y)[0] >= 128)?;
            Some(((first + last) as f32 / 2.0 + lean * y as f32, y as f32, (last - first + 1) as f32))
        })
        .collect();
    for (x, ..) in &middles {
        (mean, n) = (mean + x, n + 1.0);
    }
    mean /= n.max(1.0);
    for (x, _, width) in &middles {
        off = off.max((x - mean).abs().max(if *width > params.max_slash_width * height { height } else { 0.0 }));
    }
    off <= params.max_slash_bend * height
}

/// The middle of a gap that is wider than the writer's own: it separates two numbers. `None` where there is none, and where
/// an amount may have one: before its decimals and before each three digits. Where a point is written before the decimals and none
/// is seen, a narrower gap may be what is left of it.
fn wide_gap(field: &Field, lattice: &Lattice, digits: &[(&InkCrop, u8)], params: &UnexplainedParams) -> Option<i32> {
    let mut heights: Vec<u32> = digits.iter().map(|(crop, _)| crop.ink.height()).collect();
    heights.sort_unstable();
    let height = *heights.get(heights.len() / 2)? as f32;
    let gaps: Vec<(f32, i32)> = digits
        .windows(2)
        .map(|pair| {
            let (from, to) = (right(pair[0].0), pair[1].0.x);
            ((to - from) as f32 / height, (from + to) / 2)
        })
        .collect();
    let widest = (0..gaps.len()).max_by(|&a, &b| gaps[a].0.total_cmp(&gaps[b].0))?;
    let others = gaps.iter().enumerate().filter(|(i, _)| *i != widest).map(|(_, (gap, _))| gap.max(0.0));
    let n_behind = digits.len() - widest - 1;
    let signs = &lattice.signs;
    let lacks_point = match field.kind {
        FieldKind::Amount { decimals: decimals @ 1.., point: DecimalPoint::Written } => {
            n_behind == decimals && signs.points.is_empty() && !signs.ends_in_dash
        }
        _ => false,
    };
    let (min_gap, min_ratio) = match lacks_point {
        true => (params.min_point_gap, params.min_point_gap_ratio),
        false => (params.min_gap, params.min_gap_ratio),
    };
    let is_wide = match others.reduce(f32::max) {
        Some(next) => gaps[widest].0 >= min_gap && gaps[widest].0 >= min_ratio * (next + params.gap_offset),
        None => gaps[widest].0 >= params.min_lone_gap,
    };
    let is_custom = match field.kind {
        FieldKind::Amount { decimals, .. } => {
            !lacks_point && (n_behind == decimals || n_behind >= decimals && (n_behind - decimals).is_multiple_of(3))
        }
        FieldKind::Date { .. } => true,
        _ => false,
    };
    (is_wide && !is_custom).then_some(gaps[widest].1)
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;
    use crate::{
        assemble::{
            readings::candidates,
            tests::{edge, field, glyph},
        },
        form::{Field, parse_template},
        segment::LatticeEdge,
    };

    fn boxed(keys: &str) -> Field {
        let text = format!(
            "name = \"f\"\ntitle = \"t\"\npage = [210, 297]\nlines = [[10, 10, 200, 10], [10, 280, 200, 280], [10, 10, 10, 280]]\n\
             [[field]]\nname = \"a\"\nbox = [20, 20, 60, 9]\n{keys}"
        );
        parse_template(&text).unwrap_or_else(|error| panic!("{error}")).fields.remove(0)
    }

    /// A digit 40 pixels high and 20 wide at `x`: a bar that leans by `lean` pixels for each pixel up.
    fn bar(x: i32, height: u32, lean: f32) -> InkCrop {
        let width = 8 + (lean * height as f32) as u32;
        let is_ink = |u: u32, v: u32| (u as f32 - lean * (height - v) as f32 - 2.0).abs() < 2.5;
        InkCrop { ink: GrayImage::from_fn(width, height, |u, v| Luma([if is_ink(u, v) { 255 } else { 0 }])), x, y: 0 }
    }

    /// A chain of digits at these places, read as `digits`, and loose ink behind the first one.
    fn read(field: &Field, crops: Vec<InkCrop>, digits: &[u8], loose: Option<LooseInk>) -> Option<String> {
        read_with(field, crops, digits, loose.as_slice())
    }

    fn read_with(field: &Field, crops: Vec<InkCrop>, digits: &[u8], loose: &[LooseInk]) -> Option<String> {
        let mut edges = Vec::new();
        let mut scores: Vec<EdgeScores> = Vec::new();
        let mut n_nodes = 1;
        for (i, (crop, digit)) in crops.into_iter().zip(digits).enumerate() {
            edges.push(LatticeEdge { crop: Some(crop), components: vec![i], ..edge(n_nodes - 1, n_nodes) });
            scores.push(EdgeScores::Scored(glyph(usize::from(*digit), 0.99)));
            n_nodes += 1;
            for loose in loose.iter().filter(|_| i == 0) {
                edges.push(LatticeEdge { crop: None, loose: Some(*loose), ..edge(n_nodes - 1, n_nodes) });
                scores.push(EdgeScores::Empty);
                n_nodes += 1;
            }
        }
        let lattice = Lattice { n_nodes, edges, ..Lattice::default() };
        let scores = FieldScores { edges: scores, ..FieldScores::default() };
        let params = AssembleParams::default();
        let best = candidates(field, &lattice, &scores, &params).readings.remove(0);
        unexplained(field, &lattice, &scores, &best, &params).map(|found| found.as_written)
    }

    fn point(left: i32, area: f32) -> LooseInk {
        LooseInk { left, right: left + 6, width: 0.15, height: 0.15, level: 0.95, area }
    }

    #[test]
    fn point_in_a_whole_number_is_unexplained_and_dust_is_not() {
        let integer = boxed("kind = \"integer\"\ndigits = [1, 7]");
        let digits = || [0, 40, 72].map(|x| bar(x, 40, 0.0)).to_vec();
        assert_eq!(read(&integer, digits(), &[2, 5, 0], Some(point(20, 1.2))).as_deref(), Some("2.50"));
        assert_eq!(read(&integer, digits(), &[2, 5, 0], Some(point(20, 0.2))), None);
        assert_eq!(read(&integer, digits(), &[2, 5, 0], None), None);
        let ignoring = boxed("kind = \"integer\"\ndigits = [1, 7]\nignore_punctuation = true");
        assert_eq!(read(&ignoring, digits(), &[2, 5, 0], Some(point(20, 1.2))), None);
    }

    #[test]
    fn two_small_points_above_each_other_are_a_colon() {
        let integer = boxed("kind = \"integer\"\ndigits = [1, 7]");
        let colon = |upper: LooseInk, lower: LooseInk| {
            let crops = [0, 40, 72].map(|x| bar(x, 40, 0.0)).to_vec();
            read_with(&integer, crops, &[2, 5, 0], &[upper, lower])
        };
        let dot = |level: f32, area: f32| LooseInk { level, width: 0.12, height: 0.12, ..point(20, area) };
        assert_eq!(colon(dot(0.45, 0.4), dot(0.9, 0.4)).as_deref(), Some("2:50"));
        assert_eq!(colon(dot(0.45, 1.0), dot(0.9, 1.0)).as_deref(), Some("2:50"), "each is large enough by itself");
        assert_eq!(colon(dot(0.45, 0.05), dot(0.9, 0.05)), None, "they are dust");
        assert_eq!(colon(dot(0.8, 0.4), dot(0.9, 0.4)), None, "one speck in two pieces");
    }

    #[test]
    fn ink_above_or_below_the_digits_is_a_remnant_of_print() {
        let integer = boxed("kind = \"integer\"\ndigits = [1, 7]");
        let high = LooseInk { level: -0.4, ..point(20, 2.0) };
        assert_eq!(read(&integer, [0, 40].map(|x| bar(x, 40, 0.0)).to_vec(), &[2, 5], Some(high)), None);
    }

    #[test]
    fn slash_between_digits_is_named_and_a_leaning_one_is_not() {
        let integer = boxed("kind = \"integer\"\ndigits = [1, 7]");
        let with = |middle: InkCrop| vec![bar(0, 40, 0.0), middle, bar(70, 40, 0.0)];
        assert_eq!(read(&integer, with(bar(30, 56, 0.35)), &[5, 1, 4], None).as_deref(), Some("5/4"));
        assert_eq!(read(&integer, with(bar(30, 40, 0.1)), &[5, 1, 4], None), None);
        let all_lean = vec![bar(0, 40, 0.35), bar(40, 46, 0.35), bar(80, 40, 0.35)];
        assert_eq!(read(&integer, all_lean, &[5, 1, 4], None), None, "the writer leans");
    }

    #[test]
    fn space_wider_than_the_writers_own_separates_two_numbers() {
        let integer = boxed("kind = \"integer\"\ndigits = [1, 7]");
        let at = |places: [i32; 4]| places.map(|x| bar(x, 40, 0.0)).to_vec();
        assert_eq!(read(&integer, at([0, 20, 80, 100]), &[1, 2, 1, 5], None).as_deref(), Some("12 15"));
        assert_eq!(read(&integer, at([0, 40, 80, 120]), &[1, 2, 1, 5], None), None, "all digits are apart");
        let two = |x: i32| [0, x].map(|x| bar(x, 40, 0.0)).to_vec();
        assert_eq!(read(&integer, two(70), &[5, 7], None).as_deref(), Some("5 7"));
        assert_eq!(read(&integer, two(40), &[5, 7], None), None);
        let amount = boxed("kind = \"amount\"\ndigits = [1, 7]");
        assert_eq!(read(&amount, at([0, 20, 80, 100]), &[1, 2, 1, 5], None), None, "a gap before the cents");
        let written = boxed("kind = \"amount\"\npoint = \"written\"\ndigits = [1, 7]");
        let read_written = |places: [i32; 4]| read(&written, at(places), &[1, 2, 1, 5], None);
        assert_eq!(read_written([0, 20, 58, 78]).as_deref(), Some("12 15"), "no point is seen in the gap");
        assert_eq!(read_written([0, 20, 40, 60]), None);
    }

    #[test]
    fn two_strokes_that_look_like_ditto_marks_together_are_no_11() {
        let integer = boxed("kind = \"integer\"\ndigits = [1, 7]");
        let written = |probability: f32, height: u32| {
            let crop = |x: i32| Some(bar(x, height, 0.2));
            let whole = Some(InkCrop { ink: GrayImage::from_pixel(20, 14, Luma([255])), x: 0, y: 0 });
            let edges = vec![
                LatticeEdge { crop: crop(0), components: vec![0], ..edge(0, 1) },
                LatticeEdge { crop: crop(10), components: vec![1], ..edge(1, 2) },
                LatticeEdge { crop: whole, components: vec![0, 1], ..edge(0, 2) },
            ];
            let mut together = glyph(1, 0.9);
            together.classes = [0.0; crate::scores::N_CLASSES];
            together.classes[GlyphClass::Ditto as usize] = probability;
            together.classes[GlyphClass::Other as usize] = 1.0 - probability;
            let lattice = Lattice { n_nodes: 3, edges, ..Lattice::default() };
            let edges = [glyph(1, 0.99), glyph(1, 0.99), together].map(EdgeScores::Scored).to_vec();
            let scores = FieldScores { edges, ..FieldScores::default() };
            let params = AssembleParams::default();
            let best = candidates(&integer, &lattice, &scores, &params).readings.remove(0);
            assert_eq!(best.digits, "11");
            unexplained(&integer, &lattice, &scores, &best, &params).map(|found| found.as_written)
        };
        assert_eq!(written(0.8, 14).as_deref(), Some("\""));
        assert_eq!(written(0.2, 14), None);
        assert_eq!(written(0.8, 50), None, "they are as high as digits");
    }

    #[test]
    fn comb_leaves_no_room_for_signs() {
        let comb = field(1, 4);
        if matches!(comb.layout, FieldLayout::Comb { .. }) {
            assert_eq!(read(&comb, [0, 40].map(|x| bar(x, 40, 0.0)).to_vec(), &[2, 5], Some(point(20, 2.0))), None);
        }
    }
}
