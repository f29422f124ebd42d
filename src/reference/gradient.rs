//! The derivative of the loss with respect to every element.

use super::accumulate::voxels;
use super::element::Element;
use super::pointwise::pointwise;
use crate::loss::Intersection;
use crate::{Activation, Batch, Statistic};

/// dL/dz of every element (dL/dp where the input is probabilities).
///
/// `coefficients` holds, per statistic and row, the derivatives of the loss with respect to the sums, as
/// [`finalize`](super::finalize) returns them. Since each sum is a sum over elements, the chain rule needs
/// nothing else.
///
/// A softmax adds a step. With u_c the derivative with respect to ln p_c, and d(ln p_c)/dz_k = [c = k] − p_k,
///
/// ```text
/// dL/dz_k = u_k − p_k·Σ_c u_c = (1 − p_k)·u_k − p_k·Σ_{c≠k} u_c
/// ```
///
/// where the right side does not cancel for p_k near 1. Of shares x, z = ln x, so that dL/dx_k = (dL/dz_k)/x_k.
///
/// # Panics
/// If a row's coefficients are missing.
#[must_use]
pub fn gradient(statistics: &[Statistic], coefficients: &[Vec<[f64; 3]>], batch: &Batch) -> Vec<f64> {
    let shape = batch.shape();
    let are_shares = statistics.iter().any(|statistic| statistic.activation() == Activation::Normalized);
    let mut gradient = vec![0.0; shape.elements()];
    for (sample, voxel) in voxels(batch) {
        let column = Element::column(statistics, batch, sample, voxel);
        let row = |class: usize| sample * shape.classes() + class;
        // Σ over the statistics that couple classes, or over those that do not.
        let slopes = |class: usize, coupled: bool| -> f64 {
            let of = statistics.iter().zip(coefficients).filter(|(s, _)| s.activation().couples_classes() == coupled);
            // What measures distances from a label receives what the label's row does.
            let own = |s: &Statistic| {
                if let Statistic::Wasserstein { .. } = s { column[class].distance.label } else { class }
            };
            let slopes = of.map(|(s, rows)| element_slope(s, rows[row(own(s))], &column[class]));
            column[class].weight * slopes.sum::<f64>()
        };
        let by_logarithm: Vec<f64> = (0..column.len()).map(|class| slopes(class, true)).collect();
        for (class, element) in column.iter().enumerate() {
            let others: f64 =
                by_logarithm.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, u)| u).sum();
            let through_softmax = element.softmax.q * by_logarithm[class] - element.softmax.p * others;
            let inward = if are_shares { 1.0 / element.share() } else { 1.0 };
            gradient[batch.problem().element(row(class), voxel)] = slopes(class, false) + inward * through_softmax;
        }
    }
    gradient
}

/// The derivative of one statistic's part of the loss with respect to one element of weight 1, or to its ln p.
fn element_slope(statistic: &Statistic, coefficients: [f64; 3], element: &Element) -> f64 {
    let t = element.t;
    let [a, b, _] = coefficients;
    match *statistic {
        // I = Σpt, P = Σpᵏ: dL/dp = a·t + b·k·pᵏ⁻¹. Of minima, I = Σ(|p| + |t| − |p−t|)/2 and P = Σ|p|.
        Statistic::Overlap { activation, squared, intersection } => {
            let p = element.probability(activation);
            let dp = match (squared, intersection) {
                (true, _) => a * t + 2.0 * b * p,
                (false, Intersection::Product) => a * t + b,
                (false, Intersection::Minimum) => 0.5 * a * (sign(p) - sign(p - t)) + b * sign(p),
                (false, Intersection::MinimumOfPositive) => 0.5 * a * (1.0 - sign(p - t)) + b,
            };
            dp * element.slope(activation)
        }
        // A step function.
        Statistic::HardOverlap { .. } => 0.0,
        // Of δ = Σ M·p: dA/dp = −M, dB/dp = M.
        Statistic::Wasserstein { activation, .. } => (b - a) * element.distance.of_class * element.slope(activation),
        Statistic::BinaryCrossEntropy { .. } | Statistic::CrossEntropy { .. } | Statistic::Focal { .. } => {
            let slopes = pointwise(statistic, element).slopes;
            coefficients.iter().zip(slopes).map(|(coefficient, slope)| coefficient * slope).sum()
        }
    }
}

/// −1, 0 or 1.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}
