//! The whole training: read the sets, train the nets, fit what the sidecar holds, measure and write.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::allographs::draw_digits;
use super::augment::Augmentation;
use super::batches::{Batches, StripBatches};
use super::calibrate::fit_temperature;
use super::checkpoint::checkpoint_path;
use super::confidence::{ConfidenceFit, fit_confidence};
use super::fit::{FitOptions, Schedule, TrainEvent, fit};
use super::split::{Split, split, writers_with_samples};
use super::strips::StripMaker;
use super::tasks::{GlyphTask, StripTask, held_out_strips, n_correct_strips};
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

/// Options of [`train`].
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Folders of labelled signs, as [`formread_tools::dataset::read_folder`] takes them.
    pub data: Vec<PathBuf>,
    /// The weights to write. Checkpoints of the nets are beside them during training.
    pub out: PathBuf,
    /// Options for the two nets of single glyphs; `None` takes the nets from `base`.
    pub glyphs: Option<GlyphOptions>,
    /// Options for the net of whole strips; `None` takes the net from `base`.
    pub strips: Option<StripOptions>,
    /// Weights of the nets that are not trained. Default: untrained nets.
    pub base: Option<Weights>,
    /// The nets of `base` are trained further, in place of untrained ones. What was held out of their training is held out again
    /// only with the same sets, seed, share and turn.
    pub is_further: bool,
    /// Schedule of the learning rate.
    pub schedule: Schedule,
    /// Precision of the nets during training.
    pub precision: Precision,
    /// Nets that are trained in parallel. The result does not depend on it.
    pub jobs: NonZeroUsize,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Share of the writers of a set that are held out, 0 to 1; 0 trains on all of them.
    pub held_out_writers: f64,
    /// Which writers are held out: each turn, from 0, holds out the next ones.
    pub held_out_turn: usize,
    /// Number of invented writers, whose digits are drawn from strokes and added to the real ones.
    pub drawn_writers: usize,
    /// Augmentation of the samples.
    pub augmentation: Augmentation,
    /// Continue from the checkpoints beside `out` where there are some.
    pub resume: bool,
}

/// Options for the two nets of single glyphs.
#[derive(Debug, Clone, PartialEq)]
pub struct GlyphOptions {
    /// Epochs.
    pub epochs: usize,
    /// Samples per step. More use the machine better, up to a point, and learn less per epoch.
    pub batch_size: usize,
    /// Highest learning rate of Adam.
    pub lr: f64,
    /// Generated signs that are no digits, per digit.
    pub negative_share: f64,
}

/// Options for the net of whole strips.
#[derive(Debug, Clone, PartialEq)]
pub struct StripOptions {
    /// Epochs.
    pub epochs: usize,
    /// Strips per epoch; all are generated anew.
    pub strips: usize,
    /// Strips per step.
    pub batch_size: usize,
    /// Highest learning rate of Adam.
    pub lr: f64,
}

impl Default for GlyphOptions {
    fn default() -> Self {
        Self { epochs: 10, batch_size: 128, lr: 1e-4, negative_share: 0.5 }
    }
}

impl Default for StripOptions {
    fn default() -> Self {
        Self { epochs: 10, strips: 40_000, batch_size: 32, lr: 1e-3 }
    }
}

impl TrainOptions {
    /// Default options.
    pub fn new(data: Vec<PathBuf>, out: PathBuf) -> Self {
        Self {
            data,
            out,
            glyphs: Some(GlyphOptions::default()),
            strips: Some(StripOptions::default()),
            base: None,
            is_further: false,
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

/// Result of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainReport {
    /// The weights, as written.
    pub weights: Weights,
    /// Accuracy on each held-out set.
    pub held_out: Vec<GlyphReport>,
    /// The confidence model, and what it was fitted to.
    pub confidence: ConfidenceFit,
}

/// Trains the nets, measures them on the held-out sets and writes the weights with their sidecar.
///
/// # Errors
/// Where there is nothing to train on, a file cannot be read or written, a checkpoint has other settings, or LibTorch
/// fails.
pub fn train(options: &TrainOptions, on_event: &mut (dyn FnMut(TrainEvent) + Send)) -> Result<TrainReport> {
    let folders = options.data.iter().map(|folder| read_folder(folder)).collect::<Result<Vec<_>>>()?;
    let mut parts = split(folders, options.held_out_writers, options.held_out_turn, options.seed);
    if parts.train.is_empty() {
        return Err(Error::usage("nothing to train on; hint: a folder with train-images-idx3-ubyte, or of images"));
    }
    if options.drawn_writers > 0 {
        parts.train.push(draw_digits(options.drawn_writers, options.seed));
    }
    let on_event = Mutex::new(on_event);
    let notify = |event| on_event.lock().unwrap_or_else(PoisonError::into_inner)(event);
    report_sets(&parts, &notify);
    let (mut tensors, mut sidecar) = initial_weights(options, &parts)?;

    let held_out = held_out_strips(&parts, options.augmentation);
    let learn_glyphs = |architecture: Architecture, seed: u64, glyphs: &GlyphOptions| {
        let GlyphOptions { epochs, batch_size, lr, negative_share } = *glyphs;
        let batches = Batches::new(&parts.train, batch_size, negative_share, options.augmentation, seed);
        let task = GlyphTask { architecture, batches, parts: &parts, tensors: &tensors, sidecar: &sidecar };
        fit(&fit_options(options, &parts, architecture, seed, epochs, lr, format!("{glyphs:?}")), &task, &notify)
    };
    let learn_strips = |strips: &StripOptions| {
        let StripOptions { epochs, strips: n_strips, batch_size, lr } = *strips;
        let maker = StripMaker::new(&parts.train, options.augmentation);
        let batches = StripBatches { maker, n_strips, batch_size, seed: options.seed };
        let task = StripTask { batches, held_out: &held_out, tensors: &tensors, sidecar: &sidecar };
        fit(&fit_options(options, &parts, STRIP, options.seed, epochs, lr, format!("{strips:?}")), &task, &notify)
    };
    type Task<'a> = Box<dyn Fn() -> Result<(Learner, Vec<f64>)> + Sync + 'a>;
    let mut tasks: Vec<(Architecture, Task<'_>)> = Vec::new();
    // the longest first
    if let Some(strips) = &options.strips {
        tasks.push((STRIP, Box::new(|| learn_strips(strips))));
    }
    if let Some(glyphs) = &options.glyphs {
        tasks.push((GLYPH, Box::new(|| learn_glyphs(GLYPH, options.seed, glyphs))));
        tasks.push((GLYPH_ENSEMBLE, Box::new(|| learn_glyphs(GLYPH_ENSEMBLE, options.seed.wrapping_add(1), glyphs))));
    }
    let workers = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs.get())
        .start_handler(|_| formread_torch::use_set_threads())
        .build();
    let workers = workers.map_err(|error| Error::net(format_args!("training threads: {error}")))?;
    let trained: Vec<_> = workers.install(|| tasks.par_iter().map(|(net, task)| (net.name, task())).collect());
    drop(tasks);
    for (name, trained) in trained {
        let (learner, losses) = trained?;
        tensors.extend(learner.folded()?);
        sidecar.losses.insert(name.to_owned(), losses);
    }
    if let Some(strips) = &options.strips {
        let StripOptions { epochs, strips, batch_size, lr } = *strips;
        let net = ConvNet::from_weights(&Weights::new(tensors.clone(), sidecar.clone())?)?;
        let correct = n_correct_strips(&net, &held_out)?;
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

fn report_sets(parts: &Split, on_event: &dyn Fn(TrainEvent)) {
    for set in &parts.train {
        let (name, train) = (set.name.clone(), set.samples.len());
        let held_out = parts.held_out.iter().find(|other| other.name == name).map_or(0, |other| other.samples.len());
        on_event(TrainEvent::Set { name, train, held_out });
    }
    for set in parts.held_out.iter().filter(|set| !parts.train.iter().any(|other| other.name == set.name)) {
        on_event(TrainEvent::Set { name: set.name.clone(), train: 0, held_out: set.samples.len() });
    }
}

/// Tensors and sidecar before training: those of the base, or untrained nets.
fn initial_weights(options: &TrainOptions, parts: &Split) -> Result<(BTreeMap<String, PlainTensor>, Sidecar)> {
    let trained_on = parts.train.iter().map(|set| TrainedOn {
        set: set.name.clone(),
        count: set.samples.len(),
        writers: writers_with_samples(set),
    });
    let mut trained_on: Vec<_> = trained_on.collect();
    if let Some(base) = &options.base {
        if options.is_further {
            let is_new = |before: &&TrainedOn| !parts.train.iter().any(|set| set.name == before.set);
            trained_on.extend(base.sidecar().trained_on.iter().filter(is_new).cloned());
        }
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

fn fit_options<'a>(
    options: &'a TrainOptions,
    parts: &Split,
    net: Architecture,
    seed: u64,
    epochs: usize,
    lr: f64,
    task_options: String,
) -> FitOptions<'a> {
    let start = options.base.as_ref().filter(|_| options.is_further);
    let started = start.map(|base| format!(" from {}", base.sha256())).unwrap_or_default();
    let TrainOptions { schedule, precision, held_out_writers, held_out_turn, augmentation, .. } = options;
    let sizes: Vec<_> = parts.train.iter().map(|set| (&set.name, set.samples.len())).collect();
    let settings = format!(
        "{ARCHITECTURE} {task_options} {schedule:?} {precision:?} {seed} {held_out_writers} {held_out_turn} {augmentation:?} {sizes:?}{started}"
    );
    let checkpoint = checkpoint_path(&options.out, net.name);
    FitOptions {
        epochs,
        lr,
        schedule: *schedule,
        seed,
        precision: *precision,
        start: start.map(Weights::tensors),
        checkpoint,
        resume: options.resume,
        settings,
    }
}

/// Measures the nets and writes the weights.
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
            writers: writers_with_samples(set),
            count: report.count,
            correct: report.correct,
            accuracy: report.accuracy,
            taken_for_digit: report.taken_for_digit,
        });
        reports.push(report);
    }
    let confidence = fit_confidence(&Weights::new(tensors.clone(), sidecar.clone())?, &parts.held_out, options.seed)?;
    sidecar.confidence = confidence.model;
    let weights = Weights::new(tensors, sidecar)?;
    weights.save(&options.out)?;
    // a missing checkpoint is no error
    for net in NETS {
        let _ = std::fs::remove_file(checkpoint_path(&options.out, net.name));
    }
    Ok(TrainReport { weights, held_out: reports, confidence })
}

/// The style model of the training writers, with the invented ones.
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

/// The temperature fitted on sets with held-out writers, or on all held-out sets where there are none.
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
    fn train_lowers_the_loss_and_gives_the_same_weights_when_resumed() {
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
        // the writers wrote two of the ten digits: no field can be drawn
        assert_eq!((report.confidence.is_fitted, report.confidence.n_fields), (false, 0));
        assert_eq!(sidecar.confidence, ConfidenceModel::default());
        assert!(NETS.iter().all(|net| sidecar.losses[net.name].len() == 2));
        let loaded = Weights::load(&folder.path().join("a.safetensors")).expect("it was just written");
        assert_eq!(loaded, report.weights);
        assert!(!folder.path().join("a.glyph.checkpoint").exists());

        // stopped after the first epoch of each net, then resumed
        let mut again = options(folder.path(), "b.safetensors");
        again.resume = true;
        for _ in 0..2 {
            let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                train(&again, &mut |event| {
                    assert!(!matches!(event, TrainEvent::Epoch { .. }), "stopped on purpose");
                })
            }));
            assert!(stopped.is_err());
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

        // one net alone, the others unchanged
        let strips_alone =
            TrainOptions { glyphs: None, base: Some(loaded.clone()), ..options(folder.path(), "c.safetensors") };
        let same = train(&strips_alone, &mut |_| {}).expect("there is something to train on");
        assert!(same.weights.tensors() == report.weights.tensors(), "each net is trained independently of the others");

        // trained further: the first epoch goes on where the other training ended
        let further = TrainOptions {
            base: Some(loaded),
            is_further: true,
            held_out_writers: 0.0,
            data: vec![folder.path().join("more")],
            ..options(folder.path(), "d.safetensors")
        };
        fs::rename(folder.path().join("glyphs"), folder.path().join("more")).expect("it is a folder");
        let more = train(&further, &mut |_| {}).expect("there is something to train on");
        let sets: Vec<_> = more.weights.sidecar().trained_on.iter().map(|on| on.set.as_str()).collect();
        assert_eq!(sets, ["more", "glyphs"], "the sets of both trainings");
        for net in NETS {
            let [further, before] = [&more, &report].map(|report| report.weights.sidecar().losses[net.name].clone());
            assert!(further[0] < before[0], "{}: {further:?} after {before:?}", net.name);
        }
    }

    #[test]
    fn train_with_a_checkpoint_of_other_settings_is_an_error() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        draw_folder(&folder.path().join("glyphs"), 4);
        let mut options = options(folder.path(), "c.safetensors");
        let learner = Learner::new(GLYPH, 1, Precision::Single).expect("LibTorch works");
        let progress = Progress { epochs_done: 1, steps: 1, losses: vec![1.0], settings: "another".to_owned() };
        let state = learner.state().expect("LibTorch works");
        let path = checkpoint_path(&options.out, "glyph");
        super::super::checkpoint::save(&path, &progress, &state).expect("it can be written");
        options.resume = true;
        let message = train(&options, &mut |_| {}).expect_err("the settings differ").to_string();
        assert!(message.contains("belongs to other options or data"), "{message}");
    }
}
