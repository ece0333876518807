//! Looks at templates before a batch does: what is known, what a template looks like, and what will go wrong with it.
//!
//! [`check()`] holds templates to what is known of forms that read well, and to each other; [`check_scans`] lays them on real
//! pages; [`simulate()`] reads drawn ones. Each gives [`Finding`]s, plain values with a place and a remedy. [`show()`] draws.

mod candidate;
mod check;
mod finding;
mod hold;
mod imprints;
mod layout;
mod list;
mod rules;
mod scans;
mod show;
mod simulate;

pub use candidate::Candidate;
pub use check::{CheckParams, Survey, check};
pub use finding::{Finding, FindingKind, Severity};
pub use list::{TemplateEntry, TemplateList};
pub use scans::{ScanFit, check_scans};
pub use show::{Shown, show, show_on, show_scan};
pub use simulate::{FieldForecast, Forecast, SimulateOptions, simulate};
