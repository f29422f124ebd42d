//! kornia: `kornia.losses` (checked against 0.9.0).
//!
//! Older versions differ: they soften the one-hot target, and Dice squares its class weights.

use super::{Peer, known, recipes, refuse, single, targets, weight};
use crate::loss::{CrossEntropy, Divisor, Empty, Focal, Measure, Modulation, Overlap, RowWeights};
use crate::{Activation, Error, Loss, Pool, Problem, Reduction};

recipes! {
    /// A loss of this module by its name.
    DiceLoss = "DiceLoss",
    TverskyLoss = "TverskyLoss",
    FocalLoss = "FocalLoss",
    BinaryFocalLossWithLogits = "BinaryFocalLossWithLogits",
}

/// The label that does not count, unless told otherwise.
const IGNORE_INDEX: Option<i64> = Some(-100);

/// kornia's ways from the classes of a sample to one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Average {
    /// One ratio of the sums over the classes.
    #[default]
    Micro,
    /// The mean of the ratios of those classes that the sample's target has.
    Macro,
}

/// `DiceLoss(average='micro', eps=1e-8, weight=None, ignore_index=-100)` of logits `[N, C, H, W]` and labels, p the softmax.
///
/// Micro: 1 − 2Σ_c w_c·I_c / (Σ_c w_c·(P_c + T_c) + ε) per sample. Macro: Σ_c w_c·(1 − 2I_c/(P_c + T_c + ε)) / Σ_c w_c over the
/// classes present in the sample's target. Then the mean over the samples; one whose voxels are all ignored has the loss 1.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceLoss {
    /// What is made of the classes.
    pub average: Average,
    /// ε, in the denominator only.
    pub eps: f64,
    /// w, one number per class; 1 where it is not given.
    pub weight: Option<Vec<f64>>,
    /// The label that does not count.
    pub ignore_index: Option<i64>,
}

impl Default for DiceLoss {
    fn default() -> Self {
        Self { average: Average::Micro, eps: 1e-8, weight: None, ignore_index: IGNORE_INDEX }
    }
}

impl Peer for DiceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "DiceLoss";
        check_images(PEER, problem)?;
        let weights = weight::per_class(PEER, "weight", self.weight.as_deref(), problem)?;
        let dice = Overlap { smooth_denominator: self.eps, ..Overlap::dice() };
        let overlap = match self.average {
            // A sample without a target, or all of it in classes of weight 0, has the score 0, also where ε is 0.
            Average::Micro => {
                Overlap { pool: Pool::Classes, row_weights: RowWeights::PerClass(weights), empty: Empty::One, ..dice }
            }
            Average::Macro => Overlap { class_weights: weights, normalized: true, empty: Empty::Skip, ..dice },
        };
        Ok(ignoring(self.ignore_index, single(Activation::Softmax, Measure::Overlap(overlap))))
    }
}

/// `TverskyLoss(alpha, beta, eps=1e-8, ignore_index=-100)` of logits `[N, C, H, W]` and labels, p the softmax:
/// 1 − mean of I/(I + α·FP + β·FN + ε) over the classes present in each sample's target, then over the samples.
///
/// A sample whose voxels are all ignored has the loss 1.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct TverskyLoss {
    /// The weight of false positives.
    pub alpha: f64,
    /// The weight of false negatives.
    pub beta: f64,
    /// ε, in the denominator only.
    #[cfg_attr(feature = "serde", serde(default = "eps"))]
    pub eps: f64,
    /// The label that does not count.
    #[cfg_attr(feature = "serde", serde(default = "ignore_index"))]
    pub ignore_index: Option<i64>,
}

#[cfg(feature = "serde")]
fn eps() -> f64 {
    TverskyLoss::new(0.0, 0.0).eps
}

#[cfg(feature = "serde")]
fn ignore_index() -> Option<i64> {
    IGNORE_INDEX
}

impl TverskyLoss {
    /// With the arguments that the original has no defaults for.
    #[must_use]
    pub fn new(alpha: f64, beta: f64) -> Self {
        Self { alpha, beta, eps: 1e-8, ignore_index: IGNORE_INDEX }
    }
}

impl Peer for TverskyLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        check_images("TverskyLoss", problem)?;
        let overlap =
            Overlap { smooth_denominator: self.eps, empty: Empty::Skip, ..Overlap::tversky(self.alpha, self.beta) };
        Ok(ignoring(self.ignore_index, single(Activation::Softmax, Measure::Overlap(overlap))))
    }
}

/// `FocalLoss(alpha, gamma=2.0, reduction='none', weight=None, ignore_index=-100)` of logits and labels:
/// −w_c·α_c·(1−p_c)^γ·ln p_c of the class c that the label says, p the softmax; α_c is 1 − α for class 0 and α for the others.
///
/// By default one value per voxel **and class**, 0 for the classes that the label does not say; accordingly the mean divides by
/// the number of voxels, ignored ones included, times that of the classes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct FocalLoss {
    /// α; `None` for 1 in every class. (The original has no default.)
    pub alpha: Option<f64>,
    /// γ.
    pub gamma: f64,
    /// `none`, `mean` or `sum`.
    pub reduction: Reduction,
    /// w, one number per class; 1 where it is not given.
    pub weight: Option<Vec<f64>>,
    /// The label that does not count.
    pub ignore_index: Option<i64>,
}

impl Default for FocalLoss {
    fn default() -> Self {
        Self { alpha: None, gamma: 2.0, reduction: Reduction::None, weight: None, ignore_index: IGNORE_INDEX }
    }
}

impl Peer for FocalLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "FocalLoss";
        targets::labels(PEER, problem)?;
        let weights = weight::per_class(PEER, "weight", self.weight.as_deref(), problem)?;
        let alpha = |class: usize| self.alpha.map_or(1.0, |alpha| if class == 0 { 1.0 - alpha } else { alpha });
        let weight = |class: usize| alpha(class) * weights.get(class).copied().unwrap_or(1.0);
        let ce = CrossEntropy {
            gamma: self.gamma,
            class_weights: (0..problem.shape.classes()).map(weight).collect(),
            divisor: Divisor::AllElements,
            reduction: known(PEER, self.reduction)?,
            ..Default::default()
        };
        Ok(ignoring(self.ignore_index, single(Activation::Softmax, Measure::CrossEntropy(ce))))
    }
}

/// `BinaryFocalLossWithLogits(alpha, gamma=2.0, reduction='none', pos_weight=None, weight=None, ignore_index=-100)` of logits
/// and a target of their shape: −w·(π·α·t·(1−p)^γ·ln p + (1−α)·(1−t)·p^γ·ln(1−p)), p the sigmoid.
///
/// Ignored elements are 0; the mean counts them.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BinaryFocalLossWithLogits {
    /// α, the weight of the target's part, 1 − α being that of the rest; `None` for 1 and 1. (The original has no default.)
    pub alpha: Option<f64>,
    /// γ.
    pub gamma: f64,
    /// `none`, `mean` or `sum`.
    pub reduction: Reduction,
    /// π, one number per class; 1 where it is not given.
    pub pos_weight: Option<Vec<f64>>,
    /// w, one number per class; 1 where it is not given.
    pub weight: Option<Vec<f64>>,
    /// The target value that does not count.
    pub ignore_index: Option<i64>,
}

impl Default for BinaryFocalLossWithLogits {
    fn default() -> Self {
        Self {
            alpha: None,
            gamma: 2.0,
            reduction: Reduction::None,
            pos_weight: None,
            weight: None,
            ignore_index: IGNORE_INDEX,
        }
    }
}

impl Peer for BinaryFocalLossWithLogits {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "BinaryFocalLossWithLogits";
        targets::dense(PEER, problem)?;
        let alpha = self.alpha.unwrap_or(1.0);
        let positive = match weight::per_class(PEER, "pos_weight", self.pos_weight.as_deref(), problem)? {
            none if none.is_empty() => vec![alpha],
            each => each.into_iter().map(|weight| alpha * weight).collect(),
        };
        let focal = Focal {
            gamma: self.gamma,
            modulation: Modulation::Sides,
            positive_weights: positive,
            negative_weights: vec![self.alpha.map_or(1.0, |alpha| 1.0 - alpha)],
            class_weights: weight::per_class(PEER, "weight", self.weight.as_deref(), problem)?,
            divisor: Divisor::AllElements,
            reduction: known(PEER, self.reduction)?,
            ..Default::default()
        };
        Ok(ignoring(self.ignore_index, single(Activation::Sigmoid, Measure::Focal(focal))))
    }
}

fn ignoring(ignore_index: Option<i64>, loss: Loss) -> Loss {
    Loss { ignore_index, ..loss }
}

/// Refuses what is no image of labels, as the originals do.
fn check_images(peer: &'static str, problem: &Problem) -> Result<(), Error> {
    let dims = problem.shape.dims();
    if dims.len() != 4 {
        return refuse(peer, format!("the original takes [N, C, H, W], not {dims:?}; make it two spatial axes"));
    }
    targets::labels(peer, problem)
}
