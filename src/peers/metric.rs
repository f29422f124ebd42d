//! Other libraries' metrics.

use crate::metrics::{CountTable, Values};
use crate::{Activation, Batch, Error, Loss, Problem};

/// A metric of another library: exact counts in, the peer's values out.
///
/// ```
/// use segloss::peers::{Metric, monai};
/// use segloss::{Batch, Labels, Shape, reference};
///
/// let shape = Shape::new(&[1, 2, 4])?;
/// let prediction = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];
/// let batch = Batch::new(&shape, &prediction, Labels::U8(&[0, 1, 1, 1]))?;
///
/// let metric = monai::DiceMetric { include_background: false, ..Default::default() };
/// let loss = metric.counting(batch.problem())?;
/// let counts = reference::counts(&loss, &batch)?; // or gpu.counts(&loss, &batch)
/// assert_eq!(metric.compute(&counts)?.values, [2.0 * 2.0 / (2.0 + 3.0)]);
/// # Ok::<(), segloss::Error>(())
/// ```
pub trait Metric {
    /// The loss whose hard sums are what the metric counts, for a problem of this shape and these formats: of label maps as
    /// predictions, or of masks, 0 or 1. Probabilities count from above ½.
    ///
    /// # Errors
    /// [`Error::Peer`] for arguments that the peer rejects or that this library does not support.
    fn counting(&self, problem: &Problem) -> Result<Loss, Error>;

    /// The same of predictions that are yet to be made hard: a class's mask is where its p, made by the activation, is above the
    /// threshold. (So is its target's.)
    ///
    /// With [`Activation::Argmax`] and ½ a voxel has the class of its largest logit or probability, the first of equal ones;
    /// with [`Activation::Sigmoid`] and ½ it has all classes whose logit is positive.
    ///
    /// ```
    /// # use segloss::peers::{Metric, torchmetrics};
    /// # use segloss::{Activation, Batch, Labels, Shape, reference};
    /// let shape = Shape::new(&[1, 2, 4])?;
    /// let logits = [2.0, 0.5, -1.0, 0.0, -3.0, 1.5, 0.0, 3.0];
    /// let batch = Batch::new(&shape, &logits, Labels::I64(&[0, 1, 1, 0]))?;
    ///
    /// let metric = torchmetrics::DiceScore { num_classes: 2, ..Default::default() };
    /// let loss = metric.counting_of(batch.problem(), Activation::Argmax, 0.5)?;
    /// let counts = reference::counts(&loss, &batch)?; // the classes 0, 1, 1, 1
    /// assert_eq!(metric.compute(&counts)?.values, [(2.0 / 3.0 + 4.0 / 5.0) / 2.0]);
    /// # Ok::<(), segloss::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`counting`](Self::counting).
    fn counting_of(&self, problem: &Problem, activation: Activation, threshold: f64) -> Result<Loss, Error> {
        Ok(self.counting(problem)?.activation(activation).hard(threshold))
    }

    /// The mask of shape `[N, 1, spatial…]` that the peer makes of one-hot targets to leave voxels out, times the batch's
    /// own. `None` where it makes none: give the batch as it is.
    fn mask(&self, batch: &Batch) -> Option<Vec<f32>> {
        let _ = batch;
        None
    }

    /// The metric of the counts of one batch, or of several [appended](CountTable::append) to one another.
    ///
    /// # Errors
    /// [`Error::Peer`] for arguments that the peer rejects, or that do not fit the number of classes.
    fn compute(&self, counts: &CountTable) -> Result<Values, Error>;

    /// How many of the values that were reduced are not NaN, in the peer's own shape, where its `get_not_nans` asks for it.
    ///
    /// # Errors
    /// As [`compute`](Self::compute).
    fn not_nans(&self, counts: &CountTable) -> Result<Option<Values>, Error> {
        let _ = counts;
        Ok(None)
    }
}

/// Passes the trait's functions on to whichever variant there is.
macro_rules! metric_of_variants {
    ($recipe:ident: $($variant:ident),+) => {
        impl $crate::peers::Metric for $recipe {
            fn counting(&self, problem: &$crate::Problem) -> Result<$crate::Loss, $crate::Error> {
                match self {
                    $(Self::$variant(metric) => metric.counting(problem),)+
                }
            }

            fn mask(&self, batch: &$crate::Batch) -> Option<Vec<f32>> {
                match self {
                    $(Self::$variant(metric) => metric.mask(batch),)+
                }
            }

            fn compute(
                &self,
                counts: &$crate::metrics::CountTable,
            ) -> Result<$crate::metrics::Values, $crate::Error> {
                match self {
                    $(Self::$variant(metric) => metric.compute(counts),)+
                }
            }

            fn not_nans(
                &self,
                counts: &$crate::metrics::CountTable,
            ) -> Result<Option<$crate::metrics::Values>, $crate::Error> {
                match self {
                    $(Self::$variant(metric) => metric.not_nans(counts),)+
                }
            }
        }
    };
}
pub(super) use metric_of_variants;

/// Declares a peer's `MetricRecipe`.
macro_rules! metric_recipes {
    ($(#[$doc:meta])* $($variant:ident = $name:literal),+ $(,)?) => {
        $crate::peers::recipe::named!($(#[$doc])* MetricRecipe: $($variant = $name),+);
        $crate::peers::metric::metric_of_variants!(MetricRecipe: $($variant),+);
    };
}
pub(super) use metric_recipes;

/// The loss that counts masks.
pub(super) fn counting_loss() -> Loss {
    Loss::dice().probabilities().hard(0.5)
}

/// Refuses data without a spatial axis.
pub(super) fn needs_space(peer: &'static str, problem: &Problem) -> Result<(), Error> {
    match problem.shape.dims() {
        [_, _] => {
            let reason = format!("it takes [N, C, spatial…], not {:?}; add a spatial axis", problem.shape.dims());
            Err(Error::Peer { peer, reason })
        }
        _ => Ok(()),
    }
}
