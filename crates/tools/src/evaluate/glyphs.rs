//! How well a classifier does on labelled signs.

use std::{fmt, path::Path};

use image::{GrayImage, Luma, imageops};
use serde::Serialize;

use super::Reliability;
use crate::dataset::{GlyphSet, read_folder};
use crate::draw::{dark_on_white, text_ink};
use formread_core::normalise::{GLYPH_SIDE, collate};
use formread_core::recognise::GlyphClassifier;
use formread_core::scores::{GlyphClass, GlyphScores, N_DIGITS};
use formread_raster::error::Result;

/// Glyphs that are classified at a time, so that a large set does not stand in memory twice.
const MAX_BATCH_GLYPHS: usize = 4096;

/// How well a classifier does on a set. A sign without ink counts, as wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GlyphReport {
    /// The set's name.
    pub set: String,
    /// Signs.
    pub count: usize,
    /// Of these, the likeliest digit is the right one.
    pub correct: usize,
    /// `correct / count`; 0 of nothing.
    pub accuracy: f64,
    /// Of those whose writer is known, read right without and with what the other digits of the same page tell of the hand;
    /// a page is sixty digits of one writer.
    pub by_page: WriterAdaptationReport,
    /// Of all, taken for a digit: class head, probability of at least 0.5.
    pub taken_for_digit: usize,
    /// `confusion[truth][reading]`, counts; signs without ink are not in it.
    pub confusion: [[usize; N_DIGITS]; N_DIGITS],
    /// One a writer, where writers are known.
    pub writers: Vec<WriterReport>,
    /// Whether the probability of the reading means what it says.
    pub reliability: Reliability,
    /// Those that were not read right.
    pub wrong: Vec<WrongGlyph>,
}

/// What the digits of a page, taken together, buy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WriterAdaptationReport {
    /// Signs with ink whose writer is known.
    pub count: usize,
    /// Of these, each alone, read right.
    pub alone: usize,
    /// Of these, together, read right.
    pub together: usize,
}

/// A sign that was not read right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WrongGlyph {
    /// Its place in the set, from 0.
    pub place: usize,
    /// The digit that it is.
    pub truth: u8,
    /// The digit that was read; `None` where there was no ink.
    pub reading: Option<u8>,
    /// Probability of the reading: that it is a digit, and that one.
    pub confidence: f32,
}

/// How well a classifier does on one writer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WriterReport {
    /// The writer's name.
    pub writer: String,
    /// Signs.
    pub count: usize,
    /// Of these, read correctly.
    pub correct: usize,
    /// `correct / count`.
    pub accuracy: f64,
}

/// A table for people: the set, its writers, and how often a digit was read as another.
impl fmt::Display for GlyphReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, count, correct, accuracy, taken_for_digit, by_page, confusion, writers, reliability, .. } =
            self;
        writeln!(f, "{set}: {correct} of {count} read right, {:.2} %", 100.0 * accuracy)?;
        writeln!(f, "taken for a digit: {taken_for_digit} of {count}")?;
        for WriterReport { writer, count, correct, accuracy } in writers {
            writeln!(f, "  {writer}: {correct} of {count}, {:.2} %", 100.0 * accuracy)?;
        }
        if by_page.count > 0 {
            let WriterAdaptationReport { count, alone, together } = by_page;
            writeln!(f, "of {count}, each alone {alone}, with the page's other digits {together}")?;
        }
        writeln!(f, "\ntruth down, reading across")?;
        writeln!(f, "   {}", (0..N_DIGITS).map(|digit| format!("{digit:>6}")).collect::<String>())?;
        for (truth, readings) in confusion.iter().enumerate() {
            writeln!(f, "{truth:>3}{}", readings.iter().map(|n| format!("{n:>6}")).collect::<String>())?;
        }
        write!(f, "\n{reliability}")
    }
}

/// Reads a folder of labelled signs and classifies them: of IDX files the test pair where it is there, else the
/// training pair; else all images. Gives the set too, for [`wrong_sheet`].
///
/// # Errors
/// Where the folder holds no labelled signs, a file cannot be read, or the classifier fails.
pub fn evaluate_folder(folder: &Path, classifier: &mut dyn GlyphClassifier) -> Result<(GlyphSet, GlyphReport)> {
    let found = read_folder(folder)?;
    let set = found.test.or(found.train).expect("a folder that was read holds one half or both");
    let report = evaluate_set(&set, classifier)?;
    Ok((set, report))
}

/// Classifies every sign of a set.
///
/// # Errors
/// Where the classifier fails.
pub fn evaluate_set(set: &GlyphSet, classifier: &mut dyn GlyphClassifier) -> Result<GlyphReport> {
    let mut report = GlyphReport {
        set: set.name.clone(),
        count: set.samples.len(),
        correct: 0,
        accuracy: 0.0,
        taken_for_digit: 0,
        by_page: WriterAdaptationReport::default(),
        confusion: [[0; N_DIGITS]; N_DIGITS],
        writers: Vec::new(),
        reliability: Reliability::of(&[]),
        wrong: Vec::new(),
    };
    let mut answers = Vec::with_capacity(set.samples.len());
    let mut by_writer = vec![(0, 0); set.writers.len()];
    let mut scores_by_writer = vec![Vec::new(); set.writers.len()];
    for (chunk, samples) in set.samples.chunks(MAX_BATCH_GLYPHS).enumerate() {
        let glyphs: Vec<_> = samples.iter().map(|sample| sample.glyph()).collect();
        let batch = collate(glyphs.iter().flatten());
        let mut scores = classifier.classify(&batch)?;
        classifier.refine_glyphs(&batch, &mut scores)?;
        let mut scores = scores.into_iter();
        for (i, (sample, glyph)) in samples.iter().zip(&glyphs).enumerate() {
            let score = glyph.as_ref().and_then(|_| scores.next());
            let reading = score.map(|score| score.best_digit().0);
            let is_correct = reading == Some(usize::from(sample.digit));
            let confidence = score.zip(reading).map_or(0.0, |(score, reading)| score.digit(reading));
            answers.push((f64::from(confidence), is_correct));
            if !is_correct {
                let place = chunk * MAX_BATCH_GLYPHS + i;
                let reading = reading.map(|digit| digit as u8);
                report.wrong.push(WrongGlyph { place, truth: sample.digit, reading, confidence });
            }
            if let Some((score, reading)) = score.zip(reading) {
                report.confusion[usize::from(sample.digit)][reading] += 1;
                if let Some(scores) = sample.writer.and_then(|writer| scores_by_writer.get_mut(writer)) {
                    scores.push((score, usize::from(sample.digit)));
                }
                report.taken_for_digit += usize::from(score.class(GlyphClass::Digit) >= 0.5);
            }
            report.correct += usize::from(is_correct);
            if let Some((count, correct)) = sample.writer.and_then(|writer| by_writer.get_mut(writer)) {
                *count += 1;
                *correct += usize::from(is_correct);
            }
        }
    }
    report.by_page = by_page(&scores_by_writer, classifier);
    report.reliability = Reliability::of(&answers);
    report.accuracy = share(report.correct, report.count);
    let writers = set.writers.iter().zip(by_writer).filter(|(_, (count, _))| *count > 0);
    report.writers = writers
        .map(|(writer, (count, correct))| WriterReport {
            writer: writer.clone(),
            count,
            correct,
            accuracy: share(correct, count),
        })
        .collect();
    Ok(report)
}

/// Digits that one writer leaves on a page.
const PAGE_DIGITS: usize = 60;

/// Deals each writer's digits to pages in turn, so that every page has some of each digit, and reads page by page.
fn by_page(writers: &[Vec<(GlyphScores, usize)>], classifier: &dyn GlyphClassifier) -> WriterAdaptationReport {
    let mut report = WriterAdaptationReport::default();
    for scores in writers {
        let n_pages = scores.len().div_ceil(PAGE_DIGITS);
        for page in 0..n_pages {
            let own: Vec<_> = scores.iter().skip(page).step_by(n_pages).copied().collect();
            let (mut together, digits): (Vec<GlyphScores>, Vec<usize>) = own.into_iter().unzip();
            let right = |scores: &[GlyphScores]| {
                scores.iter().zip(&digits).filter(|(scores, digit)| scores.best_digit().0 == **digit).count()
            };
            report.count += digits.len();
            report.alone += right(&together);
            classifier.adapt_to_writer(&mut together);
            report.together += right(&together);
        }
    }
    report
}

/// Signs in a row of a sheet, and the most that it shows.
const SHEET_COLUMNS: usize = 12;
const MAX_SHEET_GLYPHS: usize = 600;

/// How much larger than a glyph a sign is shown, and the height of the words under it, pixels.
const SHEET_SCALE: u32 = 3;
const SHEET_LABEL_PX: u32 = 16;

/// The signs of `set` that were not read right, as the net saw them, surest first, each with what it is and what was read:
/// [H, W] u8, ink dark on white. At most 600 of them.
pub fn wrong_sheet(set: &GlyphSet, report: &GlyphReport) -> GrayImage {
    let mut wrong = report.wrong.clone();
    wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.place.cmp(&b.place)));
    wrong.truncate(MAX_SHEET_GLYPHS);
    let side = SHEET_SCALE * GLYPH_SIDE as u32;
    let (cell_width, cell_height) = (side + 8, side + SHEET_LABEL_PX + 8);
    let n_rows = wrong.len().div_ceil(SHEET_COLUMNS).max(1) as u32;
    let mut sheet = GrayImage::from_pixel(SHEET_COLUMNS as u32 * cell_width, n_rows * cell_height, Luma([255]));
    for (i, WrongGlyph { place, truth, reading, confidence }) in wrong.into_iter().enumerate() {
        let x = (i % SHEET_COLUMNS) as u32 * cell_width + 4;
        let y = (i / SHEET_COLUMNS) as u32 * cell_height + 4;
        if let Some(glyph) = set.samples.get(place).and_then(|sample| sample.glyph()) {
            let paper = |x: u32, y: u32| 255 - (glyph[(y * GLYPH_SIDE as u32 + x) as usize] * 255.0).round() as u8;
            let small = GrayImage::from_fn(GLYPH_SIDE as u32, GLYPH_SIDE as u32, |x, y| Luma([paper(x, y)]));
            let shown = imageops::resize(&small, side, side, imageops::FilterType::Nearest);
            imageops::replace(&mut sheet, &shown, i64::from(x), i64::from(y));
        }
        let reading = reading.map_or("-".to_owned(), |digit| digit.to_string());
        if let Some(words) = text_ink(&format!("{truth}>{reading} {confidence:.2}"), SHEET_LABEL_PX) {
            imageops::replace(&mut sheet, &dark_on_white(&words), i64::from(x), i64::from(y + side));
        }
    }
    sheet
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;
    use crate::dataset::Sample;
    use formread_core::normalise::GlyphBatch;

    /// Takes everything for a 7, and for a digit.
    struct Sevens;

    impl GlyphClassifier for Sevens {
        fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
            let mut score = GlyphScores::of_digit([0.0; N_DIGITS]);
            score.digits[7] = 1.0;
            Ok(vec![score; batch.n_glyphs])
        }
    }

    #[test]
    fn what_is_right_is_counted_and_a_sign_without_ink_is_wrong() {
        let sample = |digit, writer, ink| Sample {
            ink: GrayImage::from_pixel(9, 9, Luma([ink])),
            is_normalised: false,
            digit,
            writer: Some(writer),
        };
        let set = GlyphSet {
            name: "drawn".to_owned(),
            writers: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            samples: vec![sample(7, 0, 255), sample(7, 0, 0), sample(3, 2, 255), sample(7, 2, 255)],
        };
        let report = evaluate_set(&set, &mut Sevens).expect("it cannot fail");
        assert_eq!((report.count, report.correct, report.accuracy), (4, 2, 0.5));
        assert_eq!((report.confusion[7][7], report.confusion[3][7], report.taken_for_digit), (2, 1, 3));
        let writers: Vec<_> = report.writers.iter().map(|w| (w.writer.as_str(), w.count, w.correct)).collect();
        assert_eq!(writers, [("a", 2, 1), ("c", 2, 1)]);
    }
}
