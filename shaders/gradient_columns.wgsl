// Stage 5 where classes are seen together: one pass from logits, targets and coefficients to dL/dz.
//
// Oracle: reference::gradient. Expects a team, `tile`, `load`, `statistics`, `column`, `distances`, `pull`, `peak` and `store_gradient`.
//
// With u_c = dL/d(ln p_c), dL/dz_k = u_k - p_k·Σ u_c. Of the class of the largest logit, whose p may be nearly 1, that is
// (1 - p)·u - p·Σ of the others, so its u stands apart. Where inputs are shares, `inward` makes dL/dx of it.

// dL/d(first, second, third sum) of a row's statistic, as stage `coefficients` left it.
fn coefficients_of(row: u32, statistic: u32) -> vec3<f32> {
    let at = params.partials + (row * params.statistics + statistic) * 3u;
    return vec3<f32>(load_vec2(at), bitcast<f32>(scratch.words[at + 2u]));
}

fn all_coefficients(row: u32) -> Coefficients {
    var c = Coefficients();
    c.of_0 = coefficients_of(row, 0u);
    if STATISTIC_1 != NO_STATISTIC { c.of_1 = coefficients_of(row, 1u); }
    if STATISTIC_2 != NO_STATISTIC { c.of_2 = coefficients_of(row, 2u); }
    if STATISTIC_3 != NO_STATISTIC { c.of_3 = coefficients_of(row, 3u); }
    return c;
}

// The derivatives by ln p if `coupled`, of the statistics that couple classes; else by z, of the others.
fn slopes(v: Quad, c: Coefficients, coupled: bool) -> vec4<f32> {
    var total = vec4<f32>();
    if couples(STATISTIC_0) == coupled { total = total + slope(STATISTIC_0, loss.settings[0], c.of_0, v); }
    if couples(STATISTIC_1) == coupled { total = total + slope(STATISTIC_1, loss.settings[1], c.of_1, v); }
    if couples(STATISTIC_2) == coupled { total = total + slope(STATISTIC_2, loss.settings[2], c.of_2, v); }
    if couples(STATISTIC_3) == coupled { total = total + slope(STATISTIC_3, loss.settings[3], c.of_3, v); }
    return weighted(v, total);
}

// u of the class of the largest logit, and Σ u of the others.
struct Ascent {
    top: vec4<f32>,
    others: vec4<f32>,
}

fn ascended(sum: Ascent, v: Quad, c: Coefficients) -> Ascent {
    let u = slopes(v, c, true);
    let is_top = v.top > vec4<f32>();
    return Ascent(sum.top + select(vec4<f32>(), u, is_top), sum.others + select(u, vec4<f32>(), is_top));
}

// dL/dz (or dL/dx) of four elements of a class.
fn column_descent(v: Quad, c: Coefficients, sum: Ascent, s: Softmax) -> vec4<f32> {
    var total = slopes(v, c, false);
    if any_couples() {
        let u = slopes(v, c, true);
        let by = inward(v, s);
        let of_top = v.soft_q * u * by.own - by.of_sum * sum.others;
        total = total + select(u * by.own - by.of_sum * (sum.top + sum.others), of_top, v.top > vec4<f32>());
    }
    // Selected, not multiplied: a coefficient may have overflowed.
    return select(vec4<f32>(), total, v.counts > vec4<f32>());
}

// Stores dL/dz of all classes of an octet; the bits of the magnitudes.
fn descend_columns(run: Run, voxel: u32, inside: Inside) -> vec4<u32> {
    var seen = vec4<bool>();
    let column = column_of(run, voxel, inside, &seen);
    let distance = distance_to_go(run, voxel);
    var low = Ascent();
    var high = Ascent();
    if any_couples() {
        for (var class_index = params.first_coupled; class_index < params.classes; class_index = class_index + 1u) {
            let own = class_run(run, class_index);
            let octet = with_distance(class_octet(own, voxel, inside, column, class_index), distance, class_index);
            let c = all_coefficients(own.row);
            low = ascended(low, octet.low, c);
            high = ascended(high, octet.high, c);
        }
    }
    var peaks = vec4<u32>();
    for (var class_index = 0u; class_index < params.classes; class_index = class_index + 1u) {
        let own = class_run(run, class_index);
        let octet = with_distance(class_octet(own, voxel, inside, column, class_index), distance, class_index);
        let c = all_coefficients(own.row);
        let descent_low = column_descent(octet.low, c, low, column.low);
        let descent_high = column_descent(octet.high, c, high, column.high);
        let stored = store_gradient(element_index(own, voxel), descent_low, descent_high, inside);
        peaks = max(peaks, max(stored.low, stored.high));
    }
    return peaks;
}

// Some blocks of tile `team` of the window, by one team. The bits of the largest |dL/dz| that this lane stored.
fn gradient_columns_tile(at: Invocation, team: u32) -> u32 {
    var peaks = vec4<u32>();
    if team < params.window_tiles {
        let run = locate(params.first_tile + team, team_rank(at));
        // Lanes may begin beyond the end of a short run: they have nothing, which must not wrap.
        let length = max(run.end, run.first) - run.first;
        let end = run.first + min((params.first_block + params.blocks) * run.stride, length);
        for (var voxel = run.first + min(params.first_block * run.stride, length); voxel < end; voxel = voxel + run.stride) {
            peaks = max(peaks, descend_columns(run, voxel, slots_inside(run, voxel)));
        }
    }
    return max(max(peaks.x, peaks.y), max(peaks.z, peaks.w));
}

fn gradient_columns(at: Invocation) {
    report_peak(at, gradient_columns_tile(at, team_index(at)));
}
