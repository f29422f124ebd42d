//! The derivative of the loss with respect to every element.

use super::{Element, activation::slope, probability};
use crate::{Activation, Batch, Statistic};

/// dL/dz of every element (dL/dp where the input is probabilities).
///
/// `coefficients` holds, per statistic and row, the derivatives of the loss with respect to the sums, as
/// [`finalize`](super::finalize) returns them. Since each sum is a sum over elements, the chain rule needs
/// nothing else.
///
/// # Panics
/// If a row's coefficients are missing.
#[must_use]
pub fn gradient(statistics: &[Statistic], coefficients: &[Vec<[f64; 2]>], batch: &Batch) -> Vec<f64> {
    let shape = batch.shape();
    let mut gradient = Vec::with_capacity(shape.elements());
    for row in 0..shape.rows() {
        for voxel in 0..shape.voxels() {
            let element = Element::load(batch, row, voxel);
            let slopes = statistics.iter().zip(coefficients).map(|(&s, rows)| element_slope(s, rows[row], element));
            gradient.push(element.weight * slopes.sum::<f64>());
        }
    }
    gradient
}

/// The derivative of one statistic's part of the loss with respect to one element of weight 1.
fn element_slope(statistic: Statistic, [a, b]: [f64; 2], element: Element) -> f64 {
    let Element { z, t, .. } = element;
    match statistic {
        // I = Σpt, P = Σpᵏ: dL/dp = a·t + b·k·pᵏ⁻¹.
        Statistic::Overlap { activation, squared } => {
            let p = probability(activation, z);
            let dp = if squared { a * t + 2.0 * b * p } else { a * t + b };
            dp * slope(activation, z)
        }
        // A step function.
        Statistic::HardOverlap { .. } => 0.0,
        // A = Σ −t·ln σ(z), B = Σ −(1−t)·ln σ(−z): d/dz gives −t·σ(−z) and (1−t)·σ(z).
        Statistic::CrossEntropy { activation: Activation::Sigmoid } => {
            let p = |z| probability(Activation::Sigmoid, z);
            b * (1.0 - t) * p(z) - a * t * p(-z)
        }
        // The same over p(1−p), held above 1e-12 as PyTorch does.
        Statistic::CrossEntropy { activation: Activation::None } => {
            let p = z;
            (b * (1.0 - t) * p - a * t * (1.0 - p)) / (p * (1.0 - p)).max(1e-12)
        }
    }
}
