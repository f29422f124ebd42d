//! The part of a grid that two masks take up.

use crate::Grid;

/// The least box that holds every voxel of two masks.
pub(crate) struct Crop {
    start: [usize; 3],
    dims: [usize; 3],
    /// How far the box is enlarged on either side when a mask is copied: 1 along the axes of the grid.
    margin: [usize; 3],
}

/// A mask within its box, with a layer of background around it, so that every voxel has neighbours.
pub(crate) struct PaddedMask {
    /// With the margins.
    dims: [usize; 3],
    /// 0 or 1 a voxel.
    voxels: Vec<u8>,
}

impl Crop {
    /// `None` if both masks are empty.
    pub(crate) fn around(grid: &Grid, inside: impl Fn(usize) -> bool) -> Option<Self> {
        let [planes, rows, columns] = grid.dims3();
        let mut first = [usize::MAX; 3];
        let mut last = [0; 3];
        for plane in 0..planes {
            for row in 0..rows {
                let offset = (plane * rows + row) * columns;
                let Some(left) = (0..columns).find(|column| inside(offset + column)) else { continue };
                let right = (left..columns).rfind(|column| inside(offset + column)).unwrap_or(left);
                for (axis, (low, high)) in [(plane, plane), (row, row), (left, right)].into_iter().enumerate() {
                    first[axis] = first[axis].min(low);
                    last[axis] = last[axis].max(high);
                }
            }
        }
        let found = first[0] <= last[0];
        found.then(|| Self {
            start: first,
            dims: std::array::from_fn(|axis| last[axis] + 1 - first[axis]),
            margin: grid.axes3(),
        })
    }

    /// The size of the box.
    pub(crate) fn dims(&self) -> [usize; 3] {
        self.dims
    }

    /// A mask's part in the box.
    pub(crate) fn copy(&self, grid: &Grid, mask: impl Fn(usize) -> bool) -> PaddedMask {
        let [_, grid_rows, grid_columns] = grid.dims3();
        let padded: [usize; 3] = std::array::from_fn(|axis| self.dims[axis] + 2 * self.margin[axis]);
        let mut voxels = vec![0; padded.iter().product()];
        for plane in 0..self.dims[0] {
            for row in 0..self.dims[1] {
                let from = ((self.start[0] + plane) * grid_rows + self.start[1] + row) * grid_columns + self.start[2];
                let to = ((self.margin[0] + plane) * padded[1] + self.margin[1] + row) * padded[2] + self.margin[2];
                for (column, voxel) in voxels[to..to + self.dims[2]].iter_mut().enumerate() {
                    *voxel = u8::from(mask(from + column));
                }
            }
        }
        PaddedMask { dims: padded, voxels }
    }
}

impl PaddedMask {
    /// How far apart neighbours along each axis are in memory.
    pub(crate) fn strides(&self) -> [usize; 3] {
        [self.dims[1] * self.dims[2], self.dims[2], 1]
    }

    /// `length` voxels along the last axis, 0 or 1 each, from a number on.
    pub(crate) fn run(&self, start: usize, length: usize) -> &[u8] {
        &self.voxels[start..start + length]
    }
}
