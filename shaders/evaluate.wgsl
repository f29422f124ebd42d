// All stages in one dispatch of one workgroup, for problems so small that starting dispatches takes longer than their work.
//
// Oracle: reference::evaluate. Expects `params`, `scratch`, the other stages and team_lane: each lane is a team of its own.

// Halves of an evaluation: bits of `params.halves`, mirrored by `half` in src/params/.
const SUMS_HALF: u32 = 1u;
const LOSS_HALF: u32 = 2u;

fn evaluate_sums(at: Invocation) {
    if at.lane < 4u {
        atomicStore(&scratch.bad[at.lane], 0u);
    }
    storageBarrier();
    for (var tile = at.lane; tile < params.window_tiles; tile = tile + WORKGROUP_SIZE) {
        accumulate_tile(at, tile);
    }
    storageBarrier();
    for (var row = at.lane; row < params.rows; row = row + WORKGROUP_SIZE) {
        combine_row(at, row);
    }
    storageBarrier();
}

fn evaluate_loss(at: Invocation) {
    if at.lane == 0u {
        atomicStore(&scratch.peak, 0u);
    }
    for (var i = 0u; i < params.terms; i = i + 1u) {
        for (var group = at.lane; group < loss.terms[i].groups; group = group + WORKGROUP_SIZE) {
            score_group(at, i, group);
        }
    }
    storageBarrier();
    finalize_loss(at, at.lane);
    storageBarrier();
    var peak = 0u;
    for (var tile = at.lane; tile < params.window_tiles; tile = tile + WORKGROUP_SIZE) {
        peak = max(peak, gradient_tile(at, tile));
    }
    report_peak(at, peak);
}

fn evaluate(at: Invocation) {
    if (params.halves & SUMS_HALF) != 0u {
        evaluate_sums(at);
    }
    if (params.halves & LOSS_HALF) != 0u {
        evaluate_loss(at);
    }
}
