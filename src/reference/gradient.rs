//! The derivative of the loss with respect to every element.

use super::activation::slope;
use super::pointwise::pointwise;
use super::{Element, probability};
use crate::{Batch, Statistic};

/// dL/dz of every element (dL/dp where the input is probabilities).
///
/// `coefficients` holds, per statistic and row, the derivatives of the loss with respect to the sums, as
/// [`finalize`](super::finalize) returns them. Since each sum is a sum over elements, the chain rule needs
/// nothing else.
///
/// # Panics
/// If a row's coefficients are missing.
#[must_use]
pub fn gradient(statistics: &[Statistic], coefficients: &[Vec<[f64; 3]>], batch: &Batch) -> Vec<f64> {
    let shape = batch.shape();
    let mut gradient = vec![0.0; shape.elements()];
    for row in 0..shape.rows() {
        for voxel in 0..shape.voxels() {
            let element = Element::load(batch, row, voxel);
            let slopes = statistics.iter().zip(coefficients).map(|(&s, rows)| element_slope(s, rows[row], element));
            gradient[batch.problem().element(row, voxel)] = element.weight * slopes.sum::<f64>();
        }
    }
    gradient
}

/// The derivative of one statistic's part of the loss with respect to one element of weight 1.
fn element_slope(statistic: Statistic, coefficients: [f64; 3], element: Element) -> f64 {
    let Element { z, t, .. } = element;
    let [a, b, _] = coefficients;
    match statistic {
        // I = Σpt, P = Σpᵏ: dL/dp = a·t + b·k·pᵏ⁻¹. Of minima, I = Σ(|p| + |t| − |p−t|)/2 and P = Σ|p|.
        Statistic::Overlap { activation, squared, minimum } => {
            let p = probability(activation, z);
            let dp = match (squared, minimum) {
                (true, _) => a * t + 2.0 * b * p,
                (false, false) => a * t + b,
                (false, true) => 0.5 * a * (sign(p) - sign(p - t)) + b * sign(p),
            };
            dp * slope(activation, z)
        }
        // A step function.
        Statistic::HardOverlap { .. } => 0.0,
        Statistic::CrossEntropy { .. } | Statistic::Focal { .. } => {
            let slopes = pointwise(statistic, z, t).slopes;
            coefficients.iter().zip(slopes).map(|(coefficient, slope)| coefficient * slope).sum()
        }
    }
}

/// −1, 0 or 1.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}
