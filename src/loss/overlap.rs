//! The overlap family: one formula, its choices as fields.

use std::slice;

use super::classes::{fits, per_class};
use super::number::{CONSTANT, EXPONENT, WEIGHT, is_exponent, is_positive, is_storable, is_weight};
use super::{Activation, Empty, Outer, Reduction, Statistic};

/// Which rows are added up before the ratio is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Pool {
    /// None: one score per (sample, class), in row order.
    #[default]
    None,
    /// The samples: one score per class ("batch Dice").
    Batch,
    /// The classes: one score per sample.
    Classes,
    /// Everything: one score.
    All,
}

impl Pool {
    /// The number of scores of a problem with N samples and C classes.
    #[must_use]
    pub fn groups(self, samples: usize, classes: usize) -> usize {
        match self {
            Self::None => samples * classes,
            Self::Batch => classes,
            Self::Classes => samples,
            Self::All => usize::from(samples * classes > 0),
        }
    }

    /// The group that the row (sample, class) belongs to.
    #[must_use]
    pub fn group(self, sample: usize, class: usize, classes: usize) -> usize {
        match self {
            Self::None => sample * classes + class,
            Self::Batch => class,
            Self::Classes => sample,
            Self::All => 0,
        }
    }
}

/// What a term makes of a score s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum Map {
    /// s, the coefficient itself.
    Score,
    /// 1 − s.
    #[default]
    Complement,
    /// −s (nnU-Net).
    Negated,
    /// −ln max(s, ε), with gradient 0 where s ≤ ε.
    NegLog {
        /// ε, above 0.
        eps: f64,
    },
    /// max(1 − s, 0)^γ (focal Tversky), with gradient 0 where s ≥ 1.
    Power {
        /// γ, above 0.
        gamma: f64,
    },
}

/// How much a voxel of p and t has in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Intersection {
    /// p·t.
    #[default]
    Product,
    /// min(p, t), as (|p| + |t| − |p − t|)/2: of soft targets its loss is least at p = t, where the product's is not.
    /// P and T are then Σ|p| and Σ|t|, and a gradient at p = t is half of either side's (sign 0 = 0). With squared
    /// cardinalities, (p² + t² − (p − t)²)/2, it is the product.
    Minimum,
    /// The same of numbers that are not negative, with Σp and Σt: at p = 0, too, the gradient is that from above, where
    /// [`Minimum`](Self::Minimum)'s is between both sides'.
    MinimumOfPositive,
}

/// What the sums of a row are multiplied with before they are pooled.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum RowWeights {
    /// Nothing.
    #[default]
    Equal,
    /// A number for each class.
    PerClass(Vec<f64>),
    /// 1/T of the row, or of the class in the whole batch where the batch is pooled (generalised Dice, "simple").
    ///
    /// An empty row would weigh infinitely much: it weighs as much as the heaviest of its sample (of all, where the batch
    /// is pooled), and 0 if all are empty. The weights are constants to the gradient, since T belongs to the target.
    InverseVolume,
    /// 1/T², likewise (generalised Dice, "square").
    InverseSquaredVolume,
}

/// What is made of a group's sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum Formula {
    /// The ratio of [`Overlap`]'s documentation.
    #[default]
    Ratio,
    /// The correlation coefficient of Matthews, of the soft counts TP = I, FP = P − I, FN = T − I and TN = Σm − P − T + I:
    ///
    /// ```text
    /// s = (TP·TN − FP·FN + smooth_numerator) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN) + smooth_denominator),
    /// each count with ε added;  1, with gradient 0, where FP and FN are 0
    /// ```
    ///
    /// Factor, α, β and floor are not used. It needs sums that are counts: no voxel weights, no squares. A root of 0 gives the score
    /// NaN, as a denominator of 0 does. On the GPU TN is what the others leave of the number of voxels, within 10⁻⁷ of that: where
    /// nearly everything is foreground, the score has fewer digits.
    Matthews {
        /// ε, 0 for none.
        eps: f64,
    },
}

/// A ratio of overlap sums.
///
/// With I = Σ m·w·p·t, P = Σ m·w·pᵏ, T = Σ m·w·tᵏ over a row or a [`Pool`] of rows (m the mask, w the
/// voxel weight, k = 2 if `squared`, else 1), the score is
///
/// ```text
/// s = (f·I + smooth_numerator) / max(f·(I + α(P−I) + β(T−I)) + smooth_denominator, floor)
/// ```
///
/// f = 2, α = β = ½ is Dice, 2I/(P+T); f = 1, α = β = 1 is Jaccard, I/(P+T−I); f = 1 with free α, β is
/// Tversky. A denominator of exactly 0 gives the score NaN and gradient 0.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct Overlap {
    /// Whether the cardinalities are sums of squares.
    pub squared: bool,
    /// f, the factor of the intersection.
    pub factor: f64,
    /// α, the weight of false positives P − I.
    pub alpha: f64,
    /// β, the weight of false negatives T − I.
    pub beta: f64,
    /// The constant added to the numerator.
    pub smooth_numerator: f64,
    /// The constant added to the denominator.
    pub smooth_denominator: f64,
    /// The least value of the denominator; 0 for none.
    pub floor: f64,
    /// The rows added up before the ratio.
    pub pool: Pool,
    /// What becomes of the score.
    pub map: Map,
    /// How the groups' values become one number.
    pub reduction: Reduction,
    /// What p and t have in common.
    pub intersection: Intersection,
    /// What is made of the sums.
    pub formula: Formula,
    /// What rows weigh before they are pooled.
    pub row_weights: RowWeights,
    /// What becomes of groups whose target is empty.
    pub empty: Empty,
    /// What the groups' values are multiplied with, where groups have a class: empty for 1, one number, or C.
    pub class_weights: Vec<f64>,
    /// Whether a mean divides by the sum of the class weights rather than by the number of groups.
    pub normalized: bool,
    /// Whether a group of weight 0 that is NaN makes the reduced value NaN, as 0·NaN does (MONAI, segmentation_models.pytorch),
    /// rather than being left out.
    pub zero_keeps_nan: bool,
    /// What becomes of the reduced value.
    pub outer: Outer,
    /// Whether voxels that the mask drops are background in the target all the same: class 0's T counts them. (MONAI's
    /// masked Dice makes class 0 of what it masks.)
    pub masked_is_background: bool,
    /// Where given, p and t are replaced by 0 or 1, whichever side of the threshold they lie
    /// (1 if strictly above); the sums are exact counts and there is no gradient. Through a softmax p is compared as an f32, which
    /// may be the threshold where p is next to it; the largest logit, [`Argmax`](super::Activation::Argmax), is exact.
    pub threshold: Option<f64>,
}

impl Default for Overlap {
    fn default() -> Self {
        Self::dice()
    }
}

impl Overlap {
    /// 1 − 2I/(P+T), unsmoothed.
    #[must_use]
    pub fn dice() -> Self {
        Self {
            squared: false,
            factor: 2.0,
            alpha: 0.5,
            beta: 0.5,
            smooth_numerator: 0.0,
            smooth_denominator: 0.0,
            floor: 0.0,
            pool: Pool::None,
            map: Map::Complement,
            reduction: Reduction::Mean,
            intersection: Intersection::Product,
            formula: Formula::Ratio,
            row_weights: RowWeights::Equal,
            empty: Empty::Keep,
            class_weights: vec![],
            normalized: false,
            zero_keeps_nan: false,
            outer: Outer::Identity,
            masked_is_background: false,
            threshold: None,
        }
    }

    /// 1 − I/(P+T−I), unsmoothed.
    #[must_use]
    pub fn jaccard() -> Self {
        Self::tversky(1.0, 1.0)
    }

    /// 1 − I/(I + α(P−I) + β(T−I)), unsmoothed.
    #[must_use]
    pub fn tversky(alpha: f64, beta: f64) -> Self {
        Self { factor: 1.0, alpha, beta, ..Self::dice() }
    }

    pub(super) fn statistic(&self, activation: Activation) -> Statistic {
        match self.threshold {
            Some(threshold) => Statistic::HardOverlap { activation, threshold },
            None => Statistic::Overlap {
                activation,
                squared: self.squared,
                // Of squares the minimum is the product.
                intersection: if self.squared { Intersection::Product } else { self.intersection },
            },
        }
    }

    /// What a row of a class weighs before pooling, as far as that is known beforehand.
    pub(crate) fn row_weight(&self, class: usize) -> f64 {
        match &self.row_weights {
            RowWeights::PerClass(list) => per_class(list, class),
            _ => 1.0,
        }
    }

    /// The weight of a row that has T = `volume`, before the rule for infinite ones.
    pub(crate) fn volume_weight(&self, volume: f64) -> Option<f64> {
        match self.row_weights {
            RowWeights::InverseVolume => Some(1.0 / volume),
            RowWeights::InverseSquaredVolume => Some(1.0 / (volume * volume)),
            _ => None,
        }
    }

    /// Checks what depends on the number of classes.
    pub(super) fn fits(&self, classes: usize) -> Result<(), String> {
        fits("class_weights", &self.class_weights, classes)?;
        match &self.row_weights {
            RowWeights::PerClass(list) => fits("row_weights", list, classes),
            _ => Ok(()),
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let fail = |name, value: f64, rule| Err(format!("{name} is {value:?}, it must be {rule}"));
        let constants = [
            ("smooth_numerator", self.smooth_numerator),
            ("smooth_denominator", self.smooth_denominator),
            ("floor", self.floor),
        ];
        for (name, value) in constants {
            if !is_storable(value) || value < 0.0 {
                return fail(name, value, CONSTANT);
            }
        }
        let row_weights = match &self.row_weights {
            RowWeights::PerClass(list) => &list[..],
            _ => &[],
        };
        let weights = [
            ("alpha", slice::from_ref(&self.alpha)),
            ("beta", slice::from_ref(&self.beta)),
            ("class_weights", &self.class_weights),
            ("row_weights", row_weights),
        ];
        for (name, list) in weights {
            if let Some(&weight) = list.iter().find(|&&w| !is_weight(w) || w < 0.0) {
                return fail(name, weight, WEIGHT);
            }
        }
        if self.outer != Outer::Identity && self.reduction == Reduction::None {
            return Err("the outer map is taken of a reduced value; reduce it to a mean or a sum".to_owned());
        }
        if let (Formula::Matthews { .. }, true) = (self.formula, self.squared || self.row_weights != RowWeights::Equal)
        {
            return Err("the Matthews correlation is one of counts; leave out squares and row weights".to_owned());
        }
        if self.reduction == Reduction::PerVoxel {
            return Err("an overlap has no value per voxel; give it another reduction".to_owned());
        }
        let threshold = self.threshold.unwrap_or_default();
        match (self.formula, self.outer) {
            (Formula::Matthews { eps }, _) if eps != 0.0 && !is_positive(eps) => {
                return fail("eps", eps, CONSTANT);
            }
            (_, Outer::Power { gamma }) if !is_exponent(gamma) => return fail("gamma", gamma, EXPONENT),
            _ => {}
        }
        match self.map {
            _ if !is_storable(threshold) => fail("threshold", threshold, "0 or a normal f32 up to 1e18"),
            _ if self.factor <= 0.0 || !is_weight(self.factor) => fail("factor", self.factor, "between 1e-18 and 1e18"),
            Map::NegLog { eps } if !is_positive(eps) => fail("eps", eps, "a positive normal f32 up to 1e18"),
            Map::Power { gamma } if !is_exponent(gamma) => fail("gamma", gamma, EXPONENT),
            _ => Ok(()),
        }
    }
}
