//! Scores readings against ground truth, and finds acceptance levels that keep errors within a budget.

mod acceptance;
mod budget;
mod calibrate;
mod chart;
mod crops;
mod curve;
mod digits;
pub mod glyphs;
mod html;
mod marks;
mod paired;
mod pools;
mod reliability;
mod tables;
mod tally;
mod values;

pub use acceptance::{Acceptance, FieldAcceptance};
pub use budget::{Budget, LEVELS, Level, Sample, upper_bound};
pub use calibrate::{Calibration, FieldCalibration, calibrate};
pub use crops::{cut_context, cut_field};
pub use curve::{CurvePoint, error_reject_curve};
pub use digits::DigitScore;
pub use html::html_report;
pub use marks::{MarkTally, score_marks};
pub use paired::{Paired, Question, compare};
pub use pools::Pool;
pub use reliability::{Reliability, ReliabilityBin};
pub use tables::{Answer, TruthField, join_tables};
pub use tally::{SCORE_CERTAINTY, Tally};
pub use values::{ValueScore, WrongField, score_values};
