//! The overlap family: one formula, its choices as fields.

use super::{Activation, Reduction, Statistic, is_storable};

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
    /// The least value of the denominator.
    pub floor: f64,
    /// The rows added up before the ratio.
    pub pool: Pool,
    /// What becomes of the score.
    pub map: Map,
    /// How the groups' values become one number.
    pub reduction: Reduction,
    /// Where given, p and t are replaced by 0 or 1, whichever side of the threshold they lie
    /// (1 if strictly above); the sums are exact counts and there is no gradient.
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
            None => Statistic::Overlap { activation, squared: self.squared },
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let fail = |name, value: f64, rule| Err(format!("{name} is {value}, it must be {rule}"));
        let numbers = [
            ("alpha", self.alpha),
            ("beta", self.beta),
            ("smooth_numerator", self.smooth_numerator),
            ("smooth_denominator", self.smooth_denominator),
            ("floor", self.floor),
        ];
        for (name, value) in numbers {
            if !is_storable(value) || value < 0.0 {
                return fail(name, value, "0 or a positive normal f32");
            }
        }
        let threshold = self.threshold.unwrap_or_default();
        let positive = "a positive normal f32";
        match self.map {
            _ if !is_storable(threshold) => fail("threshold", threshold, "0 or a normal f32"),
            _ if !is_positive(self.factor) => fail("factor", self.factor, positive),
            Map::NegLog { eps } if !is_positive(eps) => fail("eps", eps, positive),
            Map::Power { gamma } if !is_positive(gamma) => fail("gamma", gamma, positive),
            _ => Ok(()),
        }
    }
}

/// Whether `value` is positive and survives the way into a kernel.
fn is_positive(value: f64) -> bool {
    value > 0.0 && is_storable(value)
}
