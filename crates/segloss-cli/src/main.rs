//! The `segloss` command: scores segmentation files and evaluates losses on arrays.
//!
//! Every failure is one sentence on stderr and the exit code 2; nothing is printed or written before all is computed.

mod adapters;
mod args;
mod array;
mod engine;
mod eval;
mod failure;
mod formats;
mod loss;
mod output;
mod progress;
mod report;

use std::io::Write;
use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;
use failure::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let report = match &args.command {
        Command::Eval(eval) => eval::run(eval, args.adapter.as_deref()),
        Command::Loss(loss) => loss::run(loss, args.adapter.as_deref()),
        Command::Adapters(adapters) => adapters::run(adapters, args.adapter.as_deref()),
    };
    match report.and_then(|report| print(&report)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("segloss: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Prints a whole report. A reader that has gone away (`| head`) is not a failure.
fn print(report: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(report.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("the result cannot be printed: {error}")))
        }
        _ => Ok(()),
    }
}
