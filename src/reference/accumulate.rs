//! The sums of every row.

use super::element::Element;
use super::pointwise::pointwise;
use super::threshold_cut;
use crate::loss::{Intersection, Term};
use crate::{Batch, Loss, Reduction, Statistic, Sums};

/// One read of everything: for every statistic, the sums of every row.
#[must_use]
pub fn accumulate(statistics: &[Statistic], batch: &Batch) -> Vec<Vec<Sums>> {
    let shape = batch.shape();
    let mut sums = vec![vec![Sums::default(); shape.rows()]; statistics.len()];
    for (sample, voxel) in voxels(batch) {
        let column = Element::column(statistics, batch, sample, voxel);
        for (rows, statistic) in sums.iter_mut().zip(statistics) {
            for (class, &element) in column.iter().enumerate() {
                let row = &mut rows[sample * shape.classes() + class];
                *row = row.combine(contribution(statistic, element));
            }
        }
    }
    sums
}

/// (sample, voxel) of every voxel.
pub(super) fn voxels(batch: &Batch) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (samples, voxels) = (batch.shape().samples(), batch.shape().voxels());
    (0..samples).flat_map(move |sample| (0..voxels).map(move |voxel| (sample, voxel)))
}

/// The sums of parts together.
pub fn combine(parts: impl IntoIterator<Item = Sums>) -> Sums {
    parts.into_iter().fold(Sums::default(), Sums::combine)
}

/// What one element adds to a statistic.
fn contribution(statistic: &Statistic, element: Element) -> Sums {
    let Element { z, t, weight, counts, .. } = element;
    let values = match *statistic {
        Statistic::Overlap { activation, squared, intersection } => {
            let p = element.probability(activation);
            match (squared, intersection) {
                (true, _) => [p * t, p * p, t * t],
                (false, Intersection::Product) => [p * t, p, t],
                (false, _) => [0.5 * (p.abs() + t.abs() - (p - t).abs()), p.abs(), t.abs()],
            }
        }
        Statistic::HardOverlap { activation, threshold } => {
            let compared = if activation.couples_classes() { element.probability(activation) } else { z };
            let p = f64::from(compared > f64::from(threshold_cut(activation, threshold)));
            let t = f64::from(t > f64::from(threshold as f32));
            // Counts are counts: a voxel weighs 1 or nothing.
            let counted = [p * t, p, t].map(|v| v * f64::from(counts));
            return Sums { values: counted, count: u64::from(counts) };
        }
        Statistic::BinaryCrossEntropy { .. } | Statistic::CrossEntropy { .. } | Statistic::Focal { .. } => {
            pointwise(statistic, &element).values
        }
        Statistic::Wasserstein { .. } => {
            let distance = element.distance.of_voxel;
            [t * (1.0 - distance), t * distance, t]
        }
    };
    Sums { values: values.map(|v| weight * v), count: u64::from(counts) }
}

/// Σ weight × the value of each element, or of each voxel over its classes: the result of a loss that
/// [is a map](Loss::is_voxel_map).
#[must_use]
pub fn voxel_map(loss: &Loss, batch: &Batch) -> Vec<f64> {
    let (shape, statistics) = (batch.shape(), loss.statistics());
    let value = |class: usize, element: Element| -> f64 {
        let of_term = |term: &Term| {
            let [positive, negative, _] = contribution(&term.statistic(), element).values;
            let factors = term.factors(class, shape.classes());
            term.weight * (factors[0] * positive + factors[1] * negative)
        };
        loss.terms.iter().map(of_term).sum()
    };
    let adds_up = loss.map_reduction() == Some(Reduction::PerVoxel);
    let mut map = vec![0.0; if adds_up { shape.mask_elements() } else { shape.elements() }];
    for (sample, voxel) in voxels(batch) {
        let column = Element::column(&statistics, batch, sample, voxel);
        for (class, element) in column.into_iter().enumerate() {
            let place = if adds_up {
                sample * shape.voxels() + voxel
            } else {
                batch.problem().element(sample * shape.classes() + class, voxel)
            };
            map[place] += value(class, element);
        }
    }
    map
}
