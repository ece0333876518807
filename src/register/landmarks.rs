//! The landmarks, boxes and combs of a blank or a scan: what a template is made from.

use image::GrayImage;
use imageproc::region_labelling::{Connectivity, connected_components};

use super::evidence::PageEvidence;
use crate::{
    geometry::{Point, Projection, Rect, Segment},
    page::Page,
};

/// What is printed on a page, in page pixels after turning it upright by `upright_from_page`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FoundLandmarks {
    /// How the page was turned so that its lines are level.
    pub skew_radians: f64,
    /// Lines from end to end, level or plumb, longest first; the sides of boxes are among them.
    pub lines: Vec<Segment>,
    /// Frames that no line parts, that one can write in, in reading order, coordinates of the lines' middles.
    pub boxes: Vec<Rect>,
    /// Boxes of one size in a row, each touching or close to the next: indices into `boxes`, from left to right.
    pub combs: Vec<Vec<usize>>,
    /// Solid areas.
    pub marks: Vec<Rect>,
    /// Boxes around words.
    pub words: Vec<Rect>,
}

/// Sizes of what is looked for, as shares of the page's longer side (of A4: 297 mm).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LandmarkParams {
    /// Shortest line that is told from a letter: 9 mm of A4. Sides of boxes may be as short as a box is.
    pub min_line: f64,
    /// Least side of a box: 3 mm.
    pub min_box: f64,
    /// How far lines may miss each other at a corner: 0.8 mm.
    pub corner_gap: f64,
    /// Least side of a mark: 2.5 mm.
    pub min_mark: f64,
    /// Widest gap between the letters of a word: 1.5 mm.
    pub letter_gap: f64,
}

impl Default for LandmarkParams {
    fn default() -> Self {
        Self { min_line: 0.03, min_box: 0.010, corner_gap: 0.0027, min_mark: 0.0084, letter_gap: 0.005 }
    }
}

/// Share of a component's bounding box that is ink from which it is a solid mark.
const SOLID_SHARE: f64 = 0.85;
/// Boxes of a comb differ in size, and their pitch varies, by no more than this share of their width.
const COMB_TOLERANCE: f64 = 0.12;
/// Boxes further apart than this share of their width are no comb.
const COMB_GAP: f64 = 0.6;
/// Share of a box's side that must be printed.
const SIDE_COVERED: f64 = 0.85;

/// Finds what is printed on `page`. On a filled form handwriting is found with it, for a person to remove.
pub fn find_landmarks(page: &Page, params: &LandmarkParams) -> FoundLandmarks {
    let evidence = PageEvidence::measure(page);
    let side = evidence.page_bounds().width().max(evidence.page_bounds().height());
    let skew_radians = skew(&evidence);
    let centre = evidence.page_bounds().centre();
    let upright_from_page = Projection::translation(centre.x, centre.y)
        .compose(&Projection::rotation(-skew_radians))
        .compose(&Projection::translation(-centre.x, -centre.y));
    let gap_px = side * params.corner_gap;
    let upright = |lines: &[Segment]| -> Vec<Segment> {
        lines.iter().map(|s| levelled(upright_from_page.apply_segment(*s))).collect()
    };
    let horizontal = upright(&evidence.lines.whole.horizontal);
    let vertical = upright(&evidence.lines.whole.vertical);
    let boxes = find_boxes(&horizontal, &vertical, side * params.min_box, gap_px);
    let combs = find_combs(&boxes);
    let is_side = |s: &Segment| boxes.iter().any(|b| b.edges().iter().any(|e| lies_on(*e, *s, gap_px)));
    let mut lines: Vec<Segment> =
        horizontal.into_iter().chain(vertical).filter(|s| s.length() >= side * params.min_line || is_side(s)).collect();
    lines.sort_by(|s, t| t.length().total_cmp(&s.length()));
    let blobs = blobs(&evidence);
    let min_mark = side * params.min_mark;
    let is_mark = |b: &Blob| b.bounds.width() >= min_mark && b.bounds.height() >= min_mark && b.solidity >= SOLID_SHARE;
    let marks = blobs.iter().filter(|b| is_mark(b)).map(|b| upright_rect(&upright_from_page, b.bounds)).collect();
    let letters: Vec<Rect> = blobs
        .iter()
        .filter(|b| !is_mark(b) && b.bounds.height() <= side * 0.02 && b.bounds.width() <= side * 0.05)
        .filter(|b| b.bounds.width().max(b.bounds.height()) >= side * 0.003)
        .map(|b| upright_rect(&upright_from_page, b.bounds))
        .collect();
    let on_line = |w: &Rect| lines.iter().any(|s| w.grown(1.0).contains(s.middle()) && s.length() > 0.8 * w.width());
    let words = join_letters(letters, side * params.letter_gap).into_iter().filter(|w| !on_line(w)).collect();
    FoundLandmarks { skew_radians, lines, boxes, combs, marks, words }
}

/// The angle by which the page's lines are turned clockwise: the median by length of those within 20 degrees of level.
fn skew(evidence: &PageEvidence) -> f64 {
    let mut angles: Vec<(f64, f64)> = evidence
        .lines
        .whole
        .horizontal
        .iter()
        .map(|s| ((s.b.y - s.a.y).atan2(s.b.x - s.a.x), s.length()))
        .filter(|(angle, _)| angle.abs() < 20f64.to_radians())
        .collect();
    angles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half: f64 = angles.iter().map(|a| a.1).sum::<f64>() / 2.0;
    let mut passed = 0.0;
    for (angle, length) in angles {
        passed += length;
        if passed >= half {
            return angle;
        }
    }
    0.0
}

/// The same line, exactly level or plumb.
fn levelled(s: Segment) -> Segment {
    let middle = s.middle();
    if s.is_horizontal() {
        Segment::new(Point::new(s.a.x, middle.y), Point::new(s.b.x, middle.y))
    } else {
        Segment::new(Point::new(middle.x, s.a.y), Point::new(middle.x, s.b.y))
    }
}

fn upright_rect(upright_from_page: &Projection, r: Rect) -> Rect {
    let centre = upright_from_page.apply(r.centre());
    Rect::from_xywh(centre.x - r.width() / 2.0, centre.y - r.height() / 2.0, r.width(), r.height())
}

/// Whether `edge` runs along `line`, both level or both plumb.
fn lies_on(edge: Segment, line: Segment, gap: f64) -> bool {
    if edge.is_horizontal() != line.is_horizontal() {
        return false;
    }
    let (across, along) = if line.is_horizontal() {
        ((edge.a.y - line.a.y).abs(), edge.middle().x >= line.a.x - gap && edge.middle().x <= line.b.x + gap)
    } else {
        ((edge.a.x - line.a.x).abs(), edge.middle().y >= line.a.y - gap && edge.middle().y <= line.b.y + gap)
    };
    across <= gap && along
}

/// Every rectangle of four lines that no further line parts.
fn find_boxes(horizontal: &[Segment], vertical: &[Segment], min_side: f64, gap: f64) -> Vec<Rect> {
    let mut boxes: Vec<Rect> = Vec::new();
    for left in vertical {
        for right in vertical {
            let width = right.a.x - left.a.x;
            if width < min_side {
                continue;
            }
            let (from, to) = (left.a.y.max(right.a.y) - gap, left.b.y.min(right.b.y) + gap);
            let mut levels: Vec<f64> = horizontal
                .iter()
                .filter(|h| h.a.y >= from && h.a.y <= to)
                .filter(|h| h.b.x.min(right.a.x) - h.a.x.max(left.a.x) >= SIDE_COVERED * width)
                .map(|h| h.a.y)
                .collect();
            levels.sort_by(f64::total_cmp);
            for pair in levels.windows(2) {
                let candidate = Rect::from_edges(left.a.x, pair[0], right.a.x, pair[1]);
                let is_parted = vertical.iter().any(|v| {
                    let inside = v.a.x > candidate.x0 + min_side * 0.3 && v.a.x < candidate.x1 - min_side * 0.3;
                    inside && v.b.y.min(candidate.y1) - v.a.y.max(candidate.y0) >= SIDE_COVERED * candidate.height()
                });
                if candidate.height() >= min_side && !is_parted {
                    boxes.push(candidate);
                }
            }
        }
    }
    // A line that is drawn double gives a box and a slightly larger one: the inner is where one writes.
    boxes.sort_by(|a, b| a.area().total_cmp(&b.area()));
    let mut kept: Vec<Rect> = Vec::new();
    for candidate in boxes {
        let repeats = |k: &Rect| k.intersection(candidate).is_some_and(|both| both.area() > 0.8 * candidate.area());
        if !kept.iter().any(repeats) {
            kept.push(candidate);
        }
    }
    kept.sort_by(|a, b| (a.y0 / min_side).round().total_cmp(&(b.y0 / min_side).round()).then(a.x0.total_cmp(&b.x0)));
    kept
}

/// Rows of boxes of one size and an even, small gap.
fn find_combs(boxes: &[Rect]) -> Vec<Vec<usize>> {
    let mut combs: Vec<Vec<usize>> = Vec::new();
    for (idx, b) in boxes.iter().enumerate() {
        let tolerance = COMB_TOLERANCE * b.width().max(b.height());
        let continues = |comb: &Vec<usize>| {
            let last = boxes[comb[comb.len() - 1]];
            let gap = b.x0 - last.x1;
            let alike = (b.width() - last.width()).abs() <= tolerance
                && (b.y0 - last.y0).abs() <= tolerance
                && (b.y1 - last.y1).abs() <= tolerance;
            alike && gap >= -tolerance && gap <= COMB_GAP * b.width()
        };
        match combs.iter_mut().find(|comb| continues(comb)) {
            Some(comb) => comb.push(idx),
            None => combs.push(vec![idx]),
        }
    }
    combs.retain(|comb| comb.len() > 1);
    combs
}

/// A connected piece of ink.
struct Blob {
    bounds: Rect,
    /// Share of the bounding box that is ink.
    solidity: f64,
}

/// Connected ink of the measured picture, in page pixels.
fn blobs(evidence: &PageEvidence) -> Vec<Blob> {
    let (mask, factor): (&GrayImage, f64) = evidence.mask();
    let labels = connected_components(mask, Connectivity::Eight, image::Luma([0]));
    let n_labels = labels.pixels().map(|p| p.0[0]).max().unwrap_or(0) as usize;
    let mut found: Vec<Option<(Rect, f64)>> = vec![None; n_labels + 1];
    for (x, y, label) in labels.enumerate_pixels().filter(|(_, _, label)| label.0[0] > 0) {
        let pixel = Rect::from_xywh(f64::from(x), f64::from(y), 1.0, 1.0);
        let entry = &mut found[label.0[0] as usize];
        *entry = Some(entry.map_or((pixel, 1.0), |(bounds, n)| (bounds.union(pixel), n + 1.0)));
    }
    let enlarged = |r: Rect| Rect::from_edges(r.x0 * factor, r.y0 * factor, r.x1 * factor, r.y1 * factor);
    found.into_iter().flatten().map(|(r, n)| Blob { bounds: enlarged(r), solidity: n / r.area() }).collect()
}

/// Letters that follow each other on a line of text, joined.
fn join_letters(mut letters: Vec<Rect>, gap: f64) -> Vec<Rect> {
    letters.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let mut words: Vec<Rect> = Vec::new();
    for letter in letters {
        let follows = |w: &&mut Rect| {
            let overlap = w.y1.min(letter.y1) - w.y0.max(letter.y0);
            letter.x0 - w.x1 <= gap && overlap > 0.4 * letter.height().min(w.height())
        };
        match words.iter_mut().rev().find(follows) {
            Some(word) => *word = word.union(letter),
            None => words.push(letter),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use image::Luma;

    use super::*;

    /// A comb of four touching cells and a separate box, drawn with lines of 3 px.
    #[test]
    fn a_comb_and_a_box_are_found_where_they_were_drawn() {
        let cells: Vec<Rect> =
            (0..4).map(|i| Rect::from_xywh(200.0 + 50.0 * f64::from(i), 300.0, 50.0, 70.0)).collect();
        let lone = Rect::from_xywh(700.0, 600.0, 240.0, 70.0);
        let frames: Vec<Rect> = cells.iter().copied().chain([lone]).collect();
        let pixels = GrayImage::from_fn(1200, 1600, |x, y| {
            let p = Point::new(f64::from(x), f64::from(y));
            let on = |r: &Rect| r.grown(1.5).contains(p) && !r.grown(-1.5).contains(p);
            Luma([if frames.iter().any(on) { 30 } else { 240 }])
        });
        let page = Page::upright(pixels, None);
        let found = find_landmarks(&page, &LandmarkParams::default());
        assert_eq!(found.boxes.len(), 5, "{:?}", found.boxes);
        for (b, drawn) in found.boxes.iter().zip(&frames) {
            for (p, q) in b.corners().into_iter().zip(drawn.corners()) {
                assert!((p - q).norm() <= 1.5, "{b:?} is not {drawn:?}");
            }
        }
        assert_eq!(found.combs, vec![vec![0, 1, 2, 3]]);
    }
}
