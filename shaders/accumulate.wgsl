// Stage 1: one read of everything. Each team leaves the sums of its tile in `partials`.
//
// Oracle: reference::accumulate. Expects a team, `tile`, `load`, `totals`, BLOCK of `cascade` and `store_map`.

fn store_partial(tile: u32, statistic: u32, sums: vec4<f32>) {
    let at = params.partials + (tile * params.statistics + statistic) * 4u;
    store_f32(at, sums.x);
    store_f32(at + 1u, sums.y);
    store_f32(at + 2u, sums.z);
    store_f32(at + 3u, sums.w);
}

// One octet's part of the sums. That some of its elements are unusable is noted in `seen`, no more: to say which costs
// more than the sums.
fn visit(run: Run, voxel: u32, inside: Inside, seen: ptr<function, vec4<bool>>) -> Totals {
    let bits = load(run, voxel);
    let unusable = unusable(bits, inside);
    *seen = *seen | unusable.low | unusable.high;
    let octet = checked(bits, counting(bits, inside, unusable));
    store_map(run, voxel, octet, inside);
    return plus(contributions(octet.low), contributions(octet.high));
}

// What is wrong with the elements of a run.
fn tally_run(run: Run) -> Tally {
    var total = Tally();
    for (var voxel = run.first; voxel < run.end; voxel = voxel + run.stride) {
        let found = tally(load(run, voxel), slots_inside(run, voxel));
        total = Tally(total.bad + found.bad, total.elements + found.elements);
    }
    // What there is one of a voxel serves all its classes; the first one reports it.
    if run.row % params.classes != 0u {
        total.bad.z = 0u;
        if PREDICTS_LABELS { total.bad.x = 0u; }
        if HAS_LABELS { total.bad.y = 0u; }
        if SHARES_WEIGHTS { total.bad.w = 0u; }
    }
    return total;
}

// The number of elements that a lane visits.
fn visited(run: Run) -> u32 {
    if run.first >= run.end { return 0u; }
    let octets = (run.end - run.first - 1u) / run.stride;
    let inside = slots_inside(run, run.first + octets * run.stride);
    return 8u * octets + number_of(inside.low) + number_of(inside.high);
}

// Tile `team` of the window, by one team.
fn accumulate_tile(at: Invocation, team: u32) {
    let tile = params.first_tile + team;
    var total = Totals();
    if team < params.window_tiles {
        let run = locate(tile, team_rank(at));
        var seen = vec4<bool>();
        let reach = octet_reach();
        var voxel = run.first;
        while voxel + reach < run.end {
            var middle = Totals();
            for (var i = 0u; i < BLOCK && voxel + reach < run.end; i = i + 1u) {
                var inner = Totals();
                for (var k = 0u; k < BLOCK && voxel + reach < run.end; k = k + 1u) {
                    inner = plus(inner, visit(run, voxel, everything(), &seen));
                    voxel = voxel + run.stride;
                }
                middle = plus(middle, inner);
            }
            total = plus(total, middle);
        }
        // An octet that ends outside.
        if voxel < run.end {
            total = plus(total, visit(run, voxel, slots_inside(run, voxel), &seen));
        }
        var unusable = 0u;
        if any(seen) {
            let found = tally_run(run);
            report_bad(found.bad);
            unusable = found.elements;
        }
        if !DROPS {
            let counted = f32(visited(run) - unusable);
            total.of_0.w = counted;
            total.of_1.w = counted;
            total.of_2.w = counted;
            total.of_3.w = counted;
        }
    }
    let first = team_rank(at) == 0u && team < params.window_tiles;
    let sum_0 = team_sum(at, total.of_0);
    if first { store_partial(tile, 0u, sum_0); }
    if STATISTIC_1 != NO_STATISTIC {
        let sum_1 = team_sum(at, total.of_1);
        if first { store_partial(tile, 1u, sum_1); }
    }
    if STATISTIC_2 != NO_STATISTIC {
        let sum_2 = team_sum(at, total.of_2);
        if first { store_partial(tile, 2u, sum_2); }
    }
    if STATISTIC_3 != NO_STATISTIC {
        let sum_3 = team_sum(at, total.of_3);
        if first { store_partial(tile, 3u, sum_3); }
    }
}

fn accumulate(at: Invocation) {
    accumulate_tile(at, team_index(at));
}
