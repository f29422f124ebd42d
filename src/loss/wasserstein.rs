//! The generalised Wasserstein Dice loss: errors weigh by how far the classes are apart.

use std::sync::Arc;

use super::Reduction;
use super::classes::{fits, per_class};
use super::number::{CONSTANT, WEIGHT, is_storable, is_weight};

/// How far every class is from every label: C×C numbers, by label first. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "Vec<Vec<f64>>", try_from = "Vec<Vec<f64>>")
)]
pub struct Distances {
    rows: Arc<[Vec<f64>]>,
}

impl Distances {
    /// From rows, one a label, each with a number for every class.
    ///
    /// # Errors
    /// What is wrong with them, if they are no square of non-negative normal f32s.
    pub fn new(rows: Vec<Vec<f64>>) -> Result<Self, String> {
        for (label, row) in rows.iter().enumerate() {
            if row.len() != rows.len() {
                let (classes, found) = (rows.len(), row.len());
                return Err(format!("the distances from label {label} are {found}, of {classes} classes"));
            }
            if let Some(distance) = row.iter().find(|&&d| !is_weight(d) || d < 0.0) {
                return Err(format!("a distance from label {label} is {distance:?}, it must be {WEIGHT}"));
            }
        }
        Ok(Self { rows: rows.into() })
    }

    /// How many classes they are of.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.rows.len()
    }

    /// How far a class is from a label; 0 for classes there are none of.
    #[must_use]
    pub fn between(&self, label: usize, class: usize) -> f64 {
        self.rows.get(label).and_then(|row| row.get(class)).copied().unwrap_or_default()
    }
}

impl From<Distances> for Vec<Vec<f64>> {
    fn from(distances: Distances) -> Self {
        distances.rows.to_vec()
    }
}

impl TryFrom<Vec<Vec<f64>>> for Distances {
    type Error = String;

    fn try_from(rows: Vec<Vec<f64>>) -> Result<Self, String> {
        Self::new(rows)
    }
}

/// 1 − the generalised Wasserstein Dice score (Fidon et al. 2017) of each sample, of labels.
///
/// With δ = Σ_c M\[l, c\]·p_c, the distance of a voxel's prediction from its label l, and the sums A_l of 1 − δ and B_l of δ
/// over the voxels of a label,
///
/// ```text
/// s = (2·Σ α_l·A_l + smooth_numerator) / (2·Σ α_l·A_l + Σ B_l + smooth_denominator)
/// ```
///
/// where α tells which labels are to be found; or, `by_volume` (Tilborghs et al. 2020), α_l = 1/(T_l + 1) with the volume T_l
/// of a label in its sample, which then multiplies B_l, too.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Wasserstein {
    /// M.
    pub distances: Distances,
    /// α: empty for 1, one number, or C.
    #[cfg_attr(feature = "serde", serde(default))]
    pub label_weights: Vec<f64>,
    /// Whether labels weigh by their volume, on top.
    #[cfg_attr(feature = "serde", serde(default))]
    pub by_volume: bool,
    /// The constant added to the numerator.
    #[cfg_attr(feature = "serde", serde(default))]
    pub smooth_numerator: f64,
    /// The constant added to the denominator.
    #[cfg_attr(feature = "serde", serde(default))]
    pub smooth_denominator: f64,
    /// How the samples' values become one number.
    #[cfg_attr(feature = "serde", serde(default))]
    pub reduction: Reduction,
}

impl Wasserstein {
    /// What A, B and T of a label are multiplied with.
    pub(crate) fn factors(&self, label: usize) -> [f64; 3] {
        [per_class(&self.label_weights, label), 1.0, 1.0]
    }

    pub(super) fn fits(&self, classes: usize) -> Result<(), String> {
        fits("label_weights", &self.label_weights, classes)?;
        if self.distances.classes() != classes {
            return Err(format!("the distances are those of {} classes, not of {classes}", self.distances.classes()));
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let constants = [self.smooth_numerator, self.smooth_denominator];
        if let Some(bad) = constants.iter().find(|&&v| !is_storable(v) || v < 0.0) {
            return Err(format!("a constant is {bad:?}, it must be {CONSTANT}"));
        }
        if let Some(bad) = self.label_weights.iter().find(|&&v| !is_weight(v) || v < 0.0) {
            return Err(format!("a label's weight is {bad:?}, it must be {WEIGHT}"));
        }
        if self.reduction == Reduction::PerVoxel {
            return Err("it has no value per voxel; give it another reduction".to_owned());
        }
        Ok(())
    }
}
