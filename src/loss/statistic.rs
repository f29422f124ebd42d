//! The row sums that losses are functions of.

use super::{Activation, Distances, Intersection, Modulation};

/// The number of distinct statistics one pass over the data can accumulate.
pub const MAX_STATISTICS: usize = 4;

/// A set of sums over the voxels of a row that one or more terms are functions of.
///
/// A statistic names *what must be read off the data*, not what is made of it: Dice, Jaccard and Tversky
/// of one activation share theirs, and class weights, positive weights and α are applied afterwards.
#[derive(Clone, Debug, PartialEq)]
pub enum Statistic {
    /// I = Σ m·w·p·t, P = Σ m·w·pᵏ, T = Σ m·w·tᵏ.
    Overlap {
        /// How p is made.
        activation: Activation,
        /// k = 2 instead of 1.
        squared: bool,
        /// What p and t have in common: I = Σ m·w·min(p, t) instead. Of squares it is the product.
        intersection: Intersection,
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
    BinaryCrossEntropy {
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
    /// A = Σ −m·w·t·(1−p)^γ·ln p, S = Σ −m·w·(1−p)^γ·ln p and T = Σ m·w·t: what cross-entropy over classes and its focal form
    /// make of a class, whose smoothed target is (1−s)·t + s/C.
    CrossEntropy {
        /// How p is made.
        activation: Activation,
        /// γ, 0 for cross-entropy itself.
        gamma: f64,
        /// ε: probabilities given are held within [ε, 1−ε].
        clip: f64,
    },
    /// A = Σ m·w·t·(1−δ), B = Σ m·w·t·δ and T = Σ m·w·t with the distance δ = Σ_c M[l, c]·p_c of a voxel's prediction from its
    /// label l: by label, whose rows they are.
    Wasserstein {
        /// How p is made.
        activation: Activation,
        /// M.
        distances: Distances,
    },
}

impl Statistic {
    /// How its p is made.
    #[must_use]
    pub fn activation(&self) -> Activation {
        match *self {
            Self::Overlap { activation, .. }
            | Self::HardOverlap { activation, .. }
            | Self::BinaryCrossEntropy { activation, .. }
            | Self::Focal { activation, .. }
            | Self::CrossEntropy { activation, .. }
            | Self::Wasserstein { activation, .. } => activation,
        }
    }

    /// Whether its sums are whole numbers, added up exactly.
    #[must_use]
    pub fn is_count(&self) -> bool {
        matches!(self, Self::HardOverlap { .. })
    }

    /// Whether the kernels sum what lies outside the intersection, P − I = Σ m·w·p·(1−t) and T − I = Σ m·w·(1−p)·t, in place
    /// of P and T.
    ///
    /// A loss is 1 − s = (f·(α(P−I) + β(T−I)) + …)/d. Near a perfect score P − I is small against P, and the difference
    /// of two sums in f32 would be rounding; of powers below 1 even the value would. Squares have no such parts:
    /// Σ p·(p−t) has summands of either sign.
    pub(crate) fn sums_excess(&self) -> bool {
        matches!(self, Self::Overlap { squared: false, .. } | Self::HardOverlap { .. })
    }
}
