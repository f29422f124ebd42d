//! Keras: its losses (checked against 3.15.1 on the torch backend), and the `dice_coef` that U-Net projects have handed on.
//!
//! Keras's tensors are `[N, spatial…, C]`: say so in the [problem](crate::Problem::axes). Its clip and smoothing constant is
//! `epsilon()`, 10⁻⁷.

mod binary;
mod categorical;
mod dice_coef;
mod overlap;

pub use binary::{BinaryCrossentropy, BinaryFocalCrossentropy};
pub use categorical::{CategoricalCrossentropy, CategoricalFocalCrossentropy, SparseCategoricalCrossentropy};
pub use dice_coef::{DiceCoef, DiceCoefLoss};
pub use overlap::{Dice, Tversky};

use super::{recipes, refuse};
use crate::{Error, Problem, Reduction};

/// `keras.config.epsilon()`.
const EPSILON: f64 = 1e-7;

recipes! {
    /// A loss of this module by its name.
    DiceCoef = "dice_coef",
    DiceCoefLoss = "dice_coef_loss",
    Dice = "Dice",
    Tversky = "Tversky",
    BinaryCrossentropy = "BinaryCrossentropy",
    BinaryFocalCrossentropy = "BinaryFocalCrossentropy",
    CategoricalCrossentropy = "CategoricalCrossentropy",
    CategoricalFocalCrossentropy = "CategoricalFocalCrossentropy",
    SparseCategoricalCrossentropy = "SparseCategoricalCrossentropy",
}

/// Keras's names for how values become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum KerasReduction {
    /// Their mean, over the batch and whatever else is left.
    #[default]
    SumOverBatchSize,
    /// The same.
    Mean,
    /// The same: without `sample_weight` the two are one.
    MeanWithSampleWeight,
    /// Their sum.
    Sum,
    /// The values themselves. (In JSON also `null`.)
    None,
}

impl From<KerasReduction> for Reduction {
    fn from(reduction: KerasReduction) -> Self {
        match reduction {
            KerasReduction::Sum => Self::Sum,
            KerasReduction::None => Self::None,
            _ => Self::Mean,
        }
    }
}

impl KerasReduction {
    /// The reduction of losses that have a value for each voxel.
    fn of_voxels(self) -> Reduction {
        match self.into() {
            Reduction::None => Reduction::PerVoxel,
            reduction => reduction,
        }
    }
}

#[cfg(feature = "serde")]
fn null_is_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<KerasReduction, D::Error> {
    let reduction: Option<KerasReduction> = serde::Deserialize::deserialize(deserializer)?;
    Ok(reduction.unwrap_or(KerasReduction::None))
}

/// Refuses an axis that is not that of the classes.
fn check_axis(peer: &'static str, axis: i64, problem: &Problem) -> Result<(), Error> {
    if axis == -1 || axis == problem.shape.dims().len() as i64 - 1 {
        return Ok(());
    }
    refuse(peer, format!("axis {axis} is not the class axis; give -1, the last of [N, spatial…, C]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reduction_has_two_names() {
        for written in ["null", "\"none\""] {
            let dice: Dice = serde_json::from_str(&format!("{{\"reduction\": {written}}}")).unwrap();
            assert_eq!(dice.reduction, KerasReduction::None);
        }
        assert_eq!(serde_json::from_str::<Dice>("{}").unwrap().reduction, KerasReduction::SumOverBatchSize);
    }
}
