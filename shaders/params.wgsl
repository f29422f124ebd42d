// What every stage shares: the problem, the loss and the scratch memory.
//
// Expects nothing. The layouts are mirrored by src/params.rs and src/layout.rs; src/kernel/tests.rs reflects
// this file and compares them.

override WORKGROUP_SIZE: u32 = 256u;

// One dispatch's view of the problem. Lengths count elements, regions count words of `scratch.words`.
struct Params {
    rows: u32,
    classes: u32,
    voxels: u32,
    statistics: u32,
    terms: u32,
    tile_length: u32,
    tiles_per_row: u32,

    // The window: so many tiles from this one on, whose first element is (first_row, first_voxel).
    window_tiles: u32,
    first_tile: u32,
    first_row: u32,
    first_sample: u32,
    first_voxel: u32,

    // Where that first element lies in each binding.
    logits_base: u32,
    targets_base: u32,
    mask_base: u32,
    voxel_weights_base: u32,
    output_base: u32,

    // Regions of `scratch.words`.
    term_values: u32,
    group_values: u32,
    sums: u32,
    slopes: u32,
    partials: u32,

    // The term that `score` is dispatched for.
    term: u32,
    // The halves that `evaluate` is dispatched for.
    halves: u32,
}

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
    // For each hard statistic what logits (x) and targets (y) are compared with.
    cuts: array<vec4<f32>, 4>,
    terms: array<Term>,
}

struct Scratch {
    // Logits, targets, mask entries and voxel weights that are not usable numbers.
    bad: array<atomic<u32>, 4>,
    // The bits of the largest |gradient|: for non-negative floats their order is that of integers.
    peak: atomic<u32>,
    // The bits of the loss.
    value: u32,
    // 1 once the loss stands above: who reads before anything ran learns so.
    done: u32,
    padding: u32,
    words: array<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> scratch: Scratch;
@group(0) @binding(2) var<storage, read> loss: LossParams;

fn load_vec4(at: u32) -> vec4<f32> {
    return vec4<f32>(
        bitcast<f32>(scratch.words[at]),
        bitcast<f32>(scratch.words[at + 1u]),
        bitcast<f32>(scratch.words[at + 2u]),
        bitcast<f32>(scratch.words[at + 3u]),
    );
}

fn load_vec2(at: u32) -> vec2<f32> {
    return vec2<f32>(bitcast<f32>(scratch.words[at]), bitcast<f32>(scratch.words[at + 1u]));
}

fn store_f32(at: u32, value: f32) {
    scratch.words[at] = bitcast<u32>(value);
}
