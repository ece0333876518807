//! What is trained, in which order, on what; and what comes of it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::allographs::drawn_digits;
use super::augment::Augmentation;
use super::batches::{Batches, StripBatches};
use super::calibrate::fit_temperature;
use super::checkpoint::checkpoint_path;
use super::lesson::{Course, Schedule, TrainEvent, learn};
use super::split::{Split, split, writers_present};
use super::strips::StripMaker;
use super::subjects::{GlyphLesson, StripLesson, held_out_strips, n_read_right};
use crate::Learner;
use crate::learner::untrained_tensors;
use formread_core::normalise::collate;
use formread_core::recognise::GlyphClassifier;
use formread_core::scores::{ConfidenceModel, Precision};
use formread_raster::error::{Error, Result};
use formread_tools::dataset::{GlyphSet, read_folder};
use formread_tools::evaluate::glyphs::{GlyphReport, evaluate_set};
use formread_torch::architecture::{ARCHITECTURE, Architecture, GLYPH, GLYPH_ENSEMBLE, NETS, STRIP};
use formread_torch::weights::{HeldOut, NormaliserConstants, PlainTensor, Recipe, Sidecar, StripRecipe, TrainedOn};
use formread_torch::writer::StyleModel;
use formread_torch::{ConvNet, Weights};

/// What to train on, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Folders of labelled signs, as [`formread_tools::dataset::read_folder`] takes them.
    pub data: Vec<PathBuf>,
    /// The weights to come; a checkpoint of each net stands beside them while training lasts.
    pub out: PathBuf,
    /// How the two nets of single glyphs are trained; `None` takes them from `base`.
    pub glyphs: Option<GlyphOptions>,
    /// How the net of whole strips is trained; `None` takes it from `base`.
    pub strips: Option<StripOptions>,
    /// Weights of the nets that are not trained.
    pub base: Option<Weights>,
    /// How the learning rate goes.
    pub schedule: Schedule,
    /// In which the nets reckon while they learn.
    pub precision: Precision,
    /// Nets that learn side by side. What they learn does not depend on it.
    pub jobs: NonZeroUsize,
    /// Of everything that is drawn.
    pub seed: u64,
    /// Share of the writers of a set that are held out, 0 to 1; 0 trains on all of them.
    pub held_out_writers: f64,
    /// Which of them: each turn, from 0, holds out the next ones.
    pub held_out_turn: usize,
    /// Made-up writers whose digits are drawn from strokes and trained on beside the real ones.
    pub drawn_writers: usize,
    /// How samples are changed.
    pub augmentation: Augmentation,
    /// Goes on from the checkpoints beside `out`, where there are some.
    pub resume: bool,
}

/// How the two nets of single glyphs are trained.
#[derive(Debug, Clone, PartialEq)]
pub struct GlyphOptions {
    /// Times that every sample is seen.
    pub epochs: usize,
    /// Samples a step. More use the machine better, up to a point, and learn less an epoch.
    pub batch_size: usize,
    /// Adam's learning rate, at its highest.
    pub lr: f64,
    /// Drawn signs that are no digits, for every digit.
    pub negative_share: f64,
}

/// How the net of whole strips is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct StripOptions {
    /// Epochs.
    pub epochs: usize,
    /// Strips an epoch; each is drawn anew.
    pub strips: usize,
    /// Strips a step.
    pub batch_size: usize,
    /// Adam's learning rate, at its highest.
    pub lr: f64,
}

impl Default for GlyphOptions {
    fn default() -> Self {
        Self { epochs: 10, batch_size: 128, lr: 1e-4, negative_share: 0.35 }
    }
}

impl Default for StripOptions {
    fn default() -> Self {
        Self { epochs: 10, strips: 40_000, batch_size: 32, lr: 1e-3 }
    }
}

impl TrainOptions {
    /// The defaults.
    pub fn new(data: Vec<PathBuf>, out: PathBuf) -> Self {
        Self {
            data,
            out,
            glyphs: Some(GlyphOptions::default()),
            strips: Some(StripOptions::default()),
            base: None,
            schedule: Schedule::Cosine,
            precision: Precision::Single,
            jobs: NonZeroUsize::MIN,
            seed: 1,
            held_out_writers: 0.2,
            held_out_turn: 0,
            drawn_writers: 200,
            augmentation: Augmentation::default(),
            resume: false,
        }
    }
}

/// What training came to.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainReport {
    /// As they were written.
    pub weights: Weights,
    /// How they do on every set that was held out.
    pub held_out: Vec<GlyphReport>,
}

/// Trains, writes the weights and their sidecar, and measures them on what was held out.
///
/// # Errors
/// Where there is nothing to train on, a file cannot be read or written, a checkpoint is of another task, or LibTorch
/// fails.
pub fn train(options: &TrainOptions, on_event: &mut (dyn FnMut(TrainEvent) + Send)) -> Result<TrainReport> {
    let folders = options.data.iter().map(|folder| read_folder(folder)).collect::<Result<Vec<_>>>()?;
    let mut parts = split(folders, options.held_out_writers, options.held_out_turn, options.seed);
    if parts.train.is_empty() {
        return Err(Error::usage("nothing to train on; hint: a folder with train-images-idx3-ubyte, or of images"));
    }
    if options.drawn_writers > 0 {
        parts.train.push(drawn_digits(options.drawn_writers, options.seed));
    }
    let on_event = Mutex::new(on_event);
    let tell = |event| on_event.lock().unwrap_or_else(PoisonError::into_inner)(event);
    announce(&parts, &tell);
    let (mut tensors, mut sidecar) = start(options, &parts)?;

    let held_out = held_out_strips(&parts, options.augmentation);
    let learn_glyphs = |architecture: Architecture, seed: u64, glyphs: &GlyphOptions| {
        let GlyphOptions { epochs, batch_size, lr, negative_share } = *glyphs;
        let batches = Batches::new(&parts.train, batch_size, negative_share, options.augmentation, seed);
        let lesson = GlyphLesson { architecture, batches, parts: &parts, tensors: &tensors, sidecar: &sidecar };
        learn(&course(options, &parts, architecture, seed, epochs, lr, format!("{glyphs:?}")), &lesson, &tell)
    };
    let learn_strips = |strips: &StripOptions| {
        let StripOptions { epochs, strips: n_strips, batch_size, lr } = *strips;
        let maker = StripMaker::new(&parts.train, options.augmentation);
        let batches = StripBatches { maker, n_strips, batch_size, seed: options.seed };
        let lesson = StripLesson { batches, held_out: &held_out, tensors: &tensors, sidecar: &sidecar };
        learn(&course(options, &parts, STRIP, options.seed, epochs, lr, format!("{strips:?}")), &lesson, &tell)
    };
    type Task<'a> = Box<dyn Fn() -> Result<(Learner, Vec<f64>)> + Sync + 'a>;
    let mut tasks: Vec<(Architecture, Task<'_>)> = Vec::new();
    if let Some(glyphs) = &options.glyphs {
        tasks.push((GLYPH, Box::new(|| learn_glyphs(GLYPH, options.seed, glyphs))));
        tasks.push((GLYPH_ENSEMBLE, Box::new(|| learn_glyphs(GLYPH_ENSEMBLE, options.seed.wrapping_add(1), glyphs))));
    }
    if let Some(strips) = &options.strips {
        tasks.push((STRIP, Box::new(|| learn_strips(strips))));
    }
    let workers = rayon::ThreadPoolBuilder::new().num_threads(options.jobs.get()).build();
    let workers = workers.map_err(|error| Error::net(format_args!("threads to learn on: {error}")))?;
    let learnt: Vec<_> = workers.install(|| tasks.par_iter().map(|(net, task)| (net.name, task())).collect());
    drop(tasks);
    for (name, learnt) in learnt {
        let (learner, losses) = learnt?;
        tensors.extend(learner.folded()?);
        sidecar.losses.insert(name.to_owned(), losses);
    }
    if let Some(strips) = &options.strips {
        let StripOptions { epochs, strips, batch_size, lr } = *strips;
        let net = ConvNet::from_weights(&Weights::new(tensors.clone(), sidecar.clone())?)?;
        let correct = n_read_right(&net, &held_out)?;
        sidecar.strips = Some(StripRecipe { epochs, strips, batch_size, lr, held_out: held_out.len(), correct });
    }
    if let Some(glyphs) = &options.glyphs {
        let batches = Batches::new(&parts.train, 1, glyphs.negative_share, options.augmentation, options.seed);
        sidecar.recipe = recipe(options, glyphs, batches.n_negatives());
        let net = |sidecar: &Sidecar| ConvNet::from_weights(&Weights::new(tensors.clone(), sidecar.clone())?);
        sidecar.temperature = temperature(&parts.held_out, &mut net(&sidecar)?)?;
        sidecar.style_model = style_model(&parts.train, &mut net(&sidecar)?)?;
    }
    finish(options, &parts, tensors, sidecar)
}

fn announce(parts: &Split, on_event: &dyn Fn(TrainEvent)) {
    for set in &parts.train {
        let (name, train) = (set.name.clone(), set.samples.len());
        let held_out = parts.held_out.iter().find(|other| other.name == name).map_or(0, |other| other.samples.len());
        on_event(TrainEvent::Set { name, train, held_out });
    }
    for set in parts.held_out.iter().filter(|set| !parts.train.iter().any(|other| other.name == set.name)) {
        on_event(TrainEvent::Set { name: set.name.clone(), train: 0, held_out: set.samples.len() });
    }
}

/// What there is before training: tensors of both nets, and a sidecar that says what is known by now.
fn start(options: &TrainOptions, parts: &Split) -> Result<(BTreeMap<String, PlainTensor>, Sidecar)> {
    let trained_on = parts.train.iter().map(|set| TrainedOn {
        set: set.name.clone(),
        count: set.samples.len(),
        writers: writers_present(set),
    });
    let trained_on = trained_on.collect();
    if let Some(base) = &options.base {
        let sidecar = Sidecar { trained_on, held_out: Vec::new(), ..base.sidecar().clone() };
        return Ok((base.tensors().clone(), sidecar));
    }
    let untrained = GlyphOptions { epochs: 0, ..GlyphOptions::default() };
    let sidecar = Sidecar {
        architecture: ARCHITECTURE.to_owned(),
        normaliser: NormaliserConstants::OURS,
        temperature: 1.0,
        style_model: None,
        confidence: ConfidenceModel::default(),
        trained_on,
        recipe: recipe(options, &untrained, 0),
        strips: None,
        held_out: Vec::new(),
        losses: BTreeMap::new(),
    };
    Ok((untrained_tensors(options.seed)?, sidecar))
}

fn recipe(options: &TrainOptions, glyphs: &GlyphOptions, negatives: usize) -> Recipe {
    Recipe {
        epochs: glyphs.epochs,
        batch_size: glyphs.batch_size,
        lr: glyphs.lr,
        schedule: format!("{:?}", options.schedule).to_lowercase(),
        seed: options.seed,
        augmentation: format!("{:?}", options.augmentation),
        negatives,
    }
}

fn course(
    options: &TrainOptions,
    parts: &Split,
    net: Architecture,
    seed: u64,
    epochs: usize,
    lr: f64,
    own: String,
) -> Course {
    let TrainOptions { schedule, precision, held_out_writers, held_out_turn, augmentation, .. } = options;
    let sizes: Vec<_> = parts.train.iter().map(|set| (&set.name, set.samples.len())).collect();
    let task = format!(
        "{ARCHITECTURE} {own} {schedule:?} {precision:?} {seed} {held_out_writers} {held_out_turn} {augmentation:?} {sizes:?}"
    );
    let checkpoint = checkpoint_path(&options.out, net.name);
    Course { epochs, lr, schedule: *schedule, seed, precision: *precision, checkpoint, resume: options.resume, task }
}

/// Measures, writes.
fn finish(
    options: &TrainOptions,
    parts: &Split,
    tensors: BTreeMap<String, PlainTensor>,
    mut sidecar: Sidecar,
) -> Result<TrainReport> {
    let mut net = ConvNet::from_weights(&Weights::new(tensors.clone(), sidecar.clone())?)?;
    let mut reports = Vec::new();
    for set in &parts.held_out {
        let report = evaluate_set(set, &mut net)?;
        sidecar.held_out.push(HeldOut {
            set: set.name.clone(),
            writers: writers_present(set),
            count: report.count,
            correct: report.correct,
            accuracy: report.accuracy,
            taken_for_digit: report.taken_for_digit,
        });
        reports.push(report);
    }
    let weights = Weights::new(tensors, sidecar)?;
    weights.save(&options.out)?;
    // what they were for is reached; a checkpoint that is gone already serves as well
    for net in NETS {
        let _ = std::fs::remove_file(checkpoint_path(&options.out, net.name));
    }
    Ok(TrainReport { weights, held_out: reports })
}

/// Of the writers that were trained on, made-up ones too.
fn style_model(sets: &[GlyphSet], net: &mut ConvNet) -> Result<Option<StyleModel>> {
    let mut writers = Vec::new();
    for set in sets.iter().filter(|set| !set.writers.is_empty()) {
        let mut by_writer = vec![Vec::new(); set.writers.len()];
        for sample in &set.samples {
            if let (Some(writer), Some(glyph)) = (sample.writer, sample.glyph()) {
                by_writer[writer].push((glyph, sample.digit));
            }
        }
        for samples in by_writer {
            let batch = collate(samples.iter().map(|(glyph, _)| glyph));
            let mut scores = net.classify(&batch)?;
            net.refine_glyphs(&batch, &mut scores)?;
            writers.push(scores.into_iter().zip(samples).map(|(scores, (_, digit))| (scores, digit)).collect());
        }
    }
    Ok(StyleModel::fit(&writers))
}

/// Fitted on held-out writers where there are some, else on whatever is held out.
fn temperature(held_out: &[GlyphSet], net: &mut ConvNet) -> Result<f32> {
    let by_writer: Vec<&GlyphSet> = held_out.iter().filter(|set| !set.writers.is_empty()).collect();
    let sets = if by_writer.is_empty() { held_out.iter().collect() } else { by_writer };
    let samples = sets.iter().flat_map(|set| &set.samples).filter_map(|s| Some((s.glyph()?, s.digit)));
    let (glyphs, labels): (Vec<_>, Vec<u8>) = samples.unzip();
    let (logits, _) = net.logits(&collate(&glyphs))?;
    Ok(fit_temperature(&logits, &labels))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use image::{GrayImage, Luma};

    use super::super::checkpoint::Progress;
    use super::*;

    /// Writes `n` signs a writer and class: class 0 is a ring, class 1 a bar, of changing size.
    fn draw_folder(folder: &Path, n: u32) {
        for writer in ["anna", "beat"] {
            for class in 0..2u32 {
                let class_folder = folder.join(writer).join(class.to_string());
                fs::create_dir_all(&class_folder).expect("the folder can be made");
                for i in 0..n {
                    let radius = f64::from(12 + (i * 7 + class) % 15);
                    let picture = GrayImage::from_fn(64, 64, |x, y| {
                        let (dx, dy) = (f64::from(x) - 32.0, f64::from(y) - 32.0);
                        let ring = (dx.hypot(dy * 0.8) - radius).abs() < 2.5;
                        let bar = (dx + 0.1 * dy).abs() < 2.5 && dy.abs() < radius;
                        Luma([if (class == 0 && ring) || (class == 1 && bar) { 40 } else { 250 }])
                    });
                    picture.save(class_folder.join(format!("{i}.png"))).expect("the picture can be written");
                }
            }
        }
    }

    fn options(folder: &Path, name: &str) -> TrainOptions {
        TrainOptions {
            glyphs: Some(GlyphOptions { epochs: 2, batch_size: 16, lr: 2e-3, ..GlyphOptions::default() }),
            strips: Some(StripOptions { epochs: 2, strips: 32, batch_size: 8, lr: 1e-3 }),
            held_out_writers: 0.5,
            drawn_writers: 0,
            ..TrainOptions::new(vec![folder.join("glyphs")], folder.join(name))
        }
    }

    #[test]
    fn training_learns_says_so_and_comes_to_the_same_again_resumed_or_not() {
        formread_torch::set_threads(1);
        let folder = tempfile::tempdir().expect("there is room for a folder");
        draw_folder(&folder.path().join("glyphs"), 30);

        let mut losses = Vec::new();
        let report = train(&options(folder.path(), "a.safetensors"), &mut |event| {
            if let TrainEvent::Epoch { loss, .. } = event {
                losses.push(loss);
            }
        })
        .expect("there is something to train on");
        assert_eq!(losses.len(), 6, "two epochs of each net");
        assert!(losses.chunks(2).all(|pair| pair[1] < pair[0]), "{losses:?}");
        let sidecar = report.weights.sidecar();
        assert_eq!((sidecar.trained_on[0].writers.len(), sidecar.held_out[0].writers.len()), (1, 1));
        assert_eq!(report.held_out[0].count, 60);
        assert!(NETS.iter().all(|net| sidecar.losses[net.name].len() == 2));
        let loaded = Weights::load(&folder.path().join("a.safetensors")).expect("it was just written");
        assert_eq!(loaded, report.weights);
        assert!(!folder.path().join("a.glyph.checkpoint").exists());

        // broken off after each epoch of each net, then resumed
        let mut again = options(folder.path(), "b.safetensors");
        again.resume = true;
        for _ in 0..2 {
            let broken_off = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                train(&again, &mut |event| {
                    assert!(!matches!(event, TrainEvent::Epoch { .. }), "broken off, as it is meant to be");
                })
            }));
            assert!(broken_off.is_err());
        }
        let mut resumed_after = Vec::new();
        let resumed = train(&again, &mut |event| {
            if let TrainEvent::Resumed { epochs_done, .. } = event {
                resumed_after.push(epochs_done);
            }
        })
        .expect("there is something to train on");
        assert_eq!(resumed_after, [2, 2, 2]);
        assert!(resumed.weights == report.weights, "the same seed gives the same weights");

        // one net alone, the other as it was
        let strips_alone = TrainOptions { glyphs: None, base: Some(loaded), ..options(folder.path(), "c.safetensors") };
        let same = train(&strips_alone, &mut |_| {}).expect("there is something to train on");
        assert!(same.weights.tensors() == report.weights.tensors(), "either net is trained as if alone");
    }

    #[test]
    fn a_checkpoint_of_another_task_is_not_gone_on_with() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        draw_folder(&folder.path().join("glyphs"), 4);
        let mut options = options(folder.path(), "c.safetensors");
        let learner = Learner::new(GLYPH, 1, Precision::Single).expect("LibTorch works");
        let progress = Progress { epochs_done: 1, steps: 1, losses: vec![1.0], task: "another".to_owned() };
        let state = learner.state().expect("LibTorch works");
        let path = checkpoint_path(&options.out, "glyph");
        super::super::checkpoint::save(&path, &progress, &state).expect("it can be written");
        options.resume = true;
        let message = train(&options, &mut |_| {}).expect_err("it is another task").to_string();
        assert!(message.contains("of other options or data"), "{message}");
    }
}
