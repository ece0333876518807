//! `formread train`

use anyhow::Result;

#[cfg(feature = "torch")]
use super::SUCCESS;
#[cfg(feature = "torch")]
use crate::report::TrainProgress;
use crate::{cli::TrainArgs, options};

#[cfg(feature = "torch")]
pub fn train(args: &TrainArgs) -> Result<u8> {
    // One thread per net, since several nets are trained side by side.
    formread_torch::set_threads(1);
    let mut progress = TrainProgress::new();
    let report = formread_train::train(&options::train_options(args)?, &mut |event| progress.note(&event))?;
    progress.finish(&report);
    Ok(SUCCESS)
}

#[cfg(not(feature = "torch"))]
pub fn train(_: &TrainArgs) -> Result<u8> {
    options::without_torch()
}
