//! `formread eval`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use formread::sink::fields_path;
use formread_raster::fsio::{open_bounded, write_atomic};
use formread_tools::evaluate::{Question, TruthField, compare, html_report, join_tables, score_marks, score_values};

#[cfg(feature = "torch")]
use super::save_png;
use super::{SOME_FOUND, SUCCESS, check_no_input, print};
use crate::{
    cli::{EvalGlyphsArgs, EvalPairedArgs, EvalValuesArgs},
    options,
};

/// Largest table that is read, bytes: about ten million rows.
const MAX_TABLE_BYTES: u64 = 2 << 30;

pub fn eval_values(args: &EvalValuesArgs) -> Result<u8> {
    let fields = read_tables(&args.out, &args.truth)?;
    let mut score = score_values(&fields, &options::all_templates(&args.pipeline)?);
    if let Some(path) = &args.by {
        let kinds = open_bounded(path, MAX_TABLE_BYTES).with_context(|| path.display().to_string())?;
        score.by_mark = score_marks(&fields, kinds)?;
    }
    if let Some(path) = &args.html {
        let others = args.pipeline.iter().chain(&args.by).map(PathBuf::as_path);
        check_no_input(
            path,
            [args.out.as_path(), fields_path(&args.out).as_path(), args.truth.as_path()].into_iter().chain(others),
        )?;
        let scans = args.scans.as_deref().map(options::scans).transpose()?;
        let report = html_report(&args.out.to_string_lossy(), &fields, &score, scans.as_deref(), args.crops);
        write_atomic(path, report.as_bytes())?;
    }
    print(&score, &args.output)?;
    Ok(SUCCESS)
}

pub fn eval_paired(args: &EvalPairedArgs) -> Result<u8> {
    let question = if args.no_loss { Question::LosesNothing } else { Question::IsBetter };
    let paired = compare(&read_tables(&args.a, &args.truth)?, &read_tables(&args.b, &args.truth)?, question);
    print(&paired, &args.output)?;
    Ok(if paired.is_answer_yes() { SUCCESS } else { SOME_FOUND })
}

#[cfg(feature = "torch")]
pub fn eval_glyphs(args: &EvalGlyphsArgs) -> Result<u8> {
    formread_torch::set_threads(options::cores().get());
    let weights = options::weights(args.model.as_deref())?;
    let mut net = formread_torch::ConvNet::new(&weights, formread_torch::fastest_compute())?;
    let (set, report) = formread_tools::evaluate::glyphs::evaluate_folder(&args.dir, &mut net)?;
    if let Some(sheet) = &args.sheet {
        save_png(&formread_tools::evaluate::glyphs::wrong_sheet(&set, &report), sheet)?;
    }
    print(&report, &args.output)?;
    Ok(SUCCESS)
}

#[cfg(not(feature = "torch"))]
pub fn eval_glyphs(_: &EvalGlyphsArgs) -> Result<u8> {
    options::without_torch()
}

/// The fields of a truth, each with what the tables of the run into `out` have for it.
pub fn read_tables(out: &Path, truth: &Path) -> Result<Vec<TruthField>> {
    let open = |path: &Path| open_bounded(path, MAX_TABLE_BYTES).with_context(|| path.display().to_string());
    Ok(join_tables(open(out)?, open(&fields_path(out))?, open(truth)?)?)
}
