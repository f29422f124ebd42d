//! Losses over the classes of a voxel.

use super::{KerasReduction, check_axis};
use crate::loss::{CrossEntropy, Divisor, Measure};
use crate::peers::{Peer, refuse, single, targets, weight};
use crate::{Activation, Error, Loss, Problem};

/// `keras.losses.CategoricalCrossentropy(from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size")`:
/// −Σ_c (t_c·(1−s) + s/C)·ln p_c of each voxel, p the softmax, reduced over the voxels.
///
/// `from_logits=False`, the original's default, is refused: it divides probabilities by their sum over the classes. Their
/// logarithms are logits of the same p.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct CategoricalCrossentropy {
    /// `true`: the input is logits.
    pub from_logits: bool,
    /// s.
    pub label_smoothing: f64,
    /// The axis of the classes, −1. (Others are not supported.)
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
        let ce = CrossEntropy { label_smoothing: self.label_smoothing, ..voxel_means(self.reduction) };
        of_logits(PEER, self.from_logits, self.axis, ce, problem)
    }
}

/// `keras.losses.SparseCategoricalCrossentropy(from_logits=False, ignore_class=None, reduction="sum_over_batch_size",
/// axis=-1)`: −ln p_label of each voxel, p the softmax, reduced over the voxels that are not of `ignore_class`.
///
/// `from_logits=False`, the original's default, is refused, as by [`CategoricalCrossentropy`]. A mean over nothing is 0.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct SparseCategoricalCrossentropy {
    /// `true`: the input is logits.
    pub from_logits: bool,
    /// The label that does not count.
    pub ignore_class: Option<i64>,
    /// How the voxels' values become one number.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::null_is_none"))]
    pub reduction: KerasReduction,
    /// The axis of the classes, −1. (Others are not supported.)
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
        let loss = of_logits(PEER, self.from_logits, self.axis, voxel_means(self.reduction), problem)?;
        Ok(Loss { ignore_index: self.ignore_class, ..loss })
    }
}

/// `keras.losses.CategoricalFocalCrossentropy(alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
/// reduction="sum_over_batch_size")`: −Σ_c α_c·(t_c·(1−s) + s/C)·(1−p_c)^γ·ln p_c of each voxel, p the softmax, reduced over the
/// voxels.
///
/// `from_logits=False`, the original's default, is refused, as by [`CategoricalCrossentropy`]. Evaluated in the stable form, so
/// it differs from the original where a class with a target has p < 10⁻⁷, which is clipped there.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct CategoricalFocalCrossentropy {
    /// α, one number (in JSON with or without brackets) or one per class.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "weight::numbers"))]
    pub alpha: Vec<f64>,
    /// γ.
    pub gamma: f64,
    /// `true`: the input is logits.
    pub from_logits: bool,
    /// s.
    pub label_smoothing: f64,
    /// The axis of the classes, −1. (Others are not supported.)
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
        let ce = CrossEntropy {
            gamma: self.gamma,
            class_weights: weight::one_or_per_class(PEER, "alpha", Some(&self.alpha), problem)?,
            label_smoothing: self.label_smoothing,
            ..voxel_means(self.reduction)
        };
        of_logits(PEER, self.from_logits, self.axis, ce, problem)
    }
}

/// A cross-entropy whose mean divides by the voxels.
fn voxel_means(reduction: KerasReduction) -> CrossEntropy {
    CrossEntropy { divisor: Divisor::Voxels, reduction: reduction.of_voxels(), ..Default::default() }
}

fn of_logits(
    peer: &'static str,
    from_logits: bool,
    axis: i64,
    ce: CrossEntropy,
    problem: &Problem,
) -> Result<Loss, Error> {
    check_axis(peer, axis, problem)?;
    if !from_logits {
        let reason = "from_logits=False divides probabilities by their sum, which is not supported; give their logarithms as \
                      logits, and from_logits=True";
        return refuse(peer, reason);
    }
    Ok(single(Activation::Softmax, Measure::CrossEntropy(ce)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Batch, Labels, Shape, reference};

    #[test]
    fn probabilities_are_refused_with_a_way_out() {
        let problem = Problem::new(Shape::new(&[1, 2, 3]).unwrap());
        let error = CategoricalCrossentropy::default().loss(&problem).unwrap_err();
        assert!(error.to_string().contains("give their logarithms"), "{error}");
    }

    #[test]
    fn ignored_voxels_leave_the_mean() {
        let shape = Shape::new(&[1, 2, 3]).unwrap();
        let labels = Labels::I64(&[1, -1, -1]);
        let batch = Batch::new(&shape, &[0.0, 5.0, 6.0, 0.0, 7.0, 8.0], labels).unwrap();
        let loss = SparseCategoricalCrossentropy { from_logits: true, ignore_class: Some(-1), ..Default::default() };
        let value = reference::evaluate(&loss.loss(batch.problem()).unwrap(), &batch).unwrap().value;
        assert!((value - 2f64.ln()).abs() < 1e-12, "{value}");
    }

    #[test]
    fn alpha_is_a_number_or_a_list() {
        let alpha = |alpha| serde_json::from_value::<CategoricalFocalCrossentropy>(json!({ "alpha": alpha }));
        assert_eq!(alpha(json!(0.5)).unwrap().alpha, [0.5]);
        assert_eq!(alpha(json!([0.5, 1])).unwrap().alpha, [0.5, 1.0]);
        assert!(alpha(json!(null)).is_err());
        let loss = CategoricalFocalCrossentropy { alpha: vec![1.0, 2.0], from_logits: true, ..Default::default() };
        let error = loss.loss(&Problem::new(Shape::new(&[1, 3, 2]).unwrap())).unwrap_err();
        assert!(error.to_string().contains("alpha has 2 entries"), "{error}");
    }
}
