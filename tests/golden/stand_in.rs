//! A recogniser of plain arithmetic: it compares ink with ten small bitmaps. It reads some handwriting right and is sure of
//! some of it, so that fields are accepted, sent to review and rejected; and it needs no LibTorch.

use formread_core::{
    normalise::{GLYPH_SIDE, STRIP_HEIGHT, Strip, normalise},
    recognise::{FieldInput, PageInput, PageScores, Recogniser},
    scores::{
        CTC_BLANK, CtcLogProbs, EdgeScores, FIRST_DIGIT, FIRST_SIGN, GlyphClass, GlyphScores, N_CLASSES, N_DIGITS,
        N_SYMBOLS,
    },
};
use formread_raster::error::Result;
use image::{GrayImage, Luma};

/// Zones of a bitmap, across and down.
const ZONES: [usize; 2] = [5, 7];
/// The digits as dot-matrix printers draw them, a row of five bits a number.
const BITMAPS: [[u8; 7]; N_DIGITS] = [
    [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
    [0b11111, 0b11111, 0b11111, 0b11111, 0b11111, 0b11111, 0b11111],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b11000, 0b11111],
    [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
    [0b10001, 0b10001, 0b10001, 0b11111, 0b00011, 0b00010, 0b00010],
    [0b11111, 0b10000, 0b11100, 0b00010, 0b00001, 0b10001, 0b01110],
    [0b00100, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
    [0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000],
    [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
    [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b00100],
];
/// Darkness of a zone is counted in this many steps.
const LEVELS: u32 = 4;
/// Ink of a pixel that counts, 0 to 255.
const INK: u32 = 64;
/// Columns of a strip with less ink than this, 0 to 255 a pixel, lie between two digits.
const GAP: u32 = 200;
/// Pixels of a strip that one column of the answer covers.
const COLUMN: usize = 4;

/// The stand-in for the nets.
pub struct StandIn;

impl Recogniser for StandIn {
    fn recognise(&mut self, pages: &[PageInput<'_>]) -> Result<Vec<PageScores>> {
        let field = |field: FieldInput<'_>| {
            let mut found = field.unscored();
            for (glyph, edge) in field.unscored_glyphs(&mut found) {
                *edge = EdgeScores::Scored(scores(&levels(&glyph[..])));
            }
            found.strip.views.extend(field.strip().map(columns));
            found
        };
        Ok(pages.iter().map(|page| PageScores::new(page.fields().into_iter().map(field).collect())).collect())
    }
}

/// Pixels from 0 to 1 in steps of 255.
fn levels(pixels: &[f32]) -> Vec<u32> {
    pixels.iter().map(|&v| (v * 255.0 + 0.5) as u32).collect()
}

/// Scores of a glyph, [28, 28] from 0 to 255: each step of darkness by which a bitmap is off divides its
/// probability by four.
fn scores(glyph: &[u32]) -> GlyphScores {
    let is_ink = |&i: &usize| glyph[i] >= INK;
    let inked = || (0..glyph.len()).filter(is_ink);
    let extent = |places: Vec<usize>| {
        let (first, last) = (places.iter().min().copied().unwrap_or(0), places.iter().max().copied().unwrap_or(0));
        (first, last + 1 - first)
    };
    let (left, width) = extent(inked().map(|i| i % GLYPH_SIDE).collect());
    let (top, height) = extent(inked().map(|i| i / GLYPH_SIDE).collect());
    let mut off = [0u32; N_DIGITS];
    for zone in 0..ZONES[0] * ZONES[1] {
        let (column, row) = (zone % ZONES[0], zone / ZONES[0]);
        let span = |start: usize, extent: usize, i: usize, n: usize| {
            let (from, to) = (start + extent * i / n, start + extent * (i + 1) / n);
            from..to.max(from + 1).min(GLYPH_SIDE)
        };
        let (mut sum, mut n) = (0, 0);
        for y in span(top, height, row, ZONES[1]) {
            for x in span(left, width, column, ZONES[0]) {
                sum += glyph[y * GLYPH_SIDE + x];
                n += 1;
            }
        }
        // a zone of which a stroke fills half is as dark as it becomes
        let level = (2 * sum * LEVELS / (255 * n.max(1))).min(LEVELS);
        for (off, bitmap) in off.iter_mut().zip(&BITMAPS) {
            let wanted = if bitmap[row] >> (ZONES[0] - 1 - column) & 1 == 1 { LEVELS } else { 0 };
            *off += level.abs_diff(wanted);
        }
    }
    let least = off.iter().copied().min().unwrap_or(0);
    let weights = off.map(|off| 0.25f64.powi((off - least).min(30) as i32));
    let sum: f64 = weights.iter().sum();
    let doubt = f64::from((6 * least).min(900)) / 1024.0;
    let is_flat = width > 2 * height;
    let (dash, other) = if is_flat { (0.75, 0.25) } else { (0.25, 0.75) };
    let mut classes = [0.0; N_CLASSES];
    let shares =
        [(GlyphClass::Digit, 1.0 - doubt), (GlyphClass::Dash, dash * doubt), (GlyphClass::Other, other * doubt)];
    shares.into_iter().for_each(|(class, share)| classes[class as usize] = share as f32);
    GlyphScores { digits: weights.map(|weight| (weight / sum) as f32), classes }
}

/// Every run of inked columns is one digit, which ends where the run does.
fn columns(strip: &Strip) -> CtcLogProbs {
    let pixels = levels(&strip.pixels);
    let is_ink = |x: usize| (0..STRIP_HEIGHT).map(|y| pixels[y * strip.width + x]).sum::<u32>() >= GAP;
    let mut columns: CtcLogProbs = vec![logarithms(CTC_BLANK, None); strip.width / COLUMN];
    let (mut x, mut free) = (0, 0);
    while x < strip.width {
        let end = (x..strip.width).find(|&x| !is_ink(x)).unwrap_or(strip.width);
        let run = GrayImage::from_fn((end - x) as u32, STRIP_HEIGHT as u32, |u, y| {
            Luma([pixels[y as usize * strip.width + x + u as usize] as u8])
        });
        let column = ((end.max(1) - 1) / COLUMN).max(free);
        if end > x
            && let Some(glyph) = normalise(&run)
            && let Some(place) = columns.get_mut(column)
        {
            *place = logarithms(FIRST_DIGIT, Some(scores(&levels(&glyph[..]))));
            free = column + 2;
        }
        x = end + 1;
    }
    columns
}

/// Logarithms of a column's symbols: of `first` alone, or of the digits from `first` on.
fn logarithms(first: usize, digits: Option<GlyphScores>) -> [f32; N_SYMBOLS] {
    let mut column = [0.001f64; N_SYMBOLS];
    // it knows no signs
    column[FIRST_SIGN..].fill(1e-9);
    match digits {
        Some(scores) => {
            let shares = column[first..].iter_mut().zip(scores.digits);
            shares.for_each(|(share, digit)| *share += f64::from(digit));
        }
        None => column[first] += 1.0,
    }
    let sum: f64 = column.iter().sum();
    column.map(|share| (share / sum).ln() as f32)
}
