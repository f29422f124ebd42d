//! PNG images, grey or with a palette.

use std::io::{BufRead, Seek};

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use crate::contents::Read;
use crate::{Bytes, Contents, Grey, Options, Values, memory};

/// Rows that its decoder keeps, at most, in memory that it expects to be there.
const ROWS_KEPT: usize = 8;

/// An image of shape [height, width], as it is stored.
pub(crate) fn read(file: impl BufRead + Seek, options: &Options) -> Read {
    let most = options.most_image_bytes();
    let broken = |error: DecodingError| format!("it cannot be decoded ({error}); expected a grey PNG image");
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: most });
    decoder.set_transformations(Transformations::IDENTITY);
    // Their contents, which are decompressed, say nothing here.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(broken)?;
    let info = reader.info();
    let (colors, depth, [width, height]) = (info.color_type, info.bit_depth, [info.width, info.height]);
    let grey = match colors {
        ColorType::Grayscale if info.trns.is_none() => Grey::Shades(((1_u32 << depth as u32) - 1) as u16),
        ColorType::Indexed => Grey::Indices,
        _ => return Err(format!("its colours are {colors:?}; expected a grey image without transparency").into()),
    };
    // As they are stored, as they will be kept, and some rows.
    let size = reader.output_buffer_size().filter(|&size| size <= most);
    let count = (width as usize).checked_mul(height as usize).filter(|&count| count <= most);
    let rows = size.map(|size| ROWS_KEPT.saturating_mul(size / (height as usize).max(1))).filter(|&rows| rows <= most);
    let too_large = || format!("its {width}×{height} pixels take more than {most} bytes");
    let ((size, count), rows) = size.zip(count).zip(rows).ok_or_else(too_large)?;
    let mut bytes = Bytes::zeroed(size)?;
    memory::try_for(rows)?;
    let frame = reader.next_frame(bytes.as_mut()).map_err(broken)?;
    reader.finish().map_err(broken)?;
    let (width, height) = (width as usize, height as usize);
    let values = match depth {
        BitDepth::Eight => Values::U8(bytes),
        BitDepth::Sixteen => Values::of(bytes.as_chunks().0, u16::from_be_bytes, most as u64)?,
        // Every row begins with a byte of its own.
        _ => {
            let mut pixels = Bytes::of_length(count)?;
            let rows = bytes.chunks(frame.line_size.max(1)).zip(pixels.as_mut().chunks_mut(width.max(1)));
            rows.for_each(|(row, pixels)| unpack(row, depth as usize, pixels));
            Values::U8(pixels)
        }
    };
    Ok(Contents { grey: Some(grey), ..Contents::in_c_order(vec![height, width], values) })
}

/// Several pixels a byte, the first in its highest bits.
fn unpack(row: &[u8], bits: usize, pixels: &mut [u8]) {
    let mask = ((1_u16 << bits) - 1) as u8;
    for (pixels, &byte) in pixels.chunks_mut(8 / bits).zip(row) {
        for (at, pixel) in pixels.iter_mut().enumerate() {
            *pixel = (byte >> (8 - bits * (at + 1))) & mask;
        }
    }
}
