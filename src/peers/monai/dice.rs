//! `DiceLoss` and `MaskedDiceLoss`.

use super::call::{Activations, Call, OtherAct};
use super::{LossReduction, OneOrEach};
use crate::loss::{Classes, Intersection, Measure, Overlap, Term};
use crate::peers::Peer;
use crate::{Error, Loss, Pool, Problem};

/// `DiceLoss(include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None, squared_pred=False,
/// jaccard=False, reduction="mean", smooth_nr=1e-5, smooth_dr=1e-5, batch=False, weight=None, soft_label=False,
/// ignore_index=None)`: the mean over samples and classes of
///
/// ```text
/// 1 − (2I + nr) / (2(I + k(P−I) + k(T−I)) + dr),  k = ½, or 1 with `jaccard`
/// ```
///
/// * One channel is measured as it is: `softmax`, `to_onehot_y` and `include_background=False` are then without effect (the
///   original warns), and so is `weight` where one class is measured.
/// * `weight` multiplies the classes' values; a mean divides by their number all the same. A class of weight 0 that is NaN, unsmoothed
///   and with nothing in either mask, makes the result NaN.
/// * Without a reduction the result is `[N, C, 1, …]`, or `[C, 1, …]` with `batch`, of the classes measured and with a 1 for every
///   spatial axis.
/// * Without spatial axes the original adds up everything, samples and classes, unless `batch` is set.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceLoss {
    /// Whether class 0 is measured.
    pub include_background: bool,
    /// Whether the targets are labels.
    pub to_onehot_y: bool,
    /// Whether the input goes through a sigmoid.
    pub sigmoid: bool,
    /// Whether the input goes through a softmax over the channels. With neither it is probabilities.
    pub softmax: bool,
    /// What else it goes through.
    pub other_act: Option<OtherAct>,
    /// Whether P and T are sums of squares.
    pub squared_pred: bool,
    /// Whether it is the Jaccard index rather than Dice's.
    pub jaccard: bool,
    /// How the values become one number.
    pub reduction: LossReduction,
    /// nr.
    pub smooth_nr: f64,
    /// dr.
    pub smooth_dr: f64,
    /// Whether the samples are added up before the ratio.
    pub batch: bool,
    /// What the classes' values are multiplied with.
    pub weight: Option<OneOrEach>,
    /// Whether I is Σ(|p| + |t| − |p − t|)/2, the same on hard targets, which is least at p = t on soft ones, too.
    pub soft_label: bool,
    /// The label, or the value of a target of one channel, whose voxels do not count. (In one-hot targets it names voxels of a class
    /// or of none, which is not supported: give labels, or a mask.)
    pub ignore_index: Option<i64>,
}

impl Default for DiceLoss {
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
            weight: None,
            soft_label: false,
            ignore_index: None,
        }
    }
}

impl Peer for DiceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let term = self.term(&Call { peer: "DiceLoss", problem })?;
        Ok(Loss { terms: vec![term], ignore_index: self.ignore_index })
    }

    fn result_shape(&self, problem: &Problem) -> Option<Vec<usize>> {
        let call = Call { peer: "DiceLoss", problem };
        let classes = call.selected(self.include_background);
        match self.reduction {
            LossReduction::None if self.batch => Some(call.broadcastable(&[classes])),
            LossReduction::None if call.spatial_axes() > 0 => {
                Some(call.broadcastable(&[problem.shape.samples(), classes]))
            }
            _ => None,
        }
    }
}

impl DiceLoss {
    /// Its one term, also as a part of the loss that is asked for.
    pub(super) fn term(&self, call: &Call) -> Result<Term, Error> {
        let Self { sigmoid, softmax, other_act, .. } = *self;
        let activation = call.activation(Activations { sigmoid, softmax, other_act })?;
        call.check_targets(self.to_onehot_y)?;
        call.check_ignore_index(self.ignore_index)?;
        let classes = call.classes(self.include_background);
        let class_weights = self.class_weights(call, &classes)?;
        let pool = pool(call, self.batch);
        let weight = if pool == Pool::All { self.weight_of_all(call)? } else { 1.0 };
        let share = if self.jaccard { 1.0 } else { 0.5 };
        let overlap = Overlap {
            squared: self.squared_pred,
            alpha: share,
            beta: share,
            smooth_numerator: self.smooth_nr,
            smooth_denominator: self.smooth_dr,
            pool,
            reduction: self.reduction.into(),
            intersection: intersection(self.soft_label),
            class_weights,
            zero_keeps_nan: true,
            ..Overlap::dice()
        };
        Ok(Term { weight, activation, classes, measure: Measure::Overlap(overlap) })
    }

    /// The classes' weights; none of one class alone.
    fn class_weights(&self, call: &Call, classes: &Classes) -> Result<Vec<f64>, Error> {
        match &self.weight {
            Some(weight) if classes.number(call.channels()) != 1 => {
                call.check_weights(weight)?;
                call.per_class("weight", weight, classes)
            }
            _ => Ok(vec![]),
        }
    }

    /// What the classes' weights, reduced, make of the one value that there is without spatial axes.
    fn weight_of_all(&self, call: &Call) -> Result<f64, Error> {
        let number = call.selected(self.include_background);
        let Some(weight) = self.weight.as_ref().filter(|_| number != 1) else { return Ok(1.0) };
        let mean = weight.numbers().iter().sum::<f64>() / weight.numbers().len() as f64;
        match self.reduction {
            LossReduction::Mean => Ok(mean),
            LossReduction::Sum => Ok(mean * number as f64),
            LossReduction::None => call.refuse(
                "without spatial axes there is one value, which weight and reduction \"none\" repeat for every class; \
                 leave out either",
            ),
        }
    }
}

/// The rows added up: those along all spatial axes, where an empty list of axes means all there are.
pub(super) fn pool(call: &Call, batch: bool) -> Pool {
    match batch {
        true => Pool::Batch,
        false if call.spatial_axes() == 0 => Pool::All,
        false => Pool::None,
    }
}

pub(super) fn intersection(soft_label: bool) -> Intersection {
    if soft_label { Intersection::Minimum } else { Intersection::Product }
}

/// `MaskedDiceLoss(include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None,
/// squared_pred=False, jaccard=False, reduction="mean", smooth_nr=1e-5, smooth_dr=1e-5, batch=False, weight=None,
/// soft_label=False)`: [`DiceLoss`] of m·p and m·t.
///
/// The mask is data here: give it with the problem. With `to_onehot_y` the original masks the labels *before* it makes them
/// one-hot, so a masked voxel becomes background in the target but in no class of the prediction: T of class 0 counts it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct MaskedDiceLoss {
    /// As [`DiceLoss::include_background`].
    pub include_background: bool,
    /// Whether the targets are labels.
    pub to_onehot_y: bool,
    /// Whether the input goes through a sigmoid.
    pub sigmoid: bool,
    /// Whether the input goes through a softmax over the channels.
    pub softmax: bool,
    /// What else it goes through.
    pub other_act: Option<OtherAct>,
    /// Whether P and T are sums of squares.
    pub squared_pred: bool,
    /// Whether it is the Jaccard index rather than Dice's.
    pub jaccard: bool,
    /// How the values become one number.
    pub reduction: LossReduction,
    /// nr.
    pub smooth_nr: f64,
    /// dr.
    pub smooth_dr: f64,
    /// Whether the samples are added up before the ratio.
    pub batch: bool,
    /// What the classes' values are multiplied with.
    pub weight: Option<OneOrEach>,
    /// As [`DiceLoss::soft_label`].
    pub soft_label: bool,
}

impl Default for MaskedDiceLoss {
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
            weight: None,
            soft_label: false,
        }
    }
}

impl Peer for MaskedDiceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let call = Call { peer: "MaskedDiceLoss", problem };
        let mut term = self.unmasked().term(&call)?;
        let is_background = self.to_onehot_y && problem.mask && call.channels() != 1;
        if is_background && problem.ignore_index.is_some() {
            // What is ignored would count as background like what is masked.
            return call.refuse("there is a mask and an ignore index; give the ignored voxels as a mask of DiceLoss");
        }
        if let Measure::Overlap(overlap) = &mut term.measure {
            overlap.masked_is_background = is_background;
        }
        Ok(Loss::of(vec![term]))
    }

    fn result_shape(&self, problem: &Problem) -> Option<Vec<usize>> {
        self.unmasked().result_shape(problem)
    }
}

impl MaskedDiceLoss {
    fn unmasked(&self) -> DiceLoss {
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
            soft_label: self.soft_label,
            ignore_index: None,
        }
    }
}
