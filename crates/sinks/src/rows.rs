//! What goes into a sink and comes out of a source: a run, its scans in their order, and their pages and documents.

use std::borrow::Cow;

use formread_core::rows::{FieldRow, PageRows};
use formread_raster::{error::Result, fsio::Change, hash::Sha256};

use crate::{
    form::Form,
    record::{RecordHead, Scan},
};

/// Somewhere that the tables of a run are written to. Calls come in this order: [`Sink::begin`]; for each scan
/// [`Sink::scan`], its pages, its documents; [`Sink::prepare`]; [`Sink::commit`]. A sink that is dropped before it is committed
/// changes nothing.
pub trait Sink {
    /// A run follows.
    ///
    /// # Errors
    /// Where the sink cannot be written to, or is of another shape.
    fn begin(&mut self, run: &Run) -> Result<()>;

    /// The next scan of the run follows.
    ///
    /// # Errors
    /// Where it cannot be stored.
    fn scan(&mut self, scan: &Scan) -> Result<()>;

    /// The next page of the scan.
    ///
    /// # Errors
    /// Where it cannot be stored, or a value is not of its field's kind.
    fn page(&mut self, rows: &PageRows) -> Result<()>;

    /// The next document of the scan.
    ///
    /// # Errors
    /// Where it cannot be stored.
    fn document(&mut self, document: &DocumentRow) -> Result<()>;

    /// The run is whole. Everything is stored now, and nobody can see it yet.
    ///
    /// # Errors
    /// Where it cannot be stored.
    fn prepare(&mut self) -> Result<()>;

    /// Ends the transaction of a database. Files get their names when the caller commits the changes that are returned, with
    /// those of other sinks.
    ///
    /// # Errors
    /// Where it cannot be stored. If the connection to a server broke off just then, it may be stored nevertheless.
    fn commit(self: Box<Self>) -> Result<Committed>;
}

/// Where the tables of a run are read from.
pub trait Source {
    /// Sends everything to `sink`, up to the last document; the caller prepares and commits.
    ///
    /// # Errors
    /// Where the source cannot be read or contradicts itself, or the sink fails.
    fn send(&mut self, sink: &mut dyn Sink) -> Result<()>;
}

/// A run, before its scans.
#[derive(Debug, Clone)]
pub struct Run {
    /// SHA-256 of `OUT.run.json`. The record contains no time and no name of a machine, so equal runs have equal keys.
    pub key: Sha256,
    /// What the run read with, and its counts.
    pub record: RecordHead,
    /// The columns of `OUT.csv` after `attention`.
    pub columns: Vec<String>,
    /// The forms that were found, by name. Empty where a source does not have them.
    pub forms: Vec<Form>,
    /// Whether there is a table of documents.
    pub has_documents: bool,
}

/// A row of `OUT.documents.csv`, without the scan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentRow {
    /// `document`, `verdict`, `pages`, `missing`, `surplus`, `unread`.
    pub cells: [String; 6],
}

/// Whether a person settled this value: such rows have no confidence.
pub fn is_by_person(row: &FieldRow) -> bool {
    row.confidence.is_empty() && row.state != "review"
}

/// What a sink did.
#[derive(Debug)]
pub struct Committed {
    /// The pages of the run.
    pub counts: Counts,
    /// Files that wait for their names, in this order; none of a database.
    pub files: Vec<Change>,
}

/// What became of the pages of a run. In a database each content counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pages that were not there.
    pub n_new: u64,
    /// Pages that differed, and were replaced.
    pub n_replaced: u64,
    /// Pages that were there and are the same.
    pub n_unchanged: u64,
    /// Pages that were there, and which their scan no longer has.
    pub n_removed: u64,
    /// Pages that differ and were left as they are, because a person settled a value on them. The first hundred, as
    /// `scan page 3`.
    pub kept: Vec<String>,
    /// All of these.
    pub n_kept: u64,
}

impl Counts {
    /// Longest list of pages that are named.
    const MAX_NAMED: usize = 100;

    /// Notes a page that was left as it is.
    pub(crate) fn keep(&mut self, scan: &str, page: u32) {
        self.n_kept += 1;
        if self.kept.len() < Self::MAX_NAMED {
            self.kept.push(format!("{scan} page {page}"));
        }
    }
}

/// A SHA-256 over all that a page's rows contain, except the name of its scan: equal digests are equal rows.
pub(crate) fn digest(rows: &PageRows) -> String {
    let mut bytes = Vec::with_capacity(256 * rows.fields.len());
    let mut add = |text: &str| {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    [rows.form.as_str(), rows.verdict.as_str(), &rows.attention].into_iter().for_each(&mut add);
    for row in &rows.fields {
        let FieldRow { field, state, value, guess, confidence, reason, bounds } = row;
        [field, state, value, guess, confidence, reason].into_iter().for_each(|text| add(text));
        bounds.iter().for_each(|edge| add(&edge.to_string()));
    }
    formread_raster::hash::sha256(&bytes).to_string()
}

/// Text that a database has; nothing where it is empty.
pub(crate) fn non_empty(text: &str) -> Option<Cow<'_, str>> {
    (!text.is_empty()).then_some(Cow::Borrowed(text))
}
