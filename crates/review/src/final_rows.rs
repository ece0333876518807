//! The rows of the final tables: those of the run, with what people and rules settled.

use crate::{
    answer::{Answer, Decision, Reading},
    pages::{Decided, PageToSee},
    review::Review,
    solve::{Outcome, Place, Solution},
};
use formread_core::{
    assemble::{FieldValue, PageReading},
    rows::{FieldRow, PageRows},
};
use formread_raster::error::Result;

/// A page of the final tables.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalPage {
    /// Its rows. The confidence of a field that people settled is empty.
    pub rows: PageRows,
    /// What review changed or confirmed on it.
    pub settled: Vec<SettledRow>,
}

/// What is in place of a rule for a field that was settled because its digits passed in groups.
const GROUP: &str = "group";

/// A row of `FINAL.review.csv`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettledRow {
    /// The field; empty of a page that somebody has decided.
    pub field: String,
    /// The machine's best reading.
    pub machine: String,
    /// The value in the final table.
    pub value: String,
    /// Who read it, and what: `ann=12`; `ann=` for blank, `ann=?` for what cannot be read. Up to three people.
    pub readers: [String; 3],
    /// The rule that the value breaks; `group` of a field whose digits passed in groups and that nobody keyed; or, of a field that nobody
    /// read, the rule that replaced the machine's reading.
    pub rule: String,
}

/// Calls `take` with each page of the final tables, in the order of the run. The same journal gives the same pages.
///
/// # Errors
/// What is wrong with the files of the run, or `take` returns.
pub fn final_pages(review: &Review, mut take: impl FnMut(FinalPage) -> Result<()>) -> Result<()> {
    for document in 0..review.run().n_documents() {
        let (scan, first) = review.run().scan(document);
        let pages = review.pages(document)?;
        let is_answered =
            review.readings(first).is_some_and(|readings| readings.values().any(|given| !given.is_empty()));
        let solution = if is_answered { Some(review.solution(first)?) } else { None };
        for (page_idx, rows) in pages.into_iter().enumerate() {
            let to_see = review.pages_to_see();
            let decided = to_see.at((first, page_idx as u32)).and_then(|idx| to_see.all().get(idx));
            let decided = decided.and_then(|page| Some((page, page.decided.as_ref()?)));
            let mut page = match &solution {
                Some(solution) => final_page(review, scan, first, page_idx, &rows, solution),
                None => FinalPage { rows, settled: Vec::new() },
            };
            if let Some((of, decided)) = decided {
                if decided.decision == Decision::NothingToBook {
                    page.rows.set_writing_outside(false);
                }
                page.settled.push(decided_row(of, decided));
            }
            take(page)?;
        }
    }
    Ok(())
}

fn final_page(
    review: &Review,
    scan: &str,
    document: u32,
    page_idx: usize,
    before: &PageRows,
    solution: &Solution,
) -> FinalPage {
    let Some(record) = solution.pages.get(page_idx) else {
        return FinalPage { rows: before.clone(), settled: Vec::new() };
    };
    let mut rows = PageRows::new(scan, record);
    let PageReading::Read { fields, has_writing_outside, .. } = &record.reading else {
        return FinalPage { rows, settled: Vec::new() };
    };
    let mut settled = Vec::new();
    for (field_idx, ((row, before), value)) in rows.fields.iter_mut().zip(&before.fields).zip(fields).enumerate() {
        let place = Place { page: page_idx as u32, field: field_idx as u32 };
        let readings =
            review.readings(document).and_then(|readings| readings.get(&place)).map_or(&[][..], Vec::as_slice);
        let rule = match solution.outcomes.get(&place) {
            Some(outcome) => match (settle_row(row, before, outcome), outcome, readings) {
                (rule, Outcome::Settled { .. }, [only]) if rule.is_empty() && only.is_of_groups() => GROUP.to_owned(),
                (rule, ..) => rule,
            },
            None => value.correction.as_ref().map(|correction| correction.by.clone()).unwrap_or_default(),
        };
        if !readings.is_empty() || (&row.state, &row.value) != (&before.state, &before.value) {
            settled.push(settled_row(row, before, readings, rule, value));
        }
    }
    rows.set_writing_outside(*has_writing_outside);
    FinalPage { rows, settled }
}

/// The row of a page that somebody has decided: it has no field, and why the page is to be seen is what the machine has read.
fn decided_row(page: &PageToSee, Decided { decision, who, .. }: &Decided) -> SettledRow {
    let readers = [format!("{who}={}", decision.word()), String::new(), String::new()];
    SettledRow { machine: page.reason.clone(), readers, ..SettledRow::default() }
}

/// Sets the row of a field that people have read. Returns the rule that its value breaks.
fn settle_row(row: &mut FieldRow, before: &FieldRow, outcome: &Outcome) -> String {
    row.guess.clone_from(&before.guess);
    let mut set = |state: &str, value: &str, confidence: &str, reason: &str| {
        [&mut row.state, &mut row.value, &mut row.confidence, &mut row.reason]
            .into_iter()
            .zip([state, value, confidence, reason])
            .for_each(|(cell, text)| text.clone_into(cell));
    };
    let reason = if before.reason.is_empty() { "low-confidence" } else { &before.reason };
    match outcome {
        Outcome::Settled { answer, rule, .. } => {
            match answer {
                Answer::Value(text) => set("accepted", text, "", ""),
                Answer::Blank => set("blank", "", "", ""),
                Answer::Illegible => set("review", "", "", "illegible"),
            }
            rule.clone()
        }
        Outcome::Contested | Outcome::Undecided => {
            set("review", "", &before.confidence, reason);
            String::new()
        }
    }
}

fn settled_row(
    row: &FieldRow,
    before: &FieldRow,
    readings: &[Reading],
    rule: String,
    value: &FieldValue,
) -> SettledRow {
    let mut readers = <[String; 3]>::default();
    for (cell, reading) in readers.iter_mut().zip(readings) {
        *cell = format!("{}={}", reading.who, reading.answer.text());
    }
    SettledRow { field: value.name.clone(), machine: before.guess.clone(), value: row.value.clone(), readers, rule }
}
