//! The nets for inference: folded weights, inputs of fixed sizes.

use tch::{Device, Kind, Tensor, no_grad};

use super::architecture::{Activation, Architecture, COLUMN_PX, Conv, GLYPH, GLYPH_ENSEMBLE, STRIP};
use super::error::NetResult;
use super::tta::{GLYPH_TTA, GLYPH_TTA_PER_ROUND, add_views};
use super::weights::{PlainTensor, Weights};
use super::writer::StyleModel;
use formread_core::normalise::{GLYPH_SIDE, GlyphBatch, STRIP_HEIGHT, Strip};
use formread_core::recognise::GlyphClassifier;
use formread_core::scores::{
    Compute, CtcLogProbs, GlyphClass, GlyphScores, N_CLASSES, N_DIGITS, N_SYMBOLS, NetDevice, Precision,
};
use formread_raster::error::{Error, Result};

/// Glyphs that go through the net at a time. Always this many, the last chunk filled up with paper: LibTorch chooses
/// its kernels by the batch's size, and another kernel may round differently.
pub const CHUNK: usize = 32;

/// Strips of one width that go through the net at a time, at most: their kernels are the same for any number of them, and
/// beyond four there is little to gain.
const STRIPS_AT_ONCE: usize = 4;

/// Strips are filled up with paper to a multiple of this width, pixels, as they are in a batch of training: LibTorch makes
/// kernels anew for every width, and keeps those of a few.
const STRIP_STEP: usize = 32;

/// A glyph is ambiguous where its best digit is less likely than this, 0 to 1. It goes through the ensemble, and while it
/// stays ambiguous through test-time augmentation. Chosen empirically, set not recorded. Raising it costs time.
const MAX_AMBIGUOUS_PROBABILITY: f32 = 0.97;

/// A glyph that is less likely a digit than this is not refined: pieces of digits are many, and always ambiguous.
const MIN_DIGIT_PROBABILITY: f32 = 0.02;

/// Pixels of a glyph.
const GLYPH_LEN: usize = GLYPH_SIDE * GLYPH_SIDE;

/// The nets. Loading them from [`Weights`] copies 5.8 MB: cheap enough for one per thread.
pub struct ConvNet {
    glyphs: Net,
    second: Net,
    strips: Net,
    temperature: f64,
    style_model: Option<StyleModel>,
}

/// One net.
struct Net {
    trunk: Vec<Layer>,
    heads: Vec<Layer>,
    device: Device,
    kind: Kind,
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

/// The fastest backend there is: a graphics card where this LibTorch has one to use, else the processor.
pub fn fastest_compute() -> Compute {
    if tch::Cuda::is_available() {
        Compute { device: NetDevice::Cuda, precision: Precision::Single }
    } else {
        Compute { device: NetDevice::Cpu, precision: Precision::best() }
    }
}

/// LibTorch's name of `precision`.
pub fn tensor_kind(precision: Precision) -> Kind {
    match precision {
        Precision::Single => Kind::Float,
        Precision::Bfloat16 => Kind::BFloat16,
    }
}

/// LibTorch's name of `device`.
///
/// # Errors
/// `Usage` where there is no such device.
fn torch_device(device: NetDevice) -> Result<Device> {
    match device {
        NetDevice::Cpu => Ok(Device::Cpu),
        NetDevice::Cuda if tch::Cuda::is_available() => Ok(Device::Cuda(0)),
        NetDevice::Cuda => {
            let hint = "set LIBTORCH to a CUDA build of LibTorch and build anew, or use the processor";
            Err(Error::usage("no graphics card that this LibTorch can use").with_hint(hint))
        }
    }
}

/// Of N glyphs: digit logits [N, 10] and class logits [N, 6].
pub type GlyphLogits = (Vec<[f32; N_DIGITS]>, Vec<[f32; N_CLASSES]>);

/// The same of one.
type OneGlyph = ([f32; N_DIGITS], [f32; N_CLASSES]);

impl ConvNet {
    /// The nets with these weights, on the processor, in single precision.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub fn from_weights(weights: &Weights) -> Result<Self> {
        Self::new(weights, Compute::default())
    }

    /// The nets with these weights.
    ///
    /// # Errors
    /// `Usage` where there is no such device; where LibTorch fails.
    pub fn new(weights: &Weights, Compute { device, precision }: Compute) -> Result<Self> {
        let (device, kind) = (torch_device(device)?, tensor_kind(precision));
        Ok(Self {
            glyphs: Net::load(weights, &GLYPH, device, kind)?,
            second: Net::load(weights, &GLYPH_ENSEMBLE, device, kind)?,
            strips: Net::load(weights, &STRIP, device, kind)?,
            temperature: f64::from(weights.sidecar().temperature),
            style_model: weights.sidecar().style_model.clone(),
        })
    }

    /// Digit logits [N, 10], not yet divided by the temperature, and class logits [N, 6]: of a doubtful digit the means over
    /// both nets and several views.
    ///
    /// # Errors
    /// Where the batch has another length than it declares, or LibTorch fails.
    pub fn logits(&mut self, batch: &GlyphBatch) -> NetResult<GlyphLogits> {
        let (mut digits, mut classes) = self.glyphs.glyph_logits(batch)?;
        let scores: Vec<GlyphScores> = digits.iter().zip(&classes).map(|logits| self.scores(logits)).collect();
        for (i, (of_digits, of_classes)) in self.close_logits(batch, &scores)? {
            (digits[i], classes[i]) = (of_digits, of_classes);
        }
        Ok((digits, classes))
    }

    /// Of the glyphs that `scores` leave in doubt, their places in the batch and their logits: the means over both nets, and over
    /// several views of those that both together leave in doubt still.
    fn close_logits(&self, batch: &GlyphBatch, scores: &[GlyphScores]) -> NetResult<Vec<(usize, OneGlyph)>> {
        let doubtful: Vec<usize> = (0..scores.len()).filter(|&i| is_doubtful(&scores[i])).collect();
        let both = |views: &GlyphBatch| -> NetResult<Vec<OneGlyph>> {
            let ((digits, classes), second) = (self.glyphs.glyph_logits(views)?, self.second.glyph_logits(views)?);
            let own = digits.into_iter().zip(classes);
            let looks = own.zip(second.0.into_iter().zip(second.1));
            Ok(looks.map(|(a, b)| (mean(&[a.0, b.0]), mean(&[a.1, b.1]))).collect())
        };
        let glyph = |i: usize| &batch.pixels[i * GLYPH_LEN..(i + 1) * GLYPH_LEN];
        let pixels = doubtful.iter().flat_map(|&i| glyph(i)).copied().collect();
        let at_once = both(&GlyphBatch { pixels, n_glyphs: doubtful.len() })?;
        let mut seen: Vec<(usize, OneGlyph)> = doubtful.into_iter().zip(at_once).collect();
        for (round, views) in GLYPH_TTA.into_iter().enumerate() {
            let mut left: Vec<&mut (usize, OneGlyph)> =
                seen.iter_mut().filter(|(_, logits)| is_doubtful(&self.scores((&logits.0, &logits.1)))).collect();
            let n_before = 1 + round * GLYPH_TTA_PER_ROUND;
            let mut batch_of_views = GlyphBatch { pixels: Vec::new(), n_glyphs: left.len() * GLYPH_TTA_PER_ROUND };
            left.iter().for_each(|(i, _)| add_views(glyph(*i), views, &mut batch_of_views.pixels));
            let looks = both(&batch_of_views)?;
            for ((_, (digits, classes)), looks) in left.iter_mut().zip(looks.chunks_exact(GLYPH_TTA_PER_ROUND)) {
                add_to_mean(digits, n_before, looks.iter().map(|look| look.0));
                add_to_mean(classes, n_before, looks.iter().map(|look| look.1));
            }
        }
        Ok(seen)
    }

    fn scores(&self, (digits, classes): (&[f32; N_DIGITS], &[f32; N_CLASSES])) -> GlyphScores {
        GlyphScores { digits: softmax(digits, self.temperature), classes: softmax(classes, 1.0) }
    }

    /// Log probabilities of each of `strips` from one pass. They do not depend on the other strips, to the last bit.
    ///
    /// # Errors
    /// Where a strip has another length than it declares, or LibTorch fails.
    pub fn columns(&self, strips: &[&Strip]) -> NetResult<Vec<CtcLogProbs>> {
        if let Some(Strip { pixels, width }) =
            strips.iter().find(|strip| strip.pixels.len() != STRIP_HEIGHT * strip.width || strip.width == 0)
        {
            let len = pixels.len();
            return Err(Error::usage(format_args!("a strip {width} pixels wide with {len} pixels")).into());
        }
        let padded_width = |i: usize| strips[i].width.next_multiple_of(STRIP_STEP);
        let mut by_width: Vec<usize> = (0..strips.len()).collect();
        by_width.sort_by_key(|&i| padded_width(i));
        let mut columns = vec![CtcLogProbs::new(); strips.len()];
        for alike in by_width.chunk_by(|&i, &j| padded_width(i) == padded_width(j)) {
            for at_once in alike.chunks(STRIPS_AT_ONCE) {
                let seen: Vec<&Strip> = at_once.iter().map(|&i| strips[i]).collect();
                let found = self.columns_of_width(&seen, padded_width(at_once[0]))?;
                at_once.iter().zip(found).for_each(|(&i, found)| columns[i] = found);
            }
        }
        Ok(columns)
    }

    /// The same of strips that are filled up with paper to one `width`.
    fn columns_of_width(&self, strips: &[&Strip], width: usize) -> NetResult<Vec<CtcLogProbs>> {
        let mut padded = vec![0.0; strips.len() * STRIP_HEIGHT * width];
        for (strip, padded) in strips.iter().zip(padded.chunks_exact_mut(STRIP_HEIGHT * width)) {
            for (row, place) in strip.pixels.chunks_exact(strip.width).zip(padded.chunks_exact_mut(width)) {
                place[..strip.width].copy_from_slice(row);
            }
        }
        let logits = self.strips.forward(&padded, [strips.len(), STRIP_HEIGHT, width])?;
        // [strips, symbols, columns] => columns of log probabilities
        let n_columns = logits[0].len() / strips.len() / N_SYMBOLS;
        let of_strip = |(strip, logits): (&&Strip, &[f32])| {
            let column = |c: usize| log_softmax(&std::array::from_fn(|symbol| logits[symbol * n_columns + c]));
            (0..strip.width / COLUMN_PX).map(column).collect()
        };
        Ok(strips.iter().zip(logits[0].chunks_exact(N_SYMBOLS * n_columns)).map(of_strip).collect())
    }
}

impl GlyphClassifier for ConvNet {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        let (digits, classes) = self.glyphs.glyph_logits(batch)?;
        Ok(digits.iter().zip(&classes).map(|logits| self.scores(logits)).collect())
    }

    fn refine_glyphs(&mut self, batch: &GlyphBatch, scores: &mut [GlyphScores]) -> Result<()> {
        for (i, (digits, classes)) in self.close_logits(batch, scores)? {
            scores[i] = self.scores((&digits, &classes));
        }
        Ok(())
    }

    fn adapt_to_writer(&self, scores: &mut [GlyphScores]) {
        if let Some(style_model) = &self.style_model {
            style_model.adapt_to_writer(scores);
        }
    }
}

/// Whether it may be a digit and it is unclear which one.
fn is_doubtful(scores: &GlyphScores) -> bool {
    scores.best_digit().1 < MAX_AMBIGUOUS_PROBABILITY && scores.class(GlyphClass::Digit) > MIN_DIGIT_PROBABILITY
}

/// Probability of the most likely path through the columns, 0 to 1: a lower bound of the probability of its text.
pub(super) fn best_path_probability(columns: &CtcLogProbs) -> f32 {
    let largest = |column: &[f32; N_SYMBOLS]| column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    columns.iter().map(largest).sum::<f32>().exp()
}

impl Net {
    /// Loads a net. Its trunk computes in `kind`, its heads always in single precision.
    fn load(weights: &Weights, architecture: &Architecture, device: Device, kind: Kind) -> NetResult<Self> {
        let layer = |conv: &Conv| -> NetResult<Layer> {
            let kind = if conv.activation == Activation::Logits { Kind::Float } else { kind };
            let tensor = |part: &str| -> NetResult<Tensor> {
                let plain = to_tensor(weights.tensor(&format!("{}.{part}", conv.name))?)?;
                Ok(plain.f_to_device(device)?.f_to_kind(kind)?)
            };
            let (mut weight, mut bias) = (tensor("weight")?, tensor("bias")?);
            if uses_mkldnn_layout(device) && conv.activation != Activation::Logits {
                let [padding, stride] = [conv.padding, conv.stride].map(|pair| pair.map(|n| n as i64));
                weight = weight.f_to_mkldnn(kind)?;
                weight = weight.f_mkldnn_reorder_conv2d_weight(padding, stride, [1, 1], 1, None::<&[i64]>)?;
                bias = bias.f_to_mkldnn(kind)?;
            }
            Ok(Layer { conv: *conv, weight, bias })
        };
        let layers = |convs: &[Conv]| convs.iter().map(layer).collect::<NetResult<Vec<_>>>();
        Ok(Self { trunk: layers(architecture.trunk)?, heads: layers(architecture.heads)?, device, kind })
    }

    /// Logits of glyphs from one pass.
    fn glyph_logits(&self, batch: &GlyphBatch) -> NetResult<GlyphLogits> {
        if batch.pixels.len() != batch.n_glyphs * GLYPH_LEN {
            let (n, len) = (batch.n_glyphs, batch.pixels.len());
            return Err(Error::usage(format_args!("a batch of {n} glyphs with {len} pixels")).into());
        }
        let mut digits = Vec::with_capacity(batch.n_glyphs);
        let mut classes = Vec::with_capacity(batch.n_glyphs);
        let mut padded = vec![0.0f32; CHUNK * GLYPH_LEN];
        for chunk in batch.pixels.chunks(CHUNK * GLYPH_LEN) {
            let n_glyphs = chunk.len() / GLYPH_LEN;
            padded[..chunk.len()].copy_from_slice(chunk);
            padded[chunk.len()..].fill(0.0);
            let logits = self.forward(&padded, [CHUNK, GLYPH_SIDE, GLYPH_SIDE])?;
            digits.extend(logits[0].as_chunks().0.iter().take(n_glyphs).copied());
            classes.extend(logits[1].as_chunks().0.iter().take(n_glyphs).copied());
        }
        Ok((digits, classes))
    }

    /// `pixels` [N, 1, H, W] of the `size` [N, H, W] -> of each head the logits [N, C, H', W'], flat.
    fn forward(&self, pixels: &[f32], size: [usize; 3]) -> NetResult<Vec<Vec<f32>>> {
        let [n, height, width] = size.map(|side| side as i64);
        no_grad(|| {
            let x = Tensor::f_from_slice(pixels)?.f_view([n, 1, height, width])?;
            let mut x = x.f_to_device(self.device)?.f_to_kind(self.kind)?;
            if uses_mkldnn_layout(self.device) {
                x = x.f_to_mkldnn(self.kind)?;
            }
            for layer in &self.trunk {
                x = layer.apply(&x)?;
            }
            let x = if uses_mkldnn_layout(self.device) {
                x.f_to_dense(Kind::Float, false)?
            } else {
                x.f_to_kind(Kind::Float)?
            };
            self.heads.iter().map(|head| to_vec(&head.apply(&x)?)).collect()
        })
    }
}

/// Whether tensors have the blocked layout of oneDNN from the first layer to the last. Then the weights are not reordered
/// for every input, which for a strip costs as much as the net.
fn uses_mkldnn_layout(device: Device) -> bool {
    device == Device::Cpu && tch::utils::has_mkldnn()
}

impl Layer {
    fn apply(&self, x: &Tensor) -> NetResult<Tensor> {
        let mut x = convolved(x, &self.conv, &self.weight, Some(&self.bias))?;
        Ok(if self.conv.activation == Activation::Logits { x } else { x.f_relu_()? })
    }
}

/// [N, inputs, H, W] -> [N, outputs, H', W'].
pub fn convolved(x: &Tensor, conv: &Conv, weight: &Tensor, bias: Option<&Tensor>) -> NetResult<Tensor> {
    let pair = |pair: [usize; 2]| pair.map(|n| n as i64);
    Ok(x.f_conv2d(weight, bias, pair(conv.stride), pair(conv.padding), [1, 1], 1)?)
}

/// Adds the logits of `looks` to the `mean` of `n` others.
fn add_to_mean<const N: usize>(mean: &mut [f32; N], n: usize, looks: impl ExactSizeIterator<Item = [f32; N]>) {
    let (before, all) = (n as f32, (n + looks.len()) as f32);
    let mut sum = mean.map(|logit| logit * before);
    looks.for_each(|look| sum.iter_mut().zip(look).for_each(|(sum, logit)| *sum += logit));
    *mean = sum.map(|logit| logit / all);
}

/// Mean of the logits of several passes.
fn mean<const N: usize>(looks: &[[f32; N]]) -> [f32; N] {
    std::array::from_fn(|i| looks.iter().map(|look| look[i]).sum::<f32>() / looks.len() as f32)
}

/// exp(logit / temperature), normalised. In double precision, so that ten of them sum to 1 as well as f32 allows.
pub fn softmax<const N: usize>(logits: &[f32; N], temperature: f64) -> [f32; N] {
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

/// A tensor of LibTorch, of the same shape.
///
/// # Errors
/// Where LibTorch fails.
pub fn to_tensor(plain: &PlainTensor) -> NetResult<Tensor> {
    let shape: Vec<i64> = plain.shape.iter().map(|&n| n as i64).collect();
    Ok(Tensor::f_from_slice(&plain.values)?.f_view(shape.as_slice())?)
}

/// The values of a tensor, row by row.
///
/// # Errors
/// Where LibTorch fails.
pub fn to_vec(tensor: &Tensor) -> NetResult<Vec<f32>> {
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

    use super::super::weights::{Sidecar, tests::random_tensors};
    use super::*;

    fn net(seed: u64) -> ConvNet {
        net_in(seed, Precision::Single)
    }

    fn net_in(seed: u64, precision: Precision) -> ConvNet {
        let weights = Weights::new(random_tensors(seed), Sidecar::untrained()).expect("a learner's tensors fit");
        ConvNet::new(&weights, Compute { device: NetDevice::Cpu, precision }).expect("LibTorch works")
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
    fn glyph_scores_do_not_depend_on_the_batch() {
        for precision in [Precision::Single, Precision::Bfloat16] {
            let mut net = net_in(1, precision);
            let glyph = noise(1, 7);
            let alone = net.classify(&glyph).expect("LibTorch works")[0];
            for place in 0..2 * CHUNK {
                let mut batch = noise(2 * CHUNK + 5, place as u64);
                batch.pixels[place * GLYPH_LEN..(place + 1) * GLYPH_LEN].copy_from_slice(&glyph.pixels);
                let there = net.classify(&batch).expect("LibTorch works")[place];
                assert_eq!(there.digits.map(f32::to_bits), alone.digits.map(f32::to_bits), "digits at place {place}");
                assert_eq!(
                    there.classes.map(f32::to_bits),
                    alone.classes.map(f32::to_bits),
                    "classes at place {place}"
                );
            }
        }
    }

    #[test]
    fn strip_scores_do_not_depend_on_the_batch() {
        for precision in [Precision::Single, Precision::Bfloat16] {
            let net = net_in(1, precision);
            let strip =
                |width: usize| Strip { pixels: noise(8, width as u64).pixels[..STRIP_HEIGHT * width].to_vec(), width };
            // three that are filled up to one width, among others
            let strips: Vec<Strip> = [40, 60, 100, 64, 44, 8, 196, 48, 52, 56].into_iter().map(strip).collect();
            let together = net.columns(&strips.iter().collect::<Vec<_>>()).expect("LibTorch works");
            let alone = |strip: &Strip| net.columns(&[strip]).expect("LibTorch works").swap_remove(0);
            for (strip, columns) in strips.iter().zip(together) {
                assert_eq!(columns, alone(strip), "{} pixels, {precision:?}", strip.width);
                assert_eq!(columns.len(), strip.width / COLUMN_PX);
            }
        }
        assert!(net(1).columns(&[]).expect("nothing is nothing").is_empty());
        assert!(net(1).columns(&[&Strip { pixels: vec![0.0; 7], width: 4 }]).is_err());
    }

    #[test]
    fn bfloat16_scores_are_near_those_of_single_precision() {
        let [single, half] = [Precision::Single, Precision::Bfloat16].map(|precision| {
            let strip = Strip { pixels: noise(1, 3).pixels[..STRIP_HEIGHT * 20].to_vec(), width: 20 };
            let mut net = net_in(1, precision);
            let scores = net.classify(&noise(40, 2)).expect("LibTorch works");
            (scores, net.columns(&[&strip]).expect("LibTorch works").swap_remove(0))
        });
        let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        for (a, b) in single.0.iter().zip(&half.0) {
            assert!(apart(&a.digits, &b.digits).max(apart(&a.classes, &b.classes)) < 0.05, "{a:?}, {b:?}");
        }
        assert_eq!((single.1.len(), half.1.len()), (5, 5));
        for (a, b) in single.1.iter().zip(&half.1) {
            assert!(apart(a, b) < 0.2, "{a:?}, {b:?}");
        }
        assert_ne!(single.0, half.0, "each computes in its own precision");
    }

    #[test]
    fn absent_device_is_refused_and_present_device_agrees() {
        let weights = Weights::new(random_tensors(1), Sidecar::untrained());
        let weights = weights.expect("a learner's tensors fit");
        let on_cpu = net(1).classify(&noise(3, 2)).expect("LibTorch works");
        let on_card = Compute { device: NetDevice::Cuda, precision: Precision::Single };
        match ConvNet::new(&weights, on_card) {
            Err(error) => {
                assert_eq!(fastest_compute().device, NetDevice::Cpu);
                assert!(error.to_string().contains("hint: "));
            }
            Ok(mut there) => {
                assert_eq!(fastest_compute().device, NetDevice::Cuda);
                let there = there.classify(&noise(3, 2)).expect("LibTorch works");
                let differ = |(a, b): (&GlyphScores, &GlyphScores)| (a.digits[0] - b.digits[0]).abs() > 1e-3;
                assert!(!there.iter().zip(&on_cpu).any(differ), "{there:?}, {on_cpu:?}");
            }
        }
    }

    #[test]
    fn batch_with_a_wrong_length_is_refused() {
        let batch = GlyphBatch { pixels: vec![0.0; 100], n_glyphs: 1 };
        assert!(net(1).classify(&batch).is_err());
    }

    #[test]
    fn softmax_with_a_higher_temperature_is_flatter() {
        let logits = [0.0, 3.0, 1.0];
        let (sharp, soft) = (softmax(&logits, 0.5), softmax(&logits, 2.0));
        assert!(sharp[1] > soft[1] && soft[1] > soft[2] && soft[2] > soft[0]);
    }
}
