//! Which fields are drawn by chance, and what they prove. A draw depends on the run alone, so that it is the same each time.

use std::collections::BinaryHeap;

use serde::Serialize;

use crate::queue::{Item, Origin};
use formread_raster::hash::{Sha256, sha256};
use formread_tools::evaluate::{SCORE_CERTAINTY, upper_bound};

/// A number that is as good as drawn by chance, and always the same for a field of a run.
pub fn lot(identity: Sha256, purpose: &str, scan: &str, page: u32, field: &str) -> u64 {
    let text = serde_json::to_vec(&(identity, purpose, scan, page, field)).expect("names and numbers are JSON");
    (sha256(&text).half() >> 64) as u64
}

/// Whether a field goes to a second person in any case, where a `percent` of all do.
pub fn has_second_look(percent: u32, identity: Sha256, scan: &str, page: u32, field: &str) -> bool {
    is_in_share(lot(identity, "second-look", scan, page, field), f64::from(percent) / 100.0)
}

/// Whether a file with this content is held out, where a `share` of all is. It depends on the content alone: what is held out once is
/// held out from each later training, too.
pub fn is_held_out(content: Sha256, share: f64) -> bool {
    is_in_share(lot(content, "held-out", "", 0, ""), share)
}

fn is_in_share(lot: u64, share: f64) -> bool {
    (lot as f64) < share * u64::MAX as f64
}

/// Keeps the `n` fields with the smallest lots, of all that it is shown.
#[derive(Debug)]
pub struct Draw<T> {
    n: usize,
    kept: BinaryHeap<(u64, T)>,
}

impl<T: Ord> Draw<T> {
    /// A draw of `n`.
    pub fn new(n: usize) -> Self {
        Self { n, kept: BinaryHeap::new() }
    }

    /// Shows it a field.
    pub fn show(&mut self, lot: u64, field: impl FnOnce() -> T) {
        if self.kept.len() < self.n {
            self.kept.push((lot, field()));
        } else if self.kept.peek().is_some_and(|(largest, _)| lot < *largest) {
            self.kept.pop();
            self.kept.push((lot, field()));
        }
    }

    /// The fields that it kept, in the order of their lots.
    pub fn drawn(self) -> impl Iterator<Item = T> {
        self.kept.into_sorted_vec().into_iter().map(|(_, field)| field)
    }
}

/// What the audit has found so far. Accepted fields of the run were drawn at random; people read them blind.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Audit {
    /// Fields that were drawn.
    pub drawn: u64,
    /// Fields that are read.
    pub read: u64,
    /// Fields of which people read something else than was accepted. One on which they do not agree counts as well.
    pub wrong: u64,
    /// Estimate of the share of errors among the accepted fields of the run, 0 to 1: of those that are read. `None` where none is.
    pub error: Option<f64>,
    /// Upper bound of this share, true in 95 of 100 audits. Fields that nobody has read yet count as wrong: those that are read
    /// first are no random ones, because fields of one kind are asked together.
    pub error_at_most: f64,
}

impl Audit {
    /// What has been found by the items.
    pub fn of(items: &[Item]) -> Self {
        let drawn = items.iter().filter(|item| item.origin == Origin::Audit);
        let mut audit = Self::default();
        for item in drawn {
            audit.drawn += 1;
            audit.read += u64::from(!item.progress.readers.is_empty());
            audit.wrong += u64::from(!item.progress.readers.is_empty() && !item.progress.is_as_accepted);
        }
        audit.error = (audit.read > 0).then(|| audit.wrong as f64 / audit.read as f64);
        let unread = audit.drawn - audit.read;
        audit.error_at_most = upper_bound(audit.wrong + unread, audit.drawn, SCORE_CERTAINTY);
        audit
    }
}

/// What second people found who read a share of the fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SecondLooks {
    /// Fields that a second person has read for this.
    pub read: u64,
    /// Fields that were not settled to what the first person said.
    pub differ: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        queue::{Need, Progress},
        solve::Place,
    };

    /// Items of an audit: how many are read as accepted, read otherwise, and not read.
    fn items(right: u32, wrong: u32, unread: u32) -> Vec<Item> {
        let item = |i| Item {
            document: i,
            place: Place { page: 0, field: 0 },
            kind: (0, 0),
            origin: Origin::Audit,
            needs_two: false,
            progress: Progress {
                need: if i < right + wrong { Need::None } else { Need::Now },
                readers: if i < right + wrong { vec!["ann".to_owned()] } else { Vec::new() },
                is_as_accepted: i < right,
            },
        };
        (0..right + wrong + unread).map(item).collect()
    }

    #[test]
    fn audit_estimates_from_what_is_read_and_bounds_from_what_was_drawn() {
        let whole = Audit::of(&items(97, 3, 0));
        assert_eq!((whole.drawn, whole.read, whole.wrong, whole.error), (100, 100, 3, Some(0.03)));
        // Clopper and Pearson for 3 of 100, one-sided 95 %
        assert!((whole.error_at_most - 0.0757).abs() < 5e-4, "{}", whole.error_at_most);
        let half = Audit::of(&items(49, 1, 50));
        assert_eq!(half.error, Some(0.02));
        assert!(half.error_at_most > 0.51, "what nobody has read may be wrong: {}", half.error_at_most);
        let none = Audit::of(&items(0, 0, 100));
        assert_eq!((none.error, none.error_at_most), (None, 1.0));
    }
}
