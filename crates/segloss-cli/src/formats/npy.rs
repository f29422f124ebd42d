//! NumPy arrays.

use std::path::Path;

use ndarray::{ArrayD, ArrayViewD};
use ndarray_npy::{ViewNpyError, ViewNpyExt, WriteNpyError, WriteNpyExt};

use super::{Contents, Read};

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

/// The widest types last: the first that fits the file's descriptor is taken.
fn decode(bytes: &[u8]) -> Read {
    macro_rules! attempt {
        ($($type:ty => $convert:expr),+ $(,)?) => {
            $(match ArrayViewD::<$type>::view_npy(bytes) {
                Ok(view) => {
                    let (dims, values) = (view.shape().to_vec(), view.iter().map($convert).collect());
                    return Ok(Contents { dims, values, space: None });
                }
                Err(ViewNpyError::WrongDescriptor(_)) => {}
                Err(error) => return Err(explain(&error)),
            })+
        };
    }
    attempt! {
        f32 => |&v| v,
        f64 => |&v| v as f32,
        u8 => |&v| f32::from(v),
        bool => |&v| f32::from(u8::from(v)),
        i8 => |&v| f32::from(v),
        u16 => |&v| f32::from(v),
        i16 => |&v| f32::from(v),
        u32 => |&v| v as f32,
        i32 => |&v| v as f32,
        u64 => |&v| v as f32,
        i64 => |&v| v as f32,
    }
    match ArrayViewD::<f32>::view_npy(bytes) {
        Err(ViewNpyError::WrongDescriptor(found)) => Err(format!(
            "its elements are of the type {found}; expected 32 or 64 bit floats, integers or booleans, such as '<f4' or '|u1'"
        )),
        _ => Err("its elements are of an unknown type; expected 32 or 64 bit floats, integers or booleans".to_owned()),
    }
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
