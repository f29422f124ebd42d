//! Losses of each class by itself, averaged over the classes of a voxel.

use super::{EPSILON, KerasReduction, check_axis, is_axis};
use crate::loss::{BinaryCrossEntropy, Focal, Measure, Modulation};
use crate::peers::{Peer, single};
use crate::{Activation, Error, Loss, Problem, Reduction};

/// `keras.losses.BinaryCrossentropy(from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size")`:
/// the mean over `axis` of cross-entropy, reduced.
///
/// Probabilities are held within \[10⁻⁷, 1 − 10⁻⁷\], without a gradient outside. Label smoothing makes t·(1−s) + s/2 of a
/// target.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BinaryCrossentropy {
    /// Whether the input is logits.
    pub from_logits: bool,
    /// s.
    pub label_smoothing: f64,
    /// The axis of the mean: that of the classes, −1 where they lie last. (Others are not supported, but of the mean of everything,
    /// which does not depend on it.)
    pub axis: i64,
    /// How the voxels' means become one number.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::null_is_none"))]
    pub reduction: KerasReduction,
}

impl Default for BinaryCrossentropy {
    fn default() -> Self {
        Self { from_logits: false, label_smoothing: 0.0, axis: -1, reduction: KerasReduction::default() }
    }
}

impl Peer for BinaryCrossentropy {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let (reduction, weight) = class_means("BinaryCrossentropy", self.axis, self.reduction, problem)?;
        let clip = if self.from_logits { 0.0 } else { EPSILON };
        let bce = BinaryCrossEntropy { label_smoothing: self.label_smoothing, clip, reduction, ..Default::default() };
        let mut loss = single(activation(self.from_logits), Measure::BinaryCrossEntropy(bce));
        loss.terms[0].weight = weight;
        Ok(loss)
    }
}

/// `keras.losses.BinaryFocalCrossentropy(apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False,
/// label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size")`: the mean over `axis` of (1 − p_t)^γ times
/// cross-entropy, p_t = t·p + (1−t)(1−p) of the smoothed target, reduced.
///
/// Evaluated from logits in the stable form, so it differs from the original beyond |z| ≈ 16, where that is clipped. Of
/// probabilities outside \[10⁻⁷, 1 − 10⁻⁷\] the gradient is 0; the original's factor (1 − p_t)^γ still has one there.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BinaryFocalCrossentropy {
    /// Whether `alpha` is used at all.
    pub apply_class_balancing: bool,
    /// The weight of the target's part, 1 − α being that of the rest.
    pub alpha: f64,
    /// γ.
    pub gamma: f64,
    /// Whether the input is logits.
    pub from_logits: bool,
    /// s.
    pub label_smoothing: f64,
    /// The axis of the mean: that of the classes, −1 where they lie last. (Others are not supported, but of the mean of everything,
    /// which does not depend on it.)
    pub axis: i64,
    /// How the voxels' means become one number.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::null_is_none"))]
    pub reduction: KerasReduction,
}

impl Default for BinaryFocalCrossentropy {
    fn default() -> Self {
        Self {
            apply_class_balancing: false,
            alpha: 0.25,
            gamma: 2.0,
            from_logits: false,
            label_smoothing: 0.0,
            axis: -1,
            reduction: KerasReduction::default(),
        }
    }
}

impl Peer for BinaryFocalCrossentropy {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let (reduction, weight) = class_means("BinaryFocalCrossentropy", self.axis, self.reduction, problem)?;
        let balanced = |weight| if self.apply_class_balancing { vec![weight] } else { vec![] };
        let focal = Focal {
            gamma: self.gamma,
            modulation: Modulation::Mixture,
            positive_weights: balanced(self.alpha),
            negative_weights: balanced(1.0 - self.alpha),
            label_smoothing: self.label_smoothing,
            clip: if self.from_logits { 0.0 } else { EPSILON },
            reduction,
            ..Focal::default()
        };
        let mut loss = single(activation(self.from_logits), Measure::Focal(focal));
        loss.terms[0].weight = weight;
        Ok(loss)
    }
}

fn activation(from_logits: bool) -> Activation {
    if from_logits { Activation::Sigmoid } else { Activation::None }
}

/// The reduction of a mean over the classes, and the weight it takes: a voxel's mean is its sum by the number of classes, and a
/// sum of means the sum by it.
fn class_means(
    peer: &'static str,
    axis: i64,
    reduction: KerasReduction,
    problem: &Problem,
) -> Result<(Reduction, f64), Error> {
    reduction.refuse_weighted_mean(peer, problem)?;
    let reduction = reduction.of_voxels();
    // The mean of means over whichever axis is that of everything.
    let is_mean_of_all = reduction == Reduction::Mean && !problem.mask && !problem.voxel_weights.is_some();
    if !(is_mean_of_all && is_axis(axis, problem)) {
        check_axis(peer, axis, problem)?;
    }
    let weight = if reduction == Reduction::Mean { 1.0 } else { 1.0 / problem.shape.classes().max(1) as f64 };
    Ok((reduction, weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Shape, reference};

    #[test]
    fn without_a_reduction_a_voxel_has_the_mean_of_its_classes() {
        let shape = Shape::new(&[1, 2, 2]).unwrap();
        let batch = Batch::new(&shape, &[0.5, 0.5, 0.25, 0.5], &[1.0, 0.0, 1.0, 1.0]).unwrap().channel_last();
        let none = BinaryCrossentropy { reduction: KerasReduction::None, ..Default::default() };
        let map = reference::evaluate(&none.loss(batch.problem()).unwrap(), &batch).unwrap().voxel_map.unwrap();
        let (half, quarter) = (0.5f64.ln(), 0.25f64.ln());
        for (got, expected) in map.iter().zip([-half, -(quarter + half) / 2.0]) {
            assert!((got - expected).abs() < 1e-9, "{map:?}");
        }
        let sum = BinaryCrossentropy { reduction: KerasReduction::Sum, ..Default::default() };
        let sum = reference::evaluate(&sum.loss(batch.problem()).unwrap(), &batch).unwrap().value;
        assert!((sum - map.iter().sum::<f64>()).abs() < 1e-9);
    }
}
