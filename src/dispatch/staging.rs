//! Where the planes of one sample are more than a binding holds: their chunks, copied side by side.

use wgpu::BufferUsages as Usage;

use super::data::{Tensor, bindable, tensors};
use super::{Builder, Copy, Pending};
use crate::chunks::{Chunks, Piece, STAGING_BYTES};
use crate::geometry::{OCTET, Window};
use crate::gpu::whole_octets;
use crate::kernel::Stage;
use crate::params::Params;
use crate::plan::Plan;
use crate::sharing::Part;
use crate::{BufferRange, Buffers, Error};

/// What the tensors are called, in the order of [`Slot::DATA`](crate::kernel::slot::Slot::DATA).
const NAMES: [&str; 5] = ["logits", "targets", "mask", "voxel weights", "the output"];

/// The staging memory: a buffer for every tensor with an element a voxel and class, used by all chunks in turn.
#[derive(Debug)]
pub(super) struct Staging {
    chunks: Chunks,
    buffers: [Option<wgpu::Buffer>; 5],
}

impl Staging {
    /// `None` where whole samples can be bound, or what else the plan walks.
    pub(super) fn new(plan: &Plan, buffers: &Buffers, alignment: u64) -> Result<Option<Self>, Error> {
        if !plan.walks_columns() || plan.problem.voxel_step() > 1 {
            return Ok(None);
        }
        let [accumulate, gradient] = plan.data_stages();
        let stages = [(accumulate, buffers.voxel_map), (gradient, buffers.gradient)];
        let limits = stages.map(|(_, output)| bindable(plan, alignment, buffers, output));
        if limits.iter().all(|(elements, _)| plan.tiling.windows(*elements, &plan.problem).is_some()) {
            return Ok(None);
        }
        // Of either stage the bits of an element, 0 where it has no such tensor or one that is bound as it is.
        let bits = stages.map(|(stage, output)| {
            tensors(plan, stage, buffers, output).map(|tensor| match tensor {
                Some(Tensor { bits, is_per_voxel: false, .. }) => bits,
                _ => 0,
            })
        });
        let bits: [u32; 5] = std::array::from_fn(|slot| bits[0][slot].max(bits[1][slot]));
        let room = STAGING_BYTES.min(plan.gpu.limits().max_storage_buffer_binding_size);
        // Also of tensors that are bound as they are, the part beside a chunk must fit into a binding.
        let chunk_bits = bits.iter().sum::<u32>().max(plan.problem.widest_bits());
        let chunks = Chunks::new(&plan.tiling, chunk_bits.into(), room);
        let chunks = chunks.ok_or_else(|| Error::TooLarge {
            what: "a few voxels of a sample's planes, copied since they exceed a binding,",
            needed: 9 * OCTET * u64::from(plan.tiling.row_step) * u64::from(chunk_bits) / 8,
            limit: room,
            unit: "bytes",
            advice: "split the batch into parts of fewer samples",
        })?;
        check_usages(plan, buffers)?;
        let buffer = |bits: u32| {
            let usage = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
            let size = whole_octets(chunks.bytes(bits));
            let descriptor =
                wgpu::BufferDescriptor { label: Some("segloss chunks"), size, usage, mapped_at_creation: false };
            (bits > 0).then(|| plan.gpu.guarded(|device| device.create_buffer(&descriptor))).transpose()
        };
        let [logits, targets, mask, weights, output] = bits.map(buffer);
        Ok(Some(Self { chunks, buffers: [logits?, targets?, mask?, weights?, output?] }))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.buffers.iter().flatten().map(wgpu::Buffer::size).sum()
    }
}

/// Chunks are copied, which buffers must allow.
fn check_usages(plan: &Plan, buffers: &Buffers) -> Result<(), Error> {
    let [accumulate, gradient] = plan.data_stages();
    for (stage, output) in [(accumulate, buffers.voxel_map), (gradient, buffers.gradient)] {
        for (slot, tensor) in tensors(plan, stage, buffers, output).into_iter().enumerate() {
            let Some(Tensor { range, is_per_voxel: false, .. }) = tensor else { continue };
            let needed = if slot == 4 { Usage::COPY_SRC | Usage::COPY_DST } else { Usage::COPY_SRC };
            let missing = needed - range.buffer.usage();
            if !missing.is_empty() {
                return Err(Error::Usage { what: NAMES[slot], missing });
            }
        }
    }
    Ok(())
}

impl<'a> Builder<'a> {
    /// A stage in chunks: copies in, the dispatches, copies back.
    pub(super) fn chunked_stage(
        &mut self,
        stage: Stage,
        staging: &'a Staging,
        buffers: &Buffers<'a>,
        output: Option<BufferRange<'a>>,
    ) -> Result<(), Error> {
        let (plan, chunks) = (self.plan, staging.chunks);
        let voxels = plan.tiling.voxels;
        let tensors = tensors(plan, stage, buffers, output);
        for window in chunks.windows(&plan.tiling) {
            let entries = window.mask_entries(&plan.tiling, plan.problem.shape.classes() as u32);
            let mut parts = [None; 5];
            for (slot, tensor) in tensors.iter().enumerate() {
                let Some(Tensor { range, bits, is_per_voxel }) = *tensor else { continue };
                parts[slot] = Some(match &staging.buffers[slot] {
                    Some(buffer) if !is_per_voxel => {
                        let (first, count) = chunks.elements(&window, voxels, range.offset, bits);
                        // Words at the edges of what is written may belong to others, too.
                        if slot < 4 || bits < 32 {
                            self.copy_chunk(staging, slot, range, bits, &window, true);
                        }
                        Part::new(BufferRange::from(buffer), bits, first, count)
                    }
                    _ => Part::new(range, bits, entries.0, entries.1),
                });
            }
            self.rounds_of(stage, parts, &window, |params| Params { class_step: chunks.stride, ..params })?;
            if let Some(Tensor { range, bits, is_per_voxel: false }) = tensors[4] {
                self.copy_chunk(staging, 4, range, bits, &window, false);
            }
        }
        Ok(())
    }

    /// Copies a chunk of a tensor into its place, or back.
    fn copy_chunk(
        &mut self,
        staging: &Staging,
        slot: usize,
        range: BufferRange,
        bits: u32,
        window: &Window,
        inwards: bool,
    ) {
        let Some(chunk) = &staging.buffers[slot] else { return };
        for piece in staging.chunks.pieces(window, self.plan.tiling.voxels, range.offset, bits) {
            let Piece { tensor_offset, chunk_offset, bytes } = piece;
            let tensor = range.buffer.clone();
            self.pending.push(Pending::Copy(if inwards {
                let target = chunk.clone();
                Copy { source: tensor, source_offset: tensor_offset, target, target_offset: chunk_offset, bytes }
            } else {
                let source = chunk.clone();
                Copy { source, source_offset: chunk_offset, target: tensor, target_offset: tensor_offset, bytes }
            }));
        }
    }
}
