//! Intersection over union of every sample and class.

use super::ignore::{self, Ignored};
use super::reduction::{Grid, MetricReduction, Reduced};
use crate::metrics::{CountTable, Counts, Values};
use crate::peers::Metric;
use crate::peers::metric::needs_space;
use crate::{Batch, Error, Loss, Problem};

const PEER: &str = "MeanIoU";

/// `MeanIoU(include_background=True, reduction="mean", get_not_nans=False, ignore_empty=True, ignore_index=None)`:
/// I/(P + T − I).
///
/// Where the target is empty: NaN, or with `ignore_empty` off 1 if the prediction is empty, too, and else 0. A single class
/// is kept, whatever `include_background` says.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields, default))]
pub struct MeanIoU {
    /// Whether class 0 is scored.
    pub include_background: bool,
    /// How the scores are reduced.
    pub reduction: MetricReduction,
    /// Whether [`not_nans`](Metric::not_nans) gives the number of scores.
    pub get_not_nans: bool,
    /// Whether an empty target has no score.
    pub ignore_empty: bool,
    /// The class to empty, or the index of voxels that do not count: see the [module](super).
    pub ignore_index: Option<i64>,
}

impl Default for MeanIoU {
    fn default() -> Self {
        Self {
            include_background: true,
            reduction: MetricReduction::Mean,
            get_not_nans: false,
            ignore_empty: true,
            ignore_index: None,
        }
    }
}

impl MeanIoU {
    fn ignored(&self, classes: usize) -> Ignored {
        Ignored::new(self.ignore_index, classes, self.include_background)
    }

    fn score(&self, counts: &Counts) -> f64 {
        let is_empty = if self.ignore_empty { counts.actual() == 0 } else { counts.iou().is_nan() };
        match (is_empty, self.ignore_empty) {
            (false, _) => counts.iou(),
            (true, true) => f64::NAN,
            (true, false) => 1.0,
        }
    }

    fn reduced(&self, counts: &CountTable) -> Reduced {
        let all = self.ignored(counts.classes()).empty(counts);
        let scored = if self.include_background { all } else { all.without_background() };
        Grid::of(&scored, |counts| self.score(counts)).reduce(self.reduction)
    }
}

impl Metric for MeanIoU {
    fn counting(&self, problem: &Problem) -> Result<Loss, Error> {
        needs_space(PEER, problem)?;
        ignore::counting(PEER, self.ignored(problem.shape.classes()).voxels(), problem)
    }

    fn mask(&self, batch: &Batch) -> Option<Vec<f32>> {
        ignore::mask(self.ignored(batch.shape().classes()).voxels(), batch)
    }

    fn compute(&self, counts: &CountTable) -> Result<Values, Error> {
        Ok(self.reduced(counts).values)
    }

    fn not_nans(&self, counts: &CountTable) -> Result<Option<Values>, Error> {
        Ok(self.get_not_nans.then(|| self.reduced(counts).not_nans))
    }
}
