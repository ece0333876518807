//! How well a classifier does on labelled signs.

use std::{fmt, path::Path};

use serde::Serialize;

use crate::error::Result;
use crate::net::{GlyphClass, GlyphClassifier, N_DIGITS};
use crate::normalise::collate;
use crate::train::dataset::{GlyphSet, read_folder};

/// Glyphs that are classified at a time, so that a large set does not stand in memory twice.
const GLYPHS_AT_A_TIME: usize = 4096;

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
    /// Of these, taken for a digit: class head, probability of at least 0.5.
    pub taken_for_digit: usize,
    /// `confusion[truth][reading]`, counts; signs without ink are not in it.
    pub confusion: [[usize; N_DIGITS]; N_DIGITS],
    /// One a writer, where writers are known.
    pub writers: Vec<WriterReport>,
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
        let Self { set, count, correct, accuracy, taken_for_digit, confusion, writers } = self;
        writeln!(f, "{set}: {correct} of {count} read right, {:.2} %", 100.0 * accuracy)?;
        writeln!(f, "taken for a digit: {taken_for_digit} of {count}")?;
        for WriterReport { writer, count, correct, accuracy } in writers {
            writeln!(f, "  {writer}: {correct} of {count}, {:.2} %", 100.0 * accuracy)?;
        }
        writeln!(f, "\ntruth down, reading across")?;
        writeln!(f, "   {}", (0..N_DIGITS).map(|digit| format!("{digit:>6}")).collect::<String>())?;
        for (truth, readings) in confusion.iter().enumerate() {
            writeln!(f, "{truth:>3}{}", readings.iter().map(|n| format!("{n:>6}")).collect::<String>())?;
        }
        Ok(())
    }
}

/// Reads a folder of labelled signs and classifies them: of IDX files the test pair where it is there, else the
/// training pair; else all images.
///
/// # Errors
/// Where the folder holds no labelled signs, a file cannot be read, or the classifier fails.
pub fn evaluate_folder(folder: &Path, classifier: &mut dyn GlyphClassifier) -> Result<GlyphReport> {
    let found = read_folder(folder)?;
    let set = found.test.or(found.train).expect("a folder that was read holds one half or both");
    evaluate_set(&set, classifier)
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
        confusion: [[0; N_DIGITS]; N_DIGITS],
        writers: Vec::new(),
    };
    let mut by_writer = vec![(0, 0); set.writers.len()];
    for samples in set.samples.chunks(GLYPHS_AT_A_TIME) {
        let glyphs: Vec<_> = samples.iter().map(|sample| sample.glyph()).collect();
        let mut scores = classifier.classify(&collate(glyphs.iter().flatten()))?.into_iter();
        for (sample, glyph) in samples.iter().zip(&glyphs) {
            let score = glyph.as_ref().and_then(|_| scores.next());
            let mut is_correct = false;
            if let Some(score) = score {
                let (reading, _) = score.best_digit();
                is_correct = reading == usize::from(sample.digit);
                report.confusion[usize::from(sample.digit)][reading] += 1;
                report.taken_for_digit += usize::from(score.class(GlyphClass::Digit) >= 0.5);
            }
            report.correct += usize::from(is_correct);
            if let Some((count, correct)) = sample.writer.and_then(|writer| by_writer.get_mut(writer)) {
                *count += 1;
                *correct += usize::from(is_correct);
            }
        }
    }
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

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;
    use crate::net::GlyphScores;
    use crate::normalise::GlyphBatch;
    use crate::train::dataset::Sample;

    /// Takes everything for a 7, and for a digit.
    struct Sevens;

    impl GlyphClassifier for Sevens {
        fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
            let mut score = GlyphScores { digits: [0.0; N_DIGITS], classes: [1.0, 0.0, 0.0, 0.0] };
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
