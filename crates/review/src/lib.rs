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
//! - The page never gets a reading of the machine's. An answer is keyed blind.
//! - An answer is acknowledged when it is on the disk, and counts once, however often it is sent.
//! - `solve`, `needs` and `queue` see no file, clock or thread.

mod answer;
mod audit;
mod context;
mod crops;
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
pub use final_rows::{FinalPage, SettledRow, final_pages};
pub use journal::{Event, Journal, Settings, read_journal};
pub use pages::{Decided, PageToSee};
pub use review::Review;
pub use run::{Run, RunPaths, identities};
pub use samples::{SampleReport, SampleSource, samples};
pub use serve::{ServeOptions, serve};
pub use status::Status;
pub use truth::{TruthPage, truth};
