//! A review: a run, the answers that were given, and whose turn it is. Every change is an [`Event`]; the caller stores it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::{
    answer::{Answer, Decision, Reading, Refusal},
    audit::{Audit, Draw, has_second_look, lot},
    journal::{Event, GivenAnswer, Settings},
    pages::{PageToSee, PagesToSee},
    queue::{Item, ItemIdx, Kind, Origin, Queue},
    run::{Run, RunPaths, identities, records},
    solve::{Contested, Outcome, Place, Readings, Rules, Solution, field_of, solve, with_outcomes},
    status::Status,
};
use formread_core::{
    assemble::{FieldState, FieldValue, PageReading, PageRecord},
    form::{Field, FormTemplate},
    rows::PageRows,
};
use formread_raster::error::{Error, Format, Result};

/// Files of a form on which it is tried which field frees most.
const N_TRIED: usize = 24;

/// A review.
#[derive(Debug)]
pub struct Review {
    run: Run,
    settings: Settings,
    two_person: GlobSet,
    queue: Queue,
    /// By file.
    readings: HashMap<u32, Readings>,
    /// The field of each answer that was not taken back, and of each that was: an identifier is used once.
    answers: HashMap<String, Option<ItemIdx>>,
    /// The files that have items, by name.
    by_scan: HashMap<String, u32>,
    pages_to_see: PagesToSee,
}

impl Review {
    /// Opens the review of a run with the events of its journal, which ends with the settings of now.
    ///
    /// # Errors
    /// As [`Run::open`]; `Usage` where a pattern is malformed; `Format` where the journal names a field that the run has not.
    pub fn open(paths: RunPaths<'_>, templates: Vec<FormTemplate>, events: &[Event]) -> Result<Self> {
        let all_settings = || {
            events.iter().filter_map(|event| match event {
                Event::Settings(settings) => Some(settings),
                _ => None,
            })
        };
        // an audit that was begun stays
        let audit = all_settings().map(|settings| settings.audit).max().unwrap_or_default();
        let settings = Settings { audit, ..all_settings().next_back().cloned().unwrap_or_default() };
        let mut open: Vec<(u32, Place, Kind)> = Vec::new();
        let mut draw = Draw::new(settings.audit as usize);
        let (identity, _) = identities(paths)?;
        let mut pages_to_see = PagesToSee::default();
        let run = Run::open(paths, templates, |document, is_copy, pages, rules| {
            for (page_idx, page) in pages.iter().enumerate().filter(|_| !is_copy) {
                if let Some(page) = PageToSee::of(page) {
                    pages_to_see.add(page);
                }
                let Some(form) = rules.templates.iter().position(|form| form.name == page.form) else { continue };
                for (field_idx, row) in page.fields.iter().enumerate() {
                    let place = Place { page: page_idx as u32, field: field_idx as u32 };
                    let item = (document, place, (form as u16, field_idx as u16));
                    match row.state.as_str() {
                        "review" => open.push(item),
                        "accepted" => draw.show(lot(identity, "audit", &page.scan, page.page, &row.field), || item),
                        _ => {}
                    }
                }
            }
            Ok(())
        })?;
        let two_person = patterns(&settings.two_person)?;
        let mut review = Self {
            run,
            settings,
            two_person,
            queue: Queue::default(),
            readings: HashMap::new(),
            answers: HashMap::new(),
            by_scan: HashMap::new(),
            pages_to_see,
        };
        // by kind, audits lie among the others
        let audits: Vec<_> = draw.drawn().map(|item| (item, Origin::Audit)).collect();
        let mut items: Vec<_> = open.into_iter().map(|item| (item, Origin::Review)).chain(audits).collect();
        items.sort_unstable();
        for ((document, place, kind), origin) in items {
            review.add_item(document, place, kind, origin)?;
        }
        review.rank()?;
        review.replay(events)?;
        Ok(review)
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Pages with more than fields to key.
    pub fn pages_to_see(&self) -> &PagesToSee {
        &self.pages_to_see
    }

    /// Takes a decision on a page to see, by its index among them. The event is to be stored; none where the same was taken before.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn decide(
        &mut self,
        session: u64,
        idx: usize,
        id: &str,
        decision: Decision,
        at: Duration,
    ) -> Result<Option<Event>, Refusal> {
        let who = self.queue.who(session).ok_or(Refusal::NoSession)?;
        self.pages_to_see.decide(idx, id, who, decision, at.as_secs())
    }

    /// Takes back the decision of a session's person on a page.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn take_back_decision(&mut self, session: u64, idx: usize, at: Duration) -> Result<Event, Refusal> {
        let who = self.queue.who(session).ok_or(Refusal::NoSession)?;
        self.pages_to_see.take_back(idx, who, at.as_secs())
    }

    /// The queue.
    pub fn queue(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// The answers to a file's fields.
    pub fn readings(&self, document: u32) -> Option<&Readings> {
        self.readings.get(&document)
    }

    /// The item of a field, if it is one.
    pub fn item_at(&self, document: u32, place: Place) -> Option<&Item> {
        self.queue.item(self.queue.find(document, place)?)
    }

    /// The file and the field of an item, by name.
    pub fn name_of(&self, idx: ItemIdx) -> Option<(String, String)> {
        let document = self.queue.item(idx)?.document;
        Some((self.run.scan(document).0.to_owned(), self.kind(idx)?.1.name.clone()))
    }

    /// What the machine read in an item's field, most likely first. It is for measurements: a person must not see it.
    pub fn machine_readings(&self, idx: ItemIdx) -> Vec<String> {
        let Some(Item { document, place, .. }) = self.queue.item(idx) else { return Vec::new() };
        let pages = self.run.pages(*document).unwrap_or_default();
        let readings = pages.get(place.page as usize).and_then(|page| page.readings.get(place.field as usize));
        readings
            .map(|readings| readings.alternatives.iter().map(|(text, _)| text.clone()).collect())
            .unwrap_or_default()
    }

    /// The template of an item's form, and its field.
    pub fn kind(&self, idx: ItemIdx) -> Option<(&FormTemplate, &Field)> {
        let (form, field) = self.queue.item(idx)?.kind;
        let template = self.run.rules.templates.get(form as usize)?;
        Some((template, template.fields.get(field as usize)?))
    }

    /// Takes an answer. The event is to be stored; none where the same answer was taken before.
    ///
    /// # Errors
    /// A [`Refusal`], or what is wrong with the files of the run.
    pub fn answer(
        &mut self,
        session: u64,
        idx: ItemIdx,
        id: &str,
        answer: Answer,
        at: Duration,
    ) -> Result<Result<Option<Event>, Refusal>> {
        let Some(who) = self.queue.who(session).map(str::to_owned) else { return Ok(Err(Refusal::NoSession)) };
        if self.answers.contains_key(id) {
            return Ok(Ok(None));
        }
        let Some(item) = self.queue.item(idx) else { return Ok(Err(Refusal::NoField)) };
        if item.readers.contains(&who) {
            return Ok(Err(Refusal::AlreadyRead));
        }
        let (document, place) = (item.document, item.place);
        let (page, field) = self.names(document, place)?;
        let scan = self.run.scan(document).0.to_owned();
        let id = id.to_owned();
        let event = GivenAnswer {
            id: id.clone(),
            scan,
            page,
            field,
            who: who.clone(),
            answer: answer.clone(),
            at: at.as_secs(),
        };
        self.readings.entry(document).or_default().entry(place).or_default().push(Reading {
            id: id.clone(),
            who,
            answer,
        });
        self.queue.answered(session, idx, &id);
        self.answers.insert(id, Some(idx));
        self.update(document)?;
        Ok(Ok(Some(Event::Answer(event))))
    }

    /// Takes back the last answer of a session.
    ///
    /// # Errors
    /// As [`Review::answer`].
    pub fn undo(&mut self, session: u64, at: Duration) -> Result<Result<Event, Refusal>> {
        let Some(who) = self.queue.who(session).map(str::to_owned) else { return Ok(Err(Refusal::NoSession)) };
        let Some(id) = self.queue.last_answer(session).map(str::to_owned) else {
            return Ok(Err(Refusal::NothingToUndo));
        };
        let Some(Some(idx)) = self.answers.insert(id.clone(), None) else { return Ok(Err(Refusal::NothingToUndo)) };
        let Some(document) = self.take_back(idx, &id) else { return Ok(Err(Refusal::NoField)) };
        self.queue.taken_back(session, idx);
        self.update(document)?;
        Ok(Ok(Event::Undo { id, who, at: at.as_secs() }))
    }

    /// How far the review is.
    ///
    /// # Errors
    /// What is wrong with the files of the run.
    pub fn status(&self) -> Result<Status> {
        let (audit, pages_to_see) = (Audit::of(self.queue.items()), self.pages_to_see.all().to_vec());
        let mut status = Status { audit, pages_to_see, ..Status::default() };
        for item in self.queue.items() {
            let is_unread = item.readers.is_empty();
            let is_for_review = item.origin == Origin::Review;
            status.fields_for_review += u64::from(is_for_review);
            status.freed_by_rules += u64::from(is_for_review && is_unread && !item.is_wanted);
            status.unread += u64::from(is_unread && item.is_wanted && item.origin != Origin::Audit);
        }
        for document in 0..self.run.n_documents() {
            let Some(readings) = self.readings.get(&document) else { continue };
            let solution = self.solution(document)?;
            for (place, given) in readings.iter().filter(|(_, given)| !given.is_empty()) {
                status.answers += given.len() as u64;
                let settled = match solution.outcomes.get(place) {
                    Some(Outcome::Settled { n_people, answer, .. }) => {
                        status.settled += 1;
                        status.settled_by_one += u64::from(*n_people == 1);
                        Some(answer)
                    }
                    Some(Outcome::Contested) => {
                        status.contested += 1;
                        None
                    }
                    _ => {
                        status.undecided += 1;
                        None
                    }
                };
                let is_second = self.item_at(document, *place).is_some_and(|item| item.needs_two);
                if is_second && given.len() > 1 {
                    status.second_looks.read += 1;
                    status.second_looks.differ += u64::from(given.first().map(|first| &first.answer) != settled);
                }
            }
        }
        Ok(status)
    }

    /// A file's pages, after its rules were solved with the answers.
    ///
    /// # Errors
    /// What is wrong with the files of the run.
    pub fn solution(&self, document: u32) -> Result<Solution> {
        Ok(self.solution_of(document, &records(&self.run.pages(document)?)?))
    }

    fn solution_of(&self, document: u32, records: &[PageRecord]) -> Solution {
        let nothing = Readings::new();
        let readings = self.readings.get(&document).unwrap_or(&nothing);
        let needs_two = |place| self.item_at(document, place).is_some_and(|item| item.needs_two);
        solve(records, readings, &needs_two, &self.run.rules)
    }

    /// Solves a file again, and notes which of its fields somebody must read.
    fn update(&mut self, document: u32) -> Result<()> {
        let before = records(&self.run.pages(document)?)?;
        let solution = self.solution_of(document, &before);
        // what leans on a contested field waits until that is settled
        let as_read = match solution.outcomes.values().any(|outcome| *outcome == Outcome::Contested) {
            true => &with_outcomes(&before, &solution.outcomes, Contested::IsAsRead, &self.run.rules),
            false => &solution.pages,
        };
        for (page_idx, (page, machine)) in solution.pages.iter().zip(&before).enumerate() {
            let (PageReading::Read { form, fields, .. }, PageReading::Read { fields: accepted, .. }) =
                (&page.reading, &machine.reading)
            else {
                continue;
            };
            let form = self.run.rules.templates.iter().position(|template| template.name == *form);
            for (field_idx, (value, accepted)) in fields.iter().zip(accepted).enumerate() {
                let place = Place { page: page_idx as u32, field: field_idx as u32 };
                let outcome = solution.outcomes.get(&place);
                let is_asked = match outcome {
                    Some(outcome) => *outcome == Outcome::Contested,
                    None => is_open(value) && field_of(as_read, place).is_some_and(is_open),
                };
                let known = self.queue.find(document, place);
                let idx = match (known, form) {
                    (Some(idx), _) => idx,
                    (None, Some(form)) if is_asked => {
                        self.add_item(document, place, (form as u16, field_idx as u16), Origin::Doubt)?
                    }
                    _ => continue,
                };
                let readers = self.readings.get(&document).and_then(|readings| readings.get(&place));
                let readers = readers.into_iter().flatten().map(|reading| reading.who.clone()).collect();
                let Some(item) = self.queue.item_mut(idx) else { continue };
                item.is_wanted = is_asked || item.origin == Origin::Audit && outcome.is_none();
                item.readers = readers;
                item.is_as_accepted = is_as_accepted(outcome, accepted);
            }
        }
        Ok(())
    }

    fn add_item(&mut self, document: u32, place: Place, kind: Kind, origin: Origin) -> Result<ItemIdx> {
        let template = &self.run.rules.templates[kind.0 as usize];
        let field = template.fields.get(kind.1 as usize).map_or("", |field| field.name.as_str());
        let scan = self.run.scan(document).0.to_owned();
        let is_named =
            self.two_person.is_match(field) || self.two_person.is_match(format!("{}.{field}", template.name));
        let is_drawn = self.settings.has_second_looks && has_second_look(self.run.identity, &scan, place.page, field);
        let item = Item {
            document,
            place,
            kind,
            origin,
            needs_two: is_named || is_drawn,
            is_wanted: true,
            readers: Vec::new(),
            is_as_accepted: false,
        };
        self.by_scan.insert(scan, document);
        Ok(self.queue.add(item))
    }

    /// The number of the page and the name of the field at a place.
    fn names(&self, document: u32, place: Place) -> Result<(u32, String)> {
        let pages = self.run.pages(document)?;
        let row = |page: &PageRows| Some((page.page, page.fields.get(place.field as usize)?.field.clone()));
        pages.get(place.page as usize).and_then(row).ok_or_else(|| Error::internal("an item is in no page"))
    }

    fn take_back(&mut self, idx: ItemIdx, id: &str) -> Option<u32> {
        let item = self.queue.item(idx)?;
        let (document, place) = (item.document, item.place);
        self.readings.get_mut(&document)?.get_mut(&place)?.retain(|reading| reading.id != id);
        Some(document)
    }

    /// Takes the answers of a journal.
    fn replay(&mut self, events: &[Event]) -> Result<()> {
        self.pages_to_see
            .replay(events)
            .ok_or_else(|| Error::format(Format::ReviewJournal, "the run has no such page of a decision"))?;
        let mut given: BTreeMap<&str, Vec<&GivenAnswer>> = BTreeMap::new();
        let mut is_undone: HashMap<&str, bool> = HashMap::new();
        for event in events {
            match event {
                Event::Answer(answer) => {
                    is_undone.insert(&answer.id, false);
                    given.entry(&answer.scan).or_default().push(answer);
                }
                Event::Undo { id, .. } => {
                    is_undone.insert(id, true);
                }
                Event::Review { .. } | Event::Settings(_) | Event::Page(_) => {}
            }
        }
        for (scan, answers) in given {
            let unknown = |what: &str| {
                Error::format(Format::ReviewJournal, format!("the run has no {what} of an answer: {scan}"))
            };
            let document = match self.by_scan.get(scan) {
                Some(&document) => document,
                None => return Err(unknown("file")),
            };
            let pages = self.run.pages(document)?;
            for answer in answers {
                let page = pages.iter().position(|page| page.page == answer.page).ok_or_else(|| unknown("page"))?;
                let field = pages[page]
                    .fields
                    .iter()
                    .position(|row| row.field == answer.field)
                    .ok_or_else(|| unknown("field"))?;
                let place = Place { page: page as u32, field: field as u32 };
                let idx = match self.queue.find(document, place) {
                    Some(idx) => idx,
                    None => {
                        let form = self.run.rules.templates.iter().position(|form| form.name == pages[page].form);
                        let form = form.ok_or_else(|| unknown("form"))?;
                        self.add_item(document, place, (form as u16, field as u16), Origin::Doubt)?
                    }
                };
                let is_kept = is_undone.get(answer.id.as_str()) == Some(&false);
                self.answers.insert(answer.id.clone(), is_kept.then_some(idx));
                if is_kept {
                    let reading =
                        Reading { id: answer.id.clone(), who: answer.who.clone(), answer: answer.answer.clone() };
                    self.readings.entry(document).or_default().entry(place).or_default().push(reading);
                }
            }
            self.update(document)?;
        }
        Ok(())
    }

    /// Finds which kinds of field free most others: on some files of each form, it is tried what a field would free if it were
    /// settled to its best reading.
    fn rank(&mut self) -> Result<()> {
        let mut by_document: BTreeMap<u32, Vec<(Place, Kind)>> = BTreeMap::new();
        for item in self.queue.items().iter().filter(|item| item.origin == Origin::Review) {
            by_document.entry(item.document).or_default().push((item.place, item.kind));
        }
        let mut n_tried: HashMap<u16, usize> = HashMap::new();
        let mut freed: BTreeMap<Kind, (f64, f64)> = BTreeMap::new();
        for (document, open) in by_document.iter().filter(|(_, open)| open.len() > 1) {
            let has_rules = open.iter().any(|(_, kind)| !self.run.rules.templates[kind.0 as usize].rules.is_empty());
            let tried = n_tried.entry(open[0].1.0).or_default();
            if !has_rules || *tried == N_TRIED {
                continue;
            }
            *tried += 1;
            let pages = records(&self.run.pages(*document)?)?;
            for (place, kind) in open {
                let entry = freed.entry(*kind).or_default();
                entry.0 += n_freed(&pages, *place, open.len(), &self.run.rules);
                entry.1 += 1.0;
            }
        }
        let mean = freed.into_iter().map(|(kind, (freed, n))| (kind, freed / n));
        self.queue.rank_kinds(&mean.collect());
        Ok(())
    }
}

/// How many of a file's `n_open` open fields are sure once the one at `place` is settled to its best reading.
fn n_freed(pages: &[PageRecord], place: Place, n_open: usize, rules: &Rules) -> f64 {
    let Some(guess) = field_of(pages, place).map(|value| value.guess.clone()) else { return 0.0 };
    let answer = if guess.is_empty() { Answer::Blank } else { Answer::Value(guess) };
    let reading = |who: &str| Reading { id: who.to_owned(), who: who.to_owned(), answer: answer.clone() };
    let readings = [(place, vec![reading("one"), reading("other")])].into();
    let solution = solve(pages, &readings, &|_| false, rules);
    let fields = solution.pages.iter().flat_map(|page| match &page.reading {
        PageReading::Read { fields, .. } => fields.as_slice(),
        PageReading::Rejected { .. } => &[],
    });
    n_open as f64 - 1.0 - fields.filter(|value| is_open(value)).count() as f64
}

fn is_open(value: &FieldValue) -> bool {
    matches!(value.state, FieldState::Review(_))
}

fn is_as_accepted(outcome: Option<&Outcome>, machine: &FieldValue) -> bool {
    match outcome {
        Some(Outcome::Settled { answer: Answer::Value(text), .. }) => *text == machine.guess,
        _ => false,
    }
}

fn patterns(patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(|error| Error::usage(format!("malformed pattern: {error}")))?);
    }
    set.build().map_err(|error| Error::usage(format!("malformed pattern: {error}")))
}
