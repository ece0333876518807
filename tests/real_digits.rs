//! Digits that strangers wrote: what becomes of them is like MNIST's glyphs, on which the nets were first trained.

use std::path::Path;

use formread_core::normalise::{GLYPH_SIDE, Glyph, INK_SIDE, MASS_CENTRE, normalise};
use formread_tools::dataset::{Sample, read_folder};
use image::imageops::{FilterType, resize};
use rayon::prelude::*;

/// Ink of a glyph that is more than the blur around a stroke.
const INK: f32 = 0.002;

/// Mean and deviation of all pixels, and the share of glyphs that are like MNIST's.
struct Statistics {
    mean: f64,
    deviation: f64,
    alike: f64,
}

impl Statistics {
    fn of(glyphs: &[Glyph]) -> Self {
        let n_pixels = (glyphs.len() * GLYPH_SIDE * GLYPH_SIDE) as f64;
        let sum: f64 = glyphs.iter().flat_map(|glyph| glyph.iter()).map(|&v| f64::from(v)).sum();
        let squares: f64 = glyphs.iter().flat_map(|glyph| glyph.iter()).map(|&v| f64::from(v).powi(2)).sum();
        let mean = sum / n_pixels;
        let alike = glyphs.iter().filter(|glyph| is_like_mnist(glyph)).count() as f64 / glyphs.len() as f64;
        Self { mean, deviation: (squares / n_pixels - mean * mean).sqrt(), alike }
    }
}

/// Ink fits 20 x 20 and fills it one way, the centre of mass is in the middle, strokes reach full ink.
fn is_like_mnist(glyph: &Glyph) -> bool {
    let inked: Vec<(usize, usize)> =
        (0..glyph.len()).filter(|&i| glyph[i] > INK).map(|i| (i % GLYPH_SIDE, i / GLYPH_SIDE)).collect();
    let side = |places: &mut dyn Iterator<Item = usize>| {
        let (first, last) = places.fold((GLYPH_SIDE, 0), |(first, last), at| (first.min(at), last.max(at + 1)));
        last.saturating_sub(first)
    };
    let longer = side(&mut inked.iter().map(|place| place.0)).max(side(&mut inked.iter().map(|place| place.1)));
    let (mut mass, mut moment_x, mut moment_y) = (0.0, 0.0, 0.0);
    for (x, y) in inked {
        let ink = f64::from(glyph[y * GLYPH_SIDE + x]);
        mass += ink;
        moment_x += ink * (x as f64 + 0.5);
        moment_y += ink * (y as f64 + 0.5);
    }
    let off_centre = (moment_x / mass - MASS_CENTRE).abs().max((moment_y / mass - MASS_CENTRE).abs());
    let n_full = glyph.iter().filter(|&&v| v > 0.95).count();
    // an ink box of 19 or 20: anti-aliasing may round the outermost row away
    (INK_SIDE - 1..=INK_SIDE).contains(&longer) && off_centre <= 0.75 && n_full >= 5
}

#[test]
#[cfg_attr(not(mnist_data), ignore = "needs .mnist")]
fn mnist_digits_enlarged_and_normalised_stay_like_mnist() {
    let folder = read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".mnist")).expect("it holds MNIST");
    let set = folder.test.expect("it holds the test half");
    let direct: Vec<Glyph> = set.samples.iter().filter_map(Sample::glyph).collect();
    let found = Statistics::of(&direct);
    assert!((found.mean - 0.1325).abs() < 0.002, "{}", found.mean);
    assert!((found.deviation - 0.31).abs() < 0.003, "{}", found.deviation);
    assert!(found.alike > 0.95, "{}", found.alike);

    let enlarged = set.samples.par_iter().map(|sample| resize(&sample.ink, 112, 112, FilterType::Triangle));
    let enlarged: Vec<Glyph> = enlarged.filter_map(|ink| normalise(&ink)).collect();
    let again = Statistics::of(&enlarged);
    assert!((again.mean / found.mean - 1.0).abs() < 0.1, "{} became {}", found.mean, again.mean);
    assert!((again.deviation / found.deviation - 1.0).abs() < 0.08, "{} became {}", found.deviation, again.deviation);
    assert!(again.alike > 0.95, "{}", again.alike);
    let pixels = |glyphs: &[Glyph]| glyphs.iter().flat_map(|glyph| glyph.to_vec()).collect::<Vec<f32>>();
    let off = pixels(&direct).iter().zip(pixels(&enlarged)).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>();
    let off = off / (direct.len() * GLYPH_SIDE * GLYPH_SIDE) as f64;
    assert!(off < 0.035, "a pixel is off by {off} on average");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn pencil_digits_on_paper_become_glyphs_like_mnist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/digits-ch");
    let set = read_folder(&folder).expect("it holds digits").train.expect("it holds a training half");
    let glyphs: Vec<Glyph> = set.samples.par_iter().filter_map(Sample::glyph).collect();
    assert!(glyphs.len() + 5 >= set.samples.len(), "{} of {} have ink", glyphs.len(), set.samples.len());
    let Statistics { mean, deviation, alike } = Statistics::of(&glyphs);
    // pens here are finer than MNIST's, compared with the size of the digit
    assert!(mean > 0.06 && mean < 0.14 && deviation > 0.2 && deviation < 0.33, "{mean} {deviation}");
    assert!(alike > 0.95, "{alike}");
}
