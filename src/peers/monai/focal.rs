//! `FocalLoss`.

use super::call::Call;
use super::{LossReduction, OneOrEach};
use crate::loss::{Classes, CrossEntropy, Divisor, Focal, Measure, Modulation, Term};
use crate::peers::{Peer, targets};
use crate::{Activation, Error, Loss, Pool, Problem, Reduction};

/// `FocalLoss(include_background=True, to_onehot_y=False, gamma=2.0, alpha=None, weight=None, reduction="mean",
/// use_softmax=False, ignore_index=None)` from logits, class by class:
///
/// ```text
/// σ(−z(2t−1))^γ · ((1−t)z − ln σ(z)),  times αt + (1−α)(1−t)
/// ```
///
/// or with `use_softmax`, p the softmax of the classes that are measured (the background is left out *before* it):
///
/// ```text
/// −(1−p)^γ · t · ln p,  times 1−α for class 0, α for the others
/// ```
///
/// * The mean divides by the number of elements; with `ignore_index` by the number of *voxels* that count, whatever the number
///   of classes.
/// * The sum is one over samples and classes of *means over voxels* (those that count). Without spatial axes the original takes
///   the mean of everything for it.
/// * One number for α is without effect with `use_softmax` and without background. A list has a number for each class: what an
///   element is multiplied with whose target is exactly 1, and any other with 1; with `use_softmax` what the classes are
///   multiplied with.
/// * One channel: `to_onehot_y` and `include_background=False` are without effect, and a list of weights is an error.
/// * Without a reduction the result is a map of the classes measured: that of [`Loss::map_of_classes`], of the shape
///   [`Loss::map_shape`].
///
/// It has finite gradients also for γ below 1, where the original's softmax form may have none.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct FocalLoss {
    /// Whether class 0 is measured.
    pub include_background: bool,
    /// Whether the targets are labels.
    pub to_onehot_y: bool,
    /// γ.
    pub gamma: f64,
    /// α.
    pub alpha: Option<OneOrEach>,
    /// What the classes' values are multiplied with.
    pub weight: Option<OneOrEach>,
    /// How the values become one number.
    pub reduction: LossReduction,
    /// Whether p is the softmax rather than the sigmoid.
    pub use_softmax: bool,
    /// As [`DiceLoss::ignore_index`](super::DiceLoss::ignore_index).
    pub ignore_index: Option<i64>,
}

impl Default for FocalLoss {
    fn default() -> Self {
        Self {
            include_background: true,
            to_onehot_y: false,
            gamma: 2.0,
            alpha: None,
            weight: None,
            reduction: LossReduction::Mean,
            use_softmax: false,
            ignore_index: None,
        }
    }
}

impl Peer for FocalLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let term = self.term(&Call { peer: "FocalLoss", problem })?;
        Ok(Loss { terms: vec![term], ignore_index: self.ignore_index })
    }
}

/// How the elements' values become one number: the mean over pools of their means, times a weight.
struct Aggregation {
    pool: Pool,
    divisor: Divisor,
    reduction: Reduction,
    weight: f64,
}

impl FocalLoss {
    /// Its one term, also as a part of the loss that is asked for.
    pub(super) fn term(&self, call: &Call) -> Result<Term, Error> {
        call.check_targets(self.to_onehot_y)?;
        call.check_ignore_index(self.index(call))?;
        let classes = call.classes(self.include_background);
        let aggregation = self.aggregation(call);
        let weight = aggregation.weight;
        let (activation, measure) = if self.use_softmax {
            let of_these = if classes == Classes::All { Activation::Softmax } else { Activation::ForegroundSoftmax };
            (of_these, self.over_classes(call, &classes, aggregation)?)
        } else {
            (Activation::Sigmoid, self.class_by_class(call, &classes, aggregation)?)
        };
        Ok(Term { weight, activation, classes, measure })
    }

    fn index(&self, call: &Call) -> Option<i64> {
        targets::ignore_index(self.ignore_index, call.problem)
    }

    fn aggregation(&self, call: &Call) -> Aggregation {
        let everything = Aggregation {
            pool: Pool::All,
            divisor: if self.index(call).is_some() { Divisor::Voxels } else { Divisor::Elements },
            reduction: Reduction::Mean,
            weight: 1.0,
        };
        match self.reduction {
            LossReduction::None => Aggregation { reduction: Reduction::None, ..everything },
            // The sum over classes of means over voxels is a sample's sum by its number of voxels.
            LossReduction::Sum if call.spatial_axes() > 0 => Aggregation {
                pool: Pool::Classes,
                divisor: Divisor::Voxels,
                weight: call.problem.shape.samples() as f64,
                ..everything
            },
            LossReduction::Sum | LossReduction::Mean => everything,
        }
    }

    /// The form with a sigmoid.
    fn class_by_class(&self, call: &Call, classes: &Classes, aggregation: Aggregation) -> Result<Measure, Error> {
        let (modulation, positive_weights, negative_weights) = match &self.alpha {
            None => (Modulation::Margin, vec![], vec![]),
            Some(OneOrEach::One(alpha)) => (Modulation::Margin, vec![*alpha], vec![1.0 - alpha]),
            Some(each) => (Modulation::MarginByOnes, call.per_class("alpha", each, classes)?, vec![]),
        };
        let Aggregation { pool, divisor, reduction, .. } = aggregation;
        Ok(Measure::Focal(Focal {
            gamma: self.gamma,
            modulation,
            positive_weights,
            negative_weights,
            class_weights: self.class_weights(call, classes)?,
            divisor,
            pool,
            reduction,
            ..Focal::default()
        }))
    }

    /// The form with a softmax.
    fn over_classes(&self, call: &Call, classes: &Classes, aggregation: Aggregation) -> Result<Measure, Error> {
        let alpha = match &self.alpha {
            Some(OneOrEach::One(alpha)) if self.include_background => {
                (0..call.channels()).map(|class| if class == 0 { 1.0 - alpha } else { *alpha }).collect()
            }
            Some(each @ OneOrEach::Each(_)) => call.per_class("alpha", each, classes)?,
            _ => vec![],
        };
        let Aggregation { pool, divisor, reduction, .. } = aggregation;
        Ok(Measure::CrossEntropy(CrossEntropy {
            gamma: self.gamma,
            class_weights: products(&alpha, &self.class_weights(call, classes)?),
            divisor,
            pool,
            reduction,
            ..CrossEntropy::default()
        }))
    }

    fn class_weights(&self, call: &Call, classes: &Classes) -> Result<Vec<f64>, Error> {
        let Some(weight) = &self.weight else { return Ok(vec![]) };
        call.check_weights(weight)?;
        if matches!(weight, OneOrEach::Each(_)) && classes.number(call.channels()) == 1 {
            return call.refuse("weight is a list, and one class is measured; give a number");
        }
        call.per_class("weight", weight, classes)
    }
}

/// The products of two lists of one length, where an empty one is of ones and one number is of that number.
fn products(first: &[f64], second: &[f64]) -> Vec<f64> {
    match (first, second) {
        ([], list) | (list, []) => list.to_vec(),
        ([one], list) | (list, [one]) => list.iter().map(|number| one * number).collect(),
        _ => first.iter().zip(second).map(|(a, b)| a * b).collect(),
    }
}
