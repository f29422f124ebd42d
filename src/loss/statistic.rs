//! The row sums that losses are functions of.

use super::{Activation, Modulation};

/// The number of distinct statistics one pass over the data can accumulate.
pub const MAX_STATISTICS: usize = 4;

/// A set of sums over the voxels of a row that one or more terms are functions of.
///
/// A statistic names *what must be read off the data*, not what is made of it: Dice, Jaccard and Tversky
/// of one activation share theirs, and class weights, positive weights and α are applied afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// I = Σ m·w·p·t, P = Σ m·w·pᵏ, T = Σ m·w·tᵏ.
    Overlap {
        /// How p is made.
        activation: Activation,
        /// k = 2 instead of 1.
        squared: bool,
        /// I = Σ m·w·min(p, t) instead, by absolute values: see [`Intersection::Minimum`](super::Intersection::Minimum).
        minimum: bool,
    },
    /// The exact counts of \[p > θ\]·\[t > θ\], \[p > θ\], \[t > θ\] where the mask is 1.
    HardOverlap {
        /// How p is made.
        activation: Activation,
        /// θ.
        threshold: f64,
    },
    /// A = Σ −m·w·t·ln p and B = Σ −m·w·(1−t)·ln(1−p), so that cross-entropy with positive weight π is
    /// π·A + B.
    CrossEntropy {
        /// How p is made.
        activation: Activation,
        /// s: t is t·(1−s) + s/2.
        label_smoothing: f64,
        /// ε: probabilities are held within [ε, 1−ε].
        clip: f64,
    },
    /// A and B likewise, each element's part multiplied with its modulating factor f; and F = Σ m·w·f.
    Focal {
        /// How p is made.
        activation: Activation,
        /// How f is.
        modulation: Modulation,
        /// γ.
        gamma: f64,
        /// θ, 0 for none.
        threshold: f64,
        /// s.
        label_smoothing: f64,
        /// ε.
        clip: f64,
    },
}

impl Statistic {
    /// Whether its sums are whole numbers, added up exactly.
    #[must_use]
    pub fn is_count(self) -> bool {
        matches!(self, Self::HardOverlap { .. })
    }

    /// Whether the kernels sum what lies outside the intersection, P − I = Σ m·w·p·(1−t) and T − I = Σ m·w·(1−p)·t, in place
    /// of P and T.
    ///
    /// A loss is 1 − s = (f·(α(P−I) + β(T−I)) + …)/d. Near a perfect score P − I is small against P, and the difference
    /// of two sums in f32 would be rounding; of powers below 1 even the value would. Squares have no such parts:
    /// Σ p·(p−t) has summands of either sign.
    pub(crate) fn sums_excess(self) -> bool {
        matches!(self, Self::Overlap { squared: false, .. } | Self::HardOverlap { .. })
    }
}
