//! Splits the sets into samples to train on and held-out samples to measure on.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use formread_tools::dataset::{GlyphFolder, GlyphSet, Sample, Track};

/// Share of the samples that is held out of a set without known writers and without a test set.
const HELD_OUT_SHARE: f64 = 0.1;

/// All sets, split.
pub(super) struct Split {
    /// Trained on.
    pub train: Vec<GlyphSet>,
    /// Measured on.
    pub held_out: Vec<GlyphSet>,
}

/// Splits the sets. Held out are: the test set of a folder that has one; else whole writers, `writer_share` of them (0 to 1)
/// and at least one, where there are several; else a tenth of the samples. With a `writer_share` of 0 only test sets are
/// held out. Each `turn` (from 0) holds out the writers that follow those of the turn before, cyclically.
pub(super) fn split(folders: Vec<GlyphFolder>, writer_share: f64, turn: usize, seed: u64) -> Split {
    let mut parts = Split { train: Vec::new(), held_out: Vec::new() };
    for folder in folders {
        let has_test = folder.test.is_some();
        parts.held_out.extend(folder.test);
        let Some(set) = folder.train else { continue };
        if has_test || writer_share <= 0.0 {
            parts.train.push(set);
            continue;
        }
        type Test = dyn Fn(usize, &Sample) -> bool;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let is_held_out: Box<Test> = if set.writers.len() > 1 {
            let mut order: Vec<usize> = (0..set.writers.len()).collect();
            order.shuffle(&mut rng);
            let n_held_out = (set.writers.len() as f64 * writer_share).round() as usize;
            let n_held_out = n_held_out.clamp(1, set.writers.len() - 1);
            order.rotate_left(turn.saturating_mul(n_held_out) % set.writers.len());
            order.truncate(n_held_out);
            Box::new(move |_, sample| sample.writer.is_some_and(|writer| order.contains(&writer)))
        } else {
            let mut order: Vec<usize> = (0..set.samples.len()).collect();
            order.shuffle(&mut rng);
            let n_held_out = (set.samples.len() as f64 * HELD_OUT_SHARE).round() as usize;
            let mut chosen = vec![false; set.samples.len()];
            order.iter().take(n_held_out).for_each(|&i| chosen[i] = true);
            Box::new(move |i, _| chosen[i])
        };
        let (held_out, train): (Vec<_>, Vec<_>) =
            set.samples.into_iter().enumerate().partition(|(i, sample)| is_held_out(*i, sample));
        // whole numbers go with the samples of their writers
        let (kept, left_out): (Vec<_>, Vec<_>) = set.numbers.into_iter().partition(|number| {
            number.writer.is_none_or(|writer| !held_out.iter().any(|(_, sample)| sample.writer == Some(writer)))
        });
        let part = |samples: Vec<(usize, Sample)>, numbers: Vec<Track>| GlyphSet {
            name: set.name.clone(),
            writers: set.writers.clone(),
            samples: samples.into_iter().map(|(_, sample)| sample).collect(),
            numbers,
            is_tracked: set.is_tracked,
        };
        parts.train.push(part(train, kept));
        parts.held_out.push(part(held_out, left_out));
    }
    parts.train.retain(|set| !set.samples.is_empty());
    parts.held_out.retain(|set| !set.samples.is_empty());
    parts
}

/// Names of the writers that have samples in `set`, in the order of `set.writers`.
pub(super) fn writers_with_samples(set: &GlyphSet) -> Vec<String> {
    let mut present = vec![false; set.writers.len()];
    set.samples.iter().filter_map(|sample| sample.writer).for_each(|writer| present[writer] = true);
    set.writers.iter().zip(present).filter(|(_, there)| *there).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;

    fn set(n_writers: usize, n_samples: usize) -> GlyphSet {
        let sample = |i: usize| Sample {
            ink: GrayImage::new(1, 1),
            is_normalised: false,
            digit: (i % 10) as u8,
            writer: (n_writers > 0).then(|| i % n_writers),
        };
        GlyphSet {
            name: "drawn".to_owned(),
            writers: (0..n_writers).map(|i| format!("w{i}")).collect(),
            samples: (0..n_samples).map(sample).collect(),
            numbers: Vec::new(),
            is_tracked: false,
        }
    }

    #[test]
    fn split_by_writers_holds_out_whole_writers_chosen_by_the_seed() {
        let halves = |turn, seed| split(vec![GlyphFolder { train: Some(set(10, 200)), test: None }], 0.2, turn, seed);
        let once = halves(0, 3);
        let (train, held_out) = (writers_with_samples(&once.train[0]), writers_with_samples(&once.held_out[0]));
        assert_eq!((train.len(), held_out.len()), (8, 2));
        assert!(held_out.iter().all(|writer| !train.contains(writer)));
        assert_eq!(writers_with_samples(&halves(0, 3).held_out[0]), held_out);
        assert!((0..9).any(|seed| writers_with_samples(&halves(0, seed).held_out[0]) != held_out));
    }

    #[test]
    fn split_over_all_turns_holds_out_every_writer() {
        let held_out = |turn| {
            let parts = split(vec![GlyphFolder { train: Some(set(10, 200)), test: None }], 0.3, turn, 3);
            writers_with_samples(&parts.held_out[0])
        };
        assert!((0..4).all(|turn| held_out(turn).len() == 3));
        let mut all: Vec<String> = (0..4).flat_map(held_out).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 10);
        assert_eq!(held_out(usize::MAX).len(), 3);
    }

    #[test]
    fn split_without_writers_holds_out_a_tenth_or_the_test_set() {
        let halves = split(vec![GlyphFolder { train: Some(set(0, 200)), test: None }], 0.2, 0, 1);
        assert_eq!((halves.train[0].samples.len(), halves.held_out[0].samples.len()), (180, 20));
        let halves = split(vec![GlyphFolder { train: Some(set(0, 200)), test: Some(set(0, 30)) }], 0.2, 0, 1);
        assert_eq!((halves.train[0].samples.len(), halves.held_out[0].samples.len()), (200, 30));
    }
}
