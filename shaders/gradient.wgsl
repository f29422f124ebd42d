// Stage 5: one elementwise pass from logits, targets and slopes to dL/dz.
//
// Oracle: reference::gradient. Expects a team, `tile`, `load`, `statistics`, `share`, `peak` and `store_gradient`. It
// never knows which loss it serves: whatever the terms are, they reach an element as three numbers a statistic.

// dL/dz of four elements.
fn descent(v: Quad, c: Coefficients) -> vec4<f32> {
    var total = slope(STATISTIC_0, loss.settings[0], c.of_0, v);
    if STATISTIC_1 != NO_STATISTIC { total = total + slope(STATISTIC_1, loss.settings[1], c.of_1, v); }
    if STATISTIC_2 != NO_STATISTIC { total = total + slope(STATISTIC_2, loss.settings[2], c.of_2, v); }
    if STATISTIC_3 != NO_STATISTIC { total = total + slope(STATISTIC_3, loss.settings[3], c.of_3, v); }
    // Selected, not multiplied: a coefficient may have overflowed, and what does not count may be no number.
    return select(vec4<f32>(), weighted(v, total), v.counts > vec4<f32>());
}

// Stores dL/dz of an octet; the bits of the magnitudes.
fn descend(run: Run, voxel: u32, inside: Inside, c: Coefficients) -> vec4<u32> {
    let bits = load(run, voxel);
    let octet = marked(bits, counting(bits, inside, unusable(bits, inside)));
    let stored = store_gradient(element_index(run, voxel), descent(octet.low, c), descent(octet.high, c), inside);
    return max(stored.low, stored.high);
}

// Tile `team` of the window, by one team. The bits of the largest |dL/dz| that this lane stored.
fn gradient_tile(at: Invocation, team: u32) -> u32 {
    var peaks = vec4<u32>();
    if team < params.window_tiles {
        let run = locate(params.first_tile + team, team_rank(at));
        let c = Coefficients(
            row_coefficients(run.row, 0u),
            row_coefficients(run.row, 1u),
            row_coefficients(run.row, 2u),
            row_coefficients(run.row, 3u),
        );
        let reach = octet_reach();
        var voxel = run.first;
        for (; voxel + reach < run.end; voxel = voxel + run.stride) {
            peaks = max(peaks, descend(run, voxel, everything(), c));
        }
        // An octet that ends outside.
        if voxel < run.end {
            peaks = max(peaks, descend(run, voxel, slots_inside(run, voxel), c));
        }
    }
    return max(max(peaks.x, peaks.y), max(peaks.z, peaks.w));
}

fn gradient(at: Invocation) {
    report_peak(at, gradient_tile(at, team_index(at)));
}
