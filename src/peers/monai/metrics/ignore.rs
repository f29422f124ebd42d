//! What `ignore_index` leaves out.

use crate::batch::Target;
use crate::metrics::{CountTable, Counts};
use crate::peers::metric::counting_loss;
use crate::{Batch, Error, Loss, Problem};

/// What an ignore index is to [`MeanIoU`](super::MeanIoU) and [`ConfusionMatrixMetric`](super::ConfusionMatrixMetric).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ignored {
    Nothing,
    /// This class has no voxels, in prediction and target.
    Class(usize),
    /// Voxels of the target, by this index.
    Voxels(i64),
}

impl Ignored {
    /// Of `classes` classes, the background counted.
    pub(super) fn new(index: Option<i64>, classes: usize, include_background: bool) -> Self {
        let Some(index) = index else { return Self::Nothing };
        // A single channel stays where the background is to go, but is numbered as if it had gone.
        let (offset, known) = match (include_background, classes) {
            (true, _) => (0, classes),
            (false, 1) => (1, 2),
            (false, _) => (0, classes),
        };
        match usize::try_from(index) {
            Ok(0) if !include_background => Self::Nothing,
            Ok(class) if class < known => Self::Class(class - offset),
            _ => Self::Voxels(index),
        }
    }

    pub(super) fn voxels(self) -> Option<i64> {
        if let Self::Voxels(index) = self { Some(index) } else { None }
    }

    /// The table with what is left of an emptied class: true negatives.
    pub(super) fn empty(self, table: &CountTable) -> CountTable {
        let Self::Class(ignored) = self else { return table.clone() };
        table.map(|class, counts| match class == ignored {
            true => Counts { true_negatives: counts.total(), ..Counts::default() },
            false => counts,
        })
    }
}

/// The loss that counts, without the voxels of an ignore index.
pub(super) fn counting(peer: &'static str, voxels: Option<i64>, problem: &Problem) -> Result<Loss, Error> {
    match voxels {
        None => Ok(counting_loss()),
        Some(index) if is_compared(problem) => Ok(counting_loss().ignore_index(index)),
        Some(_) if problem.mask => Ok(counting_loss()),
        Some(index) => {
            let reason = format!(
                "ignore_index {index} leaves out voxels, which of one-hot targets takes a mask; give the batch the one that \
                 Metric::mask makes, or labels"
            );
            Err(Error::Peer { peer, reason })
        }
    }
}

/// The mask that leaves out the voxels of an ignore index, where they are not found by comparing.
pub(super) fn mask(voxels: Option<i64>, batch: &Batch) -> Option<Vec<f32>> {
    let index = voxels.filter(|_| !is_compared(batch.problem()))?;
    let (shape, classes) = (batch.shape(), batch.shape().classes());
    let ignored = usize::try_from(index).ok().filter(|&class| class < classes);
    let is_set = |row, voxel| matches!(batch.target(row, voxel), Target::Value(t) if t > 0.5);
    let counts = |sample: usize, voxel| match ignored {
        Some(class) => !is_set(sample * classes + class, voxel),
        None => (0..classes).any(|class| is_set(sample * classes + class, voxel)),
    };
    let weight = |index: usize| {
        let (sample, voxel) = (index / shape.voxels(), index % shape.voxels());
        let own = batch.mask().map_or(1.0, |mask| mask[index]);
        if counts(sample, voxel) { own } else { 0.0 }
    };
    Some((0..shape.mask_elements()).map(weight).collect())
}

/// Whether targets are compared with the ignore index one by one.
fn is_compared(problem: &Problem) -> bool {
    problem.targets.is_labels() || problem.shape.classes() == 1
}
