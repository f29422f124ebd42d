// Stage 4: from the groups' values to the loss. One team.
//
// Oracle: reference::finalize. Expects `params`, `scratch`, `loss` and a team.

const BLOCK: u32 = 32u;

// The sum of the groups' values.
fn sum_groups(at: Invocation, term: Term) -> f32 {
    var total = 0.0;
    var group = team_rank(at);
    while group < term.groups {
        var block = 0.0;
        for (var i = 0u; i < BLOCK && group < term.groups; i = i + 1u) {
            block = block + bitcast<f32>(scratch.words[params.group_values + term.first_group + group]);
            group = group + team_lanes();
        }
        total = total + block;
    }
    return team_sum(at, vec4<f32>(total, 0.0, 0.0, 0.0)).x;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn finalize(at: Invocation) {
    let first = team_index(at) == 0u && team_rank(at) == 0u;
    var value = 0.0;
    for (var i = 0u; i < params.terms; i = i + 1u) {
        let reduced = loss.terms[i].scale * sum_groups(at, loss.terms[i]);
        value = value + loss.terms[i].weight * reduced;
        if first {
            store_f32(params.term_values + i, reduced);
        }
    }
    if first {
        scratch.value = bitcast<u32>(value);
        scratch.done = 1u;
    }
}
