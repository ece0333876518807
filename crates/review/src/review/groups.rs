//! Groups of like digits: which fields may be in them, whose turn it is, and what they make of a field.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use super::Review;
use crate::{
    answer::{Reading, Refusal},
    audit::lot,
    digit_groups::{Crop, Dealt, FieldDigits, GroupCounts, Look, Stranger, is_void, reading_of},
    journal::{Event, GivenGroup, ShownDigit},
    params::{AHEAD, MIN_GROUPED, MIN_LIKE_SHAPED, MIN_STRANGER},
    queue::{Item, ItemIdx, Need, Origin},
    run::records,
    solve::{Place, field_of},
};
use formread_core::assemble::{FieldState, FieldValue, PageReading, ReviewReason};
use formread_raster::error::{Error, Format, Result};

/// The groups that people have looked through.
#[derive(Debug, Default)]
pub(super) struct Looked {
    given: BTreeMap<String, GivenGroup>,
    /// By field.
    looks: BTreeMap<(u32, Place), Vec<Look>>,
}

impl Looked {
    /// How they went. Which fields were settled is not known here.
    pub(super) fn counts(&self) -> GroupCounts {
        let mut counts = GroupCounts::default();
        self.given.values().for_each(|group| counts.add(group));
        counts
    }
}

/// A field whose digits are to be cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedDigits {
    /// The field.
    pub place: Place,
    /// The value whose digits they are.
    pub value: String,
    /// Whether it was accepted and is surely right: its digits can be strangers.
    pub is_known: bool,
}

/// Digits of a page that were cut.
#[derive(Debug, Clone, Default)]
pub struct PageDigits {
    /// Fields that are open.
    pub in_doubt: Vec<FieldDigits>,
    /// Fields that are known.
    pub known: Vec<FieldDigits>,
}

/// A group, as the page asks it: nothing shows which of the crops are strangers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct AskedGroup {
    /// Its number.
    pub group: u64,
    /// What the machine reads the crops as.
    pub digit: u8,
    /// How many crops there are.
    pub crops: usize,
}

impl AskedGroup {
    fn of(dealt: &Dealt) -> Self {
        Self { group: dealt.serial, digit: dealt.digit, crops: dealt.crops.len() }
    }
}

impl Review {
    /// The fields of a file whose digits are to be cut for groups, page by page. Nothing where no field of it may be in one.
    ///
    /// # Errors
    /// What is wrong with the files of the run.
    pub fn digits_wanted(&self, document: u32) -> Result<Vec<WantedDigits>> {
        let has_open = |item: &Item| item.document == document && may_be_in_groups(item);
        if self.run.scan(document).1 != document || !self.queue.items().iter().any(has_open) {
            return Ok(Vec::new());
        }
        let before = records(&self.pages(document)?)?;
        let solution = self.solution_of(document, &before);
        let mut wanted: Vec<WantedDigits> = Vec::new();
        for (page_idx, page) in (0..).zip(&before) {
            let PageReading::Read { fields, .. } = &page.reading else { continue };
            for (field_idx, value) in (0..).zip(fields) {
                let place = Place { page: page_idx, field: field_idx };
                let item = self.item_at(document, place);
                let solved = field_of(&solution.pages, place);
                let is_in_doubt = item.is_some_and(may_be_in_groups)
                    && solved.is_some_and(|solved| solved.guess == value.guess && is_in_doubt_by_digits(solved))
                    && self.looks(document, place).iter().all(|look| look.is_passed);
                let is_known = item.is_none() && is_known(value);
                if is_in_doubt || is_known {
                    wanted.push(WantedDigits { place, value: value.guess.clone(), is_known });
                }
            }
        }
        let pages: BTreeSet<u32> = wanted.iter().filter(|of| !of.is_known).map(|of| of.place.page).collect();
        wanted.retain(|of| pages.contains(&of.place.page));
        Ok(wanted)
    }

    /// Adds digits of a file's page: of fields that are open, and of those that are known.
    ///
    /// # Errors
    /// What is wrong with the files of the run.
    pub fn add_digits(&mut self, document: u32, digits: PageDigits) -> Result<()> {
        let before = records(&self.pages(document)?)?;
        let solution = self.solution_of(document, &before);
        for field in digits.in_doubt {
            let (place, idx) = (field.place, self.queue.find(document, field.place));
            let (Some(idx), Some(value)) = (idx, field_of(&solution.pages, place)) else { continue };
            self.digits.add(idx, field, rivals(value));
            self.open_digits(idx, Some(value));
        }
        for FieldDigits { place, value, digits } in digits.known {
            let (page, field) = self.names(document, place)?;
            let (scan, of) = (self.run.scan(document).0.to_owned(), digits.len() as u8);
            for (position, picture) in (0..).zip(digits) {
                let (scan, field, value) = (scan.clone(), field.clone(), value.clone());
                let shown = ShownDigit { scan, page, field, value, position, of, is_stranger: true, is_struck: false };
                self.digits.add_stranger(Stranger { shown, picture });
            }
        }
        Ok(())
    }

    /// Sets whether digits are still being added: then groups wait until they have their full size.
    pub fn set_digits_growing(&mut self, is_growing: bool) {
        self.digits.set_growing(is_growing);
    }

    /// Whether there is no room for the digits of further pages.
    pub fn has_digits_enough(&self) -> bool {
        self.digits.is_full()
    }

    fn looks(&self, document: u32, place: Place) -> &[Look] {
        self.looked.looks.get(&(document, place)).map_or(&[], Vec::as_slice)
    }

    /// Has the digits of a field shown as long as it is in doubt in nothing else; `solved` is what the field is now.
    pub(super) fn open_digits(&mut self, idx: ItemIdx, solved: Option<&FieldValue>) {
        let (Some(item), Some(value)) = (self.queue.item(idx), self.digits.value(idx)) else { return };
        let is_wanted = may_be_in_groups(item)
            && item.progress.need == Need::Now
            && solved.is_some_and(|solved| solved.guess == value && is_in_doubt_by_digits(solved));
        self.digits.want(idx, is_wanted);
        self.open_rest(idx);
    }

    /// Has those digits of a field shown that have not passed; none where one was struck.
    fn open_rest(&mut self, idx: ItemIdx) {
        let Some(&Item { document, place, .. }) = self.queue.item(idx) else { return };
        let looks = self.looked.looks.get(&(document, place)).map_or(&[][..], Vec::as_slice);
        let is_struck = looks.iter().any(|look| !look.is_passed);
        let is_done = |position: u8| is_struck || looks.iter().any(|look| look.shown.position == position);
        let is_any_open = self.digits.open(idx, &is_done);
        self.queue.ask_last(idx, is_any_open);
    }

    /// The group before a session, and one that is made for it where it has no field in its hand.
    pub fn deal_group(&mut self, session: u64, now: Duration) -> Option<AskedGroup> {
        let who = self.queue.who(session)?.to_owned();
        let n_in_hand = self.queue.renew(session, now);
        if let Some(dealt) = self.digits.dealt(session) {
            // after the lease ended, another may have some of it
            if dealt.items().all(|idx| self.queue.holds(session, idx)) {
                return Some(AskedGroup::of(dealt));
            }
            self.end_group(session);
        }
        if n_in_hand > 0 {
            return None;
        }
        let (queue, identity) = (&self.queue, self.run.identity);
        let n_given = self.looked.given.len() as u32;
        let lot = |serial: u64, i: usize| lot(identity, "group", &format!("{serial}-{i}"), n_given, &who);
        let dealt = self.digits.deal(session, &|idx| queue.is_free(session, idx, now), &lot)?;
        dealt.items().for_each(|idx| self.queue.hold(session, idx));
        Some(AskedGroup::of(dealt))
    }

    /// Fills the hand of a session, as `Queue::deal`. Where there is a group for it, the hand runs out first.
    pub fn deal_fields(&mut self, session: u64, kept: usize, now: Duration) -> Vec<ItemIdx> {
        let has_group = self.digits.has_group(&|idx| self.queue.is_free(session, idx, now));
        self.queue.deal_to(if has_group { 0 } else { AHEAD }, session, kept, now)
    }

    /// The picture of a crop of the group before a session.
    pub fn group_picture(&self, session: u64, group: u64, crop: usize) -> Option<Arc<[u8]>> {
        self.digits.picture(session, group, crop)
    }

    /// The files, fields and digits that the crops of the group before a session are of. It is for measurements: a person must not see it.
    pub fn shown(&self, session: u64) -> Vec<ShownDigit> {
        let dealt = self.digits.dealt(session);
        dealt.map_or(Vec::new(), |dealt| dealt.crops.iter().filter_map(|crop| self.shown_of(crop)).collect())
    }

    fn shown_of(&self, crop: &Crop) -> Option<ShownDigit> {
        let (idx, position) = match crop {
            Crop::Stranger(stranger) => return Some(stranger.shown.clone()),
            Crop::InDoubt(idx, position) => (*idx, *position),
        };
        let Item { document, place, .. } = self.queue.item(idx)?;
        let (page, field) = self.names(*document, *place).ok()?;
        self.digits.shown(idx, position, (self.run.scan(*document).0.to_owned(), page, field))
    }

    /// Frees the fields of the group before a session, and what is in its hand: nobody is at its page.
    pub fn rest(&mut self, session: u64) {
        self.end_group(session);
        self.queue.rest(session);
    }

    fn end_group(&mut self, session: u64) {
        let ended = self.digits.end(session);
        ended.iter().flat_map(Dealt::items).for_each(|idx| self.queue.release(session, idx));
    }

    /// Takes what was struck in the group before a session. The event is to be stored; none where the same was taken before.
    ///
    /// # Errors
    /// A [`Refusal`], or what is wrong with the files of the run.
    pub fn answer_group(
        &mut self,
        session: u64,
        group: u64,
        id: &str,
        struck: &[usize],
        at: Duration,
    ) -> Result<Result<Option<Event>, Refusal>> {
        let Some(who) = self.queue.who(session).map(str::to_owned) else { return Ok(Err(Refusal::NoSession)) };
        if self.answers.contains_key(id) {
            return Ok(Ok(None));
        }
        let Some(dealt) = self.digits.dealt(session).filter(|dealt| dealt.serial == group) else {
            return Ok(Err(Refusal::NoGroup));
        };
        let is_whole = dealt.items().all(|idx| self.queue.holds(session, idx));
        if !is_whole || struck.iter().any(|&crop| crop >= dealt.crops.len()) {
            return Ok(Err(Refusal::NoGroup));
        }
        let shown = dealt.crops.iter().map(|crop| self.shown_of(crop)).collect::<Option<Vec<_>>>();
        let mut shown = shown.ok_or_else(|| Error::internal("a group has a crop of no field"))?;
        (0..).zip(&mut shown).for_each(|(crop, shown)| shown.is_struck = struck.contains(&crop));
        let items: Vec<Option<ItemIdx>> = dealt
            .crops
            .iter()
            .map(|crop| match crop {
                Crop::InDoubt(idx, _) => Some(*idx),
                Crop::Stranger(_) => None,
            })
            .collect();
        let given = GivenGroup { id: id.to_owned(), digit: dealt.digit, who, shown, at: at.as_secs() };
        self.digits.end(session);
        self.answers.insert(id.to_owned(), None);
        self.queue.answered(session, items.iter().copied().flatten(), id);
        let of_item = |idx: Option<ItemIdx>| self.queue.item(idx?).map(|item| (item.document, item.place));
        let places: Vec<Option<(u32, Place)>> = items.into_iter().map(of_item).collect();
        self.note_group(given.clone(), &places);
        self.update_looked_at(&places.into_iter().flatten().collect::<Vec<_>>())?;
        Ok(Ok(Some(Event::Group(given))))
    }

    /// Notes a group; `places` are the fields of its digits, none of a stranger's.
    fn note_group(&mut self, given: GivenGroup, places: &[Option<(u32, Place)>]) {
        let is_void = is_void(&given.shown);
        for (shown, place) in given.shown.iter().zip(places) {
            let (id, who, is_passed) = (given.id.clone(), given.who.clone(), !is_void && !shown.is_struck);
            if let Some(place) = *place {
                let look = Look { id, who, shown: shown.clone(), is_passed };
                self.looked.looks.entry(place).or_default().push(look);
            }
        }
        self.looked.given.insert(given.id.clone(), given);
    }

    /// Finds what the fields of a file are read as by groups, whatever came first. Returns whether that has changed.
    pub(super) fn read_by_groups(&mut self, document: u32) -> bool {
        let nothing = Place { page: 0, field: 0 };
        let of_file = self.looked.looks.range((document, nothing)..).take_while(|((of, _), _)| *of == document);
        let mut is_changed = false;
        for (&(_, place), looks) in of_file {
            let given = self.readings.get(&document).and_then(|of| of.get(&place)).map_or(&[][..], Vec::as_slice);
            let (before, keyed): (Vec<&Reading>, Vec<&Reading>) =
                given.iter().partition(|reading| reading.is_of_groups());
            // who has keyed a field is no second reader of it
            let is_reader = |person: &String| keyed.iter().any(|keyed| keyed.who == *person);
            let reading = reading_of(looks).filter(|reading| !reading.people().iter().any(is_reader));
            if reading.as_ref() != before.first().copied() {
                let readings = reading.into_iter().chain(keyed.into_iter().cloned()).collect();
                self.readings.entry(document).or_default().insert(place, readings);
                is_changed = true;
            }
        }
        is_changed
    }

    /// Goes on after a group was given or taken back that had digits of these fields.
    fn update_looked_at(&mut self, places: &[(u32, Place)]) -> Result<()> {
        let documents: BTreeSet<u32> = places.iter().map(|(document, _)| *document).collect();
        let changed: Vec<u32> = documents.into_iter().filter(|document| self.read_by_groups(*document)).collect();
        let items = places.iter().filter_map(|(document, place)| self.queue.find(*document, *place));
        items.collect::<Vec<_>>().into_iter().for_each(|idx| self.open_rest(idx));
        changed.into_iter().try_for_each(|document| self.update(document))
    }

    /// Takes back a group that was the last answer of a session. Returns whether it was one.
    pub(super) fn take_back_group(&mut self, session: u64, id: &str) -> Result<bool> {
        if self.looked.given.remove(id).is_none() {
            return Ok(false);
        }
        let mut places = Vec::new();
        for (place, looks) in &mut self.looked.looks {
            let n_before = looks.len();
            looks.retain(|look| look.id != id);
            if looks.len() < n_before {
                places.push(*place);
            }
        }
        self.end_group(session);
        self.queue.group_taken_back(session);
        self.update_looked_at(&places)?;
        Ok(true)
    }

    /// Takes the groups of a journal, before its answers. Returns the files that they are of: these are to be updated after them.
    pub(super) fn replay_groups(&mut self, events: &[Event]) -> Result<BTreeSet<u32>> {
        let undone: HashSet<&str> = events
            .iter()
            .filter_map(|event| match event {
                Event::Undo { id, .. } => Some(id.as_str()),
                _ => None,
            })
            .collect();
        let unknown = |what: &str| Error::format(Format::ReviewJournal, format!("the run has no {what} of a group"));
        for event in events {
            let Event::Group(given) = event else { continue };
            self.answers.insert(given.id.clone(), None);
            if undone.contains(given.id.as_str()) {
                continue;
            }
            let mut places = Vec::new();
            for shown in &given.shown {
                places.push(match shown.is_stranger {
                    true => None,
                    false => Some(self.place_of(shown)?.ok_or_else(|| unknown("field"))?),
                });
            }
            self.note_group(given.clone(), &places);
        }
        Ok(self.looked.looks.keys().map(|(document, _)| *document).collect())
    }

    fn place_of(&self, ShownDigit { scan, page, field, .. }: &ShownDigit) -> Result<Option<(u32, Place)>> {
        let Some(&document) = self.by_scan.get(scan) else { return Ok(None) };
        let pages = self.pages(document)?;
        let find = || {
            let page_idx = pages.iter().position(|of| of.page == *page)?;
            let field_idx = pages[page_idx].fields.iter().position(|row| row.field == *field)?;
            Some((document, Place { page: page_idx as u32, field: field_idx as u32 }))
        };
        Ok(find())
    }
}

/// Whether a field may be in groups, as far as its item is concerned: the run left it for review, one person is enough, and nobody has read it.
fn may_be_in_groups(item: &Item) -> bool {
    item.origin == Origin::Review
        && !item.needs_two
        && item.progress.readers.is_empty()
        && item.progress.need != Need::None
}

/// Whether the machine is not sure of a field because of its digits alone.
fn is_in_doubt_by_digits(value: &FieldValue) -> bool {
    let FieldValue { state, guess, unconstrained, alternatives, correction, .. } = value;
    let is_low = |state: &FieldState| matches!(state, FieldState::Review(ReviewReason::LowConfidence));
    // alone it may be sure, and a rule not
    let is_low_alone = is_low(&unconstrained.state) || unconstrained.state == FieldState::Accepted;
    let is_number = guess.bytes().any(|byte| byte.is_ascii_digit()) && !guess.starts_with('-');
    let all: f64 = alternatives.iter().map(|other| other.probability).sum();
    let like: f64 =
        alternatives.iter().filter(|other| shape(&other.text).eq(shape(guess))).map(|other| other.probability).sum();
    let is_only_digits = like > 0.0 && like >= MIN_LIKE_SHAPED * all;
    let is_as_read = correction.is_none() && *guess == unconstrained.guess;
    is_low(state)
        && is_low_alone
        && is_number
        && is_only_digits
        && is_as_read
        && unconstrained.confidence >= MIN_GROUPED
}

/// A value with all digits alike.
fn shape(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte })
}

/// Whether a field was accepted, and is surely right.
fn is_known(value: &FieldValue) -> bool {
    let FieldValue { state, guess, unconstrained, confidence, .. } = value;
    let is_accepted = *state == FieldState::Accepted && unconstrained.state == FieldState::Accepted;
    is_accepted && *guess == unconstrained.guess && confidence.min(unconstrained.confidence) >= MIN_STRANGER
}

/// Each digit of a value, and what else the machine reads in its place.
fn rivals(value: &FieldValue) -> Vec<(u8, u8)> {
    let like = value.alternatives.iter().filter(|other| shape(&other.text).eq(shape(&value.guess)));
    let pairs = like.flat_map(|other| value.guess.bytes().zip(other.text.bytes()));
    let digits = pairs.filter(|(of, rival)| of != rival && of.is_ascii_digit());
    digits.map(|(of, rival)| (of - b'0', rival - b'0')).collect()
}
