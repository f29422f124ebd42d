//! Runs the peers' own numbers through the GPU and the reference.
//!
//! The cases are those of `tests/fixtures`, `classic` and `peers`, or of the folder that `SEGLOSS_CONFORMANCE` names. Without the
//! test harness, so that the tally is always seen.

#[path = "conformance/case.rs"]
mod case;
#[path = "device/mod.rs"]
mod device;
#[path = "conformance/engine.rs"]
mod engine;
#[path = "conformance/folder.rs"]
mod folder;
#[path = "conformance/metric.rs"]
mod metric;
#[path = "conformance/verdict.rs"]
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(reason) => {
            println!("conformance: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all cases and returns how many failed.
fn run() -> Result<usize, String> {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let default = || ["classic", "peers"].map(|name| PathBuf::from(fixtures).join(name)).to_vec();
    let folders = std::env::var_os("SEGLOSS_CONFORMANCE").map_or_else(default, |folder| vec![folder.into()]);
    let cases = folders.iter().map(|folder| folder::read(folder)).collect::<Result<Vec<_>, _>>()?.concat();
    let engines = engine::Engine::all().map_err(|error| error.to_string())?;
    for engine in &engines {
        println!("conformance: {}", engine.name());
    }
    let mut failed = 0;
    for (name, case) in &cases {
        if let Err(reason) = case.as_ref().map_err(Clone::clone).and_then(|case| verdict::judge(case, &engines)) {
            println!("FAILED {name}: {reason}");
            failed += 1;
        }
    }
    println!("{} passed, {failed} failed", cases.len() - failed);
    Ok(failed)
}
