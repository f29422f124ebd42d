//! The counts of hard masks.

use crate::metrics::{CountTable, Counts, counting_statistic};
use crate::{BadValues, Batch, Error, Labels, Loss, Shape};

/// The counts of a batch, as [`Gpu::counts`](crate::Gpu::counts) gives them.
///
/// # Errors
/// Those of [`evaluate`](super::evaluate()); [`Error::Loss`] if no term has a threshold.
pub fn counts(loss: &Loss, batch: &Batch) -> Result<CountTable, Error> {
    let statistic = counting_statistic(loss)?;
    CountTable::from_sums(&super::evaluate(loss, batch)?.sums[statistic], batch.shape())
}

/// The counts of two label maps of N·voxels class ids each, by the definition of the four cells alone: a voxel lies in a
/// class's mask if its label is the class. Where the target is the ignore index the voxel counts nowhere.
///
/// # Errors
/// [`Error::Length`] for maps of another length; [`Error::BadValues`] for labels that are no class.
pub fn label_counts(
    prediction: Labels,
    target: Labels,
    shape: &Shape,
    ignore_index: Option<i64>,
) -> Result<CountTable, Error> {
    let prediction = class_ids("the predicted labels", prediction, shape)?;
    let target = class_ids("the true labels", target, shape)?;
    let is_bad = |label: i64| !(0..shape.classes() as i64).contains(&label);
    let is_ignored = |label: i64| Some(label) == ignore_index;
    let predicted_labels = prediction.iter().filter(|&&label| is_bad(label)).count() as u32;
    let labels = target.iter().filter(|&&label| is_bad(label) && !is_ignored(label)).count() as u32;
    let bad = BadValues { predicted_labels, labels, ..BadValues::default() };
    if !bad.is_empty() {
        return Err(Error::BadValues(bad));
    }
    let count = |row: usize| {
        let (first, class) = (row / shape.classes() * shape.voxels(), (row % shape.classes()) as i64);
        let voxels = (first..first + shape.voxels()).filter(|&voxel| !is_ignored(target[voxel]));
        voxels
            .map(|voxel| cell(prediction[voxel] == class, target[voxel] == class))
            .fold(Counts::default(), Counts::combine)
    };
    CountTable::new(shape.samples(), shape.classes(), (0..shape.rows()).map(count).collect())
}

fn class_ids(what: &'static str, labels: Labels, shape: &Shape) -> Result<Vec<i64>, Error> {
    let (found, expected) = (labels.len() as u64, shape.mask_elements() as u64);
    if found != expected {
        return Err(Error::Length { what, found, expected });
    }
    Ok((0..labels.len()).map(|voxel| labels.get(voxel)).collect())
}

/// One voxel.
fn cell(is_predicted: bool, is_true: bool) -> Counts {
    let one = |predicted, actual| u64::from(is_predicted == predicted && is_true == actual);
    Counts {
        true_positives: one(true, true),
        false_positives: one(true, false),
        false_negatives: one(false, true),
        true_negatives: one(false, false),
    }
}
