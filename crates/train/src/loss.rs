//! Loss functions: softmax cross-entropy for the heads of a glyph, connectionist temporal classification (CTC) for strips.

use tch::{Kind, Reduction, Tensor};

use formread_core::scores::{CTC_BLANK, N_DIGITS};
use formread_torch::NetResult;

/// Digit label of a sample that is no digit. The loss of the digit head ignores such samples.
pub const NO_DIGIT: i64 = -100;

/// Weight of the class head's loss against the digit head's.
const CLASS_WEIGHT: f64 = 0.5;

/// Label smoothing: share of a digit's label that is spread over all ten (Szegedy et al., "Rethinking the inception
/// architecture", CVPR 2016). It lowers the error on new writers' digits and bounds the logits.
const LABEL_SMOOTHING: f64 = 0.05;

/// Mean loss of a batch of glyphs: that of the digit head over its digits, plus the weighted one of the class head over all.
///
/// `digits` [N, 10] and `classes` [N, 19] are logits; `digit_labels` \[N\] i64, 0 to 9 or [`NO_DIGIT`]; `class_labels`
/// \[N\] i64, 0 to 18.
pub fn cross_entropy(
    digits: &Tensor,
    classes: &Tensor,
    digit_labels: &[i64],
    class_labels: &[i64],
) -> NetResult<Tensor> {
    let classes = head_loss(classes, class_labels, 0.0)?.f_mul_scalar(CLASS_WEIGHT)?;
    // without a digit the mean would be 0 / 0
    if !digit_labels.iter().any(|&label| (0..N_DIGITS as i64).contains(&label)) {
        return Ok(classes);
    }
    Ok(head_loss(digits, digit_labels, LABEL_SMOOTHING)?.f_add(&classes)?)
}

/// Mean cross-entropy over the samples whose label is not [`NO_DIGIT`].
fn head_loss(logits: &Tensor, labels: &[i64], smoothing: f64) -> NetResult<Tensor> {
    let labels = Tensor::f_from_slice(labels)?;
    Ok(logits.f_cross_entropy_loss(&labels, None::<&Tensor>, Reduction::Mean, NO_DIGIT, smoothing)?)
}

/// Mean CTC loss of a batch of strips: minus the log probability of the symbols, summed over all alignments with
/// the columns (Graves et al., "Connectionist temporal classification", ICML 2006).
///
/// `logits` [N, symbols, 1, columns]; `n_columns` \[N\], columns of each strip without padding; `symbols`, the
/// symbols of each strip.
pub fn ctc_loss(logits: &Tensor, n_columns: &[i64], symbols: &[Vec<i64>]) -> NetResult<Tensor> {
    // [N, symbols, 1, columns] => [columns, N, symbols]
    let scores = logits.f_squeeze_dim(2)?.f_permute([2, 0, 1])?.f_log_softmax(2, Kind::Float)?;
    let lengths: Vec<i64> = symbols.iter().map(|text| text.len() as i64).collect();
    let text = Tensor::f_from_slice(&symbols.concat())?;
    // a text that is too long for its strip has probability 0: its loss counts as 0
    let zero_infinity = true;
    let blank = CTC_BLANK as i64;
    let sum = Tensor::f_ctc_loss(&scores, &text, n_columns, lengths.as_slice(), blank, Reduction::Sum, zero_infinity)?;
    Ok(sum.f_div_scalar(symbols.len().max(1) as f64)?)
}
