//! A summand of a loss.

use super::classes::per_class;
use super::{
    Activation, BinaryCrossEntropy, Classes, CrossEntropy, Empty, Focal, Outer, Overlap, Pool, Reduction, RowWeights,
    Statistic, Wasserstein,
    number::{WEIGHT, is_weight},
};

/// What a term measures.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Measure {
    /// A ratio of overlap sums: Dice, Jaccard, Tversky.
    Overlap(Overlap),
    /// Binary cross-entropy, voxel by voxel and class by class.
    BinaryCrossEntropy(BinaryCrossEntropy),
    /// Cross-entropy over the classes, voxel by voxel.
    CrossEntropy(CrossEntropy),
    /// The focal loss, voxel by voxel and class by class.
    Focal(Focal),
    /// The generalised Wasserstein Dice loss.
    Wasserstein(Wasserstein),
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
            Measure::CrossEntropy(ce) => ce.reduction,
            Measure::Focal(focal) => focal.reduction,
            Measure::Wasserstein(wasserstein) => wasserstein.reduction,
        }
    }

    /// The rows that share one value.
    #[must_use]
    pub fn pool(&self) -> Pool {
        match &self.measure {
            Measure::Overlap(overlap) => overlap.pool,
            Measure::CrossEntropy(ce) => ce.pool,
            Measure::Focal(focal) => focal.pool,
            Measure::Wasserstein(_) => Pool::Classes,
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
                Statistic::BinaryCrossEntropy { activation, label_smoothing: bce.label_smoothing, clip: bce.clip }
            }
            Measure::Wasserstein(wasserstein) => {
                Statistic::Wasserstein { activation, distances: wasserstein.distances.clone() }
            }
            Measure::CrossEntropy(ce) => Statistic::CrossEntropy { activation, gamma: ce.gamma, clip: ce.clip },
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
        !matches!(self.measure, Measure::Overlap(_) | Measure::Wasserstein(_))
    }

    /// What the sums of a class's rows, one of so many classes, are multiplied with before they are pooled; 0 for a class that is
    /// not the term's.
    pub(crate) fn factors(&self, class: usize, classes: usize) -> [f64; 3] {
        if !self.classes.contains(class) {
            return [0.0; 3];
        }
        match &self.measure {
            Measure::Overlap(overlap) => [overlap.row_weight(class); 3],
            Measure::BinaryCrossEntropy(bce) => {
                let [positive, negative] = bce.factors(class);
                [positive, negative, 0.0]
            }
            Measure::CrossEntropy(ce) => ce.factors(class, self.classes.number(classes)),
            Measure::Focal(focal) => focal.factors(class),
            Measure::Wasserstein(wasserstein) => wasserstein.factors(class),
        }
    }

    /// What the value of a group of a class is multiplied with; `None` for a class that is not the term's.
    pub(crate) fn group_weight(&self, class: usize) -> Option<f64> {
        let list = match &self.measure {
            Measure::Overlap(overlap) => &overlap.class_weights,
            Measure::BinaryCrossEntropy(_) | Measure::CrossEntropy(_) | Measure::Wasserstein(_) => {
                return self.classes.contains(class).then_some(1.0);
            }
            Measure::Focal(focal) => &focal.group_weights,
        };
        self.classes.contains(class).then(|| per_class(list, class))
    }

    /// Whether a mean divides by the sum of the groups' weights.
    pub(crate) fn is_normalized(&self) -> bool {
        match &self.measure {
            Measure::Overlap(overlap) => overlap.normalized,
            Measure::BinaryCrossEntropy(_) | Measure::CrossEntropy(_) | Measure::Wasserstein(_) => false,
            Measure::Focal(focal) => focal.normalized,
        }
    }

    /// Whether a group of weight 0 that is NaN makes the value NaN.
    pub(crate) fn zero_keeps_nan(&self) -> bool {
        matches!(&self.measure, Measure::Overlap(Overlap { zero_keeps_nan: true, .. }))
    }

    /// Whether rows weigh by their volume, which only the data tells.
    pub(crate) fn weighs_volumes(&self) -> bool {
        match &self.measure {
            Measure::Overlap(overlap) => {
                matches!(overlap.row_weights, RowWeights::InverseVolume | RowWeights::InverseSquaredVolume)
            }
            Measure::Wasserstein(wasserstein) => wasserstein.by_volume,
            _ => false,
        }
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
            Measure::CrossEntropy(ce) => ce.fits(classes),
            Measure::Focal(focal) => focal.fits(classes),
            Measure::Wasserstein(wasserstein) => wasserstein.fits(classes),
        }
    }

    /// Checks what does not depend on the problem.
    pub(super) fn check(&self) -> Result<(), String> {
        if !is_weight(self.weight) {
            return Err(format!("the weight is {:?}, its magnitude must be {WEIGHT}", self.weight));
        }
        self.check_activation()?;
        match &self.measure {
            Measure::Overlap(overlap) => overlap.check(),
            Measure::BinaryCrossEntropy(bce) => bce.check(),
            Measure::CrossEntropy(ce) => ce.check(),
            Measure::Focal(focal) => focal.check(),
            Measure::Wasserstein(wasserstein) => wasserstein.check(),
        }
    }

    /// Whether what it measures can be measured of such a p.
    fn check_activation(&self) -> Result<(), String> {
        use Activation::{Argmax, ForegroundSoftmax, LogSoftmax, None, Normalized, Odds, Sigmoid, Softmax, Tanh};
        let refuse = |reason: &str| Err(reason.to_owned());
        match (self.activation, &self.measure) {
            (ForegroundSoftmax, _) if self.classes.contains(0) => {
                refuse("a softmax over the foreground knows no class 0; leave it out of the term's classes")
            }
            (Argmax, Measure::Overlap(overlap)) if overlap.threshold.is_none() => {
                refuse("an argmax is hard; give the overlap a threshold, which its target is compared with")
            }
            (LogSoftmax, Measure::Overlap(overlap)) if overlap.threshold.is_some() => {
                refuse("a hard overlap of a log-softmax is one of the softmax; give that")
            }
            (Odds, Measure::Overlap(_) | Measure::CrossEntropy(_)) => refuse(
                "odds are of one class; give them to a binary cross-entropy or a focal loss, or give probabilities",
            ),
            (Normalized, Measure::CrossEntropy(_)) => Ok(()),
            (Normalized, _) => refuse("what is normalised is taken by the cross-entropy over classes only"),
            (_, Measure::Overlap(_)) | (Softmax, Measure::Wasserstein(_)) => Ok(()),
            (_, Measure::Wasserstein(_)) => refuse("the distance of a prediction from its label takes a softmax"),
            (Tanh, _) => refuse("tanh makes no probabilities, so there is no cross-entropy of it"),
            (LogSoftmax | Argmax, _) => {
                refuse("cross-entropy takes probabilities: the softmax itself, not its logarithm or its largest")
            }
            (Softmax | ForegroundSoftmax, Measure::BinaryCrossEntropy(_) | Measure::Focal(_)) => refuse(
                "a binary cross-entropy or focal loss is taken class by class and has no softmax; add it after `softmax()`, \
                     or give the cross-entropy over classes",
            ),
            (None | Sigmoid | Odds | Softmax | ForegroundSoftmax, _) => Ok(()),
        }
    }

    /// What it gives, in words: terms add up only with their like.
    pub(super) fn result_shape(&self) -> &'static str {
        match (&self.measure, self.reduction()) {
            (_, Reduction::Mean | Reduction::Sum) => "one number",
            (_, Reduction::PerVoxel) => "one value per voxel",
            (Measure::BinaryCrossEntropy(_) | Measure::CrossEntropy(_) | Measure::Focal(_), Reduction::None) => {
                "one value per voxel and class"
            }
            (Measure::Overlap(_) | Measure::Wasserstein(_), Reduction::None) => match self.pool() {
                Pool::None => "one value per sample and class",
                Pool::Batch => "one value per class",
                Pool::Classes => "one value per sample",
                Pool::All => "one value for the whole batch",
            },
        }
    }
}
