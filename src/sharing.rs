//! How the ranges of one dispatch are bound, where several may lie in one buffer.

use crate::BufferRange;
use crate::kernel::slot::{Access, Reach, Slot, Width};

/// A part of a tensor: elements of so many bits in a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    buffer: &'a wgpu::Buffer,
    /// Where it begins and how long it is, in bits.
    offset: u64,
    length: u64,
    bits: u32,
}

impl<'a> Part<'a> {
    /// `count` elements from `first` on of a tensor that begins where `range` does.
    pub(crate) fn new(range: BufferRange<'a>, bits: u32, first: u64, count: u64) -> Self {
        let each = u64::from(bits);
        Self { buffer: range.buffer, offset: 8 * range.offset + each * first, length: each * count, bits }
    }

    /// The bytes that hold it, from a multiple of the alignment to a whole word.
    fn rounded(&self, alignment: u64) -> (u64, u64) {
        (self.offset / 8 / alignment * alignment, (self.offset + self.length).div_ceil(32) * 4)
    }

    /// How many elements it begins behind a byte.
    fn base(&self, begin: u64) -> u32 {
        ((self.offset - 8 * begin) / u64::from(self.bits)) as u32
    }
}

/// How the data slots of one dispatch are bound.
#[derive(Debug)]
pub(crate) struct Sharing<'a> {
    pub(crate) reach: Reach,
    /// The range to bind, for slots that have a binding of their own.
    pub(crate) ranges: [Option<BufferRange<'a>>; 5],
    /// The element in the slot's (or its host's) binding where its data begins.
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
    pub(crate) fn new(parts: [Option<Part<'a>>; 5], alignment: u64, mut widths: impl Iterator<Item = Width>) -> Self {
        let output = parts[4].map(|part| part.buffer);
        let shared = |part: &Part| output == Some(part.buffer);
        // Clusters of overlapping ranges in the output's buffer: (begin, end, slots). The output comes first, so
        // that it is the host of its cluster.
        let mut clusters: Vec<(u64, u64, Vec<usize>)> = vec![];
        for slot in [4, 0, 1, 2, 3] {
            let Some(part) = parts[slot].as_ref().filter(|part| shared(part)) else { continue };
            let (mut begin, mut end) = part.rounded(alignment);
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
        for (slot, part) in parts.iter().enumerate() {
            let Some(part) = part.as_ref().filter(|part| !shared(part)) else { continue };
            let (begin, end) = part.rounded(alignment);
            sharing.ranges[slot] = Some(BufferRange { buffer: part.buffer, offset: begin, length: end - begin });
            sharing.bases[slot] = part.base(begin);
        }
        for (begin, end, mut slots) in clusters {
            slots.sort_by_key(|&slot| (slot != 4, slot));
            let host = slots[0];
            for &slot in &slots {
                let Some(part) = parts[slot] else { continue };
                sharing.reach.access[slot] =
                    if slot == host { Access::ReadWrite } else { Access::Within(Slot::DATA[host]) };
                sharing.bases[slot] = part.base(begin);
                if slot == host {
                    sharing.ranges[slot] =
                        Some(BufferRange { buffer: part.buffer, offset: begin, length: end - begin });
                }
            }
        }
        // What a binding must be a multiple of: the largest type that is declared of it.
        let unit = |width: Width, slot: usize| {
            let bits = parts[slot].map_or(32, |part| part.bits);
            Slot::DATA[slot].storage(sharing.reach.access[slot], width, bits).type_bytes()
        };
        let up_to = |width: Width, slot: usize, range: BufferRange<'a>| BufferRange {
            length: range.length.next_multiple_of(unit(width, slot)),
            ..range
        };
        // One declaration serves all that share a binding.
        let alike = |width: &Width| {
            let bits = |slot: usize| parts[slot].map(|part| part.bits);
            (0..5).all(|slot| match sharing.reach.access[slot] {
                Access::Within(host) if *width > Width::Word => {
                    let host = Slot::DATA.iter().position(|&data| data == host).unwrap_or(slot);
                    bits(slot) == bits(host)
                }
                _ => true,
            })
        };
        let fits = |width: &Width| {
            let in_buffer = |(slot, range): (usize, Option<BufferRange<'a>>)| {
                range.is_none_or(|range| range.offset + up_to(*width, slot, range).length <= range.buffer.size())
            };
            sharing.bases.iter().all(|&base| u64::from(base).is_multiple_of(width.elements()))
                && alike(width)
                && sharing.ranges.into_iter().enumerate().all(in_buffer)
        };
        if let Some(width) = widths.find(fits) {
            let ranges = std::array::from_fn(|slot| sharing.ranges[slot].map(|range| up_to(width, slot, range)));
            sharing.reach.width = width;
            sharing.ranges = ranges;
        }
        sharing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::slot::Access::{Read, ReadWrite, Within};

    /// A buffer of a device that only validates.
    fn buffer(device: &wgpu::Device, size: u64) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE;
        device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    }

    fn device() -> wgpu::Device {
        wgpu::Device::noop(&wgpu::DeviceDescriptor::default()).0
    }

    fn share<'a>(parts: [Option<(&'a wgpu::Buffer, u64, u64)>; 5], widest: Width) -> Sharing<'a> {
        let part = |(buffer, offset, length)| Part::new(BufferRange { buffer, offset, length }, 32, 0, length / 4);
        let widths = Width::WIDEST_FIRST.into_iter().filter(move |&width| width <= widest);
        Sharing::new(parts.map(|given| given.map(part)), 256, widths)
    }

    /// (offset, length) of what is bound for each slot.
    fn bound(sharing: &Sharing) -> [Option<(u64, u64)>; 5] {
        sharing.ranges.map(|range| range.map(|range| (range.offset, range.length)))
    }

    #[test]
    fn buffers_of_their_own_are_bound_from_the_alignment_below() {
        let device = device();
        let [a, b, c] = [0, 1, 2].map(|_| buffer(&device, 4096));
        let sharing = share([Some((&a, 0, 400)), Some((&b, 260, 400)), None, None, Some((&c, 512, 400))], Width::Octet);
        assert_eq!(sharing.reach, Reach::apart(Width::Word));
        assert_eq!(bound(&sharing), [Some((0, 400)), Some((256, 404)), None, None, Some((512, 400))]);
        assert_eq!(sharing.bases, [0, 1, 0, 0, 0]);
    }

    #[test]
    fn inputs_in_the_buffer_of_the_output_are_written_too() {
        let device = device();
        let [pool, other] = [0, 1].map(|_| buffer(&device, 4096));
        // Apart by whole alignments: a binding each. Within one: the output's binding covers both.
        let far = share([Some((&pool, 0, 80)), Some((&other, 0, 80)), None, None, Some((&pool, 256, 80))], Width::Word);
        assert_eq!(far.reach.access, [ReadWrite, Read, Read, Read, ReadWrite]);
        let near = share([Some((&pool, 0, 80)), Some((&other, 0, 80)), None, None, Some((&pool, 80, 80))], Width::Word);
        assert_eq!(near.reach.access, [Within(Slot::Output), Read, Read, Read, ReadWrite]);
        assert_eq!(bound(&near), [None, Some((0, 80)), None, None, Some((0, 160))]);
        assert_eq!(near.bases, [0, 0, 0, 0, 20]);
    }

    /// The first two do not touch each other; the third, added last, touches both and makes them one.
    #[test]
    fn a_range_that_touches_two_clusters_joins_them() {
        let device = device();
        let (pool, other) = (buffer(&device, 4096), buffer(&device, 64));
        let parts =
            [Some((&pool, 1024, 64)), Some((&pool, 512, 64)), Some((&pool, 576, 512)), None, Some((&other, 0, 64))];
        assert_eq!(share(parts, Width::Word).reach.access, [Read, Read, Read, Read, ReadWrite]);
        let parts =
            [Some((&pool, 1100, 64)), Some((&pool, 512, 64)), Some((&pool, 576, 512)), None, Some((&pool, 0, 64))];
        let sharing = share(parts, Width::Word);
        let inputs = Within(Slot::Logits);
        assert_eq!(sharing.reach.access, [ReadWrite, inputs, inputs, Read, ReadWrite]);
        assert_eq!(bound(&sharing), [Some((512, 652)), None, None, None, Some((0, 64))]);
        assert_eq!(sharing.bases, [147, 0, 16, 0, 0]);
    }

    #[test]
    fn the_widest_access_is_taken_that_stays_in_the_buffers() {
        let device = device();
        let [whole, quads, short] = [416, 400, 396].map(|size| buffer(&device, size));
        for (targets, offset, length, width) in [
            (&whole, 0, 396, Width::Octet),
            (&whole, 32, 384, Width::Octet),
            (&whole, 16, 396, Width::Quad),
            (&quads, 0, 396, Width::Quad),
            (&short, 0, 396, Width::Word),
            (&whole, 4, 396, Width::Word),
        ] {
            let sharing =
                share([Some((&whole, 0, 384)), Some((targets, offset, length)), None, None, None], Width::Octet);
            assert_eq!(sharing.reach.width, width, "{offset}, {length} of {}", targets.size());
            let (_, bound_length) = bound(&sharing)[1].unwrap();
            assert_eq!(bound_length, (offset + length).next_multiple_of(4 * width.elements()));
        }
    }
}
