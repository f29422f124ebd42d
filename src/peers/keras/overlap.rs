//! Ratios of overlap sums.

use super::{EPSILON, KerasReduction};
use crate::loss::{Measure, Overlap};
use crate::peers::{Peer, axis, refuse, single};
use crate::{Activation, Error, Loss, Pool, Problem, Reduction, VoxelWeights};

/// `keras.losses.Dice(reduction="sum_over_batch_size", axis=None)`: 1 − 2I/(P + T + 10⁻⁷) of probabilities.
///
/// By default everything is pooled, **including the batch**; with `axis` what it leaves is reduced.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct Dice {
    /// How the values that `axis` leaves become one number.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::null_is_none"))]
    pub reduction: KerasReduction,
    /// The axes summed over, in the problem's order of axes, `[N, spatial…, C]` for Keras's own: all spatial ones, with the sample axis, the class axis, both or neither.
    pub axis: Option<Vec<i64>>,
}

impl Peer for Dice {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let overlap = Overlap { smooth_denominator: EPSILON, ..Overlap::dice() };
        pooled("Dice", overlap, self.axis.as_deref(), self.reduction, problem)
    }
}

/// `keras.losses.Tversky(alpha=0.5, beta=0.5, reduction="sum_over_batch_size", axis=None)`:
/// 1 − I/(I + α·FN + β·FP + 10⁻⁷) of probabilities.
///
/// α weighs what the prediction misses and β what it adds, the other way round than in Tversky's paper and in this
/// library's [`Loss::tversky`]: Keras names the two sums after the wrong arguments.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct Tversky {
    /// The weight of false negatives.
    pub alpha: f64,
    /// The weight of false positives.
    pub beta: f64,
    /// How the values that `axis` leaves become one number.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "super::null_is_none"))]
    pub reduction: KerasReduction,
    /// The axes summed over, as [`Dice::axis`].
    pub axis: Option<Vec<i64>>,
}

impl Default for Tversky {
    fn default() -> Self {
        Self { alpha: 0.5, beta: 0.5, reduction: KerasReduction::default(), axis: None }
    }
}

impl Peer for Tversky {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let overlap = Overlap { smooth_denominator: EPSILON, ..Overlap::tversky(self.beta, self.alpha) };
        pooled("Tversky", overlap, self.axis.as_deref(), self.reduction, problem)
    }
}

/// What is left of everything pooled is one number, which no reduction changes.
fn pooled(
    peer: &'static str,
    overlap: Overlap,
    axis: Option<&[i64]>,
    reduction: KerasReduction,
    problem: &Problem,
) -> Result<Loss, Error> {
    if problem.voxel_weights != VoxelWeights::None {
        let reason = "the original multiplies its value by the sample_weight; voxel weights would weigh its sums, leave them out";
        return refuse(peer, reason);
    }
    let pool = axis.map_or(Ok(Pool::All), |axis| axis::pool(peer, axis, problem))?;
    let reduction = if pool == Pool::All { Reduction::Mean } else { reduction.into() };
    Ok(single(Activation::None, Measure::Overlap(Overlap { pool, reduction, ..overlap })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AxisOrder, Shape};

    #[test]
    fn axes_are_those_of_the_tensor_in_memory() {
        let mut problem = Problem::new(Shape::new(&[2, 3, 4, 5]).unwrap());
        let pool = |problem: &Problem, axis: &[i64]| {
            let loss = Dice { axis: Some(axis.to_vec()), ..Default::default() }.loss(problem);
            loss.map(|loss| loss.terms[0].pool())
        };
        assert_eq!(pool(&problem, &[2, 3]), Ok(Pool::None));
        assert!(pool(&problem, &[1, 2]).is_err());
        problem.axes = AxisOrder::ChannelLast;
        assert_eq!(pool(&problem, &[1, 2]), Ok(Pool::None));
        assert!(pool(&problem, &[2, 3]).is_err());
    }

    /// Keras weighs the value: of p = [½, ½], t = [1, 0] and the weights [2, 0] it gives ½, the sums would give ⅓.
    #[test]
    fn weights_of_voxels_are_no_sample_weights() {
        let problem = Problem::new(Shape::new(&[1, 1, 2]).unwrap()).with_weights_per_voxel();
        for peer in [&Dice::default() as &dyn Peer, &Tversky::default()] {
            let reason = peer.loss(&problem).unwrap_err().to_string();
            assert!(reason.contains("multiplies its value by the sample_weight"), "{reason}");
        }
    }
}
