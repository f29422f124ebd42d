//! A plan with its buffers.

use crate::geometry::{Window, grid};
use crate::kernel::slot::{Reach, Slot, Width};
use crate::kernel::{Stage, Team, Variant};
use crate::layout::{COUNTER_WORDS, HEADER_WORDS, groups};
use crate::params::{self, Params};
use crate::plan::Plan;
use crate::readback::Readback;
use crate::sharing::Sharing;
use crate::{BufferRange, Buffers, Error, Loss, Output};

/// A plan with its buffers, ready to be recorded any number of times.
#[derive(Debug)]
pub struct Bound {
    plan: Plan,
    scratch: wgpu::Buffer,
    scratch_offset: u64,
    loss: wgpu::Buffer,
    class_weights: wgpu::Buffer,
    upstream: f32,
    own_bytes: u64,
    accumulate: Vec<Dispatch>,
    finalize: Vec<Dispatch>,
    gradient: Vec<Dispatch>,
    readback: Readback,
}

/// One dispatch: what [`Bound::encode`] records without thinking.
#[derive(Debug)]
struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    grid: [u32; 2],
}

impl Bound {
    pub(crate) fn new(plan: &Plan, buffers: &Buffers, scratch: BufferRange) -> Result<Self, Error> {
        buffers.check(&plan.problem, plan.loss.is_voxel_map(), &scratch, plan.scratch_size())?;
        let alignment = u64::from(plan.gpu.limits().min_storage_buffer_offset_alignment);
        if !scratch.offset.is_multiple_of(alignment) {
            let reason = format!("does not begin at a multiple of {alignment}, the device's alignment");
            return Err(Error::Range { what: "scratch", offset: scratch.offset, length: scratch.length, reason });
        }
        let upstream = 1.0;
        let loss_bytes = params::loss_bytes(&plan.loss, &plan.problem, upstream);
        let class_weights = params::class_weights(&plan.loss, &plan.problem);
        let readback = Readback::new(plan)?;
        let storage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let loss = plan.gpu.filled("segloss loss", &loss_bytes, storage)?;
        let class_weights = plan.gpu.filled("segloss class weights", bytemuck::cast_slice(&class_weights), storage)?;
        let mut builder = Builder {
            plan,
            scratch: BufferRange { length: plan.scratch_size(), ..scratch },
            loss: &loss,
            class_weights: &class_weights,
            params: vec![],
            // Whole octets at least, which some adapters would not ask for.
            alignment: alignment.max(32),
            stride: params_stride(plan.gpu.limits().min_uniform_buffer_offset_alignment),
            pending: vec![],
        };
        builder.data_stage(Stage::Accumulate, buffers, buffers.voxel_map)?;
        let accumulated = builder.pending.len();
        builder.sums_stage(Stage::Combine, plan.tiling.rows.into(), plan.tiling.has_few_partials(), 0)?;
        for term in 0..plan.loss.terms.len() {
            let groups = groups(&plan.loss, &plan.problem, term);
            builder.sums_stage(Stage::Score, groups, plan.has_few_members(term), term)?;
        }
        builder.sums_stage(Stage::Finalize, 1, plan.has_few_groups(), 0)?;
        let finalized = builder.pending.len();
        if plan.problem.gradient {
            builder.data_stage(Stage::Gradient, buffers, buffers.gradient)?;
        }
        let own_bytes = loss.size() + class_weights.size() + builder.params.len() as u64;
        let mut dispatches = builder.finish()?;
        let gradient = dispatches.split_off(finalized);
        let finalize = dispatches.split_off(accumulated + 1);
        Ok(Self {
            plan: plan.clone(),
            scratch: scratch.buffer.clone(),
            scratch_offset: scratch.offset,
            loss,
            class_weights,
            upstream,
            own_bytes,
            accumulate: dispatches,
            finalize,
            gradient,
            readback,
        })
    }

    /// Records the whole evaluation: value and, if planned, gradient and voxel map. Nothing else happens: no allocation
    /// by this crate, no submission, no queue write, no wait.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        self.encode_sums(encoder);
        self.encode_loss(encoder);
    }

    /// Records the first half, up to the rows' sums (and the voxel map): [`Plan::sums_range`] says where they lie.
    pub fn encode_sums(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.clear_buffer(&self.scratch, self.scratch_offset, Some(4 * HEADER_WORDS));
        record(encoder, "segloss sums", self.accumulate.iter());
    }

    /// Records the second half: from the rows' sums to value and gradient, and the copy that
    /// [`read`](Self::read) maps.
    pub fn encode_loss(&self, encoder: &mut wgpu::CommandEncoder) {
        // Of an earlier evaluation of these sums: the peak would be the larger of both.
        let (begin, end) = (4 * COUNTER_WORDS, 4 * HEADER_WORDS);
        encoder.clear_buffer(&self.scratch, self.scratch_offset + begin, Some(end - begin));
        record(encoder, "segloss loss", self.finalize.iter().chain(&self.gradient));
        self.readback.encode(encoder, &self.scratch, self.scratch_offset);
    }

    /// Waits for the work that was submitted and returns its numbers: those of the latest evaluation.
    ///
    /// On the web the future waits; on native devices it blocks the thread that polls it, since only polling a device
    /// brings its work forward. Await it where blocking is fine, such as a thread for that purpose.
    ///
    /// # Errors
    /// [`Error::NotEvaluated`] if none was submitted;
    /// [`Error::BadValues`] if the inputs held values that are not usable numbers; [`Error::Device`] if the
    /// result cannot be mapped.
    pub async fn read(&self) -> Result<Output, Error> {
        self.readback.read(&self.plan).await
    }

    /// The blocking twin of [`read`](Self::read).
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read_blocking(&self) -> Result<Output, Error> {
        pollster::block_on(self.read())
    }

    /// Sets the gradient that arrives from outside, 1 at first, for the work submitted from now on.
    pub fn set_upstream(&mut self, upstream: f32) {
        self.upstream = upstream;
        self.write_loss();
    }

    /// Replaces weights, smoothing constants and all other numbers of the loss, for the work submitted from now on.
    ///
    /// # Errors
    /// [`Error::Loss`] if the new loss is not usable or differs in structure: it must need the same statistics and
    /// pool the same rows, term by term.
    pub fn set_loss(&mut self, loss: &Loss) -> Result<(), Error> {
        crate::plan::check(loss, &self.plan.problem)?;
        let structure = |loss: &Loss| {
            let pools = loss.terms.iter().enumerate().map(|(i, _)| groups(loss, &self.plan.problem, i));
            let kinds: Vec<_> = loss.statistics().into_iter().map(params::kind).collect();
            (kinds, pools.collect::<Vec<_>>())
        };
        if structure(loss) != structure(&self.plan.loss) || loss.is_voxel_map() != self.plan.loss.is_voxel_map() {
            return Err(Error::Loss("it differs in structure from the planned one; plan it anew".to_owned()));
        }
        self.plan.loss = loss.clone();
        self.write_loss();
        Ok(())
    }

    fn write_loss(&self) {
        let Plan { gpu, loss, problem, .. } = &self.plan;
        gpu.queue().write_buffer(&self.loss, 0, &params::loss_bytes(loss, problem, self.upstream));
        let class_weights = params::class_weights(loss, problem);
        gpu.queue().write_buffer(&self.class_weights, 0, bytemuck::cast_slice(&class_weights));
    }

    /// The device memory this binding created for itself, in bytes, the host-visible result apart. With the scratch
    /// memory it is all that an evaluation takes beyond inputs and output.
    #[must_use]
    pub fn own_bytes(&self) -> u64 {
        self.own_bytes
    }

    /// The host-visible memory that results are copied to, in bytes.
    #[must_use]
    pub fn readback_bytes(&self) -> u64 {
        self.readback.bytes()
    }
}

fn record<'a>(encoder: &mut wgpu::CommandEncoder, label: &str, dispatches: impl Iterator<Item = &'a Dispatch>) {
    let mut pass =
        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some(label), timestamp_writes: None });
    for dispatch in dispatches {
        pass.set_pipeline(&dispatch.pipeline);
        pass.set_bind_group(0, &dispatch.bindings, &[]);
        pass.dispatch_workgroups(dispatch.grid[0], dispatch.grid[1], 1);
    }
}

/// The distance between the parameters of two dispatches, which lie in one buffer.
fn params_stride(alignment: u32) -> u64 {
    (size_of::<Params>() as u64).next_multiple_of(alignment.into())
}

/// Collects dispatches; their parameters go into one uniform buffer, made at the end.
struct Builder<'a> {
    plan: &'a Plan,
    scratch: BufferRange<'a>,
    loss: &'a wgpu::Buffer,
    class_weights: &'a wgpu::Buffer,
    params: Vec<u8>,
    stride: u64,
    /// Of the offsets of storage bindings.
    alignment: u64,
    pending: Vec<Pending<'a>>,
}

struct Pending<'a> {
    pipeline: wgpu::ComputePipeline,
    slots: Vec<Slot>,
    ranges: [Option<BufferRange<'a>>; 5],
    grid: [u32; 2],
    params_offset: u64,
}

impl<'a> Builder<'a> {
    /// A stage that reads the data: one dispatch a window.
    fn data_stage(
        &mut self,
        stage: Stage,
        buffers: &Buffers<'a>,
        output: Option<BufferRange<'a>>,
    ) -> Result<(), Error> {
        let plan = self.plan;
        let single_lane = plan.tiling.has_short_rows();
        for window in self.windows(buffers, output)? {
            let (first, count) = window.elements(&plan.tiling);
            let (mask_first, mask_count) = window.mask_entries(&plan.tiling, plan.problem.shape.classes() as u32);
            let [logits, targets, mask, weights] = buffers.inputs();
            let parts = [
                logits.map(|range| range.part(first, count)),
                targets.map(|range| range.part(first, count)),
                mask.map(|range| range.part(mask_first, mask_count)),
                weights.map(|range| range.part(first, count)),
                output.map(|range| range.part(first, count)),
            ];
            let widths = plan.tiling.widths(window.rows, plan.gpu.widths().access);
            let sharing = Sharing::new(parts, self.alignment, widths);
            let variant = plan.gpu.variant(stage, single_lane, Some(plan.data), sharing.reach);
            let base = Params::new(&plan.loss, &plan.problem, &plan.tiling, &plan.layout);
            let params = base.windowed(&window, sharing.bases);
            self.push(variant, sharing.ranges, u64::from(window.tiles), &params)?;
        }
        Ok(())
    }

    /// A stage that sees sums only.
    fn sums_stage(&mut self, stage: Stage, teams: u64, single_lane: bool, term: usize) -> Result<(), Error> {
        let plan = self.plan;
        let variant = plan.gpu.variant(stage, single_lane, None, Reach::apart(Width::Word));
        let base = Params::new(&plan.loss, &plan.problem, &plan.tiling, &plan.layout);
        self.push(variant, [None; 5], teams, &Params { term: term as u32, ..base })
    }

    /// The windows of a stage. Where an input lies in the output's buffer, bindings may have to cover all of them.
    fn windows(&self, buffers: &Buffers, output: Option<BufferRange>) -> Result<Vec<Window>, Error> {
        let limits = self.plan.gpu.limits();
        let binding = limits.max_storage_buffer_binding_size.min(1 << 31);
        let shares = |range: &BufferRange| output.is_some_and(|output| output.buffer == range.buffer);
        let sharers = 1 + buffers.inputs().iter().flatten().filter(|range| shares(range)).count() as u64;
        // What a binding covers beyond its elements: up to the alignment in front, up to an octet behind.
        let elements = (binding / sharers).saturating_sub(self.alignment + 32) / 4;
        self.plan.tiling.windows(elements).ok_or(Error::TooLarge {
            what: "one tile of each input",
            needed: u64::from(self.plan.tiling.tile_length) * 4 * sharers,
            limit: binding,
            unit: "bytes",
            advice: "give the gradient a buffer of its own or split the batch",
        })
    }

    fn push(
        &mut self,
        variant: Variant,
        ranges: [Option<BufferRange<'a>>; 5],
        teams: u64,
        params: &Params,
    ) -> Result<(), Error> {
        let lanes = u64::from(variant.workgroup(self.plan.gpu.widths()));
        let groups = if variant.team == Team::Lane { teams.div_ceil(lanes) } else { teams };
        let limit = self.plan.gpu.limits().max_compute_workgroups_per_dimension;
        let grid = grid(groups, limit).ok_or(Error::TooLarge {
            what: "the grid of workgroups",
            needed: groups,
            limit: u64::from(limit) * u64::from(limit),
            unit: "workgroups",
            advice: "split the batch",
        })?;
        let params_offset = self.params.len().next_multiple_of(self.stride as usize);
        self.params.resize(params_offset, 0);
        self.params.extend_from_slice(bytemuck::bytes_of(params));
        let (pipeline, slots) = (self.plan.gpu.pipeline(variant)?, variant.slots());
        self.pending.push(Pending { pipeline, slots, ranges, grid, params_offset: params_offset as u64 });
        Ok(())
    }

    fn finish(self) -> Result<Vec<Dispatch>, Error> {
        let uniform = self.plan.gpu.filled("segloss parameters", &self.params, wgpu::BufferUsages::UNIFORM)?;
        self.plan
            .gpu
            .guarded(|device| self.pending.iter().map(|pending| self.dispatch(pending, device, &uniform)).collect())
    }

    fn dispatch(&self, pending: &Pending, device: &wgpu::Device, uniform: &wgpu::Buffer) -> Dispatch {
        let whole = |buffer| BufferRange::from(buffer);
        let range = |slot: &Slot| match slot {
            Slot::Params => {
                BufferRange { buffer: uniform, offset: pending.params_offset, length: size_of::<Params>() as u64 }
            }
            Slot::Scratch => self.scratch,
            Slot::Loss => whole(self.loss),
            Slot::ClassWeights => whole(self.class_weights),
            // A slot that is bound has a range; the fallback is never bound.
            data => Slot::DATA.iter().position(|d| d == data).and_then(|i| pending.ranges[i]).unwrap_or(self.scratch),
        };
        let entries: Vec<_> = pending
            .slots
            .iter()
            .map(|slot| {
                let BufferRange { buffer, offset, length } = range(slot);
                let binding = wgpu::BufferBinding { buffer, offset, size: std::num::NonZero::new(length) };
                wgpu::BindGroupEntry { binding: slot.binding(), resource: wgpu::BindingResource::Buffer(binding) }
            })
            .collect();
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("segloss"),
            layout: &pending.pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Dispatch { pipeline: pending.pipeline.clone(), bindings, grid: pending.grid }
    }
}
