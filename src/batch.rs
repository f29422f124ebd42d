//! Data in host memory: what [`Gpu::evaluate`](crate::Gpu::evaluate) uploads and what the
//! [reference](crate::reference) reads.

use crate::format::ByteScale;
use crate::{AxisOrder, Error, Logits, Problem, Shape, Targets};

/// Logits (or probabilities), targets and their companions in host memory.
///
/// ```
/// # use segloss::{Batch, Labels, Shape};
/// let shape = Shape::new(&[1, 1, 2, 2])?;
/// let batch = Batch::new(&shape, &[0.5, -1.0, 2.0, 0.1], &[1.0, 0.0, 1.0, 0.0])?
///     .with_mask(&[1.0, 1.0, 1.0, 0.0])?
///     .with_gradient();
/// assert!(batch.problem().gradient);
///
/// // A class id a voxel, and 255 for what does not count.
/// let shape = Shape::new(&[1, 2, 3])?;
/// let labels = Labels::U8(&[0, 1, 255]);
/// let batch = Batch::new(&shape, &[0.5, -1.0, 2.0, 0.1, 0.0, 1.0], labels)?.with_ignore_index(255);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    problem: Problem,
    logits: Logits<'a>,
    targets: Targets<'a>,
    mask: Option<&'a [f32]>,
    voxel_weights: Option<&'a [f32]>,
}

/// A target as the formulas meet it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    Value(f32),
    /// The ignore index.
    Ignored,
    /// No finite number, or no class.
    Bad,
}

impl<'a> Batch<'a> {
    /// Logits and targets, row-major: dense targets of the logits' shape, or a label for each voxel.
    ///
    /// # Errors
    /// [`Error::Length`] if either does not have the number of elements that the shape asks for.
    pub fn new(shape: &Shape, logits: impl Into<Logits<'a>>, targets: impl Into<Targets<'a>>) -> Result<Self, Error> {
        let (logits, targets) = (logits.into(), targets.into());
        let mut problem = Problem::new(shape.clone());
        (problem.logits, problem.targets) = (logits.format(), targets.format());
        check("logits", logits.len(), shape.elements())?;
        match targets {
            Targets::Bits(words) => check("targets (in words of 32 bits)", words.len(), shape.elements().div_ceil(32))?,
            _ => check("targets", targets.len(), problem.target_elements())?,
        }
        Ok(Self { problem, logits, targets, mask: None, voxel_weights: None })
    }

    /// Says that logits, dense targets and voxel weights lie as `[N, spatial…, C]`. (The shape is said as
    /// `[N, C, spatial…]` all the same.)
    #[must_use]
    pub fn channel_last(mut self) -> Self {
        self.problem.axes = AxisOrder::ChannelLast;
        self
    }

    /// Sets the label, or the value of a dense target, that does not count.
    #[must_use]
    pub fn with_ignore_index(mut self, index: i64) -> Self {
        self.problem.ignore_index = Some(index);
        self
    }

    /// Adds a mask of shape `[N, 1, spatial…]`: 1 = counts, 0 = ignored.
    ///
    /// # Errors
    /// [`Error::Length`] if it does not have N·voxels elements.
    pub fn with_mask(mut self, mask: &'a [f32]) -> Result<Self, Error> {
        check("mask", mask.len(), self.shape().mask_elements())?;
        self.problem.mask = true;
        self.mask = Some(mask);
        Ok(self)
    }

    /// Adds a weight for every element, of the logits' shape.
    ///
    /// # Errors
    /// [`Error::Length`] if it does not have the shape's number of elements.
    pub fn with_voxel_weights(mut self, weights: &'a [f32]) -> Result<Self, Error> {
        check("voxel weights", weights.len(), self.shape().elements())?;
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
    pub fn logits(&self) -> Logits<'a> {
        self.logits
    }

    /// Targets.
    #[must_use]
    pub fn targets(&self) -> Targets<'a> {
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

    /// The same with a loss's ignore index, where it has none of its own.
    pub(crate) fn ignoring(&self, index: Option<i64>) -> Self {
        Self { problem: self.problem.ignoring(index), ..self.clone() }
    }

    /// The target of a row's voxel.
    pub(crate) fn target(&self, row: usize, voxel: usize) -> Target {
        let (shape, ignored) = (self.shape(), self.problem.ignore_index);
        let element = self.problem.element(row, voxel);
        match self.targets {
            Targets::F32(data) if ignored.is_some_and(|index| data[element] == index as f32) => Target::Ignored,
            Targets::F32(data) if !data[element].is_finite() => Target::Bad,
            Targets::F32(data) => Target::Value(data[element]),
            Targets::U8(data, _) if ignored == Some(data[element].into()) => Target::Ignored,
            Targets::U8(data, ByteScale::One) => Target::Value(data[element].into()),
            Targets::U8(data, ByteScale::Inverse255) => Target::Value(f32::from(data[element]) / 255.0),
            Targets::Bits(words) => Target::Value((words[element / 32] >> (element % 32) & 1) as f32),
            Targets::Labels(labels) => {
                let label = labels.get(row / shape.classes() * shape.voxels() + voxel);
                match usize::try_from(label) {
                    _ if ignored == Some(label) => Target::Ignored,
                    Ok(class) if class < shape.classes() => {
                        Target::Value(f32::from(u8::from(class == row % shape.classes())))
                    }
                    _ => Target::Bad,
                }
            }
        }
    }
}

fn check(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Length { what, found: found as u64, expected: expected as u64 }) }
}
