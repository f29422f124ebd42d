//! How numbers are stored.

/// How a prediction is stored: as logits or probabilities, and their gradient likewise, or as a label map.
///
/// All are computed with in 32-bit floats; a gradient is rounded once, when it is stored. The gradient of a mean over many voxels
/// is small, and f16 has nothing below 6e-8: scale the loss up ([`Bound::set_upstream`](crate::Bound::set_upstream), or a
/// [term's weight](crate::loss::Term::weight)), as in mixed-precision training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogitsFormat {
    /// 32-bit floats.
    #[default]
    F32,
    /// IEEE 16-bit floats, packed two to a word. No sum of them, or of their squares, overflows: those are 32-bit floats.
    F16,
    /// The upper halves of 32-bit floats, packed two to a word, and of their range: a sum overflows where that of the same f32 does,
    /// which of probabilities in [0, 1], and of those that any finite logits make, none does.
    Bf16,
    /// A predicted class id for each voxel, of shape `[N, spatial…]` or `[N, 1, spatial…]`: the probability of class c is 1
    /// where it is c, else 0. Never expanded.
    ///
    /// It has no gradient, and goes with losses of [probabilities](crate::Loss::probabilities) alone.
    Labels(LabelFormat),
}

impl LogitsFormat {
    /// The bits of an element.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::F32 => 32,
            Self::F16 | Self::Bf16 => 16,
            Self::Labels(format) => format.bits(),
        }
    }

    /// Whether there is one element a voxel rather than one a voxel and class.
    #[must_use]
    pub fn is_labels(self) -> bool {
        matches!(self, Self::Labels(_))
    }
}

/// What a byte of a target is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteScale {
    /// 1: 0 and 1 are what they say.
    One,
    /// 1/255: an image's black and white.
    Inverse255,
}

/// How the class ids of a label map are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LabelFormat {
    /// Unsigned bytes.
    U8,
    /// Unsigned 16-bit integers.
    U16,
    /// Unsigned 32-bit integers.
    U32,
    /// Signed 32-bit integers.
    I32,
    /// Signed 64-bit integers.
    I64,
}

impl LabelFormat {
    /// The bits of a label.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::U8 => 8,
            Self::U16 => 16,
            Self::U32 | Self::I32 => 32,
            Self::I64 => 64,
        }
    }
}

/// How targets are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetFormat {
    /// 32-bit floats of the logits' shape, between 0 and 1.
    #[default]
    F32,
    /// Unsigned bytes of the logits' shape.
    U8(ByteScale),
    /// Bits of the logits' shape: 32 to a little-endian word, the least significant first, rows packed without padding.
    Bits,
    /// A class id for each voxel, of shape `[N, spatial…]` or `[N, 1, spatial…]`: the target of class c is 1 where it is c,
    /// else 0. Never expanded.
    Labels(LabelFormat),
}

impl TargetFormat {
    /// The bits of an element.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::F32 => 32,
            Self::U8(_) => 8,
            Self::Bits => 1,
            Self::Labels(format) => format.bits(),
        }
    }

    /// Whether there is one element a voxel rather than one a voxel and class.
    #[must_use]
    pub fn is_labels(self) -> bool {
        matches!(self, Self::Labels(_))
    }
}

/// The order of a tensor's axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AxisOrder {
    /// `[N, C, spatial…]`.
    #[default]
    ChannelFirst,
    /// `[N, spatial…, C]`.
    ChannelLast,
}
