//! What a run is asked to do.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use formread_page::decoder_process::DecoderCommand;
use formread_sinks::Destination;

/// Options of a run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// `OUT.csv`; the other files are written beside it.
    pub out: PathBuf,
    /// Other places for the tables.
    pub also: Vec<Destination>,
    /// Whether values that a person settled in these places are replaced.
    pub overwrite_settled: bool,
    /// What happens to output that exists.
    pub existing: ExistingOutput,
    /// Number of workers.
    pub jobs: NonZeroUsize,
    /// Folder for a picture of each page with what was found on it; `None`: no pictures. A page is drawn before rules across
    /// pages are applied. Copies have no picture.
    pub overlay: Option<PathBuf>,
    /// Bytes of pictures from which on no more are drawn.
    pub overlay_bytes: u64,
    /// Files that the reader was made of, such as templates and weights: no output may be one of them.
    pub inputs: Vec<PathBuf>,
    /// Folder for the scans that have an unreadable page, with the reasons; `None`: they are not collected.
    pub rejects: Option<PathBuf>,
    /// Folder that all scans are in, if there is one. If it is missing during the run, the run ends with an error, and its
    /// files do not count as unreadable.
    pub input: Option<PathBuf>,
    /// A file that was changed less than this ago, or while it was read, is left for the next run: it may still be written
    /// to. Zero: every file is read as it is.
    pub settle: Duration,
    /// Cooperative cancellation. Once it is `true`, the run finishes the pages in hand and ends with
    /// [`formread_raster::error::ErrorKind::Stopped`].
    pub stop: Arc<AtomicBool>,
    /// Starts a decoding process. `None`: pages are decoded in this process, without
    /// [`formread_page::Limits::page_seconds`], and a decoder that crashes ends the run.
    pub decoder: Option<DecoderCommand>,
}

/// 10 GiB: some 10,000 pictures of office pages.
pub const DEFAULT_OVERLAY_BYTES: u64 = 10 << 30;

impl RunOptions {
    /// Writes a table that does not exist yet, with this number of workers.
    pub fn new(out: PathBuf, jobs: NonZeroUsize) -> Self {
        Self {
            out,
            also: Vec::new(),
            overwrite_settled: false,
            existing: ExistingOutput::Refuse,
            jobs,
            overlay: None,
            overlay_bytes: DEFAULT_OVERLAY_BYTES,
            inputs: Vec::new(),
            rejects: None,
            input: None,
            settle: Duration::ZERO,
            stop: Arc::default(),
            decoder: None,
        }
    }
}

/// What happens to tables, or the journal of an interrupted run, that exist where the new ones go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingOutput {
    /// They are left alone, and the run does not start.
    Refuse,
    /// An interrupted run is resumed. Finished tables are left alone.
    Resume,
    /// They are replaced.
    Overwrite,
}
