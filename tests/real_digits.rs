//! Real handwritten digits: the glyphs made from them are like those of MNIST, on which the nets were first trained.

use std::path::Path;

use formread_core::normalise::{GLYPH_SIDE, Glyph, INK_SIDE, MASS_CENTRE, normalise};
use formread_tools::dataset::{Sample, read_folder};
use image::imageops::{FilterType, resize};
use rayon::prelude::*;

/// Ink above this level is more than the blur around a stroke.
const MIN_INK: f32 = 0.002;

/// Mean and standard deviation of all pixels, and the share of glyphs that are like those of MNIST.
struct Statistics {
    mean: f64,
    deviation: f64,
    share_like_mnist: f64,
}

impl Statistics {
    fn of(glyphs: &[Glyph]) -> Self {
        let n_pixels = (glyphs.len() * GLYPH_SIDE * GLYPH_SIDE) as f64;
        let sum: f64 = glyphs.iter().flat_map(|glyph| glyph.iter()).map(|&v| f64::from(v)).sum();
        let squares: f64 = glyphs.iter().flat_map(|glyph| glyph.iter()).map(|&v| f64::from(v).powi(2)).sum();
        let mean = sum / n_pixels;
        let share_like_mnist = glyphs.iter().filter(|glyph| is_like_mnist(glyph)).count() as f64 / glyphs.len() as f64;
        Self { mean, deviation: (squares / n_pixels - mean * mean).sqrt(), share_like_mnist }
    }
}

/// Whether the ink fits 20 x 20 pixels and fills one side, its centre of mass is in the middle, and strokes reach full ink.
fn is_like_mnist(glyph: &Glyph) -> bool {
    let inked: Vec<(usize, usize)> =
        (0..glyph.len()).filter(|&i| glyph[i] > MIN_INK).map(|i| (i % GLYPH_SIDE, i / GLYPH_SIDE)).collect();
    let side = |positions: &mut dyn Iterator<Item = usize>| {
        let (first, last) = positions.fold((GLYPH_SIDE, 0), |(first, last), at| (first.min(at), last.max(at + 1)));
        last.saturating_sub(first)
    };
    let longer = side(&mut inked.iter().map(|pixel| pixel.0)).max(side(&mut inked.iter().map(|pixel| pixel.1)));
    let (mut mass, mut moment_x, mut moment_y) = (0.0, 0.0, 0.0);
    for (x, y) in inked {
        let ink = f64::from(glyph[y * GLYPH_SIDE + x]);
        mass += ink;
        moment_x += ink * (x as f64 + 0.5);
        moment_y += ink * (y as f64 + 0.5);
    }
    let off_centre = (moment_x / mass - MASS_CENTRE).abs().max((moment_y / mass - MASS_CENTRE).abs());
    let n_full = glyph.iter().filter(|&&v| v > 0.95).count();
    // A side of 19 or 20: anti-aliasing may round the outermost row to zero.
    (INK_SIDE - 1..=INK_SIDE).contains(&longer) && off_centre <= 0.75 && n_full >= 5
}

#[test]
#[cfg_attr(not(mnist_data), ignore = "needs .mnist")]
fn mnist_digits_enlarged_and_normalised_stay_like_mnist() {
    let folder = read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".mnist")).expect("the folder has MNIST");
    let set = folder.test.expect("it has a test set");
    let direct: Vec<Glyph> = set.samples.iter().filter_map(Sample::glyph).collect();
    let before = Statistics::of(&direct);
    assert!((before.mean - 0.1325).abs() < 0.002, "{}", before.mean);
    assert!((before.deviation - 0.31).abs() < 0.003, "{}", before.deviation);
    assert!(before.share_like_mnist > 0.95, "{}", before.share_like_mnist);

    let enlarged = set.samples.par_iter().map(|sample| resize(&sample.ink, 112, 112, FilterType::Triangle));
    let enlarged: Vec<Glyph> = enlarged.filter_map(|ink| normalise(&ink)).collect();
    let after = Statistics::of(&enlarged);
    assert!((after.mean / before.mean - 1.0).abs() < 0.1, "{} became {}", before.mean, after.mean);
    assert!((after.deviation / before.deviation - 1.0).abs() < 0.08, "{} became {}", before.deviation, after.deviation);
    assert!(after.share_like_mnist > 0.95, "{}", after.share_like_mnist);
    let pixels = |glyphs: &[Glyph]| glyphs.iter().flat_map(|glyph| glyph.to_vec()).collect::<Vec<f32>>();
    let difference = pixels(&direct).iter().zip(pixels(&enlarged)).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>();
    let mean_difference = difference / (direct.len() * GLYPH_SIDE * GLYPH_SIDE) as f64;
    assert!(mean_difference < 0.035, "mean difference of a pixel: {mean_difference}");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn pencil_digits_on_paper_become_glyphs_like_mnist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/digits-ch");
    let set = read_folder(&folder).expect("the folder has digits").train.expect("it has a training set");
    let glyphs: Vec<Glyph> = set.samples.par_iter().filter_map(Sample::glyph).collect();
    assert!(glyphs.len() + 5 >= set.samples.len(), "{} of {} have ink", glyphs.len(), set.samples.len());
    let Statistics { mean, deviation, share_like_mnist } = Statistics::of(&glyphs);
    // Strokes here are thinner than in MNIST, compared with the size of the digit.
    assert!(mean > 0.06 && mean < 0.14 && deviation > 0.2 && deviation < 0.33, "{mean} {deviation}");
    assert!(share_like_mnist > 0.95, "{share_like_mnist}");
}
