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
mod finalize;
mod gradient;
mod pointwise;
mod score;

pub use accumulate::{accumulate, combine, voxel_map};
pub use activation::{log_probability, probability, threshold_cut};
pub use finalize::{Finalized, finalize};
pub use gradient::gradient;
pub use score::{Score, Scores, score};

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
    let finalized = finalize(loss, batch.shape(), &sums);
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
    let (shape, is_labels) = (batch.shape(), batch.problem().targets.is_labels());
    // A label is one of its voxel, whatever the class.
    let rows = (0..shape.rows()).filter(|row| !is_labels || row % shape.classes() == 0);
    let is_bad = |&(row, voxel): &(usize, usize)| batch.target(row, voxel) == Target::Bad;
    let targets = rows.flat_map(|row| (0..shape.voxels()).map(move |voxel| (row, voxel))).filter(is_bad).count() as u32;
    BadValues {
        logits: (0..shape.elements()).filter(|&i| !batch.logits().get(i).is_finite()).count() as u32,
        targets: if is_labels { 0 } else { targets },
        labels: if is_labels { targets } else { 0 },
        mask: batch.mask().map_or(0, |mask| count(mask, |&v| v != 0.0 && v != 1.0)),
        voxel_weights: batch.voxel_weights().map_or(0, |weights| count(weights, infinite)),
    }
}

/// One element with its companions.
#[derive(Clone, Copy)]
struct Element {
    z: f64,
    t: f64,
    /// Mask × voxel weight; 0 for an element that is not a usable number.
    weight: f64,
    /// Whether the element counts: unmasked and usable.
    counts: bool,
}

impl Element {
    fn load(batch: &Batch, row: usize, voxel: usize) -> Self {
        let shape = batch.shape();
        let index = batch.problem().element(row, voxel);
        let z = batch.logits().get(index);
        let (t, is_target) = match batch.target(row, voxel) {
            Target::Value(t) => (t, true),
            Target::Ignored | Target::Bad => (0.0, false),
        };
        let mask = batch.mask().map_or(1.0, |m| m[row / shape.classes() * shape.voxels() + voxel]);
        let weight = batch.voxel_weights().map_or(1.0, |w| w[index]);
        let counts = z.is_finite() && is_target && weight.is_finite() && mask == 1.0;
        if counts {
            Self { z: f64::from(z), t: f64::from(t), weight: f64::from(weight), counts }
        } else {
            Self { z: 0.0, t: 0.0, weight: 0.0, counts }
        }
    }
}
