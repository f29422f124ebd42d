// Stage 4: one elementwise pass from logits, targets and coefficients to dL/dz.
//
// Oracle: reference::gradient. Expects a team, `tile`, `load`, `statistics` and `store_gradient`.

var<workgroup> workgroup_peak: atomic<u32>;

fn row_coefficient(row: u32, statistic: u32) -> vec2<f32> {
    if statistic >= params.statistics {
        return vec2<f32>();
    }
    return load_vec2(params.coefficients + (row * params.statistics + statistic) * 2u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn gradient(at: Invocation) {
    let team = team_index(at);
    var peak = 0u;
    if team < params.window_tiles {
        let run = locate(params.first_tile + team, team_rank(at));
        let c_0 = row_coefficient(run.row, 0u);
        let c_1 = row_coefficient(run.row, 1u);
        let c_2 = row_coefficient(run.row, 2u);
        let c_3 = row_coefficient(run.row, 3u);
        for (var voxel = run.first; voxel < run.end; voxel = voxel + run.stride) {
            let v = load(voxel + run.offset, voxel + run.mask_offset).v;
            let total = slope(STATISTIC_0, c_0, v) + slope(STATISTIC_1, c_1, v)
                + slope(STATISTIC_2, c_2, v) + slope(STATISTIC_3, c_3, v);
            // Selected, not multiplied: a coefficient may have overflowed.
            let stored = store_gradient(voxel + run.offset, select(0.0, v.weight * total, v.counts > 0.0));
            peak = max(peak, stored & 0x7fffffffu);
        }
    }
    atomicMax(&workgroup_peak, peak);
    workgroupBarrier();
    if at.lane == 0u {
        atomicMax(&scratch.peak, atomicLoad(&workgroup_peak));
    }
}
