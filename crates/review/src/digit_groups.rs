//! Groups of like digits: digits of different fields that the machine reads as the same one, which a person looks through together
//! to strike the odd ones. Strangers, which are known to be another digit, are mixed in. Knows no file and no clock.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    answer::{Answer, Reading},
    journal::{GivenGroup, ShownDigit},
    params::{GROUP_IN_DOUBT, GROUP_STRANGERS, MAX_DIGIT_BYTES, MAX_STRANGERS, MIN_GROUP},
    queue::ItemIdx,
    solve::Place,
};

/// A digit as the machine reads it, and its picture.
#[derive(Debug, Clone)]
pub struct DigitPicture {
    /// 0 to 9.
    pub digit: u8,
    /// PNG.
    pub png: Arc<[u8]>,
}

/// The digits of a field, from left to right: those that make the machine's value.
#[derive(Debug, Clone)]
pub struct FieldDigits {
    /// The field.
    pub place: Place,
    /// The machine's value.
    pub value: String,
    /// Its digits.
    pub digits: Vec<DigitPicture>,
}

/// A digit of a field that was accepted, with which it is tested whether a person looks.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// Where it is, as in the journal.
    pub shown: ShownDigit,
    /// What it shows.
    pub picture: DigitPicture,
}

/// A field whose digits may be in groups.
#[derive(Debug)]
struct Candidate {
    value: String,
    digits: Vec<DigitPicture>,
    /// A digit of the value, and what else the machine reads in its place.
    rivals: Vec<(u8, u8)>,
    n_bytes: usize,
    /// Whether its digits are shown that nobody has looked at.
    is_wanted: bool,
}

/// A crop of a group.
#[derive(Debug, Clone)]
pub enum Crop {
    /// Of a field that is open: its item, and which of its digits.
    InDoubt(ItemIdx, u8),
    /// Of one that is known.
    Stranger(Arc<Stranger>),
}

/// A group before a session.
#[derive(Debug, Clone)]
pub struct Dealt {
    /// Its number.
    pub serial: u64,
    /// What the crops in doubt are read as.
    pub digit: u8,
    /// The crops, in the order in which they are shown.
    pub crops: Vec<Crop>,
}

impl Dealt {
    /// The fields of its crops in doubt.
    pub fn items(&self) -> impl Iterator<Item = ItemIdx> {
        self.crops.iter().filter_map(|crop| match crop {
            Crop::InDoubt(idx, _) => Some(*idx),
            Crop::Stranger(_) => None,
        })
    }
}

/// What somebody made of a digit of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The group.
    pub id: String,
    /// The person.
    pub who: String,
    /// Which digit of which value.
    pub shown: ShownDigit,
    /// Whether it was not struck, and no stranger was left.
    pub is_passed: bool,
}

/// What was seen of a field in groups -> what people read, together: nothing until each of its digits has passed, and nothing once one did not.
pub fn reading_of(looks: &[Look]) -> Option<Reading> {
    let ShownDigit { value, of, .. } = &looks.first()?.shown;
    let is_of_it = |look: &Look| look.is_passed && look.shown.value == *value && look.shown.of == *of;
    let positions: BTreeSet<u8> = looks.iter().map(|look| look.shown.position).collect();
    if !looks.iter().all(is_of_it) || !(0..*of).all(|position| positions.contains(&position)) {
        return None;
    }
    let mut people: Vec<String> = looks.iter().map(|look| look.who.clone()).collect();
    people.sort_unstable();
    people.dedup();
    let id = looks.last()?.id.clone();
    Some(Reading { id, who: people.join("+"), answer: Answer::Value(value.clone()), in_groups: people })
}

/// Whether a person missed a stranger of a group: then nothing is known of its other digits.
pub fn is_void(shown: &[ShownDigit]) -> bool {
    shown.iter().any(|shown| shown.is_stranger && !shown.is_struck)
}

/// The digits that can be shown, and the groups before people.
#[derive(Debug, Default)]
pub struct DigitGroups {
    fields: HashMap<ItemIdx, Candidate>,
    /// Digits that nobody has looked at, by what they are read as.
    open: [BTreeSet<(ItemIdx, u8)>; 10],
    strangers: [VecDeque<Arc<Stranger>>; 10],
    dealt: BTreeMap<u64, Dealt>,
    n_dealt: u64,
    /// Fields that are in no group any more, oldest first: their pictures go where there is no room.
    done: VecDeque<ItemIdx>,
    n_bytes: usize,
    is_growing: bool,
}

impl DigitGroups {
    /// Sets whether digits are still being added. Until then there are only groups of the full size.
    pub fn set_growing(&mut self, is_growing: bool) {
        self.is_growing = is_growing;
    }

    /// Adds a field. Its digits are shown once it is [wanted](Self::want).
    pub fn add(&mut self, idx: ItemIdx, digits: FieldDigits, rivals: Vec<(u8, u8)>) {
        let FieldDigits { value, digits, .. } = digits;
        let n_bytes = digits.iter().map(|digit| digit.png.len()).sum();
        self.remove(idx);
        self.n_bytes += n_bytes;
        self.fields.insert(idx, Candidate { value, digits, rivals, n_bytes, is_wanted: false });
        while self.n_bytes > MAX_DIGIT_BYTES
            && let Some(oldest) = self.done.pop_front()
        {
            self.remove(oldest);
        }
    }

    fn remove(&mut self, idx: ItemIdx) {
        self.want(idx, false);
        self.open(idx, &|_| true);
        self.done.retain(|done| *done != idx);
        if let Some(removed) = self.fields.remove(&idx) {
            self.n_bytes -= removed.n_bytes;
        }
    }

    /// Adds a stranger, while there is room.
    pub fn add_stranger(&mut self, stranger: Stranger) {
        if let Some(pool) = self.strangers.get_mut(usize::from(stranger.picture.digit))
            && pool.len() < MAX_STRANGERS
        {
            pool.push_back(Arc::new(stranger));
        }
    }

    /// Whether there is no room for further fields.
    pub fn is_full(&self) -> bool {
        self.n_bytes > MAX_DIGIT_BYTES && self.done.is_empty()
    }

    /// The value of which a field has digits here.
    pub fn value(&self, idx: ItemIdx) -> Option<&str> {
        self.fields.get(&idx).map(|field| field.value.as_str())
    }

    /// Sets whether digits of a field are shown. They are once the field is [opened](Self::open).
    pub fn want(&mut self, idx: ItemIdx, is_wanted: bool) {
        if let Some(field) = self.fields.get_mut(&idx) {
            field.is_wanted = is_wanted;
        }
    }

    /// Has those digits of a field shown that are not done, where it is [wanted](Self::want). Returns whether there are any.
    pub fn open(&mut self, idx: ItemIdx, is_done: &dyn Fn(u8) -> bool) -> bool {
        let Some(field) = self.fields.get(&idx) else { return false };
        let mut is_any_open = false;
        for (position, picture) in (0..).zip(&field.digits) {
            let Some(of_digit) = self.open.get_mut(usize::from(picture.digit)) else { continue };
            let is_open = field.is_wanted && !is_done(position);
            match is_open {
                true => of_digit.insert((idx, position)),
                false => of_digit.remove(&(idx, position)),
            };
            is_any_open |= is_open;
        }
        let was_done = self.done.contains(&idx);
        if is_any_open && was_done {
            self.done.retain(|done| *done != idx);
        } else if !is_any_open && !was_done {
            self.done.push_back(idx);
        }
        is_any_open
    }

    /// The digits of different free fields that are read alike, as many as a group takes; most first. `None` where they are too few for one.
    fn like(&self, is_free: &dyn Fn(ItemIdx) -> bool) -> Option<(u8, Vec<(ItemIdx, u8)>)> {
        let of_digit = |(digit, open): (u8, &BTreeSet<(ItemIdx, u8)>)| {
            let mut taken: Vec<(ItemIdx, u8)> = Vec::new();
            for &(idx, position) in open {
                if taken.len() == GROUP_IN_DOUBT {
                    break;
                }
                if taken.last().is_none_or(|last| last.0 != idx) && is_free(idx) {
                    taken.push((idx, position));
                }
            }
            (digit, taken)
        };
        // what waits for room does not come before some have gone
        let min = if self.is_growing && !self.is_full() { GROUP_IN_DOUBT } else { MIN_GROUP };
        // the first of those with most
        let all = (0..).zip(&self.open).map(of_digit).filter(|(_, taken)| taken.len() >= min);
        all.max_by_key(|(digit, taken)| (taken.len(), std::cmp::Reverse(*digit)))
    }

    /// Whether a group can be made of free fields, as [`deal`](Self::deal) makes it.
    pub fn has_group(&self, is_free: &dyn Fn(ItemIdx) -> bool) -> bool {
        self.like(is_free).is_some_and(|(digit, taken)| {
            let others = (0..).zip(&self.strangers).filter(|(other, _)| *other != digit);
            others.map(|(_, pool)| pool.len()).sum::<usize>() >= n_strangers(taken.len())
        })
    }

    /// Makes a group of free fields for a session. `lot` is as good as chance: what is drawn, and in which order the crops are.
    pub fn deal(
        &mut self,
        session: u64,
        is_free: &dyn Fn(ItemIdx) -> bool,
        lot: &dyn Fn(u64, usize) -> u64,
    ) -> Option<&Dealt> {
        let (digit, taken) = self.like(is_free)?;
        let serial = self.n_dealt;
        let drawn = self.draw(digit, &taken, &|i| lot(serial, i))?;
        let in_doubt = taken.into_iter().map(|(idx, position)| Crop::InDoubt(idx, position));
        let mut crops: Vec<(u64, Crop)> =
            in_doubt.chain(drawn.into_iter().map(Crop::Stranger)).map(|crop| (0, crop)).collect();
        (0..).zip(&mut crops).for_each(|(i, crop)| crop.0 = lot(serial, GROUP_STRANGERS + i));
        crops.sort_by_key(|(lot, _)| *lot);
        let crops = crops.into_iter().map(|(_, crop)| crop).collect();
        self.n_dealt += 1;
        self.dealt.insert(session, Dealt { serial, digit, crops });
        self.dealt.get(&session)
    }

    /// Strangers for a group: of digits that the machine also reads in its crops, where there are such.
    fn draw(&mut self, digit: u8, taken: &[(ItemIdx, u8)], lot: &dyn Fn(usize) -> u64) -> Option<Vec<Arc<Stranger>>> {
        let fields = taken.iter().filter_map(|(idx, _)| self.fields.get(idx));
        let rivals = fields.flat_map(|field| &field.rivals).filter(|(of, rival)| *of == digit && *rival != digit);
        let rivals: Vec<u8> = rivals.map(|(_, rival)| *rival).collect();
        let others: Vec<u8> = (0..10).filter(|other| *other != digit).collect();
        let mut drawn: Vec<Arc<Stranger>> = Vec::new();
        for i in 0..n_strangers(taken.len()) {
            let lot = lot(i);
            let pick = |from: &[u8]| from.get((lot % from.len().max(1) as u64) as usize).copied();
            // then any other, from one that is drawn as well
            let from = (0..others.len()).filter_map(|n| Some(others[(pick(&others)? as usize + n) % others.len()]));
            let order: Vec<u8> = pick(&rivals).into_iter().chain(from).collect();
            let is_new = |known: &Arc<Stranger>| drawn.iter().all(|other| !Arc::ptr_eq(other, known));
            let found = order.into_iter().find_map(|of| {
                let pool = self.strangers.get_mut(usize::from(of))?;
                let at = pool.iter().position(is_new)?;
                pool.remove(at).inspect(|known| pool.push_back(known.clone()))
            });
            drawn.push(found?);
        }
        Some(drawn)
    }

    /// The group before a session.
    pub fn dealt(&self, session: u64) -> Option<&Dealt> {
        self.dealt.get(&session)
    }

    /// Takes a session its group. It is dealt anew.
    pub fn end(&mut self, session: u64) -> Option<Dealt> {
        self.dealt.remove(&session)
    }

    /// The picture of a crop of the group before a session.
    pub fn picture(&self, session: u64, serial: u64, crop: usize) -> Option<Arc<[u8]>> {
        let dealt = self.dealt.get(&session).filter(|dealt| dealt.serial == serial)?;
        match dealt.crops.get(crop)? {
            Crop::InDoubt(idx, position) => Some(self.fields.get(idx)?.digits.get(usize::from(*position))?.png.clone()),
            Crop::Stranger(stranger) => Some(stranger.picture.png.clone()),
        }
    }

    /// Which digit of which value a crop in doubt is; `name` is the scan, page and field.
    pub fn shown(&self, idx: ItemIdx, position: u8, name: (String, u32, String)) -> Option<ShownDigit> {
        let Candidate { value, digits, .. } = self.fields.get(&idx)?;
        let (scan, page, field) = name;
        let of = u8::try_from(digits.len()).ok()?;
        Some(ShownDigit { scan, page, field, value: value.clone(), position, of, is_stranger: false, is_struck: false })
    }
}

/// How many strangers a group with so many crops in doubt has.
fn n_strangers(n_in_doubt: usize) -> usize {
    (n_in_doubt * GROUP_STRANGERS).div_ceil(GROUP_IN_DOUBT)
}

/// How the groups went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct GroupCounts {
    /// Groups that people have looked through.
    pub read: u64,
    /// Of these, those in which a stranger was not struck: they count for nothing.
    pub void: u64,
    /// Digits in doubt in the others.
    pub digits: u64,
    /// Of these, those that were struck.
    pub struck: u64,
    /// Strangers, in all groups.
    pub strangers: u64,
    /// Of these, those that were not struck: how often people overlook.
    pub missed: u64,
    /// Fields that were settled because all their digits passed.
    pub settled: u64,
}

impl GroupCounts {
    /// Counts a group.
    pub fn add(&mut self, group: &GivenGroup) {
        let is_void = is_void(&group.shown);
        self.read += 1;
        self.void += u64::from(is_void);
        for shown in &group.shown {
            self.strangers += u64::from(shown.is_stranger);
            self.missed += u64::from(shown.is_stranger && !shown.is_struck);
            self.digits += u64::from(!shown.is_stranger && !is_void);
            self.struck += u64::from(!shown.is_stranger && !is_void && shown.is_struck);
        }
    }
}

#[cfg(test)]
mod tests;
