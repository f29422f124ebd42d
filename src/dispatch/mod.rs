//! The steps of a bound plan: dispatches, with pipelines, bind groups and grids, and copies.

mod data;
mod staging;

pub(crate) use self::data::block_iterations;
use self::staging::Staging;
use crate::geometry::{Window, grid};
use crate::kernel::slot::{Reach, Slot, Width};
use crate::kernel::{Stage, Team, Variant};
use crate::layout::groups;
use crate::params::{Params, half};
use crate::plan::Plan;
use crate::{BufferRange, Buffers, Error};

/// One dispatch: what [`Bound::encode`](crate::Bound::encode) records without thinking.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) pipeline: wgpu::ComputePipeline,
    pub(crate) bindings: wgpu::BindGroup,
    pub(crate) grid: [u32; 2],
}

/// A copy of bytes from buffer to buffer.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) source: wgpu::Buffer,
    pub(crate) source_offset: u64,
    pub(crate) target: wgpu::Buffer,
    pub(crate) target_offset: u64,
    pub(crate) bytes: u64,
}

/// What is recorded one after the other.
#[derive(Debug)]
pub(crate) enum Step {
    Dispatch(Dispatch),
    /// A piece of a tensor's plane into the staging memory, or back.
    Copy(Copy),
}

/// All steps of a bound plan.
#[derive(Debug)]
pub(crate) struct Steps {
    /// One for every stage and window.
    pub(crate) all: Vec<Step>,
    /// How many of them lead to the rows' sums.
    sums: usize,
    /// Both halves at once, for small problems.
    pub(crate) whole: Option<Step>,
    /// The memory made for them, of their parameters and for chunks of planes, in bytes.
    pub(crate) own_bytes: u64,
}

impl Steps {
    pub(crate) fn new(
        plan: &Plan,
        buffers: &Buffers,
        scratch: BufferRange,
        loss: &wgpu::Buffer,
        class_weights: &wgpu::Buffer,
    ) -> Result<Self, Error> {
        let limits = plan.gpu.limits();
        // Whole octets at least, which some adapters would not ask for.
        let alignment = u64::from(limits.min_storage_buffer_offset_alignment).max(32);
        let staging = Staging::new(plan, buffers, alignment)?;
        let mut builder = Builder {
            plan,
            staging: staging.as_ref(),
            scratch: BufferRange { length: plan.scratch_size(), ..scratch },
            loss,
            class_weights,
            params: vec![],
            alignment,
            stride: params_stride(limits.min_uniform_buffer_offset_alignment),
            pending: vec![],
        };
        let single = builder.single_window(buffers)?;
        let sums = match &single {
            Some(window) => builder.small(buffers, window)?,
            None => builder.staged(buffers)?,
        };
        let own_bytes = builder.params.len() as u64 + staging.as_ref().map_or(0, Staging::bytes);
        let mut all = builder.finish()?;
        let whole = single.and_then(|_| all.pop());
        Ok(Self { all, sums, whole, own_bytes })
    }

    /// Those up to the rows' sums.
    pub(crate) fn sums(&self) -> &[Step] {
        &self.all[..self.sums]
    }

    /// Those from the rows' sums on.
    pub(crate) fn loss(&self) -> &[Step] {
        &self.all[self.sums..]
    }
}

/// The distance between the parameters of two dispatches, which lie in one buffer.
fn params_stride(alignment: u32) -> u64 {
    (size_of::<Params>() as u64).next_multiple_of(alignment.into())
}

/// Collects dispatches; their parameters go into one uniform buffer, made at the end.
struct Builder<'a> {
    plan: &'a Plan,
    /// Where planes are copied to that no binding holds.
    staging: Option<&'a Staging>,
    scratch: BufferRange<'a>,
    loss: &'a wgpu::Buffer,
    class_weights: &'a wgpu::Buffer,
    params: Vec<u8>,
    stride: u64,
    /// Of the offsets of storage bindings.
    alignment: u64,
    pending: Vec<Pending<'a>>,
}

enum Pending<'a> {
    Dispatch(PendingDispatch<'a>),
    Copy(Copy),
}

struct PendingDispatch<'a> {
    pipeline: wgpu::ComputePipeline,
    slots: Vec<Slot>,
    ranges: [Option<BufferRange<'a>>; 5],
    grid: [u32; 2],
    params_offset: u64,
}

impl<'a> Builder<'a> {
    /// A small problem: either half, and both at once. Returns how many steps lead to the sums.
    fn small(&mut self, buffers: &Buffers<'a>, window: &Window) -> Result<usize, Error> {
        for halves in [half::SUMS, half::LOSS, half::SUMS | half::LOSS] {
            let parts = self.parts(Stage::Evaluate, buffers, buffers.gradient, window);
            self.data_dispatch(Stage::Evaluate, parts, window, |params| Params { halves, ..params })?;
        }
        Ok(1)
    }

    /// A dispatch or more for each stage. Returns how many steps lead to the sums.
    fn staged(&mut self, buffers: &Buffers<'a>) -> Result<usize, Error> {
        let plan = self.plan;
        let [accumulate, gradient] = plan.data_stages();
        self.data_stage(accumulate, buffers, buffers.voxel_map)?;
        self.sums_stage(Stage::Combine, plan.tiling.rows.into(), plan.tiling.has_few_partials(), 0)?;
        let sums = self.pending.len();
        for term in 0..plan.loss.terms.len() {
            let groups = groups(&plan.loss, &plan.problem, term);
            self.sums_stage(Stage::Score, groups, plan.has_few_members(term), term)?;
        }
        self.sums_stage(Stage::Finalize, 1, plan.has_few_groups(), 0)?;
        if plan.problem.gradient {
            if plan.walks_columns() {
                self.sums_stage(Stage::Coefficients, plan.tiling.rows.into(), true, 0)?;
            }
            self.data_stage(gradient, buffers, buffers.gradient)?;
        }
        Ok(sums)
    }

    /// A stage that sees sums only.
    fn sums_stage(&mut self, stage: Stage, teams: u64, single_lane: bool, term: usize) -> Result<(), Error> {
        let plan = self.plan;
        let variant = plan.gpu.variant(stage, single_lane, None, Reach::apart(Width::Word));
        let base = Params::new(&plan.loss, &plan.problem, &plan.tiling, &plan.layout);
        self.push(variant, [None; 5], teams, &Params { term: term as u32, ..base })
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
        let params_offset = params_offset as u64;
        self.pending.push(Pending::Dispatch(PendingDispatch { pipeline, slots, ranges, grid, params_offset }));
        Ok(())
    }

    fn finish(self) -> Result<Vec<Step>, Error> {
        let uniform = self.plan.gpu.filled("segloss parameters", &self.params, wgpu::BufferUsages::UNIFORM)?;
        let Self { scratch, loss, class_weights, pending, plan, .. } = self;
        let step = |device: &wgpu::Device, pending| match pending {
            Pending::Dispatch(pending) => {
                Step::Dispatch(pending.bind(device, [scratch, loss.into(), class_weights.into()], &uniform))
            }
            Pending::Copy(copy) => Step::Copy(copy),
        };
        plan.gpu.guarded(|device| pending.into_iter().map(|pending| step(device, pending)).collect())
    }
}

impl PendingDispatch<'_> {
    /// With its bind group; `own` are the ranges of scratch memory, loss and class weights.
    fn bind(self, device: &wgpu::Device, own: [BufferRange; 3], uniform: &wgpu::Buffer) -> Dispatch {
        let [scratch, loss, class_weights] = own;
        let range = |slot: &Slot| match slot {
            Slot::Params => {
                BufferRange { buffer: uniform, offset: self.params_offset, length: size_of::<Params>() as u64 }
            }
            Slot::Scratch => scratch,
            Slot::Loss => loss,
            Slot::ClassWeights => class_weights,
            // A slot that is bound has a range; the fallback is never bound.
            data => Slot::DATA.iter().position(|d| d == data).and_then(|i| self.ranges[i]).unwrap_or(scratch),
        };
        let entries: Vec<_> = self
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
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        Dispatch { pipeline: self.pipeline, bindings, grid: self.grid }
    }
}
