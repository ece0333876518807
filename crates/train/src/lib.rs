//! Training: `features -> model -> loss -> optimiser -> batches`, each in a place of its own.
//!
//! | part | where |
//! |---|---|
//! | features: pixels, normalised | [`dataset`], [`formread_core::normalise`] |
//! | model: a convnet that ends in ten logits, and four that say whether it is a digit | [`formread_torch::architecture`] |
//! | loss: softmax cross-entropy | `net/loss.rs` |
//! | optimiser: Adam | `net/adam.rs` |
//! | batches: reshuffled each epoch, augmented | `batches.rs`, `strips.rs`, `augment.rs`, `allographs.rs`, `negatives.rs` |
//!
//! The same seed gives the same weights on the same sort of machine, however many nets learn side by side.

mod adam;
mod allographs;
mod augment;
mod batches;
mod calibrate;
mod canvas;
mod checkpoint;
mod learner;
mod lesson;
mod loss;
mod negatives;
mod recipe;
mod row;
mod signs;
mod split;
mod strips;
mod subjects;

pub use augment::Augmentation;
pub use formread_core::scores::Precision;
pub use learner::{GlyphLabels, Learner, untrained_tensors};
pub use lesson::{Schedule, TrainEvent};
pub use loss::NO_DIGIT;
pub use recipe::{GlyphOptions, StripOptions, TrainOptions, TrainReport, train};
