//! NumPy arrays.

use half::f16;
use ndarray_npy::npy::header::{Header, ReadHeaderError};

use crate::contents::{Read, in_c_order};
use crate::{Contents, Options, Values};

/// The longest header, as the first version of the format has it. Its parser takes a time that grows with its square.
const LONGEST_HEADER: usize = 1 << 16;

/// Brackets within brackets that a header may have: those of a record's fields, and some. Its parser calls itself for each.
const DEEPEST: usize = 8;

/// NumPy's own limit.
const MOST_DIMENSIONS: usize = 64;

/// An array of real numbers or booleans.
pub(crate) fn decode(bytes: &[u8], options: &Options) -> Read {
    let (mut data, most) = (bytes, options.most_bytes);
    let not_understood =
        || "its header cannot be understood; expected a NumPy array as numpy.save writes it".to_owned();
    let cut_short = || "it ends within its header; expected a NumPy array as numpy.save writes it".to_owned();
    // Its parser takes as much memory as the header says that it needs, and calls itself for each bracket.
    let length = header_length(bytes);
    if length > bytes.len() {
        return Err(cut_short().into());
    }
    if length > LONGEST_HEADER {
        return Err(format!(
            "its header has {length} bytes; expected at most {LONGEST_HEADER}, as numpy.save writes it for an array of numbers"
        )
        .into());
    }
    if is_nested(bytes) {
        return Err(not_understood().into());
    }
    let header = Header::from_reader(&mut data).map_err(|error| match error {
        ReadHeaderError::Io(_) => cut_short(),
        // The reason is a parser's, of several lines with columns, and says nothing to who did not write the header.
        _ => not_understood(),
    })?;
    let unknown = || {
        format!(
            "its elements are of the type {}; expected 16, 32 or 64 bit floats, integers or booleans, such as '<f4' or '|u1'",
            header.type_descriptor
        )
    };
    let descriptor = header.type_descriptor.as_string().ok_or_else(unknown)?;
    let (order, kind) = descriptor.split_at_checked(1).unwrap_or_default();
    let is_big = match order {
        "<" | "|" => false,
        ">" => true,
        "=" => cfg!(target_endian = "big"),
        _ => return Err(unknown().into()),
    };
    let dims = header.shape;
    if dims.len() > MOST_DIMENSIONS {
        return Err(format!(
            "its header announces {} dimensions; expected at most {MOST_DIMENSIONS}, as NumPy has them",
            dims.len()
        )
        .into());
    }
    macro_rules! attempt {
        ($($kind:literal: $type:ty => $number:expr),+ $(,)?) => {
            match kind {
                $($kind => {
                    let stored = numbers(data, &dims)?;
                    if is_big {
                        Values::of(stored, |bytes| $number(<$type>::from_be_bytes(bytes)), most)?
                    } else {
                        Values::of(stored, |bytes| $number(<$type>::from_le_bytes(bytes)), most)?
                    }
                })+
                _ => return Err(unknown().into()),
            }
        };
    }
    let values = attempt! {
        "f4": f32 => |number| number,
        "f8": f64 => |number| number,
        "f2": f16 => f16::to_f32,
        "b1": u8 => |number| u8::from(number != 0),
        "u1": u8 => |number| number,
        "i1": i8 => |number| number,
        "u2": u16 => |number| number,
        "i2": i16 => |number| number,
        "u4": u32 => |number| number,
        "i4": i32 => |number| number,
        "u8": u64 => |number| number,
        "i8": i64 => |number| number,
    };
    let values = match values {
        values if !header.layout.is_fortran() => values,
        Values::U8(values) => Values::U8(in_c_order(&dims, &values)?.into()),
        Values::I32(values) => Values::I32(in_c_order(&dims, &values)?),
        Values::F32(values) => Values::F32(in_c_order(&dims, &values)?),
    };
    Ok(Contents { is_float: kind.starts_with('f'), ..Contents::in_c_order(dims, values) })
}

/// The data as so many numbers of `SIZE` bytes.
fn numbers<'a, const SIZE: usize>(data: &'a [u8], dims: &[usize]) -> Result<&'a [[u8; SIZE]], String> {
    // Zeros are set aside, so that no huge dimension hides behind one.
    let size = dims.iter().try_fold(SIZE, |size, &dim| size.checked_mul(dim.max(1)));
    let size = size.filter(|&size| isize::try_from(size).is_ok());
    let size = size.ok_or("its header announces more data than can be addressed")?;
    let expected = if dims.contains(&0) { 0 } else { size };
    match data.len().checked_sub(expected) {
        None => Err(format!(
            "it is truncated: {} bytes of the data that its header announces are missing",
            expected - data.len()
        )),
        Some(0) => Ok(data.as_chunks().0),
        Some(extra) => Err(format!("{extra} bytes follow the data; expected the array to end the file")),
    }
}

/// What the file says of its header: two bytes in the first version of the format, four in others.
fn header_length(bytes: &[u8]) -> usize {
    match bytes.get(6..12) {
        Some(&[1, _, low, high, ..]) => u16::from_le_bytes([low, high]).into(),
        Some(&[_, _, a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) as usize,
        _ => 0,
    }
}

/// Whether a header's brackets lie deeper than those of any array of numbers.
fn is_nested(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    bytes.iter().skip(10).take(header_length(bytes).saturating_add(2)).any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Read {
        super::decode(bytes, &Options::default())
    }

    fn file(dict: &str, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(dict.len() + 1).unwrap();
        [&b"\x93NUMPY\x01\x00"[..], &length.to_le_bytes(), dict.as_bytes(), b"\n", data].concat()
    }

    fn array(descriptor: &str, is_fortran: &str, shape: &str, data: &[u8]) -> Read {
        decode(&file(&format!("{{'descr': '{descriptor}', 'fortran_order': {is_fortran}, 'shape': {shape}}}"), data))
    }

    #[test]
    fn both_byte_orders_and_both_layouts() {
        let f32s = |read: Read| match read.unwrap().values {
            Values::F32(values) => values,
            other => panic!("{other:?}"),
        };
        assert_eq!(f32s(array("<f4", "False", "(1,)", &1.5_f32.to_le_bytes())), [1.5]);
        assert_eq!(f32s(array(">f4", "False", "(1,)", &1.5_f32.to_be_bytes())), [1.5]);
        assert_eq!(f32s(array(">f2", "False", "()", &[0x3e, 0x00])), [1.5]);
        let contents = array("|u1", "True", "(2, 3)", &[0, 3, 1, 4, 2, 5]).unwrap();
        assert_eq!(contents.values, Values::U8(vec![0, 1, 2, 3, 4, 5].into()));
        assert_eq!(array(">i2", "False", "(1,)", &[1, 0]).unwrap().values, Values::I32(vec![256]));
    }

    #[test]
    fn headers_that_lie() {
        let refused = |read: Read| read.unwrap_err().to_string();
        let huge = "its header announces more data than can be addressed";
        // The first panicked in the crate that made arrays of them.
        assert_eq!(refused(array("<f4", "False", "(0, 18446744073709551615)", &[])), huge);
        assert_eq!(refused(array("<f4", "False", "(4294967296, 4294967296)", &[])), huge);
        assert!(array("<f4", "False", "(0, 5)", &[]).unwrap().values.is_empty());
        assert!(refused(array("<f4", "False", "(2,)", &[0; 5])).starts_with("it is truncated: 3 bytes"));
        assert!(refused(array("<f4", "False", "(2,)", &[0; 11])).starts_with("3 bytes follow"));
        assert!(refused(array("<c8", "False", "(2,)", &[0; 16])).starts_with("its elements are of the type '<c8'"));
        // Two gigabytes of memory for a header that is not there.
        let mut announcing = file("{}", &[]);
        announcing[6..12].copy_from_slice(&[3, 0, 0, 0, 0, 0x80]);
        assert!(refused(decode(&announcing)).starts_with("it ends within its header"));
        let deep = file(&"(".repeat(60_000), &[]);
        assert!(refused(decode(&deep)).starts_with("its header cannot be understood"));
    }

    /// A parser was busy for minutes with a header of six megabytes.
    #[test]
    fn headers_that_are_endless() {
        let header = |length: usize| {
            let dict =
                "{'descr': '|u1', 'fortran_order': False, 'shape': (".to_owned() + &"1,".repeat(length / 2) + ")}\n";
            let length = u32::try_from(dict.len()).unwrap();
            [&b"\x93NUMPY\x02\x00"[..], &length.to_le_bytes(), dict.as_bytes(), &[7]].concat()
        };
        let refused = |length| decode(&header(length)).unwrap_err().to_string();
        let sentence = refused(6_000_000);
        assert!(sentence.starts_with("its header has 6000054 bytes; expected at most 65536"), "{sentence}");
        let sentence = refused(65_000);
        assert!(sentence.starts_with("its header announces 32500 dimensions; expected at most 64"), "{sentence}");
        assert_eq!(refused(130), "its header announces 65 dimensions; expected at most 64, as NumPy has them");
        assert_eq!(decode(&header(128)).unwrap().dims, [1; 64]);
    }
}
