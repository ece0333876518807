//! Which field is asked next, and of whom. Knows no file and no clock: the caller gives the time.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use crate::{
    params::{AHEAD, LEASE},
    solve::Place,
};

/// Index of a form among the templates, and of a field on it.
pub type Kind = (u16, u16);

/// Fields that are asked one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Those of one kind.
    Kind(Kind),
    /// Those of a page that the machine has not read: index of its file, and of the page in it.
    Page(u32, u32),
}

/// A field that may be asked. Its index among the items is its name outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Index of its file among the run's.
    pub document: u32,
    /// Where it is in the file.
    pub place: Place,
    /// Index of its form among the templates, and of the field on it.
    pub kind: Kind,
    /// Why it may be asked.
    pub origin: Origin,
    /// Whether two people must read it.
    pub needs_two: bool,
    /// What is known of it.
    pub progress: Progress,
}

/// What is known of a field that may be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Whether somebody must read it.
    pub need: Need,
    /// Who has read it.
    pub readers: Vec<String>,
    /// Whether people settled it to what the machine accepted.
    pub is_as_accepted: bool,
}

/// Whether somebody must read a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Need {
    /// Nobody.
    None,
    /// Perhaps somebody, after others of its file: they may free it.
    Later,
    /// Somebody.
    #[default]
    Now,
}

/// Why a field may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The run left it for review.
    Review,
    /// The run accepted it, and it was drawn by chance.
    Audit,
    /// The run accepted it, and an answer to another field made it doubtful.
    Doubt,
    /// The run rejected its page, and somebody chose a form for that.
    Page,
    /// The form that was chosen for its page was taken back: it is asked no more.
    TakenBack,
}

/// The number of an item.
pub type ItemIdx = u32;

impl Item {
    /// What it is asked together with.
    pub fn group(&self) -> Group {
        match self.origin {
            Origin::Page | Origin::TakenBack => Group::Page(self.document, self.place.page),
            Origin::Review | Origin::Audit | Origin::Doubt => Group::Kind(self.kind),
        }
    }

    fn is_read_by(&self, who: &str) -> bool {
        self.progress.readers.iter().any(|reader| reader == who)
    }
}

/// Somebody at a page.
#[derive(Debug, Clone)]
struct Session {
    who: String,
    /// The fields that are before him or ahead, in the order in which they are asked.
    hand: Vec<ItemIdx>,
    later: HashSet<ItemIdx>,
    /// His answers, in their order.
    answers: Vec<String>,
    /// The group that was asked last.
    group: Option<Group>,
    /// Until when nobody else is asked what is in his hand.
    until: Duration,
}

/// The fields, and who has which before him.
#[derive(Debug, Default)]
pub struct Queue {
    items: Vec<Item>,
    by_place: HashMap<(u32, Place), ItemIdx>,
    /// Those that somebody must read now, by group, in the order in which they were added.
    asked: BTreeMap<Group, BTreeSet<ItemIdx>>,
    /// The groups, first to be asked first.
    order: Vec<Group>,
    /// How many somebody must read, now or perhaps later; and of these, how many each person has read.
    n_wanted: usize,
    n_read: HashMap<String, usize>,
    has_hidden_pages: bool,
    sessions: BTreeMap<u64, Session>,
    held: HashMap<ItemIdx, u64>,
    /// Fields that are asked by themselves after all others: their digits may be in groups.
    last: HashSet<ItemIdx>,
}

impl Queue {
    /// All items.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// An item.
    pub fn item(&self, idx: ItemIdx) -> Option<&Item> {
        self.items.get(idx as usize)
    }

    /// The item of a field, if it is one.
    pub fn find(&self, document: u32, place: Place) -> Option<ItemIdx> {
        self.by_place.get(&(document, place)).copied()
    }

    /// Adds a field, where it is not there.
    pub fn add(&mut self, item: Item) -> ItemIdx {
        let next = self.items.len() as ItemIdx;
        let idx = *self.by_place.entry((item.document, item.place)).or_insert(next);
        if idx == next {
            let group = item.group();
            if !self.asked.contains_key(&group) {
                self.order.push(group);
                self.asked.insert(group, BTreeSet::new());
            }
            self.items.push(item);
            self.list(idx);
        }
        idx
    }

    /// Sets what is known of a field.
    pub fn set(&mut self, idx: ItemIdx, progress: Progress) {
        if self.item(idx).is_none_or(|item| item.progress == progress) {
            return;
        }
        self.unlist(idx);
        if let Some(item) = self.items.get_mut(idx as usize) {
            item.progress = progress;
        }
        self.list(idx);
    }

    /// Asks the fields of a page no more: the form that was chosen for it was taken back.
    pub fn forget_page(&mut self, document: u32, page: u32) {
        let of_page: Vec<((u32, Place), ItemIdx)> = self
            .by_place
            .iter()
            .filter(|((of, place), _)| *of == document && place.page == page)
            .map(|(at, idx)| (*at, *idx))
            .collect();
        for (at, idx) in of_page {
            self.set(idx, Progress { need: Need::None, ..Progress::default() });
            self.by_place.remove(&at);
            if let Some(item) = self.items.get_mut(idx as usize) {
                item.origin = Origin::TakenBack;
            }
            if let Some(holder) = self.held.get(&idx).copied() {
                self.release(holder, idx);
            }
        }
    }

    /// Asks nobody fields of pages that the machine has not read: nobody may see a page. Returns how many wait.
    pub fn hide_pages(&mut self) -> usize {
        let of_pages = |item: &Item| item.origin == Origin::Page && item.progress.need != Need::None;
        let hidden: Vec<ItemIdx> =
            (0..).zip(&self.items).filter(|(_, item)| of_pages(item)).map(|(idx, _)| idx).collect();
        hidden.iter().for_each(|&idx| self.unlist(idx));
        self.has_hidden_pages = true;
        hidden.len()
    }

    fn is_listed(&self, item: &Item) -> bool {
        item.progress.need != Need::None && !(self.has_hidden_pages && item.origin == Origin::Page)
    }

    fn list(&mut self, idx: ItemIdx) {
        let item = &self.items[idx as usize];
        if !self.is_listed(item) {
            return;
        }
        self.n_wanted += 1;
        for reader in &item.progress.readers {
            *self.n_read.entry(reader.clone()).or_default() += 1;
        }
        if item.progress.need == Need::Now {
            self.asked.entry(item.group()).or_default().insert(idx);
        }
    }

    fn unlist(&mut self, idx: ItemIdx) {
        let item = &self.items[idx as usize];
        if !self.is_listed(item) {
            return;
        }
        self.n_wanted -= 1;
        for reader in &item.progress.readers {
            if let Some(n) = self.n_read.get_mut(reader) {
                *n -= 1;
            }
        }
        if let Some(asked) = self.asked.get_mut(&item.group()) {
            asked.remove(&idx);
        }
    }

    /// Sets which groups are asked first: those with the largest rank.
    pub fn rank(&mut self, rank: &BTreeMap<Group, f64>) {
        let of = |group: &Group| rank.get(group).copied().unwrap_or_default();
        self.order.sort_by(|a, b| of(b).total_cmp(&of(a)).then_with(|| a.cmp(b)));
    }

    /// Opens a session of `who`.
    pub fn open(&mut self, session: u64, who: &str, now: Duration) {
        let (hand, later, answers) = (Vec::new(), HashSet::new(), Vec::new());
        let opened = Session { who: who.to_owned(), hand, later, answers, group: None, until: now + LEASE };
        self.sessions.insert(session, opened);
    }

    /// Who a session is of.
    pub fn who(&self, session: u64) -> Option<&str> {
        self.sessions.get(&session).map(|session| session.who.as_str())
    }

    /// Whether a field is in the hand of a session: it alone may see it.
    pub fn holds(&self, session: u64, idx: ItemIdx) -> bool {
        self.held.get(&idx) == Some(&session)
    }

    /// Fills the hand of a session, and renews it. The first `kept` of its fields stay in it even if nobody must read them any
    /// more: they may be on the screen.
    pub fn deal(&mut self, session: u64, kept: usize, now: Duration) -> Vec<ItemIdx> {
        self.deal_to(AHEAD, session, kept, now)
    }

    /// As [`Queue::deal`], and fills the hand to no more than `n`.
    pub fn deal_to(&mut self, n: usize, session: u64, kept: usize, now: Duration) -> Vec<ItemIdx> {
        let Some(of) = self.sessions.get_mut(&session) else { return Vec::new() };
        of.until = now + LEASE;
        let (held, items) = (&mut self.held, &self.items);
        let (mut place, who) = (0, of.who.clone());
        of.hand.retain(|&idx| {
            place += 1;
            // after the lease ended, another may have got it
            let is_ours = held.get(&idx) == Some(&session);
            let item = &items[idx as usize];
            // in another session he may have answered it meanwhile
            let stays = is_ours && !item.is_read_by(&who) && (place <= kept || is_asked(item, &who));
            if !stays && is_ours {
                held.remove(&idx);
            }
            stays
        });
        let n_missing = n.saturating_sub(of.hand.len());
        for next in self.free_for(session, n_missing, now) {
            self.held.insert(next, session);
            let Some(of) = self.sessions.get_mut(&session) else { break };
            of.hand.push(next);
            of.group = self.items.get(next as usize).map(Item::group);
        }
        self.sessions.get(&session).map(|of| of.hand.clone()).unwrap_or_default()
    }

    /// The next `n` fields for a session, besides those in its hand: of the group that it had last, then of the group that is asked first.
    pub fn free_for(&self, session: u64, n: usize, now: Duration) -> Vec<ItemIdx> {
        let Some(of) = self.sessions.get(&session) else { return Vec::new() };
        let is_for_him = |idx: &ItemIdx| {
            !self.items[*idx as usize].is_read_by(&of.who)
                && !of.later.contains(idx)
                && self.is_free(session, *idx, now)
        };
        let others = self.order.iter().filter(|group| of.group != Some(**group));
        let groups = of.group.iter().chain(others).filter_map(|group| self.asked.get(group));
        let all = || groups.clone().flatten().copied().filter(|idx| is_for_him(idx));
        let first = all().filter(|idx| !self.last.contains(idx));
        first.chain(all().filter(|idx| self.last.contains(idx))).take(n).collect()
    }

    /// Whether nobody has a field before him, this session neither.
    pub fn is_free(&self, session: u64, idx: ItemIdx, now: Duration) -> bool {
        match self.held.get(&idx) {
            Some(holder) if *holder == session => false,
            Some(holder) => self.sessions.get(holder).is_none_or(|other| other.until <= now),
            None => true,
        }
    }

    /// Keeps a field for a session beside its hand, until it is [released](Self::release) or the lease ends.
    pub fn hold(&mut self, session: u64, idx: ItemIdx) {
        self.held.insert(idx, session);
    }

    /// Renews the lease of a session. Returns how many fields are in its hand.
    pub fn renew(&mut self, session: u64, now: Duration) -> usize {
        let Some(of) = self.sessions.get_mut(&session) else { return 0 };
        of.until = now + LEASE;
        of.hand.len()
    }

    /// Asks a field by itself after all others, or no more so.
    pub fn ask_last(&mut self, idx: ItemIdx, is_last: bool) {
        let _ = if is_last { self.last.insert(idx) } else { self.last.remove(&idx) };
    }

    /// The first `n` fields that somebody must read.
    pub fn first(&self, n: usize) -> Vec<ItemIdx> {
        self.order.iter().filter_map(|group| self.asked.get(group)).flatten().take(n).copied().collect()
    }

    /// Asks a session the fields of a group next.
    pub fn turn_to(&mut self, session: u64, group: Group) {
        self.rest(session);
        if let Some(of) = self.sessions.get_mut(&session) {
            of.group = Some(group);
        }
    }

    /// Notes that a session has answered a field, or all fields of a group.
    pub fn answered(&mut self, session: u64, items: impl IntoIterator<Item = ItemIdx>, answer: &str) {
        items.into_iter().for_each(|idx| self.release(session, idx));
        if let Some(of) = self.sessions.get_mut(&session) {
            of.answers.push(answer.to_owned());
        }
    }

    /// The last answer of a session that was not taken back.
    pub fn last_answer(&self, session: u64) -> Option<&str> {
        self.sessions.get(&session)?.answers.last().map(String::as_str)
    }

    /// Notes that an answer was taken back with the page of its field.
    pub fn withdrawn(&mut self, answer: &str) {
        for session in self.sessions.values_mut() {
            session.answers.retain(|other| other != answer);
        }
    }

    /// Takes back the last answer of a session: its field is the first in the hand again.
    pub fn taken_back(&mut self, session: u64, idx: ItemIdx) {
        let Some(of) = self.sessions.get_mut(&session) else { return };
        of.answers.pop();
        of.hand.retain(|&other| other != idx);
        of.hand.insert(0, idx);
        if let Some(other) = self.held.insert(idx, session).filter(|other| *other != session)
            && let Some(other) = self.sessions.get_mut(&other)
        {
            other.hand.retain(|&held| held != idx);
        }
        // the hand stays as long as it was
        let too_many: Vec<ItemIdx> =
            self.sessions.get(&session).map_or(Vec::new(), |of| of.hand[of.hand.len().min(AHEAD)..].to_vec());
        too_many.into_iter().for_each(|idx| self.release(session, idx));
    }

    /// Takes back the last answer of a session, which was to a group.
    pub fn group_taken_back(&mut self, session: u64) {
        self.rest(session);
        if let Some(of) = self.sessions.get_mut(&session) {
            of.answers.pop();
        }
    }

    /// Puts a field off: this session is not asked it again until it has no other.
    pub fn put_off(&mut self, session: u64, idx: ItemIdx) {
        self.release(session, idx);
        if let Some(of) = self.sessions.get_mut(&session) {
            of.later.insert(idx);
        }
    }

    /// Asks a session again what it has put off.
    pub fn recall(&mut self, session: u64) {
        if let Some(of) = self.sessions.get_mut(&session) {
            of.later.clear();
        }
    }

    /// How many fields a session has put off that are still wanted.
    pub fn n_later(&self, session: u64) -> usize {
        let Some(of) = self.sessions.get(&session) else { return 0 };
        of.later.iter().filter(|&&idx| is_asked(&self.items[idx as usize], &of.who)).count()
    }

    /// Frees what is in the hand of a session: nobody is at its page.
    pub fn rest(&mut self, session: u64) {
        let hand = self.sessions.get_mut(&session).map(|of| std::mem::take(&mut of.hand)).unwrap_or_default();
        hand.into_iter().for_each(|idx| self.release(session, idx));
    }

    /// Fields that somebody must read, and those of them that `who` can.
    pub fn n_wanted(&self, who: &str) -> (usize, usize) {
        let n_read = self.n_read.get(who).copied().unwrap_or_default();
        (self.n_wanted, self.n_wanted.saturating_sub(n_read))
    }

    /// Frees a field that a session has.
    pub fn release(&mut self, session: u64, idx: ItemIdx) {
        if self.holds(session, idx) {
            self.held.remove(&idx);
        }
        if let Some(of) = self.sessions.get_mut(&session) {
            of.hand.retain(|&other| other != idx);
        }
    }
}

/// Whether a person may be asked a field: nobody reads a field twice.
fn is_asked(item: &Item, who: &str) -> bool {
    item.progress.need == Need::Now && !item.is_read_by(who)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(n: u32) -> Queue {
        let mut queue = Queue::default();
        for i in 0..n {
            let place = Place { page: i, field: 0 };
            queue.add(Item {
                document: 0,
                place,
                kind: (0, (i % 2) as u16),
                origin: Origin::Review,
                needs_two: false,
                progress: Progress::default(),
            });
        }
        queue
    }

    const START: Duration = Duration::from_secs(100);

    #[test]
    fn nobody_is_asked_what_another_has_before_him_until_his_lease_ends() {
        let mut queue = queue(20);
        queue.open(1, "ann", START);
        queue.open(2, "ben", START);
        let hand = queue.deal(1, 0, START);
        assert_eq!(hand, [0, 2, 4, 6, 8, 10, 12, 14], "fields of one kind come together");
        let other = queue.deal(2, 0, START);
        assert!(other.iter().all(|idx| !hand.contains(idx)), "{other:?}");
        let late = START + LEASE + Duration::from_secs(1);
        queue.open(3, "cem", late);
        assert_eq!(queue.deal(3, 0, late), hand);
        assert!(!queue.holds(1, 0) && queue.holds(3, 0));
        assert!(queue.deal(1, 1, late).iter().all(|idx| !hand.contains(idx)), "another has them now");
        queue.rest(3);
        queue.open(4, "dan", late);
        assert_eq!(queue.deal(4, 0, late)[0], 0);
    }

    #[test]
    fn nobody_is_asked_a_field_twice() {
        let mut queue = queue(1);
        queue.open(1, "ann", START);
        queue.open(2, "ann", START);
        queue.open(3, "ben", START);
        assert_eq!(queue.deal(1, 0, START), [0]);
        queue.answered(1, [0], "first");
        queue.set(0, Progress { readers: vec!["ann".to_owned()], ..Progress::default() });
        assert!(queue.deal(1, 0, START).is_empty());
        assert!(queue.deal(2, 0, START).is_empty(), "not in another session either");
        assert_eq!(queue.deal(3, 0, START), [0]);
        assert_eq!(queue.n_wanted("ann"), (1, 0));
    }

    #[test]
    fn nobody_keeps_on_the_screen_what_he_has_read_in_another_session() {
        let mut queue = queue(1);
        queue.open(1, "ann", START);
        queue.open(2, "ann", START);
        assert_eq!(queue.deal(1, 0, START), [0]);
        let late = START + LEASE + Duration::from_secs(1);
        assert_eq!(queue.deal(2, 1, late), [0], "the lease of the first session has ended");
        queue.answered(1, [0], "first");
        queue.set(0, Progress { readers: vec!["ann".to_owned()], ..Progress::default() });
        assert!(queue.deal(2, 1, late).is_empty());
        assert!(!queue.holds(2, 0), "another may have it");
    }

    #[test]
    fn field_that_nobody_must_read_any_more_leaves_the_hand_unless_it_is_on_the_screen() {
        let mut queue = queue(4);
        queue.open(1, "ann", START);
        assert_eq!(queue.deal(1, 0, START), [0, 2, 1, 3]);
        for idx in [0, 2] {
            queue.set(idx, Progress { need: Need::None, ..Progress::default() });
        }
        assert_eq!(queue.deal(1, 1, START), [0, 1, 3]);
        assert_eq!(queue.deal(1, 0, START), [1, 3]);
    }

    #[test]
    fn answer_taken_back_is_asked_again_first() {
        let mut queue = queue(30);
        queue.open(1, "ann", START);
        let hand = queue.deal(1, 0, START);
        for (n, idx) in hand[..3].iter().enumerate() {
            queue.answered(1, [*idx], &n.to_string());
        }
        queue.deal(1, 0, START);
        assert_eq!(queue.last_answer(1), Some("2"));
        queue.taken_back(1, hand[2]);
        let after = queue.deal(1, 1, START);
        assert_eq!((after[0], after.len(), queue.last_answer(1)), (hand[2], AHEAD, Some("1")));
    }

    #[test]
    fn field_put_off_comes_back_when_it_is_recalled() {
        let mut queue = queue(2);
        queue.open(1, "ann", START);
        queue.deal(1, 0, START);
        queue.put_off(1, 0);
        assert_eq!((queue.deal(1, 0, START), queue.n_later(1)), (vec![1], 1));
        queue.recall(1);
        assert_eq!(queue.deal(1, 0, START), [1, 0]);
    }

    #[test]
    fn kind_of_the_largest_rank_is_asked_first() {
        let mut queue = queue(4);
        queue.rank(&[(Group::Kind((0, 0)), 0.5), (Group::Kind((0, 1)), 2.0)].into());
        queue.open(1, "ann", START);
        assert_eq!(queue.deal(1, 0, START), [1, 3, 0, 2]);
    }

    #[test]
    fn field_that_may_be_freed_is_counted_and_not_asked() {
        let mut queue = queue(2);
        queue.set(0, Progress { need: Need::Later, ..Progress::default() });
        queue.open(1, "ann", START);
        assert_eq!((queue.deal(1, 0, START), queue.n_wanted("ann")), (vec![1], (2, 2)));
        queue.set(0, Progress::default());
        assert_eq!(queue.deal(1, 0, START), [1, 0]);
    }

    /// With three fields on a page that the machine has not read.
    fn queue_with_page() -> Queue {
        let mut queue = queue(2);
        for field in 0..3 {
            let place = Place { page: 7, field };
            let (kind, origin, progress) = ((0, field as u16), Origin::Page, Progress::default());
            queue.add(Item { document: 0, place, kind, origin, needs_two: false, progress });
        }
        queue
    }

    #[test]
    fn fields_of_a_page_come_together_until_its_form_is_taken_back() {
        let mut queue = queue_with_page();
        queue.open(1, "ann", START);
        assert_eq!(queue.deal(1, 0, START), [0, 1, 2, 3, 4]);
        queue.turn_to(1, Group::Page(0, 7));
        assert_eq!(queue.deal(1, 0, START), [2, 3, 4, 0, 1]);
        queue.forget_page(0, 7);
        assert_eq!((queue.deal(1, 5, START), queue.find(0, Place { page: 7, field: 0 })), (vec![0, 1], None));
    }

    #[test]
    fn fields_of_a_page_are_not_asked_where_nobody_may_see_it() {
        let mut queue = queue_with_page();
        queue.open(1, "ann", START);
        assert_eq!((queue.hide_pages(), queue.deal(1, 0, START), queue.n_wanted("ann")), (3, vec![0, 1], (2, 2)));
    }
}
