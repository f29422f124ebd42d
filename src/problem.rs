//! The description of a problem: everything a plan needs to know except the loss.

use crate::{AxisOrder, LabelFormat, LogitsFormat, Shape, TargetFormat};

/// What is to be evaluated, without the data: shape, formats and which parts there are.
///
/// Scratch sizes and pipelines follow from this and the [`Loss`](crate::Loss) alone.
///
/// ```
/// # use segloss::{LabelFormat, LogitsFormat, Problem, Shape, TargetFormat};
/// let mut problem = Problem::new(Shape::new(&[2, 1, 64, 64, 64])?).with_gradient();
/// problem.logits = LogitsFormat::F16;
/// problem.targets = TargetFormat::Labels(LabelFormat::U8);
/// assert!(problem.gradient && !problem.mask);
/// # Ok::<(), segloss::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Problem {
    /// `[N, C, spatial…]`, whatever the order of the axes in memory.
    pub shape: Shape,
    /// The order of the axes in memory: of logits, dense targets, voxel weights, gradient and voxel map.
    pub axes: AxisOrder,
    /// The storage format of the logits or probabilities, and of the gradient.
    pub logits: LogitsFormat,
    /// The storage format of the targets.
    pub targets: TargetFormat,
    /// The label, or the value of a dense target, that does not count. A [loss's](crate::Loss::ignore_index) takes its place
    /// where this is `None`.
    pub ignore_index: Option<i64>,
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
            axes: AxisOrder::ChannelFirst,
            logits: LogitsFormat::F32,
            targets: TargetFormat::F32,
            ignore_index: None,
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

    /// Where the element (row, voxel) lies in a tensor of the logits' shape.
    #[must_use]
    pub fn element(&self, row: usize, voxel: usize) -> usize {
        let (voxels, classes) = (self.shape.voxels(), self.shape.classes());
        match self.axes {
            AxisOrder::ChannelFirst => row * voxels + voxel,
            AxisOrder::ChannelLast => (row / classes * voxels + voxel) * classes + row % classes,
        }
    }

    /// The number of elements, or bits, that the targets have.
    #[must_use]
    pub fn target_elements(&self) -> usize {
        if self.targets.is_labels() { self.shape.mask_elements() } else { self.shape.elements() }
    }

    /// The same with a loss's ignore index, where it has none of its own.
    pub(crate) fn ignoring(&self, index: Option<i64>) -> Self {
        Self { ignore_index: self.ignore_index.or(index), ..self.clone() }
    }

    /// The bits of the ignore index as the kernels meet it in a target; `None` if no target can be equal to it.
    pub(crate) fn ignored_bits(&self) -> Option<u32> {
        let index = self.ignore_index?;
        match self.targets {
            TargetFormat::F32 => Some((index as f32).to_bits()),
            TargetFormat::U8(_) | TargetFormat::Labels(LabelFormat::U8) => u8::try_from(index).ok().map(u32::from),
            TargetFormat::Labels(LabelFormat::U16) => u16::try_from(index).ok().map(u32::from),
            TargetFormat::Labels(LabelFormat::U32) => u32::try_from(index).ok(),
            // The least i32 stands for a 64-bit label that is none.
            TargetFormat::Labels(LabelFormat::I32 | LabelFormat::I64) => {
                i32::try_from(index).ok().filter(|&index| index > i32::MIN).map(i32::cast_unsigned)
            }
            TargetFormat::Bits => None,
        }
    }

    /// From one voxel of a row to the next, in elements.
    pub(crate) fn voxel_step(&self) -> u32 {
        match self.axes {
            AxisOrder::ChannelFirst => 1,
            AxisOrder::ChannelLast => self.shape.classes() as u32,
        }
    }

    /// The bits of the widest elements among logits and targets, mask and weights.
    pub(crate) fn widest_bits(&self) -> u32 {
        let companions = if self.mask || self.voxel_weights { 32 } else { 0 };
        self.logits.bits().max(self.targets.bits()).max(companions)
    }
}
