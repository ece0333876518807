//! What is trained, in which order, on what; and what comes of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::allographs::drawn_digits;
use super::augment::Augmentation;
use super::batches::{Batches, LabelledGlyphs, LabelledStrips, StripBatches};
use super::calibrate::fit_temperature;
use super::checkpoint::checkpoint_path;
use super::dataset::{GlyphSet, read_folder};
use super::lesson::{Course, Lesson, Schedule, TrainEvent, learn};
use super::split::{Split, split, writers_present};
use super::strips::{LabelledStrip, StripMaker};
use crate::error::{Error, Result};
use crate::evaluate::glyphs::{GlyphReport, evaluate_set};
use crate::net::architecture::{ARCHITECTURE, Architecture, GLYPH, STRIP};
use crate::net::weights::{HeldOut, NormaliserConstants, PlainTensor, Recipe, Sidecar, StripRecipe, TrainedOn};
use crate::net::writer::Centres;
use crate::net::{ConvNet, Learner, Precision, Recogniser, Weights, likeliest, untrained_tensors};
use crate::normalise::collate;

/// What to train on, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Folders of labelled signs, as [`super::dataset::read_folder`] takes them.
    pub data: Vec<PathBuf>,
    /// The weights to come; a checkpoint of each net stands beside them while training lasts.
    pub out: PathBuf,
    /// How the net of single glyphs is trained; `None` takes it from `base`.
    pub glyphs: Option<GlyphOptions>,
    /// How the net of whole strips is trained; `None` takes it from `base`.
    pub strips: Option<StripOptions>,
    /// Weights of the net that is not trained.
    pub base: Option<Weights>,
    /// How the learning rate goes.
    pub schedule: Schedule,
    /// In which both nets reckon while they learn.
    pub precision: Precision,
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

/// How the net of single glyphs is trained.
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
pub fn train(options: &TrainOptions, on_event: &mut dyn FnMut(TrainEvent)) -> Result<TrainReport> {
    let folders = options.data.iter().map(|folder| read_folder(folder)).collect::<Result<Vec<_>>>()?;
    let mut parts = split(folders, options.held_out_writers, options.held_out_turn, options.seed);
    if parts.train.is_empty() {
        return Err(Error::usage("nothing to train on; hint: a folder with train-images-idx3-ubyte, or of images"));
    }
    if options.drawn_writers > 0 {
        parts.train.push(drawn_digits(options.drawn_writers, options.seed));
    }
    announce(&parts, on_event);
    let (mut tensors, mut sidecar) = start(options, &parts)?;
    if let Some(glyphs) = &options.glyphs {
        let GlyphOptions { epochs, batch_size, lr, negative_share } = *glyphs;
        let batches = Batches::new(&parts.train, batch_size, negative_share, options.augmentation, options.seed);
        let lesson = GlyphLesson { batches: &batches, parts: &parts, tensors: &tensors, sidecar: &sidecar };
        let course = course(options, &parts, "glyphs", epochs, lr, format!("{glyphs:?}"));
        let (learner, losses) = learn(&course, &lesson, on_event)?;
        tensors.extend(learner.folded()?);
        sidecar.recipe = recipe(options, glyphs, &batches);
        sidecar.losses = losses;
        let mut net = ConvNet::from_weights(&Weights::new(tensors.clone(), sidecar.clone())?)?;
        sidecar.temperature = temperature(&parts.held_out, &mut net)?;
        let mut net = ConvNet::from_weights(&Weights::new(tensors.clone(), sidecar.clone())?)?;
        sidecar.centres = centres(&parts.train, &mut net)?;
    }
    if let Some(strips) = &options.strips {
        let StripOptions { epochs, strips: n_strips, batch_size, lr } = *strips;
        let maker = StripMaker::new(&parts.train, options.augmentation);
        let batches = StripBatches { maker, n_strips, batch_size, seed: options.seed };
        let held_out = held_out_strips(&parts, options.augmentation);
        let lesson = StripLesson { batches, held_out: &held_out, tensors: &tensors, sidecar: &sidecar };
        let course = course(options, &parts, "strips", epochs, lr, format!("{strips:?}"));
        let (learner, losses) = learn(&course, &lesson, on_event)?;
        let folded = learner.folded()?;
        let [(_, correct, held_out)] = lesson.measured(folded.clone())?;
        tensors.extend(folded);
        sidecar.strips = Some(StripRecipe { epochs, strips: n_strips, batch_size, lr, held_out, correct, losses });
    }
    finish(options, &parts, tensors, sidecar)
}

fn announce(parts: &Split, on_event: &mut dyn FnMut(TrainEvent)) {
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
    let none = Batches::new(&[], 1, 0.0, options.augmentation, options.seed);
    let sidecar = Sidecar {
        architecture: ARCHITECTURE.to_owned(),
        normaliser: NormaliserConstants::OURS,
        temperature: 1.0,
        centres: None,
        trained_on,
        recipe: recipe(options, &untrained, &none),
        strips: None,
        held_out: Vec::new(),
        losses: Vec::new(),
    };
    Ok((untrained_tensors(options.seed)?, sidecar))
}

fn recipe(options: &TrainOptions, glyphs: &GlyphOptions, batches: &Batches<'_>) -> Recipe {
    Recipe {
        epochs: glyphs.epochs,
        batch_size: glyphs.batch_size,
        lr: glyphs.lr,
        schedule: format!("{:?}", options.schedule).to_lowercase(),
        seed: options.seed,
        augmentation: format!("{:?}", options.augmentation),
        negatives: batches.n_negatives(),
    }
}

fn course(options: &TrainOptions, parts: &Split, net: &str, epochs: usize, lr: f64, own: String) -> Course {
    let TrainOptions { schedule, precision, seed, held_out_writers, held_out_turn, augmentation, .. } = options;
    let sizes: Vec<_> = parts.train.iter().map(|set| (&set.name, set.samples.len())).collect();
    let task = format!(
        "{ARCHITECTURE} {own} {schedule:?} {precision:?} {seed} {held_out_writers} {held_out_turn} {augmentation:?} {sizes:?}"
    );
    let checkpoint = checkpoint_path(&options.out, net);
    Course {
        epochs,
        lr,
        schedule: *schedule,
        seed: *seed,
        precision: *precision,
        checkpoint,
        resume: options.resume,
        task,
    }
}

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
struct GlyphLesson<'a> {
    batches: &'a Batches<'a>,
    parts: &'a Split,
    tensors: &'a BTreeMap<String, PlainTensor>,
    sidecar: &'a Sidecar,
}

impl Lesson for GlyphLesson<'_> {
    type Batch = LabelledGlyphs;

    fn architecture(&self) -> Architecture {
        GLYPH
    }

    fn n_steps(&self) -> usize {
        self.batches.n_steps()
    }

    fn epoch(&self, epoch: usize) -> impl Iterator<Item = LabelledGlyphs> + '_ {
        self.batches.epoch(epoch)
    }

    fn step(&self, learner: &mut Learner, batch: &LabelledGlyphs, lr: f64) -> Result<f64> {
        learner.step_glyphs(&batch.glyphs, &batch.labels, lr)
    }

    fn measure(&self, folded: BTreeMap<String, PlainTensor>) -> Result<Vec<(String, usize, usize)>> {
        let mut net = net_with(self.tensors, folded, self.sidecar)?;
        let reports = self.parts.held_out.iter().map(|set| evaluate_set(set, &mut net));
        reports.map(|report| report.map(|report| (report.set, report.correct, report.count))).collect()
    }
}

/// Whole strips: connectionist temporal classification.
struct StripLesson<'a> {
    batches: StripBatches<'a>,
    held_out: &'a [LabelledStrip],
    tensors: &'a BTreeMap<String, PlainTensor>,
    sidecar: &'a Sidecar,
}

impl StripLesson<'_> {
    /// Strips of the held-out sets read right from end to end, and all.
    fn measured(&self, folded: BTreeMap<String, PlainTensor>) -> Result<[(String, usize, usize); 1]> {
        let net = net_with(self.tensors, folded, self.sidecar)?;
        let mut correct = 0;
        for LabelledStrip { strip, symbols } in self.held_out {
            let read = likeliest(&net.columns(strip)?);
            correct += usize::from(read.iter().map(|&symbol| symbol as i64).eq(symbols.iter().copied()));
        }
        Ok([("drawn strips".to_owned(), correct, self.held_out.len())])
    }
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
        learner.step_strips(&batch.strips, &batch.symbols, lr)
    }

    fn measure(&self, folded: BTreeMap<String, PlainTensor>) -> Result<Vec<(String, usize, usize)>> {
        Ok(self.measured(folded)?.into())
    }
}

/// Strips that are drawn to measure on, and the seed they are drawn from, whatever training draws from.
const HELD_OUT_STRIPS: usize = 1_000;
const HELD_OUT_SEED: u64 = 0;

/// Strips of digits that are held out; of those trained on where none are.
fn held_out_strips(parts: &Split, augmentation: Augmentation) -> Vec<LabelledStrip> {
    let sets = if parts.held_out.is_empty() { &parts.train } else { &parts.held_out };
    let maker = StripMaker::new(sets, augmentation);
    let mut rng = ChaCha8Rng::seed_from_u64(HELD_OUT_SEED);
    (0..HELD_OUT_STRIPS).map(|_| maker.draw(&mut rng)).collect()
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
    for net in ["glyphs", "strips"] {
        let _ = std::fs::remove_file(checkpoint_path(&options.out, net));
    }
    Ok(TrainReport { weights, held_out: reports })
}

/// Of the writers that were trained on, made-up ones too.
fn centres(sets: &[GlyphSet], net: &mut ConvNet) -> Result<Option<Centres>> {
    let mut writers = Vec::new();
    for set in sets.iter().filter(|set| !set.writers.is_empty()) {
        let mut by_writer = vec![Vec::new(); set.writers.len()];
        for sample in &set.samples {
            if let (Some(writer), Some(glyph)) = (sample.writer, sample.glyph()) {
                by_writer[writer].push((glyph, sample.digit));
            }
        }
        for samples in by_writer {
            let scores = net.classify(&collate(samples.iter().map(|(glyph, _)| glyph)))?;
            writers.push(scores.into_iter().zip(samples).map(|(scores, (_, digit))| (scores, digit)).collect());
        }
    }
    Ok(Centres::of(&writers))
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
        crate::net::set_threads(1);
        let folder = tempfile::tempdir().expect("there is room for a folder");
        draw_folder(&folder.path().join("glyphs"), 30);

        let mut losses = Vec::new();
        let report = train(&options(folder.path(), "a.safetensors"), &mut |event| {
            if let TrainEvent::Epoch { loss, .. } = event {
                losses.push(loss);
            }
        })
        .expect("there is something to train on");
        assert_eq!(losses.len(), 4, "two epochs of each net");
        assert!(losses[1] < losses[0] && losses[3] < losses[2], "{losses:?}");
        let sidecar = report.weights.sidecar();
        assert_eq!((sidecar.trained_on[0].writers.len(), sidecar.held_out[0].writers.len()), (1, 1));
        assert_eq!(report.held_out[0].count, 60);
        assert_eq!(sidecar.strips.as_ref().map(|strips| strips.losses.len()), Some(2));
        let loaded = Weights::load(&folder.path().join("a.safetensors")).expect("it was just written");
        assert_eq!(loaded, report.weights);
        assert!(!folder.path().join("a.glyphs.checkpoint").exists());

        // broken off after each epoch but the last, then resumed
        let mut again = options(folder.path(), "b.safetensors");
        again.resume = true;
        for _ in 0..3 {
            let broken_off = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                train(&again, &mut |event| {
                    assert!(!matches!(event, TrainEvent::Epoch { .. }), "broken off, as it is meant to be");
                })
            }));
            assert!(broken_off.is_err());
        }
        let mut resumed_after = Vec::new();
        let resumed = train(&again, &mut |event| {
            if let TrainEvent::Resumed { epochs_done } = event {
                resumed_after.push(epochs_done);
            }
        })
        .expect("there is something to train on");
        assert_eq!(resumed_after, [2, 1]);
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
        let path = checkpoint_path(&options.out, "glyphs");
        super::super::checkpoint::save(&path, &progress, &state).expect("it can be written");
        options.resume = true;
        let message = train(&options, &mut |_| {}).expect_err("it is another task").to_string();
        assert!(message.contains("of other options or data"), "{message}");
    }
}
