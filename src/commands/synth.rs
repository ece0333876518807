//! `formread synth`

use std::path::Path;

use anyhow::Result;
use formread_page as page;
use formread_page::{Limits, scans::read_file};
use formread_tools::synth::{DeckOptions, read_glyphs, write_deck};
use image::GrayImage;

use super::SUCCESS;
use crate::{cli::SynthArgs, options, report};

pub fn synth(args: &SynthArgs) -> Result<u8> {
    let templates = args.pipeline.iter().map(|file| options::template(file)).collect::<Result<Vec<_>>>()?;
    let glyphs = read_glyphs(&args.glyphs)?;
    let progress = report::deck_progress(args.pages);
    let prints = args.print.iter().map(|file| blank_pages(file)).collect::<Result<Vec<_>>>()?.concat();
    let (options, deck) = (options::synth_options(args), DeckOptions { prints, ..options::deck_options(args) });
    write_deck(&templates, &glyphs, &options, &deck, &args.out, || progress.inc(1))?;
    progress.finish_and_clear();
    Ok(SUCCESS)
}

/// The pages of a blank form.
fn blank_pages(file: &Path) -> Result<Vec<GrayImage>> {
    let limits = Limits::default();
    let pages = read_file(file, &limits).and_then(|bytes| page::open(&bytes, &limits)?.collect::<Result<Vec<_>, _>>());
    let pages = pages.map_err(|error| error.in_file(file.to_string_lossy()))?;
    Ok(pages.into_iter().map(|page| page.pixels).collect())
}
