//! Generates strips of digits as one writer fills one field: real digits side by side, apart, touching or overlapping, with
//! signs, fillers, remains of ruled lines and the pattern of the paper; and whole numbers by the tracks of a pen.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::augment::{Augmentation, WriterStyle, draw_as, triangular};
use super::canvas::{Canvas, DRAWN_SIDE};
use super::line_of_digits::{LineOfDigits, MAX_GAP, MIDDLE_Y, add_artefacts, add_background_pattern};
use super::negatives::{overwrite, scribble, strike_out};
use super::signs::{Written, bare_one, blot, draw_sign, hash, long_dash, random_signs, roman_one};
use super::tracks::draw_number;
use formread_core::normalise::{STRIP_HEIGHT, Strip, normalise_strip};
use formread_core::scores::{FIRST_DIGIT, N_DIGITS, SCRIBBLE, Sign};
use formread_core::segment::StripBounds;
use formread_tools::dataset::{GlyphSet, Sample, Track};

/// Digits outside cells slant more, by this factor.
const FREE_SLANT: f32 = 1.6;

/// Mean gap above which there is room for fillers behind the digits, pixels.
const WIDE_GAP: f32 = 4.0;

/// Share of the strips that are whole numbers by the tracks of a pen, where there are tracks.
const TRACK_SHARE: f64 = 0.12;

/// Attempts to draw a strip before a blank one replaces it.
const TRIES: usize = 4;

/// A strip and its symbols.
#[derive(Debug, Clone)]
pub(super) struct LabelledStrip {
    pub strip: Strip,
    /// Symbols as in [`formread_core::scores::StripScores`], from left to right.
    pub symbols: Vec<i64>,
}

/// Digits of one writer, or of all where the writers are unknown.
struct Writer<'a> {
    digits: [Vec<&'a Sample>; N_DIGITS],
}

/// Generates strips.
pub(super) struct StripMaker<'a> {
    /// The writers of each set and its weight. The weight is the fourth root of its size, so that a large set adds its
    /// variety without hiding the others.
    sets: Vec<(Vec<Writer<'a>>, f64)>,
    /// The numbers of all sets.
    numbers: Vec<&'a Track>,
    augmentation: Augmentation,
}

impl<'a> StripMaker<'a> {
    /// Strips of the digits of `sets`.
    pub fn new(sets: &'a [GlyphSet], augmentation: Augmentation) -> Self {
        let writers = |set: &'a GlyphSet| {
            let mut writers: Vec<Writer<'a>> =
                (0..set.writers.len().max(1)).map(|_| Writer { digits: Default::default() }).collect();
            for sample in &set.samples {
                writers[sample.writer.unwrap_or(0)].digits[usize::from(sample.digit)].push(sample);
            }
            writers.retain(|writer| writer.digits.iter().any(|samples| !samples.is_empty()));
            writers
        };
        let weighted = |set: &'a GlyphSet| (writers(set), (set.samples.len() as f64).sqrt().sqrt());
        let numbers = sets.iter().flat_map(|set| &set.numbers).collect();
        let sets = sets.iter().map(weighted).filter(|(writers, _)| !writers.is_empty()).collect();
        Self { sets, numbers, augmentation }
    }

    /// Draws a strip; a blank one where there are no digits to draw with.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> LabelledStrip {
        let labelled = (0..TRIES).find_map(|_| self.try_draw(rng));
        labelled.unwrap_or_else(|| {
            let strip = Strip { pixels: vec![0.0; STRIP_HEIGHT * STRIP_HEIGHT], width: STRIP_HEIGHT };
            LabelledStrip { strip, symbols: Vec::new() }
        })
    }

    fn try_draw(&self, rng: &mut ChaCha8Rng) -> Option<LabelledStrip> {
        let style = FieldStyle::random(rng);
        if !self.numbers.is_empty() && rng.random_bool(TRACK_SHARE) {
            let number = random_item(&self.numbers, rng)?;
            let (mut row, height) = draw_number(number, style.pen, rng)?;
            add_artefacts(&mut row, style.pen, rng);
            let strip = self.to_strip(&row, &mut [height], &style, rng)?;
            return Some(LabelledStrip { strip, symbols: number.label.chars().map(symbol).collect() });
        }
        let writer = random_item(self.random_set(rng)?, rng)?;
        let mut writer_style = WriterStyle::random(&self.augmentation, rng);
        writer_style.slant *= FREE_SLANT;
        let signs = random_signs(style.gap_mean > WIDE_GAP, rng);
        let mut row = LineOfDigits::new(signs.len());
        let (mut symbols, mut heights) = (Vec::new(), Vec::new());
        let mut last_digit = None;
        for (i, sign) in signs.iter().enumerate() {
            let mut is_connected = false;
            let canvas = match *sign {
                Written::Digit(digit) => {
                    let size = if heights.is_empty() { style.first_size } else { 1.0 };
                    let size = size * style.drift.powi(i as i32);
                    let canvas = if digit == 1 && style.has_bare_ones {
                        bare_one(style.pen, rng)
                    } else {
                        draw_digit(writer, digit, &writer_style, size, &style, rng)?
                    };
                    is_connected = style.links_zeros && digit == 0 && last_digit == Some(0) || rng.random_bool(0.02);
                    let [_, top, _, bottom] = canvas.bounds()?;
                    heights.push(bottom - top);
                    last_digit = Some(digit);
                    canvas
                }
                Written::StruckOut(digit) => {
                    strike_out(draw_digit(writer, digit, &writer_style, 1.0, &style, rng)?, digit as u8, rng)?
                }
                Written::Overwritten(below, above) => {
                    let below = draw_digit(writer, below, &writer_style, 1.0, &style, rng)?;
                    overwrite(below, &draw_digit(writer, above, &writer_style, 1.0, &style, rng)?, rng)?
                }
                Written::Scribble => scribble(rng),
                Written::Blot => blot(rng),
                Written::LongDash => long_dash(style.pen, rng),
                Written::Hash => hash(style.pen, rng),
                Written::RomanOne => roman_one(style.pen, rng),
                Written::Sign(sign) => draw_sign(sign, style.pen, rng),
            };
            symbols.push(match *sign {
                Written::Digit(digit) => (FIRST_DIGIT + digit) as i64,
                Written::StruckOut(_) | Written::Overwritten(..) | Written::Scribble | Written::Blot => SCRIBBLE as i64,
                Written::LongDash | Written::Hash => Sign::Dash.symbol() as i64,
                Written::RomanOne => Sign::Letter.symbol() as i64,
                Written::Sign(sign) => sign.symbol() as i64,
            });
            let gap = if i == 0 { 0.0 } else { style.gap(rng) };
            let shift = triangular(rng, style.wobble);
            let before = row.right;
            row.append(&canvas, gap, shift);
            if is_connected && i > 0 {
                row.connect(before, style.pen, rng);
            }
        }
        add_artefacts(&mut row, style.pen, rng);
        let strip = self.to_strip(&row, &mut heights, &style, rng)?;
        Some(LabelledStrip { strip, symbols })
    }

    fn random_set(&self, rng: &mut ChaCha8Rng) -> Option<&[Writer<'a>]> {
        let all: f64 = self.sets.iter().map(|(_, weight)| weight).sum();
        let mut at = rng.random::<f64>() * all;
        let chosen = self.sets.iter().find(|(_, weight)| {
            at -= weight;
            at < 0.0
        });
        chosen.or(self.sets.last()).map(|(writers, _)| writers.as_slice())
    }

    /// The strip that segmentation and normalisation would return for this line.
    fn to_strip(
        &self,
        row: &LineOfDigits,
        heights: &mut [f32],
        style: &FieldStyle,
        rng: &mut ChaCha8Rng,
    ) -> Option<Strip> {
        let [left, _, right, _] = row.canvas.bounds()?;
        heights.sort_unstable_by(f32::total_cmp);
        let height = heights.get(heights.len() / 2).copied().unwrap_or(DRAWN_SIDE);
        let bounds = StripBounds {
            left,
            right,
            middle: MIDDLE_Y + triangular(rng, 6.0),
            digit_height: height * rng.random_range(0.85..1.2),
        };
        let mut strip = normalise_strip(&row.canvas.to_ink(255.0), &bounds)?;
        for pixel in &mut strip.pixels {
            *pixel = (*pixel * style.darkness).min(1.0);
        }
        if style.has_pattern {
            add_background_pattern(&mut strip, rng);
        }
        Some(strip)
    }
}

/// The symbol of a character of a number.
fn symbol(character: char) -> i64 {
    let symbol = match Sign::of(character) {
        Some(sign) => sign.symbol(),
        None => FIRST_DIGIT + (character as usize).saturating_sub('0' as usize).min(N_DIGITS - 1),
    };
    symbol as i64
}

fn random_item<'v, T>(from: &'v [T], rng: &mut ChaCha8Rng) -> Option<&'v T> {
    if from.is_empty() { None } else { from.get(rng.random_range(0..from.len())) }
}

fn draw_digit(
    writer: &Writer<'_>,
    digit: usize,
    writer_style: &WriterStyle,
    size: f32,
    style: &FieldStyle,
    rng: &mut ChaCha8Rng,
) -> Option<Canvas> {
    let sample = random_item(&writer.digits[digit], rng)?;
    let small = if digit == 0 { style.zero_size } else { 1.0 };
    let digit_style = WriterStyle {
        turn: writer_style.turn + triangular(rng, 0.08),
        slant: writer_style.slant + triangular(rng, 0.12),
        stretch: writer_style.stretch * triangular(rng, 0.12).exp(),
        size: writer_style.size * size * small * triangular(rng, 0.2).exp(),
        ..writer_style.clone()
    };
    draw_as(&digit_style, &sample.ink, rng)
}

/// The style in which one writer fills one field.
struct FieldStyle {
    /// Mean gap between signs and its spread, pixels.
    gap_mean: f32,
    gap_spread: f32,
    /// Largest shift of signs above or below their line, pixels.
    wobble: f32,
    /// Width of the pen, pixels.
    pen: f32,
    /// Size of a zero, and of the first digit, relative to the other digits.
    zero_size: f32,
    first_size: f32,
    /// Size of a sign relative to the one before it.
    drift: f32,
    /// Whether zeros are connected.
    links_zeros: bool,
    /// Whether each 1 is a bare stroke.
    has_bare_ones: bool,
    /// Factor on the ink; the result is limited to 1.
    darkness: f32,
    /// Whether the pattern of the paper is visible.
    has_pattern: bool,
}

impl FieldStyle {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let (gap_mean, gap_spread) = match rng.random_range(0..100) {
            0..25 => (-1.0, 2.5),
            25..60 => (3.0, 4.0),
            60..82 => (8.0, 5.0),
            _ => (rng.random_range(12.0..45.0), 8.0),
        };
        Self {
            gap_mean,
            gap_spread,
            wobble: rng.random_range(2.0..9.0),
            pen: rng.random_range(2.0..6.0),
            zero_size: if rng.random_bool(0.25) { rng.random_range(0.4..0.85) } else { 1.0 },
            first_size: if rng.random_bool(0.2) { rng.random_range(1.1..1.9) } else { 1.0 },
            drift: if rng.random_bool(0.25) { rng.random_range(0.9..1.05) } else { 1.0 },
            links_zeros: rng.random_bool(0.3),
            has_bare_ones: rng.random_bool(0.15),
            darkness: rng.random_range(0.75..1.35),
            has_pattern: rng.random_bool(0.5),
        }
    }

    fn gap(&self, rng: &mut ChaCha8Rng) -> f32 {
        let odd = if rng.random_bool(0.06) { rng.random_range(4.0..25.0) } else { 0.0 };
        (self.gap_mean + triangular(rng, 2.0 * self.gap_spread) + odd).min(MAX_GAP)
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};
    use rand::SeedableRng;

    use super::super::signs::{MAX_DIGITS, MAX_OTHER_SIGNS};
    use super::*;
    use formread_core::scores::N_SYMBOLS;

    /// Rings of ten sizes instead of digits, by one writer.
    fn rings() -> GlyphSet {
        let sample = |digit: u8| {
            let radius = 20.0 + f64::from(digit);
            let ink = GrayImage::from_fn(64, 64, |x, y| {
                let distance = (f64::from(x) - 32.0).hypot(f64::from(y) - 32.0);
                Luma([if (distance - radius).abs() < 3.0 { 255 } else { 0 }])
            });
            Sample { ink, is_normalised: false, digit, writer: Some(0) }
        };
        GlyphSet {
            name: "rings".to_owned(),
            writers: vec!["w".to_owned()],
            samples: (0..10).map(sample).collect(),
            numbers: Vec::new(),
            is_tracked: false,
        }
    }

    #[test]
    fn draw_of_a_digit_set_gives_ink_and_symbols() {
        let sets = [rings()];
        let maker = StripMaker::new(&sets, Augmentation::default());
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let strips: Vec<LabelledStrip> = (0..1_000).map(|_| maker.draw(&mut rng)).collect();
        for LabelledStrip { strip, symbols } in &strips {
            assert_eq!(strip.pixels.len(), STRIP_HEIGHT * strip.width);
            assert!(strip.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
            assert!(symbols.iter().all(|&s| (FIRST_DIGIT as i64..N_SYMBOLS as i64).contains(&s)));
            assert!(symbols.len() <= MAX_DIGITS + MAX_OTHER_SIGNS);
        }
        // CTC needs one column per symbol, and one more between two equal ones
        let has_room = |labelled: &&LabelledStrip| {
            let n_equal = labelled.symbols.windows(2).filter(|pair| pair[0] == pair[1]).count();
            labelled.strip.width / 4 >= labelled.symbols.len() + n_equal
        };
        let n_fit = strips.iter().filter(has_room).count();
        assert!(n_fit >= 990, "{n_fit} of 1,000 have room for their symbols");
        let is_present = |symbol: usize| strips.iter().any(|strip| strip.symbols.contains(&(symbol as i64)));
        assert!((FIRST_DIGIT..N_SYMBOLS).all(is_present));
        let inked = strips.iter().filter(|strip| strip.strip.pixels.iter().any(|&v| v > 0.6)).count();
        assert!(inked > 950, "{inked} of 1,000 have ink");
    }

    #[test]
    fn draw_without_digits_gives_a_blank_strip() {
        let maker = StripMaker::new(&[], Augmentation::default());
        let labelled = maker.draw(&mut ChaCha8Rng::seed_from_u64(1));
        assert!(labelled.symbols.is_empty() && labelled.strip.pixels.iter().all(|&v| v == 0.0));
    }
}
