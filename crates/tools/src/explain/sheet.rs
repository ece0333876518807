//! Draws an explanation as a picture: the page with its origin and verdict, then one block for each field.

use image::{GrayImage, RgbImage, imageops};

use super::{
    CandidateCut, Explanation, FieldExplanation, MAX_CUTS_SCALE, PICTURE_HEIGHT, SMALL_TEXT, StripExplanation,
    cuts::draw_cuts, text::or_nothing,
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

/// Width of the sheet without its margins, pixels.
pub(super) const WIDTH: u32 = 1480;
/// Margin of the sheet, pixels.
const MARGIN: u32 = 24;
/// Gap between parts, pixels.
const GAP: u32 = 20;
/// Gap between a caption and its part, pixels.
const CAPTION_GAP: u32 = 6;

/// Height of a title, pixels.
const TITLE_PX: u32 = 30;
/// Height of a line of text, pixels.
const TEXT_PX: u32 = 22;

/// Width of a column of names, pixels.
const NAMES_WIDTH: u32 = 160;

/// Number of columns for pictures and tables.
const N_COLUMNS: u32 = 3;
/// Width of such a column, pixels.
const COLUMN_WIDTH: u32 = (WIDTH - (N_COLUMNS - 1) * GAP) / N_COLUMNS;

/// Minimum ratio of width to height of a picture that gets a row of its own.
const MIN_LONG_RATIO: f64 = 6.0;

/// Factor by which a glyph is enlarged in a tile.
const TILE_SCALE: f64 = 3.0;
/// Width of a tile with its text, pixels.
const TILE_WIDTH: u32 = 130;
/// Maximum number of tiles of a field.
const MAX_TILES: usize = 20;
/// Maximum number of tiles that fit in one column.
const MAX_COLUMN_TILES: usize = 9;

/// Minimum probability of a reading that is shown; the best reading is always shown.
const MIN_SHOWN_PROBABILITY: f64 = 0.000_5;

/// Maximum factor by which a strip is enlarged.
const MAX_STRIP_SCALE: f64 = 3.0;

/// Draws the whole explanation, with the blocks of the fields below each other.
pub fn draw(explanation: &Explanation) -> RgbImage {
    let mut blocks = vec![draw_head(explanation)];
    blocks.extend(explanation.fields.iter().map(field_block));
    let height = blocks.iter().map(|block| block.height() + 2 * GAP).sum::<u32>();
    let mut sheet = paper(WIDTH + 2 * MARGIN, height + 2 * MARGIN - 2 * GAP);
    let mut top = MARGIN;
    for block in blocks {
        imageops::replace(&mut sheet, &block, i64::from(MARGIN), i64::from(top));
        top += block.height() + 2 * GAP;
    }
    sheet
}

/// Draws the page with its origin and verdict.
fn draw_head(explanation: &Explanation) -> RgbImage {
    let mut parts = Vec::new();
    if let Some(view) = &explanation.view {
        parts.push(framed(&view.outlined(MAGENTA), PALE, 1));
    }
    let left = parts.first().map_or(0, |view| view.width() + 2 * GAP);
    let room = WIDTH.saturating_sub(left + NAMES_WIDTH).max(COLUMN_WIDTH);
    let row = |(name, text): &(&str, String)| {
        let name = padded(draw::text(name, TEXT_PX, GREY), NAMES_WIDTH);
        beside(vec![name, wrapped_text(text, TEXT_PX, room, BLACK)], 0)
    };
    parts.push(below(explanation.head().iter().map(row).collect(), CAPTION_GAP));
    beside(parts, 2 * GAP)
}

fn field_block(field: &FieldExplanation) -> RgbImage {
    let colour = colour_of(&field.state);
    let title =
        beside(vec![draw::text(&field.name, TITLE_PX, BLACK), draw::text(&field.verdict(), TITLE_PX, colour)], 2 * GAP);
    let mut parts = vec![RgbImage::from_pixel(WIDTH, 3, colour), title, pictures(field, colour)];
    parts.extend(reading_parts(field));
    parts.push(tables(field));
    below(parts, GAP)
}

/// Draws cuts, glyphs and strip: beside each other if there are few glyphs, else below each other.
fn reading_parts(field: &FieldExplanation) -> Vec<RgbImage> {
    let mut parts = Vec::new();
    let n_glyphs = field.candidates.iter().filter(|cut| cut.glyph.is_some()).count();
    let width = if n_glyphs <= MAX_COLUMN_TILES { COLUMN_WIDTH } else { WIDTH };
    let cuts = field.images.pictures.as_ref().filter(|_| field.n_nodes > 0);
    let cuts = cuts.map(|pictures| draw_cuts(pictures, field, width));
    if let Some(cuts) = cuts {
        let (nodes, candidates) = (field.n_nodes, field.candidates.len());
        parts.push(captioned(&format!("cuts: {nodes} nodes, {candidates} candidates; best reading in green"), cuts));
        parts.push(tiles(&field.candidates, width));
    }
    parts.extend(field.strip.as_ref().map(|strip| strip_block(strip, width)));
    if width == WIDTH { parts } else { vec![in_columns(parts, N_COLUMNS as usize, GAP)] }
}

fn colour_of(state: &str) -> Colour {
    match state {
        "accepted" => GREEN,
        "blank" => VIOLET_BLUE,
        _ => RED,
    }
}

fn captioned(caption: &str, part: RgbImage) -> RgbImage {
    below(vec![draw::text(caption, SMALL_TEXT, GREY), part], CAPTION_GAP)
}

/// Draws the field on the page, as scanned, and without printed ink: beside each other, or below each other if they are
/// long.
fn pictures(field: &FieldExplanation, colour: Colour) -> RgbImage {
    let mut shown: Vec<(&str, RgbImage)> = Vec::new();
    if let Some(around) = &field.images.around {
        shown.push(("on the page", around.outlined(colour)));
    }
    if let Some(FieldPictures { scanned, cleaned, .. }) = &field.images.pictures {
        let scale = (f64::from(PICTURE_HEIGHT) / f64::from(scanned.height().max(1))).min(MAX_CUTS_SCALE);
        shown.push(("as scanned, straightened", scaled(scanned, scale)));
        shown.push(("printed ink removed", scaled(&dark_on_white(cleaned), scale)));
    }
    let is_long = |(_, p): &(&str, RgbImage)| f64::from(p.width()) > MIN_LONG_RATIO * f64::from(p.height());
    let (width, n_columns) = if shown.iter().any(is_long) { (WIDTH, 1) } else { (COLUMN_WIDTH, N_COLUMNS as usize) };
    let fitted = |(caption, picture): (&str, RgbImage)| {
        captioned(caption, framed(&fitted(picture, [width - 2, PICTURE_HEIGHT]), PALE, 1))
    };
    let shown: Vec<RgbImage> = shown.into_iter().map(fitted).map(|picture| padded(picture, width)).collect();
    if shown.is_empty() { draw::text("not on the page", TEXT_PX, GREY) } else { in_columns(shown, n_columns, GAP) }
}

/// Draws the glyphs as the net gets them: those of the best reading from left to right, then the others by falling
/// probability of their best digit.
fn tiles(candidates: &[CandidateCut], width: u32) -> RgbImage {
    let inked = || candidates.iter().filter_map(|cut| Some((cut, cut.glyph.as_ref()?)));
    let n_inked = inked().count();
    let best_digit = |cut: &CandidateCut| cut.scores.map_or(0.0, |scores| scores.digit(scores.best_digit().0));
    let (chosen, mut others): (Vec<_>, Vec<_>) = inked().partition(|(cut, _)| cut.is_chosen);
    others.sort_by(|(a, _), (b, _)| best_digit(b).total_cmp(&best_digit(a)));
    let in_order = chosen.into_iter().chain(others).take(MAX_TILES);
    let shown: Vec<RgbImage> = in_order.map(|(cut, glyph)| tile(cut, glyph)).collect();
    let left_out = match n_inked.saturating_sub(shown.len()) {
        0 => String::new(),
        n => format!("; {n} more in the text output"),
    };
    let caption = format!("glyphs as input of the net, best reading first{left_out}");
    let n_columns = ((width + CAPTION_GAP) / (TILE_WIDTH + CAPTION_GAP)) as usize;
    captioned(&caption, in_columns(shown, n_columns, CAPTION_GAP))
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

/// Draws the strip as the net gets it, with its texts.
fn strip_block(strip: &StripExplanation, width: u32) -> RgbImage {
    let scale = (f64::from(width - 2) / f64::from(strip.pixels.width().max(1))).min(MAX_STRIP_SCALE);
    let picture = framed(&scaled(&strip.pixels, scale), PALE, 1);
    // a no-break space keeps a text and its probability on one line
    let text = |text: &super::StripText| format!("{}\u{a0}{:.4}", or_nothing(&text.text), text.probability);
    let joined = |texts: &[super::StripText]| texts.iter().map(text).collect::<Vec<_>>().join("   ");
    let mut lines = vec![picture];
    let mut add = |name: &str, text: String| {
        if !text.is_empty() {
            let name = padded(draw::text(name, TEXT_PX, GREY), NAMES_WIDTH);
            lines.push(beside(vec![name, wrapped_text(&text, TEXT_PX, width - NAMES_WIDTH, BLACK)], 0));
        }
    };
    let (first, others) = strip.views.split_at(strip.views.len().min(1));
    add("plain", joined(first));
    add("variants", joined(others));
    add("all", joined(&strip.together));
    captioned("strip as input of the net, and its texts", below(lines, CAPTION_GAP))
}

/// The first of `all`, and the others with at least [`MIN_SHOWN_PROBABILITY`].
fn shown<T>(all: &[T], probability: impl Fn(&T) -> f64) -> impl Iterator<Item = &T> {
    all.iter()
        .enumerate()
        .filter(move |(i, one)| *i == 0 || probability(one) >= MIN_SHOWN_PROBABILITY)
        .map(|(_, one)| one)
}

/// Draws the tables: values, readings by cuts and by strip, and the box with its rules.
fn tables(field: &FieldExplanation) -> RgbImage {
    let column = |caption: &str, lines: Vec<String>| {
        let lines = lines.iter().map(|text| wrapped_text(text, TEXT_PX, COLUMN_WIDTH, BLACK)).collect();
        padded(captioned(caption, below(lines, 2)), COLUMN_WIDTH)
    };
    let mut columns = Vec::new();
    if !field.alternatives.is_empty() {
        let lines = shown(&field.alternatives, |a| a.probability)
            .map(|a| format!("{:<14} {:.4}", or_nothing(&a.text), a.probability));
        columns.push(column("values, with probability", lines.collect()));
    }
    if !field.readings.is_empty() {
        let by_strip = |by_strip: Option<f64>| by_strip.map_or("-".to_owned(), |p| format!("{p:.4}"));
        let likely = |r: &WeighedReading| r.by_strip.unwrap_or(0.0).max(r.by_cuts);
        let lines = shown(&field.readings, likely).map(|r| {
            let filler = if r.has_filler { "+" } else { " " };
            format!("{:<13}{filler} {:.4}  {}", or_nothing(&r.digits), r.by_cuts, by_strip(r.by_strip))
        });
        columns.push(column("digits (+ fillers), by cuts, by strip", lines.collect()));
    }
    let [x0, y0, x1, y1] = field.bounds;
    let mut lines = vec![format!("box {x0} {y0} {x1} {y1}"), format!("frame {}", field.frame())];
    lines.extend(field.rules.iter().map(|rule| format!("rule {rule}")));
    lines.extend(field.correction.iter().map(|change| format!("changed from {} by {}", change.from, change.by)));
    columns.push(column("on the scan as stored, pixels; rules of the form", lines));
    beside(columns, GAP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::PAPER;
    use crate::explain::tests::explained_strip;

    #[test]
    fn sheet_has_a_block_for_each_field_and_a_fixed_width() {
        let mut explanation = explained_strip();
        let one = draw(&explanation);
        assert_eq!(one.width(), WIDTH + 2 * MARGIN);
        assert!(one.pixels().any(|p| *p == GREEN) && one.pixels().any(|p| *p == PAPER));
        // the chosen glyphs are framed: two tiles of 84 pixels, 3 pixels of frame on either side
        assert!(one.pixels().filter(|p| **p == GREEN).count() > 2 * 4 * 84 * 3);
        explanation.fields.push(explained_strip().fields.remove(0));
        let two = draw(&explanation);
        explanation.fields.clear();
        let none = draw(&explanation);
        let block = one.height() - none.height();
        assert_eq!((two.width(), two.height()), (one.width(), none.height() + 2 * block));
    }
}
