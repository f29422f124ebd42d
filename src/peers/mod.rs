//! Other libraries' losses and metrics, by their own names.
//!
//! One struct per class or function of a peer, with the original's argument names and defaults. A struct says,
//! through [`Peer::loss`], which [`Loss`] it is; everything after that is the same engine. What the peers
//! take as tensors (BCE's `weight`) is data here: see [`Problem::voxel_weights`](crate::Problem::voxel_weights). Arguments that
//! a peer has no default for are those of the struct's `new`.
//!
//! The metrics of hard masks are no losses: a [`Metric`] says what is to be counted, and makes its value of the
//! [counts](crate::metrics::CountTable).
//!
//! | Peer | In short | Its tensors |
//! |---|---|---|
//! | [`pytorch`] | cross-entropies of `torch.nn`; the handed-on soft Dice adds 1 within the factor 2 | `[N, C, …]` |
//! | [`keras`] | a ratio of **everything**, the batch included | `[N, …, C]` |
//! | [`tensorlayer`] | scores, not losses; its `jaccard` is a Dice of squares | `[N, C, …]` here |
//! | [`monai`] | a ratio for each sample and class; background, activation and labels by argument | `[N, C, …]` |
//! | [`nnunet`] | −score of each sample and class; with cross-entropy of a softmax | `[N, C, …]` |
//! | [`smp`] | a ratio for each class of the **batch**; absent classes lose 0 | `[N, C, …]` |
//! | [`kornia`] | a ratio for each sample; label −100 does not count | `[N, C, H, W]` |
//! | [`torchmetrics`] | metrics only; what is in neither mask has no score | `[N, C, …]` |
//!
//! The tables at the end of this page have a line for every class, and [`Recipe::NAMES`] and [`MetricRecipe::NAMES`] list them.
//!
//! ```
//! use segloss::{Batch, Shape, peers::{Peer, pytorch}, reference};
//!
//! let shape = Shape::new(&[1, 1, 2])?;
//! let batch = Batch::new(&shape, &[0.0, 0.0], &[1.0, 0.0])?;
//! let loss = pytorch::SoftDiceLoss::default().loss(batch.problem())?;
//! let value = reference::evaluate(&loss, &batch)?.value;
//! assert!((value - (1.0 - 2.0 * (0.5 + 1.0) / (1.0 + 1.0 + 1.0))).abs() < 1e-12);
//! # Ok::<(), segloss::Error>(())
//! ```
//!
#![doc = include_str!("../../docs/peers.md")]

mod axis;
pub mod keras;
pub mod kornia;
mod metric;
pub mod monai;
pub mod nnunet;
pub mod pytorch;
mod recipe;
pub mod smp;
mod targets;
pub mod tensorlayer;
#[cfg(test)]
mod tests;
pub mod torchmetrics;
mod weight;

pub use metric::Metric;
pub use recipe::{MetricRecipe, Recipe};
pub use weight::Weight;

use recipe::recipes;

use crate::{Activation, Error, Loss, Problem, Reduction, loss::Measure, loss::Term};

/// A loss of another library.
pub trait Peer {
    /// The same loss in this library's terms, for a problem of this shape and these formats.
    ///
    /// # Errors
    /// [`Error::Peer`] for arguments that the peer rejects or that this library does not support.
    fn loss(&self, problem: &Problem) -> Result<Loss, Error>;

    /// The shape in which the original returns its result, where that is not this library's own.
    ///
    /// The values are the same, in the same order. This library's own shape is [`Loss::result_shape`]. It counts the classes of the loss
    /// only: [`Output::groups`](crate::Output::groups) has no others; of a [map](crate::Output::voxel_map), where they are 0,
    /// [`Loss::map_of_classes`] leaves them out.
    fn result_shape(&self, _problem: &Problem) -> Option<Vec<usize>> {
        None
    }
}

/// A loss of one term of weight 1.
fn single(activation: Activation, measure: Measure) -> Loss {
    Loss::of(vec![Term::new(activation, measure)])
}

/// The error of a peer's argument.
fn refuse<T>(peer: &'static str, reason: impl Into<String>) -> Result<T, Error> {
    Err(Error::Peer { peer, reason: reason.into() })
}

/// A reduction, unless it is the one that only this library has.
fn known(peer: &'static str, reduction: Reduction) -> Result<Reduction, Error> {
    match reduction {
        Reduction::PerVoxel => refuse(peer, "it knows no reduction per_voxel; give mean, sum or none"),
        reduction => Ok(reduction),
    }
}
