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
    /// Everything else.
    #[error("{0}")]
    Unreadable(String),
}

impl From<String> for Error {
    fn from(reason: String) -> Self {
        Self::Unreadable(reason)
    }
}
