//! Training: `features -> model -> loss -> optimiser -> batches`, each in a place of its own.
//!
//! | part | where |
//! |---|---|
//! | features: pixels, normalised | [`dataset`], [`crate::normalise`] |
//! | model: a convnet that ends in ten logits, and four that say whether it is a digit | [`crate::net::architecture`] |
//! | loss: softmax cross-entropy | `net/loss.rs` |
//! | optimiser: Adam | `net/adam.rs` |
//! | batches: reshuffled each epoch, augmented | `batches.rs`, `strips.rs`, `augment.rs`, `allographs.rs`, `negatives.rs` |
//!
//! The same seed gives the same weights on the same sort of machine, however many nets learn side by side.
#![doc = include_str!("TRIED.md")]

#[cfg(feature = "torch")]
mod allographs;
#[cfg(feature = "torch")]
mod augment;
#[cfg(feature = "torch")]
mod batches;
#[cfg(feature = "torch")]
mod calibrate;
#[cfg(feature = "torch")]
mod canvas;
#[cfg(feature = "torch")]
mod checkpoint;
pub mod dataset;
#[cfg(feature = "torch")]
mod lesson;
#[cfg(feature = "torch")]
mod negatives;
#[cfg(feature = "torch")]
mod recipe;
#[cfg(feature = "torch")]
mod row;
#[cfg(feature = "torch")]
mod signs;
#[cfg(feature = "torch")]
mod split;
#[cfg(feature = "torch")]
mod strips;
#[cfg(feature = "torch")]
mod subjects;

#[cfg(feature = "torch")]
pub use crate::net::Precision;
#[cfg(feature = "torch")]
pub use augment::Augmentation;
#[cfg(feature = "torch")]
pub use lesson::{Schedule, TrainEvent};
#[cfg(feature = "torch")]
pub use recipe::{GlyphOptions, StripOptions, TrainOptions, TrainReport, train};
