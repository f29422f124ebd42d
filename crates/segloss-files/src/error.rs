//! Why a file cannot be read.

use thiserror::Error;

/// What is wrong with a file and what was expected: a sentence that begins after the file's name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An archive whose arrays leave open which one is meant; [`Options::array`](crate::Options::array) names it.
    #[error("its arrays are [{}]; expected a single one, or the name of one", names.join(", "))]
    SeveralArrays {
        /// The names of its arrays.
        names: Vec<String>,
    },
    /// Less memory is left than the file takes.
    #[error("there is no memory for its {bytes} bytes")]
    OutOfMemory {
        /// What was asked for.
        bytes: u64,
    },
    /// Everything else.
    #[error("{0}")]
    Unreadable(String),
}

impl From<String> for Error {
    fn from(reason: String) -> Self {
        Self::Unreadable(reason)
    }
}

impl From<&str> for Error {
    fn from(reason: &str) -> Self {
        Self::Unreadable(reason.to_owned())
    }
}
