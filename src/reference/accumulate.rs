//! The sums of every row.

use super::{Element, log_probability, probability, threshold_cut};
use crate::loss::Measure;
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
        Statistic::Overlap { activation, squared } => {
            let p = probability(activation, z);
            if squared { [p * t, p * p, t * t] } else { [p * t, p, t] }
        }
        Statistic::HardOverlap { activation, threshold } => {
            let p = f64::from(z > f64::from(threshold_cut(activation, threshold)));
            let t = f64::from(t > f64::from(threshold as f32));
            // Counts are counts: a voxel weighs 1 or nothing.
            let counted = [p * t, p, t].map(|v| v * f64::from(counts));
            return Sums { values: counted, count: u64::from(counts) };
        }
        Statistic::CrossEntropy { activation } => {
            let (log_p, log_q) = log_probability(activation, z);
            [-t * log_p, -(1.0 - t) * log_q, 0.0]
        }
    };
    Sums { values: values.map(|v| weight * v), count: u64::from(counts) }
}

/// Σ weight × cross-entropy, element by element: the result of a loss that
/// [is a voxel map](Loss::is_voxel_map).
#[must_use]
pub fn voxel_map(loss: &Loss, batch: &Batch) -> Vec<f64> {
    let shape = batch.shape();
    let value = |row: usize, voxel: usize| -> f64 {
        let element = Element::load(batch, row, voxel);
        loss.terms
            .iter()
            .map(|term| match &term.measure {
                Measure::BinaryCrossEntropy(bce) => {
                    let [positive, negative, _] = contribution(term.statistic(), element).values;
                    term.weight * (bce.positive_weight(row % shape.classes()) * positive + negative)
                }
                Measure::Overlap(_) => 0.0,
            })
            .sum()
    };
    (0..shape.rows())
        .flat_map(|row| (0..shape.voxels()).map(move |voxel| (row, voxel)))
        .map(|(r, v)| value(r, v))
        .collect()
}
