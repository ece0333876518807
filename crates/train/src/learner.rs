//! A net in training: batch normalisation, dropout, gradients, Adam. Its result is tensors with the normalisation folded in.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::adam::Moments;
use super::loss::{cross_entropy, ctc_loss};
use formread_core::normalise::{GLYPH_SIDE, GlyphBatch, STRIP_HEIGHT, Strip};
use formread_core::scores::Precision;
use formread_raster::error::{Error, Format};
use formread_torch::NetResult;
use formread_torch::architecture::{Activation, Architecture, COLUMN_PX, Conv, NETS};
use formread_torch::weights::PlainTensor;
use formread_torch::{convolved, tensor_kind, to_tensor, to_vec};

/// Weight of a batch in the running mean and variance of batch normalisation (Ioffe and Szegedy, 2015).
const NORM_MOMENTUM: f64 = 0.1;
/// Keeps the quotient finite (the same).
const NORM_EPSILON: f64 = 1e-5;
/// Share of hidden values set to 0 in each step (Srivastava et al., "Dropout", JMLR 15, 2014).
const DROPOUT: f64 = 0.3;
/// Weight decay, as a fraction of the learning rate; of kernels only.
const WEIGHT_DECAY: f64 = 0.01;

/// A net in training. It has its own random generators for first weights and dropout, so that nothing else in the process
/// changes the result.
pub struct Learner {
    architecture: Architecture,
    /// The trained parameters, by name.
    parameters: BTreeMap<String, Tensor>,
    /// State of Adam, by the names of the parameters.
    moments: BTreeMap<String, Moments>,
    /// Running mean and variance of the layers with batch normalisation.
    statistics: BTreeMap<String, Tensor>,
    /// Steps done.
    step: usize,
    seed: u64,
    precision: Precision,
}

/// Labels of a batch of glyphs, one for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GlyphLabels {
    /// 0 to 9, or [`crate::loss::NO_DIGIT`].
    pub digits: Vec<i64>,
    /// A [`formread_core::scores::GlyphClass`].
    pub classes: Vec<i64>,
}

impl Learner {
    /// An untrained net: random kernels (He et al., "Delving deep into rectifiers", ICCV 2015), biases 0.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn new(architecture: Architecture, seed: u64, precision: Precision) -> NetResult<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut plain = BTreeMap::new();
        for conv in architecture.convs() {
            let name = conv.name;
            plain.insert(format!("{name}.weight"), he_normal(&mut rng, conv.kernel_shape().to_vec()));
            if conv.activation == Activation::BatchNormRelu {
                plain.insert(format!("{name}.norm.scale"), constant(conv.outputs, 1.0));
                plain.insert(format!("{name}.norm.shift"), constant(conv.outputs, 0.0));
                plain.insert(format!("{name}.norm.mean"), constant(conv.outputs, 0.0));
                plain.insert(format!("{name}.norm.variance"), constant(conv.outputs, 1.0));
            } else {
                plain.insert(format!("{name}.bias"), constant(conv.outputs, 0.0));
            }
        }
        let mut learner = Self {
            architecture,
            parameters: BTreeMap::new(),
            moments: BTreeMap::new(),
            statistics: BTreeMap::new(),
            step: 0,
            seed,
            precision,
        };
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

    /// Takes over the parameters of a trained net, whose batch normalisation is folded into its kernels. The normalisation is
    /// put back with the mean and variance of `input`, [N, 1, H, W], so that the net computes what it computed before, and
    /// each layer with it gives values of variance 1, as an untrained net does.
    ///
    /// # Errors
    /// `Format` where a tensor is missing or has another shape; where LibTorch fails.
    pub fn start_from(&mut self, folded: &BTreeMap<String, PlainTensor>, input: Tensor) -> NetResult<()> {
        let mut x = input;
        let architecture = self.architecture;
        for conv in architecture.trunk {
            x = self.take_over(conv, folded, &x)?.f_relu()?;
        }
        for head in architecture.heads {
            let _ = self.take_over(head, folded, &x)?;
        }
        Ok(())
    }

    /// Takes over one layer, and gives its values before its activation, [N, C, H', W'].
    fn take_over(&mut self, conv: &Conv, folded: &BTreeMap<String, PlainTensor>, x: &Tensor) -> NetResult<Tensor> {
        let name = conv.name;
        let get = |part: &str, shape: Vec<usize>| {
            let name = format!("{name}.{part}");
            let missing = || Error::format(Format::Weights, format_args!("tensor missing or of another shape: {name}"));
            to_tensor(folded.get(&name).filter(|tensor| tensor.shape == shape).ok_or_else(missing)?)
        };
        let weight = get("weight", conv.kernel_shape().to_vec())?;
        let bias = get("bias", vec![conv.outputs])?;
        let values = convolved(x, conv, &weight, None)?;
        let per_channel = |tensor: &Tensor| tensor.f_view([1, -1, 1, 1]);
        let after = values.f_add(&per_channel(&bias)?)?;
        if conv.activation != Activation::BatchNormRelu {
            self.set_parameter(&format!("{name}.weight"), weight)?;
            self.set_parameter(&format!("{name}.bias"), bias)?;
            return Ok(after);
        }
        let mean = values.f_mean_dim([0, 2, 3].as_slice(), false, Kind::Float)?;
        let variance = values.f_var_dim([0, 2, 3].as_slice(), false, false)?;
        // `gain` is what the folded kernel was multiplied by, if its values had variance 1 before
        let gain = variance.f_add_scalar(NORM_EPSILON)?.f_sqrt()?;
        let (mean, variance) = (mean.f_div(&gain)?, variance.f_div(&gain.f_square()?)?);
        let scale = variance.f_add_scalar(NORM_EPSILON)?.f_sqrt()?.f_mul(&gain)?;
        let shift = bias.f_add(&mean.f_mul(&gain)?)?;
        self.set_parameter(&format!("{name}.weight"), weight.f_div(&gain.f_view([-1, 1, 1, 1])?)?)?;
        self.set_parameter(&format!("{name}.norm.scale"), scale)?;
        self.set_parameter(&format!("{name}.norm.shift"), shift)?;
        self.statistics.insert(format!("{name}.norm.mean"), mean);
        self.statistics.insert(format!("{name}.norm.variance"), variance);
        Ok(after)
    }

    /// Puts a parameter in the place of the one of this name.
    fn set_parameter(&mut self, name: &str, values: Tensor) -> NetResult<()> {
        self.parameters.insert(name.to_owned(), values.f_set_requires_grad(true)?);
        Ok(())
    }

    /// One step of Adam with the learning rate `lr` on a batch of glyphs. Returns the mean loss of the batch before the step.
    ///
    /// # Errors
    /// Where the number of labels is not that of the glyphs, the loss is not finite, or LibTorch fails.
    pub fn step_glyphs(&mut self, batch: &GlyphBatch, labels: &GlyphLabels, lr: f64) -> NetResult<f64> {
        let n = batch.n_glyphs;
        if n == 0 || labels.digits.len() != n || labels.classes.len() != n {
            let (digits, classes) = (labels.digits.len(), labels.classes.len());
            return Err(Error::usage(format_args!("{n} glyphs with {digits} and {classes} labels")).into());
        }
        let logits = self.forward(glyph_input(batch)?)?;
        // [N, C, 1, 1] => [N, C]
        let flat = |head: usize| logits[head].f_flatten(1, 3);
        let loss = cross_entropy(&flat(0)?, &flat(1)?, &labels.digits, &labels.classes)?;
        self.apply_gradient(&loss, lr)
    }

    /// The same on strips. `symbols` are those of each strip from left to right, as in
    /// [`formread_core::scores::StripScores`], without blanks. Strips of similar width need the least padding.
    ///
    /// # Errors
    /// Where the number of labels is not that of the strips, the loss is not finite, or LibTorch fails.
    pub fn step_strips(&mut self, strips: &[Strip], symbols: &[Vec<i64>], lr: f64) -> NetResult<f64> {
        let (n, n_labels) = (strips.len(), symbols.len());
        let width = widest(strips);
        if n_labels != n || width == 0 {
            return Err(Error::usage(format_args!("{n} strips with {n_labels} labels")).into());
        }
        let logits = self.forward(strip_input(strips, width)?)?;
        let n_columns: Vec<i64> = strips.iter().map(|strip| (strip.width / COLUMN_PX) as i64).collect();
        let loss = ctc_loss(&logits[0], &n_columns, symbols)?;
        self.apply_gradient(&loss, lr)
    }

    /// One step of Adam against the gradient of `loss`; returns its value.
    fn apply_gradient(&mut self, loss: &Tensor, lr: f64) -> NetResult<f64> {
        let value = f64::from(to_vec(loss)?[0]);
        if !value.is_finite() {
            return Err(Error::net(format_args!("loss: {value}; hint: use a lower learning rate")).into());
        }
        loss.f_backward()?;
        self.step += 1;
        for (name, parameter) in &mut self.parameters {
            let decay = if name.ends_with(".weight") { WEIGHT_DECAY } else { 0.0 };
            let moments = self.moments.get_mut(name).expect("every parameter gets its moments when it is created");
            moments.update(parameter, self.step, lr, decay)?;
        }
        Ok(value)
    }

    /// [N, 1, H, W] => [N, C, H', W'] for each head, in single precision.
    fn forward(&self, x: Tensor) -> NetResult<Vec<Tensor>> {
        let mut x = self.to_precision(&x)?;
        for (i, conv) in self.architecture.trunk.iter().enumerate() {
            x = self.layer(conv, &x)?.f_relu()?;
            if conv.activation == Activation::ReluDropout {
                x = x.f_mul(&self.to_precision(&self.dropout_mask(i, &x.size())?)?)?;
            }
        }
        self.architecture.heads.iter().map(|head| Ok(self.layer(head, &x)?.f_to_kind(Kind::Float)?)).collect()
    }

    /// Converts to the precision of this learner.
    fn to_precision(&self, x: &Tensor) -> NetResult<Tensor> {
        Ok(x.f_to_kind(tensor_kind(self.precision))?)
    }

    fn layer(&self, conv: &Conv, x: &Tensor) -> NetResult<Tensor> {
        let parameter = |part: &str| &self.parameters[&format!("{}.{part}", conv.name)];
        if conv.activation != Activation::BatchNormRelu {
            let bias = self.to_precision(parameter("bias"))?;
            return convolved(x, conv, &self.to_precision(parameter("weight"))?, Some(&bias));
        }
        let statistic = |part: &str| Some(&self.statistics[&format!("{}.{part}", conv.name)]);
        let x = convolved(x, conv, &self.to_precision(parameter("weight"))?, None)?;
        let (scale, shift) = (Some(parameter("norm.scale")), Some(parameter("norm.shift")));
        let (mean, variance) = (statistic("norm.mean"), statistic("norm.variance"));
        let training = true;
        Ok(x.f_batch_norm(scale, shift, mean, variance, training, NORM_MOMENTUM, NORM_EPSILON, false)?)
    }

    /// A mask of this shape: 0 where a value is dropped, 1 / (1 - rate) elsewhere, which keeps the mean. New in each step.
    fn dropout_mask(&self, layer: usize, shape: &[i64]) -> NetResult<Tensor> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        // stream 0 is for the first weights
        rng.set_stream((layer as u64) << 48 | (self.step as u64 + 1));
        let keep = 1.0 / (1.0 - DROPOUT) as f32;
        let n: i64 = shape.iter().product();
        // one byte for each value; the lowest ones are dropped
        let mut bytes = vec![0u8; n as usize];
        rng.fill(&mut bytes);
        let dropped_below = (DROPOUT * 256.0) as u8;
        let values: Vec<f32> = bytes.into_iter().map(|byte| if byte < dropped_below { 0.0 } else { keep }).collect();
        Ok(Tensor::f_from_slice(&values)?.f_view(shape)?)
    }

    /// The tensors for [`formread_torch::Weights`]: batch normalisation is folded into the kernels before it.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn folded(&self) -> NetResult<BTreeMap<String, PlainTensor>> {
        let mut tensors = BTreeMap::new();
        for conv in self.architecture.convs() {
            let parameter = |part: &str| to_vec(&self.parameters[&format!("{}.{part}", conv.name)]);
            let statistic = |part: &str| to_vec(&self.statistics[&format!("{}.{part}", conv.name)]);
            let mut kernel = parameter("weight")?;
            let bias = if conv.activation == Activation::BatchNormRelu {
                let (scale, shift) = (parameter("norm.scale")?, parameter("norm.shift")?);
                let (mean, variance) = (statistic("norm.mean")?, statistic("norm.variance")?);
                let gain = |channel: usize| scale[channel] / (variance[channel] + NORM_EPSILON as f32).sqrt();
                let kernel_len = kernel.len() / conv.outputs;
                for (channel, values) in kernel.chunks_exact_mut(kernel_len).enumerate() {
                    values.iter_mut().for_each(|v| *v *= gain(channel));
                }
                (0..conv.outputs).map(|channel| shift[channel] - mean[channel] * gain(channel)).collect()
            } else {
                parameter("bias")?
            };
            let shape = conv.kernel_shape().to_vec();
            tensors.insert(format!("{}.weight", conv.name), PlainTensor { shape, values: kernel });
            tensors.insert(format!("{}.bias", conv.name), PlainTensor { shape: vec![conv.outputs], values: bias });
        }
        Ok(tensors)
    }

    /// Steps done.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// Everything that a step depends on. A learner restored from it continues with bit-identical results.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn state(&self) -> NetResult<BTreeMap<String, PlainTensor>> {
        let mut state = BTreeMap::new();
        let mut put = |name: String, tensor: &Tensor| -> NetResult<()> {
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

    /// Restores a learner from its [`Learner::state`] after `step` steps.
    ///
    /// # Errors
    /// `Format` where the state belongs to another net.
    pub fn from_state(
        architecture: Architecture,
        state: &BTreeMap<String, PlainTensor>,
        step: usize,
        seed: u64,
        precision: Precision,
    ) -> NetResult<Self> {
        let mut learner = Self::new(architecture, seed, precision)?;
        learner.step = step;
        let get = |name: &str, like: &Tensor| -> NetResult<Tensor> {
            let missing =
                || Error::format(Format::Checkpoint, format_args!("tensor missing or of another shape: {name}"));
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

/// [N, 1, 28, 28].
pub(super) fn glyph_input(batch: &GlyphBatch) -> NetResult<Tensor> {
    let side = GLYPH_SIDE as i64;
    Ok(Tensor::f_from_slice(&batch.pixels)?.f_view([batch.n_glyphs as i64, 1, side, side])?)
}

/// The width of the widest strip, pixels; 0 where there is none.
pub(super) fn widest(strips: &[Strip]) -> usize {
    strips.iter().map(|strip| strip.width).max().unwrap_or(0)
}

/// [N, 1, 32, `width`]: on the right of narrower strips is paper.
pub(super) fn strip_input(strips: &[Strip], width: usize) -> NetResult<Tensor> {
    let n = strips.len();
    let mut pixels = vec![0.0f32; n * STRIP_HEIGHT * width];
    let rows = strips.iter().flat_map(|strip| strip.pixels.chunks_exact(strip.width));
    for (row, place) in rows.zip(pixels.chunks_exact_mut(width)) {
        place[..row.len()].copy_from_slice(row);
    }
    Ok(Tensor::f_from_slice(&pixels)?.f_view([n as i64, 1, STRIP_HEIGHT as i64, width as i64])?)
}

/// The tensors of all nets, untrained.
///
/// # Errors
/// Where LibTorch fails.
pub fn untrained_tensors(seed: u64) -> NetResult<BTreeMap<String, PlainTensor>> {
    let mut tensors = BTreeMap::new();
    for architecture in NETS {
        tensors.extend(Learner::new(architecture, seed, Precision::Single)?.folded()?);
    }
    Ok(tensors)
}

fn is_statistic(name: &str) -> bool {
    name.ends_with(".norm.mean") || name.ends_with(".norm.variance")
}

fn constant(len: usize, value: f32) -> PlainTensor {
    PlainTensor { shape: vec![len], values: vec![value; len] }
}

/// Normally distributed with variance 2 / fan-in, by the Box-Muller transform.
fn he_normal(rng: &mut ChaCha8Rng, shape: Vec<usize>) -> PlainTensor {
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
    use super::*;
    use crate::loss::NO_DIGIT;
    use formread_core::recognise::GlyphClassifier;
    use formread_core::scores::ctc_greedy_decode;
    use formread_torch::architecture::{GLYPH, STRIP};
    use formread_torch::weights::Sidecar;
    use formread_torch::{ConvNet, Weights};

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
    fn learner_overfits_bars_and_folded_tensors_read_them() {
        let (batch, labels) = bars();
        let labels = GlyphLabels { classes: vec![0; labels.len()], digits: labels };
        let mut learner = Learner::new(GLYPH, 5, Precision::Single).expect("LibTorch works");
        let losses: Vec<f64> =
            (0..40).map(|_| learner.step_glyphs(&batch, &labels, 2e-3).expect("LibTorch works")).collect();
        assert!(losses[39] < 0.4 * losses[0], "{losses:?}");
        let mut tensors = untrained_tensors(5).expect("LibTorch works");
        tensors.extend(learner.folded().expect("LibTorch works"));
        let weights = Weights::new(tensors, Sidecar::untrained()).expect("a learner's tensors fit");
        let scores = ConvNet::from_weights(&weights).and_then(|mut net| net.classify(&batch)).expect("LibTorch works");
        for (score, label) in scores.iter().zip(labels.digits) {
            assert_eq!(score.best_digit().0 as i64, label, "{score:?}");
        }
    }

    #[test]
    fn learner_restored_from_state_continues_bit_identically() {
        let (batch, labels) = bars();
        let labels = GlyphLabels { classes: vec![0; labels.len()], digits: labels };
        let mut learner = Learner::new(GLYPH, 5, Precision::Single).expect("LibTorch works");
        let step = |learner: &mut Learner| learner.step_glyphs(&batch, &labels, 1e-3).expect("LibTorch works");
        for _ in 0..3 {
            step(&mut learner);
        }
        let state = learner.state().expect("LibTorch works");
        let mut resumed =
            Learner::from_state(GLYPH, &state, learner.steps(), 5, Precision::Single).expect("it is the same net");
        (0..3).for_each(|_| assert_eq!(step(&mut learner).to_bits(), step(&mut resumed).to_bits()));
        assert_eq!(learner.folded().expect("LibTorch works"), resumed.folded().expect("LibTorch works"));
    }

    #[test]
    fn learner_that_starts_from_a_trained_net_computes_the_same_and_goes_on() {
        let (batch, labels) = bars();
        let labels = GlyphLabels { classes: vec![0; labels.len()], digits: labels };
        let mut learner = Learner::new(GLYPH, 5, Precision::Single).expect("LibTorch works");
        let step = |learner: &mut Learner| learner.step_glyphs(&batch, &labels, 1e-3).expect("LibTorch works");
        let first = step(&mut learner);
        (0..40).for_each(|_| _ = step(&mut learner));
        let folded = learner.folded().expect("LibTorch works");
        let mut next = Learner::new(GLYPH, 6, Precision::Single).expect("LibTorch works");
        let input = || glyph_input(&batch).expect("the batch has glyphs");
        next.start_from(&folded, input()).expect("it is the same net");
        for (name, tensor) in next.folded().expect("LibTorch works") {
            let before = &folded[&name];
            assert_eq!(tensor.shape, before.shape);
            for (&a, &b) in tensor.values.iter().zip(&before.values) {
                assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "{name}: {a} is not {b}");
            }
        }
        assert!(step(&mut next) < 0.3 * first, "the first step starts from the loss of the trained net");
        let mut strip = Learner::new(STRIP, 6, Precision::Single).expect("LibTorch works");
        assert!(strip.start_from(&folded, input()).is_err(), "its tensors are missing");
    }

    #[test]
    fn step_glyphs_without_digits_trains_the_class_head_only() {
        let (batch, labels) = bars();
        let n = labels.len();
        let mut learner = Learner::new(GLYPH, 5, Precision::Single).expect("LibTorch works");
        let none = GlyphLabels { digits: vec![NO_DIGIT; n], classes: vec![3; n] };
        assert!(learner.step_glyphs(&batch, &none, 1e-3).expect("LibTorch works").is_finite());
        let few = GlyphLabels { digits: labels[1..].to_vec(), classes: labels };
        assert!(learner.step_glyphs(&batch, &few, 1e-3).is_err());
    }

    #[test]
    fn learner_overfits_strips_of_any_width() {
        // a bar every 16 columns; its row encodes the symbol
        let strip = |text: &[i64]| {
            let width = 16 * (text.len() + 1);
            let mut pixels = vec![0.0; STRIP_HEIGHT * width];
            for (i, &symbol) in text.iter().enumerate() {
                let start = 2 * symbol as usize * width + 16 * i + 8;
                pixels[start..start + 8].fill(1.0);
                pixels[start + width..start + width + 8].fill(1.0);
            }
            Strip { pixels, width }
        };
        let texts = vec![vec![1, 2, 3], vec![4, 4], vec![11], vec![7, 1, 7, 9, 10], Vec::new()];
        let strips: Vec<Strip> = texts.iter().map(|text| strip(text)).collect();
        let mut learner = Learner::new(STRIP, 5, Precision::Single).expect("LibTorch works");
        for _ in 0..150 {
            learner.step_strips(&strips, &texts, 2e-3).expect("LibTorch works");
        }
        let mut tensors = untrained_tensors(5).expect("LibTorch works");
        tensors.extend(learner.folded().expect("LibTorch works"));
        let weights = Weights::new(tensors, Sidecar::untrained()).expect("a learner's tensors fit");
        let net = ConvNet::from_weights(&weights).expect("LibTorch works");
        let columns = net.columns(&strips.iter().collect::<Vec<_>>()).expect("LibTorch works");
        for ((strip, text), columns) in strips.iter().zip(&texts).zip(columns) {
            assert_eq!(columns.len(), strip.width / COLUMN_PX);
            assert_eq!(ctc_greedy_decode(&columns).iter().map(|&s| s as i64).collect::<Vec<_>>(), *text);
        }
        assert!(learner.step_strips(&strips[1..], &texts, 1e-3).is_err());
        assert!(learner.step_strips(&[], &[], 1e-3).is_err());
    }
}
