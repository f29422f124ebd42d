//! Losses over the classes of a voxel.

use super::{EPSILON, KerasReduction, check_axis, is_class_last};
use crate::loss::{CrossEntropy, Divisor, Measure};
use crate::peers::{Peer, refuse, single, targets, weight};
use crate::{Activation, Error, Loss, Problem, VoxelWeights};

/// `keras.losses.CategoricalCrossentropy(from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size")`:
/// −Σ_c (t_c·(1−s) + s/C)·ln p_c of each voxel, reduced over the voxels.
///
/// p is the softmax of logits; of probabilities, the default, they themselves by their sum over the classes, held within
/// \[10⁻⁷, 1 − 10⁻⁷\] without a gradient outside. (Of a voxel whose probabilities are all 0 the original gives NaN; here they count
/// as equal.)
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct CategoricalCrossentropy {
    /// Whether the input is logits.
    pub from_logits: bool,
    /// s.
    pub label_smoothing: f64,
    /// The axis of the classes, −1 where they lie last. (Others are not supported.)
    pub axis: i64,
    /// How the voxels' values become one number.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::null_is_none"))]
    pub reduction: KerasReduction,
}

impl Default for CategoricalCrossentropy {
    fn default() -> Self {
        Self { from_logits: false, label_smoothing: 0.0, axis: -1, reduction: KerasReduction::default() }
    }
}

impl Peer for CategoricalCrossentropy {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "CategoricalCrossentropy";
        let ce = CrossEntropy { label_smoothing: self.label_smoothing, ..voxel_means(PEER, self.reduction, problem)? };
        over_classes(PEER, self.from_logits, self.axis, ce, problem)
    }
}

/// `keras.losses.SparseCategoricalCrossentropy(from_logits=False, ignore_class=None, reduction="sum_over_batch_size",
/// axis=-1)`: −ln p_label of each voxel, p as in [`CategoricalCrossentropy`], reduced over the voxels that are not of
/// `ignore_class`. A mean over nothing is 0.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct SparseCategoricalCrossentropy {
    /// Whether the input is logits.
    pub from_logits: bool,
    /// The label that does not count.
    pub ignore_class: Option<i64>,
    /// How the voxels' values become one number.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::null_is_none"))]
    pub reduction: KerasReduction,
    /// The axis of the classes, −1 where they lie last. (Others are not supported.)
    pub axis: i64,
}

impl Default for SparseCategoricalCrossentropy {
    fn default() -> Self {
        Self { from_logits: false, ignore_class: None, reduction: KerasReduction::default(), axis: -1 }
    }
}

impl Peer for SparseCategoricalCrossentropy {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "SparseCategoricalCrossentropy";
        targets::labels(PEER, problem)?;
        let ce = voxel_means(PEER, self.reduction, problem)?;
        let loss = over_classes(PEER, self.from_logits, self.axis, ce, problem)?;
        Ok(Loss { ignore_index: self.ignore_class, ..loss })
    }
}

/// `keras.losses.CategoricalFocalCrossentropy(alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
/// reduction="sum_over_batch_size")`: −Σ_c α_c·(t_c·(1−s) + s/C)·(1−p_c)^γ·ln p_c of each voxel, p as in
/// [`CategoricalCrossentropy`], reduced over the voxels.
///
/// Evaluated from logits in the stable form, so it differs from the original where a class with a target has p < 10⁻⁷, which is
/// clipped there.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct CategoricalFocalCrossentropy {
    /// α, one number (in JSON with or without brackets) or one per class.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "weight::numbers"))]
    pub alpha: Vec<f64>,
    /// γ.
    pub gamma: f64,
    /// Whether the input is logits.
    pub from_logits: bool,
    /// s.
    pub label_smoothing: f64,
    /// The axis of the classes, −1 where they lie last. (Others are not supported.)
    pub axis: i64,
    /// How the voxels' values become one number.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::null_is_none"))]
    pub reduction: KerasReduction,
}

impl Default for CategoricalFocalCrossentropy {
    fn default() -> Self {
        Self {
            alpha: vec![0.25],
            gamma: 2.0,
            from_logits: false,
            label_smoothing: 0.0,
            axis: -1,
            reduction: KerasReduction::default(),
        }
    }
}

impl Peer for CategoricalFocalCrossentropy {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "CategoricalFocalCrossentropy";
        let alpha = weight::one_or_per_class(PEER, "alpha", Some(&self.alpha), problem)?;
        if alpha.len() > 1 && !is_class_last(problem) {
            return refuse(
                PEER,
                "a list for alpha goes along the last axis, which is not that of the classes; give one number",
            );
        }
        if alpha.len() > 1 && self.reduction.divides_by_weights(problem) {
            return refuse(
                PEER,
                "with a list for alpha the sum of the weights alone is not known; give one number, or take the sum",
            );
        }
        // Lest it enter the sum of the weights, one number stands in front of the loss then.
        let (weight, class_weights) = match alpha[..] {
            [one] if self.reduction.divides_by_weights(problem) => (one, vec![]),
            _ => (1.0, alpha),
        };
        let ce = CrossEntropy {
            gamma: self.gamma,
            class_weights,
            label_smoothing: self.label_smoothing,
            ..voxel_means(PEER, self.reduction, problem)?
        };
        let mut loss = over_classes(PEER, self.from_logits, self.axis, ce, problem)?;
        loss.terms[0].weight = weight;
        Ok(loss)
    }
}

/// A cross-entropy whose mean divides by the voxels, or by the sum of their weights.
///
/// That is Σ w·t over voxels and classes, and so Σ w where the targets of a voxel add up to 1: of labels, for sure.
fn voxel_means(peer: &'static str, reduction: KerasReduction, problem: &Problem) -> Result<CrossEntropy, Error> {
    let is_weighted = reduction.divides_by_weights(problem);
    if is_weighted && !(problem.targets.is_labels() && problem.voxel_weights == VoxelWeights::PerVoxel) {
        reduction.refuse_weighted_mean(peer, problem)?;
    }
    let divisor = if is_weighted { Divisor::Weights } else { Divisor::Voxels };
    Ok(CrossEntropy { divisor, reduction: reduction.of_voxels(), ..Default::default() })
}

fn over_classes(
    peer: &'static str,
    from_logits: bool,
    axis: i64,
    ce: CrossEntropy,
    problem: &Problem,
) -> Result<Loss, Error> {
    check_axis(peer, axis, problem)?;
    if ce.label_smoothing > 0.0 && !is_class_last(problem) {
        return refuse(
            peer,
            "label_smoothing counts the classes along the last axis, which is not theirs; leave it out",
        );
    }
    if from_logits {
        return Ok(single(Activation::Softmax, Measure::CrossEntropy(ce)));
    }
    Ok(single(Activation::Normalized, Measure::CrossEntropy(CrossEntropy { clip: EPSILON, ..ce })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Batch, Labels, Shape, reference};

    /// Of x = (1, 3, 0) with the label 1 p is (¼, ¾, 0), ℓ = −ln ¾ and dℓ/dx = 1/Σx − t/x. The label 2 has p = 0, which is held at
    /// 10⁻⁷, without a gradient.
    #[test]
    fn probabilities_are_divided_by_their_sum() {
        let shape = Shape::new(&[1, 3, 2]).unwrap();
        let input = [1.0, 3.0, 0.0, 1.0, 3.0, 0.0];
        let batch = Batch::new(&shape, &input, Labels::U8(&[1, 2])).unwrap().channel_last().with_gradient();
        let reduction = KerasReduction::Sum;
        let sparse = SparseCategoricalCrossentropy { reduction, ..Default::default() };
        let categorical = CategoricalCrossentropy { reduction, ..Default::default() };
        for peer in [&sparse as &dyn Peer, &categorical] {
            let output = reference::evaluate(&peer.loss(batch.problem()).unwrap(), &batch).unwrap();
            let expected = (4.0f64 / 3.0).ln() - 1e-7f64.ln();
            assert!((output.value - expected).abs() < 1e-12, "{}, not {expected}", output.value);
            let slopes = [0.25, 0.25 - 1.0 / 3.0, 0.25, 0.0, 0.0, 0.0];
            let gradient = output.gradient.unwrap();
            assert!(gradient.iter().zip(slopes).all(|(a, b)| (a - b).abs() < 1e-12), "{gradient:?}");
        }
        let focal = CategoricalFocalCrossentropy { reduction, ..Default::default() };
        let value = reference::evaluate(&focal.loss(batch.problem()).unwrap(), &batch).unwrap().value;
        let expected = 0.25 * (0.0625 * (4.0f64 / 3.0).ln() - (1.0 - 1e-7f64).powi(2) * 1e-7f64.ln());
        assert!((value - expected).abs() < 1e-12, "{value}, not {expected}");
    }

    #[test]
    fn ignored_voxels_leave_the_mean() {
        let shape = Shape::new(&[1, 2, 3]).unwrap();
        let labels = Labels::I64(&[1, -1, -1]);
        let batch = Batch::new(&shape, &[0.0, 0.0, 5.0, 7.0, 6.0, 8.0], labels).unwrap().channel_last();
        let loss = SparseCategoricalCrossentropy { from_logits: true, ignore_class: Some(-1), ..Default::default() };
        let value = reference::evaluate(&loss.loss(batch.problem()).unwrap(), &batch).unwrap().value;
        assert!((value - 2f64.ln()).abs() < 1e-12, "{value}");
    }

    /// Voxels of −ln ½ and −ln ¾ that weigh 3 and 1: the mean divides by 2, or by the weights, of which the ignored one is none.
    #[test]
    fn a_mean_divides_by_voxels_or_by_weights() {
        let shape = Shape::new(&[1, 2, 3]).unwrap();
        let logits = [0.0, 0.0, 0.0, 3f32.ln(), 5.0, 7.0];
        let batch = Batch::new(&shape, &logits, Labels::I64(&[0, 1, -1])).unwrap().channel_last();
        let batch = batch.with_weights_per_voxel(&[3.0, 1.0, 5.0]).unwrap().with_ignore_index(-1);
        let sum = 3.0 * 2f64.ln() + (4.0 / 3.0f64).ln();
        for (reduction, expected) in [
            (KerasReduction::Sum, sum),
            (KerasReduction::SumOverBatchSize, sum / 2.0),
            (KerasReduction::MeanWithSampleWeight, sum / 4.0),
        ] {
            let cross_entropy = CategoricalCrossentropy { from_logits: true, reduction, ..Default::default() };
            let sparse = SparseCategoricalCrossentropy { from_logits: true, reduction, ..Default::default() };
            let focal = CategoricalFocalCrossentropy { gamma: 0.0, from_logits: true, reduction, ..Default::default() };
            let peers: [(&dyn Peer, f64); 3] = [(&cross_entropy, 1.0), (&sparse, 1.0), (&focal, 0.25)];
            for (peer, factor) in peers {
                let value = reference::evaluate(&peer.loss(batch.problem()).unwrap(), &batch).unwrap().value;
                assert!((value - factor * expected).abs() < 1e-7, "{reduction:?}: {value}, not {factor} × {expected}");
            }
        }
    }

    #[test]
    fn a_list_of_alphas_goes_along_the_last_axis() {
        let mut problem = Problem::new(Shape::new(&[1, 2, 2]).unwrap());
        let focal =
            CategoricalFocalCrossentropy { alpha: vec![1.0, 2.0], from_logits: true, axis: 1, ..Default::default() };
        let reason =
            |problem: &Problem, focal: &CategoricalFocalCrossentropy| focal.loss(problem).unwrap_err().to_string();
        assert!(reason(&problem, &focal).contains("along the last axis"));
        problem.axes = crate::AxisOrder::ChannelLast;
        assert!(reason(&problem, &focal).contains("axis 1 is not the class axis of [N, spatial…, C]; give -1"));
        let focal = CategoricalFocalCrossentropy { axis: -1, ..focal };
        focal.loss(&problem).unwrap();
        problem.voxel_weights = VoxelWeights::PerVoxel;
        let focal = CategoricalFocalCrossentropy { reduction: KerasReduction::MeanWithSampleWeight, ..focal };
        assert!(reason(&problem, &focal).contains("with a list for alpha"));
    }

    #[test]
    fn alpha_is_a_number_or_a_list() {
        let alpha = |alpha| serde_json::from_value::<CategoricalFocalCrossentropy>(json!({ "alpha": alpha }));
        assert_eq!(alpha(json!(0.5)).unwrap().alpha, [0.5]);
        assert_eq!(alpha(json!([0.5, 1])).unwrap().alpha, [0.5, 1.0]);
        assert!(alpha(json!(null)).is_err());
        let loss = CategoricalFocalCrossentropy { alpha: vec![1.0, 2.0], from_logits: true, ..Default::default() };
        let problem = Problem { axes: crate::AxisOrder::ChannelLast, ..Problem::new(Shape::new(&[1, 3, 2]).unwrap()) };
        let error = loss.loss(&problem).unwrap_err();
        assert!(error.to_string().contains("alpha has 2 entries"), "{error}");
    }
}
