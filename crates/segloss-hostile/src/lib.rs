//! What strangers may hand to segloss, made of arbitrary bytes: files, problems with their buffers, descriptions of losses.
//!
//! Each function takes bytes and panics where the library does, or where it breaks a promise. The fuzz targets in `fuzz/` call
//! them with the bytes that a fuzzer finds, `tests/hostile.rs` with seeded random ones.

mod description;
mod file;
mod problem;
mod value;

pub use description::{description, text};
pub use file::{MOST_BYTES, file, npz};
pub use problem::{Reached, problem, reached};
