//! A review: a run, the answers that were given, and whose turn it is. Every change is an [`Event`]; the caller stores it.

mod groups;
mod keyed_pages;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::{
    answer::{Answer, Reading, Refusal},
    audit::{Audit, Draw, has_second_look, lot},
    digit_groups::DigitGroups,
    journal::{Event, GivenAnswer, Settings},
    needs::needs,
    pages::{PageToSee, PagesToSee, as_form},
    queue::{Group, Item, ItemIdx, Kind, Need, Origin, Progress, Queue},
    run::{Run, RunPaths, identities, records},
    solve::{Outcome, Place, Readings, Rules, Solution, field_of, is_open, solve},
    status::Status,
};
use groups::Looked;

pub use groups::{AskedGroup, PageDigits, WantedDigits};

use formread_core::{
    assemble::{FieldValue, PageReading, PageRecord},
    form::{Field, FormTemplate},
    rows::PageRows,
};
use formread_raster::error::{Error, Format, Result};

/// Files of a form on which it is tried which field frees most.
const N_TRIED: usize = 24;

/// A review.
#[derive(Debug)]
pub struct Review {
    run: Arc<Run>,
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
    /// Digits that can be shown in groups, and the groups that were looked through.
    digits: DigitGroups,
    looked: Looked,
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
        let mut later: HashSet<(u32, Place)> = HashSet::new();
        let mut draw = Draw::new(settings.audit as usize);
        let (identity, _) = identities(paths)?;
        let mut pages_to_see = PagesToSee::default();
        let run = Run::open(paths, templates, |document, is_copy, pages, rules| {
            if !is_copy {
                later.extend(needs_later(&records(pages)?, rules).map(|place| (document, place)));
            }
            for (page_idx, page) in pages.iter().enumerate().filter(|_| !is_copy) {
                if let Some(page) = PageToSee::of(page, (document, page_idx as u32)) {
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
            run: Arc::new(run),
            settings,
            two_person,
            queue: Queue::default(),
            readings: HashMap::new(),
            answers: HashMap::new(),
            by_scan: HashMap::new(),
            pages_to_see,
            digits: DigitGroups::default(),
            looked: Looked::default(),
        };
        // by kind, audits lie among the others
        let audits: Vec<_> = draw.drawn().map(|item| (item, Origin::Audit)).collect();
        let mut items: Vec<_> = open.into_iter().map(|item| (item, Origin::Review)).chain(audits).collect();
        items.sort_unstable();
        for ((document, place, kind), origin) in items {
            let idx = review.add_item(document, place, kind, origin);
            if origin == Origin::Review && later.contains(&(document, place)) {
                review.queue.set(idx, Progress { need: Need::Later, ..Progress::default() });
            }
        }
        review.rank()?;
        review.replay(events)?;
        Ok(review)
    }

    /// The run.
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// Pages with more than fields to key.
    pub fn pages_to_see(&self) -> &PagesToSee {
        &self.pages_to_see
    }

    /// The queue.
    pub fn queue(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// The answers to a file's fields.
    pub fn readings(&self, document: u32) -> Option<&Readings> {
        self.readings.get(&document)
    }

    /// An item.
    pub fn item(&self, idx: ItemIdx) -> Option<&Item> {
        self.queue.item(idx)
    }

    /// The index of the item of a field, if it is one.
    pub fn idx_at(&self, document: u32, place: Place) -> Option<ItemIdx> {
        self.queue.find(document, place)
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
        let pages = self.pages(*document).unwrap_or_default();
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
        let Some(item) = self.queue.item(idx).filter(|item| item.origin != Origin::TakenBack) else {
            return Ok(Err(Refusal::NoField));
        };
        if item.progress.readers.contains(&who) {
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
        self.readings.entry(document).or_default().entry(place).or_default().push(Reading::keyed(&id, &who, answer));
        self.queue.answered(session, [idx], &id);
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
        if self.take_back_group(session, &id)? {
            return Ok(Ok(Event::Undo { id, who, at: at.as_secs() }));
        }
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
        let mut status = Status { audit, pages_to_see, groups: self.looked.counts(), ..Status::default() };
        for item in self.queue.items() {
            let (is_unread, is_wanted) = (item.progress.readers.is_empty(), item.progress.need != Need::None);
            let is_for_review = matches!(item.origin, Origin::Review | Origin::Page);
            status.fields_for_review += u64::from(is_for_review);
            status.freed_by_rules += u64::from(is_for_review && is_unread && !is_wanted);
            status.unread += u64::from(is_unread && is_wanted && item.origin != Origin::Audit);
        }
        for document in 0..self.run.n_documents() {
            let Some(readings) = self.readings.get(&document) else { continue };
            let solution = self.solution(document)?;
            for (place, given) in readings.iter().filter(|(_, given)| !given.is_empty()) {
                let is_of_groups = given.iter().any(Reading::is_of_groups);
                status.answers += given.len() as u64 - u64::from(is_of_groups);
                let settled = match solution.outcomes.get(place) {
                    Some(Outcome::Settled { n_people, answer, .. }) => {
                        status.settled += 1;
                        status.settled_by_one += u64::from(*n_people == 1);
                        status.groups.settled += u64::from(*n_people == 1 && is_of_groups);
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

    /// A file's pages, as the run has them. A rejected page for which somebody chose a form is one of this form, without readings.
    ///
    /// # Errors
    /// What is wrong with the files of the run.
    pub fn pages(&self, document: u32) -> Result<Vec<PageRows>> {
        let mut pages = self.run.pages(document)?;
        let (_, first) = self.run.scan(document);
        for (page_idx, page) in (0..).zip(&mut pages) {
            let to_see = self.pages_to_see.at((first, page_idx)).and_then(|idx| self.pages_to_see.all().get(idx));
            if let Some(template) = to_see.and_then(PageToSee::chosen_form).and_then(|name| self.template(name)) {
                *page = as_form(page, template);
            }
        }
        Ok(pages)
    }

    /// A file's pages, after its rules were solved with the answers.
    ///
    /// # Errors
    /// What is wrong with the files of the run.
    pub fn solution(&self, document: u32) -> Result<Solution> {
        Ok(self.solution_of(document, &records(&self.pages(document)?)?))
    }

    fn solution_of(&self, document: u32, records: &[PageRecord]) -> Solution {
        let nothing = Readings::new();
        let readings = self.readings.get(&document).unwrap_or(&nothing);
        let needs_two = |place| self.item_at(document, place).is_some_and(|item| item.needs_two);
        solve(records, readings, &needs_two, &self.run.rules)
    }

    /// Solves a file again, and notes which of its fields somebody must read.
    fn update(&mut self, document: u32) -> Result<()> {
        self.read_by_groups(document);
        let before = records(&self.pages(document)?)?;
        let solution = self.solution_of(document, &before);
        let nothing = Readings::new();
        let needs = needs(&before, self.readings.get(&document).unwrap_or(&nothing), &solution, &self.run.rules);
        for (place, need) in needs {
            let known = self.queue.find(document, place);
            let form = match before.get(place.page as usize).map(|page| &page.reading) {
                Some(PageReading::Read { form, .. }) => self.form(form),
                _ => None,
            };
            let idx = match (known, form) {
                (Some(idx), _) => idx,
                (None, Some(form)) if need != Need::None => {
                    self.add_item(document, place, (form, place.field as u16), Origin::Doubt)
                }
                _ => continue,
            };
            let readers = self.readings.get(&document).and_then(|readings| readings.get(&place));
            let outcome = solution.outcomes.get(&place);
            // what passed in groups and breaks a rule is keyed, by anybody
            let counts =
                |reading: &&Reading| !reading.is_of_groups() || matches!(outcome, Some(Outcome::Settled { .. }));
            let readers = readers.into_iter().flatten().filter(counts).flat_map(Reading::people).cloned().collect();
            let is_audit = self.queue.item(idx).is_some_and(|item| item.origin == Origin::Audit);
            let need = if is_audit && outcome.is_none() { Need::Now } else { need };
            let is_as_accepted = field_of(&before, place).is_some_and(|machine| is_as_accepted(outcome, machine));
            self.queue.set(idx, Progress { need, readers, is_as_accepted });
            self.open_digits(idx, field_of(&solution.pages, place));
        }
        Ok(())
    }

    /// Index of a form among the templates.
    fn form(&self, name: &str) -> Option<u16> {
        let templates = &self.run.rules.templates;
        templates.iter().position(|template| template.name == name).map(|form| form as u16)
    }

    /// The template of a name.
    fn template(&self, name: &str) -> Option<&FormTemplate> {
        self.run.rules.templates.get(usize::from(self.form(name)?))
    }

    fn add_item(&mut self, document: u32, place: Place, kind: Kind, origin: Origin) -> ItemIdx {
        let template = &self.run.rules.templates[kind.0 as usize];
        let field = template.fields.get(kind.1 as usize).map_or("", |field| field.name.as_str());
        let scan = self.run.scan(document).0.to_owned();
        let is_named =
            self.two_person.is_match(field) || self.two_person.is_match(format!("{}.{field}", template.name));
        let percent = self.settings.second_look_percent;
        let is_drawn = has_second_look(percent, self.run.identity, &scan, place.page, field);
        let item =
            Item { document, place, kind, origin, needs_two: is_named || is_drawn, progress: Progress::default() };
        self.by_scan.insert(scan, document);
        self.queue.add(item)
    }

    /// The number of the page and the name of the field at a place.
    fn names(&self, document: u32, place: Place) -> Result<(u32, String)> {
        let pages = self.pages(document)?;
        let row = |page: &PageRows| Some((page.page, page.fields.get(place.field as usize)?.field.clone()));
        pages.get(place.page as usize).and_then(row).ok_or_else(|| Error::internal("an item is in no page"))
    }

    fn take_back(&mut self, idx: ItemIdx, id: &str) -> Option<u32> {
        let item = self.queue.item(idx)?;
        let (document, place) = (item.document, item.place);
        self.readings.get_mut(&document)?.get_mut(&place)?.retain(|reading| reading.id != id);
        Some(document)
    }

    /// Takes the decisions and answers of a journal.
    fn replay(&mut self, events: &[Event]) -> Result<()> {
        self.pages_to_see
            .replay(events)
            .ok_or_else(|| Error::format(Format::ReviewJournal, "the run has no such page of a decision"))?;
        for idx in 0..self.pages_to_see.all().len() {
            self.add_page(idx)?;
        }
        let mut looked_at = self.replay_groups(events)?;
        let mut given: BTreeMap<&str, Vec<&GivenAnswer>> = BTreeMap::new();
        let mut undone: HashSet<&str> = HashSet::new();
        for event in events {
            match event {
                Event::Answer(answer) => given.entry(&answer.scan).or_default().push(answer),
                Event::Undo { id, .. } => {
                    undone.insert(id);
                }
                Event::Review { .. } | Event::Settings(_) | Event::Page(_) | Event::Group(_) => {}
            }
        }
        for (scan, answers) in given {
            let (undone, kept): (Vec<&GivenAnswer>, _) =
                answers.into_iter().partition(|answer| undone.contains(answer.id.as_str()));
            self.answers.extend(undone.into_iter().map(|answer| (answer.id.clone(), None)));
            if !kept.is_empty() {
                looked_at.remove(&self.replay_answers(scan, &kept)?);
            }
        }
        looked_at.into_iter().try_for_each(|document| self.update(document))
    }

    /// Takes the answers of a journal to fields of a file: its index.
    fn replay_answers(&mut self, scan: &str, answers: &[&GivenAnswer]) -> Result<u32> {
        let unknown =
            |what: &str| Error::format(Format::ReviewJournal, format!("the run has no {what} of an answer: {scan}"));
        let document = *self.by_scan.get(scan).ok_or_else(|| unknown("file"))?;
        let pages = self.pages(document)?;
        for answer in answers {
            let page = pages.iter().position(|page| page.page == answer.page).ok_or_else(|| unknown("page"))?;
            let field = pages[page].fields.iter().position(|row| row.field == answer.field);
            let place = Place { page: page as u32, field: field.ok_or_else(|| unknown("field"))? as u32 };
            let idx = match self.queue.find(document, place) {
                Some(idx) => idx,
                None => {
                    let form = self.form(&pages[page].form).ok_or_else(|| unknown("form"))?;
                    self.add_item(document, place, (form, place.field as u16), Origin::Doubt)
                }
            };
            self.answers.insert(answer.id.clone(), Some(idx));
            let reading = Reading::keyed(&answer.id, &answer.who, answer.answer.clone());
            self.readings.entry(document).or_default().entry(place).or_default().push(reading);
        }
        self.update(document)?;
        Ok(document)
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
        let mean = freed.into_iter().map(|(kind, (freed, n))| (Group::Kind(kind), freed / n));
        self.queue.rank(&mean.collect());
        Ok(())
    }
}

/// The fields of a file that perhaps somebody must read, after others, before there is any answer.
fn needs_later(pages: &[PageRecord], rules: &Rules) -> impl Iterator<Item = Place> {
    let solution = Solution { pages: pages.to_vec(), outcomes: BTreeMap::new() };
    let needs = needs(pages, &Readings::new(), &solution, rules);
    needs.into_iter().filter(|(_, need)| *need == Need::Later).map(|(place, _)| place)
}

/// How many of a file's `n_open` open fields are sure once the one at `place` is settled to its best reading.
fn n_freed(pages: &[PageRecord], place: Place, n_open: usize, rules: &Rules) -> f64 {
    let Some(guess) = field_of(pages, place).map(|value| value.guess.clone()) else { return 0.0 };
    let answer = if guess.is_empty() { Answer::Blank } else { Answer::Value(guess) };
    let reading = |who: &str| Reading::keyed(who, who, answer.clone());
    let readings = [(place, vec![reading("one"), reading("other")])].into();
    let solution = solve(pages, &readings, &|_| false, rules);
    let fields = solution.pages.iter().flat_map(|page| match &page.reading {
        PageReading::Read { fields, .. } => fields.as_slice(),
        PageReading::Rejected { .. } => &[],
    });
    n_open as f64 - 1.0 - fields.filter(|value| is_open(value)).count() as f64
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
