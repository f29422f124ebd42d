// Stage 1 where classes are seen together: each team leaves the sums of all classes of its tile in `partials`.
//
// Oracle: reference::accumulate. Expects a team, `tile`, `load`, `totals`, `column`, `distances`, `store_map` and `store_voxel_map`.
//
// A block is an octet a lane. Its softmax comes first, for all classes; then the sums, class by class, which read the block
// again while it is near. The sums of the pairs of class and statistic are held in workgroup memory for some blocks, each by
// the lane it falls to, then added to the partial sums: fewer roundings one after the other, and fewer accesses. A lane that is a team
// has few blocks and adds at once, as do pairs that there is no room for.

// Pairs that are held.
const HELD_PAIRS: u32 = 256u;

// The blocks for which they are.
const HELD_BLOCKS: u32 = 32u;

// Adds sums to those of a tile's pair of class and statistic.
fn add_to_partial(tile: u32, pair: u32, sums: vec4<f32>, is_first: bool) {
    let row = tile / params.tiles_per_row * params.classes + pair / params.statistics;
    let row_tile = row * params.tiles_per_row + tile % params.tiles_per_row;
    let at = params.partials + (row_tile * params.statistics + pair % params.statistics) * 4u;
    var total = sums;
    if !is_first { total = total + load_vec4(at); }
    store_f32(at, total.x);
    store_f32(at + 1u, total.y);
    store_f32(at + 2u, total.z);
    store_f32(at + 3u, total.w);
}

// One octet's part of the sums of a class.
fn visit_class(
    own: Run,
    voxel: u32,
    inside: Inside,
    column: Column,
    distance: Distance,
    class_index: u32,
) -> Totals {
    let octet = with_distance(class_octet(own, voxel, inside, column, class_index), distance, class_index);
    store_map(own, voxel, octet, inside);
    var sums = plus(contributions(octet.low), contributions(octet.high));
    let counted = sum_of_slots(octet.low.counts) + sum_of_slots(octet.high.counts);
    sums.of_0.w = counted;
    sums.of_1.w = counted;
    sums.of_2.w = counted;
    sums.of_3.w = counted;
    return sums;
}

// What is wrong with the elements of a run's columns in the blocks of this dispatch.
fn tally_columns(run: Run) -> vec4<u32> {
    let length = max(run.end, run.first) - run.first;
    let end = run.first + min((params.first_block + params.blocks) * run.stride, length);
    var bad = vec4<u32>();
    for (var voxel = run.first + min(params.first_block * run.stride, length); voxel < end; voxel = voxel + run.stride) {
        for (var c = 0u; c < params.classes; c = c + 1u) {
            bad = bad + tally(class_bits(class_run(run, c), voxel, c), slots_inside(run, voxel)).bad;
        }
    }
    return bad;
}

var<workgroup> held: array<vec4<f32>, HELD_PAIRS>;

// How many pairs a team holds.
fn held_pairs() -> u32 {
    return select(min(HELD_PAIRS, params.classes * params.statistics), 0u, team_lanes() == 1u);
}

// Takes in the sums of a pair in a block.
fn hold(rank: u32, tile: u32, pair: u32, sums: vec4<f32>, block: u32) {
    if pair >= held_pairs() {
        if rank == 0u { add_to_partial(tile, pair, sums, block == 0u && params.part_begin == 0u); }
    } else if rank == pair % team_lanes() {
        held[pair] = held[pair] + sums;
    }
}

// At the end of a block: adds what is held to the partial sums from time to time, and with the last block of a dispatch.
fn release(rank: u32, tile: u32, block: u32) {
    let is_last = block + 1u == params.first_block + params.blocks;
    if is_last || (block + 1u) % HELD_BLOCKS == 0u {
        let is_first = params.first_block == 0u && params.part_begin == 0u && block < HELD_BLOCKS;
        for (var pair = rank; pair < held_pairs(); pair = pair + team_lanes()) {
            add_to_partial(tile, pair, held[pair], is_first);
            held[pair] = vec4<f32>();
        }
    }
}

// Some blocks of tile `team` of the window, by one team.
fn accumulate_columns_tile(at: Invocation, team: u32) {
    let is_there = team < params.window_tiles;
    let tile = params.first_tile + min(team, params.window_tiles - 1u);
    var run = locate(tile, team_rank(at));
    if !is_there { run.end = run.first; }
    // No lane's where there is no tile.
    let rank = select(0xffffffffu, team_rank(at), is_there);
    var seen = vec4<bool>();
    for (var block = params.first_block; block < params.first_block + params.blocks; block = block + 1u) {
        // Beyond the run's end where a block of another run is longer; it must not wrap.
        let voxel = run.first + min(block * run.stride, max(run.end, run.first) - run.first);
        let inside = slots_inside(run, voxel);
        var column = Column();
        var distance = Distance();
        if voxel < run.end {
            column = column_of(run, voxel, inside, &seen);
            distance = distance_of(run, voxel, inside, column);
            store_voxel_map(run, voxel, inside, column);
        }
        for (var c = 0u; c < params.classes; c = c + 1u) {
            var total = Totals();
            if voxel < run.end { total = visit_class(class_run(run, c), voxel, inside, column, distance, c); }
            let pair = c * params.statistics;
            hold(rank, tile, pair, team_sum(at, total.of_0), block);
            if STATISTIC_1 != NO_STATISTIC { hold(rank, tile, pair + 1u, team_sum(at, total.of_1), block); }
            if STATISTIC_2 != NO_STATISTIC { hold(rank, tile, pair + 2u, team_sum(at, total.of_2), block); }
            if STATISTIC_3 != NO_STATISTIC { hold(rank, tile, pair + 3u, team_sum(at, total.of_3), block); }
        }
        release(rank, tile, block);
    }
    if any(seen) { report_bad(tally_columns(run)); }
}

fn accumulate_columns(at: Invocation) {
    accumulate_columns_tile(at, team_index(at));
}
