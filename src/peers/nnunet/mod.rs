//! nnU-Net: `nnunetv2.training.loss` (checked against 2.8.1).
//!
//! Dice is returned as −dc, the mean of the scores with a minus sign. The losses take an activation as a callable there and by
//! name here, and their `loss_mask` is a [mask](crate::Problem::mask) here.
//!
//! `ddp` says whether batch Dice adds up the sums of all processes. A loss here knows one process; what `ddp` asks for is done
//! between [`encode_sums`](crate::Bound::encode_sums) and [`encode_loss`](crate::Bound::encode_loss), where the sums may be
//! added to those of others. So it is taken, whatever it is, and changes nothing.
//!
//! `TopKLoss`, a mean over the voxels with the largest cross-entropy, which sums do not tell, is not here; what contains it is refused.

mod compound;
mod cross_entropy;
mod dice;

pub use compound::{DcAndBceLoss, DcAndCeLoss, DcAndTopkLoss, DiceClass};
pub use cross_entropy::RobustCrossEntropyLoss;
pub use dice::{MemoryEfficientSoftDiceLoss, Nonlinearity, SoftDiceLoss};

use super::recipes;

recipes! {
    /// A loss of this module by its name.
    SoftDiceLoss = "SoftDiceLoss",
    MemoryEfficientSoftDiceLoss = "MemoryEfficientSoftDiceLoss",
    RobustCrossEntropyLoss = "RobustCrossEntropyLoss",
    DcAndCeLoss = "DC_and_CE_loss",
    DcAndBceLoss = "DC_and_BCE_loss",
    DcAndTopkLoss = "DC_and_topk_loss",
}
