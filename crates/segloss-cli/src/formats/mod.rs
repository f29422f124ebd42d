//! One module a file format: from a path to dimensions and numbers in C order, or a reason why not.

pub(crate) mod nifti;
pub(crate) mod npy;
pub(crate) mod png;

/// Dimensions and values, or what is wrong with the file and what was expected.
pub(crate) type Read = Result<(Vec<usize>, Vec<f32>), String>;
