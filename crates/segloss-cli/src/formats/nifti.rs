//! NIfTI-1 volumes in one file, compressed or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use ::nifti::{InMemNiftiVolume, IntoNdArray, NiftiHeader, NiftiType};

use super::{Contents, Read};
use crate::space::Space;

/// The size of a NIfTI-1 header.
const HEADER_BYTES: u64 = 348;

/// Where data may begin in a single file: after the header and the four bytes that announce extensions.
const DATA_START: f32 = 352.0;

/// Reads a volume of real numbers, with slope and intercept applied.
pub(crate) fn read(path: &Path) -> Read {
    let unreadable = |error: io::Error| format!("it cannot be read ({error}); expected a NIfTI-1 volume");
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let compressed = file.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
    if compressed { decode(flate2::bufread::MultiGzDecoder::new(file)) } else { decode(file) }
}

fn decode(mut stream: impl io::Read) -> Read {
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

    let gap = data_offset(&header)? - HEADER_BYTES;
    let skipped = io::copy(&mut (&mut stream).take(gap), &mut io::sink())
        .map_err(|error| format!("it is damaged or truncated: {error}"))?;
    if skipped < gap {
        let (start, end) = (HEADER_BYTES + gap, HEADER_BYTES + skipped);
        return Err(format!("its header says that the data begins at byte {start} (vox_offset), but it ends at {end}"));
    }
    let truncated = |found: usize| {
        format!("it is truncated: its header announces {bytes} bytes of {} voxels, {found} are there", dims.join("×"))
    };
    let mut raw = Vec::new();
    raw.try_reserve_exact(bytes).map_err(|_| format!("its header announces {bytes} bytes, more than fit in memory"))?;
    if let Err(error) = (&mut stream).take(bytes as u64).read_to_end(&mut raw) {
        let found = raw.len();
        return Err(format!("it is damaged or truncated: {found} bytes of {bytes} can be read ({error})"));
    }
    if raw.len() != bytes {
        return Err(truncated(raw.len()));
    }
    // To the end: the checksum of a compressed file stands there.
    io::copy(&mut stream, &mut io::sink()).map_err(|error| format!("it is damaged or truncated: {error}"))?;

    let volume = InMemNiftiVolume::from_raw_data(&header, raw).map_err(|error| error.to_string())?;
    let array = volume.into_ndarray::<f32>().map_err(|error| error.to_string())?;
    // Stored with the first axis fastest; the iterator has the last one fastest.
    let (dims, values) = (array.shape().to_vec(), array.iter().copied().collect());
    Ok(Contents { dims, values, space: Some(Space::new(&header)) })
}

/// The byte at which the data begins. Writers leave 0 where nothing lies between header and data.
fn data_offset(header: &NiftiHeader) -> Result<u64, String> {
    let offset = if header.vox_offset == 0.0 { DATA_START } else { header.vox_offset };
    if offset >= DATA_START && offset.fract() == 0.0 {
        return Ok(offset as u64);
    }
    Err(format!(
        "its header says that the data begins at byte {offset} (vox_offset); expected 0 or a whole number from 352 on"
    ))
}

/// Checks what the header says of the data. Returns the dimensions, to be shown, and the size in bytes.
fn check(header: &NiftiHeader) -> Result<(Vec<String>, usize), String> {
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
        return Err(format!("its voxels are of the type {kind:?}; expected real numbers"));
    }
    if usize::try_from(header.bitpix) != Ok(8 * kind.size_of()) {
        return Err(format!("its header announces {} bits a voxel for the type {kind:?}", header.bitpix));
    }
    if header.scl_slope.is_finite() && !header.scl_inter.is_finite() {
        let (slope, intercept) = (header.scl_slope, header.scl_inter);
        return Err(format!(
            "its scaling (slope {slope}, intercept {intercept}) means nothing; expected finite numbers"
        ));
    }
    let bytes = dims.iter().try_fold(kind.size_of(), |bytes, &dim| bytes.checked_mul(usize::from(dim)));
    let bytes = bytes.ok_or("its header announces more data than can be addressed")?;
    Ok((dims.iter().map(u16::to_string).collect(), bytes))
}
