//! The dispatches of a bound plan: pipelines, bind groups, grids.

use crate::geometry::{Window, grid};
use crate::kernel::slot::{Reach, Slot, Width};
use crate::kernel::{Stage, Team, Variant};
use crate::layout::groups;
use crate::params::{Params, half};
use crate::plan::Plan;
use crate::sharing::{Part, Sharing};
use crate::{BufferRange, Buffers, Error, TargetFormat};

/// One dispatch: what [`Bound::encode`](crate::Bound::encode) records without thinking.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) bindings: wgpu::BindGroup,
    pub(crate) grid: [u32; 2],
}

/// All dispatches of a bound plan.
#[derive(Debug)]
pub(crate) struct Dispatches {
    /// Up to the rows' sums.
    pub(crate) sums: Vec<Dispatch>,
    /// From the rows' sums on.
    pub(crate) loss: Vec<Dispatch>,
    /// Both halves at once, for small problems.
    pub(crate) whole: Option<Dispatch>,
    /// The buffer that holds their parameters, in bytes.
    pub(crate) params_bytes: u64,
}

impl Dispatches {
    pub(crate) fn new(
        plan: &Plan,
        buffers: &Buffers,
        scratch: BufferRange,
        loss: &wgpu::Buffer,
        class_weights: &wgpu::Buffer,
    ) -> Result<Self, Error> {
        let limits = plan.gpu.limits();
        let mut builder = Builder {
            plan,
            scratch: BufferRange { length: plan.scratch_size(), ..scratch },
            loss,
            class_weights,
            params: vec![],
            // Whole octets at least, which some adapters would not ask for.
            alignment: u64::from(limits.min_storage_buffer_offset_alignment).max(32),
            stride: params_stride(limits.min_uniform_buffer_offset_alignment),
            pending: vec![],
        };
        let (sums, loss) = match builder.single_window(buffers)? {
            Some(window) => builder.small(buffers, &window)?,
            None => builder.staged(buffers)?,
        };
        let params_bytes = builder.params.len() as u64;
        let mut dispatches = builder.finish()?;
        let whole = dispatches.split_off(sums + loss).pop();
        let loss = dispatches.split_off(sums);
        Ok(Self { sums: dispatches, loss, whole, params_bytes })
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
    /// The window of a small problem, unless this device must cut even that.
    fn single_window(&self, buffers: &Buffers) -> Result<Option<Window>, Error> {
        if !self.plan.is_small() {
            return Ok(None);
        }
        Ok(match self.windows(buffers, buffers.gradient)?[..] {
            [window] => Some(window),
            _ => None,
        })
    }

    /// A small problem: either half, and both at once. Returns how many dispatches each half has.
    fn small(&mut self, buffers: &Buffers<'a>, window: &Window) -> Result<(usize, usize), Error> {
        for halves in [half::SUMS, half::LOSS, half::SUMS | half::LOSS] {
            self.data_dispatch(Stage::Evaluate, buffers, buffers.gradient, window, halves)?;
        }
        Ok((1, 1))
    }

    /// A dispatch or more for each stage. Returns how many each half has.
    fn staged(&mut self, buffers: &Buffers<'a>) -> Result<(usize, usize), Error> {
        let plan = self.plan;
        self.data_stage(Stage::Accumulate, buffers, buffers.voxel_map)?;
        self.sums_stage(Stage::Combine, plan.tiling.rows.into(), plan.tiling.has_few_partials(), 0)?;
        let sums = self.pending.len();
        for term in 0..plan.loss.terms.len() {
            let groups = groups(&plan.loss, &plan.problem, term);
            self.sums_stage(Stage::Score, groups, plan.has_few_members(term), term)?;
        }
        self.sums_stage(Stage::Finalize, 1, plan.has_few_groups(), 0)?;
        if plan.problem.gradient {
            self.data_stage(Stage::Gradient, buffers, buffers.gradient)?;
        }
        Ok((sums, self.pending.len() - sums))
    }

    /// A stage that reads the data: one dispatch a window.
    fn data_stage(
        &mut self,
        stage: Stage,
        buffers: &Buffers<'a>,
        output: Option<BufferRange<'a>>,
    ) -> Result<(), Error> {
        self.windows(buffers, output)?
            .iter()
            .try_for_each(|window| self.data_dispatch(stage, buffers, output, window, 0))
    }

    fn data_dispatch(
        &mut self,
        stage: Stage,
        buffers: &Buffers<'a>,
        output: Option<BufferRange<'a>>,
        window: &Window,
        halves: u32,
    ) -> Result<(), Error> {
        let plan = self.plan;
        let problem = &plan.problem;
        let elements = window.elements(&plan.tiling, problem);
        let entries = window.mask_entries(&plan.tiling, problem.shape.classes() as u32);
        let part = |range: Option<BufferRange<'a>>, bits, (first, count)| {
            range.map(|range| Part::new(range, bits, first, count))
        };
        let [logits, targets, mask, weights] = buffers.inputs();
        let is_gradient = stage != Stage::Accumulate;
        let parts = [
            part(logits, problem.logits.bits(), elements),
            part(targets, problem.targets.bits(), if problem.targets.is_labels() { entries } else { elements }),
            part(mask, 32, entries),
            part(weights, 32, elements),
            part(output, if is_gradient { problem.logits.bits() } else { 32 }, elements),
        ];
        let widths = plan.tiling.widths(window.rows, plan.widest());
        let sharing = Sharing::new(parts, self.alignment, widths);
        let single_lane = stage == Stage::Evaluate || plan.tiling.has_short_tiles();
        let variant = plan.gpu.variant(stage, single_lane, Some(plan.data), sharing.reach);
        let base = Params::new(&plan.loss, &plan.problem, &plan.tiling, &plan.layout);
        let params = Params { halves, ..base.windowed(window, sharing.bases) };
        let teams = if stage == Stage::Evaluate { 1 } else { window.tiles.into() };
        self.push(variant, sharing.ranges, teams, &params)
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
        // What a binding covers beyond its elements: up to the alignment in front, up to an octet behind. Indices of bits, too,
        // are below 2^32.
        let problem = &self.plan.problem;
        let binding = if problem.targets == TargetFormat::Bits { binding.min(1 << 29) } else { binding };
        let bits = u64::from(problem.widest_bits());
        let elements = (binding / sharers).saturating_sub(self.alignment + 64) * 8 / bits;
        self.plan.tiling.windows(elements, &self.plan.problem).ok_or(Error::TooLarge {
            what: "one tile of each input",
            needed: u64::from(self.plan.tiling.tile_length) * bits / 8
                * sharers
                * u64::from(self.plan.problem.voxel_step()),
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
