//! Losses that are a sum over voxels.

use super::classes::{fits, per_class};
use super::number::{EXPONENT, WEIGHT, is_exponent, is_positive, is_storable, is_weight};
use super::{Pool, Reduction};

/// What the mean of a sum over voxels divides by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum Divisor {
    /// The number of elements that count: those of the term's classes that mask and ignore index keep.
    #[default]
    Elements,
    /// The number of voxels that count: the same by the number of the term's classes.
    Voxels,
    /// The number of all elements of the term's classes, whether they count or not.
    AllElements,
    /// The number of all voxels, whether they count or not.
    AllVoxels,
    /// The sum of the weights of the classes that the targets say, Σ m·w·t·(class weight), of a [`CrossEntropy`] (PyTorch).
    Weights,
    /// The sum of the modulating factors of a [`Focal`] loss, or ε where that is less ("normalised" focal loss). The
    /// gradient passes through it.
    Modulation {
        /// ε, above 0.
        eps: f64,
    },
}

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
    /// What ℓ is multiplied with: empty for 1, one number, or C.
    pub class_weights: Vec<f64>,
    /// s in [0, 1]: the target t becomes t·(1−s) + s/2.
    pub label_smoothing: f64,
    /// ε: probabilities are held within [ε, 1−ε], with gradient 0 outside. Logits are not.
    pub clip: f64,
    /// What the mean divides by.
    pub divisor: Divisor,
    /// How the elements' values become one number.
    pub reduction: Reduction,
}

impl BinaryCrossEntropy {
    /// What the two parts of the sum are multiplied with: π·w and w.
    pub(crate) fn factors(&self, class: usize) -> [f64; 2] {
        let weight = per_class(&self.class_weights, class);
        [per_class(&self.positive_weights, class) * weight, weight]
    }

    pub(super) fn fits(&self, classes: usize) -> Result<(), String> {
        fits("positive_weights", &self.positive_weights, classes)?;
        fits("class_weights", &self.class_weights, classes)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        weights("positive_weights", &self.positive_weights)?;
        weights("class_weights", &self.class_weights)?;
        smoothing(self.label_smoothing)?;
        clip(self.clip)?;
        match self.divisor {
            Divisor::Modulation { .. } | Divisor::Weights => Err(not_its_divisor(self.divisor)),
            _ => Ok(()),
        }
    }
}

/// Cross-entropy over the classes of a voxel, and its focal form.
///
/// ```text
/// ℓ = Σ_c w_c·((1−s)·t_c + s/C)·(1−p_c)^γ·(−ln p_c)
/// ```
///
/// with the term's classes c and their number C. Without γ and weights it is −ln p of the class that a label says. γ below 1 has
/// finite gradients.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct CrossEntropy {
    /// γ ≥ 0; 0 for cross-entropy itself.
    pub gamma: f64,
    /// w: empty for 1, one number, or C.
    pub class_weights: Vec<f64>,
    /// s in [0, 1].
    pub label_smoothing: f64,
    /// ε: probabilities, given or [normalised](super::Activation::Normalized), are held within [ε, 1−ε], with gradient 0 outside.
    /// Logits are not.
    pub clip: f64,
    /// What the mean of a group divides by.
    pub divisor: Divisor,
    /// The rows that are added up before the mean.
    pub pool: Pool,
    /// Whether the mean over nothing, or over weights that are all 0, is NaN (PyTorch) rather than 0.
    pub nan_if_empty: bool,
    /// How the voxels' values become one number: the mean over groups of their means, or the sum of everything.
    pub reduction: Reduction,
}

impl Default for CrossEntropy {
    fn default() -> Self {
        Self {
            gamma: 0.0,
            class_weights: vec![],
            label_smoothing: 0.0,
            clip: 0.0,
            divisor: Divisor::Weights,
            pool: Pool::All,
            nan_if_empty: false,
            reduction: Reduction::Mean,
        }
    }
}

impl CrossEntropy {
    /// What A, S and T of a class are multiplied with, one of so many of the term's.
    pub(crate) fn factors(&self, class: usize, classes: usize) -> [f64; 3] {
        let weight = per_class(&self.class_weights, class);
        [weight * (1.0 - self.label_smoothing), weight * self.label_smoothing / classes.max(1) as f64, weight]
    }

    pub(super) fn fits(&self, classes: usize) -> Result<(), String> {
        fits("class_weights", &self.class_weights, classes)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        weights("class_weights", &self.class_weights)?;
        smoothing(self.label_smoothing)?;
        clip(self.clip)?;
        exponent(self.gamma)?;
        match self.divisor {
            Divisor::Modulation { .. } => Err(not_its_divisor(self.divisor)),
            _ => Ok(()),
        }
    }
}

/// How a focal loss treats targets between 0 and 1. On binary targets all forms are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Modulation {
    /// t·q^γ·(−ln p) + (1−t)·p^γ·(−ln q), q = 1 − p: each side has its own (kornia).
    #[default]
    Sides,
    /// (1 − p_t)^γ with p_t = t·p + (1−t)·q, times cross-entropy (Keras).
    Mixture,
    /// (1 − e^−ℓ)^γ of the cross-entropy ℓ itself (segmentation_models.pytorch).
    Likelihood,
    /// σ(−z·(2t−1))^γ times cross-entropy (MONAI). Of probabilities, z = ln(p/q).
    Margin,
    /// The same, but α multiplies all of an element with t = 1 and nothing of any other, which 1 − α then multiplies (MONAI's
    /// with a list for α).
    MarginByOnes,
}

/// The focal loss: binary cross-entropy ℓ, modulated so that what is predicted well counts little.
///
/// With t = 1 or 0: α·q^γ·(−ln p) or (1−α)·p^γ·(−ln q). γ below 1 has finite gradients: where q or p rounds to 0 the
/// loss and its slope are 0.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct Focal {
    /// γ ≥ 0.
    pub gamma: f64,
    /// What it makes of soft targets.
    pub modulation: Modulation,
    /// θ: with a threshold above 0 the modulating factor is that of (1 − p_t)/θ, and 1 where p_t < θ ("reduced" focal
    /// loss, with [`Modulation::Likelihood`]).
    pub threshold: f64,
    /// α, which multiplies the part of t: empty for 1, one number, or C.
    pub positive_weights: Vec<f64>,
    /// 1 − α, which multiplies the part of 1 − t: empty for 1, one number, or C.
    pub negative_weights: Vec<f64>,
    /// What both are multiplied with: empty for 1, one number, or C.
    pub class_weights: Vec<f64>,
    /// s in [0, 1]: the target t becomes t·(1−s) + s/2.
    pub label_smoothing: f64,
    /// ε: probabilities are held within [ε, 1−ε], with gradient 0 outside.
    pub clip: f64,
    /// What the mean of a group divides by.
    pub divisor: Divisor,
    /// The rows that are added up before the mean.
    pub pool: Pool,
    /// What the groups' means are multiplied with, where groups have a class: empty for 1, one number, or C.
    pub group_weights: Vec<f64>,
    /// Whether the mean of the groups divides by the sum of the group weights rather than by their number.
    pub normalized: bool,
    /// How the elements' values become one number: the mean over groups of their means, or the sum of everything.
    pub reduction: Reduction,
}

impl Default for Focal {
    fn default() -> Self {
        Self {
            gamma: 2.0,
            modulation: Modulation::Sides,
            threshold: 0.0,
            positive_weights: vec![],
            negative_weights: vec![],
            class_weights: vec![],
            label_smoothing: 0.0,
            clip: 0.0,
            divisor: Divisor::Elements,
            pool: Pool::All,
            group_weights: vec![],
            normalized: false,
            reduction: Reduction::Mean,
        }
    }
}

impl Focal {
    /// What the three parts of the sum are multiplied with.
    pub(crate) fn factors(&self, class: usize) -> [f64; 3] {
        let weight = per_class(&self.class_weights, class);
        let side = |list| per_class(list, class) * weight;
        [side(&self.positive_weights), side(&self.negative_weights), 1.0]
    }

    fn lists(&self) -> [(&'static str, &[f64]); 4] {
        [
            ("positive_weights", &self.positive_weights),
            ("negative_weights", &self.negative_weights),
            ("class_weights", &self.class_weights),
            ("group_weights", &self.group_weights),
        ]
    }

    pub(super) fn fits(&self, classes: usize) -> Result<(), String> {
        self.lists().into_iter().try_for_each(|(what, list)| fits(what, list, classes))
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.lists().into_iter().try_for_each(|(what, list)| weights(what, list))?;
        smoothing(self.label_smoothing)?;
        clip(self.clip)?;
        exponent(self.gamma)?;
        if !is_storable(self.threshold) || !(0.0..=1.0).contains(&self.threshold) {
            return Err(format!("threshold is {:?}, it must be 0 or a normal f32 up to 1", self.threshold));
        }
        if self.threshold > 0.0 && self.modulation != Modulation::Likelihood {
            return Err("a threshold goes with the modulation by likelihood".to_owned());
        }
        match self.divisor {
            Divisor::Modulation { eps } if !is_positive(eps) => {
                Err(format!("eps is {eps:?}, it must be a positive normal f32 up to 1e18"))
            }
            Divisor::Weights => Err(not_its_divisor(self.divisor)),
            _ => Ok(()),
        }
    }
}

fn not_its_divisor(divisor: Divisor) -> String {
    let whose = match divisor {
        Divisor::Weights => "the cross-entropy over classes",
        _ => "a focal loss of each class by itself",
    };
    format!("only {whose} can be divided by {divisor:?}")
}

fn exponent(gamma: f64) -> Result<(), String> {
    if gamma == 0.0 || is_exponent(gamma) {
        return Ok(());
    }
    Err(format!("gamma is {gamma:?}, it must be 0 or {EXPONENT}"))
}

fn weights(what: &str, list: &[f64]) -> Result<(), String> {
    match list.iter().find(|&&w| !is_weight(w) || w < 0.0) {
        Some(weight) => Err(format!("{what} holds {weight:?}, it must be {WEIGHT}")),
        None => Ok(()),
    }
}

fn smoothing(value: f64) -> Result<(), String> {
    if is_storable(value) && (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(format!("label_smoothing is {value:?}, it must be 0 or a normal f32 up to 1"))
}

fn clip(value: f64) -> Result<(), String> {
    if is_storable(value) && (0.0..0.5).contains(&value) {
        return Ok(());
    }
    Err(format!("clip is {value:?}, it must be 0 or a normal f32 below 1/2"))
}
