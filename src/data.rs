//! Tensors in host memory, in every format.

use half::{bf16, f16};

use crate::format::{ByteScale, LabelFormat, LogitsFormat, TargetFormat};

/// A prediction in host memory: logits, probabilities or a label map.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Logits<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// IEEE 16-bit floats.
    F16(&'a [f16]),
    /// bfloat16.
    Bf16(&'a [bf16]),
    /// A predicted class id for each voxel.
    Labels(Labels<'a>),
}

/// The class ids of a label map in host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels<'a> {
    /// Unsigned bytes.
    U8(&'a [u8]),
    /// Unsigned 16-bit integers.
    U16(&'a [u16]),
    /// Unsigned 32-bit integers.
    U32(&'a [u32]),
    /// Signed 32-bit integers.
    I32(&'a [i32]),
    /// Signed 64-bit integers.
    I64(&'a [i64]),
}

/// Targets in host memory.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// Bytes, and what they are worth.
    U8(&'a [u8], ByteScale),
    /// Bits, 32 to a word, the least significant first: as many words as hold them.
    Bits(&'a [u32]),
    /// A class id for each voxel.
    Labels(Labels<'a>),
}

impl<'a> Logits<'a> {
    /// Their format.
    #[must_use]
    pub fn format(&self) -> LogitsFormat {
        match self {
            Self::F32(_) => LogitsFormat::F32,
            Self::F16(_) => LogitsFormat::F16,
            Self::Bf16(_) => LogitsFormat::Bf16,
            Self::Labels(labels) => LogitsFormat::Labels(labels.format()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::F32(data) => data.len(),
            Self::F16(data) => data.len(),
            Self::Bf16(data) => data.len(),
            Self::Labels(labels) => labels.len(),
        }
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::F32(data) => bytemuck::cast_slice(data),
            Self::F16(data) => bytemuck::cast_slice(data),
            Self::Bf16(data) => bytemuck::cast_slice(data),
            Self::Labels(labels) => labels.bytes(),
        }
    }
}

impl<'a> Labels<'a> {
    /// Their format.
    #[must_use]
    pub fn format(&self) -> LabelFormat {
        match self {
            Self::U8(_) => LabelFormat::U8,
            Self::U16(_) => LabelFormat::U16,
            Self::U32(_) => LabelFormat::U32,
            Self::I32(_) => LabelFormat::I32,
            Self::I64(_) => LabelFormat::I64,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::U8(data) => data.len(),
            Self::U16(data) => data.len(),
            Self::U32(data) => data.len(),
            Self::I32(data) => data.len(),
            Self::I64(data) => data.len(),
        }
    }

    /// The class id of a voxel.
    #[must_use]
    pub fn get(&self, voxel: usize) -> i64 {
        match self {
            Self::U8(data) => data[voxel].into(),
            Self::U16(data) => data[voxel].into(),
            Self::U32(data) => data[voxel].into(),
            Self::I32(data) => data[voxel].into(),
            Self::I64(data) => data[voxel],
        }
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Self::U8(data) => data,
            Self::U16(data) => bytemuck::cast_slice(data),
            Self::U32(data) => bytemuck::cast_slice(data),
            Self::I32(data) => bytemuck::cast_slice(data),
            Self::I64(data) => bytemuck::cast_slice(data),
        }
    }
}

impl<'a> Targets<'a> {
    /// Their format.
    #[must_use]
    pub fn format(&self) -> TargetFormat {
        match self {
            Self::F32(_) => TargetFormat::F32,
            Self::U8(_, scale) => TargetFormat::U8(*scale),
            Self::Bits(_) => TargetFormat::Bits,
            Self::Labels(labels) => TargetFormat::Labels(labels.format()),
        }
    }

    /// The length of the slice: elements, or words of bits.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::F32(data) => data.len(),
            Self::U8(data, _) => data.len(),
            Self::Bits(words) => words.len(),
            Self::Labels(labels) => labels.len(),
        }
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::F32(data) => bytemuck::cast_slice(data),
            Self::U8(data, _) => data,
            Self::Bits(words) => bytemuck::cast_slice(words),
            Self::Labels(labels) => labels.bytes(),
        }
    }
}

macro_rules! from_slices {
    ($($into:ident :: $variant:ident of $element:ty),+) => {
        $(
            impl<'a> From<&'a [$element]> for $into<'a> {
                fn from(data: &'a [$element]) -> Self {
                    Self::$variant(data)
                }
            }

            impl<'a> From<&'a Vec<$element>> for $into<'a> {
                fn from(data: &'a Vec<$element>) -> Self {
                    Self::$variant(data)
                }
            }

            impl<'a, const N: usize> From<&'a [$element; N]> for $into<'a> {
                fn from(data: &'a [$element; N]) -> Self {
                    Self::$variant(data)
                }
            }
        )+
    };
}

from_slices!(Logits::F32 of f32, Logits::F16 of f16, Logits::Bf16 of bf16, Targets::F32 of f32, Labels::U8 of u8,
    Labels::U16 of u16, Labels::U32 of u32, Labels::I32 of i32, Labels::I64 of i64);

impl<'a> From<Labels<'a>> for Logits<'a> {
    fn from(labels: Labels<'a>) -> Self {
        Self::Labels(labels)
    }
}

impl<'a> From<Labels<'a>> for Targets<'a> {
    fn from(labels: Labels<'a>) -> Self {
        Self::Labels(labels)
    }
}
