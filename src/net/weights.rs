//! Weights on disk and in memory.

/// Weights.
pub struct Weights;
