//! `formread run`

use std::sync::{Arc, atomic::AtomicBool};

use anyhow::{Context, Result};
use formread::pipeline::{self, RunOptions};
use formread_page::scans::Listing;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use super::{SOME_REJECTED, SUCCESS};
use crate::{cli::RunArgs, options, report::Progress};

pub fn run(args: &RunArgs) -> Result<u8> {
    let Listing { scans, not_images } = options::listing(&args.scans.scans)?;
    let reader = options::accepting(options::reader(&args.read.with)?, args.acceptance.as_deref())?;
    let options = RunOptions { stop: stop_on_signals()?, ..options::run_options(args)? };
    pipeline::report_panics_by_scan();
    let mut progress = Progress::new(scans.len(), args.quiet, options.stop.clone());
    progress.note_not_images(&not_images);
    let summary = pipeline::run(&reader, &scans, &options, |event| progress.note(event))?;
    progress.finish(&summary);
    Ok(if summary.n_rejected() == 0 { SUCCESS } else { SOME_REJECTED })
}

/// The flag that the first SIGINT (Ctrl-C) or SIGTERM sets. The second one ends the program at once, as it would without
/// a handler.
fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the conditional default of the second signal must see the flag that the first one set.
        flag::register_conditional_default(signal, stop.clone()).context("signals")?;
        flag::register(signal, stop.clone()).context("signals")?;
    }
    Ok(stop)
}
