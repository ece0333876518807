//! Scores digits one by one, in readings that have as many digits as were written.

use std::fmt;

use serde::Serialize;

use super::TruthField;
use formread_core::scores::N_DIGITS;

/// Digits as read and as written. The counts are digits, unless their comment begins with "fields".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DigitScore {
    /// All digits of the numbers in the truth, read or not.
    pub count: u64,
    /// Digits read right, in readings with as many digits as written.
    pub correct: u64,
    /// Fields read with as many digits as were written.
    pub same_length: u64,
    /// Fields read with fewer digits, but some.
    pub too_short: u64,
    /// Fields read with more digits.
    pub too_long: u64,
    /// Fields with a number in the truth and no reading.
    pub not_read: u64,
    /// Counts `confusion[truth][reading]`, from fields read with as many digits as written.
    pub confusion: [[u64; N_DIGITS]; N_DIGITS],
}

impl DigitScore {
    /// Scores the fields whose truth is a number, without points, signs and hyphens. Digits of truth and reading are paired
    /// only if there are as many of both, since otherwise it is not known which belong together.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a TruthField>) -> Self {
        let mut score = Self::default();
        for field in fields.into_iter().filter(|field| !["", "?", "!"].contains(&field.truth.as_str())) {
            let truth = digits(&field.truth);
            let reading = field.number().map(|answer| digits(&answer.guess)).unwrap_or_default();
            score.count += truth.len() as u64;
            match reading.len() {
                0 => score.not_read += 1,
                n if n < truth.len() => score.too_short += 1,
                n if n > truth.len() => score.too_long += 1,
                _ => {
                    score.same_length += 1;
                    for (truth, reading) in truth.into_iter().zip(reading).rev() {
                        score.confusion[truth][reading] += 1;
                        score.correct += u64::from(truth == reading);
                    }
                }
            }
        }
        score
    }
}

/// A table for people.
impl fmt::Display for DigitScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, correct, same_length, too_short, too_long, not_read, confusion } = self;
        let share = 100.0 * *correct as f64 / (*count).max(1) as f64;
        writeln!(f, "digits read right: {correct} of {count}, {share:.2} %")?;
        write!(f, "numbers read with as many digits as written: {same_length}, ")?;
        writeln!(f, "with fewer: {too_short}, with more: {too_long}, not read: {not_read}")?;
        writeln!(f, "confusion (rows: truth, columns: reading)")?;
        writeln!(f, "   {}", (0..N_DIGITS).map(|digit| format!("{digit:>6}")).collect::<String>())?;
        for (truth, readings) in confusion.iter().enumerate() {
            writeln!(f, "{truth:>3}{}", readings.iter().map(|n| format!("{n:>6}")).collect::<String>())?;
        }
        Ok(())
    }
}

/// The digits in a text, each 0 to 9.
fn digits(text: &str) -> Vec<usize> {
    text.bytes().filter(u8::is_ascii_digit).map(|digit| usize::from(digit - b'0')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::tables::Answer;

    fn field(truth: &str, state: &str, guess: &str) -> TruthField {
        let answer = Answer {
            state: state.to_owned(),
            guess: guess.to_owned(),
            confidence: 0.5,
            reason: String::new(),
            bounds: [0; 4],
        };
        let text = |text: &str| text.to_owned();
        TruthField {
            scan: text("x.png"),
            page: text("1"),
            form: text("f"),
            field: text("a"),
            truth: text(truth),
            answer: Some(answer),
        }
    }

    #[test]
    fn digits_are_compared_only_in_readings_of_equal_length() {
        let fields = [
            field("12.50", "accepted", "17.50"),
            field("123", "review", "23"),
            field("7", "review", "71"),
            field("88", "blank", ""),
            field("2020-01-31", "review", "2020-01-31"),
            field("", "accepted", "4"),
            field("!", "review", "4"),
            field("?", "review", "4"),
        ];
        let score = DigitScore::of(&fields);
        assert_eq!((score.count, score.correct), (4 + 3 + 1 + 2 + 8, 3 + 8));
        assert_eq!((score.same_length, score.too_short, score.too_long, score.not_read), (2, 1, 1, 1));
        assert_eq!((score.confusion[2][7], score.confusion[1][1], score.confusion[7][1]), (1, 3, 0));
        let n: u64 = score.confusion.iter().flatten().sum();
        assert_eq!(n, 12);
    }
}
