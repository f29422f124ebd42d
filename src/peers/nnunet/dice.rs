//! Soft Dice.

use crate::loss::{Classes, Measure, Overlap, Term};
use crate::peers::{Peer, refuse};
use crate::{Activation, Error, Loss, Map, Pool, Problem};

/// What `apply_nonlin` may be, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Nonlinearity {
    /// `None`: the input is probabilities. (In JSON also `null`.)
    #[default]
    None,
    /// `softmax_helper_dim1`.
    #[cfg_attr(feature = "serde", serde(alias = "softmax_helper_dim1"))]
    Softmax,
    /// `torch.sigmoid`.
    #[cfg_attr(feature = "serde", serde(alias = "torch.sigmoid"))]
    Sigmoid,
}

impl From<Nonlinearity> for Activation {
    fn from(nonlinearity: Nonlinearity) -> Self {
        match nonlinearity {
            Nonlinearity::None => Self::None,
            Nonlinearity::Softmax => Self::Softmax,
            Nonlinearity::Sigmoid => Self::Sigmoid,
        }
    }
}

#[cfg(feature = "serde")]
fn null_is_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Nonlinearity, D::Error> {
    let nonlinearity: Option<Nonlinearity> = serde::Deserialize::deserialize(deserializer)?;
    Ok(nonlinearity.unwrap_or_default())
}

/// `SoftDiceLoss(apply_nonlin=None, batch_dice=False, do_bg=True, smooth=1., ddp=True, clip_tp=None)`:
/// −mean of (2I + s)/max(P + T + s, 10⁻⁸) over samples and classes, or over the classes of the batch.
///
/// One channel takes its target as it is, a label map included: give it as a dense target here.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct SoftDiceLoss {
    /// What makes probabilities of the input.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "null_is_none"))]
    pub apply_nonlin: Nonlinearity,
    /// Whether the sums of the batch are pooled.
    pub batch_dice: bool,
    /// Whether class 0 takes part in the mean.
    pub do_bg: bool,
    /// s.
    pub smooth: f64,
    /// Changes nothing here: see [the module](super).
    pub ddp: bool,
    /// `None`. (What would hold I from below is not supported.)
    pub clip_tp: Option<f64>,
}

impl Default for SoftDiceLoss {
    fn default() -> Self {
        Self { apply_nonlin: Nonlinearity::None, batch_dice: false, do_bg: true, smooth: 1.0, ddp: true, clip_tp: None }
    }
}

impl SoftDiceLoss {
    /// The term, for the peer that this is a part of.
    pub(super) fn term(&self, peer: &'static str, problem: &Problem) -> Result<Term, Error> {
        if let Some(least) = self.clip_tp {
            return refuse(peer, format!("clip_tp {least} is not supported; leave it out"));
        }
        if problem.targets.is_labels() && problem.shape.classes() == 1 {
            let reason =
                "one channel takes its target as it is, not as class ids; give a dense target (f32, bytes or bits)";
            return refuse(peer, reason);
        }
        let overlap = Overlap {
            smooth_numerator: self.smooth,
            smooth_denominator: self.smooth,
            floor: 1e-8,
            pool: if self.batch_dice { Pool::Batch } else { Pool::None },
            map: Map::Negated,
            ..Overlap::dice()
        };
        let classes = if self.do_bg { Classes::All } else { Classes::Foreground };
        Ok(Term { classes, ..Term::new(self.apply_nonlin.into(), Measure::Overlap(overlap)) })
    }
}

impl Peer for SoftDiceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        Ok(Loss::of(vec![self.term("SoftDiceLoss", problem)?]))
    }
}

/// `MemoryEfficientSoftDiceLoss(apply_nonlin=None, batch_dice=False, do_bg=True, smooth=1., ddp=True)`: the numbers of
/// [`SoftDiceLoss`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct MemoryEfficientSoftDiceLoss {
    /// What makes probabilities of the input.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "null_is_none"))]
    pub apply_nonlin: Nonlinearity,
    /// Whether the sums of the batch are pooled.
    pub batch_dice: bool,
    /// Whether class 0 takes part.
    pub do_bg: bool,
    /// s.
    pub smooth: f64,
    /// Changes nothing here: see [the module](super).
    pub ddp: bool,
}

impl Default for MemoryEfficientSoftDiceLoss {
    fn default() -> Self {
        let SoftDiceLoss { apply_nonlin, batch_dice, do_bg, smooth, ddp, .. } = SoftDiceLoss::default();
        Self { apply_nonlin, batch_dice, do_bg, smooth, ddp }
    }
}

impl Peer for MemoryEfficientSoftDiceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let Self { apply_nonlin, batch_dice, do_bg, smooth, ddp } = *self;
        let dice = SoftDiceLoss { apply_nonlin, batch_dice, do_bg, smooth, ddp, clip_tp: None };
        Ok(Loss::of(vec![dice.term("MemoryEfficientSoftDiceLoss", problem)?]))
    }
}
