//! Against ground truth.

pub mod glyphs;
mod values;

pub use values::{Tally, ValueScore, WrongField, score_values};
