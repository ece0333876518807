//! The nets for inference. Batch normalisation is folded into the weights, and inputs have a few fixed sizes.

use tch::{Device, Kind, Tensor, no_grad};

use super::architecture::{Activation, Architecture, COLUMN_PX, Conv, GLYPH, GLYPH_ENSEMBLE, STRIP};
use super::error::NetResult;
use super::params::{RefinementParams, WriterParams};
use super::threads::use_set_threads;
use super::tta::{GLYPH_TTA, GLYPH_TTA_PER_ROUND, add_views};
use super::weights::{PlainTensor, Weights};
use super::writer::StyleModel;
use formread_core::normalise::{GLYPH_SIDE, GlyphBatch, STRIP_HEIGHT, Strip};
use formread_core::recognise::GlyphClassifier;
use formread_core::scores::{
    Compute, CtcLogProbs, GlyphClass, GlyphScores, N_CLASSES, N_DIGITS, N_SYMBOLS, NetDevice, Precision,
};
use formread_raster::{
    checkpoint,
    error::{Error, Result},
};

/// Number of glyphs that go through the net together. The last chunk is filled up with paper: LibTorch chooses its kernels
/// by the size of the batch, and another kernel may round differently.
pub const CHUNK: usize = 32;

/// Maximum number of strips of one width that go through the net together, with AVX-512. LibTorch has the same kernels for any
/// number of them there. More than four save little time.
const MAX_STRIPS_PER_CHUNK: usize = 4;

/// Strips are filled up with paper to a multiple of this width, pixels, as in a batch of training. LibTorch makes kernels for
/// every width, and keeps those of a few.
const STRIP_WIDTH_STEP: usize = 32;

/// Pixels of a glyph.
const GLYPH_LEN: usize = GLYPH_SIDE * GLYPH_SIDE;

/// The nets. Each thread has its own: loading them from [`Weights`] copies 5.8 MB.
pub struct ConvNet {
    glyphs: Net,
    /// The other net of the ensemble for glyphs.
    second: Net,
    strips: Net,
    /// Of the softmax of the digits.
    temperature: f64,
    /// `None` where the weights have none: then nothing is adapted to the writer.
    style_model: Option<StyleModel>,
    pub(super) refinement: RefinementParams,
    writer: WriterParams,
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
    layout: Layout,
}

/// How the input and the weights of a layer lie in memory.
enum Layout {
    /// As LibTorch has them.
    Dense,
    /// In blocks of channels, as oneDNN wants them.
    Blocked,
    /// The kernel covers all of the input: a product of matrices, which is faster than a convolution.
    Flat,
}

/// The fastest backend of this machine: a graphics card if this LibTorch can use one, else the processor.
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

/// Digit logits [N, 10] and class logits [N, 6] of N glyphs.
pub type GlyphLogits = (Vec<[f32; N_DIGITS]>, Vec<[f32; N_CLASSES]>);

/// Digit logits and class logits of one glyph.
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
            glyphs: Net::load(weights, &GLYPH, [GLYPH_SIDE; 2], device, kind)?,
            second: Net::load(weights, &GLYPH_ENSEMBLE, [GLYPH_SIDE; 2], device, kind)?,
            strips: Net::load(weights, &STRIP, [STRIP_HEIGHT, STRIP_WIDTH_STEP], device, kind)?,
            temperature: f64::from(weights.sidecar().temperature),
            style_model: weights.sidecar().style_model.clone(),
            refinement: RefinementParams::default(),
            writer: WriterParams::default(),
        })
    }

    /// Digit logits [N, 10], not yet divided by the temperature, and class logits [N, 6]. An ambiguous glyph has the means
    /// over the ensemble, and over several views.
    ///
    /// # Errors
    /// Where the batch has another length than it declares, or LibTorch fails.
    pub fn logits(&mut self, batch: &GlyphBatch) -> NetResult<GlyphLogits> {
        let (mut digits, mut classes) = self.glyphs.glyph_logits(batch)?;
        let scores: Vec<GlyphScores> = digits.iter().zip(&classes).map(|logits| self.scores(logits)).collect();
        for (i, (mean_digits, mean_classes)) in self.refined_logits(batch, &scores)? {
            (digits[i], classes[i]) = (mean_digits, mean_classes);
        }
        Ok((digits, classes))
    }

    /// Replaces the scores of the ambiguous glyphs of `batch` by the means over both nets of the ensemble.
    ///
    /// # Errors
    /// Where LibTorch fails.
    pub(super) fn refine_by_ensemble(&self, batch: &GlyphBatch, scores: &mut [GlyphScores]) -> NetResult<()> {
        for (i, (digits, classes)) in self.ensemble_logits_of_ambiguous(batch, scores)? {
            scores[i] = self.scores((&digits, &classes));
        }
        Ok(())
    }

    /// Logits of the glyphs that are ambiguous by `scores`, each with its index in the batch: the means over both nets of the
    /// ensemble.
    fn ensemble_logits_of_ambiguous(
        &self,
        batch: &GlyphBatch,
        scores: &[GlyphScores],
    ) -> NetResult<Vec<(usize, OneGlyph)>> {
        let ambiguous: Vec<usize> = (0..scores.len()).filter(|&idx| self.is_ambiguous(&scores[idx])).collect();
        let pixels = ambiguous.iter().flat_map(|&idx| glyph_of(batch, idx)).copied().collect();
        let logits = self.ensemble_logits(&GlyphBatch { pixels, n_glyphs: ambiguous.len() })?;
        Ok(ambiguous.into_iter().zip(logits).collect())
    }

    /// The same for glyphs that nothing but themselves is known of. While a glyph stays ambiguous, the views of another round of
    /// test-time augmentation join the mean.
    fn refined_logits(&self, batch: &GlyphBatch, scores: &[GlyphScores]) -> NetResult<Vec<(usize, OneGlyph)>> {
        let mut refined = self.ensemble_logits_of_ambiguous(batch, scores)?;
        for (round, views) in GLYPH_TTA.into_iter().enumerate() {
            let mut ambiguous: Vec<&mut (usize, OneGlyph)> = refined
                .iter_mut()
                .filter(|(_, (digits, classes))| self.is_ambiguous(&self.scores((digits, classes))))
                .collect();
            let mut batch_of_views = GlyphBatch { pixels: Vec::new(), n_glyphs: ambiguous.len() * GLYPH_TTA_PER_ROUND };
            ambiguous.iter().for_each(|(idx, _)| add_views(glyph_of(batch, *idx), views, &mut batch_of_views.pixels));
            let logits = self.ensemble_logits(&batch_of_views)?;
            // the glyph itself, and the views of the rounds before
            let n_before = 1 + round * GLYPH_TTA_PER_ROUND;
            for ((_, (digits, classes)), of_views) in ambiguous.iter_mut().zip(logits.chunks_exact(GLYPH_TTA_PER_ROUND))
            {
                add_to_mean(digits, n_before, of_views.iter().map(|(digits, _)| *digits));
                add_to_mean(classes, n_before, of_views.iter().map(|(_, classes)| *classes));
            }
        }
        Ok(refined)
    }

    /// Of each glyph the mean logits over both nets of the ensemble, from one pass of each.
    fn ensemble_logits(&self, batch: &GlyphBatch) -> NetResult<Vec<OneGlyph>> {
        let first = self.glyphs.glyph_logits(batch)?;
        let second = self.second.glyph_logits(batch)?;
        let digits = first.0.iter().zip(&second.0).map(|(a, b)| mean(&[*a, *b]));
        let classes = first.1.iter().zip(&second.1).map(|(a, b)| mean(&[*a, *b]));
        Ok(digits.zip(classes).collect())
    }

    /// Whether a glyph may be a digit and it is unclear which one.
    fn is_ambiguous(&self, scores: &GlyphScores) -> bool {
        let &RefinementParams { max_ambiguous_digit_probability, min_digit_probability, .. } = &self.refinement;
        scores.best_digit().1 < max_ambiguous_digit_probability
            && scores.class(GlyphClass::Digit) > min_digit_probability
    }

    fn scores(&self, (digits, classes): (&[f32; N_DIGITS], &[f32; N_CLASSES])) -> GlyphScores {
        GlyphScores { digits: softmax(digits, self.temperature), classes: softmax(classes, 1.0) }
    }

    /// Log probabilities of the columns of each strip, from one pass. Those of a strip are the same to the bit whatever the
    /// other strips are.
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
        let padded_width = |i: usize| strips[i].width.next_multiple_of(STRIP_WIDTH_STEP);
        let mut by_width: Vec<usize> = (0..strips.len()).collect();
        by_width.sort_by_key(|&i| padded_width(i));
        let mut columns = vec![CtcLogProbs::new(); strips.len()];
        for of_one_width in by_width.chunk_by(|&i, &j| padded_width(i) == padded_width(j)) {
            for chunk in of_one_width.chunks(max_strips_per_chunk()) {
                let chunk_strips: Vec<&Strip> = chunk.iter().map(|&i| strips[i]).collect();
                let chunk_columns = self.columns_of_width(&chunk_strips, padded_width(chunk[0]))?;
                chunk.iter().zip(chunk_columns).for_each(|(&i, of_strip)| columns[i] = of_strip);
            }
        }
        Ok(columns)
    }

    /// Log probabilities of strips that are filled up with paper to one `width`.
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
        for (i, (digits, classes)) in self.refined_logits(batch, scores)? {
            scores[i] = self.scores((&digits, &classes));
        }
        Ok(())
    }

    fn adapt_to_writer(&self, scores: &mut [GlyphScores]) {
        if let Some(style_model) = &self.style_model {
            style_model.adapt_to_writer(scores, &self.writer);
        }
    }
}

/// The pixels of one glyph of a batch.
fn glyph_of(batch: &GlyphBatch, idx: usize) -> &[f32] {
    &batch.pixels[idx * GLYPH_LEN..(idx + 1) * GLYPH_LEN]
}

/// Probability of the most likely path through the columns, 0 to 1: a lower bound of the probability of its text.
pub(super) fn best_path_probability(columns: &CtcLogProbs) -> f32 {
    let largest = |column: &[f32; N_SYMBOLS]| column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    columns.iter().map(largest).sum::<f32>().exp()
}

impl Net {
    /// Loads a net for inputs of `size`, rows and columns, or wider ones. Its trunk computes in `kind`, its heads always in single
    /// precision.
    fn load(
        weights: &Weights,
        architecture: &Architecture,
        mut size: [usize; 2],
        device: Device,
        kind: Kind,
    ) -> NetResult<Self> {
        let mut layer = |conv: &Conv| -> NetResult<Layer> {
            let kind = if conv.activation == Activation::Logits { Kind::Float } else { kind };
            let tensor = |part: &str| -> NetResult<Tensor> {
                let plain = to_tensor(weights.tensor(&format!("{}.{part}", conv.name))?)?;
                Ok(plain.f_to_device(device)?.f_to_kind(kind)?)
            };
            let (mut weight, mut bias) = (tensor("weight")?, tensor("bias")?);
            let layout = match conv.activation {
                Activation::Logits => Layout::Dense,
                _ if !uses_mkldnn_layout(device, kind) => Layout::Dense,
                _ if conv.covers(size) => Layout::Flat,
                _ => Layout::Blocked,
            };
            if conv.activation != Activation::Logits {
                size = conv.output_size(size);
            }
            match layout {
                Layout::Dense => {}
                Layout::Flat => weight = weight.f_flatten(1, -1)?,
                Layout::Blocked => {
                    let [padding, stride] = [conv.padding, conv.stride].map(|pair| pair.map(|n| n as i64));
                    weight = weight.f_to_mkldnn(kind)?;
                    weight = weight.f_mkldnn_reorder_conv2d_weight(padding, stride, [1, 1], 1, None::<&[i64]>)?;
                    bias = bias.f_to_mkldnn(kind)?;
                }
            }
            Ok(Layer { conv: *conv, weight, bias, layout })
        };
        let mut layers = |convs: &[Conv]| convs.iter().map(&mut layer).collect::<NetResult<Vec<_>>>();
        Ok(Self { trunk: layers(architecture.trunk)?, heads: layers(architecture.heads)?, device, kind })
    }

    /// Logits of glyphs from one pass of this net.
    ///
    /// # Errors
    /// Where the batch has another length than it declares, or LibTorch fails.
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

    /// Logits of each head, [N, C, H', W'], flat. `pixels` are [N, 1, H, W]; `size` is [N, H, W].
    fn forward(&self, pixels: &[f32], size: [usize; 3]) -> NetResult<Vec<Vec<f32>>> {
        checkpoint();
        use_set_threads();
        let [n, height, width] = size.map(|side| side as i64);
        no_grad(|| {
            let x = Tensor::f_from_slice(pixels)?.f_view([n, 1, height, width])?;
            let mut x = x.f_to_device(self.device)?.f_to_kind(self.kind)?;
            if uses_mkldnn_layout(self.device, self.kind) {
                x = x.f_to_mkldnn(self.kind)?;
            }
            for layer in &self.trunk {
                x = layer.apply(&x)?;
            }
            let x = if x.is_mkldnn() { x.f_to_dense(Kind::Float, false)? } else { x.f_to_kind(Kind::Float)? };
            self.heads.iter().map(|head| to_vec(&head.apply(&x)?)).collect()
        })
    }
}

/// Whether tensors have the blocked layout of oneDNN in all layers. Without it LibTorch reorders the weights for every input,
/// which for a strip takes as long as the net. oneDNN refuses bfloat16 where the processor has no instructions for it.
fn uses_mkldnn_layout(device: Device, kind: Kind) -> bool {
    let is_fast = kind != Kind::BFloat16 || Precision::best() == Precision::Bfloat16;
    device == Device::Cpu && tch::utils::has_mkldnn() && is_fast
}

/// That number on this processor. Without AVX-512 it is one, because oneDNN then adds in another order for another number.
fn max_strips_per_chunk() -> usize {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        return MAX_STRIPS_PER_CHUNK;
    }
    1
}

impl Layer {
    fn apply(&self, x: &Tensor) -> NetResult<Tensor> {
        let mut x = match self.layout {
            Layout::Flat => {
                let flat = x.f_to_dense(x.kind(), false)?.f_flatten(1, -1)?;
                flat.f_linear(&self.weight, Some(&self.bias))?.f_unsqueeze(-1)?.f_unsqueeze(-1)?
            }
            Layout::Dense | Layout::Blocked => convolved(x, &self.conv, &self.weight, Some(&self.bias))?,
        };
        Ok(if self.conv.activation == Activation::Logits { x } else { x.f_relu_()? })
    }
}

/// [N, inputs, H, W] -> [N, outputs, H', W'].
pub fn convolved(x: &Tensor, conv: &Conv, weight: &Tensor, bias: Option<&Tensor>) -> NetResult<Tensor> {
    let pair = |pair: [usize; 2]| pair.map(|n| n as i64);
    Ok(x.f_conv2d(weight, bias, pair(conv.stride), pair(conv.padding), [1, 1], 1)?)
}

/// Adds more `logits` to the `mean` of `n_before` others.
fn add_to_mean<const N: usize>(mean: &mut [f32; N], n_before: usize, logits: impl ExactSizeIterator<Item = [f32; N]>) {
    let n_all = n_before + logits.len();
    let mut sum = mean.map(|logit| logit * n_before as f32);
    logits.for_each(|more| sum.iter_mut().zip(more).for_each(|(sum, logit)| *sum += logit));
    *mean = sum.map(|logit| logit / n_all as f32);
}

/// Mean of the logits of several passes.
fn mean<const N: usize>(passes: &[[f32; N]]) -> [f32; N] {
    std::array::from_fn(|i| passes.iter().map(|logits| logits[i]).sum::<f32>() / passes.len() as f32)
}

/// exp(logit / temperature), normalised to a sum of 1. Computed in double precision, so that the sum is as exact as f32
/// allows.
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
            // seven of them are filled up to one width, which takes two chunks
            let strips: Vec<Strip> = [40, 60, 100, 64, 44, 8, 196, 48, 52, 56].into_iter().map(strip).collect();
            let together = net.columns(&strips.iter().collect::<Vec<_>>()).expect("LibTorch works");
            let alone = |strip: &Strip| net.columns(&[strip]).expect("LibTorch works").swap_remove(0);
            for (strip, columns) in strips.iter().zip(together) {
                assert_eq!(columns, alone(strip), "{} pixels, {precision:?}", strip.width);
                assert_eq!(columns.len(), strip.width / COLUMN_PX);
            }
        }
        assert!(net(1).columns(&[]).expect("LibTorch works").is_empty());
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
        let max_difference = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        for (a, b) in single.0.iter().zip(&half.0) {
            assert!(
                max_difference(&a.digits, &b.digits).max(max_difference(&a.classes, &b.classes)) < 0.05,
                "{a:?}, {b:?}"
            );
        }
        assert_eq!((single.1.len(), half.1.len()), (5, 5));
        for (a, b) in single.1.iter().zip(&half.1) {
            assert!(max_difference(a, b) < 0.2, "{a:?}, {b:?}");
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
