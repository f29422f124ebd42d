//! Data in host memory: what [`Gpu::evaluate`](crate::Gpu::evaluate) uploads and what the
//! [reference](crate::reference) reads.

use crate::format::ByteScale;
use crate::{AxisOrder, Error, Labels, Logits, Problem, Shape, Targets, VoxelWeights};

/// Logits (or probabilities, or predicted labels), targets and their companions in host memory.
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
///
/// // Two label maps, which are to be counted.
/// let counted = Batch::new(&shape, Labels::U16(&[0, 1, 0]), labels)?.with_ignore_index(255);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    problem: Problem,
    logits: Logits<'a>,
    targets: Targets<'a>,
    mask: Option<&'a [f32]>,
    voxel_weights: Option<&'a [f32]>,
    row_upstream: Option<&'a [f32]>,
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
    /// Prediction and targets, row-major: each of this shape, or a label for each voxel.
    ///
    /// # Errors
    /// [`Error::Length`] if either does not have the number of elements that the shape asks for.
    pub fn new(shape: &Shape, logits: impl Into<Logits<'a>>, targets: impl Into<Targets<'a>>) -> Result<Self, Error> {
        let (logits, targets) = (logits.into(), targets.into());
        let mut problem = Problem::new(shape.clone());
        (problem.logits, problem.targets) = (logits.format(), targets.format());
        check("logits", logits.len(), problem.logit_elements())?;
        match targets {
            Targets::Bits(words) => check("targets (in words of 32 bits)", words.len(), shape.elements().div_ceil(32))?,
            _ => check("targets", targets.len(), problem.target_elements())?,
        }
        Ok(Self { problem, logits, targets, mask: None, voxel_weights: None, row_upstream: None })
    }

    /// Says that what has a class axis (logits, dense targets, weights per element) lies as `[N, spatial…, C]`. (The shape is
    /// said as `[N, C, spatial…]` all the same.)
    #[must_use]
    pub fn channel_last(mut self) -> Self {
        self.problem.axes = AxisOrder::ChannelLast;
        self
    }

    /// Sets the label, or the value of a dense target, that does not count: see [`Problem::ignore_index`].
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

    /// Adds a weight for every voxel and class, of the logits' shape.
    ///
    /// # Errors
    /// [`Error::Length`] if there are not N·C·voxels of them.
    pub fn with_voxel_weights(self, weights: &'a [f32]) -> Result<Self, Error> {
        self.weighted(VoxelWeights::PerElement, weights)
    }

    /// Adds a weight for every voxel, of shape `[N, 1, spatial…]`, which its classes share: Keras's `sample_weight`.
    ///
    /// # Errors
    /// [`Error::Length`] if there are not N·voxels of them.
    pub fn with_weights_per_voxel(self, weights: &'a [f32]) -> Result<Self, Error> {
        self.weighted(VoxelWeights::PerVoxel, weights)
    }

    fn weighted(mut self, which: VoxelWeights, weights: &'a [f32]) -> Result<Self, Error> {
        check("voxel weights", weights.len(), which.elements(self.shape()))?;
        self.problem.voxel_weights = which;
        self.voxel_weights = Some(weights);
        Ok(self)
    }

    /// Asks for the gradient with respect to the logits, too.
    #[must_use]
    pub fn with_gradient(mut self) -> Self {
        self.problem.gradient = true;
        self
    }

    /// Asks for the gradient, and says what arrives from outside for every row (sample and class): the gradient is that of the sum
    /// of the losses of all rows, each times its number. Rows that share a value, a pool of them, share theirs.
    ///
    /// # Errors
    /// [`Error::Length`] if there are not N·C of them; [`Error::Upstream`] for one that is not finite.
    pub fn with_row_upstream(mut self, upstream: &'a [f32]) -> Result<Self, Error> {
        check("row upstream", upstream.len(), self.shape().rows())?;
        check_row_upstream(upstream)?;
        self.problem = self.problem.with_row_upstream();
        self.row_upstream = Some(upstream);
        Ok(self)
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

    /// Logits, probabilities or predicted labels.
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

    /// The voxel weights, if there are any: [which](Problem::voxel_weights), the problem says.
    #[must_use]
    pub fn voxel_weights(&self) -> Option<&'a [f32]> {
        self.voxel_weights
    }

    /// The upstream gradient of every row, if there is one.
    #[must_use]
    pub fn row_upstream(&self) -> Option<&'a [f32]> {
        self.row_upstream
    }

    /// The same with a loss's ignore index, where it has none of its own.
    pub(crate) fn ignoring(&self, index: Option<i64>) -> Self {
        Self { problem: self.problem.ignoring(index), ..self.clone() }
    }

    /// The logit (or probability) of a row's voxel; of a predicted label that is no class, NaN.
    pub(crate) fn logit(&self, row: usize, voxel: usize) -> f32 {
        let element = self.problem.element(row, voxel);
        match self.logits {
            Logits::F32(data) => data[element],
            Logits::F16(data) => data[element].to_f32(),
            Logits::Bf16(data) => data[element].to_f32(),
            Logits::Labels(labels) => self.is_class(labels, row, voxel).map_or(f32::NAN, |is| f32::from(u8::from(is))),
        }
    }

    /// Whether the label of a row's voxel is its class; `None` if it is none.
    fn is_class(&self, labels: Labels, row: usize, voxel: usize) -> Option<bool> {
        let (shape, label) = (self.shape(), labels.get(self.entry(row, voxel)));
        let class = usize::try_from(label).ok().filter(|&class| class < shape.classes())?;
        Some(class == row % shape.classes())
    }

    /// Where what a voxel has one of lies, of a row's voxel.
    fn entry(&self, row: usize, voxel: usize) -> usize {
        row / self.shape().classes() * self.shape().voxels() + voxel
    }

    /// The weight of a row's voxel.
    pub(crate) fn voxel_weight(&self, row: usize, voxel: usize) -> f32 {
        let index = match self.problem.voxel_weights {
            VoxelWeights::PerVoxel => self.entry(row, voxel),
            VoxelWeights::None | VoxelWeights::PerElement => self.problem.element(row, voxel),
        };
        self.voxel_weights.map_or(1.0, |weights| weights[index])
    }

    /// The target of a row's voxel.
    pub(crate) fn target(&self, row: usize, voxel: usize) -> Target {
        let ignored = self.problem.ignore_index;
        let element = self.problem.element(row, voxel);
        match self.targets {
            Targets::F32(data) if !data[element].is_finite() => Target::Bad,
            Targets::F32(data) => valued(data[element], ignored),
            Targets::U8(data, ByteScale::One) => valued(data[element].into(), ignored),
            Targets::U8(data, ByteScale::Inverse255) => valued(f32::from(data[element]) / 255.0, ignored),
            Targets::Bits(words) => valued((words[element / 32] >> (element % 32) & 1) as f32, ignored),
            Targets::Labels(labels) if ignored == Some(labels.get(self.entry(row, voxel))) => Target::Ignored,
            Targets::Labels(labels) => match self.is_class(labels, row, voxel) {
                Some(is) => Target::Value(f32::from(u8::from(is))),
                None => Target::Bad,
            },
        }
    }
}

/// A dense target of this value.
fn valued(value: f32, ignored: Option<i64>) -> Target {
    if ignored.is_some_and(|index| value == index as f32) { Target::Ignored } else { Target::Value(value) }
}

/// Checks that rows' gradients from outside are finite.
pub(crate) fn check_row_upstream(upstream: &[f32]) -> Result<(), Error> {
    match upstream.iter().position(|number| !number.is_finite()) {
        Some(row) => Err(Error::Upstream { row: Some(row), found: upstream[row].to_string() }),
        None => Ok(()),
    }
}

fn check(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Length { what, found: found as u64, expected: expected as u64 }) }
}
