//! PyTorch: `torch.nn`'s binary cross-entropies (checked against 2.15) and the formulations of Dice that
//! segmentation projects have handed on since the Carvana challenge.

use super::{Peer, Weight, recipes, single, weight};
use crate::loss::{BinaryCrossEntropy, Measure, Overlap};
use crate::{Activation, Error, Loss, Map, Pool, Problem, Reduction};

recipes! {
    /// A loss of this module by its name.
    DiceCoeff = "dice_coeff",
    SoftDiceLoss = "SoftDiceLoss",
    BCELoss2d = "BCELoss2d",
    BCELoss = "BCELoss",
    BCEWithLogitsLoss = "BCEWithLogitsLoss",
}

/// `dice_coeff(pred, target)`: (2ΣI + s)/(ΣP + ΣT + s) of probabilities over the whole batch.
///
/// It returns the coefficient, not a loss.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceCoeff {
    /// s, fixed to 1 in the original's body.
    pub smooth: f64,
}

impl Default for DiceCoeff {
    fn default() -> Self {
        Self { smooth: 1.0 }
    }
}

impl Peer for DiceCoeff {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        let overlap = Overlap {
            smooth_numerator: self.smooth,
            smooth_denominator: self.smooth,
            pool: Pool::All,
            map: Map::Score,
            ..Overlap::dice()
        };
        Ok(single(Activation::None, Measure::Overlap(overlap)))
    }
}

/// `SoftDiceLoss(weight=None, size_average=True)`: 1 − (1/N)·Σₙ 2(I + s)/(P + T + s) from logits, each sample's
/// classes pooled.
///
/// The smoothing stands inside the factor 2, so it counts twice in the numerator and an empty
/// sample has a negative loss.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct SoftDiceLoss {
    /// `None`; a tensor of the original is given as voxel weights.
    pub weight: Option<Weight>,
    /// Ignored, as by the original, which takes it and never reads it.
    pub size_average: bool,
    /// s, fixed to 1 in the original's body.
    pub smooth: f64,
}

impl Default for SoftDiceLoss {
    fn default() -> Self {
        Self { weight: None, size_average: true, smooth: 1.0 }
    }
}

impl Peer for SoftDiceLoss {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        weight::check(self.weight, "SoftDiceLoss")?;
        let overlap = Overlap {
            smooth_numerator: 2.0 * self.smooth,
            smooth_denominator: self.smooth,
            pool: Pool::Classes,
            ..Overlap::dice()
        };
        Ok(single(Activation::Sigmoid, Measure::Overlap(overlap)))
    }
}

/// `BCELoss2d(weight=None, size_average=True)`: sigmoid, then BCELoss over all elements.
///
/// Evaluated in the stable form, so it differs from the original's f32 beyond |z| ≈ 17, where that
/// saturates.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BCELoss2d {
    /// `None`; a tensor of the original is given as voxel weights.
    pub weight: Option<Weight>,
    /// The mean over all elements, or their sum.
    pub size_average: bool,
}

impl Default for BCELoss2d {
    fn default() -> Self {
        Self { weight: None, size_average: true }
    }
}

impl Peer for BCELoss2d {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        weight::check(self.weight, "BCELoss2d")?;
        let reduction = if self.size_average { Reduction::Mean } else { Reduction::Sum };
        let bce = BinaryCrossEntropy { reduction, ..Default::default() };
        Ok(single(Activation::Sigmoid, Measure::BinaryCrossEntropy(bce)))
    }
}

/// `BCELoss(weight=None, size_average=None, reduce=None, reduction='mean')` of probabilities:
/// −w·\[t·max(ln p, −100) + (1−t)·max(ln(1−p), −100)\], gradient w(p−t)/max(p(1−p), 1e-12).
///
/// The mean divides by the number of elements, not by Σw, the voxel weights.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BCELoss {
    /// `None`; a tensor of the original is given as voxel weights.
    pub weight: Option<Weight>,
    /// Deprecated in the original; with `reduce`, overrides `reduction`.
    pub size_average: Option<bool>,
    /// Deprecated in the original; with `size_average`, overrides `reduction`.
    pub reduce: Option<bool>,
    /// `mean`, `sum` or `none`.
    pub reduction: Reduction,
}

impl Peer for BCELoss {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        weight::check(self.weight, "BCELoss")?;
        let reduction = legacy_reduction(self.size_average, self.reduce, self.reduction);
        let bce = BinaryCrossEntropy { reduction, ..Default::default() };
        Ok(single(Activation::None, Measure::BinaryCrossEntropy(bce)))
    }
}

/// `BCEWithLogitsLoss(weight=None, size_average=None, reduce=None, reduction='mean', pos_weight=None)`:
/// (1−t)·z − (1+(π−1)t)·ln σ(z), gradient (πt+1−t)·σ(z) − πt.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BCEWithLogitsLoss {
    /// `None`; a tensor of the original is given as voxel weights.
    pub weight: Option<Weight>,
    /// Deprecated in the original; with `reduce`, overrides `reduction`.
    pub size_average: Option<bool>,
    /// Deprecated in the original; with `size_average`, overrides `reduction`.
    pub reduce: Option<bool>,
    /// `mean`, `sum` or `none`.
    pub reduction: Reduction,
    /// π, one number (in JSON with or without brackets) or one per class. (The original broadcasts any tensor: give it
    /// there as `[C, 1, …]`.)
    #[cfg_attr(feature = "serde", serde(deserialize_with = "weight::one_or_several"))]
    pub pos_weight: Option<Vec<f64>>,
}

impl Peer for BCEWithLogitsLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        weight::check(self.weight, "BCEWithLogitsLoss")?;
        let positive_weights = self.pos_weight.clone().unwrap_or_default();
        let bce = BinaryCrossEntropy {
            reduction: legacy_reduction(self.size_average, self.reduce, self.reduction),
            positive_weights,
            ..Default::default()
        };
        if self.pos_weight.as_ref().is_some_and(Vec::is_empty)
            || !matches!(bce.positive_weights.len(), 0 | 1) && bce.positive_weights.len() != problem.shape.classes()
        {
            return Err(Error::Peer {
                peer: "BCEWithLogitsLoss",
                reason: format!(
                    "pos_weight has {} entries, give one or one per class ({})",
                    bce.positive_weights.len(),
                    problem.shape.classes()
                ),
            });
        }
        Ok(single(Activation::Sigmoid, Measure::BinaryCrossEntropy(bce)))
    }
}

/// PyTorch's rule for the deprecated pair: either one given makes it decide, the other being true.
fn legacy_reduction(size_average: Option<bool>, reduce: Option<bool>, reduction: Reduction) -> Reduction {
    if size_average.is_none() && reduce.is_none() {
        return reduction;
    }
    match (size_average.unwrap_or(true), reduce.unwrap_or(true)) {
        (_, false) => Reduction::None,
        (true, true) => Reduction::Mean,
        (false, true) => Reduction::Sum,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Shape;

    #[test]
    fn the_deprecated_pair_decides_as_in_pytorch() {
        use Reduction::{Mean, None as Not, Sum};
        for (size_average, reduce, reduction, expected) in [
            (None, None, Sum, Sum),
            (Some(false), None, Mean, Sum),
            (Some(true), None, Not, Mean),
            (None, Some(false), Mean, Not),
            (Some(false), Some(true), Not, Sum),
            (Some(true), Some(false), Sum, Not),
        ] {
            assert_eq!(legacy_reduction(size_average, reduce, reduction), expected);
        }
    }

    #[test]
    fn positive_weights_must_fit_the_classes() {
        let loss = BCEWithLogitsLoss { pos_weight: Some(vec![1.0, 2.0]), ..Default::default() };
        assert!(loss.loss(&Problem::new(Shape::new(&[1, 2, 3]).unwrap())).is_ok());
        let error = loss.loss(&Problem::new(Shape::new(&[1, 3, 3]).unwrap())).unwrap_err();
        assert!(error.to_string().contains("2 entries"), "{error}");
    }
    #[test]
    fn weights_are_null_or_refused_as_data() {
        for name in ["SoftDiceLoss", "BCELoss2d", "BCELoss", "BCEWithLogitsLoss"] {
            let loss = |weight| {
                let spec = json!({"loss": name, "params": {"weight": weight}});
                serde_json::from_value::<Recipe>(spec).unwrap().loss(&Problem::new(Shape::new(&[1, 2, 3]).unwrap()))
            };
            let bare: Recipe = serde_json::from_value(json!({"loss": name, "params": {}})).unwrap();
            assert_eq!(loss(json!(null)), bare.loss(&Problem::new(Shape::new(&[1, 2, 3]).unwrap())));
            for weight in [json!(2), json!([1.0, 2.5]), json!([[[1, 2], [3, 4]]])] {
                let error = loss(weight).unwrap_err();
                assert!(matches!(error, Error::Peer { peer, .. } if peer == name), "{error}");
                assert!(error.to_string().ends_with("give its numbers as voxel weights"), "{error}");
            }
        }
    }

    #[test]
    fn one_positive_weight_needs_no_brackets() {
        let read = |weight| serde_json::from_value::<BCEWithLogitsLoss>(json!({"pos_weight": weight}));
        let pos_weight = |weight| read(weight).unwrap().pos_weight;
        assert_eq!(pos_weight(json!(3)), Some(vec![3.0]));
        assert_eq!(pos_weight(json!([3])), Some(vec![3.0]));
        assert_eq!(pos_weight(json!([1, 2.5])), Some(vec![1.0, 2.5]));
        assert_eq!(pos_weight(json!(null)), None);
        assert_eq!(read(json!("3")).unwrap_err().to_string(), "expected a number or a list of numbers");
    }
}
