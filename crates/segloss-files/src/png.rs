//! PNG images, grey or with a palette.

use std::io::{BufRead, Seek};

use ::png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use crate::contents::Read;
use crate::{Contents, Grey, Options, Values};

/// An image of shape [height, width], as it is stored.
pub(crate) fn read(file: impl BufRead + Seek, options: &Options) -> Read {
    let most = options.most_image_bytes();
    let broken = |error: DecodingError| format!("it cannot be decoded ({error}); expected a grey PNG image");
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: most });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(broken)?;
    let info = reader.info();
    let (colors, depth, [width, height]) = (info.color_type, info.bit_depth, [info.width, info.height]);
    let grey = match colors {
        ColorType::Grayscale if info.trns.is_none() => Grey::Shades(((1_u32 << depth as u32) - 1) as u16),
        ColorType::Indexed => Grey::Indices,
        _ => return Err(format!("its colours are {colors:?}; expected a grey image without transparency")),
    };
    let size = reader.output_buffer_size().filter(|&size| size <= most);
    let size = size.ok_or_else(|| format!("its {width}×{height} pixels take more than {most} bytes"))?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes).map_err(broken)?;
    reader.finish().map_err(broken)?;
    let (width, height) = (width as usize, height as usize);
    let values = match depth {
        BitDepth::Eight => Values::U8(bytes.into()),
        BitDepth::Sixteen => {
            Values::I32(bytes.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]]).into()).collect())
        }
        // Several pixels a byte, the first in its highest bits; every row begins with a byte of its own.
        _ => Values::U8(
            bytes
                .chunks(frame.line_size.max(1))
                .flat_map(|row| unpacked(row, depth as usize).take(width))
                .collect::<Vec<_>>()
                .into(),
        ),
    };
    Ok(Contents { grey: Some(grey), ..Contents::in_c_order(vec![height, width], values) })
}

fn unpacked(row: &[u8], bits: usize) -> impl Iterator<Item = u8> + '_ {
    let mask = ((1_u16 << bits) - 1) as u8;
    row.iter().flat_map(move |&byte| (0..8 / bits).map(move |at| (byte >> (8 - bits * (at + 1))) & mask))
}
