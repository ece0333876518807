//! The training tasks: single glyphs for two nets, whole strips for one.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::augment::Augmentation;
use super::batches::{Batches, LabelledGlyphs, LabelledStrips, StripBatches};
use super::fit::TrainingTask;
use super::split::Split;
use super::strips::{LabelledStrip, StripMaker};
use crate::Learner;
use crate::learner::{glyph_input, strip_input, widest};
use formread_core::scores::{CtcLogProbs, ctc_greedy_decode};
use formread_raster::error::Result;
use formread_tools::evaluate::glyphs::evaluate_set;
use formread_torch::architecture::{Architecture, GLYPH, GLYPH_ENSEMBLE, STRIP};
use formread_torch::weights::{PlainTensor, Sidecar};
use formread_torch::{ConvNet, Weights};

/// All nets with `tensors`, of which those in `folded` are replaced.
fn net_with(
    tensors: &BTreeMap<String, PlainTensor>,
    folded: BTreeMap<String, PlainTensor>,
    sidecar: &Sidecar,
) -> Result<ConvNet> {
    let mut tensors = tensors.clone();
    tensors.extend(folded);
    ConvNet::from_weights(&Weights::new(tensors, sidecar.clone())?)
}

/// Single glyphs, with softmax cross-entropy.
pub(super) struct GlyphTask<'a> {
    pub architecture: Architecture,
    pub batches: Batches<'a>,
    pub parts: &'a Split,
    pub tensors: &'a BTreeMap<String, PlainTensor>,
    pub sidecar: &'a Sidecar,
}

impl TrainingTask for GlyphTask<'_> {
    type Batch = LabelledGlyphs;

    fn architecture(&self) -> Architecture {
        self.architecture
    }

    fn n_steps(&self) -> usize {
        self.batches.n_steps()
    }

    fn epoch(&self, epoch: usize) -> impl Iterator<Item = LabelledGlyphs> + '_ {
        self.batches.epoch(epoch)
    }

    fn step(&self, learner: &mut Learner, batch: &LabelledGlyphs, lr: f64) -> Result<f64> {
        Ok(learner.step_glyphs(&batch.glyphs, &batch.labels, lr)?)
    }

    fn input(&self, batch: &LabelledGlyphs) -> Result<Tensor> {
        Ok(glyph_input(&batch.glyphs)?)
    }

    /// The net is measured as both members of the ensemble: the other one may be untrained.
    fn measure(&self, folded: BTreeMap<String, PlainTensor>) -> Result<Vec<(String, usize, usize)>> {
        let as_both = [GLYPH, GLYPH_ENSEMBLE].into_iter().flat_map(|net| {
            let rename = move |name: &str| name.replacen(self.architecture.name, net.name, 1);
            folded.iter().map(move |(name, tensor)| (rename(name), tensor.clone()))
        });
        let mut net = net_with(self.tensors, as_both.collect(), self.sidecar)?;
        let reports = self.parts.held_out.iter().map(|set| evaluate_set(set, &mut net));
        reports.map(|report| report.map(|report| (report.set, report.correct, report.count))).collect()
    }
}

/// Whole strips, with connectionist temporal classification.
pub(super) struct StripTask<'a> {
    pub batches: StripBatches<'a>,
    pub held_out: &'a [LabelledStrip],
    pub tensors: &'a BTreeMap<String, PlainTensor>,
    pub sidecar: &'a Sidecar,
}

impl TrainingTask for StripTask<'_> {
    type Batch = LabelledStrips;

    fn architecture(&self) -> Architecture {
        STRIP
    }

    fn n_steps(&self) -> usize {
        self.batches.n_steps()
    }

    fn epoch(&self, epoch: usize) -> impl Iterator<Item = LabelledStrips> + '_ {
        self.batches.epoch(epoch)
    }

    fn step(&self, learner: &mut Learner, batch: &LabelledStrips, lr: f64) -> Result<f64> {
        Ok(learner.step_strips(&batch.strips, &batch.symbols, lr)?)
    }

    fn input(&self, batch: &LabelledStrips) -> Result<Tensor> {
        Ok(strip_input(&batch.strips, widest(&batch.strips))?)
    }

    fn measure(&self, folded: BTreeMap<String, PlainTensor>) -> Result<Vec<(String, usize, usize)>> {
        let net = net_with(self.tensors, folded, self.sidecar)?;
        Ok(vec![("drawn strips".to_owned(), n_correct_strips(&net, self.held_out)?, self.held_out.len())])
    }
}

/// Number of generated strips to measure on, and their seed, which does not depend on that of training.
const HELD_OUT_STRIPS: usize = 1_000;
const HELD_OUT_SEED: u64 = 0;

/// Strips of held-out digits; of training digits where none are held out.
pub(super) fn held_out_strips(parts: &Split, augmentation: Augmentation) -> Vec<LabelledStrip> {
    let sets = if parts.held_out.is_empty() { &parts.train } else { &parts.held_out };
    let maker = StripMaker::new(sets, augmentation);
    let mut rng = ChaCha8Rng::seed_from_u64(HELD_OUT_SEED);
    (0..HELD_OUT_STRIPS).map(|_| maker.draw(&mut rng)).collect()
}

/// Number of strips whose symbols are all right after one pass without test-time augmentation.
pub(super) fn n_correct_strips(net: &ConvNet, strips: &[LabelledStrip]) -> Result<usize> {
    let columns = net.columns(&strips.iter().map(|labelled| &labelled.strip).collect::<Vec<_>>())?;
    let is_right = |(strip, columns): &(&LabelledStrip, &CtcLogProbs)| {
        ctc_greedy_decode(columns).iter().map(|&symbol| symbol as i64).eq(strip.symbols.iter().copied())
    };
    Ok(strips.iter().zip(&columns).filter(is_right).count())
}
