//! NumPy archives of arrays.

use std::io::{self, Read as _};

use zip::ZipArchive;

use crate::{Contents, Error, Options, memory, npy};

/// The names that are taken, in this order, where there are several arrays and none is asked for: nnU-Net's two, and
/// `numpy.savez`'s for an array without a name.
const USUAL: [&str; 3] = ["probabilities", "softmax", "arr_0"];

/// The array of the name that is asked for; without one, the only array there is, or one with a usual name.
pub(crate) fn read(file: impl io::Read + io::Seek, options: &Options) -> Result<Contents, Error> {
    let (name, most) = (options.array, options.most_bytes);
    let broken = |error: zip::result::ZipError| format!("it is damaged ({error}); expected a NumPy archive (.npz)");
    let mut archive = ZipArchive::new(file).map_err(broken)?;
    let names: Vec<String> =
        archive.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_owned())).collect();
    let is_there = |name: &&str| names.iter().any(|there| there == name);
    let chosen = match (name, &names[..]) {
        (Some(name), _) => Some(name).filter(is_there),
        (None, [only]) => Some(only.as_str()),
        (None, _) => USUAL.into_iter().find(is_there),
    };
    let Some(chosen) = chosen else {
        return Err(match name {
            Some(name) => format!("its arrays are [{}]; expected {name:?}", names.join(", ")).into(),
            None => Error::SeveralArrays { names },
        });
    };
    let entry = archive.by_name(&format!("{chosen}.npy")).map_err(broken)?;
    let size = entry.size();
    if size > most {
        return Err(format!("its array {chosen:?} announces {size} bytes; at most {most} are read").into());
    }
    let mut bytes = memory::room(usize::try_from(size).unwrap_or(usize::MAX))?;
    // No more than was announced.
    entry
        .take(size)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("its array {chosen:?} is damaged or truncated ({error})"))?;
    Ok(Contents { array: Some(chosen.to_owned()), ..npy::decode(&bytes, options)? })
}
