//! The formulations of Dice that segmentation projects have handed on.

use crate::loss::{Measure, Overlap};
use crate::peers::{Peer, Weight, single};
use crate::{Activation, Error, Loss, Map, Pool, Problem};

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
    /// Ignored, as by the original, which takes it and never reads it.
    pub weight: Option<Weight>,
    /// Ignored, likewise.
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
        let overlap = Overlap {
            smooth_numerator: 2.0 * self.smooth,
            smooth_denominator: self.smooth,
            pool: Pool::Classes,
            ..Overlap::dice()
        };
        Ok(single(Activation::Sigmoid, Measure::Overlap(overlap)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn arguments_that_the_original_never_reads_change_nothing() {
        let problem = Problem::new(Shape::new(&[1, 1, 2]).unwrap());
        let given = SoftDiceLoss { weight: Some(Weight::Given), size_average: false, ..Default::default() };
        assert_eq!(given.loss(&problem), SoftDiceLoss::default().loss(&problem));
    }
}
