//! One module a file format: from a path to its contents, or a reason why not.

pub(crate) mod nifti;
pub(crate) mod npy;
pub(crate) mod png;

use crate::space::Space;

/// What a file holds.
pub(crate) struct Contents {
    pub(crate) dims: Vec<usize>,
    /// In C order.
    pub(crate) values: Vec<f32>,
    /// Where the voxels lie, if the format says.
    pub(crate) space: Option<Space>,
}

/// The contents, or what is wrong with the file and what was expected.
pub(crate) type Read = Result<Contents, String>;
