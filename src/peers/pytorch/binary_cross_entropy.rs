//! Cross-entropy class by class.

use super::reduction::reduction;
use crate::loss::{BinaryCrossEntropy, Measure};
use crate::peers::{Peer, Weight, single, weight};
use crate::{Activation, Error, Loss, Problem, Reduction};

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
        let reduction = reduction("BCELoss", self.size_average, self.reduce, self.reduction)?;
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
        const PEER: &str = "BCEWithLogitsLoss";
        weight::check(self.weight, PEER)?;
        Ok(single(Activation::Sigmoid, Measure::BinaryCrossEntropy(self.measure(PEER, problem)?)))
    }
}

impl BCEWithLogitsLoss {
    /// The measure, for the peer that this is a part of.
    pub(in crate::peers) fn measure(&self, peer: &'static str, problem: &Problem) -> Result<BinaryCrossEntropy, Error> {
        Ok(BinaryCrossEntropy {
            reduction: reduction(peer, self.size_average, self.reduce, self.reduction)?,
            positive_weights: weight::one_or_per_class(peer, "pos_weight", self.pos_weight.as_deref(), problem)?,
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Shape;
    use crate::peers::pytorch::Recipe;

    #[test]
    fn positive_weights_must_fit_the_classes() {
        let loss = BCEWithLogitsLoss { pos_weight: Some(vec![1.0, 2.0]), ..Default::default() };
        assert!(loss.loss(&Problem::new(Shape::new(&[1, 2, 3]).unwrap())).is_ok());
        let error = loss.loss(&Problem::new(Shape::new(&[1, 3, 3]).unwrap())).unwrap_err();
        assert!(error.to_string().contains("2 entries"), "{error}");
    }

    #[test]
    fn weights_are_null_or_refused_as_data() {
        for name in ["BCELoss2d", "BCELoss", "BCEWithLogitsLoss"] {
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
