//! How files are read.

/// How files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options<'a> {
    /// The array of this name, of an archive of several.
    pub array: Option<&'a str>,
    /// Contents beyond this many bytes are refused: as they are decompressed, and as [`Values`](crate::Values), a byte or four for every
    /// number, all pages of an image together. So is a file of more bytes, where it is read whole. Of images at most 4 GiB are taken in
    /// any case.
    pub most_bytes: u64,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { array: None, most_bytes: 1 << 36 }
    }
}

impl Options<'_> {
    /// The limit for images.
    pub(crate) fn most_image_bytes(&self) -> usize {
        // Within a usize, whatever its width: a constant beyond it would not compile.
        usize::try_from(self.most_bytes.min(1 << 32)).unwrap_or(usize::MAX)
    }
}
