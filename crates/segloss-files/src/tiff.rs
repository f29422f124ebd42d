//! Grey TIFF images, one or a stack of them.

use std::io::{Read as Source, Seek};

use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use ::tiff::tags::Tag;
use ::tiff::{ColorType, TiffError};

use crate::contents::Read;
use crate::{Contents, Grey, Options, Values};

/// An image of shape [height, width], or pages of one size as [pages, height, width].
pub(crate) fn read(file: impl Source + Seek, options: &Options) -> Read {
    let broken = |error: TiffError| format!("it cannot be decoded ({error}); expected a grey TIFF image");
    let most = options.most_image_bytes();
    let mut limits = Limits::default();
    (limits.decoding_buffer_size, limits.intermediate_buffer_size) = (most, most);
    let mut decoder = Decoder::new(file).map_err(broken)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(broken)?;
    let colors = decoder.colortype().map_err(broken)?;
    let (grey, bits) = match colors {
        ColorType::Gray(bits @ (8 | 16)) => (Grey::Shades(((1_u32 << bits) - 1) as u16), bits),
        ColorType::Gray(32 | 64) => (Grey::Indices, 32),
        ColorType::Palette(8) => (Grey::Indices, 8),
        _ => return Err(format!("its colours are {colors:?}; expected a grey image of 8, 16 or 32 bits")),
    };
    if decoder.find_tag(Tag::PhotometricInterpretation).map_err(broken)?.and_then(|tag| tag.into_u32().ok()) == Some(0)
    {
        return Err("its 0 is white (WhiteIsZero); expected an image in which it is black".to_owned());
    }
    let mut stack: Option<Values> = None;
    let (mut pages, mut is_float) = (0, false);
    loop {
        let page = decoder.read_image().map_err(broken)?;
        is_float |= matches!(page, DecodingResult::F16(_) | DecodingResult::F32(_) | DecodingResult::F64(_));
        match &mut stack {
            None => stack = Some(values(page)),
            Some(stack) => stack.append(values(page)),
        }
        pages += 1;
        if !decoder.more_images() {
            break;
        }
        // As long as all pages together are not beyond it.
        if stack.as_ref().map_or(0, Values::len).saturating_mul(4) > most {
            return Err(format!("its pages take more than {most} bytes"));
        }
        decoder.next_image().map_err(broken)?;
        let size = decoder.dimensions().map_err(broken)?;
        if size != (width, height) || decoder.colortype().map_err(broken)? != colors {
            return Err(format!(
                "its page {} has {}×{} pixels of another size or kind than the {width}×{height} of the first; expected one",
                pages + 1,
                size.0,
                size.1
            ));
        }
    }
    let values = stack.unwrap_or(Values::U8(vec![].into()));
    // A number of its own for every pixel is no shade, and a fraction is none.
    let grey = (bits < 32 && !is_float).then_some(grey);
    let plane = [height as usize, width as usize];
    let dims = if pages > 1 { vec![pages, plane[0], plane[1]] } else { plane.to_vec() };
    Ok(Contents { grey, is_float, ..Contents::in_c_order(dims, values) })
}

fn values(page: DecodingResult) -> Values {
    match page {
        DecodingResult::U8(values) => Values::U8(values.into()),
        DecodingResult::U16(values) => Values::of_numbers(&values),
        DecodingResult::U32(values) => Values::of_numbers(&values),
        DecodingResult::U64(values) => Values::of_numbers(&values),
        DecodingResult::I8(values) => Values::of_numbers(&values),
        DecodingResult::I16(values) => Values::of_numbers(&values),
        DecodingResult::I32(values) => Values::of_numbers(&values),
        DecodingResult::I64(values) => Values::of_numbers(&values),
        DecodingResult::F16(values) => Values::of(&values, half::f16::to_f32),
        DecodingResult::F32(values) => Values::of_numbers(&values),
        DecodingResult::F64(values) => Values::of_numbers(&values),
    }
}
