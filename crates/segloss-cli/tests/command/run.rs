//! Running the binary in a folder of its own.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A backend that this platform does not have: with it, there is no adapter.
const NO_BACKEND: &str = if cfg!(windows) { "metal" } else { "dx12" };

/// A folder that goes with the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of the files in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The binary, to be run here.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segloss"));
        command.current_dir(self.0.path());
        command
    }

    /// Runs the binary here.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        self.command().args(args).output().unwrap()
    }

    /// Runs it where it finds no adapter.
    pub(crate) fn run_without_adapter<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        self.command().env("WGPU_BACKEND", NO_BACKEND).args(args).output().unwrap()
    }

    /// Runs it and reads the JSON it prints.
    pub(crate) fn json<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Value {
        parse(&self.run(args))
    }

    /// Runs it and returns its sentence of failure.
    pub(crate) fn failure<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> String {
        let output = self.run(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(output.stdout.is_empty(), "{:?}", String::from_utf8_lossy(&output.stdout));
        let sentences: Vec<_> = stderr.lines().filter(|line| line.starts_with("segloss: ")).collect();
        assert_eq!(sentences.len(), 1, "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        sentences[0].to_owned()
    }
}

pub(crate) fn parse(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asserts that a number of a JSON object is what it should be.
pub(crate) fn assert_number(object: &Value, key: &str, expected: f64, tolerance: f64) {
    let found = object[key].as_f64().unwrap_or_else(|| panic!("{key} is {}", object[key]));
    assert!((found - expected).abs() <= tolerance, "{key} is {found}, not {expected}");
}
