// Stage 3: from the rows' sums to the value of each group of a term, and its derivatives. One dispatch a term.
//
// Oracle: reference::score. Expects `params`, `scratch`, `loss`, Cascade, class_weight, group_score and a team: one
// team a group.

// What row `row` adds to its group of term `index`: (I, P - I, T - I, Σm); of cross-entropy, the total with the class's
// weight applied.
fn row_sums(index: u32, row: u32) -> vec4<f32> {
    let term = loss.terms[index];
    let at = params.sums + (row * params.statistics + term.statistic) * 4u;
    var sums = load_vec4(at);
    sums.w = f32(scratch.words[at + 3u]);
    if (loss.count_mask & (1u << term.statistic)) != 0u {
        sums = vec4<f32>(f32(scratch.words[at]), f32(scratch.words[at + 1u]), f32(scratch.words[at + 2u]), sums.w);
    }
    if term.measure == MEASURE_OVERLAP {
        let has_excess = (loss.excess_mask & (1u << term.statistic)) != 0u;
        return select(vec4<f32>(sums.x, sums.yz - sums.x, sums.w), sums, has_excess);
    }
    return vec4<f32>(class_weight(index, row % params.classes) * sums.x + sums.y, 0.0, 0.0, sums.w);
}

fn score_group(at: Invocation, index: u32, group: u32) {
    let term = loss.terms[index];
    var total = Cascade();
    if group < term.groups {
        for (var member = team_rank(at); member < term.members; member = member + team_lanes()) {
            add_to(&total, row_sums(index, group * term.group_stride + member * term.member_stride));
        }
    }
    let sums = team_sum(at, sum_of(total));
    if team_rank(at) == 0u && group < term.groups {
        let outcome = group_score(term, sums);
        let place = term.first_group + group;
        store_f32(params.group_values + place, outcome.x);
        store_f32(params.slopes + 2u * place, outcome.y);
        store_f32(params.slopes + 2u * place + 1u, outcome.z);
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn score(at: Invocation) {
    score_group(at, params.term, team_index(at));
}
