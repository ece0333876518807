//! Against ground truth.

pub mod glyphs;
mod reliability;
mod values;

pub use reliability::{Reliability, ReliabilityBin};
pub use values::{Tally, ValueScore, WrongField, score_values};
