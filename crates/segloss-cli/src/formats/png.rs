//! Grey PNG images.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use super::{Contents, Read};

/// Images beyond this many bytes are refused rather than decoded.
const MAX_BYTES: usize = 1 << 32;

/// Reads a grey image of shape [height, width], black as 0 and `white` (or the depth's white) as 1.
pub(crate) fn read(path: &Path, white: Option<u16>) -> Read {
    let unreadable = |error: std::io::Error| format!("it cannot be read ({error}); expected a PNG image");
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let broken = |error: DecodingError| format!("it cannot be decoded ({error}); expected a grey PNG image");
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: MAX_BYTES });
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(broken)?;
    let (stored, info) = (reader.info().color_type, (reader.info().width, reader.info().height));
    let (color, depth) = reader.output_color_type();
    if stored != ColorType::Grayscale || color != ColorType::Grayscale {
        return Err(format!("its colours are {stored:?}; expected a grey image without transparency"));
    }
    let size = reader.output_buffer_size().filter(|&size| size <= MAX_BYTES);
    let size = size.ok_or_else(|| format!("its {}×{} pixels do not fit in memory", info.1, info.0))?;
    let mut pixels = vec![0; size];
    reader.next_frame(&mut pixels).map_err(broken)?;
    reader.finish().map_err(broken)?;
    let (grey, full): (Vec<u16>, u16) = if depth == BitDepth::Sixteen {
        (pixels.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect(), u16::MAX)
    } else {
        (pixels.into_iter().map(u16::from).collect(), 255)
    };
    if white.is_none() && grey.iter().max() == Some(&1) {
        return Err(format!(
            "its grey values are 0 and 1 of {full}, which is all but black; give --png-white 1 if 1 means foreground"
        ));
    }
    let white = f32::from(white.unwrap_or(full));
    let dims = vec![info.1 as usize, info.0 as usize];
    let values = grey.into_iter().map(|v| f32::from(v) / white).collect();
    Ok(Contents { dims, values, space: None })
}
