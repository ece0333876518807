//! Field by field against ground truth: how much is read right when every guess counts, and how much of what was
//! accepted is wrong.
//!
//! A scored field is one whose truth is a number or blank. What the table does not have (a page that was rejected, a
//! field that is missing) is scored as not read, never left out. `?` is not scored. `!` is illegible: no number is
//! right, and to accept one is an accepted error; it is not among the scored fields.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    io::Read,
};

use serde::Serialize;

use super::Reliability;
use crate::error::{Error, Result};

/// Columns of the truth that are no fields.
const TRUTH_KEYS: [&str; 2] = ["scan", "page"];

/// How many fields there are, and how many of them were read right. Counts of fields throughout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Scored fields: truth is a number or blank.
    pub fields: u64,
    /// Scored fields whose best reading, accepted or not, is the truth; for a blank, those found blank.
    pub forced_correct: u64,
    /// Fields that were accepted as a number, illegible ones included.
    pub accepted: u64,
    /// Accepted fields whose value is not the truth.
    pub accepted_wrong: u64,
    /// Scored fields of which the truth is a number.
    pub number_fields: u64,
    /// Those whose best reading is that number.
    pub number_correct: u64,
    /// Scored fields of which the truth is blank.
    pub blank_fields: u64,
    /// Those found blank.
    pub blank_correct: u64,
    /// Scored fields with a number that were taken for blank: a number lost without anyone being asked.
    pub number_lost: u64,
    /// Fields whose truth is illegible.
    pub illegible_fields: u64,
    /// Those that were accepted all the same.
    pub illegible_accepted: u64,
    /// Scored fields that the table does not have.
    pub missing: u64,
}

/// The whole score, and its parts by form and by field.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ValueScore {
    /// All fields.
    #[serde(flatten)]
    pub total: Tally,
    /// By form; pages that were not recognised stand under the empty name.
    pub by_form: BTreeMap<String, Tally>,
    /// By field name.
    pub by_field: BTreeMap<String, Tally>,
    /// Scored or illegible fields that were not read right, in the order of the truth.
    pub wrong: Vec<WrongField>,
    /// Whether confidence means what it says, over all scored fields with a number for a guess.
    pub reliability: Reliability,
}

/// A field that was not read as the truth has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongField {
    /// The file.
    pub scan: String,
    /// The page.
    pub page: String,
    /// The field.
    pub field: String,
    /// What is written, as the truth has it.
    pub truth: String,
    /// What was read; empty for blank or not read.
    pub guess: String,
    /// `accepted`, `blank`, `review` or `missing`.
    pub state: String,
}

/// What the table says of one field.
struct Answer {
    state: String,
    guess: String,
    confidence: f64,
}

/// Scores the tables of a run, `out` and its evidence `fields`, against `truth`: columns `scan`, `page` and fields by
/// name.
///
/// # Errors
/// `Format` where one of them is not such a table.
pub fn score_values(out: impl Read, fields: impl Read, truth: impl Read) -> Result<ValueScore> {
    let forms = read_forms(out)?;
    let answers = read_answers(fields)?;
    let mut reader = csv::Reader::from_reader(truth);
    let headers = reader.headers().map_err(|error| Error::format("truth", error))?.clone();
    let column = |name: &str| {
        headers.iter().position(|h| h == name).ok_or_else(|| Error::format("truth", format!("no column {name}")))
    };
    let (scan_idx, page_idx) = (column("scan")?, column("page")?);
    let mut score = ValueScore::default();
    let mut judged = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| Error::format("truth", error))?;
        let (scan, page) = (&row[scan_idx], &row[page_idx]);
        let form = forms.get(&(scan.to_owned(), page.to_owned())).map_or("", String::as_str);
        for (name, truth) in headers.iter().zip(row.iter()).filter(|(name, _)| !TRUTH_KEYS.contains(name)) {
            let key = (scan.to_owned(), page.to_owned(), name.to_owned());
            let Some((tally, is_right)) = judge(truth, answers.get(&key)) else { continue };
            score.total.add(&tally);
            score.by_form.entry(form.to_owned()).or_default().add(&tally);
            score.by_field.entry(name.to_owned()).or_default().add(&tally);
            let numbers = answers.get(&key).filter(|answer| answer.state != "blank" && !answer.guess.is_empty());
            judged.extend(numbers.map(|answer| (answer.confidence, is_right && truth.trim() != "!")));
            if !is_right {
                let (state, guess) = answers.get(&key).map_or(("missing", ""), |a| (&a.state, &a.guess));
                let (scan, page, field) = key;
                let (truth, guess, state) = (truth.to_owned(), guess.to_owned(), state.to_owned());
                score.wrong.push(WrongField { scan, page, field, truth, guess, state });
            }
        }
    }
    score.reliability = Reliability::of(&judged);
    Ok(score)
}

/// The tally of one field, and whether it is right; `None` where it is not scored.
fn judge(truth: &str, answer: Option<&Answer>) -> Option<(Tally, bool)> {
    let truth = truth.trim();
    if truth == "?" {
        return None;
    }
    let is_state = |state: &str| answer.is_some_and(|a| a.state == state);
    let is_accepted = is_state("accepted");
    let mut tally = Tally { accepted: is_accepted.into(), ..Tally::default() };
    if truth == "!" {
        tally.illegible_fields = 1;
        tally.illegible_accepted = is_accepted.into();
        tally.accepted_wrong = is_accepted.into();
        return Some((tally, !is_accepted));
    }
    let is_right = if truth.is_empty() {
        is_state("blank")
    } else {
        !is_state("blank") && answer.is_some_and(|a| a.guess == truth)
    };
    tally.fields = 1;
    tally.forced_correct = is_right.into();
    tally.accepted_wrong = (is_accepted && !is_right).into();
    tally.missing = answer.is_none().into();
    if truth.is_empty() {
        tally.blank_fields = 1;
        tally.blank_correct = is_right.into();
    } else {
        tally.number_fields = 1;
        tally.number_correct = is_right.into();
        tally.number_lost = is_state("blank").into();
    }
    Some((tally, is_right))
}

/// The form of each page, by scan and page.
fn read_forms(out: impl Read) -> Result<HashMap<(String, String), String>> {
    #[derive(serde::Deserialize)]
    struct Row {
        scan: String,
        page: String,
        form: String,
    }
    let rows = csv::Reader::from_reader(out).into_deserialize();
    rows.map(|row| row.map(|Row { scan, page, form }| ((scan, page), form)))
        .collect::<Result<_, _>>()
        .map_err(|error| Error::format("table of pages", error))
}

/// What was said of each field, by scan, page and field.
fn read_answers(fields: impl Read) -> Result<HashMap<(String, String, String), Answer>> {
    #[derive(serde::Deserialize)]
    struct Row {
        scan: String,
        page: String,
        field: String,
        state: String,
        guess: String,
        confidence: f64,
    }
    let rows = csv::Reader::from_reader(fields).into_deserialize();
    let answer = |Row { scan, page, field, state, guess, confidence }| {
        ((scan, page, field), Answer { state, guess, confidence })
    };
    rows.map(|row| row.map(answer)).collect::<Result<_, _>>().map_err(|error| Error::format("table of fields", error))
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.fields += other.fields;
        self.forced_correct += other.forced_correct;
        self.accepted += other.accepted;
        self.accepted_wrong += other.accepted_wrong;
        self.number_fields += other.number_fields;
        self.number_correct += other.number_correct;
        self.blank_fields += other.blank_fields;
        self.blank_correct += other.blank_correct;
        self.number_lost += other.number_lost;
        self.illegible_fields += other.illegible_fields;
        self.illegible_accepted += other.illegible_accepted;
        self.missing += other.missing;
    }
}

/// A table for people.
impl fmt::Display for ValueScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.by_field.keys().chain(self.by_form.keys()).map(|name| name.chars().count()).max();
        let width = width.unwrap_or(0).max("all fields".len());
        let row = |f: &mut fmt::Formatter<'_>, name: &str, t: &Tally| {
            let share = |part: u64, whole: u64| format!("{part}/{whole} {}", percent(part, whole));
            let forced = share(t.forced_correct, t.fields);
            let numbers = share(t.number_correct, t.number_fields);
            let blanks = format!("{}/{}", t.blank_correct, t.blank_fields);
            let wrong = format!("{}/{}", t.accepted_wrong, t.accepted);
            writeln!(f, "{name:width$}  {forced:>18}  {numbers:>18}  {blanks:>9}  {wrong:>14}")
        };
        let head = ("forced right", "numbers right", "blanks", "accepted wrong");
        writeln!(f, "{:width$}  {:>18}  {:>18}  {:>9}  {:>14}", "", head.0, head.1, head.2, head.3)?;
        for (name, tally) in &self.by_field {
            row(f, name, tally)?;
        }
        if self.by_form.len() > 1 {
            writeln!(f)?;
            for (name, tally) in &self.by_form {
                row(f, if name.is_empty() { "(no form)" } else { name }, tally)?;
            }
        }
        writeln!(f)?;
        row(f, "all fields", &self.total)?;
        write!(f, "\n{}", self.reliability)?;
        let Tally { number_lost, illegible_fields, illegible_accepted, missing, .. } = self.total;
        writeln!(f, "numbers taken for blank: {number_lost}")?;
        writeln!(f, "illegible, accepted all the same: {illegible_accepted} of {illegible_fields}")?;
        writeln!(f, "not in the table: {missing}")?;
        if !self.wrong.is_empty() {
            writeln!(f, "\nnot right:")?;
        }
        for WrongField { scan, page, field, truth, guess, state } in &self.wrong {
            writeln!(f, "  {scan} page {page} {field}: truth {truth:?}, read {guess:?} ({state})")?;
        }
        Ok(())
    }
}

/// `97.5 %`, or nothing where there is no whole.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:5.1} %", 100.0 * part as f64 / whole as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: &str =
        "scan,page,form,verdict,attention,a,b\nx.png,1,f,review,b,12,\ny.png,1,,rejected,unknown-form,,\n";

    fn score(fields: &[(&str, &str, &str)], truth: &str) -> ValueScore {
        let mut table = "scan,page,form,field,state,value,guess,confidence,reason,x0,y0,x1,y1\n".to_owned();
        for (field, state, guess) in fields {
            table.push_str(&format!("x.png,1,f,{field},{state},,{guess},0.5,,0,0,1,1\n"));
        }
        score_values(OUT.as_bytes(), table.as_bytes(), truth.as_bytes()).expect("the tables are sound")
    }

    #[test]
    fn each_sort_of_field_is_counted_once() {
        struct Case {
            truth: &'static str,
            state: &'static str,
            guess: &'static str,
            want: Tally,
        }
        let number = Tally { fields: 1, number_fields: 1, ..Tally::default() };
        let blank = Tally { fields: 1, blank_fields: 1, ..Tally::default() };
        let illegible = Tally { illegible_fields: 1, ..Tally::default() };
        let cases = [
            Case {
                truth: "12",
                state: "accepted",
                guess: "12",
                want: Tally { forced_correct: 1, number_correct: 1, accepted: 1, ..number },
            },
            Case {
                truth: "12",
                state: "review",
                guess: "12",
                want: Tally { forced_correct: 1, number_correct: 1, ..number },
            },
            Case { truth: "012", state: "review", guess: "12", want: number },
            Case {
                truth: "12",
                state: "accepted",
                guess: "17",
                want: Tally { accepted: 1, accepted_wrong: 1, ..number },
            },
            Case { truth: "12", state: "blank", guess: "", want: Tally { number_lost: 1, ..number } },
            Case { truth: "", state: "blank", guess: "", want: Tally { forced_correct: 1, blank_correct: 1, ..blank } },
            Case { truth: "", state: "review", guess: "", want: blank },
            Case { truth: "", state: "accepted", guess: "0", want: Tally { accepted: 1, accepted_wrong: 1, ..blank } },
            Case { truth: "!", state: "review", guess: "3", want: illegible },
            Case {
                truth: "!",
                state: "accepted",
                guess: "3",
                want: Tally { accepted: 1, accepted_wrong: 1, illegible_accepted: 1, ..illegible },
            },
            Case { truth: "?", state: "accepted", guess: "3", want: Tally::default() },
        ];
        for Case { truth, state, guess, want } in cases {
            let score = score(&[("a", state, guess)], &format!("scan,page,a\nx.png,1,{truth}\n"));
            assert_eq!(score.total, want, "truth {truth:?}, {state} {guess:?}");
        }
    }

    #[test]
    fn what_the_table_does_not_have_counts_as_not_read() {
        let score = score(&[("a", "accepted", "12")], "scan,page,a,b\nx.png,1,12,5\ny.png,1,3,\nz.png,2,4,!\n");
        let want = Tally {
            fields: 5,
            forced_correct: 1,
            accepted: 1,
            number_fields: 4,
            number_correct: 1,
            blank_fields: 1,
            illegible_fields: 1,
            missing: 4,
            ..Tally::default()
        };
        assert_eq!(score.total, want);
        assert_eq!(score.by_form["f"].fields + score.by_form[""].fields, 5);
        assert_eq!(score.wrong.len(), 4);
        assert!(score.to_string().contains("z.png page 2 a: truth \"4\", read \"\" (missing)"));
    }

    #[test]
    fn a_truth_without_pages_is_refused() {
        let error = score_values(OUT.as_bytes(), "scan,page,field,state,guess\n".as_bytes(), "scan,a\n".as_bytes());
        assert!(error.expect_err("no column page").to_string().contains("no column page"));
    }
}
