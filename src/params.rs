//! The parameters of a dispatch, as the shaders see them.

use bytemuck::{Pod, Zeroable};

use crate::geometry::{Tiling, Window};
use crate::layout::{Layout, groups};
use crate::loss::{MAX_STATISTICS, Measure, Overlap, Pool, Term};
use crate::reference::threshold_cut;
use crate::{Activation, Loss, Map, Problem, Reduction, Statistic};

/// `Params` in shaders/params.wgsl.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Params {
    pub(crate) rows: u32,
    pub(crate) classes: u32,
    pub(crate) voxels: u32,
    pub(crate) statistics: u32,
    pub(crate) terms: u32,
    pub(crate) tile_length: u32,
    pub(crate) tiles_per_row: u32,
    pub(crate) window_tiles: u32,
    pub(crate) first_tile: u32,
    pub(crate) first_row: u32,
    pub(crate) first_sample: u32,
    pub(crate) first_voxel: u32,
    pub(crate) logits_base: u32,
    pub(crate) targets_base: u32,
    pub(crate) mask_base: u32,
    pub(crate) voxel_weights_base: u32,
    pub(crate) output_base: u32,
    pub(crate) term_values: u32,
    pub(crate) group_values: u32,
    pub(crate) sums: u32,
    pub(crate) slopes: u32,
    pub(crate) partials: u32,
    pub(crate) term: u32,
    pub(crate) halves: u32,
}

impl Params {
    /// Everything that does not depend on a window. The plan has checked that the scratch memory can be
    /// bound, so its offsets fit.
    pub(crate) fn new(loss: &Loss, problem: &Problem, tiling: &Tiling, layout: &Layout) -> Self {
        Self {
            rows: tiling.rows,
            classes: problem.shape.classes() as u32,
            voxels: tiling.voxels,
            statistics: loss.statistics().len() as u32,
            terms: loss.terms.len() as u32,
            tile_length: tiling.tile_length,
            tiles_per_row: tiling.tiles_per_row,
            term_values: layout.term_values as u32,
            group_values: layout.group_values as u32,
            sums: layout.sums as u32,
            slopes: layout.slopes as u32,
            partials: layout.partials as u32,
            ..Self::default()
        }
    }

    /// The same for one window; `bases` are the word offsets of logits, targets, mask, voxel weights and output.
    pub(crate) fn windowed(mut self, window: &Window, bases: [u32; 5]) -> Self {
        self.window_tiles = window.tiles;
        self.first_tile = window.first_tile;
        self.first_row = window.first_row;
        self.first_sample = window.first_row / self.classes;
        self.first_voxel = window.first_voxel;
        [self.logits_base, self.targets_base, self.mask_base, self.voxel_weights_base, self.output_base] = bases;
        self
    }
}

/// The fixed part of `LossParams` in shaders/params.wgsl.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct LossHeader {
    pub(crate) upstream: f32,
    pub(crate) count_mask: u32,
    pub(crate) excess_mask: u32,
    pub(crate) nan: u32,
    pub(crate) cuts: [[f32; 4]; MAX_STATISTICS],
}

/// `Term` in shaders/params.wgsl.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct TermParams {
    pub(crate) measure: u32,
    pub(crate) statistic: u32,
    pub(crate) weight: f32,
    pub(crate) scale: f32,
    pub(crate) factor: f32,
    pub(crate) alpha: f32,
    pub(crate) beta: f32,
    pub(crate) smooth_numerator: f32,
    pub(crate) smooth_denominator: f32,
    pub(crate) denominator_floor: f32,
    pub(crate) map: u32,
    pub(crate) map_argument: f32,
    pub(crate) groups: u32,
    pub(crate) members: u32,
    pub(crate) group_stride: u32,
    pub(crate) member_stride: u32,
    pub(crate) group_divisor: u32,
    pub(crate) first_group: u32,
    pub(crate) padding_0: u32,
    pub(crate) padding_1: u32,
}

/// `MEASURE_*` in shaders/measure.wgsl.
pub(crate) mod measure {
    pub(crate) const OVERLAP: u32 = 0;
    pub(crate) const CROSS_ENTROPY_SUM: u32 = 1;
    pub(crate) const CROSS_ENTROPY_MEAN: u32 = 2;
}

/// `*_HALF` in shaders/evaluate.wgsl: bits of [`Params::halves`].
pub(crate) mod half {
    pub(crate) const SUMS: u32 = 1;
    pub(crate) const LOSS: u32 = 2;
}

/// `MAP_*` in shaders/measure.wgsl.
pub(crate) mod map {
    pub(crate) const SCORE: u32 = 0;
    pub(crate) const COMPLEMENT: u32 = 1;
    pub(crate) const NEGATED: u32 = 2;
    pub(crate) const NEG_LOG: u32 = 3;
    pub(crate) const POWER: u32 = 4;
}

/// The kinds of statistics in shaders/statistics.wgsl; the value of the overrides `STATISTIC_0` to `_3`.
pub(crate) mod statistic {
    pub(crate) const NO_STATISTIC: u32 = 0;
    pub(crate) const OVERLAP: u32 = 1;
    pub(crate) const OVERLAP_SQUARED: u32 = 2;
    pub(crate) const OVERLAP_SIGMOID: u32 = 3;
    pub(crate) const OVERLAP_SIGMOID_SQUARED: u32 = 4;
    pub(crate) const OVERLAP_HARD: u32 = 5;
    pub(crate) const CROSS_ENTROPY: u32 = 6;
    pub(crate) const CROSS_ENTROPY_SIGMOID: u32 = 7;
}

/// The kind of a statistic. Thresholds are parameters, not kinds.
pub(crate) fn kind(statistic: Statistic) -> u32 {
    use Activation::{None as Given, Sigmoid};
    match statistic {
        Statistic::Overlap { activation: Given, squared: false } => statistic::OVERLAP,
        Statistic::Overlap { activation: Given, squared: true } => statistic::OVERLAP_SQUARED,
        Statistic::Overlap { activation: Sigmoid, squared: false } => statistic::OVERLAP_SIGMOID,
        Statistic::Overlap { activation: Sigmoid, squared: true } => statistic::OVERLAP_SIGMOID_SQUARED,
        Statistic::HardOverlap { .. } => statistic::OVERLAP_HARD,
        Statistic::CrossEntropy { activation: Given } => statistic::CROSS_ENTROPY,
        Statistic::CrossEntropy { activation: Sigmoid } => statistic::CROSS_ENTROPY_SIGMOID,
    }
}

/// The bytes of the `loss` binding.
pub(crate) fn loss_bytes(loss: &Loss, problem: &Problem, upstream: f32) -> Vec<u8> {
    let statistics = loss.statistics();
    let mut header = LossHeader { upstream, nan: f32::NAN.to_bits(), ..LossHeader::zeroed() };
    for (index, statistic) in statistics.iter().enumerate() {
        header.count_mask |= u32::from(statistic.is_count()) << index;
        header.excess_mask |= u32::from(statistic.sums_excess()) << index;
        if let Statistic::HardOverlap { activation, threshold } = *statistic {
            header.cuts[index] = [threshold_cut(activation, threshold), threshold as f32, 0.0, 0.0];
        }
    }
    let mut bytes = bytemuck::bytes_of(&header).to_vec();
    let mut first_group = 0;
    for (index, term) in loss.terms.iter().enumerate() {
        let shared = statistics.iter().position(|s| *s == term.statistic()).unwrap_or_default() as u32;
        let params = TermParams { statistic: shared, first_group, ..term_params(term, problem) };
        bytes.extend_from_slice(bytemuck::bytes_of(&params));
        first_group += groups(loss, problem, index) as u32;
    }
    bytes
}

/// The `class_weights` binding: C numbers per term. Never empty, since bindings may not be.
pub(crate) fn class_weights(loss: &Loss, problem: &Problem) -> Vec<f32> {
    let weight = |term: &Term, class| match &term.measure {
        Measure::Overlap(_) => 1.0,
        Measure::BinaryCrossEntropy(bce) => bce.positive_weight(class) as f32,
    };
    // Of no rows no class is asked for, however many there are.
    let classes = if problem.shape.rows() == 0 { 1 } else { problem.shape.classes() };
    loss.terms.iter().flat_map(|term| (0..classes).map(move |class| weight(term, class))).collect()
}

fn term_params(term: &Term, problem: &Problem) -> TermParams {
    let weight = term.weight as f32;
    match &term.measure {
        Measure::Overlap(overlap) => TermParams { weight, ..overlap_params(overlap, problem) },
        Measure::BinaryCrossEntropy(bce) => TermParams {
            measure: match bce.reduction {
                Reduction::Mean => measure::CROSS_ENTROPY_MEAN,
                Reduction::Sum | Reduction::None => measure::CROSS_ENTROPY_SUM,
            },
            weight,
            scale: 1.0,
            ..pool_params(Pool::All, problem)
        },
    }
}

fn overlap_params(overlap: &Overlap, problem: &Problem) -> TermParams {
    let pool = pool_params(overlap.pool, problem);
    let groups = overlap.pool.groups(problem.shape.samples(), problem.shape.classes());
    let (map, map_argument) = match overlap.map {
        Map::Score => (map::SCORE, 0.0),
        Map::Complement => (map::COMPLEMENT, 0.0),
        Map::Negated => (map::NEGATED, 0.0),
        Map::NegLog { eps } => (map::NEG_LOG, eps as f32),
        Map::Power { gamma } => (map::POWER, gamma as f32),
    };
    TermParams {
        measure: measure::OVERLAP,
        scale: match overlap.reduction {
            Reduction::Mean => 1.0 / groups.max(1) as f32,
            Reduction::Sum | Reduction::None => 1.0,
        },
        factor: overlap.factor as f32,
        alpha: overlap.alpha as f32,
        beta: overlap.beta as f32,
        smooth_numerator: overlap.smooth_numerator as f32,
        smooth_denominator: overlap.smooth_denominator as f32,
        denominator_floor: overlap.floor as f32,
        map,
        map_argument,
        groups: groups as u32,
        ..pool
    }
}

fn pool_params(pool: Pool, problem: &Problem) -> TermParams {
    let (samples, classes) = (problem.shape.samples() as u32, problem.shape.classes() as u32);
    let rows = samples * classes;
    let (groups, members, group_stride, member_stride, group_divisor) = match pool {
        Pool::None => (rows, 1, 1, 0, 1),
        Pool::Batch => (classes, samples, 1, classes, 1),
        Pool::Classes => (samples, classes, classes, 1, classes),
        Pool::All => (1, rows, 0, 1, 1),
    };
    TermParams { groups, members, group_stride, member_stride, group_divisor, ..TermParams::default() }
}
