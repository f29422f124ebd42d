// Stage 1: one read of everything. Each team leaves the sums of its tile in `partials`.
//
// Oracle: reference::accumulate. Expects a team, `tile`, `load`, `statistics` and `store_map`.

// Lengths of the inner additions: the rounding error of a sum of n grows like the depth of its tree, not
// like n, if short runs are added up first.
const BLOCK: u32 = 16u;

fn store_partial(tile: u32, statistic: u32, sums: vec4<f32>) {
    let at = params.partials + (tile * params.statistics + statistic) * 4u;
    store_f32(at, sums.x);
    store_f32(at + 1u, sums.y);
    store_f32(at + 2u, sums.z);
    store_f32(at + 3u, sums.w);
}

fn report_bad(bad: vec4<u32>) {
    if bad.x > 0u { atomicAdd(&scratch.bad[0], bad.x); }
    if bad.y > 0u { atomicAdd(&scratch.bad[1], bad.y); }
    if bad.z > 0u { atomicAdd(&scratch.bad[2], bad.z); }
    if bad.w > 0u { atomicAdd(&scratch.bad[3], bad.w); }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn accumulate(at: Invocation) {
    let team = team_index(at);
    let tile = params.first_tile + team;
    var total_0 = vec4<f32>();
    var total_1 = vec4<f32>();
    var total_2 = vec4<f32>();
    var total_3 = vec4<f32>();
    if team < params.window_tiles {
        let run = locate(tile, team_rank(at));
        var bad = vec4<u32>();
        var voxel = run.first;
        while voxel < run.end {
            var block_0 = vec4<f32>();
            var block_1 = vec4<f32>();
            var block_2 = vec4<f32>();
            var block_3 = vec4<f32>();
            for (var i = 0u; i < BLOCK && voxel < run.end; i = i + 1u) {
                let loaded = load(voxel + run.offset, voxel + run.mask_offset);
                bad = bad + loaded.bad;
                let sums_0 = contribution(STATISTIC_0, loss.cuts[0].xy, loaded.v);
                let sums_1 = contribution(STATISTIC_1, loss.cuts[1].xy, loaded.v);
                let sums_2 = contribution(STATISTIC_2, loss.cuts[2].xy, loaded.v);
                let sums_3 = contribution(STATISTIC_3, loss.cuts[3].xy, loaded.v);
                block_0 = block_0 + sums_0;
                block_1 = block_1 + sums_1;
                block_2 = block_2 + sums_2;
                block_3 = block_3 + sums_3;
                if WANTS_MAP {
                    store_map(voxel + run.offset, run.row, array<vec2<f32>, 4>(sums_0.xy, sums_1.xy, sums_2.xy, sums_3.xy));
                }
                voxel = voxel + run.stride;
            }
            total_0 = total_0 + block_0;
            total_1 = total_1 + block_1;
            total_2 = total_2 + block_2;
            total_3 = total_3 + block_3;
        }
        // A mask entry serves all classes of its voxel; the first one reports it.
        if run.row % params.classes != 0u { bad.z = 0u; }
        report_bad(bad);
    }
    let first = team_rank(at) == 0u && team < params.window_tiles;
    let sum_0 = team_sum(at, total_0);
    if first { store_partial(tile, 0u, sum_0); }
    if STATISTIC_1 != NO_STATISTIC {
        let sum_1 = team_sum(at, total_1);
        if first { store_partial(tile, 1u, sum_1); }
    }
    if STATISTIC_2 != NO_STATISTIC {
        let sum_2 = team_sum(at, total_2);
        if first { store_partial(tile, 2u, sum_2); }
    }
    if STATISTIC_3 != NO_STATISTIC {
        let sum_3 = team_sum(at, total_3);
        if first { store_partial(tile, 3u, sum_3); }
    }
}
