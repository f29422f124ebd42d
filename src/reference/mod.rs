//! The plain form of every stage, in f64 on the CPU.
//!
//! One function a stage, under the name of the stage's shader: [`accumulate`], [`combine`], [`score`],
//! [`finalize`], [`gradient`]. They are written to be read and to be checked against, not to be fast; the GPU is tested
//! against them and their gradients against finite differences. [`evaluate`] runs them in order.
//!
//! ```
//! use segloss::{Batch, Loss, Shape, reference};
//!
//! let shape = Shape::new(&[1, 1, 4])?;
//! let batch = Batch::new(&shape, &[0.9, 0.8, 0.2, 0.1], &[1.0, 1.0, 0.0, 0.0])?;
//! let dice = reference::evaluate(&Loss::dice().probabilities(), &batch)?;
//! assert!((dice.value - (1.0 - 2.0 * 1.7 / (2.0 + 2.0))).abs() < 1e-7);
//! # Ok::<(), segloss::Error>(())
//! ```

mod accumulate;
mod activation;
mod counts;
mod element;
mod finalize;
mod gradient;
mod pointwise;
mod score;
mod softmax;

pub use accumulate::{accumulate, combine, voxel_map};
pub use activation::{log_probability, probability, threshold_cut};
pub use counts::{counts, label_counts};
pub use finalize::{Finalized, finalize};
pub use gradient::gradient;
pub use score::{Score, Scores, score};
pub use softmax::{Softmax, softmax};

use crate::batch::Target;
use crate::{BadValues, Batch, Error, Loss, Sums};

/// What [`evaluate`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The loss: Σ weight × the term's value.
    pub value: f64,
    /// Every term's reduced value, before its weight.
    pub terms: Vec<f64>,
    /// For every term its groups' values before the reduction; empty for cross-entropy.
    pub groups: Vec<Vec<f64>>,
    /// For every statistic of the loss, the sums of every row.
    pub sums: Vec<Vec<Sums>>,
    /// Σ weight × cross-entropy of every element, where the loss is a voxel map.
    pub voxel_map: Option<Vec<f64>>,
    /// The derivative of `value` with respect to the input, if asked for.
    pub gradient: Option<Vec<f64>>,
}

/// The loss of a batch and, if the batch asks for it, the gradient.
///
/// # Errors
/// As [`Gpu::evaluate`](crate::Gpu::evaluate), without those of a device.
pub fn evaluate(loss: &Loss, batch: &Batch) -> Result<Evaluation, Error> {
    crate::plan::check(loss, batch.problem())?;
    let batch = &batch.ignoring(loss.ignore_index);
    let bad = bad_values(batch);
    if !bad.is_empty() {
        return Err(Error::BadValues(bad));
    }
    let statistics = loss.statistics();
    let sums = accumulate(&statistics, batch);
    let mut finalized = finalize(loss, batch.shape(), &sums);
    for rows in &mut finalized.coefficients {
        for (coefficients, &upstream) in rows.iter_mut().zip(batch.row_upstream().unwrap_or_default()) {
            *coefficients = coefficients.map(|coefficient| f64::from(upstream) * coefficient);
        }
    }
    let gradient = batch.problem().gradient.then(|| gradient(&statistics, &finalized.coefficients, batch));
    let voxel_map = loss.is_voxel_map().then(|| voxel_map(loss, batch));
    Ok(Evaluation {
        value: finalized.value,
        terms: finalized.terms,
        groups: finalized.groups,
        sums,
        voxel_map,
        gradient,
    })
}

/// Counts the elements that are not usable numbers, and the labels that are no class.
#[must_use]
pub fn bad_values(batch: &Batch) -> BadValues {
    let count = |data: &[f32], bad: fn(&f32) -> bool| data.iter().filter(|v| bad(v)).count() as u32;
    let infinite = |v: &f32| !v.is_finite();
    let (shape, problem) = (batch.shape(), batch.problem());
    // A label is one of its voxel, whatever the class.
    let bad_of = |is_labels: bool, is_bad: &dyn Fn(usize, usize) -> bool| {
        let rows = (0..shape.rows()).filter(|row| !is_labels || row % shape.classes() == 0);
        rows.map(|row| (0..shape.voxels()).filter(|&voxel| is_bad(row, voxel)).count() as u32).sum::<u32>()
    };
    let (labels_predicted, has_labels) = (problem.logits.is_labels(), problem.targets.is_labels());
    let logits = bad_of(labels_predicted, &|row, voxel| !batch.logit(row, voxel).is_finite());
    let targets = bad_of(has_labels, &|row, voxel| batch.target(row, voxel) == Target::Bad);
    let either = |number: u32, is_it: bool| if is_it { number } else { 0 };
    BadValues {
        logits: either(logits, !labels_predicted),
        predicted_labels: either(logits, labels_predicted),
        targets: either(targets, !has_labels),
        labels: either(targets, has_labels),
        mask: batch.mask().map_or(0, |mask| count(mask, |&v| v != 0.0 && v != 1.0)),
        voxel_weights: batch.voxel_weights().map_or(0, |weights| count(weights, infinite)),
    }
}
