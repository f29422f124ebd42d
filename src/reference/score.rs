//! From the rows' sums to the groups' values.

use super::combine;
use crate::loss::{BinaryCrossEntropy, Map, Measure, Overlap};
use crate::{Reduction, Shape, Sums};

/// The value of a group of rows and its derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The value, before weight and reduction.
    pub value: f64,
    /// Its derivatives: with respect to I and P of an overlap; with respect to the total cross-entropy, twice.
    pub slopes: [f64; 2],
}

/// The scores of a term's groups: those of its pool, or one for cross-entropy.
///
/// `sums` are those of the term's statistic, one entry per row.
///
/// # Panics
/// If there are more sums than rows.
#[must_use]
pub fn score(measure: &Measure, shape: &Shape, sums: &[Sums]) -> Vec<Score> {
    match measure {
        Measure::Overlap(overlap) => {
            let mut pooled = vec![Sums::default(); overlap.pool.groups(shape.samples(), shape.classes())];
            for (row, &row_sums) in sums.iter().enumerate() {
                let group = overlap.pool.group(row / shape.classes(), row % shape.classes(), shape.classes());
                pooled[group] = combine([pooled[group], row_sums]);
            }
            pooled.iter().map(|sums| overlap_score(overlap, sums)).collect()
        }
        Measure::BinaryCrossEntropy(bce) => vec![cross_entropy_score(bce, shape, sums)],
    }
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
fn overlap_score(overlap: &Overlap, sums: &Sums) -> Score {
    let Overlap { factor, alpha, beta, .. } = *overlap;
    let [i, p, t] = sums.values;
    let free = factor * ((1.0 - alpha - beta) * i + alpha * p + beta * t) + overlap.smooth_denominator;
    let denominator = free.max(overlap.floor);
    if denominator == 0.0 {
        return Score { value: f64::NAN, slopes: [0.0; 2] };
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
    Score { value, slopes: [outer * ds_di, outer * ds_dp] }
}

/// The total Σ π·A + B, or its mean over the voxels that count.
fn cross_entropy_score(bce: &BinaryCrossEntropy, shape: &Shape, sums: &[Sums]) -> Score {
    let weight = |row: usize| bce.positive_weight(row % shape.classes());
    let total: f64 = sums.iter().enumerate().map(|(row, s)| weight(row) * s.values[0] + s.values[1]).sum();
    let count: u64 = sums.iter().map(|s| s.count).sum();
    let scale = match bce.reduction {
        Reduction::None | Reduction::Sum => 1.0,
        Reduction::Mean if count == 0 => 0.0,
        Reduction::Mean => 1.0 / count as f64,
    };
    Score { value: scale * total, slopes: [scale; 2] }
}
