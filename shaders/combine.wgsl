// Stage 2: the partial sums of each row, added up in a fixed order.
//
// Oracle: reference::combine. Expects `params`, `scratch`, `loss`, Cascade and a team: one team a row.
//
// A tile has at most 2^24 voxels, so its counts are exact as f32; beyond, they are added as integers. The
// team adds floats only, so an integer travels as its two halves, whose sums stay below 2^24.

fn combine_row(at: Invocation, row: u32) {
    let first = team_rank(at) == 0u && row < params.rows;
    for (var statistic = 0u; statistic < params.statistics; statistic = statistic + 1u) {
        var total = Cascade();
        var counts = vec4<u32>();
        if row < params.rows {
            for (var tile = team_rank(at); tile < params.tiles_per_row; tile = tile + team_lanes()) {
                let index = (row * params.tiles_per_row + tile) * params.statistics + statistic;
                let partial = load_vec4(params.partials + index * 4u);
                add_to(&total, partial);
                // Only counts are whole; the other conversions are unused below.
                counts = counts + vec4<u32>(max(partial, vec4<f32>()));
            }
        }
        let sums = team_sum(at, sum_of(total));
        let low = team_sum(at, vec4<f32>(counts & vec4<u32>(0xffffu)));
        let high = team_sum(at, vec4<f32>(counts >> vec4<u32>(16u)));
        if first {
            let whole = (vec4<u32>(high) << vec4<u32>(16u)) + vec4<u32>(low);
            let is_count = (loss.count_mask & (1u << statistic)) != 0u;
            let words = select(bitcast<vec4<u32>>(sums), whole, vec4<bool>(is_count, is_count, is_count, true));
            let at_row = params.sums + (row * params.statistics + statistic) * 4u;
            scratch.words[at_row] = words.x;
            scratch.words[at_row + 1u] = words.y;
            scratch.words[at_row + 2u] = words.z;
            scratch.words[at_row + 3u] = words.w;
        }
    }
}

fn combine(at: Invocation) {
    combine_row(at, team_index(at));
}
