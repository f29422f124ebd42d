//! MONAI's overlap metrics.
//!
//! All of them score every (sample, class) of two masks and [reduce](MetricReduction) the scores, leaving out those that are
//! NaN. Calling a metric on several batches and then `aggregate()` is [appending](crate::metrics::CountTable::append) their
//! counts and then [`compute`](crate::peers::Metric::compute). `aggregate`'s own `reduction` and `compute_sample` are the
//! fields of the same names here.
//!
//! Masks are hard here; what MONAI makes of soft ones, and its single-precision rounding, is not reproduced. Predictions and
//! targets may be labels throughout, and count as their one-hot form.
//!
//! # `ignore_index`
//!
//! MONAI's classes differ in what they leave out. [`DiceMetric`] and [`GeneralizedDiceScore`] leave out the *voxels* of the
//! target that are the index: of labels or of a single channel those that equal it, of one-hot targets those of that class, or
//! without any class if there is none of that number. [`MeanIoU`] and [`ConfusionMatrixMetric`] leave out voxels only where
//! the index is no class; if it is one, they empty that *class*, in prediction and target, and leave its voxels in the others.
//!
//! Labels and single channels are compared as they are read. Of one-hot targets of several channels
//! [`Metric::mask`](crate::peers::Metric::mask) makes the mask, which is to be given to the batch.

mod confusion_matrix;
mod dice;
mod generalized_dice;
mod ignore;
mod mean_iou;
mod rate;
mod reduction;
#[cfg(test)]
mod tests;

pub use confusion_matrix::ConfusionMatrixMetric;
pub use dice::{DiceMetric, ReturnWithLabel};
pub use generalized_dice::GeneralizedDiceScore;
pub use mean_iou::MeanIoU;
pub use reduction::MetricReduction;

use crate::peers::metric::metric_recipes;

metric_recipes! {
    /// A metric of this module by its name.
    DiceMetric = "DiceMetric",
    MeanIoU = "MeanIoU",
    GeneralizedDiceScore = "GeneralizedDiceScore",
    ConfusionMatrixMetric = "ConfusionMatrixMetric",
}
