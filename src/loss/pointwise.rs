//! Losses that are a sum over voxels.

use super::{Reduction, is_storable};

/// Binary cross-entropy with positive weights.
///
/// From logits: ℓ = −π·t·ln σ(z) − (1−t)·ln σ(−z), in the stable form. From probabilities the logarithms
/// are clamped at −100 and the gradient's denominator at 1e-12, as PyTorch does; a probability below 2⁻¹²⁶ counts as 0, which GPUs
/// make of it anyway, so that its logarithm is −100 where a CPU's is between −87 and −100. π is the positive weight of
/// the class; a mask drops elements, a voxel weight multiplies ℓ.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BinaryCrossEntropy {
    /// π: empty for 1, one number for every class, or C numbers.
    pub positive_weights: Vec<f64>,
    /// How the elements' values become one number. The mean divides by the number of elements that
    /// the mask keeps.
    pub reduction: Reduction,
}

impl BinaryCrossEntropy {
    /// The positive weight of a class.
    #[must_use]
    pub fn positive_weight(&self, class: usize) -> f64 {
        match self.positive_weights[..] {
            [] => 1.0,
            [all] => all,
            ref per_class => per_class.get(class).copied().unwrap_or(1.0),
        }
    }

    /// Whether the positive weights fit a problem of so many classes.
    pub(crate) fn fits(&self, classes: usize) -> bool {
        matches!(self.positive_weights.len(), 0 | 1) || self.positive_weights.len() == classes
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self.positive_weights.iter().find(|&&w| !is_storable(w) || w < 0.0) {
            Some(weight) => Err(format!("the positive weight {weight} must be 0 or a positive normal f32")),
            None => Ok(()),
        }
    }
}
