//! From the groups' values to one number.

/// What becomes of a group whose target is empty.
///
/// A group is empty if its T is exactly 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Empty {
    /// The formula as it stands: the smoothing decides, and NaN where there is none and the prediction is empty, too.
    #[default]
    Keep,
    /// The value 0, without a gradient; it takes part in the mean.
    Zero,
    /// The value 1, without a gradient; it takes part in the mean.
    One,
    /// NaN, without a gradient.
    Nan,
    /// It takes no part. A mean is then taken over the groups that are left of each sample, and over the samples; a sample
    /// of which none is left scores 0.
    Skip,
}

/// What becomes of the reduced value of a term.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum Outer {
    /// Nothing.
    #[default]
    Identity,
    /// max(v, 0)^γ, with gradient 0 where v ≤ 0.
    Power {
        /// γ, above 0.
        gamma: f64,
    },
    /// ln cosh v.
    LogCosh,
}

impl Outer {
    /// The outer value and its derivative.
    #[must_use]
    pub fn apply(self, value: f64) -> (f64, f64) {
        match self {
            Self::Identity => (value, 1.0),
            Self::Power { gamma } if value > 0.0 => (value.powf(gamma), gamma * value.powf(gamma - 1.0)),
            Self::Power { .. } if value.is_nan() => (value, 0.0),
            Self::Power { .. } => (0.0, 0.0),
            // cosh v = 1 + 2·sinh²(v/2), which keeps its digits near 0; for large |v| it is e^|v|/2.
            Self::LogCosh => {
                let small = (2.0 * (0.5 * value).sinh().powi(2)).ln_1p();
                let large = value.abs() - std::f64::consts::LN_2;
                (if value.abs() > 20.0 { large } else { small }, value.tanh())
            }
        }
    }
}
