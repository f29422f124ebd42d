//! NumPy archives of arrays.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use zip::ZipArchive;

use super::{Read, npy};

/// The names that are taken, in this order, where there are several arrays and none is asked for: nnU-Net's two, and
/// `numpy.savez`'s for an array without a name.
const USUAL: [&str; 3] = ["probabilities", "softmax", "arr_0"];

/// Arrays beyond this many bytes are refused rather than decompressed.
const MAX_BYTES: u64 = 1 << 36;

/// Reads the array of this name; without one, the only array there is, or one with a usual name.
pub(crate) fn read(path: &Path, name: Option<&str>) -> Read {
    let file = File::open(path).map_err(|error| format!("it cannot be read ({error}); expected a NumPy archive"))?;
    let broken = |error: zip::result::ZipError| format!("it is damaged ({error}); expected a NumPy archive (.npz)");
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let names: Vec<String> =
        archive.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_owned())).collect();
    let is_there = |name: &&str| names.iter().any(|there| there == name);
    let chosen = match (name, &names[..]) {
        (Some(name), _) => Some(name).filter(is_there),
        (None, [only]) => Some(only.as_str()),
        (None, _) => USUAL.into_iter().find(is_there),
    };
    let Some(chosen) = chosen else {
        let expected = name.map_or("a single one, or --npz-key".to_owned(), |name| format!("{name:?}"));
        return Err(format!("its arrays are [{}]; expected {expected}", names.join(", ")));
    };
    let entry = archive.by_name(&format!("{chosen}.npy")).map_err(broken)?;
    let size = entry.size();
    if size > MAX_BYTES {
        return Err(format!("its array {chosen:?} announces {size} bytes; at most {MAX_BYTES} are read"));
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(size as usize)
        .map_err(|_| format!("its array {chosen:?} announces {size} bytes, more than fit in memory"))?;
    // No more than was announced.
    entry
        .take(size)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("its array {chosen:?} is damaged or truncated ({error})"))?;
    npy::decode_bytes(&bytes)
}
