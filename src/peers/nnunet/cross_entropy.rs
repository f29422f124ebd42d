//! Cross-entropy over the classes.

use crate::peers::{Peer, pytorch, targets};
use crate::{Error, Loss, Problem};

/// `RobustCrossEntropyLoss(…)`: [PyTorch's](pytorch::CrossEntropyLoss), whose arguments it has, of a label map that may be
/// `[N, 1, spatial…]`.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct RobustCrossEntropyLoss(pub pytorch::CrossEntropyLoss);

impl Peer for RobustCrossEntropyLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        targets::labels("RobustCrossEntropyLoss", problem)?;
        self.0.loss(problem)
    }
}
