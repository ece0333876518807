//! The loop: epoch after epoch, step after step, for whichever net there is something to learn from.

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

/// Batches that are made ahead of the net.
const BATCHES_AHEAD: usize = 4;

/// What one net learns from.
pub(super) trait Lesson: Sync {
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

    /// Correct and all of what is held out, set by set, with what was learnt so far.
    fn measure(&self, folded: BTreeMap<String, PlainTensor>) -> Result<Vec<(String, usize, usize)>>;
}

/// How a lesson is gone through.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// Times that the lesson is gone through.
    pub epochs: usize,
    /// Adam's learning rate, at its highest.
    pub lr: f64,
    pub schedule: Schedule,
    pub seed: u64,
    pub precision: Precision,
    /// Where it is written down how far training has come.
    pub checkpoint: PathBuf,
    /// Goes on from there, where there is something.
    pub resume: bool,
    /// Everything that decides what training comes to, but for the machine.
    pub task: String,
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
        /// The net.
        net: &'static str,
        /// Epochs that are done.
        epochs_done: usize,
    },
    /// A step was done.
    Step {
        /// The net.
        net: &'static str,
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
        /// The net.
        net: &'static str,
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

/// All epochs that are not done yet; gives what was learnt, and each epoch's mean loss.
pub(super) fn learn<L: Lesson>(
    course: &Course,
    lesson: &L,
    on_event: &(dyn Fn(TrainEvent) + Sync),
) -> Result<(Learner, Vec<f64>)> {
    let (checkpoint, net) = (&course.checkpoint, lesson.architecture().name);
    let (mut learner, mut losses) = (Learner::new(lesson.architecture(), course.seed, course.precision)?, Vec::new());
    if course.resume && checkpoint.exists() {
        let (progress, state) = checkpoint::load(checkpoint)?;
        if progress.task != course.task {
            let file = checkpoint.display();
            return Err(Error::usage(format_args!(
                "{file} is of other options or data; hint: remove it to start anew"
            )));
        }
        learner = Learner::from_state(lesson.architecture(), &state, progress.steps, course.seed, course.precision)?;
        losses = progress.losses;
        on_event(TrainEvent::Resumed { net, epochs_done: progress.epochs_done });
    }
    for epoch in losses.len()..course.epochs {
        losses.push(learn_epoch(course, lesson, &mut learner, epoch, on_event)?);
        let (task, losses_so_far) = (course.task.clone(), losses.clone());
        let progress = Progress { epochs_done: epoch + 1, steps: learner.steps(), losses: losses_so_far, task };
        checkpoint::save(checkpoint, &progress, &learner.state()?)?;
        let held_out = lesson.measure(learner.folded()?)?;
        on_event(TrainEvent::Epoch { net, epoch: epoch + 1, epochs: course.epochs, loss: losses[epoch], held_out });
    }
    Ok((learner, losses))
}

/// One epoch; gives its mean loss. Batches are made on a thread of their own, ahead of the net.
fn learn_epoch<L: Lesson>(
    course: &Course,
    lesson: &L,
    learner: &mut Learner,
    epoch: usize,
    on_event: &(dyn Fn(TrainEvent) + Sync),
) -> Result<f64> {
    let (net, n_steps) = (lesson.architecture().name, lesson.n_steps());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(BATCHES_AHEAD);
        scope.spawn(move || {
            for batch in lesson.epoch(epoch) {
                // nobody takes it any more: a step has failed
                if sender.send(batch).is_err() {
                    break;
                }
            }
        });
        let mut sum = 0.0;
        for (i, batch) in receiver.iter().enumerate() {
            let lr = course.lr * course.schedule.at(learner.steps(), n_steps * course.epochs);
            let loss = lesson.step(learner, &batch, lr)?;
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
    fn the_learning_rate_rises_then_falls() {
        let at = |step| Schedule::Cosine.at(step, 1000);
        assert!(at(0) < 0.1 && at(0) > 0.0);
        assert!((at(30) - 1.0).abs() < 1e-9);
        assert!(at(500) < 0.6 && at(500) > 0.4);
        assert!(at(999) < 0.02);
        assert_eq!(Schedule::Constant.at(999, 1000), 1.0);
    }
}
