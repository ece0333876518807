//! The nets as they read: folded weights, inputs of fixed sizes.

use tch::{Device, Kind, Tensor, no_grad};

use super::architecture::{Architecture, Conv, End, GLYPH, SECOND, STRIP};
use super::views::{N_VIEWS, add_views, strip_views};
use super::weights::{PlainTensor, Weights};
use super::writer::Centres;
use super::{Columns, GlyphClass, GlyphScores, N_CLASSES, N_DIGITS, NetDevice, Recogniser, StripScores};
use crate::error::{Error, Result};
use crate::normalise::{GLYPH_SIDE, GlyphBatch, STRIP_HEIGHT, Strip};

/// Glyphs that go through the net at a time. Always this many, the last chunk filled up with paper: LibTorch chooses
/// its kernels by the batch's size, and another kernel may round differently. Strips go through one by one.
pub const CHUNK: usize = 32;

/// Looked at closely, a glyph is seen by both nets, in several views, where its digit is less likely than this.
const DOUBTFUL: f32 = 0.97;

/// But not where it is hardly a digit at all: pieces of digits are many, and what digit they are is always in doubt.
const LEAST_DIGIT: f32 = 0.02;

/// Looked at closely, a strip is seen in several views where the likeliest way through its columns is less likely than this.
const DOUBTFUL_STRIP: f32 = 0.9;

/// The nets. Loading them from [`Weights`] copies 4 MB: cheap enough for one a thread.
pub struct ConvNet {
    glyphs: Net,
    second: Net,
    strips: Net,
    temperature: f64,
    centres: Option<Centres>,
}

/// One net.
struct Net {
    trunk: Vec<Layer>,
    heads: Vec<Layer>,
    device: Device,
}

/// A convolution with its weights.
struct Layer {
    conv: Conv,
    weight: Tensor,
    bias: Tensor,
}

/// Sets how many threads LibTorch uses for one operation, for the whole process. One is right where several nets read
/// side by side, each on its thread; training pays off with all cores. Call it before the first net is used.
pub fn set_threads(n_threads: usize) {
    tch::set_num_threads(i32::try_from(n_threads.max(1)).unwrap_or(i32::MAX));
}

impl NetDevice {
    /// A graphics card where this LibTorch has one to use, else the processor.
    pub fn best() -> Self {
        if tch::Cuda::is_available() { Self::Cuda } else { Self::Cpu }
    }

    /// # Errors
    /// `Usage` where there is none to use.
    fn checked(self) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda if tch::Cuda::is_available() => Ok(Device::Cuda(0)),
            Self::Cuda => {
                let hint = "set LIBTORCH to a CUDA build of LibTorch and build anew, or use the processor";
                Err(Error::usage("no graphics card that this LibTorch can use").with_hint(hint))
            }
        }
    }
}

/// Of N glyphs: digit logits [N, 10] and class logits [N, 6].
pub type GlyphLogits = (Vec<[f32; N_DIGITS]>, Vec<[f32; N_CLASSES]>);

/// The same of one.
type OneGlyph = ([f32; N_DIGITS], [f32; N_CLASSES]);

impl ConvNet {
    /// The nets with these weights, on the processor.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn from_weights(weights: &Weights) -> Result<Self> {
        Self::on_device(weights, NetDevice::Cpu)
    }

    /// The nets with these weights.
    ///
    /// # Errors
    /// `Usage` where there is no such device; where LibTorch fails.
    pub fn on_device(weights: &Weights, device: NetDevice) -> Result<Self> {
        let device = device.checked()?;
        Ok(Self {
            glyphs: Net::load(weights, &GLYPH, device)?,
            second: Net::load(weights, &SECOND, device)?,
            strips: Net::load(weights, &STRIP, device)?,
            temperature: f64::from(weights.sidecar().temperature),
            centres: weights.sidecar().centres.clone(),
        })
    }

    /// Digit logits [N, 10], not yet divided by the temperature, and class logits [N, 6]: of a doubtful digit the means over
    /// both nets and several views.
    ///
    /// # Errors
    /// Where the batch is not what it says, or LibTorch fails.
    pub fn logits(&mut self, batch: &GlyphBatch) -> Result<GlyphLogits> {
        let (mut digits, mut classes) = self.glyphs.glyph_logits(batch)?;
        let scores: Vec<GlyphScores> = digits.iter().zip(&classes).map(|logits| self.scores(logits)).collect();
        for (i, (of_digits, of_classes)) in self.close_logits(batch, &scores)? {
            (digits[i], classes[i]) = (of_digits, of_classes);
        }
        Ok((digits, classes))
    }

    /// Of the glyphs that `scores` leave in doubt, their places in the batch and the means of their logits.
    fn close_logits(&self, batch: &GlyphBatch, scores: &[GlyphScores]) -> Result<Vec<(usize, OneGlyph)>> {
        let is_doubtful =
            |&i: &usize| scores[i].best_digit().1 < DOUBTFUL && scores[i].class(GlyphClass::Digit) > LEAST_DIGIT;
        let doubtful: Vec<usize> = (0..scores.len()).filter(is_doubtful).collect();
        let glyph_len = GLYPH_SIDE * GLYPH_SIDE;
        let mut views = GlyphBatch { pixels: Vec::new(), n_glyphs: doubtful.len() * N_VIEWS };
        for i in &doubtful {
            add_views(&batch.pixels[i * glyph_len..(i + 1) * glyph_len], &mut views.pixels);
        }
        let (first, second) = (self.glyphs.glyph_logits(&views)?, self.second.glyph_logits(&views)?);
        let means = doubtful.into_iter().enumerate().map(|(place, i)| {
            let looks = place * N_VIEWS..(place + 1) * N_VIEWS;
            let digits = mean(&first.0[looks.clone()], &second.0[looks.clone()]);
            (i, (digits, mean(&first.1[looks.clone()], &second.1[looks])))
        });
        Ok(means.collect())
    }

    fn scores(&self, (digits, classes): (&[f32; N_DIGITS], &[f32; N_CLASSES])) -> GlyphScores {
        GlyphScores { digits: softmax(digits, self.temperature), classes: softmax(classes, 1.0) }
    }

    /// What the net says of a strip at one look, however doubtful.
    ///
    /// # Errors
    /// Where the strip is not what it says, or LibTorch fails.
    pub fn columns(&self, strip: &Strip) -> Result<Columns> {
        if strip.pixels.len() != STRIP_HEIGHT * strip.width || strip.width == 0 {
            let (width, len) = (strip.width, strip.pixels.len());
            return Err(Error::usage(format_args!("a strip {width} pixels wide with {len} pixels")));
        }
        let logits = self.strips.forward(&strip.pixels, [1, STRIP_HEIGHT, strip.width])?;
        // [symbols, columns] => columns of log probabilities
        let n_columns = logits[0].len() / super::N_SYMBOLS;
        let column = |c: usize| {
            let logits = std::array::from_fn(|symbol| logits[0][symbol * n_columns + c]);
            log_softmax(&logits)
        };
        Ok((0..n_columns).map(column).collect())
    }
}

impl Recogniser for ConvNet {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        let (digits, classes) = self.glyphs.glyph_logits(batch)?;
        Ok(digits.iter().zip(&classes).map(|logits| self.scores(logits)).collect())
    }

    fn classify_closely(&mut self, batch: &GlyphBatch, scores: &mut [GlyphScores]) -> Result<()> {
        for (i, (digits, classes)) in self.close_logits(batch, scores)? {
            scores[i] = self.scores((&digits, &classes));
        }
        Ok(())
    }

    fn adapt(&self, scores: &mut [GlyphScores]) {
        if let Some(centres) = &self.centres {
            centres.adapt(scores);
        }
    }

    fn read_strip(&mut self, strip: &Strip) -> Result<StripScores> {
        Ok(StripScores { views: vec![self.columns(strip)?] })
    }

    fn read_strip_closely(&mut self, strip: &Strip, scores: &mut StripScores) -> Result<()> {
        if scores.views.first().is_some_and(|columns| surety(columns) < DOUBTFUL_STRIP) {
            for view in strip_views(strip) {
                scores.views.push(self.columns(&view)?);
            }
        }
        Ok(())
    }
}

/// Probability of the likeliest way through the columns, 0 to 1: a lower bound of its text's.
fn surety(columns: &Columns) -> f32 {
    let largest = |column: &[f32; super::N_SYMBOLS]| column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    columns.iter().map(largest).sum::<f32>().exp()
}

impl Net {
    fn load(weights: &Weights, architecture: &Architecture, device: Device) -> Result<Self> {
        let layer = |conv: &Conv| {
            let tensor = |part: &str| -> Result<Tensor> {
                Ok(to_tensor(weights.tensor(&format!("{}.{part}", conv.name))?)?.f_to_device(device)?)
            };
            Ok(Layer { conv: *conv, weight: tensor("weight")?, bias: tensor("bias")? })
        };
        let layers = |convs: &[Conv]| convs.iter().map(layer).collect::<Result<Vec<_>>>();
        Ok(Self { trunk: layers(architecture.trunk)?, heads: layers(architecture.heads)?, device })
    }

    /// Logits of glyphs at one look.
    fn glyph_logits(&self, batch: &GlyphBatch) -> Result<GlyphLogits> {
        let glyph_len = GLYPH_SIDE * GLYPH_SIDE;
        if batch.pixels.len() != batch.n_glyphs * glyph_len {
            let (n, len) = (batch.n_glyphs, batch.pixels.len());
            return Err(Error::usage(format_args!("a batch of {n} glyphs with {len} pixels")));
        }
        let mut digits = Vec::with_capacity(batch.n_glyphs);
        let mut classes = Vec::with_capacity(batch.n_glyphs);
        let mut padded = vec![0.0f32; CHUNK * glyph_len];
        for chunk in batch.pixels.chunks(CHUNK * glyph_len) {
            let n_glyphs = chunk.len() / glyph_len;
            padded[..chunk.len()].copy_from_slice(chunk);
            padded[chunk.len()..].fill(0.0);
            let logits = self.forward(&padded, [CHUNK, GLYPH_SIDE, GLYPH_SIDE])?;
            digits.extend(logits[0].as_chunks().0.iter().take(n_glyphs).copied());
            classes.extend(logits[1].as_chunks().0.iter().take(n_glyphs).copied());
        }
        Ok((digits, classes))
    }

    /// `pixels` [N, 1, H, W] of the `size` [N, H, W] -> of each head the logits [N, C, H', W'], flat.
    fn forward(&self, pixels: &[f32], size: [usize; 3]) -> Result<Vec<Vec<f32>>> {
        let [n, height, width] = size.map(|side| side as i64);
        no_grad(|| {
            let mut x = Tensor::f_from_slice(pixels)?.f_view([n, 1, height, width])?.f_to_device(self.device)?;
            for layer in &self.trunk {
                x = layer.apply(&x)?;
            }
            self.heads.iter().map(|head| to_vec(&head.apply(&x)?)).collect()
        })
    }
}

impl Layer {
    fn apply(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = convolved(x, &self.conv, &self.weight, Some(&self.bias))?;
        Ok(if self.conv.end == End::Logits { x } else { x.f_relu_()? })
    }
}

/// [N, inputs, H, W] -> [N, outputs, H', W'].
pub(super) fn convolved(x: &Tensor, conv: &Conv, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let pair = |pair: [usize; 2]| pair.map(|n| n as i64);
    Ok(x.f_conv2d(weight, bias, pair(conv.stride), pair(conv.padding), [1, 1], 1)?)
}

/// Mean of the logits of several looks.
fn mean<const N: usize>(some: &[[f32; N]], others: &[[f32; N]]) -> [f32; N] {
    let sum = |i: usize| some.iter().chain(others).map(|look| look[i]).sum::<f32>();
    std::array::from_fn(|i| sum(i) / (some.len() + others.len()) as f32)
}

/// exp(logit / temperature), normalised. In double precision, so that ten of them sum to 1 as well as f32 can say.
pub(super) fn softmax<const N: usize>(logits: &[f32; N], temperature: f64) -> [f32; N] {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = logits.map(|logit| (f64::from(logit - largest) / temperature).exp());
    let sum: f64 = powers.iter().sum();
    powers.map(|power| (power / sum) as f32)
}

/// The logarithm of the softmax.
fn log_softmax<const N: usize>(logits: &[f32; N]) -> [f32; N] {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - largest).exp()).sum();
    logits.map(|logit| (f64::from(logit - largest) - sum.ln()) as f32)
}

pub(super) fn to_tensor(plain: &PlainTensor) -> Result<Tensor> {
    let shape: Vec<i64> = plain.shape.iter().map(|&n| n as i64).collect();
    Ok(Tensor::f_from_slice(&plain.values)?.f_view(shape.as_slice())?)
}

pub(super) fn to_vec(tensor: &Tensor) -> Result<Vec<f32>> {
    let flat = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut values = vec![0.0f32; flat.numel()];
    let len = values.len();
    flat.f_copy_data(&mut values, len)?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::learner::untrained_tensors;
    use super::super::weights::tests::untrained_sidecar;
    use super::*;

    fn net(seed: u64) -> ConvNet {
        let weights = Weights::new(untrained_tensors(seed).expect("LibTorch works"), untrained_sidecar())
            .expect("a learner's tensors fit");
        ConvNet::from_weights(&weights).expect("LibTorch works")
    }

    fn noise(n_glyphs: usize, seed: u64) -> GlyphBatch {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let pixels = (0..n_glyphs * GLYPH_SIDE * GLYPH_SIDE).map(|_| rng.random::<f32>()).collect();
        GlyphBatch { pixels, n_glyphs }
    }

    #[test]
    fn every_glyph_gets_probabilities() {
        for n_glyphs in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let scores = net(1).classify(&noise(n_glyphs, 2)).expect("LibTorch works");
            assert_eq!(scores.len(), n_glyphs);
            for score in scores {
                assert!((score.digits.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{score:?}");
                assert!((score.classes.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{score:?}");
            }
        }
    }

    #[test]
    fn a_glyph_scores_the_same_to_the_last_bit_in_any_company() {
        let mut net = net(1);
        let glyph_len = GLYPH_SIDE * GLYPH_SIDE;
        let glyph = noise(1, 7);
        let alone = net.classify(&glyph).expect("LibTorch works")[0];
        for place in 0..2 * CHUNK {
            let mut batch = noise(2 * CHUNK + 5, place as u64);
            batch.pixels[place * glyph_len..(place + 1) * glyph_len].copy_from_slice(&glyph.pixels);
            let there = net.classify(&batch).expect("LibTorch works")[place];
            assert_eq!(there.digits.map(f32::to_bits), alone.digits.map(f32::to_bits), "digits at place {place}");
            assert_eq!(there.classes.map(f32::to_bits), alone.classes.map(f32::to_bits), "classes at place {place}");
        }
    }

    #[test]
    fn a_device_that_is_not_there_is_refused_and_one_that_is_says_the_same() {
        let weights = Weights::new(untrained_tensors(1).expect("LibTorch works"), untrained_sidecar());
        let weights = weights.expect("a learner's tensors fit");
        let on_cpu = net(1).classify(&noise(3, 2)).expect("LibTorch works");
        match ConvNet::on_device(&weights, NetDevice::Cuda) {
            Err(error) => {
                assert_eq!(NetDevice::best(), NetDevice::Cpu);
                assert!(error.to_string().contains("hint: "), "{error}");
            }
            Ok(mut there) => {
                assert_eq!(NetDevice::best(), NetDevice::Cuda);
                let there = there.classify(&noise(3, 2)).expect("LibTorch works");
                let differ = |(a, b): (&GlyphScores, &GlyphScores)| (a.digits[0] - b.digits[0]).abs() > 1e-3;
                assert!(!there.iter().zip(&on_cpu).any(differ), "{there:?}, {on_cpu:?}");
            }
        }
    }

    #[test]
    fn a_batch_that_is_not_what_it_says_is_refused() {
        let batch = GlyphBatch { pixels: vec![0.0; 100], n_glyphs: 1 };
        assert!(net(1).classify(&batch).is_err());
    }

    #[test]
    fn a_higher_temperature_is_less_sure() {
        let logits = [0.0, 3.0, 1.0];
        let (sharp, soft) = (softmax(&logits, 0.5), softmax(&logits, 2.0));
        assert!(sharp[1] > soft[1] && soft[1] > soft[2] && soft[2] > soft[0]);
    }
}
