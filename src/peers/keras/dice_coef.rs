//! The `dice_coef` that U-Net projects have handed on.

use crate::loss::{Measure, Overlap};
use crate::peers::{Peer, single};
use crate::{Activation, Error, Loss, Map, Pool, Problem};

/// `dice_coef(y_true, y_pred)`: (2I + s)/(Σt² + Σp² + s) of probabilities over everything.
///
/// It returns the coefficient, not a loss.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceCoef {
    /// s, a constant of 1 in the original.
    pub smooth: f64,
}

impl Default for DiceCoef {
    fn default() -> Self {
        Self { smooth: 1.0 }
    }
}

impl Peer for DiceCoef {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        Ok(dice(self.smooth, Map::Score))
    }
}

/// `dice_coef_loss(y_true, y_pred)`: 1 − [`DiceCoef`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceCoefLoss {
    /// s, a constant of 1 in the original.
    pub smooth: f64,
}

impl Default for DiceCoefLoss {
    fn default() -> Self {
        Self { smooth: 1.0 }
    }
}

impl Peer for DiceCoefLoss {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        Ok(dice(self.smooth, Map::Complement))
    }
}

fn dice(smooth: f64, map: Map) -> Loss {
    let overlap = Overlap {
        squared: true,
        smooth_numerator: smooth,
        smooth_denominator: smooth,
        pool: Pool::All,
        map,
        ..Overlap::dice()
    };
    single(Activation::None, Measure::Overlap(overlap))
}
