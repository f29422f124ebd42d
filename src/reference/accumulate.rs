//! The sums of every row.

use super::pointwise::pointwise;
use super::{Element, probability, threshold_cut};
use crate::loss::Term;
use crate::{Batch, Loss, Statistic, Sums};

/// One read of everything: for every statistic, the sums of every row.
#[must_use]
pub fn accumulate(statistics: &[Statistic], batch: &Batch) -> Vec<Vec<Sums>> {
    let shape = batch.shape();
    let row_sums = |statistic: Statistic, row: usize| {
        combine((0..shape.voxels()).map(|voxel| contribution(statistic, Element::load(batch, row, voxel))))
    };
    statistics.iter().map(|&statistic| (0..shape.rows()).map(|row| row_sums(statistic, row)).collect()).collect()
}

/// The sums of parts together.
pub fn combine(parts: impl IntoIterator<Item = Sums>) -> Sums {
    parts.into_iter().fold(Sums::default(), Sums::combine)
}

/// What one element adds to a statistic.
fn contribution(statistic: Statistic, element: Element) -> Sums {
    let Element { z, t, weight, counts } = element;
    let values = match statistic {
        Statistic::Overlap { activation, squared, minimum } => {
            let p = probability(activation, z);
            match (squared, minimum) {
                (true, _) => [p * t, p * p, t * t],
                (false, false) => [p * t, p, t],
                (false, true) => [0.5 * (p.abs() + t.abs() - (p - t).abs()), p.abs(), t.abs()],
            }
        }
        Statistic::HardOverlap { activation, threshold } => {
            let p = f64::from(z > f64::from(threshold_cut(activation, threshold)));
            let t = f64::from(t > f64::from(threshold as f32));
            // Counts are counts: a voxel weighs 1 or nothing.
            let counted = [p * t, p, t].map(|v| v * f64::from(counts));
            return Sums { values: counted, count: u64::from(counts) };
        }
        Statistic::CrossEntropy { .. } | Statistic::Focal { .. } => pointwise(statistic, z, t).values,
    };
    Sums { values: values.map(|v| weight * v), count: u64::from(counts) }
}

/// Σ weight × the value of each element: the result of a loss that [is a voxel map](Loss::is_voxel_map).
#[must_use]
pub fn voxel_map(loss: &Loss, batch: &Batch) -> Vec<f64> {
    let shape = batch.shape();
    let value = |row: usize, voxel: usize| -> f64 {
        let element = Element::load(batch, row, voxel);
        let of_term = |term: &Term| {
            let [positive, negative, _] = contribution(term.statistic(), element).values;
            let factors = term.factors(row % shape.classes());
            term.weight * (factors[0] * positive + factors[1] * negative)
        };
        loss.terms.iter().map(of_term).sum()
    };
    let mut map = vec![0.0; shape.elements()];
    for (row, voxel) in (0..shape.rows()).flat_map(|row| (0..shape.voxels()).map(move |voxel| (row, voxel))) {
        map[batch.problem().element(row, voxel)] = value(row, voxel);
    }
    map
}
