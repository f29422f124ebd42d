//! The description of a problem: everything a plan needs to know except the loss.

use crate::Shape;

/// How logits or probabilities are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogitsFormat {
    /// 32-bit floats.
    #[default]
    F32,
}

/// How targets are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetFormat {
    /// 32-bit floats of the logits' shape, between 0 and 1.
    #[default]
    F32,
}

/// What is to be evaluated, without the data: shape, formats and which parts there are.
///
/// Scratch sizes and pipelines follow from this and the [`Loss`](crate::Loss) alone.
///
/// ```
/// # use segloss::{Problem, Shape};
/// let problem = Problem::new(Shape::new(&[2, 1, 64, 64, 64])?).with_gradient();
/// assert!(problem.gradient && !problem.mask);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Problem {
    /// `[N, C, spatial…]`.
    pub shape: Shape,
    /// The storage format of the logits or probabilities.
    pub logits: LogitsFormat,
    /// The storage format of the targets.
    pub targets: TargetFormat,
    /// Whether there is a 0/1 mask of shape `[N, 1, spatial…]` (f32, 1 = counts).
    pub mask: bool,
    /// Whether there are f32 voxel weights of the logits' shape.
    ///
    /// A voxel weight multiplies what its element adds to every sum: the element's cross-entropy,
    /// and its part in intersection and cardinalities. It does not enter the denominator of a
    /// mean, which counts the elements that the mask keeps (PyTorch's convention).
    pub voxel_weights: bool,
    /// Whether the gradient with respect to the logits (or probabilities) is wanted.
    pub gradient: bool,
}

impl Problem {
    /// Dense f32 logits and targets of one shape; no mask, no weights, no gradient.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            logits: LogitsFormat::F32,
            targets: TargetFormat::F32,
            mask: false,
            voxel_weights: false,
            gradient: false,
        }
    }

    /// The same with a mask.
    #[must_use]
    pub fn with_mask(mut self) -> Self {
        self.mask = true;
        self
    }

    /// The same with voxel weights.
    #[must_use]
    pub fn with_voxel_weights(mut self) -> Self {
        self.voxel_weights = true;
        self
    }

    /// The same with the gradient wanted.
    #[must_use]
    pub fn with_gradient(mut self) -> Self {
        self.gradient = true;
        self
    }
}
