//! Reads a folder of scans into a table, as `formread run` does: `cargo run --example batch -- scans out.csv`.
//!
//! Pages are decoded in this process. Set `RunOptions::decoder` to decode hostile files in a process of their own.

use std::{env, path::Path, thread};

use formread::{
    Reader, TorchBackend, find_scans, known_templates,
    pipeline::{Event, ExistingOutput, RunOptions, run},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<_> = env::args_os().skip(1).collect();
    let [scans, out] = args.as_slice() else { return Err("give a folder of scans and the path of a table".into()) };
    let reader = Reader::builder().templates(known_templates()?).backend(TorchBackend::shipped()?).build()?;
    let options = RunOptions {
        existing: ExistingOutput::Overwrite,
        ..RunOptions::new(out.into(), thread::available_parallelism()?)
    };
    let summary = run(&reader, &find_scans(Path::new(scans))?, &options, |event| {
        if let Event::Rejected { scan, page, reason, .. } = event {
            eprintln!("{scan}: page {page}: {reason}");
        }
    })?;
    println!("{} pages, {} for review, {} rejected", summary.n_pages, summary.n_review, summary.n_rejected());
    Ok(())
}
