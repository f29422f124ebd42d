//! Files of every format.

use segloss_files::{Contents, Format, Options, Values, decode};

/// The limit that files are read with here. (A fuzzer's files are small, whatever they announce.)
pub const MOST_BYTES: u64 = 1 << 24;

/// Reads bytes as a file: an error, or contents that agree with themselves and keep to the limit.
pub fn file(bytes: &[u8], format: Format) {
    let options = Options { most_bytes: MOST_BYTES, ..Options::default() };
    if let Ok(contents) = decode(bytes, format, &options) {
        check(contents);
    }
}

/// Reads bytes as an array of an archive, which is asked for by name and not.
pub fn npz(bytes: &[u8]) {
    for array in [None, Some("a")] {
        let options = Options { array, most_bytes: MOST_BYTES };
        if let Ok(contents) = decode(bytes, Format::Npz, &options) {
            check(contents);
        }
    }
}

fn check(contents: Contents) {
    let number = contents.dims.iter().try_fold(1_usize, |number, &dim| number.checked_mul(dim));
    assert_eq!(number, Some(contents.values.len()), "{:?}", contents.dims);
    let stored = match &contents.values {
        Values::U8(values) => values.len(),
        Values::I32(values) => 4 * values.len(),
        Values::F32(values) => 4 * values.len(),
    };
    assert!(stored as u64 <= MOST_BYTES, "{stored} bytes");
    if let Some(last) = contents.values.len().checked_sub(1) {
        let ends = contents.position(last);
        assert!(ends.iter().zip(&contents.dims).all(|(at, dim)| at + 1 == *dim), "{ends:?} of {:?}", contents.dims);
    }
    if let Some(space) = &contents.space {
        let spacing = space.spacing(contents.dims.len().min(3)).unwrap_or_default();
        assert!(spacing.iter().all(|size| size.is_finite() && *size > 0.0), "{spacing:?}");
        let (_, _) = (space.affine(), space.difference(space, &contents.dims));
    }
    let number = contents.values.len();
    assert_eq!(contents.into_scaled(255.0).map(|values| values.len()), Ok(number));
}
