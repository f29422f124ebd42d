// The loss as every stage sees it. Expects nothing.
//
// Mirrored by src/params/; src/kernel/tests.rs reflects this file and compares them.

// A term of the loss, see `loss::Term`. A group is a pool of rows that shares one score.
struct Term {
    measure: u32,
    statistic: u32,
    weight: f32,
    // 1/groups for a mean over the groups, else 1.
    scale: f32,

    factor: f32,
    alpha: f32,
    beta: f32,
    smooth_numerator: f32,
    smooth_denominator: f32,
    denominator_floor: f32,
    map: u32,
    map_argument: f32,

    // The rows of group g are g·group_stride + k·member_stride, k < members; the group of row r is
    // (r / group_divisor) % groups.
    groups: u32,
    members: u32,
    group_stride: u32,
    member_stride: u32,
    group_divisor: u32,
    // Where its groups begin in the regions of group values and slopes.
    first_group: u32,
    // How many classes neighbouring groups are of; 0 if they pool the classes.
    group_classes: u32,

    // Where empty groups are skipped a mean is one over so many samples of the means of what is left.
    averages_what_is_left: u32,
    samples: u32,
    // The bits of what a sample is worth of which nothing is left, and of the mean over nothing.
    nothing_found: u32,
    empty: u32,

    // Whether rows weigh by their volume.
    volume: u32,
    masked_is_background: u32,
    // What a mean divides by.
    divisor: u32,
    divisor_scale: f32,
    // What becomes of the reduced value.
    outer: u32,
    outer_argument: f32,
    // Whether a group of weight 0 that is NaN makes the value NaN.
    zero_keeps_nan: u32,
    // To a multiple of 16 bytes.
    padding_0: u32,
    padding_1: u32,
}

struct LossParams {
    // The gradient that arrives from outside.
    upstream: f32,
    // Bit s is set if the sums of statistic s are whole numbers.
    count_mask: u32,
    // Bit s is set if the sums of statistic s are I, P - I, T - I, not I, P, T.
    excess_mask: u32,
    // The bits of a quiet NaN: a constant expression may not hold one.
    nan: u32,
    // The numbers of each statistic: of a hard one what logits and targets are compared with; of one over voxels label
    // smoothing, clip, γ and threshold, in its place by margin 1 where α goes by ones.
    settings: array<vec4<f32>, 4>,
    terms: array<Term>,
}

@group(0) @binding(2) var<storage, read> loss: LossParams;
