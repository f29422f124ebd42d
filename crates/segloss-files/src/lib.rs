//! Arrays of numbers from the files that images and masks come in: NIfTI-1, NumPy, PNG and TIFF.
//!
//! Numbers come as they are stored, in the order of the file, with what the format says of them: where the voxels of a volume
//! lie, how many shades an image has. A file that cannot be read is an [`Error`], a sentence that says what is wrong and what was
//! expected; no file, however damaged or made, is a panic, or has [`Contents`] of more bytes than [`Options::most_bytes`] allows. While it
//! is read it takes up to three times as many, beside its own bytes where it is NIfTI or a single NumPy array; where there is no
//! memory for them, that is an [`Error`], too. Up to a gigabyte is kept from one file for the next.
//!
//! ```
//! use segloss_files::{Format, Options, Values, decode};
//!
//! let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n";
//! let file = [b"\x93NUMPY\x01\x00", &[header.len() as u8, 0][..], header.as_bytes(), &[7, 0, 9]].concat();
//! let contents = decode(&file, Format::Npy, &Options::default())?;
//! assert_eq!(contents.dims, [3]);
//! assert_eq!(contents.values, Values::U8(vec![7, 0, 9].into()));
//!
//! let error = decode(&file[..file.len() - 1], Format::Npy, &Options::default()).unwrap_err();
//! assert_eq!(error.to_string(), "it is truncated: 1 bytes of the data that its header announces are missing");
//! # Ok::<(), segloss_files::Error>(())
//! ```

mod bytes;
mod contents;
mod error;
mod format;
mod gzip;
mod memory;
mod nifti;
mod npy;
mod npz;
mod number;
mod options;
mod png;
mod space;
mod tiff;

pub use bytes::Bytes;
pub use contents::{Contents, Grey, Values, in_c_order, number, position, shape};
pub use error::Error;
pub use format::{ENDINGS, Format, decode, is_image, read};
pub use memory::collected;
pub use options::Options;
pub use space::Space;
