//! Flags -> what the library is told; where defaults live that are not the library's own.

use std::{
    fs,
    io::BufRead,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result};
use formread::{
    form::{FormTemplate, known_templates, parse_template},
    pipeline::{Existing, RunOptions, Scan, find_scans, listed_scans},
    reader::Reader,
};

use crate::cli::{ReadArgs, RunArgs};

/// The scans that `scans` names; `-` is a list on standard input.
pub fn scans(scans: &Path) -> Result<Vec<Scan>> {
    if scans != Path::new("-") {
        return Ok(find_scans(scans)?);
    }
    let lines: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>().context("standard input")?;
    Ok(listed_scans(lines.iter().filter(|line| !line.trim().is_empty()).map(PathBuf::from)))
}

/// The templates in `files`, or every known one.
pub fn templates(files: &[PathBuf]) -> Result<Vec<FormTemplate>> {
    if files.is_empty() {
        return Ok(known_templates()?);
    }
    files.iter().map(|file| template(file)).collect()
}

/// The template in `file`.
pub fn template(file: &Path) -> Result<FormTemplate> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(parse_template(&text).map_err(|error| error.in_file(file.to_string_lossy()))?)
}

/// The reader that the flags ask for.
#[cfg(feature = "torch")]
pub fn reader(args: &ReadArgs) -> Result<Reader> {
    // One thread a net: pages are what is worked on side by side.
    formread::net::set_threads(1);
    Ok(Reader::with_weights(templates(&args.pipeline)?, weights(args.model.as_deref())?)?)
}

/// The weights in `model`, or those that the program carries.
#[cfg(feature = "torch")]
pub fn weights(model: Option<&Path>) -> Result<formread::net::Weights> {
    Ok(model.map_or_else(formread::net::Weights::shipped, formread::net::Weights::load)?)
}

/// Without LibTorch there is nothing to read with.
#[cfg(not(feature = "torch"))]
pub fn reader(_: &ReadArgs) -> Result<Reader> {
    anyhow::bail!("this program was built without LibTorch and cannot read\nhint: build it with --features torch");
}

/// How many pages are worked on at the same time.
pub fn jobs(args: &ReadArgs) -> NonZeroUsize {
    args.jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// What a run is told.
pub fn run_options(args: &RunArgs) -> RunOptions {
    let existing = match (args.resume, args.overwrite) {
        (true, _) => Existing::Resume,
        (_, true) => Existing::Overwrite,
        _ => Existing::Refuse,
    };
    RunOptions { out: args.out.clone(), existing, jobs: jobs(&args.read), overlay: args.overlay.clone() }
}
