//! What a run reports: events while it reads, counts at its end.

use std::collections::BTreeMap;

use formread_core::{
    assemble::DocumentRecord,
    rows::{PageRows, Verdict},
};
use formread_sinks::Counts;

/// Something that a person may want to see during a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A page could not be read.
    Rejected {
        /// Name of the file in the table.
        scan: &'a str,
        /// Page, from 1.
        page: u32,
        /// The reason, as in the table.
        reason: &'a str,
        /// Details for a person; may be empty.
        detail: &'a str,
    },
    /// A file may still be written to, and is left for the next run.
    Deferred {
        /// Name that the file would have in the table.
        scan: &'a str,
    },
    /// A file has the content of an earlier one, and so the same rows.
    Copy {
        /// Name of the file in the table.
        scan: &'a str,
        /// The first file with this content.
        of: &'a str,
    },
    /// A document of several pages is incomplete, or has some page more than once.
    Document {
        /// Name of the file in the table.
        scan: &'a str,
        /// The pages that were found.
        document: &'a DocumentRecord,
    },
    /// A line of the journal does not hold: what was written from there on is read anew.
    JournalFault {
        /// Line, from 1.
        line: u64,
        /// Why.
        why: &'a str,
    },
    /// Pages without a picture, because the pictures before have the size that they may have.
    PicturesLeftOut {
        /// Number of these pages.
        n: u64,
        /// That size, bytes.
        max_bytes: u64,
    },
    /// The tables were stored in another place.
    Stored {
        /// The place.
        to: &'a str,
        /// What became of the pages there.
        counts: &'a Counts,
    },
    /// A page was read or rejected.
    PageDone,
    /// A file is finished.
    FileDone,
}

/// Counts of a finished run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files in the tables.
    pub n_files: u64,
    /// Files among them that have the content of an earlier one.
    pub n_copies: u64,
    /// Files that are in no table, because they may still be written to.
    pub n_deferred: u64,
    /// Pages of the files. Each is in the table once, as accepted, for review, or rejected.
    pub n_pages: u64,
    /// Pages whose fields are all accepted or blank.
    pub n_accepted: u64,
    /// Pages with a field that needs a person.
    pub n_review: u64,
    /// Pages that could not be read, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Documents of several pages, by verdict: `complete`, `surplus` or `incomplete`.
    pub documents: BTreeMap<String, u64>,
    /// Digits in the readings, accepted or not.
    pub n_digits: u64,
    /// Pages that this run read itself; the others are copies, or were read before the run was resumed.
    pub n_pages_read: u64,
}

impl Summary {
    /// Number of pages that could not be read.
    pub fn n_rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    pub(super) fn count(&mut self, rows: &PageRows) {
        self.n_digits += rows.n_digits();
        match rows.verdict {
            Verdict::Accepted => self.n_accepted += 1,
            Verdict::Review => self.n_review += 1,
            Verdict::Rejected => *self.rejected.entry(rows.attention.clone()).or_default() += 1,
        }
    }
}
