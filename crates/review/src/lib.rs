//! Review: people settle the fields of a run that the machine is not sure of, in a page of the browser.
//!
//! ```text
//! readings of the run ─┐
//! journal of answers  ─┴─ solve, needs (a document) ─ queue (whose turn) ─ serve (page, crops) ─ answer ─ journal
//!                                  └─ final_rows ─ FINAL.csv
//! ```
//!
//! # Invariants
//!
//! - What becomes of a field depends on the run and on the journal alone: `solve` is a function.
//! - The page never gets a reading of the machine's. An answer is keyed blind. A group of like digits has one digit as its heading, and nothing
//!   that says which of its crops are strangers, or whose they are.
//! - An answer is acknowledged when it is on the disk, and counts once, however often it is sent.
//! - `solve`, `needs` and `queue` see no file, clock or thread.

mod answer;
mod audit;
mod context;
mod crops;
mod digit_groups;
mod digits;
mod final_rows;
mod journal;
mod needs;
mod pages;
mod params;
mod queue;
mod review;
mod run;
mod samples;
mod serve;
mod solve;
mod status;
mod truth;

pub use answer::{Answer, Decision, Refusal};
pub use context::Context;
pub use digit_groups::{DigitPicture, FieldDigits, GroupCounts};
pub use digits::{DigitSource, add_digits};
pub use final_rows::{FinalPage, SettledRow, final_pages};
pub use journal::{Event, GivenGroup, Journal, Settings, ShownDigit, read_journal};
pub use pages::{Decided, PageToSee};
pub use review::{AskedGroup, PageDigits, Review, WantedDigits};
pub use run::{Run, RunPaths, identities};
pub use samples::{SampleReport, SampleSource, samples};
pub use serve::{ServeOptions, serve};
pub use solve::Place;
pub use status::Status;
pub use truth::{TruthPage, truth};
