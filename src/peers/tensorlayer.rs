//! TensorLayer: `tl.cost.dice_coe`, `dice_hard_coe` and `iou_coe`.
//!
//! All three take an `axis` list to sum over and average what it leaves. Supported are the lists that hold all
//! spatial axes: with the class axis, the sample axis, both or neither. Negative entries count from the end.

use super::{Peer, recipes, single};
use crate::loss::{Measure, Overlap};
use crate::{Activation, Error, Loss, Map, Pool, Shape};

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
    fn loss(&self, shape: &Shape) -> Result<Loss, Error> {
        let squared = match self.loss_type.as_str() {
            "jaccard" => true,
            "sorensen" => false,
            other => {
                let reason = format!("unknown loss_type {other:?}, give \"jaccard\" or \"sorensen\"");
                return Err(Error::Peer { peer: "dice_coe", reason });
            }
        };
        let pool = pool("dice_coe", &self.axis, shape)?;
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
    fn loss(&self, shape: &Shape) -> Result<Loss, Error> {
        let pool = pool("dice_hard_coe", &self.axis, shape)?;
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
    fn loss(&self, shape: &Shape) -> Result<Loss, Error> {
        let pool = pool("iou_coe", &self.axis, shape)?;
        Ok(mean_score(Overlap { pool, threshold: Some(self.threshold), ..Overlap::jaccard() }, self.smooth))
    }
}

fn mean_score(overlap: Overlap, smooth: f64) -> Loss {
    let overlap = Overlap { smooth_numerator: smooth, smooth_denominator: smooth, map: Map::Score, ..overlap };
    single(Activation::None, Measure::Overlap(overlap))
}

/// The pooling that a list of summed axes amounts to.
fn pool(peer: &'static str, axis: &[i64], shape: &Shape) -> Result<Pool, Error> {
    let rank = shape.dims().len();
    let mut summed = vec![false; rank];
    for &entry in axis {
        let positive = if entry < 0 { entry + rank as i64 } else { entry };
        let seen = usize::try_from(positive).ok().and_then(|index| summed.get_mut(index));
        match seen {
            Some(seen) if !*seen => *seen = true,
            Some(_) => return Err(Error::Peer { peer, reason: format!("axis {axis:?} names {entry} twice") }),
            None => {
                let reason =
                    format!("axis {entry} does not exist in {rank} dimensions; give the axes of {:?}", shape.dims());
                return Err(Error::Peer { peer, reason });
            }
        }
    }
    if summed[2..].contains(&false) {
        let reason = format!("axis {axis:?} leaves out a spatial axis of {:?}, which is not supported", shape.dims());
        return Err(Error::Peer { peer, reason });
    }
    Ok(match (summed[0], summed[1]) {
        (false, false) => Pool::None,
        (true, false) => Pool::Batch,
        (false, true) => Pool::Classes,
        (true, true) => Pool::All,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_lists_become_pools() {
        let shape = Shape::new(&[2, 3, 5, 7]).unwrap();
        let pool = |axis: &[i64]| pool("dice_coe", axis, &shape);
        assert_eq!(pool(&[1, 2, 3]), Ok(Pool::Classes));
        assert_eq!(pool(&[2, 3]), Ok(Pool::None));
        assert_eq!(pool(&[-1, -2, 0]), Ok(Pool::Batch));
        assert_eq!(pool(&[3, 2, 1, 0]), Ok(Pool::All));
        for (axis, message) in [(&[1, 2][..], "leaves out"), (&[1, 2, 3, 4], "does not exist"), (&[2, 2, 3], "twice")] {
            assert!(pool(axis).unwrap_err().to_string().contains(message));
        }
    }

    #[test]
    fn an_unknown_loss_type_is_an_error() {
        let loss = DiceCoe { loss_type: "dice".into(), ..Default::default() };
        let error = loss.loss(&Shape::new(&[1, 1, 2, 2]).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "dice_coe: unknown loss_type \"dice\", give \"jaccard\" or \"sorensen\"");
    }
}
