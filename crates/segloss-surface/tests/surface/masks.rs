//! Masks made of a seed, and the comparison of numbers.

use segloss_surface::{Definition, Grid, SurfaceDistances};

/// All definitions.
pub(crate) const DEFINITIONS: [Definition; 2] = [Definition::Monai, Definition::DeepMind];

/// Two masks on a grid.
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) grid: Grid,
    pub(crate) prediction: Vec<bool>,
    pub(crate) truth: Vec<bool>,
}

impl Pair {
    pub(crate) fn distances(&self, definition: Definition) -> SurfaceDistances {
        SurfaceDistances::new(&self.grid, definition, |i| self.prediction[i], |i| self.truth[i])
    }
}

/// An integer hash (murmur3's finaliser): equal seeds give equal masks everywhere.
fn hash(seed: u32, index: u32) -> u32 {
    let mut h = seed.wrapping_mul(0x9e37_79b9) ^ index;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// A mask of which each voxel is set with a probability in percent.
pub(crate) fn noise(voxels: usize, seed: u32, percent: u32) -> Vec<bool> {
    (0..voxels).map(|index| hash(seed, index as u32) % 100 < percent).collect()
}

/// Grids of one to three axes, equal and unequal spacing, axes of one voxel.
pub(crate) fn grids() -> Vec<Grid> {
    let grids: [(&[usize], &[f64]); 14] = [
        (&[1], &[1.0]),
        (&[2], &[0.3]),
        (&[37], &[1.0]),
        (&[50], &[0.7]),
        (&[11, 9], &[1.0, 1.0]),
        (&[8, 13], &[2.5, 0.4]),
        (&[1, 20], &[3.0, 0.7]),
        (&[20, 1], &[3.0, 0.7]),
        (&[6, 7, 5], &[1.0, 1.0, 1.0]),
        (&[5, 8, 7], &[3.0, 0.9375, 0.8]),
        (&[9, 4, 6], &[0.1, 1.7, 20.0]),
        (&[1, 9, 8], &[5.0, 0.5, 1.5]),
        (&[9, 1, 8], &[0.5, 5.0, 1.5]),
        (&[9, 8, 1], &[0.5, 1.5, 5.0]),
    ];
    grids.iter().map(|(dims, spacing)| Grid::new(dims, spacing).unwrap()).collect()
}

/// On every grid: noise from sparse to dense, single voxels, full and empty masks.
pub(crate) fn pairs() -> Vec<Pair> {
    let mut pairs = vec![];
    for (seed, grid) in (0..).zip(grids()) {
        let n = grid.voxels();
        let single = |voxel: usize| (0..n).map(|i| i == voxel).collect::<Vec<_>>();
        let masks = [
            ("empty", vec![false; n]),
            ("full", vec![true; n]),
            ("the first voxel", single(0)),
            ("the last voxel", single(n - 1)),
            ("the middle voxel", single(n / 2)),
            ("a little noise", noise(n, 10 * seed, 4)),
            ("noise", noise(n, 10 * seed + 1, 40)),
            ("much noise", noise(n, 10 * seed + 2, 93)),
        ];
        for (prediction_name, prediction) in &masks {
            for (truth_name, truth) in &masks {
                pairs.push(Pair {
                    name: format!("{prediction_name} and {truth_name} on {:?} of {:?}", grid.dims(), grid.spacing()),
                    grid: grid.clone(),
                    prediction: prediction.clone(),
                    truth: truth.clone(),
                });
            }
        }
    }
    pairs
}

/// How far two numbers are apart, relative to the second; 0 if they are the same infinity, or both NaN.
pub(crate) fn difference(found: f64, expected: f64) -> f64 {
    if found == expected || (found.is_nan() && expected.is_nan()) {
        return 0.0;
    }
    let relative = (found - expected).abs() / expected.abs();
    if relative.is_nan() { f64::INFINITY } else { relative }
}
