//! `MCCLoss`.

use super::LossReduction;
use super::call::{Activations, Call, OtherAct};
use super::dice::pool;
use crate::loss::{Formula, Measure, Overlap, Term};
use crate::peers::Peer;
use crate::{Error, Loss, Problem};

/// `MCCLoss(include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None, reduction="mean",
/// smooth_nr=0.0, smooth_dr=1e-5, batch=False)`: the mean over samples and classes of
///
/// ```text
/// 1 − (TP·TN − FP·FN + nr) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN) + dr)
/// ```
///
/// of the soft counts TP = I, FP = P − I, FN = T − I and TN, the rest of the voxels; 0 where FP and FN are 0, as of nothing by nothing.
///
/// The remarks of [`DiceLoss`](super::DiceLoss) on one channel and on inputs without spatial axes hold here, too. Without a reduction
/// the result is `[N, C]`, or `[C]` with `batch`, of the classes measured. New in MONAI 1.6.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct MCCLoss {
    /// As [`DiceLoss::include_background`](super::DiceLoss::include_background).
    pub include_background: bool,
    /// Whether the targets are labels.
    pub to_onehot_y: bool,
    /// Whether the input goes through a sigmoid.
    pub sigmoid: bool,
    /// Whether the input goes through a softmax over the channels.
    pub softmax: bool,
    /// What else it goes through.
    pub other_act: Option<OtherAct>,
    /// How the values become one number.
    pub reduction: LossReduction,
    /// nr.
    pub smooth_nr: f64,
    /// dr.
    pub smooth_dr: f64,
    /// Whether the samples are added up before the counts are compared.
    pub batch: bool,
}

impl Default for MCCLoss {
    fn default() -> Self {
        Self {
            include_background: true,
            to_onehot_y: false,
            sigmoid: false,
            softmax: false,
            other_act: None,
            reduction: LossReduction::Mean,
            smooth_nr: 0.0,
            smooth_dr: 1e-5,
            batch: false,
        }
    }
}

impl Peer for MCCLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let call = Call { peer: "MCCLoss", problem };
        let Self { sigmoid, softmax, other_act, .. } = *self;
        let activation = call.activation(Activations { sigmoid, softmax, other_act })?;
        call.check_targets(self.to_onehot_y)?;
        let overlap = Overlap {
            formula: Formula::Matthews { eps: 0.0 },
            smooth_numerator: self.smooth_nr,
            smooth_denominator: self.smooth_dr,
            pool: pool(&call, self.batch),
            reduction: self.reduction.into(),
            ..Overlap::dice()
        };
        let classes = call.classes(self.include_background);
        Ok(Loss::of(vec![Term { weight: 1.0, activation, classes, measure: Measure::Overlap(overlap) }]))
    }
}
