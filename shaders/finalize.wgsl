// Stage 3: from the rows' sums to the loss and, per row, the gradient's coefficients. One workgroup.
//
// Oracle: reference::finalize. Expects `params`, `scratch`, `loss`, class_weight, group_score and a team.

const BLOCK: u32 = 32u;

// From this many rows in a group on, the lanes share each group; below, each takes groups of its own.
const SHARED_GROUP: u32 = 256u;

// What row `row` adds to its group: its sums, those of cross-entropy with the class's weight applied.
fn row_sums(term_index: u32, term: Term, row: u32) -> vec4<f32> {
    let at = params.sums + (row * params.statistics + term.statistic) * 4u;
    var sums = load_vec4(at);
    sums.w = f32(scratch.words[at + 3u]);
    if (loss.count_mask & (1u << term.statistic)) != 0u {
        sums = vec4<f32>(f32(scratch.words[at]), f32(scratch.words[at + 1u]), f32(scratch.words[at + 2u]), sums.w);
    }
    if term.measure == MEASURE_OVERLAP {
        return sums;
    }
    return vec4<f32>(class_weight(term_index, row % params.classes) * sums.x + sums.y, 0.0, 0.0, sums.w);
}

// The sum over every `step`-th row of a group, from the `first` on.
fn pooled(term_index: u32, term: Term, group: u32, first: u32, step: u32) -> vec4<f32> {
    var total = vec4<f32>();
    var member = first;
    while member < term.members {
        var block = vec4<f32>();
        for (var i = 0u; i < BLOCK && member < term.members; i = i + 1u) {
            block = block + row_sums(term_index, term, group * term.group_stride + member * term.member_stride);
            member = member + step;
        }
        total = total + block;
    }
    return total;
}

fn store_group(term: Term, group: u32, score: vec3<f32>) {
    let index = term.first_group + group;
    store_f32(params.group_values + index, score.x);
    store_f32(params.slopes + 2u * index, score.y);
    store_f32(params.slopes + 2u * index + 1u, score.z);
}

fn score_groups(at: Invocation, term_index: u32, term: Term) {
    if term.members >= SHARED_GROUP {
        for (var group = 0u; group < term.groups; group = group + 1u) {
            let sums = team_sum(at, pooled(term_index, term, group, at.lane, WORKGROUP_SIZE));
            if at.lane == 0u {
                store_group(term, group, group_score(term, sums));
            }
        }
    } else {
        for (var group = at.lane; group < term.groups; group = group + WORKGROUP_SIZE) {
            store_group(term, group, group_score(term, pooled(term_index, term, group, 0u, 1u)));
        }
    }
}

// The sum of the groups' values.
fn sum_groups(at: Invocation, term: Term) -> f32 {
    var total = 0.0;
    var group = at.lane;
    while group < term.groups {
        var block = 0.0;
        for (var i = 0u; i < BLOCK && group < term.groups; i = i + 1u) {
            block = block + bitcast<f32>(scratch.words[params.group_values + term.first_group + group]);
            group = group + WORKGROUP_SIZE;
        }
        total = total + block;
    }
    return team_sum(at, vec4<f32>(total, 0.0, 0.0, 0.0)).x;
}

// dL/d(first sum), dL/d(second sum) of a row's statistic: what the terms that use it add up to.
fn coefficient(row: u32, statistic: u32) -> vec2<f32> {
    var total = vec2<f32>();
    for (var i = 0u; i < params.terms; i = i + 1u) {
        let term = loss.terms[i];
        if term.statistic == statistic {
            let group = term.first_group + (row / term.group_divisor) % term.groups;
            let slopes = load_vec2(params.slopes + 2u * group) * vec2<f32>(class_weight(i, row % params.classes), 1.0);
            total = total + loss.upstream * term.weight * term.scale * slopes;
        }
    }
    return total;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn finalize(at: Invocation) {
    for (var i = 0u; i < params.terms; i = i + 1u) {
        score_groups(at, i, loss.terms[i]);
    }
    storageBarrier();
    var value = 0.0;
    for (var i = 0u; i < params.terms; i = i + 1u) {
        let reduced = loss.terms[i].scale * sum_groups(at, loss.terms[i]);
        value = value + loss.terms[i].weight * reduced;
        if at.lane == 0u {
            store_f32(params.term_values + i, reduced);
        }
    }
    if at.lane == 0u {
        scratch.value = bitcast<u32>(value);
    }
    for (var row = at.lane; row < params.rows; row = row + WORKGROUP_SIZE) {
        for (var statistic = 0u; statistic < params.statistics; statistic = statistic + 1u) {
            let c = coefficient(row, statistic);
            let index = params.coefficients + (row * params.statistics + statistic) * 2u;
            store_f32(index, c.x);
            store_f32(index + 1u, c.y);
        }
    }
}
