//! The `segloss` command: scores segmentation files, evaluates losses on arrays, and measures itself.
//!
//! Every failure is one sentence on stderr and the exit code 2; nothing is printed or written before all is computed.
//! Result files get their names just before the report is printed; where that fails, new ones are removed.

mod adapters;
mod args;
mod array;
mod bench;
mod engine;
mod eval;
mod failure;
mod formats;
mod loss;
mod output;
mod progress;
mod report;
mod space;
mod spec;

use std::io;
use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;

fn main() -> ExitCode {
    let args = Args::parse();
    let adapter = args.adapter.as_deref();
    let alone = |report: String| (report, vec![]);
    let results = match &args.command {
        Command::Eval(args) => eval::run(args, adapter).map(alone),
        Command::Loss(args) => loss::run(args, adapter),
        Command::Bench(args) => bench::run(args, adapter).map(alone),
        Command::Adapters(args) => adapters::run(args, adapter).map(alone),
    };
    match results.and_then(|(report, files)| output::deliver(&report, files, &mut io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("segloss: {failure}");
            ExitCode::from(2)
        }
    }
}
