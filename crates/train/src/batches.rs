//! Batches of labelled glyphs and strips: shuffled and augmented anew each epoch, and mixed with signs that are no digits.
//! Every random number follows from (seed, epoch, place), so that neither threads nor resumption change a batch.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::augment::{Augmentation, augment};
use super::negatives::negative;
use super::strips::StripMaker;
use crate::{GlyphLabels, NO_DIGIT};
use formread_core::normalise::{GlyphBatch, Strip, collate};
use formread_core::scores::GlyphClass;
use formread_tools::dataset::{GlyphSet, Sample};

/// A set that is smaller than this share of the largest one is repeated within an epoch, so that its handwriting counts.
const MIN_SET_SHARE: f64 = 0.25;

/// Upper limit of these repetitions.
const MAX_REPEATS: usize = 3;

/// Labelled glyphs.
pub(super) struct LabelledGlyphs {
    pub glyphs: GlyphBatch,
    pub labels: GlyphLabels,
}

/// Labelled strips of about the same width.
pub(super) struct LabelledStrips {
    pub strips: Vec<Strip>,
    /// The symbols of each strip.
    pub symbols: Vec<Vec<i64>>,
}

/// Makes the batches of glyphs of each epoch.
pub(super) struct Batches<'a> {
    samples: Vec<&'a Sample>,
    /// The entries of an epoch: an index into `samples`, or `None` for a generated sign.
    entries: Vec<Option<usize>>,
    batch_size: usize,
    augmentation: Augmentation,
    seed: u64,
}

impl<'a> Batches<'a> {
    /// Batches of `batch_size` from all sets, and `negative_share` generated signs for every digit.
    pub fn new(
        sets: &'a [GlyphSet],
        batch_size: usize,
        negative_share: f64,
        augmentation: Augmentation,
        seed: u64,
    ) -> Self {
        let largest = sets.iter().map(|set| set.samples.len()).max().unwrap_or(0);
        let (mut samples, mut entries) = (Vec::new(), Vec::new());
        for set in sets {
            let ratio = MIN_SET_SHARE * largest as f64 / set.samples.len().max(1) as f64;
            let repeats = (ratio.round() as usize).clamp(1, MAX_REPEATS);
            let range = samples.len()..samples.len() + set.samples.len();
            samples.extend(&set.samples);
            (0..repeats).for_each(|_| entries.extend(range.clone().map(Some)));
        }
        let n_negatives = (entries.len() as f64 * negative_share).round() as usize;
        entries.extend(std::iter::repeat_n(None, n_negatives));
        Self { samples, entries, batch_size: batch_size.max(1), augmentation, seed }
    }

    /// Steps per epoch. The remainder after the last full batch is left out, because batch normalisation needs full
    /// batches. Where there is no full batch, one step with all entries.
    pub fn n_steps(&self) -> usize {
        (self.entries.len() / self.batch_size).max(1)
    }

    /// Generated signs per epoch.
    pub fn n_negatives(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_none()).count()
    }

    /// The batches of `epoch` (from 0), one after the other.
    pub fn epoch(&self, epoch: usize) -> impl Iterator<Item = LabelledGlyphs> + '_ {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.shuffle(&mut self.rng(epoch, 0));
        (0..self.n_steps()).map(move |step| {
            let start = step * self.batch_size;
            let end = (start + self.batch_size).min(order.len());
            self.batch(epoch, start, &order[start..end])
        })
    }

    /// The random generator for `place` of an epoch; place 0 is for its order.
    fn rng(&self, epoch: usize, place: usize) -> ChaCha8Rng {
        rng_of(self.seed, epoch, place)
    }

    fn batch(&self, epoch: usize, start: usize, order: &[usize]) -> LabelledGlyphs {
        let draw = |(i, &entry): (usize, &usize)| {
            let mut rng = self.rng(epoch, start + i + 1);
            let digit = self.entries[entry].map(|sample| self.samples[sample]);
            let digit = digit.and_then(|sample| {
                let glyph = augment(sample, &self.augmentation, &mut rng).or_else(|| sample.glyph())?;
                Some((glyph, i64::from(sample.digit), GlyphClass::Digit))
            });
            digit.unwrap_or_else(|| {
                let (glyph, class) = negative(&self.samples, &self.augmentation, &mut rng);
                (glyph, NO_DIGIT, class)
            })
        };
        let labelled: Vec<_> = order.par_iter().enumerate().map(draw).collect();
        let labels = GlyphLabels {
            digits: labelled.iter().map(|(_, digit, _)| *digit).collect(),
            classes: labelled.iter().map(|(_, _, class)| *class as i64).collect(),
        };
        LabelledGlyphs { glyphs: collate(labelled.iter().map(|(glyph, _, _)| glyph)), labels }
    }
}

/// Batches that are generated together, sorted by width and shuffled: strips of equal width need no padding.
const BATCHES_PER_DRAW: usize = 16;

/// Makes the batches of strips of each epoch.
pub(super) struct StripBatches<'a> {
    pub maker: StripMaker<'a>,
    /// Strips per epoch.
    pub n_strips: usize,
    pub batch_size: usize,
    pub seed: u64,
}

impl StripBatches<'_> {
    /// Steps per epoch.
    pub fn n_steps(&self) -> usize {
        (self.n_strips / self.batch_size.max(1)).max(1)
    }

    /// The batches of `epoch` (from 0), one after the other.
    pub fn epoch(&self, epoch: usize) -> impl Iterator<Item = LabelledStrips> + '_ {
        let n_steps = self.n_steps();
        (0..n_steps).step_by(BATCHES_PER_DRAW).flat_map(move |first| {
            let batch_size = self.batch_size.max(1);
            let n_batches = BATCHES_PER_DRAW.min(n_steps - first);
            let start = first * batch_size;
            let draw = |i: usize| self.maker.draw(&mut rng_of(self.seed, epoch, start + i + 1));
            let mut labelled: Vec<_> = (0..n_batches * batch_size).into_par_iter().map(draw).collect();
            labelled.sort_by_key(|labelled| labelled.strip.width);
            let mut batches: Vec<LabelledStrips> = Vec::with_capacity(n_batches);
            while !labelled.is_empty() {
                let batch = labelled.split_off(labelled.len().saturating_sub(batch_size));
                let (strips, symbols) = batch.into_iter().map(|labelled| (labelled.strip, labelled.symbols)).unzip();
                batches.push(LabelledStrips { strips, symbols });
            }
            batches.shuffle(&mut rng_of(self.seed, epoch, (first + 1) << 24));
            batches
        })
    }
}

/// The random generator for `place` of an epoch.
fn rng_of(seed: u64, epoch: usize, place: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((epoch as u64) << 32) | place as u64);
    rng
}
