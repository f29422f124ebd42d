//! From the rows' sums to the groups' values.

use super::combine;
use crate::loss::{Divisor, Empty, Formula, Map, Measure, Overlap, Term, Wasserstein};
use crate::{Pool, Reduction, Shape, Sums};

/// The value of a group of rows and its derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The value, before weights and reduction.
    pub value: f64,
    /// Its derivatives with respect to the group's sums: I and P of an overlap (T belongs to the target); the three sums
    /// of a statistic over voxels.
    pub slopes: [f64; 3],
    /// Whether the group takes no part: [`Empty::Skip`].
    pub is_skipped: bool,
}

/// The scores of a term.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Those of its pool's groups.
    pub groups: Vec<Score>,
    /// For every row, what its sums were multiplied with.
    pub factors: Vec<[f64; 3]>,
}

/// The scores of a term's groups.
///
/// `sums` are those of the term's statistic, one entry per row.
///
/// # Panics
/// If there are not as many sums as rows.
#[must_use]
pub fn score(term: &Term, shape: &Shape, sums: &[Sums]) -> Scores {
    let classes = shape.classes();
    let sums: Vec<Sums> = sums.iter().enumerate().map(|(row, &sums)| completed(term, shape, row, sums)).collect();
    let volume_weights = volume_weights(term, shape, &sums);
    let factors: Vec<[f64; 3]> = (0..shape.rows())
        .map(|row| term.factors(row % classes, classes).map(|factor| factor * volume_weights[row]))
        .collect();
    let mut pooled = vec![Sums::default(); term.pool().groups(shape.samples(), classes)];
    for (row, (row_sums, factors)) in sums.iter().zip(&factors).enumerate() {
        let group = term.pool().group(row / classes, row % classes, classes);
        let values = std::array::from_fn(|i| factors[i] * row_sums.values[i]);
        let count = if term.classes.contains(row % classes) { row_sums.count } else { 0 };
        pooled[group] = combine([pooled[group], Sums { values, count }]);
    }
    let groups = pooled.iter().map(|sums| match &term.measure {
        Measure::Overlap(overlap) => overlap_score(overlap, sums),
        Measure::BinaryCrossEntropy(bce) => mean_score(term, shape, bce.divisor, bce.reduction, sums),
        Measure::CrossEntropy(ce) => mean_score(term, shape, ce.divisor, ce.reduction, sums),
        Measure::Focal(focal) => mean_score(term, shape, focal.divisor, focal.reduction, sums),
        Measure::Wasserstein(wasserstein) => wasserstein_score(wasserstein, sums),
    });
    Scores { groups: groups.collect(), factors }
}

/// The sums of a row with what the mask has dropped, where that is background.
fn completed(term: &Term, shape: &Shape, row: usize, mut sums: Sums) -> Sums {
    if let Measure::Overlap(Overlap { masked_is_background: true, .. }) = term.measure
        && row.is_multiple_of(shape.classes())
    {
        sums.values[2] += shape.voxels() as f64 - sums.count as f64;
    }
    sums
}

/// What the rows weigh for their volume T: 1 where the term does not ask.
///
/// A class's volume is that of the batch where the batch is pooled. An infinite weight becomes the largest finite one of
/// its sample (of all, where the batch is pooled), 0 if there is none.
fn volume_weights(term: &Term, shape: &Shape, sums: &[Sums]) -> Vec<f64> {
    if !term.weighs_volumes() {
        return vec![1.0; sums.len()];
    }
    let classes = shape.classes();
    // That of a Wasserstein loss is the sample's, whatever is pooled.
    let pools_batch = matches!(&term.measure, Measure::Overlap(o) if matches!(o.pool, Pool::Batch | Pool::All));
    let volume = |row: usize| -> f64 {
        if pools_batch {
            (0..shape.samples()).map(|sample| sums[sample * classes + row % classes].values[2]).sum()
        } else {
            sums[row].values[2]
        }
    };
    let weight = |row: usize| match &term.measure {
        Measure::Overlap(overlap) => overlap.volume_weight(volume(row)),
        _ => Some(1.0 / (volume(row) + 1.0)),
    };
    let heaviest = |row: usize| {
        let sample = row / classes * classes..(row / classes + 1) * classes;
        let of = sample.filter(|row| term.classes.contains(row % classes)).filter_map(weight);
        of.filter(|weight| weight.is_finite()).fold(0.0, f64::max)
    };
    (0..sums.len())
        .map(|row| match weight(row) {
            None => 1.0,
            Some(weight) if weight.is_finite() => weight,
            Some(_) => heaviest(row),
        })
        .collect()
}

/// The value v of a group and (∂v/∂I, ∂v/∂P).
fn overlap_score(overlap: &Overlap, sums: &Sums) -> Score {
    let constant = |value| Score { value, ..Score::default() };
    if sums.values[2] == 0.0 {
        match overlap.empty {
            Empty::Keep => {}
            Empty::Zero => return constant(0.0),
            Empty::One => return constant(1.0),
            Empty::Nan => return constant(f64::NAN),
            Empty::Skip => return Score { is_skipped: true, ..constant(f64::NAN) },
        }
    }
    let Some((score, [ds_di, ds_dp])) = (match overlap.formula {
        Formula::Ratio => ratio(overlap, sums),
        Formula::Matthews { eps } => matthews(eps, overlap, sums),
    }) else {
        return constant(f64::NAN);
    };
    let (value, outer) = mapped(overlap.map, score);
    Score { value, slopes: [outer * ds_di, outer * ds_dp, 0.0], is_skipped: false }
}

/// What a map makes of a score, and the derivative.
pub(super) fn mapped(map: Map, score: f64) -> (f64, f64) {
    match map {
        Map::Score => (score, 1.0),
        Map::Complement => (1.0 - score, -1.0),
        Map::Negated => (-score, -1.0),
        Map::NegLog { eps } if score > eps => (-score.ln(), -1.0 / score),
        Map::NegLog { eps } => (-eps.ln(), 0.0),
        Map::Power { gamma } if score < 1.0 => ((1.0 - score).powf(gamma), -gamma * (1.0 - score).powf(gamma - 1.0)),
        Map::Power { .. } => (0.0, 0.0),
    }
}

/// With numerator n = f·I + s_n and denominator d = f·((1−α−β)·I + αP + βT) + s_d, s = n/d has
///
/// ```text
/// ∂s/∂I = (f − s·f·(1−α−β))/d        ∂s/∂P = −s·f·α/d
/// ```
///
/// and where the floor holds the denominator, its derivatives vanish. `None` where d is 0.
fn ratio(overlap: &Overlap, sums: &Sums) -> Option<(f64, [f64; 2])> {
    let Overlap { factor, alpha, beta, .. } = *overlap;
    let [i, p, t] = sums.values;
    let free = factor * ((1.0 - alpha - beta) * i + alpha * p + beta * t) + overlap.smooth_denominator;
    let is_free = overlap.floor == 0.0 || free > overlap.floor;
    let denominator = if is_free { free } else { overlap.floor };
    let score = (factor * i + overlap.smooth_numerator) / denominator;
    let moving = if is_free { factor } else { 0.0 };
    let ds_di = (factor - score * moving * (1.0 - alpha - beta)) / denominator;
    let ds_dp = -score * moving * alpha / denominator;
    (denominator != 0.0).then_some((score, [ds_di, ds_dp]))
}

/// With a = TP+FP, b = TP+FN, c = TN+FP, d = TN+FN, s = (TP·TN − FP·FN + s_n)/√R, R = abcd + s_d. Of I and P (T and Σm are fixed) the
/// counts move by (1, 0), (−1, 1), (−1, 0) and (1, −1), so b and c do not move, a and d only with P, ∂R/∂P = bc(d − a), and
///
/// ```text
/// ∂s/∂I = (TN + TP + FN + FP)/√R        ∂s/∂P = −(TP + FN)/√R − s/2·bc(d − a)/R
/// ```
///
/// `None` where R is 0.
fn matthews(eps: f64, overlap: &Overlap, sums: &Sums) -> Option<(f64, [f64; 2])> {
    let [i, p, t] = sums.values;
    let (tp, fp, fne) = (i + eps, p - i + eps, t - i + eps);
    if fp == 0.0 && fne == 0.0 {
        return Some((1.0, [0.0; 2]));
    }
    let tn = sums.count as f64 - p - t + i + eps;
    let (a, b, c, d) = (tp + fp, tp + fne, tn + fp, tn + fne);
    let radicand = a * b * c * d + overlap.smooth_denominator;
    let root = radicand.sqrt();
    let score = (tp * tn - fp * fne + overlap.smooth_numerator) / root;
    let slopes = [(tp + fp + fne + tn) / root, -b / root - 0.5 * score * b * c * (d - a) / radicand];
    (radicand != 0.0).then_some((score, slopes))
}

/// With n = 2A + s_n and d = 2A + B + s_d, 1 − n/d = (B + s_d − s_n)/d has the slopes −2·(B + s_d − s_n)/d² and n/d².
fn wasserstein_score(wasserstein: &Wasserstein, sums: &Sums) -> Score {
    let [near, far, _] = sums.values;
    let numerator = 2.0 * near + wasserstein.smooth_numerator;
    let missing = far + wasserstein.smooth_denominator - wasserstein.smooth_numerator;
    let denominator = 2.0 * near + far + wasserstein.smooth_denominator;
    if denominator == 0.0 {
        return Score { value: f64::NAN, ..Score::default() };
    }
    let by_square = 1.0 / (denominator * denominator);
    let slopes = [-2.0 * missing * by_square, numerator * by_square, 0.0];
    Score { value: missing / denominator, slopes, is_skipped: false }
}

/// The total A + B (each with its factors), or its mean.
///
/// By a divisor D that depends on the prediction, D = F, (A + B)/F has the slopes 1/F, 1/F and −(A + B)/F².
fn mean_score(term: &Term, shape: &Shape, divisor: Divisor, reduction: Reduction, sums: &Sums) -> Score {
    let [first, second, third] = sums.values;
    let total = first + second;
    if reduction != Reduction::Mean {
        return Score { value: total, slopes: [1.0, 1.0, 0.0], is_skipped: false };
    }
    let classes = term.classes.number(shape.classes()).max(1);
    let rows = match term.pool() {
        Pool::None => 1,
        Pool::Batch => shape.samples(),
        Pool::Classes => classes,
        Pool::All => shape.samples() * classes,
    };
    let elements = (rows * shape.voxels()) as f64;
    let across = if matches!(term.pool(), Pool::Classes | Pool::All) { classes as f64 } else { 1.0 };
    let by = match divisor {
        Divisor::Elements => sums.count as f64,
        Divisor::Voxels => sums.count as f64 / across,
        Divisor::AllElements => elements,
        Divisor::AllVoxels => elements / across,
        Divisor::Weights => third,
        Divisor::Modulation { eps } => third.max(eps),
    };
    if by == 0.0 {
        let is_nan = matches!(&term.measure, Measure::CrossEntropy(ce) if ce.nan_if_empty);
        return Score { value: if is_nan { f64::NAN } else { 0.0 }, ..Score::default() };
    }
    let by_third = match divisor {
        Divisor::Modulation { eps } if third > eps => -total / (by * by),
        _ => 0.0,
    };
    Score { value: total / by, slopes: [1.0 / by, 1.0 / by, by_third], is_skipped: false }
}
