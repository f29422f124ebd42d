//! Formats of files, and which a file has.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read as _};
use std::path::Path;

use crate::{Contents, Error, Options, memory, nifti, npy, npz, png, tiff};

/// The ends of names of files that are read; where a folder has several of one name, the first counts.
pub const ENDINGS: [&str; 7] = [".nii.gz", ".nii", ".png", ".tif", ".tiff", ".npy", ".npz"];

/// A format of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// NIfTI-1 volumes in a single file, compressed with gzip or not.
    Nifti,
    /// A NumPy array.
    Npy,
    /// A NumPy archive of arrays.
    Npz,
    /// A grey image, or one with a palette.
    Png,
    /// A grey image, or a stack of them.
    Tiff,
}

impl Format {
    /// The format that a file's name tells, by one of [`ENDINGS`] in letters of either case.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let ending = ENDINGS.into_iter().find(|ending| name.ends_with(ending))?;
        Some(match ending {
            ".npy" => Self::Npy,
            ".npz" => Self::Npz,
            ".png" => Self::Png,
            ".tif" | ".tiff" => Self::Tiff,
            _ => Self::Nifti,
        })
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Nifti => "a NIfTI-1 volume",
            Self::Npy => "a NumPy array",
            Self::Npz => "a NumPy archive",
            Self::Png => "a PNG image",
            Self::Tiff => "a TIFF image",
        }
    }
}

/// Whether a file's name says that it is an image, with shades between black and white.
#[must_use]
pub fn is_image(path: &Path) -> bool {
    matches!(Format::of(path), Some(Format::Png | Format::Tiff))
}

/// Reads a file whose format its name tells.
///
/// # Errors
/// What is wrong with the file.
pub fn read(path: &Path, options: &Options) -> Result<Contents, Error> {
    let format = Format::of(path)
        .ok_or_else(|| format!("unknown format; expected a name that ends in {}", ENDINGS.join(", ")))?;
    let (file, length) = open(path, format)?;
    match format {
        Format::Nifti => {
            let bytes = whole(file, length, format, options)?;
            let is_named_gzip = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
            nifti::decode(&bytes, options).map_err(|error| match error {
                Error::Unreadable(reason) if is_named_gzip && !nifti::is_gzip(&bytes) => {
                    format!("{reason} (it is not compressed with gzip, as its name says)").into()
                }
                other => other,
            })
        }
        Format::Npy => npy::decode(&whole(file, length, format, options)?, options),
        Format::Npz => npz::read(BufReader::new(file), options),
        Format::Png => png::read(BufReader::new(file), options),
        Format::Tiff => tiff::read(BufReader::new(file), options),
    }
}

/// Opens a regular file, or what a link to one leads to, and says how long it is. Devices and pipes may have no end, and a pipe
/// into which nobody writes does not even open.
fn open(path: &Path, format: Format) -> Result<(File, u64), Error> {
    let expected = format.expected();
    let unreadable = |error: io::Error| format!("it cannot be read ({error}); expected {expected}");
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a folder" } else { "a pipe, a device or the like" };
        return Err(format!("it is {found}; expected a regular file with {expected}").into());
    }
    Ok((File::open(path).map_err(unreadable)?, metadata.len()))
}

/// All bytes of a file that is read at once.
fn whole(file: File, length: u64, format: Format, options: &Options) -> Result<Vec<u8>, Error> {
    let most = options.most_bytes;
    if length > most {
        return Err(format!("it has {length} bytes; at most {most} are read").into());
    }
    let mut bytes = memory::room(usize::try_from(length).unwrap_or(usize::MAX))?;
    file.take(length)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("it cannot be read ({error}); expected {}", format.expected()))?;
    Ok(bytes)
}

/// Decodes the bytes of a file.
///
/// # Errors
/// What is wrong with them.
pub fn decode(bytes: &[u8], format: Format, options: &Options) -> Result<Contents, Error> {
    match format {
        Format::Nifti => nifti::decode(bytes, options),
        Format::Npy => npy::decode(bytes, options),
        Format::Npz => npz::read(Cursor::new(bytes), options),
        Format::Png => png::read(Cursor::new(bytes), options),
        Format::Tiff => tiff::read(Cursor::new(bytes), options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        let of = |name: &str| Format::of(Path::new(name));
        assert_eq!((of("a/B.NII.GZ"), of("b.nii")), (Some(Format::Nifti), Some(Format::Nifti)));
        assert_eq!((of("c.npy"), of("d.npz")), (Some(Format::Npy), Some(Format::Npz)));
        assert_eq!(
            (of("e.png"), of("f.tif"), of("g.Tiff")),
            (Some(Format::Png), Some(Format::Tiff), Some(Format::Tiff))
        );
        assert_eq!((of("h.gz"), of("npy"), of("..")), (None, None, None));
    }
}
