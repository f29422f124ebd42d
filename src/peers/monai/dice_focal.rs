//! `DiceFocalLoss` and `GeneralizedDiceFocalLoss`.

use super::call::{Call, OtherAct};
use super::{DiceLoss, FocalLoss, GeneralizedDiceLoss, LossReduction, OneOrEach, WeightType, weighted_sum};
use crate::peers::Peer;
use crate::{Error, Loss, Problem};

/// `DiceFocalLoss(include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None,
/// squared_pred=False, jaccard=False, reduction="mean", smooth_nr=1e-5, smooth_dr=1e-5, batch=False, gamma=2.0, weight=None,
/// lambda_dice=1.0, lambda_focal=1.0, alpha=None)`: `lambda_dice` times [`DiceLoss`] plus `lambda_focal` times [`FocalLoss`].
///
/// The focal part is always the one with a sigmoid, of the input as logits, whatever Dice's activation is. `include_background`,
/// `weight` (of the classes measured) and `reduction` are for both. Reduction `none` is not supported: the original spreads
/// Dice's values over the focal part's map.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceFocalLoss {
    /// Whether class 0 is measured.
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
    pub reduction: LossReduction,
    /// As [`DiceLoss::smooth_nr`].
    pub smooth_nr: f64,
    /// As [`DiceLoss::smooth_dr`].
    pub smooth_dr: f64,
    /// Whether Dice adds up the samples before the ratio.
    pub batch: bool,
    /// γ.
    pub gamma: f64,
    /// What the classes' values are multiplied with, in both parts.
    pub weight: Option<OneOrEach>,
    /// The factor in front of Dice.
    pub lambda_dice: f64,
    /// The factor in front of the focal loss.
    pub lambda_focal: f64,
    /// As [`FocalLoss::alpha`].
    pub alpha: Option<OneOrEach>,
}

impl Default for DiceFocalLoss {
    fn default() -> Self {
        Self {
            include_background: true,
            to_onehot_y: false,
            sigmoid: false,
            softmax: false,
            other_act: None,
            squared_pred: false,
            jaccard: false,
            reduction: LossReduction::Mean,
            smooth_nr: 1e-5,
            smooth_dr: 1e-5,
            batch: false,
            gamma: 2.0,
            weight: None,
            lambda_dice: 1.0,
            lambda_focal: 1.0,
            alpha: None,
        }
    }
}

impl Peer for DiceFocalLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let call = Call { peer: "DiceFocalLoss", problem };
        check_reduction(&call, self.reduction)?;
        call.check_lambda("lambda_dice", self.lambda_dice)?;
        call.check_lambda("lambda_focal", self.lambda_focal)?;
        let (dice, focal) = (self.dice().term(&call)?, self.focal().term(&call)?);
        Ok(weighted_sum([(self.lambda_dice, dice), (self.lambda_focal, focal)]))
    }
}

impl DiceFocalLoss {
    fn dice(&self) -> DiceLoss {
        DiceLoss {
            include_background: self.include_background,
            to_onehot_y: self.to_onehot_y,
            sigmoid: self.sigmoid,
            softmax: self.softmax,
            other_act: self.other_act,
            squared_pred: self.squared_pred,
            jaccard: self.jaccard,
            reduction: self.reduction,
            smooth_nr: self.smooth_nr,
            smooth_dr: self.smooth_dr,
            batch: self.batch,
            weight: self.weight.clone(),
            soft_label: false,
            ignore_index: None,
        }
    }

    fn focal(&self) -> FocalLoss {
        FocalLoss {
            include_background: self.include_background,
            to_onehot_y: self.to_onehot_y,
            gamma: self.gamma,
            alpha: self.alpha.clone(),
            weight: self.weight.clone(),
            reduction: self.reduction,
            use_softmax: false,
            ignore_index: None,
        }
    }
}

/// `GeneralizedDiceFocalLoss(include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None,
/// w_type="square", reduction="mean", smooth_nr=1e-5, smooth_dr=1e-5, batch=False, gamma=2.0, weight=None, lambda_gdl=1.0,
/// lambda_focal=1.0)`: `lambda_gdl` times [`GeneralizedDiceLoss`] plus `lambda_focal` times [`FocalLoss`].
///
/// As with [`DiceFocalLoss`] the focal part has a sigmoid, and reduction `none` is not supported. `weight` is the focal part's
/// alone.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct GeneralizedDiceFocalLoss {
    /// Whether class 0 is measured.
    pub include_background: bool,
    /// Whether the targets are labels.
    pub to_onehot_y: bool,
    /// Whether Dice's p is the sigmoid of the input.
    pub sigmoid: bool,
    /// Whether it is the softmax.
    pub softmax: bool,
    /// What else it is.
    pub other_act: Option<OtherAct>,
    /// As [`GeneralizedDiceLoss::w_type`].
    pub w_type: WeightType,
    /// How both parts' values become one number.
    pub reduction: LossReduction,
    /// As [`GeneralizedDiceLoss::smooth_nr`].
    pub smooth_nr: f64,
    /// As [`GeneralizedDiceLoss::smooth_dr`].
    pub smooth_dr: f64,
    /// Whether Dice adds up the samples before the ratio.
    pub batch: bool,
    /// γ.
    pub gamma: f64,
    /// What the focal loss of the classes is multiplied with.
    pub weight: Option<OneOrEach>,
    /// The factor in front of the generalised Dice loss.
    pub lambda_gdl: f64,
    /// The factor in front of the focal loss.
    pub lambda_focal: f64,
}

impl Default for GeneralizedDiceFocalLoss {
    fn default() -> Self {
        Self {
            include_background: true,
            to_onehot_y: false,
            sigmoid: false,
            softmax: false,
            other_act: None,
            w_type: WeightType::Square,
            reduction: LossReduction::Mean,
            smooth_nr: 1e-5,
            smooth_dr: 1e-5,
            batch: false,
            gamma: 2.0,
            weight: None,
            lambda_gdl: 1.0,
            lambda_focal: 1.0,
        }
    }
}

impl Peer for GeneralizedDiceFocalLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let call = Call { peer: "GeneralizedDiceFocalLoss", problem };
        check_reduction(&call, self.reduction)?;
        call.check_lambda("lambda_gdl", self.lambda_gdl)?;
        call.check_lambda("lambda_focal", self.lambda_focal)?;
        let (dice, focal) = (self.generalized_dice().term(&call)?, self.focal().term(&call)?);
        Ok(weighted_sum([(self.lambda_gdl, dice), (self.lambda_focal, focal)]))
    }
}

impl GeneralizedDiceFocalLoss {
    fn generalized_dice(&self) -> GeneralizedDiceLoss {
        GeneralizedDiceLoss {
            include_background: self.include_background,
            to_onehot_y: self.to_onehot_y,
            sigmoid: self.sigmoid,
            softmax: self.softmax,
            other_act: self.other_act,
            w_type: self.w_type,
            reduction: self.reduction,
            smooth_nr: self.smooth_nr,
            smooth_dr: self.smooth_dr,
            batch: self.batch,
            soft_label: false,
        }
    }

    fn focal(&self) -> FocalLoss {
        FocalLoss {
            include_background: self.include_background,
            to_onehot_y: self.to_onehot_y,
            gamma: self.gamma,
            alpha: None,
            weight: self.weight.clone(),
            reduction: self.reduction,
            use_softmax: false,
            ignore_index: None,
        }
    }
}

/// The original adds a Dice value of a class or sample to each of its voxels' focal values.
fn check_reduction(call: &Call, reduction: LossReduction) -> Result<(), Error> {
    match reduction {
        LossReduction::None => call.refuse(
            "reduction \"none\" adds values of classes to values of voxels, which is not supported; evaluate the two \
             parts one by one",
        ),
        LossReduction::Mean | LossReduction::Sum => Ok(()),
    }
}
