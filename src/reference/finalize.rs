//! From row sums to the loss and the gradient's coefficients.

use super::combine;
use crate::loss::{BinaryCrossEntropy, Map, Measure, Overlap};
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
        let (value, groups, slopes) = match &term.measure {
            Measure::Overlap(overlap) => overlap_term(overlap, shape, &sums[index]),
            Measure::BinaryCrossEntropy(bce) => cross_entropy_term(bce, shape, &sums[index]),
        };
        for (coefficient, slope) in out.coefficients[index].iter_mut().zip(slopes) {
            coefficient[0] += term.weight * slope[0];
            coefficient[1] += term.weight * slope[1];
        }
        out.value += term.weight * value;
        out.terms.push(value);
        out.groups.push(groups);
    }
    out
}

type TermResult = (f64, Vec<f64>, Vec<[f64; 2]>);

fn overlap_term(overlap: &Overlap, shape: &Shape, sums: &[Sums]) -> TermResult {
    let group = |row: usize| overlap.pool.group(row / shape.classes(), row % shape.classes(), shape.classes());
    let mut pooled = vec![Sums::default(); overlap.pool.groups(shape.samples(), shape.classes())];
    for (row, &row_sums) in sums.iter().enumerate() {
        pooled[group(row)] = combine([pooled[group(row)], row_sums]);
    }
    let scores: Vec<(f64, [f64; 2])> = pooled.iter().map(|sums| group_value(overlap, sums)).collect();
    let scale = match overlap.reduction {
        Reduction::None | Reduction::Sum => 1.0,
        Reduction::Mean if scores.is_empty() => 0.0,
        Reduction::Mean => 1.0 / scores.len() as f64,
    };
    let value = if scores.is_empty() { 0.0 } else { scale * scores.iter().map(|s| s.0).sum::<f64>() };
    let slopes = (0..sums.len()).map(|row| scores[group(row)].1.map(|d| scale * d)).collect();
    (value, scores.iter().map(|s| s.0).collect(), slopes)
}

/// The value v of a group and (∂v/∂I, ∂v/∂P).
///
/// With numerator n = f·I + s_n and denominator d = f·((1−α−β)·I + αP + βT) + s_d, s = n/d has
///
/// ```text
/// ∂s/∂I = (f − s·f·(1−α−β))/d        ∂s/∂P = −s·f·α/d
/// ```
///
/// and where the floor holds the denominator, its derivatives vanish. (T depends on the target alone.)
fn group_value(overlap: &Overlap, sums: &Sums) -> (f64, [f64; 2]) {
    let Overlap { factor, alpha, beta, .. } = *overlap;
    let [i, p, t] = sums.values;
    let free = factor * ((1.0 - alpha - beta) * i + alpha * p + beta * t) + overlap.smooth_denominator;
    let denominator = free.max(overlap.floor);
    if denominator == 0.0 {
        return (f64::NAN, [0.0; 2]);
    }
    let score = (factor * i + overlap.smooth_numerator) / denominator;
    let moving = if free > overlap.floor { factor } else { 0.0 };
    let ds_di = (factor - score * moving * (1.0 - alpha - beta)) / denominator;
    let ds_dp = -score * moving * alpha / denominator;
    let (value, outer) = match overlap.map {
        Map::Score => (score, 1.0),
        Map::Complement => (1.0 - score, -1.0),
        Map::Negated => (-score, -1.0),
        Map::NegLog { eps } if score > eps => (-score.ln(), -1.0 / score),
        Map::NegLog { eps } => (-eps.ln(), 0.0),
        Map::Power { gamma } if score < 1.0 => ((1.0 - score).powf(gamma), -gamma * (1.0 - score).powf(gamma - 1.0)),
        Map::Power { .. } => (0.0, 0.0),
    };
    (value, [outer * ds_di, outer * ds_dp])
}

fn cross_entropy_term(bce: &BinaryCrossEntropy, shape: &Shape, sums: &[Sums]) -> TermResult {
    let weight = |row: usize| bce.positive_weight(row % shape.classes());
    let total: f64 = sums.iter().enumerate().map(|(row, s)| weight(row) * s.values[0] + s.values[1]).sum();
    let count: u64 = sums.iter().map(|s| s.count).sum();
    let scale = match bce.reduction {
        Reduction::None | Reduction::Sum => 1.0,
        Reduction::Mean if count == 0 => 0.0,
        Reduction::Mean => 1.0 / count as f64,
    };
    let slopes = (0..sums.len()).map(|row| [scale * weight(row), scale]).collect();
    (scale * total, vec![], slopes)
}
