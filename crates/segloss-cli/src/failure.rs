//! What the user is told when something is wrong.

use std::fmt;
use std::path::Path;

/// One sentence, without a line break.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Something wrong with a file.
    pub(crate) fn file(path: &Path, reason: impl fmt::Display) -> Self {
        Self::new(format!("{}: {reason}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<segloss::Error> for Failure {
    fn from(error: segloss::Error) -> Self {
        Self::new(error.to_string())
    }
}
