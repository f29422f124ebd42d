//! Label maps in every format.

use segloss::{Labels, Shape};

use crate::data::hash;

/// A label map in all formats.
pub(crate) struct LabelMaps {
    pub(crate) u8: Vec<u8>,
    u16: Vec<u16>,
    u32: Vec<u32>,
    pub(crate) i32: Vec<i32>,
    pub(crate) i64: Vec<i64>,
}

impl LabelMaps {
    /// The number of formats.
    pub(crate) const FORMATS: usize = 5;

    pub(crate) fn new(labels: &[u8]) -> Self {
        Self {
            u8: labels.to_vec(),
            u16: labels.iter().map(|&l| l.into()).collect(),
            u32: labels.iter().map(|&l| l.into()).collect(),
            i32: labels.iter().map(|&l| l.into()).collect(),
            i64: labels.iter().map(|&l| l.into()).collect(),
        }
    }

    pub(crate) fn labels(&self, format: usize) -> Labels<'_> {
        match format {
            0 => Labels::U8(&self.u8),
            1 => Labels::U16(&self.u16),
            2 => Labels::U32(&self.u32),
            3 => Labels::I32(&self.i32),
            _ => Labels::I64(&self.i64),
        }
    }
}

pub(crate) fn bytes_of_labels(labels: Labels) -> Vec<u8> {
    match labels {
        Labels::U8(data) => data.to_vec(),
        Labels::U16(data) => data.iter().flat_map(|t| t.to_le_bytes()).collect(),
        Labels::U32(data) => data.iter().flat_map(|t| t.to_le_bytes()).collect(),
        Labels::I32(data) => data.iter().flat_map(|t| t.to_le_bytes()).collect(),
        Labels::I64(data) => data.iter().flat_map(|t| t.to_le_bytes()).collect(),
    }
}

/// Prediction and truth as the label maps of a network would be: most voxels right.
pub(crate) fn label_maps(shape: &Shape, seed: u32) -> (Vec<u8>, Vec<u8>) {
    let classes = shape.classes() as u32;
    let truth = |i: usize| (hash(seed, i as u32 / 7) % classes) as u8;
    let predicted = |i: usize| if hash(seed + 1, i as u32).is_multiple_of(5) { truth(i + 3) } else { truth(i) };
    let voxels = 0..shape.mask_elements();
    (voxels.clone().map(predicted).collect(), voxels.map(truth).collect())
}

pub(crate) fn one_hot(labels: &[u8], shape: &Shape) -> Vec<f32> {
    let label = |row: usize, voxel: usize| labels[row / shape.classes() * shape.voxels() + voxel];
    let is_class = |row: usize, voxel: usize| f32::from(u8::from(label(row, voxel) as usize == row % shape.classes()));
    (0..shape.rows()).flat_map(|row| (0..shape.voxels()).map(move |voxel| is_class(row, voxel))).collect()
}
