//! Pages on which there is more than fields to key, and what people decide of them.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::{
    answer::{Decision, Refusal},
    journal::{Event, GivenDecision},
};
use formread_core::{
    assemble::FieldReadings,
    form::FormTemplate,
    rows::{FieldRow, PageRows, Verdict, WRITING_OUTSIDE},
};
use formread_raster::error::PageReject;

/// The state of a field that the machine has not read: nobody's reading is among its readings.
const NOT_READ: &str = "illegible";

/// A page of which not everything is asked: somebody must look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageToSee {
    /// The file.
    pub scan: String,
    /// 1-based page in it.
    pub page: u32,
    /// Why the page was rejected, or [`WRITING_OUTSIDE`].
    pub reason: String,
    /// The form that the program took it for; empty where none fits.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub form: String,
    /// Index of its file among the run's, and of the page in it.
    #[serde(skip)]
    pub place: (u32, u32),
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
    /// What must be seen on a page at this place; `None` where its fields are all there is.
    pub fn of(page: &PageRows, place: (u32, u32)) -> Option<Self> {
        let reason = match page.verdict {
            Verdict::Rejected => page.attention.clone(),
            Verdict::Accepted | Verdict::Review => {
                page.attention.split(';').find(|word| *word == WRITING_OUTSIDE)?.to_owned()
            }
        };
        let (scan, form) = (page.scan.clone(), page.form.clone());
        Some(Self { scan, page: page.page, reason, form, place, decided: None })
    }

    /// Whether a decision is one of those that there are for the page.
    pub fn can_be(&self, decision: &Decision) -> bool {
        match decision {
            Decision::NothingToBook => self.reason == WRITING_OUTSIDE,
            Decision::Form(_) => self.can_be_keyed(),
            Decision::ScanAgain | Decision::NoForm | Decision::GiveBack => true,
        }
    }

    /// Whether its fields can be keyed: it has a picture, of one form, that the machine has not read.
    pub fn can_be_keyed(&self) -> bool {
        // of several forms on a page one alone would be keyed, and the others lost
        let can_be = [
            PageReject::UnknownForm,
            PageReject::PoorRegistration,
            PageReject::Mirrored,
            PageReject::BlankPage,
            PageReject::InternalError,
        ];
        PageReject::from_word(&self.reason).is_some_and(|reason| can_be.contains(&reason))
    }

    /// The form that somebody has chosen for it.
    pub fn chosen_form(&self) -> Option<&str> {
        match &self.decided.as_ref()?.decision {
            Decision::Form(name) => Some(name),
            _ => None,
        }
    }
}

/// The rows of a rejected page as one of this form, of which the machine has read nothing. Where its fields lie on the scan is not known.
pub fn as_form(page: &PageRows, template: &FormTemplate) -> PageRows {
    let row = |name: &String| FieldRow {
        field: name.clone(),
        state: "review".to_owned(),
        value: String::new(),
        guess: String::new(),
        confidence: "0.0000".to_owned(),
        reason: NOT_READ.to_owned(),
        bounds: [0; 4],
    };
    let readings = FieldReadings {
        state: NOT_READ.to_owned(),
        guess: String::new(),
        confidence: 0.0,
        alternatives: Vec::new(),
        quarter_turns: 0,
    };
    let mut rows = PageRows {
        scan: page.scan.clone(),
        page: page.page,
        form: template.name.clone(),
        verdict: Verdict::Review,
        attention: String::new(),
        fields: template.fields.iter().map(|field| row(&field.name)).collect(),
        readings: vec![readings; template.fields.len()],
    };
    rows.set_writing_outside(false);
    rows
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

    /// Index of the page at a place.
    pub fn at(&self, place: (u32, u32)) -> Option<usize> {
        self.pages.binary_search_by_key(&place, |page| page.place).ok()
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
        let page = self.pages.get_mut(idx).filter(|page| page.can_be(&decision)).ok_or(Refusal::NoPage)?;
        if page.decided.is_some() {
            return Err(Refusal::AlreadyDecided);
        }
        let (id, who) = (id.to_owned(), who.to_owned());
        page.decided = Some(Decided { decision: decision.clone(), who: who.clone(), id: id.clone() });
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
                    self.pages[idx].decided =
                        Some(Decided { decision: decision.clone(), who: who.clone(), id: id.clone() });
                }
                Event::Undo { id, .. } => {
                    if let Some(&idx) = self.by_id.get(id) {
                        self.pages[idx].decided.take_if(|decided| decided.id == *id);
                    }
                }
                Event::Review { .. } | Event::Settings(_) | Event::Answer(_) | Event::Group(_) => {}
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
        for (page, reason) in [(1, "unknown-form"), (2, WRITING_OUTSIDE), (3, "unreadable")] {
            let (scan, reason, form) = ("a.tif".to_owned(), reason.to_owned(), String::new());
            pages.add(PageToSee { scan, page, reason, form, place: (0, page - 1), decided: None });
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
        for idx in [1, 2] {
            let form = Decision::Form("t".to_owned());
            assert_eq!(one.decide(idx, "z", "ben", form, 2), Err(Refusal::NoPage), "it is read, or has no picture");
        }
        assert_eq!(one.take_back(0, "ben", 3), Err(Refusal::NothingToUndo), "it is not his");
        events.push(one.take_back(0, "ann", 3).expect("it is hers"));
        let form = Decision::Form("t".to_owned());
        events.extend(one.decide(0, "w", "ben", form, 4).expect("it is open again"));
        events.extend(one.decide(1, "v", "ben", Decision::NothingToBook, 5).expect("it is open"));
        let decided = |pages: &PagesToSee| -> Vec<_> { pages.all().iter().map(|page| page.decided.clone()).collect() };
        let mut other = pages();
        assert_eq!(other.replay(&events), Some(()));
        assert_eq!(decided(&one), decided(&other));
        assert_eq!(other.at((0, 0)).and_then(|idx| other.all()[idx].chosen_form()), Some("t"));
        assert_eq!(one.open_by_reason().into_keys().collect::<Vec<_>>(), ["unreadable"]);
        assert!(one.all()[1].decided.is_some());
        let mut none = PagesToSee::default();
        assert_eq!(none.replay(&events), None, "the journal is of another run");
    }
}
