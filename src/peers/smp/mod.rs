//! segmentation_models.pytorch: `segmentation_models_pytorch.losses` (checked against 0.6.0).
//!
//! Its overlap losses always pool the batch. What they have in common with the focal loss is the argument `mode`, which has no
//! default.

mod cross_entropy;
mod focal;
mod overlap;

pub use cross_entropy::{SoftBCEWithLogitsLoss, SoftCrossEntropyLoss};
pub use focal::{FocalLoss, FocalReduction};
pub use overlap::{DiceLoss, JaccardLoss, MCCLoss, TverskyLoss};

use super::{recipes, refuse, targets, weight};
use crate::loss::Classes;
use crate::{Error, Problem};

recipes! {
    /// A loss of this module by its name.
    DiceLoss = "DiceLoss",
    JaccardLoss = "JaccardLoss",
    TverskyLoss = "TverskyLoss",
    FocalLoss = "FocalLoss",
    SoftBCEWithLogitsLoss = "SoftBCEWithLogitsLoss",
    SoftCrossEntropyLoss = "SoftCrossEntropyLoss",
    MCCLoss = "MCCLoss",
}

/// What the classes of a prediction are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Mode {
    /// There is one thing to find. The prediction goes through a sigmoid; classes, if there are several, are pooled.
    Binary,
    /// A voxel belongs to one class, which a label map says. The prediction goes through a softmax.
    Multiclass,
    /// Every class has a target of its own. The prediction goes through a sigmoid.
    Multilabel,
}

impl Mode {
    /// Refuses targets that this mode does not take.
    fn check_targets(self, peer: &'static str, problem: &Problem) -> Result<(), Error> {
        match self {
            Self::Multiclass => targets::labels(peer, problem),
            Self::Binary | Self::Multilabel => targets::dense(peer, problem),
        }
    }

    /// Class weights, which the binary mode does not take, for a mean that divides by their sum over some classes.
    fn class_weights(
        self,
        peer: &'static str,
        list: Option<&[f64]>,
        classes: &Classes,
        problem: &Problem,
    ) -> Result<Vec<f64>, Error> {
        if self == Self::Binary && list.is_some() {
            return refuse(peer, "mode binary takes no class_weights; leave them out");
        }
        let weights = weight::per_class(peer, "class_weights", list, problem)?;
        let is_used = |class: &usize| classes.contains(*class);
        if !weights.is_empty() && (0..weights.len()).filter(is_used).all(|class| weights[class] == 0.0) {
            return refuse(
                peer,
                "class_weights are 0 for all classes that take part, and the mean divides by their sum",
            );
        }
        Ok(weights)
    }
}

#[cfg(feature = "serde")]
fn yes() -> bool {
    true
}
