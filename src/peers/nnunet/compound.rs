//! Dice and cross-entropy together.
//!
//! What the originals take as `soft_dice_kwargs` are arguments of their own here.

use super::{Nonlinearity, SoftDiceLoss};
use crate::loss::{BinaryCrossEntropy, CrossEntropy, Divisor, Measure, Term};
use crate::peers::{Peer, pytorch, refuse, targets};
use crate::{Activation, Error, Loss, Problem, Reduction};

/// What `dice_class` may be: the two give the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum DiceClass {
    /// [`SoftDiceLoss`]
    SoftDiceLoss,
    /// [`MemoryEfficientSoftDiceLoss`](super::MemoryEfficientSoftDiceLoss)
    MemoryEfficientSoftDiceLoss,
}

/// `DC_and_CE_loss(soft_dice_kwargs, ce_kwargs, weight_ce=1, weight_dice=1, ignore_label=None, dice_class=SoftDiceLoss)` of
/// logits and a label map: weight_ce·CE + weight_dice·(−dc), both of the softmax.
///
/// Voxels of the label `ignore_label` count in neither; where no voxel counts, CE is 0. (Where all that count have a class weight
/// of 0 it is 0, too; the original's is NaN.) Without an `ignore_label`, CE's own
/// default of −100 has no effect here, since Dice would fail at such labels.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DcAndCeLoss {
    /// Of `soft_dice_kwargs`: whether the sums of the batch are pooled.
    pub batch_dice: bool,
    /// Of `soft_dice_kwargs`: whether class 0 takes part in Dice.
    pub do_bg: bool,
    /// Of `soft_dice_kwargs`: s.
    pub smooth: f64,
    /// Of `soft_dice_kwargs`. Changes nothing here: see [the module](super).
    pub ddp: bool,
    /// Cross-entropy's arguments, whose `reduction` is `mean` or `sum`. Its `ignore_index` gives way to `ignore_label`.
    pub ce_kwargs: pytorch::CrossEntropyLoss,
    /// The weight of cross-entropy; with 0 it is not evaluated.
    pub weight_ce: f64,
    /// The weight of Dice.
    pub weight_dice: f64,
    /// The label that does not count.
    pub ignore_label: Option<i64>,
    /// Which Dice it is.
    pub dice_class: DiceClass,
}

impl Default for DcAndCeLoss {
    fn default() -> Self {
        let SoftDiceLoss { batch_dice, do_bg, smooth, ddp, .. } = SoftDiceLoss::default();
        Self {
            batch_dice,
            do_bg,
            smooth,
            ddp,
            ce_kwargs: pytorch::CrossEntropyLoss::default(),
            weight_ce: 1.0,
            weight_dice: 1.0,
            ignore_label: None,
            dice_class: DiceClass::SoftDiceLoss,
        }
    }
}

impl DcAndCeLoss {
    fn cross_entropy(&self, peer: &'static str, problem: &Problem) -> Result<Measure, Error> {
        let ignored = targets::ignore_index(self.ignore_label, problem);
        let index = self.ce_kwargs.ignore_index;
        let is_class = usize::try_from(index).is_ok_and(|index| index < problem.shape.classes());
        if ignored.is_none() && is_class {
            let reason = format!("ignore_index {index} in ce_kwargs would count in Dice; give it as ignore_label");
            return refuse(peer, reason);
        }
        let ce = self.ce_kwargs.measure(peer, problem, Divisor::Weights)?;
        check_is_number(peer, ce.reduction)?;
        Ok(Measure::CrossEntropy(CrossEntropy { nan_if_empty: ignored.is_none(), ..ce }))
    }
}

impl Peer for DcAndCeLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "DC_and_CE_loss";
        targets::labels(PEER, problem)?;
        let &Self { batch_dice, do_bg, smooth, ddp, weight_ce, weight_dice, .. } = self;
        let dice = SoftDiceLoss { apply_nonlin: Nonlinearity::Softmax, batch_dice, do_bg, smooth, ddp, clip_tp: None };
        let ce = Term::new(Activation::Softmax, self.cross_entropy(PEER, problem)?);
        let loss = weighted(dice.term(PEER, problem)?, weight_dice, ce, weight_ce);
        Ok(Loss { ignore_index: self.ignore_label, ..loss })
    }
}

/// `DC_and_BCE_loss(bce_kwargs, soft_dice_kwargs, weight_ce=1, weight_dice=1, use_ignore_label=False,
/// dice_class=MemoryEfficientSoftDiceLoss)` of logits and a dense target: weight_ce·BCE + weight_dice·(−dc), both of the
/// sigmoid.
///
/// With `use_ignore_label` the original takes an ignore mask from an extra last channel of the target; here it is given as the
/// problem's [mask](crate::Problem::mask), 1 = counts. BCE is then the sum over the classes by the number of **voxels** that
/// count, so C times what it is without.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DcAndBceLoss {
    /// Of `soft_dice_kwargs`: whether the sums of the batch are pooled.
    pub batch_dice: bool,
    /// Of `soft_dice_kwargs`: whether class 0 takes part in Dice.
    pub do_bg: bool,
    /// Of `soft_dice_kwargs`: s.
    pub smooth: f64,
    /// Of `soft_dice_kwargs`. Changes nothing here: see [the module](super).
    pub ddp: bool,
    /// Binary cross-entropy's arguments, whose `reduction` is `mean` or `sum`; with `use_ignore_label` it is not read.
    pub bce_kwargs: pytorch::BCEWithLogitsLoss,
    /// The weight of cross-entropy.
    pub weight_ce: f64,
    /// The weight of Dice.
    pub weight_dice: f64,
    /// Whether the mask is the original's ignore channel.
    pub use_ignore_label: bool,
    /// Which Dice it is.
    pub dice_class: DiceClass,
}

impl Default for DcAndBceLoss {
    fn default() -> Self {
        let SoftDiceLoss { batch_dice, do_bg, smooth, ddp, .. } = SoftDiceLoss::default();
        Self {
            batch_dice,
            do_bg,
            smooth,
            ddp,
            bce_kwargs: pytorch::BCEWithLogitsLoss::default(),
            weight_ce: 1.0,
            weight_dice: 1.0,
            use_ignore_label: false,
            dice_class: DiceClass::MemoryEfficientSoftDiceLoss,
        }
    }
}

impl DcAndBceLoss {
    fn cross_entropy(&self, peer: &'static str, problem: &Problem) -> Result<Measure, Error> {
        let kwargs = &self.bce_kwargs;
        if kwargs.weight.is_some() {
            let reason = "weight in bce_kwargs would weigh Dice, too, as voxel weights do; it is not supported";
            return refuse(peer, reason);
        }
        if !self.use_ignore_label {
            let bce = kwargs.measure(peer, problem)?;
            check_is_number(peer, bce.reduction)?;
            return Ok(Measure::BinaryCrossEntropy(bce));
        }
        if !problem.mask {
            return refuse(
                peer,
                "use_ignore_label takes its mask from the target's last channel; here, give it as the mask",
            );
        }
        if kwargs.size_average.is_some() || kwargs.reduce.is_some() {
            let reason = "size_average and reduce take away the values that use_ignore_label masks; leave them out";
            return refuse(peer, reason);
        }
        let bce = kwargs.measure(peer, problem)?;
        let (divisor, reduction) = (Divisor::Voxels, Reduction::Mean);
        Ok(Measure::BinaryCrossEntropy(BinaryCrossEntropy { divisor, reduction, ..bce }))
    }
}

impl Peer for DcAndBceLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "DC_and_BCE_loss";
        targets::dense(PEER, problem)?;
        let &Self { batch_dice, do_bg, smooth, ddp, weight_ce, weight_dice, .. } = self;
        let dice = SoftDiceLoss { apply_nonlin: Nonlinearity::Sigmoid, batch_dice, do_bg, smooth, ddp, clip_tp: None };
        let bce = Term::new(Activation::Sigmoid, self.cross_entropy(PEER, problem)?);
        Ok(weighted(dice.term(PEER, problem)?, weight_dice, bce, weight_ce))
    }
}

/// `DC_and_topk_loss(soft_dice_kwargs, ce_kwargs, weight_ce=1, weight_dice=1, ignore_label=None)`, which is refused whatever its
/// arguments: a mean over the k % of the voxels with the largest cross-entropy is not supported.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct DcAndTopkLoss {}

impl Peer for DcAndTopkLoss {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        let reason = "the mean over the voxels with the largest cross-entropy is not supported; take DC_and_CE_loss";
        refuse("DC_and_topk_loss", reason)
    }
}

/// The weighted sum of Dice and cross-entropy, which may be no number where it does not count.
fn weighted(dice: Term, weight_dice: f64, cross_entropy: Term, weight_ce: f64) -> Loss {
    let mut terms = vec![Term { weight: weight_dice, ..dice }];
    if weight_ce != 0.0 {
        terms.push(Term { weight: weight_ce, ..cross_entropy });
    }
    Loss::of(terms)
}

fn check_is_number(peer: &'static str, reduction: Reduction) -> Result<(), Error> {
    match reduction {
        Reduction::Mean | Reduction::Sum => Ok(()),
        _ => refuse(peer, "a map of cross-entropy does not add up with Dice; give the reduction mean or sum"),
    }
}
