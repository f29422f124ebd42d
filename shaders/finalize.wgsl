// Stage 4: from the groups' values to the loss. One team.
//
// Oracle: reference::finalize. Expects `params`, `scratch`, `loss`, Cascade and a team.

// The sum of the groups' values.
fn sum_groups(at: Invocation, term: Term) -> f32 {
    var total = Cascade();
    for (var group = team_rank(at); group < term.groups; group = group + team_lanes()) {
        let value = bitcast<f32>(scratch.words[params.group_values + term.first_group + group]);
        add_to(&total, vec4<f32>(value, 0.0, 0.0, 0.0));
    }
    return team_sum(at, sum_of(total)).x;
}

fn finalize_loss(at: Invocation, team: u32) {
    let first = team == 0u && team_rank(at) == 0u;
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

@compute @workgroup_size(WORKGROUP_SIZE)
fn finalize(at: Invocation) {
    finalize_loss(at, team_index(at));
}
