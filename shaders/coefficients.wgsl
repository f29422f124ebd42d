// Between stages 4 and 5 where classes are seen together: what each row's elements receive, looked up once for a voxel that
// needs that of every class. One lane a row.
//
// Oracle: the coefficients of reference::finalize. Expects `params`, `scratch`, `share` and team_lane.
//
// They take the place of the partial sums, which are larger and not needed any more.

fn coefficients(at: Invocation) {
    let row = team_index(at);
    if row < params.rows {
        for (var statistic = 0u; statistic < params.statistics; statistic = statistic + 1u) {
            let own = row_coefficients(row, statistic);
            let place = params.partials + (row * params.statistics + statistic) * 3u;
            store_f32(place, own.x);
            store_f32(place + 1u, own.y);
            store_f32(place + 2u, own.z);
        }
    }
}
