//! Numbers that were chosen by measurement.

use std::time::Duration;

/// Smallest probability among the machine's readings, 0 to 1, at which the machine agrees with a person's value. The best reading agrees at
/// any. Raising it sends more fields to a second person, and settles fewer wrong values that a person and the machine have in
/// common. Chosen by simulation, see `tests/simulation` of this crate: of 47,750 fields without sums, 0.13 settles 99 wrong and sends 17.4 %
/// to a second person, 0.15 settles 92 wrong and sends 20.0 %.
pub const MIN_AGREEMENT: f64 = 0.145;

/// Smallest confidence, 0 to 1, at which a field that the run left for review is not asked, because rules settled it after answers to others.
/// Raising it asks more fields, and settles fewer wrong ones. Chosen by simulation: of 30,551 fields with sums, 0.97 frees 9,521, of which 15
/// are wrong, 0.985 frees 8,911, of which 5 are, and 0.99 frees 8,180, of which 4 are.
pub const MIN_FREED: f64 = 0.985;

/// Most people who read a field. Where no two of them agree, it stays open.
pub const MAX_READERS: usize = 3;

/// How long nobody else is asked a field that somebody has before him. Every call of his page renews it.
pub const LEASE: Duration = Duration::from_secs(180);

/// Fields that a page has at hand, so that the next is there at once.
pub const AHEAD: usize = 8;

/// Further fields of each session whose pages are decoded before they are asked. Raising it takes more of the memory for pictures, from
/// which the oldest must go.
pub const FIELDS_AHEAD: usize = 8;

/// Memory for pictures of fields, bytes.
pub const MAX_CROP_BYTES: usize = 48 << 20;

/// Most digits in doubt in a group. With the strangers each has a letter as its key. Raising it saves keys, and tires the eye. Fixed by design.
pub const GROUP_IN_DOUBT: usize = 23;

/// Strangers in a group of [`GROUP_IN_DOUBT`] digits in doubt; smaller ones have their share, and one at the least. Raising it costs keys, and
/// voids more groups of people who overlook some. Fixed by design: who overlooks one odd digit in ten loses a group in four.
pub const GROUP_STRANGERS: usize = 3;

/// Fewest digits in doubt in a group. Raising it keys more fields. Fixed by design: a smaller group saves hardly a key.
pub const MIN_GROUP: usize = 8;

/// Smallest confidence, 0 to 1, from which a field may be in groups. Raising it keys more fields, and settles fewer wrong: what the machine has
/// right nobody can overlook. Chosen by simulation, see `tests/simulation` of this crate: of 11,930 fields without sums and people who
/// overlook one odd digit in 100, 0.5 settles 39 wrong and saves 25 % of the keys, 0.7 settles 21 wrong and saves 17 %, 0.8 settles 22
/// wrong and saves 11 %, 0.9 settles 20 wrong and saves 4 %; of people who overlook one in 20, 74, 32, 28 and 15 are wrong. Keys alone
/// settle 16 wrong.
pub const MIN_GROUPED: f64 = 0.8;

/// Smallest share, 0 to 1, of the machine's readings that differ from its best one in nothing but digits, from which a field may be in groups:
/// digits one by one do not show that one was left out. Raising it keys more fields. Chosen by hand.
pub const MIN_LIKE_SHAPED: f64 = 0.99;

/// Smallest confidence, 0 to 1, of an accepted field whose digits are strangers. A wrong one voids a group, and settles nothing wrong. Chosen by
/// hand.
pub const MIN_STRANGER: f64 = 0.99;

/// Most strangers of a digit that are kept.
pub const MAX_STRANGERS: usize = 200;

/// Memory for pictures of digits, bytes. Further pages wait until there is room.
pub const MAX_DIGIT_BYTES: usize = 48 << 20;
