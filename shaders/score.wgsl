// Stage 3: from the rows' sums to the value of each group of a term, and its derivatives. One dispatch a term.
//
// Oracle: reference::score. Expects `params`, `scratch`, `loss`, Cascade, `classes`, `measure` and a team: one
// team a group.

// The sums of a row as a term sees them: (I, P - I, T - I, Σm) of an overlap, (A, B, F, Σm) of a sum over voxels,
// (A, B, T, Σm) of distances.
fn row_sums(term: Term, row: u32) -> vec4<f32> {
    let at = params.sums + (row * params.statistics + term.statistic) * 4u;
    var sums = load_vec4(at);
    sums.w = f32(scratch.words[at + 3u]);
    if (loss.count_mask & (1u << term.statistic)) != 0u {
        sums = vec4<f32>(f32(scratch.words[at]), f32(scratch.words[at + 1u]), f32(scratch.words[at + 2u]), sums.w);
    }
    if term.measure == MEASURE_MEAN || term.measure == MEASURE_WASSERSTEIN { return sums; }
    let has_excess = (loss.excess_mask & (1u << term.statistic)) != 0u;
    if !has_excess { sums = vec4<f32>(sums.x, sums.yz - sums.x, sums.w); }
    // What the mask has dropped is background.
    if term.masked_is_background != 0u && row % params.classes == 0u {
        sums.z = sums.z + f32(params.voxels - scratch.words[at + 3u]);
    }
    return sums;
}

// T of a row, or of its class in the whole batch where the groups pool the batch: those are not cut by sample.
fn volume(term: Term, row: u32) -> f32 {
    if term.measure == MEASURE_WASSERSTEIN { return row_sums(term, row).z; }
    let pools_batch = term.groups != params.rows && (term.groups != sample_count() || term.group_classes != 0u);
    if !pools_batch {
        let sums = row_sums(term, row);
        return sums.x + sums.z;
    }
    var total = Cascade();
    for (var other = row % params.classes; other < params.rows; other = other + params.classes) {
        let sums = row_sums(term, other);
        add_to(&total, vec4<f32>(sums.x + sums.z, 0.0, 0.0, 0.0));
    }
    return sum_of(total).x;
}

// 1/T, 1/T² or 1/(T + 1); below 0 where that is infinite.
fn free_volume_weight(term: Term, row: u32) -> f32 {
    let size = volume(term, row);
    var power = select(size, size * size, term.volume == VOLUME_INVERSE_SQUARED);
    if term.volume == VOLUME_INVERSE_ONE_MORE { power = size + 1.0; }
    return select(1.0 / power, -1.0, power == 0.0);
}

// What a row weighs for its volume. What would be infinite is the heaviest finite weight of the sample's classes.
fn volume_weight(index: u32, row: u32) -> f32 {
    let term = loss.terms[index];
    if term.volume == VOLUME_UNUSED { return 1.0; }
    let own = free_volume_weight(term, row);
    if own >= 0.0 { return own; }
    var heaviest = 0.0;
    let first = row - row % params.classes;
    for (var class_index = 0u; class_index < params.classes; class_index = class_index + 1u) {
        if class_weight(index, class_index).w >= 0.0 {
            heaviest = max(heaviest, free_volume_weight(term, first + class_index));
        }
    }
    return heaviest;
}

// What row `row` adds to its group of term `index`. The weight of its volume is kept for `gradient`.
fn member_sums(index: u32, row: u32) -> vec4<f32> {
    let weights = class_weight(index, row % params.classes);
    let term = loss.terms[index];
    let weight = volume_weight(index, row);
    if term.volume != VOLUME_UNUSED { store_f32(params.row_weights + index * params.rows + row, weight); }
    let sums = row_sums(term, row);
    return vec4<f32>(weight * weights.xyz * sums.xyz, select(0.0, sums.w, weights.w >= 0.0));
}

fn score_group(at: Invocation, index: u32, group: u32) {
    let term = loss.terms[index];
    var total = Cascade();
    if group < term.groups {
        for (var member = team_rank(at); member < term.members; member = member + team_lanes()) {
            add_to(&total, member_sums(index, group * term.group_stride + member * term.member_stride));
        }
    }
    let sums = team_sum(at, sum_of(total));
    if team_rank(at) == 0u && group < term.groups {
        let outcome = group_score(term, sums);
        let place = term.first_group + group;
        scratch.words[params.group_values + place] = outcome.value;
        store_f32(params.slopes + 3u * place, outcome.slopes.x);
        store_f32(params.slopes + 3u * place + 1u, outcome.slopes.y);
        store_f32(params.slopes + 3u * place + 2u, outcome.slopes.z);
    }
}

fn score(at: Invocation) {
    score_group(at, params.term, team_index(at));
}
