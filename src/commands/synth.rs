//! `formread synth`

use anyhow::Result;
use formread_tools::synth::{read_glyphs, write_deck};

use super::SUCCESS;
use crate::{cli::SynthArgs, options, report};

pub fn synth(args: &SynthArgs) -> Result<u8> {
    let templates = args.pipeline.iter().map(|file| options::template(file)).collect::<Result<Vec<_>>>()?;
    let glyphs = read_glyphs(&args.glyphs)?;
    let progress = report::deck_progress(args.pages);
    let (options, deck) = (options::synth_options(args), options::deck_options(args)?);
    write_deck(&templates, &glyphs, &options, &deck, &args.out, || progress.inc(1))?;
    progress.finish_and_clear();
    Ok(SUCCESS)
}
