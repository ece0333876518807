//! The convnet as it learns: batch normalisation, gradients, Adam. What it has learnt leaves it as folded tensors.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::adam::Moments;
use super::architecture::{CLASS_HEAD, CONVS, DIGIT_HEAD, HIDDEN, LINEARS, LinearLayer, N_FEATURES};
use super::convnet::{to_tensor, to_vec};
use super::loss::cross_entropy;
use super::weights::PlainTensor;
use crate::error::{Error, Result};
use crate::normalise::{GLYPH_SIDE, GlyphBatch};

/// Weight of a batch in the running mean and variance of batch normalisation (Ioffe and Szegedy, 2015).
const NORM_MOMENTUM: f64 = 0.1;
/// Keeps the quotient finite (the same).
const NORM_EPSILON: f64 = 1e-5;
/// Hidden values that are silenced a step (Srivastava et al., "Dropout", JMLR 15, 2014).
const DROPOUT: f64 = 0.3;
/// Weight decay, as a fraction of the learning rate; of kernels and matrices only.
const WEIGHT_DECAY: f64 = 0.01;

/// A net in training. The random numbers that it starts from and drops by are its own, so that nothing else in the
/// process can change what it learns.
pub struct Learner {
    /// What gradients are taken of.
    parameters: BTreeMap<String, Tensor>,
    /// Adam's state, by the parameters' names.
    moments: BTreeMap<String, Moments>,
    /// Running mean and variance of the normalised layers.
    statistics: BTreeMap<String, Tensor>,
    /// Steps taken.
    step: usize,
    seed: u64,
}

/// What both heads say of a batch.
pub(super) struct Logits {
    /// [N, 10]
    pub digits: Tensor,
    /// [N, 4]
    pub classes: Tensor,
}

impl Learner {
    /// A net that knows nothing yet: kernels and matrices drawn as He et al. say ("Delving deep into rectifiers",
    /// ICCV 2015), biases 0.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn new(seed: u64) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut plain = BTreeMap::new();
        for layer in CONVS {
            let name = layer.name;
            let shape = vec![layer.outputs, layer.inputs, layer.kernel, layer.kernel];
            plain.insert(format!("{name}.weight"), kaiming(&mut rng, shape));
            plain.insert(format!("{name}.norm.scale"), filled(layer.outputs, 1.0));
            plain.insert(format!("{name}.norm.shift"), filled(layer.outputs, 0.0));
            plain.insert(format!("{name}.norm.mean"), filled(layer.outputs, 0.0));
            plain.insert(format!("{name}.norm.variance"), filled(layer.outputs, 1.0));
        }
        for layer in LINEARS {
            let name = layer.name;
            plain.insert(format!("{name}.weight"), kaiming(&mut rng, vec![layer.outputs, layer.inputs]));
            plain.insert(format!("{name}.bias"), filled(layer.outputs, 0.0));
        }
        let mut learner =
            Self { parameters: BTreeMap::new(), moments: BTreeMap::new(), statistics: BTreeMap::new(), step: 0, seed };
        for (name, tensor) in plain {
            let tensor = to_tensor(&tensor)?;
            if is_statistic(&name) {
                learner.statistics.insert(name, tensor);
            } else {
                learner.moments.insert(name.clone(), Moments::zeros_like(&tensor)?);
                learner.parameters.insert(name, tensor.f_set_requires_grad(true)?);
            }
        }
        Ok(learner)
    }

    /// One step of Adam with the learning rate `lr` on a batch; gives the batch's mean loss before the step.
    /// Labels, one a glyph: 0 to 9 or [`super::NO_DIGIT`], and a [`super::GlyphClass`].
    ///
    /// # Errors
    /// Where the labels are not as many as the glyphs, the loss is not finite, or LibTorch fails.
    pub fn step(&mut self, batch: &GlyphBatch, digit_labels: &[i64], class_labels: &[i64], lr: f64) -> Result<f64> {
        let n = batch.n_glyphs;
        if n == 0 || digit_labels.len() != n || class_labels.len() != n {
            let (digits, classes) = (digit_labels.len(), class_labels.len());
            return Err(Error::usage(format_args!("{n} glyphs with {digits} and {classes} labels")));
        }
        let logits = self.forward(batch)?;
        let loss = cross_entropy(&logits, digit_labels, class_labels)?;
        let value = f64::from(to_vec(&loss)?[0]);
        if !value.is_finite() {
            return Err(Error::net(format_args!("loss: {value}; hint: a lower learning rate")));
        }
        loss.f_backward()?;
        self.step += 1;
        for (name, parameter) in &mut self.parameters {
            let decay = if name.ends_with(".weight") { WEIGHT_DECAY } else { 0.0 };
            let moments = self.moments.get_mut(name).expect("every parameter got its moments when it was made");
            moments.update(parameter, self.step, lr, decay)?;
        }
        Ok(value)
    }

    fn forward(&self, batch: &GlyphBatch) -> Result<Logits> {
        let (n, side) = (batch.n_glyphs as i64, GLYPH_SIDE as i64);
        let mut x = Tensor::f_from_slice(&batch.pixels)?.f_view([n, 1, side, side])?;
        for layer in CONVS {
            let parameter = |part: &str| &self.parameters[&format!("{}.{part}", layer.name)];
            let statistic = |part: &str| &self.statistics[&format!("{}.{part}", layer.name)];
            let (stride, padding) = (layer.stride as i64, layer.padding as i64);
            x = x.f_conv2d(parameter("weight"), None::<&Tensor>, stride, padding, 1, 1)?;
            let (scale, shift) = (parameter("norm.scale"), parameter("norm.shift"));
            let (mean, variance) = (statistic("norm.mean"), statistic("norm.variance"));
            let training = true;
            x = x
                .f_batch_norm(
                    Some(scale),
                    Some(shift),
                    Some(mean),
                    Some(variance),
                    training,
                    NORM_MOMENTUM,
                    NORM_EPSILON,
                    false,
                )?
                .f_relu()?;
        }
        let linear = |layer: LinearLayer, x: &Tensor| -> Result<Tensor> {
            let parameter = |part: &str| &self.parameters[&format!("{}.{part}", layer.name)];
            Ok(x.f_linear(parameter("weight"), Some(parameter("bias")))?)
        };
        // [N, C, H, W] => [N, C * H * W]
        let x = x.f_reshape([n, N_FEATURES as i64])?;
        let x = linear(HIDDEN, &x)?.f_relu()?;
        let x = x.f_mul(&self.dropout_mask(batch.n_glyphs)?)?;
        Ok(Logits { digits: linear(DIGIT_HEAD, &x)?, classes: linear(CLASS_HEAD, &x)? })
    }

    /// [N, hidden]: 0 where a value is silenced, and what keeps the mean where it is not. Drawn anew each step.
    fn dropout_mask(&self, n_glyphs: usize) -> Result<Tensor> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        // stream 0 drew the first weights
        rng.set_stream(self.step as u64 + 1);
        let keep = 1.0 / (1.0 - DROPOUT) as f32;
        let values: Vec<f32> =
            (0..n_glyphs * HIDDEN.outputs).map(|_| if rng.random_bool(DROPOUT) { 0.0 } else { keep }).collect();
        Ok(Tensor::f_from_slice(&values)?.f_view([n_glyphs as i64, HIDDEN.outputs as i64])?)
    }

    /// What was learnt, as [`super::Weights`] holds it: batch normalisation folded into the kernels before it.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn folded(&self) -> Result<BTreeMap<String, PlainTensor>> {
        let mut tensors = BTreeMap::new();
        for layer in CONVS {
            let parameter = |part: &str| to_vec(&self.parameters[&format!("{}.{part}", layer.name)]);
            let statistic = |part: &str| to_vec(&self.statistics[&format!("{}.{part}", layer.name)]);
            let (scale, shift) = (parameter("norm.scale")?, parameter("norm.shift")?);
            let (mean, variance) = (statistic("norm.mean")?, statistic("norm.variance")?);
            let mut kernel = parameter("weight")?;
            let mut bias = Vec::with_capacity(layer.outputs);
            let kernel_len = kernel.len() / layer.outputs;
            for (channel, values) in kernel.chunks_exact_mut(kernel_len).enumerate() {
                let gain = scale[channel] / (variance[channel] + NORM_EPSILON as f32).sqrt();
                values.iter_mut().for_each(|v| *v *= gain);
                bias.push(shift[channel] - mean[channel] * gain);
            }
            let shape = vec![layer.outputs, layer.inputs, layer.kernel, layer.kernel];
            tensors.insert(format!("{}.weight", layer.name), PlainTensor { shape, values: kernel });
            tensors.insert(format!("{}.bias", layer.name), PlainTensor { shape: vec![layer.outputs], values: bias });
        }
        for layer in LINEARS {
            for (part, shape) in [("weight", vec![layer.outputs, layer.inputs]), ("bias", vec![layer.outputs])] {
                let name = format!("{}.{part}", layer.name);
                let values = to_vec(&self.parameters[&name])?;
                tensors.insert(name, PlainTensor { shape, values });
            }
        }
        Ok(tensors)
    }

    /// Steps taken.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// Everything that a step depends on, so that training can go on from here to the bit.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn state(&self) -> Result<BTreeMap<String, PlainTensor>> {
        let mut state = BTreeMap::new();
        let mut put = |name: String, tensor: &Tensor| -> Result<()> {
            let shape = tensor.size().iter().map(|&n| n as usize).collect();
            state.insert(name, PlainTensor { shape, values: to_vec(tensor)? });
            Ok(())
        };
        for (name, tensor) in self.parameters.iter().chain(&self.statistics) {
            put(name.clone(), tensor)?;
        }
        for (name, moments) in &self.moments {
            put(format!("{name}.adam.first"), &moments.first)?;
            put(format!("{name}.adam.second"), &moments.second)?;
        }
        Ok(state)
    }

    /// The learner that gave this [`Learner::state`] after `step` steps.
    ///
    /// # Errors
    /// `Format` where the state is not that of this net.
    pub fn from_state(state: &BTreeMap<String, PlainTensor>, step: usize, seed: u64) -> Result<Self> {
        let mut learner = Self::new(seed)?;
        learner.step = step;
        let get = |name: &str, like: &Tensor| -> Result<Tensor> {
            let missing = || Error::format("checkpoint", format_args!("tensor missing or of another shape: {name}"));
            let shape: Vec<usize> = like.size().iter().map(|&n| n as usize).collect();
            to_tensor(state.get(name).filter(|tensor| tensor.shape == shape).ok_or_else(missing)?)
        };
        for (name, tensor) in &mut learner.parameters {
            *tensor = get(name, tensor)?.f_set_requires_grad(true)?;
        }
        for (name, tensor) in &mut learner.statistics {
            *tensor = get(name, tensor)?;
        }
        for (name, moments) in &mut learner.moments {
            moments.first = get(&format!("{name}.adam.first"), &moments.first)?;
            moments.second = get(&format!("{name}.adam.second"), &moments.second)?;
        }
        Ok(learner)
    }
}

fn is_statistic(name: &str) -> bool {
    name.ends_with(".norm.mean") || name.ends_with(".norm.variance")
}

fn filled(len: usize, value: f32) -> PlainTensor {
    PlainTensor { shape: vec![len], values: vec![value; len] }
}

/// Normal with variance 2 / fan-in, by Box and Muller's transform.
fn kaiming(rng: &mut ChaCha8Rng, shape: Vec<usize>) -> PlainTensor {
    let fan_in: usize = shape[1..].iter().product();
    let deviation = (2.0 / fan_in as f64).sqrt();
    let len = shape.iter().product();
    let draw = |_| {
        let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
        (deviation * (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
    };
    PlainTensor { values: (0..len).map(draw).collect(), shape }
}

#[cfg(test)]
mod tests {
    use super::super::weights::tests::untrained_sidecar;
    use super::super::{ConvNet, GlyphClassifier, NO_DIGIT, Weights};
    use super::*;

    /// Bars: digit i is a bar at column 2 + 2 i.
    fn bars() -> (GlyphBatch, Vec<i64>) {
        let mut batch = GlyphBatch::default();
        let labels: Vec<i64> = (0..30).map(|i| i % 10).collect();
        for &label in &labels {
            let column = 2 + 2 * label as usize;
            batch.pixels.extend((0..GLYPH_SIDE * GLYPH_SIDE).map(|i| f32::from(i % GLYPH_SIDE == column)));
            batch.n_glyphs += 1;
        }
        (batch, labels)
    }

    #[test]
    fn it_learns_bars_by_heart_and_folding_changes_nothing_that_matters() {
        let (batch, labels) = bars();
        let classes = vec![0; labels.len()];
        let mut learner = Learner::new(5).expect("LibTorch works");
        let losses: Vec<f64> =
            (0..40).map(|_| learner.step(&batch, &labels, &classes, 2e-3).expect("LibTorch works")).collect();
        assert!(losses[39] < 0.4 * losses[0], "{losses:?}");
        let tensors = learner.folded().expect("LibTorch works");
        let weights = Weights::new(tensors, untrained_sidecar()).expect("a learner's tensors fit");
        let scores = ConvNet::from_weights(&weights).and_then(|mut net| net.classify(&batch)).expect("LibTorch works");
        for (score, label) in scores.iter().zip(labels) {
            assert_eq!(score.best_digit().0 as i64, label, "{score:?}");
        }
    }

    #[test]
    fn a_learner_that_was_stored_goes_on_to_the_bit() {
        let (batch, labels) = bars();
        let classes = vec![0; labels.len()];
        let mut learner = Learner::new(5).expect("LibTorch works");
        let step = |learner: &mut Learner| learner.step(&batch, &labels, &classes, 1e-3).expect("LibTorch works");
        for _ in 0..3 {
            step(&mut learner);
        }
        let state = learner.state().expect("LibTorch works");
        let mut resumed = Learner::from_state(&state, learner.steps(), 5).expect("it is the same net");
        (0..3).for_each(|_| assert_eq!(step(&mut learner).to_bits(), step(&mut resumed).to_bits()));
        assert_eq!(learner.folded().expect("LibTorch works"), resumed.folded().expect("LibTorch works"));
    }

    #[test]
    fn a_batch_without_any_digit_teaches_the_class_head_alone() {
        let (batch, labels) = bars();
        let mut learner = Learner::new(5).expect("LibTorch works");
        let loss = learner.step(&batch, &vec![NO_DIGIT; labels.len()], &vec![3; labels.len()], 1e-3);
        assert!(loss.expect("LibTorch works").is_finite());
        assert!(learner.step(&batch, &labels[1..], &labels, 1e-3).is_err());
    }
}
