//! The files that the tests of `segloss loss` share.

use segloss::{Batch, Shape};
use serde_json::Value;

use crate::files::npy;
use crate::run::Folder;

pub(crate) const DIMS: [usize; 4] = [2, 3, 5, 7];

/// Logits, targets, mask and weights, by a multiplicative sequence.
pub(crate) struct Arrays {
    pub(crate) shape: Shape,
    pub(crate) logits: Vec<f32>,
    pub(crate) targets: Vec<f32>,
    pub(crate) mask: Vec<f32>,
    pub(crate) weights: Vec<f32>,
}

impl Arrays {
    pub(crate) fn new() -> Self {
        let shape = Shape::new(&DIMS).unwrap();
        let number = |i: usize, salt: u32| (i as u32 * 4 + salt).wrapping_mul(0x9e37_79b9) >> 16;
        let n = shape.elements();
        Self {
            logits: (0..n).map(|i| number(i, 0) as f32 / 8192.0 - 4.0).collect(),
            targets: (0..n).map(|i| (number(i, 1) % 2) as f32).collect(),
            mask: (0..shape.mask_elements()).map(|i| f32::from(number(i, 2) % 3 > 0)).collect(),
            weights: (0..n).map(|i| number(i, 3) as f32 / 65536.0).collect(),
            shape,
        }
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch::new(&self.shape, &self.logits, &self.targets).unwrap()
    }

    pub(crate) fn full_batch(&self) -> Batch<'_> {
        let batch = self.batch().with_mask(&self.mask).unwrap();
        batch.with_voxel_weights(&self.weights).unwrap().with_gradient()
    }

    pub(crate) fn folder(&self) -> Folder {
        let folder = Folder::new();
        npy(&folder.path("x.npy"), &DIMS, &self.logits);
        npy(&folder.path("y.npy"), &DIMS, &self.targets);
        npy(&folder.path("m.npy"), &[2, 1, 5, 7], &self.mask);
        npy(&folder.path("m_short.npy"), &[2, 5, 7], &self.mask);
        npy(&folder.path("w.npy"), &DIMS, &self.weights);
        folder
    }
}

pub(crate) const COMMON: [&str; 7] = ["loss", "--spec", "spec.json", "--input", "x.npy", "--target", "y.npy"];

pub(crate) fn spec(folder: &Folder, spec: &Value) {
    std::fs::write(folder.path("spec.json"), spec.to_string()).unwrap();
}

pub(crate) fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&COMMON, more].concat()
}
