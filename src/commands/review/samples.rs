//! `formread review samples`

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use formread::sink::TruthTable;
use formread_page::scans::Scan;
use formread_raster::fsio::AtomicFolder;
use formread_review::SampleSource;

use super::{columns, files_of_run, open};
use crate::{
    cli::SamplesArgs,
    commands::{SUCCESS, print},
    options,
};

/// A file that a folder of samples has.
const MANIFEST: &str = "samples.csv";

pub fn samples(args: &SamplesArgs) -> Result<u8> {
    let SamplesArgs { of, scans: input, folder, held_out, model, overwrite, limits } = args;
    ensure!((0.0..=1.0).contains(held_out), "the share that is held out is from 0 to 1: {held_out}");
    let scans = options::scans(input)?;
    let others = files_of_run(&of.out).into_iter().chain(of.pipeline.iter().chain(model).cloned());
    check_folder(folder, *overwrite, input, scans.iter().map(|scan| scan.path.clone()).chain(others))?;
    let review = open(of)?;
    let templates = review.run().rules.templates.clone();
    let reader = options::reader_of(templates, model.as_deref(), options::limits(limits))?;
    let decoder = options::decoder(limits)?;
    let source = SampleSource { reader: &reader, scans: &scans, decoder: Some(&decoder), held_out: *held_out };
    let written = AtomicFolder::create(folder.clone())?;
    let mut truth = TruthTable::create(&written.path().join("held-out.csv"), columns(&review)?)?;
    let mut names: Vec<String> = Vec::new();
    let report = formread_review::samples(&review, &source, written.path(), |page| {
        if names.last() != Some(&page.scan) {
            names.push(page.scan.clone());
        }
        truth.write(&page.scan, page.page, &page.fields)
    })?;
    truth.finish()?;
    let list = list_of(&names, &scans, input);
    fs::write(written.path().join("held-out.list"), list).with_context(|| folder.display().to_string())?;
    written.commit()?;
    print(&report, &of.output)?;
    Ok(SUCCESS)
}

/// The files with these names, relative to the folder of the scans, each with NUL behind it: a list for `formread run -` in that folder.
fn list_of(names: &[String], scans: &[Scan], input: &Path) -> Vec<u8> {
    let folder = if input.is_dir() { input } else { input.parent().unwrap_or(input) };
    let relative = |scan: &Scan| scan.path.strip_prefix(folder).unwrap_or(&scan.path).to_owned();
    let paths: HashMap<&str, PathBuf> = scans.iter().map(|scan| (scan.name.as_str(), relative(scan))).collect();
    let listed = names.iter().filter_map(|name| paths.get(name.as_str()));
    listed.flat_map(|path| [path.as_os_str().as_encoded_bytes(), b"\0"].concat()).collect()
}

/// Checks that nothing is lost where `folder` is replaced: it is empty, or has samples and none of `inputs`. Nor is it among the
/// scans, where it would be read as some.
fn check_folder(
    folder: &Path,
    is_overwriting: bool,
    scans: &Path,
    inputs: impl IntoIterator<Item = PathBuf>,
) -> Result<()> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = fs::canonicalize(parent).with_context(|| parent.display().to_string())?;
    let at = parent.join(folder.file_name().context("DIR has no name")?);
    if scans.is_dir() && fs::canonicalize(scans).is_ok_and(|scans| at.starts_with(scans)) {
        bail!("the folder is among the scans: {}\nhint: choose another one", folder.display());
    }
    if fs::symlink_metadata(&at).is_err() {
        return Ok(());
    }
    ensure!(fs::symlink_metadata(&at)?.is_dir(), "not a folder: {}\nhint: choose another name", folder.display());
    if fs::read_dir(&at)?.next().is_none() {
        return Ok(());
    }
    ensure!(
        is_overwriting && at.join(MANIFEST).is_file(),
        "the folder is not empty: {}\nhint: replace samples with --overwrite, or choose another folder",
        folder.display()
    );
    let is_in_it = |input: &PathBuf| fs::canonicalize(input).is_ok_and(|input| input.starts_with(&at));
    match inputs.into_iter().find(is_in_it) {
        Some(input) => bail!("an input is in the folder: {}\nhint: choose another folder", input.display()),
        None => Ok(()),
    }
}
