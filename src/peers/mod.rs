//! Other libraries' losses, by their own names.
//!
//! One struct per class or function of a peer, with the original's argument names and defaults. A struct says,
//! through [`Peer::loss`], which [`Loss`] it is; everything after that is the same engine. What the peers
//! take as tensors (BCE's `weight`) is data here: see [`Problem::voxel_weights`](crate::Problem::voxel_weights).
//!
//! | Peer | Activation | Rows pooled | Score | Result |
//! |---|---|---|---|---|
//! | [`pytorch::DiceCoeff`] | none | everything | (2I+s)/(P+T+s) | the score |
//! | [`pytorch::SoftDiceLoss`] | sigmoid | classes | 2(I+s)/(P+T+s) | 1 − mean over samples |
//! | [`pytorch::BCELoss2d`] | sigmoid | | cross-entropy | mean or sum |
//! | [`pytorch::BCELoss`] | none | | cross-entropy | mean, sum or a voxel map |
//! | [`pytorch::BCEWithLogitsLoss`] | sigmoid | | cross-entropy, positive weights | mean, sum or a voxel map |
//! | [`keras::DiceCoef`] | none | everything | (2I+s)/(Σp²+Σt²+s) | the score |
//! | [`keras::DiceCoefLoss`] | none | everything | (2I+s)/(Σp²+Σt²+s) | 1 − the score |
//! | [`keras::Dice`] | none | by `axis`, all by default | 2I/(P+T+10⁻⁷) | 1 − the score |
//! | [`keras::Tversky`] | none | by `axis`, all by default | I/(I+α·FN+β·FP+10⁻⁷) | 1 − the score |
//! | [`keras::BinaryCrossentropy`] | none or sigmoid | | cross-entropy, clipped at 10⁻⁷ | mean, or sum of means over classes |
//! | [`keras::BinaryFocalCrossentropy`] | none or sigmoid | | (1−p_t)^γ · cross-entropy | the same |
//! | [`tensorlayer::DiceCoe`] | none | by `axis` | (2I+s)/(l+r+s) | mean of the scores |
//! | [`tensorlayer::DiceHardCoe`] | threshold | by `axis` | (2I+s)/(P+T+s) | mean of the scores |
//! | [`tensorlayer::IouCoe`] | threshold | by `axis` | (I+s)/(P+T−I+s) | mean of the scores |
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

mod axis;
pub mod keras;
pub mod pytorch;
pub mod tensorlayer;
mod weight;

pub use weight::Weight;

use crate::{Activation, Error, Loss, Problem, loss::Measure, loss::Term};

/// A loss of another library.
pub trait Peer {
    /// The same loss in this library's terms, for a problem of this shape and these formats.
    ///
    /// # Errors
    /// [`Error::Peer`] for arguments that the peer rejects or that this library does not support.
    fn loss(&self, problem: &Problem) -> Result<Loss, Error>;
}

/// Any peer's loss, as it is written down: `{"peer": …, "loss": …, "params": {…}}`.
///
/// With the feature `serde`, unknown peers, losses and parameters are errors.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(tag = "peer", rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum Recipe {
    /// PyTorch, and its classic formulations.
    PyTorch(pytorch::Recipe),
    /// Keras, and its classic formulations.
    Keras(keras::Recipe),
    /// TensorLayer's coefficients.
    TensorLayer(tensorlayer::Recipe),
}

impl Peer for Recipe {
    fn loss(&self, problem: &Problem) -> Result<Loss, Error> {
        match self {
            Self::PyTorch(recipe) => recipe.loss(problem),
            Self::Keras(recipe) => recipe.loss(problem),
            Self::TensorLayer(recipe) => recipe.loss(problem),
        }
    }
}

/// Declares a peer's `Recipe`: one variant per class or function, under the peer's name for it.
macro_rules! recipes {
    ($(#[$doc:meta])* $($variant:ident = $name:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(
            feature = "serde",
            derive(serde::Serialize, serde::Deserialize),
            serde(tag = "loss", content = "params", deny_unknown_fields)
        )]
        #[non_exhaustive]
        pub enum Recipe {
            $(
                #[doc = concat!("`", $name, "`")]
                #[cfg_attr(feature = "serde", serde(rename = $name))]
                $variant($variant),
            )+
        }

        impl $crate::peers::Peer for Recipe {
            fn loss(&self, problem: &$crate::Problem) -> Result<$crate::Loss, $crate::Error> {
                match self {
                    $(Self::$variant(loss) => loss.loss(problem),)+
                }
            }
        }
    };
}
use recipes;

/// A loss of one term of weight 1.
fn single(activation: Activation, measure: Measure) -> Loss {
    Loss::of(vec![Term::new(activation, measure)])
}
