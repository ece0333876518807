//! Trains the nets of formread: data, model, loss, optimiser and loop, each in a module of its own.
//!
//! | part | where |
//! |---|---|
//! | data: labelled digits, split by writers | [`formread_tools::dataset`], `split.rs` |
//! | batches: shuffled, augmented, mixed with generated signs | `batches.rs`, `augment.rs`, `allographs.rs`, `negatives.rs`, `strokes.rs` |
//! | strips: lines of digits and signs | `strips.rs`, `line_of_digits.rs`, `signs.rs`, `sign_forms.rs`, `tracks.rs` |
//! | model: a net in training, and its architecture | `learner.rs`, [`formread_torch::architecture`] |
//! | loss: softmax cross-entropy, CTC | `loss.rs` |
//! | optimiser: Adam | `adam.rs` |
//! | loop: epochs, steps, checkpoints | `fit.rs`, `tasks.rs`, `checkpoint.rs` |
//! | calibration: the temperature, the confidence model | `calibrate.rs`, `confidence.rs` |
//! | the whole: options, order, report | `recipe.rs` |
//!
//! The same seed gives the same weights on the same kind of machine, however many nets are trained in parallel.

mod adam;
mod allographs;
mod augment;
mod batches;
mod calibrate;
mod canvas;
mod checkpoint;
mod confidence;
mod fit;
mod learner;
mod line_of_digits;
mod loss;
mod negatives;
mod recipe;
mod sign_forms;
mod signs;
mod split;
mod strips;
mod strokes;
mod tasks;
mod tracks;

pub use augment::Augmentation;
pub use confidence::ConfidenceFit;
pub use fit::{Schedule, TrainEvent};
pub use formread_core::scores::Precision;
pub use learner::{GlyphLabels, Learner, untrained_tensors};
pub use loss::NO_DIGIT;
pub use recipe::{GlyphOptions, StripOptions, TrainOptions, TrainReport, train};
