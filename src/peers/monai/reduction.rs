//! MONAI's names for how values become one number.

use crate::Reduction;

/// How values become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum LossReduction {
    /// They do not.
    None,
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl From<LossReduction> for Reduction {
    fn from(reduction: LossReduction) -> Self {
        match reduction {
            LossReduction::None => Self::None,
            LossReduction::Mean => Self::Mean,
            LossReduction::Sum => Self::Sum,
        }
    }
}

/// The same of [`DiceCELoss`](super::DiceCELoss), whose two parts have no values of one shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum DiceCEReduction {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl From<DiceCEReduction> for LossReduction {
    fn from(reduction: DiceCEReduction) -> Self {
        match reduction {
            DiceCEReduction::Mean => Self::Mean,
            DiceCEReduction::Sum => Self::Sum,
        }
    }
}
