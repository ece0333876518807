//! What is printed on a sheet besides fields: lines, solid marks and words; and the lines to write on.

use super::{
    cells::Cell,
    dotted::dotted_rows,
    fields::{FieldCandidate, Shape},
    ink::{Ink, in_mm, in_px},
    sheet::Sheet,
};
use formread_core::{
    form::{FieldLayout, Landmarks, PrintedSides, Word},
    register::{EvidenceParams, PageEvidence},
};
use formread_page::Page;
use formread_raster::{
    geometry::{Point, Rect, Segment},
    label_components,
};

/// Shortest line among the landmarks, millimetres: longer than any letter.
const MIN_LINE_MM: f64 = 9.0;
/// A supposed line with ink on both sides is a line of text. The ink is this far away, millimetres.
const BESIDE_MM: [f64; 2] = [0.5, 1.0];
/// Share of ink there from which it is text.
const TEXT_SHARE: f64 = 0.15;
/// Ink this near to a line belongs to it, millimetres.
const INK_REACH_MM: f64 = 0.25;
/// Longest piece of a line without ink, millimetres.
const MAX_GAP_MM: f64 = 1.0;
/// A line of less contrast is pale: a scan may lose it, so it is no landmark.
const MIN_CONTRAST: f64 = 0.3;
/// How far a pale line may lie from where it was found, millimetres.
const PALE_MARGIN_MM: f64 = 0.3;
/// A line this near to the side of a field's frame is that side, millimetres.
const NEAR_MM: f64 = 0.7;
/// A line covered to this share by sides of fields is no landmark of its own.
const MAX_COVERED_SHARE: f64 = 0.8;
/// Smallest side of a solid mark, millimetres.
const MIN_MARK_MM: f64 = 2.4;
/// Smallest share of ink in the bounds of a solid mark.
const MIN_SOLID_SHARE: f64 = 0.85;
/// Largest height and width of a letter, or of a word whose letters touch, millimetres.
const MAX_LETTER_MM: [f64; 2] = [8.0, 40.0];
/// Smallest longer side of a letter, millimetres.
const MIN_LETTER_MM: f64 = 0.9;
/// A component longer than this, millimetres, and longer than this multiple of its thickness is a line and no letter.
const STROKE_MM: f64 = 4.0;
const STROKE_PROPORTION: f64 = 6.0;
/// Largest gap between letters of one word or one line of words, millimetres.
const MAX_LETTER_GAP_MM: f64 = 1.5;
/// Smallest width and height of a word, millimetres.
const MIN_WORD_MM: [f64; 2] = [2.0, 1.2];
/// Most words and most lines, the largest first: the limit of a template.
const MAX_LANDMARKS: usize = 2_000;
/// A line that meets two as long as this across it is a part of a table, millimetres: strokes of letters are shorter. They may end this
/// far from it.
const MIN_UPRIGHT_MM: f64 = 4.5;
const MAX_SHORT_MM: f64 = 3.0;
/// Length of a line to write a number on, millimetres.
const WRITING_LINE_MM: std::ops::RangeInclusive<f64> = 8.0..=200.0;
/// Height of the room above it, millimetres: at least so much must be free, and no more is used.
const ROOM_MM: std::ops::RangeInclusive<f64> = 3.5..=7.0;
/// Largest ink in that room, square millimetres per millimetre of line.
const MAX_ROOM_INK: f64 = 0.006;
/// Largest distance of the label left of a line to write on, millimetres; and where nothing but a leader lies between.
const MAX_LABEL_MM: f64 = 30.0;
const MAX_FAR_LABEL_MM: f64 = 150.0;
/// Largest distance of the caption below a line to write on, millimetres.
const MAX_CAPTION_MM: f64 = 5.0;
/// Largest distance from the end of a leader to its frame, millimetres: the number of an item may be between.
const MAX_LEADER_GAP_MM: f64 = 15.0;
/// Largest distance from the end of a leader to the line that it leads to, millimetres.
const MAX_LEADER_END_MM: f64 = 3.0;
/// Lowest height of a word of a heading, millimetres: captions are smaller.
const MIN_HEADING_MM: f64 = 4.5;

/// The print on a sheet, millimetres.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Print {
    /// Longest first.
    pub lines: Vec<Segment>,
    /// Lines so pale that a scan may lose them.
    pub pale_lines: Vec<Segment>,
    /// Rows of dots or dashes.
    pub dotted: Vec<Rect>,
    pub marks: Vec<Rect>,
    /// By left edge.
    pub words: Vec<Rect>,
}

/// Finds the print. `cells` are the frames of the sheet: their ink is neither a word nor a mark.
pub(super) fn find_print(sheet: &Sheet, ink: &Ink, cells: &[Cell]) -> Print {
    let k = ink.px_per_mm;
    let (marks, letters) = marks_and_letters(ink, cells);
    let evidence = PageEvidence::measure(&Page::upright(sheet.pixels.clone(), None), &EvidenceParams::default());
    let whole = evidence.lines.whole;
    let mut lines: Vec<Segment> = whole.horizontal.into_iter().chain(whole.vertical).collect();
    lines.iter_mut().for_each(|s| *s = Segment::new(s.a * (1.0 / k), s.b * (1.0 / k)));
    lines.retain(|s| !is_text(ink, *s));
    let mut lines: Vec<Segment> = lines.into_iter().flat_map(|s| inked_parts(ink, s)).collect();
    lines.sort_by(|s, t| t.length().total_cmp(&s.length()));
    let (lines, pale_lines) = lines.into_iter().partition(|s| contrast(sheet, *s) >= MIN_CONTRAST);
    let mut words = join_letters(letters);
    words.retain(|w| w.width() >= MIN_WORD_MM[0] && w.height() >= MIN_WORD_MM[1]);
    Print { lines, pale_lines, dotted: dotted_rows(ink), marks, words }
}

impl Print {
    /// The landmarks for registration besides the frames of `fields`.
    pub fn landmarks(&self, sheet: &Sheet, fields: &[FieldCandidate]) -> Landmarks {
        let sides: Vec<Segment> = fields.iter().flat_map(|field| field.layout.printed_lines()).collect();
        let is_other = |s: &&Segment| s.length() >= MIN_LINE_MM && covered_share(**s, &sides) < MAX_COVERED_SHARE;
        let is_apart =
            |w: &Rect| fields.iter().all(|field| field.layout.bounds().inflate(NEAR_MM).intersection(*w).is_none());
        let page = in_mm(sheet.bounds(), sheet.px_per_mm);
        let mut words: Vec<Rect> = self.words.iter().copied().filter(is_apart).collect();
        words.sort_by(|a, b| b.area().total_cmp(&a.area()));
        words.truncate(MAX_LANDMARKS);
        words.sort_by(|a, b| a.y0.total_cmp(&b.y0).then(a.x0.total_cmp(&b.x0)));
        Landmarks {
            page,
            lines: self
                .lines
                .iter()
                .filter(is_other)
                .filter(|s| page.contains(s.a) && page.contains(s.b))
                .take(MAX_LANDMARKS)
                .copied()
                .collect(),
            marks: self.marks.clone(),
            words: words
                .into_iter()
                .chain(fields.iter().flat_map(|field| field.letters.iter().copied()))
                .map(|bounds| Word { bounds, text: String::new() })
                .collect(),
            print: self
                .pale_lines
                .iter()
                .filter(is_other)
                .filter_map(|s| Rect::around([s.a, s.b]))
                .map(|r| r.inflate(PALE_MARGIN_MM))
                .filter(|r| page.union(*r) == page)
                .collect(),
            ..Landmarks::default()
        }
    }

    /// Where the lines of the form are, those of `fields` among them, millimetres.
    pub fn lines_of_form(&self, fields: &[FieldCandidate]) -> Vec<Rect> {
        // shorter ones are strokes of letters
        let others = self.lines.iter().chain(&self.pale_lines).filter(|s| s.length() >= MIN_LINE_MM).copied();
        let frames = fields.iter().flat_map(|field| field.layout.printed_lines());
        let solid = others.chain(frames).filter_map(|s| Rect::around([s.a, s.b]));
        solid.chain(self.dotted.iter().copied()).collect()
    }

    /// The lines to write on, solid, pale or dotted: nothing touches them, there is room above and no heading, and there are words before
    /// or below. A dotted line that leads to a frame or to another line is none.
    pub fn writing_lines(&self, ink: &Ink, cells: &[Cell]) -> Vec<FieldCandidate> {
        let k = ink.px_per_mm;
        let (width, height) = (f64::from(ink.mask.width()), f64::from(ink.mask.height()));
        let page = in_mm(Rect::from_edges(0.0, 0.0, width, height), k);
        let sides: Vec<Segment> = cells.iter().flat_map(|cell| in_mm(cell.frame, k).edges()).collect();
        let is_free = |s: &Segment| {
            let uprights = || self.lines.iter().chain(&self.pale_lines).filter(|t| !t.is_horizontal());
            let reach = |t: &Segment, mm: f64| Rect::around([t.a, t.b]).unwrap_or_default().inflate(mm);
            let touches = |t: &Segment| [s.a, s.b].iter().any(|end| reach(t, NEAR_MM).contains(*end));
            // in a grey head of a table lines are found too short
            let hangs = |t: &&Segment| {
                t.length() >= MIN_UPRIGHT_MM && reach(t, MAX_SHORT_MM).intersection(reach(s, 0.1)).is_some()
            };
            covered_share(*s, &sides) < 0.3 && !uprights().any(touches) && uprights().filter(hangs).count() < 2
        };
        // whether there is neither a frame nor a line between a word and the line to write on
        let is_open = |w: &Rect, s: &Segment| {
            let between = Rect::from_edges(w.x1, w.y0, s.a.x - NEAR_MM, s.middle().y + NEAR_MM);
            let crosses =
                |t: &Segment| Rect::around([t.a, t.b]).is_some_and(|t| t.inflate(0.1).intersection(between).is_some());
            // shorter ones are strokes of letters
            let lines = self.lines.iter().chain(&self.pale_lines).filter(|t| t.length() >= MIN_LINE_MM);
            !sides.iter().chain(lines).any(crosses)
        };
        let has_label = |s: &Segment| {
            let level = s.middle().y;
            self.words.iter().any(|w| {
                let before = s.a.x - w.x1;
                let is_near = before <= MAX_LABEL_MM || before <= MAX_FAR_LABEL_MM && is_open(w, s);
                let is_label = before >= -1.0 && is_near && w.y1 > level - ROOM_MM.end() && w.y0 < level;
                let is_caption = w.y0 >= level && w.y0 - level <= MAX_CAPTION_MM && w.x0 < s.b.x && w.x1 > s.a.x;
                is_label || is_caption
            })
        };
        let room = |s: &Segment| -> Option<f64> {
            let level = s.a.y.min(s.b.y) - NEAR_MM;
            let is_clear = |height: &f64| {
                let over = Rect::from_edges(s.a.x + 0.5, level - height, s.b.x - 0.5, level);
                ink.mm2_within(in_px(over, k)) <= MAX_ROOM_INK * s.length()
            };
            // there is no room beyond the upper edge of the page
            let heights = (0..8).map(|i| ROOM_MM.end() - f64::from(i) * 0.5);
            heights.filter(|height| ROOM_MM.contains(height) && *height <= level).find(is_clear)
        };
        let is_below_heading = |s: &Segment| {
            let is_over = |w: &&Rect| (0.0..=*ROOM_MM.end()).contains(&(s.middle().y - w.y1));
            let mut over = self.words.iter().filter(is_over);
            over.any(|w| w.height() >= MIN_HEADING_MM && w.x0 < s.b.x && w.x1 > s.a.x)
        };
        let is_leader = |row: &Rect| {
            let leads_to = |cell: &Cell| {
                let frame = in_mm(cell.frame, k);
                (-1.0..=MAX_LEADER_GAP_MM).contains(&(frame.x0 - row.x1)) && (frame.y0..frame.y1).contains(&row.y0)
            };
            let ends_at = |s: &Segment| {
                (-1.0..=MAX_LEADER_END_MM).contains(&(s.a.x - row.x1)) && (s.a.y - row.y1).abs() <= NEAR_MM
            };
            cells.iter().any(leads_to)
                || self.lines.iter().chain(&self.pale_lines).any(|s| s.is_horizontal() && ends_at(s))
        };
        // a piece of a broken line is none of its own
        let is_piece = |s: &Segment| {
            let along = |row: &Rect| row.inflate(NEAR_MM).contains(s.middle());
            self.dotted.iter().any(along)
        };
        let solid = self.lines.iter().filter(|s| s.is_horizontal() && !is_piece(s));
        let solid = solid.map(|s| (*s, PrintedSides { bottom: true, ..PrintedSides::NONE }));
        // what a scan may lose and what is no line is below the field, and is print
        let upper_edge = |row: Rect| Segment::new(Point::new(row.x0, row.y0), Point::new(row.x1, row.y0));
        let pale = self
            .pale_lines
            .iter()
            .filter(|s| s.is_horizontal() && !is_piece(s))
            .filter_map(|s| Rect::around([s.a, s.b]));
        let pale = pale.map(|r| Rect { y0: r.y0 - PALE_MARGIN_MM, ..r });
        let dotted = self.dotted.iter().copied().filter(|row| !is_leader(row));
        let unheld = pale.chain(dotted).map(|row| (upper_edge(row), PrintedSides::NONE));
        solid
            .chain(unheld)
            .filter(|(s, _)| WRITING_LINE_MM.contains(&s.length()) && page.contains(s.a) && page.contains(s.b))
            .filter(|(s, _)| is_free(s) && has_label(s) && !is_below_heading(s))
            .filter_map(|(s, printed)| {
                let frame = Rect::from_edges(s.a.x, s.middle().y - NEAR_MM - room(&s)?, s.b.x, s.middle().y);
                Some(FieldCandidate::new(Shape::Line, FieldLayout::Box { frame, printed }))
            })
            .collect()
    }
}

/// Whether there is ink along both sides of `line` (millimetres): then it consists of letters.
fn is_text(ink: &Ink, line: Segment) -> bool {
    let along = Rect::from_edges(line.a.x, line.a.y.min(line.b.y), line.b.x.max(line.a.x), line.b.y.max(line.a.y));
    let share = |[from, to]: [f64; 2]| {
        let place = match line.is_horizontal() {
            true => Rect::from_edges(along.x0, line.middle().y + from, along.x1, line.middle().y + to),
            false => Rect::from_edges(line.middle().x + from, along.y0, line.middle().x + to, along.y1),
        };
        ink.mm2_within(in_px(place, ink.px_per_mm)) / place.area()
    };
    let [near, far] = BESIDE_MM;
    share([near, far]) > TEXT_SHARE && share([-far, -near]) > TEXT_SHARE
}

/// The parts of `line` along which there is ink, each from its first to its last pixel: a line that was joined over gaps may run
/// along the sides of separate frames.
fn inked_parts(ink: &Ink, line: Segment) -> Vec<Segment> {
    let k = ink.px_per_mm;
    let n = (line.length() * k).ceil().max(1.0) as usize;
    let normal = Point::new(-line.direction().y, line.direction().x);
    let reach = (INK_REACH_MM * k).ceil() as i32;
    let is_inked = |i: usize| {
        let p = line.at((i as f64 + 0.5) / n as f64) * k;
        (-reach..=reach).any(|off| {
            let q = p + normal * f64::from(off);
            q.x >= 0.0 && q.y >= 0.0 && ink.mask.get_pixel_checked(q.x as u32, q.y as u32).is_some_and(|v| v[0] > 0)
        })
    };
    let max_gap = (MAX_GAP_MM * k).ceil() as usize;
    let mut parts: Vec<[usize; 2]> = Vec::new();
    for i in (0..n).filter(|i| is_inked(*i)) {
        match parts.last_mut() {
            Some(last) if i - last[1] <= max_gap => last[1] = i + 1,
            _ => parts.push([i, i + 1]),
        }
    }
    let part = |[from, to]: [usize; 2]| Segment::new(line.at(from as f64 / n as f64), line.at(to as f64 / n as f64));
    parts.into_iter().map(part).collect()
}

/// How much darker a line is than the paper beside it, as a share of the paper's light: the median along it.
fn contrast(sheet: &Sheet, line: Segment) -> f64 {
    let k = sheet.px_per_mm;
    let normal = Point::new(-line.direction().y, line.direction().x);
    let reach = (INK_REACH_MM * k).ceil() as i32;
    let level = |p: Point, off: f64| {
        let q = p * k + normal * off;
        sheet.pixels.get_pixel_checked(q.x.max(0.0) as u32, q.y.max(0.0) as u32).map_or(255.0, |v| f64::from(v[0]))
    };
    let n = (line.length() / 0.5).ceil().max(1.0) as usize;
    let mut shares: Vec<f64> = (0..n)
        .map(|i| line.at((i as f64 + 0.5) / n as f64))
        .map(|p| {
            let darkest = (-reach..=reach).map(|off| level(p, f64::from(off))).fold(255.0, f64::min);
            let paper = [-1.2, 1.2].map(|mm| level(p, mm * k)).into_iter().fold(1.0, f64::max);
            1.0 - darkest / paper
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len() / 2).copied().unwrap_or(0.0)
}

/// Share of `line` along which one of `sides` lies.
fn covered_share(line: Segment, sides: &[Segment]) -> f64 {
    let direction = line.direction();
    let beside = |p: Point| (p - line.a).cross(direction).abs() <= NEAR_MM;
    let mut spans: Vec<(f64, f64)> = sides
        .iter()
        .filter(|side| side.is_horizontal() == line.is_horizontal() && beside(side.middle()))
        .map(|side| ((side.a - line.a).dot(direction), (side.b - line.a).dot(direction)))
        .map(|(from, to)| (from.min(to).max(0.0), from.max(to).min(line.length())))
        .filter(|(from, to)| from < to)
        .collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut covered, mut reached) = (0.0, 0.0f64);
    for (from, to) in spans {
        covered += (to - from.max(reached)).max(0.0);
        reached = reached.max(to);
    }
    if line.length() > 0.0 { covered / line.length() } else { 0.0 }
}

/// Solid marks, and components of the size of a letter, millimetres.
pub(super) fn marks_and_letters(ink: &Ink, cells: &[Cell]) -> (Vec<Rect>, Vec<Rect>) {
    let k = ink.px_per_mm;
    let labels = label_components(&ink.mask);
    let n_labels = labels.pixels().map(|p| p[0]).max().unwrap_or(0) as usize;
    let mut blobs: Vec<Option<(Rect, f64)>> = vec![None; n_labels + 1];
    for (x, y, label) in labels.enumerate_pixels().filter(|p| p.2[0] > 0) {
        let pixel = Rect::from_xywh(f64::from(x), f64::from(y), 1.0, 1.0);
        let blob = &mut blobs[label[0] as usize];
        *blob = Some(blob.map_or((pixel, 1.0), |(bounds, n)| (bounds.union(pixel), n + 1.0)));
    }
    let frames: Vec<Rect> = cells.iter().map(|cell| in_mm(cell.frame, k)).collect();
    let (mut marks, mut letters) = (Vec::new(), Vec::new());
    for (bounds, n) in blobs.into_iter().flatten() {
        let b = in_mm(bounds, k);
        let (longer, shorter) = (b.width().max(b.height()), b.width().min(b.height()));
        if shorter >= MIN_MARK_MM && n / bounds.area() >= MIN_SOLID_SHARE {
            marks.push(b);
            continue;
        }
        let is_stroke = longer > STROKE_MM && longer > STROKE_PROPORTION * shorter;
        let is_letter = b.height() <= MAX_LETTER_MM[0] && b.width() <= MAX_LETTER_MM[1] && longer >= MIN_LETTER_MM;
        // the ink of a frame, and not a letter within it
        let is_frame = |frame: &Rect| b.contains(frame.centre()) && b.area() >= 0.8 * frame.area();
        if is_letter && !is_stroke && !frames.iter().any(is_frame) {
            letters.push(b);
        }
    }
    (marks, letters)
}

/// Joins letters that follow each other on a line of text.
pub(super) fn join_letters(mut letters: Vec<Rect>) -> Vec<Rect> {
    letters.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let mut words: Vec<Rect> = Vec::new();
    for letter in letters {
        let follows = |w: &&mut Rect| {
            let overlap = w.y1.min(letter.y1) - w.y0.max(letter.y0);
            let height = w.union(letter).height();
            letter.x0 - w.x1 <= MAX_LETTER_GAP_MM
                && overlap > 0.4 * letter.height().min(w.height())
                && height <= MAX_LETTER_MM[0]
        };
        match words.iter_mut().rev().find(follows) {
            Some(word) => *word = word.union(letter),
            None => words.push(letter),
        }
    }
    words
}
