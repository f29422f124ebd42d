//! `TverskyLoss`.

use super::LossReduction;
use super::call::{Activations, Call, OtherAct};
use super::dice::{intersection, pool};
use crate::loss::{Measure, Overlap, Term};
use crate::peers::Peer;
use crate::{Error, Loss, Problem};

/// `TverskyLoss(include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None, alpha=0.5, beta=0.5,
/// reduction="mean", smooth_nr=1e-5, smooth_dr=1e-5, batch=False, soft_label=False, ignore_index=None)`: the mean over samples
/// and classes of
///
/// ```text
/// 1 − (I + nr) / (I + α(P−I) + β(T−I) + dr)
/// ```
///
/// The smoothing stands beside I rather than 2I, so it counts twice as much as in [`DiceLoss`](super::DiceLoss), whose remarks on one
/// channel and on inputs without spatial axes hold here, too. Without a reduction the result is `[N, C]`, or `[C]` with
/// `batch`, of the classes measured.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct TverskyLoss {
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
    /// α, the weight of false positives.
    pub alpha: f64,
    /// β, the weight of false negatives.
    pub beta: f64,
    /// How the values become one number.
    pub reduction: LossReduction,
    /// nr.
    pub smooth_nr: f64,
    /// dr.
    pub smooth_dr: f64,
    /// Whether the samples are added up before the ratio.
    pub batch: bool,
    /// As [`DiceLoss::soft_label`](super::DiceLoss::soft_label).
    pub soft_label: bool,
    /// As [`DiceLoss::ignore_index`](super::DiceLoss::ignore_index).
    pub ignore_index: Option<i64>,
}

impl Default for TverskyLoss {
    fn default() -> Self {
        Self {
            include_background: true,
            to_onehot_y: false,
            sigmoid: false,
            softmax: false,
            other_act: None,
            alpha: 0.5,
            beta: 0.5,
            reduction: LossReduction::Mean,
            smooth_nr: 1e-5,
            smooth_dr: 1e-5,
            batch: false,
            soft_label: false,
            ignore_index: None,
        }
    }
}

impl Peer for TverskyLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let call = Call { peer: "TverskyLoss", problem };
        let Self { sigmoid, softmax, other_act, .. } = *self;
        let activation = call.activation(Activations { sigmoid, softmax, other_act })?;
        call.check_targets(self.to_onehot_y)?;
        call.check_ignore_index(self.ignore_index)?;
        let overlap = Overlap {
            smooth_numerator: self.smooth_nr,
            smooth_denominator: self.smooth_dr,
            pool: pool(&call, self.batch),
            reduction: self.reduction.into(),
            intersection: intersection(self.soft_label),
            ..Overlap::tversky(self.alpha, self.beta)
        };
        let classes = call.classes(self.include_background);
        let term = Term { weight: 1.0, activation, classes, measure: Measure::Overlap(overlap) };
        Ok(Loss { terms: vec![term], ignore_index: self.ignore_index })
    }
}
