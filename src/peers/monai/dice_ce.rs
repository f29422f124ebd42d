//! `DiceCELoss`.

use super::call::{Call, OtherAct};
use super::{DiceCEReduction, DiceLoss, LossReduction, OneOrEach, weighted_sum};
use crate::loss::{BinaryCrossEntropy, CrossEntropy, Divisor, Measure, Term};
use crate::peers::Peer;
use crate::{Activation, Error, Loss, Problem};

/// `DiceCELoss(include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None, squared_pred=False,
/// jaccard=False, reduction="mean", smooth_nr=1e-5, smooth_dr=1e-5, batch=False, weight=None, lambda_dice=1.0, lambda_ce=1.0,
/// label_smoothing=0.0)`: `lambda_dice` times [`DiceLoss`] plus `lambda_ce` times cross-entropy.
///
/// * The cross-entropy is always taken of the input as logits: over all classes, the background included, as PyTorch's
///   `CrossEntropyLoss`; of one channel as its `BCEWithLogitsLoss`, without label smoothing.
/// * Its mean divides by Σ of the labels' weights; of dense targets by the number of voxels.
/// * `weight` has a number for every class. Dice takes those of the classes it measures. Of one channel it is the positive
///   weight, which Dice does not take.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceCELoss {
    /// Whether Dice measures class 0.
    pub include_background: bool,
    /// Whether the targets are labels.
    pub to_onehot_y: bool,
    /// Whether Dice's p is the sigmoid of the input.
    pub sigmoid: bool,
    /// Whether it is the softmax.
    pub softmax: bool,
    /// What else it is.
    pub other_act: Option<OtherAct>,
    /// Whether Dice's P and T are sums of squares.
    pub squared_pred: bool,
    /// Whether it is the Jaccard index rather than Dice's.
    pub jaccard: bool,
    /// How both parts' values become one number.
    pub reduction: DiceCEReduction,
    /// As [`DiceLoss::smooth_nr`].
    pub smooth_nr: f64,
    /// As [`DiceLoss::smooth_dr`].
    pub smooth_dr: f64,
    /// Whether Dice adds up the samples before the ratio.
    pub batch: bool,
    /// The classes' weights. The original takes a tensor: one entry for each class, or one number for one channel.
    pub weight: Option<OneOrEach>,
    /// The factor in front of Dice.
    pub lambda_dice: f64,
    /// The factor in front of the cross-entropy.
    pub lambda_ce: f64,
    /// s: the cross-entropy's targets are t(1−s) + s/C.
    pub label_smoothing: f64,
}

impl Default for DiceCELoss {
    fn default() -> Self {
        Self {
            include_background: true,
            to_onehot_y: false,
            sigmoid: false,
            softmax: false,
            other_act: None,
            squared_pred: false,
            jaccard: false,
            reduction: DiceCEReduction::Mean,
            smooth_nr: 1e-5,
            smooth_dr: 1e-5,
            batch: false,
            weight: None,
            lambda_dice: 1.0,
            lambda_ce: 1.0,
            label_smoothing: 0.0,
        }
    }
}

impl Peer for DiceCELoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let call = Call { peer: "DiceCELoss", problem };
        call.check_lambda("lambda_dice", self.lambda_dice)?;
        call.check_lambda("lambda_ce", self.lambda_ce)?;
        let weights = self.weights(&call)?;
        let dice = self.dice(&call, &weights).term(&call)?;
        Ok(weighted_sum([(self.lambda_dice, dice), (self.lambda_ce, self.cross_entropy(&call, weights))]))
    }
}

impl DiceCELoss {
    /// One weight for each class, or none at all.
    fn weights(&self, call: &Call) -> Result<Vec<f64>, Error> {
        let Some(weight) = &self.weight else { return Ok(vec![]) };
        call.check_weights(weight)?;
        let (found, channels) = (weight.numbers().len(), call.channels());
        if found != channels {
            return call.refuse(format!("weight has {found} entries; give one for each of the {channels} classes"));
        }
        Ok(weight.numbers().to_vec())
    }

    fn dice(&self, call: &Call, weights: &[f64]) -> DiceLoss {
        let skipped = call.channels() - call.selected(self.include_background);
        let weight = weights.get(skipped..).filter(|list| !list.is_empty());
        DiceLoss {
            include_background: self.include_background,
            to_onehot_y: self.to_onehot_y,
            sigmoid: self.sigmoid,
            softmax: self.softmax,
            other_act: self.other_act,
            squared_pred: self.squared_pred,
            jaccard: self.jaccard,
            reduction: self.reduction.into(),
            smooth_nr: self.smooth_nr,
            smooth_dr: self.smooth_dr,
            batch: self.batch,
            weight: weight.map(|list| OneOrEach::Each(list.to_vec())),
            soft_label: false,
            ignore_index: None,
        }
    }

    fn cross_entropy(&self, call: &Call, weights: Vec<f64>) -> Term {
        let reduction = LossReduction::from(self.reduction).into();
        if call.channels() == 1 {
            let bce = BinaryCrossEntropy { positive_weights: weights, reduction, ..Default::default() };
            return Term::new(Activation::Sigmoid, Measure::BinaryCrossEntropy(bce));
        }
        let is_labels = call.problem.targets.is_labels();
        let entropy = CrossEntropy {
            class_weights: weights,
            label_smoothing: self.label_smoothing,
            divisor: if is_labels { Divisor::Weights } else { Divisor::Voxels },
            nan_if_empty: true,
            reduction,
            ..CrossEntropy::default()
        };
        Term::new(Activation::Softmax, Measure::CrossEntropy(entropy))
    }
}
