//! The caller's buffers.

use crate::kernel::MapShape;
use crate::{Error, Problem};

/// A range of a buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BufferRange<'a> {
    /// The buffer.
    pub buffer: &'a wgpu::Buffer,
    /// Where the range begins, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

impl<'a> From<&'a wgpu::Buffer> for BufferRange<'a> {
    /// The whole buffer.
    fn from(buffer: &'a wgpu::Buffer) -> Self {
        Self { buffer, offset: 0, length: buffer.size() }
    }
}

/// What a plan reads and writes. All ranges may lie in one buffer, as in a framework's pooled allocator; the output
/// (gradient or voxel map) must not overlap anything.
///
/// Offsets are any multiples of the element size (of bits, a byte; of a gradient, 4 bytes), as long as the range rounded out
/// to whole words lies in the buffer. A range is as long as its elements, or up to the end of their last word, as a buffer of its own
/// has to be. The buffers need [`wgpu::BufferUsages::STORAGE`]. Where classes are seen together (a softmax)
/// and a sample's planes exceed the device's `max_storage_buffer_binding_size`, what has planes is copied in chunks and needs
/// `COPY_SRC`, the output `COPY_DST`, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Buffers<'a> {
    /// Logits, probabilities or predicted labels.
    pub logits: BufferRange<'a>,
    /// Targets.
    pub targets: BufferRange<'a>,
    /// The mask, if the problem has one.
    pub mask: Option<BufferRange<'a>>,
    /// The voxel weights, if the problem has them, in the shape that [it says](Problem::voxel_weights).
    pub voxel_weights: Option<BufferRange<'a>>,
    /// Where the gradient goes, if the problem wants one. Every element is written.
    pub gradient: Option<BufferRange<'a>>,
    /// Where the voxel map goes, if the loss [is one](crate::Loss::is_voxel_map). Every element is written.
    pub voxel_map: Option<BufferRange<'a>>,
}

impl<'a> Buffers<'a> {
    /// Logits and targets only.
    pub fn new(logits: impl Into<BufferRange<'a>>, targets: impl Into<BufferRange<'a>>) -> Self {
        Self {
            logits: logits.into(),
            targets: targets.into(),
            mask: None,
            voxel_weights: None,
            gradient: None,
            voxel_map: None,
        }
    }

    /// The same with a mask.
    #[must_use]
    pub fn with_mask(self, mask: impl Into<BufferRange<'a>>) -> Self {
        Self { mask: Some(mask.into()), ..self }
    }

    /// The same with voxel weights.
    #[must_use]
    pub fn with_voxel_weights(self, weights: impl Into<BufferRange<'a>>) -> Self {
        Self { voxel_weights: Some(weights.into()), ..self }
    }

    /// The same with a place for the gradient.
    #[must_use]
    pub fn with_gradient(self, gradient: impl Into<BufferRange<'a>>) -> Self {
        Self { gradient: Some(gradient.into()), ..self }
    }

    /// The same with a place for the voxel map.
    #[must_use]
    pub fn with_voxel_map(self, map: impl Into<BufferRange<'a>>) -> Self {
        Self { voxel_map: Some(map.into()), ..self }
    }

    /// The inputs by slot, in the order of [`Slot::DATA`](crate::kernel::slot::Slot::DATA), without those the problem does not have.
    pub(crate) fn inputs(&self) -> [Option<BufferRange<'a>>; 4] {
        [Some(self.logits), Some(self.targets), self.mask, self.voxel_weights]
    }

    /// Checks everything that can be known before a bind group is made.
    pub(crate) fn check(
        &self,
        problem: &Problem,
        map: MapShape,
        scratch: &BufferRange,
        scratch_size: u64,
    ) -> Result<(), Error> {
        let (elements, entries) = (problem.shape.elements() as u64, problem.shape.mask_elements() as u64);
        let (logits, targets) = (problem.logits.bits(), problem.targets.bits());
        let weights = problem.voxel_weights;
        let map_elements = if map == MapShape::Voxels { entries } else { elements };
        let parts = [
            ("logits", Some(self.logits), true, problem.logit_elements() as u64, logits),
            ("targets", Some(self.targets), true, problem.target_elements() as u64, targets),
            ("mask", self.mask, problem.mask, entries, 32),
            ("voxel weights", self.voxel_weights, weights.is_some(), weights.elements(&problem.shape) as u64, 32),
            ("gradient", self.gradient, problem.gradient, elements, logits),
            ("voxel map", self.voxel_map, map != MapShape::None, map_elements, 32),
        ];
        for (what, range, planned, expected, bits) in parts {
            match range {
                Some(range) if planned => {
                    range.check(what, expected, bits, wgpu::BufferUsages::STORAGE)?;
                    range.check_apart(what, "scratch", scratch.buffer == range.buffer)?;
                }
                None if !planned => {}
                _ => {
                    let words = |yes: bool, a, b| if yes { a } else { b };
                    let (found, planned) = (words(planned, "missing", "given"), words(planned, "with", "without"));
                    return Err(Error::Part { what, found, planned });
                }
            }
        }
        for (what, output) in [("gradient", self.gradient), ("voxel map", self.voxel_map)] {
            let Some(output) = output else { continue };
            for (other, range, ..) in parts {
                if let Some(range) = range.filter(|_| other != what) {
                    output.check_apart(what, other, output.overlaps(&range))?;
                }
            }
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        if scratch.length < scratch_size {
            let reason = format!("is shorter than the {scratch_size} bytes of Plan::scratch_size");
            return Err(Error::Range { what: "scratch", offset: scratch.offset, length: scratch.length, reason });
        }
        scratch.check("scratch", scratch.length / 4, 32, usage)
    }
}

impl BufferRange<'_> {
    fn check(&self, what: &'static str, expected: u64, bits: u32, usages: wgpu::BufferUsages) -> Result<(), Error> {
        let fail = |reason: String| Err(Error::Range { what, offset: self.offset, length: self.length, reason });
        // Bits are packed: the last byte need not be full.
        let bytes = u64::from(bits.div_ceil(8));
        let whole = if bits < 8 { expected.div_ceil(8) } else { bytes * expected };
        if !self.offset.is_multiple_of(bytes) || !self.length.is_multiple_of(bytes) {
            return fail(format!("is not a whole number of {bytes}-byte elements"));
        }
        // A buffer has whole words, and may be given as it is: up to the end of the last.
        let words = self.offset.checked_add(whole).and_then(|end| end.checked_next_multiple_of(4));
        let is_right = self.length == whole || words.is_some_and(|end| self.length == end - self.offset);
        if bits < 8 && !is_right {
            return fail(format!("holds {} bits, the problem needs {expected}", self.length.saturating_mul(8)));
        }
        if bits >= 8 && !is_right {
            return Err(Error::Length { what, found: self.length / bytes, expected });
        }
        // Words are read and written whole.
        let end = self.offset.checked_add(self.length).and_then(|end| end.checked_next_multiple_of(4));
        if end.is_none_or(|end| end > self.buffer.size()) {
            return fail(format!("ends outside its buffer of {} bytes, in whole words", self.buffer.size()));
        }
        if what == "gradient" && !self.offset.is_multiple_of(4) {
            return fail("does not begin at a multiple of 4 bytes".to_owned());
        }
        let missing = usages - self.buffer.usage();
        if missing.is_empty() { Ok(()) } else { Err(Error::Usage { what, missing }) }
    }

    fn check_apart(&self, what: &'static str, other: &'static str, together: bool) -> Result<(), Error> {
        let reason = match other {
            "scratch" => {
                "lies in the buffer of the scratch memory; give the scratch memory a buffer of its own".to_owned()
            }
            _ => format!("overlaps the {other}; give it a place of its own"),
        };
        if together { Err(Error::Range { what, offset: self.offset, length: self.length, reason }) } else { Ok(()) }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.buffer == other.buffer
            && self.offset < other.offset + other.length
            && other.offset < self.offset + self.length
    }
}
