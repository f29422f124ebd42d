//! Cross-entropy over the classes.

use super::reduction::reduction;
use crate::loss::{CrossEntropy, Divisor, Measure};
use crate::peers::{Peer, refuse, single, weight};
use crate::{Activation, Error, Loss, Problem, Reduction};

/// `CrossEntropyLoss(weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0)`
/// of logits: −Σ_c w_c·((1−ε)·t_c + ε/C)·ln p_c, p the softmax.
///
/// What the mean divides by depends on the targets. Of a label map it is Σ w of the labels that count, and where that is 0 (all
/// are ignored) the mean is NaN. Of probabilities, targets that are no labels here, it is the number of voxels; `ignore_index`
/// does not apply to them, and the original refuses one that is not negative. `none` gives one value per voxel, 0 where it is
/// ignored. One class alone has the loss 0.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct CrossEntropyLoss {
    /// w, one number per class; 1 where it is not given.
    pub weight: Option<Vec<f64>>,
    /// Deprecated in the original; with `reduce`, overrides `reduction`.
    pub size_average: Option<bool>,
    /// The label that does not count.
    pub ignore_index: i64,
    /// Deprecated in the original; with `size_average`, overrides `reduction`.
    pub reduce: Option<bool>,
    /// `mean`, `sum` or `none`.
    pub reduction: Reduction,
    /// ε in [0, 1].
    pub label_smoothing: f64,
}

impl Default for CrossEntropyLoss {
    fn default() -> Self {
        Self {
            weight: None,
            size_average: None,
            ignore_index: -100,
            reduce: None,
            reduction: Reduction::Mean,
            label_smoothing: 0.0,
        }
    }
}

impl Peer for CrossEntropyLoss {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        const PEER: &str = "CrossEntropyLoss";
        if problem.targets.is_labels() {
            let ce = self.measure(PEER, problem, Divisor::Weights)?;
            return Ok(single(Activation::Softmax, Measure::CrossEntropy(ce)).ignore_index(self.ignore_index));
        }
        if self.ignore_index >= 0 {
            let index = self.ignore_index;
            return refuse(
                PEER,
                format!("ignore_index {index} goes with labels; leave it out, or give the targets as labels"),
            );
        }
        let ce = self.measure(PEER, problem, Divisor::Voxels)?;
        Ok(single(Activation::Softmax, Measure::CrossEntropy(ce)))
    }
}

impl CrossEntropyLoss {
    /// The measure, for the peer that this is a part of.
    pub(in crate::peers) fn measure(
        &self,
        peer: &'static str,
        problem: &Problem,
        divisor: Divisor,
    ) -> Result<CrossEntropy, Error> {
        let reduction = match reduction(peer, self.size_average, self.reduce, self.reduction)? {
            Reduction::None => Reduction::PerVoxel,
            reduction => reduction,
        };
        Ok(CrossEntropy {
            class_weights: weight::per_class(peer, "weight", self.weight.as_deref(), problem)?,
            label_smoothing: self.label_smoothing,
            divisor,
            nan_if_empty: true,
            reduction,
            ..Default::default()
        })
    }
}
