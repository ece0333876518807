//! The loop: epoch after epoch, step after step; measured at the end on what was held out.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use serde::{Deserialize, Serialize};

use super::augment::Augmentation;
use super::batches::Batches;
use super::calibrate::fit_temperature;
use super::checkpoint::{self, Progress, checkpoint_path};
use super::dataset::{GlyphSet, read_folder};
use super::split::{Split, split, writers_present};
use crate::error::{Error, Result};
use crate::evaluate::glyphs::{GlyphReport, evaluate_set};
use crate::net::architecture::ARCHITECTURE;
use crate::net::weights::{HeldOut, NormaliserConstants, Recipe, Sidecar, TrainedOn};
use crate::net::{ConvNet, Learner, Weights};
use crate::normalise::collate;

/// Batches that are made ahead of the net.
const BATCHES_AHEAD: usize = 4;

/// What to train on, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Folders of labelled signs, as [`super::dataset::read_folder`] takes them.
    pub data: Vec<PathBuf>,
    /// The weights to come; a checkpoint stands beside them while training lasts.
    pub out: PathBuf,
    /// Times that every sample is seen.
    pub epochs: usize,
    /// Samples a step. More use the machine better, up to a point, and learn less an epoch.
    pub batch_size: usize,
    /// Adam's learning rate, at its highest.
    pub lr: f64,
    /// How the learning rate goes.
    pub schedule: Schedule,
    /// Of everything that is drawn.
    pub seed: u64,
    /// Share of the writers of a set that are held out, 0 to 1; 0 trains on all of them.
    pub held_out_writers: f64,
    /// Drawn signs that are no digits, for every digit.
    pub negative_share: f64,
    /// How samples are changed.
    pub augmentation: Augmentation,
    /// Goes on from the checkpoint beside `out`, where there is one.
    pub resume: bool,
}

impl TrainOptions {
    /// The defaults: 10 epochs of batches of 128 with Adam at 1e-4.
    pub fn new(data: Vec<PathBuf>, out: PathBuf) -> Self {
        Self {
            data,
            out,
            epochs: 10,
            batch_size: 128,
            lr: 1e-4,
            schedule: Schedule::Cosine,
            seed: 1,
            held_out_writers: 0.2,
            negative_share: 0.35,
            augmentation: Augmentation::default(),
            resume: false,
        }
    }
}

/// How the learning rate goes from the first step to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schedule {
    /// As it is.
    Constant,
    /// Up in a straight line, then down half a cosine to a hundredth (Loshchilov and Hutter, "SGDR", ICLR 2017).
    Cosine,
}

impl Schedule {
    /// Share of the steps that the rise takes.
    const RISE: f64 = 0.03;
    /// What is left of the learning rate at the end.
    const LOWEST: f64 = 0.01;

    /// Fraction of the highest learning rate at `step` (from 0) of `n_steps`.
    fn at(self, step: usize, n_steps: usize) -> f64 {
        let done = step as f64 / n_steps.max(1) as f64;
        match self {
            Self::Constant => 1.0,
            Self::Cosine if done < Self::RISE => ((done + 1.0 / n_steps.max(1) as f64) / Self::RISE).min(1.0),
            Self::Cosine => {
                let fall = (done - Self::RISE) / (1.0 - Self::RISE);
                Self::LOWEST + (1.0 - Self::LOWEST) * 0.5 * (1.0 + (std::f64::consts::PI * fall).cos())
            }
        }
    }
}

/// What training tells on its way.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainEvent {
    /// A set was read.
    Set {
        /// Its name.
        name: String,
        /// Its samples to train on.
        train: usize,
        /// Its samples that are held out.
        held_out: usize,
    },
    /// It goes on from a checkpoint.
    Resumed {
        /// Epochs that are done.
        epochs_done: usize,
    },
    /// A step was done.
    Step {
        /// From 1.
        epoch: usize,
        /// Steps done in this epoch.
        step: usize,
        /// Steps an epoch.
        n_steps: usize,
        /// This batch's mean loss.
        loss: f64,
    },
    /// An epoch was done.
    Epoch {
        /// From 1.
        epoch: usize,
        /// Of how many.
        epochs: usize,
        /// The epoch's mean loss.
        loss: f64,
        /// Correct and all of what is held out, with the weights as they are now.
        held_out: Vec<(String, usize, usize)>,
    },
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
/// Where there is nothing to train on, a file cannot be read or written, the checkpoint is of another task, or LibTorch
/// fails.
pub fn train(options: &TrainOptions, on_event: &mut dyn FnMut(TrainEvent)) -> Result<TrainReport> {
    let folders = options.data.iter().map(|folder| read_folder(folder)).collect::<Result<Vec<_>>>()?;
    let parts = split(folders, options.held_out_writers, options.seed);
    if parts.train.is_empty() {
        return Err(Error::usage("nothing to train on; hint: a folder with train-images-idx3-ubyte, or of images"));
    }
    announce(&parts, on_event);

    let batches =
        Batches::new(&parts.train, options.batch_size, options.negative_share, options.augmentation, options.seed);
    let (learner, losses) = learn(options, &parts, &batches, on_event)?;
    finish(options, &parts, &batches, &learner, losses)
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

/// All epochs that are not done yet.
fn learn(
    options: &TrainOptions,
    parts: &Split,
    batches: &Batches<'_>,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<(Learner, Vec<f64>)> {
    let task = task_text(options, parts);
    let checkpoint = checkpoint_path(&options.out);
    let (mut learner, mut losses) = (Learner::new(options.seed)?, Vec::new());
    if options.resume && checkpoint.exists() {
        let (progress, state) = checkpoint::load(&checkpoint)?;
        if progress.task != task {
            let file = checkpoint.display();
            return Err(Error::usage(format_args!(
                "{file} is of other options or data; hint: remove it to start anew"
            )));
        }
        learner = Learner::from_state(&state, progress.steps, options.seed)?;
        losses = progress.losses;
        on_event(TrainEvent::Resumed { epochs_done: progress.epochs_done });
    }
    for epoch in losses.len()..options.epochs {
        losses.push(learn_epoch(options, &mut learner, batches, epoch, on_event)?);
        let progress =
            Progress { epochs_done: epoch + 1, steps: learner.steps(), losses: losses.clone(), task: task.clone() };
        checkpoint::save(&checkpoint, &progress, &learner.state()?)?;

        let mut net = ConvNet::from_weights(&Weights::new(learner.folded()?, sidecar(options, parts, batches, 1.0))?)?;
        let measured = parts.held_out.iter().map(|set| evaluate_set(set, &mut net)).collect::<Result<Vec<_>>>()?;
        on_event(TrainEvent::Epoch {
            epoch: epoch + 1,
            epochs: options.epochs,
            loss: losses[epoch],
            held_out: measured.into_iter().map(|report| (report.set, report.correct, report.count)).collect(),
        });
    }
    Ok((learner, losses))
}

/// One epoch; gives its mean loss. Batches are made on a thread of their own, ahead of the net.
fn learn_epoch(
    options: &TrainOptions,
    learner: &mut Learner,
    batches: &Batches<'_>,
    epoch: usize,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<f64> {
    let n_steps = batches.n_steps();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(BATCHES_AHEAD);
        scope.spawn(move || {
            for batch in batches.epoch(epoch) {
                // nobody takes it any more: a step has failed
                if sender.send(batch).is_err() {
                    break;
                }
            }
        });
        let mut sum = 0.0;
        for (i, batch) in receiver.iter().enumerate() {
            let lr = options.lr * options.schedule.at(learner.steps(), n_steps * options.epochs);
            let loss = learner.step(&batch.glyphs, &batch.digits, &batch.classes, lr)?;
            sum += loss;
            on_event(TrainEvent::Step { epoch: epoch + 1, step: i + 1, n_steps, loss });
        }
        Ok(sum / n_steps as f64)
    })
}

/// Calibrates, measures, writes.
fn finish(
    options: &TrainOptions,
    parts: &Split,
    batches: &Batches<'_>,
    learner: &Learner,
    losses: Vec<f64>,
) -> Result<TrainReport> {
    let tensors = learner.folded()?;
    let uncalibrated = Weights::new(tensors.clone(), sidecar(options, parts, batches, 1.0))?;
    let mut net = ConvNet::from_weights(&uncalibrated)?;
    let temperature = temperature(&parts.held_out, &mut net)?;

    let mut sidecar = sidecar(options, parts, batches, temperature);
    sidecar.losses = losses;
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
    // what it was for is reached; a checkpoint that is gone already serves as well
    let _ = std::fs::remove_file(checkpoint_path(&options.out));
    Ok(TrainReport { weights, held_out: reports })
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

/// What is known before training.
fn sidecar(options: &TrainOptions, parts: &Split, batches: &Batches<'_>, temperature: f32) -> Sidecar {
    let trained_on = parts.train.iter().map(|set| TrainedOn {
        set: set.name.clone(),
        count: set.samples.len(),
        writers: writers_present(set),
    });
    Sidecar {
        architecture: ARCHITECTURE.to_owned(),
        normaliser: NormaliserConstants::OURS,
        temperature,
        trained_on: trained_on.collect(),
        recipe: Recipe {
            epochs: options.epochs,
            batch_size: options.batch_size,
            lr: options.lr,
            schedule: format!("{:?}", options.schedule).to_lowercase(),
            seed: options.seed,
            augmentation: format!("{:?}", options.augmentation),
            negatives: batches.n_negatives(),
        },
        held_out: Vec::new(),
        losses: Vec::new(),
    }
}

/// Everything that decides what training comes to, but for the machine.
fn task_text(options: &TrainOptions, parts: &Split) -> String {
    let TrainOptions { epochs, batch_size, lr, schedule, seed, held_out_writers, negative_share, augmentation, .. } =
        options;
    let sizes: Vec<_> = parts.train.iter().map(|set| (&set.name, set.samples.len())).collect();
    format!(
        "{ARCHITECTURE} {epochs} {batch_size} {lr} {schedule:?} {seed} {held_out_writers} {negative_share} \
         {augmentation:?} {sizes:?}"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use image::{GrayImage, Luma};

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
            epochs: 2,
            batch_size: 16,
            lr: 2e-3,
            held_out_writers: 0.5,
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
        assert_eq!(losses.len(), 2);
        assert!(losses[1] < losses[0], "{losses:?}");
        let sidecar = report.weights.sidecar();
        assert_eq!((sidecar.trained_on[0].writers.len(), sidecar.held_out[0].writers.len()), (1, 1));
        assert_eq!(report.held_out[0].count, 60);
        let loaded = Weights::load(&folder.path().join("a.safetensors")).expect("it was just written");
        assert_eq!(loaded, report.weights);
        assert!(!folder.path().join("a.checkpoint").exists());

        // broken off after the first epoch, then resumed
        let mut again = options(folder.path(), "b.safetensors");
        let parts = split(vec![read_folder(&again.data[0]).expect("it is there")], again.held_out_writers, again.seed);
        let batches =
            Batches::new(&parts.train, again.batch_size, again.negative_share, again.augmentation, again.seed);
        let mut learner = Learner::new(again.seed).expect("LibTorch works");
        let loss = learn_epoch(&again, &mut learner, &batches, 0, &mut |_| {}).expect("LibTorch works");
        let progress =
            Progress { epochs_done: 1, steps: learner.steps(), losses: vec![loss], task: task_text(&again, &parts) };
        let state = learner.state().expect("LibTorch works");
        checkpoint::save(&checkpoint_path(&again.out), &progress, &state).expect("it can be written");
        again.resume = true;
        let mut resumed_after = None;
        let resumed = train(&again, &mut |event| {
            if let TrainEvent::Resumed { epochs_done } = event {
                resumed_after = Some(epochs_done);
            }
        })
        .expect("there is something to train on");
        assert_eq!(resumed_after, Some(1));
        assert_eq!(resumed.weights, report.weights, "the same seed gives the same weights");
    }

    #[test]
    fn a_checkpoint_of_another_task_is_not_gone_on_with() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        draw_folder(&folder.path().join("glyphs"), 4);
        let mut options = options(folder.path(), "c.safetensors");
        let learner = Learner::new(1).expect("LibTorch works");
        let progress = Progress { epochs_done: 1, steps: 1, losses: vec![1.0], task: "another".to_owned() };
        let state = learner.state().expect("LibTorch works");
        checkpoint::save(&checkpoint_path(&options.out), &progress, &state).expect("it can be written");
        options.resume = true;
        let message = train(&options, &mut |_| {}).expect_err("it is another task").to_string();
        assert!(message.contains("of other options or data"), "{message}");
    }

    #[test]
    fn the_learning_rate_rises_then_falls() {
        let at = |step| Schedule::Cosine.at(step, 1000);
        assert!(at(0) < 0.1 && at(0) > 0.0);
        assert!((at(30) - 1.0).abs() < 1e-9);
        assert!(at(500) < 0.6 && at(500) > 0.4);
        assert!(at(999) < 0.02);
        assert_eq!(Schedule::Constant.at(999, 1000), 1.0);
    }
}
