//! MONAI: its losses and metrics (checked against 1.6.1).
//!
//! Arguments have MONAI's names and defaults. Where the original takes tensors or callables: a `weight` is a number or a list, a mask
//! is data ([`Problem::mask`](crate::Problem::mask)), `other_act` is named ([`OtherAct`]). Labels are targets of their own format
//! here, which `to_onehot_y` must go with; they are never expanded. A mask is known to [`MaskedDiceLoss`] alone in MONAI; from the
//! others it leaves out what it masks.
//!
//! With `smooth_dr` 0 and nothing in prediction and target a ratio is no number here; the original's is −∞ where `smooth_nr` is not
//! 0. Before 1.6 nothing had an `ignore_index`; before 1.5 the default reduction of `GeneralizedDiceScore` was
//! `mean_batch`, which gave the mean.
//!
//! ```
//! use segloss::peers::{Peer, monai};
//! use segloss::{LabelFormat, Problem, Shape, TargetFormat};
//!
//! let loss = monai::DiceCELoss { softmax: true, to_onehot_y: true, include_background: false, ..Default::default() };
//! let mut problem = Problem::new(Shape::new(&[2, 4, 64, 64, 64])?);
//! assert!(loss.loss(&problem).unwrap_err().to_string().contains("to_onehot_y takes labels"));
//! problem.targets = TargetFormat::Labels(LabelFormat::U8);
//! assert_eq!(loss.loss(&problem)?.terms.len(), 2);
//! # Ok::<(), segloss::Error>(())
//! ```

mod call;
mod dice;
mod dice_ce;
mod dice_focal;
mod focal;
mod generalized;
mod mcc;
pub mod metrics;
mod reduction;
#[cfg(test)]
mod tests;
mod tversky;
mod wasserstein;
mod weights;

pub use call::OtherAct;
pub use dice::{DiceLoss, MaskedDiceLoss};
pub use dice_ce::DiceCELoss;
pub use dice_focal::{DiceFocalLoss, GeneralizedDiceFocalLoss};
pub use focal::FocalLoss;
pub use generalized::{GeneralizedDiceLoss, WeightType};
pub use mcc::MCCLoss;
pub use metrics::{
    ConfusionMatrixMetric, DiceMetric, GeneralizedDiceScore, MeanIoU, MetricRecipe, MetricReduction, ReturnWithLabel,
};
pub use reduction::{DiceCEReduction, LossReduction};
pub use tversky::TverskyLoss;
pub use wasserstein::{GeneralizedWassersteinDiceLoss, WeightingMode};
pub use weights::OneOrEach;

use super::recipes;
use crate::{Loss, loss::Term};

recipes! {
    /// A loss of this module by its name.
    DiceLoss = "DiceLoss",
    MaskedDiceLoss = "MaskedDiceLoss",
    GeneralizedDiceLoss = "GeneralizedDiceLoss",
    TverskyLoss = "TverskyLoss",
    MCCLoss = "MCCLoss",
    DiceCELoss = "DiceCELoss",
    DiceFocalLoss = "DiceFocalLoss",
    GeneralizedDiceFocalLoss = "GeneralizedDiceFocalLoss",
    FocalLoss = "FocalLoss",
    GeneralizedWassersteinDiceLoss = "GeneralizedWassersteinDiceLoss",
}

/// Σ λ·term.
fn weighted_sum(parts: [(f64, Term); 2]) -> Loss {
    Loss::of(parts.map(|(lambda, term)| Term { weight: lambda * term.weight, ..term }).to_vec())
}
