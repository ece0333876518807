//! The command line of formread: parse, run a command, exit with its status.

mod cli;
mod commands;
mod lists;
mod options;
mod report;

use std::io::{Write, stdout};

use clap::Parser;

use cli::{Cli, Command, EvalCommand};
use commands::COULD_NOT_RUN;

fn main() {
    let result = match Cli::parse().command {
        Command::Run(args) => commands::run::run(&args),
        Command::Explain(args) => commands::explain::explain(&args),
        Command::Train(args) => commands::train::train(&args),
        Command::Eval(EvalCommand::Values(args)) => commands::eval::eval_values(&args),
        Command::Eval(EvalCommand::Glyphs(args)) => commands::eval::eval_glyphs(&args),
        Command::Eval(EvalCommand::Paired(args)) => commands::eval::eval_paired(&args),
        Command::Calibrate(args) => commands::calibrate::calibrate(&args),
        Command::Bench(args) => commands::bench::bench(&args),
        Command::Synth(args) => commands::synth::synth(&args),
        Command::Review(command) => commands::review::review(&command),
        Command::Template(command) => commands::template::template(&command),
        Command::Load(args) => commands::sinks::load(&args),
        Command::Dump(args) => commands::sinks::dump(&args),
    };
    let status = result.unwrap_or_else(|error| {
        report::say(&format!("formread: {}", report::error_text(&error)));
        COULD_NOT_RUN
    });
    // Without destructors: to unload LibTorch takes as long as to read a page, and the system frees the same memory.
    let _ = stdout().flush();
    signal_hook::low_level::exit(status.into())
}
