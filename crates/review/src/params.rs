//! Numbers that were chosen by measurement.

use std::time::Duration;

/// Smallest probability among the machine's readings, 0 to 1, at which the machine agrees with a person's value. The best reading agrees at
/// any. Raising it sends more fields to a second person, and settles fewer wrong values that a person and the machine have in
/// common. Chosen by simulation, see `tests/simulation.rs` of this crate: of 47,750 fields without sums, 0.13 settles 99 wrong and sends 17.4 %
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
