//! TensorLayer: `tl.cost.dice_coe`, `dice_hard_coe` and `iou_coe`.
//!
//! All three take an `axis` list to sum over and average what it leaves. Supported are the lists that hold all
//! spatial axes: with the class axis, the sample axis, both or neither. They are axes of the tensor as it lies in memory,
//! `[N, spatial…, C]` where the problem's classes are last; negative entries count from the end.

use super::axis::pool;
use super::{Peer, recipes, single};
use crate::loss::{Measure, Overlap};
use crate::{Activation, Error, Loss, Map, Problem};

recipes! {
    /// A coefficient of this module by its name.
    DiceCoe = "dice_coe",
    DiceHardCoe = "dice_hard_coe",
    IouCoe = "iou_coe",
}

/// `dice_coe(output, target, loss_type='jaccard', axis=(1, 2, 3), smooth=1e-5)`:
/// (2I + s)/(l + r + s) of probabilities, averaged.
///
/// `jaccard` makes l and r the sums of squares (Dice with squared cardinalities, not the Jaccard index),
/// `sorensen` the plain sums.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceCoe {
    /// `jaccard` or `sorensen`; anything else is an error, as in the original.
    pub loss_type: String,
    /// The axes summed over.
    pub axis: Vec<i64>,
    /// s.
    pub smooth: f64,
}

impl Default for DiceCoe {
    fn default() -> Self {
        Self { loss_type: "jaccard".into(), axis: vec![1, 2, 3], smooth: 1e-5 }
    }
}

impl Peer for DiceCoe {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let squared = match self.loss_type.as_str() {
            "jaccard" => true,
            "sorensen" => false,
            other => {
                let reason = format!("unknown loss_type {other:?}, give \"jaccard\" or \"sorensen\"");
                return Err(Error::Peer { peer: "dice_coe", reason });
            }
        };
        let pool = pool("dice_coe", &self.axis, problem)?;
        Ok(mean_score(Overlap { squared, pool, ..Overlap::dice() }, self.smooth))
    }
}

/// `dice_hard_coe(output, target, threshold=0.5, axis=(1, 2, 3), smooth=1e-5)`: (2I + s)/(P + T + s) of
/// output > threshold and target > threshold, averaged.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceHardCoe {
    /// What counts as foreground, in output and target.
    pub threshold: f64,
    /// The axes summed over.
    pub axis: Vec<i64>,
    /// s.
    pub smooth: f64,
}

impl Default for DiceHardCoe {
    fn default() -> Self {
        Self { threshold: 0.5, axis: vec![1, 2, 3], smooth: 1e-5 }
    }
}

impl Peer for DiceHardCoe {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let pool = pool("dice_hard_coe", &self.axis, problem)?;
        Ok(mean_score(Overlap { pool, threshold: Some(self.threshold), ..Overlap::dice() }, self.smooth))
    }
}

/// `iou_coe(output, target, threshold=0.5, axis=(1, 2, 3), smooth=1e-5)`: (I + s)/(P + T − I + s) of
/// output > threshold and target > threshold, averaged.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct IouCoe {
    /// What counts as foreground, in output and target.
    pub threshold: f64,
    /// The axes summed over.
    pub axis: Vec<i64>,
    /// s.
    pub smooth: f64,
}

impl Default for IouCoe {
    fn default() -> Self {
        Self { threshold: 0.5, axis: vec![1, 2, 3], smooth: 1e-5 }
    }
}

impl Peer for IouCoe {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let pool = pool("iou_coe", &self.axis, problem)?;
        Ok(mean_score(Overlap { pool, threshold: Some(self.threshold), ..Overlap::jaccard() }, self.smooth))
    }
}

fn mean_score(overlap: Overlap, smooth: f64) -> Loss {
    let overlap = Overlap { smooth_numerator: smooth, smooth_denominator: smooth, map: Map::Score, ..overlap };
    single(Activation::None, Measure::Overlap(overlap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AxisOrder, Pool, Shape};

    #[test]
    fn axes_are_those_of_the_tensor_in_memory() {
        let mut problem = Problem::new(Shape::new(&[2, 3, 4, 5]).unwrap());
        problem.axes = AxisOrder::ChannelLast;
        let axis = vec![1, 2];
        let coefficients: [&dyn Peer; 3] = [
            &DiceCoe { axis: axis.clone(), ..Default::default() },
            &DiceHardCoe { axis: axis.clone(), ..Default::default() },
            &IouCoe { axis, ..Default::default() },
        ];
        for coefficient in coefficients {
            assert_eq!(coefficient.loss(&problem).unwrap().terms[0].pool(), Pool::None);
            let first = Problem { axes: AxisOrder::ChannelFirst, ..problem.clone() };
            assert!(coefficient.loss(&first).unwrap_err().to_string().contains("leaves out a spatial axis"));
        }
    }

    #[test]
    fn an_unknown_loss_type_is_an_error() {
        let loss = DiceCoe { loss_type: "dice".into(), ..Default::default() };
        let error = loss.loss(&Problem::new(Shape::new(&[1, 1, 2, 2]).unwrap())).unwrap_err();
        assert_eq!(error.to_string(), "dice_coe: unknown loss_type \"dice\", give \"jaccard\" or \"sorensen\"");
    }
}
