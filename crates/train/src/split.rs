//! Which samples are trained on, and which are held out to measure on.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use formread_tools::dataset::{GlyphFolder, GlyphSet, Sample};

/// Share of the samples that is held out of a set whose writers are not known, and that brings no test half.
const HELD_OUT_SHARE: f64 = 0.1;

/// All sets, parted.
pub(super) struct Split {
    /// Trained on.
    pub train: Vec<GlyphSet>,
    /// Measured on.
    pub held_out: Vec<GlyphSet>,
}

/// Parts the sets. A set with a test half of its own is held out by that; one with several writers by whole writers,
/// `writer_share` of them, at least one; any other one by a tenth of its samples. With a `writer_share` of 0 nothing
/// is held out but test halves. Each `turn` (from 0) holds out the writers that come after those of the turn before, from
/// the last on to the first again.
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
            let wanted = (set.writers.len() as f64 * writer_share).round() as usize;
            let wanted = wanted.clamp(1, set.writers.len() - 1);
            order.rotate_left(turn.saturating_mul(wanted) % set.writers.len());
            order.truncate(wanted);
            Box::new(move |_, sample| sample.writer.is_some_and(|writer| order.contains(&writer)))
        } else {
            let mut order: Vec<usize> = (0..set.samples.len()).collect();
            order.shuffle(&mut rng);
            let wanted = (set.samples.len() as f64 * HELD_OUT_SHARE).round() as usize;
            let mut chosen = vec![false; set.samples.len()];
            order.iter().take(wanted).for_each(|&i| chosen[i] = true);
            Box::new(move |i, _| chosen[i])
        };
        let (held_out, train): (Vec<_>, Vec<_>) =
            set.samples.into_iter().enumerate().partition(|(i, sample)| is_held_out(*i, sample));
        let part = |samples: Vec<(usize, Sample)>| GlyphSet {
            name: set.name.clone(),
            writers: set.writers.clone(),
            samples: samples.into_iter().map(|(_, sample)| sample).collect(),
        };
        parts.train.push(part(train));
        parts.held_out.push(part(held_out));
    }
    parts.train.retain(|set| !set.samples.is_empty());
    parts.held_out.retain(|set| !set.samples.is_empty());
    parts
}

/// Names of the writers that have samples in `set`, sorted.
pub(super) fn writers_present(set: &GlyphSet) -> Vec<String> {
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
        }
    }

    #[test]
    fn writers_are_held_out_whole_and_by_the_seed() {
        let parted = |turn, seed| split(vec![GlyphFolder { train: Some(set(10, 200)), test: None }], 0.2, turn, seed);
        let once = parted(0, 3);
        let (train, held_out) = (writers_present(&once.train[0]), writers_present(&once.held_out[0]));
        assert_eq!((train.len(), held_out.len()), (8, 2));
        assert!(held_out.iter().all(|writer| !train.contains(writer)));
        assert_eq!(writers_present(&parted(0, 3).held_out[0]), held_out);
        assert!((0..9).any(|seed| writers_present(&parted(0, seed).held_out[0]) != held_out));
    }

    #[test]
    fn turns_hold_out_every_writer_in_the_end() {
        let held_out = |turn| {
            let parts = split(vec![GlyphFolder { train: Some(set(10, 200)), test: None }], 0.3, turn, 3);
            writers_present(&parts.held_out[0])
        };
        assert!((0..4).all(|turn| held_out(turn).len() == 3));
        let mut all: Vec<String> = (0..4).flat_map(held_out).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 10);
        assert_eq!(held_out(usize::MAX).len(), 3);
    }

    #[test]
    fn without_writers_a_tenth_is_held_out_and_a_test_half_suffices() {
        let parted = split(vec![GlyphFolder { train: Some(set(0, 200)), test: None }], 0.2, 0, 1);
        assert_eq!((parted.train[0].samples.len(), parted.held_out[0].samples.len()), (180, 20));
        let parted = split(vec![GlyphFolder { train: Some(set(0, 200)), test: Some(set(0, 30)) }], 0.2, 0, 1);
        assert_eq!((parted.train[0].samples.len(), parted.held_out[0].samples.len()), (200, 30));
    }
}
