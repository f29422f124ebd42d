//! A term of the loss, as the shaders see it.

use bytemuck::{Pod, Zeroable};

use crate::loss::{Divisor, Empty, Formula, Measure, Outer, Overlap, Pool, RowWeights, Term};
use crate::{Map, Problem, Reduction};

/// `Term` in shaders/loss.wgsl.
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
    pub(crate) group_classes: u32,
    pub(crate) averages_what_is_left: u32,
    pub(crate) samples: u32,
    /// The bits of a float, which may be NaN.
    pub(crate) nothing_found: u32,
    pub(crate) empty: u32,
    pub(crate) volume: u32,
    pub(crate) masked_is_background: u32,
    pub(crate) divisor: u32,
    pub(crate) divisor_scale: f32,
    pub(crate) outer: u32,
    pub(crate) outer_argument: f32,
    pub(crate) zero_keeps_nan: u32,
    pub(crate) padding_0: u32,
    pub(crate) padding_1: u32,
}

/// `MEASURE_*` in shaders/measure.wgsl.
pub(crate) mod measure {
    pub(crate) const RATIO: u32 = 0;
    pub(crate) const MATTHEWS: u32 = 1;
    pub(crate) const MEAN: u32 = 2;
    pub(crate) const WASSERSTEIN: u32 = 3;
}

/// `DIVISOR_*` in shaders/measure.wgsl.
pub(crate) mod divisor {
    pub(crate) const FIXED: u32 = 0;
    pub(crate) const COUNT: u32 = 1;
    pub(crate) const MODULATION: u32 = 2;
    pub(crate) const WEIGHTS: u32 = 3;
}

/// `EMPTY_*` in shaders/measure.wgsl.
pub(crate) mod empty {
    pub(crate) const KEEP: u32 = 0;
    pub(crate) const ZERO: u32 = 1;
    pub(crate) const ONE: u32 = 2;
    pub(crate) const NAN: u32 = 3;
    pub(crate) const SKIP: u32 = 4;
}

/// `VOLUME_*` in shaders/classes.wgsl.
pub(crate) mod volume {
    pub(crate) const UNUSED: u32 = 0;
    pub(crate) const INVERSE: u32 = 1;
    pub(crate) const INVERSE_SQUARED: u32 = 2;
    pub(crate) const INVERSE_ONE_MORE: u32 = 3;
}

/// `OUTER_*` in shaders/maps.wgsl.
pub(crate) mod outer {
    pub(crate) const IDENTITY: u32 = 0;
    pub(crate) const POWER: u32 = 1;
    pub(crate) const LOG_COSH: u32 = 2;
}

/// `MAP_*` in shaders/maps.wgsl.
pub(crate) mod map {
    pub(crate) const SCORE: u32 = 0;
    pub(crate) const COMPLEMENT: u32 = 1;
    pub(crate) const NEGATED: u32 = 2;
    pub(crate) const NEG_LOG: u32 = 3;
    pub(crate) const POWER: u32 = 4;
}

/// The parameters of a term, but for what it shares with others.
pub(super) fn term_params(term: &Term, problem: &Problem) -> TermParams {
    let (outer, outer_argument) = match term.outer() {
        Outer::Identity => (outer::IDENTITY, 0.0),
        Outer::Power { gamma } => (outer::POWER, gamma as f32),
        Outer::LogCosh => (outer::LOG_COSH, 0.0),
    };
    let shared = TermParams {
        weight: term.weight as f32,
        scale: scale(term, problem),
        outer,
        outer_argument,
        ..pool_params(term, problem)
    };
    match &term.measure {
        Measure::Overlap(overlap) => overlap_params(overlap, shared),
        Measure::BinaryCrossEntropy(bce) => mean_params(term, problem, bce.divisor, bce.reduction, shared),
        Measure::CrossEntropy(ce) => TermParams {
            nothing_found: if ce.nan_if_empty { f32::NAN.to_bits() } else { 0 },
            ..mean_params(term, problem, ce.divisor, ce.reduction, shared)
        },
        Measure::Focal(focal) => mean_params(term, problem, focal.divisor, focal.reduction, shared),
        Measure::Wasserstein(wasserstein) => TermParams {
            measure: measure::WASSERSTEIN,
            smooth_numerator: wasserstein.smooth_numerator as f32,
            smooth_denominator: wasserstein.smooth_denominator as f32,
            volume: if wasserstein.by_volume { volume::INVERSE_ONE_MORE } else { volume::UNUSED },
            ..shared
        },
    }
}

/// What the sum over the groups' weighted values is multiplied with. Where empty groups are skipped it is the samples that
/// are counted; the kernels divide by the weights that are left.
fn scale(term: &Term, problem: &Problem) -> f32 {
    let shape = &problem.shape;
    let has_class = matches!(term.pool(), Pool::None | Pool::Batch);
    let of_groups = |group: usize| if has_class { term.group_weight(group % shape.classes()) } else { Some(1.0) };
    let groups = term.pool().groups(shape.samples(), shape.classes());
    let by = match term.reduction() {
        Reduction::None | Reduction::PerVoxel | Reduction::Sum => return 1.0,
        Reduction::Mean if averages_what_is_left(term) => f64::from(skip_samples(term, problem)),
        Reduction::Mean if term.is_normalized() => (0..groups).filter_map(of_groups).sum(),
        Reduction::Mean => (0..groups).filter_map(of_groups).count() as f64,
    };
    if by == 0.0 { 0.0 } else { (1.0 / by) as f32 }
}

/// Whether a term is a mean over samples of the means of what is not skipped.
fn averages_what_is_left(term: &Term) -> bool {
    term.empty() == Empty::Skip && term.reduction() == Reduction::Mean
}

/// The samples over which a mean is taken whose empty groups are skipped; one where the batch is pooled, or nothing is
/// skipped.
fn skip_samples(term: &Term, problem: &Problem) -> u32 {
    match (averages_what_is_left(term), term.pool()) {
        (true, Pool::None | Pool::Classes) => (problem.shape.samples() as u32).max(1),
        _ => 1,
    }
}

fn overlap_params(overlap: &Overlap, shared: TermParams) -> TermParams {
    let (map, map_argument, nothing_found) = match overlap.map {
        Map::Score => (map::SCORE, 0.0, 0.0),
        Map::Complement => (map::COMPLEMENT, 0.0, 1.0),
        Map::Negated => (map::NEGATED, 0.0, 0.0),
        Map::NegLog { eps } => (map::NEG_LOG, eps as f32, -eps.ln() as f32),
        Map::Power { gamma } => (map::POWER, gamma as f32, 1.0),
    };
    let (measure, denominator_floor) = match overlap.formula {
        Formula::Ratio => (measure::RATIO, overlap.floor),
        Formula::Matthews { eps } => (measure::MATTHEWS, eps),
    };
    TermParams {
        measure,
        factor: overlap.factor as f32,
        alpha: overlap.alpha as f32,
        beta: overlap.beta as f32,
        smooth_numerator: overlap.smooth_numerator as f32,
        smooth_denominator: overlap.smooth_denominator as f32,
        denominator_floor: denominator_floor as f32,
        map,
        map_argument,
        nothing_found: f32::to_bits(nothing_found),
        empty: match overlap.empty {
            Empty::Keep => empty::KEEP,
            Empty::Zero => empty::ZERO,
            Empty::One => empty::ONE,
            Empty::Nan => empty::NAN,
            Empty::Skip => empty::SKIP,
        },
        volume: match overlap.row_weights {
            RowWeights::InverseVolume => volume::INVERSE,
            RowWeights::InverseSquaredVolume => volume::INVERSE_SQUARED,
            RowWeights::Equal | RowWeights::PerClass(_) => volume::UNUSED,
        },
        masked_is_background: overlap.masked_is_background.into(),
        zero_keeps_nan: overlap.zero_keeps_nan.into(),
        ..shared
    }
}

fn mean_params(
    term: &Term,
    problem: &Problem,
    divisor: Divisor,
    reduction: Reduction,
    shared: TermParams,
) -> TermParams {
    let classes = term.classes.number(problem.shape.classes()).max(1);
    let (rows, across) = match term.pool() {
        Pool::None => (1, 1),
        Pool::Batch => (problem.shape.samples(), 1),
        Pool::Classes => (classes, classes),
        Pool::All => (problem.shape.samples() * classes, classes),
    };
    let elements = (rows * problem.shape.voxels()) as f64;
    let (divisor, divisor_scale, floor) = match divisor {
        _ if reduction != Reduction::Mean => (divisor::FIXED, 1.0, 0.0),
        Divisor::Elements => (divisor::COUNT, 1.0, 0.0),
        Divisor::Voxels => (divisor::COUNT, 1.0 / across as f64, 0.0),
        Divisor::AllElements => (divisor::FIXED, elements, 0.0),
        Divisor::AllVoxels => (divisor::FIXED, elements / across as f64, 0.0),
        Divisor::Weights => (divisor::WEIGHTS, 1.0, 0.0),
        Divisor::Modulation { eps } => (divisor::MODULATION, 1.0, eps),
    };
    TermParams {
        measure: measure::MEAN,
        divisor,
        divisor_scale: divisor_scale as f32,
        denominator_floor: floor as f32,
        ..shared
    }
}

fn pool_params(term: &Term, problem: &Problem) -> TermParams {
    let (samples, classes) = (problem.shape.samples() as u32, problem.shape.classes() as u32);
    let rows = samples * classes;
    let (groups, members, group_stride, member_stride, group_divisor) = match term.pool() {
        Pool::None => (rows, 1, 1, 0, 1),
        Pool::Batch => (classes, samples, 1, classes, 1),
        Pool::Classes => (samples, classes, classes, 1, classes),
        Pool::All => (1, rows, 0, 1, 1),
    };
    let group_classes = if matches!(term.pool(), Pool::None | Pool::Batch) { classes } else { 0 };
    let samples = skip_samples(term, problem);
    TermParams {
        groups,
        members,
        group_stride,
        member_stride,
        group_divisor,
        group_classes,
        averages_what_is_left: averages_what_is_left(term).into(),
        samples,
        ..TermParams::default()
    }
}
