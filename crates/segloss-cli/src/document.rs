//! Text files that people write: descriptions of losses, names of classes.

use std::io::Read;
use std::path::Path;

/// The longest.
const MOST_BYTES: u64 = 1 << 26;

/// The text of a regular file, or what is wrong with it. Pipes and devices may have no end.
pub(crate) fn read(path: &Path, expected: &str) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("it cannot be read ({error}); expected {expected}");
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a folder" } else { "a pipe, a device or the like" };
        return Err(format!("it is {found}; expected a regular file with {expected}"));
    }
    if metadata.len() == 0 {
        return Err(format!("the file is empty; expected {expected}"));
    }
    if metadata.len() > MOST_BYTES {
        return Err(format!("it has {} bytes; at most {MOST_BYTES} are read", metadata.len()));
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}
