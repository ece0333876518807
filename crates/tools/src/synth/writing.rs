//! Writes digits as a person does: one hand, pen and slant for each page, and small variations between digits.
//!
//! The constants are estimates; no record shows on which set they were chosen.

use image::{GrayImage, Luma, imageops};
use rand::RngExt;

use super::{
    Dice, SynthOptions,
    glyphs::{Hand, crop_to_ink},
    sheet::Sheet,
    values::Entry,
};
use formread_core::form::{DecimalPoint, Field, FieldKind, FieldLayout, Filler};
use formread_raster::geometry::{Point, Rect, Segment};

/// Maximum height of a digit in a box of any size, millimetres.
const MAX_HEIGHT_MM: f64 = 7.5;
/// Minimum distance of ink from the centre of a field's printed line, millimetres: ink may touch the line, not cross it.
const INSIDE_MM: f64 = 0.15;
/// Maximum width of a digit, as a share of its comb cell; a wider one is squeezed.
const MAX_CELL_SHARE: f64 = 0.92;
/// Maximum width of a number, as a share of its box; a wider one is squeezed.
const MAX_BOX_SHARE: f64 = 0.96;
/// Share of writers who write numbers at the right end of a box; the others start anywhere.
const RIGHT_ALIGNED_SHARE: f64 = 0.6;
/// Empty margin around a glyph before it is scaled, pixels, for its soft edges.
const GLYPH_MARGIN_PX: u32 = 2;
/// Width of the soft edge of a stroke, glyph pixels.
const EDGE_PX: f64 = 1.4;
/// Share of marks that fill the box, if a filled box counts as marked.
const FILLED_SHARE: f64 = 0.3;
/// Width of drawn pen lines, millimetres.
const PEN_MM: f64 = 0.45;

/// Share of amounts without decimals that have a dash in their place.
const DASH_SHARE: f64 = 0.5;
/// Gap between a sign and the next digit, as a share of the digit's height.
const SIGN_GAP: f64 = 0.2;
/// Number of straight segments in a parenthesis.
const N_ARC_SEGMENTS: u32 = 8;

/// A sign written in a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Digit(usize),
    /// A decimal point.
    Point,
    /// A minus, or a dash in place of decimals that are zero.
    Dash,
    /// An opening parenthesis.
    Open,
    /// A closing parenthesis.
    Close,
}

impl Mark {
    /// Width of a sign that is not a digit, as a share of a digit's height.
    fn width(self) -> f64 {
        match self {
            Self::Digit(_) | Self::Point => 0.0,
            Self::Dash => 0.45,
            Self::Open | Self::Close => 0.16,
        }
    }

    /// Gap before it, as a share of a digit's height.
    fn gap(self) -> f64 {
        match self {
            Self::Digit(_) | Self::Point => 0.25,
            Self::Dash | Self::Open | Self::Close => SIGN_GAP,
        }
    }
}

/// The handwriting of one person.
pub(super) struct Writer<'a> {
    hand: &'a Hand,
    /// Height of digits, as a share of the cell's height.
    height: f64,
    /// Width of digits, as a factor of their natural width.
    width: f64,
    /// Slant to the right, as a share of the height.
    pub(super) slant: f64,
    /// Stroke width, as a share of a digit's height.
    pub(super) stroke: f64,
    /// Minimum level of ink, 0 to 1; a low one makes thick strokes.
    threshold: f64,
    /// Darkness of the ink, 0 to 1.
    pub(super) darkness: f64,
    /// Distance of digits below the middle of a cell (negative: above), as a share of the cell's height.
    pub(super) drop: f64,
    pub(super) is_right_aligned: bool,
    uses_fillers: bool,
    pub(super) writes_points: bool,
}

impl<'a> Writer<'a> {
    /// A random person who writes with `hand`.
    pub fn draw(hand: &'a Hand, options: &SynthOptions, dice: &mut Dice) -> Self {
        Self {
            hand,
            height: dice.random_range(0.52..0.78),
            width: dice.random_range(0.85..1.15),
            slant: dice.random_range(-0.12..0.28),
            stroke: hand.draw_stroke(dice),
            threshold: dice.random_range(0.30..0.55),
            darkness: dice.random_range(0.72..0.97),
            drop: dice.random_range(-0.05..0.05),
            is_right_aligned: dice.random_bool(RIGHT_ALIGNED_SHARE),
            uses_fillers: dice.random_bool(options.fillers),
            writes_points: dice.random_bool(options.points),
        }
    }

    /// Writes `entry` into `field` with `cells` (for a box: its frame) in millimetres of the sheet. Returns the bounds of each
    /// digit's ink, millimetres.
    pub fn write(
        &self,
        sheet: &mut Sheet,
        field: &Field,
        cells: &[Rect],
        entry: &Entry,
        touching: f64,
        dice: &mut Dice,
    ) -> Vec<Rect> {
        if field.kind.is_marked() {
            let is_retracted = matches!(field.kind, FieldKind::Mark { .. }) && entry.value == "0";
            let is_filled = is_retracted || field.kind.filled_counts() && dice.random_bool(FILLED_SHARE);
            let marked = match &field.kind {
                FieldKind::Choice { values, .. } => values.iter().position(|value| *value == entry.value),
                _ => (!entry.value.is_empty()).then_some(0),
            };
            return marked.map(|idx| self.write_mark(sheet, cells[idx], is_filled, dice)).into_iter().collect();
        }
        let digits: Vec<usize> = entry.digits.bytes().map(|b| usize::from(b - b'0')).collect();
        match &field.layout {
            FieldLayout::Comb { .. } => self.write_comb(sheet, field, cells, &digits, entry, dice),
            FieldLayout::Box { .. } => {
                let marks = self.marks(field, &digits, entry, dice);
                self.write_box(sheet, cells[0], &marks, touching, dice)
            }
        }
    }

    /// The signs written in a box, from left to right.
    fn marks(&self, field: &Field, digits: &[usize], entry: &Entry, dice: &mut Dice) -> Vec<Mark> {
        let mut marks: Vec<Mark> = digits.iter().map(|digit| Mark::Digit(*digit)).collect();
        if let FieldKind::Amount { decimals: decimals @ 1.., point } = field.kind {
            let has_point = point == DecimalPoint::Written || self.writes_points;
            if has_point && !entry.is_whole && digits.len() >= decimals {
                marks.insert(digits.len() - decimals, Mark::Point);
            } else if entry.is_whole && dice.random_bool(DASH_SHARE) {
                marks.extend([Mark::Point, Mark::Dash]);
            }
        }
        if entry.value.starts_with('-') {
            let signs = if dice.random_bool(0.5) { (Mark::Dash, None) } else { (Mark::Open, Some(Mark::Close)) };
            marks.insert(0, signs.0);
            marks.extend(signs.1);
        }
        marks
    }

    fn write_comb(
        &self,
        sheet: &mut Sheet,
        field: &Field,
        cells: &[Rect],
        digits: &[usize],
        entry: &Entry,
        dice: &mut Dice,
    ) -> Vec<Rect> {
        let n_unwritten = match field.kind {
            FieldKind::Amount { decimals, .. } if entry.is_whole => decimals,
            _ => 0,
        };
        let n_free = cells.len() - digits.len();
        let first = if field.kind == FieldKind::Code { 0 } else { n_free - n_unwritten };
        if entry.value.starts_with('-') && first > 0 {
            self.write_filler(sheet, Filler::Dash, cells[first - 1], dice);
        }
        if n_unwritten > 0 && dice.random_bool(DASH_SHARE) {
            cells[cells.len() - n_unwritten..]
                .iter()
                .for_each(|cell| self.write_filler(sheet, Filler::Dash, *cell, dice));
        }
        let bounds = cells.iter().copied().reduce(Rect::union).unwrap_or_default().inflate(-INSIDE_MM);
        // a blank field stays empty if a field of fillers alone means a value
        if self.uses_fillers && !field.fillers.is_empty() && (!digits.is_empty() || field.fillers_mean.is_none()) {
            let filler = field.fillers[dice.random_range(0..field.fillers.len())];
            for (i, cell) in cells.iter().enumerate() {
                if !(first..first + digits.len()).contains(&i) {
                    self.write_filler(sheet, filler, *cell, dice);
                }
            }
        }
        let mut inked = Vec::with_capacity(digits.len());
        for (digit, cell) in digits.iter().zip(&cells[first..]) {
            let height = self.height_in(*cell) * dice.random_range(0.92..1.08);
            let ink = self.digit_ink(*digit, height, MAX_CELL_SHARE * cell.width(), sheet.px_per_mm, dice);
            let free = (cell.width() - f64::from(ink.width()) / sheet.px_per_mm).max(0.0);
            let x = cell.centre().x + dice.random_range(-0.3..=0.3) * free.min(0.5 * cell.width());
            let y = cell.centre().y + (self.drop + dice.random_range(-0.05..0.05)) * cell.height();
            inked.push(self.put(sheet, &ink, Point::new(x, y), bounds));
        }
        inked
    }

    fn write_box(&self, sheet: &mut Sheet, frame: Rect, marks: &[Mark], touching: f64, dice: &mut Dice) -> Vec<Rect> {
        let bounds = frame.inflate(-INSIDE_MM);
        let height = self.height_in(frame);
        let spacing = dice.random_range(0.10..0.32);
        // [left gap, mark, its width, the ink of a digit]
        let mut inks: Vec<(f64, Mark, f64, Option<GrayImage>)> = Vec::with_capacity(marks.len());
        for (i, mark) in marks.iter().enumerate() {
            let before = i.checked_sub(1).map(|before| marks[before]);
            let Mark::Digit(digit) = mark else {
                inks.push((mark.gap() * height, *mark, mark.width() * height, None));
                continue;
            };
            let digit_height = height * dice.random_range(0.90..1.10);
            let ink = self.digit_ink(*digit, digit_height, f64::MAX, sheet.px_per_mm, dice);
            let gap = match before {
                None => 0.0,
                Some(Mark::Digit(_)) if dice.random_bool(touching) => -dice.random_range(0.0..0.08),
                Some(Mark::Digit(_)) => spacing * dice.random_range(0.5..1.6),
                Some(Mark::Point) => (spacing + 0.35) / 2.0,
                Some(_) => SIGN_GAP,
            };
            inks.push((gap * height, *mark, f64::from(ink.width()) / sheet.px_per_mm, Some(ink)));
        }
        let total: f64 = inks.iter().map(|(gap, _, width, _)| gap + width).sum();
        let squeeze = (MAX_BOX_SHARE * bounds.width() / total).min(1.0);
        let free = (bounds.width() - total * squeeze).max(0.0);
        let place = if self.is_right_aligned { dice.random_range(0.85..1.0) } else { dice.random_range(0.02..0.6) };
        let mut x = bounds.x0 + free * place;
        let slope = dice.random_range(-0.02..0.02);
        let middle = frame.centre().y + self.drop * frame.height();
        let mut inked = Vec::with_capacity(inks.len());
        for (gap, mark, width, ink) in inks {
            x += gap * squeeze;
            let at = |x: f64| middle + slope * (x - frame.centre().x);
            let Some(ink) = ink else {
                let place = Rect::from_xywh(x, at(x) - height / 2.0, width * squeeze, height);
                self.write_sign(sheet, mark, place);
                x += width * squeeze;
                continue;
            };
            let ink = if squeeze < 1.0 { squeeze_ink(&ink, squeeze) } else { ink };
            let width = f64::from(ink.width()) / sheet.px_per_mm;
            let y = at(x) + dice.random_range(-0.04..0.04) * height;
            inked.push(self.put(sheet, &ink, Point::new(x + width / 2.0, y), bounds));
            x += width;
        }
        inked
    }

    /// Draws a sign that is not a digit in `place`, which has the height of a digit.
    fn write_sign(&self, sheet: &mut Sheet, mark: Mark, place: Rect) {
        let at = |x: f64, y: f64| Point::new(place.x0 + x * place.width(), place.y0 + y * place.height());
        let path: Vec<Point> = match mark {
            Mark::Digit(_) => Vec::new(),
            Mark::Point => vec![at(0.5, 0.95), at(0.5, 0.95)],
            Mark::Dash => vec![at(0.0, 0.52), at(1.0, 0.48)],
            Mark::Open | Mark::Close => {
                let arc = (0..=N_ARC_SEGMENTS).map(|i| f64::from(i) / f64::from(N_ARC_SEGMENTS));
                let side = |x: f64| if mark == Mark::Open { 1.0 - x } else { x };
                arc.map(|y| at(side(4.0 * y * (1.0 - y)), 1.1 * y - 0.05)).collect()
            }
        };
        for pair in path.windows(2) {
            sheet.stroke(Segment::new(pair[0], pair[1]), PEN_MM, self.darkness);
        }
    }

    fn write_filler(&self, sheet: &mut Sheet, filler: Filler, cell: Rect, dice: &mut Dice) {
        let mut near = |x: f64, y: f64| {
            let wander = |dice: &mut Dice| dice.random_range(-0.06..0.06);
            let (dx, dy) = (wander(dice), wander(dice));
            Point::new(cell.x0 + (x + dx) * cell.width(), cell.y0 + (y + dy) * cell.height())
        };
        let strokes = match filler {
            Filler::Cross => vec![(near(0.22, 0.25), near(0.78, 0.75)), (near(0.78, 0.25), near(0.22, 0.75))],
            Filler::Dash => vec![(near(0.2, 0.5), near(0.8, 0.5))],
        };
        for (a, b) in strokes {
            sheet.stroke(Segment::new(a, b), PEN_MM, self.darkness);
        }
    }

    /// Draws a tick or a cross, which may extend beyond the box, and fills the box if the mark was retracted.
    fn write_mark(&self, sheet: &mut Sheet, frame: Rect, is_filled: bool, dice: &mut Dice) -> Rect {
        let mut near = |x: f64, y: f64| {
            let wander = |dice: &mut Dice| dice.random_range(-0.08..0.08);
            let (dx, dy) = (wander(dice), wander(dice));
            Point::new(frame.x0 + (x + dx) * frame.width(), frame.y0 + (y + dy) * frame.height())
        };
        let cross = [(near(0.15, 0.15), near(0.85, 0.85)), (near(0.85, 0.15), near(0.15, 0.85))];
        let tick = [(near(0.2, 0.5), near(0.45, 0.85)), (near(0.45, 0.85), near(1.0, 0.0))];
        for (a, b) in if dice.random_bool(0.5) { cross } else { tick } {
            sheet.stroke(Segment::new(a, b), PEN_MM, self.darkness);
        }
        if is_filled {
            let mut y = frame.y0 + PEN_MM / 2.0;
            while y < frame.y1 {
                let across = Segment::new(Point::new(frame.x0 + 0.2, y), Point::new(frame.x1 - 0.2, y));
                sheet.stroke(across, PEN_MM, self.darkness);
                y += 0.7 * PEN_MM;
            }
        }
        frame
    }

    /// Height of this writer's digits in `cell`, millimetres.
    pub(super) fn height_in(&self, cell: Rect) -> f64 {
        (self.height * cell.height()).min(MAX_HEIGHT_MM)
    }

    /// The ink of one digit, `height_mm` high and at most `max_width_mm` wide, 0 none .. 255 full.
    pub(super) fn digit_ink(
        &self,
        digit: usize,
        height_mm: f64,
        max_width_mm: f64,
        px_per_mm: f64,
        dice: &mut Dice,
    ) -> GrayImage {
        let source = self.hand.draw_digit(digit, self.stroke, dice);
        let slant = self.slant + dice.random_range(-0.05..0.05);
        let threshold = self.threshold + dice.random_range(-0.04..0.04);
        let scale = height_mm * px_per_mm / f64::from(source.height());
        let ink = render_glyph(source, scale * self.width * dice.random_range(0.94..1.06), scale, slant, threshold);
        let max_width = max_width_mm * px_per_mm;
        if f64::from(ink.width()) > max_width { squeeze_ink(&ink, max_width / f64::from(ink.width())) } else { ink }
    }

    /// Draws `ink` with its middle at `centre`, moved to lie within `bounds`. Returns its bounds, millimetres.
    pub(super) fn put(&self, sheet: &mut Sheet, ink: &GrayImage, centre: Point, bounds: Rect) -> Rect {
        let px_per_mm = sheet.px_per_mm;
        let place = |middle: f64, side: u32, low: f64, high: f64| {
            let (low, high) = ((low * px_per_mm).ceil(), (high * px_per_mm).floor() - f64::from(side));
            (middle * px_per_mm - f64::from(side) / 2.0).round().min(high).max(low)
        };
        let x = place(centre.x, ink.width(), bounds.x0, bounds.x1);
        let y = place(centre.y, ink.height(), bounds.y0, bounds.y1);
        sheet.stamp(ink, x as i64, y as i64, self.darkness);
        let mm = |px: f64| px / px_per_mm;
        Rect::from_xywh(mm(x), mm(y), mm(f64::from(ink.width())), mm(f64::from(ink.height())))
    }
}

/// Scales `ink` in width by `factor`.
fn squeeze_ink(ink: &GrayImage, factor: f64) -> GrayImage {
    let width = (f64::from(ink.width()) * factor).floor().max(1.0) as u32;
    imageops::resize(ink, width, ink.height(), imageops::FilterType::CatmullRom)
}

/// Scales `source` by (`scale_x`, `scale_y`), slants it by `slant` heights, and sharpens its edges: levels above `threshold`
/// (between 0 and 1) become ink. The result is cropped to the ink.
fn render_glyph(source: &GrayImage, scale_x: f64, scale_y: f64, slant: f64, threshold: f64) -> GrayImage {
    let (w, h) = (source.width() + 2 * GLYPH_MARGIN_PX, source.height() + 2 * GLYPH_MARGIN_PX);
    let mut padded = GrayImage::new(w, h);
    imageops::replace(&mut padded, source, i64::from(GLYPH_MARGIN_PX), i64::from(GLYPH_MARGIN_PX));
    let side = |n: u32, scale: f64| (f64::from(n) * scale).round().max(1.0) as u32;
    let mut ink = imageops::resize(&padded, side(w, scale_x), side(h, scale_y), imageops::FilterType::CatmullRom);
    // the gain is large enough for level 0 to become paper and level 1 full ink
    let gain = (scale_y / EDGE_PX).max(0.5 / threshold).max(0.5 / (1.0 - threshold));
    for pixel in ink.pixels_mut() {
        let level = (f64::from(pixel.0[0]) / 255.0 - threshold) * gain + 0.5;
        pixel.0[0] = (level.clamp(0.0, 1.0) * 255.0).round() as u8;
    }
    let slanted = slant_ink(&ink, slant);
    crop_to_ink(&slanted, 24).unwrap_or(slanted)
}

/// Slants `ink`: moves each row sideways, with sub-pixel precision, so that the top moves right by `slant` heights.
fn slant_ink(ink: &GrayImage, slant: f64) -> GrayImage {
    let (w, h) = ink.dimensions();
    let reach = (slant.abs() * f64::from(h) / 2.0).ceil() as i64 + 1;
    let mut out = GrayImage::new(w + 2 * reach as u32, h);
    for y in 0..h {
        let shift = slant * (f64::from(h) / 2.0 - f64::from(y) - 0.5);
        let (whole, part) = (shift.floor(), shift - shift.floor());
        let level =
            |x: i64| u32::try_from(x).ok().filter(|x| *x < w).map_or(0.0, |x| f64::from(ink.get_pixel(x, y).0[0]));
        for x in 0..out.width() {
            let from = i64::from(x) - reach - whole as i64;
            let mixed = level(from) * (1.0 - part) + level(from - 1) * part;
            out.put_pixel(x, y, Luma([mixed.round() as u8]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_stroke_has_solid_ink_and_sharp_edges() {
        let mut source = GrayImage::new(9, 20);
        for y in 0..20 {
            for x in 3..6 {
                source.put_pixel(x, y, Luma([255]));
            }
        }
        let ink = render_glyph(&source, 4.0, 4.0, 0.0, 0.5);
        assert!((11..=14).contains(&ink.width()) && (78..=82).contains(&ink.height()), "{:?}", ink.dimensions());
        let solid = ink.pixels().filter(|p| p.0[0] == 255).count() as f64 / f64::from(ink.width() * ink.height());
        assert!(solid > 0.7, "{solid} of it is solid");
        let small = render_glyph(&source, 0.8, 0.8, 0.0, 0.3);
        assert!(small.width() < 5, "a halo {} pixels wide", small.width());
        let (thin, thick) = (render_glyph(&source, 4.0, 4.0, 0.0, 0.65), render_glyph(&source, 4.0, 4.0, 0.0, 0.3));
        assert!(thin.width() < thick.width());
    }

    #[test]
    fn positive_slant_moves_the_top_to_the_right() {
        let source = GrayImage::from_pixel(3, 40, Luma([255]));
        let ink = render_glyph(&source, 1.0, 1.0, 0.25, 0.5);
        let middle = |y: u32| {
            let row = (0..ink.width()).map(|x| (f64::from(x), f64::from(ink.get_pixel(x, y).0[0])));
            let (sum, weight) = row.fold((0.0, 0.0), |(s, w), (x, level)| (s + x * level, w + level));
            sum / weight
        };
        let lean = middle(2) - middle(37);
        assert!((lean - 35.0 * 0.25).abs() < 1.0, "leans by {lean} pixels");
    }
}
