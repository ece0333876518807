//! Pen and stamps over the page, wherever its fields are.

use rand::RngExt;

use super::{
    HostileKind,
    pen::{hand_line, hand_ring},
    row::{Start, WORD_SPACE, pen_of, write_row},
    space::free_place,
    stamp::draw_stamp,
};
use crate::synth::{Dice, sheet::Sheet, writing::Writer};
use formread_raster::geometry::{Point, Rect};

/// Words that somebody writes beside the fields.
const WORDS: [&str; 10] =
    ["see back", "corrected", "void", "paid", "error", "check", "wrong", "no receipts", "none left", "see note"];
/// Height of a digit in writing over the page, millimetres: it decides the width of the pen.
const PEN_HEIGHT_MM: f64 = 5.0;
/// Mean width of a letter with its gap, as a share of the height of a digit.
const LETTER_PITCH: f64 = 0.68;
/// Share of the words that run into a field, if there is free space for others.
const WORD_INTO_FIELD_SHARE: f64 = 0.5;
/// Share of the rings and stamps whose middle is in a field.
const ON_FIELD_SHARE: f64 = 0.5;
/// Number of fields that a line goes on to, at most.
const MAX_VOID_FIELDS: usize = 6;

/// Draws the ink of `kind` over the page. `frames` are the places of its fields, `obstacles` all that is printed, millimetres.
pub(super) fn draw_stray(
    kind: HostileKind,
    sheet: &mut Sheet,
    writer: &Writer<'_>,
    [frames, obstacles]: [&[Rect]; 2],
    page: Rect,
    dice: &mut Dice,
) {
    let pen = pen_of(writer, PEN_HEIGHT_MM);
    match kind {
        HostileKind::VoidLine => {
            let (a, b) = void_ends(frames, dice);
            pen.draw(sheet, &[hand_line(a, b, dice)], dice);
        }
        HostileKind::Ring => {
            let centre = any_place(frames, page, dice);
            let (width, height) = (dice.random_range(18.0..60.0), dice.random_range(12.0..40.0));
            let bounds = Rect::from_xywh(centre.x - width / 2.0, centre.y - height / 2.0, width, height);
            pen.draw(sheet, &[hand_ring(bounds, dice)], dice);
        }
        HostileKind::Stamp => draw_stamp(sheet, any_place(frames, page, dice), dice),
        HostileKind::Word => write_word(sheet, writer, [frames, obstacles], page, dice),
        _ => {}
    }
}

/// A place in a field, or anywhere on the page.
fn any_place(frames: &[Rect], page: Rect, dice: &mut Dice) -> Point {
    let area = match dice.random_bool(ON_FIELD_SHARE) {
        true => frames[dice.random_range(0..frames.len())],
        false => page.inflate(-0.1 * page.width()),
    };
    let (x, y) = (dice.random_range(0.0..1.0), dice.random_range(0.0..1.0));
    Point::new(area.x0 + x * area.width(), area.y0 + y * area.height())
}

/// The ends of a line that voids several fields: from one field to another, two or more fields further on.
fn void_ends(frames: &[Rect], dice: &mut Dice) -> (Point, Point) {
    let last = frames.len() - 1;
    let from = dice.random_range(0..=last.saturating_sub(2));
    let to = dice.random_range((from + 2).min(last)..=(from + MAX_VOID_FIELDS).min(last));
    let mut inside = |frame: Rect, shares: std::ops::Range<f64>| {
        let (x, y) = (dice.random_range(shares), dice.random_range(0.25..0.75));
        Point::new(frame.x0 + x * frame.width(), frame.y0 + y * frame.height())
    };
    let is_leftwards = frames[to].centre().x < frames[from].centre().x - 5.0;
    let (low, high) = (0.05..0.45, 0.55..0.95);
    let (start, end) = if is_leftwards { (high, low) } else { (low, high) };
    (inside(frames[from], start), inside(frames[to], end))
}

/// Writes a word in free space, or so that its end runs into a field.
fn write_word(sheet: &mut Sheet, writer: &Writer<'_>, [frames, obstacles]: [&[Rect]; 2], page: Rect, dice: &mut Dice) {
    let text = WORDS[dice.random_range(0..WORDS.len())].replace(' ', &WORD_SPACE.to_string());
    let height = dice.random_range(3.5..6.5);
    let width = LETTER_PITCH * height * text.len() as f64;
    let free = match dice.random_bool(WORD_INTO_FIELD_SHARE) {
        true => None,
        false => free_place([width, 1.5 * height], obstacles, page, dice),
    };
    let (frame, start) = match free {
        Some(place) => (place, Start::LeftAt(place.x0)),
        None => {
            let frame = frames[dice.random_range(0..frames.len())];
            let end = frame.x0 + dice.random_range(0.5..1.8) * height;
            (frame, Start::RightAt(end.max(page.x0 + width)))
        }
    };
    write_row(writer, sheet, &text, (frame, start, height), dice);
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::synth::{SynthOptions, sheet::PAPER, tests::bars};

    fn frames() -> Vec<Rect> {
        (0..6).map(|i| Rect::from_xywh(80.0, 20.0 + 12.0 * f64::from(i), 50.0, 8.0)).collect()
    }

    fn n_inked(sheet: &Sheet, part: Rect) -> usize {
        let at = |x: u32, y: u32| Point::new(f64::from(x), f64::from(y)) * (1.0 / sheet.px_per_mm);
        sheet.pixels.enumerate_pixels().filter(|p| p.2.0[0] < PAPER - 40 && part.contains(at(p.0, p.1))).count()
    }

    #[test]
    fn line_runs_through_three_fields_or_more() {
        let dice = &mut Dice::seed_from_u64(3);
        for _ in 0..50 {
            let (a, b) = void_ends(&frames(), dice);
            let n_crossed = frames()
                .iter()
                .filter(|frame| (0..=100).any(|i| frame.contains(a + (b - a) * (f64::from(i) / 100.0))))
                .count();
            assert!(n_crossed >= 3, "{a:?} to {b:?}");
        }
    }

    #[test]
    fn each_stray_kind_draws_ink_and_a_word_draws_it_in_free_space_or_in_a_field() {
        let (stock, page) = (bars(), Rect::from_xywh(0.0, 0.0, 148.0, 120.0));
        let (mut n_free, mut n_into) = (0, 0);
        for kind in [HostileKind::VoidLine, HostileKind::Ring, HostileKind::Stamp, HostileKind::Word] {
            for seed in 0..20 {
                let dice = &mut Dice::seed_from_u64(seed);
                let writer = Writer::draw(stock.draw_hand(dice), &SynthOptions::default(), dice);
                let mut sheet = Sheet::new(148.0, 120.0, 6.0);
                draw_stray(kind, &mut sheet, &writer, [&frames(), &frames()], page, dice);
                let n = n_inked(&sheet, page);
                assert!(n > 100, "{kind:?}: {n} pixels");
                if kind == HostileKind::Word {
                    let in_fields: usize = frames().iter().map(|frame| n_inked(&sheet, *frame)).sum();
                    *(if in_fields == 0 { &mut n_free } else { &mut n_into }) += 1;
                    assert!(in_fields < n, "seed {seed}: the word is all in a field");
                }
            }
        }
        assert!(n_free > 3 && n_into > 3, "{n_free} in free space, {n_into} in a field");
    }
}
