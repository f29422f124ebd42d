//! The row sums that losses are functions of.

use super::Activation;

/// The number of distinct statistics one pass over the data can accumulate.
pub const MAX_STATISTICS: usize = 4;

/// A set of sums over the voxels of a row that one or more terms are functions of.
///
/// A statistic names *what must be read off the data*, not what is made of it: Dice, Jaccard and Tversky
/// of one activation share theirs, and the positive weight of cross-entropy is applied afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// I = Σ m·w·p·t, P = Σ m·w·pᵏ, T = Σ m·w·tᵏ.
    Overlap {
        /// How p is made.
        activation: Activation,
        /// k = 2 instead of 1.
        squared: bool,
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
    },
}

impl Statistic {
    /// Whether its sums are whole numbers, added up exactly.
    #[must_use]
    pub fn is_count(self) -> bool {
        matches!(self, Self::HardOverlap { .. })
    }
}
