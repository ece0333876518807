//! An explanation as a picture: the page and what it is traced to, then a block a field.

use image::{GrayImage, RgbImage, imageops};

use super::{
    CandidateCut, Explanation, FieldExplanation, MAX_CUTS_SCALE, PICTURE_HEIGHT, SMALL_TEXT, StripExplanation,
    cuts::draw_cuts, text::said,
};
use crate::draw::{
    self, BLACK, Colour, GREEN, GREY, MAGENTA, PALE, RED, VIOLET_BLUE, below, beside, dark_on_white, fitted, framed,
    in_columns, padded, paper, scaled, wrapped_text,
};
use formread_core::{
    assemble::WeighedReading,
    normalise::{GLYPH_SIDE, Glyph},
    segment::FieldPictures,
};

/// Width of what is drawn, without the margin, pixels.
pub(super) const WIDTH: u32 = 1480;
const MARGIN: u32 = 24;
const GAP: u32 = 20;
/// Gap between a caption and what it says.
const NEAR: u32 = 6;

/// Heights of lines of words, pixels.
const TITLE: u32 = 30;
const TEXT: u32 = 22;

/// Width of a column of names.
const NAMES: u32 = 160;

/// Columns in which pictures and tables stand.
const COLUMNS: u32 = 3;
const COLUMN: u32 = (WIDTH - (COLUMNS - 1) * GAP) / COLUMNS;

/// What is wider than so many heights gets a row to itself.
const LONG: f64 = 6.0;

/// How much larger than a glyph a tile is, its width with its words, and how many there are at most.
const TILE_SCALE: f64 = 3.0;
const TILE_WIDTH: u32 = 130;
const MAX_TILES: usize = 20;
/// Tiles that have room in one column.
const SMALL_TILES: usize = 9;

/// Readings less likely than this by all there is are left out, though not the best.
const MIN_SHOWN: f64 = 0.000_5;

/// The most by which a strip is enlarged.
const STRIP_SCALE: f64 = 3.0;

/// Draws all of `told`. Every field is a block, one below the other.
pub fn draw(told: &Explanation) -> RgbImage {
    let mut blocks = vec![head(told)];
    blocks.extend(told.fields.iter().map(field_block));
    let height = blocks.iter().map(|block| block.height() + 2 * GAP).sum::<u32>();
    let mut sheet = paper(WIDTH + 2 * MARGIN, height + 2 * MARGIN - 2 * GAP);
    let mut top = MARGIN;
    for block in blocks {
        imageops::replace(&mut sheet, &block, i64::from(MARGIN), i64::from(top));
        top += block.height() + 2 * GAP;
    }
    sheet
}

/// The page, and what it is traced to.
fn head(told: &Explanation) -> RgbImage {
    let mut parts = Vec::new();
    if let Some(view) = &told.view {
        parts.push(framed(&view.outlined(MAGENTA), PALE, 1));
    }
    let left = parts.first().map_or(0, |view| view.width() + 2 * GAP);
    let room = WIDTH.saturating_sub(left + NAMES).max(COLUMN);
    let row = |(name, text): &(&str, String)| {
        let name = padded(draw::text(name, TEXT, GREY), NAMES);
        beside(vec![name, wrapped_text(text, TEXT, room, BLACK)], 0)
    };
    parts.push(below(told.head().iter().map(row).collect(), NEAR));
    beside(parts, 2 * GAP)
}

fn field_block(field: &FieldExplanation) -> RgbImage {
    let colour = colour_of(&field.state);
    let title =
        beside(vec![draw::text(&field.name, TITLE, BLACK), draw::text(&field.verdict(), TITLE, colour)], 2 * GAP);
    let mut parts = vec![RgbImage::from_pixel(WIDTH, 3, colour), title, pictures(field, colour)];
    parts.extend(how_it_was_read(field));
    parts.push(tables(field));
    below(parts, GAP)
}

/// Cuts, glyphs and strip: beside each other where there are few, else below each other.
fn how_it_was_read(field: &FieldExplanation) -> Vec<RgbImage> {
    let mut parts = Vec::new();
    let n_glyphs = field.candidates.iter().filter(|cut| cut.glyph.is_some()).count();
    let width = if n_glyphs <= SMALL_TILES { COLUMN } else { WIDTH };
    let cuts = field.images.pictures.as_ref().filter(|_| field.n_nodes > 0);
    let cuts = cuts.map(|pictures| draw_cuts(pictures, field, width));
    if let Some(cuts) = cuts {
        let (nodes, candidates) = (field.n_nodes, field.candidates.len());
        parts.push(captioned(&format!("cuts: {nodes} nodes, {candidates} candidates; the best in green"), cuts));
        parts.push(tiles(&field.candidates, width));
    }
    parts.extend(field.strip.as_ref().map(|strip| strip_block(strip, width)));
    if width == WIDTH { parts } else { vec![in_columns(parts, COLUMNS as usize, GAP)] }
}

fn colour_of(state: &str) -> Colour {
    match state {
        "accepted" => GREEN,
        "blank" => VIOLET_BLUE,
        _ => RED,
    }
}

fn captioned(caption: &str, part: RgbImage) -> RgbImage {
    below(vec![draw::text(caption, SMALL_TEXT, GREY), part], NEAR)
}

/// The field on the page, as scanned, and as it is cut: beside each other, or below where they are long.
fn pictures(field: &FieldExplanation, colour: Colour) -> RgbImage {
    let mut shown: Vec<(&str, RgbImage)> = Vec::new();
    if let Some(around) = &field.images.around {
        shown.push(("on the page", around.outlined(colour)));
    }
    if let Some(FieldPictures { scanned, cleaned, .. }) = &field.images.pictures {
        let scale = (f64::from(PICTURE_HEIGHT) / f64::from(scanned.height().max(1))).min(MAX_CUTS_SCALE);
        shown.push(("as scanned, laid straight", scaled(scanned, scale)));
        shown.push(("printed ink taken away", scaled(&dark_on_white(cleaned), scale)));
    }
    let is_long = |(_, p): &(&str, RgbImage)| f64::from(p.width()) > LONG * f64::from(p.height());
    let (width, n_columns) = if shown.iter().any(is_long) { (WIDTH, 1) } else { (COLUMN, COLUMNS as usize) };
    let fitted = |(caption, picture): (&str, RgbImage)| {
        captioned(caption, framed(&fitted(picture, [width - 2, PICTURE_HEIGHT]), PALE, 1))
    };
    let shown: Vec<RgbImage> = shown.into_iter().map(fitted).map(|picture| padded(picture, width)).collect();
    if shown.is_empty() { draw::text("it is not on the page", TEXT, GREY) } else { in_columns(shown, n_columns, GAP) }
}

/// The glyphs as the net saw them: those of the best reading, from left to right, then the others, those first that are
/// likeliest digits.
fn tiles(candidates: &[CandidateCut], width: u32) -> RgbImage {
    let inked = || candidates.iter().filter_map(|cut| Some((cut, cut.glyph.as_ref()?)));
    let n_inked = inked().count();
    let is_digit = |cut: &CandidateCut| cut.scores.map_or(0.0, |scores| scores.digit(scores.best_digit().0));
    let (chosen, mut others): (Vec<_>, Vec<_>) = inked().partition(|(cut, _)| cut.is_chosen);
    others.sort_by(|(a, _), (b, _)| is_digit(b).total_cmp(&is_digit(a)));
    let in_order = chosen.into_iter().chain(others).take(MAX_TILES);
    let shown: Vec<RgbImage> = in_order.map(|(cut, glyph)| tile(cut, glyph)).collect();
    let left_out = match n_inked.saturating_sub(shown.len()) {
        0 => String::new(),
        n => format!("; {n} more are in the text"),
    };
    let caption = format!("glyphs as the net saw them, the best first{left_out}");
    let n_columns = ((width + NEAR) / (TILE_WIDTH + NEAR)) as usize;
    captioned(&caption, in_columns(shown, n_columns, NEAR))
}

fn tile(cut: &CandidateCut, glyph: &Glyph) -> RgbImage {
    let value =
        |x: u32, y: u32| 255 - (glyph[y as usize * GLYPH_SIDE + x as usize].clamp(0.0, 1.0) * 255.0).round() as u8;
    let grey = GrayImage::from_fn(GLYPH_SIDE as u32, GLYPH_SIDE as u32, |x, y| image::Luma([value(x, y)]));
    let (colour, thickness) = if cut.is_chosen { (GREEN, 3) } else { (PALE, 3) };
    let mut parts = vec![framed(&scaled(&grey, TILE_SCALE), colour, thickness)];
    parts.push(draw::text(&format!("{}-{}", cut.from, cut.to), SMALL_TEXT, GREY));
    for (digit, probability) in cut.digits(2) {
        parts.push(draw::text(&format!("{digit} {probability:.3}"), SMALL_TEXT, BLACK));
    }
    if let Some((class, probability)) = cut.class() {
        parts.push(draw::text(
            &format!("{class} {probability:.2}"),
            SMALL_TEXT,
            if class == "digit" { BLACK } else { RED },
        ));
    }
    padded(below(parts, 2), TILE_WIDTH)
}

/// The strip as the net saw it, and what it read.
fn strip_block(strip: &StripExplanation, width: u32) -> RgbImage {
    let scale = (f64::from(width - 2) / f64::from(strip.pixels.width().max(1))).min(STRIP_SCALE);
    let picture = framed(&scaled(&strip.pixels, scale), PALE, 1);
    // a text and its number are never parted
    let text = |text: &super::StripText| format!("{}\u{a0}{:.4}", said(&text.text), text.probability);
    let joined = |texts: &[super::StripText]| texts.iter().map(text).collect::<Vec<_>>().join("   ");
    let mut lines = vec![picture];
    let mut add = |name: &str, text: String| {
        if !text.is_empty() {
            let name = padded(draw::text(name, TEXT, GREY), NAMES);
            lines.push(beside(vec![name, wrapped_text(&text, TEXT, width - NAMES, BLACK)], 0));
        }
    };
    let (first, others) = strip.views.split_at(strip.views.len().min(1));
    add("at one look", joined(first));
    add("other views", joined(others));
    add("all together", joined(&strip.together));
    captioned("strip as the net saw it, and what it reads", below(lines, NEAR))
}

/// The first of `all`, and those that are likely at all.
fn shown<T>(all: &[T], probability: impl Fn(&T) -> f64) -> impl Iterator<Item = &T> {
    all.iter().enumerate().filter(move |(i, one)| *i == 0 || probability(one) >= MIN_SHOWN).map(|(_, one)| one)
}

/// What it may be, what each way to read says, and what the form says of it.
fn tables(field: &FieldExplanation) -> RgbImage {
    let column = |caption: &str, lines: Vec<String>| {
        let lines = lines.iter().map(|text| wrapped_text(text, TEXT, COLUMN, BLACK)).collect();
        padded(captioned(caption, below(lines, 2)), COLUMN)
    };
    let mut columns = Vec::new();
    if !field.alternatives.is_empty() {
        let lines = shown(&field.alternatives, |a| a.probability)
            .map(|a| format!("{:<14} {:.4}", said(&a.text), a.probability));
        columns.push(column("it may be, with probability", lines.collect()));
    }
    if !field.readings.is_empty() {
        let by_strip = |by_strip: Option<f64>| by_strip.map_or("-".to_owned(), |p| format!("{p:.4}"));
        let likely = |r: &WeighedReading| r.by_strip.unwrap_or(0.0).max(r.by_cuts);
        let lines = shown(&field.readings, likely).map(|r| {
            let filler = if r.has_filler { "+" } else { " " };
            format!("{:<13}{filler} {:.4}  {}", said(&r.digits), r.by_cuts, by_strip(r.by_strip))
        });
        columns.push(column("digits (+ fillers), by cuts, by strip", lines.collect()));
    }
    let [x0, y0, x1, y1] = field.bounds;
    let mut lines = vec![format!("box {x0} {y0} {x1} {y1}"), format!("frame {}", field.frame())];
    lines.extend(field.rules.iter().map(|rule| format!("rule {rule}")));
    lines.extend(field.correction.iter().map(|change| format!("{} gave way, by {}", change.from, change.by)));
    columns.push(column("on the scan as stored, pixels; rules of the form", lines));
    beside(columns, GAP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::PAPER;
    use crate::explain::tests::explained_strip;

    #[test]
    fn a_sheet_has_a_block_a_field_and_keeps_its_width() {
        let mut told = explained_strip();
        let one = draw(&told);
        assert_eq!(one.width(), WIDTH + 2 * MARGIN);
        assert!(one.pixels().any(|p| *p == GREEN) && one.pixels().any(|p| *p == PAPER));
        // the chosen glyphs are framed: two tiles of 84 pixels, 3 pixels of frame on either side
        assert!(one.pixels().filter(|p| **p == GREEN).count() > 2 * 4 * 84 * 3);
        told.fields.push(explained_strip().fields.remove(0));
        let two = draw(&told);
        told.fields.clear();
        let none = draw(&told);
        let block = one.height() - none.height();
        assert_eq!((two.width(), two.height()), (one.width(), none.height() + 2 * block));
    }
}
