//! The `segloss` command: scores segmentation files, evaluates losses on arrays, and measures itself.
//!
//! Every failure is one sentence on stderr and the exit code 2; nothing is printed or written before all is computed. Where
//! some cases of a folder could not be scored, the others are, and the exit code is 1. Result files get their names just before
//! the report is printed; where that fails, new ones are removed.

mod adapters;
mod args;
mod array;
mod bench;
mod document;
mod engine;
mod eval;
mod failure;
mod loss;
mod manual;
mod output;
mod progress;
mod report;
mod spec;
mod threads;

use std::io;
use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;
use eval::Outcome;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let args = Args::try_parse_from(&words).unwrap_or_else(|error| {
        if error.use_stderr()
            && let Some(advice) = args::surface_advice(&words)
        {
            eprintln!("segloss: {advice}");
        }
        error.exit()
    });
    let adapter = args.adapter.as_deref();
    let alone = |report: String| Outcome { report, files: vec![], is_partial: false };
    let outcome = match &args.command {
        Command::Eval(args) => eval::run(args, adapter),
        Command::Loss(args) => {
            loss::run(args, adapter).map(|(report, files)| Outcome { report, files, is_partial: false })
        }
        Command::Bench(args) => bench::run(args, adapter).map(alone),
        Command::Adapters(args) => adapters::run(args, adapter).map(alone),
        Command::Completions(args) => Ok(alone(manual::completions(args.shell))),
        Command::Man => manual::page().map(alone),
    };
    let delivered = outcome.and_then(|Outcome { report, files, is_partial }| {
        output::deliver(&report, files, &mut io::stdout().lock()).map(|()| is_partial)
    });
    match delivered {
        Ok(is_partial) => ExitCode::from(u8::from(is_partial)),
        Err(failure) => {
            eprintln!("segloss: {failure}");
            ExitCode::from(2)
        }
    }
}
