//! `formread run`

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use formread::pipeline::{self, RunOptions};
use formread_page::scans::Listing;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag, low_level,
};

use super::{COULD_NOT_RUN, SOME_REJECTED, SUCCESS};
use crate::{
    cli::RunArgs,
    options,
    report::{Progress, say},
};

/// How long a run may finish the pages in hand after a signal. It may wait for what never comes: a share that is gone, a device.
const GRACE: Duration = Duration::from_secs(4);
/// Time between two looks at whether there was a signal.
const SIGNAL_POLL: Duration = Duration::from_millis(50);
/// How long the last message may take: a terminal may not take it.
const LAST_MESSAGE: Duration = Duration::from_millis(300);

pub fn run(args: &RunArgs) -> Result<u8> {
    let Listing { scans, not_images } = options::listing(&args.scans.scans)?;
    let reader = options::accepting(options::reader(&args.read.with)?, args.acceptance.as_deref())?;
    let options = RunOptions { stop: stop_on_signals()?, ..options::run_options(args)? };
    pipeline::report_panics_by_scan();
    end_after_grace(options.stop.clone(), pipeline::journal_path(&options.out));
    let mut progress = Progress::new(scans.len(), args.quiet, options.stop.clone());
    progress.note_not_images(&not_images);
    let summary = pipeline::run(&reader, &scans, &options, |event| progress.note(event))?;
    progress.finish(&summary);
    Ok(if summary.n_rejected() == 0 { SUCCESS } else { SOME_REJECTED })
}

/// Ends the program some seconds after `stop` is set, if it has not ended by then. What is in the journal stays there, as if the
/// program had been killed.
fn end_after_grace(stop: Arc<AtomicBool>, journal: PathBuf) {
    // where there is no room for a thread, the run ends when the pages in hand are finished
    let _ = thread::Builder::new().spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            thread::sleep(SIGNAL_POLL);
        }
        thread::sleep(GRACE);
        let _ = thread::Builder::new().spawn(move || {
            say("formread: stopped: the pages in hand took too long");
            say(&format!("hint: what was read is kept in {}: resume the run with --resume", journal.display()));
        });
        thread::sleep(LAST_MESSAGE);
        low_level::exit(COULD_NOT_RUN.into())
    });
}

/// The flag that the first SIGINT (Ctrl-C) or SIGTERM sets. The second one ends the program at once, as it would without
/// a handler.
pub fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the conditional default of the second signal must see the flag that the first one set.
        flag::register_conditional_default(signal, stop.clone()).context("signals")?;
        flag::register(signal, stop.clone()).context("signals")?;
    }
    Ok(stop)
}
