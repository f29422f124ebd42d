//! Keras: its losses (checked against 3.15.1 on the torch backend), and the `dice_coef` that U-Net projects have handed on.
//!
//! Keras's tensors are `[N, spatial…, C]`: say so in the [problem](crate::Problem::axes). An `axis` is one of the tensor as it
//! lies in memory, so that −1 is the class axis there, and the last spatial one of `[N, C, spatial…]`. Its clip and smoothing
//! constant is `epsilon()`, 10⁻⁷.

mod binary;
mod categorical;
mod dice_coef;
mod overlap;

pub use binary::{BinaryCrossentropy, BinaryFocalCrossentropy};
pub use categorical::{CategoricalCrossentropy, CategoricalFocalCrossentropy, SparseCategoricalCrossentropy};
pub use dice_coef::{DiceCoef, DiceCoefLoss};
pub use overlap::{Dice, Tversky};

use super::{recipes, refuse};
use crate::{AxisOrder, Error, Problem, Reduction};

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
    /// The same where there are no weights. With a `sample_weight`, which is [data](crate::Problem::voxel_weights), it divides by
    /// the sum of the weights of what counts: known of a weight for each voxel and targets that are labels, else refused.
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
    /// Whether its mean is to divide by the sum of weights that there are.
    fn divides_by_weights(self, problem: &Problem) -> bool {
        self == Self::MeanWithSampleWeight && problem.voxel_weights.is_some()
    }

    /// Refuses such a mean, of a loss that does not know their sum.
    fn refuse_weighted_mean(self, peer: &'static str, problem: &Problem) -> Result<(), Error> {
        if !self.divides_by_weights(problem) {
            return Ok(());
        }
        let reason = "reduction mean_with_sample_weight divides by the sum of the weights, which is known of a categorical loss of \
                      labels with a weight for each voxel only; take the sum, and divide by it";
        refuse(peer, reason)
    }

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

/// Whether there is such an axis.
fn is_axis(axis: i64, problem: &Problem) -> bool {
    let rank = problem.shape.dims().len() as i64;
    (-rank..rank).contains(&axis)
}

/// Where the class axis lies among so many in memory.
fn class_axis(problem: &Problem) -> usize {
    match problem.axes {
        AxisOrder::ChannelFirst => 1,
        AxisOrder::ChannelLast => problem.shape.dims().len() - 1,
    }
}

/// Whether the class axis is the last one.
fn is_class_last(problem: &Problem) -> bool {
    class_axis(problem) + 1 == problem.shape.dims().len()
}

/// Refuses an axis that is not that of the classes.
fn check_axis(peer: &'static str, axis: i64, problem: &Problem) -> Result<(), Error> {
    let (rank, class_axis) = (problem.shape.dims().len() as i64, class_axis(problem) as i64);
    if axis == class_axis || axis == class_axis - rank {
        return Ok(());
    }
    let (order, given) = if is_class_last(problem) {
        ("[N, spatial…, C]", -1)
    } else {
        ("[N, C, spatial…], which is the problem's order of axes", class_axis)
    };
    refuse(peer, format!("axis {axis} is not the class axis of {order}; give {given}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::Peer;

    /// Of `[N, C, H, W]` Keras's axis −1 is W.
    #[test]
    fn axes_are_those_of_the_tensor_in_memory() {
        let mut problem = Problem::new(crate::Shape::new(&[2, 3, 4, 5]).unwrap());
        let softmax = |axis| CategoricalCrossentropy { from_logits: true, axis, ..Default::default() };
        let sum = |axis| BinaryCrossentropy { axis, reduction: KerasReduction::Sum, ..Default::default() };
        let mean = |axis| BinaryCrossentropy { axis, ..Default::default() };
        let accepted = |peer: &dyn Fn(i64) -> Result<crate::Loss, Error>| {
            let taken = |axis: &i64| peer(*axis).inspect(|loss| loss.validate().unwrap()).is_ok();
            (-5..5).filter(taken).collect::<Vec<_>>()
        };
        for (axes, classes) in [(AxisOrder::ChannelFirst, [-3, 1]), (AxisOrder::ChannelLast, [-1, 3])] {
            problem.axes = axes;
            assert_eq!(accepted(&|axis| softmax(axis).loss(&problem)), classes);
            assert_eq!(accepted(&|axis| sum(axis).loss(&problem)), classes);
            // The mean of everything is one.
            assert_eq!(accepted(&|axis| mean(axis).loss(&problem)), (-4..4).collect::<Vec<_>>());
        }
        problem.axes = AxisOrder::ChannelFirst;
        let smoothed = CategoricalCrossentropy { label_smoothing: 0.1, ..softmax(1) };
        assert!(smoothed.loss(&problem).unwrap_err().to_string().contains("along the last axis"));
    }

    #[test]
    fn means_by_weights_are_refused_where_those_are_not_known() {
        let mut problem = Problem::new(crate::Shape::new(&[2, 3, 4, 5]).unwrap()).with_weights_per_voxel();
        problem.axes = AxisOrder::ChannelLast;
        let reduction = KerasReduction::MeanWithSampleWeight;
        let binary = BinaryCrossentropy { reduction, ..Default::default() };
        let of_dense = CategoricalCrossentropy { from_logits: true, reduction, ..Default::default() };
        for peer in [&binary as &dyn Peer, &of_dense] {
            let reason = peer.loss(&problem).unwrap_err().to_string();
            assert!(reason.contains("divides by the sum of the weights"), "{reason}");
            let unweighted = Problem { voxel_weights: crate::VoxelWeights::None, ..problem.clone() };
            peer.loss(&unweighted).unwrap();
        }
    }

    #[test]
    fn no_reduction_has_two_names() {
        for written in ["null", "\"none\""] {
            let dice: Dice = serde_json::from_str(&format!("{{\"reduction\": {written}}}")).unwrap();
            assert_eq!(dice.reduction, KerasReduction::None);
        }
        assert_eq!(serde_json::from_str::<Dice>("{}").unwrap().reduction, KerasReduction::SumOverBatchSize);
    }
}
