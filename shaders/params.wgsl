// What every stage shares: the problem and the scratch memory.
//
// Expects nothing. The layouts are mirrored by src/params/ and src/layout.rs; src/kernel/tests.rs reflects
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
    // Per term and row, per term, per term and sample: what `gradient` multiplies slopes with.
    row_weights: u32,
    term_scales: u32,
    sample_scales: u32,
    partials: u32,

    // The term that `score` is dispatched for.
    term: u32,
    // The halves that `evaluate` is dispatched for.
    halves: u32,

    // From one voxel of a row to the next, in elements: the classes where they lie last, else 1.
    voxel_step: u32,
    // The bits of a target that does not count.
    ignored_bits: u32,
    // What a byte of a target is worth.
    target_scale: f32,
    // From the rows of one tile to those of the next: 1, or all classes where a tile is one of a sample's columns.
    row_step: u32,
    // From one class of a voxel to the next, in elements.
    class_step: u32,
    // The first class that a softmax is taken over.
    first_coupled: u32,
    // The blocks of each tile, an octet a lane, that this dispatch visits.
    first_block: u32,
    blocks: u32,
    // Where the rows' upstream gradients begin in `class_weights`, 0 if they have none of their own.
    row_upstream: u32,
    // The voxels of each tile that this dispatch visits, from its first on: all of them, or the part that a chunk holds.
    part_begin: u32,
    part_length: u32,
    padding_0: u32,
    padding_1: u32,
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

fn sample_count() -> u32 {
    return params.rows / params.classes;
}

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
