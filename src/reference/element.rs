//! One element with its companions.

use super::activation::slope;
use super::{Softmax, probability, softmax};
use crate::batch::Target;
use crate::loss::Distances;
use crate::{Activation, Batch, Statistic};

/// An input with its target, its weight and, where classes are coupled, what the voxel's softmax makes of it.
#[derive(Clone, Copy)]
pub(super) struct Element {
    pub(super) z: f64,
    pub(super) t: f64,
    /// Mask × voxel weight; 0 for an element that is not a usable number.
    pub(super) weight: f64,
    /// Whether the element counts: unmasked and usable.
    pub(super) counts: bool,
    pub(super) softmax: Softmax,
    /// The voxel's distance from its label, and its part of each class: see [`Statistic::Wasserstein`].
    pub(super) distance: Distance,
}

/// How far a prediction is from its label.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Distance {
    /// δ.
    pub(super) of_voxel: f64,
    /// M of label and class.
    pub(super) of_class: f64,
    /// The label.
    pub(super) label: usize,
}

impl Element {
    /// The elements of a voxel, one a class.
    ///
    /// Where a statistic couples classes, they count together or not at all.
    pub(super) fn column(statistics: &[Statistic], batch: &Batch, sample: usize, voxel: usize) -> Vec<Self> {
        let classes = batch.shape().classes();
        let load = |class| Self::load(batch, sample * classes + class, voxel);
        let mut column: Vec<_> = (0..classes).map(load).collect();
        let Some(first) = first_coupled(statistics) else { return column };
        if !column.iter().all(|element| element.counts) {
            column.fill(Self::uncounted());
            return column;
        }
        let coupled = column.get_mut(first..).unwrap_or_default();
        let are_shares = statistics.iter().any(|statistic| statistic.activation() == Activation::Normalized);
        let logit = |element: &Self| if are_shares { element.share().ln() } else { element.z };
        let logits: Vec<_> = coupled.iter().map(logit).collect();
        coupled.iter_mut().zip(softmax(&logits)).for_each(|(element, softmax)| element.softmax = softmax);
        for statistic in statistics {
            if let Statistic::Wasserstein { distances, .. } = statistic {
                measure(&mut column, distances);
            }
        }
        column
    }

    fn uncounted() -> Self {
        let (softmax, distance) = (Softmax::default(), Distance::default());
        Self { z: 0.0, t: 0.0, weight: 0.0, counts: false, softmax, distance }
    }

    fn load(batch: &Batch, row: usize, voxel: usize) -> Self {
        let shape = batch.shape();
        let z = batch.logit(row, voxel);
        let (t, is_target) = match batch.target(row, voxel) {
            Target::Value(t) => (t, true),
            Target::Ignored | Target::Bad => (0.0, false),
        };
        let mask = batch.mask().map_or(1.0, |m| m[row / shape.classes() * shape.voxels() + voxel]);
        let weight = batch.voxel_weight(row, voxel);
        if z.is_finite() && is_target && weight.is_finite() && mask == 1.0 {
            let (z, t, weight) = (f64::from(z), f64::from(t), f64::from(weight));
            Self { z, t, weight, counts: true, ..Self::uncounted() }
        } else {
            Self::uncounted()
        }
    }

    /// The input as a share of the voxel's: what is below the least normal f32, which has no logarithm on GPUs, is that.
    pub(super) fn share(&self) -> f64 {
        self.z.max(f32::MIN_POSITIVE.into())
    }

    /// p.
    pub(super) fn probability(&self, activation: Activation) -> f64 {
        match activation {
            Activation::Softmax | Activation::Normalized | Activation::ForegroundSoftmax => self.softmax.p,
            Activation::LogSoftmax => -self.softmax.loss,
            Activation::Argmax => f64::from(self.softmax.is_largest),
            Activation::None | Activation::Sigmoid | Activation::Tanh | Activation::Odds => {
                probability(activation, self.z)
            }
        }
    }

    /// dp/dz; of a softmax dp/d(ln p), see [`gradient`](super::gradient).
    pub(super) fn slope(&self, activation: Activation) -> f64 {
        match activation {
            Activation::Softmax | Activation::Normalized | Activation::ForegroundSoftmax => self.softmax.p,
            Activation::LogSoftmax => 1.0,
            _ => slope(activation, self.z),
        }
    }
}

/// Takes down how far the prediction is from the label, the class whose target is 1.
fn measure(column: &mut [Element], distances: &Distances) {
    let label = column.iter().position(|element| element.t == 1.0).unwrap_or_default();
    let of = |(class, element): (usize, &Element)| distances.between(label, class) * element.softmax.p;
    let of_voxel = column.iter().enumerate().map(of).sum();
    for (class, element) in column.iter_mut().enumerate() {
        element.distance = Distance { of_voxel, of_class: distances.between(label, class), label };
    }
}

/// The first class of those that the statistics couple.
fn first_coupled(statistics: &[Statistic]) -> Option<usize> {
    let mut coupled = statistics.iter().map(|statistic| statistic.activation()).filter(|a| a.couples_classes());
    coupled.next().map(|activation| usize::from(activation == Activation::ForegroundSoftmax))
}
