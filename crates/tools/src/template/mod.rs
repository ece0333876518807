//! Templates before a run uses them: which are known, what one looks like, and what will go wrong with it.
//!
//! | task | module |
//! |---|---|
//! | list the known templates | `list` |
//! | draw a template, blank or on a scan | `picture` |
//! | draw the captions of drafted fields beside it | `captions` |
//! | check a template by itself and against the others | `check` |
//! | check a template on real pages | `scan_check` |
//! | read drawn pages and forecast errors | `simulate` |
//!
//! The three checks give [`Finding`]s: plain values with a place and a remedy. [`CheckReport`] collects them.

mod captions;
mod check;
mod file;
mod finding;
mod list;
mod params;
mod picture;
mod report;
mod scan_check;
mod simulate;

pub use captions::with_captions;
pub use check::check;
pub use file::TemplateFile;
pub use finding::{Finding, FindingKind, Severity};
pub use list::{TemplateEntry, TemplateList};
pub use params::CheckParams;
pub use picture::{TemplatePicture, show_blank, show_on_page, show_on_scan};
pub use report::CheckReport;
pub use scan_check::{ScanFit, check_scans};
pub use simulate::{FieldForecast, Forecast, SimulateOptions, simulate};
