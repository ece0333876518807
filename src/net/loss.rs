//! What training makes small: softmax cross-entropy of both heads.

use tch::{Reduction, Tensor};

use super::N_DIGITS;
use super::learner::Logits;
use crate::error::Result;

/// Stands for "not one of the ten" among digit labels; such a sample does not count in the digit head's loss.
pub const NO_DIGIT: i64 = -100;

/// Share of every label that is spread over the other classes (Szegedy et al., "Rethinking the Inception
/// architecture", CVPR 2016, section 7): mislabelled and ambiguous digits pull less. Raising it costs confidence.
const LABEL_SMOOTHING: f64 = 0.05;

/// Weight of the class head's loss against the digit head's.
const CLASS_WEIGHT: f64 = 0.5;

/// Mean loss of a batch: the digit head's over the digits in it, plus the class head's over all of it.
///
/// `digit_labels` `[N]` i64, 0 to 9 or [`NO_DIGIT`]; `class_labels` `[N]` i64, 0 to 3.
pub(super) fn cross_entropy(logits: &Logits, digit_labels: &[i64], class_labels: &[i64]) -> Result<Tensor> {
    let targets = Tensor::f_from_slice(class_labels)?;
    let classes = head(&logits.classes, &targets)?.f_mul_scalar(CLASS_WEIGHT)?;
    // the mean over no digit at all would be 0 / 0
    if !digit_labels.iter().any(|&label| (0..N_DIGITS as i64).contains(&label)) {
        return Ok(classes);
    }
    let digits = head(&logits.digits, &Tensor::f_from_slice(digit_labels)?)?;
    Ok(digits.f_add(&classes)?)
}

/// Mean over the samples whose target is not [`NO_DIGIT`].
fn head(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    Ok(logits.f_cross_entropy_loss(targets, None::<&Tensor>, Reduction::Mean, NO_DIGIT, LABEL_SMOOTHING)?)
}
