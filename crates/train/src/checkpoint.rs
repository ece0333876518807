//! Checkpoints: one file per net beside the output, from which training resumes with bit-identical results.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use formread_raster::error::{Error, Format, Result};
use formread_raster::fsio::write_atomic;
use formread_torch::weights::{PlainTensor, tensors_from_bytes, tensors_to_bytes};

/// Key of [`Progress`] in the file's metadata.
const PROGRESS: &str = "progress";

/// Progress of one net and the settings that it is trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Epochs done.
    pub epochs_done: usize,
    /// Steps done.
    pub steps: usize,
    /// Mean loss of each epoch done.
    pub losses: Vec<f64>,
    /// All options and the sizes of the sets, as text. Training resumes only where they are equal.
    pub settings: String,
}

/// Path of the checkpoint of one net: `w.glyph.checkpoint` for `w.safetensors`.
pub(super) fn checkpoint_path(out: &Path, net: &str) -> PathBuf {
    out.with_extension(format!("{net}.checkpoint"))
}

/// Writes the checkpoint as an atomic file.
pub(super) fn save(path: &Path, progress: &Progress, state: &BTreeMap<String, PlainTensor>) -> Result<()> {
    let progress = serde_json::to_string(progress).map_err(|error| Error::format(Format::Checkpoint, error))?;
    write_atomic(path, &tensors_to_bytes(state, Dtype::F32, Some((PROGRESS, progress)))?)
}

/// Reads a checkpoint.
pub(super) fn load(path: &Path) -> Result<(Progress, BTreeMap<String, PlainTensor>)> {
    let read = || -> Result<_> {
        let bytes = std::fs::read(path)?;
        let (state, mut metadata) = tensors_from_bytes(&bytes)?;
        let progress =
            metadata.remove(PROGRESS).ok_or_else(|| Error::format(Format::Checkpoint, "progress missing"))?;
        let progress = serde_json::from_str(&progress).map_err(|error| Error::format(Format::Checkpoint, error))?;
        Ok((progress, state))
    };
    read().map_err(|error| error.in_file(path.display().to_string()))
}
