//! What each net learns from and is measured on while it learns: the two of single glyphs, and that of whole strips.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::augment::Augmentation;
use super::batches::{Batches, LabelledGlyphs, LabelledStrips, StripBatches};
use super::lesson::Lesson;
use super::split::Split;
use super::strips::{LabelledStrip, StripMaker};
use crate::Learner;
use formread_core::scores::{CtcLogProbs, ctc_greedy_decode};
use formread_raster::error::Result;
use formread_tools::evaluate::glyphs::evaluate_set;
use formread_torch::architecture::{Architecture, GLYPH, GLYPH_ENSEMBLE, STRIP};
use formread_torch::weights::{PlainTensor, Sidecar};
use formread_torch::{ConvNet, Weights};

/// The nets as they are now: what was learnt of one, and the other as it was.
fn net_with(
    tensors: &BTreeMap<String, PlainTensor>,
    folded: BTreeMap<String, PlainTensor>,
    sidecar: &Sidecar,
) -> Result<ConvNet> {
    let mut tensors = tensors.clone();
    tensors.extend(folded);
    ConvNet::from_weights(&Weights::new(tensors, sidecar.clone())?)
}

/// Single glyphs: softmax cross-entropy.
pub(super) struct GlyphLesson<'a> {
    pub architecture: Architecture,
    pub batches: Batches<'a>,
    pub parts: &'a Split,
    pub tensors: &'a BTreeMap<String, PlainTensor>,
    pub sidecar: &'a Sidecar,
}

impl Lesson for GlyphLesson<'_> {
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

    /// Its doubts are put to the net itself: the other one may not have learnt yet.
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

/// Whole strips: connectionist temporal classification.
pub(super) struct StripLesson<'a> {
    pub batches: StripBatches<'a>,
    pub held_out: &'a [LabelledStrip],
    pub tensors: &'a BTreeMap<String, PlainTensor>,
    pub sidecar: &'a Sidecar,
}

impl Lesson for StripLesson<'_> {
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

    fn measure(&self, folded: BTreeMap<String, PlainTensor>) -> Result<Vec<(String, usize, usize)>> {
        let net = net_with(self.tensors, folded, self.sidecar)?;
        Ok(vec![("drawn strips".to_owned(), n_read_right(&net, self.held_out)?, self.held_out.len())])
    }
}

/// Strips that are drawn to measure on, and the seed they are drawn from, whatever training draws from.
const HELD_OUT_STRIPS: usize = 1_000;
const HELD_OUT_SEED: u64 = 0;

/// Strips of digits that are held out; of those trained on where none are.
pub(super) fn held_out_strips(parts: &Split, augmentation: Augmentation) -> Vec<LabelledStrip> {
    let sets = if parts.held_out.is_empty() { &parts.train } else { &parts.held_out };
    let maker = StripMaker::new(sets, augmentation);
    let mut rng = ChaCha8Rng::seed_from_u64(HELD_OUT_SEED);
    (0..HELD_OUT_STRIPS).map(|_| maker.draw(&mut rng)).collect()
}

/// Strips that are read right from end to end, at one look.
pub(super) fn n_read_right(net: &ConvNet, strips: &[LabelledStrip]) -> Result<usize> {
    let columns = net.columns(&strips.iter().map(|labelled| &labelled.strip).collect::<Vec<_>>())?;
    let is_right = |(strip, columns): &(&LabelledStrip, &CtcLogProbs)| {
        ctc_greedy_decode(columns).iter().map(|&symbol| symbol as i64).eq(strip.symbols.iter().copied())
    };
    Ok(strips.iter().zip(&columns).filter(is_right).count())
}
