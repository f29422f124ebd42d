//! `GeneralizedDiceLoss`.

use super::LossReduction;
use super::call::{Activations, Call, OtherAct};
use super::dice::intersection;
use crate::loss::{Measure, Overlap, RowWeights, Term};
use crate::peers::Peer;
use crate::{Error, Loss, Pool, Problem};

/// `w_type`, or `weight_type` of the metric: what a class weighs for its volume T.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum WeightType {
    /// 1/T².
    #[default]
    Square,
    /// 1/T.
    Simple,
    /// 1.
    Uniform,
}

impl From<WeightType> for RowWeights {
    fn from(kind: WeightType) -> Self {
        match kind {
            WeightType::Square => Self::InverseSquaredVolume,
            WeightType::Simple => Self::InverseVolume,
            WeightType::Uniform => Self::Equal,
        }
    }
}

/// `GeneralizedDiceLoss(include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None,
/// w_type="square", reduction="mean", smooth_nr=1e-5, smooth_dr=1e-5, batch=False, soft_label=False)`: the mean over samples of
///
/// ```text
/// 1 − (2Σ w·I + nr) / (Σ w(P+T) + dr)  over the classes measured
/// ```
///
/// * An absent class, whose w is infinite, takes the largest finite w of its sample; 0 if all classes are absent.
/// * With `batch`, I, P and T are those of the whole batch, w is made of that T, and there is one value.
/// * Without a reduction the result is `[N, 1, 1, …]`, or `[1, 1, …]` with `batch`, with a 1 for every spatial axis.
/// * Without spatial axes the original works with `batch` only.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct GeneralizedDiceLoss {
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
    /// w.
    pub w_type: WeightType,
    /// How the samples' values become one number.
    pub reduction: LossReduction,
    /// nr.
    pub smooth_nr: f64,
    /// dr.
    pub smooth_dr: f64,
    /// Whether the samples are added up before the ratio.
    pub batch: bool,
    /// As [`DiceLoss::soft_label`](super::DiceLoss::soft_label).
    pub soft_label: bool,
}

impl Default for GeneralizedDiceLoss {
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
            soft_label: false,
        }
    }
}

impl Peer for GeneralizedDiceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        Ok(Loss::of(vec![self.term(&Call { peer: "GeneralizedDiceLoss", problem })?]))
    }

    fn result_shape(&self, problem: &Problem) -> Option<Vec<usize>> {
        let call = Call { peer: "GeneralizedDiceLoss", problem };
        match self.reduction {
            LossReduction::None if self.batch => Some(call.broadcastable(&[1])),
            LossReduction::None => Some(call.broadcastable(&[problem.shape.samples(), 1])),
            _ => None,
        }
    }
}

impl GeneralizedDiceLoss {
    /// Its one term, also as a part of the loss that is asked for.
    pub(super) fn term(&self, call: &Call) -> Result<Term, Error> {
        let Self { sigmoid, softmax, other_act, .. } = *self;
        let activation = call.activation(Activations { sigmoid, softmax, other_act })?;
        call.check_targets(self.to_onehot_y)?;
        if call.spatial_axes() == 0 && !self.batch {
            return call.refuse("without spatial axes there is no volume of a sample's class; set batch");
        }
        let overlap = Overlap {
            smooth_numerator: self.smooth_nr,
            smooth_denominator: self.smooth_dr,
            pool: if self.batch { Pool::All } else { Pool::Classes },
            reduction: self.reduction.into(),
            intersection: intersection(self.soft_label),
            row_weights: self.w_type.into(),
            ..Overlap::dice()
        };
        let classes = call.classes(self.include_background);
        Ok(Term { weight: 1.0, activation, classes, measure: Measure::Overlap(overlap) })
    }
}
