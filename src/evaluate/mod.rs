//! Against ground truth.

mod values;

pub use values::{Tally, ValueScore, WrongField, score_values};
