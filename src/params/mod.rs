//! The parameters of a dispatch, as the shaders see them.

pub(crate) mod term;

pub(crate) use term::TermParams;

use bytemuck::{Pod, Zeroable};

use crate::geometry::{Tiling, Window};
use crate::layout::{Layout, groups};
use crate::loss::{Intersection, MAX_STATISTICS, Measure, Modulation, Term};
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
    pub(crate) row_step: u32,
    pub(crate) class_step: u32,
    pub(crate) first_coupled: u32,
    pub(crate) first_block: u32,
    pub(crate) blocks: u32,
    pub(crate) row_upstream: u32,
    pub(crate) part_begin: u32,
    pub(crate) part_length: u32,
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
            part_length: tiling.tile_length,
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
            row_step: tiling.row_step,
            class_step: if problem.voxel_step() > 1 { 1 } else { tiling.voxels },
            first_coupled: loss.first_coupled(),
            row_upstream: if problem.row_upstream { row_upstream(loss, problem) as u32 } else { 0 },
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
        (self.part_begin, self.part_length) = (window.part.start, window.part.end - window.part.start);
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
    pub(crate) const BINARY_CROSS_ENTROPY: u32 = 5;
    pub(crate) const FOCAL_SIDES: u32 = 6;
    pub(crate) const FOCAL_MIXTURE: u32 = 7;
    pub(crate) const FOCAL_MARGIN: u32 = 8;
    pub(crate) const FOCAL_LIKELIHOOD: u32 = 9;
    pub(crate) const CROSS_ENTROPY: u32 = 10;
    pub(crate) const WASSERSTEIN: u32 = 11;
}

/// The activations in shaders/statistics.wgsl, above the four bits of a statistic's kind.
pub(crate) mod activation {
    pub(crate) const GIVEN: u32 = 0;
    pub(crate) const SIGMOID: u32 = 16;
    pub(crate) const TANH: u32 = 32;
    pub(crate) const ODDS: u32 = 48;
    pub(crate) const SOFTMAX: u32 = 64;
    pub(crate) const LOG_SOFTMAX: u32 = 80;
    pub(crate) const ARGMAX: u32 = 96;
    pub(crate) const NORMALIZED: u32 = 112;
}

/// The kind of a statistic and its activation. Thresholds and exponents are parameters, not kinds.
pub(crate) fn kind(statistic: &Statistic) -> u32 {
    let (kind, how) = match *statistic {
        Statistic::Overlap { activation, squared: true, .. } => (statistic::OVERLAP_SQUARED, activation),
        Statistic::Overlap { activation, intersection: Intersection::Product, .. } => (statistic::OVERLAP, activation),
        Statistic::Overlap { activation, .. } => (statistic::OVERLAP_MINIMUM, activation),
        // What is compared is the input, whatever its activation, unless that couples classes.
        Statistic::HardOverlap { activation, .. } => {
            (statistic::OVERLAP_HARD, if activation.couples_classes() { activation } else { Activation::None })
        }
        Statistic::BinaryCrossEntropy { activation, .. } => (statistic::BINARY_CROSS_ENTROPY, activation),
        Statistic::CrossEntropy { activation, .. } => (statistic::CROSS_ENTROPY, activation),
        Statistic::Wasserstein { activation, .. } => (statistic::WASSERSTEIN, activation),
        Statistic::Focal { activation, modulation, .. } => match modulation {
            Modulation::Sides => (statistic::FOCAL_SIDES, activation),
            Modulation::Mixture => (statistic::FOCAL_MIXTURE, activation),
            Modulation::Margin | Modulation::MarginByOnes => (statistic::FOCAL_MARGIN, activation),
            Modulation::Likelihood => (statistic::FOCAL_LIKELIHOOD, activation),
        },
    };
    kind + match how {
        Activation::None => activation::GIVEN,
        Activation::Sigmoid => activation::SIGMOID,
        Activation::Tanh => activation::TANH,
        Activation::Odds => activation::ODDS,
        // Which classes they are of is a parameter.
        Activation::Softmax | Activation::ForegroundSoftmax => activation::SOFTMAX,
        Activation::LogSoftmax => activation::LOG_SOFTMAX,
        Activation::Argmax => activation::ARGMAX,
        Activation::Normalized => activation::NORMALIZED,
    }
}

/// The numbers of a statistic: of minima whether they are those of positive numbers, of a hard one what logits and targets are compared with, of the others label smoothing,
/// clip, γ and threshold.
fn settings(statistic: &Statistic) -> [f32; 4] {
    let numbers = match *statistic {
        Statistic::Overlap { intersection: Intersection::MinimumOfPositive, .. } => [1.0, 0.0, 0.0, 0.0],
        Statistic::Overlap { .. } | Statistic::Wasserstein { .. } => [0.0; 4],
        Statistic::HardOverlap { activation, threshold } => {
            [f64::from(threshold_cut(activation, threshold)), threshold, 0.0, 0.0]
        }
        Statistic::BinaryCrossEntropy { label_smoothing, clip, .. } => [label_smoothing, clip, 0.0, 0.0],
        Statistic::CrossEntropy { gamma, clip, .. } => [0.0, clip, gamma, 0.0],
        // It has no threshold; its place tells it from the other margin.
        Statistic::Focal { label_smoothing, clip, gamma, modulation: Modulation::MarginByOnes, .. } => {
            [label_smoothing, clip, gamma, 1.0]
        }
        Statistic::Focal { label_smoothing, clip, gamma, threshold, .. } => [label_smoothing, clip, gamma, threshold],
    };
    numbers.map(|number| number as f32)
}

/// The bytes of the `loss` binding.
pub(crate) fn loss_bytes(loss: &Loss, problem: &Problem, upstream: f32) -> Vec<u8> {
    let statistics = loss.statistics();
    let mut header = LossHeader { upstream, nan: f32::NAN.to_bits(), ..LossHeader::zeroed() };
    for (index, statistic) in statistics.iter().enumerate() {
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

/// Where the rows' upstream gradients begin in the `class_weights` binding, in vectors: behind what [`class_weights`] makes.
pub(crate) fn row_upstream(loss: &Loss, problem: &Problem) -> u64 {
    class_weights(loss, problem).len() as u64
}

/// The `class_weights` binding: for every term and class what the three sums of its rows are multiplied with, and
/// what its groups' values are; -1 for a class that is not the term's. Never empty, since bindings may not be.
pub(crate) fn class_weights(loss: &Loss, problem: &Problem) -> Vec<[f32; 4]> {
    let weights = |term: &Term, class| {
        let [first, second, third] = term.factors(class, problem.shape.classes()).map(|factor| factor as f32);
        [first, second, third, term.group_weight(class).map_or(-1.0, |weight| weight as f32)]
    };
    // Of no rows no class is asked for, however many there are.
    let classes = if problem.shape.rows() == 0 { 1 } else { problem.shape.classes() };
    let of_terms = loss.terms.iter().flat_map(|term| (0..classes).map(move |class| weights(term, class)));
    of_terms.chain(distances(loss)).collect()
}

/// The distances of a loss that measures some, C×C of them, four to a vector.
fn distances(loss: &Loss) -> Vec<[f32; 4]> {
    let measured = loss.terms.iter().find_map(|term| match &term.measure {
        Measure::Wasserstein(wasserstein) => Some(&wasserstein.distances),
        _ => None,
    });
    let Some(distances) = measured else { return vec![] };
    let classes = distances.classes();
    let between = |index: usize| distances.between(index / classes, index % classes) as f32;
    let number = classes * classes;
    let four = |first: usize| std::array::from_fn(|i| if first + i < number { between(first + i) } else { 0.0 });
    (0..number).step_by(4).map(four).collect()
}
