//! The Dice score of a sample's classes together, weighted by their volumes.

use super::ignore;
use super::reduction::{Grid, MetricReduction};
use crate::metrics::{CountTable, Counts, Values};
use crate::peers::Metric;
use crate::peers::metric::needs_space;
use crate::peers::monai::WeightType;
use crate::{Batch, Error, Loss, Problem};

const PEER: &str = "GeneralizedDiceScore";

/// `GeneralizedDiceScore(include_background=True, reduction="mean", weight_type="square", ignore_index=None,
/// epsilon=1e-8)`: 2Σw·I/Σw·(P + T) over the classes of a sample.
///
/// A class with an empty target weighs as much as the heaviest of its sample, 1 if all targets are empty. A sample with
/// nothing in either mask scores 1.
///
/// The reductions `none`, `mean_batch` and `sum_batch` take the score of each class by itself, 2I/(P + T), where weights
/// cancel, and 1 where both masks are empty. Where `include_background` and `ignore_index` leave no class, every sample
/// scores 0.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct GeneralizedDiceScore {
    /// Whether class 0 is among the classes.
    pub include_background: bool,
    /// How the scores are reduced.
    pub reduction: MetricReduction,
    /// w.
    pub weight_type: WeightType,
    /// The index of voxels that do not count, see the [module](super). If it is a class, that class is left out, too.
    pub ignore_index: Option<i64>,
    /// MONAI takes it and does not use it.
    pub epsilon: f64,
}

impl Default for GeneralizedDiceScore {
    fn default() -> Self {
        Self {
            include_background: true,
            reduction: MetricReduction::Mean,
            weight_type: WeightType::Square,
            ignore_index: None,
            epsilon: 1e-8,
        }
    }
}

impl GeneralizedDiceScore {
    fn scored(&self, counts: &CountTable) -> CountTable {
        let ignored = self.ignore_index.and_then(|index| usize::try_from(index).ok());
        counts.select(|class| (class > 0 || self.include_background) && Some(class) != ignored)
    }

    /// The score of a sample's classes together.
    fn score(&self, classes: &[Counts]) -> f64 {
        let mut weights: Vec<_> = classes.iter().map(|counts| self.weight(counts)).collect();
        let heaviest = weights.iter().copied().filter(|weight| weight.is_finite()).fold(0.0, f64::max);
        let of_empty = if heaviest > 0.0 { heaviest } else { 1.0 };
        weights.iter_mut().filter(|weight| weight.is_infinite()).for_each(|weight| *weight = of_empty);
        let sum = |voxels: fn(&Counts) -> f64| -> f64 { weights.iter().zip(classes).map(|(w, c)| w * voxels(c)).sum() };
        let intersection = sum(|counts| counts.true_positives as f64);
        let cardinalities = sum(|counts| counts.predicted() as f64 + counts.actual() as f64);
        if cardinalities == 0.0 { 1.0 } else { 2.0 * intersection / cardinalities }
    }

    fn weight(&self, counts: &Counts) -> f64 {
        let volume = counts.actual() as f64;
        match self.weight_type {
            WeightType::Square => 1.0 / (volume * volume),
            WeightType::Simple => 1.0 / volume,
            WeightType::Uniform => 1.0,
        }
    }

    fn scores(&self, table: &CountTable) -> Grid {
        match self.reduction {
            _ if table.classes() == 0 => Grid::of_samples(vec![0.0; table.samples()]),
            MetricReduction::None | MetricReduction::MeanBatch | MetricReduction::SumBatch => {
                Grid::of(table, |counts| self.score(std::slice::from_ref(counts)))
            }
            _ => Grid::of_samples(table.by_sample().map(|classes| self.score(classes)).collect()),
        }
    }
}

impl Metric for GeneralizedDiceScore {
    fn counting(&self, problem: &Problem) -> Result<Loss, Error> {
        needs_space(PEER, problem)?;
        ignore::counting(PEER, self.ignore_index, problem)
    }

    fn mask(&self, batch: &Batch) -> Option<Vec<f32>> {
        ignore::mask(self.ignore_index, batch)
    }

    fn compute(&self, counts: &CountTable) -> Result<Values, Error> {
        Ok(self.scores(&self.scored(counts)).reduce(self.reduction).values)
    }
}
