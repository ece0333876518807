//! The command line of formread: parse, run, exit status.

mod cli;
mod options;
mod report;

use std::{
    fs,
    io::{Cursor, ErrorKind, Write, stdout},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context, Result};
use clap::Parser;
use formread::{
    pipeline::{self, RunOptions, measure_throughput},
    sink::fields_path,
};
use formread_core::{form, rows::Verdict};
use formread_page::scans::read_file;
use formread_raster::fsio::write_atomic;
use formread_raster::{error, fsio::open_bounded};
use formread_tools::{
    draft::{draft, draft_fillable},
    evaluate::{Acceptance, Budget, TruthField, html_report, join_tables, score_values},
    explain,
    synth::{read_glyphs, write_deck},
    template::{self, CheckParams, CheckReport, TemplateFile, TemplateList},
};
use serde::Serialize;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use cli::{
    BenchArgs, CalibrateArgs, CheckArgs, Cli, Command, EvalCommand, EvalGlyphsArgs, EvalValuesArgs, ExplainArgs,
    ListArgs, NewArgs, OutputArgs, RunArgs, ShowArgs, SynthArgs, TemplateCommand, TrainArgs,
};
use report::{Progress, say};

/// All is well.
const SUCCESS: u8 = 0;
/// The batch came to its end, but some page could not be read at all.
const SOME_REJECTED: u8 = 1;
/// A check came to its end and found something.
const SOME_FOUND: u8 = 1;
/// It could not run, or not come to its end.
const COULD_NOT_RUN: u8 = 2;
/// Largest table that is read, bytes: some ten million rows.
const MAX_TABLE_BYTES: u64 = 2 << 30;

fn main() {
    let result = match Cli::parse().command {
        Command::Run(args) => run(&args),
        Command::Explain(args) => explain(&args),
        Command::Train(args) => train(&args),
        Command::Eval(EvalCommand::Values(args)) => eval_values(&args),
        Command::Eval(EvalCommand::Glyphs(args)) => eval_glyphs(&args),
        Command::Calibrate(args) => calibrate(&args),
        Command::Bench(args) => bench(&args),
        Command::Synth(args) => synth(&args),
        Command::Template(TemplateCommand::New(args)) => template_new(&args),
        Command::Template(TemplateCommand::List(args)) => template_list(&args),
        Command::Template(TemplateCommand::Show(args)) => template_show(&args),
        Command::Template(TemplateCommand::Check(args)) => template_check(&args),
        Command::Template(TemplateCommand::Schema) => template_schema(),
    };
    let status = result.unwrap_or_else(|error| {
        say(&format!("formread: {error:#}"));
        COULD_NOT_RUN
    });
    // Taking LibTorch down takes as long as a page, and leaves nothing behind that its going would not.
    let _ = stdout().flush();
    signal_hook::low_level::exit(status.into())
}

fn run(args: &RunArgs) -> Result<u8> {
    let scans = options::scans(&args.scans.scans)?;
    let reader = options::accepting(options::reader(&args.read.with)?, args.acceptance.as_deref())?;
    let options = RunOptions { stop: stop_on_signals()?, ..options::run_options(args)? };
    let mut progress = Progress::new(scans.len(), args.quiet, options.stop.clone());
    let summary = pipeline::run(&reader, &scans, &options, |event| progress.note(event))?;
    progress.finish(&summary);
    Ok(if summary.n_rejected() == 0 { SUCCESS } else { SOME_REJECTED })
}

/// What the first SIGINT (Ctrl-C) or SIGTERM sets; the second one ends the program at once, as it would without this.
fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the second finds set what the first one set.
        flag::register_conditional_default(signal, stop.clone()).context("signals")?;
        flag::register(signal, stop.clone()).context("signals")?;
    }
    Ok(stop)
}

fn explain(args: &ExplainArgs) -> Result<u8> {
    let reader = options::reader(&args.with)?;
    let (path, page) = (&args.scan, args.page.get());
    let scan = path.to_string_lossy();
    fs::metadata(path).with_context(|| path.display().to_string())?;
    let told = match read_file(path, reader.limits()) {
        Ok(bytes) => explain::explain(&reader, &scan, &bytes, page, &args.field)?,
        Err(fault) if matches!(fault.kind(), error::ErrorKind::Usage(_)) => return Err(fault.in_file(scan).into()),
        Err(fault) => explain::explain_unreadable(&reader, &scan, page, &fault),
    };
    let sheet = explain::sheet::draw(&told);
    sheet.save_with_format(&args.out, image::ImageFormat::Png).with_context(|| args.out.display().to_string())?;
    let printed = print(&told, &args.output)?;
    Ok(if told.verdict == Verdict::Rejected { SOME_REJECTED } else { printed })
}

#[cfg(feature = "torch")]
fn train(args: &TrainArgs) -> Result<u8> {
    // One thread a net: nets are what learns side by side.
    formread_torch::set_threads(1);
    let mut progress = report::TrainProgress::new();
    let trained = formread_train::train(&options::train_options(args)?, &mut |event| progress.note(&event))?;
    progress.finish(&trained);
    Ok(SUCCESS)
}

#[cfg(feature = "torch")]
fn eval_glyphs(args: &EvalGlyphsArgs) -> Result<u8> {
    formread_torch::set_threads(options::cores().get());
    let weights = options::weights(args.model.as_deref())?;
    let mut net = formread_torch::ConvNet::new(&weights, formread_torch::fastest_compute())?;
    let (set, report) = formread_tools::evaluate::glyphs::evaluate_folder(&args.dir, &mut net)?;
    if let Some(sheet) = &args.sheet {
        let picture = formread_tools::evaluate::glyphs::wrong_sheet(&set, &report);
        picture.save_with_format(sheet, image::ImageFormat::Png).with_context(|| sheet.display().to_string())?;
    }
    print(&report, &args.output)
}

#[cfg(not(feature = "torch"))]
fn train(_: &TrainArgs) -> Result<u8> {
    options::without_torch()
}

#[cfg(not(feature = "torch"))]
fn eval_glyphs(_: &EvalGlyphsArgs) -> Result<u8> {
    options::without_torch()
}

fn eval_values(args: &EvalValuesArgs) -> Result<u8> {
    let fields = read_tables(&args.out, &args.truth)?;
    let score = score_values(&fields, &options::all_templates(&args.pipeline)?);
    if let Some(path) = &args.html {
        let scans = args.scans.as_deref().map(options::scans).transpose()?;
        let report = html_report(&args.out.to_string_lossy(), &fields, &score, scans.as_deref(), args.crops);
        write_atomic(path, report.as_bytes())?;
    }
    print(&score, &args.output)
}

fn calibrate(args: &CalibrateArgs) -> Result<u8> {
    let budget = Budget::new(args.max_field_error, args.certainty)?;
    let weights = options::weights_named(args.model.as_deref())?;
    let calibration = formread_tools::evaluate::calibrate(&read_tables(&args.out, &args.truth)?, &budget)?;
    print(&calibration, &args.output)?;
    let text = Acceptance::new(&calibration, weights)?.to_toml()?;
    if let Some(path) = &args.levels {
        write_atomic(path, text.as_bytes())?;
    }
    Ok(SUCCESS)
}

/// What the tables of a run into `out` say of the fields of a truth.
fn read_tables(out: &Path, truth: &Path) -> Result<Vec<TruthField>> {
    let open = |path: &Path| open_bounded(path, MAX_TABLE_BYTES).with_context(|| path.display().to_string());
    Ok(join_tables(open(out)?, open(&fields_path(out))?, open(truth)?)?)
}

fn bench(args: &BenchArgs) -> Result<u8> {
    let scans = options::scans(&args.scans.scans)?;
    let reader = options::reader(&args.read.with)?;
    let decoder = options::decoder(&args.read.with.limits)?;
    print(&measure_throughput(&reader, &scans, options::jobs(&args.read), Some(&decoder))?, &args.output)
}

fn synth(args: &SynthArgs) -> Result<u8> {
    let templates = args.pipeline.iter().map(|file| options::template(file)).collect::<Result<Vec<_>>>()?;
    let glyphs = read_glyphs(&args.glyphs)?;
    let progress = report::deck_progress(args.pages);
    let (options, deck) = (options::synth_options(args), options::deck_options(args));
    write_deck(&templates, &glyphs, &options, &deck, &args.out, || progress.inc(1))?;
    progress.finish_and_clear();
    Ok(SUCCESS)
}

fn template_list(args: &ListArgs) -> Result<u8> {
    print(&TemplateList::new(&options::all_templates(&args.templates)?), &args.output)
}

fn template_schema() -> Result<u8> {
    write_out(&(serde_json::to_string_pretty(&form::template_schema())? + "\n"))
}

fn template_new(args: &NewArgs) -> Result<u8> {
    let NewArgs { out, overwrite, .. } = args;
    // no name that the scan of a blank would have
    let preview = out.with_added_extension("png");
    let taken = [out, &preview].into_iter().find(|path| !overwrite && path.exists());
    if let Some(path) = taken {
        anyhow::bail!("already exists: {}\nhint: replace it with --overwrite, or choose another name", path.display());
    }
    let files = options::form_files(args)?;
    let pages = files.iter().map(|file| options::form_page(file, args)).collect::<Result<Vec<_>>>()?;
    let name = options::form_name(args)?;
    let fillable = match files.as_slice() {
        [(file, bytes)] => draft_fillable(bytes, args.page.get() as usize - 1, &name, &options::limits(&args.limits))
            .map_err(|error| error.in_file(file.clone()))?,
        _ => None,
    };
    let draft = fillable.map_or_else(|| draft(&pages, &name), Ok)?;
    let shown = template::show_on_page(&draft.template()?, &pages[0]);
    let in_preview = || preview.display().to_string();
    let mut png = Cursor::new(Vec::new());
    shown.picture.write_to(&mut png, image::ImageFormat::Png).with_context(in_preview)?;
    write_atomic(&preview, png.get_ref()).with_context(in_preview)?;
    write_atomic(out, draft.to_toml().as_bytes()).with_context(|| out.display().to_string())?;
    report::drafted(&draft, pages.len(), out, &preview);
    Ok(SUCCESS)
}

fn template_show(args: &ShowArgs) -> Result<u8> {
    let form = options::template(&args.template)?;
    let shown = match &args.scan {
        None => template::show_blank(&form, args.dpi)?,
        Some(scan) => {
            let limits = options::limits(&args.limits);
            let in_scan = |error: error::Error| error.in_file(scan.to_string_lossy());
            let bytes = read_file(scan, &limits).map_err(in_scan)?;
            template::show_on_scan(&form, &bytes, args.page.get(), &limits).map_err(in_scan)?
        }
    };
    shown
        .picture
        .save_with_format(&args.out, image::ImageFormat::Png)
        .with_context(|| args.out.display().to_string())?;
    for line in &shown.caption {
        say(line);
    }
    Ok(if shown.is_placed { SUCCESS } else { SOME_REJECTED })
}

fn template_check(args: &CheckArgs) -> Result<u8> {
    let (files, scans) = options::checked_paths(&args.paths)?;
    let scans = scans.map(options::scans).transpose()?;
    let (mut survey, mut candidates) = (CheckReport::default(), Vec::new());
    for file in files {
        match TemplateFile::parse(&file.to_string_lossy(), &options::template_text(file)?) {
            Ok(candidate) => candidates.push(candidate),
            Err(finding) => survey.findings.push(*finding),
        }
    }
    let known = form::known_templates()?;
    survey.findings.extend(template::check(&candidates, &known, &CheckParams { dpi: args.dpi })?);
    if let Some(scans) = scans.filter(|_| !candidates.is_empty()) {
        let (pages, findings) = template::check_scans(&candidates, &scans, &options::limits(&args.limits));
        survey.pages = pages;
        survey.findings.extend(findings);
    }
    if let (Some(n_pages), Some(glyphs)) = (args.simulate, &args.glyphs) {
        let glyphs = read_glyphs(glyphs)?;
        let is_given = |name: &str| candidates.iter().any(|candidate| candidate.template.name == name);
        let others = known.iter().filter(|other| !is_given(&other.name));
        let all: Vec<_> = others.chain(candidates.iter().map(|candidate| &candidate.template)).cloned().collect();
        for candidate in &candidates {
            let others = all.iter().filter(|other| other.name != candidate.template.name).cloned();
            let templates = others.chain([candidate.template.clone()]).collect();
            let reader = options::reader_of(templates, args.model.as_deref())?;
            let progress = report::deck_progress(n_pages);
            let options = options::simulate_options(args, n_pages);
            let (forecast, findings) = template::simulate(candidate, &reader, &glyphs, &options, || progress.inc(1))?;
            progress.finish_and_clear();
            survey.forecasts.push(forecast);
            survey.findings.extend(findings);
        }
    }
    let survey = survey.sorted();
    let printed = print(&survey, &args.output)?;
    Ok(if survey.findings.is_empty() { printed } else { SOME_FOUND })
}

/// Writes a result to stdout: a table, or one JSON object.
fn print(result: &(impl Serialize + std::fmt::Display), output: &OutputArgs) -> Result<u8> {
    let text = if output.json { serde_json::to_string(result)? + "\n" } else { result.to_string() };
    write_out(&text)
}

fn write_out(text: &str) -> Result<u8> {
    match stdout().lock().write_all(text.as_bytes()) {
        // who reads it has seen enough
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(SUCCESS),
        written => written.map(|()| SUCCESS).context("standard output"),
    }
}
