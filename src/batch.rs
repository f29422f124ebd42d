//! Data in host memory: what [`Gpu::evaluate`](crate::Gpu::evaluate) uploads and what the
//! [reference](crate::reference) reads.

use crate::{Error, Problem, Shape};

/// Logits (or probabilities), targets and their companions in host memory.
///
/// ```
/// # use segloss::{Batch, Shape};
/// let shape = Shape::new(&[1, 1, 2, 2])?;
/// let batch = Batch::new(&shape, &[0.5, -1.0, 2.0, 0.1], &[1.0, 0.0, 1.0, 0.0])?
///     .with_mask(&[1.0, 1.0, 1.0, 0.0])?
///     .with_gradient();
/// assert!(batch.problem().gradient);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    problem: Problem,
    logits: &'a [f32],
    targets: &'a [f32],
    mask: Option<&'a [f32]>,
    voxel_weights: Option<&'a [f32]>,
}

impl<'a> Batch<'a> {
    /// Logits and targets of one shape, row-major.
    ///
    /// # Errors
    /// [`Error::Length`] if either does not have the shape's number of elements.
    pub fn new(shape: &Shape, logits: &'a [f32], targets: &'a [f32]) -> Result<Self, Error> {
        check("logits", logits, shape.elements())?;
        check("targets", targets, shape.elements())?;
        let problem = Problem::new(shape.clone());
        Ok(Self { problem, logits, targets, mask: None, voxel_weights: None })
    }

    /// Adds a mask of shape `[N, 1, spatial…]`: 1 = counts, 0 = ignored.
    ///
    /// # Errors
    /// [`Error::Length`] if it does not have N·voxels elements.
    pub fn with_mask(mut self, mask: &'a [f32]) -> Result<Self, Error> {
        check("mask", mask, self.shape().mask_elements())?;
        self.problem.mask = true;
        self.mask = Some(mask);
        Ok(self)
    }

    /// Adds a weight for every element, of the logits' shape.
    ///
    /// # Errors
    /// [`Error::Length`] if it does not have the shape's number of elements.
    pub fn with_voxel_weights(mut self, weights: &'a [f32]) -> Result<Self, Error> {
        check("voxel weights", weights, self.shape().elements())?;
        self.problem.voxel_weights = true;
        self.voxel_weights = Some(weights);
        Ok(self)
    }

    /// Asks for the gradient with respect to the logits, too.
    #[must_use]
    pub fn with_gradient(mut self) -> Self {
        self.problem.gradient = true;
        self
    }

    /// The problem this data is an instance of.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The shape of the logits.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.problem.shape
    }

    /// Logits or probabilities.
    #[must_use]
    pub fn logits(&self) -> &'a [f32] {
        self.logits
    }

    /// Targets.
    #[must_use]
    pub fn targets(&self) -> &'a [f32] {
        self.targets
    }

    /// The mask, if there is one.
    #[must_use]
    pub fn mask(&self) -> Option<&'a [f32]> {
        self.mask
    }

    /// The voxel weights, if there are any.
    #[must_use]
    pub fn voxel_weights(&self) -> Option<&'a [f32]> {
        self.voxel_weights
    }
}

fn check(what: &'static str, data: &[f32], expected: usize) -> Result<(), Error> {
    if data.len() == expected {
        Ok(())
    } else {
        Err(Error::Length { what, found: data.len() as u64, expected: expected as u64 })
    }
}
