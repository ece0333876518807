//! The training loop: epochs and steps of one net, with a checkpoint after each epoch.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use serde::{Deserialize, Serialize};

use super::checkpoint::{self, Progress};
use crate::Learner;
use formread_core::scores::Precision;
use formread_raster::error::{Error, Result};
use formread_torch::architecture::Architecture;
use formread_torch::weights::PlainTensor;
use tch::Tensor;

/// Batches prepared in advance of the net.
const BATCHES_AHEAD: usize = 4;

/// What one net is trained and measured on.
pub(super) trait TrainingTask: Sync {
    /// Labelled inputs.
    type Batch: Send;

    /// The net.
    fn architecture(&self) -> Architecture;

    /// Steps an epoch.
    fn n_steps(&self) -> usize;

    /// The batches of `epoch` (from 0), one after the other.
    fn epoch(&self, epoch: usize) -> impl Iterator<Item = Self::Batch> + '_;

    /// One step with the learning rate `lr`; gives the batch's mean loss.
    fn step(&self, learner: &mut Learner, batch: &Self::Batch, lr: f64) -> Result<f64>;

    /// The input of the net, [N, 1, H, W].
    fn input(&self, batch: &Self::Batch) -> Result<Tensor>;

    /// Counts of correct and of all held-out samples, set by set, with the weights so far (`folded`).
    fn measure(&self, folded: BTreeMap<String, PlainTensor>) -> Result<Vec<(String, usize, usize)>>;
}

/// How a net is fitted to a task.
#[derive(Debug, Clone)]
pub(super) struct FitOptions<'a> {
    /// Epochs in all.
    pub epochs: usize,
    /// Highest learning rate of Adam.
    pub lr: f64,
    pub schedule: Schedule,
    pub seed: u64,
    pub precision: Precision,
    /// Weights that training starts from; `None` starts from random ones.
    pub start: Option<&'a BTreeMap<String, PlainTensor>>,
    /// File of the checkpoint.
    pub checkpoint: PathBuf,
    /// Continue from the checkpoint where there is one.
    pub resume: bool,
    /// Everything that determines the trained weights, except the machine, as text.
    pub settings: String,
}

/// Learning rate from the first step to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schedule {
    /// Constant.
    Constant,
    /// Linear warm-up, then half a cosine down to a hundredth (Loshchilov and Hutter, "SGDR", ICLR 2017).
    Cosine,
}

impl Schedule {
    /// Share of the steps that the warm-up takes.
    const WARM_UP: f64 = 0.03;
    /// Share of the highest learning rate that is left at the end.
    const FINAL: f64 = 0.01;

    /// Fraction of the highest learning rate at `step` (from 0) of `n_steps`.
    fn at(self, step: usize, n_steps: usize) -> f64 {
        let done = step as f64 / n_steps.max(1) as f64;
        match self {
            Self::Constant => 1.0,
            Self::Cosine if done < Self::WARM_UP => ((done + 1.0 / n_steps.max(1) as f64) / Self::WARM_UP).min(1.0),
            Self::Cosine => {
                let fall = (done - Self::WARM_UP) / (1.0 - Self::WARM_UP);
                Self::FINAL + (1.0 - Self::FINAL) * 0.5 * (1.0 + (std::f64::consts::PI * fall).cos())
            }
        }
    }
}

/// Progress of training.
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
    /// Training continues from a checkpoint.
    Resumed {
        /// The net.
        net: &'static str,
        /// Epochs done before.
        epochs_done: usize,
    },
    /// A step is done.
    Step {
        /// The net.
        net: &'static str,
        /// From 1.
        epoch: usize,
        /// Steps done in this epoch.
        step: usize,
        /// Steps an epoch.
        n_steps: usize,
        /// Mean loss of the batch.
        loss: f64,
    },
    /// An epoch is done.
    Epoch {
        /// The net.
        net: &'static str,
        /// From 1.
        epoch: usize,
        /// Epochs in all.
        epochs: usize,
        /// Mean loss of the epoch.
        loss: f64,
        /// Set, correct and all held-out samples, with the weights after this epoch.
        held_out: Vec<(String, usize, usize)>,
    },
}

/// Runs all epochs that are not done yet. Returns the trained net and the mean loss of each epoch.
pub(super) fn fit<L: TrainingTask>(
    options: &FitOptions<'_>,
    task: &L,
    on_event: &(dyn Fn(TrainEvent) + Sync),
) -> Result<(Learner, Vec<f64>)> {
    let (checkpoint, net) = (&options.checkpoint, task.architecture().name);
    let (mut learner, mut losses) = (Learner::new(task.architecture(), options.seed, options.precision)?, Vec::new());
    if options.resume && checkpoint.exists() {
        let (progress, state) = checkpoint::load(checkpoint)?;
        if progress.settings != options.settings {
            let file = checkpoint.display();
            return Err(Error::usage(format_args!(
                "{file} belongs to other options or data; hint: remove it to start again"
            )));
        }
        learner = Learner::from_state(task.architecture(), &state, progress.steps, options.seed, options.precision)?;
        losses = progress.losses;
        on_event(TrainEvent::Resumed { net, epochs_done: progress.epochs_done });
    } else if let (Some(start), Some(batch)) = (options.start, task.epoch(0).next()) {
        learner.start_from(start, task.input(&batch)?)?;
    }
    for epoch in losses.len()..options.epochs {
        losses.push(fit_epoch(options, task, &mut learner, epoch, on_event)?);
        let (settings, losses_so_far) = (options.settings.clone(), losses.clone());
        let progress = Progress { epochs_done: epoch + 1, steps: learner.steps(), losses: losses_so_far, settings };
        checkpoint::save(checkpoint, &progress, &learner.state()?)?;
        let held_out = task.measure(learner.folded()?)?;
        on_event(TrainEvent::Epoch { net, epoch: epoch + 1, epochs: options.epochs, loss: losses[epoch], held_out });
    }
    Ok((learner, losses))
}

/// Runs one epoch and returns its mean loss. A thread of its own prepares the batches in advance.
fn fit_epoch<L: TrainingTask>(
    options: &FitOptions<'_>,
    task: &L,
    learner: &mut Learner,
    epoch: usize,
    on_event: &(dyn Fn(TrainEvent) + Sync),
) -> Result<f64> {
    let (net, n_steps) = (task.architecture().name, task.n_steps());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(BATCHES_AHEAD);
        scope.spawn(move || {
            for batch in task.epoch(epoch) {
                // a step failed and nobody receives any more
                if sender.send(batch).is_err() {
                    break;
                }
            }
        });
        let mut sum = 0.0;
        for (i, batch) in receiver.iter().enumerate() {
            let lr = options.lr * options.schedule.at(learner.steps(), n_steps * options.epochs);
            let loss = task.step(learner, &batch, lr)?;
            sum += loss;
            on_event(TrainEvent::Step { net, epoch: epoch + 1, step: i + 1, n_steps, loss });
        }
        Ok(sum / n_steps as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_schedule_rises_then_falls() {
        let at = |step| Schedule::Cosine.at(step, 1000);
        assert!(at(0) < 0.1 && at(0) > 0.0);
        assert!((at(30) - 1.0).abs() < 1e-9);
        assert!(at(500) < 0.6 && at(500) > 0.4);
        assert!(at(999) < 0.02);
        assert_eq!(Schedule::Constant.at(999, 1000), 1.0);
    }
}
