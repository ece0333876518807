//! The command line of formread: parse, run, exit status.
#![forbid(unsafe_code)]

mod cli;
mod options;
mod report;

use std::{fs::File, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use formread::{
    evaluate::score_values,
    pipeline::{self, measure_throughput},
    sink::fields_path,
};
use serde::Serialize;

use cli::{BenchArgs, Cli, Command, EvalCommand, EvalValuesArgs, OutputArgs, RunArgs};
use report::Progress;

/// The batch came to its end, but some page could not be read at all.
const SOME_REJECTED: u8 = 1;
/// It could not run.
const COULD_NOT_RUN: u8 = 2;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run(&args),
        Command::Eval(EvalCommand::Values(args)) => eval_values(&args),
        Command::Bench(args) => bench(&args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("formread: {error:#}");
        ExitCode::from(COULD_NOT_RUN)
    })
}

fn run(args: &RunArgs) -> Result<ExitCode> {
    let scans = options::scans(&args.scans.scans)?;
    let reader = options::reader(&args.read)?;
    let mut progress = Progress::new(scans.len(), args.quiet);
    let summary = pipeline::run(&reader, &scans, &options::run_options(args), |event| progress.note(event))?;
    progress.finish(&summary);
    Ok(if summary.n_rejected() == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_REJECTED) })
}

fn eval_values(args: &EvalValuesArgs) -> Result<ExitCode> {
    let open = |path: &Path| File::open(path).with_context(|| path.display().to_string());
    let score = score_values(open(&args.out)?, open(&fields_path(&args.out))?, open(&args.truth)?)?;
    print(&score, &args.output)
}

fn bench(args: &BenchArgs) -> Result<ExitCode> {
    let scans = options::scans(&args.scans.scans)?;
    let reader = options::reader(&args.read)?;
    print(&measure_throughput(&reader, &scans, options::jobs(&args.read))?, &args.output)
}

/// Writes a result to stdout: a table, or one JSON object.
fn print(result: &(impl Serialize + std::fmt::Display), output: &OutputArgs) -> Result<ExitCode> {
    if output.json {
        println!("{}", serde_json::to_string(result)?);
    } else {
        print!("{result}");
    }
    Ok(ExitCode::SUCCESS)
}
