//! Text files that people write: descriptions of losses, names of classes.

use std::io::Read;
use std::path::Path;

/// The longest.
const MOST_BYTES: u64 = 1 << 26;

/// The text of a file, or of what a pipe carries, or what is wrong with it.
pub(crate) fn read(path: &Path, expected: &str) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("it cannot be read ({error}); expected {expected}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = vec![];
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes; expected {expected}"));
    }
    if bytes.is_empty() {
        return Err(format!("the file is empty; expected {expected}"));
    }
    String::from_utf8(bytes).map_err(|error| format!("it is no text ({error}); expected {expected}"))
}
