//! NIfTI-1 volumes in one file, compressed or not.

use std::io::{self, Read as _};

use ::nifti::{Endianness, NiftiHeader, NiftiType};
use flate2::bufread::MultiGzDecoder;

use crate::contents::{Read, number, shape};
use crate::{Bytes, Contents, Error, Options, Space, Values, gzip, memory};

/// The size of a NIfTI-1 header.
const HEADER_BYTES: u64 = 348;

/// Where data may begin in a single file: after the header and the four bytes that announce extensions.
const DATA_START: f32 = 352.0;

/// A volume of real numbers, with slope and intercept applied.
pub(crate) fn decode(file: &[u8], options: &Options) -> Read {
    if !is_gzip(file) {
        return decode_stream(file, options.most_bytes);
    }
    let stream = || MultiGzDecoder::new(file);
    let size = whole_size(stream()).filter(|&size| size as u64 <= options.most_bytes);
    match size.and_then(|size| gzip::inflate_whole(file, size)) {
        Some(bytes) => decode_whole(bytes, options.most_bytes),
        None => decode_stream(stream(), options.most_bytes),
    }
}

/// Whether a file begins as gzip's do.
pub(crate) fn is_gzip(file: &[u8]) -> bool {
    file.starts_with(&[0x1f, 0x8b])
}

/// The size of a file whose data ends it, as its header has it.
fn whole_size(mut stream: impl io::Read) -> Option<usize> {
    let mut header = [0; HEADER_BYTES as usize];
    stream.read_exact(&mut header).ok()?;
    let header = NiftiHeader::from_reader(&header[..]).ok()?;
    let (_, bytes) = check(&header).ok()?;
    bytes.checked_add(usize::try_from(data_offset(&header).ok()?).ok()?)
}

/// A file that ends with its data.
fn decode_whole(bytes: Bytes, most_bytes: u64) -> Read {
    let (header, dims, size) = read_header(&mut &bytes[..])?;
    let start = bytes.len().saturating_sub(size);
    contents(&header, dims, bytes.skip(start), most_bytes)
}

fn read_header(stream: &mut impl io::Read) -> Result<(NiftiHeader, Vec<usize>, usize), Error> {
    let mut header = [0; HEADER_BYTES as usize];
    stream.read_exact(&mut header).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            format!("it ends within the {HEADER_BYTES} bytes of its header; expected a NIfTI-1 volume")
        }
        _ => format!("it is damaged ({error}); expected a NIfTI-1 volume"),
    })?;
    let mut header = NiftiHeader::from_reader(&header[..])
        .map_err(|error| format!("it has no valid header ({error}); expected NIfTI-1"))?;
    let (dims, bytes) = check(&header)?;
    // As 0, a slope that is no number means that there is no scaling.
    if !header.scl_slope.is_finite() {
        (header.scl_slope, header.scl_inter) = (0.0, 0.0);
    }
    Ok((header, dims, bytes))
}

fn decode_stream(mut stream: impl io::Read, most_bytes: u64) -> Read {
    let (header, dims, bytes) = read_header(&mut stream)?;
    let gap = data_offset(&header)? - HEADER_BYTES;
    if bytes as u64 > most_bytes {
        return Err(format!("its header announces {bytes} bytes; at most {most_bytes} are read").into());
    }
    let skipped = io::copy(&mut (&mut stream).take(gap.min(most_bytes)), &mut io::sink())
        .map_err(|error| format!("it is damaged or truncated: {error}"))?;
    if skipped < gap {
        let (start, end) = (HEADER_BYTES + gap, HEADER_BYTES + skipped);
        let reason = format!("its header says that the data begins at byte {start} (vox_offset), but it ends at {end}");
        return Err(reason.into());
    }
    let truncated = |found: usize| {
        format!("it is truncated: its header announces {bytes} bytes of {} voxels, {found} are there", shape(&dims))
    };
    let mut raw = memory::room(bytes)?;
    if let Err(error) = (&mut stream).take(bytes as u64).read_to_end(&mut raw) {
        let found = raw.len();
        return Err(format!("it is damaged or truncated: {found} bytes of {bytes} can be read ({error})").into());
    }
    if raw.len() != bytes {
        return Err(truncated(raw.len()).into());
    }
    // To the end: the checksum of a compressed file stands there.
    let rest = io::copy(&mut stream.take(most_bytes), &mut io::sink());
    if rest.map_err(|error| format!("it is damaged or truncated: {error}"))? == most_bytes {
        let reason = format!("after its data it goes on for {most_bytes} bytes and more; expected the data to end it");
        return Err(reason.into());
    }
    contents(&header, dims, raw.into(), most_bytes)
}

/// The numbers that these bytes are.
fn contents(header: &NiftiHeader, dims: Vec<usize>, raw: Bytes, most: u64) -> Read {
    let kind = header.data_type().map_err(|error| error.to_string())?;
    let scale = [header.scl_slope, header.scl_inter].map(f64::from);
    let scale = Some(scale).filter(|&[slope, intercept]| slope != 0.0 && (slope, intercept) != (1.0, 0.0));
    let values = match kind {
        NiftiType::Uint8 if scale.is_none() => Values::U8(raw),
        kind => values(kind, header.endianness, &raw, scale, most)?,
    };
    Ok(Contents {
        is_float: scale.is_some() || matches!(kind, NiftiType::Float32 | NiftiType::Float64),
        first_axis_fastest: true,
        space: Some(Space::new(header)),
        ..Contents::in_c_order(dims, values)
    })
}

/// Numbers as they lie in the file, with slope and intercept applied if there are any.
fn values(
    kind: NiftiType,
    endianness: Endianness,
    raw: &[u8],
    scale: Option<[f64; 2]>,
    most: u64,
) -> Result<Values, Error> {
    macro_rules! attempt {
        ($($kind:ident: $type:ty),+ $(,)?) => {
            match kind {
                $(NiftiType::$kind => match endianness {
                    Endianness::Little => attempt!(<$type>::from_le_bytes),
                    Endianness::Big => attempt!(<$type>::from_be_bytes),
                },)+
                _ => Err(unusable(kind).into()),
            }
        };
        ($read:expr) => {
            match scale {
                None => Values::of(raw.as_chunks().0, |bytes| $read(bytes), most),
                Some(scale) => Values::of(raw.as_chunks().0, |bytes| scaled($read(bytes) as f64, scale), most),
            }
        };
    }
    attempt! {
        Uint8: u8, Int8: i8, Uint16: u16, Int16: i16, Uint32: u32, Int32: i32, Uint64: u64, Int64: i64, Float32: f32, Float64: f64
    }
}

/// With slope and intercept, which are 32-bit floats: what lies as near to a whole number as their rounding allows is that number.
/// So are 10, 20 and 30 with a slope of 0.1, which is stored as 0.100000001, the labels 1, 2 and 3.
fn scaled(number: f64, [slope, intercept]: [f64; 2]) -> f64 {
    let scaled = number * slope + intercept;
    let whole = scaled.round();
    if (scaled - whole).abs() <= f64::from(f32::EPSILON) * whole.abs() { whole } else { scaled }
}

fn unusable(kind: NiftiType) -> String {
    format!("its voxels are of the type {kind:?}; expected real numbers")
}

/// The byte at which the data begins. Writers leave 0 where nothing lies between header and data.
fn data_offset(header: &NiftiHeader) -> Result<u64, String> {
    let offset = if header.vox_offset == 0.0 { DATA_START } else { header.vox_offset };
    if offset >= DATA_START && offset.fract() == 0.0 {
        return Ok(offset as u64);
    }
    Err(format!(
        "its header says that the data begins at byte {} (vox_offset); expected 0 or a whole number from 352 on",
        number(offset)
    ))
}

/// Checks what the header says of the data. Returns the dimensions and the size in bytes.
fn check(header: &NiftiHeader) -> Result<(Vec<usize>, usize), String> {
    if !header.magic.starts_with(b"n+1") {
        return Err("its header says that the data lies in another file; expected a single .nii file".to_owned());
    }
    let rank = header.dim[0];
    let dims = header.dim.get(1..=usize::from(rank)).filter(|dims| !dims.is_empty());
    let dims = dims.ok_or_else(|| format!("its header announces {rank} dimensions; expected one to seven"))?;
    // Signed in the file.
    if let Some((axis, &dim)) = dims.iter().enumerate().find(|(_, dim)| **dim as i16 <= 0) {
        return Err(format!("its dimension {} is {}; expected at least 1", axis + 1, dim as i16));
    }
    let kind = header.data_type().map_err(|error| format!("its data type is unknown ({error})"))?;
    let real = [
        NiftiType::Uint8,
        NiftiType::Int8,
        NiftiType::Uint16,
        NiftiType::Int16,
        NiftiType::Uint32,
        NiftiType::Int32,
        NiftiType::Uint64,
        NiftiType::Int64,
        NiftiType::Float32,
        NiftiType::Float64,
    ];
    if !real.contains(&kind) {
        return Err(unusable(kind));
    }
    if usize::try_from(header.bitpix) != Ok(8 * kind.size_of()) {
        return Err(format!("its header announces {} bits a voxel for the type {kind:?}", header.bitpix));
    }
    if header.scl_slope.is_finite() && !header.scl_inter.is_finite() {
        let (slope, intercept) = (number(header.scl_slope), number(header.scl_inter));
        return Err(format!(
            "its scaling (slope {slope}, intercept {intercept}) means nothing; expected finite numbers"
        ));
    }
    let bytes = dims.iter().try_fold(kind.size_of(), |bytes, &dim| bytes.checked_mul(usize::from(dim)));
    let bytes = bytes.ok_or("its header announces more data than can be addressed")?;
    Ok((dims.iter().map(|&dim| dim.into()).collect(), bytes))
}
