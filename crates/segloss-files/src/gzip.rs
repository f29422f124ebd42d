//! Whole files of one gzip member, inflated at once.

use libdeflater::Decompressor;

use crate::Bytes;

/// The last bytes of a member: the checksum and the size of its contents, modulo 2³².
const TRAILER: usize = 8;

/// The contents of a gzip file whose trailer says that they have `size` bytes, as its first member has. `None` for every other file,
/// damaged ones among them: who reads them as a stream says what is wrong.
///
/// This is twice as fast as a stream, whose every step has to be resumable.
pub(crate) fn inflate_whole(compressed: &[u8], size: usize) -> Option<Bytes> {
    let trailer = compressed.len().checked_sub(TRAILER).and_then(|start| compressed.get(start..))?;
    let announced = u32::from_le_bytes([trailer[4], trailer[5], trailer[6], trailer[7]]);
    if usize::try_from(announced).ok()? != size {
        return None;
    }
    let mut contents = Bytes::of_length(size).ok()?;
    let found = Decompressor::new().gzip_decompress(compressed, contents.as_mut()).ok()?;
    (found == size).then_some(contents)
}
