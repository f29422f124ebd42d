//! Grey TIFF images, one or a stack of them.

use std::io::{Read as Source, Seek, SeekFrom};

use ::tiff::decoder::{Decoder, DecodingSampleType as Sample, Limits};
use ::tiff::tags::Tag;
use ::tiff::{ColorType, TiffError};
use half::f16;

use crate::contents::Read;
use crate::{Bytes, Contents, Error, Grey, Options, Values, memory};

/// What a byte of the file takes in memory while it is a number of a tag, at most.
const OF_TAGS: u64 = 64;

/// Of every type of numbers.
const MOST_BYTES_A_SAMPLE: usize = 8;

/// An image of shape [height, width], or pages of one size as [pages, height, width].
pub(crate) fn read(mut file: impl Source + Seek, options: &Options) -> Read {
    let most = options.most_image_bytes();
    let unreadable = |error: std::io::Error| format!("it cannot be read ({error}); expected a TIFF image");
    let length = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let mut limits = Limits::default();
    // The decoder's own buffers: tags, which the file holds. It takes for granted that there is memory for them.
    let of_tags = usize::try_from(length.saturating_mul(OF_TAGS)).unwrap_or(usize::MAX);
    (limits.decoding_buffer_size, limits.intermediate_buffer_size) = (of_tags.min(most / 16), most);
    let mut decoder = Decoder::new(file).map_err(broken)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(broken)?;
    let colors = decoder.colortype().map_err(broken)?;
    let (grey, bits) = match colors {
        ColorType::Gray(bits @ (8 | 16)) => (Grey::Shades(((1_u32 << bits) - 1) as u16), bits),
        ColorType::Gray(32 | 64) => (Grey::Indices, 32),
        ColorType::Palette(8) => (Grey::Indices, 8),
        _ => return Err(format!("its colours are {colors:?}; expected a grey image of 8, 16 or 32 bits").into()),
    };
    if decoder.find_tag(Tag::PhotometricInterpretation).map_err(broken)?.and_then(|tag| tag.into_u32().ok()) == Some(0)
    {
        return Err("its 0 is white (WhiteIsZero); expected an image in which it is black".into());
    }
    let mut stack: Option<Values> = None;
    let (mut pages, mut is_float) = (0, false);
    loop {
        let before = stack.as_ref().map_or(0, Values::len);
        let (page, is_of_floats) = read_page(&mut decoder, before, most)?;
        is_float |= is_of_floats;
        match &mut stack {
            None => stack = Some(page),
            Some(stack) => stack.append(page, most as u64)?,
        }
        pages += 1;
        if !decoder.more_images() {
            break;
        }
        decoder.next_image().map_err(broken)?;
        let size = decoder.dimensions().map_err(broken)?;
        if size != (width, height) || decoder.colortype().map_err(broken)? != colors {
            return Err(format!(
                "its page {} has {}×{} pixels of another size or kind than the {width}×{height} of the first; expected one",
                pages + 1,
                size.0,
                size.1
            )
            .into());
        }
    }
    let values = stack.unwrap_or(Values::U8(vec![].into()));
    // A number of its own for every pixel is no shade, and a fraction is none.
    let grey = (bits < 32 && !is_float).then_some(grey);
    let plane = [height as usize, width as usize];
    let dims = if pages > 1 { vec![pages, plane[0], plane[1]] } else { plane.to_vec() };
    Ok(Contents { grey, is_float, ..Contents::in_c_order(dims, values) })
}

fn broken(error: TiffError) -> String {
    format!("it cannot be decoded ({error}); expected a grey TIFF image")
}

/// The numbers of a page, after so many before, and whether they are floats.
fn read_page<R: Source + Seek>(decoder: &mut Decoder<R>, before: usize, most: usize) -> Result<(Values, bool), Error> {
    let layout = decoder.image_buffer_layout().map_err(broken)?;
    let sample = layout.sample_type.ok_or("its numbers are of an unknown type; expected a grey TIFF image")?;
    // Where tiles end beyond the image, or a pixel has more than its shade, rows go through memory of the decoder's own.
    let (width, height) = decoder.dimensions().map_err(broken)?;
    let tile_width = decoder.chunk_dimensions().0;
    let samples: Option<u16> = decoder.find_tag_unsigned(Tag::SamplesPerPixel).map_err(broken)?;
    let samples = usize::from(samples.unwrap_or(1));
    let is_read_aside = !width.is_multiple_of(tile_width.max(1)) || samples > 1;
    let row = (tile_width as usize).saturating_mul(samples.saturating_mul(MOST_BYTES_A_SAMPLE));
    if layout.len > most || (is_read_aside && row > most / 16) {
        return Err(format!("its pages take more than {most} bytes").into());
    }
    if is_read_aside {
        memory::try_for(row)?;
    }
    let pixels = usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(usize::MAX);
    memory::check(before.saturating_add(pixels), 1, most as u64)?;
    let mut raw = Bytes::zeroed(layout.len)?;
    decoder.read_image_bytes(raw.as_mut()).map_err(broken)?;
    // They come in the byte order of this machine.
    macro_rules! values {
        ($type:ty) => {
            Values::of(raw.as_chunks().0, <$type>::from_ne_bytes, most as u64)
        };
    }
    let values = match sample {
        Sample::U8 => Ok(Values::U8(raw)),
        Sample::U16 => values!(u16),
        Sample::U32 => values!(u32),
        Sample::U64 => values!(u64),
        Sample::I8 => values!(i8),
        Sample::I16 => values!(i16),
        Sample::I32 => values!(i32),
        Sample::I64 => values!(i64),
        Sample::F16 => Values::of(raw.as_chunks().0, |bytes| f16::from_ne_bytes(bytes).to_f32(), most as u64),
        Sample::F32 => values!(f32),
        Sample::F64 => values!(f64),
    }?;
    Ok((values, matches!(sample, Sample::F16 | Sample::F32 | Sample::F64)))
}
