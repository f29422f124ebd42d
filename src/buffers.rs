//! The caller's buffers, and how ranges of them are bound.

use crate::kernel::slot::{Access, Reach, Slot, Width};
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
/// Offsets are any multiples of the element size (4 bytes). The buffers need [`wgpu::BufferUsages::STORAGE`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Buffers<'a> {
    /// Logits or probabilities.
    pub logits: BufferRange<'a>,
    /// Targets.
    pub targets: BufferRange<'a>,
    /// The mask, if the problem has one.
    pub mask: Option<BufferRange<'a>>,
    /// The voxel weights, if the problem has them.
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

    /// The inputs by slot, in the order of [`Slot::DATA`], without those the problem does not have.
    pub(crate) fn inputs(&self) -> [Option<BufferRange<'a>>; 4] {
        [Some(self.logits), Some(self.targets), self.mask, self.voxel_weights]
    }

    /// Checks everything that can be known before a bind group is made.
    pub(crate) fn check(
        &self,
        problem: &Problem,
        is_map: bool,
        scratch: &BufferRange,
        scratch_size: u64,
    ) -> Result<(), Error> {
        let elements = problem.shape.elements() as u64;
        let parts = [
            ("logits", Some(self.logits), true, elements),
            ("targets", Some(self.targets), true, elements),
            ("mask", self.mask, problem.mask, problem.shape.mask_elements() as u64),
            ("voxel weights", self.voxel_weights, problem.voxel_weights, elements),
            ("gradient", self.gradient, problem.gradient, elements),
            ("voxel map", self.voxel_map, is_map, elements),
        ];
        for (what, range, planned, expected) in parts {
            match range {
                Some(range) if planned => {
                    range.check(what, expected, wgpu::BufferUsages::STORAGE)?;
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
        scratch.check("scratch", scratch.length / 4, usage)
    }
}

impl BufferRange<'_> {
    fn check(&self, what: &'static str, expected: u64, usages: wgpu::BufferUsages) -> Result<(), Error> {
        let fail = |reason: String| Err(Error::Range { what, offset: self.offset, length: self.length, reason });
        if !self.offset.is_multiple_of(4) || !self.length.is_multiple_of(4) {
            return fail("is not a whole number of 4-byte elements".to_owned());
        }
        if self.length / 4 != expected {
            return Err(Error::Length { what, found: self.length / 4, expected });
        }
        if self.offset.checked_add(self.length).is_none_or(|end| end > self.buffer.size()) {
            return fail(format!("ends outside its buffer of {} bytes", self.buffer.size()));
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

    /// The part of the range that holds `count` 4-byte elements from `first` on.
    pub(crate) fn part(&self, first: u64, count: u64) -> Self {
        Self { buffer: self.buffer, offset: self.offset + 4 * first, length: 4 * count }
    }
}

/// How the data slots of one dispatch are bound.
#[derive(Debug)]
pub(crate) struct Sharing<'a> {
    pub(crate) reach: Reach,
    /// The range to bind, for slots that have a binding of their own.
    pub(crate) ranges: [Option<BufferRange<'a>>; 5],
    /// The word in the slot's (or its host's) binding where its data begins.
    pub(crate) bases: [u32; 5],
}

impl<'a> Sharing<'a> {
    /// `parts` are the ranges of this dispatch in the order of [`Slot::DATA`], the output last.
    ///
    /// Inputs in other buffers than the output are bound for reading. Those in the output's buffer must be bound for
    /// writing too, and where ranges rounded out to the alignment, a multiple of 32, overlap, one binding covers them.
    ///
    /// `widths` are the accesses at whose multiples the rows begin if the first does, widest first. Chosen is the first at
    /// whose multiples the data begins, too, if every binding may be rounded up to a whole access within its buffer.
    pub(crate) fn new(
        parts: [Option<BufferRange<'a>>; 5],
        alignment: u64,
        mut widths: impl Iterator<Item = Width>,
    ) -> Self {
        let rounded = |range: &BufferRange| (range.offset / alignment * alignment, range.offset + range.length);
        let output = parts[4].map(|range| range.buffer);
        let shared = |range: &BufferRange| output == Some(range.buffer);
        // Clusters of overlapping ranges in the output's buffer: (begin, end, slots). The output comes first, so
        // that it is the host of its cluster.
        let mut clusters: Vec<(u64, u64, Vec<usize>)> = vec![];
        for slot in [4, 0, 1, 2, 3] {
            let Some(range) = parts[slot].as_ref().filter(|range| shared(range)) else { continue };
            let (mut begin, mut end) = rounded(range);
            let mut slots = vec![slot];
            // A union may reach clusters that its parts did not.
            while let Some(index) = clusters.iter().position(|c| c.0 < end && begin < c.1) {
                let (other_begin, other_end, others) = clusters.remove(index);
                (begin, end) = (begin.min(other_begin), end.max(other_end));
                slots.splice(0..0, others);
            }
            clusters.push((begin, end, slots));
        }
        let mut sharing = Self { reach: Reach::apart(Width::Word), ranges: [None; 5], bases: [0; 5] };
        for (slot, range) in parts.iter().enumerate() {
            let Some(range) = range.as_ref().filter(|range| !shared(range)) else { continue };
            let (begin, end) = rounded(range);
            sharing.ranges[slot] = Some(BufferRange { buffer: range.buffer, offset: begin, length: end - begin });
            sharing.bases[slot] = ((range.offset - begin) / 4) as u32;
        }
        for (begin, end, mut slots) in clusters {
            slots.sort_by_key(|&slot| (slot != 4, slot));
            let host = slots[0];
            for &slot in &slots {
                let Some(range) = parts[slot] else { continue };
                sharing.reach.access[slot] =
                    if slot == host { Access::ReadWrite } else { Access::Within(Slot::DATA[host]) };
                sharing.bases[slot] = ((range.offset - begin) / 4) as u32;
                if slot == host {
                    sharing.ranges[slot] =
                        Some(BufferRange { buffer: range.buffer, offset: begin, length: end - begin });
                }
            }
        }
        let up_to = |width: Width, range: BufferRange<'a>| BufferRange {
            length: range.length.next_multiple_of(4 * width.elements()),
            ..range
        };
        let fits = |width: &Width| {
            let in_buffer = |range: BufferRange<'a>| range.offset + up_to(*width, range).length <= range.buffer.size();
            sharing.bases.iter().all(|&base| u64::from(base).is_multiple_of(width.elements()))
                && sharing.ranges.into_iter().flatten().all(in_buffer)
        };
        if let Some(width) = widths.find(fits) {
            sharing.reach.width = width;
            sharing.ranges = sharing.ranges.map(|range| range.map(|range| up_to(width, range)));
        }
        sharing
    }
}
