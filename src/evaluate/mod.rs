//! Against ground truth.

pub mod glyphs;
