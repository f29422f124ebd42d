//! The description of a problem: everything a plan needs to know except the loss.

use crate::{AxisOrder, ByteScale, LabelFormat, LogitsFormat, Shape, TargetFormat};

/// Which weights a problem has: 32-bit floats that multiply what an element adds to every sum, its cross-entropy and its part
/// in intersection and cardinalities.
///
/// They do not enter the denominator of a mean that counts elements or voxels (PyTorch's convention), nor the counts of hard
/// masks; a [sum of weights](crate::loss::Divisor::Weights) is one of these, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VoxelWeights {
    /// None: everything weighs 1.
    #[default]
    None,
    /// A weight for every voxel and class, of the logits' shape and in the order of their axes.
    PerElement,
    /// A weight for every voxel, the same for all its classes, of shape `[N, spatial…]` or `[N, 1, spatial…]`. Never expanded.
    PerVoxel,
}

impl VoxelWeights {
    /// Whether there are any.
    #[must_use]
    pub fn is_some(self) -> bool {
        self != Self::None
    }

    /// Their number for data of this shape.
    #[must_use]
    pub fn elements(self, shape: &Shape) -> usize {
        match self {
            Self::None => 0,
            Self::PerElement => shape.elements(),
            Self::PerVoxel => shape.mask_elements(),
        }
    }
}

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
    /// The order of the axes in memory: of everything that has a class axis. That is logits, dense targets, weights per
    /// element, gradient and voxel map.
    pub axes: AxisOrder,
    /// The storage format of the prediction (logits, probabilities or labels), and of the gradient.
    pub logits: LogitsFormat,
    /// The storage format of the targets.
    pub targets: TargetFormat,
    /// The label, or the value of a dense target, that does not count. A [loss's](crate::Loss::ignore_index) takes its place
    /// where this is `None`.
    ///
    /// Compared is what a target is worth, not how it is stored: of bytes [worth 1/255](ByteScale::Inverse255), as of bits, an
    /// index of 1 leaves out what is 1, the byte 255, and one of 255 nothing.
    pub ignore_index: Option<i64>,
    /// Whether there is a 0/1 mask of shape `[N, 1, spatial…]` (f32, 1 = counts).
    pub mask: bool,
    /// Which voxel weights there are.
    pub voxel_weights: VoxelWeights,
    /// Whether the gradient with respect to the logits (or probabilities) is wanted. A label map has none.
    pub gradient: bool,
    /// Whether every row has a gradient of its own that arrives from outside: what a framework hands back for a loss without a
    /// reduction. Each takes 4 bytes beyond the promised memory.
    pub row_upstream: bool,
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
            voxel_weights: VoxelWeights::None,
            gradient: false,
            row_upstream: false,
        }
    }

    /// The same with a mask.
    #[must_use]
    pub fn with_mask(mut self) -> Self {
        self.mask = true;
        self
    }

    /// The same with the gradient wanted, and an upstream gradient for every row, 1 until
    /// [`Bound::set_row_upstream`](crate::Bound::set_row_upstream) sets it.
    #[must_use]
    pub fn with_row_upstream(mut self) -> Self {
        (self.gradient, self.row_upstream) = (true, true);
        self
    }

    /// The same with a weight for every voxel and class.
    #[must_use]
    pub fn with_voxel_weights(mut self) -> Self {
        self.voxel_weights = VoxelWeights::PerElement;
        self
    }

    /// The same with a weight for every voxel, which its classes share.
    #[must_use]
    pub fn with_weights_per_voxel(mut self) -> Self {
        self.voxel_weights = VoxelWeights::PerVoxel;
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

    /// The number of elements that the prediction has.
    #[must_use]
    pub fn logit_elements(&self) -> usize {
        if self.logits.is_labels() { self.shape.mask_elements() } else { self.shape.elements() }
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
            TargetFormat::U8(ByteScale::One) | TargetFormat::Labels(LabelFormat::U8) => {
                u8::try_from(index).ok().map(u32::from)
            }
            // Compared are values. Of bytes worth 1/255 two alone are whole numbers: 0, and 255, which is 1.
            TargetFormat::U8(ByteScale::Inverse255) => [0, 255].get(usize::try_from(index).ok()?).copied(),
            TargetFormat::Bits => u32::try_from(index).ok().filter(|&bit| bit < 2),
            TargetFormat::Labels(LabelFormat::U16) => u16::try_from(index).ok().map(u32::from),
            TargetFormat::Labels(LabelFormat::U32) => u32::try_from(index).ok(),
            // The least i32 stands for a 64-bit label that is none.
            TargetFormat::Labels(LabelFormat::I32 | LabelFormat::I64) => {
                i32::try_from(index).ok().filter(|&index| index > i32::MIN).map(i32::cast_unsigned)
            }
        }
    }

    /// An ignore index that a label may have and kernels do not meet: see [`ignored_bits`](Self::ignored_bits).
    pub(crate) fn unreachable_label(&self, of_loss: Option<i64>) -> Option<i64> {
        let index = self.ignore_index.or(of_loss)?;
        let may_be = match self.targets {
            TargetFormat::Labels(LabelFormat::I32) => i32::try_from(index).is_ok(),
            TargetFormat::Labels(LabelFormat::I64) => true,
            _ => false,
        };
        (may_be && self.ignoring(of_loss).ignored_bits().is_none()).then_some(index)
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
        let companions = if self.mask || self.voxel_weights.is_some() { 32 } else { 0 };
        self.logits.bits().max(self.targets.bits()).max(companions)
    }
}
