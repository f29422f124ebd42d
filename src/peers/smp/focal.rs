//! The focal loss.

use super::Mode;
use crate::loss::{Classes, Divisor, Focal, Measure, Modulation};
use crate::peers::{Peer, refuse, single, targets};
use crate::{Activation, Error, Loss, Pool, Problem, Reduction};

const PEER: &str = "FocalLoss";

/// What holds the sum of the modulating factors from below, whatever the argument `eps` says.
const LEAST_MODULATION: f64 = 1e-6;

/// What a class's values become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum FocalReduction {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// Their sum over the samples; of a flat list their sum.
    BatchwiseMean,
    /// Themselves.
    None,
}

/// `FocalLoss(mode, alpha=None, gamma=2.0, ignore_index=None, from_logits=True, eps=1e-7, reduction='mean', normalized=False,
/// reduced_threshold=None, class_weights=None)`: (1 − e^−ℓ)^γ·ℓ·(α·t + (1−α)(1−t)), ℓ the binary cross-entropy of a class
/// against the rest, in mode `multiclass`, too: there is no softmax in it.
///
/// `reduction` makes one number of each class, and what the classes give is averaged, whatever `reduction` is:
///
/// * `sum` is the sum over everything **by the number of classes**;
/// * `none` is the mean, but in mode `binary`, where it gives a value per element, in a flat list;
/// * `batchwise_mean` sums the samples and averages the rest, but in mode `binary`, or with an `ignore_index`, it is the sum:
///   there the original has flattened what it sums.
///
/// `normalized` divides a class's values by the sum of their modulating factors, held above 10⁻⁶ whatever `eps` is. `mean` then
/// divides by their number, too.
///
/// The original takes labels that are no class for background; here they are an error. Not supported, and refused with the reason:
/// `normalized` with `mean` where something does not count (an `ignore_index`, a mask), and in mode `binary` `none` with
/// `normalized` or an `ignore_index`. A mean over nothing is 0, where the original's is NaN.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct FocalLoss {
    /// `binary`, `multiclass` or `multilabel`.
    pub mode: Mode,
    /// α, the weight of the target's part, 1 − α being that of the rest; `None` for 1 and 1.
    #[cfg_attr(feature = "serde", serde(default))]
    pub alpha: Option<f64>,
    /// γ.
    #[cfg_attr(feature = "serde", serde(default = "gamma"))]
    pub gamma: f64,
    /// The target value that does not count. Not in mode `multilabel`, where the original's indexing fails.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ignore_index: Option<i64>,
    /// Whether the input is logits. If not, the original takes in mode `multiclass` not p for a probability but ln p for a
    /// logit, which makes of it p/(1+p).
    #[cfg_attr(feature = "serde", serde(default = "super::yes"))]
    pub from_logits: bool,
    /// Probabilities are held within \[ε, 1 − ε\].
    #[cfg_attr(feature = "serde", serde(default = "eps"))]
    pub eps: f64,
    /// What a class's values become. (`None` in the original is `none`.)
    #[cfg_attr(feature = "serde", serde(default, deserialize_with = "null_is_none"))]
    pub reduction: FocalReduction,
    /// Whether a class is divided by the sum of its modulating factors.
    #[cfg_attr(feature = "serde", serde(default))]
    pub normalized: bool,
    /// θ in (0, 1]: the modulating factor is ((1 − e^−ℓ)/θ)^γ, and 1 where e^−ℓ < θ.
    #[cfg_attr(feature = "serde", serde(default))]
    pub reduced_threshold: Option<f64>,
    /// A weight for every class; the mean over the classes then divides by their sum. Not in mode `binary`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub class_weights: Option<Vec<f64>>,
}

#[cfg(feature = "serde")]
fn gamma() -> f64 {
    2.0
}

#[cfg(feature = "serde")]
fn eps() -> f64 {
    1e-7
}

#[cfg(feature = "serde")]
fn null_is_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<FocalReduction, D::Error> {
    let reduction: Option<FocalReduction> = serde::Deserialize::deserialize(deserializer)?;
    Ok(reduction.unwrap_or(FocalReduction::None))
}

impl FocalLoss {
    /// With the argument that the original has no default for.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            alpha: None,
            gamma: 2.0,
            ignore_index: None,
            from_logits: true,
            eps: 1e-7,
            reduction: FocalReduction::Mean,
            normalized: false,
            reduced_threshold: None,
            class_weights: None,
        }
    }

    /// Refuses what the original fails at, or what no loss here is.
    fn check(&self, problem: &Problem) -> Result<(), Error> {
        let keeps_values = self.reduction == FocalReduction::None;
        let is_map = keeps_values && self.mode == Mode::Binary;
        let refused = [
            (
                self.mode == Mode::Multilabel && self.ignores(problem),
                "mode multilabel takes no ignore_index, the original fails at it; give a mask",
            ),
            (
                self.reduced_threshold.is_some_and(|threshold| threshold <= 0.0),
                "a reduced_threshold of 0 or below is divided by; give one in (0, 1]",
            ),
            (
                self.class_weights.is_some() && (keeps_values || self.sums_samples(problem)),
                "class_weights do not fit the shape that the original makes of this reduction; give mean or sum",
            ),
            (
                is_map && self.ignores(problem),
                "reduction none leaves out what is ignored, so its length depends on the data; give a mask in place of \
                 ignore_index",
            ),
            (is_map && self.normalized, "reduction none of a normalized loss is not supported; give mean or sum"),
            (
                self.divides_twice() && (self.ignores(problem) || problem.mask),
                "the mean of a normalized loss divides by the number of elements that count, too, which is not supported \
                 with an ignore index or a mask; give sum",
            ),
        ];
        match refused.into_iter().find(|(is_refused, _)| *is_refused) {
            Some((_, reason)) => refuse(PEER, reason),
            None => self.mode.check_targets(PEER, problem),
        }
    }

    fn ignores(&self, problem: &Problem) -> bool {
        targets::ignore_index(self.ignore_index, problem).is_some()
    }

    /// Whether the original has the shape of a class left when it sums over the samples.
    fn sums_samples(&self, problem: &Problem) -> bool {
        self.reduction == FocalReduction::BatchwiseMean && self.mode != Mode::Binary && !self.ignores(problem)
    }

    /// Whether it divides by the modulating factors and by the number of elements.
    fn divides_twice(&self) -> bool {
        self.normalized && matches!(self.reduction, FocalReduction::Mean | FocalReduction::None)
    }

    /// The reduction, and what the term is multiplied with, so that it gives the mean over the classes of what `reduction` makes
    /// of each.
    fn reduced(&self, weights: &[f64], problem: &Problem) -> (Reduction, f64) {
        let shape = &problem.shape;
        let (voxels, samples, classes) = (shape.voxels(), shape.samples(), shape.classes());
        let of_a_class = if self.mode == Mode::Binary { samples * classes * voxels } else { samples * voxels };
        let inverse = |number: usize| 1.0 / number.max(1) as f64;
        let left = if self.sums_samples(problem) { inverse(voxels) } else { 1.0 };
        match self.reduction {
            FocalReduction::None if self.mode == Mode::Binary => (Reduction::None, 1.0),
            FocalReduction::Mean | FocalReduction::None if self.normalized => (Reduction::Mean, inverse(of_a_class)),
            FocalReduction::Mean | FocalReduction::None => (Reduction::Mean, 1.0),
            // Divided by the modulating factors, a class's sum is its mean.
            FocalReduction::Sum | FocalReduction::BatchwiseMean if self.normalized => (Reduction::Mean, left),
            FocalReduction::Sum | FocalReduction::BatchwiseMean if self.mode == Mode::Binary => (Reduction::Sum, 1.0),
            FocalReduction::Sum | FocalReduction::BatchwiseMean if weights.is_empty() => {
                (Reduction::Sum, left * inverse(classes))
            }
            FocalReduction::Sum | FocalReduction::BatchwiseMean => (Reduction::Sum, 1.0 / weights.iter().sum::<f64>()),
        }
    }
}

impl Peer for FocalLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        self.check(problem)?;
        let group_weights = self.mode.class_weights(PEER, self.class_weights.as_deref(), &Classes::All, problem)?;
        let (reduction, weight) = self.reduced(&group_weights, problem);
        let side = |weight: fn(f64) -> f64| self.alpha.map(weight).into_iter().collect();
        let focal = Focal {
            gamma: self.gamma,
            modulation: Modulation::Likelihood,
            threshold: self.reduced_threshold.unwrap_or_default(),
            positive_weights: side(|alpha| alpha),
            negative_weights: side(|alpha| 1.0 - alpha),
            clip: if self.from_logits { 0.0 } else { self.eps },
            divisor: if self.normalized { Divisor::Modulation { eps: LEAST_MODULATION } } else { Divisor::Elements },
            pool: if self.mode == Mode::Binary { Pool::All } else { Pool::Batch },
            group_weights,
            normalized: true,
            reduction,
            ..Default::default()
        };
        let activation = match self.mode {
            _ if self.from_logits => Activation::Sigmoid,
            Mode::Multiclass => Activation::Odds,
            Mode::Binary | Mode::Multilabel => Activation::None,
        };
        let mut loss = single(activation, Measure::Focal(focal));
        loss.terms[0].weight = weight;
        Ok(Loss { ignore_index: self.ignore_index, ..loss })
    }

    fn result_shape(&self, problem: &Problem) -> Option<Vec<usize>> {
        let is_map = self.mode == Mode::Binary && self.reduction == FocalReduction::None;
        is_map.then(|| vec![problem.shape.elements()])
    }
}
