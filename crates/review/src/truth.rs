//! Answers of people as ground truth.

use crate::{answer::Answer, queue::Origin, review::Review, solve::Outcome};
use formread_raster::error::Result;

/// A page with fields that people settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthPage {
    /// The file.
    pub scan: String,
    /// 1-based page in it.
    pub page: u32,
    /// Names of settled fields, and what is written: nothing for blank, `!` for what cannot be read.
    pub fields: Vec<(String, String)>,
}

/// Calls `take` with each page that has settled fields; with `audited_only` those of the audit alone count.
///
/// # Errors
/// What is wrong with the files of the run, or `take` returns.
pub fn truth(review: &Review, audited_only: bool, mut take: impl FnMut(&TruthPage) -> Result<()>) -> Result<()> {
    for document in 0..review.run().n_documents() {
        let (scan, first) = review.run().scan(document);
        if document != first || review.readings(document).is_none() {
            continue;
        }
        let pages = review.pages(document)?;
        let mut found: Vec<TruthPage> = Vec::new();
        for (place, outcome) in review.solution(document)?.outcomes {
            let Outcome::Settled { answer, .. } = outcome else { continue };
            let is_audit = review.item_at(document, place).is_some_and(|item| item.origin == Origin::Audit);
            let Some(page) = pages.get(place.page as usize).filter(|_| is_audit || !audited_only) else { continue };
            let Some(row) = page.fields.get(place.field as usize) else { continue };
            let text = if answer == Answer::Illegible { "!" } else { answer.text() };
            if found.last().is_none_or(|last| last.page != page.page) {
                found.push(TruthPage { scan: scan.to_owned(), page: page.page, fields: Vec::new() });
            }
            if let Some(last) = found.last_mut() {
                last.fields.push((row.field.clone(), text.to_owned()));
            }
        }
        found.iter().try_for_each(&mut take)?;
    }
    Ok(())
}
