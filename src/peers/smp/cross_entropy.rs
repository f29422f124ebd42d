//! Cross-entropies with smoothed targets.

use crate::loss::{BinaryCrossEntropy, CrossEntropy, Divisor, Measure};
use crate::peers::{Peer, Weight, known, refuse, single, targets, weight};
use crate::{Activation, Error, Loss, Problem, Reduction};

/// `SoftBCEWithLogitsLoss(weight=None, ignore_index=-100, reduction='mean', smooth_factor=None, pos_weight=None)`: binary
/// cross-entropy against t·(1−s) + (1−t)·s.
///
/// Ignored elements are 0; the mean counts them.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct SoftBCEWithLogitsLoss {
    /// `None`; a tensor of the original is given as voxel weights.
    pub weight: Option<Weight>,
    /// The target value that does not count.
    pub ignore_index: Option<i64>,
    /// `mean`, `sum` or `none`. (The original takes anything else for `none`, too.)
    pub reduction: Reduction,
    /// s, up to ½: beyond it, the target would be turned round.
    pub smooth_factor: Option<f64>,
    /// The weight of the target's part, one number (in JSON with or without brackets) or one per class. (The original
    /// broadcasts any tensor: give it there as `[C, 1, …]`.)
    #[cfg_attr(feature = "serde", serde(deserialize_with = "weight::one_or_several"))]
    pub pos_weight: Option<Vec<f64>>,
}

impl Default for SoftBCEWithLogitsLoss {
    fn default() -> Self {
        Self {
            weight: None,
            ignore_index: Some(-100),
            reduction: Reduction::Mean,
            smooth_factor: None,
            pos_weight: None,
        }
    }
}

impl Peer for SoftBCEWithLogitsLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "SoftBCEWithLogitsLoss";
        weight::check(self.weight, PEER)?;
        targets::dense(PEER, problem)?;
        let smooth = self.smooth_factor.unwrap_or_default();
        if !(0.0..=0.5).contains(&smooth) {
            return refuse(PEER, format!("smooth_factor is {smooth}, give one from 0 to 0.5"));
        }
        let bce = BinaryCrossEntropy {
            positive_weights: weight::one_or_per_class(PEER, "pos_weight", self.pos_weight.as_deref(), problem)?,
            // t·(1−2s) + 2s/2.
            label_smoothing: 2.0 * smooth,
            divisor: Divisor::AllElements,
            reduction: known(PEER, self.reduction)?,
            ..Default::default()
        };
        let loss = single(Activation::Sigmoid, Measure::BinaryCrossEntropy(bce));
        Ok(Loss { ignore_index: self.ignore_index, ..loss })
    }
}

/// `SoftCrossEntropyLoss(reduction='mean', smooth_factor=None, ignore_index=-100, dim=1)` of logits and labels:
/// −(1−ε)·ln p_label − ε/C·Σ_c ln p_c, p the softmax.
///
/// The mean counts ignored voxels, too. `none` gives one value per voxel, in the shape `[N, 1, spatial…]`, or `[N, spatial…]`
/// where `ignore_index` is `None`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct SoftCrossEntropyLoss {
    /// `mean`, `sum` or `none`. (The original takes anything else for `none`, too.)
    pub reduction: Reduction,
    /// ε. The original fails without it.
    pub smooth_factor: Option<f64>,
    /// The label that does not count.
    pub ignore_index: Option<i64>,
    /// The axis of the classes, 1. (Others are not supported.)
    pub dim: i64,
}

impl Default for SoftCrossEntropyLoss {
    fn default() -> Self {
        Self { reduction: Reduction::Mean, smooth_factor: None, ignore_index: Some(-100), dim: 1 }
    }
}

impl Peer for SoftCrossEntropyLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "SoftCrossEntropyLoss";
        targets::labels(PEER, problem)?;
        if self.dim != 1 && self.dim != 1 - problem.shape.dims().len() as i64 {
            return refuse(PEER, format!("dim {} is not the class axis; give 1", self.dim));
        }
        let Some(label_smoothing) = self.smooth_factor else {
            return refuse(PEER, "the original fails without a smooth_factor; give 0 for none");
        };
        let reduction = match known(PEER, self.reduction)? {
            Reduction::None => Reduction::PerVoxel,
            reduction => reduction,
        };
        let ce = CrossEntropy { label_smoothing, divisor: Divisor::AllVoxels, reduction, ..Default::default() };
        let loss = single(Activation::Softmax, Measure::CrossEntropy(ce));
        Ok(Loss { ignore_index: self.ignore_index, ..loss })
    }

    fn result_shape(&self, problem: &Problem) -> Option<Vec<usize>> {
        let keeps_class_axis =
            self.reduction == Reduction::None && targets::ignore_index(self.ignore_index, problem).is_some();
        let mut dims = problem.shape.dims().to_vec();
        dims[1] = 1;
        keeps_class_axis.then_some(dims)
    }
}
