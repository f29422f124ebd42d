//! The parameters of a dispatch, as the shaders see them.

pub(crate) mod term;

pub(crate) use term::TermParams;

use bytemuck::{Pod, Zeroable};

use crate::geometry::{Tiling, Window};
use crate::layout::{Layout, groups};
use crate::loss::{MAX_STATISTICS, Modulation, Term};
use crate::reference::threshold_cut;
use crate::{Activation, ByteScale, Loss, Problem, Statistic, TargetFormat};

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
    pub(crate) row_weights: u32,
    pub(crate) term_scales: u32,
    pub(crate) sample_scales: u32,
    pub(crate) partials: u32,
    pub(crate) term: u32,
    pub(crate) halves: u32,
    pub(crate) voxel_step: u32,
    pub(crate) ignored_bits: u32,
    pub(crate) target_scale: f32,
    pub(crate) padding_0: u32,
    pub(crate) padding_1: u32,
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
            row_weights: layout.row_weights as u32,
            term_scales: layout.term_scales as u32,
            sample_scales: layout.sample_scales as u32,
            partials: layout.partials as u32,
            voxel_step: problem.voxel_step(),
            ignored_bits: problem.ignoring(loss.ignore_index).ignored_bits().unwrap_or_default(),
            target_scale: match problem.targets {
                TargetFormat::U8(ByteScale::Inverse255) => 1.0 / 255.0,
                _ => 1.0,
            },
            ..Self::default()
        }
    }

    /// The same for one window; `bases` are the offsets, in elements, of logits, targets, mask, voxel weights and output.
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

/// The fixed part of `LossParams` in shaders/loss.wgsl.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct LossHeader {
    pub(crate) upstream: f32,
    pub(crate) count_mask: u32,
    pub(crate) excess_mask: u32,
    pub(crate) nan: u32,
    pub(crate) settings: [[f32; 4]; MAX_STATISTICS],
}

/// `*_HALF` in shaders/evaluate.wgsl: bits of [`Params::halves`].
pub(crate) mod half {
    pub(crate) const SUMS: u32 = 1;
    pub(crate) const LOSS: u32 = 2;
}

/// The kinds of statistics in shaders/statistics.wgsl; with an activation the value of the overrides `STATISTIC_0` to `_3`.
pub(crate) mod statistic {
    pub(crate) const NO_STATISTIC: u32 = 0;
    pub(crate) const OVERLAP: u32 = 1;
    pub(crate) const OVERLAP_SQUARED: u32 = 2;
    pub(crate) const OVERLAP_MINIMUM: u32 = 3;
    pub(crate) const OVERLAP_HARD: u32 = 4;
    pub(crate) const CROSS_ENTROPY: u32 = 5;
    pub(crate) const FOCAL_SIDES: u32 = 6;
    pub(crate) const FOCAL_MIXTURE: u32 = 7;
    pub(crate) const FOCAL_MARGIN: u32 = 8;
    pub(crate) const FOCAL_LIKELIHOOD: u32 = 9;
}

/// The activations in shaders/statistics.wgsl, above the four bits of a statistic's kind.
pub(crate) mod activation {
    pub(crate) const GIVEN: u32 = 0;
    pub(crate) const SIGMOID: u32 = 16;
    pub(crate) const TANH: u32 = 32;
}

/// The kind of a statistic and its activation. Thresholds and exponents are parameters, not kinds.
pub(crate) fn kind(statistic: Statistic) -> u32 {
    let (kind, how) = match statistic {
        Statistic::Overlap { activation, squared: true, .. } => (statistic::OVERLAP_SQUARED, activation),
        Statistic::Overlap { activation, minimum: true, .. } => (statistic::OVERLAP_MINIMUM, activation),
        Statistic::Overlap { activation, .. } => (statistic::OVERLAP, activation),
        // What is compared is the input, whatever its activation.
        Statistic::HardOverlap { .. } => (statistic::OVERLAP_HARD, Activation::None),
        Statistic::CrossEntropy { activation, .. } => (statistic::CROSS_ENTROPY, activation),
        Statistic::Focal { activation, modulation, .. } => match modulation {
            Modulation::Sides => (statistic::FOCAL_SIDES, activation),
            Modulation::Mixture => (statistic::FOCAL_MIXTURE, activation),
            Modulation::Margin => (statistic::FOCAL_MARGIN, activation),
            Modulation::Likelihood => (statistic::FOCAL_LIKELIHOOD, activation),
        },
    };
    kind + match how {
        Activation::None => activation::GIVEN,
        Activation::Sigmoid => activation::SIGMOID,
        Activation::Tanh => activation::TANH,
    }
}

/// The numbers of a statistic: of a hard one what logits and targets are compared with, of the others label smoothing,
/// clip, γ and threshold.
fn settings(statistic: Statistic) -> [f32; 4] {
    let numbers = match statistic {
        Statistic::Overlap { .. } => [0.0; 4],
        Statistic::HardOverlap { activation, threshold } => {
            [f64::from(threshold_cut(activation, threshold)), threshold, 0.0, 0.0]
        }
        Statistic::CrossEntropy { label_smoothing, clip, .. } => [label_smoothing, clip, 0.0, 0.0],
        Statistic::Focal { label_smoothing, clip, gamma, threshold, .. } => [label_smoothing, clip, gamma, threshold],
    };
    numbers.map(|number| number as f32)
}

/// The bytes of the `loss` binding.
pub(crate) fn loss_bytes(loss: &Loss, problem: &Problem, upstream: f32) -> Vec<u8> {
    let statistics = loss.statistics();
    let mut header = LossHeader { upstream, nan: f32::NAN.to_bits(), ..LossHeader::zeroed() };
    for (index, &statistic) in statistics.iter().enumerate() {
        header.count_mask |= u32::from(statistic.is_count()) << index;
        header.excess_mask |= u32::from(statistic.sums_excess()) << index;
        header.settings[index] = settings(statistic);
    }
    let mut bytes = bytemuck::bytes_of(&header).to_vec();
    let mut first_group = 0;
    for (index, term) in loss.terms.iter().enumerate() {
        let shared = statistics.iter().position(|s| *s == term.statistic()).unwrap_or_default() as u32;
        let params = TermParams { statistic: shared, first_group, ..term::term_params(term, problem) };
        bytes.extend_from_slice(bytemuck::bytes_of(&params));
        first_group += groups(loss, problem, index) as u32;
    }
    bytes
}

/// The `class_weights` binding: for every term and class what the three sums of its rows are multiplied with, and
/// what its groups' values are; -1 for a class that is not the term's. Never empty, since bindings may not be.
pub(crate) fn class_weights(loss: &Loss, problem: &Problem) -> Vec<[f32; 4]> {
    let weights = |term: &Term, class| {
        let [first, second, third] = term.factors(class).map(|factor| factor as f32);
        [first, second, third, term.group_weight(class).map_or(-1.0, |weight| weight as f32)]
    };
    // Of no rows no class is asked for, however many there are.
    let classes = if problem.shape.rows() == 0 { 1 } else { problem.shape.classes() };
    loss.terms.iter().flat_map(|term| (0..classes).map(move |class| weights(term, class))).collect()
}
