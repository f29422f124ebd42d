//! Losses as plain data.
//!
//! A [`Loss`] is a weighted sum of [`Term`]s. A term is an [`Overlap`] (Dice and its family) or a sum over voxels
//! ([`BinaryCrossEntropy`], [`CrossEntropy`], [`Focal`]), computed from logits through an [`Activation`] or from probabilities as
//! given.
//! Nothing here touches a GPU: a loss can be built, compared, printed and stored anywhere.
//!
//! ```
//! use segloss::{Loss, Pool};
//!
//! // Batch Dice with smoothing 1, plus half a cross-entropy, both from logits.
//! let loss = Loss::dice().smooth(1.0).pool(Pool::Batch).with(0.5, Loss::bce());
//! assert_eq!(loss.terms.len(), 2);
//! ```

mod aggregate;
mod classes;
mod map;
mod number;
mod overlap;
mod pointwise;
mod shape;
mod statistic;
mod term;
mod wasserstein;

pub use aggregate::{Empty, Outer};
pub use classes::Classes;
pub use overlap::{Formula, Intersection, Map, Overlap, Pool, RowWeights};
pub use pointwise::{BinaryCrossEntropy, CrossEntropy, Divisor, Focal, Modulation};
pub use statistic::{MAX_STATISTICS, Statistic};
pub use term::{Measure, Term};
pub use wasserstein::{Distances, Wasserstein};

use crate::Error;

/// How the numbers handed in become probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Activation {
    /// They are probabilities already; the gradient is taken with respect to them.
    None,
    /// They are logits z, p = σ(z) = 1/(1+e^−z); the gradient is taken with respect to z.
    #[default]
    Sigmoid,
    /// p = tanh(z), of overlaps only; the gradient is taken with respect to z.
    Tanh,
    /// They are odds x ≥ 0, p = x/(1+x) = σ(ln x), of losses that are sums over voxels and classes only; the gradient is taken with
    /// respect to x. Odds below 2⁻¹²⁶ count as that. A clip ε holds x, not p, within [ε, 1−ε]. (Probabilities are taken for
    /// odds by the focal loss of segmentation_models.pytorch.)
    Odds,
    /// They are logits, p_c = e^z_c / Σ_k e^z_k over the classes of a voxel; the gradient is taken with respect to z.
    Softmax,
    /// p_c = ln(e^z_c / Σ_k e^z_k), of overlaps only.
    LogSoftmax,
    /// They are non-negative numbers x, p_c = x_c / Σ_k x_k over the classes of a voxel, which is the softmax of ln x; of cross-entropy
    /// over classes only. The gradient is taken with respect to x. Numbers below 2⁻¹²⁶, and negative ones, count as that.
    /// A clip holds p, with gradient 0 outside. (Keras makes probabilities add up to 1 in this way.)
    Normalized,
    /// The softmax of all classes but class 0, the background, which has p = 0 and gradient 0.
    ForegroundSoftmax,
    /// p = 1 for the class of a voxel that has the largest input, the first of equal ones, else 0. Of overlaps with a threshold
    /// only: exact counts, no gradient.
    Argmax,
}

impl Activation {
    /// Whether a class's p depends on the other classes of its voxel, too.
    ///
    /// If a loss has such a term, a voxel counts or does not count as a whole: what is unusable, masked or ignored in one of its
    /// classes leaves out all of them.
    #[must_use]
    pub fn couples_classes(self) -> bool {
        matches!(self, Self::Softmax | Self::LogSoftmax | Self::Normalized | Self::ForegroundSoftmax | Self::Argmax)
    }
}

/// How a term's values become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Reduction {
    /// They do not: one value per group for an overlap, one per element (voxel and class) for a sum over voxels.
    None,
    /// One value per voxel, the sum over its classes. Of sums over voxels only.
    PerVoxel,
    /// Their mean. A mean over nothing (no rows, or everything masked) is 0.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

/// A loss: the weighted sum of its terms, evaluated in one pass over the data.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Loss {
    /// The summands.
    pub terms: Vec<Term>,
    /// The label (or value of a dense target) whose voxels do not count, unless the problem names one itself.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ignore_index: Option<i64>,
}

impl Loss {
    /// The sum of terms, without an ignore index.
    #[must_use]
    pub fn of(terms: Vec<Term>) -> Self {
        Self { terms, ignore_index: None }
    }

    /// A loss of one term of weight 1 on logits.
    fn single(measure: Measure) -> Self {
        Self::of(vec![Term::new(Activation::Sigmoid, measure)])
    }

    /// The Dice loss 1 − 2I/(P+T) from logits through a sigmoid, per (sample, class), averaged. [`softmax`](Self::softmax) makes
    /// it one of a softmax, [`probabilities`](Self::probabilities) one of what is given.
    ///
    /// Unsmoothed: a row where prediction and target are both empty has the value NaN and
    /// gradient 0; [`smooth`](Self::smooth) gives it a number.
    #[must_use]
    pub fn dice() -> Self {
        Self::single(Measure::Overlap(Overlap::dice()))
    }

    /// The Jaccard loss 1 − I/(P+T−I) from logits through a sigmoid.
    #[must_use]
    pub fn jaccard() -> Self {
        Self::single(Measure::Overlap(Overlap::jaccard()))
    }

    /// The Tversky loss 1 − I/(I + α(P−I) + β(T−I)) from logits through a sigmoid: α weighs false positives, β false
    /// negatives.
    #[must_use]
    pub fn tversky(alpha: f64, beta: f64) -> Self {
        Self::single(Measure::Overlap(Overlap::tversky(alpha, beta)))
    }

    /// Binary cross-entropy from logits through a sigmoid, averaged over all elements.
    #[must_use]
    pub fn bce() -> Self {
        Self::single(Measure::BinaryCrossEntropy(BinaryCrossEntropy::default()))
    }

    /// Cross-entropy of the softmax of logits, averaged over the voxels.
    #[must_use]
    pub fn cross_entropy() -> Self {
        Self::single(Measure::CrossEntropy(CrossEntropy::default())).activation(Activation::Softmax)
    }

    /// The focal loss from logits through a sigmoid, averaged over all elements, without α.
    #[must_use]
    pub fn focal(gamma: f64) -> Self {
        Self::single(Measure::Focal(Focal { gamma, ..Focal::default() }))
    }

    /// The generalised Dice loss from logits through a sigmoid: the classes of a sample pooled, each weighing 1/T².
    #[must_use]
    pub fn generalized_dice() -> Self {
        let row_weights = RowWeights::InverseSquaredVolume;
        Self::single(Measure::Overlap(Overlap { row_weights, pool: Pool::Classes, ..Overlap::dice() }))
    }

    /// 1 − the Matthews correlation coefficient from logits through a sigmoid, of everything pooled, 1e-5 added to each count.
    #[must_use]
    pub fn matthews() -> Self {
        let formula = Formula::Matthews { eps: 1e-5 };
        Self::single(Measure::Overlap(Overlap { formula, pool: Pool::All, ..Overlap::dice() }))
    }

    /// This loss plus `weight` times another one, whose ignore index is taken where this one has none.
    #[must_use]
    pub fn with(mut self, weight: f64, other: Self) -> Self {
        self.ignore_index = self.ignore_index.or(other.ignore_index);
        self.terms.extend(other.terms.into_iter().map(|term| Term { weight: weight * term.weight, ..term }));
        self
    }

    /// Takes the input as probabilities, in every term added so far.
    ///
    /// They should lie in [0, 1], which is not checked: outside, the formulas are evaluated as they stand.
    #[must_use]
    pub fn probabilities(self) -> Self {
        self.activation(Activation::None)
    }

    /// Makes probabilities of the input by softmax, in every term added so far.
    #[must_use]
    pub fn softmax(self) -> Self {
        self.activation(Activation::Softmax)
    }

    /// Makes probabilities of the input in some other way, in every term added so far.
    #[must_use]
    pub fn activation(mut self, activation: Activation) -> Self {
        for term in &mut self.terms {
            term.activation = activation;
        }
        self
    }

    /// Adds `constant` to numerator and denominator of every overlap term. Cross-entropy is not touched.
    #[must_use]
    pub fn smooth(self, constant: f64) -> Self {
        self.overlaps(|o| {
            o.smooth_numerator = constant;
            o.smooth_denominator = constant;
        })
    }

    /// Uses Σp² and Σt² as the cardinalities of every overlap term.
    #[must_use]
    pub fn squared(self) -> Self {
        self.overlaps(|o| o.squared = true)
    }

    /// Pools the sums of every overlap term before the ratio.
    #[must_use]
    pub fn pool(self, pool: Pool) -> Self {
        self.overlaps(|o| o.pool = pool)
    }

    /// What every overlap term makes of its score.
    #[must_use]
    pub fn map(self, map: Map) -> Self {
        self.overlaps(|o| o.map = map)
    }

    /// Thresholds prediction and target of every overlap term: hard metrics, without a gradient.
    #[must_use]
    pub fn hard(self, threshold: f64) -> Self {
        self.overlaps(|o| o.threshold = Some(threshold))
    }

    /// The label (or value of a dense target) that does not count.
    #[must_use]
    pub fn ignore_index(mut self, index: i64) -> Self {
        self.ignore_index = Some(index);
        self
    }

    /// The classes of every term.
    #[must_use]
    pub fn classes(mut self, classes: Classes) -> Self {
        for term in &mut self.terms {
            term.classes = classes.clone();
        }
        self
    }

    /// The reduction of every term.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        for term in &mut self.terms {
            match &mut term.measure {
                Measure::Overlap(overlap) => overlap.reduction = reduction,
                Measure::BinaryCrossEntropy(bce) => bce.reduction = reduction,
                Measure::CrossEntropy(ce) => ce.reduction = reduction,
                Measure::Focal(focal) => focal.reduction = reduction,
                Measure::Wasserstein(wasserstein) => wasserstein.reduction = reduction,
            }
        }
        self
    }

    fn overlaps(mut self, change: impl Fn(&mut Overlap)) -> Self {
        for term in &mut self.terms {
            if let Measure::Overlap(overlap) = &mut term.measure {
                change(overlap);
            }
        }
        self
    }

    /// The distinct row sums the terms need, in the order the engine accumulates them.
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistic> {
        let mut distinct = Vec::new();
        for statistic in self.terms.iter().map(Term::statistic) {
            if !distinct.contains(&statistic) {
                distinct.push(statistic);
            }
        }
        distinct
    }

    /// Whether the loss is a map of one value per element or voxel: a sum over voxels without a reduction.
    #[must_use]
    pub fn is_voxel_map(&self) -> bool {
        self.map_reduction().is_some()
    }

    /// The reduction of a loss that is a map: [`None`](Reduction::None) for one value per element, of the logits' shape, or
    /// [`PerVoxel`](Reduction::PerVoxel), of the shape `[N, spatial…]`.
    #[must_use]
    pub fn map_reduction(&self) -> Option<Reduction> {
        let of_term = |term: &Term| match term.reduction() {
            reduction @ (Reduction::None | Reduction::PerVoxel) if term.is_pointwise() => Some(reduction),
            _ => None,
        };
        self.terms.iter().find_map(of_term)
    }

    /// Whether the classes of a voxel have to be seen together: an activation couples them, or the map adds them up.
    #[must_use]
    pub fn couples_classes(&self) -> bool {
        self.terms.iter().any(|term| term.activation.couples_classes())
            || self.map_reduction() == Some(Reduction::PerVoxel)
    }

    /// The first class that a softmax is taken over.
    pub(crate) fn first_coupled(&self) -> u32 {
        u32::from(self.terms.iter().any(|term| term.activation == Activation::ForegroundSoftmax))
    }

    /// Checks that the description means something, and that an f32 can reckon with each of its numbers: weights and factors are 0 or
    /// between 1e-18 and 1e18, constants 0 or normal f32s up to 1e18, exponents at most 100.
    ///
    /// # Errors
    /// [`Error::Loss`] without terms; for a number that is not finite or out of range; for more than
    /// [`MAX_STATISTICS`] distinct statistics; for terms of different result shapes.
    pub fn validate(&self) -> Result<(), Error> {
        let Some(first) = self.terms.first() else {
            return Err(Error::Loss("it has no terms".into()));
        };
        for (index, term) in self.terms.iter().enumerate() {
            term.check().map_err(|reason| Error::Loss(format!("term {index}: {reason}")))?;
            if term.result_shape() != first.result_shape() {
                return Err(Error::Loss(format!(
                    "term 0 gives {} and term {index} gives {}; terms without a reduction add up only with their like",
                    first.result_shape(),
                    term.result_shape(),
                )));
            }
        }
        let has = |activation| self.terms.iter().any(|term| term.activation == activation);
        let whole = [Activation::Softmax, Activation::LogSoftmax, Activation::Argmax].into_iter().any(has);
        if has(Activation::ForegroundSoftmax) && (whole || has(Activation::Normalized)) {
            let reason = "it takes a softmax over all classes and one over the foreground; split it into two losses";
            return Err(Error::Loss(reason.into()));
        }
        if has(Activation::Normalized) && whole {
            let reason = "it takes its input as logits and as what is to be normalised; split it into two losses";
            return Err(Error::Loss(reason.into()));
        }
        let distances = self.statistics().iter().filter(|s| matches!(s, Statistic::Wasserstein { .. })).count();
        if distances > 1 {
            let reason = "its terms measure distances in more than one way; split it into two losses";
            return Err(Error::Loss(reason.into()));
        }
        let statistics = self.statistics().len();
        if statistics > MAX_STATISTICS {
            return Err(Error::Loss(format!(
                "its terms need {statistics} different sets of sums, one pass carries {MAX_STATISTICS}; split it into two losses"
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_share_their_statistics() {
        let loss = Loss::dice().with(0.5, Loss::jaccard()).with(2.0, Loss::bce());
        assert_eq!(loss.statistics().len(), 2);
        assert_eq!(loss.terms[2].weight, 2.0);
        assert_eq!(Loss::dice().with(1.0, Loss::dice().squared()).statistics().len(), 2);
    }

    #[test]
    fn nonsense_is_refused_with_its_values() {
        let refused = |loss: Loss| loss.validate().unwrap_err().to_string();
        assert!(refused(Loss::of(vec![])).contains("no terms"));
        assert!(refused(Loss::dice().with(f64::NAN, Loss::bce())).contains("NaN"));
        assert!(refused(Loss::dice().smooth(f64::INFINITY)).contains("inf"));
        assert!(refused(Loss::tversky(-1.0, 0.5)).contains("-1"));
        assert!(refused(Loss::dice().map(Map::Power { gamma: 0.0 })).contains("gamma"));
        assert!(refused(Loss::dice().with(1.0, Loss::bce().reduction(Reduction::None))).contains("per voxel"));
        let many = (1..=5).fold(Loss::bce(), |loss, i| loss.with(1.0, Loss::dice().hard(f64::from(i) / 8.0)));
        assert!(refused(many).contains("6 different"));
        Loss::dice().smooth(1.0).with(0.5, Loss::bce()).validate().unwrap();
        let normalised = Loss::cross_entropy().activation(Activation::Normalized);
        assert!(refused(Loss::cross_entropy().with(1.0, normalised)).contains("as what is to be normalised"));
        assert!(refused(Loss::dice().activation(Activation::Normalized)).contains("over classes only"));
    }
}
