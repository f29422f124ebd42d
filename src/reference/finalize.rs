//! From the groups' values to the loss and the gradient's coefficients.

use super::score::mapped;
use super::{Score, score};
use crate::loss::{Empty, Measure, Term};
use crate::{Loss, Pool, Reduction, Shape, Sums};

/// What [`finalize`] makes of the sums.
#[derive(Clone, Debug, PartialEq)]
pub struct Finalized {
    /// The loss: Σ weight × the term's value.
    pub value: f64,
    /// Every term's reduced value, before its weight.
    pub terms: Vec<f64>,
    /// For every term its groups' values before the reduction, with their class weights; empty for a sum over voxels.
    pub groups: Vec<Vec<f64>>,
    /// For every statistic and row, what [`gradient`](super::gradient) needs: (∂L/∂I, ∂L/∂P, 0) of an overlap, the
    /// derivatives by the three sums of a statistic over voxels.
    pub coefficients: Vec<Vec<[f64; 3]>>,
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
        coefficients: vec![vec![[0.0; 3]; shape.rows()]; statistics.len()],
    };
    for term in &loss.terms {
        let index = statistics.iter().position(|s| *s == term.statistic()).unwrap_or_default();
        let scores = score(term, shape, &sums[index]);
        let reduced = reduce(term, shape, &scores.groups);
        for (row, coefficient) in out.coefficients[index].iter_mut().enumerate() {
            let (sample, class) = (row / shape.classes(), row % shape.classes());
            let group = term.pool().group(sample, class, shape.classes());
            for (k, part) in coefficient.iter_mut().enumerate() {
                let slope = scores.groups[group].slopes[k] * scores.factors[row][k];
                *part += term.weight * reduced.slopes[group] * slope;
            }
        }
        out.value += term.weight * reduced.value;
        out.terms.push(reduced.value);
        let weighted = |(group, s): (usize, &Score)| group_weight(term, shape, group).unwrap_or_default() * s.value;
        let is_selected = |group: &(usize, &Score)| group_weight(term, shape, group.0).is_some();
        out.groups.push(match term.measure {
            Measure::Overlap(_) | Measure::Wasserstein(_) => {
                scores.groups.iter().enumerate().filter(is_selected).map(weighted).collect()
            }
            Measure::BinaryCrossEntropy(_) | Measure::CrossEntropy(_) | Measure::Focal(_) => vec![],
        });
    }
    out
}

/// What the value of a group is multiplied with: its class's weight, or 1 for a pool of classes; `None` if its class is
/// not the term's.
fn group_weight(term: &Term, shape: &Shape, group: usize) -> Option<f64> {
    match term.pool() {
        Pool::None | Pool::Batch => term.group_weight(group % shape.classes()),
        Pool::Classes | Pool::All => Some(1.0),
    }
}

/// A term's reduced value and its derivatives by the groups' values.
struct Reduced {
    value: f64,
    slopes: Vec<f64>,
}

/// Σ ω·v over the groups, or their mean; and the outer map of that.
///
/// A mean divides by the number of groups, or Σ ω if the term is normalised. Where empty groups are skipped it is one of
/// means: those over each sample's groups that are left, Σ ω·v / Σ ω; a sample without any scores 0.
fn reduce(term: &Term, shape: &Shape, groups: &[Score]) -> Reduced {
    let weights: Vec<Option<f64>> = (0..groups.len()).map(|group| group_weight(term, shape, group)).collect();
    let kept = |group: &usize| weights[*group].is_some() && !groups[*group].is_skipped;
    let weight = |group: usize| weights[group].unwrap_or_default();
    let mut reduced = Reduced { value: 0.0, slopes: vec![0.0; groups.len()] };
    let skips = term.empty() == Empty::Skip && term.reduction() == Reduction::Mean;
    let samples = match (skips, term.pool()) {
        (true, Pool::None | Pool::Classes) => shape.samples().max(1),
        _ => 1,
    };
    let size = groups.len() / samples;
    for sample in 0..samples {
        let members: Vec<usize> = (sample * size..(sample + 1) * size).filter(kept).collect();
        let sum: f64 = members.iter().map(|&group| weight(group)).sum();
        let by = match term.reduction() {
            Reduction::None | Reduction::PerVoxel | Reduction::Sum => 1.0,
            Reduction::Mean if skips || term.is_normalized() => samples as f64 * sum,
            Reduction::Mean => members.len().max(1) as f64,
        };
        if skips && sum == 0.0 && size > 0 {
            reduced.value += nothing_found(term) / samples as f64;
            continue;
        }
        if by == 0.0 {
            continue;
        }
        // A weight of 0 leaves out even what is no number, unless a term asks for that.
        let values = members.iter().filter(|group| weight(**group) > 0.0 || term.zero_keeps_nan());
        reduced.value += values.map(|&group| weight(group) * groups[group].value).sum::<f64>() / by;
        members.iter().for_each(|&group| reduced.slopes[group] = weight(group) / by);
    }
    let (value, slope) = term.outer().apply(reduced.value);
    Reduced { value, slopes: reduced.slopes.into_iter().map(|scale| slope * scale).collect() }
}

/// What a sample is worth none of whose groups is left: what the term makes of the score 0.
fn nothing_found(term: &Term) -> f64 {
    match &term.measure {
        Measure::Overlap(overlap) => mapped(overlap.map, 0.0).0,
        _ => 0.0,
    }
}
