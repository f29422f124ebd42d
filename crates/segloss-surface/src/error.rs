//! What can go wrong, as values.

use thiserror::Error;

/// Every error of this crate. Each carries the values it speaks of.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A grid without axes, or with more than three.
    #[error("the grid {dims:?} has {} axes; give 1 to 3", dims.len())]
    Rank {
        /// The dimensions given.
        dims: Vec<usize>,
    },
    /// An axis without voxels.
    #[error("the grid {dims:?} has no voxels")]
    NoVoxels {
        /// The dimensions given.
        dims: Vec<usize>,
    },
    /// More voxels than can be numbered.
    #[error("the grid {dims:?}, with a layer of background around it, has more than {most} voxels")]
    TooLarge {
        /// The dimensions given.
        dims: Vec<usize>,
        /// The most voxels there may be.
        most: usize,
    },
    /// Not one spacing an axis.
    #[error("the grid {dims:?} has {} axes but {} spacings, {spacing:?}", dims.len(), spacing.len())]
    SpacingRank {
        /// The dimensions given.
        dims: Vec<usize>,
        /// The spacing given.
        spacing: Vec<f64>,
    },
    /// A spacing that is not a usable length.
    #[error("the spacing {spacing:?} has {} along axis {axis}; give a length from {least:e} to {most:e}", spacing[*axis])]
    Spacing {
        /// The spacing given.
        spacing: Vec<f64>,
        /// The first axis at fault.
        axis: usize,
        /// The least length whose square is an ordinary number.
        least: f64,
        /// The greatest.
        most: f64,
    },
    /// A percentile that is none.
    #[error("the percentile {percentile} is not from 0 to 100")]
    Percentile {
        /// The percentile given.
        percentile: f64,
    },
    /// A tolerance that is no distance.
    #[error("the tolerance {tolerance} is not a finite distance of at least 0")]
    Tolerance {
        /// The tolerance given.
        tolerance: f64,
    },
}
