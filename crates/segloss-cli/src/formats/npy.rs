//! NumPy arrays.

use std::path::Path;

use ndarray::{ArrayD, ArrayViewD};
use ndarray_npy::{ViewNpyError, ViewNpyExt, WriteNpyError, WriteNpyExt};
use segloss::half::f16;

use super::{Contents, Read, Values};

/// The elements of an array in C order.
type Elements<'a, T> = std::iter::Copied<ndarray::iter::Iter<'a, T, ndarray::IxDyn>>;

/// Reads an array of real numbers or booleans.
pub(crate) fn read(path: &Path) -> Read {
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    // Words, so that the data lies aligned: a .npy header is a multiple of 64 bytes long.
    let words = usize::try_from(length.div_ceil(8)).map_err(|_| "the file is too large to be read".to_owned())?;
    let mut aligned = Vec::new();
    aligned.try_reserve_exact(words).map_err(|error| format!("the file is too large to be read: {error}"))?;
    aligned.resize(words, 0_u64);
    let bytes = &mut bytemuck::cast_slice_mut(&mut aligned)[..length as usize];
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    std::io::Read::read_exact(&mut file, bytes).map_err(unreadable)?;
    decode(bytes)
}

fn unreadable(error: std::io::Error) -> String {
    format!("it cannot be read ({error}); expected a NumPy array")
}

/// Decodes the bytes of a file, wherever they lie.
pub(super) fn decode_bytes(bytes: &[u8]) -> Read {
    decode(bytemuck::cast_slice(&words(bytes)?).get(..bytes.len()).unwrap_or_default())
}

/// A copy that lies aligned.
fn words(bytes: &[u8]) -> Result<Vec<u64>, String> {
    let mut words = Vec::new();
    let count = bytes.len().div_ceil(8);
    words.try_reserve_exact(count).map_err(|error| format!("the array is too large to be read: {error}"))?;
    words.resize(count, 0_u64);
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
    Ok(words)
}

/// The first type that fits the file's descriptor is taken.
fn decode(bytes: &[u8]) -> Read {
    macro_rules! attempt {
        ($($type:ty => $convert:expr),+ $(,)?) => {
            $(match ArrayViewD::<$type>::view_npy(bytes) {
                Ok(view) => return Ok(Contents::in_c_order(view.shape().to_vec(), $convert(view.iter().copied()))),
                Err(ViewNpyError::WrongDescriptor(_)) => {}
                Err(error) => return Err(explain(&error)),
            })+
        };
    }
    attempt! {
        f32 => |values: Elements<f32>| Values::F32(values.collect()),
        f64 => |values: Elements<f64>| Values::F32(values.map(|v| v as f32).collect()),
        u8 => |values: Elements<u8>| Values::U8(values.collect::<Vec<_>>().into()),
        bool => |values: Elements<bool>| Values::U8(values.map(u8::from).collect::<Vec<_>>().into()),
        i8 => |values: Elements<i8>| Values::I32(values.map(i32::from).collect()),
        u16 => |values: Elements<u16>| Values::I32(values.map(i32::from).collect()),
        i16 => |values: Elements<i16>| Values::I32(values.map(i32::from).collect()),
        i32 => |values: Elements<i32>| Values::I32(values.collect()),
        u32 => |values: Elements<u32>| Values::of_integers(values.map(i64::from)),
        i64 => |values: Elements<i64>| Values::of_integers(values),
        // Beyond 2^63 no label is, and f32 keeps as much of them either way.
        u64 => |values: Elements<u64>| Values::of_integers(values.map(|v| i64::try_from(v).unwrap_or(i64::MAX))),
    }
    if let Some(halves) = as_words(bytes, b"'<f2'", b"'<u2'") {
        return decode_halves(&halves);
    }
    match ArrayViewD::<f32>::view_npy(bytes) {
        Err(ViewNpyError::WrongDescriptor(found)) => Err(format!(
            "its elements are of the type {found}; expected 16, 32 or 64 bit floats, integers or booleans, such as '<f4' or '|u1'"
        )),
        _ => Err("its elements are of an unknown type; expected 32 or 64 bit floats, integers or booleans".to_owned()),
    }
}

/// The bytes with another descriptor of as many letters, if this one stands in the header.
fn as_words(bytes: &[u8], from: &[u8; 5], to: &[u8; 5]) -> Option<Vec<u8>> {
    // What is read by type begins at a multiple of 64 bytes, so a header of the first versions ends within these.
    let header = &bytes[..bytes.len().min(1 << 16)];
    let dict = header.iter().position(|&byte| byte == b'{')?;
    let at = header[dict..].windows(from.len()).take(64).position(|window| window == from)? + dict;
    let mut changed = bytes.to_vec();
    changed[at..at + to.len()].copy_from_slice(to);
    Some(changed)
}

/// 16-bit floats, which the crate that reads arrays takes for words of 16 bits.
fn decode_halves(bytes: &[u8]) -> Read {
    let words = words(bytes)?;
    let aligned = &bytemuck::cast_slice(&words)[..bytes.len()];
    let view = ArrayViewD::<u16>::view_npy(aligned).map_err(|error| explain(&error))?;
    let values = view.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect();
    Ok(Contents::in_c_order(view.shape().to_vec(), Values::F32(values)))
}

fn explain(error: &ViewNpyError) -> String {
    match error {
        ViewNpyError::MissingBytes(missing) => {
            format!("it is truncated: {missing} bytes of the data that its header announces are missing")
        }
        ViewNpyError::ExtraBytes(extra) => format!("{extra} bytes follow the data; expected the array to end the file"),
        ViewNpyError::NonNativeEndian => "its numbers have the other byte order; expected this machine's".to_owned(),
        ViewNpyError::MisalignedData => "its data does not begin where numpy.save puts it; save it anew".to_owned(),
        ViewNpyError::LengthOverflow => "its header announces more data than can be addressed".to_owned(),
        ViewNpyError::Io(_) => "it ends within its header; expected a NumPy array as numpy.save writes it".to_owned(),
        // The reason is a parser's, of several lines with columns, and says nothing to who did not write the header.
        ViewNpyError::ParseHeader(_) => {
            "its header cannot be understood; expected a NumPy array as numpy.save writes it".to_owned()
        }
        other => format!("{other}; expected a NumPy array as numpy.save writes it"),
    }
}

/// Writes an array.
pub(crate) fn write(file: impl std::io::Write, array: &ArrayD<f32>) -> Result<(), WriteNpyError> {
    array.write_npy(std::io::BufWriter::new(file))
}
