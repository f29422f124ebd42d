//! What the user is told when something is wrong.

use std::fmt;
use std::path::Path;

use crate::report::plain;

/// One sentence, without a line break or anything else that moves a terminal's cursor.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(plain(&one_line(&sentence.into())))
    }

    /// Something wrong with a file.
    pub(crate) fn file(path: &Path, reason: impl fmt::Display) -> Self {
        Self::new(format!("{}: {reason}", path.display()))
    }
}

/// With a space for every line break and what surrounds it. Other spaces may be a name's.
fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.split(['\n', '\r']).collect();
    let last = lines.len() - 1;
    let inner = |(index, line): (usize, &&str)| {
        let line = if index > 0 { line.trim_start() } else { line };
        if index < last { line.trim_end() } else { line }.to_owned()
    };
    let lines: Vec<_> = lines.iter().enumerate().map(inner).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_what_they_are() {
        let said = |text: &str| Failure::new(text).to_string();
        assert_eq!(said("bad  x.npy: it is\n    damaged\r\n\n(so)"), "bad  x.npy: it is damaged (so)");
        assert_eq!(said("a\u{1b}[2Jb\tc: no"), "a\u{fffd}[2Jb\u{fffd}c: no");
        assert_eq!(said(""), "");
    }
}
