//! Surfaces of masks.

use crate::crop::{Crop, PaddedMask};
use crate::{Definition, Grid, surfel};

/// The points that the surfaces of two masks are made of: the voxels of their box, or its corners.
pub(crate) struct Lattice {
    pub(crate) dims: [usize; 3],
    pub(crate) spacing: [f64; 3],
}

/// The surface of a mask.
pub(crate) struct Surface {
    /// The numbers of its elements' points on the lattice, in C order, ascending.
    pub(crate) points: Vec<u32>,
    /// The element's weight, point by point.
    pub(crate) weights: Vec<f64>,
}

impl Lattice {
    /// The lattice of a definition on a box of a grid.
    pub(crate) fn new(grid: &Grid, definition: Definition, crop: &Crop) -> Self {
        let dims = match definition {
            Definition::Monai => crop.dims(),
            Definition::DeepMind => {
                let (voxels, axes) = (crop.dims(), grid.axes3());
                std::array::from_fn(|axis| voxels[axis] + axes[axis])
            }
        };
        Self { dims, spacing: grid.spacing3() }
    }
}

impl Surface {
    /// The surface of a mask that is 0 outside its box.
    pub(crate) fn new(grid: &Grid, definition: Definition, lattice: &Lattice, mask: &PaddedMask) -> Self {
        match definition {
            Definition::Monai => Self::of_voxels(grid, lattice, mask),
            Definition::DeepMind => Self::of_corners(grid, lattice, mask),
        }
    }

    /// The voxels that the mask loses by erosion with the cross of its rank: those of which a neighbour along an axis is
    /// background.
    fn of_voxels(grid: &Grid, lattice: &Lattice, mask: &PaddedMask) -> Self {
        let [planes, rows, columns] = lattice.dims;
        let strides = mask.strides();
        let margins = grid.axes3();
        let neighbours: Vec<usize> = (0..3).filter(|&axis| margins[axis] == 1).map(|axis| strides[axis]).collect();
        let mut points = vec![];
        let mut interior = vec![0; columns];
        for plane in 0..planes {
            for row in 0..rows {
                let start = (plane + margins[0]) * strides[0] + (row + margins[1]) * strides[1] + margins[2];
                interior.fill(1);
                for &stride in &neighbours {
                    let before = mask.run(start - stride, columns);
                    let behind = mask.run(start + stride, columns);
                    for ((inside, &one), &other) in interior.iter_mut().zip(before).zip(behind) {
                        *inside &= one & other;
                    }
                }
                let offset = (plane * rows + row) * columns;
                let voxels = mask.run(start, columns).iter().zip(&interior).enumerate();
                points
                    .extend(voxels.filter(|(_, (voxel, interior))| voxel > interior).map(|(x, _)| (offset + x) as u32));
            }
        }
        let weights = vec![1.0; points.len()];
        Self { points, weights }
    }

    /// The corners of voxels around which some voxels belong to the mask and some do not.
    fn of_corners(grid: &Grid, lattice: &Lattice, mask: &PaddedMask) -> Self {
        let [planes, rows, columns] = lattice.dims;
        let strides = mask.strides();
        // The voxels around a corner, in C order, from the first: the margin makes its number that of the corner.
        let around = (0..3)
            .filter(|&axis| grid.axes3()[axis] == 1)
            .fold(vec![0], |around, axis| around.iter().flat_map(|&offset| [offset, offset + strides[axis]]).collect());
        let sizes = surfel::sizes_by_code(grid);
        let all_inside = (sizes.len() - 1) as u8;
        let (mut points, mut weights) = (vec![], vec![]);
        let mut codes = vec![0_u8; columns];
        for plane in 0..planes {
            for row in 0..rows {
                codes.fill(0);
                for &offset in &around {
                    let voxels = mask.run(plane * strides[0] + row * strides[1] + offset, columns);
                    for (code, voxel) in codes.iter_mut().zip(voxels) {
                        *code = *code << 1 | voxel;
                    }
                }
                let offset = (plane * rows + row) * columns;
                for (column, &code) in codes.iter().enumerate().filter(|&(_, &code)| code != 0 && code != all_inside) {
                    points.push((offset + column) as u32);
                    weights.push(sizes[usize::from(code)]);
                }
            }
        }
        Self { points, weights }
    }
}
