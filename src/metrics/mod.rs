//! Overlap metrics of hard masks, from exact counts.
//!
//! A hard metric compares two masks, prediction and target, voxel by voxel; all it needs are four [`Counts`] for every row
//! (sample and class). They are whole numbers, and the GPU adds them up as such: a loss with a [threshold](crate::Loss::hard)
//! leaves them among its [sums](crate::Output::sums), and [`Gpu::counts`](crate::Gpu::counts) brings them as a [`CountTable`].
//!
//! ```
//! use segloss::{Batch, Gpu, Labels, Loss, Shape};
//!
//! // Two classes, five voxels: the predicted labels and the true ones.
//! let shape = Shape::new(&[1, 2, 5])?;
//! let batch = Batch::new(&shape, Labels::U8(&[0, 0, 1, 1, 1]), Labels::U8(&[0, 1, 1, 1, 0]))?;
//! let loss = Loss::dice().probabilities().hard(0.5);
//! let counts = Gpu::new()?.counts(&loss, &batch)?;
//!
//! let structure = counts.by_sample().next().unwrap()[1];
//! assert_eq!((structure.true_positives, structure.false_positives, structure.false_negatives), (2, 1, 1));
//! assert_eq!(structure.dice(), 2.0 * 2.0 / (3.0 + 3.0));
//! # Ok::<(), segloss::Error>(())
//! ```
//!
//! A prediction of masks, or of probabilities, is counted by the same loss; logits are by one that makes them hard itself:
//! [`Loss::dice`](crate::Loss::dice)`().activation(`[`Argmax`](crate::Activation::Argmax)`).hard(0.5)` counts the class of the
//! largest.
//!
//! [`Counts`] have the usual ratios; how they are averaged over classes and samples, and what an empty mask scores, is a
//! convention, and those of other libraries stand among the [`peers`](crate::peers::Metric). Tables of several batches are
//! [appended](CountTable::append) to one another before a metric is computed of them all.

mod counting;
mod counts;
mod table;
mod values;

pub(crate) use counting::counting_statistic;
pub use counts::Counts;
pub use table::CountTable;
pub use values::Values;
pub(crate) use values::{mean_of_present, sum_of_present};
