//! Writes a row of digits, signs and letters by one hand.

use image::GrayImage;
use rand::RngExt;

use super::{
    pen::Pen,
    signs::{Sign, draw_sign},
};
use crate::synth::{Dice, sheet::Sheet, writing::Writer};
use formread_raster::geometry::{Point, Rect};

/// Range of the width of a space, as a share of the height of a digit; the gaps of a writer are at most half a height wide.
const SPACE_WIDTHS: std::ops::Range<f64> = 1.0..1.6;
/// The space between two words, which is no wider than a letter.
pub(super) const WORD_SPACE: char = '_';
const WORD_SPACE_WIDTH: f64 = 0.3;
/// Maximum width of a row, as a share of its frame; a wider one is squeezed.
const MAX_FRAME_SHARE: f64 = 0.96;
/// Maximum width of a character, as a share of its cell; a wider one is squeezed.
const MAX_CELL_SHARE: f64 = 0.92;
/// Bounds that no ink reaches.
const ANYWHERE: Rect = Rect::from_edges(-1e4, -1e4, 1e4, 1e4);

/// Where a row begins or ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Start {
    /// Anywhere in the frame.
    Inside,
    /// Its left end, millimetres.
    LeftAt(f64),
    /// Its right end, millimetres.
    RightAt(f64),
}

/// A character before it has a place.
enum Glyph {
    Digit(GrayImage),
    Sign(Sign),
    Space,
}

/// Draws one character, `height` millimetres high and at most `max_width` wide; returns it with its width, millimetres.
/// An unknown character is a space.
fn draw_glyph(
    writer: &Writer<'_>,
    character: char,
    [height, max_width]: [f64; 2],
    px_per_mm: f64,
    dice: &mut Dice,
) -> (Glyph, f64) {
    if let Some(digit) = character.to_digit(10) {
        let ink = writer.digit_ink(digit as usize, height * dice.random_range(0.92..1.08), max_width, px_per_mm, dice);
        let width = f64::from(ink.width()) / px_per_mm;
        return (Glyph::Digit(ink), width);
    }
    match draw_sign(character, writer.slant, dice) {
        Some(mut sign) => {
            let squeeze = (max_width / (sign.width * height).max(1e-6)).min(1.0);
            sign.strokes.iter_mut().flatten().for_each(|point| point.x *= squeeze);
            sign.width *= squeeze;
            let width = sign.width * height;
            (Glyph::Sign(sign), width)
        }
        None if character == WORD_SPACE => (Glyph::Space, WORD_SPACE_WIDTH * height),
        None => (Glyph::Space, dice.random_range(SPACE_WIDTHS) * height),
    }
}

/// Draws `glyph` with the middle of its row at `centre`. Returns the bounds of its ink, millimetres.
fn put_glyph(
    writer: &Writer<'_>,
    sheet: &mut Sheet,
    glyph: &Glyph,
    centre: Point,
    height: f64,
    dice: &mut Dice,
) -> Option<Rect> {
    match glyph {
        Glyph::Digit(ink) => Some(writer.put(sheet, ink, centre, ANYWHERE)),
        Glyph::Sign(sign) => {
            let corner = centre - Point::new(sign.width * height / 2.0, height / 2.0);
            let place = |stroke: &Vec<Point>| stroke.iter().map(|point| corner + *point * height).collect();
            let strokes: Vec<Vec<Point>> = sign.strokes.iter().map(place).collect();
            let pen = pen_of(writer, height);
            pen.draw(sheet, &strokes, dice);
            Rect::around(strokes.into_iter().flatten()).map(|bounds| bounds.inflate(pen.width_mm / 2.0))
        }
        Glyph::Space => None,
    }
}

/// The pen of `writer`, whose digits are `height` millimetres high.
pub(super) fn pen_of(writer: &Writer<'_>, height: f64) -> Pen {
    Pen { width_mm: (writer.stroke * height).clamp(0.25, 0.9), darkness: writer.darkness }
}

/// Writes `text` into `frame` with digits of `height` millimetres. Returns the bounds of its ink, millimetres; `None` for a
/// text without characters.
pub(super) fn write_row(
    writer: &Writer<'_>,
    sheet: &mut Sheet,
    text: &str,
    (frame, start, height): (Rect, Start, f64),
    dice: &mut Dice,
) -> Option<Rect> {
    let spacing = dice.random_range(0.12..0.30);
    let mut row: Vec<(f64, Glyph, f64)> = Vec::new();
    for character in text.chars() {
        let (glyph, width) = draw_glyph(writer, character, [height, f64::MAX], sheet.px_per_mm, dice);
        let gap = if row.is_empty() { 0.0 } else { spacing * height * dice.random_range(0.6..1.4) };
        row.push((gap, glyph, width));
    }
    let total: f64 = row.iter().map(|(gap, _, width)| gap + width).sum();
    // a row that may leave the frame is never squeezed
    let squeeze = match start {
        Start::Inside if total > 0.0 => (MAX_FRAME_SHARE * frame.width() / total).min(1.0),
        _ => 1.0,
    };
    let height = height * squeeze;
    if squeeze < 1.0 {
        for (gap, glyph, width) in &mut row {
            if let Glyph::Digit(ink) = glyph {
                let side = |n: u32| (f64::from(n) * squeeze).floor().max(1.0) as u32;
                *ink = image::imageops::resize(
                    ink,
                    side(ink.width()),
                    side(ink.height()),
                    image::imageops::FilterType::CatmullRom,
                );
            }
            *gap *= squeeze;
            *width *= squeeze;
        }
    }
    let free = (frame.width() - total * squeeze).max(0.0);
    let mut x = match start {
        Start::Inside if writer.is_right_aligned => frame.x0 + free * dice.random_range(0.82..0.98),
        Start::Inside => frame.x0 + free * dice.random_range(0.03..0.6),
        Start::LeftAt(x) => x,
        Start::RightAt(x) => x - total,
    };
    let slope = dice.random_range(-0.02..0.02);
    let middle = frame.centre().y + writer.drop * frame.height();
    let mut ink: Option<Rect> = None;
    for (gap, glyph, width) in row {
        x += gap;
        let y = middle + slope * (x - frame.centre().x) + dice.random_range(-0.03..0.03) * height;
        let bounds = put_glyph(writer, sheet, &glyph, Point::new(x + width / 2.0, y), height, dice);
        ink = union(ink, bounds);
        x += width;
    }
    ink
}

/// Writes `text` into `cells`, one character a cell from the first on. Returns the bounds of its ink, millimetres.
pub(super) fn write_cells(
    writer: &Writer<'_>,
    sheet: &mut Sheet,
    text: &str,
    cells: &[Rect],
    dice: &mut Dice,
) -> Option<Rect> {
    let mut ink: Option<Rect> = None;
    for (character, cell) in text.chars().zip(cells) {
        let height = writer.height_in(*cell);
        let (glyph, width) =
            draw_glyph(writer, character, [height, MAX_CELL_SHARE * cell.width()], sheet.px_per_mm, dice);
        let free = (cell.width() - width).max(0.0);
        let x = cell.centre().x + dice.random_range(-0.25..0.25) * free.min(0.5 * cell.width());
        let y = cell.centre().y + (writer.drop + dice.random_range(-0.05..0.05)) * cell.height();
        ink = union(ink, put_glyph(writer, sheet, &glyph, Point::new(x, y), height, dice));
    }
    ink
}

fn union(a: Option<Rect>, b: Option<Rect>) -> Option<Rect> {
    a.into_iter().chain(b).reduce(Rect::union)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::synth::{SynthOptions, tests::bars};

    #[test]
    fn row_ends_where_it_should_and_stays_in_its_frame() {
        let (stock, dice) = (bars(), &mut Dice::seed_from_u64(5));
        let frame = Rect::from_xywh(20.0, 10.0, 60.0, 9.0);
        for _ in 0..20 {
            let writer = Writer::draw(stock.draw_hand(dice), &SynthOptions::default(), dice);
            let mut sheet = Sheet::new(120.0, 30.0, 8.0);
            let mut write =
                |text, start| write_row(&writer, &mut sheet, text, (frame, start, 5.0), dice).expect("there is ink");
            let inside = write("12 15", Start::Inside);
            assert!(frame.x0 < inside.x0 && inside.x1 < frame.x1, "{inside:?}");
            let long = write("123456789012345678", Start::Inside);
            assert!(frame.x0 < long.x0 && long.x1 < frame.x1 + 0.3, "{long:?}");
            let beyond = write("-1234", Start::RightAt(90.0));
            assert!((89.0..90.8).contains(&beyond.x1) && beyond.x0 < 85.0, "{beyond:?}");
            let beside = write("x4", Start::LeftAt(84.0));
            assert!((83.0..85.0).contains(&beside.x0), "{beside:?}");
            assert_eq!(write_row(&writer, &mut sheet, "", (frame, Start::Inside, 5.0), dice), None);
        }
    }

    #[test]
    fn space_is_wider_than_any_gap() {
        let (stock, dice) = (bars(), &mut Dice::seed_from_u64(6));
        let frame = Rect::from_xywh(10.0, 10.0, 90.0, 9.0);
        for _ in 0..20 {
            let writer = Writer::draw(stock.draw_hand(dice), &SynthOptions::default(), dice);
            let mut width = |text: &str| {
                let mut sheet = Sheet::new(120.0, 30.0, 8.0);
                let place = (frame, Start::LeftAt(15.0), 5.0);
                write_row(&writer, &mut sheet, text, place, dice).expect("there is ink").width()
            };
            // the bars of digits 1 to 9 grow by a pixel of 20 in height
            assert!(width("11 11") - width("1111") > 0.5 * 5.0);
        }
    }

    #[test]
    fn characters_stay_in_their_cells() {
        let (stock, dice) = (bars(), &mut Dice::seed_from_u64(7));
        let cells: Vec<Rect> = (0..5).map(|i| Rect::from_xywh(10.0 + 6.0 * f64::from(i), 10.0, 6.0, 8.0)).collect();
        for text in ["5/34", "(150)", "12kg", "x4"] {
            let writer = Writer::draw(stock.draw_hand(dice), &SynthOptions::default(), dice);
            let mut sheet = Sheet::new(60.0, 30.0, 8.0);
            let ink = write_cells(&writer, &mut sheet, text, &cells, dice).expect("there is ink");
            let end = 10.0 + 6.0 * text.len() as f64;
            assert!(ink.x0 > 9.5 && (end - 6.0..end + 0.5).contains(&ink.x1), "{text}: {ink:?}");
            assert!(ink.y0 > 9.0 && ink.y1 < 20.5, "{text}: {ink:?}");
        }
    }
}
