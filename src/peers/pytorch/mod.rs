//! PyTorch: `torch.nn`'s cross-entropies (checked against 2.15) and the formulations of Dice that segmentation projects have
//! handed on since the Carvana challenge.

mod binary_cross_entropy;
mod cross_entropy;
mod dice;
mod reduction;

pub use binary_cross_entropy::{BCELoss, BCELoss2d, BCEWithLogitsLoss};
pub use cross_entropy::CrossEntropyLoss;
pub use dice::{DiceCoeff, SoftDiceLoss};

use super::recipes;

recipes! {
    /// A loss of this module by its name.
    DiceCoeff = "dice_coeff",
    SoftDiceLoss = "SoftDiceLoss",
    BCELoss2d = "BCELoss2d",
    BCELoss = "BCELoss",
    BCEWithLogitsLoss = "BCEWithLogitsLoss",
    CrossEntropyLoss = "CrossEntropyLoss",
}
