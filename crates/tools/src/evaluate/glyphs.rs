//! Scores a classifier on labelled glyphs.

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

/// Maximum number of glyphs classified at a time, so that a large set is not in memory twice.
const MAX_BATCH_GLYPHS: usize = 4096;

/// The score of a classifier on a set. A glyph without ink counts as wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GlyphReport {
    /// The set's name.
    pub set: String,
    /// Number of glyphs.
    pub count: usize,
    /// Number of these whose most probable digit is the right one.
    pub correct: usize,
    /// `correct / count`; 0 for an empty set.
    pub accuracy: f64,
    /// Glyphs of known writers, read right without and with writer adaptation on pages of [`PAGE_DIGITS`] digits by one
    /// writer.
    pub by_page: WriterAdaptationReport,
    /// Number of all glyphs that the class head takes for a digit, with a probability of at least 0.5.
    pub taken_for_digit: usize,
    /// Counts `confusion[truth][reading]`, without glyphs that have no ink.
    pub confusion: [[usize; N_DIGITS]; N_DIGITS],
    /// One report for each known writer.
    pub writers: Vec<WriterReport>,
    /// Reliability of the probability of the reading.
    pub reliability: Reliability,
    /// Glyphs that were not read right.
    pub wrong: Vec<WrongGlyph>,
}

/// Digits read right without and with writer adaptation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WriterAdaptationReport {
    /// Number of glyphs with ink whose writer is known.
    pub count: usize,
    /// Number of these read right without adaptation.
    pub alone: usize,
    /// Number of these read right with adaptation.
    pub together: usize,
}

/// A glyph that was not read right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WrongGlyph {
    /// Index in the set.
    #[serde(rename = "place")]
    pub idx: usize,
    /// The digit that is written.
    pub truth: u8,
    /// The digit that was read; `None` if there is no ink.
    pub reading: Option<u8>,
    /// Probability that it is a digit, and this one.
    pub confidence: f32,
}

/// The score of a classifier on one writer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WriterReport {
    /// The writer's name.
    pub writer: String,
    /// Number of glyphs.
    pub count: usize,
    /// Number of these read right.
    pub correct: usize,
    /// `correct / count`.
    pub accuracy: f64,
}

/// Fewest digits of a writer whose errors are counted by writer: one error in five digits says nothing.
const MIN_WRITER_DIGITS: usize = 20;

/// Errors of writers, each counted once however many digits there are by them. Those with fewer than 20 digits are left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriterErrors {
    /// Number of writers.
    pub n_writers: usize,
    /// Mean share of a writer's digits that are not read right, 0 to 1.
    pub mean: f64,
    /// The same of the tenth of the writers, at least one, with the largest shares.
    pub worst_tenth: f64,
}

impl WriterErrors {
    /// Of these writers; `None` where none has enough digits.
    pub fn of<'a>(writers: impl IntoIterator<Item = &'a WriterReport>) -> Option<Self> {
        let counted = writers.into_iter().filter(|writer| writer.count >= MIN_WRITER_DIGITS);
        let mut errors: Vec<f64> = counted.map(|writer| 1.0 - writer.accuracy).collect();
        errors.sort_by(|a, b| b.total_cmp(a));
        let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
        let worst = &errors[..errors.len().div_ceil(10)];
        (!errors.is_empty()).then(|| Self { n_writers: errors.len(), mean: mean(&errors), worst_tenth: mean(worst) })
    }
}

/// "12 writers with 20 digits or more: mean error 0.50 %, of the worst tenth 2.00 %".
impl fmt::Display for WriterErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { n_writers, mean, worst_tenth } = self;
        let [mean, worst] = [mean, worst_tenth].map(|error| 100.0 * error);
        write!(
            f,
            "{n_writers} writers with {MIN_WRITER_DIGITS} digits or more: mean error {mean:.2} %, of the worst tenth {worst:.2} %"
        )
    }
}

/// A table for people: the set, its writers, and the confusion matrix.
impl fmt::Display for GlyphReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, count, correct, accuracy, taken_for_digit, by_page, confusion, writers, reliability, .. } =
            self;
        writeln!(f, "{set}: {correct} of {count} read right, {:.2} %", 100.0 * accuracy)?;
        writeln!(f, "taken for a digit: {taken_for_digit} of {count}")?;
        for WriterReport { writer, count, correct, accuracy } in writers {
            writeln!(f, "  {writer}: {correct} of {count}, {:.2} %", 100.0 * accuracy)?;
        }
        if let Some(errors) = WriterErrors::of(writers) {
            writeln!(f, "{errors}")?;
        }
        if by_page.count > 0 {
            let WriterAdaptationReport { count, alone, together } = by_page;
            writeln!(
                f,
                "of {count} digits of known writers, read right without writer adaptation: {alone}, with it: {together}"
            )?;
        }
        writeln!(f, "\nconfusion (rows: truth, columns: reading)")?;
        writeln!(f, "   {}", (0..N_DIGITS).map(|digit| format!("{digit:>6}")).collect::<String>())?;
        for (truth, readings) in confusion.iter().enumerate() {
            writeln!(f, "{truth:>3}{}", readings.iter().map(|n| format!("{n:>6}")).collect::<String>())?;
        }
        write!(f, "\n{reliability}")
    }
}

/// Reads a folder of labelled glyphs and classifies them. In a folder of IDX files it uses the test pair, or the training
/// pair if there is no test pair; else it uses all images. Returns the set too, for [`wrong_sheet`].
///
/// # Errors
/// If the folder contains no labelled glyphs, a file cannot be read, or the classifier fails.
pub fn evaluate_folder(folder: &Path, classifier: &mut dyn GlyphClassifier) -> Result<(GlyphSet, GlyphReport)> {
    let found = read_folder(folder)?;
    let set = found.test.or(found.train).expect("a folder that was read holds one half or both");
    let report = evaluate_set(&set, classifier)?;
    Ok((set, report))
}

/// Classifies every glyph of a set.
///
/// # Errors
/// If the classifier fails.
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
                let idx = chunk * MAX_BATCH_GLYPHS + i;
                let reading = reading.map(|digit| digit as u8);
                report.wrong.push(WrongGlyph { idx, truth: sample.digit, reading, confidence });
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

/// Number of digits by one writer on a simulated page. Set not recorded. Raising it gives writer adaptation more to work with.
pub const PAGE_DIGITS: usize = 60;

/// Scores writer adaptation: deals each writer's digits to pages in turn, so that every page has some of each digit, and
/// reads page by page.
fn by_page(writers: &[Vec<(GlyphScores, usize)>], classifier: &dyn GlyphClassifier) -> WriterAdaptationReport {
    let mut report = WriterAdaptationReport::default();
    for scores in writers {
        let n_pages = scores.len().div_ceil(PAGE_DIGITS);
        for page in 0..n_pages {
            let dealt: Vec<_> = scores.iter().skip(page).step_by(n_pages).copied().collect();
            let (mut together, digits): (Vec<GlyphScores>, Vec<usize>) = dealt.into_iter().unzip();
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

/// Number of glyphs in a row of a sheet.
const SHEET_COLUMNS: usize = 12;
/// Maximum number of glyphs on a sheet.
const MAX_SHEET_GLYPHS: usize = 600;

/// Factor by which a glyph is enlarged on a sheet.
const SHEET_SCALE: u32 = 3;
/// Height of the label under a glyph, pixels.
const SHEET_LABEL_PX: u32 = 16;

/// Draws the glyphs of `set` that were not read right, as the net got them, highest confidence first, each with its truth
/// and its reading: [H, W] u8, dark ink on white. It shows at most 600.
pub fn wrong_sheet(set: &GlyphSet, report: &GlyphReport) -> GrayImage {
    let mut wrong = report.wrong.clone();
    wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.idx.cmp(&b.idx)));
    wrong.truncate(MAX_SHEET_GLYPHS);
    let side = SHEET_SCALE * GLYPH_SIDE as u32;
    let (cell_width, cell_height) = (side + 8, side + SHEET_LABEL_PX + 8);
    let n_rows = wrong.len().div_ceil(SHEET_COLUMNS).max(1) as u32;
    let mut sheet = GrayImage::from_pixel(SHEET_COLUMNS as u32 * cell_width, n_rows * cell_height, Luma([255]));
    for (i, WrongGlyph { idx, truth, reading, confidence }) in wrong.into_iter().enumerate() {
        let x = (i % SHEET_COLUMNS) as u32 * cell_width + 4;
        let y = (i / SHEET_COLUMNS) as u32 * cell_height + 4;
        if let Some(glyph) = set.samples.get(idx).and_then(|sample| sample.glyph()) {
            let paper = |x: u32, y: u32| 255 - (glyph[(y * GLYPH_SIDE as u32 + x) as usize] * 255.0).round() as u8;
            let small = GrayImage::from_fn(GLYPH_SIDE as u32, GLYPH_SIDE as u32, |x, y| Luma([paper(x, y)]));
            let shown = imageops::resize(&small, side, side, imageops::FilterType::Nearest);
            imageops::replace(&mut sheet, &shown, i64::from(x), i64::from(y));
        }
        let reading = reading.map_or("-".to_owned(), |digit| digit.to_string());
        if let Some(label) = text_ink(&format!("{truth}>{reading} {confidence:.2}"), SHEET_LABEL_PX) {
            imageops::replace(&mut sheet, &dark_on_white(&label), i64::from(x), i64::from(y + side));
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

    /// Classifies every glyph as the digit 7.
    struct AlwaysSeven;

    impl GlyphClassifier for AlwaysSeven {
        fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
            let mut score = GlyphScores::of_digit([0.0; N_DIGITS]);
            score.digits[7] = 1.0;
            Ok(vec![score; batch.n_glyphs])
        }
    }

    #[test]
    fn writer_errors_count_each_writer_once() {
        let writer = |count: usize, correct: usize| WriterReport {
            writer: String::new(),
            count,
            correct,
            accuracy: share(correct, count),
        };
        let many: Vec<WriterReport> =
            (0..11).map(|i| writer(100, 100 - i)).chain([writer(20, 10), writer(19, 0)]).collect();
        let errors = WriterErrors::of(&many).expect("there are twelve");
        assert!((errors.mean - (0.55 + 0.5) / 12.0).abs() < 1e-9, "{errors}");
        assert!((errors.worst_tenth - (0.5 + 0.1) / 2.0).abs() < 1e-9, "{errors}");
        assert_eq!(WriterErrors::of(&[]), None);
    }

    #[test]
    fn evaluate_set_counts_right_glyphs_and_takes_no_ink_as_wrong() {
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
            numbers: Vec::new(),
            is_tracked: false,
        };
        let report = evaluate_set(&set, &mut AlwaysSeven).expect("it cannot fail");
        assert_eq!((report.count, report.correct, report.accuracy), (4, 2, 0.5));
        assert_eq!((report.confusion[7][7], report.confusion[3][7], report.taken_for_digit), (2, 1, 3));
        let writers: Vec<_> = report.writers.iter().map(|w| (w.writer.as_str(), w.count, w.correct)).collect();
        assert_eq!(writers, [("a", 2, 1), ("c", 2, 1)]);
    }
}
