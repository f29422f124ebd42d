//! The stages that read data: which parts of the tensors each dispatch is bound to.

use super::Builder;
use crate::geometry::Window;
use crate::kernel::{MapShape, Stage, Team};
use crate::params::Params;
use crate::plan::Plan;
use crate::sharing::{Part, Sharing};
use crate::{BufferRange, Buffers, Error, TargetFormat, VoxelWeights};

/// A tensor of a dispatch.
#[derive(Clone, Copy)]
pub(super) struct Tensor<'a> {
    pub(super) range: BufferRange<'a>,
    /// Of an element.
    pub(super) bits: u32,
    /// Whether it has an element a voxel, rather than one a voxel and class.
    pub(super) is_per_voxel: bool,
}

/// The tensors of a stage, in the order of [`Slot::DATA`](crate::kernel::slot::Slot::DATA), the output last.
pub(super) fn tensors<'a>(
    plan: &Plan,
    stage: Stage,
    buffers: &Buffers<'a>,
    output: Option<BufferRange<'a>>,
) -> [Option<Tensor<'a>>; 5] {
    let problem = &plan.problem;
    let [logits, targets, mask, weights] = buffers.inputs();
    let is_map = matches!(stage, Stage::Accumulate | Stage::AccumulateColumns);
    let tensor =
        |range: Option<BufferRange<'a>>, bits, is_per_voxel| range.map(|range| Tensor { range, bits, is_per_voxel });
    [
        tensor(logits, problem.logits.bits(), problem.logits.is_labels()),
        tensor(targets, problem.targets.bits(), problem.targets.is_labels()),
        tensor(mask, 32, true),
        tensor(weights, 32, problem.voxel_weights == VoxelWeights::PerVoxel),
        tensor(output, if is_map { 32 } else { problem.logits.bits() }, is_map && plan.data.map == MapShape::Voxels),
    ]
}

/// How many elements of a tensor one binding holds where several may have to share it, and the size of a binding they share.
pub(super) fn bindable(plan: &Plan, alignment: u64, buffers: &Buffers, output: Option<BufferRange>) -> (u64, u64) {
    let limits = plan.gpu.limits();
    let binding = limits.max_storage_buffer_binding_size.min(1 << 31);
    let shares = |range: &BufferRange| output.is_some_and(|output| output.buffer == range.buffer);
    let sharers = 1 + buffers.inputs().iter().flatten().filter(|range| shares(range)).count() as u64;
    // What a binding covers beyond its elements: up to the alignment in front, up to an octet behind. Indices of bits, too,
    // are below 2^32.
    let binding = if plan.problem.targets == TargetFormat::Bits { binding.min(1 << 29) } else { binding };
    let elements = (binding / sharers).saturating_sub(alignment + 64) * 8 / u64::from(plan.problem.widest_bits());
    (elements, binding / sharers)
}

impl<'a> Builder<'a> {
    /// The window of a small problem, unless this device must cut even that.
    pub(super) fn single_window(&self, buffers: &Buffers) -> Result<Option<Window>, Error> {
        if !self.plan.is_small() {
            return Ok(None);
        }
        let mut windows = self.windows(buffers, buffers.gradient)?;
        Ok(if windows.len() == 1 { windows.pop() } else { None })
    }

    /// A stage that reads the data: one dispatch a window, or several where an invocation's loops may not run so long.
    pub(super) fn data_stage(
        &mut self,
        stage: Stage,
        buffers: &Buffers<'a>,
        output: Option<BufferRange<'a>>,
    ) -> Result<(), Error> {
        if let Some(staging) = self.staging {
            return self.chunked_stage(stage, staging, buffers, output);
        }
        for window in self.windows(buffers, output)? {
            let parts = self.parts(stage, buffers, output, &window);
            self.rounds_of(stage, parts, &window, |params| params)?;
        }
        Ok(())
    }

    /// The parts of a stage's tensors that lie in a window.
    pub(super) fn parts(
        &self,
        stage: Stage,
        buffers: &Buffers<'a>,
        output: Option<BufferRange<'a>>,
        window: &Window,
    ) -> [Option<Part<'a>>; 5] {
        let (tiling, problem) = (&self.plan.tiling, &self.plan.problem);
        let elements = window.elements(tiling, problem);
        let entries = window.mask_entries(tiling, problem.shape.classes() as u32);
        tensors(self.plan, stage, buffers, output).map(|tensor| {
            let Tensor { range, bits, is_per_voxel } = tensor?;
            let (first, count) = if is_per_voxel { entries } else { elements };
            Some(Part::new(range, bits, first, count))
        })
    }

    /// The dispatches of a window: the blocks of its tiles in as many rounds as an adapter's loops take.
    pub(super) fn rounds_of(
        &mut self,
        stage: Stage,
        parts: [Option<Part<'a>>; 5],
        window: &Window,
        finish: impl Fn(Params) -> Params,
    ) -> Result<(), Error> {
        for round in self.rounds(window) {
            let (first_block, blocks) = (round.start, round.end - round.start);
            self.data_dispatch(stage, parts, window, |params| finish(Params { first_block, blocks, ..params }))?;
        }
        Ok(())
    }

    /// The blocks of a tile of columns, in as many parts as an adapter's loops take. Rows are one block.
    fn rounds(&self, window: &Window) -> Vec<std::ops::Range<u32>> {
        let (plan, widths) = (self.plan, self.plan.gpu.widths());
        let lanes = if plan.tiling.has_short_tiles() { 1 } else { widths.data_workgroup };
        let blocks = if plan.walks_columns() { window.blocks(lanes) } else { 1 };
        let most = (widths.iterations / block_iterations(plan, lanes)).clamp(1, blocks.max(1).into()) as u32;
        (0..blocks).step_by(most as usize).map(|first| first..(first + most).min(blocks)).collect()
    }

    pub(super) fn data_dispatch(
        &mut self,
        stage: Stage,
        parts: [Option<Part<'a>>; 5],
        window: &Window,
        finish: impl Fn(Params) -> Params,
    ) -> Result<(), Error> {
        let plan = self.plan;
        let widths = plan.tiling.widths(window.rows, plan.widest());
        let sharing = Sharing::new(parts, self.alignment, widths);
        let single_lane = stage == Stage::Evaluate || plan.tiling.has_short_tiles();
        let variant = plan.gpu.variant(stage, single_lane, Some(plan.data), sharing.reach);
        let base = Params::new(&plan.loss, &plan.problem, &plan.tiling, &plan.layout);
        let params = finish(base.windowed(window, sharing.bases));
        let teams = if stage == Stage::Evaluate { 1 } else { window.tiles.into() };
        self.push(variant, sharing.ranges, teams, &params)
    }

    /// The windows of a stage. Where an input lies in the output's buffer, bindings may have to cover all of them.
    fn windows(&self, buffers: &Buffers, output: Option<BufferRange>) -> Result<Vec<Window>, Error> {
        let (elements, limit) = bindable(self.plan, self.alignment, buffers, output);
        self.plan.tiling.windows(elements, &self.plan.problem).ok_or_else(|| too_large(self.plan, limit))
    }
}

/// How often the loops of an invocation turn for a block of columns, at most.
///
/// The loops over the classes are the softmax, distances, the sums and a second reading of what is unusable; in that over the
/// sums turn the team's for every statistic; a map has one over the terms for each of an octet's quads. A tree turns once for
/// each halving and once to end; the lane that adds up S subgroups by pairs turns S - 1 times and once to end each of the
/// log2 S levels, of which there is a loop, too.
pub(crate) fn block_iterations(plan: &Plan, lanes: u32) -> u64 {
    let levels = |parts: u32| u64::from(parts.next_power_of_two().ilog2());
    let turns = match plan.gpu.team(lanes == 1) {
        Team::Lane => 0,
        Team::Tree => levels(lanes) + 2,
        Team::Subgroup => {
            let subgroups = lanes.div_ceil(plan.gpu.widths().min_subgroup);
            u64::from(subgroups) + 2 * levels(subgroups) + 2
        }
    };
    let team = plan.statistics.len() as u64 * turns;
    let map = if plan.data.map == MapShape::None { 0 } else { 2 * (plan.loss.terms.len() as u64 + 1) + 1 };
    plan.problem.shape.classes() as u64 * (4 + team + map) + 4
}

/// That not even a tile can be bound.
pub(super) fn too_large(plan: &Plan, limit: u64) -> Error {
    let tile = u64::from(plan.tiling.tile_length) * u64::from(plan.tiling.row_step.max(plan.problem.voxel_step()));
    Error::TooLarge {
        what: "one tile of each input",
        needed: tile * u64::from(plan.problem.widest_bits()) / 8,
        limit,
        unit: "bytes",
        advice: "give the gradient a buffer of its own or split the batch",
    }
}
