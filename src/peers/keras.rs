//! Keras: its losses (checked against 3.15.1 on the torch backend), and the `dice_coef` that U-Net projects have handed on.
//!
//! Keras's tensors are `[N, spatial…, C]`: say so in the [problem](crate::Problem::axes). Its clip and smoothing constant is
//! `epsilon()`, 10⁻⁷.

use super::axis::{pool, pool_channel_last};
use super::{Peer, recipes, single};
use crate::loss::{BinaryCrossEntropy, Focal, Measure, Modulation, Overlap};
use crate::{Activation, AxisOrder, Error, Loss, Map, Pool, Problem, Reduction};

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
    /// The same: without `sample_weight` the two are one.
    MeanWithSampleWeight,
    /// Their sum.
    Sum,
    /// The values themselves.
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

/// `dice_coef(y_true, y_pred)`: (2I + s)/(Σt² + Σp² + s) of probabilities over everything.
///
/// It returns the coefficient, not a loss.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceCoef {
    /// s, a constant of 1 in the original.
    pub smooth: f64,
}

impl Default for DiceCoef {
    fn default() -> Self {
        Self { smooth: 1.0 }
    }
}

impl Peer for DiceCoef {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        Ok(dice(self.smooth, Map::Score))
    }
}

/// `dice_coef_loss(y_true, y_pred)`: 1 − [`DiceCoef`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct DiceCoefLoss {
    /// s, a constant of 1 in the original.
    pub smooth: f64,
}

impl Default for DiceCoefLoss {
    fn default() -> Self {
        Self { smooth: 1.0 }
    }
}

impl Peer for DiceCoefLoss {
    fn loss(&self, _: &Problem) -> Result<Loss, Error> {
        Ok(dice(self.smooth, Map::Complement))
    }
}

fn dice(smooth: f64, map: Map) -> Loss {
    let overlap = Overlap {
        squared: true,
        smooth_numerator: smooth,
        smooth_denominator: smooth,
        pool: Pool::All,
        map,
        ..Overlap::dice()
    };
    single(Activation::None, Measure::Overlap(overlap))
}

/// `keras.losses.Dice(reduction="sum_over_batch_size", axis=None)`: 1 − 2I/(P + T + 10⁻⁷) of probabilities.
///
/// By default everything is pooled, **including the batch**; with `axis` what it leaves is reduced.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct Dice {
    /// How the values that `axis` leaves become one number.
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
    // The axes are those of the tensor as it lies in memory.
    let pool_of = if problem.axes == AxisOrder::ChannelLast { pool_channel_last } else { pool };
    let pool = axis.map_or(Ok(Pool::All), |axis| pool_of(peer, axis, &problem.shape))?;
    let reduction = if pool == Pool::All { Reduction::Mean } else { reduction.into() };
    Ok(single(Activation::None, Measure::Overlap(Overlap { pool, reduction, ..overlap })))
}

/// `keras.losses.BinaryCrossentropy(from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size")`:
/// the mean over `axis` of cross-entropy, reduced.
///
/// Probabilities are held within \[10⁻⁷, 1 − 10⁻⁷\], without a gradient outside. Label smoothing makes t·(1−s) + s/2 of a
/// target.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BinaryCrossentropy {
    /// Whether the input is logits.
    pub from_logits: bool,
    /// s.
    pub label_smoothing: f64,
    /// The axis of the mean: the classes, −1. (Others are not supported.)
    pub axis: i64,
    /// How the voxels' means become one number.
    pub reduction: KerasReduction,
}

impl Default for BinaryCrossentropy {
    fn default() -> Self {
        Self { from_logits: false, label_smoothing: 0.0, axis: -1, reduction: KerasReduction::default() }
    }
}

impl Peer for BinaryCrossentropy {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let (reduction, weight) = class_means("BinaryCrossentropy", self.axis, self.reduction, problem)?;
        let clip = if self.from_logits { 0.0 } else { EPSILON };
        let bce = BinaryCrossEntropy { label_smoothing: self.label_smoothing, clip, reduction, ..Default::default() };
        let mut loss = single(activation(self.from_logits), Measure::BinaryCrossEntropy(bce));
        loss.terms[0].weight = weight;
        Ok(loss)
    }
}

/// `keras.losses.BinaryFocalCrossentropy(apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False,
/// label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size")`: the mean over `axis` of (1 − p_t)^γ times
/// cross-entropy, p_t = t·p + (1−t)(1−p) of the smoothed target, reduced.
///
/// Evaluated from logits in the stable form, so it differs from the original beyond |z| ≈ 16, where that is clipped.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct BinaryFocalCrossentropy {
    /// Whether `alpha` is used at all.
    pub apply_class_balancing: bool,
    /// The weight of the target's part, 1 − α being that of the rest.
    pub alpha: f64,
    /// γ.
    pub gamma: f64,
    /// Whether the input is logits.
    pub from_logits: bool,
    /// s.
    pub label_smoothing: f64,
    /// The axis of the mean: the classes, −1. (Others are not supported.)
    pub axis: i64,
    /// How the voxels' means become one number.
    pub reduction: KerasReduction,
}

impl Default for BinaryFocalCrossentropy {
    fn default() -> Self {
        Self {
            apply_class_balancing: false,
            alpha: 0.25,
            gamma: 2.0,
            from_logits: false,
            label_smoothing: 0.0,
            axis: -1,
            reduction: KerasReduction::default(),
        }
    }
}

impl Peer for BinaryFocalCrossentropy {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        let (reduction, weight) = class_means("BinaryFocalCrossentropy", self.axis, self.reduction, problem)?;
        let balanced = |weight| if self.apply_class_balancing { vec![weight] } else { vec![] };
        let focal = Focal {
            gamma: self.gamma,
            modulation: Modulation::Mixture,
            positive_weights: balanced(self.alpha),
            negative_weights: balanced(1.0 - self.alpha),
            label_smoothing: self.label_smoothing,
            clip: if self.from_logits { 0.0 } else { EPSILON },
            reduction,
            ..Focal::default()
        };
        let mut loss = single(activation(self.from_logits), Measure::Focal(focal));
        loss.terms[0].weight = weight;
        Ok(loss)
    }
}

fn activation(from_logits: bool) -> Activation {
    if from_logits { Activation::Sigmoid } else { Activation::None }
}

/// The reduction of a mean over the classes, and the weight it takes: a sum of means is the sum by the number of classes.
fn class_means(
    peer: &'static str,
    axis: i64,
    reduction: KerasReduction,
    problem: &Problem,
) -> Result<(Reduction, f64), Error> {
    let (rank, classes) = (problem.shape.dims().len() as i64, problem.shape.classes());
    if axis != -1 && axis != rank - 1 {
        let reason = format!("axis {axis} is not the class axis; give -1, the last of [N, spatial…, C]");
        return Err(Error::Peer { peer, reason });
    }
    if reduction == KerasReduction::None && classes != 1 {
        let reason = format!("reduction \"none\" of {classes} classes is a map of their means, which is not supported");
        return Err(Error::Peer { peer, reason });
    }
    let weight = if reduction == KerasReduction::Sum { 1.0 / classes.max(1) as f64 } else { 1.0 };
    Ok((reduction.into(), weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

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
}
