//! Ink over a written number, and strokes that mean "nothing".

use rand::RngExt;

use super::{
    HostileKind,
    pen::{Pen, hand_line, hand_ring},
};
use crate::synth::{Dice, sheet::Sheet};
use formread_raster::geometry::{Point, Rect};

/// Ranges of the radius of a blot, and of its distance from the middle of a digit, as shares of the height of a digit.
const BLOT_RADII: std::ops::Range<f64> = 0.44..0.62;
const BLOT_SHIFT: f64 = 0.08;
/// Darkness of a blot, 0 to 1: so dark that the digit under it cannot be seen.
const BLOT_DARKNESS: f64 = 0.975;
/// Distance of a ring from the number in it, as a share of the height of a digit.
const RING_GAPS: std::ops::Range<f64> = 0.12..0.45;

/// Draws the ink of `kind` over the number whose digits have the bounds `digits`, millimetres. A ring stays within `limits`.
pub(super) fn draw_over(
    kind: HostileKind,
    sheet: &mut Sheet,
    pen: Pen,
    digits: &[Rect],
    limits: Rect,
    dice: &mut Dice,
) {
    let Some(number) = digits.iter().copied().reduce(Rect::union) else { return };
    match kind {
        HostileKind::StruckOut => strike_out(sheet, pen, number, dice),
        HostileKind::Scribble => scribble(sheet, pen, number, dice),
        HostileKind::Blot => blot(sheet, pen, digits[dice.random_range(0..digits.len())], dice),
        HostileKind::Circled => {
            let (across, up) = (dice.random_range(RING_GAPS) * number.height(), dice.random_range(RING_GAPS));
            let (dx, dy) = (across + 0.12 * number.width(), up * number.height());
            let around = Rect::from_edges(number.x0 - dx, number.y0 - dy, number.x1 + dx, number.y1 + dy);
            let bounds = around.intersection(limits).unwrap_or(number);
            pen.draw(sheet, &[hand_ring(bounds, dice)], dice);
        }
        _ => {}
    }
}

/// Draws one or two lines through `number`.
fn strike_out(sheet: &mut Sheet, pen: Pen, number: Rect, dice: &mut Dice) {
    let height = number.height();
    let (x0, x1) =
        (number.x0 - dice.random_range(0.05..0.5) * height, number.x1 + dice.random_range(0.05..0.5) * height);
    let at = |share: f64| number.y0 + share * height;
    let style = dice.random_range(0..4);
    let mut line = |from: f64, to: f64| hand_line(Point::new(x0, at(from)), Point::new(x1, at(to)), dice);
    let lines = match style {
        0 => vec![line(0.75, 0.25)],
        1 => vec![line(0.35, 0.38), line(0.62, 0.6)],
        2 => vec![line(0.9, 0.1), line(0.1, 0.9)],
        _ => vec![line(0.52, 0.48)],
    };
    pen.draw(sheet, &lines, dice);
}

/// Draws a zigzag or loops over `number`.
fn scribble(sheet: &mut Sheet, pen: Pen, number: Rect, dice: &mut Dice) {
    let height = number.height();
    let n_turns = (number.width() / (dice.random_range(0.16..0.3) * height)).ceil().clamp(5.0, 60.0);
    let is_looped = dice.random_bool(0.4);
    let mut path = Vec::new();
    for i in 0..2 * n_turns as u32 {
        let x = number.x0 + f64::from(i) / (2.0 * n_turns) * number.width();
        let reach = height * dice.random_range(0.4..0.62);
        let side = if i % 2 == 0 { -1.0 } else { 1.0 };
        let back = if is_looped && i % 2 == 1 { 0.35 * height } else { 0.0 };
        path.push(Point::new(x - back + dice.random_range(-0.08..0.08) * height, number.centre().y + side * reach));
    }
    pen.draw(sheet, &[path], dice);
}

/// Draws a blot that hides `digit`, with some drops around it.
fn blot(sheet: &mut Sheet, pen: Pen, digit: Rect, dice: &mut Dice) {
    let height = digit.height();
    let mut near = |reach: f64| Point::new(dice.random_range(-reach..reach), dice.random_range(-reach..reach));
    let centre = digit.centre() + near(BLOT_SHIFT * height);
    let drops: Vec<Point> = (0..3).map(|_| centre + near(1.1 * height)).collect();
    let ink = Pen { darkness: BLOT_DARKNESS, ..pen };
    let outline = blot_outline(centre, dice.random_range(BLOT_RADII) * height, dice);
    ink.fill(sheet, &outline);
    for drop in drops {
        let outline = blot_outline(drop, dice.random_range(0.02..0.09) * height, dice);
        ink.fill(sheet, &outline);
    }
}

/// The outline of a blot: a circle with waves.
fn blot_outline(centre: Point, radius: f64, dice: &mut Dice) -> Vec<Point> {
    const N_POINTS: u32 = 48;
    let waves: Vec<(f64, f64, f64)> = (2..6)
        .map(|n| (f64::from(n), dice.random_range(0.0..0.09), dice.random_range(0.0..std::f64::consts::TAU)))
        .collect();
    (0..N_POINTS)
        .map(|i| {
            let angle = std::f64::consts::TAU * f64::from(i) / f64::from(N_POINTS);
            let wave: f64 = waves.iter().map(|(n, size, phase)| size * (n * angle + phase).sin()).sum();
            centre + Point::new(angle.cos(), angle.sin()) * (radius * (1.0 + wave))
        })
        .collect()
}

/// Draws a slash or a long dash for "nothing" in `frame`; `height` is that of the writer's digits, millimetres.
pub(super) fn draw_nil(sheet: &mut Sheet, pen: Pen, frame: Rect, height: f64, dice: &mut Dice) {
    let inner = frame.inflate(-0.4);
    let at = |x: f64, y: f64| Point::new(inner.x0 + x * inner.width(), inner.y0 + y * inner.height());
    let ends = match dice.random_range(0..4) {
        // a slash of the size of a digit
        0 | 1 => {
            let x = dice.random_range(0.15..0.85);
            // higher and more slanted than a 1
            let reach = (0.68 * height).min(inner.height() / 2.0);
            let lean = dice.random_range(0.36..0.65) * height;
            (at(x, 0.5) + Point::new(-lean, reach), at(x, 0.5) + Point::new(lean, -reach))
        }
        // a line from corner to corner
        2 => (
            at(dice.random_range(0.02..0.2), dice.random_range(0.8..1.0)),
            at(dice.random_range(0.8..0.98), dice.random_range(0.0..0.2)),
        ),
        // a long dash
        _ => {
            let y = dice.random_range(0.4..0.6);
            (at(dice.random_range(0.1..0.35), y), at(dice.random_range(0.6..0.92), y + dice.random_range(-0.08..0.08)))
        }
    };
    pen.draw(sheet, &[hand_line(ends.0, ends.1, dice)], dice);
}

/// Draws a tick in `place`.
pub(super) fn draw_tick(sheet: &mut Sheet, pen: Pen, place: Rect, dice: &mut Dice) {
    let mut near = |x: f64, y: f64| {
        let (dx, dy) = (dice.random_range(-0.06..0.06), dice.random_range(-0.06..0.06));
        Point::new(place.x0 + (x + dx) * place.width(), place.y0 + (y + dy) * place.height())
    };
    let (start, foot, end) = (near(0.08, 0.55), near(0.35, 0.94), near(0.92, 0.08));
    pen.draw(sheet, &[vec![start, foot, foot, end]], dice);
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::synth::sheet::PAPER;

    const PEN: Pen = Pen { width_mm: 0.5, darkness: 0.9 };

    /// Bounds of the ink on `sheet`, millimetres, and its share of `part`.
    fn ink(sheet: &Sheet, part: Rect) -> (Rect, f64) {
        let mm = |(x, y, _): &(u32, u32, &image::Luma<u8>)| {
            Point::new((f64::from(*x) + 0.5) / sheet.px_per_mm, (f64::from(*y) + 0.5) / sheet.px_per_mm)
        };
        let inked: Vec<Point> =
            sheet.pixels.enumerate_pixels().filter(|p| p.2.0[0] < PAPER / 2).map(|p| mm(&p)).collect();
        let n_inside = inked.iter().filter(|point| part.contains(**point)).count();
        let share = n_inside as f64 / (part.area() * sheet.px_per_mm * sheet.px_per_mm);
        (Rect::around(inked).expect("there is ink"), share)
    }

    #[test]
    fn ink_over_a_number_lies_on_it() {
        let digits: Vec<Rect> = (0..3).map(|i| Rect::from_xywh(20.0 + 4.0 * f64::from(i), 10.0, 3.0, 5.0)).collect();
        let number = Rect::from_xywh(20.0, 10.0, 11.0, 5.0);
        for seed in 0..12 {
            for (kind, shares) in [
                (HostileKind::StruckOut, 0.05..0.5),
                (HostileKind::Scribble, 0.2..0.95),
                (HostileKind::Blot, 0.2..0.6),
                (HostileKind::Circled, 0.0..0.12),
            ] {
                let mut sheet = Sheet::new(60.0, 25.0, 8.0);
                let limits = Rect::from_edges(10.0, 7.0, 50.0, 18.0);
                draw_over(kind, &mut sheet, PEN, &digits, limits, &mut Dice::seed_from_u64(seed));
                let (bounds, share) = ink(&sheet, number);
                assert!(shares.contains(&share), "{kind:?}: {share}");
                let around = number.inflate(5.5);
                assert!(bounds.corners().iter().all(|corner| around.contains(*corner)), "{kind:?}: {bounds:?}");
                if kind == HostileKind::Circled {
                    assert!(bounds.width() > number.width() && bounds.y0 > 6.0 && bounds.y1 < 19.0, "{bounds:?}");
                }
            }
        }
    }

    #[test]
    fn line_for_nothing_and_tick_stay_in_their_place() {
        for seed in 0..20 {
            let dice = &mut Dice::seed_from_u64(seed);
            let (mut sheet, frame) = (Sheet::new(80.0, 25.0, 8.0), Rect::from_xywh(10.0, 8.0, 50.0, 9.0));
            draw_nil(&mut sheet, PEN, frame, 5.0, dice);
            let (bounds, _) = ink(&sheet, frame);
            assert!(frame.intersection(bounds) == Some(bounds) && bounds.width() > 2.0, "{bounds:?}");
            let (mut sheet, place) = (Sheet::new(80.0, 25.0, 8.0), Rect::from_xywh(40.0, 8.0, 5.0, 5.0));
            draw_tick(&mut sheet, PEN, place, dice);
            let (bounds, share) = ink(&sheet, place);
            assert!(place.inflate(0.7).intersection(bounds) == Some(bounds) && share > 0.05, "{bounds:?}");
        }
    }
}
