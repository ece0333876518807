//! Pages on which there is more than fields to key, and what people decide of them.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::{
    answer::{Decision, Refusal},
    journal::{Event, GivenDecision},
};
use formread_core::rows::{PageRows, Verdict, WRITING_OUTSIDE};

/// A page of which not everything is asked: somebody must look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageToSee {
    /// The file.
    pub scan: String,
    /// 1-based page in it.
    pub page: u32,
    /// Why the page was rejected, or [`WRITING_OUTSIDE`].
    pub reason: String,
    /// What somebody has decided.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
}

/// What somebody has decided of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// The person.
    pub who: String,
    #[serde(skip)]
    id: String,
}

impl PageToSee {
    /// What must be seen on a page; `None` where its fields are all there is.
    pub fn of(page: &PageRows) -> Option<Self> {
        let reason = match page.verdict {
            Verdict::Rejected => page.attention.clone(),
            Verdict::Accepted | Verdict::Review => {
                page.attention.split(';').find(|word| *word == WRITING_OUTSIDE)?.to_owned()
            }
        };
        Some(Self { scan: page.scan.clone(), page: page.page, reason, decided: None })
    }

    /// Whether a decision is one of those that there are for the page.
    pub fn can_be(&self, decision: Decision) -> bool {
        decision != Decision::NothingToBook || self.reason == WRITING_OUTSIDE
    }
}

/// The pages to see of a run.
#[derive(Debug, Default)]
pub struct PagesToSee {
    pages: Vec<PageToSee>,
    by_name: HashMap<(String, u32), usize>,
    /// The page of each decision, those taken back included: an identifier is used once.
    by_id: HashMap<String, usize>,
}

impl PagesToSee {
    /// Adds a page.
    pub fn add(&mut self, page: PageToSee) {
        self.by_name.insert((page.scan.clone(), page.page), self.pages.len());
        self.pages.push(page);
    }

    /// All, in the order of the run. Copies are left out.
    pub fn all(&self) -> &[PageToSee] {
        &self.pages
    }

    /// A page that is to be seen.
    pub fn find(&self, scan: &str, page: u32) -> Option<&PageToSee> {
        self.pages.get(*self.by_name.get(&(scan.to_owned(), page))?)
    }

    /// How many pages nobody has decided, for each reason.
    pub fn open_by_reason(&self) -> BTreeMap<&str, u64> {
        let mut counts = BTreeMap::new();
        for page in self.pages.iter().filter(|page| page.decided.is_none()) {
            *counts.entry(page.reason.as_str()).or_default() += 1;
        }
        counts
    }

    /// Takes a decision. The event is to be stored; none where the same was taken before.
    ///
    /// # Errors
    /// Where there is no such page, the page can be no such thing, or it is decided.
    pub fn decide(
        &mut self,
        idx: usize,
        id: &str,
        who: &str,
        decision: Decision,
        at: u64,
    ) -> Result<Option<Event>, Refusal> {
        if self.by_id.contains_key(id) {
            return Ok(None);
        }
        let page = self.pages.get_mut(idx).filter(|page| page.can_be(decision)).ok_or(Refusal::NoPage)?;
        if page.decided.is_some() {
            return Err(Refusal::AlreadyDecided);
        }
        let (id, who) = (id.to_owned(), who.to_owned());
        page.decided = Some(Decided { decision, who: who.clone(), id: id.clone() });
        self.by_id.insert(id.clone(), idx);
        Ok(Some(Event::Page(GivenDecision { id, scan: page.scan.clone(), page: page.page, who, decision, at })))
    }

    /// Takes back a decision of this person.
    ///
    /// # Errors
    /// Where there is none of his.
    pub fn take_back(&mut self, idx: usize, who: &str, at: u64) -> Result<Event, Refusal> {
        let page = self.pages.get_mut(idx).ok_or(Refusal::NoPage)?;
        let of_him = page.decided.take_if(|decided| decided.who == who).ok_or(Refusal::NothingToUndo)?;
        Ok(Event::Undo { id: of_him.id, who: who.to_owned(), at })
    }

    /// Takes the decisions of a journal. `None` where it names a page that is not to be seen.
    pub fn replay(&mut self, events: &[Event]) -> Option<()> {
        for event in events {
            match event {
                Event::Page(GivenDecision { id, scan, page, who, decision, .. }) => {
                    let idx = *self.by_name.get(&(scan.clone(), *page))?;
                    self.by_id.insert(id.clone(), idx);
                    self.pages[idx].decided = Some(Decided { decision: *decision, who: who.clone(), id: id.clone() });
                }
                Event::Undo { id, .. } => {
                    if let Some(&idx) = self.by_id.get(id) {
                        self.pages[idx].decided.take_if(|decided| decided.id == *id);
                    }
                }
                Event::Review { .. } | Event::Settings(_) | Event::Answer(_) => {}
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> PagesToSee {
        let mut pages = PagesToSee::default();
        for (page, reason) in [(1, "unknown-form"), (2, WRITING_OUTSIDE)] {
            let (scan, reason) = ("a.tif".to_owned(), reason.to_owned());
            pages.add(PageToSee { scan, page, reason, decided: None });
        }
        pages
    }

    #[test]
    fn page_is_decided_once_until_the_decision_is_taken_back_and_a_journal_gives_the_same() {
        let mut one = pages();
        let mut events = Vec::new();
        let first = one.decide(0, "x", "ann", Decision::ScanAgain, 1).expect("the page is open");
        events.extend(first);
        assert_eq!(one.decide(0, "x", "ann", Decision::ScanAgain, 1), Ok(None), "it was sent twice");
        assert_eq!(one.decide(0, "y", "ben", Decision::NoForm, 2), Err(Refusal::AlreadyDecided));
        assert_eq!(one.decide(0, "z", "ben", Decision::NothingToBook, 2), Err(Refusal::NoPage));
        assert_eq!(one.decide(7, "z", "ben", Decision::NoForm, 2), Err(Refusal::NoPage));
        assert_eq!(one.take_back(0, "ben", 3), Err(Refusal::NothingToUndo), "it is not his");
        events.push(one.take_back(0, "ann", 3).expect("it is hers"));
        events.extend(one.decide(0, "w", "ben", Decision::NoForm, 4).expect("it is open again"));
        events.extend(one.decide(1, "v", "ben", Decision::NothingToBook, 5).expect("it is open"));
        let decided = |pages: &PagesToSee| -> Vec<_> { pages.all().iter().map(|page| page.decided.clone()).collect() };
        let mut other = pages();
        assert_eq!(other.replay(&events), Some(()));
        assert_eq!(decided(&one), decided(&other));
        assert!(one.open_by_reason().is_empty() && one.find("a.tif", 2).is_some_and(|page| page.decided.is_some()));
        let mut none = PagesToSee::default();
        assert_eq!(none.replay(&events), None, "the journal is of another run");
    }
}
