//! From the groups' values to the loss and the gradient's coefficients.

use super::{Score, score};
use crate::loss::Measure;
use crate::{Loss, Reduction, Shape, Sums};

/// What [`finalize`] makes of the sums.
#[derive(Clone, Debug, PartialEq)]
pub struct Finalized {
    /// The loss: Σ weight × the term's value.
    pub value: f64,
    /// Every term's reduced value, before its weight.
    pub terms: Vec<f64>,
    /// For every term its groups' values before the reduction; empty for cross-entropy.
    pub groups: Vec<Vec<f64>>,
    /// For every statistic and row, what [`gradient`](super::gradient) needs: (∂L/∂I, ∂L/∂P) of an
    /// overlap, (∂L/∂A, ∂L/∂B) of cross-entropy.
    pub coefficients: Vec<Vec<[f64; 2]>>,
}

/// The loss of the row sums, and its derivatives with respect to them.
///
/// `sums` holds one vector per statistic of the loss, one entry per row.
///
/// # Panics
/// If a statistic's sums are missing.
#[must_use]
pub fn finalize(loss: &Loss, shape: &Shape, sums: &[Vec<Sums>]) -> Finalized {
    let statistics = loss.statistics();
    let mut out = Finalized {
        value: 0.0,
        terms: vec![],
        groups: vec![],
        coefficients: vec![vec![[0.0; 2]; shape.rows()]; statistics.len()],
    };
    for term in &loss.terms {
        let index = statistics.iter().position(|s| *s == term.statistic()).unwrap_or_default();
        let scores = score(&term.measure, shape, &sums[index]);
        let scale = scale(&term.measure, scores.len());
        let value = scale * scores.iter().map(|s| s.value).sum::<f64>();
        for (row, coefficient) in out.coefficients[index].iter_mut().enumerate() {
            let slopes = row_slopes(&term.measure, shape, &scores, row);
            coefficient[0] += term.weight * scale * slopes[0];
            coefficient[1] += term.weight * scale * slopes[1];
        }
        out.value += term.weight * value;
        out.terms.push(value);
        out.groups.push(match term.measure {
            Measure::Overlap(_) => scores.iter().map(|s| s.value).collect(),
            Measure::BinaryCrossEntropy(_) => vec![],
        });
    }
    out
}

/// What a group's value is multiplied with. (The mean of cross-entropy is taken over voxels, in its score.)
fn scale(measure: &Measure, groups: usize) -> f64 {
    match measure {
        Measure::Overlap(overlap) if overlap.reduction == Reduction::Mean => 1.0 / groups.max(1) as f64,
        _ => 1.0,
    }
}

/// The derivatives of a row's group with respect to the row's first and second sum.
fn row_slopes(measure: &Measure, shape: &Shape, scores: &[Score], row: usize) -> [f64; 2] {
    let (sample, class) = (row / shape.classes(), row % shape.classes());
    match measure {
        Measure::Overlap(overlap) => scores[overlap.pool.group(sample, class, shape.classes())].slopes,
        // ℓ = π·A + B.
        Measure::BinaryCrossEntropy(bce) => {
            let [slope, _] = scores[0].slopes;
            [bce.positive_weight(class) * slope, slope]
        }
    }
}
