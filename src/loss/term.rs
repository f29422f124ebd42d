//! A summand of a loss.

use super::classes::per_class;
use super::{
    Activation, BinaryCrossEntropy, Classes, Empty, Focal, Outer, Overlap, Pool, Reduction, RowWeights, Statistic,
    is_storable,
};

/// What a term measures.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Measure {
    /// A ratio of overlap sums: Dice, Jaccard, Tversky.
    Overlap(Overlap),
    /// Binary cross-entropy, voxel by voxel.
    BinaryCrossEntropy(BinaryCrossEntropy),
    /// The focal loss, voxel by voxel.
    Focal(Focal),
}

/// One summand of a [`Loss`](super::Loss).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Term {
    /// The factor in front of it.
    #[cfg_attr(feature = "serde", serde(default = "one"))]
    pub weight: f64,
    /// How its input becomes probabilities.
    #[cfg_attr(feature = "serde", serde(default))]
    pub activation: Activation,
    /// The classes it is made of.
    #[cfg_attr(feature = "serde", serde(default))]
    pub classes: Classes,
    /// What it measures.
    pub measure: Measure,
}

#[cfg(feature = "serde")]
fn one() -> f64 {
    1.0
}

impl Term {
    /// A term of weight 1 over all classes.
    #[must_use]
    pub fn new(activation: Activation, measure: Measure) -> Self {
        Self { weight: 1.0, activation, classes: Classes::All, measure }
    }

    /// The reduction of its values.
    #[must_use]
    pub fn reduction(&self) -> Reduction {
        match &self.measure {
            Measure::Overlap(overlap) => overlap.reduction,
            Measure::BinaryCrossEntropy(bce) => bce.reduction,
            Measure::Focal(focal) => focal.reduction,
        }
    }

    /// The rows that share one value.
    #[must_use]
    pub fn pool(&self) -> Pool {
        match &self.measure {
            Measure::Overlap(overlap) => overlap.pool,
            Measure::Focal(focal) => focal.pool,
            Measure::BinaryCrossEntropy(_) => Pool::All,
        }
    }

    /// The row sums it is a function of.
    #[must_use]
    pub fn statistic(&self) -> Statistic {
        let activation = self.activation;
        match &self.measure {
            Measure::Overlap(overlap) => overlap.statistic(activation),
            Measure::BinaryCrossEntropy(bce) => {
                Statistic::CrossEntropy { activation, label_smoothing: bce.label_smoothing, clip: bce.clip }
            }
            Measure::Focal(focal) => Statistic::Focal {
                activation,
                modulation: focal.modulation,
                gamma: focal.gamma,
                threshold: focal.threshold,
                label_smoothing: focal.label_smoothing,
                clip: focal.clip,
            },
        }
    }

    /// Whether it is a sum over voxels.
    pub(crate) fn is_pointwise(&self) -> bool {
        !matches!(self.measure, Measure::Overlap(_))
    }

    /// What the sums of a class's rows are multiplied with before they are pooled; 0 for a class that is not the term's.
    pub(crate) fn factors(&self, class: usize) -> [f64; 3] {
        if !self.classes.contains(class) {
            return [0.0; 3];
        }
        match &self.measure {
            Measure::Overlap(overlap) => [overlap.row_weight(class); 3],
            Measure::BinaryCrossEntropy(bce) => {
                let [positive, negative] = bce.factors(class);
                [positive, negative, 0.0]
            }
            Measure::Focal(focal) => focal.factors(class),
        }
    }

    /// What the value of a group of a class is multiplied with; `None` for a class that is not the term's.
    pub(crate) fn group_weight(&self, class: usize) -> Option<f64> {
        let list = match &self.measure {
            Measure::Overlap(overlap) => &overlap.class_weights,
            Measure::BinaryCrossEntropy(_) => return self.classes.contains(class).then_some(1.0),
            Measure::Focal(focal) => &focal.group_weights,
        };
        self.classes.contains(class).then(|| per_class(list, class))
    }

    /// Whether a mean divides by the sum of the groups' weights.
    pub(crate) fn is_normalized(&self) -> bool {
        match &self.measure {
            Measure::Overlap(overlap) => overlap.normalized,
            Measure::BinaryCrossEntropy(_) => false,
            Measure::Focal(focal) => focal.normalized,
        }
    }

    /// Whether rows weigh by their volume, which only the data tells.
    pub(crate) fn weighs_volumes(&self) -> bool {
        let Measure::Overlap(overlap) = &self.measure else { return false };
        matches!(overlap.row_weights, RowWeights::InverseVolume | RowWeights::InverseSquaredVolume)
    }

    /// What becomes of groups whose target is empty.
    pub(crate) fn empty(&self) -> Empty {
        match &self.measure {
            Measure::Overlap(overlap) => overlap.empty,
            _ => Empty::Keep,
        }
    }

    /// What becomes of its reduced value.
    pub(crate) fn outer(&self) -> Outer {
        match &self.measure {
            Measure::Overlap(overlap) => overlap.outer,
            _ => Outer::Identity,
        }
    }

    /// Checks what depends on the number of classes.
    pub(crate) fn fits(&self, classes: usize) -> Result<(), String> {
        self.classes.check(classes)?;
        match &self.measure {
            Measure::Overlap(overlap) => overlap.fits(classes),
            Measure::BinaryCrossEntropy(bce) => bce.fits(classes),
            Measure::Focal(focal) => focal.fits(classes),
        }
    }

    /// Checks what does not depend on the problem.
    pub(super) fn check(&self) -> Result<(), String> {
        match &self.measure {
            _ if !is_storable(self.weight) => {
                Err(format!("the weight is {}, it must be 0 or a normal f32", self.weight))
            }
            Measure::Overlap(overlap) => overlap.check(),
            _ if self.activation == Activation::Tanh => {
                Err("tanh makes no probabilities, so there is no cross-entropy of it".to_owned())
            }
            Measure::BinaryCrossEntropy(bce) => bce.check(),
            Measure::Focal(focal) => focal.check(),
        }
    }

    /// What it gives, in words: terms add up only with their like.
    pub(super) fn result_shape(&self) -> &'static str {
        match (&self.measure, self.reduction()) {
            (_, Reduction::Mean | Reduction::Sum) => "one number",
            (Measure::BinaryCrossEntropy(_) | Measure::Focal(_), Reduction::None) => "one value per voxel",
            (Measure::Overlap(overlap), Reduction::None) => match overlap.pool {
                Pool::None => "one value per sample and class",
                Pool::Batch => "one value per class",
                Pool::Classes => "one value per sample",
                Pool::All => "one value for the whole batch",
            },
        }
    }
}
