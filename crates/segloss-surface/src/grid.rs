//! Grids of voxels.

use crate::{Error, SurfaceElement};

/// The most voxels of a grid, a layer of background on every side included: their numbers are kept as u32, and where
/// each is an element of the surface these must be addressable.
const MOST_VOXELS: usize =
    if usize::BITS > 32 { u32::MAX as usize } else { isize::MAX as usize / size_of::<SurfaceElement>() };

/// Spacings between these have squares, and sums of squares over any grid, that neither overflow nor vanish.
const SPACINGS: std::ops::RangeInclusive<f64> = 1e-100..=1e100;

/// A grid of voxels: the number of voxels along each of 1 to 3 axes, and how far apart they are.
///
/// Voxels are numbered in C order, the last axis fastest.
///
/// ```
/// let grid = segloss_surface::Grid::new(&[64, 256, 256], &[3.0, 0.8, 0.8])?;
/// assert_eq!(grid.voxels(), 64 * 256 * 256);
/// # Ok::<(), segloss_surface::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Axes that are not there stand in front, one voxel long.
    dims: [usize; 3],
    spacing: [f64; 3],
    rank: usize,
}

impl Grid {
    /// A grid from its dimensions and the spacing of its voxels along each axis, in whatever unit distances shall have.
    ///
    /// An axis may be one voxel long. It still is an axis: its voxels have background before and behind them.
    ///
    /// # Errors
    /// [`Error::Rank`] unless there are 1 to 3 axes, [`Error::NoVoxels`] if one is empty, [`Error::TooLarge`] if there are
    /// 2³² voxels or more (2²⁷ where addresses have 32 bits) once each axis is two longer, [`Error::SpacingRank`] unless
    /// there is one spacing an axis, [`Error::Spacing`] unless each is a number from 10⁻¹⁰⁰ to 10¹⁰⁰.
    pub fn new(dims: &[usize], spacing: &[f64]) -> Result<Self, Error> {
        let rank = dims.len();
        if !(1..=3).contains(&rank) {
            return Err(Error::Rank { dims: dims.to_vec() });
        }
        if dims.contains(&0) {
            return Err(Error::NoVoxels { dims: dims.to_vec() });
        }
        let padded = dims.iter().try_fold(1_usize, |size, &n| size.checked_mul(n.checked_add(2)?));
        if padded.is_none_or(|size| size > MOST_VOXELS) {
            return Err(Error::TooLarge { dims: dims.to_vec(), most: MOST_VOXELS });
        }
        if spacing.len() != rank {
            return Err(Error::SpacingRank { dims: dims.to_vec(), spacing: spacing.to_vec() });
        }
        if let Some(axis) = spacing.iter().position(|length| !SPACINGS.contains(length)) {
            let (least, most) = (*SPACINGS.start(), *SPACINGS.end());
            return Err(Error::Spacing { spacing: spacing.to_vec(), axis, least, most });
        }
        let mut grid = Self { dims: [1; 3], spacing: [1.0; 3], rank };
        grid.dims[3 - rank..].copy_from_slice(dims);
        grid.spacing[3 - rank..].copy_from_slice(spacing);
        Ok(grid)
    }

    /// The number of voxels along each axis.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.dims[3 - self.rank..]
    }

    /// The distance between the centres of neighbouring voxels along each axis.
    #[must_use]
    pub fn spacing(&self) -> &[f64] {
        &self.spacing[3 - self.rank..]
    }

    /// The number of voxels.
    #[must_use]
    pub fn voxels(&self) -> usize {
        self.dims.iter().product()
    }

    /// The dimensions, with axes of one voxel in front where there are fewer than three.
    pub(crate) fn dims3(&self) -> [usize; 3] {
        self.dims
    }

    /// The spacing of [`dims3`](Self::dims3), 1 along the axes in front.
    pub(crate) fn spacing3(&self) -> [f64; 3] {
        self.spacing
    }

    /// 1 along the axes of the grid, 0 along those in front.
    pub(crate) fn axes3(&self) -> [usize; 3] {
        std::array::from_fn(|axis| usize::from(axis + self.rank >= 3))
    }
}
